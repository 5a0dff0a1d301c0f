//! What passes between two apps: a path each way that is late, loses pictures and ink, and is gone for a while now and then; what must
//! arrive arrives in order. Two sides find each other by what the server carried between them, as real calls do.

use super::dice::Dice;
use super::eye::Picture;
use visavis_wire::Private;
use visavis_wire::socket::{Role, Signal};

/// Of pictures and live ink.
const LOSS_PERCENT: u64 = 4;
/// A path that is gone is noticed after, and found again after.
pub const NOTICED_MS: u64 = 1_500;
pub const FOUND_MS: u64 = 700;

/// What reaches a call.
pub enum Arrives {
    /// The two have found each other.
    Connected,
    Interrupted,
    Restored,
    /// One message of a data channel.
    Control(Vec<u8>),
    Operations(Vec<u8>),
    Live(Vec<u8>),
    Picture {
        captured: u64,
        picture: Box<Picture>,
    },
    /// The other side took the connection down.
    Closed,
}

/// One side of a call.
pub struct Side {
    pub who: usize,
    /// Of the app: another one knows nothing of this call.
    pub life: u64,
    /// As the app numbers its calls.
    pub number: u64,
    pub role: Role,
    pub other: Option<usize>,
    pub connected: bool,
    pub gone: bool,
    /// Nothing gets through in between.
    pub outage: Option<(u64, u64)>,
    /// When the newest of what must arrive arrives.
    ordered_ms: u64,
}

#[derive(Default)]
pub struct Calls {
    sides: Vec<Side>,
}

impl Calls {
    pub fn begin(&mut self, who: usize, life: u64, number: u64, role: Role) -> usize {
        self.sides.push(Side {
            who,
            life,
            number,
            role,
            other: None,
            connected: false,
            gone: false,
            outage: None,
            ordered_ms: 0,
        });
        self.sides.len() - 1
    }

    pub fn side(&self, call: usize) -> &Side {
        &self.sides[call]
    }

    pub fn end(&mut self, call: usize) {
        self.sides[call].gone = true;
    }

    /// The other side, while there is one.
    pub fn other(&self, call: usize) -> Option<usize> {
        self.sides[call].other.filter(|other| !self.sides[*other].gone)
    }

    /// Side `one` has heard the offer or answer of `other`; true once both have.
    pub fn heard(&mut self, one: usize, other: usize) -> bool {
        self.sides[one].other = Some(other);
        let both = self.sides[other].other == Some(one);
        if both {
            (self.sides[one].connected, self.sides[other].connected) = (true, true);
        }
        both
    }

    pub fn outage(&mut self, call: usize, from: u64, to: u64) {
        for side in [Some(call), self.sides[call].other].into_iter().flatten() {
            self.sides[side].outage = Some((from, to));
        }
    }

    fn is_out(&self, call: usize, at: u64) -> bool {
        self.sides[call].outage.is_some_and(|(from, to)| (from..to).contains(&at))
    }

    /// For how long the path has held.
    pub fn holds_for(&self, call: usize, now: u64) -> u64 {
        match self.sides[call].outage {
            Some((from, _)) if now < from => u64::MAX,
            Some((_, to)) => now.saturating_sub(to + FOUND_MS),
            None => u64::MAX,
        }
    }

    /// When something that may get lost arrives.
    pub fn may_arrive(&self, call: usize, now: u64, dice: &mut Dice) -> Option<u64> {
        let lost = dice.percent(LOSS_PERCENT) || self.is_out(call, now);
        (!lost).then(|| now + dice.between(15, 70))
    }

    /// When something that is sent again until it arrives does so.
    pub fn arrives(&mut self, call: usize, now: u64, dice: &mut Dice) -> u64 {
        let late = if dice.percent(LOSS_PERCENT) { 1_000 } else { 0 };
        let side = &mut self.sides[call];
        let from = match side.outage {
            Some((from, to)) if (from..to).contains(&now) => to + FOUND_MS,
            _ => now,
        };
        side.ordered_ms = side.ordered_ms.max(from + late + dice.between(15, 70));
        side.ordered_ms
    }
}

/// A description as a call makes it: the own addresses are in it.
pub fn description(call: usize, address: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nt=0 0\r\nc=IN IP4 {address}\r\na=ice-ufrag:call{call}x\r\n\
         a=candidate:1 1 udp 2130706431 {address} 5000 typ host\r\n\
         a=candidate:3 1 udp 16777215 198.51.100.1 6000 typ relay raddr {address} rport 5001\r\n"
    )
}

pub fn candidates(address: &str) -> [Signal; 3] {
    let candidate = |line: Option<String>| Signal::Candidate {
        candidate: line.map(Private::new),
        sdp_mid: Some(String::from("0")),
        sdp_m_line_index: Some(0),
    };
    [
        candidate(Some(format!("candidate:1 1 udp 2130706431 {address} 5000 typ host"))),
        candidate(Some(format!("candidate:3 1 udp 16777215 198.51.100.1 6000 typ relay raddr {address} rport 5001"))),
        candidate(None),
    ]
}

/// Which side made the description.
pub fn made_by(sdp: &str) -> Option<usize> {
    let rest = sdp.split_once("a=ice-ufrag:call")?.1;
    rest.split_once('x')?.0.parse().ok()
}

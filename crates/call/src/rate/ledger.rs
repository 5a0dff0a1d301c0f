//! What has left, joined with what the peer's transport-wide feedback says about it (draft-holmer-rmcat-transport-wide-cc-01).
//!
//! The library has a history of its own, but it calls lost whatever an acknowledgement passes over, so that a lost feedback packet
//! looks like lost media. Here a packet is lost when feedback names it as missing and none takes that back within [`OVERTAKEN`]
//! (packets that overtake each other are no loss); one that no feedback ever names is unknown, and counts for nothing.

use std::collections::VecDeque;
use std::time::Duration;

/// Packets remembered at most, about ten seconds of 2.5 Mbit/s.
const KEPT: usize = 4096;
/// Nothing is known of a packet after this long any more.
const HORIZON: Duration = Duration::from_secs(5);
/// How much later than those sent after it a packet may come.
const OVERTAKEN: Duration = Duration::from_millis(70);

/// What a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sound,
    /// Part of the picture with this RTP time stamp.
    Picture(u32),
    /// A picture's packet that the peer asked for again.
    Repair,
    /// A packet of sound once more, for a path that loses many.
    Copy,
}

impl Kind {
    /// Of a packet that left before under the same number, the peer tells only when the first was lost: SRTP drops the other as
    /// replayed before it is counted (RFC 3711, 3.3.2). So that nothing is heard of one does not mean that it was lost.
    pub fn is_first(self) -> bool {
        matches!(self, Self::Sound | Self::Picture(_))
    }
}

/// A packet as it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub at: Duration,
    /// On the wire, with all headers.
    pub bytes: u32,
    pub kind: Kind,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub sent: Sent,
    /// On the peer's clock: only differences mean anything. `None`: lost.
    pub arrived: Option<Duration>,
}

/// One line of a feedback packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub number: u16,
    pub arrived: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Unknown,
    /// Named as missing by the feedback that came then.
    Missing(Duration),
    Settled,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    sent: Sent,
    fate: Fate,
}

/// The transport-wide numbers are given out one after the other, so an entry's place is its number less the first one's.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: VecDeque<Entry>,
    /// Number of the first entry.
    first: u16,
    /// How many entries from the front feedback has reached.
    reached: usize,
    in_flight: u64,
    round_trip: Option<Duration>,
}

impl Ledger {
    /// A packet leaves with this transport-wide number.
    pub fn sent(&mut self, number: u16, sent: Sent) {
        let next = self.first.wrapping_add(self.entries.len() as u16);
        if number != next {
            // A new numbering: nothing known of the old one can be matched any more.
            *self = Self { first: number, ..Self::default() };
        }
        self.in_flight += u64::from(sent.bytes);
        self.entries.push_back(Entry { sent, fate: Fate::Unknown });
        while self.entries.len() > KEPT || self.entries.front().is_some_and(|entry| entry.sent.at + HORIZON < sent.at) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let Some(entry) = self.entries.pop_front() else { return };
        self.first = self.first.wrapping_add(1);
        if self.reached == 0 {
            self.in_flight -= u64::from(entry.sent.bytes);
        }
        self.reached = self.reached.saturating_sub(1);
    }

    /// Bytes that left after the newest packet that feedback names.
    pub fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// From the departure of the newest packet a feedback names to that feedback; holds the peer's pause between two feedbacks.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// When the oldest packet left of which nothing was heard yet.
    pub fn waiting_since(&self) -> Option<Duration> {
        self.entries.get(self.reached).map(|entry| entry.sent.at)
    }

    /// Takes one feedback packet and gives what it settles, in the order of sending.
    pub fn feedback(&mut self, lines: &[Line], now: Duration) -> Vec<Outcome> {
        let mut settled = Vec::new();
        let mut reached = self.reached;
        for line in lines {
            let place = usize::from(line.number.wrapping_sub(self.first));
            let Some(entry) = self.entries.get_mut(place) else { continue };
            if line.arrived.is_some() && place >= reached {
                reached = place + 1;
                self.round_trip = Some(now.saturating_sub(entry.sent.at));
            }
            match (entry.fate, line.arrived) {
                (Fate::Unknown, None) => entry.fate = Fate::Missing(now),
                (Fate::Unknown | Fate::Missing(_), Some(_)) => {
                    entry.fate = Fate::Settled;
                    settled.push((place, Outcome { sent: entry.sent, arrived: line.arrived }));
                }
                (Fate::Missing(_), None) | (Fate::Settled, _) => {}
            }
        }
        for entry in self.entries.range(self.reached..reached) {
            self.in_flight -= u64::from(entry.sent.bytes);
        }
        self.reached = reached;
        for (place, entry) in self.entries.iter_mut().enumerate().take(reached) {
            if matches!(entry.fate, Fate::Missing(since) if since + OVERTAKEN <= now) {
                entry.fate = Fate::Settled;
                settled.push((place, Outcome { sent: entry.sent, arrived: None }));
            }
        }
        settled.sort_by_key(|(place, _)| *place);
        settled.into_iter().map(|(_, outcome)| outcome).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    fn sent(at: u64) -> Sent {
        Sent { at: ms(at), bytes: 100, kind: Kind::Sound }
    }

    fn line(number: u16, arrived: Option<u64>) -> Line {
        Line { number, arrived: arrived.map(ms) }
    }

    fn ledger(first: u16, count: u16) -> Ledger {
        let mut ledger = Ledger::default();
        for step in 0..count {
            ledger.sent(first.wrapping_add(step), sent(u64::from(step)));
        }
        ledger
    }

    fn arrivals(outcomes: &[Outcome]) -> Vec<(u128, bool)> {
        outcomes.iter().map(|outcome| (outcome.sent.at.as_millis(), outcome.arrived.is_some())).collect()
    }

    #[test]
    fn a_packet_is_lost_when_the_next_feedback_does_not_take_it_back() {
        let mut ledger = ledger(65_534, 5);
        let outcomes = ledger.feedback(&[line(65_534, Some(9)), line(65_535, None), line(0, None), line(1, Some(12))], ms(50));
        assert_eq!(arrivals(&outcomes), [(0, true), (3, true)]);
        assert_eq!((ledger.in_flight(), ledger.round_trip()), (100, Some(ms(47))));
        // Number 0 was overtaken only.
        let outcomes = ledger.feedback(&[line(0, Some(14)), line(1, Some(12)), line(2, Some(15))], ms(119));
        assert_eq!(arrivals(&outcomes), [(2, true), (4, true)]);
        assert_eq!(arrivals(&ledger.feedback(&[], ms(120))), [(1, false)]);
        assert_eq!(ledger.in_flight(), 0);
    }

    #[test]
    fn a_lost_feedback_is_no_lost_packet() {
        let mut ledger = ledger(0, 10);
        let outcomes = ledger.feedback(&[line(8, Some(9)), line(9, Some(10))], ms(50));
        assert_eq!(arrivals(&outcomes), [(8, true), (9, true)]);
        assert_eq!((ledger.in_flight(), ledger.waiting_since()), (0, None));
        assert!(ledger.feedback(&[], ms(60)).is_empty());
    }

    #[test]
    fn old_packets_are_forgotten() {
        let mut ledger = ledger(0, 10);
        ledger.sent(10, sent(9_000));
        assert_eq!((ledger.in_flight(), ledger.entries.len()), (100, 1));
    }

    proptest! {
        #[test]
        fn any_feedback_is_survived_and_nothing_is_settled_twice(
            steps in prop::collection::vec((prop::collection::vec((0u16..60, any::<bool>()), 0..40), 0u16..20), 0..40),
            first in any::<u16>(),
        ) {
            let (mut ledger, mut number, mut at, mut all) = (Ledger::default(), first, 0, 0);
            for (lines, count) in steps {
                for _ in 0..count {
                    ledger.sent(number, sent(at));
                    number = number.wrapping_add(1);
                    at += 7;
                    all += 1;
                }
                let lines: Vec<Line> =
                    lines.into_iter().map(|(back, here)| line(number.wrapping_sub(back), here.then_some(at))).collect();
                let settled = ledger.feedback(&lines, ms(at)).len();
                prop_assert!(settled <= all);
                all -= settled;
                let flying: u64 = ledger.entries.iter().skip(ledger.reached).map(|entry| u64::from(entry.sent.bytes)).sum();
                prop_assert_eq!(flying, ledger.in_flight());
            }
        }
    }
}

//! The gate: the only place where a picture becomes one that may leave this machine, veiled or clear.
//!
//! | input | source | can unveil | veils at once |
//! |---|---|---|---|
//! | [`Input::Agreed`] | local user | as one of four conditions | `false` |
//! | [`Input::Opened`] | server, blind question | as one of four conditions | `false` |
//! | [`Input::PeerLooks`] | local detector, decoded pixels | as one of four conditions, held [`HOLD`] | anything but `Clear` |
//! | [`Input::PeerSeesMe`] | the peer's report | never what the first three do not allow | anything but `Clear`, `Unknown`, `NoSignal` |
//! | [`Input::PeerShows`] | local detector, decoded pixels | never what the first three do not allow | a mosaic for longer than [`GRACE`] |
//! | [`Input::PeerStaysVeiled`] | the peer's report | never what the first three do not allow | `true` |
//!
//! Two gates that face each other cannot wait for each other for ever: each decides by how the other's *camera* looks, which
//! the detector tells from veiled pictures too. Whether the other *veils* matters only after both said yes and one's own picture
//! was clear to them for [`GRACE`], and never for good: see [`ledger`]. A report that is lost or undecided is survived because
//! reports are repeated: `Unknown` and `NoSignal` keep the veil down only until the first `Clear` of an opening, and take nothing
//! back afterwards. The tests go through every state that two gates can get into.
//!
//! What the user wished beyond the rules ("ask me before unveiling", camera off) reaches the gate as `Agreed(false)` or as no
//! picture at all.

mod ledger;

use crate::detector::{CameraState, EVIDENCE_OF_CLEAR};
use crate::planes::PlanesMut;
use crate::veil::veil;
use ledger::{Ledger, Times};
use std::time::Duration;

/// From the first picture in which the peer's camera is clear again to one's own unveiled picture.
pub const UNVEIL_AFTER: Duration = Duration::from_millis(600);

/// How long the detector must have said so: its evidence of a clear camera is late already.
pub const HOLD: Duration = UNVEIL_AFTER.saturating_sub(EVIDENCE_OF_CLEAR);

/// How long one judgement of the detector holds. A session that no longer feeds the gate leaves it veiled.
pub const JUDGEMENT_HOLDS: Duration = Duration::from_secs(2);

/// How long one's own picture may be clear to somebody who stays veiled. Two honest apps are apart by a report and a picture on
/// their way: a second at most, and two when the report is lost and sent again.
pub const GRACE: Duration = Duration::from_millis(2500);

/// Pause before the next [`GRACE`] for somebody who stays veiled; each is twice as long as the last.
pub const FIRST_PAUSE: Duration = Duration::from_secs(5);
pub const MOST_PAUSE: Duration = Duration::from_secs(600);

const TIMES: Times =
    Times { hold: HOLD, judgement_holds: JUDGEMENT_HOLDS, grace: GRACE, first_pause: FIRST_PAUSE, most_pause: MOST_PAUSE };

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum View {
    #[default]
    Veiled,
    Clear,
}

/// Why one's own picture is veiled; the first that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Because {
    /// The question has not opened, or the local user did not (or no longer) agree.
    NotRevealed,
    /// The peer's camera does not look clear, or has not for [`HOLD`] yet.
    PeerNotClear,
    /// The peer reports that one's own camera does not look clear.
    YouNotClear,
    /// The peer said that they stay veiled, or their picture was a mosaic for too long.
    PeerVeiled,
}

/// A picture that may leave this machine. Made by [`Gate::release`] alone: the fields are private to this module, and there is
/// neither a constructor nor `From` nor `Default`.
///
/// ```compile_fail,E0451
/// use visavis_sight::{Released, View};
/// let forged = Released { picture: [0u8; 4], view: View::Clear, turned: false };
/// ```
/// ```compile_fail,E0277
/// let forged: visavis_sight::Released<u8> = 7u8.into();
/// ```
/// ```compile_fail,E0277
/// fn make<T: Default>() -> T { T::default() }
/// let forged = make::<visavis_sight::Released<u8>>();
/// ```
#[derive(Debug)]
pub struct Released<F> {
    picture: F,
    view: View,
    turned: bool,
}

impl<F> Released<F> {
    pub fn picture(&self) -> &F {
        &self.picture
    }

    pub fn view(&self) -> View {
        self.view
    }

    /// First picture of a gate, or first after the view changed: the encoder must start from a key frame, and what was
    /// released before it and is not encoded yet should be dropped.
    pub fn turned(&self) -> bool {
        self.turned
    }

    /// Gives the buffer back (to a pool) once it is encoded.
    pub fn into_picture(self) -> F {
        self.picture
    }
}

/// What the gate is told. Each with its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Local user pressed Reveal (true) or Stay veiled (false).
    Agreed(bool),
    /// Server: the blind question opened (true) or was closed (false).
    Opened(bool),
    /// [`crate::detector::Detector::evidence`] of the peer's decoded pixels; to be repeated on every picture or tick (see
    /// [`JUDGEMENT_HOLDS`]).
    PeerLooks(CameraState),
    /// Peer's message: "your camera looks ...". Can only veil.
    PeerSeesMe(CameraState),
    /// Whether the peer's decoded pixels are a mosaic ([`crate::detector::Detector::looks_veiled`]).
    PeerShows(View),
    /// Peer's message: "I stay veiled for now". Can only veil.
    PeerStaysVeiled(bool),
}

/// One call's gate. Starts veiled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Gate {
    agreed: bool,
    opened: bool,
    /// Since when the peer has looked clear without a break, and when that was last said.
    peer_clear: Option<(Duration, Duration)>,
    reported: CameraState,
    /// The reports allow a clear view: the last decided one of this opening was `Clear`.
    seen_clear: bool,
    peer_shows: View,
    peer_stays_veiled: bool,
    ledger: Ledger,
    released: Option<View>,
}

impl Default for Gate {
    fn default() -> Self {
        Self::with(TIMES)
    }
}

impl Gate {
    pub fn new() -> Self {
        Self::default()
    }

    fn with(times: Times) -> Self {
        Self {
            agreed: false,
            opened: false,
            peer_clear: None,
            reported: CameraState::Unknown,
            seen_clear: false,
            peer_shows: View::Veiled,
            peer_stays_veiled: false,
            ledger: Ledger::new(times),
            released: None,
        }
    }

    pub fn input(&mut self, input: Input, now: Duration) {
        self.count(now);
        match input {
            Input::Agreed(agreed) => self.agreed = agreed,
            Input::Opened(opened) => {
                if opened && !self.opened {
                    self.seen_clear = self.reported == CameraState::Clear;
                    self.ledger.begin_anew();
                }
                self.opened = opened;
            }
            Input::PeerLooks(CameraState::Clear) => {
                let since = match self.peer_clear {
                    Some((since, last)) if now.saturating_sub(last) <= self.ledger.times.judgement_holds => since,
                    _ => now,
                };
                self.peer_clear = Some((since, now));
            }
            Input::PeerLooks(_) => self.peer_clear = None,
            Input::PeerSeesMe(state) => {
                self.reported = state;
                match state {
                    CameraState::Clear => self.seen_clear = true,
                    CameraState::Dark
                    | CameraState::Covered
                    | CameraState::Partial
                    | CameraState::Frozen
                    | CameraState::NobodyInView
                    | CameraState::Off => self.seen_clear = false,
                    CameraState::Unknown | CameraState::NoSignal => {}
                }
            }
            Input::PeerShows(view) => self.peer_shows = view,
            Input::PeerStaysVeiled(stays) => self.peer_stays_veiled = stays,
        }
    }

    pub fn view(&self, now: Duration) -> View {
        match self.veiled_because(now) {
            Some(_) => View::Veiled,
            None => View::Clear,
        }
    }

    /// `None` while the view is clear.
    pub fn veiled_because(&self, now: Duration) -> Option<Because> {
        let unfair = || (!self.ledger.allows(self.peer_to_be_seen(now), now)).then_some(Because::PeerVeiled);
        self.withheld_because(now).or_else(unfair)
    }

    /// What stands in the way at this moment, whatever was shown before.
    fn withheld_because(&self, now: Duration) -> Option<Because> {
        let times = &self.ledger.times;
        if !self.agreed || !self.opened {
            return Some(Because::NotRevealed);
        }
        match self.peer_clear {
            Some((since, last))
                if now.saturating_sub(since) >= times.hold && now.saturating_sub(last) <= times.judgement_holds => {}
            _ => return Some(Because::PeerNotClear),
        }
        if !self.seen_clear {
            return Some(Because::YouNotClear);
        }
        self.peer_stays_veiled.then_some(Because::PeerVeiled)
    }

    /// Veils the picture unless the rules allow it to go clear; `planes` borrows the pixels of `picture`.
    pub fn release<F>(&mut self, mut picture: F, now: Duration, planes: impl FnOnce(&mut F) -> PlanesMut<'_>) -> Released<F> {
        self.count(now);
        let view = self.view(now);
        if view == View::Veiled {
            veil(&mut planes(&mut picture));
        }
        let turned = self.released.replace(view) != Some(view);
        Released { picture, view, turned }
    }

    /// A covered lens without a mosaic is not to be seen either.
    fn peer_to_be_seen(&self, now: Duration) -> View {
        match self.peer_clear {
            Some((_, last)) if now.saturating_sub(last) <= self.ledger.times.judgement_holds => self.peer_shows,
            _ => View::Veiled,
        }
    }

    /// Books the time since the last input, in parts where the clock alone changed the view meanwhile.
    fn count(&mut self, now: Duration) {
        let times = self.ledger.times;
        let mut turns = [
            self.peer_clear.map_or(now, |(since, _)| since + times.hold),
            self.peer_clear.map_or(now, |(_, last)| last + times.judgement_holds),
            self.ledger.next.unwrap_or(now),
            now,
        ];
        turns.sort_unstable();
        for turn in turns {
            let at = self.ledger.at.unwrap_or(turn);
            if at <= turn && turn <= now {
                self.count_to(at + (turn - at) / 2, turn);
            }
        }
    }

    /// Books what was so in between.
    fn count_to(&mut self, between: Duration, now: Duration) {
        let clear = self.withheld_because(between).is_none() && !self.ledger.withdrawn;
        let own = if clear { View::Clear } else { View::Veiled };
        self.ledger.count(own, self.peer_to_be_seen(between), now);
    }
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;

#[cfg(test)]
mod exploration;

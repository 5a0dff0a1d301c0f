//! The gate: the only place where a picture becomes one that may leave this machine, veiled or clear.
//!
//! | input | source | can unveil | veils at once |
//! |---|---|---|---|
//! | [`Input::Agreed`] | local user | as one of four conditions | `false` |
//! | [`Input::Opened`] | server, blind question | as one of four conditions | `false` |
//! | [`Input::PeerLooks`] | local detector, decoded pixels | as one of four conditions, held [`HOLD`] | anything but `Clear` |
//! | [`Input::PeerSeesMe`] | the peer's report | never what the first three do not allow | anything but `Clear`, `Unknown`, `NoSignal` |
//!
//! Two gates that face each other cannot wait for each other for ever: each decides by how the other's *camera* looks, which
//! the detector tells from veiled pictures too, and never by whether the other veils. A report that is lost or undecided is
//! survived because reports are repeated: `Unknown` and `NoSignal` keep the veil down only until the first `Clear` of an
//! opening, and take nothing back afterwards.
//!
//! What the user wished beyond the rules ("ask me before unveiling", camera off) reaches the gate as `Agreed(false)` or as no
//! picture at all.

use crate::detector::CameraState;
use crate::planes::PlanesMut;
use crate::veil::veil;
use std::time::Duration;

/// How long the peer's camera must have looked clear before one's own picture unveils.
pub const HOLD: Duration = Duration::from_millis(600);

/// How long one judgement of the detector holds. A session that no longer feeds the gate leaves it veiled.
pub const JUDGEMENT_HOLDS: Duration = Duration::from_secs(2);

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
}

/// One call's gate. Starts veiled.
#[derive(Debug, Default)]
pub struct Gate {
    agreed: bool,
    opened: bool,
    /// Since when the peer has looked clear without a break, and when that was last said.
    peer_clear: Option<(Duration, Duration)>,
    reported: CameraState,
    /// The reports allow a clear view: the last decided one of this opening was `Clear`.
    seen_clear: bool,
    released: Option<View>,
}

impl Gate {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn input(&mut self, input: Input, now: Duration) {
        match input {
            Input::Agreed(agreed) => self.agreed = agreed,
            Input::Opened(opened) => {
                if opened && !self.opened {
                    self.seen_clear = self.reported == CameraState::Clear;
                }
                self.opened = opened;
            }
            Input::PeerLooks(CameraState::Clear) => {
                let since = match self.peer_clear {
                    Some((since, last)) if now.saturating_sub(last) <= JUDGEMENT_HOLDS => since,
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
        if !self.agreed || !self.opened {
            return Some(Because::NotRevealed);
        }
        match self.peer_clear {
            Some((since, last)) if now.saturating_sub(since) >= HOLD && now.saturating_sub(last) <= JUDGEMENT_HOLDS => {}
            _ => return Some(Because::PeerNotClear),
        }
        if self.seen_clear { None } else { Some(Because::YouNotClear) }
    }

    /// Veils the picture unless the rules allow it to go clear; `planes` borrows the pixels of `picture`.
    pub fn release<F>(&mut self, mut picture: F, now: Duration, planes: impl FnOnce(&mut F) -> PlanesMut<'_>) -> Released<F> {
        let view = self.view(now);
        if view == View::Veiled {
            veil(&mut planes(&mut picture));
        }
        let turned = self.released.replace(view) != Some(view);
        Released { picture, view, turned }
    }
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;

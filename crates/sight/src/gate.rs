//! The gate.
use crate::detector::CameraState;
use crate::planes::PlanesMut;
use std::time::Duration;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum View {
    #[default]
    Veiled,
    Clear,
}

/// A picture that may leave this machine. Made by [`Gate::release`] alone.
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
    /// First picture after the view changed: the encoder must start from a key frame.
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
    /// Local detector on the peer's decoded pictures.
    PeerLooks(CameraState),
    /// Peer's message: "your camera looks ...". Can only veil.
    PeerSeesMe(CameraState),
}

#[derive(Default)]
pub struct Gate {}

impl Gate {
    pub fn new() -> Self {
        Self::default()
    }
    pub fn input(&mut self, _input: Input, _now: Duration) {}
    pub fn view(&self, _now: Duration) -> View {
        View::Veiled
    }
    /// Veils the picture unless the rules allow it to go clear; `planes` borrows the pixels of `picture`.
    pub fn release<F>(&mut self, picture: F, _now: Duration, _planes: impl FnOnce(&mut F) -> PlanesMut<'_>) -> Released<F> {
        Released { picture, view: View::Veiled, turned: false }
    }
}

//! Fairness of sight, pure: how a camera looks from its decoded pixels ([`detector`]), the mosaic that hides a face
//! ([`veil`]), and the only place where a picture becomes one that may leave the machine ([`gate`]).
//!
//! No clock, no thread, no I/O: planes and time are arguments. Reading cameras, decoding, and what the server and the peer
//! said belong to others, who report it to the gate as [`gate::Input`].

mod approach;
pub mod change;
mod cover;
pub mod detector;
pub mod features;
pub mod gate;
mod grids;
mod hysteresis;
mod photo;
pub mod planes;
mod repeats;
mod still;
pub mod stream;
pub mod veil;

pub use gate::{Gate, Released, View};
pub use planes::{Planes, PlanesMut};

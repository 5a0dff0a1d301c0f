//! Camera, microphone, speaker; conversion, encoding, decoding, jitter; synthetic sources. No network, no tokio, no wall clock
//! in the picture path: captures are stamped with time since the process's [`Clock`] began.
//!
//! Skeleton of the public surface; see each module.

pub mod audio;
pub mod camera;
pub mod clock;
pub mod codec;
pub mod frame;
pub mod mailbox;
pub mod marker;

pub use clock::Clock;
pub use frame::{Frame, FramePool};
pub use mailbox::Mailbox;

//! Camera, microphone, speaker; conversion, encoding, decoding, jitter; synthetic sources. No network, no tokio, no wall clock
//! in the picture path: captures are stamped with time since the process's [`Clock`] began.
//!
//! | module | does |
//! |---|---|
//! | [`frame`], [`mailbox`], [`clock`] | what the others hand each other |
//! | [`camera`] | real, file and synthetic cameras, and what testers do to them |
//! | [`convert`], [`scale`] | pixel formats and sizes |
//! | [`container`] | y4m, IVF and WebM files |
//! | [`codec`] | VP8 |
//! | [`marker`] | frame numbers in the picture, for measuring |
//! | [`audio`] | microphone, speaker, Opus |
//! | [`machine`] | which devices there are, and opening them: real, or scripted |
//! | [`memory`] | what the allocator is asked to give back |
//! | `forbidden` | why a system does not let a program use a device |

pub mod audio;
pub mod camera;
pub mod clock;
pub mod codec;
pub mod container;
pub mod convert;
mod forbidden;
pub mod frame;
pub mod machine;
pub mod mailbox;
pub mod marker;
pub mod memory;
pub mod scale;

pub use clock::Clock;
pub use forbidden::Forbidden;
pub use frame::{Coded, Frame, FramePool};
pub use mailbox::Mailbox;

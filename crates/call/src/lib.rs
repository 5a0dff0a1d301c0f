//! Two people connected: negotiation, sending, receiving, data channels, recovery, statistics, over `webrtc`.
//!
//! One owner loop (a tokio task) for each [`Call`], one closed enum in ([`Command`]) and one out ([`Event`]). Pictures and
//! sound do not pass through the loop: pictures come and go by mailboxes, sound by lock-free rings, so that a slow loop
//! never delays them. Encoder and decoder run on OS threads.
//!
//! What the messages mean (consent, drawing, parting) is decided by `session`.

pub mod engine;
mod statistics;

pub use engine::{Call, Command, Config, Event, MicrophoneSink, Policy, SpeakerSource};
pub use statistics::Statistics;

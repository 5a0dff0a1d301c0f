//! Two people connected: negotiation, sending, receiving, data channels, recovery, statistics, over `webrtc`.
//!
//! One owner loop (a tokio task) for each [`Call`], one closed enum in ([`Command`]) and one out ([`Event`]). Pictures and
//! sound do not pass through the loop: pictures come and go by mailboxes, sound by bounded queues, so that a slow loop never
//! delays them. Encoder and decoder run on OS threads.
//!
//! ```text
//! Mailbox<Released<Frame>> -> send (thread call-encode) -> traffic (task) -> interceptors -> wire
//! wire -> interceptors -> traffic (task) -> receive (thread call-decode) -> Mailbox<Frame>
//! MicrophoneSink -> sound (thread call-sound) -> traffic -> wire -> traffic -> SpeakerSource (decodes where it is pulled)
//! Command -> owner <-> channels, comparison, negotiate, rate -> Event
//! ```
//!
//! What the messages mean (consent, drawing, parting) is decided by `session`. The library logs through the `log` crate, and
//! below the level `error` (targets `webrtc` and `rtc*`) its lines may hold addresses: a program should filter them to `off`.

mod channels;
mod clocks;
mod codecs;
mod comparison;
mod congestion;
mod connection;
mod cookie;
pub mod engine;
mod haste;
mod interceptors;
mod ladder;
mod negotiate;
mod owner;
mod pace;
#[doc(hidden)]
pub mod pure;
mod quality;
mod rate;
mod receive;
mod relay;
mod resend;
mod send;
mod sound;
mod statistics;
mod sync;
mod traffic;
mod video;

#[cfg(test)]
mod bad_networks;
#[cfg(test)]
mod testkit;
#[cfg(test)]
mod tests;

#[cfg(feature = "rude")]
pub use channels::Channel;
pub use codecs::{CodecReason, Codecs};
pub use comparison::{PICTURES, Pictures};
pub use engine::{Call, Command, Config, Event, Policy};
pub use ladder::Lowered;
pub use quality::Quality;
pub use sound::{MicrophoneSink, SpeakerSource};
pub use statistics::{CodecName, Statistics};

//! Sound: microphone, speaker, Opus, jitter buffer, level meter. Everything here speaks 48 kHz mono in frames of 20 ms.
//!
//! The two directions, each arrow with the thread that it runs on:
//! ```text
//! device -(device callback)-> ring -(microphone thread)-> mono, 48 kHz -> [VoiceProcessing] -> [OpusEncoder] -> the network
//!                                                        what is played -^
//! the network -> [VoiceReceiver: jitter, decoder, stretch] -> pull -(speaker thread)-> ring -(device callback)-> device
//! ```
//! Device callbacks touch a lock-free ring and atomics only. Networking, muting, which device to use and joining the parts are
//! left to the caller.

mod device;
mod jitter;
mod level;
mod list;
mod microphone;
mod opus;
mod processing;
mod receiver;
mod resample;
mod source;
mod speaker;
pub mod speech;
mod stretch;
mod tone;
mod worker;

pub use device::{AudioDevice, AudioError, SoundDevices};
pub use jitter::Pushed;
pub use level::Level;
pub use list::{SoundLister, list_microphones, list_speakers};
pub use microphone::{Microphone, OnFrame};
pub use opus::{OpusDecoder, OpusEncoder, OpusError};
pub use processing::{FarEnd, NearEnd, Options as ProcessingOptions, ProcessingStatistics, Processor, VoiceProcessing};
pub use receiver::{Heard, VoiceDecoder, VoiceReceiver, VoiceStatistics};
pub use source::{MicrophoneSource, SourceError, SpeakerTarget};
pub use speaker::{Played, PullFrame, Speaker};

pub(crate) use worker::Fate;

use std::time::Duration;

/// Samples per second, everywhere above the devices.
pub const SAMPLE_RATE: u32 = 48_000;
/// Samples of one frame.
pub const FRAME_SAMPLES: usize = 960;
/// How long one frame lasts.
pub const FRAME_TIME: Duration = Duration::from_millis(20);

/// 20 ms of mono sound.
pub type AudioFrame = [i16; FRAME_SAMPLES];
/// No sound.
pub const SILENCE: AudioFrame = [0; FRAME_SAMPLES];

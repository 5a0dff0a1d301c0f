//! Microphone, speaker, Opus, jitter. 48 kHz mono, 20 ms = 960 samples of i16.

pub const SAMPLE_RATE: u32 = 48_000;
pub const FRAME_SAMPLES: usize = 960;

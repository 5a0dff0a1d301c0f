//! The peer's voice: packets in, 20 ms of sound out, whatever the network does. Joins the jitter buffer and the decoder.

use super::jitter::{JitterBuffer, JitterStatistics, Pull, Pushed};
use super::opus::{OpusDecoder, OpusError};
use super::{AudioFrame, SILENCE};
use std::time::Duration;

/// What a frame is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Voice,
    /// A lost frame, from the copy in its successor.
    Recovered,
    /// Made up.
    Concealed,
    /// A pause, or nothing has come yet.
    Silence,
}

pub struct VoiceReceiver {
    jitter: JitterBuffer,
    decoder: OpusDecoder,
    /// Before the first packet the decoder has nothing to continue.
    begun: bool,
    corrupt: u64,
}

impl VoiceReceiver {
    pub fn new() -> Result<Self, OpusError> {
        Ok(Self { jitter: JitterBuffer::new(), decoder: OpusDecoder::new()?, begun: false, corrupt: 0 })
    }

    /// Takes the payload of an RTP packet in whatever order they arrive.
    pub fn push(&mut self, sequence: u16, timestamp: u32, payload: Vec<u8>, now: Duration) -> Pushed {
        self.jitter.push(sequence, timestamp, payload, now)
    }

    /// Fills the whole frame, always.
    pub fn pull(&mut self, frame: &mut AudioFrame, now: Duration) -> Heard {
        match self.jitter.pull(now) {
            Pull::Payload(payload) => self.decode(&payload, frame),
            Pull::Merge { first, second } => {
                let heard = self.decode(&first, frame);
                let mut successor = SILENCE;
                if self.decode(&second, &mut successor) == Heard::Voice {
                    fade(frame, &successor);
                    return Heard::Voice;
                }
                heard
            }
            Pull::Fec { next } => match self.decoder.decode_fec(&next, frame) {
                Ok(()) => Heard::Recovered,
                Err(_) => self.make_up(frame, Heard::Concealed),
            },
            Pull::Conceal => self.make_up(frame, Heard::Concealed),
            Pull::Silence => self.make_up(frame, Heard::Silence),
        }
    }

    pub fn statistics(&self) -> JitterStatistics {
        self.jitter.statistics()
    }

    /// Packets that were no valid Opus of 20 ms, since the start.
    pub fn corrupt(&self) -> u64 {
        self.corrupt
    }

    fn decode(&mut self, payload: &[u8], frame: &mut AudioFrame) -> Heard {
        match self.decoder.decode(payload, frame) {
            Ok(()) => {
                self.begun = true;
                Heard::Voice
            }
            Err(error) => {
                self.corrupt += 1;
                tracing::debug!(%error, "a voice packet cannot be decoded");
                self.make_up(frame, Heard::Concealed)
            }
        }
    }

    /// In a pause the decoder makes the comfort noise that it was told of.
    fn make_up(&mut self, frame: &mut AudioFrame, heard: Heard) -> Heard {
        if !self.begun || self.decoder.conceal(frame).is_err() {
            *frame = SILENCE;
        }
        heard
    }
}

/// From `frame` over to `successor`, so that both ends fit their neighbours.
fn fade(frame: &mut AudioFrame, successor: &AudioFrame) {
    let length = frame.len() as f32;
    for (i, (sample, &other)) in frame.iter_mut().zip(successor).enumerate() {
        let weight = i as f32 / length;
        *sample = (f32::from(*sample) * (1.0 - weight) + f32::from(other) * weight) as i16;
    }
}

//! Opus (RFC 6716) for voice: mono, 48 kHz, packets of exactly 20 ms. Which packets to send and which to ask for again is left
//! to the caller.

use super::{AudioFrame, FRAME_SAMPLES, SAMPLE_RATE};
use opus::{Application, Bitrate, Channels, Decoder, Encoder, ErrorCode, Signal, packet};

/// The largest Opus frame (RFC 6716 section 3.4) and room for the table of contents.
const MAX_PACKET: usize = 1500;
/// A packet up to this size only says that nobody speaks: discontinuous transmission (RFC 7587 section 3.1.3).
pub(super) const DTX_PACKET: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpusError {
    #[error("the voice codec could not be set up: {0}")]
    Setup(&'static str),
    #[error("the sound could not be encoded: {0}")]
    Encode(&'static str),
    #[error("the packet is empty")]
    Empty,
    #[error("the packet has {0} bytes, more than a voice packet can have")]
    TooLong(usize),
    #[error("the packet holds {0} samples and not one frame of 20 ms")]
    Duration(usize),
    #[error("the packet is no valid Opus: {0}")]
    Invalid(&'static str),
}

fn setup(error: opus::Error) -> OpusError {
    OpusError::Setup(error.description())
}

/// Voice encoder with in-band forward error correction and discontinuous transmission.
pub struct OpusEncoder {
    encoder: Encoder,
    resting: bool,
}

impl OpusEncoder {
    /// Bits per second of a new encoder.
    pub const DEFAULT_BITRATE: i32 = 32_000;

    pub fn new() -> Result<Self, OpusError> {
        let mut encoder = Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip).map_err(setup)?;
        encoder.set_bitrate(Bitrate::Bits(Self::DEFAULT_BITRATE)).map_err(setup)?;
        encoder.set_inband_fec(true).map_err(setup)?;
        encoder.set_dtx(true).map_err(setup)?;
        encoder.set_signal(Signal::Voice).map_err(setup)?;
        let mut new = Self { encoder, resting: false };
        // Without an expected loss the encoder spends nothing on error correction.
        new.set_packet_loss_percent(5)?;
        Ok(new)
    }

    /// `None`: nobody speaks and the peer knows it already; send nothing, but let the RTP timestamp go on.
    pub fn encode(&mut self, frame: &AudioFrame) -> Result<Option<Vec<u8>>, OpusError> {
        let packet = self.encoder.encode_vec(frame, MAX_PACKET).map_err(|error| OpusError::Encode(error.description()))?;
        let rests = packet.len() <= DTX_PACKET;
        // The first short packet of a pause is sent: it tells the receiver that what follows is a pause and not a loss.
        let known = rests && self.resting;
        self.resting = rests;
        Ok(if known { None } else { Some(packet) })
    }

    /// How much of the traffic is being lost, 0 to 100: the more, the more of each packet repeats the one before.
    pub fn set_packet_loss_percent(&mut self, percent: u8) -> Result<(), OpusError> {
        self.encoder.set_packet_loss_perc(i32::from(percent.min(100))).map_err(setup)
    }

    /// How hard to try, 0 to 10.
    pub fn set_complexity(&mut self, level: i32) -> Result<(), OpusError> {
        self.encoder.set_complexity(level.clamp(0, 10)).map_err(setup)
    }

    /// Bits per second, kept within 6000 to 128 000.
    pub fn set_bitrate(&mut self, bits_per_second: i32) -> Result<(), OpusError> {
        self.encoder.set_bitrate(Bitrate::Bits(bits_per_second.clamp(6_000, 128_000))).map_err(setup)
    }
}

/// Voice decoder. After an error its state is still good: conceal the frame and go on.
pub struct OpusDecoder(Decoder);

impl OpusDecoder {
    pub fn new() -> Result<Self, OpusError> {
        Decoder::new(SAMPLE_RATE, Channels::Mono).map(Self).map_err(setup)
    }

    /// Refuses whatever is not one frame of 20 ms; `frame` is then unspecified.
    pub fn decode(&mut self, payload: &[u8], frame: &mut AudioFrame) -> Result<(), OpusError> {
        check(payload)?;
        self.run(payload, frame, false)
    }

    /// The lost frame before `next`, from the copy that `next` carries; concealed if it carries none.
    pub fn decode_fec(&mut self, next: &[u8], frame: &mut AudioFrame) -> Result<(), OpusError> {
        check(next)?;
        self.run(next, frame, true)
    }

    /// Something plausible in place of lost sound: the voice goes on and fades; in a pause, comfort noise. The length must be a
    /// multiple of 2.5 ms.
    pub fn conceal(&mut self, sound: &mut [i16]) -> Result<(), OpusError> {
        self.run(&[], sound, false)
    }

    fn run(&mut self, payload: &[u8], sound: &mut [i16], fec: bool) -> Result<(), OpusError> {
        match self.0.decode(payload, sound, fec) {
            Ok(samples) if samples == sound.len() => Ok(()),
            Ok(samples) => Err(OpusError::Duration(samples)),
            Err(error) => Err(OpusError::Invalid(error.description())),
        }
    }
}

/// Whether a packet carries a copy of the frame before it: the LBRR flag (RFC 6716, 4.2.4), which is coded with even odds right
/// behind the flag of voice activity, so that both are plain bits at the begin of the first frame.
pub(super) fn carries_copy(payload: &[u8]) -> bool {
    let (Some(&contents), Some(&first)) = (payload.first(), payload.get(1)) else { return false };
    // RFC 6716, 3.1: configurations from 16 on are CELT alone, which has no copies; 20 ms are one frame (code 0) of the SILK
    // layer with a pair of flags for each channel.
    let (configuration, stereo, code) = (contents >> 3, contents & 4 != 0, contents & 3);
    let flags = if stereo { 0x50 } else { 0x40 };
    configuration < 16 && code == 0 && first & flags != 0
}

fn check(payload: &[u8]) -> Result<(), OpusError> {
    if payload.is_empty() {
        return Err(OpusError::Empty);
    }
    if payload.len() > MAX_PACKET {
        return Err(OpusError::TooLong(payload.len()));
    }
    match packet::get_nb_samples(payload, SAMPLE_RATE) {
        Ok(FRAME_SAMPLES) => Ok(()),
        Ok(samples) => Err(OpusError::Duration(samples)),
        Err(error) if error.code() == ErrorCode::InvalidPacket => Err(OpusError::Invalid("malformed packet")),
        Err(error) => Err(OpusError::Invalid(error.description())),
    }
}

#[cfg(test)]
mod tests;

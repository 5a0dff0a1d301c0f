//! The peer's voice: packets in, 20 ms of sound out, whatever the network does. Joins the jitter buffer, the decoder and the
//! stretching of time; what is to be made up for long fades away, and what comes after it fades in.

use super::jitter::{HALF_FRAME, JitterBuffer, Next, Pushed};
use super::opus::{self, OpusDecoder, OpusError};
use super::stretch::{self, MAX_LAG, MIN_LAG};
use super::{AudioFrame, FRAME_SAMPLES, SAMPLE_RATE, SILENCE};
use std::time::Duration;

/// Samples played last, kept to lengthen the sound with.
const HISTORY: usize = 2 * MAX_LAG;
/// Made-up sound is as loud as the voice for 60 ms, and silent 140 ms later.
const FULL: usize = SAMPLE_RATE as usize * 60 / 1000;
const FADING: usize = SAMPLE_RATE as usize * 140 / 1000;
/// What comes after it is as loud as it should be after 5 ms.
const FADE_IN: f32 = 1.0 / (SAMPLE_RATE as f32 * 0.005);
/// Least likeness of two neighbouring pieces for a cut between them, and what is taken off it each time that none is found.
const LIKENESS: f64 = 0.9;
const LIKENESS_LEAST: f64 = 0.5;
const LIKENESS_STEP: f64 = 0.05;
/// Pulls between two corrections: when the delay is right but for what already waits; when it is a frame or two off; more; and
/// how many corrections a pull gets when it is hopeless.
const GENTLY: u32 = 12;
const SOON: u32 = 3;
const FAR: i64 = 3 * FRAME_SAMPLES as i64;
const HOPELESS: i64 = 10 * FRAME_SAMPLES as i64;

/// What the receiver needs of a voice codec at 48 kHz, mono, 20 ms a packet.
pub trait VoiceDecoder {
    type Error: std::fmt::Display;

    /// Fills the frame from a packet.
    fn decode(&mut self, payload: &[u8], frame: &mut AudioFrame) -> Result<(), Self::Error>;
    /// Fills it with the lost frame before `carrier`.
    fn decode_copy(&mut self, carrier: &[u8], frame: &mut AudioFrame) -> Result<(), Self::Error>;
    /// 10 or 20 ms of what may have followed; in a pause, of the room's noise.
    fn make_up(&mut self, sound: &mut [i16]) -> Result<(), Self::Error>;
    /// Whether a packet carries a copy of the frame before it.
    fn copies(payload: &[u8]) -> bool;
}

impl VoiceDecoder for OpusDecoder {
    type Error = OpusError;

    fn decode(&mut self, payload: &[u8], frame: &mut AudioFrame) -> Result<(), OpusError> {
        OpusDecoder::decode(self, payload, frame)
    }

    fn decode_copy(&mut self, carrier: &[u8], frame: &mut AudioFrame) -> Result<(), OpusError> {
        self.decode_fec(carrier, frame)
    }

    fn make_up(&mut self, sound: &mut [i16]) -> Result<(), OpusError> {
        self.conceal(sound)
    }

    fn copies(payload: &[u8]) -> bool {
        opus::carries_copy(payload)
    }
}

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

/// Counted since the start; packets, and samples of 48 kHz.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VoiceStatistics {
    /// How long a packet of the fastest kind waits now, and how long it should.
    pub delay: Duration,
    pub target: Duration,
    /// The sender's clock against ours, parts in a million; positive: theirs is slow. Known after half a minute.
    pub drift_ppm: Option<f32>,
    pub received: u64,
    pub late: u64,
    pub duplicates: u64,
    pub rejected: u64,
    /// No valid Opus of 20 ms.
    pub corrupt: u64,
    /// Packets thrown away unheard after an interruption or a flood.
    pub skipped: u64,
    /// Times that the stream began anew.
    pub restarts: u64,
    /// Samples of decoded voice, from copies in later packets, made up, and of pauses.
    pub voice: u64,
    pub recovered: u64,
    pub concealed: u64,
    pub silent: u64,
    /// Samples taken out to shorten the delay, and put in to lengthen it.
    pub removed: u64,
    pub inserted: u64,
}

impl VoiceStatistics {
    /// Share of what should have been the voice that was made up, 0 to 1.
    pub fn concealed_share(&self) -> f32 {
        let all = self.voice + self.recovered + self.concealed;
        if all == 0 { 0.0 } else { self.concealed as f32 / all as f32 }
    }
}

/// See the module's description.
pub struct VoiceReceiver<D = OpusDecoder> {
    jitter: JitterBuffer,
    decoder: D,
    /// What was played last, [`HISTORY`] samples, and behind it what is decoded and not yet played.
    sound: Vec<i16>,
    /// Before the first packet the decoder has nothing to continue.
    begun: bool,
    /// Made up in a row, samples.
    made_up: usize,
    gain: f32,
    since_correction: u32,
    likeness: f64,
    heard: Heard,
    counted: VoiceStatistics,
}

impl VoiceReceiver {
    pub fn new() -> Result<Self, OpusError> {
        Ok(Self::with_decoder(OpusDecoder::new()?))
    }
}

impl<D: VoiceDecoder> VoiceReceiver<D> {
    pub fn with_decoder(decoder: D) -> Self {
        Self {
            jitter: JitterBuffer::new(),
            decoder,
            sound: vec![0; HISTORY],
            begun: false,
            made_up: 0,
            gain: 1.0,
            since_correction: 0,
            likeness: LIKENESS,
            heard: Heard::Silence,
            counted: VoiceStatistics::default(),
        }
    }

    /// Takes the payload of an RTP packet in whatever order they arrive.
    pub fn push(&mut self, sequence: u16, timestamp: u32, payload: Vec<u8>, now: Duration) -> Pushed {
        let copies = D::copies(&payload);
        self.jitter.push(sequence, timestamp, payload, copies, now)
    }

    /// Fills the whole frame, always.
    pub fn pull(&mut self, frame: &mut AudioFrame, now: Duration) -> Heard {
        self.jitter.look(self.waiting(), now);
        self.correct(now);
        self.fill(FRAME_SAMPLES, now);
        frame.copy_from_slice(&self.sound[HISTORY..HISTORY + FRAME_SAMPLES]);
        self.sound.drain(..FRAME_SAMPLES);
        self.heard
    }

    pub fn statistics(&self) -> VoiceStatistics {
        let packets = self.jitter.counted();
        VoiceStatistics {
            delay: self.jitter.delay(),
            target: self.jitter.target(),
            drift_ppm: self.jitter.drift_ppm(),
            received: packets.received,
            late: packets.late,
            duplicates: packets.duplicates,
            rejected: packets.rejected,
            skipped: packets.skipped,
            restarts: packets.restarts,
            ..self.counted
        }
    }

    /// The RTP timestamp of the sample that the next pull begins with, while the peer speaks and is heard.
    pub fn playing(&self) -> Option<u32> {
        // Far less than 2^32 wait.
        self.jitter.playing().filter(|_| self.gain > 0.0).map(|next| next.wrapping_sub(self.waiting() as u32))
    }

    pub fn decoder(&self) -> &D {
        &self.decoder
    }

    fn waiting(&self) -> usize {
        self.sound.len() - HISTORY
    }

    fn fill(&mut self, samples: usize, now: Duration) {
        while self.waiting() < samples {
            let next = self.jitter.next(now);
            self.append(next);
        }
    }

    /// Shortens or lengthens what is about to be played when the delay asks for it and the sound allows it.
    fn correct(&mut self, now: Duration) {
        self.since_correction = self.since_correction.saturating_add(1);
        let excess = self.jitter.excess(self.waiting());
        let patience = match excess {
            excess if excess < 0 => SOON,
            excess if excess < FRAME_SAMPLES as i64 => GENTLY,
            excess if excess < FAR => SOON,
            _ => 1,
        };
        if excess.unsigned_abs() < MIN_LAG as u64 || self.since_correction < patience {
            return;
        }
        let done = if excess < 0 { self.lengthen(excess.unsigned_abs() as usize, now) } else { self.shorten(excess, now) };
        if done {
            self.since_correction = 0;
            self.likeness = LIKENESS;
        } else {
            self.likeness = (self.likeness - LIKENESS_STEP).max(LIKENESS_LEAST);
        }
    }

    fn lengthen(&mut self, missing: usize, now: Duration) -> bool {
        self.fill(FRAME_SAMPLES, now);
        // Whole pieces only: less than the shortest is done when it has added up.
        let most = missing.max(MIN_LAG);
        let put_in = stretch::lengthen(&mut self.sound, HISTORY, most, self.likeness);
        self.jitter.stretched(put_in as i64);
        self.counted.inserted += put_in as u64;
        put_in > 0
    }

    fn shorten(&mut self, excess: i64, now: Duration) -> bool {
        let mut left = excess as usize;
        for _ in 0..if excess >= HOPELESS { 2 } else { 1 } {
            // Twice the longest piece must be there to cut it.
            while self.waiting() < 2 * MAX_LAG && self.jitter.ready() {
                let next = self.jitter.next(now);
                self.append(next);
            }
            let taken = stretch::shorten(&mut self.sound, HISTORY, left, self.likeness);
            self.jitter.stretched(-(taken as i64));
            self.counted.removed += taken as u64;
            left -= taken;
            if taken == 0 {
                break;
            }
        }
        left < excess as usize
    }

    fn append(&mut self, next: Next) {
        let mut frame = SILENCE;
        match next {
            Next::Payload(payload) => match self.decoder.decode(&payload, &mut frame) {
                Ok(()) => {
                    self.begun = true;
                    self.real(&frame, Heard::Voice);
                }
                Err(error) => {
                    self.counted.corrupt += 1;
                    tracing::debug!(%error, "a voice packet cannot be decoded");
                    self.make_up(&mut frame);
                }
            },
            Next::Copy { carrier } => match self.decoder.decode_copy(&carrier, &mut frame) {
                Ok(()) => self.real(&frame, Heard::Recovered),
                Err(_) => self.make_up(&mut frame),
            },
            Next::Lost => self.make_up(&mut frame),
            Next::Late => self.make_up(&mut frame[..HALF_FRAME]),
            Next::Pause => {
                if !self.begun || self.decoder.make_up(&mut frame).is_err() {
                    frame = SILENCE;
                }
                self.real(&frame, Heard::Silence);
            }
            Next::Nothing => {
                self.gain = 0.0;
                self.real(&SILENCE, Heard::Silence);
                self.gain = 0.0;
            }
        }
    }

    fn real(&mut self, frame: &AudioFrame, heard: Heard) {
        self.heard = heard;
        self.made_up = 0;
        let count = match heard {
            Heard::Voice => &mut self.counted.voice,
            Heard::Recovered => &mut self.counted.recovered,
            Heard::Concealed => &mut self.counted.concealed,
            Heard::Silence => &mut self.counted.silent,
        };
        *count += frame.len() as u64;
        let gain = &mut self.gain;
        self.sound.extend(frame.iter().map(|&sample| {
            *gain = (*gain + FADE_IN).min(1.0);
            (f32::from(sample) * *gain) as i16
        }));
    }

    /// The decoder's own guess, which by itself would go on for too long.
    fn make_up(&mut self, sound: &mut [i16]) {
        self.heard = Heard::Concealed;
        self.counted.concealed += sound.len() as u64;
        if !self.begun || self.decoder.make_up(sound).is_err() {
            sound.fill(0);
        }
        for sample in &mut *sound {
            self.made_up += 1;
            if self.made_up > FULL {
                self.gain = (self.gain - 1.0 / FADING as f32).max(0.0);
            }
            *sample = (f32::from(*sample) * self.gain) as i16;
        }
        self.sound.extend_from_slice(sound);
    }
}

//! An emulated network for voice packets in virtual time, and a codec that makes a tone of known phase.

use std::f64::consts::TAU;
use std::time::Duration;
use visavis_media::audio::{
    AudioFrame, FRAME_SAMPLES, Heard, SAMPLE_RATE, SILENCE, VoiceDecoder, VoiceReceiver, VoiceStatistics,
};

/// xorshift64*: enough for disorder.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[derive(Clone, Copy, Default)]
pub struct Network {
    pub loss: f64,
    /// Losses come in bursts of this mean length; 0 and 1: each by itself.
    pub burst: f64,
    /// Evenly spread from 0.
    pub jitter_ms: f64,
    pub duplicates: f64,
    /// Nothing passes from the first to the second second; what was sent meanwhile comes at once.
    pub outage: Option<(f64, f64)>,
    /// The sender's clock runs this much slower than ours.
    pub drift_ppm: f64,
    /// Each packet is sent again together with the one so many later; 0: not.
    pub again_after: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival {
    pub at_us: u64,
    pub index: u64,
}

/// When which packet arrives. The base delay is 50 ms. Gilbert's model of losses.
pub fn arrivals(network: Network, packets: u64, seed: u64) -> Vec<Arrival> {
    let mut dice = Dice(seed);
    let mut arrivals = Vec::new();
    let mut losing = false;
    for index in 0..packets {
        let sent = index as f64 * 0.020 * (1.0 + network.drift_ppm / 1e6);
        let mut arrive = |index: u64, dice: &mut Dice| {
            let mut at = sent + 0.050 + dice.roll() * network.jitter_ms / 1000.0;
            if let Some((from, to)) = network.outage
                && (from..to).contains(&at)
            {
                at = to;
            }
            arrivals.push(Arrival { at_us: (at * 1e6) as u64, index });
        };
        let mut lost = |dice: &mut Dice| {
            if network.burst <= 1.0 {
                return dice.roll() < network.loss;
            }
            let stay = 1.0 - 1.0 / network.burst;
            let enter = network.loss / (1.0 - network.loss) / network.burst;
            losing = dice.roll() < if losing { stay } else { enter };
            losing
        };
        if !lost(&mut dice) {
            arrive(index, &mut dice);
        }
        if dice.roll() < network.duplicates {
            arrive(index, &mut dice);
        }
        if network.again_after > 0 && index >= network.again_after && !lost(&mut dice) {
            arrive(index - network.again_after, &mut dice);
        }
    }
    arrivals.sort_by_key(|arrival| arrival.at_us);
    arrivals
}

pub const TONE_HZ: f64 = 330.0;

/// A packet is its number and whether it carries a copy of the one before.
pub struct ToneDecoder {
    /// Of the next sample, should it be made up.
    phase: f64,
    /// Numbers decoded, in order.
    pub played: Vec<u64>,
}

impl ToneDecoder {
    pub fn new() -> Self {
        Self { phase: 0.0, played: Vec::new() }
    }

    pub fn packet(index: u64, copies: bool) -> Vec<u8> {
        [b"voice".as_slice(), &index.to_be_bytes(), &[u8::from(copies)]].concat()
    }

    fn tone(&mut self, sound: &mut [i16]) {
        for sample in sound {
            *sample = (8000.0 * self.phase.sin()) as i16;
            self.phase = (self.phase + TAU * TONE_HZ / f64::from(SAMPLE_RATE)) % TAU;
        }
    }

    fn begin(&mut self, index: u64) {
        self.phase = TAU * TONE_HZ * index.wrapping_mul(FRAME_SAMPLES as u64) as f64 / f64::from(SAMPLE_RATE) % TAU;
    }
}

impl VoiceDecoder for ToneDecoder {
    type Error = &'static str;

    fn decode(&mut self, payload: &[u8], frame: &mut AudioFrame) -> Result<(), &'static str> {
        let index =
            payload.get(5..13).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes).ok_or("no packet of ours")?;
        self.played.push(index);
        self.begin(index);
        self.tone(frame);
        Ok(())
    }

    fn decode_copy(&mut self, carrier: &[u8], frame: &mut AudioFrame) -> Result<(), &'static str> {
        let index =
            carrier.get(5..13).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes).ok_or("no packet of ours")?;
        self.begin(index.wrapping_sub(1));
        self.tone(frame);
        Ok(())
    }

    fn make_up(&mut self, sound: &mut [i16]) -> Result<(), &'static str> {
        self.tone(sound);
        Ok(())
    }

    fn copies(payload: &[u8]) -> bool {
        payload.get(13) == Some(&1)
    }
}

const FIRST_SEQUENCE: u16 = 65_500;
const FIRST_TIMESTAMP: u32 = u32::MAX - 20_000;

/// A stream over a network, pulled every 20 ms.
pub struct Run {
    pub heard: Vec<Heard>,
    /// After each pull.
    pub statistics: Vec<VoiceStatistics>,
    pub sound: Vec<i16>,
    pub played: Vec<u64>,
}

impl Run {
    /// Numbers and time stamps wrap around early in every run.
    pub fn new(network: Network, packets: u64, seed: u64) -> Self {
        let mut receiver = VoiceReceiver::with_decoder(ToneDecoder::new());
        let mut run = Run { heard: Vec::new(), statistics: Vec::new(), sound: Vec::new(), played: Vec::new() };
        let packet = |index| ToneDecoder::packet(index, true);
        drive(&mut receiver, network, packets, seed, packet, |receiver, frame, heard| {
            run.heard.push(heard);
            run.statistics.push(receiver.statistics());
            if run.sound.len() < 60 * SAMPLE_RATE as usize {
                run.sound.extend_from_slice(frame);
            }
        });
        run.played = receiver.decoder().played.clone();
        run
    }

    pub fn last(&self) -> VoiceStatistics {
        *self.statistics.last().unwrap()
    }

    /// Share of the voice that was made up, from `second` on.
    pub fn concealed_share(&self, second: usize) -> f64 {
        let (from, to) = (self.statistics[second * 50], self.last());
        let made_up = to.concealed - from.concealed;
        made_up as f64 / (made_up + to.voice - from.voice + to.recovered - from.recovered) as f64
    }

    pub fn mean_delay_ms(&self, second: usize) -> f64 {
        let statistics = &self.statistics[second * 50..];
        statistics.iter().map(|statistics| statistics.delay.as_secs_f64() * 1000.0).sum::<f64>() / statistics.len() as f64
    }
}

/// Runs `receiver` on a network; `pulled` gets each frame.
pub fn drive<D: VoiceDecoder>(
    receiver: &mut VoiceReceiver<D>,
    network: Network,
    packets: u64,
    seed: u64,
    packet: impl Fn(u64) -> Vec<u8>,
    mut pulled: impl FnMut(&VoiceReceiver<D>, &AudioFrame, Heard),
) {
    // A sender with a fast clock has more to send in the same time.
    let sent = packets + (packets as f64 * -network.drift_ppm / 1e6).max(0.0).ceil() as u64;
    let mut arriving = arrivals(network, sent, seed).into_iter().peekable();
    for pull in 0..packets {
        let now_us = pull * 20_000 + 57_000;
        while let Some(arrival) = arriving.next_if(|arrival| arrival.at_us <= now_us) {
            let sequence = FIRST_SEQUENCE.wrapping_add(arrival.index as u16);
            let timestamp = FIRST_TIMESTAMP.wrapping_add(arrival.index as u32 * 960);
            receiver.push(sequence, timestamp, packet(arrival.index), Duration::from_micros(arrival.at_us));
        }
        let mut frame = SILENCE;
        let heard = receiver.pull(&mut frame, Duration::from_micros(now_us));
        pulled(receiver, &frame, heard);
    }
}

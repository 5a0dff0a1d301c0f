//! Puts voice packets back in order and in time: what came early waits, what is missing is made good, and the wait is as short
//! as the network allows.
//!
//! A pure state machine. Two calls drive it: `push` for every packet that arrives and `pull` every 20 ms; both are given the
//! time. A cursor in media time (RTP timestamps) says which frame is next. Its distance from the network is the delay:
//! - while nothing is there the cursor stands still, so that an interruption makes the delay grow and loses nothing;
//! - a frame merged with its successor makes it shrink; a frame of concealment put in makes it grow;
//! - in a pause of the speaker (discontinuous transmission) it moves freely, nobody hears it.
//!
//! Decoding is left to [`VoiceReceiver`](super::VoiceReceiver); stretching time within a frame to nobody yet.

mod arrival;

use super::opus::DTX_PACKET;
use super::{FRAME_SAMPLES, FRAME_TIME};
use arrival::Arrivals;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

const FRAME: i64 = FRAME_SAMPLES as i64;
/// Two seconds. More than that is a flood or a stream that nobody pulls.
const MAX_PACKETS: usize = 100;
const MAX_PAYLOAD: usize = 1500;
/// A timestamp further than 10 s from the newest belongs to a stream that began anew.
const MAX_JUMP: i64 = 480_000;
/// Packets remembered for telling a duplicate from a late one.
const REMEMBERED: usize = 256;
/// The least delay to begin with, before anything is known of the network.
const START_DELAY: Duration = Duration::from_millis(40);
/// Frames concealed in a row before the stream counts as interrupted: half a second.
const STALLED: i64 = 25;
/// Milliseconds that the delay may be under or over its target. Together more than a frame, else it would swing.
const UNDER_MS: f32 = 8.0;
const OVER_MS: f32 = 25.0;
/// From here the delay shrinks fast.
const FAR_OVER_MS: f32 = 80.0;
/// From here frames are skipped outright.
const HOPELESS_MS: f32 = 250.0;
/// Pulls between two corrections: 240 ms, an alteration of pace that is hardly heard; 80 ms when fast.
const SLOWLY: u32 = 12;
const FAST: u32 = 4;

/// Weight of the past in the share of lost packets: half is forgotten in 2.8 s.
const LOSS_MEMORY: f32 = 0.995;
/// From the first share on, the delay is a frame longer, so that a lost packet's successor is there with its copy when the loss
/// is to be made good; below the second share no more.
const LOSSY: f32 = 0.02;
const LOSS_FREE: f32 = 0.005;

/// What to play in the next 20 ms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pull {
    /// Decode this.
    Payload(Vec<u8>),
    /// Decode both and fade from one to the other: the delay shrinks by a frame.
    Merge { first: Vec<u8>, second: Vec<u8> },
    /// The frame is lost; its successor, which will be pulled next, may carry a copy of it.
    Fec { next: Vec<u8> },
    /// The frame is lost or late; something like the sound before it.
    Conceal,
    /// Nobody speaks, or nothing has come yet.
    Silence,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    Accepted,
    Duplicate,
    /// Its turn is over.
    Late,
    /// Empty or too long.
    Rejected,
}

/// Counted since the start, in packets or frames of 20 ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitterStatistics {
    /// How long a packet of average speed waits now, and how long it should.
    pub delay: Duration,
    pub target: Duration,
    pub received: u64,
    pub played: u64,
    /// Made up, because the frame was lost or late or the delay had to grow.
    pub concealed: u64,
    /// Lost, but given back by the next packet (if it carried a copy).
    pub recovered: u64,
    pub late: u64,
    pub duplicates: u64,
    pub rejected: u64,
    /// Merged with a neighbour to shorten the delay.
    pub merged: u64,
    /// Thrown away unheard after an interruption or a flood.
    pub skipped: u64,
    /// Times that the stream began anew: interrupted, or with other timestamps.
    pub restarts: u64,
}

struct Packet {
    sequence: u16,
    payload: Vec<u8>,
    arrived: Duration,
    /// Later than the fastest by so much.
    late: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Collecting enough to begin with.
    Filling,
    Playing,
    /// The speaker pauses and has said so.
    Resting,
}

/// See the module's description. RTP timestamps run at 48 kHz; a packet holds 20 ms.
pub struct JitterBuffer {
    /// By media time without wrap-around.
    packets: BTreeMap<i64, Packet>,
    newest: Option<i64>,
    seen: VecDeque<u16>,
    arrivals: Arrivals,
    phase: Phase,
    cursor: i64,
    /// Frames played in place of something since the cursor last moved.
    held: i64,
    last_sequence: u16,
    delay_ms: f32,
    lost_share: f32,
    lossy: bool,
    since_correction: u32,
    counted: JitterStatistics,
}

impl Default for JitterBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl JitterBuffer {
    pub fn new() -> Self {
        Self {
            packets: BTreeMap::new(),
            newest: None,
            seen: VecDeque::with_capacity(REMEMBERED),
            arrivals: Arrivals::new(),
            phase: Phase::Filling,
            cursor: 0,
            held: 0,
            last_sequence: 0,
            delay_ms: 0.0,
            lost_share: 0.0,
            lossy: false,
            since_correction: 0,
            counted: JitterStatistics::default(),
        }
    }

    pub fn statistics(&self) -> JitterStatistics {
        let delay = Duration::from_micros((self.delay_ms.max(0.0) * 1000.0) as u64);
        JitterStatistics { delay, target: self.target(), ..self.counted }
    }

    pub fn push(&mut self, sequence: u16, timestamp: u32, payload: Vec<u8>, now: Duration) -> Pushed {
        self.counted.received += 1;
        if payload.is_empty() || payload.len() > MAX_PAYLOAD {
            self.counted.rejected += 1;
            return Pushed::Rejected;
        }
        let time = self.media_time(timestamp);
        if self.seen.contains(&sequence) || self.packets.contains_key(&time) {
            self.counted.duplicates += 1;
            return Pushed::Duplicate;
        }
        if self.seen.len() >= REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back(sequence);
        // Late packets count too: it is they who say that the delay is too short.
        let late = self.arrivals.record(time, now);
        if self.phase != Phase::Filling && time < self.cursor - FRAME / 2 {
            self.counted.late += 1;
            return Pushed::Late;
        }
        self.newest = Some(self.newest.map_or(time, |newest| newest.max(time)));
        self.packets.insert(time, Packet { sequence, payload, arrived: now, late });
        if self.packets.len() > MAX_PACKETS {
            self.skip_first();
        }
        Pushed::Accepted
    }

    /// The next 20 ms.
    pub fn pull(&mut self, now: Duration) -> Pull {
        self.since_correction = self.since_correction.saturating_add(1);
        if self.phase == Phase::Filling && !self.begin(now) {
            return Pull::Silence;
        }
        let Some((&time, packet)) = self.packets.first_key_value() else { return self.starved() };
        let contiguous = packet.sequence == self.last_sequence.wrapping_add(1);
        if self.phase == Phase::Playing {
            // What was made up while nothing came stands for what is missing now.
            let made_up = self.held.min(self.frames_until(time)).max(0);
            self.cursor += made_up * FRAME;
            (0..made_up).for_each(|_| self.count_loss(true));
            self.held = 0;
            if contiguous && self.frames_until(time) > 0 {
                // Nothing is missing by number: a pause whose announcement was not sent.
                self.phase = Phase::Resting;
            }
        }
        if self.phase == Phase::Resting {
            return self.resume(time, now);
        }
        match self.frames_until(time) {
            ..=0 => self.play(now),
            1 => {
                let next = packet_payload(&self.packets, time);
                self.cursor += FRAME;
                self.count_loss(true);
                self.counted.recovered += 1;
                Pull::Fec { next }
            }
            _ => {
                self.cursor += FRAME;
                self.count_loss(true);
                self.conceal()
            }
        }
    }

    /// Unwraps, relative to the newest packet; begins anew where the timestamp cannot belong to the same stream.
    fn media_time(&mut self, timestamp: u32) -> i64 {
        let Some(newest) = self.newest else { return i64::from(timestamp) };
        // Truncation is meant: the low 32 bits are the timestamp.
        let ahead = i64::from(timestamp.wrapping_sub(newest as u32) as i32);
        if ahead.abs() <= MAX_JUMP {
            return newest + ahead;
        }
        self.counted.skipped += self.packets.len() as u64;
        self.packets.clear();
        self.seen.clear();
        self.arrivals.rebase();
        self.newest = None;
        self.restart();
        i64::from(timestamp)
    }

    fn restart(&mut self) {
        self.phase = Phase::Filling;
        self.held = 0;
        self.counted.restarts += 1;
    }

    /// Rounded; negative if its turn is over.
    fn frames_until(&self, time: i64) -> i64 {
        (time - self.cursor + FRAME / 2).div_euclid(FRAME)
    }

    /// Begins to play once enough waits; after an interruption a backlog is thrown away.
    fn begin(&mut self, now: Duration) -> bool {
        let enough = self.target().max(START_DELAY);
        let frames = enough.as_millis().div_ceil(FRAME_TIME.as_millis()) as usize;
        let Some(first) = self.packets.values().next() else { return false };
        if self.packets.len() < frames && now.saturating_sub(first.arrived) < enough {
            return false;
        }
        while self.packets.len() > frames + 2 {
            self.skip_first();
        }
        let Some((&time, packet)) = self.packets.first_key_value() else { return false };
        self.cursor = time;
        self.delay_ms = delay_ms(packet, now);
        self.phase = Phase::Playing;
        self.since_correction = 0;
        true
    }

    /// Nothing is there. The cursor waits for what comes.
    fn starved(&mut self) -> Pull {
        self.held += 1;
        if self.phase == Phase::Resting {
            return Pull::Silence;
        }
        if self.held > STALLED {
            self.restart();
            return Pull::Silence;
        }
        self.conceal()
    }

    /// The first packet after a pause: played in its time, or sooner or later by what the delay is off.
    fn resume(&mut self, time: i64, now: Duration) -> Pull {
        let over = self.delay_ms - self.target_ms();
        let fits = (-UNDER_MS..=OVER_MS).contains(&over);
        let correction = if fits { 0 } else { (over / 20.0).round().clamp(-10.0, 10.0) as i64 };
        let wait = self.frames_until(time) - self.held;
        // A packet that waits already longer than it should is not held back, whatever was measured before the pause.
        let waited = self.packets.get(&time).map_or(0.0, |packet| delay_ms(packet, now));
        if wait > correction && waited < self.target_ms() + FAR_OVER_MS {
            self.held += 1;
            return Pull::Silence;
        }
        if let Some(packet) = self.packets.get(&time) {
            self.delay_ms = delay_ms(packet, now);
        }
        self.since_correction = 0;
        self.take(time)
    }

    /// The frame at the cursor, unless the delay asks for a correction.
    fn play(&mut self, now: Duration) -> Pull {
        let Some((&time, packet)) = self.packets.first_key_value() else { return self.starved() };
        let measured = delay_ms(packet, now);
        self.delay_ms += (measured - self.delay_ms) / 8.0;
        if measured - self.target_ms() > HOPELESS_MS && self.packets.len() > 2 {
            self.delay_ms = measured - 20.0;
            self.skip_first();
            return self.play(now);
        }
        let over = self.delay_ms - self.target_ms();
        if over < -UNDER_MS && self.since_correction >= SLOWLY {
            self.corrected(20.0);
            return self.conceal();
        }
        let patience = if over > FAR_OVER_MS { FAST } else { SLOWLY };
        let successor = self.packets.keys().nth(1).copied().filter(|next| (next - time - FRAME).abs() < FRAME / 2);
        if over > OVER_MS
            && self.since_correction >= patience
            && let Some(successor) = successor
        {
            self.corrected(-20.0);
            self.counted.merged += 1;
            let (Pull::Payload(first), Pull::Payload(second)) = (self.take(time), self.take(successor)) else {
                return self.conceal();
            };
            return Pull::Merge { first, second };
        }
        self.take(time)
    }

    fn corrected(&mut self, by_ms: f32) {
        self.delay_ms += by_ms;
        self.since_correction = 0;
    }

    fn target(&self) -> Duration {
        self.arrivals.target() + if self.lossy { FRAME_TIME } else { Duration::ZERO }
    }

    fn target_ms(&self) -> f32 {
        self.target().as_secs_f32() * 1000.0
    }

    fn count_loss(&mut self, lost: bool) {
        self.lost_share = self.lost_share * LOSS_MEMORY + if lost { 1.0 - LOSS_MEMORY } else { 0.0 };
        self.lossy = self.lost_share > if self.lossy { LOSS_FREE } else { LOSSY };
    }

    fn take(&mut self, time: i64) -> Pull {
        let Some(packet) = self.packets.remove(&time) else { return self.conceal() };
        self.cursor = time + FRAME;
        self.held = 0;
        self.last_sequence = packet.sequence;
        self.phase = if packet.payload.len() <= DTX_PACKET { Phase::Resting } else { Phase::Playing };
        self.counted.played += 1;
        self.count_loss(false);
        Pull::Payload(packet.payload)
    }

    fn conceal(&mut self) -> Pull {
        self.counted.concealed += 1;
        Pull::Conceal
    }

    fn skip_first(&mut self) {
        if self.packets.pop_first().is_some() {
            self.counted.skipped += 1;
        }
        if let Some((&time, packet)) = self.packets.first_key_value() {
            self.cursor = self.cursor.max(time);
            self.last_sequence = packet.sequence.wrapping_sub(1);
            self.held = 0;
        }
    }
}

fn packet_payload(packets: &BTreeMap<i64, Packet>, time: i64) -> Vec<u8> {
    packets.get(&time).map(|packet| packet.payload.clone()).unwrap_or_default()
}

/// How long the fastest packet would have waited in this one's place.
fn delay_ms(packet: &Packet, now: Duration) -> f32 {
    (now.saturating_sub(packet.arrived) + packet.late).as_secs_f32() * 1000.0
}

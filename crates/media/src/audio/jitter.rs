//! Puts voice packets back in order and in time: what came early waits, what is missing is made good, and the wait is as short
//! as the network allows.
//!
//! A pure state machine. `push` is called for every packet that arrives, `next` whenever the player needs another piece of
//! sound; both are given the time. A cursor in media time (RTP timestamps) says which frame is next. Its *delay* is how long
//! the fastest packet would have waited by the time it is needed, and the delay that nearly all packets keep within is the
//! target ([`arrival`]).
//! - While nothing is there the cursor stands still, so that an interruption makes the delay grow and loses nothing.
//! - [`excess`](JitterBuffer::excess) says by how much the player should shorten or lengthen the sound.
//! - In a pause of the speaker (discontinuous transmission) the cursor moves freely, nobody hears it.
//!
//! Decoding, stretching and fading are left to [`VoiceReceiver`](super::VoiceReceiver).

mod arrival;

use super::opus::DTX_PACKET;
use super::{FRAME_SAMPLES, SAMPLE_RATE};
use arrival::Arrivals;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

const FRAME: i64 = FRAME_SAMPLES as i64;
/// Made up at a time while nothing is there: 10 ms.
pub(super) const HALF_FRAME: usize = FRAME_SAMPLES / 2;
/// Two seconds. More than that is a flood or a stream that nobody pulls.
const MAX_PACKETS: usize = 100;
const MAX_PAYLOAD: usize = 1500;
/// A timestamp further than 10 s from the newest belongs to a stream that began anew.
const MAX_JUMP: i64 = 480_000;
/// Packets remembered for telling a duplicate from a late one.
const REMEMBERED: usize = 256;
/// The least delay to begin with, before anything is known of the network.
const START_DELAY: i64 = 40_000;
/// Made up in a row before the stream counts as interrupted: half a second.
const STALLED: i64 = SAMPLE_RATE as i64 / 2;
/// Microseconds that the delay may be under or over its target before the player is asked to stretch. The device's pulls and
/// the packets come in steps of 20 ms, so a delay within a frame above the target is as good as it gets.
const UNDER: i64 = 1_000;
const OVER: i64 = 5_000;
/// After an interruption, what waits longer than the target by this is thrown away unheard.
const STALE: i64 = 60_000;
/// Pulls of which the one with the least delay counts: devices do not pull evenly.
const WINDOW: usize = 10;

/// What to play next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Decode this: 20 ms.
    Payload(Vec<u8>),
    /// 20 ms are lost; their successor, which comes next, carries a copy of them.
    Copy { carrier: Vec<u8> },
    /// 20 ms are lost or too late; something like the sound before.
    Lost,
    /// Nothing is there yet; 10 ms of something like the sound before.
    Late,
    /// Nobody speaks: 20 ms of the room's noise.
    Pause,
    /// Nothing has come yet, or nothing for so long that the stream is interrupted: 20 ms of silence.
    Nothing,
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

/// In packets, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub received: u64,
    pub played: u64,
    pub late: u64,
    pub duplicates: u64,
    pub rejected: u64,
    /// Thrown away unheard after an interruption or a flood.
    pub skipped: u64,
    /// Times that the stream began anew: interrupted, or with other timestamps.
    pub restarts: u64,
}

struct Packet {
    sequence: u16,
    payload: Vec<u8>,
    /// Carries a copy of the frame before.
    copies: bool,
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
pub(super) struct JitterBuffer {
    /// By media time without wrap-around.
    packets: BTreeMap<i64, Packet>,
    newest: Option<i64>,
    seen: VecDeque<u16>,
    arrivals: Arrivals,
    phase: Phase,
    cursor: i64,
    /// Samples made up while the cursor stood still.
    held: i64,
    last_sequence: u16,
    /// Delay of what was about to be played at each of the last pulls, microseconds, had the cursor stood then as it does now.
    delays: VecDeque<i64>,
    counted: Counted,
}

impl JitterBuffer {
    pub(super) fn new() -> Self {
        Self {
            packets: BTreeMap::new(),
            newest: None,
            seen: VecDeque::with_capacity(REMEMBERED),
            arrivals: Arrivals::new(),
            phase: Phase::Filling,
            cursor: 0,
            held: 0,
            last_sequence: 0,
            delays: VecDeque::with_capacity(WINDOW),
            counted: Counted::default(),
        }
    }

    pub(super) fn counted(&self) -> Counted {
        self.counted
    }

    pub(super) fn target(&self) -> Duration {
        self.arrivals.target()
    }

    /// How long a packet of the fastest kind waits until it is played.
    pub(super) fn delay(&self) -> Duration {
        Duration::from_micros(self.delays.iter().min().copied().unwrap_or(0).max(0) as u64)
    }

    pub(super) fn drift_ppm(&self) -> Option<f32> {
        self.arrivals.drift_ppm()
    }

    /// The RTP timestamp of what `next` gives next, while the voice plays.
    pub(super) fn playing(&self) -> Option<u32> {
        // Truncation is meant: the low 32 bits are the timestamp.
        (self.phase == Phase::Playing).then_some(self.cursor as u32)
    }

    /// `copies`: the payload also carries the frame before it.
    pub(super) fn push(&mut self, sequence: u16, timestamp: u32, payload: Vec<u8>, copies: bool, now: Duration) -> Pushed {
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
        // Late packets count too: it is they who say that the delay is too short.
        let replaces = copies && !self.seen.is_empty() && !self.seen.contains(&sequence.wrapping_sub(1));
        self.arrivals.record(time, now, replaces);
        if self.seen.len() >= REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back(sequence);
        if self.phase != Phase::Filling && time < self.cursor - FRAME / 2 {
            self.counted.late += 1;
            return Pushed::Late;
        }
        self.newest = Some(self.newest.map_or(time, |newest| newest.max(time)));
        self.packets.insert(time, Packet { sequence, payload, copies });
        if self.packets.len() > MAX_PACKETS {
            self.skip_first();
        }
        Pushed::Accepted
    }

    /// To be called once for each pull of the player, before `next`, with the samples decoded and not yet played.
    pub(super) fn look(&mut self, waiting: usize, now: Duration) {
        if self.phase != Phase::Playing {
            self.delays.clear();
            return;
        }
        let Some(delay) = self.arrivals.waited(self.cursor, now) else { return };
        if self.delays.len() == WINDOW {
            self.delays.pop_front();
        }
        self.delays.push_back(delay + to_micros(waiting as i64));
    }

    /// The player has put in (or, negative, taken out) so many samples.
    pub(super) fn stretched(&mut self, samples: i64) {
        for delay in &mut self.delays {
            *delay += to_micros(samples);
        }
    }

    /// Samples that are waiting too many (positive) or too few (negative), with `waiting` of them decoded and not yet played.
    pub(super) fn excess(&self, waiting: usize) -> i64 {
        let Some(least) = self.delays.iter().min() else { return 0 };
        // A packet is needed before what waits is played.
        let over = least - to_micros(waiting as i64) - self.target_micros();
        if over < -UNDER {
            // As many as make a pull that needs no packet.
            return waiting as i64 - FRAME;
        }
        waiting as i64 + FRAME * ((over - OVER).max(0) / 20_000)
    }

    /// Whether `next` would give a frame of the voice.
    pub(super) fn ready(&self) -> bool {
        let first = self.packets.first_key_value();
        self.phase == Phase::Playing && first.is_some_and(|(&time, _)| time < self.cursor + FRAME / 2)
    }

    /// The next piece of sound.
    pub(super) fn next(&mut self, now: Duration) -> Next {
        if self.phase == Phase::Filling && !self.begin(now) {
            return Next::Nothing;
        }
        if self.phase == Phase::Resting {
            return self.rest(now);
        }
        let first = self.packets.first_key_value().map(|(&time, packet)| (time, packet.sequence, packet.copies));
        let Some((time, sequence, copies)) = first else { return self.starved() };
        // What was made up while nothing came stands for what is missing now.
        let made_up = self.held.min(time - self.cursor).max(0);
        self.cursor += made_up;
        self.stretched(-made_up);
        self.held = 0;
        let missing = (time - self.cursor + FRAME / 2).div_euclid(FRAME);
        if missing > 0 && sequence == self.last_sequence.wrapping_add(1) {
            // Nothing is missing by number: a pause whose announcement was not sent.
            self.phase = Phase::Resting;
            return self.rest(now);
        }
        match missing {
            ..=0 => self.take(time),
            1 if copies => {
                let carrier = self.packets.get(&time).map(|packet| packet.payload.clone()).unwrap_or_default();
                self.cursor += FRAME;
                Next::Copy { carrier }
            }
            _ => {
                self.cursor += FRAME;
                Next::Lost
            }
        }
    }

    fn target_micros(&self) -> i64 {
        self.target().as_micros() as i64
    }

    fn waited(&self, time: i64, now: Duration) -> i64 {
        self.arrivals.waited(time, now).unwrap_or(0)
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
        self.delays.clear();
        self.counted.restarts += 1;
    }

    /// Begins to play once the first packet has waited enough; after an interruption a backlog is thrown away.
    fn begin(&mut self, now: Duration) -> bool {
        let enough = self.target_micros().max(START_DELAY);
        loop {
            let Some(&first) = self.packets.keys().next() else { return false };
            let waited = self.waited(first, now);
            if waited < enough {
                return false;
            }
            if waited < enough + STALE || self.packets.len() == 1 {
                self.start_at(first);
                return true;
            }
            self.skip_first();
        }
    }

    fn start_at(&mut self, time: i64) {
        self.cursor = time;
        self.held = 0;
        self.phase = Phase::Playing;
        self.delays.clear();
    }

    /// The first packet after a pause is played when it has waited as long as it should.
    fn rest(&mut self, now: Duration) -> Next {
        let Some(&first) = self.packets.keys().next() else { return Next::Pause };
        if self.waited(first, now) < self.target_micros() - UNDER {
            return Next::Pause;
        }
        self.start_at(first);
        self.take(first)
    }

    /// Nothing is there. The cursor waits for what comes.
    fn starved(&mut self) -> Next {
        if self.held >= STALLED {
            self.restart();
            return Next::Nothing;
        }
        self.held += HALF_FRAME as i64;
        self.stretched(HALF_FRAME as i64);
        Next::Late
    }

    fn take(&mut self, time: i64) -> Next {
        let Some(packet) = self.packets.remove(&time) else { return Next::Lost };
        self.stretched(self.cursor - time);
        self.cursor = time + FRAME;
        self.held = 0;
        self.last_sequence = packet.sequence;
        if packet.payload.len() <= DTX_PACKET {
            self.phase = Phase::Resting;
            self.delays.clear();
        }
        self.counted.played += 1;
        Next::Payload(packet.payload)
    }

    fn skip_first(&mut self) {
        if self.packets.pop_first().is_some() {
            self.counted.skipped += 1;
        }
        if let Some((&time, sequence)) = self.packets.first_key_value().map(|(time, packet)| (time, packet.sequence)) {
            let ahead = (time - self.cursor).max(0);
            self.cursor += ahead;
            self.last_sequence = sequence.wrapping_sub(1);
            self.stretched(-ahead);
            self.held = 0;
        }
    }
}

fn to_micros(samples: i64) -> i64 {
    samples * 1_000 / i64::from(SAMPLE_RATE / 1_000)
}

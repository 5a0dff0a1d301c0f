//! Packets of the peer's video to whole pictures: a state machine without a clock.
//!
//! It gives a picture out only when every packet of it is here and every picture it builds upon was given out before it: packets
//! are counted without a gap from one picture to the next, and only a key frame may begin after a gap. The packets of a gap are
//! asked for again ([`Repair`]) as long as that is quicker than a key frame; then a key frame is asked for. Whichever comes
//! first ends the wait.

use super::repair::{Repair, RepairCounts};
use crate::video::describe;
use bytes::Bytes;
use rtc::rtp;
use std::collections::BTreeMap;
use std::time::Duration;
use visavis_media::codec::Codec;

/// Packets held at most; a key frame of 720p has about 150.
const PACKETS: usize = 1024;
/// Bytes of one picture at most.
const PICTURE_BYTES: usize = 1 << 20;
/// Before the first picture nothing is worth waiting for: what came before the library had opened the stream is lost for good.
const FIRST_PATIENCE: Duration = Duration::from_millis(40);
/// A key frame is asked for when so many requests of a packet should have been answered. A key frame takes one round trip at
/// least, and on a path that loses repairs it loses parts of a key frame too.
const ROUNDS_WAITED: u32 = 3;
const PATIENCE: Duration = Duration::from_millis(130);
const PATIENCE_LIMIT: Duration = Duration::from_millis(500);
/// At most one request for a key frame in this time.
const ASK_INTERVAL: Duration = Duration::from_millis(300);
/// More missing packets than this, or than one and a half key frames have, are dearer than a key frame.
const REPAIRED_AT_ONCE: usize = 24;
/// A key frame under way is worth these many missing packets whatever the size of the last one.
const REPAIRED_LIMIT: usize = 256;

struct Piece {
    codec: Codec,
    arrived: Duration,
    timestamp: u32,
    marker: bool,
    /// First packet of a picture.
    start: bool,
    /// First packet of a key frame.
    key: bool,
    /// Without the payload descriptor; empty for padding.
    data: Bytes,
}

/// A whole picture.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    pub codec: Codec,
    pub data: Vec<u8>,
    /// Of its packets.
    pub timestamp: u32,
    pub key: bool,
    /// When its last packet came.
    pub arrived: Duration,
    /// From its first packet until it was given out.
    pub held: Duration,
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Decode(Picture),
    /// These packets are missing.
    AskAgain(Vec<u16>),
    AskForKeyFrame,
}

/// What was counted since the beginning.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub packets: u64,
    /// Repeated, or too late to be of use.
    pub surplus: u64,
    pub repair: RepairCounts,
}

/// Packets of one video stream, in any order and number, to whole pictures in the order of sending.
pub(crate) struct Assembler {
    pieces: BTreeMap<u64, Piece>,
    repair: Repair,
    /// Highest number seen, extended to 64 bits; begins high enough to count down from.
    highest: Option<u64>,
    /// Lowest number seen: what lies before it is not missed.
    lowest: u64,
    /// Number that follows the last picture given out; none before the first key frame and after a broken picture.
    next: Option<u64>,
    /// Since when something is missing.
    waiting: Option<Duration>,
    /// What is missing will not come in time.
    hopeless: bool,
    /// Time stamp of the newest key frame of which the beginning is here.
    key_under_way: Option<u32>,
    asked: Option<Duration>,
    due: Option<Duration>,
    /// A picture was given out.
    begun: bool,
    /// Packets of the last key frame.
    key_packets: usize,
    round_trip: Duration,
    packets: u64,
    surplus: u64,
}

impl Assembler {
    pub fn new() -> Self {
        Self {
            pieces: BTreeMap::new(),
            repair: Repair::new(),
            highest: None,
            lowest: 0,
            next: None,
            waiting: None,
            hopeless: false,
            key_under_way: None,
            asked: None,
            due: None,
            begun: false,
            key_packets: 0,
            round_trip: Duration::from_millis(60),
            packets: 0,
            surplus: 0,
        }
    }

    pub fn set_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip;
        self.repair.set_round_trip(round_trip);
    }

    /// The decoder refused a picture: nothing but a key frame helps.
    pub fn broken(&mut self) {
        self.next = None;
        self.give_up();
    }

    pub fn counts(&self) -> Counts {
        Counts { packets: self.packets, surplus: self.surplus, repair: self.repair.counts() }
    }

    /// Takes a packet; a duplicate, a late or an unreadable one is ignored.
    pub fn push(&mut self, codec: Codec, packet: &rtp::Packet, now: Duration) {
        let rtp::Header { timestamp, marker, sequence_number, .. } = packet.header;
        let number = self.extend(sequence_number, now);
        self.packets += 1;
        if self.next.is_some_and(|next| number < next) || self.pieces.contains_key(&number) {
            self.surplus += 1;
            return;
        }
        self.repair.arrived(number, now);
        let piece = match describe(codec, &packet.payload) {
            Some(found) => {
                let data = packet.payload.slice(found.header_bytes..);
                Piece { codec, arrived: now, timestamp, marker, start: found.start, key: found.key, data }
            }
            // Padding and what cannot be read: holds its place in the count and nothing else.
            None => Piece { codec, arrived: now, timestamp, marker: false, start: false, key: false, data: Bytes::new() },
        };
        if piece.key {
            // It is decoded without anything before it.
            self.repair.forget_before(number);
            self.hopeless = false;
            self.key_under_way = Some(timestamp);
        }
        if self.key_under_way == Some(timestamp) && self.waiting.is_some() {
            // As long as it goes on coming, another one would only throw away what is here of this one.
            self.waiting = Some(now);
        }
        self.pieces.insert(number, piece);
        while self.pieces.len() > PACKETS {
            self.pieces.pop_first();
        }
    }

    /// What to do now; to be called until it gives `None`, after every packet and at [`Self::deadline`].
    pub fn poll(&mut self, now: Duration) -> Option<Step> {
        self.skip_padding();
        if let Some(next) = self.next
            && let Some(end) = self.whole_picture(next)
        {
            return Some(self.give_out(next, end, now));
        }
        if let Some((start, end)) = self.newest_whole_key_frame() {
            return Some(self.give_out(start, end, now));
        }
        if let Some(step) = self.ask_when_due(now) {
            return Some(step);
        }
        let missing = self.repair.take_due(now);
        (!missing.is_empty()).then(|| Step::AskAgain(missing.into_iter().map(|number| number as u16).collect()))
    }

    /// When to call [`Self::poll`] again if no packet comes before.
    pub fn deadline(&self) -> Option<Duration> {
        [self.due, self.repair.deadline()].into_iter().flatten().min()
    }

    /// RFC 3550 A.1: the sequence number's distance to the highest one, as a signed number, decides its cycle.
    fn extend(&mut self, sequence: u16, now: Duration) -> u64 {
        let Some(highest) = self.highest else {
            let number = (1 << 32) | u64::from(sequence);
            (self.highest, self.lowest) = (Some(number), number);
            return number;
        };
        let distance = sequence.wrapping_sub(highest as u16) as i16;
        let number = highest.saturating_add_signed(i64::from(distance));
        if number > highest {
            self.highest = Some(number);
            self.skipped(highest + 1..number, now);
        } else if number < self.lowest && self.next.is_none_or(|next| number >= next) {
            // The very first ones came in another order.
            let between = number + 1..self.lowest;
            self.lowest = number;
            self.skipped(between, now);
        }
        number
    }

    fn skipped(&mut self, numbers: std::ops::Range<u64>, now: Duration) {
        let limit = REPAIRED_AT_ONCE.max(self.key_packets * 3 / 2).min(REPAIRED_LIMIT);
        let count = usize::try_from(numbers.end - numbers.start).unwrap_or(usize::MAX);
        if self.repair.len().saturating_add(count) > limit {
            self.give_up();
        } else {
            self.repair.skipped(numbers, now);
        }
    }

    fn give_up(&mut self) {
        self.repair.forget();
        self.hopeless = true;
    }

    fn skip_padding(&mut self) {
        while let Some(next) = self.next
            && self.pieces.get(&next).is_some_and(|piece| piece.data.is_empty())
        {
            self.pieces.remove(&next);
            self.next = Some(next + 1);
        }
    }

    /// Number of the last packet of the picture that begins at `start`, when all of it is here.
    fn whole_picture(&self, start: u64) -> Option<u64> {
        let first = self.pieces.get(&start).filter(|piece| piece.start)?;
        let mut bytes = 0;
        for (expected, (&number, piece)) in (start..).zip(self.pieces.range(start..)) {
            bytes += piece.data.len();
            let same = number == expected && piece.timestamp == first.timestamp && (number == start || !piece.start);
            if !same || piece.codec != first.codec || piece.data.is_empty() || bytes > PICTURE_BYTES {
                return None;
            }
            if piece.marker {
                return Some(number);
            }
        }
        None
    }

    fn newest_whole_key_frame(&self) -> Option<(u64, u64)> {
        self.pieces
            .iter()
            .rev()
            .filter(|(_, piece)| piece.key)
            .find_map(|(&start, _)| self.whole_picture(start).map(|end| (start, end)))
    }

    fn give_out(&mut self, start: u64, end: u64, now: Duration) -> Step {
        let later = self.pieces.split_off(&(end + 1));
        let mut before = std::mem::replace(&mut self.pieces, later);
        let pieces = before.split_off(&start);
        let mut picture = Picture {
            codec: pieces.values().next().map_or(Codec::Vp8, |piece| piece.codec),
            data: Vec::with_capacity(pieces.values().map(|piece| piece.data.len()).sum()),
            timestamp: pieces.values().next().map_or(0, |piece| piece.timestamp),
            key: pieces.values().any(|piece| piece.key),
            arrived: pieces.values().map(|piece| piece.arrived).max().unwrap_or(now),
            held: now.saturating_sub(pieces.values().map(|piece| piece.arrived).min().unwrap_or(now)),
        };
        if picture.key {
            self.key_packets = pieces.len();
            self.asked = None;
            self.hopeless = false;
        }
        for piece in pieces.into_values() {
            picture.data.extend_from_slice(&piece.data);
        }
        self.next = Some(end + 1);
        self.repair.forget_before(end + 1);
        self.begun = true;
        self.waiting = None;
        self.due = None;
        Step::Decode(picture)
    }

    fn patience(&self) -> Duration {
        if self.hopeless {
            return Duration::ZERO;
        }
        let repairs = self.repair.time_for(ROUNDS_WAITED);
        if self.begun {
            return repairs.clamp(PATIENCE, PATIENCE_LIMIT);
        }
        // The first key frame is on its way when its beginning is here.
        if self.pieces.values().any(|piece| piece.key) { repairs } else { FIRST_PATIENCE + self.round_trip }.min(PATIENCE_LIMIT)
    }

    fn ask_when_due(&mut self, now: Duration) -> Option<Step> {
        self.due = None;
        // With everything up to `next` given out and nothing behind it, nothing is known to be missing.
        if self.highest.is_none() || self.pieces.is_empty() && self.next.is_some() {
            self.waiting = None;
            return None;
        }
        let since = *self.waiting.get_or_insert(now);
        // Packets one after the other from `next` on are a picture under way. It gets twice the time: its tail may be all that
        // was lost.
        let under_way =
            self.next.is_some_and(|next| self.pieces.range(next..).zip(next..).all(|((&number, _), count)| number == count));
        let patience = if under_way { 2 * self.patience() } else { self.patience() };
        let due = self.asked.map_or(since + patience, |asked| (since + patience).max(asked + ASK_INTERVAL));
        if now < due {
            self.due = Some(due);
            return None;
        }
        self.asked = Some(now);
        self.due = Some(now + ASK_INTERVAL);
        Some(Step::AskForKeyFrame)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

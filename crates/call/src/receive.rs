//! The peer's video: packets to whole pictures ([`Assembler`]), pictures to pixels (a thread of its own).
//!
//! The assembler is a state machine without a clock. It gives a picture out only when every packet of it is here and every
//! picture it builds upon was given out before it: packets are counted without a gap from one picture to the next, and only a
//! key frame may begin after a gap. A gap is waited for (the interceptors ask for the packet again), then a key frame is asked
//! for; whichever comes first ends the wait.

use crate::interceptors::Monitor;
use crate::statistics::ReceiveFigures;
use crate::video::describe;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use visavis_media::codec::{VideoDecoder, Vp8Decoder};
use visavis_media::{Clock, Frame, FramePool, Mailbox};

/// How often the thread looks whether it is to end.
const LOOK: Duration = Duration::from_millis(50);
const MILLISECOND: Duration = Duration::from_millis(1);

/// Packets held at most; a key frame of 720p has about 150.
const PACKETS: usize = 1024;
/// Bytes of one picture at most.
const PICTURE_BYTES: usize = 1 << 20;
/// A gap is waited for this long, plus two round trips: one NACK after 60 ms, and another.
const PATIENCE: Duration = Duration::from_millis(130);
/// Before the first picture nothing is worth waiting for: what came before the library had opened the stream is lost for good.
const FIRST_PATIENCE: Duration = Duration::from_millis(40);
const PATIENCE_LIMIT: Duration = Duration::from_millis(500);
/// At most one request for a key frame in this time.
const ASK_INTERVAL: Duration = Duration::from_millis(300);

struct Piece {
    timestamp: u32,
    marker: bool,
    /// First packet of a picture.
    start: bool,
    /// First packet of a key frame.
    key: bool,
    /// Without the payload descriptor; empty for padding.
    data: Bytes,
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Decode { data: Vec<u8>, key: bool },
    AskForKeyFrame,
}

/// Packets of one video stream, in any order and number, to whole pictures in the order of sending.
pub(crate) struct Assembler {
    pieces: BTreeMap<u64, Piece>,
    /// Highest number seen, extended to 64 bits; begins high enough to count down from.
    highest: Option<u64>,
    /// Number that follows the last picture given out; none before the first key frame and after a broken picture.
    next: Option<u64>,
    /// Since when something is missing.
    waiting: Option<Duration>,
    asked: Option<Duration>,
    due: Option<Duration>,
    /// A picture was given out.
    begun: bool,
    round_trip: Duration,
}

impl Assembler {
    pub fn new() -> Self {
        Self {
            pieces: BTreeMap::new(),
            highest: None,
            next: None,
            waiting: None,
            asked: None,
            due: None,
            begun: false,
            round_trip: Duration::from_millis(60),
        }
    }

    pub fn set_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip;
    }

    /// The decoder refused a picture: nothing but a key frame helps.
    pub fn broken(&mut self) {
        self.next = None;
    }

    /// Takes a packet; a duplicate, a late or an unreadable one is ignored.
    pub fn push(&mut self, sequence: u16, timestamp: u32, marker: bool, payload: &Bytes) {
        let number = self.extend(sequence);
        if self.next.is_some_and(|next| number < next) {
            return;
        }
        let piece = match describe(payload) {
            Some(found) => {
                Piece { timestamp, marker, start: found.start, key: found.key, data: payload.slice(found.header_bytes..) }
            }
            // Padding and what cannot be read: holds its place in the count and nothing else.
            None => Piece { timestamp, marker: false, start: false, key: false, data: Bytes::new() },
        };
        self.pieces.entry(number).or_insert(piece);
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
            return Some(self.give_out(next, end));
        }
        if let Some((start, end)) = self.newest_whole_key_frame() {
            return Some(self.give_out(start, end));
        }
        self.ask_when_due(now)
    }

    /// When to call [`Self::poll`] again if no packet comes before.
    pub fn deadline(&self) -> Option<Duration> {
        self.due
    }

    /// RFC 3550 A.1: the sequence number's distance to the highest one, as a signed number, decides its cycle.
    fn extend(&mut self, sequence: u16) -> u64 {
        let Some(highest) = self.highest else {
            let number = (1 << 32) | u64::from(sequence);
            self.highest = Some(number);
            return number;
        };
        let distance = sequence.wrapping_sub(highest as u16) as i16;
        let number = highest.saturating_add_signed(i64::from(distance));
        self.highest = Some(highest.max(number));
        number
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
            if !same || piece.data.is_empty() || bytes > PICTURE_BYTES {
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

    fn give_out(&mut self, start: u64, end: u64) -> Step {
        let later = self.pieces.split_off(&(end + 1));
        let mut picture = std::mem::replace(&mut self.pieces, later);
        let mut data = Vec::new();
        let mut key = false;
        for piece in picture.split_off(&start).into_values() {
            key |= piece.key;
            data.extend_from_slice(&piece.data);
        }
        self.next = Some(end + 1);
        self.begun = true;
        self.waiting = None;
        self.due = None;
        if key {
            self.asked = None;
        }
        Step::Decode { data, key }
    }

    fn patience(&self) -> Duration {
        let base = if self.begun { PATIENCE + 2 * self.round_trip } else { FIRST_PATIENCE + self.round_trip };
        base.min(PATIENCE_LIMIT)
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

/// A packet of the peer's video on its way to the decoder thread.
pub(crate) struct VideoPacket {
    pub sequence: u16,
    pub timestamp: u32,
    pub marker: bool,
    pub payload: Bytes,
}

/// What the decoder thread needs from the rest of the call.
pub(crate) struct VideoInput {
    pub packets: mpsc::Receiver<VideoPacket>,
    pub pictures: Mailbox<Frame>,
    pub pool: FramePool,
    /// One message for each key frame that is to be asked for.
    pub ask: tokio::sync::mpsc::UnboundedSender<()>,
    pub monitor: Monitor,
    pub figures: Arc<Mutex<ReceiveFigures>>,
    pub clock: Clock,
}

/// The decoder thread. It ends when `pictures` is closed or nobody can send packets any more.
pub(crate) fn start(input: VideoInput) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(String::from("call-decode")).spawn(move || match Vp8Decoder::new(input.pool.clone()) {
        Ok(decoder) => VideoReceiver { input, decoder, assembler: Assembler::new() }.run(),
        Err(error) => tracing::error!(%error, "no pictures of the peer"),
    })
}

struct VideoReceiver {
    input: VideoInput,
    decoder: Vp8Decoder,
    assembler: Assembler,
}

impl VideoReceiver {
    fn run(mut self) {
        while !self.input.pictures.is_closed() {
            let now = self.input.clock.now();
            let wait = self.assembler.deadline().map_or(LOOK, |due| due.saturating_sub(now).clamp(MILLISECOND, LOOK));
            match self.input.packets.recv_timeout(wait) {
                Ok(packet) => self.packet(&packet),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
            if let Some(round_trip) = self.input.monitor.readings().round_trip {
                self.assembler.set_round_trip(round_trip);
            }
            while let Some(step) = self.assembler.poll(self.input.clock.now()) {
                self.step(step);
            }
        }
    }

    fn packet(&mut self, packet: &VideoPacket) {
        self.assembler.push(packet.sequence, packet.timestamp, packet.marker, &packet.payload);
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Decode { data, .. } => self.decode(&data),
            Step::AskForKeyFrame => {
                self.figures(|figures| figures.keys_asked += 1);
                // Fails only when the call is over.
                let _ = self.input.ask.send(());
            }
        }
    }

    fn decode(&mut self, data: &[u8]) {
        let started = self.input.clock.now();
        match self.decoder.decode(data, started) {
            Ok(Some(frame)) => {
                let now = self.input.clock.now();
                self.figures(|figures| figures.picture(frame.width, frame.height, now.saturating_sub(started), now));
                self.input.pictures.put(frame);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(%error, "a picture of the peer was not decoded");
                self.assembler.broken();
            }
        }
    }

    fn figures(&self, change: impl FnOnce(&mut ReceiveFigures)) {
        change(&mut self.input.figures.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests;

//! How fast things came in at the other side: everything over a window, and single pictures, each of which is a small probe.
//!
//! A picture leaves as a train of packets faster than the average rate. When the path carries that pace, the train comes in as it
//! left; when not, it comes in stretched to what the bottleneck carries. So the pictures themselves say how much room there is, and
//! no probe of its own is needed as long as they have two packets and more (packet trains; the probes of libwebrtc measure the
//! same with padding).

use super::ledger::{Kind, Outcome};
use std::collections::VecDeque;
use std::time::Duration;

/// Arrivals within a window, on the other side's clock.
#[derive(Debug, Default)]
pub(crate) struct Acknowledged {
    arrivals: VecDeque<(Duration, u32)>,
}

const KEPT: Duration = Duration::from_millis(1000);
/// Fewer packets make no rate.
const ENOUGH: usize = 4;

impl Acknowledged {
    pub fn packet(&mut self, arrived: Duration, bytes: u32) {
        self.arrivals.push_back((arrived, bytes));
        while self.arrivals.front().is_some_and(|(at, _)| *at + KEPT < arrived) {
            self.arrivals.pop_front();
        }
    }

    /// kbit/s over about the last `window`; `None` when too little came.
    pub fn kbps(&self, window: Duration) -> Option<f32> {
        let newest = self.arrivals.iter().map(|(at, _)| *at).max()?;
        let within = || self.arrivals.iter().filter(|(at, _)| *at + window >= newest);
        let oldest = within().map(|(at, _)| *at).min()?;
        let span = newest.saturating_sub(oldest);
        if within().count() < ENOUGH || span * 2 < window {
            return None;
        }
        // The first packet opens the span and its bytes came before it.
        let bytes: u32 = within().map(|(_, bytes)| bytes).sum::<u32>() - within().next().map_or(0, |(_, bytes)| *bytes);
        Some(bytes as f32 * 8.0 / 1000.0 / span.as_secs_f32())
    }
}

/// Trains older than this say nothing about now.
const TRAIN_LIFETIME: Duration = Duration::from_millis(1200);
/// Trains shorter than this tell more about timers than about the path.
const TRAIN_BYTES: u32 = 350;
const TRAINS: usize = 2;
const STEADY_TRAINS: usize = 4;
const LONG_TRAIN: u32 = 4000;
/// The middle half of the trains differs by less than this share when it is a bottleneck that stretches them, not jitter.
const STEADY: f32 = 0.15;

/// What trains have shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Room {
    pub kbps: f32,
    /// They agree with each other.
    pub steady: bool,
}

/// Part of a proven pace that is grown to: of a narrow path and of a wide one (kbit/s). On a narrow one each picture is a queue by
/// itself, and more use of it is paid for with latency.
const USE_NARROW: f32 = 0.84;
const USE_WIDE: f32 = 0.92;
const NARROW_KBPS: f32 = 500.0;
const WIDE_KBPS: f32 = 1000.0;
/// So much more of it is not left while it holds.
const USE_SLACK: f32 = 0.04;

/// How much of what trains have shown is grown to, kbit/s.
pub(crate) fn usable(room: f32) -> f32 {
    let width = ((room - NARROW_KBPS) / (WIDE_KBPS - NARROW_KBPS)).clamp(0.0, 1.0);
    room * (USE_NARROW + (USE_WIDE - USE_NARROW) * width)
}

/// And how much of it is not left while it holds.
pub(crate) fn most_usable(room: f32) -> f32 {
    usable(room) + room * USE_SLACK
}

#[derive(Clone, Copy, Debug)]
struct Train {
    picture: u32,
    sent: (Duration, Duration),
    arrived: (Duration, Duration),
    /// Without the first packet.
    bytes: u32,
    /// Of packets in between that are not the picture's, and count once another packet of it follows.
    between: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Trains {
    open: Option<Train>,
    /// When it left, the pace at which it came in (at most that at which it left), and its weight.
    done: VecDeque<(Duration, f32, u32)>,
}

impl Trains {
    /// An outcome, in the order of sending.
    pub fn packet(&mut self, outcome: &Outcome) {
        let (sent, Some(arrived)) = (outcome.sent, outcome.arrived) else { return };
        match (&mut self.open, sent.kind) {
            (Some(train), Kind::Picture(picture)) if train.picture == picture && sent.at >= train.sent.1 => {
                train.sent.1 = sent.at;
                train.arrived.1 = train.arrived.1.max(arrived);
                train.bytes += sent.bytes + std::mem::take(&mut train.between);
            }
            (_, Kind::Picture(picture)) => {
                self.close();
                let (sent, arrived) = ((sent.at, sent.at), (arrived, arrived));
                self.open = Some(Train { picture, sent, arrived, bytes: 0, between: 0 });
            }
            (Some(train), _) => train.between += sent.bytes,
            (None, _) => {}
        }
    }

    fn close(&mut self) {
        let Some(train) = self.open.take().filter(|train| train.bytes >= TRAIN_BYTES) else { return };
        let kbps = |(first, last): (Duration, Duration)| {
            let span = last.saturating_sub(first).as_secs_f32().max(0.000_25);
            train.bytes as f32 * 8.0 / 1000.0 / span
        };
        self.done.push_back((train.sent.0, kbps(train.arrived).min(kbps(train.sent)), train.bytes));
        while self.done.front().is_some_and(|(at, ..)| *at + TRAIN_LIFETIME < train.sent.0) {
            self.done.pop_front();
        }
    }

    /// The pace that the path has carried lately; `None` when too few trains tell.
    pub fn room(&self, now: Duration) -> Option<Room> {
        let mut fresh: Vec<(f32, u32)> =
            self.done.iter().filter(|(at, ..)| *at + TRAIN_LIFETIME >= now).map(|&(_, pace, bytes)| (pace, bytes)).collect();
        // One long train, a key frame, is as good as some short ones.
        let long = fresh.iter().any(|(_, bytes)| *bytes >= LONG_TRAIN);
        if fresh.len() < TRAINS && !long {
            return None;
        }
        fresh.sort_by(|left, right| left.0.total_cmp(&right.0));
        let all: u32 = fresh.iter().map(|(_, bytes)| bytes).sum();
        let reached_by = |share: f32| {
            let mut below = 0;
            let found = fresh.iter().find(|(_, bytes)| {
                below += bytes;
                below as f32 >= all as f32 * share
            });
            found.map_or(0.0, |(pace, _)| *pace)
        };
        let (low, median, high) = (reached_by(0.25), reached_by(0.5), reached_by(0.75));
        Some(Room { kbps: median, steady: fresh.len() >= STEADY_TRAINS && high - low < STEADY * median })
    }

    /// A new path, or one that has just changed: older trains do not count.
    pub fn forget(&mut self) {
        self.done.clear();
        self.open = None;
    }

    /// Trains of the last moment, to know whether padding must help.
    pub fn are_scarce(&self, now: Duration) -> bool {
        self.done.iter().filter(|(at, ..)| *at + TRAIN_LIFETIME >= now).count() < TRAINS
    }
}

#[cfg(test)]
mod tests {
    use super::super::ledger::Sent;
    use super::*;

    fn us(value: u64) -> Duration {
        Duration::from_micros(value)
    }

    fn packet(picture: u32, at: u64, arrived: u64) -> Outcome {
        Outcome { sent: Sent { at: us(at), bytes: 1000, kind: Kind::Picture(picture) }, arrived: Some(us(arrived)) }
    }

    #[test]
    fn the_rate_is_what_came_in_the_time() {
        let mut acknowledged = Acknowledged::default();
        assert_eq!(acknowledged.kbps(Duration::from_millis(500)), None);
        for step in 0..200u64 {
            acknowledged.packet(us(step * 10_000), 1250);
        }
        let kbps = acknowledged.kbps(Duration::from_millis(500)).unwrap();
        assert!((kbps - 1000.0).abs() < 1.0, "{kbps}");
    }

    #[test]
    fn a_train_tells_the_bottleneck_but_never_more_than_it_tried() {
        let (mut narrow, mut wide) = (Trains::default(), Trains::default());
        for picture in 0..10u32 {
            for index in 0..4u64 {
                let at = u64::from(picture) * 33_000 + index * 2_000;
                narrow.packet(&packet(picture, at, u64::from(picture) * 33_000 + index * 8_000));
                wide.packet(&packet(picture, at, at + 20_000));
            }
        }
        let now = us(330_000);
        assert_eq!(narrow.room(now).map(|room| (room.kbps as u32, room.steady)), Some((1000, true)));
        assert_eq!(wide.room(now).map(|room| (room.kbps as u32, room.steady)), Some((4000, true)));
        assert_eq!(wide.room(now + TRAIN_LIFETIME), None, "too old");
    }

    #[test]
    fn pictures_of_one_packet_are_no_trains() {
        let mut trains = Trains::default();
        for picture in 0..30 {
            trains.packet(&packet(picture, u64::from(picture) * 33_000, u64::from(picture) * 33_000));
        }
        assert!(trains.are_scarce(us(1_000_000)));
        assert_eq!(trains.room(us(1_000_000)), None);
    }
}

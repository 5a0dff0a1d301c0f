//! What the voice encoder is told: how many bits, against how much loss, how hard to try. Pure; the encoder's thread feeds it.
//!
//! The voice goes before everything else, so loss makes it larger and not smaller; only on a path that hardly carries it at all
//! is it made small.

use std::time::Duration;

/// Bits per second: usual; where losses are to be made good; where the path carries little.
const USUAL: i32 = 32_000;
const PROTECTED: i32 = 40_000;
const SMALL: i32 = 24_000;
/// From this share of loss on the voice is protected, and below this no more.
const LOSSY: f32 = 0.03;
const LOSS_FREE: f32 = 0.01;
/// From this share on each packet is sent twice, and below this no more; never on a path with less than this much for the video,
/// since there the loss is likely our own doing.
const HEAVY: f32 = 0.06;
const LIGHT: f32 = 0.03;
const ROOM_KBPS: u32 = 200;
/// A path that carries no more than this of the video is narrow, and no longer when it carries this.
const NARROW_KBPS: u32 = 100;
const WIDE_KBPS: u32 = 150;
/// Loss is believed at once and forgotten slowly: weight of a report that says less than what is believed. Two reports a second.
const FORGETTING: f32 = 0.1;
/// At least this much is prepared for: the first loss comes before any report of it.
const LEAST_PERCENT: u8 = 5;
/// libopus spends no more on copies beyond this.
const MOST_PERCENT: u8 = 25;

/// Orders for the encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub bits_per_second: i32,
    pub loss_percent: u8,
    /// Send each packet again a little later.
    pub again: bool,
}

pub(super) struct Planner {
    loss: f32,
    protected: bool,
    again: bool,
    narrow: bool,
}

impl Planner {
    pub fn new() -> Self {
        Self { loss: 0.0, protected: false, again: false, narrow: false }
    }

    /// The peer's report: the share of our voice packets that it missed, 0 to 1.
    pub fn report(&mut self, lost: f32) {
        let lost = lost.clamp(0.0, 1.0);
        // One packet lost of the 25 between two reports is 4 %: a rise is averaged over two.
        let weight = if lost > self.loss { 0.5 } else { FORGETTING };
        self.loss += (lost - self.loss) * weight;
    }

    /// `video_kbps`: what rate control allows the video.
    pub fn plan(&mut self, video_kbps: u32) -> Plan {
        self.protected = self.loss > if self.protected { LOSS_FREE } else { LOSSY };
        self.narrow = video_kbps < if self.narrow { WIDE_KBPS } else { NARROW_KBPS };
        self.again = self.loss > if self.again { LIGHT } else { HEAVY } && video_kbps >= ROOM_KBPS;
        let bits_per_second = match (self.narrow, self.protected) {
            (true, _) => SMALL,
            (false, true) => PROTECTED,
            (false, false) => USUAL,
        };
        let percent = (self.loss * 100.0).ceil() as u8;
        Plan { bits_per_second, loss_percent: percent.clamp(LEAST_PERCENT, MOST_PERCENT), again: self.again }
    }
}

/// Complexity of the encoder, libopus's scale of 0 to 10, by the time that it takes.
pub(super) struct Effort {
    level: i32,
    took_ms: f32,
    since_change: u32,
}

impl Effort {
    const MOST: i32 = 9;
    const LEAST: i32 = 2;
    /// Milliseconds for 20 ms of sound: more is too much, and less than this is little.
    const HIGH_MS: f32 = 2.0;
    const LOW_MS: f32 = 0.5;
    /// Frames between two changes: 2 s.
    const REST: u32 = 100;

    pub fn new() -> Self {
        Self { level: Self::MOST, took_ms: 1.0, since_change: 0 }
    }

    pub fn level(&self) -> i32 {
        self.level
    }

    /// Takes in how long a frame of 20 ms took; gives the new level when it changes.
    pub fn took(&mut self, took: Duration) -> Option<i32> {
        // A thread that was not let run for a while says nothing about the encoder.
        let took = (took.as_secs_f32() * 1000.0).min(4.0 * Self::HIGH_MS);
        self.took_ms += (took - self.took_ms) * 0.05;
        self.since_change += 1;
        if self.since_change < Self::REST {
            return None;
        }
        let level = match self.took_ms {
            took if took > Self::HIGH_MS => (self.level - 2).max(Self::LEAST),
            took if took < Self::LOW_MS => (self.level + 1).min(Self::MOST),
            _ => self.level,
        };
        if level == self.level {
            return None;
        }
        (self.level, self.since_change) = (level, 0);
        Some(level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(planner: &mut Planner, reports: u32, lost: f32, kbps: u32) -> Plan {
        (0..reports).for_each(|_| planner.report(lost));
        planner.plan(kbps)
    }

    #[test]
    fn loss_makes_the_voice_larger_and_is_forgotten_slowly() {
        let mut planner = Planner::new();
        assert_eq!(planner.plan(1000), Plan { bits_per_second: USUAL, loss_percent: 5, again: false });
        assert_eq!(after(&mut planner, 1, 0.04, 1000).bits_per_second, USUAL, "a single packet is no loss");
        let lossy = after(&mut planner, 4, 0.05, 1000);
        assert_eq!((lossy.bits_per_second, lossy.again), (PROTECTED, false));
        let heavy = after(&mut planner, 4, 0.2, 1000);
        assert!(heavy.again && heavy.loss_percent >= 18, "{heavy:?}");
        assert!(after(&mut planner, 2, 0.0, 1000).again, "a second without loss is no proof");
        let healed = after(&mut planner, 60, 0.0, 1000);
        assert_eq!(healed, Plan { bits_per_second: USUAL, loss_percent: 5, again: false });
    }

    #[test]
    fn a_narrow_path_gets_a_small_voice_once() {
        let mut planner = Planner::new();
        let plan = after(&mut planner, 10, 0.3, 60);
        assert_eq!((plan.bits_per_second, plan.loss_percent, plan.again), (SMALL, 25, false));
        assert_eq!(planner.plan(120).bits_per_second, SMALL, "it does not swing");
        assert!(planner.plan(400).again);
        assert_eq!(after(&mut planner, 1, f32::NAN.max(2.0), 400).loss_percent, 25, "nonsense is held within bounds");
    }

    #[test]
    fn effort_follows_the_machine() {
        let mut effort = Effort::new();
        let run = |effort: &mut Effort, ms: f32, frames: u32| {
            (0..frames).filter_map(|_| effort.took(Duration::from_secs_f32(ms / 1000.0))).last()
        };
        assert_eq!(run(&mut effort, 0.4, 1000), None, "it is at its highest");
        assert_eq!(run(&mut effort, 5.0, 100), Some(7));
        assert_eq!(run(&mut effort, 5.0, 2000), Some(Effort::LEAST));
        assert_eq!(run(&mut effort, 1.0, 1000), None);
        assert_eq!(run(&mut effort, 0.2, 2000), Some(9));
        assert_eq!(run(&mut effort, 0.2, 90), None);
        assert_eq!(effort.took(Duration::from_secs(9)), None, "one hiccup is none");
    }
}

//! Size and frame rate of our pictures for the bits there are and the time the processor has, with hysteresis.
//!
//! Rungs, measured with libvpx's VP8 at realtime speed on a talking head and on an outdoor scene (SSIM of luma, scaled up to what is
//! shown): a talking head is best at 640x360 from 150 kbit/s on and the busy scene from about 700; above 360p nothing is gained below
//! 2 Mbit/s for the soft scene, a little from 1.3 for a sharp one. So the size follows the rate reluctantly, and pictures a second are
//! the last to go: below 110 kbit/s at 480x270 thirty pictures leave fewer than 500 bytes for each.
//!
//! A change of size costs a key frame, so a rung is left only when it has been wrong for a while, and one that was climbed in vain
//! is tried again later each time.

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use ts_rs::TS;
use visavis_wire::channel::Bottleneck;

/// One step of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rung {
    pub width: usize,
    pub height: usize,
    pub fps: u32,
    /// The video's bits from which on it is good.
    kbps: u32,
    /// More bits than this are not seen any more (about 0.22 a pixel).
    most_kbps: u32,
}

impl Rung {
    /// For a picture of so many pixels (a camera may give fewer than the rung has) on a path that loses this share of the packets:
    /// a picture of few packets comes whole more often than one of many, and one that has to wait for a repair holds up all
    /// after it, which is seen sooner than fewer bits are.
    pub fn most_kbps(&self, pixels: usize, lost: f32) -> u32 {
        let own = RUNGS.iter().find(|rung| rung.width * rung.height >= pixels && rung.fps >= self.fps);
        let most = own.map_or(self.most_kbps, |own| own.most_kbps.min(self.most_kbps));
        (most as f32 * (1.0 - LOSS_COSTS * lost).max(LOSS_LEAVES)) as u32
    }
}

/// The rung in use, for the encoder's thread and whoever scales the pictures.
#[derive(Debug)]
pub(crate) struct SharedRung(AtomicUsize);

impl Default for SharedRung {
    fn default() -> Self {
        Self(AtomicUsize::new(START))
    }
}

impl SharedRung {
    pub fn get(&self) -> Rung {
        RUNGS.get(self.0.load(Ordering::Relaxed)).copied().unwrap_or(RUNGS[START])
    }

    pub fn set(&self, ladder: &Ladder) {
        self.0.store(ladder.rung, Ordering::Relaxed);
    }
}

/// What a share of lost packets takes from the most bits, and what is left of them in any case.
const LOSS_COSTS: f32 = 5.0;
const LOSS_LEAVES: f32 = 0.5;

const RUNGS: [Rung; 6] = [
    Rung { width: 320, height: 180, fps: 15, kbps: 0, most_kbps: 200 },
    Rung { width: 480, height: 270, fps: 20, kbps: 70, most_kbps: 600 },
    Rung { width: 480, height: 270, fps: 30, kbps: 110, most_kbps: 850 },
    Rung { width: 640, height: 360, fps: 30, kbps: 170, most_kbps: 1600 },
    Rung { width: 960, height: 540, fps: 30, kbps: 1300, most_kbps: 2500 },
    Rung { width: 1280, height: 720, fps: 30, kbps: 2000, most_kbps: 5000 },
];
/// Where a call begins.
const START: usize = 3;
/// For as long the bits must be too few before a rung is left.
const DOWN_AFTER: Duration = Duration::from_millis(1500);
/// At less than this share of what the rung needs, that is too long.
const FAR_BELOW: f32 = 0.6;
const DOWN_AT_ONCE_AFTER: Duration = Duration::from_millis(300);
/// So much more than the next rung needs must be there, for so long.
const UP_SHARE: f32 = 1.2;
const UP_AFTER: Duration = Duration::from_secs(4);
const UP_AFTER_LIMIT: Duration = Duration::from_secs(64);
/// A rung that held this long was not climbed in vain.
const HELD: Duration = Duration::from_secs(20);
/// Fewer bits than this are seen even where the size stays, until there are so many.
const POOR_KBPS: u32 = 350;
const FINE_KBPS: u32 = 450;
const POOR_AFTER: Duration = Duration::from_secs(2);
/// Share of the time between two pictures that encoding may take, and that the next rung may be expected to take: the decoder and
/// the rest of the program need the processor too.
const BUSY: f32 = 0.7;
const FREE: f32 = 0.45;

/// Why our picture is less than it could be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Lowered {
    #[default]
    No,
    /// The path carries no more, and only in this direction: as a rule it is the sender's line, whose way up is the narrow one.
    OwnConnection,
    /// The same in the peer's direction.
    PeerConnection,
    /// Neither direction carries more: it cannot be told whose line it is.
    Connection,
    OwnProcessor,
    PeerProcessor,
}

impl Lowered {
    /// What to say about our own picture, by what holds it down and what the peer says of theirs.
    pub fn own(own: Option<Bottleneck>, peer: Option<Bottleneck>) -> Self {
        match (own, peer) {
            (None, _) => Self::No,
            (Some(Bottleneck::Processor), _) => Self::OwnProcessor,
            (Some(Bottleneck::Path), Some(Bottleneck::Path)) => Self::Connection,
            (Some(Bottleneck::Path), _) => Self::OwnConnection,
        }
    }

    /// The same about the peer's picture.
    pub fn peer(own: Option<Bottleneck>, peer: Option<Bottleneck>) -> Self {
        match Self::own(peer, own) {
            Self::OwnConnection => Self::PeerConnection,
            Self::OwnProcessor => Self::PeerProcessor,
            other => other,
        }
    }
}

/// What the ladder is fed with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub video_kbps: u32,
    /// The rate is held down by the path, not by what was asked for.
    pub limited: bool,
    /// Time for one picture at the size that is encoded now, and that size; `None` before the first.
    pub encode: Option<(f32, usize)>,
}

#[derive(Debug)]
pub(crate) struct Ladder {
    rung: usize,
    /// Since when the bits, or the time, are too few for the rung.
    short: Option<Duration>,
    slow: Option<Duration>,
    ample: Option<Duration>,
    up_after: Duration,
    climbed: Option<Duration>,
    /// What made it go down last.
    held_by: Option<Bottleneck>,
    /// The path leaves so few bits that it is seen; and since when that, or the contrary, is so.
    poor: bool,
    turning: Option<Duration>,
}

impl Ladder {
    pub fn new() -> Self {
        Self {
            rung: START,
            short: None,
            slow: None,
            ample: None,
            up_after: UP_AFTER,
            climbed: None,
            held_by: None,
            poor: false,
            turning: None,
        }
    }

    pub fn rung(&self) -> Rung {
        RUNGS[self.rung]
    }

    /// What keeps the picture below what a call begins with: smaller, or with so few bits that it is seen.
    pub fn held_by(&self) -> Option<Bottleneck> {
        match self.held_by {
            Some(why) if self.rung < START => Some(why),
            _ => self.poor.then_some(Bottleneck::Path),
        }
    }

    fn judge_quality(&mut self, load: Load, now: Duration) {
        let turns =
            if self.poor { !load.limited || load.video_kbps > FINE_KBPS } else { load.limited && load.video_kbps < POOR_KBPS };
        let since = turns.then(|| *self.turning.get_or_insert(now));
        self.turning = since;
        if since.is_some_and(|since| now.saturating_sub(since) >= POOR_AFTER) {
            (self.poor, self.turning) = (!self.poor, None);
        }
    }

    /// To be called a few times a second; tells whether the rung has changed.
    pub fn update(&mut self, load: Load, now: Duration) -> bool {
        let before = self.rung;
        self.judge_quality(load, now);
        let rung = self.rung();
        let share = load.video_kbps as f32 / rung.kbps.max(1) as f32;
        let busy = load.encode.filter(|(_, pixels)| *pixels == rung.width * rung.height);
        let slow = busy.is_some_and(|(ms, _)| ms * rung.fps as f32 > 1000.0 * BUSY);
        let since = |flag: bool, since: &mut Option<Duration>| {
            let start = flag.then(|| *since.get_or_insert(now));
            *since = start;
            start.map(|start| now.saturating_sub(start))
        };
        let short_for = since(share < 1.0, &mut self.short);
        let slow_for = since(slow, &mut self.slow);
        let ample_for = since(self.next_fits(load), &mut self.ample);
        let patience = if share < FAR_BELOW { DOWN_AT_ONCE_AFTER } else { DOWN_AFTER };
        if self.rung > 0 && short_for.is_some_and(|time| time >= patience) {
            self.down(Bottleneck::Path, now);
        } else if self.rung > 0 && slow_for.is_some_and(|time| time >= DOWN_AFTER) {
            self.down(Bottleneck::Processor, now);
        } else if ample_for.is_some_and(|time| time >= self.up_after) {
            self.rung += 1;
            self.climbed = Some(now);
            (self.short, self.slow, self.ample) = (None, None, None);
        }
        if self.climbed.is_some_and(|climbed| now.saturating_sub(climbed) > HELD) {
            self.up_after = UP_AFTER;
        }
        before != self.rung
    }

    fn down(&mut self, why: Bottleneck, now: Duration) {
        self.rung -= 1;
        self.held_by = Some(why);
        (self.short, self.slow, self.ample) = (None, None, None);
        if self.climbed.take().is_some_and(|climbed| now.saturating_sub(climbed) < HELD) {
            self.up_after = (self.up_after * 2).min(UP_AFTER_LIMIT);
        }
    }

    fn next_fits(&self, load: Load) -> bool {
        let Some(next) = RUNGS.get(self.rung + 1) else { return false };
        let bits = load.video_kbps as f32 >= next.kbps as f32 * UP_SHARE;
        let time = load.encode.is_none_or(|(ms, pixels)| {
            let expected = ms * (next.width * next.height) as f32 / pixels.max(1) as f32;
            expected * next.fps as f32 <= 1000.0 * FREE
        });
        bits && time
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    fn run(ladder: &mut Ladder, from: u64, to: u64, video_kbps: u32, encode_ms: f32) -> usize {
        let changes = (from..to).step_by(100).filter(|at| {
            let rung = ladder.rung();
            let encode = Some((encode_ms * (rung.width * rung.height) as f32 / 230_400.0, rung.width * rung.height));
            ladder.update(Load { video_kbps, limited: true, encode }, ms(*at))
        });
        changes.count()
    }

    #[test]
    fn sizes_follow_the_rate_one_after_the_other() {
        let mut ladder = Ladder::new();
        assert_eq!((ladder.rung().width, ladder.rung().fps), (640, 30));
        run(&mut ladder, 0, 20_000, 2500, 2.0);
        assert_eq!(ladder.rung().width, 1280);
        run(&mut ladder, 20_000, 30_000, 300, 2.0);
        assert_eq!((ladder.rung().width, ladder.held_by()), (640, Some(Bottleneck::Path)), "not smaller, but seen");
        run(&mut ladder, 30_000, 40_000, 60, 2.0);
        assert_eq!((ladder.rung().width, ladder.rung().fps, ladder.held_by()), (320, 15, Some(Bottleneck::Path)));
    }

    #[test]
    fn the_most_bits_are_those_of_the_picture_and_of_the_path() {
        let large = RUNGS[5];
        assert_eq!((large.most_kbps(1280 * 720, 0.0), large.most_kbps(640 * 360, 0.0)), (5000, 1600));
        assert_eq!((large.most_kbps(640 * 360, 0.1), large.most_kbps(640 * 360, 0.5)), (800, 800));
        assert_eq!(RUNGS[3].most_kbps(1280 * 720, 0.0), 1600);
    }

    #[test]
    fn a_slow_processor_keeps_the_picture_small() {
        let mut ladder = Ladder::new();
        assert_eq!(run(&mut ladder, 0, 60_000, 2500, 8.0), 0, "720p would take 32 ms");
        run(&mut ladder, 60_000, 62_000, 2500, 30.0);
        assert_eq!((ladder.rung().width, ladder.held_by()), (480, Some(Bottleneck::Processor)));
    }

    #[test]
    fn a_rate_that_swings_about_a_threshold_does_not_make_it_flap() {
        let mut ladder = Ladder::new();
        let mut changes = 0;
        for step in 0..120u64 {
            let kbps = if step % 2 == 0 { 1700 } else { 1100 };
            changes += run(&mut ladder, step * 5000, step * 5000 + 5000, kbps, 2.0);
        }
        assert!(changes <= 24, "{changes} changes in ten minutes");
    }

    #[test]
    fn words_for_both_sides_fit_together() {
        use Bottleneck::{Path, Processor};
        assert_eq!(Lowered::own(Some(Path), None), Lowered::OwnConnection);
        assert_eq!(Lowered::peer(None, Some(Path)), Lowered::PeerConnection);
        assert_eq!(Lowered::own(Some(Path), Some(Path)), Lowered::Connection);
        assert_eq!(Lowered::peer(Some(Path), Some(Processor)), Lowered::PeerProcessor);
        assert_eq!(Lowered::own(None, Some(Path)), Lowered::No);
    }

    proptest! {
        #[test]
        fn never_leaves_the_ladder_nor_changes_faster_than_it_may(
            steps in prop::collection::vec((0u32..4000, 0f32..90.0, 1usize..2_000_000, 0u64..3000), 0..300),
        ) {
            let (mut ladder, mut now, mut last) = (Ladder::new(), 0, None);
            for (video_kbps, encode_ms, pixels, pause) in steps {
                now += pause;
                if ladder.update(Load { video_kbps, limited: false, encode: Some((encode_ms, pixels)) }, ms(now)) {
                    prop_assert!(last.is_none_or(|last| now - last >= 300), "changed after {:?}", last);
                    last = Some(now);
                }
            }
        }
    }
}

//! How late packets come, as a forgetful histogram, and the delay that nearly all of them keep within; and how fast the
//! sender's clock runs against ours.
//!
//! A packet's lateness is relative to the fastest one of the last seconds, so that drifting clocks and changed routes do not
//! count as jitter.

use crate::audio::SAMPLE_RATE;
use std::collections::VecDeque;
use std::time::Duration;

const BUCKET: Duration = Duration::from_millis(5);
const BUCKETS: usize = 100;
/// Share of packets that the target delay waits for.
const COVERED: f32 = 0.97;
/// Weight of the past at each packet: half is forgotten in 4.6 s of speech.
const MEMORY: f32 = 0.997;
/// What a packet that replaces a lost one counts for. With 2 the delay waits for replacements from 1.5 % loss on.
const REPLACEMENT_WEIGHT: f32 = 2.0;
/// The fastest packet is looked for in this time, but among [`WINDOW_LEAST`] packets, and never further back than [`WINDOW_MOST`].
const WINDOW: Duration = Duration::from_secs(2);
const WINDOW_LEAST: usize = 50;
const WINDOW_MOST: Duration = Duration::from_secs(30);
const WINDOW_PACKETS: usize = 256;
pub(super) const MIN_TARGET: Duration = Duration::from_millis(20);
pub(super) const MAX_TARGET: Duration = Duration::from_millis(300);

/// Later than the target by this: a peak, such as a radio that changes its cell makes every few seconds.
const PEAK: Duration = Duration::from_millis(60);
/// Packets late within this time of a peak's begin belong to it.
const PEAK_LENGTH: Duration = Duration::from_millis(400);
/// Two peaks within this time are expected to be followed by a third; the target covers them until as much time has passed
/// without one.
const PEAK_PERIOD: Duration = Duration::from_secs(10);

/// Time between two points of the drift's line, and how many there are: five minutes.
const DRIFT_STEP: Duration = Duration::from_secs(5);
const DRIFT_POINTS: usize = 60;
const DRIFT_LEAST: usize = 6;

#[derive(Clone, Copy)]
struct Peak {
    began: Duration,
    height: Duration,
}

pub(super) struct Arrivals {
    /// Arrival and transit (arrival less media time, of unknown origin) in microseconds.
    recent: VecDeque<(Duration, i64)>,
    fastest: Option<i64>,
    buckets: [f32; BUCKETS],
    recorded: f32,
    now: Duration,
    /// The last two.
    peaks: VecDeque<Peak>,
    drift: Drift,
}

impl Arrivals {
    pub(super) fn new() -> Self {
        Self {
            recent: VecDeque::new(),
            fastest: None,
            buckets: [0.0; BUCKETS],
            recorded: 0.0,
            now: Duration::ZERO,
            peaks: VecDeque::new(),
            drift: Drift::default(),
        }
    }

    /// The media time began anew: transits from before cannot be compared, the distribution stays.
    pub(super) fn rebase(&mut self) {
        self.recent.clear();
        self.fastest = None;
        self.drift = Drift::default();
    }

    /// Takes in that the packet of `timestamp` came at `now`. `replaces`: it also carries the frame before it, which is missing.
    pub(super) fn record(&mut self, timestamp: i64, now: Duration, replaces: bool) {
        self.now = self.now.max(now);
        let transit = micros(now).saturating_sub(media_micros(timestamp));
        while self.recent.len() >= WINDOW_PACKETS || self.recent.front().is_some_and(|&(then, _)| self.outdated(then, now)) {
            self.recent.pop_front();
        }
        self.recent.push_back((now, transit));
        let fastest = self.recent.iter().map(|&(_, transit)| transit).min().unwrap_or(transit);
        self.fastest = Some(fastest);
        self.drift.point(now, fastest);
        let late = Duration::from_micros(u64::try_from(transit.saturating_sub(fastest)).unwrap_or(0));
        self.look_for_peak(late, now);
        self.count(late, 1.0);
        if replaces {
            self.count(late + crate::audio::FRAME_TIME, REPLACEMENT_WEIGHT);
        }
    }

    fn outdated(&self, then: Duration, now: Duration) -> bool {
        let age = now.saturating_sub(then);
        age > WINDOW && self.recent.len() > WINDOW_LEAST || age > WINDOW_MOST
    }

    fn count(&mut self, late: Duration, weight: f32) {
        let bucket = usize::try_from(late.as_micros() / BUCKET.as_micros()).unwrap_or(BUCKETS).min(BUCKETS - 1);
        // The first packets weigh equally, else the very first would count for hundreds.
        let memory = MEMORY.min(self.recorded / (self.recorded + 1.0)).powf(weight);
        for share in &mut self.buckets {
            *share *= memory;
        }
        self.buckets[bucket] += 1.0 - memory;
        self.recorded = (self.recorded + weight).min(1e6);
    }

    fn look_for_peak(&mut self, late: Duration, now: Duration) {
        // A packet that is late within a peak raises it.
        if let Some(peak) = self.peaks.back_mut().filter(|peak| now.saturating_sub(peak.began) < PEAK_LENGTH) {
            peak.height = peak.height.max(late);
            return;
        }
        // The first packets of all say nothing about what is usual.
        if late > self.usual() + PEAK && self.recorded > WINDOW_LEAST as f32 {
            if self.peaks.len() == 2 {
                self.peaks.pop_front();
            }
            self.peaks.push_back(Peak { began: now, height: late });
        }
    }

    /// What covers nearly all packets, peaks aside.
    fn usual(&self) -> Duration {
        let mut sum = 0.0;
        let covering = self.buckets.iter().position(|share| {
            sum += share;
            sum >= COVERED
        });
        let buckets = if self.recorded == 0.0 { 0 } else { covering.unwrap_or(BUCKETS - 1) + 1 };
        (BUCKET * buckets as u32).clamp(MIN_TARGET, MAX_TARGET)
    }

    /// The delay to aim at.
    pub(super) fn target(&self) -> Duration {
        let usual = self.usual();
        match self.peaks.iter().copied().collect::<Vec<_>>()[..] {
            [first, last]
                if last.began.saturating_sub(first.began) < PEAK_PERIOD && self.now.saturating_sub(last.began) < PEAK_PERIOD =>
            {
                usual.max(first.height.min(last.height)).min(MAX_TARGET)
            }
            _ => usual,
        }
    }

    /// How long the fastest packet would have waited by `now` if its media time were `timestamp`, in microseconds; negative if it
    /// could not be here yet. `None` before the first packet.
    pub(super) fn waited(&self, timestamp: i64, now: Duration) -> Option<i64> {
        self.fastest.map(|fastest| micros(now).saturating_sub(media_micros(timestamp)).saturating_sub(fastest))
    }

    pub(super) fn drift_ppm(&self) -> Option<f32> {
        self.drift.ppm()
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

fn media_micros(timestamp: i64) -> i64 {
    timestamp.saturating_mul(1_000) / i64::from(SAMPLE_RATE / 1_000)
}

/// The line through the fastest transits. Positive: the sender's clock is slow, and its packets come later and later.
#[derive(Default)]
struct Drift {
    points: VecDeque<(Duration, i64)>,
}

impl Drift {
    fn point(&mut self, now: Duration, fastest: i64) {
        if self.points.back().is_some_and(|&(then, _)| now.saturating_sub(then) < DRIFT_STEP) {
            return;
        }
        if self.points.len() == DRIFT_POINTS {
            self.points.pop_front();
        }
        self.points.push_back((now, fastest));
    }

    /// Least squares.
    fn ppm(&self) -> Option<f32> {
        let (&(begin, origin), count) = (self.points.front()?, self.points.len());
        if count < DRIFT_LEAST {
            return None;
        }
        let xy = || {
            self.points
                .iter()
                .map(|&(at, transit)| (at.saturating_sub(begin).as_secs_f64(), transit.saturating_sub(origin) as f64))
        };
        let mean_x = xy().map(|(x, _)| x).sum::<f64>() / count as f64;
        let mean_y = xy().map(|(_, y)| y).sum::<f64>() / count as f64;
        let (mut above, mut below) = (0.0, 0.0);
        for (x, y) in xy() {
            above += (x - mean_x) * (y - mean_y);
            below += (x - mean_x) * (x - mean_x);
        }
        // Microseconds a second are parts in a million.
        (below > 0.0).then_some((above / below) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twenty milliseconds a packet, each late by what `late` says.
    fn after(packets: i64, late: impl Fn(i64) -> u64) -> Arrivals {
        let mut arrivals = Arrivals::new();
        for i in 0..packets {
            arrivals.record(i * 960, Duration::from_millis(i as u64 * 20 + 100 + late(i)), false);
        }
        arrivals
    }

    #[test]
    fn an_even_stream_needs_the_least() {
        assert_eq!(Arrivals::new().target(), MIN_TARGET);
        assert_eq!(after(200, |_| 0).target(), MIN_TARGET);
    }

    #[test]
    fn the_target_covers_nearly_all_and_not_the_worst() {
        let one_in_ten = after(500, |i| if i % 10 == 0 { 80 } else { 0 });
        assert_eq!(one_in_ten.target(), Duration::from_millis(85));
        let one_in_hundred = after(500, |i| if i % 100 == 0 { 40 } else { 0 });
        assert_eq!(one_in_hundred.target(), MIN_TARGET);
        assert_eq!(after(500, |i| (i as u64 % 2) * 5_000).target(), MAX_TARGET);
    }

    #[test]
    fn peaks_that_come_again_are_covered_and_forgotten() {
        // Every 4 s a hiccup of 160 ms that the next packets catch up with.
        let hiccups = |i: i64| if i < 1000 { 160u64.saturating_sub((i % 200) as u64 * 20) } else { 0 };
        assert!(after(900, hiccups).target() >= Duration::from_millis(120), "{:?}", after(900, hiccups).target());
        assert!(after(900 + 500, hiccups).target() <= Duration::from_millis(60));
        let once = after(900, |i| if i >= 400 { 160u64.saturating_sub((i - 400) as u64 * 20) } else { 0 });
        assert!(once.target() <= Duration::from_millis(40), "one is none: {:?}", once.target());
    }

    #[test]
    fn what_replaces_a_lost_packet_is_waited_for_when_it_is_often_needed() {
        let lossy = |every: i64| {
            let mut arrivals = Arrivals::new();
            for i in (0..1000).filter(|i| i % every != 0) {
                arrivals.record(i * 960, Duration::from_millis(i as u64 * 20 + 50), i % every == 1);
            }
            arrivals.target()
        };
        assert_eq!(lossy(200), MIN_TARGET);
        assert_eq!(lossy(20), Duration::from_millis(25));
    }

    #[test]
    fn a_slower_route_is_not_jitter_for_long() {
        let changed = after(1500, |i| if i < 300 { 0 } else { 150 });
        assert_eq!(changed.target(), MIN_TARGET);
    }

    #[test]
    fn clock_drift_is_not_jitter_and_is_measured() {
        for ppm in [-200i64, 200] {
            let mut arrivals = Arrivals::new();
            for i in 0..15_000i64 {
                let at = i * 20_000 + 100_000 + i * 20_000 * ppm / 1_000_000;
                arrivals.record(i * 960, Duration::from_micros(at as u64), false);
            }
            assert_eq!(arrivals.target(), MIN_TARGET);
            let measured = arrivals.drift_ppm().unwrap();
            assert!((measured - ppm as f32).abs() < 10.0, "{measured} of {ppm}");
        }
    }
}

//! How late packets come, as a forgetful histogram, and the delay that nearly all of them keep within.

use crate::audio::SAMPLE_RATE;
use std::collections::VecDeque;
use std::time::Duration;

const BUCKET: Duration = Duration::from_millis(5);
const BUCKETS: usize = 100;
/// Share of packets that the target delay waits for.
const COVERED: f32 = 0.97;
/// Weight of the past at each packet: half is forgotten in 4.6 s of speech.
const MEMORY: f32 = 0.997;
/// Lateness is relative to the fastest packet of this time, so that drifting clocks and changed routes do not count.
const WINDOW: Duration = Duration::from_secs(2);
const WINDOW_PACKETS: usize = 256;
pub(super) const MIN_TARGET: Duration = Duration::from_millis(20);
pub(super) const MAX_TARGET: Duration = Duration::from_millis(300);

pub(super) struct Arrivals {
    /// Arrival and transit (arrival less media time, of unknown origin) in microseconds.
    recent: VecDeque<(Duration, i64)>,
    buckets: [f32; BUCKETS],
    recorded: u32,
}

impl Arrivals {
    pub(super) fn new() -> Self {
        Self { recent: VecDeque::new(), buckets: [0.0; BUCKETS], recorded: 0 }
    }

    /// The media time began anew: transits from before cannot be compared, the distribution stays.
    pub(super) fn rebase(&mut self) {
        self.recent.clear();
    }

    /// Returns how much later than the fastest recent packet this one came.
    pub(super) fn record(&mut self, timestamp: i64, now: Duration) -> Duration {
        let arrived = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
        let media = timestamp.saturating_mul(1_000_000) / i64::from(SAMPLE_RATE);
        let transit = arrived.saturating_sub(media);
        while self.recent.len() >= WINDOW_PACKETS
            || self.recent.front().is_some_and(|&(then, _)| now.saturating_sub(then) > WINDOW)
        {
            self.recent.pop_front();
        }
        self.recent.push_back((now, transit));
        let fastest = self.recent.iter().map(|&(_, transit)| transit).min().unwrap_or(transit);
        let late = Duration::from_micros(u64::try_from(transit.saturating_sub(fastest)).unwrap_or(0));
        self.count(late);
        late
    }

    fn count(&mut self, late: Duration) {
        let bucket = usize::try_from(late.as_micros() / BUCKET.as_micros()).unwrap_or(BUCKETS).min(BUCKETS - 1);
        // The first packets weigh equally, else the very first would count for hundreds.
        let memory = MEMORY.min(self.recorded as f32 / (self.recorded as f32 + 1.0));
        for share in &mut self.buckets {
            *share *= memory;
        }
        self.buckets[bucket] += 1.0 - memory;
        self.recorded = self.recorded.saturating_add(1);
    }

    pub(super) fn target(&self) -> Duration {
        let mut sum = 0.0;
        let covering = self.buckets.iter().position(|share| {
            sum += share;
            sum >= COVERED
        });
        let buckets = if self.recorded == 0 { 0 } else { covering.unwrap_or(BUCKETS - 1) + 1 };
        (BUCKET * buckets as u32).clamp(MIN_TARGET, MAX_TARGET)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twenty milliseconds a packet, each late by what `late` says.
    fn after(packets: i64, late: impl Fn(i64) -> u64) -> Arrivals {
        let mut arrivals = Arrivals::new();
        for i in 0..packets {
            arrivals.record(i * 960, Duration::from_millis(i as u64 * 20 + 100 + late(i)));
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
        let one_in_hundred = after(500, |i| if i % 100 == 0 { 80 } else { 0 });
        assert_eq!(one_in_hundred.target(), MIN_TARGET);
        assert_eq!(after(500, |i| (i as u64 % 2) * 5_000).target(), MAX_TARGET);
    }

    #[test]
    fn a_slower_route_is_not_jitter_for_long() {
        let changed = after(1500, |i| if i < 300 { 0 } else { 150 });
        assert_eq!(changed.target(), MIN_TARGET);
    }

    #[test]
    fn clock_drift_is_not_jitter() {
        // 200 ppm over five minutes are 60 ms.
        assert_eq!(after(15_000, |i| (i as u64 * 20) / 5_000).target(), MIN_TARGET);
    }
}

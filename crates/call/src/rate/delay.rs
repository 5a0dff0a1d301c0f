//! Whether a queue stands on the path: the lower envelope of the one-way delay, against its base and the path's own jitter.
//!
//! A trendline over every delay (draft-ietf-rmcat-gcc-02 and libwebrtc's later detector) takes jitter that wanders for a tenth of a
//! second for a growing queue, and starves a free link. A standing queue lifts even the luckiest packet, so what is judged here is
//! the smallest delay of a window:
//!
//! - a short window (60 ms) for what rises beyond anything that the path's jitter has shown, so that a sudden drop is seen at once;
//! - a long one (400 ms) for what rises slowly.
//!
//! Both thresholds adapt: how far delays usually spread within a long window while there is no queue is learnt as the jitter. The
//! sender's bursts make no difference: of packets that left within 5 ms the least delayed one counts.

use std::collections::VecDeque;
use std::time::Duration;

/// Packets that left within this time are one group.
const BURST: Duration = Duration::from_millis(5);
/// Without a picture's packet for this long, what leaves meets no queue of ours but a standing one.
const PAUSE: Duration = Duration::from_millis(15);
const SHORT: Duration = Duration::from_millis(60);
/// Fewer groups say nothing, however short the time.
const SHORT_GROUPS: usize = 2;
const LONG: Duration = Duration::from_millis(400);
/// The smallest delay is looked for in this time. Two clocks drift less than 2 ms apart within it.
const BASE: Duration = Duration::from_secs(15);
/// Beyond the jitter.
const SHORT_MARGIN_MS: f32 = 25.0;
const LONG_MARGIN_MS: f32 = 12.0;
/// The lower envelope of a long window spreads less than single delays do.
const LONG_SHARE: f32 = 0.75;
/// Spreads remembered, one for each long window: twenty seconds.
const SPREADS: usize = 50;
/// The spread that this share of the windows stay under is the jitter.
const SPREAD_SHARE: f32 = 0.8;
/// Before anything is known.
const FIRST_JITTER_MS: f32 = 25.0;
const JITTER_LIMIT_MS: f32 = 150.0;

/// The smallest value of a sliding window.
#[derive(Debug)]
struct WindowMinimum {
    window: Duration,
    /// Times and values, both rising: the front is the minimum.
    values: VecDeque<(Duration, f32)>,
}

impl WindowMinimum {
    fn new(window: Duration) -> Self {
        Self { window, values: VecDeque::new() }
    }

    fn push(&mut self, at: Duration, value: f32) {
        while self.values.back().is_some_and(|(_, old)| *old >= value) {
            self.values.pop_back();
        }
        self.values.push_back((at, value));
        while self.values.front().is_some_and(|(time, _)| *time + self.window < at) {
            self.values.pop_front();
        }
    }

    fn get(&self) -> Option<f32> {
        self.values.front().map(|(_, value)| *value)
    }
}

/// What the delays say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Free,
    /// More than jitter, but falling or not sure yet.
    Rising,
    /// A queue stands.
    Queue,
}

#[derive(Debug)]
pub(crate) struct DelayWatch {
    base: WindowMinimum,
    long: WindowMinimum,
    /// The newest groups: departure, arrival, delay in ms against the first packet.
    recent: VecDeque<(Duration, Duration, f32)>,
    /// Makes delays small numbers; the clocks of the two sides have nothing in common.
    zero_us: Option<i128>,
    group: Option<(Duration, Duration, f32)>,
    last_picture: Option<Duration>,
    spreads: VecDeque<f32>,
    /// Of the spreads, so that it need not be sorted out for every packet.
    jitter_ms: f32,
    window: Option<SpreadWindow>,
    /// Added for a while after a queue was seen that was none.
    doubt_ms: f32,
}

/// The delays of the long window that is being learnt from.
#[derive(Clone, Copy, Debug)]
struct SpreadWindow {
    since: Duration,
    lowest: f32,
    /// The two highest: one packet out of line is not the jitter.
    highest: [f32; 2],
}

impl DelayWatch {
    pub fn new() -> Self {
        Self {
            base: WindowMinimum::new(BASE),
            long: WindowMinimum::new(LONG),
            recent: VecDeque::new(),
            zero_us: None,
            group: None,
            last_picture: None,
            spreads: VecDeque::from([FIRST_JITTER_MS; 3]),
            jitter_ms: FIRST_JITTER_MS,
            window: None,
            doubt_ms: 0.0,
        }
    }

    /// A packet that left at `sent` came in at `arrived` on the other side's clock. In the order of sending.
    /// Behind a picture's packet wait the ones after it: only what leaves after a pause of the pictures tells the path's jitter.
    pub fn packet(&mut self, sent: Duration, arrived: Duration, of_picture: bool) {
        let delay_us = arrived.as_micros() as i128 - sent.as_micros() as i128;
        let zero = *self.zero_us.get_or_insert(delay_us);
        let delay = (delay_us - zero) as f32 / 1000.0;
        let alone = self.last_picture.is_none_or(|last| sent.saturating_sub(last) >= PAUSE);
        if of_picture {
            self.last_picture = Some(sent);
        }
        if alone {
            self.learn(sent, delay);
        }
        match &mut self.group {
            Some((first, at, least)) if sent.saturating_sub(*first) <= BURST => {
                if delay < *least {
                    (*at, *least) = (arrived, delay);
                }
            }
            group => {
                if let Some((sent, arrived, delay)) = group.replace((sent, arrived, delay)) {
                    self.take_group(sent, arrived, delay);
                }
            }
        }
    }

    fn take_group(&mut self, sent: Duration, arrived: Duration, delay: f32) {
        // By arrival: behind a sudden queue much of what was sent in a moment comes in late, and that is what is to be seen.
        let arrived = self.recent.back().map_or(arrived, |(_, last, _)| arrived.max(*last));
        self.base.push(arrived, delay);
        self.long.push(arrived, delay);
        self.recent.push_back((sent, arrived, delay));
        while self.recent.front().is_some_and(|(_, time, _)| *time + LONG < arrived) {
            self.recent.pop_front();
        }
    }

    fn learn(&mut self, sent: Duration, delay: f32) {
        match &mut self.window {
            Some(window) if sent.saturating_sub(window.since) < LONG => {
                window.lowest = window.lowest.min(delay);
                if delay > window.highest[0] {
                    window.highest = [delay, window.highest[0]];
                } else {
                    window.highest[1] = window.highest[1].max(delay);
                }
            }
            window => {
                if let Some(done) = window.replace(SpreadWindow { since: sent, lowest: delay, highest: [delay, delay] }) {
                    self.spreads.push_back((done.highest[1] - done.lowest).min(JITTER_LIMIT_MS));
                    if self.spreads.len() > SPREADS {
                        self.spreads.pop_front();
                    }
                    self.doubt_ms *= 0.98;
                    self.jitter_ms = self.usual_spread();
                }
            }
        }
    }

    /// What is measured now is not jitter: nothing is to be learnt from it.
    pub fn do_not_learn(&mut self) {
        self.window = None;
    }

    /// How far delays usually spread while no queue stands, ms.
    pub fn jitter_ms(&self) -> f32 {
        self.jitter_ms + self.doubt_ms
    }

    fn usual_spread(&self) -> f32 {
        let mut spreads: Vec<f32> = self.spreads.iter().copied().collect();
        spreads.sort_by(f32::total_cmp);
        let place = (spreads.len() as f32 * SPREAD_SHARE) as usize;
        spreads.get(place.min(spreads.len().saturating_sub(1))).copied().unwrap_or(0.0)
    }

    fn short_envelope(&self) -> Option<f32> {
        let (_, newest, _) = *self.recent.back()?;
        let (mut least, mut groups) = (f32::MAX, 0);
        for (_, arrived, delay) in self.recent.iter().rev() {
            if groups >= SHORT_GROUPS && *arrived + SHORT < newest {
                return Some(least);
            }
            least = least.min(*delay);
            groups += 1;
        }
        (groups >= SHORT_GROUPS).then_some(least)
    }

    /// The queue that every packet of the last moment has met, ms.
    pub fn queue_ms(&self) -> f32 {
        match (self.short_envelope(), self.base.get()) {
            (Some(envelope), Some(base)) => envelope - base,
            _ => 0.0,
        }
    }

    /// Below this the queue is gone.
    pub fn empty_ms(&self) -> f32 {
        0.5 * (LONG_MARGIN_MS + LONG_SHARE * self.jitter_ms())
    }

    fn standing_ms(&self) -> f32 {
        match (self.long.get(), self.base.get()) {
            (Some(envelope), Some(base)) => envelope - base,
            _ => 0.0,
        }
    }

    pub fn verdict(&self) -> Verdict {
        let jitter = self.jitter_ms();
        let (short, standing) = (self.queue_ms(), self.standing_ms());
        let rising = self.slope() > -0.05;
        let sure = short > SHORT_MARGIN_MS + jitter || standing > LONG_MARGIN_MS + LONG_SHARE * jitter;
        match (sure, rising) {
            (true, true) => Verdict::Queue,
            (true, false) => Verdict::Rising,
            (false, _) if short > self.empty_ms() => Verdict::Rising,
            (false, _) => Verdict::Free,
        }
    }

    /// How fast the delay changes, ms a ms: least squares over the last groups, as the trendline of libwebrtc has it.
    pub fn slope(&self) -> f32 {
        let Some((_, newest, _)) = self.recent.back() else { return 0.0 };
        let points = self.recent.iter().rev().take_while(|(_, arrived, _)| *arrived + 2 * SHORT >= *newest);
        let points: Vec<(f32, f32)> =
            points.map(|(_, arrived, delay)| (-(newest.saturating_sub(*arrived).as_secs_f32() * 1000.0), *delay)).collect();
        let count = points.len() as f32;
        if points.len() < SHORT_GROUPS {
            return 0.0;
        }
        let (x_mean, y_mean) =
            (points.iter().map(|point| point.0).sum::<f32>() / count, points.iter().map(|point| point.1).sum::<f32>() / count);
        let over: f32 = points.iter().map(|(x, y)| (x - x_mean) * (y - y_mean)).sum();
        let under: f32 = points.iter().map(|(x, _)| (x - x_mean).powi(2)).sum();
        if under > 0.0 { over / under } else { 0.0 }
    }

    /// A queue was seen that went away by itself: jitter that was not known yet.
    pub fn doubt(&mut self) {
        self.doubt_ms = (self.doubt_ms + 10.0).min(JITTER_LIMIT_MS);
    }

    /// The delay did not fall with the rate: it is the path's, and the base from now on.
    pub fn rebase(&mut self) {
        self.base.values.clear();
        if let Some(standing) = self.long.get()
            && let Some((_, newest, _)) = self.recent.back()
        {
            self.base.push(*newest, standing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(value: f32) -> Duration {
        Duration::from_secs_f32(value.max(0.0) / 1000.0)
    }

    /// Packets every 10 ms with the delay that `delay` gives for their time.
    fn run(watch: &mut DelayWatch, from: u32, to: u32, delay: impl Fn(f32) -> f32) -> usize {
        let mut queues = 0;
        for time in (from..to).step_by(10) {
            let time = time as f32;
            watch.packet(ms(time), ms(time + 5000.0 + delay(time)), false);
            queues += usize::from(watch.verdict() == Verdict::Queue);
        }
        queues
    }

    /// Between values drawn every 100 ms, as the link of the rig does it.
    fn wander(time: f32) -> f32 {
        let draw = |step: u64| {
            let mixed = (step + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f32 / (1u64 << 24) as f32 * 60.0
        };
        let (step, part) = ((time / 100.0).floor(), (time / 100.0).fract());
        draw(step as u64) * (1.0 - part) + draw(step as u64 + 1) * part
    }

    #[test]
    fn wandering_jitter_is_no_queue() {
        let mut watch = DelayWatch::new();
        let early = run(&mut watch, 0, 5_000, wander);
        let queues = run(&mut watch, 5_000, 120_000, wander);
        assert!(early < 25 && queues < 25, "{early} and {queues} of 12000");
        assert!(watch.jitter_ms() > 30.0);
    }

    #[test]
    fn a_sudden_queue_is_seen_within_a_tenth_of_a_second() {
        let mut watch = DelayWatch::new();
        assert_eq!(run(&mut watch, 0, 10_000, |time| time % 7.0), 0);
        // Each ms sent adds four of queue.
        let queues = run(&mut watch, 10_000, 10_100, |time| (time - 10_000.0) * 4.0);
        assert!(queues >= 2, "{queues}");
    }

    #[test]
    fn a_slow_queue_is_seen_before_it_is_long_even_through_jitter() {
        let mut watch = DelayWatch::new();
        run(&mut watch, 0, 20_000, wander);
        let queues = run(&mut watch, 20_000, 22_000, |time| wander(time) + ((time - 20_000.0) / 10.0).min(100.0));
        assert!(queues > 20, "{queues}");
        assert!(watch.slope().abs() < 2.0);
    }

    #[test]
    fn clocks_that_drift_are_no_queue() {
        let mut watch = DelayWatch::new();
        assert_eq!(run(&mut watch, 0, 300_000, |time| time * 100e-6), 0);
    }

    #[test]
    fn a_longer_path_is_the_base_once_it_is_said_to_be() {
        let mut watch = DelayWatch::new();
        run(&mut watch, 0, 5_000, |_| 0.0);
        run(&mut watch, 5_000, 6_000, |_| 80.0);
        assert_eq!(watch.verdict(), Verdict::Queue);
        watch.rebase();
        assert_eq!(watch.verdict(), Verdict::Free);
    }
}

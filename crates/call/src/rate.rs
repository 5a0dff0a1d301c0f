//! How many bits a second the video may have: a state machine fed with what the peer reports.
//!
//! Loss rules (RFC 8698 and the loss part of draft-ietf-rmcat-gcc-02 agree on the thresholds): below 2 % it grows, between 2 and
//! 10 % it stays, above it falls with the loss. A round trip that stretches far beyond the shortest one seen means a queue is
//! filling before anything is lost, and counts as congestion too. Growth is held to what is really being sent, so that a quiet
//! picture does not raise the allowance without proof.

use std::time::Duration;

/// Below this VP8 at 360p is no picture.
pub(crate) const MINIMUM_KBPS: u32 = 100;
const START_KBPS: u32 = 500;
/// Time between two steps upwards.
const STEP: Duration = Duration::from_millis(500);
/// Time between two cuts: the first one must be seen to work.
const CUT_INTERVAL: Duration = Duration::from_millis(600);
const GROWTH: f32 = 1.08;
/// A round trip this much over the shortest one is a queue.
const QUEUE: Duration = Duration::from_millis(120);
/// The shortest round trip is forgotten after this long, so that a new path gets a new base.
const BASE_LIFETIME: Duration = Duration::from_secs(20);
/// Fewer packets than this say nothing about loss.
const ENOUGH_PACKETS: u64 = 10;

/// What was learnt since the last update.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Observation {
    /// Packets the peer acknowledged and missed.
    pub acknowledged: u64,
    pub missed: u64,
    pub round_trip: Option<Duration>,
    /// What left in the same time.
    pub sent_kbps: u32,
}

#[derive(Debug)]
pub(crate) struct RateControl {
    kbps: f32,
    maximum: f32,
    grown: Duration,
    cut: Option<Duration>,
    base: Option<(Duration, Duration)>,
    acknowledged: u64,
    missed: u64,
}

impl RateControl {
    pub fn new(maximum_kbps: u32, now: Duration) -> Self {
        let maximum = maximum_kbps.max(MINIMUM_KBPS) as f32;
        Self { kbps: maximum.min(START_KBPS as f32), maximum, grown: now, cut: None, base: None, acknowledged: 0, missed: 0 }
    }

    pub fn kbps(&self) -> u32 {
        self.kbps as u32
    }

    /// A new path: nothing learnt about the old one holds.
    pub fn reset(&mut self, now: Duration) {
        *self = Self { kbps: self.kbps.min(START_KBPS as f32), ..Self::new(self.maximum as u32, now) };
    }

    /// To be called about ten times a second; gives the new target.
    pub fn update(&mut self, seen: Observation, now: Duration) -> u32 {
        self.acknowledged += seen.acknowledged;
        self.missed += seen.missed;
        let queued = seen.round_trip.is_some_and(|round_trip| self.queue(round_trip, now) > QUEUE);
        let packets = self.acknowledged + self.missed;
        let loss = (packets >= ENOUGH_PACKETS).then(|| self.missed as f32 / packets as f32);
        let may_cut = self.cut.is_none_or(|cut| now.saturating_sub(cut) >= CUT_INTERVAL);
        if let Some(loss) = loss.filter(|loss| *loss > 0.10 && may_cut) {
            self.cut_to(self.kbps * (1.0 - 0.5 * loss), now);
        } else if queued && may_cut {
            self.cut_to(self.kbps * 0.85, now);
        } else if now.saturating_sub(self.grown) >= STEP {
            let used = seen.sent_kbps as f32 > self.kbps * 0.6;
            if !queued && used && loss.is_some_and(|loss| loss < 0.02) {
                self.kbps = (self.kbps * GROWTH + 5.0).min(self.maximum);
            }
            self.grown = now;
            self.forget_packets();
        }
        self.kbps()
    }

    fn cut_to(&mut self, kbps: f32, now: Duration) {
        self.kbps = kbps.max(MINIMUM_KBPS as f32);
        self.cut = Some(now);
        self.grown = now;
        self.forget_packets();
    }

    fn forget_packets(&mut self) {
        self.acknowledged = 0;
        self.missed = 0;
    }

    /// How far a round trip lies above the shortest one.
    fn queue(&mut self, round_trip: Duration, now: Duration) -> Duration {
        match &mut self.base {
            Some((shortest, since)) if *shortest <= round_trip && now.saturating_sub(*since) < BASE_LIFETIME => {
                round_trip - *shortest
            }
            base => {
                *base = Some((round_trip, now));
                Duration::ZERO
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    fn run(control: &mut RateControl, from: u64, to: u64, loss: f32, round_trip: u64) -> u32 {
        for time in (from..to).step_by(100) {
            let missed = (loss * 20.0).round() as u64;
            let sent_kbps = control.kbps();
            let seen = Observation { acknowledged: 20 - missed, missed, round_trip: Some(ms(round_trip)), sent_kbps };
            control.update(seen, ms(time));
        }
        control.kbps()
    }

    #[test]
    fn grows_to_the_maximum_on_a_clean_path() {
        let mut control = RateControl::new(1500, ms(0));
        assert_eq!(control.kbps(), 500);
        assert_eq!(run(&mut control, 0, 15_000, 0.0, 40), 1500);
    }

    #[test]
    fn falls_with_loss_and_comes_back() {
        let mut control = RateControl::new(1500, ms(0));
        run(&mut control, 0, 15_000, 0.0, 40);
        let low = run(&mut control, 15_000, 20_000, 0.3, 40);
        assert!(low < 600, "{low}");
        assert!(run(&mut control, 20_000, 40_000, 0.0, 40) > 1400);
    }

    #[test]
    fn a_growing_queue_is_congestion_before_loss() {
        let mut control = RateControl::new(1500, ms(0));
        run(&mut control, 0, 15_000, 0.0, 40);
        assert!(run(&mut control, 15_000, 18_000, 0.0, 400) < 800);
    }

    #[test]
    fn five_per_cent_is_neither_reason_to_grow_nor_to_fall() {
        let mut control = RateControl::new(1500, ms(0));
        assert_eq!(run(&mut control, 0, 10_000, 0.05, 40), 500);
    }

    #[test]
    fn a_quiet_picture_does_not_raise_the_allowance() {
        let mut control = RateControl::new(1500, ms(0));
        for time in (0..10_000).step_by(100) {
            control.update(Observation { acknowledged: 20, missed: 0, round_trip: Some(ms(40)), sent_kbps: 50 }, ms(time));
        }
        assert_eq!(control.kbps(), 500);
    }

    proptest! {
        #[test]
        fn stays_within_bounds(maximum in 0u32..5000, steps in prop::collection::vec((0u64..200, 0u64..200, 0u64..3000, 0u32..9000, 0u64..2000), 0..200)) {
            let mut control = RateControl::new(maximum, ms(0));
            let mut now = 0;
            for (acknowledged, missed, round_trip, sent_kbps, pause) in steps {
                now += pause;
                let kbps = control.update(Observation { acknowledged, missed, round_trip: Some(ms(round_trip)), sent_kbps }, ms(now));
                prop_assert!(kbps >= MINIMUM_KBPS && kbps <= maximum.max(MINIMUM_KBPS));
            }
        }
    }
}

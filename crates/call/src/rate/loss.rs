//! When losses mean that less should be sent.
//!
//! Losses that come whatever is sent (radio, a bad cable) are the path's own: sending less does not help, and they are learnt as
//! nearly the smallest share of the last windows. What is lost beyond that by more than a tenth, and by more than chance makes of
//! so few packets or bursts have made of the last windows, is congestion that no delay shows, as at a bottleneck with a short queue or a policer
//! (draft-ietf-rmcat-gcc-02, section 6, cuts at a tenth of all).

use std::collections::VecDeque;
use std::time::Duration;

const WINDOW: Duration = Duration::from_millis(1000);
/// Fewer packets make no share.
const ENOUGH: u32 = 80;
const WINDOWS: usize = 12;
/// Beyond what the path loses anyway.
const MARGIN: f32 = 0.10;
/// And so many standard deviations of a share that is the path's own.
const DEVIATIONS: f32 = 2.5;
/// While fewer windows are known, so much may be the path's own.
const KNOWN: usize = 3;
const FIRST_OWN: f32 = 0.12;
/// How much a single window weighs in the mean against none at all.
const DOUBT: f32 = 0.4;

#[derive(Debug, Default)]
pub(crate) struct LossWatch {
    since: Option<Duration>,
    lost: u32,
    all: u32,
    shares: VecDeque<f32>,
}

impl LossWatch {
    /// Counts packets at the time of their feedback. Gives a share (0 to 1) once when it calls for less.
    pub fn count(&mut self, lost: u32, all: u32, now: Duration) -> Option<f32> {
        let since = *self.since.get_or_insert(now);
        self.lost += lost;
        self.all += all;
        if now.saturating_sub(since) < WINDOW || self.all < ENOUGH {
            return None;
        }
        let share = self.lost as f32 / self.all as f32;
        let own = self.own();
        let chance = DEVIATIONS * (own * (1.0 - own) / self.all as f32).sqrt();
        let usual = (own + chance).max(self.bursts());
        self.shares.push_back(share);
        if self.shares.len() > WINDOWS {
            self.shares.pop_front();
        }
        (self.since, self.lost, self.all) = (Some(now), 0, 0);
        (share > usual + MARGIN).then_some(share)
    }

    /// What a window may lose on a path that loses in bursts; nothing before it is known.
    fn bursts(&self) -> f32 {
        let count = self.shares.len() as f32;
        if self.shares.len() < KNOWN {
            return 0.0;
        }
        let mean = self.shares.iter().sum::<f32>() / count;
        let spread = self.shares.iter().map(|share| (share - mean).powi(2)).sum::<f32>() / count;
        mean + spread.sqrt()
    }

    fn sorted(&self) -> Vec<f32> {
        let mut shares: Vec<f32> = self.shares.iter().copied().collect();
        shares.sort_by(f32::total_cmp);
        shares
    }

    /// The second smallest: one lucky window is not the path.
    fn own(&self) -> f32 {
        let shares = self.sorted();
        if shares.len() < KNOWN { FIRST_OWN } else { shares.get(1).copied().unwrap_or(FIRST_OWN) }
    }

    /// What the path loses whatever is sent, 0 to 1; none before it is known. Where it is a queue that drops packets, copies and
    /// repeated repairs would make it drop more, so this errs on the low side where a limit of the path is met. Elsewhere it is the
    /// mean, bursts included: nearer to nothing while few windows are known.
    pub fn known(&self, limited: bool) -> f32 {
        let own = if self.shares.len() < KNOWN { 0.0 } else { self.own() };
        let mean = self.shares.iter().sum::<f32>() / (self.shares.len() as f32 + DOUBT);
        if limited { own } else { own.max(mean) }
    }

    /// What is lost usually, 0 to 1, for whatever reason.
    pub fn usual(&self) -> f32 {
        let shares = self.sorted();
        shares.get(shares.len() / 2).copied().unwrap_or(0.0)
    }

    /// What was counted since the last window belongs to an outage.
    pub fn forget_window(&mut self) {
        (self.since, self.lost, self.all) = (None, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(watch: &mut LossWatch, from: u64, to: u64, lost: u32) -> usize {
        (from..to).step_by(100).filter(|at| watch.count(lost, 20, Duration::from_millis(*at)).is_some()).count()
    }

    #[test]
    fn losses_of_the_path_are_borne_and_others_are_not() {
        let mut watch = LossWatch::default();
        assert_eq!(run(&mut watch, 0, 30_000, 2), 0, "a tenth at random");
        assert!(run(&mut watch, 30_000, 33_000, 6) > 0);
        let mut watch = LossWatch::default();
        let cuts = run(&mut watch, 0, 30_000, 8);
        assert!((1..=KNOWN).contains(&cuts), "two fifths at random: tried whether less helps, {cuts} times");
    }

    #[test]
    fn chance_is_no_congestion() {
        // A tenth of about 85 packets a second, drawn: shares from 2 to 20 %.
        let mut watch = LossWatch::default();
        let mut state = 7u64;
        let mut cuts = 0;
        for step in 0..12_000u64 {
            let lost = (0..8).filter(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33).is_multiple_of(10)
            });
            cuts += usize::from(watch.count(lost.count() as u32, 8, Duration::from_millis(step * 100)).is_some());
        }
        assert!(cuts <= 2, "{cuts} cuts in twenty minutes");
        assert!((0.06..0.15).contains(&watch.usual()), "{}", watch.usual());
    }
}

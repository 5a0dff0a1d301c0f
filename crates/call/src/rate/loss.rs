//! When losses mean that less should be sent.
//!
//! Losses that come whatever is sent (radio, a bad cable) are the path's own: sending less does not help, and they are learnt as the
//! smallest share of the last ten seconds. What is lost beyond that by more than a tenth is congestion that no delay shows, as at a
//! bottleneck with a short queue or a policer (draft-ietf-rmcat-gcc-02, section 6, cuts at a tenth of all).

use std::collections::VecDeque;
use std::time::Duration;

const WINDOW: Duration = Duration::from_millis(1000);
/// Fewer packets make no share.
const ENOUGH: u32 = 40;
const WINDOWS: usize = 10;
/// Beyond what the path loses anyway.
const MARGIN: f32 = 0.10;

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
        let own = self.shares.iter().copied().reduce(f32::min).unwrap_or(0.0);
        self.shares.push_back(share);
        if self.shares.len() > WINDOWS {
            self.shares.pop_front();
        }
        (self.since, self.lost, self.all) = (Some(now), 0, 0);
        (share > own + MARGIN).then_some(share)
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
        assert_eq!(run(&mut watch, 0, 30_000, 5), 1, "a fourth at random: tried once whether less helps");
    }
}

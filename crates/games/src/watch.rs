//! Whether the offerer's clock, by which the time of a game is counted, runs as one's own does. Bounded: a delay within the tolerance is
//! forgiven, and nothing is said about times in which this side slept, paused or heard nothing.

use std::time::Duration;

/// What the offerer's clock may gain or lose against one's own. A message on a connection that stalls without breaking is late by less.
const TOLERANCE_MS: i64 = 12_000;
/// After this long without a word, or without a look at one's own clock, nothing is known of what lies between.
const SILENCE: Duration = Duration::from_secs(5);
/// What was held back is told first.
const SETTLING: Duration = Duration::from_secs(5);

/// The lowest and the highest that the offerer's clock was seen ahead of one's own.
#[derive(Default)]
pub(crate) struct Watch {
    ahead: Option<(i64, i64)>,
    heard_at: Option<Duration>,
    looked_at: Option<Duration>,
    settles_until: Duration,
}

impl Watch {
    pub fn begin_again(&mut self, now: Duration) {
        self.ahead = None;
        self.settles_until = now + SETTLING;
    }

    pub fn look(&mut self, now: Duration) {
        if self.looked_at.replace(now).is_some_and(|before| now > before + SILENCE) {
            self.begin_again(now);
        }
    }

    /// The offerer says that it is so late there; `false` if no honest clock says so.
    pub fn hear(&mut self, at_ms: u32, now: Duration) -> bool {
        if self.heard_at.replace(now).is_none_or(|before| now > before + SILENCE) {
            self.begin_again(now);
        }
        if now < self.settles_until {
            return true;
        }
        let ahead = i64::from(at_ms) - i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        let (low, high) = self.ahead.map_or((ahead, ahead), |(low, high)| (low.min(ahead), high.max(ahead)));
        self.ahead = Some((low, high));
        high - low <= TOLERANCE_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hears every two seconds, with a delay that wavers.
    fn run(watch: &mut Watch, seconds: std::ops::Range<u64>, clock: impl Fn(u64) -> u64) -> bool {
        seconds.step_by(2).all(|second| {
            let now = Duration::from_millis(second * 1000 + second % 7 * 400);
            watch.look(now);
            watch.hear((clock(second) * 1000) as u32, now)
        })
    }

    #[test]
    fn an_honest_clock_is_believed_over_delays_pauses_and_sleep() {
        let mut watch = Watch::default();
        assert!(run(&mut watch, 100..400, |second| second - 90));
        watch.begin_again(Duration::from_secs(400));
        assert!(run(&mut watch, 460..700, |second| second - 150), "it stood still for a minute, as both said");
        assert!(run(&mut watch, 800..900, |second| second - 200), "nothing was heard for a hundred seconds");
    }

    #[test]
    fn a_clock_that_is_fast_or_slow_or_jumps_is_not() {
        assert!(!run(&mut Watch::default(), 100..160, |second| (second - 90) * 3 / 2));
        assert!(!run(&mut Watch::default(), 100..160, |second| (second - 90) / 2));
        assert!(!run(&mut Watch::default(), 100..160, |second| second - 90 + if second > 120 { 20 } else { 0 }));
    }
}

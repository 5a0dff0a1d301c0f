//! When something is believed: evidence adds up over time (a sequential probability ratio test), so that much of it is believed
//! at once and little of it later, and what contradicts takes away again.

use crate::detector::CameraState;
use std::time::Duration;

/// One look counts for no more than this, either way: no single picture decides.
const MOST: f32 = 4.0;
/// A look stands for the time since the last one, at most so long.
const LONGEST: Duration = Duration::from_millis(150);
/// Sums of looks that end so near to the limit have reached it.
const ROUNDING: f32 = 1e-4;
/// Another kind of trouble is said after it has been seen for so long without a break.
const OTHER_KIND: Duration = Duration::from_millis(250);

/// Starts undecided, halfway between trouble and clear.
#[derive(Debug)]
pub(crate) struct Belief {
    shown: CameraState,
    /// Evidence of trouble in hand, logits times seconds, from 0 to `full`.
    level: f32,
    full: f32,
    /// How much less evidence of a clear view counts while trouble is shown.
    slower: f32,
    other: Option<(CameraState, Duration)>,
}

impl Belief {
    /// How long the strongest evidence takes: of trouble, and that trouble is over.
    pub(crate) fn new(trouble: Duration, over: Duration) -> Self {
        let full = MOST * trouble.as_secs_f32();
        let slower = trouble.as_secs_f32() / over.as_secs_f32();
        Self { shown: CameraState::Unknown, level: full / 2.0, full, slower, other: None }
    }

    pub(crate) fn shown(&self) -> CameraState {
        self.shown
    }

    /// Believed at once.
    pub(crate) fn set(&mut self, state: CameraState) {
        self.level = match state {
            CameraState::Unknown => self.full / 2.0,
            CameraState::Clear => 0.0,
            _ => self.full,
        };
        self.shown = state;
        self.other = None;
    }

    /// `logit` of trouble, what it would be called, and the time since the last look.
    pub(crate) fn feed(&mut self, logit: f32, trouble: CameraState, passed: Duration, now: Duration) {
        let decided = !matches!(self.shown, CameraState::Unknown | CameraState::Clear);
        let share = if decided && logit < 0.0 { self.slower } else { 1.0 };
        let step = share * logit.clamp(-MOST, MOST) * passed.min(LONGEST).as_secs_f32();
        self.level = (self.level + step).clamp(0.0, self.full);
        if self.level <= ROUNDING {
            self.set(CameraState::Clear);
        } else if self.level >= self.full - ROUNDING && !decided {
            self.set(trouble);
        } else if decided {
            self.rename(logit, trouble, now);
        }
    }

    fn rename(&mut self, logit: f32, trouble: CameraState, now: Duration) {
        if trouble == self.shown || logit <= 0.0 {
            self.other = None;
            return;
        }
        match self.other {
            Some((state, since)) if state == trouble => {
                if now.saturating_sub(since) >= OTHER_KIND {
                    self.shown = trouble;
                    self.other = None;
                }
            }
            _ => self.other = Some((trouble, now)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CameraState::{Clear, Covered, Dark, Partial, Unknown};

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Feeds the same logit every 50 ms until something else is shown; how long that took.
    fn until(belief: &mut Belief, logit: f32, trouble: CameraState) -> u64 {
        let before = belief.shown();
        (1..200)
            .map(|look| look * 50)
            .find(|&at| {
                belief.feed(logit, trouble, ms(50), ms(at));
                belief.shown() != before
            })
            .unwrap_or(u64::MAX)
    }

    #[test]
    fn much_evidence_is_believed_soon_and_little_later() {
        for (logit, after) in [(9.0, 300), (4.0, 300), (2.0, 600), (1.0, 1200)] {
            let mut belief = Belief::new(ms(300), ms(300));
            belief.set(Clear);
            assert_eq!(until(&mut belief, logit, Covered), after);
            assert_eq!(belief.shown(), Covered);
            assert_eq!(until(&mut belief, -logit, Covered), after);
            assert_eq!(belief.shown(), Clear);
        }
    }

    #[test]
    fn that_trouble_is_over_may_take_longer_than_trouble() {
        let mut belief = Belief::new(ms(300), ms(600));
        belief.set(Clear);
        assert_eq!(until(&mut belief, 4.0, Covered), 300);
        assert_eq!(until(&mut belief, -4.0, Covered), 600);
        assert_eq!(until(&mut belief, 4.0, Covered), 300);
    }

    #[test]
    fn nothing_is_said_before_there_is_evidence() {
        let mut belief = Belief::new(ms(300), ms(300));
        assert_eq!(belief.shown(), Unknown);
        assert_eq!(until(&mut belief, 0.0, Covered), u64::MAX);
        assert_eq!(until(&mut belief, -4.0, Covered), 150);
        assert_eq!(belief.shown(), Clear);
    }

    #[test]
    fn what_contradicts_takes_away() {
        let mut belief = Belief::new(ms(300), ms(300));
        belief.set(Clear);
        for look in 0..100 {
            belief.feed(if look % 2 == 0 { 3.0 } else { -3.5 }, Covered, ms(66), ms(66 * look));
            assert_eq!(belief.shown(), Clear);
        }
    }

    #[test]
    fn another_kind_of_trouble_is_said_once_it_lasts() {
        let mut belief = Belief::new(ms(300), ms(300));
        belief.set(Dark);
        for (at, trouble, shown) in
            [(0, Covered, Dark), (200, Dark, Dark), (300, Covered, Dark), (500, Covered, Dark), (550, Covered, Covered)]
        {
            belief.feed(2.0, trouble, ms(60), ms(at));
            assert_eq!(belief.shown(), shown, "at {at} ms");
        }
    }

    #[test]
    fn what_contradicts_another_kind_starts_its_wait_anew() {
        let mut belief = Belief::new(ms(300), ms(300));
        belief.set(Dark);
        for (at, logit, trouble, shown) in [
            (0, 2.0, Covered, Dark),
            (100, -0.5, Covered, Dark),
            (300, 2.0, Covered, Dark),
            (540, 2.0, Covered, Dark),
            (560, 2.0, Partial, Dark),
            (800, 2.0, Partial, Dark),
            (820, 2.0, Partial, Partial),
        ] {
            belief.feed(logit, trouble, ms(60), ms(at));
            assert_eq!(belief.shown(), shown, "at {at} ms");
        }
    }

    #[test]
    fn who_starts_anew_is_halfway_again() {
        for (logit, shown) in [(-4.0, Clear), (4.0, Covered)] {
            let mut belief = Belief::new(ms(300), ms(300));
            belief.set(Dark);
            belief.set(Unknown);
            assert_eq!(belief.shown(), Unknown);
            assert_eq!(until(&mut belief, logit, Covered), 150);
            assert_eq!(belief.shown(), shown);
        }
    }

    #[test]
    fn while_clear_is_shown_what_contradicts_trouble_is_not_slowed() {
        let mut belief = Belief::new(ms(300), ms(600));
        belief.set(Clear);
        for (look, logit) in [4.0, 4.0, 4.0, -4.0, -4.0].into_iter().enumerate() {
            belief.feed(logit, Covered, ms(50), ms(50 * look as u64));
        }
        assert_eq!(until(&mut belief, 4.0, Covered), 250, "of 300, of which 50 are in hand");
    }

    #[test]
    fn one_look_after_a_long_pause_is_one_look() {
        let mut belief = Belief::new(ms(300), ms(300));
        belief.set(Clear);
        belief.feed(9.0, Covered, Duration::from_secs(60), Duration::from_secs(60));
        assert_eq!(belief.shown(), Clear);
    }
}

//! Whether the offerer's clock, by which the time of a game is counted, runs as one's own does, whether the other's program owes
//! something for too long, and whether it pauses without a cause that is seen here. Bounded: a delay within the tolerance is forgiven,
//! and nothing is said about times in which this side slept or paused.

use crate::action::Pause;
use std::time::Duration;

/// What the offerer's clock may gain or lose against one's own. A message on a connection that stalls without breaking is late by less.
const TOLERANCE_MS: i64 = 12_000;
/// After this long without a word the next ones may be old; after this long without a look at one's own clock this side slept.
const SILENCE: Duration = Duration::from_secs(5);
/// What was held back is told first.
const SETTLING: Duration = Duration::from_secs(5);
/// Silences, less the time between them. An honest program speaks every two seconds; a connection that is away for so long is known to
/// be, and the game rests.
const SILENT_MOST: Duration = Duration::from_secs(40);
/// An honest program goes on at once; what its answer takes on a bad path is far below this.
const OWED_MOST: Duration = Duration::from_secs(30);

/// Pauses that nothing explains. A veil or a broken connection is seen on both sides within seconds; a real pause may last.
const UNEXPLAINED_MOST: Duration = Duration::from_secs(60);

/// The lowest and the highest that the offerer's clock was seen ahead of one's own.
#[derive(Default)]
pub(crate) struct Watch {
    ahead: Option<(i64, i64)>,
    heard_at: Option<Duration>,
    looked_at: Option<Duration>,
    settles_until: Duration,
    silent: Duration,
}

impl Watch {
    /// Nothing that was held back meanwhile says anything about the offerer.
    pub fn begin_again(&mut self, now: Duration) {
        self.ahead = None;
        self.heard_at = Some(now);
        self.settles_until = now + SETTLING;
    }

    /// `false` once the offerer was silent for too long. `counts`: something is played, and nobody pauses.
    pub fn look(&mut self, counts: bool, now: Duration) -> bool {
        if self.looked_at.replace(now).is_none_or(|before| now > before + SILENCE) {
            self.begin_again(now);
        }
        if !counts {
            self.heard_at = Some(now);
        }
        let gap = now.saturating_sub(self.heard_at.unwrap_or(now));
        self.silent + if gap > SILENCE { gap } else { Duration::ZERO } <= SILENT_MOST
    }

    /// The offerer says that it is so late there; `false` if no honest clock says so.
    pub fn hear(&mut self, at_ms: u32, now: Duration) -> bool {
        let gap = now.saturating_sub(self.heard_at.replace(now).unwrap_or(now));
        if gap > SILENCE {
            self.silent += gap;
            self.settles_until = now + SETTLING;
        } else {
            self.silent = self.silent.saturating_sub(gap);
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

/// Something that the other's program owes, and for how long already.
#[derive(Default)]
pub(crate) struct Debt {
    paid: Option<u32>,
    waited: Duration,
}

impl Debt {
    /// Whether it was waited for too long. `paid` is what there is of it so far, and nothing where nothing is owed; `passed` is time in
    /// which both were there.
    pub fn waits(&mut self, paid: Option<u32>, passed: Duration) -> bool {
        if paid.is_none() || self.paid != paid {
            (self.paid, self.waited) = (paid, Duration::ZERO);
            return false;
        }
        self.waited += passed;
        self.waited > OWED_MOST
    }
}

/// Pauses of which the other's program tells.
#[derive(Default)]
pub(crate) struct Pauses {
    unexplained: Duration,
    /// What of the one that lasts is unexplained, and whether something of it is not.
    this: Option<(Duration, bool)>,
}

impl Pauses {
    /// Whether nothing explained them for too long. `held`: the other's program holds the game up; `own`: what this side knows.
    pub fn hold_up(&mut self, held: bool, own: Pause, passed: Duration) -> bool {
        let seen = own == Pause::Seen;
        if held || own == Pause::Told {
            let (this, explained) = self.this.get_or_insert_default();
            *explained |= seen;
            if !seen {
                *this += passed;
                // What is beyond takes longer to be forgotten, and says no more.
                self.unexplained = (self.unexplained + passed).min(UNEXPLAINED_MOST + Duration::from_secs(2));
            }
        } else if !seen {
            // Each lets the clock settle anew: many short ones must not hide a wrong one.
            if let Some((this, false)) = self.this.take() {
                self.unexplained += SETTLING.saturating_sub(this);
            }
            self.unexplained = self.unexplained.saturating_sub(passed / 4);
        }
        self.unexplained > UNEXPLAINED_MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks ten times a second and hears at those seconds, with a delay that wavers. `true` while nothing is found fault with.
    fn run(watch: &mut Watch, seconds: std::ops::Range<u64>, hears: impl Fn(u64) -> bool, clock: impl Fn(u64) -> u64) -> bool {
        seconds.filter(|second| second % 2 == 0).all(|second| {
            let from = second * 1000 + second % 7 * 400;
            let looks = (0..20).all(|tenth| watch.look(true, Duration::from_millis(from + tenth * 100)));
            let now = Duration::from_millis(from + 2000);
            looks && watch.look(true, now) && (!hears(second) || watch.hear((clock(second) * 1000) as u32, now))
        })
    }

    fn always(_: u64) -> bool {
        true
    }

    #[test]
    fn an_honest_clock_is_believed_over_delays_pauses_and_sleep() {
        let mut watch = Watch::default();
        assert!(run(&mut watch, 100..400, always, |second| second - 90));
        watch.begin_again(Duration::from_secs(400));
        assert!(run(&mut watch, 460..700, always, |second| second - 150), "it stood still for a minute, as both said");
        assert!(run(&mut watch, 800..900, always, |second| second - 200), "this side slept for a hundred seconds");
    }

    #[test]
    fn a_clock_that_is_fast_or_slow_or_jumps_is_not() {
        assert!(!run(&mut Watch::default(), 100..160, always, |second| (second - 90) * 3 / 2));
        assert!(!run(&mut Watch::default(), 100..160, always, |second| (second - 90) / 2));
        assert!(!run(&mut Watch::default(), 100..160, always, |second| second - 90 + if second > 120 { 20 } else { 0 }));
    }

    #[test]
    fn silences_hide_no_wrong_clock() {
        let talks = |second| second % 12 < 8;
        assert!(run(&mut Watch::default(), 100..400, talks, |second| second - 90));
        assert!(!run(&mut Watch::default(), 100..400, talks, |second| (second - 90) * 6 / 5));
    }

    #[test]
    fn who_hardly_speaks_is_noticed_and_who_is_late_now_and_then_is_not() {
        assert!(!run(&mut Watch::default(), 100..200, |second| second % 8 == 0, |second| second - 90), "every eight seconds");
        assert!(!run(&mut Watch::default(), 100..160, |second| second < 110, |second| second - 90), "not any more");
        assert!(
            run(&mut Watch::default(), 100..600, |second| second % 60 > 9, |second| second - 90),
            "ten seconds of each minute"
        );
        let mut watch = Watch::default();
        let pauses = (100..900).all(|second| watch.look(false, Duration::from_secs(second)));
        assert!(pauses, "while somebody pauses there is nothing to say");
    }

    #[test]
    fn a_pause_that_is_seen_may_last_and_one_that_is_told_may_not() {
        let second = Duration::from_secs(1);
        let mut pauses = Pauses::default();
        assert!((0..3600).all(|_| !pauses.hold_up(true, Pause::Seen, second)), "a real veil");
        assert!((0..60).all(|_| !pauses.hold_up(true, Pause::No, second)));
        assert!(pauses.hold_up(true, Pause::No, second));
        assert!((0..60).any(|_| !pauses.hold_up(false, Pause::No, second)), "what has passed is forgotten in time");
        let mut pauses = Pauses::default();
        assert!((0..70).any(|_| pauses.hold_up(false, Pause::Told, second)), "a veil that is told and not seen");
    }

    #[test]
    fn who_pauses_again_and_again_without_cause_is_noticed_and_who_veils_again_and_again_is_not() {
        let tenth = Duration::from_millis(100);
        let round = |pauses: &mut Pauses, seen| {
            let held = pauses.hold_up(true, Pause::No, tenth) || pauses.hold_up(true, seen, tenth);
            (0..40).fold(held, |held, _| pauses.hold_up(false, Pause::No, tenth) || held)
        };
        let mut pauses = Pauses::default();
        assert!((0..30).any(|_| round(&mut pauses, Pause::No)));
        let mut pauses = Pauses::default();
        assert!((0..500).all(|_| !round(&mut pauses, Pause::Seen)));
    }

    #[test]
    fn a_debt_is_counted_anew_with_each_part_that_is_paid() {
        let (mut debt, second) = (Debt::default(), Duration::from_secs(1));
        assert!((0..30).all(|_| !debt.waits(Some(1), second)));
        assert!((0..30).all(|_| !debt.waits(Some(2), second)));
        assert!((0..90).all(|_| !debt.waits(None, second) && !debt.waits(Some(2), Duration::ZERO)));
        assert!((0..40).any(|_| debt.waits(Some(2), second)));
    }
}

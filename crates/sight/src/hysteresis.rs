//! How long something must be seen before it is believed.

use crate::detector::CameraState;
use std::time::Duration;

/// Holds a state until another has been seen without a break for a while: one wait for leaving `Clear` (or changing between
/// states that are not), another for coming back to it. Two kinds of trouble that alternate count as one trouble, so that a
/// picture between dark and covered is not clear for ever.
#[derive(Debug)]
pub(crate) struct Hysteresis {
    shown: CameraState,
    /// Since when what was seen is on the other side of clear, or another trouble, than `shown`.
    differs: Option<(Duration, CameraState)>,
    to_trouble: Duration,
    to_clear: Duration,
}

impl Hysteresis {
    pub(crate) fn new(to_trouble: Duration, to_clear: Duration) -> Self {
        Self { shown: CameraState::Unknown, differs: None, to_trouble, to_clear }
    }

    pub(crate) fn shown(&self) -> CameraState {
        self.shown
    }

    /// Believed at once.
    pub(crate) fn set(&mut self, state: CameraState) {
        self.shown = state;
        self.differs = None;
    }

    pub(crate) fn feed(&mut self, seen: CameraState, now: Duration) {
        if seen == self.shown {
            self.differs = None;
            return;
        }
        let clear = |state| state == CameraState::Clear;
        let since = match self.differs {
            Some((since, last)) if clear(last) == clear(seen) => since,
            _ => now,
        };
        let wait = if clear(seen) { self.to_clear } else { self.to_trouble };
        if now.saturating_sub(since) >= wait {
            self.set(seen);
        } else {
            self.differs = Some((since, seen));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CameraState::{Clear, Covered, Dark, Unknown};

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn waits_differ_by_direction_and_start_anew_after_a_break() {
        let mut state = Hysteresis::new(ms(200), ms(600));
        for (at, seen, shown) in [
            (0, Clear, Unknown),
            (599, Clear, Unknown),
            (600, Clear, Clear),
            (700, Covered, Clear),
            (800, Clear, Clear),
            (900, Covered, Clear),
            (1099, Covered, Clear),
            (1100, Covered, Covered),
            (1200, Clear, Covered),
            (1700, Covered, Covered),
            (1800, Clear, Covered),
            (2400, Clear, Clear),
        ] {
            state.feed(seen, ms(at));
            assert_eq!(state.shown(), shown, "at {at} ms");
        }
    }

    #[test]
    fn troubles_that_alternate_are_one_trouble() {
        let mut state = Hysteresis::new(ms(200), ms(600));
        state.set(Clear);
        for at in 0..4 {
            state.feed(if at % 2 == 0 { Dark } else { Covered }, ms(at * 70));
        }
        assert_ne!(state.shown(), Clear);
    }
}

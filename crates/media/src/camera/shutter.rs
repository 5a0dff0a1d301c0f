//! The camera's own privacy switch, where its driver tells of one: asked about twice a second, told on change.

use std::time::Duration;

/// Not with every picture: on a USB camera the question is a transfer of its own.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// A switch that fails this often in a row is asked no more.
const MOST_FAULTS: u32 = 4;

/// The driver's control.
pub(super) trait Switch {
    /// Whether the shutter is closed. `Err`: not told this time, or never.
    fn is_closed(&mut self) -> std::io::Result<bool>;
}

/// `None` inside: this camera has no such switch.
pub(super) struct Shutter<S> {
    switch: Option<S>,
    asked_at: Option<Duration>,
    faults: u32,
    closed: bool,
}

impl<S: Switch> Shutter<S> {
    pub fn new(switch: S) -> Self {
        Self { switch: Some(switch), asked_at: None, faults: 0, closed: false }
    }

    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// To be called at any rate. `Some`: it was closed (or opened) since the last time.
    pub fn look(&mut self, now: Duration) -> Option<bool> {
        if self.asked_at.is_some_and(|at| now < at + ASK_EVERY) {
            return None;
        }
        let switch = self.switch.as_mut()?;
        self.asked_at = Some(now);
        match switch.is_closed() {
            Ok(closed) => {
                self.faults = 0;
                let changed = closed != self.closed;
                self.closed = closed;
                changed.then_some(closed)
            }
            Err(error) => {
                self.faults += 1;
                if self.faults >= MOST_FAULTS {
                    tracing::debug!(%error, "the camera tells of no shutter");
                    self.switch = None;
                    // Nothing is claimed that can no longer be seen.
                    return std::mem::take(&mut self.closed).then_some(false);
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers in turn; `None` fails.
    struct Script(Vec<Option<bool>>, usize);

    impl Switch for &mut Script {
        fn is_closed(&mut self) -> std::io::Result<bool> {
            let answer = self.0.get(self.1).copied().flatten();
            self.1 += 1;
            answer.ok_or_else(|| std::io::Error::other("no"))
        }
    }

    fn run(script: &mut Script, every_ms: u64, count: u64) -> Vec<(u64, bool)> {
        let mut shutter = Shutter::new(script);
        (0..count)
            .filter_map(|at| shutter.look(Duration::from_millis(at * every_ms)).map(|closed| (at * every_ms, closed)))
            .collect()
    }

    #[test]
    fn changes_are_told_once_and_asked_for_twice_a_second() {
        let mut script = Script(vec![Some(false), Some(true), Some(true), None, Some(true), Some(false), Some(false)], 0);
        assert_eq!(run(&mut script, 33, 100), [(528, true), (2640, false)]);
        assert!(script.1 <= 7, "{}", script.1);
    }

    #[test]
    fn closed_from_the_start_is_told_at_once() {
        assert_eq!(run(&mut Script(vec![Some(true); 9], 0), 500, 9), [(0, true)]);
    }

    #[test]
    fn a_camera_without_a_switch_is_left_alone_and_a_broken_one_claims_nothing() {
        let mut none = Script(vec![], 0);
        assert_eq!(run(&mut none, 500, 50), []);
        assert_eq!(none.1, MOST_FAULTS as usize);
        let mut broken = Script(vec![Some(true)], 0);
        assert_eq!(run(&mut broken, 500, 50), [(0, true), (2000, false)]);
    }
}

//! Monotonic time since the process began to care, as a `Duration`.

use std::time::{Duration, Instant};

/// Copies tell the same time. Its zero has no meaning outside the process.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn now(&self) -> Duration {
        self.0.elapsed()
    }

    /// When an instant of the same monotonic clock (a driver's time stamp, for example) was on this clock; zero when it lies
    /// before the start.
    pub fn at(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.0)
    }
}

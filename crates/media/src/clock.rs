//! Monotonic time since the process began to care, as a `Duration`.
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    pub fn start() -> Self {
        Self(Instant::now())
    }
    pub fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

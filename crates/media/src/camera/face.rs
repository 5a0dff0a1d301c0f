//! A drawn face.
use super::pace::Source;
use super::pattern::Pattern;
use crate::{Frame, FramePool};
use std::time::Duration;

pub(super) struct Face(Pattern);

impl Face {
    pub fn new(_name: &str, width: usize, height: usize) -> Self {
        Self(Pattern::new(width, height))
    }
}

impl Source for Face {
    fn picture(&mut self, tick: u64, captured: Duration, pool: &FramePool) -> Result<Option<Frame>, String> {
        self.0.picture(tick, captured, pool)
    }
}

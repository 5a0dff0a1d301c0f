//! What the matcher learnt: where a room begins, and what it hands on.

#[cfg(test)]
mod tests;

use super::{Output, Room};
use visavis_matching::{Model, Pool, Settings};

/// Weights are handed on so often at most; a leader that dies loses what came after.
const KEEP_EVERY_MS: u64 = 10_000;

/// Of the leaders before this one.
#[derive(Clone, Debug, Default)]
pub struct Experience {
    /// As [`Output::Learnt`] said it.
    pub model: Option<String>,
    /// What people list together.
    pub interests: Vec<Vec<String>>,
}

#[derive(Debug, Default)]
pub(super) struct Learnt {
    unkept: bool,
    kept_ms: u64,
}

impl Learnt {
    pub(super) fn more(&mut self) {
        self.unkept = true;
    }
}

impl Room {
    /// Before anybody waits. Weights that cannot be read are begun anew.
    pub fn experienced(mut self, experience: &Experience) -> Self {
        let model = experience.model.as_deref().map(Model::from_text);
        if model == Some(None) {
            tracing::warn!("the matcher's weights were written by another version; they begin anew");
        }
        self.waits.pool = Pool::new(Settings::default(), model.flatten().unwrap_or_default());
        for interests in &experience.interests {
            self.waits.pool.acquaint(interests);
        }
        self
    }

    pub(super) fn keep_learnt(&mut self, now_ms: u64, out: &mut Vec<Output>) {
        if self.learnt.unkept && now_ms >= self.learnt.kept_ms + KEEP_EVERY_MS {
            self.learnt.kept_ms = now_ms;
            out.extend(self.hand_on());
        }
    }

    /// What has not been handed on yet.
    pub fn hand_on(&mut self) -> Option<Output> {
        std::mem::take(&mut self.learnt.unkept).then(|| Output::Learnt(self.waits.pool.model().to_text()))
    }
}

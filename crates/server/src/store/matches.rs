//! Matches from their beginning to their end, and what the two said of them.

use super::{AccountId, Fence, StoreResult};
use async_trait::async_trait;
use visavis_wire::socket::{EndReason, MatchId};

/// What one of the two of a match said of it at its end; see `ClientMessage::SawCovered`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SightFact {
    pub match_id: MatchId,
    pub reporter: AccountId,
    pub peer: AccountId,
    pub saw_s: u32,
    pub told_s: u32,
}

/// A match that has begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningMatch {
    pub id: MatchId,
    pub a: AccountId,
    pub b: AccountId,
    pub a_offers: bool,
    /// A call between two who follow each other; `a` called.
    pub friends: bool,
}

/// How the two of a match took it, once their last question is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parted {
    pub match_id: MatchId,
    /// Which of the two left it, within seconds.
    pub left_early: [bool; 2],
    /// What each answered, whether or not it was mutual: weighed by the matcher alone.
    pub follow: [bool; 2],
}

/// What becomes of a committed pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MatchWrite {
    Began(RunningMatch),
    Ended(MatchId, EndReason),
    /// The offer came to nothing.
    Withdrawn(MatchId),
    Parted(Parted),
    /// The pool's weights, as text.
    Learnt(String),
}

#[async_trait]
pub trait Matches: Send + Sync {
    /// In their order and in one transaction, idempotent. False: the fence is an old one, and nothing was written.
    async fn write_matches(&self, fence: &Fence, writes: &[MatchWrite], at: i64) -> StoreResult<bool>;

    #[cfg(test)]
    async fn match_began(&self, fence: &Fence, running: &RunningMatch, at: i64) -> StoreResult<bool> {
        self.write_matches(fence, &[MatchWrite::Began(running.clone())], at).await
    }

    #[cfg(test)]
    async fn match_ended(&self, fence: &Fence, id: &MatchId, how: EndReason, at: i64) -> StoreResult<bool> {
        self.write_matches(fence, &[MatchWrite::Ended(id.clone(), how)], at).await
    }

    #[cfg(test)]
    async fn match_withdrawn(&self, fence: &Fence, id: &MatchId) -> StoreResult<bool> {
        self.write_matches(fence, &[MatchWrite::Withdrawn(id.clone())], 0).await
    }

    /// Idempotent; the first word of each about a match counts. What is too old to count is forgotten.
    async fn log_sight(&self, fact: &SightFact, at: i64) -> StoreResult<()>;
}

//! Matches from their beginning to their end, and what the two said of them.

use super::{AccountId, StoreResult};
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
}

#[async_trait]
pub trait Matches: Send + Sync {
    async fn match_began(&self, running: &RunningMatch, at: i64) -> StoreResult<()>;

    /// Those that began since then and have not ended.
    async fn running_matches(&self, since: i64) -> StoreResult<Vec<RunningMatch>>;

    async fn match_ended(&self, id: &MatchId, how: EndReason, at: i64) -> StoreResult<()>;

    /// Idempotent; the first word of each about a match counts. What is too old to count is forgotten.
    async fn log_sight(&self, fact: &SightFact, at: i64) -> StoreResult<()>;
}

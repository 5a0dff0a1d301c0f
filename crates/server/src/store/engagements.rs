//! Who is in which match right now, whatever node made it: written before it is announced, so that nobody is paired twice.

use super::{AccountId, RunningMatch, StoreResult};
use async_trait::async_trait;

/// The right to pair the people of one pool, as long as nobody has taken its lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    pub lease: String,
    pub number: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    Done,
    /// One of the two is in another match, is gone, or is no verified adult.
    NotAllowed,
    /// Somebody else leads the pool.
    Fenced,
}

/// What somebody who takes a pool over goes on with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakenOver {
    pub running: Vec<RunningMatch>,
    /// Committed, not begun; they may have been announced.
    pub offered: Vec<RunningMatch>,
}

#[async_trait]
pub trait Engagements: Send + Sync {
    /// Idempotent, so that it may be asked again when the answer was lost. One answer a pair, in their order.
    async fn commit_matches(&self, fence: &Fence, pairs: &[RunningMatch], at: i64) -> StoreResult<Vec<Committed>>;

    /// What is older than `since` is forgotten.
    async fn take_over(&self, shard: &str, since: i64) -> StoreResult<TakenOver>;

    /// The pool that leads the match in which somebody is.
    async fn engaged_at(&self, account: AccountId) -> StoreResult<Option<String>>;
}

//! Follows, which are mutual or not there.

use super::{AccountId, StoreResult};
use async_trait::async_trait;
use visavis_wire::http::Follow;

#[async_trait]
pub trait Follows: Send + Sync {
    /// Idempotent; the first time of following counts.
    async fn add_follow(&self, a: AccountId, b: AccountId, at: i64) -> StoreResult<()>;

    /// Newest first, `online` always false: the meeting room knows that.
    async fn follows(&self, of: AccountId) -> StoreResult<Vec<(AccountId, Follow)>>;
}

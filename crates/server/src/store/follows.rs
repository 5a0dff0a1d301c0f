//! Follows, which are mutual or not there.

use super::{AccountId, StoreResult};
use async_trait::async_trait;
use visavis_wire::http::Follow;

#[async_trait]
pub trait Follows: Send + Sync {
    /// Idempotent; the first time of following counts. Nothing where one blocked the other.
    async fn add_follow(&self, a: AccountId, b: AccountId, at: i64) -> StoreResult<()>;

    /// The texts go with it. Idempotent.
    async fn unfollow(&self, a: AccountId, b: AccountId) -> StoreResult<()>;

    /// Whether this person has a socket, and who of those who follow them, at which node; a few hundred at most.
    async fn friends_here(&self, of: AccountId) -> StoreResult<(bool, Vec<(AccountId, String)>)>;

    /// Newest first. `online` is always false, for the meeting room knows that, and `id` empty: it is made for whoever asks.
    async fn follows(&self, of: AccountId) -> StoreResult<Vec<(AccountId, Follow)>>;
}

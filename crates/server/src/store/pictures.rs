//! Pictures of profiles.

use super::{Account, AccountId, StoreResult};
use async_trait::async_trait;
use visavis_wire::socket::MatchId;

#[async_trait]
pub trait Pictures: Send + Sync {
    /// `jpeg`: base64; `None` takes the picture away. The profile says from then on whether there is one.
    async fn set_picture(&self, of: AccountId, jpeg: Option<&str>, at: i64) -> StoreResult<Option<Account>>;

    async fn picture(&self, of: AccountId) -> StoreResult<Option<String>>;

    /// That of the other in a match which is offered or runs, where they share it.
    async fn picture_in(&self, match_id: &MatchId, seen_by: AccountId) -> StoreResult<Option<String>>;
}

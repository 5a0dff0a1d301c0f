//! Whom somebody met, and whom somebody never wants to meet again.

use super::{AccountId, StoreResult};
use async_trait::async_trait;
use visavis_wire::friends::PastSession;
use visavis_wire::socket::MatchId;

#[async_trait]
pub trait HistoryOf: Send + Sync {
    /// Newest first.
    async fn history(&self, of: AccountId, most: usize) -> StoreResult<Vec<PastSession>>;

    /// Matches that began since then.
    /// Calls of friends do not count.
    async fn matches_since(&self, of: AccountId, since: i64) -> StoreResult<u32>;

    /// The other one of a match; `None` where `of` was not in it.
    async fn peer_in(&self, of: AccountId, match_id: &MatchId) -> StoreResult<Option<AccountId>>;

    /// Idempotent. The follow of the two and its texts go with it.
    async fn block(&self, by: AccountId, other: AccountId, at: i64) -> StoreResult<()>;

    /// IANA name of the time zone that the issuer gave.
    async fn zone(&self, of: AccountId) -> StoreResult<Option<String>>;

    async fn set_zone(&self, of: AccountId, zone: Option<&str>) -> StoreResult<()>;
}

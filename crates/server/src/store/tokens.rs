//! Refresh tokens, known by their hashes, in families that descend from one sign-in.

use super::{AccountId, StoreResult};
use async_trait::async_trait;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The new token is stored.
    Done(AccountId),
    Unknown,
    Expired,
    /// The token had served before: somebody has a copy, so the whole family is revoked.
    Reused,
}

#[async_trait]
pub trait Tokens: Send + Sync {
    async fn add_refresh_token(&self, account: AccountId, family: &str, token_hash: &str, expires_at: i64) -> StoreResult<()>;

    async fn rotate(&self, old_hash: &str, new_hash: &str, now: i64, expires_at: i64) -> StoreResult<(Rotation, Option<String>)>;

    async fn revoke_family(&self, family: &str, at: i64) -> StoreResult<()>;

    /// Sign-ins that were ended since then on whatever node and for whatever reason, and whether their owner is leaving.
    async fn ended_since(&self, at: i64) -> StoreResult<Vec<(String, bool)>>;
}

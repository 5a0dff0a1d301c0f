//! Leases: who holds what, with a fencing number that grows with every holder.
//!
//! A holder beats; whoever has seen no beat for a while (by its own steady clock) takes the lease by naming the very fence and
//! beat it saw last, which fails where the holder was alive after all. No clock is compared with another.

use super::StoreResult;
use async_trait::async_trait;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRow {
    pub name: String,
    /// Empty: nobody's.
    pub holder: String,
    pub fence: i64,
    pub beat: i64,
}

#[async_trait]
pub trait Lease: Send + Sync {
    /// `seen`: fence and beat as last observed; `None`: the lease has never been there. The new fence, or `None` where somebody
    /// else was faster or the holder lives.
    async fn take(&self, name: &str, holder: &str, seen: Option<(i64, i64)>) -> StoreResult<Option<i64>>;

    /// A sign of life for everything that `holder` holds, and how all leases are then.
    async fn beat(&self, holder: &str) -> StoreResult<Vec<LeaseRow>>;

    /// Gives back one lease, if it is still held under that fence.
    async fn release(&self, name: &str, fence: i64) -> StoreResult<()>;

    /// Gives back what an earlier process of that name held.
    async fn release_all(&self, holder: &str) -> StoreResult<()>;
}

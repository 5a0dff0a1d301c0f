//! On which node somebody's socket is: one a person in the whole cluster.

use super::{AccountId, StoreResult};
use async_trait::async_trait;

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Seat {
    pub node: String,
    /// The fence of the node's own lease.
    pub life: i64,
    pub socket: i64,
}

#[async_trait]
pub trait Seats: Send + Sync {
    /// The newest socket is the person's; the one before is returned.
    async fn sit(&self, account: AccountId, seat: &Seat) -> StoreResult<Option<Seat>>;

    /// Unless a newer socket has taken its place.
    async fn stand_up(&self, account: AccountId, seat: &Seat) -> StoreResult<()>;

    /// Of those who have one.
    async fn seats_of(&self, accounts: &[AccountId]) -> StoreResult<Vec<(AccountId, Seat)>>;

    /// All of that node, to find out which of its sockets have been replaced without its hearing of it.
    async fn seated_at(&self, node: &str, life: i64) -> StoreResult<Vec<(AccountId, i64)>>;

    /// Of a node that is dead: everything up to that life.
    async fn clear_node(&self, node: &str, life: i64) -> StoreResult<()>;
}

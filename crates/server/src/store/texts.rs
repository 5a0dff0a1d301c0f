//! What people who follow each other write.

use super::{AccountId, StoreResult};
use async_trait::async_trait;
use visavis_wire::friends::Text;

#[async_trait]
pub trait Texts: Send + Sync {
    /// As the sender sees it; the other's is the same but for `own`. `None`: the two do not follow each other.
    async fn add_text(&self, from: AccountId, to: AccountId, text: &str, at: i64) -> StoreResult<Option<Text>>;

    /// The latest `most`, oldest first, for one of the two.
    async fn texts(&self, of: AccountId, with: AccountId, most: usize) -> StoreResult<Vec<Text>>;

    /// Everything up to this number was read.
    async fn read_texts(&self, of: AccountId, with: AccountId, number: i64) -> StoreResult<()>;
}

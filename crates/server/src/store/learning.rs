//! What the matcher learnt, for whoever leads a pool next. It is written with the matches, under the fence of the pool
//! (`MatchWrite::Parted`, `MatchWrite::Learnt`), and each person's sums come with the [`super::Entrant`].

use super::StoreResult;
use async_trait::async_trait;

#[async_trait]
pub trait Learning: Send + Sync {
    /// The latest weights of a pool, as text.
    async fn learnt(&self, shard: &str) -> StoreResult<Option<String>>;

    /// What those who signed in last list as languages and interests, in no order that tells who they are.
    async fn lists(&self, most: u32) -> StoreResult<Vec<Lists>>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lists {
    pub languages: Vec<String>,
    pub interests: Vec<String>,
}

//! Follows in SQL.

use super::{SqlStore, account_id, text};
use crate::store::{AccountId, Follows, StoreResult};
use async_trait::async_trait;
use sqlx::Row;
use visavis_wire::Private;
use visavis_wire::http::Follow;

#[async_trait]
impl Follows for SqlStore {
    async fn add_follow(&self, a: AccountId, b: AccountId, at: i64) -> StoreResult<()> {
        sqlx::query("INSERT INTO follows (account_a, account_b, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(text(a.min(b)))
            .bind(text(a.max(b)))
            .bind(at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn follows(&self, of: AccountId) -> StoreResult<Vec<(AccountId, Follow)>> {
        let rows = sqlx::query(
            "SELECT accounts.id AS id, accounts.username AS username, follows.since AS since FROM follows \
             JOIN accounts ON accounts.id = CASE WHEN follows.account_a = $1 THEN follows.account_b ELSE follows.account_a END \
             WHERE follows.account_a = $1 OR follows.account_b = $1 ORDER BY follows.since DESC, accounts.id",
        )
        .bind(text(of))
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let follow =
                    Follow { username: Private::new(row.try_get("username")?), since: row.try_get("since")?, online: false };
                Ok((account_id(row.try_get::<String, _>("id")?.as_str())?, follow))
            })
            .collect()
    }
}

//! Follows in SQL.

use super::{SqlStore, account_id, text};
use crate::store::{AccountId, Follows, StoreResult};
use async_trait::async_trait;
use sqlx::Row;
use visavis_wire::Private;
use visavis_wire::friends::FollowId;
use visavis_wire::http::Follow;

/// Friends who are told that somebody came or went.
const TOLD: i64 = 300;

#[async_trait]
impl Follows for SqlStore {
    async fn add_follow(&self, a: AccountId, b: AccountId, at: i64) -> StoreResult<()> {
        sqlx::query(
            "INSERT INTO follows (account_a, account_b, since) SELECT $1, $2, $3 WHERE NOT EXISTS \
             (SELECT 1 FROM blocks WHERE (account = $1 AND blocked = $2) OR (account = $2 AND blocked = $1)) \
             ON CONFLICT DO NOTHING",
        )
        .bind(text(a.min(b)))
        .bind(text(a.max(b)))
        .bind(at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn unfollow(&self, a: AccountId, b: AccountId) -> StoreResult<()> {
        sqlx::query("DELETE FROM follows WHERE account_a = $1 AND account_b = $2")
            .bind(text(a.min(b)))
            .bind(text(a.max(b)))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn friends_here(&self, of: AccountId) -> StoreResult<(bool, Vec<(AccountId, String)>)> {
        let rows = sqlx::query(
            "SELECT seats.account AS account, seats.node AS node FROM seats WHERE seats.account = $1 UNION ALL \
             SELECT seats.account, seats.node FROM follows JOIN seats ON seats.account = follows.account_b \
             WHERE follows.account_a = $1 UNION ALL \
             SELECT seats.account, seats.node FROM follows JOIN seats ON seats.account = follows.account_a \
             WHERE follows.account_b = $1 LIMIT $2",
        )
        .bind(text(of))
        .bind(TOLD)
        .fetch_all(&self.pool)
        .await?;
        let mut friends = rows
            .iter()
            .map(|row| Ok((account_id(row.try_get::<String, _>("account")?.as_str())?, row.try_get("node")?)))
            .collect::<StoreResult<Vec<(AccountId, String)>>>()?;
        let before = friends.len();
        friends.retain(|(account, _)| *account != of);
        Ok((friends.len() < before, friends))
    }

    async fn follows(&self, of: AccountId) -> StoreResult<Vec<(AccountId, Follow)>> {
        let rows = sqlx::query(
            "SELECT accounts.id AS id, accounts.username AS username, follows.since AS since, (SELECT COUNT(*) FROM texts \
             WHERE texts.account_a = follows.account_a AND texts.account_b = follows.account_b AND \
             ((follows.account_a = $1 AND by_a = 0 AND number > read_a) OR (follows.account_b = $1 AND by_a = 1 AND number > read_b)) \
             ) AS unread FROM follows \
             JOIN accounts ON accounts.id = CASE WHEN follows.account_a = $1 THEN follows.account_b ELSE follows.account_a END \
             WHERE (follows.account_a = $1 OR follows.account_b = $1) AND NOT EXISTS (SELECT 1 FROM blocks WHERE \
             (blocks.account = $1 AND blocks.blocked = accounts.id) OR (blocks.account = accounts.id AND blocks.blocked = $1)) ORDER BY follows.since DESC, accounts.id",
        )
        .bind(text(of))
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let follow = Follow {
                    id: FollowId::default(),
                    username: Private::new(row.try_get("username")?),
                    since: row.try_get("since")?,
                    online: false,
                    unread: u32::try_from(row.try_get::<i64, _>("unread")?).unwrap_or(u32::MAX),
                };
                Ok((account_id(row.try_get::<String, _>("id")?.as_str())?, follow))
            })
            .collect()
    }
}

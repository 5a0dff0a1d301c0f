//! History and blocks in SQL.

use super::{SqlStore, account_id, text};
use crate::store::{AccountId, HistoryOf, StoreError, StoreResult};
use async_trait::async_trait;
use sqlx::Row;
use sqlx::any::AnyRow;
use visavis_wire::friends::PastSession;
use visavis_wire::socket::{EndReason, MatchId};

fn past(row: &AnyRow) -> StoreResult<PastSession> {
    let began_at: i64 = row.try_get("began_at")?;
    let ended_at: Option<i64> = row.try_get("ended_at")?;
    let card: Option<String> = row.try_get("card")?;
    let how: Option<String> = row.try_get("ended_how")?;
    let card = card.map(|card| serde_json::from_str(&card).map_err(|_| StoreError::Content("card"))).transpose()?;
    Ok(PastSession {
        match_id: MatchId(row.try_get("id")?),
        card: card.unwrap_or_default(),
        began_at,
        lasted_s: ended_at.map(|at| (at - began_at).max(0)),
        ended: how.and_then(|how| [EndReason::Left, EndReason::Vanished].into_iter().find(|reason| reason.name() == how)),
        blocked: row.try_get::<i64, _>("blocked")? != 0,
    })
}

#[async_trait]
impl HistoryOf for SqlStore {
    async fn history(&self, of: AccountId, most: usize) -> StoreResult<Vec<PastSession>> {
        let rows = sqlx::query(
            "SELECT matches.id AS id, matches.began_at AS began_at, matches.ended_at AS ended_at, \
             matches.ended_how AS ended_how, match_cards.card AS card, \
             CASE WHEN blocks.account IS NULL THEN 0 ELSE 1 END AS blocked FROM matches \
             LEFT JOIN match_cards ON match_cards.match_id = matches.id AND match_cards.seen_by = $1 \
             LEFT JOIN blocks ON blocks.account = $1 AND blocked = \
             CASE WHEN matches.account_a = $1 THEN matches.account_b ELSE matches.account_a END \
             WHERE matches.account_a = $1 OR matches.account_b = $1 \
             ORDER BY matches.began_at DESC, matches.id LIMIT $2",
        )
        .bind(text(of))
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(past).collect()
    }

    async fn matches_since(&self, of: AccountId, since: i64) -> StoreResult<u32> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS matches FROM matches WHERE (account_a = $1 OR account_b = $1) AND began_at >= $2 AND friends = 0",
        )
        .bind(text(of))
        .bind(since)
        .fetch_one(&self.pool)
        .await?;
        Ok(u32::try_from(row.try_get::<i64, _>("matches")?).unwrap_or(u32::MAX))
    }

    async fn peer_in(&self, of: AccountId, match_id: &MatchId) -> StoreResult<Option<AccountId>> {
        let row = sqlx::query("SELECT account_a, account_b FROM matches WHERE id = $1")
            .bind(&match_id.0)
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let a = account_id(row.try_get::<String, _>("account_a")?.as_str())?;
        let b = account_id(row.try_get::<String, _>("account_b")?.as_str())?;
        Ok(if a == of { Some(b) } else { (b == of).then_some(a) })
    }

    async fn block(&self, by: AccountId, other: AccountId, at: i64) -> StoreResult<()> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("INSERT INTO blocks (account, blocked, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(text(by))
            .bind(text(other))
            .bind(at)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM follows WHERE account_a = $1 AND account_b = $2")
            .bind(text(by.min(other)))
            .bind(text(by.max(other)))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn zone(&self, of: AccountId) -> StoreResult<Option<String>> {
        let row = sqlx::query("SELECT zone FROM accounts WHERE id = $1").bind(text(of)).fetch_optional(&self.pool).await?;
        Ok(row.map(|row| row.try_get("zone")).transpose()?.flatten())
    }

    async fn set_zone(&self, of: AccountId, zone: Option<&str>) -> StoreResult<()> {
        sqlx::query("UPDATE accounts SET zone = $1 WHERE id = $2").bind(zone).bind(text(of)).execute(&self.pool).await?;
        Ok(())
    }
}

impl SqlStore {
    /// Everybody who blocked this person or was blocked by them.
    pub(super) async fn blocked(&self, of: AccountId) -> StoreResult<Vec<AccountId>> {
        let rows = sqlx::query(
            "SELECT CASE WHEN account = $1 THEN blocked ELSE account END AS other FROM blocks WHERE account = $1 OR blocked = $1",
        )
        .bind(text(of))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| account_id(row.try_get::<String, _>("other")?.as_str())).collect()
    }
}

//! Matches in SQL.

use super::{SqlStore, account_id, text};
use crate::conduct;
use crate::room::card_of;
use crate::store::{Matches, RunningMatch, SightFact, StoreError, StoreResult};
use async_trait::async_trait;
use sqlx::Row;
use sqlx::any::AnyRow;
use visavis_wire::socket::{EndReason, MatchId};

fn running_match(row: &AnyRow) -> StoreResult<RunningMatch> {
    Ok(RunningMatch {
        id: MatchId(row.try_get("id")?),
        a: account_id(row.try_get::<String, _>("account_a")?.as_str())?,
        b: account_id(row.try_get::<String, _>("account_b")?.as_str())?,
        a_offers: row.try_get::<i64, _>("a_offers")? != 0,
    })
}

#[async_trait]
impl Matches for SqlStore {
    async fn match_began(&self, running: &RunningMatch, at: i64) -> StoreResult<()> {
        let RunningMatch { id, a, b, a_offers } = running;
        let mut transaction = self.pool.begin().await?;
        sqlx::query("INSERT INTO matches (id, account_a, account_b, began_at, a_offers) VALUES ($1, $2, $3, $4, $5)")
            .bind(&id.0)
            .bind(text(*a))
            .bind(text(*b))
            .bind(at)
            .bind(i64::from(*a_offers))
            .execute(&mut *transaction)
            .await?;
        for (one, other) in [(*a, *b), (*b, *a)] {
            sqlx::query(
                "INSERT INTO partners (account, partner, met_at) VALUES ($1, $2, $3) \
                 ON CONFLICT (account, partner) DO UPDATE SET met_at = excluded.met_at",
            )
            .bind(text(one))
            .bind(text(other))
            .bind(at)
            .execute(&mut *transaction)
            .await?;
            // As it is now: what somebody shares later is not added to what the other saw.
            let row =
                sqlx::query("SELECT profile FROM accounts WHERE id = $1").bind(text(other)).fetch_one(&mut *transaction).await?;
            let profile = serde_json::from_str(row.try_get::<String, _>("profile")?.as_str())
                .map_err(|_| StoreError::Content("profile"))?;
            let card = serde_json::to_string(&card_of(&profile)).map_err(|_| StoreError::Content("card"))?;
            sqlx::query("INSERT INTO match_cards (match_id, seen_by, card) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
                .bind(&id.0)
                .bind(text(one))
                .bind(card)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn running_matches(&self, since: i64) -> StoreResult<Vec<RunningMatch>> {
        let rows = sqlx::query(
            "SELECT id, account_a, account_b, a_offers FROM matches WHERE ended_at IS NULL AND began_at >= $1 ORDER BY id",
        )
        .bind(since)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(running_match).collect()
    }

    async fn match_ended(&self, id: &MatchId, how: EndReason, at: i64) -> StoreResult<()> {
        sqlx::query("UPDATE matches SET ended_at = $1, ended_how = $2 WHERE id = $3")
            .bind(at)
            .bind(how.name())
            .bind(&id.0)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn log_sight(&self, fact: &SightFact, at: i64) -> StoreResult<()> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query(
            "INSERT INTO sight_facts (match_id, reporter, peer, saw_s, told_s, logged_at) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (match_id, reporter) DO NOTHING",
        )
        .bind(&fact.match_id.0)
        .bind(text(fact.reporter))
        .bind(text(fact.peer))
        .bind(i64::from(fact.saw_s))
        .bind(i64::from(fact.told_s))
        .bind(at)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("DELETE FROM sight_facts WHERE logged_at < $1")
            .bind(at - conduct::COUNTS_FOR_S)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

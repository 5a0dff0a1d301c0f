//! Matches in SQL.

use super::engagements::{forget, is_held};
use super::learning::{keep_model, parted};
use super::{SqlStore, text};
use crate::conduct;
use crate::room::card_of;
use crate::store::{Fence, MatchWrite, Matches, RunningMatch, SightFact, StoreError, StoreResult};
use async_trait::async_trait;
use sqlx::{AnyConnection, Row};
use std::collections::BTreeMap;
use visavis_wire::people::PeerCard;
use visavis_wire::socket::{EndReason, MatchId};

async fn began(connection: &mut AnyConnection, running: &RunningMatch, at: i64) -> StoreResult<()> {
    let RunningMatch { id, a, b, a_offers, friends } = running;
    sqlx::query(
        "INSERT INTO matches (id, account_a, account_b, began_at, a_offers, friends) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(&id.0)
    .bind(text(*a))
    .bind(text(*b))
    .bind(at)
    .bind(i64::from(*a_offers))
    .bind(i64::from(*friends))
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE engaged SET running = 1, since = $1 WHERE match_id = $2")
        .bind(at)
        .bind(&id.0)
        .execute(&mut *connection)
        .await?;
    let (one, other) = (text(*a.min(b)), text(*a.max(b)));
    // A friend takes no place among the latest strangers.
    if !friends {
        sqlx::query(
            "INSERT INTO partners (account, partner, met_at) VALUES ($1, $2, $3), ($2, $1, $3) \
             ON CONFLICT (account, partner) DO UPDATE SET met_at = excluded.met_at",
        )
        .bind(&one)
        .bind(&other)
        .bind(at)
        .execute(&mut *connection)
        .await?;
    }
    // As they are now: what somebody shares later is not added to what the other saw.
    let rows = sqlx::query("SELECT id, profile FROM accounts WHERE id = $1 OR id = $2")
        .bind(&one)
        .bind(&other)
        .fetch_all(&mut *connection)
        .await?;
    let mut cards = BTreeMap::new();
    for row in &rows {
        let profile =
            serde_json::from_str(row.try_get::<String, _>("profile")?.as_str()).map_err(|_| StoreError::Content("profile"))?;
        // The picture stays with its owner.
        let card = PeerCard { picture: false, ..card_of(&profile) };
        cards.insert(row.try_get::<String, _>("id")?, serde_json::to_string(&card).map_err(|_| StoreError::Content("card"))?);
    }
    let (Some(of_one), Some(of_other)) = (cards.get(&one), cards.get(&other)) else {
        return Err(sqlx::Error::RowNotFound.into());
    };
    sqlx::query("INSERT INTO match_cards (match_id, seen_by, card) VALUES ($1, $2, $3), ($1, $4, $5) ON CONFLICT DO NOTHING")
        .bind(&id.0)
        .bind(&one)
        .bind(of_other)
        .bind(&other)
        .bind(of_one)
        .execute(&mut *connection)
        .await?;
    Ok(())
}

async fn ended(connection: &mut AnyConnection, id: &MatchId, how: EndReason, at: i64) -> StoreResult<()> {
    sqlx::query("UPDATE matches SET ended_at = $1, ended_how = $2 WHERE id = $3 AND ended_at IS NULL")
        .bind(at)
        .bind(how.name())
        .bind(&id.0)
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM engaged WHERE match_id = $1").bind(&id.0).execute(connection).await?;
    Ok(())
}

#[async_trait]
impl Matches for SqlStore {
    async fn write_matches(&self, fence: &Fence, writes: &[MatchWrite], at: i64) -> StoreResult<bool> {
        let mut transaction = self.pool.begin().await?;
        if !is_held(&mut transaction, fence).await? {
            return Ok(false);
        }
        for write in writes {
            match write {
                MatchWrite::Began(running) => began(&mut transaction, running, at).await?,
                MatchWrite::Ended(id, how) => ended(&mut transaction, id, *how, at).await?,
                MatchWrite::Withdrawn(id) => forget(&mut transaction, id).await?,
                MatchWrite::Parted(outcome) => parted(&mut transaction, outcome).await?,
                MatchWrite::Learnt(model) => keep_model(&mut transaction, &fence.lease, model, at).await?,
            }
        }
        transaction.commit().await?;
        Ok(true)
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

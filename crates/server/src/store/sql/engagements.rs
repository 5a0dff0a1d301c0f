//! Engagements in SQL.

use super::safety::IN_FORCE;
use super::{SqlStore, account_id, text};
use crate::store::{AccountId, Committed, Engagements, Fence, RunningMatch, StoreError, StoreResult, TakenOver};
use async_trait::async_trait;
use sqlx::{AnyConnection, Row};
use std::collections::BTreeMap;
use visavis_wire::socket::MatchId;

/// Holds the lease's row until the end of the transaction: whoever takes the lease comes before or after all of it.
pub async fn is_held(connection: &mut AnyConnection, fence: &Fence) -> StoreResult<bool> {
    let held = sqlx::query("UPDATE leases SET fence = fence WHERE name = $1 AND fence = $2")
        .bind(&fence.lease)
        .bind(fence.number)
        .execute(connection)
        .await?;
    Ok(held.rows_affected() == 1)
}

/// Both exist, are verified adults, are not barred and have not blocked each other, asked at the moment of pairing.
async fn may_meet(connection: &mut AnyConnection, pair: &RunningMatch, now: i64) -> StoreResult<bool> {
    let statement = format!(
        "SELECT COUNT(*) AS adults FROM accounts WHERE adult = 1 AND (id = $1 OR id = $3) \
         AND NOT EXISTS (SELECT 1 FROM leaving WHERE leaving.account = accounts.id) \
         AND NOT EXISTS (SELECT 1 FROM decisions WHERE decisions.account = accounts.id AND {IN_FORCE}) \
         AND NOT EXISTS (SELECT 1 FROM blocks WHERE (account = $1 AND blocked = $3) OR (account = $3 AND blocked = $1))"
    );
    let row =
        sqlx::query(sqlx::AssertSqlSafe(statement)).bind(text(pair.a)).bind(now).bind(text(pair.b)).fetch_one(connection).await?;
    Ok(row.try_get::<i64, _>("adults")? == 2)
}

/// False where they are in another match.
async fn engage(
    connection: &mut AnyConnection,
    fence: &Fence,
    pair: &RunningMatch,
    who: AccountId,
    at: i64,
) -> StoreResult<bool> {
    let free = sqlx::query(
        "INSERT INTO engaged (account, match_id, shard, side, a_offers, running, since, friends) \
         VALUES ($1, $2, $3, $4, $5, 0, $6, $7) \
         ON CONFLICT (account) DO NOTHING",
    )
    .bind(text(who))
    .bind(&pair.id.0)
    .bind(&fence.lease)
    .bind(if who == pair.a { "a" } else { "b" })
    .bind(i64::from(pair.a_offers))
    .bind(at)
    .bind(i64::from(pair.friends))
    .execute(&mut *connection)
    .await?;
    if free.rows_affected() == 1 {
        return Ok(true);
    }
    // Asked again, perhaps.
    let row = sqlx::query("SELECT match_id FROM engaged WHERE account = $1").bind(text(who)).fetch_optional(connection).await?;
    let in_match: Option<String> = row.map(|row| row.try_get("match_id")).transpose()?;
    Ok(in_match.as_deref() == Some(pair.id.0.as_str()))
}

pub async fn forget(connection: &mut AnyConnection, id: &MatchId) -> StoreResult<()> {
    sqlx::query("DELETE FROM engaged WHERE match_id = $1 AND running = 0").bind(&id.0).execute(connection).await?;
    Ok(())
}

#[async_trait]
impl Engagements for SqlStore {
    async fn commit_matches(&self, fence: &Fence, pairs: &[RunningMatch], at: i64) -> StoreResult<Vec<Committed>> {
        let mut transaction = self.pool.begin().await?;
        if !is_held(&mut transaction, fence).await? {
            return Ok(vec![Committed::Fenced; pairs.len()]);
        }
        let mut outcomes = vec![Committed::NotAllowed; pairs.len()];
        let mut people = Vec::with_capacity(pairs.len() * 2);
        for (index, pair) in pairs.iter().enumerate() {
            if may_meet(&mut transaction, pair, at).await? {
                outcomes[index] = Committed::Done;
                people.extend([(pair.a, index), (pair.b, index)]);
            }
        }
        // In one order everywhere, so that two pools that want the same people do not wait for each other.
        people.sort_unstable();
        for (who, pair) in people {
            if outcomes[pair] == Committed::Done && !engage(&mut transaction, fence, &pairs[pair], who, at).await? {
                outcomes[pair] = Committed::NotAllowed;
            }
        }
        for (pair, _) in pairs.iter().zip(&outcomes).filter(|(_, outcome)| **outcome != Committed::Done) {
            forget(&mut transaction, &pair.id).await?;
        }
        transaction.commit().await?;
        Ok(outcomes)
    }

    async fn take_over(&self, shard: &str, since: i64) -> StoreResult<TakenOver> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("DELETE FROM engaged WHERE shard = $1 AND since < $2")
            .bind(shard)
            .bind(since)
            .execute(&mut *transaction)
            .await?;
        let rows = sqlx::query("SELECT account, match_id, side, a_offers, running, friends FROM engaged WHERE shard = $1")
            .bind(shard)
            .fetch_all(&mut *transaction)
            .await?;
        transaction.commit().await?;
        let mut found: BTreeMap<MatchId, ([bool; 3], [Option<AccountId>; 2])> = BTreeMap::new();
        for row in &rows {
            let side = match row.try_get::<String, _>("side")?.as_str() {
                "a" => 0,
                "b" => 1,
                _ => return Err(StoreError::Content("side of a match")),
            };
            let yes = |column| StoreResult::Ok(row.try_get::<i64, _>(column)? != 0);
            let of_both = [yes("a_offers")?, yes("running")?, yes("friends")?];
            let entry = found.entry(MatchId(row.try_get("match_id")?)).or_insert((of_both, [None; 2]));
            entry.1[side] = Some(account_id(row.try_get::<String, _>("account")?.as_str())?);
        }
        let mut taken = TakenOver::default();
        for (id, ([a_offers, running, friends], people)) in found {
            // Half a match is left where one of the two accounts was deleted.
            let [Some(a), Some(b)] = people else { continue };
            let of_two = RunningMatch { id, a, b, a_offers, friends };
            if running { taken.running.push(of_two) } else { taken.offered.push(of_two) }
        }
        Ok(taken)
    }

    async fn engaged_at(&self, account: AccountId) -> StoreResult<Option<String>> {
        let row =
            sqlx::query("SELECT shard FROM engaged WHERE account = $1").bind(text(account)).fetch_optional(&self.pool).await?;
        Ok(row.map(|row| row.try_get("shard")).transpose()?)
    }
}

//! What the matcher learns from, in SQL.

use super::{SqlStore, text};
use crate::store::learning::{Learning, Lists};
use crate::store::{AccountId, Parted, StoreError, StoreResult};
use async_trait::async_trait;
use sqlx::{AnyConnection, Row};
use visavis_matching::Log;
use visavis_wire::people::Profile;

/// Longer tells no more, and a match whose end was not noticed would outweigh everything.
const MOST_SECONDS: i64 = 3600;

/// Adds an outcome to the sums of both, once.
pub async fn parted(connection: &mut AnyConnection, outcome: &Parted) -> StoreResult<()> {
    let first = sqlx::query("UPDATE matches SET counted = 1 WHERE id = $1 AND counted = 0")
        .bind(&outcome.match_id.0)
        .execute(&mut *connection)
        .await?;
    if first.rows_affected() == 0 {
        return Ok(());
    }
    let row = sqlx::query("SELECT account_a, account_b, COALESCE(ended_at - began_at, 0) AS seconds FROM matches WHERE id = $1")
        .bind(&outcome.match_id.0)
        .fetch_one(&mut *connection)
        .await?;
    let seconds = row.try_get::<i64, _>("seconds")?.clamp(0, MOST_SECONDS);
    let accounts: [String; 2] = [row.try_get("account_a")?, row.try_get("account_b")?];
    for (side, account) in accounts.iter().enumerate() {
        let other = 1 - side;
        sqlx::query(
            "INSERT INTO activity (account, sessions, seconds, left_early, was_left_early, followed, was_followed) \
             VALUES ($1, 1, $2, $3, $4, $5, $6) ON CONFLICT (account) DO UPDATE SET \
             sessions = activity.sessions + 1, seconds = activity.seconds + excluded.seconds, \
             left_early = activity.left_early + excluded.left_early, \
             was_left_early = activity.was_left_early + excluded.was_left_early, \
             followed = activity.followed + excluded.followed, was_followed = activity.was_followed + excluded.was_followed",
        )
        .bind(account)
        .bind(seconds)
        .bind(i64::from(outcome.left_early[side]))
        .bind(i64::from(outcome.left_early[other]))
        .bind(i64::from(outcome.follow[side]))
        .bind(i64::from(outcome.follow[other]))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

pub async fn keep_model(connection: &mut AnyConnection, shard: &str, model: &str, at: i64) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO learnt (shard, model, written_at) VALUES ($1, $2, $3) \
         ON CONFLICT (shard) DO UPDATE SET model = excluded.model, written_at = excluded.written_at",
    )
    .bind(shard)
    .bind(model)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(())
}

impl SqlStore {
    /// Reports count that a moderator found right: nobody is blackened by somebody else alone.
    pub(super) async fn activity(&self, account: AccountId) -> StoreResult<Log> {
        let row = sqlx::query(
            "SELECT sessions, seconds, left_early, was_left_early, followed, was_followed, \
             (SELECT COUNT(*) FROM reports WHERE peer = $1 AND verdict IS NOT NULL AND verdict <> 'dismissed') AS reports \
             FROM activity WHERE account = $1",
        )
        .bind(text(account))
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(Log::default()) };
        let count = |name: &str| -> StoreResult<u32> { Ok(u32::try_from(row.try_get::<i64, _>(name)?).unwrap_or(u32::MAX)) };
        Ok(Log {
            sessions: count("sessions")?,
            seconds: count("seconds")? as f32,
            left_early: count("left_early")?,
            was_left_early: count("was_left_early")?,
            followed: count("followed")?,
            was_followed: count("was_followed")?,
            reports: count("reports")?,
        })
    }
}

#[async_trait]
impl Learning for SqlStore {
    async fn learnt(&self, shard: &str) -> StoreResult<Option<String>> {
        let row = sqlx::query("SELECT model FROM learnt WHERE shard = $1").bind(shard).fetch_optional(&self.pool).await?;
        Ok(row.map(|row| row.try_get("model")).transpose()?)
    }

    async fn lists(&self, most: u32) -> StoreResult<Vec<Lists>> {
        let rows = sqlx::query("SELECT profile FROM accounts ORDER BY checked_at DESC LIMIT $1")
            .bind(i64::from(most))
            .fetch_all(&self.pool)
            .await?;
        let lists = |row: &sqlx::any::AnyRow| {
            let profile = row.try_get::<String, _>("profile")?;
            let profile: Profile = serde_json::from_str(&profile).map_err(|_| StoreError::Content("profile"))?;
            Ok(Lists { languages: profile.languages.value, interests: profile.interests.value })
        };
        rows.iter().map(lists).collect()
    }
}

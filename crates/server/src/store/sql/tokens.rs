//! Refresh tokens in SQL.

use super::{SqlStore, account_id, text};
use crate::store::{AccountId, Rotation, StoreResult, Tokens};
use async_trait::async_trait;
use sqlx::Row;

const INSERT_REFRESH_TOKEN: &str =
    "INSERT INTO refresh_tokens (token_hash, family, account, expires_at, used) VALUES ($1, $2, $3, $4, 0)";

#[async_trait]
impl Tokens for SqlStore {
    async fn add_refresh_token(&self, account: AccountId, family: &str, token_hash: &str, expires_at: i64) -> StoreResult<()> {
        sqlx::query(INSERT_REFRESH_TOKEN)
            .bind(token_hash)
            .bind(family)
            .bind(text(account))
            .bind(expires_at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn rotate(&self, old_hash: &str, new_hash: &str, now: i64, expires_at: i64) -> StoreResult<(Rotation, Option<String>)> {
        let mut transaction = self.pool.begin().await?;
        // The one statement that decides which of two simultaneous uses is the first.
        let used = sqlx::query("UPDATE refresh_tokens SET used = 1 WHERE token_hash = $1 AND used = 0")
            .bind(old_hash)
            .execute(&mut *transaction)
            .await?;
        let row = sqlx::query("SELECT family, account, expires_at FROM refresh_tokens WHERE token_hash = $1")
            .bind(old_hash)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else {
            return Ok((Rotation::Unknown, None));
        };
        let family: String = row.try_get("family")?;
        let account: String = row.try_get("account")?;
        let outcome = if used.rows_affected() != 1 {
            sqlx::query("DELETE FROM refresh_tokens WHERE family = $1").bind(&family).execute(&mut *transaction).await?;
            Rotation::Reused
        } else if row.try_get::<i64, _>("expires_at")? <= now {
            Rotation::Expired
        } else {
            sqlx::query(INSERT_REFRESH_TOKEN)
                .bind(new_hash)
                .bind(&family)
                .bind(&account)
                .bind(expires_at)
                .execute(&mut *transaction)
                .await?;
            Rotation::Done(account_id(&account)?)
        };
        sqlx::query("DELETE FROM refresh_tokens WHERE expires_at <= $1").bind(now).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok((outcome, Some(family)))
    }

    async fn revoke_family(&self, family: &str) -> StoreResult<()> {
        sqlx::query("DELETE FROM refresh_tokens WHERE family = $1").bind(family).execute(&self.pool).await?;
        Ok(())
    }
}

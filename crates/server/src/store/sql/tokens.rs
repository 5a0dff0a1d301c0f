//! Refresh tokens in SQL.
//!
//! Whoever takes more than one row of an account's sign-ins holds the account's own row first. A deletion takes that row and then,
//! by the foreign key, every token; a use of a token, a revocation and the janitor would otherwise hold tokens and wait for it.

use super::{SqlStore, account_id, text};
use crate::store::{AccountId, Rotation, StoreResult, Tokens};
use async_trait::async_trait;
use sqlx::{AnyConnection, AnyPool, Row};

const INSERT_REFRESH_TOKEN: &str =
    "INSERT INTO refresh_tokens (token_hash, family, account, expires_at, used) VALUES ($1, $2, $3, $4, 0)";

/// Until the end of the transaction. On SQLite that takes the one write lock.
async fn hold(connection: &mut AnyConnection, account: &str) -> StoreResult<()> {
    sqlx::query("UPDATE accounts SET adult = adult WHERE id = $1").bind(account).execute(connection).await?;
    Ok(())
}

/// As [`hold`], of the account whose token or sign-in that is.
async fn hold_owner(connection: &mut AnyConnection, whose: &'static str, named: &str) -> StoreResult<()> {
    sqlx::query(whose).bind(named).execute(connection).await?;
    Ok(())
}

const OWNER_OF_TOKEN: &str =
    "UPDATE accounts SET adult = adult WHERE id = (SELECT account FROM refresh_tokens WHERE token_hash = $1)";
const OWNER_OF_FAMILY: &str =
    "UPDATE accounts SET adult = adult WHERE id = (SELECT account FROM refresh_tokens WHERE family = $1 LIMIT 1)";

/// Tokens that ran out, each account's in a transaction of its own; how many.
pub async fn forget_expired(pool: &AnyPool, now: i64) -> StoreResult<u64> {
    let owners =
        sqlx::query("SELECT DISTINCT account FROM refresh_tokens WHERE expires_at < $1").bind(now).fetch_all(pool).await?;
    let mut gone = 0;
    for owner in owners {
        let account: String = owner.try_get("account")?;
        let mut transaction = pool.begin().await?;
        hold(&mut transaction, &account).await?;
        gone += sqlx::query("DELETE FROM refresh_tokens WHERE account = $1 AND expires_at < $2")
            .bind(&account)
            .bind(now)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        transaction.commit().await?;
    }
    Ok(gone)
}

/// The sign-ins of an account, before their tokens go.
pub async fn end_all_of(connection: &mut AnyConnection, account: &str, leaving: bool, at: i64) -> StoreResult<()> {
    hold(connection, account).await?;
    sqlx::query(
        "INSERT INTO ended_sign_ins (family, leaving, at) SELECT DISTINCT family, $2, $3 FROM refresh_tokens WHERE account = $1 \
         ON CONFLICT DO NOTHING",
    )
    .bind(account)
    .bind(i64::from(leaving))
    .bind(at)
    .execute(connection)
    .await?;
    Ok(())
}

async fn end(connection: &mut AnyConnection, family: &str, at: i64) -> StoreResult<()> {
    sqlx::query("DELETE FROM refresh_tokens WHERE family = $1").bind(family).execute(&mut *connection).await?;
    sqlx::query("INSERT INTO ended_sign_ins (family, leaving, at) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING")
        .bind(family)
        .bind(at)
        .execute(connection)
        .await?;
    Ok(())
}

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
        hold_owner(&mut transaction, OWNER_OF_TOKEN, old_hash).await?;
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
            end(&mut transaction, &family, now).await?;
            Rotation::Reused
        } else if row.try_get::<i64, _>("expires_at")? <= now {
            sqlx::query("DELETE FROM refresh_tokens WHERE token_hash = $1").bind(old_hash).execute(&mut *transaction).await?;
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
        transaction.commit().await?;
        Ok((outcome, Some(family)))
    }

    async fn revoke_family(&self, family: &str, at: i64) -> StoreResult<()> {
        let mut transaction = self.pool.begin().await?;
        hold_owner(&mut transaction, OWNER_OF_FAMILY, family).await?;
        end(&mut transaction, family, at).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn ended_since(&self, at: i64) -> StoreResult<Vec<(String, bool)>> {
        let rows =
            sqlx::query("SELECT family, leaving FROM ended_sign_ins WHERE at >= $1").bind(at).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok((row.try_get("family")?, row.try_get::<i64, _>("leaving")? != 0))).collect()
    }
}

//! Pictures in SQL.

use super::accounts::{account, profile_from_text, profile_to_text};
use super::{SqlStore, text};
use crate::store::{Account, AccountId, Pictures, StoreResult};
use async_trait::async_trait;
use sqlx::Row;
use visavis_wire::socket::MatchId;

#[async_trait]
impl Pictures for SqlStore {
    async fn set_picture(&self, of: AccountId, jpeg: Option<&str>, at: i64) -> StoreResult<Option<Account>> {
        let mut transaction = self.pool.begin().await?;
        // Takes the write lock before the read.
        sqlx::query("UPDATE accounts SET id = id WHERE id = $1").bind(text(of)).execute(&mut *transaction).await?;
        let row = sqlx::query("SELECT id, username, adult, profile FROM accounts WHERE id = $1")
            .bind(text(of))
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(mut known) = row.as_ref().map(account).transpose()? else { return Ok(None) };
        sqlx::query("DELETE FROM pictures WHERE account = $1").bind(text(of)).execute(&mut *transaction).await?;
        if let Some(jpeg) = jpeg {
            sqlx::query("INSERT INTO pictures (account, jpeg, set_at) VALUES ($1, $2, $3)")
                .bind(text(of))
                .bind(jpeg)
                .bind(at)
                .execute(&mut *transaction)
                .await?;
        }
        known.profile.picture.value = jpeg.is_some();
        sqlx::query("UPDATE accounts SET profile = $1 WHERE id = $2")
            .bind(profile_to_text(&known.profile)?)
            .bind(text(of))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Some(known))
    }

    async fn picture(&self, of: AccountId) -> StoreResult<Option<String>> {
        let row = sqlx::query("SELECT jpeg FROM pictures WHERE account = $1").bind(text(of)).fetch_optional(&self.pool).await?;
        Ok(row.map(|row| row.try_get("jpeg")).transpose()?)
    }

    async fn picture_in(&self, match_id: &MatchId, seen_by: AccountId) -> StoreResult<Option<String>> {
        let row = sqlx::query(
            "SELECT pictures.jpeg AS jpeg, accounts.profile AS profile FROM engaged own \
             JOIN engaged theirs ON theirs.match_id = own.match_id AND theirs.account <> own.account \
             JOIN accounts ON accounts.id = theirs.account JOIN pictures ON pictures.account = theirs.account \
             WHERE own.account = $1 AND own.match_id = $2",
        )
        .bind(text(seen_by))
        .bind(&match_id.0)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let shared = profile_from_text(row.try_get::<String, _>("profile")?.as_str())?.picture.shared;
        Ok(if shared { Some(row.try_get("jpeg")?) } else { None })
    }
}

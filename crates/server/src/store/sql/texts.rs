//! Texts in SQL.

use super::{SqlStore, text};
use crate::store::{AccountId, StoreResult, Texts};
use async_trait::async_trait;
use sqlx::Row;
use visavis_wire::Private;
use visavis_wire::friends::Text;
use visavis_wire::limits::TEXTS_KEPT;

#[async_trait]
impl Texts for SqlStore {
    async fn add_text(&self, from: AccountId, to: AccountId, words: &str, at: i64) -> StoreResult<Option<Text>> {
        let (a, b) = (text(from.min(to)), text(from.max(to)));
        let mut transaction = self.pool.begin().await?;
        // The lock of the follow's row: numbers come one after the other.
        let follow = sqlx::query("UPDATE follows SET since = since WHERE account_a = $1 AND account_b = $2")
            .bind(&a)
            .bind(&b)
            .execute(&mut *transaction)
            .await?;
        if follow.rows_affected() == 0 {
            return Ok(None);
        }
        let row = sqlx::query("SELECT COALESCE(MAX(number), 0) AS last FROM texts WHERE account_a = $1 AND account_b = $2")
            .bind(&a)
            .bind(&b)
            .fetch_one(&mut *transaction)
            .await?;
        let number = row.try_get::<i64, _>("last")? + 1;
        sqlx::query("INSERT INTO texts (account_a, account_b, number, by_a, text, sent_at) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(&a)
            .bind(&b)
            .bind(number)
            .bind(i64::from(from < to))
            .bind(words)
            .bind(at)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM texts WHERE account_a = $1 AND account_b = $2 AND number <= $3")
            .bind(&a)
            .bind(&b)
            .bind(number - i64::try_from(TEXTS_KEPT).unwrap_or(i64::MAX))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Some(Text { number, own: true, text: Private::new(words.to_owned()), sent_at: at }))
    }

    async fn texts(&self, of: AccountId, with: AccountId, most: usize) -> StoreResult<Vec<Text>> {
        let rows = sqlx::query(
            "SELECT number, by_a, text, sent_at FROM texts WHERE account_a = $1 AND account_b = $2 ORDER BY number DESC LIMIT $3",
        )
        .bind(text(of.min(with)))
        .bind(text(of.max(with)))
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        let mut texts = rows
            .iter()
            .map(|row| {
                Ok(Text {
                    number: row.try_get("number")?,
                    own: (row.try_get::<i64, _>("by_a")? != 0) == (of < with),
                    text: Private::new(row.try_get("text")?),
                    sent_at: row.try_get("sent_at")?,
                })
            })
            .collect::<StoreResult<Vec<_>>>()?;
        texts.reverse();
        Ok(texts)
    }

    async fn read_texts(&self, of: AccountId, with: AccountId, number: i64) -> StoreResult<()> {
        let statement = if of < with {
            "UPDATE follows SET read_a = $1 WHERE account_a = $2 AND account_b = $3 AND read_a < $1"
        } else {
            "UPDATE follows SET read_b = $1 WHERE account_a = $2 AND account_b = $3 AND read_b < $1"
        };
        sqlx::query(statement).bind(number).bind(text(of.min(with))).bind(text(of.max(with))).execute(&self.pool).await?;
        Ok(())
    }
}

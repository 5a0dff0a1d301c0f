//! Seats in SQL.

use super::{SqlStore, account_id, text};
use crate::store::{AccountId, Seat, Seats, StoreResult};
use async_trait::async_trait;
use sqlx::Row;
use sqlx::any::AnyRow;

/// Ids in one statement; far below what either engine takes.
const AT_ONCE: usize = 200;

fn seat(row: &AnyRow) -> StoreResult<Seat> {
    Ok(Seat { node: row.try_get("node")?, life: row.try_get("life")?, socket: row.try_get("socket")? })
}

#[async_trait]
impl Seats for SqlStore {
    async fn sit(&self, account: AccountId, new: &Seat) -> StoreResult<Option<Seat>> {
        let mut transaction = self.pool.begin().await?;
        // Takes the lock before the read.
        sqlx::query("UPDATE seats SET account = account WHERE account = $1")
            .bind(text(account))
            .execute(&mut *transaction)
            .await?;
        let row = sqlx::query("SELECT node, life, socket FROM seats WHERE account = $1")
            .bind(text(account))
            .fetch_optional(&mut *transaction)
            .await?;
        let old = row.as_ref().map(seat).transpose()?;
        sqlx::query(
            "INSERT INTO seats (account, node, life, socket) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (account) DO UPDATE SET node = excluded.node, life = excluded.life, socket = excluded.socket",
        )
        .bind(text(account))
        .bind(&new.node)
        .bind(new.life)
        .bind(new.socket)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(old.filter(|old| old != new))
    }

    async fn stand_up(&self, account: AccountId, seat: &Seat) -> StoreResult<()> {
        sqlx::query("DELETE FROM seats WHERE account = $1 AND node = $2 AND life = $3 AND socket = $4")
            .bind(text(account))
            .bind(&seat.node)
            .bind(seat.life)
            .bind(seat.socket)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn seats_of(&self, accounts: &[AccountId]) -> StoreResult<Vec<(AccountId, Seat)>> {
        let mut found = Vec::new();
        for some in accounts.chunks(AT_ONCE) {
            let places = (1..=some.len()).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ");
            let statement = format!("SELECT account, node, life, socket FROM seats WHERE account IN ({places})");
            let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
            for account in some {
                query = query.bind(text(*account));
            }
            for row in query.fetch_all(&self.pool).await? {
                found.push((account_id(row.try_get::<String, _>("account")?.as_str())?, seat(&row)?));
            }
        }
        Ok(found)
    }

    async fn seated_at(&self, node: &str, life: i64) -> StoreResult<Vec<(AccountId, i64)>> {
        let rows = sqlx::query("SELECT account, socket FROM seats WHERE node = $1 AND life = $2")
            .bind(node)
            .bind(life)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| Ok((account_id(row.try_get::<String, _>("account")?.as_str())?, row.try_get("socket")?))).collect()
    }

    async fn clear_node(&self, node: &str, life: i64) -> StoreResult<()> {
        sqlx::query("DELETE FROM seats WHERE node = $1 AND life <= $2").bind(node).bind(life).execute(&self.pool).await?;
        Ok(())
    }
}

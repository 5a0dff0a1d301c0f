//! Leases in SQL.

use super::SqlStore;
use crate::store::{Lease, LeaseRow, StoreResult};
use async_trait::async_trait;
use sqlx::Row;

#[async_trait]
impl Lease for SqlStore {
    async fn take(&self, name: &str, holder: &str, seen: Option<(i64, i64)>) -> StoreResult<Option<i64>> {
        let Some((fence, beat)) = seen else {
            let made = sqlx::query("INSERT INTO leases (name, holder, fence, beat) VALUES ($1, $2, 1, 0) ON CONFLICT DO NOTHING")
                .bind(name)
                .bind(holder)
                .execute(&self.pool)
                .await?;
            return Ok((made.rows_affected() == 1).then_some(1));
        };
        let taken = sqlx::query(
            "UPDATE leases SET holder = $1, fence = fence + 1, beat = 0 WHERE name = $2 AND fence = $3 AND beat = $4",
        )
        .bind(holder)
        .bind(name)
        .bind(fence)
        .bind(beat)
        .execute(&self.pool)
        .await?;
        Ok((taken.rows_affected() == 1).then_some(fence + 1))
    }

    async fn beat(&self, holder: &str) -> StoreResult<Vec<LeaseRow>> {
        sqlx::query("UPDATE leases SET beat = beat + 1 WHERE holder = $1").bind(holder).execute(&self.pool).await?;
        let rows = sqlx::query("SELECT name, holder, fence, beat FROM leases").fetch_all(&self.pool).await?;
        rows.iter()
            .map(|row| {
                Ok(LeaseRow {
                    name: row.try_get("name")?,
                    holder: row.try_get("holder")?,
                    fence: row.try_get("fence")?,
                    beat: row.try_get("beat")?,
                })
            })
            .collect()
    }

    async fn release(&self, name: &str, fence: i64) -> StoreResult<()> {
        sqlx::query("UPDATE leases SET holder = '' WHERE name = $1 AND fence = $2")
            .bind(name)
            .bind(fence)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn release_all(&self, holder: &str) -> StoreResult<()> {
        sqlx::query("UPDATE leases SET holder = '' WHERE holder = $1").bind(holder).execute(&self.pool).await?;
        Ok(())
    }
}

//! The audit log in SQL. Its head is one row, whose lock puts writers in order.

use super::SqlStore;
use crate::store::StoreResult;
use crate::store::safety::{AuditEntry, Hand};
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

/// The first statement of its transaction. Returns the entry's number.
pub(super) async fn append(
    transaction: &mut Transaction<'static, Any>,
    hand: Hand<'_>,
    action: &str,
    subject: &str,
    detail: &str,
) -> StoreResult<i64> {
    sqlx::query("UPDATE audit_head SET seq = seq + 1 WHERE id = 1").execute(&mut **transaction).await?;
    let head = sqlx::query("SELECT seq, mac FROM audit_head WHERE id = 1").fetch_one(&mut **transaction).await?;
    let mut entry = AuditEntry {
        seq: head.try_get("seq")?,
        at: hand.at,
        actor: hand.actor.to_owned(),
        action: action.to_owned(),
        subject: subject.to_owned(),
        detail: detail.to_owned(),
        mac: String::new(),
    };
    entry.mac = hand.key.mac(head.try_get::<String, _>("mac")?.as_str(), &entry);
    sqlx::query("INSERT INTO audit (seq, at, actor, action, subject, detail, mac) VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(entry.seq)
        .bind(entry.at)
        .bind(&entry.actor)
        .bind(&entry.action)
        .bind(&entry.subject)
        .bind(&entry.detail)
        .bind(&entry.mac)
        .execute(&mut **transaction)
        .await?;
    sqlx::query("UPDATE audit_head SET mac = $1 WHERE id = 1").bind(&entry.mac).execute(&mut **transaction).await?;
    Ok(entry.seq)
}

fn entry(row: &AnyRow) -> StoreResult<AuditEntry> {
    Ok(AuditEntry {
        seq: row.try_get("seq")?,
        at: row.try_get("at")?,
        actor: row.try_get("actor")?,
        action: row.try_get("action")?,
        subject: row.try_get("subject")?,
        detail: row.try_get("detail")?,
        mac: row.try_get("mac")?,
    })
}

impl SqlStore {
    pub(super) async fn audit_entries(&self, from: i64, most: u32) -> StoreResult<Vec<AuditEntry>> {
        let rows =
            sqlx::query("SELECT seq, at, actor, action, subject, detail, mac FROM audit WHERE seq >= $1 ORDER BY seq LIMIT $2")
                .bind(from)
                .bind(i64::from(most))
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(entry).collect()
    }

    pub(super) async fn newest_audit_entry(&self) -> StoreResult<(i64, String)> {
        let row = sqlx::query("SELECT seq, mac FROM audit_head WHERE id = 1").fetch_one(&self.pool).await?;
        Ok((row.try_get("seq")?, row.try_get("mac")?))
    }
}

#[cfg(test)]
mod tests;

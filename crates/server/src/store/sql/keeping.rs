//! Export, deletion and the janitor in SQL.

use super::audit::append;
use super::tokens::{end_all_of, forget_expired};
use super::{SqlStore, account_id, text};
use crate::conduct;
use crate::config::RetentionDays;
use crate::store::keeping::{Forgotten, HELD, Held, Keeping};
use crate::store::safety::Hand;
use crate::store::{AccountId, StoreResult};
use async_trait::async_trait;
use serde_json::{Map, Value};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyPool, AssertSqlSafe, Row, Transaction};
use uuid::Uuid;
use visavis_wire::people::Profile;

const DAY: i64 = 24 * 3600;
/// An open report holds a deletion for so long at most.
const HELD_FOR: i64 = 30 * DAY;

/// Each line of the janitor: kind, statement with `$1` for the time before which is forgotten, and that time.
fn lines(days: &RetentionDays, now: i64) -> Vec<(&'static str, &'static str, i64)> {
    let before = |days: u32| now - i64::from(days) * DAY;
    vec![
        // Longer than any access token lasts.
        ("ended_sign_ins", "DELETE FROM ended_sign_ins WHERE at < $1", now - 7 * DAY),
        ("evidence", "DELETE FROM evidence WHERE made_at < $1", before(days.evidence)),
        ("reports", "DELETE FROM reports WHERE decided_at < $1", before(days.reports)),
        // Nobody is left whose report it was.
        (
            "reports",
            "DELETE FROM reports WHERE decided_at < $1 AND NOT EXISTS (SELECT 1 FROM accounts WHERE accounts.id = reports.reporter)",
            now,
        ),
        (
            "decisions",
            "DELETE FROM decisions WHERE until < $1 OR lifted_at < $1 OR (measure = 'warning' AND made_at < $1)",
            before(days.decisions),
        ),
        ("kept_bars", "DELETE FROM kept_bars WHERE until < $1", now),
        ("sight_facts", "DELETE FROM sight_facts WHERE logged_at < $1", now - conduct::COUNTS_FOR_S),
        (
            "matches",
            "DELETE FROM matches WHERE COALESCE(ended_at, began_at) < $1 AND \
             NOT EXISTS (SELECT 1 FROM reports WHERE reports.match_id = matches.id AND decided_at IS NULL) AND \
             (SELECT COUNT(*) FROM matches later WHERE later.began_at > matches.began_at AND \
                (later.account_a = matches.account_a OR later.account_b = matches.account_a)) >= 20 AND \
             (SELECT COUNT(*) FROM matches later WHERE later.began_at > matches.began_at AND \
                (later.account_a = matches.account_b OR later.account_b = matches.account_b)) >= 20",
            before(days.matches),
        ),
        (
            "partners",
            "DELETE FROM partners WHERE met_at < $1 AND (SELECT COUNT(*) FROM partners newer \
             WHERE newer.account = partners.account AND newer.met_at > partners.met_at) >= 20",
            before(days.matches),
        ),
    ]
}

fn object(row: &AnyRow, held: &Held) -> StoreResult<Value> {
    let mut object = Map::new();
    for name in held.texts {
        let text: Option<String> = row.try_get(*name)?;
        // A profile is kept as JSON.
        let parsed = text.as_deref().filter(|text| text.starts_with('{')).and_then(|text| serde_json::from_str(text).ok());
        object.insert((*name).to_owned(), parsed.unwrap_or_else(|| text.map_or(Value::Null, Value::String)));
    }
    for name in held.numbers {
        let number: Option<i64> = row.try_get(*name)?;
        object.insert((*name).to_owned(), number.map_or(Value::Null, Value::from));
    }
    Ok(Value::Object(object))
}

fn whose(held: &Held) -> String {
    held.of.iter().map(|column| format!("{column} = $1")).collect::<Vec<_>>().join(" OR ")
}

async fn open_until(transaction: &mut Transaction<'static, Any>, account: AccountId) -> StoreResult<Option<i64>> {
    let row = sqlx::query("SELECT MAX(made_at) AS made_at FROM reports WHERE peer = $1 AND decided_at IS NULL")
        .bind(text(account))
        .fetch_one(&mut **transaction)
        .await?;
    Ok(row.try_get::<Option<i64>, _>("made_at")?.map(|made_at| made_at + HELD_FOR))
}

async fn run(transaction: &mut Transaction<'static, Any>, statement: &'static str, account: AccountId) -> StoreResult<()> {
    sqlx::query(statement).bind(text(account)).execute(&mut **transaction).await?;
    Ok(())
}

/// Keeps what the person is barred from, and deletes the rest.
async fn delete_all(transaction: &mut Transaction<'static, Any>, account: AccountId, now: i64) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO kept_bars (issuer, subject_hash, measure, reason, made_at, until) \
         SELECT issuer, subject_hash, measure, reason, made_at, until FROM accounts JOIN decisions ON decisions.account = accounts.id \
         WHERE accounts.id = $1 AND lifted_at IS NULL AND (measure = 'ban' OR (measure <> 'warning' AND until > $2)) \
         ORDER BY CASE WHEN measure = 'ban' THEN 0 ELSE 1 END, until DESC LIMIT 1 \
         ON CONFLICT (issuer, subject_hash) DO UPDATE SET measure = excluded.measure, reason = excluded.reason, \
         made_at = excluded.made_at, until = excluded.until",
    )
    .bind(text(account))
    .bind(now)
    .execute(&mut **transaction)
    .await?;
    // Reports by this person that nobody has decided stay for the sake of others, under an id that means nothing any more.
    run(transaction, "DELETE FROM reports WHERE reporter = $1 AND decided_at IS NOT NULL", account).await?;
    run(transaction, "DELETE FROM reports WHERE peer = $1", account).await?;
    run(transaction, "DELETE FROM accounts WHERE id = $1", account).await
}

/// Accounts whose time has come, with `$1` for it; `$2` is one of them, or empty for all.
const LEAVING: &str = "SELECT account AS id FROM leaving WHERE (held_until < $1 OR \
    NOT EXISTS (SELECT 1 FROM reports WHERE reports.peer = leaving.account AND decided_at IS NULL)) AND ($2 = '' OR account = $2)";
const UNUSED: &str = "SELECT id FROM accounts WHERE checked_at < $1 \
    AND NOT EXISTS (SELECT 1 FROM refresh_tokens WHERE account = accounts.id) \
    AND NOT EXISTS (SELECT 1 FROM reports WHERE reports.peer = accounts.id AND decided_at IS NULL) AND ($2 = '' OR id = $2)";

/// Each account in a transaction of its own: one that held several would wait for others in an order that nobody else keeps.
async fn delete_due(pool: &AnyPool, due: &'static str, before: i64, now: i64) -> StoreResult<u64> {
    let mut gone = 0;
    for row in sqlx::query(due).bind(before).bind("").fetch_all(pool).await? {
        let id: String = row.try_get("id")?;
        let mut transaction = pool.begin().await?;
        // Takes the write lock before it reads again.
        sqlx::query("UPDATE audit_head SET seq = seq WHERE id = 1").execute(&mut *transaction).await?;
        if sqlx::query(due).bind(before).bind(&id).fetch_optional(&mut *transaction).await?.is_some() {
            delete_all(&mut transaction, account_id(&id)?, now).await?;
            transaction.commit().await?;
            gone += 1;
        }
    }
    Ok(gone)
}

#[async_trait]
impl Keeping for SqlStore {
    async fn export(&self, account: AccountId) -> StoreResult<Value> {
        let mut all = Map::new();
        for held in HELD {
            let columns = held.texts.iter().chain(held.numbers).copied().collect::<Vec<_>>().join(", ");
            let statement = format!("SELECT {columns} FROM {} WHERE {}", held.table, whose(held));
            let rows = sqlx::query(AssertSqlSafe(statement)).bind(text(account)).fetch_all(&self.pool).await?;
            let rows = rows.iter().map(|row| object(row, held)).collect::<StoreResult<Vec<_>>>()?;
            all.insert(held.table.to_owned(), Value::Array(rows));
        }
        Ok(Value::Object(all))
    }

    async fn held_until(&self, account: AccountId) -> StoreResult<Option<i64>> {
        let mut transaction = self.pool.begin().await?;
        open_until(&mut transaction, account).await
    }

    async fn delete_account(&self, account: AccountId, hand: Hand<'_>) -> StoreResult<Option<i64>> {
        let mut transaction = self.pool.begin().await?;
        append(&mut transaction, Hand { actor: "owner", ..hand }, "account deletion", &text(account), "").await?;
        let held_until = open_until(&mut transaction, account).await?;
        end_all_of(&mut transaction, &text(account), true, hand.at).await?;
        match held_until {
            None => delete_all(&mut transaction, account, hand.at).await?,
            Some(held_until) => {
                for held in HELD.iter().filter(|held| held.goes_at_once) {
                    let statement = format!("DELETE FROM {} WHERE {}", held.table, whose(held));
                    sqlx::query(AssertSqlSafe(statement)).bind(text(account)).execute(&mut *transaction).await?;
                }
                let blank = serde_json::to_string(&Profile::default()).unwrap_or_default();
                sqlx::query("UPDATE accounts SET username = '', adult = 0, profile = $1 WHERE id = $2")
                    .bind(blank)
                    .bind(text(account))
                    .execute(&mut *transaction)
                    .await?;
                sqlx::query(
                    "INSERT INTO leaving (account, asked_at, held_until) VALUES ($1, $2, $3) ON CONFLICT (account) DO NOTHING",
                )
                .bind(text(account))
                .bind(hand.at)
                .bind(held_until)
                .execute(&mut *transaction)
                .await?;
            }
        }
        transaction.commit().await?;
        Ok(held_until)
    }

    async fn is_leaving(&self, issuer: &str, subject_hash: &str) -> StoreResult<bool> {
        let row = sqlx::query(
            "SELECT leaving.account AS account FROM leaving JOIN accounts ON accounts.id = leaving.account \
             WHERE issuer = $1 AND subject_hash = $2",
        )
        .bind(issuer)
        .bind(subject_hash)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.is_some())
    }

    async fn take_up_bar(&self, account: AccountId, hand: Hand<'_>) -> StoreResult<()> {
        let find = "SELECT kept_bars.issuer AS issuer, kept_bars.subject_hash AS subject_hash, measure, reason, made_at, until \
            FROM kept_bars JOIN accounts ON accounts.issuer = kept_bars.issuer AND accounts.subject_hash = kept_bars.subject_hash \
            WHERE accounts.id = $1 AND (until IS NULL OR until > $2)";
        if sqlx::query(find).bind(text(account)).bind(hand.at).fetch_optional(&self.pool).await?.is_none() {
            return Ok(());
        }
        let mut transaction = self.pool.begin().await?;
        let hand = Hand { actor: "automatic", ..hand };
        let audit_seq = append(&mut transaction, hand, "bar taken up", &text(account), "signed in again").await?;
        let row = sqlx::query(find).bind(text(account)).bind(hand.at).fetch_optional(&mut *transaction).await?;
        let Some(row) = row else { return Ok(()) };
        sqlx::query(
            "INSERT INTO decisions (id, account, measure, reason, made_at, until, audit_seq) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(Uuid::new_v4().to_string())
        .bind(text(account))
        .bind(row.try_get::<String, _>("measure")?)
        .bind(row.try_get::<String, _>("reason")?)
        .bind(row.try_get::<i64, _>("made_at")?)
        .bind(row.try_get::<Option<i64>, _>("until")?)
        .bind(audit_seq)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("DELETE FROM kept_bars WHERE issuer = $1 AND subject_hash = $2")
            .bind(row.try_get::<String, _>("issuer")?)
            .bind(row.try_get::<String, _>("subject_hash")?)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn forget(&self, days: &RetentionDays, hand: Hand<'_>) -> StoreResult<Forgotten> {
        let mut forgotten: Forgotten = Vec::new();
        for (kind, statement, time) in lines(days, hand.at) {
            let done = sqlx::query(statement).bind(time).execute(&self.pool).await?;
            forgotten.push((kind, done.rows_affected()));
        }
        forgotten.push(("refresh_tokens", forget_expired(&self.pool, hand.at).await?));
        let unused_before = hand.at - i64::from(days.unused_accounts) * DAY;
        for (kind, due, before) in [("leaving", LEAVING, hand.at), ("unused_accounts", UNUSED, unused_before)] {
            forgotten.push((kind, delete_due(&self.pool, due, before, hand.at).await?));
        }
        Ok(forgotten)
    }
}

#[cfg(test)]
mod tests;

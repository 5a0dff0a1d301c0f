//! Reports, measures and appeals in SQL.

use super::audit::append;
use super::{SqlStore, account_id, text};
use crate::config::ModerationRules;
use crate::store::safety::{AppealRow, AuditEntry, Bar, Decided, Hand, NewReport, Queue, ReportRow, Reporting, Safety, Verdict};
use crate::store::{AccountId, StoreError, StoreResult};
use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};
use std::time::Duration;
use uuid::Uuid;
use visavis_wire::Private;
use visavis_wire::safety::{AppealState, Category, Measure, Standing, StandingNotice};
use visavis_wire::socket::MatchId;

const DAY: i64 = 24 * 3600;
/// By how many of the latest matches a report may still be made.
const REPORTABLE: i64 = 20;
pub(super) const IN_FORCE: &str = "lifted_at IS NULL AND (measure = 'ban' OR (measure <> 'warning' AND until > $2))";

const REPORT_COLUMNS: &str = "reports.id AS id, match_id, reporter, peer, category, text, match_log, reports.made_at AS made_at, \
    decide_by, verdict, (SELECT COUNT(*) FROM evidence WHERE evidence.report = reports.id) AS pictures, \
    (SELECT COUNT(DISTINCT other.reporter) FROM reports other WHERE other.peer = reports.peer AND other.decided_at IS NULL \
        AND other.reporter <> reports.reporter) AS others, \
    (SELECT COUNT(*) FROM decisions WHERE decisions.account = reports.peer AND measure <> 'automatic_pause') AS before";

fn later(at: i64, by: Duration) -> i64 {
    at.saturating_add_unsigned(by.as_secs())
}

fn measure(row: &AnyRow) -> StoreResult<Measure> {
    Measure::from_name(row.try_get::<String, _>("measure")?.as_str()).ok_or(StoreError::Content("measure"))
}

fn report_row(row: &AnyRow) -> StoreResult<ReportRow> {
    let category = row.try_get::<String, _>("category")?;
    Ok(ReportRow {
        id: row.try_get("id")?,
        match_id: MatchId(row.try_get("match_id")?),
        reporter: account_id(row.try_get::<String, _>("reporter")?.as_str())?,
        peer: account_id(row.try_get::<String, _>("peer")?.as_str())?,
        category: Category::from_name(&category).ok_or(StoreError::Content("category"))?,
        text: Private::new(row.try_get("text")?),
        match_log: row.try_get("match_log")?,
        made_at: row.try_get("made_at")?,
        decide_by: row.try_get("decide_by")?,
        verdict: row.try_get("verdict")?,
        has_evidence: row.try_get::<i64, _>("pictures")? > 0,
        others: row.try_get("others")?,
        before: row.try_get("before")?,
    })
}

/// Of the match that a report is about: who the other was, and what the server knows of it.
struct Met {
    peer: AccountId,
    log: String,
}

async fn met(transaction: &mut Transaction<'static, Any>, id: &MatchId, reporter: AccountId) -> StoreResult<Option<Met>> {
    let own = text(reporter);
    let row = sqlx::query(
        "SELECT account_a, account_b, began_at, ended_at, ended_how, (SELECT COUNT(*) FROM matches later WHERE \
         (later.account_a = $2 OR later.account_b = $2) AND later.began_at > matches.began_at) AS later \
         FROM matches WHERE id = $1 AND (account_a = $2 OR account_b = $2)",
    )
    .bind(&id.0)
    .bind(&own)
    .fetch_optional(&mut **transaction)
    .await?;
    let Some(row) = row.filter(|row| row.try_get::<i64, _>("later").is_ok_and(|later| later < REPORTABLE)) else {
        return Ok(None);
    };
    let facts = sqlx::query("SELECT reporter, saw_s, told_s FROM sight_facts WHERE match_id = $1 ORDER BY reporter")
        .bind(&id.0)
        .fetch_all(&mut **transaction)
        .await?;
    let mut sight = Vec::new();
    for fact in &facts {
        let by = if fact.try_get::<String, _>("reporter")? == own { "reporter" } else { "peer" };
        let (saw_s, told_s) = (fact.try_get::<i64, _>("saw_s")?, fact.try_get::<i64, _>("told_s")?);
        sight.push(serde_json::json!({"by": by, "saw_the_other_covered_s": saw_s, "was_told_to_be_covered_s": told_s}));
    }
    let log = serde_json::json!({
        "began_at": row.try_get::<i64, _>("began_at")?,
        "ended_at": row.try_get::<Option<i64>, _>("ended_at")?,
        "ended_how": row.try_get::<Option<String>, _>("ended_how")?,
        "cameras": sight,
    });
    let [a, b]: [String; 2] = [row.try_get("account_a")?, row.try_get("account_b")?];
    let peer = account_id(if a == own { &b } else { &a })?;
    Ok(Some(Met { peer, log: log.to_string() }))
}

struct NewMeasure<'a> {
    account: AccountId,
    report: Option<&'a str>,
    measure: Measure,
    reason: &'a str,
    until: Option<i64>,
    at: i64,
    audit_seq: i64,
}

async fn put_measure(transaction: &mut Transaction<'static, Any>, new: NewMeasure<'_>) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO decisions (id, account, report, measure, reason, made_at, until, audit_seq) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(Uuid::new_v4().to_string())
    .bind(text(new.account))
    .bind(new.report)
    .bind(new.measure.name())
    .bind(new.reason)
    .bind(new.at)
    .bind(new.until)
    .bind(new.audit_seq)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Different people whose reports about somebody nobody has decided yet.
async fn reporters(transaction: &mut Transaction<'static, Any>, about: AccountId, since: i64) -> StoreResult<i64> {
    let row = sqlx::query(
        "SELECT COUNT(DISTINCT reporter) AS reporters FROM reports WHERE peer = $1 AND decided_at IS NULL AND made_at >= $2",
    )
    .bind(text(about))
    .bind(since)
    .fetch_one(&mut **transaction)
    .await?;
    Ok(row.try_get("reporters")?)
}

async fn pause_by_itself(
    transaction: &mut Transaction<'static, Any>,
    peer: AccountId,
    rules: &ModerationRules,
    hand: Hand<'_>,
) -> StoreResult<Option<AccountId>> {
    let since = hand.at - i64::try_from(rules.pause_within.as_secs()).unwrap_or(i64::MAX);
    let enough = rules.pause_reporters > 0 && reporters(transaction, peer, since).await? >= i64::from(rules.pause_reporters);
    let barred = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT id FROM decisions WHERE account = $1 AND {IN_FORCE}")))
        .bind(text(peer))
        .bind(hand.at)
        .fetch_optional(&mut **transaction)
        .await?;
    let exists = sqlx::query("SELECT id FROM accounts WHERE id = $1").bind(text(peer)).fetch_optional(&mut **transaction).await?;
    if !enough || barred.is_some() || exists.is_none() {
        return Ok(None);
    }
    let hand = Hand { actor: "automatic", ..hand };
    let audit_seq = append(transaction, hand, "pause", &text(peer), "enough different people reported").await?;
    let until = Some(later(hand.at, rules.pause_lasts));
    let new =
        NewMeasure { account: peer, report: None, measure: Measure::AutomaticPause, reason: "", until, at: hand.at, audit_seq };
    put_measure(transaction, new).await?;
    Ok(Some(peer))
}

async fn lift_automatic(transaction: &mut Transaction<'static, Any>, account: AccountId, at: i64) -> StoreResult<()> {
    sqlx::query("UPDATE decisions SET lifted_at = $1 WHERE account = $2 AND measure = 'automatic_pause' AND lifted_at IS NULL")
        .bind(at)
        .bind(text(account))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

fn notice(row: &AnyRow) -> StoreResult<StandingNotice> {
    let appeal = match (row.try_get::<Option<i64>, _>("appealed_at")?, row.try_get::<Option<i64>, _>("granted")?) {
        (None, _) => AppealState::Open,
        (Some(_), None) => AppealState::Made,
        (Some(_), Some(0)) => AppealState::Upheld,
        (Some(_), Some(_)) => AppealState::Granted,
    };
    Ok(StandingNotice {
        decision: row.try_get("id")?,
        what: measure(row)?,
        reason: Private::new(row.try_get("reason")?),
        since: row.try_get("made_at")?,
        until: row.try_get("until")?,
        read: row.try_get::<Option<i64>, _>("read_at")?.is_some(),
        appeal,
        answer: Private::new(row.try_get::<Option<String>, _>("answer")?.unwrap_or_default()),
    })
}

#[async_trait]
impl Safety for SqlStore {
    async fn report(&self, new: NewReport, rules: &ModerationRules, hand: Hand<'_>) -> StoreResult<Reporting> {
        let mut transaction = self.pool.begin().await?;
        let id = Uuid::new_v4().to_string();
        append(&mut transaction, Hand { actor: "reporter", ..hand }, "report", &id, new.category.name()).await?;
        let Some(Met { peer, log }) = met(&mut transaction, &new.match_id, new.reporter).await? else {
            return Ok(Reporting::NotTheirs);
        };
        let decide_by = later(hand.at, rules.deadline(new.category));
        let made = sqlx::query(
            "INSERT INTO reports (id, match_id, reporter, peer, category, text, match_log, made_at, decide_by) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (match_id, reporter) DO NOTHING",
        )
        .bind(&id)
        .bind(&new.match_id.0)
        .bind(text(new.reporter))
        .bind(text(peer))
        .bind(new.category.name())
        .bind(new.text.reveal())
        .bind(log)
        .bind(hand.at)
        .bind(decide_by)
        .execute(&mut *transaction)
        .await?;
        if made.rows_affected() == 0 {
            return Ok(Reporting::Twice);
        }
        if let Some(sealed) = &new.sealed {
            sqlx::query("INSERT INTO evidence (report, sealed, made_at) VALUES ($1, $2, $3)")
                .bind(&id)
                .bind(sealed.reveal())
                .bind(hand.at)
                .execute(&mut *transaction)
                .await?;
        }
        let paused = pause_by_itself(&mut transaction, peer, rules, hand).await?;
        transaction.commit().await?;
        Ok(Reporting::Made { decide_by, paused })
    }

    async fn reports(&self, open: bool, most: u32) -> StoreResult<Vec<ReportRow>> {
        let which = if open {
            "decided_at IS NULL ORDER BY decide_by, id"
        } else {
            "decided_at IS NOT NULL ORDER BY decided_at DESC, id"
        };
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {REPORT_COLUMNS} FROM reports WHERE {which} LIMIT $1")))
            .bind(i64::from(most))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(report_row).collect()
    }

    async fn report_of(&self, id: &str) -> StoreResult<Option<ReportRow>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {REPORT_COLUMNS} FROM reports WHERE id = $1")))
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(report_row).transpose()
    }

    async fn evidence(&self, report: &str) -> StoreResult<Option<String>> {
        let row = sqlx::query("SELECT sealed FROM evidence WHERE report = $1").bind(report).fetch_optional(&self.pool).await?;
        Ok(row.map(|row| row.try_get("sealed")).transpose()?)
    }

    async fn decide(
        &self,
        report: &str,
        verdict: &Verdict,
        reason: &str,
        rules: &ModerationRules,
        hand: Hand<'_>,
    ) -> StoreResult<Decided> {
        let mut transaction = self.pool.begin().await?;
        let audit_seq = append(&mut transaction, hand, verdict.name(), report, reason).await?;
        let row = sqlx::query("SELECT peer, decided_at FROM reports WHERE id = $1")
            .bind(report)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(Decided::Unknown) };
        if row.try_get::<Option<i64>, _>("decided_at")?.is_some() {
            return Ok(Decided::Already);
        }
        let peer = account_id(row.try_get::<String, _>("peer")?.as_str())?;
        sqlx::query("UPDATE reports SET decided_at = $1, verdict = $2 WHERE id = $3")
            .bind(hand.at)
            .bind(verdict.name())
            .bind(report)
            .execute(&mut *transaction)
            .await?;
        let measure = match verdict {
            Verdict::Dismiss => None,
            Verdict::Warn => Some((Measure::Warning, None)),
            Verdict::Pause { days } => Some((Measure::Pause, Some(hand.at + i64::from(*days) * DAY))),
            Verdict::Ban => Some((Measure::Ban, None)),
        };
        let since = hand.at - i64::try_from(rules.pause_within.as_secs()).unwrap_or(i64::MAX);
        let too_few = reporters(&mut transaction, peer, since).await? < i64::from(rules.pause_reporters);
        if measure.is_some() || too_few {
            lift_automatic(&mut transaction, peer, hand.at).await?;
        }
        let exists =
            sqlx::query("SELECT id FROM accounts WHERE id = $1").bind(text(peer)).fetch_optional(&mut *transaction).await?;
        if let Some((measure, until)) = measure.filter(|_| exists.is_some()) {
            let new = NewMeasure { account: peer, report: Some(report), measure, reason, until, at: hand.at, audit_seq };
            put_measure(&mut transaction, new).await?;
        }
        transaction.commit().await?;
        Ok(Decided::Done)
    }

    async fn bar(&self, account: AccountId, now: i64) -> StoreResult<Option<Bar>> {
        let leaving =
            sqlx::query("SELECT account FROM leaving WHERE account = $1").bind(text(account)).fetch_optional(&self.pool).await?;
        if leaving.is_some() {
            return Ok(Some(Bar::Leaving));
        }
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(format!("SELECT measure, until FROM decisions WHERE account = $1 AND {IN_FORCE}")))
                .bind(text(account))
                .bind(now)
                .fetch_all(&self.pool)
                .await?;
        let mut bar = None;
        for row in &rows {
            match (measure(row)?, row.try_get::<Option<i64>, _>("until")?) {
                (Measure::Ban, _) => return Ok(Some(Bar::Banned)),
                (_, Some(until)) => {
                    let latest = match bar {
                        Some(Bar::Paused { until: other }) => until.max(other),
                        _ => until,
                    };
                    bar = Some(Bar::Paused { until: latest });
                }
                (_, None) => {}
            }
        }
        Ok(bar)
    }

    async fn standing(&self, account: AccountId, now: i64) -> StoreResult<Standing> {
        // A warning or an answer stays until it is read, the rest for as long as it is in force.
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT id, measure, reason, decisions.made_at AS made_at, until, read_at, appeals.made_at AS appealed_at, granted, answer \
             FROM decisions LEFT JOIN appeals ON appeals.decision = decisions.id WHERE decisions.account = $1 AND \
             (({IN_FORCE}) OR (read_at IS NULL AND (measure = 'warning' OR granted IS NOT NULL))) ORDER BY audit_seq DESC",
        )))
        .bind(text(account))
        .bind(now)
        .fetch_all(&self.pool)
        .await?;
        Ok(Standing { notices: rows.iter().map(notice).collect::<StoreResult<_>>()? })
    }

    async fn read_notice(&self, account: AccountId, decision: &str, at: i64) -> StoreResult<()> {
        sqlx::query("UPDATE decisions SET read_at = $1 WHERE id = $2 AND account = $3")
            .bind(at)
            .bind(decision)
            .bind(text(account))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn appeal(&self, account: AccountId, decision: &str, said: &str, at: i64, decide_by: i64) -> StoreResult<bool> {
        let made = sqlx::query(
            "INSERT INTO appeals (decision, account, text, made_at, decide_by, answer) \
             SELECT id, account, $1, CAST($2 AS BIGINT), CAST($3 AS BIGINT), '' FROM decisions \
             WHERE id = $4 AND account = $5 AND lifted_at IS NULL ON CONFLICT (decision) DO NOTHING",
        )
        .bind(said)
        .bind(at)
        .bind(decide_by)
        .bind(decision)
        .bind(text(account))
        .execute(&self.pool)
        .await?;
        Ok(made.rows_affected() > 0)
    }

    async fn appeals(&self) -> StoreResult<Vec<AppealRow>> {
        let rows = sqlx::query(
            "SELECT decision, measure, reason, report, text, decide_by \
             FROM appeals JOIN decisions ON decisions.id = appeals.decision WHERE decided_at IS NULL ORDER BY decide_by, decision",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(AppealRow {
                    decision: row.try_get("decision")?,
                    measure: measure(row)?,
                    reason: Private::new(row.try_get("reason")?),
                    report: row.try_get("report")?,
                    text: Private::new(row.try_get("text")?),
                    decide_by: row.try_get("decide_by")?,
                })
            })
            .collect()
    }

    async fn decide_appeal(&self, decision: &str, granted: bool, answer: &str, hand: Hand<'_>) -> StoreResult<Decided> {
        let mut transaction = self.pool.begin().await?;
        append(&mut transaction, hand, if granted { "appeal granted" } else { "appeal upheld" }, decision, answer).await?;
        let row = sqlx::query("SELECT decided_at FROM appeals WHERE decision = $1")
            .bind(decision)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(Decided::Unknown) };
        if row.try_get::<Option<i64>, _>("decided_at")?.is_some() {
            return Ok(Decided::Already);
        }
        sqlx::query("UPDATE appeals SET decided_at = $1, granted = $2, answer = $3 WHERE decision = $4")
            .bind(hand.at)
            .bind(i64::from(granted))
            .bind(answer)
            .bind(decision)
            .execute(&mut *transaction)
            .await?;
        // The answer is to be read.
        sqlx::query("UPDATE decisions SET read_at = NULL, lifted_at = $1 WHERE id = $2")
            .bind(granted.then_some(hand.at))
            .bind(decision)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Decided::Done)
    }

    async fn measures_since(&self, seq: i64) -> StoreResult<(i64, Vec<AccountId>)> {
        let rows = sqlx::query("SELECT account, audit_seq FROM decisions WHERE audit_seq > $1 ORDER BY audit_seq")
            .bind(seq)
            .fetch_all(&self.pool)
            .await?;
        let newest = rows.last().map(|row| row.try_get("audit_seq")).transpose()?.unwrap_or(seq);
        let about =
            rows.iter().map(|row| account_id(row.try_get::<String, _>("account")?.as_str())).collect::<StoreResult<_>>()?;
        Ok((newest, about))
    }

    async fn queue(&self, now: i64) -> StoreResult<Queue> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM reports WHERE decided_at IS NULL) AS reports, \
             (SELECT COUNT(*) FROM reports WHERE decided_at IS NULL AND decide_by < $1) AS late_reports, \
             (SELECT COUNT(*) FROM appeals WHERE decided_at IS NULL) AS appeals, \
             (SELECT COUNT(*) FROM appeals WHERE decided_at IS NULL AND decide_by < $1) AS late_appeals",
        )
        .bind(now)
        .fetch_one(&self.pool)
        .await?;
        Ok(Queue {
            reports: row.try_get("reports")?,
            late_reports: row.try_get("late_reports")?,
            appeals: row.try_get("appeals")?,
            late_appeals: row.try_get("late_appeals")?,
        })
    }

    async fn audit(&self, from: i64, most: u32) -> StoreResult<Vec<AuditEntry>> {
        self.audit_entries(from, most).await
    }

    async fn audit_head(&self) -> StoreResult<(i64, String)> {
        self.newest_audit_entry().await
    }

    async fn note(&self, action: &str, subject: &str, hand: Hand<'_>) -> StoreResult<()> {
        let mut transaction = self.pool.begin().await?;
        append(&mut transaction, hand, action, subject, "").await?;
        transaction.commit().await?;
        Ok(())
    }
}

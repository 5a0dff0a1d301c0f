//! Reports, measures, appeals and the audit log: what [`Safety`] promises. The chain of the log is here, its statements are in
//! `sql/safety` and `sql/audit`.

use super::{AccountId, StoreResult};
use crate::config::ModerationRules;
use async_trait::async_trait;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use visavis_wire::Private;
use visavis_wire::safety::{Category, Measure, Standing};
use visavis_wire::socket::MatchId;

#[derive(Clone, Debug)]
pub struct NewReport {
    pub match_id: MatchId,
    pub reporter: AccountId,
    pub category: Category,
    pub text: Private<String>,
    /// Base64.
    pub sealed: Option<Private<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reporting {
    Made {
        decide_by: i64,
        /// Whom this report, with those of others, has paused.
        paused: Option<AccountId>,
    },
    /// No match of this person, or one that is no longer known.
    NotTheirs,
    Twice,
}

#[derive(Clone, Debug)]
pub struct ReportRow {
    pub id: String,
    pub match_id: MatchId,
    pub reporter: AccountId,
    pub peer: AccountId,
    pub category: Category,
    pub text: Private<String>,
    pub match_log: String,
    pub made_at: i64,
    pub decide_by: i64,
    pub verdict: Option<String>,
    pub has_evidence: bool,
    /// Open reports about the same person by other people.
    pub others: i64,
    /// Measures taken against the same person before.
    pub before: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Dismiss,
    Warn,
    Pause { days: u32 },
    Ban,
}

impl Verdict {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Dismiss => "dismissed",
            Self::Warn => Measure::Warning.name(),
            Self::Pause { .. } => Measure::Pause.name(),
            Self::Ban => Measure::Ban.name(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    Done,
    Unknown,
    Already,
}

/// Keeps somebody from meeting others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    Paused { until: i64 },
    Banned,
    Leaving,
}

#[derive(Clone, Debug)]
pub struct AppealRow {
    pub decision: String,
    pub measure: Measure,
    pub reason: Private<String>,
    pub report: Option<String>,
    pub text: Private<String>,
    pub decide_by: i64,
}

/// What waits for a moderator, and how much of it is late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    pub reports: i64,
    pub late_reports: i64,
    pub appeals: i64,
    pub late_appeals: i64,
}

/// Who does something and when, for the log.
#[derive(Clone, Copy)]
pub struct Hand<'a> {
    pub actor: &'a str,
    pub at: i64,
    pub key: &'a AuditKey,
}

#[async_trait]
pub trait Safety {
    async fn report(&self, new: NewReport, rules: &ModerationRules, hand: Hand<'_>) -> StoreResult<Reporting>;

    /// Those that are open, the one due first at the head; or the latest that are decided.
    async fn reports(&self, open: bool, most: u32) -> StoreResult<Vec<ReportRow>>;

    async fn report_of(&self, id: &str) -> StoreResult<Option<ReportRow>>;

    /// Base64, sealed.
    async fn evidence(&self, report: &str) -> StoreResult<Option<String>>;

    /// A measure takes the place of an automatic pause; a dismissal ends one that no longer has enough reports.
    async fn decide(
        &self,
        report: &str,
        verdict: &Verdict,
        reason: &str,
        rules: &ModerationRules,
        hand: Hand<'_>,
    ) -> StoreResult<Decided>;

    async fn bar(&self, account: AccountId, now: i64) -> StoreResult<Option<Bar>>;

    async fn standing(&self, account: AccountId, now: i64) -> StoreResult<Standing>;

    async fn read_notice(&self, account: AccountId, decision: &str, at: i64) -> StoreResult<()>;

    /// False: not theirs, or made already.
    async fn appeal(&self, account: AccountId, decision: &str, text: &str, at: i64, decide_by: i64) -> StoreResult<bool>;

    async fn appeals(&self) -> StoreResult<Vec<AppealRow>>;

    async fn decide_appeal(&self, decision: &str, granted: bool, answer: &str, hand: Hand<'_>) -> StoreResult<Decided>;

    /// Whom measures newer than this entry of the log are about, and the newest entry.
    async fn measures_since(&self, seq: i64) -> StoreResult<(i64, Vec<AccountId>)>;

    async fn queue(&self, now: i64) -> StoreResult<Queue>;

    /// From this entry on.
    async fn audit(&self, from: i64, most: u32) -> StoreResult<Vec<AuditEntry>>;

    /// Of the newest entry: its number and its mac.
    async fn audit_head(&self) -> StoreResult<(i64, String)>;

    /// Something that a moderator looked at.
    async fn note(&self, action: &str, subject: &str, hand: Hand<'_>) -> StoreResult<()>;
}

/// Derived from the server's secret: whoever can write to the database alone cannot make an entry.
#[derive(Clone)]
pub struct AuditKey([u8; 32]);

impl AuditKey {
    pub fn of(secret: &[u8; 32]) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
        mac.update(b"visavis audit 1");
        Self(mac.finalize().into_bytes().into())
    }

    pub fn mac(&self, before: &str, entry: &AuditEntry) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        let AuditEntry { seq, at, actor, action, subject, detail, mac: _ } = entry;
        for part in [before, &seq.to_string(), &at.to_string(), actor, action, subject, detail] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        crate::random::hex(&mac.finalize().into_bytes())
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct AuditEntry {
    pub seq: i64,
    pub at: i64,
    pub actor: String,
    pub action: String,
    pub subject: String,
    pub detail: String,
    pub mac: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Tampered {
    #[error("entry {0} of the audit log is missing")]
    Missing(i64),
    #[error("entry {0} of the audit log was changed, or the ones before it")]
    Changed(i64),
    #[error("the audit log ends at entry {0} but had more")]
    CutShort(i64),
}

const PAGE: u32 = 500;

/// Goes through the whole log.
pub async fn check_audit<S: Safety + ?Sized>(store: &S, key: &AuditKey) -> StoreResult<Result<i64, Tampered>> {
    let (last, head) = store.audit_head().await?;
    let (mut next, mut before) = (1, String::new());
    loop {
        let entries = store.audit(next, PAGE).await?;
        if entries.is_empty() {
            break;
        }
        for entry in entries {
            if entry.seq != next {
                return Ok(Err(Tampered::Missing(next)));
            }
            if key.mac(&before, &entry) != entry.mac {
                return Ok(Err(Tampered::Changed(next)));
            }
            before = entry.mac;
            next += 1;
        }
    }
    if next - 1 == last && before == head { Ok(Ok(last)) } else { Ok(Err(Tampered::CutShort(next - 1))) }
}

//! `visavis-server moderate`: works on the database itself, beside a server that runs or without one. A running server hears of a
//! measure within a second or so.

use super::time_of;
use crate::config::{Config, ModerationRules};
use crate::random;
use crate::server::{StartError, open_data_folder, open_store, write_private};
use crate::store::safety::{AuditKey, Decided, Hand, ReportRow, Tampered, Verdict, check_audit};
use crate::store::{Store, StoreError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use visavis_wire::evidence::{Evidence, SealError, key_pair};

#[derive(clap::Subcommand, Clone, Debug)]
pub enum Moderate {
    /// What waits for a decision, the report due first at the head.
    List {
        /// Decided ones instead, the latest first.
        #[arg(long)]
        decided: bool,
    },
    /// All of one report.
    Show { report: String },
    /// Decide a report. The person is told the reason in your words.
    Decide {
        report: String,
        #[arg(value_enum)]
        verdict: VerdictName,
        /// Days of a pause.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=365))]
        days: Option<u32>,
        /// Shown to the person; needed for everything but a dismissal.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Who asked for another look.
    Appeals,
    /// Decide an appeal, by the id of the decision that it is about. The person is told the answer in your words.
    Appeal {
        decision: String,
        #[arg(value_enum)]
        outcome: Outcome,
        #[arg(long)]
        answer: String,
    },
    /// The log of everything that was decided; checked from the first entry to the last.
    Audit,
    /// Open the pictures of a report. Needs the private key, which no server has.
    Evidence {
        report: String,
        /// The file that `keygen` wrote.
        #[arg(long)]
        key: PathBuf,
        /// Folder for the pictures.
        #[arg(long)]
        out: PathBuf,
    },
    /// Make a pair of keys: prints the public one for the configuration and writes the private one into a file.
    Keygen {
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerdictName {
    Dismiss,
    Warn,
    Pause,
    Ban,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The measure is lifted.
    Grant,
    /// It stays.
    Uphold,
}

#[derive(Debug, thiserror::Error)]
pub enum ModerateError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("there is no report {0}; `moderate list` shows those that there are")]
    NoReport(String),
    #[error("there is no appeal against {0}; `moderate appeals` shows those that there are")]
    NoAppeal(String),
    #[error("{0} has been decided already")]
    Already(String),
    #[error("say why with --reason, in words for the person")]
    NoReason,
    #[error("say for how long with --days")]
    NoDays,
    #[error("{0}")]
    Tampered(#[from] Tampered),
    #[error("the report has no pictures, or they are older than they are kept")]
    NoEvidence,
    #[error("the pictures cannot be opened: {0}")]
    Sealed(#[from] SealError),
    #[error("the file {} cannot be used: {why}", .file.display())]
    File { file: PathBuf, why: String },
}

fn file_error(file: &Path, why: impl ToString) -> ModerateError {
    ModerateError::File { file: file.to_owned(), why: why.to_string() }
}

/// Does what was asked and returns what is printed.
pub async fn moderate(config: &Config, command: Moderate) -> Result<String, ModerateError> {
    if let Moderate::Keygen { out } = &command {
        return keygen(out);
    }
    let secret = open_data_folder(&config.data)?;
    let store = open_store(config).await?;
    let desk = Desk { store: store.as_ref(), key: AuditKey::of(&secret), rules: config.moderation };
    let done = desk.run(command).await;
    store.close().await;
    done
}

fn keygen(out: &Path) -> Result<String, ModerateError> {
    if out.exists() {
        return Err(file_error(out, "it is there already, and what was sealed to it could never be opened again"));
    }
    let keys = key_pair(&random::bytes::<32>());
    write_private(out, STANDARD.encode(keys.private).as_bytes()).map_err(|error| file_error(out, error))?;
    let public = STANDARD.encode(keys.public);
    Ok(format!(
        "[moderation]\npublic_key = \"{public}\"\n\n# The private key is in {}. Keep it away from the server.\n",
        out.display()
    ))
}

/// What the command line and the page both do.
pub struct Desk<'a> {
    pub store: &'a dyn Store,
    pub key: AuditKey,
    pub rules: ModerationRules,
}

impl Desk<'_> {
    fn hand<'b>(&'b self, actor: &'b str) -> Hand<'b> {
        Hand { actor, at: random::unix_seconds(), key: &self.key }
    }

    async fn run(&self, command: Moderate) -> Result<String, ModerateError> {
        match command {
            Moderate::List { decided } => self.list(!decided).await,
            Moderate::Show { report } => self.show(&report).await,
            Moderate::Decide { report, verdict, days, reason } => {
                let verdict = verdict_of(verdict, days)?;
                self.decide("command line", &report, &verdict, reason.as_deref().unwrap_or_default()).await?;
                Ok(format!("{report}: {}\n", verdict.name()))
            }
            Moderate::Appeals => self.appeals().await,
            Moderate::Appeal { decision, outcome, answer } => {
                self.decide_appeal("command line", &decision, outcome == Outcome::Grant, &answer).await?;
                Ok(format!("{decision}: {}\n", if outcome == Outcome::Grant { "lifted" } else { "stays" }))
            }
            Moderate::Audit => self.audit().await,
            Moderate::Evidence { report, key, out } => self.evidence(&report, &key, &out).await,
            Moderate::Keygen { out } => keygen(&out),
        }
    }

    async fn list(&self, open: bool) -> Result<String, ModerateError> {
        let now = random::unix_seconds();
        let rows = self.store.reports(open, 500).await?;
        let mut text = String::new();
        for row in &rows {
            let due = if open { due(row.decide_by, now) } else { row.verdict.clone().unwrap_or_default() };
            let pictures = if row.has_evidence { "pictures" } else { "" };
            let _ = writeln!(
                text,
                "{}  {:<10}  {due:<22}  others {}  before {}  {pictures}",
                row.id,
                row.category.name(),
                row.others,
                row.before
            );
        }
        if rows.is_empty() {
            text.push_str("Nothing waits.\n");
        }
        Ok(text)
    }

    pub async fn report(&self, id: &str) -> Result<ReportRow, ModerateError> {
        self.store.report_of(id).await?.ok_or_else(|| ModerateError::NoReport(id.to_owned()))
    }

    async fn show(&self, id: &str) -> Result<String, ModerateError> {
        let row = self.report(id).await?;
        self.store.note("report shown", id, self.hand("command line")).await?;
        Ok(format!(
            "report    {}\ncategory  {}\nmade      {}\ndecide by {}\nverdict   {}\nreporter  {}\nabout     {}\nothers    {} other people \
             have reported them and wait\nbefore    {} measures\npictures  {}\nmatch     {} {}\n\n{}\n",
            row.id,
            row.category.name(),
            time_of(row.made_at),
            time_of(row.decide_by),
            row.verdict.as_deref().unwrap_or("open"),
            row.reporter.0,
            row.peer.0,
            row.others,
            row.before,
            if row.has_evidence { "yes: moderate evidence" } else { "none" },
            row.match_id.0,
            row.match_log,
            printable(row.text.reveal()),
        ))
    }

    pub async fn decide(&self, actor: &str, report: &str, verdict: &Verdict, reason: &str) -> Result<(), ModerateError> {
        if *verdict != Verdict::Dismiss && reason.trim().is_empty() {
            return Err(ModerateError::NoReason);
        }
        match self.store.decide(report, verdict, reason.trim(), &self.rules, self.hand(actor)).await? {
            Decided::Done => Ok(()),
            Decided::Unknown => Err(ModerateError::NoReport(report.to_owned())),
            Decided::Already => Err(ModerateError::Already(report.to_owned())),
        }
    }

    async fn appeals(&self) -> Result<String, ModerateError> {
        let now = random::unix_seconds();
        let rows = self.store.appeals().await?;
        let mut text = String::new();
        for row in &rows {
            let report = row.report.as_deref().unwrap_or("several reports");
            let _ = writeln!(
                text,
                "{}  {:<15}  {}  of {report}\n  reason: {}\n  they say: {}",
                row.decision,
                row.measure.name(),
                due(row.decide_by, now),
                printable(row.reason.reveal()),
                printable(row.text.reveal())
            );
        }
        if rows.is_empty() {
            text.push_str("Nobody has asked for another look.\n");
        }
        Ok(text)
    }

    pub async fn decide_appeal(&self, actor: &str, decision: &str, granted: bool, answer: &str) -> Result<(), ModerateError> {
        if answer.trim().is_empty() {
            return Err(ModerateError::NoReason);
        }
        match self.store.decide_appeal(decision, granted, answer.trim(), self.hand(actor)).await? {
            Decided::Done => Ok(()),
            Decided::Unknown => Err(ModerateError::NoAppeal(decision.to_owned())),
            Decided::Already => Err(ModerateError::Already(decision.to_owned())),
        }
    }

    /// Prints what is there, then fails if it is not whole.
    async fn audit(&self) -> Result<String, ModerateError> {
        let whole = check_audit(self.store, &self.key).await??;
        let mut text = String::new();
        let mut from = 1;
        loop {
            let entries = self.store.audit(from, 500).await?;
            let Some(last) = entries.last() else { break };
            from = last.seq + 1;
            for entry in &entries {
                let detail = printable(&entry.detail);
                let _ = writeln!(
                    text,
                    "{:>6}  {}  {:<12}  {:<16}  {}  {detail}",
                    entry.seq,
                    time_of(entry.at),
                    entry.actor,
                    entry.action,
                    entry.subject
                );
            }
        }
        let _ = writeln!(text, "{whole} entries, whole from the first to the last.");
        Ok(text)
    }

    async fn evidence(&self, report: &str, key: &Path, out: &Path) -> Result<String, ModerateError> {
        let row = self.report(report).await?;
        let sealed = self.store.evidence(report).await?.ok_or(ModerateError::NoEvidence)?;
        let sealed = STANDARD.decode(sealed).map_err(|_| SealError::Closed)?;
        let private = std::fs::read_to_string(key).map_err(|error| file_error(key, error))?;
        let private = STANDARD.decode(private.trim()).ok().and_then(|bytes| bytes.try_into().ok());
        let private = private.ok_or_else(|| file_error(key, "it holds no key of keygen"))?;
        let evidence = Evidence::open(&sealed, &row.match_id, &private)?;
        self.store.note("evidence opened", report, self.hand("command line")).await?;
        std::fs::create_dir_all(out).map_err(|error| file_error(out, error))?;
        let mut text = String::new();
        for (number, picture) in evidence.pictures.iter().enumerate() {
            let ending = if picture.file.starts_with(b"\x89PNG") { "png" } else { "jpg" };
            let file = out.join(format!("{report}-{}.{ending}", number + 1));
            write_private(&file, &picture.file).map_err(|error| file_error(&file, error))?;
            let _ = writeln!(text, "{}  {} s before the report", file.display(), picture.seconds_before);
        }
        Ok(text)
    }
}

pub fn verdict_of(name: VerdictName, days: Option<u32>) -> Result<Verdict, ModerateError> {
    Ok(match name {
        VerdictName::Dismiss => Verdict::Dismiss,
        VerdictName::Warn => Verdict::Warn,
        VerdictName::Pause => Verdict::Pause { days: days.ok_or(ModerateError::NoDays)? },
        VerdictName::Ban => Verdict::Ban,
    })
}

/// What people wrote must not steer a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

fn due(decide_by: i64, now: i64) -> String {
    let hours = (decide_by - now).abs() / 3600;
    if decide_by < now { format!("LATE by {hours} h") } else { format!("due in {hours} h") }
}

//! Reports, standing, export and deletion.

use super::{App, Body, Caller, Refused};
use crate::metrics::kind;
use crate::random;
use crate::store::safety::{Hand, NewReport, Reporting};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use visavis_wire::Private;
use visavis_wire::evidence::check_sealed;
use visavis_wire::http::RefusalCode;
use visavis_wire::limits::EVIDENCE;
use visavis_wire::safety::{Appeal, Deleted, Deletion, DeletionOffer, Report, Reported, Standing, is_report_text};

/// Seconds.
const CLOCKS_DIFFER_BY: i64 = 60;
/// Of a report with pictures: base64 and what is around it.
pub const REPORT_BODY: usize = EVIDENCE / 3 * 4 + 16 * 1024;
/// Between the first confirmation of a deletion and the second.
const CONFIRM_WITHIN: Duration = Duration::from_secs(600);

/// First confirmations of deletions, by hash; gone with the process, after which one begins anew.
#[derive(Default)]
pub struct Confirmations(Mutex<HashMap<String, (crate::store::AccountId, Instant)>>);

impl Confirmations {
    fn make(&self, account: crate::store::AccountId) -> String {
        let token = random::token();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, (of, until)| *of != account && *until > Instant::now());
        all.insert(random::hash_hex(&token), (account, Instant::now() + CONFIRM_WITHIN));
        token
    }

    fn take(&self, account: crate::store::AccountId, token: &str) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = random::hash_hex(token);
        match all.get(&key) {
            Some((of, until)) if *of == account => {
                let in_time = *until > Instant::now();
                all.remove(&key);
                in_time
            }
            _ => false,
        }
    }
}

fn text_fits(text: &str) -> Result<(), Refused> {
    let wrong = || {
        Refused::saying(RefusalCode::BadRequest, "The text is longer than 1000 characters, or holds some that cannot be shown.")
    };
    if is_report_text(text) { Ok(()) } else { Err(wrong()) }
}

/// Checks what can be checked of pictures that only the moderators can open.
fn sealed(app: &App, report: &Report) -> Result<Option<Private<String>>, Refused> {
    let Some(evidence) = &report.evidence else { return Ok(None) };
    if app.moderation.public_key.is_none() {
        return Err(Refused::saying(RefusalCode::BadRequest, "This server takes no pictures with a report."));
    }
    let bytes = STANDARD.decode(evidence.reveal()).ok();
    match bytes.as_deref().map(check_sealed) {
        Some(Ok(())) => Ok(Some(evidence.clone())),
        _ => Err(Refused::saying(RefusalCode::BadRequest, "The pictures are too large or not sealed as they should be.")),
    }
}

pub async fn report(State(app): State<Arc<App>>, caller: Caller, Body(report): Body<Report>) -> Result<Json<Reported>, Refused> {
    app.rates.reports.check_key(&caller.account).map_err(|_| app.limited("reports"))?;
    text_fits(report.text.reveal())?;
    let sealed = sealed(&app, &report)?;
    let new =
        NewReport { match_id: report.match_id, reporter: caller.account, category: report.category, text: report.text, sealed };
    match app.store.report(new, &app.moderation, app.hand("reporter")).await? {
        Reporting::Made { decide_by, paused } => {
            app.metrics.reports.get_or_create(&kind(report.category.name())).inc();
            if let Some(account) = paused {
                app.metrics.measures.get_or_create(&kind("automatic_pause")).inc();
                app.bar(account).await;
            }
            Ok(Json(Reported { decided_by: decide_by }))
        }
        Reporting::NotTheirs => {
            Err(Refused::saying(RefusalCode::BadRequest, "Only one of your latest twenty sessions can be reported."))
        }
        Reporting::Twice => Err(Refused::saying(RefusalCode::BadRequest, "You have reported this session already.")),
    }
}

pub async fn standing(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Standing>, Refused> {
    Ok(Json(app.store.standing(caller.account, random::unix_seconds()).await?))
}

pub async fn read(State(app): State<Arc<App>>, caller: Caller, Path(decision): Path<String>) -> Result<Json<Standing>, Refused> {
    app.store.read_notice(caller.account, &decision, random::unix_seconds()).await?;
    standing(State(app), caller).await
}

pub async fn appeal(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(decision): Path<String>,
    Body(appeal): Body<Appeal>,
) -> Result<Json<Standing>, Refused> {
    app.rates.reports.check_key(&caller.account).map_err(|_| app.limited("reports"))?;
    text_fits(appeal.text.reveal())?;
    let now = random::unix_seconds();
    let decide_by = now.saturating_add_unsigned(app.moderation.appeal_deadline.as_secs());
    if !app.store.appeal(caller.account, &decision, appeal.text.reveal(), now, decide_by).await? {
        return Err(Refused::saying(
            RefusalCode::BadRequest,
            "You have asked for another look already, or it is no longer in force.",
        ));
    }
    standing(State(app), caller).await
}

pub async fn export(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<serde_json::Value>, Refused> {
    app.rates.reports.check_key(&caller.account).map_err(|_| app.limited("reports"))?;
    Ok(Json(serde_json::json!({
        "made_at": random::unix_seconds(),
        "about": "Everything that this Visavis server holds about you. Times are seconds since 1970 in UTC. \
            Whom you met and who reported are not told.",
        "held": app.store.export(caller.account).await?,
    })))
}

pub async fn offer_deletion(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<DeletionOffer>, Refused> {
    let held_until = app.store.held_until(caller.account).await?;
    let confirmation = Private::new(app.confirmations.make(caller.account));
    let expires_in_s = u32::try_from(CONFIRM_WITHIN.as_secs()).unwrap_or(u32::MAX);
    Ok(Json(DeletionOffer { confirmation, expires_in_s, held_until }))
}

pub async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(deletion): Body<Deletion>,
) -> Result<(StatusCode, Json<Deleted>), Refused> {
    if !app.confirmations.take(caller.account, deletion.confirmation.reveal()) {
        return Err(Refused::saying(RefusalCode::BadRequest, "The confirmation is too old. Please begin the deletion again."));
    }
    let held_until = app.store.delete_account(caller.account, app.hand("owner")).await?;
    // The sockets of this node end with the sign-in; the room ends the match, and sockets elsewhere.
    app.look_for_ended_sign_ins(random::unix_seconds()).await;
    app.room.bar(caller.account, RefusalCode::Leaving).await;
    Ok((StatusCode::OK, Json(Deleted { held_until })))
}

impl App {
    /// Whatever node ended them. Read again for a minute, for the clocks of nodes differ.
    pub async fn look_for_ended_sign_ins(&self, since: i64) {
        match self.store.ended_since(since - CLOCKS_DIFFER_BY).await {
            Ok(ended) => {
                for (family, leaving) in ended {
                    self.access.end(&family, if leaving { RefusalCode::Leaving } else { RefusalCode::TokenInvalid });
                }
            }
            Err(error) => tracing::warn!(%error, "which sign-ins have ended could not be read"),
        }
    }

    pub fn hand<'a>(&'a self, actor: &'a str) -> Hand<'a> {
        Hand { actor, at: random::unix_seconds(), key: &self.audit_key }
    }

    /// Ends the waiting or the match of somebody who has just been barred.
    pub async fn bar(&self, account: crate::store::AccountId) {
        match self.store.bar(account, random::unix_seconds()).await {
            Ok(Some(bar)) => self.room.bar(account, crate::moderation::code(bar)).await,
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "a measure could not be read"),
        }
    }
}

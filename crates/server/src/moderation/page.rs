//! The moderators' page: plain HTML, no script. Pictures are not shown here, for the server cannot open them; the page says how.

use super::command::{Desk, ModerateError, VerdictName, verdict_of};
use super::time_of;
use crate::admin::Admin;
use crate::random;
use crate::store::safety::check_audit;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::Deserialize;
use std::fmt::Write;
use std::sync::Arc;

/// In the log.
const ACTOR: &str = "page";
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fbf9f4}\
    table{border-collapse:collapse;width:100%}td,th{padding:.4rem .6rem;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}\
    .late{color:#a3271b;font-weight:600}pre{white-space:pre-wrap;background:#f1ede3;padding:1rem}textarea{width:100%}\
    form{margin:.5rem 0}nav a{margin-right:1rem}";

pub fn routes() -> Router<Arc<Admin>> {
    Router::new()
        .route("/", get(queue))
        .route("/reports/{id}", get(report).post(decide))
        .route("/appeals/{id}", post(decide_appeal))
        .route("/audit", get(audit))
}

fn page(title: &str, body: &str) -> Html<String> {
    Html(format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{title} - Visavis moderation</title><style>{STYLE}</style>\
         <nav><a href=/>Queue</a><a href=/audit>Log</a><a href=/metrics>Figures</a></nav><h1>{title}</h1>{body}</html>"
    ))
}

/// Everything that people wrote goes through here.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

struct Failed(ModerateError);

impl<E: Into<ModerateError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let status = match &self.0 {
            ModerateError::NoReport(_) | ModerateError::NoAppeal(_) => StatusCode::NOT_FOUND,
            ModerateError::Already(_) => StatusCode::CONFLICT,
            ModerateError::NoReason | ModerateError::NoDays => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, page("This did not work", &format!("<p>{}", escape(&self.0.to_string())))).into_response()
    }
}

fn desk(admin: &Admin) -> Desk<'_> {
    let app = &admin.app;
    Desk { store: app.store.as_ref(), key: app.audit_key.clone(), rules: app.moderation }
}

fn due(decide_by: i64, now: i64) -> String {
    let class = if decide_by < now { " class=late" } else { "" };
    format!("<td{class}>{}</td>", time_of(decide_by))
}

async fn queue(State(admin): State<Arc<Admin>>) -> Result<Html<String>, Failed> {
    let now = random::unix_seconds();
    let mut body = String::from("<h2>Reports</h2>");
    let rows = admin.app.store.reports(true, 500).await?;
    if rows.is_empty() {
        body.push_str("<p>Nothing waits.");
    } else {
        body.push_str(
            "<table><tr><th>Decide by (UTC)<th>Category<th>Others who reported them<th>Measures before<th>Pictures<th></tr>",
        );
        for row in &rows {
            let pictures = if row.has_evidence { "yes" } else { "no" };
            let _ = write!(
                body,
                "<tr>{}<td>{}</td><td>{}</td><td>{}</td><td>{pictures}</td><td><a href=/reports/{}>Look</a></td></tr>",
                due(row.decide_by, now),
                row.category.name(),
                row.others,
                row.before,
                escape(&row.id)
            );
        }
        body.push_str("</table>");
    }
    body.push_str("<h2>Another look, please</h2>");
    let appeals = admin.app.store.appeals().await?;
    if appeals.is_empty() {
        body.push_str("<p>Nobody has asked for one.");
    }
    for row in &appeals {
        let report = row.report.as_deref().map_or(String::new(), |id| format!(" (<a href=/reports/{0}>report</a>)", escape(id)));
        let _ = write!(
            body,
            "<section><p><b>{}</b>{report}, decide by {}. The reason was: {}<pre>{}</pre>\
             <form method=post action=/appeals/{}><label>Answer, for the person<br><textarea name=answer rows=3 maxlength=1000 required>\
             </textarea></label><br><button name=outcome value=grant>Lift it</button> <button name=outcome value=uphold>Let it stay</button>\
             </form></section>",
            row.measure.name(),
            time_of(row.decide_by),
            escape(row.reason.reveal()),
            escape(row.text.reveal()),
            escape(&row.decision),
        );
    }
    Ok(page("What waits", &body))
}

async fn report(State(admin): State<Arc<Admin>>, Path(id): Path<String>) -> Result<Html<String>, Failed> {
    let desk = desk(&admin);
    let row = desk.report(&id).await?;
    admin.app.store.note("report shown", &id, admin.app.hand(ACTOR)).await?;
    let pictures = if row.has_evidence {
        format!(
            "<p>There are pictures, which this server cannot open. On the machine with the private key: \
             <pre>visavis-server moderate evidence {} --key FILE --out FOLDER</pre>",
            escape(&row.id)
        )
    } else {
        String::from("<p>There are no pictures.")
    };
    let mut body = format!(
        "<p><b>{}</b>, made {}, to be decided by {} (UTC). {} other people have reported the same person and wait; {} measures before.\
         <h2>In their words</h2><pre>{}</pre><h2>What the server knows of the session</h2><pre>{}</pre>{pictures}",
        row.category.name(),
        time_of(row.made_at),
        time_of(row.decide_by),
        row.others,
        row.before,
        escape(row.text.reveal()),
        escape(&row.match_log),
    );
    match &row.verdict {
        Some(verdict) => {
            let _ = write!(body, "<p>Decided: {}", escape(verdict));
        }
        None => {
            let _ = write!(
                body,
                "<h2>Decide</h2><form method=post action=/reports/{}><label>Reason, for the person<br>\
                 <textarea name=reason rows=3 maxlength=1000></textarea></label>\
                 <p><button name=verdict value=dismiss>Dismiss</button> <button name=verdict value=warn>Warn</button> \
                 <button name=verdict value=pause>Pause</button> for <input name=days type=number min=1 max=365 value=7> days \
                 <button name=verdict value=ban>Ban</button></form>",
                escape(&row.id)
            );
        }
    }
    Ok(page("Report", &body))
}

#[derive(Deserialize)]
struct Decision {
    verdict: String,
    #[serde(default)]
    days: Option<u32>,
    #[serde(default)]
    reason: String,
}

async fn decide(State(admin): State<Arc<Admin>>, Path(id): Path<String>, Form(form): Form<Decision>) -> Result<Response, Failed> {
    use clap::ValueEnum;
    let Ok(name) = VerdictName::from_str(&form.verdict, false) else {
        return Ok((StatusCode::BAD_REQUEST, "There is no such verdict.\n").into_response());
    };
    let verdict = verdict_of(name, form.days.filter(|days| (1..=365).contains(days)))?;
    desk(&admin).decide(ACTOR, &id, &verdict, &form.reason).await?;
    Ok(Redirect::to("/").into_response())
}

#[derive(Deserialize)]
struct Answer {
    outcome: String,
    #[serde(default)]
    answer: String,
}

async fn decide_appeal(
    State(admin): State<Arc<Admin>>,
    Path(id): Path<String>,
    Form(form): Form<Answer>,
) -> Result<Redirect, Failed> {
    desk(&admin).decide_appeal(ACTOR, &id, form.outcome == "grant", &form.answer).await?;
    Ok(Redirect::to("/"))
}

async fn audit(State(admin): State<Arc<Admin>>) -> Result<Html<String>, Failed> {
    let store = admin.app.store.as_ref();
    let whole = check_audit(store, &admin.app.audit_key).await?;
    let mut body = match whole {
        Ok(entries) => format!("<p>{entries} entries, whole from the first to the last. The latest 500:"),
        Err(tampered) => format!("<p class=late>{}", escape(&tampered.to_string())),
    };
    let (last, _) = store.audit_head().await?;
    body.push_str("<table><tr><th>No.<th>When (UTC)<th>Who<th>What<th>About<th></tr>");
    for entry in store.audit((last - 499).max(1), 500).await?.iter().rev() {
        let _ = write!(
            body,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            entry.seq,
            time_of(entry.at),
            escape(&entry.actor),
            escape(&entry.action),
            escape(&entry.subject),
            escape(&entry.detail),
        );
    }
    body.push_str("</table>");
    Ok(page("Log", &body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_people_write_stays_text(text in "[ -~<>&'\"]{0,80}") {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
            let back = escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&");
            prop_assert_eq!(back, text);
        }
    }
}

//! For rehearsals: a way in for thousands of people, who give a name and get tokens; and a clock that can be set, for opening hours
//! and for what a clock that jumps does. Only with `--dev`, and so on loopback only.

use super::{App, Body, Refused};
use crate::random;
use crate::store::SignedIn;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;
use visavis_wire::Private;
use visavis_wire::http::{RefusalCode, Tokens};
use visavis_wire::people::{Fact, Profile};

#[derive(Deserialize)]
pub struct Somebody {
    name: String,
    languages: Vec<String>,
    #[serde(default)]
    interests: Vec<String>,
}

fn only_in_rehearsals(app: &App) -> Result<(), Refused> {
    let nothing = || crate::refusal::refusal_saying(RefusalCode::BadRequest, "There is nothing at this address.");
    if app.dev { Ok(()) } else { Err(Refused(StatusCode::NOT_FOUND, nothing())) }
}

#[derive(Deserialize)]
pub struct Clock {
    /// Before the system's clock; negative: behind.
    ahead_s: i32,
}

/// The time of day of this whole process jumps. What it counts from a moment on (offers, answers, absences) goes on as it was.
pub async fn set_clock(State(app): State<Arc<App>>, Body(clock): Body<Clock>) -> Result<StatusCode, Refused> {
    only_in_rehearsals(&app)?;
    random::set_clock(clock.ahead_s.into());
    Ok(StatusCode::NO_CONTENT)
}

/// The same name is the same person, on every node that shares the database and the secret.
pub async fn sign_in(State(app): State<Arc<App>>, Body(somebody): Body<Somebody>) -> Result<Json<Tokens>, Refused> {
    only_in_rehearsals(&app)?;
    let shared = |value| Fact { value, shared: true };
    let profile = Profile { languages: shared(somebody.languages), interests: shared(somebody.interests), ..Profile::default() };
    if profile.check().is_err() || somebody.name.is_empty() || somebody.name.len() > 100 {
        return Err(Refused::saying(RefusalCode::BadRequest, "A name, languages and interests of usual length are needed."));
    }
    let now = random::unix_seconds();
    let signed_in = SignedIn {
        subject_hash: super::sign_in::subject_hash(&app.secret, &app.issuer, &format!("rehearsal-{}", somebody.name)),
        issuer: app.issuer.clone(),
        username: Private::new(somebody.name),
        adult: true,
        checked_how: "rehearsal",
        checked_at: now,
        profile,
    };
    let account = app.store.sign_in(signed_in).await?;
    let (family, refresh) = (random::token(), random::token());
    let expires = now.saturating_add_unsigned(app.limits.refresh_token_lasts.as_secs());
    app.store.add_refresh_token(account, &family, &random::hash_hex(&refresh), expires).await?;
    Ok(Json(super::sign_in::tokens(&app, account, &family, refresh)))
}

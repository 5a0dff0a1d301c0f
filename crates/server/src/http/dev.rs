//! A way in for rehearsals with thousands of people: a name, and tokens come back. Only with `--dev`, and so on loopback only.

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

/// The same name is the same person, on every node that shares the database and the secret.
pub async fn sign_in(State(app): State<Arc<App>>, Body(somebody): Body<Somebody>) -> Result<Json<Tokens>, Refused> {
    if !app.dev {
        return Err(Refused(
            StatusCode::NOT_FOUND,
            crate::refusal::refusal_saying(RefusalCode::BadRequest, "There is nothing at this address."),
        ));
    }
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

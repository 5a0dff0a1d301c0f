//! What the operator sees on a port of its own, on loopback: metrics and the moderators' page. Whoever asks shows the token of
//! `admin.token`, in a header or once in a form.

use crate::http::App;
use crate::metrics;
use crate::random;
use axum::Form;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

const COOKIE: &str = "visavis_admin";
const SIGNED_IN_FOR: Duration = Duration::from_secs(8 * 3600);
/// Wrong tokens a minute; a guess at 256 bits needs more.
const TRIES: u32 = 10;

/// Who may look.
pub struct Admin {
    pub app: Arc<App>,
    /// SHA-256 of the token, so that the time of a comparison tells nothing.
    token: [u8; 32],
    /// Hashes of cookies, and until when they hold.
    signed_in: Mutex<HashMap<String, Instant>>,
    tries: governor::DefaultDirectRateLimiter,
}

pub fn router(app: Arc<App>, token: &str) -> Router {
    let quota = governor::Quota::per_minute(std::num::NonZeroU32::new(TRIES).unwrap_or(std::num::NonZeroU32::MIN));
    let admin =
        Arc::new(Admin { app, token: digest(token), signed_in: Mutex::default(), tries: governor::RateLimiter::direct(quota) });
    Router::new()
        .route("/metrics", get(figures))
        .merge(crate::moderation::page::routes())
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&admin), guard))
        .route("/login", get(ask).post(sign_in))
        .layer(axum::middleware::from_fn(careful))
        .with_state(admin)
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

async fn figures(State(admin): State<Arc<Admin>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, metrics::TYPE)], admin.app.metrics.text())
}

async fn guard(State(admin): State<Arc<Admin>>, request: Request, next: Next) -> Response {
    let bearer = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| value.strip_prefix("Bearer "));
    let known = match (bearer, cookie(request.headers())) {
        (Some(token), _) => digest(token.trim()) == admin.token,
        (None, Some(cookie)) => admin.knows(&cookie),
        (None, None) => false,
    };
    if known {
        return next.run(request).await;
    }
    if request.method() == Method::GET && bearer.is_none() && request.uri().path() != "/metrics" {
        return Redirect::to("/login").into_response();
    }
    (StatusCode::UNAUTHORIZED, "The token of admin.token is needed: Authorization: Bearer TOKEN\n").into_response()
}

/// A page of another site, or one that a name was turned round for, cannot make the moderator's browser do anything here.
async fn careful(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let named = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let here = matches!(named, "127.0.0.1" | "localhost" | "[::1]");
    let own = headers.get(header::ORIGIN).is_none_or(|origin| origin.as_bytes() == format!("http://{host}").as_bytes());
    if !here || (request.method() != Method::GET && !own) {
        return (StatusCode::FORBIDDEN, "This page is opened as http://127.0.0.1 with its port.\n").into_response();
    }
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    answer
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let all = headers.get(header::COOKIE)?.to_str().ok()?;
    let pairs = all.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned())
}

impl Admin {
    fn knows(&self, cookie: &str) -> bool {
        let mut signed_in = self.signed_in.lock().unwrap_or_else(PoisonError::into_inner);
        signed_in.retain(|_, until| *until > Instant::now());
        signed_in.contains_key(&random::hash_hex(cookie))
    }
}

async fn ask() -> Html<&'static str> {
    Html(
        "<!doctype html><meta charset=utf-8><title>Visavis moderation</title><form method=post action=/login>\
         <p><label>Token (admin.token in the data folder)<br><input name=token type=password size=50 autofocus></label>\
         <p><button>Open</button></form>",
    )
}

#[derive(Deserialize)]
struct SignIn {
    token: String,
}

async fn sign_in(State(admin): State<Arc<Admin>>, Form(form): Form<SignIn>) -> Response {
    if digest(form.token.trim()) != admin.token {
        let too_many = admin.tries.check().is_err();
        let status = if too_many { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::UNAUTHORIZED };
        return (status, "This is not the token.\n").into_response();
    }
    let value = random::token();
    let mut signed_in = admin.signed_in.lock().unwrap_or_else(PoisonError::into_inner);
    signed_in.insert(random::hash_hex(&value), Instant::now() + SIGNED_IN_FOR);
    let cookie = format!("{COOKIE}={value}; HttpOnly; SameSite=Strict; Path=/");
    ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response()
}

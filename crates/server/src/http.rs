//! The HTTP interface under `/v1`: who may call, what is read, what is answered. The table of routes is in `visavis_wire::http`.

mod client;
mod dev;
mod friends;
mod picture;
mod ready;
mod safety;
mod sign_in;

pub use client::ClientAddress;
pub use friends::{Called, called, follow_id};
pub use ready::Readiness;
pub use safety::Confirmations;

use crate::config::{Limits, ModerationRules, RetentionDays};
use crate::doors::{self, Doors, Shut, Visitor};
use crate::identity::RelyingParty;
use crate::metrics::{Metrics, Request as RequestKind, kind};
use crate::refusal::{refusal, refusal_saying};
use crate::room::card_of;
use crate::room_task::RoomHandle;
use crate::store::safety::AuditKey;
use crate::store::{Account, AccountId, Store, StoreError};
use crate::tokens::{Access, AccessTokens};
use axum::extract::rejection::JsonRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ipnet::IpNet;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use visavis_wire::Private;
use visavis_wire::http::{Me, Refusal, RefusalCode};
use visavis_wire::people::{PeerCard, Profile};
use visavis_wire::safety::Configuration;

/// For whoever declined too many offers.
const SLOWED_FOR: Duration = Duration::from_secs(60);
const PICTURES_PER_HOUR: u32 = 20;
/// Calls of one person; and those at the same other, three at once and then one in five minutes.
const RINGS_PER_MINUTE: u32 = 6;
const RINGS_AT_ONE: u32 = 3;
const RINGS_AT_ONE_PER_HOUR: u32 = 12;
const NO_ROOM: &str = "The server has no room to keep anything at this moment, so this was not taken. \
    What it had taken before is safe. Please try again in a while.";
/// Bodies are at most a profile.
const MAX_BODY: usize = 32 * 1024;

/// What every request can reach.
pub struct App {
    pub store: Arc<dyn Store>,
    pub room: RoomHandle,
    pub relying_party: RelyingParty,
    /// Under which accounts are kept: the issuer's address, but for the development issuer, whose port changes, a fixed word.
    pub issuer: String,
    pub access: AccessTokens,
    /// Salt of the subjects' hashes.
    pub secret: [u8; 32],
    pub limits: Limits,
    pub rates: Rates,
    pub trusted_proxies: Vec<IpNet>,
    pub moderation: ModerationRules,
    pub retention: RetentionDays,
    pub metrics: Metrics,
    pub audit_key: AuditKey,
    pub confirmations: Confirmations,
    pub dev: bool,
    /// Takes nobody new.
    pub draining: AtomicBool,
    pub readiness: Readiness,
    /// Pictures are decoded one after the other.
    pub decoding: Semaphore,
    /// Changed while the server runs.
    pub doors: RwLock<Arc<Doors>>,
}

pub struct Rates {
    pub joins: DefaultKeyedRateLimiter<AccountId>,
    pub messages: DefaultKeyedRateLimiter<AccountId>,
    pub sign_ins: DefaultKeyedRateLimiter<IpAddr>,
    /// Whatever comes without a valid token.
    pub strangers: DefaultKeyedRateLimiter<IpAddr>,
    pub skips: DefaultKeyedRateLimiter<AccountId>,
    pub reports: DefaultKeyedRateLimiter<AccountId>,
    /// Texts to people one follows.
    pub texts: DefaultKeyedRateLimiter<AccountId>,
    pub pictures: DefaultKeyedRateLimiter<AccountId>,
    pub rings: DefaultKeyedRateLimiter<AccountId>,
    /// From one to another.
    pub rings_at: DefaultKeyedRateLimiter<(AccountId, AccountId)>,
    /// Who declined too many offers, and until when they may not join.
    slowed: Mutex<HashMap<AccountId, Instant>>,
}

impl Rates {
    pub fn new(limits: &Limits) -> Self {
        let at_least_one = |count: u32| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        let messages = at_least_one(limits.socket_messages_per_second);
        Self {
            joins: RateLimiter::keyed(Quota::per_minute(at_least_one(limits.joins_per_minute))),
            messages: RateLimiter::keyed(Quota::per_second(messages).allow_burst(messages.saturating_mul(at_least_one(4)))),
            sign_ins: RateLimiter::keyed(Quota::per_minute(at_least_one(limits.sign_ins_per_minute))),
            strangers: RateLimiter::keyed(Quota::per_minute(at_least_one(limits.requests_per_minute))),
            skips: RateLimiter::keyed(Quota::per_minute(at_least_one(limits.skips_per_minute))),
            reports: RateLimiter::keyed(Quota::per_hour(at_least_one(limits.reports_per_hour))),
            texts: RateLimiter::keyed(Quota::per_minute(at_least_one(limits.messages_per_minute))),
            pictures: RateLimiter::keyed(Quota::per_hour(at_least_one(PICTURES_PER_HOUR))),
            rings: RateLimiter::keyed(Quota::per_minute(at_least_one(RINGS_PER_MINUTE))),
            rings_at: RateLimiter::keyed(
                Quota::per_hour(at_least_one(RINGS_AT_ONE_PER_HOUR)).allow_burst(at_least_one(RINGS_AT_ONE)),
            ),
            slowed: Mutex::default(),
        }
    }

    /// Forgets whoever has not been near a limit lately.
    pub fn tidy(&self) {
        self.joins.retain_recent();
        self.messages.retain_recent();
        self.sign_ins.retain_recent();
        self.strangers.retain_recent();
        self.skips.retain_recent();
        self.reports.retain_recent();
        self.texts.retain_recent();
        self.pictures.retain_recent();
        self.rings.retain_recent();
        self.rings_at.retain_recent();
        self.slowed().retain(|_, until| *until > Instant::now());
    }

    fn slowed(&self) -> MutexGuard<'_, HashMap<AccountId, Instant>> {
        self.slowed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A "not now" is always taken; too many of them cost a while before the next join.
    pub fn skipped(&self, account: AccountId) {
        if self.skips.check_key(&account).is_err() {
            self.slowed().insert(account, Instant::now() + SLOWED_FOR);
        }
    }

    pub fn may_join(&self, account: AccountId) -> bool {
        let slowed = self.slowed().get(&account).is_some_and(|until| *until > Instant::now());
        !slowed && self.joins.check_key(&account).is_ok()
    }
}

pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/health", get(health))
        .route("/v1/ready", get(ready::ready))
        .route("/dev/sign-in", post(dev::sign_in))
        .route("/dev/clock", post(dev::set_clock))
        .route("/v1/openapi.json", get(openapi))
        .route("/v1/configuration", get(configuration))
        .route("/v1/sign-in", post(sign_in::start))
        .route("/v1/sign-in/finish", post(sign_in::finish))
        .route("/v1/token", post(sign_in::refresh))
        .route("/v1/sign-out", post(sign_in::sign_out))
        .route("/v1/me", get(me).delete(safety::delete))
        .route("/v1/me/profile", put(set_profile))
        .route("/v1/me/card", get(card))
        .route(
            "/v1/me/picture",
            get(picture::own).delete(picture::remove).put(picture::set).layer(DefaultBodyLimit::max(picture::PICTURE_BODY)),
        )
        .route("/v1/matches/{match}/picture", get(picture::of_match))
        .route("/v1/me/standing", get(safety::standing))
        .route("/v1/me/standing/{decision}/read", post(safety::read))
        .route("/v1/me/standing/{decision}/appeal", post(safety::appeal))
        .route("/v1/me/export", get(safety::export))
        .route("/v1/me/deletion", post(safety::offer_deletion))
        .route("/v1/reports", post(safety::report).layer(DefaultBodyLimit::max(safety::REPORT_BODY)))
        .route("/v1/follows", get(friends::follows))
        .route("/v1/follows/{follow}", delete(friends::unfollow))
        .route("/v1/follows/{follow}/block", post(friends::block_follow))
        .route("/v1/follows/{follow}/texts", get(friends::texts).post(friends::write))
        .route("/v1/history", get(friends::history))
        .route("/v1/history/{match}/block", post(friends::block_session))
        .route("/v1/socket", get(socket))
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&app), count))
        .with_state(app)
}

impl App {
    pub fn set_doors(&self, doors: Doors) {
        *self.doors.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(doors);
    }

    /// Whether this person may meet somebody new now; `None`: yes.
    pub async fn shut(&self, account: AccountId, now: i64) -> Result<Option<Shut>, StoreError> {
        let doors = Arc::clone(&self.doors.read().unwrap_or_else(PoisonError::into_inner));
        let zone = self.store.zone(account).await?;
        let zone = zone.as_deref();
        let sessions_today =
            if doors.counts_sessions() { self.store.matches_since(account, doors.day_began(zone, now)).await? } else { 0 };
        Ok(doors.shut(Visitor { place: doors::place(&self.secret, account), zone, sessions_today }, now))
    }

    /// Counts somebody who went beyond the limit of this name.
    pub fn limited(&self, limit: &'static str) -> Refused {
        self.metrics.limited.get_or_create(&kind(limit)).inc();
        Refused::new(RefusalCode::TooManyRequests)
    }
}

/// By the route's pattern: what stands in a path may be somebody's.
async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let method = match *request.method() {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => "other",
    };
    let began = Instant::now();
    let mut answer = next.run(request).await;
    // All of it is somebody's: no proxy, and no cache of a client, keeps a copy.
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    app.metrics.request_seconds.get_or_create(&kind(method)).observe(began.elapsed().as_secs_f64());
    app.metrics.requests.get_or_create(&RequestKind { route, method, status: answer.status().as_u16() }).inc();
    answer
}

/// An answer that is not 2xx.
pub struct Refused(pub StatusCode, pub Refusal);

impl Refused {
    pub fn new(code: RefusalCode) -> Self {
        Self(status(code), refusal(code))
    }

    pub fn saying(code: RefusalCode, message: impl Into<String>) -> Self {
        Self(status(code), refusal_saying(code, message))
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        if error.has_no_room() {
            return Self(StatusCode::INSUFFICIENT_STORAGE, refusal_saying(RefusalCode::Internal, NO_ROOM));
        }
        Self::new(RefusalCode::Internal)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(self.1)).into_response()
    }
}

fn status(code: RefusalCode) -> StatusCode {
    match code {
        RefusalCode::UnderAge
        | RefusalCode::NotVerified
        | RefusalCode::SignInDenied
        | RefusalCode::Paused
        | RefusalCode::Banned
        | RefusalCode::Leaving => StatusCode::FORBIDDEN,
        RefusalCode::TokenExpired | RefusalCode::TokenInvalid => StatusCode::UNAUTHORIZED,
        RefusalCode::SignInExpired | RefusalCode::BadRequest | RefusalCode::ProfileIncomplete => StatusCode::BAD_REQUEST,
        RefusalCode::IssuerFault => StatusCode::BAD_GATEWAY,
        RefusalCode::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        RefusalCode::Replaced => StatusCode::CONFLICT,
        RefusalCode::OutdatedApp => StatusCode::UPGRADE_REQUIRED,
        RefusalCode::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        RefusalCode::Internal | RefusalCode::Unknown => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A JSON body; anything else is refused in our own form, without quoting it.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Refused> {
        match Json::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => {
                let why = match &rejection {
                    JsonRejection::MissingJsonContentType(_) => "The body must be JSON (content-type: application/json).",
                    JsonRejection::JsonDataError(_) => "A field of the body is missing or of the wrong kind.",
                    JsonRejection::JsonSyntaxError(_) => "The body is not JSON.",
                    _ => "The body is too large or could not be read.",
                };
                Err(Refused(rejection.status(), refusal_saying(RefusalCode::BadRequest, why)))
            }
        }
    }
}

/// Whoever holds a valid access token.
pub struct Caller {
    pub account: AccountId,
    pub family: String,
    token: Private<String>,
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let token = token.map_or("", |(_, token)| token.trim());
        match app.access.check(token) {
            Access::Granted { account, family } => Ok(Self { account, family, token: Private::new(token.to_owned()) }),
            Access::Expired => Err(Refused::new(RefusalCode::TokenExpired)),
            Access::Unknown => {
                let ClientAddress(address) = ClientAddress::from_request_parts(parts, app).await?;
                app.rates.strangers.check_key(&address).map_err(|_| app.limited("requests"))?;
                Err(Refused::new(RefusalCode::TokenInvalid))
            }
        }
    }
}

impl Caller {
    async fn account(&self, app: &App) -> Result<Account, Refused> {
        app.store.account(self.account).await?.ok_or_else(|| Refused::new(RefusalCode::TokenInvalid))
    }
}

async fn health() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "status": "ok", "protocol": visavis_wire::SERVER_PROTOCOL }))
}

async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(crate::openapi::document())
}

async fn configuration(State(app): State<Arc<App>>) -> Json<Configuration> {
    Json(Configuration {
        protocol: visavis_wire::SERVER_PROTOCOL,
        moderation_key: app.moderation.public_key.map(|key| STANDARD.encode(key)),
        evidence_days: app.retention.evidence,
    })
}

async fn me(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Me>, Refused> {
    let account = caller.account(&app).await?;
    Ok(Json(Me { username: account.username, profile: account.profile }))
}

async fn set_profile(State(app): State<Arc<App>>, caller: Caller, Body(profile): Body<Profile>) -> Result<Json<Me>, Refused> {
    if let Err(field) = profile.check() {
        return Err(Refused::saying(
            RefusalCode::BadRequest,
            format!("The field \"{field}\" of the profile is too long or not text."),
        ));
    }
    let account = app.store.set_profile(caller.account, profile).await?.ok_or_else(|| Refused::new(RefusalCode::TokenInvalid))?;
    app.room.profile_changed(caller.account).await;
    Ok(Json(Me { username: account.username, profile: account.profile }))
}

async fn card(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<PeerCard>, Refused> {
    Ok(Json(card_of(&caller.account(&app).await?.profile)))
}

async fn socket(State(app): State<Arc<App>>, caller: Caller, upgrade: WebSocketUpgrade) -> Response {
    match app.access.hold(caller.token.reveal()) {
        Some(sign_in) => crate::socket::upgrade(app, caller.account, sign_in, upgrade),
        None => Refused::new(RefusalCode::TokenInvalid).into_response(),
    }
}

async fn nothing_here() -> Refused {
    Refused(StatusCode::NOT_FOUND, refusal_saying(RefusalCode::BadRequest, "There is nothing at this address."))
}

async fn wrong_method() -> Refused {
    Refused(StatusCode::METHOD_NOT_ALLOWED, refusal_saying(RefusalCode::BadRequest, "This address does not take that method."))
}

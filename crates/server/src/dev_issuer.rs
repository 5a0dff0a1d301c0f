//! The development issuer: a small OpenID Connect issuer inside the server, for rehearsals on one machine. It asks nobody for a
//! password, so it is served on loopback only. The relying party reaches it over HTTP like any other.

mod identities;
mod page;

use crate::random;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
pub use identities::{IDENTITIES, Identity};
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeyId, PrivateSigningKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

pub const PATH: &str = "/dev/issuer";
pub const CLIENT_ID: &str = "visavis-dev";
const KEY_ID: &str = "dev";
const CODE_LASTS: Duration = Duration::from_secs(60);
const TOKEN_LASTS_S: i64 = 300;

pub struct DevIssuer {
    url: String,
    key: CoreEdDsaPrivateSigningKey,
    codes: Mutex<HashMap<String, Code>>,
}

struct Code {
    identity: Identity,
    asked: Asked,
    until: Instant,
}

/// The query of an authorization request; the page carries it through as hidden fields.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Asked {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    scope: String,
    state: String,
    nonce: String,
    code_challenge: String,
    code_challenge_method: String,
}

impl Asked {
    fn check(&self) -> Result<(), &'static str> {
        if self.client_id != CLIENT_ID {
            return Err("The client is unknown.");
        }
        let url = url::Url::parse(&self.redirect_uri).map_err(|_| "The redirect address is not an address.")?;
        if url.scheme() != "http" || !matches!(url.host(), Some(url::Host::Ipv4(ip)) if ip.is_loopback()) {
            return Err("The redirect address is not on this machine.");
        }
        if self.response_type != "code" || !self.scope.split(' ').any(|scope| scope == "openid") {
            return Err("Only the code flow of OpenID Connect is served.");
        }
        if self.code_challenge_method != "S256" || !random::is_pkce_text(&self.code_challenge) {
            return Err("A code challenge by S256 is needed.");
        }
        Ok(())
    }

    fn fields(&self) -> [(&'static str, &str); 8] {
        [
            ("response_type", &self.response_type),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("scope", &self.scope),
            ("state", &self.state),
            ("nonce", &self.nonce),
            ("code_challenge", &self.code_challenge),
            ("code_challenge_method", &self.code_challenge_method),
        ]
    }

    fn back(&self, answer: &[(&str, &str)]) -> Response {
        let Ok(mut url) = url::Url::parse(&self.redirect_uri) else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        url.query_pairs_mut().extend_pairs(answer).append_pair("state", &self.state);
        Redirect::to(url.as_str()).into_response()
    }
}

#[derive(Deserialize)]
struct Chosen {
    identity: String,
    #[serde(flatten)]
    asked: Asked,
}

#[derive(Deserialize)]
struct TokenRequest {
    grant_type: String,
    code: String,
    redirect_uri: String,
    code_verifier: String,
    client_id: Option<String>,
}

impl DevIssuer {
    /// `base`: `http://127.0.0.1:PORT`. `None` where the key cannot be made.
    pub fn new(base: &str) -> Option<Self> {
        // RFC 8410: a PKCS #8 envelope of fixed length around the 32 bytes.
        let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        der.extend_from_slice(&random::bytes::<32>());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der));
        let key = CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new(KEY_ID.to_owned()))).ok()?;
        Some(Self { url: format!("{base}{PATH}"), key, codes: Mutex::default() })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/dev/issuer/.well-known/openid-configuration", get(discovery))
            .route("/dev/issuer/jwks", get(keys))
            .route("/dev/issuer/authorize", get(authorize).post(chosen))
            .route("/dev/issuer/token", post(token))
            .with_state(self)
    }

    fn give_code(&self, identity: Identity, asked: Asked) -> String {
        let code = random::token();
        let now = Instant::now();
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|_, code| now < code.until);
        codes.insert(code.clone(), Code { identity, asked, until: now + CODE_LASTS });
        code
    }

    fn id_token(&self, code: &Code) -> Option<String> {
        let now = random::unix_seconds();
        let mut claims = code.identity.claims(now);
        let more = json!({
            "iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + TOKEN_LASTS_S, "nonce": code.asked.nonce,
        });
        if let (Value::Object(claims), Value::Object(more)) = (&mut claims, more) {
            claims.extend(more);
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({"alg": "EdDSA", "typ": "JWT", "kid": KEY_ID})), part(&claims));
        let signature = self.key.sign(&CoreJwsSigningAlgorithm::EdDsa, signed.as_bytes()).ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

async fn discovery(State(issuer): State<Arc<DevIssuer>>) -> Json<Value> {
    let url = &issuer.url;
    Json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/jwks"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "scopes_supported": ["openid", "profile"],
    }))
}

async fn keys(State(issuer): State<Arc<DevIssuer>>) -> Json<Value> {
    Json(json!({ "keys": [issuer.key.as_verification_key()] }))
}

async fn authorize(query: Result<Query<Asked>, axum::extract::rejection::QueryRejection>) -> Response {
    let Ok(Query(asked)) = query else {
        return (StatusCode::BAD_REQUEST, "The sign-in request is incomplete. Start again in the app.").into_response();
    };
    if let Err(why) = asked.check() {
        return (StatusCode::BAD_REQUEST, why).into_response();
    }
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
    let headers = [(header::CONTENT_SECURITY_POLICY, policy), (header::CACHE_CONTROL, "no-store")];
    (headers, Html(page::choose(&asked.fields()))).into_response()
}

async fn chosen(State(issuer): State<Arc<DevIssuer>>, headers: HeaderMap, Form(chosen): Form<Chosen>) -> Response {
    // A page elsewhere must not be able to press the button.
    let own = url::Url::parse(&issuer.url).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    if headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes() != own.as_bytes() && origin.as_bytes() != b"null") {
        return (StatusCode::FORBIDDEN, "The form belongs to another page.").into_response();
    }
    let Chosen { identity, asked } = chosen;
    if let Err(why) = asked.check() {
        return (StatusCode::BAD_REQUEST, why).into_response();
    }
    if identity == page::DENY {
        return asked.back(&[("error", "access_denied"), ("error_description", "The sign-in was cancelled.")]);
    }
    match Identity::find(&identity) {
        Some(identity) => {
            let code = issuer.give_code(identity, asked.clone());
            asked.back(&[("code", &code)])
        }
        None => (StatusCode::BAD_REQUEST, "There is no such test identity.").into_response(),
    }
}

async fn token(State(issuer): State<Arc<DevIssuer>>, Form(request): Form<TokenRequest>) -> Response {
    let refused = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    if request.grant_type != "authorization_code" {
        return refused("unsupported_grant_type");
    }
    // Taken out whatever comes of it: a code serves once.
    let code = issuer.codes.lock().unwrap_or_else(PoisonError::into_inner).remove(&request.code);
    let Some(code) = code.filter(|code| Instant::now() < code.until) else {
        return refused("invalid_grant");
    };
    let right = request.client_id.as_deref().is_none_or(|client| client == CLIENT_ID)
        && request.redirect_uri == code.asked.redirect_uri
        && random::is_pkce_text(&request.code_verifier)
        && random::pkce_challenge(&request.code_verifier) == code.asked.code_challenge;
    if !right {
        return refused("invalid_grant");
    }
    let Some(id_token) = issuer.id_token(&code) else {
        return refused("server_error");
    };
    let answer = json!({
        "access_token": random::token(), "token_type": "Bearer", "expires_in": TOKEN_LASTS_S, "id_token": id_token, "scope": "openid profile",
    });
    ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
}

//! An issuer of the tests: right in everything but what a test makes wrong.

use axum::extract::{Form, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeyId, PrivateSigningKey};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// Gives the signature of a token's head and body.
type Sign<'a> = Box<dyn Fn(&str) -> Vec<u8> + 'a>;

pub const CLIENT: &str = "visavis-test";

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Signed {
    Well,
    /// By a key that is not published, under the name of one that is.
    ByAStranger,
    /// By a key of this name that is not published.
    ByAnUnknownKey,
    /// `alg: none`, without a signature.
    Not,
    /// HMAC with the published key as the secret.
    WithThePublicKey,
    /// A good signature, of other claims.
    OfOtherClaims,
}

/// What goes wrong beside the token.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    pub huge_keys: bool,
    pub huge_token: bool,
    pub slow_token: bool,
    pub no_id_token: bool,
    pub other_issuer: bool,
    /// Answers the code with a redirect.
    pub redirects: bool,
}

pub struct Plan {
    pub signed: Signed,
    /// Take the place of good claims; `null` leaves one out.
    pub claims: Value,
    pub faults: Faults,
    pub key: u8,
    pub nonce: String,
    pub challenge: String,
    pub keys_fetched: u32,
}

pub struct Issuer {
    pub url: String,
    pub plan: Mutex<Plan>,
}

fn key(seed: u8) -> CoreEdDsaPrivateSigningKey {
    let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    der.extend([seed; 32]);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der));
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new(format!("key-{seed}")))).unwrap()
}

pub fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

impl Issuer {
    pub async fn start() -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let plan = Plan {
            signed: Signed::Well,
            claims: json!({}),
            faults: Faults::default(),
            key: 1,
            nonce: String::new(),
            challenge: String::new(),
            keys_fetched: 0,
        };
        let issuer = Arc::new(Self { url, plan: Mutex::new(plan) });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(keys))
            .route("/token", post(token))
            .with_state(Arc::clone(&issuer));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        issuer
    }

    /// What the browser would have been sent back with, for an authorization request at this address.
    pub fn consent(&self, authorization_url: &str) -> String {
        let url = url::Url::parse(authorization_url).unwrap();
        let query: HashMap<_, _> = url.query_pairs().collect();
        assert_eq!((&*query["client_id"], &*query["code_challenge_method"]), (CLIENT, "S256"));
        assert!(query["nonce"].len() > 20 && query["scope"].split(' ').any(|scope| scope == "openid"));
        let mut plan = self.plan.lock().unwrap();
        plan.nonce = query["nonce"].to_string();
        plan.challenge = query["code_challenge"].to_string();
        String::from("the-code")
    }

    fn id_token(&self, plan: &Plan) -> String {
        let mut claims = json!({
            "iss": self.url, "aud": CLIENT, "sub": "somebody", "iat": now(), "exp": now() + 300, "nonce": plan.nonce,
            "age_over_18": true, "preferred_username": "Somebody",
        });
        let change = |claims: &mut Value| {
            for (name, value) in plan.claims.as_object().unwrap() {
                if value.is_null() {
                    claims.as_object_mut().unwrap().remove(name);
                } else {
                    claims[name] = value.clone();
                }
            }
        };
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = |alg: &str, kid: u8| part(&json!({"alg": alg, "typ": "JWT", "kid": format!("key-{kid}")}));
        let by = |seed: u8, text: &str| key(seed).sign(&CoreJwsSigningAlgorithm::EdDsa, text.as_bytes()).unwrap();
        let unchanged = part(&claims);
        change(&mut claims);
        let (head, signature_of): (String, Sign<'_>) = match plan.signed {
            Signed::Well => (head("EdDSA", plan.key), Box::new(|text| by(plan.key, text))),
            Signed::ByAStranger => (head("EdDSA", plan.key), Box::new(|text| by(99, text))),
            Signed::ByAnUnknownKey => (head("EdDSA", 99), Box::new(|text| by(99, text))),
            Signed::Not => (head("none", plan.key), Box::new(|_| Vec::new())),
            Signed::WithThePublicKey => (
                head("HS256", plan.key),
                Box::new(|text| {
                    let public = serde_json::to_value(key(plan.key).as_verification_key()).unwrap();
                    let secret = URL_SAFE_NO_PAD.decode(public["x"].as_str().unwrap()).unwrap();
                    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
                    mac.update(text.as_bytes());
                    mac.finalize().into_bytes().to_vec()
                }),
            ),
            Signed::OfOtherClaims => {
                let head = head("EdDSA", plan.key);
                let other = format!("{head}.{unchanged}");
                (head, Box::new(move |_| by(plan.key, &other)))
            }
        };
        let text = format!("{head}.{}", part(&claims));
        let signature = URL_SAFE_NO_PAD.encode(signature_of(&text));
        format!("{text}.{signature}")
    }
}

async fn discovery(State(issuer): State<Arc<Issuer>>) -> Json<Value> {
    let url = &issuer.url;
    let named = if issuer.plan.lock().unwrap().faults.other_issuer { "https://elsewhere.example" } else { url };
    Json(json!({
        "issuer": named, "authorization_endpoint": format!("{url}/authorize"), "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/jwks"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
    }))
}

async fn keys(State(issuer): State<Arc<Issuer>>) -> Response {
    let mut plan = issuer.plan.lock().unwrap();
    plan.keys_fetched += 1;
    if plan.faults.huge_keys {
        return vec![b' '; 3 * 1024 * 1024].into_response();
    }
    Json(json!({ "keys": [key(plan.key).as_verification_key()] })).into_response()
}

async fn token(State(issuer): State<Arc<Issuer>>, Form(form): Form<HashMap<String, String>>) -> Response {
    let faults = issuer.plan.lock().unwrap().faults;
    if faults.slow_token {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    let plan = issuer.plan.lock().unwrap();
    assert_eq!((form["code"].as_str(), form["grant_type"].as_str()), ("the-code", "authorization_code"));
    assert_eq!(crate::support::challenge(&form["code_verifier"]), plan.challenge);
    if faults.redirects {
        return axum::response::Redirect::temporary("http://127.0.0.1:9/token").into_response();
    }
    if faults.huge_token {
        return vec![b' '; 3 * 1024 * 1024].into_response();
    }
    let mut answer = json!({ "access_token": "for-the-issuer", "token_type": "Bearer", "expires_in": 300 });
    if !faults.no_id_token {
        answer["id_token"] = issuer.id_token(&plan).into();
    }
    Json(answer).into_response()
}

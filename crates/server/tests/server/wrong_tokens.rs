//! Every way in which an ID token, or the issuer that gives it, can be wrong.

use crate::issuer::{CLIENT, Faults, Issuer, Signed, now};
use crate::support::{TestServer, VERIFIER};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use visavis_server::IssuerConfig;
use visavis_wire::http::{Me, RefusalCode, Tokens};

async fn server_of(issuer: &Issuer) -> TestServer {
    let url = issuer.url.clone();
    TestServer::with(move |config| {
        config.dev = false;
        config.issuer = Some(IssuerConfig { url, client_id: CLIENT.into(), client_secret: None, birthdate_is_verified: false });
        config.limits.sign_ins_per_minute = 10_000;
        config.limits.issuer_answers_within = Duration::from_secs(3);
    })
    .await
}

struct Desk {
    issuer: Arc<Issuer>,
    server: TestServer,
}

impl Desk {
    async fn start() -> Self {
        let issuer = Issuer::start().await;
        let server = server_of(&issuer).await;
        Self { issuer, server }
    }

    async fn sign_in(&self) -> Result<Tokens, RefusalCode> {
        let started = self.server.begin().await;
        let code = self.issuer.consent(&started.authorization_url);
        self.server.finish(started.state.reveal(), &code, VERIFIER).await.map_err(|refusal| refusal.code)
    }

    async fn signed(&self, signed: Signed) -> Option<RefusalCode> {
        self.issuer.plan.lock().unwrap().signed = signed;
        let answer = self.sign_in().await.err();
        self.issuer.plan.lock().unwrap().signed = Signed::Well;
        answer
    }

    async fn claiming(&self, claims: Value) -> Option<RefusalCode> {
        self.issuer.plan.lock().unwrap().claims = claims;
        let answer = self.sign_in().await.err();
        self.issuer.plan.lock().unwrap().claims = json!({});
        answer
    }

    async fn faulty(&self, faults: Faults) -> Option<RefusalCode> {
        self.issuer.plan.lock().unwrap().faults = faults;
        let answer = self.sign_in().await.err();
        self.issuer.plan.lock().unwrap().faults = Faults::default();
        answer
    }
}

const FAULT: Option<RefusalCode> = Some(RefusalCode::IssuerFault);

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_issuer_did_not_sign_is_not_believed() {
    let desk = Desk::start().await;
    assert_eq!(desk.signed(Signed::Well).await, None, "a good one is taken");
    for signed in [Signed::ByAStranger, Signed::ByAnUnknownKey, Signed::Not, Signed::WithThePublicKey] {
        assert_eq!(desk.signed(signed).await, FAULT, "{signed:?}");
    }
    desk.issuer.plan.lock().unwrap().claims = json!({ "sub": "somebody-else" });
    assert_eq!(desk.signed(Signed::OfOtherClaims).await, FAULT);
    assert_eq!(desk.signed(Signed::Well).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_that_are_not_about_this_sign_in_are_not_believed() {
    let desk = Desk::start().await;
    let now = now();
    for wrong in [
        json!({ "iss": "https://elsewhere.example" }),
        json!({ "iss": format!("{}/", desk.issuer.url) }),
        json!({ "aud": "another-app" }),
        json!({ "aud": [CLIENT, "another-app"] }),
        json!({ "aud": [] }),
        json!({ "azp": "another-app" }),
        json!({ "nonce": "of-another-sign-in" }),
        json!({ "exp": now - 120 }),
        json!({ "nbf": now + 300 }),
        json!({ "nbf": (now + 300) as f64 + 0.5 }),
        json!({ "iat": now + 300 }),
        json!({ "iat": now - 3600 }),
        json!({ "sub": "" }),
        json!({ "iss": null }),
        json!({ "aud": null }),
        json!({ "sub": null }),
        json!({ "nonce": null }),
        json!({ "exp": null }),
        json!({ "iat": null }),
        json!({ "exp": "soon" }),
    ] {
        assert_eq!(desk.claiming(wrong.clone()).await, FAULT, "{wrong}");
    }
    // Within the skew that is allowed, and forms that are in order.
    for right in [
        json!({ "exp": now - 20 }),
        json!({ "iat": now + 20, "nbf": now + 20 }),
        json!({ "aud": [CLIENT], "azp": CLIENT }),
        json!({ "nbf": now - 5 }),
    ] {
        assert_eq!(desk.claiming(right.clone()).await, None, "{right}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_accepted_form_of_the_adult_claim_lets_in_and_no_other() {
    let desk = Desk::start().await;
    let assured = |claims: Value| json!({ "verification": { "trust_framework": "eidas" }, "claims": claims });
    for (claims, answer) in [
        (json!({ "age_over_18": true }), None),
        (json!({ "age_over_18": false }), Some(RefusalCode::UnderAge)),
        (json!({ "age_over_18": null }), Some(RefusalCode::NotVerified)),
        (json!({ "age_over_18": null, "birthdate": "1990-01-01" }), Some(RefusalCode::NotVerified)),
        (json!({ "age_over_18": null, "verified_claims": assured(json!({ "birthdate": "1990-01-01" })) }), None),
        (json!({ "age_over_18": null, "verified_claims": [assured(json!({ "age_over_18": true }))] }), None),
        (json!({ "verified_claims": assured(json!({ "age_over_18": false })) }), Some(RefusalCode::UnderAge)),
        (
            json!({ "age_over_18": null, "verified_claims": { "claims": { "birthdate": "1990-01-01" } } }),
            Some(RefusalCode::NotVerified),
        ),
    ] {
        assert_eq!(desk.claiming(claims.clone()).await, answer, "{claims}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_keys_of_the_issuer_are_found_but_not_asked_for_at_every_fault() {
    let desk = Desk::start().await;
    assert_eq!(desk.signed(Signed::Well).await, None);
    let before = desk.issuer.plan.lock().unwrap().keys_fetched;
    for _ in 0..20 {
        assert_eq!(desk.signed(Signed::ByAnUnknownKey).await, FAULT);
    }
    // Keys are fetched as often as the discovery document: once more at most in these few seconds.
    assert!(desk.issuer.plan.lock().unwrap().keys_fetched <= before + 2);
    // Claims that are wrong under a good signature are no reason to ask either.
    let before = desk.issuer.plan.lock().unwrap().keys_fetched;
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(desk.claiming(json!({ "nonce": "wrong" })).await, FAULT);
    assert_eq!(desk.issuer.plan.lock().unwrap().keys_fetched, before);
    desk.issuer.plan.lock().unwrap().key = 2;
    assert_eq!(desk.signed(Signed::Well).await, None, "the exchanged key is found");
    assert_eq!(desk.signed(Signed::Well).await, None);
    assert_eq!(desk.issuer.plan.lock().unwrap().keys_fetched, before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_misbehaves_costs_a_sign_in_and_no_more() {
    let desk = Desk::start().await;
    assert_eq!(desk.sign_in().await.err(), None);
    let fine = Faults::default();
    for faults in [
        Faults { huge_token: true, ..fine },
        Faults { slow_token: true, ..fine },
        Faults { no_id_token: true, ..fine },
        Faults { redirects: true, ..fine },
    ] {
        assert_eq!(desk.faulty(faults).await, FAULT, "{faults:?}");
    }
    assert_eq!(desk.sign_in().await.err(), None);
    // The same before anything of the issuer is known.
    for faults in [Faults { huge_keys: true, ..fine }, Faults { other_issuer: true, ..fine }] {
        let other = Issuer::start().await;
        other.plan.lock().unwrap().faults = faults;
        let server = server_of(&other).await;
        let body = json!({
            "redirect_uri": crate::support::REDIRECT, "code_challenge": crate::support::challenge(VERIFIER),
        });
        let refusal = server.post::<Value>("/v1/sign-in", body).await.unwrap_err();
        assert_eq!(refusal.code, RefusalCode::IssuerFault, "{faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_has_one_account_and_an_adult_claim_that_is_gone_ends_everything() {
    let desk = Desk::start().await;
    let first = desk.sign_in().await.unwrap();
    let second = desk.sign_in().await.unwrap();
    let mut profile = desk.server.get::<Me>("/v1/me", first.access_token.reveal()).await.unwrap().profile;
    profile.languages.value = vec!["en".into()];
    let put = desk.server.http.put(desk.server.url("/v1/me/profile")).bearer_auth(first.access_token.reveal()).json(&profile);
    desk.server.call::<Me>(put).await.unwrap();
    let seen = desk.server.get::<Me>("/v1/me", second.access_token.reveal()).await.unwrap();
    assert_eq!(seen.profile.languages.value, ["en"], "the same account");
    let mut socket = desk.server.socket(second.access_token.reveal()).await;
    assert_eq!(desk.claiming(json!({ "age_over_18": false })).await, Some(RefusalCode::UnderAge));
    assert_eq!(socket.refused().await, RefusalCode::TokenInvalid);
    socket.is_closed().await;
    for tokens in [first, second] {
        let me = desk.server.get::<Me>("/v1/me", tokens.access_token.reveal()).await;
        assert_eq!(me.unwrap_err().code, RefusalCode::TokenInvalid);
        let refresh = json!({ "refresh_token": tokens.refresh_token.reveal() });
        assert!(desk.server.post::<Tokens>("/v1/token", refresh).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_ends_with_its_sign_in_and_with_no_other() {
    let server = TestServer::start().await;
    let (one, other) = (server.try_sign_in("ada").await.unwrap(), server.try_sign_in("bao").await.unwrap());
    let (mut ada, mut bao) = (server.socket(one.access_token.reveal()).await, server.socket(other.access_token.reveal()).await);
    // A copy of a refresh token that has served is used: the family is revoked, and with it the socket.
    let refresh = json!({ "refresh_token": one.refresh_token.reveal() });
    server.post::<Tokens>("/v1/token", refresh.clone()).await.unwrap();
    assert!(server.post::<Tokens>("/v1/token", refresh).await.is_err());
    assert_eq!(ada.refused().await, RefusalCode::TokenInvalid);
    ada.is_closed().await;
    bao.hears_nothing(Duration::from_millis(300)).await;
    let out = server.http.post(server.url("/v1/sign-out")).bearer_auth(other.access_token.reveal()).send().await.unwrap();
    assert_eq!(out.status(), 204);
    assert_eq!(bao.refused().await, RefusalCode::TokenInvalid);
    bao.is_closed().await;
}

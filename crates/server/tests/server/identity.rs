//! Sign-in, tokens, profile.

use crate::support::{REDIRECT, TestServer, VERIFIER, challenge};
use serde_json::{Value, json};
use std::time::Duration;
use visavis_wire::http::{Follows, Me, Refusal, RefusalCode, SignInStarted, Tokens};
use visavis_wire::people::{PeerCard, Sign};

fn code<T: std::fmt::Debug>(answer: Result<T, Refusal>) -> RefusalCode {
    let refusal = answer.unwrap_err();
    assert!(refusal.message.ends_with('.'), "a sentence: {}", refusal.message);
    refusal.code
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adult_comes_in_and_has_a_profile() {
    let server = TestServer::start().await;
    let token = server.sign_in("ada").await;
    let me: Me = server.get("/v1/me", &token).await.unwrap();
    assert_eq!(me.username.reveal(), "Ada");
    assert_eq!(me.profile.city.value.reveal(), "Lisbon");
    assert_eq!(me.profile.sign.value, Some(Sign::Taurus));
    assert!(me.profile.age.value.is_some_and(|age| age >= 31));

    let mut profile = me.profile.clone();
    profile.city.shared = false;
    profile.interests.value.push("knots".into());
    profile.age.value = Some(99);
    let request = server.http.put(server.url("/v1/me/profile")).bearer_auth(&token).json(&profile);
    let changed: Me = server.call(request).await.unwrap();
    assert_eq!(changed.profile.age, me.profile.age, "age comes from the issuer alone");
    let card: PeerCard = server.get("/v1/me/card", &token).await.unwrap();
    assert_eq!((card.city, card.interests.last().map(String::as_str)), (None, Some("knots")));

    // One person, one account: the profile is there at the next sign-in.
    let again = server.sign_in("ada").await;
    let me: Me = server.get("/v1/me", &again).await.unwrap();
    assert_eq!(me.profile, changed.profile);
    let follows: Follows = server.get("/v1/follows", &again).await.unwrap();
    assert_eq!(follows.follows, []);
    server.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_a_verified_adult_is_refused_kindly() {
    let server = TestServer::start().await;
    assert_eq!(code(server.try_sign_in("kim").await), RefusalCode::UnderAge);
    assert_eq!(code(server.try_sign_in("nemo").await), RefusalCode::NotVerified);
    let started = server.begin().await;
    let back = server.press(&started, "deny").await;
    assert_eq!(back.get("error").as_deref(), Some("access_denied"));
    assert_eq!(back.get("state").as_ref(), Some(started.state.reveal()));
    assert_eq!(back.get("code"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_serves_once_and_only_for_the_app_that_began_it() {
    let server = TestServer::start().await;
    let started = server.begin().await;
    let issued = server.press(&started, "ada").await.get("code").unwrap();
    let state = started.state.reveal();
    assert_eq!(code(server.finish("another-state", &issued, VERIFIER).await), RefusalCode::SignInExpired);
    assert!(server.finish(state, &issued, VERIFIER).await.is_ok());
    assert_eq!(code(server.finish(state, &issued, VERIFIER).await), RefusalCode::SignInExpired);

    // The code again with a fresh attempt: the issuer refuses it.
    let second = server.begin().await;
    assert_eq!(code(server.finish(second.state.reveal(), &issued, VERIFIER).await), RefusalCode::SignInExpired);

    // Somebody who caught code and state lacks the verifier.
    let third = server.begin().await;
    let issued = server.press(&third, "ada").await.get("code").unwrap();
    let wrong = VERIFIER.replace('a', "b");
    assert_eq!(code(server.finish(third.state.reveal(), &issued, &wrong).await), RefusalCode::BadRequest);
    assert_eq!(code(server.finish(third.state.reveal(), &issued, VERIFIER).await), RefusalCode::SignInExpired);

    // A code that the issuer gave for another attempt carries another nonce and challenge.
    let (one, other) = (server.begin().await, server.begin().await);
    let issued = server.press(&one, "ada").await.get("code").unwrap();
    assert_eq!(code(server.finish(other.state.reveal(), &issued, VERIFIER).await), RefusalCode::IssuerFault);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_expires() {
    let server = TestServer::with(|config| config.limits.sign_in_lasts = Duration::ZERO).await;
    let started = server.begin().await;
    let issued = server.press(&started, "ada").await.get("code").unwrap();
    assert_eq!(code(server.finish(started.state.reveal(), &issued, VERIFIER).await), RefusalCode::SignInExpired);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_refused_in_words() {
    let server = TestServer::start().await;
    for body in [
        json!({"redirect_uri": "http://example.org/callback", "code_challenge": challenge(VERIFIER)}),
        json!({"redirect_uri": REDIRECT, "code_challenge": "short"}),
        json!({"redirect_uri": REDIRECT}),
        json!([]),
    ] {
        assert_eq!(code(server.post::<SignInStarted>("/v1/sign-in", body).await), RefusalCode::BadRequest);
    }
    let not_json = server.http.post(server.url("/v1/sign-in")).header("content-type", "application/json").body("{");
    assert_eq!(code(server.call::<Value>(not_json).await), RefusalCode::BadRequest);
    let huge = json!({"redirect_uri": "x".repeat(100_000), "code_challenge": ""});
    assert_eq!(code(server.post::<Value>("/v1/sign-in", huge).await), RefusalCode::BadRequest);
    assert_eq!(code(server.get::<Value>("/v1/nothing", "x").await), RefusalCode::BadRequest);
    assert_eq!(code(server.get::<Value>("/v1/me", "no-such-token").await), RefusalCode::TokenInvalid);
    assert_eq!(code(server.call::<Value>(server.http.get(server.url("/v1/me"))).await), RefusalCode::TokenInvalid);

    let token = server.sign_in("ada").await;
    let me: Me = server.get("/v1/me", &token).await.unwrap();
    let mut profile = me.profile;
    profile.interests.value = vec!["x".repeat(1000)];
    let request = server.http.put(server.url("/v1/me/profile")).bearer_auth(&token).json(&profile);
    let refusal = server.call::<Me>(request).await.unwrap_err();
    assert!(refusal.message.contains("interests"), "{}", refusal.message);

    let health: Value = server.call(server.http.get(server.url("/v1/health"))).await.unwrap();
    assert_eq!(health["status"], "ok");
    let document: Value = server.call(server.http.get(server.url("/v1/openapi.json"))).await.unwrap();
    assert!(document["paths"]["/v1/sign-in/finish"]["post"].is_object());
}

#[tokio::test(flavor = "multi_thread")]
async fn refresh_tokens_rotate_and_a_copy_revokes_the_family() {
    let server = TestServer::start().await;
    let first = server.try_sign_in("ada").await.unwrap();
    let refresh = |tokens: &Tokens| server.post::<Tokens>("/v1/token", json!({"refresh_token": tokens.refresh_token.reveal()}));
    let second = refresh(&first).await.unwrap();
    let third = refresh(&second).await.unwrap();
    let third_access = third.access_token.reveal().clone();
    assert!(server.get::<Me>("/v1/me", &third_access).await.is_ok());

    assert_eq!(code(refresh(&first).await), RefusalCode::TokenInvalid);
    assert_eq!(code(refresh(&third).await), RefusalCode::TokenInvalid, "the family is gone");
    assert_eq!(code(server.get::<Me>("/v1/me", &third_access).await), RefusalCode::TokenInvalid);

    // Signing out ends that sign-in alone.
    let (one, other) = (server.try_sign_in("ada").await.unwrap(), server.try_sign_in("ada").await.unwrap());
    let out = server.http.post(server.url("/v1/sign-out")).bearer_auth(one.access_token.reveal()).send().await.unwrap();
    assert_eq!(out.status(), 204);
    assert_eq!(code(server.get::<Me>("/v1/me", one.access_token.reveal()).await), RefusalCode::TokenInvalid);
    assert_eq!(code(refresh(&one).await), RefusalCode::TokenInvalid);
    assert!(refresh(&other).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_expires() {
    let server = TestServer::with(|config| config.limits.access_token_lasts = Duration::from_secs(2)).await;
    let tokens = server.try_sign_in("ada").await.unwrap();
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(code(server.get::<Me>("/v1/me", tokens.access_token.reveal()).await), RefusalCode::TokenExpired);
    let body = json!({"refresh_token": tokens.refresh_token.reveal()});
    assert!(server.post::<Tokens>("/v1/token", body).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_are_limited() {
    let server = TestServer::with(|config| config.limits.sign_ins_per_minute = 3).await;
    for _ in 0..3 {
        server.begin().await;
    }
    let body = json!({"redirect_uri": REDIRECT, "code_challenge": challenge(VERIFIER)});
    assert_eq!(code(server.post::<SignInStarted>("/v1/sign-in", body).await), RefusalCode::TooManyRequests);
}

//! After a match: follows, texts, history, blocks.

use crate::support::{Person, TestServer};
use serde_json::json;
use std::time::Duration;
use visavis_wire::friends::{Conversation, History, Text};
use visavis_wire::http::{Follow, Follows, Refusal, RefusalCode};
use visavis_wire::limits;
use visavis_wire::socket::{ClientMessage, EndReason, MatchId, Question, ServerMessage};

const MOMENT: Duration = Duration::from_millis(400);

async fn friends(server: &TestServer) -> (Person, Person, MatchId) {
    let (mut ada, mut bao, match_id) = server.pair().await;
    ada.say(ClientMessage::Leave { match_id: match_id.clone() }).await;
    for person in [&mut ada, &mut bao] {
        assert!(matches!(person.hear().await, ServerMessage::MatchEnded { .. }));
        person.say(ClientMessage::Answer { match_id: match_id.clone(), question: Question::Follow, yes: true }).await;
    }
    for person in [&mut ada, &mut bao] {
        assert!(matches!(person.hear().await, ServerMessage::QuestionOpened { question: Question::Follow, .. }));
    }
    (ada, bao, match_id)
}

async fn follows(server: &TestServer, token: &str) -> Vec<Follow> {
    server.get::<Follows>("/v1/follows", token).await.unwrap().follows
}

async fn write(server: &TestServer, token: &str, follow: &Follow, text: &str) -> Result<Text, Refusal> {
    let url = server.url(&format!("/v1/follows/{}/texts", follow.id.0));
    server.call(server.http.post(url).bearer_auth(token).json(&json!({ "text": text }))).await
}

async fn texts(server: &TestServer, token: &str, follow: &Follow) -> Vec<(bool, String)> {
    let path = format!("/v1/follows/{}/texts", follow.id.0);
    let found = server.get::<Conversation>(&path, token).await.unwrap().texts;
    found.into_iter().map(|text| (text.own, text.text.into_inner())).collect()
}

/// The status of a request without an answer.
async fn done(request: reqwest::RequestBuilder, token: &str) -> u16 {
    request.bearer_auth(token).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follow_each_other_write_and_find_it_later() {
    let server = TestServer::start().await;
    let (ada, mut bao, _) = friends(&server).await;
    let (to_bao, to_ada) = (follows(&server, &ada.token).await.remove(0), follows(&server, &bao.token).await.remove(0));
    assert_ne!(to_bao.id, to_ada.id, "a follow has another name for each");
    let sent = write(&server, &ada.token, &to_bao, "hello\nthere").await.unwrap();
    assert!(sent.own);
    let ServerMessage::Text { follow, text } = bao.hear().await else { panic!("no text") };
    assert_eq!((follow, text.own, text.text.reveal().as_str()), (to_ada.id.clone(), false, "hello\nthere"));
    assert_eq!(follows(&server, &bao.token).await[0].unread, 1);
    assert_eq!(texts(&server, &bao.token, &to_ada).await, [(false, "hello\nthere".to_owned())]);
    assert_eq!(follows(&server, &bao.token).await[0].unread, 0, "read");

    // Somebody who is away finds it when they are back, after a restart of the server too.
    let token = bao.token.clone();
    drop(bao);
    write(&server, &ada.token, &to_bao, "still there?").await.unwrap();
    drop(ada);
    let TestServer { running, folder, .. } = server;
    running.shutdown().await;
    let server = TestServer::in_folder(folder, |_| {}).await;
    assert!(server.get::<Follows>("/v1/follows", &token).await.is_ok(), "a token outlives the process that made it");
    let token = server.sign_in("bao").await;
    let to_ada = follows(&server, &token).await.remove(0);
    assert_eq!((to_ada.unread, to_ada.online), (1, false));
    assert_eq!(texts(&server, &token, &to_ada).await.len(), 2);

    // It ends for both, and what was written with it.
    let ada = server.sign_in("ada").await;
    let to_bao = follows(&server, &ada).await.remove(0);
    assert_eq!(done(server.http.delete(server.url(&format!("/v1/follows/{}", to_ada.id.0))), &token).await, 204);
    assert_eq!(follows(&server, &ada).await, []);
    assert_eq!(write(&server, &ada, &to_bao, "?").await.unwrap_err().code, RefusalCode::BadRequest);
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_limited_and_nobody_else_s_business() {
    let server = TestServer::with(|config| config.limits.messages_per_minute = 5).await;
    let (ada, bao, _) = friends(&server).await;
    let to_bao = follows(&server, &ada.token).await.remove(0);
    for bad in ["", " \n", "a\u{0}b", &"x".repeat(limits::TEXT + 1)] {
        assert_eq!(write(&server, &ada.token, &to_bao, bad).await.unwrap_err().code, RefusalCode::BadRequest);
    }
    assert!(write(&server, &ada.token, &to_bao, &"x".repeat(limits::TEXT)).await.is_ok());
    assert_eq!(write(&server, &ada.token, &to_bao, "x").await.unwrap_err().code, RefusalCode::TooManyRequests);
    // Neither a stranger nor the other one can use this name of the follow.
    let dora = server.sign_in("dora").await;
    for token in [&dora, &bao.token] {
        let path = format!("/v1/follows/{}/texts", to_bao.id.0);
        assert_eq!(server.get::<Conversation>(&path, token).await.unwrap_err().code, RefusalCode::BadRequest);
        assert_eq!(write(&server, token, &to_bao, "x").await.unwrap_err().code, RefusalCode::BadRequest);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_ends_a_running_match_at_once_and_for_ever() {
    let server = TestServer::start().await;
    let (mut ada, mut bao, match_id) = server.pair().await;
    let block = server.http.post(server.url(&format!("/v1/history/{}/block", match_id.0)));
    assert_eq!(done(block, &ada.token).await, 204);
    for person in [&mut ada, &mut bao] {
        let ServerMessage::MatchEnded { reason, .. } = person.hear().await else { panic!("it goes on") };
        assert_eq!(reason, EndReason::Left, "the other learns no more than that");
        assert!(matches!(person.hear().await, ServerMessage::FollowClosed { .. }));
    }
    for person in [&mut ada, &mut bao] {
        person.say(ClientMessage::Answer { match_id: match_id.clone(), question: Question::Follow, yes: true }).await;
        person.say(ClientMessage::Join).await;
    }
    ada.hears_nothing(MOMENT * 3).await;
    bao.hears_nothing(MOMENT).await;
    assert_eq!(follows(&server, &ada.token).await, []);
    // The other way round it is the same, and others can still be met.
    let mut dora = server.person("dora").await;
    dora.say(ClientMessage::Join).await;
    let (offer, ..) = dora.offered().await;
    let either = tokio::select! { one = ada.offered() => one.0, other = bao.offered() => other.0 };
    assert_eq!(offer, either);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_from_friends_or_history_ends_the_follow() {
    let server = TestServer::start().await;
    let (ada, mut bao, match_id) = friends(&server).await;
    let history = server.get::<History>("/v1/history", &ada.token).await.unwrap().sessions;
    assert_eq!(history.len(), 1);
    assert_eq!((&history[0].match_id, history[0].blocked, history[0].ended), (&match_id, false, Some(EndReason::Left)));
    assert_eq!(history[0].card.city.as_ref().map(|city| city.reveal().as_str()), Some("Lisbon"));
    let raw = serde_json::to_string(&history).unwrap().to_lowercase();
    assert!(!raw.replace(&match_id.0, "").contains("bao") && !raw.contains("scorpio"), "{raw}");
    let to_ada = follows(&server, &bao.token).await.remove(0);
    let block = server.http.post(server.url(&format!("/v1/follows/{}/block", to_ada.id.0)));
    assert_eq!(done(block, &bao.token).await, 204);
    for token in [&ada.token, &bao.token] {
        assert_eq!(follows(&server, token).await, []);
    }
    let blocked = async |token: &str| server.get::<History>("/v1/history", token).await.unwrap().sessions[0].blocked;
    assert_eq!((blocked(&ada.token).await, blocked(&bao.token).await), (false, true), "only one's own is shown");
    // Nobody can block through a session that was not theirs.
    let dora = server.sign_in("dora").await;
    let block = server.http.post(server.url(&format!("/v1/history/{}/block", match_id.0)));
    assert_eq!(done(block, &dora).await, 400);
    bao.hears_nothing(MOMENT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_meanwhile_withdraws_an_offer() {
    let server = TestServer::start().await;
    let (mut ada, mut bao, first) = server.pair().await;
    ada.say(ClientMessage::Leave { match_id: first.clone() }).await;
    for person in [&mut ada, &mut bao] {
        assert!(matches!(person.hear().await, ServerMessage::MatchEnded { .. }));
        person.say(ClientMessage::Join).await;
    }
    let (second, ..) = ada.offered().await;
    assert_eq!(bao.offered().await.0, second);
    let block = server.http.post(server.url(&format!("/v1/history/{}/block", first.0)));
    assert_eq!(done(block, &bao.token).await, 204);
    for person in [&mut ada, &mut bao] {
        let heard = [person.hear().await, person.hear().await];
        assert!(heard.contains(&ServerMessage::MatchWithdrawn { match_id: second.clone() }), "{heard:?}");
        assert!(heard.contains(&ServerMessage::FollowClosed { match_id: first.clone() }), "{heard:?}");
    }
}

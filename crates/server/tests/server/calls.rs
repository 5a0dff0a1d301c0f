//! Calls between two who follow each other, presence and texts: on one node and on two.

use crate::support::{Client, PATIENCE, Person, TestServer};
use serde_json::json;
use std::time::Duration;
use visavis_engines::{Nats, Postgres, or_leave_out};
use visavis_server::{Config, Server};
use visavis_wire::Private;
use visavis_wire::friends::{CallEnd, FollowId, FriendCall};
use visavis_wire::http::{Follows, RefusalCode, Tokens};
use visavis_wire::socket::{ClientMessage, MatchId, Question, ServerMessage, Signal};

/// Longer than the server waits before it believes that somebody is away.
const AWAY: Duration = Duration::from_secs(12);

impl Person {
    /// The next message about calls or presence.
    async fn called(&mut self, within: Duration) -> Option<ServerMessage> {
        tokio::time::timeout(within, self.hear()).await.ok()
    }

    /// Past the presence of others, which may come at any time.
    async fn about_the_call(&mut self) -> ServerMessage {
        loop {
            match self.called(PATIENCE).await.expect("a word in time") {
                ServerMessage::Presence { .. } => {}
                message => return message,
            }
        }
    }

    async fn ring(&mut self, follow: &FollowId) {
        self.say(ClientMessage::Ring { follow: follow.clone(), direct: false }).await;
    }

    async fn rung(&mut self) -> (MatchId, FriendCall) {
        match self.about_the_call().await {
            ServerMessage::MatchOffered { match_id, call: Some(call), .. } => (match_id, call),
            other => panic!("it does not ring: {other:?}"),
        }
    }

    async fn over(&mut self) -> CallEnd {
        match self.about_the_call().await {
            ServerMessage::CallOver { why, .. } => why,
            other => panic!("{other:?}"),
        }
    }

    async fn here(&mut self, follow: &FollowId, online: bool) {
        let heard = tokio::time::timeout(AWAY, self.hear()).await.expect("a word in time");
        assert_eq!(heard, ServerMessage::Presence { follow: follow.clone(), online });
    }
}

async fn follow_of(server: &Client, token: &str) -> (FollowId, bool) {
    let follow = server.get::<Follows>("/v1/follows", token).await.unwrap().follows.remove(0);
    (follow.id, follow.online)
}

/// Ada and Bao, who met and follow each other, and what each knows the other by.
async fn friends(server: &TestServer) -> (Person, Person, FollowId, FollowId) {
    let (mut ada, mut bao, match_id) = server.pair().await;
    ada.say(ClientMessage::Leave { match_id: match_id.clone() }).await;
    for person in [&mut ada, &mut bao] {
        assert!(matches!(person.hear().await, ServerMessage::MatchEnded { .. }));
        person.say(ClientMessage::Answer { match_id: match_id.clone(), question: Question::Follow, yes: true }).await;
    }
    for person in [&mut ada, &mut bao] {
        assert!(matches!(person.hear().await, ServerMessage::QuestionOpened { question: Question::Follow, .. }));
    }
    let (to_bao, to_ada) = (follow_of(server, &ada.token).await.0, follow_of(server, &bao.token).await.0);
    (ada, bao, to_bao, to_ada)
}

/// From the ring to the end, with a word from each to the other.
async fn talk(caller: &mut Person, callee: &mut Person) {
    let ((match_id, mine), (same, theirs)) = (caller.rung().await, callee.rung().await);
    assert_eq!((&match_id, mine.outgoing, theirs.outgoing), (&same, true, false));
    assert_ne!(mine.follow, theirs.follow, "each has a name of its own for the other");
    callee.say(ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: true }).await;
    for person in [&mut *caller, &mut *callee] {
        assert!(matches!(person.about_the_call().await, ServerMessage::MatchBegins { .. }));
    }
    for (from, to) in [(0, 1), (1, 0)] {
        let signal = Signal::Candidate { candidate: None, sdp_mid: Some(String::from("0")), sdp_m_line_index: None };
        let people = [&mut *caller, &mut *callee];
        people[from].say(ClientMessage::Signal { match_id: match_id.clone(), signal }).await;
        assert!(matches!(people[to].about_the_call().await, ServerMessage::Signal { .. }));
    }
    callee.say(ClientMessage::Leave { match_id }).await;
    for person in [&mut *caller, &mut *callee] {
        assert!(matches!(person.about_the_call().await, ServerMessage::MatchEnded { follow_within_s: 0, .. }));
        assert!(matches!(person.about_the_call().await, ServerMessage::QuestionOpened { question: Question::Follow, .. }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_friend_is_called_taken_declined_and_taken_back() {
    let server = TestServer::start().await;
    let (mut ada, mut bao, to_bao, to_ada) = friends(&server).await;
    ada.ring(&to_bao).await;
    talk(&mut ada, &mut bao).await;
    // Back, and not now.
    bao.ring(&to_ada).await;
    let (match_id, _) = ada.rung().await;
    bao.rung().await;
    ada.say(ClientMessage::MatchAnswer { match_id, meet: false }).await;
    assert_eq!(bao.over().await, CallEnd::Declined);
    bao.ring(&to_ada).await;
    let (match_id, _) = bao.rung().await;
    ada.rung().await;
    bao.say(ClientMessage::MatchAnswer { match_id, meet: false }).await;
    assert_eq!(ada.over().await, CallEnd::Missed);
    // The third was the last for a while.
    bao.ring(&to_ada).await;
    ada.rung().await;
    bao.rung().await;
    bao.ring(&to_ada).await;
    assert_eq!(bao.over().await, CallEnd::TooOften);
    assert!(ada.log.contains("call_over") && !ada.log.contains("\"bao\""), "no name, no account");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_called_who_is_away_busy_or_no_friend() {
    let server = TestServer::start().await;
    let (mut ada, mut bao, to_bao, to_ada) = friends(&server).await;
    ada.ring(&FollowId(String::from("nobody"))).await;
    assert_eq!(ada.over().await, CallEnd::NotFriends);
    let mut caro = server.person("chen").await;
    caro.ring(&to_bao).await;
    assert_eq!(caro.over().await, CallEnd::NotFriends, "the name that another has for somebody is of no use");
    // Bao meets somebody else.
    let match_id = server.meet(&mut bao, &mut caro).await;
    ada.ring(&to_bao).await;
    assert_eq!(ada.over().await, CallEnd::Busy);
    caro.say(ClientMessage::Leave { match_id }).await;
    let token = bao.token.clone();
    drop(bao);
    ada.here(&to_bao, false).await;
    ada.ring(&to_bao).await;
    assert_eq!(ada.over().await, CallEnd::Offline);
    let mut bao = server.socket(&token).await;
    ada.here(&to_bao, true).await;
    // Blocked while it rings: to the other it looks like a "not now", and never again.
    ada.ring(&to_bao).await;
    ada.rung().await;
    loop {
        if let ServerMessage::MatchOffered { call: Some(_), .. } = bao.hear().await {
            break;
        }
    }
    let block = server.http.post(server.url(&format!("/v1/follows/{}/block", to_ada.0))).bearer_auth(&bao.token);
    assert_eq!(block.send().await.unwrap().status(), 204);
    assert_eq!(ada.over().await, CallEnd::Declined);
    ada.ring(&to_bao).await;
    assert_eq!(ada.over().await, CallEnd::NotFriends);
}

struct Two {
    running: Vec<visavis_server::Running>,
    clients: [Client; 2],
    _folders: Vec<tempfile::TempDir>,
    _engines: (Postgres, Nats),
}

/// Two nodes in this process, over real engines. `None`, said aloud, where those are not installed.
async fn two_nodes() -> Option<Two> {
    let engines = (or_leave_out(Postgres::start())?, or_leave_out(Nats::start())?);
    let url = engines.0.database("calls").unwrap();
    let (mut running, mut folders) = (Vec::new(), Vec::new());
    for name in ["one", "two"] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret.key"), [7; 32]).unwrap();
        let mut config = Config::dev(folder.path());
        config.database = Some(Private::new(url.clone()));
        config.nats = Some(Private::new(engines.1.url()));
        config.node = Some(name.to_owned());
        config.pools_by_language = true;
        running.push(Server::start(config).await.unwrap());
        folders.push(folder);
    }
    let clients = [0, 1].map(|at: usize| Client::to(running[at].http));
    Some(Two { running, clients, _folders: folders, _engines: engines })
}

async fn signed_in(client: &Client, name: &str, languages: &[&str]) -> String {
    let body = json!({ "name": name, "languages": languages, "interests": ["drawing"] });
    client.post::<Tokens>("/dev/sign-in", body).await.unwrap().access_token.into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_carry_calls_presence_texts_and_the_end_of_a_sign_in() {
    let Some(two) = two_nodes().await else { return };
    let [one, other] = &two.clients;
    // Each in a pool of the own language, once they have met in one that both speak.
    let (ada_token, bao_token) = (signed_in(one, "ada", &["en"]).await, signed_in(other, "bao", &["en", "pt"]).await);
    let (mut ada, mut bao) = (one.socket(&ada_token).await, other.socket(&bao_token).await);
    let match_id = one.meet(&mut ada, &mut bao).await;
    ada.say(ClientMessage::Leave { match_id: match_id.clone() }).await;
    for person in [&mut ada, &mut bao] {
        person.say(ClientMessage::Answer { match_id: match_id.clone(), question: Question::Follow, yes: true }).await;
    }
    for person in [&mut ada, &mut bao] {
        while !matches!(person.hear().await, ServerMessage::QuestionOpened { question: Question::Follow, .. }) {}
    }
    let mut profile: serde_json::Value = other.get("/v1/me", &bao_token).await.unwrap();
    profile["profile"]["languages"]["value"] = json!(["pt", "en"]);
    let url = other.url("/v1/me/profile");
    let _: serde_json::Value = other.call(other.http.put(url).bearer_auth(&bao_token).json(&profile["profile"])).await.unwrap();
    let ((to_bao, online), (to_ada, _)) = (follow_of(one, &ada_token).await, follow_of(other, &bao_token).await);
    assert!(online);

    // Across nodes and pools, in both directions, twice: whoever was called away finds back.
    ada.ring(&to_bao).await;
    talk(&mut ada, &mut bao).await;
    bao.ring(&to_ada).await;
    talk(&mut bao, &mut ada).await;

    let url = one.url(&format!("/v1/follows/{}/texts", to_bao.0));
    let _: serde_json::Value =
        one.call(one.http.post(url).bearer_auth(&ada_token).json(&json!({ "text": "hello" }))).await.unwrap();
    let ServerMessage::Text { follow, text } = bao.about_the_call().await else { panic!("no text") };
    assert_eq!((follow, text.text.reveal().as_str()), (to_ada.clone(), "hello"));

    drop(bao);
    ada.here(&to_bao, false).await;
    // A token of one node is good at the other, and the end of a sign-in at one is its end at both.
    let mut bao = one.socket(&bao_token).await;
    ada.here(&to_bao, true).await;
    let out = other.http.post(other.url("/v1/sign-out")).bearer_auth(&bao_token).send().await.unwrap();
    assert_eq!(out.status(), 204);
    assert_eq!(bao.refused().await, RefusalCode::TokenInvalid);
    bao.is_closed().await;
    for client in [one, other] {
        let refused = client.get::<Follows>("/v1/follows", &bao_token).await.unwrap_err();
        assert_eq!(refused.code, RefusalCode::TokenInvalid);
    }
    assert!(one.get::<Follows>("/v1/follows", &ada_token).await.is_ok());
    drop((ada, bao));
    for running in two.running {
        running.shutdown().await;
    }
}

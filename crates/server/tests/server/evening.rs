//! Two people meet over real sockets.

use crate::support::{PATIENCE, TestServer};
use futures_util::SinkExt;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use visavis_wire::Private;
use visavis_wire::http::{Follows, Me, RefusalCode};
use visavis_wire::people::Reason;
use visavis_wire::socket::{ClientMessage, EndReason, Question, Role, ServerMessage, Signal};

const MOMENT: Duration = Duration::from_millis(400);

#[tokio::test(flavor = "multi_thread")]
async fn two_meet_signal_reveal_part_and_follow() {
    let server = TestServer::start().await;
    let (mut ada, mut bao) = (server.person("ada").await, server.person("bao").await);
    ada.say(ClientMessage::Join).await;
    bao.say(ClientMessage::Join).await;
    let (match_id, role, relay, offer) = ada.offered().await;
    let (_, other_role, other_relay, _) = bao.offered().await;
    assert_ne!(role, other_role);
    assert!(relay.urls[0].starts_with("turn:127.0.0.1:") && relay.urls[0].ends_with("?transport=udp"));
    let ServerMessage::MatchOffered { card, reasons, .. } = offer else { unreachable!() };
    assert!(matches!(&reasons[0], Reason::SameCity { city } if city.reveal() == "Lisbon"), "{reasons:?}");
    assert!(matches!(&reasons[1], Reason::BothLike { interests } if interests.contains(&"drawing".to_owned())), "{reasons:?}");
    assert_eq!((card.sign, card.languages), (None, vec!["en".to_owned(), "zh".to_owned()]));
    for person in [&mut ada, &mut bao] {
        person.say(ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: true }).await;
    }
    assert_eq!((ada.begins().await, bao.begins().await), (role, other_role));

    let sdp = "v=0\r\no=- 1 2 IN IP4 192.168.7.7\r\na=candidate:1 1 udp 1 192.168.7.7 5 typ host\r\na=mid:0\r\n";
    let signal = Signal::Offer { sdp: Private::new(sdp.into()) };
    ada.say(ClientMessage::Signal { match_id: match_id.clone(), signal }).await;
    let ServerMessage::Signal { signal: Signal::Offer { sdp }, .. } = bao.hear().await else { panic!("{}", bao.log) };
    assert_eq!(sdp.reveal(), "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\na=mid:0\r\n");

    let reveal = |yes| ClientMessage::Answer { match_id: match_id.clone(), question: Question::Reveal, yes };
    ada.say(reveal(true)).await;
    bao.say(reveal(false)).await;
    ada.hears_nothing(MOMENT).await;
    bao.say(reveal(true)).await;
    let opened = |question| ServerMessage::QuestionOpened { match_id: match_id.clone(), question };
    assert_eq!((ada.hear().await, bao.hear().await), (opened(Question::Reveal), opened(Question::Reveal)));

    bao.say(ClientMessage::Leave { match_id: match_id.clone() }).await;
    let ended = ServerMessage::MatchEnded { match_id: match_id.clone(), reason: EndReason::Left, follow_within_s: 60 };
    assert_eq!((ada.hear().await, bao.hear().await), (ended.clone(), ended));
    for person in [&mut ada, &mut bao] {
        person.say(ClientMessage::Answer { match_id: match_id.clone(), question: Question::Follow, yes: true }).await;
    }
    assert_eq!((ada.hear().await, bao.hear().await), (opened(Question::Follow), opened(Question::Follow)));
    let follows: Follows = server.get("/v1/follows", &ada.token).await.unwrap();
    assert_eq!(follows.follows.len(), 1);
    assert_eq!((follows.follows[0].username.reveal().as_str(), follows.follows[0].online), ("Bao", true));

    // Nothing that went over the sockets names anybody or tells what is not shared.
    for log in [&ada.log, &bao.log] {
        // Random text may spell anything.
        let random = [&match_id.0, relay.credential.reveal(), other_relay.credential.reveal()];
        let random = random.into_iter().chain([relay.username.reveal(), other_relay.username.reveal()]);
        let log = random.fold(log.clone(), |log, random| log.replace(random.as_str(), "")).to_lowercase();
        for secret in ["ada", "bao", "dev-", "taurus", "scorpio", "192.168"] {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
    }

    // The same folder, another process: the follow is still there.
    let TestServer { running, folder, .. } = server;
    let closed = tokio::time::timeout(Duration::from_secs(2), running.shutdown()).await;
    assert!(closed.is_ok(), "it does not wait for its time-outs");
    assert!(matches!(ada.refused().await, RefusalCode::ShuttingDown));
    ada.is_closed().await;
    let server = TestServer::in_folder(folder, |_| {}).await;
    let token = server.sign_in("bao").await;
    let follows: Follows = server.get("/v1/follows", &token).await.unwrap();
    assert_eq!((follows.follows[0].username.reveal().as_str(), follows.follows[0].online), ("Ada", false));
}

#[tokio::test(flavor = "multi_thread")]
async fn unshared_facts_do_not_reach_the_other() {
    let server = TestServer::start().await;
    let token = server.sign_in("ada").await;
    let mut me: Me = server.get("/v1/me", &token).await.unwrap();
    me.profile.city.shared = false;
    me.profile.interests.shared = false;
    me.profile.games.shared = false;
    let request = server.http.put(server.url("/v1/me/profile")).bearer_auth(&token).json(&me.profile);
    server.call::<Me>(request).await.unwrap();
    let (mut ada, mut bao) = (server.socket(&token).await, server.person("bao").await);
    ada.say(ClientMessage::Join).await;
    bao.say(ClientMessage::Join).await;
    bao.offered().await;
    ada.offered().await;
    for hidden in ["Lisbon", "drawing", "chess", "gomoku", "same_city", "both_like"] {
        assert!(!bao.log.contains(hidden), "{hidden} in {}", bao.log);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_offer_puts_the_other_back() {
    let server = TestServer::start().await;
    let (mut ada, mut bao) = (server.person("ada").await, server.person("bao").await);
    ada.say(ClientMessage::Join).await;
    bao.say(ClientMessage::Join).await;
    let (match_id, ..) = ada.offered().await;
    bao.offered().await;
    ada.say(ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: true }).await;
    bao.hears_nothing(MOMENT).await;
    bao.say(ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: false }).await;
    assert_eq!(ada.hear().await, ServerMessage::MatchWithdrawn { match_id: match_id.clone() });
    assert_eq!(bao.hear().await, ServerMessage::MatchWithdrawn { match_id });
    assert!(matches!(ada.next().await, Some(ServerMessage::Waiting { .. })));
    // In a rehearsal they may be offered each other again.
    bao.say(ClientMessage::Join).await;
    bao.offered().await;
    ada.offered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_socket_is_put_back_into_the_match() {
    let server = TestServer::start().await;
    let (mut ada, bao, match_id) = server.pair().await;
    let token = bao.token.clone();
    drop(bao);
    assert_eq!(ada.hear().await, ServerMessage::PeerAway { match_id: match_id.clone() });
    let mut bao = server.socket(&token).await;
    assert!(matches!(bao.begins().await, Role::Offerer | Role::Answerer));
    assert_eq!(ada.hear().await, ServerMessage::PeerBack { match_id });
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stays_away_ends_the_match_and_silence_ends_the_question() {
    let server = TestServer::with(|config| {
        config.rules.away_ms = 300;
        config.rules.follow_ms = 1000;
    })
    .await;
    let (mut ada, bao, match_id) = server.pair().await;
    drop(bao);
    assert_eq!(ada.hear().await, ServerMessage::PeerAway { match_id: match_id.clone() });
    let ended = ServerMessage::MatchEnded { match_id: match_id.clone(), reason: EndReason::Vanished, follow_within_s: 1 };
    assert_eq!(ada.hear().await, ended);
    ada.say(ClientMessage::Answer { match_id: match_id.clone(), question: Question::Follow, yes: true }).await;
    assert_eq!(ada.hear().await, ServerMessage::FollowClosed { match_id });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_socket_replaces_the_older() {
    let server = TestServer::start().await;
    let mut old = server.person("ada").await;
    let mut new = server.socket(&old.token.clone()).await;
    assert_eq!(old.refused().await, RefusalCode::Replaced);
    old.is_closed().await;
    new.say(ClientMessage::Join).await;
    assert!(matches!(new.next().await, Some(ServerMessage::Waiting { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_cannot_be_read_are_refused_and_then_the_socket_closes() {
    let server = TestServer::start().await;
    let mut ada = server.person("ada").await;
    for text in ["", "{", "{\"type\":\"unheard_of\"}", "[1]", "{\"type\":\"leave\"}"] {
        ada.send_text(text.into()).await;
        assert_eq!(ada.refused().await, RefusalCode::BadRequest);
    }
    ada.is_closed().await;

    // Larger than any message may be: the socket ends at once.
    let mut ada = server.socket(&ada.token.clone()).await;
    let huge = Message::text("x".repeat(70 * 1024));
    // The server may hang up while this is still being written.
    let _ = ada.socket.send(huge).await;
    ada.is_closed().await;

    // A wrong greeting, and a first message that is none.
    let mut ada = server.raw_socket(&ada.token.clone()).await;
    ada.say(ClientMessage::Join).await;
    assert_eq!(ada.refused().await, RefusalCode::BadRequest);
    ada.say(ClientMessage::Hello { protocol: 99 }).await;
    assert_eq!(ada.refused().await, RefusalCode::OutdatedApp);
    ada.is_closed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_are_limited_and_a_silent_socket_is_closed() {
    let server = TestServer::with(|config| {
        config.limits.joins_per_minute = 2;
        config.limits.ping_every = Duration::from_millis(200);
    })
    .await;
    let mut ada = server.person("ada").await;
    for _ in 0..3 {
        ada.say(ClientMessage::Join).await;
    }
    assert_eq!(ada.refused().await, RefusalCode::TooManyRequests);

    // Whoever does not read does not answer a ping either.
    let bao = server.person("bao").await;
    let token = server.sign_in("chen").await;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        // Keeps ada alive by reading; bao is left alone.
        ada.hears_nothing(Duration::from_millis(50)).await;
        let health: serde_json::Value = server.get("/v1/me", &token).await.unwrap();
        assert!(health.is_object());
        if tokio::time::Instant::now() > deadline - PATIENCE + Duration::from_millis(1500) {
            break;
        }
    }
    let mut bao = bao;
    bao.is_closed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_needs_a_token() {
    let server = TestServer::start().await;
    for path in ["/v1/socket", "/v1/follows"] {
        let answer = server.http.get(server.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 401);
    }
}

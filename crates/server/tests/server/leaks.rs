//! Everything that a socket can hear, driven once by somebody whose secrets are known: none of it names the other, their account,
//! their sign-in, their address, or what they do not share.

use crate::support::{Person, TestServer};
use serde_json::json;
use std::collections::BTreeSet;
use visavis_server::DoorsSection;
use visavis_wire::Private;
use visavis_wire::friends::FollowId;
use visavis_wire::games::{Game, Play};
use visavis_wire::http::{Follows, Me};
use visavis_wire::socket::{ClientMessage, MatchId, Question, ServerMessage, Signal};

/// What a message may be, in the order of the enum. A message that is not here does not compile below.
const KINDS: [&str; 21] = [
    "welcome",
    "waiting",
    "waiting_ended",
    "match_offered",
    "call_over",
    "presence",
    "match_withdrawn",
    "match_begins",
    "relay_renewed",
    "signal",
    "question_opened",
    "game_opened",
    "question_closed",
    "peer_away",
    "peer_back",
    "match_ended",
    "follow_closed",
    "refused",
    "closed",
    "text",
    "call",
];

fn kind(message: &ServerMessage) -> &'static str {
    KINDS[match message {
        ServerMessage::Welcome { .. } => 0,
        ServerMessage::Waiting { .. } => 1,
        ServerMessage::WaitingEnded => 2,
        ServerMessage::MatchOffered { call: None, .. } => 3,
        ServerMessage::CallOver { .. } => 4,
        ServerMessage::Presence { .. } => 5,
        ServerMessage::MatchWithdrawn { .. } => 6,
        ServerMessage::MatchBegins { .. } => 7,
        ServerMessage::RelayRenewed { .. } => 8,
        ServerMessage::Signal { .. } => 9,
        ServerMessage::QuestionOpened { .. } => 10,
        ServerMessage::GameOpened { .. } => 11,
        ServerMessage::QuestionClosed { .. } => 12,
        ServerMessage::PeerAway { .. } => 13,
        ServerMessage::PeerBack { .. } => 14,
        ServerMessage::MatchEnded { .. } => 15,
        ServerMessage::FollowClosed { .. } => 16,
        ServerMessage::Refused { .. } => 17,
        ServerMessage::Closed { .. } => 18,
        ServerMessage::Text { .. } => 19,
        ServerMessage::MatchOffered { call: Some(_), .. } => 20,
    }]
}

/// Bao, and every message of the evening.
struct Listener {
    person: Person,
    heard: Vec<ServerMessage>,
}

impl Listener {
    async fn until(&mut self, wanted: &str) -> ServerMessage {
        assert!(KINDS.contains(&wanted), "{wanted}");
        loop {
            let message = self.person.next().await.expect("an open socket");
            self.heard.push(message.clone());
            if kind(&message) == wanted {
                return message;
            }
        }
    }

    async fn say(&mut self, message: ClientMessage) {
        self.person.say(message).await;
    }
}

async fn skip_to(person: &mut Person, wanted: &str) -> ServerMessage {
    loop {
        let message = person.next().await.expect("an open socket");
        if kind(&message) == wanted {
            return message;
        }
    }
}

fn id_of(message: &ServerMessage) -> MatchId {
    match message {
        ServerMessage::MatchOffered { match_id, .. } | ServerMessage::MatchBegins { match_id, .. } => match_id.clone(),
        other => panic!("{other:?}"),
    }
}

const ADDRESS: &str = "192.0.2.77";

fn signals() -> [Signal; 4] {
    let line = |line: &str| Signal::Candidate {
        candidate: Some(Private::new(line.to_owned())),
        sdp_mid: Some(String::from("0")),
        sdp_m_line_index: Some(0),
    };
    let sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 {ADDRESS}\r\ns=-\r\nt=0 0\r\nc=IN IP4 {ADDRESS}\r\ni=call Ada\r\nm=audio 9 RTP 0\r\n\
         a=candidate:1 1 udp 1 {ADDRESS} 9 typ host\r\na=rtcp:9 IN IP4 {ADDRESS}\r\n\
         a=candidate:2 1 udp 1 198.51.100.1 9 typ relay raddr {ADDRESS} rport 9\r\n"
    );
    [
        Signal::Offer { sdp: Private::new(sdp.clone()) },
        Signal::Answer { sdp: Private::new(sdp) },
        line(&format!("candidate:1 1 udp 1 {ADDRESS} 9 typ host")),
        line(&format!("candidate:2 1 udp 1 198.51.100.1 9 typ relay raddr {ADDRESS} rport 9")),
    ]
}

/// Both are in a match that has begun.
async fn meet(ada: &mut Person, bao: &mut Listener) -> MatchId {
    ada.say(ClientMessage::Join).await;
    bao.say(ClientMessage::Join).await;
    let match_id = id_of(&bao.until("match_offered").await);
    skip_to(ada, "match_offered").await;
    let yes = ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: true };
    ada.say(yes.clone()).await;
    bao.say(yes).await;
    bao.until("match_begins").await;
    skip_to(ada, "match_begins").await;
    match_id
}

/// What happens in a match, up to its end.
async fn a_match(server: &TestServer, ada: &mut Person, bao: &mut Listener) -> MatchId {
    let match_id = meet(ada, bao).await;
    for signal in signals() {
        ada.say(ClientMessage::Signal { match_id: match_id.clone(), signal }).await;
    }
    bao.until("signal").await;
    for question in [Question::Reveal, Question::Play(Play { game: Game::Gomoku, twist: None })] {
        let yes = ClientMessage::Answer { match_id: match_id.clone(), question, yes: true };
        ada.say(yes.clone()).await;
        bao.say(yes).await;
    }
    bao.until("game_opened").await;
    ada.say(ClientMessage::Answer { match_id: match_id.clone(), question: Question::Reveal, yes: false }).await;
    bao.until("question_closed").await;
    let token = ada.token.clone();
    ada.socket.close(None).await.unwrap();
    bao.until("peer_away").await;
    *ada = server.socket(&token).await;
    bao.until("peer_back").await;
    bao.until("relay_renewed").await;
    ada.say(ClientMessage::Leave { match_id: match_id.clone() }).await;
    bao.until("match_ended").await;
    match_id
}

async fn a_friendship(server: &TestServer, ada: &mut Person, bao: &mut Listener, follow: &FollowId) {
    let url = server.url(&format!("/v1/follows/{}/texts", follow.0));
    let sent = server.http.post(url).bearer_auth(&ada.token).json(&json!({ "text": "hello" })).send().await.unwrap();
    assert!(sent.status().is_success());
    bao.until("text").await;
    ada.say(ClientMessage::Ring { follow: follow.clone(), direct: false }).await;
    bao.until("call").await;
    let match_id = id_of(&skip_to(ada, "call").await);
    ada.say(ClientMessage::MatchAnswer { match_id, meet: false }).await;
    bao.until("call_over").await;
    ada.say(ClientMessage::Ring { follow: follow.clone(), direct: false }).await;
    let match_id = id_of(&bao.until("call").await);
    bao.say(ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: true }).await;
    bao.until("match_begins").await;
    for signal in signals() {
        ada.say(ClientMessage::Signal { match_id: match_id.clone(), signal }).await;
    }
    bao.until("signal").await;
    ada.say(ClientMessage::Leave { match_id }).await;
    bao.until("question_opened").await;
    ada.socket.close(None).await.unwrap();
    bao.until("presence").await;
}

/// Account, sign-in and name of Ada, as the database has them.
async fn in_the_database(server: &TestServer) -> Vec<String> {
    use sqlx::{Connection, Row};
    sqlx::any::install_default_drivers();
    let url = format!("sqlite://{}", server.folder.path().join("visavis.db").display());
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    let statement = "SELECT id, subject_hash, username FROM accounts WHERE username = 'Ada'";
    let row = sqlx::query(statement).fetch_one(&mut connection).await.unwrap();
    (0..3).map(|column| row.get::<String, _>(column)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_message_names_the_other_or_holds_what_they_do_not_share() {
    let server = TestServer::with(|config| {
        config.rules.renew_relay_ms = 1_000;
        config.recent_partners = 0;
    })
    .await;
    let token = server.sign_in("ada").await;
    let mut me: Me = server.get("/v1/me", &token).await.unwrap();
    // The languages alone are shared.
    me.profile.city.shared = false;
    me.profile.city.value = Private::new(String::from("Unsharedham"));
    me.profile.interests = visavis_wire::people::Fact { value: vec![String::from("unshared-hobby")], shared: false };
    me.profile.games = visavis_wire::people::Fact { value: vec![String::from("unshared-game")], shared: false };
    (me.profile.age.shared, me.profile.sign.shared) = (false, false);
    let age = me.profile.age.value.unwrap();
    let request = server.http.put(server.url("/v1/me/profile")).bearer_auth(&token).json(&me.profile);
    server.call::<Me>(request).await.unwrap();
    let (mut ada, bao) = (server.socket(&token).await, server.person("bao").await);
    let mut bao = Listener { heard: vec![ServerMessage::Welcome { protocol: 1 }], person: bao };

    bao.say(ClientMessage::Join).await;
    bao.until("waiting").await;
    bao.say(ClientMessage::CancelWaiting).await;
    bao.until("waiting_ended").await;
    ada.say(ClientMessage::Join).await;
    bao.say(ClientMessage::Join).await;
    let match_id = id_of(&bao.until("match_offered").await);
    ada.say(ClientMessage::MatchAnswer { match_id, meet: false }).await;
    bao.until("match_withdrawn").await;
    let match_id = a_match(&server, &mut ada, &mut bao).await;
    let yes = ClientMessage::Answer { match_id, question: Question::Follow, yes: true };
    ada.say(yes.clone()).await;
    bao.say(yes).await;
    bao.until("question_opened").await;
    let follow = server.get::<Follows>("/v1/follows", &ada.token).await.unwrap().follows.remove(0).id;
    a_friendship(&server, &mut ada, &mut bao, &follow).await;
    // Closed while she waits, and a question that a block closes.
    server.running.set_doors(&DoorsSection { admitted_percent: 0.0, ..DoorsSection::default() }).unwrap();
    bao.say(ClientMessage::Join).await;
    bao.until("closed").await;
    bao.person.send_text(String::from("{")).await;
    bao.until("refused").await;
    server.running.set_doors(&DoorsSection::default()).unwrap();
    let mut ada = server.socket(&token).await;
    let match_id = meet(&mut ada, &mut bao).await;
    let block = server.url(&format!("/v1/history/{}/block", match_id.0));
    assert_eq!(server.http.post(block).bearer_auth(&token).send().await.unwrap().status(), 204);
    bao.until("follow_closed").await;

    let heard: BTreeSet<&str> = bao.heard.iter().map(kind).collect();
    let missing: Vec<&&str> = KINDS.iter().filter(|kind| !heard.contains(**kind)).collect();
    assert!(missing.is_empty(), "not driven: {missing:?}");
    let mut secrets = in_the_database(&server).await;
    assert_eq!(secrets.len(), 3);
    secrets.extend([ADDRESS, "dev-", "Unsharedham", "unshared-hobby", "unshared-game", "taurus"].map(String::from));
    secrets.extend([format!("\"age\":{age}"), token]);
    for message in &bao.heard {
        let mut json = message.to_json().to_lowercase();
        // Random text may spell anything.
        if let ServerMessage::MatchOffered { relay, match_id, .. }
        | ServerMessage::MatchBegins { relay, match_id, .. }
        | ServerMessage::RelayRenewed { relay, match_id } = message
        {
            for random in [&match_id.0, relay.credential.reveal(), relay.username.reveal()] {
                json = json.replace(&random.to_lowercase(), "");
            }
        }
        for secret in &secrets {
            assert!(!json.contains(&secret.to_lowercase()), "{secret} in {json}");
        }
    }
}

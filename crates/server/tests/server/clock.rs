//! The machine's clock jumps by an hour, forward and back: matches and waiting go on as they were, nobody is paired twice, tokens
//! that no longer hold are refreshed, and a sign-in that ends in between ends for good.

use crate::faults::Process;
use crate::support::Person;
use serde_json::json;
use std::time::Duration;
use visavis_wire::Private;
use visavis_wire::http::{Me, Refusal, RefusalCode, Tokens};
use visavis_wire::socket::{ClientMessage, EndReason, MatchId, Question, ServerMessage, Signal};

const HOUR: i64 = 3600;

async fn jump(server: &Process, ahead_s: i64) {
    let client = &server.client;
    let answer = client.http.post(client.url("/dev/clock")).json(&json!({ "ahead_s": ahead_s })).send().await.unwrap();
    assert_eq!(answer.status(), 204);
}

async fn me(server: &Process, tokens: &Tokens) -> Result<Me, RefusalCode> {
    server.client.get("/v1/me", tokens.access_token.reveal()).await.map_err(|refusal| refusal.code)
}

async fn refresh(server: &Process, tokens: &Tokens) -> Result<Tokens, Refusal> {
    server.client.post("/v1/token", json!({ "refresh_token": tokens.refresh_token })).await
}

async fn refreshed(server: &Process, tokens: &Tokens) -> Tokens {
    refresh(server, tokens).await.unwrap()
}

/// Whatever else is told, of friends for example.
async fn offered(person: &mut Person) -> MatchId {
    loop {
        if let ServerMessage::MatchOffered { match_id, .. } = person.hear().await {
            return match_id;
        }
    }
}

/// A word passes from the one to the other.
async fn still_together(from: &mut Person, to: &mut Person, match_id: &MatchId) {
    let sdp = Private::new(String::from("v=0\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP 0\r\n"));
    from.say(ClientMessage::Signal { match_id: match_id.clone(), signal: Signal::Offer { sdp } }).await;
    let heard = to.hear().await;
    assert!(matches!(&heard, ServerMessage::Signal { match_id: of, .. } if of == match_id), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_disturbs_no_match_and_pairs_nobody_twice() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path(), &["--dev", "--recent-partners", "16"]);
    let (of_ada, of_bao, of_eve) =
        (server.tokens("ada").await.unwrap(), server.tokens("bao").await.unwrap(), server.tokens("eve").await.unwrap());
    let mut ada = server.client.socket(of_ada.access_token.reveal()).await;
    let mut bao = server.client.socket(of_bao.access_token.reveal()).await;
    let mut eve = server.client.socket(of_eve.access_token.reveal()).await;
    let first = server.client.meet(&mut ada, &mut bao).await;
    eve.say(ClientMessage::Join).await;
    assert!(matches!(eve.next().await, Some(ServerMessage::Waiting { .. })));

    jump(&server, HOUR).await;
    assert_eq!(me(&server, &of_ada).await.unwrap_err(), RefusalCode::TokenExpired);
    let later = refreshed(&server, &of_ada).await;
    assert!(me(&server, &later).await.is_ok());
    still_together(&mut ada, &mut bao, &first).await;
    // Eve has waited for seconds, not for an hour, and is matched with who comes now.
    for _ in 0..2 {
        let news = eve.next().await;
        assert!(matches!(news, Some(ServerMessage::Waiting { waited_s: 0..60, .. })), "{news:?}");
    }
    let mut fay = server.client.socket(server.tokens("fay").await.unwrap().access_token.reveal()).await;
    let second = server.client.meet(&mut eve, &mut fay).await;
    assert_ne!(first, second);

    jump(&server, 0).await;
    // Made in an hour that has not come: not believed, and exchanged for one that is.
    assert_eq!(me(&server, &later).await.unwrap_err(), RefusalCode::TokenExpired);
    let now = refreshed(&server, &later).await;
    assert!(me(&server, &now).await.is_ok());
    for (from, to, id) in [(&mut ada, &mut bao, &first), (&mut eve, &mut fay, &second)] {
        still_together(from, to, id).await;
    }
    // The end, the last question and its answer, under a clock that jumps between them.
    ada.say(ClientMessage::Leave { match_id: first.clone() }).await;
    jump(&server, HOUR).await;
    for person in [&mut ada, &mut bao] {
        let ended = person.hear().await;
        assert!(matches!(ended, ServerMessage::MatchEnded { reason: EndReason::Left, .. }), "{ended:?}");
        let question = Question::Follow;
        person.say(ClientMessage::Answer { match_id: first.clone(), question, yes: true }).await;
    }
    jump(&server, -HOUR).await;
    for person in [&mut ada, &mut bao] {
        assert!(matches!(person.hear().await, ServerMessage::QuestionOpened { question: Question::Follow, .. }));
    }
    // Whoever has just met is not met again, whatever the clock says.
    for person in [&mut ada, &mut bao] {
        person.say(ClientMessage::Join).await;
    }
    let met = tokio::time::timeout(Duration::from_millis(1500), offered(&mut ada)).await;
    assert!(met.is_err(), "{met:?}");
    let mut gil = server.client.socket(server.tokens("gil").await.unwrap().access_token.reveal()).await;
    gil.say(ClientMessage::Join).await;
    let third = offered(&mut gil).await;
    let of_the_other = tokio::select! { id = offered(&mut ada) => id, id = offered(&mut bao) => id };
    assert_eq!(of_the_other, third);

    // A sign-in that ends while the clock is behind has ended, then and after the clock is right again.
    let of_eve = refreshed(&server, &of_eve).await;
    let out = server.client.http.post(server.client.url("/v1/sign-out")).bearer_auth(of_eve.access_token.reveal());
    assert_eq!(out.send().await.unwrap().status(), 204);
    for ahead in [-HOUR, 0, HOUR] {
        jump(&server, ahead).await;
        let refused = me(&server, &of_eve).await.unwrap_err();
        assert!(matches!(refused, RefusalCode::TokenInvalid | RefusalCode::TokenExpired), "{refused:?}");
        let refused = refresh(&server, &of_eve).await.unwrap_err();
        assert_eq!(refused.code, RefusalCode::TokenInvalid);
    }
}

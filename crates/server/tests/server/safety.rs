//! Reports, moderators, limits, export and deletion over real sockets, with the real command line beside the running server.

use crate::support::{Person, TestServer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Output};
use visavis_server::AdminConfig;
use visavis_wire::evidence::{Evidence, Picture};
use visavis_wire::http::{Follows, RefusalCode};
use visavis_wire::safety::{AppealState, Configuration, Deleted, DeletionOffer, Measure, Reported, Standing};
use visavis_wire::socket::{ClientMessage, EndReason, MatchId, Question, ServerMessage};

const PICTURE: &[u8] = b"\xff\xd8\xff a picture that only moderators see \xff\xd9";

fn moderate(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_visavis-server"));
    command.env_clear().arg("--data").arg(data).arg("moderate").args(arguments).output().unwrap()
}

fn says(data: &Path, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = moderate(data, arguments);
    assert!(status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

fn fails(data: &Path, arguments: &[&str]) -> String {
    let Output { status, stderr, .. } = moderate(data, arguments);
    assert!(!status.success());
    String::from_utf8(stderr).unwrap()
}

/// Makes a pair of keys as an operator would and reads the public one out of what is printed.
fn keygen(folder: &Path) -> [u8; 32] {
    let file = folder.join("moderation.key");
    let printed = says(folder, &["keygen", "--out", file.to_str().unwrap()]);
    let key = printed.split('"').nth(1).unwrap();
    assert!(!std::fs::read_to_string(file).unwrap().contains(key), "the file holds the private half");
    STANDARD.decode(key).unwrap().try_into().unwrap()
}

impl TestServer {
    async fn report(&self, by: &Person, body: Value) -> Result<Reported, RefusalCode> {
        let request = self.http.post(self.url("/v1/reports")).bearer_auth(&by.token).json(&body);
        self.call(request).await.map_err(|refusal| refusal.code)
    }

    async fn standing(&self, of: &Person) -> Standing {
        self.get("/v1/me/standing", &of.token).await.unwrap()
    }

    async fn post_as<T: serde::de::DeserializeOwned>(&self, who: &Person, path: &str, body: Value) -> Result<T, RefusalCode> {
        let request = self.http.post(self.url(path)).bearer_auth(&who.token).json(&body);
        self.call(request).await.map_err(|refusal| refusal.code)
    }
}

async fn part(a: &mut Person, b: &mut Person, match_id: &MatchId) {
    a.say(ClientMessage::Leave { match_id: match_id.clone() }).await;
    for person in [a, b] {
        assert!(matches!(person.hear().await, ServerMessage::MatchEnded { .. }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_with_pictures_is_decided_and_the_person_may_ask_for_another_look() {
    let keys = tempfile::tempdir().unwrap();
    let public = keygen(keys.path());
    let server = TestServer::with(|config| config.moderation.public_key = Some(public)).await;
    let data = server.folder.path();
    let (mut ada, mut bao) = (server.person("ada").await, server.person("bao").await);
    let match_id = server.meet(&mut ada, &mut bao).await;

    // The app seals to the key that the server publishes.
    let known: Configuration = server.call(server.http.get(server.url("/v1/configuration"))).await.unwrap();
    let key: [u8; 32] = STANDARD.decode(known.moderation_key.unwrap()).unwrap().try_into().unwrap();
    let evidence = Evidence { pictures: vec![Picture { seconds_before: 4, file: PICTURE.to_vec() }] };
    let sealed = STANDARD.encode(evidence.seal(&match_id, &key, [9; 32]).unwrap());
    let body =
        json!({"match_id": match_id, "category": "sexual", "text": "He showed \u{1f600} & <b>things</b>", "evidence": sealed});
    server.report(&ada, body.clone()).await.unwrap();
    assert_eq!(server.report(&ada, body).await.unwrap_err(), RefusalCode::BadRequest, "once");

    // What lies on the server's disk holds neither picture nor private key.
    for file in ["visavis.db", "visavis.db-wal"] {
        let bytes = std::fs::read(data.join(file)).unwrap_or_default();
        assert!(!bytes.windows(16).any(|part| PICTURE.windows(16).any(|picture| picture == part)), "{file}");
    }
    let list = says(data, &["list"]);
    assert!(
        list.contains("sexual") && (list.contains("due in 11 h") || list.contains("due in 12 h")) && list.contains("pictures"),
        "{list}"
    );
    let report = list.split_whitespace().next().unwrap().to_owned();
    let shown = says(data, &["show", &report]);
    assert!(shown.contains("<b>things</b>") && shown.contains("\"began_at\""), "{shown}");
    let out = keys.path().join("out");
    let key_file = keys.path().join("moderation.key");
    let opened = says(data, &["evidence", &report, "--key", key_file.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert!(opened.contains("4 s before"), "{opened}");
    assert_eq!(std::fs::read(out.join(format!("{report}-1.jpg"))).unwrap(), PICTURE);
    let other = keys.path().join("other.key");
    says(keys.path(), &["keygen", "--out", other.to_str().unwrap()]);
    let said = fails(data, &["evidence", &report, "--key", other.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert!(said.contains("this key does not open it"), "{said}");
    assert!(fails(keys.path(), &["keygen", "--out", other.to_str().unwrap()]).contains("is there already"));

    // A pause ends the match that runs, and the person is told why and until when.
    assert!(fails(data, &["decide", &report, "pause", "--days", "3"]).contains("--reason"));
    assert!(fails(data, &["decide", &report, "pause", "--reason", "x"]).contains("--days"));
    says(data, &["decide", &report, "pause", "--days", "3", "--reason", "Nobody wants to see that here."]);
    assert!(fails(data, &["decide", &report, "ban", "--reason", "x"]).contains("decided already"));
    let ended = |message: ServerMessage| matches!(message, ServerMessage::MatchEnded { reason: EndReason::Left, .. });
    assert!(ended(bao.hear().await));
    assert_eq!(bao.refused().await, RefusalCode::Paused);
    assert!(ended(ada.hear().await), "the other learns no more than that");
    bao.say(ClientMessage::Join).await;
    assert_eq!(bao.refused().await, RefusalCode::Paused);
    let notice = server.standing(&bao).await.notices.remove(0);
    assert_eq!((notice.what, notice.read, notice.appeal), (Measure::Pause, false, AppealState::Open));
    assert_eq!(notice.reason.reveal(), "Nobody wants to see that here.");
    assert_eq!(notice.until, Some(notice.since + 3 * 24 * 3600));
    assert!(server.standing(&ada).await.notices.is_empty());

    // Read, appealed, granted.
    let path = |what: &str| format!("/v1/me/standing/{}/{what}", notice.decision);
    let read: Standing = server.post_as(&bao, &path("read"), json!({})).await.unwrap();
    assert!(read.notices[0].read, "a pause is shown for as long as it lasts");
    let appeal = json!({"text": "That was my cat."});
    assert_eq!(server.post_as::<Standing>(&ada, &path("appeal"), appeal.clone()).await.unwrap_err(), RefusalCode::BadRequest);
    let standing: Standing = server.post_as(&bao, &path("appeal"), appeal.clone()).await.unwrap();
    assert_eq!(standing.notices[0].appeal, AppealState::Made);
    assert!(server.post_as::<Standing>(&bao, &path("appeal"), appeal).await.is_err(), "once");
    let appeals = says(data, &["appeals"]);
    assert!(appeals.contains("That was my cat.") && appeals.contains(&notice.decision), "{appeals}");
    says(data, &["appeal", &notice.decision, "grant", "--answer", "It was indeed a cat."]);
    let notice = server.standing(&bao).await.notices.remove(0);
    assert_eq!((notice.appeal, notice.answer.reveal().as_str()), (AppealState::Granted, "It was indeed a cat."));
    bao.say(ClientMessage::Join).await;
    assert!(matches!(bao.next().await, Some(ServerMessage::Waiting { .. })));

    let log = says(data, &["audit"]);
    for entry in ["report shown", "evidence opened", "pause", "appeal granted", "whole from the first to the last"] {
        assert!(log.contains(entry), "{entry} in {log}");
    }
    assert!(says(data, &["list"]).contains("Nothing waits") && says(data, &["list", "--decided"]).contains("pause"));
}

#[tokio::test(flavor = "multi_thread")]
async fn three_different_people_pause_somebody_by_themselves() {
    let server = TestServer::start().await;
    let mut bao = server.person("bao").await;
    for (number, name) in ["ada", "chen", "dora"].into_iter().enumerate() {
        let mut other = server.person(name).await;
        let match_id = server.meet(&mut other, &mut bao).await;
        let body = json!({"match_id": match_id, "category": "harassment"});
        server.report(&other, body).await.unwrap();
        if number < 2 {
            part(&mut other, &mut bao, &match_id).await;
            assert!(server.standing(&bao).await.notices.is_empty());
        }
    }
    assert!(matches!(bao.hear().await, ServerMessage::MatchEnded { .. }), "the third is still talking");
    assert_eq!(bao.refused().await, RefusalCode::Paused);
    let notice = server.standing(&bao).await.notices.remove(0);
    assert_eq!((notice.what, notice.until), (Measure::AutomaticPause, Some(notice.since + 3 * 24 * 3600)));
    // A dismissal leaves two: it ends, and bao may join.
    let data = server.folder.path();
    let report = says(data, &["list"]).split_whitespace().next().unwrap().to_owned();
    says(data, &["decide", &report, "dismiss"]);
    bao.say(ClientMessage::Join).await;
    assert!(matches!(bao.next().await, Some(ServerMessage::Waiting { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_measure_ends_waiting_and_a_ban_stays_through_a_deletion() {
    let server = TestServer::start().await;
    let (mut ada, mut bao) = (server.person("ada").await, server.person("bao").await);
    let match_id = server.meet(&mut ada, &mut bao).await;
    server.report(&ada, json!({"match_id": match_id, "category": "underage"})).await.unwrap();
    part(&mut ada, &mut bao, &match_id).await;
    bao.say(ClientMessage::Join).await;
    assert!(matches!(bao.next().await, Some(ServerMessage::Waiting { .. })));
    let data = server.folder.path();
    let report = says(data, &["list"]).split_whitespace().next().unwrap().to_owned();
    says(data, &["decide", &report, "ban", "--reason", "You are not 18."]);
    assert_eq!(bao.refused().await, RefusalCode::Banned);
    ada.say(ClientMessage::Join).await;
    bao.say(ClientMessage::Join).await;
    assert_eq!(bao.refused().await, RefusalCode::Banned);

    let offer: DeletionOffer = server.post_as(&bao, "/v1/me/deletion", json!({})).await.unwrap();
    assert_eq!(offer.held_until, None, "the report is decided");
    delete(&server, &bao, offer.confirmation.reveal()).await.unwrap();
    let mut again = server.person("bao").await;
    again.say(ClientMessage::Join).await;
    assert_eq!(again.refused().await, RefusalCode::Banned);
    assert_eq!(server.standing(&again).await.notices[0].reason.reveal(), "You are not 18.");
}

async fn delete(server: &TestServer, who: &Person, confirmation: &str) -> Result<Deleted, RefusalCode> {
    let request = server.http.delete(server.url("/v1/me")).bearer_auth(&who.token).json(&json!({"confirmation": confirmation}));
    server.call(request).await.map_err(|refusal| refusal.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_can_be_had_and_deleted_after_two_confirmations() {
    let server = TestServer::start().await;
    let (mut ada, mut bao) = (server.person("ada").await, server.person("bao").await);
    let match_id = server.meet(&mut ada, &mut bao).await;
    part(&mut ada, &mut bao, &match_id).await;
    for person in [&mut ada, &mut bao] {
        person.say(ClientMessage::Answer { match_id: match_id.clone(), question: Question::Follow, yes: true }).await;
    }
    for person in [&mut ada, &mut bao] {
        assert!(matches!(person.hear().await, ServerMessage::QuestionOpened { .. }));
    }
    let all: Value = server.get("/v1/me/export", &ada.token).await.unwrap();
    let held = &all["held"];
    assert_eq!(held["accounts"][0]["username"], "Ada");
    assert_eq!(held["accounts"][0]["profile"]["city"]["value"], "Lisbon");
    assert_eq!(held["matches"][0]["id"], json!(match_id));
    assert!(!all.to_string().contains("Bao") && held["follows"].as_array().unwrap().len() == 1, "{all}");

    // Once is not enough, nor is somebody else's confirmation, nor one used before.
    assert_eq!(delete(&server, &ada, "yes").await.unwrap_err(), RefusalCode::BadRequest);
    let of_bao: DeletionOffer = server.post_as(&bao, "/v1/me/deletion", json!({})).await.unwrap();
    assert_eq!(delete(&server, &ada, of_bao.confirmation.reveal()).await.unwrap_err(), RefusalCode::BadRequest);
    assert!(server.get::<Value>("/v1/me", &ada.token).await.is_ok(), "still there");
    ada.say(ClientMessage::Join).await;
    assert!(matches!(ada.next().await, Some(ServerMessage::Waiting { .. })));
    let offer: DeletionOffer = server.post_as(&ada, "/v1/me/deletion", json!({})).await.unwrap();
    assert_eq!(delete(&server, &ada, offer.confirmation.reveal()).await.unwrap(), Deleted { held_until: None });
    assert_eq!(ada.refused().await, RefusalCode::Leaving);
    ada.is_closed().await;
    assert_eq!(server.get::<Value>("/v1/me", &ada.token).await.unwrap_err().code, RefusalCode::TokenInvalid);
    let follows: Follows = server.get("/v1/follows", &bao.token).await.unwrap();
    assert!(follows.follows.is_empty());
    let token = server.sign_in("ada").await;
    let anew: Value = server.get("/v1/me/export", &token).await.unwrap();
    assert_eq!(anew["held"]["matches"], json!([]), "who comes back begins anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_report_holds_a_deletion_and_says_so() {
    let server = TestServer::start().await;
    let (mut ada, mut bao) = (server.person("ada").await, server.person("bao").await);
    let match_id = server.meet(&mut ada, &mut bao).await;
    server.report(&bao, json!({"match_id": match_id, "category": "scam"})).await.unwrap();
    let offer: DeletionOffer = server.post_as(&ada, "/v1/me/deletion", json!({})).await.unwrap();
    assert!(offer.held_until.is_some());
    let deleted = delete(&server, &ada, offer.confirmation.reveal()).await.unwrap();
    assert_eq!(deleted.held_until, offer.held_until);
    assert!(matches!(bao.hear().await, ServerMessage::MatchEnded { .. }));
    assert_eq!(server.try_sign_in("ada").await.unwrap_err().code, RefusalCode::Leaving);
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_have_limits() {
    let server = TestServer::with(|config| {
        config.limits.reports_per_hour = 6;
        config.moderation.public_key = Some(keygen(&config.data));
    })
    .await;
    let (ada, _bao, match_id) = server.pair().await;
    let with = |more: Value| {
        let mut body = json!({"match_id": match_id, "category": "other"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for bad in [
        with(json!({"text": "x".repeat(1001)})),
        with(json!({"text": "bell \u{7}"})),
        with(json!({"evidence": "not base64!"})),
        with(json!({"evidence": STANDARD.encode([7; 400])})),
        with(json!({"category": "nonsense"})),
        with(json!({"match_id": "somebody else's"})),
    ] {
        assert_eq!(server.report(&ada, bad.clone()).await.unwrap_err(), RefusalCode::BadRequest, "{bad}");
    }
    // The largest that fits, on its own, is not refused for its size.
    let most = Picture { seconds_before: 1, file: vec![3; visavis_wire::limits::EVIDENCE_PICTURE] };
    let evidence = Evidence { pictures: vec![most; visavis_wire::limits::EVIDENCE_PICTURES] };
    let sealed = evidence.seal(&match_id, &server_key(&server).await, [4; 32]).unwrap();
    let body = with(json!({"text": "ä".repeat(1000), "evidence": STANDARD.encode(sealed)}));
    server.report(&ada, body.clone()).await.unwrap();
    assert_eq!(server.report(&ada, body).await.unwrap_err(), RefusalCode::TooManyRequests);
}

async fn server_key(server: &TestServer) -> [u8; 32] {
    let known: Configuration = server.call(server.http.get(server.url("/v1/configuration"))).await.unwrap();
    STANDARD.decode(known.moderation_key.unwrap()).unwrap().try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_declines_too_many_offers_waits_before_the_next() {
    let server = TestServer::with(|config| config.limits.skips_per_minute = 1).await;
    let (mut ada, mut bao) = (server.person("ada").await, server.person("bao").await);
    bao.say(ClientMessage::Join).await;
    for _ in 0..2 {
        ada.say(ClientMessage::Join).await;
        let (match_id, ..) = ada.offered().await;
        bao.offered().await;
        bao.say(ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: true }).await;
        ada.say(ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: false }).await;
        // A "not now" is always taken.
        assert_eq!(ada.hear().await, ServerMessage::MatchWithdrawn { match_id: match_id.clone() });
        assert_eq!(bao.hear().await, ServerMessage::MatchWithdrawn { match_id });
        // Where the "not now" came first, bao is no longer waiting.
        bao.say(ClientMessage::Join).await;
    }
    ada.say(ClientMessage::Join).await;
    assert_eq!(ada.refused().await, RefusalCode::TooManyRequests);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_the_queue_and_decides() {
    let admin = AdminConfig { listen: (Ipv4Addr::LOCALHOST, 0).into(), token_file: None };
    let server = TestServer::with(|config| config.admin = Some(admin)).await;
    let (mut ada, mut bao) = (server.person("ada").await, server.person("bao").await);
    let match_id = server.meet(&mut ada, &mut bao).await;
    let text = "<script>alert(1)</script> & more";
    server.report(&ada, json!({"match_id": match_id, "category": "hate", "text": text})).await.unwrap();
    let base = format!("http://{}", server.running.admin.unwrap());
    let away = server.http.get(format!("{base}/")).send().await.unwrap();
    assert_eq!((away.status().as_u16(), away.headers()["location"].to_str().unwrap()), (303, "/login"));
    let token = std::fs::read_to_string(server.folder.path().join("admin.token")).unwrap();
    let signed_in = server.http.post(format!("{base}/login")).form(&[("token", token)]).send().await.unwrap();
    let cookie = signed_in.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let open = async |path: &str| {
        let answer = server.http.get(format!("{base}{path}")).header("cookie", &cookie).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let send = async |path: &str, form: &[(&str, &str)]| {
        let request = server.http.post(format!("{base}{path}")).header("cookie", &cookie).header("origin", &base);
        request.form(form).send().await.unwrap().status().as_u16()
    };
    let (_, queue) = open("/").await;
    let link = queue.split("<a href=/reports/").nth(1).unwrap().split('>').next().unwrap().to_owned();
    let path = format!("/reports/{link}");
    let (_, report) = open(&path).await;
    assert!(report.contains("&lt;script&gt;") && !report.contains("<script"), "{report}");
    assert_eq!(open("/reports/none").await.0, 404);
    assert_eq!(send(&path, &[("verdict", "warn"), ("reason", " ")]).await, 400, "a reason is needed");
    assert_eq!(send(&path, &[("verdict", "nonsense"), ("reason", "x")]).await, 400);
    assert_eq!(send(&path, &[("verdict", "warn"), ("days", "7"), ("reason", "Be kind.")]).await, 303);
    assert_eq!(send(&path, &[("verdict", "ban"), ("reason", "x")]).await, 409);
    let notice = server.standing(&bao).await.notices.remove(0);
    assert_eq!((notice.what, notice.reason.reveal().as_str()), (Measure::Warning, "Be kind."));
    bao.hears_nothing(std::time::Duration::from_millis(1500)).await;

    let appeal = format!("/v1/me/standing/{}/appeal", notice.decision);
    server.post_as::<Standing>(&bao, &appeal, json!({"text": "Why?"})).await.unwrap();
    assert!(open("/").await.1.contains("<pre>Why?</pre>"));
    assert_eq!(send(&format!("/appeals/{}", notice.decision), &[("outcome", "uphold"), ("answer", "Read it again.")]).await, 303);
    let notice = server.standing(&bao).await.notices.remove(0);
    assert_eq!((notice.appeal, notice.answer.reveal().as_str()), (AppealState::Upheld, "Read it again."));
    let (_, log) = open("/audit").await;
    assert!(log.contains("whole from the first to the last") && log.contains("appeal upheld"), "{log}");
}

//! A disk that is full: what comes meanwhile is refused in words or waits, what was acknowledged before is there afterwards, and
//! all goes on when there is room again.
//!
//! The server's files may not grow (`RLIMIT_FSIZE`), which any user can arrange and take back; that the engines' own words for a
//! full disk are known too is tested beside the store.

use crate::faults::Process;
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use visavis_wire::http::{Me, RefusalCode, Tokens};
use visavis_wire::socket::{ClientMessage, EndReason, ServerMessage};

/// A write beyond the limit fails instead of ending the process.
fn server_that_may_meet_a_limit(folder: &Path) -> Process {
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_visavis-server")]);
    Process::run(shell, folder, &["--dev"])
}

fn files_may_grow(server: &Process, bytes: &str) {
    let limit = format!("--fsize={bytes}:unlimited");
    let set = Command::new("prlimit").args(["--pid", &server.child.id().to_string(), &limit]).status();
    assert!(set.expect("prlimit of util-linux").success());
}

async fn set_city(server: &Process, tokens: &Tokens, city: &str) -> (u16, String) {
    let client = &server.client;
    let me: Me = client.get("/v1/me", tokens.access_token.reveal()).await.unwrap();
    let mut profile = serde_json::to_value(me.profile).unwrap();
    profile["city"] = json!({ "value": city, "shared": true });
    let put = client.http.put(client.url("/v1/me/profile")).bearer_auth(tokens.access_token.reveal());
    let answer = put.json(&profile).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn city(server: &Process, tokens: &Tokens) -> String {
    let me: Me = server.client.get("/v1/me", tokens.access_token.reveal()).await.unwrap();
    me.profile.city.value.into_inner()
}

/// Status and word of `/v1/ready`, not one of a second ago.
async fn ready(server: &Process) -> (u16, String) {
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let answer = server.client.http.get(server.client.url("/v1/ready")).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_nothing_and_is_said() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let server = server_that_may_meet_a_limit(folder.path());
    let mut tokens = Vec::new();
    for name in ["ada", "bao", "caro", "dan"] {
        tokens.push(server.tokens(name).await.unwrap());
    }
    let mut people = Vec::new();
    for token in &tokens {
        people.push(server.client.socket(token.access_token.reveal()).await);
    }
    let [ada, bao, caro, dan] = &mut people[..] else { unreachable!() };
    let match_id = server.client.meet(ada, bao).await;
    assert_eq!(set_city(&server, &tokens[2], "Lisbon").await.0, 200);

    assert_eq!(ready(&server).await.0, 200);
    files_may_grow(&server, "1");
    let (status, said) = ready(&server).await;
    assert!(status == 503 && said.contains("no room"), "nobody new should be sent here: {status} {said}");
    let (status, said) = set_city(&server, &tokens[2], "Porto").await;
    assert_eq!(status, 507, "{said}");
    assert!(said.contains("no room") && said.contains("safe"), "{said}");
    let refused = server.tokens("eve").await.unwrap_err();
    assert!(refused.code == RefusalCode::Internal && refused.message.contains("no room"), "{refused:?}");
    assert_eq!(city(&server, &tokens[2]).await, "Lisbon", "what was acknowledged can be read");
    // A match that runs goes on and ends; a pair that cannot be written down is not announced.
    ada.say(ClientMessage::Leave { match_id }).await;
    for person in [&mut *ada, &mut *bao] {
        let ended = person.hear().await;
        assert!(matches!(ended, ServerMessage::MatchEnded { reason: EndReason::Left, .. }), "{ended:?}");
    }
    for person in [&mut *caro, &mut *dan] {
        person.say(ClientMessage::Join).await;
        assert!(matches!(person.next().await, Some(ServerMessage::Waiting { .. })));
    }
    caro.hears_nothing(Duration::from_millis(1500)).await;

    files_may_grow(&server, "unlimited");
    assert_eq!(ready(&server).await.0, 200);
    let (offered, ..) = caro.offered().await;
    assert_eq!(dan.offered().await.0, offered);
    for person in [&mut *caro, &mut *dan] {
        person.say(ClientMessage::MatchAnswer { match_id: offered.clone(), meet: true }).await;
    }
    caro.begins().await;
    dan.begins().await;
    assert_eq!(set_city(&server, &tokens[2], "Porto").await.0, 200);
    // What was said while the disk was full has been written since: both are free, and are not met again.
    assert_eq!(
        server.client.get::<serde_json::Value>("/v1/history", tokens[0].access_token.reveal()).await.unwrap()["sessions"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    let eve = server.tokens("eve").await.unwrap();
    ada.say(ClientMessage::Join).await;
    let mut eve = server.client.socket(eve.access_token.reveal()).await;
    eve.say(ClientMessage::Join).await;
    assert_eq!(ada.offered().await.0, eve.offered().await.0);

    // All of it is on the disk, not in the memory of the process alone.
    drop(server);
    let again = server_that_may_meet_a_limit(folder.path());
    assert_eq!(city(&again, &tokens[2]).await, "Porto");
    assert!(again.client.get::<Me>("/v1/me", tokens[0].access_token.reveal()).await.is_ok());
}

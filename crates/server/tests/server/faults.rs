//! What goes wrong around a server, over real sockets: a flood of joins, clients that do not read, a configuration that
//! changes. (Messages that cannot be read: `evening`. Nodes, NATS and PostgreSQL that die: `cluster`. A clock that
//! jumps: `clock`.)

use crate::support::{Client, PATIENCE, TestServer};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use visavis_wire::Private;
use visavis_wire::http::{RefusalCode, Tokens};
use visavis_wire::socket::{ClientMessage, EndReason, ServerMessage, Signal};

/// A server as a process of its own.
pub struct Process {
    pub child: Child,
    pub client: Client,
}

impl Process {
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::run(Command::new(env!("CARGO_BIN_EXE_visavis-server")), folder, arguments)
    }

    pub fn run(mut command: Command, folder: &Path, arguments: &[&str]) -> Self {
        command.args(arguments).arg("--data").arg(folder.join("data")).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).expect("a line that says that it is ready");
        let http = ready["http"].as_str().unwrap().trim_start_matches("http://").parse().unwrap();
        Self { child, client: Client::to(http) }
    }

    pub async fn tokens(&self, name: &str) -> Result<Tokens, visavis_wire::http::Refusal> {
        let body = serde_json::json!({ "name": name, "languages": ["en"], "interests": ["drawing"] });
        self.client.post("/dev/sign-in", body).await
    }

    async fn token(&self, name: &str) -> Result<String, visavis_wire::http::Refusal> {
        self.tokens(name).await.map(|tokens| tokens.access_token.into_inner())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_joins_is_refused_and_others_are_matched_meanwhile() {
    let server = TestServer::start().await;
    // Of a language that nobody else speaks.
    let body = serde_json::json!({ "name": "flood", "languages": ["fi"], "interests": ["drawing"] });
    let tokens: Tokens = server.post("/dev/sign-in", body).await.unwrap();
    let mut flood = server.socket(tokens.access_token.reveal()).await;
    for _ in 0..400 {
        for message in [ClientMessage::Join, ClientMessage::CancelWaiting] {
            flood.say(message).await;
        }
    }
    let began = Instant::now();
    let (_ada, _bao, _) = server.pair().await;
    assert!(began.elapsed() < PATIENCE);
    let (mut refused, mut waited) = (0, 0);
    while refused < 300 {
        match flood.next().await.expect("it stays open") {
            ServerMessage::Refused { refusal } => {
                assert_eq!(refusal.code, RefusalCode::TooManyRequests);
                refused += 1;
            }
            ServerMessage::Waiting { .. } => waited += 1,
            _ => {}
        }
    }
    assert!(waited < 100, "{waited} joins were taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_dropped_and_its_match_ends() {
    let server = TestServer::with(|config| {
        config.limits.socket_messages_per_second = 100_000;
        config.rules.away_ms = 500;
    })
    .await;
    let (mut ada, bao, match_id) = server.pair().await;
    // Bao's app hangs: nothing is read, and the connection stays. The relay's address is no secret.
    let line = format!("a=candidate:2 1 udp 1 198.51.100.1 9 typ relay\r\na=x-fill:{}\r\n", "x".repeat(20_000));
    let sdp = Private::new(format!("v=0\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP 0\r\n{line}"));
    let signal = ClientMessage::Signal { match_id, signal: Signal::Offer { sdp } };
    let began = Instant::now();
    let ended = async {
        loop {
            // 60 MB at most: far more than the server and the kernel keep for one client.
            if began.elapsed() > PATIENCE * 3 {
                panic!("the server keeps everything for a client that does not read");
            }
            for _ in 0..50 {
                ada.say(signal.clone()).await;
            }
            let heard = tokio::time::timeout(Duration::from_millis(50), ada.hear()).await;
            if let Ok(ServerMessage::MatchEnded { reason, .. }) = heard {
                return reason;
            }
        }
    };
    assert_eq!(ended.await, EndReason::Vanished);
    drop(bao);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_configuration_is_read_on_a_signal_and_a_wrong_one_is_not() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("visavis.toml");
    std::fs::write(&file, "[doors]\nadmitted_percent = 100.0\n").unwrap();
    let server = Process::start(folder.path(), &["--dev", "--config", file.to_str().unwrap()]);
    let mut ada = server.client.socket(&server.token("ada").await.unwrap()).await;
    let hang_up = || {
        let sent = Command::new("kill").args(["-HUP", &server.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    };
    ada.say(ClientMessage::Join).await;
    assert!(matches!(ada.next().await, Some(ServerMessage::Waiting { .. })));
    std::fs::write(&file, "[doors]\nadmitted_percent = 0.0\n").unwrap();
    hang_up();
    // Told within the time in which the doors are looked at.
    assert!(matches!(ada.hear().await, ServerMessage::Closed { .. }));
    for (text, open) in [("[doors]\nadmitted_percent = nonsense\n", false), ("[doors]\nadmitted_percent = 100.0\n", true)] {
        std::fs::write(&file, text).unwrap();
        hang_up();
        tokio::time::sleep(Duration::from_millis(500)).await;
        ada.say(ClientMessage::Join).await;
        let mut heard = ada.next().await.expect("the server is there");
        while matches!(heard, ServerMessage::WaitingEnded) {
            heard = ada.next().await.expect("the server is there");
        }
        assert_eq!(matches!(heard, ServerMessage::Waiting { .. }), open, "{heard:?}");
    }
}

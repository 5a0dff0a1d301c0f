//! A session from outside, without a server that answers.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use visavis_media::Clock;
use visavis_media::audio::{MicrophoneSource, SpeakerTarget};
use visavis_media::camera::CameraSource;
use visavis_session::server::{Server, ServerProblem, Untrusted};
use visavis_session::view::{Notice, Page, View};
use visavis_session::{Command, Config, Event, Hardware, Session};

fn config(server: String, profile_dir: std::path::PathBuf) -> Config {
    Config {
        server: Server::Given(server),
        profile_name: String::from("test"),
        drawings_dir: profile_dir.join("drawings"),
        profile_dir,
        camera: Some(CameraSource::Pattern),
        microphone: Some(MicrophoneSource::Silent),
        speaker: Some(SpeakerTarget::Silent),
        machine: Arc::new(Hardware::default()),
        sound: visavis_session::ProcessingOptions::default(),
        keyring: false,
        clock: Clock::start(),
    }
}

async fn until(events: &mut UnboundedReceiver<Event>, wanted: impl Fn(&View) -> bool) -> View {
    tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            if let Event::View { view } = events.recv().await.unwrap()
                && wanted(&view)
            {
                return *view;
            }
        }
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_is_said_on_a_page_that_is_not_stuck() {
    let folder = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let (session, mut events) = Session::start(config(format!("http://127.0.0.1:{free}"), folder.path().to_owned()));
    until(&mut events, |view| view.page == Page::Welcome).await;
    session.command(Command::SignIn);
    let view = until(&mut events, |view| view.notice.is_some()).await;
    assert_eq!(view.page, Page::Welcome);
    assert_eq!(view.notice, Some(Notice::ServerUnreachable { host: String::from("127.0.0.1") }));
    until(&mut events, |view| view.devices.camera == "pattern" && view.devices.microphone == "silent").await;
    tokio::time::timeout(Duration::from_secs(5), session.shutdown()).await.unwrap();
    assert!(session.own_pictures().is_closed() && session.peer_pictures().is_closed());
    while events.recv().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_would_send_tokens_in_the_clear_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let (session, mut events) = Session::start(config(String::from("http://visavis.example"), folder.path().to_owned()));
    until(&mut events, |view| view.page == Page::Welcome).await;
    session.command(Command::SignIn);
    let view = until(&mut events, |view| view.notice.is_some()).await;
    assert!(matches!(view.notice, Some(Notice::Refused { message, .. }) if message.contains("https://")));
    drop(session);
    while events.recv().await.is_some() {}
}

/// A loopback server that gives every request this answer, and its address as a person would type it.
async fn answering(answer: &'static str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = [0; 4096];
            let read = stream.read(&mut asked).await.unwrap_or(0);
            let ready = String::from_utf8_lossy(&asked[..read]).contains("/v1/ready");
            let (first, second) = answer.split_once('|').unwrap_or((answer, answer));
            let (status, body) = (if ready { second } else { first }).split_once(' ').unwrap_or((answer, ""));
            let head = format!("HTTP/1.1 {status} Said\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    address
}

fn problem(view: &View) -> Option<&ServerProblem> {
    if let Page::Server { problem, .. } = &view.page { problem.as_ref() } else { None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_server_an_address_is_asked_for_checked_and_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        Session::start(Config { server: Server::Chosen { built_in: None }, ..config(String::new(), folder.path().to_owned()) })
    };
    let (session, mut events) = start();
    until(&mut events, |view| matches!(view.page, Page::Server { can_close: false, .. })).await;
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let host = free.to_string();
    for (address, wrong) in [
        (String::from("http://visavis.example"), ServerProblem::NotSafe),
        (host.clone(), ServerProblem::Unreachable { host: host.clone() }),
        (format!("https://{host}"), ServerProblem::Unreachable { host }),
    ] {
        session.command(Command::UseServer { address });
        until(&mut events, |view| problem(view) == Some(&wrong)).await;
    }
    type Wrong = fn(String) -> ServerProblem;
    let answers: [(&str, Wrong); 6] = [
        ("200 <html>a page</html>", |host| ServerProblem::NotVisavis { host }),
        ("404 not here", |host| ServerProblem::NotVisavis { host }),
        ("503 down", |host| ServerProblem::NotReady { host }),
        ("200 {\"status\":\"ok\",\"protocol\":9}", |host| ServerProblem::AppTooOld { host }),
        ("200 {\"status\":\"ok\",\"protocol\":0}", |host| ServerProblem::ServerTooOld { host }),
        ("200 {\"status\":\"ok\",\"protocol\":1}|503 {\"status\":\"draining\"}", |host| ServerProblem::NotReady { host }),
    ];
    for (answer, wrong) in answers {
        let address = answering(answer).await;
        session.command(Command::UseServer { address: address.clone() });
        until(&mut events, |view| problem(view) == Some(&wrong(address.clone()))).await;
    }
    let plain = answering("200 no TLS here").await;
    session.command(Command::UseServer { address: format!("https://{plain}") });
    until(&mut events, |view| {
        problem(view) == Some(&ServerProblem::Untrusted { host: plain.clone(), because: Untrusted::NoTls })
    })
    .await;
    let good = answering("200 {\"status\":\"ok\",\"protocol\":1}").await;
    session.command(Command::UseServer { address: good.clone() });
    let view = until(&mut events, |view| view.page == Page::Welcome).await;
    assert_eq!(view.server.address, Some(format!("http://{good}")));
    session.shutdown().await;
    // What is written is written before the next start reads it.
    let kept = folder.path().join("devices.json");
    for _ in 0..100 {
        if std::fs::read_to_string(&kept).is_ok_and(|text| text.contains(&good)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (session, mut events) = start();
    let view = until(&mut events, |view| view.page == Page::Welcome).await;
    assert_eq!(view.server.address, Some(format!("http://{good}")));
    session.command(Command::OpenServer);
    until(&mut events, |view| matches!(&view.page, Page::Server { can_close: true, tried, .. } if tried.contains(&good))).await;
    drop(session);
}

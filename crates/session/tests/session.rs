//! A session from outside, without a server that answers.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use visavis_media::Clock;
use visavis_media::audio::{MicrophoneSource, SpeakerTarget};
use visavis_media::camera::CameraSource;
use visavis_session::view::{Notice, Page, View};
use visavis_session::{Command, Config, Event, Session};

fn config(server_url: String, profile_dir: std::path::PathBuf) -> Config {
    Config {
        server_url,
        profile_name: String::from("test"),
        drawings_dir: profile_dir.join("drawings"),
        profile_dir,
        camera: Some(CameraSource::Pattern),
        microphone: Some(MicrophoneSource::Silent),
        speaker: Some(SpeakerTarget::Silent),
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

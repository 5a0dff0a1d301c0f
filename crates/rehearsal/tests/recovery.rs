//! A meeting outlives the server: it is killed as a process in the middle of a call, started again on the same port and
//! database, and the two go on, part and follow each other.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of their functions")]

#[path = "support/person.rs"]
mod person;

use person::{Person, meet};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::time::Duration;
use visavis_media::camera::CameraSource;
use visavis_server::{Config, Server};
use visavis_session::Command;
use visavis_session::view::{Connection, FollowState, Page};
use visavis_wire::channel::Shows;

/// In the environment of a process that is to be a server: where it listens, and its folder.
const SERVE: &str = "VISAVIS_TEST_SERVE";

/// Does nothing as a test. As a program that another test starts, it is a server until it is killed.
#[test]
fn a_process_of_its_own() {
    let Ok(order) = std::env::var(SERVE) else { return };
    let (listen, folder) = order.split_once('|').unwrap();
    visavis_rehearsal::browser::install_tls();
    let config = Config { listen: listen.parse().unwrap(), ..Config::dev(PathBuf::from(folder)) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let server = Server::start(config).await.unwrap();
        println!("\nready {}", server.http);
        std::future::pending::<()>().await;
    });
}

struct ServerProcess {
    process: Child,
    http: SocketAddr,
}

impl ServerProcess {
    fn start(listen: SocketAddr, folder: &Path) -> Self {
        let mut process = Process::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_process_of_its_own", "--nocapture"])
            .env(SERVE, format!("{listen}|{}", folder.display()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let http = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("ready ").map(|http| http.parse().unwrap()));
        Self { process, http: http.expect("a server") }
    }

    fn url(&self) -> String {
        format!("http://{}", self.http)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // SIGKILL: no last words, nothing written.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_killed_server_does_not_end_the_meeting() {
    let (folder, profiles) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = ServerProcess::start(SocketAddr::from(([127, 0, 0, 1], 0)), folder.path());
    let arrive = |identity, camera| Person::arrive(&server.url(), profiles.path().join(identity), identity, camera);
    let mut a = arrive("ada", CameraSource::Pattern);
    let mut b = arrive("bao", CameraSource::Face { name: String::from("bao") });
    meet(&mut a, &mut b).await;
    let with_pictures =
        |call: &visavis_session::view::CallView| call.connection == Connection::Connected && call.pictures.is_some();
    let before = a.call("the four pictures", with_pictures).await.pictures;
    assert_eq!(b.call("the four pictures", with_pictures).await.pictures, before);
    for person in [&mut a, &mut b] {
        person.session.command(Command::Reveal { yes: true });
    }
    for person in [&mut a, &mut b] {
        person.call("both clear", |call| call.you_see == Shows::Clear && call.they_see == Shows::Clear).await;
    }

    let http = server.http;
    drop(server);
    // The relay was part of it.
    for person in [&mut a, &mut b] {
        person.call("the lost path", |call| call.connection == Connection::Reconnecting).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let again = ServerProcess::start(http, folder.path());
    assert_eq!(again.http, http);
    for person in [&mut a, &mut b] {
        let call = person.call("the path, and both clear", |call| {
            call.connection == Connection::Connected && call.you_see == Shows::Clear && call.they_see == Shows::Clear
        });
        assert_eq!(call.await.pictures, before, "the same keys as before");
    }

    a.session.command(Command::Leave);
    a.page("parting").await;
    b.page("parting").await;
    for person in [&mut a, &mut b] {
        person.session.command(Command::AnswerFollow { yes: true });
    }
    for person in [&mut a, &mut b] {
        person.until("a mutual follow", |view| matches!(view.page, Page::Parting { follow: FollowState::Mutual, .. })).await;
    }
}

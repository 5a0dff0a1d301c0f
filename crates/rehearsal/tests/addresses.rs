//! No address of a stranger's machine reaches the other: not in what the server passes on, not in what the page is shown.
//!
//! The relay has a loopback address of its own, so that 127.0.0.1 can only be the address of the two. Each session reaches the
//! server through a tap that keeps everything it is sent; between the two there is nothing but the relay, and what arrives from
//! it is encrypted media and messages that have no place for an address.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of their functions")]

#[path = "support/person.rs"]
mod person;

use person::{Person, meet};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use visavis_media::camera::CameraSource;
use visavis_server::{Config, RelayConfig, Server};
use visavis_session::Command;
use visavis_session::view::{CallView, Choices, Connection, FollowState, Page, Path, View};

const RELAY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

/// What the server sent on WebSockets; frames of a server are not masked, so it can be read.
type Heard = Arc<Mutex<Vec<u8>>>;

async fn tap(server: SocketAddr) -> (SocketAddr, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, heard) = (listener.local_addr().unwrap(), Heard::default());
    let keep = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass_on(client, server, Arc::clone(&keep)));
        }
    });
    (address, heard)
}

async fn pass_on(client: TcpStream, server: SocketAddr, heard: Heard) {
    let server = TcpStream::connect(server).await.unwrap();
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) = (client.into_split(), server.into_split());
    tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let (mut piece, mut is_socket) = (vec![0; 65_536], None);
    while let Some(length) = from_server.read(&mut piece).await.ok().filter(|length| *length > 0) {
        let bytes = &piece[..length];
        if *is_socket.get_or_insert_with(|| bytes.starts_with(b"HTTP/1.1 101")) {
            heard.lock().unwrap().extend_from_slice(bytes);
        }
        if to_client.write_all(bytes).await.is_err() {
            return;
        }
    }
}

/// Of this machine, as far as routes tell them: what a candidate would name.
fn own_addresses() -> BTreeSet<String> {
    let towards = ["127.0.0.1:9", "192.0.2.1:9", "10.0.0.1:9", "[2001:db8::1]:9", "[::1]:9"];
    let route = |target: &&str| {
        let any = if target.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
        let socket = UdpSocket::bind(any).ok()?;
        socket.connect(*target).ok()?;
        Some(socket.local_addr().ok()?.ip().to_string())
    };
    towards.iter().filter_map(route).filter(|address| address != "::1").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_address_of_a_peer_reaches_the_other() {
    visavis_rehearsal::browser::install_tls();
    let folder = tempfile::tempdir().unwrap();
    let relay = Some(RelayConfig { listen: SocketAddr::from((RELAY, 0)), public: None });
    let server = Server::start(Config { relay, ..Config::dev(folder.path().join("server")) }).await.unwrap();
    let (at_a, heard_a) = tap(server.http).await;
    let (at_b, heard_b) = tap(server.http).await;
    let arrive = |tap, identity, camera| Person::arrive(&format!("http://{tap}"), folder.path().join(identity), identity, camera);
    let mut a = arrive(at_a, "ada", CameraSource::Pattern);
    let mut b = arrive(at_b, "bao", CameraSource::Face { name: String::from("bao") });
    meet(&mut a, &mut b).await;
    let mut shown = Vec::new();
    for person in [&mut a, &mut b] {
        let call =
            person.call("figures of the call", |call| call.connection == Connection::Connected && call.statistics.is_some());
        let call = call.await;
        assert!(call.statistics.as_ref().is_some_and(|figures| figures.relayed));
        shown.push(serde_json::to_string(&call).unwrap());
    }
    let own = own_addresses();
    assert!(own.contains("127.0.0.1"), "{own:?}");
    for (heard, shown) in [heard_a, heard_b].into_iter().zip(shown) {
        let heard = String::from_utf8_lossy(&heard.lock().unwrap()).into_owned();
        assert!(heard.contains("a=ice-ufrag") && heard.contains("typ relay") && heard.contains("127.0.0.9"), "the tap works");
        assert!(!heard.contains("typ host") && !heard.contains("typ srflx") && !heard.contains("typ prflx"), "{heard}");
        for address in &own {
            assert!(!heard.contains(address.as_str()), "{address} in what the server passed on");
            assert!(!shown.contains(address.as_str()), "{address} in what the page is shown");
        }
    }
    drop((a, b));
    server.shutdown().await;
}

/// The two meet once and say that they would like to again.
async fn befriend(a: &mut Person, b: &mut Person) {
    meet(a, b).await;
    for person in [&mut *a, &mut *b] {
        person.call("connection", |call| call.connection == Connection::Connected).await;
    }
    a.session.command(Command::Leave);
    for person in [&mut *a, &mut *b] {
        person.page("parting").await;
        person.session.command(Command::AnswerFollow { yes: true });
    }
    part(a, b).await;
}

async fn part(a: &mut Person, b: &mut Person) {
    for person in [a, b] {
        let mutual = |view: &View| matches!(&view.page, Page::Parting { follow: FollowState::Mutual, .. });
        person.until("the end among friends", mutual).await;
        person.session.command(Command::Done);
        person.page("mirror").await;
    }
}

/// One calls the other; gives what both are shown once they are connected and know how.
async fn call(a: &mut Person, b: &mut Person) -> [CallView; 2] {
    a.session.command(Command::OpenFriends);
    let online = |view: &View| matches!(&view.page, Page::Friends { follows, .. } if follows.iter().any(|one| one.online));
    let Page::Friends { follows, .. } = a.until("a friend", online).await.page else { unreachable!() };
    a.session.command(Command::Call { follow: follows[0].id.clone() });
    b.until("a call", |view| view.ring.as_ref().is_some_and(|ring| !ring.outgoing)).await;
    b.session.command(Command::AnswerCall { yes: true });
    let known = |call: &CallView| {
        call.connection == Connection::Connected && call.statistics.as_ref().is_some_and(|figures| figures.received_fps > 5.0)
    };
    [a.call("a call of friends", known).await, b.call("a call of friends", known).await]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn friends_learn_each_others_address_only_where_both_allow_it() {
    visavis_rehearsal::browser::install_tls();
    let folder = tempfile::tempdir().unwrap();
    let relay = Some(RelayConfig { listen: SocketAddr::from((RELAY, 0)), public: None });
    let server = Server::start(Config { relay, ..Config::dev(folder.path().join("server")) }).await.unwrap();
    let (at_a, heard_a) = tap(server.http).await;
    let (at_b, heard_b) = tap(server.http).await;
    let arrive = |tap, identity, camera| Person::arrive(&format!("http://{tap}"), folder.path().join(identity), identity, camera);
    let mut a = arrive(at_a, "ada", CameraSource::Pattern);
    let mut b = arrive(at_b, "bao", CameraSource::Face { name: String::from("bao") });
    befriend(&mut a, &mut b).await;
    let choices = Choices { direct_calls: true, ..Choices::default() };
    for path in [Path::Relayed, Path::Direct] {
        // The one alone, then the other too.
        let person = if path == Path::Relayed { &mut a } else { &mut b };
        person.session.command(Command::Choose { choices });
        person.until("the choice", |view| view.choices.direct_calls).await;
        for heard in [&heard_a, &heard_b] {
            heard.lock().unwrap().clear();
        }
        let shown = call(&mut a, &mut b).await;
        for (heard, shown) in [&heard_a, &heard_b].into_iter().zip(shown) {
            let heard = String::from_utf8_lossy(&heard.lock().unwrap()).into_owned();
            assert!(heard.contains("a=ice-ufrag"), "the tap works");
            assert_eq!(shown.path, path);
            assert_eq!(shown.statistics.unwrap().relayed, path == Path::Relayed);
            assert_eq!(heard.contains("typ host"), path == Path::Direct);
            assert_eq!(heard.contains("127.0.0.1 "), path == Path::Direct);
        }
        b.session.command(Command::Leave);
        part(&mut a, &mut b).await;
    }
    drop((a, b));
    server.shutdown().await;
}

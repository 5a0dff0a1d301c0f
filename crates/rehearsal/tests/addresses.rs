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
use visavis_session::view::Connection;

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

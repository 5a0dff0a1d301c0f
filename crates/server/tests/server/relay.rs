//! The embedded relay, used by a TURN client with the credentials of an offer.

use crate::support::{PATIENCE, TestServer};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use turn::client::{Client, ClientConfig};
use visavis_wire::socket::{ClientMessage, RelayCredentials};
use webrtc_util::Conn;

async fn client(relay: SocketAddr, username: &str, password: &str) -> Client {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(ClientConfig {
        stun_serv_addr: relay.to_string(),
        turn_serv_addr: relay.to_string(),
        username: username.to_owned(),
        password: password.to_owned(),
        realm: String::new(),
        software: String::new(),
        rto_in_ms: 0,
        conn: Arc::new(socket),
        vnet: None,
    })
    .await
    .unwrap();
    client.listen().await.unwrap();
    client
}

async fn offers(server: &TestServer) -> [RelayCredentials; 2] {
    let (mut ada, mut bao) = (server.person("ada").await, server.person("bao").await);
    ada.say(ClientMessage::Join).await;
    bao.say(ClientMessage::Join).await;
    [ada.offered().await.2, bao.offered().await.2]
}

#[tokio::test(flavor = "multi_thread")]
async fn it_relays_between_its_own_allocations_and_nowhere_else() {
    let server = TestServer::start().await;
    let relay = server.running.relay.unwrap();
    let [ada, bao] = offers(&server).await;
    assert_ne!(ada.username, bao.username);
    assert_eq!(ada.urls, ["udp", "tcp"].map(|transport| format!("turn:{relay}?transport={transport}")));

    let one = client(relay, ada.username.reveal(), ada.credential.reveal()).await;
    let other = client(relay, bao.username.reveal(), bao.credential.reveal()).await;
    assert!(one.send_binding_request().await.unwrap().ip().is_loopback(), "STUN works too");
    let (here, there) = (one.allocate().await.unwrap(), other.allocate().await.unwrap());
    let (here_address, there_address) = (here.local_addr().unwrap(), there.local_addr().unwrap());
    assert_eq!(here_address.ip(), relay.ip());

    // Each side makes a permission for the other by sending; what comes before both have is dropped.
    let mut buffer = [0; 64];
    let mut heard = None;
    for _ in 0..20 {
        here.send_to(b"hello", there_address).await.unwrap();
        there.send_to(b"open", here_address).await.unwrap();
        if let Ok(got) = tokio::time::timeout(Duration::from_millis(200), there.recv_from(&mut buffer)).await {
            heard = Some(got.unwrap());
            break;
        }
    }
    let (length, from) = heard.expect("a packet through the relay");
    assert_eq!((&buffer[..length], from), (&b"hello"[..], here_address));

    // Another program on the same machine cannot be reached through it.
    let outside = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for _ in 0..5 {
        here.send_to(b"knock", outside.local_addr().unwrap()).await.unwrap();
    }
    let knocked = tokio::time::timeout(Duration::from_millis(300), outside.recv_from(&mut buffer)).await;
    assert!(knocked.is_err(), "a packet left the relay");
    one.close().await.unwrap();
    other.close().await.unwrap();
    server.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_or_old_credentials_get_no_address() {
    let server = TestServer::start().await;
    let relay = server.running.relay.unwrap();
    let [ada, _] = offers(&server).await;
    for (username, password) in
        [(ada.username.reveal().as_str(), "wrong"), ("1700000000:aaaa", ada.credential.reveal().as_str()), ("nobody", "x")]
    {
        let client = client(relay, username, password).await;
        let allocated = tokio::time::timeout(PATIENCE, client.allocate()).await;
        // Refused in words, or not answered: both leave the client without an address.
        assert!(!matches!(allocated, Ok(Ok(_))), "{username}");
    }
}

//! Two engines meet through relays by every way there is: the embedded one and coturn, over UDP, TCP and TLS, with UDP blocked
//! where it is not the way that is tried.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of their functions")]

#[path = "../../call/tests/support/mod.rs"]
mod support;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use std::net::UdpSocket;
use std::time::{SystemTime, UNIX_EPOCH};
use support::{Painter, Watcher, connect, pair, show, until};
use tempfile::TempDir;
use visavis_call::{Event, Policy};
use visavis_engines::{Coturn, Tls, free_port, or_leave_out};
use visavis_media::Clock;
use visavis_server::{Config, RelayTls, Running, Server};
use visavis_wire::socket::RelayCredentials;

/// A certificate for the name `localhost`, signed by an authority that nobody knows.
struct Certificates {
    folder: TempDir,
    authority: String,
}

impl Certificates {
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut authority = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority_key = rcgen::KeyPair::generate().unwrap();
        let pem = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = rcgen::Issuer::new(authority, authority_key);
        let key = rcgen::KeyPair::generate().unwrap();
        let names = vec![String::from("localhost")];
        let certificate = rcgen::CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        for (name, text) in [("authority.pem", &pem), ("relay.pem", &certificate.pem()), ("relay.key", &key.serialize_pem())] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self { folder, authority: pem }
    }

    fn tls(&self) -> RelayTls {
        let path = |name: &str| self.folder.path().join(name);
        RelayTls {
            certificate: path("relay.pem"),
            key: path("relay.key"),
            name: String::from("localhost"),
            authority: Some(path("authority.pem")),
        }
    }
}

/// A port that takes UDP packets and never answers: a network that blocks UDP.
fn blocked() -> (UdpSocket, String) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!("turn:{}?transport=udp", socket.local_addr().unwrap());
    (socket, url)
}

async fn server(certificates: &Certificates) -> (Running, TempDir) {
    visavis_rehearsal::browser::install_tls();
    let folder = tempfile::tempdir().unwrap();
    let config = Config { relay_tls: Some(certificates.tls()), ..Config::dev(folder.path()) };
    (Server::start(config).await.unwrap(), folder)
}

/// Pictures and messages have to come through, in both directions, and everything by the relay.
async fn meets_by(way: &str, relay: RelayCredentials) {
    let clock = Clock::start();
    let began = clock.now();
    let (mut a, mut b) = pair(Policy::RelayOnly, relay, clock);
    connect(&mut a, &mut b).await;
    let connected = clock.now() - began;
    let (at_a, at_b) = (Watcher::new(&a, clock), Watcher::new(&b, clock));
    let (mut one, mut two) = (Painter::new(640, 360), Painter::new(640, 360));
    tokio::join!(show(&a, &mut one, clock, 0, 45), show(&b, &mut two, clock, 500, 45));
    at_a.until_count(20).await;
    at_b.until_count(20).await;
    let figures = |event: &Event| match event {
        Event::Statistics(figures) => Some(figures.relayed),
        _ => None,
    };
    assert_eq!(until(&mut a, &mut b, figures).await, (true, true));
    println!("by {way}: connected after {connected:?}, {} and {} of 45 pictures", at_a.seen().len(), at_b.seen().len());
}

fn only(relay: &RelayCredentials, kept: impl Fn(&str) -> bool, and: Option<String>) -> RelayCredentials {
    let urls = relay.urls.iter().filter(|url| kept(url)).cloned().chain(and).collect();
    RelayCredentials { urls, ..relay.clone() }
}

fn is_udp(url: &str) -> bool {
    url.ends_with("transport=udp")
}

fn is_tcp(url: &str) -> bool {
    url.starts_with("turn:") && url.ends_with("transport=tcp")
}

fn is_tls(url: &str) -> bool {
    url.starts_with("turns:")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_relay_is_reached_by_udp_tcp_and_tls() {
    let certificates = Certificates::make();
    let (server, _folder) = server(&certificates).await;
    let relay = server.relay_credentials().unwrap();
    assert_eq!(relay.urls.len(), 3, "{:?}", relay.urls);
    assert_eq!(relay.authority.as_ref(), Some(&certificates.authority));
    let (_silent, blocked) = blocked();
    meets_by("embedded, UDP", relay.clone()).await;
    meets_by("embedded, TCP", only(&relay, is_tcp, Some(blocked.clone()))).await;
    meets_by("embedded, TLS", only(&relay, is_tls, Some(blocked))).await;
    // One by UDP, one by TCP: they meet all the same.
    let clock = Clock::start();
    let mut a = support::start(visavis_wire::socket::Role::Offerer, Policy::RelayOnly, only(&relay, is_udp, None), clock);
    let mut b = support::start(visavis_wire::socket::Role::Answerer, Policy::RelayOnly, only(&relay, is_tcp, None), clock);
    connect(&mut a, &mut b).await;
    drop((a, b));
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_whose_certificate_nobody_vouches_for_is_not_used() {
    let certificates = Certificates::make();
    let (server, _folder) = server(&certificates).await;
    let relay = only(&server.relay_credentials().unwrap(), is_tls, None);
    let unknown = RelayCredentials { authority: None, ..relay };
    let mut side = support::start(visavis_wire::socket::Role::Offerer, Policy::RelayOnly, unknown, Clock::start());
    let why = support::expect(&mut side, |event| if let Event::Failed(why) = event { Some(why.clone()) } else { None }).await;
    assert!(why.contains("relay does not answer"), "{why}");
    server.shutdown().await;
}

const SECRET: &str = "a secret of a test";

fn credentials(port: u16, tls_port: u16, authority: &str) -> RelayCredentials {
    let expires = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 600;
    let username = format!("{expires}:test");
    let mut mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(username.as_bytes());
    RelayCredentials {
        urls: vec![
            format!("turn:127.0.0.1:{port}?transport=udp"),
            format!("turn:127.0.0.1:{port}?transport=tcp"),
            format!("turns:localhost:{tls_port}?transport=tcp"),
        ],
        credential: STANDARD.encode(mac.finalize().into_bytes()).into(),
        username: username.into(),
        expires_in_s: 600,
        authority: Some(authority.to_owned()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coturn_is_reached_by_udp_tcp_and_tls() {
    let certificates = Certificates::make();
    let (port, tls_port) = (free_port().unwrap(), free_port().unwrap());
    let (certificate, key) = (certificates.folder.path().join("relay.pem"), certificates.folder.path().join("relay.key"));
    let tls = Tls { certificate: &certificate, key: &key, port: tls_port };
    let Some(_coturn) = or_leave_out(Coturn::start(port, SECRET, Some(tls))) else { return };
    let relay = credentials(port, tls_port, &certificates.authority);
    let (_silent, blocked) = blocked();
    meets_by("coturn, UDP", only(&relay, is_udp, None)).await;
    meets_by("coturn, TCP", only(&relay, is_tcp, Some(blocked.clone()))).await;
    meets_by("coturn, TLS", only(&relay, is_tls, Some(blocked))).await;
}

//! A TURN server on loopback.
#![allow(clippy::unwrap_used, reason = "a helper of tests, outside of their functions")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use turn::Error;
use turn::auth::{AuthHandler, generate_auth_key};
use turn::relay::relay_static::RelayAddressGeneratorStatic;
use turn::server::Server;
use turn::server::config::{ConnConfig, ServerConfig};
use visavis_wire::Private;
use visavis_wire::socket::RelayCredentials;
use webrtc_util::vnet::net::Net;

const REALM: &str = "test";

struct OneUser;

impl AuthHandler for OneUser {
    fn auth_handle(&self, username: &str, realm: &str, _from: SocketAddr) -> Result<Vec<u8>, Error> {
        if username == "user" { Ok(generate_auth_key(username, realm, "secret")) } else { Err(Error::ErrFakeErr) }
    }
}

pub async fn relay() -> (Server, RelayCredentials) {
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let address = socket.local_addr().unwrap();
    let generator = RelayAddressGeneratorStatic {
        relay_address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        address: String::from("127.0.0.1"),
        net: Arc::new(Net::new(None)),
    };
    let server = Server::new(ServerConfig {
        conn_configs: vec![ConnConfig { conn: socket, relay_addr_generator: Box::new(generator) }],
        realm: String::from(REALM),
        auth_handler: Arc::new(OneUser),
        channel_bind_timeout: Duration::ZERO,
        alloc_close_notify: None,
    })
    .await
    .unwrap();
    let credentials = RelayCredentials {
        urls: vec![format!("turn:{address}?transport=udp")],
        username: Private::new(String::from("user")),
        credential: Private::new(String::from("secret")),
        expires_in_s: 600,
        authority: None,
    };
    (server, credentials)
}

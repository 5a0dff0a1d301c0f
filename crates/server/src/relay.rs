//! The embedded STUN/TURN relay (RFC 8656 over UDP, and over TCP and TLS by [`stream`]) and its time-limited credentials, which
//! serve for a relay of the operator's beside it as well.
//!
//! It is a closed relay: what is sent through one of its addresses arrives only if it goes to another of its addresses. Both sides
//! of a match are relayed, so nothing more is needed, and nobody can use it to reach the operator's network.

mod stream;

use crate::config::{OtherRelay, RelayConfig, RelayTls};
use crate::random;
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha1::Sha1;
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use turn::Error as TurnError;
use turn::auth::{AuthHandler, generate_auth_key};
use turn::relay::RelayAddressGenerator;
use turn::server::Server as TurnServer;
use turn::server::config::{ConnConfig, ServerConfig};
use visavis_wire::Private;
use visavis_wire::socket::RelayCredentials;
use webrtc_util::Conn;

const REALM: &str = "visavis";
/// Long enough for an offer and the beginning of a call; an allocation made in time may be refreshed for longer.
pub const CREDENTIALS_LAST: Duration = Duration::from_secs(3600);
/// How long an address that was admitted in time may go on after its last request; allocations are refreshed every few minutes.
const ADMITTED_FOR: i64 = 15 * 60;
/// Two for each match, and some for reconnections.
const MAX_ALLOCATIONS: usize = 512;
const PORT_TRIES: usize = 20;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes credentials that a relay with the same secret accepts: this one, or coturn with `use-auth-secret`.
#[derive(Clone)]
pub struct CredentialMaker {
    secret: Arc<[u8]>,
    urls: Vec<String>,
    authority: Option<String>,
}

impl CredentialMaker {
    /// For a relay that is not this server's.
    pub fn of(other: &OtherRelay) -> Result<Self, RelayError> {
        let secret = Arc::from(other.secret.reveal().as_bytes());
        Ok(Self { secret, urls: other.urls.clone(), authority: other.authority.as_deref().map(read_text).transpose()? })
    }

    pub fn make(&self, now: i64) -> RelayCredentials {
        let lasts = CREDENTIALS_LAST.as_secs();
        let expires = now.saturating_add_unsigned(lasts);
        let username = format!("{expires}:{}", random::hex(&random::bytes::<8>()));
        RelayCredentials {
            urls: self.urls.clone(),
            credential: Private::new(credential(&self.secret, &username)),
            username: Private::new(username),
            expires_in_s: u32::try_from(lasts).unwrap_or(u32::MAX),
            authority: self.authority.clone(),
        }
    }
}

fn credential(secret: &[u8], username: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(username.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

pub struct Relay {
    server: TurnServer,
    streams: JoinHandle<()>,
    pub address: SocketAddr,
    pub credentials: CredentialMaker,
}

#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    #[error("the relay cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    #[error("the relay could not start: {0}")]
    Start(TurnError),
    #[error("the relay's file {} cannot be used: {why}", .file.display())]
    File { file: PathBuf, why: String },
}

fn file_error(file: &Path, why: impl ToString) -> RelayError {
    RelayError::File { file: file.to_owned(), why: why.to_string() }
}

fn read_text(file: &Path) -> Result<String, RelayError> {
    std::fs::read_to_string(file).map_err(|error| file_error(file, error))
}

/// What all connections of a relay share.
pub(crate) struct Relaying {
    admission: Arc<Admission>,
    bind: IpAddr,
    public: IpAddr,
    open: Arc<Mutex<HashSet<u16>>>,
}

impl Relaying {
    async fn serve(&self, conn: Arc<dyn Conn + Send + Sync>) -> Result<TurnServer, TurnError> {
        let allocations = Allocations { bind: self.bind, public: self.public, open: Arc::clone(&self.open) };
        TurnServer::new(ServerConfig {
            conn_configs: vec![ConnConfig { conn, relay_addr_generator: Box::new(allocations) }],
            realm: REALM.to_owned(),
            auth_handler: Arc::clone(&self.admission) as _,
            // Zero is the crate's own ten minutes.
            channel_bind_timeout: Duration::ZERO,
            alloc_close_notify: None,
        })
        .await
    }
}

impl Relay {
    pub async fn start(config: RelayConfig, tls: Option<&RelayTls>) -> Result<Self, RelayError> {
        let (socket, listener) = bind(config.listen).await.map_err(|error| RelayError::Listen(config.listen, error))?;
        let bound = socket.local_addr().map_err(|error| RelayError::Listen(config.listen, error))?;
        let public = config.public.unwrap_or(bound.ip());
        let address = SocketAddr::new(public, bound.port());
        let secret: Arc<[u8]> = Arc::new(random::bytes::<32>());
        let admission = Arc::new(Admission { secret: Arc::clone(&secret), admitted: Mutex::default() });
        let relaying = Arc::new(Relaying { admission, bind: bound.ip(), public, open: Arc::default() });
        let acceptor = tls.map(acceptor).transpose()?;
        let server = relaying.serve(Arc::new(socket)).await.map_err(RelayError::Start)?;
        let streams = tokio::spawn(stream::listen(listener, acceptor, relaying));
        let mut urls = vec![format!("turn:{address}?transport=udp"), format!("turn:{address}?transport=tcp")];
        urls.extend(tls.map(|tls| format!("turns:{}:{}?transport=tcp", tls.name, bound.port())));
        let authority = tls.and_then(|tls| tls.authority.as_deref()).map(read_text).transpose()?;
        Ok(Self { server, streams, address, credentials: CredentialMaker { secret, urls, authority } })
    }

    pub async fn close(&self) {
        self.streams.abort();
        if let Err(error) = self.server.close().await {
            tracing::debug!(%error, "the relay did not close cleanly");
        }
    }
}

/// The same port for UDP and TCP.
async fn bind(listen: SocketAddr) -> std::io::Result<(UdpSocket, TcpListener)> {
    let mut tries = 0;
    loop {
        let socket = UdpSocket::bind(listen).await?;
        match TcpListener::bind(socket.local_addr()?).await {
            Ok(listener) => return Ok((socket, listener)),
            // A port that is free for the one need not be for the other.
            Err(_) if listen.port() == 0 && tries < PORT_TRIES => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

fn acceptor(tls: &RelayTls) -> Result<TlsAcceptor, RelayError> {
    let chain = CertificateDer::pem_file_iter(&tls.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| file_error(&tls.certificate, error))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|error| file_error(&tls.key, error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| file_error(&tls.certificate, error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Admits a user name until the time in it, and an address that came in time for as long as it stays.
struct Admission {
    secret: Arc<[u8]>,
    /// (user name, address) -> last seen
    admitted: Mutex<HashMap<(String, SocketAddr), i64>>,
}

impl AuthHandler for Admission {
    fn auth_handle(&self, username: &str, realm: &str, from: SocketAddr) -> Result<Vec<u8>, TurnError> {
        let refused = || TurnError::Other(String::from("the credentials have expired"));
        let expires: i64 = username.split(':').next().and_then(|time| time.parse().ok()).ok_or_else(refused)?;
        let now = random::unix_seconds();
        let mut admitted = lock(&self.admitted);
        admitted.retain(|_, seen| now - *seen < ADMITTED_FOR);
        let key = (username.to_owned(), from);
        if expires <= now && !admitted.contains_key(&key) {
            return Err(refused());
        }
        // A wrong password would be kept here too; the bound keeps a flood of them from filling the memory.
        if admitted.contains_key(&key) || admitted.len() < 8 * MAX_ALLOCATIONS {
            admitted.insert(key, now);
        }
        Ok(generate_auth_key(username, realm, &credential(&self.secret, username)))
    }
}

/// Opens the sockets of allocations and knows which are open.
struct Allocations {
    bind: IpAddr,
    public: IpAddr,
    open: Arc<Mutex<HashSet<u16>>>,
}

#[async_trait]
impl RelayAddressGenerator for Allocations {
    fn validate(&self) -> Result<(), TurnError> {
        Ok(())
    }

    async fn allocate_conn(&self, _use_ipv4: bool, port: u16) -> Result<(Arc<dyn Conn + Send + Sync>, SocketAddr), TurnError> {
        if lock(&self.open).len() >= MAX_ALLOCATIONS {
            return Err(TurnError::Other(String::from("no allocation is free")));
        }
        let socket = UdpSocket::bind((self.bind, port)).await?;
        let port = socket.local_addr()?.port();
        lock(&self.open).insert(port);
        let conn = RelayedSocket { socket, port, public: self.public, bind: self.bind, open: Arc::clone(&self.open) };
        Ok((Arc::new(conn), SocketAddr::new(self.public, port)))
    }
}

struct RelayedSocket {
    socket: UdpSocket,
    port: u16,
    public: IpAddr,
    bind: IpAddr,
    open: Arc<Mutex<HashSet<u16>>>,
}

impl RelayedSocket {
    /// Another allocation of this relay.
    fn may_reach(&self, target: SocketAddr) -> bool {
        target.ip() == self.public && target.port() != self.port && lock(&self.open).contains(&target.port())
    }
}

impl Drop for RelayedSocket {
    fn drop(&mut self) {
        lock(&self.open).remove(&self.port);
    }
}

type ConnResult<T> = Result<T, webrtc_util::Error>;

#[async_trait]
impl Conn for RelayedSocket {
    async fn connect(&self, _address: SocketAddr) -> ConnResult<()> {
        Err(webrtc_util::Error::Other(String::from("a relayed socket has many peers")))
    }

    async fn recv(&self, buffer: &mut [u8]) -> ConnResult<usize> {
        Ok(self.recv_from(buffer).await?.0)
    }

    async fn recv_from(&self, buffer: &mut [u8]) -> ConnResult<(usize, SocketAddr)> {
        loop {
            match self.socket.recv_from(buffer).await {
                // Behind a translated address the sender is seen under the inner one; its permission names the outer.
                Ok((length, from)) => {
                    let from = if from.ip() == self.bind { SocketAddr::new(self.public, from.port()) } else { from };
                    return Ok((length, from));
                }
                // Some systems report a peer's closed port on the next read; the allocation goes on.
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn send(&self, _buffer: &[u8]) -> ConnResult<usize> {
        Err(webrtc_util::Error::Other(String::from("a relayed socket has many peers")))
    }

    async fn send_to(&self, buffer: &[u8], target: SocketAddr) -> ConnResult<usize> {
        if self.may_reach(target) {
            let inner = if self.bind.is_unspecified() { self.public } else { self.bind };
            Ok(self.socket.send_to(buffer, SocketAddr::new(inner, target.port())).await?)
        } else {
            // Dropped as a network would, so that the rest of the client's traffic goes on.
            Ok(buffer.len())
        }
    }

    fn local_addr(&self) -> ConnResult<SocketAddr> {
        Ok(SocketAddr::new(self.public, self.port))
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        None
    }

    async fn close(&self) -> ConnResult<()> {
        Ok(())
    }

    fn as_any(&self) -> &(dyn std::any::Any + Send + Sync) {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_the_usual_hmac_and_expire() {
        let secret: Arc<[u8]> = Arc::from(&b"north"[..]);
        // openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(credential(&secret, "1700000000:ab"), "W+MgmM+L/ysaO9S2AW8RwughpX8=");
        let admission = Admission { secret, admitted: Mutex::default() };
        let from = SocketAddr::from(([127, 0, 0, 1], 9));
        let later = format!("{}:x", random::unix_seconds() + 60);
        assert!(admission.auth_handle(&later, REALM, from).is_ok());
        assert!(admission.auth_handle("1700000000:ab", REALM, from).is_err(), "long past");
        for nonsense in ["", "ada", ":", "99999999999999999999999:x"] {
            assert!(admission.auth_handle(nonsense, REALM, from).is_err());
        }
        lock(&admission.admitted).insert(("1700000000:ab".into(), from), random::unix_seconds() - 60);
        assert!(admission.auth_handle("1700000000:ab", REALM, from).is_ok(), "came in time and stayed");
    }
}

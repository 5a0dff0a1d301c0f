//! Ways to the relay: UDP where it gets through, and TCP or TLS where it does not.
//!
//! The library speaks TURN over UDP only (webrtc#848, webrtc#907). For the other two it is pointed at a socket on loopback, and
//! [`shim`] carries its messages over a stream. The relayed address is the relay's own in every case, so candidates need no
//! rewriting.
//!
//! Which way: all are asked at once, with a head start for UDP, by the request for an address that carries no credentials yet;
//! any answer to it shows a relay at the other end (RFC 8656 section 7.2: 401), and it costs the relay nothing.

mod shim;
mod tls;

use crate::engine::Input;
use rand::Rng;
use shim::Shim;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket, lookup_host};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use visavis_wire::socket::RelayCredentials;
use visavis_wire::turn::{Messages, to_stream};

const TURN_PORT: u16 = 3478;
const TURNS_PORT: u16 = 5349;
/// UDP has so much time before a stream is tried as well: a round trip to anywhere on earth.
const HEAD_START: Duration = Duration::from_millis(300);
/// A stream that works is not used before UDP has had this much time, two tries and their answers.
const PREFER_UDP: Duration = Duration::from_millis(1000);
/// Nothing worked.
const GIVE_UP: Duration = Duration::from_secs(8);
/// Between two requests over UDP.
const RETRY: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    Udp,
    Tcp,
    Tls,
}

/// `turn:HOST[:PORT][?transport=udp|tcp]` or `turns:HOST[:PORT][?transport=tcp]` (RFC 7065).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Url {
    transport: Transport,
    host: String,
    port: u16,
}

impl Url {
    fn read(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (transport, default) = match (scheme, query) {
            ("turn", "" | "transport=udp") => (Transport::Udp, TURN_PORT),
            ("turn", "transport=tcp") => (Transport::Tcp, TURN_PORT),
            ("turns", "" | "transport=tcp") => (Transport::Tls, TURNS_PORT),
            _ => return None,
        };
        let bracketed = place.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (host, port) = match bracketed {
            Some((host, "")) => (host, default),
            Some((host, port)) => (host, port.strip_prefix(':')?.parse().ok()?),
            None => match place.split_once(':') {
                Some((host, port)) => (host, port.parse().ok()?),
                None => (place, default),
            },
        };
        (!host.is_empty()).then(|| Self { transport, host: host.to_owned(), port })
    }

    async fn addresses(&self) -> Vec<SocketAddr> {
        lookup_host((self.host.as_str(), self.port)).await.map(Iterator::collect).unwrap_or_default()
    }
}

/// How the relay is reached, for as long as this is kept.
pub(crate) struct Way {
    /// What the library may be told.
    pub urls: Vec<String>,
    /// Where it sends to.
    pub addresses: Vec<SocketAddr>,
    /// Where that leads to.
    pub relays: Vec<SocketAddr>,
    /// Runs until it is dropped.
    shim: Option<Shim>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RelayError {
    #[error("no relay was named, and the call may only be relayed")]
    None,
    #[error("the relay's address could not be resolved")]
    Unknown,
    #[error("the relay does not answer, neither by UDP nor by TCP")]
    Silent,
}

/// What came of looking for a way to this relay.
pub(crate) struct Found {
    pub relay: RelayCredentials,
    pub way: Result<Way, RelayError>,
}

/// Finds a way. `lost` is told when a stream that carries the call breaks.
pub(crate) async fn reach(relay: &RelayCredentials, lost: UnboundedSender<Input>) -> Result<Way, RelayError> {
    if relay.urls.is_empty() {
        return Err(RelayError::None);
    }
    let urls: Vec<Url> = relay.urls.iter().filter_map(|url| Url::read(url)).collect();
    let (datagrams, streams): (Vec<Url>, Vec<Url>) = urls.into_iter().partition(|url| url.transport == Transport::Udp);
    let mut by_udp = Vec::new();
    for url in &datagrams {
        by_udp.extend(url.addresses().await);
    }
    if streams.is_empty() {
        // Nothing to choose from: the first request is the library's own.
        return if by_udp.is_empty() { Err(RelayError::Unknown) } else { Ok(Way::direct(&datagrams, by_udp)) };
    }
    let dialer = tls::Dialer::new(relay.authority.as_deref());
    match race(&by_udp, streams, dialer).await? {
        Winner::Udp => Ok(Way::direct(&datagrams, by_udp)),
        Winner::Stream(stream, again) => Way::by_stream(stream, again, lost).await.ok_or(RelayError::Silent),
    }
}

impl Way {
    /// Where the address of this machine can be asked for, as the relay sees it (RFC 8489): not over a stream, whose address is
    /// of no use to packets.
    pub fn reflectors(&self) -> Vec<String> {
        if self.shim.is_some() {
            return Vec::new();
        }
        let place = |url: &String| Some(format!("stun:{}", url.strip_prefix("turn:")?.split_once('?')?.0));
        self.urls.iter().filter_map(place).collect()
    }

    fn direct(urls: &[Url], addresses: Vec<SocketAddr>) -> Self {
        let urls = urls.iter().map(|Url { host, port, .. }| {
            let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
            format!("turn:{host}:{port}?transport=udp")
        });
        Self { urls: urls.collect(), relays: addresses.clone(), addresses, shim: None }
    }

    async fn by_stream(stream: Stream, again: Redial, lost: UnboundedSender<Input>) -> Option<Self> {
        let relays = again.url.addresses().await;
        let shim = Shim::start(stream, again, lost).await.ok()?;
        let address = shim.address;
        let urls = vec![format!("turn:{address}?transport=udp")];
        Some(Self { urls, addresses: vec![address], relays, shim: Some(shim) })
    }
}

/// An open connection to a relay that has answered on it.
pub(crate) type Stream = Box<dyn ReadWrite>;

pub(crate) trait ReadWrite: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> ReadWrite for T {}

/// Opens another connection to the same place, for a second socket of the library.
#[derive(Clone)]
pub(crate) struct Redial {
    url: Url,
    dialer: tls::Dialer,
}

impl Redial {
    async fn dial(&self) -> Option<Stream> {
        for address in self.url.addresses().await {
            let Ok(Ok(stream)) = timeout(GIVE_UP, TcpStream::connect(address)).await else { continue };
            // A packet of the call waits for no other.
            if stream.set_nodelay(true).is_err() {
                continue;
            }
            match self.url.transport {
                Transport::Tls => {
                    if let Some(stream) = timeout(GIVE_UP, self.dialer.secure(&self.url.host, stream)).await.ok().flatten() {
                        return Some(Box::new(stream));
                    }
                }
                _ => return Some(Box::new(stream)),
            }
        }
        None
    }
}

enum Winner {
    Udp,
    Stream(Stream, Redial),
}

async fn race(by_udp: &[SocketAddr], streams: Vec<Url>, dialer: tls::Dialer) -> Result<Winner, RelayError> {
    let began = Instant::now();
    let mut tries = JoinSet::new();
    for address in by_udp.iter().copied() {
        tries.spawn(async move { answers_by_udp(address).await.then_some(Winner::Udp) });
    }
    for url in streams {
        let head_start = if by_udp.is_empty() { Duration::ZERO } else { HEAD_START };
        let again = Redial { url, dialer: dialer.clone() };
        tries.spawn(async move {
            sleep(head_start).await;
            let mut stream = again.dial().await?;
            answers(&mut stream).await.then_some(Winner::Stream(stream, again))
        });
    }
    let mut second = None;
    loop {
        let decide_at = if second.is_some() { began + PREFER_UDP } else { began + GIVE_UP };
        let tried = tokio::select! {
            tried = tries.join_next() => tried,
            () = sleep_until(decide_at) => return second.ok_or(RelayError::Silent),
        };
        match tried {
            Some(Ok(Some(Winner::Udp))) => return Ok(Winner::Udp),
            Some(Ok(Some(stream))) => second = second.or(Some(stream)),
            Some(Ok(None)) => {}
            Some(Err(_)) => tracing::error!("a way to the relay could not be tried"),
            None => return second.ok_or(RelayError::Silent),
        }
        if by_udp.is_empty()
            && let Some(stream) = second
        {
            return Ok(stream);
        }
    }
}

/// A request for an address, without credentials (RFC 8656 section 7.1): REQUESTED-TRANSPORT is UDP.
fn request() -> [u8; 28] {
    let mut bytes = [0; 28];
    bytes[..8].copy_from_slice(&[0, 0x03, 0, 8, 0x21, 0x12, 0xa4, 0x42]);
    rand::rng().fill(&mut bytes[8..20]);
    bytes[20..].copy_from_slice(&[0, 0x19, 0, 4, 17, 0, 0, 0]);
    bytes
}

/// Whether it answers the request: an error or a success of the same method and transaction.
fn is_answer(bytes: &[u8], request: &[u8; 28]) -> bool {
    bytes.len() >= 20 && matches!(bytes[..2], [0x01, 0x13] | [0x01, 0x03]) && bytes[4..20] == request[4..20]
}

async fn answers_by_udp(relay: SocketAddr) -> bool {
    let any: IpAddr = if relay.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let Ok(socket) = UdpSocket::bind((any, 0)).await else { return false };
    if socket.connect(relay).await.is_err() {
        return false;
    }
    let (request, mut buffer) = (request(), [0; 1500]);
    let until = Instant::now() + GIVE_UP;
    while Instant::now() < until {
        // A closed port or a network without a route may be another's or pass: what counts is an answer.
        let _ = socket.send(&request).await;
        let again = Instant::now() + RETRY;
        while let Ok(received) = tokio::time::timeout_at(again, socket.recv(&mut buffer)).await {
            match received {
                Ok(length) if is_answer(&buffer[..length], &request) => return true,
                Ok(_) => {}
                Err(_) => sleep_until(again).await,
            }
        }
    }
    false
}

async fn answers(stream: &mut Stream) -> bool {
    let request = request();
    let Some(bytes) = to_stream(&request) else { return false };
    let asked = async {
        stream.write_all(&bytes).await.ok()?;
        stream.flush().await.ok()?;
        let (mut messages, mut piece) = (Messages::default(), [0; 1500]);
        loop {
            let length = stream.read(&mut piece).await.ok().filter(|length| *length > 0)?;
            messages.put(&piece[..length]).ok()?;
            if let Some(message) = messages.take().ok()? {
                return Some(is_answer(&message, &request));
            }
        }
    };
    timeout(GIVE_UP, asked).await.ok().flatten() == Some(true)
}

#[cfg(test)]
mod tests;

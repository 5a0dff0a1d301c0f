//! The embedded relay over TCP and TLS (RFC 8656 section 2.1), for clients in networks without UDP. One port takes both: a TLS
//! client's first byte is a handshake record, which no TURN message begins with.
//!
//! The relay's crate speaks datagrams alone, so each connection is handed to it as a socket with one sender, in a server of its
//! own: when the connection ends, so do its allocations.

use super::Relaying;
use async_trait::async_trait;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Notify, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use visavis_wire::turn::{Messages, to_stream};
use webrtc_util::Conn;

/// Connections at once; two for each match, and some that are being replaced.
const CONNECTIONS: usize = 1024;
/// A client says what it wants in this time.
const FIRST_WORD: Duration = Duration::from_secs(10);
/// Clients refresh their allocations every few minutes; the longest lifetime is ten.
const SILENT_FOR: Duration = Duration::from_secs(11 * 60);
/// Messages on their way to a client. It reads too slowly when they are more, and then they are lost, as on a network.
const OUTBOX: usize = 128;
/// One read: several messages.
const READ: usize = 16 * 1024;
/// First byte of a TLS handshake record.
const TLS_HANDSHAKE: u8 = 0x16;

/// Takes connections until it is dropped.
pub(super) async fn listen(listener: TcpListener, tls: Option<TlsAcceptor>, relaying: Arc<Relaying>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    // Dropping this task ends them all.
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, for example: others may end meanwhile.
                tracing::warn!(%error, "the relay could not take a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let (tls, relaying) = (tls.clone(), Arc::clone(&relaying));
        connections.spawn(async move {
            serve(stream, from, tls, &relaying).await;
            drop(place);
        });
    }
}

async fn serve(stream: TcpStream, from: SocketAddr, tls: Option<TlsAcceptor>, relaying: &Relaying) {
    // A packet of a call waits for no other.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let mut first = [0];
    if !matches!(timeout(FIRST_WORD, stream.peek(&mut first)).await, Ok(Ok(1))) {
        return;
    }
    let Ok(local) = stream.local_addr() else { return };
    match tls {
        _ if first[0] != TLS_HANDSHAKE => relay(stream, local, from, relaying).await,
        Some(tls) => match timeout(FIRST_WORD, tls.accept(stream)).await {
            Ok(Ok(stream)) => relay(stream, local, from, relaying).await,
            Ok(Err(_)) | Err(_) => tracing::debug!("a TLS handshake with the relay failed"),
        },
        None => {}
    }
}

async fn relay<S>(stream: S, local: SocketAddr, from: SocketAddr, relaying: &Relaying)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (read, write) = split(stream);
    let (outbox, waiting) = mpsc::channel(OUTBOX);
    let over = Arc::new(Notify::new());
    let inbox = Mutex::new(Inbox { read, messages: Messages::default(), heard: false });
    let client = Client { inbox, outbox, local, from, over: Arc::clone(&over) };
    match relaying.serve(Arc::new(client)).await {
        Ok(server) => {
            tokio::select! {
                () = over.notified() => {}
                () = write_all(write, waiting) => {}
            }
            // The last one holds the loop that reads; without it, the allocations close.
            drop(server);
        }
        Err(error) => tracing::warn!(%error, "a connection could not be relayed"),
    }
}

async fn write_all<S: AsyncWrite>(mut write: WriteHalf<S>, mut waiting: mpsc::Receiver<Vec<u8>>) {
    while let Some(message) = waiting.recv().await {
        if !matches!(timeout(FIRST_WORD, write.write_all(&message)).await, Ok(Ok(()))) {
            return;
        }
        // A TLS stream keeps records until it is told.
        if waiting.is_empty() && write.flush().await.is_err() {
            return;
        }
    }
}

/// One connection, as the relay's crate sees it: a socket that hears from one address alone.
struct Client<S> {
    inbox: Mutex<Inbox<S>>,
    outbox: mpsc::Sender<Vec<u8>>,
    local: SocketAddr,
    from: SocketAddr,
    over: Arc<Notify>,
}

struct Inbox<S> {
    read: ReadHalf<S>,
    messages: Messages,
    heard: bool,
}

impl<S: AsyncRead> Inbox<S> {
    /// Nothing when the stream is at its end or of no use any more.
    async fn next(&mut self) -> Option<Vec<u8>> {
        let mut piece = vec![0; READ];
        loop {
            if let Some(message) = self.messages.take().ok()? {
                self.heard = true;
                return Some(message);
            }
            let patience = if self.heard { SILENT_FOR } else { FIRST_WORD };
            match timeout(patience, self.read.read(&mut piece)).await {
                Ok(Ok(length)) if length > 0 => self.messages.put(&piece[..length]).ok()?,
                _ => return None,
            }
        }
    }
}

type ConnResult<T> = Result<T, webrtc_util::Error>;

fn unused<T>() -> ConnResult<T> {
    Err(webrtc_util::Error::Other(String::from("not used by a relay")))
}

#[async_trait]
impl<S: AsyncRead + AsyncWrite + Send + 'static> Conn for Client<S> {
    async fn connect(&self, _address: SocketAddr) -> ConnResult<()> {
        unused()
    }

    async fn recv(&self, buffer: &mut [u8]) -> ConnResult<usize> {
        Ok(self.recv_from(buffer).await?.0)
    }

    async fn recv_from(&self, buffer: &mut [u8]) -> ConnResult<(usize, SocketAddr)> {
        let mut inbox = self.inbox.lock().await;
        while let Some(message) = inbox.next().await {
            // What does not fit is longer than the crate takes from anybody.
            if let Some(place) = buffer.get_mut(..message.len()) {
                place.copy_from_slice(&message);
                return Ok((message.len(), self.from));
            }
        }
        self.over.notify_one();
        Err(webrtc_util::Error::ErrUseClosedNetworkConn)
    }

    async fn send(&self, buffer: &[u8]) -> ConnResult<usize> {
        self.send_to(buffer, self.from).await
    }

    async fn send_to(&self, buffer: &[u8], _target: SocketAddr) -> ConnResult<usize> {
        if let Some(message) = to_stream(buffer) {
            // Full: lost, as on a network. Closed: the connection is at its end.
            let _ = self.outbox.try_send(message);
        }
        Ok(buffer.len())
    }

    fn local_addr(&self) -> ConnResult<SocketAddr> {
        Ok(self.local)
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        Some(self.from)
    }

    async fn close(&self) -> ConnResult<()> {
        self.over.notify_one();
        Ok(())
    }

    fn as_any(&self) -> &(dyn std::any::Any + Send + Sync) {
        self
    }
}

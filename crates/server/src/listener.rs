//! Connections of clients: plain, or over TLS with a certificate that can be exchanged while the server runs.
//!
//! A handshake takes as long as the client wants it to, so each has a task of its own with a time limit, and the web server only sees
//! connections that are through.

use crate::config::TlsFiles;
use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// Handshakes under way at once; more wait in the system's queue.
const HANDSHAKES: usize = 1024;
/// After a fault such as too many open files.
const BREATHE: Duration = Duration::from_millis(100);

/// Whoever is at the other end of a connection: a client, or a proxy before it.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

#[derive(Debug, thiserror::Error)]
#[error("the certificate file {} cannot be used: {why}", .file.display())]
pub struct CertificateError {
    pub file: PathBuf,
    pub why: String,
}

/// The certificate in use.
#[derive(Clone)]
pub struct Certificate {
    files: TlsFiles,
    acceptor: Arc<RwLock<TlsAcceptor>>,
}

impl Certificate {
    pub fn read(files: &TlsFiles) -> Result<Self, CertificateError> {
        Ok(Self { files: files.clone(), acceptor: Arc::new(RwLock::new(acceptor(files)?)) })
    }

    /// Where the files are not in order the old certificate stays. Connections that are open stay as they are.
    pub fn reload(&self) -> Result<(), CertificateError> {
        let fresh = acceptor(&self.files)?;
        *self.acceptor.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, CertificateError> {
    let fault = |file: &Path, why: &dyn std::fmt::Display| CertificateError { file: file.to_owned(), why: why.to_string() };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| fault(&files.certificate, &error))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| fault(&files.key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| fault(&files.certificate, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

pub enum Listener {
    Plain(TcpListener),
    Tls { local: SocketAddr, ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)> },
}

impl Listener {
    /// Over TLS its task ends with the listener.
    pub fn new(listener: TcpListener, certificate: Option<Certificate>) -> io::Result<Self> {
        let Some(certificate) = certificate else { return Ok(Self::Plain(listener)) };
        let local = listener.local_addr()?;
        let (through, ready) = mpsc::channel(HANDSHAKES);
        tokio::spawn(shake_hands(listener, certificate, through));
        Ok(Self::Tls { local, ready })
    }
}

async fn shake_hands(listener: TcpListener, certificate: Certificate, through: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>) {
    let places = Arc::new(Semaphore::new(HANDSHAKES));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let (stream, from) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(_) => {
                    tokio::time::sleep(BREATHE).await;
                    continue;
                }
            },
            () = through.closed() => return,
        };
        let (acceptor, through) = (certificate.acceptor(), through.clone());
        tokio::spawn(async move {
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_WITHIN, acceptor.accept(stream)).await {
                // The server may have ended meanwhile.
                let _ = through.send((stream, from)).await;
            }
            drop(place);
        });
    }
}

impl axum::serve::Listener for Listener {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Stream, SocketAddr) {
        match self {
            // The library's own way waits out what too many open files bring.
            Self::Plain(listener) => {
                let (stream, from) = axum::serve::Listener::accept(listener).await;
                (Stream::Plain(stream), from)
            }
            Self::Tls { ready, .. } => match ready.recv().await {
                Some((stream, from)) => (Stream::Tls(Box::new(stream)), from),
                None => std::future::pending().await,
            },
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Plain(listener) => listener.local_addr(),
            Self::Tls { local, .. } => Ok(*local),
        }
    }
}

impl Connected<IncomingStream<'_, Listener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        Self(*stream.remote_addr())
    }
}

pub enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

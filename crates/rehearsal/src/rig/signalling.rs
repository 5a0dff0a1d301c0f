//! The rig's server: tells both sides when to start and passes their signals on, one JSON message a line over TCP. The relay
//! beside it is the product's own.
//!
//! The product's server would strip direct candidates, which a measured link between two namespaces needs, and its sign-in has
//! nothing to do with a call; so this stands in for the matched part of an evening and for nothing else.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, watch};
use visavis_wire::socket::{RelayCredentials, Signal};

pub const PORT: u16 = 8080;
/// Longest line; a description has about 3 KiB.
const LONGEST: u64 = 256 * 1024;
/// The sides are started before or after the server.
const SERVER_WITHIN: Duration = Duration::from_secs(20);
const SIDES: usize = 2;

#[derive(Debug, Serialize, Deserialize)]
pub enum ToServer {
    /// Camera and engine are up.
    Ready,
    Signal(Signal),
}

#[derive(Debug, Serialize, Deserialize)]
pub enum ToSide {
    /// First message. `None`: this server has no relay.
    Relay(Option<RelayCredentials>),
    /// Both sides are ready.
    Start,
    Signal(Signal),
}

/// One end of a connection that carries lines of JSON.
pub struct Lines {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl Lines {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        Ok(Self { reader: BufReader::new(reader), writer })
    }

    /// Connects to a server that may not be there yet.
    pub async fn connect(server: IpAddr) -> io::Result<Self> {
        let attempts = async {
            loop {
                match TcpStream::connect((server, PORT)).await {
                    Ok(stream) => return Self::new(stream),
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        };
        tokio::time::timeout(SERVER_WITHIN, attempts)
            .await
            .unwrap_or_else(|_| Err(io::Error::other(format!("no server at {server} within {} s", SERVER_WITHIN.as_secs()))))
    }

    pub fn split(self) -> (Reader, Writer) {
        (Reader(self.reader), Writer(self.writer))
    }
}

pub struct Reader(BufReader<OwnedReadHalf>);

impl Reader {
    /// `None` at the end.
    pub async fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        use tokio::io::AsyncReadExt;
        let mut line = String::new();
        let read = (&mut self.0).take(LONGEST).read_line(&mut line).await?;
        if read == 0 {
            return Ok(None);
        }
        serde_json::from_str(&line).map(Some).map_err(|error| io::Error::other(format!("a message is not readable: {error}")))
    }
}

pub struct Writer(OwnedWriteHalf);

impl Writer {
    pub async fn send(&mut self, message: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        self.0.write_all(&line).await
    }
}

/// What the connections of one call share.
struct Table {
    /// Where messages for the sides go, in the order in which they came.
    sides: Mutex<Vec<UnboundedSender<ToSide>>>,
    ready: watch::Sender<usize>,
}

/// Serves one call until both sides have gone.
pub async fn serve(listen: SocketAddr, relay: impl Fn() -> Option<RelayCredentials>) -> io::Result<()> {
    let listener = TcpListener::bind(listen).await?;
    let table = Arc::new(Table { sides: Mutex::default(), ready: watch::channel(0).0 });
    let mut tasks = Vec::new();
    for index in 0..SIDES {
        let (stream, _) = listener.accept().await?;
        let lines = Lines::new(stream)?;
        let (sender, mut messages) = unbounded_channel();
        table.sides.lock().await.push(sender.clone());
        let (reader, mut writer) = lines.split();
        writer.send(&ToSide::Relay(relay())).await?;
        tokio::spawn(async move {
            while let Some(message) = messages.recv().await {
                if writer.send(&message).await.is_err() {
                    return;
                }
            }
        });
        tasks.push(tokio::spawn(side(index, reader, Arc::clone(&table), sender)));
    }
    for task in tasks {
        task.await.map_err(io::Error::other)??;
    }
    Ok(())
}

async fn side(index: usize, mut reader: Reader, table: Arc<Table>, own: UnboundedSender<ToSide>) -> io::Result<()> {
    let mut ready = table.ready.subscribe();
    while let Some(message) = reader.next().await? {
        match message {
            ToServer::Ready => {
                table.ready.send_modify(|count| *count += 1);
                let (mut ready, own) = (ready.clone(), own.clone());
                tokio::spawn(async move {
                    if ready.wait_for(|count| *count == SIDES).await.is_ok() {
                        // Fails when that side has gone.
                        let _ = own.send(ToSide::Start);
                    }
                });
            }
            ToServer::Signal(signal) => {
                if ready.wait_for(|count| *count == SIDES).await.is_err() {
                    return Ok(());
                }
                if let Some(other) = table.sides.lock().await.get(1 - index) {
                    let _ = other.send(ToSide::Signal(signal));
                }
            }
        }
    }
    Ok(())
}

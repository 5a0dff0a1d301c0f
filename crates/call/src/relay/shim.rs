//! A socket on loopback that the library takes for the relay, and a stream to the real one for each of the library's sockets.
//!
//! A stream cannot lose anything, so what would queue up in front of a slow one is dropped here, as a network would. When a
//! stream breaks, its allocation is gone with it; whoever waits for `lost` makes the path anew.

use super::{Redial, Stream};
use crate::engine::Input;
use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, split};
use tokio::net::UdpSocket;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::task::{JoinHandle, JoinSet};
use visavis_wire::turn::{Messages, to_stream};

/// Messages that wait for a stream: a key frame, no more.
const WAITING: usize = 64;
/// Sockets of the library: one for each local address and restart.
const CLIENTS: usize = 32;
const READ: usize = 16 * 1024;
const DATAGRAM: usize = 65_536;

pub(super) struct Shim {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Shim {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shim {
    /// The open stream serves the first socket that sends something.
    pub async fn start(first: Stream, again: Redial, lost: UnboundedSender<Input>) -> io::Result<Self> {
        let socket = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        let address = socket.local_addr()?;
        Ok(Self { address, task: tokio::spawn(run(socket, first, again, lost)) })
    }
}

async fn run(socket: Arc<UdpSocket>, first: Stream, again: Redial, lost: UnboundedSender<Input>) {
    let mut first = Some(first);
    let mut clients: HashMap<SocketAddr, mpsc::Sender<Vec<u8>>> = HashMap::new();
    // Dropping this task ends the streams.
    let mut streams = JoinSet::new();
    let mut datagram = vec![0; DATAGRAM];
    loop {
        let (length, from) = match socket.recv_from(&mut datagram).await {
            Ok(received) => received,
            // Some systems report the closed port of an earlier answer here.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => continue,
            Err(_) => return,
        };
        let Some(message) = to_stream(&datagram[..length]) else { continue };
        if !clients.contains_key(&from) {
            if clients.len() >= CLIENTS {
                continue;
            }
            let (sender, waiting) = mpsc::channel(WAITING);
            clients.insert(from, sender);
            let client = Client { socket: Arc::clone(&socket), address: from, waiting };
            streams.spawn(client.serve(first.take(), again.clone(), lost.clone()));
        }
        if let Some(client) = clients.get(&from) {
            // Full: lost, as on a network. Closed: the stream broke, and with it the allocation.
            let _ = client.try_send(message);
        }
    }
}

struct Client {
    socket: Arc<UdpSocket>,
    address: SocketAddr,
    waiting: mpsc::Receiver<Vec<u8>>,
}

impl Client {
    async fn serve(mut self, open: Option<Stream>, again: Redial, lost: UnboundedSender<Input>) {
        let stream = match open {
            Some(stream) => Some(stream),
            None => again.dial().await,
        };
        if let Some(stream) = stream {
            self.carry(stream).await;
        }
        // Nobody waits for it once the call is over.
        let _ = lost.send(Input::StreamBroke);
    }

    /// Until the stream breaks.
    async fn carry(&mut self, stream: Stream) {
        let (mut read, mut write) = split(stream);
        let (socket, address) = (Arc::clone(&self.socket), self.address);
        let down = async {
            let (mut messages, mut piece) = (Messages::default(), vec![0; READ]);
            while let Some(length) = read.read(&mut piece).await.ok().filter(|length| *length > 0) {
                if messages.put(&piece[..length]).is_err() {
                    return;
                }
                loop {
                    match messages.take() {
                        // The library's socket may have been replaced.
                        Ok(Some(message)) => drop(socket.send_to(&message, address).await),
                        Ok(None) => break,
                        Err(_) => return,
                    }
                }
            }
        };
        let waiting = &mut self.waiting;
        let up = async {
            while let Some(message) = waiting.recv().await {
                // TLS keeps records until it is told to send them.
                if write.write_all(&message).await.is_err() || write.flush().await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = down => {}
            () = up => {}
        }
    }
}

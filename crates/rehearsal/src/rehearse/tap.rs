//! A place between one person's app and the server, through which all that they say to each other goes unchanged; it notes whose names
//! come down. What the server sends is in the clear on loopback, so this sees what a modified app would see.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

const PIECE: usize = 16 * 1024;

/// Who was sent whose name.
pub type NamesSent = Arc<Mutex<BTreeSet<(usize, usize)>>>;

/// Ends with this value.
pub struct Tap {
    task: JoinHandle<()>,
    pub address: SocketAddr,
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Tap {
    /// For the app of person `who`; `identities` are those of everybody.
    pub async fn start(server: SocketAddr, who: usize, identities: &[String], sent: NamesSent) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let marks: Arc<[(usize, Vec<u8>)]> =
            identities.iter().enumerate().filter(|(other, _)| *other != who).map(|(other, name)| (other, mark(name))).collect();
        let task = tokio::spawn(async move {
            // Dropping this task ends them all.
            let mut streams = JoinSet::new();
            while let Ok((app, _)) = listener.accept().await {
                let (marks, sent) = (Arc::clone(&marks), Arc::clone(&sent));
                streams.spawn(async move {
                    // While the server is away its port is closed, and so is this stream.
                    if let Ok(server) = TcpStream::connect(server).await {
                        hand_on(app, server, who, &marks, &sent).await;
                    }
                });
                while streams.try_join_next().is_some() {}
            }
        });
        Ok(Self { task, address })
    }
}

/// As the development issuer makes a name of an identity, and as JSON holds it.
fn mark(identity: &str) -> Vec<u8> {
    let mut name = identity.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    format!("\"{name}\"").into_bytes()
}

async fn hand_on(app: TcpStream, server: TcpStream, who: usize, marks: &[(usize, Vec<u8>)], sent: &NamesSent) {
    let ((mut from_app, mut to_app), (mut from_server, mut to_server)) = (app.into_split(), server.into_split());
    let up = async {
        let _ = tokio::io::copy(&mut from_app, &mut to_server).await;
        let _ = to_server.shutdown().await;
    };
    let down = async {
        let longest = marks.iter().map(|(_, mark)| mark.len()).max().unwrap_or(0);
        let (mut seen, mut piece) = (Vec::new(), vec![0; PIECE]);
        while let Ok(length @ 1..) = from_server.read(&mut piece).await {
            seen.extend_from_slice(&piece[..length]);
            for (other, mark) in marks {
                if seen.windows(mark.len()).any(|window| window == mark.as_slice()) {
                    sent.lock().unwrap_or_else(PoisonError::into_inner).insert((who, *other));
                }
            }
            // A name may be cut in two.
            seen.drain(..seen.len().saturating_sub(longest));
            if to_app.write_all(&piece[..length]).await.is_err() {
                return;
            }
        }
        let _ = to_app.shutdown().await;
    };
    tokio::join!(up, down);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_are_noticed_even_in_two_pieces_and_everything_arrives() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let server = listener.local_addr().unwrap();
        let identities = ["ada", "bao", "guest-1", "guest-12"].map(String::from);
        let sent = NamesSent::default();
        let tap = Tap::start(server, 0, &identities, Arc::clone(&sent)).await.unwrap();
        let mut app = TcpStream::connect(tap.address).await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        for piece in ["{\"me\":\"Ada\",\"card\":\"bao\",\"to\":\"Gue", "st-12\"}"] {
            stream.write_all(piece.as_bytes()).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        }
        drop(stream);
        let mut text = String::new();
        app.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "{\"me\":\"Ada\",\"card\":\"bao\",\"to\":\"Guest-12\"}");
        assert_eq!(*sent.lock().unwrap(), BTreeSet::from([(0, 3)]));
    }
}

//! A place between one person's app and the servers, through which all that they say to each other goes unchanged; it notes whose names
//! come down, who is told when that both want to see or to follow each other, and what tells of somebody's machine. What the server
//! sends is in the clear on loopback, so this sees what a modified app would see. Of several servers it takes the first that is there,
//! from one on that differs from person to person.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use visavis_wire::socket::{Question, ServerMessage};

const PIECE: usize = 16 * 1024;
/// Candidates that name a machine instead of a relay (RFC 8839 section 5.1).
const DIRECT: [&str; 3] = ["typ host", "typ srflx", "typ prflx"];

/// What begins the message that both said yes, and more than its length.
const OPENED: &[u8] = b"{\"type\":\"question_opened\"";
const OPENED_LENGTH: usize = 256;

/// What came down that is judged.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// Who was sent whose name.
    pub names: BTreeSet<(usize, usize)>,
    /// By match: who was told that both want to follow each other. Whoever never got a picture may want it too.
    pub follows: BTreeMap<String, BTreeSet<usize>>,
    /// By person: when they were told that both of a call want to see each other, since the evening began. Nobody can know before.
    pub reveals: BTreeMap<usize, Vec<Duration>>,
    /// Who was sent which address, or candidate that holds one.
    pub addresses: BTreeSet<(usize, String)>,
    /// Whose name went to or from the relay in the clear.
    pub relayed: BTreeSet<usize>,
}

pub type Heard = Arc<Mutex<Sent>>;

/// Of this machine beyond loopback, as far as routes tell them: what a candidate would name.
pub fn own_addresses() -> BTreeSet<String> {
    let route = |target: &str| {
        let socket = UdpSocket::bind(if target.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" }).ok()?;
        socket.connect(target).ok()?;
        let ip = socket.local_addr().ok()?.ip();
        (!ip.is_loopback() && !ip.is_unspecified()).then(|| ip.to_string())
    };
    // Nothing is sent by connecting.
    ["192.0.2.1:9", "10.0.0.1:9", "[2001:db8::1]:9"].into_iter().filter_map(route).collect()
}

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

/// What is looked for.
struct Marks {
    began: Instant,
    /// Of everybody else.
    names: Vec<(usize, Vec<u8>)>,
    addresses: Vec<String>,
    longest: usize,
}

impl Marks {
    fn of(who: usize, identities: &[String], began: Instant) -> Self {
        let names: Vec<(usize, Vec<u8>)> =
            identities.iter().enumerate().filter(|(other, _)| *other != who).map(|(other, name)| (other, mark(name))).collect();
        let addresses: Vec<String> = DIRECT.into_iter().map(String::from).chain(own_addresses()).collect();
        let marks = names.iter().map(|(_, name)| name.len()).chain(addresses.iter().map(String::len));
        let longest = marks.max().unwrap_or(0).max(OPENED_LENGTH);
        Self { began, names, addresses, longest }
    }

    /// Gives up to where nothing need be looked at again.
    fn look(&self, who: usize, seen: &[u8], heard: &Heard) -> usize {
        let holds = |mark: &[u8]| seen.windows(mark.len()).any(|window| window == mark);
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.names.extend(self.names.iter().filter(|(_, name)| holds(name)).map(|(other, _)| (who, *other)));
        heard.addresses.extend(self.addresses.iter().filter(|mark| holds(mark.as_bytes())).map(|mark| (who, mark.clone())));
        let mut looked_at = seen.len().saturating_sub(self.longest);
        for (end, match_id, question) in opened(seen) {
            // A second look would take it for a second word.
            looked_at = looked_at.max(end);
            match question {
                Question::Follow => drop(heard.follows.entry(match_id).or_default().insert(who)),
                Question::Reveal => heard.reveals.entry(who).or_default().push(self.began.elapsed()),
                _ => {}
            }
        }
        looked_at
    }
}

/// The matches of which it says that both said yes, to which question, and where that ends.
fn opened(seen: &[u8]) -> impl Iterator<Item = (usize, String, Question)> {
    let begins = seen.windows(OPENED.len()).enumerate().filter(|(_, window)| *window == OPENED);
    begins.filter_map(|(at, _)| {
        let mut messages = serde_json::Deserializer::from_slice(&seen[at..]).into_iter::<ServerMessage>();
        match messages.next() {
            Some(Ok(ServerMessage::QuestionOpened { match_id, question })) => {
                Some((at + messages.byte_offset(), match_id.0, question))
            }
            // The rest is still to come.
            _ => None,
        }
    })
}

impl Tap {
    /// For the app of person `who`; `identities` are those of everybody, in an evening that began then.
    pub async fn start(
        servers: &[SocketAddr],
        (who, identities): (usize, &[String]),
        began: Instant,
        heard: Heard,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let marks = Arc::new(Marks::of(who, identities, began));
        let mut servers: Vec<SocketAddr> = servers.to_vec();
        let first = who % servers.len().max(1);
        servers.rotate_left(first);
        let task = tokio::spawn(async move {
            // Dropping this task ends them all.
            let mut streams = JoinSet::new();
            while let Ok((app, _)) = listener.accept().await {
                let (marks, heard, servers) = (Arc::clone(&marks), Arc::clone(&heard), servers.clone());
                streams.spawn(async move {
                    for server in servers {
                        // While a server is away its port is closed; if all are, so is this stream.
                        if let Ok(server) = TcpStream::connect(server).await {
                            return hand_on(app, server, who, &marks, &heard).await;
                        }
                    }
                });
                while streams.try_join_next().is_some() {}
            }
        });
        Ok(Self { task, address })
    }
}

/// As the development issuer makes it of an identity.
pub fn name_of(identity: &str) -> String {
    let mut name = identity.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

/// As JSON holds it.
fn mark(identity: &str) -> Vec<u8> {
    format!("\"{}\"", name_of(identity)).into_bytes()
}

async fn hand_on(app: TcpStream, server: TcpStream, who: usize, marks: &Marks, heard: &Heard) {
    let ((mut from_app, mut to_app), (mut from_server, mut to_server)) = (app.into_split(), server.into_split());
    let up = async {
        let _ = tokio::io::copy(&mut from_app, &mut to_server).await;
        let _ = to_server.shutdown().await;
    };
    let down = async {
        let (mut seen, mut piece) = (Vec::new(), vec![0; PIECE]);
        while let Ok(length @ 1..) = from_server.read(&mut piece).await {
            seen.extend_from_slice(&piece[..length]);
            // What is looked for may be cut in two.
            let looked_at = marks.look(who, &seen, heard);
            seen.drain(..looked_at);
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

    async fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    #[tokio::test]
    async fn names_and_addresses_are_noticed_even_in_two_pieces_and_everything_arrives() {
        let (listener, server) = listener().await;
        let identities = ["ada", "bao", "guest-1", "guest-12"].map(String::from);
        let heard = Heard::default();
        let tap = Tap::start(&[server], (0, &identities), Instant::now(), Arc::clone(&heard)).await.unwrap();
        let mut app = TcpStream::connect(tap.address).await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        let pieces = ["{\"me\":\"Ada\",\"card\":\"bao\",\"to\":\"Gue", "st-12\",\"a\":\"1 1 udp 9 10.0.0.7 9 typ ho", "st\"}"];
        for piece in pieces {
            stream.write_all(piece.as_bytes()).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        }
        drop(stream);
        let mut text = String::new();
        app.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, pieces.concat());
        let heard = heard.lock().unwrap().clone();
        assert_eq!(heard.names, BTreeSet::from([(0, 3)]));
        assert_eq!(heard.addresses, BTreeSet::from([(0, String::from("typ host"))]));
    }

    #[test]
    fn what_both_want_is_read_from_what_both_are_told() {
        let says = |match_id: &str, question| {
            let match_id = visavis_wire::socket::MatchId(match_id.to_owned());
            serde_json::to_vec(&ServerMessage::QuestionOpened { match_id, question }).unwrap()
        };
        let told = [b"\x81\x50".to_vec(), says("a1", Question::Follow), b"\x81\x50".to_vec(), says("b2", Question::Reveal)];
        let told = [told.concat(), says("c3", Question::Follow)].concat();
        let (marks, heard) = (Marks::of(7, &[], Instant::now()), Heard::default());
        let cut = marks.look(7, &told[..told.len() - 1], &heard);
        assert_eq!(heard.lock().unwrap().follows.keys().collect::<Vec<_>>(), ["a1"], "the rest is still to come");
        assert_eq!(marks.look(7, &told[cut..], &heard), told.len() - cut);
        let heard = heard.lock().unwrap();
        assert_eq!(heard.follows, ["a1", "c3"].map(|id| (String::from(id), BTreeSet::from([7]))).into());
        assert_eq!(heard.reveals[&7].len(), 1, "once, however often it is looked at");
        let longest = says(&"0".repeat(64), Question::Follow).len();
        assert!(longest < OPENED_LENGTH && told.windows(OPENED.len()).any(|window| window == OPENED));
        assert!(marks.longest >= longest);
    }

    #[tokio::test]
    async fn people_are_spread_over_the_servers_and_go_to_the_next_while_theirs_is_away() {
        let (one, other) = (listener().await, listener().await);
        let servers = [one.1, other.1];
        for who in 0..2 {
            let tap = Tap::start(&servers, (who, &[]), Instant::now(), Heard::default()).await.unwrap();
            let _app = TcpStream::connect(tap.address).await.unwrap();
            [&one.0, &other.0][who].accept().await.unwrap();
        }
        let tap = Tap::start(&servers, (1, &[]), Instant::now(), Heard::default()).await.unwrap();
        drop(other);
        let _app = TcpStream::connect(tap.address).await.unwrap();
        one.0.accept().await.unwrap();
    }
}

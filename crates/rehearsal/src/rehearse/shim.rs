//! A bad network in front of the relay: clients are told the address of this one, which hands each of their packets on through a
//! [`Link`] of their own, and what comes back through another. A client is a UDP address, as behind a translating router.

use super::tap::Heard;
use crate::rig::link::Link;
use crate::rig::scenario::LinkConfig;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

/// What clients see instead of the relay's own 127.0.0.1. All of 127/8 is there on Linux and Windows; on macOS an alias is needed.
pub const FRONT: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// Packets under way between a reader and the links.
const WAITING: usize = 4096;
const LARGEST: usize = 2048;

/// Free at the relay's own address and at [`FRONT`].
pub fn free_relay_port() -> std::io::Result<u16> {
    for _ in 0..20 {
        let port = crate::stage::free_port();
        if std::net::UdpSocket::bind((FRONT, port)).is_ok() && std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(std::io::Error::new(std::io::ErrorKind::AddrInUse, format!("no port is free at 127.0.0.1 and at {FRONT}")))
}

/// What the network does now.
#[derive(Clone, Debug, Default)]
pub struct Weather {
    pub link: LinkConfig,
    /// Nothing gets through.
    pub out: bool,
    /// UDP does not get through; TCP does.
    pub udp_blocked: bool,
}

/// Ends with this value.
pub struct Shim {
    tasks: [JoinHandle<()>; 2],
    pub weather: watch::Sender<Weather>,
}

impl Drop for Shim {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Shim {
    /// Takes the place of a relay at `relay`, on the same port of [`FRONT`].
    pub async fn start(relay: SocketAddr, weather: Weather, seed: u64) -> std::io::Result<Self> {
        Self::start_with(relay, weather, seed, None).await
    }

    /// The same; names in what goes by are noticed.
    pub async fn start_with(relay: SocketAddr, weather: Weather, seed: u64, ear: Option<Ear>) -> std::io::Result<Self> {
        let front = Arc::new(UdpSocket::bind((FRONT, relay.port())).await?);
        let streams = TcpListener::bind((FRONT, relay.port())).await?;
        let (sender, receiver) = watch::channel(weather);
        let streams = tokio::spawn(hand_on(streams, relay, receiver.clone()));
        let network = Network {
            front,
            relay,
            weather: receiver,
            seed,
            ear,
            clients: HashMap::new(),
            links: 0,
            due: Queue::default(),
            began: Instant::now(),
        };
        Ok(Self { tasks: [tokio::spawn(network.run()), streams], weather: sender })
    }
}

/// Streams to the relay: late by the link's delay, and gone while nothing gets through. Losses and the bottleneck are not theirs.
async fn hand_on(listener: TcpListener, relay: SocketAddr, weather: watch::Receiver<Weather>) {
    // Dropping this task ends them all.
    let mut streams = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let weather = weather.clone();
        streams.spawn(async move {
            let Ok(server) = TcpStream::connect(relay).await else { return };
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            // Both end as soon as one does.
            tokio::select! {
                () = late(from_client, to_server, weather.clone()) => {}
                () = late(from_server, to_client, weather) => {}
            }
        });
        while streams.try_join_next().is_some() {}
    }
}

async fn late(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, weather: watch::Receiver<Weather>) {
    let (sender, mut waiting) = mpsc::channel::<(Instant, Vec<u8>)>(WAITING);
    let read = async {
        let mut buffer = vec![0; LARGEST];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            let delay = Duration::from_secs_f64(weather.borrow().link.delay_ms / 1e3);
            if sender.send((Instant::now() + delay, buffer[..length].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let mut outages = weather.clone();
    let write = async {
        while let Some((at, bytes)) = waiting.recv().await {
            tokio::time::sleep_until(at).await;
            // TCP sends again what did not get through.
            if outages.wait_for(|weather| !weather.out).await.is_err() || to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = read => {}
        () = write => {}
    }
}

/// Looks for names in packets.
pub struct Ear {
    names: Vec<(usize, Vec<u8>)>,
    heard: Heard,
}

impl Ear {
    /// Shorter ones would be found by chance in what is encrypted.
    const SHORTEST: usize = 6;

    /// `names` as people see them.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>, heard: Heard) -> Self {
        let names = names.into_iter().enumerate().filter(|(_, name)| name.len() >= Self::SHORTEST);
        Self { names: names.map(|(who, name)| (who, name.as_bytes().to_vec())).collect(), heard }
    }

    fn look(&self, data: &[u8]) {
        // Media in a channel of TURN (RFC 8656 section 12.4) are most of all packets, and encrypted (RFC 7983 section 7).
        if matches!(data, [0x40..0x80, _, _, _, 128..192, ..]) {
            return;
        }
        // The first letter spares most of the comparing.
        let begins = |window: &[u8], name: &[u8]| window[0] | 0x20 == name[0] | 0x20;
        let holds =
            |name: &[u8]| data.windows(name.len()).any(|window| begins(window, name) && window.eq_ignore_ascii_case(name));
        let found: Vec<usize> = self.names.iter().filter(|(_, name)| holds(name)).map(|(who, _)| *who).collect();
        if !found.is_empty() {
            self.heard.lock().unwrap_or_else(PoisonError::into_inner).relayed.extend(found);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

/// A call is never silent for so long, even where nothing comes through: then the port is another's, and what was kept for it goes.
const SILENT: Duration = Duration::from_secs(120);

struct Client {
    heard: Instant,
    /// The relay sees the client as this socket.
    back: Arc<UdpSocket>,
    reader: JoinHandle<()>,
    up: Link,
    down: Link,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// By time, then by the order in which they came.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: u64,
    number: u64,
    client: SocketAddr,
    up: bool,
    data: Box<[u8]>,
}

#[derive(Default)]
struct Queue {
    waiting: BinaryHeap<Reverse<Due>>,
    /// Of the newest.
    number: u64,
}

struct Network {
    front: Arc<UdpSocket>,
    relay: SocketAddr,
    weather: watch::Receiver<Weather>,
    seed: u64,
    ear: Option<Ear>,
    clients: HashMap<SocketAddr, Client>,
    /// Pairs of links so far; each has losses of its own.
    links: u64,
    due: Queue,
    began: Instant,
}

impl Network {
    async fn run(mut self) {
        let (from_relay, mut back) = mpsc::channel(WAITING);
        let mut buffer = vec![0; LARGEST];
        loop {
            let next = self.next();
            let front = Arc::clone(&self.front);
            tokio::select! {
                received = front.recv_from(&mut buffer) => {
                    // A client whose port is closed is reported here on some systems.
                    let Ok((length, client)) = received else { continue };
                    if self.known(client, &from_relay).await.is_ok() {
                        self.push(client, Way::Up, &buffer[..length]);
                    }
                }
                Some((client, data)) = back.recv() => {
                    let data: Vec<u8> = data;
                    self.push(client, Way::Down, &data);
                }
                changed = self.weather.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.new_weather();
                }
                () = tokio::time::sleep_until(next) => {}
            }
            self.deliver().await;
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn next(&self) -> Instant {
        let links = self.clients.values().flat_map(|client| [client.up.next_event(), client.down.next_event()]).flatten();
        let next = links.chain(self.due.waiting.peek().map(|due| due.0.at)).min();
        self.began + next.map_or(Duration::from_secs(3600 * 24), Duration::from_nanos)
    }

    async fn known(&mut self, client: SocketAddr, from_relay: &mpsc::Sender<(SocketAddr, Vec<u8>)>) -> std::io::Result<()> {
        let now = Instant::now();
        if let Some(known) = self.clients.get_mut(&client) {
            known.heard = now;
            return Ok(());
        }
        self.clients.retain(|_, known| now.duration_since(known.heard) < SILENT);
        let back = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        back.connect(self.relay).await?;
        let (socket, sender) = (Arc::clone(&back), from_relay.clone());
        let reader = tokio::spawn(async move {
            let mut buffer = vec![0; LARGEST];
            loop {
                match socket.recv(&mut buffer).await {
                    Ok(length) if sender.send((client, buffer[..length].to_vec())).await.is_err() => return,
                    Ok(_) => {}
                    // The relay is away for the moment.
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        });
        let config = self.weather.borrow().link.clone();
        let seed = self.seed.wrapping_add(2 * self.links);
        self.links += 1;
        let (up, down) = (Link::new(config.clone(), seed), Link::new(config, seed + 1));
        self.clients.insert(client, Client { heard: now, back, reader, up, down });
        Ok(())
    }

    fn new_weather(&mut self) {
        let config = self.weather.borrow_and_update().link.clone();
        for client in self.clients.values_mut() {
            client.up.set(config.clone());
            client.down.set(config.clone());
        }
    }

    fn push(&mut self, address: SocketAddr, way: Way, data: &[u8]) {
        if self.weather.borrow().out || self.weather.borrow().udp_blocked {
            return;
        }
        if let Some(ear) = &self.ear {
            ear.look(data);
        }
        let now = self.now();
        let Some(client) = self.clients.get_mut(&address) else { return };
        let link = if way == Way::Up { &mut client.up } else { &mut client.down };
        link.push(data, now, &mut schedule(&mut self.due, address, way));
    }

    async fn deliver(&mut self) {
        let now = self.now();
        for (address, client) in &mut self.clients {
            client.up.advance(now, &mut schedule(&mut self.due, *address, Way::Up));
            client.down.advance(now, &mut schedule(&mut self.due, *address, Way::Down));
        }
        while self.due.waiting.peek().is_some_and(|due| due.0.at <= now) {
            let Some(Reverse(due)) = self.due.waiting.pop() else { return };
            // Sending fails while nobody listens; a network says nothing of that.
            let _ = match self.clients.get(&due.client) {
                Some(client) if due.up => client.back.send(&due.data).await,
                Some(_) => self.front.send_to(&due.data, due.client).await,
                None => Ok(0),
            };
        }
    }
}

fn schedule(due: &mut Queue, client: SocketAddr, way: Way) -> impl FnMut(u64, crate::rig::link::Packet) {
    move |at, packet| {
        due.number += 1;
        due.waiting.push(Reverse(Due { at, number: due.number, client, up: way == Way::Up, data: packet.data }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A relay that sends everything back.
    async fn echo() -> SocketAddr {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; LARGEST];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                socket.send_to(&buffer[..length], from).await.unwrap();
            }
        });
        address
    }

    async fn answer(client: &UdpSocket, front: SocketAddr, within: Duration) -> Option<Duration> {
        let began = Instant::now();
        client.send_to(b"hello", front).await.unwrap();
        let mut buffer = [0; 16];
        let got = tokio::time::timeout(within, client.recv_from(&mut buffer)).await.ok()?.unwrap();
        assert_eq!((&buffer[..got.0], got.1), (&b"hello"[..], front));
        Some(began.elapsed())
    }

    #[tokio::test]
    async fn packets_are_delayed_both_ways_lost_and_let_through_again() {
        let relay = echo().await;
        let link = LinkConfig { delay_ms: 40.0, ..LinkConfig::default() };
        let shim = match Shim::start(relay, Weather { link: link.clone(), out: false, ..Weather::default() }, 1).await {
            Ok(shim) => shim,
            Err(error) => {
                eprintln!(
                    "SKIPPED: {FRONT} is not there on this system ({error}), so a bad network cannot be put in front of a relay"
                );
                return;
            }
        };
        let front = SocketAddr::new(FRONT, relay.port());
        let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let second = Duration::from_secs(5);
        assert!(answer(&client, front, second).await.unwrap() >= Duration::from_millis(80));
        shim.weather.send_replace(Weather { link: link.clone(), out: true, ..Weather::default() });
        assert_eq!(answer(&client, front, Duration::from_millis(300)).await, None);
        shim.weather.send_replace(Weather {
            link: LinkConfig { loss_pct: 100.0, ..LinkConfig::default() },
            out: false,
            ..Weather::default()
        });
        assert_eq!(answer(&client, front, Duration::from_millis(300)).await, None);
        shim.weather.send_replace(Weather::default());
        assert!(answer(&client, front, second).await.is_some());
    }

    #[tokio::test]
    async fn who_is_silent_for_long_is_forgotten_when_another_comes() {
        let front = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap());
        let (relay, weather) = (echo().await, watch::channel(Weather::default()).1);
        let (clients, due, began) = (HashMap::new(), Queue::default(), Instant::now());
        let mut network = Network { front, relay, weather, seed: 1, ear: None, clients, links: 0, due, began };
        let (from_relay, _back) = mpsc::channel(1);
        let [first, second, third] = [1, 2, 3].map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        network.known(first, &from_relay).await.unwrap();
        network.known(second, &from_relay).await.unwrap();
        let known = network.clients.get_mut(&first).unwrap();
        known.heard = known.heard.checked_sub(SILENT).unwrap();
        network.known(third, &from_relay).await.unwrap();
        assert!(!network.clients.contains_key(&first) && network.clients.contains_key(&second));
        assert_eq!((network.clients.len(), network.links), (2, 3));
        // Whoever is heard stays.
        let known = network.clients.get_mut(&second).unwrap();
        known.heard = known.heard.checked_sub(SILENT).unwrap();
        network.known(second, &from_relay).await.unwrap();
        network.known(first, &from_relay).await.unwrap();
        assert!(network.clients.contains_key(&second));
    }

    #[test]
    fn names_in_what_is_no_media_are_noticed() {
        let heard = Heard::default();
        let ear = Ear::of(["Ada", "Guest-7", "Guest-8"], Arc::clone(&heard));
        ear.look(b"\0\x01\0\x08\x21\x12\xa4\x42 ada guest-8 ");
        ear.look(b"\x40\0\0\x20\x80\x60guest-7 in what is media by its first byte");
        ear.look(b"\x40\0\0\x20\x16\xfe");
        assert_eq!(heard.lock().unwrap().relayed.iter().copied().collect::<Vec<_>>(), [2]);
    }
}

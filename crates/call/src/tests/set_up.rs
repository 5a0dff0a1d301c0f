//! How long it takes from both sides knowing of the match to the first decoded picture, step by step, with a relay that is some
//! way off. The figures of a machine with other work say little: the bound here only catches a step that waits for nothing, and
//! the printed figures (`--nocapture`) are for a quiet one.

use super::*;
#[path = "../../tests/support/relay.rs"]
mod turn_relay;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use tokio::net::UdpSocket;
use tokio::time::sleep;

/// A relay's address that is half of `round_trip` away from everybody.
async fn at_a_distance(relay: SocketAddr, round_trip: Duration) -> SocketAddr {
    let front = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let address = front.local_addr().unwrap();
    let half = round_trip / 2;
    tokio::spawn(async move {
        let mut backs: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
        let mut buffer = vec![0; 2048];
        while let Ok((length, from)) = front.recv_from(&mut buffer).await {
            if let Entry::Vacant(free) = backs.entry(from) {
                let back = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
                back.connect(relay).await.unwrap();
                free.insert(Arc::clone(&back));
                let front = Arc::clone(&front);
                tokio::spawn(async move {
                    let mut buffer = vec![0; 2048];
                    while let Ok(length) = back.recv(&mut buffer).await {
                        let (datagram, front) = (buffer[..length].to_vec(), Arc::clone(&front));
                        tokio::spawn(async move {
                            sleep(half).await;
                            let _ = front.send_to(&datagram, from).await;
                        });
                    }
                });
            }
            let (datagram, back) = (buffer[..length].to_vec(), Arc::clone(&backs[&from]));
            tokio::spawn(async move {
                sleep(half).await;
                let _ = back.send(&datagram).await;
            });
        }
    });
    address
}

/// Carries signals with a delay, as the server would, until both have shown a picture; gives when each did.
async fn first_pictures(sides: &mut [Side; 2], clock: Clock, way: Duration) -> [Duration; 2] {
    let first = Mutex::new([None::<Duration>; 2]);
    let (mut gates, pool) = ([Gate::new(), Gate::new()], FramePool::new(8));
    let mut ticks = tokio::time::interval(Duration::from_millis(33));
    let (late, mut arriving) = mpsc::unbounded_channel::<(usize, Signal)>();
    let mut number = 0;
    loop {
        let [a, b] = &mut *sides;
        let (from, event) = tokio::select! {
            event = a.1.recv() => (0usize, event.unwrap()),
            event = b.1.recv() => (1, event.unwrap()),
            Some((to, signal)) = arriving.recv() => {
                sides[to].0.command(Command::Signal(signal));
                continue;
            }
            _ = ticks.tick() => {
                number += 1;
                for (at, side) in sides.iter().enumerate() {
                    if let Some(picture) = numbered(&pool, &mut gates[at], number, clock.now()) {
                        side.0.pictures().put(picture);
                    }
                    if side.0.peer_pictures().try_take().is_some() {
                        first.lock().unwrap()[at].get_or_insert(clock.now());
                    }
                }
                if let [Some(a), Some(b)] = *first.lock().unwrap() {
                    return [a, b];
                }
                continue;
            }
        };
        match event {
            Event::Signal(signal) => {
                let late = late.clone();
                tokio::spawn(async move {
                    sleep(way).await;
                    let _ = late.send((1 - from, signal));
                });
            }
            Event::Failed(why) => panic!("{why}"),
            _ => {}
        }
    }
}

async fn measure(what: &str, policy: Policy, relay: RelayCredentials, way: Duration) -> Duration {
    let clock = Clock::start();
    let mut sides =
        [Role::Offerer, Role::Answerer].map(|role| Call::start(Config { policy, relay: relay.clone(), ..config(role, clock) }));
    // The match is offered and looked at: both gather.
    sleep(Duration::from_millis(500)).await;
    let began = clock.now();
    let first = timeout(PATIENCE, first_pictures(&mut sides, clock, way)).await.unwrap();
    for (side, (name, first)) in sides.iter().zip([("offerer", first[0]), ("answerer", first[1])]) {
        let steps = *side.0.shared().set_up.lock().unwrap();
        let since = |at: Option<Duration>| at.map_or(f32::NAN, |at| at.saturating_sub(began).as_secs_f32() * 1000.0);
        println!(
            "{what}, {name}: description {:.0} ms, path {:.0}, media {:.0}, channels {:.0}, first picture {:.0}",
            since(steps.described),
            since(steps.path),
            since(steps.media),
            since(steps.channels),
            since(Some(first)),
        );
    }
    first[0].max(first[1]) - began
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_step_of_the_set_up_waits_for_nothing() {
    let (server, credentials) = turn_relay::relay().await;
    let relay: SocketAddr = credentials.urls[0]["turn:".len()..].split('?').next().unwrap().parse().unwrap();
    let none = RelayCredentials::default();
    let direct = measure("direct, loopback", Policy::Any, none, Duration::ZERO).await;
    let near = measure("relay, loopback", Policy::RelayOnly, credentials.clone(), Duration::ZERO).await;
    let mut far = Duration::ZERO;
    // End to end through the relay it is twice as far.
    for round_trip in [20, 40].map(Duration::from_millis) {
        let url = format!("turn:{}?transport=udp", at_a_distance(relay, round_trip).await);
        let what = format!("relay, {} ms end to end", 2 * round_trip.as_millis());
        far = measure(&what, Policy::RelayOnly, RelayCredentials { urls: vec![url], ..credentials.clone() }, round_trip).await;
    }
    println!("direct {direct:?}, relayed {near:?}, relayed over 80 ms {far:?}");
    assert!(direct < Duration::from_secs(5) && near < Duration::from_secs(5) && far < Duration::from_secs(5));
    server.close().await.unwrap();
}

//! Two engines that may meet through a relay only.

mod support;
#[path = "support/relay.rs"]
mod turn_relay;

use std::time::{Duration, Instant};
use support::{Painter, Watcher, connect, expect, no_relay, pair, show, start, until};
use turn_relay::relay;
use visavis_call::{Event, Policy};
use visavis_media::Clock;
use visavis_wire::socket::{Role, Signal};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_meet_through_the_relay_and_tell_no_address_of_their_own() {
    let clock = Clock::start();
    let (server, credentials) = relay().await;
    let began = Instant::now();
    let (mut a, mut b) = pair(Policy::RelayOnly, credentials, clock);
    connect(&mut a, &mut b).await;
    println!("connected through the relay after {:?}", began.elapsed());

    let at_b = Watcher::new(&b, clock);
    let mut painter = Painter::new(640, 360);
    let sent = show(&a, &mut painter, clock, 0, 150).await;
    at_b.until_count(100).await;
    println!("first picture shown after {:?}", at_b.seen()[0].1 - sent[0].1);
    report_latency(&sent, &at_b.seen());

    let relayed = until(&mut a, &mut b, |event| match event {
        Event::Statistics(figures) => Some((figures.relayed, figures.round_trip_ms)),
        _ => None,
    })
    .await;
    assert!(relayed.0.0 && relayed.1.0);

    for signal in a.signals.iter().chain(&b.signals) {
        match signal {
            Signal::Candidate { candidate: Some(line), .. } => {
                let line = line.reveal();
                assert!(line.contains("typ relay") && line.contains("raddr 0.0.0.0 rport 0"), "{line}");
            }
            // The relay's own address is 127.0.0.1 here as well; nothing but its candidates may name it.
            Signal::Offer { sdp } | Signal::Answer { sdp } => {
                for line in sdp.reveal().lines() {
                    let relayed = line.starts_with("a=candidate:") && line.contains("typ relay raddr 0.0.0.0 rport 0");
                    assert!(relayed || !(line.contains("127.0.0.1") || line.starts_with("a=candidate:")), "{line}");
                }
            }
            Signal::Candidate { .. } => {}
        }
    }
    drop((a, b));
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.close().await.unwrap();
}

fn report_latency(sent: &[(u32, Duration)], seen: &[(u32, Duration)]) {
    let mut delays: Vec<Duration> = seen
        .iter()
        .filter_map(|(number, at)| sent.iter().find(|(other, _)| other == number).map(|(_, from)| at.saturating_sub(*from)))
        .collect();
    delays.sort();
    println!(
        "capture to decoded over {} of {} pictures: p50 {:?}, p95 {:?}",
        delays.len(),
        sent.len(),
        delays[delays.len() / 2],
        delays[delays.len() * 95 / 100]
    );
    assert!(delays[delays.len() / 2] < Duration::from_millis(500));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_relay_strangers_do_not_meet_and_are_told_so() {
    let mut side = start(Role::Offerer, Policy::RelayOnly, no_relay(), Clock::start());
    let why = expect(&mut side, |event| if let Event::Failed(why) = event { Some(why.clone()) } else { None }).await;
    assert!(why.contains("relay"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_that_falls_silent_is_noticed_within_seconds() {
    let (server, credentials) = relay().await;
    let (mut a, mut b) = pair(Policy::RelayOnly, credentials, Clock::start());
    connect(&mut a, &mut b).await;
    server.close().await.unwrap();
    let silent = Instant::now();
    until(&mut a, &mut b, |event| matches!(event, Event::Interrupted).then_some(())).await;
    println!("both interrupted after {:?}", silent.elapsed());
    assert!(silent.elapsed() < Duration::from_secs(6));
}

/// Both could go through the relay as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_may_meet_directly_do_and_say_so() {
    let clock = Clock::start();
    let (server, credentials) = relay().await;
    let (mut a, mut b) = pair(Policy::Any, credentials, clock);
    connect(&mut a, &mut b).await;
    let at_b = Watcher::new(&b, clock);
    show(&a, &mut Painter::new(640, 360), clock, 0, 60).await;
    at_b.until_count(30).await;
    let direct = |event: &Event| matches!(event, Event::Statistics(figures) if !figures.relayed).then_some(());
    until(&mut a, &mut b, direct).await;
    let told = |side: &support::Side, kind: &str| {
        side.signals
            .iter()
            .any(|signal| matches!(signal, Signal::Candidate { candidate: Some(line), .. } if line.reveal().contains(kind)))
    };
    for side in [&a, &b] {
        assert!(told(side, "typ host") && told(side, "typ relay"), "{:?}", side.signals.len());
    }
    // Nothing needs the relay: its end is not noticed.
    server.close().await.unwrap();
    let before = at_b.seen().len();
    show(&a, &mut Painter::new(640, 360), clock, 100, 60).await;
    at_b.until_count(before + 30).await;
    drop((a, b));
}

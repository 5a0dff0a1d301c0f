//! A peer that floods the paper's channels: what is over the rate is dropped unread or ignored, and the pictures go on.

mod support;

use std::time::Duration;
use support::{Painter, Side, Watcher, connect, no_relay, pair, show};
use visavis_call::{Command, Event, Policy};
use visavis_media::Clock;
use visavis_wire::channel::{Ink, Live, Operations};
use visavis_wire::paper::{Author, Op, OpId, OpKind, Point, Stroke};

const PICTURES: u32 = 90;
/// Ten thousand operations a second.
const OPERATIONS_PER_MS: u32 = 10;

fn operation(seq: u32) -> Op {
    let point = |at: u16| Point { x: at * 9, y: at, pressure: 128 };
    let stroke = Stroke { colour: Some(1), size: 40, points: (0..20).map(point).collect() };
    Op { id: OpId { author: Author(0), seq }, time: seq, live: 0, kind: OpKind::Stroke(stroke) }
}

/// Counts the operations and the ink that get through while `side` receives.
async fn drain(side: &mut Side) -> (usize, usize) {
    let (mut operations, mut live) = (0, 0);
    while let Ok(event) = side.events.try_recv() {
        match event {
            Event::Operations(Operations(ops)) => operations += ops.len(),
            Event::Live(_) => live += 1,
            _ => {}
        }
    }
    (operations, live)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_operations_leaves_the_pictures_alone() {
    let clock = Clock::start();
    let (mut a, mut b) = pair(Policy::Any, no_relay(), clock);
    connect(&mut a, &mut b).await;
    let at_b = Watcher::new(&b, clock);
    let mut painter = Painter::new(640, 360);
    show(&a, &mut painter, clock, 0, PICTURES).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let calm = at_b.seen().len();
    drain(&mut b).await;

    let mut sent = 0;
    let flood = async {
        let mut tick = tokio::time::interval(Duration::from_millis(1));
        loop {
            tick.tick().await;
            for _ in 0..OPERATIONS_PER_MS {
                sent += 1;
                a.call.command(Command::Operations(Operations(vec![operation(sent)])));
            }
            let ink = Ink { colour: Some(1), size: 40, fades: false };
            let points = vec![Point { x: 1, y: 1, pressure: 1 }; 64];
            a.call.command(Command::Live(Live::Ink { stroke: sent, ink, from: 0, points }));
        }
    };
    tokio::select! {
        () = flood => {}
        _ = show(&a, &mut painter, clock, 200, PICTURES) => {}
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let flooded = at_b.seen().len() - calm;
    let (operations, live) = drain(&mut b).await;
    println!(
        "{sent} operations sent, {operations} and {live} pieces of ink let through; pictures: {calm} calm, {flooded} flooded"
    );
    assert!(sent > 5_000, "the flood was none: {sent}");
    // A burst of a thousand and two hundred a second.
    assert!(operations < 4_000, "{operations} operations were let through");
    assert!(calm > 30, "{calm} pictures without a flood");
    assert!(flooded * 10 >= calm * 7, "{flooded} pictures in a flood, {calm} without");
}

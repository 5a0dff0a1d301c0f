//! Two engines over loopback sockets without a relay: what they carry, and how they end.

mod support;

use support::{Painter, Watcher, connect, expect, no_relay, pair, show, until};
use visavis_call::{Command, Event, Policy};
use visavis_media::Clock;
use visavis_wire::channel::{Control, Live, Operations};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_and_messages_go_both_ways() {
    let clock = Clock::start();
    let (mut a, mut b) = pair(Policy::Any, no_relay(), clock);
    connect(&mut a, &mut b).await;

    a.call.command(Command::Control(Control::Muted { muted: true }));
    b.call.command(Command::Operations(Operations(Vec::new())));
    b.call.command(Command::Live(Live::Cursor { x: 7, y: 9 }));
    assert!(expect(&mut b, |event| matches!(event, Event::Control(Control::Muted { muted: true })).then_some(true)).await);
    expect(&mut a, |event| matches!(event, Event::Operations(_)).then_some(())).await;
    expect(&mut a, |event| matches!(event, Event::Live(Live::Cursor { x: 7, y: 9 })).then_some(())).await;

    let (at_a, at_b) = (Watcher::new(&a, clock), Watcher::new(&b, clock));
    let (mut one, mut two) = (Painter::new(640, 360), Painter::new(640, 360));
    tokio::join!(show(&a, &mut one, clock, 0, 40), show(&b, &mut two, clock, 500, 40));
    at_a.until_count(30).await;
    at_b.until_count(30).await;
    assert!(at_b.seen().iter().all(|(number, _)| *number < 40));
    assert!(at_a.seen().iter().all(|(number, _)| (500..540).contains(number)));
    until(&mut a, &mut b, |event| match event {
        Event::Statistics(figures) if figures.received_fps > 5.0 && figures.received_width == 640 => Some(()),
        _ => None,
    })
    .await;
}

//! Two engines over loopback sockets without a relay: what they carry, and how they end.

mod support;

use support::{Painter, Watcher, connect, expect, no_relay, pair, show, until};
use visavis_call::{Command, Event, Policy};
use visavis_media::Clock;
use visavis_wire::channel::{Control, Live, Operations};
use visavis_wire::socket::Signal;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_and_messages_go_both_ways() {
    let clock = Clock::start();
    let (mut a, mut b) = pair(Policy::Any, no_relay(), clock);
    connect(&mut a, &mut b).await;

    a.call.command(Command::Control(Control::Muted { muted: true }));
    b.call.command(Command::Operations(Operations(Vec::new())));
    b.call.command(Command::Live(Live::Cursor { x: 7, y: 9 }));
    assert!(expect(&mut b, |event| matches!(event, Event::Control(Control::Muted { muted: true })).then_some(true)).await);
    // Two channels: either may be the first.
    let (mut operations, mut cursor) = (false, false);
    expect(&mut a, |event| {
        operations |= matches!(event, Event::Operations(_));
        cursor |= matches!(event, Event::Live(Live::Cursor { x: 7, y: 9 }));
        (operations && cursor).then_some(())
    })
    .await;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hanging_up_is_said_and_closes_both_sides() {
    let (mut a, mut b) = pair(Policy::Any, no_relay(), Clock::start());
    connect(&mut a, &mut b).await;
    a.call.command(Command::HangUp);
    expect(&mut b, |event| matches!(event, Event::Control(Control::Leaving)).then_some(())).await;
    expect(&mut b, |event| matches!(event, Event::Closed).then_some(())).await;
    expect(&mut a, |event| matches!(event, Event::Closed).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_the_handle_hangs_up() {
    let (mut a, mut b) = pair(Policy::Any, no_relay(), Clock::start());
    connect(&mut a, &mut b).await;
    drop(a.call);
    expect(&mut b, |event| matches!(event, Event::Control(Control::Leaving)).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_by_either_side_keeps_the_call() {
    let clock = Clock::start();
    let (mut a, mut b) = pair(Policy::Any, no_relay(), clock);
    connect(&mut a, &mut b).await;
    for by_offerer in [true, false] {
        let restarted = if by_offerer { &a } else { &b };
        restarted.call.command(Command::Restart);
        // A second's statistics after the answer came: four rounds leave the answerer time to offer.
        for _ in 0..5 {
            until(&mut a, &mut b, |event| matches!(event, Event::Statistics(_)).then_some(())).await;
        }
        let offers = |side: &support::Side| side.signals.iter().filter(|signal| matches!(signal, Signal::Offer { .. })).count();
        assert_eq!((offers(&a), offers(&b)), if by_offerer { (2, 0) } else { (2, 1) });
        let at_b = Watcher::new(&b, clock);
        let before = at_b.seen().len();
        show(&a, &mut Painter::new(640, 360), clock, 100, 30).await;
        at_b.until_count(before + 10).await;
        a.call.command(Command::Control(Control::Muted { muted: by_offerer }));
        expect(&mut b, |event| matches!(event, Event::Control(Control::Muted { .. })).then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_is_heard() {
    let (mut a, mut b) = pair(Policy::Any, no_relay(), Clock::start());
    connect(&mut a, &mut b).await;
    let (microphone, mut speaker) = (a.call.microphone(), b.call.speaker());
    let mut loudest = 0;
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(20));
    for piece in 0..150usize {
        ticks.tick().await;
        let tone = std::array::from_fn(|index| ((((piece * 960 + index) as f32) * 0.0576).sin() * 8000.0) as i16);
        microphone.push(&tone);
        let mut heard = [0i16; 960];
        speaker.pull(&mut heard);
        loudest = loudest.max(heard.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0));
    }
    assert!(loudest > 3000, "the loudest sample was {loudest}");
}

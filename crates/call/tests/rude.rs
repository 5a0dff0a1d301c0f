//! Somebody's own app sends bytes that no app of ours would: at random, cut off, too many, too long, all at once. What can be read among
//! them arrives in its order, what cannot is counted, each once, and pictures go on both ways.

mod support;

use std::time::Duration;
use support::{Painter, Side, Watcher, connect, no_relay, pair, show};
use tokio::time::timeout;
use visavis_call::{Channel, Command, Event, Policy};
use visavis_media::Clock;
use visavis_wire::channel::{ChannelMessage, Control, Live, Operations};
use visavis_wire::limits;
use visavis_wire::paper::{Author, Op, OpId, OpKind, Point, Stroke};

const PATIENCE: Duration = Duration::from_secs(20);
/// More than comes through at once on its channel.
const CONTROLS: u32 = 80;
const OPERATIONS: u32 = 700;
const LIVES: u32 = 3000;
const PICTURES: u32 = 1200;
const ENOUGH: usize = 20;

/// Number `at` of what is done to a message: in turn noise behind the right version, the message without its end, with something behind
/// its end, and over the limit.
fn broken(message: &[u8], at: u32) -> Vec<u8> {
    let mut noise = u64::from(at).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut byte = || {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        noise as u8
    };
    let mut bytes = message.to_vec();
    match at % 4 {
        1 => bytes.truncate(at as usize % message.len()),
        2 => bytes.push(byte()),
        3 if at % 32 == 3 => bytes.resize(limits::CHANNEL_MESSAGE + 1, 7),
        // 255: no variant of any message.
        _ => bytes.splice(1.., std::iter::once(255).chain((0..40 + at % 200).map(|_| byte()))).for_each(drop),
    }
    bytes
}

fn control(at: u32) -> Control {
    Control::Muted { muted: at.is_multiple_of(3) }
}

fn operation(seq: u32) -> Operations {
    let points = (0..8).map(|at| Point { x: at * 9, y: at, pressure: 128 }).collect();
    let stroke = Stroke { colour: Some(1), size: 40, points };
    Operations(vec![Op { id: OpId { author: Author(0), seq }, time: seq, live: 0, kind: OpKind::Stroke(stroke) }])
}

/// What one side has had of the other.
#[derive(Default)]
struct Had {
    controls: Vec<Control>,
    operations: Vec<Operations>,
    malformed: u32,
}

impl Had {
    async fn until(&mut self, side: &mut Side, enough: impl Fn(&Self) -> bool) {
        let wait = async {
            while !enough(self) {
                match side.events.recv().await.expect("a call should not end here") {
                    Event::Control(message) => self.controls.push(message),
                    Event::Operations(message) => self.operations.push(message),
                    Event::Statistics(figures) => self.malformed = figures.malformed,
                    Event::Failed(_) | Event::Closed | Event::Interrupted | Event::Tampered => panic!("the call ended"),
                    _ => {}
                }
            }
        };
        let outcome = timeout(PATIENCE, wait).await;
        let (controls, operations) = (self.controls.len(), self.operations.len());
        assert!(outcome.is_ok(), "{controls} controls, {operations} operations, {} unreadable", self.malformed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_bytes_are_counted_and_nothing_else_is_lost() {
    let clock = Clock::start();
    let (mut rude, mut other) = pair(Policy::Any, no_relay(), clock);
    connect(&mut rude, &mut other).await;
    let (at_rude, at_other) = (Watcher::new(&rude, clock), Watcher::new(&other, clock));

    // Good and bad in turn, on the channels that lose nothing.
    for at in 0..CONTROLS {
        rude.call.send_bytes(Channel::Control, broken(&control(at).to_bytes(), at));
        rude.call.command(Command::Control(control(at)));
    }
    for at in 0..OPERATIONS {
        rude.call.send_bytes(Channel::Operations, broken(&operation(at).to_bytes(), at));
        rude.call.command(Command::Operations(operation(at)));
    }
    let mut had = Had::default();
    let (controls, operations) = (CONTROLS as usize, OPERATIONS as usize);
    let all = |had: &Had| had.controls.len() >= controls && had.operations.len() >= operations;
    had.until(&mut other, |had| all(had) && had.malformed >= CONTROLS + OPERATIONS).await;
    assert_eq!(had.malformed, CONTROLS + OPERATIONS, "each once");
    assert_eq!(had.controls, (0..CONTROLS).map(control).collect::<Vec<_>>());
    assert_eq!(had.operations, (0..OPERATIONS).map(operation).collect::<Vec<_>>());

    // A flood on the channel that may lose, while pictures go both ways.
    let (mut own_painter, mut painter) = (Painter::new(640, 360), Painter::new(640, 360));
    let live = Live::Cursor { x: 1, y: 2 }.to_bytes();
    for at in 0..LIVES {
        rude.call.send_bytes(Channel::Live, broken(&live, at));
    }
    let shown = async {
        tokio::join!(show(&rude, &mut own_painter, clock, 0, PICTURES), show(&other, &mut painter, clock, 0, PICTURES));
    };
    // However slow the machine is.
    let seen = async {
        at_rude.until_count(ENOUGH).await;
        at_other.until_count(ENOUGH).await;
    };
    tokio::select! {
        () = shown => panic!("too few pictures came: {} and {}", at_rude.seen().len(), at_other.seen().len()),
        () = seen => {}
    }
    had.until(&mut other, |had| had.malformed > CONTROLS + OPERATIONS + LIVES / 10).await;
    assert!(had.malformed <= CONTROLS + OPERATIONS + LIVES, "{}", had.malformed);
    // And both still hear each other.
    rude.call.command(Command::Control(Control::StaysVeiled { stays: true }));
    had.until(&mut other, |had| had.controls.last() == Some(&Control::StaysVeiled { stays: true })).await;
    other.call.command(Command::Control(control(0)));
    Had::default().until(&mut rude, |had| had.controls == [control(0)]).await;
}

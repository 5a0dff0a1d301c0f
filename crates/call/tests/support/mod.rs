//! Two engines in one process and what they need: signalling carried by hand, pictures with numbers, a relay on loopback.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of their functions")]

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;
use visavis_call::{Call, Codecs, Command, Config, Event, Policy};
use visavis_media::{Clock, Frame, FramePool, marker};
use visavis_sight::{Gate, PlanesMut, Released};
use visavis_wire::socket::{RelayCredentials, Role};

pub const PATIENCE: Duration = Duration::from_secs(15);

pub struct Side {
    pub call: Call,
    pub events: UnboundedReceiver<Event>,
    /// Everything that was signalled to the other side.
    pub signals: Vec<visavis_wire::socket::Signal>,
}

pub fn no_relay() -> RelayCredentials {
    RelayCredentials::default()
}

pub fn start(role: Role, policy: Policy, relay: RelayCredentials, clock: Clock) -> Side {
    let config = Config { role, relay, policy, max_video_kbps: 1200, codecs: Codecs::Auto, clock, pool: FramePool::new(8) };
    let (call, events) = Call::start(config);
    Side { call, events, signals: Vec::new() }
}

pub fn pair(policy: Policy, relay: RelayCredentials, clock: Clock) -> (Side, Side) {
    (start(Role::Offerer, policy, relay.clone(), clock), start(Role::Answerer, policy, relay, clock))
}

/// Carries signals both ways until each side has seen an event that `wanted` takes; gives those.
pub async fn until<T>(a: &mut Side, b: &mut Side, mut wanted: impl FnMut(&Event) -> Option<T>) -> (T, T) {
    let (mut found_a, mut found_b) = (None, None);
    let carry = async {
        while found_a.is_none() || found_b.is_none() {
            tokio::select! {
                event = a.events.recv() => pass(event, &mut a.signals, &b.call, &mut found_a, &mut wanted),
                event = b.events.recv() => pass(event, &mut b.signals, &a.call, &mut found_b, &mut wanted),
            }
        }
    };
    timeout(PATIENCE, carry).await.expect("both sides should have come so far");
    (found_a.unwrap(), found_b.unwrap())
}

fn pass<T>(
    event: Option<Event>,
    signals: &mut Vec<visavis_wire::socket::Signal>,
    other: &Call,
    found: &mut Option<T>,
    wanted: &mut impl FnMut(&Event) -> Option<T>,
) {
    let event = event.expect("a call should not end here");
    if let Event::Failed(why) = &event {
        panic!("a call failed: {why}");
    }
    if found.is_none() {
        *found = wanted(&event);
    }
    if let Event::Signal(signal) = event {
        signals.push(signal.clone());
        other.command(Command::Signal(signal));
    }
}

pub async fn connect(a: &mut Side, b: &mut Side) {
    until(a, b, |event| matches!(event, Event::Connected).then_some(())).await;
}

/// Waits for an event of one side.
pub async fn expect<T>(side: &mut Side, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
    let wait = async {
        loop {
            let event = side.events.recv().await.expect("a call should not end here");
            if let Some(found) = wanted(&event) {
                return found;
            }
        }
    };
    timeout(PATIENCE, wait).await.expect("an event should have come")
}

fn planes(frame: &mut Frame) -> PlanesMut<'_> {
    let (width, height) = (frame.width, frame.height);
    let (chroma, _) = frame.chroma_size();
    let (y, u, v) = frame.planes_mut();
    PlanesMut { width, height, y: (y, width), u: (u, chroma), v: (v, chroma) }
}

/// Pictures with numbers in a moving pattern, released by a real gate. It veils them; the cells of the number are as coarse as
/// the veil's blocks and stay readable.
pub struct Painter {
    pub pool: FramePool,
    pub gate: Gate,
    pub size: (usize, usize),
}

impl Painter {
    pub fn new(width: usize, height: usize) -> Self {
        Self { pool: FramePool::new(4), gate: Gate::new(), size: (width, height) }
    }

    pub fn picture(&mut self, number: u32, now: Duration) -> Option<Released<Frame>> {
        let mut frame = self.pool.frame(self.size.0, self.size.1, now)?;
        let (width, shift) = (frame.width, number as usize * 3);
        let (y, u, v) = frame.planes_mut();
        for (row, line) in y.chunks_exact_mut(width).enumerate() {
            for (column, sample) in line.iter_mut().enumerate() {
                *sample = 60 + (((column + shift) / 40 + row / 40) % 2) as u8 * 100;
            }
        }
        u.fill(110);
        v.fill(140);
        marker::burn(&mut frame, number);
        Some(self.gate.release(frame, now, planes))
    }
}

/// The numbers of the pictures that arrive at a side, with the time of arrival; read by a thread until the mailbox closes.
pub struct Watcher {
    seen: Arc<std::sync::Mutex<Vec<(u32, Duration)>>>,
}

impl Watcher {
    pub fn new(side: &Side, clock: Clock) -> Self {
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let (pictures, list) = (side.call.peer_pictures(), Arc::clone(&seen));
        std::thread::spawn(move || {
            while !pictures.is_closed() {
                let Some(frame) = pictures.take(Duration::from_millis(50)) else { continue };
                if let Some(number) = marker::read(&frame) {
                    list.lock().unwrap().push((number, clock.now()));
                }
            }
        });
        Self { seen }
    }

    pub fn seen(&self) -> Vec<(u32, Duration)> {
        self.seen.lock().unwrap().clone()
    }

    pub async fn until_count(&self, count: usize) {
        let wait = async {
            while self.seen.lock().unwrap().len() < count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{count} pictures should have come, {} did", self.seen().len()));
    }
}

/// Sends `count` pictures at 30 a second; gives when each was captured.
pub async fn show(side: &Side, painter: &mut Painter, clock: Clock, first: u32, count: u32) -> Vec<(u32, Duration)> {
    let pictures = side.call.pictures();
    let mut ticks = tokio::time::interval(Duration::from_micros(33_333));
    let mut sent = Vec::new();
    for number in first..first + count {
        ticks.tick().await;
        let now = clock.now();
        if let Some(picture) = painter.picture(number, now) {
            pictures.put(picture);
            sent.push((number, now));
        }
    }
    sent
}

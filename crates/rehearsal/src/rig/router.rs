//! The forwarder: one thread that moves packets between the three TUN devices, through the links of a scenario.

use super::link::{Counters, Link, Packet};
use super::namespaces::{Host, NAMES, side_of};
use super::scenario::{LinkConfig, Scenario, Step};
use super::system::{be_on_time, now_ns, wait_readable};
use serde_json::{Map, Value, json};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longest sleep, after which the schedule and the wish to stop are looked at.
const LOOK_NS: u64 = 50_000_000;
const SECOND_NS: u64 = 1_000_000_000;
/// Packets read from one device in a row.
const AT_ONCE: usize = 64;
const LARGEST_PACKET: usize = 65_536;
const SIDES: usize = NAMES.len();

pub fn unix_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1000.0
}

/// What the links did.
#[derive(Default)]
pub struct Report {
    pub totals: Vec<(String, Counters)>,
    first_packet_unix_ms: f64,
    /// A row a second: seconds since the first packet, then a to b and b to a.
    timeline: Vec<(f64, [Counters; 2])>,
    /// How late packets left the forwarder, against the time at which they were due: mean, 99th percentile, most.
    late_ms: [f64; 3],
}

impl Report {
    pub fn to_json(&self, scenario: &str, ended: &str) -> Value {
        let totals: Map<String, Value> = self.totals.iter().map(|(name, counters)| (name.clone(), json!(counters))).collect();
        let rows: Vec<Value> = self.timeline.windows(2).map(|pair| second(&pair[0], &pair[1])).collect();
        let [mean, p99, max] = self.late_ms;
        json!({
            "scenario": scenario, "ended": ended, "first_packet_unix_ms": self.first_packet_unix_ms, "totals": totals,
            "forwarder_late_ms": { "mean": mean, "p99": p99, "max": max }, "per_second": rows,
        })
    }
}

/// The difference of two rows.
fn second(before: &(f64, [Counters; 2]), after: &(f64, [Counters; 2])) -> Value {
    let mut row = json!({ "t_s": (after.0 * 1000.0).round() / 1000.0 });
    for (index, direction) in ["a2b", "b2a"].into_iter().enumerate() {
        let (old, new) = (before.1[index], after.1[index]);
        let kbps = |bytes: u64| (bytes as f64 * 8.0 / 1000.0 / (after.0 - before.0)).round();
        row[direction] = json!({
            "in_kbps": kbps(new.in_bytes - old.in_bytes), "out_kbps": kbps(new.out_bytes - old.out_bytes),
            "lost": new.lost - old.lost, "queue_dropped": new.queue_dropped - old.queue_dropped,
        });
    }
    row
}

pub struct Router {
    thread: JoinHandle<Report>,
    stop: Arc<AtomicBool>,
    first_packet: Arc<AtomicU64>,
}

impl Router {
    pub fn start(hosts: &[Host], scenario: &Scenario) -> io::Result<Self> {
        let (stop, first_packet) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut forwarder = Forwarder::new(hosts, scenario, Arc::clone(&first_packet))?;
        let wish = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name(String::from("forwarder")).spawn(move || {
            forwarder.run(&wish);
            forwarder.report()
        })?;
        Ok(Self { thread, stop, first_packet })
    }

    /// `None` until a packet went from a to b or back.
    pub fn since_first_packet(&self) -> Option<Duration> {
        match self.first_packet.load(Ordering::SeqCst) {
            0 => None,
            first => Some(Duration::from_nanos(now_ns().saturating_sub(first))),
        }
    }

    pub fn stop(self) -> Report {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap_or_default()
    }
}

/// A packet behind its bottleneck; ordered by time, then by turn.
struct Due {
    when: u64,
    turn: u64,
    to: usize,
    packet: Packet,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.when, self.turn) == (other.when, other.turn)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.when, self.turn).cmp(&(other.when, other.turn))
    }
}

/// Packets that are under way.
#[derive(Default)]
struct UnderWay {
    due: BinaryHeap<Reverse<Due>>,
    turns: u64,
}

impl UnderWay {
    fn to(&mut self, to: usize) -> impl FnMut(u64, Packet) {
        move |when, packet| {
            self.turns += 1;
            self.due.push(Reverse(Due { when, turn: self.turns, to, packet }));
        }
    }
}

struct Forwarder {
    tuns: Vec<File>,
    /// `links[from][to]`
    links: Vec<Vec<Link>>,
    under_way: UnderWay,
    steps: VecDeque<Step>,
    first_packet: Arc<AtomicU64>,
    first_packet_unix_ms: f64,
    timeline: Vec<(f64, [Counters; 2])>,
    /// Microseconds.
    late: Vec<u32>,
}

impl Forwarder {
    fn new(hosts: &[Host], scenario: &Scenario, first_packet: Arc<AtomicU64>) -> io::Result<Self> {
        let mut steps: VecDeque<Step> = scenario.steps.iter().cloned().collect();
        let start = steps.pop_front().ok_or_else(|| io::Error::other("a scenario without a beginning"))?;
        let config = |from, to| -> &LinkConfig {
            match (from, to) {
                (0, 1) => &start.a2b,
                (1, 0) => &start.b2a,
                _ => &scenario.server,
            }
        };
        let link = |from, to| Link::new(config(from, to).clone(), scenario.seed.wrapping_mul(16) + (from * 4 + to) as u64);
        Ok(Self {
            tuns: hosts.iter().map(|host| host.tun.try_clone()).collect::<io::Result<_>>()?,
            links: (0..SIDES).map(|from| (0..SIDES).map(|to| link(from, to)).collect()).collect(),
            under_way: UnderWay::default(),
            steps,
            first_packet,
            first_packet_unix_ms: 0.0,
            timeline: Vec::new(),
            late: Vec::new(),
        })
    }

    fn run(&mut self, stop: &AtomicBool) {
        be_on_time();
        let mut buffer = vec![0; LARGEST_PACKET];
        while !stop.load(Ordering::Relaxed) {
            let now = now_ns();
            self.keep_schedule(now);
            self.move_links(now);
            self.write_due(now_ns());
            wait_readable(&self.tuns, self.pause(now_ns()));
            for from in 0..SIDES {
                for _ in 0..AT_ONCE {
                    match (&self.tuns[from]).read(&mut buffer) {
                        Ok(length) if length > 0 => self.accept(from, &buffer[..length]),
                        _ => break,
                    }
                }
            }
        }
    }

    /// IPv4 between the three addresses, and nothing else.
    fn accept(&mut self, from: usize, data: &[u8]) {
        let destination = data.get(16..20).and_then(|bytes| bytes.try_into().ok()).and_then(side_of);
        let Some(to) = destination.filter(|to| *to != from && data[0] >> 4 == 4) else { return };
        let now = now_ns();
        if from < 2 && to < 2 && self.first_packet.load(Ordering::Relaxed) == 0 {
            self.first_packet.store(now, Ordering::SeqCst);
            self.first_packet_unix_ms = unix_ms();
        }
        self.links[from][to].push(data, now, &mut self.under_way.to(to));
    }

    fn keep_schedule(&mut self, now: u64) {
        let first = self.first_packet.load(Ordering::Relaxed);
        if first == 0 {
            return;
        }
        let time = Duration::from_nanos(now.saturating_sub(first));
        while self.steps.front().is_some_and(|step| step.at <= time) {
            let Some(step) = self.steps.pop_front() else { return };
            self.links[0][1].set(step.a2b);
            self.links[1][0].set(step.b2a);
        }
        if time.as_secs_f64() >= self.timeline.len() as f64 {
            self.timeline.push((time.as_secs_f64(), [self.links[0][1].counters, self.links[1][0].counters]));
        }
    }

    fn move_links(&mut self, now: u64) {
        for row in &mut self.links {
            for (to, link) in row.iter_mut().enumerate() {
                link.advance(now, &mut self.under_way.to(to));
            }
        }
    }

    fn write_due(&mut self, now: u64) {
        while self.under_way.due.peek().is_some_and(|next| next.0.when <= now) {
            let Some(Reverse(next)) = self.under_way.due.pop() else { return };
            self.late.push(u32::try_from((now - next.when) / 1000).unwrap_or(u32::MAX));
            // A full device drops, as a full card would.
            let _ = (&self.tuns[next.to]).write(&next.packet.data);
        }
    }

    fn pause(&self, now: u64) -> Duration {
        let next = self.under_way.due.peek().map(|next| next.0.when);
        let events = self.links.iter().flatten().filter_map(Link::next_event);
        let until = events.chain(next).min().unwrap_or(u64::MAX).min(now + LOOK_NS);
        Duration::from_nanos(until.saturating_sub(now).min(SECOND_NS))
    }

    fn report(mut self) -> Report {
        let mut totals = Vec::new();
        for (from, row) in self.links.iter().enumerate() {
            for (to, link) in row.iter().enumerate().filter(|(to, _)| *to != from) {
                totals.push((format!("{}2{}", NAMES[from], NAMES[to]), link.counters));
            }
        }
        self.late.sort_unstable();
        let last = self.late.len().saturating_sub(1);
        let at = |share: f64| self.late.get((last as f64 * share) as usize).map_or(0.0, |micros| f64::from(*micros) / 1000.0);
        let mean = self.late.iter().map(|micros| f64::from(*micros)).sum::<f64>() / self.late.len().max(1) as f64 / 1000.0;
        let (late_ms, timeline) = ([mean, at(0.99), at(1.0)], self.timeline);
        Report { totals, first_packet_unix_ms: self.first_packet_unix_ms, timeline, late_ms }
    }
}

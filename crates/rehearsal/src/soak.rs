//! Evenings of many people in virtual time: the product's own state machines over emulated wires, without a socket, a thread or a
//! clock. A seed decides everything, so an evening that fails is repeated by its seed.
//!
//! Real: the nodes and rooms of the server with their matcher, blind questions and filter of addresses; each person's evening with its
//! paper and games; the gates. Emulated, with seeded faults: the store (with the promises of the real one), the bus, sockets, the
//! path between two people, cameras and the detector, whose verdict is the truth after a delay.
//!
//! | module | is |
//! |---|---|
//! | [`cluster`] | nodes, store and bus |
//! | [`person`] | one app and who sits before it |
//! | [`calls`] | what passes between two apps |
//! | [`eye`] | cameras, pictures, and how they look to the other side |
//! | [`judge`] | what must hold, by what people were sent, decoded and wrote |
//! | [`world`] | the order of events |

pub mod calls;
pub mod cluster;
pub mod dice;
pub mod eye;
pub mod judge;
pub mod person;
mod store;
pub mod world;

use judge::Broken;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// How large an evening is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub people: usize,
    /// Of meeting, before everybody goes home.
    pub seconds: u64,
    pub nodes: usize,
    /// Things that go wrong with the servers.
    pub faults: usize,
}

impl Size {
    /// The evening that the product is judged by.
    pub const WHOLE: Self = Self { people: 200, seconds: 150, nodes: 3, faults: 5 };
}

/// A part that is broken on purpose, so that a rule is seen to notice it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// The server lets a third into a match.
    ThirdPerson,
    /// The store forgets whom people met.
    NoMemory,
    /// The store forgets blocks.
    NoBlocks,
    /// One yes is enough to follow.
    OneYes,
    /// Gates are told what opens them.
    OpenGate,
    /// The server passes signals on as they come.
    Unfiltered,
    /// Strokes get lost, and nothing is asked for again.
    LostStrokes,
    /// Matches are never written down as ended.
    Forgotten,
}

/// What an evening consisted of, so that one can see that it proved something.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub matches: usize,
    pub calls: usize,
    pub revealed: usize,
    pub pictures: u64,
    pub clear: u64,
    pub papers: usize,
    pub marks: usize,
    pub games: usize,
    pub follows: usize,
    pub blocks: usize,
    pub crashes: usize,
    pub faults: usize,
    pub messages: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.matches += other.matches;
        self.calls += other.calls;
        self.revealed += other.revealed;
        self.pictures += other.pictures;
        self.clear += other.clear;
        self.papers += other.papers;
        self.marks += other.marks;
        self.games += other.games;
        self.follows += other.follows;
        self.blocks += other.blocks;
        self.crashes += other.crashes;
        self.faults += other.faults;
        self.messages += other.messages;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} matches, {} calls ({} revealed), {} pictures ({} clear), {} papers compared ({} marks), {} games, {} follows, {} blocks, {} apps crashed, {} faults, {} messages",
            self.matches,
            self.calls,
            self.revealed,
            self.pictures,
            self.clear,
            self.papers,
            self.marks,
            self.games,
            self.follows,
            self.blocks,
            self.crashes,
            self.faults,
            self.messages
        )
    }
}

/// An evening in which a rule was broken.
#[derive(Clone, Debug, thiserror::Error)]
#[error("seed {seed}, {at_s:.2} s into the evening: {broken}")]
pub struct Failed {
    pub seed: u64,
    pub at_s: f64,
    pub broken: Broken,
}

/// One evening.
pub fn evening(seed: u64, size: Size, sabotage: Option<Sabotage>) -> Result<Tally, Failed> {
    world::World::new(seed, size, sabotage).run()
}

/// Many, on all processors; the first that fails ends it. One in four has one node, as most operators have.
pub fn evenings(seeds: std::ops::Range<u64>, tell: impl Fn(u64, &Tally) + Sync) -> Result<Tally, Failed> {
    let (next, failed) = (AtomicU64::new(seeds.start), Mutex::new(None));
    let work = || {
        let mut sum = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let ended = failed.lock().unwrap_or_else(PoisonError::into_inner).is_some();
            if seed >= seeds.end || ended {
                return sum;
            }
            let nodes = if seed % 4 == 3 { 1 } else { 3 };
            match evening(seed, Size { nodes, ..Size::WHOLE }, None) {
                Ok(tally) => {
                    tell(seed, &tally);
                    sum += tally;
                }
                Err(broken) => {
                    failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(broken);
                    return sum;
                }
            }
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let sum = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads.into_iter().fold(Tally::default(), |mut sum, thread| {
            sum += thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            sum
        })
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(sum), Err)
}

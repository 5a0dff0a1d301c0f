//! The history of one match: who did what, in which order it counts, and what of it is visible.
//!
//! Order is Lamport time, so every operation has its place wherever and whenever it arrives. What bounds the history is what
//! both sides are known to agree on: [`History::meet`] compares counts and hashes, and whatever lies [`REDO_REACH`] below the
//! last point of agreement can neither be undone nor be preceded by anything new, so it leaves as pixels
//! ([`History::freeze`]).

use crate::change::{Change, Item, Merged, Met};
use crate::hash::Fnv;
use crate::log::Log;
use crate::rules::{self, Fault, REDO_REACH};
use std::collections::{BTreeMap, BTreeSet};
use visavis_wire::channel::Here;
use visavis_wire::paper::{Author, Fill, Op, OpId, OpKind, Shape, Stroke};

/// Place of an operation in the picture: Lamport time, author, running number.
type Key = (u32, Author, u32);

/// A peer whose operations keep differing from its own account of them is no longer believed.
const REPAIRS: u32 = 8;

fn key_of(op: &Op) -> Key {
    (op.time, op.id.author, op.id.seq)
}

/// What lies on the paper, as opposed to what hides or takes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    Stroke(Stroke),
    Shape(Shape),
    Fill(Fill),
}

impl From<Mark> for OpKind {
    fn from(mark: Mark) -> Self {
        match mark {
            Mark::Stroke(stroke) => Self::Stroke(stroke),
            Mark::Shape(shape) => Self::Shape(shape),
            Mark::Fill(fill) => Self::Fill(fill),
        }
    }
}

/// The paper of a match as one of its two sides knows it.
pub struct History {
    own: Author,
    /// By author number: 0 the offerer, 1 the answerer.
    logs: [Log; 2],
    /// Marks and clears that can still change; undos act through `undone`.
    order: BTreeMap<Key, OpId>,
    clears: BTreeSet<Key>,
    undone: BTreeSet<OpId>,
    /// What left through [`Self::freeze`] shows nothing.
    blank_below: bool,
    /// Own operations that were undone and not yet overtaken by a new one, the latest last.
    redo: Vec<OpId>,
    /// Highest Lamport time seen.
    time: u32,
    /// By author: up to here both sides hold the same.
    agreed: [u32; 2],
    /// No operation of the peer that is not here yet has this time or an earlier one.
    settled: u32,
    repairs: u32,
    refused: u64,
}

impl History {
    /// `own` is 0 or 1; anything else counts as 1.
    pub fn new(own: Author) -> Self {
        Self {
            own: Author(own.0.min(1)),
            logs: [Log::new(), Log::new()],
            order: BTreeMap::new(),
            clears: BTreeSet::new(),
            undone: BTreeSet::new(),
            blank_below: true,
            redo: Vec::new(),
            time: 0,
            agreed: [0; 2],
            settled: 0,
            repairs: 0,
            refused: 0,
        }
    }

    fn log(&self, author: Author) -> &Log {
        &self.logs[usize::from(author.0.min(1))]
    }

    fn peer(&self) -> Author {
        Author(1 - self.own.0)
    }

    fn op(&self, id: OpId) -> Option<&Op> {
        self.log(id.author).get(id.seq)
    }

    /// The own user's mark is complete; it lies on top of everything. `live` is the number its ink went under, or 0.
    pub fn draw(&mut self, mark: Mark, live: u32) -> Result<(Op, Vec<Change>), Fault> {
        let made = self.make(mark.into(), live)?;
        self.redo.clear();
        Ok(made)
    }

    /// Hides everything so far, for both. `None` when there is nothing to hide.
    pub fn clear(&mut self) -> Result<Option<(Op, Vec<Change>)>, Fault> {
        if self.is_blank() {
            return Ok(None);
        }
        let made = self.make(OpKind::Clear, 0)?;
        self.redo.clear();
        Ok(Some(made))
    }

    /// Takes back the latest own operation that still shows. `None` when there is none within reach.
    pub fn undo(&mut self) -> Result<Option<(Op, Vec<Change>)>, Fault> {
        let Some(target) = self.undo_target() else { return Ok(None) };
        let made = self.make(OpKind::Undo { target, undone: true }, 0)?;
        self.redo.push(target);
        Ok(Some(made))
    }

    /// Restores what [`Self::undo`] took back last, until something new was drawn.
    pub fn redo(&mut self) -> Result<Option<(Op, Vec<Change>)>, Fault> {
        let Some(target) = self.redo_target() else { return Ok(None) };
        let made = self.make(OpKind::Undo { target, undone: false }, 0)?;
        self.redo.pop();
        Ok(Some(made))
    }

    pub fn can_undo(&self) -> bool {
        self.undo_target().is_some()
    }

    pub fn can_redo(&self) -> bool {
        self.redo_target().is_some()
    }

    /// Nothing to see.
    pub fn is_blank(&self) -> bool {
        self.visible_keys().next().is_none() && (self.blank_below || self.last_clear().is_some())
    }

    /// What a clear of either side hides is not offered: taking it back would change nothing that can be seen.
    fn undo_target(&self) -> Option<OpId> {
        let floor = self.last_clear();
        let next = self.time.saturating_add(1);
        self.order
            .iter()
            .rev()
            .take_while(|(key, _)| floor.is_none_or(|floor| **key >= floor) && rules::reaches(next, key.0, true))
            .map(|(_, id)| *id)
            .find(|id| id.author == self.own && !self.undone.contains(id))
    }

    fn redo_target(&self) -> Option<OpId> {
        let target = *self.redo.last()?;
        let time = self.op(target)?.time;
        rules::reaches(self.time.saturating_add(1), time, false).then_some(target)
    }

    fn make(&mut self, kind: OpKind, live: u32) -> Result<(Op, Vec<Change>), Fault> {
        let id = OpId { author: self.own, seq: self.log(self.own).count() + 1 };
        let op = Op { id, time: self.time + 1, live, kind };
        rules::check(&op, self.log(self.own), true)?;
        let changes = self.insert(op.clone()).into_iter().collect();
        Ok((op, changes))
    }

    /// Takes the peer's operations as they come. Whatever is repeated, out of order or forged changes nothing and is counted.
    pub fn merge(&mut self, ops: Vec<Op>) -> Merged {
        let mut merged = Merged::default();
        for op in ops {
            let here = self.log(self.peer()).count();
            if op.id.author != self.peer() {
                merged.refused += 1;
            } else if op.id.seq <= here {
                merged.repeated += 1;
            } else if op.id.seq > here + 1 {
                merged.gap = true;
            } else {
                match self.check(&op) {
                    Ok(()) => merged.changes.extend(self.insert(op)),
                    // It is asked for again when more has been agreed on.
                    Err(Fault::Full) => merged.gap = true,
                    Err(_) => merged.refused += 1,
                }
            }
        }
        self.refused += u64::from(merged.refused);
        merged
    }

    /// An author's time rises with each operation and by at most one for each operation there is: it lies between the own
    /// number and that number plus all that the other side has made. A larger one would push the own clock out of range, a
    /// smaller one would change what both sides have agreed on.
    fn check(&self, op: &Op) -> Result<(), Fault> {
        let log = self.log(op.id.author);
        let made_here = self.log(self.own).count();
        if op.time <= log.last_time().max(self.settled) || op.time > made_here.saturating_add(op.id.seq) {
            return Err(Fault::Time);
        }
        rules::check(op, log, false)
    }

    fn insert(&mut self, op: Op) -> Option<Change> {
        let key = key_of(&op);
        let change = match &op.kind {
            OpKind::Undo { target, undone } => {
                let changed = if *undone { self.undone.insert(*target) } else { self.undone.remove(target) };
                changed.then_some(Change::Show { id: *target, shown: !undone })
            }
            kind => {
                if matches!(kind, OpKind::Clear) {
                    self.clears.insert(key);
                }
                let above = self.order.range(key..).count();
                self.order.insert(key, op.id);
                Some(Change::Insert { op: op.clone(), above: u32::try_from(above).unwrap_or(u32::MAX) })
            }
        };
        self.time = self.time.max(op.time);
        self.logs[usize::from(op.id.author.0.min(1))].push(op);
        change
    }

    /// The clear that counts: the topmost that is not undone.
    fn last_clear(&self) -> Option<Key> {
        self.clears.iter().rev().copied().find(|&(_, author, seq)| !self.undone.contains(&OpId { author, seq }))
    }

    fn visible_keys(&self) -> impl Iterator<Item = OpId> {
        let from = self.last_clear().unwrap_or((0, Author(0), 0));
        self.order.range(from..).filter(|(key, id)| !self.undone.contains(id) && !self.clears.contains(key)).map(|(_, id)| *id)
    }

    /// The marks on the paper, bottom first, without what left through [`Self::freeze`].
    pub fn visible(&self) -> Vec<Op> {
        self.visible_keys().filter_map(|id| self.op(id).cloned()).collect()
    }

    /// Whether a clear among the [`Self::items`] hides what left through [`Self::freeze`].
    pub fn hides_frozen(&self) -> bool {
        self.last_clear().is_some()
    }

    /// Everything that can still change, bottom first.
    pub fn items(&self) -> Vec<Item> {
        let item = |id: &OpId| self.op(*id).map(|op| Item { op: op.clone(), shown: !self.undone.contains(id) });
        self.order.values().filter_map(item).collect()
    }

    /// What is here, for the peer.
    pub fn here(&self) -> Here {
        let [offerer, answerer] = &self.logs;
        Here {
            offerer: offerer.count(),
            answerer: answerer.count(),
            offerer_hash: offerer.last_hash(),
            answerer_hash: answerer.last_hash(),
        }
    }

    /// Equal on both sides once both hold the same operations. Stable between versions and machines.
    pub fn hash(&self) -> u64 {
        let here = self.here();
        let mut hash = Fnv::after(here.offerer_hash);
        hash.bytes(&here.answerer_hash.to_le_bytes());
        hash.finish()
    }

    /// Compares what the peer has with what is here.
    pub fn meet(&mut self, theirs: Here) -> Met {
        let (own, peer) = (usize::from(self.own.0), usize::from(self.peer().0));
        let counts = [theirs.offerer, theirs.answerer];
        let hashes = [theirs.offerer_hash, theirs.answerer_hash];
        if counts[own] > self.logs[own].count() {
            self.refused += 1;
            return Met::default();
        }
        let mut met = Met { missing: self.logs[own].after(counts[own]).cloned().collect(), ..Met::default() };
        // What is no longer kept was agreed on.
        let same = |author: usize| self.logs[author].at(counts[author]).is_none_or(|(_, hash)| hash == hashes[author]);
        let time = |author: usize| self.logs[author].at(counts[author]).map_or(0, |(time, _)| time);
        let behind = counts[peer] > self.logs[peer].count();
        let (own_same, peer_same) = (same(own), same(peer));
        if own_same && peer_same && !behind {
            // Whatever the peer makes from now on comes after both.
            self.settled = self.settled.max(time(own)).max(time(peer));
            for author in [own, peer] {
                self.agreed[author] = self.agreed[author].max(counts[author]);
            }
        }
        met.repaired = !peer_same && !behind && self.repairs < REPAIRS;
        if met.repaired {
            self.repairs += 1;
            self.forget_unagreed();
        }
        met.answer = behind || met.repaired || (!own_same && self.repairs < REPAIRS);
        met
    }

    /// The peer is known to hold what is here, and no more.
    pub fn is_agreed(&self) -> bool {
        self.agreed == [self.logs[0].count(), self.logs[1].count()]
    }

    /// Takes away what is here of the peer beyond what both agree on.
    fn forget_unagreed(&mut self) {
        let peer = self.peer();
        let log = &mut self.logs[usize::from(peer.0)];
        for op in log.truncate(self.agreed[usize::from(peer.0)]) {
            self.order.remove(&key_of(&op));
            self.clears.remove(&key_of(&op));
        }
        self.undone.retain(|id| id.author != peer);
        for op in log.iter() {
            match op.kind {
                OpKind::Undo { target, undone: true } => self.undone.insert(target),
                OpKind::Undo { target, undone: false } => self.undone.remove(&target),
                _ => false,
            };
        }
    }

    pub fn can_freeze(&self) -> bool {
        let lowest = self.order.first_key_value().map(|(first, _)| first.0);
        lowest.is_some_and(|time| time.saturating_add(REDO_REACH) < self.settled)
    }

    /// Takes at most `most` items away that can change no more. The first is how many items of the list they were, the
    /// second those of them that are shown, clears included: draw them, in order, onto what was frozen before.
    pub fn freeze(&mut self, most: usize) -> (u32, Vec<Op>) {
        let Some(until) = self.settled.checked_sub(REDO_REACH) else { return (0, Vec::new()) };
        let (mut count, mut shown) = (0, Vec::new());
        while (count as usize) < most
            && let Some(first) = self.order.first_entry()
            && first.key().0 < until
        {
            let (key, id) = first.remove_entry();
            count += 1;
            self.clears.remove(&key);
            if !self.undone.remove(&id)
                && let Some(op) = self.op(id).cloned()
            {
                self.blank_below = matches!(op.kind, OpKind::Clear);
                shown.push(op);
            }
        }
        // Nothing that is still in the list may lose its operation.
        let until = self.order.first_key_value().map_or(until, |(first, _)| until.min(first.0)).saturating_sub(1);
        for (log, agreed) in self.logs.iter_mut().zip(self.agreed) {
            log.forget(agreed, until);
        }
        (count, shown)
    }

    /// Operations of the peer, or accounts of them, that no honest program makes, so far.
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

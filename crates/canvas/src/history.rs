//! The history of one match: who did what, in which order it counts, and what of it is visible.

use crate::hash::Fnv;
use crate::rules::{self, Fault};
use std::collections::{BTreeMap, BTreeSet};
use visavis_wire::paper::{Author, Op, OpId, OpKind, Stroke};

/// Place of an operation in the picture: Lamport time, author, running number.
type Key = (u32, Author, u32);

fn key_of(op: &Op) -> Key {
    (op.time, op.id.author, op.id.seq)
}

/// What has to be drawn after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Nothing,
    /// These strokes lie on top of everything, in this order: draw them onto the picture that is there.
    Appended(Vec<Op>),
    /// Draw anew from [`History::visible`].
    Redraw,
}

impl Change {
    fn and(self, next: Self) -> Self {
        match (self, next) {
            (Self::Redraw, _) | (_, Self::Redraw) => Self::Redraw,
            (Self::Nothing, other) | (other, Self::Nothing) => other,
            (Self::Appended(mut first), Self::Appended(second)) => {
                first.extend(second);
                Self::Appended(first)
            }
        }
    }
}

/// Outcome of a message with the peer's operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    pub change: Change,
    /// Operations that were here already. Ordinary after a re-send.
    pub repeated: u32,
    /// Something before these is missing: say what is here ([`History::have`]) so that the peer sends it again.
    pub gap: bool,
    /// Operations that no honest program makes.
    pub refused: u32,
}

#[derive(Default)]
struct Made {
    /// By `seq - 1`.
    kinds: Vec<OpKind>,
    /// Lamport times, by `seq - 1`; strictly rising.
    times: Vec<u32>,
    points: usize,
    strokes: u32,
}

impl Made {
    fn count(&self) -> u32 {
        u32::try_from(self.kinds.len()).unwrap_or(u32::MAX)
    }
}

/// The paper of a match as one of its two sides knows it.
pub struct History {
    own: Author,
    /// By author number: 0 the offerer, 1 the answerer.
    authors: [Made; 2],
    /// Strokes and clears; undos act through `undone`.
    order: BTreeMap<Key, OpId>,
    clears: BTreeSet<Key>,
    undone: BTreeSet<OpId>,
    /// Own operations that were undone and not yet overtaken by a new one, the latest last.
    redo: Vec<OpId>,
    /// Highest Lamport time seen.
    time: u32,
    refused: u64,
}

impl History {
    /// `own` is 0 or 1; anything else counts as 1.
    pub fn new(own: Author) -> Self {
        Self {
            own: Author(own.0.min(1)),
            authors: Default::default(),
            order: BTreeMap::new(),
            clears: BTreeSet::new(),
            undone: BTreeSet::new(),
            redo: Vec::new(),
            time: 0,
            refused: 0,
        }
    }

    fn author(&self, author: Author) -> &Made {
        &self.authors[usize::from(author.0.min(1))]
    }

    fn peer(&self) -> Author {
        Author(1 - self.own.0)
    }

    fn op(&self, id: OpId) -> Option<Op> {
        let author = self.author(id.author);
        let index = (id.seq as usize).checked_sub(1)?;
        Some(Op { id, time: *author.times.get(index)?, kind: author.kinds.get(index)?.clone() })
    }

    /// The own user's stroke is complete. It lies on top of everything.
    pub fn draw(&mut self, stroke: Stroke) -> Result<Op, Fault> {
        let op = self.make(OpKind::Stroke(stroke))?;
        self.redo.clear();
        Ok(op)
    }

    /// Hides everything so far, for both. `None` when there is nothing to hide.
    pub fn clear(&mut self) -> Result<Option<Op>, Fault> {
        if self.visible_keys().next().is_none() {
            return Ok(None);
        }
        let op = self.make(OpKind::Clear)?;
        self.redo.clear();
        Ok(Some(op))
    }

    /// Takes back the latest own operation that still shows. `None` when there is none.
    pub fn undo(&mut self) -> Result<Option<Op>, Fault> {
        let Some(target) = self.undo_target() else { return Ok(None) };
        let op = self.make(OpKind::Undo { target, undone: true })?;
        self.redo.push(target);
        Ok(Some(op))
    }

    /// Restores what [`Self::undo`] took back last, until something new was drawn.
    pub fn redo(&mut self) -> Result<Option<Op>, Fault> {
        let Some(&target) = self.redo.last() else { return Ok(None) };
        let op = self.make(OpKind::Undo { target, undone: false })?;
        self.redo.pop();
        Ok(Some(op))
    }

    pub fn can_undo(&self) -> bool {
        self.undo_target().is_some()
    }

    pub fn can_redo(&self) -> bool {
        !self.redo.is_empty()
    }

    /// What a clear of either side hides is not offered: taking it back would change nothing that can be seen.
    fn undo_target(&self) -> Option<OpId> {
        let floor = self.last_clear();
        self.order
            .iter()
            .rev()
            .take_while(|(key, _)| floor.is_none_or(|floor| **key >= floor))
            .map(|(_, id)| *id)
            .find(|id| id.author == self.own && !self.undone.contains(id))
    }

    fn make(&mut self, kind: OpKind) -> Result<Op, Fault> {
        let author = self.author(self.own);
        rules::kind(&kind, self.own, &author.kinds, author.points)?;
        let op = Op { id: OpId { author: self.own, seq: author.count() + 1 }, time: self.time + 1, kind };
        self.insert(&op);
        Ok(op)
    }

    /// Takes the peer's operations as they come. Whatever is repeated, out of order or forged changes nothing and is counted.
    pub fn merge(&mut self, ops: Vec<Op>) -> Merged {
        let mut merged = Merged { change: Change::Nothing, repeated: 0, gap: false, refused: 0 };
        for op in ops {
            let here = self.author(self.peer()).count();
            if op.id.author != self.peer() {
                merged.refused += 1;
            } else if op.id.seq <= here {
                merged.repeated += 1;
            } else if op.id.seq > here + 1 {
                merged.gap = true;
            } else if self.check(&op).is_err() {
                merged.refused += 1;
            } else {
                let change = self.insert(&op);
                merged.change = merged.change.and(change);
            }
        }
        self.refused += u64::from(merged.refused);
        merged
    }

    /// An author's time rises with each operation and by at most one for each operation there is: it lies between the own
    /// number and that number plus all that the other side has made. A larger one would push the own clock out of range.
    fn check(&self, op: &Op) -> Result<(), Fault> {
        let author = self.author(op.id.author);
        let made_here = self.author(self.own).count();
        let last = author.times.last().copied().unwrap_or(0);
        if op.time <= last || op.time > made_here.saturating_add(op.id.seq) {
            return Err(Fault::Time);
        }
        rules::kind(&op.kind, op.id.author, &author.kinds, author.points)
    }

    fn insert(&mut self, op: &Op) -> Change {
        let key = key_of(op);
        let change = match &op.kind {
            OpKind::Stroke(_) => {
                let change = if self.order.last_key_value().is_none_or(|(top, _)| *top < key) {
                    Change::Appended(vec![op.clone()])
                } else if self.last_clear().is_some_and(|clear| clear > key) {
                    Change::Nothing
                } else {
                    Change::Redraw
                };
                self.order.insert(key, op.id);
                change
            }
            OpKind::Clear => {
                let change = if self.last_clear().is_some_and(|clear| clear > key) { Change::Nothing } else { Change::Redraw };
                self.order.insert(key, op.id);
                self.clears.insert(key);
                change
            }
            OpKind::Undo { target, undone } => {
                let changed = if *undone { self.undone.insert(*target) } else { self.undone.remove(target) };
                if changed { Change::Redraw } else { Change::Nothing }
            }
        };
        self.time = self.time.max(op.time);
        let author = &mut self.authors[usize::from(op.id.author.0.min(1))];
        if let OpKind::Stroke(stroke) = &op.kind {
            author.points += stroke.points.len();
            author.strokes += 1;
        }
        author.times.push(op.time);
        author.kinds.push(op.kind.clone());
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

    /// The strokes on the paper, bottom first.
    pub fn visible(&self) -> Vec<Op> {
        self.visible_keys().filter_map(|id| self.op(id)).collect()
    }

    /// Equal on both sides once both hold the same operations. Stable between versions and machines.
    pub fn hash(&self) -> u64 {
        let mut hash = Fnv::new();
        for op in self.visible() {
            hash.op(&op);
        }
        hash.finish()
    }

    /// Highest running number here of (offerer, answerer).
    pub fn have(&self) -> (u32, u32) {
        (self.authors[0].count(), self.authors[1].count())
    }

    /// Strokes ever drawn here, hidden ones included; numbers the ink under way.
    pub fn strokes_of_own(&self) -> u32 {
        self.author(self.own).strokes
    }

    pub fn strokes_of_peer(&self) -> u32 {
        self.author(self.peer()).strokes
    }

    /// Own operations that a peer who has `have` (offerer, answerer) lacks. The peer's own it knows itself.
    pub fn missing_for(&self, have: (u32, u32)) -> Vec<Op> {
        let there = if self.own.0 == 0 { have.0 } else { have.1 };
        let here = self.author(self.own).count();
        (there.saturating_add(1)..=here).filter_map(|seq| self.op(OpId { author: self.own, seq })).collect()
    }

    /// Operations of the peer that no honest program makes, so far.
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

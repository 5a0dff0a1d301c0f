//! One author's operations by running number, from the oldest that may still matter; the older ones are gone, but their hash
//! stays.

use crate::hash::Fnv;
use crate::rules;
use std::collections::VecDeque;
use visavis_wire::paper::Op;

struct Kept {
    op: Op,
    /// Over everything of this author up to this one.
    hash: u64,
}

pub(crate) struct Log {
    kept: VecDeque<Kept>,
    /// Operations that are gone, their last time, and their hash.
    gone: u32,
    gone_time: u32,
    gone_hash: u64,
    points: usize,
}

impl Log {
    pub fn new() -> Self {
        Self { kept: VecDeque::new(), gone: 0, gone_time: 0, gone_hash: Fnv::EMPTY, points: 0 }
    }

    /// Highest running number here.
    pub fn count(&self) -> u32 {
        self.gone.saturating_add(u32::try_from(self.kept.len()).unwrap_or(u32::MAX))
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Of those that are kept.
    pub fn points(&self) -> usize {
        self.points
    }

    fn kept(&self, seq: u32) -> Option<&Kept> {
        self.kept.get(seq.checked_sub(self.gone)?.checked_sub(1)? as usize)
    }

    pub fn get(&self, seq: u32) -> Option<&Op> {
        self.kept(seq).map(|kept| &kept.op)
    }

    pub fn last_time(&self) -> u32 {
        self.kept.back().map_or(self.gone_time, |kept| kept.op.time)
    }

    pub fn last_hash(&self) -> u64 {
        self.kept.back().map_or(self.gone_hash, |kept| kept.hash)
    }

    /// Time and hash of everything up to `seq`; `None` for what is not here, or no longer.
    pub fn at(&self, seq: u32) -> Option<(u32, u64)> {
        if seq == self.gone {
            return Some((self.gone_time, self.gone_hash));
        }
        self.kept(seq).map(|kept| (kept.op.time, kept.hash))
    }

    /// The caller has checked that `op` is the next one.
    pub fn push(&mut self, op: Op) {
        let mut hash = Fnv::after(self.last_hash());
        hash.op(&op);
        self.points += rules::weight(&op.kind);
        self.kept.push_back(Kept { op, hash: hash.finish() });
    }

    /// Takes away everything after `seq`.
    pub fn truncate(&mut self, seq: u32) -> Vec<Op> {
        let keep = seq.saturating_sub(self.gone) as usize;
        let removed: Vec<Op> = self.kept.drain(keep.min(self.kept.len())..).map(|kept| kept.op).collect();
        self.points -= removed.iter().map(|op| rules::weight(&op.kind)).sum::<usize>();
        removed
    }

    /// Lets go of what is both not after `seq` and not after `time`.
    pub fn forget(&mut self, seq: u32, time: u32) {
        while let Some(first) = self.kept.front()
            && first.op.id.seq <= seq
            && first.op.time <= time
            && let Some(first) = self.kept.pop_front()
        {
            self.gone += 1;
            (self.gone_time, self.gone_hash) = (first.op.time, first.hash);
            self.points -= rules::weight(&first.op.kind);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Op> {
        self.kept.iter().map(|kept| &kept.op)
    }

    /// From the one after `seq` on, as far as they are still here.
    pub fn after(&self, seq: u32) -> impl Iterator<Item = &Op> {
        self.kept.iter().skip(seq.saturating_sub(self.gone) as usize).map(|kept| &kept.op)
    }
}

//! Which marks belong to which turn, by their numbers, so that it does not matter in which order marks and moves arrive; and which
//! marks were drawn out of turn.

use crate::edge::Edges;
use crate::view::{Area, Permit, Unfair};
use sha2::{Digest, Sha256};
use std::time::Duration;
use visavis_wire::paper::{Op, OpId, OpKind, cells};

/// A mark may come this long before the move that allows it.
const PATIENCE: Duration = Duration::from_secs(10);
/// Marks of one game that are looked at; what comes beyond is out of turn.
const MOST: usize = 20_000;

struct Turn {
    begin: u32,
    end: Option<(u32, [u8; 32])>,
    permit: Permit,
    checked: bool,
    /// What was told of its edge, until that is compared with the drawing.
    edge: Option<Vec<OpKind>>,
    marks: u32,
    colour: Option<u32>,
}

/// The turns of one side.
#[derive(Default)]
pub(crate) struct Turns {
    turns: Vec<Turn>,
    /// Number and digest of every operation since the game began, in the order of their numbers.
    ops: Vec<(u32, [u8; 32])>,
    edges: Edges,
    /// Not judged yet.
    waiting: Vec<(Op, Duration)>,
}

impl Turns {
    pub fn begin(&mut self, seq: u32, permit: Permit) {
        self.turns.push(Turn { begin: seq, end: None, permit, checked: false, edge: None, marks: 0, colour: None });
    }

    pub fn end(&mut self, seq: u32, seal: [u8; 32]) {
        if let Some(turn) = self.turns.last_mut() {
            turn.end.get_or_insert((seq, seal));
        }
    }

    /// What was told of the edge of the last turn's drawing.
    pub fn edge_told(&mut self, marks: Vec<OpKind>) {
        if let Some(turn) = self.turns.last_mut() {
            turn.edge.get_or_insert(marks);
        }
    }

    /// Of the last turn's drawing.
    pub fn edge(&self) -> Vec<OpKind> {
        let Some(turn) = self.turns.last() else { return Vec::new() };
        self.edges.of(turn.begin, turn.end.map_or(u32::MAX, |(end, _)| end), turn.permit.area)
    }

    /// `strips`: where edges are.
    pub fn drew(&mut self, op: Op, strips: &[Area], now: Duration) {
        if self.ops.len() < MOST {
            self.edges.drew(&op, strips);
            let digest = Sha256::digest(format!("{:?}", op.kind)).into();
            let place = self.ops.partition_point(|(seq, _)| *seq <= op.id.seq);
            self.ops.insert(place, (op.id.seq, digest));
            self.waiting.push((op, now));
        }
    }

    /// Over the operations of the last turn so far.
    pub fn seal(&self) -> [u8; 32] {
        let begin = self.turns.last().map_or(0, |turn| turn.begin);
        self.hash(begin, u32::MAX)
    }

    fn hash(&self, begin: u32, end: u32) -> [u8; 32] {
        let within = self.ops.iter().filter(|(seq, _)| *seq > begin && *seq <= end);
        within.fold(Sha256::new(), |hash, (_, digest)| hash.chain_update(digest)).finalize().into()
    }

    /// Operations that are here, once some of those that were sealed are still missing.
    pub fn awaits(&self) -> Option<u32> {
        let last = self.ops.last().map_or(0, |op| op.0);
        let missing = |turn: &Turn| turn.end.is_some_and(|(end, _)| end > turn.begin && last < end);
        self.turns.iter().any(missing).then_some(last)
    }

    /// Whether the turn's marks are used up.
    pub fn used_up(&self) -> bool {
        self.turns.last().is_some_and(|turn| turn.permit.one_stroke && turn.marks > 0)
    }

    pub fn colour(&self) -> Option<u32> {
        self.turns.last().filter(|turn| turn.permit.one_colour).and_then(|turn| turn.colour)
    }

    /// Marks that are out of turn by now, and seals that are broken. `free`: nothing is asked of marks at the moment.
    pub fn judge(&mut self, free: bool, now: Duration) -> (Vec<OpId>, Option<Unfair>) {
        let (mut out, mut waiting) = (Vec::new(), Vec::new());
        for (op, since) in std::mem::take(&mut self.waiting) {
            let seq = op.id.seq;
            let turn = self.turns.iter_mut().rev().find(|turn| seq > turn.begin);
            let fits = turn.filter(|turn| turn.end.is_none_or(|(end, _)| seq <= end)).map(|turn| turn.takes(&op.kind));
            match fits {
                Some(true) => {}
                Some(false) => out.push(op.id),
                // Before the first turn, or between two of them.
                None if free || self.turns.is_empty() && now < since + PATIENCE => {
                    if !free {
                        waiting.push((op, since));
                    }
                }
                None if now < since + PATIENCE => waiting.push((op, since)),
                None if matches!(op.kind, OpKind::Undo { .. } | OpKind::Clear) => {}
                None => out.push(op.id),
            }
        }
        self.waiting = waiting;
        let last = self.ops.last().map_or(0, |op| op.0);
        let mut broken = None;
        for index in 0..self.turns.len() {
            let Turn { begin, end: Some((end, seal)), checked, permit, .. } = self.turns[index] else { continue };
            if last < end && end > begin {
                continue;
            }
            let told = self.turns[index].edge.take();
            let other_edge = told.is_some_and(|told| told != self.edges.of(begin, end, permit.area));
            let other_drawing = !checked && self.hash(begin, end) != seal;
            self.turns[index].checked = true;
            if other_edge || other_drawing {
                broken = Some(Unfair::ChangedDrawing);
            }
        }
        (out, broken)
    }
}

impl Turn {
    fn takes(&mut self, kind: &OpKind) -> bool {
        let area = self.permit.area;
        let (inside, colour) = match kind {
            OpKind::Stroke(stroke) => (stroke.points.iter().all(|point| area.holds(point.x, point.y)), stroke.colour),
            OpKind::Shape(shape) => {
                (area.holds(shape.from.x, shape.from.y) && area.holds(shape.to.x, shape.to.y), Some(shape.colour))
            }
            OpKind::Fill(fill) => {
                let inside = |(column, row, length): (u16, u16, u16)| {
                    area.holds(column * 10, row * 10) && area.holds((column + length - 1) * 10, row * 10)
                };
                (cells(&fill.runs).all(inside), Some(fill.colour))
            }
            OpKind::Undo { .. } => return true,
            OpKind::Clear => return area == Area::PAPER && !self.permit.hidden,
        };
        let first = self.marks == 0;
        self.marks += 1;
        if colour.is_some() && self.colour.is_none() {
            self.colour = colour;
        }
        inside && (first || !self.permit.one_stroke) && (!self.permit.one_colour || colour.is_none() || colour == self.colour)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_wire::paper::{Author, Point, Stroke};

    fn op(seq: u32) -> Op {
        let points = vec![Point { x: seq as u16, y: 5, pressure: 100 }];
        let kind = OpKind::Stroke(Stroke { colour: Some(1), size: 20, points });
        Op { id: OpId { author: Author(0), seq }, time: seq, live: 0, kind }
    }

    fn turn(order: [u32; 3]) -> Turns {
        let mut turns = Turns::default();
        turns.begin(0, Permit::FREE);
        order.into_iter().for_each(|seq| turns.drew(op(seq), &[], Duration::ZERO));
        turns
    }

    #[test]
    fn a_drawing_is_the_same_whatever_order_its_marks_come_in() {
        let seal = turn([1, 2, 3]).seal();
        for order in [[3, 2, 1], [2, 3, 1], [3, 1, 2]] {
            let mut turns = turn(order);
            turns.end(3, seal);
            assert_eq!(turns.awaits(), None, "{order:?}: all are here");
            assert_eq!(turns.judge(false, Duration::ZERO), (Vec::new(), None), "{order:?}");
        }
    }
}

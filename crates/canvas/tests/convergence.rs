//! Two sides that draw, undo and clear over a link that loses, repeats, reorders and breaks, thousands of times over: both
//! end with the same picture, and the list that a page keeps from the changes alone is the list that the history has.
//!
//! A failing run prints its seed; `VISAVIS_SEED=N` runs that one alone. What was found that way has a test of its own below.
//! Long because the named tests share the two sides and the link of the random ones.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use visavis_canvas::{Change, History, Item, LIVE_OPS, Mark, REDO_REACH, UNDO_REACH, batches};
use visavis_wire::channel::{Here, Operations};
use visavis_wire::paper::{Author, Fill, Form, Op, OpId, OpKind, Place, Point, Run, Shape, Stroke};

/// SplitMix64: small, and the same everywhere.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }
}

fn stroke(x: u16, points: usize) -> Mark {
    let points = (0..points).map(|i| Point { x, y: i as u16, pressure: 128 }).collect();
    Mark::Stroke(Stroke { colour: Some(0x0012_3456), size: 40, points })
}

fn any_mark(chance: &mut Chance) -> Mark {
    let x = chance.below(16_000) as u16;
    match chance.below(6) {
        0 => Mark::Shape(Shape {
            form: [Form::Line, Form::Rectangle, Form::Ellipse][chance.below(3)],
            colour: 7,
            size: 30,
            from: Place { x, y: 1 },
            to: Place { x: 3, y: x.min(10_000) },
        }),
        1 => Mark::Fill(Fill { colour: u32::from(x), runs: vec![Run(u32::from(x) * 2, 2)] }),
        2 => {
            let Mark::Stroke(stroke) = stroke(x, 2) else { unreachable!() };
            Mark::Stroke(Stroke { colour: None, ..stroke })
        }
        _ => stroke(x, 1 + chance.below(3)),
    }
}

/// What a page keeps: a list that only ever hears of changes, and what was drawn for good.
#[derive(Default)]
struct Page {
    list: Vec<Item>,
    frozen: Vec<OpId>,
}

impl Page {
    fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Insert { op, above } => {
                    let at = self.list.len() - *above as usize;
                    self.list.insert(at, Item { op: op.clone(), shown: true });
                }
                Change::Show { id, shown } => {
                    self.list.iter_mut().find(|item| item.op.id == *id).unwrap().shown = *shown;
                }
                Change::Freeze { count } => {
                    let lowest: Vec<Item> = self.list.drain(..*count as usize).collect();
                    self.freeze(lowest.iter().filter(|item| item.shown).map(|item| &item.op));
                }
            }
        }
    }

    fn freeze<'a>(&mut self, ops: impl Iterator<Item = &'a Op>) {
        for op in ops {
            if op.kind == OpKind::Clear { self.frozen.clear() } else { self.frozen.push(op.id) }
        }
    }

    /// Everything that is seen, bottom first.
    fn picture(&self) -> Vec<OpId> {
        let mut seen = self.frozen.clone();
        for item in self.list.iter().filter(|item| item.shown) {
            if item.op.kind == OpKind::Clear { seen.clear() } else { seen.push(item.op.id) }
        }
        seen
    }
}

#[derive(Clone)]
enum Message {
    Ops(Vec<Op>),
    Here(Here),
}

struct World {
    sides: [History; 2],
    pages: [Page; 2],
    /// Messages on the way to a side.
    links: [Vec<Message>; 2],
    /// What each author really made, by (author, seq).
    made: BTreeMap<(u8, u32), Op>,
    honest: bool,
}

impl World {
    fn new() -> Self {
        Self {
            sides: [History::new(Author(0)), History::new(Author(1))],
            pages: Default::default(),
            links: Default::default(),
            made: BTreeMap::new(),
            honest: true,
        }
    }

    fn local(&mut self, side: usize, made: Option<(Op, Vec<Change>)>) {
        let Some((op, changes)) = made else { return };
        self.pages[side].apply(&changes);
        self.made.insert((op.id.author.0, op.id.seq), op.clone());
        self.links[1 - side].push(Message::Ops(vec![op]));
    }

    fn draw(&mut self, side: usize, mark: Mark) {
        let made = self.sides[side].draw(mark, 0).unwrap();
        self.local(side, Some(made));
    }

    fn undo(&mut self, side: usize) {
        let made = self.sides[side].undo().unwrap();
        self.local(side, made);
    }

    fn redo(&mut self, side: usize) {
        let made = self.sides[side].redo().unwrap();
        self.local(side, made);
    }

    fn clear(&mut self, side: usize) {
        let made = self.sides[side].clear().unwrap();
        self.local(side, made);
    }

    fn say(&mut self, side: usize) {
        let here = self.sides[side].here();
        self.links[1 - side].push(Message::Here(here));
    }

    fn deliver(&mut self, to: usize, message: Message) {
        match message {
            Message::Ops(ops) => {
                let merged = self.sides[to].merge(ops);
                assert!(!self.honest || merged.refused == 0, "an honest operation was refused");
                self.pages[to].apply(&merged.changes);
                if merged.gap {
                    self.say(to);
                }
            }
            Message::Here(here) => {
                let met = self.sides[to].meet(here);
                for Operations(ops) in batches(met.missing) {
                    self.links[1 - to].push(Message::Ops(ops));
                }
                if met.repaired {
                    assert!(!self.honest, "repaired what was not broken");
                    self.pages[to].list = self.sides[to].items();
                }
                if met.answer {
                    self.say(to);
                }
                self.freeze(to, 8);
            }
        }
    }

    fn freeze(&mut self, side: usize, most: usize) {
        let (count, shown) = self.sides[side].freeze(most);
        let before = self.pages[side].frozen.clone();
        self.pages[side].apply(&[Change::Freeze { count }]);
        let mut expected = Page { list: Vec::new(), frozen: before };
        expected.freeze(shown.iter());
        assert_eq!(self.pages[side].frozen, expected.frozen, "the page froze something else than the history");
    }

    fn step(&mut self, chance: &mut Chance) {
        let side = chance.below(2);
        match chance.below(24) {
            0..=5 => self.draw(side, any_mark(chance)),
            6..=8 => self.undo(side),
            9..=10 => self.redo(side),
            11 if chance.one_in(3) => self.clear(side),
            12 => self.say(side),
            13 if chance.one_in(40) => self.links = Default::default(),
            // Back through everything within reach, and perhaps forth again.
            14 if chance.one_in(60) => {
                let steps = chance.below(UNDO_REACH as usize);
                (0..steps).for_each(|_| self.undo(side));
                (0..chance.below(steps)).for_each(|_| self.redo(side));
            }
            _ => self.carry(chance, side),
        }
    }

    fn assert_lists(&self) {
        for (page, side) in self.pages.iter().zip(&self.sides) {
            assert_eq!(page.list, side.items(), "the list made of changes differs from the history's");
            let seen: Vec<OpId> = side.visible().iter().map(|op| op.id).collect();
            let page: Vec<OpId> = visavis_canvas::shown(&page.list).map(|op| op.id).collect();
            assert_eq!(seen, page, "the page shows something else than the history");
        }
    }

    /// Any message on the way, in any order, perhaps twice, perhaps never.
    fn carry(&mut self, chance: &mut Chance, to: usize) {
        if self.links[to].is_empty() {
            return;
        }
        let at = if chance.one_in(2) { 0 } else { chance.below(self.links[to].len()) };
        let message = if chance.one_in(8) { self.links[to][at].clone() } else { self.links[to].remove(at) };
        if !chance.one_in(10) {
            self.deliver(to, message);
        }
    }

    /// What two reconnected sides do until neither has anything to say.
    fn settle(&mut self) {
        self.links = Default::default();
        for _ in 0..40 {
            self.say(0);
            self.say(1);
            for to in [0, 1, 0, 1] {
                for message in std::mem::take(&mut self.links[to]) {
                    self.deliver(to, message);
                }
            }
        }
    }

    fn assert_same(&self) {
        let [a, b] = &self.sides;
        assert_eq!(a.here(), b.here());
        assert_eq!(a.hash(), b.hash());
        assert!(a.is_agreed() && b.is_agreed(), "one side does not know that the other has everything");
        assert_eq!(self.pages[0].picture(), self.pages[1].picture());
        for item in a.items() {
            let OpId { author, seq } = item.op.id;
            assert_eq!(Some(&item.op), self.made.get(&(author.0, seq)), "an operation is not what its author made");
        }
    }
}

/// Runs `body` with one seed after another and says which one failed.
fn seeds(count: u64, body: impl Fn(&mut Chance) + std::panic::RefUnwindSafe) {
    let one: Option<u64> = std::env::var("VISAVIS_SEED").ok().and_then(|seed| seed.parse().ok());
    for seed in one.map_or(0..count, |seed| seed..seed + 1) {
        let outcome = std::panic::catch_unwind(|| body(&mut Chance(seed)));
        if let Err(panic) = outcome {
            eprintln!("failed with VISAVIS_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn both_sides_end_with_the_same_picture() {
    seeds(4000, |chance| {
        let mut world = World::new();
        for _ in 0..chance.below(160) {
            world.step(chance);
            world.assert_lists();
        }
        world.settle();
        world.assert_same();
    });
}

#[test]
fn long_evenings_stay_small_and_the_same() {
    seeds(8, |chance| {
        let mut world = World::new();
        for round in 0..9000 {
            world.step(chance);
            if round % 500 == 0 {
                world.assert_lists();
                world.settle();
            }
        }
        world.settle();
        for side in [0, 1] {
            world.freeze(side, usize::MAX);
        }
        world.assert_same();
        assert!(!world.pages[0].frozen.is_empty() || world.pages[0].list.len() < 9000 / 8, "nothing was ever frozen");
        for side in &world.sides {
            assert!(side.items().len() <= REDO_REACH as usize * 2, "{} items are kept", side.items().len());
        }
    });
}

/// A fault on the way (or in a program) that checks cannot see: the hashes differ, and what was wrong is fetched again.
#[test]
fn what_was_changed_on_the_way_is_put_right() {
    seeds(1000, |chance| {
        let mut world = World::new();
        world.honest = false;
        let mut left = 3;
        for _ in 0..120 {
            world.step(chance);
            let to = chance.below(2);
            if left > 0
                && chance.one_in(12)
                && let Some(Message::Ops(ops)) = world.links[to].first_mut()
                && let Some(Op { kind, .. }) = ops.first_mut()
                && matches!(kind, OpKind::Stroke(_))
            {
                *kind = OpKind::Clear;
                left -= 1;
            }
        }
        world.settle();
        world.assert_same();
    });
}

/// An own undo removes an own mark and nothing of the other's, and a redo brings it back.
#[test]
fn undo_touches_own_marks_alone() {
    seeds(1000, |chance| {
        let mut world = World::new();
        for _ in 0..chance.below(80) {
            world.step(chance);
        }
        let side = chance.below(2);
        let before = world.sides[side].visible();
        let could = world.sides[side].can_undo();
        let undone = world.sides[side].undo().unwrap();
        assert_eq!(could, undone.is_some());
        let Some((Op { kind: OpKind::Undo { target, .. }, .. }, _)) = undone else { return };
        assert_eq!(usize::from(target.author.0), side);
        let after = world.sides[side].visible();
        if before.iter().any(|op| op.id == target) {
            assert!(before.iter().filter(|op| op.id != target).eq(after.iter()));
        }
        assert!(world.sides[side].can_redo());
        world.sides[side].redo().unwrap();
        assert_eq!(before, world.sides[side].visible());
    });
}

#[test]
fn clear_hides_and_its_undo_shows_again() {
    let mut history = History::new(Author(0));
    history.draw(stroke(1, 2), 0).unwrap();
    let before = history.visible();
    assert!(history.clear().unwrap().is_some());
    assert!(history.is_blank());
    assert!(history.clear().unwrap().is_none(), "an empty paper needs no clear");
    history.undo().unwrap();
    assert_eq!(history.visible(), before);
    history.redo().unwrap();
    assert!(history.visible().is_empty());
    history.draw(stroke(5, 1), 0).unwrap();
    assert!(!history.can_redo());
    assert_eq!(history.visible().len(), 1);
}

#[test]
fn an_undo_reaches_as_far_back_as_both_sides_can_tell() {
    let mut world = World::new();
    for x in 0..UNDO_REACH as u16 + 50 {
        world.draw(0, stroke(x, 1));
    }
    let mut undone = 0;
    while world.sides[0].can_undo() {
        world.undo(0);
        undone += 1;
    }
    // Each undo is an operation too.
    assert_eq!(undone, UNDO_REACH / 2);
    while world.sides[0].can_redo() {
        world.redo(0);
        undone -= 1;
    }
    assert_eq!(undone, 0, "all that was taken back can be brought again");
    world.settle();
    world.assert_same();
}

#[test]
fn what_both_have_agreed_on_can_no_longer_be_changed() {
    let mut world = World::new();
    for x in 0..REDO_REACH as u16 * 2 {
        world.draw(usize::from(x % 3 == 0), stroke(x, 1));
        if x % 40 == 0 {
            world.settle();
        }
    }
    world.settle();
    world.freeze(0, usize::MAX);
    assert!(!world.pages[0].frozen.is_empty());
    // An old client, or a forger, puts something below what lies fast.
    let here = world.sides[0].here();
    let low = Op { id: OpId { author: Author(1), seq: here.answerer + 1 }, time: 5, live: 0, kind: OpKind::Clear };
    let merged = world.sides[0].merge(vec![low]);
    assert_eq!((merged.refused, merged.changes.len()), (1, 0));
}

/// The other side is away: nothing can be agreed on, so the paper takes a bounded number and says so.
#[test]
fn drawing_alone_ends_at_a_limit_and_goes_on_after_it() {
    let mut world = World::new();
    while world.sides[0].draw(stroke(1, 1), 0).map(|made| world.local(0, Some(made))).is_ok() {}
    assert_eq!(world.sides[0].here().offerer as usize, LIVE_OPS);
    world.settle();
    for side in [0, 1] {
        world.freeze(side, usize::MAX);
    }
    world.draw(0, stroke(2, 1));
    world.settle();
    world.assert_same();
}

fn id(author: u8, seq: u32) -> OpId {
    OpId { author: Author(author), seq }
}

fn op(author: u8, seq: u32, time: u32, kind: impl Into<OpKind>) -> Op {
    Op { id: id(author, seq), time, live: 0, kind: kind.into() }
}

#[test]
fn forgeries_are_refused_and_counted() {
    let mut history = History::new(Author(0));
    let (own, _) = history.draw(stroke(1, 1), 0).unwrap();
    let Mark::Stroke(good) = stroke(1, 1) else { unreachable!() };
    let shape = Shape { form: Form::Line, colour: 1, size: 9, from: Place { x: 0, y: 10_001 }, to: Place { x: 0, y: 0 } };
    let fill = |runs: Vec<Run>| Mark::Fill(Fill { colour: 1, runs });
    let bad = [
        op(0, 2, 2, OpKind::Clear),
        op(1, 1, 3, OpKind::Clear),
        op(1, 1, 0, OpKind::Clear),
        op(1, 1, 1, OpKind::Undo { target: own.id, undone: true }),
        op(1, 1, 1, OpKind::Undo { target: id(1, 1), undone: true }),
        op(1, 1, 1, stroke(16_001, 1)),
        op(1, 1, 1, Mark::Stroke(Stroke { size: 4, ..good.clone() })),
        op(1, 1, 1, Mark::Stroke(Stroke { colour: Some(0x0100_0000), ..good })),
        op(1, 1, 1, stroke(1, 4097)),
        op(1, 1, 1, Mark::Shape(shape)),
        op(1, 1, 1, fill(vec![])),
        op(1, 1, 1, fill(vec![Run(0, 0)])),
        op(1, 1, 1, fill(vec![Run(1599, 2)])),
        op(1, 1, 1, fill(vec![Run(1_600_000, 1)])),
        op(1, 1, 1, fill(vec![Run(u32::MAX, 1), Run(u32::MAX, 1)])),
    ];
    let count = bad.len() as u64;
    for (index, op) in bad.into_iter().enumerate() {
        let merged = history.merge(vec![op]);
        assert_eq!((merged.refused, merged.changes.len()), (1, 0), "forgery {index}");
    }
    assert_eq!(history.refused(), count);
    // (1, author 1) comes right after (1, author 0).
    let taken = op(1, 1, 1, stroke(9, 1));
    assert_eq!(history.merge(vec![taken.clone()]).changes, [Change::Insert { op: taken.clone(), above: 0 }]);
    assert_eq!(history.merge(vec![taken]).repeated, 1);
    assert!(history.merge(vec![op(1, 3, 3, OpKind::Clear)]).gap);
}

/// Operations and accounts made up at random never panic, and what is taken keeps the clock in range.
#[test]
fn forged_messages_do_no_harm() {
    seeds(2000, |chance| {
        let mut history = History::new(Author(0));
        history.draw(stroke(1, 1), 0).unwrap();
        // What differed is fetched again, but the clock does not run backwards.
        let mut most = 0;
        for _ in 0..60 {
            most = most.max(history.here().answerer);
            let extreme = |chance: &mut Chance, limit| if chance.one_in(12) { u32::MAX } else { chance.below(limit) as u32 };
            if chance.one_in(4) {
                let mut here = history.here();
                here.answerer = extreme(chance, 8);
                here.offerer = extreme(chance, 3);
                here.offerer_hash ^= u64::from(chance.one_in(4));
                history.meet(here);
                history.freeze(5);
                continue;
            }
            let kind = match chance.below(4) {
                0 => OpKind::Undo { target: id(chance.below(3) as u8, extreme(chance, 6)), undone: chance.one_in(2) },
                1 => OpKind::Clear,
                _ => any_mark(chance).into(),
            };
            let seq = extreme(chance, 8);
            let time = extreme(chance, 12);
            history.merge(vec![op(chance.below(3) as u8, seq, time, kind)]);
        }
        let (op, _) = history.draw(stroke(2, 1), 0).unwrap();
        assert!(op.time <= 2 + most.max(history.here().answerer));
        assert_eq!(history.visible().last().map(|op| op.id), Some(op.id));
        history.undo().unwrap();
        assert!(history.can_redo());
    });
}

#[test]
fn a_flood_ends_at_the_limit() {
    let mut history = History::new(Author(0));
    let mut taken = 0;
    for seq in 1..=LIVE_OPS as u32 * 4 {
        let merged = history.merge(vec![op(1, seq, seq, OpKind::Clear)]);
        taken += merged.changes.len();
    }
    assert_eq!(taken, LIVE_OPS * 3);
}

#[test]
fn batches_fit_into_a_message() {
    use visavis_wire::channel::ChannelMessage;
    let mut history = History::new(Author(0));
    for _ in 0..12 {
        history.draw(stroke(16_000, 4096), 0).unwrap();
        history.undo().unwrap();
        history.draw(Mark::Fill(Fill { colour: 0x00FF_FFFF, runs: vec![Run(100, 100); 8000] }), u32::MAX).unwrap();
    }
    let empty = History::new(Author(1));
    let messages = batches(history.meet(empty.here()).missing);
    assert!(messages.len() > 1);
    let mut peer = History::new(Author(1));
    for message in messages {
        let bytes = message.to_bytes();
        let Operations(ops) = Operations::from_bytes(&bytes).unwrap();
        assert_eq!(peer.merge(ops).refused, 0);
    }
    assert_eq!(peer.here(), history.here());
}

#[test]
fn the_hash_is_stable() {
    let mut history = History::new(Author(0));
    history.draw(stroke(7, 3), 0).unwrap();
    assert_eq!(history.hash(), GOLDEN);
}

const GOLDEN: u64 = 8_947_401_980_931_767_292;

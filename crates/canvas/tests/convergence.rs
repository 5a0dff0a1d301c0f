//! Two sides, a network that loses, repeats and reorders, and one that lies.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use visavis_canvas::{Change, History, batches};
use visavis_wire::channel::{ChannelMessage, Operations};
use visavis_wire::paper::{Author, Op, OpId, OpKind, Point, Stroke};

#[derive(Clone, Debug)]
enum Step {
    Draw {
        side: usize,
        x: u16,
        points: usize,
    },
    Undo {
        side: usize,
    },
    Redo {
        side: usize,
    },
    Clear {
        side: usize,
    },
    /// Delivers one message of the peer's queue: which one, and whether it stays there (a repetition).
    Deliver {
        to: usize,
        pick: usize,
        keep: bool,
    },
    Lose {
        to: usize,
        pick: usize,
    },
    /// What a reconnection does: both say what they have.
    Resend {
        to: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let side = 0..2usize;
    prop_oneof![
        4 => (side.clone(), 0..16_000u16, 1..5usize).prop_map(|(side, x, points)| Step::Draw { side, x, points }),
        2 => side.clone().prop_map(|side| Step::Undo { side }),
        2 => side.clone().prop_map(|side| Step::Redo { side }),
        1 => side.clone().prop_map(|side| Step::Clear { side }),
        6 => (side.clone(), any::<usize>(), any::<bool>()).prop_map(|(to, pick, keep)| Step::Deliver { to, pick, keep }),
        1 => (side.clone(), any::<usize>()).prop_map(|(to, pick)| Step::Lose { to, pick }),
        1 => side.prop_map(|to| Step::Resend { to }),
    ]
}

fn stroke(x: u16, points: usize) -> Stroke {
    let points = (0..points).map(|i| Point { x, y: i as u16, pressure: 128 }).collect();
    Stroke { colour: 0x0012_3456, size: 40, points }
}

/// What a page holds that only ever gets the events: it appends, or draws anew.
#[derive(Default)]
struct Page(Vec<Op>);

impl Page {
    fn apply(&mut self, change: Change, history: &History) {
        match change {
            Change::Nothing => {}
            Change::Appended(ops) => self.0.extend(ops),
            Change::Redraw => self.0 = history.visible(),
        }
    }
}

struct World {
    sides: [History; 2],
    pages: [Page; 2],
    /// Messages on the way to a side.
    queues: [Vec<Vec<Op>>; 2],
}

impl World {
    fn new() -> Self {
        Self { sides: [History::new(Author(0)), History::new(Author(1))], pages: Default::default(), queues: Default::default() }
    }

    fn deliver(&mut self, to: usize, ops: Vec<Op>) {
        let merged = self.sides[to].merge(ops);
        assert_eq!(merged.refused, 0, "an honest operation was refused");
        self.pages[to].apply(merged.change, &self.sides[to]);
    }

    fn local(&mut self, side: usize, op: Option<Op>) {
        let Some(op) = op else { return };
        match op.kind {
            OpKind::Stroke(_) => self.pages[side].0.push(op.clone()),
            _ => self.pages[side].0 = self.sides[side].visible(),
        }
        self.queues[1 - side].push(vec![op]);
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Draw { side, x, points } => {
                let op = self.sides[side].draw(stroke(x, points)).unwrap();
                self.local(side, Some(op));
            }
            Step::Undo { side } => {
                let op = self.sides[side].undo().unwrap();
                self.local(side, op);
            }
            Step::Redo { side } => {
                let op = self.sides[side].redo().unwrap();
                self.local(side, op);
            }
            Step::Clear { side } => {
                let op = self.sides[side].clear().unwrap();
                self.local(side, op);
            }
            Step::Deliver { to, pick, keep } if !self.queues[to].is_empty() => {
                let index = pick % self.queues[to].len();
                let ops = if keep { self.queues[to][index].clone() } else { self.queues[to].remove(index) };
                self.deliver(to, ops);
            }
            Step::Lose { to, pick } if !self.queues[to].is_empty() => {
                let index = pick % self.queues[to].len();
                self.queues[to].remove(index);
            }
            Step::Resend { to } => self.resend(to),
            Step::Deliver { .. } | Step::Lose { .. } => {}
        }
        for (page, side) in self.pages.iter().zip(&self.sides) {
            assert_eq!(page.0, side.visible(), "the appended picture differs from the picture drawn anew");
        }
    }

    fn resend(&mut self, to: usize) {
        let have = self.sides[to].have();
        for Operations(ops) in batches(self.sides[1 - to].missing_for(have)) {
            self.deliver(to, ops);
        }
    }
}

proptest! {
    #[test]
    fn both_sides_end_with_the_same_picture(steps in proptest::collection::vec(step(), 0..120)) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        world.resend(0);
        world.resend(1);
        prop_assert_eq!(world.sides[0].have(), world.sides[1].have());
        prop_assert_eq!(world.sides[0].visible(), world.sides[1].visible());
        prop_assert_eq!(world.sides[0].hash(), world.sides[1].hash());
    }

    /// An own undo removes an own stroke and nothing of the other's.
    #[test]
    fn undo_touches_own_strokes_alone(steps in proptest::collection::vec(step(), 0..80), side in 0..2usize) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        let clears = steps.iter().any(|step| matches!(step, Step::Clear { .. }));
        let theirs = |history: &History| -> Vec<OpId> {
            history.visible().iter().map(|op| op.id).filter(|id| usize::from(id.author.0) != side).collect()
        };
        let before = theirs(&world.sides[side]);
        let hash = world.sides[side].hash();
        let could = world.sides[side].can_undo();
        let undone = world.sides[side].undo().unwrap();
        prop_assert_eq!(could, undone.is_some());
        if !clears {
            prop_assert_eq!(before, theirs(&world.sides[side]));
        }
        if undone.is_some() {
            prop_assert!(world.sides[side].can_redo());
            world.sides[side].redo().unwrap();
        }
        prop_assert_eq!(hash, world.sides[side].hash());
    }

    /// Operations made up at random never panic, and what is taken keeps the clock in range.
    #[test]
    fn forged_operations_do_no_harm(forged in proptest::collection::vec(forged(), 0..60)) {
        let mut history = History::new(Author(0));
        history.draw(stroke(1, 1)).unwrap();
        for op in forged {
            history.merge(vec![op]);
        }
        let op = history.draw(stroke(2, 1)).unwrap();
        prop_assert!(op.time <= 2 + history.have().1);
        prop_assert_eq!(history.visible().last().map(|op| op.id), Some(op.id));
        history.undo().unwrap();
        prop_assert!(history.can_redo());
    }
}

fn forged() -> impl Strategy<Value = Op> {
    let kind = prop_oneof![
        (any::<u32>(), any::<u16>(), proptest::collection::vec((any::<u16>(), any::<u16>()), 0..3)).prop_map(
            |(colour, size, points)| {
                let points = points.into_iter().map(|(x, y)| Point { x, y, pressure: 1 }).collect();
                OpKind::Stroke(Stroke { colour, size, points })
            }
        ),
        (0..3u8, 0..6u32, any::<bool>())
            .prop_map(|(author, seq, undone)| OpKind::Undo { target: OpId { author: Author(author), seq }, undone }),
        Just(OpKind::Stroke(stroke(3, 2))),
    ];
    (0..3u8, prop_oneof![0..6u32, Just(u32::MAX)], prop_oneof![0..12u32, Just(u32::MAX)], kind)
        .prop_map(|(author, seq, time, kind)| Op { id: OpId { author: Author(author), seq }, time, kind })
}

#[test]
fn clear_hides_and_its_undo_shows_again() {
    let mut history = History::new(Author(0));
    history.draw(stroke(1, 2)).unwrap();
    let hash = history.hash();
    assert!(history.clear().unwrap().is_some());
    assert!(history.visible().is_empty());
    assert!(history.clear().unwrap().is_none(), "an empty paper needs no clear");
    history.undo().unwrap();
    assert_eq!(history.hash(), hash);
    history.redo().unwrap();
    assert!(history.visible().is_empty());
    history.draw(stroke(5, 1)).unwrap();
    assert!(!history.can_redo());
    assert_eq!(history.visible().len(), 1);
}

#[test]
fn forgeries_are_refused_and_counted() {
    let mut history = History::new(Author(0));
    let own = history.draw(stroke(1, 1)).unwrap();
    let id = |author, seq| OpId { author: Author(author), seq };
    let good = Op { id: id(1, 1), time: 1, kind: OpKind::Stroke(stroke(9, 1)) };
    let bad = [
        Op { id: id(0, 2), time: 2, kind: OpKind::Clear },
        Op { id: id(1, 1), time: 3, kind: OpKind::Clear },
        Op { id: id(1, 1), time: 0, kind: OpKind::Clear },
        Op { id: id(1, 1), time: 1, kind: OpKind::Undo { target: own.id, undone: true } },
        Op { id: id(1, 1), time: 1, kind: OpKind::Undo { target: id(1, 1), undone: true } },
        Op { id: id(1, 1), time: 1, kind: OpKind::Stroke(stroke(16_001, 1)) },
        Op { id: id(1, 1), time: 1, kind: OpKind::Stroke(Stroke { size: 4, ..stroke(1, 1) }) },
        Op { id: id(1, 1), time: 1, kind: OpKind::Stroke(stroke(1, 4097)) },
    ];
    for (index, op) in bad.into_iter().enumerate() {
        let merged = history.merge(vec![op]);
        assert_eq!((merged.refused, merged.change), (1, Change::Nothing), "forgery {index}");
    }
    assert_eq!(history.refused(), 8);
    // (1, author 1) comes right after (1, author 0).
    assert_eq!(history.merge(vec![good.clone()]).change, Change::Appended(vec![good.clone()]));
    assert_eq!(history.merge(vec![good]).repeated, 1);
    assert!(history.merge(vec![Op { id: id(1, 3), time: 3, kind: OpKind::Clear }]).gap);
}

#[test]
fn a_flood_ends_at_the_limit() {
    let mut peer = History::new(Author(1));
    let mut drawn = 0usize;
    loop {
        match peer.draw(stroke(1, 4096)) {
            Ok(_) => drawn += 4096,
            Err(fault) => {
                assert_eq!(fault, visavis_canvas::Fault::Full);
                break;
            }
        }
    }
    assert!(drawn <= visavis_canvas::POINTS_PER_AUTHOR);
}

#[test]
fn batches_fit_into_a_message() {
    let mut history = History::new(Author(0));
    for _ in 0..12 {
        history.draw(stroke(16_000, 4096)).unwrap();
        history.undo().unwrap();
    }
    let messages = batches(history.missing_for((0, 0)));
    assert!(messages.len() > 1);
    let mut peer = History::new(Author(1));
    for message in messages {
        let bytes = message.to_bytes();
        let Operations(ops) = Operations::from_bytes(&bytes).unwrap();
        assert_eq!(peer.merge(ops).refused, 0);
    }
    assert_eq!(peer.have(), history.have());
    assert_eq!(peer.hash(), history.hash());
}

#[test]
fn the_hash_is_stable() {
    let mut history = History::new(Author(0));
    assert_eq!(history.hash(), 0xcbf2_9ce4_8422_2325);
    history.draw(stroke(7, 3)).unwrap();
    assert_eq!(history.hash(), GOLDEN);
}

const GOLDEN: u64 = 12_356_037_247_842_357_408;

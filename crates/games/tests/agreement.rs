//! Both sides of every game end in the same state over a link that loses, repeats and reorders, and that breaks now and then; all in
//! virtual time. A failing run prints its seed.

use std::time::Duration;
use visavis_games::{Action, Effect, Engine, GameView, Input, Pause, Phase, Scene};
use visavis_wire::channel::{ChannelMessage, Control};
use visavis_wire::games::{Game, GameMessage, Play, Twist};
use visavis_wire::paper::{Author, Fill, Form, Op, OpId, OpKind, Place, Point, Run, Shape, Stroke};

/// xorshift64*.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % below
    }
}

struct Table {
    sides: [Engine; 2],
    seq: [u32; 2],
    /// When, to whom, what.
    on_the_way: Vec<(Duration, usize, GameMessage)>,
    now: Duration,
    dice: Dice,
    /// Messages of a hundred that are lost.
    loss: u64,
    noticed: Vec<(usize, visavis_games::Unfair)>,
    /// Marks that stay with their author for now.
    held: [Vec<Op>; 2],
}

impl Table {
    fn new(play: Play, seed: u64, loss: u64) -> Self {
        let now = Duration::from_secs(100);
        let side = |me: u8| Engine::new(play, seed, Author(me), [me.wrapping_add(seed as u8); 32], vec![String::from("en")], now);
        let dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        Self {
            sides: [side(0), side(1)],
            seq: [0; 2],
            on_the_way: Vec::new(),
            now,
            dice,
            loss,
            noticed: Vec::new(),
            held: [Vec::new(), Vec::new()],
        }
    }

    fn put(&mut self, side: usize, input: Input) {
        let effects = self.sides[side].input(input, self.seq[side], self.now);
        for effect in effects {
            match effect {
                Effect::Send(message) => {
                    let bytes = Control::Game(message).to_bytes();
                    let Ok(Control::Game(message)) = Control::from_bytes(&bytes) else { panic!("unreadable") };
                    for _ in 0..1 + u64::from(self.dice.roll(10) == 0) {
                        if self.dice.roll(100) >= self.loss {
                            let delay = Duration::from_millis(20 + self.dice.roll(200));
                            self.on_the_way.push((self.now + delay, 1 - side, message.clone()));
                        }
                    }
                }
                Effect::Noticed(unfair) => self.noticed.push((side, unfair)),
                Effect::ClearPaper => self.draw_op(side, OpKind::Clear),
                Effect::Hide(_) | Effect::Settled(_) => {}
            }
        }
    }

    fn draw_op(&mut self, side: usize, kind: OpKind) {
        self.seq[side] += 1;
        let id = OpId { author: Author(side as u8), seq: self.seq[side] };
        let op = Op { id, time: self.seq[side], live: 0, kind };
        // As the session does: all but the empty paper is kept while it is hidden, and told once it is not.
        let kept = self.view(side).permit.hidden && op.kind != OpKind::Clear;
        self.put(side, Input::Drew(op.clone()));
        if kept {
            self.held[side].push(op);
        } else {
            self.put(1 - side, Input::PeerDrew(vec![op]));
        }
    }

    fn view(&self, side: usize) -> GameView {
        self.sides[side].view()
    }

    fn step(&mut self) {
        self.now += Duration::from_millis(100);
        let due: Vec<_> = self.on_the_way.extract_if(.., |(at, ..)| *at <= self.now).collect();
        for (_, to, message) in due {
            self.put(to, Input::Peer(message));
        }
        for side in 0..2 {
            self.put(side, Input::Tick);
            if !self.view(side).permit.hidden && !self.held[side].is_empty() {
                let told = std::mem::take(&mut self.held[side]);
                self.put(1 - side, Input::PeerDrew(told));
            }
        }
    }

    /// Something within the area; now and then the last thing is taken back.
    fn mark(&mut self, side: usize, area: visavis_games::Area) -> OpKind {
        let place = |dice: &mut Dice| {
            let x = area.left + dice.roll(u64::from(area.right - area.left) + 1) as u16;
            Place { x, y: area.top + dice.roll(u64::from(area.bottom - area.top) + 1) as u16 }
        };
        let colour = self.sides[side].colour().unwrap_or(3);
        let one_stroke = self.view(side).permit.one_stroke;
        match self.dice.roll(8) {
            0 if self.seq[side] > 0 && !one_stroke => {
                OpKind::Undo { target: OpId { author: Author(side as u8), seq: self.seq[side] }, undone: true }
            }
            1 => {
                let (from, to) = (place(&mut self.dice), place(&mut self.dice));
                let form = [Form::Line, Form::Rectangle, Form::Ellipse][self.dice.roll(3) as usize];
                OpKind::Shape(Shape { form, colour, size: 30, from, to })
            }
            2 => {
                let Place { x, y } = place(&mut self.dice);
                let (column, row) = (x.min(area.right - 100) / 10, y.min(area.bottom - 100) / 10);
                let first = u32::from(row) * 1600 + u32::from(column);
                OpKind::Fill(Fill { colour, runs: vec![Run(first, 9), Run(1591, 9)] })
            }
            _ => {
                let points = (0..1 + self.dice.roll(30)).map(|_| place(&mut self.dice)).map(|Place { x, y }| Point {
                    x,
                    y,
                    pressure: 128,
                });
                let points = points.collect();
                OpKind::Stroke(Stroke { colour: Some(colour), size: 20, points })
            }
        }
    }

    /// What a person does who plays as the view allows, and now and then something else.
    fn play(&mut self, side: usize) {
        let view = self.view(side);
        let action = match (&view.phase, &view.scene) {
            (Phase::Ready { you: false, .. }, _) => Action::Ready,
            (Phase::Playing, Scene::Gomoku { .. }) => Action::Place { cell: self.dice.roll(230) as u8 },
            (Phase::Playing, Scene::TwoTruths { you_tell: true, statements, .. }) if statements.is_empty() => {
                Action::Tell { statements: ["a", "b", "c"].map(String::from), lie: self.dice.roll(3) as u8 }
            }
            (Phase::Playing, Scene::TwoTruths { .. }) => Action::Pick { statement: self.dice.roll(3) as u8 },
            (Phase::Playing, Scene::DrawAndGuess(scene)) if scene.you_draw => match self.dice.roll(40) {
                0 => Action::GiveHint,
                1 if scene.guesses.len() > 3 => Action::SaidAloud,
                _ => Action::ChooseWord { index: self.dice.roll(4) as u8 },
            },
            (Phase::Playing, Scene::DrawAndGuess(_)) => {
                Action::Guess { text: String::from(["house", "cat", ""][self.dice.roll(3) as usize]) }
            }
            (Phase::Playing, _) if self.dice.roll(30) == 0 => Action::Done,
            _ => return,
        };
        self.put(side, Input::User(action));
        if self.view(side).permit.draw && self.view(side).phase == Phase::Playing {
            let area = self.view(side).permit.area;
            let kind = self.mark(side, area);
            self.draw_op(side, kind);
        }
    }
}

const GAMES: [Game; 5] = [Game::DrawAndGuess, Game::SameWord, Game::FinishMyDrawing, Game::Gomoku, Game::TwoTruths];
const TWISTS: [Option<Twist>; 4] = [None, Some(Twist::OneStroke), Some(Twist::OneColour), Some(Twist::Blind)];

fn one_evening(seed: u64) {
    let play = Play { game: GAMES[seed as usize % 5], twist: TWISTS[seed as usize / 5 % 4] };
    let mut table = Table::new(play, seed, seed % 40);
    for step in 0..6000u32 {
        table.step();
        if step % 3 == 0 {
            let side = table.dice.roll(2) as usize;
            table.play(side);
        }
        if step % 500 == 300 {
            // A broken connection: everything on the way is gone, and both pause until it is back.
            table.on_the_way.clear();
            (0..2).for_each(|side| table.put(side, Input::Pause(Pause::Seen)));
            table.on_the_way.clear();
        }
        if step % 500 == 330 {
            (0..2).for_each(|side| table.put(side, Input::Pause(Pause::No)));
            (0..2).for_each(|side| table.put(side, Input::Flowing));
        }
        if table.sides.iter().all(Engine::is_over) && table.on_the_way.is_empty() {
            break;
        }
    }
    table.loss = 0;
    (0..200).for_each(|_| table.step());
    assert_eq!(table.sides[0].hash(), table.sides[1].hash(), "seed {seed}: {play:?}");
    assert!(table.sides[0].is_over(), "seed {seed}: {play:?} did not end: {:?}", table.view(0));
    assert_eq!(table.noticed, [], "seed {seed}: {play:?}, two honest sides");
}

#[test]
fn both_sides_agree_whatever_is_lost() {
    for seed in 1..=2000 {
        one_evening(seed);
    }
}

/// The word of the second would have been opened against the commitment of the first.
#[test]
fn a_second_choice_before_the_first_is_confirmed_changes_nothing() {
    one_evening(10);
}

/// Its marks would have counted as drawn out of turn.
#[test]
fn who_is_done_draws_no_more_before_that_is_confirmed() {
    one_evening(77);
}

#[test]
fn who_is_ready_during_a_pause_is_ready_after_it() {
    let mut table = Table::new(Play { game: Game::Gomoku, twist: None }, 5, 0);
    table.put(1, Input::Pause(Pause::Seen));
    (0..10).for_each(|_| table.step());
    for side in 0..2 {
        assert!(table.view(side).paused);
        table.put(side, Input::User(Action::Ready));
    }
    (0..10).for_each(|_| table.step());
    table.put(1, Input::Pause(Pause::No));
    (0..30).for_each(|_| table.step());
    for side in 0..2 {
        assert_eq!((table.view(side).phase, table.view(side).paused), (Phase::Playing, false));
    }
}

//! Two sides at a table, one of which cheats: an honest engine whose messages are changed on their way, with both views of what was
//! changed kept apart.

use std::time::Duration;
use visavis_games::{Action, Effect, Engine, GameView, Input, Phase, Scene, Unfair};
use visavis_wire::games::{Entry, Game, GameMessage, Move, Play, Twist};
use visavis_wire::paper::{Author, Op, OpId, OpKind, Point, Stroke};

pub type Change = Box<dyn FnMut(Move) -> Move>;

pub struct Table {
    pub sides: [Engine; 2],
    pub seq: [u32; 2],
    pub now: Duration,
    pub cheat: usize,
    pub change: Option<Change>,
    /// Moves that the cheat keeps back, with all that comes after them.
    pub keeps: Option<fn(&Move) -> bool>,
    /// The cheat always says that it pauses.
    pub pauses: bool,
    /// The cheat hears no moves.
    pub deaf: bool,
    /// The cheat says something only so often, seconds.
    pub speaks_every: u64,
    pub spoke_at: Duration,
    /// As it was told, and as the cheat's own engine knows it.
    pub changed: Vec<(Move, Move)>,
    /// What the cheat's clock gains in a second, milliseconds.
    pub gains: i64,
    pub noticed: Vec<Unfair>,
    pub settled: Vec<Unfair>,
    pub hidden: Vec<OpId>,
    pub link: Vec<(usize, GameMessage)>,
}

pub const BEGUN: Duration = Duration::from_secs(100);

impl Table {
    pub fn new(game: Game, twist: Option<Twist>, number: u64, cheat: usize) -> Self {
        let play = Play { game, twist };
        let side = |me: u8| Engine::new(play, number, Author(me), [me; 32], vec![String::from("en")], BEGUN);
        let (noticed, hidden, link) = (Vec::new(), Vec::new(), Vec::new());
        let sides = [side(0), side(1)];
        Self {
            sides,
            seq: [0; 2],
            now: BEGUN,
            cheat,
            change: None,
            keeps: None,
            pauses: false,
            deaf: false,
            speaks_every: 0,
            spoke_at: BEGUN,
            changed: Vec::new(),
            gains: 0,
            noticed,
            settled: Vec::new(),
            hidden,
            link,
        }
    }

    /// Started by both, and some time gone.
    pub fn playing(game: Game, twist: Option<Twist>, number: u64, cheat: usize) -> Self {
        let mut table = Self::new(game, twist, number, cheat);
        (0..2).for_each(|side| table.act(side, Action::Ready));
        table.pass(20);
        assert_eq!(table.view(0).phase, Phase::Playing);
        table
    }

    pub fn honest(&self) -> usize {
        1 - self.cheat
    }

    pub fn put(&mut self, side: usize, input: Input) {
        for effect in self.sides[side].input(input, self.seq[side], self.now) {
            match effect {
                Effect::Send(message) => self.link.push((side, message)),
                Effect::ClearPaper => self.mark(side, OpKind::Clear),
                Effect::Noticed(unfair) if side != self.cheat => self.noticed.push(unfair),
                Effect::Hide(id) if side != self.cheat => self.hidden.push(id),
                Effect::Settled(unfair) if side != self.cheat => self.settled.push(unfair),
                Effect::Noticed(_) | Effect::Settled(_) | Effect::Hide(_) => {}
            }
        }
    }

    pub fn act(&mut self, side: usize, action: Action) {
        self.put(side, Input::User(action));
        self.pass(5);
    }

    pub fn mark(&mut self, side: usize, kind: OpKind) {
        self.seq[side] += 1;
        let id = OpId { author: Author(side as u8), seq: self.seq[side] };
        let op = Op { id, time: self.seq[side], live: 0, kind };
        self.put(side, Input::Drew(op.clone()));
        self.put(1 - side, Input::PeerDrew(vec![op]));
    }

    pub fn tampered(&mut self, message: GameMessage) -> GameMessage {
        let cheat = Author(self.cheat as u8);
        let passed = i64::try_from((self.now - BEGUN).as_millis()).unwrap_or_default();
        let gained = |at_ms: u32| u32::try_from(i64::from(at_ms) + passed * self.gains / 1000).unwrap_or(0);
        match message {
            GameMessage::Here { game, entries, hash, paused, at_ms } => {
                GameMessage::Here { game, entries, hash, paused: paused || self.pauses, at_ms: gained(at_ms) }
            }
            GameMessage::Log { game, from, mut entries } => {
                for entry in entries.iter_mut().filter(|entry| entry.by == cheat) {
                    entry.action = self.lie(entry.action.clone());
                }
                GameMessage::Log { game, from, entries }
            }
            GameMessage::Moves { game, from, moves } => {
                GameMessage::Moves { game, from, moves: moves.into_iter().map(|action| self.lie(action)).collect() }
            }
        }
    }

    pub fn lie(&mut self, action: Move) -> Move {
        let Some(change) = &mut self.change else { return action };
        let told = change(action.clone());
        if told != action {
            self.changed.push((told.clone(), action));
        }
        told
    }

    /// The cheat's own moves, as they come back to it in the log.
    pub fn undone(&self, message: GameMessage) -> GameMessage {
        let GameMessage::Log { game, from, mut entries } = message else { return message };
        for entry in entries.iter_mut().filter(|entry| entry.by == Author(self.cheat as u8)) {
            if let Some((_, known)) = self.changed.iter().find(|(told, _)| *told == entry.action) {
                entry.action = known.clone();
            }
        }
        GameMessage::Log { game, from, entries }
    }

    /// Without what the cheat keeps back.
    pub fn kept(&self, from: usize, message: GameMessage) -> Option<GameMessage> {
        let Some(keeps) = self.keeps.filter(|_| from == self.cheat) else { return Some(message) };
        match message {
            GameMessage::Moves { moves, .. } if moves.iter().any(keeps) => None,
            GameMessage::Log { game, from, entries } => {
                let by = Author(self.cheat as u8);
                let entries = entries.into_iter().take_while(|entry| entry.by != by || !keeps(&entry.action)).collect();
                Some(GameMessage::Log { game, from, entries })
            }
            other => Some(other),
        }
    }

    /// A mark that the cheat's engine knows and the honest one is never sent.
    pub fn secret_mark(&mut self, (x, y): (u16, u16)) {
        let side = self.cheat;
        self.seq[side] += 1;
        let id = OpId { author: Author(side as u8), seq: self.seq[side] };
        let kind = OpKind::Stroke(Stroke { colour: Some(1), size: 20, points: vec![Point { x, y, pressure: 128 }] });
        self.put(side, Input::Drew(Op { id, time: self.seq[side], live: 0, kind }));
    }

    pub fn deliver(&mut self) {
        for (from, message) in std::mem::take(&mut self.link) {
            // With a changed log the two accounts differ as well: not what these tests are about.
            if self.change.is_some() && matches!(message, GameMessage::Here { .. }) {
                continue;
            }
            let message = if from == self.cheat { self.tampered(message) } else { self.undone(message) };
            if from == self.cheat {
                if self.now < self.spoke_at + Duration::from_secs(self.speaks_every) {
                    continue;
                }
                self.spoke_at = self.now;
            }
            if self.deaf && from != self.cheat && matches!(message, GameMessage::Moves { .. }) {
                continue;
            }
            let Some(message) = self.kept(from, message) else { continue };
            self.put(1 - from, Input::Peer(message));
        }
    }

    /// Straight to the honest side.
    pub fn forge(&mut self, message: GameMessage) {
        let honest = self.honest();
        self.put(honest, Input::Peer(message));
    }

    /// A move of the cheat as its program would tell it.
    pub fn forge_move(&mut self, action: Move) {
        let (game, by) = (self.sides[0].number(), Author(self.cheat as u8));
        let from = self.sides[self.honest()].hash().0 as u32;
        let at_ms = u32::try_from((self.now - BEGUN).as_millis()).unwrap_or_default();
        if self.cheat == 0 {
            return self.forge(GameMessage::Log { game, from, entries: vec![Entry { by, at_ms, action }] });
        }
        // The answerer's moves are counted by themselves; all numbers are tried.
        (0..40).for_each(|from| {
            if self.noticed.is_empty() {
                self.forge(GameMessage::Moves { game, from, moves: vec![action.clone()] });
            }
        });
    }

    pub fn pass(&mut self, ticks: u32) {
        for _ in 0..ticks {
            self.now += Duration::from_millis(100);
            (0..2).for_each(|side| self.put(side, Input::Tick));
            self.deliver();
        }
    }

    pub fn view(&self, side: usize) -> GameView {
        self.sides[side].view()
    }

    pub fn dot(&mut self, side: usize, (x, y): (u16, u16), colour: u32) {
        let points = vec![Point { x, y, pressure: 128 }];
        self.mark(side, OpKind::Stroke(Stroke { colour: Some(colour), size: 20, points }));
    }

    #[track_caller]
    pub fn notices(&mut self, unfair: Unfair) {
        self.pass(130);
        assert_eq!(self.noticed, [unfair], "with the cheat on side {}", self.cheat);
    }
}

/// A table for every side that can cheat, once it is the turn that the test is about.
pub fn tables(game: Game, twist: Option<Twist>, wanted: impl Fn(&GameView) -> bool) -> Vec<Table> {
    let on = |cheat: usize| {
        let seated = (1..50).map(|number| Table::playing(game, twist, number, cheat));
        seated.into_iter().find(|table| wanted(&table.view(cheat))).expect("one of two begins by lot")
    };
    vec![on(0), on(1)]
}

pub fn draws(view: &GameView) -> bool {
    matches!(&view.scene, Scene::DrawAndGuess(scene) if scene.you_draw)
}

//! An honest side against a program that cheats: each way of cheating is noticed as what it is. The cheat is an honest engine whose
//! messages are changed on their way, with both views of what was changed kept apart.

use std::time::Duration;
use visavis_games::{Action, Effect, Engine, GameView, Input, Phase, Scene, Unfair};
use visavis_wire::games::{Entry, Game, GameMessage, Move, Play, Twist, Verdict};
use visavis_wire::paper::{Author, Op, OpId, OpKind, Point, Stroke};

type Change = Box<dyn FnMut(Move) -> Move>;

struct Table {
    sides: [Engine; 2],
    seq: [u32; 2],
    now: Duration,
    cheat: usize,
    change: Option<Change>,
    /// Moves that the cheat keeps back, with all that comes after them.
    keeps: Option<fn(&Move) -> bool>,
    /// The cheat hears no moves.
    deaf: bool,
    /// The cheat says something only so often, seconds.
    speaks_every: u64,
    spoke_at: Duration,
    /// As it was told, and as the cheat's own engine knows it.
    changed: Vec<(Move, Move)>,
    /// What the cheat's clock gains in a second, milliseconds.
    gains: i64,
    noticed: Vec<Unfair>,
    settled: Vec<Unfair>,
    hidden: Vec<OpId>,
    link: Vec<(usize, GameMessage)>,
}

const BEGUN: Duration = Duration::from_secs(100);

impl Table {
    fn new(game: Game, twist: Option<Twist>, number: u64, cheat: usize) -> Self {
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
    fn playing(game: Game, twist: Option<Twist>, number: u64, cheat: usize) -> Self {
        let mut table = Self::new(game, twist, number, cheat);
        (0..2).for_each(|side| table.act(side, Action::Ready));
        table.pass(20);
        assert_eq!(table.view(0).phase, Phase::Playing);
        table
    }

    fn honest(&self) -> usize {
        1 - self.cheat
    }

    fn put(&mut self, side: usize, input: Input) {
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

    fn act(&mut self, side: usize, action: Action) {
        self.put(side, Input::User(action));
        self.pass(5);
    }

    fn mark(&mut self, side: usize, kind: OpKind) {
        self.seq[side] += 1;
        let id = OpId { author: Author(side as u8), seq: self.seq[side] };
        let op = Op { id, time: self.seq[side], live: 0, kind };
        self.put(side, Input::Drew(op.clone()));
        self.put(1 - side, Input::PeerDrew(vec![op]));
    }

    fn tampered(&mut self, message: GameMessage) -> GameMessage {
        let cheat = Author(self.cheat as u8);
        let passed = i64::try_from((self.now - BEGUN).as_millis()).unwrap_or_default();
        let gained = |at_ms: u32| u32::try_from(i64::from(at_ms) + passed * self.gains / 1000).unwrap_or(0);
        match message {
            GameMessage::Here { game, entries, hash, paused, at_ms } => {
                GameMessage::Here { game, entries, hash, paused, at_ms: gained(at_ms) }
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

    fn lie(&mut self, action: Move) -> Move {
        let Some(change) = &mut self.change else { return action };
        let told = change(action.clone());
        if told != action {
            self.changed.push((told.clone(), action));
        }
        told
    }

    /// The cheat's own moves, as they come back to it in the log.
    fn undone(&self, message: GameMessage) -> GameMessage {
        let GameMessage::Log { game, from, mut entries } = message else { return message };
        for entry in entries.iter_mut().filter(|entry| entry.by == Author(self.cheat as u8)) {
            if let Some((_, known)) = self.changed.iter().find(|(told, _)| *told == entry.action) {
                entry.action = known.clone();
            }
        }
        GameMessage::Log { game, from, entries }
    }

    /// Without what the cheat keeps back.
    fn kept(&self, from: usize, message: GameMessage) -> Option<GameMessage> {
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
    fn secret_mark(&mut self, (x, y): (u16, u16)) {
        let side = self.cheat;
        self.seq[side] += 1;
        let id = OpId { author: Author(side as u8), seq: self.seq[side] };
        let kind = OpKind::Stroke(Stroke { colour: Some(1), size: 20, points: vec![Point { x, y, pressure: 128 }] });
        self.put(side, Input::Drew(Op { id, time: self.seq[side], live: 0, kind }));
    }

    fn deliver(&mut self) {
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
    fn forge(&mut self, message: GameMessage) {
        let honest = self.honest();
        self.put(honest, Input::Peer(message));
    }

    /// A move of the cheat as its program would tell it.
    fn forge_move(&mut self, action: Move) {
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

    fn pass(&mut self, ticks: u32) {
        for _ in 0..ticks {
            self.now += Duration::from_millis(100);
            (0..2).for_each(|side| self.put(side, Input::Tick));
            self.deliver();
        }
    }

    fn view(&self, side: usize) -> GameView {
        self.sides[side].view()
    }

    fn dot(&mut self, side: usize, (x, y): (u16, u16), colour: u32) {
        let points = vec![Point { x, y, pressure: 128 }];
        self.mark(side, OpKind::Stroke(Stroke { colour: Some(colour), size: 20, points }));
    }

    #[track_caller]
    fn notices(&mut self, unfair: Unfair) {
        self.pass(130);
        assert_eq!(self.noticed, [unfair], "with the cheat on side {}", self.cheat);
    }
}

/// A table for every side that can cheat, once it is the turn that the test is about.
fn tables(game: Game, twist: Option<Twist>, wanted: impl Fn(&GameView) -> bool) -> Vec<Table> {
    let on = |cheat: usize| {
        let seated = (1..50).map(|number| Table::playing(game, twist, number, cheat));
        seated.into_iter().find(|table| wanted(&table.view(cheat))).expect("one of two begins by lot")
    };
    vec![on(0), on(1)]
}

fn draws(view: &GameView) -> bool {
    matches!(&view.scene, Scene::DrawAndGuess(scene) if scene.you_draw)
}

#[test]
fn gomoku_out_of_turn_twice_on_one_cell_and_off_the_board() {
    for mut table in tables(Game::Gomoku, None, |view| !view.your_turn) {
        table.forge_move(Move::Place { cell: 3 });
        table.notices(Unfair::ImpossibleMove);
    }
    for mut table in tables(Game::Gomoku, None, |view| !view.your_turn) {
        let honest = table.honest();
        table.act(honest, Action::Place { cell: 7 });
        table.forge_move(Move::Place { cell: 7 });
        table.notices(Unfair::ImpossibleMove);
    }
    for mut table in tables(Game::Gomoku, None, |view| view.your_turn) {
        table.forge_move(Move::Place { cell: 225 });
        table.notices(Unfair::ImpossibleMove);
    }
}

#[test]
fn moves_of_another_game() {
    for (game, action) in [
        (Game::TwoTruths, Move::Place { cell: 1 }),
        (Game::SameWord, Move::Pick { statement: 1 }),
        (Game::FinishMyDrawing, Move::SaidAloud),
        (Game::DrawAndGuess, Move::Pick { statement: 1 }),
        (Game::Gomoku, Move::SaidAloud),
    ] {
        for mut table in tables(game, None, |_| true) {
            table.forge_move(action.clone());
            table.notices(Unfair::ImpossibleMove);
        }
    }
}

#[test]
fn two_truths_with_another_lie_after_the_pick() {
    for mut table in tables(Game::TwoTruths, None, |view| view.your_turn) {
        let (cheat, honest) = (table.cheat, table.honest());
        table.change = Some(Box::new(|action| match action {
            Move::Open { nonce, .. } => Move::Open { secret: String::from("2"), nonce },
            other => other,
        }));
        table.act(cheat, Action::Tell { statements: ["a", "b", "c"].map(String::from), lie: 0 });
        table.act(honest, Action::Pick { statement: 0 });
        table.notices(Unfair::ChangedSecret);
    }
}

#[test]
fn two_truths_picked_by_the_teller() {
    for mut table in tables(Game::TwoTruths, None, |view| view.your_turn) {
        let cheat = table.cheat;
        table.act(cheat, Action::Tell { statements: ["a", "b", "c"].map(String::from), lie: 0 });
        table.forge_move(Move::Pick { statement: 1 });
        table.notices(Unfair::ImpossibleMove);
    }
}

/// Both draw until one guess is right; what the drawer's program says is changed.
fn guessed(change: fn(Move) -> Move, guess: impl Fn(&str) -> String) -> Vec<Table> {
    let mut all = tables(Game::DrawAndGuess, None, draws);
    for table in &mut all {
        let (cheat, honest) = (table.cheat, table.honest());
        table.change = Some(Box::new(change));
        table.act(cheat, Action::ChooseWord { index: 0 });
        table.pass(20);
        let Scene::DrawAndGuess(scene) = table.view(cheat).scene else { panic!("another game") };
        let word = scene.word.expect("the drawer knows the word");
        table.act(honest, Action::Guess { text: guess(&word) });
        table.act(cheat, Action::SaidAloud);
        table.pass(40);
    }
    all
}

#[test]
fn draw_and_guess_with_another_word_opened() {
    let change = |action| match action {
        Move::Open { nonce, .. } => Move::Open { secret: String::from("house"), nonce },
        other => other,
    };
    guessed(change, |_| String::from("certainly not")).iter_mut().for_each(|table| table.notices(Unfair::ChangedSecret));
    let no_word = |action| match action {
        Move::Open { nonce, .. } => Move::Open { secret: String::from("qqqq"), nonce },
        other => other,
    };
    guessed(no_word, |_| String::from("certainly not")).iter_mut().for_each(|table| table.notices(Unfair::ChangedSecret));
}

#[test]
fn draw_and_guess_with_a_close_guess_called_wrong_and_a_wrong_one_close() {
    let deny = |action| match action {
        Move::Verdict { guess, .. } => Move::Verdict { guess, verdict: Verdict::Wrong },
        other => other,
    };
    for mut table in tables(Game::DrawAndGuess, None, draws) {
        let (cheat, honest) = (table.cheat, table.honest());
        table.act(cheat, Action::ChooseWord { index: 2 });
        table.pass(20);
        let Scene::DrawAndGuess(scene) = table.view(cheat).scene else { panic!("another game") };
        let word = scene.word.expect("the drawer knows the word");
        // One letter off: close, and told as wrong.
        let close: String = word.chars().chain(['x']).collect();
        table.change = Some(Box::new(deny));
        table.act(honest, Action::Guess { text: close });
        table.act(cheat, Action::SaidAloud);
        table.notices(Unfair::WrongVerdict);
    }
    let grant = |action| match action {
        Move::Verdict { guess, .. } => Move::Verdict { guess, verdict: Verdict::Close },
        other => other,
    };
    guessed(grant, |_| String::from("certainly not")).iter_mut().for_each(|table| table.notices(Unfair::WrongVerdict));
}

#[test]
fn draw_and_guess_with_a_letter_that_the_word_does_not_have() {
    for mut table in tables(Game::DrawAndGuess, None, draws) {
        let cheat = table.cheat;
        table.change = Some(Box::new(|action| match action {
            Move::Hint { place, given, .. } => Move::Hint { place, letter: '#', given },
            other => other,
        }));
        table.act(cheat, Action::ChooseWord { index: 0 });
        table.act(cheat, Action::GiveHint);
        table.act(cheat, Action::SaidAloud);
        table.notices(Unfair::WrongVerdict);
    }
}

#[test]
fn draw_and_guess_drawn_by_the_guesser_and_judged_by_the_guesser() {
    for mut table in tables(Game::DrawAndGuess, None, |view| !draws(view)) {
        let (cheat, honest) = (table.cheat, table.honest());
        table.act(honest, Action::ChooseWord { index: 0 });
        table.dot(cheat, (4000, 4000), 1);
        table.notices(Unfair::DrewOutOfTurn);
        assert_eq!(table.hidden.len(), 1, "and it is not shown");
    }
    for mut table in tables(Game::DrawAndGuess, None, |view| !draws(view)) {
        let honest = table.honest();
        table.act(honest, Action::ChooseWord { index: 0 });
        table.forge_move(Move::Verdict { guess: 0, verdict: Verdict::Right });
        table.notices(Unfair::ImpossibleMove);
    }
}

#[test]
fn twists_that_are_not_kept() {
    for (twist, colours) in [(Twist::OneStroke, [1, 1]), (Twist::OneColour, [1, 2])] {
        for mut table in tables(Game::DrawAndGuess, Some(twist), draws) {
            let cheat = table.cheat;
            table.act(cheat, Action::ChooseWord { index: 0 });
            table.pass(10);
            table.dot(cheat, (4000, 4000), colours[0]);
            assert_eq!(table.noticed, []);
            table.dot(cheat, (5000, 5000), colours[1]);
            table.notices(Unfair::DrewOutOfTurn);
            assert_eq!(table.hidden.len(), 1, "{twist:?}");
        }
    }
}

#[test]
fn same_word_drawn_over_the_middle_or_not_as_it_was_sealed() {
    for mut table in tables(Game::SameWord, None, |_| true) {
        let (cheat, there) = (table.cheat, if table.cheat == 0 { 15_000 } else { 1000 });
        table.dot(cheat, (there, 4000), 1);
        table.notices(Unfair::DrewOutOfTurn);
    }
    for mut table in tables(Game::SameWord, None, |_| true) {
        let (cheat, honest, here) = (table.cheat, table.honest(), if table.cheat == 0 { 1000 } else { 15_000 });
        table.change = Some(Box::new(|action| match action {
            Move::End { seq, .. } => Move::End { seq, seal: [7; 32] },
            other => other,
        }));
        table.dot(cheat, (here, 4000), 1);
        table.act(cheat, Action::Done);
        table.act(honest, Action::Done);
        table.notices(Unfair::ChangedDrawing);
    }
}

#[test]
fn finish_my_drawing_outside_the_band_out_of_turn_and_after_its_end() {
    let yours = |view: &GameView| view.your_turn;
    for mut table in tables(Game::FinishMyDrawing, None, yours) {
        let cheat = table.cheat;
        table.dot(cheat, (4000, 9000), 1);
        table.notices(Unfair::DrewOutOfTurn);
    }
    for mut table in tables(Game::FinishMyDrawing, None, |view| !view.your_turn) {
        let cheat = table.cheat;
        table.dot(cheat, (4000, 1000), 1);
        table.notices(Unfair::DrewOutOfTurn);
    }
    for mut table in tables(Game::FinishMyDrawing, None, yours) {
        let cheat = table.cheat;
        table.dot(cheat, (4000, 1000), 1);
        table.act(cheat, Action::Done);
        table.dot(cheat, (4000, 1200), 1);
        table.notices(Unfair::DrewOutOfTurn);
    }
    for mut table in tables(Game::FinishMyDrawing, None, |view| !view.your_turn) {
        table.forge_move(Move::End { seq: 9, seal: [0; 32] });
        table.notices(Unfair::ImpossibleMove);
    }
}

/// The offerer keeps the log: it can tell one course now and another later, or put words into the answerer's mouth.
#[test]
fn two_histories() {
    let game = 5;
    let mut table = Table::playing(Game::Gomoku, None, game, 0);
    let entries = vec![Entry { by: Author(0), at_ms: 0, action: Move::Stop }];
    table.forge(GameMessage::Log { game, from: 0, entries });
    table.notices(Unfair::OtherCourse);

    let mut table = Table::playing(Game::Gomoku, None, game, 0);
    let from = table.sides[1].hash().0 as u32;
    let entries = vec![Entry { by: Author(1), at_ms: 9000, action: Move::Place { cell: 0 } }];
    table.forge(GameMessage::Log { game, from, entries });
    table.notices(Unfair::OtherCourse);

    for cheat in 0..2 {
        let mut table = Table::playing(Game::Gomoku, None, game, cheat);
        let entries = table.sides[0].hash().0 as u32;
        table.forge(GameMessage::Here { game, entries, hash: 1, paused: false, at_ms: 2000 });
        table.notices(Unfair::OtherCourse);
    }
}

#[test]
fn an_offerer_whose_clock_is_fast_slow_or_goes_back() {
    for gains in [500, -500] {
        let mut table = Table::playing(Game::DrawAndGuess, None, 3, 0);
        table.gains = gains;
        table.pass(400);
        table.notices(Unfair::WrongClock);
    }
    let mut table = Table::playing(Game::Gomoku, None, 5, 0);
    let from = table.sides[1].hash().0 as u32;
    let entries = vec![Entry { by: Author(0), at_ms: 0, action: Move::Stop }];
    table.forge(GameMessage::Log { game: 5, from, entries });
    table.notices(Unfair::WrongClock);
}

#[test]
fn an_offerer_that_hardly_speaks() {
    for every in [7, 1000] {
        let mut table = Table::playing(Game::Gomoku, None, 5, 0);
        table.speaks_every = every;
        table.pass(1500);
        assert_eq!(table.noticed, [Unfair::Silent], "every {every} s");
    }
    let mut table = Table::playing(Game::Gomoku, None, 5, 0);
    table.speaks_every = 4;
    table.pass(3000);
    assert_eq!(table.noticed, [], "slow is not silent");
}

#[test]
fn what_comes_late_is_forgiven() {
    let mut table = Table::playing(Game::Gomoku, None, 5, 0);
    table.speaks_every = 1000;
    table.pass(600);
    assert_eq!((&table.noticed[..], &table.settled[..]), (&[Unfair::Silent][..], &[][..]));
    table.speaks_every = 0;
    table.spoke_at = BEGUN;
    table.pass(1200);
    assert_eq!((&table.noticed[..], &table.settled[..]), (&[Unfair::Silent][..], &[Unfair::Silent][..]));
    for mut table in tables(Game::TwoTruths, None, |view| view.your_turn) {
        let (cheat, honest) = (table.cheat, table.honest());
        table.keeps = Some(|action| matches!(action, Move::Open { .. }));
        table.act(cheat, Action::Tell { statements: ["a", "b", "c"].map(String::from), lie: 0 });
        table.act(honest, Action::Pick { statement: 0 });
        table.pass(400);
        table.keeps = None;
        table.pass(50);
        assert_eq!((&table.noticed[..], &table.settled[..]), (&[Unfair::KeptBack][..], &[Unfair::KeptBack][..]));
    }
}

/// It goes on talking, but what the answerer does never comes back in its log.
#[test]
fn an_offerer_that_leaves_out_the_answerers_moves() {
    let mut table = Table::new(Game::Gomoku, None, 5, 0);
    table.deaf = true;
    table.act(1, Action::Ready);
    table.pass(400);
    assert_eq!(table.noticed, [Unfair::Silent]);
}

#[test]
fn a_secret_that_is_never_opened() {
    let opens = |action: &Move| matches!(action, Move::Open { .. });
    for mut table in tables(Game::TwoTruths, None, |view| view.your_turn) {
        let (cheat, honest) = (table.cheat, table.honest());
        table.keeps = Some(opens);
        table.act(cheat, Action::Tell { statements: ["a", "b", "c"].map(String::from), lie: 0 });
        table.pass(600);
        assert_eq!(table.noticed, [], "nothing is owed before the pick");
        table.act(honest, Action::Pick { statement: 0 });
        table.pass(200);
        table.notices(Unfair::KeptBack);
    }
    for mut table in tables(Game::DrawAndGuess, None, draws) {
        let cheat = table.cheat;
        table.keeps = Some(opens);
        table.act(cheat, Action::ChooseWord { index: 0 });
        table.pass(30);
        table.act(cheat, Action::SaidAloud);
        table.pass(200);
        table.notices(Unfair::KeptBack);
    }
}

#[test]
fn guesses_that_are_never_judged_and_drawings_that_never_begin() {
    for mut table in tables(Game::DrawAndGuess, None, draws) {
        let (cheat, honest) = (table.cheat, table.honest());
        table.keeps = Some(|action| matches!(action, Move::Verdict { .. }));
        table.act(cheat, Action::ChooseWord { index: 0 });
        table.pass(30);
        table.act(honest, Action::Guess { text: String::from("tower") });
        table.pass(200);
        table.notices(Unfair::KeptBack);
    }
    for mut table in tables(Game::DrawAndGuess, None, draws) {
        let cheat = table.cheat;
        table.keeps = Some(|action| matches!(action, Move::Begin { .. }));
        table.act(cheat, Action::ChooseWord { index: 0 });
        table.pass(200);
        table.notices(Unfair::KeptBack);
    }
}

#[test]
fn drawings_that_are_sealed_and_never_opened() {
    for mut table in tables(Game::SameWord, None, |_| true) {
        let (cheat, honest) = (table.cheat, table.honest());
        table.secret_mark((if cheat == 0 { 100 } else { 9000 }, 500));
        table.act(cheat, Action::Done);
        table.pass(600);
        assert_eq!(table.noticed, [], "it is hidden until both are done");
        table.act(honest, Action::Done);
        table.pass(200);
        table.notices(Unfair::KeptBack);
    }
    for mut table in tables(Game::FinishMyDrawing, None, |view| view.your_turn) {
        let cheat = table.cheat;
        table.keeps = Some(|action| matches!(action, Move::Edge { .. }));
        table.dot(cheat, (4000, 1000), 1);
        table.act(cheat, Action::Done);
        table.pass(200);
        table.notices(Unfair::KeptBack);
    }
}

/// Draws all bands to the end, the cheat's marks near the edge of its first.
fn unfolded(change: fn(Move) -> Move) -> Vec<Table> {
    let mut all = tables(Game::FinishMyDrawing, None, |view| view.your_turn);
    for table in &mut all {
        let cheat = table.cheat;
        table.change = Some(Box::new(change));
        table.dot(cheat, (4000, 2400), 1);
        for band in 0..4 {
            let side = if band % 2 == 0 { cheat } else { 1 - cheat };
            table.act(side, Action::Done);
            table.pass(20);
        }
        assert!(table.sides[table.honest()].is_over());
    }
    all
}

#[test]
fn an_edge_that_is_not_the_drawings() {
    for mut table in unfolded(|action| action) {
        table.pass(20);
        assert_eq!(table.noticed, []);
    }
    let bare = |action| match action {
        Move::Edge { marks } if !marks.is_empty() => Move::Edge { marks: Vec::new() },
        other => other,
    };
    unfolded(bare).iter_mut().for_each(|table| table.notices(Unfair::ChangedDrawing));
    let dot = |x, y| OpKind::Stroke(Stroke { colour: Some(2), size: 20, points: vec![Point { x, y, pressure: 128 }] });
    for kind in [dot(1, 2000), dot(1, 2600), OpKind::Clear] {
        for mut table in tables(Game::FinishMyDrawing, None, |view| view.your_turn) {
            let cheat = table.cheat;
            table.keeps = Some(|action| matches!(action, Move::Edge { .. }));
            table.act(cheat, Action::Done);
            table.keeps = None;
            table.forge_move(Move::Edge { marks: vec![kind.clone()] });
            table.pass(20);
            assert_eq!(table.noticed[0], Unfair::ImpossibleMove, "{kind:?}");
        }
    }
}

/// One hint is the drawer's to give; the rest come by time.
#[test]
fn a_second_hint_of_the_drawers_own() {
    for mut table in tables(Game::DrawAndGuess, None, draws) {
        let cheat = table.cheat;
        table.act(cheat, Action::ChooseWord { index: 2 });
        table.pass(20);
        table.act(cheat, Action::GiveHint);
        let Scene::DrawAndGuess(scene) = table.view(cheat).scene else { panic!("another game") };
        let shown = |scene: &[String]| scene.iter().flat_map(|part| part.chars()).filter(|letter| *letter != '_').count();
        assert!(!scene.hint_left);
        table.act(cheat, Action::GiveHint);
        let Scene::DrawAndGuess(seen) = table.view(table.honest()).scene else { panic!("another game") };
        assert_eq!(shown(&seen.pattern), 1, "the second is not given");
        let free = seen.pattern.concat().chars().position(|letter| letter == '_').unwrap() as u8;
        table.forge_move(Move::Hint { place: free, letter: 'a', given: true });
        table.notices(Unfair::ImpossibleMove);
    }
}

#[test]
fn nobody_is_accused_of_an_honest_clock() {
    let mut table = Table::playing(Game::DrawAndGuess, None, 3, 0);
    table.pass(3000);
    assert_eq!(table.noticed, []);
}

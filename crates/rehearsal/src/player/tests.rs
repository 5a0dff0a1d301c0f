//! Bots against each other over two engines and a link that loses and reorders, in virtual time.

use super::*;
use visavis_games::{Effect, Engine, Input, Outcome, Pause};
use visavis_wire::channel::{ChannelMessage, Control};
use visavis_wire::games::GameMessage;
use visavis_wire::paper::{Author, Op, OpId, OpKind};

const LOOK: Duration = Duration::from_millis(100);

/// A stroke that is being drawn: number, colour, size, points.
type Pen = (u32, u32, u16, Vec<Point>);

struct Seat {
    engine: Engine,
    player: Player,
    seq: u32,
    pen: Option<Pen>,
    wish: Option<Play>,
    strokes: usize,
}

struct Table {
    seats: [Seat; 2],
    link: Vec<(Duration, usize, GameMessage)>,
    now: Duration,
    /// Of the link.
    dice: Player,
    loss: usize,
    hidden: usize,
    noticed: usize,
}

impl Table {
    fn new(play: Play, seed: u64, language: &str, loss: usize) -> Self {
        let now = Duration::from_secs(50);
        let seat = |me: u8| Seat {
            engine: Engine::new(play, seed, Author(me), [me.wrapping_add(seed as u8); 32], vec![language.to_owned()], now),
            player: Player::new(seed * 2 + u64::from(me)),
            seq: 0,
            pen: None,
            wish: None,
            strokes: 0,
        };
        Self { seats: [seat(0), seat(1)], link: Vec::new(), now, dice: Player::new(seed + 7), loss, hidden: 0, noticed: 0 }
    }

    fn put(&mut self, side: usize, input: Input) {
        let seat = &mut self.seats[side];
        for effect in seat.engine.input(input, seat.seq, self.now) {
            match effect {
                Effect::Send(message) => self.send(side, &message),
                Effect::ClearPaper => self.mark(side, OpKind::Clear),
                Effect::Hide(_) => self.hidden += 1,
                Effect::Settled(_) => {}
                Effect::Noticed(unfair) => {
                    eprintln!("side {side} notices {unfair:?}");
                    self.noticed += 1;
                }
            }
        }
    }

    fn send(&mut self, side: usize, message: &GameMessage) {
        let Ok(Control::Game(message)) = Control::from_bytes(&Control::Game(message.clone()).to_bytes()) else {
            panic!("unreadable")
        };
        if self.dice.roll(100) >= self.loss {
            let delay = Duration::from_millis(20 + self.dice.roll(200) as u64);
            self.link.push((self.now + delay, 1 - side, message));
        }
    }

    fn mark(&mut self, side: usize, kind: OpKind) {
        self.seats[side].seq += 1;
        let id = OpId { author: Author(side as u8), seq: self.seats[side].seq };
        let op = Op { id, time: self.seats[side].seq, live: 0, kind };
        self.put(side, Input::Drew(op.clone()));
        self.put(1 - side, Input::PeerDrew(vec![op]));
    }

    /// What `session` does with it; what the game does not allow is a fault of the bot here.
    fn carry_out(&mut self, side: usize, deed: Deed) {
        let permit = self.seats[side].engine.permit();
        match deed {
            Deed::Wish(play) => self.seats[side].wish = Some(play),
            Deed::Act(action) => self.put(side, Input::User(action)),
            Deed::Points { stroke, colour, size, points } => {
                assert!(permit.draw && points.iter().all(|point| permit.area.holds(point.x, point.y)), "{permit:?}");
                assert!(self.seats[side].engine.colour().is_none_or(|taken| taken == colour), "one colour");
                let pen = self.seats[side].pen.get_or_insert((stroke, colour, size, Vec::new()));
                assert_eq!(pen.0, stroke, "one stroke at a time");
                pen.3.extend(points);
            }
            Deed::End { stroke } => {
                let pen = self.seats[side].pen.take();
                let Some((_, colour, size, points)) = pen.filter(|pen| pen.0 == stroke && permit.draw) else { return };
                self.seats[side].strokes += 1;
                self.mark(side, OpKind::Stroke(visavis_wire::paper::Stroke { colour: Some(colour), size, points }));
            }
        }
    }

    fn step(&mut self, plays: [bool; 2]) {
        self.now += LOOK;
        let due: Vec<_> = self.link.extract_if(.., |(at, ..)| *at <= self.now).collect();
        due.into_iter().for_each(|(_, to, message)| self.put(to, Input::Peer(message)));
        for (side, plays) in plays.into_iter().enumerate() {
            self.put(side, Input::Tick);
            if plays {
                let view = self.seats[side].engine.view();
                for deed in self.seats[side].player.look(Some(&view), self.now) {
                    self.carry_out(side, deed);
                }
            }
        }
    }

    fn over(&self) -> bool {
        self.seats.iter().all(|seat| seat.engine.is_over())
    }
}

const SPOKEN: [&str; 6] = ["en", "zh", "es", "fr", "de", "pt"];

fn plays() -> Vec<Play> {
    let twists = [None, Some(TWISTS[0]), Some(TWISTS[1]), Some(TWISTS[2])];
    GAMES.iter().flat_map(|game| twists.map(|twist| Play { game: *game, twist })).collect()
}

#[test]
fn two_bots_bring_every_game_with_every_twist_to_its_end() {
    for seed in 0..240u64 {
        let play = plays()[seed as usize % 20];
        let mut table = Table::new(play, seed, SPOKEN[seed as usize / 20 % 6], [0, 10, 30][seed as usize % 3]);
        let begun = table.now;
        while !table.over() {
            table.step([true; 2]);
            let took = table.now - begun;
            assert!(took < Duration::from_secs(900), "seed {seed}: {play:?} goes on: {:?}", table.seats[0].engine.view());
        }
        table.loss = 0;
        (0..100).for_each(|_| table.step([false; 2]));
        assert_eq!((table.noticed, table.hidden), (0, 0), "seed {seed}: {play:?} is played fairly");
        assert_eq!(table.seats[0].engine.hash(), table.seats[1].engine.hash(), "seed {seed}: {play:?}");
        let strokes = [table.seats[0].strokes, table.seats[1].strokes];
        if matches!(play.game, Game::SameWord | Game::FinishMyDrawing | Game::DrawAndGuess) {
            let least = if play.twist == Some(Twist::OneStroke) { 1 } else { 3 };
            // A word may be guessed before anything is drawn of it, but not often.
            let enough = strokes.iter().all(|strokes| *strokes >= least) || play.game == Game::DrawAndGuess;
            assert!(enough, "seed {seed}: {play:?} with {strokes:?} strokes");
        }
    }
}

/// Guesses by elimination: nearly always within the time, though nobody looks at the drawing.
#[test]
fn a_bot_guesses_most_words() {
    let (mut guessed, mut rounds) = (0, 0usize);
    for seed in 0..60u64 {
        let mut table = Table::new(Play { game: Game::DrawAndGuess, twist: None }, seed, SPOKEN[seed as usize % 6], 0);
        let mut outcomes = [None; 3];
        while !table.over() {
            table.step([true; 2]);
            let view = table.seats[0].engine.view();
            if let Scene::DrawAndGuess(scene) = view.scene {
                outcomes[usize::from(view.round)] = scene.outcome;
            }
        }
        rounds += usize::from(table.seats[0].engine.view().round);
        guessed += outcomes.iter().filter(|outcome| **outcome == Some(Outcome::Guessed)).count();
    }
    assert!(guessed * 2 > rounds, "{guessed} of {rounds} words");
    println!("{guessed} of {rounds} words are guessed");
}

#[test]
fn a_bot_beats_who_places_stones_anywhere() {
    let (mut lost, games) = (Vec::new(), 200u64);
    for seed in 0..games {
        let mut table = Table::new(Play { game: Game::Gomoku, twist: None }, seed, "en", 0);
        while !table.over() {
            table.step([true, false]);
            let view = table.seats[1].engine.view();
            match view.phase {
                Phase::Ready { you: false, .. } => table.put(1, Input::User(Action::Ready)),
                Phase::Playing if view.your_turn => {
                    let cell = table.dice.roll(225) as u8;
                    table.put(1, Input::User(Action::Place { cell }));
                }
                _ => {}
            }
        }
        if !matches!(table.seats[0].engine.view().scene, Scene::Gomoku { you_won: Some(true), .. }) {
            lost.push(seed);
        }
    }
    assert!(lost.is_empty(), "the bot does not win with the seeds {lost:?} of {games}");
}

/// A person waits with one wish; the bot comes to it, and to every other.
#[test]
fn wishes_for_every_game_within_a_minute_and_sometimes_for_the_same_again() {
    for seed in 0..50 {
        let mut player = Player::new(seed);
        let mut wished = Vec::new();
        for look in 0..600u64 {
            for deed in player.look(None, LOOK * look as u32) {
                let Deed::Wish(play) = deed else { panic!("seed {seed}: {deed:?}") };
                wished.push(play);
            }
        }
        let missing = plays().into_iter().filter(|play| play.twist.is_none() || GAMES[..3].contains(&play.game));
        let missing: Vec<Play> = missing.filter(|play| !wished.contains(play)).collect();
        assert!(missing.is_empty(), "seed {seed}: {missing:?}");
    }
    let mut again = 0;
    for seed in 0..100 {
        let play = Play { game: Game::Gomoku, twist: None };
        let view = Table::new(play, seed, "en", 0).seats[0].engine.view();
        let mut player = Player::new(seed);
        player.look(Some(&view), LOOK);
        again += usize::from(player.look(None, LOOK * 2) == [Deed::Wish(play)]);
    }
    assert!((35..75).contains(&again), "{again} of 100");
}

/// Whoever is paused, or whose turn ends in the middle of a stroke, lifts the pen and begins no other.
#[test]
fn lifts_the_pen_when_the_game_is_paused() {
    let mut table = Table::new(Play { game: Game::SameWord, twist: None }, 3, "en", 0);
    while table.seats[0].pen.is_none() {
        table.step([true; 2]);
    }
    table.put(0, Input::Pause(Pause::Seen));
    let drawn = table.seats[0].strokes;
    (0..20).for_each(|_| table.step([true, false]));
    assert!(table.seats[0].pen.is_none(), "the pen is down");
    assert_eq!(table.seats[0].strokes, drawn, "nothing is drawn while it is paused");
    table.put(0, Input::Pause(Pause::No));
    while !table.over() {
        table.step([true; 2]);
    }
    assert!(table.seats[0].strokes >= drawn, "{drawn}");
}

/// Not every game is played to its end: now and then one round is enough, and nobody waits for ever for somebody who does nothing.
#[test]
fn ends_a_game_by_itself_sometimes() {
    let mut ended_early = 0;
    for seed in 0..100 {
        let mut table = Table::new(Play { game: Game::TwoTruths, twist: None }, seed, "en", 0);
        while !table.over() {
            table.step([true; 2]);
        }
        ended_early += usize::from(table.seats[0].engine.view().round == 1);
    }
    assert!((8..45).contains(&ended_early), "{ended_early} of 100");
    let mut table = Table::new(Play { game: Game::Gomoku, twist: None }, 1, "en", 0);
    let begun = table.now;
    while !table.over() {
        table.step([true, false]);
        let view = table.seats[1].engine.view();
        if matches!(view.phase, Phase::Ready { you: false, .. }) {
            table.put(1, Input::User(Action::Ready));
        }
        assert!(table.now < begun + TIRED * 2, "still there: {view:?}");
    }
    assert!(table.now > begun + TIRED, "nobody is left at once");
}

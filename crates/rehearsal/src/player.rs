//! How a bot plays: what its page shows of a game, a seed and the time become wishes, moves and marks. It knows no more than a person
//! in its place, and does nothing that the view does not allow. Carrying it out is left to `bot`.
//!
//! | file | holds |
//! |---|---|
//! | `stones` | Gomoku |
//! | `picture` | what is drawn for a word |
//! | `statements` | Two truths |

mod picture;
mod statements;
mod stones;

use std::collections::VecDeque;
use std::time::Duration;
use visavis_games::normalise::{self, judge};
use visavis_games::words::{Difficulty, Language, Word, list};
use visavis_games::{Action, DrawAndGuess, GameView, Permit, Phase, Scene};
use visavis_wire::games::{Game, Play, Twist, Verdict};
use visavis_wire::paper::Point;

const GAMES: [Game; 5] = [Game::DrawAndGuess, Game::SameWord, Game::FinishMyDrawing, Game::Gomoku, Game::TwoTruths];
const TWISTS: [Twist; 3] = [Twist::OneStroke, Twist::OneColour, Twist::Blind];
/// A wish stands so long before another takes its place: wishes are blind, so the other's is met by going through all of them.
const WISH: Duration = Duration::from_secs(3);
/// For the same game again.
const REMATCH: Duration = Duration::from_secs(9);
/// Of so many rounds that could follow, one is not wanted: nobody plays on for ever.
const ENOUGH: usize = 8;
/// Somebody who does nothing for so long does not want to play on either.
const TIRED: Duration = Duration::from_secs(120);
/// Points that are drawn at each look.
const POINTS: usize = 12;
const SIZE: u16 = 60;

/// What a bot does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Takes the place of the wish before.
    Wish(Play),
    Act(Action),
    /// More of the stroke of that number.
    Points {
        stroke: u32,
        colour: u32,
        size: u16,
        points: Vec<Point>,
    },
    End {
        stroke: u32,
    },
}

/// What it draws in this turn.
struct Drawing {
    /// Round and part, so that the next turn is another drawing.
    turn: (u8, u8),
    strokes: VecDeque<(u32, VecDeque<Point>)>,
    /// The one whose points are being drawn.
    open: Option<u32>,
}

pub struct Player {
    dice: u64,
    /// Nothing is done before.
    rests_until: Duration,
    wishes: VecDeque<Play>,
    wished_at: Option<Duration>,
    /// The game that was played last, while the same one again is not decided.
    played: Option<Play>,
    rematch: bool,
    drawing: Option<Drawing>,
    strokes: u32,
    /// Of this round, for what is said is seen in the view only later.
    guessed: (u8, Vec<String>),
    hinted: u8,
    /// How the game was at the last look, and since when it is so: while it rests nobody waits for anybody.
    stands: Option<(Scene, Duration)>,
    /// Round after which it has been decided whether another is wanted.
    wanted: u8,
}

impl Player {
    pub fn new(seed: u64) -> Self {
        Self {
            dice: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            rests_until: Duration::ZERO,
            wishes: VecDeque::new(),
            wished_at: None,
            played: None,
            rematch: false,
            drawing: None,
            strokes: 0,
            guessed: (0, Vec::new()),
            hinted: 0,
            stands: None,
            wanted: 0,
        }
    }

    /// To be called about ten times a second while the call is connected.
    pub fn look(&mut self, game: Option<&GameView>, now: Duration) -> Vec<Deed> {
        let Some(game) = game.filter(|game| game.phase != Phase::Over) else {
            (self.drawing, self.hinted, self.guessed) = (None, 0, (0, Vec::new()));
            (self.stands, self.wanted) = (None, 0);
            return self.wish(now);
        };
        self.wished_at = None;
        self.played = Some(Play { game: game.game, twist: game.twist });
        self.rematch = true;
        if game.paused {
            self.stands = None;
            return self.lift();
        }
        if self.has_enough(game, now) {
            let mut deeds = self.lift();
            deeds.push(Deed::Act(Action::Stop));
            return deeds;
        }
        match game.phase {
            Phase::Ready { you, .. } => {
                let lifted = self.lift();
                self.drawing = None;
                if you {
                    self.rest(now, 1500, 3000);
                    return lifted;
                }
                self.after_rest(now, 1500, 3000, Action::Ready)
            }
            _ if game.permit.draw && self.draws(game) => self.draw(game, now),
            _ => {
                let mut deeds = self.lift();
                deeds.extend(self.play(game, now));
                deeds
            }
        }
    }

    /// Now and then after a round, and when the other has been doing nothing for long.
    fn has_enough(&mut self, game: &GameView, now: Duration) -> bool {
        if self.stands.as_ref().is_none_or(|(scene, _)| *scene != game.scene) {
            self.stands = Some((game.scene.clone(), now));
        }
        if let Phase::Ready { you: false, after_round: true, .. } = game.phase
            && self.wanted != game.round
        {
            self.wanted = game.round;
            return self.roll(ENOUGH) == 0;
        }
        // A clock that runs ends it by itself.
        let waits = game.left_ms.is_none() && !game.your_turn;
        waits && self.stands.as_ref().is_some_and(|(_, since)| now > *since + TIRED)
    }

    /// xorshift64*.
    fn roll(&mut self, below: usize) -> usize {
        self.dice ^= self.dice >> 12;
        self.dice ^= self.dice << 25;
        self.dice ^= self.dice >> 27;
        (self.dice.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % below.max(1)
    }

    fn one_of<T: Clone>(&mut self, many: &[T]) -> Option<T> {
        let index = self.roll(many.len());
        many.get(index).cloned()
    }

    fn rest(&mut self, now: Duration, at_least: usize, at_most: usize) {
        let rest = at_least + self.roll(at_most - at_least);
        self.rests_until = now + Duration::from_millis(rest as u64);
    }

    /// Does it once the pause is over, and rests before the next.
    fn after_rest(&mut self, now: Duration, at_least: usize, at_most: usize, action: Action) -> Vec<Deed> {
        if now < self.rests_until {
            return Vec::new();
        }
        self.rest(now, at_least, at_most);
        vec![Deed::Act(action)]
    }

    /// The pen is put down where no more may be drawn.
    fn lift(&mut self) -> Vec<Deed> {
        let open = self.drawing.as_mut().and_then(|drawing| drawing.open.take());
        if open.is_some()
            && let Some(drawing) = &mut self.drawing
        {
            drawing.strokes.pop_front();
        }
        open.map(|stroke| Deed::End { stroke }).into_iter().collect()
    }

    /// The same game again in half of the cases, then one after another, those without a twist first.
    fn wish(&mut self, now: Duration) -> Vec<Deed> {
        let stands = if self.rematch { REMATCH } else { WISH };
        if self.wished_at.is_some_and(|at| now < at + stands) {
            return Vec::new();
        }
        let again = self.wished_at.is_none().then(|| self.played.take()).flatten();
        self.wished_at = Some(now);
        if let Some(again) = again.filter(|_| self.roll(2) == 0) {
            self.rematch = true;
            return vec![Deed::Wish(again)];
        }
        self.rematch = false;
        if self.wishes.is_empty() {
            let mut plain: Vec<Play> = GAMES.iter().map(|game| Play { game: *game, twist: None }).collect();
            let drawn = &GAMES[..3];
            let mut twisted: Vec<Play> =
                drawn.iter().flat_map(|game| TWISTS.map(|twist| Play { game: *game, twist: Some(twist) })).collect();
            for plays in [&mut plain, &mut twisted] {
                while !plays.is_empty() {
                    let next = self.roll(plays.len());
                    self.wishes.push_back(plays.swap_remove(next));
                }
            }
        }
        self.wishes.pop_front().map(Deed::Wish).into_iter().collect()
    }

    fn draws(&self, game: &GameView) -> bool {
        match &game.scene {
            Scene::DrawAndGuess(scene) => scene.you_draw && scene.word.is_some() && scene.outcome.is_none(),
            Scene::SameWord { you_done, .. } => !you_done,
            Scene::FinishMyDrawing { you_draw, .. } => *you_draw,
            Scene::Gomoku { .. } | Scene::TwoTruths { .. } => false,
        }
    }

    fn sketch(scene: &Scene, permit: Permit) -> Vec<(u32, Vec<Point>)> {
        let word = match scene {
            Scene::DrawAndGuess(scene) => scene.word.as_deref(),
            Scene::SameWord { word, .. } => word.as_deref(),
            Scene::FinishMyDrawing { part, .. } => return picture::fit(picture::band(*part), false, permit),
            Scene::Gomoku { .. } | Scene::TwoTruths { .. } => None,
        };
        picture::fit(picture::of(word.unwrap_or_default()), true, permit)
    }

    fn draw(&mut self, game: &GameView, now: Duration) -> Vec<Deed> {
        let part = if let Scene::FinishMyDrawing { part, .. } = game.scene { part } else { 0 };
        let turn = (game.round, part);
        if self.drawing.as_ref().is_none_or(|drawing| drawing.turn != turn) {
            let strokes = Self::sketch(&game.scene, game.permit).into_iter().map(|(colour, points)| (colour, points.into()));
            self.drawing = Some(Drawing { turn, strokes: strokes.collect(), open: None });
            self.rest(now, 800, 2000);
        }
        if now < self.rests_until {
            return Vec::new();
        }
        let Some(drawing) = &mut self.drawing else { return Vec::new() };
        let Some((colour, points)) = drawing.strokes.front_mut() else { return self.drawn(game, now) };
        let stroke = *drawing.open.get_or_insert_with(|| {
            self.strokes += 1;
            self.strokes
        });
        let next: Vec<Point> = points.drain(..points.len().min(POINTS)).collect();
        let mut deeds = vec![Deed::Points { stroke, colour: *colour, size: SIZE, points: next }];
        if points.is_empty() {
            deeds.push(Deed::End { stroke });
            drawing.open = None;
            drawing.strokes.pop_front();
            self.rest(now, 300, 900);
        }
        deeds
    }

    /// The drawing is complete.
    fn drawn(&mut self, game: &GameView, now: Duration) -> Vec<Deed> {
        match &game.scene {
            Scene::DrawAndGuess(scene) => self.help(game, scene, now),
            _ => self.after_rest(now, 1000, 2500, Action::Done),
        }
    }

    /// One hint of the drawer's own in the second half of the time.
    fn help(&mut self, game: &GameView, scene: &DrawAndGuess, now: Duration) -> Vec<Deed> {
        let late = game.left_ms.is_some_and(|left| left < 35_000);
        if late && scene.hint_left && self.hinted != game.round {
            self.hinted = game.round;
            return self.after_rest(now, 1000, 2000, Action::GiveHint);
        }
        Vec::new()
    }

    fn play(&mut self, game: &GameView, now: Duration) -> Vec<Deed> {
        if now < self.rests_until || !game.your_turn {
            if !game.your_turn && now >= self.rests_until {
                // So that an answer does not come in the moment in which it is asked for.
                self.rest(now, 600, 1400);
            }
            return Vec::new();
        }
        match &game.scene {
            Scene::DrawAndGuess(scene) if scene.you_draw && !scene.offers.is_empty() => {
                let known = scene.offers.iter().position(|offer| picture::knows(&offer.word));
                let index = known.unwrap_or_else(|| self.roll(2)) as u8;
                self.after_rest(now, 1500, 3000, Action::ChooseWord { index })
            }
            // The drawing is done, as with one stroke.
            Scene::DrawAndGuess(scene) if scene.you_draw => self.help(game, scene, now),
            Scene::DrawAndGuess(scene) if scene.outcome.is_none() => self.guess(game, scene, now),
            Scene::SameWord { you_done: false, .. } | Scene::FinishMyDrawing { you_draw: true, .. } => {
                let used = self.drawing.as_ref().is_some_and(|drawing| drawing.strokes.is_empty());
                if used { self.after_rest(now, 1000, 2500, Action::Done) } else { Vec::new() }
            }
            Scene::Gomoku { board, you_black, .. } => {
                let best = stones::best(board, if *you_black { b'b' } else { b'w' });
                let Some(cell) = self.one_of(&best) else { return Vec::new() };
                self.after_rest(now, 700, 2000, Action::Place { cell })
            }
            Scene::TwoTruths { you_tell: true, statements, .. } if statements.is_empty() => self.tell(game, now),
            Scene::TwoTruths { you_tell: false, picked: None, statements, .. } if !statements.is_empty() => {
                let statement = self.roll(3) as u8;
                self.after_rest(now, 2500, 5000, Action::Pick { statement })
            }
            _ => Vec::new(),
        }
    }

    fn tell(&mut self, game: &GameView, now: Duration) -> Vec<Deed> {
        let Some([one, two, lie]) = self.one_of(statements::sets(game.language)) else { return Vec::new() };
        let place = self.roll(3);
        let mut told = vec![one, two];
        told.insert(place, lie);
        let Ok(statements) = <[&str; 3]>::try_from(told).map(|told| told.map(String::from)) else { return Vec::new() };
        self.after_rest(now, 2000, 4000, Action::Tell { statements, lie: place as u8 })
    }

    /// A word of the list that fits the letters shown and every verdict so far.
    fn guess(&mut self, game: &GameView, scene: &DrawAndGuess, now: Duration) -> Vec<Deed> {
        if self.guessed.0 != game.round {
            self.guessed = (game.round, Vec::new());
            // The drawing has only begun.
            self.rest(now, 4000, 7000);
            return Vec::new();
        }
        if scene.guesses.last().is_some_and(|guess| guess.verdict.is_none()) {
            return Vec::new();
        }
        let mut left = candidates(game.language.unwrap_or(Language::En), scene);
        left.retain(|word| !self.guessed.1.iter().any(|guess| guess == word.shown()));
        let Some(word) = self.one_of(&left) else { return Vec::new() };
        self.guessed.1.push(word.shown().to_owned());
        self.after_rest(now, 2500, 6000, Action::Guess { text: word.shown().to_owned() })
    }
}

/// Words that can still be the one.
fn candidates(language: Language, scene: &DrawAndGuess) -> Vec<Word> {
    let words = Difficulty::ALL.iter().flat_map(|difficulty| list(language).of(*difficulty)).copied();
    let agrees = |word: &Word| {
        scene.guesses.iter().all(|guess| match guess.verdict {
            None => true,
            Some(Verdict::Right) => judge(language, *word, &guess.text) == normalise::Verdict::Right,
            Some(Verdict::Close) => judge(language, *word, &guess.text) == normalise::Verdict::Close,
            Some(Verdict::Wrong) => judge(language, *word, &guess.text) == normalise::Verdict::Wrong,
        })
    };
    words.filter(|word| fits(word.shown(), &scene.pattern)).filter(agrees).collect()
}

fn fits(word: &str, pattern: &[String]) -> bool {
    let parts: Vec<&str> = word.split_whitespace().collect();
    let same = |(part, shown): (&&str, &String)| {
        part.chars().count() == shown.chars().count()
            && part.chars().zip(shown.chars()).all(|(letter, shown)| shown == '_' || shown == letter)
    };
    parts.len() == pattern.len() && parts.iter().zip(pattern).all(same)
}

#[cfg(test)]
mod tests;

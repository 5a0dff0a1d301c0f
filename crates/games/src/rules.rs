//! What a game has to say for itself, and what all of them share: being ready, rounds, secrets, and the table of games. A new game is one
//! file, one line in [`begin`] and one in [`rounds_of`].

use crate::action::Action;
use crate::view::{Area, Permit, Phase, Scene, Unfair};
use crate::words::Language;
use crate::{draw_and_guess, finish, gomoku, same_word, two_truths};
use sha2::{Digest, Sha256};
use visavis_wire::games::{Game, Move, Play, Twist};
use visavis_wire::paper::Author;

/// What became of a move. The same on both sides, whoever made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judged {
    Fine,
    /// Not now; honest when it crossed with another move.
    Late,
    /// No honest program makes it.
    Unfair(Unfair),
}

pub(crate) struct Shown {
    pub your_turn: bool,
    pub deadline: Option<u32>,
    pub scene: Scene,
}

/// The state of a game, folded from its log alone.
pub(crate) trait Rules: Send {
    fn frame(&self) -> &Frame;
    fn apply(&mut self, by: Author, at_ms: u32, action: &Move) -> Judged;
    /// When the offerer has to say how late it is.
    fn deadline(&self) -> Option<u32>;
    /// What the user's action means, if anything.
    fn act(&self, action: &Action, mine: &mut Mine) -> Option<Move>;
    /// What this side's program has to say by itself.
    fn answer(&self, mine: &mut Mine, at_ms: u32) -> Answer;
    fn permit(&self, of: Author) -> Permit;
    /// Whose program has to go on now by itself, without its user.
    fn owed(&self) -> Option<Author>;
    /// Where drawings that stay folded have their edges.
    fn strips(&self) -> Vec<Area> {
        Vec::new()
    }
    /// Whether marks belong to turns. In a game of cards both may scribble all the time.
    fn has_turns(&self) -> bool {
        true
    }
    fn show(&self, mine: &Mine) -> Shown;
    fn copy(&self) -> Box<dyn Rules>;
}

pub(crate) enum Answer {
    Nothing,
    Move(Move),
    /// The paper has to be empty first.
    Clear,
    /// The edge of the drawing that was sealed last.
    Edge,
}

/// What this side alone knows.
pub(crate) struct Mine {
    pub me: Author,
    pub number: u64,
    pub seed: [u8; 32],
    /// Of this round: what was committed to.
    pub secret: Option<(u8, String, [u8; 32])>,
    /// Own operations so far, by the paper's own count.
    pub seq: u32,
    /// For which turn the paper was cleared.
    pub cleared: u8,
    /// Over the own operations of the turn.
    pub seal: [u8; 32],
    pub languages: Vec<String>,
}

impl Mine {
    pub fn draw(&self, label: &str, round: u8) -> [u8; 32] {
        Sha256::new().chain_update(self.seed).chain_update(label).chain_update([round]).finalize().into()
    }

    /// Keeps the secret of the round and says what commits to it.
    pub fn commit(&mut self, round: u8, secret: String) -> [u8; 32] {
        let nonce = self.draw("nonce", round);
        let commitment = commitment(self.number, round, &secret, &nonce);
        self.secret = Some((round, secret, nonce));
        commitment
    }

    pub fn opening(&self, round: u8) -> Option<Move> {
        let (_, secret, nonce) = self.secret.as_ref().filter(|secret| secret.0 == round)?;
        Some(Move::Open { secret: secret.clone(), nonce: *nonce })
    }
}

/// Bound to the game and the round, so that no opening fits another commitment.
pub(crate) fn commitment(number: u64, round: u8, secret: &str, nonce: &[u8; 32]) -> [u8; 32] {
    let hash = Sha256::new().chain_update("visavis game secret").chain_update(number.to_le_bytes()).chain_update([round]);
    hash.chain_update(nonce).chain_update(secret).finalize().into()
}

/// A number that both sides know, below `below`.
pub(crate) fn common(number: u64, label: &str, below: usize) -> usize {
    let hash = Sha256::new().chain_update(label).chain_update(number.to_le_bytes()).finalize();
    usize::from(u16::from_le_bytes([hash[0], hash[1]])) % below.max(1)
}

pub(crate) fn other(author: Author) -> Author {
    Author(1 - author.0.min(1))
}

/// Readiness and rounds.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub number: u64,
    pub twist: Option<Twist>,
    pub language: Option<Language>,
    ready: [bool; 2],
    spoken: [Vec<Language>; 2],
    /// Counted from 1; 0 before the first.
    pub round: u8,
    pub rounds: u8,
    pub playing: bool,
    pub over: bool,
}

impl Frame {
    fn new(play: Play, number: u64) -> Self {
        let (spoken, ready) = ([Vec::new(), Vec::new()], [false; 2]);
        let rounds = rounds_of(play.game);
        Self { number, twist: play.twist, language: None, ready, spoken, round: 0, rounds, playing: false, over: false }
    }

    /// `Ready` and `Stop`, which every game has. `Some(true)`: a round begins now.
    pub fn apply(&mut self, by: Author, action: &Move) -> Option<(Judged, bool)> {
        match action {
            Move::Stop => {
                (self.over, self.playing) = (true, false);
                Some((Judged::Fine, false))
            }
            Move::Time => Some((Judged::Fine, false)),
            _ if self.over => Some((Judged::Late, false)),
            Move::Ready { .. } if self.playing => Some((Judged::Late, false)),
            Move::Ready { languages } => {
                let side = usize::from(by.0.min(1));
                self.ready[side] = true;
                self.spoken[side] = languages.iter().filter_map(|tag| Language::from_tag(tag)).collect();
                let begins = self.ready == [true; 2];
                if begins {
                    self.begin();
                }
                Some((Judged::Fine, begins))
            }
            _ if !self.playing => Some((Judged::Late, false)),
            _ => None,
        }
    }

    fn begin(&mut self) {
        let [offerer, answerer] = &self.spoken;
        let shared = offerer.iter().find(|language| answerer.contains(language)).or(offerer.first()).or(answerer.first());
        self.language = self.language.or(shared.copied().or(Some(Language::En)));
        self.ready = [false; 2];
        self.round += 1;
        self.playing = true;
    }

    pub fn round_over(&mut self) {
        self.playing = false;
        self.over = self.round >= self.rounds;
    }

    pub fn phase(&self, me: Author) -> Phase {
        let ready = |author: Author| self.ready[usize::from(author.0.min(1))];
        match (self.over, self.playing) {
            (true, _) => Phase::Over,
            (_, true) => Phase::Playing,
            _ => Phase::Ready { you: ready(me), they: ready(other(me)), after_round: self.round > 0 },
        }
    }

    pub fn is_ready(&self, me: Author) -> bool {
        self.ready[usize::from(me.0.min(1))]
    }

    pub fn language(&self) -> Language {
        self.language.unwrap_or(Language::En)
    }

    /// Takes turns from round to round; who begins is drawn by lot.
    pub fn turn_of_round(&self) -> Author {
        Author(((common(self.number, "first", 2) + usize::from(self.round)) % 2) as u8)
    }

    /// With the twist.
    pub fn drawing(&self) -> Permit {
        let (one_stroke, one_colour) = (self.twist == Some(Twist::OneStroke), self.twist == Some(Twist::OneColour));
        Permit { one_stroke, one_colour, blind: self.twist == Some(Twist::Blind), ..Permit::FREE }
    }
}

fn rounds_of(game: Game) -> u8 {
    match game {
        Game::DrawAndGuess | Game::TwoTruths => 2,
        Game::SameWord | Game::FinishMyDrawing | Game::Gomoku => 1,
    }
}

/// The table of games.
pub(crate) fn begin(play: Play, number: u64) -> Box<dyn Rules> {
    let frame = Frame::new(play, number);
    match play.game {
        Game::DrawAndGuess => Box::new(draw_and_guess::DrawAndGuess::new(frame)),
        Game::SameWord => Box::new(same_word::SameWord::new(frame)),
        Game::FinishMyDrawing => Box::new(finish::Finish::new(frame)),
        Game::Gomoku => Box::new(gomoku::Gomoku::new(frame)),
        Game::TwoTruths => Box::new(two_truths::TwoTruths::new(frame)),
    }
}

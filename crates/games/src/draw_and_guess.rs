//! Draw and guess: one of three words is drawn, the other guesses. The word is committed to before the drawing begins and opened at the
//! end, when both sides check every verdict and every letter that was shown.

use crate::action::Action;
use crate::normalise::{self, judge};
use crate::rules::{Answer, Frame, Judged, Mine, Rules, Shown, commitment};
use crate::view::{self, Offer, Outcome, Permit, Scene, Unfair};
use crate::words::{Difficulty, list};
use visavis_wire::games::{Move, Verdict};
use visavis_wire::limits;
use visavis_wire::paper::Author;

const LIMIT_MS: u32 = 90_000;
const MOST_GUESSES: usize = 200;

#[derive(Clone, Default)]
struct Round {
    word: Option<([u8; 32], Vec<u8>)>,
    began: Option<u32>,
    guesses: Vec<(String, Option<Verdict>)>,
    hints: Vec<(u8, char)>,
    /// One of the hints was the drawer's own.
    given: bool,
    outcome: Option<Outcome>,
    ended: bool,
    opened: Option<String>,
}

#[derive(Clone)]
pub(crate) struct DrawAndGuess {
    frame: Frame,
    now: Round,
}

fn letters(word: &str) -> Vec<char> {
    word.chars().filter(|letter| !letter.is_whitespace()).collect()
}

impl DrawAndGuess {
    pub fn new(frame: Frame) -> Self {
        Self { frame, now: Round::default() }
    }

    fn drawer(&self) -> Author {
        self.frame.turn_of_round()
    }

    fn offers(&self, mine: &Mine) -> Vec<Offer> {
        let pick = |difficulty: Difficulty| {
            let words = list(self.frame.language()).of(difficulty);
            let lot = mine.draw(["easy", "medium", "hard"][difficulty as usize], self.frame.round);
            let word = words[usize::from(u16::from_le_bytes([lot[0], lot[1]])) % words.len()];
            Offer { word: word.shown().to_owned(), difficulty }
        };
        Difficulty::ALL.map(pick).to_vec()
    }

    /// Evenly over the time, and one that the drawer may give; a third of the letters at most, and never the last one.
    fn hints_by(&self, at_ms: u32) -> usize {
        let Some((began, (_, parts))) = self.now.began.zip(self.now.word.as_ref()) else { return 0 };
        let most = self.most_hints(parts) as u32;
        (0..most).filter(|hint| at_ms >= began + LIMIT_MS * (hint + 1) / (most + 1)).count()
    }

    fn most_hints(&self, parts: &[u8]) -> usize {
        let count: usize = parts.iter().map(|part| usize::from(*part)).sum();
        (count / 3).clamp(usize::from(count > 1), 5)
    }

    fn hint_due(&self, at_ms: u32) -> bool {
        self.now.hints.len() < self.hints_by(at_ms) + usize::from(self.now.given) && self.letters_left()
    }

    /// The last letter is never shown.
    fn letters_left(&self) -> bool {
        let Some((_, parts)) = &self.now.word else { return false };
        let count: usize = parts.iter().map(|part| usize::from(*part)).sum();
        self.now.began.is_some() && self.now.outcome.is_none() && self.now.hints.len() + 1 < count
    }

    fn hint_left(&self) -> bool {
        self.letters_left() && !self.now.given
    }

    fn next_hint(&self, mine: &Mine, given: bool) -> Option<Move> {
        let (_, word, _) = mine.secret.as_ref()?;
        let word = letters(word);
        let lot = mine.draw("hint", self.frame.round);
        let free: Vec<usize> =
            (0..word.len()).filter(|at| self.now.hints.iter().all(|hint| usize::from(hint.0) != *at)).collect();
        let place = *free.get(usize::from(lot[self.now.hints.len() % 32]) % free.len().max(1))?;
        Some(Move::Hint { place: u8::try_from(place).ok()?, letter: word[place], given })
    }

    /// The word that is opened has to be the one that everything before was about.
    fn check(&self, secret: &str, nonce: &[u8; 32]) -> Judged {
        let language = self.frame.language();
        let Some((committed, parts)) = &self.now.word else { return Judged::Unfair(Unfair::ImpossibleMove) };
        let Some(word) = list(language).find(secret) else { return Judged::Unfair(Unfair::ChangedSecret) };
        if *committed != commitment(self.frame.number, self.frame.round, secret, nonce) || *parts != parts_of(secret) {
            return Judged::Unfair(Unfair::ChangedSecret);
        }
        let letters = letters(secret);
        let shown = self.now.hints.iter().all(|(place, letter)| letters.get(usize::from(*place)) == Some(letter));
        let judged = self
            .now
            .guesses
            .iter()
            .all(|(text, verdict)| verdict.is_none_or(|said| said == verdict_of(judge(language, word, text))));
        if shown && judged { Judged::Fine } else { Judged::Unfair(Unfair::WrongVerdict) }
    }
}

fn parts_of(word: &str) -> Vec<u8> {
    word.split_whitespace().map(|part| u8::try_from(part.chars().count()).unwrap_or(u8::MAX)).collect()
}

fn verdict_of(verdict: normalise::Verdict) -> Verdict {
    match verdict {
        normalise::Verdict::Right => Verdict::Right,
        normalise::Verdict::Close => Verdict::Close,
        normalise::Verdict::Wrong => Verdict::Wrong,
    }
}

impl DrawAndGuess {
    fn drawer_says(&mut self, at_ms: u32, action: &Move) -> Judged {
        let open = self.now.began.is_some() && self.now.outcome.is_none();
        match action {
            Move::Word { commitment, letters } if self.now.word.is_none() && (1..=40).contains(&letters.len()) => {
                self.now.word = Some((*commitment, letters.clone()));
            }
            Move::Begin { .. } if self.now.word.is_some() && self.now.began.is_none() => self.now.began = Some(at_ms),
            Move::Verdict { guess, verdict } => match self.now.guesses.get_mut(usize::from(*guess)) {
                Some((_, given @ None)) => {
                    *given = Some(*verdict);
                    if *verdict == Verdict::Right && self.now.outcome.is_none() {
                        self.now.outcome = Some(Outcome::Guessed);
                    }
                }
                _ => return Judged::Unfair(Unfair::ImpossibleMove),
            },
            Move::Hint { place, letter, given } if open => {
                let known = self.now.hints.iter().any(|hint| hint.0 == *place);
                if known || !self.letters_left() || (*given && self.now.given) {
                    return Judged::Unfair(Unfair::ImpossibleMove);
                }
                // By the drawer's own clock it was due already.
                if !given && !self.hint_due(at_ms) {
                    return Judged::Late;
                }
                self.now.given |= *given;
                self.now.hints.push((*place, *letter));
            }
            Move::SaidAloud if open => self.now.outcome = Some(Outcome::SaidAloud),
            Move::Hint { .. } | Move::SaidAloud if self.now.outcome.is_some() => return Judged::Late,
            Move::End { .. } if self.now.outcome.is_some() && !self.now.ended => self.now.ended = true,
            Move::Open { secret, nonce } if self.now.ended => {
                let judged = self.check(secret, nonce);
                self.now.opened = Some(secret.clone());
                self.frame.round_over();
                return judged;
            }
            _ => return Judged::Unfair(Unfair::ImpossibleMove),
        }
        Judged::Fine
    }

    fn pattern(&self, mine: &Mine) -> Vec<String> {
        let Some((_, parts)) = &self.now.word else { return Vec::new() };
        let own = mine.secret.as_ref().filter(|secret| secret.0 == self.frame.round && self.drawer() == mine.me);
        let word = self.now.opened.clone().or(own.map(|secret| secret.1.clone())).map(|word| letters(&word));
        let mut place = 0usize;
        let mut pattern = Vec::new();
        for part in parts {
            let letter = |at: usize| {
                let known = word.as_ref().and_then(|word| word.get(at).copied());
                let hint = self.now.hints.iter().find(|hint| usize::from(hint.0) == at).map(|hint| hint.1);
                known.or(hint).unwrap_or('_')
            };
            pattern.push((place..place + usize::from(*part)).map(letter).collect());
            place += usize::from(*part);
        }
        pattern
    }
}

impl Rules for DrawAndGuess {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn apply(&mut self, by: Author, at_ms: u32, action: &Move) -> Judged {
        if self.now.began.is_some_and(|began| at_ms >= began + LIMIT_MS) && self.now.outcome.is_none() {
            self.now.outcome = Some(Outcome::TimeUp);
        }
        if let Some((judged, begins)) = self.frame.apply(by, action) {
            if begins {
                self.now = Round::default();
            }
            return judged;
        }
        if by == self.drawer() {
            return self.drawer_says(at_ms, action);
        }
        match action {
            Move::Guess { text } if self.now.began.is_some() && self.now.outcome.is_none() => {
                if self.now.guesses.len() >= MOST_GUESSES {
                    return Judged::Late;
                }
                self.now.guesses.push((text.clone(), None));
                Judged::Fine
            }
            Move::Guess { .. } => Judged::Late,
            _ => Judged::Unfair(Unfair::ImpossibleMove),
        }
    }

    fn deadline(&self) -> Option<u32> {
        self.now.began.filter(|_| self.frame.playing && self.now.outcome.is_none()).map(|began| began + LIMIT_MS)
    }

    fn act(&self, action: &Action, mine: &mut Mine) -> Option<Move> {
        let draws = self.drawer() == mine.me && self.frame.playing;
        match action {
            Action::ChooseWord { index } if draws && self.now.word.is_none() => {
                let word = self.offers(mine).into_iter().nth(usize::from(*index))?.word;
                let letters = parts_of(&word);
                Some(Move::Word { commitment: mine.commit(self.frame.round, word), letters })
            }
            Action::Guess { text } if !draws => {
                let text: String = text.trim().chars().take(limits::GAME_TEXT / 4).collect();
                (!text.is_empty()).then_some(Move::Guess { text })
            }
            Action::GiveHint if draws && self.hint_left() => self.next_hint(mine, true),
            Action::SaidAloud if draws => Some(Move::SaidAloud),
            _ => None,
        }
    }

    fn answer(&self, mine: &mut Mine, at_ms: u32) -> Answer {
        if self.drawer() != mine.me || !self.frame.playing || self.now.word.is_none() {
            return Answer::Nothing;
        }
        let Some((_, word, _)) = mine.secret.clone().filter(|secret| secret.0 == self.frame.round) else {
            return Answer::Nothing;
        };
        if self.now.began.is_none() {
            return if mine.cleared < self.frame.round { Answer::Clear } else { Answer::Move(Move::Begin { seq: mine.seq }) };
        }
        let language = self.frame.language();
        if let Some(guess) = self.now.guesses.iter().position(|guess| guess.1.is_none()) {
            let right = list(language).find(&word).map(|word| judge(language, word, &self.now.guesses[guess].0));
            let verdict = right.map_or(Verdict::Wrong, verdict_of);
            return Answer::Move(Move::Verdict { guess: guess as u16, verdict });
        }
        if self.now.outcome.is_none() {
            let due = self.hint_due(at_ms).then(|| self.next_hint(mine, false)).flatten();
            return due.map_or(Answer::Nothing, Answer::Move);
        }
        if !self.now.ended {
            return Answer::Move(Move::End { seq: mine.seq, seal: mine.seal });
        }
        mine.opening(self.frame.round).map_or(Answer::Nothing, Answer::Move)
    }

    fn owed(&self) -> Option<Author> {
        let begins = self.now.word.is_some() && self.now.began.is_none();
        let judges = self.now.guesses.iter().any(|guess| guess.1.is_none());
        (self.frame.playing && (begins || judges || self.now.outcome.is_some())).then(|| self.drawer())
    }

    fn permit(&self, of: Author) -> Permit {
        if !self.frame.playing {
            return Permit::FREE;
        }
        let draw = of == self.drawer() && self.now.began.is_some() && !self.now.ended;
        Permit { draw, ..self.frame.drawing() }
    }

    fn show(&self, mine: &Mine) -> Shown {
        let you_draw = self.drawer() == mine.me;
        let choosing = self.frame.playing && self.now.word.is_none();
        let own = mine.secret.as_ref().filter(|secret| you_draw && secret.0 == self.frame.round && self.now.word.is_some());
        let mut guesses: Vec<view::Guess> =
            self.now.guesses.iter().map(|(text, verdict)| view::Guess { text: text.clone(), verdict: *verdict }).collect();
        if you_draw {
            for guess in guesses.iter_mut().filter(|guess| guess.verdict == Some(Verdict::Close)) {
                guess.verdict = Some(Verdict::Wrong);
            }
        }
        let scene = Scene::DrawAndGuess(view::DrawAndGuess {
            you_draw,
            offers: if you_draw && choosing { self.offers(mine) } else { Vec::new() },
            word: self.now.opened.clone().or(own.map(|secret| secret.1.clone())),
            pattern: self.pattern(mine),
            guesses,
            hint_left: self.hint_left(),
            outcome: self.now.outcome,
        });
        let your_turn = self.frame.playing && (you_draw || self.now.began.is_some());
        Shown { your_turn, deadline: self.deadline(), scene }
    }

    fn copy(&self) -> Box<dyn Rules> {
        Box::new(self.clone())
    }
}

//! Same word: both draw the same word, each on an own half of the paper, unseen; what was drawn is sealed by a hash before anything of
//! it is shown, and both are revealed at once.

use crate::action::Action;
use crate::rules::{Answer, Frame, Judged, Mine, Rules, Shown, common, other};
use crate::view::{Area, Permit, Scene, Unfair};
use crate::words::{Difficulty, list};
use visavis_wire::games::Move;
use visavis_wire::paper::{Author, PAPER_WIDTH};

const LIMIT_MS: u32 = 120_000;

#[derive(Clone)]
pub(crate) struct SameWord {
    frame: Frame,
    begun: [bool; 2],
    done: [bool; 2],
    until: Option<u32>,
    late: bool,
}

fn side(author: Author) -> usize {
    usize::from(author.0.min(1))
}

impl SameWord {
    pub fn new(frame: Frame) -> Self {
        Self { frame, begun: [false; 2], done: [false; 2], until: None, late: false }
    }

    fn word(&self) -> Option<String> {
        let words = list(self.frame.language()).of(Difficulty::Easy);
        let word = words.get(common(self.frame.number, "word", words.len()))?;
        (self.frame.round > 0).then(|| word.shown().to_owned())
    }
}

impl Rules for SameWord {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn apply(&mut self, by: Author, at_ms: u32, action: &Move) -> Judged {
        self.late |= self.until.is_some_and(|until| at_ms >= until);
        if let Some((judged, begins)) = self.frame.apply(by, action) {
            if begins {
                self.until = Some(at_ms + LIMIT_MS);
            }
            return judged;
        }
        match action {
            Move::Begin { .. } if !self.begun[side(by)] => self.begun[side(by)] = true,
            Move::End { .. } if self.begun[side(by)] && !self.done[side(by)] => {
                self.done[side(by)] = true;
                if self.done == [true; 2] {
                    self.frame.round_over();
                }
            }
            _ => return Judged::Unfair(Unfair::ImpossibleMove),
        }
        Judged::Fine
    }

    fn deadline(&self) -> Option<u32> {
        self.until.filter(|_| self.frame.playing && !self.late)
    }

    fn act(&self, action: &Action, mine: &mut Mine) -> Option<Move> {
        let may = *action == Action::Done && self.begun[side(mine.me)];
        may.then_some(Move::End { seq: mine.seq, seal: mine.seal })
    }

    fn answer(&self, mine: &mut Mine, _at_ms: u32) -> Answer {
        let own = side(mine.me);
        match (self.frame.playing, self.begun[own], self.done[own]) {
            // Only one clears; the other's hidden marks come after that, for they wait for this side's word.
            (true, false, _) if mine.me == Author(0) && mine.cleared < self.frame.round => Answer::Clear,
            (true, false, _) if mine.me == Author(0) || self.begun[0] => Answer::Move(Move::Begin { seq: mine.seq }),
            (true, true, false) if self.late => Answer::Move(Move::End { seq: mine.seq, seal: mine.seal }),
            _ => Answer::Nothing,
        }
    }

    fn owed(&self) -> Option<Author> {
        let begins = || (0..2).find(|side| !self.begun[*side]);
        let ends = || (0..2).find(|side| self.late && !self.done[*side]);
        let side = self.frame.playing.then(|| begins().or_else(ends)).flatten()?;
        Some(Author(side as u8))
    }

    fn permit(&self, of: Author) -> Permit {
        if !self.frame.playing {
            return Permit::FREE;
        }
        let middle = PAPER_WIDTH / 2;
        let area = if of == Author(0) { Area { right: middle, ..Area::PAPER } } else { Area { left: middle, ..Area::PAPER } };
        let draw = self.begun[side(of)] && !self.done[side(of)];
        Permit { draw, area, hidden: true, ..self.frame.drawing() }
    }

    fn show(&self, mine: &Mine) -> Shown {
        let scene = Scene::SameWord {
            word: self.word(),
            you_done: self.done[side(mine.me)],
            they_done: self.done[side(other(mine.me))],
            revealed: self.done == [true; 2],
            you_left: mine.me == Author(0),
        };
        let your_turn = self.frame.playing && !self.done[side(mine.me)];
        Shown { your_turn, deadline: self.until.filter(|_| self.frame.playing), scene }
    }

    fn copy(&self) -> Box<dyn Rules> {
        Box::new(self.clone())
    }
}

//! Two truths: three statements, one of them a lie that is committed to beforehand; the other side picks it.

use crate::action::Action;
use crate::rules::{Answer, Frame, Judged, Mine, Rules, Shown, commitment};
use crate::view::{Permit, Scene, Unfair};
use visavis_wire::games::Move;
use visavis_wire::limits;
use visavis_wire::paper::Author;

#[derive(Clone)]
pub(crate) struct TwoTruths {
    frame: Frame,
    told: Option<([String; 3], [u8; 32])>,
    picked: Option<u8>,
    lie: Option<u8>,
}

impl TwoTruths {
    pub fn new(frame: Frame) -> Self {
        Self { frame, told: None, picked: None, lie: None }
    }

    fn teller(&self) -> Author {
        self.frame.turn_of_round()
    }
}

impl Rules for TwoTruths {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn apply(&mut self, by: Author, _at_ms: u32, action: &Move) -> Judged {
        if let Some((judged, begins)) = self.frame.apply(by, action) {
            if begins {
                (self.told, self.picked, self.lie) = (None, None, None);
            }
            return judged;
        }
        match action {
            Move::Statements { texts, commitment } if by == self.teller() && self.told.is_none() => {
                self.told = Some((texts.clone(), *commitment));
                Judged::Fine
            }
            Move::Pick { statement: 0..=2 } if by != self.teller() && self.told.is_some() && self.picked.is_none() => {
                let Move::Pick { statement } = action else { return Judged::Late };
                self.picked = Some(*statement);
                Judged::Fine
            }
            Move::Open { secret, nonce } if by == self.teller() && self.picked.is_some() => {
                let honest = self
                    .told
                    .as_ref()
                    .is_some_and(|(_, told)| *told == commitment(self.frame.number, self.frame.round, secret, nonce));
                self.lie = secret.parse().ok().filter(|lie| *lie < 3);
                self.frame.round_over();
                if honest && self.lie.is_some() { Judged::Fine } else { Judged::Unfair(Unfair::ChangedSecret) }
            }
            _ => Judged::Unfair(Unfair::ImpossibleMove),
        }
    }

    fn deadline(&self) -> Option<u32> {
        None
    }

    fn act(&self, action: &Action, mine: &mut Mine) -> Option<Move> {
        match action {
            Action::Tell { statements, lie }
                if *lie < 3 && self.teller() == mine.me && self.frame.playing && self.told.is_none() =>
            {
                let fits = |text: &String| !text.trim().is_empty() && text.len() <= limits::GAME_TEXT;
                statements.iter().all(fits).then(|| {
                    let commitment = mine.commit(self.frame.round, lie.to_string());
                    Move::Statements { texts: statements.clone(), commitment }
                })
            }
            Action::Pick { statement } => Some(Move::Pick { statement: *statement }),
            _ => None,
        }
    }

    fn answer(&self, mine: &mut Mine, _at_ms: u32) -> Answer {
        let due = self.frame.playing && self.picked.is_some() && self.teller() == mine.me;
        due.then(|| mine.opening(self.frame.round)).flatten().map_or(Answer::Nothing, Answer::Move)
    }

    fn owed(&self) -> Option<Author> {
        (self.frame.playing && self.picked.is_some()).then(|| self.teller())
    }

    fn permit(&self, _of: Author) -> Permit {
        Permit::FREE
    }

    fn has_turns(&self) -> bool {
        false
    }

    fn show(&self, mine: &Mine) -> Shown {
        let you_tell = self.teller() == mine.me;
        let own_lie = mine
            .secret
            .as_ref()
            .filter(|secret| you_tell && secret.0 == self.frame.round)
            .and_then(|secret| secret.1.parse().ok());
        let your_turn = self.frame.playing && if self.told.is_none() { you_tell } else { self.picked.is_none() && !you_tell };
        let scene = Scene::TwoTruths {
            you_tell,
            statements: self.told.iter().flat_map(|(texts, _)| texts.clone()).collect(),
            picked: self.picked,
            lie: self.lie.or(own_lie.filter(|_| self.told.is_some())),
        };
        Shown { your_turn, deadline: None, scene }
    }

    fn copy(&self) -> Box<dyn Rules> {
        Box::new(self.clone())
    }
}

//! Finish my drawing: four bands from the top to the bottom, drawn in turns. Marks stay with whoever draws them until all are drawn;
//! of a finished band the other side is told a seal and the edge alone, and compares both with what is opened in the end.

use crate::action::Action;
use crate::edge;
use crate::rules::{Answer, Frame, Judged, Mine, Rules, Shown};
use crate::view::{Area, Edge, Permit, Scene, Unfair};
use visavis_wire::games::Move;
use visavis_wire::paper::{Author, OpKind, PAPER_HEIGHT};

const PARTS: u8 = 4;
const LIMIT_MS: u32 = 60_000;
/// What the next one sees of a band.
const EDGE: u16 = 250;

#[derive(Clone)]
pub(crate) struct Finish {
    frame: Frame,
    /// Bands that are complete.
    done: u8,
    /// Of the complete bands but the last one.
    edges: Vec<Vec<OpKind>>,
    begun: bool,
    until: Option<u32>,
    late: bool,
}

fn band(part: u8) -> Area {
    let height = PAPER_HEIGHT / u16::from(PARTS);
    Area { top: height * u16::from(part), bottom: height * (u16::from(part) + 1), ..Area::PAPER }
}

fn strip(part: u8) -> Area {
    let band = band(part);
    Area { top: band.bottom - EDGE, ..band }
}

impl Finish {
    pub fn new(frame: Frame) -> Self {
        Self { frame, done: 0, edges: Vec::new(), begun: false, until: None, late: false }
    }

    fn draws(&self, part: u8) -> Author {
        Author((self.frame.turn_of_round().0 + part) % 2)
    }

    /// The band that is complete, while nothing is known of its edge.
    fn edge_due(&self) -> Option<u8> {
        (self.frame.playing && self.edges.len() < usize::from(self.done)).then(|| self.done - 1)
    }
}

impl Rules for Finish {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn apply(&mut self, by: Author, at_ms: u32, action: &Move) -> Judged {
        self.late |= self.until.is_some_and(|until| at_ms >= until);
        if let Some((judged, _)) = self.frame.apply(by, action) {
            return judged;
        }
        match action {
            Move::Begin { .. } if by == self.draws(self.done) && !self.begun && self.edge_due().is_none() => {
                (self.begun, self.until) = (true, Some(at_ms + LIMIT_MS));
            }
            Move::End { .. } if by == self.draws(self.done) && self.begun => {
                self.done += 1;
                (self.begun, self.until, self.late) = (false, None, false);
                if self.done == PARTS {
                    self.frame.round_over();
                }
            }
            Move::Edge { marks } if self.edge_due().is_some_and(|part| by == self.draws(part)) => {
                let sound = edge::is_sound(marks, strip(self.done - 1));
                self.edges.push(if sound { marks.clone() } else { Vec::new() });
                if !sound {
                    return Judged::Unfair(Unfair::ImpossibleMove);
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
        let may = *action == Action::Done && self.begun && self.draws(self.done) == mine.me;
        may.then_some(Move::End { seq: mine.seq, seal: mine.seal })
    }

    fn answer(&self, mine: &mut Mine, _at_ms: u32) -> Answer {
        if let Some(part) = self.edge_due() {
            return if self.draws(part) == mine.me { Answer::Edge } else { Answer::Nothing };
        }
        if !self.frame.playing || self.draws(self.done) != mine.me {
            return Answer::Nothing;
        }
        match self.begun {
            false if self.done == 0 && mine.cleared < self.frame.round => Answer::Clear,
            false => Answer::Move(Move::Begin { seq: mine.seq }),
            true if self.late => Answer::Move(Move::End { seq: mine.seq, seal: mine.seal }),
            true => Answer::Nothing,
        }
    }

    fn owed(&self) -> Option<Author> {
        let begins = (self.frame.playing && (!self.begun || self.late)).then_some(self.done);
        self.edge_due().or(begins).map(|part| self.draws(part))
    }

    fn strips(&self) -> Vec<Area> {
        (0..PARTS - 1).map(strip).collect()
    }

    fn permit(&self, of: Author) -> Permit {
        if !self.frame.playing {
            return Permit::FREE;
        }
        let draw = self.begun && self.draws(self.done) == of;
        Permit { draw, area: band(self.done.min(PARTS - 1)), hidden: true, ..self.frame.drawing() }
    }

    fn show(&self, mine: &Mine) -> Shown {
        let you_draw = self.frame.playing && self.draws(self.done) == mine.me;
        let (mut folded, mut edges) = (Vec::new(), Vec::new());
        for part in (0..PARTS).filter(|part| self.frame.playing && self.draws(*part) != mine.me && *part <= self.done) {
            let told = self.edges.get(usize::from(part));
            folded.push(Area { bottom: if told.is_some() { strip(part).top } else { band(part).bottom }, ..band(part) });
            edges.extend(told.map(|marks| Edge { area: strip(part), marks: marks.clone() }));
        }
        let part = (self.done + 1).min(PARTS);
        let scene = Scene::FinishMyDrawing { part, parts: PARTS, you_draw, folded, edges };
        Shown { your_turn: you_draw, deadline: self.until, scene }
    }

    fn copy(&self) -> Box<dyn Rules> {
        Box::new(self.clone())
    }
}

//! Gomoku: fifteen by fifteen, black begins, five or more in a row win.

use crate::action::Action;
use crate::rules::{Answer, Frame, Judged, Mine, Rules, Shown, common, other};
use crate::view::{Permit, Scene, Unfair};
use visavis_wire::games::Move;
use visavis_wire::paper::Author;

const SIDE: i32 = 15;
const CELLS: usize = 225;

#[derive(Clone)]
pub(crate) struct Gomoku {
    frame: Frame,
    board: [Option<Author>; CELLS],
    turn: Author,
    last: Option<u8>,
    line: Vec<u8>,
}

impl Gomoku {
    pub fn new(frame: Frame) -> Self {
        let turn = black(&frame);
        Self { frame, board: [None; CELLS], turn, last: None, line: Vec::new() }
    }
}

fn black(frame: &Frame) -> Author {
    Author(common(frame.number, "black", 2) as u8)
}

/// The stones of one colour in a row through a cell, where they are five or more.
fn five(board: &[Option<Author>; CELLS], cell: u8) -> Vec<u8> {
    let (row, column) = (i32::from(cell) / SIDE, i32::from(cell) % SIDE);
    let at = |row: i32, column: i32| {
        let inside = (0..SIDE).contains(&row) && (0..SIDE).contains(&column);
        if inside { board[(row * SIDE + column) as usize] } else { None }
    };
    let whose = at(row, column);
    for (down, right) in [(0, 1), (1, 0), (1, 1), (1, -1)] {
        let reach = |sign: i32| {
            (1..SIDE).take_while(|step| at(row + sign * step * down, column + sign * step * right) == whose).count() as i32
        };
        let (back, on) = (reach(-1), reach(1));
        if whose.is_some() && back + on >= 4 {
            return (-back..=on).map(|step| ((row + step * down) * SIDE + column + step * right) as u8).collect();
        }
    }
    Vec::new()
}

impl Rules for Gomoku {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn apply(&mut self, by: Author, _at_ms: u32, action: &Move) -> Judged {
        if let Some((judged, _)) = self.frame.apply(by, action) {
            return judged;
        }
        let Move::Place { cell } = *action else { return Judged::Unfair(Unfair::ImpossibleMove) };
        let free = self.board.get(usize::from(cell)) == Some(&None);
        if by != self.turn || !free {
            return Judged::Unfair(Unfair::ImpossibleMove);
        }
        self.board[usize::from(cell)] = Some(by);
        (self.last, self.turn) = (Some(cell), other(by));
        self.line = five(&self.board, cell);
        if !self.line.is_empty() || self.board.iter().all(Option::is_some) {
            self.frame.round_over();
        }
        Judged::Fine
    }

    fn deadline(&self) -> Option<u32> {
        None
    }

    fn act(&self, action: &Action, _mine: &mut Mine) -> Option<Move> {
        let Action::Place { cell } = action else { return None };
        Some(Move::Place { cell: *cell })
    }

    fn answer(&self, _mine: &mut Mine, _at_ms: u32) -> Answer {
        Answer::Nothing
    }

    fn owed(&self) -> Option<Author> {
        None
    }

    fn permit(&self, _of: Author) -> Permit {
        if self.frame.playing { Permit::NOTHING } else { Permit::FREE }
    }

    fn show(&self, mine: &Mine) -> Shown {
        let black = black(&self.frame);
        let sign = |cell: &Option<Author>| match cell {
            None => '.',
            Some(author) if *author == black => 'b',
            Some(_) => 'w',
        };
        let you_won = self.line.first().and_then(|cell| self.board[usize::from(*cell)]).map(|winner| winner == mine.me);
        let scene = Scene::Gomoku {
            board: self.board.iter().map(sign).collect(),
            you_black: black == mine.me,
            last: self.last,
            line: self.line.clone(),
            you_won,
        };
        Shown { your_turn: self.frame.playing && self.turn == mine.me, deadline: None, scene }
    }

    fn copy(&self) -> Box<dyn Rules> {
        Box::new(self.clone())
    }
}

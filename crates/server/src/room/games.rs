//! Which game the two of a match wish for. What they play is their own business: the server hears no move.

use crate::blind::{Side, Wishes};
use visavis_wire::games::Play;

/// Which games are wished for, and which began last, under which number.
#[derive(Debug)]
pub(super) struct Games {
    wishes: Wishes<Play>,
    pub begun: Option<(Play, u64)>,
}

impl Games {
    pub(super) fn new() -> Self {
        Self { wishes: Wishes::new(), begun: None }
    }

    /// `Some`: a game begins. Its number is new to both, whatever process of the server began the one before.
    pub(super) fn answer(&mut self, now_ms: u64, side: Side, play: Play, yes: bool) -> Option<(Play, u64)> {
        if !yes {
            self.wishes.take_back(side, play);
            return None;
        }
        let play = self.wishes.wish(side, play)?;
        let number = self.begun.map_or(now_ms, |(_, before)| now_ms.max(before + 1));
        self.begun = Some((play, number));
        self.begun
    }
}

//! How a meeting went, for the matcher to learn from.

use super::{Meeting, Stage};
use crate::blind::Side;
use crate::room::waiting::Waiting;
use crate::room::{Output, Room};
use crate::store::Parted;
use visavis_matching as matching;
use visavis_wire::socket::MatchId;

/// Whoever leaves within this did not want to meet this person.
const EARLY_MS: u64 = 20_000;

/// From the beginning on. Of a match that another leader began nothing is known, and the weights learn nothing of it.
#[derive(Debug, Default)]
pub(super) struct Course {
    waiters: Option<Box<[matching::Waiter; 2]>>,
    began_ms: Option<u64>,
    left_early: [bool; 2],
}

impl Course {
    pub(super) fn began(waiting: &[Waiting; 2], now_ms: u64) -> Self {
        let [one, other] = waiting;
        let waiters = Box::new([one.waiter.clone(), other.waiter.clone()]);
        Self { waiters: Some(waiters), began_ms: Some(now_ms), left_early: [false; 2] }
    }

    pub(super) fn left(&mut self, who: Side, now_ms: u64) {
        self.left_early[who.index()] = self.began_ms.is_some_and(|began| now_ms < began + EARLY_MS);
    }
}

impl Room {
    /// When nothing more can come of a meeting. Nobody is told of it.
    pub(super) fn learn(&mut self, match_id: &MatchId, meeting: &Meeting, out: &mut Vec<Output>) {
        let (Stage::Parting { follow, .. }, course) = (&meeting.stage, &meeting.course) else { return };
        let (follow, left_early) = (follow.said_yes(), course.left_early);
        if let Some(waiters) = &course.waiters {
            let outcome = matching::Outcome { left_early, follow, ..matching::Outcome::default() };
            self.waits.pool.learn(&waiters[0], &waiters[1], &outcome);
            self.learnt.more();
        }
        out.push(Output::Parted(Parted { match_id: match_id.clone(), left_early, follow }));
    }
}

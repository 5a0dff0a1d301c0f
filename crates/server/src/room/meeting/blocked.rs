//! The end of whatever two people have together, when one of them blocks the other.

use crate::room::{Output, Room};
use crate::store::AccountId;
use visavis_wire::socket::{MatchId, ServerMessage};

impl Room {
    /// The two have nothing more to do with each other: waiting, offered, together or parting. To the other it looks like a "not
    /// now", a leave, or a question that closed.
    pub(in crate::room) fn blocked(&mut self, now_ms: u64, by: AccountId, other: AccountId, out: &mut Vec<Output>) {
        let between: Vec<MatchId> = self
            .matches
            .iter()
            .filter(|(_, meeting)| meeting.side(by).is_some() && meeting.side(other).is_some())
            .map(|(id, _)| id.clone())
            .collect();
        for match_id in between {
            if !self.decline_offer(now_ms, &match_id, by, out) {
                self.leave(now_ms, &match_id, by, out);
                // Without the question: nothing may come of it any more.
                self.part(&match_id, ServerMessage::FollowClosed { match_id: match_id.clone() }, out);
            }
        }
        // Whoever waits, or waits again after the offer.
        for (one, peer) in [(by, other), (other, by)] {
            self.never_again(one, peer);
        }
    }
}

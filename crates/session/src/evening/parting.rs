//! After the call: the follow question and the way back.

use super::paper::Paper;
use super::{Effect, Evening, Room, Stage};
use crate::view::FollowState;
use std::time::Duration;
use visavis_wire::socket::{ClientMessage, EndReason, MatchId, Question};

/// Until the server has said how long the question is open.
const FOLLOW_PROVISIONAL: Duration = Duration::from_secs(20);
/// Beyond the closing time, for the server's word to arrive.
const WORD_LATE: Duration = Duration::from_secs(2);

pub(super) struct Parting {
    pub match_id: MatchId,
    pub reason: EndReason,
    pub follow: FollowState,
    pub closes_at: Duration,
    /// What was drawn together.
    pub paper: Box<Paper>,
}

impl Parting {
    pub(super) fn asked(match_id: MatchId, reason: EndReason, closes_at: Duration, paper: Paper) -> Self {
        Self { match_id, reason, follow: FollowState::Asked, closes_at, paper: Box::new(paper) }
    }

    /// Friends are not asked again.
    pub(super) fn of_friends(mut self, friends: bool) -> Self {
        if friends {
            self.follow = FollowState::Mutual;
        }
        self
    }

    pub(super) fn confirmed(&mut self, reason: EndReason, closes_at: Duration) {
        self.reason = reason;
        self.closes_at = closes_at;
    }

    pub(super) fn tick(&mut self, now: Duration) {
        if now >= self.closes_at + WORD_LATE && matches!(self.follow, FollowState::Asked | FollowState::Answered { .. }) {
            self.follow = FollowState::Closed;
        }
    }
}

impl Evening {
    /// One key, no reason asked. The page changes at once, whatever the server does.
    pub(super) fn leave(&mut self, now: Duration, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        let Room::Call(call) = &mut signed_in.room else { return };
        call.hang_up(out);
        out.push(Effect::EndCall);
        let match_id = call.match_id.clone();
        if signed_in.online {
            out.extend(call.saw_covered().map(Effect::Send));
            out.push(Effect::Send(ClientMessage::Leave { match_id: match_id.clone() }));
        } else {
            signed_in.leave_later = Some(match_id.clone());
        }
        let (friend, paper) = (call.friend, call.paper.take(now));
        let parting = Parting::asked(match_id, EndReason::Left, now + FOLLOW_PROVISIONAL, paper);
        signed_in.room = Room::Parting(parting.of_friends(friend));
    }

    pub(super) fn answer_follow(&mut self, yes: bool, out: &mut Vec<Effect>) {
        let Some(parting) = self.parting() else { return };
        if parting.follow == FollowState::Asked {
            parting.follow = FollowState::Answered { yes };
            let match_id = parting.match_id.clone();
            out.push(Effect::Send(ClientMessage::Answer { match_id, question: Question::Follow, yes }));
        }
    }

    /// Opened by the server on yes + yes; without one's own yes it cannot be true.
    pub(super) fn follow_mutual(&mut self, match_id: &MatchId) {
        if let Some(parting) = self.parting().filter(|parting| parting.match_id == *match_id)
            && parting.follow == (FollowState::Answered { yes: true })
        {
            parting.follow = FollowState::Mutual;
        }
    }

    pub(super) fn follow_closed(&mut self, match_id: &MatchId) {
        if let Some(parting) = self.parting().filter(|parting| parting.match_id == *match_id)
            && parting.follow != FollowState::Mutual
        {
            parting.follow = FollowState::Closed;
        }
    }

    fn parting(&mut self) -> Option<&mut Parting> {
        match &mut self.stage {
            Stage::SignedIn(signed_in) => match &mut signed_in.room {
                Room::Parting(parting) => Some(parting),
                _ => None,
            },
            _ => None,
        }
    }
}

//! What a socket that has been greeted already is told when its node names it again: the difference between what its app believes
//! and what this room knows, and nothing where there is none.

use super::{Output, Phase, Place, Room, SocketId, Sources, meeting, send};
use crate::store::AccountId;
use visavis_wire::socket::{EndReason, MatchId, ServerMessage};

impl Room {
    pub(super) fn reconcile(
        &mut self,
        now_ms: u64,
        account: AccountId,
        socket: SocketId,
        (waited_ms, believed): (Option<u64>, Option<(MatchId, Phase)>),
        sources: &mut dyn Sources,
        out: &mut Vec<Output>,
    ) {
        let Some(person) = self.people.get_mut(&account) else { return };
        if let Place::Matched(match_id) = &person.place {
            let match_id = match_id.clone();
            let phase = self.matches.get(&match_id).and_then(|meeting| meeting.phase(account));
            let same = believed.as_ref().is_some_and(|(id, _)| *id == match_id);
            match (phase, believed.map(|(_, believed)| believed)) {
                // Not announced yet; it will be.
                (None, _) => {}
                (Some(Phase::Offered { .. }), Some(Phase::Offered { .. })) if same => {}
                (Some(Phase::Together), Some(Phase::Together)) if same => self.back_unnoticed(&match_id, account, out),
                (Some(Phase::Together), Some(Phase::Parting)) if same => self.end(now_ms, &match_id, EndReason::Left, out),
                _ => self.resume(now_ms, account, socket, sources, out),
            }
            return;
        }
        let waits = matches!(person.place, Place::Joining { .. } | Place::Waiting(_));
        let still_parting = |id: &MatchId| person.parting.as_ref() == Some(id);
        let mut wants_to_wait = waited_ms;
        match &believed {
            Some((id, Phase::Offered { meet })) => {
                out.push(send(socket, ServerMessage::MatchWithdrawn { match_id: id.clone() }));
                // Whoever said "meet" waits again without asking.
                if *meet {
                    wants_to_wait.get_or_insert(0);
                }
            }
            Some((id, Phase::Together)) if still_parting(id) => self.resume(now_ms, account, socket, sources, out),
            Some((id, Phase::Together)) => {
                out.push(send(socket, meeting::ended(id, EndReason::Vanished, 0)));
                out.push(send(socket, ServerMessage::FollowClosed { match_id: id.clone() }));
            }
            Some((id, Phase::Parting)) if !still_parting(id) => {
                out.push(send(socket, ServerMessage::FollowClosed { match_id: id.clone() }));
            }
            Some((_, Phase::Parting)) | None => {}
        }
        match (wants_to_wait, waits) {
            (Some(waited_ms), false) => self.join(now_ms, account, socket, waited_ms, out),
            (None, true) => {
                if let Some(person) = self.people.get_mut(&account) {
                    person.place = Place::Idle;
                }
                self.waits.leave(account);
            }
            (Some(_), true) | (None, false) => {}
        }
    }
}

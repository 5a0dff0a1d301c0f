//! Calls between two who follow each other: asked for, rung, taken or not. From the moment both want it a call is a match like any
//! other, but for its end, at which there is nothing left to ask.

use super::{Course, Kind, Meeting, Revealed, Stage};
use crate::blind::Side;
use crate::room::waiting::Waiting;
use crate::room::{Output, Place, Room, SocketId, Sources, send};
use crate::store::{AccountId, Entrant, RunningMatch};
use visavis_wire::friends::{CallEnd, FollowId, FriendCall};
use visavis_wire::socket::{EndReason, MatchId, Question, ServerMessage};

impl Meeting {
    pub(super) fn is_call(&self) -> bool {
        matches!(self.kind, Kind::Friends(_))
    }

    /// As one of the two is told of it.
    pub(super) fn call_of(&self, side: Side) -> Option<FriendCall> {
        match &self.kind {
            Kind::Strangers => None,
            Kind::Friends(follows) => Some(FriendCall { follow: follows[side.index()].clone(), outgoing: side == Side::A }),
        }
    }

    /// Both follow each other and allow it. Two who are matched as strangers are never told who the other is, so they stay relayed
    /// even if they follow each other.
    pub(super) fn is_direct(&self) -> bool {
        self.is_call() && self.allows_direct == [true; 2]
    }

    fn asked(accounts: [AccountId; 2], follows: [FollowId; 2], a_offers: bool, direct: bool) -> Self {
        Self {
            accounts,
            kind: Kind::Friends(Box::new(follows)),
            offerer: if a_offers { Side::A } else { Side::B },
            stage: Stage::Asking,
            revealed: Revealed::default(),
            logged: [false; 2],
            allows_direct: [direct, false],
            course: Course::default(),
        }
    }

    fn over(&self, match_id: &MatchId, side: Side, why: CallEnd) -> Option<ServerMessage> {
        let FriendCall { follow, .. } = self.call_of(side)?;
        Some(ServerMessage::CallOver { follow, match_id: Some(match_id.clone()), why })
    }
}

impl Room {
    /// The two follow each other, by the node that says it.
    pub(in crate::room) fn call(
        &mut self,
        (caller, socket): (AccountId, SocketId),
        (callee, direct): (AccountId, bool),
        sources: &mut dyn Sources,
        out: &mut Vec<Output>,
    ) {
        let Some(person) = self.people.get(&caller).filter(|person| person.socket == Some(socket)) else { return };
        // In a match, or offered one: the app has been told.
        if self.closing || caller == callee || matches!(person.place, Place::Matched(_)) {
            return;
        }
        let follows = [sources.follow_id(caller, callee), sources.follow_id(callee, caller)];
        if self.people.get(&callee).is_some_and(|person| matches!(person.place, Place::Matched(_))) {
            let [follow, _] = follows;
            out.push(send(socket, ServerMessage::CallOver { follow, match_id: None, why: CallEnd::Busy }));
            return;
        }
        self.stop_waiting(caller);
        let match_id = sources.match_id();
        if let Some(person) = self.people.get_mut(&caller) {
            person.place = Place::Matched(match_id.clone());
        }
        self.matches.insert(match_id.clone(), Meeting::asked([caller, callee], follows, sources.coin(), direct));
        out.push(Output::LookUpCall { match_id, caller, callee });
    }

    /// Counts until the call begins; afterwards only for somebody who had been told that it goes directly.
    pub(in crate::room) fn allow_direct(&mut self, match_id: &MatchId, account: AccountId) {
        let Some(meeting) = self.matches.get_mut(match_id) else { return };
        if let Some(side) = meeting.side(account) {
            meeting.allows_direct[side.index()] = true;
        }
    }

    pub(in crate::room) fn call_looked_up(
        &mut self,
        now_ms: u64,
        match_id: &MatchId,
        found: Result<Box<[Entrant; 2]>, CallEnd>,
        out: &mut Vec<Output>,
    ) {
        let Some(meeting) = self.matches.get_mut(match_id) else { return };
        let (Stage::Asking, [caller, callee]) = (&meeting.stage, meeting.accounts) else { return };
        let matched = self.people.get(&callee).is_some_and(|person| matches!(person.place, Place::Matched(_)));
        let entrants = match found {
            Ok(entrants) if !matched => *entrants,
            Ok(_) => return self.call_failed(match_id, CallEnd::Busy, out),
            Err(why) => return self.call_failed(match_id, why, out),
        };
        let (a_offers, [one, other]) = (meeting.offerer == Side::A, entrants);
        let waiting = [Waiting::restored(caller, one, now_ms), Waiting::restored(callee, other, now_ms)];
        meeting.stage = Stage::Committing { waiting: Box::new(waiting) };
        // A friend who calls goes before strangers.
        self.stop_waiting(callee);
        self.people.entry(callee).or_default().place = Place::Matched(match_id.clone());
        let pair = RunningMatch { id: match_id.clone(), a: caller, b: callee, a_offers, friends: true };
        out.push(Output::Commit { pair });
    }

    /// Before the other heard of it.
    pub(in crate::room) fn call_failed(&mut self, match_id: &MatchId, why: CallEnd, out: &mut Vec<Output>) {
        let Some(meeting) = self.matches.remove(match_id) else { return };
        if let Some(message) = meeting.over(match_id, Side::A, why) {
            self.send_to(meeting.account(Side::A), message, out);
        }
        self.free(match_id, &meeting);
    }

    /// Taken back, declined, or not answered in time.
    pub(super) fn call_withdrawn(&mut self, match_id: &MatchId, stays: [bool; 2], out: &mut Vec<Output>) {
        let Some(meeting) = self.matches.remove(match_id) else { return };
        let began = matches!(meeting.stage, Stage::Offered { meet: [true, true], .. });
        if let Stage::Offered { .. } = meeting.stage {
            let (id, how) = (match_id.clone(), EndReason::Left);
            out.push(if began { Output::Ended { match_id: id, how } } else { Output::Withdrawn { match_id: id } });
            // Whoever said "not now" knows.
            let whys = match stays {
                [_, false] => [Some(CallEnd::Declined), None],
                [caller_stays, true] => [caller_stays.then_some(CallEnd::NoAnswer), Some(CallEnd::Missed)],
            };
            for (side, why) in Side::BOTH.into_iter().zip(whys) {
                if let Some(message) = why.and_then(|why| meeting.over(match_id, side, why)) {
                    self.send_to(meeting.account(side), message, out);
                }
            }
        }
        self.free(match_id, &meeting);
    }

    /// No question is left: they follow each other.
    pub(super) fn call_ended(&mut self, match_id: &MatchId, how: EndReason, out: &mut Vec<Output>) {
        let Some(meeting) = self.matches.remove(match_id) else { return };
        out.push(Output::Ended { match_id: match_id.clone(), how });
        for account in meeting.accounts {
            self.send_to(account, super::ended(match_id, how, 0), out);
            let (match_id, question) = (match_id.clone(), Question::Follow);
            self.send_to(account, ServerMessage::QuestionOpened { match_id, question }, out);
        }
        self.free(match_id, &meeting);
    }

    fn free(&mut self, match_id: &MatchId, meeting: &Meeting) {
        for account in meeting.accounts {
            if let Some(person) = self.people.get_mut(&account)
                && matches!(&person.place, Place::Matched(id) if id == match_id)
            {
                person.place = Place::Idle;
            }
            self.forget_if_idle(account);
        }
    }
}

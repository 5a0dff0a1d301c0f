//! Calls between people who follow each other, until they are taken, and who is here.

use super::*;
use crate::view::RingView;
use visavis_wire::friends::{CallEnd, FriendCall};
use visavis_wire::http::Follow;

fn bao() -> FollowId {
    FollowId(String::from("bao"))
}

fn ring(name: &str, follow: FollowId, outgoing: bool) -> ServerMessage {
    let ServerMessage::MatchOffered { match_id, role, card, answer_within_s, relay, .. } = offer(name, Role::Offerer) else {
        unreachable!()
    };
    let call = Some(FriendCall { follow, outgoing });
    ServerMessage::MatchOffered { match_id, role, card, reasons: vec![], answer_within_s, relay, call }
}

fn over(match_id: Option<&str>, why: CallEnd) -> ServerMessage {
    ServerMessage::CallOver { follow: bao(), match_id: match_id.map(id), why }
}

impl Night {
    fn with_friends(mut self) -> Self {
        let known = |name: &str| Follow {
            id: FollowId(name.to_owned()),
            username: Private::new(name.to_uppercase()),
            since: 1,
            online: true,
            unread: 0,
        };
        self.input(Input::Account(Account::Follows(vec![known("bao"), known("caro")])));
        self
    }

    fn ring(&self) -> Option<RingView> {
        self.evening.view(self.now).ring
    }

    /// Bao calls.
    fn rung(&mut self) {
        assert!(self.server(ring("c", bao(), false)).is_empty());
        let view = self.ring().unwrap();
        assert_eq!((view.name.as_deref(), view.outgoing, view.answered), (Some("BAO"), false, false));
    }
}

fn is_start(effect: &Effect) -> bool {
    matches!(effect, Effect::StartCall { .. })
}

#[test]
fn a_call_of_ones_own_begins_when_it_is_taken() {
    let mut night = Night::at_mirror().with_friends();
    assert!(night.user(Command::Call { follow: FollowId(String::from("nobody")) }).is_empty());
    assert_eq!(sends(&night.user(Command::Call { follow: bao() })), [ClientMessage::Ring { follow: bao() }]);
    assert!(night.user(Command::Call { follow: bao() }).is_empty(), "once");
    assert!(has(&night.server(ring("c", bao(), true)), is_start));
    night.call_event(call::Event::Signal(candidate()));
    assert!(matches!(night.page(), Page::Mirror { .. }) && night.ring().is_some_and(|ring| ring.outgoing));
    let effects = night.server(begins("c", Role::Offerer));
    assert!(has(&effects, |effect| matches!(effect, Effect::ShowToPeer)));
    assert!(sends(&effects).iter().any(|message| matches!(message, ClientMessage::Signal { .. })), "what it gathered meanwhile");
    assert_eq!((night.ring(), night.call_view().connection), (None, Connection::Connecting));
    night.server(ended("c", EndReason::Left));
    night.server(opened("c", Question::Follow));
    assert_eq!(night.follow(), FollowState::Mutual);
}

#[test]
fn a_call_that_comes_is_taken_from_any_page_or_not() {
    for mut night in [Night::at_mirror(), Night::waiting(), Night::parting()].map(Night::with_friends) {
        night.rung();
        let effects = night.user(Command::AnswerCall { yes: true });
        assert!(has(&effects, is_start));
        assert_eq!(sends(&effects), [ClientMessage::MatchAnswer { match_id: id("c"), meet: true }]);
        assert!(night.user(Command::AnswerCall { yes: true }).is_empty());
        night.server(begins("c", Role::Offerer));
        assert!(matches!(night.page(), Page::Call(_)) && night.ring().is_none());
    }
    let mut night = Night::waiting().with_friends();
    night.rung();
    let no = ClientMessage::MatchAnswer { match_id: id("c"), meet: false };
    assert_eq!(sends(&night.user(Command::AnswerCall { yes: false })), [no, ClientMessage::Join], "the wait goes on");
    assert!(night.ring().is_none() && matches!(night.page(), Page::Waiting { .. }));
}

#[test]
fn what_becomes_of_a_call_is_said() {
    let name = String::from("BAO");
    for (why, notice) in [
        (CallEnd::Declined, Notice::CallDeclined { name: name.clone() }),
        (CallEnd::NoAnswer, Notice::CallUnanswered { name: name.clone() }),
        (CallEnd::Busy, Notice::CallBusy { name: name.clone() }),
        (CallEnd::Offline, Notice::CallOffline { name: name.clone() }),
        (CallEnd::TooOften, Notice::CallTooOften { name: name.clone() }),
        (CallEnd::NotFriends, Notice::CallNotFriends),
    ] {
        let mut night = Night::at_mirror().with_friends();
        night.user(Command::Call { follow: bao() });
        night.server(over(None, why));
        assert_eq!((night.ring(), night.notice()), (None, Some(notice)));
    }
    let mut night = Night::at_mirror().with_friends();
    night.rung();
    night.server(over(Some("older"), CallEnd::Missed));
    assert!(night.ring().is_some(), "of another call");
    night.server(over(Some("c"), CallEnd::Missed));
    assert_eq!((night.ring(), night.notice()), (None, Some(Notice::CallMissed { name })));
    // The server is silent, or is gone.
    let mut night = Night::at_mirror().with_friends();
    night.user(Command::Call { follow: bao() });
    night.wait(15.0);
    assert!(night.ring().is_none() && matches!(night.notice(), Some(Notice::CallUnanswered { .. })));
    assert_eq!(sends(&night.server(ring("c", bao(), true))).len(), 1, "too late: taken back");
    let mut night = Night::at_mirror().with_friends();
    night.user(Command::Call { follow: bao() });
    night.server(ring("c", bao(), true));
    let effects = night.input(Input::Socket(Socket::Down));
    assert!(has(&effects, |effect| matches!(effect, Effect::EndCall)) && night.ring().is_none());
}

#[test]
fn two_who_call_each_other_at_the_same_moment_meet() {
    let mut night = Night::at_mirror().with_friends();
    night.user(Command::Call { follow: bao() });
    let effects = night.server(ring("c", bao(), false));
    assert!(has(&effects, is_start));
    assert_eq!(sends(&effects), [ClientMessage::MatchAnswer { match_id: id("c"), meet: true }]);
    night.server(begins("c", Role::Offerer));
    assert!(matches!(night.page(), Page::Call(_)));
}

#[test]
fn nobody_is_called_out_of_a_meeting_and_one_call_rings_at_a_time() {
    for mut night in [Night::offered(), Night::in_call()].map(Night::with_friends) {
        let no = ClientMessage::MatchAnswer { match_id: id("c"), meet: false };
        assert_eq!(sends(&night.server(ring("c", bao(), false))), [no]);
        assert!(night.ring().is_none() && night.user(Command::Call { follow: bao() }).is_empty());
    }
    let mut night = Night::at_mirror().with_friends();
    night.rung();
    assert!(night.server(ring("c", bao(), false)).is_empty(), "told again");
    let other = ring("d", FollowId(String::from("caro")), false);
    assert_eq!(sends(&night.server(other)), [ClientMessage::MatchAnswer { match_id: id("d"), meet: false }]);
    assert!(night.ring().is_some());
    let effects = night.user(Command::SignOut);
    assert!(sends(&effects).contains(&ClientMessage::MatchAnswer { match_id: id("c"), meet: false }));
    assert!(night.ring().is_none());
}

#[test]
fn who_comes_and_goes_is_shown() {
    let mut night = Night::at_mirror().with_friends();
    night.user(Command::OpenFriends);
    let here = |night: &Night| match night.page() {
        Page::Friends { follows, .. } => follows.iter().map(|follow| follow.online).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(here(&night), [true, true]);
    night.server(ServerMessage::Presence { follow: bao(), online: false });
    assert_eq!(here(&night), [false, true]);
    let unknown = ServerMessage::Presence { follow: FollowId(String::from("new")), online: true };
    assert!(matches!(night.server(unknown)[..], [Effect::FetchFollows]));
}

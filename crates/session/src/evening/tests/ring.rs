//! Calls between people who follow each other, until they are taken, and who is here.

use super::*;
use crate::view::{Choices, Path, RingView};
use visavis_media::audio::ProcessingOptions;
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
    assert_eq!(sends(&night.user(Command::Call { follow: bao() })), [ClientMessage::Ring { follow: bao(), direct: false }]);
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

/// The call begins; the server says that it may go directly, or not.
fn begins_directly(night: &mut Night, direct: bool) -> Vec<Effect> {
    let ServerMessage::MatchBegins { match_id, role, relay, .. } = begins("c", Role::Offerer) else { unreachable!() };
    night.server(ServerMessage::MatchBegins { match_id, role, relay, direct })
}

fn is_direct_start(effect: &Effect) -> bool {
    matches!(effect, Effect::StartCall { direct: true, .. })
}

#[test]
fn a_call_goes_directly_where_both_allow_it_and_the_page_says_so() {
    for outgoing in [true, false] {
        let mut night = Night::at_mirror().with_friends();
        let choices = Choices { direct_calls: true, ..Choices::default() };
        assert!(has(&night.user(Command::Choose { choices }), |effect| matches!(effect, Effect::RememberDevices)));
        let effects = if outgoing {
            let rings = night.user(Command::Call { follow: bao() });
            assert_eq!(sends(&rings), [ClientMessage::Ring { follow: bao(), direct: true }]);
            night.server(ring("c", bao(), true))
        } else {
            night.rung();
            let takes = night.user(Command::AnswerCall { yes: true });
            assert_eq!(sends(&takes)[0], ClientMessage::AllowDirect { match_id: id("c") }, "before one's yes");
            takes
        };
        assert!(!has(&effects, is_direct_start), "nothing is told before both are known to allow it");
        night.call_event(call::Event::Signal(candidate()));
        let effects = begins_directly(&mut night, true);
        assert!(has(&effects, is_direct_start));
        assert!(sends(&effects).is_empty(), "what the relayed call had gathered is of no use: {effects:?}");
        assert_eq!(night.call_view().path, Path::MayBeDirect);
        night.call_event(call::Event::Connected);
        for (relayed, path) in [(true, Path::MayBeDirect), (false, Path::Direct)] {
            night.call_event(call::Event::Statistics(call::Statistics { relayed, ..call::Statistics::default() }));
            assert_eq!(night.call_view().path, path);
        }
        // Another server takes over, which does not know what was allowed.
        let effects = begins_directly(&mut night, false);
        assert!(sends(&effects).contains(&ClientMessage::AllowDirect { match_id: id("c") }));
        assert!(!has(&effects, is_start) && night.call_view().path == Path::Direct);
    }
}

#[test]
fn a_server_that_says_so_makes_no_call_direct_that_was_not_allowed_here() {
    let mut night = Night::at_mirror().with_friends();
    night.rung();
    let effects = night.user(Command::AnswerCall { yes: true });
    assert!(!sends(&effects).contains(&ClientMessage::AllowDirect { match_id: id("c") }));
    assert!(!has(&begins_directly(&mut night, true), is_start));
    night.call_event(call::Event::Connected);
    night.call_event(call::Event::Statistics(call::Statistics { relayed: false, ..call::Statistics::default() }));
    assert_eq!(night.call_view().path, Path::Relayed);
    // And none with a stranger.
    let mut night = Night::offered();
    night.user(Command::Choose { choices: Choices { direct_calls: true, ..Choices::default() } });
    night.user(Command::AnswerMatch { meet: true });
    let ServerMessage::MatchBegins { match_id, role, relay, .. } = begins("m", Role::Offerer) else { unreachable!() };
    let effects = night.server(ServerMessage::MatchBegins { match_id, role, relay, direct: true });
    assert!(!has(&effects, is_start));
    assert_eq!(night.call_view().path, Path::Relayed);
}

#[test]
fn what_is_done_to_the_sound_changes_at_once() {
    let mut night = Night::in_call();
    assert_eq!(night.evening.wanted().sound, ProcessingOptions::default());
    let choices = Choices { noise_suppression: false, ..Choices::default() };
    night.user(Command::Choose { choices });
    assert_eq!(night.evening.wanted().sound, ProcessingOptions { noise: false, ..ProcessingOptions::default() });
    assert_eq!(night.evening.view(night.now).choices, choices);
}

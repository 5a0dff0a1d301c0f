//! Tests of calls between two who follow each other, at every stage.

use super::tests::{Evening, follow_id, person};
use super::{Arrival, Input, Phase, SocketId, TICK_MS};
use visavis_wire::Private;
use visavis_wire::friends::{CallEnd, FriendCall};
use visavis_wire::socket::{ClientMessage, EndReason, MatchId, Question, Role, ServerMessage, Signal};

impl Evening {
    fn call(&mut self, number: u64, other: u64) {
        self.call_allowing(number, other, false);
    }

    fn call_allowing(&mut self, number: u64, other: u64, direct: bool) {
        let (account, callee) = (person(number.into()), person(other.into()));
        self.feed(Input::Call { account, socket: SocketId(number), callee, direct });
    }

    fn ringing(&mut self) -> MatchId {
        self.ringing_allowing(false)
    }

    /// 1 calls 2, and both hear of it.
    fn ringing_allowing(&mut self, direct: bool) -> MatchId {
        for number in [1, 2] {
            self.arrive(number, number);
        }
        self.quiet();
        self.call_allowing(1, 2, direct);
        for number in [1, 2] {
            let [ServerMessage::MatchOffered { call: Some(call), role, reasons, card, answer_within_s: 30, .. }] =
                &self.take(number)[..]
            else {
                panic!("it does not ring at {number}")
            };
            let other = 3 - number;
            let follow = follow_id(person(number.into()), person(other.into()));
            assert_eq!(*call, FriendCall { follow, outgoing: number == 1 });
            assert_eq!(*role == Role::Offerer, number == 1);
            assert!(reasons.is_empty() && card.city.is_some());
        }
        MatchId("m1".into())
    }

    fn over(&mut self, number: u64) -> Option<(Option<MatchId>, CallEnd)> {
        match &self.take(number)[..] {
            [] => None,
            [ServerMessage::CallOver { follow, match_id, why }] => {
                assert_eq!(*follow, follow_id(person(number.into()), person(u128::from(3 - number))));
                Some((match_id.clone(), *why))
            }
            other => panic!("{other:?}"),
        }
    }

    fn meet(&mut self, number: u64, match_id: &MatchId, meet: bool) {
        self.say(number, ClientMessage::MatchAnswer { match_id: match_id.clone(), meet });
    }
}

#[test]
fn a_call_that_is_taken_goes_on_like_a_match_and_asks_nothing_at_its_end() {
    let mut evening = Evening::new();
    let id = evening.ringing();
    evening.meet(2, &id, true);
    for number in [1, 2] {
        assert!(matches!(&evening.take(number)[..], [ServerMessage::MatchBegins { .. }]));
    }
    evening.answer(1, &id, Question::Reveal, true);
    evening.answer(2, &id, Question::Reveal, true);
    assert!(matches!(&evening.take(2)[..], [ServerMessage::QuestionOpened { question: Question::Reveal, .. }]));
    evening.quiet();
    evening.say(2, ClientMessage::Leave { match_id: id.clone() });
    for number in [1, 2] {
        let match_id = id.clone();
        let ended = ServerMessage::MatchEnded { match_id: match_id.clone(), reason: EndReason::Left, follow_within_s: 0 };
        let mutual = ServerMessage::QuestionOpened { match_id, question: Question::Follow };
        assert_eq!(evening.take(number), [ended, mutual]);
    }
    assert_eq!(evening.written, ["m1 began", "m1 Left"]);
    assert_eq!((evening.stored.len(), evening.parted.len()), (0, 0), "nothing is asked and nothing is learnt");
    // Both are free again.
    evening.call(2, 1);
    assert_eq!((evening.take(1).len(), evening.take(2).len()), (1, 1));
}

#[test]
fn a_call_is_declined_taken_back_or_not_answered() {
    let mut evening = Evening::new();
    let id = evening.ringing();
    evening.meet(2, &id, false);
    assert_eq!((evening.over(1), evening.over(2)), (Some((Some(id), CallEnd::Declined)), None));
    evening.call(1, 2);
    evening.quiet();
    let id = MatchId("m2".into());
    evening.meet(1, &id, false);
    assert_eq!((evening.over(1), evening.over(2)), (None, Some((Some(id), CallEnd::Missed))));
    evening.call(1, 2);
    evening.quiet();
    evening.pass(29_000);
    assert_eq!((evening.over(1), evening.over(2)), (None, None));
    evening.pass(1_000 + TICK_MS);
    let id = Some(MatchId("m3".into()));
    assert_eq!((evening.over(1), evening.over(2)), (Some((id.clone(), CallEnd::NoAnswer)), Some((id, CallEnd::Missed))));
    evening.call(1, 2);
    evening.quiet();
    evening.gone(1, 1);
    assert_eq!(evening.over(2).unwrap().1, CallEnd::Missed);
    assert_eq!(evening.withdrawn.len(), 4, "nobody stays engaged");
    // And neither waits for a stranger because of it.
    assert!(!evening.is_waiting(1) && !evening.is_waiting(2));
}

#[test]
fn who_cannot_be_called_is_never_rung() {
    let mut evening = Evening::new();
    for number in [1, 2, 3, 4] {
        evening.arrive(number, number);
    }
    for why in [CallEnd::Offline, CallEnd::Busy] {
        evening.callable = Some(why);
        evening.quiet();
        evening.call(1, 2);
        assert_eq!((evening.over(1).unwrap().1, evening.over(2)), (why, None));
    }
    evening.callable = None;
    // Blocked, paused, in a match that another pool leads: the store says no at the last moment.
    evening.allowed = false;
    evening.call(1, 2);
    assert_eq!((evening.over(1).unwrap().1, evening.over(2)), (CallEnd::Busy, None));
    evening.allowed = true;
    evening.call(3, 2);
    evening.quiet();
    evening.call(1, 2);
    assert_eq!((evening.over(1), evening.over(2)), (Some((None, CallEnd::Busy)), None), "rung already");
    evening.call(1, 1);
    evening.feed(Input::Call { account: person(1), socket: SocketId(9), callee: person(4), direct: false });
    assert_eq!((evening.over(1), evening.take(4).len()), (None, 0));
}

#[test]
fn whoever_waits_is_called_out_of_it_and_whoever_is_elsewhere_is_summoned() {
    let mut evening = Evening::new();
    for number in [1, 2] {
        evening.arrive(number, number);
    }
    evening.say(2, ClientMessage::Join);
    assert!(evening.is_waiting(2));
    evening.quiet();
    evening.call(1, 2);
    assert!(matches!(&evening.take(2)[..], [ServerMessage::MatchOffered { call: Some(_), .. }]));
    assert!(!evening.is_waiting(2));
    // The third is in another pool, and waits there.
    let mut evening = Evening::new();
    evening.arrive(1, 1);
    evening.quiet();
    evening.call(1, 3);
    assert_eq!(evening.summoned, [person(3)]);
    evening.quiet();
    let arrival = Arrival::Again { waited_ms: Some(3_000), place: None };
    evening.feed(Input::Arrived { account: person(3), socket: SocketId(3), arrival });
    let id = MatchId("m1".into());
    assert!(matches!(&evening.take(3)[..], [ServerMessage::MatchOffered { match_id, call: Some(_), .. }] if *match_id == id));
    evening.meet(3, &id, true);
    assert_eq!(evening.written, ["m1 began"]);
    // Named again by its node meanwhile: nothing is told twice.
    evening.quiet();
    let arrival = Arrival::Again { waited_ms: None, place: Some((id, Phase::Together)) };
    evening.feed(Input::Arrived { account: person(3), socket: SocketId(3), arrival });
    assert_eq!(evening.take(3), []);
}

#[test]
fn a_block_ends_a_call_at_every_stage() {
    let block = |evening: &mut Evening| evening.feed(Input::Blocked { by: person(2), other: person(1) });
    let mut evening = Evening::new();
    let id = evening.ringing();
    block(&mut evening);
    assert_eq!((evening.over(1).unwrap().1, evening.over(2)), (CallEnd::Declined, None), "it looks like a \"not now\"");
    let mut evening = Evening::new();
    assert_eq!(evening.ringing(), id);
    evening.meet(2, &id, true);
    evening.quiet();
    block(&mut evening);
    assert!(matches!(&evening.take(1)[..], [ServerMessage::MatchEnded { .. }, _]));
    assert_eq!(evening.written, ["m1 began", "m1 Left"]);
}

#[test]
fn addresses_pass_only_between_friends_who_both_allow_it() {
    let host = "candidate:1 1 udp 9 192.168.1.5 5000 typ host";
    for (allow, direct) in [([true, true], true), ([true, false], false), ([false, true], false), ([false, false], false)] {
        let mut evening = Evening::new();
        let id = evening.ringing_allowing(allow[0]);
        if allow[1] {
            evening.say(2, ClientMessage::AllowDirect { match_id: id.clone() });
        }
        // Nobody else can allow anything.
        evening.arrive(3, 3);
        evening.say(3, ClientMessage::AllowDirect { match_id: id.clone() });
        evening.meet(2, &id, true);
        for number in [1, 2] {
            let heard = evening.take(number);
            assert!(matches!(&heard[..], [ServerMessage::MatchBegins { direct: said, .. }] if *said == direct), "{heard:?}");
        }
        for number in [1, 2] {
            let candidate = Some(Private::new(host.to_owned()));
            let signal = Signal::Candidate { candidate, sdp_mid: None, sdp_m_line_index: None };
            evening.say(number, ClientMessage::Signal { match_id: id.clone(), signal });
            let passed = format!("{:?}", evening.take(3 - number).first().map(ServerMessage::to_json));
            assert_eq!(passed.contains("192.168.1.5"), direct, "{allow:?}: {passed}");
        }
        // Whoever comes back is told the same.
        evening.arrive(1, 11);
        let again = evening.take(11);
        assert!(again.iter().any(|one| matches!(one, ServerMessage::MatchBegins { direct: said, .. } if *said == direct)));
    }
}

#[test]
fn two_who_are_matched_as_strangers_stay_relayed() {
    let mut evening = Evening::new();
    let id = evening.offered();
    for number in [1, 2] {
        evening.say(number, ClientMessage::AllowDirect { match_id: id.clone() });
        evening.meet(number, &id, true);
    }
    for number in [1, 2] {
        assert!(evening.take(number).iter().any(|one| matches!(one, ServerMessage::MatchBegins { direct: false, .. })));
    }
}

//! Tests of a block, at every stage that two people can be in.

use super::tests::{Evening, person};
use super::{Input, TICK_MS};
use visavis_wire::socket::{ClientMessage, EndReason, MatchId, Question, ServerMessage};

impl Evening {
    /// Of 1, about 2.
    fn block(&mut self) {
        for (of, other) in [(1, 2), (2, 1)] {
            self.entrants.get_mut(&person(of)).unwrap().blocked.push(person(other));
        }
        self.feed(Input::Blocked { by: person(1), other: person(2) });
    }
}

fn closed(match_id: &MatchId) -> ServerMessage {
    ServerMessage::FollowClosed { match_id: match_id.clone() }
}

#[test]
fn of_two_who_wait() {
    let mut evening = Evening::new();
    for number in [1, 2] {
        evening.arrive(number, number);
        evening.say(number, ClientMessage::Join);
    }
    evening.block();
    evening.quiet();
    evening.pass(60_000);
    assert!(evening.is_waiting(1) && evening.is_waiting(2));
    assert_eq!((evening.take(1), evening.take(2)), (vec![], vec![]));
    evening.arrive(3, 3);
    evening.say(3, ClientMessage::Join);
    evening.pass(TICK_MS);
    assert!(evening.is_waiting(1) != evening.is_waiting(2), "others can be met");
}

#[test]
fn of_two_who_are_offered_each_other() {
    let mut evening = Evening::new();
    let match_id = evening.offered();
    evening.say(2, ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: true });
    evening.quiet();
    evening.block();
    let withdrawn = ServerMessage::MatchWithdrawn { match_id };
    assert_eq!((evening.take(1), evening.take(2)), (vec![withdrawn.clone()], vec![withdrawn]));
    evening.say(1, ClientMessage::Join);
    // For longer than two are left in peace after an offer.
    evening.pass(700_000);
    assert!(evening.is_waiting(1) && evening.is_waiting(2));
}

#[test]
fn of_two_in_a_match_even_while_one_is_away() {
    for away in [false, true] {
        let mut evening = Evening::new();
        let match_id = evening.together();
        if away {
            evening.gone(2, 2);
            evening.quiet();
        }
        evening.block();
        let ended = ServerMessage::MatchEnded { match_id: match_id.clone(), reason: EndReason::Left, follow_within_s: 60 };
        assert_eq!(evening.take(1), [ended.clone(), closed(&match_id)]);
        assert_eq!(evening.take(2), if away { vec![] } else { vec![ended, closed(&match_id)] });
        for number in [1, 2] {
            evening.answer(number, &match_id, Question::Follow, true);
        }
        assert_eq!(evening.stored, [], "no follow comes of it any more");
        assert_eq!(evening.written, ["m1 began", "m1 Left"]);
    }
}

#[test]
fn of_two_at_parting() {
    let mut evening = Evening::new();
    let match_id = evening.parted();
    evening.answer(2, &match_id, Question::Follow, true);
    evening.block();
    assert_eq!((evening.take(1), evening.take(2)), (vec![closed(&match_id)], vec![closed(&match_id)]));
    evening.answer(1, &match_id, Question::Follow, true);
    assert_eq!(evening.stored, []);
}

#[test]
fn the_match_of_somebody_else_goes_on() {
    let mut evening = Evening::new();
    let match_id = evening.together();
    evening.feed(Input::Blocked { by: person(1), other: person(3) });
    assert_eq!((evening.take(1), evening.take(2)), (vec![], vec![]));
    evening.answer(1, &match_id, Question::Reveal, true);
    evening.answer(2, &match_id, Question::Reveal, true);
    assert_eq!(evening.take(1).len(), 1);
}

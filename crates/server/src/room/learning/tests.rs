//! Whom the matcher chooses before and after it learnt, in virtual time.

use super::*;
use crate::room::TICK_MS;
use crate::room::tests::{Evening, person};
use crate::store::Parted;
use visavis_wire::Private;
use visavis_wire::socket::{ClientMessage, MatchId, Question, ServerMessage};

/// 1 shares an interest with 2, and the city with 3.
fn town(experience: &Experience) -> Evening {
    let mut evening = Evening::of_experience(experience);
    for (number, city, interest) in [(1, "Lisbon", "drawing"), (2, "Berlin", "drawing"), (3, "Lisbon", "tango")] {
        let profile = &mut evening.entrants.get_mut(&person(number)).unwrap().profile;
        profile.city.value = Private::new(city.into());
        profile.interests.value = vec![interest.into()];
        evening.arrive(u64::try_from(number).unwrap(), u64::try_from(number).unwrap());
    }
    evening
}

fn offer(evening: &mut Evening, number: u64) -> Option<MatchId> {
    evening.take(number).into_iter().rev().find_map(|message| match message {
        ServerMessage::MatchOffered { match_id, .. } => Some(match_id),
        _ => None,
    })
}

/// Whom 1 is offered when all three wait.
fn choice(evening: &mut Evening) -> u64 {
    evening.quiet();
    for number in 1..=3 {
        evening.say(number, ClientMessage::Join);
    }
    evening.pass(20 * TICK_MS);
    let offers = [1, 2, 3].map(|number| offer(evening, number));
    assert!(offers[0].is_some());
    let chosen = if offers[1] == offers[0] { 2 } else { 3 };
    assert_eq!(offers[chosen - 1], offers[0]);
    u64::try_from(chosen).unwrap()
}

/// 1 and the other meet for a minute, and both answer the last question.
fn meet(evening: &mut Evening, other: u64, follow: bool) {
    evening.quiet();
    let two = [1, other];
    for number in two {
        evening.say(number, ClientMessage::Join);
    }
    evening.pass(20 * TICK_MS);
    let match_id = offer(evening, 1).unwrap();
    for number in two {
        evening.say(number, ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: true });
    }
    evening.pass(60_000);
    evening.say(1, ClientMessage::Leave { match_id: match_id.clone() });
    for number in two {
        evening.answer(number, &match_id, Question::Follow, follow);
    }
    evening.pass(61_000);
    let outcome = Parted { match_id, left_early: [false; 2], follow: [follow; 2] };
    assert_eq!(evening.parted.pop(), Some(outcome));
}

#[test]
fn many_outcomes_change_the_choice_and_a_restart_keeps_it() {
    let mut evening = town(&Experience::default());
    assert_eq!(choice(&mut evening), 2, "an interest in common, before anything is learnt");
    let mut evening = town(&Experience::default());
    for _ in 0..60 {
        meet(&mut evening, 2, false);
        meet(&mut evening, 3, true);
    }
    assert_eq!(choice(&mut evening), 3, "people here like whom they might meet in town");
    evening.feed(crate::room::Input::Closing);
    let kept = Experience { model: evening.learnt.take(), interests: vec![] };
    assert!(kept.model.is_some());
    assert_eq!(choice(&mut town(&kept)), 3, "after a restart");
    let unreadable = Experience { model: Some(String::from("9 1 2 3")), interests: vec![] };
    assert_eq!(choice(&mut town(&unreadable)), 2, "begins anew");
}

#[test]
fn whoever_leaves_within_seconds_is_noted_as_the_one_who_left() {
    let mut evening = Evening::new();
    let match_id = evening.together();
    evening.pass(5_000);
    evening.say(2, ClientMessage::Leave { match_id: match_id.clone() });
    evening.answer(1, &match_id, Question::Follow, true);
    evening.pass(61_000);
    let mut left_early = [false; 2];
    left_early[usize::from(evening.second_of(&match_id) == person(2))] = true;
    let follow = [!left_early[0], !left_early[1]];
    assert_eq!(evening.parted, [Parted { match_id, left_early, follow }]);
    assert!(evening.learnt.is_some(), "handed on");
}

#[test]
fn a_server_that_closes_notes_what_was_said_so_far() {
    let mut evening = Evening::new();
    let match_id = evening.parted();
    evening.answer(1, &match_id, Question::Follow, true);
    evening.feed(crate::room::Input::Closing);
    let [outcome] = &evening.parted[..] else { panic!("{:?}", evening.parted) };
    assert_eq!(outcome.follow.iter().filter(|yes| **yes).count(), 1);
    assert!(evening.learnt.is_some());
}

#[test]
fn interests_that_people_list_together_lie_near_each_other_from_the_first_evening() {
    let list = |words: [&str; 2]| words.map(String::from).to_vec();
    let interests = (0..600).map(|number| match number % 4 {
        0 => list(["drawing", "sketching"]),
        1 => list(["sketching", "ink"]),
        2 => list(["tango", "salsa"]),
        _ => list(["salsa", "dancing"]),
    });
    let experience = Experience { model: None, interests: interests.collect() };
    let mut evening = Evening::of_experience(&experience);
    for (number, interest) in [(1, "drawing"), (2, "salsa"), (3, "sketching")] {
        evening.entrants.get_mut(&person(number)).unwrap().profile.interests.value = vec![interest.into()];
        evening.arrive(u64::try_from(number).unwrap(), u64::try_from(number).unwrap());
    }
    assert_eq!(choice(&mut evening), 3);
}

//! What each fact brings, what the log says of a person, and what one meeting teaches.

use super::*;

#[track_caller]
fn near(is: f32, expected: f32) {
    assert!((is - expected).abs() < 1e-5 * (1.0 + expected.abs()), "{is}, not {expected}");
}

#[test]
fn a_newcomer_is_average_and_few_meetings_say_little() {
    let facts = |log: Log| own_facts(&log, 0.3);
    for (at, is) in facts(Log::default()).into_iter().enumerate() {
        near(is, if at == 6 { 0.3 } else { 0.0 });
    }
    let log = Log { sessions: 4, seconds: 1_200.0, left_early: 4, was_left_early: 2, followed: 4, was_followed: 2, reports: 1 };
    let expected =
        [225.0 / 300.0 - 0.5, 5.0 / 8.0 - 0.25, 3.0 / 8.0 - 0.25, 4.8 / 8.0 - 0.2, 2.8 / 8.0 - 0.2, 1.08 / 8.0 - 0.02, 0.3];
    for (is, expected) in facts(log).into_iter().zip(expected) {
        near(is, expected);
    }
    // Long meetings count for no more than seven and a half minutes, impossible ones for no more than an hour.
    near(facts(Log { sessions: 40, seconds: 1e9, ..Log::default() })[0], 1.0);
    near(facts(Log { sessions: 40, seconds: 40.0 * 420.0, ..Log::default() })[0], (40.0 * 420.0 + 600.0) / 44.0 / 300.0 - 0.5);
}

#[test]
fn ease_is_half_of_what_judging_and_being_judged_bring() {
    let mut model = Model { judging: [0.0; OWN], judged: [0.0; OWN], ..Model::default() };
    (model.judging[1], model.judged[1], model.judged[5]) = (-0.5, 0.1, -2.0);
    let mut own = [0.0; OWN];
    (own[1], own[5]) = (0.6, 0.25);
    near(model.ease(&own), (0.6 * -0.4 + 0.25 * -2.0) / 2.0);
}

/// Weights that are told apart in any sum.
fn told_apart() -> Model {
    Model { common: [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0], ..Model::default() }
}

#[test]
fn each_fact_in_common_brings_its_weight() {
    let unknown = Entry::default();
    let odds = |a: Entry, b: Entry| {
        assert!((told_apart().odds(&a, &b) - told_apart().odds(&b, &a)).abs() < 1e-5);
        told_apart().odds(&a, &b)
    };
    const UNKNOWN: f32 = 4.0 + 32.0 + 256.0;
    near(odds(unknown, unknown), 1.0 + UNKNOWN);
    near(odds(Entry { ease: 0.5, ..Entry::default() }, Entry { ease: -0.125, ..Entry::default() }), 1.375 + UNKNOWN);
    let likes = |first: i8, second: i8| {
        let mut interests = [0; AXES];
        (interests[0], interests[15]) = (first, second);
        Entry { interests, flags: Entry::HAS_INTERESTS, ..Entry::default() }
    };
    near(odds(likes(127, 0), likes(127, 0)), 1.0 + UNKNOWN - 4.0 + 2.0);
    near(odds(likes(127, 127), likes(0, -127)), 1.0 + UNKNOWN - 4.0 - 2.0);
    near(odds(likes(127, 0), unknown), 1.0 + UNKNOWN);
    let plays = |games| Entry { games, ..Entry::default() };
    near(odds(plays(0b011), plays(0b110)), 1.0 + UNKNOWN - 32.0 + 8.0 + 16.0 / 3.0);
    near(odds(plays(0b001), plays(0b110)), 1.0 + UNKNOWN - 32.0);
    near(odds(plays(0b001), plays(0)), 1.0 + UNKNOWN);
    let lives = |city| Entry { city, ..Entry::default() };
    near(odds(lives(7), lives(7)), 1.0 + UNKNOWN + 64.0);
    near(odds(lives(7), lives(8)), 1.0 + UNKNOWN);
    let aged = |age| Entry { age, ..Entry::default() };
    for (one, other, share) in [(30, 30, 1.0), (20, 35, 0.5), (20, 50, 0.0), (20, 90, 0.0)] {
        near(odds(aged(one), aged(other)), 1.0 + UNKNOWN - 256.0 + 128.0 * share);
    }
    near(odds(aged(30), aged(0)), 1.0 + UNKNOWN);
}

#[test]
fn the_chance_is_that_both_want_to() {
    near(Model::chance(0.0), 0.25);
    near(Model::chance(3_f32.ln()), 0.5625);
    near(Model::chance(-(3_f32.ln())), 0.0625);
    near(Model::chance(f32::NEG_INFINITY), 0.0);
}

#[test]
fn facts_are_what_weights_are_multiplied_with() {
    let model = told_apart();
    let one = Entry { age: 20, city: 3, games: 0b11, ease: 9.0, ..Entry::default() };
    let other = Entry { age: 35, city: 3, games: 0b01, ease: 5.0, ..Entry::default() };
    let facts = Model::common_facts(&one, &other);
    assert_eq!(facts, [1.0, 0.0, 1.0, 1.0, 0.5, 0.0, 1.0, 0.5, 0.0]);
    let sum: f32 = facts.iter().zip(model.common).map(|(fact, weight)| fact * weight).sum();
    near(model.odds(&one, &other), sum + 14.0);
}

fn empty() -> Model {
    Model { common: [0.0; COMMON], judging: [0.0; OWN], judged: [0.0; OWN], ..Model::default() }
}

#[test]
fn a_step_goes_against_the_error_and_becomes_shorter() {
    let (mut common, mut judging, mut judged) = ([0.0; COMMON], [0.0; OWN], [0.0; OWN]);
    (common[0], judging[1], judged[2]) = (1.0, 2.0, -1.0);
    let mut model = empty();
    model.step(&common, &judging, &judged, true);
    // The error was a half; the paces were 30.
    let first = [0.25 / 5.5, 0.5 / 31_f32.sqrt(), -0.25 / 5.5];
    let moved = |model: &Model| [model.common[0], model.judging[1], model.judged[2]];
    moved(&model).into_iter().zip(first).for_each(|(is, expected)| near(is, expected));
    assert!(model.common[1..].iter().chain(&model.judging[2..]).all(|weight| *weight == 0.0));
    model.step(&common, &judging, &judged, false);
    let odds = first[0] + 2.0 * first[1] - first[2];
    let error = -1.0 / (1.0 + (-odds).exp());
    let pace = [30.25, 31.0, 30.25];
    for (at, fact) in [1.0, 2.0, -1.0].into_iter().enumerate() {
        let slope: f32 = error * fact;
        near(moved(&model)[at], first[at] + 0.5 * slope / (pace[at] + slope * slope).sqrt());
    }
    model.common[0] = 7.99;
    model.step(&[1000.0; COMMON], &[0.0; OWN], &[0.0; OWN], false);
    (0..200).for_each(|_| model.step(&[-1000.0; COMMON], &[0.0; OWN], &[0.0; OWN], true));
    assert!(model.common.iter().all(|weight| weight.abs() <= MOST_WEIGHT));
}

/// The first wants to follow, the second does not.
#[test]
fn each_of_two_teaches_as_the_one_who_judges_and_as_the_one_who_is_judged() {
    let (mut first, second) = ([0.0; OWN], [0.0; OWN]);
    first[0] = 1.0;
    let mut model = empty();
    let outcome = Outcome { follow: [true, false], ..Outcome::default() };
    model.learn((&Entry::default(), &first), (&Entry::default(), &second), &outcome);
    assert!(model.judging[0] > 0.0 && model.judged[0] < 0.0, "{model:?}");
    let mut other = empty();
    other.learn((&Entry::default(), &second), (&Entry::default(), &first), &outcome);
    assert!(other.judging[0] < 0.0 && other.judged[0] > 0.0, "{other:?}");
}

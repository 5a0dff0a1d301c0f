//! What the pool keeps of a person, who may meet whom in it, and what it learns of interests.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::testkit::person;
use crate::{Fact, Log, Widened};

fn entry(waiter: &Waiter) -> Entry {
    let mut pool = Pool::default();
    let words = pool.interests.read(&waiter.interests.value);
    pool.entry(waiter, &words).0
}

fn words(list: &[&str]) -> Fact<Vec<String>> {
    Fact::shared(list.iter().copied().map(String::from).collect())
}

#[test]
fn an_entry_says_what_the_person_said_and_nothing_of_what_was_not() {
    let silent = entry(&person(1));
    assert_eq!((silent.age, silent.city, silent.games, silent.has_interests()), (0, 0, 0, false));
    let games: Vec<String> = (0..40).map(|game| format!("game {game}")).collect();
    let waiter = Waiter {
        age: Fact::hidden(Some(33)),
        city: Fact::hidden(String::from("Lisbon")),
        interests: words(&["tango"]),
        games: Fact::hidden(games[..32].to_vec()),
        ..person(1)
    };
    let said = entry(&waiter);
    assert_eq!((said.age, said.city, said.games, said.has_interests()), (33, 1, u32::MAX, true));
    let length = said.interests.iter().map(|x| f32::from(*x).powi(2)).sum::<f32>().sqrt();
    assert!((length - 127.0 * 0.5_f32.sqrt()).abs() < 2.0, "{length}");
    // More games than there are bits are not told apart, and whoever accepts any age is of none.
    assert_eq!(entry(&Waiter { games: Fact::shared(games), ..waiter.clone() }).games, u32::MAX);
    assert_eq!(entry(&Waiter { games: words(&["a", "b", "A "]), ..waiter.clone() }).games, 0b11);
    assert_eq!(entry(&Waiter { widened: Widened { any_age: true, ..Widened::default() }, ..waiter }).age, 0);
}

#[test]
fn conduct_takes_off_by_the_point_up_to_its_most() {
    let ease = |conduct| entry(&Waiter { conduct, ..person(1) }).ease;
    let [none, half, most, beyond] = [0, MOST_CONDUCT / 2, MOST_CONDUCT, 3 * MOST_CONDUCT].map(ease);
    // The weight of conduct, halved: it is the other who judges.
    assert!((none - most - 0.25).abs() < 1e-5 && (none - half - 0.125).abs() < 1e-5 && most == beyond, "{none} {half} {most}");
}

#[test]
fn a_place_is_given_to_the_next_who_comes_and_nothing_of_the_last_stays() {
    let mut pool = Pool::default();
    for id in 0..3 {
        pool.join(&Waiter { recent: vec![PersonId(9)], ..person(id) }).unwrap();
    }
    pool.leave(PersonId(1));
    pool.leave(PersonId(1));
    assert_eq!((pool.len(), pool.free.as_slice()), (2, &[1][..]));
    pool.join(&person(7)).unwrap();
    pool.join(&person(9)).unwrap();
    assert_eq!((pool.slots.len(), pool.hot.len(), pool.mates.len(), pool.free.len()), (4, 4, 4, 0));
    assert_eq!([7, 9].map(|id| pool.who[&PersonId(id)]), [1, 3]);
    assert_eq!((pool.slots[1].generation, pool.slots[3].generation), (1, 0));
    assert!(pool.worth(PersonId(7), PersonId(9)).is_some() && pool.worth(PersonId(0), PersonId(9)).is_none());
    // Whoever waits already and comes again is there once.
    pool.join(&person(0)).unwrap();
    assert_eq!((pool.len(), pool.slots.len(), pool.cells[1].len()), (4, 4, 4));
    assert!(pool.worth(PersonId(0), PersonId(9)).is_some(), "with the new facts");
}

/// Two are looked up only where their bits meet, and so few are looked up in vain.
#[test]
fn whoever_is_kept_apart_is_however_the_bits_lie() {
    let bits: Vec<u64> = (0..2_000).map(|id| bit(PersonId(id))).collect();
    assert!(bits.iter().all(|bit| bit.count_ones() == 1));
    for at in 0..64 {
        assert!((10..60).contains(&bits.iter().filter(|bit| **bit == 1 << at).count()), "bit {at}");
    }
    let far: Vec<u64> = (0..2_000).map(|id| bit(PersonId(id << 64))).collect();
    assert!((0..64).all(|at| far.contains(&(1 << at))), "the upper half counts too");

    // 0 is kept apart from 1 alone; of those with the bit of 1, and of those with the bit of 0, nobody is.
    let alike = |of: u128| (2..2_000).filter(move |id| bit(PersonId(*id)) == bit(PersonId(of))).take(3);
    for told_by in [0, 1] {
        let mut pool = Pool::default();
        for id in [0, 1].into_iter().chain(alike(0)).chain(alike(1)) {
            let blocked = if id == told_by { vec![PersonId(1 - told_by)] } else { Vec::new() };
            pool.join(&Waiter { blocked, ..person(id) }).unwrap();
        }
        assert_eq!(pool.worth(PersonId(0), PersonId(1)), None);
        assert_eq!(pool.worth(PersonId(1), PersonId(0)), None);
        for other in alike(0).chain(alike(1)) {
            for one in [0, 1] {
                assert!(
                    pool.worth(PersonId(one), PersonId(other)).is_some() && pool.worth(PersonId(other), PersonId(one)).is_some()
                );
            }
        }
    }
}

#[test]
fn worth_is_the_chance_that_both_want_to() {
    let mut pool = Pool::default();
    let ages = [(0, 30), (1, 30), (2, 60)];
    for (id, age) in ages {
        pool.join(&Waiter { age: Fact::hidden(Some(age)), ..person(id) }).unwrap();
    }
    let alike = Model::chance(-1.6 + 0.4 + 0.2 + 0.8);
    assert!((pool.worth(PersonId(0), PersonId(1)).unwrap() - alike).abs() < 1e-5);
    assert!((pool.worth(PersonId(0), PersonId(2)).unwrap() - Model::chance(-1.0)).abs() < 1e-5);
    assert_eq!(pool.worth(PersonId(0), PersonId(0)), None, "nobody meets themselves");
}

/// Two groups of words, never mixed; each list has two of one.
fn lists() -> impl Iterator<Item = Vec<String>> {
    const GROUPS: [[&str; 4]; 2] = [["drawing", "sketching", "ink", "paper"], ["football", "running", "tennis", "rowing"]];
    let mut chance = Chance::new(1);
    (0..).map(move |_| {
        let group = GROUPS[chance.below(2)];
        [group[chance.below(4)], group[chance.below(4)]].map(String::from).to_vec()
    })
}

fn nearness(pool: &Pool, a: u128, b: u128) -> f32 {
    let [a, b] = [a, b].map(|id| pool.hot[pool.who[&PersonId(id)] as usize].entry.interests);
    (0..crate::interests::AXES).map(|axis| f32::from(a[axis]) * f32::from(b[axis])).sum::<f32>() / (127.0 * 127.0)
}

/// Whether everybody is found in the cell that their interests want, in every language they speak.
fn assert_settled(pool: &Pool) {
    for at in pool.who.values() {
        let slot = &pool.slots[*at as usize];
        let direction = pool.interests.direction(&slot.words);
        assert_eq!(slot.cell, pool.centres.nearest(&direction));
        let entry = &pool.hot[*at as usize].entry;
        assert_eq!(entry.interests, direction.map(|x| (x * 127.0).round() as i8));
        assert_eq!(slot.places.len(), 2);
    }
    assert_eq!([1, 2].map(|language| pool.cells[language].len()), [pool.len(); 2]);
}

#[test]
fn those_who_wait_are_moved_when_it_is_learnt_which_interests_are_near() {
    let likes =
        |id: u128, interest: &str| Waiter { interests: words(&[interest]), languages: words(&["en", "de", "EN"]), ..person(id) };
    let mut pool = Pool::default();
    for (id, interest) in ["drawing", "ink", "tennis"].into_iter().enumerate() {
        pool.join(&likes(id as u128, interest)).unwrap();
    }
    assert_settled(&pool);
    // With whoever is only noted, and with whoever joins.
    lists().take(1_000).for_each(|list| pool.acquaint(&list));
    assert_settled(&pool);
    assert!(nearness(&pool, 0, 1) > nearness(&pool, 0, 2) + 0.2);

    let mut joined = Pool::default();
    joined.join(&likes(0, "drawing")).unwrap();
    joined.join(&likes(1, "ink")).unwrap();
    joined.join(&likes(2, "tennis")).unwrap();
    for (id, list) in (3..1_003).zip(lists()) {
        joined.join(&Waiter { interests: Fact::hidden(list), ..likes(id, "") }).unwrap();
    }
    assert_settled(&joined);
    assert!(nearness(&joined, 0, 1) > nearness(&joined, 0, 2) + 0.2);
}

#[test]
fn what_becomes_of_a_meeting_is_learnt_of_each_from_their_own_log() {
    let mut pool = Pool::default();
    let before = pool.model().clone();
    // Only of the second it is known that others left soon.
    let left = Waiter { log: Log { sessions: 8, seconds: 1_200.0, was_left_early: 8, ..Log::default() }, ..person(2) };
    pool.learn(&person(1), &left, &Outcome { follow: [false, true], ..Outcome::default() });
    let after = pool.model();
    assert!(after.judged[2] < before.judged[2], "nobody wanted to follow who is often left");
    assert!(after.judging[2] > before.judging[2], "and that person did");
}

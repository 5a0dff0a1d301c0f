//! What a partner costs, who competes, and what an exchange of partners must not do. People sit at the place of their number.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::chance::Chance;
use crate::testkit::person;
use crate::{Fact, PersonId, Settings, Waiter};

fn pool(settings: Settings, people: impl IntoIterator<Item = Waiter>) -> Pool {
    let mut pool = Pool::new(settings, Model::default());
    for waiter in people {
        pool.join(&waiter).unwrap();
    }
    pool
}

fn alike(settings: Settings, count: u128) -> Pool {
    pool(settings, (0..count).map(person))
}

/// Nobody of them may meet another.
fn apart(settings: Settings, count: u128) -> Pool {
    let all: Vec<PersonId> = (0..count).map(PersonId).collect();
    pool(settings, (0..count).map(|id| Waiter { recent: all.clone(), ..person(id) }))
}

#[track_caller]
fn near(is: f32, expected: f32) {
    assert!((is - expected).abs() < 1e-5, "{is}, not {expected}");
}

#[test]
fn a_price_is_half_of_what_is_expected_and_falls_by_four_spreads_until_patience_ends() {
    let mut pool = alike(Settings { patience_ms: 1_000.0, hold_out: 0.5, urge: 0.0, ..Settings::default() }, 1);
    near(pool.price(0, 0), 0.0);
    near(pool.price(0, 900), 0.0);
    (pool.hot[0].expects, pool.hot[0].spread, pool.hot[0].since_ms) = (-1.0, 0.4, 300);
    let half = |odds| 0.5 * Model::chance(odds);
    near(pool.price(0, 300), half(-0.8));
    near(pool.price(0, 0), half(-0.8));
    near(pool.price(0, 800), half(-0.8 - 0.5 * 3.5 * 0.4));
    near(pool.price(0, 1_300), half(-0.8 - 4.0 * 0.4));
    pool.hot[0].spread = 0.0;
    near(pool.price(0, 1_300), half(-1.0 - 4.0 * LEAST_SPREAD));
}

#[test]
fn who_waits_long_pays_for_a_match_but_not_without_end() {
    let settings = Settings { patience_ms: 1_000.0, hold_out: 0.0, urge: 0.1, urge_power: 2.0, ..Settings::default() };
    let mut pool = alike(settings, 1);
    for (now_ms, pays) in [(0, 0.0), (1_000, 0.1), (2_000, 0.4), (10_000, 10.0), (50_000, 10.0)] {
        near(pool.price(0, now_ms), -pays);
    }
    (pool.hot[0].expects, pool.hot[0].spread) = (-1.0, 0.25);
    near(pool.price(0, 1_000), 0.5 * Model::chance(-2.0) - 0.1);
}

#[test]
fn looks_become_rarer_until_every_fourth_tick() {
    let mut pool = alike(Settings::default(), 1);
    let looked: Vec<u64> = (1..=27)
        .filter(|tick| {
            let before = pool.slots[0].looks;
            pool.tick(tick * 250);
            pool.slots[0].looks > before
        })
        .collect();
    assert_eq!(looked, [1, 2, 3, 5, 7, 11, 15, 19, 23, 27]);
}

#[test]
fn under_load_everybody_has_looked_before_anybody_looks_again() {
    let mut pool = apart(Settings { looks: 2, ..Settings::default() }, 5);
    let looks = |pool: &Pool| pool.slots.iter().map(|slot| slot.looks).collect::<Vec<_>>();
    for (looked, behind) in [([1, 1, 0, 0, 0], true), ([1, 1, 1, 1, 0], true), ([1; 5], false)] {
        assert_eq!(pool.tick(250), []);
        assert_eq!((looks(&pool), pool.is_behind()), (looked.to_vec(), behind));
    }
    for _ in 0..3 {
        pool.tick(500);
    }
    assert_eq!((looks(&pool), pool.is_behind()), (vec![2; 5], false));
}

#[test]
fn who_is_gone_takes_no_look_from_those_who_wait() {
    let mut pool = apart(Settings { looks: 1, ..Settings::default() }, 2);
    pool.leave(PersonId(0));
    pool.tick(250);
    assert_eq!(pool.slots[1].looks, 1);
    // Somebody else at the place of who left, whose next look was due: one look for one person.
    let mut pool = alike(Settings::default(), 1);
    pool.tick(250);
    pool.leave(PersonId(0));
    pool.join(&person(7)).unwrap();
    pool.tick(500);
    assert_eq!((pool.slots[0].id, pool.slots[0].looks), (PersonId(7), 1));
}

#[test]
fn a_look_reads_what_it_may_keeps_what_it_may_and_sees_neither_itself_nor_whom_it_must_not() {
    let speaks = |id: u128, languages: &[&str]| Waiter {
        languages: Fact::shared(languages.iter().copied().map(String::from).collect()),
        ..person(id)
    };
    let crowd = (2..602).map(|id| speaks(id, &[["en", "de"][id as usize % 2]]));
    let people = [Waiter { blocked: (2..302).map(PersonId).collect(), ..speaks(0, &["en"]) }, speaks(1, &["de", "en"])];
    let settings = Settings { probe: 64, keep: 200, ..Settings::default() };
    let mut pool = pool(settings, people.into_iter().chain(crowd));
    pool.look(1);
    assert!((62..=64).contains(&pool.best.found.len()), "32 of each language, {}", pool.best.found.len());
    pool.settings.probe = 1;
    pool.look(1);
    assert!((30..=32).contains(&pool.best.found.len()), "16 of each, {}", pool.best.found.len());
    pool.settings.probe = 700;
    pool.look(0);
    assert_eq!(pool.best.found.len(), 150 + 1, "those of the language who are not blocked, and who speaks both");
    assert!(pool.best.found.iter().all(|(_, other)| *other == 1 || *other >= 302));
    pool.settings.keep = 5;
    pool.look(1);
    assert_eq!(pool.best.found.len(), 5);
    assert!(pool.best.found.iter().all(|(_, other)| *other != 1));
}

/// Those who may not be met are among the best that are read, and take no place from those who may.
#[test]
fn a_look_finds_as_many_as_it_keeps_behind_some_that_are_kept_apart() {
    let blocks = Waiter { blocked: (1..=8).map(PersonId).collect(), ..person(0) };
    let mut pool = pool(Settings { keep: 5, ..Settings::default() }, std::iter::once(blocks).chain((1..100).map(person)));
    pool.look(0);
    assert_eq!(pool.best.found.len(), 5);
}

#[test]
fn the_first_look_and_no_other_is_that_of_a_newcomer() {
    // Nobody gives in.
    let mut pool = alike(Settings { hold_out: 100.0, urge: 0.0, ..Settings::default() }, 3);
    assert_eq!(pool.tick(250), []);
    let first = pool.slots[0].first_look;
    assert!(first.is_finite());
    pool.hot[0].entry.ease += 1.0;
    assert_eq!(pool.tick(500), []);
    assert_eq!((pool.slots[0].looks, pool.slots[0].first_look), (2, first));
}

/// What all pairs of a first tick are worth together, over some crowds of different ease.
fn worth(exchanges: usize) -> f32 {
    let crowd = |seed| {
        let mut chance = Chance::new(seed);
        let mut pool = alike(Settings { exchanges, keep: 3, probe: 3, ..Settings::default() }, 40);
        pool.hot.iter_mut().for_each(|hot| hot.entry.ease = 2.0 * chance.signed());
        pool.tick(250).iter().map(|pair| pair.chance).sum::<f32>()
    };
    (0..20).map(crowd).sum()
}

#[test]
fn partners_are_exchanged_for_as_many_rounds_as_bring_any() {
    let [none, one, two, many] = [0, 1, 2, 8].map(worth);
    assert!(none < one && one < two && two <= many, "{none} {one} {two} {many}");
}

#[test]
fn what_is_expected_is_the_usual_of_the_segment_and_the_own_ease() {
    let mut pool = alike(Settings { own_look: 0.0, ..Settings::default() }, 3);
    pool.hot[0].entry.ease = 0.3;
    let segment = pool.slots[0].segment;
    pool.look(0);
    pool.expect(0, true);
    let best = pool.best.found[0].0;
    assert_eq!(pool.slots[0].choices, 2);
    near(pool.slots[0].first_look, best - 0.3);
    near(pool.segments[&segment].usual, best - 0.3);
    near(pool.hot[0].expects, best);
    // A later look says nothing of what newcomers find.
    (pool.segments.get_mut(&segment).unwrap().usual, pool.segments.get_mut(&segment).unwrap().spread) = (1.0, 0.02);
    pool.expect(0, false);
    near(pool.hot[0].expects, 1.3);
    near(pool.hot[0].spread, LEAST_SPREAD);
    pool.segments.get_mut(&segment).unwrap().spread = 0.7;
    pool.settings.own_look = 0.25;
    pool.expect(0, false);
    near(pool.hot[0].expects, 0.75 + 0.25 * (best - 0.3) + 0.3);
    near(pool.hot[0].spread, 0.7);
    // Who found nobody at first has no look of their own to go by, and who has no choice expects nothing.
    pool.slots[0].first_look = f32::NEG_INFINITY;
    pool.expect(0, false);
    near(pool.hot[0].expects, 1.3);
    pool.best.found.truncate(1);
    pool.expect(0, false);
    assert_eq!((pool.hot[0].expects, pool.slots[0].choices), (f32::NEG_INFINITY, 1));
}

#[test]
fn pairs_compete_by_what_is_left_above_both_prices() {
    let mut pool = alike(Settings { urge: 0.0, hold_out: 0.0, ..Settings::default() }, 4);
    pool.hot[1].expects = 0.0;
    near(pool.price(1, 0), 0.125);
    let found = vec![(1, 0, 0.2), (0, 1, 0.2), (3, 2, 0.1), (3, 1, 0.1), (0, 2, 0.0), (0, 3, 0.1)];
    let offers: Vec<_> = pool.offers(found.clone(), 0).iter().map(|offer| (offer.a, offer.b, offer.chance)).collect();
    assert_eq!(offers, [(0, 3, 0.1), (2, 3, 0.1), (0, 1, 0.2), (0, 2, 0.0)]);
    near(pool.offers(found.clone(), 0)[2].surplus, 0.075);
    (pool.hot[0].expects, pool.hot[1].expects) = (0.0, f32::NEG_INFINITY);
    near(pool.offers(found, 0)[2].surplus, 0.075);
}

/// 0 and 1, 2 and 3 are to meet, with these chances; 0 and 2 offer. Whether they exchange, and who meets whom then.
fn exchanged(pool: &mut Pool, chances: [f32; 2], offer: f32) -> (usize, [u32; 4]) {
    for (at, mate) in [1, 0, 3, 2].into_iter().enumerate() {
        pool.mates[at] = (mate, chances[at / 2]);
    }
    let count = pool.exchange(&[Offer { surplus: offer, chance: offer, a: 0, b: 2 }]);
    (count, [0, 1, 2, 3].map(|at| pool.mates[at].0))
}

const AS_BEFORE: (usize, [u32; 4]) = (0, [1, 0, 3, 2]);

#[test]
fn partners_are_exchanged_where_that_is_worth_more_together() {
    let mut pool = alike(Settings::default(), 4);
    let other = pool.pair_chance(1, 3);
    assert_eq!(exchanged(&mut pool, [0.1, 0.1], 0.5), (1, [2, 3, 0, 1]));
    assert_eq!([0, 1, 2, 3].map(|at| pool.mates[at].1), [0.5, other, 0.5, other]);
    assert_eq!(exchanged(&mut pool, [0.4, 0.4], 0.5), AS_BEFORE, "worth less together");
    assert_eq!(exchanged(&mut pool, [0.5, other], 0.5), AS_BEFORE, "as much: it would be exchanged for ever");
    assert_eq!(exchanged(&mut pool, [0.1, 0.3], 0.1), AS_BEFORE, "an offer of so little is not followed up");
    // Nor if the other two would be glad of it; with a little more it is.
    (pool.hot[1].entry.ease, pool.hot[3].entry.ease) = (5.0, 5.0);
    assert!(pool.pair_chance(1, 3) > 0.9);
    for chances in [[0.1, 0.3], [0.3, 0.1], [0.4, 0.0]] {
        assert_eq!(exchanged(&mut pool, chances, 0.1), AS_BEFORE);
        assert_eq!(exchanged(&mut pool, chances, 0.11), (1, [2, 3, 0, 1]));
    }
    // Two who are to meet already, and somebody without anybody.
    pool.mates = vec![(1, 0.1), (0, 0.1), (3, 0.1), (2, 0.1)];
    assert_eq!(pool.exchange(&[Offer { surplus: 0.9, chance: 0.9, a: 0, b: 1 }]), 0);
    for single in [0, 2] {
        pool.mates = vec![(1, 0.1), (0, 0.1), (3, 0.1), (2, 0.1)];
        (pool.mates[single], pool.mates[single + 1]) = ((NOBODY, 0.0), (NOBODY, 0.0));
        assert_eq!(pool.exchange(&[Offer { surplus: 0.9, chance: 0.9, a: 0, b: 2 }]), 0);
    }
}

#[test]
fn no_exchange_brings_together_who_must_not_meet_or_cannot_speak() {
    for spoil in [
        (|waiter: &mut Waiter| waiter.blocked = vec![PersonId(1)]) as fn(&mut Waiter),
        |waiter| waiter.recent = vec![PersonId(1)],
        |waiter| waiter.languages = Fact::shared(vec![String::from("fr")]),
    ] {
        let people = [0, 1, 2, 3].map(|id| {
            let mut waiter = person(id);
            // Whoever 3 meets instead is 1.
            if id == 3 {
                spoil(&mut waiter);
            }
            waiter
        });
        assert_eq!(exchanged(&mut pool(Settings::default(), people), [0.1, 0.1], 0.5), AS_BEFORE);
    }
}

#[test]
fn those_who_part_are_told_once_and_their_waits_are_known() {
    let mut pool = pool(Settings::default(), (0..4).map(|id| Waiter { since_ms: 100 * id as u64, ..person(id) }));
    let segment = pool.slots[0].segment;
    pool.mates = vec![(3, 0.2), (2, 0.1), (1, 0.1), (0, 0.2)];
    let pairs = pool.part(&[0, 3, 1, 2], 1_000);
    let pair = |a, b, chance| Pair { a: PersonId(a), b: PersonId(b), chance };
    assert_eq!(pairs, [pair(0, 3, 0.2), pair(1, 2, 0.1)]);
    assert!(pool.is_empty() && pool.mates.iter().all(|mate| mate.0 == NOBODY));
    assert_eq!(pool.segments[&segment].estimate_ms(1_000, 700), Some(200), "700, 800, 900 and 1000 were waited");
}

//! The promises of the pool, over random towns and evenings.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use visavis_matching::{Fact, Log, Model, Outcome, PersonId, Pool, Settings, Waiter, Widened, may_meet};

fn person(id: u128, languages: &[&str], interests: &[&str]) -> Waiter {
    let list = |words: &[&str]| Fact::shared(words.iter().copied().map(String::from).collect::<Vec<String>>());
    Waiter {
        id: PersonId(id),
        adult: true,
        languages: list(languages),
        interests: list(interests),
        games: Fact::default(),
        city: Fact::default(),
        age: Fact::default(),
        recent: Vec::new(),
        blocked: Vec::new(),
        conduct: 0,
        log: Log::default(),
        widened: Widened::default(),
        since_ms: 0,
    }
}

fn any_person(ids: std::ops::Range<u128>) -> impl Strategy<Value = Waiter> {
    const LANGUAGES: [&[&str]; 5] = [&["en"], &["zh"], &["de", "en"], &["fr"], &["zh", "EN "]];
    const INTERESTS: [&[&str]; 5] = [&[], &["drawing"], &["Drawing", "cats"], &["chess", "tango", "cats"], &["rowing"]];
    let known = || proptest::collection::vec(ids.clone().prop_map(PersonId), 0..3);
    let words = (proptest::sample::select(&LANGUAGES[..]), proptest::sample::select(&INTERESTS[..]));
    let more = (proptest::option::of(18_u8..99), 0_u32..12, 0_u32..9);
    (ids.clone(), words, known(), known(), more).prop_map(
        |(id, (languages, interests), recent, blocked, (age, conduct, left))| {
            let log = Log { sessions: 9, seconds: 600.0, left_early: left, was_left_early: 9 - left, ..Log::default() };
            Waiter { recent, blocked, conduct, log, age: Fact::shared(age), ..person(id, languages, interests) }
        },
    )
}

#[derive(Clone, Debug)]
enum Step {
    Join(Box<Waiter>),
    Leave(u128),
    Apart(u128, u128),
    Tick,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => any_person(0..16).prop_map(|waiter| Step::Join(Box::new(waiter))),
        1 => (0_u128..16).prop_map(Step::Leave),
        1 => (0_u128..16, 0_u128..16).prop_map(|(a, b)| Step::Apart(a, b)),
        2 => Just(Step::Tick),
    ]
}

proptest! {
    /// Nobody who is gone, nobody twice, nobody met lately, nobody blocked, and a language in common; and the same again from
    /// the same evening.
    #[test]
    fn no_order_of_events_breaks_a_rule(steps in proptest::collection::vec(any_step(), 0..80)) {
        let mut pools = [Pool::default(), Pool::default()];
        let mut waiting: BTreeMap<PersonId, Waiter> = BTreeMap::new();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Join(waiter) => {
                    let waiter = Waiter { since_ms: now, ..*waiter };
                    for pool in &mut pools {
                        prop_assert_eq!(pool.join(&waiter), Ok(()));
                    }
                    waiting.insert(waiter.id, waiter);
                }
                Step::Leave(id) => {
                    pools.iter_mut().for_each(|pool| pool.leave(PersonId(id)));
                    waiting.remove(&PersonId(id));
                }
                Step::Apart(a, b) => {
                    pools.iter_mut().for_each(|pool| pool.keep_apart(PersonId(a), PersonId(b)));
                    for (one, other) in [(a, b), (b, a)] {
                        if let Some(waiter) = waiting.get_mut(&PersonId(one)) {
                            waiter.blocked.push(PersonId(other));
                        }
                    }
                }
                Step::Tick => {
                    now += 250;
                    let [pairs, same] = pools.each_mut().map(|pool| pool.tick(now));
                    prop_assert_eq!(&pairs, &same);
                    for pair in pairs {
                        let (a, b) = (waiting.remove(&pair.a), waiting.remove(&pair.b));
                        let (Some(a), Some(b)) = (a, b) else { return Err(TestCaseError::fail("somebody who does not wait")) };
                        prop_assert_eq!(may_meet(&a, &b), Ok(()));
                    }
                }
            }
            prop_assert_eq!(pools[0].len(), waiting.len());
        }
    }

    #[test]
    fn everybody_with_a_partner_is_paired_in_the_end(crowd in proptest::collection::vec(any_person(0..40), 0..40)) {
        let mut pool = Pool::default();
        for waiter in &crowd {
            pool.join(waiter).unwrap();
        }
        let mut waiting: BTreeMap<PersonId, &Waiter> = crowd.iter().map(|waiter| (waiter.id, waiter)).collect();
        for tick in 1..=4 * 60 {
            for pair in pool.tick(tick * 250) {
                waiting.remove(&pair.a);
                waiting.remove(&pair.b);
            }
        }
        for a in waiting.values() {
            for b in waiting.values() {
                prop_assert!(may_meet(a, b).is_err(), "{:?} and {:?} still wait", a.id, b.id);
            }
        }
    }

    /// All at once, until nobody is left. Taking the best pair first is worth half of the best there is at the least; exchanges
    /// bring more.
    #[test]
    fn small_pools_come_near_the_optimum(crowd in proptest::collection::vec(any_person(0..40), 2..10)) {
        let mut pool = Pool::default();
        for waiter in &crowd {
            pool.join(waiter).unwrap();
        }
        let ids: Vec<PersonId> = crowd.iter().map(|waiter| waiter.id).collect::<BTreeSet<_>>().into_iter().collect();
        let worth: Vec<Vec<Option<f32>>> = ids.iter().map(|a| ids.iter().map(|b| pool.worth(*a, *b)).collect()).collect();
        let best = best_worth(&worth, (1 << ids.len()) - 1);
        let mut ours = 0.0;
        for tick in 1..=4 * 60 {
            for pair in pool.tick(tick * 250) {
                let [a, b] = [pair.a, pair.b].map(|id| ids.binary_search(&id).unwrap());
                ours += worth[a][b].unwrap();
            }
        }
        prop_assert!(ours >= 0.5 * best, "{ours} of {best}");
    }

    #[test]
    fn what_is_learnt_stays_finite(outcomes in proptest::collection::vec((any::<[bool; 6]>(), -1e9_f32..1e9), 0..200)) {
        let mut pool = Pool::default();
        let (mut a, b) = (person(1, &["en"], &["drawing"]), person(2, &["en"], &["drawing"]));
        for ([one, other, three, four, five, six], seconds) in outcomes {
            let outcome = Outcome { seconds, left_early: [one, other], follow: [three, four], reported: [five, six] };
            a.log.add(&outcome, 0);
            pool.learn(&a, &b, &outcome);
        }
        let Model { common, judging, judged, .. } = pool.model();
        prop_assert!(common.iter().chain(judging).chain(judged).all(|weight| weight.abs() <= 8.0));
    }
}

fn best_worth(worth: &[Vec<Option<f32>>], left: usize) -> f32 {
    if left == 0 {
        return 0.0;
    }
    let one = left.trailing_zeros() as usize;
    let rest = left & !(1 << one);
    let with = |other: usize| worth[one][other].map(|worth_of| worth_of + best_worth(worth, rest & !(1 << other)));
    (0..worth.len()).filter(|other| rest >> other & 1 == 1).filter_map(with).fold(best_worth(worth, rest), f32::max)
}

#[test]
fn two_lone_people_meet_at_once_whatever_they_like() {
    let mut pool = Pool::default();
    pool.join(&person(1, &["en"], &["drawing"])).unwrap();
    assert_eq!(pool.tick(250), []);
    pool.join(&person(2, &["en"], &["chess"])).unwrap();
    assert_eq!(pool.tick(500).len(), 1);
    assert!(pool.is_empty());
}

#[test]
fn the_better_partner_is_chosen() {
    let mut pool = Pool::default();
    for (id, interest) in [(1, "drawing"), (2, "chess"), (3, "drawing"), (4, "chess")] {
        pool.join(&person(id, &["en"], &[interest])).unwrap();
    }
    let mut pairs = Vec::new();
    for tick in 1..40 {
        pairs.extend(pool.tick(tick * 250).iter().map(|pair| (pair.a.0.min(pair.b.0), pair.a.0.max(pair.b.0))));
    }
    pairs.sort_unstable();
    assert_eq!(pairs, [(1, 3), (2, 4)]);
}

#[test]
fn poor_conduct_keeps_nobody_out() {
    let mut pool = Pool::default();
    for id in 1..=4 {
        let mut waiter = person(id, &["en"], &["drawing"]);
        if id % 2 == 0 {
            waiter.log = Log { sessions: 40, was_left_early: 40, reports: 40, ..Log::default() };
            waiter.conduct = 10;
        }
        pool.join(&waiter).unwrap();
    }
    let met: usize = (1..40).map(|tick| pool.tick(tick * 250).len()).sum();
    assert_eq!(met, 2, "everybody meets somebody");
}

#[test]
fn a_meeting_teaches_what_people_like() {
    let mut pool = Pool::default();
    let like = |id| person(id, &["en"], &["drawing"]);
    let unlike = |id| person(id, &["en"], &[["chess", "rowing", "tango"][id as usize % 3]]);
    for round in 0..600_u128 {
        let outcome = |follow| Outcome { seconds: 60.0, follow: [follow; 2], ..Outcome::default() };
        pool.learn(&like(2 * round), &like(2 * round + 1), &outcome(true));
        pool.learn(&unlike(2 * round), &like(2 * round + 1), &outcome(false));
    }
    for waiter in [like(1), like(2), unlike(3)] {
        pool.join(&waiter).unwrap();
    }
    let (near, far) = (pool.worth(PersonId(1), PersonId(2)).unwrap(), pool.worth(PersonId(1), PersonId(3)).unwrap());
    assert!(near > 2.0 * far, "{near} {far}");
}

#[test]
fn who_speaks_a_rare_language_is_offered_others_and_may_accept() {
    let mut pool = Pool::default();
    let mut rare = Waiter { age: Fact::shared(Some(70)), ..person(1, &["fo"], &[]) };
    pool.join(&rare).unwrap();
    for mut waiter in [person(2, &["en"], &[]), person(3, &["en", "de"], &[]), person(4, &["de", "en"], &[])] {
        waiter.blocked = [2, 3, 4].map(PersonId).into_iter().filter(|id| *id != waiter.id).collect();
        pool.join(&waiter).unwrap();
    }
    for tick in 1..40 {
        assert_eq!(pool.tick(tick * 250), []);
        assert_eq!(pool.widening(&rare, tick * 250).is_some(), tick >= 32, "after eight seconds");
    }
    let offer = pool.widening(&rare, 10_000).unwrap();
    assert_eq!((offer.languages.as_slice(), offer.any_age), (&["en".to_owned(), "de".to_owned()][..], true));
    rare.widened = Widened { languages: offer.languages, any_age: true };
    pool.join(&rare).unwrap();
    let met: usize = (41..60).map(|tick| pool.tick(tick * 250).len()).sum();
    assert_eq!(met, 1);
    assert!(!pool.waits(rare.id));
}

#[test]
fn a_tick_does_no_more_than_it_may_and_says_so() {
    let mut pool = Pool::new(Settings { looks: 10, ..Settings::default() }, Model::default());
    for id in 0..25 {
        pool.join(&Waiter { blocked: (0..25).map(PersonId).collect(), ..person(id, &["en"], &[]) }).unwrap();
    }
    pool.tick(250);
    assert!(pool.is_behind());
    pool.tick(250);
    assert!(pool.is_behind(), "15 and those of the first again");
    for tick in 2..40 {
        pool.tick(250 * tick);
    }
    assert_eq!(pool.len(), 25);
}

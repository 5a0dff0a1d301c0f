//! The rules and reasons one by one, from outside: what joins two people, what keeps them apart, what is said, what is counted.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use visavis_matching::{Fact, Log, NotTogether, Outcome, PersonId, Pool, Reason, Waiter, Widened, may_meet, reasons};

fn words(list: &[&str]) -> Fact<Vec<String>> {
    Fact::shared(list.iter().copied().map(String::from).collect())
}

fn person(id: u128) -> Waiter {
    Waiter {
        id: PersonId(id),
        adult: true,
        languages: words(&["en"]),
        interests: Fact::default(),
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

#[test]
fn each_side_has_its_own_log_of_a_meeting() {
    let outcome = Outcome { seconds: 90.0, left_early: [true, false], follow: [false, true], reported: [true, false] };
    let mut logs = [Log::default(); 2];
    for (side, log) in logs.iter_mut().enumerate() {
        log.add(&outcome, side);
        log.add(&outcome, side);
    }
    let common = Log { sessions: 2, seconds: 180.0, ..Log::default() };
    assert_eq!(logs[0], Log { left_early: 2, was_followed: 2, reports: 2, ..common });
    assert_eq!(logs[1], Log { was_left_early: 2, followed: 2, ..common });
}

#[test]
fn a_language_joins_however_it_is_written_and_blanks_join_nobody() {
    let speaks = |id, list: &[&str]| Waiter { languages: words(list), ..person(id) };
    assert_eq!(may_meet(&speaks(1, &["de", " EN"]), &speaks(2, &["en "])), Ok(()));
    assert_eq!(may_meet(&speaks(1, &["", "de"]), &speaks(2, &[" ", "fr"])), Err(NotTogether::NoCommonLanguage));
    assert_eq!(may_meet(&speaks(1, &["en"]), &speaks(2, &["eno"])), Err(NotTogether::NoCommonLanguage));
    // Accepted for this wait: joins with what the other speaks, or accepted too.
    let widened = Waiter { widened: Widened { languages: vec![String::from("fr")], any_age: false }, ..speaks(1, &["fo"]) };
    assert_eq!(may_meet(&widened, &speaks(2, &["FR"])), Ok(()));
    assert_eq!(may_meet(&speaks(2, &["en"]), &widened), Err(NotTogether::NoCommonLanguage));
}

#[test]
fn one_side_is_enough_to_keep_two_apart() {
    type Spoil = fn(&mut Waiter);
    let cases: [(Spoil, NotTogether); 3] = [
        (|one| one.adult = false, NotTogether::NotAdult),
        (|one| one.blocked = vec![PersonId(2)], NotTogether::Blocked),
        (|one| one.recent = vec![PersonId(7), PersonId(2)], NotTogether::MetRecently),
    ];
    for (spoil, why) in cases {
        let (mut one, other) = (person(1), person(2));
        spoil(&mut one);
        assert_eq!([may_meet(&one, &other), may_meet(&other, &one)], [Err(why); 2]);
    }
}

#[test]
fn close_in_age_ends_after_three_years_and_needs_both() {
    let aged = |id, age| Waiter { age: Fact::shared(age), ..person(id) };
    let close = |one, other| reasons(&aged(1, one), &aged(2, other)).contains(&Reason::CloseInAge);
    assert!(close(Some(40), Some(43)) && close(Some(43), Some(40)));
    assert!(!close(Some(40), Some(44)) && !close(None, None) && !close(Some(40), None));
}

#[test]
fn a_city_is_named_as_the_first_wrote_it_and_a_blank_one_never() {
    let lives = |id, city: &str| Waiter { city: Fact::shared(city.to_owned()), languages: Fact::hidden(vec![]), ..person(id) };
    assert_eq!(reasons(&lives(1, " Lisbon"), &lives(2, "LISBON ")), [Reason::SameCity { city: String::from("Lisbon") }]);
    for (one, other) in [("", ""), (" ", "  "), ("Lisbon", "Porto")] {
        assert_eq!(reasons(&lives(1, one), &lives(2, other)), []);
    }
    let hides = Waiter { city: Fact::hidden(String::from("Lisbon")), ..lives(1, "") };
    assert_eq!(reasons(&hides, &lives(2, "Lisbon")), []);
    assert_eq!(reasons(&lives(2, "Lisbon"), &hides), []);
}

#[test]
fn what_both_like_is_listed_once_in_the_first_ones_order_and_spelling() {
    let likes = |id, interests, games| Waiter {
        interests: words(interests),
        games: words(games),
        languages: Fact::hidden(vec![String::from("en")]),
        ..person(id)
    };
    let one = likes(1, &["Cats ", "", "chess", "cats", "rowing"], &["gomoku", " "]);
    let other = likes(2, &["chess", "CATS", "", "tango"], &[" ", "Gomoku"]);
    let list = |words: &[&str]| words.iter().copied().map(String::from).collect::<Vec<_>>();
    let liked = Reason::BothLike { interests: list(&["Cats", "chess"]) };
    assert_eq!(reasons(&one, &other), [liked, Reason::BothPlay { games: list(&["gomoku"]) }]);
    assert_eq!(reasons(&likes(1, &["", "cats"], &[]), &likes(2, &["", "dogs"], &[])), []);
}

/// The pool looks most pairs over by a few bits of each, and must not take a likeness of bits for a block.
#[test]
fn a_pool_keeps_apart_whom_it_was_told_to_and_nobody_else() {
    const PEOPLE: u128 = 200;
    let mut pool = Pool::default();
    for id in 0..PEOPLE {
        let mut waiter = person(id);
        match id {
            0 => waiter.blocked = vec![PersonId(1)],
            2 => waiter.recent = vec![PersonId(3)],
            _ => {}
        }
        pool.join(&waiter).unwrap();
    }
    pool.keep_apart(PersonId(5), PersonId(4));
    pool.keep_apart(PersonId(6), PersonId(PEOPLE + 1));
    for a in 0..PEOPLE {
        for b in 0..PEOPLE {
            let apart = a == b || matches!((a.min(b), a.max(b)), (0, 1) | (2, 3) | (4, 5));
            assert_eq!(pool.worth(PersonId(a), PersonId(b)).is_none(), apart, "{a} and {b}");
        }
    }
    assert_eq!(pool.worth(PersonId(0), PersonId(PEOPLE)), None, "who does not wait");
    // Whoever comes later, with a new place, is no stranger to it.
    pool.leave(PersonId(1));
    assert!(!pool.waits(PersonId(1)) && pool.len() == PEOPLE as usize - 1);
    pool.join(&person(1)).unwrap();
    assert_eq!(pool.worth(PersonId(1), PersonId(0)), None);
}

#[test]
fn a_pool_takes_no_minors_and_nobody_without_a_language() {
    let mut pool = Pool::default();
    assert_eq!(pool.join(&Waiter { adult: false, ..person(1) }), Err(NotTogether::NotAdult));
    assert_eq!(pool.join(&Waiter { languages: words(&[" "]), ..person(2) }), Err(NotTogether::NoCommonLanguage));
    assert_eq!((pool.is_empty(), pool.len()), (true, 0));
    assert!(!pool.waits(PersonId(1)) && !pool.waits(PersonId(2)));
    pool.join(&person(3)).unwrap();
    assert!(!pool.is_empty() && pool.waits(PersonId(3)));
    // New facts that do not do take the old ones out.
    assert_eq!(pool.join(&Waiter { adult: false, ..person(3) }), Err(NotTogether::NotAdult));
    assert!(pool.is_empty());
}

#[test]
fn people_who_share_no_language_are_worth_nothing_to_each_other() {
    let mut pool = Pool::default();
    for (id, list) in [(1, &["en", "de"][..]), (2, &["fr"]), (3, &["de"])] {
        pool.join(&Waiter { languages: words(list), ..person(id) }).unwrap();
    }
    let worth = |one, other| pool.worth(PersonId(one), PersonId(other)).is_some();
    assert!(worth(1, 3) && worth(3, 1) && !worth(1, 2) && !worth(2, 3));
}

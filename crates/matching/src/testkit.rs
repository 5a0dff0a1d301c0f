//! People for the tests of this crate.

use crate::{Fact, Log, PersonId, Waiter, Widened};
use proptest::prelude::*;

/// An adult who speaks English and says nothing else.
pub fn person(id: u128) -> Waiter {
    Waiter {
        id: PersonId(id),
        adult: true,
        languages: Fact::shared(vec!["en".into()]),
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

fn fact<T: std::fmt::Debug + Clone + 'static>(value: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Fact<T>> {
    (value, any::<bool>()).prop_map(|(value, shared)| Fact { value, shared }).boxed()
}

fn words(from: &'static [&'static str]) -> BoxedStrategy<Fact<Vec<String>>> {
    fact(proptest::collection::vec(proptest::sample::select(from).prop_map(String::from), 0..4))
}

pub fn any_waiter(id: u128) -> BoxedStrategy<Waiter> {
    let lists = (
        words(&["en", "zh", "EN", "de"]),
        words(&["drawing", "Drawing", "chess", "cats", ""]),
        words(&["gomoku", "guess"]),
        fact(proptest::sample::select(&["", "Lisbon", "lisbon ", "Berlin"][..]).prop_map(String::from)),
        fact(proptest::option::of(18_u8..99)),
    );
    let known = || proptest::collection::vec((1_u128..9).prop_map(PersonId), 0..2);
    (lists, proptest::bool::weighted(0.9), known(), known(), 0_u32..12, 0_u64..20_000)
        .prop_map(move |((languages, interests, games, city, age), adult, recent, blocked, conduct, since_ms)| Waiter {
            id: PersonId(id),
            adult,
            languages,
            interests,
            games,
            city,
            age,
            recent,
            blocked,
            conduct,
            log: Log::default(),
            widened: Widened::default(),
            since_ms,
        })
        .boxed()
}

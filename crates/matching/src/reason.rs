//! The reason of a match in facts. Only what both made public is said, so that the reason tells nobody anything new about
//! what the other keeps to themselves.

use crate::person::{common, same};
use crate::{Fact, Waiter};

/// Up to this many years apart counts as close, where both show their age.
pub const CLOSE_IN_AGE_YEARS: u8 = 3;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    SameCity { city: String },
    BothLike { interests: Vec<String> },
    BothPlay { games: Vec<String> },
    CloseInAge,
    SameLanguage { language: String },
}

/// Strongest first. The spelling is `a`'s.
pub fn reasons(a: &Waiter, b: &Waiter) -> Vec<Reason> {
    let mut found = Vec::new();
    if both_share(&a.city, &b.city) && !a.city.value.trim().is_empty() && same(&a.city.value, &b.city.value) {
        found.push(Reason::SameCity { city: a.city.value.trim().to_owned() });
    }
    let interests = shared_in_common(&a.interests, &b.interests);
    if !interests.is_empty() {
        found.push(Reason::BothLike { interests });
    }
    let games = shared_in_common(&a.games, &b.games);
    if !games.is_empty() {
        found.push(Reason::BothPlay { games });
    }
    if both_share(&a.age, &b.age)
        && let (Some(one), Some(other)) = (a.age.value, b.age.value)
        && one.abs_diff(other) <= CLOSE_IN_AGE_YEARS
    {
        found.push(Reason::CloseInAge);
    }
    if let Some(language) = shared_in_common(&a.languages, &b.languages).into_iter().next() {
        found.push(Reason::SameLanguage { language });
    }
    found
}

fn both_share<T>(a: &Fact<T>, b: &Fact<T>) -> bool {
    a.shared && b.shared
}

fn shared_in_common(a: &Fact<Vec<String>>, b: &Fact<Vec<String>>) -> Vec<String> {
    if both_share(a, b) { common(&a.value, &b.value).into_iter().map(String::from).collect() } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{any_waiter, person};
    use proptest::prelude::*;

    #[test]
    fn same_city_and_a_common_interest() {
        let (mut a, mut b) = (person(1), person(2));
        for one in [&mut a, &mut b] {
            one.city = Fact::shared("Lisbon".into());
            one.interests = Fact::shared(vec!["drawing".into()]);
            one.age = Fact::shared(Some(30));
        }
        b.age.value = Some(33);
        assert_eq!(
            reasons(&a, &b),
            [
                Reason::SameCity { city: "Lisbon".into() },
                Reason::BothLike { interests: vec!["drawing".into()] },
                Reason::CloseInAge,
                Reason::SameLanguage { language: "en".into() }
            ]
        );
        b.city.shared = false;
        b.interests.shared = false;
        b.age.shared = false;
        b.languages.shared = false;
        assert_eq!(reasons(&a, &b), []);
    }

    proptest! {
        #[test]
        fn nothing_unshared_is_ever_a_reason(a in any_waiter(1), b in any_waiter(2)) {
            for reason in reasons(&a, &b) {
                let shared = match reason {
                    Reason::SameCity { .. } => a.city.shared && b.city.shared,
                    Reason::BothLike { .. } => a.interests.shared && b.interests.shared,
                    Reason::BothPlay { .. } => a.games.shared && b.games.shared,
                    Reason::CloseInAge => a.age.shared && b.age.shared,
                    Reason::SameLanguage { .. } => a.languages.shared && b.languages.shared,
                };
                prop_assert!(shared);
            }
        }
    }
}

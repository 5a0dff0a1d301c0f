//! How much two people have in common, kept apart by subject so that a choice can be explained.

use crate::{Waiter, common, same};

/// Points for full agreement on one subject; together 100.
#[derive(Clone, Copy, Debug)]
pub struct Weights;

impl Weights {
    /// Both main languages are the same. Any other common language gives half.
    pub const LANGUAGE: u32 = 15;
    pub const INTERESTS: u32 = 35;
    pub const CITY: u32 = 20;
    pub const GAMES: u32 = 15;
    pub const AGE: u32 = 15;
    /// Most that conduct takes off again.
    pub const CONDUCT: u32 = 10;
}

/// Years from which on age gives no point; the same age gives all, in between it falls evenly.
pub const MAX_AGE_GAP: u8 = 15;

/// Higher is better. The star sign never counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    pub language: u32,
    pub interests: u32,
    pub city: u32,
    pub games: u32,
    pub age: u32,
    /// Taken off: that of the one of the two for whom it is more. Never keeps anybody apart; prices fall to nothing.
    pub conduct: u32,
}

impl Score {
    pub fn total(&self) -> u32 {
        (self.language + self.interests + self.city + self.games + self.age).saturating_sub(self.conduct)
    }
}

/// The same for (a, b) and (b, a). Says nothing about whether they may meet.
pub fn score(a: &Waiter, b: &Waiter) -> Score {
    Score {
        language: language(&a.languages.value, &b.languages.value),
        interests: overlap(&a.interests.value, &b.interests.value, Weights::INTERESTS),
        city: if !a.city.value.trim().is_empty() && same(&a.city.value, &b.city.value) { Weights::CITY } else { 0 },
        games: overlap(&a.games.value, &b.games.value, Weights::GAMES),
        age: age(a.age.value, b.age.value),
        conduct: a.conduct.max(b.conduct).min(Weights::CONDUCT),
    }
}

fn language(a: &[String], b: &[String]) -> u32 {
    match (a.first(), b.first()) {
        (Some(first), Some(other)) if same(first, other) => Weights::LANGUAGE,
        _ if common(a, b).is_empty() => 0,
        _ => Weights::LANGUAGE / 2,
    }
}

/// The first common entry gives half of the weight and each further one half of what is left: one shared love counts more than
/// a long list, and a person with few entries is not worse off.
fn overlap(a: &[String], b: &[String], weight: u32) -> u32 {
    let mut left = weight;
    for _ in 0..common(a, b).len() {
        left /= 2;
    }
    weight - left
}

fn age(a: Option<u8>, b: Option<u8>) -> u32 {
    match (a, b) {
        (Some(a), Some(b)) => Weights::AGE * u32::from(MAX_AGE_GAP.saturating_sub(a.abs_diff(b))) / u32::from(MAX_AGE_GAP),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fact;
    use crate::testkit::{any_waiter, person};
    use proptest::prelude::*;

    #[test]
    fn full_agreement_is_worth_nearly_the_hundred() {
        let mut a = person(1);
        a.city = Fact::hidden("Lisbon".into());
        a.interests = Fact::hidden(["a", "b", "c", "d", "e", "f"].map(String::from).to_vec());
        a.games = a.interests.clone();
        a.age = Fact::hidden(Some(30));
        let mut b = a.clone();
        b.city = Fact::hidden(" lisbon ".into());
        let score = score(&a, &b);
        assert_eq!(score, Score { language: 15, interests: 35, city: 20, games: 15, age: 15, conduct: 0 });
        assert_eq!(score.total(), 100);
    }

    #[test]
    fn each_subject_counts_by_itself() {
        let (mut a, mut b) = (person(1), person(2));
        assert_eq!(score(&a, &b), Score { language: 15, ..Score::default() });
        b.languages = Fact::shared(vec!["de".into(), "en".into()]);
        assert_eq!(score(&a, &b).language, 7);
        a.interests = Fact::shared(vec!["Drawing".into(), "drawing".into()]);
        b.interests = Fact::shared(vec!["drawing".into(), "cats".into()]);
        assert_eq!(score(&a, &b).interests, 18, "a repeated entry counts once");
        a.age = Fact::shared(Some(20));
        b.age = Fact::shared(Some(25));
        assert_eq!(score(&a, &b).age, 10);
        b.age = Fact::shared(Some(80));
        assert_eq!(score(&a, &b).age, 0);
        let before = score(&a, &b).total();
        b.conduct = 200;
        assert_eq!(score(&a, &b).conduct, Weights::CONDUCT);
        assert_eq!(score(&a, &b).total(), before - Weights::CONDUCT);
    }

    proptest! {
        #[test]
        fn symmetric_and_bounded(a in any_waiter(1), b in any_waiter(2)) {
            let there = score(&a, &b);
            prop_assert_eq!(there, score(&b, &a));
            prop_assert!(there.total() <= 100);
        }
    }
}

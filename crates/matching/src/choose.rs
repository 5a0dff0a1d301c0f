//! The choice among the pairs that are allowed.
//!
//! Everybody who waits expects something of a match. A newcomer hopes for common interests, games, the city and a like age; one
//! after the other the hopes are given up as the wait grows ([`relaxed`]). The points hoped for are the person's price
//! ([`expectation`]), and a pair is taken when its score covers both prices. Somebody with a single possible partner has nothing
//! to wait for and asks no price, so two lone people meet at once.
//!
//! Of several pairs the one with the largest surplus over its prices is taken first.

use crate::{Score, Waiter, Weights, may_meet, score};

/// A subject that somebody hopes to have in common, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insisted {
    Interests,
    City,
    Games,
    Age,
}

impl Insisted {
    /// In the order of weight.
    pub const ALL: [Self; 4] = [Self::Interests, Self::City, Self::Games, Self::Age];

    pub fn name(self) -> &'static str {
        match self {
            Self::Interests => "interests",
            Self::City => "city",
            Self::Games => "games",
            Self::Age => "age",
        }
    }

    /// Waiting time after which it is hoped for no longer. All of them are gone after 16 s: with a few hundred people waiting
    /// the best partner is usually there from the beginning, and with fewer a longer wait finds nobody better.
    pub fn given_up_after_ms(self) -> u64 {
        match self {
            Self::Age => 4_000,
            Self::Games => 8_000,
            Self::City => 12_000,
            Self::Interests => 16_000,
        }
    }

    /// Half of the points that one common entry brings: the partner pays the other half.
    fn price(self) -> u32 {
        match self {
            Self::Interests => Weights::INTERESTS / 4,
            Self::City => Weights::CITY / 4,
            Self::Games => Weights::GAMES / 4,
            Self::Age => Weights::AGE / 4,
        }
    }

    fn filled_in(self, waiter: &Waiter) -> bool {
        match self {
            Self::Interests => !waiter.interests.value.is_empty(),
            Self::City => !waiter.city.value.trim().is_empty(),
            Self::Games => !waiter.games.value.is_empty(),
            Self::Age => waiter.age.value.is_some(),
        }
    }
}

/// What is being looked for, weightiest first; `language` is a rule and always there. Only what the person filled in.
pub fn looking_for(waiter: &Waiter) -> Vec<&'static str> {
    let hopes = Insisted::ALL.into_iter().filter(|hope| hope.filled_in(waiter)).map(Insisted::name);
    std::iter::once("language").chain(hopes).collect()
}

/// Which of [`looking_for`] no longer decides whether somebody will do.
pub fn relaxed(waiter: &Waiter, now_ms: u64) -> Vec<&'static str> {
    let waited = now_ms.saturating_sub(waiter.since_ms);
    let gone = |hope: &Insisted| hope.filled_in(waiter) && waited >= hope.given_up_after_ms();
    Insisted::ALL.into_iter().filter(gone).map(Insisted::name).collect()
}

/// The price a person asks of a match, in points of the score, where there are several partners to choose from.
pub fn expectation(waiter: &Waiter, now_ms: u64) -> u32 {
    let waited = now_ms.saturating_sub(waiter.since_ms);
    let hoped = |hope: &Insisted| hope.filled_in(waiter) && waited < hope.given_up_after_ms();
    Insisted::ALL.into_iter().filter(hoped).map(Insisted::price).sum()
}

struct Candidate {
    a: usize,
    b: usize,
    score: Score,
}

/// Pairs as positions in `waiters`, the smaller first. Nobody is in two of them, and each of them obeys [`may_meet`].
///
/// Looks at every pair, so it is meant for some hundreds of waiting people.
pub fn pairs(waiters: &[Waiter], now_ms: u64) -> Vec<(usize, usize)> {
    let candidates = candidates(waiters);
    let mut choices = vec![0_usize; waiters.len()];
    for pair in &candidates {
        choices[pair.a] += 1;
        choices[pair.b] += 1;
    }
    let price = |position: usize| if choices[position] < 2 { 0 } else { expectation(&waiters[position], now_ms) };

    let mut offers: Vec<(u32, &Candidate)> = candidates
        .iter()
        .filter_map(|pair| pair.score.total().checked_sub(price(pair.a) + price(pair.b)).map(|surplus| (surplus, pair)))
        .collect();
    // Best surplus first, then whoever came first; ids settle the rest, so that the order of the list does not matter.
    let key = |pair: &Candidate| {
        let (a, b) = (&waiters[pair.a], &waiters[pair.b]);
        (a.since_ms.min(b.since_ms), a.since_ms.max(b.since_ms), a.id.min(b.id), a.id.max(b.id))
    };
    offers.sort_by(|(one, left), (other, right)| other.cmp(one).then_with(|| key(left).cmp(&key(right))));

    let mut taken = vec![false; waiters.len()];
    let mut chosen = Vec::new();
    for (_, pair) in offers {
        if !taken[pair.a] && !taken[pair.b] {
            // The same person twice in the list is one person.
            for (position, waiter) in waiters.iter().enumerate() {
                taken[position] |= waiter.id == waiters[pair.a].id || waiter.id == waiters[pair.b].id;
            }
            chosen.push((pair.a, pair.b));
        }
    }
    chosen
}

fn candidates(waiters: &[Waiter]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (a, one) in waiters.iter().enumerate() {
        for (b, other) in waiters.iter().enumerate().skip(a + 1) {
            if may_meet(one, other).is_ok() {
                found.push(Candidate { a, b, score: score(one, other) });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{any_crowd, person};
    use crate::{Fact, PersonId};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn likes(id: u128, interest: &str) -> Waiter {
        Waiter { interests: Fact::shared(vec![interest.into()]), ..person(id) }
    }

    #[test]
    fn two_lone_people_meet_at_once_whatever_they_like() {
        assert_eq!(pairs(&[likes(1, "drawing"), likes(2, "chess")], 0), [(0, 1)]);
        assert_eq!(pairs(&[likes(1, "drawing")], 0), []);
        assert_eq!(pairs(&[], 0), []);
    }

    #[test]
    fn the_better_partner_is_chosen() {
        let crowd = [likes(1, "drawing"), likes(2, "chess"), likes(3, "drawing"), likes(4, "chess")];
        assert_eq!(pairs(&crowd, 0), [(0, 2), (1, 3)]);
    }

    #[test]
    fn with_a_choice_people_hold_out_and_give_in_with_time() {
        let picky = |id, interest: &str| Waiter {
            city: Fact::shared(format!("town {id}")),
            games: Fact::shared(vec![format!("game {id}")]),
            age: Fact::shared(Some(20 * id as u8)),
            ..likes(id, interest)
        };
        let crowd = [picky(1, "drawing"), picky(2, "chess"), picky(3, "tango")];
        assert_eq!(pairs(&crowd, 0), [], "nothing in common but the language");
        assert_eq!(relaxed(&crowd[0], 0), [""; 0]);
        assert_eq!(relaxed(&crowd[0], 8_000), ["games", "age"]);
        assert_eq!(pairs(&crowd, 16_000), [(0, 1)]);
        assert_eq!(relaxed(&crowd[0], 16_000), ["interests", "city", "games", "age"]);
        assert_eq!(looking_for(&crowd[0]), ["language", "interests", "city", "games", "age"]);
        assert_eq!(looking_for(&person(9)), ["language"]);
    }

    #[test]
    fn conduct_decides_between_equals_and_keeps_nobody_out() {
        let poor = |id| Waiter { conduct: Weights::CONDUCT, ..likes(id, "drawing") };
        assert_eq!(pairs(&[poor(1), likes(2, "drawing"), likes(3, "drawing")], 0), [(1, 2)]);
        assert_eq!(pairs(&[poor(1), likes(2, "drawing")], 0), [(0, 1)], "nobody else is there");
        assert_eq!(pairs(&[poor(1), likes(2, "chess"), likes(3, "tango"), poor(4)], 16_000).len(), 2, "everybody meets somebody");
    }

    #[test]
    fn a_price_never_exceeds_what_a_match_can_bring() {
        let mut eager = likes(1, "drawing");
        eager.city = Fact::shared("Lisbon".into());
        eager.games = Fact::shared(vec!["gomoku".into()]);
        eager.age = Fact::shared(Some(30));
        assert!(2 * expectation(&eager, 0) <= score(&eager, &eager).total());
    }

    proptest! {
        #[test]
        fn nobody_twice_and_no_rule_broken(crowd in any_crowd(), now in 0_u64..40_000) {
            let chosen = pairs(&crowd, now);
            let mut seen = BTreeSet::new();
            for (a, b) in &chosen {
                prop_assert!(a < b);
                prop_assert_eq!(may_meet(&crowd[*a], &crowd[*b]), Ok(()));
                prop_assert!(seen.insert(crowd[*a].id) && seen.insert(crowd[*b].id));
            }
        }

        #[test]
        fn after_the_longest_wait_nobody_who_could_meet_is_left(crowd in any_crowd()) {
            let chosen = pairs(&crowd, 1_000_000);
            let met: BTreeSet<PersonId> = chosen.iter().flat_map(|(a, b)| [crowd[*a].id, crowd[*b].id]).collect();
            let left: Vec<_> = crowd.iter().filter(|waiter| !met.contains(&waiter.id)).collect();
            for one in &left {
                for other in &left {
                    prop_assert!(may_meet(one, other).is_err());
                }
            }
        }

        #[test]
        fn the_order_of_the_list_does_not_matter(crowd in any_crowd(), now in 0_u64..40_000) {
            let names = |crowd: &[Waiter]| -> BTreeSet<(PersonId, PersonId)> {
                let ids = |(a, b): (usize, usize)| (crowd[a].id.min(crowd[b].id), crowd[a].id.max(crowd[b].id));
                pairs(crowd, now).into_iter().map(ids).collect()
            };
            // Only for distinct people: of the same person twice either entry may be the one that meets.
            let mut unique = crowd;
            unique.sort_by_key(|waiter| waiter.id);
            unique.dedup_by_key(|waiter| waiter.id);
            let there = names(&unique);
            unique.reverse();
            prop_assert_eq!(there, names(&unique));
        }
    }
}

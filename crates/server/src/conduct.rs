//! Conduct, from facts about covered cameras: a few points less for the matcher, private, fading, never a refusal.
//!
//! One side's word is nothing: a match counts when the one who saw a covered camera and the one who was told so agree about how
//! long. A modified app can keep silent and gets off; nobody can be blackened by somebody else alone.

use crate::store::AccountId;
use std::collections::BTreeMap;
use visavis_matching::MOST_CONDUCT;

/// Shorter is an accident.
const LONG_S: i64 = 30;
/// Fewer people who saw it is chance.
const REPEATED: usize = 3;
/// After so long a match counts half.
const HALF_LIFE_S: i64 = 14 * 24 * 3600;
/// After so long it does not count, and is forgotten.
pub const COUNTS_FOR_S: i64 = 90 * 24 * 3600;
/// Points for each of those people, when it was today.
const POINTS_EACH: f64 = 2.0;

/// One match in which the other saw this person's camera covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered {
    pub partner: AccountId,
    /// By the other's word.
    pub saw_s: i64,
    /// By this person's own word: for how long the other said so.
    pub told_s: i64,
    pub at: i64,
}

impl Covered {
    fn is_long_and_agreed(&self) -> bool {
        let (least, most) = (self.saw_s.min(self.told_s), self.saw_s.max(self.told_s));
        least >= LONG_S && least * 2 >= most
    }

    fn weight(&self, now: i64) -> f64 {
        let age = (now - self.at).max(0);
        if age > COUNTS_FOR_S { 0.0 } else { 0.5_f64.powf(age as f64 / HALF_LIFE_S as f64) }
    }
}

/// 0 to [`MOST_CONDUCT`].
pub fn points(facts: &[Covered], now: i64) -> u32 {
    let mut by_partner: BTreeMap<AccountId, f64> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.is_long_and_agreed()) {
        let weight = by_partner.entry(fact.partner).or_default();
        *weight = weight.max(fact.weight(now));
    }
    by_partner.retain(|_, weight| *weight > 0.0);
    if by_partner.len() < REPEATED {
        return 0;
    }
    let points = by_partner.values().sum::<f64>() * POINTS_EACH;
    (points.round() as u32).min(MOST_CONDUCT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    const DAY: i64 = 24 * 3600;
    const NOW: i64 = 1_800_000_000;

    fn seen(partner: u128, saw_s: i64, told_s: i64, days_ago: i64) -> Covered {
        Covered { partner: AccountId(Uuid::from_u128(partner)), saw_s, told_s, at: NOW - days_ago * DAY }
    }

    #[test]
    fn long_repeated_and_agreed_counts_and_fades() {
        let three = |days| [seen(1, 60, 58, days), seen(2, 45, 50, days), seen(3, 300, 280, days)];
        assert_eq!(points(&three(0), NOW), 6);
        assert_eq!(points(&three(14), NOW), 3);
        assert_eq!(points(&three(89), NOW), 0);
        assert_eq!(points(&three(91), NOW), 0);
        let many: Vec<_> = (0..40).map(|partner| seen(partner, 600, 600, 0)).collect();
        assert_eq!(points(&many, NOW), MOST_CONDUCT);
    }

    #[test]
    fn what_is_short_seldom_or_said_by_one_alone_does_not_count() {
        for facts in [
            vec![],
            vec![seen(1, 900, 900, 0), seen(2, 900, 900, 0)],
            vec![seen(1, 900, 900, 0), seen(1, 900, 900, 1), seen(1, 900, 900, 2)],
            vec![seen(1, 29, 29, 0), seen(2, 29, 29, 0), seen(3, 29, 29, 0), seen(4, 29, 29, 0)],
            vec![seen(1, 900, 0, 0), seen(2, 900, 40, 0), seen(3, 900, 900, 0)],
            vec![seen(1, 0, 900, 0), seen(2, 40, 900, 0), seen(3, 900, 900, 0)],
        ] {
            assert_eq!(points(&facts, NOW), 0, "{facts:?}");
        }
    }

    proptest! {
        #[test]
        fn any_facts_give_points_within_bounds(
            facts in prop::collection::vec((0u128..6, any::<i32>(), any::<i32>(), -100i64..200), 0..30),
        ) {
            let facts: Vec<_> = facts.into_iter().map(|(who, saw, told, days)| seen(who, saw.into(), told.into(), days)).collect();
            prop_assert!(points(&facts, NOW) <= MOST_CONDUCT);
        }
    }
}

//! What somebody who waits is told: what is looked for, what no longer decides, how long it may take, and what could be widened.

use crate::model::Common;
use crate::{PersonId, Pool, Waiter};

/// Before this nobody is asked to widen anything.
const OFFER_AFTER_MS: u64 = 8_000;
/// With more people to choose from the wait is not for want of them.
const FEW: usize = 3;
const MOST_LANGUAGES: usize = 3;

/// What a person could accept for this wait, because hardly anybody is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Widening {
    /// Languages that others who wait speak, most speakers first.
    pub languages: Vec<String>,
    pub any_age: bool,
}

const SUBJECTS: [(&str, Common); 4] =
    [("interests", Common::Interests), ("city", Common::City), ("games", Common::Games), ("age", Common::Age)];

fn filled_in(waiter: &Waiter, subject: Common) -> bool {
    match subject {
        Common::Interests => !waiter.interests.value.is_empty(),
        Common::City => !waiter.city.value.trim().is_empty(),
        Common::Games => !waiter.games.value.is_empty(),
        Common::Age => waiter.age.value.is_some() && !waiter.widened.any_age,
        _ => false,
    }
}

impl Pool {
    /// `language` is a rule and always there; otherwise only what the person filled in.
    pub fn looking_for(&self, waiter: &Waiter) -> Vec<&'static str> {
        let hopes = SUBJECTS.into_iter().filter(|(_, subject)| filled_in(waiter, *subject)).map(|(name, _)| name);
        std::iter::once("language").chain(hopes).collect()
    }

    /// Those of [`Pool::looking_for`] that no longer decide: the expectations have fallen by more than they bring.
    pub fn relaxed(&self, waiter: &Waiter, now_ms: u64) -> Vec<&'static str> {
        let Some(at) = self.who.get(&waiter.id) else { return Vec::new() };
        let fallen = self.fallen(*at, now_ms);
        let gone = |(_, subject): &(&str, Common)| filled_in(waiter, *subject) && fallen >= self.model().weight(*subject).abs();
        SUBJECTS.into_iter().filter(gone).map(|(name, _)| name).collect()
    }

    /// For half of those who lately waited as long; nothing where too few did.
    pub fn estimate_ms(&self, id: PersonId, now_ms: u64) -> Option<u64> {
        let at = *self.who.get(&id)?;
        self.segment(at)?.estimate_ms(now_ms, now_ms.saturating_sub(self.since_ms(at)))
    }

    /// Something to offer to somebody whom too few can meet.
    pub fn widening(&self, waiter: &Waiter, now_ms: u64) -> Option<Widening> {
        let at = *self.who.get(&waiter.id)?;
        let slot = &self.slots[at as usize];
        if now_ms.saturating_sub(self.since_ms(at)) < OFFER_AFTER_MS || slot.choices >= FEW {
            return None;
        }
        let own = |number: usize| slot.places.iter().any(|places| usize::from(places.language) == number);
        let mut others: Vec<(usize, &str)> = (1..self.cells.len())
            .filter(|number| !own(*number) && self.cells[*number].len() > 0)
            .map(|number| (self.cells[number].len(), self.languages.text(number as u16)))
            .collect();
        others.sort_unstable_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(other.1)));
        let widening = Widening {
            languages: others.into_iter().take(MOST_LANGUAGES).map(|(_, text)| text.to_owned()).collect(),
            any_age: filled_in(waiter, Common::Age),
        };
        (widening != Widening::default()).then_some(widening)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::person;
    use crate::{Fact, Model, Settings};

    #[test]
    fn what_is_looked_for_is_what_was_filled_in() {
        let pool = Pool::new(Settings::default(), Model::default());
        assert_eq!(pool.looking_for(&person(1)), ["language"]);
        let mut waiter = person(2);
        waiter.interests = Fact::shared(vec![String::from("chess")]);
        assert_eq!(pool.looking_for(&waiter), ["language", "interests"]);
        waiter.city = Fact::shared(String::from(" "));
        waiter.games = Fact::shared(vec![String::from("gomoku")]);
        assert_eq!(pool.looking_for(&waiter), ["language", "interests", "games"]);
        waiter.city = Fact::shared(String::from("Lisbon"));
        waiter.age = Fact::shared(Some(30));
        assert_eq!(pool.looking_for(&waiter), ["language", "interests", "city", "games", "age"]);
        waiter.widened.any_age = true;
        assert_eq!(pool.looking_for(&waiter), ["language", "interests", "city", "games"]);
    }

    fn filled(id: u128) -> Waiter {
        Waiter {
            interests: Fact::shared(vec![String::from("chess")]),
            city: Fact::shared(String::from("Lisbon")),
            games: Fact::shared(vec![String::from("gomoku")]),
            age: Fact::shared(Some(30)),
            ..person(id)
        }
    }

    #[test]
    fn what_brings_less_than_expectations_have_fallen_decides_no_more() {
        let mut model = Model::default();
        model.common[Common::City as usize] = -0.3;
        let mut pool = Pool::new(Settings { patience_ms: 1_000.0, ..Settings::default() }, model);
        let waiter = Waiter { since_ms: 500, ..filled(1) };
        assert_eq!(pool.relaxed(&waiter, 90_000), [""; 0], "who does not wait");
        pool.join(&waiter).unwrap_or_else(|why| panic!("{why}"));
        // By 0.1, the least spread: 0.0, then 0.4, 1.0 and 1.8.
        let steps: [(u64, &[&str]); 4] = [
            (500, &[]),
            (1_500, &["city", "games"]),
            (2_500, &["city", "games", "age"]),
            (3_500, &["interests", "city", "games", "age"]),
        ];
        for (now_ms, relaxed) in steps {
            assert_eq!(pool.relaxed(&waiter, now_ms), relaxed, "at {now_ms}");
        }
        let says_less = Waiter { city: Fact::default(), ..waiter };
        assert_eq!(pool.relaxed(&says_less, 3_500), ["interests", "games", "age"], "only what was filled in");
    }

    #[test]
    fn how_long_it_may_take_is_what_others_waited_less_the_own_wait() {
        let mut pool = Pool::default();
        let join =
            |pool: &mut Pool, id, since_ms| pool.join(&Waiter { since_ms, ..person(id) }).unwrap_or_else(|why| panic!("{why}"));
        (0..4).for_each(|id| join(&mut pool, id, 0));
        (1..40).for_each(|_| drop(pool.tick(800)));
        assert!(pool.is_empty());
        join(&mut pool, 9, 1_000);
        assert_eq!(pool.estimate_ms(PersonId(9), 1_300), Some(500));
        assert_eq!(pool.estimate_ms(PersonId(1), 1_300), None, "who does not wait");
    }

    #[test]
    fn wider_is_offered_after_eight_seconds_to_whom_fewer_than_three_can_meet() {
        let speaks = |id, languages: &[&str]| Waiter {
            languages: Fact::shared(languages.iter().copied().map(String::from).collect()),
            recent: (0..30).map(PersonId).collect(),
            ..person(id)
        };
        let mut pool = Pool::default();
        let rare = Waiter { since_ms: 100, ..speaks(1, &["fo", "is"]) };
        pool.join(&rare).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(pool.widening(&rare, 60_000), None, "nobody else is there, and no age was said");
        pool.join(&speaks(9, &["ar"])).unwrap_or_else(|why| panic!("{why}"));
        pool.leave(PersonId(9));
        assert_eq!(pool.widening(&rare, 60_000), None, "who spoke another language is gone");
        for (id, languages) in
            [(2, &["is", "de"][..]), (3, &["fr"]), (4, &["de"]), (5, &["es"]), (6, &["en", "de"]), (7, &["es"])]
        {
            pool.join(&speaks(id, languages)).unwrap_or_else(|why| panic!("{why}"));
        }
        let offered = Widening { languages: ["de", "es", "en"].map(String::from).to_vec(), any_age: false };
        assert_eq!(pool.widening(&rare, 8_099), None);
        assert_eq!(pool.widening(&rare, 8_100), Some(offered.clone()), "most speakers first, then by name, none of the own");
        assert_eq!(pool.widening(&speaks(8, &["fo"]), 60_000), None, "who does not wait");
        let aged = Waiter { age: Fact::shared(Some(30)), ..rare.clone() };
        assert_eq!(pool.widening(&aged, 8_100), Some(Widening { any_age: true, ..offered.clone() }));
        for (choices, offers) in [(2, true), (3, false), (4, false)] {
            pool.slots[0].choices = choices;
            assert_eq!(pool.widening(&rare, 8_100).is_some(), offers, "{choices} choices");
        }
    }
}

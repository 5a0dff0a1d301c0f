//! From a stored profile to what the matcher weighs and what a match may see.

use crate::store::{AccountId, Entrant};
use visavis_matching as matching;
use visavis_wire::Private;
use visavis_wire::people::{Fact, PeerCard, Profile, Reason};

/// Shared facts alone.
pub fn card_of(profile: &Profile) -> PeerCard {
    fn list(fact: &Fact<Vec<String>>) -> Vec<String> {
        if fact.shared { fact.value.clone() } else { Vec::new() }
    }
    let city = profile.city.value.reveal().trim();
    PeerCard {
        city: (profile.city.shared && !city.is_empty()).then(|| Private::new(city.to_owned())),
        age: profile.age.value.filter(|_| profile.age.shared),
        sign: profile.sign.value.filter(|_| profile.sign.shared),
        languages: list(&profile.languages),
        interests: list(&profile.interests),
        games: list(&profile.games),
        picture: profile.picture.shared && profile.picture.value,
    }
}

pub(super) fn person_id(account: AccountId) -> matching::PersonId {
    matching::PersonId(account.0.as_u128())
}

pub(super) fn waiter_of(account: AccountId, entrant: &Entrant, since_ms: u64) -> matching::Waiter {
    fn list(fact: &Fact<Vec<String>>) -> matching::Fact<Vec<String>> {
        matching::Fact { value: fact.value.clone(), shared: fact.shared }
    }
    let profile = &entrant.profile;
    matching::Waiter {
        id: person_id(account),
        adult: entrant.adult,
        languages: list(&profile.languages),
        interests: list(&profile.interests),
        games: list(&profile.games),
        city: matching::Fact { value: profile.city.value.reveal().clone(), shared: profile.city.shared },
        age: matching::Fact { value: profile.age.value, shared: profile.age.shared },
        recent: entrant.recent.iter().copied().map(person_id).collect(),
        blocked: entrant.blocked.iter().copied().map(person_id).collect(),
        conduct: entrant.conduct,
        log: entrant.log,
        widened: matching::Widened::default(),
        since_ms,
    }
}

pub(super) fn reason(reason: matching::Reason) -> Reason {
    match reason {
        matching::Reason::SameCity { city } => Reason::SameCity { city: Private::new(city) },
        matching::Reason::BothLike { interests } => Reason::BothLike { interests },
        matching::Reason::BothPlay { games } => Reason::BothPlay { games },
        matching::Reason::CloseInAge => Reason::CloseInAge,
        matching::Reason::SameLanguage { language } => Reason::SameLanguage { language },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_wire::people::Sign;

    #[test]
    fn a_card_holds_shared_facts_alone() {
        let mut profile = Profile {
            city: Fact { value: Private::new(" Lisbon ".into()), shared: true },
            languages: Fact { value: vec!["en".into()], shared: true },
            interests: Fact { value: vec!["drawing".into()], shared: true },
            games: Fact { value: vec!["gomoku".into()], shared: true },
            age: Fact { value: Some(30), shared: true },
            sign: Fact { value: Some(Sign::Leo), shared: true },
            picture: Fact { value: true, shared: true },
        };
        let full = card_of(&profile);
        assert_eq!(full.city.as_ref().map(|city| city.reveal().as_str()), Some("Lisbon"));
        assert!(full.picture);
        assert_eq!((full.age, full.sign, full.interests.len(), full.games.len()), (Some(30), Some(Sign::Leo), 1, 1));
        profile.city.shared = false;
        profile.languages.shared = false;
        profile.interests.shared = false;
        profile.games.shared = false;
        profile.age.shared = false;
        profile.sign.shared = false;
        profile.picture.shared = false;
        assert_eq!(card_of(&profile), PeerCard::default());
    }
}

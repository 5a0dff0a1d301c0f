//! The rules that no waiting time relaxes.

use crate::Waiter;
use crate::person::same;

/// Why two people are not put together. For logs and tests: neither of the two is ever told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTogether {
    #[error("the same person")]
    SamePerson,
    #[error("not both are verified adults")]
    NotAdult,
    #[error("one blocked the other")]
    Blocked,
    #[error("they met a short while ago")]
    MetRecently,
    #[error("no common language")]
    NoCommonLanguage,
}

/// Symmetric: a list of either side (`recent`, `blocked`) holds for both.
pub fn may_meet(a: &Waiter, b: &Waiter) -> Result<(), NotTogether> {
    if a.id == b.id {
        return Err(NotTogether::SamePerson);
    }
    if !(a.adult && b.adult) {
        return Err(NotTogether::NotAdult);
    }
    if a.blocked.contains(&b.id) || b.blocked.contains(&a.id) {
        return Err(NotTogether::Blocked);
    }
    if a.recent.contains(&b.id) || b.recent.contains(&a.id) {
        return Err(NotTogether::MetRecently);
    }
    if !a.spoken().any(|one| b.spoken().any(|other| same(one, other))) {
        return Err(NotTogether::NoCommonLanguage);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::person;
    use crate::{Fact, PersonId};

    #[test]
    fn each_rule_alone_keeps_two_people_apart() {
        let (a, b) = (person(1), person(2));
        assert_eq!(may_meet(&a, &b), Ok(()));
        assert_eq!(may_meet(&a, &a), Err(NotTogether::SamePerson));
        for (spoil, expected) in [
            (Box::new(|p: &mut Waiter| p.adult = false) as Box<dyn Fn(&mut Waiter)>, NotTogether::NotAdult),
            (Box::new(|p: &mut Waiter| p.blocked = vec![PersonId(1), PersonId(2)]), NotTogether::Blocked),
            (Box::new(|p: &mut Waiter| p.recent = vec![PersonId(1), PersonId(2)]), NotTogether::MetRecently),
            (Box::new(|p: &mut Waiter| p.languages = Fact::shared(vec!["fr".into()])), NotTogether::NoCommonLanguage),
            (Box::new(|p: &mut Waiter| p.languages = Fact::shared(vec![])), NotTogether::NoCommonLanguage),
        ] {
            let mut spoiled = b.clone();
            spoil(&mut spoiled);
            assert_eq!(may_meet(&a, &spoiled), Err(expected));
            assert_eq!(may_meet(&spoiled, &a), Err(expected));
        }
    }

    #[test]
    fn a_hidden_language_still_joins() {
        let (mut a, b) = (person(1), person(2));
        a.languages.shared = false;
        assert_eq!(may_meet(&a, &b), Ok(()));
    }
}

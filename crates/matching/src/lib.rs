//! Who meets whom.
//!
//! A pure computation over the people who wait: [`may_meet`] holds the rules that nothing can bend, [`score`] says how much two
//! people have in common and of what, [`pairs`] chooses, [`reasons`] explains a choice with facts that both made public. Who
//! waits, what is offered and what is answered is the business of the server's meeting room.
//!
//! Times are milliseconds on any clock of the caller that does not run backwards.

mod choose;
mod reason;
mod rules;
mod score;
#[cfg(test)]
mod testkit;

pub use choose::{Insisted, expectation, looking_for, pairs, relaxed};
pub use reason::{CLOSE_IN_AGE_YEARS, Reason, reasons};
pub use rules::{NotTogether, may_meet};
pub use score::{MAX_AGE_GAP, Score, Weights, score};

/// A fact and whether matches may see it. An unshared fact still counts in the score; it is never given as a reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fact<T> {
    pub value: T,
    pub shared: bool,
}

impl<T> Fact<T> {
    pub fn shared(value: T) -> Self {
        Self { value, shared: true }
    }

    pub fn hidden(value: T) -> Self {
        Self { value, shared: false }
    }
}

/// Names a person among those who wait. Two waiters with the same id are the same person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub u128);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiter {
    pub id: PersonId,
    /// Known from the issuer's verified claims, not from what the person typed.
    pub adult: bool,
    /// The main language first.
    pub languages: Fact<Vec<String>>,
    pub interests: Fact<Vec<String>>,
    pub games: Fact<Vec<String>>,
    /// Empty where unknown.
    pub city: Fact<String>,
    pub age: Fact<Option<u8>>,
    /// Whom this person met last and is not to meet again yet.
    pub recent: Vec<PersonId>,
    /// Either side's block keeps two people apart.
    pub blocked: Vec<PersonId>,
    /// Points to take off, at most [`Weights::CONDUCT`]; private.
    pub conduct: u32,
    pub since_ms: u64,
}

/// Compares what people typed: letter case and surrounding space do not count.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.trim().chars().flat_map(char::to_lowercase).eq(b.trim().chars().flat_map(char::to_lowercase))
}

/// Entries of `a` that `b` has too, in `a`'s order and spelling, each once.
pub(crate) fn common<'a>(a: &'a [String], b: &[String]) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    for item in a.iter().filter(|item| !item.trim().is_empty()) {
        if b.iter().any(|other| same(item, other)) && !found.iter().any(|earlier| same(earlier, item)) {
            found.push(item.trim());
        }
    }
    found
}

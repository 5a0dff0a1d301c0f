//! A person who waits: what the matcher weighs, and which of it may be told.

use crate::Outcome;

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

/// What the service wrote down about somebody's past meetings. Private: it is weighed and never shown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Log {
    pub sessions: u32,
    pub seconds: f32,
    pub left_early: u32,
    pub was_left_early: u32,
    pub followed: u32,
    pub was_followed: u32,
    pub reports: u32,
}

impl Log {
    /// `side`: which of the two of the outcome this log is of.
    pub fn add(&mut self, outcome: &Outcome, side: usize) {
        let other = 1 - side;
        self.sessions += 1;
        self.seconds += outcome.seconds;
        self.left_early += u32::from(outcome.left_early[side]);
        self.was_left_early += u32::from(outcome.left_early[other]);
        self.followed += u32::from(outcome.follow[side]);
        self.was_followed += u32::from(outcome.follow[other]);
        self.reports += u32::from(outcome.reported[side]);
    }
}

#[derive(Clone, Debug, PartialEq)]
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
    /// Points to take off, at most [`crate::MOST_CONDUCT`]; private.
    pub conduct: u32,
    pub log: Log,
    /// Only while waiting this time: the person accepted to meet people of these languages too, and of any age.
    pub widened: Widened,
    pub since_ms: u64,
}

/// What somebody agreed to beyond the profile, for one wait.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Widened {
    pub languages: Vec<String>,
    pub any_age: bool,
}

impl Waiter {
    /// Those of the profile, then those accepted.
    pub(crate) fn spoken(&self) -> impl Iterator<Item = &str> {
        self.languages
            .value
            .iter()
            .chain(&self.widened.languages)
            .map(|language| language.trim())
            .filter(|language| !language.is_empty())
    }
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

//! What must hold, whatever happened: judged by what reached people, what their apps decoded and what was written down, with books of
//! its own. It takes no part in the evening and asks none of the parts that it judges.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use visavis_sight::detector::CameraState;

/// Begins everything that must not travel: names, the city nobody may see.
pub const MARK: &str = "Zqx7";
/// Begins every person's own address.
pub const ADDRESS: &str = "10.66.";
/// Partners that are not met again; far fewer than the product's default, so that people do meet again and blocks are put to the test.
pub const RECENT: usize = 3;
/// Until a block has reached the two that it parts.
const BLOCK_MS: u64 = 3_000;
/// Until a camera that is no longer clear must have veiled the other side: the way there and the next picture.
const VEIL_MS: u64 = 400;
/// For how long a verdict about a camera holds without pictures: the gate's own, and a picture.
const HOLDS_MS: u64 = 3_000;
/// Until a yes that was taken back must have veiled the other side, by the server's word or by what is seen.
const BACK_MS: u64 = 5_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    TwoToAMatch,
    NoRepeat,
    NoBlockedPair,
    FollowsNeedTwoYes,
    VeiledByTheRules,
    NothingLeaks,
    SamePaper,
    NoOrphans,
}

#[derive(Clone, Debug)]
pub struct Broken {
    pub rule: Rule,
    pub words: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = match self.rule {
            Rule::TwoToAMatch => "nobody is paired twice",
            Rule::NoRepeat => "no pair meets again",
            Rule::NoBlockedPair => "no blocked pair meets",
            Rule::FollowsNeedTwoYes => "nobody follows without two yes",
            Rule::VeiledByTheRules => "no unveiled picture against the rule",
            Rule::NothingLeaks => "no address and no name reaches a match",
            Rule::SamePaper => "both papers are the same",
            Rule::NoOrphans => "nothing is left of a session that is over",
        };
        write!(f, "{rule}: {}", self.words)
    }
}

/// What one side of a call said and saw.
#[derive(Default)]
struct Book {
    /// Answers to "may they see you", with their times.
    said: Vec<(u64, bool)>,
    /// Newest pictures received: when, and whether the camera behind was clear.
    received: VecDeque<(u64, bool)>,
}

#[derive(Default)]
pub struct Judge {
    pub broken: Option<Broken>,
    /// By person: their match, while they are in one.
    inside: BTreeMap<usize, String>,
    members: BTreeMap<String, BTreeSet<usize>>,
    /// By person, whom they met, newest last.
    met: BTreeMap<usize, Vec<usize>>,
    blocks: BTreeMap<(usize, usize), u64>,
    follow_yes: BTreeSet<(String, usize)>,
    books: BTreeMap<(String, usize), Book>,
    /// Last time that something went wrong with the servers.
    fault_ms: Option<u64>,
}

impl Judge {
    fn say(&mut self, rule: Rule, words: String) {
        self.broken.get_or_insert(Broken { rule, words });
    }

    pub fn fault(&mut self, now: u64) {
        self.fault_ms = Some(now);
    }

    /// Somebody's app is told that a match begins, for the first time or again.
    pub fn begins(&mut self, who: usize, id: &str) {
        if let Some(other) = self.inside.get(&who).filter(|other| *other != id) {
            let words = format!("{who} is in {other} and is put into {id}");
            self.say(Rule::TwoToAMatch, words);
        }
        self.inside.insert(who, id.to_owned());
        let members = self.members.entry(id.to_owned()).or_default();
        if !members.insert(who) {
            return;
        }
        if members.len() > 2 {
            let words = format!("{members:?} are in {id}");
            self.say(Rule::TwoToAMatch, words);
        }
    }

    /// A match was written down as begun.
    pub fn pair(&mut self, now: u64, one: usize, other: usize, id: &str) {
        if self.blocks.get(&(one.min(other), one.max(other))).is_some_and(|at| now > at + BLOCK_MS) {
            self.say(Rule::NoBlockedPair, format!("{one} and {other} in {id}"));
        }
        for (who, with) in [(one, other), (other, one)] {
            let met = self.met.entry(who).or_default();
            if met.iter().rev().take(RECENT).any(|before| *before == with) {
                self.say(Rule::NoRepeat, format!("{one} and {other} meet again in {id}"));
                return;
            }
            met.push(with);
        }
    }

    /// Somebody's app is out of its match.
    pub fn left(&mut self, who: usize) {
        self.inside.remove(&who);
    }

    /// `None` while only one of the two has been told.
    pub fn other_of(&self, id: &str, who: usize) -> Option<usize> {
        self.members.get(id)?.iter().copied().find(|member| *member != who)
    }

    pub fn blocks(&mut self, now: u64, one: usize, other: usize) {
        self.blocks.entry((one.min(other), one.max(other))).or_insert(now);
    }

    pub fn says_follow(&mut self, id: &str, who: usize, yes: bool) {
        if yes {
            self.follow_yes.insert((id.to_owned(), who));
        }
    }

    /// A follow was written down, or somebody is told that there is one.
    pub fn follows(&mut self, id: &str, pair: [usize; 2]) {
        if !pair.iter().all(|who| self.follow_yes.contains(&(id.to_owned(), *who))) {
            self.say(Rule::FollowsNeedTwoYes, format!("{pair:?} after {id}"));
        }
    }

    pub fn says_reveal(&mut self, now: u64, id: &str, who: usize, yes: bool) {
        self.books.entry((id.to_owned(), who)).or_default().said.push((now, yes));
    }

    /// The app of `who` decoded a picture that `from` captured; the camera behind it was in that state.
    pub fn decoded(&mut self, now: u64, id: &str, (from, captured): (usize, u64), who: usize, lens: CameraState, clear: bool) {
        if clear && let Some(words) = self.against_the_rule(id, from, who, captured) {
            self.say(Rule::VeiledByTheRules, format!("{who} sees {from} in {id}, {words}"));
        }
        let book = self.books.entry((id.to_owned(), who)).or_default();
        book.received.push_back((now, lens == CameraState::Clear));
        if book.received.len() > 64 {
            book.received.pop_front();
        }
    }

    fn against_the_rule(&self, id: &str, from: usize, to: usize, captured: u64) -> Option<String> {
        let book = |who: usize| self.books.get(&(id.to_owned(), who));
        let (Some(own), Some(theirs)) = (book(from), book(to)) else { return Some(String::from("neither was asked")) };
        let until = |book: &Book| book.said.iter().rev().find(|(at, _)| *at < captured).copied();
        if !until(own).is_some_and(|(_, yes)| yes) {
            return Some(String::from("who does not agree"));
        }
        if !theirs.said.iter().any(|(at, yes)| *yes && *at <= captured) {
            return Some(String::from("and has not agreed to be seen"));
        }
        let back = until(theirs).filter(|(at, yes)| !yes && captured > at + BACK_MS);
        if let Some((at, _)) = back.filter(|(at, _)| self.fault_ms.is_none_or(|fault| fault + 30_000 < *at)) {
            return Some(format!("and took the yes back {} ms before", captured - at));
        }
        let newest = own.received.iter().rev().find(|(at, _)| at + VEIL_MS <= captured);
        match newest {
            Some((at, true)) if at + HOLDS_MS >= captured => None,
            Some((_, true)) => Some(String::from("who has long seen nothing")),
            Some((_, false)) => Some(String::from("whose camera is not clear to them")),
            None => Some(String::from("of whom nothing was seen")),
        }
    }

    /// Whatever the server or the peer sent to an app.
    pub fn sent(&mut self, who: usize, bytes: &[u8]) {
        for mark in [MARK, ADDRESS] {
            if bytes.windows(mark.len()).any(|window| window == mark.as_bytes()) {
                let text = String::from_utf8_lossy(&bytes[..bytes.len().min(400)]).into_owned();
                self.say(Rule::NothingLeaks, format!("{who} is sent {mark}: {text}"));
            }
        }
    }

    pub fn papers(&mut self, id: &str, pair: [usize; 2], same: bool, words: &str) {
        if !same {
            self.say(Rule::SamePaper, format!("{pair:?} in {id}: {words}"));
        }
    }

    pub fn orphan(&mut self, words: String) {
        self.say(Rule::NoOrphans, words);
    }
}

//! Joining, waiting, being told how it goes, and being paired.

use super::meeting::Meeting;
use super::people::{person_id, waiter_of};
use super::{Output, Person, Phase, Place, Room, SocketId, Sources, send};
use crate::refusal::{refuse, refuse_saying};
use crate::store::{AccountId, Entrant, RunningMatch};
use std::collections::VecDeque;
use visavis_matching as matching;
use visavis_wire::http::{Refusal, RefusalCode};
use visavis_wire::socket::{MatchId, ServerMessage};

/// Fewer waits than these say nothing about the next one.
const WAITS_FOR_AN_ESTIMATE: usize = 3;
const WAITS_KEPT: usize = 32;
const WAITS_KEPT_FOR_MS: u64 = 10 * 60 * 1000;

#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub waiter: matching::Waiter,
    pub entrant: Entrant,
    told_ms: Option<u64>,
}

impl Waiting {
    pub(super) fn restored(account: AccountId, entrant: Entrant, now_ms: u64) -> Self {
        Self { waiter: waiter_of(account, &entrant, now_ms), entrant, told_ms: None }
    }
}

/// How long people waited lately before they were paired.
#[derive(Debug, Default)]
pub(super) struct Waits {
    /// (when paired, how long waited)
    recent: VecDeque<(u64, u64)>,
}

impl Waits {
    fn add(&mut self, now_ms: u64, waited_ms: u64) {
        self.recent.push_back((now_ms, waited_ms));
        if self.recent.len() > WAITS_KEPT {
            self.recent.pop_front();
        }
    }

    /// What is left of the median wait; nothing for somebody who waits longer than that already, or without enough data.
    fn estimate_s(&self, now_ms: u64, waited_ms: u64) -> Option<u32> {
        let fresh = |entry: &&(u64, u64)| now_ms.saturating_sub(entry.0) <= WAITS_KEPT_FOR_MS;
        let mut waits: Vec<u64> = self.recent.iter().filter(fresh).map(|(_, waited)| *waited).collect();
        if waits.len() < WAITS_FOR_AN_ESTIMATE {
            return None;
        }
        waits.sort_unstable();
        let left = waits[waits.len() / 2].checked_sub(waited_ms)?;
        u32::try_from(left.div_ceil(1000).max(1)).ok()
    }
}

impl Room {
    /// `waited_ms`: before this room knew of it.
    pub(super) fn join(&mut self, now_ms: u64, account: AccountId, socket: SocketId, waited_ms: u64, out: &mut Vec<Output>) {
        if self.closing {
            out.push(send(socket, refuse(RefusalCode::ShuttingDown)));
            return;
        }
        let person = self.people.entry(account).or_default();
        match &mut person.place {
            Place::Idle => {
                person.place = Place::Joining { since_ms: now_ms.saturating_sub(waited_ms) };
                out.push(Output::LookUp { account });
            }
            Place::Joining { .. } => {}
            Place::Waiting(waiting) => {
                waiting.told_ms = None;
                self.tell_waiting(now_ms, out);
            }
            Place::Matched(match_id) => {
                let phase = self.matches.get(match_id).and_then(|meeting| meeting.phase(account));
                if phase != Some(Phase::Together) {
                    // Crossed with the next offer.
                    return;
                }
                out.push(send(
                    socket,
                    refuse_saying(RefusalCode::BadRequest, "You are in a match; leave it before you join again."),
                ));
            }
        }
    }

    pub(super) fn cancel(&mut self, now_ms: u64, account: AccountId, socket: SocketId, out: &mut Vec<Output>) {
        let Some(person) = self.people.get_mut(&account) else { return };
        match &person.place {
            Place::Idle => {}
            Place::Joining { .. } | Place::Waiting(_) => person.place = Place::Idle,
            Place::Matched(match_id) => {
                let match_id = match_id.clone();
                // Pressed while the offer was on its way: a "not now". A match that has begun is left, not cancelled.
                if !self.decline_offer(now_ms, &match_id, account, out) {
                    return;
                }
            }
        }
        out.push(send(socket, ServerMessage::WaitingEnded));
    }

    pub(super) fn looked_up(&mut self, now_ms: u64, account: AccountId, found: Result<Entrant, Refusal>, out: &mut Vec<Output>) {
        let Some(person) = self.people.get_mut(&account) else { return };
        let since_ms = match &person.place {
            Place::Joining { since_ms } => *since_ms,
            Place::Waiting(waiting) => waiting.waiter.since_ms,
            Place::Idle | Place::Matched(_) => return,
        };
        match admit(found) {
            Ok(entrant) => {
                let waiter = waiter_of(account, &entrant, since_ms);
                person.place = Place::Waiting(Box::new(Waiting { waiter, entrant, told_ms: None }));
                self.tell_waiting(now_ms, out);
            }
            Err(refusal) => {
                person.place = Place::Idle;
                self.send_to(account, ServerMessage::Refused { refusal }, out);
            }
        }
    }

    /// Back to waiting with the time waited so far.
    pub(super) fn wait_again(&mut self, now_ms: u64, account: AccountId, mut waiting: Waiting, out: &mut Vec<Output>) {
        if let Some(person) = self.people.get_mut(&account) {
            waiting.told_ms = None;
            person.place = Place::Waiting(Box::new(waiting));
            self.tell_waiting(now_ms, out);
        }
    }

    pub(super) fn tell_waiting(&mut self, now_ms: u64, out: &mut Vec<Output>) {
        for person in self.people.values_mut() {
            let (Person { socket: Some(socket), place: Place::Waiting(waiting), .. }, every) =
                (person, self.rules.waiting_news_ms)
            else {
                continue;
            };
            if waiting.told_ms.is_some_and(|told| now_ms < told + every) {
                continue;
            }
            waiting.told_ms = Some(now_ms);
            let waited_ms = now_ms.saturating_sub(waiting.waiter.since_ms);
            let words = |list: Vec<&'static str>| list.into_iter().map(String::from).collect();
            let message = ServerMessage::Waiting {
                waited_s: u32::try_from(waited_ms / 1000).unwrap_or(u32::MAX),
                looking_for: words(matching::looking_for(&waiting.waiter)),
                relaxed: words(matching::relaxed(&waiting.waiter, now_ms)),
                estimate_s: self.waits.estimate_s(now_ms, waited_ms),
            };
            out.push(send(*socket, message));
        }
    }

    pub(super) fn pair(&mut self, now_ms: u64, sources: &mut dyn Sources, out: &mut Vec<Output>) {
        let mut accounts = Vec::new();
        let mut waiters = Vec::new();
        for (account, person) in &self.people {
            if let Place::Waiting(waiting) = &person.place {
                let mut waiter = waiting.waiter.clone();
                waiter.recent.extend(self.left_in_peace(*account).map(person_id));
                accounts.push(*account);
                waiters.push(waiter);
            }
        }
        for (a, b) in matching::pairs(&waiters, now_ms) {
            let match_id = sources.match_id();
            let (Some(one), Some(other)) = (self.take_waiting(accounts[a], &match_id), self.take_waiting(accounts[b], &match_id))
            else {
                continue;
            };
            for waiter in [&waiters[a], &waiters[b]] {
                self.waits.add(now_ms, now_ms.saturating_sub(waiter.since_ms));
            }
            let a_offers = sources.coin();
            let meeting = Meeting::new([(accounts[a], one), (accounts[b], other)], a_offers);
            self.matches.insert(match_id.clone(), meeting);
            out.push(Output::Commit { pair: RunningMatch { id: match_id, a: accounts[a], b: accounts[b], a_offers } });
        }
    }

    fn take_waiting(&mut self, account: AccountId, match_id: &MatchId) -> Option<Waiting> {
        let person = self.people.get_mut(&account)?;
        match std::mem::replace(&mut person.place, Place::Matched(match_id.clone())) {
            Place::Waiting(waiting) => Some(*waiting),
            other => {
                person.place = other;
                None
            }
        }
    }

    fn left_in_peace(&self, account: AccountId) -> impl Iterator<Item = AccountId> {
        self.declined.keys().filter_map(move |(a, b)| match (*a == account, *b == account) {
            (true, _) => Some(*b),
            (_, true) => Some(*a),
            _ => None,
        })
    }
}

/// The rules about one person alone; those about two are `matching`'s.
fn admit(found: Result<Entrant, Refusal>) -> Result<Entrant, Refusal> {
    let entrant = found?;
    if !entrant.adult {
        return Err(crate::refusal::refusal(RefusalCode::NotVerified));
    }
    if entrant.profile.languages.value.is_empty() {
        return Err(crate::refusal::refusal(RefusalCode::ProfileIncomplete));
    }
    Ok(entrant)
}

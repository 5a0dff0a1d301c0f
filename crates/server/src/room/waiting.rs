//! Joining, waiting, being told how it goes, and being paired.

use super::meeting::Meeting;
use super::people::{person_id, waiter_of};
use super::{Output, Person, Place, Room, SocketId, Sources, send};
use crate::refusal::refuse;
use crate::store::{AccountId, Entrant, RunningMatch};
use visavis_matching as matching;
use visavis_wire::http::{Refusal, RefusalCode};
use visavis_wire::limits;
use visavis_wire::socket::{MatchId, ServerMessage, Widening};

/// With more people than the matcher looks after in one of its ticks.
const ROUNDS_IN_A_TICK: usize = 4;

/// As many as come in a usual round at the arrivals for which the matcher's settings were chosen, several times over.
const MANY_NEWCOMERS: usize = 24;
/// From one round to an early one: the looks of both together stay within what one processor does.
const EARLY_MS: u64 = 50;

#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub waiter: matching::Waiter,
    pub entrant: Entrant,
    told_ms: Option<u64>,
    /// When somebody who is kept apart from this person for a while no longer is.
    look_again_ms: Option<u64>,
}

impl Waiting {
    pub(super) fn restored(account: AccountId, entrant: Entrant, now_ms: u64) -> Self {
        Self { waiter: waiter_of(account, &entrant, now_ms), entrant, told_ms: None, look_again_ms: None }
    }
}

/// Those who wait, as the matcher knows them. Somebody who went without a word is noticed when paired.
#[derive(Default)]
pub(super) struct Waits {
    pub(super) pool: matching::Pool,
}

impl Waits {
    pub(super) fn leave(&mut self, account: AccountId) {
        self.pool.leave(person_id(account));
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
                self.tell_one(now_ms, account, out);
            }
            // Crossed with the offer or the match, of which this socket has been told.
            Place::Matched(_) => {}
        }
    }

    pub(super) fn cancel(&mut self, now_ms: u64, account: AccountId, socket: SocketId, out: &mut Vec<Output>) {
        if !self.people.contains_key(&account) {
            return;
        }
        // Pressed while the offer was on its way: a "not now". A match that has begun is left, not cancelled.
        if let Some(match_id) = self.stop_waiting(account)
            && !self.decline_offer(now_ms, &match_id, account, out)
        {
            return;
        }
        out.push(send(socket, ServerMessage::WaitingEnded));
    }

    pub(super) fn looked_up(&mut self, now_ms: u64, account: AccountId, found: Result<Entrant, Refusal>, out: &mut Vec<Output>) {
        let Some(person) = self.people.get_mut(&account) else { return };
        let (since_ms, widened) = match &person.place {
            Place::Joining { since_ms } => (*since_ms, matching::Widened::default()),
            Place::Waiting(waiting) => (waiting.waiter.since_ms, waiting.waiter.widened.clone()),
            Place::Idle | Place::Matched(_) => return,
        };
        match admit(found) {
            Ok(entrant) => {
                let waiter = matching::Waiter { widened, ..waiter_of(account, &entrant, since_ms) };
                person.place = Place::Waiting(Box::new(Waiting { waiter, entrant, told_ms: None, look_again_ms: None }));
                self.enter_pool(account);
                self.tell_one(now_ms, account, out);
                self.newcomers += 1;
            }
            Err(refusal) => {
                person.place = Place::Idle;
                self.waits.leave(account);
                self.send_to(account, ServerMessage::Refused { refusal }, out);
            }
        }
    }

    /// Back to waiting with the time waited so far.
    pub(super) fn wait_again(&mut self, now_ms: u64, account: AccountId, mut waiting: Waiting, out: &mut Vec<Output>) {
        if let Some(person) = self.people.get_mut(&account) {
            waiting.told_ms = None;
            person.place = Place::Waiting(Box::new(waiting));
            self.enter_pool(account);
            self.tell_one(now_ms, account, out);
        }
    }

    /// What is beyond the limits of a profile is not taken.
    pub(super) fn widen(
        &mut self,
        now_ms: u64,
        account: AccountId,
        languages: Vec<String>,
        any_age: bool,
        out: &mut Vec<Output>,
    ) {
        let Some(Person { place: Place::Waiting(waiting), .. }) = self.people.get_mut(&account) else { return };
        let fits = |language: &String| language.chars().count() <= limits::PROFILE_TEXT;
        let languages = languages.into_iter().filter(fits).take(limits::PROFILE_LIST).collect();
        waiting.waiter.widened = matching::Widened { languages, any_age };
        waiting.told_ms = None;
        self.enter_pool(account);
        self.tell_one(now_ms, account, out);
    }

    pub(super) fn never_again(&mut self, account: AccountId, peer: AccountId) {
        let Some(Person { place: Place::Waiting(waiting), .. }) = self.people.get_mut(&account) else { return };
        waiting.waiter.blocked.push(person_id(peer));
        waiting.entrant.blocked.push(peer);
        self.enter_pool(account);
    }

    /// To be matched from the next tick on, by what is known of the person now.
    fn enter_pool(&mut self, account: AccountId) {
        let apart: Vec<(AccountId, u64)> = self.left_in_peace(account).collect();
        let Some(Person { place: Place::Waiting(waiting), .. }) = self.people.get_mut(&account) else { return };
        waiting.look_again_ms = apart.iter().map(|(_, until)| *until).min();
        let mut waiter = waiting.waiter.clone();
        waiter.recent.extend(apart.into_iter().map(|(other, _)| person_id(other)));
        if let Err(why) = self.waits.pool.join(&waiter) {
            tracing::warn!(%why, "somebody waits who cannot be matched");
        }
    }

    /// Their news, at once.
    fn tell_one(&mut self, now_ms: u64, account: AccountId, out: &mut Vec<Output>) {
        if let Some(Person { socket: Some(socket), place: Place::Waiting(waiting), .. }) = self.people.get_mut(&account) {
            waiting.told_ms = Some(now_ms);
            out.push(send(*socket, news(&self.waits.pool, &waiting.waiter, now_ms)));
        }
    }

    pub(super) fn tell_waiting(&mut self, now_ms: u64, out: &mut Vec<Output>) {
        let every = self.rules.waiting_news_ms;
        for person in self.people.values_mut() {
            let Person { socket: Some(socket), place: Place::Waiting(waiting), .. } = person else { continue };
            if waiting.told_ms.is_none_or(|told| now_ms >= told + every) {
                waiting.told_ms = Some(now_ms);
                out.push(send(*socket, news(&self.waits.pool, &waiting.waiter, now_ms)));
            }
        }
    }

    /// When many came since the latest round there is choice enough for the next one before its time.
    pub(super) fn pair_early(&mut self, now_ms: u64, sources: &mut dyn Sources, out: &mut Vec<Output>) {
        if self.newcomers >= MANY_NEWCOMERS && now_ms >= self.paired_ms + EARLY_MS {
            self.pair(now_ms, sources, out);
        }
    }

    pub(super) fn pair(&mut self, now_ms: u64, sources: &mut dyn Sources, out: &mut Vec<Output>) {
        (self.newcomers, self.paired_ms) = (0, now_ms);
        let again = |(account, person): (&AccountId, &Person)| match &person.place {
            Place::Waiting(waiting) if waiting.look_again_ms.is_some_and(|at| at <= now_ms) => Some(*account),
            _ => None,
        };
        let again: Vec<AccountId> = self.people.iter().filter_map(again).collect();
        for account in again {
            self.enter_pool(account);
        }
        for _ in 0..ROUNDS_IN_A_TICK {
            for pair in self.waits.pool.tick(now_ms) {
                self.begin(pair, sources, out);
            }
            if !self.waits.pool.is_behind() {
                break;
            }
        }
    }

    fn begin(&mut self, pair: matching::Pair, sources: &mut dyn Sources, out: &mut Vec<Output>) {
        let [a, b] = [pair.a, pair.b].map(|id| AccountId(uuid::Uuid::from_u128(id.0)));
        let waits = |account| matches!(self.people.get(&account), Some(Person { place: Place::Waiting(_), .. }));
        match (waits(a), waits(b)) {
            (true, true) => {}
            (one, other) => {
                // Whoever is still there waits on.
                for account in [(a, one), (b, other)].into_iter().filter_map(|(account, here)| here.then_some(account)) {
                    self.enter_pool(account);
                }
                return;
            }
        }
        let match_id = sources.match_id();
        let (Some(one), Some(other)) = (self.take_waiting(a, &match_id), self.take_waiting(b, &match_id)) else { return };
        let a_offers = sources.coin();
        self.matches.insert(match_id.clone(), Meeting::new([(a, one), (b, other)], a_offers));
        out.push(Output::Commit { pair: RunningMatch { id: match_id, a, b, a_offers, friends: false } });
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

    /// Whom this person is not offered for a while, and until when.
    fn left_in_peace(&self, account: AccountId) -> impl Iterator<Item = (AccountId, u64)> {
        self.declined.iter().filter_map(move |((a, b), until)| match (*a == account, *b == account) {
            (true, _) => Some((*b, *until)),
            (_, true) => Some((*a, *until)),
            _ => None,
        })
    }
}

fn news(pool: &matching::Pool, waiter: &matching::Waiter, now_ms: u64) -> ServerMessage {
    let words = |list: Vec<&'static str>| list.into_iter().map(String::from).collect();
    ServerMessage::Waiting {
        waited_s: u32::try_from(now_ms.saturating_sub(waiter.since_ms) / 1000).unwrap_or(u32::MAX),
        looking_for: words(pool.looking_for(waiter)),
        relaxed: words(pool.relaxed(waiter, now_ms)),
        estimate_s: pool.estimate_ms(waiter.id, now_ms).and_then(|left| u32::try_from(left.div_ceil(1000).max(1)).ok()),
        widening: pool.widening(waiter, now_ms).map(|matching::Widening { languages, any_age }| Widening { languages, any_age }),
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

//! All who wait, and the choice among them.
//!
//! Everybody has a price: what a newcomer of the same segment usually finds, falling with the wait. A pair is taken when the chance
//! that both want to meet again covers both prices (the dual of a maximum-weight matching, kept by running means). What is found
//! in one tick competes by surplus, then pairs exchange partners where that is worth more together.
//!
//! Each tick looks again at those who are due, at first every tick, then less often: whoever comes later looks at them.

mod choose;

use crate::cells::{Best, Centres, Entry, LanguageCells, NO_CENTRE, Places, moved};
use crate::chance::{Chance, mix};
use crate::interests::Interests;
use crate::model::{Model, OWN, Outcome, own_facts};
use crate::names::Names;
use crate::waits::Segment;
use crate::{MOST_CONDUCT, NotTogether, PersonId, Waiter};
use std::collections::{BTreeMap, VecDeque};

#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Entries that one look reads, however many wait.
    pub probe: usize,
    /// Candidates kept of a look.
    pub keep: usize,
    /// The price falls by four spreads of what people find in this time.
    pub patience_ms: f32,
    /// Spreads above the usual that a newcomer asks.
    pub hold_out: f32,
    /// What somebody who waited for `patience_ms` pays for a match, as a chance. Without it those whose past
    /// speaks against them would wait until everybody else has waited too.
    pub urge: f32,
    /// By which power of the wait that grows: the higher, the less it matters to those who wait shortly.
    pub urge_power: f32,
    /// How much of the expectation is what the person's own first look found, from 0 to 1; the rest is what the segment does.
    pub own_look: f32,
    /// Rounds of exchanging partners.
    pub exchanges: usize,
    /// Looks in one tick, so that a tick stays short; the rest is for the next one, which [`Pool::is_behind`] asks for at once.
    pub looks: usize,
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            probe: 192,
            keep: 12,
            patience_ms: 5_600.0,
            hold_out: 0.25,
            urge: 0.1,
            urge_power: 12.0,
            own_look: 0.0,
            exchanges: 3,
            looks: 1_000,
            seed: 5,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    pub a: PersonId,
    pub b: PersonId,
    /// That both want to meet again, as the matcher believes.
    pub chance: f32,
}

/// What a pairing reads of somebody: one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Hot {
    entry: Entry,
    /// A bit for each of those to be kept apart from, and the own bit: without a common bit nothing needs to be looked up.
    apart: u64,
    bit: u64,
    since_ms: u64,
    /// Log odds expected of a partner; without a choice nothing is.
    expects: f32,
    spread: f32,
}

#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) id: PersonId,
    live: bool,
    /// Tells who sits here from who sat here before.
    generation: u32,
    apart: Vec<PersonId>,
    pub(crate) places: Vec<Places>,
    cell: usize,
    words: Vec<u32>,
    pub(crate) segment: (u16, bool),
    looks: u32,
    /// Log odds of the best that the first look found, the own ease taken out; minus infinity while nobody was there.
    first_look: f32,
    /// Candidates of the latest look.
    pub(crate) choices: usize,
}

const NOBODY: u32 = u32::MAX;
const MOST_LANGUAGES: u16 = 1024;
const EXAMPLES: usize = 20_000;

pub struct Pool {
    settings: Settings,
    model: Model,
    interests: Interests,
    centres: Centres,
    pub(crate) languages: Names,
    cities: Names,
    games: Names,
    pub(crate) cells: Vec<LanguageCells>,
    hot: Vec<Hot>,
    pub(crate) slots: Vec<Slot>,
    free: Vec<u32>,
    pub(crate) who: BTreeMap<PersonId, u32>,
    segments: BTreeMap<(u16, bool), Segment>,
    /// Slots with their generation, by ticks from now.
    wheel: VecDeque<Vec<(u32, u32)>>,
    /// Due, longest first.
    due: VecDeque<(u32, u32)>,
    /// The latest tick left somebody due.
    behind: bool,
    chance: Chance,
    best: Best,
    mates: Vec<(u32, f32)>,
}

impl Default for Pool {
    fn default() -> Self {
        Self::new(Settings::default(), Model::default())
    }
}

impl Pool {
    pub fn new(settings: Settings, model: Model) -> Self {
        Self {
            model,
            interests: Interests::default(),
            centres: Centres::anywhere(),
            languages: Names::new(MOST_LANGUAGES),
            cities: Names::new(u16::MAX),
            games: Names::new(32),
            cells: Vec::new(),
            hot: Vec::new(),
            slots: Vec::new(),
            free: Vec::new(),
            who: BTreeMap::new(),
            segments: BTreeMap::new(),
            wheel: (0..8).map(|_| Vec::new()).collect(),
            due: VecDeque::new(),
            behind: false,
            chance: Chance::new(settings.seed),
            best: Best::default(),
            mates: Vec::new(),
            settings,
        }
    }

    pub fn len(&self) -> usize {
        self.who.len()
    }

    pub fn is_empty(&self) -> bool {
        self.who.is_empty()
    }

    pub fn model(&self) -> &Model {
        &self.model
    }

    pub fn waits(&self, id: PersonId) -> bool {
        self.who.contains_key(&id)
    }

    /// Whoever waits already has the new facts, and keeps the time that `waiter` says.
    pub fn join(&mut self, waiter: &Waiter) -> Result<(), NotTogether> {
        self.leave(waiter.id);
        if !waiter.adult {
            return Err(NotTogether::NotAdult);
        }
        let words = self.interests.read(&waiter.interests.value);
        self.interests.note(&words);
        if self.interests.fit_is_due() {
            self.fit_interests();
        }
        let (mut entry, _) = self.entry(waiter, &words);
        let spoken: Vec<u16> = waiter.spoken().filter_map(|language| self.languages.number(language)).collect();
        let Some(main) = spoken.first().copied() else { return Err(NotTogether::NoCommonLanguage) };
        let at = self.free.pop().unwrap_or(self.slots.len() as u32);
        entry.slot = at;
        let apart: Vec<PersonId> = waiter.recent.iter().chain(&waiter.blocked).copied().collect();
        let hot = Hot {
            entry,
            apart: apart.iter().fold(0, |bits, id| bits | bit(*id)),
            bit: bit(waiter.id),
            since_ms: waiter.since_ms,
            expects: f32::NEG_INFINITY,
            spread: 0.0,
        };
        let slot = Slot {
            id: waiter.id,
            live: true,
            generation: self.slots.get(at as usize).map_or(0, |slot| slot.generation),
            apart,
            places: Vec::with_capacity(spoken.len()),
            cell: 0,
            words,
            segment: (main, entry.has_interests()),
            looks: 0,
            first_look: f32::NEG_INFINITY,
            choices: 0,
        };
        self.who.insert(waiter.id, at);
        self.due.push_back((at, slot.generation));
        if at as usize == self.slots.len() {
            self.hot.push(hot);
            self.slots.push(slot);
            self.mates.push((NOBODY, 0.0));
        } else {
            self.hot[at as usize] = hot;
            self.slots[at as usize] = slot;
        }
        self.settle(at, &spoken);
        Ok(())
    }

    pub fn leave(&mut self, id: PersonId) {
        if let Some(at) = self.who.remove(&id) {
            self.take_out(at);
            let slot = &mut self.slots[at as usize];
            slot.live = false;
            slot.generation = slot.generation.wrapping_add(1);
            self.free.push(at);
        }
    }

    /// From now on, for as long as both wait.
    pub fn keep_apart(&mut self, a: PersonId, b: PersonId) {
        for (one, other) in [(a, b), (b, a)] {
            if let Some(at) = self.who.get(&one) {
                self.slots[*at as usize].apart.push(other);
                self.hot[*at as usize].apart |= bit(other);
            }
        }
    }

    /// What became of two who were matched; `a` and `b` as they waited.
    pub fn learn(&mut self, a: &Waiter, b: &Waiter, outcome: &Outcome) {
        let [(one, own), (other, others)] = [a, b].map(|waiter| {
            let words = self.interests.read(&waiter.interests.value);
            self.entry(waiter, &words)
        });
        self.model.learn((&one, &own), (&other, &others), outcome);
    }

    /// Takes note of somebody's interests before anybody waits, so that the first evening knows which lie near each other.
    pub fn acquaint(&mut self, interests: &[String]) {
        let words = self.interests.read(interests);
        self.interests.note(&words);
        if self.interests.fit_is_due() {
            self.fit_interests();
        }
    }

    /// What a pair of waiting people is worth; `None` where they must not meet.
    pub fn worth(&self, a: PersonId, b: PersonId) -> Option<f32> {
        let (a, b) = (*self.who.get(&a)?, *self.who.get(&b)?);
        let common = |place: &Places| self.slots[b as usize].places.iter().any(|other| other.language == place.language);
        (a != b && self.allowed(a, b) && self.slots[a as usize].places.iter().any(common)).then(|| self.pair_chance(a, b))
    }

    pub(crate) fn segment(&self, at: u32) -> Option<&Segment> {
        self.segments.get(&self.slots[at as usize].segment)
    }

    pub(crate) fn since_ms(&self, at: u32) -> u64 {
        self.hot[at as usize].since_ms
    }

    /// By how much the expectations of somebody who waits have fallen, in log odds.
    pub(crate) fn fallen(&self, at: u32, now_ms: u64) -> f32 {
        let hot = &self.hot[at as usize];
        let share = now_ms.saturating_sub(hot.since_ms) as f32 / self.settings.patience_ms;
        share * (3.0 + share) * hot.spread.max(LEAST_SPREAD)
    }

    fn entry(&mut self, waiter: &Waiter, words: &[u32]) -> (Entry, [f32; OWN]) {
        let own = own_facts(&waiter.log, waiter.conduct.min(MOST_CONDUCT) as f32 / MOST_CONDUCT as f32);
        let games = waiter.games.value.iter().filter_map(|game| self.games.number(game));
        let entry = Entry {
            interests: self.interests.direction(words).map(|x| (x * 127.0).round() as i8),
            slot: NOBODY,
            games: games.fold(0, |bits, game| bits | 1 << (game - 1)),
            ease: self.model.ease(&own),
            city: self.cities.number(&waiter.city.value).unwrap_or(0),
            age: if waiter.widened.any_age { 0 } else { waiter.age.value.unwrap_or(0) },
            flags: if words.is_empty() { 0 } else { Entry::HAS_INTERESTS },
        };
        (entry, own)
    }

    fn settle(&mut self, at: u32, spoken: &[u16]) {
        let entry = self.hot[at as usize].entry;
        let slot = &mut self.slots[at as usize];
        slot.cell = if entry.has_interests() { self.centres.nearest(&self.interests.direction(&slot.words)) } else { NO_CENTRE };
        for language in spoken {
            if self.cells.len() <= usize::from(*language) {
                self.cells.resize_with(usize::from(*language) + 1, LanguageCells::default);
            }
            if slot.places.iter().all(|places| places.language != *language) {
                slot.places.push(self.cells[usize::from(*language)].insert(*language, slot.cell, entry));
            }
        }
    }

    fn take_out(&mut self, at: u32) {
        let cell = self.slots[at as usize].cell;
        let city = self.hot[at as usize].entry.city;
        let own = std::mem::take(&mut self.slots[at as usize].places);
        for places in &own {
            let gaps = self.cells[usize::from(places.language)].remove(places, cell, city);
            for (which, slot, to) in gaps.into_iter().flatten() {
                moved(&mut self.slots[slot as usize].places, places.language, which, to);
            }
        }
    }

    /// Everybody who waits is put where the newly learnt interests want them.
    fn fit_interests(&mut self) {
        self.interests.fit();
        self.centres = Centres::fit(&self.interests.examples(EXAMPLES));
        let all: Vec<u32> = self.who.values().copied().collect();
        for at in all {
            let spoken: Vec<u16> = self.slots[at as usize].places.iter().map(|places| places.language).collect();
            self.take_out(at);
            let direction = self.interests.direction(&self.slots[at as usize].words);
            self.hot[at as usize].entry.interests = direction.map(|x| (x * 127.0).round() as i8);
            self.settle(at, &spoken);
        }
    }

    fn allowed(&self, a: u32, b: u32) -> bool {
        let (one, other) = (&self.hot[a as usize], &self.hot[b as usize]);
        if one.apart & other.bit == 0 && other.apart & one.bit == 0 {
            return true;
        }
        let (one, other) = (&self.slots[a as usize], &self.slots[b as usize]);
        !one.apart.contains(&other.id) && !other.apart.contains(&one.id)
    }

    fn pair_chance(&self, a: u32, b: u32) -> f32 {
        Model::chance(self.model.odds(&self.hot[a as usize].entry, &self.hot[b as usize].entry))
    }
}

/// In log odds: even where all are alike the price falls.
const LEAST_SPREAD: f32 = 0.1;

fn bit(id: PersonId) -> u64 {
    1 << (mix(id.0 as u64 ^ (id.0 >> 64) as u64) & 63)
}

#[cfg(test)]
#[path = "pool/tests.rs"]
mod tests;

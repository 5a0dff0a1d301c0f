//! Where people wait: small entries in contiguous cells, by (language, interests), by (language, city) and by language, so that a
//! probe reads memory in sequence and joining and leaving cost the same however many wait.

use crate::chance::Chance;
use crate::interests::{AXES, Direction, add, dot, scaled};
use crate::model::Model;
use std::collections::BTreeMap;

pub const CENTRES: usize = 64;
/// The cell of those who name no interests.
pub const NO_CENTRE: usize = CENTRES;
const CENTRE_ROUNDS: usize = 8;

/// What a pair is judged by; half a cache line.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(32))]
pub struct Entry {
    /// In 127ths.
    pub interests: [i8; AXES],
    pub slot: u32,
    /// A bit for each game liked.
    pub games: u32,
    /// What the person's past brings to any pair, in log odds.
    pub ease: f32,
    /// 0: unknown.
    pub city: u16,
    /// In years; 0: unknown.
    pub age: u8,
    pub flags: u8,
}

impl Entry {
    pub const HAS_INTERESTS: u8 = 1;

    #[inline]
    pub fn has_interests(&self) -> bool {
        self.flags & Self::HAS_INTERESTS != 0
    }
}

/// Somebody's places in the lists of one language: by interests, all, by city.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    pub language: u16,
    at: [u32; 3],
}

const BY_INTERESTS: usize = 0;
const ALL: usize = 1;
const BY_CITY: usize = 2;

/// All who speak one language.
#[derive(Clone, Debug, Default)]
pub struct LanguageCells {
    all: Vec<Entry>,
    /// Empty, or one for each centre and one for those without interests.
    by_interests: Vec<Vec<Entry>>,
    by_city: BTreeMap<u16, Vec<Entry>>,
}

/// The entry that another took the place of: in which list, who, where now.
pub type Moved = Option<(usize, u32, u32)>;

impl LanguageCells {
    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn insert(&mut self, language: u16, cell: usize, entry: Entry) -> Places {
        if self.by_interests.is_empty() {
            self.by_interests = vec![Vec::new(); CENTRES + 1];
        }
        let put = |list: &mut Vec<Entry>| {
            list.push(entry);
            list.len() as u32 - 1
        };
        let by_city = if entry.city == 0 { 0 } else { put(self.by_city.entry(entry.city).or_default()) };
        Places { language, at: [put(&mut self.by_interests[cell]), put(&mut self.all), by_city] }
    }

    pub fn remove(&mut self, places: &Places, cell: usize, city: u16) -> [Moved; 3] {
        let take = |which: usize, list: &mut Vec<Entry>| {
            let at = places.at[which];
            list.swap_remove(at as usize);
            list.get(at as usize).map(|moved| (which, moved.slot, at))
        };
        let mut moved = [take(BY_INTERESTS, &mut self.by_interests[cell]), take(ALL, &mut self.all), None];
        if city != 0
            && let Some(list) = self.by_city.get_mut(&city)
        {
            moved[2] = take(BY_CITY, list);
            if list.is_empty() {
                self.by_city.remove(&city);
            }
        }
        if self.all.is_empty() {
            *self = Self::default();
        }
        moved
    }

    /// Reads about `budget` entries: all of them where there are no more, else most from the cells nearest in interests, some of
    /// the same city, and the rest from anywhere.
    pub fn probe(&self, me: &Entry, near: &[u8], budget: usize, chance: &mut Chance, model: &Model, best: &mut Best) {
        if self.all.len() <= budget {
            scan(&self.all, 0, self.all.len(), me, model, best);
            return;
        }
        let mut read = 0;
        let mut some = |list: &[Entry], most: usize| {
            let count = most.min(list.len());
            if count > 0 {
                scan(list, chance.below(list.len()), count, me, model, best);
            }
            read += count;
            read
        };
        for (cell, percent) in near.iter().zip([50, 15, 10]) {
            some(&self.by_interests[usize::from(*cell)], budget * percent / 100);
        }
        if let Some(list) = self.by_city.get(&me.city) {
            some(list, budget * 15 / 100);
        }
        let rest = budget.saturating_sub(some(&[], 0));
        some(&self.all, rest);
    }
}

/// Somebody moved within a list of this language.
pub fn moved(places: &mut [Places], language: u16, which: usize, at: u32) {
    if let Some(places) = places.iter_mut().find(|places| places.language == language) {
        places.at[which] = at;
    }
}

fn scan(list: &[Entry], start: usize, count: usize, me: &Entry, model: &Model, best: &mut Best) {
    let first = &list[start..(start + count).min(list.len())];
    for other in first.iter().chain(&list[..count - first.len()]) {
        let odds = model.odds(me, other);
        if odds > best.least && other.slot != me.slot {
            best.put(odds, other.slot);
        }
    }
}

/// The best so far, by log odds.
#[derive(Clone, Debug, Default)]
pub struct Best {
    pub found: Vec<(f32, u32)>,
    least: f32,
    most: usize,
}

impl Best {
    pub fn start(&mut self, most: usize) {
        self.found.clear();
        self.least = f32::NEG_INFINITY;
        self.most = most;
    }

    fn put(&mut self, odds: f32, slot: u32) {
        self.found.push((odds, slot));
        if self.found.len() >= 3 * self.most {
            let most = self.most;
            self.found.select_nth_unstable_by(most, better);
            self.found.truncate(most);
            self.least = self.found.iter().fold(f32::INFINITY, |least, one| least.min(one.0));
        }
    }

    /// Best first, each once.
    pub fn settle(&mut self) {
        self.found.sort_unstable_by(better);
        self.found.dedup_by_key(|one| one.1);
    }
}

fn better(a: &(f32, u32), b: &(f32, u32)) -> std::cmp::Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

/// Middles of interests, and for each of them the others by nearness, itself first.
#[derive(Clone, Debug)]
pub struct Centres {
    centres: Vec<Direction>,
    near: Vec<[u8; CENTRES]>,
}

impl Centres {
    pub fn anywhere() -> Self {
        let mut chance = Chance::new(11);
        Self::with((0..CENTRES).map(|_| scaled(std::array::from_fn(|_| chance.signed()), 1.0)).collect())
    }

    /// K-means on the sphere.
    pub fn fit(examples: &[Direction]) -> Self {
        if examples.is_empty() {
            return Self::anywhere();
        }
        let mut chance = Chance::new(11);
        let pick = |_| scaled(examples[chance.below(examples.len())], 1.0);
        let mut of = Self { centres: (0..CENTRES).map(pick).collect(), near: Vec::new() };
        for _ in 0..CENTRE_ROUNDS {
            let mut sums = vec![[0.0; AXES]; CENTRES];
            for example in examples {
                add(&mut sums[of.nearest(example)], example, 1.0);
            }
            for (centre, sum) in of.centres.iter_mut().zip(sums) {
                if dot(&sum, &sum) > 0.0 {
                    *centre = scaled(sum, 1.0);
                }
            }
        }
        Self::with(of.centres)
    }

    fn with(centres: Vec<Direction>) -> Self {
        let near = |of: &Direction| {
            let mut order: [u8; CENTRES] = std::array::from_fn(|at| at as u8);
            order.sort_by(|a, b| dot(&centres[usize::from(*b)], of).total_cmp(&dot(&centres[usize::from(*a)], of)));
            order
        };
        Self { near: centres.iter().map(near).collect(), centres }
    }

    pub fn nearest(&self, to: &Direction) -> usize {
        let mut best = (f32::NEG_INFINITY, 0);
        for (at, centre) in self.centres.iter().enumerate() {
            let product = dot(centre, to);
            if product > best.0 {
                best = (product, at);
            }
        }
        best.1
    }

    /// Cells to look into; none for those without interests.
    pub fn near(&self, cell: usize) -> &[u8] {
        self.near.get(cell).map_or(&[], |order| &order[..3])
    }
}

#[cfg(test)]
#[path = "cells_tests.rs"]
mod tests;

//! A bad network in virtual time: loses, repeats, delays and thereby reorders, by a seed.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    pub lose_percent: u32,
    pub twice_percent: u32,
    /// At most.
    pub late_ms: u64,
}

pub struct Net {
    random: StdRng,
    faults: Faults,
    /// By when it is due, and in which order it was sent.
    under_way: BTreeMap<(u64, u64), (String, Vec<u8>)>,
    sent: u64,
    /// Nothing goes through.
    pub down: bool,
}

impl Net {
    pub fn new(seed: u64, faults: Faults) -> Self {
        Self { random: StdRng::seed_from_u64(seed), faults, under_way: BTreeMap::new(), sent: 0, down: false }
    }

    pub fn calm(&mut self) {
        self.faults = Faults::default();
    }

    /// When each copy of the next thing sent arrives.
    pub fn delays(&mut self) -> Vec<u64> {
        let times = if self.random.random_ratio(self.faults.twice_percent, 100) { 2 } else { 1 };
        let mut delays = Vec::new();
        for _ in 0..times {
            if !self.down && !self.random.random_ratio(self.faults.lose_percent, 100) {
                delays.push(self.random.random_range(0..=self.faults.late_ms));
            }
        }
        delays
    }

    pub fn send(&mut self, now_ms: u64, to: &str, bytes: Vec<u8>) {
        for late in self.delays() {
            self.sent += 1;
            self.under_way.insert((now_ms + late, self.sent), (to.to_owned(), bytes.clone()));
        }
    }

    pub fn due(&mut self, now_ms: u64) -> Vec<(String, Vec<u8>)> {
        let later = self.under_way.split_off(&(now_ms + 1, 0));
        std::mem::replace(&mut self.under_way, later).into_values().collect()
    }
}

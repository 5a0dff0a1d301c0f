//! How likely two people are to want to meet again, as the service's own log teaches it.
//!
//! The log odds that one of two wants to follow the other are a sum: what they have in common, and what past meetings say of
//! either. [`Model::learn`] moves the weights after each meeting (logistic regression, one step each, AdaGrad). The score of a
//! pair is the chance that both want to: the square of the chance of one, as what they have in common is the same for both.
//! The star sign never counts.

mod written;

use crate::cells::Entry;
use crate::interests::AXES;
use crate::person::Log;

/// Years apart from which on it makes no difference any more.
const MOST_YEARS_APART: f32 = 30.0;

/// Weights stay within this on either side of 0.
const MOST_WEIGHT: f32 = 8.0;
const FIRST_PACE: f32 = 30.0;

/// What is common to two.
pub const COMMON: usize = 9;
/// What the log says of one.
pub const OWN: usize = 7;

/// Names of [`Model::common`], in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Common {
    /// A constant.
    Base,
    Interests,
    InterestsUnknown,
    GameInCommon,
    Games,
    GamesUnknown,
    City,
    Age,
    AgeUnknown,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub common: [f32; COMMON],
    /// Of the one who decides.
    pub judging: [f32; OWN],
    /// Of the one decided about.
    pub judged: [f32; OWN],
    /// Sums of squared slopes.
    pace: [f32; COMMON + 2 * OWN],
}

/// Before anything is learnt: interests before age, age before city and games, and poor conduct against.
impl Default for Model {
    fn default() -> Self {
        Self {
            common: [-1.6, 1.6, 0.4, 0.3, 0.3, 0.2, 0.3, 0.8, 0.3],
            judging: [0.2, -0.5, 0.0, 0.8, 0.0, 0.0, 0.0],
            judged: [0.2, 0.0, -0.5, 0.0, 0.8, -2.0, -0.5],
            pace: [FIRST_PACE; COMMON + 2 * OWN],
        }
    }
}

/// How a meeting ended, as the server saw it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    pub seconds: f32,
    /// The first, or the second, left within seconds.
    pub left_early: [bool; 2],
    /// Each wants to follow the other.
    pub follow: [bool; 2],
    pub reported: [bool; 2],
}

/// Shrunk averages, so that a newcomer is neither favoured nor buried; about 0 for the average person.
pub fn own_facts(log: &Log, conduct: f32) -> [f32; OWN] {
    let sessions = log.sessions as f32;
    let rate = |count: u32, usual: f32, weight: f32| (count as f32 + weight * usual) / (sessions + weight) - usual;
    let seconds = (log.seconds.min(3600.0 * sessions) + 4.0 * 150.0) / (sessions + 4.0);
    [
        (seconds / 300.0).min(1.5) - 0.5,
        rate(log.left_early, 0.25, 4.0),
        rate(log.was_left_early, 0.25, 4.0),
        rate(log.followed, 0.2, 4.0),
        rate(log.was_followed, 0.2, 4.0),
        rate(log.reports, 0.02, 4.0),
        conduct,
    ]
}

impl Model {
    pub fn weight(&self, of: Common) -> f32 {
        self.common[of as usize]
    }

    /// What somebody brings to any pair: the half of judging and being judged.
    pub fn ease(&self, own: &[f32; OWN]) -> f32 {
        let sum: f32 = own.iter().zip(self.judging.iter().zip(&self.judged)).map(|(x, (a, b))| x * (a + b)).sum();
        sum / 2.0
    }

    /// Log odds that the one wants to follow the other, on the average of the two directions.
    #[inline]
    pub fn odds(&self, a: &Entry, b: &Entry) -> f32 {
        let mut sum = self.common[0] + a.ease + b.ease;
        let product: i32 = (0..AXES).map(|axis| i32::from(a.interests[axis]) * i32::from(b.interests[axis])).sum();
        let known = a.has_interests() & b.has_interests();
        sum += if known { self.common[1] * product as f32 * (1.0 / (127.0 * 127.0)) } else { self.common[2] };
        let (both, either) = ((a.games & b.games).count_ones(), (a.games | b.games).count_ones());
        sum += if a.games == 0 || b.games == 0 {
            self.common[5]
        } else {
            self.common[3] * f32::from(u8::from(both > 0)) + self.common[4] * both as f32 / either as f32
        };
        sum += if a.city == b.city && a.city != 0 { self.common[6] } else { 0.0 };
        sum + if a.age == 0 || b.age == 0 { self.common[8] } else { self.common[7] * nearness(a.age, b.age) }
    }

    /// The chance that both want to follow each other.
    #[inline]
    pub fn chance(odds: f32) -> f32 {
        let one = 1.0 / (1.0 + (-odds).exp());
        one * one
    }

    fn common_facts(a: &Entry, b: &Entry) -> [f32; COMMON] {
        // The sum is linear in the weights, so each fact is the sum with that weight alone.
        let only = |which: usize| Self {
            common: std::array::from_fn(|at| f32::from(u8::from(at == which))),
            judging: [0.0; OWN],
            judged: [0.0; OWN],
            pace: [0.0; COMMON + 2 * OWN],
        };
        let (a, b) = (Entry { ease: 0.0, ..*a }, Entry { ease: 0.0, ..*b });
        std::array::from_fn(|which| only(which).odds(&a, &b))
    }

    pub fn learn(&mut self, a: (&Entry, &[f32; OWN]), b: (&Entry, &[f32; OWN]), outcome: &Outcome) {
        let common = Self::common_facts(a.0, b.0);
        self.step(&common, a.1, b.1, outcome.follow[0]);
        self.step(&common, b.1, a.1, outcome.follow[1]);
    }

    fn step(&mut self, common: &[f32; COMMON], judging: &[f32; OWN], judged: &[f32; OWN], follows: bool) {
        let facts = || common.iter().chain(judging).chain(judged);
        let weights = || self.common.iter().chain(&self.judging).chain(&self.judged);
        let odds: f32 = facts().zip(weights()).map(|(x, w)| x * w).sum();
        let error = f32::from(u8::from(follows)) - 1.0 / (1.0 + (-odds).exp());
        let weights = self.common.iter_mut().chain(&mut self.judging).chain(&mut self.judged);
        for ((weight, pace), fact) in weights.zip(&mut self.pace).zip(facts().copied()) {
            let slope = error * fact;
            *pace += slope * slope;
            *weight = (*weight + 0.5 * slope / pace.sqrt()).clamp(-MOST_WEIGHT, MOST_WEIGHT);
        }
    }
}

/// 1 for the same age, 0 from [`MOST_YEARS_APART`] on.
fn nearness(a: u8, b: u8) -> f32 {
    (1.0 - f32::from(a.abs_diff(b)) / MOST_YEARS_APART).max(0.0)
}

#[cfg(test)]
#[path = "model/tests.rs"]
mod tests;

//! The rules that are compared, as the referee sees them.

use std::collections::{BTreeMap, VecDeque};
use visavis_matching::{Model, Outcome, PersonId, Pool, Settings, Waiter, may_meet};

pub trait Rule {
    fn join(&mut self, waiter: &Waiter);
    fn leave(&mut self, id: PersonId);
    fn tick(&mut self, now_ms: u64, pairs: &mut Vec<(PersonId, PersonId)>);
    fn learn(&mut self, _a: &Waiter, _b: &Waiter, _outcome: &Outcome) {}
    fn keep_apart(&mut self, a: PersonId, b: PersonId);
    fn period_ms(&self) -> u64;
}

/// First come, first served: nothing is known of anybody but the rules.
#[derive(Default)]
pub struct FirstCome {
    queue: VecDeque<PersonId>,
    who: BTreeMap<PersonId, Waiter>,
}

impl Rule for FirstCome {
    fn join(&mut self, waiter: &Waiter) {
        self.queue.push_back(waiter.id);
        self.who.insert(waiter.id, waiter.clone());
    }

    fn leave(&mut self, id: PersonId) {
        self.queue.retain(|other| *other != id);
        self.who.remove(&id);
    }

    fn tick(&mut self, _now_ms: u64, pairs: &mut Vec<(PersonId, PersonId)>) {
        let mut at = 0;
        while at < self.queue.len() {
            let one = self.queue[at];
            let fits = |other: &PersonId| may_meet(&self.who[&one], &self.who[other]).is_ok();
            match (at + 1..self.queue.len()).find(|other| fits(&self.queue[*other])) {
                Some(other) => {
                    let other = self.queue.remove(other).expect("found there");
                    self.queue.remove(at);
                    self.who.remove(&one);
                    self.who.remove(&other);
                    pairs.push((one, other));
                }
                None => at += 1,
            }
        }
    }

    fn keep_apart(&mut self, a: PersonId, b: PersonId) {
        if let Some(waiter) = self.who.get_mut(&a) {
            waiter.blocked.push(b);
        }
    }

    fn period_ms(&self) -> u64 {
        100
    }
}

/// The project's own.
pub struct Ours(pub Pool);

impl Ours {
    pub fn new(settings: Settings) -> Self {
        Self(Pool::new(settings, Model::default()))
    }
}

impl Rule for Ours {
    fn join(&mut self, waiter: &Waiter) {
        self.0.join(waiter).expect("everybody in town may");
    }

    fn leave(&mut self, id: PersonId) {
        self.0.leave(id);
    }

    fn tick(&mut self, now_ms: u64, pairs: &mut Vec<(PersonId, PersonId)>) {
        loop {
            pairs.extend(self.0.tick(now_ms).into_iter().map(|pair| (pair.a, pair.b)));
            if !self.0.is_behind() {
                break;
            }
        }
    }

    fn learn(&mut self, a: &Waiter, b: &Waiter, outcome: &Outcome) {
        self.0.learn(a, b, outcome);
    }

    fn keep_apart(&mut self, a: PersonId, b: PersonId) {
        self.0.keep_apart(a, b);
    }

    fn period_ms(&self) -> u64 {
        250
    }
}

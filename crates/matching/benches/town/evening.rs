//! The queue over time: arrivals (Poisson), patience, meetings, coming back. The referee looks after the rules and keeps count.

use crate::chance::Dice;
use crate::rules::Rule;
use crate::world::World;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use visavis_matching::{Outcome, PersonId, Waiter};

#[derive(Clone, Copy)]
pub struct Load {
    pub seed: u64,
    pub arrivals_per_s: f64,
    pub seconds: f64,
    pub warm_up: f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Away,
    Waiting,
    Meeting,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrive,
    Tick,
    GiveUp(usize, u32),
    End(usize),
    Join(usize),
}

#[derive(Default)]
pub struct Result {
    pub sessions: usize,
    pub joins: usize,
    pub gave_up: usize,
    pub mutual: f64,
    pub waits: Vec<f64>,
    pub waits_without_interests: Vec<f64>,
    pub repeats: usize,
    pub blocked: usize,
    pub wrong: usize,
    pub left_early: usize,
}

struct Meeting {
    a: Waiter,
    b: Waiter,
    outcome: Outcome,
}

pub struct Evening<'a> {
    load: Load,
    world: &'a mut World,
    rule: &'a mut dyn Rule,
    dice: Dice,
    places: Vec<Place>,
    tickets: Vec<u32>,
    blocks: BTreeSet<(PersonId, PersonId)>,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    count: u64,
    meetings: BTreeMap<usize, Meeting>,
    result: Result,
}

const RECENT: usize = 16;

impl<'a> Evening<'a> {
    pub fn run(load: Load, world: &'a mut World, rule: &'a mut dyn Rule) -> Result {
        let people = world.people.len();
        let mut evening = Self {
            dice: Dice::new(load.seed ^ 0xabcd_ef00),
            places: vec![Place::Away; people],
            tickets: vec![0; people],
            blocks: BTreeSet::new(),
            events: BinaryHeap::new(),
            count: 0,
            meetings: BTreeMap::new(),
            result: Result::default(),
            load,
            world,
            rule,
        };
        evening.at(0.0, Event::Arrive);
        evening.at(evening.rule.period_ms() as f64 / 1000.0, Event::Tick);
        while let Some(Reverse((at, _, event))) = evening.events.pop() {
            let now = at as f64 / 1e6;
            if now > load.seconds {
                break;
            }
            evening.event(now, event);
        }
        evening.result
    }

    fn at(&mut self, seconds: f64, event: Event) {
        self.count += 1;
        self.events.push(Reverse(((seconds * 1e6) as u64, self.count, event)));
    }

    fn event(&mut self, now: f64, event: Event) {
        match event {
            Event::Arrive => {
                let who = loop {
                    let who = self.dice.below(self.places.len());
                    if self.places[who] == Place::Away {
                        break who;
                    }
                };
                self.join(now, who);
                let next = now + self.dice.exponential(1.0 / self.load.arrivals_per_s);
                self.at(next, Event::Arrive);
            }
            Event::Join(who) if self.places[who] == Place::Away => self.join(now, who),
            Event::Join(_) => {}
            Event::GiveUp(who, ticket) => {
                if self.places[who] == Place::Waiting && self.tickets[who] == ticket {
                    self.places[who] = Place::Away;
                    self.rule.leave(PersonId(who as u128));
                    self.result.gave_up += usize::from(now > self.load.warm_up);
                }
            }
            Event::Tick => self.tick(now),
            Event::End(meeting) => self.end(now, meeting),
        }
    }

    fn join(&mut self, now: f64, who: usize) {
        self.places[who] = Place::Waiting;
        self.tickets[who] += 1;
        self.world.people[who].since_ms = (now * 1000.0) as u64;
        self.result.joins += usize::from(now > self.load.warm_up);
        self.rule.join(&self.world.people[who]);
        let until = now + self.world.patience(who) * (0.5 + self.dice.unit());
        self.at(until, Event::GiveUp(who, self.tickets[who]));
    }

    fn tick(&mut self, now: f64) {
        let mut pairs = Vec::new();
        self.rule.tick((now * 1000.0).round() as u64, &mut pairs);
        for (a, b) in pairs {
            self.pair(now, a, b);
        }
        self.at(now + self.rule.period_ms() as f64 / 1000.0, Event::Tick);
    }

    fn pair(&mut self, now: f64, a: PersonId, b: PersonId) {
        let two = [a.0 as usize, b.0 as usize];
        assert!(
            two[0] != two[1] && two.iter().all(|who| self.places[*who] == Place::Waiting),
            "paired somebody who is not waiting"
        );
        let people = &self.world.people;
        self.result.repeats += usize::from(people[two[0]].recent.contains(&b) || people[two[1]].recent.contains(&a));
        self.result.blocked += usize::from(self.blocks.contains(&(a.min(b), a.max(b))));
        self.result.wrong += usize::from(!self.world.speak_together(two[0], two[1]));
        if now > self.load.warm_up {
            self.result.sessions += 1;
            self.result.mutual += self.world.mutual(two[0], two[1]);
            for who in two {
                let waited = now - people[who].since_ms as f64 / 1000.0;
                self.result.waits.push(waited);
                if people[who].interests.value.is_empty() {
                    self.result.waits_without_interests.push(waited);
                }
            }
        }
        let [one, other] = two.map(|who| people[who].clone());
        let outcome = self.world.meeting(two[0], two[1], &mut self.dice);
        for (who, partner) in [(two[0], b), (two[1], a)] {
            self.places[who] = Place::Meeting;
            let recent = &mut self.world.people[who].recent;
            recent.insert(0, partner);
            recent.truncate(RECENT);
        }
        self.count += 1;
        let number = self.count as usize;
        self.meetings.insert(number, Meeting { a: one, b: other, outcome });
        self.at(now + 1.0 + f64::from(outcome.seconds), Event::End(number));
    }

    fn end(&mut self, now: f64, number: usize) {
        let Some(Meeting { a, b, outcome }) = self.meetings.remove(&number) else { return };
        self.rule.learn(&a, &b, &outcome);
        let early = outcome.left_early.contains(&true);
        self.result.left_early += usize::from(early && now > self.load.warm_up);
        if outcome.reported.contains(&true) {
            self.blocks.insert((a.id.min(b.id), a.id.max(b.id)));
            self.world.people[a.id.0 as usize].blocked.push(b.id);
            self.rule.keep_apart(a.id, b.id);
        }
        for (side, id) in [a.id, b.id].into_iter().enumerate() {
            let who = id.0 as usize;
            self.places[who] = Place::Away;
            self.world.people[who].log.add(&outcome, side);
            if self.dice.happens(if early { 0.75 } else { 0.6 }) {
                self.at(now + 1.0, Event::Join(who));
            }
        }
    }
}

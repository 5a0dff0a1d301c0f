//! A pool that stays as large as it is: whoever meets is replaced at once.

use crate::chance::Dice;
use crate::clock::Cpu;
use crate::report::{Report, percentile};
use crate::rules::Ours;
use visavis_matching::{Pair, PersonId, Settings, Waiter};

const TICK_MS: u64 = 250;
const RECENT: usize = 16;

struct Standing {
    rule: Ours,
    people: Vec<Waiter>,
    dice: Dice,
    away: Vec<usize>,
}

impl Standing {
    fn new(seed: u64, waiting: usize, settings: Settings) -> Self {
        let (mut rule, people, dice) = crate::crowd(seed, waiting, settings);
        for waiter in &people[..waiting] {
            rule.0.join(waiter).expect("everybody in town may");
        }
        let away = (waiting..people.len()).collect();
        Self { rule, people, dice, away }
    }

    /// One tick and the joins of as many as left; CPU seconds of the two.
    fn step(&mut self, now_ms: u64) -> (Vec<Pair>, f64, f64) {
        let cpu = Cpu::start();
        let pairs = self.rule.0.tick(now_ms);
        let ticking = cpu.seconds();
        for pair in &pairs {
            for (id, partner) in [(pair.a, pair.b), (pair.b, pair.a)] {
                let recent = &mut self.people[id.0 as usize].recent;
                recent.insert(0, partner);
                recent.truncate(RECENT);
            }
        }
        let mut joining = Vec::new();
        for _ in 0..2 * pairs.len() {
            let at = self.dice.below(self.away.len());
            let who = self.away.swap_remove(at);
            self.people[who].since_ms = now_ms;
            joining.push(who);
        }
        self.away.extend(pairs.iter().flat_map(|pair| [pair.a, pair.b]).map(|PersonId(id)| id as usize));
        let cpu = Cpu::start();
        for who in joining {
            self.rule.0.join(&self.people[who]).expect("everybody in town may");
        }
        (pairs, ticking, cpu.seconds())
    }
}

pub fn speed(seed: u64, waiting: usize, settings: Settings, least: Option<f64>, report: &mut Report) {
    let mut standing = Standing::new(seed, waiting, settings);
    let (mut pairs, mut cpu, mut now) = (0, 0.0, 0);
    // Every person looked at some times before it counts.
    let (warm_up, steps) = (40, 40 + 400_000 / waiting.max(4_000));
    for step in 0..steps.max(120) {
        // A server that is behind ticks again at once.
        if !standing.rule.0.is_behind() || step % 4 == 0 {
            now += TICK_MS;
        }
        let (found, ticking, joining) = standing.step(now);
        if step >= warm_up {
            pairs += found.len();
            cpu += ticking + joining;
        }
    }
    let name = format!("pairs a second, {waiting} waiting");
    match least {
        Some(least) => report.least(seed, &name, pairs as f64 / cpu, least),
        None => report.figure(seed, &name, pairs as f64 / cpu, None),
    }
}

/// 100,000 wait all the time; at least 2,000 a second join.
pub fn ticks(seed: u64, settings: Settings, report: &mut Report) {
    let mut standing = Standing::new(seed, 100_000, settings);
    let (mut times, mut joined, mut now) = (Vec::new(), 0, 0);
    for step in 0..240 {
        now += TICK_MS;
        let (pairs, ticking, joining) = standing.step(now);
        if step >= 20 {
            times.push((ticking + joining) * 1000.0);
            joined += 2 * pairs.len();
        }
    }
    let seconds = times.len() as f64 * TICK_MS as f64 / 1000.0;
    report.least(seed, "joins a second, 100,000 waiting", joined as f64 / seconds, 2_000.0);
    report.figure(seed, "tick p50 with its joins, ms", percentile(&mut times, 0.5), None);
    report.most(seed, "tick p99 with its joins, ms", percentile(&mut times, 0.99), 50.0);
}

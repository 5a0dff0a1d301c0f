//! The town: people whose liking is known to the referee alone, and the figures of the matcher among them.
//!
//! `cargo xtask bench matching [--json FILE] [--seeds 1,2,3] [--only NAME] [--set NAME=VALUE] [--quick]`. Times are CPU time of this thread.

mod chance;
mod clock;
mod evening;
mod report;
mod rules;
mod standing;
mod world;

use chance::Dice;
use evening::{Evening, Load};
use report::{Report, percentile};
use rules::{FirstCome, Ours, Rule};
use visavis_matching::{PersonId, Settings, Waiter};
use world::World;

/// The service's own past: interests as people wrote them, and what became of earlier meetings.
pub fn remember(world: &mut World, rule: &mut Ours) {
    for waiter in &world.people {
        rule.0.acquaint(&waiter.interests.value);
    }
    for (a, b, outcome) in std::mem::take(&mut world.past) {
        rule.learn(&world.people[a], &world.people[b], &outcome);
        world.people[a].log.add(&outcome, 0);
        world.people[b].log.add(&outcome, 1);
    }
}

struct Flags {
    seeds: Vec<u64>,
    only: Option<String>,
    json: Option<String>,
    quick: bool,
    settings: Settings,
}

fn flags() -> Result<Flags, String> {
    let mut flags = Flags { seeds: vec![1, 2, 3], only: None, json: None, quick: false, settings: Settings::default() };
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{flag} needs a value"));
        match flag.as_str() {
            "--seeds" => {
                let seed = |word: &str| word.parse().map_err(|_| format!("{word:?} is no seed"));
                flags.seeds = value()?.split(',').map(seed).collect::<Result<_, _>>()?;
            }
            "--only" => flags.only = Some(value()?),
            "--json" => flags.json = Some(value()?),
            "--set" => set(&mut flags.settings, &value()?)?,
            "--quick" => flags.quick = true,
            // Cargo says so to every bench.
            "--bench" => {}
            other => return Err(format!("there is no flag {other:?}; known are --seeds, --set, --only, --json and --quick")),
        }
    }
    Ok(flags)
}

/// `NAME=VALUE` of the matcher's settings, to see what each is for.
fn set(settings: &mut Settings, word: &str) -> Result<(), String> {
    let (name, value) = word.split_once('=').ok_or(format!("{word:?} is not NAME=VALUE"))?;
    let number: f32 = value.parse().map_err(|_| format!("{value:?} is no number"))?;
    match name {
        "probe" => settings.probe = number as usize,
        "keep" => settings.keep = number as usize,
        "patience_ms" => settings.patience_ms = number,
        "hold_out" => settings.hold_out = number,
        "urge" => settings.urge = number,
        "urge_power" => settings.urge_power = number,
        "own_look" => settings.own_look = number,
        "exchanges" => settings.exchanges = number as usize,
        "looks" => settings.looks = number as usize,
        other => return Err(format!("there is no setting {other:?}")),
    }
    Ok(())
}

fn main() -> std::process::ExitCode {
    match flags().and_then(|flags| run(&flags)) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("town: {why}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run(flags: &Flags) -> Result<(), String> {
    let mut report = Report::default();
    let wanted = |name: &str| flags.only.as_deref().is_none_or(|only| only == name);
    for seed in &flags.seeds {
        if wanted("evening") {
            evening(*seed, flags.quick, flags.settings, &mut report);
        }
        if wanted("optimum") {
            optimum(*seed, flags.settings, &mut report);
        }
        if wanted("speed") {
            for (people, least) in [(1_000, None), (10_000, Some(20_000.0)), (100_000, Some(15_000.0))] {
                if !(flags.quick && people > 10_000) {
                    standing::speed(*seed, people, flags.settings, least, &mut report);
                }
            }
        }
        if wanted("ticks") && !flags.quick {
            standing::ticks(*seed, flags.settings, &mut report);
        }
    }
    report.finish(flags.json.as_deref())
}

fn evening(seed: u64, quick: bool, settings: Settings, report: &mut Report) {
    let (people, seconds) = if quick { (8_000, 500.0) } else { (20_000, 1_200.0) };
    let load = Load { seed, arrivals_per_s: 20.0, seconds, warm_up: 0.25 * seconds };
    let by_rule = |rule: &mut dyn FnMut(&mut World) -> evening::Result| rule(&mut World::new(seed, people));
    let queue = by_rule(&mut |world| {
        // The log is remembered here too, though the rule asks nobody.
        remember(world, &mut Ours::new(Settings::default()));
        Evening::run(load, world, &mut FirstCome::default())
    });
    let mut learnt = String::new();
    let mut ours = by_rule(&mut |world| {
        let mut rule = Ours::new(settings);
        remember(world, &mut rule);
        let result = Evening::run(load, world, &mut rule);
        learnt = format!("{:.2?}", rule.0.model());
        result
    });
    report.note(seed, &learnt);
    let mean = |result: &evening::Result| result.mutual / result.sessions.max(1) as f64;
    let given_up = |result: &evening::Result| result.gave_up as f64 / result.joins.max(1) as f64;
    report.figure(seed, "mutual liking, first come first served", mean(&queue), None);
    report.figure(seed, "mutual liking", mean(&ours), None);
    report.least(seed, "mutual liking, times first come first served", mean(&ours) / mean(&queue), 2.6);
    let (all_p99, empty_p99) = (percentile(&mut ours.waits, 0.99), percentile(&mut ours.waits_without_interests, 0.99));
    report.most(seed, "wait p50, s", percentile(&mut ours.waits, 0.5), 0.7);
    report.most(seed, "wait p99, s", all_p99, 5.5);
    report.most(seed, "wait p99 without interests, times everybody's", empty_p99 / all_p99, 1.5);
    report.figure(seed, "gave up, share of joins", given_up(&ours), None);
    report.figure(seed, "gave up, share, first come first served", given_up(&queue), None);
    report.figure(seed, "left early, share", ours.left_early as f64 / ours.sessions.max(1) as f64, None);
    report.most(seed, "met again within 16", ours.repeats as f64, 0.0);
    report.most(seed, "blocked pairs", ours.blocked as f64, 0.0);
    report.most(seed, "pairs without a common language", ours.wrong as f64, 0.0);
}

/// 1,000 people at once, paired until nobody is left, against the exact maximum-weight matching of the same worth.
fn optimum(seed: u64, settings: Settings, report: &mut Report) {
    const PEOPLE: usize = 1_000;
    let mut world = World::new(seed, PEOPLE);
    let mut rule = Ours::new(settings);
    remember(&mut world, &mut rule);
    for waiter in &world.people {
        rule.join(waiter);
    }
    let worth = |a: usize, b: usize| rule.0.worth(PersonId(a as u128), PersonId(b as u128));
    let mut edges = Vec::new();
    let mut worths = vec![None; PEOPLE * PEOPLE];
    for a in 0..PEOPLE {
        for b in a + 1..PEOPLE {
            if let Some(worth) = worth(a, b) {
                worths[a * PEOPLE + b] = Some(f64::from(worth));
                edges.push((a, b, (worth * 1e6) as i32));
            }
        }
    }
    let worth_of = |a: usize, b: usize| worths[a.min(b) * PEOPLE + a.max(b)].expect("a pair that may meet");
    let mates = mwmatching::Matching::new(edges).solve();
    let best: f64 = mates.iter().enumerate().filter(|(a, b)| **b < PEOPLE && a < *b).map(|(a, b)| worth_of(a, *b)).sum();
    let (mut pairs, mut now) = (Vec::new(), 0);
    while now < 60_000 {
        now += rule.period_ms();
        rule.tick(now, &mut pairs);
    }
    let ours: f64 = pairs.iter().map(|(a, b)| worth_of(a.0 as usize, b.0 as usize)).sum();
    report.least(seed, "worth at 1,000 waiting, % of the optimum", 100.0 * ours / best, 98.0);
}

/// People of a town twice as large as the pool: half of them wait.
pub fn crowd(seed: u64, waiting: usize, settings: Settings) -> (Ours, Vec<Waiter>, Dice) {
    let mut world = World::new(seed, waiting * 2);
    let mut rule = Ours::new(settings);
    remember(&mut world, &mut rule);
    (rule, world.people, Dice::new(seed ^ 9))
}

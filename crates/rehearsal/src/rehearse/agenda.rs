//! What is due when: the changes of a plan, and faults by its seed.

use super::part::Target;
use super::plan::{Guest, Plan, What};
use crate::rig::scenario::LinkConfig;
use crate::soak::dice::Dice;
use std::fmt;
use std::time::Duration;

#[derive(Clone, Debug)]
pub enum Todo {
    Network(LinkConfig),
    Cameras(String),
    Stop(Target),
    Start(Target),
}

impl fmt::Display for Todo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(link) => write!(f, "the network changes: {link:?}"),
            Self::Cameras(modifier) => write!(f, "all cameras: {modifier}"),
            Self::Stop(target) => write!(f, "{target} is stopped"),
            Self::Start(target) => write!(f, "{target} starts again"),
        }
    }
}

/// What is left to do, by time.
pub struct Agenda(Vec<(Duration, Todo)>);

impl Agenda {
    pub fn of(plan: &Plan, guests: &[Guest]) -> Self {
        let mut todo = Vec::new();
        let mut dice = Dice::new(plan.seed);
        for change in &plan.change {
            let at = Duration::from_secs_f64(change.at_s);
            match &change.what {
                What::Network(link) => todo.push((at, Todo::Network(link.clone()))),
                What::Cameras(modifier) => todo.push((at, Todo::Cameras(modifier.clone()))),
                What::Stop { part, for_s } => {
                    let target = part.choose(plan, guests, &mut dice);
                    todo.extend([(at, Todo::Stop(target)), (at + Duration::from_secs_f64(*for_s), Todo::Start(target))]);
                }
            }
        }
        todo.extend(faults(plan, guests));
        // What is begun at the same time keeps its order.
        todo.sort_by_key(|(at, _)| *at);
        Self(todo)
    }

    pub fn next(&self) -> Option<Duration> {
        self.0.first().map(|(at, _)| *at)
    }

    pub fn take(&mut self, now: Duration) -> Vec<Todo> {
        let due = self.0.iter().take_while(|(at, _)| *at <= now).count();
        self.0.drain(..due).map(|(_, todo)| todo).collect()
    }
}

/// Nothing is stopped twice at the same time.
fn faults(plan: &Plan, guests: &[Guest]) -> Vec<(Duration, Todo)> {
    let Some(faults) = &plan.faults else { return Vec::new() };
    let mut dice = Dice::new(faults.seed.unwrap_or(plan.seed));
    let ms = |seconds: f64| (seconds * 1e3) as u64;
    let (mut todo, mut stopped) = (Vec::new(), Vec::<(Target, u64)>::new());
    let mut at = ms(faults.from_s) + dice.below(ms(faults.every_s));
    while at < ms(faults.to_s.unwrap_or(plan.seconds)) {
        let part = faults.parts[dice.below(faults.parts.len() as u64) as usize];
        let (target, until) =
            (part.choose(plan, guests, &mut dice), at + dice.between(ms(faults.down_s[0]), ms(faults.down_s[1])));
        stopped.retain(|(_, until)| *until >= at);
        if !stopped.iter().any(|(other, _)| *other == target) {
            stopped.push((target, until));
            todo.extend([(at, Todo::Stop(target)), (until, Todo::Start(target))]);
        }
        at += ms(faults.every_s) / 2 + dice.below(ms(faults.every_s)).max(1);
    }
    todo.into_iter().map(|(at, what)| (Duration::from_millis(at), what)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const PLAN: &str =
        "about = \"\"\nseconds = 600\nnodes = 3\n[[people]]\ncount = 4\n[[people]]\nidentity = \"ada\"\nwindow = true\n";

    fn agenda(faults: &str) -> Vec<(Duration, String)> {
        let plan = Plan::parse(&format!("{PLAN}{faults}")).unwrap();
        let agenda = Agenda::of(&plan, &plan.guests().unwrap());
        agenda.0.into_iter().map(|(at, todo)| (at, todo.to_string())).collect()
    }

    #[test]
    fn faults_come_by_their_seed_one_at_a_time_for_each_part_and_all_are_made_good() {
        let faults = |seed| {
            format!(
                "[faults]\nseed = {seed}\nfrom_s = 20\nto_s = 500\nevery_s = 4\n\
                 parts = [\"node\", \"nats\", \"postgres\", \"relay\", \"network\", \"bot\", \"window\"]\n"
            )
        };
        let todo = agenda(&faults(7));
        assert_eq!(todo, agenda(&faults(7)));
        assert_ne!(todo, agenda(&faults(8)));
        let (mut stopped, mut all) = (HashSet::new(), HashSet::new());
        for (at, words) in &todo {
            assert!((20.0..510.0).contains(&at.as_secs_f64()), "{words} at {at:?}");
            if let Some(target) = words.strip_suffix(" is stopped") {
                assert!(stopped.insert(target), "{target} twice");
                all.insert(target);
            } else if let Some(target) = words.strip_suffix(" starts again") {
                assert!(stopped.remove(target), "{target} was not stopped");
            }
        }
        assert!(stopped.is_empty());
        // Three nodes, two engines, the relay, the network, five people.
        assert_eq!(all.len(), 12, "{all:?}");
    }

    #[test]
    fn changes_are_made_good_after_their_time() {
        let todo = agenda("[[change]]\nat_s = 9\nkill = \"node-2\"\nfor_s = 3\n[[change]]\nat_s = 2\noutage_s = 1.5\n");
        let words: Vec<(f64, &str)> = todo.iter().map(|(at, words)| (at.as_secs_f64(), words.as_str())).collect();
        let wanted = [
            (2.0, "the network is stopped"),
            (3.5, "the network starts again"),
            (9.0, "node-2 is stopped"),
            (12.0, "node-2 starts again"),
        ];
        assert_eq!(words, wanted);
    }
}

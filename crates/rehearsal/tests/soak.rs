//! Whole evenings of 200 people in virtual time, and each rule seen to notice what it is for. `VISAVIS_SEED=N` repeats one evening,
//! `VISAVIS_EVENINGS=N` sets how many there are.

use std::time::Instant;
use visavis_rehearsal::soak::judge::Rule;
use visavis_rehearsal::soak::{self, Sabotage, Size};

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

#[test]
fn evenings_keep_every_rule() {
    let only = number("VISAVIS_SEED");
    let evenings = only.map_or_else(|| number("VISAVIS_EVENINGS").unwrap_or(60), |_| 1);
    let begun = Instant::now();
    let first = only.unwrap_or(0);
    let tally = soak::evenings(first..first + evenings, |_, _| {})
        .unwrap_or_else(|failed| panic!("{failed}\nrepeat with VISAVIS_SEED={}", failed.seed));
    println!("{evenings} evenings in {:.1} s: {tally}", begun.elapsed().as_secs_f64());
    let each = |count: usize, least: u64| assert!(count as u64 >= least * evenings, "{count} in {evenings} evenings: {tally}");
    each(tally.calls, 100);
    each(tally.revealed, 40);
    each(tally.papers, 20);
    each(tally.games, 2);
    each(tally.follows, 5);
    each(tally.blocks, 1);
    each(tally.crashes, 1);
    assert!(tally.clear > 1000 * evenings, "{tally}");
}

fn notices(sabotage: Sabotage, rule: Rule) {
    // Few people, and for longer, meet again.
    let (people, seconds) = if sabotage == Sabotage::NoBlocks { (10, 500) } else { (40, 120) };
    let size = Size { people, seconds, nodes: 1, faults: 0 };
    // How often the part is asked for depends on the seed.
    let broken = (0..6).find_map(|seed| soak::evening(seed, size, Some(sabotage)).err());
    let broken = broken.unwrap_or_else(|| panic!("{sabotage:?} is not noticed"));
    assert_eq!(broken.broken.rule, rule, "{broken}");
    println!("{sabotage:?}: {broken}");
}

#[test]
fn each_rule_notices_what_breaks_it() {
    notices(Sabotage::ThirdPerson, Rule::TwoToAMatch);
    notices(Sabotage::NoMemory, Rule::NoRepeat);
    notices(Sabotage::NoBlocks, Rule::NoBlockedPair);
    notices(Sabotage::OneYes, Rule::FollowsNeedTwoYes);
    notices(Sabotage::OpenGate, Rule::VeiledByTheRules);
    notices(Sabotage::Unfiltered, Rule::NothingLeaks);
    notices(Sabotage::LostStrokes, Rule::SamePaper);
    notices(Sabotage::Forgotten, Rule::NoOrphans);
}

#[test]
fn the_same_seed_is_the_same_evening() {
    let size = Size { people: 30, seconds: 60, nodes: 3, faults: 2 };
    let run = || format!("{:?}", soak::evening(5, size, None));
    assert_eq!(run(), run());
}

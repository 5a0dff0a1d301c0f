//! `visavis-rehearse SCENARIO`: a whole evening by a plan, and a report of it. Ends with 1 when a rule was broken, with 2 when there
//! was no evening.

use clap::Parser;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use visavis_rehearsal::rehearse::evening::{self, Failure};
use visavis_rehearsal::rehearse::plan::{Plan, SCENARIOS};
use visavis_rehearsal::rehearse::{page, rules};
use visavis_rehearsal::soak::{self, Size};

#[derive(Parser)]
#[command(about = "An evening of Visavis by a plan: server, people, bad network, faults; with a report", version)]
struct Flags {
    /// One of --list, a TOML file, or `soak`.
    #[arg(required_unless_present = "list")]
    scenario: Option<String>,
    /// Name the scenarios that come along.
    #[arg(long)]
    list: bool,
    /// How many evenings `soak` has, or which one it repeats.
    #[arg(long, default_value_t = 60)]
    evenings: u64,
    /// Of `soak`, the one evening that is repeated; of a scenario, instead of its own: losses, faults, what is chosen.
    #[arg(long)]
    seed: Option<u64>,
    /// Where report.html and report.json go.
    #[arg(long, default_value = "target/rehearse")]
    out: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    visavis_session::return_what_is_freed();
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("VISAVIS_LOG").unwrap_or_else(|_| "error,webrtc=off,turn=off".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let flags = Flags::parse();
    let Some(scenario) = flags.scenario.filter(|_| !flags.list) else {
        for (name, text) in SCENARIOS {
            println!("{name:<10} {}", Plan::parse(text).map(|plan| plan.about).unwrap_or_default());
        }
        println!("{:<10} {} people an evening in virtual time, many evenings", "soak", Size::WHOLE.people);
        return ExitCode::SUCCESS;
    };
    if scenario == "soak" {
        return soak(flags.seed, flags.evenings);
    }
    match rehearse(&scenario, flags.seed, &flags.out).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("visavis-rehearse: {error}");
            ExitCode::from(2)
        }
    }
}

/// Ends at the first evening that breaks a rule.
fn soak(seed: Option<u64>, evenings: u64) -> ExitCode {
    let begun = std::time::Instant::now();
    let seeds = seed.map_or(0..evenings, |seed| seed..seed + 1);
    match soak::evenings(seeds, |seed, tally| eprintln!("evening {seed}: {tally}")) {
        Ok(tally) => {
            println!("{tally}\nevery rule held in {:.1} s", begun.elapsed().as_secs_f64());
            ExitCode::SUCCESS
        }
        Err(failed) => {
            println!("BROKEN {failed}\nrepeat with --seed {}", failed.seed);
            ExitCode::FAILURE
        }
    }
}

async fn rehearse(scenario: &str, seed: Option<u64>, out: &Path) -> Result<bool, Failure> {
    let mut plan = Plan::find(scenario)?;
    if let Some(seed) = seed {
        plan.seed = seed;
        plan.faults.iter_mut().for_each(|faults| faults.seed = Some(seed));
    }
    eprintln!("seed {}", plan.seed);
    let guests = plan.guests()?;
    // Before the evening, so that it is not in vain.
    std::fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    eprintln!("{scenario}: {}. {} people, up to {:.0} s", plan.about, guests.len(), plan.seconds);
    let ran = evening::run(&plan, &mut |line| eprintln!("{line}")).await?;
    let record = ran.record(&plan);
    let broken = rules::check(&plan, &guests, &record);
    let there = rules::counts(&record);
    let report = json!({
        "scenario": scenario, "about": plan.about, "ended_s": record.ended.as_secs_f32(), "broken": broken, "record": record,
        "calls": there.calls, "reveals": there.reveals, "follows": there.follows, "covers": there.covers,
        "games": there.games, "malformed": there.malformed, "seed": plan.seed,
    });
    let files = [("report.html", page::page(scenario, &plan, &record, &broken)), ("report.json", report.to_string())];
    for (name, text) in files {
        let path = out.join(name);
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    println!(
        "{} calls, {} revealed, {} follows, {} covers, {} games",
        there.calls, there.reveals, there.follows, there.covers, there.games
    );
    for course in &record.courses {
        println!(
            "{:<44} {:>9.1}, by the slope {:+.1} (at most {:.1}), {} samples",
            course.name, course.median, course.rise, course.allowed, course.samples
        );
    }
    for rule in rules::ALL {
        let words: Vec<&str> = broken.iter().filter(|broken| broken.rule == rule).map(|broken| broken.words.as_str()).collect();
        println!("{:<6} {rule}", if words.is_empty() { "held" } else { "BROKEN" });
        words.iter().for_each(|words| println!("       {words}"));
    }
    println!("report: {}", out.join("report.html").display());
    Ok(broken.is_empty())
}

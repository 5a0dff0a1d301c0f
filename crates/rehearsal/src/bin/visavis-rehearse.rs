//! `visavis-rehearse SCENARIO`: a whole evening by a plan, and a report of it. Ends with 1 when a rule was broken, with 2 when there
//! was no evening.

use clap::Parser;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use visavis_rehearsal::rehearse::evening::{self, Failure};
use visavis_rehearsal::rehearse::plan::{Plan, SCENARIOS};
use visavis_rehearsal::rehearse::record::Record;
use visavis_rehearsal::rehearse::{page, rules};

#[derive(Parser)]
#[command(about = "An evening of Visavis by a plan: server, people, bad network, faults; with a report", version)]
struct Flags {
    /// One of --list, or a TOML file.
    #[arg(required_unless_present = "list")]
    scenario: Option<String>,
    /// Name the scenarios that come along.
    #[arg(long)]
    list: bool,
    /// Where report.html and report.json go.
    #[arg(long, default_value = "target/rehearse")]
    out: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("VISAVIS_LOG").unwrap_or_else(|_| "error,webrtc=off,turn=off".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let flags = Flags::parse();
    let Some(scenario) = flags.scenario.filter(|_| !flags.list) else {
        for (name, text) in SCENARIOS {
            println!("{name:<10} {}", Plan::parse(text).map(|plan| plan.about).unwrap_or_default());
        }
        return ExitCode::SUCCESS;
    };
    match rehearse(&scenario, &flags.out).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("visavis-rehearse: {error}");
            ExitCode::from(2)
        }
    }
}

async fn rehearse(scenario: &str, out: &Path) -> Result<bool, Failure> {
    let plan = Plan::find(scenario)?;
    let guests = plan.guests()?;
    // Before the evening, so that it is not in vain.
    std::fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    eprintln!("{scenario}: {}. {} people, up to {:.0} s", plan.about, guests.len(), plan.seconds);
    let (events, ended) = evening::run(&plan, &mut |line| eprintln!("{line}")).await?;
    let record = Record::of(guests.iter().map(|guest| guest.identity.clone()), &events, ended);
    let broken = rules::check(&plan, &guests, &record);
    let there = rules::counts(&record);
    let report = json!({
        "scenario": scenario, "about": plan.about, "ended_s": ended.as_secs_f32(), "broken": broken, "record": record,
        "calls": there.calls, "reveals": there.reveals, "follows": there.follows, "covers": there.covers,
        "games": there.games,
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
    for rule in rules::ALL {
        let words: Vec<&str> = broken.iter().filter(|broken| broken.rule == rule).map(|broken| broken.words.as_str()).collect();
        println!("{:<6} {rule}", if words.is_empty() { "held" } else { "BROKEN" });
        words.iter().for_each(|words| println!("       {words}"));
    }
    println!("report: {}", out.join("report.html").display());
    Ok(broken.is_empty())
}

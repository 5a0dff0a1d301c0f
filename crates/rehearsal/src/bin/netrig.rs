//! `netrig run`: three network namespaces joined by a link that a scenario file describes, and a command in each. Linux, as root.

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use visavis_rehearsal::rig::scenario::Scenario;
use visavis_rehearsal::rig::{run, system};

#[derive(Parser)]
#[command(about = "Two sides and a server in network namespaces, with a bad network between the sides", version)]
struct Flags {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Ends when both sides have ended, or `grace` after the length of the call.
    Run {
        scenario: PathBuf,
        #[arg(long)]
        out: PathBuf,
        /// Commands for `sh -c`, with RIG_* in their environment.
        #[arg(long)]
        server: Option<String>,
        #[arg(long)]
        a: Option<String>,
        #[arg(long)]
        b: Option<String>,
        /// Another length than the scenario's; its schedule is stretched alike.
        #[arg(long)]
        seconds: Option<f64>,
        #[arg(long, default_value_t = 8.0)]
        grace: f64,
    },
    /// Waits for the end of standard input, then kills what is left in those namespaces.
    #[command(hide = true)]
    Guard { inodes: Vec<u64> },
}

fn main() -> ExitCode {
    let outcome = match Flags::parse().task {
        Task::Guard { inodes } => {
            run::guard(&inodes);
            Ok(())
        }
        Task::Run { scenario, out, server, a, b, seconds, grace } => {
            system::listen_for_signals();
            plan(scenario, seconds).and_then(|scenario| {
                let guard = std::env::current_exe()?;
                let grace = Duration::try_from_secs_f64(grace)?;
                let plan = run::Plan { scenario, out, commands: [a, b, server], grace, guard };
                let why = run::run(&plan)?;
                eprintln!("netrig: {}: {why}", plan.scenario.name);
                Ok(())
            })
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("netrig: {error}");
            ExitCode::FAILURE
        }
    }
}

fn plan(path: PathBuf, seconds: Option<f64>) -> Result<Scenario, Box<dyn std::error::Error>> {
    let scenario = Scenario::load(&path)?;
    Ok(match seconds {
        Some(seconds) => scenario.lasting(seconds)?,
        None => scenario,
    })
}

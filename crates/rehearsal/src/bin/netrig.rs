//! `netrig run`: three network namespaces joined by a link that a scenario file describes, and a command in each. Linux, as root.
//! Beside it the smaller tools of a measurement: camera files, figures of a run, the server of a Chromium pair.

use std::process::ExitCode;

fn main() -> ExitCode {
    match rig::main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("netrig: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod rig {
    pub fn main() -> Result<(), &'static str> {
        Err("network namespaces are there on Linux alone")
    }
}

#[cfg(target_os = "linux")]
mod rig {
    use clap::{Parser, Subcommand};
    use std::net::{Ipv4Addr, SocketAddr};
    use std::path::PathBuf;
    use std::time::Duration;
    use visavis_rehearsal::rig::scenario::Scenario;
    use visavis_rehearsal::rig::{camera_file, page, run, score, signalling, system};

    type Outcome = Result<(), Box<dyn std::error::Error>>;

    #[derive(Parser)]
    #[command(about = "Two sides and a server in network namespaces, with a bad network between the sides", version)]
    struct Flags {
        #[command(subcommand)]
        task: Task,
    }

    #[derive(Subcommand)]
    enum Task {
        /// Ends when both sides have ended, or `grace` after the length of the call.
        Run(Run),
        /// Make a camera file, and a sound file beside it.
        Camera {
            out: PathBuf,
            #[arg(long, default_value_t = 640)]
            width: usize,
            #[arg(long, default_value_t = 360)]
            height: usize,
            /// y4m, IVF or WebM; without it a picture is drawn.
            #[arg(long)]
            clip: Option<PathBuf>,
        },
        /// Figures of runs, as JSON.
        Score {
            runs: Vec<PathBuf>,
            #[arg(long)]
            camera: Option<PathBuf>,
        },
        /// The server of a Chromium pair.
        Page {
            #[arg(long, env = "RIG_ALL_OUT")]
            out: PathBuf,
        },
        /// Waits for the end of standard input, then kills what is left in those namespaces.
        #[command(hide = true)]
        Guard { inodes: Vec<u64> },
    }

    #[derive(clap::Args)]
    struct Run {
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
    }

    pub fn main() -> Outcome {
        match Flags::parse().task {
            Task::Run(flags) => run(flags),
            Task::Camera { out, width, height, clip } => Ok(camera_file::make(&out, (width, height), clip.as_deref())?),
            Task::Score { runs, camera } => {
                for run in runs {
                    let rows = score::score(&run, camera.as_deref())?;
                    println!("{}", serde_json::json!({ "run": run, "rows": rows }));
                }
                Ok(())
            }
            Task::Page { out } => {
                let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
                let listen = SocketAddr::from((Ipv4Addr::UNSPECIFIED, signalling::PORT));
                runtime.block_on(async {
                    page::Server::start(listen, out, page::CALL).await?.ended().await;
                    Ok(())
                })
            }
            Task::Guard { inodes } => {
                run::guard(&inodes);
                Ok(())
            }
        }
    }

    fn run(flags: Run) -> Outcome {
        system::listen_for_signals();
        let scenario = Scenario::load(&flags.scenario)?;
        let scenario = match flags.seconds {
            Some(seconds) => scenario.lasting(seconds)?,
            None => scenario,
        };
        let plan = run::Plan {
            scenario,
            out: flags.out,
            commands: [flags.a, flags.b, flags.server],
            grace: Duration::try_from_secs_f64(flags.grace)?,
            guard: std::env::current_exe()?,
        };
        let why = run::run(&plan)?;
        eprintln!("netrig: {}: {why}", plan.scenario.name);
        Ok(())
    }
}

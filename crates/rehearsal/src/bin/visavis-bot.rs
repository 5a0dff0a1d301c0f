//! `visavis-bot run`: a headless peer. `visavis-bot browser`: the rehearsal browser that signs a test identity in.

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use visavis_rehearsal::bot::{self, CameraDoes, Manner};
use visavis_rehearsal::browser;
use visavis_session::Session;

const GOODBYE: Duration = Duration::from_secs(4);

#[derive(Parser)]
#[command(about = "A headless Visavis peer for rehearsals", version)]
struct Flags {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Sign in, meet, send a camera, draw and answer as the flags say; prints events as JSON lines.
    Run(Box<Run>),
    /// Open a development issuer's sign-in page and press one identity's button.
    Browser {
        #[arg(long)]
        identity: String,
        url: String,
    },
}

#[derive(clap::Args)]
struct Run {
    /// The matching server, http://127.0.0.1:PORT
    #[arg(long, env = "VISAVIS_SERVER")]
    server: String,
    /// Test identity at the server's development issuer.
    #[arg(long, default_value = "bao")]
    identity: String,
    /// pattern, face:NAME, image:PATH or a .y4m, .ivf or .webm file.
    #[arg(long, env = "VISAVIS_CAMERA", default_value = "face:bot")]
    camera: String,
    /// Where settings go; a temporary folder without it.
    #[arg(long)]
    profile_dir: Option<PathBuf>,
    /// Say "not now" to every match.
    #[arg(long)]
    decline: bool,
    /// Never agree to reveal.
    #[arg(long)]
    stay_veiled: bool,
    /// Answer no to "follow each other?".
    #[arg(long)]
    no_follow: bool,
    /// Draw a house on the shared paper.
    #[arg(long)]
    draw: bool,
    /// Neither wish for games nor play them.
    #[arg(long)]
    no_games: bool,
    /// Leave a call after this many seconds.
    #[arg(long)]
    leave_after: Option<f32>,
    /// Cover the camera from second A to second B of a call: A,B
    #[arg(long, value_parser = cover)]
    cover: Option<(f32, f32)>,
    /// More of what becomes of the camera in a call: covered, dark, frozen, loop, unplugged or stalled from second A to second B.
    #[arg(long, value_parser = camera_does, value_name = "WHAT,A,B")]
    camera_does: Vec<CameraDoes>,
    /// Draw and wish as fast as an app lets one.
    #[arg(long)]
    flood: bool,
    /// Talk: a made voice instead of silence.
    #[arg(long)]
    speak: bool,
    /// Pictures of 320 x 180, so many a second.
    #[arg(long)]
    weak_camera_fps: Option<u32>,
    /// End after this many matches.
    #[arg(long)]
    meetings: Option<u32>,
}

fn cover(text: &str) -> Result<(f32, f32), String> {
    let (from, to) = text.split_once(',').ok_or("two numbers with a comma between them")?;
    let number = |text: &str| text.trim().parse::<f32>().map_err(|_| format!("{text} is not a number of seconds"));
    Ok((number(from)?, number(to)?))
}

fn camera_does(text: &str) -> Result<CameraDoes, String> {
    let (is, times) = text.split_once(',').ok_or("what, and two numbers of seconds, with commas between them")?;
    let (from_s, to_s) = cover(times)?;
    Ok(CameraDoes { is: is.to_owned(), from_s, to_s })
}

#[tokio::main]
async fn main() -> ExitCode {
    visavis_session::return_what_is_freed();
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("VISAVIS_LOG").unwrap_or_else(|_| "error,webrtc=off,turn=off".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match Flags::parse().task {
        Task::Browser { identity, url } => match browser::sign_in(&url, &identity).await {
            Ok(_) => ExitCode::SUCCESS,
            Err(error) => fail(&error.to_string()),
        },
        Task::Run(flags) => run(*flags).await,
    }
}

fn fail(words: &str) -> ExitCode {
    eprintln!("visavis-bot: {words}");
    ExitCode::from(2)
}

async fn run(flags: Run) -> ExitCode {
    let camera = match flags.camera.parse() {
        Ok(camera) => camera,
        Err(error) => return fail(&format!("--camera {}: {error}", flags.camera)),
    };
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => return fail(&format!("no temporary folder could be made: {error}")),
    };
    let profile_dir = flags.profile_dir.unwrap_or_else(|| folder.path().to_owned());
    let manner = Manner {
        identity: flags.identity.clone(),
        meet: !flags.decline,
        reveal: !flags.stay_veiled,
        follow: !flags.no_follow,
        draw: flags.draw,
        play: !flags.no_games,
        leave_after: flags.leave_after.map(Duration::from_secs_f32),
        camera: flags
            .cover
            .map(|(from_s, to_s)| CameraDoes { is: String::from("covered"), from_s, to_s })
            .into_iter()
            .chain(flags.camera_does)
            .collect(),
        flood: flags.flood,
        meetings: flags.meetings,
    };
    let (sender, mut reports) = tokio::sync::mpsc::unbounded_channel();
    let mut config = bot::config(&flags.server, &flags.identity, profile_dir, camera);
    if flags.speak {
        config.microphone = Some(bot::voice(&flags.identity));
    }
    if let Some(fps) = flags.weak_camera_fps {
        config.machine = Arc::new(bot::WeakCamera { fps });
    }
    let (session, events) = Session::start(config);
    let session = Arc::new(session);
    let bot = tokio::spawn(bot::attend(Arc::clone(&session), events, manner, sender));
    let printer = async {
        while let Some(report) = reports.recv().await {
            if let Ok(line) = serde_json::to_string(&report) {
                println!("{line}");
            }
        }
    };
    tokio::select! {
        () = printer => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    // Says good-bye where it gets through.
    let _ = tokio::time::timeout(GOODBYE, session.shutdown()).await;
    bot.abort();
    ExitCode::SUCCESS
}

//! Figures of the whole product on one machine: `visavis-bench call` (our engine and a pair of Chromium pages over bad networks),
//! `visavis-bench setup` (two sessions in this process, real server and relay), `visavis-bench windows` and
//! `visavis-bench veil` (two real app windows on a virtual display), `visavis-bench start` (one app, again and again).

use clap::{Parser, Subcommand};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;
use visavis_media::camera::CameraSource;
use visavis_media::{Clock, marker};
use visavis_rehearsal::bot::{self, Manner, Report};
use visavis_rehearsal::cold_start;
use visavis_rehearsal::cover::{self, Columns};
use visavis_rehearsal::game_story;
use visavis_rehearsal::memory;
use visavis_rehearsal::processes;
use visavis_rehearsal::stage::Stage;
use visavis_rehearsal::two_windows::{Meeting, Network, Two};
use visavis_session::{Command, Event, Session};

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

#[derive(Parser)]
struct Flags {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Calls over bad networks in namespaces, ours and Chromium's in turns. Linux, as root.
    Call(Call),
    /// Set-up time and capture-to-decoded latency between two sessions in one process, through the relay.
    Setup {
        #[arg(long, default_value_t = 15)]
        seconds: u64,
        #[arg(long, default_value = "pattern")]
        camera: CameraSource,
    },
    /// Latency between two pages, processor time and private memory of one app with its webview.
    Windows {
        /// The `visavis` binary, built with embed-ui.
        #[arg(long)]
        app: PathBuf,
        #[arg(long, default_value_t = 20)]
        seconds: u64,
        #[arg(long, default_value = "pattern")]
        camera: String,
    },
    /// From pointer events on one page to ink on the other, and the frames of a page that draws.
    Ink {
        #[arg(long)]
        app: PathBuf,
        /// Strokes to measure, of sixty pointer events each.
        #[arg(long, default_value_t = 20)]
        strokes: usize,
        /// Strokes that lie on the paper before.
        #[arg(long, default_value_t = 0)]
        littered: u32,
        /// Of the packets from one app to the other, through the relay, in percent.
        #[arg(long, default_value_t = 0.0)]
        loss: f64,
        /// Between the two apps, through the relay, milliseconds.
        #[arg(long, default_value_t = 0.0)]
        round_trip_ms: f64,
    },
    /// From the start of a cover in front of one window's camera to the first veiled picture of the other.
    Veil {
        #[arg(long)]
        app: PathBuf,
        #[arg(long, default_value_t = 24)]
        covers: u32,
    },
    /// From the start of the program to a mirror that shows its picture, with a fresh and with a used profile; memory and size.
    Start {
        #[arg(long)]
        app: PathBuf,
        /// Of each kind.
        #[arg(long, default_value_t = 10)]
        runs: usize,
        /// Forget the disk before each start, as after switching the computer on (Linux, as root).
        #[arg(long)]
        forget_the_disk: bool,
    },
    /// Private memory of our window in a call of 360p, and of Chromium in one (Linux).
    Memory {
        #[arg(long)]
        app: PathBuf,
        /// Of each call, before it is measured.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// A picture of both windows in a call, with a drawing; or pictures of a game that both play, in both themes.
    Screenshot {
        #[arg(long)]
        app: PathBuf,
        #[arg(long, default_value = "face:ada")]
        camera_a: String,
        #[arg(long, default_value = "face:bao")]
        camera_b: String,
        #[arg(long, default_value = "1280x800", value_parser = size)]
        size: (usize, usize),
        /// Play Two truths; `out` is a folder then.
        #[arg(long)]
        game: bool,
        #[arg(long)]
        out: PathBuf,
    },
    /// What the detector says of each picture of a folder of labelled clips, and how well that fits the labels.
    Cover {
        folder: PathBuf,
        #[arg(long)]
        out: PathBuf,
        /// Each picture goes through the veil, the encoder and the decoder first.
        #[arg(long)]
        veiled: bool,
        /// Write every measure instead of the state, for fitting.
        #[arg(long)]
        measures: bool,
    },
}

#[derive(clap::Args)]
struct Call {
    /// One that comes with the bench, or a file; may be given several times. Without it all of them run.
    #[arg(long = "scenario")]
    scenarios: Vec<String>,
    #[arg(long, default_value_t = 3)]
    pairs: usize,
    /// Length of each call instead of the scenario's own; schedules are stretched alike.
    #[arg(long)]
    seconds: Option<f64>,
    /// A y4m file with frame numbers, of the size that is given; without it one is made.
    #[arg(long)]
    camera: Option<PathBuf>,
    /// What the camera file is made from: y4m, IVF or WebM; without it a picture is drawn.
    #[arg(long)]
    clip: Option<PathBuf>,
    #[arg(long, default_value = "640x360", value_parser = size)]
    size: (usize, usize),
    #[arg(long, default_value = "auto", value_parser = ["auto", "vp8", "vp9"])]
    codec: String,
    /// Our peer through the relay of its server; give a scenario with a `server` link then.
    #[arg(long)]
    relay: bool,
    /// Leave Chromium out.
    #[arg(long)]
    ours_alone: bool,
    /// Every figure of every call.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Where runs and camera files go.
    #[arg(long, default_value = "target/rig")]
    folder: PathBuf,
}

fn size(text: &str) -> Result<(usize, usize), String> {
    let sides = text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    sides.ok_or_else(|| format!("{text} is not WIDTHxHEIGHT"))
}

#[cfg(target_os = "linux")]
async fn calls(flags: Call) -> Outcome {
    use visavis_rehearsal::rig::{bench, system};
    if let Err(why) = bench::can_run() {
        println!("no calls over bad networks: {why}. What runs without: set-up and latency on loopback\n");
        return set_up(Duration::from_secs(15), CameraSource::Pattern).await;
    }
    let options = bench::Options {
        scenarios: flags.scenarios,
        pairs: flags.pairs,
        seconds: flags.seconds,
        camera: flags.camera,
        clip: flags.clip,
        size: flags.size,
        codec: flags.codec,
        relay: flags.relay,
        ours_alone: flags.ours_alone,
        json: flags.json,
        folder: flags.folder,
    };
    system::listen_for_signals();
    tokio::task::spawn_blocking(move || bench::run(&options)).await??;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
async fn calls(_: Call) -> Outcome {
    println!("no calls over bad networks: they need Linux. What runs without: set-up and latency on loopback\n");
    set_up(Duration::from_secs(15), CameraSource::Pattern).await
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Flags::parse().what {
        What::Call(flags) => calls(flags).await,
        What::Setup { seconds, camera } => set_up(Duration::from_secs(seconds), camera).await,
        What::Windows { app, seconds, camera } => windows(&app, Duration::from_secs(seconds), camera).await,
        What::Ink { app, strokes, littered, loss, round_trip_ms } => {
            ink(&app, strokes, littered, Network { loss, round_trip_ms }).await
        }
        What::Veil { app, covers } => veil(&app, covers).await,
        What::Start { app, runs, forget_the_disk } => cold_start::compare(&app, runs, forget_the_disk).await,
        What::Memory { app, seconds } => memory::compare(&app, Duration::from_secs(seconds)).await,
        What::Screenshot { app, camera_a, camera_b, size: (width, height), game, out } => {
            screenshot(&app, [&camera_a, &camera_b], (width as u32, height as u32), game, &out).await
        }
        What::Cover { folder, out, veiled, measures } => covers(&folder, &out, veiled, measures),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("visavis-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn covers(folder: &Path, out: &Path, veiled: bool, measures: bool) -> Outcome {
    let columns = if measures { Columns::Measures } else { Columns::States };
    let cost = cover::run(folder, out, veiled, columns)?;
    let each = cost.looking.as_secs_f64() * 1e3 / cost.pictures.max(1) as f64;
    println!("{} clips, {} pictures, {each:.3} ms each; written to {}", cost.clips, cost.pictures, out.display());
    if !measures {
        println!("{}", cost.score);
    }
    Ok(())
}

fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = ((sorted.len() as f64 - 1.0) * share).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

fn print_latency(name: &str, mut milliseconds: Vec<f64>) {
    milliseconds.sort_by(f64::total_cmp);
    println!(
        "{name}: p50 {:.0} ms, p95 {:.0} ms, p99 {:.0} ms over {} frames",
        percentile(&milliseconds, 0.5),
        percentile(&milliseconds, 0.95),
        percentile(&milliseconds, 0.99),
        milliseconds.len()
    );
}

/// The other party: a bot that agrees to everything.
fn agreeable(identity: &str) -> Manner {
    Manner {
        identity: identity.to_owned(),
        meet: true,
        reveal: true,
        follow: true,
        draw: false,
        play: false,
        leave_after: None,
        camera: Vec::new(),
        flood: false,
        meetings: Some(1),
    }
}

async fn set_up(length: Duration, camera: CameraSource) -> Outcome {
    let stage = Stage::start().await?;
    let clock = Clock::start();
    let (sender, mut reports) = tokio::sync::mpsc::unbounded_channel::<Report>();
    let mut config = bot::config(&stage.url, "bao", stage.profile_folder("bao"), camera.clone());
    config.clock = clock;
    let (session, events) = Session::start(config);
    let sending = Arc::new(session);
    let captures = watch_captures(Arc::clone(&sending));
    let other = tokio::spawn(bot::attend(sending, events, agreeable("bao"), sender));
    tokio::spawn(async move { while reports.recv().await.is_some() {} });

    let mut config = bot::config(&stage.url, "ada", stage.profile_folder("ada"), camera);
    config.clock = clock;
    let (session, mut events) = Session::start(config);
    let peer = session.peer_pictures();
    let (mut page, mut begun, mut first) = ("", None, None);
    let mut ages = Vec::new();
    let (mut frames, mut size) = (0u32, (0, 0));
    let mut deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        while let Ok(event) = events.try_recv() {
            match event {
                Event::OpenBrowser { url } => drop(visavis_rehearsal::browser::sign_in(&url, "ada").await?),
                Event::View { view } => {
                    let now = bot::name_of(&view.page);
                    if now != page {
                        page = now;
                        match page {
                            "welcome" => session.command(Command::SignIn),
                            "mirror" => session.command(Command::Meet),
                            "match" => session.command(Command::AnswerMatch { meet: true }),
                            "call" => {
                                begun = Some(clock.now());
                                session.command(Command::Reveal { yes: true });
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        if let Some(shown) = peer.try_take() {
            let now = clock.now();
            if first.is_none() {
                first = Some(now);
                deadline = Instant::now() + length;
            }
            frames += 1;
            size = (shown.frame.width, shown.frame.height);
            // Both sessions of this process share one clock.
            let number = marker::read(&shown.frame);
            let captured = number.and_then(|number| captures.lock().ok()?.get(&number).copied());
            if let Some(captured) = captured {
                ages.push((now.saturating_sub(captured)).as_secs_f64() * 1000.0);
            }
        } else {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let (Some(begun), Some(first)) = (begun, first) else { return Err("no picture of the peer ever came".into()) };
    println!(
        "from the match to the first decoded frame, through the relay: {:.0} ms",
        (first.saturating_sub(begun)).as_secs_f64() * 1000.0
    );
    println!("frames a second: {:.1}, at the end {}x{}", f64::from(frames) / length.as_secs_f64(), size.0, size.1);
    print_latency("capture to decoded", ages);
    drop(session);
    other.abort();
    Ok(())
}

/// Keeps when each frame number was captured last, from the sender's own preview.
fn watch_captures(session: Arc<Session>) -> Arc<Mutex<HashMap<u32, Duration>>> {
    let captures = Arc::new(Mutex::new(HashMap::new()));
    let kept = Arc::clone(&captures);
    std::thread::spawn(move || {
        let pictures = session.own_pictures();
        while !pictures.is_closed() {
            let Some(shown) = pictures.take(Duration::from_millis(200)) else { continue };
            if let (Some(number), Ok(mut captures)) = (marker::read(&shown.frame), kept.lock()) {
                captures.insert(number, shown.frame.captured);
            }
        }
    });
    captures
}

/// Records in the page when each frame number is first seen in a picture: one row of the strip is read on each animation frame.
const WATCH: &str = include_str!("../watch_frames.js");

/// Keeps, of each frame that a canvas shows, how old it was when the page drew it.
const WATCH_AGES: &str = r#"
const canvas = document.querySelector(`[data-testid="${arguments[0]}"]`), ages = window.__ages = {};
const look = () => { if (canvas.dataset.sequence) ages[canvas.dataset.sequence] = Number(canvas.dataset.age); requestAnimationFrame(look); };
look(); return true;
"#;

/// Two windows of the usual size.
async fn meet(app: &Path, cameras: [&str; 2], network: Network) -> Result<Two, Box<dyn std::error::Error + Send + Sync>> {
    Two::meet(&Meeting { app, cameras, size: (1280, 800), network }).await
}

async fn windows(app: &Path, length: Duration, camera: String) -> Outcome {
    let two = meet(app, [&camera, &camera], Network::default()).await?;
    let (a, b) = (&two.a, &two.b);
    let before = processes::cost(a.driver.process_id());
    let since = Instant::now();
    tokio::time::sleep(length).await;
    let after = processes::cost(a.driver.process_id());
    let cores = (after.cpu.saturating_sub(before.cpu)).as_secs_f64() / since.elapsed().as_secs_f64();
    println!(
        "one app with its webview in a call: {cores:.2} of a core, {} MiB private, {} processes",
        after.private_kib / 1024,
        after.processes
    );
    a.driver.script(WATCH, json!(["picture-own"])).await?;
    b.driver.script(WATCH, json!(["picture-peer"])).await?;
    tokio::time::sleep(length.min(Duration::from_secs(20))).await;
    let seen = |value: Value| serde_json::from_value::<HashMap<String, f64>>(value).unwrap_or_default();
    let own = seen(a.driver.script("return window.__seen", json!([])).await?);
    let peer = seen(b.driver.script("return window.__seen", json!([])).await?);
    let ages =
        peer.iter().filter_map(|(number, at)| own.get(number).map(|from| at - from)).filter(|age| age.abs() < 5000.0).collect();
    print_latency("own picture drawn on A's page to the same frame drawn on B's page", ages);
    b.driver.script(WATCH_AGES, json!(["picture-peer"])).await?;
    tokio::time::sleep(length).await;
    let ages = seen(b.driver.script("return window.__ages", json!([])).await?);
    print_latency(
        "peer's picture about to be decoded to drawn on the page (wanted: p95 under 20 ms)",
        ages.into_values().collect(),
    );
    two.part().await;
    Ok(())
}

async fn ink(app: &Path, strokes: usize, littered: u32, network: Network) -> Outcome {
    let two = meet(app, ["face:ada", "face:bao"], network).await?;
    visavis_rehearsal::ink::litter(&two.a, littered).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let measured = visavis_rehearsal::ink::measure(&two.a, &two.b, strokes, 60).await?;
    println!("{} of {} places were reached", measured.latency.len(), measured.latency.len() + measured.lost);
    print_latency("pointer event on A's page to ink on B's page", measured.latency);
    print_latency("between two frames of A's page while it draws", measured.frames);
    two.part().await;
    Ok(())
}

async fn veil(app: &Path, covers: u32) -> Outcome {
    let two = meet(app, ["face:ada", "face:bao"], Network::default()).await?;
    let mut step = 0;
    let pause = || {
        step += 1;
        Duration::from_millis(900 + step * 137 % 700)
    };
    let taken = visavis_rehearsal::veil::covers(&two.a, covers, pause).await?;
    print_latency("start of a cover before A's camera to the first veiled picture of B on A's page", taken);
    two.part().await;
    Ok(())
}

async fn screenshot(app: &Path, cameras: [&str; 2], size: (u32, u32), play: bool, out: &Path) -> Outcome {
    let two = Two::meet(&Meeting { app, cameras, size, network: Network::default() }).await?;
    if play {
        std::fs::create_dir_all(out)?;
        game_story::two_truths(&two.a, &two.b, &mut async |what: &str| {
            for theme in ["day", "night"] {
                two.theme(theme).await?;
                let taken = two.display.screenshot(&out.join(format!("{what}-{theme}.png")));
                taken.unwrap_or_else(|error| eprintln!("{error}"));
            }
            Ok(())
        })
        .await?;
    } else {
        for (window, lines) in [(&two.a, bot::house()), (&two.b, bot::sun())] {
            for (id, (colour, points)) in (1..).zip(lines) {
                window.act(json!({ "do": "draw_points", "id": id, "colour": colour, "size": 60, "points": points })).await?;
                window.act(json!({ "do": "draw_end", "id": id })).await?;
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        two.display.screenshot(out)?;
    }
    two.part().await;
    Ok(())
}

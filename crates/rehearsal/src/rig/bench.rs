//! Calls of our peer and of Chromium in turns (A B A B), over all scenarios, each scored as soon as it has ended.

use super::namespaces;
use super::scenario::{Scenario, ScenarioError};
use super::score::{ScoreError, score};
use super::table::{self, Measured, Peer};
use super::{camera_file, system};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Scenarios that come with the bench, in the order of running.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
const SIDE_SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/chromium/side.sh");
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

pub struct Options {
    /// Names of those that come with the bench, or files; empty: all of them.
    pub scenarios: Vec<String>,
    pub pairs: usize,
    /// Instead of the scenarios' own length.
    pub seconds: Option<f64>,
    /// Instead of one that is made.
    pub camera: Option<PathBuf>,
    /// What a camera file is made from; without it a drawn picture.
    pub clip: Option<PathBuf>,
    pub size: (usize, usize),
    pub codec: String,
    pub relay: bool,
    /// Leave the other peer out.
    pub ours_alone: bool,
    pub json: Option<PathBuf>,
    /// Where runs and camera files go.
    pub folder: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("{0}")]
    Scenario(#[from] ScenarioError),
    #[error("{0}")]
    Camera(#[from] camera_file::CameraFileError),
    #[error("{0}: {1}")]
    Io(String, io::Error),
    #[error("no call gave figures")]
    NoFigures,
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> BenchError {
    let path = path.display().to_string();
    move |error| BenchError::Io(path, error)
}

/// Whether namespaces can be made here; otherwise why not.
pub fn can_run() -> Result<(), String> {
    namespaces::create().map(drop).map_err(|error| error.to_string())
}

/// Programs that a run needs, beside the one that runs.
struct Programs {
    netrig: PathBuf,
    peer: PathBuf,
    browser: Option<PathBuf>,
}

impl Programs {
    fn find(options: &Options) -> Result<Self, BenchError> {
        let own = std::env::current_exe().map_err(io_error(Path::new("this program")))?;
        let browser = if options.ours_alone { None } else { find_browser() };
        Ok(Self { netrig: own.with_file_name("netrig"), peer: own.with_file_name("rig-peer"), browser })
    }

    /// Of the server, and of a side.
    fn commands(&self, peer: Peer, camera: &Path, options: &Options) -> (String, String) {
        let (width, height) = options.size;
        let camera = quoted(camera);
        match (peer, &self.browser) {
            (Peer::Chromium, Some(browser)) => {
                let codec = if options.codec == "auto" { String::from("default") } else { options.codec.to_uppercase() };
                let query = format!("'codec={codec}&width={width}&height={height}'");
                let side = format!("CHROMIUM={} exec sh {} {camera} {query}", quoted(browser), quoted(Path::new(SIDE_SCRIPT)));
                (format!("exec {} page", quoted(&self.netrig)), side)
            }
            _ => {
                let peer = quoted(&self.peer);
                let relay = if options.relay { " --relay" } else { "" };
                let size = format!("--width {width} --height {height} --codec {}{relay}", options.codec);
                (format!("exec {peer} serve"), format!("exec {peer} call --camera {camera} {size}"))
            }
        }
    }
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

pub fn find_browser() -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    BROWSERS.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}

/// Runs everything and prints the tables, after each pair too.
pub fn run(options: &Options) -> Result<(), BenchError> {
    let folder = &options.folder;
    fs::create_dir_all(folder).map_err(io_error(folder))?;
    let camera = camera(options)?;
    let scenarios = scenarios(options)?;
    let programs = Programs::find(options)?;
    let peers: &[Peer] = match (&programs.browser, options.ours_alone) {
        (Some(_), false) => &[Peer::Ours, Peer::Chromium],
        (None, false) => {
            println!("Chromium is not installed (Debian: apt install chromium); only our own peer is measured");
            &[Peer::Ours]
        }
        (_, true) => &[Peer::Ours],
    };
    let mut measured = Vec::new();
    for pair in 0..options.pairs {
        for scenario in &scenarios {
            for peer in peers {
                let run = one(&programs, options, &camera, scenario, (*peer, pair));
                if system::interrupted() {
                    return finish(options, &measured);
                }
                match run {
                    Ok(rows) => measured.extend(rows),
                    Err(why) => println!("{peer:?} in {}, pair {}: no figures: {why}", scenario.name, pair + 1),
                }
            }
        }
        println!("\nafter {} of {} pairs, medians:\n\n{}", pair + 1, options.pairs, table::by_scenario(&measured));
    }
    finish(options, &measured)
}

fn finish(options: &Options, measured: &[Measured]) -> Result<(), BenchError> {
    println!("{}", table::targets(measured));
    if let Some(path) = &options.json {
        let text =
            serde_json::to_vec_pretty(measured).map_err(|error| BenchError::Io(path.display().to_string(), error.into()))?;
        fs::write(path, text).map_err(io_error(path))?;
    }
    if measured.is_empty() { Err(BenchError::NoFigures) } else { Ok(()) }
}

fn camera(options: &Options) -> Result<PathBuf, BenchError> {
    if let Some(camera) = &options.camera {
        return camera.canonicalize().map_err(io_error(camera));
    }
    let clip = options.clip.as_deref().and_then(Path::file_stem).map_or_else(|| "drawn".into(), |stem| stem.to_string_lossy());
    let path = options.folder.join(format!("{clip}_{}x{}.y4m", options.size.0, options.size.1));
    if !path.exists() {
        println!("making the camera file {}", path.display());
        // Under another name until it is whole.
        let part = path.with_extension("part");
        camera_file::make(&part, options.size, options.clip.as_deref())?;
        fs::rename(&part, &path).map_err(io_error(&path))?;
    }
    path.canonicalize().map_err(io_error(&path))
}

/// With a file each, in the length that was asked for.
fn scenarios(options: &Options) -> Result<Vec<Scenario>, BenchError> {
    let mut paths = Vec::new();
    if options.scenarios.is_empty() {
        let folder = Path::new(FOLDER);
        let entries = fs::read_dir(folder).map_err(io_error(folder))?;
        paths
            .extend(entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "json")));
        paths.sort();
    }
    for name in &options.scenarios {
        let own = Path::new(FOLDER).join(format!("{name}.json"));
        paths.push(if own.is_file() { own } else { PathBuf::from(name) });
    }
    let load = |path: &PathBuf| {
        let scenario = Scenario::load(path)?;
        options.seconds.map_or_else(|| Ok(scenario.clone()), |seconds| scenario.lasting(seconds))
    };
    paths.iter().map(|path| load(path).map_err(BenchError::from)).collect()
}

fn one(
    programs: &Programs,
    options: &Options,
    camera: &Path,
    scenario: &Scenario,
    (peer, pair): (Peer, usize),
) -> Result<Vec<Measured>, String> {
    let name = if peer == Peer::Ours { "ours" } else { "chromium" };
    let out = options.folder.join(format!("{}-{name}-{}", scenario.name, pair + 1));
    if out.exists() {
        fs::remove_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    }
    let file = options.folder.join(format!("{}.json", scenario.name));
    fs::write(&file, scenario.text()).map_err(|error| format!("{}: {error}", file.display()))?;
    let (server, side) = programs.commands(peer, camera, options);
    let mut rig = Command::new(&programs.netrig);
    rig.arg("run").arg(&file).arg("--out").arg(&out).args(["--server", &server, "--a", &side, "--b", &side]);
    let ended = rig.stdin(Stdio::null()).status().map_err(|error| format!("{}: {error}", programs.netrig.display()))?;
    if !ended.success() {
        return Err(format!("the rig ended with {ended}"));
    }
    let rows = score(&out, Some(camera)).map_err(|error: ScoreError| format!("{error}; see {}", out.display()))?;
    let measured = rows.into_iter().map(|row| Measured { scenario: scenario.name.clone(), peer, pair, row });
    Ok(measured.collect())
}

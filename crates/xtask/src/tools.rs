//! Places and words that several commands share: the root, the cache, the build folder, cargo itself.

use crate::{Outcome, processes};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// The one set of features that everything of the app is built with, so that nothing is compiled twice.
pub const FEATURES: &str = "embed-ui";

pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// What is downloaded or built once per machine, outside the clone.
pub fn cache() -> Outcome<PathBuf> {
    let folder = match (std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("LOCALAPPDATA"), std::env::var_os("HOME")) {
        (Some(cache), _, _) if !cache.is_empty() => PathBuf::from(cache),
        (_, Some(local), _) if cfg!(windows) => PathBuf::from(local),
        (_, _, Some(home)) => PathBuf::from(home).join(if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" }),
        _ => return Err(String::from("no cache folder: set HOME or XDG_CACHE_HOME")),
    };
    let folder = folder.join("visavis");
    create(&folder)?;
    Ok(folder)
}

pub fn create(folder: &Path) -> Outcome {
    std::fs::create_dir_all(folder).map_err(|error| format!("the folder {} cannot be created: {error}", folder.display()))
}

pub fn in_root(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// The cargo that runs us. Its variables for this package are not for the ones we start.
pub fn cargo() -> Command {
    let mut command = in_root(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" || name == "CARGO_MANIFEST_PATH" {
            command.env_remove(name);
        }
    }
    command
}

/// All programs at once: cargo chooses features for what is built together, so building them one by one would compile many
/// crates a second time for the tests.
pub fn build(release: bool) -> Outcome {
    println!("building the programs");
    let mut command = cargo();
    command.args(["build", "--locked", "--workspace", "--bins", "--features", FEATURES]);
    if release {
        command.arg("--release");
    }
    timed("programs", || processes::run(&mut command))
}

/// Where cargo puts binaries.
pub fn binaries(release: bool) -> Outcome<PathBuf> {
    let target = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    };
    let folder = target.join(if release { "release" } else { "debug" });
    if folder.is_dir() { Ok(folder) } else { Err(format!("cargo built nothing into {}", folder.display())) }
}

pub fn executable(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

pub fn timed<T>(name: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let begun = Instant::now();
    let outcome = work();
    let seconds = begun.elapsed().as_secs_f32();
    println!("{name}: {} after {seconds:.1} s", if outcome.is_ok() { "done" } else { "failed" });
    outcome
}

pub fn no_flags(arguments: &[String]) -> Outcome {
    match arguments.first() {
        None => Ok(()),
        Some(flag) => Err(format!("{flag:?} is not understood here; cargo xtask help lists what is")),
    }
}

/// True when the program can be found on the PATH.
pub fn on_path(program: &str) -> bool {
    find_on_path(program).is_some()
}

pub fn find_on_path(program: &str) -> Option<PathBuf> {
    let name = executable(program);
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(&name)).find(|file| file.is_file())
}

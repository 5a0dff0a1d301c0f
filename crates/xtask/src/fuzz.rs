//! `cargo xtask fuzz`: the decoders of `fuzz/` under libFuzzer, for a bounded time each. Only our own crates are compiled with coverage,
//! by this very program as cargo's wrapper of the compiler, so that nothing else is compiled a second time and the stable toolchain
//! will do. `cargo fuzz` works too, with a nightly one and its address sanitizer.

use crate::{Outcome, processes, tools};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;

/// Set for the compiler's wrapper.
const WRAPS: &str = "VISAVIS_COVERAGE";
const COVERAGE: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg=fuzzing",
];
const SECONDS: u64 = 5;
/// On every run of all checks.
const SHORT_SECONDS: u64 = 2;
/// As in `fuzz/src/lib.rs`, where a folder of each is checked.
const LARGEST_INPUT: &str = "-max_len=16384";

/// What cargo starts instead of the compiler, if it does: programs that run while building know nothing of coverage.
pub fn as_compiler() -> Option<ExitCode> {
    std::env::var_os(WRAPS)?;
    let mut words = std::env::args_os().skip(1);
    let mut command = Command::new(words.next()?);
    let words: Vec<_> = words.collect();
    let builds = words.iter().any(|word| word.to_string_lossy().starts_with("build_script_") || word == "proc-macro");
    command.args(&words).env_remove(WRAPS);
    if !builds && words.iter().any(|word| word == "--crate-name") {
        command.args(COVERAGE);
    }
    match command.status() {
        Ok(status) => Some(ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1))),
        Err(error) => {
            eprintln!("the compiler cannot be started: {error}");
            Some(ExitCode::FAILURE)
        }
    }
}

pub fn fuzz(arguments: &[String]) -> Outcome {
    let (mut seconds, mut only) = (SECONDS, None);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seconds" => {
                let value = words.next().and_then(|value| value.parse().ok()).filter(|value| (1..=86_400).contains(value));
                seconds = value.ok_or("--seconds is a number from 1 to 86400")?;
            }
            name if !name.starts_with('-') && only.is_none() => only = Some(name.to_owned()),
            other => return Err(format!("fuzz does not know {other}")),
        }
    }
    if cannot_be_built() {
        return Ok(());
    }
    let mut names = names()?;
    if let Some(only) = only {
        names.retain(|name| *name == only);
        if names.is_empty() {
            return Err(format!("there is no folder {only} in {}", corpora().display()));
        }
    }
    let program = build()?;
    for name in names {
        println!("\n{name}: {seconds} s");
        let found = tools::root().join("target/fuzz").join(&name);
        let mut command = command(&program, &found, &name, seconds)?;
        processes::run(&mut command).map_err(|why| failed(&name, &why, &found))?;
    }
    Ok(())
}

/// All of them for a moment, from the committed corpora alone and by the same seed, two at a time.
pub fn short() -> Outcome {
    if cannot_be_built() {
        return Ok(());
    }
    let program = build()?;
    let left = Mutex::new(names()?);
    let next = || left.lock().ok()?.pop();
    let one_after_the_other = || -> Outcome {
        while let Some(name) = next() {
            short_one(&program, &name)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(one_after_the_other);
        let own = one_after_the_other();
        own.and(other.join().unwrap_or_else(|_| Err(String::from("a run of libFuzzer could not be watched"))))
    })
}

fn short_one(program: &Path, name: &str) -> Outcome {
    let found = tools::root().join("target/fuzz-short").join(name);
    if found.is_dir() {
        std::fs::remove_dir_all(&found).map_err(|error| format!("{} stays: {error}", found.display()))?;
    }
    let mut command = command(program, &found, name, SHORT_SECONDS)?;
    let output = command.arg("-seed=1").stdin(Stdio::null()).output().map_err(|error| format!("{name}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        println!("{said}");
        return Err(failed(name, &output.status.to_string(), &found));
    }
    let tries = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:")).unwrap_or(" unknown").trim();
    println!("{name}: {tries} inputs");
    Ok(())
}

fn failed(name: &str, why: &str, found: &Path) -> String {
    format!("{name}: {why}; the input lies in {}", found.display())
}

/// And says so.
fn cannot_be_built() -> bool {
    let why = if !cfg!(unix) {
        "libFuzzer is built here on Linux and macOS only"
    } else if std::env::var_os("CXX").is_none() && !["c++", "g++", "clang++"].iter().any(|name| tools::on_path(name)) {
        "libFuzzer needs a compiler of C++, and none is on the PATH"
    } else {
        return false;
    };
    println!("LEFT OUT: {why}; the same decoders are tried by the tests of visavis-fuzz");
    true
}

fn corpora() -> PathBuf {
    tools::root().join("fuzz/corpus")
}

/// Of all decoders: each has a folder, which the tests of visavis-fuzz see to.
fn names() -> Outcome<Vec<String>> {
    let folders = std::fs::read_dir(corpora()).map_err(|error| format!("{} cannot be read: {error}", corpora().display()))?;
    let mut names: Vec<String> = folders.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

fn build() -> Outcome<PathBuf> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let features = format!("{},visavis-fuzz/libfuzzer", tools::FEATURES);
    let mut command = tools::cargo();
    command.args(["build", "--locked", "--workspace", "--bin", "decoders", "--features", &features]);
    command.env("RUSTC_WORKSPACE_WRAPPER", this).env(WRAPS, "1");
    tools::timed("decoders with coverage", || processes::run(&mut command))?;
    Ok(tools::binaries(false)?.join(tools::executable("decoders")))
}

/// New inputs go to `found`; the committed corpus stays as it is.
fn command(program: &Path, found: &Path, name: &str, seconds: u64) -> Outcome<Command> {
    tools::create(found)?;
    let mut command = tools::in_root(program);
    command.arg(found).arg(corpora().join(name)).env("VISAVIS_FUZZ", name).args([
        &format!("-max_total_time={seconds}"),
        LARGEST_INPUT,
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-verbosity=0",
        "-print_final_stats=1",
        &format!("-artifact_prefix={}/crash-", found.display()),
    ]);
    Ok(command)
}

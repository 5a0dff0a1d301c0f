//! `cargo xtask fuzz`: the decoders of `fuzz/` under libFuzzer, for a bounded time each. Only our own crates are compiled with coverage,
//! by this very program as cargo's wrapper of the compiler, so that nothing else is compiled a second time and the stable toolchain
//! will do. `cargo fuzz` works too, with a nightly one and its address sanitizer.

use crate::{Outcome, processes, tools};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

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
    if !cfg!(unix) {
        println!(
            "LEFT OUT: libFuzzer is built here on Linux and macOS only; the same decoders are tried by the tests of visavis-fuzz"
        );
        return Ok(());
    }
    let program = build()?;
    let corpora = tools::root().join("fuzz/corpus");
    let mut names: Vec<String> = std::fs::read_dir(&corpora)
        .map_err(|error| format!("{} cannot be read: {error}", corpora.display()))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    if let Some(only) = only {
        names.retain(|name| *name == only);
        if names.is_empty() {
            return Err(format!("there is no folder {only} in {}", corpora.display()));
        }
    }
    for name in names {
        one(&program, &corpora.join(&name), &name, seconds)?;
    }
    Ok(())
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

/// New inputs go to the build folder; the committed corpus stays as it is.
fn one(program: &Path, corpus: &Path, name: &str, seconds: u64) -> Outcome {
    let found = tools::root().join("target/fuzz").join(name);
    tools::create(&found)?;
    println!("\n{name}: {seconds} s");
    let mut command = tools::in_root(program);
    command.arg(&found).arg(corpus).env("VISAVIS_FUZZ", name).args([
        &format!("-max_total_time={seconds}"),
        LARGEST_INPUT,
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-verbosity=0",
        "-print_final_stats=1",
        &format!("-artifact_prefix={}/crash-", found.display()),
    ]);
    processes::run(&mut command).map_err(|why| format!("{name}: {why}; the input lies in {}", found.display()))
}

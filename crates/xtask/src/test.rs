//! `cargo xtask test`: everything that has to hold before a commit, in the order in which it fails soonest, with one summary.

use crate::{Outcome, fuzz, node, packages, processes, tools};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// Its rule files change between versions.
const CARGO_DENY: &str = "0.20.2";

pub fn test() -> Outcome {
    let begun = Instant::now();
    let mut steps = Steps::default();
    // Without these two nothing else means anything.
    steps.run("system packages", packages::install_missing);
    steps.stop_at_failure()?;
    let mut node = None;
    steps.run("node and modules", || {
        let found = node::find()?;
        found.install_modules()?;
        node = Some(found);
        Ok(())
    });
    steps.stop_at_failure()?;
    let node = node.ok_or("node was not found")?;

    steps.run("formatting", || processes::run(tools::cargo().args(["fmt", "--all", "--check"])));
    steps.run("interface: lint and types", || node.script("lint"));
    steps.run("interface: unit tests", || node.script("test"));
    steps.run("interface: build", || node.script("build"));
    // The pages are inside the binary from here on.
    steps.stop_at_failure()?;
    steps.run("interface: pages in a browser", || pages(&node));
    steps.run("licences and sources", deny);
    steps.run("lints", || {
        let mut command = tools::cargo();
        command.args([
            "clippy",
            "--locked",
            "--workspace",
            "--all-targets",
            "--features",
            tools::FEATURES,
            "--",
            "-D",
            "warnings",
        ]);
        processes::run(&mut command)
    });
    // The story starts them.
    steps.run("programs", || tools::build(false));
    let bindings = Bindings::now()?;
    steps.run("tests, and the story in two windows", || {
        let mut command = tools::cargo();
        command.args(["test", "--locked", "--workspace", "--no-fail-fast", "--features", tools::FEATURES]);
        processes::run(&mut command)
    });
    steps.run("bindings unchanged", || bindings.compare());
    steps.run("decoders under libFuzzer", fuzz::short);
    steps.summary(begun.elapsed())
}

#[derive(Default)]
struct Steps(Vec<Step>);

struct Step {
    name: &'static str,
    took: Duration,
    failure: Option<String>,
}

impl Steps {
    fn run(&mut self, name: &'static str, work: impl FnOnce() -> Outcome) {
        if processes::interrupted() {
            return;
        }
        println!("\n== {name}");
        let begun = Instant::now();
        let failure = work().err();
        let took = begun.elapsed();
        match &failure {
            Some(why) => println!("== {name}: failed after {:.1} s: {why}", took.as_secs_f32()),
            None => println!("== {name}: passed in {:.1} s", took.as_secs_f32()),
        }
        self.0.push(Step { name, took, failure });
    }

    fn failed(&self) -> usize {
        self.0.iter().filter(|step| step.failure.is_some()).count()
    }

    /// For steps that the following ones stand on.
    fn stop_at_failure(&self) -> Outcome {
        if self.failed() == 0 { Ok(()) } else { self.summary(self.0.iter().map(|step| step.took).sum()) }
    }

    fn summary(&self, took: Duration) -> Outcome {
        if processes::interrupted() {
            return Err(String::from("interrupted"));
        }
        println!("\nsteps:");
        for step in &self.0 {
            let state = if step.failure.is_some() { "FAILED" } else { "passed" };
            println!("  {state}  {:>7.1} s  {}", step.took.as_secs_f32(), step.name);
        }
        let failed = self.failed();
        println!("{} steps passed, {failed} failed, {:.0} s", self.0.len() - failed, took.as_secs_f32());
        if failed == 0 { Ok(()) } else { Err(format!("{failed} of {} steps failed", self.0.len())) }
    }
}

/// What a user does on the pages, and what the shell hears of it.
fn pages(node: &node::Node) -> Outcome {
    match packages::chromium() {
        Some(browser) => node.script_with_browser("acts", &browser),
        None => {
            println!("LEFT OUT: no Chromium is on the PATH and none could be installed, so what the pages do is not tried here");
            Ok(())
        }
    }
}

/// Advisories need a database from the network, so they are not asked for.
fn deny() -> Outcome {
    let program = cargo_deny()?;
    processes::run(tools::in_root(program).args([
        "--workspace",
        "--all-features",
        "--locked",
        "check",
        "bans",
        "licenses",
        "sources",
    ]))
}

/// The one on the PATH, or one built once into the cache.
fn cargo_deny() -> Outcome<PathBuf> {
    if tools::on_path("cargo-deny") {
        return Ok(PathBuf::from(tools::executable("cargo-deny")));
    }
    let folder = tools::cache()?.join(format!("cargo-deny-{CARGO_DENY}"));
    let program = folder.join("bin").join(tools::executable("cargo-deny"));
    if !program.is_file() {
        println!("building cargo-deny {CARGO_DENY}, once");
        let mut command = tools::cargo();
        command.args(["install", "--locked", "--quiet", "cargo-deny", "--version", CARGO_DENY, "--root"]).arg(&folder);
        // Its own folder, so that it neither waits for nor fills the workspace's.
        command.env("CARGO_TARGET_DIR", folder.join("build"));
        processes::run(&mut command)?;
        // The binary is all that is needed of some hundred megabytes.
        std::fs::remove_dir_all(folder.join("build"))
            .map_err(|error| format!("the build folder of cargo-deny stays: {error}"))?;
    }
    Ok(program)
}

/// The TypeScript twins of the Rust types, which the test run writes anew.
struct Bindings(Vec<(PathBuf, Vec<u8>)>);

impl Bindings {
    fn now() -> Outcome<Self> {
        let folder = tools::root().join("ui/src/bindings");
        let unreadable = |error: std::io::Error| format!("{} cannot be read: {error}", folder.display());
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            files.push((path.clone(), std::fs::read(&path).map_err(unreadable)?));
        }
        files.sort();
        Ok(Self(files))
    }

    /// Against what was there before the tests, and against what is committed where git is there.
    fn compare(&self) -> Outcome {
        if Self::now()?.0 != self.0 {
            return Err(String::from("ui/src/bindings was out of date; it has been written anew, look at it and commit it"));
        }
        if !tools::on_path("git") || !tools::root().join(".git").exists() {
            return Ok(());
        }
        let mut git: Command = tools::in_root("git");
        git.args(["diff", "--exit-code", "--stat", "--", "ui/src/bindings"]);
        processes::run(&mut git).map_err(|_| String::from("ui/src/bindings differs from what is committed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failing_step_fails_the_whole() {
        let mut steps = Steps::default();
        steps.run("good", || Ok(()));
        assert!(steps.stop_at_failure().is_ok());
        steps.run("bad", || Err(String::from("broken")));
        assert_eq!(steps.failed(), 1);
        assert_eq!(steps.summary(Duration::ZERO).unwrap_err(), "1 of 2 steps failed");
    }
}

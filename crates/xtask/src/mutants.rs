//! `cargo xtask mutants`: faults are put in one after the other, and a test has to notice each. Where a mistake costs most: what decides who
//! is seen, who is matched, and what is told of a blind answer. cargo-mutants lists what was missed below `target/mutants`; what is known of
//! those is in docs/mutants.md.
//!
//! Most of the cost is compiling, thousands of times. So a place builds the targets whose tests can notice its faults and nothing else,
//! incrementally and without debug information: about a second of compiling for a fault in `sight` instead of nine.

use crate::{Outcome, processes, tools};
use std::path::PathBuf;
use std::process::Command;

/// Whose faults, and which tests have to notice them.
struct Place {
    name: &'static str,
    about: &'static str,
    package: &'static str,
    /// Of the package, below its `src`; those that begin with `!` are left to other places.
    files: &'static [&'static str],
    /// What cargo builds for each fault.
    targets: &'static [&'static str],
    /// Names of tests, or words for the test program: others take time and would notice nothing.
    tests: &'static [&'static str],
}

const PLACES: [Place; 8] = [
    Place {
        name: "blind",
        about: "the question that two answer without seeing the other's answer",
        package: "visavis-server",
        files: &["blind.rs"],
        targets: &["--lib"],
        tests: &["blind::"],
    },
    Place {
        name: "gate",
        about: "what makes a picture one that may leave, and for how long",
        package: "visavis-sight",
        files: &["gate.rs", "gate/ledger.rs"],
        targets: &["--lib"],
        tests: &["gate::"],
    },
    Place {
        name: "belief",
        about: "when something about a camera is believed",
        package: "visavis-sight",
        files: &["hysteresis.rs"],
        targets: &["--lib"],
        tests: &["hysteresis::"],
    },
    Place {
        name: "veil",
        about: "the mosaic",
        package: "visavis-sight",
        files: &["veil.rs"],
        targets: &["--lib"],
        tests: &["veil::"],
    },
    Place {
        name: "sight",
        about: "the rest of sight: measures and the detector",
        package: "visavis-sight",
        files: &["!gate.rs", "!gate/ledger.rs", "!hysteresis.rs", "!veil.rs"],
        targets: &["--lib"],
        tests: &["--skip", "gate::"],
    },
    Place {
        name: "rules",
        about: "who may meet whom, and what both are told of why",
        package: "visavis-matching",
        files: &["rules.rs", "reason.rs", "person.rs"],
        targets: &["--lib", "--test=rules"],
        tests: &[],
    },
    Place {
        name: "prices",
        about: "what a partner costs, and who is taken",
        package: "visavis-matching",
        files: &["pool/choose.rs", "waits.rs"],
        targets: &["--lib", "--tests"],
        tests: &[],
    },
    Place {
        name: "matching",
        about: "the rest of matching: cells, interests, what is learnt",
        package: "visavis-matching",
        files: &["!rules.rs", "!reason.rs", "!person.rs", "!pool/choose.rs", "!waits.rs"],
        targets: &["--lib", "--tests"],
        tests: &[],
    },
];
const INSTALL: &str = "cargo install --locked cargo-mutants";

pub fn mutants(arguments: &[String]) -> Outcome {
    let first_flag = arguments.iter().position(|word| word.starts_with('-')).unwrap_or(arguments.len());
    let (names, flags) = arguments.split_at(first_flag);
    if names.iter().any(|name| name == "places") {
        for Place { name, about, package, files, .. } in &PLACES {
            println!("{name:<9} {about} ({package}: {})", files.join(" "));
        }
        return Ok(());
    }
    if let Some(other) = names.iter().find(|name| PLACES.iter().all(|place| place.name != name.as_str())) {
        let known = PLACES.map(|place| place.name).join(", ");
        return Err(format!("there is no {other:?} to put faults into: {known}"));
    }
    if !tools::on_path("cargo-mutants") {
        return Err(format!("cargo-mutants is not on the PATH: {INSTALL}"));
    }
    let mut missed = Vec::new();
    for place in PLACES.iter().filter(|place| names.is_empty() || names.iter().any(|name| name == place.name)) {
        println!("\n{}: {}", place.name, place.about);
        if let Err(why) = one(place, flags) {
            if processes::interrupted() {
                return Err(why);
            }
            missed.push(format!("{}: {why}", place.name));
        }
    }
    if missed.is_empty() { Ok(()) } else { Err(missed.join("; ")) }
}

/// In a copy of the tree, so that work in this one can go on.
fn one(place: &Place, flags: &[String]) -> Outcome {
    let out = tools::root().join("target/mutants").join(place.name);
    tools::create(&out)?;
    let mut command = tools::cargo();
    command.args(["mutants", "--package", place.package, "--test-package", place.package, "--jobs", "1", "--colors", "never"]);
    let (flags, words) = flags.split_at(flags.iter().position(|word| word == "--").unwrap_or(flags.len()));
    command.args(["--minimum-test-timeout", "60", "--no-shuffle", "--output"]).arg(&out).args(flags);
    name_files(&mut command, place);
    // Unlike what follows the dashes these go to the build as well.
    command.args(place.targets.iter().map(|target| format!("--cargo-arg={target}")));
    if !place.tests.is_empty() || !words.is_empty() {
        command.args(["--", "--"]).args(place.tests).args(words.iter().skip(1));
    }
    // The dependencies there are compiled already.
    command.env("CARGO_TARGET_DIR", target()).env("CARGO_INCREMENTAL", "1").env("CARGO_PROFILE_DEV_DEBUG", "false");
    // One failure is enough, and what one fault made fail must not be tried on the next.
    command.env("PROPTEST_MAX_SHRINK_ITERS", "0").env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1");
    processes::run(&mut command)
}

fn name_files(command: &mut Command, place: &Place) {
    let folder = place.package.replacen("visavis-", "crates/", 1);
    for file in place.files {
        match file.strip_prefix('!') {
            Some(file) => command.args(["--exclude", &format!("{folder}/src/{file}")]),
            None => command.args(["--file", &format!("{folder}/src/{file}")]),
        };
    }
}

/// Of this tree; the copy would have one of its own.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| tools::root().join("target"), |folder| tools::root().join(folder))
}

//! `cargo xtask mutants`: faults are put in one after the other, and a test has to notice each. Where a mistake costs most: what decides who
//! is seen, who is matched, and what is told of a blind answer. cargo-mutants lists what was missed below `target/mutants`.

use crate::{Outcome, processes, tools};

/// Whose faults, and which tests have to notice them.
struct Place {
    name: &'static str,
    package: &'static str,
    /// Of the package, where not all of it is meant.
    files: &'static [&'static str],
    /// For `cargo test`: tests of other parts take time and would notice nothing.
    tests: &'static [&'static str],
}

const PLACES: [Place; 3] = [
    Place {
        name: "blind",
        package: "visavis-server",
        files: &["crates/server/src/blind.rs"],
        tests: &["--lib", "--", "blind", "room"],
    },
    Place { name: "sight", package: "visavis-sight", files: &[], tests: &[] },
    Place { name: "matching", package: "visavis-matching", files: &[], tests: &["--lib", "--tests"] },
];
const INSTALL: &str = "cargo install --locked cargo-mutants";

pub fn mutants(arguments: &[String]) -> Outcome {
    let (names, flags): (Vec<&String>, Vec<&String>) = match arguments.iter().position(|word| word.starts_with('-')) {
        Some(at) => (arguments[..at].iter().collect(), arguments[at..].iter().collect()),
        None => (arguments.iter().collect(), Vec::new()),
    };
    if let Some(other) = names.iter().find(|name| PLACES.iter().all(|place| place.name != name.as_str())) {
        let known = PLACES.map(|place| place.name).join(", ");
        return Err(format!("there is no {other:?} to put faults into: {known}"));
    }
    if !tools::on_path("cargo-mutants") {
        return Err(format!("cargo-mutants is not on the PATH: {INSTALL}"));
    }
    let mut missed = Vec::new();
    for place in PLACES.iter().filter(|place| names.is_empty() || names.iter().any(|name| *name == place.name)) {
        println!("\n{}", place.name);
        if let Err(why) = one(place, &flags) {
            if processes::interrupted() {
                return Err(why);
            }
            missed.push(format!("{}: {why}", place.name));
        }
    }
    if missed.is_empty() { Ok(()) } else { Err(missed.join("; ")) }
}

/// In a copy of the tree, so that work in this one can go on.
fn one(place: &Place, flags: &[&String]) -> Outcome {
    let out = tools::root().join("target/mutants").join(place.name);
    tools::create(&out)?;
    let mut command = tools::cargo();
    command.args(["mutants", "--package", place.package, "--test-package", place.package, "--jobs", "1", "--colors", "never"]);
    command.args(["--minimum-test-timeout", "60", "--no-shuffle", "--output"]).arg(&out).args(flags);
    place.files.iter().for_each(|file| {
        command.args(["--file", file]);
    });
    if !place.tests.is_empty() {
        command.arg("--").args(place.tests);
    }
    processes::run(&mut command)
}

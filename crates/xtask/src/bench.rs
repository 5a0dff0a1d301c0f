//! `cargo xtask bench NAME`: builds what a bench needs and starts it; `all` runs them in turn and writes their figures down.

use crate::figures::{COVER, COVER_VEILED, Page};
use crate::{Outcome, node, packages, processes, tools};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// From `all` to each of its runs: programs and page are built.
const BUILT: &str = "--built";

/// Builds the benches optimised, as the figures are meaningless otherwise.
pub fn bench(arguments: &[String]) -> Outcome {
    let built = arguments.first().is_some_and(|name| name == BUILT);
    let arguments = &arguments[usize::from(built)..];
    if arguments.first().is_some_and(|name| name == "all") {
        return all(&arguments[1..]);
    }
    match arguments.split_first() {
        Some((name, flags)) if name == "matching" => return bench_of_crate("visavis-matching", "town", flags),
        Some((name, flags)) if name == "server" => return bench_of_crate("visavis-server", "load", flags),
        Some((name, flags)) if name == "look" => return bench_of_crate("visavis-sight", "look", flags),
        Some((name, [])) if name == "echo" => return echo(),
        _ => {}
    }
    if !built {
        packages::install_missing()?;
    }
    let of_the_page = [("paper", "paper-bench.mjs"), ("interaction", "interaction.mjs"), ("size", "size.mjs")];
    if let Some((_, file)) = of_the_page.into_iter().find(|(name, _)| arguments.first().is_some_and(|given| given == name)) {
        let browser = packages::chromium().ok_or("no Chromium is on the PATH and none could be installed")?;
        let node = node::find()?;
        if !built {
            node.build_interface()?;
        }
        return node.drive(file, &arguments[1..], &browser);
    }
    let with_windows = arguments
        .first()
        .is_some_and(|name| ["windows", "ink", "veil", "start", "memory", "screenshot"].contains(&name.as_str()));
    match (built, with_windows) {
        (true, _) => {}
        (false, true) => build_windows()?,
        // Neither the windows nor their pages.
        (false, false) => {
            processes::run(tools::cargo().args(["build", "--locked", "--release", "--package", "visavis-rehearsal", "--bins"]))?;
        }
    }
    let binaries = tools::binaries(true)?;
    let mut command = tools::in_root(binaries.join(tools::executable("visavis-bench")));
    command.args(arguments);
    if with_windows && !arguments.iter().any(|flag| flag == "--app") {
        command.arg("--app").arg(binaries.join(tools::executable("visavis")));
    }
    processes::run(&mut command)
}

fn build_windows() -> Outcome {
    node::find()?.build_interface()?;
    tools::build(true)
}

/// Cargo starts a bench in the folder of its package, so a file is named from the root.
fn bench_of_crate(package: &str, bench: &str, flags: &[String]) -> Outcome {
    let here = std::env::current_dir().map_err(|error| error.to_string())?;
    let mut command = tools::cargo();
    command.args(["bench", "--locked", "--package", package, "--bench", bench, "--"]);
    let mut is_file = false;
    for flag in flags {
        if is_file {
            command.arg(here.join(flag))
        } else {
            command.arg(flag)
        };
        is_file = flag == "--json";
    }
    processes::run(&mut command)
}

/// What the tests of echo and double talk measure, which they judge as well.
fn echo() -> Outcome {
    let mut command = tools::cargo();
    command.args([
        "test",
        "--locked",
        "--quiet",
        "--package",
        "visavis-media",
        "--lib",
        "--",
        "--nocapture",
        "--test-threads",
        "1",
    ]);
    processes::run(command.args(["an_echo_is_taken_out", "who_speaks_at_the_same_time_is_heard"]))
}

/// What is run, by its arguments, and how it is made short.
const BENCHES: [(&[&str], &[&str]); 15] = [
    (&["setup"], &["--seconds", "8"]),
    (&["call"], &["--pairs", "1", "--seconds", "15"]),
    (&["start"], &["--runs", "3"]),
    (&["memory"], &["--seconds", "10"]),
    // Not shortened: what only one picture in twenty exceeds wants some hundred pictures.
    (&["windows"], &[]),
    (&["ink"], &["--strokes", "12"]),
    (&["ink", "--loss", "5", "--round-trip-ms", "80"], &["--strokes", "12"]),
    (&["veil"], &["--covers", "6"]),
    (&["paper"], &["--seconds", "5"]),
    (&["interaction"], &["--rounds", "2"]),
    (&["size"], &[]),
    (&["look"], &[]),
    (&["echo"], &[]),
    (&["matching"], &["--seeds", "1"]),
    (&["server"], &["--idle", "2000", "--joining", "500", "--over-s", "2", "--meeting", "100", "--seconds", "5"]),
];

/// A bench that cannot run here takes nothing from the others: the page says why it did not.
fn all(flags: &[String]) -> Outcome {
    let mut flags = flags.iter();
    let (mut quick, mut out, mut covers) = (false, tools::root().join("docs/figures.md"), None);
    while let Some(flag) = flags.next() {
        match flag.as_str() {
            "--quick" => quick = true,
            "--covers" => covers = Some(flags.next().ok_or("--covers needs a folder of labelled clips")?),
            "--out" => out = PathBuf::from(flags.next().ok_or("--out needs a file")?),
            other => return Err(format!("bench all does not know {other}")),
        }
    }
    packages::install_missing()?;
    // Once for all: the programs of one package alone would be compiled with other features of what they use.
    build_windows()?;
    let mut page = Page::default();
    let runs = runs(quick, covers);
    for (at, (name, arguments)) in runs.iter().enumerate() {
        println!("\n== bench {name}");
        let mut lines = Vec::new();
        let outcome = listen(arguments, &mut lines);
        if processes::interrupted() {
            return Err(String::from("interrupted"));
        }
        page.take(name, &lines, outcome.err());
        // What has been measured stays, should a later one take the machine with it.
        let missing: String = runs[at + 1..].iter().map(|(name, _)| format!("- `bench {name}`\n")).collect();
        let missing = if missing.is_empty() { missing } else { format!("\n## Not run\n\n{missing}") };
        write(&out, &(page.text(quick) + &missing))?;
    }
    page.sizes();
    let text = page.text(quick);
    print!("\n{text}");
    write(&out, &text)?;
    println!("written to {}", out.display());
    Ok(())
}

fn write(out: &Path, text: &str) -> Outcome {
    std::fs::write(out, text).map_err(|error| format!("{} cannot be written: {error}", out.display()))
}

/// Each bench by its name, with its arguments. `covers`: a folder of labelled clips, for no such clips come along.
fn runs(quick: bool, covers: Option<&String>) -> Vec<(String, Vec<String>)> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let mut runs: Vec<_> = BENCHES
        .iter()
        .map(|(arguments, shorter)| (arguments.join(" "), owned(&[*arguments, if quick { *shorter } else { &[] }].concat())))
        .collect();
    for (name, veiled) in covers.iter().flat_map(|_| [(COVER, &[] as &[&str]), (COVER_VEILED, &["--veiled"])]) {
        let out = std::env::temp_dir().join("visavis-covers.csv");
        let mut arguments = owned(&["cover"]);
        arguments.extend(covers.cloned());
        arguments.extend(owned(&["--out"]));
        arguments.push(out.to_string_lossy().into_owned());
        arguments.extend(owned(veiled));
        runs.push((name.to_owned(), arguments));
    }
    runs
}

/// Another run of this program, so that what one bench does to its process ends with it. Its lines are shown and kept.
fn listen(arguments: &[String], lines: &mut Vec<String>) -> Outcome {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args(["bench", BUILT]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = processes::Process::start("bench", &mut command)?;
    let errors = process.take_errors().map(|errors| {
        std::thread::spawn(move || {
            let mut last = None;
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                eprintln!("{line}");
                // That a program ended badly says less than its own last words, and names where it lies.
                let says = !line.trim().is_empty() && !line.starts_with("xtask: `");
                last = Some(line).filter(|_| says).or(last);
            }
            last
        })
    });
    for line in process.take_output().into_iter().flat_map(|output| BufReader::new(output).lines().map_while(Result::ok)) {
        println!("{line}");
        lines.push(line);
    }
    let status = process.wait()?;
    let last = errors.and_then(|errors| errors.join().ok()).flatten();
    if status.success() { Ok(()) } else { Err(last.unwrap_or_else(|| status.to_string())) }
}

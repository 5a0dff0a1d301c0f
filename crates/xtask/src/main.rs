//! `cargo xtask`: set a machine up, run the whole product on it, test it, measure it. Only the standard library, so that it
//! builds in seconds on a fresh machine; what needs the product's own crates lives in `visavis-rehearsal` and is started here.

mod bench;
mod display;
#[cfg(unix)]
mod ffi;
mod figures;
mod fuzz;
mod mutants;
mod node;
mod package;
mod packages;
mod processes;
mod run;
mod test;
mod tools;
mod windows;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  setup                install or name what this machine lacks (system packages, Node, front-end modules)
  run [FLAGS]          build everything, start a server and two app windows with test identities
      --windows N          how many windows, 1 to 4 (default 2)
      --bot                one more participant without a window
      --headless           on a virtual display, with screenshots under target/run/ (automatic without a display)
      --auto-sign-in       sign the test identities in without the system browser (automatic with --headless)
      --release            build optimised
      --profile-dir DIR    keep the windows' profiles there (default target/run/profiles, emptied at each start)
      --camera-a SOURCE    camera of the first window; also --camera-b, -c, -d (default: a drawn face, or the real camera)
      --seconds N          end by itself after N seconds
  test                 everything that has to hold before a commit
  bench NAME [FLAGS]   measure
      call                 our engine and Chromium's over bad networks (Linux, as root): --scenario S, --pairs N, --seconds N,
                           --camera FILE, --clip FILE, --size WxH, --codec C, --relay, --ours-alone, --json FILE
      setup                set-up time and latency of two sessions through the relay
      windows              two app windows: latency between pages, processor, memory
      ink                  two app windows: pointer to ink on the other page: --strokes N, --littered N, --loss PERCENT, --round-trip-ms N
      paper                what a frame of the page costs while both draw over a full sheet (Chromium): --marks N, --seconds N
      interaction          from a press in a call to the frame that shows it (Chromium): --rounds N, --most MS
      start                from the start of the program to a picture in the mirror: --runs N, --forget-the-disk (as root)
      memory               private memory of one app window in a call, and of Chromium in one: --seconds N
      veil                 from a cover before one window's camera to the first veiled picture of the other: --covers N
      matching             the matcher among people whose liking only the referee knows: --seeds 1,2, --only NAME, --json FILE
      server               one server with its default database, without TLS (Linux): memory of idle sockets, join to match,
                           sessions a second: --only idle,join,sessions, --idle N, --joining N, --over-s N, --meeting N,
                           --seconds N, --json FILE
      cover DIR --out FILE [--veiled]   what the detector says of the labelled clips in DIR, and how well that fits
      look                 what it costs to judge a picture
      echo                 how much of an echo is taken out, and what double talk changes
      size                 scripts and styles of the page, compressed
      all [--quick] [--out FILE] [--covers DIR]   each of them in turn: every figure with its target and ratio, written to docs/figures.md
  screenshots          the pictures of docs/screenshots, every page in both themes and two sizes (Chromium): --compare, PART OF A NAME
  rehearse SCENARIO    an evening by a plan (one of --list, or a TOML file): server, people, bad network, faults; rules are checked, and
                       report.html and report.json written to --out DIR (default target/rehearse); --seed N
      soak [--evenings N] [--seed N]   evenings of 200 people in virtual time, without a network
  fuzz [NAME] [--seconds N]   the decoders of fuzz/ under libFuzzer, N seconds each (default 5)
  mutants [PLACE...] [FLAGS] [-- WORDS]   faults are put in, and tests must notice each; `mutants places` lists the places, FLAGS are
                       those of cargo-mutants, for example --list or --shard 0/8, WORDS those of the test program
  package              build installers for this system, into target/package (Linux: .deb, .rpm) or target/release/bundle
      --binary FILE        pack this program instead of building one
      --updates FILE       have it look for newer versions where FILE says, signed by FILE's key (deploy/updates.conf)
      --check              install the .deb in a clean Debian root and start it there (as root, with debootstrap)
  check-windows        type-check everything for Windows, where this machine has what that needs

Words of SOURCE: device:ID, file:PATH, pattern, face:NAME, image:PATH.
";

/// A sentence for the user.
type Outcome<T = ()> = Result<T, String>;

fn main() -> ExitCode {
    if let Some(code) = fuzz::as_compiler() {
        return code;
    }
    processes::listen_for_signals();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[] as &[String]),
    };
    let outcome = match command {
        "setup" => tools::no_flags(rest).and_then(|()| set_up()),
        "run" => run::Flags::parse(rest).and_then(run::run),
        "test" => tools::no_flags(rest).and_then(|()| test::test()),
        "bench" => bench::bench(rest),
        "screenshots" => screenshots(rest),
        "rehearse" => rehearse(rest),
        "fuzz" => fuzz::fuzz(rest),
        "mutants" => mutants::mutants(rest),
        "package" => package::Flags::parse(rest).and_then(|flags| package::package(&flags)),
        "check-windows" => tools::no_flags(rest).and_then(|()| windows::check()),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(format!("there is no command {other:?}; cargo xtask help lists them")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) if processes::interrupted() => {
            eprintln!("xtask: interrupted; everything it started has ended");
            ExitCode::from(130)
        }
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

fn set_up() -> Outcome {
    packages::install_missing()?;
    let node = node::find()?;
    node.install_modules()?;
    println!("ready: cargo xtask run");
    Ok(())
}

fn screenshots(flags: &[String]) -> Outcome {
    packages::install_missing()?;
    let browser = packages::chromium().ok_or("no Chromium is on the PATH and none could be installed")?;
    let node = node::find()?;
    node.build_interface()?;
    node.drive("screenshots.mjs", flags, &browser)
}

fn rehearse(arguments: &[String]) -> Outcome {
    packages::install_missing()?;
    if arguments.first().is_some_and(|scenario| has_windows(scenario)) {
        node::find()?.build_interface()?;
        tools::build(true)?;
        let binary = tools::binaries(true)?.join(tools::executable("visavis-rehearse"));
        return processes::run(tools::in_root(binary).args(arguments));
    }
    processes::run(tools::cargo().args([
        "build",
        "--locked",
        "--release",
        "--package",
        "visavis-rehearsal",
        "--bin",
        "visavis-rehearse",
        // Whom a plan may want in processes of their own.
        "--bin",
        "visavis-bot",
        "--package",
        "visavis-server",
        "--bin",
        "visavis-server",
    ]))?;
    let binary = tools::binaries(true)?.join(tools::executable("visavis-rehearse"));
    processes::run(tools::in_root(binary).args(arguments))
}

/// What only the app can play.
fn has_windows(scenario: &str) -> bool {
    let known = tools::root().join("crates/rehearsal/evenings").join(format!("{scenario}.toml"));
    let text = std::fs::read_to_string(known).or_else(|_| std::fs::read_to_string(scenario)).unwrap_or_default();
    text.lines().any(|line| line.replace(' ', "").starts_with("window=true"))
}

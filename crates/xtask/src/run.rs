//! `cargo xtask run`: a whole evening on one machine. Builds, starts the server on free loopback ports, opens the windows side
//! by side, and ends everything again.

use crate::display::{self, Virtual};
use crate::processes::{self, Process};
use crate::{Outcome, node, packages, tools};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The development issuer's test identities, in the order in which windows get them.
const IDENTITIES: [&str; 4] = ["ada", "bao", "chen", "dora"];
const LETTERS: [&str; 4] = ["a", "b", "c", "d"];
/// Two stand side by side on a screen of 1920 pixels.
const WINDOW: (u32, u32) = (956, 760);
const BETWEEN_SCREENSHOTS: Duration = Duration::from_secs(4);
/// A first start creates keys and a database.
const SERVER_PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Flags {
    windows: usize,
    bot: bool,
    headless: bool,
    auto_sign_in: bool,
    release: bool,
    profile_dir: Option<PathBuf>,
    cameras: [Option<String>; 4],
    seconds: Option<u64>,
}

impl Flags {
    pub fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut flags = Self { windows: 2, ..Self::default() };
        let mut words = arguments.iter().map(String::as_str);
        while let Some(flag) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{flag} needs a value"));
            match flag {
                "--windows" => flags.windows = number(flag, value()?, 1, IDENTITIES.len() as u64)? as usize,
                "--seconds" => flags.seconds = Some(number(flag, value()?, 1, 86_400)?),
                "--profile-dir" => flags.profile_dir = Some(absolute(value()?)?),
                "--bot" => flags.bot = true,
                "--headless" => flags.headless = true,
                "--auto-sign-in" => flags.auto_sign_in = true,
                "--release" => flags.release = true,
                _ => match flag.strip_prefix("--camera-").and_then(|letter| LETTERS.iter().position(|known| *known == letter)) {
                    Some(window) => flags.cameras[window] = Some(camera(value()?)?),
                    None => return Err(format!("{flag:?} is not understood; cargo xtask help lists the flags")),
                },
            }
        }
        if flags.bot && flags.windows == IDENTITIES.len() {
            return Err(format!("--bot takes the last of the {} test identities: use fewer windows", IDENTITIES.len()));
        }
        Ok(flags)
    }
}

fn number(flag: &str, text: &str, least: u64, most: u64) -> Outcome<u64> {
    let value = text.parse().ok().filter(|value| (least..=most).contains(value));
    value.ok_or_else(|| format!("{flag} is a number from {least} to {most}, not {text:?}"))
}

/// The children run in the root, the user's shell may not.
fn absolute(path: &str) -> Outcome<PathBuf> {
    std::path::absolute(path).map_err(|error| format!("the path {path:?} is unusable: {error}"))
}

fn camera(source: &str) -> Outcome<String> {
    let (kind, path) = match source.split_once(':') {
        Some((kind @ ("file" | "image"), path)) => (kind, path),
        None if source.contains('.') => ("file", source),
        _ => return Ok(source.to_owned()),
    };
    Ok(format!("{kind}:{}", absolute(path)?.display()))
}

pub fn run(flags: Flags) -> Outcome {
    packages::install_missing()?;
    println!("building the interface");
    let node = node::find()?;
    tools::timed("interface", || node.build_interface())?;
    tools::build(flags.release)?;
    let stage = Stage::new(flags)?;
    stage.play()
}

/// Everything that an evening needs and that has to end with it. Fields are dropped in this order: the windows say goodbye
/// while the server and the display are still there.
struct Stage {
    people: Vec<Process>,
    server: Process,
    display: Option<Virtual>,
    flags: Flags,
    binaries: PathBuf,
    folder: PathBuf,
    profiles: PathBuf,
    address: String,
}

impl Stage {
    fn new(flags: Flags) -> Outcome<Self> {
        let binaries = tools::binaries(flags.release)?;
        let folder = tools::root().join("target/run");
        let profiles = flags.profile_dir.clone().unwrap_or_else(|| folder.join("profiles"));
        if flags.profile_dir.is_none() {
            // Every evening begins with strangers.
            for old in [&profiles, &folder.join("server")] {
                remove(old)?;
            }
        }
        tools::create(&profiles)?;
        let headless = flags.headless || !display::exists();
        let display = if headless { Some(virtual_display(&flags)?) } else { None };
        let server_folder = flags.profile_dir.as_ref().map_or_else(|| folder.join("server"), |folder| folder.join("server"));
        let (server, address) = start_server(&binaries, &server_folder)?;
        println!("server: {address}");
        Ok(Self { people: Vec::new(), server, display, flags, binaries, folder, profiles, address })
    }

    fn play(mut self) -> Outcome {
        for window in 0..self.flags.windows {
            let process = self.open_window(window)?;
            self.people.push(process);
        }
        if self.flags.bot {
            let process = self.start_bot()?;
            self.people.push(process);
        }
        match &self.display {
            Some(_) => println!("running on a virtual display; screenshots: {}", self.folder.join("screen.png").display()),
            None => println!("running; close the windows or press Ctrl-C to end"),
        }
        let outcome = self.watch();
        println!("ending");
        for person in &self.people {
            person.ask_to_end();
        }
        outcome
    }

    fn open_window(&self, window: usize) -> Outcome<Process> {
        let identity = IDENTITIES[window];
        let (width, height) = WINDOW;
        let (column, row) = (window as u32 % 2, window as u32 / 2);
        let mut command = tools::in_root(self.binaries.join(tools::executable("visavis")));
        command
            .args(["--profile", identity, "--server", &self.address, "--title", &format!("Visavis - {identity}")])
            .args(["--window-size", &format!("{width}x{height}")])
            .args(["--window-position", &format!("{},{}", column * (width + 4), row * (height + 40))])
            .arg("--profile-dir")
            .arg(self.profiles.join(identity))
            // Test identities have no place among the user's own secrets.
            .arg("--no-keyring");
        match &self.flags.cameras[window] {
            Some(source) => {
                command.args(["--camera", source]);
            }
            // One real camera cannot serve two windows.
            None if window > 0 || self.display.is_some() => {
                command.args(["--camera", &format!("face:{identity}")]);
            }
            None => {}
        }
        if self.flags.auto_sign_in || self.display.is_some() {
            let bot = self.binaries.join(tools::executable("visavis-bot"));
            command.env("VISAVIS_BROWSER", format!("{} browser --identity {identity}", bot.display()));
            command.arg("--sign-in");
        }
        if let Some(display) = &self.display {
            command.envs(display.environment()).env_remove("WAYLAND_DISPLAY");
        }
        Process::start(&format!("window {identity}"), &mut command)
    }

    fn start_bot(&self) -> Outcome<Process> {
        let identity = IDENTITIES[IDENTITIES.len() - 1];
        let mut command = tools::in_root(self.binaries.join(tools::executable("visavis-bot")));
        command.args([
            "run",
            "--server",
            &self.address,
            "--identity",
            identity,
            "--camera",
            &format!("face:{identity}"),
            "--draw",
        ]);
        command.arg("--profile-dir").arg(self.profiles.join("bot"));
        let log = self.folder.join("bot.jsonl");
        let file = std::fs::File::create(&log).map_err(|error| format!("{} cannot be written: {error}", log.display()))?;
        println!("bot: {identity}, its events in {}", log.display());
        Process::start("bot", command.stdout(file))
    }

    /// Until the windows are closed, the time is up, the server dies or somebody presses Ctrl-C.
    fn watch(&mut self) -> Outcome {
        let begun = Instant::now();
        let mut shots = 0_u32;
        loop {
            if processes::interrupted() {
                return Err(String::from("interrupted"));
            }
            if self.flags.seconds.is_some_and(|seconds| begun.elapsed().as_secs() >= seconds) {
                self.take_screenshot();
                return Ok(());
            }
            if let Some(status) = self.server.status()? {
                return Err(format!("the server ended by itself ({status})"));
            }
            if self.windows_left()? == 0 {
                println!("all windows are closed");
                return Ok(());
            }
            if self.display.is_some() && begun.elapsed() >= BETWEEN_SCREENSHOTS * (shots + 1) {
                shots += 1;
                self.take_screenshot();
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn windows_left(&mut self) -> Outcome<usize> {
        let mut open = 0;
        let mut failed = None;
        self.people.retain_mut(|person| match person.status() {
            Ok(None) => {
                open += usize::from(person.name != "bot");
                true
            }
            Ok(Some(status)) if status.success() => {
                println!("{} has closed", person.name);
                false
            }
            Ok(Some(status)) => {
                failed = Some(format!("{} failed ({status})", person.name));
                false
            }
            Err(why) => {
                failed = Some(why);
                true
            }
        });
        failed.map_or(Ok(open), Err)
    }

    /// An evening goes on without its pictures.
    fn take_screenshot(&self) {
        let Some(display) = &self.display else { return };
        if let Err(why) = display.screenshot(&self.folder.join("screen.png")) {
            println!("no screenshot: {why}");
        }
    }
}

fn virtual_display(flags: &Flags) -> Outcome<Virtual> {
    let (width, height) = WINDOW;
    let (columns, rows) = (flags.windows.min(2) as u32, flags.windows.div_ceil(2) as u32);
    Virtual::start(columns * (width + 4), rows * (height + 40))
}

fn remove(folder: &Path) -> Outcome {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{} cannot be emptied: {error}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Returns when the server says that it is ready, with its address.
fn start_server(binaries: &Path, data: &Path) -> Outcome<(Process, String)> {
    let mut command: Command = tools::in_root(binaries.join(tools::executable("visavis-server")));
    command.args(["--dev", "--listen", "127.0.0.1:0", "--data"]).arg(data).stdout(Stdio::piped());
    let mut server = Process::start("server", &mut command)?;
    let output = server.take_output().ok_or("the server's output is not there")?;
    let (sender, ready) = mpsc::channel();
    std::thread::spawn(move || read_until_ready(output, &sender));
    let begun = Instant::now();
    loop {
        match ready.recv_timeout(Duration::from_millis(100)) {
            Ok(address) => return Ok((server, address)),
            Err(_) if processes::interrupted() => return Err(String::from("interrupted")),
            Err(mpsc::RecvTimeoutError::Disconnected) => return Err(String::from("the server ended before it was ready")),
            Err(mpsc::RecvTimeoutError::Timeout) if begun.elapsed() > SERVER_PATIENCE => {
                return Err(format!("the server was not ready within {} s", SERVER_PATIENCE.as_secs()));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Goes on reading afterwards: a full pipe would stop the server.
fn read_until_ready(output: impl Read, sender: &mpsc::Sender<String>) {
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        match ready_address(&line) {
            // Nobody listens any more once the first has been taken.
            Some(address) => drop(sender.send(address)),
            None => println!("server: {line}"),
        }
    }
}

/// The address in the server's line `{"ready":true,"http":"http://127.0.0.1:PORT",...}`.
fn ready_address(line: &str) -> Option<String> {
    let compact: String = line.split_whitespace().collect();
    compact.contains("\"ready\":true").then_some(())?;
    let (_, rest) = compact.split_once("\"http\":\"")?;
    let (address, _) = rest.split_once('"')?;
    address.starts_with("http://").then(|| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Outcome<Flags> {
        Flags::parse(&words.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn flags_are_read() {
        let flags = parse("--windows 3 --headless --camera-b pattern --camera-c clip.y4m --seconds 20").unwrap();
        assert_eq!((flags.windows, flags.headless, flags.seconds), (3, true, Some(20)));
        assert_eq!(flags.cameras[1].as_deref(), Some("pattern"));
        let file = flags.cameras[2].clone().unwrap();
        assert!(file.starts_with("file:") && Path::new(&file["file:".len()..]).is_absolute(), "{file}");
    }

    #[test]
    fn wrong_flags_are_named() {
        for (words, says) in [
            ("--windows 9", "from 1 to 4"),
            ("--windows", "needs a value"),
            ("--camera-z face:x", "--camera-z"),
            ("--quick", "--quick"),
            ("--windows 4 --bot", "fewer windows"),
        ] {
            let error = parse(words).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn the_servers_address_is_found() {
        let line = r#"{"ready": true, "http":"http://127.0.0.1:4711","issuer":"http://127.0.0.1:4712"}"#;
        assert_eq!(ready_address(line).as_deref(), Some("http://127.0.0.1:4711"));
        assert_eq!(ready_address(r#"{"ready":false,"http":"http://127.0.0.1:4711"}"#), None);
        assert_eq!(ready_address("listening"), None);
    }
}

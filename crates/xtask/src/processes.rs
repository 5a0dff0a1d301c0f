//! Processes that end with us. On Unix every child leads a process group of its own, so that what it starts in turn (a
//! browser engine's helpers, a compiler's jobs) ends with it; a signal to us is noted and looked at between waits.

use crate::Outcome;
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const LOOK: Duration = Duration::from_millis(50);
/// An app that leaves a call properly needs up to 1.5 s.
const PATIENCE: Duration = Duration::from_secs(4);

#[cfg(unix)]
pub use crate::ffi::interrupted;

/// On Windows the console ends the whole tree by itself.
#[cfg(not(unix))]
pub fn interrupted() -> bool {
    false
}

pub fn listen_for_signals() {
    #[cfg(unix)]
    crate::ffi::note_signals();
}

/// A child with all that it starts; dropping it ends them.
pub struct Process {
    pub name: String,
    child: Child,
    ended: bool,
}

impl Process {
    pub fn start(name: &str, command: &mut Command) -> Outcome<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command.stdin(Stdio::null()).spawn().map_err(|error| format!("{program} could not be started: {error}"))?;
        Ok(Self { name: name.to_owned(), child, ended: false })
    }

    /// Once; the command must have been given a pipe.
    pub fn take_output(&mut self) -> Option<impl Read + Send + 'static> {
        self.child.stdout.take()
    }

    /// The same of its errors.
    pub fn take_errors(&mut self) -> Option<impl Read + Send + 'static> {
        self.child.stderr.take()
    }

    /// How it ended, if it has.
    pub fn status(&mut self) -> Outcome<Option<ExitStatus>> {
        self.child.try_wait().map_err(|error| format!("{} cannot be watched: {error}", self.name))
    }

    /// Waits for the end; an interruption of ours ends it at once.
    pub fn wait(mut self) -> Outcome<ExitStatus> {
        loop {
            if let Some(status) = self.status()? {
                return Ok(status);
            }
            if interrupted() {
                return Err(String::from("interrupted"));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Asks it to end. Follow with [`Process::end`].
    pub fn ask_to_end(&self) {
        if !self.ended {
            #[cfg(unix)]
            crate::ffi::signal_group(self.child.id(), false);
        }
    }

    /// Ends it and what it started: first politely, after a few seconds by force.
    pub fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        #[cfg(unix)]
        {
            crate::ffi::signal_group(self.child.id(), false);
            let begun = Instant::now();
            while begun.elapsed() < PATIENCE && matches!(self.child.try_wait(), Ok(None)) {
                std::thread::sleep(LOOK);
            }
            crate::ffi::signal_group(self.child.id(), true);
        }
        #[cfg(windows)]
        {
            let tree = ["/T", "/F", "/PID"];
            let _ = Command::new("taskkill").args(tree).arg(self.child.id().to_string()).stdout(Stdio::null()).status();
            let begun = Instant::now();
            while begun.elapsed() < PATIENCE && matches!(self.child.try_wait(), Ok(None)) {
                std::thread::sleep(LOOK);
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Runs a command to its end, output passed through.
pub fn run(command: &mut Command) -> Outcome {
    let shown = shown(command);
    let status = Process::start(&shown, command)?.wait()?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` ended with {status}")) }
}

/// Output of a short command, `None` when it fails or is not there.
pub fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

pub fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_a_child_started_ends_with_it() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "sleep 60 & echo $!; wait"]).stdout(Stdio::piped());
        let mut process = Process::start("sh", &mut shell).unwrap();
        let mut output = process.take_output().unwrap();
        let mut line = Vec::new();
        let mut byte = [0];
        while output.read(&mut byte).unwrap() == 1 && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        let grandchild = String::from_utf8(line).unwrap();
        assert!(alive(&grandchild));
        process.end();
        let begun = Instant::now();
        while alive(&grandchild) && begun.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(LOOK);
        }
        assert!(!alive(&grandchild));
    }

    /// A zombie that waits for its parent counts as ended.
    fn alive(process: &str) -> bool {
        let state = output("ps", &["-o", "stat=", "-p", process]).unwrap_or_default();
        !state.is_empty() && !state.starts_with('Z')
    }

    #[test]
    fn a_failing_command_is_an_error_that_names_it() {
        let error = run(Command::new("sh").args(["-c", "exit 3"])).unwrap_err();
        assert!(error.contains("sh -c exit 3") && error.contains('3'), "{error}");
        let error = run(&mut Command::new("no-such-program")).unwrap_err();
        assert!(error.contains("no-such-program could not be started"), "{error}");
    }
}

//! The server as a process, and what the system says of it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitCode, Stdio};
use tempfile::TempDir;

/// Beside the sockets: the database, the relay, the programs themselves.
const OTHER_FILES: usize = 500;
/// Of the clock that `/proc` counts with; 100 on every Linux of today.
const TICKS: f64 = 100.0;

pub struct Process {
    child: Child,
    pub address: SocketAddr,
    _folder: TempDir,
}

impl Process {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_visavis-server"));
        command.arg("--dev").arg("--data").arg(folder.path()).env_clear().env("VISAVIS_LOG", "warn");
        for limit in ["REQUESTS_PER_MINUTE", "SIGN_INS_PER_MINUTE", "JOINS_PER_MINUTE", "SKIPS_PER_MINUTE"] {
            command.env(format!("VISAVIS__LIMITS__{limit}"), "1000000");
        }
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the server starts");
        let mut line = String::new();
        let said = child.stdout.take().expect("it is piped");
        BufReader::new(said).read_line(&mut line).expect("a line that says that it is ready");
        let ready: serde_json::Value = serde_json::from_str(&line).expect("the line is JSON");
        let http = ready["http"].as_str().and_then(|http| http.strip_prefix("http://")).expect("an address");
        Self { address: http.parse().expect("an address and a port"), child, _folder: folder }
    }

    fn proc(&self, name: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{name}", self.child.id())).unwrap_or_default()
    }

    /// Bytes of its own, in memory.
    pub fn memory(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().map_or(0, |kilobytes| kilobytes * 1024)
    }

    /// Seconds of processor so far.
    pub fn cpu(&self) -> f64 {
        let stat = self.proc("stat");
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        // Of proc_pid_stat(5), fields 14 and 15.
        after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS
    }

    pub fn sockets_open(&self) -> usize {
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.child.id()));
        let is_socket = |file: &std::fs::DirEntry| {
            std::fs::read_link(file.path()).is_ok_and(|to| to.to_string_lossy().starts_with("socket:"))
        };
        files.map_or(0, |files| files.flatten().filter(is_socket).count())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone where it broke down.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is made of the limit of open files.
pub enum Files {
    Enough,
    /// No more sockets than this at once: a higher limit is not allowed here.
    AtMost(usize),
    /// All was done by this program under a higher limit.
    Ran(ExitCode),
}

/// Set where the limit has been raised as far as it goes.
const RAISED: &str = "VISAVIS_LOAD_RAISED";

/// Runs this program again under a higher limit of open files where it needs one.
pub fn with_enough_files(sockets: usize) -> Files {
    let needed = sockets + OTHER_FILES;
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let soft =
        limits.lines().find_map(|line| line.strip_prefix("Max open files")).and_then(|line| line.split_whitespace().next());
    // Of what is "unlimited" there are enough.
    let Some(soft) = soft.and_then(|soft| soft.parse::<usize>().ok()).filter(|soft| *soft < needed) else { return Files::Enough };
    if std::env::var_os(RAISED).is_some() {
        return Files::AtMost(soft.saturating_sub(OTHER_FILES));
    }
    let Ok(program) = std::env::current_exe() else { return Files::AtMost(soft.saturating_sub(OTHER_FILES)) };
    let script = format!("ulimit -n {needed} 2>/dev/null || ulimit -n $(ulimit -H -n); exec \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh"]).arg(program).args(std::env::args().skip(1)).env(RAISED, "1");
    match command.status() {
        Ok(status) => {
            Files::Ran(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
        }
        Err(error) => {
            eprintln!("load: {needed} open files are needed: {error}");
            Files::Ran(ExitCode::FAILURE)
        }
    }
}

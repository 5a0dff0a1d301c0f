//! PostgreSQL and NATS for tests: private ones, on free ports of this machine, with their data in a folder that is removed.
//!
//! Each runs under a keeper, a shell that waits for the end of its own standard input: whatever becomes of the test process, its
//! end closes that pipe, and the keeper ends the engine and removes the folder. Where a program is not installed, that is said on
//! standard error past the capture of the tests, and whoever asked gets `None`; one that is there and does not start is a failure.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// A program under a keeper.
struct Kept {
    keeper: Child,
    pid: u32,
}

impl Kept {
    fn start(program: &[String], folder: &Path) -> Self {
        let script = r#"trap '' INT HUP
folder=$1; shift
"$@" >>"$folder/log" 2>&1 </dev/null &
pid=$!
echo $pid
read -r word
kill -QUIT $pid 2>/dev/null
wait $pid 2>/dev/null
[ "$word" = keep ] || rm -rf "$folder"
exit 0"#;
        let mut keeper = Command::new("sh")
            .args(["-c", script, "keeper"])
            .arg(folder)
            .args(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { keeper, pid: line.trim().parse().unwrap() }
    }

    /// kill -9 of the engine itself; its data stay.
    fn kill(mut self) {
        let _ = Command::new("kill").args(["-KILL", &self.pid.to_string()]).stderr(Stdio::null()).status();
        if let Some(words) = &mut self.keeper.stdin {
            let _ = words.write_all(b"keep\n");
        }
    }
}

/// Ends the engine and removes its folder.
impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

pub struct Postgres {
    kept: Option<Kept>,
    bin: PathBuf,
    folder: PathBuf,
    pub port: u16,
}

impl Postgres {
    pub fn start() -> Option<Self> {
        let Some(bin) = postgres_folder() else {
            leave_out("PostgreSQL (package postgresql)");
            return None;
        };
        let folder = scratch("postgres");
        if is_root() {
            // PostgreSQL refuses to run as root.
            succeed(Command::new("chown").arg(ordinary_user()).arg(&folder));
        }
        let initdb = bin.join("initdb").to_string_lossy().into_owned();
        let data = folder.join("data").to_string_lossy().into_owned();
        let words = [&initdb, "-D", &data, "-U", "visavis", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"];
        let words = as_ordinary_user(&words);
        succeed(Command::new(&words[0]).args(&words[1..]).current_dir("/").stdout(Stdio::null()));
        let mut engine = Self { kept: None, bin, folder, port: free_port() };
        engine.start_again();
        Some(engine)
    }

    /// Also after [`Self::kill`], on the same port with the same data.
    pub fn start_again(&mut self) {
        let program = self.bin.join("postgres").to_string_lossy().into_owned();
        let (data, port) = (self.folder.join("data").to_string_lossy().into_owned(), self.port.to_string());
        let mut words = vec![program.as_str(), "-D", &data, "-p", &port];
        for setting in
            ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "full_page_writes=off", "max_connections=200"]
        {
            words.extend(["-c", setting]);
        }
        self.kept = Some(Kept::start(&as_ordinary_user(&words), &self.folder));
        let bin = self.bin.clone();
        wait_for("PostgreSQL", &self.folder.join("log"), || {
            let mut ready = Command::new(bin.join("pg_isready"));
            ready.args(["-q", "-h", "127.0.0.1", "-U", "visavis", "-p", &port]);
            ready.status().is_ok_and(|status| status.success())
        });
    }

    pub fn kill(&mut self) {
        if let Some(kept) = self.kept.take() {
            kept.kill();
        }
    }

    /// A database of its own; made empty.
    pub async fn database(&self, name: &str) -> String {
        use sqlx::{Connection, Executor};
        sqlx::any::install_default_drivers();
        let mut connection = sqlx::AnyConnection::connect(&self.url("postgres")).await.unwrap();
        connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        connection.close().await.unwrap();
        self.url(name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://visavis@127.0.0.1:{}/{database}", self.port)
    }
}

/// One for all tests of this process, a database for each.
pub fn shared_postgres() -> Option<&'static Postgres> {
    static SHARED: std::sync::OnceLock<Option<Postgres>> = std::sync::OnceLock::new();
    // A static is never dropped; the end of the process ends it.
    SHARED.get_or_init(Postgres::start).as_ref()
}

pub struct Nats {
    kept: Option<Kept>,
    folder: PathBuf,
    pub port: u16,
}

impl Nats {
    pub fn start() -> Option<Self> {
        if !on_path("nats-server") {
            leave_out("NATS (package nats-server)");
            return None;
        }
        let mut engine = Self { kept: None, folder: scratch("nats"), port: free_port() };
        engine.start_again();
        Some(engine)
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub fn kill(&mut self) {
        if let Some(kept) = self.kept.take() {
            kept.kill();
        }
    }

    pub fn start_again(&mut self) {
        let port = self.port.to_string();
        let words = ["nats-server", "-a", "127.0.0.1", "-p", &port].map(String::from);
        self.kept = Some(Kept::start(&words, &self.folder));
        let port = self.port;
        wait_for("NATS", &self.folder.join("log"), || {
            let mut first = [0; 4];
            TcpStream::connect(("127.0.0.1", port)).is_ok_and(|mut socket| socket.read_exact(&mut first).is_ok())
                && &first == b"INFO"
        });
    }
}

/// Past the capture of the test harness, which shows nothing of a test that passes.
pub fn leave_out(what: &str) {
    let _ = writeln!(std::io::stderr(), "LEFT OUT: {what} is not installed; the tests that need it did not run");
}

fn wait_for(what: &str, log: &Path, mut is_ready: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_ready() {
        if begun.elapsed() > STARTS_WITHIN {
            panic!("{what} is installed and did not start: {}", std::fs::read_to_string(log).unwrap_or_default());
        }
        std::thread::sleep(Duration::from_millis(30));
    }
}

fn succeed(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}");
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn scratch(name: &str) -> PathBuf {
    tempfile::Builder::new().prefix(&format!("visavis-{name}-")).tempdir().unwrap().keep()
}

fn on_path(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// Debian keeps the programs of each version in a folder of its own, off the PATH.
fn postgres_folder() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let on_path = std::env::var_os("PATH").into_iter().flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    versions.chain(on_path).find(|folder| ["initdb", "postgres", "pg_isready"].iter().all(|name| folder.join(name).is_file()))
}

fn answer(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn is_root() -> bool {
    answer("id", &["-u"]).as_deref() == Some("0")
}

fn ordinary_user() -> &'static str {
    if answer("id", &["-u", "postgres"]).is_some() { "postgres" } else { "nobody" }
}

fn as_ordinary_user(words: &[&str]) -> Vec<String> {
    let user = ordinary_user();
    let group = answer("id", &["-g", user]).unwrap_or_default();
    let prefix: Vec<&str> =
        if is_root() { vec!["setpriv", "--reuid", user, "--regid", &group, "--clear-groups"] } else { vec![] };
    prefix.iter().chain(words).map(|word| (*word).to_owned()).collect()
}

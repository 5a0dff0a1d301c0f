//! A PostgreSQL server.

use crate::{End, EngineError, Kept, find_program, free_port, or_leave_out, scratch, wait_for};
use std::path::PathBuf;
use std::process::{Command, Stdio};

const NAME: &str = "PostgreSQL (package postgresql)";
const PROGRAMS: [&str; 5] = ["initdb", "postgres", "pg_isready", "createdb", "psql"];

pub struct Postgres {
    kept: Option<Kept>,
    bin: PathBuf,
    folder: PathBuf,
    pub port: u16,
}

impl Postgres {
    pub fn start() -> Result<Self, EngineError> {
        let bin = programs().ok_or(EngineError::Missing(NAME))?;
        let folder = scratch("postgres")?;
        if is_root() {
            // PostgreSQL refuses to run as root.
            succeed(Command::new("chown").arg(ordinary_user()).arg(&folder))?;
        }
        let initdb = bin.join("initdb").to_string_lossy().into_owned();
        let data = folder.join("data").to_string_lossy().into_owned();
        let words = [&initdb, "-D", &data, "-U", "visavis", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"];
        let words = as_ordinary_user(&words);
        succeed(Command::new(&words[0]).args(&words[1..]).current_dir("/"))?;
        let mut engine = Self { kept: None, bin, folder, port: free_port()? };
        engine.start_again()?;
        Ok(engine)
    }

    /// Also after [`Self::kill`], on the same port with the same data.
    pub fn start_again(&mut self) -> Result<(), EngineError> {
        let program = self.bin.join("postgres").to_string_lossy().into_owned();
        let (data, port) = (self.folder.join("data").to_string_lossy().into_owned(), self.port.to_string());
        let mut words = vec![program.as_str(), "-D", &data, "-p", &port];
        for setting in
            ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "full_page_writes=off", "max_connections=200"]
        {
            words.extend(["-c", setting]);
        }
        self.kept = Some(Kept::start(&as_ordinary_user(&words), &self.folder, End::Quit)?);
        wait_for("PostgreSQL", &self.folder.join("log"), || {
            let mut ready = Command::new(self.bin.join("pg_isready"));
            ready.args(["-q", "-h", "127.0.0.1", "-U", "visavis", "-p", &port]);
            ready.status().is_ok_and(|status| status.success())
        })
    }

    pub fn kill(&mut self) {
        if let Some(kept) = self.kept.take() {
            kept.kill();
        }
    }

    /// A database of its own; made empty.
    pub fn database(&self, name: &str) -> Result<String, EngineError> {
        let mut command = Command::new(self.bin.join("createdb"));
        command.args(["-h", "127.0.0.1", "-U", "visavis", "-p", &self.port.to_string(), name]);
        succeed(&mut command)?;
        Ok(format!("postgres://visavis@127.0.0.1:{}/{name}", self.port))
    }

    /// What psql prints: values with `|` between them, a line for each row.
    pub fn ask(&self, database: &str, statement: &str) -> Result<String, EngineError> {
        let mut command = Command::new(self.bin.join("psql"));
        command.args(["-h", "127.0.0.1", "-U", "visavis", "-p", &self.port.to_string(), "-d", database, "-XAtc", statement]);
        succeed(&mut command)
    }
}

/// One for all tests of this process, a database for each.
pub fn shared_postgres() -> Option<&'static Postgres> {
    static SHARED: std::sync::OnceLock<Option<Postgres>> = std::sync::OnceLock::new();
    // A static is never dropped; the end of the process ends it.
    SHARED.get_or_init(|| or_leave_out(Postgres::start())).as_ref()
}

fn succeed(command: &mut Command) -> Result<String, EngineError> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(EngineError::Failed { what: NAME, why: format!("{}: {said}", command.get_program().to_string_lossy()) })
}

/// Debian keeps the programs of each version in a folder of its own, off the PATH.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let on_path = find_program("initdb", &[]).and_then(|file| file.parent().map(PathBuf::from));
    versions.chain(on_path).find(|folder| PROGRAMS.iter().all(|name| folder.join(name).is_file()))
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

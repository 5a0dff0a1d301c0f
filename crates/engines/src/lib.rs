//! Real programs of others for tests and rehearsals: PostgreSQL, NATS and coturn, private ones, on free ports of this machine, with
//! their data in a folder that is removed.
//!
//! Each runs under a [`Kept`], so that it ends with whoever started it, however that ends. What they are used for is left to those
//! who start them; no product code does.

mod coturn;
mod kept;
mod nats;
mod postgres;

pub use coturn::{Coturn, Tls};
pub use kept::{End, Kept};
pub use nats::Nats;
pub use postgres::{Postgres, shared_postgres};

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const STARTS_WITHIN: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("{0} is not installed")]
    Missing(&'static str),
    #[error("{what} is installed and did not start: {log}")]
    DidNotStart { what: &'static str, log: String },
    #[error("{what}: {why}")]
    Failed { what: &'static str, why: String },
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// For tests: one that is not installed is said past the capture of the harness, which shows nothing of a test that passes.
///
/// # Panics
/// Where it is installed and does not start.
pub fn or_leave_out<T>(started: Result<T, EngineError>) -> Option<T> {
    match started {
        Ok(engine) => Some(engine),
        Err(EngineError::Missing(what)) => {
            // Standard error may be closed.
            let _ = writeln!(std::io::stderr(), "LEFT OUT: {what} is not installed; the tests that need it did not run");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn scratch(name: &str) -> std::io::Result<PathBuf> {
    Ok(tempfile::Builder::new().prefix(&format!("visavis-{name}-")).tempdir()?.keep())
}

fn find_program(name: &str, beside: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(beside.iter().map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn wait_for(what: &'static str, log: &Path, mut is_ready: impl FnMut() -> bool) -> Result<(), EngineError> {
    let begun = Instant::now();
    while !is_ready() {
        if begun.elapsed() > STARTS_WITHIN {
            return Err(EngineError::DidNotStart { what, log: std::fs::read_to_string(log).unwrap_or_default() });
        }
        std::thread::sleep(Duration::from_millis(30));
    }
    Ok(())
}

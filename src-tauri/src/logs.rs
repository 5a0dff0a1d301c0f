//! Logs on standard error and, from a level of their own, in the profile's folder, where old ones make room for new ones.
//! Libraries that print addresses are cut off whatever the filter says: an address names a person.

use file_rotate::compression::Compression;
use file_rotate::suffix::AppendCount;
use file_rotate::{ContentLimit, FileRotate};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tracing::Metadata;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const DEFAULT: &str = "warn,visavis=info,visavis_app=info,visavis_session=info,visavis_call=info,visavis_media=info";

/// The file and the ones before it: 3 MB at most.
const FILE_BYTES: usize = 1_000_000;
const OLD_FILES: usize = 2;

/// Crates whose messages hold candidates, relay addresses or URLs with tokens.
const TALKATIVE: [&str; 10] =
    ["webrtc", "rtc", "turn", "stun", "hyper", "hyper_util", "reqwest", "tungstenite", "tokio_tungstenite", "mio"];

/// Once per process. `Err` says what is wrong with the filter. A disk that takes no log is no reason not to start.
pub fn start(filter: Option<&str>, profile_folder: &Path) -> Result<(), String> {
    let text = filter.filter(|text| !text.trim().is_empty()).unwrap_or(DEFAULT);
    let filter = EnvFilter::try_new(text).map_err(|error| format!("the log filter {text:?} is unusable: {error}"))?;
    let file = LogFile::open(&profile_folder.join("logs"));
    let kept = tracing_subscriber::fmt::layer().with_ansi(false).log_internal_errors(false).with_writer(file);
    tracing_subscriber::registry()
        .with(filter)
        .with(filter_fn(|metadata: &Metadata<'_>| !is_talkative(metadata.target())))
        .with(tracing_subscriber::fmt::layer().with_writer(io::stderr))
        .with(kept)
        .try_init()
        .map_err(|error| format!("logs cannot be started: {error}"))?;
    say_where_it_panics();
    Ok(())
}

/// The place only: the message of a panic may hold what somebody wrote.
fn say_where_it_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let (file, line) = panic.location().map_or(("nowhere", 0), |place| (place.file(), place.line()));
        tracing::error!(file, line, "the program panicked");
        before(panic);
    }));
}

fn is_talkative(target: &str) -> bool {
    let name = target.split("::").next().unwrap_or(target);
    TALKATIVE.contains(&name) || name.starts_with("rtc_") || name.starts_with("webrtc_")
}

/// `None` inside: the folder cannot be made.
struct LogFile(Option<Mutex<FileRotate<AppendCount>>>);

impl LogFile {
    fn open(folder: &Path) -> Self {
        if let Err(error) = std::fs::create_dir_all(folder) {
            eprintln!("visavis: no log is kept, {} cannot be made: {error}", folder.display());
            return Self(None);
        }
        let limit = ContentLimit::BytesSurpassed(FILE_BYTES);
        let names = AppendCount::new(OLD_FILES);
        Self(Some(Mutex::new(FileRotate::new(folder.join("visavis.log"), names, limit, Compression::None, private()))))
    }
}

/// Only the owner can read it; on Windows the profile's folder sees to that.
fn private() -> Option<OpenOptions> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Some(options)
}

enum Line<'a> {
    Kept(MutexGuard<'a, FileRotate<AppendCount>>),
    Nowhere,
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Kept(file) => file.write(bytes),
            Self::Nowhere => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Kept(file) => file.flush(),
            Self::Nowhere => Ok(()),
        }
    }
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        self.0.as_ref().map_or(Line::Nowhere, |file| Line::Kept(file.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_that_print_addresses_are_cut_off() {
        for target in ["webrtc::peer_connection", "rtc_ice::agent", "turn::client", "hyper_util::client::legacy"] {
            assert!(is_talkative(target), "{target}");
        }
        for target in ["visavis_call::engine", "visavis_app::screen", "wry", "returning"] {
            assert!(!is_talkative(target), "{target}");
        }
    }

    #[test]
    fn old_logs_make_room_for_new_ones() {
        let folder = tempfile::tempdir().unwrap();
        let logs = LogFile::open(folder.path());
        let line = [b'x'; 1000];
        for _ in 0..(OLD_FILES + 3) * FILE_BYTES / line.len() {
            logs.make_writer().write_all(&line).unwrap();
        }
        let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().metadata().unwrap().len());
        let sizes: Vec<u64> = files.collect();
        assert_eq!(sizes.len(), OLD_FILES + 1);
        assert!(sizes.iter().all(|size| *size <= (FILE_BYTES + line.len()) as u64), "{sizes:?}");
    }

    #[test]
    fn a_folder_that_cannot_be_made_costs_the_log_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        LogFile::open(&file.join("logs")).make_writer().write_all(b"lost").unwrap();
    }
}

//! What a user can hand to somebody who helps: figures of the last ten minutes of calls, versions, kinds of devices, settings.
//!
//! No name, no address, no id, no picture and nothing that was said or drawn is in it: there is no field that could hold one.
//! Everything is a number, a closed enum, or a word of this program's own.

use crate::view::{Device, Devices, Notice};
use serde::Serialize;
use std::collections::VecDeque;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use visavis_call::Statistics;

/// Changes with the meaning of a field.
const SCHEMA: u32 = 1;
/// A call tells its figures once a second.
const SAMPLES: usize = 600;
const LIFETIME: Duration = Duration::from_secs(600);
const FILE: &str = "visavis-diagnostics.json";

#[derive(Clone, Debug, Serialize)]
struct Sample {
    /// Since the program began.
    at_s: u64,
    /// Tells the calls of this evening apart.
    call: u64,
    figures: Statistics,
    /// Operations and ink of the peer that were not taken, since the call began.
    ignored: u64,
}

/// The last ten minutes.
#[derive(Debug, Default)]
pub(crate) struct Figures(VecDeque<Sample>);

impl Figures {
    pub fn put(&mut self, call: u64, figures: Statistics, ignored: u64, now: Duration) {
        while self.0.len() >= SAMPLES || self.0.front().is_some_and(|first| Self::is_old(first, now)) {
            self.0.pop_front();
        }
        self.0.push_back(Sample { at_s: now.as_secs(), call, figures, ignored });
    }

    fn is_old(sample: &Sample, now: Duration) -> bool {
        now.as_secs().saturating_sub(sample.at_s) > LIFETIME.as_secs()
    }

    /// As JSON.
    pub fn report(&self, devices: &Devices, settings: Settings, now: Duration) -> String {
        let report = Report {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            system: std::env::consts::OS,
            processor: std::env::consts::ARCH,
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            at_s: now.as_secs(),
            camera: Kind::of(&devices.cameras, &devices.camera),
            microphone: Kind::of(&devices.microphones, &devices.microphone),
            speaker: Kind::of(&devices.speakers, &devices.speaker),
            silent_microphone: devices.silent_microphone,
            silent_speaker: devices.silent_speaker,
            settings,
            samples: self.0.iter().filter(|sample| !Self::is_old(sample, now)).collect(),
        };
        // Cannot fail: there are no maps in it, and no type that refuses.
        serde_json::to_string_pretty(&report).unwrap_or_default()
    }
}

/// What was chosen during the evening and is no device.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Settings {
    pub camera_on: bool,
    pub muted: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    version: &'static str,
    system: &'static str,
    processor: &'static str,
    cores: usize,
    at_s: u64,
    camera: Kind,
    microphone: Kind,
    speaker: Kind,
    silent_microphone: bool,
    silent_speaker: bool,
    settings: Settings,
    samples: Vec<&'a Sample>,
}

/// Names and ids of devices may be names of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    None,
    Device,
    Synthetic,
}

impl Kind {
    fn of(devices: &[Device], chosen: &str) -> Self {
        match devices.iter().find(|device| device.id == chosen) {
            Some(device) if device.synthetic => Self::Synthetic,
            Some(_) => Self::Device,
            None => Self::None,
        }
    }
}

/// Writes a report into `folder` and says where it is.
pub(crate) fn save(report: &str, folder: &Path) -> Notice {
    let path = folder.join(FILE);
    match write(report, folder, &path) {
        Ok(()) => Notice::DiagnosticsSaved { path: shown(path) },
        Err(error) => Notice::DiagnosticsNotSaved { detail: error.to_string() },
    }
}

fn write(report: &str, folder: &Path, path: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut file = std::fs::File::create(path)?;
    file.write_all(report.as_bytes())?;
    file.sync_all()
}

/// Whole, so that it can be found.
fn shown(path: PathBuf) -> String {
    std::path::absolute(&path).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_minutes_are_kept() {
        let mut figures = Figures::default();
        for second in 0..2000 {
            figures.put(1, Statistics::default(), 0, Duration::from_secs(second));
        }
        assert_eq!((figures.0.len(), figures.0[0].at_s), (SAMPLES, 1400));
        figures.put(2, Statistics::default(), 0, Duration::from_secs(2500));
        assert_eq!((figures.0.len(), figures.0[0].at_s), (101, 1900), "a pause makes old ones old");
        let settings = Settings { camera_on: true, muted: false };
        let report = figures.report(&Devices::default(), settings, Duration::from_secs(3000));
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["samples"].as_array().unwrap().len(), 1);
        assert_eq!(report["camera"], "none");
    }

    #[test]
    fn the_file_is_where_the_notice_says() {
        let folder = std::env::temp_dir().join(format!("visavis-diagnostics-{}", std::process::id()));
        let Notice::DiagnosticsSaved { path } = save("{}", &folder) else { panic!("not saved") };
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}");
        assert!(matches!(save("{}", Path::new(&path)), Notice::DiagnosticsNotSaved { .. }), "a file is no folder");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

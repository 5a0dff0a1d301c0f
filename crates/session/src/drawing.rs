//! Keeps what was drawn together as a PNG file: `visavis-2026-11-25.png`, or with a number behind it when there is one already.
//! The state machine decides when; this writes, off its loop.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use visavis_canvas::raster::{Picture, SHEET};
use visavis_wire::paper::Op;

/// Drawings of one day; more is a fault that would otherwise look for a free name for ever.
const MOST_A_DAY: u32 = 10_000;

/// What there is to save, bottom first.
#[derive(Debug)]
pub struct Drawing {
    pub ground: Option<Picture>,
    pub marks: Vec<Op>,
}

/// Why it was not saved.
#[derive(Debug)]
pub enum Unsaved {
    DiskFull,
    /// The folder is not there and cannot be made, or may not be written to.
    Folder,
    Other(String),
}

impl From<io::Error> for Unsaved {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind as Kind;
        match error.kind() {
            Kind::StorageFull | Kind::QuotaExceeded => Self::DiskFull,
            Kind::NotFound | Kind::NotADirectory | Kind::PermissionDenied | Kind::ReadOnlyFilesystem | Kind::AlreadyExists => {
                Self::Folder
            }
            _ => Self::Other(error.to_string()),
        }
    }
}

impl Drawing {
    pub fn png(self) -> Result<Vec<u8>, Unsaved> {
        let picture = self.ground.or_else(Picture::blank);
        let mut picture = picture.ok_or_else(|| Unsaved::Other(String::from("there is not enough memory")))?;
        for op in &self.marks {
            picture.draw(op);
        }
        picture.png(Some(SHEET)).map_err(|error| Unsaved::Other(error.to_string()))
    }

    /// Writes it into `folder`, which is made when it is not there. Nothing half written stays.
    pub fn save(self, folder: &Path, today: SystemTime) -> Result<PathBuf, Unsaved> {
        let bytes = self.png()?;
        fs::create_dir_all(folder)?;
        let date = date(today);
        for number in 1..MOST_A_DAY {
            let suffix = if number == 1 { String::new() } else { format!("-{number}") };
            let path = folder.join(format!("visavis-{date}{suffix}.png"));
            let mut file = match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error.into()),
            };
            if let Err(error) = file.write_all(&bytes).and_then(|()| file.sync_all()) {
                drop(file);
                // The first error is the one to tell of.
                let _ = fs::remove_file(&path);
                return Err(error.into());
            }
            return Ok(path);
        }
        Err(Unsaved::Folder)
    }
}

/// Of the Gregorian calendar, in universal time: the local zone is not worth a dependency.
fn date(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut days = seconds / 86_400;
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn blank() -> Drawing {
        Drawing { ground: None, marks: Vec::new() }
    }

    fn day(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_day_has_its_date() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (978_220_800, "2000-12-31"),
            (1_795_564_800, "2026-11-25"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(date(day(seconds)), expected, "{seconds}");
        }
    }

    #[test]
    fn each_drawing_gets_a_file_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let pictures = folder.path().join("not/there/yet");
        let first = blank().save(&pictures, day(0)).unwrap();
        let second = blank().save(&pictures, day(0)).unwrap();
        assert_eq!(first, pictures.join("visavis-1970-01-01.png"));
        assert_eq!(second, pictures.join("visavis-1970-01-01-2.png"));
        let bytes = fs::read(first).unwrap();
        assert_eq!(&bytes[1..4], b"PNG");
    }

    #[test]
    fn what_cannot_be_saved_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"in the way").unwrap();
        assert!(matches!(blank().save(&file, day(0)), Err(Unsaved::Folder)));
        assert!(matches!(blank().save(&file.join("below"), day(0)), Err(Unsaved::Folder)));
    }

    /// A device that is always full, where there is one.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told_apart() {
        let error = OpenOptions::new().write(true).open("/dev/full").unwrap().write_all(b"x").unwrap_err();
        assert!(matches!(Unsaved::from(error), Unsaved::DiskFull));
    }
}

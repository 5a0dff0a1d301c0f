//! What a side writes for the scorer: `log.csv` with lines `unix_ms,event,frame,width,height`, each of them at once, and about
//! once a second the picture just shown as `frames/NNNN_WIDTHxHEIGHT.i420`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use visavis_media::{Clock, Frame, marker};

/// Between two pictures that are kept.
const PICTURE_EVERY: Duration = Duration::from_secs(1);

/// What is worth a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The caller begins to negotiate.
    CallStart,
    /// A frame came from the camera.
    Capture,
    /// A decoded frame of the other side is given to the screen.
    Render,
}

impl Event {
    fn name(self) -> &'static str {
        match self {
            Self::CallStart => "call_start",
            Self::Capture => "capture",
            Self::Render => "render",
        }
    }
}

/// Written by several threads, one line at a time.
pub struct Journal {
    log: Mutex<File>,
    frames: PathBuf,
    clock: Clock,
    /// Unix time of the clock's zero.
    zero: Duration,
}

impl Journal {
    pub fn create(folder: &Path, clock: Clock) -> io::Result<Self> {
        let frames = folder.join("frames");
        fs::create_dir_all(&frames)?;
        let log = Mutex::new(File::create(folder.join("log.csv"))?);
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self { log, frames, clock, zero: unix.saturating_sub(clock.now()) })
    }

    pub fn note(&self, event: Event, picture: Option<&Frame>, at: Duration) -> io::Result<()> {
        let line = line(event, picture, (self.zero + at).as_secs_f64() * 1000.0);
        self.log.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes())
    }

    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    fn keep(&self, number: u32, picture: &Frame) -> io::Result<()> {
        let name = format!("{number:04}_{}x{}.i420", picture.width, picture.height);
        fs::write(self.frames.join(name), picture.as_bytes())
    }
}

fn line(event: Event, picture: Option<&Frame>, unix_ms: f64) -> String {
    let Some(picture) = picture else { return format!("{unix_ms:.2},{},,,\n", event.name()) };
    let number = marker::read(picture).map_or(-1, i64::from);
    format!("{unix_ms:.2},{},{number},{},{}\n", event.name(), picture.width, picture.height)
}

/// Which of the shown pictures are kept.
#[derive(Default)]
pub struct Album {
    kept: u32,
    last: Option<Duration>,
}

impl Album {
    pub fn show(&mut self, journal: &Journal, picture: &Frame, at: Duration) -> io::Result<()> {
        // Not the first one: the gate opens about a second after the call has begun, and a veiled picture is like nothing.
        let last = *self.last.get_or_insert(at);
        if at < last + PICTURE_EVERY {
            return Ok(());
        }
        self.last = Some(at);
        self.kept += 1;
        journal.keep(self.kept - 1, picture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_media::FramePool;

    #[test]
    fn lines_and_pictures_are_what_the_scorer_reads() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::create(folder.path(), Clock::start()).unwrap();
        let pool = FramePool::new(1);
        let mut frame = pool.frame(64, 36, Duration::ZERO).unwrap();
        frame.as_bytes_mut().fill(100);
        let ms = Duration::from_millis;
        journal.note(Event::CallStart, None, ms(0)).unwrap();
        journal.note(Event::Render, Some(&frame), ms(1)).unwrap();
        marker::burn(&mut frame, 321);
        journal.note(Event::Capture, Some(&frame), ms(2)).unwrap();
        let text = fs::read_to_string(folder.path().join("log.csv")).unwrap();
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!(lines[0][1..], ["call_start", "", "", ""]);
        assert_eq!(lines[1][1..], ["render", "-1", "64", "36"]);
        assert_eq!(lines[2][1..], ["capture", "321", "64", "36"]);
        let times: Vec<f64> = lines.iter().map(|line| line[0].parse().unwrap()).collect();
        assert!((times[2] - times[0] - 2.0).abs() < 0.02 && times[0] > 1e12, "{times:?}");

        let mut album = Album::default();
        for at in [0, 990, 1001, 1500, 2002] {
            album.show(&journal, &frame, ms(at)).unwrap();
        }
        let kept = |name: &str| fs::read(folder.path().join("frames").join(name)).map(|bytes| bytes.len()).ok();
        assert_eq!((kept("0000_64x36.i420"), kept("0001_64x36.i420")), (Some(64 * 36 * 3 / 2), Some(64 * 36 * 3 / 2)));
        assert_eq!(kept("0002_64x36.i420"), None);
    }
}

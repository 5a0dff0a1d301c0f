//! From the start of the program to a mirror that shows its picture, seen from outside: the screen of a virtual display is a file, and
//! the camera is a still picture of one colour that no page has. Neither a driver nor a debugger slows the app down. Linux only.

use crate::display::{Display, DisplayError};
use crate::processes;
use crate::stage::Stage;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Of the camera; pages have nothing like it.
const MAGENTA: [u8; 3] = [255, 0, 255];
/// How often the screen is looked at.
const LOOK: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(60);
/// A page that is painted has more colours than a window that waits for it.
const COLOURS_OF_A_PAGE: usize = 4;
/// Of the points that are looked at.
const SHARE_OF_A_PICTURE: f64 = 0.02;
/// What a start may take until the mirror can be used.
const MOST_MS: u32 = 1500;
/// Until memory is read: what a start needs for a moment is given back by then.
const SETTLE: Duration = Duration::from_secs(3);

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Display(#[from] DisplayError),
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    #[error("the screen's file is no screen: {0}")]
    Screen(&'static str),
    #[error("{0} could not be started: {1}")]
    App(PathBuf, io::Error),
    #[error("no {0} within {PATIENCE:?}")]
    Never(&'static str),
}

/// What is started.
pub struct Bench<'a> {
    /// The `visavis` binary, built with embed-ui.
    pub app: &'a Path,
    /// The `visavis-bot` binary, which signs in.
    pub bot: &'a Path,
    pub server: &'a str,
    /// Of this bench: camera, notes of the browser.
    pub folder: &'a Path,
}

/// From the start of the process.
#[derive(Clone, Copy, Debug)]
pub struct Stages {
    pub window: Duration,
    /// The first page is painted.
    pub page: Duration,
    /// The first picture of the camera is on the screen.
    pub mirror: Duration,
    /// How long the rehearsal browser had for signing in, within the last one.
    pub sign_in: Duration,
    /// App and webview, some seconds after.
    pub private_kib: u64,
}

/// A screen that can be read as a file (X's own dump format).
struct Screen {
    file: File,
    header: Header,
}

#[derive(Debug, PartialEq, Eq)]
struct Header {
    pixels_at: u64,
    width: usize,
    height: usize,
    bytes_per_line: usize,
}

impl Header {
    /// Numbers of four bytes, the highest first.
    fn read(bytes: &[u8]) -> Result<Self, StartError> {
        let field = |at: usize| {
            let bytes = bytes.get(4 * at..4 * at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u32::from_be_bytes).ok_or(StartError::Screen("it is too short"))
        };
        let (size, version, least_first, bits) = (field(0)?, field(1)?, field(7)? == 0, field(11)?);
        if version != 7 || bits != 32 || !least_first {
            return Err(StartError::Screen("its version, depth or order of bytes is another"));
        }
        let header = Self {
            pixels_at: u64::from(size) + 12 * u64::from(field(19)?),
            width: field(4)? as usize,
            height: field(5)? as usize,
            bytes_per_line: field(12)? as usize,
        };
        let sane = (1..=8192).contains(&header.width) && (1..=8192).contains(&header.height);
        if sane && header.bytes_per_line >= 4 * header.width {
            Ok(header)
        } else {
            Err(StartError::Screen("its size is nonsense"))
        }
    }
}

impl Screen {
    /// The display is there a moment before its file says what it holds.
    fn wait_for(path: &Path) -> Result<Self, StartError> {
        let begun = Instant::now();
        loop {
            match Self::open(path) {
                Err(_) if begun.elapsed() < Duration::from_secs(5) => std::thread::sleep(Duration::from_millis(20)),
                other => return other,
            }
        }
    }

    fn open(path: &Path) -> Result<Self, StartError> {
        let fault = |error| StartError::File(path.to_owned(), error);
        let mut file = File::open(path).map_err(fault)?;
        let mut bytes = [0; 100];
        file.read_exact(&mut bytes).map_err(fault)?;
        Ok(Self { file, header: Header::read(&bytes)? })
    }

    /// Red, green, blue of a grid of points.
    fn points(&mut self) -> io::Result<Vec<[u8; 3]>> {
        let (rows, columns) = (40, 64);
        let mut line = vec![0; self.header.bytes_per_line];
        let mut points = Vec::with_capacity(rows * columns);
        for row in 0..rows {
            let y = (2 * row + 1) * self.header.height / (2 * rows);
            self.file.seek(SeekFrom::Start(self.header.pixels_at + (y * self.header.bytes_per_line) as u64))?;
            self.file.read_exact(&mut line)?;
            points.extend((0..columns).map(|column| {
                let at = 4 * ((2 * column + 1) * self.header.width / (2 * columns));
                [line[at + 2], line[at + 1], line[at]]
            }));
        }
        Ok(points)
    }
}

/// How far the screen has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    Nothing,
    Window,
    Page,
    Mirror,
}

fn seen(points: &[[u8; 3]], empty: &[[u8; 3]]) -> Seen {
    // A camera's picture has been through another colour space.
    let is_camera = |point: &&[u8; 3]| point.iter().zip(MAGENTA).all(|(is, wanted)| is.abs_diff(wanted) < 60);
    if points.iter().filter(is_camera).count() as f64 > SHARE_OF_A_PICTURE * points.len() as f64 {
        return Seen::Mirror;
    }
    let mut colours = points.to_vec();
    colours.sort_unstable();
    colours.dedup();
    match points == empty {
        true => Seen::Nothing,
        false if colours.len() > COLOURS_OF_A_PAGE => Seen::Page,
        false => Seen::Window,
    }
}

/// Ends the app as a signing-off desktop does, and at the latest by force.
struct App(Child);

impl Drop for App {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(5) {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Bench<'_> {
    /// One start with the profile of that folder, on a display of its own.
    pub fn start(&self, profile: &Path) -> Result<Stages, StartError> {
        let write = |name: &str, bytes: &[u8]| {
            let path = self.folder.join(name);
            std::fs::write(&path, bytes).map(|()| path.clone()).map_err(|error| StartError::File(path, error))
        };
        let camera = self.folder.join("camera.png");
        if !camera.exists() {
            let picture = image::RgbImage::from_pixel(640, 360, image::Rgb(MAGENTA));
            picture.save(&camera).map_err(|error| StartError::File(camera.clone(), io::Error::other(error)))?;
        }
        let notes = write("notes", b"")?;
        let browser = write("browser.sh", browser(self.bot, &notes).as_bytes())?;
        let screens = self.folder.join("screen");
        std::fs::create_dir_all(&screens).map_err(|error| StartError::File(screens.clone(), error))?;
        let display = Display::start_as_file(1280, 800, &screens)?;
        let mut screen = Screen::wait_for(&screens.join("Xvfb_screen0"))?;
        let fault = |error| StartError::File(screens.clone(), error);
        let empty = screen.points().map_err(fault)?;
        let begun = Instant::now();
        let app = App(self
            .command(profile, &camera, &browser, &display.name)
            .spawn()
            .map_err(|error| StartError::App(self.app.to_owned(), error))?);
        let mut times = [None; 3];
        while times[2].is_none() {
            let now = seen(&screen.points().map_err(fault)?, &empty);
            let at = begun.elapsed();
            for (time, stage) in times.iter_mut().zip([Seen::Window, Seen::Page, Seen::Mirror]) {
                if now >= stage {
                    time.get_or_insert(at);
                }
            }
            if at > PATIENCE {
                return Err(StartError::Never(
                    ["window", "page", "picture in the mirror"][times.iter().flatten().count().min(2)],
                ));
            }
            std::thread::sleep(LOOK);
        }
        std::thread::sleep(SETTLE);
        let [window, page, mirror] = times.map(Option::unwrap_or_default);
        let private_kib = processes::cost(app.0.id()).private_kib;
        Ok(Stages { window, page, mirror, sign_in: noted(&std::fs::read_to_string(&notes).unwrap_or_default()), private_kib })
    }

    fn command(&self, profile: &Path, camera: &Path, browser: &Path, display: &str) -> Command {
        let mut command = Command::new(self.app);
        command.arg("--profile-dir").arg(profile).args(["--server", self.server, "--no-keyring", "--sign-in"]);
        command.args(["--window-position", "0,0", "--window-size", "1280x800", "--microphone", "silent", "--speaker", "silent"]);
        command.arg("--camera").arg(format!("image:{}", camera.display()));
        command.env("DISPLAY", display).env("VISAVIS_BROWSER", format!("sh {}", browser.display()));
        // Under Xvfb nothing is painted through DMA buffers.
        command.envs([
            ("WEBKIT_DISABLE_DMABUF_RENDERER", "1"),
            ("GDK_BACKEND", "x11"),
            ("NO_AT_BRIDGE", "1"),
            ("LANG", "C.UTF-8"),
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

/// Notes when it began and when it was done, in nanoseconds.
fn browser(bot: &Path, notes: &Path) -> String {
    let (bot, notes) = (bot.display(), notes.display());
    format!("#!/bin/sh\ndate +%s%N >> '{notes}'\n'{bot}' browser --identity ada \"$@\"\ndate +%s%N >> '{notes}'\n")
}

/// From the first line of the notes to the last; zero where there are none.
fn noted(notes: &str) -> Duration {
    let times: Vec<u64> = notes.lines().filter_map(|line| line.trim().parse().ok()).collect();
    let all = times.last().zip(times.first()).map_or(0, |(last, first)| last.saturating_sub(*first));
    Duration::from_nanos(all)
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Starts it again and again, with a fresh and with a used profile, against a server of its own, and prints what came of it.
/// `forget`: the disk, before each.
pub async fn compare(app: &Path, runs: usize, forget: bool) -> Result<(), Failure> {
    let stage = Stage::start().await?;
    let (app, server) = (std::path::absolute(app)?, stage.url.clone());
    let starts = move || -> Result<(), Failure> {
        let folder = tempfile::Builder::new().prefix("visavis-starts").tempdir()?;
        let bot = std::env::current_exe()?.with_file_name(format!("visavis-bot{}", std::env::consts::EXE_SUFFIX));
        let bench = Bench { app: &app, bot: &bot, server: &server, folder: folder.path() };
        let used = fresh(folder.path());
        // Makes it a used one, and the files of the program are in memory for all that follow.
        bench.start(&used)?;
        for (name, profile) in [("fresh", None), ("used", Some(used))] {
            let mut taken = Vec::new();
            for _ in 0..runs {
                if forget && !forget_the_disk() {
                    return Err("the disk cannot be forgotten here: that needs root on a machine of one's own".into());
                }
                taken.push(bench.start(&profile.clone().unwrap_or_else(|| fresh(folder.path())))?);
            }
            print!("{}", figures(name, &taken));
        }
        println!("read of the disk: {}", if forget { "forgotten before each start" } else { "in memory" });
        println!("the program: {:.1} MB", std::fs::metadata(&app)?.len() as f64 / 1e6);
        Ok(())
    };
    tokio::task::spawn_blocking(starts).await??;
    stage.server.shutdown().await;
    Ok(())
}

fn figures(profile: &str, taken: &[Stages]) -> String {
    let of = |what: &dyn Fn(&Stages) -> f64| {
        let mut all: Vec<f64> = taken.iter().map(what).collect();
        all.sort_by(f64::total_cmp);
        let middle = all.get(all.len() / 2).copied().unwrap_or(f64::NAN);
        (middle, all.last().copied().unwrap_or(f64::NAN))
    };
    let line = |name: &str, what: &dyn Fn(&Stages) -> Duration| {
        let (middle, longest) = of(&|stages| what(stages).as_secs_f64() * 1000.0);
        format!("{profile} profile: {name}: p50 {middle:.0} ms, longest {longest:.0} ms over {} starts\n", taken.len())
    };
    let (memory, _) = of(&|stages| stages.private_kib as f64 / 1024.0);
    [
        line("start to window", &|stages| stages.window),
        line("start to first page", &|stages| stages.page),
        line(&format!("start to a picture in the mirror, signing in included (wanted: under {MOST_MS} ms)"), &|stages| {
            stages.mirror
        }),
        line("signing in by the rehearsal browser, within that", &|stages| stages.sign_in),
        line("start to a picture in the mirror, without it", &|stages| stages.mirror.saturating_sub(stages.sign_in)),
        format!("{profile} profile: app and webview at the mirror: {memory:.0} MiB private\n"),
    ]
    .concat()
}

/// Takes what was read of the disk out of memory, as after switching the computer on. `false`: not allowed here.
pub fn forget_the_disk() -> bool {
    let _ = Command::new("sync").status();
    let opened = std::fs::OpenOptions::new().write(true).open("/proc/sys/vm/drop_caches");
    opened.and_then(|mut file| file.write_all(b"3\n")).is_ok()
}

/// A name for a folder that nobody had before.
pub fn fresh(folder: &Path) -> PathBuf {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    folder.join(format!("profile-{}", now.as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(fields: &[(usize, u32)]) -> Vec<u8> {
        let mut all = [0u32; 25];
        for &(at, value) in [(0, 160), (1, 7), (4, 1280), (5, 800), (11, 32), (12, 5120), (19, 256)].iter().chain(fields) {
            all[at] = value;
        }
        all.iter().flat_map(|field| field.to_be_bytes()).collect()
    }

    #[test]
    fn the_head_of_a_screen_is_read_and_nonsense_refused() {
        let wanted = Header { pixels_at: 160 + 12 * 256, width: 1280, height: 800, bytes_per_line: 5120 };
        assert_eq!(Header::read(&header(&[])).unwrap(), wanted);
        for wrong in [(1, 6), (11, 16), (7, 1), (4, 0), (5, 100_000), (12, 100)] {
            assert!(Header::read(&header(&[wrong])).is_err(), "{wrong:?}");
        }
        assert!(Header::read(&header(&[])[..50]).is_err());
    }

    #[test]
    fn the_stages_are_told_by_what_is_on_the_screen() {
        let empty = vec![[0, 0, 0]; 1000];
        assert_eq!(seen(&empty, &empty), Seen::Nothing);
        let mut points = vec![[250, 248, 244]; 1000];
        assert_eq!(seen(&points, &empty), Seen::Window);
        for (at, point) in points.iter_mut().take(20).enumerate() {
            *point = [at as u8, 40, 40];
        }
        assert_eq!(seen(&points, &empty), Seen::Page);
        points[500..525].fill([238, 21, 236]);
        assert_eq!(seen(&points, &empty), Seen::Mirror);
    }

    #[test]
    fn figures_are_the_middle_and_the_longest() {
        let stages = |ms: u64| Stages {
            window: Duration::from_millis(ms),
            page: Duration::from_millis(2 * ms),
            mirror: Duration::from_millis(3 * ms),
            sign_in: Duration::from_millis(ms),
            private_kib: 1024 * ms,
        };
        let text = figures("used", &[stages(300), stages(100), stages(200)]);
        assert!(text.contains("used profile: start to window: p50 200 ms, longest 300 ms over 3 starts"), "{text}");
        assert!(text.contains("without it: p50 400 ms, longest 600 ms") && text.contains("200 MiB private"), "{text}");
    }

    #[test]
    fn the_time_of_the_browser_is_what_it_noted() {
        assert_eq!(noted("1000000000\n1250000000\n"), Duration::from_millis(250));
        assert_eq!(noted(""), Duration::ZERO);
        assert!(browser(Path::new("/b/bot"), Path::new("/n")).contains("'/b/bot' browser --identity ada \"$@\""));
    }

    /// Of a real display.
    #[test]
    fn a_real_screen_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let display = match Display::start_as_file(640, 400, folder.path()) {
            Ok(display) => display,
            Err(error) => return println!("skipped: {error}"),
        };
        let mut screen = Screen::wait_for(&folder.path().join("Xvfb_screen0")).unwrap();
        let empty = screen.points().unwrap();
        assert_eq!((screen.header.width, screen.header.height), (640, 400));
        assert_eq!(seen(&screen.points().unwrap(), &empty), Seen::Nothing);
        drop(display);
    }
}

//! A virtual X display, for machines without one.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[derive(Debug, thiserror::Error)]
pub enum DisplayError {
    #[error("Xvfb could not be started: {0} (Debian package xvfb)")]
    NotStarted(std::io::Error),
    #[error("Xvfb found no free display")]
    NoFreeDisplay,
    #[error("no screenshot could be taken: {0} (Debian package imagemagick)")]
    NoScreenshot(String),
}

/// An Xvfb of our own; dropping it ends it.
pub struct Display {
    process: Child,
    pub name: String,
}

impl Display {
    pub fn start(width: u32, height: u32) -> Result<Self, DisplayError> {
        Self::with(width, height, &[])
    }

    /// The screen is the file `Xvfb_screen0` of that folder meanwhile.
    pub fn start_as_file(width: u32, height: u32, folder: &Path) -> Result<Self, DisplayError> {
        Self::with(width, height, &["-fbdir".as_ref(), folder.as_os_str()])
    }

    fn with(width: u32, height: u32, more: &[&OsStr]) -> Result<Self, DisplayError> {
        for number in 90 + std::process::id() % 400..1000 {
            let socket = format!("/tmp/.X11-unix/X{number}");
            if Path::new(&socket).exists() || Path::new(&format!("/tmp/.X{number}-lock")).exists() {
                continue;
            }
            let name = format!(":{number}");
            let screen = format!("{width}x{height}x24");
            let mut process = Command::new("Xvfb")
                .args([&name, "-screen", "0", &screen, "-nolisten", "tcp", "-noreset"])
                .args(more)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .map_err(DisplayError::NotStarted)?;
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(10) {
                if Path::new(&socket).exists() {
                    return Ok(Self { process, name });
                }
                if matches!(process.try_wait(), Ok(Some(_)) | Err(_)) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = process.kill();
            let _ = process.wait();
        }
        Err(DisplayError::NoFreeDisplay)
    }

    /// The whole screen as a PNG.
    pub fn screenshot(&self, file: &Path) -> Result<(), DisplayError> {
        let output = Command::new("import")
            .args(["-silent", "-window", "root"])
            .arg(file)
            .env("DISPLAY", &self.name)
            .output()
            .map_err(|error| DisplayError::NoScreenshot(error.to_string()))?;
        if output.status.success() {
            Ok(())
        } else {
            Err(DisplayError::NoScreenshot(String::from_utf8_lossy(&output.stderr).into_owned()))
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

//! Where windows appear: the user's display, or a virtual one of our own with screenshots.

use crate::processes::Process;
use crate::{Outcome, tools};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// An Xvfb of our own, on the first display number that is free.
pub struct Virtual {
    _process: Process,
    name: String,
}

/// Windows need somewhere to appear; only Linux can lack it.
pub fn exists() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

impl Virtual {
    pub fn start(width: u32, height: u32) -> Outcome<Self> {
        for number in 60..600 {
            let socket = PathBuf::from(format!("/tmp/.X11-unix/X{number}"));
            if socket.exists() || Path::new(&format!("/tmp/.X{number}-lock")).exists() {
                continue;
            }
            let name = format!(":{number}");
            let mut command = Command::new("Xvfb");
            command.args([&name, "-screen", "0", &format!("{width}x{height}x24"), "-nolisten", "tcp", "-noreset"]);
            let mut process = Process::start("Xvfb", command.stdout(Stdio::null()).stderr(Stdio::null()))?;
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(10) && process.status()?.is_none() {
                if socket.exists() {
                    return Ok(Self { _process: process, name });
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            // Another server took the number first.
        }
        Err(String::from("no virtual display could be started (Xvfb, displays :60 to :599)"))
    }

    /// What a window needs to appear here and be painted.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("DISPLAY", self.name.clone()),
            ("GDK_BACKEND", String::from("x11")),
            // Xvfb has no DMA buffers, and WebKitGTK paints nothing when it tries to use them. Set here and not by the app:
            // on a real display they are the faster way.
            ("WEBKIT_DISABLE_DMABUF_RENDERER", String::from("1")),
            // There is no accessibility bus to talk to.
            ("NO_AT_BRIDGE", String::from("1")),
        ]
    }

    /// The whole screen as a PNG; replaces the file when it is complete.
    pub fn screenshot(&self, file: &Path) -> Outcome {
        let unfinished = file.with_extension("part.png");
        let mut command = if tools::on_path("import") { Command::new("import") } else { Command::new("magick") };
        if !tools::on_path("import") {
            command.arg("import");
        }
        // By the environment: after -silent, ImageMagick 6 does not see its own flag for it.
        command.env("DISPLAY", &self.name).args(["-silent", "-window", "root"]).arg(&unfinished);
        crate::processes::run(command.stdout(Stdio::null()))?;
        std::fs::rename(&unfinished, file).map_err(|error| format!("{} cannot be written: {error}", file.display()))
    }
}

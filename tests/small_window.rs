//! The small window of a call, in the real window on a virtual display without a window manager: in by its button and back by its
//! button, in and back by its key, and back when the call ends while it is small. Seen by the size that the window's content has
//! on the screen and by what the page shows; that it stays above others is the window manager's to do, and not seen here.
#![cfg(target_os = "linux")]

use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use visavis_rehearsal::display::Display;
use visavis_rehearsal::stage::Stage;
use visavis_rehearsal::window::{AppWindow, PATIENCE, Start};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Of the window before; larger than the least it may have, so that coming back is not being pushed to that.
const LARGE: (u32, u32) = (1100, 700);
/// Of `src-tauri/src/small.rs`.
const SMALL: (u32, u32) = (360, 296);

/// Whom the window meets. Dropping it ends it.
struct Peer(Child);

impl Peer {
    fn start(stage: &Stage) -> Outcome<Self> {
        let bot = Command::new(bot())
            .args(["run", "--server", &stage.url, "--identity", "bao", "--camera", "face:bao"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Self(bot))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `visavis-bot`, built next to the app by the same workspace build.
fn bot() -> PathBuf {
    let app = Path::new(env!("CARGO_BIN_EXE_visavis"));
    app.with_file_name(format!("visavis-bot{}", std::env::consts::EXE_SUFFIX))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_into_its_small_window_and_comes_back() -> Outcome {
    const { assert!(cfg!(feature = "embed-ui"), "run with --features embed-ui: the pages must be inside the binary") };
    let display = Display::start(1400, 900)?;
    let stage = Stage::start().await?;
    let window = AppWindow::open(Start {
        binary: Path::new(env!("CARGO_BIN_EXE_visavis")),
        name: "ada",
        profile_folder: &stage.profile_folder("ada"),
        server: &stage.url,
        camera: "pattern",
        display: &display.name,
        browser: &bot(),
        position: (0, 0),
        size: LARGE,
    })
    .await?;
    let outcome = in_and_out(&window, &stage).await;
    if outcome.is_err() {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("small-window-failed.png");
        match display.screenshot(&file) {
            Ok(()) => eprintln!("the screen as it was: {}", file.display()),
            Err(error) => eprintln!("no screenshot: {error}"),
        }
    }
    window.driver.quit().await;
    stage.server.shutdown().await;
    outcome
}

async fn in_and_out(window: &AppWindow, stage: &Stage) -> Outcome {
    window.page("welcome").await?;
    window.press("sign-in").await?;
    window.page("mirror").await?;
    window.press("meet").await?;
    let _peer = Peer::start(stage)?;
    window.page("match").await?;
    window.press("match-meet").await?;
    window.page("call").await?;
    window.moves("picture-peer").await?;
    is_large(window).await?;

    window.press("small-window").await?;
    is_small(window).await?;
    // What it is for: the other is seen in it, and goes on moving.
    window.moves("picture-peer").await?;
    window.press("large-window").await?;
    is_large(window).await?;

    window.driver.keys("w").await?;
    is_small(window).await?;
    window.driver.keys("w").await?;
    is_large(window).await?;

    window.press("small-window").await?;
    is_small(window).await?;
    window.press("leave").await?;
    window.page("parting").await?;
    has_size(window, LARGE).await
}

async fn is_small(window: &AppWindow) -> Outcome {
    let shown = "return !!document.querySelector('[data-page=call][data-small] [data-testid=picture-peer]') \
                 && !document.querySelector('[data-testid=paper]');";
    window.driver.until("the page of the small window", PATIENCE, shown, json!([])).await?;
    has_size(window, SMALL).await
}

async fn is_large(window: &AppWindow) -> Outcome {
    let shown =
        "return !document.querySelector('[data-small]') && !!document.querySelector('[data-page=call] [data-testid=paper]');";
    window.driver.until("the page of the large window", PATIENCE, shown, json!([])).await?;
    has_size(window, LARGE).await
}

/// The webview fills the window: its size is that of the window's content on the screen. It stays so: a window that springs
/// back is not small.
async fn has_size(window: &AppWindow, (width, height): (u32, u32)) -> Outcome {
    let size = "if (innerWidth === arguments[0] && innerHeight === arguments[1]) return true; \
                throw new Error(`the window is ${innerWidth}x${innerHeight}`);";
    let what = format!("a window of {width}x{height}");
    for _ in 0..2 {
        window.driver.until(&what, PATIENCE, size, json!([width, height])).await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    Ok(())
}

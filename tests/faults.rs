//! What goes wrong on a user's machine, in a real window: each fault has its sentence, no page is stuck, and the way on works.

use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use visavis_rehearsal::display::Display;
use visavis_rehearsal::stage::{Stage, free_port};
use visavis_rehearsal::window::{AppWindow, Start};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

struct Desk {
    display: Display,
    stage: Option<Stage>,
    server: String,
    folder: tempfile::TempDir,
}

impl Desk {
    async fn open(&self, identity: &str, camera: &str) -> Outcome<AppWindow> {
        let app = Path::new(env!("CARGO_BIN_EXE_visavis"));
        let browser: PathBuf = app.with_file_name(format!("visavis-bot{}", std::env::consts::EXE_SUFFIX));
        let window = AppWindow::open(Start {
            binary: app,
            name: identity,
            profile_folder: &self.folder.path().join(identity),
            server: &self.server,
            camera,
            display: &self.display.name,
            browser: &browser,
            position: (0, 0),
            size: (900, 600),
        })
        .await?;
        Ok(window)
    }

    /// The notice's kind and its sentence.
    async fn notice(&self, window: &AppWindow, kind: &str) -> Outcome<String> {
        let body = "const at = document.querySelector('[data-testid=notice]'); \
                    return at && at.dataset.notice === arguments[0] ? at.innerText : null;";
        let within = visavis_rehearsal::window::PATIENCE;
        let words = window.driver.until(&format!("the notice {kind}"), within, body, json!([kind])).await?;
        let words = words.as_str().unwrap_or_default().to_owned();
        assert!(words.split_whitespace().count() >= 6, "{kind} is said in a sentence: {words:?}");
        Ok(words)
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_are_said_and_survived() -> Outcome {
    const { assert!(cfg!(feature = "embed-ui"), "run with --features embed-ui: the pages must be inside the binary") };
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let folder = tempfile::tempdir()?;
    let mut desk = Desk { display: Display::start(1000, 700)?, stage: None, server: format!("http://{address}"), folder };
    the_server_is_not_there_yet(&mut desk, address).await?;
    a_camera_file_is_missing_or_broken(&desk).await?;
    somebody_under_age_is_refused(&desk).await?;
    the_server_goes_away(desk).await
}

async fn the_server_is_not_there_yet(desk: &mut Desk, address: SocketAddr) -> Outcome {
    let window = desk.open("ada", "pattern").await?;
    window.page("welcome").await?;
    window.press("sign-in").await?;
    desk.notice(&window, "server_unreachable").await?;
    window.page("welcome").await?;
    desk.stage = Some(Stage::start_at(address).await?);
    window.press("notice-retry").await?;
    window.page("mirror").await?;
    window.driver.quit().await;
    Ok(())
}

async fn a_camera_file_is_missing_or_broken(desk: &Desk) -> Outcome {
    let missing = desk.folder.path().join("nowhere.y4m");
    let broken = desk.folder.path().join("broken.y4m");
    std::fs::write(&broken, b"YUV4MPEG2 W640 H360 F30:1 C420\nFRAME\nonly a few bytes")?;
    for (identity, camera) in [("ada", missing), ("bao", broken)] {
        let window = desk.open(identity, &camera.display().to_string()).await?;
        window.page("welcome").await?;
        window.press("sign-in").await?;
        window.page("mirror").await?;
        let words = desk.notice(&window, "camera_file_broken").await?;
        assert!(words.contains(".y4m"), "the file is named: {words:?}");
        // The way on: another camera.
        window.act(json!({ "do": "choose_camera", "id": "pattern" })).await?;
        window.moves("picture-own").await?;
        window.driver.quit().await;
    }
    Ok(())
}

async fn somebody_under_age_is_refused(desk: &Desk) -> Outcome {
    for (identity, word) in [("kim", "18"), ("nemo", "verif")] {
        let window = desk.open(identity, "pattern").await?;
        window.page("welcome").await?;
        window.press("sign-in").await?;
        let words = desk.notice(&window, "refused").await?;
        assert!(words.contains(word), "{identity}: {words:?}");
        window.page("welcome").await?;
        window.driver.quit().await;
    }
    Ok(())
}

async fn the_server_goes_away(mut desk: Desk) -> Outcome {
    let window = desk.open("chen", "pattern").await?;
    window.page("welcome").await?;
    window.press("sign-in").await?;
    window.page("mirror").await?;
    window.press("meet").await?;
    window.page("waiting").await?;
    if let Some(stage) = desk.stage.take() {
        stage.server.shutdown().await;
    }
    desk.notice(&window, "server_lost").await?;
    window.press("cancel-waiting").await?;
    window.page("mirror").await?;
    window.driver.quit().await;
    Ok(())
}

//! Two real app windows that see each other clearly, on a display and a server of their own, for benches and their pictures; a bad network
//! lies between them where one is asked for.

use crate::display::Display;
use crate::rehearse::shim::{Shim, Weather};
use crate::rig::scenario::LinkConfig;
use crate::stage::Stage;
use crate::webdriver::DriverError;
use crate::window::{AppWindow, Start};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Between the two windows on one display.
const GAP: u32 = 24;

/// How the two meet.
pub struct Meeting<'a> {
    /// The `visavis` binary, built with embed-ui.
    pub app: &'a Path,
    pub cameras: [&'a str; 2],
    pub size: (u32, u32),
    pub network: Network,
}

/// From one app to the other, through the relay.
#[derive(Clone, Copy, Debug, Default)]
pub struct Network {
    /// Percent.
    pub loss: f64,
    pub round_trip_ms: f64,
}

impl Network {
    /// What lies on each of the two ways to the relay: a packet from one app to the other goes over both.
    fn link(self) -> LinkConfig {
        let through = (1.0 - self.loss / 100.0).clamp(0.0, 1.0).sqrt();
        LinkConfig { delay_ms: self.round_trip_ms / 4.0, loss_pct: 100.0 * (1.0 - through), ..LinkConfig::default() }
    }

    fn is_bad(self) -> bool {
        self.loss > 0.0 || self.round_trip_ms > 0.0
    }
}

pub struct Two {
    pub display: Display,
    stage: Stage,
    pub a: AppWindow,
    pub b: AppWindow,
    /// Held while it is needed.
    _shim: Option<Shim>,
}

impl Two {
    pub async fn meet(meeting: &Meeting<'_>) -> Result<Self, Failure> {
        let (width, height) = meeting.size;
        let display = Display::start(2 * width + GAP, height)?;
        let (stage, shim) = if meeting.network.is_bad() {
            let (stage, shim) =
                Stage::start_behind(Weather { link: meeting.network.link(), out: false, udp_blocked: false }, 7).await?;
            (stage, Some(shim))
        } else {
            (Stage::start().await?, None)
        };
        let browser: PathBuf = std::env::current_exe()?.with_file_name(format!("visavis-bot{}", std::env::consts::EXE_SUFFIX));
        let open = |name: &'static str, camera: &str, x: u32| {
            let (stage, display, browser, camera) = (&stage, &display, &browser, camera.to_owned());
            async move {
                let folder = stage.profile_folder(name);
                AppWindow::open(Start {
                    binary: meeting.app,
                    name,
                    profile_folder: &folder,
                    server: &stage.url,
                    camera: &camera,
                    display: &display.name,
                    browser,
                    position: (x, 0),
                    size: meeting.size,
                })
                .await
            }
        };
        let [first, second] = meeting.cameras;
        let (a, b) = tokio::try_join!(open("ada", first, 0), open("bao", second, width + GAP))?;
        let two = Self { display, stage, a, b, _shim: shim };
        two.come_to_a_call().await?;
        Ok(two)
    }

    async fn come_to_a_call(&self) -> Result<(), DriverError> {
        for window in [&self.a, &self.b] {
            window.page("welcome").await?;
            window.press("sign-in").await?;
            window.page("mirror").await?;
            window.press("meet").await?;
        }
        for window in [&self.a, &self.b] {
            window.page("match").await?;
            window.press("match-meet").await?;
        }
        for window in [&self.a, &self.b] {
            window.press("reveal").await?;
        }
        for window in [&self.a, &self.b] {
            window.is_mosaic("picture-peer", false).await?;
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        Ok(())
    }

    /// Day paper or night paper, in both windows.
    pub async fn theme(&self, name: &str) -> Result<(), DriverError> {
        for window in [&self.a, &self.b] {
            window.driver.script("document.documentElement.dataset.theme = arguments[0]; return true;", json!([name])).await?;
        }
        // Until it is painted.
        tokio::time::sleep(Duration::from_millis(400)).await;
        Ok(())
    }

    pub async fn part(self) {
        self.a.driver.quit().await;
        self.b.driver.quit().await;
        self.stage.server.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_ways_together_are_what_was_asked_for() {
        let link = Network { loss: 5.0, round_trip_ms: 80.0 }.link();
        assert_eq!(link.delay_ms, 20.0);
        let through = 1.0 - link.loss_pct / 100.0;
        assert!((through * through - 0.95).abs() < 1e-9);
        assert!(!Network::default().is_bad());
    }
}

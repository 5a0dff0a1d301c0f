//! What a call of 360p costs in private memory: our window with its webview, and Chromium with a plain page, one after the other on this
//! machine. Private is what no other process maps; both count everything that the program started. Linux only.

use crate::processes::{self, Cost};
use crate::rig::{bench, page};
use crate::two_windows::{Meeting, Network, Two};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::time::{Instant, sleep};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Of what Chromium needs on the same call.
const MOST: f64 = 0.6;
/// Until a call shows pictures.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pictures that the other side must have shown before anything is measured.
const SHOWN: usize = 30;

/// A browser of its own; its children end with it.
struct Browser(Child);

impl Browser {
    fn start(program: &Path, profile: &Path, address: &str) -> std::io::Result<Self> {
        let process = Command::new(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
            .args(["--disable-background-networking", "--disable-component-update", "--window-size=1300,840"])
            .args(["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"])
            .arg("--autoplay-policy=no-user-gesture-required")
            // Otherwise it has no address to connect from on a machine without a network.
            .args(["--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self(process))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Pictures that a page wrote down as shown.
fn shown(log: &Path) -> usize {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines().filter(|line| line.split(',').nth(1) == Some("render")).count()
}

async fn of_chromium(program: &Path, length: Duration) -> Result<Cost, Failure> {
    let folder = tempfile::Builder::new().prefix("visavis-memory").tempdir()?;
    let server = page::Server::start(SocketAddr::from(([127, 0, 0, 1], 0)), folder.path().to_owned(), page::CALL).await?;
    let side = |side: &str| {
        let seconds = length.as_secs() + 2 * PATIENCE.as_secs();
        // No pictures are kept: that is memory of the measuring.
        let address = format!("http://{}/call.html?side={side}&seconds={seconds}&dump_ms=0", server.address);
        std::fs::create_dir_all(folder.path().join(side))?;
        Browser::start(program, &folder.path().join(format!("profile-{side}")), &address)
    };
    let (a, _b) = (side("a")?, side("b")?);
    let begun = Instant::now();
    while shown(&folder.path().join("a/log.csv")) < SHOWN {
        if begun.elapsed() > PATIENCE {
            return Err("the two pages in Chromium did not come to a call".into());
        }
        sleep(Duration::from_millis(200)).await;
    }
    sleep(length).await;
    Ok(processes::cost(a.0.id()))
}

async fn of_the_app(app: &Path, length: Duration) -> Result<Cost, Failure> {
    let cameras = ["pattern", "pattern"];
    let two = Two::meet(&Meeting { app, cameras, size: (1280, 800), network: Network::default() }).await?;
    sleep(length).await;
    // Below the driver, which is none of the app.
    let driver = two.a.driver.process_id();
    let all = processes::cost(driver);
    let itself = processes::cost_of(driver);
    two.part().await;
    Ok(Cost { private_kib: all.private_kib.saturating_sub(itself.private_kib), processes: all.processes - 1, ..all })
}

/// Both, and what one is of the other.
pub async fn compare(app: &Path, length: Duration) -> Result<(), Failure> {
    let ours = of_the_app(app, length).await?;
    let mib = |cost: &Cost| cost.private_kib as f64 / 1024.0;
    println!("our window in a call of 360p: {:.0} MiB private in {} processes", mib(&ours), ours.processes);
    let Some(program) = bench::find_browser() else {
        println!("Chromium is not installed (Debian: apt install chromium); there is nothing to compare with");
        return Ok(());
    };
    let theirs = of_chromium(&program, length).await?;
    println!("Chromium in a call of 360p: {:.0} MiB private in {} processes", mib(&theirs), theirs.processes);
    println!("ours of Chromium's: {:.2} (wanted: at most {MOST})", mib(&ours) / mib(&theirs).max(1.0));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_that_were_shown_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log.csv");
        assert_eq!(shown(&log), 0);
        std::fs::write(&log, "1.0,call_start,,,\n2.0,capture,1,640,360\n3.0,render,1,640,360\n4.0,render,2,640,360\n").unwrap();
        assert_eq!(shown(&log), 2);
    }
}

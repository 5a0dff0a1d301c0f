//! What a bot sees: how much detail there is in the pictures that arrive.

use super::Report;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use visavis_session::Session;

/// Mean difference of neighbouring pixels, by brightness levels, below which a picture is a mosaic.
pub const MOSAIC: f64 = 0.6;
const PAUSE: Duration = Duration::from_secs(1);

/// Mean difference of neighbouring pixels inside the blocks of a 32 x 18 grid, below the strip with the frame number.
pub fn detail(frame: &visavis_media::Frame) -> f64 {
    let (mut sum, mut count) = (0u64, 0u64);
    for row in 2..18 {
        for column in 0..32 {
            let (x0, x1) = (frame.width * column / 32 + 4, (frame.width * (column + 1) / 32).saturating_sub(4));
            let (y0, y1) = (frame.height * row / 18 + 4, (frame.height * (row + 1) / 18).saturating_sub(4));
            for y in y0..y1 {
                for x in x0..x1 {
                    let at = y * frame.width + x;
                    sum += u64::from(frame.y()[at].abs_diff(frame.y()[at + 1]));
                    count += 1;
                }
            }
        }
    }
    sum as f64 / count.max(1) as f64
}

/// Looks at the peer's pictures and reports once a second what came.
pub(super) fn watch_pictures(session: Arc<Session>, reports: UnboundedSender<Report>) -> tokio::task::JoinHandle<()> {
    tokio::task::spawn_blocking(move || {
        let pictures = session.peer_pictures();
        let mut since = Instant::now();
        let mut frames = 0;
        let (mut last, mut detailed) = (None::<Instant>, None);
        while !reports.is_closed() && !pictures.is_closed() {
            let Some(shown) = pictures.take(Duration::from_millis(200)) else { continue };
            frames += 1;
            let now = last.replace(Instant::now()).filter(|last| last.elapsed() < PAUSE).and(detailed);
            detailed = Some(detail(&shown.frame) >= MOSAIC);
            if now != detailed && reports.send(Report::Look { detailed: detailed == Some(true) }).is_err() {
                return;
            }
            if since.elapsed() >= Duration::from_secs(1) {
                let frame = &shown.frame;
                let number = visavis_media::marker::read(frame);
                if reports.send(Report::Pictures { frames, number, width: frame.width, height: frame.height }).is_err() {
                    return;
                }
                (since, frames) = (Instant::now(), 0);
            }
        }
    })
}

//! From the session's mailboxes to the screen: a thread for each side empties the mailbox, because a mailbox serves one reader
//! and a page may open its socket anew at any time.

use crate::screen::{Picture, Pictures};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use visavis_session::{Clock, FramePool, ShownPicture, scale};

/// How often a thread looks whether the mailbox was closed.
const LOOK: Duration = Duration::from_millis(500);
/// Scaled pictures under way at a time: two sockets of each side while a page reloads.
const SCALED: usize = 4;

struct Shown {
    picture: Arc<ShownPicture>,
    pool: FramePool,
    /// Unix time of the clock's zero.
    zero: Duration,
}

/// Ends when the mailbox is closed.
pub fn publish(side: &str, mailbox: visavis_session::Pictures, clock: Clock) -> std::io::Result<Pictures> {
    let zero = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(clock.now());
    let (sender, pictures) = watch::channel(None);
    let pool = FramePool::new(SCALED);
    std::thread::Builder::new().name(format!("screen-{side}")).spawn(move || {
        while !mailbox.is_closed() {
            if let Some(picture) = mailbox.take(LOOK) {
                let shown: Arc<dyn Picture> = Arc::new(Shown { picture, pool: pool.clone(), zero });
                sender.send_replace(Some(shown));
            }
        }
    })?;
    Ok(pictures)
}

impl Picture for Shown {
    fn captured(&self) -> Duration {
        self.zero + self.picture.frame.captured
    }

    fn fits(&self, room: (usize, usize)) -> bool {
        self.picture.frame.width <= room.0 && self.picture.frame.height <= room.1
    }

    fn veiled(&self) -> bool {
        self.picture.veiled
    }

    fn append_fitting(&self, room: (usize, usize), message: &mut Vec<u8>) -> Option<(usize, usize)> {
        let frame = &self.picture.frame;
        let (width, height) = scale::fit((frame.width, frame.height), room);
        if (width, height) == (frame.width, frame.height) {
            message.extend_from_slice(frame.as_bytes());
        } else {
            message.extend_from_slice(scale::scale_i420(frame, width, height, &self.pool)?.as_bytes());
        }
        Some((width, height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(size: (usize, usize)) -> Shown {
        let pool = FramePool::new(2);
        let mut frame = pool.frame(size.0, size.1, Duration::from_secs(1)).unwrap();
        let (y, u, v) = frame.planes_mut();
        y.fill(60);
        u.fill(100);
        v.fill(140);
        Shown { picture: Arc::new(ShownPicture { frame, veiled: true }), pool, zero: Duration::from_secs(9) }
    }

    #[test]
    fn a_picture_is_scaled_down_to_what_the_page_shows() {
        let mut message = vec![7];
        assert_eq!(shown((1280, 720)).append_fitting((640, 640), &mut message), Some((640, 360)));
        assert_eq!(message.len(), 1 + 640 * 360 * 3 / 2);
        assert_eq!((message[0], message[1], message[640 * 360 + 1], *message.last().unwrap()), (7, 60, 100, 140));
    }

    #[test]
    fn a_picture_tells_its_age_in_unix_time() {
        assert_eq!(shown((64, 36)).captured(), Duration::from_secs(10));
        assert!(shown((64, 36)).fits((64, 36)) && !shown((64, 36)).fits((64, 35)));
    }

    #[test]
    fn a_picture_is_never_scaled_up() {
        let mut message = Vec::new();
        assert_eq!(shown((640, 360)).append_fitting((1920, 1080), &mut message), Some((640, 360)));
        assert_eq!(message.len(), 640 * 360 * 3 / 2);
    }
}

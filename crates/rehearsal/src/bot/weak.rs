//! The camera of a peer that costs little: a machine that is fit for twenty of them and no more is no place for pictures as people
//! send them.

use visavis_media::audio::SoundDevices;
use visavis_media::camera::{Camera, CameraError, CameraInfo, CameraSource};
use visavis_media::machine::{CameraWish, Machine, Nothing};

const SIZE: (usize, usize) = (320, 180);

/// As [`Nothing`], with pictures of 320 x 180 and so many a second at most, whatever is wished for. Files keep their own rate.
pub struct WeakCamera {
    pub fps: u32,
}

impl Machine for WeakCamera {
    fn look_every(&self) -> std::time::Duration {
        Nothing.look_every()
    }

    fn cameras(&self) -> Option<Vec<CameraInfo>> {
        Nothing.cameras()
    }

    fn sound(&self) -> Option<SoundDevices> {
        Nothing.sound()
    }

    fn open_camera(&self, source: &CameraSource, wish: CameraWish) -> Result<Camera, CameraError> {
        let size = (wish.size.0.min(SIZE.0), wish.size.1.min(SIZE.1));
        Nothing.open_camera(source, CameraWish { size, fps: wish.fps.min(self.fps), ..wish })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use visavis_media::{Clock, FramePool};

    #[test]
    fn pictures_are_small_and_few() {
        let wish = CameraWish { size: (1280, 720), fps: 30, pool: FramePool::new(4), clock: Clock::start() };
        let camera = WeakCamera { fps: 10 }.open_camera(&CameraSource::Pattern, wish).unwrap();
        let mut captured = Vec::new();
        while captured.len() < 6 {
            let frame = camera.frames().take(Duration::from_secs(5)).expect("a picture within five seconds");
            assert_eq!((frame.width, frame.height), SIZE);
            captured.push(frame.captured);
        }
        assert!(captured[5] - captured[0] >= Duration::from_millis(450), "{captured:?}");
    }
}

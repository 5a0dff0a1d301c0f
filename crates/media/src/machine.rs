//! Which devices there are, and opening them: the seam between a session and the machine it runs on. [`Hardware`] asks the system,
//! [`Scripted`] has what a test plugs in, [`Nothing`] has none. Which device is used is left to the session.

mod scripted;

use crate::audio::{AudioError, Microphone, MicrophoneSource, OnFrame, Played, PullFrame, SoundDevices, SoundLister};
use crate::audio::{Speaker, SpeakerTarget};
use crate::camera::{self, Camera, CameraError, CameraInfo, CameraSource};
use crate::{Clock, FramePool};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub use scripted::{InUse, Refusal, Scripted};

/// What a camera is opened with.
#[derive(Clone)]
pub struct CameraWish {
    pub size: (usize, usize),
    pub fps: u32,
    pub pool: FramePool,
    pub clock: Clock,
}

/// Everything here blocks: for seconds, where a sound server hangs.
pub trait Machine: Send + Sync + 'static {
    /// Between two looks at what there is.
    fn look_every(&self) -> Duration {
        Duration::from_secs(2)
    }

    /// Real cameras. `None`: the system does not tell now.
    fn cameras(&self) -> Option<Vec<CameraInfo>>;

    /// `None`: the system does not tell now.
    fn sound(&self) -> Option<SoundDevices>;

    fn open_camera(&self, source: &CameraSource, wish: CameraWish) -> Result<Camera, CameraError> {
        Camera::open(source, wish.size, wish.fps, wish.pool, wish.clock)
    }

    fn open_microphone(&self, source: &MicrophoneSource, on_frame: OnFrame) -> Result<Microphone, AudioError> {
        Microphone::open(source, on_frame)
    }

    fn open_speaker(&self, target: &SpeakerTarget, pull: PullFrame, played: Played) -> Result<Speaker, AudioError> {
        Speaker::open_with(target, pull, played)
    }
}

/// This machine.
#[derive(Default)]
pub struct Hardware {
    cameras: Mutex<camera::Lister>,
    sound: Mutex<SoundLister>,
}

impl Machine for Hardware {
    fn cameras(&self) -> Option<Vec<CameraInfo>> {
        self.cameras.lock().unwrap_or_else(PoisonError::into_inner).look()
    }

    fn sound(&self) -> Option<SoundDevices> {
        self.sound.lock().unwrap_or_else(PoisonError::into_inner).look()
    }
}

/// No machine at all, for a peer without a window that brings all its devices: it is asked nothing again and again, and what is
/// named to it is opened all the same.
pub struct Nothing;

impl Machine for Nothing {
    fn look_every(&self) -> Duration {
        Duration::from_secs(3600)
    }

    fn cameras(&self) -> Option<Vec<CameraInfo>> {
        Some(Vec::new())
    }

    fn sound(&self) -> Option<SoundDevices> {
        Some(SoundDevices::default())
    }
}

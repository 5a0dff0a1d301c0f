//! Cameras: real, file, synthetic; each read by an OS thread into a mailbox.
use crate::{Clock, Frame, FramePool, Mailbox};

/// Where pictures come from. Text form (`FromStr`/`Display`), used by flags and settings:
/// `device:ID`, `file:PATH` (or a bare path ending in .y4m/.ivf/.webm), `pattern`, `face:NAME`, `image:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CameraSource {
    Device { id: String },
    File { path: std::path::PathBuf },
    /// Moving pattern with a machine-readable frame number.
    Pattern,
    /// A drawn face that talks; NAME seeds its looks.
    Face { name: String },
    Image { path: std::path::PathBuf },
}

/// What a tester does to a synthetic or file camera, switchable at run time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Modifier {
    #[default]
    None,
    Covered,
    Dark,
    Frozen,
    Unplugged,
    Stalled,
}

#[derive(Clone, Debug)]
pub struct CameraInfo {
    pub id: String,
    pub name: String,
}

#[derive(Debug, thiserror::Error)]
pub enum CameraError {
    #[error("the camera {0} is not there")]
    Missing(String),
    #[error("another program is using the camera {0}")]
    Busy(String),
    #[error("no permission to open the camera {0}")]
    Denied(String),
    #[error("the file {0} cannot be read: {1}")]
    File(String, String),
    #[error("the camera failed: {0}")]
    Failed(String),
}

/// A running camera. Dropping it stops the thread and closes the device.
pub struct Camera {}

impl Camera {
    /// Opens in the calling thread (so that errors come back here), then captures in its own. `width` x `height` is a wish.
    pub fn open(_source: &CameraSource, _size: (usize, usize), _fps: u32, _pool: FramePool, _clock: Clock) -> Result<Self, CameraError> {
        Ok(Self {})
    }
    /// Newest frame wins.
    pub fn frames(&self) -> Mailbox<Frame> {
        Mailbox::new()
    }
    pub fn set_modifier(&self, _modifier: Modifier) {}
    /// Set when capture ended by itself (unplugged, file broken).
    pub fn failure(&self) -> Option<String> {
        None
    }
}

/// Real cameras of this machine.
pub fn list() -> Vec<CameraInfo> {
    Vec::new()
}

//! Cameras: real, file, synthetic; each read by an OS thread into a mailbox. What a picture then goes through (detector, gate,
//! encoder) belongs to others.
//!
//! | file | holds |
//! |---|---|
//! | `text` | the text form of a source |
//! | `pace` | the thread of a source that has no clock of its own, and the way out of every camera |
//! | `pattern`, `face`, `file`, `still` | such sources |
//! | `modifier` | covered, dark, frozen, loop, unplugged, stalled |
//! | `device_linux`, `device_other`, `stamps`, `shutter` | real cameras |

#[cfg(target_os = "linux")]
#[path = "camera/device_linux.rs"]
mod device;
#[cfg(any(windows, target_os = "macos"))]
#[path = "camera/device_other.rs"]
mod device;
mod face;
mod file;
mod modifier;
mod noise;
mod pace;
mod paint;
mod pattern;
mod portrait;
#[cfg(target_os = "linux")]
mod shutter;
mod stamps;
mod still;
mod text;

use crate::{Clock, Forbidden, Frame, FramePool, Mailbox};
use pace::{Output, Shared};
use std::fmt;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;

pub use text::UnknownSource;

/// Where pictures come from. Text form (`FromStr`/`Display`), used by flags and settings:
/// `device:ID`, `file:PATH` (or a bare path ending in .y4m/.ivf/.webm), `pattern`, `face:NAME`, `image:PATH`. The suffix
/// `#marked` of a file or an image asks for the frame number of [`crate::marker`] in each picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CameraSource {
    Device {
        id: String,
    },
    /// y4m, IVF with VP8, WebM with VP8; played in a loop at its own rate.
    File {
        path: std::path::PathBuf,
        marked: bool,
    },
    /// Moving pattern with a machine-readable frame number.
    Pattern,
    /// A drawn face that talks; NAME seeds its looks. With a machine-readable frame number.
    Face {
        name: String,
    },
    Image {
        path: std::path::PathBuf,
        marked: bool,
    },
}

/// What a tester does to a camera, switchable at run time. A frame number in the picture stays readable under `Covered` and
/// `Dark`, so that a test can still tell which picture it sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Modifier {
    #[default]
    None,
    /// As with a finger on the lens: reddish, defocused, almost uniform, noisy.
    Covered,
    /// Lights off: a few levels of luma above black, and noise.
    Dark,
    /// Pictures keep coming, all the same.
    Frozen,
    /// Two seconds are recorded as they pass, and then played again and again.
    Loop,
    /// Ends the camera with a failure; nothing brings it back.
    Unplugged,
    /// No pictures while it lasts.
    Stalled,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraInfo {
    pub id: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CameraError {
    #[error("the camera {0} is not there")]
    Missing(String),
    #[error("another program is using the camera {0}")]
    Busy(String),
    #[error("no permission to open the camera {0}")]
    Denied(String, Forbidden),
    /// While it ran.
    #[error("it was unplugged")]
    Unplugged,
    #[error("the file {0} cannot be read: {1}")]
    File(String, String),
    #[error("the camera failed: {0}")]
    Failed(String),
}

/// A running camera. Dropping it stops the thread and closes the device.
pub struct Camera {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Camera {
    /// Opens in the calling thread (so that errors come back here), then captures in its own. `size` is a wish: synthetic
    /// cameras follow it, files and images are scaled down to fit into it, devices take the nearest that they have. `fps` is a
    /// wish too; files keep their own.
    pub fn open(
        source: &CameraSource,
        size: (usize, usize),
        fps: u32,
        pool: FramePool,
        clock: Clock,
    ) -> Result<Self, CameraError> {
        let size = (size.0.clamp(16, 1920) & !1, size.1.clamp(16, 1080) & !1);
        let fps = fps.clamp(1, 60);
        let shared = Arc::new(Shared::default());
        let output = Output::new(Arc::clone(&shared), pool, clock);
        let body: Box<dyn FnOnce(Output) + Send> = match source {
            CameraSource::Device { id } => {
                let device = device::open(id, size, fps)?;
                Box::new(move |output| device.run(output))
            }
            CameraSource::File { path, marked } => {
                let file = file::FileSource::open(path, size)?;
                let (rate, marked) = (file.rate(), *marked);
                Box::new(move |output| pace::run(file, rate, marked, output))
            }
            CameraSource::Image { path, marked } => {
                let still = still::Still::open(path, size)?;
                let marked = *marked;
                Box::new(move |output| pace::run(still, pace::Rate::whole(fps), marked, output))
            }
            CameraSource::Pattern => {
                let pattern = pattern::Pattern::new(size.0, size.1);
                Box::new(move |output| pace::run(pattern, pace::Rate::whole(fps), true, output))
            }
            CameraSource::Face { name } => {
                let face = face::Face::new(name, size.0, size.1);
                Box::new(move |output| pace::run(face, pace::Rate::whole(fps), true, output))
            }
        };
        let thread = std::thread::Builder::new()
            .name("camera".to_owned())
            .spawn(move || body(output))
            .map_err(|error| CameraError::Failed(error.to_string()))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Newest frame wins. Closed when the camera ends, by itself or by being dropped.
    pub fn frames(&self) -> Mailbox<Frame> {
        self.shared.frames.clone()
    }

    pub fn set_modifier(&self, modifier: Modifier) {
        self.shared.set_modifier(modifier);
    }

    /// The camera's own privacy switch hides the view, and its driver says so (Linux). Nothing is known otherwise.
    pub fn shutter_is_closed(&self) -> bool {
        self.shared.shutter_is_closed()
    }

    /// Set when capture ended by itself (unplugged, file broken).
    pub fn failure(&self) -> Option<CameraError> {
        self.shared.failure()
    }

    /// What becomes of this camera without its owner's doing.
    pub(crate) fn fate(&self) -> Fate {
        Fate(Arc::downgrade(&self.shared))
    }
}

/// A hand on a camera that somebody else holds: of a scripted machine.
pub(crate) struct Fate(Weak<Shared>);

impl Fate {
    pub(crate) fn is_open(&self) -> bool {
        self.0.strong_count() > 0
    }

    pub(crate) fn unplug(&self) {
        if let Some(shared) = self.0.upgrade() {
            shared.set_modifier(Modifier::Unplugged);
        }
    }
}

impl fmt::Debug for Camera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Camera(failure: {:?})", self.failure())
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the camera's thread panicked");
        }
    }
}

/// Which real cameras this machine has, asked again and again.
#[derive(Default)]
pub struct Lister {
    last: Option<(device::Mark, Vec<CameraInfo>)>,
}

impl Lister {
    /// Opens no camera while none came or went. `None`: the system does not tell.
    pub fn look(&mut self) -> Option<Vec<CameraInfo>> {
        let mark = device::mark();
        if let (Some(mark), Some((before, cameras))) = (&mark, &self.last)
            && mark == before
        {
            return Some(cameras.clone());
        }
        let cameras = device::list()?;
        // Marked before it was listed: what comes in between is seen at the next look.
        self.last = mark.map(|mark| (mark, cameras.clone()));
        Some(cameras)
    }
}

#[cfg(not(any(target_os = "linux", windows, target_os = "macos")))]
mod device {
    //! Systems whose cameras we cannot open.
    use super::{CameraError, CameraInfo, Output};

    pub enum Device {}

    impl Device {
        pub fn run(self, _output: Output) {
            match self {}
        }
    }

    pub fn open(id: &str, _size: (usize, usize), _fps: u32) -> Result<Device, CameraError> {
        Err(CameraError::Missing(id.to_owned()))
    }

    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Mark {}

    pub fn mark() -> Option<Mark> {
        None
    }

    pub fn list() -> Option<Vec<CameraInfo>> {
        Some(Vec::new())
    }
}

#[cfg(test)]
mod tests;

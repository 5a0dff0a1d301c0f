//! Real cameras on Linux (V4L2): driver time stamps, only the bytes that the driver says it used, a limit to waiting.
//!
//! The identifier of a camera is the path of its node.

use super::pace::Output;
use super::shutter::{Shutter, Switch};
use super::stamps::Stamps;
use super::{CameraError, CameraInfo};
use crate::convert::{Rows, from_jpeg, from_nv12, from_yuyv};
use crate::forbidden::{Forbidden, linux};
use crate::{Frame, FramePool};
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use v4l::buffer::{Flags, Type};
use v4l::control::Value;
use v4l::framesize::FrameSizeEnum;
use v4l::io::traits::CaptureStream;
use v4l::prelude::MmapStream;
use v4l::video::Capture;
use v4l::video::capture::Parameters;
use v4l::{Format, FourCC};

const BUFFERS: u32 = 4;
/// `V4L2_CID_PRIVACY`, of the camera class of controls.
const PRIVACY: u32 = 0x009a_0900 + 16;
/// poll(2): data to read.
const POLLIN: i16 = 1;
/// How often a quiet camera's thread looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(100);
/// A camera that gives nothing for this long has failed; some need two seconds to wake.
const PATIENCE: Duration = Duration::from_secs(6);
/// Pictures in a row that cannot be converted before the camera counts as failed.
const MAX_BROKEN: u32 = 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    Yuyv,
    Nv12,
    Jpeg,
}

impl Layout {
    fn of(code: FourCC) -> Option<Self> {
        match &code.repr {
            b"YUYV" => Some(Self::Yuyv),
            b"NV12" => Some(Self::Nv12),
            b"MJPG" | b"JPEG" => Some(Self::Jpeg),
            _ => None,
        }
    }
}

pub(super) struct Device {
    id: String,
    shutter: Shutter<v4l::Device>,
    stream: MmapStream<'static>,
    layout: Layout,
    width: usize,
    height: usize,
    stride: usize,
}

pub(super) fn open(id: &str, size: (usize, usize), fps: u32) -> Result<Device, CameraError> {
    let explain = |error: std::io::Error| error_of(id, &error);
    let device = v4l::Device::with_path(id).map_err(explain)?;
    let (layout, wish) = choose(&device, size)
        .map_err(explain)?
        .ok_or_else(|| CameraError::Failed(format!("{id} offers none of the formats MJPEG, YUYV and NV12")))?;
    let format = device.set_format(&wish).map_err(explain)?;
    // The driver may answer with something else than it was asked for.
    let layout = Layout::of(format.fourcc).unwrap_or(layout);
    let (width, height) = (format.width as usize, format.height as usize);
    if !crate::frame::size_is_allowed(width, height) {
        return Err(CameraError::Failed(format!("{id} insists on pictures of {width}x{height}")));
    }
    // Cameras without a choice of rate refuse this; they keep their own.
    if let Err(error) = device.set_params(&Parameters::with_fps(fps)) {
        tracing::debug!(%error, "the camera keeps its own rate");
    }
    let mut stream = MmapStream::with_buffers(&device, Type::VideoCapture, BUFFERS).map_err(explain)?;
    stream.set_timeout(PATIENCE);
    let shutter = Shutter::new(device);
    Ok(Device { id: id.to_owned(), shutter, stream, layout, width, height, stride: format.stride as usize })
}

impl Switch for v4l::Device {
    fn is_closed(&mut self) -> std::io::Result<bool> {
        closed(&self.control(PRIVACY)?.value)
    }
}

/// The control is a boolean; older drivers have it as a number.
fn closed(value: &Value) -> std::io::Result<bool> {
    match value {
        Value::Boolean(closed) => Ok(*closed),
        Value::Integer(closed) => Ok(*closed != 0),
        other => Err(std::io::Error::other(format!("a privacy control of {other:?}"))),
    }
}

fn error_of(id: &str, error: &std::io::Error) -> CameraError {
    const EPERM: i32 = 1;
    const ENOENT: i32 = 2;
    const ENXIO: i32 = 6;
    const EACCES: i32 = 13;
    const EBUSY: i32 = 16;
    const ENODEV: i32 = 19;
    let name = id.to_owned();
    match error.raw_os_error() {
        Some(ENOENT | ENXIO | ENODEV) => CameraError::Missing(name),
        Some(EBUSY) => CameraError::Busy(name),
        Some(EACCES) => CameraError::Denied(name, linux::why(Path::new(id))),
        // Not a matter of who may use the file.
        Some(EPERM) => CameraError::Denied(name, Forbidden::LinuxPolicy),
        _ => CameraError::Failed(error.to_string()),
    }
}

/// The format to ask for: the size nearest to the wish, then the cheapest layout that a USB camera can deliver at full rate
/// (raw up to 640x480, Motion JPEG above: USB 2 has no room for raw 720p30).
fn choose(device: &v4l::Device, size: (usize, usize)) -> std::io::Result<Option<(Layout, Format)>> {
    let mut best: Option<((usize, usize, usize), Layout, Format)> = None;
    for description in device.enum_formats()? {
        let Some(layout) = Layout::of(description.fourcc) else { continue };
        for (width, height) in sizes(device, description.fourcc, size) {
            let cost = cost(layout, (width, height), size);
            if best.as_ref().is_none_or(|(least, ..)| cost < *least) {
                best = Some((cost, layout, Format::new(width as u32, height as u32, description.fourcc)));
            }
        }
    }
    Ok(best.map(|(_, layout, format)| (layout, format)))
}

fn sizes(device: &v4l::Device, code: FourCC, wish: (usize, usize)) -> Vec<(usize, usize)> {
    let discrete = device.enum_framesizes(code).unwrap_or_default().into_iter().map(|size| match size.size {
        FrameSizeEnum::Discrete(size) => (size.width as usize, size.height as usize),
        FrameSizeEnum::Stepwise(range) => {
            let side = |wish: usize, low: u32, high: u32, step: u32| {
                let (low, high, step) = (low as usize, high.max(low) as usize, step.max(1) as usize);
                low + (wish.clamp(low, high) - low) / step * step
            };
            (
                side(wish.0, range.min_width, range.max_width, range.step_width),
                side(wish.1, range.min_height, range.max_height, range.step_height),
            )
        }
    });
    let mut sizes: Vec<_> = discrete.filter(|&(width, height)| crate::frame::size_is_allowed(width, height)).collect();
    if sizes.is_empty() {
        // The driver lists none: it answers the wish itself.
        sizes.push(wish);
    }
    sizes
}

fn cost(layout: Layout, size: (usize, usize), wish: (usize, usize)) -> (usize, usize, usize) {
    let area = |(width, height): (usize, usize)| width * height;
    // Smaller than wished is worse than larger, which can be scaled down; a wrong shape counts a little.
    let lacking = wish.0.saturating_sub(size.0) + wish.1.saturating_sub(size.1);
    let distance = area(size).abs_diff(area(wish)) + (size.0 * wish.1).abs_diff(size.1 * wish.0) / 2;
    let raw_fits = area(size) <= 640 * 480;
    let layout = match layout {
        Layout::Nv12 | Layout::Yuyv if raw_fits => 0,
        Layout::Jpeg => 1,
        Layout::Nv12 | Layout::Yuyv => 2,
    };
    (lacking, distance, layout)
}

impl Device {
    /// Body of the camera's thread.
    pub fn run(mut self, mut output: Output) {
        let (mut stamps, mut broken, mut quiet) = (Stamps::default(), 0, Duration::ZERO);
        let mut started = false;
        while output.is_wanted() {
            if let Some(closed) = self.shutter.look(output.clock.now()) {
                output.shutter(closed);
            }
            // After a timeout inside `next` the stream would queue a buffer twice, so readiness is asked for first; the very
            // first `next` also starts the stream and waits by itself.
            if started {
                match self.stream.handle().poll(POLLIN, LOOK.as_millis() as i32) {
                    Ok(0) => {
                        // Some cameras rest while their shutter is closed.
                        quiet = if self.shutter.is_closed() { Duration::ZERO } else { quiet + LOOK };
                        if quiet >= PATIENCE {
                            return output.fail(silent());
                        }
                        continue;
                    }
                    Ok(_) => quiet = Duration::ZERO,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                    Err(error) => return output.fail(error_of(&self.id, &error)),
                }
            }
            started = true;
            let (bytes, metadata) = match self.stream.next() {
                Ok(picture) => picture,
                Err(error) if error.kind() == std::io::ErrorKind::TimedOut => return output.fail(silent()),
                Err(error) => return output.fail(error_of(&self.id, &error)),
            };
            let monotonic = metadata.flags.contains(Flags::TIMESTAMP_MONOTONIC);
            let captured = stamps.map(monotonic.then(|| metadata.timestamp.into()), output.clock.now());
            let used = bytes.get(..metadata.bytesused as usize).filter(|used| !used.is_empty()).unwrap_or(bytes);
            match convert(used, self.layout, (self.width, self.height), self.stride, captured, &output.pool) {
                Ok(Some(frame)) => {
                    broken = 0;
                    output.deliver(frame);
                }
                Ok(None) => {}
                Err(why) => {
                    broken += 1;
                    tracing::debug!(%why, "the camera gave a broken picture");
                    if broken >= MAX_BROKEN {
                        return output.fail(CameraError::Failed(format!("it gives broken pictures: {why}")));
                    }
                }
            }
        }
    }
}

fn silent() -> CameraError {
    CameraError::Failed(format!("it gave no picture for {} seconds", PATIENCE.as_secs()))
}

fn convert(
    data: &[u8],
    layout: Layout,
    (width, height): (usize, usize),
    stride: usize,
    captured: Duration,
    pool: &FramePool,
) -> Result<Option<Frame>, String> {
    let short = || format!("{} bytes are too few for {width}x{height}", data.len());
    // Short of a buffer is not the camera's fault: nothing is converted then.
    let pool_or = |frame: Option<Frame>, enough: bool| if frame.is_none() && !enough { Err(short()) } else { Ok(frame) };
    match layout {
        Layout::Jpeg => from_jpeg(data, (crate::frame::MAX_SIDE, crate::frame::MAX_SIDE), captured, pool),
        Layout::Yuyv => {
            let stride = stride.max(width * 2);
            let enough = data.len() >= stride * (height - 1) + width * 2;
            pool_or(from_yuyv(Rows { data, stride }, width, height, captured, pool), enough)
        }
        Layout::Nv12 => {
            let stride = stride.max(width.next_multiple_of(2));
            let chroma = data.get(stride * height..).ok_or_else(short)?;
            let enough = chroma.len() >= stride * (height.div_ceil(2) - 1) + width.next_multiple_of(2);
            let (luma, chroma) = (Rows { data, stride }, Rows { data: chroma, stride });
            pool_or(from_nv12(luma, chroma, width, height, captured, pool), enough)
        }
    }
}

const NODES: &str = "/sys/class/video4linux";

/// What changes when a camera comes or goes, or its file becomes somebody else's. Looking at it opens no camera, which on some
/// would light their lamp.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark(Vec<(OsString, Option<Rights>)>);

/// Mode, and when anything of that changed.
type Rights = (u32, i64, i64);

/// `None`: the system does not tell.
pub(super) fn mark() -> Option<Mark> {
    let nodes = nodes(Path::new(NODES))?.into_iter();
    let of = |node: PathBuf| {
        let name = node.file_name()?.to_owned();
        let file = std::fs::metadata(Path::new("/dev").join(&name)).ok();
        Some((name, file.map(|file| (file.mode(), file.ctime(), file.ctime_nsec()))))
    };
    Some(Mark(nodes.filter_map(of).collect()))
}

/// In the order of their numbers. Without any driver the folder is not there: no cameras.
fn nodes(folder: &Path) -> Option<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Some(Vec::new()),
        Err(error) => {
            tracing::warn!(%error, "the cameras cannot be listed");
            return None;
        }
    };
    let mut nodes: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    nodes.sort_by_key(|node| (node.as_os_str().len(), node.clone()));
    Some(nodes)
}

/// Nodes that deliver pictures in a format that we read; a camera has others for metadata. `None`: the system does not tell.
pub(super) fn list() -> Option<Vec<CameraInfo>> {
    Some(nodes(Path::new(NODES))?.iter().filter_map(|node| info(node)).collect())
}

fn info(node: &Path) -> Option<CameraInfo> {
    let path = Path::new("/dev").join(node.file_name()?);
    let formats = v4l::Device::with_path(&path).and_then(|device| device.enum_formats());
    let usable = match formats {
        Ok(formats) => formats.iter().any(|format| Layout::of(format.fourcc).is_some()),
        // In use or not ours to open: still a camera, and opening it will say so.
        Err(error) => matches!(error_of("", &error), CameraError::Busy(_) | CameraError::Denied(..)),
    };
    let name = std::fs::read_to_string(node.join("name")).unwrap_or_default();
    let id = path.to_str()?.to_owned();
    usable.then(|| CameraInfo { name: if name.trim().is_empty() { id.clone() } else { name.trim().to_owned() }, id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_opening_are_told_apart() {
        let of = |code| error_of("x", &std::io::Error::from_raw_os_error(code));
        assert_eq!(of(2), CameraError::Missing("x".into()));
        assert_eq!(of(19), CameraError::Missing("x".into()));
        assert_eq!(of(16), CameraError::Busy("x".into()));
        assert_eq!(of(13), CameraError::Denied("x".into(), Forbidden::LinuxPolicy), "no file of this name forbids it");
        assert_eq!(of(1), CameraError::Denied("x".into(), Forbidden::LinuxPolicy));
        assert!(matches!(of(5), CameraError::Failed(_)));
        assert_eq!(open("/dev/video-not-there", (640, 360), 30).err(), Some(CameraError::Missing("/dev/video-not-there".into())));
    }

    /// The errors are those of real files: one that others may not open, and none at all.
    #[test]
    fn a_file_of_another_group_names_the_group() {
        use std::os::unix::fs::PermissionsExt;
        let file = std::env::temp_dir().join(format!("visavis-video-{}", std::process::id()));
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).unwrap();
        let id = file.to_str().unwrap();
        match std::fs::File::open(&file) {
            Err(error) => assert_eq!(error_of(id, &error), CameraError::Denied(id.into(), Forbidden::LinuxGroup)),
            // Whoever is root may open all files.
            Ok(_) => eprintln!("skipped: this user may open every file, so none can be forbidden"),
        }
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn a_mark_changes_with_the_nodes_and_no_folder_is_no_cameras() {
        assert_eq!(nodes(Path::new("/sys/class/not-there")), Some(Vec::new()));
        assert_eq!(nodes(Path::new("/dev/null")), None, "a file is no folder");
        let folder = std::env::temp_dir().join(format!("visavis-nodes-{}", std::process::id()));
        for name in ["video10", "video2"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
        }
        let names: Vec<_> = nodes(&folder).unwrap().iter().filter_map(|node| node.file_name().map(OsString::from)).collect();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(names, ["video2", "video10"]);
        assert_eq!(mark(), mark());
    }

    #[test]
    fn the_privacy_control_is_read_as_boolean_or_number() {
        assert!(closed(&Value::Boolean(true)).unwrap() && closed(&Value::Integer(1)).unwrap());
        assert!(!closed(&Value::Boolean(false)).unwrap() && !closed(&Value::Integer(0)).unwrap());
        assert!(closed(&Value::String(String::new())).is_err());
    }

    #[test]
    fn the_nearest_size_wins_and_large_ones_come_as_jpeg() {
        let wish = (1280, 720);
        let best =
            [(Layout::Yuyv, (1280, 720)), (Layout::Jpeg, (1280, 720)), (Layout::Yuyv, (640, 480)), (Layout::Jpeg, (1920, 1080))]
                .into_iter()
                .min_by_key(|&(layout, size)| cost(layout, size, wish));
        assert_eq!(best, Some((Layout::Jpeg, (1280, 720))));
        assert!(cost(Layout::Yuyv, (640, 360), (640, 360)) < cost(Layout::Jpeg, (640, 360), (640, 360)));
        assert!(cost(Layout::Jpeg, (1280, 720), (640, 360)) < cost(Layout::Yuyv, (320, 240), (640, 360)));
    }

    #[test]
    fn short_buffers_are_errors_and_full_pools_are_not() {
        let pool = FramePool::new(1);
        let convert = |data: &[u8], layout| super::convert(data, layout, (32, 16), 0, Duration::ZERO, &pool);
        for layout in [Layout::Yuyv, Layout::Nv12, Layout::Jpeg] {
            for length in [0, 1, 100, 32 * 16] {
                assert!(convert(&vec![7; length], layout).is_err(), "{layout:?} {length}");
            }
        }
        let frame = convert(&[7; 32 * 16 * 2], Layout::Yuyv).unwrap().unwrap();
        assert!(convert(&[7; 32 * 16 * 2], Layout::Yuyv).unwrap().is_none());
        drop(frame);
        assert!(convert(&[7; 32 * 16 * 3 / 2], Layout::Nv12).unwrap().is_some());
    }
}

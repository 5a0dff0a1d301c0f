//! Real cameras on Windows (Media Foundation) and macOS (AVFoundation), through the crate `cameras`.
//!
//! The identifier of a camera is what the system calls it (symbolic link, unique identifier).

use super::pace::Output;
use super::stamps::Stamps;
use super::{CameraError, CameraInfo};
use crate::convert::{RgbOrder, Rows, from_jpeg, from_nv12, from_rgb, from_yuyv};
use crate::forbidden::Forbidden;
use crate::frame::{MAX_SIDE, size_is_allowed};
use crate::{Frame, FramePool};
use cameras::{Error, PixelFormat, Resolution, StreamConfig};
use std::time::Duration;

/// How long one wait for a picture lasts; the thread then looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(100);
/// A camera that gives nothing for this long has failed.
const PATIENCE: Duration = Duration::from_secs(6);
/// Pictures in a row that cannot be converted before the camera counts as failed.
const MAX_BROKEN: u32 = 60;

pub(super) struct Device {
    id: String,
    camera: cameras::Camera,
}

pub(super) fn open(id: &str, size: (usize, usize), fps: u32) -> Result<Device, CameraError> {
    let explain = |error: Error| error_of(id, &error);
    let devices = cameras::devices().map_err(explain)?;
    let device = devices.iter().find(|device| device.id.0 == id).ok_or_else(|| CameraError::Missing(id.to_owned()))?;
    let capabilities = cameras::probe(device).map_err(explain)?;
    let resolution = nearest(&capabilities, size);
    let wish = |pixel_format| StreamConfig { resolution, framerate: fps, pixel_format };
    // Cheapest to convert first; a system that cannot convert to one of them says so, and the next is tried.
    let mut refused = CameraError::Failed(format!("{id} offers no picture format"));
    for pixel_format in [PixelFormat::Nv12, PixelFormat::Yuyv, PixelFormat::Bgra8, PixelFormat::Mjpeg] {
        match cameras::open(device, wish(pixel_format)) {
            Ok(camera) => return Ok(Device { id: id.to_owned(), camera }),
            Err(error) => match explain(error) {
                error @ CameraError::Failed(_) => refused = error,
                // Another format does not help.
                error => return Err(error),
            },
        }
    }
    Err(refused)
}

/// The size that lacks least of the wish, then the one nearest in area.
fn nearest(capabilities: &cameras::Capabilities, wish: (usize, usize)) -> Resolution {
    let wished = Resolution { width: wish.0 as u32, height: wish.1 as u32 };
    let sizes = capabilities.formats.iter().map(|format| format.resolution);
    let allowed = sizes.filter(|size| size_is_allowed(size.width as usize, size.height as usize));
    let cost = |size: &Resolution| {
        let (width, height) = (size.width as usize, size.height as usize);
        let lacking = wish.0.saturating_sub(width) + wish.1.saturating_sub(height);
        (lacking, (width * height).abs_diff(wish.0 * wish.1))
    };
    allowed.min_by_key(cost).unwrap_or(wished)
}

fn error_of(id: &str, error: &Error) -> CameraError {
    let id = id.to_owned();
    match error {
        Error::PermissionDenied => CameraError::Denied(id, Forbidden::HERE),
        Error::DeviceNotFound(_) => CameraError::Missing(id),
        Error::DeviceInUse => CameraError::Busy(id),
        Error::StreamEnded => CameraError::Unplugged,
        #[cfg(windows)]
        Error::Backend { message, .. } => match crate::forbidden::windows::answer(message) {
            Some(crate::forbidden::windows::Answer::Denied) => CameraError::Denied(id, Forbidden::HERE),
            Some(crate::forbidden::windows::Answer::Busy) => CameraError::Busy(id),
            Some(crate::forbidden::windows::Answer::Gone) => CameraError::Missing(id),
            None => CameraError::Failed(error.to_string()),
        },
        other => CameraError::Failed(other.to_string()),
    }
}

impl Device {
    /// Body of the camera's thread.
    pub fn run(self, mut output: Output) {
        let (mut stamps, mut broken, mut quiet) = (Stamps::default(), 0, Duration::ZERO);
        while output.is_wanted() {
            let mut picture = match cameras::next_frame(&self.camera, LOOK) {
                Ok(picture) => picture,
                Err(Error::Timeout) => {
                    quiet += LOOK;
                    if quiet >= PATIENCE {
                        return output
                            .fail(CameraError::Failed(format!("it gave no picture for {} seconds", PATIENCE.as_secs())));
                    }
                    continue;
                }
                Err(error) => return output.fail(error_of(&self.id, &error)),
            };
            quiet = Duration::ZERO;
            // Pictures queue up behind a slow reader: only the newest is of use.
            while let Some(Ok(newer)) = cameras::try_next_frame(&self.camera) {
                picture = newer;
            }
            let captured = stamps.map(Some(picture.timestamp), output.clock.now());
            match convert(&picture, captured, &output.pool) {
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

/// `Ok(None)`: no buffer free, or a buffer shorter than it should be.
fn convert(picture: &cameras::types::Frame, captured: Duration, pool: &FramePool) -> Result<Option<Frame>, String> {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let (first, second) = (picture.plane_primary.as_ref(), picture.plane_secondary.as_ref());
    let rows = |data, bytes: usize| Rows { data, stride: (picture.stride as usize).max(width * bytes) };
    let rgb = |order, bytes| Ok(from_rgb(rows(first, bytes), order, width, height, captured, pool));
    match picture.pixel_format {
        PixelFormat::Nv12 => {
            let stride = (picture.stride as usize).max(width.next_multiple_of(2));
            // Some systems hand both planes over in one buffer.
            let chroma = if second.is_empty() { first.get(stride * height..).unwrap_or_default() } else { second };
            let (luma, chroma) = (Rows { data: first, stride }, Rows { data: chroma, stride });
            Ok(from_nv12(luma, chroma, width, height, captured, pool))
        }
        PixelFormat::Yuyv => Ok(from_yuyv(rows(first, 2), width, height, captured, pool)),
        PixelFormat::Mjpeg => from_jpeg(first, (MAX_SIDE, MAX_SIDE), captured, pool),
        PixelFormat::Rgb8 => rgb(RgbOrder::Rgb, 3),
        PixelFormat::Rgba8 => rgb(RgbOrder::Rgba, 4),
        PixelFormat::Bgra8 => rgb(RgbOrder::Bgra, 4),
        other => Err(format!("the format {other:?} is not known")),
    }
}

/// Nothing cheaper than the list tells that it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {}

pub(super) fn mark() -> Option<Mark> {
    None
}

/// `None`: the system does not tell.
pub(super) fn list() -> Option<Vec<CameraInfo>> {
    match cameras::devices() {
        Ok(devices) => Some(devices.into_iter().map(|device| CameraInfo { id: device.id.0, name: device.name }).collect()),
        Err(error) => {
            tracing::warn!(%error, "the cameras cannot be listed");
            None
        }
    }
}

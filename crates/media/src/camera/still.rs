//! A still picture (PNG or JPEG) as a camera.

use super::CameraError;
use super::noise::Noise;
use super::pace::Source;
use crate::convert::{RgbOrder, Rows, from_rgb};
use crate::scale::fit;
use crate::{Frame, FramePool};
use image::imageops::FilterType;
use image::{ImageReader, Limits};
use std::path::Path;
use std::time::Duration;

/// Larger pictures are refused before they are decoded.
const MAX_SIDE: u32 = 8192;
const MAX_BYTES: u64 = 256 * 1024 * 1024;

pub(super) struct Still {
    picture: Frame,
    noise: Noise,
}

impl Still {
    pub fn open(path: &Path, room: (usize, usize)) -> Result<Self, CameraError> {
        let broken = |why: String| CameraError::File(path.display().to_string(), why);
        let mut reader =
            ImageReader::open(path).and_then(ImageReader::with_guessed_format).map_err(|error| broken(error.to_string()))?;
        let mut limits = Limits::default();
        limits.max_image_width = Some(MAX_SIDE);
        limits.max_image_height = Some(MAX_SIDE);
        limits.max_alloc = Some(MAX_BYTES);
        reader.limits(limits);
        let picture = reader.decode().map_err(|error| broken(error.to_string()))?.into_rgb8();
        let (width, height) = fit((picture.width() as usize, picture.height() as usize), room);
        let picture = match (width as u32, height as u32) {
            size if size == picture.dimensions() => picture,
            (width, height) => image::imageops::resize(&picture, width, height, FilterType::Triangle),
        };
        let rows = Rows { data: picture.as_raw(), stride: width * 3 };
        let picture = from_rgb(rows, RgbOrder::Rgb, width, height, Duration::ZERO, &FramePool::new(1))
            .ok_or_else(|| broken("it has no pixels".to_owned()))?;
        Ok(Self { picture, noise: Noise::new(1.0, 5) })
    }
}

impl Source for Still {
    /// With a little noise of a sensor, so that it is a camera in front of a picture rather than a frozen one.
    fn picture(&mut self, _tick: u64, captured: Duration, pool: &FramePool) -> Result<Option<Frame>, String> {
        let Some(mut frame) = pool.copy_of(&self.picture) else { return Ok(None) };
        frame.captured = captured;
        let width = frame.width;
        self.noise.add(frame.planes_mut().0, width);
        Ok(Some(frame))
    }
}

//! What cameras and files deliver, into I420 of BT.601 limited range. Buffers come from drivers and may be short or padded:
//! nothing here panics or reads beyond them; a buffer that is too short gives `None`.

use crate::{Frame, FramePool};
use std::time::Duration;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// One plane of somebody else's picture.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    pub data: &'a [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
}

impl<'a> Rows<'a> {
    /// `rows` slices of `length` bytes, or `None` where the buffer ends early.
    fn take(self, rows: usize, length: usize) -> Option<impl Iterator<Item = &'a [u8]>> {
        let needed = self.stride.checked_mul(rows.checked_sub(1)?)?.checked_add(length)?;
        (self.stride >= length && length > 0 && self.data.len() >= needed)
            .then(|| self.data.chunks(self.stride).take(rows).map(move |row| &row[..length]))
    }
}

fn average(a: u8, b: u8) -> u8 {
    a.midpoint(b)
}

/// Packed 4:2:2 (Y U Y V). The width must be even.
pub fn from_yuyv(from: Rows<'_>, width: usize, height: usize, captured: Duration, pool: &FramePool) -> Option<Frame> {
    if !width.is_multiple_of(2) {
        return None;
    }
    let rows: Vec<&[u8]> = from.take(height, width.checked_mul(2)?)?.collect();
    let mut frame = pool.frame(width, height, captured)?;
    let (y, u, v) = frame.planes_mut();
    for (row, y) in rows.iter().zip(y.chunks_exact_mut(width)) {
        for (pixel, y) in row.chunks_exact(2).zip(y) {
            *y = pixel[0];
        }
    }
    for (pair, (u, v)) in rows.chunks(2).zip(u.chunks_exact_mut(width / 2).zip(v.chunks_exact_mut(width / 2))) {
        let (upper, lower) = (pair[0], pair[pair.len() - 1]);
        for ((upper, lower), (u, v)) in upper.chunks_exact(4).zip(lower.chunks_exact(4)).zip(u.iter_mut().zip(v)) {
            *u = average(upper[1], lower[1]);
            *v = average(upper[3], lower[3]);
        }
    }
    Some(frame)
}

/// Luma, then interleaved chroma (U V). Odd sides are rounded up in the chroma, as in I420.
pub fn from_nv12(
    luma: Rows<'_>,
    chroma: Rows<'_>,
    width: usize,
    height: usize,
    captured: Duration,
    pool: &FramePool,
) -> Option<Frame> {
    let columns = width.div_ceil(2);
    let luma = luma.take(height, width)?;
    let chroma = chroma.take(height.div_ceil(2), columns * 2)?;
    let mut frame = pool.frame(width, height, captured)?;
    let (y, u, v) = frame.planes_mut();
    luma.zip(y.chunks_exact_mut(width)).for_each(|(from, to)| to.copy_from_slice(from));
    for (from, (u, v)) in chroma.zip(u.chunks_exact_mut(columns).zip(v.chunks_exact_mut(columns))) {
        for (pair, (u, v)) in from.chunks_exact(2).zip(u.iter_mut().zip(v)) {
            (*u, *v) = (pair[0], pair[1]);
        }
    }
    Some(frame)
}

/// Where red, green and blue are in a pixel of so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RgbOrder {
    Rgb,
    Rgba,
    Bgra,
}

impl RgbOrder {
    fn places(self) -> (usize, [usize; 3]) {
        match self {
            Self::Rgb => (3, [0, 1, 2]),
            Self::Rgba => (4, [0, 1, 2]),
            Self::Bgra => (4, [2, 1, 0]),
        }
    }
}

/// BT.601, limited range, for full-range red, green, blue.
pub(crate) fn rgb_to_yuv([r, g, b]: [i32; 3]) -> [u8; 3] {
    [
        (16 + (66 * r + 129 * g + 25 * b + 128) / 256) as u8,
        ((128 * 256 - 38 * r - 74 * g + 112 * b + 128) / 256) as u8,
        ((128 * 256 + 112 * r - 94 * g - 18 * b + 128) / 256) as u8,
    ]
}

pub fn from_rgb(
    from: Rows<'_>,
    order: RgbOrder,
    width: usize,
    height: usize,
    captured: Duration,
    pool: &FramePool,
) -> Option<Frame> {
    let (bytes, [red, green, blue]) = order.places();
    let rows: Vec<&[u8]> = from.take(height, width.checked_mul(bytes)?)?.collect();
    let mut frame = pool.frame(width, height, captured)?;
    let columns = width.div_ceil(2);
    let (y, u, v) = frame.planes_mut();
    let pixel = |row: &[u8], column: usize| {
        let pixel = &row[column * bytes..];
        [i32::from(pixel[red]), i32::from(pixel[green]), i32::from(pixel[blue])]
    };
    for (row, y) in rows.iter().zip(y.chunks_exact_mut(width)) {
        for (column, y) in y.iter_mut().enumerate() {
            *y = rgb_to_yuv(pixel(row, column))[0];
        }
    }
    for (pair, (u, v)) in rows.chunks(2).zip(u.chunks_exact_mut(columns).zip(v.chunks_exact_mut(columns))) {
        for (column, (u, v)) in u.iter_mut().zip(v).enumerate() {
            let (left, right) = (column * 2, (column * 2 + 1).min(width - 1));
            let (upper, lower) = (pair[0], pair[pair.len() - 1]);
            let four = [pixel(upper, left), pixel(upper, right), pixel(lower, left), pixel(lower, right)];
            let mean = [0, 1, 2].map(|part| (four.iter().map(|pixel| pixel[part]).sum::<i32>() + 2) / 4);
            [_, *u, *v] = rgb_to_yuv(mean);
        }
    }
    Some(frame)
}

/// One JPEG picture (Motion JPEG of cameras). `Err` says what is wrong with it; `Ok(None)`: no buffer free. `limit` is the
/// largest size that is accepted.
pub fn from_jpeg(data: &[u8], limit: (usize, usize), captured: Duration, pool: &FramePool) -> Result<Option<Frame>, String> {
    let options = DecoderOptions::default()
        .set_max_width(limit.0)
        .set_max_height(limit.1)
        .jpeg_set_out_colorspace(ColorSpace::YCbCr)
        .set_strict_mode(false);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
    decoder.decode_headers().map_err(|error| format!("{error:?}"))?;
    let grey = decoder.input_colorspace() == Some(ColorSpace::Luma);
    if grey {
        decoder.set_options(options.jpeg_set_out_colorspace(ColorSpace::Luma));
    }
    let pixels = decoder.decode().map_err(|error| format!("{error:?}"))?;
    let (width, height) = decoder.dimensions().ok_or("no size")?;
    let bytes = if grey { 1 } else { 3 };
    if width == 0 || height == 0 || pixels.len() < width * height * bytes {
        return Err("fewer pixels than announced".to_owned());
    }
    let Some(mut frame) = pool.frame(width, height, captured) else { return Ok(None) };
    if grey {
        let (y, u, v) = frame.planes_mut();
        y.iter_mut().zip(&pixels).for_each(|(to, &from)| *to = limited_luma(from));
        u.fill(128);
        v.fill(128);
    } else {
        from_full_444(&pixels, &mut frame);
    }
    Ok(Some(frame))
}

fn limited_luma(full: u8) -> u8 {
    (16 + (u32::from(full) * 219 + 127) / 255) as u8
}

fn limited_chroma(full: u32) -> u8 {
    (16 + (full * 224 + 127) / 255) as u8
}

/// Interleaved full-range Y Cb Cr, as JPEG has it.
fn from_full_444(pixels: &[u8], frame: &mut Frame) {
    let width = frame.width;
    let (columns, _) = frame.chroma_size();
    let luma: [u8; 256] = std::array::from_fn(|level| limited_luma(level as u8));
    let chroma: [u8; 256] = std::array::from_fn(|level| limited_chroma(level as u32));
    let (y, u, v) = frame.planes_mut();
    for (y, pixel) in y.iter_mut().zip(pixels.chunks_exact(3)) {
        *y = luma[usize::from(pixel[0])];
    }
    let planes = u.chunks_exact_mut(columns).zip(v.chunks_exact_mut(columns));
    for (pair, (u, v)) in pixels.chunks(width * 3 * 2).zip(planes) {
        let (upper, lower) = pair.split_at(width * 3);
        let lower = if lower.is_empty() { upper } else { lower };
        for (column, (u, v)) in u.iter_mut().zip(v).enumerate() {
            let (left, right) = (column * 6, (column * 2 + 1).min(width - 1) * 3);
            let mean = |part: usize| {
                let sum: u32 = [upper[left + part], upper[right + part], lower[left + part], lower[right + part]]
                    .map(u32::from)
                    .iter()
                    .sum();
                ((sum + 2) / 4) as usize
            };
            (*u, *v) = (chroma[mean(1)], chroma[mean(2)]);
        }
    }
}

#[cfg(test)]
#[path = "convert/tests.rs"]
mod tests;

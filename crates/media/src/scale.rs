//! Changing the size of pictures: for the screen (no larger than the page shows), for sending, and cropping to 16:9.

use crate::{Frame, FramePool};
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use std::cell::RefCell;

thread_local! {
    /// Keeps its tables and buffers from picture to picture.
    static RESIZER: RefCell<Resizer> = RefCell::new(Resizer::new());
}

/// The largest even size of the same shape that fits into `room`; never larger than the picture itself.
pub fn fit(size: (usize, usize), room: (usize, usize)) -> (usize, usize) {
    let (width, height) = size;
    if width == 0 || height == 0 || (width <= room.0 && height <= room.1) {
        return size;
    }
    let (by_width, by_height) = (room.0 as f64 / width as f64, room.1 as f64 / height as f64);
    let factor = by_width.min(by_height);
    let side = |length: usize| (((length as f64 * factor / 2.0).round() as usize) * 2).max(2);
    (side(width).min(room.0.max(2)), side(height).min(room.1.max(2)))
}

/// A copy of another size (bilinear, averaging when it shrinks). `None`: no buffer free, or the size is not allowed.
pub fn scale_i420(frame: &Frame, width: usize, height: usize, pool: &FramePool) -> Option<Frame> {
    if (frame.width, frame.height) == (width, height) {
        return pool.copy_of(frame);
    }
    let mut scaled = pool.frame(width, height, frame.captured)?;
    let (from, to) = (frame.chroma_size(), scaled.chroma_size());
    let (y, u, v) = scaled.planes_mut();
    let planes =
        [(frame.y(), (frame.width, frame.height), y, (width, height)), (frame.u(), from, u, to), (frame.v(), from, v, to)];
    RESIZER.with_borrow_mut(|resizer| {
        planes.into_iter().try_for_each(|(from, from_size, to, to_size)| plane(resizer, from, from_size, to, to_size))
    })?;
    Some(scaled)
}

/// Typed, because the call that takes any kind of pixel compiles the kernels of all of them into this crate.
fn plane(resizer: &mut Resizer, from: &[u8], from_size: (usize, usize), to: &mut [u8], to_size: (usize, usize)) -> Option<()> {
    let from = TypedImageRef::<U8>::from_buffer(from_size.0 as u32, from_size.1 as u32, from).ok()?;
    let mut to = TypedImage::<U8>::from_buffer(to_size.0 as u32, to_size.1 as u32, to).ok()?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    resizer.resize_typed(&from, &mut to, &options).ok()
}

/// The middle of the picture in 16:9, sides even. A copy; `None`: no buffer free.
pub fn crop_to_wide(frame: &Frame, pool: &FramePool) -> Option<Frame> {
    let (width, height) = (frame.width, frame.height);
    let (wide, high) = if width * 9 > height * 16 { (height * 16 / 9, height) } else { (width, width * 9 / 16) };
    let (wide, high) = ((wide & !1).max(2).min(width), (high & !1).max(2).min(height));
    if (wide, high) == (width, height) {
        return pool.copy_of(frame);
    }
    let (left, top) = (((width - wide) / 2) & !1, ((height - high) / 2) & !1);
    let mut cropped = pool.frame(wide, high, frame.captured)?;
    let (from_columns, _) = frame.chroma_size();
    let (to_columns, _) = cropped.chroma_size();
    let (y, u, v) = cropped.planes_mut();
    copy_part(frame.y(), width, (left, top), y, wide);
    copy_part(frame.u(), from_columns, (left / 2, top / 2), u, to_columns);
    copy_part(frame.v(), from_columns, (left / 2, top / 2), v, to_columns);
    Some(cropped)
}

fn copy_part(from: &[u8], from_columns: usize, (left, top): (usize, usize), to: &mut [u8], to_columns: usize) {
    for (row, to) in to.chunks_exact_mut(to_columns).enumerate() {
        let start = (top + row) * from_columns + left;
        to.copy_from_slice(&from[start..start + to_columns]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn gradient(width: usize, height: usize, pool: &FramePool) -> Frame {
        let mut frame = pool.frame(width, height, Duration::from_secs(3)).unwrap();
        let (y, u, v) = frame.planes_mut();
        for (index, pixel) in y.iter_mut().enumerate() {
            *pixel = (16 + index % width * 200 / width) as u8;
        }
        u.fill(90);
        v.fill(160);
        frame
    }

    #[test]
    fn shapes_are_kept_when_fitting() {
        assert_eq!(fit((1280, 720), (640, 360)), (640, 360));
        assert_eq!(fit((640, 480), (640, 360)), (480, 360));
        assert_eq!(fit((320, 240), (640, 360)), (320, 240));
        assert_eq!(fit((1080, 1920), (640, 360)), (202, 360));
        assert_eq!(fit((1920, 2), (640, 360)), (640, 2));
    }

    #[test]
    fn scaling_keeps_tones_and_time() {
        let pool = FramePool::new(2);
        let frame = gradient(1280, 720, &pool);
        let small = scale_i420(&frame, 640, 360, &pool).unwrap();
        assert_eq!((small.width, small.height, small.captured), (640, 360, frame.captured));
        for column in [10, 320, 630] {
            let (there, here) = (small.y()[640 * 100 + column], frame.y()[1280 * 200 + column * 2]);
            assert!(there.abs_diff(here) <= 1, "{column}: {there} {here}");
        }
        assert!(small.u().iter().all(|&u| u == 90) && small.v().iter().all(|&v| v == 160));
    }

    #[test]
    fn odd_sizes_and_full_pools_are_fine() {
        let pool = FramePool::new(2);
        let frame = gradient(641, 359, &pool);
        let odd = scale_i420(&frame, 101, 57, &pool).unwrap();
        assert_eq!(odd.as_bytes().len(), 101 * 57 + 2 * 51 * 29);
        assert!(scale_i420(&frame, 64, 36, &pool).is_none());
        drop(odd);
        assert!(scale_i420(&frame, 0, 36, &pool).is_none());
        assert!(scale_i420(&frame, 1, 1, &pool).is_some());
    }

    #[test]
    fn cropping_takes_the_middle() {
        let pool = FramePool::new(3);
        for (size, expected) in [((640, 480), (640, 360)), ((360, 640), (360, 202)), ((1280, 360), (640, 360)), ((3, 3), (2, 2))]
        {
            let cropped = crop_to_wide(&gradient(size.0, size.1, &pool), &pool).unwrap();
            assert_eq!((cropped.width, cropped.height), expected);
        }
        let wide = gradient(1280, 360, &pool);
        let cropped = crop_to_wide(&wide, &pool).unwrap();
        assert_eq!(cropped.y()[0], wide.y()[320]);
    }
}

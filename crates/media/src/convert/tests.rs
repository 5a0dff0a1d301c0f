//! Made-up driver buffers: right, padded, odd, short, broken.

use super::*;
use proptest::prelude::*;

const AT: Duration = Duration::from_secs(1);

fn rows(data: &[u8], stride: usize) -> Rows<'_> {
    Rows { data, stride }
}

#[test]
fn yuyv_is_taken_apart() {
    let pool = FramePool::new(1);
    // Two rows of two pixels, each followed by two bytes of padding.
    let data = [10, 100, 20, 200, 0, 0, 30, 110, 40, 210, 0, 0];
    let frame = from_yuyv(rows(&data, 6), 2, 2, AT, &pool).unwrap();
    assert_eq!((frame.y(), frame.u(), frame.v()), ([10, 20, 30, 40].as_slice(), [105].as_slice(), [205].as_slice()));
    assert_eq!(frame.captured, AT);
}

#[test]
fn yuyv_of_odd_height_repeats_its_last_chroma() {
    let pool = FramePool::new(1);
    let data = [10, 100, 20, 200, 30, 110, 40, 210, 50, 120, 60, 220];
    let frame = from_yuyv(rows(&data, 4), 2, 3, AT, &pool).unwrap();
    assert_eq!((frame.u(), frame.v()), ([105, 120].as_slice(), [205, 220].as_slice()));
    drop(frame);
    assert!(from_yuyv(rows(&data, 4), 1, 3, AT, &pool).is_none());
}

#[test]
fn nv12_is_taken_apart() {
    let pool = FramePool::new(1);
    let (luma, chroma) = ([1, 2, 3, 9, 4, 5, 6, 9, 7, 8, 9, 9], [10, 20, 11, 21, 12, 22, 13, 23]);
    let frame = from_nv12(rows(&luma, 4), rows(&chroma, 4), 3, 3, AT, &pool).unwrap();
    assert_eq!(frame.y(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!((frame.u(), frame.v()), ([10, 11, 12, 13].as_slice(), [20, 21, 22, 23].as_slice()));
}

/// Values of BT.601: white, black, red, green, blue.
#[test]
fn colours_become_those_of_the_standard() {
    let colours = [
        ([255, 255, 255], [235, 128, 128]),
        ([0, 0, 0], [16, 128, 128]),
        ([255, 0, 0], [82, 90, 240]),
        ([0, 255, 0], [145, 54, 34]),
        ([0, 0, 255], [41, 240, 110]),
    ];
    for (rgb, expected) in colours {
        let yuv = rgb_to_yuv(rgb);
        for part in 0..3 {
            assert!(yuv[part].abs_diff(expected[part]) <= 1, "{rgb:?}: {yuv:?}");
        }
    }
}

#[test]
fn orders_of_red_green_blue_agree() {
    let pool = FramePool::new(3);
    let rgb = [200, 100, 50].repeat(9);
    let rgba = [200, 100, 50, 0].repeat(9);
    let bgra = [50, 100, 200, 255].repeat(9);
    let one = from_rgb(rows(&rgb, 9), RgbOrder::Rgb, 3, 3, AT, &pool).unwrap();
    let two = from_rgb(rows(&rgba, 12), RgbOrder::Rgba, 3, 3, AT, &pool).unwrap();
    let three = from_rgb(rows(&bgra, 12), RgbOrder::Bgra, 3, 3, AT, &pool).unwrap();
    assert_eq!(one.as_bytes(), two.as_bytes());
    assert_eq!(one.as_bytes(), three.as_bytes());
}

fn jpeg(width: u32, height: u32, grey: bool) -> Vec<u8> {
    let mut data = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut data, 95);
    if grey {
        encoder.encode_image(&image::GrayImage::from_pixel(width, height, image::Luma([128]))).unwrap();
    } else {
        encoder.encode_image(&image::RgbImage::from_pixel(width, height, image::Rgb([200, 100, 50]))).unwrap();
    }
    data
}

#[test]
fn jpeg_comes_out_in_limited_range() {
    let pool = FramePool::new(1);
    for (width, height) in [(32, 16), (33, 17), (1, 1)] {
        let frame = from_jpeg(&jpeg(width, height, false), (64, 64), AT, &pool).unwrap().unwrap();
        assert_eq!((frame.width, frame.height), (width as usize, height as usize));
        let expected = rgb_to_yuv([200, 100, 50]);
        for (plane, expected) in [frame.y(), frame.u(), frame.v()].into_iter().zip(expected) {
            assert!(plane.iter().all(|value| value.abs_diff(expected) <= 2), "{:?} is not {expected}", &plane[..1]);
        }
    }
    let grey = from_jpeg(&jpeg(16, 16, true), (64, 64), AT, &pool).unwrap().unwrap();
    assert!(grey.y().iter().all(|y| y.abs_diff(126) <= 1) && grey.u().iter().all(|&u| u == 128));
}

#[test]
fn jpeg_larger_than_the_limit_or_broken_is_an_error() {
    let pool = FramePool::new(1);
    let whole = jpeg(32, 16, false);
    assert!(from_jpeg(&whole, (16, 16), AT, &pool).is_err());
    assert!(from_jpeg(&whole[..20], (64, 64), AT, &pool).is_err());
    let _taken = pool.frame(16, 16, AT).unwrap();
    assert!(from_jpeg(&whole, (64, 64), AT, &pool).unwrap().is_none());
}

proptest! {
    /// Whatever a driver says about sizes, and however little it delivers: a picture or none.
    #[test]
    fn no_buffer_does_harm(
        data in proptest::collection::vec(any::<u8>(), 0..200),
        stride in 0usize..40,
        width in 0usize..12,
        height in 0usize..12,
    ) {
        let pool = FramePool::new(1);
        drop(from_yuyv(rows(&data, stride), width, height, AT, &pool));
        drop(from_nv12(rows(&data, stride), rows(&data, stride), width, height, AT, &pool));
        for order in [RgbOrder::Rgb, RgbOrder::Rgba, RgbOrder::Bgra] {
            drop(from_rgb(rows(&data, stride), order, width, height, AT, &pool));
        }
        drop(from_jpeg(&data, (64, 64), AT, &pool));
        prop_assert_eq!(pool.in_use(), 0);
    }

    #[test]
    fn damaged_jpegs_do_no_harm(changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..20)) {
        let pool = FramePool::new(1);
        let mut data = jpeg(32, 16, false);
        for (at, value) in changes {
            let at = at.index(data.len());
            data[at] = value;
        }
        drop(from_jpeg(&data, (64, 64), AT, &pool));
        prop_assert_eq!(pool.in_use(), 0);
    }
}

//! The picture of a profile: what somebody sends becomes a small square JPEG of our own making. Nothing of the file is kept but
//! pixels: no place, no device, no thumbnail. What cannot be a picture, or would take too much to decode, is refused before it is
//! decoded.

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, metadata::Orientation};
use std::io::Cursor;

const SIDE: u32 = visavis_wire::limits::PICTURE_SIDE;
/// Less than this on the shorter side would be a smear.
const SIDE_MIN: u32 = 64;
const SIDE_MAX: u32 = 12_000;
/// 24 million pixels: a camera's picture, and 72 MB decoded.
const PIXELS_MAX: u64 = 24_000_000;
/// All that a decoder may take, bytes; a picture of 16 bits a colour is refused sooner.
const MEMORY: u64 = 128 * 1024 * 1024;
const QUALITY: u8 = 82;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    #[error("It is neither a JPEG nor a PNG picture.")]
    Kind,
    #[error("The picture is too small: each side needs {SIDE_MIN} pixels or more.")]
    Small,
    #[error("The picture has too many pixels: 24 million at most.")]
    Large,
    #[error("The picture is damaged and cannot be opened.")]
    Damaged,
}

/// As it is kept and shown. Takes a while: not for a thread that serves others.
pub fn remade(file: &[u8]) -> Result<Vec<u8>, PictureError> {
    let picture = square(decode(file)?);
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(&picture).map_err(|_| PictureError::Damaged)?;
    Ok(jpeg)
}

/// Upright, whatever its metadata say of how it was held.
fn decode(file: &[u8]) -> Result<DynamicImage, PictureError> {
    let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(|_| PictureError::Kind)?;
    if !matches!(reader.format(), Some(ImageFormat::Jpeg | ImageFormat::Png)) {
        return Err(PictureError::Kind);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| refused(&error))?;
    // By its header: nothing has been decoded.
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PIXELS_MAX || decoder.total_bytes() > MEMORY {
        return Err(PictureError::Large);
    }
    if width.min(height) < SIDE_MIN {
        return Err(PictureError::Small);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| refused(&error))?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn refused(error: &image::ImageError) -> PictureError {
    match error {
        image::ImageError::Limits(_) => PictureError::Large,
        _ => PictureError::Damaged,
    }
}

/// The middle of it, over white where it is transparent.
fn square(picture: DynamicImage) -> image::RgbImage {
    let small = picture.resize_to_fill(SIDE, SIDE, FilterType::Triangle).into_rgba8();
    image::RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let [red, green, blue, alpha] = small.get_pixel(x, y).0;
        let over = |colour: u8| {
            let (colour, alpha) = (u16::from(colour), u16::from(alpha));
            u8::try_from((colour * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(u8::MAX)
        };
        image::Rgb([over(red), over(green), over(blue)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage};
    use proptest::prelude::*;

    /// Red on the left, blue on the right.
    fn halves(width: u32, height: u32) -> DynamicImage {
        let half = |x| if x < width / 2 { Rgb([250, 10, 10]) } else { Rgb([10, 10, 250]) };
        DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, _| half(x)))
    }

    fn file(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// An EXIF segment behind the first marker: how the camera was held, and somebody's name.
    fn with_metadata(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x02".to_vec();
        exif.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
        exif.extend([0x01, 0x3b, 0, 2, 0, 0, 0, 12, 0, 0, 0, 38]);
        exif.extend([0, 0, 0, 0]);
        exif.extend(b"Ada Lovelace\0\0");
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
    }

    fn opened(jpeg: &[u8]) -> RgbImage {
        let picture = image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg).unwrap().into_rgb8();
        assert_eq!(picture.dimensions(), (SIDE, SIDE));
        picture
    }

    fn is_red(pixel: &Rgb<u8>) -> bool {
        pixel.0[0] > 150 && pixel.0[2] < 110
    }

    #[test]
    fn a_picture_is_made_square_and_small_and_nothing_else_of_the_file_stays() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png] {
            let jpeg = remade(&file(&halves(640, 300), format)).unwrap();
            assert!(jpeg.len() < 40_000, "{}", jpeg.len());
            let picture = opened(&jpeg);
            assert!(is_red(picture.get_pixel(20, 128)) && !is_red(picture.get_pixel(235, 128)));
        }
        let told = with_metadata(&file(&halves(300, 300), ImageFormat::Jpeg), 6);
        assert!(told.windows(3).any(|bytes| bytes == b"Ada"));
        let jpeg = remade(&told).unwrap();
        assert!(!jpeg.windows(3).any(|bytes| bytes == b"Ada") && !jpeg.windows(4).any(|bytes| bytes == b"Exif"));
        // Held with its left side up.
        let picture = opened(&jpeg);
        assert!(is_red(picture.get_pixel(128, 20)) && !is_red(picture.get_pixel(128, 235)), "upright");
    }

    /// A PNG that says it is so large, and holds nothing of it.
    fn claims(width: u32, height: u32, depth: u8) -> Vec<u8> {
        let mut png = file(&halves(64, 64), ImageFormat::Png);
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        png[24] = depth;
        let sum = crc(&png[12..29]);
        png[29..33].copy_from_slice(&sum.to_be_bytes());
        png
    }

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 })
        })
    }

    #[test]
    fn what_is_too_much_to_decode_is_refused_by_its_header() {
        assert_eq!(claims(64, 64, 8), file(&halves(64, 64), ImageFormat::Png), "the checksum is right");
        for (width, height, depth) in [(60_000, 60_000, 8), (12_001, 64, 8), (6_000, 6_000, 8), (5_000, 4_700, 16)] {
            let began = std::time::Instant::now();
            assert_eq!(remade(&claims(width, height, depth)), Err(PictureError::Large), "{width} x {height}");
            assert!(began.elapsed().as_secs() < 2, "nothing is decoded");
        }
        assert_eq!(remade(&claims(4_000, 4_000, 8)), Err(PictureError::Damaged), "it holds less than it says");
        assert_eq!(remade(&file(&halves(63, 400), ImageFormat::Png)), Err(PictureError::Small));
        for nothing in
            [&b""[..], b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"]
        {
            assert!(remade(nothing).is_err());
        }
    }

    #[test]
    fn a_bomb_of_one_colour_is_refused_or_small() {
        // Compresses two thousand times; just within the limit of pixels it is a picture like any other.
        let jpeg = remade(&file(&halves(4_800, 4_800), ImageFormat::Png)).unwrap();
        assert!(jpeg.len() < 40_000);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn bytes_that_are_no_picture_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..2_000), kind in 0usize..3) {
            let head: &[u8] = [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], b"\xff\xd8\xff\xe0", b""][kind];
            prop_assert!(remade(&[head, &bytes].concat()).is_err());
        }

        #[test]
        fn a_damaged_picture_is_refused_or_becomes_a_small_one(
            png: bool,
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
            cut in any::<prop::sample::Index>(),
        ) {
            let format = if png { ImageFormat::Png } else { ImageFormat::Jpeg };
            let mut bytes = file(&halves(80, 70), format);
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let length = bytes.len();
            bytes.truncate(length / 2 + cut.index(length / 2 + 1));
            if let Ok(jpeg) = remade(&bytes) {
                opened(&jpeg);
                prop_assert!(jpeg.len() < 80_000);
            }
        }
    }
}

//! Likeness of shown pictures to what the camera gave: luma alone, without the strip that holds the frame number, and scaled up
//! to the camera's size where they are smaller.

use super::ScoreError;
use fast_image_resize::images::Image;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use visavis_media::frame::{byte_count, size_is_allowed};
use visavis_media::marker;

/// Windows of SSIM, and the step from one to the next (as x264 and ffmpeg measure).
const WINDOW: usize = 8;
const STEP: usize = 4;
/// Rows under the strip that it may have smeared.
const MARGIN: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likeness {
    pub ssim: f64,
    pub psnr_db: f64,
}

/// Every kept picture whose number is readable, against the camera's picture of that number.
pub fn compare(folder: &Path, camera: &Path) -> Result<Vec<Likeness>, ScoreError> {
    let mut source = Source::open(camera)?;
    let mut names: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    names.sort();
    let mut found = Vec::new();
    for path in names {
        let Some((width, height)) = size_in_name(&path) else { continue };
        let bytes = fs::read(&path).map_err(|error| ScoreError::Io(path.display().to_string(), error))?;
        let Some(luma) = bytes.get(..width * height).filter(|_| bytes.len() == byte_count(width, height)) else { continue };
        let Some(number) = marker::read_luma(luma, width, height) else { continue };
        let Some(original) = source.luma(u64::from(number))? else { continue };
        let size = (source.width, source.height);
        let shown = if (width, height) == size { luma.to_vec() } else { scaled(luma, (width, height), size) };
        let skipped = (marker::strip_height(size.1) + MARGIN) * size.0;
        found.push(likeness(&original[skipped..], &shown[skipped..], size.0));
    }
    Ok(found)
}

/// `..._WIDTHxHEIGHT.i420`
fn size_in_name(path: &Path) -> Option<(usize, usize)> {
    let (width, height) = path.file_name()?.to_str()?.strip_suffix(".i420")?.rsplit_once('_')?.1.split_once('x')?;
    let size = (width.parse().ok()?, height.parse().ok()?);
    size_is_allowed(size.0, size.1).then_some(size)
}

/// Random access to the luma of a y4m file of 4:2:0 pictures.
struct Source {
    file: File,
    width: usize,
    height: usize,
    header: u64,
}

const FRAME_HEADER: u64 = 6;

impl Source {
    fn open(path: &Path) -> Result<Self, ScoreError> {
        let failed = |error| ScoreError::Io(path.display().to_string(), error);
        let mut file = File::open(path).map_err(failed)?;
        let mut first = String::new();
        BufReader::new(&file).take(256).read_line(&mut first).map_err(failed)?;
        let number = |key: char| first.split_whitespace().find_map(|word| word.strip_prefix(key)?.parse::<usize>().ok());
        let (Some(width), Some(height), true) = (number('W'), number('H'), first.starts_with("YUV4MPEG2 ")) else {
            return Err(ScoreError::Malformed("the camera file", String::from("it is not y4m")));
        };
        let header = first.len() as u64;
        file.seek(SeekFrom::Start(header)).map_err(failed)?;
        Ok(Self { file, width, height, header })
    }

    /// `None` beyond the last picture.
    fn luma(&mut self, number: u64) -> Result<Option<Vec<u8>>, ScoreError> {
        let picture = byte_count(self.width, self.height) as u64 + FRAME_HEADER;
        let mut luma = vec![0; self.width * self.height];
        let at = self.header + number * picture + FRAME_HEADER;
        let read = self.file.seek(SeekFrom::Start(at)).and_then(|_| self.file.read_exact(&mut luma));
        match read {
            Ok(()) => Ok(Some(luma)),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(ScoreError::Io(String::from("the camera file"), error)),
        }
    }
}

/// Bicubic (Catmull-Rom), as a player's scaler would.
fn scaled(luma: &[u8], from: (usize, usize), to: (usize, usize)) -> Vec<u8> {
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    let mut target = Image::new(to.0 as u32, to.1 as u32, PixelType::U8);
    let source = Image::from_vec_u8(from.0 as u32, from.1 as u32, luma.to_vec(), PixelType::U8);
    if let Ok(source) = source {
        // Cannot fail: both are of one kind and not empty.
        let _ = Resizer::new().resize(&source, &mut target, &options);
    }
    target.into_vec()
}

/// Of two planes of that width: mean SSIM over windows of 8 x 8 in steps of 4, and PSNR.
pub fn likeness(one: &[u8], other: &[u8], width: usize) -> Likeness {
    const C1: f64 = (0.01 * 255.0) * (0.01 * 255.0);
    const C2: f64 = (0.03 * 255.0) * (0.03 * 255.0);
    let height = one.len().min(other.len()) / width;
    let area = (WINDOW * WINDOW) as f64;
    let (mut sum, mut count) = (0.0, 0u32);
    for top in (0..=height.saturating_sub(WINDOW)).step_by(STEP) {
        for left in (0..=width.saturating_sub(WINDOW)).step_by(STEP) {
            let [mut a, mut b, mut aa, mut bb, mut ab] = [0u32; 5];
            for row in top..top + WINDOW {
                let range = row * width + left..row * width + left + WINDOW;
                for (&x, &y) in one[range.clone()].iter().zip(&other[range]) {
                    let (x, y) = (u32::from(x), u32::from(y));
                    (a, b, aa, bb, ab) = (a + x, b + y, aa + x * x, bb + y * y, ab + x * y);
                }
            }
            let [a, b, aa, bb, ab] = [a, b, aa, bb, ab].map(|value| f64::from(value) / area);
            let (variance_a, variance_b, covariance) = (aa - a * a, bb - b * b, ab - a * b);
            sum += ((2.0 * a * b + C1) * (2.0 * covariance + C2)) / ((a * a + b * b + C1) * (variance_a + variance_b + C2));
            count += 1;
        }
    }
    let squares: f64 = one.iter().zip(other).map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2)).sum();
    let error = (squares / one.len().max(1) as f64).max(0.01);
    Likeness { ssim: sum / f64::from(count.max(1)), psnr_db: 10.0 * (255.0f64 * 255.0 / error).log10() }
}

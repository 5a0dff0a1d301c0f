//! Camera files: y4m with a frame number burnt into every frame, from a clip or from a drawn picture, and a sound file beside it
//! for a peer whose microphone is a file.

use super::voice::Voice;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;
use visavis_media::audio::SAMPLE_RATE;
use visavis_media::codec::{Codec, CodecError, VideoDecoder, VpxDecoder};
use visavis_media::container::{Coded, ContainerError, ivf, webm, y4m};
use visavis_media::scale::{crop_to_wide, scale_i420};
use visavis_media::{Frame, FramePool, marker};

const FPS: u32 = 30;
/// Of a clip, which is then played forwards and backwards, so that it goes round without a cut. In all fewer than there are
/// frame numbers.
const MOST_FRAMES: usize = 300;
const DRAWN_FRAMES: usize = 240;

#[derive(Debug, thiserror::Error)]
pub enum CameraFileError {
    #[error("{0}: {1}")]
    Io(String, io::Error),
    #[error("the clip {0} cannot be used: {1}")]
    Clip(String, String),
    #[error("a picture of {0}x{1} is not possible; both sides must be even, and at most 1920x1080")]
    Size(usize, usize),
}

/// Writes `out`, and its `.wav`.
pub fn make(out: &Path, size: (usize, usize), clip: Option<&Path>) -> Result<(), CameraFileError> {
    if size.0 % 2 + size.1 % 2 != 0 || !visavis_media::frame::size_is_allowed(size.0, size.1) || size.0 < 64 || size.1 < 36 {
        return Err(CameraFileError::Size(size.0, size.1));
    }
    let failed = |error| CameraFileError::Io(out.display().to_string(), error);
    let mut file = BufWriter::new(File::create(out).map_err(failed)?);
    writeln!(file, "YUV4MPEG2 W{} H{} F{FPS}:1 Ip A1:1 C420mpeg2", size.0, size.1).map_err(failed)?;
    let pool = FramePool::new(MOST_FRAMES + 4);
    let frames = match clip {
        Some(path) => clip_frames(path, size, &pool).map_err(|why| CameraFileError::Clip(path.display().to_string(), why))?,
        None => (0..DRAWN_FRAMES / 2 + 1).filter_map(|index| drawn(index, size, &pool)).collect(),
    };
    let forth = 0..frames.len();
    let back = (1..frames.len().saturating_sub(1)).rev();
    for (number, index) in (0..).zip(forth.chain(back)) {
        let Some(mut frame) = pool.copy_of(&frames[index]) else { continue };
        marker::burn(&mut frame, number);
        file.write_all(b"FRAME\n").and_then(|()| file.write_all(frame.as_bytes())).map_err(failed)?;
    }
    file.flush().map_err(failed)?;
    write_voice(&out.with_extension("wav")).map_err(failed)
}

/// Mono, 16 bit.
fn write_voice(path: &Path) -> io::Result<()> {
    let data: Vec<u8> = Voice::default().into_samples().into_iter().flat_map(i16::to_le_bytes).collect();
    let length = data.len() as u32;
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(b"RIFF")?;
    file.write_all(&(36 + length).to_le_bytes())?;
    file.write_all(b"WAVEfmt ")?;
    file.write_all(&16u32.to_le_bytes())?;
    for value in [1u16, 1] {
        file.write_all(&value.to_le_bytes())?;
    }
    for value in [SAMPLE_RATE, SAMPLE_RATE * 2] {
        file.write_all(&value.to_le_bytes())?;
    }
    for value in [2u16, 16] {
        file.write_all(&value.to_le_bytes())?;
    }
    file.write_all(b"data")?;
    file.write_all(&length.to_le_bytes())?;
    file.write_all(&data)?;
    file.flush()
}

/// The first pictures of a clip, cut to 16:9 and scaled.
fn clip_frames(path: &Path, size: (usize, usize), pool: &FramePool) -> Result<Vec<Frame>, String> {
    let own = FramePool::new(3);
    let mut frames = Vec::new();
    let mut take = |frame: &Frame| -> Result<bool, String> {
        let wide = crop_to_wide(frame, &own).ok_or("no buffer is free")?;
        frames.push(scale_i420(&wide, size.0, size.1, pool).ok_or("no buffer is free")?);
        Ok(frames.len() < MOST_FRAMES)
    };
    let data = fs::read(path).map_err(|error| error.to_string())?;
    let text = |error: ContainerError| error.to_string();
    let coded = match data.get(..4) {
        Some(b"YUV4") => {
            let mut reader = y4m::Reader::new(io::Cursor::new(&data)).map_err(text)?;
            let total = data.len() / visavis_media::frame::byte_count(reader.width, reader.height);
            for _ in 0..total {
                let mut frame = own.frame(reader.width, reader.height, Duration::ZERO).ok_or("no buffer is free")?;
                reader.read(frame.as_bytes_mut()).map_err(text)?;
                if !take(&frame)? {
                    break;
                }
            }
            return Ok(frames);
        }
        Some(b"DKIF") => ivf::read(&data).map_err(text)?,
        _ => webm::read(&data).map_err(text)?,
    };
    decode(&data, &coded, &own, &mut take).map_err(|error| error.to_string())??;
    if frames.len() < 2 { Err(String::from("it has too few pictures")) } else { Ok(frames) }
}

type Taken = Result<bool, String>;

fn decode(data: &[u8], coded: &Coded, pool: &FramePool, take: &mut impl FnMut(&Frame) -> Taken) -> Result<Taken, CodecError> {
    let mut decoder = VpxDecoder::new(Codec::Vp8, pool.clone())?;
    for range in &coded.pictures {
        if let Some(frame) = decoder.decode(&data[range.clone()], Duration::ZERO)? {
            match take(&frame) {
                Ok(true) => {}
                other => return Ok(other),
            }
        }
    }
    Ok(Ok(false))
}

/// Noise of several scales, coarser being stronger as in natural pictures, moved and turned slowly, with fresh grain.
fn drawn(index: usize, size: (usize, usize), pool: &FramePool) -> Option<Frame> {
    let mut frame = pool.frame(size.0, size.1, Duration::ZERO)?;
    let time = index as f32;
    let (sin, cos) = (0.15 * (time / 40.0).sin()).sin_cos();
    let zoom = 1280.0 / size.0 as f32;
    let shift = (3.0 * time, 60.0 * (time / 25.0).sin());
    let (width, columns) = (size.0, size.0 / 2);
    let (y, u, v) = frame.planes_mut();
    for (row, line) in y.chunks_exact_mut(width).enumerate() {
        for (column, sample) in line.iter_mut().enumerate() {
            let (across, down) = (column as f32, row as f32);
            let x = (across * cos - down * sin) * zoom + shift.0;
            let y = (across * sin + down * cos) * zoom + shift.1;
            let grain = (scatter(column as u32, row as u32, index as u32 + 77) - 0.5) * 7.0;
            *sample = (128.0 + 150.0 * texture(x, y) + grain).clamp(16.0, 235.0) as u8;
        }
    }
    for (row, (u, v)) in u.chunks_exact_mut(columns).zip(v.chunks_exact_mut(columns)).enumerate() {
        for (column, (u, v)) in u.iter_mut().zip(v).enumerate() {
            let luma = f32::from(y[2 * row * width + 2 * column]) - 128.0;
            (*u, *v) = ((128.0 + luma * 0.25) as u8, (127.0 - luma * 0.25) as u8);
        }
    }
    Some(frame)
}

/// About -1 to 1.
fn texture(x: f32, y: f32) -> f32 {
    let mut sum = 0.0;
    for octave in 2..9u32 {
        let cell = 2048.0 / f32::from(1u16 << octave);
        let at = ((x / cell).floor() as i32 as u32, (y / cell).floor() as i32 as u32);
        sum += (scatter(at.0, at.1, octave) - 0.5) * (cell / 512.0).powf(0.9);
    }
    sum
}

/// A number in 0..1 that looks random and depends on its arguments alone.
fn scatter(x: u32, y: u32, z: u32) -> f32 {
    let mut hash = x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77) ^ z.wrapping_mul(0xC2B2_AE3D);
    hash = (hash ^ (hash >> 15)).wrapping_mul(0x2C1B_3C6D);
    hash = (hash ^ (hash >> 12)).wrapping_mul(0x297A_2D39);
    ((hash ^ (hash >> 15)) >> 8) as f32 / (1u32 << 24) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_of_a_camera_file_has_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("camera.y4m");
        make(&path, (160, 90), None).unwrap();
        let file = fs::read(&path).unwrap();
        let mut reader = y4m::Reader::new(io::Cursor::new(&file)).unwrap();
        assert_eq!((reader.width, reader.height, reader.rate), (160, 90, (30, 1)));
        let mut picture = vec![0; visavis_media::frame::byte_count(160, 90)];
        let mut first = Vec::new();
        for number in 0..DRAWN_FRAMES as u32 {
            reader.read(&mut picture).unwrap();
            assert_eq!(marker::read_luma(&picture, 160, 90), Some(number));
            if number == 0 {
                first = picture[160 * 10..160 * 90].to_vec();
            }
        }
        let mean = first.iter().map(|sample| f64::from(*sample)).sum::<f64>() / first.len() as f64;
        let spread = first.iter().map(|sample| (f64::from(*sample) - mean).abs()).sum::<f64>() / first.len() as f64;
        assert!((90.0..170.0).contains(&mean) && spread > 15.0, "a picture with something in it: mean {mean}, spread {spread}");
        let sound = fs::read(path.with_extension("wav")).unwrap();
        assert_eq!((&sound[..4], &sound[8..16], sound.len()), (b"RIFF".as_slice(), b"WAVEfmt ".as_slice(), 44 + 3 * 48_000 * 2));
    }

    #[test]
    fn what_cannot_be_made_is_said() {
        let path = std::env::temp_dir().join("never-written.y4m");
        assert!(make(&path, (161, 90), None).unwrap_err().to_string().contains("161x90"));
        let clip = Path::new("/no/such/clip.webm");
        let folder = tempfile::tempdir().unwrap();
        let why = make(&folder.path().join("x.y4m"), (160, 90), Some(clip)).unwrap_err().to_string();
        assert!(why.contains("/no/such/clip.webm"), "{why}");
    }
}

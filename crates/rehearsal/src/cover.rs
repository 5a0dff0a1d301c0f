//! Runs the detector of covered cameras over a folder of labelled clips, through the decoders that a call has, and writes what
//! it says of each picture. `score.rs` sums that up.
//!
//! VP8 in IVF goes through the product's decoder. H.264 is decoded by a library that only this bench links.

mod score;

pub use score::Score;

use score::Event;
use serde::Deserialize;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use visavis_media::codec::{Codec, VideoDecoder, VideoEncoder, VpxDecoder, VpxEncoder};
use visavis_media::container::{MAX_CODED_BYTES, ivf};

use visavis_media::{Coded, Frame, FramePool};
use visavis_sight::detector::{CameraState, Detector};
use visavis_sight::features::Eye;
use visavis_sight::planes::Plane;
use visavis_sight::stream::Received;
use visavis_sight::{Gate, Planes, PlanesMut};

/// Buffers: one decoded, one veiled and coded again.
const BUFFERS: usize = 4;
const MOST_FPS: u32 = 240;

#[derive(Debug, thiserror::Error)]
pub enum CoverError {
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    #[error("{0} does not list clips: {1}")]
    Labels(PathBuf, serde_json::Error),
    #[error("{0}: {1}")]
    Clip(PathBuf, String),
}

/// What is written for each picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// `clip,frame,state,words`: the quick answer, by which one's own picture is veiled, and the calm one, by which words are shown.
    States,
    /// `clip,frame,` and every measure, for fitting.
    Measures,
}

/// One line of `labels.json`.
#[derive(Deserialize)]
struct Clip {
    clip: String,
    file: String,
    fps: u32,
    frames: usize,
    kbps: u32,
    #[serde(default)]
    category: String,
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Clone, Debug, Default)]
pub struct Cost {
    pub clips: usize,
    pub pictures: usize,
    pub looking: Duration,
    /// Of the quick answer; of nothing where measures were written.
    pub score: Score,
}

/// `veiled`: each picture goes through a gate that nobody opened, the product's encoder and its decoder before it is looked at.
pub fn run(folder: &Path, out: &Path, veiled: bool, columns: Columns) -> Result<Cost, CoverError> {
    let list = folder.join("labels.json");
    let text = std::fs::read(&list).map_err(|error| CoverError::Io(list.clone(), error))?;
    let clips: Vec<Clip> = serde_json::from_slice(&text).map_err(|error| CoverError::Labels(list, error))?;
    let of_out = |error| CoverError::Io(out.to_owned(), error);
    let mut writer = BufWriter::new(std::fs::File::create(out).map_err(of_out)?);
    let names = match columns {
        Columns::States => String::from("state,words"),
        Columns::Measures => format!("{},bytes,key", names(visavis_sight::features::Measures::default())),
    };
    writeln!(writer, "clip,frame,{names}").map_err(of_out)?;
    let mut cost = Cost::default();
    for clip in &clips {
        let path = folder.join(&clip.file);
        let of_clip = |why: String| CoverError::Clip(path.clone(), why);
        let mut watcher = Watcher::new(clip, veiled, columns).map_err(of_clip)?;
        let mut lines = String::new();
        decode(&path, clip, &mut |frame| watcher.picture(frame, &mut lines, &mut cost)).map_err(of_clip)?;
        writer.write_all(lines.as_bytes()).map_err(of_out)?;
        if watcher.at != clip.frames {
            eprintln!("{}: {} pictures, {} are labelled", clip.clip, watcher.at, clip.frames);
        }
        cost.score.clip(&clip.category, clip.fps, &clip.events, &watcher.said);
        cost.clips += 1;
    }
    writer.flush().map_err(of_out)?;
    Ok(cost)
}

fn names(measures: visavis_sight::features::Measures) -> String {
    measures.named().into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(",")
}

/// The word of the scorer. Too dark to see is no alarm there, and neither is "not known yet".
fn word(state: CameraState) -> &'static str {
    match state {
        CameraState::Clear | CameraState::Unknown => "clear",
        CameraState::Dark => "dark",
        CameraState::Covered => "covered",
        CameraState::Partial => "partial",
        CameraState::NobodyInView => "noview",
        CameraState::Frozen | CameraState::Off | CameraState::NoSignal => "notlive",
    }
}

struct Watcher<'a> {
    clip: &'a Clip,
    columns: Columns,
    at: usize,
    /// The quick answer to each picture so far.
    said: Vec<&'static str>,
    detector: Detector,
    eye: Eye,
    veil: Option<(Gate, VpxEncoder, VpxDecoder)>,
}

impl<'a> Watcher<'a> {
    fn new(clip: &'a Clip, veiled: bool, columns: Columns) -> Result<Self, String> {
        let why = |error: visavis_media::codec::CodecError| error.to_string();
        let veil = match veiled {
            false => None,
            true => {
                let encoder = VpxEncoder::new(Codec::Vp8, 640, 360, clip.fps, clip.kbps).map_err(why)?;
                Some((Gate::new(), encoder, VpxDecoder::new(Codec::Vp8, FramePool::new(BUFFERS)).map_err(why)?))
            }
        };
        Ok(Self { clip, columns, at: 0, said: Vec::new(), detector: Detector::new(), eye: Eye::default(), veil })
    }

    fn states(&mut self) -> String {
        let quick = word(self.detector.evidence());
        self.said.push(quick);
        format!("{quick},{}", word(self.detector.state()))
    }

    fn picture(&mut self, frame: Frame, lines: &mut String, cost: &mut Cost) -> Result<(), String> {
        let now = Duration::from_secs_f64(self.at as f64 / f64::from(self.clip.fps.clamp(1, MOST_FPS)));
        let frame = match &mut self.veil {
            None => Some(frame),
            Some((gate, encoder, decoder)) => {
                let released = gate.release(frame, now, planes_mut);
                match encoder.encode(&released, false).map_err(|error| error.to_string())? {
                    Some(coded) => {
                        let decoded = decoder.decode(&coded.data, now).map_err(|error| error.to_string())?;
                        decoded.map(|frame| came(frame, coded.data.len(), coded.key))
                    }
                    None => None,
                }
            }
        };
        use std::fmt::Write as _;
        let begun = std::time::Instant::now();
        let said = match (self.columns, &frame) {
            (Columns::States, Some(frame)) => {
                match frame.coded {
                    Some(coded) => {
                        let received = Received { bytes: coded.bytes, key: coded.key };
                        self.detector.received(planes(frame), received, now)
                    }
                    None => self.detector.picture(planes(frame), now),
                };
                self.states()
            }
            (Columns::States, None) => {
                self.detector.tick(now);
                self.states()
            }
            (Columns::Measures, Some(frame)) => {
                let named = self.eye.look(&planes(frame)).named();
                let measures = named.into_iter().map(|(_, value)| value.to_string()).collect::<Vec<_>>().join(",");
                let (bytes, key) = frame.coded.map_or((0, false), |coded| (coded.bytes, coded.key));
                format!("{measures},{bytes},{}", u8::from(key))
            }
            (Columns::Measures, None) => String::new(),
        };
        cost.looking += begun.elapsed();
        cost.pictures += 1;
        if !said.is_empty() {
            writeln!(lines, "{},{},{said}", self.clip.clip, self.at).map_err(|error| error.to_string())?;
        }
        self.at += 1;
        Ok(())
    }
}

/// As the receiver of a call hands pictures on.
fn came(mut frame: Frame, bytes: usize, key: bool) -> Frame {
    frame.coded = Some(Coded { bytes, key, arrived: frame.captured, held: Duration::ZERO });
    frame
}

type Each<'a> = dyn FnMut(Frame) -> Result<(), String> + 'a;

fn decode(path: &Path, clip: &Clip, each: &mut Each<'_>) -> Result<(), String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_CODED_BYTES {
        return Err(format!("{size} bytes are too many"));
    }
    let data = std::fs::read(path).map_err(|error| error.to_string())?;
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("ivf") => vp8(&data, clip, each),
        Some("h264" | "264") => h264(&data, clip, each),
        _ => Err(String::from("neither .ivf nor .h264")),
    }
}

fn vp8(data: &[u8], clip: &Clip, each: &mut Each<'_>) -> Result<(), String> {
    let coded = ivf::read(data).map_err(|error| error.to_string())?;
    let mut decoder = VpxDecoder::new(Codec::Vp8, FramePool::new(BUFFERS)).map_err(|error| error.to_string())?;
    for (at, range) in coded.pictures.into_iter().enumerate() {
        let captured = Duration::from_secs_f64(at as f64 / f64::from(clip.fps.clamp(1, MOST_FPS)));
        let coded = &data[range];
        if let Some(frame) = decoder.decode(coded, captured).map_err(|error| error.to_string())? {
            // The first bit of a VP8 frame is 0 in key frames (RFC 6386 section 9.1).
            let key = coded.first().is_some_and(|byte| byte & 1 == 0);
            each(came(frame, coded.len(), key))?;
        }
    }
    Ok(())
}

fn h264(data: &[u8], clip: &Clip, each: &mut Each<'_>) -> Result<(), String> {
    use openh264::formats::YUVSource;
    let mut decoder = openh264::decoder::Decoder::new().map_err(|error| error.to_string())?;
    let pool = FramePool::new(BUFFERS);
    let mut at = 0u32;
    for unit in access_units(data) {
        let Some(picture) = decoder.decode(unit).map_err(|error| error.to_string())? else { continue };
        let captured = Duration::from_secs_f64(f64::from(at) / f64::from(clip.fps.clamp(1, MOST_FPS)));
        let (width, height) = picture.dimensions();
        let mut frame = pool.frame(width, height, captured).ok_or("a size that is not allowed")?;
        let (chroma, _) = frame.chroma_size();
        let strides = picture.strides();
        let (y, u, v) = frame.planes_mut();
        let planes =
            [(y, width, picture.y(), strides.0), (u, chroma, picture.u(), strides.1), (v, chroma, picture.v(), strides.2)];
        for (to, columns, from, stride) in planes {
            for (to, from) in to.chunks_exact_mut(columns).zip(from.chunks(stride)) {
                to.copy_from_slice(&from[..columns]);
            }
        }
        // Of an IDR picture; nobody reads further than to the first slices of a picture.
        let key = unit.windows(4).any(|code| code[..3] == *b"\0\0\x01" && code[3] & 31 == 5);
        each(came(frame, unit.len(), key))?;
        at += 1;
    }
    Ok(())
}

/// Splits an Annex B stream (ITU-T H.264 annex B, 7.4.1.2.3) before each parameter set, delimiter or supplementary message that
/// follows a slice, and before each slice that starts a picture.
fn access_units(data: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = data.windows(3).enumerate().filter(|(_, code)| code == b"\0\0\x01").map(|(at, _)| at).collect();
    let (mut units, mut begun, mut has_slice) = (Vec::new(), 0, false);
    for &start in &starts {
        let Some(&header) = data.get(start + 3) else { break };
        let slice = matches!(header & 31, 1 | 5);
        // first_mb_in_slice is 0: its Exp-Golomb code is the single bit 1.
        let first = slice && data.get(start + 4).is_some_and(|byte| byte & 0x80 != 0);
        if has_slice && (first || matches!(header & 31, 6..=9)) {
            units.push(&data[begun..start]);
            (begun, has_slice) = (start, false);
        }
        has_slice |= slice;
    }
    if has_slice {
        units.push(&data[begun..]);
    }
    units
}

fn planes(frame: &Frame) -> Planes<'_> {
    let chroma = frame.chroma_size().0;
    Planes {
        width: frame.width,
        height: frame.height,
        y: Plane { data: frame.y(), stride: frame.width },
        u: Plane { data: frame.u(), stride: chroma },
        v: Plane { data: frame.v(), stride: chroma },
    }
}

fn planes_mut(frame: &mut Frame) -> PlanesMut<'_> {
    let (width, height, chroma) = (frame.width, frame.height, frame.chroma_size().0);
    let (y, u, v) = frame.planes_mut();
    PlanesMut { width, height, y: (y, width), u: (u, chroma), v: (v, chroma) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_split_into_pictures() {
        let nal = |header: u8, first: u8| [0, 0, 0, 1, header, first, 9, 9];
        let stream: Vec<u8> =
            [nal(0x67, 1), nal(0x68, 1), nal(0x65, 0x80), nal(0x65, 0x40), nal(0x41, 0x9a), nal(0x09, 1), nal(0x41, 0x80)]
                .concat();
        let units = access_units(&stream);
        assert_eq!(units.len(), 3);
        assert_eq!(units.concat(), stream);
        assert_eq!(access_units(&[]).len(), 0);
        assert_eq!(access_units(&[0, 0, 1]).len(), 0);
    }

    #[test]
    fn a_folder_without_labels_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let error = run(folder.path(), &folder.path().join("out.csv"), false, Columns::States).unwrap_err();
        assert!(error.to_string().contains("labels.json"), "{error}");
    }

    #[test]
    fn each_picture_of_a_clip_gets_a_line_clear_and_veiled() {
        let folder = tempfile::tempdir().unwrap();
        let mut encoder = VpxEncoder::new(Codec::Vp8, 320, 180, 15, 300).unwrap();
        let (pool, mut gate) = (FramePool::new(4), Gate::new());
        let mut file = b"DKIF\0\0\x20\0VP80\x40\x01\xb4\0\x0f\0\0\0\x01\0\0\0\x1e\0\0\0\0\0\0\0".to_vec();
        for at in 0..30u64 {
            let mut frame = pool.frame(320, 180, Duration::from_millis(at * 66)).unwrap();
            frame.as_bytes_mut().iter_mut().enumerate().for_each(|(place, byte)| *byte = 90 + (place / 57 % 40) as u8);
            let released = gate.release(frame, Duration::from_millis(at * 66), planes_mut);
            let coded = encoder.encode(&released, false).unwrap().unwrap();
            file.extend((coded.data.len() as u32).to_le_bytes());
            file.extend(at.to_le_bytes());
            file.extend(coded.data);
        }
        std::fs::write(folder.path().join("a.ivf"), file).unwrap();
        let labels = r#"[{"clip": "a", "file": "a.ivf", "fps": 15, "frames": 30, "kbps": 300, "events": []}]"#;
        std::fs::write(folder.path().join("labels.json"), labels).unwrap();
        let out = folder.path().join("out.csv");
        for veiled in [false, true] {
            for (columns, width) in [(Columns::States, 4), (Columns::Measures, 12)] {
                let cost = run(folder.path(), &out, veiled, columns).unwrap();
                assert_eq!((cost.clips, cost.pictures), (1, 30));
                let text = std::fs::read_to_string(&out).unwrap();
                assert!(text.starts_with("clip,frame,"));
                assert!(text.lines().all(|line| line.split(',').count() >= width), "{text}");
                assert_eq!(text.lines().count(), 31);
            }
        }
    }
}

//! What the encoders make of the bits they are given: `cargo bench -p visavis-media --bench codec [-- CAMERA.y4m]`. Without a file
//! the drawn face is coded. Printed are bits a second against what was asked for, their highest second, the luma's PSNR, CPU time
//! of a picture, and how many pictures the encoder itself left out; with a rate that wobbles as that of a call does, and with
//! pictures left out as on a path that is behind.
#![allow(clippy::unwrap_used, reason = "a bench may panic")]

use std::io::BufReader;
use std::time::{Duration, Instant};
use visavis_media::camera::{Camera, CameraSource};
use visavis_media::codec::{Codec, VideoDecoder, VideoEncoder, VpxDecoder, VpxEncoder};
use visavis_media::container::y4m;
use visavis_media::{Clock, Frame, FramePool};
use visavis_sight::detector::CameraState;
use visavis_sight::gate::{Gate, Input};
use visavis_sight::{PlanesMut, Released, View};

const SECONDS: usize = 12;
const FPS: usize = 30;
const SIZE: (usize, usize) = (640, 360);

/// Nanoseconds that this thread has run.
fn cpu(begun: Instant) -> u64 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ran = schedstat.as_deref().and_then(|text| text.split_whitespace().next()).and_then(|ns| ns.parse().ok());
    ran.unwrap_or_else(|| begun.elapsed().as_nanos() as u64)
}

fn from_file(path: &str) -> Vec<Vec<u8>> {
    let mut reader = y4m::Reader::new(BufReader::new(std::fs::File::open(path).unwrap())).unwrap();
    assert_eq!((reader.width, reader.height), SIZE, "the file's size");
    let mut picture = vec![0; SIZE.0 * SIZE.1 * 3 / 2];
    (0..SECONDS * FPS)
        .map(|_| {
            reader.read(&mut picture).unwrap();
            picture.clone()
        })
        .collect()
}

fn from_face() -> Vec<Vec<u8>> {
    let pool = FramePool::new(8);
    let source = CameraSource::Face { name: String::from("bench") };
    let camera = Camera::open(&source, SIZE, FPS as u32, pool, Clock::start()).unwrap();
    let mut pictures = Vec::new();
    while pictures.len() < SECONDS * FPS {
        if let Some(frame) = camera.frames().take(Duration::from_secs(1)) {
            let (y, u, v) = (frame.y(), frame.u(), frame.v());
            pictures.push([y, u, v].concat());
        }
    }
    pictures
}

/// A gate that lets everything out clear.
fn open_gate() -> Gate {
    let mut gate = Gate::new();
    for input in [Input::Agreed(true), Input::Opened(true), Input::PeerSeesMe(CameraState::Clear), Input::PeerShows(View::Clear)]
    {
        gate.input(input, Duration::ZERO);
    }
    gate
}

fn release(gate: &mut Gate, frame: Frame) -> Released<Frame> {
    let now = frame.captured + Duration::from_secs(2);
    gate.input(Input::PeerLooks(CameraState::Clear), now);
    gate.release(frame, now, |frame| {
        let (width, height) = (frame.width, frame.height);
        let (columns, _) = frame.chroma_size();
        let (y, u, v) = frame.planes_mut();
        PlanesMut { width, height, y: (y, width), u: (u, columns), v: (v, columns) }
    })
}

fn squares(one: &[u8], other: &[u8]) -> f64 {
    one.iter().zip(other).map(|(&a, &b)| u64::from(a.abs_diff(b)).pow(2)).sum::<u64>() as f64 / one.len() as f64
}

fn measure(codec: Codec, pictures: &[Vec<u8>], kbps: u32, wobble: bool, keep: impl Fn(usize) -> bool, name: &str) {
    let pool = FramePool::new(4);
    let mut gate = open_gate();
    let mut encoder = VpxEncoder::new(codec, SIZE.0, SIZE.1, FPS as u32, kbps).unwrap();
    let mut decoder = VpxDecoder::new(codec, pool.clone()).unwrap();
    let mut bytes = [0usize; SECONDS];
    let (mut coded, mut dropped, mut error, mut ns, begun) = (0usize, 0, 0.0, 0, Instant::now());
    // The gate opens after a while of clear pictures; until then what leaves is a mosaic and is not counted.
    let warm = 2 * FPS;
    for number in 0..warm + pictures.len() {
        let index = number.saturating_sub(warm);
        let (luma, chroma) = pictures[index].split_at(SIZE.0 * SIZE.1);
        let mut frame = pool.frame(SIZE.0, SIZE.1, Duration::from_micros(number as u64 * 33_333)).unwrap();
        let (y, u, v) = frame.planes_mut();
        y.copy_from_slice(luma);
        u.copy_from_slice(&chroma[..chroma.len() / 2]);
        v.copy_from_slice(&chroma[chroma.len() / 2..]);
        let captured = frame.captured;
        let released = release(&mut gate, frame);
        if number < warm || !keep(index) {
            continue;
        }
        assert_eq!(released.view(), View::Clear);
        if wobble {
            let part = 1.0 + 0.08 * (index as f32 * 0.37).sin();
            encoder.set_rate((kbps as f32 * part) as u32, FPS as u32).unwrap();
        }
        let before = cpu(begun);
        let picture = encoder.encode(&released, false).unwrap();
        ns += cpu(begun) - before;
        coded += 1;
        let Some(picture) = picture else {
            dropped += 1;
            continue;
        };
        bytes[index / FPS] += picture.data.len();
        let shown = decoder.decode(&picture.data, captured).unwrap().unwrap();
        error += squares(shown.y(), luma);
    }
    let kbit = |bytes: usize| bytes as f64 * 8.0 / 1000.0;
    let all = kbit(bytes.iter().sum()) / SECONDS as f64;
    let most = bytes[1..].iter().copied().max().map_or(0.0, kbit);
    let psnr = 10.0 * (255.0f64.powi(2) / (error / (coded - dropped).max(1) as f64)).log10();
    println!(
        "{codec:<4} {name:<22} {kbps:>5} asked {all:>6.0} got ({:>4.2}) {most:>6.0} at most ({:>4.2}) {psnr:>5.2} dB {:>5.2} ms {dropped:>4} of {coded} dropped",
        all / f64::from(kbps),
        most / f64::from(kbps),
        ns as f64 / 1e6 / coded as f64,
    );
}

fn main() {
    let file = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let pictures = file.map_or_else(from_face, |path| from_file(&path));
    for codec in [Codec::Vp8, Codec::Vp9] {
        for kbps in [200, 400, 800, 1600] {
            measure(codec, &pictures, kbps, false, |_| true, "steady");
        }
        for kbps in [400, 1600] {
            measure(codec, &pictures, kbps, true, |_| true, "wobbling");
            measure(codec, &pictures, kbps, true, |index| index % 2 == 0, "every other picture");
            measure(codec, &pictures, kbps, true, |index| !matches!(index % 5, 1 | 3), "three of five");
        }
    }
}

//! What a tester does to a camera: pictures as if the lens were covered, the lights out, the driver hung.

use super::Modifier;
use super::noise::Noise;
use crate::{Frame, marker};
use std::time::Duration;

/// Mean colour of a finger pressed on a lens in room light (Y, U, V).
const FINGER: [f32; 3] = [58.0, 110.0, 158.0];
/// Levels left of full range when the lights are off.
const DARK_SCALE: u16 = 12;
const DARK_BLACK: u8 = 17;
/// Of a loop.
const REEL: Duration = Duration::from_secs(2);
/// Whatever the camera's rate.
const MOST_PICTURES: usize = 128;

pub(super) struct Tamper {
    noise: Noise,
    chroma_noise: Noise,
    frozen: Option<Still>,
    reel: Option<Reel>,
}

struct Still {
    size: (usize, usize),
    bytes: Vec<u8>,
}

struct Reel {
    size: (usize, usize),
    /// By the camera's time.
    begun: Duration,
    /// Each with its time since then, so that the loop is as long as it was whatever becomes of the rate.
    pictures: Vec<(Duration, Vec<u8>)>,
}

impl Tamper {
    pub fn new() -> Self {
        Self { noise: Noise::new(2.2, 11), chroma_noise: Noise::new(1.0, 12), frozen: None, reel: None }
    }

    /// `None`: no picture comes out.
    pub fn apply(&mut self, modifier: Modifier, mut frame: Frame) -> Option<Frame> {
        if modifier != Modifier::Frozen {
            self.frozen = None;
        }
        if modifier != Modifier::Loop {
            self.reel = None;
        }
        match modifier {
            Modifier::None => {}
            Modifier::Covered => self.cover(&mut frame),
            Modifier::Dark => self.darken(&mut frame),
            Modifier::Frozen => self.freeze(&mut frame),
            Modifier::Loop => self.repeat(&mut frame),
            Modifier::Unplugged | Modifier::Stalled => return None,
        }
        Some(frame)
    }

    /// Light through a finger: brighter and redder towards one corner, nothing sharp, hardly any movement.
    fn cover(&mut self, frame: &mut Frame) {
        let (width, strip) = (frame.width, strip(frame));
        let (across, _) = frame.chroma_size();
        let height = frame.height as f32;
        let glow = |column: usize, row: usize, columns: usize, rows: f32| {
            let (x, y) = (column as f32 / columns as f32 - 0.35, row as f32 / rows - 0.4);
            (1.0 - (x * x + y * y) * 1.3).max(0.0)
        };
        let (y, u, v) = frame.planes_mut();
        fill(y, width, strip, |column, row| (FINGER[0] - 26.0 + 26.0 * glow(column, row, width, height)) as u8);
        let chroma = |base: f32, gain: f32| move |column, row| (base + gain * glow(column, row, across, height / 2.0)) as u8;
        fill(u, across, strip.div_ceil(2), chroma(FINGER[1], -4.0));
        fill(v, across, strip.div_ceil(2), chroma(FINGER[2] - 6.0, 8.0));
        self.grain(frame, strip);
    }

    fn darken(&mut self, frame: &mut Frame) {
        let (width, strip) = (frame.width, strip(frame));
        let (across, _) = frame.chroma_size();
        let (y, u, v) = frame.planes_mut();
        for pixel in &mut y[strip * width..] {
            *pixel = DARK_BLACK + (u16::from(*pixel) * DARK_SCALE / 256) as u8;
        }
        for plane in [u, v] {
            for pixel in &mut plane[strip.div_ceil(2) * across..] {
                *pixel = (128 + (i16::from(*pixel) - 128) / 12) as u8;
            }
        }
        self.grain(frame, strip);
    }

    fn grain(&mut self, frame: &mut Frame, strip: usize) {
        let width = frame.width;
        let (across, _) = frame.chroma_size();
        let (y, u, v) = frame.planes_mut();
        self.noise.add(&mut y[strip * width..], width);
        self.chroma_noise.add(&mut u[strip.div_ceil(2) * across..], across);
        self.chroma_noise.add(&mut v[strip.div_ceil(2) * across..], across);
    }

    fn freeze(&mut self, frame: &mut Frame) {
        let size = (frame.width, frame.height);
        match &self.frozen {
            Some(still) if still.size == size => frame.as_bytes_mut().copy_from_slice(&still.bytes),
            _ => self.frozen = Some(Still { size, bytes: frame.as_bytes().to_vec() }),
        }
    }

    fn repeat(&mut self, frame: &mut Frame) {
        let (size, now) = ((frame.width, frame.height), frame.captured);
        if self.reel.as_ref().is_none_or(|reel| reel.size != size) {
            self.reel = Some(Reel { size, begun: now, pictures: Vec::new() });
        }
        let Some(reel) = &mut self.reel else { return };
        let since = now.saturating_sub(reel.begun);
        if since < REEL {
            if reel.pictures.len() < MOST_PICTURES {
                reel.pictures.push((since, frame.as_bytes().to_vec()));
            }
            return;
        }
        let phase = Duration::from_nanos((since.as_nanos() % REEL.as_nanos()) as u64);
        if let Some((_, picture)) = reel.pictures.iter().take_while(|(at, _)| *at <= phase).last() {
            frame.as_bytes_mut().copy_from_slice(picture);
        }
    }
}

/// Rows to leave alone: those of a frame number, if the picture has one.
fn strip(frame: &Frame) -> usize {
    marker::read(frame).map_or(0, |_| marker::strip_height(frame.height))
}

fn fill(plane: &mut [u8], width: usize, skip: usize, level: impl Fn(usize, usize) -> u8) {
    for (row, pixels) in plane.chunks_mut(width).enumerate().skip(skip) {
        for (column, pixel) in pixels.iter_mut().enumerate() {
            *pixel = level(column, row);
        }
    }
}

//! A moving picture with the statistics of a natural one: texture that is stronger where it is coarser, slow panning, a disc
//! that crosses it, fresh sensor noise in each picture. Cheap: rows are copied out of a larger texture.

use super::noise::{Noise, Random};
use super::pace::Source;
use crate::{Frame, FramePool};
use std::time::Duration;

/// How far the picture pans, in pixels.
const PAN: usize = 192;

pub(super) struct Pattern {
    width: usize,
    height: usize,
    luma: Texture,
    chroma: [Texture; 2],
    noise: Noise,
}

struct Texture {
    width: usize,
    pixels: Vec<u8>,
}

impl Pattern {
    pub fn new(width: usize, height: usize) -> Self {
        let mut random = Random::new(7);
        let luma = Texture::new(width + PAN, height + PAN, (122.0, 165.0), 1.0, &mut random);
        let half = |random: &mut Random| Texture::new((width + PAN) / 2, (height + PAN) / 2, (128.0, 60.0), 0.55, random);
        let chroma = [half(&mut random), half(&mut random)];
        Self { width, height, luma, chroma, noise: Noise::new(1.6, 8) }
    }

    fn disc(&self, frame: &mut Frame, tick: f32) {
        let (width, height) = (self.width as f32, self.height as f32);
        let radius = height / 9.0;
        let x = width * (0.5 + 0.4 * (tick / 47.0).sin());
        let y = height * (0.55 + 0.25 * (tick / 31.0).cos());
        let columns = self.width;
        let (across, _) = frame.chroma_size();
        let (luma, u, v) = frame.planes_mut();
        disc(luma, columns, (x, y), radius, |shade| 190.0 - 70.0 * shade);
        disc(u, across, (x / 2.0, y / 2.0), radius / 2.0, |_| 96.0);
        disc(v, across, (x / 2.0, y / 2.0), radius / 2.0, |_| 178.0);
    }
}

impl Source for Pattern {
    fn picture(&mut self, tick: u64, captured: Duration, pool: &FramePool) -> Result<Option<Frame>, String> {
        let Some(mut frame) = pool.frame(self.width, self.height, captured) else { return Ok(None) };
        let time = tick as f32;
        let wave = |period: f32| ((time / period).sin() + 1.0) / 2.0 * PAN as f32;
        // Even, so that luma and chroma stay together.
        let (x, y) = (wave(61.0) as usize & !1, wave(83.0) as usize & !1);
        let (across, _) = frame.chroma_size();
        let width = self.width;
        let (luma, u, v) = frame.planes_mut();
        self.luma.copy(luma, width, x, y);
        self.chroma[0].copy(u, across, x / 2, y / 2);
        self.chroma[1].copy(v, across, x / 2, y / 2);
        self.disc(&mut frame, time);
        let (luma, ..) = frame.planes_mut();
        self.noise.add(luma, width);
        Ok(Some(frame))
    }
}

fn disc(plane: &mut [u8], columns: usize, centre: (f32, f32), radius: f32, level: impl Fn(f32) -> f32) {
    let rows = plane.len() / columns;
    let span = |middle: f32, end: usize| {
        let from = (middle - radius - 1.0).max(0.0) as usize;
        from.min(end)..((middle + radius + 2.0).max(0.0) as usize).min(end)
    };
    for row in span(centre.1, rows) {
        for column in span(centre.0, columns) {
            let (x, y) = (column as f32 - centre.0, row as f32 - centre.1);
            let distance = (x * x + y * y).sqrt();
            let cover = (radius - distance + 0.5).clamp(0.0, 1.0);
            let pixel = &mut plane[row * columns + column];
            *pixel = (f32::from(*pixel) * (1.0 - cover) + level(distance / radius) * cover) as u8;
        }
    }
}

impl Texture {
    /// Sums octaves of value noise. `range` is (middle, width of the range), `detail` the weight of the fine octaves.
    fn new(width: usize, height: usize, range: (f32, f32), detail: f32, random: &mut Random) -> Self {
        let mut sum = vec![0f32; width * height];
        for octave in 0..7 {
            let cell = width.max(height) as f32 / (3 << octave) as f32;
            if cell < 2.0 {
                break;
            }
            let weight = 0.6f32.powi(octave) * if octave > 2 { detail } else { 1.0 };
            Self::octave(&mut sum, width, cell, weight, random);
        }
        let (low, high) = sum.iter().fold((f32::MAX, f32::MIN), |(low, high), &value| (low.min(value), high.max(value)));
        let gain = range.1 / (high - low).max(f32::EPSILON);
        let pixels =
            sum.iter().map(|value| (range.0 + ((value - low) * gain - range.1 / 2.0)).clamp(24.0, 228.0) as u8).collect();
        Self { width, pixels }
    }

    fn octave(sum: &mut [f32], width: usize, cell: f32, weight: f32, random: &mut Random) {
        let across = (width as f32 / cell) as usize + 2;
        let down = (sum.len() as f32 / width as f32 / cell) as usize + 2;
        let grid: Vec<f32> = (0..across * down).map(|_| random.between(-1.0, 1.0)).collect();
        let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
        for (row, pixels) in sum.chunks_mut(width).enumerate() {
            let y = row as f32 / cell;
            let (top, down) = (y as usize * across, smooth(y.fract()));
            for (column, pixel) in pixels.iter_mut().enumerate() {
                let x = column as f32 / cell;
                let (left, right) = (top + x as usize, smooth(x.fract()));
                let above = grid[left] + (grid[left + 1] - grid[left]) * right;
                let below = grid[left + across] + (grid[left + across + 1] - grid[left + across]) * right;
                *pixel += weight * (above + (below - above) * down);
            }
        }
    }

    /// Fills `plane` with the part of the texture at (`x`, `y`).
    fn copy(&self, plane: &mut [u8], width: usize, x: usize, y: usize) {
        for (row, pixels) in plane.chunks_mut(width).enumerate() {
            let start = (y + row) * self.width + x;
            pixels.copy_from_slice(&self.pixels[start..start + pixels.len()]);
        }
    }
}

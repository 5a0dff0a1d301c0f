//! From light to the samples that a receiver gets: exposure, noise, gamma, I420, and what a starved encoder leaves of it.

use super::light::{Picture, Random, SIZE};

/// Planes y, u, v one after the other, rows without padding.
pub type I420 = Vec<u8>;

pub fn byte_count() -> usize {
    SIZE.0 * SIZE.1 * 3 / 2
}

pub struct Sensor {
    random: Random,
    gain: Option<f32>,
    target: f32,
    /// Share of the way to the wanted gain that each picture goes.
    speed: f32,
    most: f32,
    noise: f32,
    /// Values of deviation 1, neighbours alike; read from a random place for each picture.
    grain: Vec<f32>,
}

impl Sensor {
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x5e45_0e00);
        let raw: Vec<f32> = (0..1 << 17).map(|_| random.normal()).collect();
        let alike = random.between(0.2, 0.7);
        let grain = raw.windows(2).map(|pair| (pair[0] + alike * pair[1]) / (1.0 + alike * alike).sqrt()).collect();
        Self {
            gain: None,
            target: random.between(0.13, 0.2),
            speed: random.between(0.1, 0.25),
            most: random.between(8.0, 24.0),
            noise: random.between(0.0008, 0.0018),
            random,
            grain,
        }
    }

    /// `jump`: what a sudden change of exposure multiplies.
    pub fn shoot(&mut self, scene: &Picture, jump: f32) -> I420 {
        let wanted = (self.target / (scene.mean() + 1e-5)).clamp(0.2, self.most);
        let gain = self.gain.map_or(wanted, |gain| gain * (wanted / gain).powf(self.speed));
        self.gain = Some(gain);
        let start = self.random.below(self.grain.len() / 2);
        let (width, height) = SIZE;
        let mut samples = vec![0u8; byte_count()];
        let mut chroma = vec![[0.0f32; 2]; width * height / 4];
        for (at, rgb) in scene.0.iter().enumerate() {
            let mut gamma = [0.0; 3];
            for (of, value) in rgb.iter().enumerate() {
                let amount = (value.max(0.0) * self.noise * 0.03 + self.noise * self.noise).sqrt() * gain;
                let grain = self.grain[(start + at * 3 + of) % self.grain.len()];
                gamma[of] = (value * gain * jump + amount * grain).clamp(0.0, 1.0).powf(1.0 / 2.2) * 255.0;
            }
            let [r, g, b] = gamma;
            samples[at] = (16.0 + 0.257 * r + 0.504 * g + 0.098 * b).round() as u8;
            let place = at / width / 2 * (width / 2) + at % width / 2;
            chroma[place][0] += (-0.148 * r - 0.291 * g + 0.439 * b) / 4.0;
            chroma[place][1] += (0.439 * r - 0.368 * g - 0.071 * b) / 4.0;
        }
        let (u, v) = samples[width * height..].split_at_mut(width * height / 4);
        for (at, [blue, red]) in chroma.into_iter().enumerate() {
            u[at] = (128.0 + blue).round() as u8;
            v[at] = (128.0 + red).round() as u8;
        }
        samples
    }
}

/// An encoder with hardly any bits: blocks of eight that changed little are left as they were, others keep only their coarse
/// frequencies (an 8 x 8 cosine transform with large steps). Chroma is kept in blocks of four.
pub struct Starved {
    step: f32,
    shown: Option<I420>,
    basis: [[f32; 8]; 8],
}

impl Starved {
    pub fn new(step: f32) -> Self {
        let value = |k: usize, n: usize| {
            let scale = if k == 0 { (1.0f32 / 8.0).sqrt() } else { 0.5 };
            scale * (std::f32::consts::PI * (2 * n + 1) as f32 * k as f32 / 16.0).cos()
        };
        Self { step, shown: None, basis: std::array::from_fn(|k| std::array::from_fn(|n| value(k, n))) }
    }

    pub fn code(&mut self, picture: I420) -> I420 {
        let mut shown = self.shown.take().unwrap_or_else(|| vec![128; byte_count()]);
        let luma = SIZE.0 * SIZE.1;
        let chroma = (SIZE.0 / 2, luma / 4);
        for (start, width, length) in [(0, SIZE.0, luma), (luma, chroma.0, chroma.1), (luma + chroma.1, chroma.0, chroma.1)] {
            self.plane(&picture[start..start + length], &mut shown[start..start + length], width);
        }
        self.shown = Some(shown.clone());
        shown
    }

    fn plane(&self, picture: &[u8], shown: &mut [u8], width: usize) {
        let height = picture.len() / width;
        for block in 0..(width / 8) * height.div_ceil(8) {
            let (left, top) = (block % (width / 8) * 8, (block / (width / 8) * 8).min(height - 8));
            let rest: [[f32; 8]; 8] = std::array::from_fn(|y| {
                std::array::from_fn(|x| {
                    let at = (top + y) * width + left + x;
                    f32::from(picture[at]) - f32::from(shown[at])
                })
            });
            let coded = self.inverse(&self.coarse(&self.forward(&rest)));
            for (y, row) in coded.iter().enumerate() {
                for (x, value) in row.iter().enumerate() {
                    let at = (top + y) * width + left + x;
                    shown[at] = (f32::from(shown[at]) + value).round().clamp(0.0, 255.0) as u8;
                }
            }
        }
    }

    /// Dead zone and steps that grow with the frequency.
    fn coarse(&self, frequencies: &[[f32; 8]; 8]) -> [[f32; 8]; 8] {
        std::array::from_fn(|y| {
            std::array::from_fn(|x| {
                let step = self.step * (1.0 + 0.5 * (x + y) as f32);
                (frequencies[y][x] / step).trunc() * step
            })
        })
    }

    fn forward(&self, block: &[[f32; 8]; 8]) -> [[f32; 8]; 8] {
        let rows: [[f32; 8]; 8] =
            std::array::from_fn(|y| std::array::from_fn(|k| (0..8).map(|n| self.basis[k][n] * block[y][n]).sum()));
        std::array::from_fn(|k| std::array::from_fn(|x| (0..8).map(|n| self.basis[k][n] * rows[n][x]).sum()))
    }

    fn inverse(&self, frequencies: &[[f32; 8]; 8]) -> [[f32; 8]; 8] {
        let rows: [[f32; 8]; 8] =
            std::array::from_fn(|n| std::array::from_fn(|x| (0..8).map(|k| self.basis[k][n] * frequencies[k][x]).sum()));
        std::array::from_fn(|y| std::array::from_fn(|n| (0..8).map(|k| self.basis[k][n] * rows[y][k]).sum()))
    }
}

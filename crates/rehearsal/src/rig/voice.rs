//! Something to say: syllables of a synthetic voice in a loop, so that a measured call carries sound as a real one does.

use visavis_media::audio::{AudioFrame, FRAME_SAMPLES, SAMPLE_RATE};

const SECONDS: usize = 3;
const SYLLABLES_A_SECOND: usize = 5;
/// Which of the syllables are spoken; the others are pauses.
const SPOKEN: [bool; SECONDS * SYLLABLES_A_SECOND] =
    [true, true, false, true, true, true, false, false, true, true, true, true, false, true, false];
const PITCH_HZ: f64 = 120.0;
const OTHER_PITCH_HZ: f64 = 171.0;
/// The other voice is at another place of the same syllables.
const OTHER_SHIFT: usize = 6;
const OVERTONES: usize = 19;
const LOUDNESS: f64 = 4000.0;

/// Frames of 20 ms, over and over.
pub struct Voice {
    samples: Vec<i16>,
    next: usize,
}

impl Default for Voice {
    fn default() -> Self {
        Self { samples: samples(PITCH_HZ, 0), next: 0 }
    }
}

impl Voice {
    /// Of somebody else.
    pub fn another() -> Self {
        Self { samples: samples(OTHER_PITCH_HZ, OTHER_SHIFT), next: 0 }
    }

    pub fn fill(&mut self, frame: &mut AudioFrame) {
        frame.copy_from_slice(&self.samples[self.next..self.next + FRAME_SAMPLES]);
        self.next = (self.next + FRAME_SAMPLES) % self.samples.len();
    }

    /// The whole loop, for a sound file.
    pub fn into_samples(self) -> Vec<i16> {
        self.samples
    }
}

/// A buzz whose pitch wavers, shaped into syllables, over a little noise.
fn samples(pitch_hz: f64, shift: usize) -> Vec<i16> {
    let rate = f64::from(SAMPLE_RATE);
    let mut noise = 1u32;
    (0..SECONDS * SAMPLE_RATE as usize)
        .map(|index| {
            let time = index as f64 / rate;
            // Two thirds of a hertz and a pitch in whole hertz close the loop without a step.
            let waver = 3.0 * (std::f64::consts::TAU * 2.0 / 3.0 * time).sin();
            let buzz: f64 = (1..OVERTONES + 1)
                .map(|tone| (std::f64::consts::TAU * pitch_hz * tone as f64 * time + waver).sin() / tone as f64)
                .sum();
            let syllable = (time * SYLLABLES_A_SECOND as f64) as usize;
            let shape = (std::f64::consts::PI * SYLLABLES_A_SECOND as f64 * time).sin().abs();
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let hiss = f64::from(noise >> 16) / 65_536.0 - 0.5;
            let spoken = if SPOKEN[(syllable + shift) % SPOKEN.len()] { buzz * shape } else { 0.0 };
            ((spoken + 0.02 * hiss) * LOUDNESS) as i16
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_speaks_and_pauses_and_begins_again() {
        let mut voice = Voice::default();
        let mut frame = [0; FRAME_SAMPLES];
        let mut levels = Vec::new();
        for _ in 0..SECONDS * 50 + 1 {
            voice.fill(&mut frame);
            levels.push(frame.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / FRAME_SAMPLES as f64);
        }
        let (loud, quiet) =
            (levels.iter().filter(|level| **level > 1e6).count(), levels.iter().filter(|level| **level < 1e4).count());
        assert!(loud > 40 && quiet > 20, "{loud} {quiet}");
        assert!((levels[0] - levels[SECONDS * 50]).abs() < 1e-6);
    }
}

//! How loud a voice is, as a needle shows it.

use super::AudioFrame;

/// What counts as nothing: a quiet room through an ordinary microphone.
const FLOOR_DB: f32 = -60.0;
/// How far the needle falls in one frame: the whole scale in 0.5 s, so that syllables stay readable.
const FALL: f32 = 0.04;

/// A meter with an instant rise and a slow fall. 0 is -60 dBFS and below, 1 a sine at full scale; linear in decibels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Level {
    value: f32,
    peak: f32,
}

impl Level {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes 20 ms of sound and returns the new value.
    pub fn push(&mut self, frame: &AudioFrame) -> f32 {
        let power = frame.iter().map(|&sample| f32::from(sample).powi(2)).sum::<f32>() / frame.len() as f32;
        let peak = frame.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
        self.peak = perceived(f32::from(peak));
        // A sine's RMS lies 3 dB under its peak; the factor puts a full-scale sine at 1.
        let loudness = perceived((2.0 * power).sqrt());
        self.value = loudness.max(self.value - FALL).clamp(0.0, 1.0);
        self.value
    }

    /// 0 to 1.
    pub fn value(&self) -> f32 {
        self.value
    }

    /// The highest sample of the last frame, on the same scale. 1: the sound is being clipped.
    pub fn peak(&self) -> f32 {
        self.peak
    }
}

fn perceived(amplitude: f32) -> f32 {
    let db = 20.0 * (amplitude / f32::from(i16::MAX)).max(1e-9).log10();
    ((db - FLOOR_DB) / -FLOOR_DB).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{FRAME_SAMPLES, SILENCE};
    use proptest::prelude::*;

    fn sine(amplitude: f64) -> AudioFrame {
        std::array::from_fn(|i| (amplitude * f64::from(i16::MAX) * (i as f64 * std::f64::consts::TAU / 96.0).sin()) as i16)
    }

    #[test]
    fn the_scale_is_in_decibels() {
        assert_eq!(Level::new().push(&SILENCE), 0.0);
        assert!(Level::new().push(&sine(1.0)) > 0.995);
        // -20 dBFS is two thirds of 60 dB above the floor, -40 dBFS one third.
        assert!((Level::new().push(&sine(0.1)) - 2.0 / 3.0).abs() < 0.01);
        assert!((Level::new().push(&sine(0.01)) - 1.0 / 3.0).abs() < 0.01);
    }

    #[test]
    fn it_rises_at_once_and_falls_slowly() {
        let mut level = Level::new();
        level.push(&sine(1.0));
        let after_one = level.push(&SILENCE);
        assert!(after_one > 0.9 && after_one < 1.0);
        let frames = (0..).take_while(|_| level.push(&SILENCE) > 0.0).count();
        assert!((20..=27).contains(&frames), "{frames}");
        assert_eq!(level.peak(), 0.0);
    }

    proptest! {
        #[test]
        fn it_stays_on_the_scale(samples in proptest::collection::vec(any::<i16>(), FRAME_SAMPLES)) {
            let frame: AudioFrame = samples.try_into().unwrap();
            let mut level = Level::new();
            let value = level.push(&frame);
            prop_assert!((0.0..=1.0).contains(&value));
            prop_assert!((0.0..=1.0).contains(&level.peak()));
        }
    }
}

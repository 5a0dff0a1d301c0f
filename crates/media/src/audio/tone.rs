//! A sine oscillator that keeps its phase from frame to frame, and the short tone that tests a speaker.

use super::{AudioFrame, FRAME_SAMPLES, SAMPLE_RATE};
use std::f64::consts::TAU;

/// A fifth of full scale, about -14 dBFS: plainly audible, never startling.
const AMPLITUDE: f64 = 0.2 * i16::MAX as f64;

pub(super) struct Oscillator {
    step: f64,
    phase: f64,
}

impl Oscillator {
    pub(super) fn new(hz: u32) -> Self {
        Self { step: TAU * f64::from(hz) / f64::from(SAMPLE_RATE), phase: 0.0 }
    }

    fn next(&mut self) -> f64 {
        let value = self.phase.sin() * AMPLITUDE;
        self.phase = (self.phase + self.step) % TAU;
        value
    }

    pub(super) fn fill(&mut self, frame: &mut AudioFrame) {
        frame.fill_with(|| self.next() as i16);
    }
}

/// The speaker's test tone: 0.4 s of 660 Hz, faded in and out so that it does not click.
pub(super) struct TestTone {
    oscillator: Oscillator,
    played: usize,
}

impl TestTone {
    pub(super) const FRAMES: usize = 20;
    const HZ: u32 = 660;
    const LENGTH: usize = Self::FRAMES * FRAME_SAMPLES;
    /// 30 ms.
    const FADE: usize = SAMPLE_RATE as usize * 30 / 1000;

    pub(super) fn new() -> Self {
        Self { oscillator: Oscillator::new(Self::HZ), played: 0 }
    }

    /// Adds the next 20 ms to `frame`; `false` once the tone is over.
    pub(super) fn mix_into(&mut self, frame: &mut AudioFrame) -> bool {
        for sample in frame.iter_mut() {
            if self.played >= Self::LENGTH {
                return false;
            }
            let edge = self.played.min(Self::LENGTH - self.played);
            let gain = (edge as f64 / Self::FADE as f64).min(1.0);
            let mixed = f64::from(*sample) + self.oscillator.next() * gain;
            // The cast saturates: loud speech plus the tone clips and does not wrap.
            *sample = mixed as i16;
            self.played += 1;
        }
        self.played < Self::LENGTH
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::SILENCE;

    #[test]
    fn the_tone_has_its_frequency_and_no_step_between_frames() {
        let mut oscillator = Oscillator::new(440);
        let mut sound = Vec::new();
        for _ in 0..50 {
            let mut frame = SILENCE;
            oscillator.fill(&mut frame);
            sound.extend_from_slice(&frame);
        }
        let rising = sound.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
        assert!((438..=441).contains(&rising), "{rising} periods in one second");
        let steepest = sound.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max();
        assert!(steepest < Some(400), "{steepest:?}");
    }

    #[test]
    fn the_test_tone_lasts_and_ends() {
        let mut tone = TestTone::new();
        let mut frames = 0;
        let mut loudest = 0;
        loop {
            let mut frame = SILENCE;
            let more = tone.mix_into(&mut frame);
            frames += 1;
            loudest = loudest.max(frame.iter().copied().max().unwrap_or(0));
            if frames == 1 {
                assert!(frame[..48].iter().all(|sample| sample.abs() < 400), "it fades in");
            }
            if !more {
                break;
            }
        }
        assert_eq!(frames, TestTone::FRAMES);
        assert!((5000..8000).contains(&loudest), "{loudest}");
        let mut frame = [i16::MAX; FRAME_SAMPLES];
        assert!(!tone.mix_into(&mut frame));
        assert!(TestTone::new().mix_into(&mut frame), "clips without panic");
    }
}

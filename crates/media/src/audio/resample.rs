//! Mono sound from one sample rate to another, in whatever pieces it comes.

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Async, FixedAsync, Resampler as _, SincInterpolationParameters, SincInterpolationType, WindowFunction};

/// Devices run at 8 to 384 kHz; what claims to be outside is broken.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=768_000;

pub(super) enum Resampler {
    /// Same rate on both sides.
    Same,
    Sinc(Box<Sinc>),
}

pub(super) struct Sinc {
    inner: Async<f32>,
    /// Input that is not yet a whole chunk.
    pending: Vec<f32>,
    output: Vec<f32>,
}

impl Resampler {
    /// `None`: rates that no device has.
    pub(super) fn new(from: u32, to: u32) -> Option<Self> {
        if from == to {
            return Some(Self::Same);
        }
        if !RATES.contains(&from) || !RATES.contains(&to) {
            return None;
        }
        // 64 taps delay by 32 samples, 0.7 ms, and are transparent for a voice.
        let parameters = SincInterpolationParameters::new(64, WindowFunction::Hann2)
            .oversampling_factor(128)
            .interpolation(SincInterpolationType::Linear);
        let chunk = (from / 200) as usize;
        let inner = Async::new_sinc(f64::from(to) / f64::from(from), 1.0, &parameters, chunk, 1, FixedAsync::Input).ok()?;
        let output = vec![0.0; inner.output_frames_max()];
        Some(Self::Sinc(Box::new(Sinc { inner, pending: Vec::new(), output })))
    }

    /// Hands what is ready to `emit`. Up to 5 ms of input stay inside for the next time.
    pub(super) fn push(&mut self, input: &[f32], mut emit: impl FnMut(&[f32])) {
        match self {
            Self::Same => emit(input),
            Self::Sinc(sinc) => sinc.push(input, emit),
        }
    }
}

impl Sinc {
    fn push(&mut self, input: &[f32], mut emit: impl FnMut(&[f32])) {
        self.pending.extend_from_slice(input);
        let mut used = 0;
        loop {
            let needed = self.inner.input_frames_next();
            let Some(chunk) = self.pending.get(used..used + needed) else { break };
            let frames = self.output.len();
            let (Ok(from), Ok(mut to)) =
                (SequentialSlice::new(chunk, 1, needed), SequentialSlice::new_mut(&mut self.output, 1, frames))
            else {
                break;
            };
            let Ok((read, written)) = self.inner.process_into_buffer(&from, &mut to, None) else { break };
            emit(&self.output[..written]);
            used += read.max(1);
        }
        self.pending.drain(..used.min(self.pending.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: u32, hz: f32, seconds: f32) -> Vec<f32> {
        (0..(rate as f32 * seconds) as usize).map(|i| 0.5 * (i as f32 * hz * std::f32::consts::TAU / rate as f32).sin()).collect()
    }

    fn resample(from: u32, to: u32, input: &[f32], piece: usize) -> Vec<f32> {
        let mut resampler = Resampler::new(from, to).unwrap();
        let mut output = Vec::new();
        for piece in input.chunks(piece) {
            resampler.push(piece, |ready| output.extend_from_slice(ready));
        }
        output
    }

    #[test]
    fn a_tone_keeps_its_pitch_length_and_strength() {
        for (from, to) in [(44_100, 48_000), (16_000, 48_000), (8_000, 48_000), (96_000, 48_000), (48_000, 44_100)] {
            let output = resample(from, to, &tone(from, 1000.0, 1.0), 333);
            let expected = to as f32;
            assert!((output.len() as f32 - expected).abs() < expected * 0.01, "{from} to {to}: {}", output.len());
            let middle = &output[output.len() / 4..output.len() * 3 / 4];
            let rms = (middle.iter().map(|x| x * x).sum::<f32>() / middle.len() as f32).sqrt();
            assert!((rms - 0.3535).abs() < 0.01, "{from} to {to}: rms {rms}");
            let rising = middle.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
            assert!((498..=502).contains(&rising), "{from} to {to}: {rising} periods in half a second");
        }
    }

    #[test]
    fn the_size_of_the_pieces_does_not_matter() {
        let input = tone(44_100, 700.0, 0.2);
        assert_eq!(resample(44_100, 48_000, &input, 1), resample(44_100, 48_000, &input, 4096));
    }

    #[test]
    fn above_the_new_limit_nothing_is_left() {
        let output = resample(96_000, 48_000, &tone(96_000, 30_000.0, 0.5), 960);
        let rms = (output[500..].iter().map(|x| x * x).sum::<f32>() / output[500..].len() as f32).sqrt();
        assert!(rms < 0.005, "30 kHz folds back at {rms}");
    }

    #[test]
    fn impossible_rates_are_refused() {
        assert!(Resampler::new(0, 48_000).is_none());
        assert!(Resampler::new(48_000, u32::MAX).is_none());
    }
}

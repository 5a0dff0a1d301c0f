//! How much of speech can still be understood: the short-time objective intelligibility of Taal, Hendriks, Heusdens and Jensen
//! (2011), 0 to 1. At 12 kHz instead of 10, which changes the bands a little; for comparing, not for quoting.

use std::f64::consts::{PI, TAU};

const RATE: f64 = 12_000.0;
const FRAME: usize = 306;
const HOP: usize = FRAME / 2;
const SIZE: usize = 512;
const BANDS: usize = 15;
const FIRST_BAND_HZ: f64 = 150.0;
/// Frames compared at a time, 0.38 s.
const SEGMENT: usize = 30;
/// Frames this much quieter than the loudest are pauses.
const PAUSE_DB: f64 = 40.0;
/// Distortion beyond -15 dB counts no more.
const CLIP: f64 = 5.62;

/// Of `heard` against `clean`, both at 48 kHz and aligned.
pub fn stoi(clean: &[i16], heard: &[i16]) -> f64 {
    let (clean, heard) = (frames(clean), frames(heard));
    let energy = |frame: &Vec<f64>| frame.iter().map(|x| x * x).sum::<f64>();
    let loudest = clean.iter().map(energy).fold(0.0, f64::max);
    let least = loudest / 10f64.powf(PAUSE_DB / 10.0);
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for (clean, heard) in clean.iter().zip(&heard).filter(|(clean, _)| energy(clean) > least) {
        x.push(bands(clean));
        y.push(bands(heard));
    }
    let (mut sum, mut count) = (0.0, 0);
    for end in SEGMENT..=x.len() {
        for band in 0..BANDS {
            let of = |frames: &[[f64; BANDS]]| frames[end - SEGMENT..end].iter().map(|frame| frame[band]).collect::<Vec<_>>();
            sum += likeness(&of(&x), &of(&y));
            count += 1;
        }
    }
    sum / f64::from(count.max(1))
}

fn likeness(x: &[f64], y: &[f64]) -> f64 {
    let norm = |v: &[f64]| v.iter().map(|a| a * a).sum::<f64>().sqrt().max(1e-9);
    let scale = norm(x) / norm(y);
    let y: Vec<f64> = y.iter().zip(x).map(|(y, x)| (y * scale).min(x * (1.0 + CLIP))).collect();
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (mean_x, mean_y) = (mean(x), mean(&y));
    let x: Vec<f64> = x.iter().map(|a| a - mean_x).collect();
    let y: Vec<f64> = y.iter().map(|a| a - mean_y).collect();
    x.iter().zip(&y).map(|(a, b)| a * b).sum::<f64>() / (norm(&x) * norm(&y))
}

/// Windowed frames at a quarter of the rate.
fn frames(sound: &[i16]) -> Vec<Vec<f64>> {
    // A short low-pass will do: what folds back is little in speech.
    let low: Vec<f64> = sound.windows(8).step_by(4).map(|w| w.iter().map(|&x| f64::from(x)).sum::<f64>() / 8.0).collect();
    let window: Vec<f64> = (0..FRAME).map(|i| 0.5 - 0.5 * (TAU * (i as f64 + 0.5) / FRAME as f64).cos()).collect();
    low.windows(FRAME).step_by(HOP).map(|frame| frame.iter().zip(&window).map(|(x, w)| x * w).collect()).collect()
}

/// Magnitudes in thirds of an octave.
fn bands(frame: &[f64]) -> [f64; BANDS] {
    let spectrum = powers(frame);
    std::array::from_fn(|band| {
        let centre = FIRST_BAND_HZ * 2f64.powf(band as f64 / 3.0);
        let bin = |hz: f64| (hz * SIZE as f64 / RATE).round() as usize;
        let (from, to) = (bin(centre * 2f64.powf(-1.0 / 6.0)), bin(centre * 2f64.powf(1.0 / 6.0)));
        spectrum[from..to.max(from + 1)].iter().sum::<f64>().sqrt()
    })
}

/// Radix-2 FFT, zero-padded.
fn powers(frame: &[f64]) -> Vec<f64> {
    let mut re = vec![0.0; SIZE];
    let mut im = vec![0.0; SIZE];
    let bits = SIZE.trailing_zeros();
    for (i, &x) in frame.iter().enumerate() {
        re[i.reverse_bits() >> (usize::BITS - bits)] = x;
    }
    let mut half = 1;
    while half < SIZE {
        for block in (0..SIZE).step_by(2 * half) {
            for k in 0..half {
                let angle = -PI * k as f64 / half as f64;
                let (c, s) = (angle.cos(), angle.sin());
                let (a, b) = (block + k, block + k + half);
                let (tr, ti) = (re[b] * c - im[b] * s, re[b] * s + im[b] * c);
                (re[b], im[b]) = (re[a] - tr, im[a] - ti);
                (re[a], im[a]) = (re[a] + tr, im[a] + ti);
            }
        }
        half *= 2;
    }
    re.iter().zip(&im).take(SIZE / 2).map(|(r, i)| r * r + i * i).collect()
}

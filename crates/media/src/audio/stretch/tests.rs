use super::*;
use crate::audio::speech::Speech;
use crate::audio::{FRAME_SAMPLES, SAMPLE_RATE};
use std::f64::consts::TAU;

const LIKE: f64 = 0.9;

fn sweep(from: f64, to: f64, seconds: f64) -> Vec<i16> {
    let samples = (seconds * f64::from(SAMPLE_RATE)) as usize;
    let mut phase = 0.0;
    (0..samples)
        .map(|i| {
            let hz = from * (to / from).powf(i as f64 / samples as f64);
            phase = (phase + TAU * hz / f64::from(SAMPLE_RATE)) % TAU;
            (8000.0 * phase.sin()) as i16
        })
        .collect()
}

fn speech(seconds: usize) -> Vec<i16> {
    let mut speech = Speech::new(11);
    (0..seconds * 50).flat_map(|_| speech.frame()).collect()
}

/// Cuts a piece out of every 60 ms, or puts one in, as the receiver does.
fn stretched(sound: &[i16], shorter: bool) -> (Vec<i16>, usize, usize) {
    let (mut output, mut stretched, mut tried) = (Vec::new(), 0, 0);
    for piece in sound.chunks(3 * FRAME_SAMPLES) {
        let mut piece = piece.to_vec();
        if piece.len() == 3 * FRAME_SAMPLES {
            tried += 1;
            stretched += usize::from(if shorter {
                shorten(&mut piece, 500, MAX_LAG, LIKE) > 0
            } else {
                lengthen(&mut piece, 1500, MAX_LAG, LIKE) > 0
            });
        }
        output.extend(piece);
    }
    (output, stretched, tried)
}

fn rms(sound: &[i16]) -> f64 {
    mean_square(sound).sqrt()
}

fn rises(sound: &[i16]) -> f64 {
    sound.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count() as f64
}

/// The largest second difference: a click is a corner.
fn sharpest(sound: &[i16]) -> i32 {
    sound.windows(3).map(|w| (i32::from(w[2]) - 2 * i32::from(w[1]) + i32::from(w[0])).abs()).max().unwrap_or(0)
}

#[test]
fn tones_keep_pitch_strength_and_smoothness() {
    for hz in [70.0, 110.0, 220.0, 440.0, 1000.0, 2500.0, 6000.0] {
        let tone = sweep(hz, hz, 3.0);
        for shorter in [true, false] {
            let (output, done, tried) = stretched(&tone, shorter);
            assert_eq!(done, tried, "{hz} Hz, shorter {shorter}: a tone can always be cut");
            assert_eq!(output.len() < tone.len(), shorter);
            let pitch = rises(&output) / output.len() as f64 * f64::from(SAMPLE_RATE);
            assert!((pitch / hz - 1.0).abs() < 0.01, "{hz} Hz became {pitch}");
            let strength = rms(&output) / rms(&tone);
            assert!((0.98..1.02).contains(&strength), "{hz} Hz: {strength} times as strong");
            let (before, after) = (sharpest(&tone), sharpest(&output));
            assert!(f64::from(after) < f64::from(before) * 1.25 + 8.0, "{hz} Hz clicks: {before} to {after}");
        }
    }
}

#[test]
fn sweeps_stay_smooth() {
    let tone = sweep(100.0, 4000.0, 6.0);
    for shorter in [true, false] {
        let (output, done, tried) = stretched(&tone, shorter);
        assert!(done * 10 > tried * 8, "{done} of {tried}");
        // Piece by piece, since the treble's corners would hide a click in the bass.
        for (i, part) in output.chunks(9600).enumerate() {
            let position = (i as f64 + 0.5) * 9600.0 / output.len() as f64;
            let near = (position * tone.len() as f64) as usize;
            let original = &tone[near.saturating_sub(9600)..(near + 9600).min(tone.len())];
            let (before, after) = (sharpest(original), sharpest(part));
            assert!(f64::from(after) < f64::from(before) * 1.3 + 60.0, "part {i} clicks: {before} to {after}");
            assert!((0.93..1.07).contains(&(rms(part) / 5657.0)), "part {i}: {}", rms(part) / 5657.0);
        }
    }
}

#[test]
fn speech_keeps_its_energy_and_gets_no_clicks() {
    let voice = speech(20);
    for shorter in [true, false] {
        let (output, done, tried) = stretched(&voice, shorter);
        assert!(done * 2 > tried, "only {done} of {tried} places were fit");
        let energy = mean_square(&output) / mean_square(&voice);
        assert!((0.85..1.15).contains(&energy), "{energy} of the mean power");
        let (before, after) = (sharpest(&voice), sharpest(&output));
        assert!(f64::from(after) < f64::from(before) * 1.1, "clicks: {before} to {after}");
    }
}

#[test]
fn noise_and_steps_are_left_alone_and_silence_is_cut_freely() {
    let mut noise = 1u32;
    let hiss: Vec<i16> = (0..2880)
        .map(|_| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (noise >> 16) as i16 / 4
        })
        .collect();
    assert_eq!(shorten(&mut hiss.clone(), 0, MAX_LAG, LIKE), 0);
    assert_eq!(lengthen(&mut hiss.clone(), 1440, MAX_LAG, LIKE), 0);
    // From silence into a loud tone: a cut would swallow the attack.
    let mut attack = vec![0i16; 700];
    attack.extend(sweep(300.0, 300.0, 0.05));
    assert_eq!(shorten(&mut attack, 0, MAX_LAG, LIKE), 0);
    let mut silence = vec![0i16; 2880];
    assert_eq!(shorten(&mut silence, 0, MAX_LAG, LIKE), MAX_LAG);
    assert_eq!(silence.len(), 2880 - MAX_LAG);
    assert_eq!(lengthen(&mut silence, 1440, 300, LIKE), 300);
    assert_eq!(silence.len(), 2880 - MAX_LAG + 300);
}

#[test]
fn too_little_sound_is_no_fault() {
    for length in 0..260 {
        let mut sound = vec![0i16; length];
        let taken = shorten(&mut sound, 3, MAX_LAG, LIKE);
        assert_eq!(sound.len() + taken, length);
        let put_in = lengthen(&mut sound, length / 2, MAX_LAG, LIKE);
        assert_eq!(sound.len(), length - taken + put_in);
        assert_eq!(shorten(&mut sound, 10_000, MAX_LAG, LIKE), 0);
    }
}

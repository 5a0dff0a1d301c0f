//! Shortens and lengthens sound without changing its pitch: whole periods are taken out or played twice, and the seam is faded
//! over where the sound resembles itself most (WSOLA; Verhelst and Roelands, 1993).
//!
//! Works on decoded samples at 48 kHz. When to stretch is decided by the jitter buffer; here is only decided whether this
//! piece of sound can be stretched without being heard.

/// Shortest and longest piece taken out or put in: 2.5 and 15 ms, periods of voices from 67 to 400 Hz.
pub(super) const MIN_LAG: usize = 120;
pub(super) const MAX_LAG: usize = 720;
/// Compared for likeness: 12.5 ms, a period of a deep voice.
const WINDOW: usize = 600;
/// Step of the first, coarse search.
const COARSE: usize = 4;
/// Mean square below which nobody hears the seam, whatever it looks like: about -54 dBFS.
const QUIET: f64 = 65.0 * 65.0;

/// A place to cut: how long a piece, and how much alike (-1 to 1) it and its neighbour are.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Seam {
    lag: usize,
    likeness: f64,
}

/// Takes out up to `most` samples near the beginning of `sound`, of which twice as many are looked at. Returns how many were
/// taken: none if no two neighbouring pieces are alike by at least `likeness` (1: the same).
pub(super) fn shorten(sound: &mut Vec<i16>, from: usize, most: usize, likeness: f64) -> usize {
    let Some(part) = sound.get(from..) else { return 0 };
    let longest = most.min(MAX_LAG).min(part.len() / 2);
    let Some(seam) = find(part, longest, likeness) else { return 0 };
    let lag = seam.lag;
    for i in 0..lag {
        sound[from + i] = blend(sound[from + i], sound[from + lag + i], i, lag, seam.likeness);
    }
    sound.drain(from + lag..from + 2 * lag);
    lag
}

/// Plays up to `most` samples before `at` once more. Returns how many were put in: none if what comes next is not alike by at
/// least `likeness`.
pub(super) fn lengthen(sound: &mut Vec<i16>, at: usize, most: usize, likeness: f64) -> usize {
    let longest = most.min(MAX_LAG).min(at).min(sound.len().saturating_sub(at));
    if longest < MIN_LAG {
        return 0;
    }
    // The piece before `at` against the one behind it: the same search, from where the longest would begin.
    let Some(seam) = find_before(sound, at, longest, likeness) else { return 0 };
    let lag = seam.lag;
    let piece: Vec<i16> = (0..lag).map(|i| blend(sound[at + i], sound[at - lag + i], i, lag, seam.likeness)).collect();
    sound.splice(at..at, piece);
    lag
}

/// `from` fading into `to`, `step` of `length`, with weights that keep the power of two sounds that are alike by `likeness`.
fn blend(from: i16, to: i16, step: usize, length: usize, likeness: f64) -> i16 {
    let b = (step as f64 + 0.5) / length as f64;
    let a = 1.0 - b;
    let power = (a * a + b * b + 2.0 * a * b * likeness.clamp(0.0, 1.0)).sqrt();
    // The cast saturates.
    ((f64::from(from) * a + f64::from(to) * b) / power).round() as i16
}

/// Best lag with which `part[..]` resembles `part[lag..]`.
fn find(part: &[i16], longest: usize, wanted: f64) -> Option<Seam> {
    search(longest, wanted, |lag| {
        let length = WINDOW.min(part.len().checked_sub(lag)?);
        Some((&part[..length], &part[lag..lag + length]))
    })
}

/// Best lag with which the sound from `at` resembles the sound from `at - lag`.
fn find_before(sound: &[i16], at: usize, longest: usize, wanted: f64) -> Option<Seam> {
    let length = WINDOW.min(sound.len() - at);
    search(longest, wanted, |lag| {
        let from = at.checked_sub(lag)?;
        Some((&sound[from..from + length], &sound[at..at + length]))
    })
}

fn search<'a>(longest: usize, wanted: f64, pair: impl Fn(usize) -> Option<(&'a [i16], &'a [i16])>) -> Option<Seam> {
    if longest < MIN_LAG {
        return None;
    }
    let measure = |lag: usize, step: usize| {
        let (a, b) = pair(lag)?;
        Some(Seam { lag, likeness: likeness(a, b, step) })
    };
    let better = |best: Option<Seam>, seam: Seam| match best {
        // Between equals the longer one corrects more.
        Some(best) if best.likeness > seam.likeness => Some(best),
        _ => Some(seam),
    };
    let (a, b) = pair(longest)?;
    if mean_square(a) < QUIET && mean_square(b) < QUIET {
        return Some(Seam { lag: longest, likeness: 0.0 });
    }
    let coarse = (MIN_LAG..=longest).step_by(COARSE).filter_map(|lag| measure(lag, COARSE)).fold(None, better)?;
    let around = coarse.lag.saturating_sub(COARSE).max(MIN_LAG)..=(coarse.lag + COARSE).min(longest);
    let best = around.filter_map(|lag| measure(lag, 1)).fold(None, better)?;
    (best.likeness >= wanted).then_some(best)
}

/// Normalised cross-correlation, of every `step`th sample.
fn likeness(a: &[i16], b: &[i16], step: usize) -> f64 {
    let (mut product, mut of_a, mut of_b) = (0.0f64, 0.0f64, 0.0f64);
    for (&a, &b) in a.iter().zip(b).step_by(step) {
        let (a, b) = (f64::from(a), f64::from(b));
        product += a * b;
        of_a += a * a;
        of_b += b * b;
    }
    // A piece twice as loud as the other is no match, however alike in shape: judged by the louder one's power.
    let power = of_a.max(of_b);
    if power > 0.0 { product / (of_a * of_b).sqrt().max(power / 2.0) } else { 1.0 }
}

fn mean_square(sound: &[i16]) -> f64 {
    sound.iter().map(|&sample| f64::from(sample).powi(2)).sum::<f64>() / sound.len().max(1) as f64
}

#[cfg(test)]
mod tests;

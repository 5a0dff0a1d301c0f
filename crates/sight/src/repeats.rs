//! A recording played in a loop: pictures that move, and each of which is the one from the same time ago. Nobody moves the same
//! way twice, and a sensor's noise is never the same. A view that rests, is disturbed and rests again is none: it is the movement
//! itself that must come back. Nor is a cover that comes and goes: it is the same each time.

use crate::grids::{BLOCKS, distance, mean};
use std::collections::VecDeque;

/// Lengths of a loop that are looked for, in looks: half a second to seven.
const SHORTEST: usize = 8;
const LONGEST: usize = 105;
/// Pictures nearer than this to the newest one, or to the one that it may repeat, are like it without a loop.
const NEAR: usize = 3;
/// A picture is the one from before when it differs from it by so little of what it differs from those between (their mean),
/// and by so few levels in the mean over the blocks.
const SHARE: f32 = 0.3;
const LEVELS: f32 = 0.6;
/// Under so many levels from those between nothing moves, and there is nothing to compare.
const MOVES: f32 = 1.0;
/// So many looks in a row must come back (1.5 s). Of the set's 122 clips, clear and veiled, two are played in loops and have more
/// than a hundred; no other has more than 10.
const ROW: u32 = 22;

#[derive(Debug, Default)]
pub(crate) struct Repeats {
    /// Block means, newest first.
    past: VecDeque<Vec<f32>>,
    /// Looks in a row that came back, for each length.
    rows: Vec<u32>,
    differences: Vec<f32>,
}

impl Repeats {
    /// Nothing that is remembered counts any more.
    pub fn forget(&mut self) {
        self.past.clear();
        self.rows.clear();
    }

    /// `y`: block means of the newest picture. Whether pictures come back.
    pub fn look(&mut self, y: &[f32]) -> bool {
        self.differences.clear();
        self.differences.extend(self.past.iter().map(|past| difference(past, y)));
        self.rows.resize(LONGEST + 1, 0);
        let mut between = 0.0;
        for length in SHORTEST..=self.differences.len() {
            // What lies `ago` looks back is at `ago - 1`.
            let newly = if length == SHORTEST { NEAR..length - NEAR } else { length - NEAR - 1..length - NEAR };
            between += self.differences[newly].iter().sum::<f32>();
            let usual = between / (length - 2 * NEAR) as f32;
            let difference = self.differences[length - 1];
            let back = usual > MOVES && difference < SHARE * usual && difference < LEVELS;
            self.rows[length] = if back { self.rows[length] + 1 } else { 0 };
        }
        let mut newest = if self.past.len() == LONGEST { self.past.pop_back().unwrap_or_default() } else { Vec::new() };
        newest.clear();
        newest.extend_from_slice(y);
        self.past.push_front(newest);
        let moved = |row: u32| self.past.iter().take(row as usize).any(|past| apart_from_light(past, y) > MOVES);
        self.rows.iter().any(|row| *row >= ROW && moved(*row))
    }
}

/// [`difference`] without what all blocks have become brighter: exposure that settles is no movement.
fn apart_from_light(a: &[f32], b: &[f32]) -> f32 {
    let brighter = mean(b) - mean(a);
    a.iter().zip(b).map(|(a, b)| (a + brighter - b).abs()).sum::<f32>() / BLOCKS as f32
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    distance(a, b) / BLOCKS as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: usize = 40;

    /// A bright spot that wanders, and noise (of that seed) of half a level.
    fn picture(at: usize, seed: usize) -> Vec<f32> {
        let middle = (BLOCKS / 2) as f32 + 200.0 * (at as f32 / 6.3).sin() + 40.0 * (at as f32 / 14.0).cos();
        let noise = |block: usize| ((block * 7919 + seed * 104_729 + block * seed * 31) % 101) as f32 / 101.0 - 0.5;
        (0..BLOCKS).map(|block| 120.0 - (block as f32 - middle).abs().min(60.0) + noise(block)).collect()
    }

    fn first(looks: usize, shown: impl Fn(usize) -> (usize, usize)) -> Option<usize> {
        let mut repeats = Repeats::default();
        (0..looks).find(|&look| {
            let (at, seed) = shown(look);
            repeats.look(&picture(at, seed))
        })
    }

    #[test]
    fn a_loop_is_told_a_while_after_it_starts_again() {
        let told = first(300, |look| if look < 100 { (look, look) } else { (60 + look % PERIOD, look) });
        let begun = 100;
        assert!(told.is_some_and(|told| (begun + ROW as usize - 1..begun + PERIOD + 30).contains(&told)), "{told:?}");
    }

    #[test]
    fn what_moves_on_what_stands_still_and_what_stops_is_no_loop() {
        assert_eq!(first(400, |look| (look, look)), None);
        assert_eq!(first(400, |look| (7, look)), None);
        assert_eq!(first(400, |look| (look.min(150), look)), None);
        assert_eq!(first(400, |_| (7, 7)), None);
        // An empty room through which somebody walks now and then.
        assert_eq!(first(400, |look| (if look % 40 < 30 { 7 } else { look }, look)), None);
        // The same under light that comes and goes.
        let mut repeats = Repeats::default();
        for look in 0..400 {
            let light = 1.5 * (look as f32 * 0.2).sin();
            let at = if look % 40 < 30 { 7 } else { look };
            let lit: Vec<f32> = picture(at, look).into_iter().map(|level| level + light).collect();
            assert!(!repeats.look(&lit), "at {look}");
        }
    }
}

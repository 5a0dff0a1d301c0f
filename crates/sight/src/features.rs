//! What is measured on one decoded picture and its recent past: few numbers, each with a meaning that can be said in words.
//!
//! Everything is taken from a grid of 32 x 18 block means, the very blocks of the veil, so that a veiled picture and a clear
//! one measure alike; [`Measures::kept`] and [`Measures::change`] use a finer grid of 80 x 45. The top eighteenth of the
//! picture takes part in nothing: synthetic cameras write a frame number there, which would make a covered or frozen camera
//! look alive.

use crate::planes::{Plane, Planes, block_means, part};
use crate::veil::{BLOCKS_ACROSS, BLOCKS_DOWN};

const ACROSS: usize = BLOCKS_ACROSS;
const DOWN: usize = BLOCKS_DOWN - 1;
const FINE_ACROSS: usize = 80;
const FINE_DOWN: usize = 45;
/// First row of the fine grid in use: the strip ends at row 2.5, and a codec's blocks carry its changes to row 5.
const FINE_TOP: usize = 5;
const FINE: usize = FINE_ACROSS * (FINE_DOWN - FINE_TOP);
/// Pictures that [`Measures::kept`] is averaged over: three odd and three even ones, 0.4 s.
const RECENT: usize = 6;

/// Amplitude at which the correlation [`Measures::kept`] is halved, levels of luma.
const FAINT: f32 = 0.2;

/// One look at a camera. All but `mean` and `change` grow with what can be made out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measures {
    /// Mean luma above black.
    pub mean: f32,
    /// Root mean square of the luma that a smooth (quadratic) surface leaves unexplained: a defocused cover has no detail
    /// but may have a strong gradient.
    pub detail: f32,
    /// Detail of that third of the picture (left, middle, right) that has the least.
    pub least_third: f32,
    /// Mean step of luma between neighbouring blocks.
    pub step: f32,
    /// Deviation of both chroma planes, added.
    pub colours: f32,
    /// Correlation of the fine detail of the averages of odd and of even pictures. Noise has none, a dark room has. Detail of
    /// less than a fifth of a level counts little: it is the rounding of a smooth gradient.
    pub kept: f32,
    /// Mean absolute change of the fine grid since the last look. Infinite at the first.
    pub change: f32,
    /// Share of blocks whose inside does not vary: about 1 for a mosaic, and for a picture without noise and detail.
    pub inside_flat: f32,
}

impl Measures {
    /// Every measure with its name, for tuning.
    pub fn named(&self) -> [(&'static str, f32); 8] {
        [
            ("mean", self.mean),
            ("detail", self.detail),
            ("least_third", self.least_third),
            ("mean_step", self.step),
            ("colours", self.colours),
            ("kept", self.kept),
            ("change", self.change),
            ("inside_flat", self.inside_flat),
        ]
    }
}

/// Takes [`Measures`], remembering the last pictures at 80 x 45.
#[derive(Debug, Default)]
pub struct Eye {
    scratch: Vec<u32>,
    /// Newest last, high-passed; at most [`RECENT`].
    recent: Vec<Vec<f32>>,
    fine: Vec<f32>,
}

impl Eye {
    /// The planes must be sound.
    pub fn look(&mut self, picture: &Planes<'_>) -> Measures {
        let luma = (picture.width, picture.height);
        let chroma = (luma.0.div_ceil(2), luma.1.div_ceil(2));
        let y = self.blocks(picture.y, luma);
        let u = self.blocks(picture.u, chroma);
        let v = self.blocks(picture.v, chroma);
        let mut measures = spatial(&y, &u, &v);
        measures.inside_flat = inside_flat(picture.y, luma);
        self.temporal(picture, &mut measures);
        measures
    }

    /// Forgets the past pictures, so that [`Measures::kept`] is about what comes next alone.
    pub fn forget(&mut self) {
        self.recent.clear();
    }

    fn blocks(&mut self, plane: Plane<'_>, size: (usize, usize)) -> Vec<f32> {
        let mut means = vec![0.0; ACROSS * BLOCKS_DOWN];
        block_means(plane, size, (ACROSS, BLOCKS_DOWN), &mut self.scratch, &mut means);
        means.split_off(ACROSS)
    }

    fn temporal(&mut self, picture: &Planes<'_>, measures: &mut Measures) {
        let mut fine = vec![0.0; FINE_ACROSS * FINE_DOWN];
        block_means(picture.y, (picture.width, picture.height), (FINE_ACROSS, FINE_DOWN), &mut self.scratch, &mut fine);
        let fine = fine.split_off(FINE_ACROSS * FINE_TOP);
        measures.change = match self.fine.len() {
            0 => f32::INFINITY,
            _ => fine.iter().zip(&self.fine).map(|(a, b)| (a - b).abs()).sum::<f32>() / FINE as f32,
        };
        if self.recent.len() == RECENT {
            self.recent.remove(0);
        }
        self.recent.push(high_pass(&fine));
        self.fine = fine;
        measures.kept = self.kept();
    }

    fn kept(&self) -> f32 {
        if self.recent.len() < 2 {
            return 0.0;
        }
        let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
        let counts = [self.recent.len().div_ceil(2) as f32, (self.recent.len() / 2) as f32];
        for at in 0..FINE {
            let mut sums = [0.0f32; 2];
            for (turn, picture) in self.recent.iter().enumerate() {
                sums[turn % 2] += picture[at];
            }
            let (a, b) = (sums[0] / counts[0], sums[1] / counts[1]);
            ab += a * b;
            aa += a * a;
            bb += b * b;
        }
        ab / ((aa * bb).sqrt() + FINE as f32 * FAINT * FAINT)
    }
}

/// The picture without its 5 x 5 means.
fn high_pass(fine: &[f32]) -> Vec<f32> {
    let down = FINE_DOWN - FINE_TOP;
    let mut across = vec![0.0; FINE];
    for (row, out) in fine.chunks_exact(FINE_ACROSS).zip(across.chunks_exact_mut(FINE_ACROSS)) {
        for (x, out) in out.iter_mut().enumerate() {
            let near = &row[x.saturating_sub(2)..(x + 3).min(FINE_ACROSS)];
            *out = near.iter().sum::<f32>() / near.len() as f32;
        }
    }
    let mut passed = vec![0.0; FINE];
    for y in 0..down {
        let near = y.saturating_sub(2)..(y + 3).min(down);
        let count = near.len() as f32;
        for x in 0..FINE_ACROSS {
            let mean = near.clone().map(|y| across[y * FINE_ACROSS + x]).sum::<f32>() / count;
            passed[y * FINE_ACROSS + x] = fine[y * FINE_ACROSS + x] - mean;
        }
    }
    passed
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}

fn deviation(values: &[f32]) -> f32 {
    let mean = mean(values);
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / values.len().max(1) as f32).sqrt()
}

fn spatial(y: &[f32], u: &[f32], v: &[f32]) -> Measures {
    let (mut steps, mut pairs) = (0.0, 0);
    for at in 0..y.len() {
        let right = (at % ACROSS + 1 < ACROSS).then_some(at + 1);
        let below = (at + ACROSS < y.len()).then_some(at + ACROSS);
        for next in [right, below].into_iter().flatten() {
            steps += (y[next] - y[at]).abs();
            pairs += 1;
        }
    }
    let rest = unexplained(y);
    let mut thirds = [(0.0, 0); 3];
    for (at, rest) in rest.iter().enumerate() {
        let (sum, count) = &mut thirds[at % ACROSS * 3 / ACROSS];
        *sum += rest * rest;
        *count += 1;
    }
    let least = thirds.into_iter().map(|(sum, count)| sum / count as f32).fold(f32::INFINITY, f32::min);
    Measures {
        mean: mean(y) - 16.0,
        detail: (rest.iter().map(|rest| rest * rest).sum::<f32>() / rest.len() as f32).sqrt(),
        least_third: least.sqrt(),
        step: steps / pairs as f32,
        colours: deviation(u) + deviation(v),
        ..Measures::default()
    }
}

/// The grid without its best quadratic surface. The polynomials are orthogonal over the grid, so each is taken out by itself.
fn unexplained(y: &[f32]) -> Vec<f32> {
    let axis = |count: usize| -> [Vec<f32>; 3] {
        let linear: Vec<f32> = (0..count).map(|at| at as f32 - (count - 1) as f32 / 2.0).collect();
        let square: Vec<f32> = linear.iter().map(|at| at * at).collect();
        let offset = mean(&square);
        [vec![1.0; count], linear, square.iter().map(|at| at - offset).collect()]
    };
    let (across, down) = (axis(ACROSS), axis(DOWN));
    let mut rest = y.to_vec();
    for (order_x, order_y) in [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2)] {
        let surface = |at: usize| across[order_x][at % ACROSS] * down[order_y][at / ACROSS];
        let (dot, norm) = (0..rest.len()).fold((0.0, 0.0), |(dot, norm), at| {
            let value = surface(at);
            (dot + value * rest[at], norm + value * value)
        });
        for (at, rest) in rest.iter_mut().enumerate() {
            *rest -= dot / norm * surface(at);
        }
    }
    rest
}

/// Compares five samples well inside each block of the veil.
fn inside_flat(luma: Plane<'_>, (width, height): (usize, usize)) -> f32 {
    let mut flat = 0;
    for block in ACROSS..ACROSS * BLOCKS_DOWN {
        let (columns, rows) = (part(block % ACROSS, ACROSS, width), part(block / ACROSS, BLOCKS_DOWN, height));
        let x = [1, 2, 3].map(|quarter| columns.start + columns.len() * quarter / 4);
        let y = [1, 2, 3].map(|quarter| rows.start + rows.len() * quarter / 4);
        let samples = [(0, 0), (2, 0), (1, 1), (0, 2), (2, 2)].map(|(i, j)| luma.data[y[j] * luma.stride + x[i]]);
        let (least, most) = samples.iter().fold((255, 0), |(least, most), &sample| (sample.min(least), sample.max(most)));
        flat += usize::from(most - least <= 4);
    }
    flat as f32 / (ACROSS * DOWN) as f32
}

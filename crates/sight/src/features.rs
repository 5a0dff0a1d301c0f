//! What is measured on one decoded picture and its recent past: few numbers, each with a meaning that can be said in words.
//! What changed against the view of this very camera a while ago is measured by [`crate::change`].

use crate::approach::Approach;
use crate::change::{Change, Memory};
use crate::grids::{
    ACROSS, BLOCKS, CELLS, DOWN, FINE, FINE_ACROSS, Grids, TILES, box_means, deviation, distance, mean, quantile, reduced,
};
use crate::planes::{Plane, Planes, part};
use crate::veil::BLOCKS_DOWN;
use std::sync::LazyLock;

/// Pictures that what stays in place is taken from: three odd and three even ones, 0.4 s.
const RECENT: usize = 6;
/// Newest pictures whose mean is compared with the memory of the view.
const NOW: usize = 4;
/// Mean change from one look to the next from which the pictures before it show something else, levels of luma.
const CUT: f32 = 6.0;
/// Looks until the measures over time can be trusted.
pub(crate) const SETTLED: usize = 4;
/// Cells of the fine grid are halved once for [`Measures::kept`].
const HALF: usize = 2;
/// Amplitude at which the correlation [`Measures::kept`] is halved, levels of luma.
const FAINT: f32 = 0.2;
/// Texture under which a tile counts as empty, levels of luma from cell to cell.
const EMPTY: f32 = 0.4;

/// One look at a camera.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measures {
    /// Mean luma above black.
    pub mean: f32,
    /// Root mean square of the luma that a smooth (quadratic) surface leaves unexplained: a defocused cover has no detail but
    /// may have a strong gradient.
    pub detail: f32,
    /// Detail of that third of the picture (left, middle, right) that has the least.
    pub least_third: f32,
    /// Mean step of luma between neighbouring blocks.
    pub step: f32,
    /// Deviation of both chroma planes, added.
    pub colours: f32,
    /// Texture that stays in place since the last sudden change, of the fiftieth part of the picture that has most of it. Texture is the product of the
    /// gradients of the averages of odd and of even pictures: noise has none.
    pub sharpest: f32,
    /// The same inside the blocks of the veil alone, where a mosaic has none.
    pub sharpest_inside: f32,
    /// [`Self::sharpest_inside`] of that half of the picture (left, right, upper, lower) where it is least.
    pub least_inside: f32,
    /// Correlation of the fine detail of the averages of odd and of even pictures since the last sudden change. Noise has none,
    /// a dark room has. Detail of less than a fifth of a level counts little: it is the rounding of a smooth gradient.
    pub kept: f32,
    /// Mean absolute change of the fine grid since the last look. Infinite at the first.
    pub change: f32,
    /// Share of the picture without any texture.
    pub empty: f32,
    /// Share of blocks whose inside does not vary: about 1 for a mosaic, and for a picture without noise and detail.
    pub inside_flat: f32,
    /// Against the remembered view, and against the view before the last great change.
    pub since: Change,
    pub before: Change,
}

impl Measures {
    /// Every measure with its name, for tuning.
    pub fn named(&self) -> Vec<(String, f32)> {
        let mut named: Vec<_> = [
            ("mean", self.mean),
            ("detail", self.detail),
            ("least_third", self.least_third),
            ("step", self.step),
            ("colours", self.colours),
            ("sharpest", self.sharpest),
            ("sharpest_inside", self.sharpest_inside),
            ("least_inside", self.least_inside),
            ("kept", self.kept),
            ("change", self.change),
            ("empty", self.empty),
            ("inside_flat", self.inside_flat),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        for (prefix, change) in [("since", &self.since), ("before", &self.before)] {
            named.extend(change.named().map(|(name, value)| (format!("{prefix}_{name}"), value)));
        }
        named
    }
}

/// Takes [`Measures`], remembering the last pictures as grids.
#[derive(Debug, Default)]
pub struct Eye {
    scratch: Vec<u32>,
    /// Newest last, at most [`RECENT`].
    recent: Vec<Grids>,
    memory: Memory,
    approach: Approach,
    looks: usize,
    /// Looks since the last sudden change, itself among them.
    uncut: usize,
}

impl Eye {
    /// The planes must be sound.
    pub fn look(&mut self, picture: &Planes<'_>) -> Measures {
        let grids = Grids::of(picture, &mut self.scratch);
        let change = self.recent.last().map_or(f32::INFINITY, |last| mean_change(&grids.fine, &last.fine));
        if self.recent.len() == RECENT {
            self.recent.remove(0);
        }
        self.recent.push(grids);
        self.looks += 1;
        self.uncut = if change > CUT { 1 } else { self.uncut + 1 };
        let (odd, even) = averages(self.alike());
        let texture = texture(&odd, &even);
        let now = self.now();
        let newest = &self.recent[self.recent.len() - 1];
        if self.approach.look(&newest.fine) {
            self.memory.renew(&now, &newest.colours, &texture);
        }
        let (since, before) = self.memory.compare(&now, &newest.colours, &texture);
        let mut inside = texture_inside(&odd, &even);
        let (detail, least_third) = details(&newest.y);
        let measures = Measures {
            mean: mean(&newest.y) - 16.0,
            detail,
            least_third,
            step: mean_step(&newest.y),
            colours: deviation(&newest.colours.u) + deviation(&newest.colours.v),
            least_inside: least_half(&inside),
            sharpest_inside: quantile(&mut inside, 0.98),
            sharpest: quantile(&mut texture.clone(), 0.98),
            kept: kept(&odd, &even),
            change,
            empty: texture.iter().filter(|&&texture| texture < EMPTY).count() as f32 / TILES as f32,
            inside_flat: inside_flat(picture.y, (picture.width, picture.height)),
            since,
            before,
        };
        self.memory.learn(&newest.y, &newest.colours, &texture, since.lost);
        measures
    }

    /// Whether there were enough pictures for the measures over time.
    pub(crate) fn is_settled(&self) -> bool {
        self.looks >= SETTLED
    }

    /// The recent pictures since the last sudden change, at least two: those before it show something else.
    fn alike(&self) -> &[Grids] {
        &self.recent[self.recent.len().saturating_sub(self.uncut.max(2))..]
    }

    /// The fine grid of the picture that was looked at last.
    pub(crate) fn newest_fine(&self) -> &[f32] {
        self.recent.last().map_or(&[], |grids| &grids.fine)
    }

    /// Block means of the picture that was looked at last.
    pub(crate) fn newest(&self) -> &[f32] {
        self.recent.last().map_or(&[], |grids| &grids.y)
    }

    /// Mean of the newest pictures: of those since a sudden change once there are two, since what came before would hide for
    /// three looks what is lost. One alone has too much noise in a room that went dark.
    fn now(&self) -> Vec<f32> {
        let count = if self.uncut > 1 { self.uncut.min(NOW) } else { NOW };
        let newest = &self.recent[self.recent.len().saturating_sub(count)..];
        let mut now = vec![0.0; BLOCKS];
        for grids in newest {
            for (sum, value) in now.iter_mut().zip(&grids.y) {
                *sum += value / newest.len() as f32;
            }
        }
        now
    }
}

/// Means of the odd and of the even pictures, fine. The same of one picture alone.
fn averages(pictures: &[Grids]) -> (Vec<f32>, Vec<f32>) {
    let mut sums = [vec![0.0; FINE], vec![0.0; FINE]];
    for (turn, grids) in pictures.iter().enumerate() {
        for (sum, value) in sums[turn % 2].iter_mut().zip(&grids.fine) {
            *sum += value;
        }
    }
    let counts = [pictures.len().div_ceil(2) as f32, (pictures.len() / 2) as f32];
    let [mut odd, mut even] = sums;
    odd.iter_mut().for_each(|sum| *sum /= counts[0]);
    if counts[1] == 0.0 {
        return (odd.clone(), odd);
    }
    even.iter_mut().for_each(|sum| *sum /= counts[1]);
    (odd, even)
}

fn mean_change(fine: &[f32], last: &[f32]) -> f32 {
    distance(fine, last) / fine.len() as f32
}

/// Texture of each tile, levels of luma from cell to cell.
fn texture(odd: &[f32], even: &[f32]) -> Vec<f32> {
    let mut products = vec![0.0; FINE];
    for at in (0..FINE - FINE_ACROSS).step_by(FINE_ACROSS) {
        let (a, a_below) = odd[at..at + 2 * FINE_ACROSS].split_at(FINE_ACROSS);
        let (b, b_below) = even[at..at + 2 * FINE_ACROSS].split_at(FINE_ACROSS);
        let out = &mut products[at..at + FINE_ACROSS];
        for x in 0..FINE_ACROSS - 1 {
            out[x] = (a[x + 1] - a[x]) * (b[x + 1] - b[x]) + (a_below[x] - a[x]) * (b_below[x] - b[x]);
        }
    }
    let mut tiles = reduced::<CELLS>(&products, FINE_ACROSS);
    tiles.iter_mut().for_each(|tile| *tile = tile.max(0.0).sqrt());
    tiles
}

/// Texture of each tile from gradients that do not cross its edges.
fn texture_inside(odd: &[f32], even: &[f32]) -> Vec<f32> {
    let mut products = vec![0.0; FINE];
    // 1 where the next cell is in the same tile, 0 at its edge.
    let inside: Vec<f32> = (1..FINE_ACROSS).map(|next| f32::from(u8::from(!next.is_multiple_of(CELLS)))).collect();
    for (y, out) in products.chunks_exact_mut(FINE_ACROSS).enumerate() {
        let row = y * FINE_ACROSS..(y + 1) * FINE_ACROSS;
        let (a, b) = (&odd[row.clone()], &even[row.clone()]);
        for (x, inside) in inside.iter().enumerate() {
            out[x] = inside * ((a[x + 1] - a[x]) * (b[x + 1] - b[x]));
        }
        if y % CELLS + 1 < CELLS {
            let below = row.start + FINE_ACROSS..row.end + FINE_ACROSS;
            let (a_below, b_below) = (&odd[below.clone()], &even[below]);
            for (x, out) in out.iter_mut().enumerate() {
                *out += (a_below[x] - a[x]) * (b_below[x] - b[x]);
            }
        }
    }
    let mut tiles = reduced::<CELLS>(&products, FINE_ACROSS);
    tiles.iter_mut().for_each(|tile| *tile = tile.max(0.0).sqrt());
    tiles
}

fn least_half(inside: &[f32]) -> f32 {
    let place = |tile: usize| (tile % ACROSS < ACROSS / 2, tile / ACROSS < TILES / ACROSS / 2);
    let halves: [fn((bool, bool)) -> bool; 4] = [|(left, _)| left, |(left, _)| !left, |(_, upper)| upper, |(_, upper)| !upper];
    halves
        .map(|half| {
            let mut of_half: Vec<f32> = (0..inside.len()).filter(|&tile| half(place(tile))).map(|tile| inside[tile]).collect();
            quantile(&mut of_half, 0.98)
        })
        .into_iter()
        .fold(f32::INFINITY, f32::min)
}

fn kept(odd: &[f32], even: &[f32]) -> f32 {
    let [a, b] = [odd, even].map(|fine| {
        let half = reduced::<HALF>(fine, FINE_ACROSS);
        let means = box_means(&half, FINE_ACROSS / HALF);
        half.iter().zip(means).map(|(value, mean)| value - mean).collect::<Vec<f32>>()
    });
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(&b) {
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    ab / ((aa * bb).sqrt() + a.len() as f32 * FAINT * FAINT)
}

fn mean_step(y: &[f32]) -> f32 {
    let (mut sum, mut pairs) = (0.0, 0);
    for at in 0..y.len() {
        let right = (at % ACROSS + 1 < ACROSS).then_some(at + 1);
        let below = (at + ACROSS < y.len()).then_some(at + ACROSS);
        for next in [right, below].into_iter().flatten() {
            sum += (y[next] - y[at]).abs();
            pairs += 1;
        }
    }
    sum / pairs as f32
}

/// Of the whole, and of the third that has least.
fn details(y: &[f32]) -> (f32, f32) {
    let mut thirds = [(0.0, 0.0); 3];
    for (at, rest) in unexplained(y).iter().enumerate() {
        let (sum, count) = &mut thirds[at % ACROSS * 3 / ACROSS];
        *sum += rest * rest;
        *count += 1.0;
    }
    let (sum, count) = thirds.iter().fold((0.0, 0.0), |all, third| (all.0 + third.0, all.1 + third.1));
    let least = thirds.into_iter().map(|(sum, count)| sum / count).fold(f32::INFINITY, f32::min);
    (f32::sqrt(sum / count), least.sqrt())
}

/// The polynomials of a quadratic surface over the grid, each with its sum of squares. They are orthogonal.
static SURFACES: LazyLock<[(Vec<f32>, f32); 6]> = LazyLock::new(|| {
    let axis = |count: usize| -> [Vec<f32>; 3] {
        let linear: Vec<f32> = (0..count).map(|at| at as f32 - (count - 1) as f32 / 2.0).collect();
        let square: Vec<f32> = linear.iter().map(|at| at * at).collect();
        let offset = mean(&square);
        [vec![1.0; count], linear, square.iter().map(|at| at - offset).collect()]
    };
    let (across, down) = (axis(ACROSS), axis(DOWN));
    [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2)].map(|(order_x, order_y)| {
        let surface: Vec<f32> = (0..BLOCKS).map(|at| across[order_x][at % ACROSS] * down[order_y][at / ACROSS]).collect();
        let norm = surface.iter().map(|value| value * value).sum();
        (surface, norm)
    })
});

/// The grid without its best quadratic surface: each polynomial is taken out by itself.
fn unexplained(y: &[f32]) -> Vec<f32> {
    let mut rest = y.to_vec();
    for (surface, norm) in SURFACES.iter() {
        let dot: f32 = surface.iter().zip(&rest).map(|(value, rest)| value * rest).sum();
        let share = dot / norm;
        rest.iter_mut().zip(surface).for_each(|(rest, value)| *rest -= share * value);
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
    flat as f32 / BLOCKS as f32
}

#[cfg(test)]
#[path = "features_tests.rs"]
mod tests;

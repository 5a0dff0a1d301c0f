//! One picture at the few resolutions that the measures are taken from, and small helpers over such grids.
//!
//! The coarse grid has the very blocks of the veil, so that a veiled picture and a clear one measure alike; the fine grid has
//! five cells to each side of a block. The top eighteenth of the picture takes part in nothing: synthetic cameras write a frame
//! number there, which would make a covered or frozen camera look alive; a codec's blocks carry its changes as far as
//! [`FINE_TOP`].

use crate::planes::{Plane, Planes, block_means};
use crate::veil::{BLOCKS_ACROSS, BLOCKS_DOWN};

pub(crate) const ACROSS: usize = BLOCKS_ACROSS;
pub(crate) const DOWN: usize = BLOCKS_DOWN - 1;
pub(crate) const BLOCKS: usize = ACROSS * DOWN;
/// Fine cells to the side of a block.
pub(crate) const CELLS: usize = 5;
pub(crate) const FINE_ACROSS: usize = BLOCKS_ACROSS * CELLS;
pub(crate) const FINE_DOWN: usize = BLOCKS_DOWN * CELLS - FINE_TOP;
pub(crate) const FINE: usize = FINE_ACROSS * FINE_DOWN;
/// First row of the fine grid in use.
pub(crate) const FINE_TOP: usize = 2 * CELLS;
/// Cells around a cell that make its neighbourhood, each way.
const REACH: usize = 2;
/// Blocks that lie in the part of the fine grid in use: all but the first row of the coarse grid.
pub(crate) const TILES: usize = FINE / (CELLS * CELLS);

/// Block means of both chroma planes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Colours {
    pub u: Vec<f32>,
    pub v: Vec<f32>,
}

/// Block means of one picture.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grids {
    pub fine: Vec<f32>,
    pub y: Vec<f32>,
    pub colours: Colours,
}

impl Grids {
    /// The planes must be sound. `scratch` is reused between calls.
    pub fn of(picture: &Planes<'_>, scratch: &mut Vec<u32>) -> Self {
        let luma = (picture.width, picture.height);
        let chroma = (luma.0.div_ceil(2), luma.1.div_ceil(2));
        let mut cells = vec![0.0; FINE_ACROSS * BLOCKS_DOWN * CELLS];
        block_means(picture.y, luma, (FINE_ACROSS, BLOCKS_DOWN * CELLS), scratch, &mut cells);
        let y = reduced::<CELLS>(&cells[FINE_ACROSS * CELLS..], FINE_ACROSS);
        let mut blocks = |plane: Plane<'_>| {
            let mut means = vec![0.0; ACROSS * BLOCKS_DOWN];
            block_means(plane, chroma, (ACROSS, BLOCKS_DOWN), scratch, &mut means);
            means.split_off(ACROSS)
        };
        let colours = Colours { u: blocks(picture.u), v: blocks(picture.v) };
        Self { y, colours, fine: cells.split_off(FINE_ACROSS * FINE_TOP) }
    }
}

/// Means of `BY` x `BY` cells.
pub(crate) fn reduced<const BY: usize>(cells: &[f32], across: usize) -> Vec<f32> {
    let mut sums = vec![0.0; cells.len() / (BY * BY)];
    for (rows, out) in cells.chunks_exact(across * BY).zip(sums.chunks_exact_mut(across / BY)) {
        for row in rows.chunks_exact(across) {
            for (part, out) in row.as_chunks::<BY>().0.iter().zip(out.iter_mut()) {
                *out += part.iter().sum::<f32>();
            }
        }
    }
    let area = (BY * BY) as f32;
    sums.iter_mut().for_each(|sum| *sum /= area);
    sums
}

/// Means over the `2 * REACH + 1` cells around each cell both ways, fewer at the edges.
pub(crate) fn box_means(cells: &[f32], across: usize) -> Vec<f32> {
    let down = cells.len() / across;
    let mut rows = vec![0.0; cells.len()];
    for (row, out) in cells.chunks_exact(across).zip(rows.chunks_exact_mut(across)) {
        let inner = out.iter_mut().skip(REACH);
        for (near, out) in row.array_windows::<{ 2 * REACH + 1 }>().zip(inner) {
            *out = near.iter().sum::<f32>() / near.len() as f32;
        }
        for x in (0..REACH.min(across)).chain(across.saturating_sub(REACH).max(REACH)..across) {
            let near = &row[x.saturating_sub(REACH)..(x + REACH + 1).min(across)];
            out[x] = near.iter().sum::<f32>() / near.len() as f32;
        }
    }
    let mut means = vec![0.0; cells.len()];
    for (y, out) in means.chunks_exact_mut(across).enumerate() {
        let near = y.saturating_sub(REACH)..(y + REACH + 1).min(down);
        let count = near.len() as f32;
        for y in near {
            for (out, value) in out.iter_mut().zip(&rows[y * across..(y + 1) * across]) {
                *out += value / count;
            }
        }
    }
    means
}

/// Sum of absolute differences, in lanes that are added at the end: in one sum each addition waits for the last.
pub(crate) fn distance(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let (mut sums, mut rest) = ([0.0; LANES], 0.0);
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += (a - b).abs();
        }
    }
    for (a, b) in a_rest.iter().zip(b_rest) {
        rest += (a - b).abs();
    }
    sums.iter().sum::<f32>() + rest
}

pub(crate) fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}

pub(crate) fn deviation(values: &[f32]) -> f32 {
    let mean = mean(values);
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / values.len().max(1) as f32).sqrt()
}

/// The value that a share of `values` does not exceed; 0 of none. Reorders them.
pub(crate) fn quantile(values: &mut [f32], share: f32) -> f32 {
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    let at = (share.clamp(0.0, 1.0) * last as f32).round() as usize;
    *values.select_nth_unstable_by(at, f32::total_cmp).1
}

/// Larger of the steps of luma to the block on the left and to the one above.
pub(crate) fn steps(y: &[f32]) -> Vec<f32> {
    (0..y.len())
        .map(|at| {
            let left = if at % ACROSS > 0 { (y[at] - y[at - 1]).abs() } else { 0.0 };
            let above = if at >= ACROSS { (y[at] - y[at - ACROSS]).abs() } else { 0.0 };
            left.max(above)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(count: usize, seed: u32) -> Vec<f32> {
        (0..count).map(|at| (seed.wrapping_mul(2 * at as u32 + 1) >> 9 & 1023) as f32 / 4.0).collect()
    }

    #[test]
    fn the_coarse_grid_has_the_blocks_of_the_veil_and_the_fine_one_five_cells_to_their_side() {
        let (width, height) = (320, 180);
        let luma = |x: usize, y: usize| (x * 5 + y * 3 + x * y / 7) as u8;
        let (red, blue) = (|x: usize, y: usize| (x + 2 * y) as u8, |x: usize, y: usize| (200 - x / 2 + y) as u8);
        let plane = |across: usize, down: usize, of: &dyn Fn(usize, usize) -> u8| -> Vec<u8> {
            (0..across * down).map(|at| of(at % across, at / across)).collect()
        };
        let (y, u, v) = (plane(width, height, &luma), plane(160, 90, &red), plane(160, 90, &blue));
        let picture = Planes::new((width, height), (&y, width), (&u, 160), (&v, 160)).unwrap();
        let grids = Grids::of(&picture, &mut Vec::new());
        let mean = |side: usize, x: usize, y: usize, of: &dyn Fn(usize, usize) -> u8| {
            let all = (0..side * side).map(|at| f32::from(of(x * side + at % side, y * side + at / side)));
            all.sum::<f32>() / (side * side) as f32
        };
        assert_eq!(
            (grids.y.len(), grids.colours.u.len(), grids.colours.v.len(), grids.fine.len()),
            (32 * 17, 32 * 17, 32 * 17, 160 * 80)
        );
        for at in 0..32 * 17 {
            let (x, y) = (at % 32, at / 32 + 1);
            assert!((grids.y[at] - mean(10, x, y, &luma)).abs() < 0.01, "block {at}");
            assert_eq!((grids.colours.u[at], grids.colours.v[at]), (mean(5, x, y, &red), mean(5, x, y, &blue)));
        }
        for at in (0..160 * 80).step_by(7) {
            assert!((grids.fine[at] - mean(2, at % 160, at / 160 + 10, &luma)).abs() < 0.01, "cell {at}");
        }
        assert_eq!((ACROSS, DOWN, BLOCKS, TILES), (32, 17, 544, 512));
    }

    #[test]
    fn means_deviations_and_shares_of_few_values() {
        let mut values = [4.0, 1.0, 3.0, 2.0, 10.0];
        assert_eq!((mean(&values), mean(&[])), (4.0, 0.0));
        assert_eq!((deviation(&[2.0, 6.0]), deviation(&[1.0, 1.0, 4.0, 4.0]), deviation(&[])), (2.0, 1.5, 0.0));
        let of: Vec<f32> = [0.0, 0.25, 0.6, 0.65, 1.0, 2.0, -1.0].map(|share| quantile(&mut values, share)).to_vec();
        assert_eq!(of, [1.0, 2.0, 3.0, 4.0, 10.0, 10.0, 1.0]);
        assert_eq!((quantile(&mut [], 0.5), quantile(&mut [7.0], 0.9)), (0.0, 7.0));
        assert_eq!(reduced::<2>(&[1.0, 2.0, 5.0, 5.0, 3.0, 6.0, 5.0, 9.0], 4), [3.0, 6.0]);
    }

    #[test]
    fn a_step_is_to_the_left_or_above_whichever_is_larger() {
        let mut y = vec![50.0; 3 * ACROSS];
        y[ACROSS + 4] = 57.0;
        y[2 * ACROSS] = 40.0;
        y[9] = 45.0;
        y[ACROSS - 1] = 58.0;
        let steps = steps(&y);
        let expected = |at: usize| match at {
            9 | 10 | 41 => 5.0,
            // The next row does not go on from it.
            _ if at == ACROSS - 1 || at == 2 * ACROSS - 1 => 8.0,
            _ if at == ACROSS + 4 || at == ACROSS + 5 || at == 2 * ACROSS + 4 => 7.0,
            _ if at == 2 * ACROSS || at == 2 * ACROSS + 1 => 10.0,
            _ => 0.0,
        };
        assert!((0..y.len()).all(|at| steps[at] == expected(at)), "{steps:?}");
    }

    proptest! {
        #[test]
        fn a_neighbourhood_ends_at_the_edges(across in 1usize..12, down in 1usize..9, seed in any::<u32>()) {
            let cells = values(across * down, seed);
            for (at, mean) in box_means(&cells, across).into_iter().enumerate() {
                let (x, y) = (at % across, at / across);
                let near: Vec<f32> = (0..cells.len())
                    .filter(|other| (other % across).abs_diff(x) <= REACH && (other / across).abs_diff(y) <= REACH)
                    .map(|other| cells[other])
                    .collect();
                prop_assert!((mean - near.iter().sum::<f32>() / near.len() as f32).abs() < 0.01);
            }
        }

        #[test]
        fn distance_counts_every_value(count in 0usize..70, seed in any::<u32>()) {
            let (a, b) = (values(count, seed), values(count, seed ^ 0x5555));
            let sum: f32 = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum();
            prop_assert!((distance(&a, &b) - sum).abs() < 0.05);
        }
    }
}

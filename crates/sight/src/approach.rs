//! Whether somebody comes nearer, or the camera does: all of the picture grows. What was remembered of the view is lost then, though
//! nothing came before the camera.
//!
//! A scale both ways, a shift and an exposure are fitted to what changed from one look to the next (least squares over the gradients, as
//! Lucas and Kanade, 1981, do for a shift; then once more, with what does not fit weighing less), and growth that explains the
//! change adds up. A hand that comes nearer grows too, but most of the picture behind it does not.

use crate::grids::{FINE_ACROSS, box_means, distance, mean, reduced};

/// Fine cells to the side of a cell here, and cells across.
const CELLS: usize = 4;
const ACROSS: usize = FINE_ACROSS / CELLS;
/// Growth that is told, as a logarithm: a picture that is larger by a quarter; and by how much more it is told again.
const GROWN: f32 = 0.25;
const MORE: f32 = 0.1;
/// What is left of it from look to look. People who lean in take two seconds, and come half as near again in each.
const LEFT: f32 = 0.98;
/// Mean change from look to look from which there is something to explain, and the share of it that must be; levels of luma.
const CHANGE: f32 = 0.5;
const EXPLAINED: f32 = 0.3;
/// So much that nothing explains is another picture: something came before the camera, or left.
const OTHER: f32 = 5.0;
/// Share of the growth one way that there must be the other way.
const ALIKE: f32 = 0.25;
/// Keeps a picture without structure from having a scale.
const RIDGE: f64 = 0.01;
/// Levels by which a cell may be off without weighing less, besides twice the mean.
const OFF: f32 = 0.3;

/// Scale across and down (logarithms), shift right, shift down (cells), gain, offset (levels).
const UNKNOWNS: usize = 6;
type Row = [f32; UNKNOWNS];

#[derive(Debug, Default)]
pub(crate) struct Approach {
    last: Vec<f32>,
    grown: f32,
    /// How often growth was told, less how often it shrank again.
    nearer: u32,
}

impl Approach {
    /// `fine`: the fine grid of the newest picture. True when the picture has grown by [`GROWN`], each time that it has by [`MORE`]
    /// since, and when it has shrunk by that of what it had grown: what covers half of a picture may look as if all of it shrank.
    pub fn look(&mut self, fine: &[f32]) -> bool {
        let newest = box_means(&reduced::<CELLS>(fine, FINE_ACROSS), ACROSS);
        let last = std::mem::replace(&mut self.last, newest);
        if last.len() != self.last.len() {
            return false;
        }
        self.moved(&Moved::between(&last, &self.last))
    }

    fn moved(&mut self, moved: &Moved) -> bool {
        self.grown *= LEFT;
        if moved.unexplained > OTHER {
            (self.grown, self.nearer) = (0.0, 0);
        } else if moved.change > CHANGE && moved.unexplained < (1.0 - EXPLAINED) * moved.change {
            self.grown += moved.scale;
        }
        if self.nearer == 0 {
            self.grown = self.grown.max(0.0);
        }
        let told = self.grown.abs() > if self.nearer == 0 { GROWN } else { MORE };
        if told {
            self.nearer = if self.grown > 0.0 { self.nearer.saturating_add(1) } else { self.nearer - 1 };
            self.grown = 0.0;
        }
        told
    }
}

/// What became of the picture between two looks. Mean absolute changes, levels of luma.
struct Moved {
    scale: f32,
    change: f32,
    unexplained: f32,
}

impl Moved {
    fn between(last: &[f32], newest: &[f32]) -> Self {
        let change = distance(last, newest) / newest.len().max(1) as f32;
        if change <= CHANGE {
            return Self { scale: 0.0, change, unexplained: change };
        }
        let (rows, changes) = equations(last, newest);
        let even = vec![1.0; rows.len()];
        let first = rests(&rows, &changes, &fitted(&rows, &changes, &even));
        let usual = 2.0 * mean_of(&first) + OFF;
        let weights: Vec<f32> = first.iter().map(|rest| 1.0 / (1.0 + (rest / usual).powi(2))).collect();
        let found = fitted(&rows, &changes, &weights);
        // An edge that moves is growth one way alone.
        let [across, down] = [found[0], found[1]];
        let alike = across * down > 0.0 && across.abs().min(down.abs()) > ALIKE * across.abs().max(down.abs());
        let scale = if alike { (across + down) / 2.0 } else { 0.0 };
        Self { scale, change, unexplained: mean_of(&rests(&rows, &changes, &found)) }
    }
}

fn mean_of(values: &[f32]) -> f32 {
    values.iter().map(|value| value.abs()).sum::<f32>() / values.len().max(1) as f32
}

/// For each inner cell, what it would change by with one of each unknown, and what it did change by.
fn equations(last: &[f32], newest: &[f32]) -> (Vec<Row>, Vec<f32>) {
    let middle: Vec<f32> = last.iter().zip(newest).map(|(last, newest)| (last + newest) / 2.0).collect();
    let (light, down) = (mean(&middle), middle.len() / ACROSS);
    let inner = (1..down.saturating_sub(1)).flat_map(|y| (1..ACROSS - 1).map(move |x| (x, y)));
    inner
        .map(|(x, y)| {
            let at = y * ACROSS + x;
            let right = (middle[at + 1] - middle[at - 1]) / 2.0;
            let below = (middle[at + ACROSS] - middle[at - ACROSS]) / 2.0;
            let from_centre = (x as f32 - (ACROSS - 1) as f32 / 2.0, y as f32 - (down - 1) as f32 / 2.0);
            let grows = (-right * from_centre.0, -below * from_centre.1);
            ([grows.0, grows.1, -right, -below, middle[at] - light, 1.0], newest[at] - last[at])
        })
        .unzip()
}

fn rests(rows: &[Row], changes: &[f32], found: &Row) -> Vec<f32> {
    let explained = |row: &Row| row.iter().zip(found).map(|(of, found)| of * found).sum::<f32>();
    rows.iter().zip(changes).map(|(row, change)| change - explained(row)).collect()
}

/// Weighted least squares by the normal equations.
fn fitted(rows: &[Row], changes: &[f32], weights: &[f32]) -> Row {
    let mut sums = [[0.0; UNKNOWNS + 1]; UNKNOWNS];
    for ((row, change), weight) in rows.iter().zip(changes).zip(weights) {
        for (sums, one) in sums.iter_mut().zip(row) {
            let weighted = weight * one;
            for (sum, other) in sums.iter_mut().zip(row) {
                *sum += f64::from(weighted * other);
            }
            sums[UNKNOWNS] += f64::from(weighted * change);
        }
    }
    for (at, sums) in sums.iter_mut().enumerate() {
        sums[at] += RIDGE;
    }
    solved(sums)
}

/// Elimination after Gauss and Jordan. The ridge keeps what it divides by above 0.
fn solved(mut sums: [[f64; UNKNOWNS + 1]; UNKNOWNS]) -> Row {
    for pivot in 0..UNKNOWNS {
        let by = sums[pivot];
        for (row, sums) in sums.iter_mut().enumerate() {
            let share = if row == pivot { 0.0 } else { sums[pivot] / by[pivot] };
            for (sum, by) in sums.iter_mut().zip(by) {
                *sum -= share * by;
            }
        }
    }
    std::array::from_fn(|at| (sums[at][UNKNOWNS] / sums[at][at]) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grids::FINE_DOWN;

    /// A room with a few soft shapes, magnified about a point right of the middle, brighter by `gain`, with noise of a level.
    fn room(zoom: f32, gain: f32, seed: usize, also: impl Fn(f32, f32) -> Option<f32>) -> Vec<f32> {
        let shapes = [
            (20.0, 15.0, 9.0),
            (70.0, 50.0, 20.0),
            (120.0, 20.0, 14.0),
            (140.0, 65.0, 8.0),
            (40.0, 60.0, 12.0),
            (95.0, 12.0, 6.0),
        ];
        let level = |x: f32, y: f32| {
            let near =
                |(middle, down, wide): &(f32, f32, f32)| (-((x - middle).powi(2) + (y - down).powi(2)) / wide.powi(2)).exp();
            90.0 + 80.0
                * shapes.iter().enumerate().map(|(at, shape)| near(shape) * if at % 2 == 0 { 1.0 } else { -1.0 }).sum::<f32>()
        };
        let cell = |at: usize| {
            let (x, y) = ((at % FINE_ACROSS) as f32, (at / FINE_ACROSS) as f32);
            let noise = ((at * 7919 + seed * 104_729 + at * seed * 31) % 10_007) as f32 / 5003.5 - 1.0;
            let (from_x, from_y) = ((x - 86.0) / zoom + 86.0, (y - 40.0) / zoom + 40.0);
            gain * also(x, y).unwrap_or_else(|| level(from_x, from_y)) + noise
        };
        (0..FINE_ACROSS * FINE_DOWN).map(cell).collect()
    }

    /// At which looks it is told.
    fn told(looks: usize, picture: impl Fn(usize) -> Vec<f32>) -> Vec<usize> {
        let mut approach = Approach::default();
        (0..looks).filter(|&look| approach.look(&picture(look))).collect()
    }

    fn leaning(look: usize) -> f32 {
        1.0 + 1.5 * (std::f32::consts::PI * (look as f32 / 60.0).min(1.0)).sin().powi(2)
    }

    #[test]
    fn who_leans_in_and_back_is_told_in_steps_both_ways() {
        let told = told(90, |look| room(leaning(look), 1.0, look, |_, _| None));
        let (nearer, back): (Vec<usize>, Vec<usize>) = told.iter().partition(|look| **look < 30);
        // By a logarithm of 0.92, of which the first quarter is told late.
        assert!((5..=8).contains(&nearer.len()) && (5..=8).contains(&back.len()), "{told:?}");
    }

    #[test]
    fn exposure_noise_and_shaking_are_none() {
        assert_eq!(told(90, |look| room(1.0, 1.0, look, |_, _| None)), []);
        assert_eq!(told(90, |look| room(1.0, 1.0 + 0.3 * (look as f32 / 9.0).sin(), look, |_, _| None)), []);
        assert_eq!(told(90, |look| room(1.0 + 0.05 * (look as f32 * 1.7).sin(), 1.0, look, |_, _| None)), []);
    }

    #[test]
    fn neither_who_goes_back_nor_what_comes_before_the_camera_is_told() {
        assert_eq!(told(45, |look| room(2.5 - 0.03 * look as f32, 1.0, look, |_, _| None)), []);
        let slides = |look: usize| move |x: f32, _: f32| (x < 6.0 * look as f32 - 100.0).then_some(40.0);
        assert_eq!(told(60, |look| room(1.0, 1.0, look, slides(look))), []);
        // A palm that comes nearer, until it is before a third of the picture. (Before most of it, it is the picture that grows; then
        // there is little to see, whatever is remembered.)
        let palm = |look: usize| {
            let reach = 6.0 + 0.5 * look as f32;
            move |x: f32, y: f32| ((x - 80.0).powi(2) + (1.4 * (y - 40.0)).powi(2) < reach * reach).then_some(60.0 + 0.2 * x)
        };
        assert_eq!(told(80, |look| room(1.0, 1.0, look, palm(look))), []);
    }

    fn grows(scale: f32, change: f32, unexplained: f32) -> Moved {
        Moved { scale, change, unexplained }
    }

    #[test]
    fn growth_adds_up_where_it_explains_the_change_and_is_forgotten_where_another_picture_comes() {
        let after = |before: usize, between: &[Moved]| {
            let mut approach = Approach::default();
            assert!((0..before).all(|_| !approach.moved(&grows(0.04, 2.0, 0.5))));
            assert!(between.iter().all(|moved| !approach.moved(moved)));
            (1..40).find(|_| approach.moved(&grows(0.04, 2.0, 0.5)))
        };
        assert_eq!(after(0, &[]), Some(7));
        assert_eq!(after(4, &[]), Some(3));
        assert_eq!(after(4, &[grows(0.3, 2.0, 1.41)]), Some(3), "explains too little");
        assert_eq!(after(4, &[grows(0.3, 0.49, 0.0)]), Some(3), "nothing to explain");
        assert_eq!(after(4, &[grows(0.0, 9.0, 5.1)]), Some(7), "another picture");
        assert_eq!(after(4, &[grows(-0.5, 2.0, 0.5)]), Some(7), "no debt");
    }

    #[test]
    fn only_what_has_grown_shrinks() {
        let mut approach = Approach::default();
        let mut all = |scale: f32, unexplained: f32| (0..20).filter(|_| approach.moved(&grows(scale, 20.0, unexplained))).count();
        assert_eq!(all(-0.06, 1.0), 0);
        // After five looks, and then every other one.
        assert_eq!(all(0.06, 1.0), 8);
        assert_eq!(all(-0.06, 1.0), 8);
        assert_eq!(all(-0.06, 1.0), 0, "as often as it grew");
        assert_eq!((all(0.06, 1.0), all(0.0, 5.1), all(-0.06, 1.0)), (8, 0, 0), "another picture");
    }

    #[test]
    fn what_is_fitted_is_found() {
        let (before, after) = (room(1.0, 1.0, 1, |_, _| None), room(1.06, 1.1, 2, |_, _| None));
        let [last, newest] = [before, after].map(|fine| box_means(&reduced::<CELLS>(&fine, FINE_ACROSS), ACROSS));
        let moved = Moved::between(&last, &newest);
        assert!((moved.scale - 1.06_f32.ln()).abs() < 0.01, "{}", moved.scale);
        assert!(moved.unexplained < 0.15 * moved.change, "{} of {}", moved.unexplained, moved.change);
        let flat = vec![80.0; last.len()];
        assert_eq!((Moved::between(&flat, &flat).scale, Moved::between(&flat, &flat).change), (0.0, 0.0));
    }
}

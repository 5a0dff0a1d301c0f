//! A still picture before a sensor (a photo held up, a screen that stands still): its noise moves, and nothing else does. Whoever
//! sits still breathes and blinks.
//!
//! The noise is averaged away over half a second, and the newest average is held against six before it, cell by cell: of a photo
//! hardly a cell is another. Of 288 clips no open camera with somebody before it had less than a hundredth of its cells off by 3.7
//! levels for that long; photos and frozen pictures at 150 to 890 kbit/s have 0.4 to 1.6 from then on.

use crate::grids::{FINE_ACROSS, mean, reduced};
use std::collections::VecDeque;
use std::time::Duration;

/// How long is averaged, at least, and over how many looks.
const SPAN: Duration = Duration::from_millis(500);
const LOOKS: u32 = 4;
/// Averages before the newest.
const SPANS: usize = 6;
/// Fine cells to the side of a cell here.
const CELLS: usize = 2;
/// Levels by which a cell is another, once the change of the whole picture's light is taken out, and the share of cells that may be.
const OTHER: f32 = 1.75;
const FEW: f32 = 0.01;
/// A mosaic of somebody who sits still has few blocks that change, and of a photo some go to and fro by a step with the noise: behind
/// one nothing is told, but what was told stands while no more than so many of its cells are another.
const FEW_VEILED: f32 = 0.06;

#[derive(Debug, Default)]
pub(crate) struct Photo {
    sum: Vec<f32>,
    looks: u32,
    since: Option<Duration>,
    /// Newest first.
    averages: VecDeque<Vec<f32>>,
    told: bool,
    mosaic: bool,
}

impl Photo {
    /// `fine`: the fine grid of the newest picture. Whether nothing moved in the last averages.
    pub fn look(&mut self, fine: &[f32], mosaic: bool, now: Duration) -> bool {
        if mosaic != self.mosaic {
            *self = Self { told: self.told, mosaic, ..Self::default() };
        }
        let cells = reduced::<CELLS>(fine, FINE_ACROSS);
        if self.sum.len() != cells.len() {
            self.sum = vec![0.0; cells.len()];
        }
        self.sum.iter_mut().zip(&cells).for_each(|(sum, cell)| *sum += cell);
        self.looks += 1;
        let since = *self.since.get_or_insert(now);
        if now.saturating_sub(since) < SPAN || self.looks < LOOKS {
            return self.told;
        }
        let looks = std::mem::take(&mut self.looks) as f32;
        let newest: Vec<f32> = std::mem::take(&mut self.sum).into_iter().map(|sum| sum / looks).collect();
        self.since = Some(now);
        let few = if mosaic { FEW_VEILED } else { FEW };
        let same = self.averages.iter().all(|before| others(&newest, before) <= few);
        self.told = same && (self.told || (self.averages.len() == SPANS && !mosaic));
        self.averages.push_front(newest);
        self.averages.truncate(SPANS);
        self.told
    }
}

/// Share of cells that are another.
fn others(newest: &[f32], before: &[f32]) -> f32 {
    let light = mean(newest) - mean(before);
    let others = newest.iter().zip(before).filter(|(newest, before)| (*newest - *before - light).abs() > OTHER).count();
    others as f32 / newest.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grids::FINE;

    /// Looks 67 ms apart; each cell with noise of up to `noise` levels, of a room in which `shown` says what else is there.
    struct Camera {
        photo: Photo,
        looks: u64,
        noise: f32,
    }

    impl Camera {
        fn new(noise: f32) -> Self {
            Self { photo: Photo::default(), looks: 0, noise }
        }

        fn look(&mut self, light: f32, shown: impl Fn(usize) -> f32) -> bool {
            self.looks += 1;
            let look = self.looks;
            let noise = |cell: usize| {
                let mixed = (cell as u64 ^ (look << 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40;
                mixed as f32 / (1 << 23) as f32 - 1.0
            };
            let level = |cell: usize| (cell % FINE_ACROSS) as f32 + light + shown(cell) + self.noise * noise(cell);
            let fine: Vec<f32> = (0..FINE).map(level).collect();
            self.photo.look(&fine, false, Duration::from_micros(66_667 * self.looks))
        }

        /// Looks until it is told, or until it is not any more.
        fn until(&mut self, told: bool, shown: impl Fn(usize) -> f32) -> Option<usize> {
            (1..200).find(|_| self.look(0.0, &shown) == told)
        }
    }

    #[test]
    fn a_picture_of_which_only_the_noise_moves_is_told_after_seven_averages_and_no_longer_than_it_stands_still() {
        for noise in [0.0, 1.0, 3.0] {
            let mut camera = Camera::new(noise);
            // Eight looks to an average, from the first look on; the next ones begin with the look that ended the last.
            let told = camera.until(true, |_| 0.0);
            assert!(told.is_some_and(|told| (54..=58).contains(&told)), "{told:?} with noise of {noise}");
            assert!((0..100).all(|_| camera.look(0.0, |_| 0.0)));
            let over = camera.until(false, |cell| if cell % 20 == 0 { 90.0 } else { 0.0 });
            assert!(over.is_some_and(|over| over <= 8), "{over:?}");
        }
    }

    /// A few cells: the eyes of somebody who blinks now and then are more.
    #[test]
    fn a_hundredth_of_the_cells_may_be_another_and_light_is_no_movement() {
        let moving = |share: usize, looks: u64| {
            move |cell: usize| {
                let at = cell / FINE_ACROSS / CELLS * (FINE_ACROSS / CELLS) + cell % FINE_ACROSS / CELLS;
                if at % 1000 < share && (looks / 8).is_multiple_of(2) { 9.0 } else { 0.0 }
            }
        };
        for (share, expected) in [(7, true), (12, false)] {
            let mut camera = Camera::new(1.0);
            let told = (0..90).filter(|_| camera.look(0.0, moving(share, camera.looks))).count() > 0;
            assert_eq!(told, expected, "{share} of a thousand");
        }
        let mut camera = Camera::new(1.0);
        assert!((0..90).any(|look| camera.look(look as f32 / 5.0, |_| 0.0)), "under light that grows");
    }

    #[test]
    fn a_movement_by_a_little_more_than_noise_is_none_and_by_more_is_one() {
        for (by, expected) in [(1.5, true), (2.0, false)] {
            let mut camera = Camera::new(0.2);
            let told = (0..64).any(|look| {
                let moved = if look >= 50 { by / 0.75 } else { 0.0 };
                camera.look(0.0, |cell| if cell % FINE_ACROSS < 40 { moved } else { 0.0 })
            });
            assert_eq!(told, expected, "{by}");
        }
    }

    #[test]
    fn few_looks_are_no_average() {
        let (mut photo, fine) = (Photo::default(), vec![80.0; FINE]);
        let told = (0..100).find(|&look| photo.look(&fine, false, Duration::from_millis(400 * look)));
        assert_eq!(told, Some(6 * 4 + 3), "four looks to an average, though each is slow");
    }
}

//! The veil: a mosaic of at most 32 x 18 blocks, made in place before a picture is encoded.
//!
//! A block is its mean, rounded to a coarse step, so that neither the averaging of pictures of somebody who sits still nor a
//! codec's residual brings a face back. What it does not take away: who moves is sampled at other places of the grid by each
//! picture, and a patient program that knows the movement can add them up. Simulated with 20 s of a swaying head and the movement
//! known exactly, what was recovered of the detail inside the blocks correlates with the truth by 0.92 without rounding, 0.83
//! with steps of 8, 0.77 of 16, 0.81 when blocks change twice a second only or with hysteresis, and still 0.68 with steps of 32
//! once a second; one picture alone gives 0.44. Coarser steps and a slower mosaic thus cost the detector what it needs (a covered
//! lens within 0.2 s, a still person who is no frozen picture) and gain little: neither is done. Block edges lie at whole eighteenths and thirty-seconds of
//! the picture, where a frame number burnt into the top eighteenth of a synthetic picture has its cells.

use crate::planes::{PlanesMut, part, sum_rows};

pub const BLOCKS_ACROSS: usize = 32;
pub const BLOCKS_DOWN: usize = 18;

/// Steps between the values that a veiled block can take.
pub const LUMA_STEP: u32 = 8;
pub const CHROMA_STEP: u32 = 4;
/// Step of luma in the shadows, up to [`SHADOW_END`]: a room with its lights off has only a few levels, and with coarser
/// steps it could not be told from a covered lens.
pub const SHADOW_STEP: u32 = 4;
pub const SHADOW_END: u32 = 48;

/// Replaces the picture by the rounded means of at most 32 x 18 blocks, in place, whatever its size.
///
/// Buffers that do not hold the picture that was said are blanked altogether: a caller's mistake must not show anybody.
pub fn veil(picture: &mut PlanesMut<'_>) {
    if picture.check().is_err() {
        picture.y.0.fill(16);
        picture.u.0.fill(128);
        picture.v.0.fill(128);
        return;
    }
    let luma = (picture.width, picture.height);
    let chroma = (luma.0.div_ceil(2), luma.1.div_ceil(2));
    let mut columns = vec![0; luma.0];
    let mut row = vec![0; luma.0];
    veil_plane((&mut *picture.y.0, picture.y.1), luma, rounded_luma, &mut columns, &mut row);
    veil_plane((&mut *picture.u.0, picture.u.1), chroma, rounded_chroma, &mut columns, &mut row);
    veil_plane((&mut *picture.v.0, picture.v.1), chroma, rounded_chroma, &mut columns, &mut row);
}

fn veil_plane(
    (data, stride): (&mut [u8], usize),
    (width, height): (usize, usize),
    rounded: fn(u32) -> u8,
    columns: &mut [u32],
    row: &mut [u8],
) {
    let (columns, row) = (&mut columns[..width], &mut row[..width]);
    let (across, down) = (BLOCKS_ACROSS.min(width), BLOCKS_DOWN.min(height));
    for at_row in 0..down {
        let rows = part(at_row, down, height);
        sum_rows(rows.clone().map(|y| &data[y * stride..y * stride + width]), columns);
        for at in 0..across {
            let block = part(at, across, width);
            let area = (block.len() * rows.len()) as u32;
            let mean = (columns[block.clone()].iter().sum::<u32>() + area / 2) / area;
            row[block].fill(rounded(mean));
        }
        for y in rows {
            data[y * stride..y * stride + width].copy_from_slice(row);
        }
    }
}

fn rounded_luma(mean: u32) -> u8 {
    rounded(mean, if mean < SHADOW_END { SHADOW_STEP } else { LUMA_STEP })
}

fn rounded_chroma(mean: u32) -> u8 {
    rounded(mean, CHROMA_STEP)
}

/// Nearest multiple of `step` that is a sample of limited range.
fn rounded(mean: u32, step: u32) -> u8 {
    ((mean + step / 2) / step * step).clamp(16, 240) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planes::Planes;
    use proptest::prelude::*;
    use std::collections::HashSet;

    struct Picture {
        size: (usize, usize),
        stride: (usize, usize),
        y: Vec<u8>,
        u: Vec<u8>,
        v: Vec<u8>,
    }

    impl Picture {
        fn new(size: (usize, usize), padding: usize, luma: impl Fn(usize, usize) -> u8) -> Self {
            let chroma = (size.0.div_ceil(2), size.1.div_ceil(2));
            let stride = (size.0 + padding, chroma.0 + padding);
            let y = (0..stride.0 * size.1).map(|at| luma(at % stride.0, at / stride.0)).collect();
            let u = (0..stride.1 * chroma.1).map(|at| luma(at / 3 % size.0, at) / 2 + 60).collect();
            let v = (0..stride.1 * chroma.1).map(|at| luma(at % size.0, at / 5) / 2 + 60).collect();
            Self { size, stride, y, u, v }
        }

        fn veil(&mut self) {
            let (y, u, v) = (&mut self.y[..], &mut self.u[..], &mut self.v[..]);
            let mut planes = PlanesMut::new(self.size, (y, self.stride.0), (u, self.stride.1), (v, self.stride.1)).unwrap();
            veil(&mut planes);
        }

        fn luma(&self, x: usize, y: usize) -> u8 {
            self.y[y * self.stride.0 + x]
        }
    }

    fn noise(x: usize, y: usize) -> u8 {
        ((x * 7919 + y * 104_729 + x * y * 31) % 220 + 16) as u8
    }

    proptest! {
        #[test]
        fn a_block_has_one_value_and_there_are_at_most_576(width in 1usize..300, height in 1usize..200, padding in 0usize..9) {
            let mut picture = Picture::new((width, height), padding, noise);
            let before = Picture::new((width, height), padding, noise);
            picture.veil();
            let (across, down) = (BLOCKS_ACROSS.min(width), BLOCKS_DOWN.min(height));
            for block in 0..across * down {
                let (columns, rows) = (part(block % across, across, width), part(block / across, down, height));
                let values: HashSet<_> = rows.clone().flat_map(|y| columns.clone().map(move |x| (x, y)))
                    .map(|(x, y)| picture.luma(x, y)).collect();
                prop_assert_eq!(values.len(), 1);
                let sum: u32 = rows.clone().flat_map(|y| columns.clone().map(move |x| (x, y)))
                    .map(|(x, y)| u32::from(before.luma(x, y))).sum();
                let mean = sum as f32 / (rows.len() * columns.len()) as f32;
                let value = f32::from(*values.iter().next().unwrap());
                prop_assert_eq!(value % SHADOW_STEP as f32, 0.0);
                prop_assert!(value <= SHADOW_END as f32 || value % LUMA_STEP as f32 == 0.0);
                // Halves are rounded up, of the mean and of the step.
                let half = LUMA_STEP as f32 / 2.0;
                prop_assert!(value - mean <= half + 0.51 && mean - value <= half - 0.49, "{value} for {mean}");
            }
            // Padding between rows belongs to the owner of the buffer.
            for y in 0..height {
                for x in width..width + padding {
                    prop_assert_eq!(picture.luma(x, y), before.luma(x, y));
                }
            }
        }
    }

    #[test]
    fn shadows_and_colours_have_finer_steps() {
        let veiled = |luma: u8, (u, v): (u8, u8)| {
            let mut picture = Picture::new((100, 60), 0, move |_, _| luma);
            picture.u.fill(u);
            picture.v.fill(v);
            picture.veil();
            for plane in [&picture.y, &picture.u, &picture.v] {
                assert!(plane.iter().all(|sample| *sample == plane[0]));
            }
            (picture.y[0], picture.u[0], picture.v[0])
        };
        assert_eq!(veiled(20, (101, 150)), (20, 100, 152));
        assert_eq!(veiled(44, (16, 240)), (44, 16, 240));
        assert_eq!(veiled(52, (90, 89)), (56, 92, 88));
    }

    #[test]
    fn pictures_that_differ_inside_blocks_only_become_the_same() {
        let checks =
            |step: usize| Picture::new((640, 360), 0, move |x, y| if (x / step + y / step).is_multiple_of(2) { 60 } else { 180 });
        let (mut fine, mut coarse) = (checks(1), checks(2));
        assert_ne!(fine.y, coarse.y);
        fine.veil();
        coarse.veil();
        assert_eq!(fine.y, coarse.y);
    }

    #[test]
    fn a_frame_number_in_the_top_eighteenth_stays_readable() {
        for (width, height) in [(320, 180), (640, 360), (1280, 720), (426, 240), (854, 480), (500, 281)] {
            let bits = 0b1011_0010_0110_0101u32;
            let white = move |x: usize| bits >> (x * 16 / width) & 1 == 1;
            let mut picture = Picture::new((width, height), 0, move |x, y| match (y < height / 18, white(x)) {
                (true, true) => 200,
                (true, false) => 40,
                (false, _) => noise(x, y),
            });
            picture.veil();
            for cell in 0..16 {
                let value = picture.luma((2 * cell + 1) * width / 32, height / 36);
                let expected = bits >> cell & 1 == 1;
                assert!(if expected { value > 150 } else { value < 90 }, "{width}x{height} cell {cell}: {value}");
            }
        }
    }

    #[test]
    fn buffers_too_small_for_the_picture_are_blanked() {
        let (mut y, mut u, mut v) = (vec![99u8; 640 * 300], vec![99u8; 320 * 180], vec![99u8; 320 * 180]);
        veil(&mut PlanesMut { width: 640, height: 360, y: (&mut y, 640), u: (&mut u, 320), v: (&mut v, 320) });
        assert!(y.iter().all(|&sample| sample == 16));
        assert!(u.iter().chain(&v).all(|&sample| sample == 128));
        assert!(Planes::new((640, 360), (&y, 640), (&u, 320), (&v, 320)).is_err());
    }
}

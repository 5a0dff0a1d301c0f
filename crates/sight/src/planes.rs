//! Borrowed views of a planar 4:2:0 picture (I420, BT.601 limited range), the only shape in which this crate sees pixels,
//! and the block means that both the veil and the detector are made of.
//!
//! The fields are public so that any buffer can be lent; nothing here panics on dimensions that do not fit the buffers.
//! [`Planes::is_sound`] tells, the detector ignores an unsound picture, and the veil blanks it.

/// Largest width and height that are looked at, samples. Keeps the sums of a block within 32 bits.
pub const MAX_SIDE: usize = 8192;

/// The buffers do not hold a picture of the size that was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanesError {
    #[error("a picture of {width} x {height} samples, 1 to {MAX_SIDE} each way are possible")]
    Size { width: usize, height: usize },
    #[error("a {plane} plane of {width} x {height} samples with a stride of {stride} does not fit {len} bytes")]
    Plane { plane: char, width: usize, height: usize, stride: usize, len: usize },
}

/// One plane: rows of samples, `stride` apart. The last row may end with its last sample.
#[derive(Clone, Copy)]
pub struct Plane<'a> {
    pub data: &'a [u8],
    pub stride: usize,
}

/// A picture to look at. Chroma planes are half as wide and high, rounded up.
#[derive(Clone, Copy)]
pub struct Planes<'a> {
    pub width: usize,
    pub height: usize,
    pub y: Plane<'a>,
    pub u: Plane<'a>,
    pub v: Plane<'a>,
}

/// A picture to write on. Each plane with its stride.
pub struct PlanesMut<'a> {
    pub width: usize,
    pub height: usize,
    pub y: (&'a mut [u8], usize),
    pub u: (&'a mut [u8], usize),
    pub v: (&'a mut [u8], usize),
}

fn check_plane(plane: char, (width, height): (usize, usize), stride: usize, len: usize) -> Result<(), PlanesError> {
    let needed = stride.checked_mul(height.saturating_sub(1)).and_then(|rows| rows.checked_add(width));
    match needed {
        Some(needed) if stride >= width && needed <= len => Ok(()),
        _ => Err(PlanesError::Plane { plane, width, height, stride, len }),
    }
}

fn check(width: usize, height: usize, planes: [(char, usize, usize); 3]) -> Result<(), PlanesError> {
    if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
        return Err(PlanesError::Size { width, height });
    }
    let chroma = (width.div_ceil(2), height.div_ceil(2));
    for (plane, stride, len) in planes {
        check_plane(plane, if plane == 'Y' { (width, height) } else { chroma }, stride, len)?;
    }
    Ok(())
}

impl<'a> Planes<'a> {
    /// The same as the literal, checked. Each plane with its stride.
    pub fn new(
        (width, height): (usize, usize),
        y: (&'a [u8], usize),
        u: (&'a [u8], usize),
        v: (&'a [u8], usize),
    ) -> Result<Self, PlanesError> {
        let plane = |(data, stride): (&'a [u8], usize)| Plane { data, stride };
        let planes = Self { width, height, y: plane(y), u: plane(u), v: plane(v) };
        planes.check().map(|()| planes)
    }

    /// Whether the buffers hold the picture that `width` and `height` promise, and if not, why.
    pub fn check(&self) -> Result<(), PlanesError> {
        let of = |name, plane: &Plane<'_>| (name, plane.stride, plane.data.len());
        check(self.width, self.height, [of('Y', &self.y), of('U', &self.u), of('V', &self.v)])
    }

    pub fn is_sound(&self) -> bool {
        self.check().is_ok()
    }
}

impl<'a> PlanesMut<'a> {
    /// The same as the literal, checked. Each plane with its stride.
    pub fn new(
        (width, height): (usize, usize),
        y: (&'a mut [u8], usize),
        u: (&'a mut [u8], usize),
        v: (&'a mut [u8], usize),
    ) -> Result<Self, PlanesError> {
        let planes = Self { width, height, y, u, v };
        planes.check().map(|()| planes)
    }

    /// Whether the buffers hold the picture that `width` and `height` promise, and if not, why.
    pub fn check(&self) -> Result<(), PlanesError> {
        let of = |name, plane: &(&'a mut [u8], usize)| (name, plane.1, plane.0.len());
        check(self.width, self.height, [of('Y', &self.y), of('U', &self.u), of('V', &self.v)])
    }
}

/// Samples `at` of `count` equal parts of `side` samples: neighbours meet without a gap, and a part is never empty (a side of
/// fewer samples than parts gives some samples to several parts).
pub(crate) fn part(at: usize, count: usize, side: usize) -> std::ops::Range<usize> {
    let start = at * side / count;
    let end = (at + 1) * side / count;
    let start = start.min(side.saturating_sub(1));
    start..end.max(start + 1).min(side)
}

/// Sums samples column by column over some rows, then over the columns of each block. `columns` is scratch of `width` sums.
///
/// Adding whole rows first keeps the inner loop free of block edges, so it runs at the speed of memory.
pub(crate) fn sum_rows<'a>(rows: impl Iterator<Item = &'a [u8]>, columns: &mut [u32]) {
    columns.fill(0);
    for row in rows {
        for (sum, &sample) in columns.iter_mut().zip(row) {
            *sum += u32::from(sample);
        }
    }
}

/// Means of `across` x `down` blocks, row by row into `means`. The plane must have been checked.
pub(crate) fn block_means(
    plane: Plane<'_>,
    (width, height): (usize, usize),
    (across, down): (usize, usize),
    scratch: &mut Vec<u32>,
    means: &mut [f32],
) {
    scratch.resize(width, 0);
    // Once for all rows: two divisions for each block cost more than its samples.
    let blocks: Vec<_> = (0..across).map(|at| part(at, across, width)).collect();
    for (at_row, row) in means.chunks_exact_mut(across).enumerate().take(down) {
        let rows = part(at_row, down, height);
        let tall = rows.len();
        sum_rows(rows.map(|y| &plane.data[y * plane.stride..y * plane.stride + width]), scratch);
        match (width % across, width / across) {
            (0, 2) => even_means::<2>(scratch, tall, row),
            (0, 4) => even_means::<4>(scratch, tall, row),
            (0, 8) => even_means::<8>(scratch, tall, row),
            _ => {
                for (mean, columns) in row.iter_mut().zip(&blocks) {
                    let area = (columns.len() * tall) as f32;
                    *mean = scratch[columns.clone()].iter().sum::<u32>() as f32 / area;
                }
            }
        }
    }
}

/// Means of blocks that are all `WIDE` columns wide: the usual sizes, with a length that the compiler knows.
fn even_means<const WIDE: usize>(columns: &[u32], tall: usize, row: &mut [f32]) {
    let area = (WIDE * tall) as f32;
    for (mean, block) in row.iter_mut().zip(columns.as_chunks::<WIDE>().0) {
        *mean = block.iter().sum::<u32>() as f32 / area;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_side_has_its_bounds_and_what_is_written_on_is_checked_too() {
        let data = [0; 64];
        let of = |size| Planes::new(size, (&data, 8), (&data, 8), (&data, 8)).map(|_| ());
        assert_eq!([of((8, 8)), of((1, 1))], [Ok(()), Ok(())]);
        for (width, height) in [(0, 4), (4, 0), (0, 0), (MAX_SIDE + 1, 1), (1, MAX_SIDE + 1)] {
            assert_eq!(of((width, height)), Err(PlanesError::Size { width, height }));
        }
        let (mut y, mut u, mut v) = ([0; 64], [0; 16], [0; 16]);
        assert!(PlanesMut::new((8, 8), (&mut y, 8), (&mut u, 4), (&mut v, 4)).is_ok());
        let short = PlanesMut::new((8, 8), (&mut y, 8), (&mut u, 4), (&mut v[1..], 4)).map(|_| ());
        assert_eq!(short, Err(PlanesError::Plane { plane: 'V', width: 4, height: 4, stride: 4, len: 15 }));
    }

    proptest! {
        #[test]
        fn any_size_stride_and_length_is_judged_without_a_panic(
            width in prop_oneof![0usize..70, Just(usize::MAX)],
            height in prop_oneof![0usize..70, Just(usize::MAX)],
            stride in prop_oneof![0usize..80, Just(usize::MAX)],
            len in 0usize..6000,
        ) {
            let data = vec![7u8; len];
            let fits = width >= 1 && height >= 1 && width <= MAX_SIDE && height <= MAX_SIDE && stride >= width
                && (height - 1).checked_mul(stride).and_then(|rows| rows.checked_add(width)).is_some_and(|end| end <= len);
            let plane = (data.as_slice(), stride);
            let result = Planes::new((width, height), plane, plane, plane);
            prop_assert_eq!(result.is_ok(), fits);
            if let Ok(planes) = result {
                let mut means = vec![0.0; 32 * 18];
                block_means(planes.y, (width, height), (32, 18), &mut Vec::new(), &mut means);
                prop_assert!(means.iter().all(|&mean| mean == 7.0));
            }
        }

        #[test]
        fn means_of_blocks_are_those_of_their_samples(wide in 1usize..10, more in 0usize..3, height in 1usize..40, seed in any::<u32>()) {
            let (across, down) = (16, 9);
            let width = across * wide + more;
            let sample = |at: usize| (seed.wrapping_mul(2 * at as u32 + 1) >> 11) as u8;
            let data: Vec<u8> = (0..width * height).map(sample).collect();
            let mut means = vec![0.0; across * down];
            block_means(Plane { data: &data, stride: width }, (width, height), (across, down), &mut Vec::new(), &mut means);
            for (block, &mean) in means.iter().enumerate() {
                let (columns, rows) = (part(block % across, across, width), part(block / across, down, height));
                let sum: u32 = rows.clone().flat_map(|y| columns.clone().map(move |x| (x, y)))
                    .map(|(x, y)| u32::from(data[y * width + x])).sum();
                prop_assert_eq!(mean, sum as f32 / (columns.len() * rows.len()) as f32);
            }
        }

        #[test]
        fn parts_cover_the_side_in_order(count in 1usize..90, side in 1usize..2000) {
            let parts: Vec<_> = (0..count).map(|at| part(at, count, side)).collect();
            prop_assert_eq!(parts[0].start, 0);
            prop_assert_eq!(parts[count - 1].end, side);
            for pair in parts.windows(2) {
                prop_assert!(pair[0].start < pair[0].end && pair[1].start <= pair[0].end);
                prop_assert!(side < count || pair[1].start == pair[0].end);
            }
        }
    }
}

//! The machine-readable frame number burnt into synthetic pictures, so that a test can tell which picture it sees after
//! scaling, coding and drawing.
//!
//! A strip at the very top, 1/18 of the height, holds 16 cells side by side of flat grey (Y 200 for 1, Y 40 for 0, no colour):
//!
//! | cell | holds |
//! |---|---|
//! | 0, 1 | the references: always 1, always 0 |
//! | 2-11 | Gray code `g = n ^ (n >> 1)` of the number, highest bit first |
//! | 12-15 | `(g ^ g >> 4 ^ g >> 8 ^ 5) & 15`, highest bit first |
//!
//! In Gray code one data cell changes from picture to picture, so the strip costs an encoder little. Every size is relative to
//! the picture's own, so the strip survives scaling.

use crate::Frame;

/// Numbers are 0..1024 and start again.
pub const NUMBERS: u32 = 1024;
const CELLS: usize = 16;
const WHITE: u8 = 200;
const BLACK: u8 = 40;
/// References closer together than this are not a strip.
const MIN_CONTRAST: f32 = 60.0;

/// Rows that the strip takes.
pub fn strip_height(height: usize) -> usize {
    height / 18
}

fn check(gray: u32) -> u32 {
    (gray ^ gray >> 4 ^ gray >> 8 ^ 5) & 15
}

fn cells(number: u32) -> [bool; CELLS] {
    let number = number % NUMBERS;
    let gray = number ^ number >> 1;
    let bits = 1 << 15 | gray << 4 | check(gray);
    std::array::from_fn(|cell| bits >> (15 - cell) & 1 == 1)
}

/// Draws `number` (modulo 1024) into the top rows.
pub fn burn(frame: &mut Frame, number: u32) {
    let (width, rows) = (frame.width, strip_height(frame.height));
    let edges: [usize; CELLS + 1] = std::array::from_fn(|cell| (width * cell / CELLS) & !1);
    let bits = cells(number);
    let (columns, _) = frame.chroma_size();
    let (y, u, v) = frame.planes_mut();
    for row in y.chunks_exact_mut(width).take(rows) {
        for (bit, edge) in bits.iter().zip(edges.windows(2)) {
            row[edge[0]..edge[1]].fill(if *bit { WHITE } else { BLACK });
        }
    }
    let chroma = rows.div_ceil(2) * columns;
    u[..chroma].fill(128);
    v[..chroma].fill(128);
}

/// The number in a picture, if there is one that can be read beyond doubt.
pub fn read(frame: &Frame) -> Option<u32> {
    read_luma(frame.y(), frame.width, frame.height)
}

/// The same from a bare luma plane whose rows have no padding.
pub fn read_luma(luma: &[u8], width: usize, height: usize) -> Option<u32> {
    if width < CELLS || height < 18 || luma.len() < width * height {
        return None;
    }
    let (strip, cell) = (height as f32 / 18.0, width as f32 / CELLS as f32);
    let first = (strip / 4.0) as usize;
    let last = ((strip * 3.0 / 4.0) as usize).max(first + 1);
    let means: [f32; CELLS] = std::array::from_fn(|index| {
        let from = (cell * index as f32 + cell / 4.0) as usize;
        let to = ((cell * index as f32 + cell * 3.0 / 4.0) as usize).max(from + 1);
        let sum: u32 =
            luma.chunks_exact(width).take(last).skip(first).flat_map(|row| &row[from..to]).map(|&y| u32::from(y)).sum();
        sum as f32 / ((last - first) * (to - from)) as f32
    });
    let contrast = means[0] - means[1];
    let middle = f32::midpoint(means[0], means[1]);
    if contrast < MIN_CONTRAST || means.iter().any(|mean| (mean - middle).abs() < contrast * 0.1) {
        return None;
    }
    let bits = means.iter().fold(0u32, |bits, &mean| bits << 1 | u32::from(mean > middle));
    let gray = bits >> 4 & (NUMBERS - 1);
    if bits & 15 != check(gray) {
        return None;
    }
    Some([1, 2, 4, 8].iter().fold(gray, |number, shift| number ^ number >> shift))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FramePool;
    use crate::scale::scale_i420;
    use std::time::Duration;

    fn grey(width: usize, height: usize, pool: &FramePool) -> Frame {
        let mut frame = pool.frame(width, height, Duration::ZERO).unwrap();
        frame.as_bytes_mut().fill(110);
        frame
    }

    #[test]
    fn every_number_is_read_back() {
        let pool = FramePool::new(1);
        let mut frame = grey(320, 180, &pool);
        assert_eq!(read(&frame), None);
        for number in 0..NUMBERS {
            burn(&mut frame, number);
            assert_eq!(read(&frame), Some(number));
        }
        burn(&mut frame, NUMBERS + 7);
        assert_eq!(read(&frame), Some(7));
    }

    /// Worked out by hand from the table above: 5 is 0000000111 in Gray code, its check (7 ^ 0 ^ 0 ^ 5) is 2.
    #[test]
    fn the_cells_are_those_of_the_definition() {
        let text: String = cells(5).iter().map(|&bit| if bit { '1' } else { '0' }).collect();
        assert_eq!(text, "1000000001110010");
    }

    #[test]
    fn neighbours_differ_in_one_data_cell() {
        for number in 0..NUMBERS {
            let (one, other) = (cells(number), cells((number + 1) % NUMBERS));
            let changed = (2..12).filter(|&cell| one[cell] != other[cell]).count();
            assert_eq!(changed, 1, "{number}");
        }
    }

    #[test]
    fn scaling_does_no_harm() {
        let pool = FramePool::new(2);
        for (from, to) in [
            ((1280, 720), (640, 360)),
            ((640, 360), (160, 90)),
            ((640, 360), (1280, 720)),
            ((640, 480), (214, 160)),
            ((641, 361), (321, 181)),
        ] {
            for number in [0, 1, 341, 682, 1023] {
                let mut frame = grey(from.0, from.1, &pool);
                burn(&mut frame, number);
                assert_eq!(read(&scale_i420(&frame, to.0, to.1, &pool).unwrap()), Some(number), "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn only_the_strip_is_drawn_on() {
        let pool = FramePool::new(1);
        let mut frame = grey(320, 180, &pool);
        burn(&mut frame, 77);
        assert!(frame.y()[320 * 10..].iter().all(|&y| y == 110));
        assert!(frame.u()[160 * 5..].iter().all(|&u| u == 110));
        assert!(frame.u()[..160 * 5].iter().all(|&u| u == 128));
    }

    #[test]
    fn a_damaged_strip_is_not_a_number() {
        let pool = FramePool::new(1);
        let mut frame = grey(320, 180, &pool);
        burn(&mut frame, 77);
        let (y, ..) = frame.planes_mut();
        for row in y.chunks_exact_mut(320).take(10) {
            let opposite = if row[20 * 7] == WHITE { BLACK } else { WHITE };
            row[20 * 7..20 * 8].fill(opposite);
        }
        assert_eq!(read(&frame), None);
        assert_eq!(read_luma(&[200; 10], 320, 180), None);
        assert_eq!(read_luma(&[], 0, 0), None);
    }
}

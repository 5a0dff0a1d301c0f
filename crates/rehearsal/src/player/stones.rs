//! Where a bot puts its stone in Gomoku: every row of five through a free cell counts for what it already holds of one colour.
//!
//! The values are far enough apart that the order is: win, stop a four, make a four, stop an open three, build.

const SIDE: i32 = 15;
/// Of a row of five that holds so many own stones and none of the other's.
const OWN: [u64; 5] = [1, 15, 200, 4000, 10_000_000];
/// The same for the other's, which a stone here would take from them.
const THEIRS: [u64; 5] = [1, 12, 150, 3000, 100_000];
const DIRECTIONS: [(i32, i32); 4] = [(0, 1), (1, 0), (1, 1), (1, -1)];

/// Cells of equal value, the best there are; empty for a full board. `board` as the view shows it.
pub fn best(board: &str, own: u8) -> Vec<u8> {
    let board = board.as_bytes();
    let (mut best, mut most) = (Vec::new(), 0);
    for cell in (0..225u8).filter(|cell| board.get(usize::from(*cell)) == Some(&b'.')) {
        let value = value(board, i32::from(cell), own);
        if value > most {
            (best, most) = (Vec::new(), value);
        }
        if value == most {
            best.push(cell);
        }
    }
    best
}

fn value(board: &[u8], cell: i32, own: u8) -> u64 {
    let (row, column) = (cell / SIDE, cell % SIDE);
    let mut sum = 1;
    for (down, right) in DIRECTIONS {
        for back in 0..5 {
            let place = |step: i32| (row + (step - back) * down, column + (step - back) * right);
            let inside = |(row, column): (i32, i32)| (0..SIDE).contains(&row) && (0..SIDE).contains(&column);
            if !inside(place(0)) || !inside(place(4)) {
                continue;
            }
            let stones = (0..5).map(place).map(|(row, column)| board[(row * SIDE + column) as usize]);
            let (mut mine, mut others) = (0usize, 0usize);
            for stone in stones.filter(|stone| *stone != b'.') {
                *if stone == own { &mut mine } else { &mut others } += 1;
            }
            sum += match (mine, others) {
                (0, 0) => OWN[0],
                (mine, 0) => OWN[mine.min(4)],
                (0, others) => THEIRS[others.min(4)],
                _ => 0,
            };
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(black: &[u8], white: &[u8]) -> String {
        let sign = |cell: u8| {
            if black.contains(&cell) {
                'b'
            } else if white.contains(&cell) {
                'w'
            } else {
                '.'
            }
        };
        (0..225).map(sign).collect()
    }

    #[test]
    fn wins_before_it_stops_the_other() {
        let board = board(&[16, 17, 18, 19], &[100, 101, 102, 103]);
        assert!(best(&board, b'b').iter().all(|cell| [15, 20].contains(cell)), "{:?}", best(&board, b'b'));
        assert!(best(&board, b'w').iter().all(|cell| [99, 104].contains(cell)));
    }

    #[test]
    fn stops_a_four_and_an_open_three_in_every_direction() {
        for step in [1u8, 14, 15, 16] {
            let line: Vec<u8> = (0..4).map(|stone| 97 + stone * step).collect();
            let four = best(&board(&line, &[3, 40, 150, 210]), b'w');
            assert!(four.iter().all(|cell| *cell == 97 - step || *cell == 97 + 4 * step), "{step}: {four:?}");
            let three = best(&board(&line[..3], &[3, 40, 150]), b'w');
            assert!(three.iter().all(|cell| *cell == 97 - step || *cell == 97 + 3 * step), "{step}: {three:?}");
        }
    }

    #[test]
    fn begins_in_the_middle_and_has_no_cell_of_a_full_board() {
        assert_eq!(best(&board(&[], &[]), b'b').len(), 49, "cells that all rows of five through them fit around");
        assert_eq!(best(&"bw".repeat(113)[..225], b'b'), Vec::<u8>::new());
    }
}

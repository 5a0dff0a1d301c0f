//! Seeded changes of known inputs, for runs without an engine that follows coverage.

/// xorshift64*.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % below.max(1)
    }
}

/// Values at which decoders turn.
const EDGES: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'"', b'\n', b'-'];
const NUMBERS: [&[u8]; 6] = [b"0", b"-1", b"65536", b"4294967296", b"1e999", b"18446744073709551616"];
const LONGEST: usize = 64 * 1024;

/// An input that resembles `seed`; `other` may lend a part.
pub fn mutate(seed: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut data = seed.to_vec();
    for _ in 0..=dice.below(6) {
        let (at, length) = (dice.below(data.len() + 1), 1 + dice.below(1 + data.len() / 4));
        let end = (at + length).min(data.len());
        match dice.below(9) {
            0 if at < data.len() => data[at] ^= 1 << dice.below(8),
            1 if at < data.len() => data[at] = EDGES[dice.below(EDGES.len())],
            2 if at < data.len() => data[at] = dice.below(256) as u8,
            3 => drop(data.drain(at..end)),
            4 => {
                let piece = data[at..end].to_vec();
                data.splice(at..at, piece);
            }
            5 => data.truncate(at),
            6 if !other.is_empty() => {
                let from = dice.below(other.len());
                let to = (from + length).min(other.len());
                data.splice(at..end, other[from..to].iter().copied());
            }
            7 => drop(data.splice(at..end, NUMBERS[dice.below(NUMBERS.len())].iter().copied())),
            _ => data.insert(at, dice.below(256) as u8),
        }
    }
    data.truncate(LONGEST);
    data
}

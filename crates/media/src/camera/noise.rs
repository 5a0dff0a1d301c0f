//! Cheap sensor noise: a table of Gaussian-like values, added row by row from a random place. Also the small generator that
//! draws looks from a seed.

/// SplitMix64; for pictures only, never for secrets.
pub(super) struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The same text gives the same sequence everywhere (FNV-1a).
    pub fn from_text(text: &str) -> Self {
        Self(text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// In 0..1.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }
}

const TABLE: usize = 1 << 14;

pub(super) struct Noise {
    table: Vec<i8>,
    random: Random,
}

impl Noise {
    /// `deviation` in levels, at most 20.
    pub fn new(deviation: f32, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let table = (0..TABLE)
            .map(|_| {
                let sum: f32 = (0..6).map(|_| random.unit() - 0.5).sum();
                (sum * deviation * 2f32.sqrt()).round() as i8
            })
            .collect();
        Self { table, random }
    }

    /// Adds noise to each row of a plane, with saturation.
    pub fn add(&mut self, plane: &mut [u8], width: usize) {
        for row in plane.chunks_mut(width) {
            let start = self.random.below(TABLE - row.len().min(TABLE - 1));
            for (pixel, noise) in row.iter_mut().zip(&self.table[start..]) {
                *pixel = pixel.saturating_add_signed(*noise);
            }
        }
    }
}

//! Numbers that look like chance and repeat exactly: where a probe begins to read, and directions for words nobody knows yet.

/// splitmix64.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// 0 for an empty range.
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    /// From -1 to 1.
    pub fn signed(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

pub fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// FNV-1a.
pub fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that others publish for splitmix64 and FNV-1a.
    #[test]
    fn both_are_the_known_functions() {
        let mut chance = Chance::new(1_234_567);
        assert_eq!([chance.next(), chance.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
        assert_eq!([&b""[..], b"a", b"foobar"].map(hash), [0xcbf2_9ce4_8422_2325, 0xaf63_dc4c_8601_ec8c, 0x8594_4171_f739_67e8]);
    }

    #[test]
    fn a_range_is_filled_evenly_and_never_left() {
        let mut chance = Chance::new(1);
        let mut counts = [0; 10];
        (0..2_000).for_each(|_| counts[chance.below(10)] += 1);
        assert!(counts.iter().all(|count| (150..250).contains(count)), "{counts:?}");
        assert_eq!(chance.below(0), 0);
        let signed: Vec<f32> = (0..2_000).map(|_| chance.signed()).collect();
        assert!(signed.iter().all(|x| (-1.0..=1.0).contains(x)));
        let share = |from: f32| signed.iter().filter(|x| (from..from + 0.5).contains(*x)).count();
        assert!([-1.0, -0.5, 0.0, 0.5].into_iter().all(|from| (400..600).contains(&share(from))));
    }
}

//! The town's dice: fixed, so that figures do not move when a dependency does.

#[derive(Clone)]
pub struct Dice(u64);

pub fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(mix(seed ^ 0x7E57))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    pub fn happens(&mut self, chance: f64) -> bool {
        self.unit() < chance
    }

    pub fn normal(&mut self) -> f64 {
        let far = 1.0 - self.unit();
        (-2.0 * far.ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    pub fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (at, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return at;
            }
        }
        weights.len() - 1
    }
}

/// Standard normal from a key: the same two people always have the same chemistry.
pub fn normal_of(seed: u64, a: usize, b: usize) -> f64 {
    let bits = mix(seed ^ ((a as u64) << 32 | b as u64));
    let far = ((bits >> 32) as f64 + 1.0) / 4_294_967_297.0;
    let turn = (bits & 0xffff_ffff) as f64 / 4_294_967_296.0;
    (-2.0 * far.ln()).sqrt() * (std::f64::consts::TAU * turn).cos()
}

//! Pictures in linear light, and what is done to them before a lens: blurring, soft unevenness, moving, cropping.

/// Width and height of every scene: small, but with two samples to a cell of the detector's fine grid.
pub const SIZE: (usize, usize) = (320, 180);

pub type Rgb = [f32; 3];

/// Small generator with a seed (splitmix64), so that a scene is the same on every machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    pub fn between(&mut self, least: f32, most: f32) -> f32 {
        least + (most - least) * (self.next() >> 40) as f32 / (1 << 24) as f32
    }

    /// Nearly normal, deviation 1.
    pub fn normal(&mut self) -> f32 {
        let bits = self.next();
        (0..6).map(|part| (bits >> (10 * part) & 1023) as f32).sum::<f32>() / 723.0 - 4.245
    }
}

#[derive(Clone, Debug)]
pub struct Picture(pub Vec<Rgb>);

impl Picture {
    pub fn plain(colour: Rgb) -> Self {
        Self(vec![colour; SIZE.0 * SIZE.1])
    }

    /// From the place of each sample, in heights of the picture: x = 0 is the middle, y = 0 the top.
    pub fn of(mut colour: impl FnMut(f32, f32) -> Rgb) -> Self {
        let (width, height) = SIZE;
        let place = |at: usize| {
            let (x, y) = (at % width, at / width);
            ((x as f32 + 0.5 - width as f32 / 2.0) / height as f32, (y as f32 + 0.5) / height as f32)
        };
        Self((0..width * height).map(place).map(|(x, y)| colour(x, y)).collect())
    }

    pub fn mean(&self) -> f32 {
        self.0.iter().map(|rgb| rgb.iter().sum::<f32>()).sum::<f32>() / (3 * self.0.len()) as f32
    }

    pub fn scaled(mut self, by: f32) -> Self {
        self.0.iter_mut().flatten().for_each(|value| *value *= by);
        self
    }

    /// `share` of `over`, the rest of this.
    pub fn mixed(&mut self, over: &Self, share: impl Fn(usize) -> f32) {
        for (at, (under, over)) in self.0.iter_mut().zip(&over.0).enumerate() {
            let share = share(at);
            for (under, over) in under.iter_mut().zip(over) {
                *under += share * (over - *under);
            }
        }
    }

    /// The picture as seen from nearer (`zoom` above 1) and moved by samples; edges are repeated.
    pub fn seen(&self, zoom: f32, (dx, dy): (f32, f32)) -> Self {
        let (width, height) = (SIZE.0 as f32, SIZE.1 as f32);
        let mut seen = Vec::with_capacity(self.0.len());
        for at in 0..self.0.len() {
            let x = ((at % SIZE.0) as f32 - width / 2.0) / zoom + width / 2.0 + dx;
            let y = ((at / SIZE.0) as f32 - height * 0.4) / zoom + height * 0.4 + dy;
            let (x, y) = (x.clamp(0.0, width - 1.001), y.clamp(0.0, height - 1.001));
            let (left, top, right, below) = (x as usize, y as usize, x.fract(), y.fract());
            let corner = |dx: usize, dy: usize| self.0[(top + dy) * SIZE.0 + left + dx];
            let (a, b, c, d) = (corner(0, 0), corner(1, 0), corner(0, 1), corner(1, 1));
            seen.push([0, 1, 2].map(|of| {
                let upper = a[of] + right * (b[of] - a[of]);
                let lower = c[of] + right * (d[of] - c[of]);
                upper + below * (lower - upper)
            }));
        }
        Self(seen)
    }

    /// Nearly Gaussian: three box filters. `radius` in samples; under half a sample nothing is done.
    pub fn blurred(&self, radius: f32) -> Self {
        let reach = radius.round() as usize;
        let mut picture = self.clone();
        if reach == 0 {
            return picture;
        }
        for _ in 0..3 {
            picture = Self(boxed(&picture.0, SIZE.0, 1, SIZE.0, SIZE.1, reach));
            picture = Self(boxed(&picture.0, SIZE.1, SIZE.0, 1, SIZE.0, reach));
        }
        picture
    }
}

/// Means over `2 * reach + 1` neighbours along lines of `length` samples that lie `step` apart; `lines` lie `stride` apart.
fn boxed(from: &[Rgb], length: usize, step: usize, stride: usize, lines: usize, reach: usize) -> Vec<Rgb> {
    let mut to = vec![[0.0; 3]; from.len()];
    for line in 0..lines {
        let at = |place: isize| line * stride + place.clamp(0, length as isize - 1) as usize * step;
        let mut sum = [0.0; 3];
        let reach = reach as isize;
        for place in -reach..=reach {
            (0..3).for_each(|of| sum[of] += from[at(place)][of]);
        }
        for place in 0..length as isize {
            to[at(place)] = sum.map(|sum| sum / (2 * reach + 1) as f32);
            (0..3).for_each(|of| sum[of] += from[at(place + reach + 1)][of] - from[at(place - reach)][of]);
        }
    }
    to
}

/// Smooth unevenness of deviation about 1, `scale` heights of the picture from hill to hill.
pub fn uneven(random: &mut Random, scale: f32) -> Vec<f32> {
    let (width, height) = SIZE;
    let cell = (scale * height as f32).max(1.0);
    let (across, down) = ((width as f32 / cell) as usize + 2, (height as f32 / cell) as usize + 2);
    let knots: Vec<f32> = (0..across * down).map(|_| 1.5 * random.normal()).collect();
    let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
    let value = |at: usize| {
        let (x, y) = ((at % width) as f32 / cell, (at / width) as f32 / cell);
        let (left, top, right, below) = (x as usize, y as usize, smooth(x.fract()), smooth(y.fract()));
        let knot = |dx: usize, dy: usize| knots[(top + dy) * across + left + dx];
        let upper = knot(0, 0) + right * (knot(1, 0) - knot(0, 0));
        let lower = knot(0, 1) + right * (knot(1, 1) - knot(0, 1));
        upper + below * (lower - upper)
    };
    (0..width * height).map(value).collect()
}

//! What comes before a lens: laid over a scene in linear light, out of focus, as it slides in.

use super::light::{Picture, Random, Rgb, SIZE, uneven};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Finger,
    Hand,
    Tape,
    /// Lets a blurred glow through.
    ClearTape,
    Sticker,
    Cap,
    Cloth,
    Shutter,
    Paper,
    /// Grease on the lens, so much of it that nobody is recognised: nothing is hidden, nothing is in focus.
    Smear,
}

pub const KINDS: [Kind; 10] = [
    Kind::Finger,
    Kind::Hand,
    Kind::Tape,
    Kind::ClearTape,
    Kind::Sticker,
    Kind::Cap,
    Kind::Cloth,
    Kind::Shutter,
    Kind::Paper,
    Kind::Smear,
];

/// Colour in linear light (`None`: any), how uneven it is, how soft its edge is (heights of the picture), how much glows through.
struct Matter {
    colour: Option<Rgb>,
    rough: f32,
    soft: (f32, f32),
    through: (f32, f32),
}

fn matter(kind: Kind) -> Matter {
    let (colour, rough, soft, through) = match kind {
        Kind::Finger => (Some([0.24, 0.04, 0.02]), 0.15, (0.05, 0.12), (0.0, 0.04)),
        Kind::Hand => (Some([0.2, 0.11, 0.08]), 0.25, (0.03, 0.1), (0.0, 0.0)),
        Kind::Tape => (Some([0.02, 0.02, 0.02]), 0.08, (0.02, 0.08), (0.0, 0.0)),
        Kind::ClearTape => (Some([0.3, 0.27, 0.22]), 0.03, (0.02, 0.08), (0.15, 0.4)),
        Kind::Sticker => (None, 0.05, (0.02, 0.1), (0.0, 0.0)),
        Kind::Cap => (Some([0.0004, 0.0004, 0.0004]), 0.02, (0.05, 0.1), (0.0, 0.0)),
        Kind::Cloth => (None, 0.12, (0.05, 0.12), (0.0, 0.0)),
        Kind::Shutter => (Some([0.001, 0.001, 0.001]), 0.02, (0.003, 0.02), (0.0, 0.0)),
        Kind::Paper => (Some([0.45, 0.43, 0.4]), 0.05, (0.03, 0.1), (0.0, 0.05)),
        Kind::Smear => (None, 0.0, (0.1, 0.1), (1.0, 1.0)),
    };
    Matter { colour, rough, soft, through }
}

pub struct Occluder {
    kind: Kind,
    body: Picture,
    through: f32,
    blur: f32,
    /// Along the way it slides, for each sample.
    distance: Vec<f32>,
    soft: f32,
    empty: f32,
    full: f32,
}

impl Occluder {
    /// Leaves `1 - share` of the picture free when in place.
    pub fn new(kind: Kind, share: f32, random: &mut Random) -> Self {
        let Matter { colour, rough, soft, through } = matter(kind);
        let any: Rgb = [0; 3].map(|_| random.between(0.01, 0.35));
        let strength = random.between(0.3, 1.5);
        let colour = colour.unwrap_or(any).map(|value| value * strength);
        let unevenness = uneven(random, 0.45);
        let light = (random.between(-0.25, 0.25), random.between(-0.25, 0.25));
        let mut body = Picture::of(|x, y| colour.map(|value| value * (1.0 + light.0 * x + light.1 * (y - 0.5))));
        for (rgb, uneven) in body.0.iter_mut().zip(&unevenness) {
            *rgb = rgb.map(|value| value * (1.0 + rough * uneven).max(0.1));
        }
        let angle = random.between(0.0, std::f32::consts::TAU);
        let bend = random.between(-0.25, 0.25);
        let distance = Picture::of(|x, y| {
            let across = -x * angle.sin() + (y - 0.5) * angle.cos();
            [x * angle.cos() + (y - 0.5) * angle.sin() + bend * across * across, 0.0, 0.0]
        });
        let distance: Vec<f32> = distance.0.iter().map(|place| place[0]).collect();
        let soft = random.between(soft.0, soft.1);
        let mut ordered = distance.clone();
        ordered.sort_by(f32::total_cmp);
        let last = ordered.len() - 1;
        let full = if share >= 1.0 { ordered[last] + 3.0 * soft } else { ordered[(share * last as f32) as usize] };
        Self {
            kind,
            body,
            through: random.between(through.0, through.1),
            blur: random.between(0.07, 0.13) * SIZE.1 as f32,
            distance,
            soft,
            empty: ordered[0] - 3.0 * soft,
            full,
        }
    }

    /// `part` 0: away, 1: in place; `sway` moves its edge a little.
    pub fn over(&self, scene: &mut Picture, part: f32, sway: f32) {
        if part <= 0.0 {
            return;
        }
        if self.kind == Kind::Smear {
            let haze = Picture::plain([scene.mean(); 3]);
            *scene = scene.blurred(self.blur * part);
            scene.mixed(&haze, |_| 0.06 * part);
            return;
        }
        let edge = self.empty + (self.full - self.empty) * part + 0.008 * sway;
        // Light falls on it as on the scene.
        let lit = scene.mean() / 0.15;
        let mut before = self.body.clone().scaled(lit);
        if self.through > 0.0 {
            let glow = scene.blurred(self.blur);
            for (rgb, glow) in before.0.iter_mut().zip(&glow.0) {
                let tint = if self.kind == Kind::Finger { [2.4, 0.4, 0.2] } else { [1.0; 3] };
                (0..3).for_each(|of| rgb[of] = rgb[of] * (1.0 - 0.3 * self.through) + self.through * glow[of] * tint[of]);
            }
        }
        scene.mixed(&before, |at| 1.0 / (1.0 + ((self.distance[at] - edge) * 2.0 / self.soft).clamp(-30.0, 30.0).exp()));
    }
}

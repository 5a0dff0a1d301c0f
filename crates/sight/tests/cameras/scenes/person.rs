//! A drawn person who talks before a room, each with its seed: other skin, hair, clothes, furniture, place and way of moving.

use super::light::{Picture, Random, Rgb, uneven};

/// Everything that a seed decides.
pub struct Person {
    room: Picture,
    skin: Rgb,
    hair: Rgb,
    shirt: Rgb,
    /// Height of the face and where it is, in heights of the picture.
    face: f32,
    place: (f32, f32),
    phases: [f32; 4],
    stripes: f32,
}

/// How one moves.
#[derive(Clone, Copy, PartialEq)]
pub enum Moves {
    Talks,
    /// Sways a little, as who listens.
    Listens,
    /// Breathes, and blinks now and then.
    Sits,
}

/// A colour of a screen (gamma 2.2) in linear light.
pub fn light(colour: Rgb) -> Rgb {
    colour.map(|value| (value.clamp(0.0, 255.0) / 255.0).powf(2.2))
}

fn shaded(colour: Rgb, by: f32) -> Rgb {
    colour.map(|value| value * by)
}

fn room(random: &mut Random) -> Picture {
    let wall: Rgb = [0, 1, 2].map(|_| random.between(70.0, 205.0));
    let (tilt, grain) = (random.between(-50.0, 50.0), uneven(random, 0.02));
    let mut room = Picture::of(|x, y| wall.map(|value| value + tilt * (x / 1.8 + y - 0.5)));
    let furniture: Vec<(f32, f32, f32, f32, Rgb)> = (0..4 + random.below(6))
        .map(|_| {
            let own = random.between(0.25, 1.35);
            let colour = wall.map(|value| value * own + random.between(-30.0, 30.0));
            (random.between(-1.0, 0.75), random.between(-0.1, 0.8), random.between(0.06, 0.5), random.between(0.05, 0.6), colour)
        })
        .collect();
    let width = super::light::SIZE.0;
    let place = Picture::of(|x, y| [x, y, 0.0]);
    for (at, (rgb, [x, y, _])) in room.0.iter_mut().zip(&place.0).enumerate() {
        for (left, top, wide, tall, colour) in &furniture {
            if (0.0..*wide).contains(&(x - left)) && (0.0..*tall).contains(&(y - top)) {
                *rgb = *colour;
            }
        }
        let rough = 1.0 + 0.035 * grain[at] + if (at / width).is_multiple_of(4) { 0.01 } else { 0.0 };
        *rgb = light(rgb.map(|value| value * rough));
    }
    room.blurred(random.between(0.0, 1.6))
}

impl Person {
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let tone = random.between(90.0, 235.0);
        Self {
            room: room(&mut random),
            skin: light([tone, tone * 0.78, tone * 0.66]),
            hair: light([0, 1, 2].map(|_| random.between(12.0, 100.0))),
            shirt: light([0, 1, 2].map(|_| random.between(25.0, 215.0))),
            face: random.between(0.24, 0.42),
            place: (random.between(-0.22, 0.22), random.between(0.42, 0.54)),
            phases: [0; 4].map(|_| random.between(0.0, 6.3)),
            stripes: random.between(0.0, 0.35),
        }
    }

    /// Samples from the middle of the picture, as [`Picture::seen`] counts, to the middle of the face.
    pub fn face_at(&self) -> (f32, f32) {
        let tall = super::light::SIZE.1 as f32;
        (self.place.0 * tall, (self.place.1 - 0.4) * tall)
    }

    /// `seconds` may start anywhere; two persons with one seed move alike.
    pub fn at(&self, seconds: f32, moves: Moves) -> Picture {
        let far = match moves {
            Moves::Talks => 1.0,
            Moves::Listens => 0.3,
            Moves::Sits => 0.08,
        };
        let sway = |speed: f32, phase: usize| (seconds * speed + self.phases[phase]).sin();
        let x = self.place.0 + far * (0.05 * sway(1.9, 0) + 0.02 * sway(5.1, 3));
        let y = self.place.1 + far * 0.02 * sway(2.7, 1) + 0.002 * sway(1.4, 2);
        let blink = (seconds * 0.4 + self.phases[1]).fract() < 0.06;
        let mouth = if moves == Moves::Talks { 0.03 + 0.13 * sway(9.0, 2).abs() } else { 0.03 };
        let gaze = 0.04 * sway(0.9, 0);
        let mut picture = self.room.clone();
        // Middle, radii, colour; in heights of the face.
        let mut ovals = vec![
            ((0.0, 1.75), (1.5, 0.95), self.shirt),
            ((0.0, 0.95), (0.26, 0.4), shaded(self.skin, 0.7)),
            ((0.0, -0.15), (0.72, 0.98), self.hair),
            ((0.0, 0.1), (0.58, 0.82), self.skin),
            ((0.0, 0.2), (0.07, 0.15), shaded(self.skin, 0.72)),
            ((0.0, 0.52), (0.24, mouth), [0.18, 0.03, 0.04]),
        ];
        for side in [-0.24, 0.24] {
            ovals.push(((side, -0.22), (0.16, 0.03), self.hair));
            if !blink {
                ovals.push(((side, -0.04), (0.12, 0.07), [0.8, 0.8, 0.78]));
                ovals.push(((side + gaze, -0.04), (0.05, 0.06), [0.02, 0.015, 0.01]));
            }
        }
        for (at, (middle, radii, colour)) in ovals.into_iter().enumerate() {
            let stripes = if at == 0 { self.stripes } else { 0.0 };
            self.oval(&mut picture, (x, y), middle, radii, colour, stripes);
        }
        picture
    }

    fn oval(&self, picture: &mut Picture, at: (f32, f32), middle: (f32, f32), radii: (f32, f32), colour: Rgb, stripes: f32) {
        let (width, height) = super::light::SIZE;
        let tall = height as f32;
        let (x, y) = (at.0 + middle.0 * self.face, at.1 + middle.1 * self.face);
        let (wide, high) = (radii.0 * self.face, radii.1 * self.face);
        let rows = ((y - high) * tall - 1.0).max(0.0) as usize..(((y + high) * tall + 2.0).max(0.0) as usize).min(height);
        let middle_x = x * tall + width as f32 / 2.0;
        let columns =
            (middle_x - wide * tall - 1.0).max(0.0) as usize..((middle_x + wide * tall + 2.0).max(0.0) as usize).min(width);
        for row in rows {
            for column in columns.clone() {
                let dx = (column as f32 + 0.5 - middle_x) / (wide * tall);
                let dy = ((row as f32 + 0.5) / tall - y) / high;
                // About a sample from inside to outside.
                let edge = (1.0 - (dx * dx + dy * dy).sqrt()) * wide.min(high) * tall;
                let share = (edge + 0.5).clamp(0.0, 1.0);
                let lit = 1.0 - 0.25 * dx - stripes * (((dx + 0.3 * dy) * 9.0).sin() > 0.0) as u8 as f32;
                let under = &mut picture.0[row * width + column];
                (0..3).for_each(|of| under[of] += share * (colour[of] * lit - under[of]));
            }
        }
    }
}

//! A drawn person in front of a camera: sways a little, looks about, blinks, speaks in phrases. As with anybody no
//! movement comes back, or an open camera would look like a recording. What does not move by itself is painted once
//! ([`super::portrait`]); a picture costs little more than copying.

use super::noise::{Noise, Random};
use super::pace::Source;
use super::paint::{Brush, Oval, Sprite, mix, rounded, shade};
use super::portrait::Looks;
use crate::{Frame, FramePool};
use std::f32::consts::TAU;
use std::time::Duration;

/// Ticks a second that the movements are made for; at other rates the person is calmer or livelier.
const TICKS: f32 = 30.0;

pub(super) struct Face {
    width: usize,
    height: usize,
    /// The room as a picture of its own, y, u, v.
    room: Vec<u8>,
    body: Sprite,
    head: Sprite,
    looks: Looks,
    motion: Motion,
    luma_noise: Noise,
    chroma_noise: Noise,
}

impl Face {
    pub fn new(name: &str, width: usize, height: usize) -> Self {
        let mut random = Random::from_text(name);
        let looks = Looks::of(&mut random);
        let scale = height as f32;
        let (left, middle) = (width as f32 / scale, ((width / 2) & !1) as isize);
        let mut room = vec![128; crate::frame::byte_count(width, height)];
        if let Some(mut frame) = FramePool::new(1).frame(width, height, Duration::ZERO) {
            frame.as_bytes_mut().fill(128);
            looks.room(left + 4.0 / scale, scale, &mut random).put(&mut frame, (middle, 0));
            room.copy_from_slice(frame.as_bytes());
        }
        let (body, head) = (looks.body(scale), looks.head(scale, &mut random));
        let motion = Motion { phase: random.between(0.0, 50.0), seed: random.next() };
        let (luma_noise, chroma_noise) = (Noise::new(1.5, random.next()), Noise::new(0.8, random.next()));
        Self { width, height, room, body, head, looks, motion, luma_noise, chroma_noise }
    }

    fn features(&self, frame: &mut Frame, pose: &Pose, origin: (f32, f32)) {
        let scale = self.height as f32;
        let mut brush = Brush { frame, origin, scale };
        for side in [-1.0, 1.0] {
            self.eye(&mut brush, pose, side);
        }
        self.mouth(&mut brush, pose);
        if self.looks.glasses {
            let frame_colour = [44.0, 40.0, 44.0];
            for side in [-1.0, 1.0] {
                let glass = Oval::new(0.060 * side, 0.462, 0.042, 0.034);
                let ring = |x: f32, y: f32| (rounded(glass, 0.024, x, y)).abs() - 0.0028;
                brush.paint(glass.grown(0.006), 0.0, frame_colour, 0.92, ring);
                brush.paint(glass, 0.02, [255.0; 3], 0.07, |x, y| {
                    rounded(glass, 0.024, x, y).max(x * 0.7 + y - 0.46 - 0.04 * side)
                });
            }
            brush.oval(Oval::new(0.0, 0.455, 0.019, 0.003), 0.0, frame_colour, 0.92);
        }
    }

    fn eye(&self, brush: &mut Brush<'_>, pose: &Pose, side: f32) {
        let looks = &self.looks;
        let (x, y) = (0.058 * side, 0.460);
        let open = 0.0145 * (1.0 - pose.blink) + 0.0004;
        let white = Oval::new(x, y, 0.0265, open);
        brush.paint(white, 0.0015, [236.0, 232.0, 228.0], 1.0, |x, y| white.distance(x, y));
        let iris = Oval::new(x + pose.gaze.0, y - 0.001 + pose.gaze.1, 0.0122, 0.0122);
        for (radius, colour) in [(0.0, shade(looks.iris, 0.6)), (-0.002, looks.iris), (-0.0066, [14.0, 12.0, 12.0])] {
            let part = iris.grown(radius);
            brush.paint(part, 0.0015, colour, 1.0, |x, y| part.distance(x, y).max(white.distance(x, y)));
        }
        let glint = Oval::new(iris.x - 0.004, iris.y - 0.005, 0.0027, 0.0027);
        brush.paint(glint, 0.001, [255.0; 3], 0.9, |x, y| glint.distance(x, y).max(white.distance(x, y)));
        // The upper lid: the ring around the eye above its middle; shut, it is the line of the lashes.
        let lid = |x: f32, y: f32| (white.distance(x, y).abs() - 0.0026).max(y - white.y - 0.002);
        brush.paint(white.grown(0.006), 0.002, shade(mix(looks.hair, looks.skin, 0.15), 0.55), 0.9, lid);
        let crease = Oval::new(x, y - 0.005, 0.029, 0.021);
        let fold = |x: f32, y: f32| (crease.distance(x, y).abs() - 0.0012).max(y - 0.452);
        brush.paint(crease.grown(0.004), 0.003, shade(looks.skin, 0.66), 0.55, fold);
        let raise = pose.brows * 0.008;
        let brow = |px: f32, py: f32| {
            let along = (px - x) * side;
            let arc = 0.424 - raise - 0.006 * (1.0 - ((along - 0.004) / 0.034).powi(2)) + 0.004 * (along / 0.034).max(0.0);
            let thick = 0.0052 - 0.05 * (along + 0.012).max(0.0);
            ((py - arc).abs() - thick.max(0.001)).max(along.abs() - 0.033)
        };
        brush.paint(Oval::new(x, 0.42, 0.036, 0.02), 0.004, shade(mix(looks.hair, looks.skin, 0.18), 0.8), 0.9, brow);
    }

    fn mouth(&self, brush: &mut Brush<'_>, pose: &Pose) {
        let looks = &self.looks;
        let (wide, open) = (0.046 - 0.010 * pose.mouth + 0.004 * pose.smile, 0.0008 + 0.021 * pose.mouth);
        let smile = pose.smile;
        // Corners lie higher than the middle in a smile.
        let bend = move |x: f32, y: f32| (x, y + x * x * (2.0 + 3.0 * smile));
        let inner = Oval::new(0.0, 0.569 + open * 0.4, wide * 0.86, open);
        let upper = Oval::new(0.0, 0.5665, wide, 0.0085);
        let lower = Oval::new(0.0, 0.571 + open * 1.5, wide * 0.84, 0.0095 + open * 0.5);
        let at = |oval: Oval| {
            move |x: f32, y: f32| {
                let (x, y) = bend(x, y);
                oval.distance(x, y)
            }
        };
        brush.paint(lower.grown(0.003), 0.004, mix(looks.lips, looks.skin, 0.10), 0.85, at(lower));
        let bow = move |x: f32, y: f32| at(upper)(x, y).max(0.560 + 0.003 * (-(x / 0.008).powi(2)).exp() - y - x * x);
        brush.paint(upper.grown(0.003), 0.004, shade(looks.lips, 0.86), 0.85, bow);
        brush.paint(inner.grown(0.004), 0.002, [52.0, 20.0, 20.0], 1.0, at(inner));
        if pose.mouth > 0.15 {
            let teeth = Oval::new(0.0, inner.y - open * 0.75, wide * 0.62, open * 0.42);
            brush.paint(teeth, 0.002, [232.0, 226.0, 216.0], 0.9, move |x, y| at(teeth)(x, y).max(at(inner)(x, y)));
        }
        let shine = Oval::new(-0.006, lower.y + lower.ry * 0.45, 0.016, 0.003);
        brush.oval(shine, 0.005, shade(looks.lips, 1.25), 0.4);
    }
}

impl Source for Face {
    fn picture(&mut self, tick: u64, captured: Duration, pool: &FramePool) -> Result<Option<Frame>, String> {
        let Some(mut frame) = pool.frame(self.width, self.height, captured) else { return Ok(None) };
        frame.as_bytes_mut().copy_from_slice(&self.room);
        let pose = self.motion.pose(tick as f32 / TICKS);
        let scale = self.height as f32;
        let middle = ((self.width / 2) & !1) as isize;
        let pixels = |share: f32, place: (f32, f32)| {
            ((place.0 * share * scale).round() as isize, (place.1 * share * scale).round() as isize)
        };
        let (body, head) = (pixels(0.4, pose.place), pixels(1.0, pose.place));
        self.body.put(&mut frame, (middle + body.0, body.1));
        self.head.put(&mut frame, (middle + head.0, head.1));
        // Features turn a little further than the head, which looks like a turn of the head.
        let turn = pose.turn * scale;
        self.features(&mut frame, &pose, ((middle + head.0) as f32 + turn, head.1 as f32 + turn.abs() * 0.1));
        let (width, (columns, _)) = (frame.width, frame.chroma_size());
        let (y, u, v) = frame.planes_mut();
        self.luma_noise.add(y, width);
        self.chroma_noise.add(u, columns);
        self.chroma_noise.add(v, columns);
        Ok(Some(frame))
    }
}

/// Where everything is at a moment.
struct Pose {
    place: (f32, f32),
    turn: f32,
    /// 0 open, 1 shut.
    blink: f32,
    gaze: (f32, f32),
    mouth: f32,
    smile: f32,
    brows: f32,
}

struct Motion {
    phase: f32,
    seed: u64,
}

impl Motion {
    /// In -1..1, another for each `index`.
    fn dice(&self, index: f32, kind: u64) -> f32 {
        Random::new(self.seed ^ kind << 32 ^ index as u64).unit() * 2.0 - 1.0
    }

    /// In -1..1, from one chance value to the next within `every` seconds.
    fn wander(&self, time: f32, every: f32, kind: u64) -> f32 {
        let (knot, part) = ((time / every).floor(), (time / every).fract());
        let (from, to) = (self.dice(knot, kind), self.dice(knot + 1.0, kind));
        from + (to - from) * part * part * (3.0 - 2.0 * part)
    }

    fn pose(&self, seconds: f32) -> Pose {
        let time = seconds + self.phase;
        let wave = |period: f32, shift: f32| (time * TAU / period + shift).sin();
        let speaking = ((wave(5.3, 0.0) + 0.35) * 3.0).clamp(0.0, 1.0);
        let syllable = (wave(0.62, 0.0).abs() * 0.6 + wave(0.37, 1.0).abs() * 0.4) * (0.75 + 0.25 * wave(1.7, 2.0));
        let mouth = speaking * syllable.clamp(0.0, 1.0);
        let sway = 0.030 * self.wander(time, 2.9, 6) + 0.010 * self.wander(time, 1.3, 7);
        let nod = 0.014 * self.wander(time, 2.3, 8) + 0.003 * mouth;
        let glance = (time / 1.9).floor();
        let blinks = (time / 3.1).floor();
        let since = time - (blinks + 0.3 + 0.3 * self.dice(blinks, 2)) * 3.1;
        let blink = (1.0 - ((since - 0.09) / 0.09).abs()).clamp(0.0, 1.0);
        Pose {
            place: (sway, nod),
            turn: 0.004 * self.wander(time, 3.1, 9) + 0.003 * self.dice(glance, 5),
            blink: (blink * 1.6).min(1.0),
            gaze: (0.004 * self.dice(glance, 3), 0.0016 * self.dice(glance, 4)),
            mouth,
            smile: 0.4 + 0.4 * wave(11.0, 0.0) * (1.0 - speaking),
            brows: speaking * (0.5 + 0.5 * wave(2.3, 0.4)).powi(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks of a recording's length of time: 2.4 s of them are held against those of 0.5 to 7 s before.
    const LOOKS: usize = 36;

    #[test]
    fn movement_hardly_ever_comes_back() {
        for name in ["mei", "guest-7", "ada", "bao"] {
            let mut random = Random::from_text(name);
            let motion = Motion { phase: random.between(0.0, 50.0), seed: random.next() };
            let places: Vec<(f32, f32)> = (0..3600).map(|look| motion.pose(look as f32 / 15.0).place).collect();
            let apart =
                |one: usize, other: usize| (places[one].0 - places[other].0).abs() + (places[one].1 - places[other].1).abs();
            let returns = (105..places.len() - LOOKS).filter(|&from| {
                let newest = from..from + LOOKS;
                let pairs = newest.clone().flat_map(|one| (one + 3..from + LOOKS).map(move |other| (one, other)));
                let among: Vec<f32> = pairs.map(|(one, other)| apart(one, other)).collect();
                let mean_among = among.iter().sum::<f32>() / among.len() as f32;
                (8..105).any(|ago| newest.clone().map(|at| apart(at, at - ago)).sum::<f32>() < 0.4 * mean_among * LOOKS as f32)
            });
            let share = returns.count() as f32 / places.len() as f32;
            assert!(share < 0.05, "{name}: {share}; sums of three sine waves come to 0.29");
        }
    }
}

//! From a stroke's points to the area it covers: the twin of `ui/src/paper/ink.ts`, step by step, so that the page, the exported
//! picture and the other side's page agree. Only sums, products, quotients and square roots are used, which every machine
//! rounds alike; `tests/ink.json` holds strokes with the corners that both must come to.
//!
//! 1. The points bend a chain of parabolas from middle to middle; the pressure of a point sets its radius.
//! 2. The chain is cut into straight pieces, as many as its bend needs.
//! 3. A piece covers a quadrilateral between its two radii. A disc closes both ends and every sharp corner, a triangle every
//!    blunt one. All of them turn the same way round, so that one fill by the non-zero rule covers their union: unlike an
//!    outline of the whole stroke it cannot cut holes into itself where the stroke turns within its own width.

use visavis_wire::paper::Point;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    pub x: f64,
    pub y: f64,
    pub radius: f64,
}

/// Tenths of a paper unit by which a piece may miss the parabola, times four.
const BEND: f64 = 10.0;
const MOST_PIECES: u32 = 16;
/// Cosine of the turn from which on a corner is round.
const SHARP: f64 = 0.94;
const CORNERS: usize = 32;
/// Cosine and sine of a thirty-second of a turn.
const TURN: (f64, f64) = (0.980_785_280_403_230_4, 0.195_090_322_016_128_25);

/// Of the brush at a pressure: 128 gives half its diameter.
pub fn radius(size: u16, pressure: u8) -> f64 {
    (f64::from(size) / 2.0) * (0.4 + (0.6 * f64::from(pressure)) / 128.0)
}

impl Sample {
    fn of(point: &Point, size: u16) -> Self {
        Self { x: f64::from(point.x), y: f64::from(point.y), radius: radius(size, point.pressure) }
    }

    fn middle(self, other: Self) -> Self {
        Self { x: (self.x + other.x) / 2.0, y: (self.y + other.y) / 2.0, radius: (self.radius + other.radius) / 2.0 }
    }
}

/// The chain of a complete stroke.
pub fn chain(points: &[Point], size: u16) -> Vec<Sample> {
    let [first, .., last] = points else {
        return points.iter().map(|point| Sample::of(point, size)).collect();
    };
    let mut start = Sample::of(first, size);
    let mut samples = vec![start];
    if points.len() == 2 {
        samples.push(Sample::of(last, size));
    }
    for (index, three) in points.windows(3).enumerate() {
        let (bend, next) = (Sample::of(&three[1], size), Sample::of(&three[2], size));
        let end = if index + 3 == points.len() { next } else { bend.middle(next) };
        let off = (start.x - 2.0 * bend.x + end.x).abs() + (start.y - 2.0 * bend.y + end.y).abs();
        let mut pieces = 1;
        while pieces < MOST_PIECES && f64::from(pieces * pieces) * BEND < off {
            pieces += 1;
        }
        for piece in 1..=pieces {
            let t = f64::from(piece) / f64::from(pieces);
            let (a, b, c) = ((1.0 - t) * (1.0 - t), 2.0 * (1.0 - t) * t, t * t);
            samples.push(Sample {
                x: a * start.x + b * bend.x + c * end.x,
                y: a * start.y + b * bend.y + c * end.y,
                radius: a * start.radius + b * bend.radius + c * end.radius,
            });
        }
        start = end;
    }
    samples
}

/// Where corners go.
pub trait Outline {
    fn move_to(&mut self, x: f64, y: f64);
    fn line_to(&mut self, x: f64, y: f64);
    fn close(&mut self);
}

fn polygon(to: &mut impl Outline, corners: impl IntoIterator<Item = (f64, f64)>) {
    for (index, (x, y)) in corners.into_iter().enumerate() {
        if index == 0 { to.move_to(x, y) } else { to.line_to(x, y) }
    }
    to.close();
}

/// Unit vectors of a regular polygon, by turning on and on.
struct Round([(f64, f64); CORNERS]);

impl Round {
    fn new() -> Self {
        let mut corners = [(1.0, 0.0); CORNERS];
        let (cos, sin) = TURN;
        for index in 1..CORNERS {
            let (x, y): (f64, f64) = corners[index - 1];
            corners[index] = (x * cos - y * sin, x * sin + y * cos);
        }
        Self(corners)
    }

    fn disc(&self, to: &mut impl Outline, at: Sample) {
        let step = if at.radius < 40.0 {
            4
        } else if at.radius < 160.0 {
            2
        } else {
            1
        };
        polygon(to, self.0.iter().step_by(step).map(|(cos, sin)| (at.x + cos * at.radius, at.y + sin * at.radius)));
    }

    fn corner(&self, to: &mut impl Outline, at: Sample, before: (f64, f64), after: (f64, f64)) {
        if before.0 * after.0 + before.1 * after.1 < SHARP {
            self.disc(to, at);
            return;
        }
        let turn = before.0 * after.1 - before.1 * after.0;
        if turn == 0.0 {
            return;
        }
        // The gap is on the outer side; its corners are named in the turning direction of the quadrilaterals.
        let (a, b, out) = if turn > 0.0 { (before, after, -at.radius) } else { (after, before, at.radius) };
        polygon(to, [(at.x, at.y), (at.x + a.0 * out, at.y + a.1 * out), (at.x + b.0 * out, at.y + b.1 * out)]);
    }
}

/// The outlines of everything that a chain covers.
pub fn outline(to: &mut impl Outline, samples: &[Sample]) {
    let round = Round::new();
    let Some((&first, rest)) = samples.split_first() else { return };
    let mut last = first;
    let mut before = None;
    round.disc(to, first);
    for &sample in rest {
        let (dx, dy) = (sample.x - last.x, sample.y - last.y);
        let length = (dx * dx + dy * dy).sqrt();
        if length == 0.0 {
            if sample.radius > last.radius {
                round.disc(to, sample);
            }
            last = sample;
            continue;
        }
        let side = (-dy / length, dx / length);
        if let Some(before) = before {
            round.corner(to, last, before, side);
        }
        polygon(
            to,
            [
                (last.x - side.0 * last.radius, last.y - side.1 * last.radius),
                (sample.x - side.0 * sample.radius, sample.y - side.1 * sample.radius),
                (sample.x + side.0 * sample.radius, sample.y + side.1 * sample.radius),
                (last.x + side.0 * last.radius, last.y + side.1 * last.radius),
            ],
        );
        before = Some(side);
        last = sample;
    }
    if samples.len() > 1 {
        round.disc(to, last);
    }
}

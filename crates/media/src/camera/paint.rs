//! A small painter for drawn cameras. Lengths are in heights of the picture, so that a drawing looks the same at every size:
//! shapes are signed distances, negative inside.

use crate::Frame;
use crate::convert::rgb_to_yuv;

pub(super) type Rgb = [f32; 3];

/// An axis-parallel ellipse.
#[derive(Clone, Copy)]
pub(super) struct Oval {
    pub x: f32,
    pub y: f32,
    pub rx: f32,
    pub ry: f32,
}

impl Oval {
    pub const fn new(x: f32, y: f32, rx: f32, ry: f32) -> Self {
        Self { x, y, rx, ry }
    }

    /// Good near the edge, which is where it matters.
    pub fn distance(self, x: f32, y: f32) -> f32 {
        let (x, y) = ((x - self.x) / self.rx, (y - self.y) / self.ry);
        let (near, slope) = (x.hypot(y), (x / self.rx).hypot(y / self.ry));
        if slope < 1e-6 { -self.rx.min(self.ry) } else { near * (near - 1.0) / slope }
    }

    /// The same, moved and grown.
    pub fn moved(self, x: f32, y: f32) -> Self {
        Self { x: self.x + x, y: self.y + y, ..self }
    }

    pub fn grown(self, by: f32) -> Self {
        Self { rx: self.rx + by, ry: self.ry + by, ..self }
    }
}

/// Distance to a rectangle with round corners; `bounds` gives its middle and half sides.
pub(super) fn rounded(bounds: Oval, corner: f32, x: f32, y: f32) -> f32 {
    let (x, y) = ((x - bounds.x).abs() - bounds.rx + corner, (y - bounds.y).abs() - bounds.ry + corner);
    x.max(0.0).hypot(y.max(0.0)) + x.max(y).min(0.0) - corner
}

pub(super) fn mix(one: Rgb, other: Rgb, share: f32) -> Rgb {
    std::array::from_fn(|part| one[part] + (other[part] - one[part]) * share)
}

pub(super) fn shade(colour: Rgb, factor: f32) -> Rgb {
    colour.map(|part| (part * factor).clamp(0.0, 255.0))
}

/// How much of a pixel a shape covers. `soft` is the width of its edge beyond that of a pixel.
fn cover(distance: f32, pixel: f32, soft: f32) -> f32 {
    let edge = pixel + soft;
    let share = (0.5 - distance / edge).clamp(0.0, 1.0);
    share * share * (3.0 - 2.0 * share)
}

/// What is painted once, with its transparency.
pub(super) struct Layer {
    /// Position of the upper left corner.
    left: f32,
    top: f32,
    /// Pixels a height.
    scale: f32,
    width: usize,
    height: usize,
    pixels: Vec<(Rgb, f32)>,
}

impl Layer {
    /// Covers `bounds`, at `scale` pixels a height; sides are even.
    pub fn new(bounds: Oval, scale: f32) -> Self {
        let even = |length: f32| ((length * scale / 2.0).ceil() as usize * 2).max(2);
        let (width, height) = (even(bounds.rx * 2.0), even(bounds.ry * 2.0));
        let snap = |place: f32| (place * scale / 2.0).floor() * 2.0 / scale;
        let (left, top) = (snap(bounds.x - bounds.rx), snap(bounds.y - bounds.ry));
        Self { left, top, scale, width, height, pixels: vec![([0.0; 3], 0.0); width * height] }
    }

    /// Paints where `distance` is negative, within `bounds`.
    pub fn paint(
        &mut self,
        bounds: Oval,
        soft: f32,
        distance: impl Fn(f32, f32) -> f32,
        colour: impl Fn(f32, f32) -> (Rgb, f32),
    ) {
        let bounds = bounds.grown(soft + 2.0 / self.scale);
        let pixel = |place: f32, origin: f32, end: usize| ((((place - origin) * self.scale).max(0.0)) as usize).min(end);
        let columns = pixel(bounds.x - bounds.rx, self.left, self.width)..pixel(bounds.x + bounds.rx, self.left, self.width);
        let rows = pixel(bounds.y - bounds.ry, self.top, self.height)..pixel(bounds.y + bounds.ry, self.top, self.height);
        for row in rows {
            let y = self.top + (row as f32 + 0.5) / self.scale;
            for column in columns.clone() {
                let x = self.left + (column as f32 + 0.5) / self.scale;
                let covered = cover(distance(x, y), 1.0 / self.scale, soft);
                if covered > 0.0 {
                    let (colour, strength) = colour(x, y);
                    let share = covered * strength;
                    let (under, alpha) = &mut self.pixels[row * self.width + column];
                    let total = share + *alpha * (1.0 - share);
                    *under = mix(*under, colour, if total > 0.0 { share / total } else { 0.0 });
                    *alpha = total;
                }
            }
        }
    }

    pub fn oval(&mut self, oval: Oval, soft: f32, colour: Rgb, strength: f32) {
        self.paint(oval, soft, |x, y| oval.distance(x, y), |_, _| (colour, strength));
    }

    /// As a sprite. Where it belongs is remembered.
    pub fn finish(self) -> Sprite {
        let yuv = |colour: Rgb| rgb_to_yuv(colour.map(|part| part.clamp(0.0, 255.0) as i32));
        let mut luma = Plane::new(self.width, self.height);
        for (to, (colour, alpha)) in luma.pixels.iter_mut().zip(&self.pixels) {
            *to = (yuv(*colour)[0], (alpha * 255.0 + 0.5) as u8);
        }
        let mut chroma = [1, 2].map(|_| Plane::new(self.width / 2, self.height / 2));
        for row in 0..self.height / 2 {
            for column in 0..self.width / 2 {
                let at = row * 2 * self.width + column * 2;
                let four = [at, at + 1, at + self.width, at + self.width + 1].map(|at| self.pixels[at]);
                let weight: f32 = four.iter().map(|(_, alpha)| alpha).sum();
                let sum = |part: usize| four.iter().map(|(colour, alpha)| colour[part] * alpha).sum::<f32>();
                let [_, u, v] = yuv(if weight > 0.0 { [0, 1, 2].map(|part| sum(part) / weight) } else { [128.0; 3] });
                let alpha = (weight / 4.0 * 255.0 + 0.5) as u8;
                for (plane, value) in chroma.iter_mut().zip([u, v]) {
                    plane.pixels[row * (self.width / 2) + column] = (value, alpha);
                }
            }
        }
        luma.find_spans();
        chroma.iter_mut().for_each(Plane::find_spans);
        let place = ((self.left * self.scale).round() as isize, (self.top * self.scale).round() as isize);
        Sprite { place, luma, chroma }
    }
}

/// Values with their transparency, and for each row the part that is not empty.
struct Plane {
    width: usize,
    pixels: Vec<(u8, u8)>,
    spans: Vec<(usize, usize)>,
}

impl Plane {
    fn new(width: usize, height: usize) -> Self {
        Self { width, pixels: vec![(0, 0); width * height], spans: Vec::new() }
    }

    fn find_spans(&mut self) {
        let span = |row: &[(u8, u8)]| {
            let seen = |&(_, alpha): &(u8, u8)| alpha > 0;
            let start = row.iter().position(seen).unwrap_or(row.len());
            (start, row.iter().rposition(seen).map_or(start, |end| end + 1))
        };
        self.spans = self.pixels.chunks_exact(self.width).map(span).collect();
    }

    fn blend(&self, to: &mut [u8], columns: usize, (left, top): (isize, isize)) {
        let rows = to.len() / columns;
        for ((from, &(start, end)), row) in self.pixels.chunks_exact(self.width).zip(&self.spans).zip(top..) {
            let Some(row) = usize::try_from(row).ok().filter(|&row| row < rows) else { continue };
            let first = (left + start as isize).clamp(0, columns as isize);
            let last = (left + end as isize).clamp(first, columns as isize);
            let skip = (first - left) as usize;
            let to = &mut to[row * columns + first as usize..row * columns + last as usize];
            for (to, &(value, alpha)) in to.iter_mut().zip(from.get(skip..).unwrap_or_default()) {
                let (alpha, under) = (u32::from(alpha), u32::from(*to));
                *to = ((u32::from(value) * alpha + under * (255 - alpha) + 127) / 255) as u8;
            }
        }
    }
}

/// A layer ready to be put onto pictures.
pub(super) struct Sprite {
    /// Upper left corner in pixels, even.
    place: (isize, isize),
    luma: Plane,
    chroma: [Plane; 2],
}

impl Sprite {
    /// Puts it so many pixels away from where it was painted.
    pub fn put(&self, frame: &mut Frame, (right, down): (isize, isize)) {
        let (left, top) = (self.place.0 + right, self.place.1 + down);
        let (width, (columns, _)) = (frame.width, frame.chroma_size());
        let (y, u, v) = frame.planes_mut();
        self.luma.blend(y, width, (left, top));
        for (plane, to) in self.chroma.iter().zip([u, v]) {
            plane.blend(to, columns, (left.div_euclid(2), top.div_euclid(2)));
        }
    }
}

/// Paints small moving shapes straight onto a picture. `origin` is where x = 0, y = 0 lies, in pixels.
pub(super) struct Brush<'a> {
    pub frame: &'a mut Frame,
    pub origin: (f32, f32),
    pub scale: f32,
}

impl Brush<'_> {
    pub fn paint(&mut self, bounds: Oval, soft: f32, colour: Rgb, strength: f32, distance: impl Fn(f32, f32) -> f32) {
        let yuv = rgb_to_yuv(colour.map(|part| part as i32));
        let (width, (columns, _)) = (self.frame.width, self.frame.chroma_size());
        let bounds = bounds.grown(soft + 2.0 / self.scale);
        let (y, u, v) = self.frame.planes_mut();
        for (plane, value, across, step) in [(y, yuv[0], width, 1.0f32), (u, yuv[1], columns, 2.0), (v, yuv[2], columns, 2.0)] {
            let rows = plane.len() / across;
            let pixel =
                |place: f32, origin: f32, end: usize| ((origin + place * self.scale) / step).clamp(0.0, end as f32) as usize;
            let (x0, y0) = self.origin;
            for row in pixel(bounds.y - bounds.ry, y0, rows)..pixel(bounds.y + bounds.ry, y0, rows) {
                let y = ((row as f32 + 0.5) * step - y0) / self.scale;
                for column in pixel(bounds.x - bounds.rx, x0, across)..pixel(bounds.x + bounds.rx, x0, across) {
                    let x = ((column as f32 + 0.5) * step - x0) / self.scale;
                    let share = cover(distance(x, y), step / self.scale, soft) * strength;
                    let to = &mut plane[row * across + column];
                    *to = (f32::from(*to) + (f32::from(value) - f32::from(*to)) * share + 0.5) as u8;
                }
            }
        }
    }

    pub fn oval(&mut self, oval: Oval, soft: f32, colour: Rgb, strength: f32) {
        self.paint(oval, soft, colour, strength, |x, y| oval.distance(x, y));
    }
}

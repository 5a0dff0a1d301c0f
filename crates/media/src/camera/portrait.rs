//! Looks of a drawn person and the parts of the drawing that do not move by themselves: room, shoulders, head. Lengths are in
//! heights of the picture; x = 0 is the middle of the face, y = 0 the top of the picture.

use super::noise::Random;
use super::paint::{Layer, Oval, Rgb, Sprite, mix, rounded, shade};

const SKINS: [Rgb; 6] = [
    [240.0, 204.0, 178.0],
    [226.0, 184.0, 150.0],
    [205.0, 156.0, 118.0],
    [170.0, 120.0, 86.0],
    [132.0, 90.0, 64.0],
    [102.0, 68.0, 50.0],
];
const HAIRS: [Rgb; 6] =
    [[42.0, 32.0, 28.0], [74.0, 50.0, 34.0], [112.0, 74.0, 44.0], [166.0, 126.0, 74.0], [98.0, 94.0, 92.0], [30.0, 28.0, 34.0]];
const SHIRTS: [Rgb; 7] = [
    [66.0, 96.0, 140.0],
    [146.0, 70.0, 72.0],
    [70.0, 116.0, 98.0],
    [98.0, 88.0, 134.0],
    [198.0, 184.0, 160.0],
    [60.0, 66.0, 80.0],
    [184.0, 120.0, 78.0],
];
const WALLS: [Rgb; 5] =
    [[208.0, 198.0, 184.0], [172.0, 188.0, 198.0], [186.0, 198.0, 182.0], [212.0, 192.0, 178.0], [176.0, 178.0, 196.0]];
const IRISES: [Rgb; 4] = [[74.0, 48.0, 30.0], [96.0, 70.0, 40.0], [74.0, 98.0, 110.0], [84.0, 100.0, 66.0]];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    Short,
    Long,
    Bun,
}

/// Everything that a name decides.
pub(super) struct Looks {
    pub skin: Rgb,
    pub hair: Rgb,
    pub iris: Rgb,
    pub glasses: bool,
    pub lips: Rgb,
    shirt: Rgb,
    wall: Rgb,
    cut: Cut,
    beard: bool,
    /// Half the width of the face.
    half: f32,
    mirrored: bool,
}

impl Looks {
    pub fn of(random: &mut Random) -> Self {
        let skin = SKINS[random.below(SKINS.len())];
        // Light hair goes with light skin.
        let hairs = if skin[0] > 200.0 { HAIRS.len() } else { 2 };
        let cut = [Cut::Short, Cut::Long, Cut::Bun][random.below(3)];
        Self {
            skin,
            hair: HAIRS[random.below(hairs)],
            iris: IRISES[random.below(if skin[0] > 200.0 { IRISES.len() } else { 2 })],
            glasses: random.below(10) < 3,
            lips: mix(skin, if cut == Cut::Short { [150.0, 78.0, 70.0] } else { [176.0, 66.0, 70.0] }, 0.6),
            shirt: SHIRTS[random.below(SHIRTS.len())],
            wall: WALLS[random.below(WALLS.len())],
            cut,
            beard: cut == Cut::Short && random.below(10) < 4,
            half: random.between(0.142, 0.156),
            mirrored: random.below(2) == 1,
        }
    }

    /// Wall, window, shelf and plant, out of focus.
    pub fn room(&self, width: f32, scale: f32, random: &mut Random) -> Sprite {
        let half = width / 2.0;
        let mut room = Layer::new(Oval::new(0.0, 0.5, half, 0.5), scale);
        let side = if self.mirrored { -1.0 } else { 1.0 };
        let wall = self.wall;
        let light = move |x: f32, y: f32| (shade(wall, 0.80 - 0.20 * side * x / half - 0.16 * y), 1.0);
        room.paint(Oval::new(0.0, 0.5, half, 0.5), 0.0, |_, _| -1.0, light);
        let window = Oval::new(-0.62 * side * half, 0.34, 0.17, 0.27);
        room.paint(window.grown(0.03), 0.03, |x, y| rounded(window.grown(0.02), 0.02, x, y), |_, _| (shade(wall, 1.06), 1.0));
        let sky = |_: f32, y: f32| (mix([238.0, 244.0, 250.0], [206.0, 220.0, 224.0], y * 1.6), 1.0);
        room.paint(window, 0.03, |x, y| rounded(window, 0.015, x, y), sky);
        let bar = Oval::new(window.x, window.y, 0.008, window.ry);
        room.paint(bar, 0.015, |x, y| rounded(bar, 0.0, x, y), |_, _| (shade(wall, 0.98), 1.0));
        self.shelf(&mut room, 0.66 * side * half, random);
        let leaf = [92.0, 124.0, 84.0];
        for _ in 0..9 {
            let (x, y) = (window.x + side * random.between(0.10, 0.26), 0.84 + random.between(-0.10, 0.10));
            let oval = Oval::new(x, y, random.between(0.02, 0.045), random.between(0.05, 0.09));
            room.oval(oval, 0.035, shade(leaf, random.between(0.55, 0.95)), 0.9);
        }
        let corner = move |x: f32, y: f32| ([20.0, 18.0, 16.0], ((x / half).powi(2) + (y * 2.0 - 1.0).powi(2)) * 0.16);
        room.paint(Oval::new(0.0, 0.5, half, 0.5), 0.0, |_, _| -1.0, corner);
        room.finish()
    }

    fn shelf(&self, room: &mut Layer, middle: f32, random: &mut Random) {
        for y in [0.36, 0.62] {
            let mut x = middle - 0.19;
            while x < middle + 0.17 {
                let (thick, tall) = (random.between(0.012, 0.024), random.between(0.07, 0.12));
                let colour = shade(SHIRTS[random.below(SHIRTS.len())], random.between(0.6, 0.9));
                let book = Oval::new(x + thick, y - tall, thick, tall);
                if random.below(5) > 0 {
                    room.paint(book, 0.018, |x, y| rounded(book, 0.0, x, y), |_, _| (mix(colour, self.wall, 0.25), 1.0));
                }
                x += thick * 2.0;
            }
            let board = Oval::new(middle, y + 0.01, 0.22, 0.012);
            room.paint(board, 0.018, |x, y| rounded(board, 0.0, x, y), |_, _| ([126.0, 96.0, 70.0], 1.0));
        }
    }

    /// Shoulders and, behind them, hair that falls that far.
    pub fn body(&self, scale: f32) -> Sprite {
        let mut body = Layer::new(Oval::new(0.0, 0.80, 0.52, 0.26), scale);
        let shoulders = Oval::new(0.0, 1.06, 0.40, 0.335);
        let shirt = self.shirt;
        let cloth = move |x: f32, y: f32| {
            let fold = ((x * 31.0 + y * 9.0).sin() * (y * 14.0 - x * 5.0).cos()) * 0.035;
            (shade(shirt, 1.02 - 0.30 * x + fold - 0.25 * (y - 0.8)), 1.0)
        };
        body.oval(shoulders.moved(0.012, 0.006).grown(0.012), 0.05, [30.0, 26.0, 24.0], 0.35);
        body.paint(shoulders, 0.0, |x, y| shoulders.distance(x, y), cloth);
        let collar = Oval::new(0.0, 0.735, 0.088, 0.062);
        body.oval(collar.grown(0.014), 0.004, shade(shirt, 0.78), 1.0);
        body.oval(collar, 0.004, shade(self.skin, 0.86), 1.0);
        body.finish()
    }

    /// The outline of the face: an ellipse that narrows towards the chin.
    fn face(&self, x: f32, y: f32) -> f32 {
        let low = ((y - 0.46) / 0.205).max(0.0);
        Oval::new(0.0, 0.46, self.half * (1.0 - 0.20 * low * low), 0.205).distance(x, y)
    }

    /// Neck, ears, hair and the face without eyes, brows and mouth.
    pub fn head(&self, scale: f32, random: &mut Random) -> Sprite {
        let mut head = Layer::new(Oval::new(0.0, 0.50, 0.27, 0.40), scale);
        self.back_hair(&mut head);
        let skin = self.skin;
        let neck = Oval::new(0.0, 0.68, 0.066, 0.085);
        let in_shadow = move |x: f32, y: f32| (shade(skin, 0.84 - 0.5 * x - 1.3 * (0.70 - y).clamp(0.0, 0.1)), 1.0);
        head.paint(neck, 0.004, |x, y| rounded(neck, 0.03, x, y), in_shadow);
        for side in [-1.0, 1.0] {
            let ear = Oval::new(side * (self.half + 0.006), 0.475, 0.024, 0.042);
            head.oval(ear, 0.002, shade(skin, 0.90 - 0.06 * side), 1.0);
            head.oval(ear.moved(-0.004 * side, 0.0).grown(-0.010), 0.012, shade(skin, 0.70), 0.7);
        }
        let lit = move |x: f32, y: f32| {
            let (round, brow) = ((x / 0.15).powi(2) * 0.10, ((y - 0.36) / 0.2).max(0.0) * 0.05);
            (shade(skin, 1.06 - 0.55 * x - round - brow), 1.0)
        };
        head.paint(Oval::new(0.0, 0.46, 0.2, 0.22), 0.002, |x, y| self.face(x, y), lit);
        self.relief(&mut head);
        if self.beard {
            let hair = self.hair;
            let jaw = |x: f32, y: f32| {
                let area = self.face(x, y).max(0.535 + 0.02 * (x * 30.0).cos() - y - (x.abs() - 0.06).max(0.0) * 1.2);
                area.max(-Oval::new(0.0, 0.566, 0.05, 0.022).distance(x, y))
            };
            head.paint(Oval::new(0.0, 0.58, 0.16, 0.10), 0.022, jaw, move |_, _| (shade(hair, 1.1), 0.62));
        }
        self.front_hair(&mut head, random);
        head.finish()
    }

    /// Cheeks, nose and the shadows around the eyes.
    fn relief(&self, head: &mut Layer) {
        let skin = self.skin;
        let blush = mix(skin, [216.0, 104.0, 88.0], 0.42);
        for side in [-1.0, 1.0] {
            head.oval(Oval::new(0.082 * side, 0.525, 0.036, 0.026), 0.05, blush, 0.30);
            head.oval(Oval::new(0.058 * side, 0.452, 0.036, 0.024), 0.03, shade(skin, 0.80), 0.36);
            head.oval(Oval::new(0.014 * side, 0.526, 0.011, 0.008), 0.008, shade(skin, 0.76), 0.55);
            head.oval(Oval::new(0.009 * side, 0.531, 0.0045, 0.003), 0.004, shade(skin, 0.45), 0.75);
        }
        head.oval(Oval::new(0.011, 0.487, 0.007, 0.036), 0.018, shade(skin, 0.80), 0.45);
        head.oval(Oval::new(-0.003, 0.495, 0.005, 0.032), 0.012, shade(skin, 1.16), 0.50);
        head.oval(Oval::new(-0.002, 0.517, 0.010, 0.008), 0.012, shade(skin, 1.14), 0.55);
        head.oval(Oval::new(0.0, 0.605, 0.030, 0.008), 0.016, shade(skin, 0.82), 0.5);
        head.oval(Oval::new(-0.03, 0.37, 0.06, 0.03), 0.06, shade(skin, 1.14), 0.4);
    }

    fn back_hair(&self, head: &mut Layer) {
        let dark = shade(self.hair, 0.72);
        match self.cut {
            Cut::Short => {}
            Cut::Long => {
                let fall = Oval::new(0.0, 0.53, self.half + 0.034, 0.21);
                head.paint(fall, 0.006, |x, y| rounded(fall, 0.12, x + 0.01 * (y * 17.0).sin(), y), move |_, _| (dark, 1.0));
            }
            Cut::Bun => head.oval(Oval::new(0.02, 0.205, 0.062, 0.055), 0.004, shade(self.hair, 0.9), 1.0),
        }
        let crown = Oval::new(0.0, 0.42, self.half + 0.022, 0.205);
        head.paint(crown, 0.004, |x, y| crown.distance(x, y).max(y - 0.52), move |_, _| (dark, 1.0));
    }

    /// The hair above a curved hairline, with strands.
    fn front_hair(&self, head: &mut Layer, random: &mut Random) {
        let (part, hair) = (random.between(-0.05, 0.05), self.hair);
        let (temple, rise) = if self.cut == Cut::Short { (0.40, 2.4) } else { (0.46, 4.2) };
        let crown = Oval::new(0.0, 0.41, self.half + 0.018, 0.192);
        let hairline = move |x: f32| {
            let away = x - part;
            (0.317 + rise * away * away + 0.05 * away.abs()).min(temple)
        };
        let area = move |x: f32, y: f32| crown.distance(x, y).max((y - hairline(x)) * 0.8);
        let strands = move |x: f32, y: f32| {
            let angle = (x - part).atan2(0.52 - y);
            let strand = (angle * 46.0).sin() * 0.05 + (angle * 117.0 + 2.0).sin() * 0.05;
            let shine = (-((y - 0.285 - 0.8 * x * x) / 0.028).powi(2)).exp() * 0.30;
            (shade(mix(hair, [255.0, 240.0, 220.0], shine * 0.4), 1.04 - 0.7 * x + strand + shine), 1.0)
        };
        let below = move |x: f32, y: f32| area(x, y - 0.012);
        head.paint(crown, 0.014, |x, y| below(x, y).max(self.face(x, y)), |_, _| (shade(self.skin, 0.62), 0.5));
        head.paint(crown, 0.004, area, strands);
        if self.cut == Cut::Long {
            for side in [-1.0f32, 1.0] {
                let lock = Oval::new(side * (self.half + 0.004), 0.57, 0.030, 0.19);
                // Close to the temple above, wider and wavy below.
                let drift = move |y: f32| side * 0.05 * (y - 0.44) + 0.008 * (y * 19.0 + side).sin() * (y - 0.38);
                let wavy = move |x: f32, y: f32| rounded(lock, 0.030, x - drift(y), y);
                let colour = move |x: f32, y: f32| {
                    let strand = ((x + 0.012 * (y * 19.0).sin()) * 420.0).sin() * 0.06;
                    (shade(hair, 0.98 - 0.5 * x + strand), 1.0)
                };
                head.paint(lock.grown(0.015), 0.005, wavy, colour);
            }
        }
    }
}

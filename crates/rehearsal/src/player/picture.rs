//! What a bot draws: a few things that it knows how to draw, by their names in every language of the word lists, and for any other word
//! a figure of several strokes that is the same each time. On a square of 1000, fitted into the area that a turn allows.

use visavis_games::{Area, Permit};
use visavis_wire::paper::Point;

/// Corners of a stroke, and its colour.
pub type Stroke = (u32, Vec<(f32, f32)>);

const INK: u32 = 0x2b_2b_2b;
const RED: u32 = 0xb0_3a_2e;
const GOLD: u32 = 0xe0_a9_2a;
const GREEN: u32 = 0x4f_7a_4a;
const BROWN: u32 = 0x6b_4f_3a;
const BLUE: u32 = 0x3b_6e_8f;
/// Between two points, tenths of a paper unit.
const STEP: f32 = 40.0;
/// Left free inside an area, for the width of the brush.
const MARGIN: f32 = 120.0;

type Recipe = fn() -> Vec<Stroke>;

const RECIPES: [(&[&str], Recipe); 9] = [
    (&["house", "房子", "casa", "maison", "Haus"], house),
    (&["sun", "太阳", "sol", "soleil", "Sonne"], sun),
    (&["tree", "树", "árbol", "arbre", "Baum", "árvore"], tree),
    (&["fish", "鱼", "pez", "poisson", "Fisch", "peixe"], fish),
    (&["flower", "花", "flor", "fleur", "Blume"], flower),
    (&["boat", "船", "barco", "bateau", "Boot", "sailing boat"], boat),
    (&["star", "星星", "estrella", "étoile", "Stern", "estrela"], star),
    (&["cat", "猫", "gato", "chat", "Katze"], cat),
    (&["apple", "苹果", "manzana", "pomme", "Apfel", "maçã", "cherry", "樱桃", "peach", "桃子"], apple),
];

pub fn knows(word: &str) -> bool {
    RECIPES.iter().any(|(names, _)| names.contains(&word))
}

pub fn of(word: &str) -> Vec<Stroke> {
    RECIPES.iter().find(|(names, _)| names.contains(&word)).map_or_else(|| figure(word), |(_, recipe)| recipe())
}

fn round(colour: u32, (x, y): (f32, f32), (wide, high): (f32, f32)) -> Stroke {
    let at = |step: i32| (step as f32 / 24.0 * std::f32::consts::TAU).sin_cos();
    (colour, (0..=24).map(at).map(|(sin, cos)| (x + wide * cos, y + high * sin)).collect())
}

fn line(colour: u32, corners: &[(i16, i16)]) -> Stroke {
    (colour, corners.iter().map(|(x, y)| (f32::from(*x), f32::from(*y))).collect())
}

fn house() -> Vec<Stroke> {
    vec![
        line(INK, &[(200, 950), (200, 450), (800, 450), (800, 950), (200, 950)]),
        line(RED, &[(120, 450), (500, 100), (880, 450), (120, 450)]),
        line(BROWN, &[(430, 950), (430, 680), (580, 680), (580, 950)]),
        line(BLUE, &[(260, 540), (380, 540), (380, 660), (260, 660), (260, 540)]),
    ]
}

fn sun() -> Vec<Stroke> {
    let ray = |step: i32| {
        let (sin, cos) = (step as f32 / 8.0 * std::f32::consts::TAU).sin_cos();
        (GOLD, vec![(500.0 + 300.0 * cos, 500.0 + 300.0 * sin), (500.0 + 450.0 * cos, 500.0 + 450.0 * sin)])
    };
    std::iter::once(round(GOLD, (500.0, 500.0), (220.0, 220.0))).chain((0..8).map(ray)).collect()
}

fn tree() -> Vec<Stroke> {
    vec![
        line(BROWN, &[(460, 950), (460, 600), (540, 600), (540, 950), (460, 950)]),
        round(GREEN, (500.0, 350.0), (260.0, 250.0)),
        round(GREEN, (330.0, 450.0), (150.0, 130.0)),
        round(GREEN, (670.0, 450.0), (150.0, 130.0)),
    ]
}

fn fish() -> Vec<Stroke> {
    vec![
        round(BLUE, (430.0, 500.0), (320.0, 190.0)),
        line(BLUE, &[(740, 500), (930, 340), (930, 660), (740, 500)]),
        round(INK, (250.0, 450.0), (25.0, 25.0)),
        line(BLUE, &[(420, 420), (500, 500), (420, 580)]),
    ]
}

fn flower() -> Vec<Stroke> {
    let petal = |step: i32| {
        let (sin, cos) = (step as f32 / 6.0 * std::f32::consts::TAU).sin_cos();
        round(RED, (500.0 + 170.0 * cos, 320.0 + 170.0 * sin), (85.0, 85.0))
    };
    let mut strokes = vec![round(GOLD, (500.0, 320.0), (85.0, 85.0))];
    strokes.extend((0..6).map(petal));
    strokes.push(line(GREEN, &[(500, 580), (490, 960)]));
    strokes.push(line(GREEN, &[(495, 800), (640, 690), (500, 850)]));
    strokes
}

fn boat() -> Vec<Stroke> {
    vec![
        line(BROWN, &[(150, 700), (850, 700), (720, 880), (280, 880), (150, 700)]),
        line(INK, &[(500, 700), (500, 120)]),
        line(INK, &[(500, 140), (800, 620), (500, 620)]),
        line(BLUE, &[(60, 930), (200, 900), (340, 940), (480, 900), (620, 940), (760, 900), (940, 930)]),
    ]
}

fn star() -> Vec<Stroke> {
    let at = |step: i32| {
        let (sin, cos) = (step as f32 * 0.4 * std::f32::consts::TAU - std::f32::consts::FRAC_PI_2).sin_cos();
        (500.0 + 430.0 * cos, 520.0 + 430.0 * sin)
    };
    vec![(GOLD, (0..=5).map(at).collect())]
}

fn cat() -> Vec<Stroke> {
    let mut strokes = vec![
        round(INK, (500.0, 560.0), (300.0, 260.0)),
        line(INK, &[(240, 430), (250, 130), (420, 320)]),
        line(INK, &[(580, 320), (750, 130), (760, 430)]),
        round(GREEN, (390.0, 500.0), (40.0, 40.0)),
        round(GREEN, (610.0, 500.0), (40.0, 40.0)),
        line(RED, &[(460, 600), (540, 600), (500, 650), (460, 600)]),
    ];
    for (height, far) in [(620, 600), (660, 670)] {
        strokes.push(line(INK, &[(420, height), (130, far)]));
        strokes.push(line(INK, &[(580, height), (870, far)]));
    }
    strokes
}

fn apple() -> Vec<Stroke> {
    vec![
        round(RED, (500.0, 580.0), (310.0, 320.0)),
        line(BROWN, &[(500, 280), (520, 100)]),
        line(GREEN, &[(515, 200), (640, 110), (740, 160), (620, 230), (515, 200)]),
    ]
}

/// A body, what stands on it and what hangs from it, as many and as large as the letters say: no likeness, but not twice the same.
fn figure(word: &str) -> Vec<Stroke> {
    let lot = |index: usize| {
        let mixed =
            word.bytes().fold(0xcbf2_9ce4u32 ^ index as u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        (mixed >> 8) as f32 / (1 << 24) as f32
    };
    let colours = [INK, RED, GREEN, BROWN, BLUE, GOLD];
    let colour = |index: usize| colours[(lot(index) * 6.0) as usize % 6];
    let (wide, high) = (180.0 + 180.0 * lot(0), 150.0 + 150.0 * lot(1));
    let mut strokes = vec![round(colour(2), (500.0, 500.0), (wide, high))];
    let limbs = 2 + (lot(3) * 4.0) as usize;
    for limb in 0..limbs {
        let share = (limb as f32 + 0.5) / limbs as f32 * 2.0 - 1.0;
        let (x, bend) = (500.0 + wide * 0.8 * share, 120.0 * lot(10 + limb) - 60.0);
        strokes.push((colour(4), vec![(x, 500.0 + high * 0.7), (x + bend, 850.0), (x + bend + 50.0, 940.0)]));
    }
    for spot in 0..2 + (lot(5) * 2.0) as usize {
        let size = 25.0 + 60.0 * lot(20 + spot);
        strokes.push(round(colour(6 + spot), (350.0 + 130.0 * spot as f32, 430.0 + 80.0 * lot(30 + spot)), (size, size)));
    }
    strokes.push((colour(7), vec![(380.0, 500.0 - high), (420.0 + 160.0 * lot(8), 80.0), (620.0, 500.0 - high * 0.8)]));
    strokes
}

/// A band of the folded picture, counted from 1: head, chest, hips, feet, each with lines that lead on over the fold. Its corners are
/// on a band of 1000 by 1000.
pub fn band(part: u8) -> Vec<Stroke> {
    match part {
        1 => vec![
            round(INK, (500.0, 480.0), (60.0, 400.0)),
            round(BLUE, (480.0, 380.0), (8.0, 50.0)),
            round(BLUE, (520.0, 380.0), (8.0, 50.0)),
            line(RED, &[(475, 640), (500, 720), (525, 640)]),
            line(INK, &[(485, 880), (485, 1000)]),
            line(INK, &[(515, 880), (515, 1000)]),
        ],
        2 => vec![
            line(INK, &[(485, 0), (485, 120), (420, 200), (440, 1000)]),
            line(INK, &[(515, 0), (515, 120), (580, 200), (560, 1000)]),
            line(INK, &[(420, 200), (300, 700), (280, 640)]),
            line(INK, &[(580, 200), (700, 700), (720, 640)]),
            line(RED, &[(450, 400), (550, 400)]),
        ],
        3 => vec![
            line(BROWN, &[(440, 0), (430, 300), (430, 1000)]),
            line(BROWN, &[(560, 0), (570, 300), (570, 1000)]),
            line(BROWN, &[(430, 150), (570, 150)]),
            line(BROWN, &[(500, 400), (500, 1000)]),
        ],
        _ => vec![
            line(BROWN, &[(430, 0), (440, 700), (380, 820), (470, 820), (495, 0)]),
            line(BROWN, &[(570, 0), (560, 700), (620, 820), (530, 820), (505, 0)]),
            line(GREEN, &[(100, 900), (900, 900)]),
        ],
    }
}

/// Puts strokes where and as the turn allows them. `square`: with their shape kept, in the middle; otherwise stretched over the area.
pub fn fit(strokes: Vec<Stroke>, square: bool, permit: Permit) -> Vec<(u32, Vec<Point>)> {
    let area = permit.area;
    let margin = if square { MARGIN } else { 0.0 };
    let (left, top) = (f32::from(area.left) + margin, f32::from(area.top) + margin);
    let (wide, high) = (f32::from(area.right) - margin - left, f32::from(area.bottom) - margin - top);
    let scale = if square { (wide.min(high), wide.min(high)) } else { (wide, high) };
    let from = (left + (wide - scale.0) / 2.0, top + (high - scale.1) / 2.0);
    let place = |(x, y): (f32, f32)| (from.0 + x / 1000.0 * scale.0, from.1 + y / 1000.0 * scale.1);
    let first = strokes.first().map_or(INK, |stroke| stroke.0);
    let colour = |wanted: u32| if permit.one_colour { first } else { wanted };
    let mut placed: Vec<Stroke> =
        strokes.into_iter().map(|(wanted, corners)| (colour(wanted), corners.into_iter().map(place).collect())).collect();
    if permit.one_stroke {
        placed = vec![(first, placed.into_iter().flat_map(|stroke| stroke.1).collect())];
    }
    placed.into_iter().map(|(colour, corners)| (colour, along(&corners, area))).collect()
}

fn along(corners: &[(f32, f32)], area: Area) -> Vec<Point> {
    let mut points = Vec::new();
    for pair in corners.windows(2) {
        let (dx, dy) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
        let steps = (dx.hypot(dy) / STEP).ceil().max(1.0);
        for step in 0..steps as u16 {
            points.push((pair[0].0 + dx * f32::from(step) / steps, pair[0].1 + dy * f32::from(step) / steps));
        }
    }
    points.extend(corners.last());
    let point = |(x, y): (f32, f32)| Point {
        x: (x as u16).clamp(area.left, area.right),
        y: (y as u16).clamp(area.top, area.bottom),
        pressure: 128,
    };
    points.into_iter().map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_games::words::{Difficulty, Language, list};

    #[test]
    fn every_word_of_every_list_is_a_drawing_inside_its_area() {
        let half = Area { left: 8000, ..Area::PAPER };
        let permit = Permit { area: half, ..Permit::FREE };
        for language in Language::ALL {
            for word in Difficulty::ALL.iter().flat_map(|difficulty| list(language).of(*difficulty)) {
                let strokes = fit(of(word.shown()), true, permit);
                assert!(strokes.len() >= 3 || knows(word.shown()), "{}", word.shown());
                let wide = strokes.iter().flat_map(|stroke| &stroke.1).all(|point| half.holds(point.x, point.y));
                assert!(wide, "{}", word.shown());
                assert_eq!(fit(of(word.shown()), true, Permit { one_stroke: true, ..permit }).len(), 1);
            }
        }
    }

    #[test]
    fn recipes_are_of_words_that_the_lists_have() {
        for (names, _) in RECIPES {
            let known = names.iter().filter(|name| Language::ALL.iter().any(|language| list(*language).find(name).is_some()));
            assert!(known.count() >= 3, "{names:?}");
        }
        assert_ne!(of("teapot"), of("ladder"), "two words are two drawings");
    }

    #[test]
    fn bands_lead_on_over_the_fold() {
        let at = |part: u8, edge: f32| -> Vec<i32> {
            let mut places: Vec<i32> = band(part)
                .iter()
                .flat_map(|stroke| &stroke.1)
                .filter(|corner| corner.1 == edge)
                .map(|corner| corner.0 as i32)
                .collect();
            places.sort_unstable();
            places
        };
        for part in 1..3 {
            assert_eq!(at(part, 1000.0), at(part + 1, 0.0), "{part}");
        }
    }
}

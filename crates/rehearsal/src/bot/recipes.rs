//! What a bot draws, as strokes.

use visavis_wire::paper::Point;

/// Colour and points of one stroke.
pub type Line = (u32, Vec<Point>);

/// A house in five strokes, so that a tester sees at once whether order and colours arrive.
pub fn house() -> Vec<Line> {
    let recipes: [(u32, &[(u16, u16)]); 5] = [
        (0x2b_2b_2b, &[(6000, 7600), (6000, 4600), (9600, 4600), (9600, 7600), (6000, 7600)]),
        (0xb0_3a_2e, &[(5600, 4600), (7800, 2800), (10_000, 4600)]),
        (0x6b_4f_3a, &[(7300, 7600), (7300, 6000), (8300, 6000), (8300, 7600)]),
        (0x3b_6e_8f, &[(6400, 5200), (7000, 5200), (7000, 5800), (6400, 5800), (6400, 5200)]),
        (0x4f_7a_4a, &[(4000, 7650), (12_000, 7650)]),
    ];
    recipes.map(|(colour, corners)| (colour, corners.windows(2).flat_map(|pair| between(pair[0], pair[1])).collect())).into()
}

/// A sun above the house, eight rays and a circle.
pub fn sun() -> Vec<Line> {
    let (x, y) = (12_600.0f32, 2200.0f32);
    let at = |turn: f32, radius: f32| {
        let (sin, cos) = (turn * std::f32::consts::TAU).sin_cos();
        ((x + cos * radius) as u16, (y + sin * radius) as u16)
    };
    let circle = (0..32).flat_map(|step| between(at(step as f32 / 32.0, 700.0), at((step + 1) as f32 / 32.0, 700.0)));
    let rays = (0..8).map(|ray| (0xd9_7b_1e, between(at(ray as f32 / 8.0, 950.0), at(ray as f32 / 8.0, 1350.0))));
    std::iter::once((0xe0_a9_2a, circle.collect())).chain(rays).collect()
}

/// Points along a straight line, one every 40 tenths of a paper unit.
fn between(from: (u16, u16), to: (u16, u16)) -> Vec<Point> {
    let (dx, dy) = (f32::from(to.0) - f32::from(from.0), f32::from(to.1) - f32::from(from.1));
    let steps = (dx.hypot(dy) / 40.0).ceil().max(1.0);
    (0..=steps as u16)
        .map(|step| {
            let t = f32::from(step) / steps;
            Point { x: (f32::from(from.0) + dx * t) as u16, y: (f32::from(from.1) + dy * t) as u16, pressure: 128 }
        })
        .collect()
}

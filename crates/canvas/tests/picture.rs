//! What the page and this crate must agree on, as files that both test against: `ink.json`, the corners of strokes, and
//! `drawing.json` with `drawing.png`, a drawing of every kind of mark (`ui/e2e/paper.mjs` compares the page's canvas with it).
//!
//! `VISAVIS_WRITE=1` writes them anew, after a change that is meant.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use std::path::PathBuf;
use visavis_canvas::ink::{self, Outline};
use visavis_canvas::raster::{Picture, SHEET};
use visavis_wire::paper::{Author, CELL_COLUMNS, Fill, Form, Op, OpId, OpKind, Place, Point, Run, Shape, Stroke};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

fn writes() -> bool {
    std::env::var_os("VISAVIS_WRITE").is_some()
}

/// Corners as they come, polygons closed by null.
#[derive(Default)]
struct Corners(Vec<Value>);

impl Outline for Corners {
    fn move_to(&mut self, x: f64, y: f64) {
        self.0.push(json!([x, y]));
    }

    fn line_to(&mut self, x: f64, y: f64) {
        self.0.push(json!([x, y]));
    }

    fn close(&mut self) {
        self.0.push(Value::Null);
    }
}

type Raw = (u16, u16, u8);

const STROKES: [(&str, u16, &[Raw]); 8] = [
    ("a dot", 70, &[(800, 900, 128)]),
    ("a dot that was pressed twice", 70, &[(800, 900, 10), (800, 900, 255)]),
    ("two points", 333, &[(15_999, 3, 255), (16_000, 10_000, 0)]),
    ("a bend", 80, &[(1000, 1000, 128), (1400, 1000, 128), (1400, 1500, 128)]),
    ("a wave of uneven pressure", 41, &[(10, 10, 0), (50, 90, 60), (120, 20, 128), (190, 95, 200), (260, 10, 255)]),
    ("back along itself", 600, &[(500, 500, 128), (900, 500, 128), (500, 500, 128), (501, 500, 90)]),
    ("within its own width", 1000, &[(500, 500, 128), (510, 505, 128), (512, 495, 128), (505, 490, 128)]),
    ("points that repeat", 20, &[(7, 7, 128), (7, 7, 128), (7, 7, 130), (90, 8, 128), (90, 8, 128)]),
];

fn points(raw: &[Raw]) -> Vec<Point> {
    raw.iter().map(|&(x, y, pressure)| Point { x, y, pressure }).collect()
}

#[test]
fn the_corners_of_strokes_are_what_the_page_has() {
    let vectors: Vec<Value> = STROKES
        .iter()
        .map(|&(name, size, raw)| {
            let mut corners = Corners::default();
            ink::outline(&mut corners, &ink::chain(&points(raw), size));
            let raw: Vec<Value> = raw.iter().map(|&(x, y, pressure)| json!([x, y, pressure])).collect();
            json!({ "name": name, "size": size, "points": raw, "corners": corners.0 })
        })
        .collect();
    let lines: Vec<String> = vectors.iter().map(Value::to_string).collect();
    let text = format!("[\n{}\n]\n", lines.join(",\n"));
    if writes() {
        std::fs::write(file("ink.json"), &text).unwrap();
    }
    let kept = std::fs::read_to_string(file("ink.json")).unwrap();
    assert!(kept == text, "ink.json differs from what the strokes come to now");
}

fn wave(from: (f64, f64), width: f64, height: f64, count: usize, pressure: impl Fn(f64) -> f64) -> Vec<Point> {
    let point = |index| {
        let s = index as f64 / (count - 1) as f64;
        let (x, y) = (from.0 + width * s, from.1 + height * (s * 19.0).sin());
        Point { x: x.round() as u16, y: y.round() as u16, pressure: pressure(s).round() as u8 }
    };
    (0..count).map(point).collect()
}

fn disc(column: i32, row: i32, radius: i32) -> Vec<Run> {
    let (mut runs, mut end) = (Vec::new(), 0);
    for y in row - radius..=row + radius {
        let half = f64::from(radius * radius - (y - row) * (y - row)).sqrt() as i32;
        let start = (y * i32::from(CELL_COLUMNS) + column - half) as u32;
        runs.push(Run(start - end, (2 * half + 1) as u16));
        end = start + (2 * half + 1) as u32;
    }
    runs
}

/// Every kind of mark, over one another.
fn drawing() -> Vec<Op> {
    let shape = |form, colour, size, from: (u16, u16), to: (u16, u16)| {
        let (from, to) = (Place { x: from.0, y: from.1 }, Place { x: to.0, y: to.1 });
        OpKind::Shape(Shape { form, colour, size, from, to })
    };
    let stroke = |colour, size, points| OpKind::Stroke(Stroke { colour, size, points });
    let kinds = [
        OpKind::Clear,
        stroke(Some(0x2d_4b_8c), 120, wave((900.0, 7300.0), 14_000.0, 420.0, 140, |s| 40.0 + 200.0 * s)),
        stroke(Some(0x1f_1b_18), 30, wave((900.0, 8400.0), 14_000.0, 900.0, 500, |_| 128.0)),
        OpKind::Fill(Fill { colour: 0xe5_b8_3c, runs: disc(1240, 240, 130) }),
        shape(Form::Ellipse, 0xe0_7b_2a, 90, (11_100, 1100), (13_700, 3700)),
        shape(Form::Rectangle, 0x7a_4b_2a, 60, (6000, 5800), (2400, 2600)),
        shape(Form::Line, 0xc2_3b_28, 140, (2200, 2700), (4200, 900)),
        shape(Form::Line, 0xc2_3b_28, 140, (4200, 900), (6200, 2700)),
        shape(Form::Ellipse, 0x55_90_4b, 300, (8000, 5000), (8000, 5000)),
        stroke(None, 260, wave((600.0, 7600.0), 5200.0, 700.0, 60, |_| 128.0)),
        stroke(Some(0x7b_51_9e), 400, points(&[(7000, 1800, 128), (9400, 1900, 128), (7000, 2000, 128)])),
        stroke(Some(0xd6_73_9a), 200, points(&[(15_600, 9600, 200)])),
    ];
    (1..).zip(kinds).map(|(seq, kind)| Op { id: OpId { author: Author(0), seq }, time: seq, live: 0, kind }).collect()
}

fn picture(ops: &[Op]) -> Picture {
    let mut picture = Picture::blank().unwrap();
    ops.iter().for_each(|op| picture.draw(op));
    picture
}

fn pixels(png: &[u8]) -> Vec<u8> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut bytes).unwrap();
    bytes
}

/// Rims may be blended a little differently on another processor; areas may not.
#[test]
fn the_drawing_is_what_it_was() {
    let ops = drawing();
    let text = format!("[\n{}\n]\n", ops.iter().map(|op| json!(op).to_string()).collect::<Vec<_>>().join(",\n"));
    let png = picture(&ops).png(Some(SHEET)).unwrap();
    if writes() {
        std::fs::write(file("drawing.json"), &text).unwrap();
        std::fs::write(file("drawing.png"), &png).unwrap();
    }
    assert!(std::fs::read_to_string(file("drawing.json")).unwrap() == text, "drawing.json is of another drawing");
    let (now, kept) = (pixels(&png), pixels(&std::fs::read(file("drawing.png")).unwrap()));
    assert_eq!(now.len(), kept.len());
    let worst = now.iter().zip(&kept).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    assert!(worst <= 8, "a channel differs by {worst}");
}

#[test]
fn pixels_are_where_they_should_be() {
    let ops = drawing();
    let png = picture(&ops).png(None).unwrap();
    let all = pixels(&png);
    let at = |x: usize, y: usize| -> [u8; 4] { all[(y * 1600 + x) * 4..][..4].try_into().unwrap() };
    assert_eq!(at(1240, 240), [0xe5, 0xb8, 0x3c, 255], "the middle of the fill");
    assert_eq!(at(1240, 110), [0xe0, 0x7b, 0x2a, 255], "the rim of the ellipse lies over it");
    assert_eq!(at(10, 10), [0, 0, 0, 0]);
    assert_eq!(at(240, 400), [0x7a, 0x4b, 0x2a, 255], "a side of the rectangle");
    assert_eq!(at(800, 500), [0x55, 0x90, 0x4b, 255], "an ellipse without extent is a dot");
    assert_eq!(at(1560, 960), [0xd6, 0x73, 0x9a, 255], "a stroke of one point is a dot");
    assert_eq!(at(60, 760)[3], 0, "rubbed out");
    let mut wiped = picture(&ops);
    wiped.draw(&ops[0]);
    assert_eq!(wiped.hash(), Picture::blank().unwrap().hash());
}

/// A clear, and what is drawn in two parts: freezing at any height gives the same picture.
#[test]
fn a_picture_may_be_made_in_parts() {
    let ops = drawing();
    let whole = picture(&ops).hash();
    for at in 0..ops.len() {
        let mut lower = picture(&ops[..at]);
        ops[at..].iter().for_each(|op| lower.draw(op));
        assert_eq!(lower.hash(), whole, "in two parts at {at}");
    }
}

/// The outline of a stroke that turns within its own width has no holes.
#[test]
fn a_thick_scribble_is_solid() {
    let turn = |i: u32| {
        let angle = f64::from(i) * 0.7;
        Point { x: (8000.0 + 300.0 * angle.cos()) as u16, y: (5000.0 + 200.0 * (angle * 1.3).sin()) as u16, pressure: 128 }
    };
    let stroke = Stroke { colour: Some(0), size: 900, points: (0..60).map(turn).collect() };
    let op = Op { id: OpId { author: Author(0), seq: 1 }, time: 1, live: 0, kind: OpKind::Stroke(stroke) };
    let all = pixels(&picture(&[op]).png(None).unwrap());
    for y in 480..520 {
        for x in 770..830 {
            assert_eq!(all[(y * 1600 + x) * 4 + 3], 255, "a hole at {x}, {y}");
        }
    }
}

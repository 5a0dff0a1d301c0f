//! The edge of a folded drawing: what of it reaches into a strip, as marks of its own. The same marks give the same edge on both
//! sides, to the last number, so that an edge can be compared with the drawing once that is opened. No other part of the drawing is in it
//! but what wide strokes have above the strip, up to half their width.

use crate::view::Area;
use std::collections::BTreeSet;
use visavis_wire::limits;
use visavis_wire::paper::{CELL_COLUMNS, PAPER_HEIGHT};
use visavis_wire::paper::{COLOURS, Fill, Form, Op, OpKind, Place, Point, Run, SIZES, Shape, Stroke, cells};

/// Points nearer to the one before them, across and down, are left out: no eye sees them on a strip.
const NEAR: u16 = 10;
/// The pressure that draws the brush's own width.
const EVEN: u8 = 128;
/// Corners of a quarter of an ellipse.
const QUARTER: i64 = 16;

enum Kept {
    /// Each with the strip that it lies in.
    Marks(Vec<(Area, OpKind)>),
    Undo {
        seq: u32,
        undone: bool,
    },
}

/// What of one side's marks lies in any of the strips.
#[derive(Default)]
pub(crate) struct Edges(Vec<(u32, Kept)>);

impl Edges {
    pub fn drew(&mut self, op: &Op, strips: &[Area]) {
        let kept = match &op.kind {
            OpKind::Undo { target, undone } => Kept::Undo { seq: target.seq, undone: *undone },
            kind => {
                let within = |strip: &Area| parts(kind, *strip).into_iter().map(|part| (*strip, part)).collect::<Vec<_>>();
                Kept::Marks(strips.iter().flat_map(within).collect())
            }
        };
        if !strips.is_empty() && !matches!(&kept, Kept::Marks(marks) if marks.is_empty()) {
            self.0.push((op.id.seq, kept));
        }
    }

    /// Of the operations above `begin` up to `end` in the strips of this band, bottom first: a mark at the band's upper rim touches the
    /// strip of the band above too. Where there is more than a move may hold, the newest.
    pub fn of(&self, begin: u32, end: u32, band: Area) -> Vec<OpKind> {
        let own = |strip: &Area| band.top <= strip.top && strip.bottom <= band.bottom;
        let within = || self.0.iter().filter(|(seq, _)| *seq > begin && *seq <= end);
        let mut undone = BTreeSet::new();
        for (_, kept) in within() {
            match kept {
                Kept::Undo { seq, undone: true } => undone.insert(*seq),
                Kept::Undo { seq, undone: false } => undone.remove(seq),
                Kept::Marks(_) => false,
            };
        }
        let mut marks: Vec<OpKind> = Vec::new();
        for (_, kept) in within().filter(|(seq, _)| !undone.contains(seq)) {
            if let Kept::Marks(parts) = kept {
                marks.extend(parts.iter().filter(|(strip, _)| own(strip)).map(|(_, part)| part.clone()));
            }
        }
        let (mut points, mut runs) = (0, 0);
        let fits = |mark: &&OpKind| {
            match mark {
                OpKind::Stroke(stroke) => points += stroke.points.len(),
                OpKind::Fill(fill) => runs += fill.runs.len(),
                _ => {}
            }
            points <= limits::EDGE_POINTS && runs <= limits::EDGE_RUNS
        };
        let count = marks.iter().rev().take(limits::EDGE_MARKS).take_while(fits).count();
        marks.split_off(marks.len() - count)
    }
}

/// Whether somebody else's program may have made it, and a page can draw it.
pub(crate) fn is_sound(marks: &[OpKind], strip: Area) -> bool {
    marks.iter().all(|mark| match mark {
        OpKind::Stroke(Stroke { colour, size, points }) => {
            let area = reached(strip, *size);
            SIZES.contains(size)
                && colour.is_none_or(|colour| COLOURS.contains(&colour))
                && !points.is_empty()
                && points.iter().all(|point| area.holds(point.x, point.y))
        }
        OpKind::Fill(fill) => {
            let whole = cells(&fill.runs).filter(|(_, row, _)| strip.holds(0, row * 10)).count();
            COLOURS.contains(&fill.colour) && whole == fill.runs.len()
        }
        OpKind::Shape(_) | OpKind::Undo { .. } | OpKind::Clear => false,
    })
}

/// The strip, and what lies so near above it that a stroke of this width reaches in.
fn reached(strip: Area, size: u16) -> Area {
    Area { top: strip.top.saturating_sub(size / 2), ..strip }
}

fn parts(kind: &OpKind, strip: Area) -> Vec<OpKind> {
    match kind {
        OpKind::Stroke(Stroke { colour, size, points }) => stroke(*colour, *size, points, strip),
        OpKind::Shape(shape) => {
            let lines = lines(*shape);
            lines.iter().flat_map(|line| stroke(Some(shape.colour), shape.size, line, strip)).collect()
        }
        OpKind::Fill(fill) => {
            let runs = within(fill, strip);
            if runs.is_empty() { Vec::new() } else { vec![OpKind::Fill(Fill { colour: fill.colour, runs })] }
        }
        OpKind::Undo { .. } | OpKind::Clear => Vec::new(),
    }
}

fn stroke(colour: Option<u32>, size: u16, points: &[Point], strip: Area) -> Vec<OpKind> {
    let area = reached(strip, size);
    let mut pieces: Vec<Vec<Point>> = vec![Vec::new()];
    let mut before: Option<Point> = None;
    for point in points {
        let (inside, was) = (area.holds(point.x, point.y), before.is_some_and(|before| area.holds(before.x, before.y)));
        if let Some(before) = before
            && inside != was
            && let Some(crossing) = crossing(before, *point, area)
            && let Some(piece) = pieces.last_mut()
        {
            piece.push(crossing);
        }
        if inside && let Some(piece) = pieces.last_mut() {
            piece.push(*point);
        } else if was {
            pieces.push(Vec::new());
        }
        before = Some(*point);
    }
    let thinned = pieces.into_iter().filter(|piece| !piece.is_empty()).map(thin);
    thinned.map(|points| OpKind::Stroke(Stroke { colour, size, points })).collect()
}

/// Where the way between two points meets the upper or the lower rim.
fn crossing(a: Point, b: Point, area: Area) -> Option<Point> {
    let outside = if area.holds(a.x, a.y) { b } else { a };
    let rim = if outside.y < area.top { area.top } else { area.bottom };
    let (down, across) = (i64::from(b.y) - i64::from(a.y), i64::from(b.x) - i64::from(a.x));
    let gone = i64::from(rim) - i64::from(a.y);
    let x = i64::from(a.x) + (across * gone).checked_div(down)?;
    let pressure = if area.holds(a.x, a.y) { a.pressure } else { b.pressure };
    let x = u16::try_from(x).ok().filter(|x| area.holds(*x, rim))?;
    Some(Point { x, y: rim, pressure })
}

/// Without points that are near the one before; the last stays.
fn thin(points: Vec<Point>) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::new();
    let last = points.len() - 1;
    for (at, point) in points.into_iter().enumerate() {
        let near = |before: &Point| before.x.abs_diff(point.x) < NEAR && before.y.abs_diff(point.y) < NEAR;
        if at == last || !kept.last().is_some_and(near) {
            kept.push(point);
        }
    }
    kept
}

/// A shape's outline as lines.
fn lines(shape: Shape) -> Vec<Vec<Point>> {
    let at = |x: u16, y: u16| Point { x, y, pressure: EVEN };
    let Shape { from: Place { x: left, y: top }, to: Place { x: right, y: bottom }, .. } = shape;
    match shape.form {
        Form::Line => vec![vec![at(left, top), at(right, bottom)]],
        // Each side by itself: the corners of a stroke are rounded.
        Form::Rectangle => vec![
            vec![at(left, top), at(right, top)],
            vec![at(right, top), at(right, bottom)],
            vec![at(right, bottom), at(left, bottom)],
            vec![at(left, bottom), at(left, top)],
        ],
        Form::Ellipse => vec![ellipse((left, top), (right, bottom))],
    }
}

/// In whole numbers: t/16 in ((1 - t^2)/(1 + t^2), 2t/(1 + t^2)) runs through a quarter of the circle.
fn ellipse(from: (u16, u16), to: (u16, u16)) -> Vec<Point> {
    let sum = |a: u16, b: u16| i64::from(a) + i64::from(b);
    let (width, height) = (i64::from(from.0.abs_diff(to.0)), i64::from(from.1.abs_diff(to.1)));
    let quarter: Vec<(i64, i64, i64)> =
        (0..QUARTER).map(|t| (QUARTER * QUARTER - t * t, 2 * QUARTER * t, QUARTER * QUARTER + t * t)).collect();
    let turned = |turn: usize, (cos, sin, whole): (i64, i64, i64)| match turn {
        0 => (cos, sin, whole),
        1 => (-sin, cos, whole),
        2 => (-cos, -sin, whole),
        _ => (sin, -cos, whole),
    };
    let corners = (0..4).flat_map(|turn| quarter.iter().map(move |corner| turned(turn, *corner)));
    let place = |(cos, sin, whole): (i64, i64, i64)| {
        let x = (sum(from.0, to.0) + width * cos / whole) / 2;
        let y = (sum(from.1, to.1) + height * sin / whole) / 2;
        Point { x: u16::try_from(x).unwrap_or(0), y: u16::try_from(y).unwrap_or(0), pressure: EVEN }
    };
    let mut points: Vec<Point> = corners.map(place).collect();
    points.extend(points.first().copied());
    points
}

/// The rows of a fill that begin within the strip.
fn within(fill: &Fill, strip: Area) -> Vec<Run> {
    let mut end = 0u32;
    let mut runs = Vec::new();
    for (column, row, length) in cells(&fill.runs) {
        if row * 10 < strip.top || row * 10 >= strip.bottom.min(PAPER_HEIGHT) {
            continue;
        }
        let start = u32::from(row) * u32::from(CELL_COLUMNS) + u32::from(column);
        runs.push(Run(start - end, length));
        end = start + u32::from(length);
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use visavis_wire::paper::{Author, OpId};

    const STRIP: Area = Area { left: 0, top: 2250, right: 16_000, bottom: 2500 };

    fn op(seq: u32, kind: OpKind) -> Op {
        Op { id: OpId { author: Author(0), seq }, time: seq, live: 0, kind }
    }

    fn point(x: u16, y: u16) -> Point {
        Point { x, y, pressure: 100 }
    }

    fn line(points: &[(u16, u16)]) -> OpKind {
        let points = points.iter().map(|(x, y)| point(*x, *y)).collect();
        OpKind::Stroke(Stroke { colour: Some(7), size: 20, points })
    }

    fn edge(kinds: &[OpKind]) -> Vec<OpKind> {
        let mut edges = Edges::default();
        for (seq, kind) in (1..).zip(kinds) {
            edges.drew(&op(seq, kind.clone()), &[STRIP]);
        }
        edges.of(0, u32::MAX, Area::PAPER)
    }

    #[test]
    fn a_mark_at_the_upper_rim_of_a_band_is_not_of_the_band_above() {
        let band = Area { top: STRIP.bottom, bottom: 5000, ..STRIP };
        let own = Area { top: 4750, ..band };
        let mut edges = Edges::default();
        edges.drew(&op(1, line(&[(100, band.top), (900, band.top)])), &[STRIP, own]);
        assert_eq!(edges.of(0, u32::MAX, band), []);
        edges.drew(&op(2, line(&[(100, 4800), (900, 4800)])), &[STRIP, own]);
        let marks = edges.of(0, u32::MAX, band);
        assert!(marks.len() == 1 && is_sound(&marks, own), "{marks:?}");
    }

    #[test]
    fn a_stroke_is_cut_where_it_enters_and_leaves() {
        let zigzag = line(&[(0, 1000), (1000, 2440), (2000, 1000), (3000, 100), (3100, 2500)]);
        let [OpKind::Stroke(first), OpKind::Stroke(second)] = &edge(&[zigzag])[..] else { panic!("two pieces") };
        let places = |stroke: &Stroke| stroke.points.iter().map(|point| (point.x, point.y)).collect::<Vec<_>>();
        assert_eq!(places(first), [(861, 2240), (1000, 2440), (1138, 2240)]);
        assert_eq!(places(second), [(3089, 2240), (3100, 2500)]);
        assert_eq!(edge(&[line(&[(0, 1000), (9000, 2200)])]), [], "nothing of what stays above");
    }

    #[test]
    fn what_was_taken_back_is_not_there_and_what_was_brought_back_is() {
        let (one, two) = (line(&[(10, 2400), (900, 2400)]), line(&[(10, 2300), (900, 2300)]));
        let undo = |seq, undone| OpKind::Undo { target: OpId { author: Author(0), seq }, undone };
        assert_eq!(edge(&[one.clone(), two.clone(), undo(1, true)]), std::slice::from_ref(&two));
        assert_eq!(edge(&[one.clone(), two.clone(), undo(1, true), undo(1, false)]), [one, two]);
    }

    #[test]
    fn shapes_and_fills_reach_in() {
        let shape = |form| {
            let (from, to) = (Place { x: 1000, y: 500 }, Place { x: 3000, y: 2400 });
            OpKind::Shape(Shape { form, colour: 9, size: 20, from, to })
        };
        assert_eq!(edge(&[shape(Form::Line)]).len(), 1);
        assert_eq!(edge(&[shape(Form::Rectangle)]).len(), 3, "two sides and the bottom");
        let [OpKind::Stroke(arc)] = &edge(&[shape(Form::Ellipse)])[..] else { panic!("one arc") };
        let lowest = arc.points.iter().map(|point| point.y).max();
        assert_eq!(lowest, Some(2400));
        let runs = vec![Run(1600 * 200, 10), Run(1590, 10), Run(1600 * 30, 10)];
        let fill = OpKind::Fill(Fill { colour: 3, runs });
        let [OpKind::Fill(fill)] = &edge(&[fill])[..] else { panic!("a fill") };
        assert_eq!(cells(&fill.runs).collect::<Vec<_>>(), [(10, 231, 10)]);
    }

    proptest! {
        /// Whatever is drawn, its edge is one that the other side takes, tells nothing of what lies well above, and fits.
        #[test]
        fn edges_are_sound_and_small(
            strokes in proptest::collection::vec(
                (proptest::collection::vec((0u16..=16_000, 0u16..=2500), 1..80), 5u16..=1000), 0..60),
        ) {
            let kinds: Vec<OpKind> = strokes
                .into_iter()
                .map(|(points, size)| {
                    let points = points.into_iter().map(|(x, y)| point(x, y)).collect();
                    OpKind::Stroke(Stroke { colour: Some(1), size, points })
                })
                .collect();
            let marks = edge(&kinds);
            prop_assert!(is_sound(&marks, STRIP));
            prop_assert!(marks.len() <= limits::EDGE_MARKS);
            let points: usize = marks.iter().map(|mark| if let OpKind::Stroke(stroke) = mark { stroke.points.len() } else { 0 }).sum();
            prop_assert!(points <= limits::EDGE_POINTS);
            let highest = marks.iter().flat_map(|mark| match mark {
                OpKind::Stroke(stroke) => stroke.points.iter().map(|point| point.y + stroke.size / 2).collect(),
                _ => Vec::new(),
            });
            prop_assert!(highest.min().is_none_or(|y| y >= STRIP.top));
        }
    }
}

//! The shared paper's operations as they travel: strokes, shapes, fills, undo, clear. How they merge is the business of
//! `canvas`.
//!
//! Coordinates are tenths of a paper unit on a paper of 1600 x 1000 units: x in `0..=16000`, y in `0..=10000`.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub const PAPER_WIDTH: u16 = 16_000;
pub const PAPER_HEIGHT: u16 = 10_000;
/// A fill is a set of cells of one square paper unit each.
pub const CELL_COLUMNS: u16 = 1600;
pub const CELL_ROWS: u16 = 1000;
/// Brush diameters, in tenths of a paper unit.
pub const SIZES: std::ops::RangeInclusive<u16> = 5..=1000;
/// Opaque 0xRRGGBB.
pub const COLOURS: std::ops::RangeInclusive<u32> = 0..=0x00FF_FFFF;

/// Which of the two drew it: 0 is the offerer of the match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(transparent)]
pub struct Author(pub u8);

/// Unique in a match; `seq` counts up from 1 for each author without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
pub struct OpId {
    pub author: Author,
    pub seq: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Point {
    pub x: u16,
    pub y: u16,
    /// 128 draws the brush's own diameter; lighter is thinner, harder thicker. Speed counts as lightness where a device
    /// reports no pressure, and it is the drawing side that turns it into a number.
    pub pressure: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Stroke {
    /// 0xRRGGBB; `None` rubs out what lies below.
    pub colour: Option<u32>,
    /// Diameter in tenths of a paper unit, within [`SIZES`].
    pub size: u16,
    pub points: Vec<Point>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    Line,
    Rectangle,
    Ellipse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Place {
    pub x: u16,
    pub y: u16,
}

/// An outline of even width between two opposite corners of its box; for a line, between its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Shape {
    pub form: Form,
    pub colour: u32,
    pub size: u16,
    pub from: Place,
    pub to: Place,
}

/// Cells side by side in one row: how many cells lie between the end of the run before (or the paper's first cell) and this
/// one, counted row after row, and how many it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Run(pub u32, pub u16);

/// What a flood fill covers, found out by the side that fills: the other side needs no picture of its own to agree with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Fill {
    pub colour: u32,
    pub runs: Vec<Run>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum OpKind {
    Stroke(Stroke),
    Shape(Shape),
    Fill(Fill),
    /// Takes back (or with `undone: false` restores) an operation of the same author.
    Undo {
        target: OpId,
        undone: bool,
    },
    /// Hides everything ordered before it; can be undone like a stroke.
    Clear,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Op {
    pub id: OpId,
    /// Lamport time; the picture's order is (`time`, `id.author`, `id.seq`).
    pub time: u32,
    /// Under which number its ink went over the live channel, so that wet ink gives way to its own stroke; 0: it did not.
    pub live: u32,
    pub kind: OpKind,
}

/// The parts of a [`Fill`] as (column, row, length), for as long as they lie on the paper.
pub fn cells(runs: &[Run]) -> impl Iterator<Item = (u16, u16, u16)> {
    let mut at = 0u32;
    runs.iter().map_while(move |&Run(gap, length)| {
        let start = at.checked_add(gap)?;
        at = start.checked_add(u32::from(length))?;
        let (column, row) = (start % u32::from(CELL_COLUMNS), start / u32::from(CELL_COLUMNS));
        let fits = row < u32::from(CELL_ROWS) && column + u32::from(length) <= u32::from(CELL_COLUMNS);
        fits.then_some((column as u16, row as u16, length))
    })
}

//! The shared paper's operations as they travel: strokes, undo, clear. How they merge is the business of `canvas`.
//!
//! Coordinates are tenths of a paper unit on a paper of 1600 x 1000 units: x in `0..=16000`, y in `0..=10000`.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub const PAPER_WIDTH: u16 = 16_000;
pub const PAPER_HEIGHT: u16 = 10_000;

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
    /// 0 lightest, 255 hardest; 128 where the device reports none.
    pub pressure: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Stroke {
    /// 0xRRGGBB
    pub colour: u32,
    /// Diameter in tenths of a paper unit, 5..=1000.
    pub size: u16,
    pub points: Vec<Point>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum OpKind {
    Stroke(Stroke),
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
    pub kind: OpKind,
}

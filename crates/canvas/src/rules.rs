//! What an operation must be like to be taken, the same on both sides: whatever one side lets its own user do, the other
//! side accepts, and nothing else.

use crate::log::Log;
use visavis_wire::limits;
use visavis_wire::paper::{COLOURS, Fill, Op, OpId, OpKind, PAPER_HEIGHT, PAPER_WIDTH, Place, SIZES, Shape, Stroke, cells};

/// How far back an undo reaches, in Lamport time: about as many operations of both sides together. Both sides read it off
/// the two operations alone, so they agree on it whatever has arrived.
pub const UNDO_REACH: u32 = 400;
/// A redo reaches further, so that everything that could be taken back can be brought again.
pub const REDO_REACH: u32 = 800;

/// Operations of one author that can still change. What is older, and agreed on, is pixels and counts no more.
pub const LIVE_OPS: usize = 4000;
/// Points of all strokes among them, 2 MB; a run of a fill counts as one.
pub const LIVE_POINTS: usize = 400_000;
/// The receiving side knows a little later than the drawing side what is agreed on.
const SLACK: usize = 3;

/// Why an operation was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the paper takes no more of this author until the other side has what is there")]
    Full,
    #[error("the stroke has no points, too many of them, or one outside of the paper")]
    Points,
    #[error("the shape lies outside of the paper")]
    Place,
    #[error("the fill is empty, too intricate, or leaves the paper")]
    Runs,
    #[error("the colour or the brush size is out of range")]
    Brush,
    #[error("an undo must name a stroke, shape, fill or clear of its own author that is not too long ago")]
    Target,
    #[error("the time of the operation cannot be")]
    Time,
}

fn stroke(stroke: &Stroke) -> Result<(), Fault> {
    let count = stroke.points.len();
    if count == 0
        || count > limits::STROKE_POINTS
        || stroke.points.iter().any(|point| point.x > PAPER_WIDTH || point.y > PAPER_HEIGHT)
    {
        return Err(Fault::Points);
    }
    let brush = stroke.colour.is_none_or(|colour| COLOURS.contains(&colour)) && SIZES.contains(&stroke.size);
    if brush { Ok(()) } else { Err(Fault::Brush) }
}

fn shape(shape: &Shape) -> Result<(), Fault> {
    let on_paper = |place: Place| place.x <= PAPER_WIDTH && place.y <= PAPER_HEIGHT;
    if !on_paper(shape.from) || !on_paper(shape.to) {
        return Err(Fault::Place);
    }
    if COLOURS.contains(&shape.colour) && SIZES.contains(&shape.size) { Ok(()) } else { Err(Fault::Brush) }
}

fn fill(fill: &Fill) -> Result<(), Fault> {
    let runs = &fill.runs;
    if runs.is_empty() || runs.len() > limits::FILL_RUNS || runs.iter().any(|run| run.1 == 0) || cells(runs).count() != runs.len()
    {
        return Err(Fault::Runs);
    }
    if COLOURS.contains(&fill.colour) { Ok(()) } else { Err(Fault::Brush) }
}

/// What memory and drawing an operation costs, in points.
pub(crate) fn weight(kind: &OpKind) -> usize {
    match kind {
        OpKind::Stroke(stroke) => stroke.points.len(),
        OpKind::Fill(fill) => fill.runs.len(),
        OpKind::Shape(_) | OpKind::Undo { .. } | OpKind::Clear => 1,
    }
}

/// Whether an undo or redo at `time` reaches a target of `target_time`.
pub(crate) fn reaches(time: u32, target_time: u32, undone: bool) -> bool {
    time.saturating_sub(target_time) <= if undone { UNDO_REACH } else { REDO_REACH }
}

/// `log` holds the author's earlier operations; `own` is whether this side is the author.
pub(crate) fn check(op: &Op, log: &Log, own: bool) -> Result<(), Fault> {
    match &op.kind {
        OpKind::Stroke(new) => stroke(new)?,
        OpKind::Shape(new) => shape(new)?,
        OpKind::Fill(new) => fill(new)?,
        OpKind::Undo { target, undone } => undo(*target, *undone, op, log)?,
        OpKind::Clear => {}
    }
    let slack = if own { 1 } else { SLACK };
    if log.len() >= LIVE_OPS * slack || log.points() + weight(&op.kind) > LIVE_POINTS * slack {
        return Err(Fault::Full);
    }
    Ok(())
}

fn undo(target: OpId, undone: bool, op: &Op, log: &Log) -> Result<(), Fault> {
    let earlier = if target.author == op.id.author { log.get(target.seq) } else { None };
    match earlier {
        Some(earlier) if matches!(earlier.kind, OpKind::Undo { .. }) => Err(Fault::Target),
        Some(earlier) if reaches(op.time, earlier.time, undone) => Ok(()),
        _ => Err(Fault::Target),
    }
}

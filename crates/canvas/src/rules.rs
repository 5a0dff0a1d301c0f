//! What an operation must be like to be taken, the same on both sides: whatever one side lets its own user do, the other
//! side accepts, and nothing else.

use visavis_wire::limits;
use visavis_wire::paper::{Author, OpId, OpKind, PAPER_HEIGHT, PAPER_WIDTH, Stroke};

/// Operations of one author in one match; an evening's drawing is a few hundred. Bounds memory against a flood.
pub const OPS_PER_AUTHOR: u32 = 20_000;
/// Points of all strokes of one author: 6 MB at 6 bytes a point.
pub const POINTS_PER_AUTHOR: usize = 1_000_000;

/// Why an operation was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the paper takes no more of this author")]
    Full,
    #[error("the stroke has no points, too many of them, or one outside of the paper")]
    Points,
    #[error("the colour or the brush size is out of range")]
    Brush,
    #[error("the operation belongs to another author")]
    ForeignAuthor,
    #[error("an undo must name an earlier stroke or clear of its own author")]
    Target,
    #[error("the time of the operation cannot be")]
    Time,
}

pub(crate) fn stroke(stroke: &Stroke) -> Result<(), Fault> {
    let count = stroke.points.len();
    if count == 0
        || count > limits::STROKE_POINTS
        || stroke.points.iter().any(|point| point.x > PAPER_WIDTH || point.y > PAPER_HEIGHT)
    {
        return Err(Fault::Points);
    }
    if stroke.colour > 0x00FF_FFFF || !(5..=1000).contains(&stroke.size) {
        return Err(Fault::Brush);
    }
    Ok(())
}

/// `earlier` are the operations of the same author so far, by `seq`; `spent` counts their points.
pub(crate) fn kind(kind: &OpKind, author: Author, earlier: &[OpKind], spent: usize) -> Result<(), Fault> {
    if earlier.len() >= OPS_PER_AUTHOR as usize {
        return Err(Fault::Full);
    }
    match kind {
        OpKind::Stroke(new) => {
            stroke(new)?;
            if spent + new.points.len() > POINTS_PER_AUTHOR { Err(Fault::Full) } else { Ok(()) }
        }
        OpKind::Clear => Ok(()),
        OpKind::Undo { target, .. } => undo_target(*target, author, earlier),
    }
}

fn undo_target(target: OpId, author: Author, earlier: &[OpKind]) -> Result<(), Fault> {
    let index = (target.seq as usize).checked_sub(1).ok_or(Fault::Target)?;
    match earlier.get(index) {
        _ if target.author != author => Err(Fault::Target),
        Some(OpKind::Stroke(_) | OpKind::Clear) => Ok(()),
        Some(OpKind::Undo { .. }) | None => Err(Fault::Target),
    }
}

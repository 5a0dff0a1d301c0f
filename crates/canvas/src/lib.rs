//! The shared paper as a history of operations: own marks, undo and redo of one's own work, clear, and the merge of what the
//! other side sends. Two histories that hold the same operations show the same marks in the same order, whatever the order in
//! which they arrived, and neither grows without end.
//!
//! | file | holds |
//! |---|---|
//! | `history` | merge, order, undo, agreement, what can change no more |
//! | `log` | one author's operations and their hashes |
//! | `rules` | what an operation must be like, how far an undo reaches |
//! | `change` | what a change means for whoever keeps a picture |
//! | `ink` | the area that a stroke covers |
//! | `raster` | the picture as pixels |
//!
//! Sending and re-sending belong to others. Nothing here reads a clock or draws lots: order comes from the Lamport time that
//! each operation carries.

mod change;
mod hash;
mod history;
pub mod ink;
mod log;
pub mod raster;
mod rules;

pub use change::{Change, Item, Merged, Met, apply, shown};
pub use history::{History, Mark};
pub use rules::{Fault, LIVE_OPS, LIVE_POINTS, REDO_REACH, UNDO_REACH};

use visavis_wire::channel::Operations;
use visavis_wire::limits;
use visavis_wire::paper::{Op, OpKind};

/// Splits operations into messages that stay under the limit of one data-channel message, in order.
pub fn batches(ops: impl IntoIterator<Item = Op>) -> Vec<Operations> {
    // A point takes at most 7 bytes (two varints of up to 3 and a byte), a run 5,
    // the rest of an operation at most 50.
    let bytes = |op: &Op| match &op.kind {
        OpKind::Stroke(stroke) => 50 + stroke.points.len() * 7,
        OpKind::Fill(fill) => 50 + fill.runs.len() * 5,
        OpKind::Shape(_) | OpKind::Undo { .. } | OpKind::Clear => 50,
    };
    let mut messages = Vec::new();
    let (mut batch, mut size) = (Vec::new(), 0);
    for op in ops {
        let more = bytes(&op);
        if !batch.is_empty() && size + more > limits::CHANNEL_MESSAGE - 64 {
            messages.push(Operations(std::mem::take(&mut batch)));
            size = 0;
        }
        size += more;
        batch.push(op);
    }
    if !batch.is_empty() {
        messages.push(Operations(batch));
    }
    messages
}

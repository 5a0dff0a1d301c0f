//! The shared paper as a history of operations: own strokes, undo and redo of one's own work, clear, and the merge of what
//! the other side sends. Two histories that hold the same operations show the same strokes in the same order, whatever the
//! order in which they arrived.
//!
//! Sending, re-sending after a reconnection and drawing pixels belong to others. Nothing here reads a clock or draws lots:
//! order comes from the Lamport time that each operation carries.

mod hash;
mod history;
mod rules;

pub use history::{Change, History, Merged};
pub use rules::{Fault, OPS_PER_AUTHOR, POINTS_PER_AUTHOR};

use visavis_wire::channel::Operations;
use visavis_wire::limits;
use visavis_wire::paper::{Op, OpKind};

/// Splits operations into messages that stay under the limit of one data-channel message, in order.
pub fn batches(ops: impl IntoIterator<Item = Op>) -> Vec<Operations> {
    // A point takes at most 7 bytes (two varints of up to 3 and a byte), the rest of an operation at most 40.
    let bytes = |op: &Op| 40 + if let OpKind::Stroke(stroke) = &op.kind { stroke.points.len() * 7 } else { 0 };
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

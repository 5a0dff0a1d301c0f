//! What a change of the history means for whoever keeps a picture of it: a list of items from the bottom to the top, each
//! shown or not. A clear is an item too; what is shown begins above the topmost clear that is shown.

use serde::Serialize;
use ts_rs::TS;
use visavis_wire::paper::{Op, OpId, OpKind};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "change", rename_all = "snake_case")]
#[ts(export)]
pub enum Change {
    /// A new item that is shown, below the `above` topmost ones.
    Insert {
        op: Op,
        above: u32,
    },
    Show {
        id: OpId,
        shown: bool,
    },
    /// The `count` lowest items can change no more: draw those that are shown into a picture and forget them.
    Freeze {
        count: u32,
    },
}

/// An item of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Item {
    pub op: Op,
    pub shown: bool,
}

/// Keeps a list up to date. What does not fit the list (it began later than the changes) is left out.
pub fn apply(items: &mut Vec<Item>, changes: impl IntoIterator<Item = Change>) {
    for change in changes {
        match change {
            Change::Insert { op, above } => {
                let at = items.len().saturating_sub(above as usize);
                items.insert(at, Item { op, shown: true });
            }
            Change::Show { id, shown } => {
                if let Some(item) = items.iter_mut().rev().find(|item| item.op.id == id) {
                    item.shown = shown;
                }
            }
            Change::Freeze { count } => drop(items.drain(..(count as usize).min(items.len()))),
        }
    }
}

/// The marks of a list that are seen, bottom first.
pub fn shown(items: &[Item]) -> impl Iterator<Item = &Op> {
    let clear = items.iter().rposition(|item| item.shown && item.op.kind == OpKind::Clear);
    items[clear.map_or(0, |at| at + 1)..]
        .iter()
        .filter(|item| item.shown)
        .map(|item| &item.op)
        .filter(|op| op.kind != OpKind::Clear)
}

/// Outcome of a message with the peer's operations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    pub changes: Vec<Change>,
    /// Operations that were here already. Ordinary after a re-send.
    pub repeated: u32,
    /// Something before these is missing: say what is here so that the peer sends it again.
    pub gap: bool,
    /// Operations that no honest program makes.
    pub refused: u32,
}

/// Outcome of hearing what the peer has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Met {
    /// Own operations that the peer lacks.
    pub missing: Vec<Op>,
    /// The peer has to hear what is here: it made more than that, or holds something else.
    pub answer: bool,
    /// What was here of the peer was not what the peer made; it is gone from the list, and is asked for again.
    pub repaired: bool,
}

//! The closed enums in and out of a game.

use crate::view::Unfair;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use visavis_wire::games::GameMessage;
use visavis_wire::paper::Op;

/// What the user of this side does. What is not possible now does nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "action", rename_all = "snake_case")]
#[ts(export)]
pub enum Action {
    /// The rules, or the outcome, are read.
    Ready,
    /// Draw and guess: the drawer takes one of the three words.
    ChooseWord {
        index: u8,
    },
    /// The own drawing is finished (Same word, Finish my drawing).
    Done,
    Guess {
        text: String,
    },
    /// The drawer shows one letter more.
    GiveHint,
    /// The drawer heard the word.
    SaidAloud,
    /// Gomoku: row * 15 + column.
    Place {
        cell: u8,
    },
    /// Two truths: three statements, and which of them is the lie.
    Tell {
        statements: [String; 3],
        lie: u8,
    },
    Pick {
        statement: u8,
    },
    /// Ends the game for both. Whoever says so is back at the free paper, also from a game that is over.
    Stop,
}

/// Why this side pauses, if it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Pause {
    #[default]
    No,
    /// By what this side knows itself: the connection, the own veil, the pixels of the other's picture.
    Seen,
    /// By the word of the other's program alone.
    Told,
}

/// All that can happen to a game.
#[derive(Clone, Debug)]
pub enum Input {
    User(Action),
    Peer(GameMessage),
    /// Marks of the peer, as they are taken into the paper; without undos.
    PeerDrew(Vec<Op>),
    /// An own mark, as it is put on the paper.
    Drew(Op),
    /// Whether this side has to pause: veiled although both said yes, or not connected.
    Pause(Pause),
    /// The channels are open again: what was lost is told again at once.
    Flowing,
    Tick,
}

/// All that a game does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Send(GameMessage),
    /// An empty paper for a drawing that begins.
    ClearPaper,
    /// These marks of the peer are not to be shown: they were drawn out of turn.
    Hide(visavis_wire::paper::OpId),
    Noticed(Unfair),
    /// What was noticed is put right: it had only been late.
    Settled(Unfair),
}

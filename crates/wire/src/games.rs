//! Games of the two in a call, as they travel. What a move means is the business of `games`.
//!
//! The offerer keeps the log of a game: it puts the answerer's moves and its own into one order and sends that. Both fold the
//! same log, so both hold the same state. Everything is numbered and told again until it is confirmed.

use crate::paper::{Author, OpKind};
use crate::{DecodeError, limits};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Game {
    DrawAndGuess,
    SameWord,
    FinishMyDrawing,
    Gomoku,
    TwoTruths,
}

/// Makes a drawing game harder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Twist {
    OneStroke,
    OneColour,
    /// Whoever draws does not see what they draw.
    Blind,
}

/// What a blind question about a game asks: this game, this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Play {
    pub game: Game,
    pub twist: Option<Twist>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Verdict {
    Right,
    Close,
    Wrong,
}

/// All that anybody can do in any game. Moves that a game does not know, or not now, change nothing on either side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Move {
    /// Has read the rules, or the outcome of the round, and which languages are spoken (BCP 47, best first).
    Ready {
        languages: Vec<String>,
    },
    /// A word is chosen: SHA-256 of it and a nonce, and how many letters its parts have.
    Word {
        commitment: [u8; 32],
        letters: Vec<u8>,
    },
    /// Drawing begins: operations of the author above this number belong to the turn.
    Begin {
        seq: u32,
    },
    /// Drawing is over: operations above this number do not belong to the turn; and SHA-256 over those that do.
    End {
        seq: u32,
        seal: [u8; 32],
    },
    Guess {
        text: String,
    },
    /// Of the drawer, on the guess of that number.
    Verdict {
        guess: u16,
        verdict: Verdict,
    },
    /// Of the drawer: the letter at this place.
    Hint {
        place: u8,
        letter: char,
        /// The drawer's own choice, as opposed to one that was due.
        given: bool,
    },
    /// Of the drawer: it was guessed aloud.
    SaidAloud,
    /// The secret of the round, and the nonce that it was committed with.
    Open {
        secret: String,
        nonce: [u8; 32],
    },
    /// A stone: row * 15 + column.
    Place {
        cell: u8,
    },
    Statements {
        texts: [String; 3],
        commitment: [u8; 32],
    },
    Pick {
        statement: u8,
    },
    /// Ends the game for both, without an outcome.
    Stop,
    /// Of the offerer: nothing but that it is so late.
    Time,
    /// What of a drawing that is sealed and stays folded reaches its edge.
    Edge {
        marks: Vec<OpKind>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub by: Author,
    /// Time of the game, which stands still while it is paused; never falls.
    pub at_ms: u32,
    pub action: Move,
}

/// `game` is the number that the server gave when the question opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GameMessage {
    /// Of the answerer: own moves, the first of them with this number, counted from 0.
    Moves { game: u64, from: u32, moves: Vec<Move> },
    /// Of the offerer: the common log from this entry on, counted from 0.
    Log { game: u64, from: u32, entries: Vec<Entry> },
    /// How many entries are here, a hash over them, whether this side has to pause, and how late it is in the game.
    Here { game: u64, entries: u32, hash: u64, paused: bool, at_ms: u32 },
}

impl GameMessage {
    pub fn game(&self) -> u64 {
        match self {
            Self::Moves { game, .. } | Self::Log { game, .. } | Self::Here { game, .. } => *game,
        }
    }

    pub(crate) fn check(&self) -> Result<(), DecodeError> {
        let many =
            |field, size, limit| if size > limit { Err(DecodeError::FieldTooLarge { field, size, limit }) } else { Ok(()) };
        match self {
            Self::Moves { moves, .. } => {
                many("moves", moves.len(), limits::GAME_MOVES)?;
                moves.iter().try_for_each(Move::check)
            }
            Self::Log { entries, .. } => {
                many("entries", entries.len(), limits::GAME_MOVES)?;
                entries.iter().try_for_each(|entry| entry.action.check())
            }
            Self::Here { .. } => Ok(()),
        }
    }
}

impl Move {
    fn check(&self) -> Result<(), DecodeError> {
        let text = |text: &String| {
            let size = text.len();
            if size > limits::GAME_TEXT {
                return Err(DecodeError::FieldTooLarge { field: "text", size, limit: limits::GAME_TEXT });
            }
            Ok(())
        };
        match self {
            Self::Guess { text: guess } => text(guess),
            Self::Open { secret, .. } => text(secret),
            Self::Statements { texts, .. } => texts.iter().try_for_each(text),
            Self::Ready { languages } if languages.len() > limits::GAME_LANGUAGES => {
                let size = languages.len();
                Err(DecodeError::FieldTooLarge { field: "languages", size, limit: limits::GAME_LANGUAGES })
            }
            Self::Ready { languages } => languages.iter().try_for_each(text),
            Self::Word { letters, .. } if letters.len() > limits::GAME_TEXT => {
                Err(DecodeError::FieldTooLarge { field: "letters", size: letters.len(), limit: limits::GAME_TEXT })
            }
            Self::Edge { marks } => edge(marks),
            _ => Ok(()),
        }
    }
}

fn edge(marks: &[OpKind]) -> Result<(), DecodeError> {
    let sum = |size: fn(&OpKind) -> usize| marks.iter().map(size).sum::<usize>();
    let points = sum(|mark| if let OpKind::Stroke(stroke) = mark { stroke.points.len() } else { 0 });
    let runs = sum(|mark| if let OpKind::Fill(fill) = mark { fill.runs.len() } else { 0 });
    let sizes =
        [("marks", marks.len(), limits::EDGE_MARKS), ("points", points, limits::EDGE_POINTS), ("runs", runs, limits::EDGE_RUNS)];
    let over = sizes.into_iter().find(|(_, size, limit)| size > limit);
    over.map_or(Ok(()), |(field, size, limit)| Err(DecodeError::FieldTooLarge { field, size, limit }))
}

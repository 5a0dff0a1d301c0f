//! What two apps say to each other over the data channels, once connected.
//!
//! | channel | SCTP id | delivery | message |
//! |---|---|---|---|
//! | control | 0 | reliable, ordered | [`Control`] |
//! | operations | 1 | reliable, ordered | [`Operations`] |
//! | live | 2 | unordered, no retransmission | [`Live`] |
//!
//! Nothing in [`Control`] can lift a veil: a report can only make the receiver veil itself or say something to its user.

use crate::games::GameMessage;
use crate::paper::{Op, OpKind, Point, Shape};
use crate::{CHANNEL_PROTOCOL, DecodeError, limits};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How a camera looks from the receiving side, judged by its decoded pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Seen {
    /// Not enough pictures yet; counts as not clear.
    #[default]
    Unknown,
    Clear,
    Dark,
    Covered,
    Frozen,
    /// Switched off by its owner.
    Off,
    /// Nothing arrives.
    NoSignal,
    /// Only a part of the picture is free.
    Partial,
    /// The camera is open, and nobody is before it.
    NobodyInView,
}

/// What one side shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Shows {
    #[default]
    Veiled,
    Clear,
}

/// What holds a sender's picture down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bottleneck {
    /// The path to the other side carries no more.
    Path,
    /// The sender's own processor is busy.
    Processor,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Control {
    /// Sent on every change and every two seconds: what I show you, whether my camera is on, how yours looks to me.
    Sight {
        shows: Shows,
        camera_on: bool,
        sees: Seen,
    },
    Muted {
        muted: bool,
    },
    /// What is here of the paper, after a reconnection, after a gap, and while it changes every two seconds: the peer sends
    /// what is missing, and both learn what they agree on.
    Paper(Here),
    /// Said before the connection is taken down, so that the peer need not wait for a time-out.
    Leaving,
    /// Sent on every change and every few seconds: what lowers the picture that I send you, so that you can be told why it is worse.
    Lowered {
        by: Option<Bottleneck>,
    },
    /// Comes before everything else; see [`Comparison`].
    Comparison(Comparison),
    /// Both said yes, and one's own picture stays veiled all the same until its owner says so. Sent on change and after a
    /// reconnection.
    StaysVeiled {
        stays: bool,
    },
    /// A game of the two: moves, their common order, and what is here of it.
    Game(GameMessage),
}

/// The three messages that make the short authentication string of a call, in their order (after RFC 6189 section 4.4: who
/// began has committed to a number before seeing the other's). What the numbers are hashed with is the business of `call`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// Of the offerer: a hash over its number and both certificates.
    Commitment([u8; 32]),
    /// Of the answerer: its number.
    Number([u8; 32]),
    /// Of the offerer: the number it had committed to.
    Opening([u8; 32]),
}

/// Highest `seq` of each author that is here without a gap, and a hash over that author's operations up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Here {
    pub offerer: u32,
    pub answerer: u32,
    pub offerer_hash: u64,
    pub answerer_hash: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operations(pub Vec<Op>);

/// What is seen at once and may be lost. `stroke` counts up for each author, from 1, over everything that is begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Live {
    /// A stroke under way: the points from index `from` on, with some that were sent before.
    Ink {
        stroke: u32,
        ink: Ink,
        from: u16,
        points: Vec<Point>,
    },
    /// A shape under way, as it is now.
    Shape {
        stroke: u32,
        shape: Shape,
    },
    /// Nothing becomes of it: what is wet of it goes.
    Dropped {
        stroke: u32,
    },
    Cursor {
        x: u16,
        y: u16,
    },
}

/// How ink under way looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Ink {
    /// As in `Stroke`.
    pub colour: Option<u32>,
    pub size: u16,
    /// For pointing: it fades by itself and never becomes an operation.
    pub fades: bool,
}

/// A message of one of the channels.
pub trait ChannelMessage: Serialize + DeserializeOwned {
    fn check(&self) -> Result<(), DecodeError>;

    fn to_bytes(&self) -> Vec<u8> {
        postcard::to_extend(self, vec![CHANNEL_PROTOCOL]).expect("a message of this crate always serialises")
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > limits::CHANNEL_MESSAGE {
            return Err(DecodeError::TooLarge { size: bytes.len(), limit: limits::CHANNEL_MESSAGE });
        }
        match bytes.split_first() {
            Some((&CHANNEL_PROTOCOL, body)) => {
                let (message, rest): (Self, _) =
                    postcard::take_from_bytes(body).map_err(|error| DecodeError::Malformed(error.to_string()))?;
                if !rest.is_empty() {
                    return Err(DecodeError::Malformed(format!("{} bytes too many", rest.len())));
                }
                message.check()?;
                Ok(message)
            }
            Some((&version, _)) => Err(DecodeError::UnknownVersion(version)),
            None => Err(DecodeError::Malformed(String::from("empty"))),
        }
    }
}

impl ChannelMessage for Control {
    fn check(&self) -> Result<(), DecodeError> {
        if let Self::Game(message) = self { message.check() } else { Ok(()) }
    }
}

impl ChannelMessage for Operations {
    fn check(&self) -> Result<(), DecodeError> {
        for op in &self.0 {
            let (field, size, limit) = match &op.kind {
                OpKind::Stroke(stroke) => ("points", stroke.points.len(), limits::STROKE_POINTS),
                OpKind::Fill(fill) => ("runs", fill.runs.len(), limits::FILL_RUNS),
                OpKind::Shape(_) | OpKind::Undo { .. } | OpKind::Clear => continue,
            };
            if size > limit {
                return Err(DecodeError::FieldTooLarge { field, size, limit });
            }
        }
        Ok(())
    }
}

impl ChannelMessage for Live {
    fn check(&self) -> Result<(), DecodeError> {
        match self {
            Self::Ink { points, .. } if points.len() > limits::LIVE_POINTS => {
                Err(DecodeError::FieldTooLarge { field: "points", size: points.len(), limit: limits::LIVE_POINTS })
            }
            _ => Ok(()),
        }
    }
}

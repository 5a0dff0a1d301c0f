//! What two apps say to each other over the data channels, once connected.
//!
//! | channel | SCTP id | delivery | message |
//! |---|---|---|---|
//! | control | 0 | reliable, ordered | [`Control`] |
//! | operations | 1 | reliable, ordered | [`Operations`] |
//! | live | 2 | unordered, no retransmission | [`Live`] |
//!
//! Nothing in [`Control`] can lift a veil: a report can only make the receiver veil itself or say something to its user.

use crate::paper::{Op, OpKind, Point};
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
    /// Highest `seq` of each author that is here, after a reconnection: the peer sends what is missing.
    HaveOperations {
        offerer: u32,
        answerer: u32,
    },
    /// Said before the connection is taken down, so that the peer need not wait for a time-out.
    Leaving,
    /// Sent on every change and every few seconds: what lowers the picture that I send you, so that you can be told why it is worse.
    Lowered {
        by: Option<Bottleneck>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operations(pub Vec<Op>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Live {
    /// A stroke under way: the points from index `from` on, with some that were sent before.
    Ink {
        stroke: u32,
        colour: u32,
        size: u16,
        from: u16,
        points: Vec<Point>,
    },
    Cursor {
        x: u16,
        y: u16,
    },
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
        Ok(())
    }
}

impl ChannelMessage for Operations {
    fn check(&self) -> Result<(), DecodeError> {
        for op in &self.0 {
            match &op.kind {
                OpKind::Stroke(stroke) if stroke.points.len() > limits::STROKE_POINTS => {
                    return Err(DecodeError::FieldTooLarge {
                        field: "points",
                        size: stroke.points.len(),
                        limit: limits::STROKE_POINTS,
                    });
                }
                _ => {}
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

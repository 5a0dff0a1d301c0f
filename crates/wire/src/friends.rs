//! After a match: people who follow each other, what they write, whom one met, whom one never wants to meet again. Bodies of the
//! HTTP interface.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `GET /v1/follows` | - | [`crate::http::Follows`] |
//! | `DELETE /v1/follows/{follow}` | - | 204; the conversation goes with it, for both |
//! | `POST /v1/follows/{follow}/block` | - | 204 |
//! | `GET /v1/follows/{follow}/texts` | - | [`Conversation`], which is read from then on |
//! | `POST /v1/follows/{follow}/texts` | [`NewText`] | [`Text`] |
//! | `GET /v1/history` | - | [`History`] |
//! | `POST /v1/history/{match}/block` | - | 204; of the running match too |
//!
//! A block is symmetric, takes effect at once and is for ever: a running match of the two ends, the follow and its texts are gone,
//! and neither is offered the other again. The other is told nothing.

use crate::people::PeerCard;
use crate::socket::{EndReason, MatchId};
use crate::{Private, limits};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Names somebody one follows, for oneself alone: the other has another name for the same follow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(transparent)]
#[ts(export)]
pub struct FollowId(pub String);

/// That an offer is a call between two who follow each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FriendCall {
    /// The other.
    pub follow: FollowId,
    /// One's own.
    pub outgoing: bool,
}

/// Why nothing came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum CallEnd {
    /// The other said "not now".
    Declined,
    NoAnswer,
    /// The other is in a match or a call.
    Busy,
    Offline,
    /// To whoever was called: the caller gave up, or nobody answered here.
    Missed,
    /// So many calls to this person, or altogether, in a short time.
    TooOften,
    /// The two do not follow each other, any more.
    NotFriends,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewText {
    /// See [`is_text`].
    pub text: Private<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Text {
    /// Grows within a conversation.
    #[ts(type = "number")]
    pub number: i64,
    pub own: bool,
    pub text: Private<String>,
    /// Unix seconds.
    #[ts(type = "number")]
    pub sent_at: i64,
}

/// The latest [`limits::TEXTS_SHOWN`], oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    pub texts: Vec<Text>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The latest [`limits::HISTORY`], newest first.
    pub sessions: Vec<PastSession>,
}

/// A match that was. It names nobody: what the other shared at that time, when, how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PastSession {
    pub match_id: MatchId,
    pub card: PeerCard,
    /// Unix seconds.
    #[ts(type = "number")]
    pub began_at: i64,
    /// Absent while it runs, and where a server died in it.
    #[ts(type = "number | null")]
    pub lasted_s: Option<i64>,
    pub ended: Option<EndReason>,
    /// By oneself. Whether the other did is nobody's to know.
    pub blocked: bool,
}

/// Something to read, not too long, with line breaks but no other control characters.
pub fn is_text(text: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= limits::TEXT
        && !text.chars().any(|letter| letter.is_control() && letter != '\n' && letter != '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_text() {
        for good in ["hello", "a\nb", "你好", &"x".repeat(limits::TEXT)] {
            assert!(is_text(good), "{good}");
        }
        for bad in ["", " \n\t ", "a\u{0}b", "a\u{1b}[31m", "a\r\nb", &"x".repeat(limits::TEXT + 1)] {
            assert!(!is_text(bad), "{bad:?}");
        }
    }
}

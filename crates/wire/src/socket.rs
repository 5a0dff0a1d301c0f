//! Messages of `GET /v1/socket`, JSON text frames, at most [`limits::SOCKET_MESSAGE`] bytes.
//!
//! A match goes `Offered` -> both `MatchAnswer { meet: true }` -> `MatchBegins` -> signalling and questions -> `Leave` by one,
//! or a socket away for longer than the grace time -> `MatchEnded` to both -> the follow question, until it closes.
//!
//! A call between two who follow each other goes `Ring` -> `Offered` with [`FriendCall`] to both -> the other's
//! `MatchAnswer { meet: true }` -> on as a match. There is no question at its end. Where nothing comes of it: `CallOver`.

use crate::friends::{CallEnd, FollowId, FriendCall, Text};
use crate::games::Play;
use crate::http::Refusal;
use crate::people::{PeerCard, Reason};
use crate::{DecodeError, Private, limits};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Names one match; random, means nothing elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(transparent)]
pub struct MatchId(pub String);

/// Who makes the offer of the offer/answer exchange. Says nothing about the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Offerer,
    Answerer,
}

/// A question both answer without seeing the other's answer; it opens on yes + yes alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// May be answered anew at any time in the call; a later no closes it for both.
    Reveal,
    /// Asked at parting; the first answer counts.
    Follow,
    /// The wish for a game, one at a time; both wishes are spent when they meet, which is told as `GameOpened`.
    Play(Play),
}

/// Offer, answer and trickled candidates. The server forwards them between the two of a match and strips candidates that are
/// not relayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "signal", rename_all = "snake_case")]
pub enum Signal {
    Offer {
        sdp: Private<String>,
    },
    Answer {
        sdp: Private<String>,
    },
    /// RFC 8838; `None` ends the candidates of this side.
    Candidate {
        candidate: Option<Private<String>>,
        sdp_mid: Option<String>,
        sdp_m_line_index: Option<u16>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// First message on every socket. A person in a match is put back into it.
    Hello {
        protocol: u16,
    },
    Join,
    CancelWaiting,
    /// Calls somebody one follows. Whoever called has said "meet" by it; `MatchAnswer { meet: false }` takes it back.
    Ring {
        follow: FollowId,
        /// As by `AllowDirect`, which would race with the other's "meet".
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        direct: bool,
    },
    /// Accepts, for this wait, what `Waiting` offered: to be matched by these languages too, and with people of any age.
    Widen {
        languages: Vec<String>,
        any_age: bool,
    },
    MatchAnswer {
        match_id: MatchId,
        meet: bool,
    },
    /// In a call of two who follow each other, before one's "meet" or when one is back in it: this side's user allows a direct path
    /// to friends. Whoever calls says it by `Ring`.
    AllowDirect {
        match_id: MatchId,
    },
    Signal {
        match_id: MatchId,
        signal: Signal,
    },
    Answer {
        match_id: MatchId,
        question: Question,
        yes: bool,
    },
    Leave {
        match_id: MatchId,
    },
    /// Once for a match, before `Leave` or after `MatchEnded`. While the pictures were open, seconds for which the peer's camera
    /// looked covered, in part, or frozen from here, and seconds for which the peer said the same of one's own.
    SawCovered {
        match_id: MatchId,
        saw_s: u16,
        told_s: u16,
    },
}

/// Time-limited credentials of the TURN relay (the usual HMAC scheme over an expiry time).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayCredentials {
    /// RFC 7065: `turn:host:port?transport=udp`, the same with `tcp`, or `turns:host:port?transport=tcp`. They name one relay
    /// (or several that relay to each other); an app takes the first way that works.
    pub urls: Vec<String>,
    pub username: Private<String>,
    pub credential: Private<String>,
    pub expires_in_s: u32,
    /// PEM of the authority that signed the relay's certificate, where it is the operator's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum EndReason {
    /// One of the two left, the other learns no more than that.
    Left,
    /// The socket stayed away for longer than the grace time.
    Vanished,
}

impl EndReason {
    /// As on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Vanished => "vanished",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Widening {
    /// That others who wait speak, most speakers first; as they wrote them.
    pub languages: Vec<String>,
    pub any_age: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// Answer to `Hello`.
    Welcome {
        protocol: u16,
    },
    /// Sent when waiting begins and about every two seconds while it lasts.
    Waiting {
        waited_s: u32,
        /// What is being looked for, in the order of weight (`language`, `interests`, `city`, ...).
        looking_for: Vec<String>,
        /// What is no longer insisted upon.
        relaxed: Vec<String>,
        /// Absent when there is nothing honest to say.
        estimate_s: Option<u32>,
        /// What could be accepted besides, while there is hardly anybody to meet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        widening: Option<Widening>,
    },
    /// Waiting ended without a match (`CancelWaiting`).
    WaitingEnded,
    MatchOffered {
        match_id: MatchId,
        role: Role,
        card: PeerCard,
        reasons: Vec<Reason>,
        answer_within_s: u32,
        relay: RelayCredentials,
        /// It is a call of somebody one follows, or one's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<FriendCall>,
    },
    /// Nothing comes of a call.
    CallOver {
        follow: FollowId,
        /// Absent where it did not come to an offer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        match_id: Option<MatchId>,
        why: CallEnd,
    },
    /// Somebody one follows came or went.
    Presence {
        follow: FollowId,
        online: bool,
    },
    /// One said "not now" or did not answer; whoever said "meet" waits again without asking.
    MatchWithdrawn {
        match_id: MatchId,
    },
    /// Both said "meet". Also the answer to `Hello` of somebody who was in a match; the relay may be another one by then.
    MatchBegins {
        match_id: MatchId,
        role: Role,
        relay: RelayCredentials,
        /// Both allow a direct path, and follow each other: the two may learn each other's addresses. Otherwise the server strips
        /// them from what is signalled.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        direct: bool,
    },
    /// During a match, before the credentials expire.
    RelayRenewed {
        match_id: MatchId,
        relay: RelayCredentials,
    },
    Signal {
        match_id: MatchId,
        signal: Signal,
    },
    /// Both said yes.
    QuestionOpened {
        match_id: MatchId,
        question: Question,
    },
    /// Both wish for the same game: it begins, under a number that no other game of the match has. Told again to whoever comes
    /// back.
    GameOpened {
        match_id: MatchId,
        play: Play,
        number: u64,
    },
    /// `Reveal` alone: one took the yes back.
    QuestionClosed {
        match_id: MatchId,
        question: Question,
    },
    /// The peer's socket broke; the match goes on for the grace time.
    PeerAway {
        match_id: MatchId,
    },
    PeerBack {
        match_id: MatchId,
    },
    /// The follow question is open from now for `follow_within_s`.
    MatchEnded {
        match_id: MatchId,
        reason: EndReason,
        follow_within_s: u32,
    },
    /// The follow question is over without a yes + yes; says nothing about who said what.
    FollowClosed {
        match_id: MatchId,
    },
    Refused {
        refusal: Refusal,
    },
    /// Nobody new can be met now. Answer to `Join`, and to somebody who waited when it closed.
    Closed {
        because: Closed,
        /// Until it opens again; absent where the server cannot know.
        opens_in_s: Option<u32>,
    },
    /// Somebody one follows wrote.
    Text {
        follow: FollowId,
        text: Text,
    },
}

/// Why nobody new can be met now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Closed {
    /// Outside of the opening hours of one's region.
    Hours,
    /// One's account is not among those that may come yet.
    Admission,
    /// As many sessions as there are in a day.
    Sessions,
}

macro_rules! json_message {
    ($name:ty) => {
        impl $name {
            pub fn to_json(&self) -> String {
                serde_json::to_string(self).expect("a message of this crate always serialises")
            }

            /// Refuses what is over the limits before and after parsing.
            pub fn from_json(text: &str) -> Result<Self, DecodeError> {
                if text.len() > limits::SOCKET_MESSAGE {
                    return Err(DecodeError::TooLarge { size: text.len(), limit: limits::SOCKET_MESSAGE });
                }
                let message: Self = serde_json::from_str(text).map_err(|error| DecodeError::Malformed(place_of(&error)))?;
                message.check()?;
                Ok(message)
            }
        }
    };
}
json_message!(ClientMessage);
json_message!(ServerMessage);

/// serde_json's own text may quote the input, which may hold something private; its place and kind never do.
fn place_of(error: &serde_json::Error) -> String {
    format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column())
}

impl ClientMessage {
    fn check(&self) -> Result<(), DecodeError> {
        match self {
            Self::Signal { signal, .. } => signal.check(),
            _ => Ok(()),
        }
    }
}

impl ServerMessage {
    fn check(&self) -> Result<(), DecodeError> {
        match self {
            Self::Signal { signal, .. } => signal.check(),
            _ => Ok(()),
        }
    }
}

impl Signal {
    fn check(&self) -> Result<(), DecodeError> {
        let (size, limit) = match self {
            Self::Offer { sdp } | Self::Answer { sdp } => (sdp.reveal().len(), limits::SDP),
            Self::Candidate { candidate, .. } => (candidate.as_ref().map_or(0, |line| line.reveal().len()), limits::CANDIDATE),
        };
        if size > limit { Err(DecodeError::TooLarge { size, limit }) } else { Ok(()) }
    }
}

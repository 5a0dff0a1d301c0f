//! What the page shows. Everything is decided here; the page only draws it and says it in the user's language.

mod notice;

pub use notice::{Forbidden, Notice};

use crate::server::{ServerProblem, ServerView};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use visavis_call::Statistics;
use visavis_games::{GameView, Unfair};
use visavis_wire::Private;
use visavis_wire::channel::{Seen, Shows};
use visavis_wire::friends::{FollowId, PastSession, Text};
use visavis_wire::games::Play;
use visavis_wire::http::Follow;
use visavis_wire::people::{PeerCard, Profile, Reason};
use visavis_wire::safety::StandingNotice;
use visavis_wire::socket::{Closed, EndReason, Widening};

#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct View {
    pub page: Page,
    /// Over any page, until dismissed or overtaken.
    pub notice: Option<Notice>,
    /// Own name, once signed in.
    pub username: Option<String>,
    /// Texts of people one follows, not yet read.
    pub unread: u32,
    /// Over any page.
    pub ring: Option<RingView>,
    pub devices: Devices,
    pub ask_before_unveiling: bool,
    pub choices: Choices,
    pub care: CareView,
    pub server: ServerView,
}

/// What the user chose once and for all calls; sent back as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Choices {
    /// What is done to the sound of a real microphone.
    pub echo_cancellation: bool,
    pub noise_suppression: bool,
    pub gain_control: bool,
    /// With somebody one follows who allows it too, without the relay: both learn each other's address. From the next call on.
    pub direct_calls: bool,
    /// Of the other's voice, in percent.
    pub volume: u8,
}

impl Default for Choices {
    fn default() -> Self {
        Self { echo_cancellation: true, noise_suppression: true, gain_control: true, direct_calls: false, volume: 100 }
    }
}

/// Reports, notes from the moderators, what is held.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct CareView {
    /// In force or unread, newest first.
    pub notices: Vec<StandingNotice>,
    pub sending_report: bool,
    /// The operator takes pictures with a report.
    pub offers_pictures: bool,
    pub evidence_days: u32,
    pub deletion: DeletionStep,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(tag = "step", rename_all = "snake_case")]
#[ts(export)]
pub enum DeletionStep {
    #[default]
    None,
    Asking,
    /// Pressed once. `held_until`: Unix seconds until which something is kept at most, for a report is open.
    Offered {
        #[ts(type = "number | null")]
        held_until: Option<i64>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(tag = "page", rename_all = "snake_case")]
#[ts(export)]
pub enum Page {
    /// Looking for a stored sign-in and for the server.
    Starting,
    /// Where the server's address is entered.
    Server {
        /// As it was tried last.
        tried: String,
        checking: bool,
        problem: Option<ServerProblem>,
        /// The server that the operator's build names, where another is in use.
        suggested: Option<String>,
        /// There is one to go back to.
        can_close: bool,
    },
    Welcome,
    /// The system browser is open; waiting for its redirect.
    SigningIn,
    Profile {
        profile: Profile,
        card: PeerCard,
        /// Base64 of a JPEG.
        picture: Option<Private<String>>,
        saving: bool,
    },
    Mirror {
        own: OwnCamera,
    },
    Waiting {
        waited_s: u32,
        looking_for: Vec<String>,
        relaxed: Vec<String>,
        estimate_s: Option<u32>,
        closed: Option<ClosedView>,
        /// What the person may accept besides, while there is hardly anybody to meet.
        widening: Option<Widening>,
    },
    Match {
        card: PeerCard,
        /// Base64 of a JPEG, once it is here.
        picture: Option<Private<String>>,
        reasons: Vec<Reason>,
        answer_within_s: u32,
        answered: bool,
    },
    Call(Box<CallView>),
    Parting {
        reason: EndReason,
        follow: FollowState,
        closes_in_s: u32,
    },
    Friends {
        follows: Vec<Follow>,
        open: Option<ConversationView>,
    },
    History {
        /// `None`: on its way.
        sessions: Option<Vec<PastSession>>,
    },
}

/// A call of somebody one follows, or one's own, that is not taken yet.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct RingView {
    pub follow: FollowId,
    /// Absent until the list of friends is here.
    pub name: Option<String>,
    pub outgoing: bool,
    /// Taken here; always so of one's own.
    pub answered: bool,
    pub left_s: u32,
}

/// Nobody new can be met now.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct ClosedView {
    pub because: Closed,
    /// Absent where nobody knows. At zero one is let in by itself.
    pub opens_in_s: Option<u32>,
}

/// What was written with one of those one follows.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct ConversationView {
    pub follow: FollowId,
    /// Oldest first.
    pub texts: Vec<Text>,
    pub loading: bool,
    pub sending: bool,
}

/// State of one's own camera as the mirror and the call show it.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct OwnCamera {
    pub on: bool,
    /// The cover check on one's own pictures.
    pub looks: Seen,
    /// The camera's own shutter is closed, by what its driver says; covered pictures have that reason then.
    pub shutter_closed: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct CallView {
    pub connection: Connection,
    pub path: Path,
    /// Seconds since the call was connected.
    pub duration_s: u32,
    pub card: PeerCard,
    /// "You see": what the peer shows, by their report and the pixels, the more careful of the two.
    pub you_see: Shows,
    /// "They see": what the gate lets out.
    pub they_see: Shows,
    /// The peer's camera by the local detector.
    pub peer_looks: Seen,
    /// A warning is due about the peer's camera.
    pub warn_peer: bool,
    /// How one's own camera looks to the peer, by their report; for "you look covered to them".
    pub own_looks_to_peer: Seen,
    pub own: OwnCamera,
    pub reveal: RevealState,
    /// Why one's own picture is veiled, when it is.
    pub veil_reason: Option<VeilReason>,
    /// The peer's camera is clear again, and one's own picture waits for [`crate::Command::Unveil`].
    pub asks_to_unveil: bool,
    pub muted: bool,
    pub peer_muted: bool,
    pub can_undo: bool,
    pub can_redo: bool,
    pub statistics: Option<Statistics>,
    /// Operations and ink of the peer that were not taken: too many of them, or such as no honest program makes.
    pub ignored: u32,
    /// Four numbers below 64, of pictures that are the same on both screens unless somebody sits in between. Absent until the
    /// two apps have worked them out.
    pub pictures: Option<[u8; 4]>,
    /// The game that goes on, or that is over and still on the table.
    pub game: Option<GameView>,
    /// The own wish; says nothing about the other's.
    pub wish: Option<Play>,
    /// What the other side's program did in this game that no honest one does.
    pub unfair: Option<Unfair>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Connection {
    Connecting,
    Connected,
    /// The media path is gone, the session goes on.
    Reconnecting,
    /// The server says that the peer's connection is gone; it waits for them.
    PeerAway,
}

/// Who learns whose address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Path {
    /// Nobody learns it.
    Relayed,
    /// Both allowed a direct path, and the two apps have told each other their addresses; but the call goes through the relay, or is
    /// not there yet.
    MayBeDirect,
    /// From one machine to the other.
    Direct,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum RevealState {
    NotAsked,
    /// Own yes given; says nothing about the other's answer.
    YouSaidYes,
    Open,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum VeilReason {
    /// Not both have said yes.
    NotRevealed,
    /// The peer's camera is not clear (`peer_looks` says how).
    PeerNotClear,
    /// The peer does not see one's own camera as clear (`own_looks_to_peer`).
    YouNotClear,
    /// The peer's picture stays veiled although both said yes.
    PeerVeiled,
    /// The user wished to be asked before the picture unveils again.
    WaitsForYou,
}

#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
#[ts(export)]
pub enum FollowState {
    Asked,
    Answered {
        yes: bool,
    },
    /// Both said yes.
    Mutual,
    /// Over; says nothing about who said what.
    Closed,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct Devices {
    pub cameras: Vec<Device>,
    pub microphones: Vec<Device>,
    pub speakers: Vec<Device>,
    pub camera: String,
    pub microphone: String,
    pub speaker: String,
    /// No sound hardware: calls run with a silent device.
    pub silent_microphone: bool,
    pub silent_speaker: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct Device {
    pub id: String,
    pub name: String,
    /// Made by the program (pattern, face, file), not a device.
    pub synthetic: bool,
    /// It is chosen, but not plugged in.
    pub gone: bool,
}

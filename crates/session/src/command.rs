//! The closed enums in and out of a session.

use crate::view::View;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use visavis_wire::paper::{Op, Point};
use visavis_wire::people::Profile;

/// What the user did. From the page (or from a bot's script).
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(tag = "do", rename_all = "snake_case")]
#[ts(export)]
pub enum Command {
    SignIn,
    CancelSignIn,
    SignOut,
    SaveProfile {
        profile: Profile,
    },
    /// Own mirror page; from friends, parting or a cancelled wait.
    OpenMirror,
    OpenProfile,
    OpenFriends,
    ChooseCamera {
        id: String,
    },
    ChooseMicrophone {
        id: String,
    },
    ChooseSpeaker {
        id: String,
    },
    /// A short tone through the chosen speaker.
    TestSpeaker,
    /// Leave the mirror and wait for a match.
    Meet,
    CancelWaiting,
    AnswerMatch {
        meet: bool,
    },
    Mute {
        on: bool,
    },
    /// The camera during a call or in the mirror.
    Camera {
        on: bool,
    },
    /// Yes: answer the blind question. No: stay veiled, or veil again (closes it for both).
    Reveal {
        yes: bool,
    },
    /// Points of the stroke being drawn; `id` is the page's own running number. The first message of an `id` begins it.
    DrawPoints {
        id: u32,
        colour: u32,
        size: u16,
        points: Vec<Point>,
    },
    /// The stroke is complete and becomes an operation.
    DrawEnd {
        id: u32,
    },
    Undo,
    Redo,
    ClearPaper,
    Leave,
    AnswerFollow {
        yes: bool,
    },
    /// After parting: back to the mirror.
    Done,
    /// Try again what the notice on the page says has failed.
    Retry,
    DismissNotice,
    /// Synthetic and file cameras only, for rehearsals: `none`, `covered`, `dark`, `frozen`, `unplugged`, `stalled`.
    RehearseCamera {
        modifier: String,
    },
}

/// What the page (or a bot) is told.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(tag = "event", rename_all = "snake_case")]
#[ts(export)]
pub enum Event {
    /// The whole state, after each change.
    View {
        view: Box<View>,
    },
    /// The paper's visible strokes changed other than by appending: draw anew from these, in order.
    Paper {
        strokes: Vec<Op>,
    },
    /// One more stroke on top of what is there.
    PaperAppend {
        stroke: Op,
    },
    /// The peer's stroke under way, points from index `from` on; replaced by `PaperAppend` when committed.
    PeerInk {
        stroke: u32,
        colour: u32,
        size: u16,
        from: u16,
        points: Vec<Point>,
    },
    PeerCursor {
        x: u16,
        y: u16,
    },
    /// Own microphone, 0..=1, about ten times a second.
    MicrophoneLevel {
        level: f32,
    },
    /// To be opened in the system browser by whoever owns the screen.
    OpenBrowser {
        url: String,
    },
}

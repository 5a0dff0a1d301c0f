//! The closed enums in and out of a session.

use crate::view::{Choices, View};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use visavis_canvas::{Change, Item};
use visavis_games::Action;
use visavis_wire::Private;
use visavis_wire::channel::Ink;
use visavis_wire::friends::FollowId;
use visavis_wire::games::Play;
use visavis_wire::paper::{Author, Fill, Point, Shape};
use visavis_wire::people::Profile;
use visavis_wire::safety::Category;
use visavis_wire::socket::MatchId;

/// What the user did. From the page (or from a bot's script).
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(tag = "do", rename_all = "snake_case")]
#[ts(export)]
pub enum Command {
    SignIn,
    CancelSignIn,
    SignOut,
    /// Enter another server's address, while nobody is signed in.
    OpenServer,
    /// Back, with the server as it was.
    CloseServer,
    /// As it was typed: it is checked, and used from then on if it is good.
    UseServer {
        address: String,
    },
    SaveProfile {
        profile: Profile,
    },
    /// Base64 of a file that becomes the picture of the profile.
    SetPicture {
        file: Private<String>,
    },
    RemovePicture,
    /// Own mirror page; from friends, parting or a cancelled wait.
    OpenMirror,
    OpenProfile,
    OpenFriends,
    /// The latest sessions.
    OpenHistory,
    /// On the page of friends.
    OpenConversation {
        follow: FollowId,
    },
    CloseConversation,
    /// Somebody one follows.
    Call {
        follow: FollowId,
    },
    /// Take a call that comes, or not; a no takes back one's own.
    AnswerCall {
        yes: bool,
    },
    /// In the open conversation.
    Write {
        text: Private<String>,
    },
    /// For both, with what was written.
    Unfollow {
        follow: FollowId,
    },
    /// Never meet this person again.
    BlockFollow {
        follow: FollowId,
    },
    /// The same, from the history.
    BlockSession {
        match_id: MatchId,
    },
    /// The same, from the call or the parting page; the call ends.
    BlockPeer,
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
    /// What the page of waiting offered, for this wait.
    Widen {
        languages: Vec<String>,
        any_age: bool,
    },
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
    /// After the peer's camera became clear again, where [`Command::AskBeforeUnveiling`] is on: yes, unveil.
    Unveil,
    /// Whether to be asked before one's own picture unveils again. Remembered.
    AskBeforeUnveiling {
        on: bool,
    },
    /// Takes effect on the sound at once. Remembered.
    Choose {
        choices: Choices,
    },
    /// Points of the stroke being drawn; `id` is the page's own running number. The first message of an `id` begins it.
    DrawPoints {
        id: u32,
        /// `None` rubs out.
        colour: Option<u32>,
        size: u16,
        /// For pointing: it is seen by both for a moment and becomes no operation.
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        fades: bool,
        points: Vec<Point>,
    },
    /// The shape being dragged, as it is now; of the same numbers as strokes.
    DrawShape {
        id: u32,
        shape: Shape,
    },
    /// The stroke or shape is complete and becomes an operation.
    DrawEnd {
        id: u32,
    },
    /// It was none after all.
    DrawCancel {
        id: u32,
    },
    /// What a flood fill of the page's own picture covers.
    DrawFill {
        fill: Fill,
    },
    MoveCursor {
        x: u16,
        y: u16,
    },
    /// As a file, from the call or the parting page.
    SaveDrawing,
    /// The whole paper again, for a page that begins.
    ShowPaper,
    Undo,
    Redo,
    ClearPaper,
    /// A blind question: it begins when both wish for the same. `None` takes the wish back.
    Wish {
        play: Option<Play>,
    },
    /// A move in the game that goes on.
    Play {
        action: Action,
    },
    Leave,
    AnswerFollow {
        yes: bool,
    },
    /// After parting: back to the mirror.
    Done,
    /// Try again what the notice on the page says has failed.
    Retry,
    DismissNotice,
    /// Writes the figures of the last ten minutes, without names and addresses, into a file; a notice says where it is.
    SaveDiagnostics,
    /// The other of the session that is or has just been, or of an older one by its id.
    Report {
        #[serde(default)]
        #[ts(optional)]
        match_id: Option<MatchId>,
        category: Category,
        text: String,
        /// The last pictures that were received go along, sealed so that the moderators alone can open them.
        with_pictures: bool,
    },
    /// A note from the moderators has been read.
    ReadNotice {
        decision: String,
    },
    AskForAnotherLook {
        decision: String,
        text: String,
    },
    /// Everything that the server holds, into a file.
    ExportData,
    /// The first of two presses; the view then says what a deletion means.
    AskDeletion,
    CancelDeletion,
    /// The second.
    ConfirmDeletion,
    /// Synthetic and file cameras only, for rehearsals: `none`, `covered`, `dark`, `frozen`, `loop`, `unplugged`, `stalled`.
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
    /// The whole paper: what can still change, bottom first, and below it what cannot, as the address of a picture.
    Paper {
        /// Which author is this side.
        own: Author,
        ground: Option<String>,
        items: Vec<Item>,
    },
    PaperChange {
        changes: Vec<Change>,
    },
    /// The peer's stroke under way, points from index `from` on; it gives way to the operation with the same `live` number.
    PeerInk {
        stroke: u32,
        ink: Ink,
        from: u16,
        points: Vec<Point>,
    },
    PeerShape {
        stroke: u32,
        shape: Shape,
    },
    /// Nothing becomes of that ink.
    PeerDropped {
        stroke: u32,
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

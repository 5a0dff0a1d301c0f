//! The evening as a state machine: (state, input, time) -> effects. It decides which page there is, what the server, the call
//! and the gate are told, and what the page shows; `run.rs` carries the effects out and brings what comes of them back as
//! inputs. No clock, no socket, no thread here, so a whole evening runs in a test in virtual time.
//!
//! | input | source |
//! |---|---|
//! | [`Input::User`] | the page or a bot's script, through `Session::command` |
//! | [`Input::BrowserDidNotOpen`] | whoever owns the screen |
//! | [`Input::Account`] | `backend.rs` and `sign_in.rs`: answers of the HTTP interface |
//! | [`Input::ServerChecked`] | `backend/check.rs` |
//! | [`Input::Socket`] | `socket.rs`: the server's messages, the state of the connection |
//! | [`Input::Call`] | the call that [`Effect::StartCall`] started, by its number |
//! | [`Input::Sight`] | the picture threads (`picture.rs`): detectors and gate |
//! | [`Input::Device`] | `devices.rs`, `sound.rs`: what there is, what opened, what failed |
//! | [`Input::Drawing`] | the task that saved a drawing |
//! | [`Input::Diagnostics`] | the task that wrote the file |
//! | [`Input::Tick`] | the loop's timer, about ten times a second |

mod account;
mod after;
mod covered;
mod devices;
mod games;
mod games_paper;
mod in_call;
mod ink;
mod meeting;
mod pages;
mod paper;
mod parting;
pub(crate) mod plugs;
mod ring;
pub(crate) mod safety;
mod server;
mod unveil;
mod view;
mod wanted;

use crate::diagnostics::Figures;
use crate::drawing::Drawing;
use crate::server::ServerProblem;
use crate::view::{Choices, Devices, Notice};
use crate::{Command, Event};
use after::Friends;
use devices::{Attempts, Own};
use in_call::InCall;
use meeting::{Offered, Waiting};
use paper::Paper;
use parting::Parting;
use plugs::Plugs;
use ring::Ring;
use std::time::Duration;
use visavis_sight::gate;
use visavis_wire::Private;
use visavis_wire::channel::{Seen, Shows};
use visavis_wire::friends::{FollowId, PastSession, Text};
use visavis_wire::http::{Follow, Me};
use visavis_wire::people::{PeerCard, Profile};
use visavis_wire::socket::{ClientMessage, MatchId, RelayCredentials, Role, ServerMessage};

pub use account::Failure;
pub use devices::DeviceInput;
pub use plugs::Kind;
pub use server::Servers;
pub use wanted::Wanted;

/// All that can happen to an evening.
#[derive(Debug)]
pub enum Input {
    User(Command),
    /// The last run of the program came to no proper end.
    EndedBadly,
    BrowserDidNotOpen {
        url: String,
    },
    Account(Account),
    /// What came of [`Effect::CheckServer`]: the address to use.
    ServerChecked {
        typed: String,
        found: Result<String, ServerProblem>,
    },
    Socket(Socket),
    Call {
        number: u64,
        event: visavis_call::Event,
    },
    Sight(Sight),
    Device(DeviceInput),
    /// `run.rs`: what came of [`Effect::SaveDrawing`].
    Drawing(Notice),
    /// What came of [`Effect::SaveDiagnostics`].
    Diagnostics(Notice),
    Tick,
}

/// What came of an HTTP request or of a sign-in.
#[derive(Debug)]
pub enum Account {
    NoStoredSignIn,
    /// Signed in, from the keyring or anew.
    SignedIn(Box<Me>),
    /// The tokens could not be kept.
    KeyringMissing,
    BrowserWanted {
        url: String,
    },
    SignInTimedOut,
    ProfileSaved(Box<Me>),
    Card(PeerCard),
    /// Own, or the other's in a match: base64 of a JPEG.
    Picture {
        of: Option<MatchId>,
        jpeg: Option<Private<String>>,
    },
    Follows(Vec<Follow>),
    Care(safety::Care),
    Texts {
        follow: FollowId,
        texts: Vec<Text>,
    },
    Written {
        follow: FollowId,
        text: Text,
    },
    History(Vec<PastSession>),
    FollowEnded,
    Blocked,
    Failed(Failure),
}

#[derive(Debug)]
pub enum Socket {
    Message(Box<ServerMessage>),
    Malformed,
    /// Lost; it is being tried again by itself.
    Down,
    Failed(Failure),
}

/// What the picture threads tell.
#[derive(Debug)]
pub enum Sight {
    OwnLooks(Seen),
    /// By the local detector, and whether the pixels are a mosaic.
    Peer {
        number: u64,
        looks: Seen,
        mosaic: bool,
    },
    /// What the gate lets out.
    Gate {
        number: u64,
        shows: Shows,
        because: Option<gate::Because>,
    },
}

/// All that an evening does.
#[derive(Debug)]
pub enum Effect {
    Emit(Event),
    /// What somebody typed as the server's address.
    CheckServer(String),
    /// From now on, and at the next start.
    UseServer(String),
    /// Look for a stored sign-in and ask the server whether it holds.
    Restore,
    SignIn,
    CancelSignIn,
    SignOut,
    SaveProfile(Box<Profile>),
    FetchCard,
    /// Own, or the other's in a match.
    FetchPicture(Option<MatchId>),
    SetPicture(Private<String>),
    RemovePicture,
    FetchFollows,
    Care(safety::Order),
    /// They count as read then.
    FetchTexts(FollowId),
    Write {
        follow: FollowId,
        text: Private<String>,
    },
    Unfollow(FollowId),
    BlockFollow(FollowId),
    FetchHistory,
    BlockSession(MatchId),
    /// Connect, or try again now.
    OpenSocket,
    /// The network changed: connect anew.
    RenewSocket,
    CloseSocket,
    Send(ClientMessage),
    StartCall {
        number: u64,
        role: Role,
        relay: Box<RelayCredentials>,
        /// The peer may learn this machine's addresses.
        direct: bool,
    },
    Call(visavis_call::Command),
    /// From now on pictures go to the call, through a fresh gate.
    ShowToPeer,
    EndCall,
    Gate(gate::Input),
    /// What the peer says of itself; can only make its picture count as less.
    PeerReport {
        shows: Shows,
        camera_on: bool,
    },
    RehearseCamera {
        modifier: String,
    },
    TestSpeaker,
    SaveDrawing(Box<Drawing>),
    /// Write this where the user finds it.
    SaveDiagnostics(String),
    /// The choice of devices, or a habit, changed and is to be kept.
    RememberDevices,
    /// Now, not only when it is due.
    LookForDevices,
}

pub struct Evening {
    stage: Stage,
    notice: Option<Notice>,
    devices: Devices,
    plugs: Plugs,
    attempts: Attempts,
    own: Own,
    figures: Figures,
    /// Number of the newest call; events of another one are late and ignored.
    number: u64,
    /// Messages of the server that could not be read.
    malformed: u64,
    care: safety::CareState,
    servers: Servers,
    /// What words and numbers of games are drawn from.
    chance: [u8; 32],
}

enum Stage {
    Starting { retry_at: Option<Duration> },
    Server(server::Asked),
    Welcome,
    SigningIn,
    SignedIn(Box<SignedIn>),
}

struct SignedIn {
    username: Private<String>,
    profile: Profile,
    card: PeerCard,
    /// Own; of its file's base64.
    picture: Option<Private<String>>,
    /// The server has welcomed this socket.
    online: bool,
    /// Left while the server was away; it is told when it is back.
    leave_later: Option<MatchId>,
    /// Texts of people one follows.
    unread: u32,
    /// People one follows, as last heard.
    follows: Vec<Follow>,
    ring: Option<Ring>,
    room: Room,
}

/// Where somebody who is signed in is.
enum Room {
    Profile {
        saving: bool,
    },
    Mirror,
    Waiting(Waiting),
    Offered(Offered),
    Call(Box<InCall>),
    Parting(Parting),
    Friends(Friends),
    /// `None`: on its way.
    History {
        sessions: Option<Vec<PastSession>>,
    },
}

/// Between two attempts to reach a server that did not answer at the start.
const START_AGAIN: Duration = Duration::from_secs(5);

impl Evening {
    /// The first effect looks for a stored sign-in.
    pub fn new(ask_before_unveiling: bool) -> (Self, Vec<Effect>) {
        let evening = Self {
            stage: Stage::Starting { retry_at: None },
            notice: None,
            devices: Devices::default(),
            plugs: Plugs::default(),
            attempts: Attempts::default(),
            own: Own {
                camera_on: true,
                looks: Seen::Unknown,
                muted: false,
                ask_before_unveiling,
                choices: Choices::default(),
                shutter_closed: false,
            },
            figures: Figures::default(),
            number: 0,
            malformed: 0,
            care: safety::CareState::default(),
            servers: Servers::default(),
            chance: [0; 32],
        };
        (evening, vec![Effect::Restore])
    }

    pub fn input(&mut self, input: Input, now: Duration) -> Vec<Effect> {
        let mut out = Vec::new();
        match input {
            Input::User(command) => self.command(command, now, &mut out),
            Input::EndedBadly => self.notice = Some(Notice::EndedBadly),
            Input::BrowserDidNotOpen { url } => {
                if matches!(self.stage, Stage::SigningIn) {
                    self.notice = Some(Notice::BrowserDidNotOpen { url });
                }
            }
            Input::Account(account) => self.account(account, now, &mut out),
            Input::ServerChecked { typed, found } => self.server_checked(&typed, found, &mut out),
            Input::Socket(socket) => self.socket(socket, now, &mut out),
            Input::Call { number, event } if number == self.number => {
                if let visavis_call::Event::Statistics(figures) = &event {
                    let ignored = self.paper().map_or(0, Paper::ignored);
                    self.figures.put(number, figures.clone(), ignored, now);
                }
                self.call_event(event, now, &mut out);
            }
            Input::Call { .. } => {}
            Input::Sight(sight) => self.sight(sight, now, &mut out),
            Input::Device(device) => self.device(device, &mut out),
            Input::Drawing(notice) => self.notice = Some(notice),
            Input::Diagnostics(notice) => self.notice = Some(notice),
            Input::Tick => self.tick(now, &mut out),
        }
        out
    }

    /// Chance is an argument: without it every game would be the same.
    pub fn with_chance(self, chance: [u8; 32]) -> Self {
        Self { chance, ..self }
    }

    /// As the settings remember them.
    pub fn with_choices(mut self, choices: Choices) -> Self {
        self.own.choices = choices;
        self
    }

    /// What is wanted, as flags and settings say.
    pub(crate) fn with_plugs(self, plugs: Plugs) -> Self {
        Self { plugs, ..self }
    }

    pub fn choices(&self) -> Choices {
        self.own.choices
    }

    pub(crate) fn plugs(&self) -> &Plugs {
        &self.plugs
    }

    fn command(&mut self, command: Command, now: Duration, out: &mut Vec<Effect>) {
        match command {
            Command::SignIn | Command::CancelSignIn | Command::SignOut => self.account_command(&command, out),
            Command::OpenServer | Command::CloseServer | Command::UseServer { .. } => self.server_command(command, out),
            Command::SaveProfile { profile } => self.save_profile(profile, out),
            Command::SetPicture { .. } | Command::RemovePicture => self.picture_command(command, out),
            Command::OpenMirror | Command::OpenProfile | Command::OpenFriends | Command::OpenHistory | Command::Done => {
                self.go(&command, now, out);
            }
            Command::OpenConversation { .. }
            | Command::CloseConversation
            | Command::Write { .. }
            | Command::Unfollow { .. }
            | Command::BlockFollow { .. }
            | Command::BlockSession { .. }
            | Command::BlockPeer => self.after_command(command, out),
            Command::Call { .. } | Command::AnswerCall { .. } => self.ring_command(command, now, out),
            Command::ChooseCamera { id } => self.choose(Kind::Camera, id, out),
            Command::ChooseMicrophone { id } => self.choose(Kind::Microphone, id, out),
            Command::ChooseSpeaker { id } => self.choose(Kind::Speaker, id, out),
            Command::TestSpeaker => out.push(Effect::TestSpeaker),
            Command::Meet | Command::CancelWaiting | Command::Widen { .. } | Command::AnswerMatch { .. } => {
                self.meeting_command(&command, now, out);
            }
            Command::Mute { on } => {
                self.own.muted = on;
                if let Some(call) = self.call() {
                    call.mute(on, out);
                }
            }
            Command::Camera { on } => {
                self.own.camera_on = on;
                self.report_sight(now, out);
            }
            Command::Report { .. }
            | Command::ReadNotice { .. }
            | Command::AskForAnotherLook { .. }
            | Command::ExportData
            | Command::AskDeletion
            | Command::CancelDeletion
            | Command::ConfirmDeletion => self.care_command(command, out),
            Command::Leave => self.leave(now, out),
            Command::AnswerFollow { yes } => self.answer_follow(yes, out),
            Command::Retry => self.retry(out),
            Command::DismissNotice => self.notice = None,
            Command::SaveDrawing => {
                let drawing = self.paper().and_then(Paper::drawing);
                out.extend(drawing.map(|drawing| Effect::SaveDrawing(Box::new(drawing))));
            }
            Command::ShowPaper => out.extend(self.paper().map(|paper| Effect::Emit(paper.show()))),
            Command::SaveDiagnostics => out.push(Effect::SaveDiagnostics(self.diagnostics(now))),
            Command::RehearseCamera { modifier } => out.push(Effect::RehearseCamera { modifier }),
            Command::AskBeforeUnveiling { on } => {
                self.own.ask_before_unveiling = on;
                out.push(Effect::RememberDevices);
            }
            Command::Choose { choices } => {
                self.own.choices = Choices { volume: choices.volume.min(100), ..choices };
                out.push(Effect::RememberDevices);
            }
            Command::Reveal { .. }
            | Command::Unveil
            | Command::DrawPoints { .. }
            | Command::DrawShape { .. }
            | Command::DrawEnd { .. }
            | Command::DrawCancel { .. }
            | Command::DrawFill { .. }
            | Command::MoveCursor { .. }
            | Command::Undo
            | Command::Redo
            | Command::ClearPaper
            | Command::Wish { .. }
            | Command::Play { .. } => {
                if let Some(call) = self.call() {
                    call.command(command, now, out);
                }
            }
        }
    }

    fn tick(&mut self, now: Duration, out: &mut Vec<Effect>) {
        self.tick_care(now, out);
        self.tick_ring(now, out);
        match &mut self.stage {
            Stage::Starting { retry_at } if retry_at.is_some_and(|at| now >= at) => {
                *retry_at = None;
                out.push(Effect::Restore);
            }
            Stage::SignedIn(signed_in) => match signed_in.room {
                Room::Offered(_) => self.tick_offered(now, out),
                Room::Call(_) => self.tick_call(now, out),
                Room::Parting(ref mut parting) => parting.tick(now),
                Room::Friends(ref mut friends) => friends.tick(now, out),
                Room::Waiting(ref mut waiting) => waiting.tick(now, signed_in.online, out),
                _ => {}
            },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;

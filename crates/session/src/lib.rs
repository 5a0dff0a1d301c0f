//! One person's evening: signed in -> mirror -> waiting -> matched -> call -> parting -> friends; consents; the client of the
//! server. The shell and the headless peer drive it alike: [`Command`] in, [`Event`] out, a whole [`view::View`] after each
//! change, and two mailboxes with pictures to show.
//!
//! | file | holds |
//! |---|---|
//! | `evening` | every decision, as a state machine without clock or I/O |
//! | `run` | the owner loop that carries its effects out |
//! | `backend`, `socket`, `sign_in`, `keyring` | the server's client |
//! | `server` | which server that is |
//! | `picture` | camera -> gate -> call, and call -> detector -> gate |
//! | `evidence` | the last pictures received, for a report |
//! | `drawing` | a file of what was drawn |
//! | `devices`, `sound`, `settings` | what is open, and what was chosen |
//! | `diagnostics` | what can be handed to somebody who helps |
//!
//! Connecting two people is the business of `call`, judging pictures and releasing them that of `sight`, merging strokes that
//! of `canvas`.

mod backend;
pub mod command;
mod devices;
mod diagnostics;
mod drawing;
mod evening;
mod evidence;
mod keyring;
pub mod picture;
mod requests;
mod run;
pub mod server;
mod settings;
mod sight;
mod sign_in;
mod socket;
mod sound;
pub mod view;

/// The evening without threads, sockets and clock, for rehearsals in virtual time.
#[doc(hidden)]
pub mod pure {
    pub use crate::drawing::Drawing;
    pub use crate::evening::safety::Order;
    pub use crate::evening::{Account, Effect, Evening, Input, Sight, Socket};
}

pub use command::{Command, Event};
pub use evening::Sight;
pub use picture::{Pictures, ShownPicture};
pub use run::call_config;
pub use sight::camera_state;

use evening::Input;
use evening::plugs::Given;
use run::{Connect, End, Parts};
use server::Server;
use settings::Settings;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
pub use visavis_media::audio::{MicrophoneSource, ProcessingOptions, SpeakerTarget};
pub use visavis_media::camera::CameraSource;
pub use visavis_media::machine::{Hardware, Machine};
pub use visavis_media::memory::return_what_is_freed;
pub use visavis_media::{Clock, FramePool, scale};

use visavis_media::Mailbox;

pub struct Config {
    /// `https://...`; plain `http://` for a loopback address only.
    pub server: Server,
    /// Tells several instances on one machine apart; seeds the drawn face.
    pub profile_name: String,
    /// Where the choice of devices is kept.
    pub profile_dir: PathBuf,
    /// Where drawings are saved; made when it is not there.
    pub drawings_dir: PathBuf,
    /// Used before what the settings remember; `None`: those, or what the machine has.
    pub camera: Option<CameraSource>,
    pub microphone: Option<MicrophoneSource>,
    pub speaker: Option<SpeakerTarget>,
    /// Whose devices they are.
    pub machine: Arc<dyn Machine>,
    /// What is done to the microphone's sound, unless the settings switch it off.
    pub sound: ProcessingOptions,
    /// `false`: tokens live in memory, and nothing is said about it.
    pub keyring: bool,
    pub clock: Clock,
}

/// A running session. Dropping it ends it at once, without a word to the server; [`Session::shutdown`] says good-bye.
pub struct Session {
    inputs: UnboundedSender<Input>,
    end: Mutex<Option<oneshot::Sender<End>>>,
    own_pictures: Pictures,
    peer_pictures: Pictures,
}

impl Session {
    /// Call from within a tokio runtime. The first event is a view of the start page.
    ///
    /// The events are not bounded: what a peer or the server can cause is limited where it comes in (ink a second, whole views
    /// only after a change), and a page that reads late misses nothing.
    pub fn start(config: Config) -> (Self, UnboundedReceiver<Event>) {
        let (events, receiver) = unbounded_channel();
        let (inputs, input_queue) = unbounded_channel();
        let (end, ended) = oneshot::channel();
        let (own_pictures, peer_pictures) = (Mailbox::new(), Mailbox::new());
        let settings = Settings::load(&config.profile_dir);
        let (server, address) = evening::Servers::of(config.server, settings.server.clone());
        let connect = Connect { profile_name: config.profile_name.clone(), keyring: config.keyring };
        let given = Given {
            profile_name: config.profile_name,
            camera: config.camera.map(|source| source.to_string()),
            microphone: config.microphone.map(|source| source.to_string()),
            speaker: config.speaker.map(|target| target.to_string()),
        };
        let parts = Parts {
            clock: config.clock,
            profile_dir: config.profile_dir,
            drawings_dir: config.drawings_dir,
            machine: config.machine,
            given,
            choices: settings.choices(config.sound),
            settings,
            backend: Arc::new(connect.to(address.as_deref().unwrap_or_default())),
            connect,
            server,
            inputs: inputs.clone(),
            events,
            own_pictures: own_pictures.clone(),
            peer_pictures: peer_pictures.clone(),
        };
        tokio::spawn(run::run(parts, input_queue, ended));
        (Self { inputs, end: Mutex::new(Some(end)), own_pictures, peer_pictures }, receiver)
    }

    pub fn command(&self, command: Command) {
        // Fails only once the session has ended.
        let _ = self.inputs.send(Input::User(command));
    }

    /// Whoever owns the screen could not open the browser at this address.
    pub fn browser_did_not_open(&self, url: String) {
        let _ = self.inputs.send(Input::BrowserDidNotOpen { url });
    }

    /// Whoever started the session found that the program before it was killed or crashed.
    pub fn ended_badly(&self) {
        let _ = self.inputs.send(Input::EndedBadly);
    }

    /// What the mirror shows, and during a call exactly what leaves this machine. Newest wins; one consumer.
    pub fn own_pictures(&self) -> Pictures {
        self.own_pictures.clone()
    }

    /// What arrives. Newest wins; one consumer.
    pub fn peer_pictures(&self) -> Pictures {
        self.peer_pictures.clone()
    }

    /// Leaves what there is to leave, tells server and peer, and returns when that is done (within two seconds or so).
    pub async fn shutdown(&self) {
        let (done, told) = oneshot::channel();
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(end) = end
            && end.send(End::Shutdown(done)).is_ok()
        {
            // The loop may end in a panic; then there is nothing to wait for.
            let _ = told.await;
        }
    }
}

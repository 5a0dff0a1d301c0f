//! The session's one owner loop: takes inputs in, lets `evening.rs` decide, carries the effects out. It alone holds the call,
//! the socket and the threads that keep devices; whatever takes time happens in tasks and threads that answer with an input.
//!
//! The inputs are [`Input`], listed with their sources in `evening.rs`; beside them the loop knows its timer and its end.

mod care;
mod servers;

use crate::backend::Backend;
use crate::devices::{self, KeptCamera, Order as DeviceOrder};
use crate::diagnostics;
use crate::drawing::{Drawing, Unsaved};
use crate::evening::plugs::{Given, Plugs};
use crate::evening::{Account, Effect, Evening, Failure, Input, Servers, Wanted};
use crate::evidence::Kept;
use crate::picture::{self, Order as PictureOrder, PeerParts, PeerWatch, Pictures};
use crate::requests::{after, answered, restore};
use crate::settings::Settings;
use crate::socket::SocketHandle;
use crate::sound::{KeptMicrophone, KeptSpeaker, Slot};
use crate::view::{Choices, Notice, View};
use crate::{Command, Event};
pub(crate) use servers::Connect;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use visavis_call::{Call, Codecs, Config as CallConfig, MicrophoneSink, Policy, SpeakerSource};
use visavis_media::machine::Machine;
use visavis_media::{Clock, FramePool};
use visavis_wire::socket::{RelayCredentials, Role};

const TICK: Duration = Duration::from_millis(100);
/// Inputs taken in before the page is told anew.
const AT_ONCE: usize = 64;
/// Until a call that hung up has said so to the peer.
const WIND_DOWN: Duration = Duration::from_secs(1);
/// Decoder, mailbox, screen, and some in spare.
const PEER_FRAMES: usize = 8;
const MAX_VIDEO_KBPS: u32 = 2500;

/// How a session ends.
pub(crate) enum End {
    /// Says good-bye first, then answers.
    Shutdown(oneshot::Sender<()>),
}

pub(crate) struct Parts {
    pub clock: Clock,
    pub profile_dir: PathBuf,
    pub drawings_dir: PathBuf,
    pub machine: Arc<dyn Machine>,
    /// What flags chose for this run.
    pub given: Given,
    /// At the start of this run.
    pub choices: Choices,
    pub settings: Settings,
    pub backend: Arc<Backend>,
    pub connect: Connect,
    pub server: Servers,
    pub inputs: UnboundedSender<Input>,
    pub events: UnboundedSender<Event>,
    pub own_pictures: Pictures,
    pub peer_pictures: Pictures,
}

struct Running {
    number: u64,
    call: Call,
    /// Passes the call's events on.
    events: JoinHandle<()>,
    watch: Option<PeerWatch>,
}

/// Threads of the session that last as long as it does.
struct Threads {
    own: Sender<PictureOrder>,
    camera: Sender<DeviceOrder>,
    microphone: Sender<DeviceOrder>,
    speaker: Sender<DeviceOrder>,
    watch: Sender<()>,
}

struct Loop {
    parts: Parts,
    evening: Evening,
    socket: SocketHandle,
    threads: Threads,
    sink: Slot<MicrophoneSink>,
    source: Slot<SpeakerSource>,
    sign_in: Option<JoinHandle<()>>,
    call: Option<Running>,
    wanted: Wanted,
    room: (usize, usize),
    shown: Option<View>,
    /// Of the peer, for a report.
    kept: Arc<Kept>,
}

impl Threads {
    fn start(parts: &Parts, sink: &Slot<MicrophoneSink>, source: &Slot<SpeakerSource>) -> std::io::Result<Self> {
        let own = picture::start_own(parts.clock, tell(&parts.inputs), parts.own_pictures.clone())?;
        let played = Slot::new();
        let machine = || Arc::clone(&parts.machine);
        let options = parts.choices.sound();
        let microphone = KeptMicrophone::new(machine(), sink.clone(), played.clone(), options, parts.inputs.clone());
        let speaker = KeptSpeaker::new(machine(), parts.clock, source.clone(), played, parts.inputs.clone());
        let camera = KeptCamera::new(machine(), parts.clock, own.clone(), parts.inputs.clone());
        Ok(Self {
            watch: devices::watch(machine(), parts.inputs.clone())?,
            own,
            camera: devices::keep("camera-keeper", camera)?,
            microphone: devices::keep("microphone-keeper", microphone)?,
            speaker: devices::keep("speaker-keeper", speaker)?,
        })
    }
}

/// How the product sets a call up.
pub fn call_config(role: Role, relay: RelayCredentials, policy: Policy, clock: Clock) -> CallConfig {
    CallConfig {
        role,
        relay,
        policy,
        max_video_kbps: MAX_VIDEO_KBPS,
        codecs: Codecs::Auto,
        clock,
        pool: FramePool::new(PEER_FRAMES),
    }
}

fn tell(inputs: &UnboundedSender<Input>) -> picture::Tell {
    let inputs = inputs.clone();
    // Nobody listens once the session ends.
    Arc::new(move |sight| drop(inputs.send(Input::Sight(sight))))
}

/// The session's task. Ends when `end` resolves or its other side is dropped.
pub(crate) async fn run(parts: Parts, mut inputs: UnboundedReceiver<Input>, mut end: oneshot::Receiver<End>) {
    let (sink, source) = (Slot::new(), Slot::new());
    let threads = match Threads::start(&parts, &sink, &source) {
        Ok(threads) => threads,
        Err(error) => {
            tracing::error!(%error, "the session's threads cannot be started");
            return;
        }
    };
    let (evening, effects) = Evening::new(parts.settings.ask_before_unveiling);
    let (evening, effects) = evening.with_server(parts.server.clone(), effects);
    let evening = evening.with_chance(rand::random()).with_choices(parts.choices);
    let evening = evening.with_plugs(Plugs::new(&parts.given, &parts.settings));
    let (socket_events, from_socket) = unbounded_channel();
    let socket = SocketHandle::start(Arc::clone(&parts.backend), socket_events);
    let forward = tokio::spawn(forward(from_socket, parts.inputs.clone(), Input::Socket));
    let mut this = Loop {
        parts,
        evening,
        socket,
        threads,
        sink,
        source,
        sign_in: None,
        call: None,
        wanted: Wanted::default(),
        room: picture::SMALL,
        shown: None,
        kept: Arc::new(Kept::new()),
    };
    this.carry_out(effects);
    this.show();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut batch = Vec::new();
    let asked = loop {
        tokio::select! {
            ended = &mut end => break ended.ok(),
            taken = inputs.recv_many(&mut batch, AT_ONCE) => {
                if taken == 0 {
                    break None;
                }
                for input in batch.drain(..) {
                    this.input(input);
                }
            }
            _ = tick.tick() => {
                this.input(Input::Tick);
                this.follow_path();
            }
        }
        this.show();
    };
    this.finish(asked).await;
    forward.abort();
}

async fn forward<T>(mut from: UnboundedReceiver<T>, to: UnboundedSender<Input>, as_input: impl Fn(T) -> Input) {
    while let Some(event) = from.recv().await {
        if to.send(as_input(event)).is_err() {
            return;
        }
    }
}

impl Loop {
    fn input(&mut self, input: Input) {
        let looks_again = matches!(input, Input::User(Command::Retry | Command::OpenMirror | Command::Done));
        let effects = self.evening.input(input, self.parts.clock.now());
        self.carry_out(effects);
        let wanted = self.evening.wanted();
        if wanted != self.wanted {
            self.want(wanted);
        }
        if looks_again {
            self.look_for_devices();
        }
    }

    /// Pictures as large as the call's path and this machine can take.
    fn follow_path(&mut self) {
        let room = self.call.as_ref().map_or(picture::SMALL, |running| running.call.preferred_size());
        if room != self.room {
            self.room = room;
            self.picture(PictureOrder::Room(room));
        }
    }

    /// Tells the page when what it shows has changed.
    fn show(&mut self) {
        let view = self.evening.view(self.parts.clock.now());
        if self.shown.as_ref() != Some(&view) {
            self.shown = Some(view.clone());
            self.emit(Event::View { view: Box::new(view) });
        }
    }

    fn emit(&self, event: Event) {
        // The page may be gone already; the session ends by its own handle.
        let _ = self.parts.events.send(event);
    }

    fn look_for_devices(&self) {
        // The thread ends with its sender, which is ours.
        let _ = self.threads.watch.send(());
    }

    fn want(&mut self, wanted: Wanted) {
        if wanted.sound != self.wanted.sound {
            // As below. The microphone thread knows those of the start.
            let _ = self.threads.microphone.send(DeviceOrder::Process(wanted.sound));
        }
        if wanted.volume != self.wanted.volume {
            let _ = self.threads.speaker.send(DeviceOrder::Volume(wanted.volume));
        }
        let (tried, tries) = (self.wanted.attempts, wanted.attempts);
        let kinds = [
            (&self.threads.camera, &self.wanted.camera, &wanted.camera, tries.camera != tried.camera),
            (&self.threads.microphone, &self.wanted.microphone, &wanted.microphone, tries.microphone != tried.microphone),
            (&self.threads.speaker, &self.wanted.speaker, &wanted.speaker, tries.speaker != tried.speaker),
        ];
        for (keeper, before, now, again) in kinds {
            if before != now || (again && now.is_some()) {
                // A keeper ends with its sender, which is ours.
                let _ = keeper.send(DeviceOrder::Want(now.clone()));
            }
        }
        self.wanted = wanted;
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Emit(event) => self.emit(event),
                Effect::CheckServer(typed) => self.check_server(typed),
                Effect::UseServer(address) => self.use_server(address),
                Effect::Restore => self.ask(|backend| async move { restore(&backend).await }),
                Effect::SignIn => self.start_sign_in(),
                Effect::CancelSignIn => self.cancel_sign_in(),
                Effect::SignOut => {
                    self.ask_nothing(|backend| async move { backend.sign_out().await });
                }
                Effect::SaveProfile(profile) => self.ask(move |backend| async move {
                    answered(backend.save_profile(&profile).await, |me| Account::ProfileSaved(Box::new(me)))
                }),
                Effect::FetchCard => self.ask(|backend| async move { answered(backend.card().await, Account::Card) }),
                Effect::FetchFollows => {
                    self.ask(|backend| async move { answered(backend.follows().await, |found| Account::Follows(found.follows)) });
                }
                Effect::Care(order) => self.care(order),
                Effect::FetchPicture(_)
                | Effect::SetPicture(_)
                | Effect::RemovePicture
                | Effect::FetchTexts(_)
                | Effect::Write { .. }
                | Effect::Unfollow(_)
                | Effect::BlockFollow(_)
                | Effect::FetchHistory
                | Effect::BlockSession(_) => self.ask(move |backend| async move { after(&backend, effect).await }),
                Effect::OpenSocket => self.socket.open(),
                Effect::RenewSocket => self.socket.renew(),
                Effect::CloseSocket => self.socket.close(),
                Effect::Send(message) => self.socket.send(message),
                Effect::StartCall { number, role, relay, direct } => self.start_call(number, role, *relay, direct),
                Effect::Call(command) => {
                    if let Some(running) = &self.call {
                        running.call.command(command);
                    }
                }
                Effect::ShowToPeer => self.show_to_peer(),
                Effect::EndCall => self.end_call(),
                Effect::Gate(input) => self.picture(PictureOrder::Gate(input)),
                Effect::PeerReport { shows, camera_on } => {
                    if let Some(watch) = self.call.as_ref().and_then(|running| running.watch.as_ref()) {
                        watch.says(shows, camera_on);
                    }
                }
                Effect::RehearseCamera { modifier } => match devices::modifier(&modifier) {
                    Some(modifier) => drop(self.threads.camera.send(DeviceOrder::Rehearse(modifier))),
                    None => tracing::warn!("no such camera modifier"),
                },
                Effect::TestSpeaker => drop(self.threads.speaker.send(DeviceOrder::TestTone)),
                Effect::SaveDrawing(drawing) => self.save_drawing(*drawing),
                Effect::SaveDiagnostics(report) => self.save_diagnostics(report),
                Effect::RememberDevices => self.remember_devices(),
                Effect::LookForDevices => self.look_for_devices(),
            }
        }
    }

    fn picture(&self, order: PictureOrder) {
        // The own thread ends with this sender.
        let _ = self.threads.own.send(order);
    }

    /// Runs a request and brings its answer back.
    fn ask<F: Future<Output = Option<Account>> + Send + 'static>(&self, request: impl FnOnce(Arc<Backend>) -> F) {
        let (backend, inputs) = (Arc::clone(&self.parts.backend), self.parts.inputs.clone());
        let request = request(Arc::clone(&backend));
        tokio::spawn(async move {
            if let Some(account) = request.await
                && !backend.is_retired()
            {
                let _ = inputs.send(Input::Account(account));
            }
        });
    }

    fn ask_nothing<F: Future<Output = Result<(), Failure>> + Send + 'static>(&self, request: impl FnOnce(Arc<Backend>) -> F) {
        let request = request(Arc::clone(&self.parts.backend));
        tokio::spawn(async move {
            if request.await.is_err() {
                tracing::info!("the server did not hear of the sign-out; its tokens expire by themselves");
            }
        });
    }

    fn save_diagnostics(&self, report: String) {
        let (folder, inputs) = (self.parts.profile_dir.clone(), self.parts.inputs.clone());
        tokio::task::spawn_blocking(move || {
            // Fails only when the session is over.
            let _ = inputs.send(Input::Diagnostics(diagnostics::save(&report, &folder)));
        });
    }

    fn remember_devices(&self) {
        let mut settings = Settings { ask_before_unveiling: self.evening.ask_before_unveiling(), ..self.parts.settings.clone() };
        self.evening.plugs().remember(&mut settings);
        settings.choose(self.parts.choices, self.evening.choices());
        let folder = self.parts.profile_dir.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = settings.save(&folder) {
                tracing::warn!(%error, "the settings cannot be kept");
            }
        });
    }

    fn save_drawing(&self, drawing: Drawing) {
        let (folder, inputs) = (self.parts.drawings_dir.clone(), self.parts.inputs.clone());
        tokio::task::spawn_blocking(move || {
            let name = folder.display().to_string();
            let notice = match drawing.save(&folder, SystemTime::now()) {
                Ok(path) => Notice::DrawingSaved { path: path.display().to_string() },
                Err(Unsaved::DiskFull) => Notice::DrawingDiskFull { folder: name },
                Err(Unsaved::Folder) => Notice::DrawingFolder { folder: name },
                Err(Unsaved::Other(detail)) => Notice::DrawingFailed { detail },
            };
            let _ = inputs.send(Input::Drawing(notice));
        });
    }

    fn start_call(&mut self, number: u64, role: Role, relay: RelayCredentials, direct: bool) {
        self.end_call();
        self.kept.forget();
        let policy = if direct { Policy::Any } else { Policy::RelayOnly };
        let (call, events) = Call::start(call_config(role, relay, policy, self.parts.clock));
        let events = tokio::spawn(forward(events, self.parts.inputs.clone(), move |event| Input::Call { number, event }));
        self.call = Some(Running { number, call, events, watch: None });
    }

    fn show_to_peer(&mut self) {
        let Some(running) = &mut self.call else { return };
        let parts = PeerParts {
            number: running.number,
            clock: self.parts.clock,
            pictures: running.call.peer_pictures(),
            gate: self.threads.own.clone(),
            tell: tell(&self.parts.inputs),
            shown: self.parts.peer_pictures.clone(),
            kept: Some(Arc::clone(&self.kept)),
        };
        match PeerWatch::start(parts) {
            Ok(watch) => running.watch = Some(watch),
            // Without a watch the gate stays veiled.
            Err(error) => tracing::error!(%error, "no thread for the peer's pictures"),
        }
        self.sink.set(Some(running.call.microphone()));
        self.source.set(Some(running.call.speaker()));
        let order = PictureOrder::Call(Some((running.number, running.call.pictures())));
        self.picture(order);
    }

    fn end_call(&mut self) {
        let Some(running) = self.call.take() else { return };
        self.picture(PictureOrder::Call(None));
        self.sink.set(None);
        self.source.set(None);
        // The last picture of the peer does not stay.
        drop(self.parts.peer_pictures.try_take());
        tokio::spawn(wind_down(running));
    }

    async fn finish(mut self, asked: Option<End>) {
        self.cancel_sign_in();
        if let Some(End::Shutdown(done)) = asked {
            self.input(Input::User(Command::Leave));
            self.input(Input::User(Command::CancelWaiting));
            self.input(Input::User(Command::AnswerMatch { meet: false }));
            self.socket.close();
            if let Some(running) = self.call.take() {
                wind_down(running).await;
            }
            // The socket's close frame, and the call's good-bye that is winding down.
            tokio::time::sleep(Duration::from_millis(300)).await;
            self.parts.own_pictures.close();
            self.parts.peer_pictures.close();
            // Nobody waits any more: it ends all the same.
            let _ = done.send(());
        } else if let Some(running) = self.call.take() {
            running.call.command(visavis_call::Command::HangUp);
            tokio::spawn(wind_down(running));
        }
        self.parts.own_pictures.close();
        self.parts.peer_pictures.close();
    }
}

/// Lets the call say good-bye, then drops it where blocking does no harm: its threads are joined.
async fn wind_down(running: Running) {
    let Running { call, mut events, watch, .. } = running;
    drop(watch);
    // The forwarding task ends when the call has closed its events.
    if tokio::time::timeout(WIND_DOWN, &mut events).await.is_err() {
        events.abort();
    }
    let end = move || {
        drop(call);
        visavis_media::memory::give_back();
    };
    if tokio::task::spawn_blocking(end).await.is_err() {
        tracing::error!("a call ended in a panic");
    }
}

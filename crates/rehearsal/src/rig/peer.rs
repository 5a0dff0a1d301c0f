//! One side of a measured call: the product's camera, picture threads (detectors and gate), engine, microphone and speaker, put
//! together as a session puts them together, with the rig in place of the page and of the matching server.
//!
//! Nothing is switched off. Both say yes to the reveal question as the call begins; the gate then opens by its own rules, about
//! a second later, and until then a veiled picture is sent, in which the frame number stays readable.

use super::journal::{Album, Event as Line, Journal};
use super::signalling::{Lines, Reader, ToServer, ToSide, Writer};
use super::voice::Voice;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, MissedTickBehavior};
use visavis_call::{Call, Codecs, Command, Config, Event, MicrophoneSink, Policy, SpeakerSource};
use visavis_media::audio::{
    AudioError, AudioFrame, Microphone, MicrophoneSource, ProcessingOptions, SILENCE, Speaker, SpeakerTarget, VoiceProcessing,
};
use visavis_media::camera::{Camera, CameraError, CameraSource};
use visavis_media::{Clock, Frame, FramePool, Mailbox};
use visavis_session::picture::{Order, PeerParts, PeerWatch, start_own};
use visavis_session::{Sight, call_config, camera_state};
use visavis_sight::gate::Input as GateInput;
use visavis_wire::Private;
use visavis_wire::channel::{Control, Seen, Shows};
use visavis_wire::socket::{RelayCredentials, Role};

/// As the session keeps for its camera.
const CAMERA_FRAMES: usize = 6;
const FPS: u32 = 30;
/// How often a thread looks whether it is to end.
const LOOK: Duration = Duration::from_millis(200);
/// How often the path is asked for the size that it carries, and the report to the peer is looked at.
const TICK: Duration = Duration::from_millis(100);
/// A report that did not change is repeated.
const REPORT_EVERY: Duration = Duration::from_secs(2);
/// The first picture of a camera comes within this time.
const CAMERA_WITHIN: Duration = Duration::from_secs(5);
const OTHER_SIDE_WITHIN: Duration = Duration::from_secs(60);
/// Until the call has said good-bye.
const FAREWELL: Duration = Duration::from_secs(1);
/// There is one call, so its number is any.
const NUMBER: u64 = 1;

#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    #[error("{0}")]
    Camera(#[from] CameraError),
    #[error("the camera gives no picture")]
    NoPicture,
    #[error("{0}")]
    Sound(#[from] AudioError),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the voice processing cannot be started: {0}")]
    Processing(String),
    #[error("the server has no relay")]
    NoRelay,
    #[error("the server went away before the call began")]
    NoServer,
    #[error("the other side did not come within {} s", OTHER_SIDE_WITHIN.as_secs())]
    NoOther,
    #[error("the call failed: {0}")]
    Failed(String),
}

pub struct Options {
    pub role: Role,
    pub camera: PathBuf,
    pub size: (usize, usize),
    pub policy: Policy,
    pub codecs: Codecs,
    pub server: IpAddr,
    /// Length of the call, from its start.
    pub length: Duration,
    pub out: PathBuf,
}

/// Runs one side from its camera to its good-bye.
pub async fn run(options: Options) -> Result<(), PeerError> {
    let clock = Clock::start();
    let journal = Arc::new(Journal::create(&options.out, clock)?);
    let (reader, mut writer) = Lines::connect(options.server).await?.split();
    let mut messages = receive(reader);
    let relay = match (messages.recv().await, options.policy) {
        (Some(ToSide::Relay(Some(relay))), Policy::RelayOnly) => relay,
        (Some(ToSide::Relay(_)), Policy::Any) => none(),
        (Some(ToSide::Relay(None)), Policy::RelayOnly) => return Err(PeerError::NoRelay),
        _ => return Err(PeerError::NoServer),
    };
    let camera = open_camera(&options, clock, &journal)?;
    let (sights, from_pictures) = unbounded_channel();
    // Fails once the call is over.
    let tell: visavis_session::picture::Tell = Arc::new(move |sight| drop(sights.send(sight)));
    let own = start_own(clock, Arc::clone(&tell), Mailbox::new())?;
    // The pictures' thread ends with its orders.
    let _ = own.send(Order::Camera(Some(camera.pictures.clone())));
    let config = Config { codecs: options.codecs, ..call_config(options.role, relay, options.policy, clock) };
    let (call, events) = Call::start(config);
    let sound = Sound::open(options.role, call.microphone(), call.speaker(), clock)?;
    let shown = Mailbox::new();
    let parts = PeerParts {
        number: NUMBER,
        clock,
        pictures: call.peer_pictures(),
        gate: own.clone(),
        tell,
        shown: shown.clone(),
        kept: None,
    };
    let watch = PeerWatch::start(parts)?;
    let _ = own.send(Order::Call(Some((NUMBER, call.pictures()))));
    for consent in [GateInput::Agreed(true), GateInput::Opened(true)] {
        let _ = own.send(Order::Gate(consent));
    }
    let screen = watch_screen(shown, Arc::clone(&journal))?;
    writer.send(&ToServer::Ready).await?;
    let side = Side { call, own, watch, journal, report: Report::default(), room: None, writer, options };
    let ended = side.attend(events, messages, from_pictures).await;
    drop(sound);
    drop(camera);
    // It ends with the peer's pictures.
    drop(screen);
    ended
}

fn none() -> RelayCredentials {
    RelayCredentials {
        urls: Vec::new(),
        username: Private::default(),
        credential: Private::default(),
        authority: None,
        expires_in_s: 0,
    }
}

/// A task of its own, because reading a line must not be cut short.
fn receive(mut reader: Reader) -> UnboundedReceiver<ToSide> {
    let (sender, receiver) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok(Some(message)) = reader.next().await {
            if sender.send(message).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The camera, and what passes on its pictures after noting them.
struct NotedCamera {
    _camera: Camera,
    pictures: Mailbox<Frame>,
}

impl Drop for NotedCamera {
    fn drop(&mut self) {
        self.pictures.close();
    }
}

fn open_camera(options: &Options, clock: Clock, journal: &Arc<Journal>) -> Result<NotedCamera, PeerError> {
    let source = CameraSource::File { path: options.camera.clone(), marked: false };
    let camera = Camera::open(&source, options.size, FPS, FramePool::new(CAMERA_FRAMES), clock)?;
    let (frames, pictures, journal) = (camera.frames(), Mailbox::new(), Arc::clone(journal));
    let first = frames.take(CAMERA_WITHIN).ok_or(PeerError::NoPicture)?;
    let passed_on = pictures.clone();
    std::thread::Builder::new().name(String::from("rig-camera")).spawn(move || {
        let mut frame = Some(first);
        while !frames.is_closed() {
            if let Some(frame) = frame {
                if let Err(error) = journal.note(Line::Capture, Some(&frame), frame.captured) {
                    tracing::error!(%error, "the log cannot be written");
                }
                passed_on.put(frame);
            }
            frame = frames.take(LOOK);
        }
    })?;
    Ok(NotedCamera { _camera: camera, pictures })
}

/// Notes every picture of the peer as the screen gets it.
fn watch_screen(shown: visavis_session::Pictures, journal: Arc<Journal>) -> io::Result<ScreenEnd> {
    let end = ScreenEnd(shown.clone());
    std::thread::Builder::new().name(String::from("rig-screen")).spawn(move || {
        let mut album = Album::default();
        while !shown.is_closed() {
            let Some(picture) = shown.take(LOOK) else { continue };
            let now = journal.now();
            let noted = journal.note(Line::Render, Some(&picture.frame), now);
            if let Err(error) = noted.and_then(|()| album.show(&journal, &picture.frame, now)) {
                tracing::error!(%error, "the log cannot be written");
            }
        }
    })?;
    Ok(end)
}

struct ScreenEnd(visavis_session::Pictures);

impl Drop for ScreenEnd {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A synthetic voice at a microphone's pace through the processing that a real microphone's sound goes through, and a speaker
/// that nobody hears.
struct Sound {
    _microphone: Microphone,
    _processing: VoiceProcessing,
    _speaker: Speaker,
}

impl Sound {
    fn open(role: Role, sink: MicrophoneSink, mut source: SpeakerSource, clock: Clock) -> Result<Self, PeerError> {
        let processing = VoiceProcessing::start(ProcessingOptions::default(), move |frame: &AudioFrame| sink.push(frame))
            .map_err(|error| PeerError::Processing(error.to_string()))?;
        let (near, far) = (processing.near(), processing.far());
        // Two voices: one's own, coming back from the other side, would be taken for an echo.
        let mut voice = if role == Role::Offerer { Voice::default() } else { Voice::another() };
        let mut frame = SILENCE;
        let speak = move |_: &AudioFrame| {
            voice.fill(&mut frame);
            near.push(&frame, std::time::Instant::now());
        };
        let play = move |frame: &mut AudioFrame, heard| {
            source.pull_ahead(frame, clock.at(heard));
        };
        let played = move |frame: &AudioFrame, heard| far.push(frame, heard);
        Ok(Self {
            _microphone: Microphone::open(&MicrophoneSource::Silent, Box::new(speak))?,
            _processing: processing,
            _speaker: Speaker::open_with(&SpeakerTarget::Silent, Box::new(play), Box::new(played))?,
        })
    }
}

/// What the peer is told of what is shown and seen.
#[derive(Default)]
struct Report {
    shows: Shows,
    sees: Seen,
    said: Option<(Duration, Control)>,
}

struct Side {
    call: Call,
    own: Sender<Order>,
    watch: PeerWatch,
    journal: Arc<Journal>,
    report: Report,
    room: Option<(usize, usize)>,
    writer: Writer,
    options: Options,
}

/// Where the call stands.
#[derive(Default)]
struct Progress {
    ends: Option<Instant>,
    connected: bool,
    /// Signals made before the start: gathered while the match is offered, as a session keeps them.
    held: Vec<visavis_wire::socket::Signal>,
}

impl Side {
    async fn attend(
        mut self,
        mut events: UnboundedReceiver<Event>,
        mut messages: UnboundedReceiver<ToSide>,
        mut sights: UnboundedReceiver<Sight>,
    ) -> Result<(), PeerError> {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut progress = Progress::default();
        let waits_until = Instant::now() + OTHER_SIDE_WITHIN;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(progress.ends.unwrap_or(waits_until)) => break,
                event = events.recv() => self.event(event, &mut progress).await?,
                Some(message) = messages.recv() => self.message(message, &mut progress).await?,
                Some(sight) = sights.recv() => self.sight(&sight),
                _ = ticks.tick() => self.follow_path(),
            }
            if progress.connected {
                self.say();
            }
        }
        if progress.ends.is_none() {
            return Err(PeerError::NoOther);
        }
        self.call.command(Command::HangUp);
        let closed = async { while events.recv().await.is_some() {} };
        // The other side may have gone before.
        let _ = tokio::time::timeout(FAREWELL, closed).await;
        let Self { call, .. } = self;
        tokio::task::spawn_blocking(move || drop(call)).await.map_err(|error| PeerError::Failed(error.to_string()))
    }

    async fn message(&mut self, message: ToSide, progress: &mut Progress) -> Result<(), PeerError> {
        match message {
            ToSide::Start => {
                progress.ends = Some(Instant::now() + self.options.length);
                if self.options.role == Role::Offerer {
                    self.journal.note(Line::CallStart, None, self.journal.now())?;
                }
                for signal in std::mem::take(&mut progress.held) {
                    self.writer.send(&ToServer::Signal(signal)).await?;
                }
            }
            ToSide::Signal(signal) => self.call.command(Command::Signal(signal)),
            ToSide::Relay(_) => {}
        }
        Ok(())
    }

    async fn event(&mut self, event: Option<Event>, progress: &mut Progress) -> Result<(), PeerError> {
        match event {
            Some(Event::Signal(signal)) if progress.ends.is_none() => progress.held.push(signal),
            // The server goes when the other side has ended.
            Some(Event::Signal(signal)) => drop(self.writer.send(&ToServer::Signal(signal)).await),
            Some(Event::Connected | Event::Restored) => progress.connected = true,
            Some(Event::Interrupted) => progress.connected = false,
            Some(Event::Control(Control::Sight { shows, camera_on, sees })) => {
                let _ = self.own.send(Order::Gate(GateInput::PeerSeesMe(camera_state(sees))));
                self.watch.says(shows, camera_on);
            }
            Some(Event::Statistics(figures)) => println!("{}", serde_json::to_string(&figures).unwrap_or_default()),
            Some(Event::Failed(why)) => return Err(PeerError::Failed(why)),
            // The other side's time is up a moment before ours.
            Some(Event::Closed | Event::Control(Control::Leaving)) => {
                progress.ends = Some(progress.ends.map_or_else(Instant::now, |ends| ends.min(Instant::now())));
            }
            None => return Err(PeerError::Failed(String::from("the engine ended"))),
            Some(_) => {}
        }
        Ok(())
    }

    fn sight(&mut self, sight: &Sight) {
        match sight {
            Sight::Peer { looks, .. } => self.report.sees = *looks,
            Sight::Gate { shows, because, .. } => {
                tracing::info!(?shows, ?because, "gate");
                self.report.shows = *shows;
            }
            Sight::OwnLooks(_) => {}
        }
    }

    fn follow_path(&mut self) {
        let room = self.call.preferred_size();
        if self.room != Some(room) {
            self.room = Some(room);
            let _ = self.own.send(Order::Room(room));
        }
    }

    /// On every change and every two seconds, as in a session.
    fn say(&mut self) {
        let now = self.journal.now();
        let control = Control::Sight { shows: self.report.shows, camera_on: true, sees: self.report.sees };
        if self.report.said.as_ref().is_some_and(|(at, said)| *said == control && now < *at + REPORT_EVERY) {
            return;
        }
        self.report.said = Some((now, control.clone()));
        self.call.command(Command::Control(control));
    }
}

//! The call: one owner loop (a tokio task), [`Input`] in, [`Event`] out.
//!
//! | input | source |
//! |---|---|
//! | `Command` | the session, by [`Call::command`] |
//! | `LocalCandidate`, `Ice`, `Connection`, `Track` | the library's driver, by `connection::Handler` |
//! | `ChannelOpen`, `ChannelClosed`, `Message` | the task that reads each data channel |
//! | `Way`, `StreamBroke` | the tasks of `relay` |
//! | `Dropped` | the handle was dropped |
//! | `Bytes` | people of rehearsals who break the rules (feature `rude`), by [`Call::send_bytes`] |
//! | a tick every 100 ms | the loop's own timer |
//!
//! Pictures and sound do not come through here: see `send`, `receive` and `sound`.

use crate::Statistics;
use crate::channels::Channel;
use crate::channels::Message;
use crate::clocks::Clocks;
use crate::codecs::{Codecs, Negotiated};
use crate::comparison::Pictures;
use crate::congestion::Congestion;
use crate::connection::{Sources, Taps};
use crate::interceptors::Monitor;
use crate::ladder::SharedRung;
use crate::owner::Owner;
use crate::receive::{DecodeQueue, Decoding, Intake};
use crate::relay::Found;
use crate::send;
use crate::send::VideoOutput;
use crate::sound::{self, MicrophoneSink, SpeakerSource};
use crate::statistics::{ReceiveFigures, SendFigures};
use crate::sync::Lips;
use crate::video::{self, Packetiser};
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc;
use visavis_media::{Clock, Frame, FramePool, Mailbox};
use visavis_sight::Released;
use visavis_wire::channel::{Control, Live, Operations};
use visavis_wire::socket::{RelayCredentials, Role, Signal};
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{RTCIceConnectionState, RTCPeerConnectionState};

/// Which candidates may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Strangers: both sides through TURN.
    RelayOnly,
    /// Host and server-reflexive candidates too.
    Any,
}

pub struct Config {
    pub role: Role,
    pub relay: RelayCredentials,
    pub policy: Policy,
    pub max_video_kbps: u32,
    pub codecs: Codecs,
    pub clock: Clock,
    /// Decoded pictures of the peer come from here.
    pub pool: FramePool,
}

/// From the session to the call.
#[derive(Debug)]
pub enum Command {
    Signal(Signal),
    /// Dropped, like `Operations` and `Live`, before `Event::Connected`.
    Control(Control),
    Operations(Operations),
    Live(Live),
    /// Sends silence (DTX) instead of the microphone.
    Mute(bool),
    /// Connection lost: negotiate new candidates. The answerer leaves the offerer two seconds to do it first.
    Restart,
    /// New credentials, before the old ones expire or because there is another relay. Used from the next restart on.
    Relay(Box<RelayCredentials>),
    HangUp,
}

/// From the call to the session.
#[derive(Debug)]
pub enum Event {
    /// For the peer, through the server.
    Signal(Signal),
    /// Media may flow and all three channels are open.
    Connected,
    /// No packets for a while; the call tries to recover.
    Interrupted,
    Restored,
    /// This machine has other addresses than before. The call negotiates by itself; other connections had better be made anew.
    NetworkChanged,
    Control(Control),
    Operations(Operations),
    Live(Live),
    Statistics(Statistics),
    /// Once, soon after `Connected`: the same on both sides unless somebody sits in between; see `comparison`.
    Pictures(Pictures),
    /// The two sides do not hold the same certificates: somebody sits in between. Nothing comes after it.
    Tampered,
    /// Not recoverable; in plain words for the log. Nothing comes after it.
    Failed(String),
    /// After `HangUp`, or when the peer took the connection down. Nothing comes after it.
    Closed,
}

pub(crate) enum Input {
    Command(Command),
    /// The candidate's line; `None` ends them.
    LocalCandidate(Option<String>),
    Ice(RTCIceConnectionState),
    Connection(RTCPeerConnectionState),
    Track(Arc<dyn TrackRemote>),
    ChannelOpen(Channel),
    /// The peer took the connection down.
    ChannelClosed,
    Message(Message),
    /// What came of looking for a way to the relay.
    Way(Box<Found>),
    /// The stream that carried the call to the relay.
    StreamBroke,
    Dropped,
    #[cfg(feature = "rude")]
    Bytes(Channel, Vec<u8>),
}

/// What the owner loop and the threads of the call share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub clock: Clock,
    pub monitor: Monitor,
    pub congestion: Congestion,
    pub negotiated: Arc<Negotiated>,
    /// Set while media may be sent.
    pub open: Arc<AtomicBool>,
    /// Set when there is nothing left to set up.
    pub settled: Arc<AtomicBool>,
    pub set_up: Arc<Mutex<SetUp>>,
    pub target_kbps: Arc<AtomicU32>,
    pub rung: Arc<SharedRung>,
    pub muted: Arc<AtomicBool>,
    pub malformed: Arc<AtomicU32>,
    pub send: Arc<Mutex<SendFigures>>,
    pub receive: Arc<Mutex<ReceiveFigures>>,
    pub sound: Arc<sound::Shared>,
    pub clocks: Clocks,
    pub lips: Lips,
}

impl Shared {
    pub fn new(config: &Config, sources: Sources) -> Self {
        let monitor = Monitor::new(sources.video);
        let congestion = Congestion::new(config.max_video_kbps, monitor.clone());
        let clocks = Clocks::new(config.clock);
        monitor.correct_reports(clocks.clone());
        Self {
            clock: config.clock,
            target_kbps: Arc::new(AtomicU32::new(congestion.video_kbps())),
            monitor,
            congestion,
            negotiated: Arc::default(),
            open: Arc::default(),
            settled: Arc::default(),
            set_up: Arc::default(),
            rung: Arc::default(),
            muted: Arc::default(),
            malformed: Arc::default(),
            send: Arc::default(),
            receive: Arc::default(),
            sound: Arc::default(),
            clocks,
            lips: Lips::default(),
        }
    }
}

/// When each step of the set-up was reached; read by the tests that measure it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SetUp {
    /// The peer's description was taken.
    pub described: Option<Duration>,
    /// A path was found.
    pub path: Option<Duration>,
    /// Media may flow: the DTLS handshake is through.
    pub media: Option<Duration>,
    pub channels: Option<Duration>,
}

/// The media ends that the owner loop connects to the network.
pub(crate) struct Ends {
    pub video_out: send::PacketQueue,
    pub sound_out: sound::PacketQueue,
    pub video_in: Intake,
    pub sound_in: sound::Inlet,
}

/// Handle of a running call; dropping it hangs up and joins its threads.
pub struct Call {
    inputs: mpsc::UnboundedSender<Input>,
    pictures: Mailbox<Released<Frame>>,
    peer_pictures: Mailbox<Frame>,
    shared: Shared,
    microphone: MicrophoneSink,
    threads: Vec<JoinHandle<()>>,
}

impl Call {
    /// Begins to gather at once; the offerer's offer comes out as an event. Call from within a tokio runtime.
    pub fn start(config: Config) -> (Self, mpsc::UnboundedReceiver<Event>) {
        Self::start_with(config, Taps::default())
    }

    pub(crate) fn start_with(config: Config, taps: Taps) -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (events, receiver) = mpsc::unbounded_channel();
        let (inputs, input_queue) = mpsc::unbounded_channel();
        let sources = Sources { video: rand::random(), audio: rand::random() };
        let (microphone, microphone_end) = sound::microphone();
        let shared = Shared::new(&config, sources);
        let mut call = Self {
            inputs: inputs.clone(),
            pictures: Mailbox::new(),
            peer_pictures: Mailbox::new(),
            shared: shared.clone(),
            microphone,
            threads: Vec::new(),
        };
        match call.start_threads(&config, sources, microphone_end) {
            Ok(ends) => {
                let owner = Owner::new(config, sources, shared, inputs, events);
                tokio::spawn(owner.run(ends, input_queue, taps));
            }
            Err(error) => {
                // The receiver is still held below.
                let _ = events.send(Event::Failed(format!("a thread of the call could not be started: {error}")));
            }
        }
        (call, receiver)
    }

    fn start_threads(&mut self, config: &Config, sources: Sources, microphone: sound::MicrophoneEnd) -> std::io::Result<Ends> {
        let shared = self.shared.clone();
        let output = VideoOutput {
            monitor: shared.monitor.clone(),
            congestion: shared.congestion.clone(),
            rung: Arc::clone(&shared.rung),
            negotiated: Arc::clone(&shared.negotiated),
            open: Arc::clone(&shared.open),
            figures: Arc::clone(&shared.send),
            clock: shared.clock,
        };
        let offset = rand::random();
        // The numbers of pictures are their times of capture.
        shared.clocks.captured(sources.video, video::CLOCK_RATE, offset, Duration::ZERO);
        let packetiser = Packetiser::new(sources.video, rand::random(), offset);
        let (thread, video_out) = send::start(self.pictures.clone(), packetiser, output)?;
        self.threads.push(thread);
        let queue = DecodeQueue::default();
        let decoding = Decoding {
            queue: queue.clone(),
            pictures: self.peer_pictures.clone(),
            pool: config.pool.clone(),
            figures: Arc::clone(&shared.receive),
            clock: shared.clock,
        };
        self.threads.push(decoding.start()?);
        let video_in = Intake::new(queue, &shared);
        let (thread, sound_out) = sound::start(microphone, sources.audio, &shared)?;
        self.threads.push(thread);
        let sound_in = shared.sound.inlet(shared.clock);
        Ok(Ends { video_out, sound_out, video_in, sound_in })
    }

    #[cfg(test)]
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub fn command(&self, command: Command) {
        // Fails only when the call is over, and then nothing is to be done.
        let _ = self.inputs.send(Input::Command(command));
    }

    /// Whatever the bytes are, and however many. No app of ours does that; the other side must not mind.
    #[cfg(feature = "rude")]
    pub fn send_bytes(&self, channel: Channel, bytes: Vec<u8>) {
        // As with commands.
        let _ = self.inputs.send(Input::Bytes(channel, bytes));
    }

    /// Pictures to send; newest wins.
    pub fn pictures(&self) -> Mailbox<Released<Frame>> {
        self.pictures.clone()
    }

    /// The peer's decoded pictures; newest wins. Their `captured` is the time of arrival here.
    pub fn peer_pictures(&self) -> Mailbox<Frame> {
        self.peer_pictures.clone()
    }

    pub fn microphone(&self) -> MicrophoneSink {
        self.microphone.clone()
    }

    /// To be handed to the speaker; one reader at a time. A second one is silent until the first is dropped.
    pub fn speaker(&self) -> SpeakerSource {
        self.shared.sound.speaker(self.shared.clock, self.shared.clocks.clone(), self.shared.lips.clone())
    }

    /// Size of picture that this machine encodes in time and the path carries (see `ladder`). The pictures should be scaled before
    /// they are released: the encoder takes what it gets.
    pub fn preferred_size(&self) -> (usize, usize) {
        let rung = self.shared.rung.get();
        (rung.width, rung.height)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let _ = self.inputs.send(Input::Dropped);
        self.pictures.close();
        self.peer_pictures.close();
        self.shared.sound.close();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the call panicked");
            }
        }
    }
}

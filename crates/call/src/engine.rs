//! Skeleton of the call's public surface.
use crate::Statistics;
use visavis_media::{Clock, Frame, FramePool, Mailbox};
use visavis_sight::Released;
use visavis_wire::channel::{Control, Live, Operations};
use visavis_wire::socket::{RelayCredentials, Role, Signal};

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
    pub clock: Clock,
    /// Decoded pictures of the peer come from here.
    pub pool: FramePool,
}

/// From the session to the call.
#[derive(Debug)]
pub enum Command {
    Signal(Signal),
    Control(Control),
    Operations(Operations),
    Live(Live),
    /// Sends silence (DTX) instead of the microphone.
    Mute(bool),
    /// Network changed or connection lost: negotiate new candidates (offerer) or ask for it (answerer).
    Restart,
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
    Control(Control),
    Operations(Operations),
    Live(Live),
    Statistics(Statistics),
    /// Not recoverable; in plain words for the log.
    Failed(String),
    /// After `HangUp`, or when the peer took the connection down.
    Closed,
}

/// Handle of a running call; dropping it hangs up and joins its threads.
pub struct Call {}

#[derive(Clone)]
pub struct MicrophoneSink {}

impl MicrophoneSink {
    /// 20 ms of 48 kHz mono; never blocks, drops when the encoder is late.
    pub fn push(&self, _samples: &[i16; 960]) {}
}

pub struct SpeakerSource {}

impl SpeakerSource {
    /// Fills the next 20 ms: decoded, concealed or silent; never blocks.
    pub fn pull(&mut self, samples: &mut [i16; 960]) {
        samples.fill(0);
    }
}

impl Call {
    /// Begins to gather at once; the offerer's offer comes out as an event. Call from within a tokio runtime.
    pub fn start(_config: Config) -> (Self, tokio::sync::mpsc::UnboundedReceiver<Event>) {
        (Self {}, tokio::sync::mpsc::unbounded_channel().1)
    }
    pub fn command(&self, _command: Command) {}
    /// Pictures to send; newest wins.
    pub fn pictures(&self) -> Mailbox<Released<Frame>> {
        Mailbox::new()
    }
    /// The peer's decoded pictures; newest wins.
    pub fn peer_pictures(&self) -> Mailbox<Frame> {
        Mailbox::new()
    }
    pub fn microphone(&self) -> MicrophoneSink {
        MicrophoneSink {}
    }
    /// To be handed to the speaker; one reader.
    pub fn speaker(&self) -> SpeakerSource {
        SpeakerSource {}
    }
}

//! The owner loop: holds everything that changes during a call and answers one input after the other.

mod comparing;
mod recovery;

use crate::channels::{Channel, Message};
use crate::connection::{Connection, Sources, Taps, connect};
use crate::engine::{Command, Config, Ends, Event, Input, Policy, SetUp, Shared};
use crate::ladder::{Ladder, Load, Lowered};
use crate::negotiate::{Negotiator, public_candidate};
use crate::statistics::{Collector, Known};
use crate::traffic;
use comparing::Comparing;
use recovery::Recovery;
use rtc::statistics::StatsSelector;
use rtc::statistics::report::RTCStatsReportEntry;
use std::collections::HashSet;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use visavis_wire::Private;
use visavis_wire::channel::{Bottleneck, ChannelMessage, Control};
use visavis_wire::socket::{Role, Signal};
use webrtc::peer_connection::{RTCIceCandidateType, RTCIceConnectionState, RTCPeerConnectionState};

const TICK: Duration = Duration::from_millis(100);
const STATISTICS_INTERVAL: Duration = Duration::from_secs(1);
/// From the peer's description to a connection.
const SET_UP_LIMIT: Duration = Duration::from_secs(20);
/// A path that failed may come back by a restart within this time.
const RECOVERY_LIMIT: Duration = Duration::from_secs(15);
/// What holds the picture down is said on every change and this often.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// How long a farewell may take to leave.
const FAREWELL: Duration = Duration::from_millis(150);
/// Live messages that have not left are worth nothing; beyond this many bytes new ones are left out.
const LIVE_BACKLOG: usize = 32 * 1024;

/// Where the call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Not connected yet; `since` the peer's description came.
    SettingUp {
        since: Option<Duration>,
    },
    Connected,
    Interrupted,
    /// Nothing gets through any more, and it will be given up at this time.
    Lost {
        until: Duration,
    },
}

enum Ending {
    /// We go: tell the peer.
    Ours,
    Theirs,
    Broken(String),
    Tampered,
}

pub(crate) struct Owner {
    config: Config,
    sources: Sources,
    shared: Shared,
    /// For what is done beside the loop and comes back to it.
    inputs: mpsc::UnboundedSender<Input>,
    events: mpsc::UnboundedSender<Event>,
    phase: Phase,
    media_up: bool,
    open: HashSet<Channel>,
    ladder: Ladder,
    /// What the peer was told last about our picture, and when; and what it says of its own.
    told: Option<(Option<Bottleneck>, Duration)>,
    peer_held_by: Option<Bottleneck>,
    collector: Collector,
    last_statistics: Duration,
    recovery: Recovery,
    relayed: bool,
    comparison: Option<Comparing>,
}

/// What the loop talks to once the library is set up.
struct Wires {
    connection: Connection,
    negotiator: Negotiator,
    video_in: Option<crate::receive::Intake>,
    sound_in: Option<crate::sound::Inlet>,
}

impl Owner {
    pub fn new(
        config: Config,
        sources: Sources,
        shared: Shared,
        inputs: mpsc::UnboundedSender<Input>,
        events: mpsc::UnboundedSender<Event>,
    ) -> Self {
        let now = config.clock.now();
        Self {
            relayed: config.policy == Policy::RelayOnly,
            config,
            sources,
            shared,
            inputs,
            events,
            phase: Phase::SettingUp { since: None },
            media_up: false,
            open: HashSet::new(),
            ladder: Ladder::new(),
            told: None,
            peer_held_by: None,
            collector: Collector::new(now),
            last_statistics: now,
            recovery: Recovery::default(),
            comparison: None,
        }
    }

    pub async fn run(mut self, ends: Ends, mut queue: mpsc::UnboundedReceiver<Input>, taps: Taps) {
        let connection = match connect(&self.config, self.sources, &self.shared, taps, self.inputs.clone()).await {
            Ok(connection) => connection,
            Err(error) => return self.tell(Event::Failed(error.to_string())),
        };
        let peer = std::sync::Arc::clone(&connection.peer);
        let negotiator = Negotiator::new(peer, self.config.role, self.config.policy, connection.cookies.clone());
        let tasks = traffic::start(&connection, ends.video_out, ends.sound_out, &self.shared, &self.inputs);
        let (video_in, sound_in) = (Some(ends.video_in), Some(ends.sound_in));
        let mut wires = Wires { connection, negotiator, video_in, sound_in };
        let ending = self.answer_inputs(&mut wires, &mut queue).await;
        self.shared.open.store(false, Ordering::Release);
        if let Ending::Ours = ending {
            self.say_farewell(&wires).await;
        }
        if wires.connection.peer.close().await.is_err() {
            tracing::debug!("the connection was closed already");
        }
        for task in tasks {
            task.abort();
        }
        self.tell(match ending {
            Ending::Ours | Ending::Theirs => Event::Closed,
            Ending::Broken(why) => Event::Failed(why),
            Ending::Tampered => Event::Tampered,
        });
    }

    async fn answer_inputs(&mut self, wires: &mut Wires, queue: &mut mpsc::UnboundedReceiver<Input>) -> Ending {
        let begun = match self.config.role {
            Role::Offerer => self.offer(wires, false).await,
            Role::Answerer => wires.negotiator.gather().await.map_err(|error| Ending::Broken(error.to_string())),
        };
        if let Err(ending) = begun {
            return ending;
        }
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let ended = tokio::select! {
                input = queue.recv() => match input {
                    Some(input) => self.answer(wires, input).await,
                    None => Err(Ending::Ours),
                },
                _ = ticks.tick() => self.tick(wires).await,
            };
            if let Err(ending) = ended {
                return ending;
            }
        }
    }

    async fn answer(&mut self, wires: &mut Wires, input: Input) -> Result<(), Ending> {
        match input {
            Input::Command(command) => return self.command(wires, command).await,
            Input::LocalCandidate(candidate) => self.local_candidate(candidate),
            Input::Ice(state) => {
                self.ice(state);
                return self.still_the_same(wires).await;
            }
            Input::Connection(state) => {
                self.media_up |= state == RTCPeerConnectionState::Connected;
                self.connected_when_ready();
            }
            Input::Track(track) => {
                traffic::receive_track(track, &mut wires.video_in, &mut wires.sound_in).await;
            }
            Input::ChannelOpen(channel) => {
                self.open.insert(channel);
                if channel == Channel::Control {
                    self.begin_comparison(wires).await?;
                }
                self.connected_when_ready();
            }
            Input::Way(found) => return self.way_found(wires, *found).await,
            Input::StreamBroke => self.network_changed(),
            Input::ChannelClosed => return Err(Ending::Theirs),
            Input::Message(Message::Control(Control::Comparison(message))) => return self.compare(wires, &message).await,
            // For the words in the statistics; the session has nothing to decide about it.
            Input::Message(Message::Control(Control::Lowered { by })) => self.peer_held_by = by,
            Input::Message(Message::Control(message)) => self.tell(Event::Control(message)),
            Input::Message(Message::Operations(message)) => self.tell(Event::Operations(message)),
            Input::Message(Message::Live(message)) => self.tell(Event::Live(message)),
            Input::Dropped => return Err(Ending::Ours),
            #[cfg(feature = "rude")]
            Input::Bytes(channel, bytes) => self.put(wires, channel, &bytes).await,
        }
        Ok(())
    }

    async fn command(&mut self, wires: &mut Wires, command: Command) -> Result<(), Ending> {
        match command {
            Command::Signal(signal) if self.holds_back(&signal) => {}
            Command::Signal(signal) => return self.signal(wires, signal).await,
            Command::Control(message) => self.send(wires, Channel::Control, &message).await,
            Command::Operations(message) => self.send(wires, Channel::Operations, &message).await,
            Command::Live(message) => self.send(wires, Channel::Live, &message).await,
            Command::Mute(muted) => self.shared.muted.store(muted, Ordering::Relaxed),
            Command::Restart => self.restart_asked_for(),
            Command::Relay(relay) => self.renew_relay(*relay),
            Command::HangUp => return Err(Ending::Ours),
        }
        Ok(())
    }

    async fn offer(&mut self, wires: &mut Wires, restart: bool) -> Result<(), Ending> {
        if restart && !wires.negotiator.described() {
            // The first negotiation is still under way.
            return Ok(());
        }
        let signal = wires.negotiator.offer(restart).await.map_err(|error| Ending::Broken(error.to_string()))?;
        if let Some(signal) = signal {
            self.shared.negotiated.said(&signal);
            self.tell(Event::Signal(signal));
        }
        Ok(())
    }

    async fn signal(&mut self, wires: &mut Wires, signal: Signal) -> Result<(), Ending> {
        self.shared.negotiated.heard(&signal);
        match wires.negotiator.take(signal).await {
            Ok(Some(answer)) => {
                self.shared.negotiated.said(&answer);
                self.tell(Event::Signal(answer));
            }
            Ok(None) => {}
            Err(error) if self.phase == (Phase::SettingUp { since: None }) => return Err(Ending::Broken(error.to_string())),
            // A restart that cannot be read leaves what there is.
            Err(error) => tracing::warn!(%error, "a signal was ignored"),
        }
        if wires.negotiator.described()
            && let Phase::SettingUp { since: since @ None } = &mut self.phase
        {
            *since = Some(self.config.clock.now());
            self.reached(|set_up| &mut set_up.described);
        }
        Ok(())
    }

    fn local_candidate(&self, line: Option<String>) {
        let candidate = match line {
            Some(line) => match public_candidate(&line, self.config.policy) {
                Some(line) => Some(Private::new(line)),
                None => return,
            },
            None => None,
        };
        // Everything is bundled on the first section.
        let signal = Signal::Candidate { candidate, sdp_mid: Some(String::from("0")), sdp_m_line_index: Some(0) };
        self.tell(Event::Signal(signal));
    }

    fn ice(&mut self, state: RTCIceConnectionState) {
        let now = self.config.clock.now();
        if state == RTCIceConnectionState::Connected {
            self.reached(|set_up| &mut set_up.path);
        }
        match (state, self.phase) {
            (RTCIceConnectionState::Connected | RTCIceConnectionState::Completed, Phase::Interrupted | Phase::Lost { .. }) => {
                self.phase = Phase::Connected;
                self.shared.congestion.reset();
                self.tell(Event::Restored);
            }
            (RTCIceConnectionState::Disconnected, Phase::Connected) => {
                self.phase = Phase::Interrupted;
                self.tell(Event::Interrupted);
            }
            (RTCIceConnectionState::Failed, Phase::Connected) => {
                self.tell(Event::Interrupted);
                self.phase = Phase::Lost { until: now + RECOVERY_LIMIT };
            }
            (RTCIceConnectionState::Failed, Phase::Interrupted) => self.phase = Phase::Lost { until: now + RECOVERY_LIMIT },
            _ => {}
        }
    }

    fn connected_when_ready(&mut self) {
        if !self.media_up || !matches!(self.phase, Phase::SettingUp { .. }) {
            return;
        }
        self.reached(|set_up| &mut set_up.media);
        // The handshake of the channels takes two round trips more. Pictures do not wait for it.
        self.shared.open.store(true, Ordering::Release);
        if self.open.len() == Channel::ALL.len() {
            self.phase = Phase::Connected;
            self.reached(|set_up| &mut set_up.channels);
            self.shared.settled.store(true, Ordering::Relaxed);
            self.tell(Event::Connected);
        }
    }

    async fn send(&self, wires: &Wires, channel: Channel, message: &impl ChannelMessage) {
        if channel == Channel::Live && self.live_waits(wires).await {
            return;
        }
        self.put(wires, channel, &message.to_bytes()).await;
    }

    async fn live_waits(&self, wires: &Wires) -> bool {
        let Some(wire) = wires.connection.channel(Channel::Live) else { return false };
        wire.outstanding_bytes().await.is_ok_and(|bytes| bytes > LIVE_BACKLOG)
    }

    async fn put(&self, wires: &Wires, channel: Channel, bytes: &[u8]) {
        if !self.open.contains(&channel) {
            tracing::debug!(?channel, "a message was dropped: the channel is not open");
            return;
        }
        let Some(wire) = wires.connection.channel(channel) else { return };
        if wire.send(bytes.into()).await.is_err() {
            tracing::debug!(?channel, "a message could not be sent");
        }
    }

    async fn tick(&mut self, wires: &mut Wires) -> Result<(), Ending> {
        let now = self.config.clock.now();
        match self.phase {
            Phase::SettingUp { since: Some(since) } if now > since + SET_UP_LIMIT => {
                return Err(Ending::Broken(format!("no connection within {} s", SET_UP_LIMIT.as_secs())));
            }
            Phase::Lost { until } if now > until => return Err(Ending::Broken(String::from("the connection was lost"))),
            _ => {}
        }
        self.recover(wires, now);
        self.say_again(wires, now).await;
        self.climb(wires, now).await;
        if now >= self.last_statistics + STATISTICS_INTERVAL {
            self.last_statistics = now;
            if self.config.policy == Policy::Any && self.phase == Phase::Connected {
                self.relayed = is_relayed(wires).await;
            }
            self.report(now);
        }
        Ok(())
    }

    /// Fits size and frame rate to rate and processor, and tells the peer what holds them down.
    async fn climb(&mut self, wires: &Wires, now: Duration) {
        let video_kbps = self.shared.congestion.video_kbps();
        self.shared.target_kbps.store(video_kbps, Ordering::Relaxed);
        if self.phase != Phase::Connected {
            return;
        }
        let encode = {
            let send = self.shared.send.lock().unwrap_or_else(PoisonError::into_inner);
            (send.pictures > 0).then_some((send.encode_ms, (send.width * send.height) as usize))
        };
        let limited = self.shared.congestion.figures().limited;
        if self.ladder.update(Load { video_kbps, limited, encode }, now) {
            self.shared.rung.set(&self.ladder);
        }
        let by = self.ladder.held_by();
        if self.told.is_none_or(|(told, at)| told != by || now >= at + TELL_EVERY) {
            self.told = Some((by, now));
            self.send(wires, Channel::Control, &Control::Lowered { by }).await;
        }
    }

    fn report(&mut self, now: Duration) {
        let send = self.shared.send.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let receive = self.shared.receive.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let known = Known {
            voice: self.shared.sound.statistics(),
            voice_sent_twice: self.shared.sound.sent_again(),
            voice_after_picture: self.shared.lips.lock().skew(),
            malformed: self.shared.malformed.load(Ordering::Relaxed),
            relayed: self.relayed,
            target_kbps: self.shared.target_kbps.load(Ordering::Relaxed),
            rate: self.shared.congestion.figures(),
            own_lowered: Lowered::own(self.ladder.held_by(), self.peer_held_by),
            peer_lowered: Lowered::peer(self.ladder.held_by(), self.peer_held_by),
        };
        let statistics = self.collector.collect(now, self.shared.monitor.readings(), &send, &receive, known);
        self.tell(Event::Statistics(statistics));
    }

    async fn say_farewell(&self, wires: &Wires) {
        self.send(wires, Channel::Control, &Control::Leaving).await;
        let Some(wire) = wires.connection.channel(Channel::Control) else { return };
        let flushed = async {
            while wire.outstanding_bytes().await.is_ok_and(|bytes| bytes > 0) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        // Best effort: a peer that is gone acknowledges nothing.
        let _ = tokio::time::timeout(FAREWELL, flushed).await;
    }

    fn reached(&self, step: impl FnOnce(&mut SetUp) -> &mut Option<Duration>) {
        let mut set_up = self.shared.set_up.lock().unwrap_or_else(PoisonError::into_inner);
        step(&mut set_up).get_or_insert(self.config.clock.now());
    }

    fn tell(&self, event: Event) {
        // Fails when nobody listens any more; the handle's drop ends the call.
        let _ = self.events.send(event);
    }
}

/// Whether the pair of candidates in use goes through our relay.
async fn is_relayed(wires: &Wires) -> bool {
    let report = wires.connection.peer.get_stats(Instant::now(), StatsSelector::None).await;
    let Some(local) = report.candidate_pairs().find(|pair| pair.nominated).map(|pair| pair.local_candidate_id.clone()) else {
        return false;
    };
    matches!(report.get(&local), Some(RTCStatsReportEntry::LocalCandidate(own)) if own.candidate_type == RTCIceCandidateType::Relay)
}

//! The owner loop: holds everything that changes during a call and answers one input after the other.

use crate::channels::{Channel, Message};
use crate::comparison::{Exchange, Fingerprint, Tampered};
use crate::connection::{Connection, Sources, certificates, connect};
use crate::engine::{Command, Config, Ends, Event, Input, Policy, Shared};
use crate::negotiate::{Negotiator, public_candidate};
use crate::statistics::{Collector, Known};
use crate::traffic;
use rtc::interceptor::BoxedInterceptor;
use rtc::statistics::StatsSelector;
use rtc::statistics::report::RTCStatsReportEntry;
use std::collections::HashSet;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use visavis_wire::Private;
use visavis_wire::channel::{ChannelMessage, Comparison, Control};
use visavis_wire::socket::{Role, Signal};
use webrtc::peer_connection::{RTCIceCandidateType, RTCIceConnectionState, RTCPeerConnectionState};

const TICK: Duration = Duration::from_millis(100);
const STATISTICS_INTERVAL: Duration = Duration::from_secs(1);
/// From the peer's description to a connection.
const SET_UP_LIMIT: Duration = Duration::from_secs(20);
/// A path that failed may come back by a restart within this time.
const RECOVERY_LIMIT: Duration = Duration::from_secs(15);
/// The answerer lets the offerer restart first.
const ANSWERER_WAITS: Duration = Duration::from_secs(2);
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
    events: mpsc::UnboundedSender<Event>,
    phase: Phase,
    media_up: bool,
    open: HashSet<Channel>,
    collector: Collector,
    last_statistics: Duration,
    restart_at: Option<Duration>,
    relayed: bool,
    comparison: Option<Comparing>,
}

/// Whether the two sides hold the same certificates.
struct Comparing {
    exchange: Exchange,
    certificates: (Fingerprint, Fingerprint),
}

/// What the loop talks to once the library is set up.
struct Wires {
    connection: Connection,
    negotiator: Negotiator,
    video_in: std::sync::mpsc::SyncSender<crate::receive::VideoPacket>,
    sound_in: Option<crate::sound::Inlet>,
    ask_key: Option<mpsc::UnboundedReceiver<()>>,
}

impl Owner {
    pub fn new(config: Config, sources: Sources, shared: Shared, events: mpsc::UnboundedSender<Event>) -> Self {
        let now = config.clock.now();
        Self {
            relayed: config.policy == Policy::RelayOnly,
            config,
            sources,
            shared,
            events,
            phase: Phase::SettingUp { since: None },
            media_up: false,
            open: HashSet::new(),
            collector: Collector::new(now),
            last_statistics: now,
            restart_at: None,
            comparison: None,
        }
    }

    pub async fn run(
        mut self,
        ends: Ends,
        inputs: mpsc::UnboundedSender<Input>,
        mut queue: mpsc::UnboundedReceiver<Input>,
        tap: Option<BoxedInterceptor>,
    ) {
        let connection = match connect(&self.config, self.sources, &self.shared, tap, inputs.clone()).await {
            Ok(connection) => connection,
            Err(error) => return self.tell(Event::Failed(error.to_string())),
        };
        let negotiator = Negotiator::new(std::sync::Arc::clone(&connection.peer), self.config.role, self.config.policy);
        let tasks = traffic::start(&connection, ends.video_out, ends.sound_out, &self.shared, &inputs);
        drop(inputs);
        let (sound_in, ask_key) = (Some(ends.sound_in), Some(ends.ask_key));
        let mut wires = Wires { connection, negotiator, video_in: ends.video_in, sound_in, ask_key };
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
        if self.config.role == Role::Offerer
            && let Err(ending) = self.offer(wires, false).await
        {
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
                traffic::receive_track(track, wires.video_in.clone(), &mut wires.sound_in, &mut wires.ask_key).await;
            }
            Input::ChannelOpen(channel) => {
                self.open.insert(channel);
                if channel == Channel::Control {
                    self.begin_comparison(wires).await?;
                }
                self.connected_when_ready();
            }
            Input::ChannelClosed => return Err(Ending::Theirs),
            Input::Message(Message::Control(Control::Comparison(message))) => return self.compare(wires, &message).await,
            Input::Message(Message::Control(message)) => self.tell(Event::Control(message)),
            Input::Message(Message::Operations(message)) => self.tell(Event::Operations(message)),
            Input::Message(Message::Live(message)) => self.tell(Event::Live(message)),
            Input::Dropped => return Err(Ending::Ours),
        }
        Ok(())
    }

    async fn command(&mut self, wires: &mut Wires, command: Command) -> Result<(), Ending> {
        match command {
            Command::Signal(signal) => return self.signal(wires, signal).await,
            Command::Control(message) => self.send(wires, Channel::Control, &message).await,
            Command::Operations(message) => self.send(wires, Channel::Operations, &message).await,
            Command::Live(message) => self.send(wires, Channel::Live, &message).await,
            Command::Mute(muted) => self.shared.muted.store(muted, Ordering::Relaxed),
            Command::Restart if self.config.role == Role::Offerer => return self.offer(wires, true).await,
            Command::Restart => self.restart_at = Some(self.config.clock.now() + ANSWERER_WAITS),
            Command::HangUp => return Err(Ending::Ours),
        }
        Ok(())
    }

    async fn offer(&mut self, wires: &mut Wires, restart: bool) -> Result<(), Ending> {
        if restart && (!wires.negotiator.described() || wires.negotiator.offering()) {
            // The first negotiation, or an earlier restart, is still under way.
            return Ok(());
        }
        let signal = wires.negotiator.offer(restart).await.map_err(|error| Ending::Broken(error.to_string()))?;
        if let Some(signal) = signal {
            self.tell(Event::Signal(signal));
        }
        Ok(())
    }

    async fn signal(&mut self, wires: &mut Wires, signal: Signal) -> Result<(), Ending> {
        let is_offer = matches!(signal, Signal::Offer { .. });
        match wires.negotiator.take(signal).await {
            Ok(Some(answer)) => {
                if is_offer {
                    self.restart_at = None;
                }
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
        let setting_up = matches!(self.phase, Phase::SettingUp { .. });
        if setting_up && self.media_up && self.open.len() == Channel::ALL.len() {
            self.phase = Phase::Connected;
            self.shared.open.store(true, Ordering::Release);
            self.tell(Event::Connected);
        }
    }

    /// The control channel is open, so the handshake is through. A channel that opens again changes nothing.
    async fn begin_comparison(&mut self, wires: &Wires) -> Result<(), Ending> {
        if self.comparison.is_some() {
            return Ok(());
        }
        let Some(certificates) = certificates(&*wires.connection.peer).await else {
            return Err(Ending::Broken(String::from("the certificates of the connection are not known")));
        };
        let (exchange, first) = Exchange::begin(self.config.role, certificates.0, certificates.1, rand::random());
        self.comparison = Some(Comparing { exchange, certificates });
        if let Some(first) = first {
            self.send(wires, Channel::Control, &Control::Comparison(first)).await;
        }
        Ok(())
    }

    /// A restart of the path keeps the DTLS association. Were it ever made anew, with another certificate, then what the two have
    /// compared would say nothing of it.
    async fn still_the_same(&self, wires: &Wires) -> Result<(), Ending> {
        let Some(comparing) = &self.comparison else { return Ok(()) };
        let now = certificates(&*wires.connection.peer).await;
        if now == Some(comparing.certificates) { Ok(()) } else { Err(Ending::Tampered) }
    }

    async fn compare(&mut self, wires: &Wires, message: &Comparison) -> Result<(), Ending> {
        let Some(comparing) = &mut self.comparison else { return Err(Ending::Tampered) };
        let step = comparing.exchange.take(message).map_err(|Tampered| Ending::Tampered)?;
        if let Some(answer) = step.send {
            self.send(wires, Channel::Control, &Control::Comparison(answer)).await;
        }
        if let Some(pictures) = step.pictures {
            self.tell(Event::Pictures(pictures));
        }
        Ok(())
    }

    async fn send(&self, wires: &Wires, channel: Channel, message: &impl ChannelMessage) {
        if !self.open.contains(&channel) {
            tracing::debug!(?channel, "a message was dropped: the channel is not open");
            return;
        }
        let Some((_, wire)) = wires.connection.channels.iter().find(|(which, _)| *which == channel) else { return };
        if channel == Channel::Live && wire.outstanding_bytes().await.is_ok_and(|bytes| bytes > LIVE_BACKLOG) {
            return;
        }
        if wire.send(message.to_bytes().as_slice().into()).await.is_err() {
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
        if self.restart_at.is_some_and(|at| now >= at) {
            self.restart_at = None;
            self.offer(wires, true).await?;
        }
        self.shared.target_kbps.store(self.shared.congestion.video_kbps(), Ordering::Relaxed);
        if now >= self.last_statistics + STATISTICS_INTERVAL {
            self.last_statistics = now;
            if self.config.policy == Policy::Any && self.phase == Phase::Connected {
                self.relayed = is_relayed(wires).await;
            }
            self.report(now);
        }
        Ok(())
    }

    fn report(&mut self, now: Duration) {
        let send = self.shared.send.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let receive = self.shared.receive.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let known = Known {
            jitter_buffer_ms: self.shared.sound.delay_ms(),
            malformed: self.shared.malformed.load(Ordering::Relaxed),
            relayed: self.relayed,
            target_kbps: self.shared.target_kbps.load(Ordering::Relaxed),
        };
        let statistics = self.collector.collect(now, self.shared.monitor.readings(), &send, &receive, known);
        self.tell(Event::Statistics(statistics));
    }

    async fn say_farewell(&self, wires: &Wires) {
        self.send(wires, Channel::Control, &Control::Leaving).await;
        let Some((_, wire)) = wires.connection.channels.first() else { return };
        let flushed = async {
            while wire.outstanding_bytes().await.is_ok_and(|bytes| bytes > 0) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        // Best effort: a peer that is gone acknowledges nothing.
        let _ = tokio::time::timeout(FAREWELL, flushed).await;
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

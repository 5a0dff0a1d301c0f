//! Sound both ways: microphone to Opus packets on a thread of its own, and the peer's packets to the speaker.
//!
//! The two ends that devices touch never block: [`MicrophoneSink::push`] drops when the encoder is late, and
//! [`SpeakerSource::pull`] decodes what has arrived, or conceals, or is silent. Jitter, loss and clock drift are handled by
//! `visavis_media::audio::VoiceReceiver`; how the voice is coded is decided in `plan`.

mod plan;

use crate::clocks::Clocks;
use crate::engine;
use crate::sync::Lips;
use bytes::Bytes;
use plan::{Effort, Plan, Planner};
use rtc::rtp;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc;
use visavis_media::Clock;
use visavis_media::audio::{FRAME_SAMPLES, Heard, OpusEncoder, OpusError, VoiceReceiver, VoiceStatistics};

pub(crate) const PAYLOAD_TYPE: u8 = 111;
pub(crate) const CLOCK_RATE: u32 = 48_000;
/// 20 ms pieces of the microphone that wait for the encoder.
const PIECES_WAITING: usize = 5;
/// Packets that wait for the network task.
const PACKETS_QUEUED: usize = 10;
/// The peer's packets that wait for the speaker, two seconds.
const PACKETS_WAITING: usize = 100;
/// Packets that waited longer (nobody was listening) are not played.
const STALE: Duration = Duration::from_millis(500);
const LOOK: Duration = Duration::from_millis(50);
/// A pause of the microphone beyond this moves the time stamps on.
const PAUSE: Duration = Duration::from_millis(200);
/// From the air to the call: a device period, a frame of 20 ms, and the voice processing.
const CAPTURE: Duration = Duration::from_millis(35);
/// Where packets are sent twice, the second follows so many packets later. Two would survive bursts a little better and keep the
/// peer waiting for 20 ms more.
const AGAIN_AFTER: usize = 1;

type Piece = [i16; FRAME_SAMPLES];

/// Where the microphone's sound goes; cheap to clone.
#[derive(Clone)]
pub struct MicrophoneSink {
    pieces: SyncSender<Piece>,
}

pub(crate) struct MicrophoneEnd {
    pieces: Receiver<Piece>,
}

pub(crate) fn microphone() -> (MicrophoneSink, MicrophoneEnd) {
    let (sender, receiver) = sync_channel(PIECES_WAITING);
    (MicrophoneSink { pieces: sender }, MicrophoneEnd { pieces: receiver })
}

impl MicrophoneSink {
    /// 20 ms of 48 kHz mono; never blocks, drops when the encoder is late.
    pub fn push(&self, samples: &[i16; 960]) {
        // Full or over: dropped, as promised.
        let _ = self.pieces.try_send(*samples);
    }
}

/// Encoded sound on its way to the network task.
pub(crate) struct PacketQueue {
    packets: mpsc::Receiver<rtp::Packet>,
}

impl PacketQueue {
    /// `None` when the encoder has ended.
    pub async fn next(&mut self) -> Option<rtp::Packet> {
        self.packets.recv().await
    }
}

/// The encoder thread. It ends when [`Shared::close`] was called.
pub(crate) fn start(
    microphone: MicrophoneEnd,
    ssrc: u32,
    shared: &engine::Shared,
) -> std::io::Result<(JoinHandle<()>, PacketQueue)> {
    let (packets, receiver) = mpsc::channel(PACKETS_QUEUED);
    let shared = shared.clone();
    let stamps = Stamps::new(ssrc, rand::random(), rand::random());
    let thread = std::thread::Builder::new().name(String::from("call-sound")).spawn(move || match OpusEncoder::new() {
        Ok(encoder) => SoundSender {
            microphone,
            encoder,
            stamps,
            packets,
            planner: Planner::new(),
            plan: None,
            reports: 0,
            effort: Effort::new(),
            sent: VecDeque::new(),
            shared,
        }
        .run(),
        Err(error) => tracing::error!(%error, "no sound is sent"),
    })?;
    Ok((thread, PacketQueue { packets: receiver }))
}

struct SoundSender {
    microphone: MicrophoneEnd,
    encoder: OpusEncoder,
    stamps: Stamps,
    packets: mpsc::Sender<rtp::Packet>,
    planner: Planner,
    plan: Option<Plan>,
    /// Reports of the peer on our voice that the planner knows.
    reports: u64,
    effort: Effort,
    /// The last packets, to be sent again.
    sent: VecDeque<rtp::Packet>,
    shared: engine::Shared,
}

impl SoundSender {
    fn run(mut self) {
        while !self.shared.sound.closed.load(Ordering::Acquire) {
            match self.microphone.pieces.recv_timeout(LOOK) {
                Ok(piece) => self.piece(piece),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn piece(&mut self, mut piece: Piece) {
        if self.shared.muted.load(Ordering::Relaxed) {
            piece.fill(0);
        }
        if let Err(error) = self.follow_path() {
            tracing::warn!(%error, "the voice encoder does not follow the path");
        }
        let started = self.shared.clock.now();
        let timestamp = self.stamps.next(started);
        self.shared.clocks.captured(self.stamps.ssrc, CLOCK_RATE, timestamp, started.saturating_sub(CAPTURE));
        match self.encoder.encode(&piece) {
            // Discontinuous transmission: nothing to send, the time goes on.
            Ok(None) => {
                self.stamps.silent = true;
                self.send_again(0);
            }
            Ok(Some(_)) if !self.shared.open.load(Ordering::Acquire) => {}
            Ok(Some(data)) => {
                let packet = self.stamps.packet(timestamp, data);
                self.send_again(AGAIN_AFTER - 1);
                self.sent.push_back(packet.clone());
                // The network task is behind: old sound is of no use later.
                let _ = self.packets.try_send(packet);
            }
            Err(error) => tracing::warn!(%error, "sound was not encoded"),
        }
        let took = self.shared.clock.now().saturating_sub(started);
        if let Some(level) = self.effort.took(took)
            && let Err(error) = self.encoder.set_complexity(level)
        {
            tracing::warn!(%error, "the voice encoder does not change its effort");
        }
    }

    /// Sends what is due to be sent again, but for the `kept` newest packets.
    fn send_again(&mut self, kept: usize) {
        while self.sent.len() > kept
            && let Some(packet) = self.sent.pop_front()
        {
            if self.plan.is_some_and(|plan| plan.again) {
                self.shared.sound.again.fetch_add(1, Ordering::Relaxed);
                let _ = self.packets.try_send(packet);
            }
        }
    }

    fn follow_path(&mut self) -> Result<(), OpusError> {
        let readings = self.shared.monitor.readings();
        if readings.audio_reports != self.reports {
            self.reports = readings.audio_reports;
            self.planner.report(readings.peer_audio_lost);
        }
        let plan = self.planner.plan(self.shared.target_kbps.load(Ordering::Relaxed));
        if self.plan == Some(plan) {
            return Ok(());
        }
        self.plan = Some(plan);
        tracing::debug!(?plan, effort = self.effort.level(), "the voice is coded anew");
        self.encoder.set_bitrate(plan.bits_per_second)?;
        self.encoder.set_packet_loss_percent(plan.loss_percent)
    }
}

/// Numbers and times of the packets (RFC 7587): the clock runs on through silence.
struct Stamps {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    last: Option<Duration>,
    /// The packet before was not sent, so that the next one begins a spurt of talk.
    silent: bool,
}

impl Stamps {
    fn new(ssrc: u32, sequence: u16, timestamp: u32) -> Self {
        Self { ssrc, sequence, timestamp, last: None, silent: true }
    }

    fn next(&mut self, now: Duration) -> u32 {
        let pause = self.last.map_or(Duration::ZERO, |last| now.saturating_sub(last));
        let pieces = if pause > PAUSE { (pause.as_millis() / 20) as u32 } else { 1 };
        self.last = Some(now);
        self.timestamp = self.timestamp.wrapping_add(pieces.wrapping_mul(FRAME_SAMPLES as u32));
        self.timestamp
    }

    fn packet(&mut self, timestamp: u32, data: Vec<u8>) -> rtp::Packet {
        let sequence_number = self.sequence;
        self.sequence = self.sequence.wrapping_add(1);
        rtp::Packet {
            header: rtp::Header {
                version: 2,
                marker: std::mem::take(&mut self.silent),
                payload_type: PAYLOAD_TYPE,
                sequence_number,
                timestamp,
                ssrc: self.ssrc,
                ..rtp::Header::default()
            },
            payload: Bytes::from(data),
        }
    }
}

struct SoundPacket {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    payload: Bytes,
    arrived: Duration,
}

/// Where the network task puts the peer's packets.
pub(crate) struct Inlet {
    packets: SyncSender<SoundPacket>,
    clock: Clock,
}

impl Inlet {
    pub fn packet(&self, packet: &rtp::Packet) {
        let (sequence, timestamp) = (packet.header.sequence_number, packet.header.timestamp);
        // Full: nobody listens.
        let _ = self.packets.try_send(SoundPacket {
            ssrc: packet.header.ssrc,
            sequence,
            timestamp,
            payload: packet.payload.clone(),
            arrived: self.clock.now(),
        });
    }
}

struct Reader {
    packets: Receiver<SoundPacket>,
    voice: VoiceReceiver,
    /// Of the newest packet.
    ssrc: u32,
}

/// What the handles of a call's sound share.
#[derive(Default)]
pub(crate) struct Shared {
    closed: AtomicBool,
    /// Here while no speaker has it.
    reader: Mutex<Option<Box<Reader>>>,
    /// As last seen by the speaker.
    statistics: Mutex<VoiceStatistics>,
    /// Packets of ours that were sent twice.
    again: AtomicU64,
}

impl Shared {
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// The peer's voice as last seen by the speaker.
    pub fn statistics(&self) -> VoiceStatistics {
        *self.statistics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Packets of our voice that were sent twice.
    pub fn sent_again(&self) -> u64 {
        self.again.load(Ordering::Relaxed)
    }

    /// Makes the way from network to speaker; an earlier one is cut off.
    pub fn inlet(&self, clock: Clock) -> Inlet {
        let (sender, receiver) = sync_channel(PACKETS_WAITING);
        match VoiceReceiver::new() {
            Ok(voice) => self.give_back(Box::new(Reader { packets: receiver, voice, ssrc: 0 })),
            Err(error) => tracing::error!(%error, "nothing of the peer will be heard"),
        }
        Inlet { packets: sender, clock }
    }

    pub fn speaker(self: &Arc<Self>, clock: Clock, clocks: Clocks, lips: Lips) -> SpeakerSource {
        SpeakerSource { shared: Arc::clone(self), reader: None, clock, clocks, lips }
    }

    fn give_back(&self, reader: Box<Reader>) {
        *self.reader.lock().unwrap_or_else(PoisonError::into_inner) = Some(reader);
    }
}

/// The peer's sound for the speaker.
pub struct SpeakerSource {
    shared: Arc<Shared>,
    reader: Option<Box<Reader>>,
    clock: Clock,
    clocks: Clocks,
    lips: Lips,
}

impl SpeakerSource {
    /// Fills the next 20 ms, heard at once: decoded, concealed or silent; never blocks.
    pub fn pull(&mut self, samples: &mut [i16; 960]) {
        self.pull_ahead(samples, self.clock.now());
    }

    /// The same; heard at `heard`.
    pub fn pull_ahead(&mut self, samples: &mut [i16; 960], heard: Duration) {
        if self.reader.is_none() {
            // Held for the length of an assignment only, and then the next 20 ms are as good.
            self.reader = self.shared.reader.try_lock().ok().and_then(|mut slot| slot.take());
        }
        let Some(reader) = &mut self.reader else {
            samples.fill(0);
            return;
        };
        let now = self.clock.now();
        while let Ok(packet) = reader.packets.try_recv() {
            if now.saturating_sub(packet.arrived) < STALE {
                reader.ssrc = packet.ssrc;
                reader.voice.push(packet.sequence, packet.timestamp, packet.payload.to_vec(), packet.arrived);
            }
        }
        let timestamp = reader.voice.playing();
        let made_of = reader.voice.pull(samples, now);
        if let Some(captured) = timestamp.and_then(|timestamp| self.clocks.peer_micros(reader.ssrc, CLOCK_RATE, timestamp)) {
            let latency = i64::try_from(heard.as_micros()).unwrap_or(i64::MAX).saturating_sub(captured);
            self.lips.lock().sound(now, latency, made_of == Heard::Voice && is_audible(samples));
        }
        // Held for the length of a copy only; the next 20 ms will do as well.
        if let Ok(mut statistics) = self.shared.statistics.try_lock() {
            *statistics = reader.voice.statistics();
        }
    }
}

/// More than a room without a voice, about -50 dBFS.
fn is_audible(samples: &[i16]) -> bool {
    const LEAST: i64 = 100;
    let energy: i64 = samples.iter().map(|&sample| i64::from(sample) * i64::from(sample)).sum();
    energy > LEAST * LEAST * samples.len() as i64
}

impl Drop for SpeakerSource {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            self.shared.give_back(reader);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stamps_run_on_through_pauses() {
        let mut stamps = Stamps::new(1, 0, 0);
        assert_eq!(stamps.next(Duration::from_millis(0)), 960);
        assert_eq!(stamps.next(Duration::from_millis(20)), 1920);
        assert_eq!(stamps.next(Duration::from_millis(45)), 2880);
        assert_eq!(stamps.next(Duration::from_millis(1045)), 2880 + 50 * 960);
        assert!(stamps.packet(0, vec![1]).header.marker, "a spurt of talk begins");
        assert!(!stamps.packet(0, vec![1]).header.marker);
    }

    #[test]
    fn a_late_encoder_never_blocks_the_microphone() {
        let (sink, _end) = microphone();
        for _ in 0..100 {
            sink.push(&[1; 960]);
        }
    }
}

//! Rate control and pacing in the interceptor chain, and the handle on both for the rest of the call.
//!
//! Two interceptors share one state: the one nearest to the wire tells [`RateControl`] what leaves and what the peer's feedback says,
//! and the one in the pacer's slot holds pictures in the [`Pacer`]. Sound and reports pass at once.
//!
//! The driver of webrtc 0.21.1 goes to sleep after packets that came through a relay without sending what they caused; the pacer
//! wakes it once after each report that came in.

use crate::interceptors::Monitor;
use crate::pace::{Gate, Pacer};
use crate::rate::ledger::{Kind, Line, Sent};
use crate::rate::{Allowance, Figures, RateControl};
use rtc::interceptor::{Attribute, Interceptor, Packet, StreamInfo, TaggedPacket, convert_twcc};
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc::rtp;
use rtc::rtp::extension::transport_cc_extension::TransportCcExtension;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use rtc::shared::marshal::{MarshalSize, Unmarshal};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(crate) const TRANSPORT_CC: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/// What SRTP, UDP, IPv4 and a relay's channel add to an RTP packet.
const AROUND: usize = 16 + 8 + 20 + 4;
/// Pictures are left out while more than this waits.
const ENOUGH_WAITING: Duration = Duration::from_millis(60);
/// What waited longer is given up for a key frame.
const TOO_OLD: Duration = Duration::from_millis(2000);
/// While nothing is heard a packet leaves now and then, so that there is something to answer.
const TRICKLE: Duration = Duration::from_millis(250);
/// Numbers of sound packets remembered, to know one that leaves a second time.
const SOUNDS: usize = 8;

/// For the encoder, before each picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Turn {
    /// The path is behind: leave this picture out.
    Wait,
    Encode {
        kbps: u32,
        /// Share of the packets that the path loses whatever is sent, 0 to 1.
        lost: f32,
        /// Cut it into enough packets for a probe.
        probe: bool,
    },
}

struct State {
    rate: RateControl,
    pacer: Pacer<TaggedPacket>,
    monitor: Monitor,
    /// Time zero of the state machines.
    epoch: Option<Instant>,
    now: Duration,
    trickled: Duration,
}

impl State {
    fn at(&mut self, now: Instant) -> Duration {
        let epoch = *self.epoch.get_or_insert(now);
        self.now = self.now.max(now.saturating_duration_since(epoch));
        self.now
    }

    fn gate(&self) -> Gate {
        let allowance = self.rate.allowance(self.now);
        let in_flight = self.rate.in_flight();
        let trickle = in_flight >= allowance.window && self.rate.is_silent(self.now) && self.now >= self.trickled + TRICKLE;
        let window = if trickle { in_flight + 1 } else { allowance.window };
        Gate { pace_kbps: allowance.pace_kbps, window, in_flight }
    }

    fn pop(&mut self) -> Option<TaggedPacket> {
        if self.pacer.oldest().is_some_and(|since| since + TOO_OLD < self.now) {
            self.give_up();
        }
        loop {
            let gate = self.gate();
            let packet = self.pacer.pop(gate, self.now)?;
            if let Packet::Rtp(rtp) = &packet.message.packet
                && !self.monitor.may_leave(rtp)
            {
                self.monitor.count_voided();
                continue;
            }
            if self.rate.is_silent(self.now) {
                self.trickled = self.now;
            }
            return Some(packet);
        }
    }

    /// Nothing of what waits is worth sending any more, nor asking for again.
    fn give_up(&mut self) {
        let last = self.pacer.give_up().filter_map(|packet| match packet.message.packet {
            Packet::Rtp(rtp) => Some(rtp.header.sequence_number),
            _ => None,
        });
        if let Some(last) = last.last() {
            self.monitor.void_before(last.wrapping_add(1));
            self.monitor.want_key();
        }
    }

    fn next(&self) -> Option<Duration> {
        let gate = self.gate();
        let blocked = gate.in_flight >= gate.window;
        let trickle = (blocked && self.pacer.oldest().is_some()).then_some(self.trickled.max(self.now) + TRICKLE);
        [self.pacer.next(gate), trickle, self.rate.deadline()].into_iter().flatten().min()
    }
}

/// Handle for the rest of the call; cheap to clone.
#[derive(Clone)]
pub(crate) struct Congestion(Arc<Mutex<State>>);

impl Congestion {
    pub fn new(maximum_kbps: u32, monitor: Monitor) -> Self {
        Self(Arc::new(Mutex::new(State {
            rate: RateControl::new(maximum_kbps, Duration::ZERO),
            pacer: Pacer::new(),
            monitor,
            epoch: None,
            now: Duration::ZERO,
            trickled: Duration::ZERO,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the next picture is to be encoded, and with how many bits.
    pub fn turn(&self) -> Turn {
        let mut state = self.state();
        let (now, gate) = (state.now, state.gate());
        if gate.in_flight >= gate.window || state.pacer.waiting(gate) > ENOUGH_WAITING {
            return Turn::Wait;
        }
        let Allowance { video_kbps: kbps, probe, .. } = state.rate.allowance(now);
        if probe {
            state.rate.probes(now);
        }
        Turn::Encode { kbps, lost: state.rate.figures().lost_by_path, probe }
    }

    pub fn video_kbps(&self) -> u32 {
        let state = self.state();
        state.rate.allowance(state.now).video_kbps
    }

    pub fn figures(&self) -> Figures {
        self.state().rate.figures()
    }

    /// A new path was found.
    pub fn reset(&self) {
        let mut state = self.state();
        let now = state.now;
        state.rate.reset(now);
    }

    /// For the slots of congestion control and of the pacer.
    pub fn interceptors(&self) -> (WireWatch, PictureQueue) {
        let watch = WireWatch {
            congestion: self.clone(),
            extension: None,
            sounds: [None; SOUNDS],
            reads: VecDeque::new(),
            writes: VecDeque::new(),
        };
        let queue =
            PictureQueue { congestion: self.clone(), now: None, wake: false, reads: VecDeque::new(), writes: VecDeque::new() };
        (watch, queue)
    }
}

fn on_the_wire(packet: &rtp::Packet) -> u32 {
    (packet.marshal_size() + AROUND) as u32
}

/// Tells the rate control what leaves and what came of it.
pub(crate) struct WireWatch {
    congestion: Congestion,
    /// Number of the header extension that holds the transport-wide number.
    extension: Option<u8>,
    /// The newest numbers of sound packets.
    sounds: [Option<u16>; SOUNDS],
    reads: VecDeque<TaggedPacket>,
    writes: VecDeque<TaggedPacket>,
}

impl WireWatch {
    fn leaves(&mut self, message: &TaggedPacket) {
        let Packet::Rtp(packet) = &message.message.packet else { return };
        let Some(mut extension) = self.extension.and_then(|number| packet.header.get_extension(number)) else { return };
        let Ok(extension) = TransportCcExtension::unmarshal(&mut extension) else { return };
        let mut state = self.congestion.state();
        let kind = if !state.monitor.is_video(packet) {
            let number = Some(packet.header.sequence_number);
            if self.sounds.contains(&number) { Kind::Copy } else { Kind::Sound }
        } else if message.message.get(&Attribute::Retransmission).is_some() {
            Kind::Repair
        } else {
            Kind::Picture(packet.header.timestamp)
        };
        if kind == Kind::Sound {
            self.sounds.rotate_right(1);
            self.sounds[0] = Some(packet.header.sequence_number);
        }
        let at = state.at(message.now);
        state.rate.sent(extension.transport_sequence, Sent { at, bytes: on_the_wire(packet), kind });
    }

    fn hears(&self, feedback: &TransportLayerCc, now: Instant) {
        let lines: Vec<Line> = convert_twcc(feedback)
            .into_iter()
            // Arrived without a time: as good as unknown.
            .filter(|line| !line.arrived || line.arrival.is_some())
            .map(|line| Line { number: line.sequence_number, arrived: line.arrival })
            .collect();
        let mut state = self.congestion.state();
        let now = state.at(now);
        state.rate.feedback(&lines, now);
        let Figures { lost, lost_by_path, target_kbps, .. } = state.rate.figures();
        state.monitor.change(|readings| {
            (readings.sent_lost, readings.path_lost, readings.target_kbps) = (lost, lost_by_path, target_kbps);
        });
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for WireWatch {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &message.message.packet {
            for feedback in packets.iter().filter_map(|packet| packet.as_any().downcast_ref::<TransportLayerCc>()) {
                self.hears(feedback, message.now);
            }
        }
        self.reads.push_back(message);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.reads.pop_front()
    }

    fn handle_write(&mut self, message: TaggedPacket) -> Result<(), Error> {
        self.leaves(&message);
        self.writes.push_back(message);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.writes.pop_front()
    }
}

impl Interceptor for WireWatch {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        let found = info.rtp_header_extensions.iter().find(|extension| extension.uri == TRANSPORT_CC);
        if let Some(number) = found.and_then(|extension| u8::try_from(extension.id).ok()) {
            self.extension = Some(number);
        }
    }
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}

/// Holds pictures until they may leave.
pub(crate) struct PictureQueue {
    congestion: Congestion,
    now: Option<Instant>,
    /// Something came in that may have caused an answer.
    wake: bool,
    reads: VecDeque<TaggedPacket>,
    writes: VecDeque<TaggedPacket>,
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for PictureQueue {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        self.now = Some(message.now);
        self.wake |= matches!(message.message.packet, Packet::Rtcp(_));
        self.reads.push_back(message);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.reads.pop_front()
    }

    fn handle_write(&mut self, message: TaggedPacket) -> Result<(), Error> {
        self.now = Some(message.now);
        let mut state = self.congestion.state();
        let now = state.at(message.now);
        match &message.message.packet {
            Packet::Rtp(packet) if state.monitor.is_video(packet) => {
                let repair = message.message.get(&Attribute::Retransmission).is_some();
                let bytes = on_the_wire(packet);
                state.pacer.push(message, bytes, repair, now);
            }
            _ => self.writes.push_back(message),
        }
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        if let Some(message) = self.writes.pop_front() {
            return Some(message);
        }
        let now = self.now?;
        let mut state = self.congestion.state();
        state.at(now);
        let mut message = state.pop()?;
        // The wire's side must see when it left, not when it came.
        message.now = now;
        Some(message)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        (self.now, self.wake) = (Some(now), false);
        let mut state = self.congestion.state();
        let now = state.at(now);
        state.rate.timeout(now);
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        if self.wake {
            return self.now;
        }
        let state = self.congestion.state();
        let next = state.next()?;
        state.epoch.map(|epoch| epoch + next)
    }
}

impl Interceptor for PictureQueue {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}

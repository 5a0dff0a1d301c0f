//! The interceptor chain of a call and what it tells us.
//!
//! The library's default registry is never used: it asks for lost packets every 100 ms without end, and its figures for the
//! sender stay zero. Here: transport-wide feedback both ways, reports twice a second, and two interceptors of ours: `resend`
//! answers the peer's requests for lost packets (we ask for ours in `receive`, where it is known which are still of use), and
//! the [`Monitor`], nearest to the wire, hears the peer's requests for a key frame, measures the round trip and the losses, and
//! drops packets that a change of view has made void.
//!
//! What to do about the figures is decided in `rate`, `send` and `statistics`.

use crate::clocks::Clocks;
use crate::congestion::Congestion;
use crate::resend::Resender;
use rtc::interceptor::{
    BoxedInterceptor, Interceptor, Packet, ReceiverReportBuilder, Registry, SenderReportBuilder, Slot, StreamInfo, TaggedPacket,
    TwccReceiverBuilder, TwccSenderBuilder,
};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc::rtp;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Twice the usual rate, so that round trip and loss are known within a second of a change.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);
/// Rate control is as quick as what it hears. A feedback packet has about 90 bytes on the wire, so this is 20 kbit/s.
const FEEDBACK_INTERVAL: Duration = Duration::from_millis(35);
/// Between the congestion-control slot (1000) and the transport-wide numbering (2000): sees what really leaves.
const MONITOR_SLOT: usize = 1_500;
/// Sender reports remembered to match the peer's receiver reports with.
const REPORTS_KEPT: usize = 32;
/// Packets after which a floor can be forgotten; above the responder's buffer of 1024 and below half the number space.
const FLOOR_SPAN: u16 = 0x1000;

/// The chain of one connection. `tap` sits nearest to the wire; tests put losses there.
pub(crate) fn registry(monitor: &Monitor, congestion: &Congestion, tap: Option<BoxedInterceptor>) -> Registry {
    let (wire_watch, picture_queue) = congestion.interceptors();
    let registry = Registry::new()
        .with(Slot::CongestionControl, wire_watch)
        .with(Slot::Pacer, picture_queue)
        .with(Slot::from(MONITOR_SLOT), MonitorInterceptor::new(monitor.clone()))
        .with(Slot::TwccSender, TwccSenderBuilder::new().build())
        .with(Slot::NackResponder, Resender::new(monitor.clone()))
        .with(Slot::TwccReceiver, TwccReceiverBuilder::new().with_interval(FEEDBACK_INTERVAL).build())
        .with(Slot::ReceiverReport, ReceiverReportBuilder::new().with_interval(REPORT_INTERVAL).build())
        .with(Slot::SenderReport, SenderReportBuilder::new().with_interval(REPORT_INTERVAL).build());
    match tap {
        Some(tap) => registry.with(Slot::from(500), tap),
        None => registry,
    }
}

/// Sums since the call began, and the newest measurements.
#[derive(Clone, Debug, Default)]
pub(crate) struct Readings {
    pub bytes_sent: u64,
    pub bytes_received: u64,
    /// Messages, each of which may name many packets.
    pub nacks_sent: u64,
    pub nacks_received: u64,
    /// Requests for a key frame.
    pub plis_received: u64,
    pub firs_received: u64,
    /// Packets of ours that were sent again.
    pub resent: u64,
    /// Share of our packets that is usually lost, and that the path loses whatever is sent, 0 to 1, by the peer's transport-wide
    /// feedback.
    pub sent_lost: f32,
    pub path_lost: f32,
    /// For everything on the wire.
    pub target_kbps: u32,
    /// Share of our packets that the peer's newest report calls lost, 0 to 1, and how many reports came.
    pub peer_lost: f32,
    pub reports: u64,
    /// The same of our voice.
    pub peer_audio_lost: f32,
    pub audio_reports: u64,
    /// Share of the peer's packets that our newest report calls lost, 0 to 1.
    pub lost: f32,
    pub round_trip: Option<Duration>,
    /// Packets dropped because they were made before the view changed.
    pub voided: u64,
}

#[derive(Debug, Default)]
struct Shared {
    readings: Mutex<Readings>,
    key_wanted: AtomicBool,
    video_ssrc: AtomicU32,
    /// `FLOOR_SET | sequence number`, or 0.
    floor: AtomicU32,
    clocks: OnceLock<Clocks>,
}

const FLOOR_SET: u32 = 1 << 16;

/// Handle on what the interceptor sees; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Monitor(Arc<Shared>);

impl Monitor {
    pub fn new(video_ssrc: u32) -> Self {
        let monitor = Self::default();
        monitor.0.video_ssrc.store(video_ssrc, Ordering::Relaxed);
        monitor
    }

    pub fn readings(&self) -> Readings {
        self.0.readings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// True once after the peer asked for a key frame (PLI or FIR).
    pub fn take_key_wanted(&self) -> bool {
        self.0.key_wanted.swap(false, Ordering::AcqRel)
    }

    /// From now on no video packet with a number before `sequence` leaves, neither one still queued nor one asked for again.
    pub fn void_before(&self, sequence: u16) {
        self.0.floor.store(FLOOR_SET | u32::from(sequence), Ordering::Release);
    }

    /// What waited was given up: only a key frame helps the peer.
    pub fn want_key(&self) {
        self.0.key_wanted.store(true, Ordering::Release);
    }

    pub fn count_voided(&self) {
        self.change(|readings| readings.voided += 1);
    }

    pub fn is_video(&self, packet: &rtp::Packet) -> bool {
        packet.header.ssrc == self.0.video_ssrc.load(Ordering::Relaxed)
    }

    /// From now on our reports say when things were captured, and the peer's are kept.
    pub fn correct_reports(&self, clocks: Clocks) {
        // A call sets it once.
        let _ = self.0.clocks.set(clocks);
    }

    /// A packet is sent again.
    pub fn resent(&self) {
        self.change(|readings| readings.resent += 1);
    }

    #[cfg(test)]
    pub fn floor(&self) -> Option<u16> {
        let floor = self.0.floor.load(Ordering::Acquire);
        (floor & FLOOR_SET != 0).then_some(floor as u16)
    }

    pub fn change(&self, change: impl FnOnce(&mut Readings)) {
        change(&mut self.0.readings.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether a video packet may leave; forgets a floor that lies far enough behind.
    pub fn may_leave(&self, packet: &rtp::Packet) -> bool {
        let floor = self.0.floor.load(Ordering::Acquire);
        if floor & FLOOR_SET == 0 || !self.is_video(packet) {
            return true;
        }
        let ahead = packet.header.sequence_number.wrapping_sub(floor as u16);
        if ahead >= 0x8000 {
            return false;
        }
        if ahead > FLOOR_SPAN {
            // Fails when a newer floor was set meanwhile, which then stays.
            let _ = self.0.floor.compare_exchange(floor, 0, Ordering::AcqRel, Ordering::Relaxed);
        }
        true
    }
}

struct MonitorInterceptor {
    monitor: Monitor,
    /// Middle 32 bits of the NTP time of our sender reports, and when each left.
    sent_reports: VecDeque<(u32, Instant)>,
    read_queue: VecDeque<TaggedPacket>,
    write_queue: VecDeque<TaggedPacket>,
}

impl MonitorInterceptor {
    fn new(monitor: Monitor) -> Self {
        Self { monitor, sent_reports: VecDeque::new(), read_queue: VecDeque::new(), write_queue: VecDeque::new() }
    }

    fn heard(&mut self, packet: &dyn rtc::rtcp::Packet, now: Instant) {
        let any = packet.as_any();
        if any.is::<PictureLossIndication>() {
            self.monitor.0.key_wanted.store(true, Ordering::Release);
            self.monitor.change(|readings| readings.plis_received += 1);
        } else if any.is::<FullIntraRequest>() {
            self.monitor.0.key_wanted.store(true, Ordering::Release);
            self.monitor.change(|readings| readings.firs_received += 1);
        } else if any.is::<TransportLayerNack>() {
            self.monitor.change(|readings| readings.nacks_received += 1);
        } else if let Some(report) = any.downcast_ref::<ReceiverReport>() {
            self.heard_reports(&report.reports, now);
        } else if let Some(report) = any.downcast_ref::<SenderReport>() {
            self.heard_reports(&report.reports, now);
            if let Some(clocks) = self.monitor.0.clocks.get() {
                clocks.heard(report);
            }
        }
    }

    fn heard_reports(&mut self, reports: &[ReceptionReport], now: Instant) {
        let video = self.monitor.0.video_ssrc.load(Ordering::Relaxed);
        for report in reports {
            let round_trip = round_trip(&self.sent_reports, report.last_sender_report, report.delay, now);
            self.monitor.change(|readings| {
                if report.ssrc == video {
                    readings.peer_lost = f32::from(report.fraction_lost) / 256.0;
                    readings.reports += 1;
                } else {
                    readings.peer_audio_lost = f32::from(report.fraction_lost) / 256.0;
                    readings.audio_reports += 1;
                }
                if round_trip.is_some() {
                    readings.round_trip = round_trip;
                }
            });
        }
    }

    fn corrected(&self, packet: &dyn rtc::rtcp::Packet, now: Instant) -> Option<SenderReport> {
        self.monitor.0.clocks.get()?.corrected(packet.as_any().downcast_ref()?, now)
    }

    fn said(&mut self, packet: &dyn rtc::rtcp::Packet, now: Instant) {
        let any = packet.as_any();
        if let Some(report) = any.downcast_ref::<SenderReport>() {
            if self.sent_reports.len() == REPORTS_KEPT {
                self.sent_reports.pop_front();
            }
            self.sent_reports.push_back(((report.ntp_time >> 16) as u32, now));
        } else if let Some(report) = any.downcast_ref::<ReceiverReport>() {
            if let Some(lost) = report.reports.iter().map(|report| report.fraction_lost).max() {
                self.monitor.change(|readings| readings.lost = f32::from(lost) / 256.0);
            }
        } else if any.is::<TransportLayerNack>() {
            self.monitor.change(|readings| readings.nacks_sent += 1);
        }
    }
}

/// RFC 3550, 6.4.1: arrival - LSR - DLSR, where our own clock stands for LSR.
fn round_trip(sent: &VecDeque<(u32, Instant)>, last_sender_report: u32, delay: u32, now: Instant) -> Option<Duration> {
    if last_sender_report == 0 {
        return None;
    }
    let (_, left) = sent.iter().rev().find(|(time, _)| *time == last_sender_report)?;
    let held = Duration::from_micros(u64::from(delay) * 1_000_000 / 65_536);
    now.checked_duration_since(*left)?.checked_sub(held)
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for MonitorInterceptor {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        match &message.message.packet {
            Packet::Rtp(packet) => {
                let size = packet.payload.len() as u64;
                self.monitor.change(|readings| readings.bytes_received += size);
            }
            Packet::Rtcp(packets) => {
                for packet in packets {
                    self.heard(packet.as_ref(), message.now);
                }
            }
            _ => {}
        }
        self.read_queue.push_back(message);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.read_queue.pop_front()
    }

    fn handle_write(&mut self, mut message: TaggedPacket) -> Result<(), Error> {
        match &mut message.message.packet {
            Packet::Rtp(packet) => {
                if !self.monitor.may_leave(packet) {
                    self.monitor.change(|readings| readings.voided += 1);
                    return Ok(());
                }
                let size = packet.payload.len() as u64;
                self.monitor.change(|readings| readings.bytes_sent += size);
            }
            Packet::Rtcp(packets) => {
                for packet in packets {
                    if let Some(corrected) = self.corrected(packet.as_ref(), message.now) {
                        *packet = Box::new(corrected);
                    }
                    self.said(packet.as_ref(), message.now);
                }
            }
            _ => {}
        }
        self.write_queue.push_back(message);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.write_queue.pop_front()
    }
}

impl Interceptor for MonitorInterceptor {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(ssrc: u32, sequence_number: u16) -> rtp::Packet {
        rtp::Packet { header: rtp::Header { ssrc, sequence_number, ..rtp::Header::default() }, ..rtp::Packet::default() }
    }

    #[test]
    fn packets_from_before_a_change_of_view_never_leave() {
        let monitor = Monitor::new(7);
        assert!(monitor.may_leave(&packet(7, 65_530)));
        monitor.void_before(3);
        assert!(!monitor.may_leave(&packet(7, 65_530)), "not when asked for again either");
        assert!(!monitor.may_leave(&packet(7, 2)));
        assert!(monitor.may_leave(&packet(7, 3)));
        assert!(monitor.may_leave(&packet(9, 2)), "sound goes on");
    }

    #[test]
    fn an_old_floor_is_forgotten_before_the_numbers_come_round() {
        let monitor = Monitor::new(7);
        monitor.void_before(0);
        for step in 0..=20u16 {
            assert!(monitor.may_leave(&packet(7, step * 0x800)), "{step}");
        }
        assert!(monitor.may_leave(&packet(7, 0xfff0)));
    }

    #[test]
    fn the_round_trip_is_the_time_away_less_the_time_held() {
        let left = Instant::now();
        let sent = VecDeque::from([(42, left)]);
        let now = left + Duration::from_millis(600);
        assert_eq!(round_trip(&sent, 42, 65_536 / 2, now), Some(Duration::from_millis(100)));
        assert_eq!(round_trip(&sent, 41, 0, now), None, "no report of ours");
        assert_eq!(round_trip(&sent, 0, 0, now), None, "none received yet");
        assert_eq!(round_trip(&sent, 42, u32::MAX, now), None, "an impossible delay");
    }
}

//! Packets of our video, kept to be sent again when the peer asks (generic NACK, RFC 4585, 6.2.1).
//!
//! A packet that went out again a moment ago is not sent once more: the two requests crossed. On a lossy path a repair goes more
//! than once, with pauses between, because losses come in bursts: a repair that is lost holds the picture up for another round
//! trip, and that is what is seen as a freeze. On a long path that loses much and has room, each packet goes twice unasked. Whether
//! a packet may still leave at all (the view may have changed since) is decided nearer to the wire, by the monitor.

use crate::interceptors::Monitor;
use rtc::interceptor::{Attribute, AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc::rtp;
use rtc::sansio::Protocol;
use rtc::shared::TransportContext;
use rtc::shared::error::Error;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Packets kept; three seconds at 3 Mbit/s. A power of two, so that the numbers divide among the places evenly.
const KEPT: usize = 1024;
/// Older packets belong to pictures that nobody waits for.
const LIFETIME: Duration = Duration::from_secs(2);
/// Copies of one packet, whoever asks.
const COPIES: u8 = 8;
/// Until a round trip was measured.
const FIRST_GUESS: Duration = Duration::from_millis(40);
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// How long after the first copy the others go.
const LATER: [Duration; 2] = [Duration::from_millis(10), Duration::from_millis(45)];
/// A path that loses this share is worth one more copy, and two.
const LOSSY: f32 = 0.02;
const VERY_LOSSY: f32 = 0.06;
/// A path that loses this share whatever is sent, and takes so long, gets each packet twice without being asked: a picture of a
/// few packets would hardly ever come whole, and each would wait for a round trip. The rate for pictures leaves room for it.
const LOSES_MUCH: f32 = 0.035;
const LONG_ROUND_TRIP: Duration = Duration::from_millis(70);
/// Once begun it goes on down to this share.
const LOSES_LITTLE: f32 = 0.02;
/// Half of less than this would be a smaller picture, and nobody tells of a copy whose first came, so that a rate hardly grows
/// beside copies: a young call grows first. Once begun it goes on down to the second.
const ROOM_KBPS: u32 = 1000;
const LITTLE_ROOM_KBPS: u32 = 700;
/// Between the two: longer than most bursts of losses and than a receiver waits for what may only be overtaken, and not when another
/// picture leaves.
const AHEAD: Duration = Duration::from_millis(80);
/// Packets sent again within [`WINDOW`] at most: a peer that asks for everything gets no more than that.
const IN_WINDOW: u32 = 120;
const WINDOW: Duration = Duration::from_millis(100);

struct Kept {
    packet: rtp::Packet,
    left: Instant,
    again: Option<Instant>,
    copies: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Asked,
    Ahead,
}

/// The interceptor; knows one stream, the one whose description allows NACK.
pub(crate) struct Resender {
    monitor: Monitor,
    stream: Option<u32>,
    kept: Vec<Option<Kept>>,
    /// Second copies, when they go, and whether they are asked for.
    later: VecDeque<(Instant, u16, Reason)>,
    /// Each packet goes twice.
    ahead: bool,
    window: Option<(Instant, u32)>,
    reads: VecDeque<TaggedPacket>,
    writes: VecDeque<TaggedPacket>,
}

impl Resender {
    pub fn new(monitor: Monitor) -> Self {
        Self {
            monitor,
            stream: None,
            kept: (0..KEPT).map(|_| None).collect(),
            later: VecDeque::new(),
            ahead: false,
            window: None,
            reads: VecDeque::new(),
            writes: VecDeque::new(),
        }
    }

    fn keep(&mut self, packet: &rtp::Packet, now: Instant) {
        let place = usize::from(packet.header.sequence_number) % KEPT;
        self.kept[place] = Some(Kept { packet: packet.clone(), left: now, again: None, copies: 0 });
    }

    fn find(&mut self, number: u16) -> Option<&mut Kept> {
        self.kept[usize::from(number) % KEPT].as_mut().filter(|kept| kept.packet.header.sequence_number == number)
    }

    fn asked(&mut self, nack: &TransportLayerNack, now: Instant) {
        if self.stream != Some(nack.media_ssrc) {
            return;
        }
        let readings = self.monitor.readings();
        let round_trip = readings.round_trip.unwrap_or(FIRST_GUESS);
        let more = usize::from(readings.path_lost > LOSSY) + usize::from(readings.path_lost > VERY_LOSSY);
        let pause = (round_trip * 7 / 10).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        for number in nack.nacks.iter().flat_map(|pair| pair.into_iter()) {
            let Some(kept) = self.find(number) else { continue };
            let fresh = now.saturating_duration_since(kept.left) < LIFETIME;
            let rested = kept.again.is_none_or(|again| now.saturating_duration_since(again) >= pause);
            if !fresh || !rested {
                continue;
            }
            // One that was lost twice in spite of it is worth one more in any case.
            let more = more.max(usize::from(kept.again.is_some()));
            self.send(number, Reason::Asked, now);
            for pause in LATER.iter().take(more) {
                self.send_later(number, Reason::Asked, now + *pause);
            }
        }
    }

    fn send_later(&mut self, number: u16, reason: Reason, at: Instant) {
        let place = self.later.partition_point(|(due, ..)| *due <= at);
        self.later.insert(place, (at, number, reason));
    }

    fn goes_ahead(&mut self) -> bool {
        let readings = self.monitor.readings();
        let (least, room) = if self.ahead { (LOSES_LITTLE, LITTLE_ROOM_KBPS) } else { (LOSES_MUCH, ROOM_KBPS) };
        let worth = readings.path_lost > least && readings.target_kbps >= room;
        self.ahead = worth && readings.round_trip.is_some_and(|time| time >= LONG_ROUND_TRIP);
        self.ahead
    }

    fn send(&mut self, number: u16, reason: Reason, now: Instant) {
        let (since, count) = match self.window {
            Some((since, count)) if now.saturating_duration_since(since) < WINDOW => (since, count),
            _ => (now, 0),
        };
        if count >= IN_WINDOW {
            return;
        }
        let Some(kept) = self.find(number).filter(|kept| kept.copies < COPIES) else { return };
        kept.copies += 1;
        // Whoever asks while an unasked copy is under way cannot know of it, and it may be lost.
        if reason == Reason::Asked {
            kept.again = Some(now);
        }
        // Marked, so that whoever counts what leaves knows it from what is new.
        let message = AttributedPacket::new(Packet::Rtp(kept.packet.clone())).with(Attribute::Retransmission);
        self.window = Some((since, count + 1));
        self.writes.push_back(TaggedPacket { now, transport: TransportContext::default(), message });
        self.monitor.resent();
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Resender {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &message.message.packet {
            for nack in packets.iter().filter_map(|packet| packet.as_any().downcast_ref::<TransportLayerNack>()) {
                self.asked(nack, message.now);
            }
        }
        self.reads.push_back(message);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.reads.pop_front()
    }

    fn handle_write(&mut self, message: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtp(packet) = &message.message.packet
            && self.stream == Some(packet.header.ssrc)
        {
            self.keep(packet, message.now);
            if self.goes_ahead() {
                self.send_later(packet.header.sequence_number, Reason::Ahead, message.now + AHEAD);
            }
        }
        self.writes.push_back(message);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.writes.pop_front()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        while let Some((due, number, reason)) = self.later.front().copied()
            && due <= now
        {
            self.later.pop_front();
            self.send(number, reason, now);
        }
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.later.front().map(|(due, ..)| *due)
    }
}

impl Interceptor for Resender {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        if info.rtcp_feedback.iter().any(|feedback| feedback.typ == "nack" && feedback.parameter.is_empty()) {
            self.stream = Some(info.ssrc);
        }
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        if self.stream == Some(info.ssrc) {
            self.stream = None;
        }
    }

    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::interceptor::RTCPFeedback;
    use rtc::rtcp::transport_feedbacks::transport_layer_nack::nack_pairs_from_sequence_numbers;

    const VIDEO: u32 = 7;

    fn resender() -> Resender {
        let mut resender = Resender::new(Monitor::new(VIDEO));
        let nack = RTCPFeedback { typ: String::from("nack"), parameter: String::new() };
        resender.bind_local_stream(&StreamInfo { ssrc: VIDEO, rtcp_feedback: vec![nack], ..StreamInfo::default() });
        resender.bind_local_stream(&StreamInfo { ssrc: 8, ..StreamInfo::default() });
        resender
    }

    fn tagged(packet: Packet, now: Instant) -> TaggedPacket {
        TaggedPacket { now, transport: TransportContext::default(), message: AttributedPacket::new(packet) }
    }

    fn send(resender: &mut Resender, ssrc: u32, sequence_number: u16, now: Instant) {
        let header = rtp::Header { ssrc, sequence_number, ..rtp::Header::default() };
        let packet = rtp::Packet { header, ..rtp::Packet::default() };
        resender.handle_write(tagged(Packet::Rtp(packet), now)).unwrap();
        assert_eq!(left(resender).len(), 1);
    }

    fn left(resender: &mut Resender) -> Vec<u16> {
        std::iter::from_fn(|| resender.poll_write())
            .map(|message| match message.message.packet {
                Packet::Rtp(packet) => packet.header.sequence_number,
                _ => panic!("no media"),
            })
            .collect()
    }

    fn ask(resender: &mut Resender, ssrc: u32, numbers: &[u16], now: Instant) -> Vec<u16> {
        let nack = TransportLayerNack { sender_ssrc: 0, media_ssrc: ssrc, nacks: nack_pairs_from_sequence_numbers(numbers) };
        resender.handle_read(tagged(Packet::Rtcp(vec![Box::new(nack)]), now)).unwrap();
        left(resender)
    }

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    #[test]
    fn what_is_asked_for_goes_again_and_a_crossed_request_does_not_count() {
        let (mut resender, start) = (resender(), Instant::now());
        for number in [65_534, 65_535, 0, 1] {
            send(&mut resender, VIDEO, number, start);
        }
        send(&mut resender, 8, 65_535, start);
        assert_eq!(ask(&mut resender, VIDEO, &[65_535, 0, 5], start + ms(50)), [65_535, 0]);
        assert_eq!(ask(&mut resender, VIDEO, &[65_535], start + ms(60)), [] as [u16; 0], "said twice to be sure");
        assert_eq!(ask(&mut resender, 8, &[65_535], start + ms(60)), [] as [u16; 0], "sound is not sent again");
    }

    #[test]
    fn what_was_lost_twice_goes_twice() {
        let (mut resender, start) = (resender(), Instant::now());
        send(&mut resender, VIDEO, 9, start);
        assert_eq!(ask(&mut resender, VIDEO, &[9], start + ms(50)), [9]);
        assert_eq!(resender.poll_timeout(), None);
        assert_eq!(ask(&mut resender, VIDEO, &[9], start + ms(110)), [9]);
        let due = resender.poll_timeout().unwrap();
        assert_eq!(due, start + ms(110) + LATER[0]);
        resender.handle_timeout(due).unwrap();
        assert_eq!((left(&mut resender), resender.poll_timeout()), (vec![9], None));
    }

    #[test]
    fn on_a_long_path_that_loses_much_each_packet_goes_twice_unasked() {
        for (lost, round_trip, kbps, twice) in
            [(0.1, 100, 1500, true), (0.1, 40, 1500, false), (0.03, 100, 1500, false), (0.1, 100, 900, false)]
        {
            let (mut resender, start) = (resender(), Instant::now());
            resender.monitor.change(|readings| {
                (readings.path_lost, readings.round_trip, readings.target_kbps) = (lost, Some(ms(round_trip)), kbps);
            });
            send(&mut resender, VIDEO, 9, start);
            send(&mut resender, 8, 9, start);
            assert_eq!(resender.poll_timeout(), twice.then_some(start + AHEAD), "{lost}, {round_trip} ms, {kbps} kbit/s");
            resender.handle_timeout(start + ms(200)).unwrap();
            assert_eq!(left(&mut resender).len(), usize::from(twice));
        }
    }

    #[test]
    fn a_peer_that_asks_for_everything_gets_no_flood() {
        let (mut resender, start) = (resender(), Instant::now());
        for number in 0..2000 {
            send(&mut resender, VIDEO, number, start);
        }
        let all: Vec<u16> = (0..2000).collect();
        let mut copies = 0;
        for time in 0..300 {
            let now = start + ms(10 * time);
            copies += ask(&mut resender, VIDEO, &all, now).len();
            resender.handle_timeout(now).unwrap();
            copies += left(&mut resender).len();
        }
        assert!(copies <= IN_WINDOW as usize * 21, "{copies} copies within the two seconds that they are kept");
        assert!(ask(&mut resender, VIDEO, &[1999], start + ms(5000)).is_empty(), "too old");
    }
}

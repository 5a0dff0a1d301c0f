//! A call in virtual time: both sides' real interceptor chains (feedback, NACK, reports, pacer, rate control), packetiser and
//! assembler, over two emulated links. What stands for something else: the encoder (sizes of pictures, as libvpx makes them) and the
//! sound (packets of its size). Nothing is encrypted, and no thread or socket is involved, so a seed gives one outcome.

use super::{Link, LinkSettings, Random};
use crate::codecs::VP8_PAYLOAD_TYPE;
use crate::congestion::{Congestion, TRANSPORT_CC, Turn};
use crate::interceptors::{Monitor, registry};
use crate::receive::{Assembler, Step};
use crate::video::{CLOCK_RATE, Packetiser};
use rtc::interceptor::{AttributedPacket, BoxedInterceptor, Packet, RTCPFeedback, RTPHeaderExtension, StreamInfo, TaggedPacket};
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{TransportLayerNack, nack_pairs_from_sequence_numbers};
use rtc::rtp;
use rtc::shared::TransportContext;
use rtc::shared::marshal::MarshalSize;
use std::collections::HashSet;
use std::time::{Duration, Instant};
use visavis_media::codec::{Codec, EncodedPicture};

const TICK: Duration = Duration::from_micros(500);
const PICTURE: Duration = Duration::from_micros(33_333);
const SOUND: Duration = Duration::from_millis(20);
const SOUND_BYTES: usize = 80;
const VIDEO: u32 = 11;
const AUDIO: u32 = 12;
/// What encryption and the lower layers add.
const AROUND: usize = 44;

/// A picture that was shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Picture {
    pub captured: Duration,
    pub shown: Duration,
}

/// What is written down every ten milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub at: Duration,
    pub target_kbps: u32,
    pub queue: Duration,
}

/// Sizes of pictures: about the target, now and then a little more, key frames several times as much; a new target takes a few
/// pictures to be followed, as libvpx's quantiser does.
struct Encoder {
    random: Random,
    kbps: f64,
    key: bool,
    /// What the scene needs at most.
    most_kbps: f64,
}

impl Encoder {
    fn picture(&mut self, kbps: u32, captured: Duration) -> EncodedPicture {
        let wanted = f64::from(kbps).min(self.most_kbps);
        self.kbps = if self.kbps == 0.0 { wanted } else { self.kbps + (wanted - self.kbps) * 0.4 };
        // Pictures that were left out leave their bits to the next ones, within limits.
        let usual = self.kbps * 125.0 * PICTURE.as_secs_f64();
        let share = if std::mem::take(&mut self.key) { 5.0 } else { 0.75 + 0.5 * self.random.unit() };
        let key = share > 4.0;
        let mut data = vec![0xaa; ((usual * share) as usize).max(40)];
        data[0] = if key { 0x10 } else { 0x01 };
        data[3..6].copy_from_slice(&[0x9d, 0x01, 0x2a]);
        data[10..18].copy_from_slice(&(captured.as_micros() as u64).to_le_bytes());
        EncodedPicture { codec: Codec::Vp8, data, key, width: 640, height: 360 }
    }
}

struct Side {
    chain: BoxedInterceptor,
    monitor: Monitor,
}

impl Side {
    fn new(monitor: Monitor, congestion: &Congestion) -> Self {
        Self { chain: Box::new(registry(&monitor, congestion, None).build()), monitor }
    }
}

pub(crate) struct Simulation {
    pub now: Duration,
    pub there: Link<TaggedPacket>,
    pub back: Link<TaggedPacket>,
    pub shown: Vec<Picture>,
    pub kept: Vec<Kept>,
    pub sound_sent: u32,
    pub sound_came: u32,
    pub congestion: Congestion,
    zero: Instant,
    from: Side,
    to: Side,
    packetiser: Packetiser,
    assembler: Assembler,
    encoder: Encoder,
    /// Stream, number and time stamp of what has come.
    arrived: HashSet<(u32, u16, u32)>,
    next_picture: Duration,
    next_sound: Duration,
    sound_number: u16,
    last_key: Option<Duration>,
    pub skipped: u32,
    pub keys_asked: u32,
    pub muted: bool,
    /// Each packet of sound goes twice.
    pub twice: bool,
}

fn stream(ssrc: u32) -> StreamInfo {
    let feedback = |typ: &str, parameter: &str| RTCPFeedback { typ: typ.to_owned(), parameter: parameter.to_owned() };
    let rtcp_feedback = if ssrc == VIDEO { vec![feedback("nack", ""), feedback("nack", "pli")] } else { Vec::new() };
    StreamInfo {
        ssrc,
        payload_type: if ssrc == VIDEO { VP8_PAYLOAD_TYPE } else { 111 },
        clock_rate: if ssrc == VIDEO { CLOCK_RATE } else { 48_000 },
        rtp_header_extensions: vec![RTPHeaderExtension { uri: TRANSPORT_CC.to_owned(), id: 3 }],
        rtcp_feedback,
        ..StreamInfo::default()
    }
}

impl Simulation {
    pub fn new(there: LinkSettings, back: LinkSettings, max_kbps: u32, seed: u64) -> Self {
        let monitor = Monitor::new(VIDEO);
        let congestion = Congestion::new(max_kbps, monitor.clone());
        let mut from = Side::new(monitor, &congestion);
        let monitor = Monitor::new(0);
        let mut to = Side::new(monitor.clone(), &Congestion::new(max_kbps, monitor));
        for ssrc in [VIDEO, AUDIO] {
            from.chain.bind_local_stream(&stream(ssrc));
            to.chain.bind_remote_stream(&stream(ssrc));
        }
        let mut random = Random(seed);
        let first = random.bits() as u16;
        Self {
            now: Duration::from_secs(1),
            there: Link::new(there, random.bits()),
            back: Link::new(back, random.bits()),
            shown: Vec::new(),
            kept: Vec::new(),
            sound_sent: 0,
            sound_came: 0,
            congestion,
            zero: Instant::now(),
            from,
            to,
            packetiser: Packetiser::new(VIDEO, first, random.bits() as u32),
            assembler: Assembler::new(),
            encoder: Encoder { random: Random(random.bits()), kbps: 0.0, key: true, most_kbps: 2500.0 },
            arrived: HashSet::new(),
            next_picture: Duration::from_secs(1),
            next_sound: Duration::from_secs(1),
            sound_number: 0,
            last_key: None,
            skipped: 0,
            keys_asked: 0,
            muted: false,
            twice: false,
        }
    }

    /// The scene needs no more than this.
    pub fn scene(&mut self, most_kbps: u32) {
        self.encoder.most_kbps = f64::from(most_kbps);
    }

    /// Runs until `until` after the start.
    pub fn run(&mut self, until: Duration) {
        let until = until + Duration::from_secs(1);
        while self.now < until {
            self.tick();
            self.now += TICK;
        }
    }

    fn tick(&mut self) {
        let now = self.zero + self.now;
        if self.now >= self.next_sound {
            self.next_sound += SOUND;
            if !self.muted {
                self.sound(now);
            }
        }
        if self.now >= self.next_picture {
            self.next_picture += PICTURE;
            self.picture(now);
        }
        self.cross(now);
        self.assemble(now);
        if self.now.as_micros().is_multiple_of(10_000) {
            let target_kbps = self.congestion.figures().target_kbps;
            self.kept.push(Kept { at: self.now - Duration::from_secs(1), target_kbps, queue: self.there.queue_delay() });
        }
    }

    fn sound(&mut self, now: Instant) {
        self.sound_number = self.sound_number.wrapping_add(1);
        self.sound_sent += 1;
        let header = rtp::Header {
            version: 2,
            payload_type: 111,
            sequence_number: self.sound_number,
            timestamp: u32::from(self.sound_number) * 960,
            ssrc: AUDIO,
            ..rtp::Header::default()
        };
        let packet = rtp::Packet { header, payload: vec![0; SOUND_BYTES].into() };
        if self.twice {
            write(&mut self.from, Packet::Rtp(packet.clone()), now);
        }
        write(&mut self.from, Packet::Rtp(packet), now);
    }

    fn picture(&mut self, now: Instant) {
        let rested = self.last_key.is_none_or(|last| self.now >= last + Duration::from_millis(300));
        if rested && self.from.monitor.take_key_wanted() {
            self.encoder.key = true;
        }
        let Turn::Encode { kbps, probe, .. } = self.congestion.turn() else {
            self.skipped += 1;
            return;
        };
        if self.encoder.key {
            self.last_key = Some(self.now);
        }
        let picture = self.encoder.picture(kbps, self.now);
        for packet in self.packetiser.picture(&picture, VP8_PAYLOAD_TYPE, self.now, probe) {
            write(&mut self.from, Packet::Rtp(packet), now);
        }
    }

    fn cross(&mut self, now: Instant) {
        for side in [&mut self.from, &mut self.to] {
            if side.chain.poll_timeout().is_some_and(|due| due <= now) {
                side.chain.handle_timeout(now).unwrap();
            }
        }
        while let Some(message) = self.from.chain.poll_write() {
            let bytes = size(&message.message.packet);
            self.there.send(message, bytes, self.now);
            self.back.pass();
        }
        while let Some(message) = self.to.chain.poll_write() {
            let bytes = size(&message.message.packet);
            self.back.send(message, bytes, self.now);
        }
        while let Some(message) = self.there.deliver(self.now) {
            // SRTP lets none through twice (RFC 3711, 3.3.2).
            let again = match &message.message.packet {
                Packet::Rtp(packet) => {
                    !self.arrived.insert((packet.header.ssrc, packet.header.sequence_number, packet.header.timestamp))
                }
                _ => false,
            };
            if !again {
                read(&mut self.to, message, now);
            }
        }
        while let Some(message) = self.back.deliver(self.now) {
            read(&mut self.from, message, now);
        }
        while self.from.chain.poll_read().is_some() {}
    }

    fn assemble(&mut self, now: Instant) {
        self.assembler.set_round_trip(self.there.settings.delay + self.back.settings.delay);
        while let Some(message) = self.to.chain.poll_read() {
            let Packet::Rtp(packet) = message.message.packet else { continue };
            if packet.header.ssrc == AUDIO {
                self.sound_came += 1;
                continue;
            }
            self.assembler.push(Codec::Vp8, &packet, self.now);
        }
        while let Some(step) = self.assembler.poll(self.now) {
            match step {
                Step::Decode(picture) => {
                    let captured = Duration::from_micros(u64::from_le_bytes(picture.data[10..18].try_into().unwrap()));
                    self.shown.push(Picture { captured, shown: self.now });
                }
                Step::AskAgain(numbers) => {
                    let nacks = nack_pairs_from_sequence_numbers(&numbers);
                    let request = TransportLayerNack { sender_ssrc: 0, media_ssrc: VIDEO, nacks };
                    write(&mut self.to, Packet::Rtcp(vec![Box::new(request)]), now);
                }
                Step::AskForKeyFrame => {
                    self.keys_asked += 1;
                    let request = PictureLossIndication { sender_ssrc: 0, media_ssrc: VIDEO };
                    write(&mut self.to, Packet::Rtcp(vec![Box::new(request)]), now);
                }
            }
        }
    }

    /// What the sender takes the path to lose whatever is sent.
    pub fn path_lost(&self) -> f32 {
        self.from.monitor.readings().path_lost
    }

    /// Values of what was kept between two times.
    pub fn kept_between(&self, from: f64, to: f64) -> Vec<Kept> {
        let within = |kept: &&Kept| kept.at.as_secs_f64() >= from && kept.at.as_secs_f64() < to;
        self.kept.iter().filter(within).copied().collect()
    }

    /// Latencies of the pictures captured between two times, ms, in rising order.
    pub fn latencies(&self, from: f64, to: f64) -> Vec<f64> {
        let start = |picture: &Picture| picture.captured.as_secs_f64() - 1.0;
        let within = self.shown.iter().filter(|picture| start(picture) >= from && start(picture) < to);
        let mut latencies: Vec<f64> = within.map(|picture| (picture.shown - picture.captured).as_secs_f64() * 1000.0).collect();
        latencies.sort_by(f64::total_cmp);
        latencies
    }

    /// Time without a new picture beyond 200 ms each, less one picture, as the rig counts it.
    pub fn frozen(&self) -> Duration {
        self.shown
            .windows(2)
            .map(|pair| pair[1].shown - pair[0].shown)
            .filter(|gap| *gap > Duration::from_millis(200))
            .map(|gap| gap - PICTURE)
            .sum()
    }
}

fn write(side: &mut Side, packet: Packet, now: Instant) {
    let message = TaggedPacket { now, transport: TransportContext::default(), message: AttributedPacket::new(packet) };
    side.chain.handle_write(message).unwrap();
}

fn read(side: &mut Side, message: TaggedPacket, now: Instant) {
    // Attributes stay on their side of the wire.
    let message = TaggedPacket { now, transport: message.transport, message: AttributedPacket::new(message.message.packet) };
    side.chain.handle_read(message).unwrap();
}

fn size(packet: &Packet) -> u32 {
    let bytes = match packet {
        Packet::Rtp(packet) => packet.marshal_size(),
        Packet::Rtcp(packets) => packets.iter().map(|packet| packet.marshal_size()).sum(),
        _ => 0,
    };
    (bytes + AROUND) as u32
}

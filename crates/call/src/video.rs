//! VP8 in RTP (RFC 7741): pictures to packets and what a packet's first bytes say.

use bytes::Bytes;
use rtc::rtp;
use rtc::rtp::codec::vp8::Vp8Payloader;
use rtc::rtp::packetizer::Payloader;
use std::time::Duration;

pub(crate) const PAYLOAD_TYPE: u8 = 96;
pub(crate) const CLOCK_RATE: u32 = 90_000;
/// Payload bytes of one packet: with RTP, SRTP, TURN, UDP and IPv6 on top it stays below 1280, which every path carries.
const PACKET_BYTES: usize = 1150;

/// Numbers and cuts the pictures of one stream.
pub(crate) struct Packetiser {
    ssrc: u32,
    sequence: u16,
    offset: u32,
    payloader: Vp8Payloader,
}

impl Packetiser {
    /// `sequence` and `offset` should be random (RFC 3550, 5.1).
    pub fn new(ssrc: u32, sequence: u16, offset: u32) -> Self {
        let mut payloader = Vp8Payloader::default();
        payloader.enable_picture_id = true;
        Self { ssrc, sequence, offset, payloader }
    }

    /// Number that the next packet gets.
    pub fn next_sequence(&self) -> u16 {
        self.sequence
    }

    pub fn picture(&mut self, data: Vec<u8>, captured: Duration) -> Vec<rtp::Packet> {
        // Cannot fail: the payloader only cuts.
        let payloads = self.payloader.payload(PACKET_BYTES, &Bytes::from(data)).unwrap_or_default();
        let last = payloads.len().saturating_sub(1);
        let timestamp = self.timestamp(captured);
        payloads.into_iter().enumerate().map(|(index, payload)| self.packet(timestamp, index == last, payload)).collect()
    }

    /// An empty packet. The library drops the first packet of a stream on the receiving side; this one is no loss.
    pub fn opener(&mut self, captured: Duration) -> rtp::Packet {
        let timestamp = self.timestamp(captured);
        self.packet(timestamp, false, Bytes::from_static(&[0]))
    }

    fn timestamp(&self, captured: Duration) -> u32 {
        let ticks = captured.as_micros() * u128::from(CLOCK_RATE) / 1_000_000;
        self.offset.wrapping_add(ticks as u32)
    }

    fn packet(&mut self, timestamp: u32, marker: bool, payload: Bytes) -> rtp::Packet {
        let sequence_number = self.sequence;
        self.sequence = self.sequence.wrapping_add(1);
        rtp::Packet {
            header: rtp::Header {
                version: 2,
                marker,
                payload_type: PAYLOAD_TYPE,
                sequence_number,
                timestamp,
                ssrc: self.ssrc,
                ..rtp::Header::default()
            },
            payload,
        }
    }
}

/// What a packet's payload descriptor and first data byte say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Description {
    pub header_bytes: usize,
    /// First packet of a picture.
    pub start: bool,
    /// First packet of a key frame.
    pub key: bool,
}

/// Reads the payload descriptor (RFC 7741, 4.2). `None`: unreadable, or no data behind it.
pub(crate) fn describe(payload: &[u8]) -> Option<Description> {
    let first = *payload.first()?;
    let mut header_bytes = 1;
    if first & 0x80 != 0 {
        let extension = *payload.get(1)?;
        header_bytes = 2;
        if extension & 0x80 != 0 {
            header_bytes += if payload.get(2)? & 0x80 != 0 { 2 } else { 1 };
        }
        if extension & 0x40 != 0 {
            header_bytes += 1;
        }
        if extension & 0x30 != 0 {
            header_bytes += 1;
        }
    }
    let data = payload.get(header_bytes..).filter(|data| !data.is_empty())?;
    let start = first & 0x10 != 0 && first & 0x07 == 0;
    // RFC 6386, 9.1: bit 0 clear marks a key frame, whose bytes 3 to 5 are a fixed start code.
    let key = start && data[0] & 1 == 0 && data.get(3..6) == Some(&[0x9d, 0x01, 0x2a]);
    Some(Description { header_bytes, start, key })
}

//! Video in RTP: pictures to packets, and what a packet's first bytes say. VP8 after RFC 7741, VP9 after RFC 9628.

mod vp8;
mod vp9;

use bytes::{BufMut, Bytes, BytesMut};
use rtc::rtp;
use std::time::Duration;
use visavis_media::codec::{Codec, EncodedPicture};

pub(crate) const CLOCK_RATE: u32 = 90_000;
/// Payload bytes of one packet: with RTP, SRTP, TURN, UDP and IPv6 on top it stays below 1280, which every path carries.
const PACKET_BYTES: usize = 1150;
/// A probe is cut into so many packets, if they have this size at least.
const PROBE_PACKETS: usize = 5;
const PROBE_BYTES: usize = 80;

/// Numbers and cuts the pictures of one stream.
pub(crate) struct Packetiser {
    ssrc: u32,
    sequence: u16,
    offset: u32,
    /// 15 bits, counted through both codecs.
    picture_id: u16,
}

impl Packetiser {
    /// `sequence` and `offset` should be random (RFC 3550, 5.1).
    pub fn new(ssrc: u32, sequence: u16, offset: u32) -> Self {
        Self { ssrc, sequence, offset, picture_id: sequence & 0x7fff }
    }

    /// Number that the next packet gets.
    pub fn next_sequence(&self) -> u16 {
        self.sequence
    }

    /// A `probe` has enough packets to show what pace the path carries, however small the picture is.
    pub fn picture(&mut self, picture: &EncodedPicture, payload_type: u8, captured: Duration, probe: bool) -> Vec<rtp::Packet> {
        let timestamp = self.timestamp(captured);
        let room = if probe { picture.data.len().div_ceil(PROBE_PACKETS).clamp(PROBE_BYTES, PACKET_BYTES) } else { PACKET_BYTES };
        let count = picture.data.chunks(room).len();
        let packets = picture.data.chunks(room).enumerate().map(|(index, piece)| {
            let (first, last) = (index == 0, index + 1 == count);
            let mut payload = BytesMut::with_capacity(PACKET_BYTES + 16);
            match picture.codec {
                Codec::Vp8 => vp8::put_descriptor(&mut payload, self.picture_id, first),
                Codec::Vp9 => vp9::put_descriptor(&mut payload, self.picture_id, picture, first, last),
            }
            payload.put_slice(piece);
            (last, payload.freeze())
        });
        let payloads: Vec<_> = packets.collect();
        self.picture_id = (self.picture_id + 1) & 0x7fff;
        payloads.into_iter().map(|(last, payload)| self.packet(timestamp, payload_type, last, payload)).collect()
    }

    /// An empty packet. The library drops the first packet of a stream on the receiving side; this one is no loss.
    pub fn opener(&mut self, payload_type: u8, captured: Duration) -> rtp::Packet {
        let timestamp = self.timestamp(captured);
        self.packet(timestamp, payload_type, false, Bytes::from_static(&[0]))
    }

    fn timestamp(&self, captured: Duration) -> u32 {
        let ticks = captured.as_micros() * u128::from(CLOCK_RATE) / 1_000_000;
        self.offset.wrapping_add(ticks as u32)
    }

    fn packet(&mut self, timestamp: u32, payload_type: u8, marker: bool, payload: Bytes) -> rtp::Packet {
        let sequence_number = self.sequence;
        self.sequence = self.sequence.wrapping_add(1);
        rtp::Packet {
            header: rtp::Header {
                version: 2,
                marker,
                payload_type,
                sequence_number,
                timestamp,
                ssrc: self.ssrc,
                ..rtp::Header::default()
            },
            payload,
        }
    }
}

/// What a packet's payload descriptor and first data bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Description {
    pub header_bytes: usize,
    /// First packet of a picture.
    pub start: bool,
    /// First packet of a key frame.
    pub key: bool,
}

/// `None`: unreadable, or no data behind the descriptor.
pub(crate) fn describe(codec: Codec, payload: &[u8]) -> Option<Description> {
    let (header_bytes, start) = match codec {
        Codec::Vp8 => vp8::read_descriptor(payload)?,
        Codec::Vp9 => vp9::read_descriptor(payload)?,
    };
    let data = payload.get(header_bytes..).filter(|data| !data.is_empty())?;
    Some(Description { header_bytes, start, key: start && codec.is_key(data) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn picture(codec: Codec, key: bool, bytes: usize) -> EncodedPicture {
        let mut data = vec![7; bytes.max(12)];
        match (codec, key) {
            (Codec::Vp8, true) => data[..10].copy_from_slice(&[0, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 48, 0]),
            (Codec::Vp8, false) => data[0] = 1,
            (Codec::Vp9, true) => data[..9].copy_from_slice(&[0x82, 0x49, 0x83, 0x42, 0x20, 3, 0xf0, 2, 0xf0]),
            (Codec::Vp9, false) => data[0] = 0x86,
        }
        EncodedPicture { codec, data, key, width: 64, height: 48 }
    }

    #[test]
    fn a_picture_is_cut_and_marked_at_both_ends() {
        for (codec, key) in [(Codec::Vp8, true), (Codec::Vp8, false), (Codec::Vp9, true), (Codec::Vp9, false)] {
            let mut packetiser = Packetiser::new(1, 65_535, 0);
            let whole = picture(codec, key, 3000);
            let packets = packetiser.picture(&whole, 99, Duration::from_millis(10), false);
            let numbers: Vec<u16> = packets.iter().map(|packet| packet.header.sequence_number).collect();
            assert_eq!(numbers, [65_535, 0, 1]);
            let mut data = Vec::new();
            for (place, packet) in packets.iter().enumerate() {
                let found = describe(codec, &packet.payload).unwrap();
                assert_eq!((found.start, found.key), (place == 0, place == 0 && key), "{codec}");
                assert_eq!((packet.header.marker, packet.header.payload_type), (place == 2, 99));
                assert!(packet.payload.len() < PACKET_BYTES + 16);
                data.extend_from_slice(&packet.payload[found.header_bytes..]);
            }
            assert!(data == whole.data, "{codec}");
            let small = picture(codec, false, 600);
            assert_eq!(packetiser.picture(&small, 99, Duration::from_millis(43), true).len(), 5, "of 120 bytes");
            assert_eq!(packetiser.picture(&small, 99, Duration::from_millis(76), false).len(), 1);
        }
    }

    proptest! {
        #[test]
        fn any_payload_is_survived(payload in prop::collection::vec(any::<u8>(), 0..80)) {
            for codec in [Codec::Vp8, Codec::Vp9] {
                if let Some(found) = describe(codec, &payload) {
                    prop_assert!(found.header_bytes < payload.len());
                }
            }
        }
    }
}

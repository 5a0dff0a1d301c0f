//! Readers of what a peer sends, without a connection, for fuzzing. Nothing of the product uses this door.

use crate::codecs::Negotiated;
use crate::cookie::{Cookies, payload};
use crate::receive::{Assembler, Step};
use bytes::Bytes;
use rtc::crypto::{CryptoError, RTCRandom};
use rtc::rtp;
use std::time::Duration;
use visavis_media::codec::Codec;
use visavis_wire::socket::Signal;

/// One packet of the peer's video.
#[derive(Clone, Debug)]
pub struct Packet {
    pub vp9: bool,
    pub sequence: u16,
    pub timestamp: u32,
    pub marker: bool,
    pub payload: Vec<u8>,
    /// Since the packet before.
    pub later_ms: u16,
}

/// Pictures that come of them, as bytes, and the requests that were made for more.
pub fn assemble(packets: impl IntoIterator<Item = Packet>) -> (Vec<Vec<u8>>, usize) {
    let mut assembler = Assembler::new();
    let (mut pictures, mut asked, mut now) = (Vec::new(), 0, Duration::from_secs(1));
    for packet in packets {
        now += Duration::from_millis(u64::from(packet.later_ms));
        let codec = if packet.vp9 { Codec::Vp9 } else { Codec::Vp8 };
        let header = rtp::Header {
            sequence_number: packet.sequence,
            timestamp: packet.timestamp,
            marker: packet.marker,
            ..rtp::Header::default()
        };
        assembler.push(codec, &rtp::Packet { header, payload: Bytes::from(packet.payload) }, now);
        while let Some(step) = assembler.poll(now) {
            match step {
                Step::Decode(picture) => pictures.push(picture.data),
                Step::AskAgain(_) | Step::AskForKeyFrame => asked += 1,
            }
        }
    }
    (pictures, asked)
}

/// How many codecs can be sent to somebody who describes themselves so.
pub fn sendable(signal: &Signal) -> usize {
    let negotiated = Negotiated::default();
    negotiated.said(signal);
    negotiated.heard(signal);
    negotiated.sendable().len()
}

/// The same number always, so that an input can be repeated.
struct Sevens;

impl RTCRandom for Sevens {
    fn fill(&self, output: &mut [u8]) -> Result<(), CryptoError> {
        output.fill(7);
        Ok(())
    }
}

/// What the sockets of a call make of a datagram that leaves or comes, beside a description by `sdp`: what is in it, what it is answered
/// with, and what is put before it. Both sides have the same cookie, of sevens.
pub fn datagram<'a>(sdp: &str, datagram: &'a [u8]) -> [Option<std::borrow::Cow<'a, [u8]>>; 3] {
    let Ok(cookies) = Cookies::new(&Sevens) else { return [None, None, None] };
    cookies.hear(sdp);
    cookies.hear(&cookies.told(sdp));
    [payload(datagram).map(Into::into), cookies.answer_to(datagram).map(Into::into), cookies.before(datagram).map(Into::into)]
}

//! What reaches the server or its relay, and what reaches an app from them.

use crate::bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use visavis_server::pure;
use visavis_wire::http::{Follows, Me, Refresh, Refusal, SignInFinish, SignInStart, SignInStarted, Tokens};
use visavis_wire::people::{NewPicture, PeerCard, Picture, Profile};
use visavis_wire::socket::{ClientMessage, ServerMessage, Signal};
use visavis_wire::{Private, evidence, friends, safety, turn};

/// Messages of the socket, both ways.
pub fn socket(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(message) = ClientMessage::from_json(text) {
        assert_eq!(ClientMessage::from_json(&message.to_json()).as_ref(), Ok(&message));
    }
    if let Ok(message) = ServerMessage::from_json(text) {
        assert_eq!(ServerMessage::from_json(&message.to_json()).as_ref(), Ok(&message));
    }
}

/// Bodies of the HTTP interface, both ways.
pub fn http(data: &[u8]) {
    body::<SignInStart>(data);
    body::<SignInStarted>(data);
    body::<SignInFinish>(data);
    body::<Refresh>(data);
    body::<Tokens>(data);
    body::<Refusal>(data);
    body::<Me>(data);
    body::<Follows>(data);
    body::<Profile>(data);
    body::<PeerCard>(data);
    body::<NewPicture>(data);
    body::<Picture>(data);
    body::<friends::NewText>(data);
    body::<friends::Text>(data);
    body::<friends::Conversation>(data);
    body::<friends::History>(data);
    body::<safety::Configuration>(data);
    body::<safety::Report>(data);
    body::<safety::Reported>(data);
    body::<safety::Standing>(data);
    body::<safety::Appeal>(data);
    body::<safety::DeletionOffer>(data);
    body::<safety::Deletion>(data);
    body::<safety::Deleted>(data);
}

/// What was read is written so that it is read the same.
fn body<B: Serialize + DeserializeOwned>(data: &[u8]) {
    let Ok(body) = serde_json::from_slice::<B>(data) else { return };
    let written = serde_json::to_vec(&body).expect("a body serialises");
    let again: B = serde_json::from_slice(&written).expect("what was written is read");
    assert_eq!(serde_json::to_vec(&again).expect("a body serialises"), written);
}

/// What comes and goes at a socket of a call, and at a relay's stream: length of a description, the description, and bytes that are one
/// datagram, and a stream that comes in pieces.
pub fn datagrams(data: &[u8]) {
    let mut bytes = Bytes(data);
    let length = usize::from(bytes.byte());
    let sdp = String::from_utf8_lossy(bytes.piece(length));
    let piece = 1 + usize::from(bytes.byte());
    let [payload, answer, before] = visavis_call::pure::datagram(&sdp, bytes.0);
    assert!(payload.is_none_or(|payload| payload.len() <= bytes.0.len()));
    // A HelloVerifyRequest has 48 bytes.
    assert!(answer.is_none_or(|answer| answer.len() <= bytes.0.len() + 48));
    assert!(before.is_none_or(|before| before.len() < bytes.0.len()), "without its cookie");
    let (mut messages, mut taken) = (turn::Messages::default(), Vec::new());
    for piece in bytes.0.chunks(piece) {
        if messages.put(piece).is_err() {
            break;
        }
        while let Ok(Some(message)) = messages.take() {
            // As it would go on.
            taken.extend(turn::to_stream(&message).expect("a message that came is one"));
        }
    }
    // But for what pads a message, which is made anew.
    assert!(taken.len() <= bytes.0.len());
    let _ = turn::to_stream(bytes.0);
}

/// Descriptions and candidates: as the server filters them, and as a call reads them.
pub fn signalling(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let private = || Private::new(text.clone());
    let candidate = Signal::Candidate { candidate: Some(private()), sdp_mid: None, sdp_m_line_index: None };
    for signal in [Signal::Offer { sdp: private() }, Signal::Answer { sdp: private() }, candidate] {
        let Some(kept) = pure::without_direct_addresses(signal) else { continue };
        let again = pure::without_direct_addresses(kept.clone());
        assert_eq!(again.as_ref(), Some(&kept), "what passed once passes unchanged");
        if let Signal::Offer { sdp } | Signal::Answer { sdp } = &kept {
            for line in sdp.reveal().split(['\r', '\n']) {
                let direct = line.starts_with("a=candidate:") && !line.contains(" typ relay");
                assert!(!direct, "a direct candidate passes: {line:?}");
            }
        }
        assert!(visavis_call::pure::sendable(&kept) <= 64, "more codecs than there can be");
    }
}

/// What nodes say to each other.
pub fn bus(data: &[u8]) {
    let _ = pure::decode(data);
}

/// The configuration file.
pub fn settings(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err(error) = pure::settings(text) {
        assert!(!error.to_string().is_empty());
    }
}

/// What somebody uploads as the picture of their profile. What is accepted becomes a small JPEG that is accepted in turn.
pub fn picture(data: &[u8]) {
    if let Ok(made) = pure::remade_picture(data) {
        assert!(made.starts_with(&[0xff, 0xd8]) && made.len() < 128 * 1024, "{} bytes", made.len());
        assert!(pure::remade_picture(&made).is_ok());
    }
}

/// Sealed pictures, and what is inside once they are open.
pub fn evidence(data: &[u8]) {
    let _ = evidence::check_sealed(data);
    let id = visavis_wire::socket::MatchId(String::from("m"));
    let _ = evidence::Evidence::open(data, &id, &[7; evidence::KEY_BYTES]);
}

//! What reaches the server, and what reaches an app from it.

use visavis_server::pure;
use visavis_wire::Private;
use visavis_wire::evidence;
use visavis_wire::socket::{ClientMessage, ServerMessage, Signal};

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

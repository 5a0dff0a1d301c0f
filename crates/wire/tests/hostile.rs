//! Arbitrary bytes never panic a decoder, and whatever is accepted survives a round trip.

use proptest::prelude::*;
use visavis_wire::channel::{ChannelMessage, Control, Live, Operations};
use visavis_wire::socket::{ClientMessage, ServerMessage};

fn survives<M: ChannelMessage + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
    if let Ok(message) = M::from_bytes(bytes) {
        assert_eq!(M::from_bytes(&message.to_bytes()), Ok(message));
    }
}

proptest! {
    #[test]
    fn channel_bytes(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), versioned: bool) {
        if let (true, Some(first)) = (versioned, bytes.first_mut()) {
            *first = visavis_wire::CHANNEL_PROTOCOL;
        }
        survives::<Control>(&bytes);
        survives::<Operations>(&bytes);
        survives::<Live>(&bytes);
    }

    #[test]
    fn socket_text(text in r#"(\{"type":"[a-z_]{3,15}"(,"[a-z_]{2,9}":("[^"]{0,9}"|[0-9]{1,6}|null|true|\{\}))*\}|\PC{0,80})"#) {
        if let Ok(message) = ClientMessage::from_json(&text) {
            prop_assert_eq!(ClientMessage::from_json(&message.to_json()), Ok(message));
        }
        if let Ok(message) = ServerMessage::from_json(&text) {
            prop_assert_eq!(ServerMessage::from_json(&message.to_json()), Ok(message));
        }
    }
}

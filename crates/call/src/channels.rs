//! The three data channels: their properties, what may come in from the peer, and how fast.
//!
//! Both sides create them with the same numbers (`negotiated`), because properties announced in-band arrive only at one side.
//! A message that cannot be read is counted and forgotten; one over the rate is too. Nothing a peer sends can make this side
//! fail or fill its memory.

use rtc::data_channel::RTCDataChannelInit;
use std::time::Duration;
use visavis_wire::channel::{ChannelMessage, Control, Live, Operations};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    Control,
    Operations,
    Live,
}

impl Channel {
    pub const ALL: [Self; 3] = [Self::Control, Self::Operations, Self::Live];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Operations => "operations",
            Self::Live => "live",
        }
    }

    pub(crate) fn init(self) -> RTCDataChannelInit {
        let (ordered, max_retransmits) = match self {
            Self::Control | Self::Operations => (true, None),
            Self::Live => (false, Some(0)),
        };
        let negotiated = Some(self as u16);
        RTCDataChannelInit { ordered, max_retransmits, negotiated, ..RTCDataChannelInit::default() }
    }

    /// Messages a second that are let through in the long run, and how many at once.
    fn allowance(self) -> (f32, f32) {
        match self {
            Self::Control => (50.0, 100.0),
            Self::Operations => (200.0, 1000.0),
            Self::Live => (250.0, 500.0),
        }
    }
}

/// A message of the peer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Control(Control),
    Operations(Operations),
    Live(Live),
}

/// What came of the peer's bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    Message(Message),
    Malformed,
    TooMany,
}

/// Reads and limits what comes in on one channel.
pub(crate) struct Inlet {
    channel: Channel,
    tokens: f32,
    filled: Duration,
}

impl Inlet {
    pub fn new(channel: Channel, now: Duration) -> Self {
        Self { channel, tokens: channel.allowance().1, filled: now }
    }

    pub fn read(&mut self, bytes: &[u8], now: Duration) -> Incoming {
        let (rate, burst) = self.channel.allowance();
        self.tokens = (self.tokens + now.saturating_sub(self.filled).as_secs_f32() * rate).min(burst);
        self.filled = now;
        if self.tokens < 1.0 {
            return Incoming::TooMany;
        }
        self.tokens -= 1.0;
        let message = match self.channel {
            Channel::Control => Control::from_bytes(bytes).map(Message::Control),
            Channel::Operations => Operations::from_bytes(bytes).map(Message::Operations),
            Channel::Live => Live::from_bytes(bytes).map(Message::Live),
        };
        message.map_or(Incoming::Malformed, Incoming::Message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_the_other_side_writes() {
        let mut inlet = Inlet::new(Channel::Control, Duration::ZERO);
        let bytes = Control::Muted { muted: true }.to_bytes();
        assert_eq!(inlet.read(&bytes, Duration::ZERO), Incoming::Message(Message::Control(Control::Muted { muted: true })));
        assert_eq!(inlet.read(b"", Duration::ZERO), Incoming::Malformed);
    }

    #[test]
    fn a_flood_is_cut_off_and_recovers() {
        let mut inlet = Inlet::new(Channel::Live, Duration::ZERO);
        let bytes = Live::Cursor { x: 1, y: 2 }.to_bytes();
        let through = (0..10_000).filter(|_| matches!(inlet.read(&bytes, Duration::ZERO), Incoming::Message(_))).count();
        assert_eq!(through, 500);
        assert_eq!(inlet.read(&bytes, Duration::ZERO), Incoming::TooMany);
        assert!(matches!(inlet.read(&bytes, Duration::from_secs(1)), Incoming::Message(_)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..600), which in 0usize..3) {
            let mut inlet = Inlet::new(Channel::ALL[which], Duration::ZERO);
            let _ = inlet.read(&bytes, Duration::ZERO);
        }
    }
}

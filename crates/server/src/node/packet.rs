//! What nodes say to each other: packets in frames. A frame is lines of JSON, the first a header, each other one packet.

use crate::room::{Arrival, SocketId};
use crate::store::AccountId;
use serde::{Deserialize, Serialize};
use visavis_wire::socket::{ClientMessage, ServerMessage};

/// Below what a NATS server takes in its default configuration (1 MiB).
pub const FRAME_BYTES: usize = 900 * 1024;
/// A node's name, a pool's name.
const NAME_BYTES: usize = 128;

/// From the node that holds a socket to the leader of its pool (`To...`), back (`From...`), or between any two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Packet {
    ToArrived {
        pool: Pool,
        account: AccountId,
        socket: SocketId,
        arrival: Arrival,
    },
    ToSaid {
        pool: Pool,
        account: AccountId,
        socket: SocketId,
        message: ClientMessage,
    },
    /// Of somebody whom this person follows.
    ToCall {
        pool: Pool,
        account: AccountId,
        socket: SocketId,
        callee: AccountId,
        direct: bool,
    },
    ToGone {
        pool: Pool,
        account: AccountId,
        socket: SocketId,
    },
    ToProfileChanged {
        pool: Pool,
        account: AccountId,
    },
    FromDeliver {
        pool: Pool,
        socket: SocketId,
        message: Box<ServerMessage>,
    },
    FromClose {
        pool: Pool,
        socket: SocketId,
    },
    /// Whoever says it does not lead that pool under that fence, or not yet; the socket has to be named again.
    FromStranger {
        pool: Pool,
        socket: SocketId,
    },
    /// Whoever says it leads that pool from now on.
    Leads {
        pool: Pool,
    },
    /// Whoever says it gives that pool back.
    Take {
        pool: String,
    },
    /// A newer socket of the same person is elsewhere.
    Replaced {
        account: AccountId,
        socket: SocketId,
    },
    /// Whatever these two have together ends.
    Blocked {
        by: AccountId,
        other: AccountId,
    },
    /// What does not concern a pool: texts, who came and went.
    Tell {
        account: AccountId,
        message: Box<ServerMessage>,
    },
    /// The profile of somebody whose socket is at the receiver has changed.
    Changed {
        account: AccountId,
    },
}

/// A pool under one leader.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pool {
    pub name: String,
    pub fence: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub from: String,
    /// Of the packets; grows whenever numbering begins anew.
    pub stream: u64,
    /// Number of the first packet.
    pub first: u64,
    /// The other's stream as heard here, and the number that is expected next.
    pub heard: u64,
    pub next: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    pub header: Header,
    pub packets: Vec<Packet>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    #[error("a frame of {0} bytes is too long")]
    TooLong(usize),
    #[error("a frame is no text")]
    NoText,
    #[error("line {0} of a frame cannot be read")]
    Line(usize),
}

pub fn line(packet: &Packet) -> Option<String> {
    serde_json::to_string(packet).ok().filter(|line| line.len() < FRAME_BYTES / 2)
}

pub fn encode<'a>(header: &Header, lines: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let mut text = serde_json::to_string(header).unwrap_or_default();
    for line in lines {
        text.push('\n');
        text.push_str(line);
    }
    text.into_bytes()
}

pub fn packet(line: &str) -> Option<Packet> {
    serde_json::from_str(line).ok()
}

pub fn decode(bytes: &[u8]) -> Result<Frame, PacketError> {
    if bytes.len() > FRAME_BYTES + 4096 {
        return Err(PacketError::TooLong(bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| PacketError::NoText)?;
    let mut lines = text.split('\n');
    let header: Header = lines.next().and_then(|line| serde_json::from_str(line).ok()).ok_or(PacketError::Line(1))?;
    if !is_name(&header.from) {
        return Err(PacketError::Line(1));
    }
    let packets = lines.enumerate().map(|(at, line)| packet(line).ok_or(PacketError::Line(at + 2)));
    Ok(Frame { packets: packets.collect::<Result<_, _>>()?, header })
}

/// Usable in a subject of NATS and in a log.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_BYTES && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::Phase;
    use proptest::prelude::*;
    use uuid::Uuid;
    use visavis_wire::socket::MatchId;

    fn some(number: u64) -> Packet {
        let pool = Pool { name: format!("pool-{number}"), fence: number as i64 };
        let (account, socket) = (AccountId(Uuid::from_u128(number.into())), SocketId(number));
        let match_id = MatchId(format!("m\n{number}"));
        match number % 5 {
            0 => Packet::ToArrived { pool, account, socket, arrival: Arrival::New },
            1 => {
                let place = Some((match_id, Phase::Offered { meet: number.is_multiple_of(2) }));
                Packet::ToArrived { pool, account, socket, arrival: Arrival::Again { waited_ms: Some(number), place } }
            }
            2 => Packet::ToSaid { pool, account, socket, message: ClientMessage::Leave { match_id } },
            3 => {
                let message = Box::new(ServerMessage::PeerAway { match_id });
                Packet::FromDeliver { pool, socket, message }
            }
            _ => Packet::Leads { pool },
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(numbers in prop::collection::vec(any::<u64>(), 0..20), first: u64, next: u64) {
            let header = Header { from: "node-1".into(), stream: 3, first, heard: u64::MAX, next };
            let packets: Vec<_> = numbers.iter().map(|number| some(*number)).collect();
            let lines: Vec<_> = packets.iter().map(|packet| line(packet).unwrap()).collect();
            let bytes = encode(&header, lines.iter().map(String::as_str));
            prop_assert_eq!(decode(&bytes).unwrap(), Frame { header, packets });
        }

        #[test]
        fn arbitrary_and_damaged_bytes_are_refused_or_read_and_never_break_anything(
            bytes in prop::collection::vec(any::<u8>(), 0..400),
            at in any::<prop::sample::Index>(),
        ) {
            let _ = decode(&bytes);
            let header = Header { from: "n".into(), stream: 1, first: 0, heard: 0, next: 0 };
            let mut good = encode(&header, [line(&some(3)).unwrap(), line(&some(6)).unwrap()].iter().map(String::as_str));
            let at = at.index(good.len());
            good.splice(at..at, bytes.iter().copied().take(3));
            let _ = decode(&good);
            good.truncate(at);
            let _ = decode(&good);
        }
    }

    #[test]
    fn what_is_too_long_or_badly_named_is_refused() {
        assert_eq!(decode(&vec![b'x'; 1 << 20]), Err(PacketError::TooLong(1 << 20)));
        let header = |from: &str| Header { from: from.into(), stream: 1, first: 0, heard: 0, next: 0 };
        for name in ["", "a.b", "a b", "*", &"x".repeat(200)] {
            assert_eq!(decode(&encode(&header(name), [].into_iter())), Err(PacketError::Line(1)), "{name}");
        }
        let nested = format!("{}\n{}", serde_json::to_string(&header("n")).unwrap(), "[".repeat(100_000));
        assert_eq!(decode(nested.as_bytes()), Err(PacketError::Line(2)));
    }
}

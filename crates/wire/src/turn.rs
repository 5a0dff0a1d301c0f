//! How TURN messages follow one another on a stream, between an app and a relay that it reaches by TCP or TLS only (RFC 8656
//! section 2.1 and 12.5, RFC 8489 section 6.2.2): each says its own length in its first four bytes, and channel data is padded
//! to a multiple of four. Over UDP every datagram holds one message and no padding is needed.
//!
//! What the messages say is not looked at.

/// The first four bytes of a message.
const HEAD: usize = 4;
/// A STUN header: type, length, magic cookie, transaction.
const STUN_HEADER: usize = 20;
/// Unread bytes that are kept: a whole message of the largest length that its two bytes can say, and some of the next.
const UNREAD: usize = 2 * (STUN_HEADER + 65_536);

/// What comes next is neither STUN nor channel data, so nothing after it can be told apart either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a TURN message")]
pub struct NotTurn;

/// Length of the message that begins with these bytes.
fn length(head: [u8; HEAD]) -> Result<usize, NotTurn> {
    let said = usize::from(u16::from_be_bytes([head[2], head[3]]));
    match head[0] {
        // STUN; all methods of STUN and TURN are below 0x80, so that the type is below 0x0200. The length counts what follows
        // the header and is a multiple of four.
        0x00 | 0x01 if said % 4 == 0 => Ok(STUN_HEADER + said),
        // Channel data on one of the channels 0x4000 to 0x4fff.
        0x40..=0x4f => Ok(HEAD + said),
        _ => Err(NotTurn),
    }
}

fn padding(length: usize) -> usize {
    length.next_multiple_of(4) - length
}

/// A message as it goes over a stream; `None` where the bytes are not one whole message (padding after it is left out).
pub fn to_stream(datagram: &[u8]) -> Option<Vec<u8>> {
    let head = *datagram.first_chunk::<HEAD>()?;
    let length = length(head).ok()?;
    let mut bytes = datagram.get(..length)?.to_vec();
    bytes.resize(length + padding(length), 0);
    Some(bytes)
}

/// Takes a stream apart into messages.
#[derive(Debug, Default)]
pub struct Messages {
    unread: Vec<u8>,
}

impl Messages {
    /// Take the messages out before more is put in: what is over the largest message and a half is refused.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), NotTurn> {
        if self.unread.len() + bytes.len() > UNREAD {
            return Err(NotTurn);
        }
        self.unread.extend_from_slice(bytes);
        Ok(())
    }

    /// The next whole message without its padding; after an error the stream is of no use.
    pub fn take(&mut self) -> Result<Option<Vec<u8>>, NotTurn> {
        let Some(head) = self.unread.first_chunk::<HEAD>() else { return Ok(None) };
        let length = length(*head)?;
        let padded = length + padding(length);
        if self.unread.len() < padded {
            return Ok(None);
        }
        let mut message: Vec<u8> = self.unread.drain(..padded).collect();
        message.truncate(length);
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stun(body: usize) -> Vec<u8> {
        let mut bytes = vec![0x01, 0x01, (body >> 8) as u8, body as u8];
        bytes.resize(STUN_HEADER + body, 7);
        bytes
    }

    fn channel_data(body: usize) -> Vec<u8> {
        let mut bytes = vec![0x40, 0x00, (body >> 8) as u8, body as u8];
        bytes.resize(HEAD + body, 9);
        bytes
    }

    #[test]
    fn channel_data_is_padded_on_a_stream_alone() {
        assert_eq!(to_stream(&channel_data(5)).unwrap().len(), 12);
        assert_eq!(to_stream(&channel_data(8)).unwrap().len(), 12);
        assert_eq!(to_stream(&stun(8)).unwrap(), stun(8));
        let mut padded = channel_data(5);
        padded.extend([1, 2, 3]);
        assert_eq!(to_stream(&padded), to_stream(&channel_data(5)), "padding of a datagram is made anew");
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for bytes in
            [&b""[..], b"\x00\x01", b"GET / HTTP/1.1", &[0x80, 0x60, 0, 4, 1, 2, 3, 4], &[0, 1, 0, 3, 0, 0, 0], &stun(8)[..27]]
        {
            assert_eq!(to_stream(bytes), None, "{bytes:?}");
        }
        for first in [b"SSH-", b"\x16\x03\x01\x02"] {
            let mut messages = Messages::default();
            messages.put(first).unwrap();
            assert_eq!(messages.take(), Err(NotTurn));
        }
        let mut messages = Messages::default();
        let (mut put, mut taken) = (0, Ok(()));
        while taken.is_ok() && put < 4 * UNREAD {
            taken = messages.put(&[0; 1024]);
            put += 1024;
        }
        assert!(taken.is_err(), "what nobody takes does not pile up");
    }

    proptest! {
        #[test]
        fn a_stream_cut_anywhere_gives_the_same_messages(
            lengths in proptest::collection::vec((any::<bool>(), 0usize..1600), 0..12),
            cuts in proptest::collection::vec(1usize..900, 1..40),
        ) {
            let sent: Vec<Vec<u8>> =
                lengths.iter().map(|(is_stun, length)| if *is_stun { stun(length / 4 * 4) } else { channel_data(*length) }).collect();
            let stream: Vec<u8> = sent.iter().flat_map(|message| to_stream(message).unwrap()).collect();
            let (mut messages, mut got, mut rest, mut cuts) = (Messages::default(), Vec::new(), &stream[..], cuts.iter().cycle());
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
                rest = after;
                messages.put(piece).unwrap();
                while let Some(message) = messages.take().unwrap() {
                    got.push(message);
                }
            }
            prop_assert_eq!(got, sent);
        }

        #[test]
        fn any_bytes_are_survived(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..20)) {
            let mut messages = Messages::default();
            for piece in pieces {
                let _ = to_stream(&piece);
                if messages.put(&piece).is_err() {
                    break;
                }
                while let Ok(Some(message)) = messages.take() {
                    prop_assert!(message.len() >= HEAD);
                }
            }
        }
    }
}

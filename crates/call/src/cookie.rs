//! One round trip less until DTLS is up, between two of our apps.
//!
//! The library's DTLS server asks every client to say its first message again with a cookie (RFC 6347, section 4.2.1), lest it answers
//! somebody who only claims an address. ICE has proven the address before, which is why no browser asks. Here the cookie comes with the
//! server's description, through the signalling; its client's socket gives the library that request itself instead of sending the
//! first message, and the server's socket gives its library that first message when the second one comes. Both are derived from
//! what the libraries say anyway, and neither counts in the handshake's hash (RFC 6347, section 4.2.6). A peer whose description names
//! no cookie gets the handshake as it is; one that names a cookie that is not its own gets none.
//!
//! What is on its way through a relay is unwrapped and wrapped again (RFC 8656, sections 11 and 12). The sockets are in `haste`.

use crate::haste::stun_attribute;
use rtc::crypto::{CryptoError, RTCCrypto, RTCCryptoProvider, RTCRandom};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// What the library asks randomness for when it makes a cookie, and for nothing else.
const LENGTH: usize = 20;
const ATTRIBUTE: &str = "a=x-dtls-cookie:";

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const HELLO_VERIFY_REQUEST: u8 = 3;
const DTLS_1_2: [u8; 2] = [0xfe, 0xfd];
/// Of a record, and of a handshake message.
const RECORD_HEAD: usize = 13;
const MESSAGE_HEAD: usize = 12;

const SEND_INDICATION: [u8; 2] = [0x00, 0x16];
const DATA_INDICATION: [u8; 2] = [0x00, 0x17];
const STUN_HEAD: usize = 20;
const XOR_PEER_ADDRESS: u16 = 0x0012;
const DATA: u16 = 0x0013;

type Cookie = [u8; LENGTH];

/// Own cookie and, once their description is here, the peer's. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Cookies {
    own: Cookie,
    theirs: Arc<OnceLock<Cookie>>,
}

impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookies").finish_non_exhaustive()
    }
}

impl Cookies {
    pub fn new(random: &dyn RTCRandom) -> Result<Self, CryptoError> {
        let mut own = [0; LENGTH];
        random.fill(&mut own)?;
        Ok(Self { own, theirs: Arc::default() })
    }

    /// A description with the own cookie, at the level of the session.
    pub fn told(&self, sdp: &str) -> String {
        let hex: String = self.own.iter().map(|byte| format!("{byte:02x}")).collect();
        let media = sdp.find("\nm=").map_or(sdp.len(), |line_end| line_end + 1);
        format!("{}{ATTRIBUTE}{hex}\r\n{}", &sdp[..media], &sdp[media..])
    }

    /// Reads the peer's cookie in its first description that has one.
    pub fn hear(&self, sdp: &str) {
        let read = sdp.lines().find_map(|line| cookie_of_hex(line.trim_end().strip_prefix(ATTRIBUTE)?));
        if let Some(cookie) = read {
            // A second description is of the same handshake.
            let _ = self.theirs.set(cookie);
        }
    }

    /// The request that a server would answer this datagram with; `None` where it must be sent.
    pub fn answer_to(&self, datagram: &[u8]) -> Option<Vec<u8>> {
        let cookie = self.theirs.get()?;
        let wrapped = Wrapped::read(datagram)?;
        let hello = Hello::read(wrapped.payload())?;
        // A client that says it again has not understood the answer.
        let is_first = hello.cookie().is_empty() && hello.record_number() == [0; 6];
        is_first.then(|| wrapped.back(&request(cookie)))
    }

    /// What the client of this datagram would have said before; `None` where there is nothing to be made up for.
    pub fn before(&self, datagram: &[u8]) -> Option<Vec<u8>> {
        let wrapped = Wrapped::read(datagram)?;
        let hello = Hello::read(wrapped.payload())?;
        (hello.cookie() == self.own).then(|| wrapped.again(&hello.without_cookie()))
    }
}

fn cookie_of_hex(hex: &str) -> Option<Cookie> {
    let hex: &[u8; 2 * LENGTH] = hex.as_bytes().try_into().ok()?;
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut cookie = [0; LENGTH];
    for (byte, pair) in cookie.iter_mut().zip(hex.chunks_exact(2)) {
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(cookie)
}

/// HelloVerifyRequest, the first record of a server.
fn request(cookie: &Cookie) -> Vec<u8> {
    let body = 2 + 1 + LENGTH as u8;
    let mut record = vec![HANDSHAKE, DTLS_1_2[0], DTLS_1_2[1], 0, 0, 0, 0, 0, 0, 0, 0, 0, MESSAGE_HEAD as u8 + body];
    record.extend([HELLO_VERIFY_REQUEST, 0, 0, body, 0, 0, 0, 0, 0, 0, 0, body]);
    record.extend(DTLS_1_2);
    record.push(LENGTH as u8);
    record.extend(cookie);
    record
}

/// A record that is one whole ClientHello.
struct Hello<'a> {
    record: &'a [u8],
    /// Where the length of the cookie stands.
    cookie_at: usize,
}

impl<'a> Hello<'a> {
    fn read(record: &'a [u8]) -> Option<Self> {
        let message = record.get(RECORD_HEAD..)?;
        let is_hello = record[0] == HANDSHAKE && record[1] == 0xfe && record[3..5] == [0, 0] && *message.first()? == CLIENT_HELLO;
        let body = message.get(MESSAGE_HEAD..)?;
        let says = |bytes: &[u8]| bytes.iter().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte));
        let is_whole = says(&record[11..13]) == message.len()
            && says(&message[1..4]) == body.len()
            && says(&message[6..9]) == 0
            && says(&message[9..12]) == body.len();
        // Version and random, then the session's name.
        let session = usize::from(*body.get(34)?);
        let cookie_at = RECORD_HEAD + MESSAGE_HEAD + 35 + session;
        let cookie = usize::from(*record.get(cookie_at)?);
        (is_hello && is_whole && record.len() > cookie_at + cookie).then_some(Self { record, cookie_at })
    }

    fn cookie(&self) -> &'a [u8] {
        let from = self.cookie_at + 1;
        &self.record[from..from + usize::from(self.record[self.cookie_at])]
    }

    fn record_number(&self) -> [u8; 6] {
        let mut number = [0; 6];
        number.copy_from_slice(&self.record[5..11]);
        number
    }

    /// The same as the first message of its client.
    fn without_cookie(&self) -> Vec<u8> {
        let cookie = self.cookie().len();
        let mut first = self.record[..self.cookie_at].to_vec();
        first.push(0);
        first.extend(&self.record[self.cookie_at + 1 + cookie..]);
        let length = |bytes: usize| [(bytes >> 16) as u8, (bytes >> 8) as u8, bytes as u8];
        let (message, body) = (length(first.len() - RECORD_HEAD), length(first.len() - RECORD_HEAD - MESSAGE_HEAD));
        first[5..11].fill(0);
        first[11..13].copy_from_slice(&message[1..]);
        let head = &mut first[RECORD_HEAD..];
        head[1..4].copy_from_slice(&body);
        head[4..6].fill(0);
        head[9..12].copy_from_slice(&body);
        first
    }
}

/// A datagram, bare or as a relay carries it.
enum Wrapped<'a> {
    /// Neither a message of STUN nor a channel's data.
    Bare(&'a [u8]),
    Channel {
        number: &'a [u8],
        payload: &'a [u8],
    },
    /// A Send or Data indication.
    Indication {
        head: &'a [u8],
        peer: &'a [u8],
        payload: &'a [u8],
    },
}

impl<'a> Wrapped<'a> {
    fn read(datagram: &'a [u8]) -> Option<Self> {
        match datagram {
            [20..=255, ..] if !matches!(datagram, [0x40..=0x4f, ..]) => Some(Self::Bare(datagram)),
            [0x40..=0x4f, _, high, low, rest @ ..] => {
                let payload = rest.get(..usize::from(u16::from_be_bytes([*high, *low])))?;
                Some(Self::Channel { number: &datagram[..2], payload })
            }
            [0x00, 0x16 | 0x17, ..] => Some(Self::Indication {
                head: datagram.get(..STUN_HEAD)?,
                peer: stun_attribute(datagram, XOR_PEER_ADDRESS)?,
                payload: stun_attribute(datagram, DATA)?,
            }),
            _ => None,
        }
    }

    fn payload(&self) -> &'a [u8] {
        match self {
            Self::Bare(payload) | Self::Channel { payload, .. } | Self::Indication { payload, .. } => payload,
        }
    }

    /// Something else, the way that this one came.
    fn again(&self, payload: &[u8]) -> Vec<u8> {
        self.with(payload, |head| head)
    }

    /// Something else, as if it were the answer to what leaves here.
    fn back(&self, payload: &[u8]) -> Vec<u8> {
        self.with(payload, |head| if head == SEND_INDICATION { DATA_INDICATION } else { head })
    }

    fn with(&self, payload: &[u8], kind: impl Fn([u8; 2]) -> [u8; 2]) -> Vec<u8> {
        match self {
            Self::Bare(_) => payload.to_vec(),
            Self::Channel { number, .. } => [number, &(payload.len() as u16).to_be_bytes()[..], payload].concat(),
            Self::Indication { head, peer, .. } => {
                let mut attributes = attribute(XOR_PEER_ADDRESS, peer);
                attributes.extend(attribute(DATA, payload));
                let length = (attributes.len() as u16).to_be_bytes();
                [&kind([head[0], head[1]])[..], &length, &head[4..], &attributes].concat()
            }
        }
    }
}

/// What two apps say to each other, without what a relay adds.
pub(crate) fn payload(datagram: &[u8]) -> Option<&[u8]> {
    Wrapped::read(datagram).map(|wrapped| wrapped.payload())
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut attribute = [&kind.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat();
    attribute.resize(attribute.len().next_multiple_of(4), 0);
    attribute
}

/// The library's cryptography, but for the cookie that it would draw.
pub(crate) struct Provider {
    inner: Arc<dyn RTCCryptoProvider>,
    random: Drawn,
}

struct Drawn {
    inner: Arc<dyn RTCCryptoProvider>,
    own: Cookie,
}

impl Provider {
    pub fn new(inner: Arc<dyn RTCCryptoProvider>, cookies: &Cookies) -> Self {
        Self { random: Drawn { inner: Arc::clone(&inner), own: cookies.own }, inner }
    }
}

impl RTCCryptoProvider for Provider {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        self.inner.crypto()
    }

    fn random(&self) -> &dyn RTCRandom {
        &self.random
    }
}

impl RTCRandom for Drawn {
    fn fill(&self, output: &mut [u8]) -> Result<(), CryptoError> {
        if output.len() == LENGTH {
            output.copy_from_slice(&self.own);
            return Ok(());
        }
        self.inner.random().fill(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cookies() -> Cookies {
        Cookies::new(rtc::crypto::default_provider().unwrap().random()).unwrap()
    }

    /// A client's first message, as short as can be, or its second one.
    fn hello(cookie: &[u8]) -> Vec<u8> {
        let mut body = vec![0xfe, 0xfd];
        body.extend([7; 32]);
        body.push(0);
        body.push(cookie.len() as u8);
        body.extend(cookie);
        body.extend([0, 2, 0xc0, 0x2b, 1, 0, 0, 0]);
        let second = u8::from(!cookie.is_empty());
        let (length, message) = (body.len() as u8, body.len() as u8 + 12);
        let mut record = vec![HANDSHAKE, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, second, 0, message];
        record.extend([CLIENT_HELLO, 0, 0, length, 0, second, 0, 0, 0, 0, 0, length]);
        record.extend(body);
        record
    }

    fn in_channel(payload: &[u8]) -> Vec<u8> {
        [&[0x40, 1, 0, payload.len() as u8], payload].concat()
    }

    fn in_indication(kind: [u8; 2], payload: &[u8]) -> Vec<u8> {
        let mut attributes = attribute(XOR_PEER_ADDRESS, &[0, 1, 2, 3, 4, 5, 6, 7]);
        attributes.extend(attribute(DATA, payload));
        let mut message = [&kind[..], &(attributes.len() as u16).to_be_bytes(), &[0x21, 0x12, 0xa4, 0x42]].concat();
        message.extend([9; 12]);
        message.extend(attributes);
        message
    }

    /// Two that have heard each other's descriptions.
    fn two() -> [Cookies; 2] {
        let two = [cookies(), cookies()];
        let sdp = "v=0\r\ns=m=-\r\nm=audio 9 RTP 0\r\nm=video 9 RTP 96\r\n";
        let told = two[1].told(sdp);
        assert!(told.starts_with("v=0\r\ns=m=-\r\na=x-dtls-cookie:") && told.ends_with(&sdp[12..]), "{told}");
        two[0].hear(&told);
        two[1].hear(&two[0].told(sdp));
        two
    }

    #[test]
    fn the_first_message_is_answered_here_and_made_up_for_there() {
        let [client, server] = two();
        let expected = request(&server.own);
        for (sent, answer) in [
            (hello(&[]), expected.clone()),
            (in_channel(&hello(&[])), in_channel(&expected)),
            (in_indication(SEND_INDICATION, &hello(&[])), in_indication(DATA_INDICATION, &expected)),
        ] {
            assert_eq!(client.answer_to(&sent), Some(answer));
        }
        let (second, first) = (hello(&server.own), hello(&[]));
        for (came, before) in [
            (second.clone(), first.clone()),
            (in_channel(&second), in_channel(&first)),
            (in_indication(DATA_INDICATION, &second), in_indication(DATA_INDICATION, &first)),
        ] {
            assert_eq!(server.before(&came), Some(before));
        }
    }

    #[test]
    fn whatever_else_passes() {
        let [client, server] = two();
        assert_eq!(client.answer_to(&hello(&server.own)), None, "the second message");
        assert_eq!(server.before(&hello(&[])), None, "a first message that was sent after all");
        assert_eq!(server.before(&hello(&client.own)), None, "somebody else's cookie");
        let stranger = cookies();
        stranger.hear("v=0\r\na=x-dtls-cookie:12\r\na=x-dtls-cookie:zz34567890123456789012345678901234567890\r\n");
        assert_eq!(stranger.answer_to(&hello(&[])), None, "a peer without a cookie");
        let mut again = hello(&[]);
        again[10] = 1;
        assert_eq!(client.answer_to(&again), None, "said once more");
    }

    #[test]
    fn the_library_draws_this_cookie_and_nothing_else_is_known_beforehand() {
        let (provider, cookies) = (rtc::crypto::default_provider().unwrap(), cookies());
        let provider = Provider::new(provider, &cookies);
        let mut drawn = [0; LENGTH];
        provider.random().fill(&mut drawn).unwrap();
        assert_eq!(drawn, cookies.own);
        for length in [8, 16, 28, 64] {
            let mut drawn = [vec![0; length], vec![0; length]];
            drawn.iter_mut().for_each(|drawn| provider.random().fill(drawn).unwrap());
            assert!(drawn[0] != drawn[1], "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn any_datagram_is_survived(
            mut datagram in prop::collection::vec(any::<u8>(), 0..160),
            place in 0usize..120,
            byte in any::<u8>(),
            kind in 0..4,
        ) {
            let [client, server] = two();
            let mut hello = hello(&server.own);
            if let Some(old) = hello.get_mut(place) {
                *old = byte;
            }
            match kind {
                0 => {}
                1 => datagram = hello,
                2 => datagram = in_channel(&hello),
                _ => datagram = in_indication(DATA_INDICATION, &hello),
            }
            for cookies in [client, server] {
                let _ = cookies.answer_to(&datagram);
                if let Some(before) = cookies.before(&datagram) {
                    prop_assert_eq!(before.len(), datagram.len() - LENGTH);
                }
                cookies.hear(&String::from_utf8_lossy(&datagram));
            }
        }
    }
}

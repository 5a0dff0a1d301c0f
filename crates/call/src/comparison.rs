//! The short authentication string: four pictures that are the same on both screens exactly when both apps hold the same pair
//! of certificates, so that nobody sits in between. A pure state machine; the owner loop gives it the certificates of the
//! connection in use and a random number, and carries its messages over the encrypted control channel.
//!
//! The server could put itself in between: it hands out the fingerprints, so it can give each side one of its own and speak DTLS
//! with both. Then the certificates differ on the two sides, and so do hashes over them. Hashes short enough to be compared by
//! voice could be made equal by trying; therefore each side adds a random number, and the one who begins commits to its number
//! before seeing the other's (RFC 6189 section 4.4.1.1 has the argument):
//!
//! ```text
//! offerer                                               answerer
//!    C = H("commitment", certificates, n)  -- C -->
//!                                          <-- m --     random m
//!    pictures = H("pictures", certificates, n, m)
//!                                          -- n -->     C = H("commitment", certificates, n)?  pictures
//! ```
//!
//! Whoever is in between must fix its own number towards one side while it does not know that side's, so it has one try, and a
//! picture string that is right by chance: 1 in 2^24, about 17 million (ZRTP's own strings have 16 or 20 bits). A try that failed
//! is a call whose pictures differ. There is one exchange in a call, and restarts of the path keep the DTLS association and with
//! it the pictures. Both certificates are hashed into the commitment too, so that a middle that only passes these messages on is
//! noticed without anybody looking.
//!
//! Leaves to others: drawing and naming the pictures (the page), telling the user what a wrong opening means (the session).

use sha2::{Digest, Sha256};
use visavis_wire::channel::Comparison;
use visavis_wire::socket::Role;

/// SHA-256 of a certificate in DER, as `a=fingerprint` names it (RFC 8122 section 5).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    pub fn of(certificate: &[u8]) -> Self {
        Self(Sha256::digest(certificate).into())
    }

    /// From its hexadecimal notation with colons.
    pub fn read(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let mut pairs = text.split(':');
        for byte in &mut bytes {
            let pair = pairs.next().filter(|pair| pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        pairs.next().is_none().then_some(Self(bytes))
    }
}

/// Numbers of the four pictures, each below [`PICTURES`].
///
/// 64 and not more: people compare them by saying names, and each must be unmistakable in every language of the interface.
pub type Pictures = [u8; 4];
pub const PICTURES: u8 = 64;

pub(crate) type Number = [u8; 32];

/// A message that does not fit: a commitment that was not kept, certificates that are not the same on both sides, or a message
/// out of turn. Somebody is in between, or the peer's app does not keep to the rules; neither is gone on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the two sides do not hold the same certificates")]
pub(crate) struct Tampered;

/// What a message leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    pub send: Option<Comparison>,
    pub pictures: Option<Pictures>,
}

pub(crate) struct Exchange {
    /// Of the offerer and of the answerer.
    certificates: [Fingerprint; 2],
    number: Number,
    awaits: Awaits,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaits {
    Commitment,
    Number {
        commitment: [u8; 32],
    },
    Opening {
        commitment: [u8; 32],
    },
    /// `heard`: the answerer's number, at the offerer.
    Nothing {
        heard: Option<Number>,
    },
}

impl Exchange {
    /// `number` must come from a cryptographic source and serve once. The offerer has something to send at once.
    pub fn begin(role: Role, own: Fingerprint, peer: Fingerprint, number: Number) -> (Self, Option<Comparison>) {
        match role {
            Role::Offerer => {
                let certificates = [own, peer];
                let commitment = commitment(certificates, &number);
                let exchange = Self { certificates, number, awaits: Awaits::Number { commitment } };
                let first = exchange.unanswered();
                (exchange, first)
            }
            Role::Answerer => (Self { certificates: [peer, own], number, awaits: Awaits::Commitment }, None),
        }
    }

    /// What may be said again: the other side may not have been listening yet when it was said first. Hearing the same twice
    /// tells nobody more than hearing it once.
    pub fn unanswered(&self) -> Option<Comparison> {
        match self.awaits {
            Awaits::Number { commitment } => Some(Comparison::Commitment(commitment)),
            _ => None,
        }
    }

    pub fn take(&mut self, message: &Comparison) -> Result<Step, Tampered> {
        match (self.awaits, message) {
            (Awaits::Opening { commitment }, Comparison::Commitment(again)) if *again == commitment => {
                Ok(Step { send: Some(Comparison::Number(self.number)), pictures: None })
            }
            (Awaits::Nothing { heard: Some(before) }, Comparison::Number(again)) if *again == before => Ok(Step::default()),
            (Awaits::Commitment, Comparison::Commitment(commitment)) => {
                self.awaits = Awaits::Opening { commitment: *commitment };
                Ok(Step { send: Some(Comparison::Number(self.number)), pictures: None })
            }
            (Awaits::Number { .. }, Comparison::Number(answerers)) => {
                self.awaits = Awaits::Nothing { heard: Some(*answerers) };
                let pictures = pictures(self.certificates, &self.number, answerers);
                Ok(Step { send: Some(Comparison::Opening(self.number)), pictures: Some(pictures) })
            }
            (Awaits::Opening { commitment: made }, Comparison::Opening(offerers)) => {
                self.awaits = Awaits::Nothing { heard: None };
                // Both are known to the sender by now: nothing is told by the time that the comparison takes.
                if commitment(self.certificates, offerers) != made {
                    return Err(Tampered);
                }
                Ok(Step { send: None, pictures: Some(pictures(self.certificates, offerers, &self.number)) })
            }
            _ => Err(Tampered),
        }
    }
}

fn hash(purpose: &[u8; 16], certificates: [Fingerprint; 2], numbers: &[&Number]) -> [u8; 32] {
    // Every part has a fixed length, so no two inputs run together.
    let mut hash = Sha256::new();
    hash.update(purpose);
    for Fingerprint(certificate) in certificates {
        hash.update(certificate);
    }
    for number in numbers {
        hash.update(number);
    }
    hash.finalize().into()
}

fn commitment(certificates: [Fingerprint; 2], number: &Number) -> [u8; 32] {
    hash(b"visavis commit 1", certificates, &[number])
}

fn pictures(certificates: [Fingerprint; 2], offerers: &Number, answerers: &Number) -> Pictures {
    let bits = hash(b"visavis pictures", certificates, &[offerers, answerers]);
    let leading = u32::from_be_bytes([0, bits[0], bits[1], bits[2]]);
    [18, 12, 6, 0].map(|shift| (leading >> shift) as u8 % PICTURES)
}

#[cfg(test)]
mod tests;

//! A few pictures that go with a report, sealed to the operator's moderation key. The server carries and keeps them and cannot read them.
//!
//! HPKE (RFC 9180) in base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305. The match is the associated data, so that
//! pictures of one match cannot be handed in with another. Randomness is an argument.

use crate::socket::MatchId;
use crate::{DecodeError, limits};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

const INFO: &[u8] = b"visavis evidence 1";
const VERSION: u8 = 1;
/// Of the key that is encapsulated, and of either half of a key pair.
pub const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
/// Version, encapsulated key and tag.
pub const SEAL_BYTES: usize = 1 + KEY_BYTES + TAG_BYTES;

type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;
type EncappedKey = <X25519HkdfSha256 as Kem>::EncappedKey;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Oldest first.
    pub pictures: Vec<Picture>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Seconds before the report was made.
    pub seconds_before: u16,
    /// A JPEG or PNG file.
    pub file: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a picture of {} bytes, {} s before", self.file.len(), self.seconds_before)
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    #[error("the moderation key is no X25519 public key")]
    Key,
    #[error(transparent)]
    Evidence(#[from] DecodeError),
    #[error("this key does not open it, or it was changed, or it belongs to another match")]
    Closed,
}

impl Evidence {
    fn check(&self) -> Result<(), DecodeError> {
        let most = limits::EVIDENCE_PICTURES;
        if self.pictures.len() > most {
            return Err(DecodeError::FieldTooLarge { field: "pictures", size: self.pictures.len(), limit: most });
        }
        match self.pictures.iter().map(|picture| picture.file.len()).max() {
            Some(size) if size > limits::EVIDENCE_PICTURE => {
                Err(DecodeError::FieldTooLarge { field: "picture", size, limit: limits::EVIDENCE_PICTURE })
            }
            _ => Ok(()),
        }
    }

    /// `chance` is from the operating system and is used for nothing else.
    pub fn seal(&self, match_id: &MatchId, key: &[u8; KEY_BYTES], chance: [u8; 32]) -> Result<Vec<u8>, SealError> {
        self.check()?;
        let key = PublicKey::from_bytes(key).map_err(|_| SealError::Key)?;
        let plain = postcard::to_stdvec(self).map_err(|error| DecodeError::Malformed(error.to_string()))?;
        let mut chance = Chance { bytes: chance, used: 0 };
        let (encapped, sealed) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &key,
            INFO,
            &plain,
            match_id.0.as_bytes(),
            &mut chance,
        )
        .map_err(|_| SealError::Key)?;
        Ok([&[VERSION], encapped.to_bytes().as_slice(), &sealed].concat())
    }

    pub fn open(bytes: &[u8], match_id: &MatchId, private_key: &[u8; KEY_BYTES]) -> Result<Self, SealError> {
        check_sealed(bytes)?;
        let key = PrivateKey::from_bytes(private_key).map_err(|_| SealError::Key)?;
        let (encapped, sealed) = bytes[1..].split_at(KEY_BYTES);
        let encapped = EncappedKey::from_bytes(encapped).map_err(|_| SealError::Closed)?;
        let plain = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &key,
            &encapped,
            INFO,
            sealed,
            match_id.0.as_bytes(),
        )
        .map_err(|_| SealError::Closed)?;
        let evidence: Self = postcard::from_bytes(&plain).map_err(|error| DecodeError::Malformed(error.to_string()))?;
        evidence.check()?;
        Ok(evidence)
    }
}

/// What can be told of sealed pictures without the key.
pub fn check_sealed(bytes: &[u8]) -> Result<(), DecodeError> {
    match bytes.first() {
        _ if bytes.len() > limits::EVIDENCE => Err(DecodeError::TooLarge { size: bytes.len(), limit: limits::EVIDENCE }),
        Some(&VERSION) if bytes.len() >= SEAL_BYTES => Ok(()),
        Some(&VERSION) | None => Err(DecodeError::Malformed(String::from("it ends too soon"))),
        Some(version) => Err(DecodeError::UnknownVersion(*version)),
    }
}

pub struct KeyPair {
    pub private: [u8; KEY_BYTES],
    pub public: [u8; KEY_BYTES],
}

/// `chance` is from the operating system and is used for nothing else.
pub fn key_pair(chance: &[u8; 32]) -> KeyPair {
    let (private, public) = X25519HkdfSha256::derive_keypair(chance);
    KeyPair { private: private.to_bytes().into(), public: public.to_bytes().into() }
}

/// Hands out the bytes it was given, each once.
struct Chance {
    bytes: [u8; 32],
    used: usize,
}

impl TryRng for Chance {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let end = self.used + out.len();
        // RFC 9180 section 4: an X25519 key pair is derived from 32 random bytes, and nothing else is drawn.
        out.copy_from_slice(self.bytes.get(self.used..end).expect("one key pair is drawn for a seal"));
        self.used = end;
        Ok(())
    }
}

impl TryCryptoRng for Chance {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Evidence {
        Evidence { pictures: vec![Picture { seconds_before: 12, file: vec![7; 3000] }] }
    }

    fn of(name: &str) -> MatchId {
        MatchId(name.to_owned())
    }

    #[test]
    fn only_the_private_key_opens_it_and_only_for_its_match() {
        let (keys, other) = (key_pair(&[1; 32]), key_pair(&[2; 32]));
        let sealed = sample().seal(&of("m"), &keys.public, [3; 32]).unwrap();
        assert_eq!(Evidence::open(&sealed, &of("m"), &keys.private).unwrap(), sample());
        assert_eq!(Evidence::open(&sealed, &of("n"), &keys.private), Err(SealError::Closed));
        assert_eq!(Evidence::open(&sealed, &of("m"), &other.private), Err(SealError::Closed));
        assert_eq!(Evidence::open(&sealed, &of("m"), &keys.public), Err(SealError::Closed));
        for at in [1, 20, 40, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(Evidence::open(&changed, &of("m"), &keys.private), Err(SealError::Closed), "byte {at}");
        }
        // The same pictures look different each time.
        assert_ne!(sample().seal(&of("m"), &keys.public, [4; 32]).unwrap()[1..33], sealed[1..33]);
    }

    #[test]
    fn limits_hold_on_both_ends() {
        let keys = key_pair(&[1; 32]);
        let many = Evidence { pictures: vec![Picture { seconds_before: 0, file: vec![] }; limits::EVIDENCE_PICTURES + 1] };
        let large = Evidence { pictures: vec![Picture { seconds_before: 0, file: vec![0; limits::EVIDENCE_PICTURE + 1] }] };
        for evidence in [many, large] {
            assert!(matches!(evidence.seal(&of("m"), &keys.public, [3; 32]), Err(SealError::Evidence(_))));
        }
        let most = Picture { seconds_before: 9, file: vec![1; limits::EVIDENCE_PICTURE] };
        let fullest = Evidence { pictures: vec![most; limits::EVIDENCE_PICTURES] };
        let sealed = fullest.seal(&of("m"), &keys.public, [3; 32]).unwrap();
        assert!(check_sealed(&sealed).is_ok(), "what fits inside fits outside: {}", sealed.len());
        assert!(check_sealed(&vec![1; limits::EVIDENCE + 1]).is_err());
        assert_eq!(check_sealed(&[9; 100]), Err(DecodeError::UnknownVersion(9)));
        assert_eq!(Evidence::seal(&sample(), &of("m"), &[0; 32], [3; 32]), Err(SealError::Key), "a key that hides nothing");
    }

    proptest! {
        #[test]
        fn nonsense_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let opened = Evidence::open(&bytes, &of("m"), &key_pair(&[1; 32]).private);
            prop_assert!(opened.is_err());
        }
    }
}

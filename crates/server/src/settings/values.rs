//! Values with a unit or a form of their own; what is wrong with one is said where it is read, so that it has its line.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use std::time::Duration;
use visavis_wire::evidence::KEY_BYTES;

const MOST_DAYS: u32 = 3660;

macro_rules! unit {
    ($name:ident, $seconds:expr, $word:literal) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub u32);

        impl $name {
            const SECONDS: u64 = $seconds;

            /// Rounds down.
            #[allow(dead_code, reason = "not every unit is made of a duration")]
            pub fn of(duration: Duration) -> Self {
                Self(u32::try_from(duration.as_secs() / Self::SECONDS).unwrap_or(u32::MAX))
            }

            #[allow(dead_code, reason = "not every unit becomes a duration")]
            pub fn duration(&self) -> Duration {
                Duration::from_secs(u64::from(self.0) * Self::SECONDS)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let most = u64::from(MOST_DAYS) * 24 * 3600 / Self::SECONDS;
                match i64::deserialize(deserializer)? {
                    value if value >= 1 && value.unsigned_abs() <= most => Ok(Self(value as u32)),
                    value => Err(D::Error::custom(format!("{value} is out of range; write {} between 1 and {most}", $word))),
                }
            }
        }
    };
}

unit!(Seconds, 1, "seconds");
unit!(Minutes, 60, "minutes");
unit!(Hours, 3600, "hours");
unit!(Days, 24 * 3600, "days");

impl Seconds {
    pub fn millis(&self) -> u64 {
        u64::from(self.0) * 1000
    }
}

/// Base64, as `visavis-server moderate keygen` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(pub [u8; KEY_BYTES]);

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| {
            D::Error::custom(
                "this is no public key; write the line that `visavis-server moderate keygen` prints, 44 characters of base64",
            )
        })
    }
}

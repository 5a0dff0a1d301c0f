//! What is being sent, by kind: the rate's share for pictures is what sound, repairs and headers leave of it.

use super::ledger::{Kind, Sent};

/// What the last second of sending was made of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub sound: i64,
    pub repairs: i64,
    pub pictures: i64,
    pub picture_packets: i64,
}

impl Sums {
    /// Adds a packet (1), or takes it out again (-1).
    pub fn count(&mut self, sent: Sent, sign: i64) {
        let bytes = sign * i64::from(sent.bytes);
        match sent.kind {
            Kind::Sound | Kind::Copy => self.sound += bytes,
            Kind::Repair => self.repairs += bytes,
            Kind::Picture(_) => {
                self.pictures += bytes;
                self.picture_packets += sign;
            }
        }
    }
}

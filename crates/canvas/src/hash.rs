//! A stable 64-bit hash (FNV-1a) of what is on the paper. It compares pictures of two sides in tests and reports; it is no
//! protection against somebody who wants two pictures to collide.

use visavis_wire::paper::{Op, OpKind};

pub(crate) struct Fnv(u64);

impl Fnv {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn number(&mut self, number: u32) {
        self.bytes(&number.to_le_bytes());
    }

    /// Every field is of fixed length or preceded by its length, so that no two different pictures feed the same bytes.
    pub(crate) fn op(&mut self, op: &Op) {
        self.bytes(&[op.id.author.0]);
        self.number(op.id.seq);
        self.number(op.time);
        if let OpKind::Stroke(stroke) = &op.kind {
            self.number(stroke.colour);
            self.bytes(&stroke.size.to_le_bytes());
            self.number(u32::try_from(stroke.points.len()).unwrap_or(u32::MAX));
            for point in &stroke.points {
                self.bytes(&point.x.to_le_bytes());
                self.bytes(&point.y.to_le_bytes());
                self.bytes(&[point.pressure]);
            }
        }
    }

    pub(crate) fn finish(self) -> u64 {
        self.0
    }
}

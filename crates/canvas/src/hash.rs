//! A stable 64-bit hash (FNV-1a) over operations. It tells two histories apart that went different ways by a fault; it is no
//! protection against somebody who wants two of them to collide.

use visavis_wire::paper::{Op, OpKind, Place};

#[derive(Clone, Copy)]
pub(crate) struct Fnv(u64);

impl Fnv {
    pub(crate) const EMPTY: u64 = 0xcbf2_9ce4_8422_2325;

    /// Goes on from an earlier hash.
    pub(crate) fn after(hash: u64) -> Self {
        Self(hash)
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn short(&mut self, number: u16) {
        self.bytes(&number.to_le_bytes());
    }

    fn number(&mut self, number: u32) {
        self.bytes(&number.to_le_bytes());
    }

    fn count(&mut self, count: usize) {
        self.number(u32::try_from(count).unwrap_or(u32::MAX));
    }

    fn place(&mut self, place: Place) {
        self.short(place.x);
        self.short(place.y);
    }

    /// Every field is of fixed length or preceded by its length, so that no two different operations feed the same bytes.
    pub(crate) fn op(&mut self, op: &Op) {
        self.bytes(&[op.id.author.0]);
        for number in [op.id.seq, op.time, op.live] {
            self.number(number);
        }
        match &op.kind {
            OpKind::Stroke(stroke) => {
                self.bytes(&[0, u8::from(stroke.colour.is_some())]);
                self.number(stroke.colour.unwrap_or_default());
                self.short(stroke.size);
                self.count(stroke.points.len());
                for point in &stroke.points {
                    self.short(point.x);
                    self.short(point.y);
                    self.bytes(&[point.pressure]);
                }
            }
            OpKind::Shape(shape) => {
                self.bytes(&[1, shape.form as u8]);
                self.number(shape.colour);
                self.short(shape.size);
                self.place(shape.from);
                self.place(shape.to);
            }
            OpKind::Fill(fill) => {
                self.bytes(&[2]);
                self.number(fill.colour);
                self.count(fill.runs.len());
                for run in &fill.runs {
                    self.number(run.0);
                    self.short(run.1);
                }
            }
            OpKind::Undo { target, undone } => {
                self.bytes(&[3, target.author.0, u8::from(*undone)]);
                self.number(target.seq);
            }
            OpKind::Clear => self.bytes(&[4]),
        }
    }

    pub(crate) fn finish(self) -> u64 {
        self.0
    }
}

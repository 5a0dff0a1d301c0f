//! The VP8 payload descriptor (RFC 7741, 4.2).

use bytes::{BufMut, BytesMut};

const EXTENDED: u8 = 0x80;
const START: u8 = 0x10;
const PARTITION: u8 = 0x07;
const HAS_PICTURE_ID: u8 = 0x80;
const HAS_TL0PICIDX: u8 = 0x40;
const HAS_TID_OR_KEYIDX: u8 = 0x30;
const LONG_PICTURE_ID: u8 = 0x80;

pub(super) fn put_descriptor(payload: &mut BytesMut, picture_id: u16, first: bool) {
    payload.put_u8(EXTENDED | if first { START } else { 0 });
    payload.put_u8(HAS_PICTURE_ID);
    payload.put_u16(u16::from(LONG_PICTURE_ID) << 8 | picture_id);
}

/// Its length, and whether a picture begins.
pub(super) fn read_descriptor(payload: &[u8]) -> Option<(usize, bool)> {
    let first = *payload.first()?;
    let mut bytes = 1;
    if first & EXTENDED != 0 {
        let extension = *payload.get(1)?;
        bytes = 2;
        if extension & HAS_PICTURE_ID != 0 {
            bytes += if payload.get(2)? & LONG_PICTURE_ID != 0 { 2 } else { 1 };
        }
        bytes += usize::from(extension & HAS_TL0PICIDX != 0) + usize::from(extension & HAS_TID_OR_KEYIDX != 0);
    }
    Some((bytes, first & START != 0 && first & PARTITION == 0))
}

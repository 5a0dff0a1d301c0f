//! The VP9 payload descriptor (RFC 9628, 4.2). Ours is in flexible mode, one layer, each picture referring to the one before it:
//! what else it refers to lies further back in the same unbroken row.

use bytes::{BufMut, BytesMut};
use visavis_media::codec::EncodedPicture;

const HAS_PICTURE_ID: u8 = 0x80;
const PREDICTED: u8 = 0x40;
const HAS_LAYER: u8 = 0x20;
const FLEXIBLE: u8 = 0x10;
const BEGINS: u8 = 0x08;
const ENDS: u8 = 0x04;
const HAS_STRUCTURE: u8 = 0x02;
const LONG_PICTURE_ID: u8 = 0x80;
const ANOTHER_REFERENCE: u8 = 0x01;
/// References that may be listed.
const REFERENCES: usize = 3;

pub(super) fn put_descriptor(payload: &mut BytesMut, picture_id: u16, picture: &EncodedPicture, first: bool, last: bool) {
    let structure = picture.key && first;
    let mut flags = HAS_PICTURE_ID | HAS_LAYER | FLEXIBLE;
    for (set, flag) in [(!picture.key, PREDICTED), (first, BEGINS), (last, ENDS), (structure, HAS_STRUCTURE)] {
        flags |= if set { flag } else { 0 };
    }
    payload.put_u8(flags);
    payload.put_u16(u16::from(LONG_PICTURE_ID) << 8 | picture_id);
    // The lowest temporal and spatial layer, which depends on no other.
    payload.put_u8(0);
    if !picture.key {
        // P_DIFF = 1, and no other.
        payload.put_u8(1 << 1);
    }
    if structure {
        // One spatial layer with its size, no description of a group of pictures.
        payload.put_u8(0x10);
        payload.put_u16(u16::try_from(picture.width).unwrap_or(u16::MAX));
        payload.put_u16(u16::try_from(picture.height).unwrap_or(u16::MAX));
    }
}

/// Its length, and whether a picture begins.
pub(super) fn read_descriptor(payload: &[u8]) -> Option<(usize, bool)> {
    let flags = *payload.first()?;
    let mut at = 1;
    let mut take = || {
        let byte = *payload.get(at)?;
        at += 1;
        Some(byte)
    };
    if flags & HAS_PICTURE_ID != 0 && take()? & LONG_PICTURE_ID != 0 {
        take()?;
    }
    let mut spatial = 0;
    if flags & HAS_LAYER != 0 {
        spatial = take()? >> 1 & 7;
        if flags & FLEXIBLE == 0 {
            take()?;
        }
    }
    if flags & FLEXIBLE != 0 && flags & PREDICTED != 0 {
        let mut count = 1;
        while take()? & ANOTHER_REFERENCE != 0 {
            count += 1;
            if count > REFERENCES {
                return None;
            }
        }
    }
    if flags & HAS_STRUCTURE != 0 {
        let structure = take()?;
        let (layers, sizes, group) = ((structure >> 5) + 1, structure & 0x10 != 0, structure & 0x08 != 0);
        for _ in 0..if sizes { usize::from(layers) * 4 } else { 0 } {
            take()?;
        }
        for _ in 0..if group { take()? } else { 0 } {
            for _ in 0..take()? >> 2 & 3 {
                take()?;
            }
        }
    }
    Some((at, flags & BEGINS != 0 && spatial == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_of_others_are_read() {
        // Non-flexible, one temporal layer, as browsers send it: flags, picture id, layer, TL0PICIDX, structure with a size and a
        // group of one picture that refers to the one before.
        let key = [0xaa, 0x81, 0x23, 0x00, 0x05, 0x18, 2, 0x80, 1, 0x68, 1, 0x04, 1];
        assert_eq!(read_descriptor(&key), Some((key.len(), true)));
        let inter = [0xe4, 0x81, 0x24, 0x00, 0x06];
        assert_eq!(read_descriptor(&inter), Some((5, false)));
        let flexible = [0xd8, 0x05, 0x03, 0x04];
        assert_eq!(read_descriptor(&flexible), Some((4, true)));
        for length in 0..key.len() {
            assert_eq!(read_descriptor(&key[..length]), None);
        }
        assert_eq!(read_descriptor(&[0xd8, 0x05, 3, 3, 3, 3, 3]), None, "more references than may be listed");
    }
}

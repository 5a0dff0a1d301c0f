//! What the first bytes of a VP8 frame say (RFC 6386, section 9.1).

use super::Header;

/// `None`: not the beginning of a VP8 frame.
pub(crate) fn header(data: &[u8]) -> Option<Header> {
    let &[first, _, _, ref rest @ ..] = data else { return None };
    if first & 1 == 1 {
        return Some(Header::Inter { size: None });
    }
    let &[0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] = rest else { return None };
    let side = |low, high| usize::from(u16::from_le_bytes([low, high]) & 0x3fff);
    Some(Header::Key { width: side(w0, w1), height: side(h0, h1) })
}

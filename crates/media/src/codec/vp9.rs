//! What the first bits of a VP9 frame say (VP9 bitstream specification 0.6, sections 6.2 and 7.2; superframes: annex B).

use super::Header;

/// Bits from the most significant one on.
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<u32> {
        (0..count).try_fold(0, |value, _| {
            let byte = *self.data.get(self.at / 8)?;
            let bit = byte >> (7 - self.at % 8) & 1;
            self.at += 1;
            Some(value << 1 | u32::from(bit))
        })
    }

    fn flag(&mut self) -> Option<bool> {
        Some(self.take(1)? == 1)
    }

    fn is(&mut self, count: usize, expected: u32) -> Option<()> {
        (self.take(count)? == expected).then_some(())
    }

    fn size(&mut self) -> Option<(usize, usize)> {
        Some((self.take(16)? as usize + 1, self.take(16)? as usize + 1))
    }
}

/// Of the first frame; of those behind it in a superframe the size, when it is larger. `None`: not VP9 of profile 0.
pub(crate) fn header(data: &[u8]) -> Option<Header> {
    let mut frames = frames(data)?.into_iter();
    let first = frame_header(frames.next()?)?;
    frames.try_fold(first, |header, frame| {
        let size = match frame_header(frame)? {
            Header::Key { width, height } => Some((width, height)),
            Header::Inter { size } => size,
        };
        Some(match (header, size) {
            (header, None) => header,
            (Header::Key { width, height }, Some((w, h))) => Header::Key { width: width.max(w), height: height.max(h) },
            (Header::Inter { size: None }, size) => Header::Inter { size },
            (Header::Inter { size: Some((width, height)) }, Some((w, h))) => {
                Header::Inter { size: Some((width.max(w), height.max(h))) }
            }
        })
    })
}

/// The frames of a superframe, or the one frame.
fn frames(data: &[u8]) -> Option<Vec<&[u8]>> {
    let marker = *data.last()?;
    if marker & 0xe0 != 0xc0 {
        return Some(vec![data]);
    }
    let (count, bytes) = (usize::from(marker & 7) + 1, usize::from(marker >> 3 & 3) + 1);
    let index = data.len().checked_sub(2 + count * bytes).filter(|&index| data[index] == marker);
    let Some(index) = index else { return Some(vec![data]) };
    let mut rest = &data[..index];
    let sizes = data[index + 1..data.len() - 1].chunks_exact(bytes);
    sizes
        .map(|size| size.iter().rev().fold(0, |sum, &byte| sum << 8 | usize::from(byte)))
        .map(|size| {
            let (frame, behind) = rest.split_at_checked(size)?;
            rest = behind;
            Some(frame)
        })
        .collect()
}

fn frame_header(frame: &[u8]) -> Option<Header> {
    let mut bits = Bits { data: frame, at: 0 };
    bits.is(2, 2)?;
    // The two bits of the profile.
    bits.is(2, 0)?;
    if bits.flag()? {
        // A frame that is there already is shown.
        return Some(Header::Inter { size: None });
    }
    let (inter, shown, resilient) = (bits.flag()?, bits.flag()?, bits.flag()?);
    if !inter {
        bits.is(24, 0x49_83_42)?;
        let rgb = bits.take(3)? == 7;
        if rgb {
            return None;
        }
        bits.take(1)?;
        let (width, height) = bits.size()?;
        return Some(Header::Key { width, height });
    }
    let intra_only = !shown && bits.flag()?;
    if !resilient {
        bits.take(2)?;
    }
    if intra_only {
        bits.is(24, 0x49_83_42)?;
        bits.take(8)?;
        return Some(Header::Inter { size: Some(bits.size()?) });
    }
    bits.take(8)?;
    for _ in 0..3 {
        bits.take(4)?;
    }
    for _ in 0..3 {
        if bits.flag()? {
            // As large as a picture it refers to.
            return Some(Header::Inter { size: None });
        }
    }
    Some(Header::Inter { size: Some(bits.size()?) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(fields: &[(u32, u32)]) -> Vec<u8> {
        let bits: Vec<u8> =
            fields.iter().flat_map(|&(value, count)| (0..count).rev().map(move |bit| (value >> bit & 1) as u8)).collect();
        bits.chunks(8).map(|byte| byte.iter().enumerate().fold(0, |sum, (place, bit)| sum | bit << (7 - place))).collect()
    }

    const KEY: &[(u32, u32)] =
        &[(2, 2), (0, 2), (0, 1), (0, 1), (1, 1), (0, 1), (0x49_83_42, 24), (1, 3), (0, 1), (639, 16), (359, 16)];
    const INTER: &[(u32, u32)] = &[(2, 2), (0, 2), (0, 1), (1, 1), (1, 1), (0, 1), (0, 2), (1, 8), (0, 12), (1, 1)];
    const RESIZED: &[(u32, u32)] =
        &[(2, 2), (0, 2), (0, 1), (1, 1), (1, 1), (0, 1), (0, 2), (1, 8), (0, 12), (0, 3), (9999, 16), (7, 16)];

    #[test]
    fn kinds_and_sizes_are_read() {
        assert_eq!(header(&frame(KEY)), Some(Header::Key { width: 640, height: 360 }));
        assert_eq!(header(&frame(INTER)), Some(Header::Inter { size: None }));
        assert_eq!(header(&frame(RESIZED)), Some(Header::Inter { size: Some((10_000, 8)) }));
        assert_eq!(header(&[0x90, 0, 0, 0]), None, "profile 1");
        assert_eq!(header(&[]), None);
        assert_eq!(header(b"\x00hello"), None);
    }

    #[test]
    fn a_large_frame_does_not_hide_in_a_superframe() {
        let (small, large) = (frame(INTER), frame(RESIZED));
        let mut both = [small.clone(), large.clone()].concat();
        both.extend([0xc1, small.len() as u8, large.len() as u8, 0xc1]);
        assert_eq!(header(&both), Some(Header::Inter { size: Some((10_000, 8)) }));
        both.truncate(both.len() - 1);
        both.push(0xc9);
        assert_eq!(header(&both), Some(Header::Inter { size: None }), "no index: libvpx takes it for one frame as well");
        assert_eq!(header(&[0x86, 0xc0, 200, 0xc0]), None, "longer than the data");
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(data in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = header(&data);
        }
    }
}

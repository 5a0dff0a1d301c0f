//! IVF: a header of 32 bytes, then for each picture its length, its time stamp and its data. Little endian throughout.

use super::{Coded, ContainerError, rate_of};

const HEADER: usize = 32;
const PICTURE_HEADER: usize = 12;

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(data.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(data: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(data.get(at..at + 8)?.try_into().ok()?))
}

/// A last picture that is cut off is left out.
pub fn read(data: &[u8]) -> Result<Coded, ContainerError> {
    if data.len() < HEADER || !data.starts_with(b"DKIF") {
        return Err(ContainerError::NotThis("an IVF file"));
    }
    if &data[8..12] != b"VP80" {
        let codec: String =
            data[8..12].iter().map(|&byte| if byte.is_ascii_graphic() { char::from(byte) } else { '?' }).collect();
        return Err(ContainerError::Unsupported(format!("the codec {codec} in an IVF file")));
    }
    let header = usize::from(u16::from_le_bytes([data[6], data[7]])).max(HEADER);
    let unit = match (u32_at(data, 16), u32_at(data, 20)) {
        (Some(rate), Some(scale)) if rate > 0 => f64::from(scale) / f64::from(rate),
        _ => 0.0,
    };
    let (mut pictures, mut at) = (Vec::new(), header);
    let (mut first, mut last) = (None, 0);
    while let (Some(length), Some(stamp)) = (u32_at(data, at), u64_at(data, at + 4)) {
        let start = at + PICTURE_HEADER;
        let end = start + length as usize;
        if end > data.len() {
            break;
        }
        if length > 0 {
            pictures.push(start..end);
            last = stamp;
            first.get_or_insert(stamp);
        }
        at = end;
    }
    let span = last.saturating_sub(first.ok_or(ContainerError::Empty)?);
    let rate = rate_of(pictures.len(), span, unit);
    Ok(Coded { pictures, rate })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(pictures: &[&[u8]]) -> Vec<u8> {
        let mut data = b"DKIF\0\0\x20\0VP80\x40\0\x30\0".to_vec();
        data.extend([30u32, 1, pictures.len() as u32, 0].iter().flat_map(|field| field.to_le_bytes()));
        for (stamp, picture) in pictures.iter().enumerate() {
            data.extend((picture.len() as u32).to_le_bytes());
            data.extend((stamp as u64).to_le_bytes());
            data.extend(*picture);
        }
        data
    }

    #[test]
    fn pictures_and_rate_are_found() {
        let data = file(&[b"one", b"", b"three", b"four!"]);
        let coded = read(&data).unwrap();
        let pictures: Vec<&[u8]> = coded.pictures.iter().map(|range| &data[range.clone()]).collect();
        assert_eq!(pictures, [b"one".as_slice(), b"three", b"four!"]);
        assert_eq!(coded.rate, (20_000, 1000));
    }

    #[test]
    fn a_cut_off_picture_is_left_out() {
        let data = file(&[b"one", b"two"]);
        assert_eq!(read(&data[..data.len() - 1]).unwrap().pictures.len(), 1);
        assert_eq!(read(&data[..33]), Err(ContainerError::Empty));
        assert_eq!(read(&data[..20]), Err(ContainerError::NotThis("an IVF file")));
    }

    #[test]
    fn other_codecs_are_named() {
        let mut data = file(&[b"one"]);
        data[8..12].copy_from_slice(b"AV01");
        assert!(read(&data).unwrap_err().to_string().contains("AV01"));
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(tail in proptest::collection::vec(any::<u8>(), 0..400), head in any::<bool>()) {
            let data = if head { [file(&[]), tail].concat() } else { tail };
            if let Ok(coded) = read(&data) {
                prop_assert!(coded.pictures.iter().all(|range| range.start < range.end && range.end <= data.len()));
            }
        }
    }
}

//! WebM (RFC 9559 Matroska, restricted) as far as a camera file needs it: the VP8 pictures of the first video track that has
//! them, in the order of the file. No seeking, no lacing, no encryption.

use super::{Coded, ContainerError, rate_of};
use std::ops::Range;

mod id {
    pub const EBML: u32 = 0x1a45_dfa3;
    pub const SEGMENT: u32 = 0x1853_8067;
    pub const INFO: u32 = 0x1549_a966;
    pub const TIMESTAMP_SCALE: u32 = 0x002a_d7b1;
    pub const TRACKS: u32 = 0x1654_ae6b;
    pub const TRACK_ENTRY: u32 = 0xae;
    pub const TRACK_NUMBER: u32 = 0xd7;
    pub const CODEC_ID: u32 = 0x86;
    pub const CLUSTER: u32 = 0x1f43_b675;
    pub const TIMESTAMP: u32 = 0xe7;
    pub const BLOCK_GROUP: u32 = 0xa0;
    pub const BLOCK: u32 = 0xa1;
    pub const SIMPLE_BLOCK: u32 = 0xa3;
}

/// A variable-length integer (RFC 8794 section 4): its value and its length. `keep_marker` for identifiers.
fn variable(data: &[u8], keep_marker: bool) -> Option<(u64, usize)> {
    let first = *data.first()?;
    let length = first.leading_zeros() as usize + 1;
    let bytes = data.get(..length).filter(|_| length <= 8)?;
    let head = if keep_marker { u64::from(first) } else { u64::from(first) & ((1u64 << (8 - length)) - 1) };
    Some((bytes[1..].iter().fold(head, |value, &byte| value << 8 | u64::from(byte)), length))
}

fn unsigned(data: &[u8]) -> u64 {
    data.iter().take(8).fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// The walk is flat: a master element that matters is entered by going on behind its header, anything else is skipped whole.
/// So an unknown size, as live recordings have, needs no care.
#[derive(Default)]
struct Walk {
    /// Nanoseconds a unit of time.
    scale: Option<u64>,
    /// Number and codec of the track being read.
    entry: (Option<u64>, String),
    track: Option<u64>,
    other_codec: Option<String>,
    cluster: u64,
    pictures: Vec<Range<usize>>,
    stamps: Option<(u64, u64)>,
}

impl Walk {
    fn element(&mut self, id: u32, at: usize, body: &[u8]) {
        match id {
            id::TIMESTAMP_SCALE => self.scale = Some(unsigned(body)),
            id::TRACK_ENTRY => self.entry = (None, String::new()),
            id::TRACK_NUMBER => self.entry.0 = Some(unsigned(body)),
            id::CODEC_ID => self.entry.1 = body.iter().take(32).map(|&byte| char::from(byte)).collect(),
            id::TIMESTAMP => self.cluster = unsigned(body),
            id::BLOCK | id::SIMPLE_BLOCK => self.block(at, body),
            _ => {}
        }
        if matches!(id, id::TRACK_NUMBER | id::CODEC_ID) {
            self.choose_track();
        }
    }

    fn choose_track(&mut self) {
        match &self.entry {
            (Some(number), codec) if codec == "V_VP8" => self.track = self.track.or(Some(*number)),
            (_, codec) if codec.starts_with("V_") => self.other_codec = Some(codec.clone()),
            _ => {}
        }
    }

    /// Track, time stamp relative to the cluster, flags, data.
    fn block(&mut self, at: usize, body: &[u8]) {
        let Some((track, length)) = variable(body, false) else { return };
        let Some(&[high, low, flags]) = body.get(length..length + 3) else { return };
        let start = length + 3;
        let laced = flags & 0x06 != 0;
        if Some(track) != self.track || laced || start >= body.len() {
            return;
        }
        let stamp = self.cluster.saturating_add_signed(i64::from(i16::from_be_bytes([high, low])));
        let first = self.stamps.map_or(stamp, |(first, _)| first);
        self.stamps = Some((first, stamp));
        self.pictures.push(at + start..at + body.len());
    }
}

/// A last picture that is cut off is left out.
pub fn read(data: &[u8]) -> Result<Coded, ContainerError> {
    if !data.starts_with(&id::EBML.to_be_bytes()) {
        return Err(ContainerError::NotThis("a WebM file"));
    }
    let (mut walk, mut at) = (Walk::default(), 0);
    while let Some((id, id_length)) = variable(&data[at..], true) {
        let Some((size, size_length)) = variable(&data[at + id_length..], false) else { break };
        let body = at + id_length + size_length;
        let id = u32::try_from(id).unwrap_or(0);
        if matches!(id, id::SEGMENT | id::INFO | id::TRACKS | id::TRACK_ENTRY | id::CLUSTER | id::BLOCK_GROUP) {
            walk.element(id, body, &[]);
            at = body;
            continue;
        }
        let end = usize::try_from(size).ok().and_then(|size| body.checked_add(size));
        let Some(end) = end.filter(|&end| end <= data.len()) else { break };
        walk.element(id, body, &data[body..end]);
        at = end;
    }
    if walk.track.is_none()
        && let Some(codec) = walk.other_codec
    {
        return Err(ContainerError::Unsupported(format!("the codec {codec} in a WebM file")));
    }
    let (first, last) = walk.stamps.ok_or(ContainerError::Empty)?;
    let unit = walk.scale.unwrap_or(1_000_000) as f64 / 1e9;
    let rate = rate_of(walk.pictures.len(), last.saturating_sub(first), unit);
    Ok(Coded { pictures: walk.pictures, rate })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn element(id: u32, body: &[u8]) -> Vec<u8> {
        let bytes = id.to_be_bytes();
        let skip = bytes.iter().take_while(|&&byte| byte == 0).count();
        let size = (body.len() as u32 | 0x1000_0000).to_be_bytes();
        [&bytes[skip..], &size, body].concat()
    }

    fn file(codec: &str) -> Vec<u8> {
        let audio = element(id::TRACK_ENTRY, &[element(id::TRACK_NUMBER, &[2]), element(id::CODEC_ID, b"A_OPUS")].concat());
        let video =
            element(id::TRACK_ENTRY, &[element(id::TRACK_NUMBER, &[1]), element(id::CODEC_ID, codec.as_bytes())].concat());
        let block = |track: u8, stamp: u8, data: &[u8]| [&[0x80 | track, 0, stamp, 0x80], data].concat();
        let cluster = [
            element(id::TIMESTAMP, &[100]),
            element(id::SIMPLE_BLOCK, &block(1, 0, b"one")),
            element(id::SIMPLE_BLOCK, &block(2, 1, b"sound")),
            element(id::BLOCK_GROUP, &element(id::BLOCK, &block(1, 40, b"two"))),
            element(id::SIMPLE_BLOCK, &block(1, 80, b"three")),
        ];
        let body = [element(id::TRACKS, &[audio, video].concat()), element(id::CLUSTER, &cluster.concat())].concat();
        // A segment of unknown size, as live recordings have.
        let segment = [&id::SEGMENT.to_be_bytes()[..], &[0xff], &body].concat();
        [element(id::EBML, b"\x42\x82\x84webm"), segment].concat()
    }

    #[test]
    fn pictures_of_the_video_track_are_found() {
        let data = file("V_VP8");
        let coded = read(&data).unwrap();
        let pictures: Vec<&[u8]> = coded.pictures.iter().map(|range| &data[range.clone()]).collect();
        assert_eq!(pictures, [b"one".as_slice(), b"two", b"three"]);
        assert_eq!(coded.rate, (25_000, 1000));
    }

    #[test]
    fn cut_off_files_give_what_is_there() {
        let data = file("V_VP8");
        assert_eq!(read(&data[..data.len() - 1]).unwrap().pictures.len(), 2);
        assert_eq!(read(&data[..30]), Err(ContainerError::Empty));
        assert_eq!(read(b"RIFF"), Err(ContainerError::NotThis("a WebM file")));
    }

    #[test]
    fn other_codecs_are_named() {
        assert!(read(&file("V_AV1")).unwrap_err().to_string().contains("V_AV1"));
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(tail in proptest::collection::vec(any::<u8>(), 0..400), cut in 0usize..200) {
            let whole = file("V_VP8");
            let data = [&whole[..cut.min(whole.len())], &tail].concat();
            if let Ok(coded) = read(&data) {
                prop_assert!(coded.pictures.iter().all(|range| range.start < range.end && range.end <= data.len()));
            }
        }
    }
}

//! YUV4MPEG2: a line of parameters, then pictures of raw planes, each behind a line of its own.

use super::ContainerError;
use crate::frame::{byte_count, size_is_allowed};
use std::io::{BufRead, Read, Seek, SeekFrom};

/// Longest line of parameters that is read.
const MAX_LINE: u64 = 512;

/// Streams pictures out of a file, from the beginning again after the last whole one.
pub struct Reader<R> {
    input: R,
    pub width: usize,
    pub height: usize,
    /// Pictures, seconds; as the file states it.
    pub rate: (u32, u32),
    /// Offset of the first picture.
    first: u64,
}

impl<R: BufRead + Seek> Reader<R> {
    pub fn new(mut input: R) -> Result<Self, ContainerError> {
        let line = line(&mut input)?;
        let mut fields = line.split(' ');
        if fields.next() != Some("YUV4MPEG2") {
            return Err(ContainerError::NotThis("a y4m file"));
        }
        let (mut width, mut height, mut rate) = (0, 0, (30, 1));
        for field in fields.filter(|field| field.is_char_boundary(1)) {
            let (key, value) = field.split_at(field.len().min(1));
            match key {
                "W" => width = value.parse().unwrap_or(0),
                "H" => height = value.parse().unwrap_or(0),
                "F" => rate = fraction(value),
                "C" if !is_420(value) => return Err(ContainerError::Unsupported(format!("the colour format {value:?} of y4m"))),
                _ => {}
            }
        }
        if !size_is_allowed(width, height) {
            return Err(ContainerError::Unsupported(format!("a picture of {width}x{height}")));
        }
        let first = input.stream_position()?;
        Ok(Self { input, width, height, rate, first })
    }

    /// Fills `picture` (I420 of this file's size) with the next picture, the first one after the last.
    pub fn read(&mut self, picture: &mut [u8]) -> Result<(), ContainerError> {
        debug_assert_eq!(picture.len(), byte_count(self.width, self.height));
        if self.next(picture)? {
            return Ok(());
        }
        self.rewind()?;
        if self.next(picture)? { Ok(()) } else { Err(ContainerError::Empty) }
    }

    /// Back to the first picture.
    pub fn rewind(&mut self) -> Result<(), ContainerError> {
        self.input.seek(SeekFrom::Start(self.first))?;
        Ok(())
    }

    /// False at the end, or where the file is cut off or damaged.
    fn next(&mut self, picture: &mut [u8]) -> Result<bool, ContainerError> {
        match line(&mut self.input) {
            Ok(line) if line == "FRAME" || line.starts_with("FRAME ") => {}
            Ok(_) | Err(ContainerError::NotThis(_)) => return Ok(false),
            Err(error) => return Err(error),
        }
        match self.input.read_exact(picture) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn line(input: &mut impl BufRead) -> Result<String, ContainerError> {
    let mut bytes = Vec::new();
    input.take(MAX_LINE).read_until(b'\n', &mut bytes)?;
    if bytes.pop() != Some(b'\n') {
        return Err(ContainerError::NotThis("a y4m file"));
    }
    String::from_utf8(bytes).map_err(|_| ContainerError::NotThis("a y4m file"))
}

fn fraction(text: &str) -> (u32, u32) {
    let mut parts = text.split(':').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

fn is_420(colour: &str) -> bool {
    matches!(colour, "420" | "420jpeg" | "420mpeg2" | "420paldv")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn file(header: &str, pictures: &[u8]) -> Vec<u8> {
        let mut data = header.as_bytes().to_vec();
        for &level in pictures {
            data.extend(b"FRAME\n");
            data.extend([level; 6 * 4 + 2 * 3 * 2]);
        }
        data
    }

    #[test]
    fn pictures_come_in_order_and_again() {
        let data = file("YUV4MPEG2 W6 H4 F25:1 Ip C420jpeg XYSCSS=420JPEG\n", &[1, 2, 3]);
        let mut reader = Reader::new(Cursor::new(data)).unwrap();
        assert_eq!((reader.width, reader.height, reader.rate), (6, 4, (25, 1)));
        let mut picture = [0; 36];
        for expected in [1, 2, 3, 1, 2] {
            reader.read(&mut picture).unwrap();
            assert_eq!(picture, [expected; 36]);
        }
    }

    #[test]
    fn a_truncated_file_loops_what_is_there() {
        let mut data = file("YUV4MPEG2 W6 H4 F25:1\n", &[1, 2, 3]);
        data.truncate(data.len() - 1);
        let mut reader = Reader::new(Cursor::new(data)).unwrap();
        let mut picture = [0; 36];
        for expected in [1, 2, 1, 2] {
            reader.read(&mut picture).unwrap();
            assert_eq!(picture, [expected; 36]);
        }
    }

    #[test]
    fn what_cannot_be_played_is_said() {
        let words = |header: &str| Reader::new(Cursor::new(header.as_bytes().to_vec())).map(|_| ()).unwrap_err().to_string();
        assert_eq!(words("RIFF\n"), "it is not a y4m file");
        assert_eq!(words("YUV4MPEG2 W6 H4"), "it is not a y4m file");
        assert_eq!(words("YUV4MPEG2 W99999 H4\n"), "a picture of 99999x4 is not supported");
        assert!(words("YUV4MPEG2 W6 H4 C422\n").contains("422"));
        let mut reader = Reader::new(Cursor::new(file("YUV4MPEG2 W6 H4\n", &[]))).unwrap();
        assert_eq!(reader.read(&mut [0; 36]), Err(ContainerError::Empty));
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(head in any::<bool>(), text in "[ WHFC0-9:a-z]{0,40}", tail in proptest::collection::vec(any::<u8>(), 0..300)) {
            let start = if head { format!("YUV4MPEG2 W6 H4 {text}\n") } else { text };
            let data = [start.as_bytes(), &tail].concat();
            if let Ok(mut reader) = Reader::new(Cursor::new(data)) {
                let mut picture = vec![0; byte_count(reader.width, reader.height)];
                for _ in 0..3 {
                    let _ = reader.read(&mut picture);
                }
            }
        }
    }
}

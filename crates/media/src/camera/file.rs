//! A file as a camera: played in a loop at its own rate, scaled down into the size that was wished for.

use super::CameraError;
use super::pace::{Rate, Source};
use crate::codec::{Codec, VideoDecoder, VpxDecoder};
use crate::container::{Coded, ContainerError, MAX_CODED_BYTES, ivf, webm, y4m};
use crate::scale::{fit, scale_i420};
use crate::{Frame, FramePool};
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;
use std::time::Duration;

pub(super) struct FileSource {
    pictures: Pictures,
    rate: Rate,
    room: (usize, usize),
    /// Pictures of the file's own size.
    own: FramePool,
}

enum Pictures {
    Raw(y4m::Reader<BufReader<File>>),
    Coded { data: Vec<u8>, coded: Coded, next: usize, decoder: VpxDecoder },
}

impl FileSource {
    /// Reads the first picture to be sure that there is one.
    pub fn open(path: &Path, room: (usize, usize)) -> Result<Self, CameraError> {
        let broken = |why: String| CameraError::File(path.display().to_string(), why);
        let own = FramePool::new(2);
        let (pictures, rate) = Self::pictures(path, &own).map_err(|error| broken(error.to_string()))?;
        let rate = Rate::sane(rate.0, rate.1);
        let mut source = Self { pictures, rate, room, own };
        source.own_picture(Duration::ZERO).map_err(broken)?;
        source.rewind().map_err(|error| broken(error.to_string()))?;
        Ok(source)
    }

    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// The contents decide, not the name.
    fn pictures(path: &Path, pool: &FramePool) -> Result<(Pictures, (u32, u32)), ContainerError> {
        let mut file = File::open(path)?;
        let mut magic = Vec::new();
        (&mut file).take(4).read_to_end(&mut magic)?;
        file.rewind()?;
        if magic == *b"YUV4" {
            let reader = y4m::Reader::new(BufReader::with_capacity(1 << 16, file))?;
            let rate = reader.rate;
            return Ok((Pictures::Raw(reader), rate));
        }
        let parse = match magic.as_slice() {
            b"DKIF" => ivf::read,
            [0x1a, 0x45, 0xdf, 0xa3] => webm::read,
            _ => return Err(ContainerError::NotThis("a y4m, IVF or WebM file")),
        };
        let mut data = Vec::new();
        file.take(MAX_CODED_BYTES + 1).read_to_end(&mut data)?;
        if data.len() as u64 > MAX_CODED_BYTES {
            return Err(ContainerError::Unsupported("a coded file of more than 512 MB".to_owned()));
        }
        let coded = parse(&data)?;
        let rate = coded.rate;
        let decoder = VpxDecoder::new(Codec::Vp8, pool.clone()).map_err(|error| ContainerError::Io(error.to_string()))?;
        Ok((Pictures::Coded { data, coded, next: 0, decoder }, rate))
    }

    fn rewind(&mut self) -> Result<(), ContainerError> {
        match &mut self.pictures {
            Pictures::Raw(reader) => reader.rewind(),
            Pictures::Coded { next, .. } => {
                *next = 0;
                Ok(())
            }
        }
    }

    /// The next picture in the file's own size. A damaged one is skipped; a file without a good one is an error.
    fn own_picture(&mut self, captured: Duration) -> Result<Frame, String> {
        match &mut self.pictures {
            Pictures::Raw(reader) => {
                let mut frame = self.own.frame(reader.width, reader.height, captured).ok_or("no buffer is free")?;
                reader.read(frame.as_bytes_mut()).map_err(|error| error.to_string())?;
                Ok(frame)
            }
            Pictures::Coded { data, coded, next, decoder } => {
                let mut why = ContainerError::Empty.to_string();
                for _ in 0..coded.pictures.len() {
                    let range = coded.pictures[*next].clone();
                    *next = (*next + 1) % coded.pictures.len();
                    match decoder.decode(&data[range], captured) {
                        Ok(Some(frame)) => return Ok(frame),
                        Ok(None) => {}
                        Err(error) => why = error.to_string(),
                    }
                }
                Err(why)
            }
        }
    }
}

impl Source for FileSource {
    fn picture(&mut self, _tick: u64, captured: Duration, pool: &FramePool) -> Result<Option<Frame>, String> {
        let frame = self.own_picture(captured)?;
        let (width, height) = fit((frame.width, frame.height), self.room);
        Ok(scale_i420(&frame, width, height, pool))
    }
}

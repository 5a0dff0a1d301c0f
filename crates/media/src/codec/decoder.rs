//! VP8 and VP9 of anybody, by libvpx: what is neither, or too large, is an error and never reaches it.

use super::{Codec, CodecError, Header, VideoDecoder, ffi};
use crate::frame::size_is_allowed;
use crate::{Frame, FramePool};
use std::time::Duration;

/// After an error pictures stay errors until a key frame.
pub struct VpxDecoder {
    codec: Codec,
    decoder: ffi::Decoder,
    pool: FramePool,
    /// No picture may be shown until a key frame was decoded.
    key_needed: bool,
}

impl VpxDecoder {
    pub fn new(codec: Codec, pool: FramePool) -> Result<Self, CodecError> {
        let decoder = ffi::Decoder::new(codec, 1).map_err(CodecError::Setup)?;
        Ok(Self { codec, decoder, pool, key_needed: true })
    }

    pub fn codec(&self) -> Codec {
        self.codec
    }

    fn planes(&mut self, data: &[u8]) -> Result<Option<ffi::Decoded<'_>>, CodecError> {
        let failed = |why: String| Err(CodecError::Decode(why));
        let Some(header) = self.codec.header(data) else { return failed(format!("not a frame of {}", self.codec)) };
        let key = matches!(header, Header::Key { .. });
        let size = match header {
            Header::Key { width, height } => Some((width, height)),
            Header::Inter { size } => size,
        };
        if !key && self.key_needed {
            return failed(String::from("a key frame is needed first"));
        }
        // Until it is known to be well.
        self.key_needed = true;
        if let Some((width, height)) = size.filter(|&(width, height)| !size_is_allowed(width, height)) {
            return failed(format!("a picture of {width}x{height} is not allowed"));
        }
        let decoded = self.decoder.decode(data).map_err(CodecError::Decode)?;
        self.key_needed = false;
        Ok(decoded)
    }
}

impl VideoDecoder for VpxDecoder {
    fn decode(&mut self, data: &[u8], captured: Duration) -> Result<Option<Frame>, CodecError> {
        let pool = self.pool.clone();
        Ok(self.planes(data)?.and_then(|decoded| copy(&decoded, &pool, captured)))
    }

    fn skip(&mut self, data: &[u8]) -> Result<(), CodecError> {
        self.planes(data).map(|_| ())
    }
}

fn copy(decoded: &ffi::Decoded<'_>, pool: &FramePool, captured: Duration) -> Option<Frame> {
    let mut frame = pool.frame(decoded.width, decoded.height, captured)?;
    let (columns, _) = frame.chroma_size();
    let width = frame.width;
    let (y, u, v) = frame.planes_mut();
    for ((to, columns), (from, stride)) in [(y, width), (u, columns), (v, columns)].into_iter().zip(decoded.planes) {
        for (to, from) in to.chunks_exact_mut(columns).zip(from.chunks(stride)) {
            to.copy_from_slice(&from[..columns]);
        }
    }
    Some(frame)
}

//! VP8 (RFC 6386) for a call: realtime, constant bitrate, key frames only when asked for.

use super::ffi;
use super::{CodecError, EncodedPicture, VideoDecoder, VideoEncoder};
use crate::frame::size_is_allowed;
use crate::{Frame, FramePool};
use std::time::Duration;
use visavis_sight::Released;

/// libvpx's realtime speed. -6 and -8 cost the same quality within 0.2 dB at these sizes, -8 is a tenth faster.
const SPEED: i32 = -8;
/// Above this many pixels a second thread pays.
const PIXELS_FOR_TWO_THREADS: usize = 640 * 480;
/// A key frame may take as much as this many percent of an average frame; more would hold up the pictures after it.
const KEY_PERCENT: u32 = 600;
const MIN_KBPS: u32 = 20;
const MAX_KBPS: u32 = 20_000;

/// Everything a picture after a key frame may refer to was replaced by that key frame (RFC 6386 section 9.7: it refreshes the
/// golden and the alternative reference too), so nothing seen before a `turned()` picture can be rebuilt from what follows.
pub struct Vp8Encoder {
    encoder: ffi::Encoder,
    fps: u32,
    kbps: u32,
    /// Set until a key frame has really come out: rate control may drop the picture that was to be one.
    key_wanted: bool,
    /// Time stamp of the last picture, in microseconds.
    last: Option<i64>,
}

impl Vp8Encoder {
    /// `width` x `height` is the first size; later pictures may have others.
    pub fn new(width: usize, height: usize, fps: u32, kbps: u32) -> Result<Self, CodecError> {
        let (fps, kbps) = (fps.clamp(1, 60), kbps.clamp(MIN_KBPS, MAX_KBPS));
        Ok(Self { encoder: Self::context(width, height, kbps)?, fps, kbps, key_wanted: true, last: None })
    }

    fn context(width: usize, height: usize, kbps: u32) -> Result<ffi::Encoder, CodecError> {
        let threads = if width * height > PIXELS_FOR_TWO_THREADS { 2 } else { 1 };
        let settings = ffi::EncoderSettings { width, height, kbps, threads, speed: SPEED, key_percent: KEY_PERCENT };
        ffi::Encoder::new(&settings).map_err(CodecError::Setup)
    }

    /// Strictly increasing whatever the camera says (cameras change during a call).
    fn time_stamp(&mut self, captured: Duration) -> i64 {
        let captured = i64::try_from(captured.as_micros()).unwrap_or(i64::MAX / 2);
        let stamp = match self.last {
            Some(last) if captured <= last => last + i64::from(1_000_000 / self.fps),
            _ => captured,
        };
        self.last = Some(stamp);
        stamp
    }

    /// `encode` without the proof of release. Private: no other module may hand a bare picture to the encoder.
    fn encode_frame(&mut self, frame: &Frame, key: bool) -> Result<Option<EncodedPicture>, CodecError> {
        self.key_wanted |= key;
        if (frame.width, frame.height) != self.encoder.size() {
            self.encoder = Self::context(frame.width, frame.height, self.kbps)?;
            self.key_wanted = true;
            self.last = None;
        }
        let stamp = self.time_stamp(frame.captured);
        let coded = self.encoder.encode(frame, stamp, 1_000_000 / self.fps, self.key_wanted).map_err(CodecError::Encode)?;
        Ok(coded.map(|(data, key)| {
            self.key_wanted &= !key;
            EncodedPicture { data, key, width: frame.width, height: frame.height }
        }))
    }
}

impl VideoEncoder for Vp8Encoder {
    fn encode(&mut self, picture: &Released<Frame>, force_key: bool) -> Result<Option<EncodedPicture>, CodecError> {
        self.encode_frame(picture.picture(), force_key || picture.turned())
    }

    fn set_bitrate(&mut self, kbps: u32) -> Result<(), CodecError> {
        let kbps = kbps.clamp(MIN_KBPS, MAX_KBPS);
        if kbps != self.kbps {
            self.encoder.set_bitrate(kbps).map_err(CodecError::Setup)?;
            self.kbps = kbps;
        }
        Ok(())
    }
}

/// What the first bytes of a VP8 frame say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    Key { width: usize, height: usize },
    Inter,
}

/// RFC 6386 section 9.1. `None`: not the beginning of a VP8 frame.
pub(crate) fn header(data: &[u8]) -> Option<Header> {
    let &[first, _, _, ref rest @ ..] = data else { return None };
    if first & 1 == 1 {
        return Some(Header::Inter);
    }
    let &[0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] = rest else { return None };
    let side = |low, high| usize::from(u16::from_le_bytes([low, high]) & 0x3fff);
    Some(Header::Key { width: side(w0, w1), height: side(h0, h1) })
}

/// Takes bytes from anybody: what is not VP8, or too large, is an error. After an error pictures stay errors until a key frame.
pub struct Vp8Decoder {
    decoder: ffi::Decoder,
    pool: FramePool,
    /// No picture may be shown until a key frame was decoded.
    key_needed: bool,
}

impl Vp8Decoder {
    pub fn new(pool: FramePool) -> Result<Self, CodecError> {
        let decoder = ffi::Decoder::new(1).map_err(CodecError::Setup)?;
        Ok(Self { decoder, pool, key_needed: true })
    }
}

impl VideoDecoder for Vp8Decoder {
    fn decode(&mut self, data: &[u8], captured: Duration) -> Result<Option<Frame>, CodecError> {
        let failed = |why: &str| Err(CodecError::Decode(why.to_owned()));
        match header(data) {
            None => return failed("not a VP8 frame"),
            Some(Header::Key { width, height }) if !size_is_allowed(width, height) => {
                self.key_needed = true;
                return Err(CodecError::Decode(format!("a picture of {width}x{height} is not allowed")));
            }
            Some(Header::Key { .. }) => {}
            Some(Header::Inter) if self.key_needed => return failed("a key frame is needed first"),
            Some(Header::Inter) => {}
        }
        let decoded = match self.decoder.decode(data) {
            Ok(decoded) => decoded,
            Err(why) => {
                self.key_needed = true;
                return Err(CodecError::Decode(why));
            }
        };
        self.key_needed = false;
        let Some(decoded) = decoded else { return Ok(None) };
        Ok(copy(&decoded, &self.pool, captured))
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

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

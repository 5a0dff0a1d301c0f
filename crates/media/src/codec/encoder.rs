//! VP8 (RFC 6386) and VP9 for a call, by libvpx: realtime, constant bitrate, key frames only when asked for.

use super::{Codec, CodecError, EncodedPicture, VideoEncoder, ffi};
use crate::Frame;
use visavis_sight::Released;

/// libvpx's realtime speeds. Measured on two webcam clips of 640x360 at 300 and 1000 kbit/s (CPU time, one thread, libvpx 1.12).
/// VP8: -8 and -6 agree within 0.1 dB and 6 % of the time; -4 is 0.3 to 0.9 dB better and takes 1.7 times as long. VP9 at 8
/// against VP8 at -8: at 300 it is 1.0 to 1.6 dB and 0.006 to 0.010 SSIM better, at 1000 equal in dB, and takes 1.4 to 1.7 times
/// as long, 2.6 ms at most; 7 gains 0.2 dB for a fifth more time, 9 loses 0.4 dB and saves a seventh.
const VP8_SPEED: i32 = -8;
const VP9_SPEED: i32 = 8;
/// Above this many pixels a second thread pays.
const PIXELS_FOR_TWO_THREADS: usize = 640 * 480;
/// A key frame may take as much as this many percent of an average frame; more would hold up the pictures after it.
const KEY_PERCENT: u32 = 350;
const MIN_KBPS: u32 = 20;
const MAX_KBPS: u32 = 20_000;
const MAX_FPS: u32 = 60;

/// Everything a picture after a key frame may refer to was replaced by that key frame (RFC 6386 section 9.7; VP9 specification,
/// section 7.2, `refresh_frame_flags` of a key frame), so nothing seen before a `turned()` picture can be rebuilt from what
/// follows.
pub struct VpxEncoder {
    codec: Codec,
    encoder: ffi::Encoder,
    fps: u32,
    kbps: u32,
    /// Set until a key frame has really come out: rate control may drop the picture that was to be one.
    key_wanted: bool,
    /// Time stamp of the next picture, microseconds.
    stamp: i64,
}

impl VpxEncoder {
    /// `width` x `height` is the first size; later pictures may have others.
    pub fn new(codec: Codec, width: usize, height: usize, fps: u32, kbps: u32) -> Result<Self, CodecError> {
        let (fps, kbps) = (fps.clamp(1, MAX_FPS), kbps.clamp(MIN_KBPS, MAX_KBPS));
        let encoder = context(codec, width, height, kbps)?;
        Ok(Self { codec, encoder, fps, kbps, key_wanted: true, stamp: 0 })
    }

    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// For libvpx every picture follows the one before at the nominal distance, so each gets its share of a second's bits. With the
    /// real times, a picture after one that was left out would get the bits of both, and where pictures are left out because
    /// the path is behind, the path would stay behind (and with irregular gaps libvpx's estimate of the frame rate makes that a
    /// sixth more than was asked for; see `benches/codec.rs`).
    fn time_stamp(&mut self) -> i64 {
        let stamp = self.stamp;
        self.stamp += i64::from(1_000_000 / self.fps);
        stamp
    }

    /// `encode` without the proof of release. For this crate's tests alone: no other module may hand a bare picture over.
    pub(super) fn encode_frame(&mut self, frame: &Frame, key: bool) -> Result<Option<EncodedPicture>, CodecError> {
        self.key_wanted |= key;
        if (frame.width, frame.height) != self.encoder.size() {
            self.encoder = context(self.codec, frame.width, frame.height, self.kbps)?;
            self.key_wanted = true;
        }
        let stamp = self.time_stamp();
        let coded = self.encoder.encode(frame, stamp, 1_000_000 / self.fps, self.key_wanted).map_err(CodecError::Encode)?;
        Ok(coded.map(|(data, key)| {
            self.key_wanted &= !key;
            EncodedPicture { codec: self.codec, data, key, width: frame.width, height: frame.height }
        }))
    }
}

fn context(codec: Codec, width: usize, height: usize, kbps: u32) -> Result<ffi::Encoder, CodecError> {
    let threads = if width * height > PIXELS_FOR_TWO_THREADS { 2 } else { 1 };
    let speed = match codec {
        Codec::Vp8 => VP8_SPEED,
        Codec::Vp9 => VP9_SPEED,
    };
    let settings = ffi::EncoderSettings { codec, width, height, kbps, threads, speed, key_percent: KEY_PERCENT };
    ffi::Encoder::new(&settings).map_err(CodecError::Setup)
}

impl VideoEncoder for VpxEncoder {
    fn encode(&mut self, picture: &Released<Frame>, force_key: bool) -> Result<Option<EncodedPicture>, CodecError> {
        self.encode_frame(picture.picture(), force_key || picture.turned())
    }

    fn set_rate(&mut self, kbps: u32, fps: u32) -> Result<(), CodecError> {
        self.fps = fps.clamp(1, MAX_FPS);
        let kbps = kbps.clamp(MIN_KBPS, MAX_KBPS);
        if kbps != self.kbps {
            self.encoder.set_bitrate(kbps).map_err(CodecError::Setup)?;
            self.kbps = kbps;
        }
        Ok(())
    }
}

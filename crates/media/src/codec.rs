//! Video codecs (libvpx) behind traits. They run on OS threads of whoever owns them; packets, jitter and rate belong to the call.

mod decoder;
mod encoder;
mod ffi;
mod vp8;
mod vp9;

pub use decoder::VpxDecoder;
pub use encoder::VpxEncoder;

use crate::Frame;
use std::fmt;
use visavis_sight::Released;

#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    #[error("the encoder could not be set up: {0}")]
    Setup(String),
    #[error("the picture could not be encoded: {0}")]
    Encode(String),
    #[error("the data could not be decoded: {0}")]
    Decode(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    Vp8,
    /// Of profile 0: 8 bits, 4:2:0.
    Vp9,
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
        })
    }
}

/// What the beginning of a coded picture says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    Key {
        width: usize,
        height: usize,
    },
    /// VP9 allows another size without a key frame.
    Inter {
        size: Option<(usize, usize)>,
    },
}

impl Codec {
    /// `None`: not the beginning of a picture of this codec.
    pub(crate) fn header(self, data: &[u8]) -> Option<Header> {
        match self {
            Self::Vp8 => vp8::header(data),
            Self::Vp9 => vp9::header(data),
        }
    }

    /// Whether a coded picture, of which at least the first 10 bytes are here, is a key frame.
    pub fn is_key(self, data: &[u8]) -> bool {
        matches!(self.header(data), Some(Header::Key { .. }))
    }
}

#[derive(Clone)]
pub struct EncodedPicture {
    pub codec: Codec,
    pub data: Vec<u8>,
    pub key: bool,
    pub width: usize,
    pub height: usize,
}

impl fmt::Debug for EncodedPicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.key { "key" } else { "inter" };
        write!(f, "EncodedPicture({} {kind} {}x{}, {} bytes)", self.codec, self.width, self.height, self.data.len())
    }
}

pub trait VideoEncoder: Send {
    /// Follows changes of size by itself. A picture that `turned()` is coded as a key frame. `None`: dropped by rate control
    /// (a key frame that was wanted then comes with the next picture).
    fn encode(&mut self, picture: &Released<Frame>, force_key: bool) -> Result<Option<EncodedPicture>, CodecError>;
    /// From the next picture on: bits a second, and into how many pictures they are divided when none is left out.
    fn set_rate(&mut self, kbps: u32, fps: u32) -> Result<(), CodecError>;
}

pub trait VideoDecoder: Send {
    /// `None`: nothing to show for this input (hidden frame, or no buffer free). An error means that a key frame is needed.
    fn decode(&mut self, data: &[u8], captured: std::time::Duration) -> Result<Option<Frame>, CodecError>;
    /// The same for the sake of the pictures that build upon it: nothing is copied out.
    fn skip(&mut self, data: &[u8]) -> Result<(), CodecError>;
}

#[cfg(test)]
mod tests;

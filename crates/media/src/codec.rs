//! Video codecs (libvpx) behind traits. They run on OS threads of whoever owns them; packets, jitter and rate belong to the call.

mod ffi;
mod vp8;

pub use vp8::{Vp8Decoder, Vp8Encoder};

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

#[derive(Clone)]
pub struct EncodedPicture {
    pub data: Vec<u8>,
    pub key: bool,
    pub width: usize,
    pub height: usize,
}

impl fmt::Debug for EncodedPicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.key { "key" } else { "inter" };
        write!(f, "EncodedPicture({kind} {}x{}, {} bytes)", self.width, self.height, self.data.len())
    }
}

pub trait VideoEncoder: Send {
    /// Follows changes of size by itself. A picture that `turned()` is coded as a key frame. `None`: dropped by rate control
    /// (a key frame that was wanted then comes with the next picture).
    fn encode(&mut self, picture: &Released<Frame>, force_key: bool) -> Result<Option<EncodedPicture>, CodecError>;
    /// From the next picture on.
    fn set_bitrate(&mut self, kbps: u32) -> Result<(), CodecError>;
}

pub trait VideoDecoder: Send {
    /// `None`: nothing to show for this input (hidden frame, or no buffer free). An error means that a key frame is needed.
    fn decode(&mut self, data: &[u8], captured: std::time::Duration) -> Result<Option<Frame>, CodecError>;
}

//! Video codecs (libvpx) behind traits. They run on OS threads of whoever owns them.
use crate::Frame;
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

pub struct EncodedPicture {
    pub data: Vec<u8>,
    pub key: bool,
    pub width: usize,
    pub height: usize,
}

pub trait VideoEncoder: Send {
    /// Follows changes of size by itself. A picture that `turned()` is coded as a key frame. `None`: dropped by rate control.
    fn encode(&mut self, picture: &Released<Frame>, force_key: bool) -> Result<Option<EncodedPicture>, CodecError>;
    fn set_bitrate(&mut self, kbps: u32) -> Result<(), CodecError>;
}

pub trait VideoDecoder: Send {
    /// `None`: nothing to show for this input.
    fn decode(&mut self, data: &[u8], captured: std::time::Duration) -> Result<Option<Frame>, CodecError>;
}

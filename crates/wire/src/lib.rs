//! Every message that leaves a process: client and server (HTTP and WebSocket, JSON), the signalling they carry, the data
//! channels between two apps (postcard behind a version byte), and how TURN messages follow each other on a stream.
//!
//! This crate knows shapes, versions and limits; what a message means is decided by whoever receives it. Nothing here does
//! I/O. Decoders refuse what is over the limits of [`limits`] before they allocate for it.

pub mod channel;
pub mod evidence;
pub mod friends;
pub mod http;
pub mod limits;
pub mod paper;
pub mod people;
mod private;
pub mod safety;
pub mod socket;
pub mod turn;

pub use private::Private;

/// Version of the WebSocket protocol and of the HTTP interface; sent in `ClientMessage::Hello`, named in the path `/v1`.
pub const SERVER_PROTOCOL: u16 = 1;

/// First byte of every data-channel message. A receiver ignores messages of a version it does not know.
pub const CHANNEL_PROTOCOL: u8 = 1;

/// Why bytes could not be read as a message.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DecodeError {
    #[error("the message has {size} bytes, {limit} are allowed")]
    TooLarge { size: usize, limit: usize },
    #[error("the message is of version {0}, which this program does not know")]
    UnknownVersion(u8),
    #[error("the message is malformed: {0}")]
    Malformed(String),
    #[error("{field} has {size} entries, {limit} are allowed")]
    FieldTooLarge { field: &'static str, size: usize, limit: usize },
}

//! Frames from node to node: at most once, in any order, perhaps twice. [`crate::node::link`] makes a conversation of it.

mod local;
mod nats;
#[cfg(test)]
mod tests;

pub use local::LocalBus;
pub use nats::NatsBus;

use async_trait::async_trait;
use tokio::sync::mpsc;

#[async_trait]
pub trait Bus: Send + Sync + 'static {
    /// From now on, what is published to `node`.
    async fn listen(&self, node: &str) -> Result<mpsc::Receiver<Vec<u8>>, BusError>;

    /// Never waits for long: what cannot be sent now is lost.
    async fn publish(&self, node: &str, frame: Vec<u8>);
}

/// Frames that a node has not read yet; more are lost.
const INBOX: usize = 1024;

#[derive(Debug, thiserror::Error)]
pub enum BusError {
    #[error("the address of NATS cannot be used: {0}")]
    Address(String),
    #[error("NATS cannot be listened to: {0}")]
    Listen(String),
}

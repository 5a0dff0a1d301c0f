//! The bus over core NATS: one subject a node, nothing stored. Connects again by itself, for ever.

use super::{Bus, BusError, INBOX};
use async_nats::{Client, ConnectOptions};
use async_trait::async_trait;
use futures_util::StreamExt;
use std::time::Duration;
use tokio::sync::mpsc;

const AGAIN_AFTER: Duration = Duration::from_millis(100);
/// Without a connection the client keeps what is published; rather it is lost than waited for.
const PUBLISH_WITHIN: Duration = Duration::from_millis(50);

pub struct NatsBus {
    client: Client,
}

impl NatsBus {
    /// `nats://USER:PASSWORD@HOST:PORT`, several separated by commas. Does not wait for a server that is not there yet.
    pub async fn connect(urls: &str) -> Result<Self, BusError> {
        let servers: Vec<_> = urls
            .split(',')
            .map(|url| url.trim().parse::<async_nats::ServerAddr>())
            .collect::<Result<_, _>>()
            .map_err(|error| BusError::Address(error.to_string()))?;
        let client = ConnectOptions::new()
            .name("visavis")
            .retry_on_initial_connect()
            .reconnect_delay_callback(|_| AGAIN_AFTER)
            .connection_timeout(Duration::from_secs(2))
            .ping_interval(Duration::from_secs(2))
            .event_callback(|event| async move { tracing::info!(%event, "NATS") })
            .connect(servers)
            .await
            .map_err(|error| BusError::Address(error.to_string()))?;
        Ok(Self { client })
    }
}

fn subject(node: &str) -> String {
    format!("visavis.node.{node}")
}

#[async_trait]
impl Bus for NatsBus {
    async fn listen(&self, node: &str) -> Result<mpsc::Receiver<Vec<u8>>, BusError> {
        let mut messages = self.client.subscribe(subject(node)).await.map_err(|error| BusError::Listen(error.to_string()))?;
        let (frames, inbox) = mpsc::channel(INBOX);
        tokio::spawn(async move {
            while let Some(message) = messages.next().await {
                if frames.send(message.payload.into()).await.is_err() {
                    return;
                }
            }
        });
        Ok(inbox)
    }

    async fn publish(&self, node: &str, frame: Vec<u8>) {
        if self.client.connection_state() != async_nats::connection::State::Connected {
            return;
        }
        // Whatever becomes of it, the link repairs it.
        let _ = tokio::time::timeout(PUBLISH_WITHIN, self.client.publish(subject(node), frame.into())).await;
    }
}

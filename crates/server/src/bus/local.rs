//! The bus of nodes in one process. On one machine there is one node, which says nothing to itself through it.

use super::{Bus, BusError, INBOX};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tokio::sync::mpsc;

#[derive(Default)]
pub struct LocalBus {
    inboxes: Mutex<HashMap<String, mpsc::Sender<Vec<u8>>>>,
    #[cfg(test)]
    faults: Option<Mutex<crate::testnet::Net>>,
}

#[cfg(test)]
impl LocalBus {
    pub fn faulty(seed: u64, faults: crate::testnet::Faults) -> Self {
        Self { faults: Some(Mutex::new(crate::testnet::Net::new(seed, faults))), ..Self::default() }
    }
}

impl LocalBus {
    fn inbox(&self, node: &str) -> Option<mpsc::Sender<Vec<u8>>> {
        self.inboxes.lock().unwrap_or_else(PoisonError::into_inner).get(node).cloned()
    }
}

#[async_trait]
impl Bus for LocalBus {
    async fn listen(&self, node: &str) -> Result<mpsc::Receiver<Vec<u8>>, BusError> {
        let (frames, inbox) = mpsc::channel(INBOX);
        self.inboxes.lock().unwrap_or_else(PoisonError::into_inner).insert(node.to_owned(), frames);
        Ok(inbox)
    }

    async fn publish(&self, node: &str, frame: Vec<u8>) {
        let Some(inbox) = self.inbox(node) else { return };
        #[cfg(test)]
        if let Some(net) = &self.faults {
            let copies = net.lock().unwrap_or_else(PoisonError::into_inner).delays();
            for late in copies {
                let (inbox, frame) = (inbox.clone(), frame.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(std::time::Duration::from_millis(late)).await;
                    let _ = inbox.try_send(frame);
                });
            }
            return;
        }
        // Lost if the node is gone or slow.
        let _ = inbox.try_send(frame);
    }
}

//! The life of a node: its own lease, its beats, and the sockets that have been replaced without its hearing of it.

use super::{Cluster, Event, NodeError, SWEEP};
use crate::node::{Input, leads};
use crate::store::Store;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Takes the node's own lease and clears up after earlier processes of its name.
pub async fn begin_life(cluster: &Cluster, store: &dyn Store) -> Result<i64, NodeError> {
    store.release_all(&cluster.name).await?;
    let lease = leads::node_lease(&cluster.name);
    let rows = store.beat(&cluster.name).await?;
    let seen = rows.iter().find(|row| row.name == lease).map(|row| (row.fence, row.beat));
    let life = store.take(&lease, &cluster.name, seen).await?.ok_or_else(|| NodeError::Name(cluster.name.clone()))?;
    store.clear_node(&cluster.name, life - 1).await?;
    Ok(life)
}

pub async fn beat(cluster: Cluster, store: Arc<dyn Store>, events: mpsc::Sender<Event>) {
    loop {
        let asked = tokio::time::timeout(cluster.dead / 2, store.beat(&cluster.name)).await;
        let rows = asked.ok().and_then(|rows| rows.inspect_err(|error| tracing::warn!(%error, "no sign of life")).ok());
        if events.send(Event::Input(Box::new(Input::Leases(rows)))).await.is_err() {
            return;
        }
        tokio::time::sleep(cluster.beat).await;
    }
}

/// Word of a newer socket elsewhere may have been lost with a node.
pub async fn sweep(name: String, life: i64, store: Arc<dyn Store>, events: mpsc::Sender<Event>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        if events.is_closed() {
            return;
        }
        if let Ok(seated) = store.seated_at(&name, life).await
            && events.send(Event::Input(Box::new(Input::SeatedHere(seated.into_iter().collect())))).await.is_err()
        {
            return;
        }
    }
}

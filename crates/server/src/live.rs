//! Whose socket is on this node, for what does not concern the meeting room: texts of people one follows. Nothing is lost with a
//! message that finds nobody: it is stored before, and counted as unread.

use crate::store::AccountId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::mpsc;
use visavis_wire::socket::ServerMessage;

/// A socket that is so far behind finds the rest when it asks.
const BEHIND: usize = 32;

type Sockets = HashMap<AccountId, mpsc::Sender<ServerMessage>>;

#[derive(Clone, Default)]
pub struct Live(Arc<Mutex<Sockets>>);

/// Hears as long as it is held; a newer one of the same person takes its place.
pub struct Ear {
    account: AccountId,
    sockets: Weak<Mutex<Sockets>>,
    inbox: mpsc::Receiver<ServerMessage>,
}

impl Live {
    pub fn listen(&self, account: AccountId) -> Ear {
        let (sender, inbox) = mpsc::channel(BEHIND);
        locked(&self.0).insert(account, sender);
        Ear { account, sockets: Arc::downgrade(&self.0), inbox }
    }

    pub fn tell(&self, account: AccountId, message: ServerMessage) {
        if let Some(sender) = locked(&self.0).get(&account) {
            // Full or gone: the person asks by itself.
            let _ = sender.try_send(message);
        }
    }
}

impl Ear {
    /// Never returns after a newer one took its place.
    pub async fn hear(&mut self) -> ServerMessage {
        match self.inbox.recv().await {
            Some(message) => message,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.inbox.close();
        if let Some(sockets) = self.sockets.upgrade() {
            let mut sockets = locked(&sockets);
            if sockets.get(&self.account).is_some_and(mpsc::Sender::is_closed) {
                sockets.remove(&self.account);
            }
        }
    }
}

fn locked(sockets: &Mutex<Sockets>) -> MutexGuard<'_, Sockets> {
    sockets.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn word(waited_s: u32) -> ServerMessage {
        ServerMessage::Welcome { protocol: u16::try_from(waited_s).unwrap() }
    }

    #[tokio::test]
    async fn the_newest_socket_hears() {
        let (live, ada) = (Live::default(), AccountId(Uuid::from_u128(1)));
        live.tell(ada, word(1));
        let old = live.listen(ada);
        let mut new = live.listen(ada);
        drop(old);
        live.tell(ada, word(2));
        assert_eq!(new.hear().await, word(2));
        drop(new);
        assert!(locked(&live.0).is_empty());
    }
}

//! Carries out what concerns the server itself: asking one whether it is of use, going over to another, and signing in.

use super::{Loop, forward};
use crate::backend::{self, Backend};
use crate::evening::{Account, Input};
use crate::keyring::Keyring;
use crate::sign_in::{self, Outcome};
use crate::socket::SocketHandle;
use std::sync::Arc;
use tokio::sync::mpsc::unbounded_channel;

/// All that a client of a server is made of but its address.
pub(crate) struct Connect {
    pub profile_name: String,
    /// `false`: tokens live in memory.
    pub keyring: bool,
}

impl Connect {
    pub(crate) fn to(&self, address: &str) -> Backend {
        let keyring = if self.keyring { Keyring::system(format!("{}@{address}", self.profile_name)) } else { Keyring::memory() };
        Backend::new(address, keyring)
    }
}

impl Loop {
    pub(super) fn check_server(&self, typed: String) {
        let inputs = self.parts.inputs.clone();
        tokio::spawn(async move {
            let found = backend::check(&typed).await;
            // Nobody listens once the session ends.
            let _ = inputs.send(Input::ServerChecked { typed, found });
        });
    }

    /// What is under way with the one before comes to nothing. Nobody is signed in then, so there is no socket to close.
    pub(super) fn use_server(&mut self, address: String) {
        self.cancel_sign_in();
        self.parts.backend.retire();
        self.parts.backend = Arc::new(self.parts.connect.to(&address));
        let (events, from_socket) = unbounded_channel();
        self.socket = SocketHandle::start(Arc::clone(&self.parts.backend), events);
        // Ends with the socket's task.
        tokio::spawn(forward(from_socket, self.parts.inputs.clone(), Input::Socket));
        self.parts.settings.server = Some(address);
        self.remember_devices();
    }

    pub(super) fn start_sign_in(&mut self) {
        self.cancel_sign_in();
        let (backend, inputs) = (Arc::clone(&self.parts.backend), self.parts.inputs.clone());
        self.sign_in = Some(tokio::spawn(async move {
            let tell = |account| drop(inputs.send(Input::Account(account)));
            let outcome = sign_in::sign_in(&backend, sign_in::PATIENCE, |url| tell(Account::BrowserWanted { url })).await;
            match outcome {
                Outcome::SignedIn { kept } => {
                    match backend.me().await {
                        Ok(me) => tell(Account::SignedIn(Box::new(me))),
                        Err(failure) => tell(Account::Failed(failure)),
                    }
                    if !kept {
                        tell(Account::KeyringMissing);
                    }
                }
                Outcome::TimedOut => tell(Account::SignInTimedOut),
                Outcome::Failed(failure) => tell(Account::Failed(failure)),
            }
        }));
    }

    pub(super) fn cancel_sign_in(&mut self) {
        if let Some(task) = self.sign_in.take() {
            task.abort();
        }
    }
}

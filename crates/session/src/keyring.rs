//! The tokens in the system's keyring. Without one (no Secret Service on the bus, no bus at all, a locked keyring that asks and
//! gets no answer) they live in memory. The keyring's calls block, for ever in the worst case, so they happen on a thread of
//! their own and nobody waits longer than [`PATIENCE`].

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;
use tokio::sync::oneshot;

const PATIENCE: Duration = Duration::from_secs(3);
const SERVICE: &str = "visavis";

/// What is kept. Has no `Debug`: these are secrets.
#[derive(Clone, Serialize, Deserialize)]
pub struct Stored {
    pub access_token: String,
    pub refresh_token: String,
}

/// There is no keyring that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no system keyring that can be used")]
pub struct Missing;

enum Request {
    Load(oneshot::Sender<Result<Option<Stored>, Missing>>),
    Store(Option<Stored>, oneshot::Sender<Result<(), Missing>>),
}

pub struct Keyring {
    /// `None`: memory only by choice, which is no fault and no notice.
    worker: Option<Mutex<mpsc::Sender<Request>>>,
    /// It failed once: it is not asked (and waited for) again.
    broken: AtomicBool,
    patience: Duration,
}

impl Keyring {
    pub fn memory() -> Self {
        Self { worker: None, broken: AtomicBool::new(false), patience: PATIENCE }
    }

    /// `account` tells profiles and servers apart.
    pub fn system(account: String) -> Self {
        let (sender, requests) = mpsc::channel();
        let spawned = std::thread::Builder::new().name(String::from("keyring")).spawn(move || serve(&account, &requests));
        Self { worker: Some(Mutex::new(sender)), broken: AtomicBool::new(spawned.is_err()), patience: PATIENCE }
    }

    pub async fn load(&self) -> Result<Option<Stored>, Missing> {
        let (answer, answered) = oneshot::channel();
        match self.ask(Request::Load(answer))? {
            true => self.wait(answered).await,
            false => Ok(None),
        }
    }

    /// `None` deletes.
    pub async fn store(&self, stored: Option<Stored>) -> Result<(), Missing> {
        let (answer, answered) = oneshot::channel();
        match self.ask(Request::Store(stored, answer))? {
            true => self.wait(answered).await,
            false => Ok(()),
        }
    }

    fn ask(&self, request: Request) -> Result<bool, Missing> {
        let Some(worker) = &self.worker else { return Ok(false) };
        if self.broken.load(Ordering::Relaxed) {
            return Err(Missing);
        }
        worker.lock().unwrap_or_else(PoisonError::into_inner).send(request).map_err(|_| Missing)?;
        Ok(true)
    }

    async fn wait<T>(&self, answered: oneshot::Receiver<Result<T, Missing>>) -> Result<T, Missing> {
        let answer = match tokio::time::timeout(self.patience, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(Missing),
        };
        if answer.is_err() {
            self.broken.store(true, Ordering::Relaxed);
        }
        answer
    }
}

/// Ends when the session drops its side. Whoever asked may have given up waiting; that is no fault here.
fn serve(account: &str, requests: &mpsc::Receiver<Request>) {
    while let Ok(request) = requests.recv() {
        match request {
            Request::Load(answer) => drop(answer.send(load(account))),
            Request::Store(stored, answer) => drop(answer.send(store(account, stored))),
        }
    }
}

fn entry(account: &str) -> Result<keyring::v1::Entry, Missing> {
    keyring::v1::Entry::new(SERVICE, account).map_err(|error| missing(&error))
}

/// The error's kind only: its text may hold what was stored.
fn missing(error: &keyring::v1::Error) -> Missing {
    let kind = format!("{error:?}");
    let kind = kind.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    tracing::warn!(kind, "the keyring cannot be used");
    Missing
}

fn load(account: &str) -> Result<Option<Stored>, Missing> {
    match entry(account)?.get_password() {
        // Of an older version, or spoiled: as if nobody were signed in.
        Ok(text) => Ok(serde_json::from_str(&text).ok()),
        Err(keyring::v1::Error::NoEntry) => Ok(None),
        Err(error) => Err(missing(&error)),
    }
}

fn store(account: &str, stored: Option<Stored>) -> Result<(), Missing> {
    let entry = entry(account)?;
    let done = match stored {
        Some(stored) => entry.set_password(&serde_json::to_string(&stored).map_err(|_| Missing)?),
        None => entry.delete_credential(),
    };
    match done {
        Ok(()) | Err(keyring::v1::Error::NoEntry) => Ok(()),
        Err(error) => Err(missing(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn memory_only_is_no_fault() {
        let keyring = Keyring::memory();
        assert!(keyring.load().await.unwrap().is_none());
        let stored = Stored { access_token: String::from("a"), refresh_token: String::from("r") };
        assert_eq!(keyring.store(Some(stored)).await, Ok(()));
    }

    /// A worker that never answers is what a keyring that waits for a prompt looks like.
    #[tokio::test]
    async fn a_keyring_that_hangs_is_given_up() {
        let (sender, requests) = mpsc::channel();
        let worker = Some(Mutex::new(sender));
        let keyring = Keyring { worker, broken: AtomicBool::new(false), patience: Duration::from_millis(50) };
        assert!(keyring.load().await.is_err());
        assert_eq!(keyring.store(None).await, Err(Missing));
        assert_eq!(requests.try_iter().count(), 1, "it is not asked again");
    }

    /// Whatever this machine has, a keyring, a locked one or none: there is an answer in time, and without one it is "missing".
    #[tokio::test]
    async fn the_system_answers_or_is_given_up() {
        let keyring = Keyring::system(String::from("a test that stores nothing"));
        let begun = tokio::time::Instant::now();
        let found = keyring.load().await;
        assert!(begun.elapsed() < PATIENCE + Duration::from_secs(1));
        assert!(matches!(found, Ok(None) | Err(Missing)), "nothing was stored under this name");
        assert_eq!(keyring.broken.load(Ordering::Relaxed), found.is_err());
    }
}

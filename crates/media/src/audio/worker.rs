//! One OS thread of a device or its stand-in: a flag to stop it, a place for what went wrong, and a steady 20 ms pace.

use super::FRAME_TIME;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long stopping waits for the thread. A sound server that hangs must not hang the app with it.
const STOP_PATIENCE: Duration = Duration::from_secs(2);
/// A pace that has fallen behind by more than this starts anew, and does not rush to catch up.
const MAX_BEHIND: Duration = Duration::from_millis(200);

/// What thread and owner share.
#[derive(Default)]
pub(super) struct Shared {
    stop: AtomicBool,
    failure: Mutex<Option<String>>,
    failed: AtomicBool,
}

impl Shared {
    pub(super) fn stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// The first failure stays: what comes after is its consequence.
    pub(super) fn fail(&self, reason: String) {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
        self.failed.store(true, Ordering::Release);
    }

    pub(super) fn failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    pub(super) fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sleeps, but not through the owner's wish to stop.
    pub(super) fn sleep(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.stopping() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            thread::park_timeout(left);
        }
    }

    /// Calls `tick` every 20 ms until the owner stops.
    pub(super) fn pace(&self, mut tick: impl FnMut()) {
        let mut next = Instant::now() + FRAME_TIME;
        loop {
            self.sleep(next.saturating_duration_since(Instant::now()));
            if self.stopping() {
                return;
            }
            tick();
            next += FRAME_TIME;
            let now = Instant::now();
            if now.saturating_duration_since(next) > MAX_BEHIND {
                next = now;
            }
        }
    }
}

/// The owner's end. Dropping it stops the thread and waits for it.
pub(super) struct Worker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(super) fn spawn(name: &str, run: impl FnOnce(Arc<Shared>) + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || run(of_thread))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    pub(super) fn failure(&self) -> Option<String> {
        self.shared.failure()
    }

    /// What becomes of it without its owner's doing.
    pub(super) fn fate(&self) -> Fate {
        Fate(Arc::downgrade(&self.shared))
    }
}

/// A hand on a device that somebody else holds: of a scripted machine.
pub(crate) struct Fate(Weak<Shared>);

impl Fate {
    pub(crate) fn is_open(&self) -> bool {
        self.0.upgrade().is_some_and(|shared| !shared.stopping())
    }

    pub(crate) fn unplug(&self) {
        if let Some(shared) = self.0.upgrade() {
            shared.fail("it was unplugged".to_owned());
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        let Some(thread) = self.thread.take() else { return };
        thread.thread().unpark();
        // Dropped by the thread's own callback: it ends by itself when the callback returns.
        if thread.thread().id() == thread::current().id() {
            return;
        }
        let patience = Instant::now() + STOP_PATIENCE;
        while !thread.is_finished() {
            if Instant::now() > patience {
                tracing::warn!("a sound device does not close; left behind");
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        if thread.join().is_err() {
            tracing::error!("a sound thread panicked");
        }
    }
}

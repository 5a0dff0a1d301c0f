//! Single-slot mailbox, newest wins. A FIFO of raw frames would be latency: whoever reads late wants the newest picture.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

struct Slot<T> {
    value: Option<T>,
    closed: bool,
    overwritten: u64,
}

/// Both ends of a single-slot mailbox; cheap to clone.
pub struct Mailbox<T>(Arc<(Mutex<Slot<T>>, Condvar)>);

impl<T> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Self(Arc::new((Mutex::new(Slot { value: None, closed: false, overwritten: 0 }), Condvar::new())))
    }
}

impl<T> Mailbox<T> {
    pub fn new() -> Self {
        Self::default()
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Slot<T>> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a value, dropping (and counting) an unread one. Does nothing once closed.
    pub fn put(&self, value: T) {
        let mut slot = self.slot();
        if slot.closed {
            return;
        }
        if slot.value.replace(value).is_some() {
            slot.overwritten += 1;
        }
        self.0.1.notify_one();
    }

    /// Waits up to `timeout` for a value. `None`: nothing came, or closed.
    pub fn take(&self, timeout: Duration) -> Option<T> {
        let slot = self.slot();
        let (mut slot, _) = self
            .0
            .1
            .wait_timeout_while(slot, timeout, |slot| slot.value.is_none() && !slot.closed)
            .unwrap_or_else(PoisonError::into_inner);
        slot.value.take()
    }

    pub fn try_take(&self) -> Option<T> {
        self.slot().value.take()
    }

    /// Wakes whoever waits; later puts are dropped.
    pub fn close(&self) {
        self.slot().closed = true;
        self.0.1.notify_all();
    }

    pub fn is_closed(&self) -> bool {
        self.slot().closed
    }

    /// How many values were replaced unread.
    pub fn overwritten(&self) -> u64 {
        self.slot().overwritten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    #[test]
    fn the_newest_wins_and_the_others_are_counted() {
        let mailbox = Mailbox::new();
        assert_eq!(mailbox.take(NOW), None);
        (1..=3).for_each(|value| mailbox.put(value));
        assert_eq!((mailbox.take(NOW), mailbox.take(NOW), mailbox.overwritten()), (Some(3), None, 2));
    }

    #[test]
    fn a_put_wakes_the_reader() {
        let mailbox = Mailbox::new();
        let reader = mailbox.clone();
        let thread = std::thread::spawn(move || reader.take(Duration::from_secs(60)));
        mailbox.put(7);
        assert_eq!(thread.join().unwrap(), Some(7));
    }

    #[test]
    fn closing_wakes_the_reader_and_refuses_what_comes_later() {
        let mailbox: Mailbox<u8> = Mailbox::new();
        let reader = mailbox.clone();
        let thread = std::thread::spawn(move || reader.take(Duration::from_secs(60)));
        mailbox.close();
        assert_eq!(thread.join().unwrap(), None);
        mailbox.put(1);
        assert!(mailbox.is_closed());
        assert_eq!(mailbox.try_take(), None);
    }

    #[test]
    fn a_value_put_before_closing_can_still_be_taken() {
        let mailbox = Mailbox::new();
        mailbox.put(1);
        mailbox.close();
        assert_eq!(mailbox.take(NOW), Some(1));
    }
}

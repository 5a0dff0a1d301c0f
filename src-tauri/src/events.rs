//! From the session to the page: keeps the newest view, so that a page that starts in the middle (a reload) has one at once; the
//! paper the session shows anew when it is asked. Only one page is served, the one that subscribed last.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tauri::ipc::Channel;
use visavis_session::Event;

#[derive(Clone, Default)]
pub struct Events(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    page: Option<Channel<Event>>,
    view: Option<Event>,
}

impl Events {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn subscribe(&self, page: Channel<Event>) {
        let mut inner = self.inner();
        if let Some(view) = &inner.view {
            send(&page, view);
        }
        inner.page = Some(page);
    }

    /// Called for every event, in order.
    pub fn publish(&self, event: Event) {
        let mut inner = self.inner();
        if let Some(page) = &inner.page {
            send(page, &event);
        }
        if matches!(event, Event::View { .. }) {
            inner.view = Some(event);
        }
    }
}

fn send(page: &Channel<Event>, event: &Event) {
    // Fails only while the window is going away.
    if let Err(error) = page.send(event.clone()) {
        tracing::debug!(%error, "the page is not listening");
    }
}

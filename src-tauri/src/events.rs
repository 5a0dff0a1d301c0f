//! From the session to the page: keeps what a page needs to start in the middle (the newest view, the whole paper), so that a
//! reload loses nothing. Only one page is served, the one that subscribed last.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tauri::ipc::Channel;
use visavis_session::Event;

#[derive(Clone, Default)]
pub struct Events(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    page: Option<Channel<Event>>,
    view: Option<Event>,
    paper: Paper,
}

/// The visible strokes, as the page has been told of them.
#[derive(Default)]
struct Paper(Option<Event>);

impl Events {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn subscribe(&self, page: Channel<Event>) {
        let mut inner = self.inner();
        for event in [&inner.view, &inner.paper.0].into_iter().flatten() {
            send(&page, event);
        }
        inner.page = Some(page);
    }

    /// Called for every event, in order.
    pub fn publish(&self, event: Event) {
        let mut inner = self.inner();
        if let Some(page) = &inner.page {
            send(page, &event);
        }
        inner.keep(event);
    }
}

fn send(page: &Channel<Event>, event: &Event) {
    // Fails only while the window is going away.
    if let Err(error) = page.send(event.clone()) {
        tracing::debug!(%error, "the page is not listening");
    }
}

impl Inner {
    fn keep(&mut self, event: Event) {
        match event {
            Event::View { .. } => self.view = Some(event),
            other => self.paper.keep(other),
        }
    }
}

impl Paper {
    fn keep(&mut self, event: Event) {
        match (event, &mut self.0) {
            (event @ Event::Paper { .. }, _) => self.0 = Some(event),
            (Event::PaperAppend { stroke }, Some(Event::Paper { strokes })) => strokes.push(stroke),
            (Event::PaperAppend { stroke }, none) => *none = Some(Event::Paper { strokes: vec![stroke] }),
            _ => {}
        }
    }
}

//! Somebody with a session of their own, driven by what their page shows.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of their functions")]

use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, timeout_at};
use visavis_media::camera::CameraSource;
use visavis_rehearsal::{bot, browser};
use visavis_session::view::{CallView, Page, View};
use visavis_session::{Command, Config, Event, Session};

const PATIENCE: Duration = Duration::from_secs(45);

pub struct Person {
    pub session: Session,
    events: UnboundedReceiver<Event>,
    view: Option<View>,
    identity: &'static str,
}

impl Person {
    #[allow(dead_code, reason = "not of every test")]
    pub fn arrive(server: &str, profile: PathBuf, identity: &'static str, camera: CameraSource) -> Self {
        Self::with(bot::config(server, identity, profile, camera), identity)
    }

    pub fn with(config: Config, identity: &'static str) -> Self {
        browser::install_tls();
        let (session, events) = Session::start(config);
        Self { session, events, view: None, identity }
    }

    /// Waits for a view that satisfies `wanted`; panics with the last one when it takes too long.
    pub async fn until(&mut self, what: &str, mut wanted: impl FnMut(&View) -> bool) -> View {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // What came meanwhile counts: an old view says nothing of now.
            while let Ok(event) = self.events.try_recv() {
                self.take(event).await;
            }
            if let Some(view) = self.view.as_ref().filter(|view| wanted(view)) {
                return view.clone();
            }
            match timeout_at(deadline, self.events.recv()).await {
                Ok(Some(event)) => self.take(event).await,
                Ok(None) => panic!("{}: the session ended while waiting for {what}", self.identity),
                Err(_) => panic!("{}: waited for {what}, last seen {:?}", self.identity, self.view),
            }
        }
    }

    async fn take(&mut self, event: Event) {
        match event {
            Event::View { view } => self.view = Some(*view),
            Event::OpenBrowser { url } => drop(browser::sign_in(&url, self.identity).await.unwrap()),
            _ => {}
        }
    }

    pub async fn page(&mut self, name: &str) -> View {
        self.until(name, |view| bot::name_of(&view.page) == name).await
    }

    pub async fn call(&mut self, what: &str, mut wanted: impl FnMut(&CallView) -> bool) -> CallView {
        let view = self.until(what, |view| matches!(&view.page, Page::Call(call) if wanted(call))).await;
        match view.page {
            Page::Call(call) => *call,
            other => panic!("not in a call: {other:?}"),
        }
    }
}

/// From the first page to a call of the two.
pub async fn meet(a: &mut Person, b: &mut Person) {
    for person in [&mut *a, &mut *b] {
        person.page("welcome").await;
        person.session.command(Command::SignIn);
        person.page("mirror").await;
        person.session.command(Command::Meet);
    }
    for person in [&mut *a, &mut *b] {
        person.page("match").await;
        person.session.command(Command::AnswerMatch { meet: true });
    }
    a.page("call").await;
    b.page("call").await;
}

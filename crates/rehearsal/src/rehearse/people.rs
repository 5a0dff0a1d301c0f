//! The people of an evening: in this process, in a process of their own, or with a window. Each can be killed and comes back; whoever
//! is let go leaves with a word.

use super::apart;
use super::plan::Guest;
use super::record::{self, Event};
use super::windows::{self, Room};
use crate::bot::{self, Manner, Report};
use crate::processes;
use crate::rude::{self, Rude};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use visavis_session::Session;

/// For good-byes.
const GOODBYE: Duration = Duration::from_secs(5);

/// Of an app that ended without a word.
const VANISHED: Report = Report::Page { page: record::VANISHED };

/// The first process of each window that is open.
pub type Roots = Arc<Mutex<BTreeMap<usize, u32>>>;

/// People of this process who are there, and what they are told to do by the plan.
pub type Sessions = Arc<Mutex<BTreeMap<usize, Arc<Session>>>>;

/// Who comes, and to where.
pub struct Coming {
    pub who: usize,
    pub guest: Guest,
    /// Of the server.
    pub url: String,
    pub folder: PathBuf,
    pub began: Instant,
    pub events: UnboundedSender<Event>,
}

impl Coming {
    fn say(&self, what: Report) {
        // Nobody reads any more: the evening is over.
        let _ = self.events.send(Event { at: self.began.elapsed(), who: self.who, what });
    }
}

pub enum Body {
    Here(Sessions),
    Apart,
    Rude,
    Window { room: Room, place: usize, roots: Roots },
}

/// How one life ended.
enum Fate {
    /// By itself, or let go.
    Over,
    Killed,
}

/// One person.
pub struct Seat {
    alive: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Seat {
    pub fn of(coming: Coming, body: Body) -> Self {
        let (alive, receiver) = watch::channel(true);
        Self { alive, task: tokio::spawn(lives(coming, body, receiver)) }
    }

    pub fn kill(&self) {
        self.alive.send_replace(false);
    }

    pub fn come_back(&self) {
        self.alive.send_replace(true);
    }

    /// They leave with a word, if they get to it.
    pub async fn let_go(self) {
        drop(self.alive);
        let abort = self.task.abort_handle();
        if tokio::time::timeout(2 * GOODBYE, self.task).await.is_err() {
            abort.abort();
        }
    }
}

async fn lives(coming: Coming, body: Body, mut alive: watch::Receiver<bool>) {
    tokio::time::sleep_until(coming.began + coming.guest.arrives).await;
    loop {
        if alive.wait_for(|alive| *alive).await.is_err() {
            return;
        }
        let killed = killed(alive.clone());
        let fate = match &body {
            Body::Here(sessions) => here(&coming, sessions, killed).await,
            Body::Apart => apart(&coming, killed).await,
            Body::Rude => rude(&coming, killed).await,
            Body::Window { room, place, roots } => window(&coming, room, *place, roots, killed).await,
        };
        match fate {
            Fate::Over => return,
            Fate::Killed => coming.say(VANISHED),
        }
    }
}

/// `false`: let go.
async fn killed(mut alive: watch::Receiver<bool>) -> bool {
    alive.wait_for(|alive| !*alive).await.is_ok()
}

/// Hands reports on as events, until the last one; ends with this value.
struct Forward(JoinHandle<()>);

impl Drop for Forward {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Forward {
    fn start(coming: &Coming, mut said: UnboundedReceiver<Report>, in_call: Arc<Notify>) -> Self {
        let (began, who, events) = (coming.began, coming.who, coming.events.clone());
        Self(tokio::spawn(async move {
            while let Some(what) = said.recv().await {
                if matches!(what, Report::Page { page: "call" }) {
                    in_call.notify_one();
                }
                // The watcher of pictures would hold this open for as long as the person is there.
                let last = matches!(what, Report::Ended { .. });
                if events.send(Event { at: began.elapsed(), who, what }).is_err() || last {
                    return;
                }
            }
        }))
    }
}

async fn here(coming: &Coming, sessions: &Sessions, killed: impl Future<Output = bool>) -> Fate {
    let guest = &coming.guest;
    let mut config = bot::config(&coming.url, &guest.identity, coming.folder.join(&guest.identity), guest.camera.clone());
    if guest.manner.speaks {
        config.microphone = Some(bot::voice(&guest.identity));
    }
    if let Some(fps) = guest.manner.weak_camera_fps {
        config.machine = Arc::new(bot::WeakCamera { fps });
    }
    let (session, inputs) = Session::start(config);
    let session = Arc::new(session);
    let there = || sessions.lock().unwrap_or_else(PoisonError::into_inner);
    there().insert(coming.who, Arc::clone(&session));
    let (reports, said) = unbounded_channel::<Report>();
    let (in_call, crash) = (Arc::new(Notify::new()), guest.manner.crashes_after_s.map(Duration::from_secs_f64));
    let mut forward = Forward::start(coming, said, Arc::clone(&in_call));
    let crashes = async {
        in_call.notified().await;
        match crash {
            Some(after) => tokio::time::sleep(after).await,
            None => std::future::pending().await,
        }
    };
    // Nobody reads the reports of one who crashed or was killed, so that the watcher of pictures lets go too: the session ends
    // without a word.
    let fate = tokio::select! {
        () = bot::attend(Arc::clone(&session), inputs, manner(guest), reports) => {
            // Ends with the last report.
            let _ = (&mut forward.0).await;
            let _ = tokio::time::timeout(GOODBYE, session.shutdown()).await;
            Fate::Over
        }
        () = crashes => {
            coming.say(VANISHED);
            Fate::Over
        }
        killed = killed => match killed {
            true => Fate::Killed,
            false => {
                // Who does not get through is cut off with the server.
                let _ = tokio::time::timeout(GOODBYE, session.shutdown()).await;
                Fate::Over
            }
        },
    };
    there().remove(&coming.who);
    fate
}

async fn apart(coming: &Coming, killed: impl Future<Output = bool>) -> Fate {
    let mut app = match apart::App::start(&coming.guest, &coming.url, &coming.folder) {
        Ok(app) => app,
        Err(error) => {
            coming.say(Report::Notice { notice: serde_json::json!({ "process": error.to_string() }) });
            return Fate::Over;
        }
    };
    let killed = tokio::select! {
        () = app.attend(|what| coming.say(what)) => return Fate::Over,
        killed = killed => killed,
    };
    if killed {
        app.kill().await;
        return Fate::Killed;
    }
    app.leave(GOODBYE).await;
    Fate::Over
}

/// It never says good-bye.
async fn rude(coming: &Coming, killed: impl Future<Output = bool>) -> Fate {
    let (reports, said) = unbounded_channel::<Report>();
    let mut forward = Forward::start(coming, said, Arc::new(Notify::new()));
    let manner = Rude {
        url: coming.url.clone(),
        identity: coming.guest.identity.clone(),
        leave_after: Duration::from_secs_f64(coming.guest.manner.leaves_after_s.unwrap_or(15.0)),
        meetings: coming.guest.manner.meetings,
    };
    tokio::select! {
        () = rude::attend(manner, reports) => {
            // Ends with the last report.
            let _ = (&mut forward.0).await;
            Fate::Over
        }
        killed = killed => if killed { Fate::Killed } else { Fate::Over },
    }
}

async fn window(coming: &Coming, room: &Room, place: usize, roots: &Roots, killed: impl Future<Output = bool>) -> Fate {
    let guest = &coming.guest;
    let (reports, said) = unbounded_channel::<Report>();
    let forward = Forward::start(coming, said, Arc::new(Notify::new()));
    let camera = guest.camera.to_string();
    let there = || roots.lock().unwrap_or_else(PoisonError::into_inner);
    let opened = |id| {
        there().insert(coming.who, id);
    };
    let mut attended = Box::pin(windows::attend(room.clone(), place, &camera, manner(guest), reports, opened));
    let (outcome, fate) = tokio::select! {
        outcome = &mut attended => (Some(outcome), Fate::Over),
        killed = killed => match killed {
            true => {
                kill_window(there().get(&coming.who).copied());
                (None, Fate::Killed)
            }
            false => {
                // Nobody reads any more: the window is closed.
                forward.0.abort();
                let closed = tokio::time::timeout(GOODBYE, &mut attended).await.ok();
                if closed.is_none() {
                    // On a busy machine the driver does not get to it.
                    kill_window(there().get(&coming.who).copied());
                }
                (closed, Fate::Over)
            }
        },
    };
    there().remove(&coming.who);
    if let Some(Err(error)) = outcome {
        coming.say(Report::Notice { notice: serde_json::json!({ "window": error.to_string() }) });
    }
    fate
}

/// What the driver started: the driver first would close the window properly.
fn kill_window(driver: Option<u32>) {
    driver.into_iter().flat_map(processes::family).skip(1).for_each(processes::kill);
}

pub fn manner(guest: &Guest) -> Manner {
    let people = &guest.manner;
    Manner {
        identity: guest.identity.clone(),
        meet: !people.declines,
        reveal: !people.stays_veiled,
        follow: people.follows,
        draw: people.draws,
        play: people.plays,
        leave_after: people.leaves_after_s.map(Duration::from_secs_f64),
        camera: people.camera_does(),
        flood: people.floods,
        meetings: people.meetings,
    }
}

//! Runs a plan: starts the server with the bad network in front of its relay, lets the people come, does at each time what is due,
//! and ends with everything that was reported.

use super::flat::{self, Held, courses};
use super::plan::{Guest, Plan, What};
use super::record::{Event, Record};
use super::shim::{FRONT, Shim, Weather, free_relay_port};
use super::tap::{NamesSent, Tap};
use super::windows::{self, Room};
use crate::bot::{self, Manner, Report};
use crate::display::Display;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use visavis_server::{Config, RelayConfig, Server};
use visavis_session::{Command, Session};

/// Between two lines about how it goes.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// For good-byes at the end.
const GOODBYE: Duration = Duration::from_secs(5);

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The first process of each window that is open.
type Roots = Arc<Mutex<BTreeMap<usize, u32>>>;

/// People who are there, and what they are told to do by the plan.
type Sessions = Arc<Mutex<Vec<Arc<Session>>>>;

/// What there is to be judged.
pub struct Ran {
    pub events: Vec<Event>,
    pub ended: Duration,
    pub names_sent: BTreeSet<(usize, usize)>,
    pub held: Vec<Held>,
}

impl Ran {
    /// What it was, ready to be judged.
    pub fn record(&self, plan: &Plan, guests: &[Guest]) -> Record {
        let mut record = Record::of(guests.iter().map(|guest| guest.identity.clone()), &self.events, self.ended);
        record.names_sent.clone_from(&self.names_sent);
        record.courses = plan.flat.map(|flat| courses(&flat, &self.held, &record)).unwrap_or_default();
        record
    }
}

/// Goes through the evening. `tell` gets a line now and then.
pub async fn run(plan: &Plan, tell: &mut dyn FnMut(String)) -> Result<Ran, Failure> {
    crate::browser::install_tls();
    let guests = plan.guests()?;
    let folder = tempfile::Builder::new().prefix("visavis-rehearse").tempdir()?;
    let relay = SocketAddr::from(([127, 0, 0, 1], free_relay_port()?));
    let mut stage =
        Place { folder: folder.path().join("server"), http: SocketAddr::from(([127, 0, 0, 1], 0)), relay, plan, server: None };
    stage.open().await?;
    let weather = Weather { link: plan.network.clone(), out: false, udp_blocked: plan.udp_blocked };
    let shim = Shim::start(relay, weather, plan.seed).await.map_err(|error| {
        format!("a bad network in front of the relay needs the address {FRONT}, which this system does not have ({error})")
    })?;
    let began = Instant::now();
    let (reports, mut events) = unbounded_channel();
    let sessions = Sessions::default();
    let display = match plan.windows() {
        0 => None,
        count => {
            let (width, height) = windows::screen(count);
            Some((windows::app()?, Display::start(width, height)?))
        }
    };
    let (mut windows, roots, mut held) = (0, Roots::default(), Vec::new());
    let names_sent = NamesSent::default();
    let identities: Vec<String> = guests.iter().map(|guest| guest.identity.clone()).collect();
    let (mut taps, mut arrivals) = (Vec::new(), Vec::new());
    for (who, guest) in guests.iter().enumerate() {
        let tap = Tap::start(stage.http, who, &identities, Arc::clone(&names_sent)).await?;
        let url = format!("http://{}", tap.address);
        taps.push(tap);
        match &display {
            Some((app, display)) if guest.manner.window => {
                let room =
                    Room { app: app.clone(), display: display.name.clone(), server: url, folder: folder.path().to_owned() };
                arrivals.push(open(who, windows, guest.clone(), room, began, &roots, reports.clone()));
                windows += 1;
            }
            _ => arrivals.push(arrive(who, guest.clone(), url, folder.path(), began, &sessions, reports.clone())),
        }
    }
    drop(reports);
    let mut due = Agenda::of(plan);
    let mut told = Instant::now();
    let mut taken = Vec::new();
    let mut now = Now::new(guests.len());
    let end = began + Duration::from_secs_f64(plan.seconds);
    loop {
        let next = due.next().map_or(end, |at| (began + at).min(end));
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => {
                    now.take(&event);
                    taken.push(event);
                }
                // Everybody has had their meetings.
                None => break,
            },
            () = tokio::time::sleep_until(next) => {
                if Instant::now() >= end {
                    break;
                }
                for what in due.take(began.elapsed()) {
                    tell(format!("{:>5.1} s  {what:?}", began.elapsed().as_secs_f32()));
                    act(what, &shim, &mut stage, &sessions).await?;
                }
            }
        }
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            if plan.flat.is_some() {
                let roots = roots.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let all = std::iter::once((None, std::process::id())).chain(roots.into_iter().map(|(who, id)| (Some(who), id)));
                held.extend(all.filter_map(|(window, id)| flat::held(began.elapsed(), window, id)));
            }
            tell(format!("{:>5.1} s  {now}", began.elapsed().as_secs_f32()));
        }
    }
    let ended = began.elapsed();
    let leaving: Vec<Arc<Session>> = sessions.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for session in leaving {
        // Who does not get through is cut off with the server.
        let _ = tokio::time::timeout(GOODBYE, session.shutdown()).await;
    }
    arrivals.into_iter().for_each(|task| task.abort());
    stage.close().await;
    drop(taps);
    let names_sent = names_sent.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Ran { events: taken, ended, names_sent, held })
}

fn arrive(
    who: usize,
    guest: Guest,
    url: String,
    folder: &Path,
    began: Instant,
    sessions: &Sessions,
    events: UnboundedSender<Event>,
) -> JoinHandle<()> {
    let (profile, sessions) = (folder.join(&guest.identity), Arc::clone(sessions));
    tokio::spawn(async move {
        tokio::time::sleep_until(began + guest.arrives).await;
        let mut config = bot::config(&url, &guest.identity, profile, guest.camera.clone());
        if guest.manner.speaks {
            config.microphone = Some(bot::voice(&guest.identity));
        }
        let (session, inputs) = Session::start(config);
        let session = Arc::new(session);
        sessions.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&session));
        let (reports, mut said) = unbounded_channel::<Report>();
        let (in_call, crash) = (Arc::new(Notify::new()), guest.manner.crashes_after_s.map(Duration::from_secs_f64));
        let (called, ends) = (Arc::clone(&in_call), events.clone());
        let forward = tokio::spawn(async move {
            while let Some(what) = said.recv().await {
                if matches!(what, Report::Page { page: "call" }) {
                    called.notify_one();
                }
                // The watcher of pictures would hold this open for as long as the person is there.
                let last = matches!(what, Report::Ended { .. });
                if events.send(Event { at: began.elapsed(), who, what }).is_err() || last {
                    return;
                }
            }
        });
        let crashes = async {
            in_call.notified().await;
            match crash {
                Some(after) => tokio::time::sleep(after).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = bot::attend(Arc::clone(&session), inputs, manner(&guest), reports) => {
                // Ends with the last report.
                let _ = forward.await;
            }
            () = crashes => {
                // Nobody reads the reports any more, so that the watcher of pictures lets go too: the session ends without a word.
                forward.abort();
                sessions.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| !Arc::ptr_eq(other, &session));
                let _ = ends.send(Event { at: began.elapsed(), who, what: Report::Ended { meetings: 1 } });
            }
        }
    })
}

/// A person with a window.
fn open(
    who: usize,
    place: usize,
    guest: Guest,
    room: Room,
    began: Instant,
    roots: &Roots,
    events: UnboundedSender<Event>,
) -> JoinHandle<()> {
    let roots = Arc::clone(roots);
    tokio::spawn(async move {
        tokio::time::sleep_until(began + guest.arrives).await;
        let (reports, mut said) = unbounded_channel::<Report>();
        let forward = async {
            while let Some(what) = said.recv().await {
                if events.send(Event { at: began.elapsed(), who, what }).is_err() {
                    return;
                }
            }
        };
        let camera = guest.camera.to_string();
        let opened = |id| {
            roots.lock().unwrap_or_else(PoisonError::into_inner).insert(who, id);
        };
        let (outcome, ()) = tokio::join!(windows::attend(room, place, &camera, manner(&guest), reports, opened), forward);
        roots.lock().unwrap_or_else(PoisonError::into_inner).remove(&who);
        if let Err(error) = outcome {
            let notice = serde_json::json!({ "window": error.to_string() });
            let _ = events.send(Event { at: began.elapsed(), who, what: Report::Notice { notice } });
        }
    })
}

fn manner(guest: &Guest) -> Manner {
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

async fn act(what: Todo, shim: &Shim, stage: &mut Place<'_>, sessions: &Sessions) -> Result<(), Failure> {
    match what {
        Todo::Plan(What::Network(link)) => shim.weather.send_modify(|weather| weather.link = link),
        Todo::Plan(What::OutageS(_)) => shim.weather.send_modify(|weather| weather.out = true),
        Todo::OutageEnds => shim.weather.send_modify(|weather| weather.out = false),
        Todo::Plan(What::ServerRestartAfterS(_)) => stage.close().await,
        Todo::ServerStarts => stage.open().await?,
        Todo::Plan(What::Cameras(modifier)) => {
            for session in sessions.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                session.command(Command::RehearseCamera { modifier: modifier.clone() });
            }
        }
    }
    Ok(())
}

/// The server and where it lives.
struct Place<'a> {
    folder: PathBuf,
    /// Fixed once it has been opened.
    http: SocketAddr,
    relay: SocketAddr,
    plan: &'a Plan,
    server: Option<visavis_server::Running>,
}

impl Place<'_> {
    async fn open(&mut self) -> Result<(), Failure> {
        let config = Config {
            listen: self.http,
            relay: Some(RelayConfig { listen: self.relay, public: Some(FRONT) }),
            recent_partners: self.plan.recent_partners,
            ..Config::dev(&self.folder)
        };
        let server = Server::start(config).await?;
        self.http = server.http;
        self.server = Some(server);
        Ok(())
    }

    async fn close(&mut self) {
        if let Some(server) = self.server.take() {
            server.shutdown().await;
        }
    }
}

#[derive(Debug)]
enum Todo {
    Plan(What),
    OutageEnds,
    ServerStarts,
}

/// What is left to do, by time.
struct Agenda(Vec<(Duration, Todo)>);

impl Agenda {
    fn of(plan: &Plan) -> Self {
        let mut todo = Vec::new();
        for change in &plan.change {
            let at = Duration::from_secs_f64(change.at_s);
            match &change.what {
                What::OutageS(seconds) => todo.push((at + Duration::from_secs_f64(*seconds), Todo::OutageEnds)),
                What::ServerRestartAfterS(seconds) => todo.push((at + Duration::from_secs_f64(*seconds), Todo::ServerStarts)),
                What::Network(_) | What::Cameras(_) => {}
            }
            todo.push((at, Todo::Plan(change.what.clone())));
        }
        todo.sort_by_key(|(at, _)| *at);
        Self(todo)
    }

    fn next(&self) -> Option<Duration> {
        self.0.first().map(|(at, _)| *at)
    }

    fn take(&mut self, now: Duration) -> Vec<Todo> {
        let due = self.0.iter().take_while(|(at, _)| *at <= now).count();
        self.0.drain(..due).map(|(_, todo)| todo).collect()
    }
}

/// Where everybody is, for a line.
struct Now {
    pages: Vec<&'static str>,
    calls: usize,
    notices: usize,
}

impl Now {
    fn new(people: usize) -> Self {
        Self { pages: vec!["not there"; people], calls: 0, notices: 0 }
    }

    fn take(&mut self, event: &Event) {
        match event.what {
            Report::Page { page } => {
                self.calls += usize::from(page == "call");
                if let Some(at) = self.pages.get_mut(event.who) {
                    *at = page;
                }
            }
            Report::Ended { .. } => {
                if let Some(at) = self.pages.get_mut(event.who) {
                    *at = "gone";
                }
            }
            Report::Notice { .. } => self.notices += 1,
            _ => {}
        }
    }
}

impl std::fmt::Display for Now {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut pages: Vec<(&str, usize)> = Vec::new();
        for page in &self.pages {
            match pages.iter_mut().find(|(name, _)| name == page) {
                Some((_, count)) => *count += 1,
                None => pages.push((page, 1)),
            }
        }
        pages.sort_unstable();
        for (page, count) in pages {
            write!(f, "{page} {count}  ")?;
        }
        write!(f, "| calls begun {}, notices {}", self.calls / 2, self.notices)
    }
}

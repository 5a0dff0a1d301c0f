//! Runs a plan: starts the server with the bad network in front of its relay, lets the people come, does at each time what is due,
//! and ends with everything that was reported.

use super::plan::{Guest, Plan, What};
use super::record::Event;
use super::shim::{FRONT, Shim, Weather, free_relay_port};
use crate::bot::{self, Manner, Report};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
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

/// People who are there, and what they are told to do by the plan.
type Sessions = Arc<Mutex<Vec<Arc<Session>>>>;

/// Goes through the evening. `tell` gets a line now and then.
pub async fn run(plan: &Plan, tell: &mut dyn FnMut(String)) -> Result<(Vec<Event>, Duration), Failure> {
    crate::browser::install_tls();
    let guests = plan.guests()?;
    let folder = tempfile::Builder::new().prefix("visavis-rehearse").tempdir()?;
    let relay = SocketAddr::from(([127, 0, 0, 1], free_relay_port()?));
    let mut stage =
        Place { folder: folder.path().join("server"), http: SocketAddr::from(([127, 0, 0, 1], 0)), relay, plan, server: None };
    stage.open().await?;
    let weather = Weather { link: plan.network.clone(), out: false };
    let shim = Shim::start(relay, weather, plan.seed).await.map_err(|error| {
        format!("a bad network in front of the relay needs the address {FRONT}, which this system does not have ({error})")
    })?;
    let began = Instant::now();
    let (reports, mut events) = unbounded_channel();
    let sessions = Sessions::default();
    let arrivals: Vec<JoinHandle<()>> = guests
        .iter()
        .enumerate()
        .map(|(who, guest)| arrive(who, guest.clone(), stage.url(), folder.path(), began, &sessions, reports.clone()))
        .collect();
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
    Ok((taken, ended))
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
        let (session, inputs) = Session::start(bot::config(&url, &guest.identity, profile, guest.camera.clone()));
        let session = Arc::new(session);
        sessions.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&session));
        let (reports, mut said) = unbounded_channel::<Report>();
        let forward = tokio::spawn(async move {
            while let Some(what) = said.recv().await {
                // The watcher of pictures would hold this open for as long as the person is there.
                let last = matches!(what, Report::Ended { .. });
                if events.send(Event { at: began.elapsed(), who, what }).is_err() || last {
                    return;
                }
            }
        });
        bot::attend(session, inputs, manner(&guest), reports).await;
        // Ends with the last report.
        let _ = forward.await;
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
        cover: people.covers_s.map(|[from, to]| (from, to)),
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
    fn url(&self) -> String {
        format!("http://{}", self.http)
    }

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

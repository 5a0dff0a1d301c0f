//! Runs a plan: starts the servers with the bad network in front of their relay, lets the people come, does at each time what is due,
//! and ends with everything that was reported.

use super::agenda::{Agenda, Todo};
use super::flat::{self, Held, courses};
use super::part::Target;
use super::people::{Body, Coming, Roots, Seat, Sessions};
use super::place::Place;
use super::plan::{Guest, Plan};
use super::record::{Event, Record};
use super::shim::{Ear, FRONT, Shim, Weather};
use super::tap::{Heard, Tap};
use super::windows::{self, Room};
use crate::bot::Report;
use crate::display::Display;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::Instant;
use visavis_session::Command;

/// Between two lines about how it goes.
const TELL_EVERY: Duration = Duration::from_secs(5);

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What there is to be judged.
pub struct Ran {
    record: Record,
    held: Vec<Held>,
}

impl Ran {
    /// What it was, ready to be judged.
    pub fn record(self, plan: &Plan) -> Record {
        let Self { mut record, held } = self;
        record.courses = plan.flat.map(|flat| courses(&flat, &held, &record)).unwrap_or_default();
        record
    }
}

/// All that runs.
struct Evening<'a> {
    plan: &'a Plan,
    place: Place,
    shim: Shim,
    sessions: Sessions,
    roots: Roots,
    heard: Heard,
    seats: Vec<Seat>,
    taps: Vec<Tap>,
    began: Instant,
    agenda: Agenda,
    held: Vec<Held>,
    done: Vec<(Duration, String)>,
}

/// Goes through the evening. `tell` gets a line now and then.
pub async fn run(plan: &Plan, tell: &mut dyn FnMut(String)) -> Result<Ran, Failure> {
    crate::browser::install_tls();
    let guests = plan.guests()?;
    let folder = tempfile::Builder::new().prefix("visavis-rehearse").tempdir()?;
    let place = Place::open(plan, folder.path()).await?;
    let weather = Weather { link: plan.network.clone(), out: false, udp_blocked: plan.udp_blocked };
    let heard = Heard::default();
    let ear = Ear::of(guests.iter().map(|guest| guest.identity.as_str()), Arc::clone(&heard));
    let shim = Shim::start_with(place.relay, weather, plan.seed, Some(ear)).await.map_err(|error| {
        format!("a bad network in front of the relay needs the address {FRONT}, which this system does not have ({error})")
    })?;
    let display = match plan.windows() {
        0 => None,
        count => {
            let (width, height) = windows::screen(count);
            Some((windows::app()?, Display::start(width, height)?))
        }
    };
    let mut evening = Evening {
        plan,
        place,
        shim,
        sessions: Sessions::default(),
        roots: Roots::default(),
        heard,
        seats: Vec::new(),
        taps: Vec::new(),
        began: Instant::now(),
        agenda: Agenda::of(plan, &guests),
        held: Vec::new(),
        done: Vec::new(),
    };
    let events = evening.let_come(&guests, display.as_ref(), folder.path()).await?;
    let record = evening.go_on(events, &guests, tell).await?;
    evening.end(record, tell).await
}

impl Evening<'_> {
    async fn let_come(
        &mut self,
        guests: &[Guest],
        display: Option<&(std::path::PathBuf, Display)>,
        folder: &Path,
    ) -> Result<UnboundedReceiver<Event>, Failure> {
        let (sender, events) = unbounded_channel();
        let identities: Vec<String> = guests.iter().map(|guest| guest.identity.clone()).collect();
        let mut windows = 0;
        for (who, guest) in guests.iter().enumerate() {
            let tap = Tap::start(&self.place.http(), (who, &identities), self.began, Arc::clone(&self.heard)).await?;
            let url = format!("http://{}", tap.address);
            self.taps.push(tap);
            let body = match display {
                Some((app, display)) if guest.manner.window => {
                    let (display, folder) = (display.name.clone(), folder.to_owned());
                    let room = Room { app: app.clone(), display, server: url.clone(), folder };
                    windows += 1;
                    Body::Window { room, place: windows - 1, roots: Arc::clone(&self.roots) }
                }
                _ if guest.manner.apart => Body::Apart,
                _ if guest.manner.malformed => Body::Rude,
                _ => Body::Here(Arc::clone(&self.sessions)),
            };
            let (guest, folder, events) = (guest.clone(), folder.to_owned(), sender.clone());
            self.seats.push(Seat::of(Coming { who, guest, url, folder, began: self.began, events }, body));
        }
        Ok(events)
    }

    async fn go_on(
        &mut self,
        mut events: UnboundedReceiver<Event>,
        guests: &[Guest],
        tell: &mut dyn FnMut(String),
    ) -> Result<Record, Failure> {
        let (mut told, mut now) = (Instant::now(), Now::new(guests.len()));
        let mut record = Record::new(guests.iter().map(|guest| guest.identity.clone()));
        let end = self.began + Duration::from_secs_f64(self.plan.seconds);
        loop {
            // In a long call nobody may have anything to report.
            let next = self.agenda.next().map_or(end, |at| (self.began + at).min(end)).min(told + TELL_EVERY);
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => {
                        now.take(&event);
                        record.take(&event);
                    }
                    // Everybody has had their meetings.
                    None => break,
                },
                () = tokio::time::sleep_until(next) => {
                    if Instant::now() >= end {
                        break;
                    }
                    for todo in self.agenda.take(self.began.elapsed()) {
                        self.act(todo, tell).await?;
                    }
                }
            }
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                self.weigh();
                tell(format!("{:>5.1} s  {now}", self.began.elapsed().as_secs_f32()));
            }
        }
        record.end(self.began.elapsed());
        Ok(record)
    }

    fn weigh(&mut self) {
        if self.plan.flat.is_none() {
            return;
        }
        let roots = self.roots.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let all = std::iter::once((None, std::process::id())).chain(roots.into_iter().map(|(who, id)| (Some(who), id)));
        self.held.extend(all.filter_map(|(window, id)| flat::held(self.began.elapsed(), window, id)));
    }

    async fn act(&mut self, todo: Todo, tell: &mut dyn FnMut(String)) -> Result<(), Failure> {
        let at = self.began.elapsed();
        tell(format!("{:>5.1} s  {todo}", at.as_secs_f32()));
        self.done.push((at, todo.to_string()));
        match todo {
            Todo::Network(link) => self.shim.weather.send_modify(|weather| weather.link = link),
            Todo::Cameras(modifier) => {
                for session in self.sessions.lock().unwrap_or_else(PoisonError::into_inner).values() {
                    session.command(Command::RehearseCamera { modifier: modifier.clone() });
                }
            }
            Todo::Stop(Target::Network) => self.shim.weather.send_modify(|weather| weather.out = true),
            Todo::Start(Target::Network) => self.shim.weather.send_modify(|weather| weather.out = false),
            Todo::Stop(Target::Person(who)) => self.seats.iter().skip(who).take(1).for_each(Seat::kill),
            Todo::Start(Target::Person(who)) => self.seats.iter().skip(who).take(1).for_each(Seat::come_back),
            Todo::Stop(target) => self.place.stop(target).await,
            Todo::Start(target) => self.place.start(target).await?,
        }
        Ok(())
    }

    /// Everybody leaves, and the servers are asked what they still hold of them.
    async fn end(mut self, mut record: Record, tell: &mut dyn FnMut(String)) -> Result<Ran, Failure> {
        // What is still down comes back, so that it can be asked.
        let still: Vec<Todo> =
            self.agenda.take(Duration::MAX).into_iter().filter(|todo| matches!(todo, Todo::Start(_))).collect();
        let down = |done: &[(Duration, String)], target: &Target| {
            let stopped = format!("{}", Todo::Stop(*target));
            let started = format!("{}", Todo::Start(*target));
            done.iter()
                .rev()
                .find(|(_, words)| *words == stopped || *words == started)
                .is_some_and(|(_, words)| *words == stopped)
        };
        for todo in still {
            if let Todo::Start(target) = &todo
                && down(&self.done, target)
                && !matches!(target, Target::Person(_))
            {
                self.act(todo, tell).await?;
            }
        }
        let mut leaving: JoinSet<()> = self.seats.into_iter().map(Seat::let_go).collect();
        while leaving.join_next().await.is_some() {}
        record.left_over = self.place.left_over().await?;
        self.place.close().await;
        drop(self.taps);
        record.sent.clone_from(&self.heard.lock().unwrap_or_else(PoisonError::into_inner));
        record.done = self.done;
        Ok(Ran { record, held: self.held })
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

//! Owns the one [`Node`]: feeds it sockets, the clock, the bus and the store's answers, and carries out what it decides.

/// Asks again while the engine is away. A macro, because a closure that borrows cannot be shown to be `Send`.
macro_rules! persist {
    ($question:expr) => {{
        let began = Instant::now();
        loop {
            match $question.await {
                Err(StoreError::Engine(error)) if began.elapsed() < ASKED_FOR => {
                    tracing::warn!(%error, "the store is asked again");
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
                answer => break answer,
            }
        }
    }};
}

mod life;
mod questions;
mod writer;

use crate::bus::{Bus, BusError};
use crate::http::follow_id;
use crate::metrics::{Metrics, kind};
use crate::node::packet::Pool;
use crate::node::{Input, Me, Node, Output, leads};
use crate::random;
use crate::refusal::refusal;
use crate::relay::CredentialMaker;
use crate::room::{self, Rules, SocketId, Sources, TICK_MS};
use crate::store::{self, AccountId, Store, StoreError};
use life::{beat, begin_life, sweep};
use questions::{pool_of, take_pool};
use rand::Rng;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;
use visavis_wire::friends::FollowId;
use visavis_wire::http::RefusalCode;
use visavis_wire::socket::{ClientMessage, MatchId, RelayCredentials, ServerMessage};
use writer::Writer;

/// Messages on their way to one socket. A client that reads slower than this is dropped rather than waited for.
const OUTBOX: usize = 256;
const INBOX: usize = 4096;
/// A match that began longer ago, in seconds, was left behind by a server that died.
const TAKEN_UP_FOR: i64 = 24 * 3600;
/// Questions to the store under way at once.
const QUESTIONS: usize = 32;
/// A store that is away is asked again after this time, and for this long.
const AGAIN_AFTER: Duration = Duration::from_millis(150);
const ASKED_FOR: Duration = Duration::from_secs(60);
/// The node's clock starts here, so that people who waited before it have waited.
const CLOCK_STARTS: Duration = Duration::from_secs(24 * 3600);
/// Whether sockets have been replaced unnoticed is looked up so often.
const SWEEP: Duration = Duration::from_secs(10);

/// What a socket is told.
#[derive(Debug)]
pub enum Delivery {
    Message(Box<ServerMessage>),
    /// The last one: close.
    Close,
}

enum Event {
    Plug { account: AccountId, socket: SocketId, outbox: mpsc::Sender<Delivery> },
    Input(Box<Input>),
    InMatch(oneshot::Sender<usize>),
    Close,
}

/// How a node takes part.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub name: String,
    /// Between signs of life.
    pub beat: Duration,
    pub dead: Duration,
    /// One pool for each main language; otherwise one for all.
    pub by_language: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("another node starts under the name {0} at this moment; give each node a name of its own")]
    Name(String),
}

#[derive(Clone)]
pub struct RoomHandle {
    events: mpsc::Sender<Event>,
    store: Arc<dyn Store>,
}

impl RoomHandle {
    /// Enters after `Hello`. What is sent to this person arrives in the returned queue.
    pub async fn arrive(&self, account: AccountId, socket: SocketId) -> mpsc::Receiver<Delivery> {
        let (outbox, inbox) = mpsc::channel(OUTBOX);
        self.send(Event::Plug { account, socket, outbox }).await;
        inbox
    }

    pub async fn say(&self, account: AccountId, socket: SocketId, message: ClientMessage) {
        self.input(Input::Said { account, socket, message }).await;
    }

    pub async fn leave(&self, account: AccountId, socket: SocketId) {
        self.input(Input::Gone { account, socket }).await;
    }

    pub async fn profile_changed(&self, account: AccountId) {
        self.input(Input::ProfileChanged { account }).await;
    }

    /// Ends whatever this person does, on whatever node.
    pub async fn bar(&self, account: AccountId, code: RefusalCode) {
        self.input(Input::Barred { account, code }).await;
    }

    /// Whatever these two have together ends, on whatever node.
    pub async fn block(&self, by: AccountId, other: AccountId) {
        self.input(Input::Blocked { by, other }).await;
    }

    /// Rings at somebody whom this person follows.
    pub async fn call(&self, account: AccountId, socket: SocketId, callee: AccountId, direct: bool) {
        self.input(Input::Call { account, socket, callee, direct }).await;
    }

    /// If they are here, on whatever node. What must not be lost is stored before.
    pub async fn tell(&self, account: AccountId, message: ServerMessage) {
        self.input(Input::Tell { account, message: Box::new(message) }).await;
    }

    /// On whatever node. Nobody, where the store does not answer.
    pub async fn online(&self, accounts: Vec<AccountId>) -> Vec<bool> {
        let seated = self.store.seats_of(&accounts).await.unwrap_or_default();
        accounts.iter().map(|account| seated.iter().any(|(seated, _)| seated == account)).collect()
    }

    /// Takes nobody new; other nodes lead on where there are any.
    pub async fn drain(&self) {
        self.input(Input::Drain).await;
    }

    /// People at this node who are in a match.
    pub async fn in_match(&self) -> usize {
        let (answer, asked) = oneshot::channel();
        self.send(Event::InMatch(answer)).await;
        asked.await.unwrap_or(0)
    }

    /// Everybody is told and disconnected.
    pub async fn close(&self) {
        self.send(Event::Close).await;
    }

    async fn input(&self, input: Input) {
        self.send(Event::Input(Box::new(input))).await;
    }

    async fn send(&self, event: Event) {
        // After the node has ended nobody is left to be told.
        let _ = self.events.send(event).await;
    }
}

pub struct RoomTask {
    node: Node,
    cluster: Cluster,
    life: i64,
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    recent_partners: u32,
    sources: OsSources,
    sockets: HashMap<SocketId, (AccountId, mpsc::Sender<Delivery>)>,
    writers: BTreeMap<Pool, Writer>,
    questions: Arc<Semaphore>,
    inbox: mpsc::Receiver<Event>,
    own: mpsc::Sender<Event>,
    began: Instant,
    metrics: Metrics,
}

struct OsSources {
    relay: Option<CredentialMaker>,
    secret: [u8; 32],
}

impl Sources for OsSources {
    fn match_id(&mut self) -> MatchId {
        MatchId(random::hex(&random::bytes::<16>()))
    }

    fn coin(&mut self) -> bool {
        rand::rng().random()
    }

    fn relay(&mut self) -> RelayCredentials {
        self.relay.as_ref().map_or_else(RelayCredentials::default, |relay| relay.make(random::unix_seconds()))
    }

    fn follow_id(&self, of: AccountId, with: AccountId) -> FollowId {
        follow_id(&self.secret, of, with)
    }
}

/// What a node works with.
pub struct Parts {
    pub rules: Rules,
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub recent_partners: u32,
    pub relay: Option<CredentialMaker>,
    pub metrics: Metrics,
    /// Of the names that people who follow each other have for each other.
    pub secret: [u8; 32],
}

/// Starts the node. The task ends after [`RoomHandle::close`].
pub async fn start(cluster: Cluster, parts: Parts) -> Result<(RoomHandle, tokio::task::JoinHandle<()>), NodeError> {
    let Parts { rules, store, bus, recent_partners, relay, metrics, secret } = parts;
    let life = begin_life(&cluster, &*store).await?;
    let (events, inbox) = mpsc::channel(INBOX);
    let mut frames = bus.listen(&cluster.name).await?;
    let from_bus = events.clone();
    tokio::spawn(async move {
        while let Some(frame) = frames.recv().await {
            if from_bus.send(Event::Input(Box::new(Input::Heard(frame)))).await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(beat(cluster.clone(), Arc::clone(&store), events.clone()));
    tokio::spawn(sweep(cluster.name.clone(), life, Arc::clone(&store), events.clone()));
    let dead_ms = u64::try_from(cluster.dead.as_millis()).unwrap_or(u64::MAX);
    let task = RoomTask {
        node: Node::new(Me { name: cluster.name.clone(), life, dead_ms }, rules),
        cluster,
        life,
        store: Arc::clone(&store),
        bus,
        recent_partners,
        sources: OsSources { relay, secret },
        sockets: HashMap::new(),
        writers: BTreeMap::new(),
        questions: Arc::new(Semaphore::new(QUESTIONS)),
        inbox,
        own: events.clone(),
        began: Instant::now(),
        metrics,
    };
    Ok((RoomHandle { events, store }, tokio::spawn(task.run())))
}

impl RoomTask {
    async fn run(mut self) {
        let mut ticks = tokio::time::interval(Duration::from_millis(TICK_MS));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    self.step(Input::Tick).await;
                    self.show_figures();
                }
                event = self.inbox.recv() => match event {
                    Some(Event::Plug { account, socket, outbox }) => {
                        self.sockets.insert(socket, (account, outbox));
                        self.step(Input::Plugged { account, socket }).await;
                    }
                    Some(Event::Input(input)) => self.step(*input).await,
                    Some(Event::InMatch(answer)) => {
                        // Whoever asked may have gone.
                        let _ = answer.send(self.node.in_match());
                    }
                    Some(Event::Close) => break,
                    None => return,
                }
            }
        }
        self.step(Input::Close).await;
        // What is still to be written is written, if the store lets it.
        for (_, writer) in std::mem::take(&mut self.writers) {
            writer.finish().await;
        }
        if let Err(error) = self.store.clear_node(&self.cluster.name, self.life).await {
            tracing::warn!(%error, "the seats of this node stay");
        }
        if let Err(error) = self.store.release_all(&self.cluster.name).await {
            tracing::warn!(%error, "the leases of this node run out by themselves");
        }
    }

    async fn step(&mut self, input: Input) {
        let mut inputs = std::collections::VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let elapsed = CLOCK_STARTS + self.began.elapsed();
            let now_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            if let Input::Gone { socket, .. } = &input {
                self.sockets.remove(socket);
            }
            for output in self.node.handle(now_ms, input, &mut self.sources) {
                self.carry_out(output, &mut inputs).await;
            }
        }
    }

    fn show_figures(&self) {
        self.metrics.sockets.set(i64::try_from(self.sockets.len()).unwrap_or(i64::MAX));
        for (place, count) in self.node.counts() {
            self.metrics.people.get_or_create(&kind(place)).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    async fn carry_out(&mut self, output: Output, inputs: &mut std::collections::VecDeque<Input>) {
        match output {
            Output::Deliver { socket, message } => self.deliver(socket, Delivery::Message(message), inputs),
            Output::Close { socket } => {
                self.deliver(socket, Delivery::Close, inputs);
                self.sockets.remove(&socket);
            }
            Output::Publish { to, frame } => self.bus.publish(&to, frame).await,
            Output::Sit { account, socket } => self.sit(account, socket),
            Output::StandUp { account, socket } => {
                let seat = self.seat(socket);
                self.ask(async move |store| {
                    report("a seat", store.stand_up(account, &seat).await);
                    None
                });
            }
            Output::FindSeat { account, errand } => self.ask(async move |store| {
                let seats = store.seats_of(&[account]).await.ok()?;
                Some(Input::SeatFound { account, node: seats.into_iter().next()?.1.node, errand })
            }),
            Output::FindFriends { account } => self.ask(async move |store| {
                let (online, friends) = store.friends_here(account).await.ok()?;
                Some(Input::FriendsFound { account, online, friends })
            }),
            Output::FindPool { account, socket } => {
                let by_language = self.cluster.by_language;
                self.ask(async move |store| {
                    let pool = persist!(pool_of(&*store, account, by_language)).ok()?;
                    Some(Input::Pooled { account, socket, pool })
                });
            }
            Output::Take { pool, seen } => self.take(pool, seen),
            Output::Release { pool } => self.release(pool),
            Output::ClearNode { node, life } => self.ask(async move |store| {
                let seated = store.seated_at(&node, life).await.unwrap_or_default();
                report("the seats of a dead node", store.clear_node(&node, life).await);
                Some(Input::Cleared { accounts: seated.into_iter().map(|(account, _)| account).collect() })
            }),
            Output::Room { pool, output } => self.room(pool, output),
            Output::Superseded => {
                tracing::error!(node = self.cluster.name, "another process runs under this node's name; this one closes");
                inputs.push_back(Input::Close);
            }
        }
    }

    fn seat(&self, socket: SocketId) -> store::Seat {
        store::Seat { node: self.cluster.name.clone(), life: self.life, socket: socket.0.cast_signed() }
    }

    fn sit(&self, account: AccountId, socket: SocketId) {
        let (seat, by_language) = (self.seat(socket), self.cluster.by_language);
        self.ask(async move |store| {
            let replaced = persist!(store.sit(account, &seat));
            let pool = persist!(pool_of(&*store, account, by_language));
            let (Ok(replaced), Ok(pool)) = (replaced, pool) else {
                return Some(Input::Unseated { account, socket });
            };
            let replaced = replaced.map(|seat| (seat.node, seat.life, SocketId(seat.socket.cast_unsigned())));
            Some(Input::Seated { account, socket, replaced, pool })
        });
    }

    fn take(&self, pool: String, seen: Option<(i64, i64)>) {
        let (me, recent) = (self.cluster.name.clone(), self.recent_partners);
        self.ask(async move |store| {
            let taken = match take_pool(&*store, &pool, &me, seen, recent).await {
                Ok(taken) => taken,
                Err(error) => {
                    tracing::warn!(%error, pool, "a pool could not be taken");
                    None
                }
            };
            Some(Input::Taken { pool, taken })
        });
    }

    /// After everything that its room wanted written is written.
    fn release(&mut self, pool: Pool) {
        let writer = self.writers.remove(&pool);
        self.ask(async move |store| {
            if let Some(writer) = writer {
                writer.finish().await;
            }
            report("a lease", store.release(&leads::pool_lease(&pool.name), pool.fence).await);
            None
        });
    }

    fn room(&mut self, pool: Pool, output: room::Output) {
        match &output {
            room::Output::Began { .. } => {
                self.metrics.matches_begun.inc();
            }
            room::Output::Ended { how, .. } => {
                self.metrics.matches_ended.get_or_create(&kind(how.name())).inc();
            }
            _ => {}
        }
        match output {
            // Handed to sockets by the node itself.
            room::Output::Send { .. } | room::Output::Close { .. } | room::Output::Summon { .. } => {}
            room::Output::LookUpCall { match_id, caller, callee } => {
                let recent = self.recent_partners;
                self.ask(async move |store| {
                    let found = questions::callable(&*store, [caller, callee], recent).await;
                    Some(Input::Room { pool, input: room::Input::CallLookedUp { match_id, found } })
                });
            }
            room::Output::LookUp { account } => {
                let recent = self.recent_partners;
                self.ask(async move |store| {
                    let now = random::unix_seconds();
                    let found = match persist!(store.bar(account, now)) {
                        Ok(Some(bar)) => Ok(Err(refusal(crate::moderation::code(bar)))),
                        Ok(None) => persist!(store.entrant(account, recent, now)).map(Ok),
                        Err(error) => Err(error),
                    };
                    let found = match found {
                        Ok(Err(refusal)) => Err(refusal),
                        Ok(Ok(found)) => found.ok_or_else(|| refusal(RefusalCode::TokenInvalid)),
                        Err(error) => {
                            tracing::error!(%error, "somebody could not be looked up");
                            Err(refusal(RefusalCode::Internal))
                        }
                    };
                    Some(Input::Room { pool, input: room::Input::LookedUp { account, found } })
                });
            }
            output => {
                let known = Pool { name: pool.name.clone(), fence: pool.fence };
                self.writers.retain(|other, _| other.name != known.name || other.fence >= known.fence);
                let writer =
                    self.writers.entry(known).or_insert_with(|| Writer::start(pool, Arc::clone(&self.store), self.own.clone()));
                writer.write(output);
            }
        }
    }

    /// Beside the loop: the node goes on meanwhile and gets the answer as an input.
    fn ask<F>(&self, question: impl FnOnce(Arc<dyn Store>) -> F)
    where
        F: Future<Output = Option<Input>> + Send + 'static,
    {
        let answer = question(Arc::clone(&self.store));
        let (own, questions) = (self.own.clone(), Arc::clone(&self.questions));
        tokio::spawn(async move {
            let permit = questions.acquire_owned().await;
            let input = answer.await;
            drop(permit);
            if let Some(input) = input {
                // The node may have ended meanwhile.
                let _ = own.send(Event::Input(Box::new(input))).await;
            }
        });
    }

    fn deliver(&mut self, socket: SocketId, delivery: Delivery, inputs: &mut std::collections::VecDeque<Input>) {
        let Some((account, outbox)) = self.sockets.get(&socket) else { return };
        if outbox.try_send(delivery).is_err() {
            // Too slow or gone; dropping the sender ends the socket's task.
            inputs.push_back(Input::Gone { account: *account, socket });
            self.sockets.remove(&socket);
        }
    }
}

fn report<E: std::fmt::Display>(what: &str, result: Result<(), E>) {
    if let Err(error) = result {
        tracing::error!(%error, "{what} could not be written or checked");
    }
}

//! Owns the one [`Room`]: feeds it sockets, the clock and the store's answers, and carries out what it decides.

use crate::metrics::{Metrics, kind};
use crate::random;
use crate::refusal::refusal;
use crate::relay::CredentialMaker;
use crate::room::{Input, Output, Room, Rules, SocketId, Sources, TICK_MS};
use crate::store::{AccountId, Store};
use rand::Rng;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use visavis_wire::http::RefusalCode;
use visavis_wire::socket::{ClientMessage, MatchId, RelayCredentials, ServerMessage};

/// Messages on their way to one socket. A client that reads slower than this is dropped rather than waited for.
const OUTBOX: usize = 256;
const INBOX: usize = 4096;
/// A match that began longer ago, in seconds, was left behind by a server that died.
const TAKEN_UP_FOR: i64 = 24 * 3600;

/// What a socket is told.
#[derive(Debug)]
pub enum Delivery {
    Message(Box<ServerMessage>),
    /// The last one: close.
    Close,
}

enum Event {
    Plug { account: AccountId, socket: SocketId, outbox: mpsc::Sender<Delivery> },
    Input(Input),
    Online { accounts: Vec<AccountId>, answer: oneshot::Sender<Vec<bool>> },
}

#[derive(Clone)]
pub struct RoomHandle {
    events: mpsc::Sender<Event>,
}

impl RoomHandle {
    /// Enters the room after `Hello`. What is sent to this person arrives in the returned queue.
    pub async fn arrive(&self, account: AccountId, socket: SocketId) -> mpsc::Receiver<Delivery> {
        let (outbox, inbox) = mpsc::channel(OUTBOX);
        self.send(Event::Plug { account, socket, outbox }).await;
        inbox
    }

    pub async fn say(&self, account: AccountId, socket: SocketId, message: ClientMessage) {
        self.send(Event::Input(Input::Said { account, socket, message })).await;
    }

    pub async fn leave(&self, account: AccountId, socket: SocketId) {
        self.send(Event::Input(Input::Gone { account, socket })).await;
    }

    pub async fn profile_changed(&self, account: AccountId) {
        self.send(Event::Input(Input::ProfileChanged { account })).await;
    }

    /// Ends whatever this person does here.
    pub async fn bar(&self, account: AccountId, code: RefusalCode) {
        self.send(Event::Input(Input::Barred { account, code })).await;
    }

    /// Whatever these two have together ends.
    pub async fn block(&self, by: AccountId, other: AccountId) {
        self.send(Event::Input(Input::Blocked { by, other })).await;
    }

    pub async fn online(&self, accounts: Vec<AccountId>) -> Vec<bool> {
        let count = accounts.len();
        let (answer, asked) = oneshot::channel();
        self.send(Event::Online { accounts, answer }).await;
        asked.await.unwrap_or_else(|_| vec![false; count])
    }

    /// Everybody is told and disconnected.
    pub async fn close(&self) {
        self.send(Event::Input(Input::Closing)).await;
    }

    async fn send(&self, event: Event) {
        // After the room has ended nobody is left to be told.
        let _ = self.events.send(event).await;
    }
}

pub struct RoomTask {
    room: Room,
    store: Arc<dyn Store>,
    recent_partners: u32,
    sources: OsSources,
    sockets: HashMap<SocketId, (AccountId, mpsc::Sender<Delivery>)>,
    inbox: mpsc::Receiver<Event>,
    own: mpsc::Sender<Event>,
    began: Instant,
    metrics: Metrics,
}

struct OsSources {
    relay: Option<CredentialMaker>,
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
}

/// Starts the room. The task ends after [`RoomHandle::close`].
pub fn start(
    rules: Rules,
    store: Arc<dyn Store>,
    recent_partners: u32,
    relay: Option<CredentialMaker>,
    metrics: Metrics,
) -> (RoomHandle, tokio::task::JoinHandle<()>) {
    let (events, inbox) = mpsc::channel(INBOX);
    let task = RoomTask {
        room: Room::new(rules),
        store,
        recent_partners,
        sources: OsSources { relay },
        sockets: HashMap::new(),
        inbox,
        own: events.clone(),
        began: Instant::now(),
        metrics,
    };
    (RoomHandle { events }, tokio::spawn(task.run()))
}

impl RoomTask {
    async fn run(mut self) {
        self.take_up_running().await;
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
                        self.step(Input::Arrived { account, socket }).await;
                    }
                    Some(Event::Input(Input::Closing)) => {
                        self.step(Input::Closing).await;
                        return;
                    }
                    Some(Event::Input(input)) => self.step(input).await,
                    Some(Event::Online { accounts, answer }) => {
                        let online = accounts.into_iter().map(|account| self.room.is_online(account)).collect();
                        // Whoever asked may have gone.
                        let _ = answer.send(online);
                    }
                    None => return,
                }
            }
        }
    }

    /// Matches of the process before this one, whose people are about to come back.
    async fn take_up_running(&mut self) {
        match self.store.running_matches(random::unix_seconds() - TAKEN_UP_FOR).await {
            Ok(running) => {
                for running in running {
                    self.room.restore(0, running);
                }
            }
            Err(error) => tracing::error!(%error, "the running matches could not be read"),
        }
    }

    async fn step(&mut self, input: Input) {
        let mut inputs = std::collections::VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
            if let Input::Gone { socket, .. } = &input {
                self.sockets.remove(socket);
            }
            for output in self.room.handle(now_ms, input, &mut self.sources) {
                self.carry_out(output, &mut inputs).await;
            }
        }
    }

    fn show_figures(&self) {
        self.metrics.sockets.set(i64::try_from(self.sockets.len()).unwrap_or(i64::MAX));
        for (place, count) in self.room.counts() {
            self.metrics.people.get_or_create(&kind(place)).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    async fn carry_out(&mut self, output: Output, inputs: &mut std::collections::VecDeque<Input>) {
        match output {
            Output::Send { socket, message } => self.deliver(socket, Delivery::Message(message), inputs),
            Output::Close { socket } => {
                self.deliver(socket, Delivery::Close, inputs);
                self.sockets.remove(&socket);
            }
            // Matches that began or ended are written before the next input, so that their rows come in order.
            Output::Began { running } => {
                self.metrics.matches_begun.inc();
                let written = self.store.match_began(&running, random::unix_seconds()).await;
                report("a match that began", written);
            }
            Output::Ended { match_id, how } => {
                self.metrics.matches_ended.get_or_create(&kind(how.name())).inc();
                let written = self.store.match_ended(&match_id, how, random::unix_seconds()).await;
                report("a match that ended", written);
            }
            Output::LogSight(fact) => {
                let written = self.store.log_sight(&fact, random::unix_seconds()).await;
                report("what was seen", written);
            }
            // Questions are asked beside the loop: the room goes on meanwhile and gets the answer as an input.
            Output::LookUp { account } => {
                let recent = self.recent_partners;
                self.ask(move |store| async move {
                    let now = random::unix_seconds();
                    match store.bar(account, now).await {
                        Ok(None) => {}
                        Ok(Some(bar)) => return Input::LookedUp { account, found: Err(refusal(crate::moderation::code(bar))) },
                        Err(error) => {
                            tracing::error!(%error, "somebody could not be looked up");
                            return Input::LookedUp { account, found: Err(refusal(RefusalCode::Internal)) };
                        }
                    }
                    let found = match store.entrant(account, recent, now).await {
                        Ok(found) => found.ok_or_else(|| refusal(RefusalCode::TokenInvalid)),
                        Err(error) => {
                            tracing::error!(%error, "somebody could not be looked up");
                            Err(refusal(RefusalCode::Internal))
                        }
                    };
                    Input::LookedUp { account, found }
                });
            }
            Output::Commit { match_id, a, b } => self.ask(move |store| async move {
                let now = random::unix_seconds();
                let checked = store.both_adults(a, b).await;
                let free = matches!((store.bar(a, now).await, store.bar(b, now).await), (Ok(None), Ok(None)));
                let allowed = matches!(checked, Ok(true)) && free;
                report("a pair", checked.map(|_| ()));
                Input::Committed { match_id, allowed }
            }),
            Output::StoreFollow { match_id, a, b } => self.ask(move |store| async move {
                let written = store.add_follow(a, b, random::unix_seconds()).await;
                let stored = written.is_ok();
                report("a follow", written);
                Input::FollowStored { match_id, stored }
            }),
        }
    }

    fn ask<F>(&self, question: impl FnOnce(Arc<dyn Store>) -> F)
    where
        F: Future<Output = Input> + Send + 'static,
    {
        let answer = question(Arc::clone(&self.store));
        let own = self.own.clone();
        tokio::spawn(async move {
            let input = answer.await;
            // The room may have closed meanwhile.
            let _ = own.send(Event::Input(input)).await;
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

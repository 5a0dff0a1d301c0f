//! The meeting room: who is here, who waits, who is offered whom, which two are together, which questions are open.
//!
//! A pure state machine. [`Room::handle`] takes one [`Input`] and the time and returns what is to be done; `room_task` owns the one
//! instance, carries the outputs out and feeds the answers back. Sources of inputs:
//!
//! | input | from |
//! |---|---|
//! | `Arrived`, `Said`, `Gone` | the socket of one person (`socket`) |
//! | `ProfileChanged`, `Barred`, `Blocked` | the HTTP interface, and moderators' measures |
//! | `LookedUp`, `Committed`, `Begun`, `FollowStored` | the store, answering `LookUp`, `Commit`, `Began`, `StoreFollow` |
//! | `Tick` | the clock, every [`TICK_MS`] |
//! | `Closing` | shutdown |
//!
//! What one of the two says never reaches the other here except through [`crate::blind`] and [`crate::sdp`].

#[cfg(test)]
mod blocks;
#[cfg(test)]
mod calls;
mod games;
mod learning;
mod meeting;
mod people;
mod reconcile;
#[cfg(test)]
mod tests;
mod waiting;

pub use learning::Experience;
pub use people::card_of;

use crate::refusal::refuse;
use crate::store::{AccountId, Entrant, Parted, RunningMatch, SightFact};
use learning::Learnt;
use meeting::Meeting;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use visavis_wire::friends::{CallEnd, FollowId};
use visavis_wire::http::{Refusal, RefusalCode};
use visavis_wire::socket::{ClientMessage, EndReason, MatchId, RelayCredentials, ServerMessage};
use waiting::{Waiting, Waits};

/// Short beside the seconds that people wait, long beside the work of one round.
pub const TICK_MS: u64 = 250;

/// One connection of one person; a later one of the same person has another number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SocketId(pub u64);

#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub offer_ms: u64,
    /// How long somebody is called.
    pub ring_ms: u64,
    /// How long a match waits for a socket that broke.
    pub away_ms: u64,
    pub follow_ms: u64,
    pub waiting_news_ms: u64,
    /// For how long two are not offered each other again after an offer that came to nothing.
    pub declined_ms: u64,
    /// How often a match gets new credentials for its relay; well before the old ones expire.
    pub renew_relay_ms: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            offer_ms: 20_000,
            ring_ms: 30_000,
            away_ms: 20_000,
            follow_ms: 60_000,
            waiting_news_ms: 2_000,
            declined_ms: 600_000,
            renew_relay_ms: 1_800_000,
        }
    }
}

/// How far somebody's app is with a match, by what it was last told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    Offered {
        /// Has said "meet".
        meet: bool,
    },
    Together,
    Parting,
}

/// In which state somebody's socket comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arrival {
    /// `Hello` was read, its version is ours.
    New,
    /// Greeted long ago, by this room or by one before it: only news are told.
    Again { waited_ms: Option<u64>, place: Option<(MatchId, Phase)> },
}

#[derive(Debug)]
pub enum Input {
    Arrived {
        account: AccountId,
        socket: SocketId,
        arrival: Arrival,
    },
    Said {
        account: AccountId,
        socket: SocketId,
        message: ClientMessage,
    },
    Gone {
        account: AccountId,
        socket: SocketId,
    },
    ProfileChanged {
        account: AccountId,
    },
    /// Somebody calls a person whom they follow, and who follows them.
    Call {
        account: AccountId,
        socket: SocketId,
        callee: AccountId,
        /// The caller allows a direct path.
        direct: bool,
    },
    CallLookedUp {
        match_id: MatchId,
        found: Result<Box<[Entrant; 2]>, CallEnd>,
    },
    /// Paused, banned or deleted: whatever this person does here ends.
    Barred {
        account: AccountId,
        code: RefusalCode,
    },
    /// One of the two wants never to meet the other again; the store knows it already.
    Blocked {
        by: AccountId,
        other: AccountId,
    },
    LookedUp {
        account: AccountId,
        found: Result<Entrant, Refusal>,
    },
    Committed {
        match_id: MatchId,
        allowed: bool,
    },
    /// The match is written down as running.
    Begun {
        match_id: MatchId,
    },
    FollowStored {
        match_id: MatchId,
        stored: bool,
    },
    Tick,
    Closing,
}

#[derive(Debug)]
pub enum Output {
    Send {
        socket: SocketId,
        message: Box<ServerMessage>,
    },
    Close {
        socket: SocketId,
    },
    /// Answered by `LookedUp`.
    LookUp {
        account: AccountId,
    },
    /// Can this person be called now? Answered by `CallLookedUp`.
    LookUpCall {
        match_id: MatchId,
        caller: AccountId,
        callee: AccountId,
    },
    /// Somebody is called whose socket is in another pool: it is to be named to this one.
    Summon {
        account: AccountId,
    },
    /// Are both still allowed to meet, and free? Answered by `Committed`; nothing is announced before.
    Commit {
        pair: RunningMatch,
    },
    /// A commitment that came to nothing.
    Withdrawn {
        match_id: MatchId,
    },
    /// Both said "meet". Answered by `Begun`; neither is told before.
    Began {
        running: RunningMatch,
    },
    Ended {
        match_id: MatchId,
        how: EndReason,
    },
    LogSight(SightFact),
    /// The last question between the two is closed.
    Parted(Parted),
    /// The matcher's weights, for whoever leads next.
    Learnt(String),
    /// Answered by `FollowStored`.
    StoreFollow {
        match_id: MatchId,
        a: AccountId,
        b: AccountId,
    },
}

/// Chance and keys.
pub trait Sources {
    fn match_id(&mut self) -> MatchId;
    fn coin(&mut self) -> bool;
    fn relay(&mut self) -> RelayCredentials;
    /// What `of` knows `with` by.
    fn follow_id(&self, of: AccountId, with: AccountId) -> FollowId;
}

#[derive(Debug, Default)]
enum Place {
    #[default]
    Idle,
    /// Asked to join; the store is being asked.
    Joining {
        since_ms: u64,
    },
    Waiting(Box<Waiting>),
    Matched(MatchId),
}

#[derive(Debug, Default)]
struct Person {
    socket: Option<SocketId>,
    place: Place,
    /// The latest match whose follow question is still open.
    parting: Option<MatchId>,
}

pub struct Room {
    rules: Rules,
    people: BTreeMap<AccountId, Person>,
    matches: BTreeMap<MatchId, Meeting>,
    /// Pairs (smaller id first) that are left in peace until the given time.
    declined: BTreeMap<(AccountId, AccountId), u64>,
    waits: Waits,
    /// Since the latest round of pairing.
    newcomers: usize,
    paired_ms: u64,
    learnt: Learnt,
    closing: bool,
}

impl Room {
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            people: BTreeMap::new(),
            matches: BTreeMap::new(),
            declined: BTreeMap::new(),
            waits: Waits::default(),
            newcomers: 0,
            paired_ms: 0,
            learnt: Learnt::default(),
            closing: false,
        }
    }

    /// Takes up a match of the room before this one: both are away and come back, or it ends. Whether they see each other is
    /// not taken up: nobody's answer is written down, and both apps give theirs again.
    pub fn restore(&mut self, now_ms: u64, running: RunningMatch) {
        let RunningMatch { a, b, .. } = running;
        let free = |account: AccountId| self.people.get(&account).is_none_or(|person| matches!(person.place, Place::Idle));
        if a == b || !free(a) || !free(b) {
            return;
        }
        for account in [a, b] {
            self.people.entry(account).or_default().place = Place::Matched(running.id.clone());
        }
        let meeting = Meeting::restored(&running, now_ms, &self.rules);
        self.matches.insert(running.id, meeting);
    }

    /// Takes up a committed pair of the room before this one that has not begun. It may have been announced, so the two have the
    /// whole time again. Of strangers: a call that had not been answered is given up.
    pub fn restore_offer(&mut self, now_ms: u64, pair: RunningMatch, entrants: [Entrant; 2], sources: &mut dyn Sources) {
        let RunningMatch { id, a, b, a_offers, .. } = pair;
        let free = |account: AccountId| self.people.get(&account).is_none_or(|person| matches!(person.place, Place::Idle));
        if a == b || !free(a) || !free(b) {
            return;
        }
        for account in [a, b] {
            self.people.entry(account).or_default().place = Place::Matched(id.clone());
        }
        let [one, other] = entrants;
        let two = [(a, Waiting::restored(a, one, now_ms)), (b, Waiting::restored(b, other, now_ms))];
        self.matches.insert(id, Meeting::offered(two, a_offers, now_ms, &self.rules, sources));
    }

    /// How many people are where.
    pub fn counts(&self) -> [(&'static str, usize); 3] {
        let (mut idle, mut waiting, mut matched) = (0, 0, 0);
        for person in self.people.values() {
            match person.place {
                Place::Idle => idle += 1,
                Place::Joining { .. } | Place::Waiting(_) => waiting += 1,
                Place::Matched(_) => matched += 1,
            }
        }
        [("idle", idle), ("waiting", waiting), ("matched", matched)]
    }

    pub fn handle(&mut self, now_ms: u64, input: Input, sources: &mut dyn Sources) -> Vec<Output> {
        let mut out = Vec::new();
        match input {
            Input::Arrived { account, socket, arrival } => self.arrived(now_ms, account, socket, arrival, sources, &mut out),
            Input::Gone { account, socket } => self.gone(now_ms, account, socket, &mut out),
            Input::Said { account, socket, message } => {
                // A message of a socket that has been replaced meanwhile is nobody's.
                if self.people.get(&account).is_some_and(|person| person.socket == Some(socket)) {
                    self.said(now_ms, account, socket, message, &mut out);
                }
            }
            Input::ProfileChanged { account } => {
                if self.people.get(&account).is_some_and(|person| matches!(person.place, Place::Waiting(_))) {
                    out.push(Output::LookUp { account });
                }
            }
            Input::Call { account, socket, callee, direct } => self.call((account, socket), (callee, direct), sources, &mut out),
            Input::CallLookedUp { match_id, found } => self.call_looked_up(now_ms, &match_id, found, &mut out),
            Input::Barred { account, code } => self.barred(now_ms, account, code, &mut out),
            Input::Blocked { by, other } => self.blocked(now_ms, by, other, &mut out),
            Input::LookedUp { account, found } => {
                self.looked_up(now_ms, account, found, &mut out);
                self.pair_early(now_ms, sources, &mut out);
            }
            Input::Committed { match_id, allowed } => self.committed(now_ms, &match_id, allowed, sources, &mut out),
            Input::Begun { match_id } => self.begun(now_ms, &match_id, &mut out),
            Input::FollowStored { match_id, stored } => self.follow_stored(&match_id, stored, &mut out),
            Input::Tick => self.tick(now_ms, sources, &mut out),
            Input::Closing => self.close(&mut out),
        }
        out
    }

    fn arrived(
        &mut self,
        now_ms: u64,
        account: AccountId,
        socket: SocketId,
        arrival: Arrival,
        sources: &mut dyn Sources,
        out: &mut Vec<Output>,
    ) {
        if self.closing {
            out.push(send(socket, refuse(RefusalCode::ShuttingDown)));
            out.push(Output::Close { socket });
            return;
        }
        let old = self.people.entry(account).or_default().socket.filter(|old| *old != socket);
        if let Some(old) = old {
            out.push(send(old, refuse(RefusalCode::Replaced)));
            out.push(Output::Close { socket: old });
            self.unplug(now_ms, account, true, out);
        }
        let person = self.people.entry(account).or_default();
        person.socket = Some(socket);
        match arrival {
            Arrival::New => {
                out.push(send(socket, ServerMessage::Welcome { protocol: visavis_wire::SERVER_PROTOCOL }));
                self.resume(now_ms, account, socket, sources, out);
            }
            Arrival::Again { waited_ms, place } => self.reconcile(now_ms, account, socket, (waited_ms, place), sources, out),
        }
    }

    fn gone(&mut self, now_ms: u64, account: AccountId, socket: SocketId, out: &mut Vec<Output>) {
        if self.people.get(&account).is_some_and(|person| person.socket == Some(socket)) {
            self.unplug(now_ms, account, false, out);
            self.forget_if_idle(account);
        }
    }

    /// The person's socket is no longer there; waiting ends with it, a match goes on for a while. An offer survives a socket that
    /// is replaced at once.
    fn unplug(&mut self, now_ms: u64, account: AccountId, replaced: bool, out: &mut Vec<Output>) {
        let Some(person) = self.people.get_mut(&account) else { return };
        person.socket = None;
        if let Some(match_id) = self.stop_waiting(account) {
            self.went_away(now_ms, &match_id, account, replaced, out);
        }
    }

    /// Ends joining and waiting; gives the match that the person is in instead.
    fn stop_waiting(&mut self, account: AccountId) -> Option<MatchId> {
        let person = self.people.get_mut(&account)?;
        match &person.place {
            Place::Idle => None,
            Place::Joining { .. } | Place::Waiting(_) => {
                person.place = Place::Idle;
                self.waits.leave(account);
                None
            }
            Place::Matched(match_id) => Some(match_id.clone()),
        }
    }

    fn barred(&mut self, now_ms: u64, account: AccountId, code: RefusalCode, out: &mut Vec<Output>) {
        if !self.people.contains_key(&account) {
            return;
        }
        if let Some(match_id) = self.stop_waiting(account) {
            self.leave(now_ms, &match_id, account, out);
        }
        self.send_to(account, refuse(code), out);
        if code == RefusalCode::Leaving
            && let Some(socket) = self.people.get(&account).and_then(|person| person.socket)
        {
            out.push(Output::Close { socket });
        }
    }

    fn forget_if_idle(&mut self, account: AccountId) {
        let idle = |person: &Person| person.socket.is_none() && person.parting.is_none() && matches!(person.place, Place::Idle);
        if self.people.get(&account).is_some_and(idle) {
            self.people.remove(&account);
        }
    }

    fn said(&mut self, now_ms: u64, account: AccountId, socket: SocketId, message: ClientMessage, out: &mut Vec<Output>) {
        match message {
            // The socket answers a second greeting itself, and finds out who is called.
            ClientMessage::Hello { .. } | ClientMessage::Ring { .. } => {}
            ClientMessage::Join => self.join(now_ms, account, socket, 0, out),
            ClientMessage::CancelWaiting => self.cancel(now_ms, account, socket, out),
            ClientMessage::Widen { languages, any_age } => self.widen(now_ms, account, languages, any_age, out),
            ClientMessage::MatchAnswer { match_id, meet } => self.match_answer(now_ms, &match_id, account, meet, out),
            ClientMessage::AllowDirect { match_id } => self.allow_direct(&match_id, account),
            ClientMessage::Signal { match_id, signal } => self.signal(&match_id, account, signal, out),
            ClientMessage::Answer { match_id, question, yes } => self.answer(now_ms, &match_id, account, question, yes, out),
            ClientMessage::Leave { match_id } => self.leave(now_ms, &match_id, account, out),
            ClientMessage::SawCovered { match_id, saw_s, told_s } => {
                self.saw_covered(now_ms, &match_id, account, [saw_s, told_s], out);
            }
        }
    }

    fn tick(&mut self, now_ms: u64, sources: &mut dyn Sources, out: &mut Vec<Output>) {
        self.declined.retain(|_, until| *until > now_ms);
        self.expire_matches(now_ms, out);
        if !self.closing {
            self.pair(now_ms, sources, out);
            self.renew_relays(now_ms, sources, out);
            self.tell_waiting(now_ms, out);
        }
        self.keep_learnt(now_ms, out);
    }

    fn close(&mut self, out: &mut Vec<Output>) {
        self.closing = true;
        self.close_matches(out);
        out.extend(self.hand_on());
        for person in self.people.values_mut() {
            person.place = Place::Idle;
            if let Some(socket) = person.socket {
                out.push(send(socket, refuse(RefusalCode::ShuttingDown)));
                out.push(Output::Close { socket });
            }
        }
    }

    fn send_to(&self, account: AccountId, message: ServerMessage, out: &mut Vec<Output>) {
        if let Some(socket) = self.people.get(&account).and_then(|person| person.socket) {
            out.push(send(socket, message));
        }
    }
}

fn send(socket: SocketId, message: ServerMessage) -> Output {
    Output::Send { socket, message: Box::new(message) }
}

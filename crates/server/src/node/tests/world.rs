//! The world of the tests: nodes under a scheduler, a store with the promises of the real one, and people. Long because the three
//! share one clock, and each has to see what the others did.

use crate::node::leads::{node_lease, pool_lease, pool_of_lease};
use crate::node::packet::Pool;
use crate::node::{Input, Me, Node, Output, Taken};
use crate::room::{self, Experience, Rules, SocketId, Sources, TICK_MS};
use crate::store::{AccountId, Entrant, LeaseRow, RunningMatch};
use crate::testnet::{Faults, Net};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;
use visavis_wire::friends::FollowId;
use visavis_wire::http::RefusalCode;
use visavis_wire::people::{Fact, Profile};
use visavis_wire::socket::{ClientMessage, MatchId, RelayCredentials, ServerMessage, Signal};

const BEAT_MS: u64 = 400;
const STEP_MS: u64 = 10;

struct Drawn(u64);

impl Sources for Drawn {
    fn match_id(&mut self) -> MatchId {
        self.0 += 1;
        MatchId(format!("m{}", self.0))
    }
    fn coin(&mut self) -> bool {
        self.0.is_multiple_of(2)
    }
    fn relay(&mut self) -> RelayCredentials {
        RelayCredentials::default()
    }
    fn follow_id(&self, of: AccountId, with: AccountId) -> FollowId {
        FollowId(format!("{}-{}", of.0, with.0))
    }
}

#[derive(Default)]
struct Memory {
    leases: BTreeMap<String, LeaseRow>,
    engaged: BTreeMap<AccountId, (RunningMatch, String, bool)>,
    seats: BTreeMap<AccountId, (String, i64, SocketId)>,
    begun: BTreeSet<MatchId>,
    learnt: Option<String>,
    /// By node, the weights with which it began to lead and those that it handed on last.
    began_with: BTreeMap<usize, Option<String>>,
    learnt_of: BTreeMap<usize, String>,
    parted: usize,
}

struct Process {
    node: Node,
    life: i64,
    asleep: bool,
    /// What it would have handled, had it not slept.
    missed: Vec<Input>,
    /// By when the writer of its rooms is done with what it was given.
    writer_ms: u64,
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    Outside,
    Idle,
    Waiting,
    /// Whether "meet" has been said.
    Offered(MatchId, bool),
    Together(MatchId),
    Parting(MatchId),
}

struct Person {
    account: AccountId,
    at: Option<(usize, SocketId)>,
    state: State,
    /// When something is done next.
    next_ms: u64,
    signals: usize,
    /// Back on a new socket: by when the server has named the match, or it is over.
    back_by_ms: Option<u64>,
}

enum Job {
    /// Something the store does for a node, and may answer.
    Store {
        node: usize,
        life: i64,
        output: Output,
    },
    Answer {
        node: usize,
        life: i64,
        input: Input,
    },
}

pub struct World {
    pub now: u64,
    pub seed: u64,
    pub published: usize,
    /// Matches of people at different nodes.
    pub across: usize,
    random: StdRng,
    drawn: Drawn,
    net: Net,
    memory: Memory,
    store_away: bool,
    processes: Vec<Option<Process>>,
    lives: Vec<i64>,
    jobs: BTreeMap<(u64, u64), Job>,
    count: u64,
    people: Vec<Person>,
    stay: bool,
    closed: BTreeSet<SocketId>,
    who: BTreeMap<MatchId, BTreeSet<usize>>,
}

fn name(node: usize) -> String {
    format!("n{node}")
}

impl World {
    pub fn new(seed: u64, nodes: usize, people: usize, faults: Faults) -> Self {
        let person = |number: usize| Person {
            account: AccountId(Uuid::from_u128(number as u128 + 1)),
            at: None,
            state: State::Outside,
            next_ms: 1_000_000 + number as u64 * 13,
            signals: 0,
            back_by_ms: None,
        };
        let mut world = Self {
            now: 1_000_000,
            seed,
            published: 0,
            across: 0,
            random: StdRng::seed_from_u64(seed),
            drawn: Drawn(0),
            net: Net::new(seed, faults),
            memory: Memory::default(),
            store_away: false,
            processes: (0..nodes).map(|_| None).collect(),
            lives: vec![0; nodes],
            jobs: BTreeMap::new(),
            count: 0,
            people: (0..people).map(person).collect(),
            stay: false,
            closed: BTreeSet::new(),
            who: BTreeMap::new(),
        };
        (0..nodes).for_each(|node| world.start(node));
        world
    }

    pub fn random(&mut self, below: usize) -> usize {
        self.random.random_range(0..below)
    }

    pub fn start(&mut self, node: usize) {
        if self.processes[node].is_some() {
            return;
        }
        self.memory.leases.values_mut().filter(|row| row.holder == name(node)).for_each(|row| row.holder.clear());
        self.lives[node] += 1;
        let life = self.lives[node];
        let row = LeaseRow { name: node_lease(&name(node)), holder: name(node), fence: life, beat: 0 };
        self.memory.leases.insert(row.name.clone(), row);
        self.memory.seats.retain(|_, (at, seated, _)| *at != name(node) || *seated >= life);
        let rules = Rules { declined_ms: 0, ..Rules::default() };
        let made = Node::new(Me { name: name(node), life, dead_ms: 2_000 }, rules);
        self.processes[node] = Some(Process { node: made, life, asleep: false, missed: vec![], writer_ms: 0 });
    }

    pub fn kill(&mut self, node: usize) {
        self.processes[node] = None;
        for number in 0..self.people.len() {
            if self.people[number].at.is_some_and(|(at, _)| at == node) {
                self.lost_socket(number);
            }
        }
    }

    fn lost_socket(&mut self, number: usize) {
        let again = self.now + self.random.random_range(50..600);
        let person = &mut self.people[number];
        person.at = None;
        person.next_ms = again;
        // As the app does: an offer is gone with the socket, a match is not.
        if let State::Offered(_, meet) = person.state {
            person.state = if meet { State::Waiting } else { State::Idle };
        }
    }

    pub fn sleep(&mut self, node: usize, asleep: bool) {
        let Some(process) = &mut self.processes[node] else { return };
        process.asleep = asleep;
        if !asleep {
            for input in std::mem::take(&mut process.missed) {
                self.feed(node, input);
            }
        }
    }

    pub fn drain(&mut self, node: usize) {
        self.feed(node, Input::Drain);
    }

    pub fn store_away(&mut self, away: bool) {
        self.store_away = away;
    }

    pub fn net_down(&mut self, down: bool) {
        self.net.down = down;
    }

    pub fn calm(&mut self) {
        self.net.calm();
    }

    pub fn people_stay(&mut self, stay: bool) {
        self.stay = stay;
    }

    pub fn leader(&self) -> Option<usize> {
        let row = self.memory.leases.get(&pool_lease("all"))?;
        (0..self.processes.len()).find(|node| name(*node) == row.holder)
    }

    pub fn matches_begun(&self) -> usize {
        self.memory.begun.len()
    }

    pub fn parted(&self) -> usize {
        self.memory.parted
    }

    pub fn learnt(&self) -> Option<visavis_matching::Model> {
        self.memory.learnt.as_deref().and_then(visavis_matching::Model::from_text)
    }

    pub fn began_with(&self, node: usize) -> Option<String> {
        self.memory.began_with.get(&node).cloned().flatten()
    }

    pub fn last_learnt_of(&self, node: usize) -> Option<String> {
        self.memory.learnt_of.get(&node).cloned()
    }

    pub fn was_closed(&self, socket: SocketId) -> bool {
        self.closed.contains(&socket)
    }

    /// The same person from another place; the old socket is not told by anybody but the server.
    pub fn connect_again(&mut self, number: usize) -> SocketId {
        let old = self.people[number].at.take();
        let (node, socket) = old.unwrap_or((0, SocketId(0)));
        let nodes = self.processes.len();
        self.plug(number, (node + 1) % nodes);
        socket
    }

    pub fn pass(&mut self, ms: u64) {
        let until = self.now + ms;
        while self.now < until {
            self.now += STEP_MS;
            for (to, frame) in self.net.due(self.now) {
                if let Some(node) = (0..self.processes.len()).find(|node| name(*node) == to) {
                    self.feed(node, Input::Heard(frame));
                }
            }
            self.do_jobs();
            for node in 0..self.processes.len() {
                if self.now.is_multiple_of(TICK_MS) {
                    self.feed(node, Input::Tick);
                }
                if (self.now + node as u64 * 70).is_multiple_of(BEAT_MS) {
                    self.beat(node);
                }
            }
            for number in 0..self.people.len() {
                if self.people[number].next_ms <= self.now {
                    self.act(number);
                }
            }
        }
    }

    fn beat(&mut self, node: usize) {
        if self.processes[node].as_ref().is_none_or(|process| process.asleep) {
            return;
        }
        if self.store_away {
            self.feed(node, Input::Leases(None));
            return;
        }
        self.memory.leases.values_mut().filter(|row| row.holder == name(node)).for_each(|row| row.beat += 1);
        let rows = self.memory.leases.values().cloned().collect();
        self.feed(node, Input::Leases(Some(rows)));
    }

    fn do_jobs(&mut self) {
        while let Some(entry) = self.jobs.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let ((_, order), job) = entry.remove_entry();
            match job {
                Job::Store { .. } if self.store_away => {
                    self.jobs.insert((self.now + 150, order), job);
                }
                Job::Store { node, life, output } => match &self.processes[node] {
                    Some(process) if process.life == life && process.asleep => {
                        self.jobs.insert((self.now + 150, order), Job::Store { node, life, output });
                    }
                    Some(process) if process.life == life => self.store(node, life, output),
                    _ => {}
                },
                Job::Answer { node, life, input } => {
                    if self.processes[node].as_ref().is_some_and(|process| process.life == life) {
                        self.feed(node, input);
                    }
                }
            }
        }
    }

    fn job(&mut self, at: u64, job: Job) {
        self.count += 1;
        self.jobs.insert((at, self.count), job);
    }

    fn feed(&mut self, node: usize, input: Input) {
        let Some(process) = &mut self.processes[node] else { return };
        if process.asleep {
            process.missed.push(input);
            return;
        }
        let life = process.life;
        let outputs = process.node.handle(self.now, input, &mut self.drawn);
        for output in outputs {
            match output {
                Output::Publish { to, frame } => {
                    self.published += 1;
                    self.net.send(self.now, &to, frame);
                }
                Output::Deliver { socket, message } => {
                    if let Some(number) = self.people.iter().position(|person| person.at == Some((node, socket))) {
                        self.hear(number, *message);
                    }
                }
                Output::Close { socket } => {
                    self.closed.insert(socket);
                    if let Some(number) = self.people.iter().position(|person| person.at == Some((node, socket))) {
                        self.lost_socket(number);
                    }
                }
                Output::Superseded => panic!("seed {}: nobody else has this name", self.seed),
                output => {
                    let mut at = self.now + self.random.random_range(0..40);
                    // One writer a room, in order.
                    if matches!(&output, Output::Room { output, .. } if !matches!(output, room::Output::LookUp { .. }))
                        || matches!(output, Output::Release { .. })
                    {
                        let Some(process) = &mut self.processes[node] else { return };
                        process.writer_ms = process.writer_ms.max(at);
                        at = process.writer_ms;
                    }
                    self.job(at, Job::Store { node, life, output });
                }
            }
        }
    }

    fn store(&mut self, node: usize, life: i64, output: Output) {
        let answer = match output {
            Output::Sit { account, socket } => {
                let replaced = self.memory.seats.insert(account, (name(node), life, socket));
                let replaced = replaced.filter(|(_, _, old)| *old != socket);
                let engaged = self.memory.engaged.get(&account).and_then(|(_, lease, _)| pool_of_lease(lease));
                let pool = engaged.unwrap_or("all").to_owned();
                Some(Input::Seated { account, socket, replaced, pool })
            }
            Output::StandUp { account, socket } => {
                self.memory.seats.retain(|who, (_, _, seated)| *who != account || *seated != socket);
                None
            }
            Output::FindSeat { .. } | Output::FindFriends { .. } | Output::FindPool { .. } => None,
            Output::Take { pool, seen } => Some(self.take(node, pool, seen)),
            Output::Release { pool } => {
                let row = self.memory.leases.get_mut(&pool_lease(&pool.name));
                row.filter(|row| row.fence == pool.fence).into_iter().for_each(|row| row.holder.clear());
                None
            }
            Output::ClearNode { node, life } => {
                self.memory.seats.retain(|_, (at, seated, _)| *at != node || *seated > life);
                None
            }
            Output::Room { pool, output } => {
                if let room::Output::Learnt(model) = &output {
                    self.memory.learnt_of.insert(node, model.clone());
                }
                self.room(pool, output)
            }
            Output::Deliver { .. } | Output::Close { .. } | Output::Publish { .. } | Output::Superseded => None,
        };
        if let Some(input) = answer {
            let at = self.now + self.random.random_range(0..40);
            self.job(at, Job::Answer { node, life, input });
        }
    }

    fn take(&mut self, node: usize, pool: String, seen: Option<(i64, i64)>) -> Input {
        let lease = pool_lease(&pool);
        let held = self.memory.leases.get(&lease).map(|row| (row.fence, row.beat));
        if held != seen {
            return Input::Taken { pool, taken: None };
        }
        let fence = seen.map_or(1, |(fence, _)| fence + 1);
        self.memory.leases.insert(lease.clone(), LeaseRow { name: lease.clone(), holder: name(node), fence, beat: 0 });
        self.memory.began_with.insert(node, self.memory.learnt.clone());
        let experience = Experience { model: self.memory.learnt.clone(), interests: vec![] };
        let mut taken = Taken { fence, running: vec![], offered: vec![], experience };
        let mut known = BTreeSet::new();
        for (pair, shard, running) in self.memory.engaged.values() {
            if *shard == lease && known.insert(pair.id.clone()) {
                if *running {
                    taken.running.push(pair.clone());
                } else {
                    taken.offered.push((pair.clone(), [entrant(), entrant()]));
                }
            }
        }
        Input::Taken { pool, taken: Some(taken) }
    }

    fn room(&mut self, pool: Pool, output: room::Output) -> Option<Input> {
        let lease = pool_lease(&pool.name);
        let writes = matches!(
            output,
            room::Output::Commit { .. }
                | room::Output::Withdrawn { .. }
                | room::Output::Began { .. }
                | room::Output::Ended { .. }
                | room::Output::Parted(_)
                | room::Output::Learnt(_)
        );
        if writes && self.memory.leases.get(&lease).is_none_or(|row| row.fence != pool.fence) {
            return Some(Input::Fenced { pool });
        }
        let input = match output {
            room::Output::LookUp { account } => room::Input::LookedUp { account, found: Ok(entrant()) },
            room::Output::Commit { pair } => {
                let engaged = &mut self.memory.engaged;
                let allowed = [pair.a, pair.b].iter().all(|who| !engaged.contains_key(who));
                if allowed {
                    engaged.insert(pair.a, (pair.clone(), lease.clone(), false));
                    engaged.insert(pair.b, (pair.clone(), lease, false));
                }
                room::Input::Committed { match_id: pair.id, allowed }
            }
            room::Output::Withdrawn { match_id } => {
                self.memory.engaged.retain(|_, (pair, _, running)| pair.id != match_id || *running);
                return None;
            }
            room::Output::Began { running } => {
                self.memory.begun.insert(running.id.clone());
                self.memory.engaged.values_mut().filter(|(pair, ..)| pair.id == running.id).for_each(|entry| entry.2 = true);
                room::Input::Begun { match_id: running.id }
            }
            room::Output::Ended { match_id, .. } => {
                self.memory.engaged.retain(|_, (pair, ..)| pair.id != match_id);
                return None;
            }
            room::Output::Parted(_) => {
                self.memory.parted += 1;
                return None;
            }
            room::Output::Learnt(model) => {
                self.memory.learnt = Some(model);
                return None;
            }
            room::Output::StoreFollow { match_id, .. } => room::Input::FollowStored { match_id, stored: true },
            _ => return None,
        };
        Some(Input::Room { pool, input })
    }
}

fn entrant() -> Entrant {
    let profile = Profile { languages: Fact { value: vec!["en".into()], shared: true }, ..Profile::default() };
    Entrant { adult: true, profile, recent: vec![], blocked: vec![], conduct: 0, log: visavis_matching::Log::default() }
}

/// People.
impl World {
    fn plug(&mut self, number: usize, node: usize) {
        self.count += 1;
        let socket = SocketId(self.count);
        self.people[number].at = Some((node, socket));
        let account = self.people[number].account;
        self.feed(node, Input::Plugged { account, socket });
    }

    fn say(&mut self, number: usize, message: ClientMessage) {
        let Person { account, at: Some((node, socket)), .. } = self.people[number] else { return };
        self.feed(node, Input::Said { account, socket, message });
    }

    fn act(&mut self, number: usize) {
        self.people[number].next_ms = self.now + self.random.random_range(1_000..5_000);
        if self.people[number].at.is_none() {
            let alive: Vec<usize> =
                (0..self.processes.len()).filter(|node| self.processes[*node].as_ref().is_some_and(|it| !it.asleep)).collect();
            if !alive.is_empty() {
                let node = alive[self.random(alive.len())];
                self.plug(number, node);
            }
            return;
        }
        match self.people[number].state.clone() {
            State::Idle | State::Parting(_) => {
                self.people[number].state = State::Waiting;
                self.say(number, ClientMessage::Join);
            }
            State::Offered(match_id, _) => {
                self.people[number].state = State::Offered(match_id.clone(), true);
                self.say(number, ClientMessage::MatchAnswer { match_id, meet: true });
            }
            State::Together(_) if self.people[number].back_by_ms.take_if(|by| *by <= self.now).is_some() => {
                self.people[number].state = State::Idle;
            }
            State::Together(match_id) if !self.stay => self.say(number, ClientMessage::Leave { match_id }),
            State::Together(_) | State::Waiting | State::Outside => {}
        }
    }

    fn hear(&mut self, number: usize, message: ServerMessage) {
        let state = self.people[number].state.clone();
        let next = match message {
            ServerMessage::Welcome { .. } => match state {
                State::Outside => State::Idle,
                State::Waiting => {
                    self.say(number, ClientMessage::Join);
                    return;
                }
                State::Together(_) => {
                    self.people[number].back_by_ms = Some(self.now + 4_000);
                    return;
                }
                _ => return,
            },
            ServerMessage::MatchOffered { match_id, .. } => {
                if let State::Together(other) = &state {
                    // The leader and the socket died between the beginning and its being written down: as the app does, the offer
                    // is declined.
                    assert_eq!(*other, match_id, "seed {}: an offer in another match", self.seed);
                    self.people[number].state = State::Idle;
                    self.say(number, ClientMessage::MatchAnswer { match_id, meet: false });
                    return;
                }
                self.met(number, &match_id);
                State::Offered(match_id, false)
            }
            ServerMessage::MatchWithdrawn { match_id } => match state {
                State::Offered(id, meet) if id == match_id => {
                    if meet {
                        State::Waiting
                    } else {
                        State::Idle
                    }
                }
                _ => return,
            },
            ServerMessage::MatchBegins { match_id, .. } => {
                if let State::Together(other) = &state {
                    assert_eq!(*other, match_id, "seed {}: two matches at once", self.seed);
                }
                self.met(number, &match_id);
                self.people[number].back_by_ms = None;
                State::Together(match_id)
            }
            ServerMessage::MatchEnded { match_id, .. } => State::Parting(match_id),
            ServerMessage::FollowClosed { match_id } if state == State::Parting(match_id.clone()) => State::Idle,
            ServerMessage::Signal { .. } => {
                self.people[number].signals += 1;
                return;
            }
            ServerMessage::Refused { refusal } => {
                assert_ne!(refusal.code, RefusalCode::Internal);
                return;
            }
            _ => return,
        };
        let soon = self.now + self.random.random_range(20..400);
        let person = &mut self.people[number];
        person.state = next;
        person.next_ms = person.next_ms.min(soon);
        if let State::Together(_) = person.state {
            person.next_ms = self.now + self.random.random_range(500..3_000);
        }
    }

    fn met(&mut self, number: usize, match_id: &MatchId) {
        let who = self.who.entry(match_id.clone()).or_default();
        who.insert(number);
        assert!(who.len() <= 2, "seed {}: three in a match", self.seed);
        let nodes: BTreeSet<usize> = who.iter().filter_map(|who| Some(self.people[*who].at?.0)).collect();
        if nodes.len() == 2 {
            self.across += 1;
        }
    }

    pub fn match_of(&self, number: usize) -> Option<MatchId> {
        match &self.people[number].state {
            State::Together(id) => Some(id.clone()),
            _ => None,
        }
    }

    pub fn all_together(&self) -> bool {
        let connected = |number: usize| self.people[number].at.is_some() && self.match_of(number).is_some();
        (0..self.people.len()).all(connected)
            && self.people.iter().all(|person| self.memory.engaged.contains_key(&person.account))
    }

    pub fn who_is_missing(&self) -> String {
        let missing = self.people.iter().enumerate().filter(|(_, person)| !matches!(person.state, State::Together(_)));
        missing.map(|(number, person)| format!("{number} {:?} at {:?}; ", person.state, person.at)).collect()
    }

    /// Everybody's match is the one that the store knows, with one other who thinks so too.
    pub fn check_pairs(&self) {
        for (number, person) in self.people.iter().enumerate() {
            let (pair, ..) = &self.memory.engaged[&person.account];
            assert_eq!(self.match_of(number).as_ref(), Some(&pair.id), "seed {}", self.seed);
            let other = if pair.a == person.account { pair.b } else { pair.a };
            let other = self.people.iter().position(|person| person.account == other);
            assert_eq!(self.match_of(other.unwrap()).as_ref(), Some(&pair.id), "seed {}", self.seed);
        }
    }

    pub fn together_at(&self, node: usize) -> Vec<(usize, MatchId)> {
        let here = |number: &usize| self.people[*number].at.is_some_and(|(at, _)| at == node);
        (0..self.people.len()).filter(here).filter_map(|number| Some((number, self.match_of(number)?))).collect()
    }

    /// Matches of which neither is at that node.
    pub fn together_at_other_nodes(&self, node: usize) -> Vec<(usize, MatchId)> {
        let touched: BTreeSet<MatchId> = self.together_at(node).into_iter().map(|(_, id)| id).collect();
        let all = (0..self.people.len()).filter_map(|number| Some((number, self.match_of(number)?)));
        all.filter(|(_, id)| !touched.contains(id)).collect()
    }

    /// Everybody says something to the other of their match; how many heard something within two seconds.
    pub fn signals_that_arrive(&mut self) -> usize {
        for number in 0..self.people.len() {
            self.people[number].signals = 0;
        }
        for number in 0..self.people.len() {
            if let Some(match_id) = self.match_of(number) {
                let signal = Signal::Candidate { candidate: None, sdp_mid: None, sdp_m_line_index: None };
                self.say(number, ClientMessage::Signal { match_id, signal });
            }
        }
        self.pass(2_000);
        self.people.iter().filter(|person| person.signals > 0).count()
    }
}

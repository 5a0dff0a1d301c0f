//! The server's nodes over one store and one bus, with faults: nodes are killed, sleep and start again, the store and the bus go away,
//! what the bus carries is lost, repeated and late.

use super::Sabotage;
use super::dice::Dice;
use super::store::Store;
use visavis_server::pure::{
    AccountId, Input, LeaseRow, Me, Node, Output, RoomOutput, Rules, SocketId, Sources, node_lease, pool_lease, pool_of_lease,
};
use visavis_wire::Private;
use visavis_wire::friends::FollowId;
use visavis_wire::socket::{ClientMessage, MatchId, RelayCredentials, ServerMessage};

pub const BEAT_MS: u64 = 400;
/// Until a node that says nothing is dead to the others.
const DEAD_MS: u64 = 2_000;
/// At most.
const STORE_MS: u64 = 40;
const STORE_AWAY_MS: u64 = 150;

/// What is due later.
pub enum Job {
    Bus { to: String, frame: Vec<u8> },
    Store { node: usize, life: i64, output: Output },
    Answer { node: usize, life: i64, input: Input },
}

/// What reaches a socket.
pub enum Told {
    Message(Box<ServerMessage>),
    Close,
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
        RelayCredentials { username: Private::new(String::from("1:u")), ..RelayCredentials::default() }
    }

    fn follow_id(&self, of: AccountId, with: AccountId) -> FollowId {
        FollowId(format!("{} of {}", with.0.as_u128(), of.0.as_u128()))
    }
}

pub struct Cluster {
    pub store: Store,
    processes: Vec<Option<Process>>,
    lives: Vec<i64>,
    drawn: Drawn,
    dice: Dice,
    pub store_away: bool,
    pub bus_down: bool,
    sabotage: Option<Sabotage>,
    /// To be put into the order of events by whoever calls.
    pub due: Vec<(u64, Job)>,
    pub told: Vec<(usize, SocketId, Told)>,
}

fn name(node: usize) -> String {
    format!("n{node}")
}

impl Cluster {
    pub fn new(seed: u64, nodes: usize, sabotage: Option<Sabotage>) -> Self {
        let mut cluster = Self {
            store: Store::default(),
            processes: (0..nodes).map(|_| None).collect(),
            lives: vec![0; nodes],
            drawn: Drawn(0),
            dice: Dice::new(seed ^ 0xC1),
            store_away: false,
            bus_down: false,
            sabotage,
            due: Vec::new(),
            told: Vec::new(),
        };
        (0..nodes).for_each(|node| cluster.start(node));
        cluster
    }

    pub fn nodes(&self) -> usize {
        self.processes.len()
    }

    pub fn start(&mut self, node: usize) {
        if self.processes[node].is_some() {
            return;
        }
        self.store.leases.values_mut().filter(|row| row.holder == name(node)).for_each(|row| row.holder.clear());
        self.lives[node] += 1;
        let life = self.lives[node];
        let row = LeaseRow { name: node_lease(&name(node)), holder: name(node), fence: life, beat: 0 };
        self.store.leases.insert(row.name.clone(), row);
        self.store.seats.retain(|_, (at, seated, _)| *at != name(node) || *seated >= life);
        let made = Node::new(Me { name: name(node), life, dead_ms: DEAD_MS }, Rules::default());
        self.processes[node] = Some(Process { node: made, life, asleep: false, missed: vec![], writer_ms: 0 });
    }

    pub fn kill(&mut self, node: usize) {
        self.processes[node] = None;
    }

    pub fn sleep(&mut self, now: u64, node: usize, asleep: bool) {
        let Some(process) = &mut self.processes[node] else { return };
        process.asleep = asleep;
        if !asleep {
            for input in std::mem::take(&mut process.missed) {
                self.feed(now, node, input);
            }
        }
    }

    /// One that answers, if there is any.
    pub fn alive(&mut self) -> Option<usize> {
        let answers = |node: &usize| self.processes[*node].as_ref().is_some_and(|process| !process.asleep);
        let alive: Vec<usize> = (0..self.nodes()).filter(answers).collect();
        let index = self.dice.below(alive.len() as u64) as usize;
        alive.get(index).copied()
    }

    /// The one that leads, if anybody does.
    pub fn leader(&self) -> Option<usize> {
        let row = self.store.leases.get(&pool_lease("all"))?;
        (0..self.nodes()).find(|node| name(*node) == row.holder)
    }

    /// People who are in a match or at its last question, by what the nodes believe.
    pub fn in_match(&self) -> usize {
        self.processes.iter().flatten().map(|process| process.node.in_match()).sum()
    }

    pub fn plugged(&mut self, now: u64, node: usize, account: AccountId, socket: SocketId) {
        self.feed(now, node, Input::Plugged { account, socket });
    }

    pub fn said(&mut self, now: u64, node: usize, account: AccountId, socket: SocketId, message: ClientMessage) {
        let message = match message {
            ClientMessage::Answer { match_id, question: question @ visavis_wire::socket::Question::Follow, .. }
                if self.sabotage == Some(Sabotage::OneYes) =>
            {
                ClientMessage::Answer { match_id, question, yes: true }
            }
            message => message,
        };
        self.feed(now, node, Input::Said { account, socket, message });
    }

    pub fn gone(&mut self, now: u64, node: usize, account: AccountId, socket: SocketId) {
        self.feed(now, node, Input::Gone { account, socket });
    }

    /// The store knows it already.
    pub fn blocked(&mut self, now: u64, node: usize, by: AccountId, other: AccountId) {
        if self.sabotage != Some(Sabotage::NoBlocks) {
            self.feed(now, node, Input::Blocked { by, other });
        }
    }

    pub fn tick(&mut self, now: u64) {
        for node in 0..self.nodes() {
            self.feed(now, node, Input::Tick);
        }
    }

    pub fn beat(&mut self, now: u64, node: usize) {
        if self.processes[node].as_ref().is_none_or(|process| process.asleep) {
            return;
        }
        if self.store_away {
            self.feed(now, node, Input::Leases(None));
            return;
        }
        self.store.leases.values_mut().filter(|row| row.holder == name(node)).for_each(|row| row.beat += 1);
        let rows = self.store.leases.values().cloned().collect();
        self.feed(now, node, Input::Leases(Some(rows)));
    }

    pub fn job(&mut self, now: u64, job: Job) {
        let lives = |this: &Self, node: usize, life: i64| this.processes[node].as_ref().is_some_and(|it| it.life == life);
        match job {
            Job::Bus { to, frame } => {
                if let Some(node) = (0..self.nodes()).find(|node| name(*node) == to) {
                    self.feed(now, node, Input::Heard(frame));
                }
            }
            Job::Store { node, life, output } if lives(self, node, life) => {
                let asleep = self.processes[node].as_ref().is_some_and(|process| process.asleep);
                if self.store_away || asleep {
                    self.due.push((now + STORE_AWAY_MS, Job::Store { node, life, output }));
                } else if let Some(input) = self.store(node, life, output) {
                    let at = now + self.dice.below(STORE_MS);
                    self.due.push((at, Job::Answer { node, life, input }));
                }
            }
            Job::Answer { node, life, input } if lives(self, node, life) => self.feed(now, node, input),
            Job::Store { .. } | Job::Answer { .. } => {}
        }
    }

    fn feed(&mut self, now: u64, node: usize, input: Input) {
        let Some(process) = &mut self.processes[node] else { return };
        if process.asleep {
            process.missed.push(input);
            return;
        }
        let life = process.life;
        for output in process.node.handle(now, input, &mut self.drawn) {
            match output {
                Output::Publish { to, frame } => self.publish(now, to, frame),
                Output::Deliver { socket, message } => self.told.push((node, socket, Told::Message(message))),
                Output::Close { socket } => self.told.push((node, socket, Told::Close)),
                output => {
                    let mut at = now + self.dice.below(STORE_MS);
                    // One writer a room, in order.
                    if matches!(&output, Output::Room { output, .. } if !matches!(output, RoomOutput::LookUp { .. }))
                        || matches!(output, Output::Release { .. })
                    {
                        let Some(process) = &mut self.processes[node] else { return };
                        process.writer_ms = process.writer_ms.max(at);
                        at = process.writer_ms;
                    }
                    self.due.push((at, Job::Store { node, life, output }));
                }
            }
        }
    }

    /// A twentieth is lost, a tenth comes twice.
    fn publish(&mut self, now: u64, to: String, frame: Vec<u8>) {
        let copies = if self.dice.percent(10) { 2 } else { 1 };
        for _ in 0..copies {
            if !self.bus_down && !self.dice.percent(5) {
                let at = now + self.dice.below(60);
                self.due.push((at, Job::Bus { to: to.clone(), frame: frame.clone() }));
            }
        }
    }

    fn store(&mut self, node: usize, life: i64, output: Output) -> Option<Input> {
        match output {
            // These evenings know no calls between friends, so nobody asks who is there.
            Output::FindFriends { .. } => None,
            Output::Sit { account, socket } => {
                let replaced = self.store.seats.insert(account, (name(node), life, socket));
                let replaced = replaced.filter(|(_, _, old)| *old != socket);
                let engaged = self.store.engaged.get(&account).and_then(|(_, lease, _)| pool_of_lease(lease));
                let pool = engaged.unwrap_or("all").to_owned();
                Some(Input::Seated { account, socket, replaced, pool })
            }
            Output::StandUp { account, socket } => {
                self.store.seats.retain(|who, (_, _, seated)| *who != account || *seated != socket);
                None
            }
            Output::Take { pool, seen } => Some(self.store.take(&name(node), pool, seen, self.sabotage)),
            Output::Release { pool } => {
                let row = self.store.leases.get_mut(&pool_lease(&pool.name));
                row.filter(|row| row.fence == pool.fence).into_iter().for_each(|row| row.holder.clear());
                None
            }
            Output::ClearNode { node, life } => {
                self.store.seats.retain(|_, (at, seated, _)| *at != node || *seated > life);
                None
            }
            Output::Room { pool, output } => self.store.room(pool, output, self.sabotage),
            Output::FindSeat { .. }
            | Output::FindPool { .. }
            | Output::Deliver { .. }
            | Output::Close { .. }
            | Output::Publish { .. }
            | Output::Superseded => None,
        }
    }
}

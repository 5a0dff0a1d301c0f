//! One of several equal nodes: it holds sockets, and it leads the pools whose leases it has. Pure; `room_task` carries out what it
//! decides.
//!
//! A pool is one [`Room`] under one lease. The node that holds a person's socket names the person to the leader of their pool and
//! remembers what it takes to name them again to another leader (`seat`); between nodes packets go over links that repair what the
//! bus loses (`link`). A pairing is written down under the pool's fence before anybody hears of it, so a leader that has been
//! replaced without noticing pairs nobody. On one machine there is one node, its own leader, and packets to itself stay in memory.
//!
//! | input | from |
//! |---|---|
//! | `Plugged`, `Said`, `Call`, `Gone` | the socket of one person |
//! | `ProfileChanged`, `Blocked`, `Tell` | the HTTP interface of this node |
//! | `Barred` | moderators' measures, at every node |
//! | `Seated`, `Unseated`, `SeatedHere`, `SeatFound`, `FriendsFound`, `Cleared`, `Pooled`, `Taken`, `Fenced`, `Room` | the store's answers |
//! | `Heard` | the bus |
//! | `Leases` | the store, at every beat |
//! | `Tick` | the clock |
//! | `Drain`, `Close` | shutdown |

mod gateway;
mod leader;
pub mod leads;
pub mod link;
pub mod packet;
mod presence;
pub mod seat;
#[cfg(test)]
mod tests;

use crate::room::{self, Rules, SocketId, Sources};
use crate::store::{AccountId, Entrant, LeaseRow, RunningMatch};
use leader::Led;
use leads::Leads;
use link::Link;
use packet::{Packet, Pool};
use presence::Presence;
use seat::Seat;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use visavis_wire::http::RefusalCode;
use visavis_wire::socket::{ClientMessage, ServerMessage};

/// A sign of life to every other node, for acknowledgements that were lost.
const BEAT_MS: u64 = 1_000;

#[derive(Debug)]
pub enum Input {
    /// `Hello` was read, its version is ours.
    Plugged {
        account: AccountId,
        socket: SocketId,
    },
    /// `replaced`: node, life and socket of the one before.
    Seated {
        account: AccountId,
        socket: SocketId,
        replaced: Option<(String, i64, SocketId)>,
        pool: String,
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
    /// At this node; others are told.
    Blocked {
        by: AccountId,
        other: AccountId,
    },
    /// By a moderator's measure, of which every node hears.
    Barred {
        account: AccountId,
        code: RefusalCode,
    },
    /// Of somebody whom this person follows, and who follows them.
    Call {
        account: AccountId,
        socket: SocketId,
        callee: AccountId,
        /// The caller allows a direct path.
        direct: bool,
    },
    /// To be told to whoever this is, if they are here, on whatever node.
    Tell {
        account: AccountId,
        message: Box<ServerMessage>,
    },
    /// The node at which somebody's socket is.
    SeatFound {
        account: AccountId,
        node: String,
        errand: Errand,
    },
    /// Whether this person is here, and where those are who follow them.
    FriendsFound {
        account: AccountId,
        online: bool,
        friends: Vec<(AccountId, String)>,
    },
    /// Who was at a node that died.
    Cleared {
        accounts: Vec<AccountId>,
    },
    Pooled {
        account: AccountId,
        socket: SocketId,
        pool: String,
    },
    Heard(Vec<u8>),
    /// `None`: the store did not answer.
    Leases(Option<Vec<LeaseRow>>),
    Taken {
        pool: String,
        taken: Option<Taken>,
    },
    /// The store says that the lease is somebody else's.
    Fenced {
        pool: Pool,
    },
    /// The store could not write the seat down.
    Unseated {
        account: AccountId,
        socket: SocketId,
    },
    /// All that the store holds of this node.
    SeatedHere(BTreeMap<AccountId, i64>),
    Room {
        pool: Pool,
        input: room::Input,
    },
    Tick,
    /// No new people; the pools go to other nodes, where there are any.
    Drain,
    /// Everybody goes.
    Close,
}

/// Why somebody's node is looked for.
#[derive(Debug)]
pub enum Errand {
    Changed,
    Tell(Box<ServerMessage>),
}

/// A lease and what comes with it.
#[derive(Debug)]
pub struct Taken {
    pub fence: i64,
    pub running: Vec<RunningMatch>,
    pub offered: Vec<(RunningMatch, [Entrant; 2])>,
    pub experience: room::Experience,
}

#[derive(Debug)]
pub enum Output {
    Deliver {
        socket: SocketId,
        message: Box<ServerMessage>,
    },
    Close {
        socket: SocketId,
    },
    Publish {
        to: String,
        frame: Vec<u8>,
    },
    /// Answered by `Seated`.
    Sit {
        account: AccountId,
        socket: SocketId,
    },
    StandUp {
        account: AccountId,
        socket: SocketId,
    },
    /// Answered by `SeatFound` if there is one.
    FindSeat {
        account: AccountId,
        errand: Errand,
    },
    /// Answered by `FriendsFound`.
    FindFriends {
        account: AccountId,
    },
    /// Answered by `Pooled`.
    FindPool {
        account: AccountId,
        socket: SocketId,
    },
    /// Answered by `Taken`.
    Take {
        pool: String,
        seen: Option<(i64, i64)>,
    },
    Release {
        pool: Pool,
    },
    ClearNode {
        node: String,
        life: i64,
    },
    /// What a room wants of the store.
    Room {
        pool: Pool,
        output: room::Output,
    },
    /// Another process runs under this node's name; this one is of no use any more.
    Superseded,
}

/// Who this node is.
#[derive(Clone, Debug)]
pub struct Me {
    pub name: String,
    /// The fence of its own lease.
    pub life: i64,
    /// Without a sign of life for so long, another node is dead.
    pub dead_ms: u64,
}

pub struct Node {
    me: Me,
    rules: Rules,
    leads: Leads,
    links: BTreeMap<String, Link>,
    beat_ms: u64,
    /// Packets to itself.
    own: VecDeque<Packet>,
    seats: BTreeMap<SocketId, Seat>,
    by_account: BTreeMap<AccountId, SocketId>,
    /// Pool to leader, as its seats have been named.
    routes: BTreeMap<String, (String, i64)>,
    led: BTreeMap<String, Led>,
    /// The store has been asked.
    taking: BTreeSet<String>,
    /// Given back by others, for this one to take.
    wanted: BTreeSet<String>,
    /// Sockets that have been replaced; the leader hears of their end only after their successor.
    leaving: VecDeque<(u64, Pool, AccountId, SocketId)>,
    presence: Presence,
    draining: bool,
}

impl Node {
    pub fn new(me: Me, rules: Rules) -> Self {
        Self {
            leads: Leads::new(me.dead_ms),
            me,
            rules,
            links: BTreeMap::new(),
            beat_ms: 0,
            own: VecDeque::new(),
            seats: BTreeMap::new(),
            by_account: BTreeMap::new(),
            routes: BTreeMap::new(),
            led: BTreeMap::new(),
            taking: BTreeSet::new(),
            wanted: BTreeSet::new(),
            leaving: VecDeque::new(),
            presence: Presence::default(),
            draining: false,
        }
    }

    /// People here who are in a match that has begun, or at its last question.
    pub fn in_match(&self) -> usize {
        self.seats.values().filter(|seat| seat.is_in_match()).count()
    }

    pub fn handle(&mut self, now_ms: u64, input: Input, sources: &mut dyn Sources) -> Vec<Output> {
        let mut out = Vec::new();
        self.presence.now_ms = now_ms;
        match input {
            Input::Plugged { account, socket } => self.plugged(account, socket, &mut out),
            Input::Seated { account, socket, replaced, pool } => self.seated(now_ms, (account, socket), replaced, pool, &mut out),
            Input::Said { account, socket, message } => self.said(now_ms, account, socket, message, &mut out),
            Input::Gone { account, socket } => self.gone(account, socket, &mut out),
            Input::Unseated { account, socket } => self.unseated(account, socket, &mut out),
            Input::SeatedHere(seated) => self.compare_seats(&seated, &mut out),
            Input::ProfileChanged { account } => self.profile_changed(account, &mut out),
            Input::Blocked { by, other } => {
                self.tell_others(now_ms, &Packet::Blocked { by, other });
                self.blocked(now_ms, by, other, sources, &mut out);
            }
            Input::Barred { account, code } => self.barred(now_ms, account, code, sources, &mut out),
            Input::Call { account, socket, callee, direct } => self.calls((account, socket), (callee, direct), sources, &mut out),
            Input::Tell { account, message } => self.tell(account, message, true, &mut out),
            Input::SeatFound { account, node, errand: Errand::Changed } => self.to(&node, Packet::Changed { account }),
            Input::SeatFound { account, node, errand: Errand::Tell(message) } => {
                self.to(&node, Packet::Tell { account, message })
            }
            Input::FriendsFound { account, online, friends } => self.friends_found(account, online, friends, sources),
            Input::Cleared { accounts } => self.presence.cleared(accounts),
            Input::Pooled { account, socket, pool } => self.pooled(now_ms, account, socket, pool),
            Input::Heard(bytes) => self.heard(now_ms, &bytes, sources, &mut out),
            Input::Leases(rows) => self.leases(now_ms, rows, sources, &mut out),
            Input::Taken { pool, taken } => self.taken(now_ms, pool, taken, sources),
            Input::Fenced { pool } => self.lose(&pool),
            Input::Room { pool, input } => self.room(now_ms, &pool, input, sources, &mut out),
            Input::Tick => self.tick(now_ms, sources, &mut out),
            Input::Drain => self.drain(now_ms, &mut out),
            Input::Close => self.close(now_ms, sources, &mut out),
        }
        self.settle(now_ms, sources, &mut out);
        out
    }

    /// Packets to itself, the frames to others, and pools without a leader.
    fn settle(&mut self, now_ms: u64, sources: &mut dyn Sources, out: &mut Vec<Output>) {
        let me = self.me.name.clone();
        while let Some(packet) = self.own.pop_front() {
            self.packet(now_ms, &me, packet, sources, out);
        }
        let beat = now_ms >= self.beat_ms + BEAT_MS;
        if beat {
            self.beat_ms = now_ms;
        }
        for (name, link) in &mut self.links {
            let alive = self.leads.holder(now_ms, &leads::node_lease(name)).is_some();
            for frame in link.frames(now_ms, &me, beat && alive) {
                out.push(Output::Publish { to: name.clone(), frame });
            }
        }
    }

    fn to(&mut self, node: &str, packet: Packet) {
        if node == self.me.name {
            self.own.push_back(packet);
            return;
        }
        let life = self.me.life;
        let link = self.links.entry(node.to_owned()).or_insert_with(|| Link::new(link::first_stream(life)));
        if !link.say(&packet) {
            // The other hears of it from the link and forgets our sockets; they are named again.
            self.unname(node);
        }
    }

    fn heard(&mut self, now_ms: u64, bytes: &[u8], sources: &mut dyn Sources, out: &mut Vec<Output>) {
        let frame = match packet::decode(bytes) {
            Ok(frame) if frame.header.from != self.me.name => frame,
            Ok(_) => return,
            Err(error) => {
                tracing::warn!(%error, "a frame of another node");
                return;
            }
        };
        let from = frame.header.from.clone();
        let life = self.me.life;
        let link = self.links.entry(from.clone()).or_insert_with(|| Link::new(link::first_stream(life)));
        let heard = link.hear(now_ms, frame);
        if heard.anew {
            self.forget_sockets_of(now_ms, &from, sources, out);
            self.unname(&from);
            self.name_all(now_ms);
        }
        for packet in heard.packets {
            self.packet(now_ms, &from, packet, sources, out);
        }
    }

    fn packet(&mut self, now_ms: u64, from: &str, packet: Packet, sources: &mut dyn Sources, out: &mut Vec<Output>) {
        match packet {
            Packet::ToArrived { pool, account, socket, arrival } => {
                if let Some(led) = self.led.get_mut(&pool.name).filter(|led| led.fence == pool.fence) {
                    led.gateways.insert(socket, (account, from.to_owned()));
                    self.room(now_ms, &pool, room::Input::Arrived { account, socket, arrival }, sources, out);
                } else {
                    self.to(from, Packet::FromStranger { pool, socket });
                }
            }
            Packet::ToSaid { pool, account, socket, message } => {
                self.room(now_ms, &pool, room::Input::Said { account, socket, message }, sources, out);
            }
            Packet::ToGone { pool, account, socket } => {
                if let Some(led) = self.led.get_mut(&pool.name).filter(|led| led.fence == pool.fence) {
                    led.gateways.remove(&socket);
                    self.room(now_ms, &pool, room::Input::Gone { account, socket }, sources, out);
                }
            }
            Packet::ToProfileChanged { pool, account } => {
                self.room(now_ms, &pool, room::Input::ProfileChanged { account }, sources, out);
            }
            Packet::FromDeliver { pool, socket, message } => self.told(now_ms, &pool, socket, message, out),
            Packet::FromClose { pool, socket } => {
                if self.seats.get(&socket).is_some_and(|seat| seat.named_to.as_ref() == Some(&pool)) {
                    self.unplug(socket, out);
                }
            }
            Packet::FromStranger { pool, socket } => self.not_named(&pool, socket),
            Packet::Leads { pool } => {
                self.leads.told(now_ms, &leads::pool_lease(&pool.name), from, pool.fence);
                self.wanted.remove(&pool.name);
                if let Some(led) = self.led.get(&pool.name)
                    && from != self.me.name
                    && led.fence < pool.fence
                {
                    self.lose(&Pool { name: pool.name.clone(), fence: led.fence });
                }
                self.name_all(now_ms);
            }
            Packet::Take { pool } => {
                self.wanted.insert(pool);
                self.take_what_is_needed(now_ms, out);
            }
            Packet::Replaced { account, socket } => self.replaced(now_ms, account, socket, out),
            Packet::Blocked { by, other } => self.blocked(now_ms, by, other, sources, out),
            Packet::Changed { account } => self.changed(account, out),
            Packet::ToCall { pool, account, socket, callee, direct } => {
                self.room(now_ms, &pool, room::Input::Call { account, socket, callee, direct }, sources, out);
            }
            Packet::Tell { account, message } => self.tell(account, message, false, out),
        }
    }

    fn leases(&mut self, now_ms: u64, rows: Option<Vec<LeaseRow>>, sources: &mut dyn Sources, out: &mut Vec<Output>) {
        let Some(rows) = rows else {
            self.leads.blind(now_ms);
            return;
        };
        let own = leads::node_lease(&self.me.name);
        if rows.iter().any(|row| row.name == own && row.fence > self.me.life) {
            out.push(Output::Superseded);
            return;
        }
        self.leads.read(now_ms, rows);
        for (node, life) in self.leads.bury(now_ms) {
            if node != self.me.name {
                self.forget_sockets_of(now_ms, &node, sources, out);
                if let Some(link) = self.links.get_mut(&node) {
                    link.begin_anew();
                }
                self.unname(&node);
                out.push(Output::ClearNode { node, life });
            }
        }
        self.lose_what_others_lead(now_ms);
        self.name_all(now_ms);
        self.take_what_is_needed(now_ms, out);
    }

    fn tick(&mut self, now_ms: u64, sources: &mut dyn Sources, out: &mut Vec<Output>) {
        while let Some((_, pool, account, socket)) = self.leaving.pop_front_if(|(due, ..)| *due <= now_ms) {
            if let Some((leader, _)) = self.routes.get(&pool.name).cloned() {
                self.to(&leader, Packet::ToGone { pool, account, socket });
            }
        }
        let pools: Vec<Pool> = self.led.iter().map(|(name, led)| Pool { name: name.clone(), fence: led.fence }).collect();
        for pool in pools {
            self.room(now_ms, &pool, room::Input::Tick, sources, out);
        }
        if self.draining {
            self.send_away_who_is_in_no_match(out);
        }
        self.take_what_is_needed(now_ms, out);
        self.look_for_friends(now_ms, out);
    }
}

//! The node as the holder of sockets.

use super::packet::{Packet, Pool};
use super::seat::Seat;
use super::{Errand, Node, Output, leads};
use crate::refusal::refuse;
use crate::room::{Arrival, SocketId};
use crate::store::AccountId;
use std::collections::{BTreeMap, BTreeSet};
use visavis_wire::http::RefusalCode;
use visavis_wire::socket::{ClientMessage, ServerMessage};

/// A leader hears of the end of a replaced socket after the arrival of its successor, so that an offer survives.
const SUCCESSOR_MS: u64 = 2_000;

impl Node {
    pub(super) fn plugged(&mut self, account: AccountId, socket: SocketId, out: &mut Vec<Output>) {
        if self.draining {
            self.turn_away(socket, out);
            return;
        }
        self.seats.insert(socket, Seat::new(account));
        out.push(Output::Sit { account, socket });
    }

    fn turn_away(&mut self, socket: SocketId, out: &mut Vec<Output>) {
        out.push(Output::Deliver { socket, message: Box::new(refuse(RefusalCode::ShuttingDown)) });
        out.push(Output::Close { socket });
    }

    pub(super) fn seated(
        &mut self,
        now_ms: u64,
        (account, socket): (AccountId, SocketId),
        replaced: Option<(String, i64, SocketId)>,
        pool: String,
        out: &mut Vec<Output>,
    ) {
        let Some(seat) = self.seats.get_mut(&socket) else {
            out.push(Output::StandUp { account, socket });
            return;
        };
        seat.pool = Some(pool.clone());
        self.by_account.insert(account, socket);
        self.presence.came(account);
        self.name_by_route(now_ms, socket, &pool);
        self.take(now_ms, pool, out);
        if let Some((node, life, socket)) = replaced
            && (node != self.me.name || life == self.me.life)
        {
            self.to(&node, Packet::Replaced { account, socket });
        }
    }

    pub(super) fn unseated(&mut self, account: AccountId, socket: SocketId, out: &mut Vec<Output>) {
        out.push(Output::Deliver { socket, message: Box::new(refuse(RefusalCode::Internal)) });
        out.push(Output::Close { socket });
        self.gone(account, socket, out);
    }

    /// A socket of which the store knows nothing has been replaced, or was cleared away when this node was thought dead. It is
    /// closed: whoever is still there comes back.
    pub(super) fn compare_seats(&mut self, seated: &BTreeMap<AccountId, i64>, out: &mut Vec<Output>) {
        let unknown: Vec<(AccountId, SocketId)> = self
            .seats
            .iter()
            .filter(|(socket, seat)| seat.doubted(seated.get(&seat.account) != Some(&socket.0.cast_signed())))
            .map(|(socket, seat)| (seat.account, *socket))
            .collect();
        for (account, socket) in unknown {
            out.push(Output::Close { socket });
            self.gone(account, socket, out);
        }
    }

    pub(super) fn said(
        &mut self,
        now_ms: u64,
        account: AccountId,
        socket: SocketId,
        message: ClientMessage,
        out: &mut Vec<Output>,
    ) {
        let Some(seat) = self.seats.get_mut(&socket) else { return };
        if self.draining && message == ClientMessage::Join {
            out.push(Output::Deliver { socket, message: Box::new(refuse(RefusalCode::ShuttingDown)) });
            return;
        }
        if message == ClientMessage::Join && seat.take_guest() {
            // Back from a call that another pool led.
            out.push(Output::FindPool { account, socket });
        }
        let message = seat.uncrossed(message);
        let Some(pool) = seat.named_to.clone() else {
            seat.hold(message);
            return;
        };
        seat.said(now_ms, &message);
        if let Some((leader, _)) = self.routes.get(&pool.name).cloned() {
            self.to(&leader, Packet::ToSaid { pool, account, socket, message });
        }
    }

    pub(super) fn gone(&mut self, account: AccountId, socket: SocketId, out: &mut Vec<Output>) {
        if let Some(pool) = self.unseat(socket, out)
            && let Some((leader, _)) = self.routes.get(&pool.name).cloned()
        {
            self.to(&leader, Packet::ToGone { pool, account, socket });
        }
    }

    /// A newer socket of this person is elsewhere.
    pub(super) fn replaced(&mut self, now_ms: u64, account: AccountId, socket: SocketId, out: &mut Vec<Output>) {
        if !self.seats.contains_key(&socket) {
            return;
        }
        out.push(Output::Deliver { socket, message: Box::new(refuse(RefusalCode::Replaced)) });
        out.push(Output::Close { socket });
        if let Some(pool) = self.unseat(socket, out) {
            self.leaving.push_back((now_ms + SUCCESSOR_MS, pool, account, socket));
        }
    }

    /// Removes a seat; the leader to whom it had been named.
    fn unseat(&mut self, socket: SocketId, out: &mut Vec<Output>) -> Option<Pool> {
        let seat = self.seats.remove(&socket)?;
        if self.by_account.get(&seat.account) == Some(&socket) {
            self.by_account.remove(&seat.account);
            self.presence.went(seat.account);
        }
        out.push(Output::StandUp { account: seat.account, socket });
        seat.named_to
    }

    /// At the leader's word, who knows of it.
    pub(super) fn unplug(&mut self, socket: SocketId, out: &mut Vec<Output>) {
        out.push(Output::Close { socket });
        self.unseat(socket, out);
    }

    pub(super) fn told(
        &mut self,
        now_ms: u64,
        pool: &Pool,
        socket: SocketId,
        message: Box<ServerMessage>,
        out: &mut Vec<Output>,
    ) {
        let Some(seat) = self.seats.get_mut(&socket) else { return };
        // The word of a leader that has been replaced is nobody's.
        if seat.named_to.as_ref() == Some(pool) {
            let (waits, account) = (seat.told(now_ms, &message), seat.account);
            out.push(Output::Deliver { socket, message });
            if waits {
                // The leader may have taken the offer back before it heard the "meet".
                self.said(now_ms, account, socket, ClientMessage::Join, out);
            }
        }
    }

    pub(super) fn profile_changed(&mut self, account: AccountId, out: &mut Vec<Output>) {
        if self.by_account.contains_key(&account) {
            self.changed(account, out);
        } else {
            out.push(Output::FindSeat { account, errand: Errand::Changed });
        }
    }

    pub(super) fn changed(&mut self, account: AccountId, out: &mut Vec<Output>) {
        if let Some(socket) = self.by_account.get(&account) {
            out.push(Output::FindPool { account, socket: *socket });
        }
    }

    /// The pool of somebody whose profile has changed. Out of a match nobody is taken by it.
    pub(super) fn pooled(&mut self, now_ms: u64, account: AccountId, socket: SocketId, pool: String) {
        let Some(seat) = self.seats.get_mut(&socket) else { return };
        let moves = seat.pool.as_ref() != Some(&pool) && !seat.is_in_match();
        let Some(old) = seat.named_to.clone() else {
            seat.pool = Some(pool);
            return;
        };
        let leader = self.routes.get(&old.name).cloned();
        if !moves {
            if let Some((leader, _)) = leader {
                self.to(&leader, Packet::ToProfileChanged { pool: old, account });
            }
            return;
        }
        seat.pool = Some(pool.clone());
        seat.named_to = None;
        seat.be_guest();
        if let Some((leader, _)) = leader {
            self.to(&leader, Packet::ToGone { pool: old, account, socket });
        }
        self.name_by_route(now_ms, socket, &pool);
    }

    /// It is named again when the leases have been read again.
    pub(super) fn not_named(&mut self, pool: &Pool, socket: SocketId) {
        if let Some(seat) = self.seats.get_mut(&socket).filter(|seat| seat.named_to.as_ref() == Some(pool)) {
            seat.named_to = None;
        }
    }

    /// Forgets that seats were named to pools that `node` leads.
    pub(super) fn unname(&mut self, node: &str) {
        for seat in self.seats.values_mut() {
            let led_there = |pool: &Pool| self.routes.get(&pool.name).is_some_and(|(leader, _)| leader == node);
            if seat.named_to.as_ref().is_some_and(led_there) {
                seat.named_to = None;
            }
        }
    }

    /// Finds out who leads which pool and names every seat that its leader has not heard of.
    pub(super) fn name_all(&mut self, now_ms: u64) {
        let mut crossed = Vec::new();
        let pools: BTreeSet<String> = self.seats.values().filter_map(|seat| seat.pool.clone()).collect();
        for pool in pools {
            let leader = self.leads.holder(now_ms, &leads::pool_lease(&pool));
            let leader = leader.map(|(holder, fence)| (holder.to_owned(), fence));
            if leader == self.routes.get(&pool).cloned() {
                continue;
            }
            let old = match leader {
                Some(leader) => self.routes.insert(pool.clone(), leader),
                None => self.routes.remove(&pool),
            };
            if let Some((old, fence)) = old {
                crossed.extend(self.signals_under_way(&old, &Pool { name: pool, fence }));
            }
        }
        let routes = &self.routes;
        let stale = |seat: &Seat| {
            let route = seat.pool.as_ref().and_then(|pool| routes.get(pool));
            seat.named_to.as_ref().map(|pool| pool.fence) != route.map(|(_, fence)| *fence)
        };
        let sockets: Vec<SocketId> = self.seats.iter().filter(|(_, seat)| stale(seat)).map(|(socket, _)| *socket).collect();
        for socket in sockets {
            if let Some(seat) = self.seats.get_mut(&socket) {
                seat.named_to = None;
            }
            self.name(now_ms, socket);
        }
        for (socket, message) in crossed {
            self.say_or_hold(now_ms, socket, message);
        }
    }

    /// Descriptions and candidates that an earlier leader may not have heard: they cannot be made up for otherwise.
    fn signals_under_way(&self, leader: &str, led: &Pool) -> Vec<(SocketId, ClientMessage)> {
        let Some(link) = self.links.get(leader) else { return Vec::new() };
        let signal = |packet| match packet {
            Packet::ToSaid { pool, socket, message: message @ ClientMessage::Signal { .. }, .. } if pool == *led => {
                Some((socket, message))
            }
            _ => None,
        };
        link.unheard().filter_map(signal).collect()
    }

    fn name_by_route(&mut self, now_ms: u64, socket: SocketId, pool: &str) {
        let holder = self.leads.holder(now_ms, &leads::pool_lease(pool));
        if holder == self.routes.get(pool).map(|(leader, fence)| (leader.as_str(), *fence)) {
            self.name(now_ms, socket);
        } else {
            self.name_all(now_ms);
        }
    }

    fn name(&mut self, now_ms: u64, socket: SocketId) {
        let Some(seat) = self.seats.get_mut(&socket) else { return };
        let Some(name) = seat.pool.clone() else { return };
        let Some((leader, fence)) = self.routes.get(&name).cloned() else { return };
        let pool = Pool { name, fence };
        let (account, arrival) = (seat.account, seat.arrival(now_ms));
        // Said before the welcome, which an earlier leader may not have heard.
        let joined = (arrival == Arrival::New && seat.waits()).then_some(ClientMessage::Join);
        let (unsettled, held) = (seat.unsettled().to_vec(), seat.take_held());
        seat.named_to = Some(pool.clone());
        self.to(&leader, Packet::ToArrived { pool: pool.clone(), account, socket, arrival });
        for message in joined.into_iter().chain(unsettled) {
            self.to(&leader, Packet::ToSaid { pool: pool.clone(), account, socket, message });
        }
        for message in held {
            self.say_or_hold(now_ms, socket, message);
        }
    }

    fn say_or_hold(&mut self, now_ms: u64, socket: SocketId, message: ClientMessage) {
        if let Some(seat) = self.seats.get(&socket) {
            let account = seat.account;
            self.said(now_ms, account, socket, message, &mut Vec::new());
        }
    }

    pub(super) fn send_away_who_is_in_no_match(&mut self, out: &mut Vec<Output>) {
        let free: Vec<(SocketId, AccountId)> =
            self.seats.iter().filter(|(_, seat)| !seat.is_in_match()).map(|(socket, seat)| (*socket, seat.account)).collect();
        for (socket, account) in free {
            self.turn_away(socket, out);
            self.gone(account, socket, out);
        }
    }

    pub(super) fn send_everybody_away(&mut self, out: &mut Vec<Output>) {
        let all: Vec<(SocketId, AccountId)> = self.seats.iter().map(|(socket, seat)| (*socket, seat.account)).collect();
        for (socket, account) in all {
            self.turn_away(socket, out);
            self.gone(account, socket, out);
        }
    }
}

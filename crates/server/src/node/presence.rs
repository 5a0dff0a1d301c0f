//! What people who follow each other hear of each other: who came and went, texts, calls. Between nodes it goes over the links.

use super::packet::Packet;
use super::{Errand, Node, Output};
use crate::room::{SocketId, Sources};
use crate::store::AccountId;
use std::collections::VecDeque;
use visavis_wire::friends::CallEnd;
use visavis_wire::socket::ServerMessage;

/// Whoever is back within this was never away.
const AWAY_MS: u64 = 5_000;
/// Whose friends are looked for in one tick, four times a second: a flood of joins does not become one of questions.
const IN_A_TICK: usize = 64;
/// More than these have not been told of; friends see it when they next ask.
const WAITING: usize = 16_384;

/// Who came or went, and from when on their friends are told.
#[derive(Debug, Default)]
pub(super) struct Presence {
    pub now_ms: u64,
    came: VecDeque<AccountId>,
    went: VecDeque<(u64, AccountId)>,
}

impl Presence {
    pub fn came(&mut self, account: AccountId) {
        if self.came.len() < WAITING {
            self.came.push_back(account);
        }
    }

    pub fn went(&mut self, account: AccountId) {
        if self.went.len() < WAITING {
            self.went.push_back((self.now_ms + AWAY_MS, account));
        }
    }

    pub fn cleared(&mut self, accounts: Vec<AccountId>) {
        for account in accounts {
            self.went(account);
        }
    }
}

impl Node {
    pub(super) fn look_for_friends(&mut self, now_ms: u64, out: &mut Vec<Output>) {
        let came = self.presence.came.len().min(IN_A_TICK);
        for account in self.presence.came.drain(..came) {
            out.push(Output::FindFriends { account });
        }
        for _ in came..IN_A_TICK {
            let Some((_, account)) = self.presence.went.pop_front_if(|(due, _)| *due <= now_ms) else { return };
            if !self.by_account.contains_key(&account) {
                out.push(Output::FindFriends { account });
            }
        }
    }

    pub(super) fn friends_found(
        &mut self,
        account: AccountId,
        online: bool,
        friends: Vec<(AccountId, String)>,
        sources: &mut dyn Sources,
    ) {
        for (friend, node) in friends {
            let follow = sources.follow_id(friend, account);
            self.to(&node, Packet::Tell { account: friend, message: Box::new(ServerMessage::Presence { follow, online }) });
        }
    }

    /// `elsewhere`: they may be at another node.
    pub(super) fn tell(&mut self, account: AccountId, message: Box<ServerMessage>, elsewhere: bool, out: &mut Vec<Output>) {
        match self.by_account.get(&account) {
            Some(socket) => out.push(Output::Deliver { socket: *socket, message }),
            None if elsewhere => out.push(Output::FindSeat { account, errand: Errand::Tell(message) }),
            None => {}
        }
    }

    pub(super) fn calls(
        &mut self,
        (account, socket): (AccountId, SocketId),
        (callee, direct): (AccountId, bool),
        sources: &mut dyn Sources,
        out: &mut Vec<Output>,
    ) {
        let Some(seat) = self.seats.get(&socket) else { return };
        let pool = seat.named_to.clone().filter(|_| !self.draining);
        let leader = pool.as_ref().and_then(|pool| self.routes.get(&pool.name)).map(|(leader, _)| leader.clone());
        let (Some(pool), Some(leader)) = (pool, leader) else {
            // Nobody leads at this moment.
            let over =
                ServerMessage::CallOver { follow: sources.follow_id(account, callee), match_id: None, why: CallEnd::NoAnswer };
            out.push(Output::Deliver { socket, message: Box::new(over) });
            return;
        };
        self.to(&leader, Packet::ToCall { pool, account, socket, callee, direct });
    }
}

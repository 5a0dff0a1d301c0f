//! The node as the leader of pools: taking them, losing them, giving them back, and what their rooms decide.

use super::packet::{Packet, Pool};
use super::{Node, Output, Taken, leads};
use crate::room::{self, Room, SocketId, Sources};
use crate::store::AccountId;
use std::collections::HashMap;
use visavis_wire::http::RefusalCode;

/// A pool that this node leads.
pub struct Led {
    pub fence: i64,
    pub room: Room,
    /// Whose a socket is, and at which node.
    pub gateways: HashMap<SocketId, (AccountId, String)>,
}

impl Node {
    pub(super) fn room(
        &mut self,
        now_ms: u64,
        pool: &Pool,
        input: room::Input,
        sources: &mut dyn Sources,
        out: &mut Vec<Output>,
    ) {
        let Some(led) = self.led.get_mut(&pool.name).filter(|led| led.fence == pool.fence) else { return };
        let outputs = led.room.handle(now_ms, input, sources);
        let (mut packets, mut summoned) = (Vec::new(), Vec::new());
        for output in outputs {
            match output {
                room::Output::Send { socket, message } => {
                    let gateway = led.gateways.get(&socket).cloned();
                    packets.extend(gateway.map(|(_, node)| (node, Packet::FromDeliver { pool: pool.clone(), socket, message })));
                }
                room::Output::Close { socket } => {
                    let gateway = led.gateways.remove(&socket);
                    packets.extend(gateway.map(|(_, node)| (node, Packet::FromClose { pool: pool.clone(), socket })));
                }
                room::Output::Summon { account } => summoned.push(account),
                output => out.push(Output::Room { pool: pool.clone(), output }),
            }
        }
        for (node, packet) in packets {
            self.to(&node, packet);
        }
        for account in summoned {
            // Their node finds out to which pool they belong now.
            self.profile_changed(account, out);
        }
    }

    pub(super) fn tell_others(&mut self, now_ms: u64, packet: &Packet) {
        let others: Vec<String> =
            self.leads.nodes(now_ms).map(|(name, _)| name.to_owned()).filter(|name| *name != self.me.name).collect();
        for other in others {
            self.to(&other, packet.clone());
        }
    }

    pub(super) fn blocked(
        &mut self,
        now_ms: u64,
        by: AccountId,
        other: AccountId,
        sources: &mut dyn Sources,
        out: &mut Vec<Output>,
    ) {
        let pools: Vec<Pool> = self.led.iter().map(|(name, led)| Pool { name: name.clone(), fence: led.fence }).collect();
        for pool in pools {
            self.room(now_ms, &pool, room::Input::Blocked { by, other }, sources, out);
        }
    }

    pub(super) fn barred(
        &mut self,
        now_ms: u64,
        account: AccountId,
        code: RefusalCode,
        sources: &mut dyn Sources,
        out: &mut Vec<Output>,
    ) {
        let pools: Vec<Pool> = self.led.iter().map(|(name, led)| Pool { name: name.clone(), fence: led.fence }).collect();
        for pool in pools {
            self.room(now_ms, &pool, room::Input::Barred { account, code }, sources, out);
        }
    }

    /// Pools of which there are seats here, or which were given back to this node, and which nobody leads.
    pub(super) fn take_what_is_needed(&mut self, now_ms: u64, out: &mut Vec<Output>) {
        let unnamed = self.seats.values().filter(|seat| seat.named_to.is_none()).filter_map(|seat| seat.pool.clone());
        let needed: std::collections::BTreeSet<String> = unnamed.chain(self.wanted.iter().cloned()).collect();
        for pool in needed {
            self.take(now_ms, pool, out);
        }
    }

    /// Unless somebody leads it.
    pub(super) fn take(&mut self, now_ms: u64, pool: String, out: &mut Vec<Output>) {
        let lease = leads::pool_lease(&pool);
        // One that this node holds and does not lead was taken half: the store went away in the middle of it.
        let led =
            self.leads.holder(now_ms, &lease).is_some_and(|(holder, _)| holder != self.me.name) || self.led.contains_key(&pool);
        if led || self.taking.contains(&pool) || (self.draining && self.another_node(now_ms).is_some()) {
            return;
        }
        if let Some(seen) = self.leads.seen(&lease) {
            self.taking.insert(pool.clone());
            out.push(Output::Take { pool, seen });
        }
    }

    /// People by place, over all pools that this node leads.
    pub fn counts(&self) -> Vec<(&'static str, usize)> {
        let mut counts = std::collections::BTreeMap::from([("idle", 0), ("waiting", 0), ("matched", 0)]);
        for (place, count) in self.led.values().flat_map(|led| led.room.counts()) {
            *counts.entry(place).or_insert(0) += count;
        }
        counts.into_iter().collect()
    }

    pub(super) fn taken(&mut self, now_ms: u64, pool: String, taken: Option<Taken>, sources: &mut dyn Sources) {
        self.taking.remove(&pool);
        let Some(Taken { fence, running, offered, experience }) = taken else { return };
        self.wanted.remove(&pool);
        let mut room = Room::new(self.rules).experienced(&experience);
        for running in running {
            room.restore(now_ms, running);
        }
        for (pair, entrants) in offered {
            room.restore_offer(now_ms, pair, entrants, sources);
        }
        tracing::info!(pool, fence, "leads a pool");
        self.led.insert(pool.clone(), Led { fence, room, gateways: HashMap::new() });
        self.leads.told(now_ms, &leads::pool_lease(&pool), &self.me.name, fence);
        self.tell_others(now_ms, &Packet::Leads { pool: Pool { name: pool.clone(), fence } });
        self.name_all(now_ms);
    }

    pub(super) fn lose(&mut self, pool: &Pool) {
        if self.led.get(&pool.name).is_some_and(|led| led.fence == pool.fence) {
            tracing::warn!(pool = pool.name, fence = pool.fence, "another node leads this pool now");
            self.led.remove(&pool.name);
        }
    }

    pub(super) fn lose_what_others_lead(&mut self, now_ms: u64) {
        let lost: Vec<Pool> = self
            .led
            .iter()
            .filter(|(name, led)| self.leads.holder(now_ms, &leads::pool_lease(name)).is_some_and(|(_, fence)| fence > led.fence))
            .map(|(name, led)| Pool { name: name.clone(), fence: led.fence })
            .collect();
        for pool in lost {
            self.lose(&pool);
        }
    }

    /// The sockets of another node, of which nothing is known any more.
    pub(super) fn forget_sockets_of(&mut self, now_ms: u64, node: &str, sources: &mut dyn Sources, out: &mut Vec<Output>) {
        let mut gone = Vec::new();
        for (name, led) in &mut self.led {
            let pool = Pool { name: name.clone(), fence: led.fence };
            let there = led.gateways.extract_if(|_, (_, gateway)| gateway == node);
            gone.extend(there.map(|(socket, (account, _))| (pool.clone(), account, socket)));
        }
        gone.sort_unstable_by_key(|(_, account, _)| *account);
        for (pool, account, socket) in gone {
            self.room(now_ms, &pool, room::Input::Gone { account, socket }, sources, out);
        }
    }

    fn another_node(&self, now_ms: u64) -> Option<String> {
        self.leads.nodes(now_ms).map(|(name, _)| name.to_owned()).find(|name| *name != self.me.name)
    }

    pub(super) fn drain(&mut self, now_ms: u64, out: &mut Vec<Output>) {
        self.draining = true;
        self.give_pools_away(now_ms, out);
        self.send_away_who_is_in_no_match(out);
    }

    /// To another node, if there is one.
    fn give_pools_away(&mut self, now_ms: u64, out: &mut Vec<Output>) {
        let Some(other) = self.another_node(now_ms) else { return };
        for (name, mut led) in std::mem::take(&mut self.led) {
            let pool = Pool { name: name.clone(), fence: led.fence };
            out.extend(led.room.hand_on().map(|output| Output::Room { pool: pool.clone(), output }));
            out.push(Output::Release { pool });
            self.leads.given_back(&leads::pool_lease(&name));
            self.to(&other, Packet::Take { pool: name });
        }
        self.name_all(now_ms);
    }

    pub(super) fn close(&mut self, now_ms: u64, sources: &mut dyn Sources, out: &mut Vec<Output>) {
        self.draining = true;
        self.give_pools_away(now_ms, out);
        let pools: Vec<Pool> = self.led.iter().map(|(name, led)| Pool { name: name.clone(), fence: led.fence }).collect();
        for pool in pools {
            self.room(now_ms, &pool, room::Input::Closing, sources, out);
        }
        // What the rooms say on their way out goes before the goodbye.
        self.settle(now_ms, sources, out);
        self.send_everybody_away(out);
    }
}

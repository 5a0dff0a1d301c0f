//! What goes wrong with the servers, by the seed.

use super::{Due, World};

#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    Kill(usize),
    KillLeader,
    Start(usize),
    Sleep(usize, bool),
    Store(bool),
    Bus(bool),
}

impl World {
    pub(super) fn plan_faults(&mut self) {
        for _ in 0..self.size.faults {
            let at = self.dice.between(8_000, (self.size.seconds * 1000).saturating_sub(15_000).max(8_001));
            let lasts = self.dice.between(600, 5_000);
            let node = self.dice.below(self.size.nodes as u64) as usize;
            let (begin, end) = match self.dice.below(5) {
                // Which one leads is known only then, so all that are down start again.
                0 => (Fault::KillLeader, None),
                1 => (Fault::Kill(node), Some(Fault::Start(node))),
                2 => (Fault::Sleep(node, true), Some(Fault::Sleep(node, false))),
                3 => (Fault::Store(true), Some(Fault::Store(false))),
                _ => (Fault::Bus(true), Some(Fault::Bus(false))),
            };
            self.after(at, Due::Fault(begin));
            if let Some(end) = end {
                self.after(at + lasts, Due::Fault(end));
            }
        }
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        self.judge.fault(self.now);
        self.tally.faults += 1;
        match fault {
            Fault::Kill(node) => self.kill(node),
            Fault::KillLeader => {
                if let Some(node) = self.cluster.leader() {
                    self.kill(node);
                    self.after(3_000, Due::Fault(Fault::Start(node)));
                }
            }
            Fault::Start(node) => self.cluster.start(node),
            Fault::Sleep(node, asleep) => self.cluster.sleep(self.now, node, asleep),
            Fault::Store(away) => self.cluster.store_away = away,
            Fault::Bus(down) => self.cluster.bus_down = down,
        }
    }

    fn kill(&mut self, node: usize) {
        self.cluster.kill(node);
        for who in 0..self.people.len() {
            if self.people[who].socket.is_some_and(|(at, _)| at == node) {
                self.lost_socket(who);
            }
        }
    }
}

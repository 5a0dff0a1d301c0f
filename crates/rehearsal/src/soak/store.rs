//! The store of a soak: what the real one promises, in memory. Its transactions are single calls.

use std::collections::{BTreeMap, BTreeSet};
use visavis_server::pure::{
    AccountId, Entrant, Experience, Input, LeaseRow, Pool, RoomInput, RoomOutput, RunningMatch, SocketId, Taken, pool_lease,
};
use visavis_wire::Private;
use visavis_wire::people::{Fact, Profile};
use visavis_wire::socket::MatchId;

use super::Sabotage;
use super::judge::{MARK, RECENT};

const INTERESTS: [&str; 6] = ["drawing", "music", "films", "chess", "cooking", "hiking"];

#[derive(Default)]
pub struct Store {
    pub leases: BTreeMap<String, LeaseRow>,
    /// Committed or running, by person: pair, lease, and whether it runs.
    pub engaged: BTreeMap<AccountId, (RunningMatch, String, bool)>,
    pub seats: BTreeMap<AccountId, (String, i64, SocketId)>,
    /// Newest last.
    recent: BTreeMap<AccountId, Vec<AccountId>>,
    pub begun: BTreeMap<MatchId, RunningMatch>,
    blocked: BTreeSet<(AccountId, AccountId)>,
    pub follows: BTreeSet<(AccountId, AccountId)>,
    learnt: Option<String>,
    /// Follows that were written since they were last looked at.
    pub followed: Vec<(MatchId, AccountId, AccountId)>,
    /// Matches that began since then.
    pub began: Vec<RunningMatch>,
}

pub fn profile(account: AccountId) -> Profile {
    let number = account.0.as_u128() as usize;
    let liked = [INTERESTS[number % 6], INTERESTS[number / 6 % 6]];
    Profile {
        languages: Fact { value: vec![String::from("en")], shared: true },
        interests: Fact { value: liked.iter().map(|name| (*name).to_owned()).collect(), shared: true },
        // Nobody may see it.
        city: Fact { value: Private::new(format!("{MARK}city")), shared: false },
        age: Fact { value: Some(20 + (number % 40) as u8), shared: true },
        ..Profile::default()
    }
}

impl Store {
    pub fn block(&mut self, one: AccountId, other: AccountId) {
        self.blocked.extend([(one, other), (other, one)]);
        self.follows.retain(|pair| *pair != (one, other) && *pair != (other, one));
    }

    pub fn is_blocked(&self, one: AccountId, other: AccountId) -> bool {
        self.blocked.contains(&(one, other))
    }

    pub fn entrant(&self, account: AccountId, sabotage: Option<Sabotage>) -> Entrant {
        let recent = self.recent.get(&account).into_iter().flatten().rev().take(RECENT).copied();
        let blocked = self.blocked.range((account, AccountId(uuid::Uuid::nil()))..).take_while(|pair| pair.0 == account);
        Entrant {
            adult: true,
            profile: profile(account),
            recent: if sabotage == Some(Sabotage::NoMemory) { Vec::new() } else { recent.collect() },
            blocked: if sabotage == Some(Sabotage::NoBlocks) { Vec::new() } else { blocked.map(|pair| pair.1).collect() },
            conduct: 0,
            log: Default::default(),
        }
    }

    pub fn take(&mut self, node: &str, pool: String, seen: Option<(i64, i64)>, sabotage: Option<Sabotage>) -> Input {
        let lease = pool_lease(&pool);
        let held = self.leases.get(&lease).map(|row| (row.fence, row.beat));
        if held != seen {
            return Input::Taken { pool, taken: None };
        }
        let fence = seen.map_or(1, |(fence, _)| fence + 1);
        self.leases.insert(lease.clone(), LeaseRow { name: lease.clone(), holder: node.to_owned(), fence, beat: 0 });
        let experience = Experience { model: self.learnt.clone(), interests: vec![] };
        let mut taken = Taken { fence, running: vec![], offered: vec![], experience };
        let mut known = BTreeSet::new();
        for (pair, shard, running) in self.engaged.values() {
            if *shard == lease && known.insert(pair.id.clone()) {
                if *running {
                    taken.running.push(pair.clone());
                } else {
                    taken.offered.push((pair.clone(), [pair.a, pair.b].map(|who| self.entrant(who, sabotage))));
                }
            }
        }
        Input::Taken { pool, taken: Some(taken) }
    }

    /// What a room wants, under its fence.
    pub fn room(&mut self, pool: Pool, output: RoomOutput, sabotage: Option<Sabotage>) -> Option<Input> {
        let lease = pool_lease(&pool.name);
        let writes = !matches!(output, RoomOutput::LookUp { .. } | RoomOutput::StoreFollow { .. } | RoomOutput::LogSight(_));
        if writes && self.leases.get(&lease).is_none_or(|row| row.fence != pool.fence) {
            return Some(Input::Fenced { pool });
        }
        let input = match output {
            RoomOutput::LookUp { account } => RoomInput::LookedUp { account, found: Ok(self.entrant(account, sabotage)) },
            RoomOutput::Commit { pair } => self.commit(pair, lease, sabotage),
            RoomOutput::Withdrawn { match_id } => {
                self.engaged.retain(|_, (pair, _, running)| pair.id != match_id || *running);
                return None;
            }
            RoomOutput::Began { running } => {
                self.began(&running);
                RoomInput::Begun { match_id: running.id }
            }
            RoomOutput::Ended { match_id, .. } => {
                if sabotage != Some(Sabotage::Forgotten) {
                    self.engaged.retain(|_, (pair, ..)| pair.id != match_id);
                }
                return None;
            }
            RoomOutput::Learnt(model) => {
                self.learnt = Some(model);
                return None;
            }
            RoomOutput::StoreFollow { match_id, a, b } => {
                let stored = !self.is_blocked(a, b);
                if stored {
                    self.follows.extend([(a, b), (b, a)]);
                    self.followed.push((match_id.clone(), a, b));
                }
                RoomInput::FollowStored { match_id, stored }
            }
            _ => return None,
        };
        Some(Input::Room { pool, input })
    }

    fn commit(&mut self, pair: RunningMatch, lease: String, sabotage: Option<Sabotage>) -> RoomInput {
        let free = [pair.a, pair.b].iter().all(|who| !self.engaged.contains_key(who));
        let blocked = sabotage != Some(Sabotage::NoBlocks) && self.is_blocked(pair.a, pair.b);
        // Its matches would keep everybody from the next one.
        let free = free || sabotage == Some(Sabotage::Forgotten);
        if free && !blocked {
            for who in [pair.a, pair.b] {
                self.engaged.insert(who, (pair.clone(), lease.clone(), false));
            }
        }
        RoomInput::Committed { match_id: pair.id, allowed: free && !blocked }
    }

    /// Idempotent.
    fn began(&mut self, running: &RunningMatch) {
        if self.begun.insert(running.id.clone(), running.clone()).is_none() {
            self.began.push(running.clone());
            self.recent.entry(running.a).or_default().push(running.b);
            self.recent.entry(running.b).or_default().push(running.a);
        }
        self.engaged.values_mut().filter(|(pair, ..)| pair.id == running.id).for_each(|entry| entry.2 = true);
    }
}

//! The leases as this node sees them: which nodes live, who leads which pool. Pure; "alive" means that a change was seen lately by
//! this node's own steady clock.

use crate::store::LeaseRow;
use std::collections::BTreeMap;

const NODE: &str = "node/";
const POOL: &str = "pool/";

pub fn node_lease(name: &str) -> String {
    format!("{NODE}{name}")
}

pub fn pool_lease(name: &str) -> String {
    format!("{POOL}{name}")
}

pub fn pool_of_lease(lease: &str) -> Option<&str> {
    lease.strip_prefix(POOL)
}

#[derive(Clone, Debug)]
struct Seen {
    row: LeaseRow,
    changed_ms: u64,
    buried: bool,
}

impl Seen {
    fn at(now_ms: u64, row: LeaseRow) -> Self {
        Self { row, changed_ms: now_ms, buried: false }
    }
}

#[derive(Debug)]
pub struct Leads {
    /// Without a sign of life for so long, a holder is dead.
    dead_ms: u64,
    seen: BTreeMap<String, Seen>,
    read: bool,
}

impl Leads {
    pub fn new(dead_ms: u64) -> Self {
        Self { dead_ms, seen: BTreeMap::new(), read: false }
    }

    pub fn read(&mut self, now_ms: u64, rows: Vec<LeaseRow>) {
        self.read = true;
        for row in rows {
            match self.seen.get_mut(&row.name) {
                Some(seen) if seen.row == row => {}
                // What a leader said itself goes before what was read earlier.
                Some(seen) if seen.row.fence > row.fence => {}
                Some(seen) => *seen = Seen::at(now_ms, row),
                None => {
                    self.seen.insert(row.name.clone(), Seen::at(now_ms, row));
                }
            }
        }
    }

    /// The store could not be asked: as long as that lasts nobody dies, because nobody can give a sign of life either.
    pub fn blind(&mut self, now_ms: u64) {
        for seen in self.seen.values_mut() {
            seen.changed_ms = now_ms;
        }
    }

    /// Heard from the holder itself.
    pub fn told(&mut self, now_ms: u64, name: &str, holder: &str, fence: i64) {
        let known = self.seen.get(name).map_or(0, |seen| seen.row.fence);
        if fence > known {
            let row = LeaseRow { name: name.to_owned(), holder: holder.to_owned(), fence, beat: 0 };
            self.seen.insert(name.to_owned(), Seen::at(now_ms, row));
        }
    }

    /// By this node itself.
    pub fn given_back(&mut self, name: &str) {
        if let Some(seen) = self.seen.get_mut(name) {
            seen.row.holder.clear();
        }
    }

    /// Holder and fence.
    pub fn holder(&self, now_ms: u64, name: &str) -> Option<(&str, i64)> {
        let seen = self.seen.get(name)?;
        let alive = !seen.row.holder.is_empty() && now_ms < seen.changed_ms + self.dead_ms;
        alive.then_some((seen.row.holder.as_str(), seen.row.fence))
    }

    /// Known by name: what [`crate::store::Lease::take`] wants to hear. Outer `None`: not before the leases have been read.
    pub fn seen(&self, name: &str) -> Option<Option<(i64, i64)>> {
        self.read.then(|| self.seen.get(name).map(|seen| (seen.row.fence, seen.row.beat)))
    }

    /// Nodes and their lives.
    pub fn nodes(&self, now_ms: u64) -> impl Iterator<Item = (&str, i64)> {
        self.seen
            .keys()
            .filter(|name| name.starts_with(NODE))
            .filter_map(move |name| Some((&name[NODE.len()..], self.holder(now_ms, name)?.1)))
    }

    /// Those that have been seen and are dead, with the life that ended; each is named once.
    pub fn bury(&mut self, now_ms: u64) -> Vec<(String, i64)> {
        let dead: Vec<String> =
            self.seen.keys().filter(|name| name.starts_with(NODE) && self.holder(now_ms, name).is_none()).cloned().collect();
        let mut buried = Vec::new();
        for name in dead {
            if let Some(seen) = self.seen.get_mut(&name)
                && !std::mem::replace(&mut seen.buried, true)
            {
                buried.push((name[NODE.len()..].to_owned(), seen.row.fence));
            }
        }
        buried
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, holder: &str, fence: i64, beat: i64) -> LeaseRow {
        LeaseRow { name: name.into(), holder: holder.into(), fence, beat }
    }

    #[test]
    fn who_beats_lives_and_who_does_not_is_buried_once() {
        let mut leads = Leads::new(2_000);
        assert_eq!(leads.seen("pool/en"), None);
        leads.read(0, vec![row("node/a", "a", 3, 1), row("node/b", "b", 1, 1), row("pool/en", "a", 9, 1)]);
        assert_eq!((leads.seen("pool/en"), leads.seen("pool/de")), (Some(Some((9, 1))), Some(None)));
        for beat in 2..9 {
            leads.read(beat * 500, vec![row("node/a", "a", 3, 1), row("node/b", "b", 1, beat as i64), row("pool/en", "a", 9, 1)]);
        }
        assert_eq!(leads.nodes(4_000).collect::<Vec<_>>(), [("b", 1)]);
        assert_eq!(leads.holder(4_000, "pool/en"), None);
        assert_eq!(leads.bury(4_000), [("a".to_owned(), 3)]);
        assert_eq!(leads.bury(4_000), []);
        leads.read(4_100, vec![row("node/a", "a", 3, 1)]);
        assert_eq!((leads.nodes(4_100).count(), leads.bury(4_100)), (1, vec![]), "the same row is no sign of life");
        leads.read(4_500, vec![row("node/a", "a", 4, 0), row("pool/en", "", 9, 1)]);
        assert_eq!(leads.nodes(4_500).collect::<Vec<_>>(), [("a", 4), ("b", 1)]);
        assert_eq!(leads.holder(4_500, "pool/en"), None, "given back");
    }

    #[test]
    fn nobody_dies_while_the_store_is_away() {
        let mut leads = Leads::new(2_000);
        leads.read(0, vec![row("node/a", "a", 1, 1)]);
        for second in 1..60 {
            leads.blind(second * 1000);
        }
        assert_eq!(leads.nodes(60_000).count(), 1);
        leads.read(60_500, vec![row("node/a", "a", 1, 1)]);
        assert_eq!(leads.nodes(60_900).count(), 1);
        assert_eq!(leads.nodes(61_100).count(), 0);
    }

    #[test]
    fn a_leader_is_believed_before_it_is_read() {
        let mut leads = Leads::new(2_000);
        leads.read(0, vec![row("pool/en", "a", 1, 5)]);
        leads.told(10, "pool/en", "b", 2);
        leads.read(20, vec![row("pool/en", "a", 1, 6)]);
        leads.told(30, "pool/en", "a", 1);
        assert_eq!(leads.holder(40, "pool/en"), Some(("b", 2)));
    }
}

//! One tick: who is due looks for candidates, pairs compete, the best are taken and exchange partners.

use super::{LEAST_SPREAD, NOBODY, Pair, Pool};
use crate::model::Model;

/// Ticks from one look to the next.
const UNTIL_NEXT_LOOK: [usize; 7] = [1, 1, 2, 2, 4, 4, 4];

struct Offer {
    surplus: f32,
    chance: f32,
    a: u32,
    b: u32,
}

impl Pool {
    fn price(&self, at: u32, now_ms: u64) -> f32 {
        let hot = &self.hot[at as usize];
        let share = now_ms.saturating_sub(hot.since_ms) as f32 / self.settings.patience_ms;
        let pays = self.settings.urge * share.min(10.0).powf(self.settings.urge_power);
        if hot.expects == f32::NEG_INFINITY {
            return -pays;
        }
        0.5 * Model::chance(hot.expects + self.settings.hold_out * hot.spread - self.fallen(at, now_ms)) - pays
    }

    /// More are due than the latest tick had looks for.
    pub fn is_behind(&self) -> bool {
        self.behind
    }

    /// To be called every 250 ms or so.
    pub fn tick(&mut self, now_ms: u64) -> Vec<Pair> {
        let found = self.look_around();
        let offers = self.offers(found, now_ms);
        let mut taken = Vec::new();
        for offer in &offers {
            if self.mates[offer.a as usize].0 == NOBODY && self.mates[offer.b as usize].0 == NOBODY {
                self.mates[offer.a as usize] = (offer.b, offer.chance);
                self.mates[offer.b as usize] = (offer.a, offer.chance);
                taken.extend([offer.a, offer.b]);
            }
        }
        for _ in 0..self.settings.exchanges {
            if self.exchange(&offers) == 0 {
                break;
            }
        }
        self.part(&taken, now_ms)
    }

    /// Those who are due look for candidates: (one, other, chance).
    fn look_around(&mut self) -> Vec<(u32, u32, f32)> {
        // While somebody is still due from before, nobody else becomes due: time goes slower under load.
        if !self.behind {
            let mut coming = std::mem::take(&mut self.wheel[0]);
            self.due.extend(coming.drain(..));
            self.wheel[0] = coming;
            self.wheel.rotate_left(1);
        }
        let mut found = Vec::new();
        let mut looks_left = self.settings.looks;
        while looks_left > 0
            && let Some((at, generation)) = self.due.pop_front()
        {
            let slot = &mut self.slots[at as usize];
            if !slot.live || slot.generation != generation {
                continue;
            }
            looks_left -= 1;
            let looks = slot.looks;
            slot.looks += 1;
            let ticks = UNTIL_NEXT_LOOK[(looks as usize).min(UNTIL_NEXT_LOOK.len() - 1)];
            self.wheel[ticks - 1].push((at, generation));
            self.look(at);
            self.expect(at, looks == 0);
            found.extend(self.best.found.iter().map(|(odds, other)| (at, *other, Model::chance(*odds))));
        }
        self.behind = !self.due.is_empty();
        found
    }

    /// Fills `best` with the candidates of one person.
    fn look(&mut self, at: u32) {
        let Self { best, hot, slots, cells, centres, chance, model, settings, .. } = self;
        let (me, slot) = (&hot[at as usize].entry, &slots[at as usize]);
        best.start(settings.keep * 3);
        let budget = (settings.probe / slot.places.len().max(1)).max(16);
        for places in &slot.places {
            cells[usize::from(places.language)].probe(me, centres.near(slot.cell), budget, chance, model, best);
        }
        best.settle();
        let mut found = std::mem::take(&mut self.best.found);
        found.retain(|(_, other)| self.allowed(at, *other));
        found.truncate(self.settings.keep);
        self.best.found = found;
    }

    fn expect(&mut self, at: u32, newcomer: bool) {
        let slot = &mut self.slots[at as usize];
        slot.choices = self.best.found.len();
        let hot = &mut self.hot[at as usize];
        let segment = self.segments.entry(slot.segment).or_default();
        if newcomer && let Some((odds, _)) = self.best.found.first() {
            slot.first_look = odds - hot.entry.ease;
            segment.found(slot.first_look);
        }
        let share = if slot.first_look.is_finite() { self.settings.own_look } else { 0.0 };
        let first_look = if share > 0.0 { slot.first_look } else { 0.0 };
        let usual = (1.0 - share) * segment.usual + share * first_look;
        hot.expects = if slot.choices > 1 { usual + hot.entry.ease } else { f32::NEG_INFINITY };
        hot.spread = segment.spread.max(LEAST_SPREAD);
    }

    /// The pairs that cover both prices, best surplus first.
    fn offers(&self, found: Vec<(u32, u32, f32)>, now_ms: u64) -> Vec<Offer> {
        let mut offers = Vec::with_capacity(found.len());
        for (one, other, chance) in found {
            let (a, b) = (one.min(other), one.max(other));
            let surplus = chance - self.price(a, now_ms) - self.price(b, now_ms);
            if surplus >= 0.0 {
                offers.push(Offer { surplus, chance, a, b });
            }
        }
        offers.sort_unstable_by(|one, other| other.surplus.total_cmp(&one.surplus).then((one.a, one.b).cmp(&(other.a, other.b))));
        offers.dedup_by(|one, other| (one.a, one.b) == (other.a, other.b));
        offers
    }

    /// (a, b) and (c, d) become (a, c) and (b, d) where these are worth more together; how often that happened.
    fn exchange(&mut self, offers: &[Offer]) -> usize {
        let mut exchanged = 0;
        for offer in offers {
            let (a, c) = (offer.a, offer.b);
            let ((b, first), (d, second)) = (self.mates[a as usize], self.mates[c as usize]);
            if b == NOBODY || d == NOBODY || b == c || offer.chance * 4.0 <= first + second {
                continue;
            }
            if !self.speak_together(b, d) || !self.allowed(b, d) {
                continue;
            }
            let chance = self.pair_chance(b, d);
            if offer.chance + chance > first + second + 1e-5 {
                for (one, other, chance) in [(a, c, offer.chance), (c, a, offer.chance), (b, d, chance), (d, b, chance)] {
                    self.mates[one as usize] = (other, chance);
                }
                exchanged += 1;
            }
        }
        exchanged
    }

    fn speak_together(&self, a: u32, b: u32) -> bool {
        let others = &self.slots[b as usize].places;
        self.slots[a as usize].places.iter().any(|one| others.iter().any(|other| one.language == other.language))
    }

    fn part(&mut self, taken: &[u32], now_ms: u64) -> Vec<Pair> {
        let mut pairs = Vec::with_capacity(taken.len() / 2);
        for &a in taken {
            let (b, chance) = self.mates[a as usize];
            if a < b {
                pairs.push(Pair { a: self.slots[a as usize].id, b: self.slots[b as usize].id, chance });
            }
            let waited_ms = now_ms.saturating_sub(self.hot[a as usize].since_ms);
            self.segments.entry(self.slots[a as usize].segment).or_default().paired(now_ms, waited_ms);
        }
        for &at in taken {
            self.mates[at as usize] = (NOBODY, 0.0);
            self.leave(self.slots[at as usize].id);
        }
        pairs
    }
}

#[cfg(test)]
#[path = "choose_tests.rs"]
mod tests;

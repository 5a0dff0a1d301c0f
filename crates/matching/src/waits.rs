//! What people of one segment (language, interests given or not) usually find and how long they wait: the ground of prices and of
//! the estimate that is told.

use std::collections::VecDeque;

/// Fewer waits than these say nothing about the next one.
const LEAST_WAITS: usize = 3;
const WAITS_KEPT: usize = 64;
const WAITS_KEPT_FOR_MS: u64 = 10 * 60 * 1000;

#[derive(Clone, Debug, Default)]
pub struct Segment {
    /// Log odds of the best that a newcomer finds, the newcomer's own ease taken out: mean, and mean distance from it.
    pub usual: f32,
    pub spread: f32,
    seen: u32,
    /// (when paired, how long waited)
    waits: VecDeque<(u64, u64)>,
}

impl Segment {
    pub fn found(&mut self, best: f32) {
        self.seen += 1;
        let share = (1.0 / self.seen as f32).max(0.005);
        self.spread += share * ((best - self.usual).abs() - self.spread);
        self.usual += share * (best - self.usual);
    }

    pub fn paired(&mut self, now_ms: u64, waited_ms: u64) {
        self.waits.push_back((now_ms, waited_ms));
        if self.waits.len() > WAITS_KEPT {
            self.waits.pop_front();
        }
    }

    /// What is left for half of those who lately waited at least as long; nothing where too few did.
    pub fn estimate_ms(&self, now_ms: u64, waited_ms: u64) -> Option<u64> {
        let counts = |entry: &&(u64, u64)| now_ms.saturating_sub(entry.0) <= WAITS_KEPT_FOR_MS && entry.1 >= waited_ms;
        let mut waits: Vec<u64> = self.waits.iter().filter(counts).map(|(_, waited)| *waited).collect();
        if waits.len() < LEAST_WAITS {
            return None;
        }
        waits.sort_unstable();
        Some(waits[waits.len() / 2] - waited_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_what_others_still_waited_and_grows_honestly() {
        let mut segment = Segment::default();
        for waited in [1_000, 2_000, 3_000, 20_000, 30_000, 40_000] {
            segment.paired(100_000, waited);
        }
        assert_eq!(segment.estimate_ms(100_000, 0), Some(20_000));
        assert_eq!(segment.estimate_ms(100_000, 5_000), Some(25_000), "the quick ones say nothing any more");
        assert_eq!(segment.estimate_ms(100_000, 25_000), None, "two are too few");
        assert_eq!(segment.estimate_ms(800_000, 0), None, "long ago");
    }

    #[test]
    fn three_of_the_latest_64_within_ten_minutes_are_enough() {
        let mut segment = Segment::default();
        (0..2).for_each(|_| segment.paired(0, 900));
        assert_eq!(segment.estimate_ms(0, 900), None);
        segment.paired(0, 900);
        assert_eq!(segment.estimate_ms(0, 900), Some(0), "who waits as long as they did is one of them");
        assert_eq!(segment.estimate_ms(600_000, 800), Some(100));
        assert_eq!(segment.estimate_ms(600_001, 800), None);
        (3..64).for_each(|_| segment.paired(0, 10));
        assert_eq!(segment.estimate_ms(0, 800), Some(100));
        segment.paired(0, 10);
        assert_eq!(segment.estimate_ms(0, 800), None, "the first is not known any more");
    }

    #[test]
    fn the_first_finds_count_alike() {
        let mut segment = Segment::default();
        for (best, usual, spread) in [(2.0, 2.0, 2.0), (4.0, 3.0, 2.0), (0.0, 2.0, 7.0 / 3.0)] {
            segment.found(best);
            assert!((segment.usual - usual).abs() < 1e-5 && (segment.spread - spread).abs() < 1e-5, "{segment:?}");
        }
    }

    #[test]
    fn the_usual_follows_what_is_found() {
        let mut segment = Segment::default();
        for _ in 0..2_000 {
            segment.found(1.0);
            segment.found(2.0);
        }
        assert!((segment.usual - 1.5).abs() < 0.05 && (segment.spread - 0.5).abs() < 0.05, "{segment:?}");
    }
}

//! The queue in front of the wire for pictures: spreads them out, lets repairs go first, and says when it holds enough.
//!
//! Sound, reports and messages do not pass through here. The queue is short by design: the encoder is told to leave a picture out
//! while [`Pacer::waiting`] is too long, because what is not encoded need not be sent late. What grew old nevertheless (a path that
//! stood still) is given up as a whole, [`Pacer::give_up`]; after that only a key frame helps.

use std::collections::VecDeque;
use std::time::Duration;

/// What may leave at once: timers are no finer than this.
const BURST: Duration = Duration::from_millis(5);

/// What the rate control allows at this moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate {
    pub pace_kbps: u32,
    /// Bytes that may be under way, and that are.
    pub window: u64,
    pub in_flight: u64,
}

impl Gate {
    fn is_open(&self) -> bool {
        self.in_flight < self.window
    }

    fn bytes_per_second(&self) -> f64 {
        f64::from(self.pace_kbps.max(1)) * 125.0
    }
}

#[derive(Debug)]
struct Waiting<T> {
    item: T,
    bytes: u32,
    since: Duration,
}

#[derive(Debug)]
pub(crate) struct Pacer<T> {
    repairs: VecDeque<Waiting<T>>,
    pictures: VecDeque<Waiting<T>>,
    bytes: u64,
    /// Bytes that may leave now; below zero after a packet that was larger.
    budget: f64,
    filled: Duration,
}

impl<T> Pacer<T> {
    pub fn new() -> Self {
        Self { repairs: VecDeque::new(), pictures: VecDeque::new(), bytes: 0, budget: 0.0, filled: Duration::ZERO }
    }

    pub fn push(&mut self, item: T, bytes: u32, repair: bool, now: Duration) {
        let queue = if repair { &mut self.repairs } else { &mut self.pictures };
        queue.push_back(Waiting { item, bytes, since: now });
        self.bytes += u64::from(bytes);
    }

    /// The next packet that may leave now.
    pub fn pop(&mut self, gate: Gate, now: Duration) -> Option<T> {
        let rate = gate.bytes_per_second();
        let passed = now.saturating_sub(self.filled).as_secs_f64();
        self.filled = self.filled.max(now);
        self.budget = (self.budget + passed * rate).min(BURST.as_secs_f64() * rate);
        if self.budget < 0.0 || !gate.is_open() {
            return None;
        }
        let next = self.repairs.pop_front().or_else(|| self.pictures.pop_front())?;
        self.bytes -= u64::from(next.bytes);
        self.budget -= f64::from(next.bytes);
        Some(next.item)
    }

    /// When [`Self::pop`] will give something; `None` when nothing waits or feedback must come first.
    pub fn next(&self, gate: Gate) -> Option<Duration> {
        if self.bytes == 0 || !gate.is_open() {
            return None;
        }
        let debt = (-self.budget).max(0.0) / gate.bytes_per_second();
        Some(self.filled + Duration::from_secs_f64(debt))
    }

    /// How long what is here takes to leave at this pace.
    pub fn waiting(&self, gate: Gate) -> Duration {
        Duration::from_secs_f64(self.bytes as f64 / gate.bytes_per_second())
    }

    /// Since when the oldest packet waits.
    pub fn oldest(&self) -> Option<Duration> {
        self.repairs.front().into_iter().chain(self.pictures.front()).map(|waiting| waiting.since).min()
    }

    /// Empties the queue; gives what was in it.
    pub fn give_up(&mut self) -> impl Iterator<Item = T> {
        self.bytes = 0;
        let repairs = std::mem::take(&mut self.repairs);
        repairs.into_iter().chain(std::mem::take(&mut self.pictures)).map(|waiting| waiting.item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATE: Gate = Gate { pace_kbps: 800, window: 100_000, in_flight: 0 };

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    #[test]
    fn a_key_frame_is_spread_out_and_repairs_go_first() {
        let mut pacer = Pacer::new();
        for number in 0..20 {
            pacer.push(number, 1000, false, ms(1000));
        }
        pacer.push(99, 1000, true, ms(1000));
        assert_eq!(pacer.waiting(GATE), ms(210));
        let mut left = Vec::new();
        for at in 1000..1300 {
            assert!(pacer.next(GATE).is_none_or(|next| next <= ms(at + 11)));
            while let Some(number) = pacer.pop(GATE, ms(at)) {
                left.push((at, number));
            }
        }
        assert_eq!(left[0], (1000, 99));
        assert_eq!(left.len(), 21);
        // A thousand bytes are 10 ms at this pace; half of that may be ahead.
        assert!(left.iter().enumerate().all(|(index, (at, _))| *at + 6 >= 1000 + 10 * index as u64), "{left:?}");
        assert!(left[20].0 <= 1210, "{left:?}");
        assert_eq!(pacer.next(GATE), None);
    }

    #[test]
    fn a_full_window_holds_everything_back() {
        let mut pacer = Pacer::new();
        pacer.push(1, 1000, false, ms(0));
        let full = Gate { in_flight: 100_000, ..GATE };
        assert_eq!((pacer.pop(full, ms(500)), pacer.next(full)), (None, None));
        assert_eq!(pacer.oldest(), Some(ms(0)));
        assert_eq!(pacer.give_up().collect::<Vec<_>>(), [1]);
        assert_eq!((pacer.pop(GATE, ms(900)), pacer.waiting(GATE)), (None, Duration::ZERO));
    }

    #[test]
    fn a_rest_earns_no_burst() {
        let mut pacer = Pacer::new();
        for number in 0..10 {
            pacer.push(number, 1000, false, ms(60_000));
        }
        let at_once = std::iter::from_fn(|| pacer.pop(GATE, ms(60_000))).count();
        assert_eq!(at_once, 1);
    }
}

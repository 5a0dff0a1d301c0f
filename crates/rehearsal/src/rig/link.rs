//! One direction of one link: drop-tail queue, bottleneck, loss, then delay with jitter and reordering. A state machine without
//! a clock: the time is an argument, in nanoseconds since any beginning.

use super::scenario::LinkConfig;
use serde::Serialize;
use std::collections::VecDeque;

const MS: f64 = 1e6;

/// xorshift64*: the same seed gives the same losses on every machine.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        // The first numbers of seeds that lie near each other are alike.
        for _ in 0..8 {
            random.unit();
        }
        random
    }

    /// Uniform in [0, 1).
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn chance(&mut self, percent: f64) -> bool {
        percent > 0.0 && self.unit() * 100.0 < percent
    }
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Counters {
    pub in_packets: u64,
    pub in_bytes: u64,
    pub out_packets: u64,
    pub out_bytes: u64,
    pub lost: u64,
    pub queue_dropped: u64,
    pub reordered: u64,
    pub max_queue_bytes: u64,
    pub max_queue_ms: f64,
}

pub struct Packet {
    pub data: Box<[u8]>,
    arrived: u64,
}

/// Jitter that wanders: from one drawn value to the next.
#[derive(Default)]
struct Wander {
    since: u64,
    from: f64,
    to: f64,
}

pub struct Link {
    config: LinkConfig,
    random: Random,
    in_burst: bool,
    queue: VecDeque<Packet>,
    queue_bytes: u64,
    /// When the packet at the head of the queue has left the bottleneck.
    head_done: Option<u64>,
    last_out: u64,
    wander: Wander,
    pub counters: Counters,
}

impl Link {
    pub fn new(config: LinkConfig, seed: u64) -> Self {
        Self {
            config,
            random: Random::new(seed),
            in_burst: false,
            queue: VecDeque::new(),
            queue_bytes: 0,
            head_done: None,
            last_out: 0,
            wander: Wander::default(),
            counters: Counters::default(),
        }
    }

    pub fn set(&mut self, config: LinkConfig) {
        self.config = config;
    }

    /// When [`Self::advance`] has something to do.
    pub fn next_event(&self) -> Option<u64> {
        self.head_done
    }

    fn sending_takes(&self, bytes: usize) -> u64 {
        if self.config.rate_kbps > 0.0 { (bytes as f64 * 8.0 / self.config.rate_kbps * MS) as u64 } else { 0 }
    }

    /// A packet arrives; what is through the bottleneck goes to `deliver(when, packet)`.
    pub fn push(&mut self, data: &[u8], now: u64, deliver: &mut dyn FnMut(u64, Packet)) {
        // A packet must not queue behind one that has already left.
        self.advance(now, deliver);
        self.counters.in_packets += 1;
        self.counters.in_bytes += data.len() as u64;
        let packet = Packet { data: data.into(), arrived: now };
        if self.config.rate_kbps <= 0.0 && self.queue.is_empty() {
            return self.after_bottleneck(packet, now, deliver);
        }
        let size = data.len() as u64;
        if self.queue_bytes + size > self.config.queue_limit() {
            self.counters.queue_dropped += 1;
            return;
        }
        self.queue_bytes += size;
        self.counters.max_queue_bytes = self.counters.max_queue_bytes.max(self.queue_bytes);
        if self.head_done.is_none() {
            self.head_done = Some(now + self.sending_takes(data.len()));
        }
        self.queue.push_back(packet);
    }

    /// Lets every packet whose transmission has ended by `now` leave the bottleneck.
    pub fn advance(&mut self, now: u64, deliver: &mut dyn FnMut(u64, Packet)) {
        while let Some(done) = self.head_done.filter(|done| *done <= now) {
            let Some(packet) = self.queue.pop_front() else { return };
            self.queue_bytes -= packet.data.len() as u64;
            self.counters.max_queue_ms = self.counters.max_queue_ms.max(done.saturating_sub(packet.arrived) as f64 / MS);
            self.head_done = self.queue.front().map(|next| done + self.sending_takes(next.data.len()));
            self.after_bottleneck(packet, done, deliver);
        }
    }

    fn after_bottleneck(&mut self, packet: Packet, at: u64, deliver: &mut dyn FnMut(u64, Packet)) {
        if self.is_lost() {
            self.counters.lost += 1;
            return;
        }
        let delay = (self.config.delay_ms + self.jitter(at)).max(0.0);
        let mut when = at + (delay * MS) as u64;
        if self.random.chance(self.config.reorder_pct) {
            when += (self.config.reorder_ms * MS) as u64;
            self.counters.reordered += 1;
        } else if !self.config.jitter_reorders {
            when = when.max(self.last_out);
            self.last_out = when;
        }
        self.counters.out_packets += 1;
        self.counters.out_bytes += packet.data.len() as u64;
        deliver(when, packet);
    }

    fn is_lost(&mut self) -> bool {
        let mut lost = self.random.chance(self.config.loss_pct);
        if let Some(burst) = &self.config.burst_loss {
            let leave = 1.0 / burst.mean_len.max(1.0);
            let share = (burst.avg_pct / 100.0).min(0.99);
            let enter = share * leave / (1.0 - share);
            let drawn = self.random.unit();
            self.in_burst = if self.in_burst { drawn >= leave } else { drawn < enter };
            lost |= self.in_burst;
        }
        lost
    }

    fn jitter(&mut self, at: u64) -> f64 {
        let most = self.config.jitter_ms;
        if most <= 0.0 {
            return 0.0;
        }
        let draw = |random: &mut Random| (random.unit() * 2.0 - 1.0) * most;
        let step = (self.config.jitter_wander_ms * MS) as u64;
        if step == 0 {
            return draw(&mut self.random);
        }
        let wander = &mut self.wander;
        while at >= wander.since + step {
            // A long silence is not walked through.
            wander.since = if at > wander.since + 100 * step { at } else { wander.since + step };
            wander.from = wander.to;
            wander.to = draw(&mut self.random);
        }
        let share = (at - wander.since) as f64 / step as f64;
        wander.from + (wander.to - wander.from) * share
    }
}

#[cfg(test)]
mod tests;

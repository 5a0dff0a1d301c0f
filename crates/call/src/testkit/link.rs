//! One direction of an emulated path: drop-tail queue, bottleneck, loss, delay, in this order; the same seed gives the same path.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// SplitMix64.
#[derive(Clone, Debug)]
pub(crate) struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Between 0 and 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Loss {
    /// A share of the packets, each on its own.
    Random(f64),
    /// Gilbert-Elliott: a share, in bursts of this mean length.
    Bursts(f64, f64),
}

/// Up to so much earlier or later than the delay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Jitter {
    pub most: Duration,
    /// Zero: drawn anew for each packet; otherwise it wanders between values drawn this far apart.
    pub wander: Duration,
    pub reorders: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LinkSettings {
    pub delay: Duration,
    pub jitter: Option<Jitter>,
    pub loss: Loss,
    /// No limit without.
    pub rate_kbps: Option<u32>,
    /// Of the queue before the bottleneck.
    pub queue_bytes: u32,
}

impl LinkSettings {
    pub fn clean(delay_ms: u64) -> Self {
        let delay = Duration::from_millis(delay_ms);
        Self { delay, jitter: None, loss: Loss::Random(0.0), rate_kbps: None, queue_bytes: 0 }
    }

    /// A queue of `queue_ms` at the rate.
    pub fn rate(self, rate_kbps: u32, queue_ms: u32) -> Self {
        Self { rate_kbps: Some(rate_kbps), queue_bytes: rate_kbps * queue_ms / 8, ..self }
    }
}

#[derive(Debug)]
pub(crate) struct Link<T> {
    pub settings: LinkSettings,
    random: Random,
    queue: VecDeque<(T, u32)>,
    queued: u32,
    /// When the first of the queue has passed the bottleneck.
    passed: Option<Duration>,
    in_burst: bool,
    wander: (u64, f64, f64),
    last: Duration,
    flying: BTreeMap<(Duration, u64), T>,
    count: u64,
    pub lost: u64,
    pub delivered_bytes: u64,
}

impl<T> Link<T> {
    pub fn new(settings: LinkSettings, seed: u64) -> Self {
        let mut random = Random(seed);
        let wander = (0, random.unit(), random.unit());
        Self {
            settings,
            random,
            queue: VecDeque::new(),
            queued: 0,
            passed: None,
            in_burst: false,
            wander,
            last: Duration::ZERO,
            flying: BTreeMap::new(),
            count: 0,
            lost: 0,
            delivered_bytes: 0,
        }
    }

    pub fn send(&mut self, item: T, bytes: u32, now: Duration) {
        self.proceed(now);
        if self.settings.rate_kbps.is_some() && self.queued + bytes > self.settings.queue_bytes && !self.queue.is_empty() {
            self.lost += 1;
            return;
        }
        self.queued += bytes;
        self.queue.push_back((item, bytes));
        self.proceed(now);
    }

    /// How long a packet that came now would wait at the bottleneck.
    pub fn queue_delay(&self) -> Duration {
        let rate = self.settings.rate_kbps.map_or(f64::INFINITY, f64::from);
        Duration::from_secs_f64(f64::from(self.queued) * 8.0 / 1000.0 / rate)
    }

    fn proceed(&mut self, now: Duration) {
        loop {
            let Some((_, bytes)) = self.queue.front() else {
                self.passed = None;
                return;
            };
            let time = match self.settings.rate_kbps {
                Some(rate) => Duration::from_secs_f64(f64::from(*bytes) * 8.0 / 1000.0 / f64::from(rate)),
                None => Duration::ZERO,
            };
            let passed = *self.passed.get_or_insert(now + time);
            if passed > now {
                return;
            }
            let Some((item, bytes)) = self.queue.pop_front() else { return };
            self.queued -= bytes;
            self.passed = None;
            if let (Some((_, next)), Some(rate)) = (self.queue.front(), self.settings.rate_kbps) {
                self.passed = Some(passed + Duration::from_secs_f64(f64::from(*next) * 8.0 / 1000.0 / f64::from(rate)));
            }
            self.fly(item, bytes, passed);
        }
    }

    /// Something that is not looked at passes too: bursts are counted in packets, and each direction carries as many.
    pub fn pass(&mut self) {
        if matches!(self.settings.loss, Loss::Bursts(..)) {
            self.is_lost();
        }
    }

    fn is_lost(&mut self) -> bool {
        match self.settings.loss {
            Loss::Random(share) => self.random.unit() < share,
            Loss::Bursts(share, length) => {
                let leave = 1.0 / length;
                let enter = leave * share / (1.0 - share);
                self.in_burst = self.random.unit() < if self.in_burst { 1.0 - leave } else { enter };
                self.in_burst
            }
        }
    }

    fn fly(&mut self, item: T, bytes: u32, now: Duration) {
        if self.is_lost() {
            self.lost += 1;
            return;
        }
        let mut at = now + self.settings.delay;
        if let Some(jitter) = self.settings.jitter {
            let unit = self.jitter(jitter, now);
            at = (at + jitter.most.mul_f64(2.0 * unit)).saturating_sub(jitter.most);
            if !jitter.reorders {
                at = at.max(self.last);
            }
        }
        self.last = self.last.max(at);
        self.count += 1;
        self.delivered_bytes += u64::from(bytes);
        self.flying.insert((at, self.count), item);
    }

    fn jitter(&mut self, jitter: Jitter, now: Duration) -> f64 {
        if jitter.wander.is_zero() {
            return self.random.unit();
        }
        let place = now.as_secs_f64() / jitter.wander.as_secs_f64();
        while self.wander.0 < place as u64 {
            self.wander = (self.wander.0 + 1, self.wander.2, self.random.unit());
        }
        self.wander.1 + (self.wander.2 - self.wander.1) * place.fract()
    }

    /// The next packet that has arrived by now.
    pub fn deliver(&mut self, now: Duration) -> Option<T> {
        self.proceed(now);
        let first = self.flying.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(first.remove())
    }
}

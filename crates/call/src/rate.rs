//! How many bits a second may leave: a state machine fed with what left and what the peer's feedback says of it.
//!
//! The shape is that of the library's `BandwidthEstimator` (reports in, a number out, time as an argument), but it is not that trait:
//! the library's reports call every packet lost that a lost feedback would have named, and do not tell sound from pictures.
//!
//! | part | what it finds |
//! |---|---|
//! | [`ledger`] | what became of each packet; the bytes under way |
//! | [`delay`] | whether a queue stands (lower envelope of the delay; jitter is learnt, not fought) |
//! | [`throughput`] | what came in, and what pace single pictures were carried at |
//! | [`loss`] | losses that sending less would cure |
//! | this file | the target: up by proof, down by measure (draft-ietf-rmcat-gcc-02 section 5.5 and what followed in libwebrtc) |
//!
//! Upwards: pictures leave faster than the average rate, so each shows whether there is room; the target follows that within a few
//! round trips, as at the start so after a drop. Without such proof it grows slowly. Downwards: a standing queue cuts to a part of
//! what came in meanwhile, and the [`Allowance::window`] of bytes under way stops pictures (never sound) until it has drained. A
//! queue that goes away before the cut can have worked was jitter: the cut is taken back.

pub(crate) mod delay;
mod figures;
pub(crate) mod ledger;
pub(crate) mod loss;
mod sums;
pub(crate) mod throughput;

use delay::{DelayWatch, Verdict};
pub(crate) use figures::{Allowance, Figures};
use ledger::{Kind, Ledger, Line, Outcome, Sent};
use loss::LossWatch;
use std::collections::VecDeque;
use std::time::Duration;
use sums::Sums;
use throughput::{Acknowledged, Room, Trains, most_usable, usable};

/// For everything together; below this there is no picture worth its sound.
const MINIMUM_KBPS: f32 = 110.0;
const START_KBPS: f32 = 450.0;
/// Pictures leave this much faster than the target, so that each proves room and waits little (libwebrtc's pacing factor).
const PACE: f32 = 2.5;
/// The same beside what the path is known to carry, while no probe is under way.
const PACE_KNOWN: f32 = 1.6;
const PROBE_LASTS: Duration = Duration::from_millis(60);
/// The first key frame is the first probe.
const START_PACE_KBPS: f32 = 2500.0;
/// Part of what came in while a queue stood.
const CUT: f32 = 0.85;
/// What a second cut in a row leaves at least: what came in while pictures were held back is less than the path carries.
const CUT_AGAIN: f32 = 0.8;
/// How fast (a second) a target above that gives way.
const YIELD: f32 = 0.85;
/// Growth without proof, a second: with nothing known of a limit, and near a known one.
const GROWTH: f32 = 1.5;
const GROWTH_NEAR: f32 = 1.05;
/// Between two cuts, more than the round trip: the first one must be seen to work.
const RESPONSE: Duration = Duration::from_millis(100);
const FIRST_ROUND_TRIP: Duration = Duration::from_millis(200);
/// The shortest round trip is looked for anew after this.
const ROUND_TRIP_LIFETIME: Duration = Duration::from_secs(15);
/// A second queue so soon after the first, at less than the path had carried then, is doubted.
const DOUBTED: Duration = Duration::from_secs(5);
const DRAIN_LIMIT: Duration = Duration::from_millis(2000);
/// No feedback for this long (and three round trips): nothing is known any more.
const SILENCE: Duration = Duration::from_millis(600);
const SILENCE_STEP: Duration = Duration::from_millis(500);
/// A trust that growth by trains has lost comes back after this time, then twice it, and so on.
const DISTRUST: Duration = Duration::from_secs(4);
const DISTRUST_LIMIT: Duration = Duration::from_secs(60);
/// Without any feedback for this long there is none to come.
const DEAF: Duration = Duration::from_millis(1500);
/// Between two probes: while they lead upwards, while they do not, and while the target is not used.
const PROBE_LEAST: Duration = Duration::from_millis(250);
const PROBE_MOST: Duration = Duration::from_millis(3000);
const PROBE_UNUSED: Duration = Duration::from_secs(5);
/// What the window allows beyond the bytes that fill the path.
const WINDOW_QUEUE: Duration = Duration::from_millis(35);
const WINDOW_LEAST: f32 = 4000.0;
const WINDOW_FIRST: u64 = 40_000;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Growing,
    /// Less than comes through is sent until the queue is gone.
    Draining {
        since: Duration,
        before: f32,
        standing_ms: f32,
        effect_seen: bool,
        again: bool,
    },
}

/// Header bytes of a video packet on the wire that the encoder's bits do not count.
const OVERHEAD: i64 = 70;
const SUM_WINDOW: Duration = Duration::from_millis(1000);

#[derive(Debug)]
pub(crate) struct RateControl {
    ledger: Ledger,
    delay: DelayWatch,
    acknowledged: Acknowledged,
    trains: Trains,
    loss: LossWatch,
    maximum: f32,
    target: f32,
    phase: Phase,
    /// What came in when the last queue stood.
    limit: Option<f32>,
    cut_at: Option<Duration>,
    /// Until when trains are not believed, and for how long the next time.
    distrust: (Duration, Duration),
    /// When trains last led upwards, and the pace that they had shown.
    led: Option<(Duration, f32)>,
    updated: Duration,
    heard: Option<Duration>,
    quiet_step: Duration,
    /// Outcomes of packets that left before this say nothing: the path was down.
    blind_until: Duration,
    feedback_interval: Duration,
    /// Shortest round trip, and when it was seen.
    least: Option<(Duration, Duration)>,
    /// When the last packet left.
    left: Duration,
    sent: VecDeque<Sent>,
    sums: Sums,
    /// When pictures last left as probes, and how many of them.
    probed: Option<(Duration, u8)>,
    probe_pause: Duration,
}

impl RateControl {
    pub fn new(maximum_kbps: u32, now: Duration) -> Self {
        let maximum = (maximum_kbps as f32).max(MINIMUM_KBPS);
        Self {
            ledger: Ledger::default(),
            delay: DelayWatch::new(),
            acknowledged: Acknowledged::default(),
            trains: Trains::default(),
            loss: LossWatch::default(),
            maximum,
            target: START_KBPS.min(maximum),
            phase: Phase::Growing,
            limit: None,
            cut_at: None,
            distrust: (Duration::ZERO, DISTRUST),
            led: None,
            updated: now,
            heard: None,
            quiet_step: now,
            blind_until: Duration::ZERO,
            feedback_interval: Duration::from_millis(50),
            least: None,
            left: now,
            sent: VecDeque::new(),
            sums: Sums::default(),
            probed: None,
            probe_pause: PROBE_LEAST,
        }
    }

    /// A new path: nothing learnt about the old one holds.
    pub fn reset(&mut self, now: Duration) {
        let target = self.target.min(START_KBPS);
        let ledger = std::mem::take(&mut self.ledger);
        let (sent, sums) = (std::mem::take(&mut self.sent), self.sums);
        *self = Self { ledger, target, sent, sums, blind_until: now, ..Self::new(self.maximum as u32, now) };
    }

    /// A packet leaves with this transport-wide number.
    pub fn sent(&mut self, number: u16, sent: Sent) {
        self.ledger.sent(number, sent);
        self.left = sent.at;
        self.sent.push_back(sent);
        self.sums.count(sent, 1);
        while let Some(old) = self.sent.pop_front_if(|old| old.at + SUM_WINDOW < sent.at) {
            self.sums.count(old, -1);
        }
    }

    fn round_trip(&self) -> Duration {
        self.least.map_or(FIRST_ROUND_TRIP, |(least, _)| least)
    }

    pub fn in_flight(&self) -> u64 {
        self.ledger.in_flight()
    }

    /// One feedback packet of the peer.
    pub fn feedback(&mut self, lines: &[Line], now: Duration) {
        let outcomes = self.ledger.feedback(lines, now);
        if let Some(heard) = self.heard.replace(now) {
            let pause = now.saturating_sub(heard);
            if pause > SILENCE {
                self.after_silence(now);
            } else {
                self.feedback_interval = (self.feedback_interval * 7 + pause) / 8;
            }
        }
        if let Some(round_trip) = self.ledger.round_trip()
            && self.least.is_none_or(|(least, at)| round_trip < least || at + ROUND_TRIP_LIFETIME < now)
        {
            self.least = Some((round_trip.max(Duration::from_millis(5)), now));
        }
        self.learn(&outcomes, now);
        self.decide(&outcomes, now);
        self.updated = now;
    }

    fn learn(&mut self, outcomes: &[Outcome], now: Duration) {
        let (mut lost, mut all) = (0, 0);
        for outcome in outcomes.iter().filter(|outcome| outcome.sent.at >= self.blind_until) {
            let is_first = outcome.sent.kind.is_first();
            all += u32::from(is_first);
            self.trains.packet(outcome);
            match outcome.arrived {
                Some(arrived) => {
                    self.delay.packet(outcome.sent.at, arrived, outcome.sent.kind != Kind::Sound);
                    self.acknowledged.packet(arrived, outcome.sent.bytes);
                }
                None => lost += u32::from(is_first),
            }
        }
        if let Some(share) = self.loss.count(lost, all, now) {
            self.cut_for_loss(share, now);
        }
    }

    fn decide(&mut self, outcomes: &[Outcome], now: Duration) {
        let verdict = self.delay.verdict();
        if verdict == Verdict::Queue || self.phase != Phase::Growing {
            self.delay.do_not_learn();
        }
        match self.phase {
            Phase::Growing if verdict == Verdict::Queue => self.cut_for_queue(now),
            Phase::Growing if verdict == Verdict::Free => self.grow(now),
            Phase::Growing => {}
            Phase::Draining { since, ref mut effect_seen, .. } => {
                *effect_seen |= outcomes.iter().any(|outcome| outcome.sent.at > since);
                self.drain(verdict, now);
            }
        }
    }

    fn drain(&mut self, verdict: Verdict, now: Duration) {
        let Phase::Draining { since, before, standing_ms, effect_seen, again } = self.phase else { return };
        let queue = self.delay.queue_ms();
        if queue < self.delay.empty_ms() {
            self.phase = Phase::Growing;
            if !effect_seen && !again {
                // It went away before anything sent since could have arrived.
                self.delay.doubt();
                self.target = self.target.max(before * 0.97);
            }
            return;
        }
        if now.saturating_sub(since) > DRAIN_LIMIT && queue > 0.8 * standing_ms && self.target < 0.7 * before {
            // Far less is sent and the delay is what it was: the path has become longer.
            self.delay.rebase();
            self.phase = Phase::Growing;
        } else if verdict == Verdict::Queue && !effect_seen && !again {
            // What comes in is told better with every feedback that tells of the time after the change.
            self.tighten(now);
        } else if verdict == Verdict::Queue && now.saturating_sub(since) > self.round_trip() + RESPONSE {
            self.cut_for_queue(now);
        }
    }

    /// What came in while the queue stood.
    fn came(&self) -> f32 {
        let windows = [300, 500].map(Duration::from_millis);
        windows.iter().find_map(|window| self.acknowledged.kbps(*window)).unwrap_or(self.target)
    }

    fn tighten(&mut self, now: Duration) {
        let came = self.came();
        if came * CUT < self.target {
            self.limit = Some(came);
            self.target = (came * CUT).max(MINIMUM_KBPS.min(self.target));
            self.cut_at = Some(now);
        }
    }

    fn cut_for_queue(&mut self, now: Duration) {
        let (before, again) = match self.phase {
            Phase::Draining { before, .. } => (before, true),
            Phase::Growing => (self.target, false),
        };
        // Less is sent than came through when a queue stood last, not long ago: rather jitter that is not known yet.
        let early = self.cut_at.is_some_and(|cut| now.saturating_sub(cut) < DOUBTED);
        if !again && early && self.limit.is_some_and(|limit| self.target < limit * 0.95) {
            self.delay.doubt();
        }
        let came = self.came();
        let least = if again { self.target * CUT_AGAIN } else { 0.0 };
        self.limit = Some(came.max(least));
        self.lower_to((came * CUT).max(least), now);
        let standing_ms = self.delay.queue_ms();
        self.phase = Phase::Draining { since: now, before, standing_ms, effect_seen: false, again };
        self.trains.forget();
    }

    fn cut_for_loss(&mut self, share: f32, now: Duration) {
        let came = self.acknowledged.kbps(Duration::from_millis(500)).unwrap_or(0.0);
        self.limit = Some(came.max(MINIMUM_KBPS));
        self.lower_to((came * 0.95).max(self.target * (1.0 - share)), now);
    }

    fn lower_to(&mut self, kbps: f32, now: Duration) {
        self.target = kbps.clamp(MINIMUM_KBPS.min(self.target), self.target);
        self.cut_at = Some(now);
        let came = self.limit.unwrap_or(kbps);
        if self.led.take().is_some_and(|(led, room)| now.saturating_sub(led) < Duration::from_millis(1500) && came < 0.7 * room) {
            // Trains promised what the path does not keep, as a policer does that lets bursts through.
            let (_, span) = self.distrust;
            self.distrust = (now + span, (span * 2).min(DISTRUST_LIMIT));
        }
    }

    fn grow(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.updated).min(Duration::from_millis(250)).as_secs_f32();
        let room = self.trains.room(now).filter(|_| now >= self.distrust.0);
        let near = self.limit.is_some_and(|limit| self.target > limit * 0.7);
        match room {
            Some(Room { kbps: room, .. }) if usable(room) > self.target => {
                // Half as much again within a round trip, and never beyond what was proven.
                let response = (self.round_trip() + RESPONSE).as_secs_f32();
                let step = self.target * (1.5f32.powf(passed / response) - 1.0);
                self.target = (self.target + step).min(usable(room));
                self.led = Some((now, room));
            }
            // Trains that agree are the better measure of a limit than a queue that has to be built first.
            Some(Room { kbps: room, steady: true }) => {
                let most = most_usable(room);
                if self.target > most {
                    self.target = (self.target * YIELD.powf(passed)).max(most);
                }
            }
            _ => {
                let came = self.acknowledged.kbps(Duration::from_millis(500)).unwrap_or(0.0);
                // What is not used proves nothing.
                if came > self.target * 0.6 {
                    self.target *= if near || room.is_some() { GROWTH_NEAR } else { GROWTH }.powf(passed);
                }
            }
        }
        self.target = self.target.min(self.maximum);
        if self.limit.is_some_and(|limit| self.target > limit * 1.5) {
            self.limit = None;
        }
        if self.led.is_some_and(|(led, _)| now.saturating_sub(led) > DISTRUST) {
            self.distrust.1 = DISTRUST;
        }
    }

    fn after_silence(&mut self, now: Duration) {
        self.loss.forget_window();
        self.trains.forget();
        self.delay.do_not_learn();
        self.blind_until = now.saturating_sub(self.round_trip());
    }

    /// To be called at [`Self::deadline`], or more often.
    pub fn timeout(&mut self, now: Duration) {
        if !self.is_silent(now) || now < self.quiet_step + SILENCE_STEP {
            return;
        }
        self.quiet_step = now;
        self.target = (self.target * 0.8).max(MINIMUM_KBPS.min(self.target));
    }

    /// Since when an answer is missing.
    fn unanswered(&self) -> Option<Duration> {
        Some(self.ledger.waiting_since()?.max(self.heard?))
    }

    fn silence(&self) -> Duration {
        SILENCE.max(self.round_trip() * 3)
    }

    /// Nothing was heard for longer than any path takes.
    pub fn is_silent(&self, now: Duration) -> bool {
        self.unanswered().is_some_and(|since| now.saturating_sub(since) >= self.silence())
    }

    pub fn deadline(&self) -> Option<Duration> {
        Some((self.unanswered()? + self.silence()).max(self.quiet_step + SILENCE_STEP))
    }

    fn window(&self) -> u64 {
        if self.heard.is_none() {
            // A peer that gives no such feedback gets what a call begins with, and no window.
            let deaf = self.ledger.waiting_since().is_some_and(|since| self.left.saturating_sub(since) > DEAF);
            return if deaf { u64::MAX } else { WINDOW_FIRST };
        }
        let span = self.round_trip() + self.feedback_interval + WINDOW_QUEUE;
        let span = span.as_secs_f32() + self.delay.jitter_ms() / 1000.0;
        (self.target * 125.0 * span).max(WINDOW_LEAST) as u64
    }

    pub fn allowance(&self, now: Duration) -> Allowance {
        let kbps = |bytes: i64| bytes as f32 * 8.0 / 1000.0 / SUM_WINDOW.as_secs_f32();
        // Sound is served first and repairs with the pictures they belong to, which keep at least half.
        let pictures = (self.target - kbps(self.sums.sound)).max(self.target * 0.4);
        let pictures = (pictures - kbps(self.sums.repairs)).max(pictures * 0.5);
        let headers = match self.sums.pictures {
            0 => 0.08,
            bytes => ((self.sums.picture_packets * OVERHEAD) as f32 / bytes as f32).min(0.3),
        };
        let pace = if self.heard.is_none() { START_PACE_KBPS } else { self.pace(now) };
        Allowance {
            video_kbps: (pictures * (1.0 - headers)) as u32,
            target_kbps: self.target as u32,
            pace_kbps: pace as u32,
            window: if self.is_silent(now) { self.ledger.in_flight() / 2 } else { self.window() },
            probe: self.wants_probe(now),
        }
    }

    /// Where the limit is known, hardly more than it: the queue before it would hold up the sound behind every picture. A probe has
    /// to be faster.
    fn pace(&self, now: Duration) -> f32 {
        let probes = self.probed.is_some_and(|(at, _)| now.saturating_sub(at) < PROBE_LASTS);
        let steady = self.trains.room(now).filter(|room| room.steady && !probes && self.phase == Phase::Growing);
        let most = self.target * PACE;
        steady.map_or(most, |room| (room.kbps * PACE_KNOWN).min(most))
    }

    /// Pictures too small to be trains (a low rate, a quiet scene) are cut into more packets now and then while there may be more to
    /// have: often while that leads upwards, and ever more seldom while it does not. Copies of packets would be of no use as
    /// probes: SRTP drops them unseen.
    fn wants_probe(&self, now: Duration) -> bool {
        let leads = self.leads(now, Duration::from_millis(600));
        let used = self.acknowledged.kbps(Duration::from_millis(500)).is_some_and(|came| came > self.target * 0.6);
        let pause = match (leads, used) {
            (true, true) => PROBE_LEAST,
            (false, true) => self.probe_pause,
            (_, false) => PROBE_UNUSED,
        };
        self.phase == Phase::Growing
            && self.heard.is_some()
            && self.target < self.maximum * 0.95
            && now >= self.distrust.0
            && self.delay.queue_ms() < self.delay.empty_ms()
            && self.trains.are_scarce(now)
            && self.probed.is_none_or(|probed| probed.1 == 1 || now.saturating_sub(probed.0) > pause)
    }

    /// Trains have shown much more room lately than is used.
    fn leads(&self, now: Duration, lately: Duration) -> bool {
        self.led.is_some_and(|(led, room)| now.saturating_sub(led) < lately && room > self.target * 1.3)
    }

    /// A picture leaves as a probe.
    pub fn probes(&mut self, now: Duration) {
        // Two in a row: one train alone may be bent by chance.
        self.probed = match self.probed {
            Some((at, 1)) => Some((at, 2)),
            _ => Some((now, 1)),
        };
        let leads = self.leads(now, PROBE_MOST);
        self.probe_pause = if leads { PROBE_LEAST } else { (self.probe_pause * 3 / 2).min(PROBE_MOST) };
    }

    pub fn figures(&self) -> Figures {
        let limited = self.limit.is_some_and(|limit| self.target < limit * 1.3);
        Figures {
            target_kbps: self.target as u32,
            acknowledged_kbps: self.acknowledged.kbps(Duration::from_millis(500)).unwrap_or(0.0) as u32,
            queue_ms: self.delay.queue_ms(),
            jitter_ms: self.delay.jitter_ms(),
            limited,
            lost: self.loss.usual(),
            lost_by_path: self.loss.known(limited),
        }
    }
}

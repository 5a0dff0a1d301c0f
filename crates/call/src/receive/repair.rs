//! Which packets to ask the sender for again, and when (generic NACK, RFC 4585, 6.2.1): a state machine without a clock.
//!
//! A packet is missing once a later one is here. It is asked for after a short wait for one that was only overtaken, and again
//! each time the repair could have been here by now. What a repair takes is measured on the repairs themselves, because reports
//! twice a second are too slow for it. On a lossy path a first request is said twice or three times: the network loses requests as
//! well, and the sender answers only one of those that come together.
//!
//! What is still wanted and when a key frame is the quicker way is for the assembler to say.

use std::collections::BTreeMap;
use std::time::Duration;

/// Asked for at most so often.
const ROUNDS: u8 = 6;
/// Packets asked for at most in one message.
const IN_ONE_MESSAGE: usize = 64;
/// Between two messages, so that a burst of losses is one message.
const BETWEEN_MESSAGES: Duration = Duration::from_millis(4);
/// How long an overtaken packet may take, at least and at most; between them as measured. What comes later and
/// unasked was sent twice: waiting for such would hold up the requests for those of which both were lost.
const TOLERANCE: Duration = Duration::from_millis(5);
const TOLERANCE_LIMIT: Duration = Duration::from_millis(30);
/// Part of the distance to the least tolerance that every packet that came in order takes away.
const TOLERANCE_DECAY: u32 = 400;
/// What a repair is taken to last before the first one was seen.
const FIRST_GUESS: Duration = Duration::from_millis(80);
const SLACK: Duration = Duration::from_millis(8);
const LONGEST_ROUND: Duration = Duration::from_millis(400);
/// A repair that comes this much later than asked for says nothing about the path.
const LONGEST_SAMPLE: Duration = Duration::from_millis(1000);
/// Above this share of missing packets a first request is repeated, when a repair takes at least [`ECHO_ROUND`].
const LOSSY: f32 = 0.02;
/// Above this it is said once more.
const VERY_LOSSY: f32 = 0.06;
const ECHO_ROUND: Duration = Duration::from_millis(20);
const ECHO_AFTER: Duration = Duration::from_millis(8);

struct Missing {
    noticed: Duration,
    /// When it was asked for last, without echoes.
    asked: Option<Duration>,
    rounds: u8,
    echo: Option<Duration>,
    /// Echoes after that.
    echoes: u8,
}

/// What was counted since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RepairCounts {
    /// Packets that were not there when a later one came, and were not only overtaken.
    pub missing: u64,
    /// Those of them that came after they were asked for.
    pub repaired: u64,
    /// Requests for one packet, echoes included.
    pub requested: u64,
}

pub(super) struct Repair {
    missing: BTreeMap<u64, Missing>,
    tolerance: Duration,
    /// Time from a request to the packet: smoothed, and its mean deviation (RFC 6298, 2); none before the first repair.
    measured: Option<(Duration, Duration)>,
    round_trip: Option<Duration>,
    /// Moving share of packets that were missing.
    loss: f32,
    last_message: Option<Duration>,
    counts: RepairCounts,
}

impl Repair {
    pub fn new() -> Self {
        Self {
            missing: BTreeMap::new(),
            tolerance: TOLERANCE,
            measured: None,
            round_trip: None,
            loss: 0.0,
            last_message: None,
            counts: RepairCounts::default(),
        }
    }

    /// From the reports; used until a repair was measured.
    pub fn set_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = Some(round_trip);
    }

    pub fn counts(&self) -> RepairCounts {
        self.counts
    }

    /// Packets still asked for, or about to be.
    pub fn len(&self) -> usize {
        self.missing.len()
    }

    /// These numbers were skipped by a packet that came at `now`.
    pub fn skipped(&mut self, numbers: std::ops::Range<u64>, now: Duration) {
        for number in numbers {
            self.missing.insert(number, Missing { noticed: now, asked: None, rounds: 0, echo: None, echoes: 0 });
            self.counts.missing += 1;
            self.loss += (1.0 - self.loss) / 64.0;
        }
    }

    /// A packet came.
    pub fn arrived(&mut self, number: u64, now: Duration) {
        let Some(missing) = self.missing.remove(&number) else {
            self.loss -= self.loss / 64.0;
            self.tolerance -= self.tolerance.saturating_sub(TOLERANCE) / TOLERANCE_DECAY;
            return;
        };
        let took = missing.asked.map(|asked| now.saturating_sub(asked));
        let round = self.usual().0;
        if took.is_none_or(|took| missing.rounds == 1 && took < round / 2) {
            // Sooner than a repair can be here.
            let late = now.saturating_sub(missing.noticed);
            if late <= TOLERANCE_LIMIT {
                self.tolerance = self.tolerance.max(late + late / 4).min(TOLERANCE_LIMIT);
                self.counts.missing -= 1;
                self.loss = (self.loss - 1.0 / 64.0).max(0.0);
            } else {
                self.counts.repaired += 1;
            }
            return;
        }
        self.counts.repaired += 1;
        // Karn: a packet asked for twice may answer either request.
        if let Some(took) = took.filter(|took| missing.rounds == 1 && *took < LONGEST_SAMPLE) {
            self.measured = Some(match self.measured {
                None => (took, took / 4),
                Some((smoothed, deviation)) => ((smoothed * 7 + took) / 8, (deviation * 3 + smoothed.abs_diff(took)) / 4),
            });
        }
    }

    /// Nobody waits for what comes before `number` any more.
    pub fn forget_before(&mut self, number: u64) {
        if self.missing.first_key_value().is_some_and(|(first, _)| *first < number) {
            self.missing = self.missing.split_off(&number);
        }
    }

    /// Nobody waits for anything that is missing now.
    pub fn forget(&mut self) {
        self.missing.clear();
    }

    /// The usual time of a repair, and how far it deviates.
    fn usual(&self) -> (Duration, Duration) {
        self.measured.unwrap_or_else(|| self.round_trip.map_or((FIRST_GUESS, Duration::ZERO), |time| (time, time / 8)))
    }

    /// After this long a repair is taken to be lost.
    fn round(&self) -> Duration {
        let (usual, deviation) = self.usual();
        (usual + SLACK.max(deviation * 3)).min(LONGEST_ROUND)
    }

    /// How long `rounds` requests take from when a loss is noticed.
    pub fn time_for(&self, rounds: u32) -> Duration {
        self.tolerance + self.round() * rounds
    }

    fn due(&self, missing: &Missing) -> Option<Duration> {
        let next = match missing.asked {
            None => Some(missing.noticed + self.tolerance),
            Some(asked) if missing.rounds < ROUNDS => Some(asked + self.round()),
            Some(_) => None,
        };
        match (next, missing.echo) {
            (Some(next), Some(echo)) => Some(next.min(echo)),
            (next, echo) => next.or(echo),
        }
    }

    /// When [`Self::take_due`] has something next.
    pub fn deadline(&self) -> Option<Duration> {
        let first = self.missing.values().filter_map(|missing| self.due(missing)).min()?;
        Some(self.last_message.map_or(first, |last| first.max(last + BETWEEN_MESSAGES)))
    }

    /// The packets to ask for now, oldest first; empty when it is not time.
    pub fn take_due(&mut self, now: Duration) -> Vec<u64> {
        if self.deadline().is_none_or(|due| due > now) {
            return Vec::new();
        }
        let (usual, _) = self.usual();
        let pause = ECHO_AFTER.max(usual / 8);
        let echoes = if usual < ECHO_ROUND { 0 } else { u8::from(self.loss >= LOSSY) + u8::from(self.loss >= VERY_LOSSY) };
        let due: Vec<u64> = self
            .missing
            .iter()
            .filter(|(_, missing)| self.due(missing).is_some_and(|due| due <= now))
            .map(|(number, _)| *number)
            .take(IN_ONE_MESSAGE)
            .collect();
        for number in &due {
            let Some(missing) = self.missing.get_mut(number) else { continue };
            if missing.echo.take_if(|echo| *echo <= now).is_some() {
                missing.echoes -= 1;
            } else {
                missing.asked = Some(now);
                missing.rounds += 1;
                missing.echoes = if missing.rounds == 1 { echoes } else { 0 };
            }
            missing.echo = (missing.echoes > 0).then(|| now + pause);
        }
        self.counts.requested += due.len() as u64;
        self.last_message = Some(now);
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    /// Asks whenever it is time up to `until`; gives the times.
    fn asked(repair: &mut Repair, until: Duration) -> Vec<(Duration, Vec<u64>)> {
        let mut times = Vec::new();
        while let Some(due) = repair.deadline().filter(|due| *due <= until) {
            times.push((due, repair.take_due(due)));
        }
        times
    }

    #[test]
    fn what_was_only_overtaken_is_not_asked_for_and_teaches_patience() {
        let mut repair = Repair::new();
        repair.skipped(5..6, ms(100));
        assert!(repair.take_due(ms(104)).is_empty());
        repair.arrived(5, ms(104));
        assert_eq!((repair.len(), repair.counts()), (0, RepairCounts::default()));
        repair.skipped(9..10, ms(200));
        repair.take_due(ms(205));
        repair.arrived(9, ms(212));
        repair.skipped(20..21, ms(300));
        assert!(repair.take_due(ms(312)).is_empty(), "packets are overtaken by 12 ms here");
        for number in 100..3000 {
            repair.arrived(number, ms(300));
        }
        assert_eq!(repair.take_due(ms(306)), [20], "forgotten with time");
    }

    #[test]
    fn a_burst_of_losses_is_one_message() {
        let mut repair = Repair::new();
        repair.set_round_trip(ms(10));
        repair.skipped(10..14, ms(100));
        repair.skipped(16..20, ms(101));
        assert_eq!(repair.take_due(ms(106)), [10, 11, 12, 13, 16, 17, 18, 19]);
    }

    #[test]
    fn a_request_is_repeated_when_the_repair_should_have_come_and_not_for_ever() {
        let mut repair = Repair::new();
        for number in 0..40 {
            let at = ms(1000 * number);
            repair.skipped(number..number + 1, at);
            assert_eq!(repair.take_due(at + ms(5)), [number]);
            repair.arrived(number, at + ms(65));
            for other in 1000..1256 {
                repair.arrived(other, at + ms(65));
            }
        }
        assert_eq!(repair.counts(), RepairCounts { missing: 40, repaired: 40, requested: 40 });
        repair.skipped(100..101, ms(50_000));
        let times = asked(&mut repair, ms(60_000));
        assert_eq!(times.len(), usize::from(ROUNDS));
        let gaps: Vec<u128> = times.windows(2).map(|pair| (pair[1].0 - pair[0].0).as_millis()).collect();
        assert!(gaps.iter().all(|gap| (65..=75).contains(gap)), "{gaps:?}");
    }

    #[test]
    fn on_a_lossy_path_the_first_request_is_said_again() {
        let mut repair = Repair::new();
        repair.set_round_trip(ms(60));
        repair.skipped(0..4, ms(0));
        repair.forget();
        repair.skipped(10..11, ms(100));
        let times: Vec<u128> = asked(&mut repair, ms(200)).iter().map(|(at, _)| at.as_millis()).collect();
        assert_eq!(times, [105, 113, 121, 187], "asked, said again twice, and the second round");
    }

    #[test]
    fn messages_are_bounded_in_size_and_number() {
        let mut repair = Repair::new();
        repair.skipped(0..500, ms(0));
        let times = asked(&mut repair, ms(5000));
        assert!(times.iter().all(|(_, numbers)| numbers.len() <= IN_ONE_MESSAGE));
        assert!(times.windows(2).all(|pair| pair[1].0 - pair[0].0 >= BETWEEN_MESSAGES));
        let requests: usize = times.iter().map(|(_, numbers)| numbers.len()).sum();
        assert!(requests <= 500 * (usize::from(ROUNDS) + 2), "{requests}");
    }
}

//! For how long a camera was covered while the pictures were open. Counted here, weighed by the server: only what both sides say
//! alike, and only when it was long and happened with several people.

use std::time::Duration;
use visavis_wire::channel::Seen;
use visavis_wire::socket::{ClientMessage, MatchId};

/// A machine that slept in between saw nothing.
const COUNTED_AT_ONCE: Duration = Duration::from_secs(1);

/// Time with open pictures in which a camera was covered: the peer's as seen here, and one's own by the peer's word.
#[derive(Default)]
pub(super) struct Covered {
    saw: Duration,
    told: Duration,
    counted: Option<Duration>,
}

impl Covered {
    pub(super) fn count(&mut self, open: bool, saw: Seen, told: Seen, now: Duration) {
        let span = now.saturating_sub(self.counted.unwrap_or(now)).min(COUNTED_AT_ONCE);
        self.counted = Some(now);
        for (total, looks) in [(&mut self.saw, saw), (&mut self.told, told)] {
            // Darkness, an empty chair and a camera that is off are nobody's fault.
            if open && matches!(looks, Seen::Covered | Seen::Partial | Seen::Frozen) {
                *total += span;
            }
        }
    }

    /// `None` while there is nothing to say.
    pub(super) fn message(&self, match_id: &MatchId) -> Option<ClientMessage> {
        let seconds = |time: Duration| u16::try_from(time.as_secs()).unwrap_or(u16::MAX);
        let (saw_s, told_s) = (seconds(self.saw), seconds(self.told));
        (saw_s > 0 || told_s > 0).then(|| ClientMessage::SawCovered { match_id: match_id.clone(), saw_s, told_s })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covered_time_counts_while_open_and_darkness_never_does() {
        let id = MatchId(String::from("m"));
        let mut covered = Covered::default();
        let mut at = Duration::ZERO;
        let mut pass = |covered: &mut Covered, open, saw, told, seconds: u64| {
            for _ in 0..seconds * 10 {
                at += Duration::from_millis(100);
                covered.count(open, saw, told, at);
            }
        };
        pass(&mut covered, false, Seen::Covered, Seen::Covered, 50);
        for harmless in [Seen::Clear, Seen::Dark, Seen::Off, Seen::NobodyInView, Seen::NoSignal, Seen::Unknown] {
            pass(&mut covered, true, harmless, harmless, 10);
        }
        assert_eq!(covered.message(&id), None);
        pass(&mut covered, true, Seen::Covered, Seen::Clear, 20);
        pass(&mut covered, true, Seen::Partial, Seen::Frozen, 15);
        assert_eq!(covered.message(&id), Some(ClientMessage::SawCovered { match_id: id.clone(), saw_s: 35, told_s: 15 }));
        covered.count(true, Seen::Covered, Seen::Covered, at + Duration::from_secs(7200));
        assert_eq!(covered.message(&id), Some(ClientMessage::SawCovered { match_id: id, saw_s: 36, told_s: 16 }));
    }
}

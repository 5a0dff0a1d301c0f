//! How good the connection is, in one word for the people in the call: a state machine without a clock.
//!
//! Each second is judged by what people notice: pictures that stand still, sound and picture with holes, answers that come late.
//! The word gets worse when two seconds in a row are worse, and better when five are better, so that it does not flicker.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use ts_rs::TS;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Quality {
    #[default]
    Good,
    Fair,
    Poor,
}

/// What was seen in about a second.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// Share of packets lost at first, the worse way, percent; most are repaired.
    pub loss_percent: f32,
    pub round_trip_ms: Option<f32>,
    /// For how long pictures stood still.
    pub frozen_ms: f32,
}

/// Percent: some of it is heard; more than can be repaired in time.
const LOSS: [f32; 2] = [4.0, 12.0];
/// Milliseconds at which people begin to speak over each other, and at which they take turns (ITU-T G.114: one way 150 and 400).
const ROUND_TRIP: [f32; 2] = [300.0, 700.0];
/// Milliseconds of a second.
const FROZEN: [f32; 2] = [100.0, 500.0];
const WORSE_AFTER: Duration = Duration::from_millis(1500);
const BETTER_AFTER: Duration = Duration::from_millis(4500);

fn grade(value: f32, limits: [f32; 2]) -> Quality {
    match value {
        value if value >= limits[1] => Quality::Poor,
        value if value >= limits[0] => Quality::Fair,
        _ => Quality::Good,
    }
}

impl Seen {
    fn quality(self) -> Quality {
        grade(self.loss_percent, LOSS)
            .max(grade(self.round_trip_ms.unwrap_or(0.0), ROUND_TRIP))
            .max(grade(self.frozen_ms, FROZEN))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Judge {
    word: Quality,
    /// Since when it has been otherwise, and the mildest of what was seen since.
    otherwise: Option<(Duration, Quality)>,
}

impl Judge {
    pub fn observe(&mut self, seen: Seen, now: Duration) -> Quality {
        let quality = seen.quality();
        self.otherwise = match self.otherwise {
            _ if quality == self.word => None,
            Some((since, before)) if (before > self.word) == (quality > self.word) => {
                // The one nearest to the word that stands.
                let nearest = if quality > self.word { before.min(quality) } else { before.max(quality) };
                Some((since, nearest))
            }
            _ => Some((now, quality)),
        };
        if let Some((since, nearest)) = self.otherwise {
            let patience = if nearest > self.word { WORSE_AFTER } else { BETTER_AFTER };
            // It was so for the second before `since` already.
            if now.saturating_sub(since) + Duration::from_secs(1) >= patience {
                (self.word, self.otherwise) = (nearest, None);
            }
        }
        self.word
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lossy(loss_percent: f32) -> Seen {
        Seen { loss_percent, ..Seen::default() }
    }

    fn run(judge: &mut Judge, from: u64, losses: &[f32]) -> Vec<Quality> {
        losses.iter().zip(from..).map(|(loss, second)| judge.observe(lossy(*loss), Duration::from_secs(second))).collect()
    }

    #[test]
    fn two_bad_seconds_make_it_worse_and_five_good_ones_better() {
        use Quality::{Fair, Good, Poor};
        let mut judge = Judge::default();
        assert_eq!(run(&mut judge, 0, &[0.0, 20.0, 0.0, 20.0, 20.0]), [Good, Good, Good, Good, Poor]);
        assert_eq!(run(&mut judge, 5, &[0.0, 0.0, 0.0, 20.0, 0.0]), [Poor; 5], "one bad second begins the count anew");
        assert_eq!(
            run(&mut judge, 10, &[5.0, 0.0, 0.0, 0.0, 0.0]),
            [Poor, Poor, Poor, Fair, Fair],
            "no better than the worst of them"
        );
        assert_eq!(run(&mut judge, 15, &[0.0, 0.0, 0.0, 0.0]), [Fair, Fair, Fair, Good]);
    }

    #[test]
    fn each_figure_counts() {
        let poor = [
            Seen { loss_percent: 13.0, ..Seen::default() },
            Seen { round_trip_ms: Some(800.0), ..Seen::default() },
            Seen { frozen_ms: 600.0, ..Seen::default() },
        ];
        assert!(poor.iter().all(|seen| seen.quality() == Quality::Poor));
        assert_eq!(Seen { round_trip_ms: Some(400.0), ..Seen::default() }.quality(), Quality::Fair);
        assert_eq!(Seen::default().quality(), Quality::Good);
    }

    proptest! {
        /// It never changes twice within the time that a change takes.
        #[test]
        fn it_does_not_flicker(losses in prop::collection::vec(0f32..25.0, 1..120)) {
            let mut judge = Judge::default();
            let words = run(&mut judge, 0, &losses);
            let changes: Vec<usize> = (1..words.len()).filter(|&second| words[second] != words[second - 1]).collect();
            prop_assert!(changes.windows(2).all(|pair| pair[1] - pair[0] >= 2), "{:?}", words);
        }
    }
}

//! Lips and voice together: how long a picture is held so that it is seen when its sound is heard.
//!
//! The sound is the master: stretching a picture's time is not seen, stretching a voice's is heard, and the voice has to wait for
//! its jitter anyway. Pictures are held only while somebody is heard, never longer than the sound is late, and more or less so
//! slowly that nobody notices. A pure state machine; its times are those of the process's clock, and *latency* is time here less
//! time of capture at the peer's, whose origin cancels out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A picture may be this much ahead of its sound: what people begin to notice is 45 ms (ITU-R BT.1359), and all of it but a margin
/// for what is measured roughly is spent on latency.
const AHEAD: i64 = 40_000;
/// From here on its way to the eye: decoding, scaling, drawing.
const TO_SCREEN: i64 = 15_000;
/// A picture is never held longer than this, whatever the reports say.
const MOST: i64 = 250_000;
/// Reports that claim more than this between sound and picture are wrong.
const NONSENSE: i64 = 2_000_000;
/// Change of the hold in a second of pictures.
const SLOWLY: i64 = 120_000;
/// Somebody is heard until this long after the last sound of theirs.
const HEARD: Duration = Duration::from_millis(1_500);
/// Weight of a new latency of the sound.
const NEWEST: i64 = 8;
/// Pauses between pictures count for no more than this.
const LONGEST_STEP: Duration = Duration::from_millis(200);

/// The machine, shared by whoever plays the sound and whoever decodes the pictures; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Lips(Arc<Mutex<LipSync>>);

impl Lips {
    /// Held by either for no longer than a step of the machine takes.
    pub fn lock(&self) -> MutexGuard<'_, LipSync> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
pub(crate) struct LipSync {
    sound: Option<i64>,
    heard_until: Duration,
    /// The latency that pictures are held to, while they are.
    held_to: Option<i64>,
    last_picture: Duration,
    /// Of the last picture: how much later than the picture its sound is heard, with the hold.
    skew: Option<i64>,
}

impl LipSync {
    /// Sound that was captured `latency` microseconds ago is heard now. `audible`: it is more than a pause.
    pub fn sound(&mut self, now: Duration, latency: i64, audible: bool) {
        if !audible {
            return;
        }
        self.heard_until = now + HEARD;
        self.sound = Some(match self.sound {
            Some(known) if latency.saturating_sub(known).saturating_abs() < MOST => known + (latency - known) / NEWEST,
            _ => latency,
        });
    }

    /// How long to hold a picture that was captured `latency` microseconds ago and could be decoded now.
    pub fn picture(&mut self, now: Duration, latency: i64) -> Duration {
        let step = now.saturating_sub(self.last_picture).min(LONGEST_STEP);
        let step = SLOWLY * step.as_micros() as i64 / 1_000_000;
        self.last_picture = now;
        let heard =
            self.sound.filter(|sound| now < self.heard_until && sound.saturating_sub(latency).saturating_abs() < NONSENSE);
        let wanted = heard.map(|sound| sound - AHEAD - TO_SCREEN);
        self.held_to = match (self.held_to, wanted) {
            // From no hold at all.
            (None, Some(wanted)) => (wanted > latency).then_some(latency),
            (Some(held), Some(wanted)) => Some(held + (wanted - held).clamp(-step, step)),
            // Nobody is heard: back to showing what is there.
            (Some(held), None) => Some(held - step).filter(|held| *held > latency),
            (None, None) => None,
        };
        let hold = self.held_to.map_or(0, |held| (held - latency).clamp(0, MOST));
        self.skew = heard.map(|sound| sound - latency - hold - TO_SCREEN);
        Duration::from_micros(hold as u64)
    }

    /// How much later than the last picture its sound is heard, microseconds; negative: earlier. `None` while nobody is heard.
    pub fn skew(&self) -> Option<i64> {
        self.skew
    }
}

#[cfg(test)]
mod tests;

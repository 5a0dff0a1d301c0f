//! Who has shown how much: one's own picture is not shown for long to somebody whose picture stays a mosaic.
//!
//! Counted is [`Times::grace`] and, on top, the time for which the peer was to be seen. Clear time towards a peer who is not to
//! be seen is taken off; at nothing one's own picture is withdrawn. It comes back
//!
//! - once the peer has been to be seen for [`Times::hold`], or
//! - after a pause, for another [`Times::grace`]: two honest apps whose pictures were late could otherwise wait for each other
//!   for ever. Pauses double, so that somebody who stays veiled for an hour sees a dozen short glimpses at most. A pause begins
//!   when the grace time is used up for the first time, and not anew each time after: two apps that come back for short
//!   moments in turn would never reach its end.
//!
//! An honest transition needs a report and a picture to travel (a second at most), far less than the grace time.

use super::View;
use std::time::Duration;

/// All waits of the gate, apart so that the exploration in the tests can count them in a few ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Times {
    /// The peer's camera must have looked clear for so long.
    pub hold: Duration,
    pub judgement_holds: Duration,
    pub grace: Duration,
    pub first_pause: Duration,
    pub most_pause: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ledger {
    pub times: Times,
    /// What one's own picture may still be clear ahead of the peer's.
    pub left: Duration,
    pub pause: Duration,
    /// For how long the peer was to be seen since the last pause began, up to the grace time; then pauses are short again.
    pub earned: Duration,
    /// One's own picture is withdrawn.
    pub withdrawn: bool,
    /// End of the pause, when there is another grace time.
    pub next: Option<Duration>,
    /// Counted up to here.
    pub at: Option<Duration>,
}

impl Ledger {
    pub fn new(times: Times) -> Self {
        Self {
            times,
            left: times.grace,
            pause: times.first_pause,
            earned: Duration::ZERO,
            withdrawn: false,
            next: None,
            at: None,
        }
    }

    /// Both said yes anew.
    pub fn begin_anew(&mut self) {
        *self = Self { at: self.at, ..Self::new(self.times) };
    }

    /// The time since the last call, for which one's own picture and the peer's were shown like this.
    pub fn count(&mut self, own: View, peer: View, now: Duration) {
        let span = now.saturating_sub(self.at.unwrap_or(now));
        self.at = Some(now);
        match (own, peer) {
            (_, View::Clear) => {
                self.left = (self.left + span).min(self.times.grace);
                if self.left >= self.times.hold {
                    self.withdrawn = false;
                }
                self.earned = (self.earned + span).min(self.times.grace);
                if self.earned == self.times.grace {
                    self.pause = self.times.first_pause;
                }
            }
            (View::Clear, View::Veiled) => {
                self.left = self.left.saturating_sub(span);
                if self.left.is_zero() {
                    self.withdrawn = true;
                    if self.next.is_none() {
                        self.next = Some(now + self.pause);
                        self.pause = (self.pause * 2).min(self.times.most_pause);
                        self.earned = Duration::ZERO;
                    }
                }
            }
            (View::Veiled, View::Veiled) => {}
        }
        if self.next.is_some_and(|at| now >= at) {
            (self.withdrawn, self.next) = (false, None);
            self.left = self.times.grace;
        }
    }

    pub fn allows(&self, peer: View, now: Duration) -> bool {
        let passed = self.next.is_some_and(|at| now >= at);
        let earned = peer == View::Clear || self.left > now.saturating_sub(self.at.unwrap_or(now));
        passed || !self.withdrawn && earned
    }
}

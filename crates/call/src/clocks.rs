//! The two streams of one side on one clock: what a sender report says (RFC 3550, 6.4.1), made true on the way out and used on
//! the way in.
//!
//! The library writes into its reports when a packet *left*, which for a picture is after encoding and pacing. Lips and voice
//! belong together as they were *captured*, so the reports are corrected here before they leave. What is done about a
//! difference is decided in `sync`.

use rtc::rtcp::sender_report::SenderReport;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use visavis_media::Clock;

/// Streams of the peer whose clocks are kept; a call has two.
const STREAMS: usize = 8;
/// Weight of a new piece of sound in the relation of its numbers to our clock: microphones hand out in bursts.
const NEWEST: f64 = 0.02;
/// A relation that is off by more begins anew.
const JUMP_MICROS: f64 = 100_000.0;

/// One of our own streams: the media time zero, on the process's clock in microseconds.
#[derive(Clone, Copy, Debug)]
struct Own {
    rate: u32,
    timestamp: u32,
    captured_micros: f64,
}

/// What the peer's newest report says of a stream.
#[derive(Clone, Copy, Debug)]
struct Peer {
    ntp_micros: i64,
    timestamp: u32,
}

#[derive(Debug, Default)]
struct State {
    own: BTreeMap<u32, Own>,
    peer: BTreeMap<u32, Peer>,
}

/// Shared by the streams and the interceptor that sees the reports; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Clocks {
    clock: Clock,
    state: Arc<Mutex<State>>,
}

impl Clocks {
    pub fn new(clock: Clock) -> Self {
        Self { clock, state: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What our stream calls `timestamp` was captured at `captured`. To be repeated where the capturing device has a clock of
    /// its own.
    pub fn captured(&self, ssrc: u32, rate: u32, timestamp: u32, captured: Duration) {
        let micros = captured.as_secs_f64() * 1e6;
        let mut state = self.state();
        match state.own.get_mut(&ssrc) {
            Some(own) => {
                let expected =
                    own.captured_micros + f64::from(timestamp.wrapping_sub(own.timestamp) as i32) * 1e6 / f64::from(rate);
                let off = micros - expected;
                let by = if off.abs() > JUMP_MICROS { off } else { off * NEWEST };
                *own = Own { rate, timestamp, captured_micros: expected + by };
            }
            None => drop(state.own.insert(ssrc, Own { rate, timestamp, captured_micros: micros })),
        }
    }

    /// A report of ours as it should leave at `now`; `None`: as it is.
    pub fn corrected(&self, report: &SenderReport, now: Instant) -> Option<SenderReport> {
        let own = *self.state().own.get(&report.ssrc)?;
        let since = self.clock.at(now).as_secs_f64() * 1e6 - own.captured_micros;
        // Through i64, which wraps where a direct cast would stop at the end.
        let ticks = (since * f64::from(own.rate) / 1e6).round() as i64 as u32;
        Some(SenderReport { rtp_time: own.timestamp.wrapping_add(ticks), ..report.clone() })
    }

    /// A report of the peer came.
    pub fn heard(&self, report: &SenderReport) {
        let seconds = (report.ntp_time >> 32) as i64;
        let fraction = (report.ntp_time & 0xffff_ffff) as i64;
        let ntp_micros = seconds * 1_000_000 + ((fraction * 1_000_000) >> 32);
        let mut state = self.state();
        if state.peer.len() < STREAMS || state.peer.contains_key(&report.ssrc) {
            state.peer.insert(report.ssrc, Peer { ntp_micros, timestamp: report.rtp_time });
        }
    }

    /// When the peer captured what its stream calls `timestamp`, in microseconds of the peer's own clock. `None` before the first
    /// report.
    pub fn peer_micros(&self, ssrc: u32, rate: u32, timestamp: u32) -> Option<i64> {
        let peer = *self.state().peer.get(&ssrc)?;
        let ticks = i64::from(timestamp.wrapping_sub(peer.timestamp) as i32);
        Some(peer.ntp_micros + ticks * 1_000_000 / i64::from(rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIDEO: u32 = 1;
    const SOUND: u32 = 2;

    fn report(ssrc: u32, ntp_seconds: u64) -> SenderReport {
        SenderReport { ssrc, ntp_time: ntp_seconds << 32, rtp_time: 77, ..SenderReport::default() }
    }

    #[test]
    fn both_streams_say_when_they_were_captured() {
        let begun = Instant::now();
        let ours = Clocks::new(Clock::start());
        ours.captured(VIDEO, 90_000, u32::MAX - 10, Duration::from_secs(1));
        ours.captured(SOUND, 48_000, 5_000, Duration::from_millis(1_500));
        assert!(ours.corrected(&report(9, 3), begun).is_none());
        let theirs = Clocks::new(Clock::start());
        assert_eq!(theirs.peer_micros(VIDEO, 90_000, 0), None);
        // Both reports leave at the same instant; how long after the start does not matter.
        let now = begun + Duration::from_secs(20);
        for ssrc in [VIDEO, SOUND] {
            theirs.heard(&ours.corrected(&report(ssrc, 4_000_000_000), now).unwrap());
        }
        let picture = theirs.peer_micros(VIDEO, 90_000, (u32::MAX - 10).wrapping_add(90_000 / 2)).unwrap();
        let sound = theirs.peer_micros(SOUND, 48_000, 5_000).unwrap();
        assert!((picture - sound).abs() < 100, "{picture} and {sound} were captured at the same time");
        let later = theirs.peer_micros(SOUND, 48_000, 5_000 + 4_800).unwrap();
        assert_eq!(later - sound, 100_000);
    }

    #[test]
    fn a_microphone_of_its_own_pace_is_followed_and_a_pause_jumped() {
        let ours = Clocks::new(Clock::start());
        let captured = |ours: &Clocks, timestamp: u32| {
            let own = ours.state().own[&SOUND];
            own.captured_micros + f64::from(timestamp.wrapping_sub(own.timestamp) as i32) * 1e6 / 48_000.0
        };
        // 300 ppm slow, and up to 15 ms late.
        for i in 0..3_000u32 {
            let micros = f64::from(i) * 20_006.0 + f64::from(i % 4) * 5_000.0;
            ours.captured(SOUND, 48_000, i * 960, Duration::from_micros(micros as u64));
        }
        let off = captured(&ours, 3_000 * 960) - (3_000.0 * 20_006.0 + 7_500.0);
        assert!(off.abs() < 3_000.0, "{off}");
        ours.captured(SOUND, 48_000, 3_000 * 960, Duration::from_secs(70));
        assert!((captured(&ours, 3_000 * 960) - 70e6).abs() < 1.0);
    }

    #[test]
    fn a_peer_cannot_fill_the_memory() {
        let clocks = Clocks::new(Clock::start());
        for ssrc in 0..1_000 {
            clocks.heard(&report(ssrc, u64::from(u32::MAX)));
        }
        assert_eq!(clocks.state().peer.len(), STREAMS);
        let _ = clocks.peer_micros(1, 90_000, u32::MAX);
    }
}

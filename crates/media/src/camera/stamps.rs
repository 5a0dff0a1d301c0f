//! Driver time onto the process's clock.

use std::time::Duration;

/// Both clocks are monotonic and run at one speed; their distance is the smallest seen between a stamp and the moment its
/// picture arrived, so that the jitter of waking up does not get into the stamps.
#[derive(Default)]
pub(super) struct Stamps {
    distance: Option<i128>,
}

impl Stamps {
    /// `stamp` is the driver's, if it gives one that can be trusted. Never later than `now`.
    pub fn map(&mut self, stamp: Option<Duration>, now: Duration) -> Duration {
        let Some(stamp) = stamp.filter(|stamp| !stamp.is_zero()) else { return now };
        let seen = now.as_nanos() as i128 - stamp.as_nanos() as i128;
        let distance = self.distance.map_or(seen, |distance| distance.min(seen));
        self.distance = Some(distance);
        let nanos = (stamp.as_nanos() as i128 + distance).max(0);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)).min(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_lose_the_jitter_of_waking_up() {
        let mut stamps = Stamps::default();
        let ms = Duration::from_millis;
        assert_eq!(stamps.map(Some(ms(100_000)), ms(1010)), ms(1010));
        assert_eq!(stamps.map(Some(ms(100_033)), ms(1045)), ms(1043));
        // Woken 30 ms late: the picture was still taken 33 ms after the one before.
        assert_eq!(stamps.map(Some(ms(100_066)), ms(1106)), ms(1076));
        assert_eq!(stamps.map(None, ms(1200)), ms(1200));
        assert!(stamps.map(Some(Duration::MAX), ms(1300)) <= ms(1300));
    }
}

//! The thread of a source that has no clock of its own, and the one way out of every camera: number, modifier, mailbox.

use super::modifier::Tamper;
use super::{CameraError, Modifier};
use crate::{Clock, Frame, FramePool, Mailbox, marker};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Draws or reads pictures one after the other.
pub(super) trait Source: Send {
    /// Picture for `tick` (time of the source divided by its interval; ticks may be left out when the machine is late).
    /// `Ok(None)`: no buffer was free. An error ends the camera.
    fn picture(&mut self, tick: u64, captured: Duration, pool: &FramePool) -> Result<Option<Frame>, String>;
}

/// Pictures a second as a fraction, as files state it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub pictures: u32,
    pub seconds: u32,
}

impl Rate {
    pub fn whole(fps: u32) -> Self {
        Self { pictures: fps, seconds: 1 }
    }

    /// Brings a stated rate into 1 to 60 pictures a second; a nonsensical one counts as 30.
    pub fn sane(pictures: u32, seconds: u32) -> Self {
        match (pictures, seconds) {
            (0, _) | (_, 0) => Self::whole(30),
            _ if pictures / seconds >= 60 => Self::whole(60),
            _ if pictures < seconds => Self::whole(1),
            _ => Self { pictures, seconds },
        }
    }

    /// When tick number `tick` is due, after the start.
    pub fn due(self, tick: u64) -> Duration {
        Duration::from_nanos((u128::from(tick) * 1_000_000_000 * u128::from(self.seconds) / u128::from(self.pictures)) as u64)
    }

    fn tick_at(self, elapsed: Duration) -> u64 {
        (elapsed.as_nanos() * u128::from(self.pictures) / (1_000_000_000 * u128::from(self.seconds))) as u64
    }
}

#[derive(Default)]
struct Control {
    stopped: bool,
    modifier: Modifier,
    failure: Option<CameraError>,
    shutter_closed: bool,
}

/// What the camera's owner and its thread share.
#[derive(Default)]
pub(super) struct Shared {
    pub frames: Mailbox<Frame>,
    control: Mutex<Control>,
    changed: Condvar,
}

impl Shared {
    fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set_modifier(&self, modifier: Modifier) {
        self.control().modifier = modifier;
        self.changed.notify_all();
    }

    pub fn shutter_is_closed(&self) -> bool {
        self.control().shutter_closed
    }

    pub fn failure(&self) -> Option<CameraError> {
        self.control().failure.clone()
    }

    pub fn stop(&self) {
        self.control().stopped = true;
        self.changed.notify_all();
        self.frames.close();
    }
}

/// The thread's end of a camera. Dropping it closes the mailbox.
pub(super) struct Output {
    shared: Arc<Shared>,
    pub pool: FramePool,
    pub clock: Clock,
    tamper: Tamper,
}

impl Output {
    pub fn new(shared: Arc<Shared>, pool: FramePool, clock: Clock) -> Self {
        Self { shared, pool, clock, tamper: Tamper::new() }
    }

    /// Whether to go on. False once stopped or unplugged.
    pub fn is_wanted(&self) -> bool {
        let mut control = self.shared.control();
        if control.modifier == Modifier::Unplugged && control.failure.is_none() {
            control.failure = Some(CameraError::Unplugged);
        }
        !control.stopped && control.failure.is_none()
    }

    /// Of cameras that tell.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "no other system's cameras tell"))]
    pub fn shutter(&self, closed: bool) {
        self.shared.control().shutter_closed = closed;
    }

    pub fn fail(&self, why: CameraError) {
        tracing::warn!(%why, "the camera ended");
        self.shared.control().failure.get_or_insert(why);
    }

    /// Sleeps until `due` unless the owner wants something before.
    fn wait_until(&self, due: Duration) {
        let control = self.shared.control();
        let timeout = due.saturating_sub(self.clock.now());
        let wait = |control: &mut Control| !control.stopped && control.modifier != Modifier::Unplugged;
        drop(self.shared.changed.wait_timeout_while(control, timeout, wait).unwrap_or_else(PoisonError::into_inner));
    }

    /// Hands a picture over, changed as the modifier says.
    pub fn deliver(&mut self, frame: Frame) {
        let modifier = self.shared.control().modifier;
        if let Some(frame) = self.tamper.apply(modifier, frame) {
            self.shared.frames.put(frame);
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.shared.frames.close();
    }
}

/// Body of the thread. The rate is kept against the clock: a late picture does not delay the next, a very late one is left out.
pub(super) fn run(mut source: impl Source, rate: Rate, marked: bool, mut output: Output) {
    let start = output.clock.now();
    let mut tick = 0;
    while output.is_wanted() {
        let captured = output.clock.now();
        match source.picture(tick, captured, &output.pool) {
            Ok(Some(mut frame)) => {
                if marked {
                    marker::burn(&mut frame, (tick % u64::from(marker::NUMBERS)) as u32);
                }
                output.deliver(frame);
            }
            Ok(None) => {}
            Err(why) => output.fail(CameraError::Failed(why)),
        }
        tick = (tick + 1).max(rate.tick_at(output.clock.now().saturating_sub(start)));
        output.wait_until(start + rate.due(tick));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_brought_into_reason() {
        assert_eq!(Rate::sane(30000, 1001), Rate { pictures: 30000, seconds: 1001 });
        assert_eq!(Rate::sane(0, 1), Rate::whole(30));
        assert_eq!(Rate::sane(1, 0), Rate::whole(30));
        assert_eq!(Rate::sane(u32::MAX, 1), Rate::whole(60));
        assert_eq!(Rate::sane(1, u32::MAX), Rate::whole(1));
    }

    #[test]
    fn ticks_and_times_agree() {
        let ntsc = Rate { pictures: 30000, seconds: 1001 };
        for tick in [0, 1, 29, 30, 12345, 10_000_000] {
            let due = ntsc.due(tick) + Duration::from_nanos(1);
            assert_eq!(ntsc.tick_at(due), tick);
        }
        assert_eq!(Rate::whole(25).due(50), Duration::from_secs(2));
    }
}

//! Whole pictures to pixels, on a thread of its own.
//!
//! Pictures wait in a queue, since each builds upon the one before it. A few that come at once, as after a repair, are shown one
//! shortly after the other: a movement that catches up is smoother than one that jumps. When more back up, as after an outage,
//! they are decoded as fast as the machine can and only the newest are shown: nobody wants to see the past in fast motion.

use super::assembler::Picture;
use crate::statistics::ReceiveFigures;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use visavis_media::codec::{CodecError, VideoDecoder, VpxDecoder};
use visavis_media::{Clock, Coded, Frame, FramePool, Mailbox};

/// How often the thread looks whether it is to end.
const LOOK: Duration = Duration::from_millis(50);
/// Two seconds of pictures: a machine that is so far behind does not catch up by decoding all of them.
const WAITING: usize = 60;
/// With more pictures than this behind it, one is decoded for the next ones and not shown.
const BACKLOG: usize = 4;
/// Between two that are shown while catching up; quicker than this no screen shows them.
const CATCH_UP: Duration = Duration::from_millis(12);

#[derive(Default)]
struct Queue {
    /// With the time before which none is to be shown: the peer's voice is not so far yet.
    pictures: VecDeque<(Picture, Duration)>,
    /// A picture was refused or left out: what builds upon it is not taken.
    key_needed: bool,
    /// And the assembler does not know yet.
    untold: bool,
}

impl Queue {
    fn put(&mut self, picture: Picture, due: Duration) {
        if picture.key {
            // What comes before a key frame is neither built upon nor the newest.
            *self = Self::default();
        } else if self.pictures.len() >= WAITING {
            self.break_off();
        }
        if !self.key_needed {
            self.pictures.push_back((picture, due));
        }
    }

    fn refused(&mut self) {
        if self.pictures.front().is_none_or(|(next, _)| !next.key) {
            self.break_off();
        }
    }

    fn break_off(&mut self) {
        *self = Self { pictures: VecDeque::new(), key_needed: true, untold: true };
    }
}

/// Between the network task and the decoder thread; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct DecodeQueue(Arc<(Mutex<Queue>, Condvar)>);

impl DecodeQueue {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn put(&self, picture: Picture, due: Duration) {
        self.queue().put(picture, due);
        self.0.1.notify_one();
    }

    /// True once after a picture could not be decoded and no key frame has come since.
    pub fn take_broken(&self) -> bool {
        std::mem::take(&mut self.queue().untold)
    }

    /// The next picture that is due, and how many that are wait behind it; not before `earliest`, unless too many wait. `None`:
    /// look again.
    fn take(&self, timeout: Duration, earliest: Duration, now: impl Fn() -> Duration) -> Option<(Picture, usize)> {
        let queue = self.queue();
        let (mut queue, _) = self
            .0
            .1
            .wait_timeout_while(queue, timeout, |queue| queue.pictures.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        // Not before: a picture that came meanwhile is due at once.
        let now = now();
        let behind = queue.pictures.iter().skip(1).filter(|(_, due)| *due <= now).count();
        let due = queue.pictures.front()?.1;
        let wait = if behind > BACKLOG { due } else { due.max(earliest) }.saturating_sub(now);
        if !wait.is_zero() {
            drop(queue);
            std::thread::sleep(wait.min(timeout));
            return None;
        }
        let (picture, _) = queue.pictures.pop_front()?;
        Some((picture, behind))
    }
}

/// What the decoder thread needs from the rest of the call.
pub(crate) struct Decoding {
    pub queue: DecodeQueue,
    pub pictures: Mailbox<Frame>,
    pub pool: FramePool,
    pub figures: Arc<Mutex<ReceiveFigures>>,
    pub clock: Clock,
}

impl Decoding {
    /// Starts the thread. It ends when `pictures` is closed.
    pub fn start(self) -> std::io::Result<JoinHandle<()>> {
        std::thread::Builder::new().name(String::from("call-decode")).spawn(move || self.run())
    }

    fn run(self) {
        let (mut decoder, mut earliest) = (None, Duration::ZERO);
        while !self.pictures.is_closed() {
            if let Some((picture, behind)) = self.queue.take(LOOK, earliest, || self.clock.now()) {
                earliest = self.clock.now() + CATCH_UP;
                self.decode(&mut decoder, &picture, behind <= BACKLOG);
            }
        }
    }

    /// A change of codec begins with a new decoder, so that nothing is built upon what the old codec's left behind.
    fn pixels(&self, decoder: &mut Option<VpxDecoder>, picture: &Picture, show: bool) -> Result<Option<Frame>, CodecError> {
        let decoder = match decoder {
            Some(decoder) if decoder.codec() == picture.codec => decoder,
            other => other.insert(VpxDecoder::new(picture.codec, self.pool.clone())?),
        };
        if show { decoder.decode(&picture.data, picture.arrived) } else { decoder.skip(&picture.data).map(|()| None) }
    }

    fn decode(&self, decoder: &mut Option<VpxDecoder>, picture: &Picture, show: bool) {
        let started = self.clock.now();
        let decoded = self.pixels(decoder, picture, show);
        let now = self.clock.now();
        match decoded {
            Ok(Some(mut frame)) => {
                frame.coded =
                    Some(Coded { bytes: picture.data.len(), key: picture.key, arrived: picture.arrived, held: picture.held });
                let took = now.saturating_sub(started);
                self.figures(|figures| figures.picture(picture.codec, (frame.width, frame.height), took, picture.held, now));
                self.pictures.put(frame);
            }
            Ok(None) => self.figures(|figures| figures.not_shown += 1),
            Err(error) => {
                tracing::debug!(%error, "a picture of the peer was not decoded");
                self.queue.queue().refused();
            }
        }
    }

    fn figures(&self, change: impl FnOnce(&mut ReceiveFigures)) {
        change(&mut self.figures.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_media::codec::Codec;

    fn picture(number: u8, key: bool) -> Picture {
        Picture { codec: Codec::Vp8, data: vec![number], timestamp: 0, key, arrived: Duration::ZERO, held: Duration::ZERO }
    }

    fn waiting(queue: &Queue) -> Vec<u8> {
        queue.pictures.iter().map(|(picture, _)| picture.data[0]).collect()
    }

    #[test]
    fn a_key_frame_makes_what_waits_before_it_superfluous() {
        let mut queue = Queue::default();
        queue.put(picture(0, true), Duration::ZERO);
        queue.put(picture(1, false), Duration::ZERO);
        queue.put(picture(2, true), Duration::ZERO);
        queue.put(picture(3, false), Duration::ZERO);
        assert_eq!(waiting(&queue), [2, 3]);
    }

    #[test]
    fn after_a_refused_picture_nothing_is_taken_until_a_key_frame() {
        let mut queue = Queue::default();
        queue.put(picture(1, false), Duration::ZERO);
        queue.refused();
        queue.put(picture(2, false), Duration::ZERO);
        assert_eq!((waiting(&queue), queue.untold), (vec![], true));
        queue.put(picture(3, true), Duration::ZERO);
        queue.put(picture(4, false), Duration::ZERO);
        assert_eq!((waiting(&queue), queue.untold), (vec![3, 4], false), "and the assembler need not ask");
        queue.refused();
        assert_eq!((waiting(&queue), queue.untold), (vec![3, 4], false), "what was refused came before the key frame");
    }

    #[test]
    fn a_decoder_that_falls_far_behind_starts_again() {
        let mut queue = Queue::default();
        queue.put(picture(0, true), Duration::ZERO);
        (1..=WAITING).for_each(|number| queue.put(picture(number as u8, false), Duration::ZERO));
        assert_eq!((waiting(&queue), queue.untold), (vec![], true), "bounded, and without a hole in the row");
    }

    #[test]
    fn a_picture_waits_until_it_is_due_and_does_not_count_as_backlog() {
        let ms = Duration::from_millis;
        let queue = DecodeQueue::default();
        queue.put(picture(0, true), ms(100));
        queue.put(picture(1, false), ms(130));
        assert!(queue.take(ms(1), ms(0), || ms(60)).is_none());
        let taken = queue.take(ms(1), ms(0), || ms(100)).map(|(picture, behind)| (picture.data[0], behind));
        assert_eq!(taken, Some((0, 0)));
        queue.put(picture(2, false), ms(135));
        assert!(queue.take(ms(1), ms(212), || ms(200)).is_none(), "one was shown a moment ago");
        let taken = queue.take(ms(1), ms(212), || ms(212)).map(|(picture, behind)| (picture.data[0], behind));
        assert_eq!(taken, Some((1, 1)));
        (3..=8).for_each(|number| queue.put(picture(number, false), ms(135)));
        assert!(queue.take(ms(1), ms(300), || ms(200)).is_some(), "too many wait");
    }
}

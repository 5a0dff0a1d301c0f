//! Echo, noise and gain: what the microphone hears less what the speaker plays, by `sonora` (a port of WebRTC's processing).
//!
//! ```text
//! speaker thread    -> FarEnd  \
//!                               [voice-processing thread: in order of time, Processor] -> out
//! microphone thread -> NearEnd /
//! ```
//! The thread is there so that neither device waits, and so that a panic of the library ends nothing: it is caught, the frame
//! passes as it was, and a new processor takes over. Which device, and whether at all, is left to the caller.

use super::{AudioFrame, FRAME_TIME, SAMPLE_RATE};
use sonora::config::{AdaptiveDigital, EchoCanceller, GainController2, NoiseSuppression, NoiseSuppressionLevel, Pipeline};
use sonora::config::{HighPassFilter, MaxProcessingRate};
use sonora::{AudioProcessing, Config, StreamConfig};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The library works in pieces of 10 ms.
const PIECE: usize = SAMPLE_RATE as usize / 100;
const PIECE_TIME: Duration = Duration::from_millis(10);
/// Frames that wait for the thread: one more than it could catch up with unheard.
const WAITING: usize = 10;
/// Played pieces that wait for the microphone to hear them, 400 ms.
const FAR_WAITING: usize = 40;
const LOOK: Duration = Duration::from_millis(100);
/// Panics within a call after which the sound passes as it is.
const MAX_PANICS: u64 = 20;

/// What is done to the microphone's sound. By default everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    pub echo: bool,
    pub noise: bool,
    pub gain: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { echo: true, noise: true, gain: true }
    }
}

impl Options {
    pub const NOTHING: Self = Self { echo: false, noise: false, gain: false };
}

/// The newest figures; `None` where the library has none yet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProcessingStatistics {
    /// How much weaker the speaker's sound comes back into the microphone, and how much of it is then taken out, dB.
    pub echo_return_loss_db: Option<f32>,
    pub echo_return_loss_enhancement_db: Option<f32>,
    /// From the speaker to the microphone, as the library sees it.
    pub echo_delay_ms: Option<i32>,
    /// Times that the library panicked and was set up anew.
    pub panics: u64,
    /// Frames that passed unprocessed or were dropped because the thread was late.
    pub missed: u64,
}

/// The processing itself, without threads: 20 ms at a time, in the order in which they are played and heard.
pub struct Processor {
    library: AudioProcessing,
    scratch: Vec<i16>,
}

impl Processor {
    pub fn new(options: Options) -> Self {
        let config = Config {
            pipeline: Pipeline { maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz, ..Pipeline::default() },
            high_pass_filter: Some(HighPassFilter::default()),
            echo_canceller: options.echo.then(EchoCanceller::default),
            noise_suppression: options
                .noise
                .then(|| NoiseSuppression { level: NoiseSuppressionLevel::High, ..NoiseSuppression::default() }),
            gain_controller2: options
                .gain
                .then(|| GainController2 { adaptive_digital: Some(AdaptiveDigital::default()), ..GainController2::default() }),
            ..Config::default()
        };
        let mono = StreamConfig::new(SAMPLE_RATE, 1);
        let library = AudioProcessing::builder().config(config).capture_config(mono).render_config(mono).build();
        Self { library, scratch: vec![0; PIECE] }
    }
}

/// What the thread runs; a trait so that a test can run something that panics.
trait Process {
    fn far(&mut self, piece: &[i16]);
    fn near(&mut self, piece: &mut [i16]);
    fn figures(&self) -> ProcessingStatistics;
}

impl Process for Processor {
    /// 10 ms that the speaker plays.
    fn far(&mut self, piece: &[i16]) {
        if let Err(error) = self.library.process_render_i16(piece, &mut self.scratch) {
            tracing::debug!(?error, "the played sound was not taken in");
        }
    }

    /// 10 ms that the microphone heard.
    fn near(&mut self, piece: &mut [i16]) {
        match self.library.process_capture_i16(piece, &mut self.scratch) {
            Ok(()) => piece.copy_from_slice(&self.scratch),
            Err(error) => tracing::debug!(?error, "the microphone's sound passes as it is"),
        }
    }

    fn figures(&self) -> ProcessingStatistics {
        let statistics = self.library.statistics();
        let decibels = |value: Option<f64>| value.map(|value| value as f32);
        ProcessingStatistics {
            echo_return_loss_db: decibels(statistics.echo_return_loss),
            echo_return_loss_enhancement_db: decibels(statistics.echo_return_loss_enhancement),
            echo_delay_ms: statistics.delay_ms,
            ..ProcessingStatistics::default()
        }
    }
}

impl Processor {
    /// 20 ms that the speaker plays while the microphone hears `near`.
    pub fn process(&mut self, far: &AudioFrame, near: &mut AudioFrame) {
        for (far, near) in far.chunks(PIECE).zip(near.chunks_mut(PIECE)) {
            self.far(far);
            self.near(near);
        }
    }

    pub fn statistics(&self) -> ProcessingStatistics {
        self.figures()
    }
}

struct Near {
    frame: AudioFrame,
    heard: Instant,
}

struct Far {
    frame: AudioFrame,
    played: Instant,
}

#[derive(Default)]
struct Shared {
    figures: Mutex<ProcessingStatistics>,
    closed: AtomicBool,
    missed: AtomicU64,
}

/// Where the microphone's sound goes in; cheap to clone.
#[derive(Clone)]
pub struct NearEnd {
    frames: SyncSender<Near>,
    shared: Arc<Shared>,
}

impl NearEnd {
    /// 20 ms that ended at `heard`. Never blocks; drops the frame when the thread is late.
    pub fn push(&self, frame: &AudioFrame, heard: Instant) {
        if self.frames.try_send(Near { frame: *frame, heard }).is_err() {
            self.shared.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Where the speaker's sound goes in; cheap to clone.
#[derive(Clone)]
pub struct FarEnd {
    frames: SyncSender<Far>,
}

impl FarEnd {
    /// 20 ms that begin to be heard at `played`. Never blocks.
    pub fn push(&self, frame: &AudioFrame, played: Instant) {
        // Full: nobody speaks into the microphone, so there is nothing to take out.
        let _ = self.frames.try_send(Far { frame: *frame, played });
    }
}

/// The running thread. Dropping it ends the thread.
pub struct VoiceProcessing {
    near: NearEnd,
    far: FarEnd,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl VoiceProcessing {
    /// `out` is called by the thread with each processed frame.
    pub fn start(options: Options, out: impl FnMut(&AudioFrame) + Send + 'static) -> std::io::Result<Self> {
        Self::start_with(move || Processor::new(options), out)
    }

    fn start_with<P: Process>(
        make: impl FnMut() -> P + Send + 'static,
        out: impl FnMut(&AudioFrame) + Send + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (near, near_frames) = sync_channel(WAITING);
        let (far, far_frames) = sync_channel(WAITING);
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name(String::from("voice-processing")).spawn(move || {
            let played = Played::default();
            Thread { near: near_frames, far: far_frames, played, shared: of_thread, make, out, panics: 0 }.run();
        })?;
        Ok(Self {
            near: NearEnd { frames: near, shared: Arc::clone(&shared) },
            far: FarEnd { frames: far },
            shared,
            thread: Some(thread),
        })
    }

    pub fn near(&self) -> NearEnd {
        self.near.clone()
    }

    pub fn far(&self) -> FarEnd {
        self.far.clone()
    }

    pub fn statistics(&self) -> ProcessingStatistics {
        let figures = *self.shared.figures.lock().unwrap_or_else(PoisonError::into_inner);
        ProcessingStatistics { missed: self.shared.missed.load(Ordering::Relaxed), ..figures }
    }
}

impl Drop for VoiceProcessing {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
        let Some(thread) = self.thread.take() else { return };
        // Dropped by `out` itself: it ends when that returns.
        if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
            tracing::error!("the thread of the voice processing panicked");
        }
    }
}

struct Thread<M, O> {
    near: Receiver<Near>,
    far: Receiver<Far>,
    played: Played,
    shared: Arc<Shared>,
    make: M,
    out: O,
    panics: u64,
}

impl<P: Process, M: FnMut() -> P, O: FnMut(&AudioFrame)> Thread<M, O> {
    fn run(mut self) {
        let mut processor = self.arm();
        while !self.shared.closed.load(Ordering::Acquire) {
            let mut near = match self.near.recv_timeout(LOOK) {
                Ok(near) => near,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            self.far.try_iter().for_each(|far| self.played.push(&far.frame, far.played));
            if let Some(armed) = &mut processor {
                let played = &mut self.played;
                let before = near.frame;
                // What a panic leaves half done is thrown away below.
                let done = catch_unwind(AssertUnwindSafe(|| process(armed, played, &mut near)));
                if done.is_err() {
                    near.frame = before;
                    self.panics += 1;
                    tracing::error!(panics = self.panics, "the voice processing panicked and is set up anew");
                    processor = if self.panics < MAX_PANICS { self.arm() } else { None };
                }
                self.keep_figures(processor.as_ref());
            }
            (self.out)(&near.frame);
        }
    }

    fn arm(&mut self) -> Option<P> {
        let make = &mut self.make;
        catch_unwind(AssertUnwindSafe(make)).ok()
    }

    fn keep_figures(&self, processor: Option<&P>) {
        let figures = processor.map(Process::figures).unwrap_or_default();
        *self.shared.figures.lock().unwrap_or_else(PoisonError::into_inner) =
            ProcessingStatistics { panics: self.panics, ..figures };
    }
}

fn process(processor: &mut impl Process, played: &mut Played, near: &mut Near) {
    let begin = near.heard.checked_sub(FRAME_TIME).unwrap_or(near.heard);
    for (i, piece) in (1..).zip(near.frame.chunks_mut(PIECE)) {
        played.until(begin + PIECE_TIME * i, |far| processor.far(far));
        processor.near(piece);
    }
}

/// What the speaker plays, in pieces, until the microphone may hear it. The library expects about as much played as heard and
/// in step; devices come in bursts.
#[derive(Default)]
struct Played {
    pieces: VecDeque<([i16; PIECE], Instant)>,
}

impl Played {
    fn push(&mut self, frame: &AudioFrame, at: Instant) {
        // A burst is played one after the other, whatever its stamps say.
        let mut at = match self.pieces.back() {
            Some(&(_, last)) => at.max(last + PIECE_TIME / 2),
            None => at,
        };
        for piece in frame.as_chunks::<PIECE>().0 {
            if self.pieces.len() == FAR_WAITING {
                self.pieces.pop_front();
            }
            self.pieces.push_back((*piece, at));
            at += PIECE_TIME;
        }
    }

    /// Hands out what begins before `time`.
    fn until(&mut self, time: Instant, mut take: impl FnMut(&[i16])) {
        while self.pieces.front().is_some_and(|&(_, at)| at < time)
            && let Some((piece, _)) = self.pieces.pop_front()
        {
            take(&piece);
        }
    }
}

#[cfg(test)]
mod tests;

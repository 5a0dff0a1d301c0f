//! A speaker, or what stands in for one, as a thread that pulls a frame whenever the device will soon need it.

use super::device::{self, AudioError, Direction, OPEN_PATIENCE};
use super::resample::Resampler;
use super::source::SpeakerTarget;
use super::tone::TestTone;
use super::worker::{Fate, Shared, Worker};
use super::{AudioFrame, SAMPLE_RATE, SILENCE};
use rtrb::RingBuffer;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// The ring is filled up when it holds less than this, a frame at a time: 40 ms ahead of the device on average.
const AHEAD: Duration = Duration::from_millis(30);
/// A device that has asked for nothing for this long is gone, whatever it says.
const SILENT_DEVICE: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(5);

/// From the speaker taking sound to the air moving, beyond what lies in the ring: a device period of 10 ms, and another in the
/// sound server.
const DEVICE: Duration = Duration::from_millis(20);

/// Fills the frame that will be heard from the given time on.
pub type PullFrame = Box<dyn FnMut(&mut AudioFrame, Instant) + Send>;
/// Gets what a device really plays, and when.
pub type Played = Box<dyn FnMut(&AudioFrame, Instant) + Send>;

/// A running speaker. Dropping it stops the thread, waits for it and closes the device.
pub struct Speaker {
    worker: Worker,
    controls: Arc<Controls>,
}

#[derive(Default)]
struct Controls {
    test_tone: AtomicBool,
    /// Taken away from the full volume, in percent.
    quieter: AtomicU8,
    underruns: AtomicU64,
    /// How often the device has asked for sound, and the most that it asked for at once.
    blocks: AtomicU64,
    largest_block: AtomicUsize,
}

impl Speaker {
    /// Returns once the device runs. `pull` is called by a thread of its own, 50 times a second in the long run but not evenly,
    /// with a frame of silence to fill.
    ///
    /// When the device vanishes, [`failure`](Self::failure) says so and `pull` goes on being called, so that what it drains
    /// does not pile up.
    pub fn open(target: &SpeakerTarget, mut pull: Box<dyn FnMut(&mut AudioFrame) + Send>) -> Result<Self, AudioError> {
        Self::open_with(target, Box::new(move |frame, _| pull(frame)), Box::new(|_, _| ()))
    }

    /// The same; `pull` is also told when its frame will be heard, and `played` gets what the device plays (with the test tone in
    /// it): what a microphone beside it may hear.
    pub fn open_with(target: &SpeakerTarget, pull: PullFrame, played: Played) -> Result<Self, AudioError> {
        let controls = Arc::new(Controls::default());
        let mixer = Mixer { pull, played, tone: None, gain: 1.0, controls: Arc::clone(&controls) };
        let worker = match target {
            SpeakerTarget::Silent => Worker::spawn("speaker", move |shared| discard(&shared, mixer))
                .map_err(|error| AudioError::Failed(format!("no thread could be started: {error}")))?,
            SpeakerTarget::Default => real(None, mixer)?,
            SpeakerTarget::Device { id } => real(Some(id.clone()), mixer)?,
        };
        Ok(Self { worker, controls })
    }

    /// Plays a soft tone of 0.4 s over whatever else is playing.
    pub fn test_tone(&self) {
        self.controls.test_tone.store(true, Ordering::Release);
    }

    /// How loud what is pulled is played: 0..=100, as the ear hears it. The test tone stays as it is.
    pub fn set_volume(&self, percent: u8) {
        self.controls.quieter.store(100 - percent.min(100), Ordering::Relaxed);
    }

    /// Set when the device ended by itself (unplugged, sound server gone).
    pub fn failure(&self) -> Option<String> {
        self.worker.failure()
    }

    pub(crate) fn fate(&self) -> Fate {
        self.worker.fate()
    }

    /// How often the device wanted sound and there was none, since the start.
    pub fn underruns(&self) -> u64 {
        self.controls.underruns.load(Ordering::Relaxed)
    }
}

struct Mixer {
    pull: PullFrame,
    played: Played,
    tone: Option<TestTone>,
    /// That the last frame ended with.
    gain: f32,
    controls: Arc<Controls>,
}

impl Mixer {
    fn next(&mut self, heard: Instant) -> AudioFrame {
        let mut frame = SILENCE;
        (self.pull)(&mut frame, heard);
        self.turn_down(&mut frame);
        if self.controls.test_tone.swap(false, Ordering::AcqRel) {
            self.tone = Some(TestTone::new());
        }
        if self.tone.as_mut().is_some_and(|tone| !tone.mix_into(&mut frame)) {
            self.tone = None;
        }
        frame
    }

    /// A change goes over one frame, so that it does not click.
    fn turn_down(&mut self, frame: &mut AudioFrame) {
        let to = gain(100 - self.controls.quieter.load(Ordering::Relaxed).min(100));
        let from = std::mem::replace(&mut self.gain, to);
        if from == 1.0 && to == 1.0 {
            return;
        }
        let step = (to - from) / frame.len() as f32;
        let mut gain = from;
        for sample in frame.iter_mut() {
            gain += step;
            *sample = (f32::from(*sample) * gain).round() as i16;
        }
    }
}

/// Loudness goes about with the square: at half the slider 12 dB less.
fn gain(percent: u8) -> f32 {
    let share = f32::from(percent) / 100.0;
    share * share
}

fn discard(shared: &Shared, mut mixer: Mixer) {
    shared.pace(|| {
        mixer.next(Instant::now());
    });
}

fn real(id: Option<String>, mut mixer: Mixer) -> Result<Worker, AudioError> {
    let (opened, result) = mpsc::channel();
    let worker = Worker::spawn("speaker", move |shared| {
        match Playback::open(id.as_deref(), &shared, &mixer.controls) {
            Ok(playback) => {
                // Fails only when the opener gave up; then its drop has set the stop flag too.
                let _ = opened.send(Ok(()));
                playback.run(&shared, &mut mixer);
            }
            Err(error) => {
                let _ = opened.send(Err(error));
                return;
            }
        }
        if !shared.stopping() {
            discard(&shared, mixer);
        }
    })
    .map_err(|error| AudioError::Failed(format!("no thread could be started: {error}")))?;
    match result.recv_timeout(OPEN_PATIENCE) {
        Ok(Ok(())) => Ok(worker),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(AudioError::Failed("the sound system does not answer".into())),
    }
}

struct Playback {
    /// Mono, at the device's rate.
    ring: rtrb::Producer<f32>,
    rate: u32,
    resampler: Resampler,
    _stream: device::Running,
}

impl Playback {
    fn open(id: Option<&str>, shared: &Arc<Shared>, controls: &Arc<Controls>) -> Result<Self, AudioError> {
        let device = device::find(id, Direction::Output)?;
        let (config, format) = device::config(&device, Direction::Output)?;
        let rate = config.sample_rate;
        let resampler = Resampler::new(SAMPLE_RATE, rate)
            .ok_or_else(|| AudioError::Failed(format!("its sample rate of {rate} Hz is out of range")))?;
        let (ring, mut consumer) = RingBuffer::new(rate as usize);
        let of_blocks = Arc::clone(controls);
        let of_samples = Arc::clone(controls);
        let on_block = move |frames: usize| {
            of_blocks.blocks.fetch_add(1, Ordering::Relaxed);
            of_blocks.largest_block.fetch_max(frames, Ordering::Relaxed);
        };
        let mut starved = true;
        let next = move || match consumer.pop() {
            Ok(sample) => {
                starved = false;
                sample
            }
            Err(_) => {
                if !std::mem::replace(&mut starved, true) {
                    of_samples.underruns.fetch_add(1, Ordering::Relaxed);
                }
                0.0
            }
        };
        let of_errors = Arc::clone(shared);
        let on_error = move |error: cpal::Error| {
            if !device::is_harmless(&error) {
                of_errors.fail(error.to_string());
            }
        };
        let stream = device::play(&device, (config, format), on_block, next, on_error)?;
        Ok(Self { ring, rate, resampler, _stream: stream })
    }

    /// Until the owner stops or the device fails.
    fn run(mut self, shared: &Shared, mixer: &mut Mixer) {
        let mut samples = Vec::new();
        let (mut blocks, mut asked) = (0, Instant::now());
        while !shared.stopping() && !shared.failed() {
            while self.waiting() < self.low_water(mixer.controls.largest_block.load(Ordering::Relaxed)) {
                let heard = Instant::now() + DEVICE + Duration::from_secs_f64(self.waiting() as f64 / f64::from(self.rate));
                let frame = mixer.next(heard);
                (mixer.played)(&frame, heard);
                samples.clear();
                samples.extend(frame.iter().map(|&sample| f32::from(sample) / 32768.0));
                let ring = &mut self.ring;
                self.resampler.push(&samples, |ready| {
                    // The low-water mark leaves room for a frame.
                    let _ = ring.push_partial_slice(ready);
                });
            }
            let now_at = mixer.controls.blocks.load(Ordering::Relaxed);
            if now_at != blocks {
                (blocks, asked) = (now_at, Instant::now());
            } else if asked.elapsed() > SILENT_DEVICE {
                shared.fail("the speaker stopped taking sound".into());
            }
            shared.sleep(POLL);
        }
    }

    fn waiting(&self) -> usize {
        self.ring.buffer().capacity() - self.ring.slots()
    }

    /// A device that takes much at once needs as much lying ready.
    fn low_water(&self, largest_block: usize) -> usize {
        let ahead = (self.rate as usize * AHEAD.as_millis() as usize) / 1000;
        let for_device = largest_block + ahead / 3;
        ahead.max(for_device).min(self.rate as usize / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn a_silent_speaker_drains_at_the_right_pace() {
        let pulled = Arc::new(AtomicU64::new(0));
        let of_thread = Arc::clone(&pulled);
        let started = Instant::now();
        let speaker = Speaker::open(
            &SpeakerTarget::Silent,
            Box::new(move |_| {
                of_thread.fetch_add(1, Ordering::Relaxed);
            }),
        )
        .unwrap();
        std::thread::sleep(Duration::from_millis(600));
        assert_eq!(speaker.failure(), None);
        drop(speaker);
        let elapsed = started.elapsed();
        let pulled = u128::from(pulled.load(Ordering::Relaxed));
        assert!(pulled >= 10 && pulled <= elapsed.as_millis() / 20 + 1, "{pulled} frames in {elapsed:?}");
    }

    #[test]
    fn the_test_tone_is_added_to_what_plays() {
        let controls = Arc::new(Controls::default());
        let levels = Arc::new(Mutex::new(Vec::new()));
        let pull: PullFrame = Box::new(|frame, _| frame.fill(100));
        let mut mixer = Mixer { pull, played: Box::new(|_, _| ()), tone: None, gain: 1.0, controls: Arc::clone(&controls) };
        let now = Instant::now();
        assert_eq!(mixer.next(now), [100; 960]);
        controls.test_tone.store(true, Ordering::Release);
        for _ in 0..TestTone::FRAMES {
            let frame = mixer.next(now);
            levels.lock().unwrap().push(frame.iter().copied().max());
        }
        assert!(levels.lock().unwrap().iter().all(|&peak| peak > Some(1000)), "{levels:?}");
        assert_eq!(mixer.next(now), [100; 960], "and is over after 0.4 s");
    }

    #[test]
    fn the_volume_goes_over_without_a_click_and_leaves_the_test_tone_alone() {
        let controls = Arc::new(Controls::default());
        let pull: PullFrame = Box::new(|frame, _| frame.fill(10_000));
        let mut mixer = Mixer { pull, played: Box::new(|_, _| ()), tone: None, gain: 1.0, controls: Arc::clone(&controls) };
        let now = Instant::now();
        assert_eq!(mixer.next(now), [10_000; 960], "as loud as it comes");
        controls.quieter.store(50, Ordering::Relaxed);
        let turning = mixer.next(now);
        let steepest = turning.windows(2).map(|pair| pair[0] - pair[1]).max();
        assert!(steepest.is_some_and(|step| (0..=9).contains(&step)), "a step of {steepest:?}");
        assert!(turning[0] > 9_900 && turning.is_sorted_by(|a, b| a >= b), "{} .. {}", turning[0], turning[959]);
        assert_eq!(mixer.next(now), [2_500; 960], "12 dB less");
        controls.quieter.store(100, Ordering::Relaxed);
        mixer.next(now);
        assert_eq!(mixer.next(now), SILENCE);
        controls.test_tone.store(true, Ordering::Release);
        assert!(mixer.next(now).iter().any(|&sample| sample > 1000));
    }

    #[test]
    fn a_device_that_does_not_exist_is_named_so() {
        let opened = Speaker::open(&SpeakerTarget::Device { id: "nonsense".into() }, Box::new(|_| ()));
        assert_eq!(opened.err(), Some(AudioError::NoDevice));
    }
}

//! A microphone, or what stands in for one, as a thread that hands out a frame every 20 ms.

use super::device::{self, AudioError, Direction, OPEN_PATIENCE};
use super::resample::Resampler;
use super::source::MicrophoneSource;
use super::speech::Speech;
use super::tone::Oscillator;
use super::worker::{Fate, Shared, Worker};
use super::{AudioFrame, FRAME_SAMPLES, SAMPLE_RATE, SILENCE};
use rtrb::RingBuffer;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// A device that has delivered nothing for this long is gone, whatever it says.
const SILENT_DEVICE: Duration = Duration::from_secs(3);
/// How often the ring is looked into: a quarter of a frame.
const POLL: Duration = Duration::from_millis(5);

/// Gets 20 ms of sound at a time, in a thread of the microphone's.
pub type OnFrame = Box<dyn FnMut(&AudioFrame) + Send>;

/// A running microphone. Dropping it stops the thread, waits for it and closes the device.
pub struct Microphone {
    worker: Worker,
    lost: Arc<AtomicU64>,
}

impl Microphone {
    /// Returns once the device delivers sound, mostly at once, with a sleepy sound server after up to 2 s: not for the thread
    /// of an interface. `on_frame` is called by a thread of its own.
    ///
    /// When the device vanishes, [`failure`](Self::failure) says so and `on_frame` goes on with silence at the same pace.
    pub fn open(source: &MicrophoneSource, on_frame: OnFrame) -> Result<Self, AudioError> {
        let lost = Arc::new(AtomicU64::new(0));
        let worker = match source {
            MicrophoneSource::Silent => synthetic(|_| (), on_frame)?,
            MicrophoneSource::Tone { hz } => {
                let mut tone = Oscillator::new(*hz);
                synthetic(move |frame| tone.fill(frame), on_frame)?
            }
            MicrophoneSource::Speech { seed } => {
                let mut speech = Speech::new(*seed);
                synthetic(move |frame| speech.fill(frame), on_frame)?
            }
            MicrophoneSource::Default => real(None, on_frame, Arc::clone(&lost))?,
            MicrophoneSource::Device { id } => real(Some(id.clone()), on_frame, Arc::clone(&lost))?,
        };
        Ok(Self { worker, lost })
    }

    /// Set when the device ended by itself (unplugged, sound server gone).
    pub fn failure(&self) -> Option<String> {
        self.worker.failure()
    }

    pub(crate) fn fate(&self) -> Fate {
        self.worker.fate()
    }

    /// Samples that the device delivered and nobody fetched in time, since the start.
    pub fn lost_samples(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

fn no_thread(error: std::io::Error) -> AudioError {
    AudioError::Failed(format!("no thread could be started: {error}"))
}

fn synthetic(mut fill: impl FnMut(&mut AudioFrame) + Send + 'static, mut on_frame: OnFrame) -> Result<Worker, AudioError> {
    Worker::spawn("microphone", move |shared| {
        let mut frame = SILENCE;
        shared.pace(|| {
            fill(&mut frame);
            on_frame(&frame);
        });
    })
    .map_err(no_thread)
}

fn real(id: Option<String>, mut on_frame: OnFrame, lost: Arc<AtomicU64>) -> Result<Worker, AudioError> {
    let (opened, result) = mpsc::channel();
    let worker = Worker::spawn("microphone", move |shared| {
        match Capture::open(id.as_deref(), &shared, lost) {
            Ok(capture) => {
                // Fails only when the opener gave up; then its drop has set the stop flag too.
                let _ = opened.send(Ok(()));
                capture.run(&shared, &mut on_frame);
            }
            Err(error) => {
                let _ = opened.send(Err(error));
                return;
            }
        }
        if !shared.stopping() {
            shared.pace(|| on_frame(&SILENCE));
        }
    })
    .map_err(no_thread)?;
    match result.recv_timeout(OPEN_PATIENCE) {
        Ok(Ok(())) => Ok(worker),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(AudioError::Failed("the sound system does not answer".into())),
    }
}

struct Capture {
    /// Interleaved, as the device delivers.
    ring: rtrb::Consumer<f32>,
    channels: usize,
    resampler: Resampler,
    _stream: device::Running,
}

impl Capture {
    fn open(id: Option<&str>, shared: &Arc<Shared>, lost: Arc<AtomicU64>) -> Result<Self, AudioError> {
        let device = device::find(id, Direction::Input)?;
        let (config, format) = device::config(&device, Direction::Input)?;
        let channels = usize::from(config.channels.max(1));
        let rate = config.sample_rate;
        let resampler = Resampler::new(rate, SAMPLE_RATE)
            .ok_or_else(|| AudioError::Failed(format!("its sample rate of {rate} Hz is out of range")))?;
        // One second: a thread that is held up longer has lost the conversation anyway.
        let (mut producer, ring) = RingBuffer::new(rate as usize * channels);
        let on_samples = move |samples: &mut dyn Iterator<Item = f32>| {
            let (mut free, mut missed) = (producer.slots(), 0);
            // Whole frames only, else the channels change places.
            free -= free % channels;
            for sample in samples {
                if free > 0 && producer.push(sample).is_ok() {
                    free -= 1;
                } else {
                    missed += 1;
                }
            }
            if missed > 0 {
                lost.fetch_add(missed / channels as u64, Ordering::Relaxed);
            }
        };
        let of_errors = Arc::clone(shared);
        let on_error = move |error: cpal::Error| {
            if !device::is_harmless(&error) {
                of_errors.fail(error.to_string());
            }
        };
        let stream = device::capture(&device, (config, format), on_samples, on_error)?;
        Ok(Self { ring, channels, resampler, _stream: stream })
    }

    /// Until the owner stops or the device fails.
    fn run(mut self, shared: &Shared, on_frame: &mut OnFrame) {
        let mut mono = Vec::new();
        let mut framer = Framer::default();
        let mut heard = Instant::now();
        while !shared.stopping() && !shared.failed() {
            let available = self.ring.slots() / self.channels * self.channels;
            if let Ok(chunk) = self.ring.read_chunk(available).map_err(|_| ())
                && available > 0
            {
                heard = Instant::now();
                mono.clear();
                mix_down(chunk, self.channels, &mut mono);
                self.resampler.push(&mono, |ready| framer.push(ready, on_frame));
            } else if heard.elapsed() > SILENT_DEVICE {
                shared.fail("the microphone stopped delivering sound".into());
            }
            shared.sleep(POLL);
        }
    }
}

fn mix_down(chunk: rtrb::chunks::ReadChunk<'_, f32>, channels: usize, mono: &mut Vec<f32>) {
    let mut samples = chunk.into_iter();
    loop {
        let Some(first) = samples.next() else { return };
        let sum = (1..channels).fold(first, |sum, _| sum + samples.next().unwrap_or(0.0));
        mono.push(sum / channels as f32);
    }
}

/// Cuts a stream of samples into frames.
struct Framer {
    frame: AudioFrame,
    filled: usize,
}

impl Default for Framer {
    fn default() -> Self {
        Self { frame: SILENCE, filled: 0 }
    }
}

impl Framer {
    fn push(&mut self, samples: &[f32], on_frame: &mut OnFrame) {
        for &sample in samples {
            // The cast saturates.
            self.frame[self.filled] = (sample * f32::from(i16::MAX)) as i16;
            self.filled += 1;
            if self.filled == FRAME_SAMPLES {
                self.filled = 0;
                on_frame(&self.frame);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn silent_and_tone_keep_the_pace() {
        for (source, sounds) in [(MicrophoneSource::Silent, false), (MicrophoneSource::Tone { hz: 440 }, true)] {
            let heard = Arc::new(Mutex::new((0u32, 0u64)));
            let of_thread = Arc::clone(&heard);
            let started = Instant::now();
            let microphone = Microphone::open(
                &source,
                Box::new(move |frame| {
                    let mut heard = of_thread.lock().unwrap();
                    heard.0 += 1;
                    heard.1 += frame.iter().map(|sample| u64::from(sample.unsigned_abs())).sum::<u64>();
                }),
            )
            .unwrap();
            std::thread::sleep(Duration::from_millis(600));
            drop(microphone);
            let elapsed = started.elapsed();
            let (frames, sum) = *heard.lock().unwrap();
            // Generous: a loaded machine may be late, but must neither rush nor stand still.
            assert!(frames >= 10, "{frames} frames in {elapsed:?}");
            assert!(u128::from(frames) <= elapsed.as_millis() / 20 + 1, "{frames} frames in {elapsed:?}");
            assert_eq!(sum > 0, sounds);
            std::thread::sleep(Duration::from_millis(60));
            assert_eq!(heard.lock().unwrap().0, frames, "no frame after the drop");
        }
    }

    #[test]
    fn a_device_that_does_not_exist_is_named_so() {
        for id in ["no-such-host:nothing", "", "nonsense"] {
            let opened = Microphone::open(&MicrophoneSource::Device { id: id.into() }, Box::new(|_| ()));
            assert_eq!(opened.err(), Some(AudioError::NoDevice), "{id:?}");
        }
    }

    #[test]
    fn channels_are_averaged_and_frames_cut() {
        let (mut producer, mut consumer) = RingBuffer::new(4);
        for sample in [0.5, 0.25, -1.0, 1.0] {
            producer.push(sample).unwrap();
        }
        let mut mono = Vec::new();
        mix_down(consumer.read_chunk(4).unwrap(), 2, &mut mono);
        assert_eq!(mono, [0.375, 0.0]);

        let frames = Arc::new(Mutex::new(Vec::new()));
        let of_callback = Arc::clone(&frames);
        let mut on_frame: OnFrame = Box::new(move |frame| of_callback.lock().unwrap().push(*frame));
        let mut framer = Framer::default();
        framer.push(&[0.5; 1000], &mut on_frame);
        framer.push(&[2.0; 1000], &mut on_frame);
        let frames = frames.lock().unwrap();
        assert_eq!(frames.len(), 2);
        assert_eq!(frames[0], [16383; FRAME_SAMPLES]);
        assert_eq!((frames[1][39], frames[1][40]), (16383, i16::MAX), "too loud is clipped");
    }
}

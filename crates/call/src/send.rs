//! Our video: pictures from the mailbox, through the encoder on a thread of its own, to packets.
//!
//! There is no queue of raw pictures: the thread takes the newest when it is free. Behind it is room for a few encoded ones; when
//! that is full no picture is encoded, because leaving out an encoded picture would break those that build upon it.
//! When the view of the pictures changes, whatever was packetised before and has not left is dropped, here and (for packets
//! already with the library, or asked for again) in [`Monitor::void_before`].

use crate::codecs::{Chooser, Load, Negotiated};
use crate::congestion::{Congestion, Turn};
use crate::interceptors::Monitor;
use crate::ladder::SharedRung;
use crate::statistics::SendFigures;
use crate::video::Packetiser;
use rtc::rtp;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc;
use visavis_media::codec::{Codec, CodecError, VideoEncoder, VpxEncoder};
use visavis_media::{Clock, Frame, Mailbox};
use visavis_sight::{Released, View};

/// Encoded pictures between the encoder and the network task.
const ENCODED_QUEUE: usize = 2;
/// How often the thread looks whether it is to end.
const LOOK: Duration = Duration::from_millis(50);
/// The same for whether the connection is there.
const LOOK_SETTING_UP: Duration = Duration::from_millis(2);
/// At most one key frame on request in this time: each costs as much as a dozen other pictures.
const KEY_INTERVAL: Duration = Duration::from_millis(300);
/// The same for the first few: the other side may not have been listening yet.
const FIRST_KEY_INTERVAL: Duration = Duration::from_millis(50);
const FIRST_KEYS: u32 = 3;
const FPS: u32 = 30;

/// The packets of one picture, and how many changes of view came before it.
struct Batch {
    packets: Vec<rtp::Packet>,
    epoch: u32,
}

/// What the encoder thread shares with the rest of the call.
#[derive(Clone)]
pub(crate) struct VideoOutput {
    pub monitor: Monitor,
    pub congestion: Congestion,
    pub rung: Arc<SharedRung>,
    pub negotiated: Arc<Negotiated>,
    /// Nothing is encoded before the connection is there.
    pub open: Arc<AtomicBool>,
    pub figures: Arc<Mutex<SendFigures>>,
    pub clock: Clock,
}

/// The network task's end of the encoded pictures.
pub(crate) struct PacketQueue {
    batches: mpsc::Receiver<Batch>,
    epoch: Arc<AtomicU32>,
}

impl PacketQueue {
    /// Next picture that is still valid; `None` when the encoder has ended.
    pub async fn next(&mut self) -> Option<Vec<rtp::Packet>> {
        loop {
            let batch = self.batches.recv().await?;
            if batch.epoch == self.epoch.load(Ordering::Acquire) {
                return Some(batch.packets);
            }
        }
    }
}

/// The encoder thread. It ends when `pictures` is closed.
pub(crate) fn start(
    pictures: Mailbox<Released<Frame>>,
    packetiser: Packetiser,
    output: VideoOutput,
) -> std::io::Result<(JoinHandle<()>, PacketQueue)> {
    let (batches, receiver) = mpsc::channel(ENCODED_QUEUE);
    let epoch = Arc::new(AtomicU32::new(0));
    let queue = PacketQueue { batches: receiver, epoch: Arc::clone(&epoch) };
    let chooser = Chooser::new(std::thread::available_parallelism().map_or(1, usize::from));
    let sender = VideoSender {
        output,
        packetiser,
        batches,
        epoch,
        encoder: None,
        chooser,
        view: None,
        keys: KeyRequests::default(),
        beat: Beat::default(),
        rate: (0, 0),
        offered: Offered::default(),
    };
    let thread = std::thread::Builder::new().name(String::from("call-encode")).spawn(move || sender.run(&pictures))?;
    Ok((thread, queue))
}

struct VideoSender {
    output: VideoOutput,
    packetiser: Packetiser,
    batches: mpsc::Sender<Batch>,
    epoch: Arc<AtomicU32>,
    encoder: Option<VpxEncoder>,
    chooser: Chooser,
    /// View of the last picture sent. Compared rather than trusting `turned()` alone: the picture that turned may have been
    /// overwritten in the mailbox.
    view: Option<View>,
    keys: KeyRequests,
    beat: Beat,
    /// What the encoder was told last: kbit/s, and pictures a second.
    rate: (u32, u32),
    offered: Offered,
}

impl VideoSender {
    fn run(mut self, pictures: &Mailbox<Released<Frame>>) {
        // The newest from before the connection was there: the other side need not wait for the camera's next one.
        let mut first = None;
        while !pictures.is_closed() {
            let open = self.output.open.load(Ordering::Acquire);
            let picture = pictures.take(if open && first.is_none() { LOOK } else { LOOK_SETTING_UP });
            if !open {
                first = picture.or(first);
                continue;
            }
            if self.view.is_none() {
                self.open_stream();
            }
            let Some(picture) = picture.or(first.take()) else { continue };
            first = None;
            if let Err(error) = self.picture(&picture) {
                tracing::warn!(%error, "a picture was not sent");
                self.encoder = None;
            }
        }
    }

    fn picture(&mut self, picture: &Released<Frame>) -> Result<(), CodecError> {
        let now = self.output.clock.now();
        let turned = picture.turned() || self.view != Some(picture.view());
        if turned {
            self.void_what_waits();
            self.view = Some(picture.view());
            self.keys.wish_at_once();
        }
        if self.output.monitor.take_key_wanted() {
            self.keys.wish();
        }
        // A handle of its own, so that the permit does not borrow `self`.
        let batches = self.batches.clone();
        let rung = self.output.rung.get();
        if !turned && !self.beat.due(rung.fps, now) {
            return Ok(());
        }
        self.offered.picture(picture.picture().captured);
        let (Ok(permit), Turn::Encode { kbps, lost, probe }) = (batches.try_reserve(), self.output.congestion.turn()) else {
            self.figures(|figures| figures.skipped += 1);
            return Ok(());
        };
        let key = self.keys.due(now);
        let frame = picture.picture();
        let kbps = kbps.min(rung.most_kbps(frame.width * frame.height, lost));
        let (codec, payload_type) = self.choose_codec(kbps, now);
        let encoder = match &mut self.encoder {
            Some(encoder) if encoder.codec() == codec => encoder,
            // Begins with a key frame.
            other => {
                self.rate = (kbps, FPS);
                other.insert(VpxEncoder::new(codec, frame.width, frame.height, FPS, kbps)?)
            }
        };
        let fps = self.offered.fps();
        if (kbps, fps) != self.rate {
            encoder.set_rate(kbps, fps)?;
            self.rate = (kbps, fps);
        }
        let started = self.output.clock.now();
        let encoded = encoder.encode(picture, key)?;
        let took = self.output.clock.now().saturating_sub(started);
        let captured = frame.captured;
        self.figures(|figures| figures.asked_bits += u64::from(kbps) * 1000 / u64::from(fps));
        let Some(encoded) = encoded else {
            self.figures(|figures| figures.skipped += 1);
            return Ok(());
        };
        if encoded.key {
            self.keys.sent(now);
        }
        self.figures(|figures| figures.picture(&encoded, took));
        let packets = self.packetiser.picture(&encoded, payload_type, captured, probe);
        permit.send(Batch { packets, epoch: self.epoch.load(Ordering::Acquire) });
        Ok(())
    }

    fn choose_codec(&mut self, kbps: u32, now: Duration) -> (Codec, u8) {
        let sendable = self.output.negotiated.sendable();
        let current = self.encoder.as_ref().map(VpxEncoder::codec);
        let mut figures = self.output.figures.lock().unwrap_or_else(PoisonError::into_inner);
        let (entry, reason) = self.chooser.choose(&sendable, current, Load { encode_ms: figures.encode_ms, kbps }, now);
        figures.codec_reason = reason;
        entry
    }

    /// The library loses the first packet of a stream on the other side, and that side may be ready later than this one: until
    /// the first picture, and just ahead of it, an empty packet is sent every now and then.
    fn open_stream(&mut self) {
        if let Ok(permit) = self.batches.clone().try_reserve() {
            let (_, payload_type) = self.choose_codec(self.output.congestion.video_kbps(), self.output.clock.now());
            let packets = vec![self.packetiser.opener(payload_type, self.output.clock.now())];
            permit.send(Batch { packets, epoch: self.epoch.load(Ordering::Acquire) });
        }
    }

    fn void_what_waits(&mut self) {
        if self.view.is_some() {
            self.epoch.fetch_add(1, Ordering::AcqRel);
            self.output.monitor.void_before(self.packetiser.next_sequence());
        }
    }

    fn figures(&self, change: impl FnOnce(&mut SendFigures)) {
        change(&mut self.output.figures.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Thins the camera's pictures out to the frame rate of the rung.
#[derive(Default)]
struct Beat {
    next: Option<Duration>,
}

impl Beat {
    fn due(&mut self, fps: u32, now: Duration) -> bool {
        let interval = Duration::from_secs(1) / fps.max(1);
        // Cameras are not punctual: a picture a little early is the one that is meant.
        let next = self.next.filter(|next| *next < now + interval * 2).unwrap_or(now);
        if fps >= FPS || now + interval / 4 >= next {
            self.next = Some(next.max(now.saturating_sub(interval)) + interval);
            return true;
        }
        false
    }
}

/// How many pictures a second there are to encode: what the camera gives in this light, thinned out to the rung's rate. Those that
/// are left out because the path is behind count as well.
#[derive(Default)]
struct Offered {
    last: Option<Duration>,
    /// Smoothed time between two of them, seconds.
    interval: Option<f32>,
    fps: Option<u32>,
}

/// A longer pause is none between two pictures.
const LONGEST_INTERVAL: f32 = 0.2;
/// The encoder is told when the rate has changed by this share.
const OTHER_RATE: f32 = 0.04;

impl Offered {
    fn picture(&mut self, captured: Duration) {
        let Some(last) = self.last.replace(captured) else { return };
        let passed = captured.saturating_sub(last).as_secs_f32();
        if passed == 0.0 || passed > LONGEST_INTERVAL {
            return;
        }
        let before = self.interval.unwrap_or(1.0 / FPS as f32);
        let interval = before + (passed - before) / 32.0;
        self.interval = Some(interval);
        let fps = 1.0 / interval;
        if (fps / self.fps() as f32 - 1.0).abs() > OTHER_RATE {
            self.fps = Some(fps.round() as u32);
        }
    }

    fn fps(&self) -> u32 {
        self.fps.unwrap_or(FPS)
    }
}

/// When the next picture must be a key frame.
#[derive(Default)]
struct KeyRequests {
    wished: bool,
    at_once: bool,
    last: Option<Duration>,
    sent: u32,
}

impl KeyRequests {
    /// The peer asks; it is kept waiting when the last key frame is too recent.
    fn wish(&mut self) {
        self.wished = true;
    }

    fn wish_at_once(&mut self) {
        self.at_once = true;
    }

    fn due(&self, now: Duration) -> bool {
        let interval = if self.sent < FIRST_KEYS { FIRST_KEY_INTERVAL } else { KEY_INTERVAL };
        let rested = self.last.is_none_or(|last| now.saturating_sub(last) >= interval);
        self.at_once || self.last.is_none() || self.wished && rested
    }

    fn sent(&mut self, now: Duration) {
        *self = Self { wished: false, at_once: false, last: Some(now), sent: self.sent + 1 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    #[test]
    fn a_slower_beat_leaves_out_every_other_picture_and_a_full_one_none() {
        let count = |fps| {
            let mut beat = Beat::default();
            (0..300u64).filter(|number| beat.due(fps, Duration::from_micros(number * 33_333 + number % 3 * 2_000))).count()
        };
        assert_eq!((count(30), count(15)), (300, 150));
        assert!((195..=205).contains(&count(20)), "{}", count(20));
    }

    #[test]
    fn the_encoder_learns_the_rate_of_a_slow_camera_and_not_its_jitter() {
        let mut offered = Offered::default();
        for number in 0..300u64 {
            offered.picture(Duration::from_micros(number * 33_333 + number * 7919 % 12_000));
            assert_eq!(offered.fps(), 30);
        }
        for number in 0..200 {
            offered.picture(ms(20_000 + number * 66));
        }
        assert!((14..=16).contains(&offered.fps()), "{}", offered.fps());
        offered.picture(ms(90_000));
        assert!((14..=16).contains(&offered.fps()), "a pause is no rate");
    }

    #[test]
    fn key_frames_on_request_are_rate_limited_but_a_turn_is_not() {
        let mut keys = KeyRequests::default();
        assert!(keys.due(ms(0)), "the first picture is a key frame");
        keys.sent(ms(0));
        assert!(!keys.due(ms(33)));
        keys.wish();
        assert!(keys.due(ms(66)), "the other side may have missed the first");
        keys.sent(ms(0));
        keys.sent(ms(0));
        keys.wish();
        assert!(!keys.due(ms(66)));
        assert!(keys.due(ms(300)), "the wish is kept");
        keys.wish_at_once();
        assert!(keys.due(ms(70)));
        keys.sent(ms(70));
        assert!(!keys.due(ms(1000)));
    }
}

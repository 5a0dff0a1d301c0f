//! Figures of a call, once a second. They hold no address and no name.

use crate::interceptors::Readings;
use crate::ladder::Lowered;
use serde::Serialize;
use std::time::Duration;
use ts_rs::TS;
use visavis_media::audio::VoiceStatistics;
use visavis_media::codec::EncodedPicture;

#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct Statistics {
    pub sent_kbps: u32,
    pub received_kbps: u32,
    /// Pictures a second.
    pub sent_fps: f32,
    pub received_fps: f32,
    pub sent_width: u32,
    pub sent_height: u32,
    pub received_width: u32,
    pub received_height: u32,
    /// Share of the peer's packets that never came, percent.
    pub loss_percent: f32,
    pub round_trip_ms: Option<f32>,
    pub encode_ms: f32,
    pub decode_ms: f32,
    pub jitter_buffer_ms: f32,
    /// What the jitter buffer aims at.
    pub jitter_buffer_target_ms: f32,
    /// Of the peer's voice: made up, from copies in later packets, and stretched or shortened in time. Since the beginning.
    pub voice_concealed_percent: f32,
    pub voice_recovered_percent: f32,
    pub voice_stretched_percent: f32,
    /// The peer's microphone against our speaker, parts in a million; positive: theirs is slow.
    pub voice_drift_ppm: Option<f32>,
    /// Packets of our voice that were sent twice.
    pub voice_sent_twice: u32,
    /// How much later than its picture the peer's voice is heard, while it is.
    pub voice_after_picture_ms: Option<f32>,
    pub freezes: u32,
    pub nacks_sent: u32,
    pub key_frames_asked: u32,
    /// Messages of the peer that could not be read, or came too fast.
    pub malformed: u32,
    /// True when media goes through a relay.
    pub relayed: bool,
    /// What rate control allows the video, kbit/s.
    pub target_kbps: u32,
    /// What came in at the peer's lately, everything counted, kbit/s.
    pub acknowledged_kbps: u32,
    /// Queue on the way to the peer, ms; and how far delays spread without one.
    pub queue_ms: f32,
    pub path_jitter_ms: f32,
    /// Why the own picture is worse than it could be, and why the peer's is.
    pub own_lowered: Lowered,
    pub peer_lowered: Lowered,
}

/// Weight of the newest value in a moving average.
const NEWEST: f32 = 0.1;

fn average(old: f32, new: Duration) -> f32 {
    let new = new.as_secs_f32() * 1000.0;
    if old == 0.0 { new } else { old + NEWEST * (new - old) }
}

/// Written by the encoder thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct SendFigures {
    pub pictures: u64,
    pub keys: u64,
    /// Pictures left out: the network task was behind, or rate control of the encoder dropped them.
    pub skipped: u64,
    pub width: u32,
    pub height: u32,
    pub encode_ms: f32,
}

impl SendFigures {
    pub fn picture(&mut self, encoded: &EncodedPicture, took: Duration) {
        self.pictures += 1;
        self.keys += u64::from(encoded.key);
        let (width, height) = (encoded.width as u32, encoded.height as u32);
        if (self.width, self.height) != (width, height) {
            // Another size costs another time.
            (self.width, self.height, self.encode_ms) = (width, height, 0.0);
        }
        self.encode_ms = average(self.encode_ms, took);
    }
}

/// Written by the decoder thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReceiveFigures {
    pub pictures: u64,
    pub width: u32,
    pub height: u32,
    pub decode_ms: f32,
    pub freezes: u64,
    pub keys_asked: u64,
    shown: Option<Duration>,
    interval_ms: f32,
}

impl ReceiveFigures {
    /// A picture was decoded at `now`. A freeze is a gap of three usual intervals, and at least 150 ms more than one
    /// (the definition of `freezeCount` in webrtc-stats).
    pub fn picture(&mut self, width: usize, height: usize, took: Duration, now: Duration) {
        self.pictures += 1;
        (self.width, self.height) = (width as u32, height as u32);
        self.decode_ms = average(self.decode_ms, took);
        if let Some(shown) = self.shown {
            let gap = now.saturating_sub(shown);
            let gap_ms = gap.as_secs_f32() * 1000.0;
            if self.interval_ms > 0.0 && gap_ms > (3.0 * self.interval_ms).max(self.interval_ms + 150.0) {
                self.freezes += 1;
            }
            self.interval_ms = average(self.interval_ms, gap);
        }
        self.shown = Some(now);
    }
}

/// Sums of the second before, to make rates of.
#[derive(Default)]
pub(crate) struct Collector {
    at: Duration,
    readings: Readings,
    sent: u64,
    received: u64,
}

/// What only the owner loop knows.
#[derive(Clone, Copy, Default)]
pub(crate) struct Known {
    pub voice: VoiceStatistics,
    pub voice_sent_twice: u64,
    pub voice_after_picture: Option<i64>,
    pub malformed: u32,
    pub relayed: bool,
    pub target_kbps: u32,
    pub rate: crate::rate::Figures,
    pub own_lowered: Lowered,
    pub peer_lowered: Lowered,
}

impl Collector {
    pub fn new(now: Duration) -> Self {
        Self { at: now, ..Self::default() }
    }

    pub fn collect(
        &mut self,
        now: Duration,
        readings: Readings,
        send: &SendFigures,
        receive: &ReceiveFigures,
        known: Known,
    ) -> Statistics {
        let seconds = now.saturating_sub(self.at).as_secs_f32().max(0.001);
        let kbps = |new: u64, old: u64| (new.saturating_sub(old) as f32 * 8.0 / 1000.0 / seconds) as u32;
        let per_second = |new: u64, old: u64| new.saturating_sub(old) as f32 / seconds;
        let voiced = known.voice.voice + known.voice.recovered + known.voice.concealed;
        let voice = |samples: u64| samples as f32 * 100.0 / voiced.max(1) as f32;
        let statistics = Statistics {
            sent_kbps: kbps(readings.bytes_sent, self.readings.bytes_sent),
            received_kbps: kbps(readings.bytes_received, self.readings.bytes_received),
            sent_fps: per_second(send.pictures, self.sent),
            received_fps: per_second(receive.pictures, self.received),
            sent_width: send.width,
            sent_height: send.height,
            received_width: receive.width,
            received_height: receive.height,
            loss_percent: readings.lost * 100.0,
            round_trip_ms: readings.round_trip.map(|time| time.as_secs_f32() * 1000.0),
            encode_ms: send.encode_ms,
            decode_ms: receive.decode_ms,
            jitter_buffer_ms: known.voice.delay.as_secs_f32() * 1000.0,
            jitter_buffer_target_ms: known.voice.target.as_secs_f32() * 1000.0,
            voice_concealed_percent: voice(known.voice.concealed),
            voice_recovered_percent: voice(known.voice.recovered),
            voice_stretched_percent: voice(known.voice.removed + known.voice.inserted),
            voice_drift_ppm: known.voice.drift_ppm,
            voice_sent_twice: known.voice_sent_twice as u32,
            voice_after_picture_ms: known.voice_after_picture.map(|micros| micros as f32 / 1000.0),
            freezes: receive.freezes as u32,
            nacks_sent: readings.nacks_sent as u32,
            key_frames_asked: receive.keys_asked as u32,
            malformed: known.malformed,
            relayed: known.relayed,
            target_kbps: known.target_kbps,
            acknowledged_kbps: known.rate.acknowledged_kbps,
            queue_ms: known.rate.queue_ms,
            path_jitter_ms: known.rate.jitter_ms,
            own_lowered: known.own_lowered,
            peer_lowered: known.peer_lowered,
        };
        *self = Self { at: now, readings, sent: send.pictures, received: receive.pictures };
        statistics
    }
}

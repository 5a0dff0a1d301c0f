//! Figures of a call, once a second. They hold no address and no name.

use crate::codecs::CodecReason;
use crate::interceptors::Readings;
use crate::ladder::Lowered;
use crate::quality::{Judge, Quality, Seen};
use crate::receive::Counts;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use ts_rs::TS;
use visavis_media::audio::VoiceStatistics;
use visavis_media::codec::{Codec, EncodedPicture};

/// Of the last second where it is a rate or a share, else since the call began. Milliseconds are moving averages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Statistics {
    /// In a word, for the people in the call.
    pub quality: Quality,
    pub round_trip_ms: Option<f32>,
    /// True when media goes through a relay.
    pub relayed: bool,
    /// Messages of the peer that could not be read, or came too fast.
    pub malformed: u32,

    /// What rate control allows the video, kbit/s.
    pub target_kbps: u32,
    /// All media, without headers.
    pub sent_kbps: u32,
    /// What came in at the peer's lately, everything counted, kbit/s.
    pub acknowledged_kbps: u32,
    /// Queue on the way to the peer, ms; and how far delays spread without one.
    pub queue_ms: f32,
    pub path_jitter_ms: f32,
    /// Why the own picture is worse than it could be, and why the peer's is.
    pub own_lowered: Lowered,
    pub peer_lowered: Lowered,
    /// Share of our packets that the path lost lately by the peer's feedback, percent.
    pub sent_loss_percent: f32,
    /// Pictures a second.
    pub sent_fps: f32,
    pub sent_width: u32,
    pub sent_height: u32,
    pub sent_codec: Option<CodecName>,
    pub codec_reason: CodecReason,
    pub encode_ms: f32,
    /// Bits a second that the encoder was asked for and what it gave, before packets.
    pub encoder_asked_kbps: u32,
    pub encoder_kbps: u32,
    /// Pictures left out before the encoder or by it, because there was no room for them.
    pub skipped: u32,
    /// Packets dropped because the view changed before they left.
    pub voided: u32,
    /// Requests of the peer: for packets (messages, of which each may name many) and for key frames.
    pub nacks_received: u32,
    pub key_frames_requested: u32,
    /// Packets sent again.
    pub resent: u32,

    pub received_kbps: u32,
    /// Share of the peer's video packets that were missing at first, percent.
    pub loss_percent: f32,
    pub received_fps: f32,
    pub received_width: u32,
    pub received_height: u32,
    pub received_codec: Option<CodecName>,
    pub decode_ms: f32,
    /// From a picture's first packet until it and those before it were whole.
    pub assembly_ms: f32,
    /// Of the sound.
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
    pub frozen_ms: u32,
    /// Pictures decoded late, for the ones after them only.
    pub not_shown: u32,
    pub nacks_sent: u32,
    pub key_frames_asked: u32,
    /// Missing packets that came after they were asked for.
    pub repaired: u32,
    /// Packets that came twice or too late.
    pub surplus: u32,
}

/// As it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub enum CodecName {
    #[serde(rename = "VP8")]
    Vp8,
    #[serde(rename = "VP9")]
    Vp9,
}

impl From<Codec> for CodecName {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::Vp8 => Self::Vp8,
            Codec::Vp9 => Self::Vp9,
        }
    }
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
    /// Bits that the encoder was asked for, for the pictures that it was given, and bytes that it gave.
    pub asked_bits: u64,
    pub coded_bytes: u64,
    pub codec: Option<Codec>,
    pub codec_reason: CodecReason,
}

impl SendFigures {
    pub fn picture(&mut self, encoded: &EncodedPicture, took: Duration) {
        self.pictures += 1;
        self.coded_bytes += encoded.data.len() as u64;
        self.keys += u64::from(encoded.key);
        let (width, height) = (encoded.width as u32, encoded.height as u32);
        if (self.width, self.height, self.codec) != (width, height, Some(encoded.codec)) {
            // Another size or codec costs another time.
            (self.width, self.height, self.codec, self.encode_ms) = (width, height, Some(encoded.codec), 0.0);
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
    pub frozen: Duration,
    pub keys_asked: u64,
    pub codec: Option<Codec>,
    /// From the first packet of a picture until it is whole and those before it are, a moving average.
    pub held_ms: f32,
    /// Decoded for the pictures that build upon them only.
    pub not_shown: u64,
    pub counts: Counts,
    shown: Option<Duration>,
    interval_ms: f32,
}

impl ReceiveFigures {
    /// A picture was decoded at `now`. A freeze is a gap of three usual intervals, and at least 150 ms more than one
    /// (the definition of `freezeCount` in webrtc-stats).
    pub fn picture(&mut self, codec: Codec, (width, height): (usize, usize), took: Duration, held: Duration, now: Duration) {
        self.pictures += 1;
        self.codec = Some(codec);
        self.held_ms = average(self.held_ms, held);
        (self.width, self.height) = (width as u32, height as u32);
        self.decode_ms = average(self.decode_ms, took);
        if let Some(shown) = self.shown {
            let gap = now.saturating_sub(shown);
            let gap_ms = gap.as_secs_f32() * 1000.0;
            if self.interval_ms > 0.0 && gap_ms > (3.0 * self.interval_ms).max(self.interval_ms + 150.0) {
                self.freezes += 1;
                self.frozen += gap.saturating_sub(Duration::from_secs_f32(self.interval_ms / 1000.0));
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
    asked_bits: u64,
    coded_bytes: u64,
    received: u64,
    frozen: Duration,
    counts: Counts,
    judge: Judge,
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
        let old = &self.readings;
        let sent_loss = readings.sent_lost * 100.0;
        let (counts, before) = (receive.counts, self.counts);
        let loss = share(counts.repair.missing.saturating_sub(before.repair.missing), counts.packets - before.packets);
        let frozen = receive.frozen.saturating_sub(self.frozen);
        let round_trip_ms = readings.round_trip.map(|time| time.as_secs_f32() * 1000.0);
        let seen = Seen { loss_percent: sent_loss.max(loss), round_trip_ms, frozen_ms: frozen.as_secs_f32() * 1000.0 };
        let sent_kbps = kbps(readings.bytes_sent, old.bytes_sent);
        let statistics = Statistics {
            quality: self.judge.observe(seen, now),
            round_trip_ms,
            relayed: known.relayed,
            malformed: known.malformed,
            target_kbps: known.target_kbps,
            sent_kbps,
            sent_loss_percent: sent_loss,
            sent_fps: per_second(send.pictures, self.sent),
            sent_width: send.width,
            sent_height: send.height,
            sent_codec: send.codec.map(CodecName::from),
            codec_reason: send.codec_reason,
            encode_ms: send.encode_ms,
            encoder_asked_kbps: kbps(send.asked_bits / 8, self.asked_bits / 8),
            encoder_kbps: kbps(send.coded_bytes, self.coded_bytes),
            skipped: send.skipped as u32,
            voided: readings.voided as u32,
            nacks_received: readings.nacks_received as u32,
            key_frames_requested: (readings.plis_received + readings.firs_received) as u32,
            resent: readings.resent as u32,
            received_kbps: kbps(readings.bytes_received, old.bytes_received),
            loss_percent: loss,
            received_fps: per_second(receive.pictures, self.received),
            received_width: receive.width,
            received_height: receive.height,
            received_codec: receive.codec.map(CodecName::from),
            decode_ms: receive.decode_ms,
            assembly_ms: receive.held_ms,
            jitter_buffer_ms: known.voice.delay.as_secs_f32() * 1000.0,
            jitter_buffer_target_ms: known.voice.target.as_secs_f32() * 1000.0,
            voice_concealed_percent: voice(known.voice.concealed),
            voice_recovered_percent: voice(known.voice.recovered),
            voice_stretched_percent: voice(known.voice.removed + known.voice.inserted),
            voice_drift_ppm: known.voice.drift_ppm,
            voice_sent_twice: known.voice_sent_twice as u32,
            voice_after_picture_ms: known.voice_after_picture.map(|micros| micros as f32 / 1000.0),
            freezes: receive.freezes as u32,
            frozen_ms: u32::try_from(receive.frozen.as_millis()).unwrap_or(u32::MAX),
            not_shown: receive.not_shown as u32,
            nacks_sent: readings.nacks_sent as u32,
            key_frames_asked: receive.keys_asked as u32,
            acknowledged_kbps: known.rate.acknowledged_kbps,
            queue_ms: known.rate.queue_ms,
            path_jitter_ms: known.rate.jitter_ms,
            own_lowered: known.own_lowered,
            peer_lowered: known.peer_lowered,
            repaired: counts.repair.repaired as u32,
            surplus: counts.surplus as u32,
        };
        let judge = std::mem::take(&mut self.judge);
        *self = Self {
            at: now,
            readings,
            sent: send.pictures,
            asked_bits: send.asked_bits,
            coded_bytes: send.coded_bytes,
            received: receive.pictures,
            frozen: receive.frozen,
            counts,
            judge,
        };
        statistics
    }
}

/// Percent.
fn share(lost: u64, there: u64) -> f32 {
    if lost + there == 0 { 0.0 } else { lost as f32 * 100.0 / (lost + there) as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_rates_are_those_of_the_last_second() {
        let mut collector = Collector::new(Duration::ZERO);
        let (mut readings, mut send, mut receive) = (Readings::default(), SendFigures::default(), ReceiveFigures::default());
        readings.sent_lost = 0.1;
        let second = |collector: &mut Collector, at: u64, readings: &Readings, send: &SendFigures, receive: &ReceiveFigures| {
            collector.collect(Duration::from_secs(at), readings.clone(), send, receive, Known::default())
        };
        assert_eq!(second(&mut collector, 1, &readings, &send, &receive).sent_loss_percent, 10.0);
        readings.sent_lost = 0.0;
        readings.bytes_sent = 125_000;
        send.pictures = 30;
        receive.counts.packets = 95;
        receive.counts.repair.missing = 5;
        let figures = second(&mut collector, 2, &readings, &send, &receive);
        assert_eq!((figures.sent_loss_percent, figures.loss_percent), (0.0, 5.0));
        assert_eq!((figures.sent_kbps, figures.sent_fps), (1000, 30.0));
    }

    #[test]
    fn a_freeze_counts_what_goes_beyond_the_usual_interval() {
        let mut figures = ReceiveFigures::default();
        let ms = Duration::from_millis;
        for number in 0..60 {
            figures.picture(Codec::Vp8, (640, 360), ms(2), ms(0), ms(33 * number));
        }
        assert_eq!(figures.freezes, 0);
        figures.picture(Codec::Vp8, (640, 360), ms(2), ms(0), ms(33 * 59 + 533));
        assert!(figures.freezes == 1 && (499..=500).contains(&figures.frozen.as_millis()), "{figures:?}");
    }
}

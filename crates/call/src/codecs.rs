//! Which codec the video is sent in: what both descriptions name, and what this machine encodes in time.
//!
//! The peer's description lists, in its order of preference, what it takes and under which payload types (RFC 3264, 6.1); that
//! order is kept, except that VP9 gives way to VP8 where it costs too much here, and where there are so many bits that it would
//! hardly be seen: at 300 kbit/s of 640x360 VP9 is 1.0 to 1.6 dB better, from 1000 on no better, for half more time and 23 MB.

use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use ts_rs::TS;
use visavis_media::codec::Codec;
use visavis_wire::socket::Signal;

/// A codec and the payload type it goes under.
type Entry = (Codec, u8);

/// Payload types of our offers; the ones browsers use too.
pub(crate) const VP8_PAYLOAD_TYPE: u8 = 96;
pub(crate) const VP9_PAYLOAD_TYPE: u8 = 98;
/// More of a description is not looked at.
const LISTED: usize = 64;

/// Which codecs a call may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codecs {
    /// VP9 before VP8.
    #[default]
    Auto,
    Only(Codec),
}

impl Codecs {
    /// In order of preference.
    pub(crate) fn list(self) -> Vec<Entry> {
        let all = [(Codec::Vp9, VP9_PAYLOAD_TYPE), (Codec::Vp8, VP8_PAYLOAD_TYPE)];
        all.into_iter().filter(|(codec, _)| self == Self::Auto || self == Self::Only(*codec)).collect()
    }
}

/// What the two descriptions say about video.
#[derive(Debug, Default)]
pub(crate) struct Negotiated(Mutex<Descriptions>);

#[derive(Debug, Default)]
struct Descriptions {
    ours: Vec<Entry>,
    theirs: Vec<Entry>,
}

impl Negotiated {
    fn descriptions(&self) -> MutexGuard<'_, Descriptions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A signal of ours is on its way.
    pub fn said(&self, signal: &Signal) {
        if let Some(sdp) = description(signal) {
            self.descriptions().ours = video_codecs(sdp);
        }
    }

    pub fn heard(&self, signal: &Signal) {
        if let Some(sdp) = description(signal) {
            self.descriptions().theirs = video_codecs(sdp);
        }
    }

    /// What the peer takes, best first; before its description is known VP8, which everybody knows.
    pub fn sendable(&self) -> Vec<Entry> {
        let descriptions = self.descriptions();
        let theirs = descriptions.theirs.iter().filter(|(codec, _)| descriptions.ours.iter().any(|(own, _)| own == codec));
        let both: Vec<Entry> = theirs.copied().collect();
        if both.is_empty() { vec![(Codec::Vp8, VP8_PAYLOAD_TYPE)] } else { both }
    }

    /// What a payload type of the peer's packets means.
    pub fn codec_of(&self, payload_type: u8) -> Option<Codec> {
        let descriptions = self.descriptions();
        let mut entries = descriptions.ours.iter().chain(&descriptions.theirs);
        entries.find(|(_, number)| *number == payload_type).map(|(codec, _)| *codec)
    }
}

fn description(signal: &Signal) -> Option<&str> {
    match signal {
        Signal::Offer { sdp } | Signal::Answer { sdp } => Some(sdp.reveal()),
        Signal::Candidate { .. } => None,
    }
}

/// The codecs of the first video section that we know, in its order (RFC 8866, 5.14 and 6.6; VP9 of profile 0 alone, RFC 9628,
/// 6). Empty when there is none or it is rejected.
fn video_codecs(sdp: &str) -> Vec<Entry> {
    let mut lines = sdp.lines().map(str::trim_end).skip_while(|line| !line.starts_with("m=video "));
    let Some(media) = lines.next() else { return Vec::new() };
    let attributes: Vec<&str> = lines.take_while(|line| !line.starts_with("m=")).collect();
    let mut words = media.split_ascii_whitespace().skip(1);
    if words.next().is_none_or(|port| port == "0") {
        return Vec::new();
    }
    let attribute = |name: &str, number: u8| {
        let start = format!("a={name}:{number} ");
        attributes.iter().find_map(|line| line.strip_prefix(start.as_str()))
    };
    let numbers = words.skip(1).take(LISTED).filter_map(|word| word.parse::<u8>().ok());
    let mut entries: Vec<Entry> = Vec::new();
    for number in numbers {
        let codec = match attribute("rtpmap", number).map(str::to_ascii_uppercase).as_deref() {
            Some("VP8/90000") => Codec::Vp8,
            Some("VP9/90000") if profile(attribute("fmtp", number)) == Some("0") => Codec::Vp9,
            _ => continue,
        };
        if entries.iter().all(|(known, _)| *known != codec) {
            entries.push((codec, number));
        }
    }
    entries
}

/// Without the parameter it is profile 0.
fn profile(parameters: Option<&str>) -> Option<&str> {
    let Some(parameters) = parameters else { return Some("0") };
    let named = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("profile-id="));
    Some(named.unwrap_or("0"))
}

/// Why the codec is the one it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum CodecReason {
    /// The first of those both sides know.
    #[default]
    Preferred,
    /// The two sides have no other in common.
    OnlyOne,
    /// The better one needs a processor of its own.
    TooFewCores,
    /// The better one took too long here.
    TooSlow,
    /// There are so many bits that the better one would look no better.
    EnoughBits,
}

/// Encoding one picture may take this long on average; at 30 a second 33 ms are all there is, and the decoder and the screen
/// need some of it.
const SLOW_MS: f32 = 16.0;
/// So long before it counts.
const SLOW_FOR: Duration = Duration::from_secs(2);
/// The better codec takes about 1.6 times as long, so it is tried again only when the other one leaves room for it.
const ROOM_MS: f32 = 6.0;
/// First pause before it is tried again; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const PAUSES: u32 = 4;
const CORES_FOR_VP9: usize = 2;
/// Bits a second from which on the better codec would not be seen, and so long before it counts; a change costs a key frame.
const SCARCE_KBPS: u32 = 320;
const SCARCE_FOR: Duration = Duration::from_secs(2);
const ENOUGH_KBPS: u32 = 480;
const ENOUGH_FOR: Duration = Duration::from_secs(6);

/// What encoding costs here, and what there is for it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Load {
    /// Of one picture of the codec in use; 0: not known.
    pub encode_ms: f32,
    /// That the encoder may use.
    pub kbps: u32,
}

/// Chooses; a state machine without a clock.
#[derive(Debug)]
pub(crate) struct Chooser {
    cores: usize,
    /// Since when encoding has been too slow.
    slow: Option<Duration>,
    /// When VP9 was given up, and how often.
    given_up: Option<Duration>,
    times: u32,
    /// The bits are so few that the better codec is seen; and since when that, or the contrary, is so.
    scarce: bool,
    turning: Option<Duration>,
}

impl Chooser {
    pub fn new(cores: usize) -> Self {
        Self { cores, slow: None, given_up: None, times: 0, scarce: false, turning: None }
    }

    /// The codec of the next picture, from what the peer takes and how long a picture of the codec in use takes (0: not known).
    pub fn choose(&mut self, sendable: &[Entry], current: Option<Codec>, load: Load, now: Duration) -> (Entry, CodecReason) {
        let first = sendable.first().copied().unwrap_or((Codec::Vp8, VP8_PAYLOAD_TYPE));
        let cheaper = sendable.iter().copied().find(|(codec, _)| *codec == Codec::Vp8).filter(|_| first.0 == Codec::Vp9);
        let Some(cheaper) = cheaper else {
            let reason = if sendable.len() > 1 { CodecReason::Preferred } else { CodecReason::OnlyOne };
            return (first, reason);
        };
        if self.cores < CORES_FOR_VP9 {
            return (cheaper, CodecReason::TooFewCores);
        }
        self.observe(current, load.encode_ms, now);
        self.count_bits(load.kbps, now);
        match (self.given_up, self.scarce) {
            (Some(_), _) => (cheaper, CodecReason::TooSlow),
            (None, true) => (first, CodecReason::Preferred),
            (None, false) => (cheaper, CodecReason::EnoughBits),
        }
    }

    fn count_bits(&mut self, kbps: u32, now: Duration) {
        let (turns, patience) = if self.scarce { (kbps > ENOUGH_KBPS, ENOUGH_FOR) } else { (kbps < SCARCE_KBPS, SCARCE_FOR) };
        self.turning = turns.then(|| self.turning.unwrap_or(now));
        if self.turning.is_some_and(|since| now.saturating_sub(since) >= patience) {
            (self.scarce, self.turning) = (!self.scarce, None);
        }
    }

    fn observe(&mut self, current: Option<Codec>, encode_ms: f32, now: Duration) {
        match (current, self.given_up) {
            (Some(Codec::Vp9), None) if encode_ms > SLOW_MS => {
                if now.saturating_sub(*self.slow.get_or_insert(now)) >= SLOW_FOR {
                    self.given_up = Some(now);
                    self.times += 1;
                    self.slow = None;
                }
            }
            (Some(Codec::Vp8), Some(since)) => {
                let pause = FIRST_PAUSE * 2u32.pow(self.times.clamp(1, PAUSES) - 1);
                if now.saturating_sub(since) >= pause && encode_ms > 0.0 && encode_ms < ROOM_MS {
                    self.given_up = None;
                }
            }
            _ => self.slow = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use visavis_wire::Private;

    const BOTH: &[Entry] = &[(Codec::Vp9, 98), (Codec::Vp8, 96)];

    fn seconds(value: u64) -> Duration {
        Duration::from_secs(value)
    }

    fn sdp(payload_types: &str) -> String {
        format!(
            "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\nm=video 9 UDP/TLS/RTP/SAVPF {payload_types}\r\n\
             a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=rtpmap:98 VP9/90000\r\n\
             a=fmtp:98 profile-id=0\r\na=rtpmap:100 VP9/90000\r\na=fmtp:100 profile-id=2\r\na=rtpmap:35 VP9/90000\r\n\
             m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=rtpmap:50 VP8/90000\r\n"
        )
    }

    #[test]
    fn descriptions_are_read_in_their_order() {
        assert_eq!(video_codecs(&sdp("96 97 98 100")), [(Codec::Vp8, 96), (Codec::Vp9, 98)]);
        assert_eq!(video_codecs(&sdp("100 98 96")), [(Codec::Vp9, 98), (Codec::Vp8, 96)]);
        assert_eq!(video_codecs(&sdp("35 97")), [(Codec::Vp9, 35)]);
        assert!(video_codecs(&sdp("97 50 nonsense 300")).is_empty());
        assert!(video_codecs(&sdp("96").replace("m=video 9", "m=video 0")).is_empty());
        assert!(video_codecs("").is_empty());
    }

    #[test]
    fn the_peers_order_and_payload_types_count_among_what_both_know() {
        let negotiated = Negotiated::default();
        assert_eq!(negotiated.sendable(), [(Codec::Vp8, VP8_PAYLOAD_TYPE)]);
        negotiated.said(&Signal::Offer { sdp: Private::new(sdp("98 96")) });
        negotiated.heard(&Signal::Answer { sdp: Private::new(sdp("96 35")) });
        assert_eq!(negotiated.sendable(), [(Codec::Vp8, 96), (Codec::Vp9, 35)]);
        assert_eq!(negotiated.codec_of(98), Some(Codec::Vp9));
        assert_eq!((negotiated.codec_of(35), negotiated.codec_of(77)), (Some(Codec::Vp9), None));
        negotiated.said(&Signal::Offer { sdp: Private::new(sdp("96")) });
        assert_eq!(negotiated.sendable(), [(Codec::Vp8, 96)]);
    }

    const FEW: Load = Load { encode_ms: 3.0, kbps: 300 };

    /// A chooser that has seen few bits for long enough.
    fn scarce(cores: usize) -> Chooser {
        let mut chooser = Chooser::new(cores);
        chooser.choose(BOTH, None, FEW, seconds(0));
        chooser.choose(BOTH, None, FEW, seconds(2));
        chooser
    }

    #[test]
    fn what_cannot_be_chosen_is_said() {
        let mut chooser = scarce(4);
        assert_eq!(chooser.choose(&BOTH[..1], None, FEW, seconds(2)), (BOTH[0], CodecReason::OnlyOne));
        assert_eq!(chooser.choose(&BOTH[1..], None, FEW, seconds(2)), (BOTH[1], CodecReason::OnlyOne));
        assert_eq!(chooser.choose(BOTH, None, FEW, seconds(2)), (BOTH[0], CodecReason::Preferred));
        assert_eq!(chooser.choose(&[BOTH[1], BOTH[0]], None, FEW, seconds(2)), (BOTH[1], CodecReason::Preferred));
        assert_eq!(Chooser::new(1).choose(BOTH, None, FEW, seconds(0)), (BOTH[1], CodecReason::TooFewCores));
    }

    #[test]
    fn the_better_codec_is_for_few_bits() {
        let mut chooser = Chooser::new(2);
        let mut run = |from: u64, to: u64, kbps: u32| {
            let choices = (from..to).map(|second| chooser.choose(BOTH, None, Load { encode_ms: 3.0, kbps }, seconds(second)));
            choices.last().unwrap()
        };
        assert_eq!(run(0, 20, 1600), (BOTH[1], CodecReason::EnoughBits));
        assert_eq!(run(20, 22, 300), (BOTH[1], CodecReason::EnoughBits), "a moment is none");
        assert_eq!(run(22, 23, 1600).0, BOTH[1]);
        assert_eq!(run(23, 26, 300), (BOTH[0], CodecReason::Preferred));
        assert_eq!(run(26, 90, 400).0, BOTH[0], "between the two nothing changes");
        assert_eq!(run(90, 96, 1600).0, BOTH[0]);
        assert_eq!(run(96, 98, 1600).0, BOTH[1]);
    }

    #[test]
    fn a_slow_codec_is_given_up_and_tried_again_less_and_less_often() {
        let mut chooser = scarce(2);
        let mut current = Codec::Vp9;
        let mut changes = Vec::new();
        for second in 2..1000 {
            // VP9 is too slow here, VP8 is not.
            let encode_ms = if current == Codec::Vp9 { 18.0 } else { 5.0 };
            let ((codec, _), reason) = chooser.choose(BOTH, Some(current), Load { encode_ms, ..FEW }, seconds(second));
            assert_eq!(reason == CodecReason::TooSlow, codec == Codec::Vp8);
            if codec != current {
                changes.push(second - 2);
            }
            current = codec;
        }
        assert_eq!(changes, [2, 32, 35, 95, 98, 218, 221, 461, 464, 704, 707, 947, 950]);
    }

    #[test]
    fn one_slow_moment_is_no_reason() {
        let mut chooser = scarce(2);
        for second in 2..100 {
            let encode_ms = if second % 2 == 0 { 40.0 } else { 9.0 };
            assert_eq!(chooser.choose(BOTH, Some(Codec::Vp9), Load { encode_ms, ..FEW }, seconds(second)).0, BOTH[0]);
        }
    }

    proptest! {
        #[test]
        fn any_description_is_survived(lines in prop::collection::vec("(m=video 9 X|a=rtpmap:|a=fmtp:|m=)[ -~]{0,40}", 0..20)) {
            prop_assert!(video_codecs(&lines.join("\r\n")).len() <= 2);
        }
    }
}

use super::*;
use crate::clocks::Clocks;
use rtc::rtcp::sender_report::SenderReport;
use std::convert::Infallible;
use std::time::Instant;
use visavis_media::Clock;
use visavis_media::audio::{AudioFrame, Heard, SILENCE, VoiceDecoder, VoiceReceiver};

/// Pictures 30 a second with `latency`, sound with `sound` while `speaks`; gives the hold of each picture in milliseconds.
fn run(
    sync: &mut LipSync,
    seconds: std::ops::Range<u64>,
    latency: impl Fn(u64) -> i64,
    sound: impl Fn(u64) -> i64,
    speaks: bool,
) -> Vec<u64> {
    let mut holds = Vec::new();
    for tick in seconds.start * 30..seconds.end * 30 {
        let now = Duration::from_micros(tick * 1_000_000 / 30);
        sync.sound(now, sound(tick) * 1000, speaks);
        holds.push(sync.picture(now, latency(tick) * 1000).as_millis() as u64);
    }
    holds
}

#[test]
fn a_silent_call_shows_pictures_at_once() {
    let mut sync = LipSync::default();
    assert!(run(&mut sync, 1..11, |_| 60, |_| 200, false).iter().all(|&hold| hold == 0));
}

#[test]
fn pictures_wait_for_a_later_voice_and_no_longer() {
    let mut sync = LipSync::default();
    let holds = run(&mut sync, 1..11, |_| 60, |_| 160, true);
    assert!(holds.windows(2).all(|pair| pair[1].abs_diff(pair[0]) <= 5), "slowly: {holds:?}");
    // 160 - 60 less what is allowed ahead and the way to the screen.
    assert_eq!(holds.last(), Some(&45));
    assert_eq!(holds.iter().max(), Some(&45), "never more");
    assert!((sync.skew().unwrap() - AHEAD).abs() < 1_000);
    // The speaker stops: back to none within two seconds after they are no longer heard.
    let after = run(&mut sync, 11..15, |_| 60, |_| 160, false);
    assert!(after[..40].iter().all(|&hold| hold == 45), "a pause between words changes nothing");
    assert!(after.windows(2).all(|pair| pair[1].abs_diff(pair[0]) <= 5), "{after:?}");
    assert!(after[100..].iter().all(|&hold| hold == 0), "{after:?}");
}

#[test]
fn an_earlier_voice_holds_nothing() {
    let mut sync = LipSync::default();
    assert!(run(&mut sync, 1..6, |_| 200, |_| 100, true).iter().all(|&hold| hold == 0));
    assert!(sync.skew().unwrap() < -100_000, "and it is said");
}

#[test]
fn held_pictures_come_evenly_out_of_a_jittery_path() {
    let mut sync = LipSync::default();
    let latency = |tick: u64| 60 + (tick as i64 * 37) % 30;
    let holds = run(&mut sync, 1..11, latency, |_| 180, true);
    let shown: Vec<i64> = holds.iter().zip(30..).map(|(&hold, tick)| latency(tick) + hold as i64).collect();
    assert!(shown[200..].iter().all(|&at| (124..=126).contains(&at)), "{:?}", &shown[200..]);
}

#[test]
fn nonsense_is_ignored_and_bounded() {
    let mut sync = LipSync::default();
    for sound in [i64::MAX / 2, i64::MIN / 2, 5_000_000] {
        sync.sound(Duration::from_secs(1), sound, true);
        assert_eq!(sync.picture(Duration::from_secs(1), 0), Duration::ZERO);
    }
    let mut sync = LipSync::default();
    let holds = run(&mut sync, 1..30, |_| 0, |_| 1_500, true);
    assert!(holds.iter().all(|&hold| hold <= 250));
}

/// A voice without a sound.
struct Mute;

impl VoiceDecoder for Mute {
    type Error = Infallible;

    fn decode(&mut self, _payload: &[u8], frame: &mut AudioFrame) -> Result<(), Infallible> {
        frame.fill(1_000);
        Ok(())
    }

    fn decode_copy(&mut self, _carrier: &[u8], frame: &mut AudioFrame) -> Result<(), Infallible> {
        frame.fill(1_000);
        Ok(())
    }

    fn make_up(&mut self, sound: &mut [i16]) -> Result<(), Infallible> {
        sound.fill(1_000);
        Ok(())
    }

    fn copies(_payload: &[u8]) -> bool {
        false
    }
}

const VIDEO: u32 = 7;
const SOUND: u32 = 8;
/// The peer's clock against ours.
const ELSEWHERE: u64 = 3_900_000_000;

struct Link {
    seed: u64,
    jitter_ms: u64,
}

impl Link {
    /// Microseconds under way.
    fn way(&mut self) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        40_000 + self.seed % (self.jitter_ms * 1_000 + 1)
    }
}

/// Both streams of a minute over a link, through the reports of the sender, the voice's jitter buffer and this machine: how much
/// later than its picture each sound is heard, milliseconds, picture by picture, and how long they were held.
fn call(seed: u64, jitter_ms: u64, speaks: bool) -> (Vec<i64>, Vec<u64>) {
    const MINUTE: u64 = 60_000_000;
    let begun = Instant::now();
    let (ours, theirs) = (Clocks::new(Clock::start()), Clocks::new(Clock::start()));
    let mut link = Link { seed: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, jitter_ms };
    // Sound is captured 35 ms before it leaves, a picture 20 ms before; neither is ever early for the one before it.
    let mut sounds: Vec<(u64, u64)> = (0..MINUTE).step_by(20_000).map(|at| (at + 35_000 + link.way(), at)).collect();
    sounds.sort_unstable();
    let mut last = 0;
    let mut pictures = (0..MINUTE)
        .step_by(33_333)
        .map(|at| {
            last = (at + 20_000 + link.way()).max(last);
            (last, at)
        })
        .collect::<Vec<_>>()
        .into_iter()
        .peekable();
    let mut sounds = sounds.into_iter().peekable();
    let stamp = |at: u64, rate: u64| (at * rate / 1_000_000) as u32;
    let (mut voice, mut sync) = (VoiceReceiver::with_decoder(Mute), LipSync::default());
    let (mut skews, mut holds, mut sound_latency) = (Vec::new(), Vec::new(), None);
    for now in (0..MINUTE).step_by(1_000) {
        let local = Duration::from_micros(now);
        if now % 20_000 == 0 {
            ours.captured(SOUND, 48_000, stamp(now, 48_000), Duration::from_micros(now));
            ours.captured(VIDEO, 90_000, stamp(now, 90_000), Duration::from_micros(now));
        }
        if now % 500_000 == 0 {
            for ssrc in [VIDEO, SOUND] {
                let at = ELSEWHERE * 1_000_000 + now;
                let ntp_time = ((at / 1_000_000) << 32) | (((at % 1_000_000) << 32) / 1_000_000);
                let report = SenderReport { ssrc, ntp_time, ..SenderReport::default() };
                theirs.heard(&ours.corrected(&report, begun + local).unwrap());
            }
        }
        while let Some((at, captured)) = sounds.next_if(|&(at, _)| at <= now) {
            let number = (captured / 20_000) as u16;
            voice.push(number, stamp(captured, 48_000), vec![1; 40], Duration::from_micros(at));
        }
        if now % 20_000 == 7_000 {
            // 40 ms lie ready for the device, and it takes 20 more.
            let heard = now as i64 + 60_000;
            let playing = voice.playing();
            let made_of = voice.pull(&mut SILENCE.clone(), local);
            if let Some(captured) = playing.and_then(|stamp| theirs.peer_micros(SOUND, 48_000, stamp)) {
                sync.sound(local, heard - captured, speaks && made_of == Heard::Voice);
                sound_latency = Some(heard - captured);
            }
        }
        while let Some((at, captured)) = pictures.next_if(|&(at, _)| at <= now) {
            let Some(captured) = theirs.peer_micros(VIDEO, 90_000, stamp(captured, 90_000)) else { continue };
            let hold = sync.picture(local, at as i64 - captured);
            let seen = at as i64 + hold.as_micros() as i64 + 15_000 - captured;
            if let Some(sound) = sound_latency.filter(|_| now > 6_000_000) {
                skews.push((sound - seen) / 1_000);
            }
            holds.push(hold.as_millis() as u64);
        }
    }
    (skews, holds)
}

#[test]
fn lips_and_voice_agree_over_a_jittery_link() {
    for jitter_ms in [0, 30, 80] {
        for seed in 1..=3 {
            let (skews, holds) = call(seed, jitter_ms, true);
            let (unheld, none) = call(seed, jitter_ms, false);
            let mean = |values: &[i64]| values.iter().sum::<i64>() as f64 / values.len() as f64;
            let within = |values: &[i64]| values.iter().filter(|skew| skew.abs() <= 45).count() as f64 / values.len() as f64;
            println!(
                "jitter {jitter_ms}, seed {seed}: sound later than its picture by {:.0} ms on average, {:.1} % within 45 ms, held {} \
                 to {} ms; without holding {:.0} ms, {:.1} %",
                mean(&skews),
                within(&skews) * 100.0,
                holds[200..].iter().min().unwrap(),
                holds.iter().max().unwrap(),
                mean(&unheld),
                within(&unheld) * 100.0
            );
            assert!(within(&skews) > 0.99, "jitter {jitter_ms}, seed {seed}: {}", within(&skews));
            assert!(none.iter().all(|&hold| hold == 0), "a silent call is not held");
            assert!(within(&unheld) < 0.6, "jitter {jitter_ms}, seed {seed}: nothing to do: {}", within(&unheld));
        }
    }
}

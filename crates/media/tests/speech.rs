//! What of speech arrives over bad networks, with the real codec, in virtual time: the share made up and the intelligibility,
//! for what the codec's own copies give and for sending each packet twice. `--nocapture` prints the table.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/stoi.rs"]
mod stoi;
#[allow(dead_code, reason = "each test file uses a part")]
mod support;

use std::time::Duration;
use stoi::stoi;
use support::{Network, drive};
use visavis_media::audio::speech::Speech;
use visavis_media::audio::{AudioFrame, FRAME_SAMPLES, Heard, OpusDecoder, OpusEncoder, SILENCE, VoiceReceiver, VoiceStatistics};

const FRAMES: u64 = 1000;

fn encoded(seed: u64, bitrate: i32, loss_percent: u8) -> Vec<Option<Vec<u8>>> {
    let mut encoder = OpusEncoder::new().unwrap();
    encoder.set_bitrate(bitrate).unwrap();
    encoder.set_packet_loss_percent(loss_percent).unwrap();
    let mut speech = Speech::new(seed);
    (0..FRAMES).map(|_| encoder.encode(&speech.frame()).unwrap()).collect()
}

struct Outcome {
    statistics: VoiceStatistics,
    stoi: f64,
    kbps: f64,
}

/// Over the network, compared with what a decoder makes of all packets.
fn over(network: Network, seed: u64, bitrate: i32, loss_percent: u8) -> Outcome {
    let packets = encoded(seed, bitrate, loss_percent);
    let mut clean = Vec::new();
    let mut decoder = OpusDecoder::new().unwrap();
    for packet in &packets {
        let mut frame = SILENCE;
        match packet {
            Some(packet) => decoder.decode(packet, &mut frame).unwrap(),
            None => decoder.conceal(&mut frame).unwrap(),
        }
        clean.extend_from_slice(&frame);
    }
    let mut receiver = VoiceReceiver::new().unwrap();
    let mut heard = Vec::new();
    // Nothing is sent in a pause: an empty payload is refused, as if it had not come.
    let payload = |index: u64| packets[index as usize].clone().unwrap_or_default();
    drive(&mut receiver, network, FRAMES, seed, payload, |_, frame, _| heard.extend_from_slice(frame));
    let bytes: usize = packets.iter().flatten().map(Vec::len).sum();
    let copies = if network.again_after > 0 { 2.0 } else { 1.0 };
    let kbps = bytes as f64 * 8.0 * copies / (FRAMES as f64 * 20.0);
    Outcome { statistics: receiver.statistics(), stoi: stoi_aligned(&clean, &heard), kbps }
}

/// Second by second at the delay that fits best, since the delay changes as the receiver learns.
fn stoi_aligned(clean: &[i16], heard: &[i16]) -> f64 {
    let piece = 4 * 48_000;
    let mut values = Vec::new();
    for from in (piece..clean.len() - piece).step_by(piece) {
        let part = &clean[from..from + piece];
        let best = (0..16_000)
            .step_by(24)
            .filter_map(|delay| heard.get(from + delay..from + delay + piece).map(|other| (correlation(part, other), delay)))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let Some((_, delay)) = best else { continue };
        values.push(stoi(part, &heard[from + delay..from + delay + piece]));
    }
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn correlation(a: &[i16], b: &[i16]) -> f64 {
    a.iter().zip(b).step_by(16).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

#[test]
fn what_losses_leave_of_speech() {
    let random = |loss: f64| Network { loss, jitter_ms: 10.0, ..Network::default() };
    let bursts = |loss: f64, burst: f64| Network { loss, burst, jitter_ms: 10.0, ..Network::default() };
    let cases = [
        ("10 % random", random(0.1)),
        ("5 % in bursts of 8", bursts(0.05, 8.0)),
        ("10 % in bursts of 2", bursts(0.1, 2.0)),
        ("20 % random", random(0.2)),
    ];
    println!("{:<22}{:<26}{:>9}{:>10}{:>7}{:>9}{:>7}", "network", "means", "made up", "recovered", "STOI", "delay ms", "kbit/s");
    let mut concealed = std::collections::HashMap::new();
    for (name, network) in cases {
        let percent = (network.loss * 100.0) as u8;
        let means = [
            ("no copies", 32_000, 0, 0),
            ("copies in the codec", 40_000, percent.max(5), 0),
            ("copies, sent twice (+1)", 40_000, percent.max(5), 1),
            ("copies, sent twice (+2)", 40_000, percent.max(5), 2),
        ];
        for (mean, bitrate, percent, again_after) in means {
            let outcomes: Vec<_> = (1..=1).map(|seed| over(Network { again_after, ..network }, seed, bitrate, percent)).collect();
            let mean_of = |f: &dyn Fn(&Outcome) -> f64| outcomes.iter().map(f).sum::<f64>() / outcomes.len() as f64;
            let made_up = mean_of(&|o| f64::from(o.statistics.concealed_share()));
            let recovered = mean_of(&|o| o.statistics.recovered as f64 / (o.statistics.voice + o.statistics.recovered) as f64);
            println!(
                "{name:<22}{mean:<26}{:>8.2}%{:>9.2}%{:>7.3}{:>9.0}{:>7.1}",
                made_up * 100.0,
                recovered * 100.0,
                mean_of(&|o| o.stoi),
                mean_of(&|o| o.statistics.delay.as_secs_f64() * 1000.0),
                mean_of(&|o| o.kbps),
            );
            concealed.insert((name, mean), (made_up, mean_of(&|o| o.stoi)));
        }
    }
    let of = |name, mean| concealed[&(name, mean)];
    assert!(of("10 % random", "copies in the codec").0 < 0.05, "audio intelligible at 10 % loss");
    assert!(of("10 % random", "copies in the codec").1 > of("10 % random", "no copies").1);
    assert!(of("20 % random", "copies, sent twice (+1)").0 < 0.5 * of("20 % random", "copies in the codec").0);
}

#[test]
fn a_voice_is_heard_through_a_bad_network() {
    let network = Network { loss: 0.1, jitter_ms: 40.0, duplicates: 0.05, ..Network::default() };
    let packets = encoded(3, 40_000, 10);
    let mut receiver = VoiceReceiver::new().unwrap();
    let (mut kept, mut counts, mut sharpest) = (0.0, [0u32; 4], 0);
    let mut last: Option<AudioFrame> = None;
    let payload = |index: u64| {
        let mut payload = packets[index as usize].clone().unwrap_or_default();
        // One packet in fifty is damaged.
        if index % 50 == 49 && !payload.is_empty() {
            payload[0] ^= 0b11;
        }
        payload
    };
    drive(&mut receiver, network, FRAMES, 3, payload, |_, frame, heard| {
        counts[heard as usize] += 1;
        kept += frame.iter().map(|&sample| f64::from(sample).powi(2)).sum::<f64>();
        if let Some(last) = last {
            sharpest = sharpest.max((i32::from(frame[0]) - i32::from(last[FRAME_SAMPLES - 1])).abs());
        }
        last = Some(*frame);
    });
    let mut speech = Speech::new(3);
    let original: f64 = (0..FRAMES).flat_map(|_| speech.frame()).map(|sample| f64::from(sample).powi(2)).sum();
    println!("{:.3} of the energy, {counts:?}, {:?}", kept / original, receiver.statistics());
    assert!((0.7..1.3).contains(&(kept / original)), "{} of the energy", kept / original);
    assert!(counts[Heard::Recovered as usize] > 50, "{counts:?}");
    assert!(receiver.statistics().corrupt > 5);
    assert!(sharpest < 12_000, "a step of {sharpest} between two frames");
}

#[test]
fn a_pause_sounds_like_the_room_and_long_losses_like_nothing() {
    let packets = encoded(4, 32_000, 5);
    let loudness = |frame: &AudioFrame| (frame.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / 960.0).sqrt();
    let mut receiver = VoiceReceiver::new().unwrap();
    let mut levels = Vec::new();
    for tick in 0..300u32 {
        let now = Duration::from_millis(u64::from(tick) * 20);
        // The path breaks in the middle of it all.
        if let Some(Some(payload)) = packets.get(tick as usize).filter(|_| tick < 150) {
            receiver.push(tick as u16, tick * 960, payload.clone(), now);
        }
        let mut frame = SILENCE;
        receiver.pull(&mut frame, now + Duration::from_millis(2));
        levels.push(loudness(&frame));
    }
    assert!(levels[..150].iter().any(|&level| level > 1_000.0));
    assert!(
        levels[170..].iter().all(|&level| level < 30.0),
        "300 ms after the last packet nothing is made up: {:?}",
        &levels[150..180]
    );
    // It comes in without a bang.
    let mut frame = SILENCE;
    let voice = (0..packets.len()).skip(500).find(|&i| packets[i].as_ref().is_some_and(|packet| packet.len() > 60)).unwrap();
    for (tick, packet) in (300u32..).zip(&packets[voice..voice + 10]) {
        let now = Duration::from_millis(u64::from(tick) * 20);
        receiver.push(tick as u16, tick * 960, packet.clone().unwrap_or_default(), now);
        receiver.pull(&mut frame, now + Duration::from_millis(2));
        if loudness(&frame) > 100.0 {
            assert!(frame[..12].iter().all(|x| x.abs() < 2_000), "{:?}", &frame[..12]);
            return;
        }
    }
    panic!("it never came back");
}

//! The voice receiver against networks that lose, delay, reorder and repeat, in virtual time. Every run is the same: the
//! disorder comes from a seeded generator.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use proptest::prelude::*;
use std::collections::BTreeSet;
use std::time::Duration;
use support::{Network, Run, ToneDecoder, arrivals};
use visavis_media::audio::{FRAME_SAMPLES, Heard, Pushed, SILENCE, VoiceReceiver};

#[test]
fn a_clean_network_loses_nothing_and_hardly_waits() {
    let run = Run::new(Network::default(), 3000, 1);
    assert_eq!(run.last().concealed, 0);
    // It begins with twice the delay that it then turns out to need.
    assert!(run.last().removed < 1_500 && run.last().inserted == 0, "nothing is stretched without need: {:?}", run.last());
    assert!(run.mean_delay_ms(2) <= 47.0, "{} ms", run.mean_delay_ms(2));
    assert!(run.played.len() > 2990);
    assert!(run.played.iter().enumerate().all(|(i, &index)| i as u64 == index), "in order, without a gap");
    assert!(run.heard.iter().position(|heard| *heard != Heard::Silence) <= Some(3), "starts within 60 ms");
}

#[test]
fn the_delay_covers_jitter_and_no_more() {
    for (jitter_ms, most_concealed, most_delay) in [(20.0, 0.01, 55.0), (60.0, 0.03, 95.0), (120.0, 0.03, 155.0)] {
        for seed in 1..=5 {
            let run = Run::new(Network { jitter_ms, ..Network::default() }, 3000, seed);
            let (concealed, delay) = (run.concealed_share(5), run.mean_delay_ms(5));
            println!("jitter {jitter_ms}, seed {seed}: {concealed:.4} concealed, {delay:.1} ms, {:?}", run.last());
            assert!(concealed <= most_concealed, "jitter {jitter_ms}, seed {seed}: {concealed} concealed");
            assert!(delay <= most_delay, "jitter {jitter_ms}, seed {seed}: {delay} ms");
        }
    }
}

#[test]
fn loss_is_made_good_and_costs_a_frame_of_delay() {
    for seed in 1..=5 {
        let run = Run::new(Network { loss: 0.1, jitter_ms: 10.0, ..Network::default() }, 3000, seed);
        println!("seed {seed}: {:.4} concealed, {:.1} ms, {:?}", run.concealed_share(5), run.mean_delay_ms(5), run.last());
        // Two in a row are lost once in ten times, and then the first of them has no copy.
        assert!(run.concealed_share(5) < 0.025, "seed {seed}: {}", run.concealed_share(5));
        assert!(run.last().recovered as f64 > 0.07 * 3000.0 * 960.0, "seed {seed}: {:?}", run.last());
        assert!(run.mean_delay_ms(5) < 75.0, "seed {seed}: {} ms", run.mean_delay_ms(5));
    }
}

#[test]
fn disorder_and_repetition_never_reach_the_ear() {
    for seed in 1..=5 {
        let network = Network { loss: 0.05, jitter_ms: 90.0, duplicates: 0.2, ..Network::default() };
        let run = Run::new(network, 3000, seed);
        assert!(run.played.windows(2).all(|pair| pair[0] < pair[1]), "seed {seed}: each packet once and in order");
        let last = run.last();
        let all = arrivals(network, 3000, seed);
        let extra = all.len() - all.iter().map(|a| a.index).collect::<BTreeSet<_>>().len();
        assert!((last.duplicates as f64 - extra as f64).abs() < 20.0, "seed {seed}: {} of {extra}", last.duplicates);
        assert!(run.played.len() > 2650, "seed {seed}: {} played", run.played.len());
    }
}

#[test]
fn after_an_interruption_the_delay_comes_down_quickly() {
    // Short: everything is played, late, and the delay is stretched down to where it was.
    let short = Run::new(Network { outage: Some((10.0, 10.3)), ..Network::default() }, 3000, 1);
    assert_eq!((short.last().skipped, short.last().late, short.last().restarts), (0, 0, 0));
    let worst = short.statistics[500..].iter().map(|statistics| statistics.delay).max().unwrap();
    assert!(worst > Duration::from_millis(200), "{worst:?}");
    let back = short.statistics[520..].iter().position(|statistics| statistics.delay < Duration::from_millis(80)).unwrap();
    println!("worst {worst:?}, back after {} ms, {:?}", back * 20, short.last());
    assert!(back < 75, "back to 80 ms after {} ms", back * 20);
    assert!(short.last().concealed < 16 * 960, "{:?}", short.last());
    // Long: what is stale is thrown away, and talk goes on at once.
    let long = Run::new(Network { outage: Some((10.0, 13.0)), ..Network::default() }, 3000, 1);
    assert!(long.last().skipped > 50, "{:?}", long.last());
    assert!(long.last().restarts >= 1);
    assert!(long.last().concealed < 40 * 960, "it does not make up three seconds: {:?}", long.last());
    let after = &long.statistics[(13.5 * 50.0) as usize..];
    assert!(after.iter().all(|statistics| statistics.delay < Duration::from_millis(400)));
    assert!(long.mean_delay_ms(30) < 60.0, "{} ms", long.mean_delay_ms(30));
}

#[test]
fn stretching_and_making_up_are_smooth_to_the_ear() {
    let mut stretched = 0;
    for (network, seed) in [
        (Network { jitter_ms: 120.0, ..Network::default() }, 2),
        (Network { outage: Some((3.0, 3.25)), ..Network::default() }, 2),
        (Network { loss: 0.1, jitter_ms: 20.0, ..Network::default() }, 3),
    ] {
        let run = Run::new(network, 1500, seed);
        let sharpest = run.sound.windows(3).map(|w| (i32::from(w[2]) - 2 * i32::from(w[1]) + i32::from(w[0])).abs());
        // A tone's own corners are at most 8000 (2 pi 330 / 48000)^2 = 15; a frame that was late goes on elsewhere in the
        // period than what was made up for it ended, which this decoder, unlike a real one, does not smooth.
        let corners = sharpest.filter(|&corner| corner > 60).count();
        println!("seed {seed}: {corners} corners, {:?}", run.last());
        stretched += run.last().removed + run.last().inserted;
        assert!(corners as u64 <= 4 * run.last().concealed / 480 + 2, "{corners} corners: {:?}", run.last());
    }
    assert!(stretched > 15_000, "only {stretched} samples");
}

#[test]
fn clocks_that_drift_apart_for_hours_change_nothing() {
    for drift_ppm in [-200.0, 200.0] {
        let run = Run::new(Network { drift_ppm, jitter_ms: 5.0, ..Network::default() }, 2 * 3600 * 50, 5);
        let last = run.last();
        let delays = run.statistics[500..].iter().map(|statistics| statistics.delay.as_millis());
        let (least, most) = (delays.clone().min().unwrap(), delays.max().unwrap());
        println!("{drift_ppm} ppm: {least} to {most} ms, {last:?}");
        assert!(least >= 10 && most <= 62, "{drift_ppm} ppm: {least} to {most} ms");
        assert!(run.concealed_share(10) < 0.0005, "{drift_ppm} ppm: {}", run.concealed_share(10));
        // 7200 s at 200 ppm are 1.44 s, taken out or put in bit by bit.
        let net = last.inserted as f64 - last.removed as f64;
        let made_up = last.concealed as f64;
        assert!((net + made_up - 1.44 * 48_000.0 * drift_ppm.signum()).abs() < 4_000.0, "{net} {made_up}");
        assert!((f64::from(last.drift_ppm.unwrap()) - drift_ppm).abs() < 20.0, "{:?}", last.drift_ppm);
    }
}

#[test]
fn a_pause_is_silence_and_not_loss() {
    let mut receiver = VoiceReceiver::with_decoder(ToneDecoder::new());
    let mut silent = 0;
    let mut sequence = 0;
    for tick in 0..500u32 {
        let now = Duration::from_millis(u64::from(tick) * 20 + 5);
        // One second of speech, the announcement of a pause, a second of nothing.
        let payload = match tick % 100 {
            0..50 => Some(ToneDecoder::packet(u64::from(tick), false)),
            50 => Some(vec![8]),
            _ => None,
        };
        if let Some(payload) = payload {
            receiver.push(sequence, tick * 960, payload, now);
            sequence += 1;
        }
        let mut frame = SILENCE;
        silent += u32::from(receiver.pull(&mut frame, now + Duration::from_millis(3)) == Heard::Silence);
        if receiver.playing().is_some() {
            assert!(tick % 100 < 56, "{tick}");
        }
    }
    let statistics = receiver.statistics();
    // The announcement is no sound to this decoder.
    assert_eq!((statistics.concealed, statistics.recovered, statistics.late), (5 * 960, 0, 0), "{statistics:?}");
    assert_eq!((statistics.restarts, statistics.skipped), (0, 0));
    assert!(silent > 220);
    assert_eq!(statistics.voice, 50 * 5 * 960);
}

#[test]
fn a_stream_that_begins_anew_is_followed() {
    let mut receiver = VoiceReceiver::with_decoder(ToneDecoder::new());
    for index in 0..200u32 {
        let now = Duration::from_millis(u64::from(index) * 20);
        let (sequence, timestamp) =
            if index < 100 { (index, index * 960) } else { (40_000 + index, 3_000_000_000 + index * 960) };
        let payload = ToneDecoder::packet(u64::from(index), false);
        assert_eq!(receiver.push(sequence as u16, timestamp, payload, now), Pushed::Accepted);
        receiver.pull(&mut SILENCE.clone(), now);
    }
    assert_eq!(receiver.statistics().restarts, 1);
    assert!(receiver.decoder().played.last() > Some(&190), "{:?}", receiver.decoder().played.last());
}

#[test]
fn what_is_no_packet_is_refused() {
    let mut receiver = VoiceReceiver::with_decoder(ToneDecoder::new());
    assert_eq!(receiver.push(1, 0, Vec::new(), Duration::ZERO), Pushed::Rejected);
    assert_eq!(receiver.push(1, 0, vec![0; 2000], Duration::ZERO), Pushed::Rejected);
    assert_eq!(receiver.push(1, 0, vec![0; 20], Duration::ZERO), Pushed::Accepted);
    assert_eq!(receiver.push(1, 960, vec![0; 20], Duration::ZERO), Pushed::Duplicate);
    assert_eq!(receiver.push(2, 0, vec![0; 20], Duration::ZERO), Pushed::Duplicate);
    assert_eq!(receiver.statistics().rejected, 2);
}

#[test]
fn a_flood_that_nobody_pulls_is_bounded() {
    let mut receiver = VoiceReceiver::with_decoder(ToneDecoder::new());
    for index in 0..60_000u32 {
        let payload = ToneDecoder::packet(u64::from(index), false);
        receiver.push(index as u16, index * 960, payload, Duration::from_millis(u64::from(index)));
    }
    let mut frame = SILENCE;
    let played = (0..1_000).filter(|_| receiver.pull(&mut frame, Duration::from_secs(61)) != Heard::Silence).count();
    assert!(played < 150, "{played}");
}

#[test]
fn before_the_first_packet_there_is_silence() {
    let mut receiver = VoiceReceiver::new().unwrap();
    let mut frame = [1; FRAME_SAMPLES];
    assert_eq!(receiver.pull(&mut frame, Duration::ZERO), Heard::Silence);
    assert_eq!(frame, SILENCE);
    assert_eq!(receiver.playing(), None);
}

#[derive(Clone, Debug)]
enum Event {
    Push {
        sequence: u16,
        timestamp: u32,
        length: usize,
    },
    Pull,
    /// Milliseconds.
    Wait(u16),
}

fn event() -> impl Strategy<Value = Event> {
    let near = (0u16..60, 0u32..60, 0usize..20).prop_map(|(sequence, frame, length)| Event::Push {
        sequence,
        timestamp: frame * 960,
        length,
    });
    let wild = (any::<u16>(), any::<u32>(), 0usize..2000).prop_map(|(sequence, timestamp, length)| Event::Push {
        sequence,
        timestamp,
        length,
    });
    prop_oneof![4 => near, 1 => wild, 4 => Just(Event::Pull), 2 => (0u16..60).prop_map(Event::Wait), 1 => any::<u16>().prop_map(Event::Wait)]
}

proptest! {
    #[test]
    fn no_order_of_events_breaks_the_receiver(events in proptest::collection::vec(event(), 0..300)) {
        let mut receiver = VoiceReceiver::with_decoder(ToneDecoder::new());
        let mut now = Duration::ZERO;
        let (mut accepted, mut pulls) = (0u64, 0u64);
        for event in events {
            match event {
                Event::Push { sequence, timestamp, length } => {
                    // Fourteen bytes and more are a packet that can be decoded, and carries a copy.
                    let pushed = receiver.push(sequence, timestamp, vec![1; length], now);
                    accepted += u64::from(pushed == Pushed::Accepted);
                }
                Event::Pull => {
                    receiver.pull(&mut SILENCE.clone(), now);
                    pulls += 1;
                }
                Event::Wait(ms) => now += Duration::from_millis(u64::from(ms)),
            }
        }
        let statistics = receiver.statistics();
        prop_assert!(receiver.decoder().played.len() as u64 + statistics.skipped <= accepted);
        prop_assert_eq!(statistics.received, accepted + statistics.duplicates + statistics.late + statistics.rejected);
        prop_assert!(statistics.target >= Duration::from_millis(20) && statistics.target <= Duration::from_millis(300));
        // What was made is what was played, but for what waits: less than three frames.
        let made = statistics.voice + statistics.recovered + statistics.concealed + statistics.silent + statistics.inserted;
        let gone = statistics.removed + pulls * 960;
        prop_assert!(made >= gone && made - gone < 3 * 960, "{made} and {gone}");
    }
}

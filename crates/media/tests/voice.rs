//! The jitter buffer and the voice receiver against networks that lose, delay, reorder and repeat, in virtual time. Every run is
//! the same: the disorder comes from a seeded generator.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use std::collections::BTreeSet;
use std::time::Duration;
use visavis_media::audio::{
    AudioFrame, FRAME_SAMPLES, Heard, JitterBuffer, JitterStatistics, OpusEncoder, Pull, Pushed, SAMPLE_RATE, SILENCE,
    VoiceReceiver,
};

/// xorshift64*: enough for disorder.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[derive(Clone, Copy, Default)]
struct Network {
    loss: f64,
    /// Evenly spread from 0.
    jitter_ms: f64,
    duplicates: f64,
    /// Nothing passes from the first to the second second; what was sent meanwhile comes at once.
    outage: Option<(f64, f64)>,
}

struct Arrival {
    at_us: u64,
    index: u64,
}

/// When which packet arrives. The base delay is 50 ms.
fn arrivals(network: Network, packets: u64, seed: u64) -> Vec<Arrival> {
    let mut dice = Dice(seed);
    let mut arrivals = Vec::new();
    for index in 0..packets {
        let sent = index as f64 * 0.020;
        let mut arrive = |dice: &mut Dice| {
            let mut at = sent + 0.050 + dice.roll() * network.jitter_ms / 1000.0;
            if let Some((from, to)) = network.outage
                && (from..to).contains(&at)
            {
                at = to;
            }
            arrivals.push(Arrival { at_us: (at * 1e6) as u64, index });
        };
        if dice.roll() >= network.loss {
            arrive(&mut dice);
        }
        if dice.roll() < network.duplicates {
            arrive(&mut dice);
        }
    }
    arrivals.sort_by_key(|arrival| arrival.at_us);
    arrivals
}

const FIRST_SEQUENCE: u16 = 65_500;
const FIRST_TIMESTAMP: u32 = u32::MAX - 20_000;

struct Run {
    pulls: Vec<Pull>,
    /// After each pull.
    statistics: Vec<JitterStatistics>,
}

impl Run {
    /// Sequence and timestamps wrap around early in every run.
    fn new(network: Network, packets: u64, seed: u64) -> Self {
        let mut buffer = JitterBuffer::new();
        let mut run = Run { pulls: Vec::new(), statistics: Vec::new() };
        let mut arriving = arrivals(network, packets, seed).into_iter().peekable();
        for pull in 0..packets {
            let now_us = pull * 20_000 + 57_000;
            while let Some(arrival) = arriving.next_if(|arrival| arrival.at_us <= now_us) {
                let sequence = FIRST_SEQUENCE.wrapping_add(arrival.index as u16);
                let timestamp = FIRST_TIMESTAMP.wrapping_add(arrival.index as u32 * 960);
                let payload = [b"voice".as_slice(), &arrival.index.to_be_bytes()].concat();
                buffer.push(sequence, timestamp, payload, Duration::from_micros(arrival.at_us));
            }
            run.pulls.push(buffer.pull(Duration::from_micros(now_us)));
            run.statistics.push(buffer.statistics());
        }
        run
    }

    fn last(&self) -> JitterStatistics {
        *self.statistics.last().unwrap()
    }

    /// Packets in the order in which they were played.
    fn played(&self) -> Vec<u64> {
        let index = |payload: &Vec<u8>| u64::from_be_bytes(payload[5..].try_into().unwrap());
        let mut played = Vec::new();
        for pull in &self.pulls {
            match pull {
                Pull::Payload(payload) => played.push(index(payload)),
                Pull::Merge { first, second } => played.extend([index(first), index(second)]),
                _ => {}
            }
        }
        played
    }

    /// Share of the frames that were made up, from `second` on.
    fn concealed_share(&self, second: usize) -> f64 {
        let pulls = &self.pulls[second * 50..];
        pulls.iter().filter(|pull| **pull == Pull::Conceal).count() as f64 / pulls.len() as f64
    }

    fn mean_delay_ms(&self, second: usize) -> f64 {
        let statistics = &self.statistics[second * 50..];
        statistics.iter().map(|statistics| statistics.delay.as_secs_f64() * 1000.0).sum::<f64>() / statistics.len() as f64
    }
}

#[test]
fn a_clean_network_loses_nothing_and_hardly_waits() {
    let run = Run::new(Network::default(), 3000, 1);
    assert_eq!(run.concealed_share(0), 0.0);
    assert!(run.mean_delay_ms(2) <= 46.0, "{} ms", run.mean_delay_ms(2));
    let played = run.played();
    assert!(played.len() > 2990);
    assert!(played.iter().enumerate().all(|(i, &index)| i as u64 == index), "in order, without a gap");
    assert!(run.pulls.iter().position(|pull| *pull != Pull::Silence) <= Some(3), "starts within 60 ms");
}

#[test]
fn the_delay_covers_jitter_and_no_more() {
    for (jitter_ms, most_concealed, most_delay) in [(20.0, 0.01, 60.0), (60.0, 0.03, 105.0), (120.0, 0.03, 170.0)] {
        for seed in 1..=5 {
            let run = Run::new(Network { jitter_ms, ..Network::default() }, 3000, seed);
            let (concealed, delay) = (run.concealed_share(5), run.mean_delay_ms(5));
            assert!(concealed <= most_concealed, "jitter {jitter_ms}, seed {seed}: {concealed} concealed");
            assert!(delay <= most_delay, "jitter {jitter_ms}, seed {seed}: {delay} ms");
        }
    }
}

#[test]
fn loss_is_made_good_and_does_not_cost_delay() {
    for seed in 1..=5 {
        let run = Run::new(Network { loss: 0.1, jitter_ms: 10.0, ..Network::default() }, 3000, seed);
        let last = run.last();
        let made_good = (last.recovered + last.concealed) as f64 / 3000.0;
        assert!((0.08..0.13).contains(&made_good), "seed {seed}: {made_good}");
        // Two in a row are lost once in ten times, and then the first of them has no copy.
        assert!(last.recovered > 4 * last.concealed, "seed {seed}: single losses are left to error correction: {last:?}");
        assert!(run.mean_delay_ms(5) < 70.0, "seed {seed}: {} ms", run.mean_delay_ms(5));
    }
}

#[test]
fn disorder_and_repetition_never_reach_the_ear() {
    for seed in 1..=5 {
        let network = Network { loss: 0.05, jitter_ms: 90.0, duplicates: 0.2, ..Network::default() };
        let run = Run::new(network, 3000, seed);
        let played = run.played();
        assert!(played.windows(2).all(|pair| pair[0] < pair[1]), "seed {seed}: each packet once and in order");
        let last = run.last();
        let extra = arrivals(network, 3000, seed).len()
            - arrivals(network, 3000, seed).iter().map(|a| a.index).collect::<BTreeSet<_>>().len();
        assert!((last.duplicates as f64 - extra as f64).abs() < 20.0, "seed {seed}: {} of {extra}", last.duplicates);
        assert!(played.len() > 2650, "seed {seed}: {} played", played.len());
    }
}

#[test]
fn after_an_interruption_the_delay_comes_down_again() {
    // Short: everything is played, late, and merged down to where it was.
    let short = Run::new(Network { outage: Some((10.0, 10.3)), ..Network::default() }, 3000, 1);
    assert_eq!(short.last().skipped, 0);
    assert_eq!(short.last().late, 0);
    let worst = short.statistics[520..].iter().map(|statistics| statistics.delay).max().unwrap();
    assert!(worst > Duration::from_millis(200), "{worst:?}");
    assert!(short.mean_delay_ms(25) < 50.0, "{} ms", short.mean_delay_ms(25));
    assert!(short.last().merged >= 10);
    // Long: what is stale is thrown away, and talk goes on at once.
    let long = Run::new(Network { outage: Some((10.0, 13.0)), ..Network::default() }, 3000, 1);
    assert!(long.last().skipped > 50, "{:?}", long.last());
    assert!(long.last().restarts >= 1);
    assert!(long.last().concealed < 40, "it does not make up three seconds: {:?}", long.last());
    let after = &long.statistics[(13.5 * 50.0) as usize..];
    assert!(after.iter().all(|statistics| statistics.delay < Duration::from_millis(400)));
    assert!(long.mean_delay_ms(30) < 60.0, "{} ms", long.mean_delay_ms(30));
}

#[test]
fn the_target_rises_with_jitter_and_falls_after_it() {
    let mut buffer = JitterBuffer::new();
    let mut dice = Dice(7);
    let mut arriving: Vec<Arrival> = Vec::new();
    for index in 0..4000u64 {
        let jitter = if (1000..2000).contains(&index) { 100_000.0 } else { 2_000.0 };
        arriving.push(Arrival { at_us: index * 20_000 + (dice.roll() * jitter) as u64, index });
    }
    arriving.sort_by_key(|arrival| arrival.at_us);
    let mut arriving = arriving.into_iter().peekable();
    let mut targets = Vec::new();
    for pull in 0..4000u64 {
        let now = Duration::from_micros(pull * 20_000 + 10_000);
        while let Some(arrival) = arriving.next_if(|arrival| Duration::from_micros(arrival.at_us) <= now) {
            buffer.push(arrival.index as u16, arrival.index as u32 * 960, vec![1; 40], Duration::from_micros(arrival.at_us));
        }
        buffer.pull(now);
        targets.push(buffer.statistics().target);
    }
    assert!(targets[990] <= Duration::from_millis(20));
    assert!(targets[1990] >= Duration::from_millis(80), "{:?}", targets[1990]);
    assert!(targets[3990] <= Duration::from_millis(25), "{:?}", targets[3990]);
    assert!(buffer.statistics().delay < Duration::from_millis(60));
}

#[test]
fn a_pause_is_silence_and_not_loss() {
    let mut buffer = JitterBuffer::new();
    let mut pulls = Vec::new();
    let mut sequence = 0;
    for tick in 0..500u32 {
        let now = Duration::from_millis(u64::from(tick) * 20 + 5);
        // One second of speech, the announcement of a pause, a second of nothing.
        let payload = match tick % 100 {
            0..50 => Some(vec![1; 50]),
            50 => Some(vec![8]),
            _ => None,
        };
        if let Some(payload) = payload {
            buffer.push(sequence, tick * 960, payload, now);
            sequence += 1;
        }
        pulls.push(buffer.pull(now + Duration::from_millis(3)));
    }
    let statistics = buffer.statistics();
    assert_eq!((statistics.concealed, statistics.recovered, statistics.late), (0, 0, 0));
    assert_eq!(statistics.restarts, 0);
    assert!(pulls.iter().filter(|pull| **pull == Pull::Silence).count() > 220);
    assert_eq!(statistics.played, 51 * 5);
}

#[test]
fn a_stream_that_begins_anew_is_followed() {
    let mut buffer = JitterBuffer::new();
    let mut last = Pull::Silence;
    for index in 0..200u32 {
        let now = Duration::from_millis(u64::from(index) * 20);
        let (sequence, timestamp) =
            if index < 100 { (index, index * 960) } else { (40_000 + index, 3_000_000_000 + index * 960) };
        assert_eq!(buffer.push(sequence as u16, timestamp, index.to_be_bytes().to_vec(), now), Pushed::Accepted);
        last = buffer.pull(now);
    }
    assert_eq!(buffer.statistics().restarts, 1);
    let Pull::Payload(payload) = last else { panic!("{last:?}") };
    assert!(u32::from_be_bytes(payload.try_into().unwrap()) > 190);
}

#[test]
fn what_is_no_packet_is_refused() {
    let mut buffer = JitterBuffer::new();
    assert_eq!(buffer.push(1, 0, Vec::new(), Duration::ZERO), Pushed::Rejected);
    assert_eq!(buffer.push(1, 0, vec![0; 2000], Duration::ZERO), Pushed::Rejected);
    assert_eq!(buffer.push(1, 0, vec![0; 20], Duration::ZERO), Pushed::Accepted);
    assert_eq!(buffer.push(1, 960, vec![0; 20], Duration::ZERO), Pushed::Duplicate);
    assert_eq!(buffer.push(2, 0, vec![0; 20], Duration::ZERO), Pushed::Duplicate);
    assert_eq!(buffer.statistics().rejected, 2);
}

#[test]
fn a_flood_that_nobody_pulls_is_bounded() {
    let mut buffer = JitterBuffer::new();
    for index in 0..60_000u32 {
        buffer.push(index as u16, index * 960, vec![0; 100], Duration::from_millis(u64::from(index)));
    }
    let played = std::iter::repeat_with(|| buffer.pull(Duration::from_secs(61))).take_while(|pull| *pull != Pull::Silence);
    assert!(played.count() < 150);
}

/// 50 frames a second of something like a voice.
fn voice(frame: usize) -> AudioFrame {
    std::array::from_fn(|i| {
        let time = (frame * FRAME_SAMPLES + i) as f64 / f64::from(SAMPLE_RATE);
        let tone: f64 = (1..=8).map(|n| (std::f64::consts::TAU * 150.0 * f64::from(n) * time).sin() / f64::from(n)).sum();
        (tone * 5000.0) as i16
    })
}

#[test]
fn a_voice_is_heard_through_a_bad_network() {
    let network = Network { loss: 0.1, jitter_ms: 40.0, duplicates: 0.05, outage: None };
    let mut encoder = OpusEncoder::new().unwrap();
    encoder.set_packet_loss_percent(10).unwrap();
    let packets: Vec<_> = (0..500).map(|frame| encoder.encode(&voice(frame)).unwrap().unwrap()).collect();
    let mut receiver = VoiceReceiver::new().unwrap();
    let mut arriving = arrivals(network, 500, 3).into_iter().peekable();
    let (mut energy, mut counts) = (0.0, [0u32; 4]);
    for pull in 0..500u64 {
        let now_us = pull * 20_000 + 57_000;
        while let Some(arrival) = arriving.next_if(|arrival| arrival.at_us <= now_us) {
            // One packet in fifty is damaged.
            let mut payload = packets[arrival.index as usize].clone();
            if arrival.index % 50 == 49 {
                payload[0] ^= 0b11;
            }
            receiver.push(arrival.index as u16, arrival.index as u32 * 960, payload, Duration::from_micros(arrival.at_us));
        }
        let mut frame = [i16::MIN; FRAME_SAMPLES];
        counts[receiver.pull(&mut frame, Duration::from_micros(now_us)) as usize] += 1;
        assert!(!frame.contains(&i16::MIN), "the whole frame is filled");
        if pull > 50 {
            energy += frame.iter().map(|&sample| f64::from(sample).powi(2)).sum::<f64>();
        }
    }
    let original: f64 = (51..500).map(|frame| voice(frame).iter().map(|&sample| f64::from(sample).powi(2)).sum::<f64>()).sum();
    let kept = energy / original;
    assert!((0.75..1.25).contains(&kept), "{kept} of the energy");
    assert!(counts[Heard::Voice as usize] > 400, "{counts:?}");
    assert!(counts[Heard::Recovered as usize] > 20, "{counts:?}");
    assert!(receiver.corrupt() > 0);
}

#[test]
fn before_the_first_packet_there_is_silence() {
    let mut receiver = VoiceReceiver::new().unwrap();
    let mut frame = [1; FRAME_SAMPLES];
    assert_eq!(receiver.pull(&mut frame, Duration::ZERO), Heard::Silence);
    assert_eq!(frame, SILENCE);
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
    let near = (0u16..60, 0u32..60, 0usize..8).prop_map(|(sequence, frame, length)| Event::Push {
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
    fn no_order_of_events_breaks_the_buffer(events in proptest::collection::vec(event(), 0..400)) {
        let mut buffer = JitterBuffer::new();
        let mut now = Duration::ZERO;
        let (mut accepted, mut played) = (0u64, 0u64);
        for event in events {
            match event {
                Event::Push { sequence, timestamp, length } => {
                    let pushed = buffer.push(sequence, timestamp, vec![7; length], now);
                    accepted += u64::from(pushed == Pushed::Accepted);
                }
                Event::Pull => match buffer.pull(now) {
                    Pull::Payload(payload) => {
                        prop_assert!(!payload.is_empty());
                        played += 1;
                    }
                    Pull::Merge { .. } => played += 2,
                    Pull::Fec { next } => prop_assert!(!next.is_empty()),
                    Pull::Conceal | Pull::Silence => {}
                },
                Event::Wait(ms) => now += Duration::from_millis(u64::from(ms)),
            }
        }
        let statistics = buffer.statistics();
        prop_assert_eq!(statistics.played, played);
        prop_assert!(played + statistics.skipped <= accepted);
        prop_assert_eq!(statistics.received, accepted + statistics.duplicates + statistics.late + statistics.rejected);
        prop_assert!(statistics.target >= Duration::from_millis(20) && statistics.target <= Duration::from_millis(320));
    }
}

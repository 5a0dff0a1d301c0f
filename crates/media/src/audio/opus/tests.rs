use super::*;
use crate::audio::SILENCE;
use proptest::prelude::*;
use std::f64::consts::TAU;

/// A vowel of sorts: 150 Hz with overtones, swelling like syllables.
fn voice(frames: usize) -> Vec<AudioFrame> {
    (0..frames)
        .map(|frame| {
            std::array::from_fn(|i| {
                let time = (frame * FRAME_SAMPLES + i) as f64 / f64::from(SAMPLE_RATE);
                let tone: f64 = (1..=8).map(|n| (TAU * 150.0 * f64::from(n) * time).sin() / f64::from(n)).sum();
                let swell = 0.6 + 0.4 * (TAU * 3.0 * time).sin();
                (tone * swell * 6000.0) as i16
            })
        })
        .collect()
}

fn energy(sound: &[i16]) -> f64 {
    sound.iter().map(|&sample| f64::from(sample).powi(2)).sum()
}

/// Decibels of `original` over its difference to `copy`, at the delay that fits best.
fn snr(original: &[i16], copy: &[i16]) -> f64 {
    (0..800)
        .map(|delay| {
            let pairs = original.iter().zip(&copy[delay..]);
            let noise: f64 = pairs.map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
            10.0 * (energy(original) / noise.max(1.0)).log10()
        })
        .fold(f64::MIN, f64::max)
}

#[test]
fn a_tone_survives_the_round_trip() {
    let mut encoder = OpusEncoder::new().unwrap();
    let mut decoder = OpusDecoder::new().unwrap();
    let mut tone = crate::audio::tone::Oscillator::new(440);
    let (mut original, mut decoded, mut bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..100 {
        let mut frame = SILENCE;
        tone.fill(&mut frame);
        original.extend_from_slice(&frame);
        let packet = encoder.encode(&frame).unwrap().expect("a tone is no pause");
        bytes += packet.len();
        decoder.decode(&packet, &mut frame).unwrap();
        decoded.extend_from_slice(&frame);
    }
    let part = 20 * FRAME_SAMPLES..80 * FRAME_SAMPLES;
    let ratio = snr(&original[part.clone()], &decoded[part.start..]);
    assert!(ratio > 15.0, "{ratio} dB");
    let strength = energy(&decoded[part.clone()]) / energy(&original[part]);
    assert!((0.8..1.25).contains(&strength), "{strength}");
    assert!((5_000..10_000).contains(&bytes), "two seconds at 32 kbit/s took {bytes} bytes");
}

#[test]
fn the_bitrate_follows() {
    let sound = voice(100);
    let size = |bits| {
        let mut encoder = OpusEncoder::new().unwrap();
        encoder.set_bitrate(bits).unwrap();
        sound.iter().filter_map(|frame| encoder.encode(frame).unwrap()).map(|packet| packet.len()).sum::<usize>()
    };
    let (low, high) = (size(12_000), size(64_000));
    assert!(low * 3 < high, "{low} and {high} bytes");
}

#[test]
fn a_pause_is_announced_once_and_then_costs_nearly_nothing() {
    let mut encoder = OpusEncoder::new().unwrap();
    let mut decoder = OpusDecoder::new().unwrap();
    for frame in &voice(25) {
        encoder.encode(frame).unwrap().expect("speech is sent");
    }
    let packets: Vec<_> = (0..200).map(|_| encoder.encode(&SILENCE).unwrap()).collect();
    let sent: Vec<_> = packets.iter().flatten().collect();
    assert!(sent.len() < 60, "{} of 200 frames of silence were sent", sent.len());
    let announced = packets.iter().position(|packet| packet.as_ref().is_some_and(|packet| packet.len() <= DTX_PACKET));
    let rest = announced.expect("a short packet announces the pause");
    assert_eq!(packets[rest + 1], None);
    let mut frame = SILENCE;
    for packet in sent {
        decoder.decode(packet, &mut frame).unwrap();
    }
}

#[test]
fn error_correction_recovers_better_than_concealment() {
    let sound = voice(150);
    let mut encoder = OpusEncoder::new().unwrap();
    encoder.set_packet_loss_percent(20).unwrap();
    let packets: Vec<_> = sound.iter().map(|frame| encoder.encode(frame).unwrap().expect("speech is sent")).collect();
    let lost = |i: usize| i > 20 && i % 5 == 3;
    let run = |fec: bool| {
        let mut decoder = OpusDecoder::new().unwrap();
        let mut output = Vec::new();
        for (i, packet) in packets.iter().enumerate() {
            let mut frame = SILENCE;
            match (lost(i), fec, packets.get(i + 1)) {
                (false, ..) => decoder.decode(packet, &mut frame).unwrap(),
                (true, true, Some(next)) => decoder.decode_fec(next, &mut frame).unwrap(),
                (true, ..) => decoder.conceal(&mut frame).unwrap(),
            }
            output.push(frame);
        }
        output
    };
    let reference = {
        let mut decoder = OpusDecoder::new().unwrap();
        let decode = |packet: &Vec<u8>| {
            let mut frame = SILENCE;
            decoder.decode(packet, &mut frame).unwrap();
            frame
        };
        packets.iter().map(decode).collect::<Vec<_>>()
    };
    // Compared with what a loss-free decoder makes, in the lost frames alone.
    let damage = |output: &[AudioFrame]| -> f64 {
        let frames = output.iter().zip(&reference).enumerate().filter(|&(i, _)| lost(i));
        frames.map(|(_, (a, b))| a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum::<f64>()).sum()
    };
    let (corrected, concealed) = (damage(&run(true)), damage(&run(false)));
    assert!(corrected < concealed * 0.7, "damage {corrected:.3e} with correction, {concealed:.3e} without");
}

#[test]
fn hostile_packets_are_refused_and_harm_nothing() {
    let mut decoder = OpusDecoder::new().unwrap();
    let mut frame = SILENCE;
    assert_eq!(decoder.decode(&[], &mut frame), Err(OpusError::Empty));
    assert_eq!(decoder.decode_fec(&[], &mut frame), Err(OpusError::Empty));
    assert_eq!(decoder.decode(&[0; 5000], &mut frame), Err(OpusError::TooLong(5000)));
    // SILK narrowband of 60 ms; CELT of 2.5 ms; code 3 with no frame count.
    assert_eq!(decoder.decode(&[3 << 3, 1, 2], &mut frame), Err(OpusError::Duration(2880)));
    assert_eq!(decoder.decode(&[16 << 3, 1, 2], &mut frame), Err(OpusError::Duration(120)));
    assert!(matches!(decoder.decode(&[0b11], &mut frame), Err(OpusError::Invalid(_))));
    let mut encoder = OpusEncoder::new().unwrap();
    let packet = encoder.encode(&voice(1)[0]).unwrap().unwrap();
    assert_eq!(decoder.decode(&packet, &mut frame), Ok(()));
}

proptest! {
    #[test]
    fn no_bytes_panic(packets in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..80), any::<bool>()), 1..20)) {
        let mut decoder = OpusDecoder::new().unwrap();
        let mut frame = SILENCE;
        for (packet, fec) in packets {
            let _ = if fec { decoder.decode_fec(&packet, &mut frame) } else { decoder.decode(&packet, &mut frame) };
            prop_assert_eq!(decoder.conceal(&mut frame), Ok(()));
        }
    }
}

//! CPU time of each step that a voice goes through, in milliseconds for a second of sound: `cargo bench -p visavis-media`.
//! CPU time and not wall time, so that a busy machine changes little; on systems without `/proc` it is wall time.
#![allow(clippy::unwrap_used, reason = "a bench may panic")]

use std::time::{Duration, Instant};
use visavis_media::audio::speech::Speech;
use visavis_media::audio::{AudioFrame, OpusEncoder, ProcessingOptions, Processor, SILENCE, VoiceReceiver};

const SECONDS: usize = 30;

/// Nanoseconds that this thread has run.
fn cpu(begun: Instant) -> u64 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ran = schedstat.as_deref().and_then(|text| text.split_whitespace().next()).and_then(|ns| ns.parse().ok());
    ran.unwrap_or_else(|| begun.elapsed().as_nanos() as u64)
}

fn measure(name: &str, mut frame: impl FnMut(usize)) {
    let begun = Instant::now();
    let before = cpu(begun);
    (0..SECONDS * 50).for_each(&mut frame);
    let milliseconds = (cpu(begun) - before) as f64 / 1e6 / SECONDS as f64;
    println!("{name:<44}{milliseconds:>8.2} ms/s");
}

fn process(name: &str, options: ProcessingOptions, far: &[AudioFrame], near: &[AudioFrame]) {
    let mut processor = Processor::new(options);
    measure(name, |i| processor.process(&far[i], &mut near[i].clone()));
}

fn receive(name: &str, packets: &[Option<Vec<u8>>], lost: impl Fn(usize) -> bool, late_ms: impl Fn(usize) -> u64) {
    let mut receiver = VoiceReceiver::new().unwrap();
    let mut waiting: Vec<(u64, usize)> =
        (0..packets.len()).filter(|&i| !lost(i)).map(|i| (i as u64 * 20 + late_ms(i), i)).collect();
    waiting.sort_unstable();
    let mut waiting = waiting.into_iter().peekable();
    let mut frame = SILENCE;
    measure(name, |pull| {
        let now = pull as u64 * 20 + 5;
        while let Some((at, i)) = waiting.next_if(|&(at, _)| at <= now) {
            if let Some(packet) = &packets[i] {
                receiver.push(i as u16, i as u32 * 960, packet.clone(), Duration::from_millis(at));
            }
        }
        receiver.pull(&mut frame, Duration::from_millis(now));
    });
}

fn main() {
    // What cargo passes (--bench) and filters are of no use here.
    let frames = |seed: u64| {
        let mut speech = Speech::new(seed);
        (0..SECONDS * 50).map(|_| speech.frame()).collect::<Vec<_>>()
    };
    let (near, far) = (frames(1), frames(2));
    let all = ProcessingOptions::default();
    process("echo, noise and gain", all, &far, &near);
    process("echo alone", ProcessingOptions { echo: true, ..ProcessingOptions::NOTHING }, &far, &near);
    process("noise alone", ProcessingOptions { noise: true, ..ProcessingOptions::NOTHING }, &far, &near);
    let mut packets = Vec::new();
    for complexity in [2, 9] {
        let mut encoder = OpusEncoder::new().unwrap();
        encoder.set_complexity(complexity).unwrap();
        packets.clear();
        measure(&format!("Opus encoder, complexity {complexity}"), |i| packets.push(encoder.encode(&near[i]).unwrap()));
    }
    receive("receiver, clean network", &packets, |_| false, |_| 0);
    receive("receiver, 10 % lost, 60 ms of jitter", &packets, |i| i % 10 == 3, |i| (i as u64 * 7919) % 60);
}

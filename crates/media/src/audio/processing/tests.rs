use super::*;
use crate::audio::speech::Speech;
use crate::audio::{FRAME_SAMPLES, SILENCE};

/// A seeded room: direct sound, a few early reflections, and an exponentially decaying tail.
struct Room {
    seed: u64,
    response: Vec<f32>,
    heard: Vec<f32>,
    clip: f32,
}

impl Room {
    /// `delay_ms` from speaker to microphone; 60 dB down after `decay_ms`; `gain_db` of the echo altogether.
    fn new(seed: u64, delay_ms: usize, decay_ms: f64, gain_db: f64) -> Self {
        let mut state = seed | 1;
        let mut noise = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 53) as f64 * 2.0 - 1.0
        };
        let rate = f64::from(SAMPLE_RATE);
        let length = (decay_ms / 1000.0 * rate) as usize;
        let mut tail: Vec<f64> = (0..length).map(|i| noise() * (-6.9 * i as f64 / length as f64).exp() * 0.15).collect();
        tail[0] = 1.0;
        for _ in 0..6 {
            let at = (noise().abs() * 0.02 * rate) as usize;
            tail[at.min(length - 1)] += 0.4 * noise();
        }
        let energy: f64 = tail.iter().map(|x| x * x).sum();
        let scale = 10f64.powf(gain_db / 20.0) / energy.sqrt();
        let mut response = vec![0.0f32; delay_ms * SAMPLE_RATE as usize / 1000];
        // Every second tap would do for a voice; every fourth keeps the test quick and the tail dense.
        response.extend(tail.iter().enumerate().map(|(i, x)| if i < 1200 || i % 4 == 0 { (x * scale) as f32 } else { 0.0 }));
        Self { seed, response, heard: Vec::new(), clip: f32::MAX }
    }

    /// The echo of 20 ms played.
    fn echo(&mut self, played: &AudioFrame) -> [f32; FRAME_SAMPLES] {
        let length = self.response.len();
        self.heard.resize(length + FRAME_SAMPLES, 0.0);
        self.heard.copy_within(FRAME_SAMPLES.., 0);
        let begin = self.heard.len() - FRAME_SAMPLES;
        for (place, &sample) in self.heard[begin..].iter_mut().zip(played) {
            *place = f32::from(sample).clamp(-self.clip, self.clip);
        }
        let mut echo = [0.0; FRAME_SAMPLES];
        for (tap, &weight) in self.response.iter().enumerate() {
            if weight != 0.0 {
                let from = begin - tap;
                for (sum, sample) in echo.iter_mut().zip(&self.heard[from..from + FRAME_SAMPLES]) {
                    *sum += weight * sample;
                }
            }
        }
        echo
    }
}

#[derive(Default)]
struct Result {
    /// Power of what the near end says, of its echo, and of what came out, frame by frame.
    near: Vec<f64>,
    echo: Vec<f64>,
    out: Vec<f64>,
    /// What would come out of the near end alone without echo cancellation: it goes through a high-pass filter all the same.
    filtered: Vec<f64>,
}

fn power(sound: impl IntoIterator<Item = f64>) -> f64 {
    sound.into_iter().map(|x| x * x).sum::<f64>() / FRAME_SAMPLES as f64
}

fn ratio_db(a: f64, b: f64) -> f64 {
    10.0 * (a.max(1e-3) / b.max(1e-3)).log10()
}

/// `talks(frame)`: whether the near end speaks.
fn run(mut room: Room, options: Options, frames: usize, talks: impl Fn(usize) -> bool) -> Result {
    let mut processor = Processor::new(options);
    let (mut far, mut near) = (Speech::new(room.seed), Speech::new(room.seed + 100));
    let mut filter = Processor::new(Options::NOTHING);
    let mut result = Result::default();
    let mut hiss = 1u32;
    for frame in 0..frames {
        let played = far.frame();
        let echo = room.echo(&played);
        let own = if talks(frame) { near.frame() } else { SILENCE };
        let mut heard: AudioFrame = std::array::from_fn(|i| {
            hiss = hiss.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // A microphone's own noise, about -75 dBFS.
            (echo[i] + f32::from(own[i]) + (hiss >> 16) as i16 as f32 / 5_000.0) as i16
        });
        processor.process(&played, &mut heard);
        result.near.push(power(own.iter().map(|&x| f64::from(x))));
        result.echo.push(power(echo.iter().map(|&x| f64::from(x))));
        result.out.push(power(heard.iter().map(|&x| f64::from(x))));
        let mut alone = own;
        filter.process(&SILENCE, &mut alone);
        result.filtered.push(power(alone.iter().map(|&x| f64::from(x))));
    }
    result
}

const ECHO: Options = Options { echo: true, noise: false, gain: false };

/// Echo reduction over the frames of `part` in which there is an echo.
fn erle(result: &Result, part: std::ops::Range<usize>) -> f64 {
    let (mut before, mut after) = (0.0, 0.0);
    for i in part {
        if result.echo[i] > 1e3 {
            before += result.echo[i];
            after += result.out[i];
        }
    }
    ratio_db(before, after)
}

#[test]
fn an_echo_is_taken_out() {
    for seed in 1..=2 {
        let result = run(Room::new(seed, 30, 180.0, -10.0), ECHO, 550, |_| false);
        let (early, late) = (erle(&result, 0..150), erle(&result, 300..550));
        println!("seed {seed}: {early:.1} dB in the first 3 s, {late:.1} dB after 6 s");
        assert!(late >= 30.0, "seed {seed}: {late} dB");
    }
}

#[test]
fn who_speaks_at_the_same_time_is_heard() {
    for seed in 1..=2 {
        let result = run(Room::new(seed, 30, 150.0, -10.0), ECHO, 750, |frame| frame >= 300);
        let spoken = || (300..750).filter(|&i| result.near[i] > 300.0 * 300.0);
        let sum = |powers: &[f64]| spoken().map(|i| powers[i]).sum::<f64>();
        let change = ratio_db(sum(&result.out), sum(&result.filtered));
        let altogether = ratio_db(sum(&result.out), sum(&result.near));
        println!("seed {seed}: the near end changes by {change:.2} dB, with the high-pass filter {altogether:.2} dB");
        assert!(change.abs() <= 2.0, "seed {seed}: {change} dB");
    }
}

/// Conditions that rooms and devices have, and no library takes out whole: printed, and held to what must not be lost.
#[test]
fn worse_rooms_are_better_than_nothing() {
    let mut clipping = Room::new(4, 30, 180.0, -6.0);
    clipping.clip = 6_000.0;
    let rooms = [
        ("100 ms late", Room::new(4, 100, 180.0, -10.0)),
        ("200 ms late", Room::new(4, 200, 180.0, -10.0)),
        ("a large room", Room::new(4, 30, 500.0, -10.0)),
        ("as loud as the voice", Room::new(4, 30, 180.0, 0.0)),
        ("a speaker that clips", clipping),
    ];
    for (name, room) in rooms {
        let result = run(room, ECHO, 550, |_| false);
        let late = erle(&result, 350..550);
        println!("{name}: {:.1} dB in the first 3 s, {late:.1} dB after 7 s", erle(&result, 0..150));
        assert!(late > 15.0, "{name}: {late} dB");
    }
}

struct Hiss(u32);

impl Hiss {
    /// About -60 dBFS.
    fn next(&mut self) -> i16 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 16) as i16 / 600
    }
}

#[test]
fn noise_is_lowered() {
    let mut processor = Processor::new(Options { noise: true, ..Options::NOTHING });
    let (mut hiss, mut before, mut after) = (Hiss(1), 0.0, 0.0);
    for frame in 0..400 {
        let mut heard: AudioFrame = std::array::from_fn(|_| hiss.next());
        let noise = power(heard.iter().map(|&x| f64::from(x)));
        processor.process(&SILENCE, &mut heard);
        if frame > 150 {
            before += noise;
            after += power(heard.iter().map(|&x| f64::from(x)));
        }
    }
    let lowered = ratio_db(before, after);
    println!("steady noise is lowered by {lowered:.1} dB");
    assert!(lowered > 8.0, "{lowered} dB");
}

#[test]
fn a_quiet_voice_is_raised_and_stands_out_from_noise() {
    let mut processor = Processor::new(Options::default());
    let (mut voice, mut hiss) = (Speech::new(5), Hiss(1));
    let (mut noise_in, mut noise_out, mut voice_in, mut voice_out) = (0.0, 0.0, 0.0, 0.0);
    for frame in 0..800 {
        let own = voice.frame();
        let mut heard: AudioFrame = std::array::from_fn(|i| own[i] / 6 + hiss.next());
        let before = power(heard.iter().map(|&x| f64::from(x)));
        let speaks = power(own.iter().map(|&x| f64::from(x))) > 1_000.0 * 1_000.0;
        let silent = own.iter().all(|x| x.abs() < 20);
        processor.process(&SILENCE, &mut heard);
        let after = power(heard.iter().map(|&x| f64::from(x)));
        if frame > 400 && speaks {
            voice_in += before;
            voice_out += after;
        } else if frame > 400 && silent {
            noise_in += before;
            noise_out += after;
        }
    }
    let (voice, noise) = (ratio_db(voice_out, voice_in), ratio_db(noise_out, noise_in));
    println!("the voice is raised by {voice:.1} dB, the noise in its pauses by {noise:.1} dB");
    assert!(voice > 6.0, "a voice at -36 dBFS is raised: {voice} dB");
    assert!(voice - noise > 4.0, "and stands out from the noise: {voice} and {noise} dB");
}

#[test]
fn what_is_played_goes_in_when_it_is_heard() {
    let start = Instant::now();
    let mut played = Played::default();
    let frame = |value: i16| [value; FRAME_SAMPLES];
    // Two frames at once, as devices ask for them; then one early and one late.
    played.push(&frame(1), start);
    played.push(&frame(2), start + Duration::from_millis(1));
    played.push(&frame(3), start + Duration::from_millis(40));
    let mut taken = Vec::new();
    for ms in (5..=65).step_by(10) {
        played.until(start + Duration::from_millis(ms), |piece| taken.push((ms, piece[0])));
    }
    assert_eq!(taken, [(5, 1), (15, 1), (25, 2), (35, 2), (45, 3), (55, 3)]);
    for _ in 0..100 {
        played.push(&frame(4), start);
    }
    assert!(played.pieces.len() <= FAR_WAITING);
}

struct Clumsy {
    frames: u32,
    falls_at: u32,
}

impl Process for Clumsy {
    fn far(&mut self, _piece: &[i16]) {}

    fn near(&mut self, piece: &mut [i16]) {
        piece.fill(7);
        self.frames += 1;
        assert!(self.frames != self.falls_at, "on purpose");
    }

    fn figures(&self) -> ProcessingStatistics {
        ProcessingStatistics::default()
    }
}

#[test]
fn a_panic_costs_a_frame_its_processing_and_nothing_else() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let mut made = 0;
    let make = move || {
        made += 1;
        // The first falls at its third piece, in the second frame.
        Clumsy { frames: 0, falls_at: if made == 1 { 3 } else { 0 } }
    };
    let processing = VoiceProcessing::start_with(make, move |frame| sender.send(frame[0]).unwrap()).unwrap();
    let mut heard = Vec::new();
    for _ in 0..4 {
        processing.near().push(&[1; FRAME_SAMPLES], Instant::now());
        heard.push(receiver.recv_timeout(Duration::from_secs(20)).unwrap());
    }
    assert_eq!(heard, [7, 1, 7, 7]);
    assert_eq!(processing.statistics().panics, 1);
    let started = Instant::now();
    drop(processing);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn the_real_one_runs_in_its_thread() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let processing = VoiceProcessing::start(Options::default(), move |frame| sender.send(*frame).unwrap()).unwrap();
    let mut speech = Speech::new(8);
    for _ in 0..5 {
        processing.far().push(&SILENCE, Instant::now());
        processing.near().push(&speech.frame(), Instant::now());
        receiver.recv_timeout(Duration::from_secs(20)).unwrap();
    }
    assert_eq!((processing.statistics().panics, processing.statistics().missed), (0, 0));
}

//! Pictures that no camera takes at that moment: frozen, played in a loop, a photo before the lens, a card with a letter, an
//! electronic shutter's picture, black. Drawn from seeds, clear and veiled.

use crate::scenes::light::{Picture, Random};
use crate::scenes::occluder::{Kind, Occluder};
use crate::scenes::person::{Moves, Person, light};
use crate::scenes::sensor::{I420, Sensor, Starved};
use crate::scenes::{RATE, VIEWS, halved, is_alarm, planes, time, veiled, watch};
use visavis_sight::detector::{CameraState, Detector};
use visavis_sight::stream::Received;

const SEEDS: [u64; 3] = [31, 32, 33];
const FROM: usize = 3 * RATE;
const END: usize = 10 * RATE;

/// Open until [`FROM`], then `instead`, which is given what the sensor shot so far. Alarm within so many seconds in each view, which
/// then holds.
fn is_told(name: &str, within: [f32; 2], mut instead: impl FnMut(u64, usize, &[I420], &mut Sensor) -> I420) {
    let mut wrong = Vec::new();
    for seed in SEEDS {
        let (person, mut sensor, mut shots) = (Person::new(seed), Sensor::new(seed), Vec::new());
        let said = watch(END, |at| {
            let shot = match at < FROM {
                true => sensor.shoot(&person.at(at as f32 / RATE as f32, Moves::Talks), 1.0),
                false => instead(seed, at, &shots, &mut sensor),
            };
            shots.push(shot.clone());
            shot
        });
        for (view, states) in said.evidence.iter().enumerate() {
            let early = states[RATE..FROM].iter().any(|&state| state != CameraState::Clear);
            let first = (FROM..END).find(|&at| is_alarm(states[at]));
            let held = first.is_some_and(|first| states[first..].iter().all(|&state| is_alarm(state)));
            let after = first.map(|first| (first - FROM) as f32 / RATE as f32);
            if early || !held || after.is_none_or(|after| after > within[view]) {
                wrong.push(format!("seed {seed}, {}: early {early}, after {after:?} s, held {held}", VIEWS[view]));
            }
        }
    }
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
}

/// A card: one colour, and a round or square sign in another.
fn card(seed: u64, dark: bool) -> Picture {
    let mut random = Random::new(seed);
    let ground = [0; 3].map(|_| if dark { random.between(0.0, 40.0) } else { random.between(20.0, 230.0) });
    let ink = ground.map(|value| if value > 128.0 { value - 110.0 } else { value + 90.0 });
    let (radius, round) = (random.between(0.1, 0.25), random.below(2) == 0);
    Picture::of(|x, y| {
        let (x, y) = (x.abs(), (y - 0.5).abs());
        let inside = if round { x * x + y * y < radius * radius } else { x < radius && y < 0.7 * radius };
        light(if inside { ink } else { ground })
    })
}

/// As a program draws it: no light falls, no sensor takes it.
fn drawn(picture: &Picture) -> I420 {
    use crate::scenes::light::SIZE;
    let mut samples = vec![128u8; crate::scenes::sensor::byte_count()];
    for (at, rgb) in picture.0.iter().enumerate() {
        let [r, g, b] = rgb.map(|value| value.powf(1.0 / 2.2) * 255.0);
        samples[at] = (16.0 + 0.257 * r + 0.504 * g + 0.098 * b).round() as u8;
        let place = SIZE.0 * SIZE.1 + at / SIZE.0 / 2 * (SIZE.0 / 2) + at % SIZE.0 / 2;
        samples[place] = (128.0 - 0.148 * r - 0.291 * g + 0.439 * b).round() as u8;
        samples[place + SIZE.0 * SIZE.1 / 4] = (128.0 + 0.439 * r - 0.368 * g - 0.071 * b).round() as u8;
    }
    samples
}

#[test]
fn a_frozen_picture_is_told() {
    is_told("frozen", [2.6, 4.0], |_, _, shots, _| shots[FROM - 1].clone());
}

#[test]
fn a_short_loop_is_told() {
    let period = |seed: u64| 12 + 7 * (seed as usize % 3);
    is_told("loop", [5.0, 5.0], |seed, at, shots, _| shots[at - period(seed)].clone());
}

/// Somebody who hardly moves, coded with few bits: clear pictures that were called frozen, from [`FROM`] on played in a loop or not.
fn listener(seed: u64, looped: bool) -> Vec<bool> {
    let (person, mut sensor, mut encoder) = (Person::new(seed), Sensor::new(seed), Starved::new(8.0));
    let (mut detector, mut shots) = (Detector::new(), Vec::new());
    let mut look = |at: usize| {
        let shot = match looped && at >= FROM {
            true => I420::clone(&shots[at - 2 * RATE]),
            false => sensor.shoot(&person.at(at as f32 / RATE as f32, Moves::Listens), 1.0),
        };
        shots.push(shot.clone());
        detector.picture(planes(&encoder.code(shot)), time(at));
        detector.evidence() == CameraState::Frozen
    };
    (0..END).map(&mut look).collect()
}

#[test]
fn a_loop_of_somebody_who_hardly_moves_is_told() {
    for seed in SEEDS {
        let frozen = listener(seed, true);
        let first = frozen.iter().position(|&frozen| frozen);
        assert!(first.is_some_and(|first| (FROM..FROM + 5 * RATE).contains(&first)), "seed {seed}: {first:?}");
        assert!(!listener(seed, false).contains(&true), "seed {seed}: open");
    }
}

#[test]
fn an_electronic_shutter_and_an_avatar_card_are_told_within_a_second() {
    is_told("electronic shutter", [1.0, 1.0], |seed, _, _, _| drawn(&card(seed, true)));
    is_told("avatar", [1.0, 1.0], |seed, _, _, _| drawn(&card(seed + 50, false)));
}

#[test]
fn a_black_picture_is_told_within_a_second() {
    is_told("black", [1.0, 1.0], |_, _, _, _| drawn(&Picture::plain([0.0; 3])));
}

/// Sent instead of a camera from the first picture on.
#[test]
fn a_still_photo_is_told_from_the_start() {
    for seed in SEEDS {
        let photo = Sensor::new(seed).shoot(&Person::new(seed).at(1.0, Moves::Talks), 1.0);
        let said = watch(6 * RATE, |_| photo.clone());
        for (view, states) in VIEWS.iter().zip(&said.evidence) {
            let told = states[4 * RATE..].iter().all(|&state| state == CameraState::Frozen);
            assert!(told, "seed {seed}, {view}: {:?}", states.last());
        }
    }
}

/// A camera whose pictures are veiled while they are called trouble, and until they have been clear for a while, as a gate does. What it was told
/// of each, in 24 s.
fn answered(mut shot: impl FnMut(usize) -> I420) -> Vec<CameraState> {
    let (mut detector, mut clear_since, mut is_veiled, mut said) = (Detector::new(), None, false, Vec::new());
    for at in 0..24 * RATE {
        let shown = if is_veiled { veiled(shot(at)) } else { shot(at) };
        detector.picture(planes(&shown), time(at));
        let state = detector.evidence();
        said.push(state);
        clear_since = if is_alarm(state) { None } else { clear_since.or(Some(at)) };
        is_veiled = clear_since.is_none_or(|since| is_veiled && at - since < 6 * RATE / 10);
    }
    said
}

/// Told once, and then throughout.
fn stands(name: &str, said: &[CameraState], until: usize) {
    let first = said.iter().position(|&state| state == CameraState::Frozen);
    assert!(first.is_some_and(|first| (FROM..FROM + 6 * RATE).contains(&first)), "{name}: {first:?}");
    let lifted = said[first.unwrap_or(0)..until].iter().position(|&state| state != CameraState::Frozen);
    assert_eq!(lifted, None, "{name}: looks after it was told at {first:?}");
    assert_eq!(said.last(), Some(&CameraState::Clear), "{name}: it moves again");
}

#[test]
fn a_loop_and_a_photo_stay_told_when_they_are_veiled_for_it() {
    let end = 16 * RATE;
    for seed in SEEDS {
        let (person, photo) = (Person::new(seed), Person::new(seed).at(3.0, Moves::Talks));
        let open = |at: usize, sensor: &mut Sensor| sensor.shoot(&person.at(at as f32 / RATE as f32, Moves::Talks), 1.0);
        let mut sensor = Sensor::new(seed);
        let said = answered(|at| if (FROM..end).contains(&at) { sensor.shoot(&photo, 1.0) } else { open(at, &mut sensor) });
        stands(&format!("photo {seed}"), &said, end);
        let (mut sensor, mut shots) = (Sensor::new(seed), Vec::new());
        let said = answered(|at| {
            let again = (FROM + 2 * RATE..end).contains(&at);
            let shot = if again { I420::clone(&shots[at - 2 * RATE]) } else { open(at, &mut sensor) };
            shots.push(shot.clone());
            shot
        });
        stands(&format!("loop {seed}"), &said, end);
    }
}

/// Before a camera, so that its noise moves. (Behind a mosaic it is not told, nor is one that is moved by hand.)
#[test]
fn a_photo_before_a_sensor_is_told_and_who_sits_there_is_none() {
    for seed in SEEDS {
        let (person, mut sensor) = (Person::new(seed), Sensor::new(seed));
        let photo = person.at(3.0, Moves::Talks);
        let said = watch(END, |at| match at < FROM {
            true => sensor.shoot(&person.at(at as f32 / RATE as f32, Moves::Talks), 1.0),
            false => sensor.shoot(&photo, 1.0),
        });
        let told = said.evidence[0][FROM..].iter().position(|&state| state == CameraState::Frozen);
        assert!(told.is_some_and(|told| (3 * RATE..5 * RATE).contains(&told)), "seed {seed}: {told:?}");
        let held = said.evidence[0][FROM + 5 * RATE..].iter().all(|&state| state == CameraState::Frozen);
        assert!(held, "seed {seed}: {:?}", said.evidence[0].last());
        let said = watch(2 * END, |at| sensor.shoot(&person.at(at as f32 / RATE as f32, Moves::Sits), 1.0));
        assert!(said.evidence[0][RATE..].iter().all(|&state| state == CameraState::Clear), "seed {seed} sits");
    }
}

/// Frozen from [`FROM`] on; each second a key frame makes the whole picture a level brighter or darker. Seconds until it is told.
fn frozen_behind_key_frames(told_of: bool, seed: u64) -> Option<f32> {
    let (person, mut sensor, mut detector) = (Person::new(seed), Sensor::new(seed), Detector::new());
    let mut last = Vec::new();
    for at in 0..END {
        if at < FROM {
            last = sensor.shoot(&person.at(at as f32 / RATE as f32, Moves::Talks), 1.0);
        }
        let key = at.is_multiple_of(RATE);
        let drawn: I420 = last.iter().map(|&sample| sample.saturating_add((at / RATE % 2) as u8)).collect();
        let bytes = if key {
            8000
        } else if at < FROM {
            1500
        } else {
            60
        };
        match told_of {
            true => detector.received(planes(&drawn), Received { bytes, key }, time(at)),
            false => detector.picture(planes(&drawn), time(at)),
        };
        if at >= FROM && is_alarm(detector.evidence()) {
            return Some((at - FROM) as f32 / RATE as f32);
        }
    }
    None
}

#[test]
fn what_the_receiver_knows_tells_a_standstill_behind_key_frames() {
    for seed in SEEDS {
        let (with, without) = (frozen_behind_key_frames(true, seed), frozen_behind_key_frames(false, seed));
        assert!(with.is_some_and(|seconds| seconds <= 1.7), "seed {seed}: {with:?}");
        assert!(without.is_none_or(|seconds| seconds > 3.0), "seed {seed}: it does not matter, {without:?}");
    }
}

/// A receiver is told of other sizes when the path becomes narrow: neither they nor few bytes make a cover of an open camera.
#[test]
fn sizes_and_bytes_that_fall_blame_nobody() {
    for seed in SEEDS {
        let (person, mut sensor, mut detector) = (Person::new(seed), Sensor::new(seed), Detector::new());
        for at in 0..END {
            let shot = sensor.shoot(&person.at(at as f32 / RATE as f32, Moves::Talks), 1.0);
            let small = at / (2 * RATE) % 2 == 1;
            let bytes = if small { 200 } else { 3000 };
            let received = Received { bytes, key: at.is_multiple_of(2 * RATE) };
            match small {
                true => detector.received(halved(&shot).planes(), received, time(at)),
                false => detector.received(planes(&shot), received, time(at)),
            };
            let state = detector.evidence();
            assert!(at < RATE || state == CameraState::Clear, "seed {seed}: {state:?} at picture {at}");
        }
    }
}

/// A picture without light in each round, too short to be taken for a cover, hides nothing.
#[test]
fn a_loop_with_a_dark_picture_in_it_is_told() {
    let period = |seed: u64| 14 + 7 * (seed as usize % 3);
    is_told("loop with a dark picture", [5.0, 5.0], |seed, at, shots, sensor| match at {
        FROM => sensor.shoot(&Picture::plain([0.0; 3]), 1.0),
        _ => shots[at - period(seed)].clone(),
    });
}

/// Each time the same, as a shutter is.
#[test]
fn a_cover_that_comes_and_goes_is_no_loop() {
    for kind in [Kind::Shutter, Kind::Finger] {
        for seed in SEEDS {
            let (person, mut sensor, mut random) = (Person::new(seed), Sensor::new(seed), Random::new(seed));
            let cover = Occluder::new(kind, 1.0, &mut random);
            let (mut until, mut is_covered) = (4 * RATE, false);
            let said = watch(40 * RATE, |at| {
                if at == until {
                    is_covered = !is_covered;
                    until += if is_covered { RATE } else { 3 * RATE / 2 + random.below(RATE) };
                }
                let mut scene = person.at(at as f32 / RATE as f32, Moves::Sits);
                cover.over(&mut scene, if is_covered { 1.0 } else { 0.0 }, 0.0);
                sensor.shoot(&scene, 1.0)
            });
            for (view, states) in said.evidence.iter().enumerate() {
                let told = states.iter().position(|&state| state == CameraState::Frozen);
                assert_eq!(told, None, "{kind:?}, seed {seed}, {}", VIEWS[view]);
            }
        }
    }
}

/// As a call shows it: whoever is told is veiled, with a key frame that the encoder refines for a second, and is clear again after 0.6 s
/// of a clear view.
#[test]
fn a_frozen_picture_stays_frozen_when_it_is_veiled_for_it() {
    for seed in SEEDS {
        let (person, mut sensor, mut detector) = (Person::new(seed), Sensor::new(seed), Detector::new());
        let mut noise = Random::new(seed);
        let (mut stands, mut veiled_at, mut clear_since, mut said) = (None::<I420>, None::<usize>, None, Vec::new());
        for at in 0..20 * RATE {
            let open = !(FROM..14 * RATE).contains(&at);
            let mut shot = match &stands {
                Some(stands) if !open => stands.clone(),
                _ => sensor.shoot(&person.at(at as f32 / RATE as f32, Moves::Talks), 1.0),
            };
            stands = Some(shot.clone());
            if let Some(since) = veiled_at {
                shot = veiled(shot);
                // What is left to refine moves single blocks by a level.
                let left = RATE.saturating_sub(at - since);
                for _ in 0..left {
                    let place = noise.below(18 * 32);
                    let (x, y) = (place % 32 * 10, place / 32 * 10);
                    shot[y * crate::scenes::light::SIZE.0 + x] ^= 1;
                }
            }
            detector.received(planes(&shot), Received { bytes: 900, key: veiled_at == Some(at) }, time(at));
            let state = detector.evidence();
            said.push(state);
            clear_since = if state == CameraState::Clear { clear_since.or(Some(at)) } else { None };
            match (veiled_at, clear_since) {
                (None, _) if is_alarm(state) => veiled_at = Some(at + 1),
                (Some(_), Some(since)) if at - since >= 6 * RATE / 10 => veiled_at = None,
                _ => {}
            }
        }
        let first = said.iter().position(|&state| state == CameraState::Frozen).unwrap_or(said.len());
        assert!(first < 6 * RATE, "seed {seed}: told after {first} looks");
        let lifted = said[first..14 * RATE].iter().position(|&state| state != CameraState::Frozen);
        assert_eq!(lifted, None, "seed {seed}: looks after it was told");
        assert_eq!(said.last(), Some(&CameraState::Clear), "seed {seed}: it moves again");
    }
}

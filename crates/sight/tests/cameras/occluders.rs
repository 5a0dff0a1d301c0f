//! Each thing that covers a lens, on persons and rooms drawn from seeds, clear and veiled; and what is no camera's picture.
//!
//! These scenes are drawn, so that the figures say nothing of real rooms (`fit/README.md` does); they hold what must not break.

use crate::scenes::light::{Picture, Random};
use crate::scenes::occluder::{KINDS, Kind, Occluder};
use crate::scenes::person::{Moves, Person};
use crate::scenes::sensor::Sensor;
use crate::scenes::{RATE, Said, VIEWS, is_alarm, slide, watch};
use visavis_sight::detector::CameraState;

const SEEDS: [u64; 3] = [11, 12, 13];
/// A cover slides in from here, in pictures, and leaves from there.
const FROM: usize = 3 * RATE;
const STEPS: usize = 4;
const UNTIL: usize = 6 * RATE;
const END: usize = 8 * RATE;

/// What one cover came to. Seconds; `None`: never.
#[derive(Debug)]
struct Outcome {
    delay: Option<f32>,
    /// Share of the time from the first alarm to the end of the cover.
    held: f32,
    release: Option<f32>,
    early: usize,
}

fn outcome(states: &[CameraState], (from, until): (usize, usize), steps: usize) -> Outcome {
    let seconds = |pictures: usize| pictures as f32 / RATE as f32;
    let place = from + steps - 1;
    let first = (from..until).find(|&at| is_alarm(states[at]));
    let held = first.map_or(0.0, |first| {
        let on = states[first..until].iter().filter(|&&state| is_alarm(state)).count();
        on as f32 / (until - first) as f32
    });
    Outcome {
        delay: first.map(|first| seconds(first.saturating_sub(place))),
        held,
        release: (until + steps..states.len()).find(|&at| !is_alarm(states[at])).map(|at| seconds(at - until - steps)),
        early: states[..from].iter().filter(|&&state| is_alarm(state)).count(),
    }
}

fn covered(kind: Kind, share: f32, seed: u64) -> Said {
    let (person, mut sensor) = (Person::new(seed), Sensor::new(seed));
    let occluder = Occluder::new(kind, share, &mut Random::new(seed ^ kind as u64));
    watch(END, |at| {
        let mut scene = person.at(at as f32 / RATE as f32, Moves::Talks);
        occluder.over(&mut scene, slide(at, FROM, UNTIL, STEPS), (at as f32 * 0.7).sin());
        sensor.shoot(&scene, 1.0)
    })
}

/// In both views, or in the clear one alone. Panics with everything that went wrong, not with the first.
fn all_alarm(name: &str, within: f32, clips: impl Iterator<Item = (String, Said, usize)>) {
    let mut wrong = Vec::new();
    for (clip, said, views) in clips {
        for (view, states) in VIEWS.iter().zip(&said.evidence).take(views) {
            let outcome = outcome(states, (FROM, UNTIL), STEPS);
            let right = outcome.delay.is_some_and(|delay| delay <= within)
                && outcome.held >= 0.99
                && outcome.release.is_some_and(|release| release <= 0.7)
                && outcome.early == 0;
            if !right {
                wrong.push(format!("{clip}, {view}: {outcome:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
}

#[test]
fn whatever_covers_a_lens_is_seen_within_a_second_held_and_released() {
    let named = |kind: Kind, seed: u64| (format!("{kind:?} seed {seed}"), covered(kind, 1.0, seed), VIEWS.len());
    all_alarm("covers", 1.0, KINDS.iter().flat_map(|&kind| SEEDS.map(|seed| named(kind, seed))));
}

/// Behind a mosaic half a cover over a plain wall leaves too little that is another; nine tenths are told there too.
#[test]
fn half_a_cover_is_seen_too() {
    let kinds = [Kind::Finger, Kind::Hand, Kind::Tape, Kind::Sticker, Kind::Cloth, Kind::Paper];
    let clips = kinds.iter().zip(SEEDS.iter().cycle()).flat_map(|(&kind, &seed)| {
        [0.5, 0.7, 0.9].map(|share| {
            let views = if share < 0.9 { 1 } else { VIEWS.len() };
            (format!("{kind:?} over {share}, seed {seed}"), covered(kind, share, seed), views)
        })
    });
    all_alarm("half covers", 1.0, clips);
}

fn palm(edge: f32, scene: &mut Picture) {
    let away = Picture::of(|x, y| [(x.powi(2) + (y - 0.5).powi(2)).sqrt(), 0.0, 0.0]);
    let palm = Picture::of(|x, y| [0.2, 0.11, 0.08].map(|value| value * (1.0 + 0.2 * x - 0.1 * y)));
    scene.mixed(&palm, |at| 1.0 / (1.0 + ((away.0[at][0] - edge) * 30.0).clamp(-30.0, 30.0).exp()));
}

/// A palm that comes nearer until it is before all of the picture; and whoever leans in to lay a finger on the lens.
#[test]
fn what_covers_a_picture_that_grows_is_told_too() {
    let mut wrong = Vec::new();
    for seed in SEEDS {
        let (person, finger) = (Person::new(seed), Occluder::new(Kind::Finger, 1.0, &mut Random::new(seed)));
        let (mut sensor, steps) = (Sensor::new(seed), RATE);
        let nearer = watch(END, |at| {
            let mut scene = person.at(at as f32 / RATE as f32, Moves::Talks);
            palm(1.3 * slide(at, FROM, UNTIL, steps) - 0.2, &mut scene);
            sensor.shoot(&scene, 1.0)
        });
        let mut sensor = Sensor::new(seed);
        let leaning = watch(END, |at| {
            let (near, face) = (slide(at, RATE, END + 2 * RATE, 2 * RATE), person.face_at());
            let mut scene = person.at(at as f32 / RATE as f32, Moves::Talks);
            scene = scene.seen(1.0 + 1.6 * near, (face.0 * near, face.1 * near));
            finger.over(&mut scene, slide(at, FROM, UNTIL, STEPS), 0.0);
            sensor.shoot(&scene, 1.0)
        });
        for (name, said, steps) in [("palm", nearer, steps), ("finger", leaning, STEPS)] {
            for (view, states) in VIEWS.iter().zip(&said.evidence) {
                // The palm begins to leave as long before as it took to come.
                let outcome = outcome(states, (FROM, UNTIL + STEPS - steps), steps);
                if outcome.delay.is_none_or(|delay| delay > 0.5) || outcome.held < 0.99 || outcome.early > 0 {
                    wrong.push(format!("{name} seed {seed}, {view}: {outcome:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What lies before a lens stands still, and is no photo for it.
#[test]
fn a_cover_that_stays_is_released_as_soon_as_one_that_goes() {
    let until = 10 * RATE;
    for (kind, seed) in KINDS.into_iter().zip(SEEDS.into_iter().cycle()) {
        let (person, mut sensor) = (Person::new(seed), Sensor::new(seed));
        let occluder = Occluder::new(kind, 1.0, &mut Random::new(seed ^ kind as u64));
        let said = watch(until + 3 * RATE, |at| {
            let mut scene = person.at(at as f32 / RATE as f32, Moves::Talks);
            occluder.over(&mut scene, slide(at, FROM, until, STEPS), 0.0);
            sensor.shoot(&scene, 1.0)
        });
        for (view, states) in VIEWS.iter().zip(&said.evidence) {
            let outcome = outcome(states, (FROM, until), STEPS);
            assert!(outcome.release.is_some_and(|release| release <= 0.3), "{kind:?}, {view}: {outcome:?}");
            assert!(!states.contains(&CameraState::Frozen), "{kind:?}, {view}");
        }
    }
}

#[test]
fn a_lens_that_is_covered_from_the_start_is_never_clear_until_it_is_free() {
    let mut wrong = Vec::new();
    for (&kind, &seed) in KINDS.iter().zip(SEEDS.iter().cycle()).filter(|(kind, _)| **kind != Kind::Smear) {
        let (person, mut sensor) = (Person::new(seed), Sensor::new(seed));
        let occluder = Occluder::new(kind, 1.0, &mut Random::new(seed ^ kind as u64));
        let said = watch(6 * RATE, |at| {
            let mut scene = person.at(at as f32 / RATE as f32, Moves::Talks);
            occluder.over(&mut scene, if at < 3 * RATE { 1.0 } else { 0.0 }, 0.0);
            sensor.shoot(&scene, 1.0)
        });
        for (view, states) in VIEWS.iter().zip(&said.evidence) {
            let clear = states[..3 * RATE].contains(&CameraState::Clear);
            let told = states[RATE..3 * RATE].iter().filter(|&&state| is_alarm(state)).count();
            // The sensor needs its time to find its exposure again.
            let free = states[5 * RATE..].iter().all(|&state| state == CameraState::Clear);
            if clear || told < 2 * RATE - 1 || !free {
                let after = &states[3 * RATE..];
                wrong.push(format!("{kind:?} seed {seed}, {view}: clear {clear}, told {told}, free {free}: {after:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

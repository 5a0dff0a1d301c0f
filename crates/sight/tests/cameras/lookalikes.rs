//! What may look like a cover and is none: an open camera is not blamed for a dark room, for what somebody does before it, for
//! its optics, its sensor or its network. Drawn from seeds, clear and veiled.

use crate::scenes::light::{Picture, Random, SIZE};
use crate::scenes::occluder::{Kind, Occluder};
use crate::scenes::person::{Moves, Person};
use crate::scenes::sensor::{Sensor, Starved};
use crate::scenes::{RATE, VIEWS, is_alarm, slide, watch};
use visavis_sight::detector::CameraState;

const SEEDS: [u64; 3] = [21, 22, 23];
const LENGTH: usize = 8 * RATE;

/// What goes on, at a picture: the scene, and the jump of exposure.
struct Clip {
    person: Person,
    random: Random,
    seed: u64,
}

impl Clip {
    fn at(&self, at: usize) -> Picture {
        self.person.at(at as f32 / RATE as f32, Moves::Talks)
    }
}

/// Pictures of the clip that were blamed on somebody, and those that were seen clear, in both views. The first second is let
/// pass for the sensor and the detector to settle.
fn judged(seed: u64, light: f32, mut scene: impl FnMut(&mut Clip, usize) -> (Picture, f32), coded: f32) -> [(usize, usize); 2] {
    let mut clip = Clip { person: Person::new(seed), random: Random::new(seed), seed };
    let (mut sensor, mut encoder) = (Sensor::new(seed), Starved::new(coded));
    let said = watch(LENGTH, |at| {
        let (picture, jump) = scene(&mut clip, at);
        let shot = sensor.shoot(&picture.scaled(light), jump);
        if coded > 0.0 { encoder.code(shot) } else { shot }
    });
    [0, 1].map(|view| {
        let states = &said.evidence[view][RATE..];
        let clear = states.iter().filter(|&&state| state == CameraState::Clear).count();
        (states.iter().filter(|&&state| is_alarm(state)).count(), clear)
    })
}

/// No blame in any picture, and clear for at least this share of the time.
fn are_no_covers(name: &str, clear: f32, mut judge: impl FnMut(u64) -> [(usize, usize); 2]) {
    let mut wrong = Vec::new();
    for seed in SEEDS {
        for (view, (blamed, seen)) in VIEWS.iter().zip(judge(seed)) {
            let share = seen as f32 / (LENGTH - RATE) as f32;
            if blamed > 0 || share < clear {
                wrong.push(format!("seed {seed}, {view}: {blamed} pictures blamed, clear for {share:.2}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
}

#[test]
fn people_who_talk_or_sit_still_are_clear() {
    are_no_covers("talking", 1.0, |seed| judged(seed, 1.0, |clip, at| (clip.at(at), 1.0), 0.0));
    are_no_covers("sitting", 1.0, |seed| {
        judged(seed, 1.0, |clip, at| (clip.person.at(at as f32 / RATE as f32, Moves::Sits), 1.0), 0.0)
    });
}

#[test]
fn a_dark_room_is_nobodys_fault() {
    are_no_covers("dark room", 0.0, |seed| judged(seed, 0.03, |clip, at| (clip.at(at), 1.0), 0.0));
}

#[test]
fn a_light_that_is_switched_off_is_nobodys_fault() {
    are_no_covers("lights off", 0.3, |seed| {
        judged(seed, 1.0, |clip, at| (clip.at(at).scaled(if (3 * RATE..5 * RATE).contains(&at) { 0.06 } else { 1.0 }), 1.0), 0.0)
    });
}

#[test]
fn a_window_behind_is_no_cover() {
    are_no_covers("backlight", 0.95, |seed| {
        judged(
            seed,
            1.0,
            |clip, at| {
                let glow = Picture::of(|x, y| [1.4 * (-((x - 0.3) / 0.35).powi(2) - ((y - 0.35) / 0.3).powi(2)).exp(); 3]);
                let mut scene = clip.at(at).scaled(0.5);
                for (rgb, glow) in scene.0.iter_mut().zip(&glow.0) {
                    (0..3).for_each(|of| rgb[of] += glow[of]);
                }
                (scene, 1.0)
            },
            0.0,
        )
    });
}

#[test]
fn a_hand_that_waves_is_no_cover() {
    are_no_covers("waving", 0.9, |seed| {
        judged(
            seed,
            1.0,
            |clip, at| {
                let mut scene = clip.at(at);
                let hand = Occluder::new(Kind::Hand, 0.4, &mut Random::new(clip.seed ^ 7));
                let swing = (at % 9) as f32;
                let part = if (3 * RATE..6 * RATE).contains(&at) { 1.0 - (swing - 4.0).abs() / 3.0 } else { 0.0 };
                hand.over(&mut scene, part, 0.0);
                (scene, 1.0)
            },
            0.0,
        )
    });
}

#[test]
fn something_that_is_held_up_is_no_cover() {
    are_no_covers("object", 0.95, |seed| {
        let thing = Person::new(seed + 100);
        judged(
            seed,
            1.0,
            |clip, at| {
                let mut scene = clip.at(at);
                let up = slide(at, 3 * RATE, 6 * RATE, 8);
                let page = &thing.at(0.0, Moves::Sits);
                let top = SIZE.1 as f32 * (1.0 - 0.75 * up);
                scene.mixed(page, |at| {
                    let (x, y) = ((at % SIZE.0) as f32, (at / SIZE.0) as f32);
                    f32::from(y > top && (0.25..0.85).contains(&(x / SIZE.0 as f32)))
                });
                (scene, 1.0)
            },
            0.0,
        )
    });
}

#[test]
fn somebody_who_leans_in_is_no_cover() {
    are_no_covers("leaning in", 0.95, |seed| {
        judged(seed, 1.0, |clip, at| (clip.at(at).seen(1.0 + 1.2 * slide(at, 3 * RATE, 6 * RATE, 10), (0.0, 0.0)), 1.0), 0.0)
    });
}

/// Until little but skin, out of focus, fills the picture, in two seconds, and goes back in as many.
#[test]
fn somebody_who_comes_close_is_no_cover() {
    are_no_covers("coming close", 0.95, |seed| {
        let at_face = Person::new(seed).face_at();
        judged(
            seed,
            1.0,
            |clip, at| {
                let near = slide(at, 2 * RATE, 6 * RATE, 2 * RATE);
                (clip.at(at).seen(1.0 + 3.2 * near, (at_face.0 * near, at_face.1 * near)).blurred(1.5 * near), 1.0)
            },
            0.0,
        )
    });
}

#[test]
fn a_background_that_is_blurred_by_software_is_no_cover() {
    are_no_covers("blurred background", 0.95, |seed| {
        judged(
            seed,
            1.0,
            |clip, at| {
                let scene = clip.at(at);
                let mut soft = scene.blurred(7.0);
                let mask = Picture::of(|x, y| [(1.6 - (x / 0.4).powi(2) - ((y - 0.6) / 0.55).powi(2)).clamp(0.0, 1.0); 3]);
                soft.mixed(&scene, |at| mask.0[at][0]);
                (soft, 1.0)
            },
            0.0,
        )
    });
}

#[test]
fn a_starved_network_is_no_cover() {
    are_no_covers("starved", 0.95, |seed| judged(seed, 1.0, |clip, at| (clip.at(at), 1.0), 30.0));
}

#[test]
fn exposure_that_jumps_is_no_cover() {
    are_no_covers("exposure", 0.95, |seed| {
        judged(seed, 1.0, |clip, at| (clip.at(at), if at >= 3 * RATE && at % 30 < 10 { 0.35 } else { 1.0 }), 0.0)
    });
    are_no_covers("exposure", 0.95, |seed| {
        judged(seed, 1.0, |clip, at| (clip.at(at), if at >= 3 * RATE && at % 30 < 10 { 3.0 } else { 1.0 }), 0.0)
    });
}

#[test]
fn light_that_flickers_is_no_cover() {
    are_no_covers("flicker", 0.95, |seed| {
        judged(
            seed,
            1.0,
            |clip, at| {
                let mut scene = clip.at(at);
                for (place, rgb) in scene.0.iter_mut().enumerate() {
                    let row = (place / SIZE.0) as f32 / SIZE.1 as f32;
                    let wave = 1.0 + 0.4 * (at as f32 * 2.3 + 4.0 * row).sin();
                    *rgb = rgb.map(|value| value * wave);
                }
                (scene, 1.0)
            },
            0.0,
        )
    });
}

#[test]
fn a_camera_that_looks_for_its_focus_is_no_cover() {
    are_no_covers("refocusing", 0.9, |seed| {
        judged(
            seed,
            1.0,
            |clip, at| {
                let hunts = at >= 3 * RATE && at % 45 < 12;
                let blur = if hunts { 4.0 * (1.0 - ((at % 45) as f32 - 6.0).abs() / 6.0) } else { 0.0 };
                (clip.at(at).blurred(blur), 1.0)
            },
            0.0,
        )
    });
}

#[test]
fn a_camera_that_shakes_is_no_cover() {
    are_no_covers("shaking", 0.95, |seed| {
        judged(
            seed,
            1.0,
            |clip, at| {
                let far = if (3 * RATE..6 * RATE).contains(&at) { 6.0 } else { 0.0 };
                let moved = (far * clip.random.normal(), far * clip.random.normal());
                (clip.at(at).seen(1.06, moved).blurred(far / 6.0), 1.0)
            },
            0.0,
        )
    });
}

//! Small scenes, drawn from a seed: a person before a room, what comes before the lens or goes on in the room, a sensor. The same
//! pictures go to one detector as they are and to another as the veil makes them.

pub mod light;
pub mod occluder;
pub mod person;
pub mod sensor;

use light::SIZE;
use sensor::I420;
use std::time::Duration;
use visavis_sight::detector::{CameraState, Detector};
use visavis_sight::planes::{Planes, PlanesMut};
use visavis_sight::veil::veil;

/// Pictures a second: as many as the detector looks at.
pub const RATE: usize = 15;
pub const VIEWS: [&str; 2] = ["clear", "veiled"];

/// What both detectors said of each picture, quick and calm.
#[derive(Default)]
pub struct Said {
    pub evidence: [Vec<CameraState>; 2],
    pub words: [Vec<CameraState>; 2],
}

pub fn time(at: usize) -> Duration {
    Duration::from_millis(at as u64 * 1000 / RATE as u64)
}

pub fn planes(samples: &[u8]) -> Planes<'_> {
    let (width, height) = SIZE;
    let (y, chroma) = samples.split_at(width * height);
    let (u, v) = chroma.split_at(width * height / 4);
    Planes::new(SIZE, (y, width), (u, width / 2), (v, width / 2)).unwrap()
}

pub fn veiled(mut samples: I420) -> I420 {
    let (width, height) = SIZE;
    let (y, chroma) = samples.split_at_mut(width * height);
    let (u, v) = chroma.split_at_mut(width * height / 4);
    veil(&mut PlanesMut::new(SIZE, (y, width), (u, width / 2), (v, width / 2)).unwrap());
    samples
}

/// Shows `count` pictures to both.
pub fn watch(count: usize, mut picture: impl FnMut(usize) -> I420) -> Said {
    let mut said = Said::default();
    let mut detectors = [Detector::new(), Detector::new()];
    for at in 0..count {
        let clear = picture(at);
        for (view, samples) in [clear.clone(), veiled(clear)].into_iter().enumerate() {
            let words = detectors[view].picture(planes(&samples), time(at));
            said.evidence[view].push(detectors[view].evidence());
            said.words[view].push(words);
        }
    }
    said
}

/// What somebody is warned of and veiled for. A dark room veils too, but is not blamed on anybody.
pub fn is_alarm(state: CameraState) -> bool {
    matches!(state, CameraState::Covered | CameraState::Partial | CameraState::Frozen)
}

/// How far something is in place, sliding in and out.
pub fn slide(at: usize, from: usize, until: usize, steps: usize) -> f32 {
    let (at, steps) = (at as f32, steps as f32);
    ((at - from as f32 + 1.0) / steps).min((until as f32 - at) / steps).clamp(0.0, 1.0)
}

/// A picture of another size.
pub struct Sized {
    size: (usize, usize),
    samples: Vec<u8>,
}

impl Sized {
    pub fn planes(&self) -> Planes<'_> {
        let (width, height) = self.size;
        let (y, chroma) = self.samples.split_at(width * height);
        let (u, v) = chroma.split_at(width * height / 4);
        Planes::new(self.size, (y, width), (u, width / 2), (v, width / 2)).unwrap()
    }
}

/// Half as wide and high, as a sender makes it when the path is narrow.
pub fn halved(samples: &[u8]) -> Sized {
    let mut small = Vec::with_capacity(samples.len() / 4);
    let (mut start, luma) = (0, SIZE.0 * SIZE.1);
    for (width, length) in [(SIZE.0, luma), (SIZE.0 / 2, luma / 4), (SIZE.0 / 2, luma / 4)] {
        let plane = &samples[start..start + length];
        for (y, x) in (0..length / width / 2 * 2).step_by(2).flat_map(|y| (0..width).step_by(2).map(move |x| (y, x))) {
            let four = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| u32::from(plane[(y + dy) * width + x + dx]));
            small.push((four.iter().sum::<u32>() / 4) as u8);
        }
        start += length;
    }
    Sized { size: (SIZE.0 / 2, SIZE.1 / 2), samples: small }
}

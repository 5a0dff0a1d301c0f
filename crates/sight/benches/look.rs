//! What the detector costs for each picture that it looks at: `cargo bench -p visavis-sight --bench look`.
//!
//! Short batches of looks over moving, noisy pictures; the quickest batch is what the machine needs when nothing else runs, the
//! median says how disturbed the run was. Wanted: 0.3 ms a picture at 15 a second (0.45 % of a core).

#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::hint::black_box;
use std::time::{Duration, Instant};
use visavis_sight::detector::Detector;
use visavis_sight::planes::{Planes, PlanesMut};
use visavis_sight::stream::Received;
use visavis_sight::veil::veil;

const SIZES: [(usize, usize); 3] = [(320, 180), (640, 360), (1280, 720)];
const BATCHES: usize = 150;
const LOOKS: usize = 5;
/// Different pictures, a multiple of a batch.
const PICTURES: usize = 15;

struct Pictures {
    size: (usize, usize),
    samples: Vec<Vec<u8>>,
}

impl Pictures {
    /// Hills that wander, under noise.
    fn new(size: (usize, usize)) -> Self {
        let (width, height) = size;
        let mut noise = 88_172_645_463_325_252u64;
        let mut random = || {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            noise
        };
        let samples = (0..PICTURES)
            .map(|at| {
                let mut samples: Vec<u8> = Vec::with_capacity(width * height * 3 / 2);
                for place in 0..width * height {
                    let (x, y) = (place % width * 320 / width, place / width * 180 / height);
                    let hill = ((x + 3 * at) / 16 * 37 + y / 12 * 23) % 110;
                    samples.push((60 + hill as u64 + random() % 7) as u8);
                }
                samples.extend((0..width * height / 2).map(|place| (100 + (place + at) / 40 % 40) as u8));
                samples
            })
            .collect();
        Self { size, samples }
    }

    fn veiled(mut self) -> Self {
        let (width, height) = self.size;
        for samples in &mut self.samples {
            let (y, chroma) = samples.split_at_mut(width * height);
            let (u, v) = chroma.split_at_mut(width * height / 4);
            if let Ok(mut planes) = PlanesMut::new(self.size, (y, width), (u, width / 2), (v, width / 2)) {
                veil(&mut planes);
            }
        }
        self
    }

    /// Milliseconds a look, of each batch, quickest first.
    fn measure(&self) -> Vec<f64> {
        let (width, height) = self.size;
        let (mut detector, mut now) = (Detector::new(), Duration::ZERO);
        let mut batches: Vec<f64> = (0..BATCHES)
            .map(|batch| {
                let begun = Instant::now();
                for samples in self.samples.iter().skip(batch * LOOKS % PICTURES).take(LOOKS) {
                    let (y, chroma) = samples.split_at(width * height);
                    let (u, v) = chroma.split_at(width * height / 4);
                    let planes = Planes::new(self.size, (y, width), (u, width / 2), (v, width / 2));
                    now += Duration::from_millis(66);
                    if let Ok(planes) = planes {
                        black_box(detector.received(planes, Received { bytes: 2000, key: false }, now));
                    }
                }
                begun.elapsed().as_secs_f64() * 1e3 / LOOKS as f64
            })
            .collect();
        batches.sort_by(f64::total_cmp);
        batches
    }
}

fn main() {
    for size in SIZES {
        for (view, pictures) in [("clear", Pictures::new(size)), ("veiled", Pictures::new(size).veiled())] {
            let batches = pictures.measure();
            println!("{}x{} {view}: {:.3} ms a picture, median {:.3}", size.0, size.1, batches[0], batches[BATCHES / 2]);
        }
    }
}

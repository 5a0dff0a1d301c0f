//! Cameras, pictures, and how they look to the other side. Pictures are real pixels, small, so that the gate's mosaic is really made
//! and seen; the verdict about the camera behind them is the truth, after as long as the detector takes.

use visavis_sight::detector::CameraState;
use visavis_sight::gate::{HOLD, UNVEIL_AFTER};
use visavis_sight::{Gate, PlanesMut, Released};
use visavis_wire::channel::Seen;

/// Columns that the mosaic leaves alone, and rows of which it puts two together.
const WIDTH: usize = 8;
const HEIGHT: usize = 36;
const CHROMA: usize = WIDTH / 2 * (HEIGHT / 2);
/// Rows of an open camera differ by this much.
const DETAIL: u8 = 40;
/// No picture for so long.
const SILENCE_MS: u64 = 1_000;
/// Of the detector's calm answer.
const CALM_MS: u64 = 400;

#[derive(Clone)]
pub struct Picture {
    y: [u8; WIDTH * HEIGHT],
    u: [u8; CHROMA],
    v: [u8; CHROMA],
    /// What the camera was like; the emulated detector's knowledge.
    lens: CameraState,
}

impl Picture {
    pub fn taken(lens: CameraState, number: u64) -> Self {
        let level = match lens {
            CameraState::Clear | CameraState::Frozen => 100 + if lens == CameraState::Clear { (number % 32) as u8 } else { 0 },
            _ => 18,
        };
        let mut y = [level; WIDTH * HEIGHT];
        if level > 18 {
            y.chunks_exact_mut(2 * WIDTH).for_each(|rows| rows[..WIDTH].fill(level + DETAIL));
        }
        Self { y, u: [128; CHROMA], v: [128; CHROMA], lens }
    }

    /// Rows within a block of the mosaic differ.
    pub fn is_clear(&self) -> bool {
        self.y.chunks_exact(2 * WIDTH).any(|rows| rows[..WIDTH].iter().zip(&rows[WIDTH..]).any(|(a, b)| a.abs_diff(*b) > 4))
    }

    pub fn lens(&self) -> CameraState {
        self.lens
    }

    fn planes(&mut self) -> PlanesMut<'_> {
        PlanesMut {
            width: WIDTH,
            height: HEIGHT,
            y: (&mut self.y, WIDTH),
            u: (&mut self.u, WIDTH / 2),
            v: (&mut self.v, WIDTH / 2),
        }
    }
}

/// The only way out.
pub fn release(gate: &mut Gate, picture: Picture, now: u64) -> Released<Picture> {
    gate.release(picture, std::time::Duration::from_millis(now), Picture::planes)
}

/// Looks at the pictures of one peer.
#[derive(Default)]
pub struct Eye {
    last_ms: Option<u64>,
    /// What the newest picture shows, and since when all show that.
    lens: CameraState,
    since_ms: u64,
    pub mosaic: bool,
    pub switched_off: bool,
}

impl Eye {
    pub fn new(now: u64) -> Self {
        Self { since_ms: now, mosaic: true, ..Self::default() }
    }

    pub fn picture(&mut self, picture: &Picture, now: u64) {
        if self.last_ms.is_none_or(|last| now > last + SILENCE_MS) || self.lens != picture.lens {
            (self.lens, self.since_ms) = (picture.lens, now);
        }
        self.last_ms = Some(now);
        self.mosaic = !picture.is_clear();
    }

    /// For the gate: without the calm of what is told.
    pub fn evidence(&self, now: u64) -> CameraState {
        match self.last_ms {
            _ if self.switched_off => CameraState::Off,
            Some(last) if now > last + SILENCE_MS => CameraState::NoSignal,
            // What hides a lens is told at once; that nothing does takes the detector a while.
            Some(_) if self.lens == CameraState::Clear && now < self.since_ms + evidence_ms() => CameraState::Unknown,
            Some(_) => self.lens,
            None => CameraState::Unknown,
        }
    }

    /// For the page.
    pub fn state(&self, now: u64) -> CameraState {
        let calm = self.last_ms.is_some() && now < self.since_ms + CALM_MS;
        if calm && !self.switched_off { CameraState::Unknown } else { self.evidence(now) }
    }
}

fn evidence_ms() -> u64 {
    (UNVEIL_AFTER - HOLD).as_millis() as u64
}

pub fn seen(state: CameraState) -> Seen {
    match state {
        CameraState::Unknown => Seen::Unknown,
        CameraState::Clear => Seen::Clear,
        CameraState::Dark => Seen::Dark,
        CameraState::Covered => Seen::Covered,
        CameraState::Frozen => Seen::Frozen,
        CameraState::Off => Seen::Off,
        CameraState::NoSignal => Seen::NoSignal,
        CameraState::Partial => Seen::Partial,
        CameraState::NobodyInView => Seen::NobodyInView,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_that_knows_nothing_leaves_a_mosaic() {
        let picture = Picture::taken(CameraState::Clear, 7);
        assert!(picture.is_clear());
        assert!(!release(&mut Gate::new(), picture, 1).picture().is_clear());
        assert!(!Picture::taken(CameraState::Covered, 7).is_clear());
    }
}

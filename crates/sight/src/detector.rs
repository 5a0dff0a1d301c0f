//! Camera state from decoded pictures: what [`crate::features`] measures, weighed by `cover` and `still`, and held against the
//! clock by `hysteresis`.
//!
//! Works on clear and on veiled pictures alike. Two answers are given: [`Detector::evidence`] is quick and feeds the gate,
//! [`Detector::state`] is calmer and chooses the words shown to people.
//!
//! A recording that is played in a loop is called frozen. Of views without a person only the bare one (a ceiling, a wall) is told.

use crate::cover;
use crate::features::{Eye, Measures};
use crate::hysteresis::Belief;
use crate::photo::Photo;
use crate::planes::Planes;
use crate::repeats::Repeats;
use crate::still::{Still, Stillness};
use crate::stream::{Arrival, Received, Stream};
use std::time::Duration;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CameraState {
    /// Not enough pictures yet.
    #[default]
    Unknown,
    Clear,
    /// Too dark to see, but something that stays in place is behind the noise.
    Dark,
    Covered,
    /// Pictures arrive and are all the same, or the same few again and again.
    Frozen,
    /// Switched off by its owner, who said so.
    Off,
    /// No picture for [`SILENCE`].
    NoSignal,
    /// Something before the lens leaves only a part of the picture free.
    Partial,
    /// An open camera, and nobody to be seen in its picture.
    NobodyInView,
}

/// Looks are at least this far apart: 15 a second of a 30 per second stream, whose pictures are 33 ms apart.
const BETWEEN_LOOKS: Duration = Duration::from_millis(60);

/// No picture for so long is no signal.
pub const SILENCE: Duration = Duration::from_secs(1);

/// How long the strongest evidence takes to be believed; see [`Belief`]. The gate holds before it unveils, words do not.
const EVIDENCE: Duration = Duration::from_millis(190);
pub(crate) const EVIDENCE_OF_CLEAR: Duration = EVIDENCE;
const STATE: Duration = Duration::from_millis(330);
const STATE_OF_CLEAR: Duration = Duration::from_millis(600);

/// Evidence of pictures that no camera took, once they are known to be.
const CERTAIN: f32 = 4.0;
/// Share of blocks without inner variation from which a picture is taken for a mosaic.
const MOSAIC: f32 = 0.9;
/// Logit of a whole cover from which a part is called the whole.
const NEARLY_WHOLE: f32 = -1.0;

/// Something is too dark to see, rather than covered, when it is darker than this, when its fine detail survives averaging,
/// when there is not much of it (a finger that leaves a gap has a bright edge), and when there is noise at all (the picture that
/// an electronic shutter shows instead has none). Covered lenses of the set: correlation 0.3 at most (0.6 at a bright hand);
/// rooms after the light went off: 0.85 and more.
const DARK_MEAN: f32 = 45.0;
/// The same of what was too dark a moment ago: a camera's exposure goes on rising in a dark room.
const DARK_YET_MEAN: f32 = 65.0;
const DARK_KEPT: f32 = 0.7;
const DARK_DETAIL: f32 = 12.0;
const DARK_CHANGE: f32 = 0.05;
/// Under a mosaic the steps of a smooth gradient look like detail and noise may be rounded away, so that only the darkest
/// pictures are called dark: a finger lets more light through.
const DARK_MEAN_VEILED: f32 = 12.0;

/// A bare view (a ceiling, a wall) has as little in it as a cover, but is in focus: its finest detail is strong and stays in
/// place, while blocks hardly differ, and it has a sensor's noise, which a drawn picture has not. Seen inside the blocks of the
/// veil, so that the edges of a mosaic's blocks are no detail, and in each half of the picture, so that what a cover leaves free at
/// one side is no view. Ceilings of the set: 4.5 and more; covers with so small steps: 2.9 at most.
const IN_FOCUS: f32 = 3.0;
const BARE_KEPT: f32 = 0.8;
const BARE_STEP: f32 = 1.5;
const BARE_CHANGE: f32 = 0.05;

/// Whether what looks covered is an open camera that sees a bare surface. A mosaic does not tell.
fn is_bare(measures: &Measures) -> bool {
    let in_focus = measures.least_inside > IN_FOCUS && measures.kept > BARE_KEPT;
    in_focus && measures.step < BARE_STEP && measures.change > BARE_CHANGE
}

/// Whether what looks covered is a room without light. `was`: whether it has been called one until now.
fn is_dark(measures: &Measures, mosaic: bool, was: bool) -> bool {
    let structure = measures.kept > DARK_KEPT && measures.detail < DARK_DETAIL;
    let light = match mosaic {
        true => measures.mean < DARK_MEAN_VEILED,
        false => measures.mean < if was { DARK_YET_MEAN } else { DARK_MEAN } && measures.change > DARK_CHANGE,
    };
    structure && light
}

/// Judges one camera. Fed with its decoded pictures, and with time when there are none.
#[derive(Debug)]
pub struct Detector {
    eye: Eye,
    off: bool,
    /// Start of the wait for a picture: the last picture, or the first call.
    heard: Option<Duration>,
    looked: Option<Duration>,
    still: Stillness,
    repeats: Repeats,
    photo: Photo,
    stream: Stream,
    mosaic: bool,
    veiled: bool,
    evidence: Belief,
    state: Belief,
}

impl Default for Detector {
    fn default() -> Self {
        Self {
            eye: Eye::default(),
            off: false,
            heard: None,
            looked: None,
            still: Stillness::default(),
            repeats: Repeats::default(),
            photo: Photo::default(),
            stream: Stream::default(),
            mosaic: false,
            veiled: false,
            evidence: Belief::new(EVIDENCE, EVIDENCE_OF_CLEAR),
            state: Belief::new(STATE, STATE_OF_CLEAR),
        }
    }
}

impl Detector {
    pub fn new() -> Self {
        Self::default()
    }

    /// Feeds one decoded picture; cheap to call at any rate (looks at 15 pictures a second at most). Returns [`Self::state`].
    /// A picture whose buffers do not fit its size is ignored and counts as none.
    pub fn picture(&mut self, picture: Planes<'_>, now: Duration) -> CameraState {
        self.see(&picture, None, now)
    }

    /// The same of a picture that came over the network, with what its receiver knows of it.
    pub fn received(&mut self, picture: Planes<'_>, received: Received, now: Duration) -> CameraState {
        self.see(&picture, Some(received), now)
    }

    fn see(&mut self, picture: &Planes<'_>, received: Option<Received>, now: Duration) -> CameraState {
        if !picture.is_sound() {
            return self.tick(now);
        }
        self.heard = Some(now);
        self.stream.came(picture, received);
        if self.off || self.looked.is_some_and(|last| now.saturating_sub(last) < BETWEEN_LOOKS) {
            return self.state();
        }
        if self.evidence.shown() == CameraState::NoSignal {
            self.start_anew();
        }
        let measures = self.eye.look(picture);
        let arrival = self.stream.look();
        let (logit, trouble) = self.judge(&measures, arrival, now);
        let passed = now.saturating_sub(self.looked.unwrap_or(now));
        self.looked = Some(now);
        if self.eye.is_settled() {
            self.evidence.feed(logit, trouble, passed, now);
            // Only what is believed: a dark picture now and then must not hide a loop. What lies before a lens stands still too.
            if matches!(self.evidence.shown(), CameraState::Covered | CameraState::Dark) {
                self.repeats.forget();
                self.photo = Photo::default();
            }
            self.state.feed(logit, trouble, passed, now);
        }
        self.state()
    }

    /// The owner says that the camera is switched off (or on again). Never makes anything Clear by itself: after "on" the
    /// pictures must show it.
    pub fn switched_off(&mut self, off: bool, now: Duration) {
        if off == self.off {
            return;
        }
        self.off = off;
        self.heard = Some(now);
        self.start_anew();
        if off {
            self.evidence.set(CameraState::Off);
            self.state.set(CameraState::Off);
        }
    }

    /// To be called about every 100 ms so that silence becomes `NoSignal`. Returns [`Self::state`].
    pub fn tick(&mut self, now: Duration) -> CameraState {
        let heard = *self.heard.get_or_insert(now);
        if !self.off && now.saturating_sub(heard) >= SILENCE {
            self.evidence.set(CameraState::NoSignal);
            self.state.set(CameraState::NoSignal);
        }
        self.state()
    }

    /// The calm answer, for words and warnings.
    pub fn state(&self) -> CameraState {
        self.state.shown()
    }

    /// The quick answer, for the gate, which has a hold of its own before it unveils.
    pub fn evidence(&self) -> CameraState {
        self.evidence.shown()
    }

    /// Whether the last picture looked like a mosaic. For words on the screen; nothing is decided by it.
    pub fn looks_veiled(&self) -> bool {
        self.veiled
    }

    fn start_anew(&mut self) {
        (self.eye, self.looked) = (Eye::default(), None);
        (self.still, self.repeats, self.photo) = (Stillness::default(), Repeats::default(), Photo::default());
        self.stream = Stream::default();
        self.evidence.set(CameraState::Unknown);
        self.state.set(CameraState::Unknown);
    }

    /// Logit of trouble, and what it would be called.
    fn judge(&mut self, measures: &Measures, arrival: Arrival, now: Duration) -> (f32, CameraState) {
        self.mosaic = measures.inside_flat >= MOSAIC;
        self.veiled = self.mosaic && measures.sharpest_inside < IN_FOCUS;
        let (whole, part) = (cover::whole(measures, self.mosaic), cover::part(measures, self.mosaic));
        let repeats = self.repeats.look(self.eye.newest(), self.mosaic, now);
        let photo = self.photo.look(self.eye.newest_fine(), self.mosaic, now);
        match self.still.look(measures, self.mosaic, arrival, now) {
            Still::Frozen => return (CERTAIN, CameraState::Frozen),
            Still::Drawn => return (CERTAIN, CameraState::Covered),
            Still::Moves if repeats => return (CERTAIN, CameraState::Frozen),
            Still::Moves => {}
        }
        let was_dark = self.evidence.shown() == CameraState::Dark;
        let trouble = match whole > NEARLY_WHOLE {
            true if is_bare(measures) => CameraState::NobodyInView,
            true if is_dark(measures, self.mosaic, was_dark) => CameraState::Dark,
            true => CameraState::Covered,
            false => CameraState::Partial,
        };
        match whole.max(part) {
            // A bare view and a dark room stand still too, and are told for what they are.
            logit if photo && logit < 0.0 => (CERTAIN, CameraState::Frozen),
            logit => (logit, trouble),
        }
    }
}

#[cfg(test)]
#[path = "detector_tests.rs"]
mod tests;

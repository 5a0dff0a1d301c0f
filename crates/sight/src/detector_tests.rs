//! Drawn cameras: a talking face, a moving pattern, a finger before the lens, a room without light, a picture that stands still;
//! each clear and veiled, each with a frame number running in the top eighteenth.

use super::*;
use crate::planes::PlanesMut;
use crate::veil::veil;
use CameraState::{Clear, Covered, Dark, Frozen, NoSignal, NobodyInView, Off, Unknown};
use proptest::prelude::*;

const SIZE: (usize, usize) = (192, 108);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Scene {
    Face,
    /// As an infrared camera sees a face before shelves.
    GreyRoom,
    Pattern,
    Finger,
    DarkFace,
    /// A ceiling, in focus: one colour and a thin, dark crack, so that most blocks have nothing in them.
    Ceiling,
    /// The picture of that number, again and again.
    Still(usize),
    Black,
}

struct Camera {
    size: (usize, usize),
    noise: u64,
    /// Normal values of deviation 1, read from a random place for each row.
    grain: Vec<f32>,
    at: usize,
    veiled: bool,
    detector: Detector,
}

impl Camera {
    fn new(veiled: bool) -> Self {
        let mut camera =
            Self { size: SIZE, noise: 88_172_645_463_325_252, grain: vec![], at: 0, veiled, detector: Detector::new() };
        let normal = |random: u64| (0..6).map(|part| random >> (10 * part) & 1023).sum::<u64>() as f32 / 723.0 - 4.245;
        camera.grain = (0..1 << 13).map(|_| normal(camera.random())).collect();
        camera
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.at as u64 * 1000 / 30)
    }

    fn random(&mut self) -> u64 {
        self.noise ^= self.noise << 13;
        self.noise ^= self.noise >> 7;
        self.noise ^= self.noise << 17;
        self.noise
    }

    fn picture(&mut self, scene: Scene) -> Vec<u8> {
        let (width, height) = self.size;
        let seed = self.noise;
        if let Scene::Still(at) = scene {
            self.noise = at as u64 * 2 + 1;
        }
        let mut bytes = Vec::with_capacity(width * height * 3 / 2);
        let number = self.at;
        for (plane, step) in [(0, 1), (1, 2), (2, 2)] {
            for row in (0..height).step_by(step) {
                let start = self.random() as usize % (self.grain.len() - width);
                for column in (0..width).step_by(step) {
                    if row < height / 18 {
                        let cell = if number >> (column * 16 / width) & 1 == 1 { 200 } else { 40 };
                        bytes.push(if plane == 0 { cell } else { 128 });
                        continue;
                    }
                    let (x, y) = (column as f32 / width as f32, row as f32 / height as f32);
                    let value = scene.value(x, y, self.at as f32)[plane];
                    let grain = if scene == Scene::Black { 0.0 } else { 2.0 * self.grain[start + column] };
                    bytes.push((value + grain).clamp(16.0, 240.0) as u8);
                }
            }
        }
        if let Scene::Still(_) = scene {
            self.noise = seed;
        }
        bytes
    }

    /// Shows one picture, a thirtieth of a second after the last.
    fn show(&mut self, scene: Scene) {
        let mut bytes = self.picture(scene);
        let (width, height) = self.size;
        let (y, chroma) = bytes.split_at_mut(width * height);
        let (u, v) = chroma.split_at_mut(width * height / 4);
        if self.veiled {
            veil(&mut PlanesMut::new(self.size, (y, width), (u, width / 2), (v, width / 2)).unwrap());
        }
        let planes = Planes::new(self.size, (y, width), (u, width / 2), (v, width / 2)).unwrap();
        let now = self.now();
        assert_eq!(self.detector.picture(planes, now), self.detector.state());
        self.at += 1;
    }

    /// Shows a scene until both answers are `expected`; after how many milliseconds each was reached.
    fn until(&mut self, scene: Scene, expected: CameraState) -> (u64, u64) {
        let start = self.at;
        let (mut evidence, mut state) = (None, None);
        while evidence.is_none() || state.is_none() {
            self.show(scene);
            let waited = (self.at - start) as u64 * 1000 / 30;
            assert!(
                waited < 6000,
                "{scene:?} (veiled: {}) is {:?}, {:?}",
                self.veiled,
                self.detector.evidence(),
                self.detector.state()
            );
            evidence = evidence.or((self.detector.evidence() == expected).then_some(waited));
            state = state.or((self.detector.state() == expected).then_some(waited));
        }
        (evidence.unwrap(), state.unwrap())
    }

    fn stays(&mut self, scene: Scene, pictures: usize, expected: CameraState) {
        for _ in 0..pictures {
            self.show(scene);
            assert_eq!(self.detector.evidence(), expected, "{scene:?} at {:?} (veiled: {})", self.now(), self.veiled);
            assert_eq!(self.detector.state(), expected, "{scene:?} at {:?} (veiled: {})", self.now(), self.veiled);
        }
    }
}

impl Scene {
    /// Y, U, V at a place (0 to 1) and a time (pictures).
    fn value(self, x: f32, y: f32, at: f32) -> [f32; 3] {
        match self {
            Self::Face => face(x, y, at),
            Self::GreyRoom => {
                let shelf = if (x * 9.0).fract() < 0.5 && (y * 5.0).fract() < 0.8 { -45.0 } else { 10.0 };
                let luma = face(x, y, at)[0];
                [if luma >= 120.0 && luma != 165.0 { luma + shelf } else { luma }, 128.0, 128.0]
            }
            Self::Still(at) => face(x, y, at as f32),
            Self::Ceiling => {
                let crack = (x - 0.3 - 0.4 * y).abs() < 0.004;
                [if crack { 60.0 } else { 120.0 }, 127.0, 129.0]
            }
            Self::DarkFace => {
                let [luma, u, v] = face(x, y, at);
                [17.0 + luma * 12.0 / 256.0, 128.0 + (u - 128.0) / 12.0, 128.0 + (v - 128.0) / 12.0]
            }
            Self::Pattern => {
                let wave = |k: f32| (x * 17.0 + at * 0.1 + k).sin() * (y * 13.0 + k * 2.0).cos();
                [125.0 + 90.0 * wave(0.0), 128.0 + 40.0 * wave(1.0), 128.0 + 40.0 * wave(2.0)]
            }
            Self::Finger => {
                let glow = 1.0 - ((x - 0.4).powi(2) + (y - 0.4).powi(2)) * 1.3;
                [32.0 + 26.0 * glow, 110.0 - 4.0 * glow, 152.0 + 8.0 * glow]
            }
            Self::Black => [16.0, 128.0, 128.0],
        }
    }
}

fn face(x: f32, y: f32, at: f32) -> [f32; 3] {
    let (x, y) = ((x - 0.5) * 16.0 / 9.0 + 0.04 * (at * 0.05).sin(), y - 0.5 + 0.02 * (at * 0.07).cos());
    let within = |cx: f32, cy: f32, rx: f32, ry: f32| ((x - cx) / rx).powi(2) + ((y - cy) / ry).powi(2) < 1.0;
    let mouth = 0.01 + 0.04 * (at * 0.3).sin().abs();
    if within(-0.09, -0.06, 0.035, 0.02) || within(0.09, -0.06, 0.035, 0.02) {
        [40.0, 125.0, 130.0]
    } else if within(0.0, 0.14, 0.08, mouth) {
        [70.0, 120.0, 160.0]
    } else if within(0.0, 0.02, 0.21, 0.29) {
        [165.0, 110.0, 152.0]
    } else if within(0.0, -0.06, 0.26, 0.33) {
        [45.0, 122.0, 134.0]
    } else if within(0.0, 0.62, 0.48, 0.3) {
        [80.0, 160.0, 110.0]
    } else {
        [150.0 - 60.0 * y, 132.0, 120.0]
    }
}

/// The same two seconds again and again, under a number that runs.
#[test]
fn a_loop_is_frozen_after_a_while() {
    let mut camera = Camera::new(false);
    camera.until(Scene::Face, Clear);
    camera.stays(Scene::Face, 60, Clear);
    let told = (0..240).find(|look| {
        camera.show(Scene::Still(200 + look % 60));
        camera.detector.evidence() == Frozen
    });
    assert!(told.is_some_and(|told| told > 60), "after {told:?} pictures");
}

#[test]
fn open_cameras_are_clear_and_stay_so_clear_and_veiled() {
    for scene in [Scene::Face, Scene::GreyRoom, Scene::Pattern] {
        for veiled in [false, true] {
            let mut camera = Camera::new(veiled);
            let (evidence, state) = camera.until(scene, Clear);
            assert!(evidence <= 400 && state <= 800, "{scene:?}: {evidence} {state}");
            camera.stays(scene, 150, Clear);
            assert_eq!(camera.detector.looks_veiled(), veiled);
        }
    }
}

#[test]
fn a_finger_is_covered_at_once_and_taking_it_away_is_clear_again() {
    for scene in [Scene::Face, Scene::Pattern] {
        for veiled in [false, true] {
            let mut camera = Camera::new(veiled);
            camera.until(scene, Clear);
            let (evidence, state) = camera.until(Scene::Finger, Covered);
            assert!((130..=300).contains(&evidence) && (300..=500).contains(&state), "{evidence} {state}");
            camera.stays(Scene::Finger, 90, Covered);
            let (evidence, state) = camera.until(scene, Clear);
            assert!((190..=500).contains(&evidence) && (600..=900).contains(&state), "{evidence} {state}");
        }
    }
}

/// Whoever is seen covered is veiled meanwhile, by both sides: each cover begins in a clear picture and ends in a mosaic.
#[test]
fn the_tenth_cover_is_told_as_soon_as_the_first() {
    for scene in [Scene::Face, Scene::Pattern] {
        let mut camera = Camera::new(false);
        camera.until(scene, Clear);
        for cover in 0..10 {
            let (evidence, _) = camera.until(Scene::Finger, Covered);
            assert!((130..=300).contains(&evidence), "{scene:?}, cover {cover}: {evidence}");
            camera.veiled = true;
            camera.stays(Scene::Finger, 15 + cover, Covered);
            let (evidence, _) = camera.until(scene, Clear);
            assert!((190..=500).contains(&evidence), "{scene:?}, cover {cover}: {evidence}");
            camera.veiled = false;
            camera.stays(scene, 20 + 7 * cover, Clear);
        }
    }
}

#[test]
fn a_camera_covered_from_the_start_is_never_clear() {
    for veiled in [false, true] {
        for scene in [Scene::Finger, Scene::Black] {
            let mut camera = Camera::new(veiled);
            for _ in 0..90 {
                camera.show(scene);
                assert_ne!(camera.detector.evidence(), Clear);
                assert_ne!(camera.detector.state(), Clear);
            }
            assert_ne!(camera.detector.evidence(), Unknown);
        }
    }
}

#[test]
fn a_bare_ceiling_is_nobody_in_view_rather_than_covered() {
    let mut camera = Camera::new(false);
    camera.size = (320, 180);
    camera.until(Scene::Face, Clear);
    camera.until(Scene::Ceiling, NobodyInView);
    camera.stays(Scene::Ceiling, 90, NobodyInView);
    assert!(!camera.detector.looks_veiled());
    camera.until(Scene::Finger, Covered);
    camera.until(Scene::Face, Clear);
}

#[test]
fn a_room_without_light_is_dark_rather_than_covered() {
    for veiled in [false, true] {
        let mut camera = Camera::new(veiled);
        camera.size = (320, 180);
        camera.until(Scene::Face, Clear);
        let (_, state) = camera.until(Scene::DarkFace, Dark);
        assert!(state <= 1000, "{state} (veiled: {veiled})");
        let mut dark = 0;
        for _ in 0..90 {
            camera.show(Scene::DarkFace);
            assert_ne!(camera.detector.evidence(), Clear);
            dark += usize::from(camera.detector.state() == Dark);
        }
        assert!(dark >= 80, "{dark} of 90 (veiled: {veiled})");
    }
}

#[test]
fn a_picture_that_is_repeated_is_frozen_though_its_number_runs() {
    for (veiled, after) in [(false, 2000), (true, 3000)] {
        let mut camera = Camera::new(veiled);
        camera.until(Scene::Face, Clear);
        let at = camera.at;
        let (evidence, state) = camera.until(Scene::Still(at), Frozen);
        assert!(evidence >= after && state <= after + 600, "{evidence} {state}");
        camera.stays(Scene::Still(at), 30, Frozen);
        camera.until(Scene::Face, Clear);
    }
}

#[test]
fn veiling_and_unveiling_do_not_look_like_trouble() {
    let mut camera = Camera::new(true);
    camera.until(Scene::Face, Clear);
    for change in 1..12 {
        camera.veiled = change % 2 == 0;
        camera.stays(Scene::Face, 7 + 3 * change, Clear);
    }
}

#[test]
fn silence_is_no_signal_and_pictures_must_show_that_it_is_over() {
    let mut detector = Detector::new();
    assert_eq!(detector.tick(Duration::from_millis(50)), Unknown);
    assert_eq!(detector.tick(Duration::from_millis(1050)), NoSignal);

    let mut camera = Camera::new(false);
    camera.until(Scene::Face, Clear);
    let last = Duration::from_millis((camera.at as u64 - 1) * 1000 / 30);
    assert_eq!(camera.detector.tick(last + Duration::from_millis(990)), Clear);
    assert_eq!(camera.detector.tick(last + SILENCE + Duration::from_millis(1)), NoSignal);
    assert_eq!(camera.detector.evidence(), NoSignal);
    camera.at += 60;
    camera.show(Scene::Face);
    assert_eq!(camera.detector.evidence(), Unknown);
    camera.until(Scene::Face, Clear);
}

#[test]
fn off_is_told_and_on_must_be_seen() {
    let mut camera = Camera::new(false);
    camera.until(Scene::Face, Clear);
    let now = camera.now();
    camera.detector.switched_off(true, now);
    camera.stays(Scene::Face, 60, Off);
    let later = camera.now() + Duration::from_secs(9);
    assert_eq!(camera.detector.tick(later), Off);

    let now = camera.now();
    camera.detector.switched_off(false, now);
    assert_eq!(camera.detector.evidence(), Unknown);
    camera.detector.switched_off(false, now);
    camera.until(Scene::Finger, Covered);
    let now = camera.now();
    camera.detector.switched_off(false, now);
    camera.stays(Scene::Finger, 10, Covered);
}

#[test]
fn all_sizes_of_a_call_are_judged_alike() {
    for size in [(160, 90), (640, 360), (1280, 720), (480, 640)] {
        for veiled in [false, true] {
            let mut camera = Camera::new(veiled);
            camera.size = size;
            camera.until(Scene::Face, Clear);
            camera.until(Scene::Finger, Covered);
            camera.until(Scene::Face, Clear);
        }
    }
}

#[test]
fn dark_is_what_keeps_its_structure_in_little_light() {
    let dark = Measures { kept: 0.8, detail: 8.0, mean: 20.0, change: 0.2, ..Measures::default() };
    assert!(is_dark(&dark, false, false) && !is_dark(&dark, true, false));
    assert!(is_dark(&Measures { mean: 11.0, change: 0.0, ..dark }, true, false), "noise may be rounded away under a mosaic");
    let blurred = Measures { kept: DARK_KEPT, ..dark };
    let bright_edge = Measures { detail: DARK_DETAIL, ..dark };
    let bright = Measures { mean: DARK_MEAN, ..dark };
    let drawn = Measures { change: DARK_CHANGE, ..dark };
    for not in [blurred, bright_edge, bright, drawn] {
        assert!(!is_dark(&not, false, false), "{not:?}");
    }
    for not in [blurred, bright_edge, Measures { mean: DARK_MEAN_VEILED, ..dark }] {
        assert!(!is_dark(&not, true, false), "{not:?}");
    }
    assert!(is_dark(&Measures { mean: 64.0, ..dark }, false, true), "exposure goes on rising");
    for not in [blurred, bright_edge, drawn, Measures { mean: DARK_YET_MEAN, ..dark }] {
        assert!(!is_dark(&not, false, true), "{not:?}");
    }
}

#[test]
fn bare_is_what_has_nothing_in_it_and_is_in_focus_and_seen_by_a_sensor() {
    let bare = Measures { least_inside: 4.0, kept: 0.9, step: 1.0, change: 0.2, ..Measures::default() };
    assert!(is_bare(&bare));
    for not in [
        Measures { least_inside: IN_FOCUS, ..bare },
        Measures { kept: BARE_KEPT, ..bare },
        Measures { step: BARE_STEP, ..bare },
        Measures { change: BARE_CHANGE, ..bare },
    ] {
        assert!(!is_bare(&not), "{not:?}");
    }
}

#[test]
fn a_cover_of_the_whole_is_told_from_a_part_and_from_dark_and_from_bare() {
    let judged = |measures: &Measures| Detector::new().judge(measures, Arrival::default(), Duration::ZERO);
    let covered = Measures { change: 1.0, ..Measures::default() };
    assert_eq!(judged(&covered), (cover::whole(&covered, false), Covered));
    assert_eq!(judged(&Measures { kept: 0.9, ..covered }).1, Dark);
    assert_eq!(judged(&Measures { kept: 0.9, least_inside: 4.0, ..covered }).1, NobodyInView);
    let lost = crate::change::Change { lost: 0.9, emptied: 0.5, gained: -1.0, ..Default::default() };
    let open = Measures { sharpest: 20.0, colours: 20.0, step: 10.0, since: lost, before: lost, ..covered };
    let (logit, trouble) = judged(&open);
    assert_eq!((logit, trouble), (cover::part(&open, false), CameraState::Partial));
    // Nearly the whole is called the whole.
    let nearly =
        |remains: f32| Measures { sharpest: 20.0, since: crate::change::Change { remains, ..Default::default() }, ..covered };
    let of = |whole: f32| (0..10_000).map(|at| nearly(at as f32 / 100.0)).find(|one| cover::whole(one, false) < whole).unwrap();
    assert_eq!([judged(&of(-0.5)).1, judged(&of(-0.9)).1, judged(&of(-1.0)).1], [Covered, Covered, CameraState::Partial]);
}

#[test]
fn a_mosaic_is_flat_inside_its_blocks_and_has_no_fine_detail() {
    for (inside_flat, sharpest_inside, mosaic, veiled) in
        [(MOSAIC, 2.9, true, true), (0.89, 2.9, false, false), (1.0, IN_FOCUS, true, false), (0.89, 9.0, false, false)]
    {
        let mut detector = Detector::new();
        detector.judge(&Measures { inside_flat, sharpest_inside, ..Measures::default() }, Arrival::default(), Duration::ZERO);
        assert_eq!((detector.mosaic, detector.looks_veiled()), (mosaic, veiled), "{inside_flat} {sharpest_inside}");
    }
}

#[test]
fn what_no_camera_took_is_certain() {
    let (mut frozen, mut drawn) = (Detector::new(), Detector::new());
    let last = |detector: &mut Detector, measures: &Measures| {
        (0..60).map(|look| detector.judge(measures, Arrival::default(), Duration::from_millis(66 * look))).last()
    };
    assert_eq!(last(&mut frozen, &Measures { change: 0.0, ..Measures::default() }), Some((CERTAIN, Frozen)));
    assert_eq!(last(&mut drawn, &Measures { change: 0.0, empty: 1.0, ..Measures::default() }), Some((CERTAIN, Covered)));
}

/// 33 ms apart: every other picture is looked at.
#[test]
fn looks_are_at_least_sixty_milliseconds_apart() {
    let mut camera = Camera::new(false);
    camera.show(Scene::Face);
    let first = camera.detector.looked;
    camera.show(Scene::Face);
    assert_eq!(camera.detector.looked, first);
    camera.show(Scene::Face);
    assert_eq!(camera.detector.looked, Some(Duration::from_millis(66)));
    let bytes = camera.picture(Scene::Face);
    let (y, chroma) = bytes.split_at(192 * 108);
    let (u, v) = chroma.split_at(96 * 54);
    let planes = Planes::new(SIZE, (y, 192), (u, 96), (v, 96)).unwrap();
    for (ms, looked) in [(125, 66), (126, 126)] {
        camera.detector.received(planes, Received { bytes: 900, key: false }, Duration::from_millis(ms));
        assert_eq!(camera.detector.looked, Some(Duration::from_millis(looked)), "at {ms}");
    }
}

proptest! {
    #[test]
    fn any_buffers_and_times_are_survived_and_unsound_ones_are_no_picture(
        pictures in prop::collection::vec((0usize..90, 0usize..60, 0usize..99, 0usize..9000, 0u64..4000), 1..12),
    ) {
        let mut detector = Detector::new();
        for (width, height, stride, len, ms) in pictures {
            let data = vec![90u8; len];
            let plane = crate::planes::Plane { data: &data, stride };
            let picture = Planes { width, height, y: plane, u: plane, v: plane };
            detector.picture(picture, Duration::from_millis(ms));
            prop_assert_ne!(detector.evidence(), Clear);
        }
    }
}

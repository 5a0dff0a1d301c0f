//! Cameras as their owner sees them. Waits are generous: a busy machine makes them late, never wrong.

use super::pace::Source;
use super::*;
use crate::{frame, marker};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(20);

fn open(source: &CameraSource, pool: &FramePool) -> Camera {
    Camera::open(source, (320, 180), 30, pool.clone(), Clock::start()).unwrap()
}

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("visavis-media-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, data: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::File::create(&path).unwrap().write_all(data).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn y4m(width: usize, height: usize, levels: &[u8]) -> Vec<u8> {
    let mut data = format!("YUV4MPEG2 W{width} H{height} F60:1 C420\n").into_bytes();
    for &level in levels {
        data.extend(b"FRAME\n");
        data.extend(vec![level; frame::byte_count(width, height)]);
    }
    data
}

fn deviation(plane: &[u8]) -> f64 {
    let mean = plane.iter().map(|&y| f64::from(y)).sum::<f64>() / plane.len() as f64;
    (plane.iter().map(|&y| (f64::from(y) - mean).powi(2)).sum::<f64>() / plane.len() as f64).sqrt()
}

fn below_strip(frame: &Frame) -> &[u8] {
    &frame.y()[marker::strip_height(frame.height) * frame.width..]
}

#[test]
fn synthetic_cameras_number_their_pictures_in_time() {
    for source in [CameraSource::Pattern, CameraSource::Face { name: "mei".into() }] {
        let pool = FramePool::new(4);
        let camera = open(&source, &pool);
        let frames = camera.frames();
        let mut last: Option<(u32, Duration)> = None;
        for _ in 0..8 {
            let frame = frames.take(LONG).unwrap();
            assert_eq!((frame.width, frame.height), (320, 180));
            let number = marker::read(&frame).unwrap();
            if let Some((before, captured)) = last {
                assert!(number > before && frame.captured > captured);
                // Never faster than the rate, but for the lateness of the first picture.
                let least = Duration::from_millis(33) * (number - before);
                assert!(frame.captured - captured + Duration::from_millis(33) * 5 >= least);
            }
            last = Some((number, frame.captured));
        }
    }
}

#[test]
fn the_rate_is_kept_over_time() {
    let pool = FramePool::new(4);
    let clock = Clock::start();
    let camera = Camera::open(&CameraSource::Pattern, (64, 36), 50, pool, clock).unwrap();
    let first = camera.frames().take(LONG).unwrap();
    std::thread::sleep(Duration::from_secs(1));
    drop(camera.frames().try_take());
    let last = camera.frames().take(LONG).unwrap();
    let ticks = marker::read(&last).unwrap() - marker::read(&first).unwrap();
    let rate = f64::from(ticks) / (last.captured - first.captured).as_secs_f64();
    assert!((35.0..65.0).contains(&rate), "{rate} ticks a second");
}

#[test]
fn dropping_a_camera_ends_its_thread_and_gives_its_buffers_back() {
    let pool = FramePool::new(3);
    let camera = open(&CameraSource::Pattern, &pool);
    let frames = camera.frames();
    drop(frames.take(LONG).unwrap());
    drop(camera);
    assert!(frames.is_closed());
    drop(frames.try_take());
    assert_eq!(pool.in_use(), 0);
    assert!(frames.take(Duration::from_millis(50)).is_none());
}

#[test]
fn names_decide_looks() {
    let pool = FramePool::new(4);
    let draw = |name: &str| face::Face::new(name, 320, 180).picture(0, Duration::ZERO, &pool).unwrap().unwrap();
    let (mei, again, tom) = (draw("mei"), draw("mei"), draw("tom"));
    assert!(mei.as_bytes() == again.as_bytes());
    assert!(mei.as_bytes() != tom.as_bytes());
}

#[test]
fn faces_move_even_when_silent() {
    let pool = FramePool::new(2);
    let mut face = face::Face::new("mei", 320, 180);
    let mut at = |tick| face.picture(tick, Duration::ZERO, &pool).unwrap().unwrap();
    let (one, other) = (at(0), at(45));
    let changed = one.y().iter().zip(other.y()).filter(|(a, b)| a.abs_diff(**b) > 12).count();
    assert!(changed > 150, "{changed} pixels differ");
}

#[test]
fn any_size_can_be_drawn() {
    let pool = FramePool::new(1);
    for (width, height) in [(16, 16), (64, 360), (640, 64), (1280, 720), (720, 1280)] {
        assert!(face::Face::new("a", width, height).picture(3, Duration::ZERO, &pool).unwrap().is_some());
        assert!(pattern::Pattern::new(width, height).picture(500, Duration::ZERO, &pool).unwrap().is_some());
    }
}

/// The next picture that was made after now.
fn fresh(camera: &Camera) -> Frame {
    drop(camera.frames().try_take());
    drop(camera.frames().take(LONG).unwrap());
    camera.frames().take(LONG).unwrap()
}

#[test]
fn modifiers_change_the_picture_and_spare_the_number() {
    let pool = FramePool::new(4);
    let camera = open(&CameraSource::Face { name: "mei".into() }, &pool);
    let plain = fresh(&camera);
    assert!(deviation(below_strip(&plain)) > 25.0);
    drop(plain);
    camera.set_modifier(Modifier::Covered);
    let covered = fresh(&camera);
    assert!(deviation(below_strip(&covered)) < 12.0);
    assert!(covered.v().iter().skip(covered.v().len() / 8).all(|&v| v > 140), "reddish");
    assert!(marker::read(&covered).is_some());
    drop(covered);
    camera.set_modifier(Modifier::Dark);
    let dark = fresh(&camera);
    assert!(below_strip(&dark).iter().all(|&y| y < 45));
    assert!(marker::read(&dark).is_some());
    drop(dark);
    camera.set_modifier(Modifier::Frozen);
    let (one, other) = (fresh(&camera), fresh(&camera));
    assert!(one.as_bytes() == other.as_bytes() && other.captured > one.captured);
    drop((one, other));
    camera.set_modifier(Modifier::None);
    let again = fresh(&camera);
    assert!(deviation(below_strip(&again)) > 25.0);
}

/// Without a thread and its clock: three seconds of a moving picture, of which the last repeats the second before the last.
#[test]
fn a_loop_records_two_seconds_and_plays_them_again_and_again() {
    let (pool, mut tamper) = (FramePool::new(1), modifier::Tamper::new());
    let mut pattern = pattern::Pattern::new(64, 48);
    let mut shown = |tick: u64, modifier| {
        let picture = pattern.picture(tick, Duration::from_millis(100) * tick as u32, &pool).unwrap().unwrap();
        let plain = picture.as_bytes().to_vec();
        (plain, tamper.apply(modifier, picture).unwrap().as_bytes().to_vec())
    };
    let pictures: Vec<_> = (0..65).map(|tick| shown(tick, Modifier::Loop)).collect();
    for (tick, (plain, seen)) in pictures.iter().enumerate() {
        assert_eq!(seen, &pictures[tick % 20].0, "picture {tick}");
        assert_eq!(plain == seen, tick < 20, "picture {tick}");
    }
    let (plain, seen) = shown(65, Modifier::None);
    assert_eq!(plain, seen, "it is over");
    let (plain, seen) = shown(66, Modifier::Loop);
    assert_eq!(plain, seen, "another one begins with what is there now");
}

#[test]
fn a_stalled_camera_gives_nothing_until_it_goes_on() {
    let pool = FramePool::new(4);
    let camera = open(&CameraSource::Pattern, &pool);
    camera.frames().take(LONG).unwrap();
    camera.set_modifier(Modifier::Stalled);
    // One picture may have been on its way.
    drop(camera.frames().take(Duration::from_millis(100)));
    assert!(camera.frames().take(Duration::from_millis(250)).is_none());
    assert_eq!(camera.failure(), None);
    camera.set_modifier(Modifier::None);
    assert!(camera.frames().take(LONG).is_some());
}

#[test]
fn an_unplugged_camera_ends_with_a_reason() {
    let pool = FramePool::new(4);
    let camera = open(&CameraSource::Pattern, &pool);
    let frames = camera.frames();
    camera.set_modifier(Modifier::Unplugged);
    while frames.take(LONG).is_some() {}
    assert!(frames.is_closed());
    assert_eq!(camera.failure(), Some(CameraError::Unplugged));
    camera.set_modifier(Modifier::None);
    assert!(camera.failure().is_some());
}

#[test]
fn files_play_in_a_loop_in_the_size_that_was_wished_for() {
    let folder = Folder::new("loop");
    let path = folder.file("clip.y4m", &y4m(640, 360, &[50, 100, 150]));
    let pool = FramePool::new(4);
    let camera = open(&CameraSource::File { path, marked: false }, &pool);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..30 {
        let frame = camera.frames().take(LONG).unwrap();
        assert_eq!((frame.width, frame.height), (320, 180));
        assert_eq!(marker::read(&frame), None);
        seen.insert(frame.y()[0]);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [50, 100, 150]);
}

#[test]
fn files_are_numbered_when_asked() {
    let folder = Folder::new("marked");
    let path = folder.file("clip.y4m", &y4m(320, 180, &[50, 100]));
    let source: CameraSource = format!("{}#marked", path.display()).parse().unwrap();
    let camera = open(&source, &FramePool::new(4));
    assert!(marker::read(&camera.frames().take(LONG).unwrap()).is_some());
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let folder = Folder::new("broken");
    let pool = FramePool::new(4);
    let words = |path: PathBuf, image: bool| {
        let source = if image { CameraSource::Image { path, marked: false } } else { CameraSource::File { path, marked: false } };
        match Camera::open(&source, (320, 180), 30, pool.clone(), Clock::start()) {
            Err(error @ CameraError::File(..)) => error.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert!(words(folder.0.join("missing.y4m"), false).contains("missing.y4m cannot be read: "));
    assert!(words(folder.file("text.y4m", b"hello"), false).contains("it is not a y4m, IVF or WebM file"));
    assert!(words(folder.file("empty.y4m", &y4m(320, 180, &[])), false).contains("it holds no whole picture"));
    let cut = y4m(320, 180, &[1]);
    assert!(words(folder.file("cut.y4m", &cut[..cut.len() / 2]), false).contains("it holds no whole picture"));
    let mut ivf = b"DKIF\0\0\x20\0VP80\x40\0\x30\0\x1e\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    ivf.extend(b"wrong");
    assert!(words(folder.file("wrong.ivf", &ivf), false).contains("a key frame is needed first"));
    assert!(words(folder.file("wrong.png", b"\x89PNG\r\n\x1a\nwrong"), true).contains("cannot be read"));
}

#[test]
fn coded_files_are_decoded() {
    use crate::codec::{Codec, VideoEncoder, VpxEncoder};
    use visavis_sight::PlanesMut;
    let pool = FramePool::new(4);
    let mut encoder = VpxEncoder::new(Codec::Vp8, 320, 180, 30, 800).unwrap();
    let mut gate = visavis_sight::Gate::new();
    let mut pattern = pattern::Pattern::new(320, 180);
    let mut ivf = b"DKIF\0\0\x20\0VP80\x40\x01\xb4\0\x1e\0\0\0\x01\0\0\0\x03\0\0\0\0\0\0\0".to_vec();
    for number in 0..4u32 {
        let captured = Duration::from_millis(33) * number;
        let frame = pattern.picture(u64::from(number), captured, &pool).unwrap().unwrap();
        let released = gate.release(frame, captured, |frame| {
            let (width, height, (columns, _)) = (frame.width, frame.height, frame.chroma_size());
            let (y, u, v) = frame.planes_mut();
            PlanesMut { width, height, y: (y, width), u: (u, columns), v: (v, columns) }
        });
        let coded = encoder.encode(&released, false).unwrap().unwrap();
        ivf.extend((coded.data.len() as u32).to_le_bytes());
        ivf.extend(u64::from(number).to_le_bytes());
        ivf.extend(coded.data);
    }
    // Cut off in the last picture: what is there plays on.
    ivf.truncate(ivf.len() - 3);
    let folder = Folder::new("coded");
    let camera = open(&CameraSource::File { path: folder.file("clip.ivf", &ivf), marked: false }, &pool);
    for _ in 0..8 {
        let frame = camera.frames().take(LONG).unwrap();
        assert_eq!((frame.width, frame.height), (320, 180));
        assert!(deviation(frame.y()) > 3.0);
    }
    assert_eq!(camera.failure(), None);
}

#[test]
fn images_are_cameras_too() {
    let folder = Folder::new("image");
    let path = folder.0.join("me.png");
    image::RgbImage::from_fn(100, 80, |x, _| image::Rgb([x as u8 * 2, 90, 40])).save(&path).unwrap();
    let camera = open(&CameraSource::Image { path, marked: true }, &FramePool::new(4));
    let frame = fresh(&camera);
    assert_eq!((frame.width, frame.height), (100, 80));
    assert!(marker::read(&frame).is_some());
}

#[test]
fn a_missing_device_is_missing() {
    let source = CameraSource::Device { id: "/dev/video-that-is-not-there".into() };
    let error = Camera::open(&source, (320, 180), 30, FramePool::new(1), Clock::start()).unwrap_err();
    assert!(matches!(error, CameraError::Missing(_)), "{error}");
    // Nothing to compare with but itself: a second look, which opens no camera, finds the same.
    let mut lister = Lister::default();
    let found = lister.look();
    assert!(found.is_some());
    assert_eq!(lister.look(), found);
}

//! Round trips, sizes, rate, the privacy of a turn, and hostile data.

use super::*;
use crate::camera::Camera;
use crate::{Clock, FramePool, marker};
use proptest::prelude::*;
use std::time::Duration;
use visavis_sight::gate::Gate;
use visavis_sight::{PlanesMut, View};

const BOTH: [Codec; 2] = [Codec::Vp8, Codec::Vp9];
const MS: Duration = Duration::from_millis(1);

/// A picture with detail that moves with `number`, and its number burnt in.
fn picture(pool: &FramePool, width: usize, height: usize, number: u32) -> Frame {
    let mut frame = pool.frame(width, height, MS * 33 * number).unwrap();
    let (columns, _) = frame.chroma_size();
    let (y, u, v) = frame.planes_mut();
    for (index, pixel) in y.iter_mut().enumerate() {
        let (x, row) = ((index % width) as f32 + number as f32 * 2.0, (index / width) as f32);
        *pixel = (120.0 + 50.0 * (x / 23.0).sin() + 40.0 * (row / 17.0 + x / 90.0).cos()) as u8;
    }
    for (index, (u, v)) in u.iter_mut().zip(v).enumerate() {
        let (x, row) = (index % columns, index / columns);
        (*u, *v) = ((100 + x * 50 / columns) as u8, (110 + row % 40) as u8);
    }
    marker::burn(&mut frame, number);
    frame
}

fn released(gate: &mut Gate, frame: Frame) -> Released<Frame> {
    let now = frame.captured;
    gate.release(frame, now, |frame| {
        let (width, height) = (frame.width, frame.height);
        let (columns, _) = frame.chroma_size();
        let (y, u, v) = frame.planes_mut();
        PlanesMut { width, height, y: (y, width), u: (u, columns), v: (v, columns) }
    })
}

fn psnr(one: &[u8], other: &[u8]) -> f64 {
    let sum: u64 = one.iter().zip(other).map(|(&a, &b)| u64::from(a.abs_diff(b)).pow(2)).sum();
    10.0 * (255.0f64.powi(2) * one.len() as f64 / (sum.max(1)) as f64).log10()
}

/// Codes `count` pictures at `kbps`; gives the decoded ones with their originals, and the bytes used.
fn round_trip(codec: Codec, width: usize, height: usize, kbps: u32, count: u32) -> (Vec<(Frame, Frame)>, usize) {
    let pool = FramePool::new(count as usize * 2 + 2);
    let mut encoder = VpxEncoder::new(codec, width, height, 30, kbps).unwrap();
    let mut decoder = VpxDecoder::new(codec, pool.clone()).unwrap();
    let (mut pairs, mut bytes) = (Vec::new(), 0);
    for number in 0..count {
        let frame = picture(&pool, width, height, number);
        let Some(coded) = encoder.encode_frame(&frame, false).unwrap() else { continue };
        assert_eq!(coded.key, pairs.is_empty());
        assert_eq!((coded.width, coded.height), (width, height));
        bytes += coded.data.len();
        let decoded = decoder.decode(&coded.data, frame.captured).unwrap().unwrap();
        pairs.push((frame, decoded));
    }
    (pairs, bytes)
}

#[test]
fn pictures_survive_with_their_size_time_and_number() {
    let sizes = [(640, 360), (320, 180), (175, 143)];
    for (codec, (width, height)) in BOTH.into_iter().flat_map(|codec| sizes.map(|size| (codec, size))) {
        let (pairs, _) = round_trip(codec, width, height, 800, 12);
        assert!(pairs.len() >= 10);
        for (frame, decoded) in &pairs {
            assert_eq!((decoded.width, decoded.height, decoded.captured), (width, height, frame.captured));
            assert_eq!(marker::read(decoded), marker::read(frame));
        }
        let (frame, decoded) = pairs.last().unwrap();
        for (name, one, other) in [("y", frame.y(), decoded.y()), ("u", frame.u(), decoded.u()), ("v", frame.v(), decoded.v())] {
            let quality = psnr(one, other);
            assert!(quality > 30.0, "{codec}: {name} of {width}x{height}: {quality:.1} dB");
        }
    }
}

#[test]
fn numbers_can_be_read_at_a_low_bitrate() {
    for codec in BOTH {
        let (pairs, bytes) = round_trip(codec, 320, 180, 60, 40);
        assert!(bytes < 60_000 / 8 * 4, "{codec}: {bytes} bytes for 1.3 s at 60 kbit/s");
        assert!(pairs.len() >= 10, "{codec}: {} of 40 pictures", pairs.len());
        for (frame, decoded) in &pairs {
            assert_eq!(marker::read(decoded), marker::read(frame));
        }
    }
}

#[test]
fn bitrate_changes_without_a_key_frame() {
    for codec in BOTH {
        let pool = FramePool::new(4);
        let mut encoder = VpxEncoder::new(codec, 640, 360, 30, 1500).unwrap();
        let second = |encoder: &mut VpxEncoder, from: u32| -> usize {
            let coded =
                (from..from + 30).filter_map(|number| encoder.encode_frame(&picture(&pool, 640, 360, number), false).unwrap());
            coded
                .filter(|coded| !(coded.key && from > 0) || panic!("a key frame nobody asked for"))
                .map(|coded| coded.data.len())
                .sum()
        };
        second(&mut encoder, 0);
        let rich = second(&mut encoder, 30);
        encoder.set_rate(150, 30).unwrap();
        second(&mut encoder, 60);
        let poor = second(&mut encoder, 90);
        assert!(poor * 2 < rich, "{rich} bytes, then {poor}");
    }
}

#[test]
fn pictures_that_are_left_out_leave_no_bits_to_the_others() {
    for codec in BOTH {
        let bytes = |keep: fn(u32) -> bool| {
            let pool = FramePool::new(6);
            let mut encoder = VpxEncoder::new(codec, 640, 360, 30, 400).unwrap();
            let pictures = (0..300).filter(|number| keep(*number)).map(|number| picture(&pool, 640, 360, number * 3));
            pictures.filter_map(|frame| encoder.encode_frame(&frame, false).unwrap()).map(|coded| coded.data.len()).sum::<usize>()
        };
        let (all, three_of_five) = (bytes(|_| true), bytes(|number| !matches!(number % 5, 1 | 3)));
        let share = three_of_five as f64 / all as f64;
        assert!(share < 0.65, "{codec}: three of five pictures took {share:.2} of the bits");
    }
}

#[test]
fn key_frames_come_when_asked_and_when_the_size_changes() {
    for codec in BOTH {
        let pool = FramePool::new(6);
        let mut encoder = VpxEncoder::new(codec, 640, 360, 30, 1000).unwrap();
        let mut decoder = VpxDecoder::new(codec, pool.clone()).unwrap();
        let steps = [
            (640, false, true),
            (640, false, false),
            (640, true, true),
            (640, false, false),
            (320, false, true),
            (320, false, false),
        ];
        for (number, (width, force, key)) in steps.into_iter().enumerate() {
            let frame = picture(&pool, width, width * 9 / 16, number as u32);
            let coded = encoder.encode_frame(&frame, force).unwrap().unwrap();
            assert_eq!(coded.key, key, "picture {number}");
            let expected = if key { Header::Key { width, height: width * 9 / 16 } } else { Header::Inter { size: None } };
            assert_eq!(codec.header(&coded.data), Some(expected));
            assert_eq!(decoder.decode(&coded.data, MS).unwrap().unwrap().width, width);
        }
    }
}

#[test]
fn each_codec_refuses_the_other() {
    for (codec, other) in [(Codec::Vp8, Codec::Vp9), (Codec::Vp9, Codec::Vp8)] {
        let pool = FramePool::new(2);
        let coded = VpxEncoder::new(codec, 320, 180, 30, 500).unwrap().encode_frame(&picture(&pool, 320, 180, 0), true);
        let coded = coded.unwrap().unwrap();
        assert!(coded.codec == codec && codec.is_key(&coded.data) && !other.is_key(&coded.data));
        assert!(VpxDecoder::new(other, pool.clone()).unwrap().decode(&coded.data, MS).is_err());
    }
}

/// What is left out of the screen is not left out of what later pictures build upon.
#[test]
fn a_skipped_picture_is_decoded_all_the_same() {
    for codec in BOTH {
        let pool = FramePool::new(4);
        let mut encoder = VpxEncoder::new(codec, 320, 180, 30, 500).unwrap();
        let (mut all, mut some) = (VpxDecoder::new(codec, pool.clone()).unwrap(), VpxDecoder::new(codec, pool.clone()).unwrap());
        for number in 0..12 {
            let coded = encoder.encode_frame(&picture(&pool, 320, 180, number), false).unwrap();
            let Some(coded) = coded else { continue };
            let one = all.decode(&coded.data, MS).unwrap().unwrap();
            if number % 4 == 3 {
                let other = some.decode(&coded.data, MS).unwrap().unwrap();
                assert!(one.as_bytes() == other.as_bytes(), "{codec}: picture {number} differs");
            } else {
                some.skip(&coded.data).unwrap();
            }
        }
    }
}

/// What was shown before a turn cannot be rebuilt from what comes after: a decoder that saw only the pictures since the turn
/// shows exactly what one shows that saw everything.
#[test]
fn nothing_of_earlier_pictures_survives_a_turn() {
    for codec in BOTH {
        let pool = FramePool::new(8);
        let mut encoder = VpxEncoder::new(codec, 640, 360, 30, 900).unwrap();
        let mut continuing = VpxDecoder::new(codec, pool.clone()).unwrap();
        for number in 0..20 {
            if let Some(coded) = encoder.encode_frame(&picture(&pool, 640, 360, number), false).unwrap() {
                continuing.decode(&coded.data, MS).unwrap();
            }
        }
        let mut gate = Gate::new();
        let mut fresh = VpxDecoder::new(codec, pool.clone()).unwrap();
        let mut shown = 0;
        for number in 20..40 {
            let veiled = released(&mut gate, picture(&pool, 640, 360, number));
            assert_eq!((veiled.view(), veiled.turned()), (View::Veiled, number == 20));
            let Some(coded) = encoder.encode(&veiled, false).unwrap() else { continue };
            assert_eq!(coded.key, shown == 0, "the first picture after the turn is the key frame");
            let one = continuing.decode(&coded.data, MS).unwrap().unwrap();
            let other = fresh.decode(&coded.data, MS).unwrap().unwrap();
            assert!(one.as_bytes() == other.as_bytes(), "picture {number} differs");
            shown += 1;
        }
        assert!(shown >= 10);
    }
}

#[test]
fn time_stamps_may_run_backwards() {
    for codec in BOTH {
        let pool = FramePool::new(3);
        let mut encoder = VpxEncoder::new(codec, 320, 180, 30, 500).unwrap();
        for captured in [5000, 10, 10, 0, 4000, 9_000_000] {
            let mut frame = picture(&pool, 320, 180, 3);
            frame.captured = MS * captured;
            encoder.encode_frame(&frame, false).unwrap();
        }
    }
}

#[test]
fn a_full_pool_loses_a_picture_and_no_more() {
    for codec in BOTH {
        let frames = FramePool::new(2);
        let pool = FramePool::new(1);
        let mut encoder = VpxEncoder::new(codec, 320, 180, 30, 500).unwrap();
        let mut decoder = VpxDecoder::new(codec, pool.clone()).unwrap();
        let coded: Vec<_> =
            (0..3).map(|number| encoder.encode_frame(&picture(&frames, 320, 180, number), false).unwrap().unwrap()).collect();
        let first = decoder.decode(&coded[0].data, MS).unwrap().unwrap();
        assert!(decoder.decode(&coded[1].data, MS).unwrap().is_none());
        drop(first);
        let third = decoder.decode(&coded[2].data, MS).unwrap().unwrap();
        assert_eq!((marker::read(&third), pool.dropped()), (Some(2), 1));
    }
}

#[test]
fn what_is_not_vp8_or_too_large_is_refused() {
    let (codec, pool) = (Codec::Vp8, FramePool::new(2));
    let mut decoder = VpxDecoder::new(codec, pool.clone()).unwrap();
    let words = |decoder: &mut VpxDecoder, data: &[u8]| decoder.decode(data, MS).unwrap_err().to_string();
    assert!(words(&mut decoder, &[]).contains("not a frame of VP8"));
    assert!(words(&mut decoder, b"hello, world").contains("not a frame of VP8"));
    assert!(words(&mut decoder, &[1, 0, 0, 0]).contains("key frame"));
    let mut coded =
        VpxEncoder::new(codec, 320, 180, 30, 500).unwrap().encode_frame(&picture(&pool, 320, 180, 0), true).unwrap().unwrap();
    coded.data[6..10].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
    assert!(words(&mut decoder, &coded.data).contains("16383x16383"));
    coded.data[6..10].fill(0);
    assert!(words(&mut decoder, &coded.data).contains("0x0"));
}

#[test]
fn after_an_error_a_key_frame_is_needed() {
    for codec in BOTH {
        let pool = FramePool::new(3);
        let mut encoder = VpxEncoder::new(codec, 320, 180, 30, 500).unwrap();
        let mut decoder = VpxDecoder::new(codec, pool.clone()).unwrap();
        let mut next = |number, key| encoder.encode_frame(&picture(&pool, 320, 180, number), key).unwrap().unwrap().data;
        decoder.decode(&next(0, false), MS).unwrap();
        let cut = next(1, true);
        assert!(decoder.decode(&cut[..40], MS).is_err());
        assert!(decoder.decode(&next(2, false), MS).is_err());
        assert!(decoder.decode(&next(3, true), MS).unwrap().is_some());
    }
}

#[test]
fn impossible_encoders_are_refused() {
    for codec in BOTH {
        assert!(VpxEncoder::new(codec, 0, 360, 30, 500).is_err());
        assert!(VpxEncoder::new(codec, 1920, 1920, 30, 500).is_err());
        // Out of range rates are brought into it.
        assert!(VpxEncoder::new(codec, 64, 64, 0, 0).is_ok());
        assert!(VpxEncoder::new(codec, 64, 64, 1000, u32::MAX).is_ok());
    }
}

#[test]
fn a_camera_and_a_codec_fit_together() {
    for codec in BOTH {
        let (pool, clock) = (FramePool::new(6), Clock::start());
        let camera = Camera::open(&crate::camera::CameraSource::Pattern, (320, 180), 30, pool.clone(), clock).unwrap();
        let mut encoder = VpxEncoder::new(codec, 640, 360, 30, 600).unwrap();
        let mut decoder = VpxDecoder::new(codec, pool).unwrap();
        let mut gate = Gate::new();
        let frame = camera.frames().take(Duration::from_secs(10)).unwrap();
        let coded = encoder.encode(&released(&mut gate, frame), false).unwrap().unwrap();
        assert_eq!(decoder.decode(&coded.data, MS).unwrap().unwrap().height, 180);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Bytes of anybody, and good pictures with bytes changed or cut off, never do more than fail.
    #[test]
    fn hostile_data_fails_quietly(
        noise in proptest::collection::vec(any::<u8>(), 0..300),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<proptest::sample::Index>(),
        cutting in any::<bool>(),
        vp9 in any::<bool>(),
    ) {
        let codec = if vp9 { Codec::Vp9 } else { Codec::Vp8 };
        let pool = FramePool::new(2);
        let mut encoder = VpxEncoder::new(codec, 176, 144, 30, 300).unwrap();
        let mut decoder = VpxDecoder::new(codec, pool.clone()).unwrap();
        let _ = decoder.decode(&noise, MS);
        for number in 0..4 {
            let Some(coded) = encoder.encode_frame(&picture(&pool, 176, 144, number), false).unwrap() else { continue };
            let mut data = coded.data;
            if number > 0 || cutting {
                for (at, value) in &changes {
                    let at = at.index(data.len());
                    // Not the size: a picture of allowed but other size is fine, and slow.
                    if !(6..10).contains(&at) && (codec == Codec::Vp8 || at > 12) {
                        data[at] ^= value;
                    }
                }
            }
            if cutting {
                data.truncate(cut.index(data.len()));
            }
            if let Ok(Some(frame)) = decoder.decode(&data, MS) {
                prop_assert!(frame.width <= 1920 && frame.height <= 1920);
            }
        }
    }
}

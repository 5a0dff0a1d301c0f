//! The last few pictures that were received, small and in memory alone, for somebody who wants to send them along with a report.
//! They are made from what the decoder gave, never from what leaves this machine, and go with the parting page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use rand::TryRngCore;
use rand::rngs::OsRng;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use visavis_media::{Frame, FramePool, scale};
use visavis_wire::Private;
use visavis_wire::evidence::{Evidence, KEY_BYTES, Picture};
use visavis_wire::limits::{EVIDENCE_PICTURE, EVIDENCE_PICTURES};
use visavis_wire::socket::MatchId;

/// Between two of them: together they show the last quarter of a minute.
const EVERY: Duration = Duration::from_secs(5);
const LARGEST: (usize, usize) = (480, 270);
const QUALITIES: [u8; 3] = [80, 60, 35];

struct Small {
    at: Duration,
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

pub struct Kept {
    pool: FramePool,
    pictures: Mutex<VecDeque<Small>>,
}

impl Kept {
    pub(crate) fn new() -> Self {
        Self { pool: FramePool::new(1), pictures: Mutex::default() }
    }

    fn pictures(&self) -> MutexGuard<'_, VecDeque<Small>> {
        self.pictures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a small copy when the last one is old enough.
    pub(crate) fn offer(&self, frame: &Frame, now: Duration) {
        if self.pictures().back().is_some_and(|last| now < last.at + EVERY) {
            return;
        }
        let (width, height) = scale::fit((frame.width, frame.height), LARGEST);
        let rgb = if (width, height) == (frame.width, frame.height) {
            rgb(frame)
        } else {
            match scale::scale_i420(frame, width, height, &self.pool) {
                Some(small) => rgb(&small),
                None => return,
            }
        };
        let mut pictures = self.pictures();
        if pictures.len() >= EVIDENCE_PICTURES {
            pictures.pop_front();
        }
        pictures.push_back(Small { at: now, width, height, rgb });
    }

    pub(crate) fn forget(&self) {
        self.pictures().clear();
    }

    pub(crate) fn evidence(&self, now: Duration) -> Evidence {
        let pictures = self.pictures();
        let pictures = pictures.iter().filter_map(|small| {
            let seconds_before = u16::try_from(now.saturating_sub(small.at).as_secs()).unwrap_or(u16::MAX);
            Some(Picture { seconds_before, file: jpeg(small)? })
        });
        Evidence { pictures: pictures.collect() }
    }
}

/// As the server takes it: base64 of what only the moderators can open. `None`: nothing to send, or no key to seal it to.
pub(crate) fn sealed(evidence: &Evidence, match_id: &MatchId, key: Option<&str>) -> Option<Private<String>> {
    if evidence.pictures.is_empty() {
        return None;
    }
    let key: [u8; KEY_BYTES] = STANDARD.decode(key?).ok()?.try_into().ok()?;
    let mut chance = [0; 32];
    OsRng.try_fill_bytes(&mut chance).ok()?;
    let sealed = evidence.seal(match_id, &key, chance).ok()?;
    Some(Private::new(STANDARD.encode(sealed)))
}

fn jpeg(small: &Small) -> Option<Vec<u8>> {
    let (width, height) = (u32::try_from(small.width).ok()?, u32::try_from(small.height).ok()?);
    QUALITIES.into_iter().find_map(|quality| {
        let mut file = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut file, quality);
        encoder.encode(&small.rgb, width, height, ExtendedColorType::Rgb8).ok()?;
        (file.len() <= EVIDENCE_PICTURE).then_some(file)
    })
}

/// BT.601, limited range, as all our pictures are.
fn rgb(frame: &Frame) -> Vec<u8> {
    let chroma = frame.chroma_size().0;
    let mut rgb = Vec::with_capacity(frame.width * frame.height * 3);
    for row in 0..frame.height {
        for column in 0..frame.width {
            let luma = 298 * (i32::from(frame.y()[row * frame.width + column]) - 16);
            let at = row / 2 * chroma + column / 2;
            let (u, v) = (i32::from(frame.u()[at]) - 128, i32::from(frame.v()[at]) - 128);
            for value in [luma + 409 * v, luma - 100 * u - 208 * v, luma + 516 * u] {
                rgb.push(((value + 128) >> 8).clamp(0, 255) as u8);
            }
        }
    }
    rgb
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_wire::evidence::key_pair;

    /// Noise over a colour: the worst for a JPEG.
    fn frame(pool: &FramePool, width: usize, height: usize, seed: u32) -> Frame {
        let mut frame = pool.frame(width, height, Duration::ZERO).unwrap();
        let mut state = seed;
        let (y, u, v) = frame.planes_mut();
        for byte in y.iter_mut() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (state >> 24) as u8;
        }
        u.fill(90);
        v.fill(240);
        frame
    }

    #[test]
    fn a_few_of_the_last_pictures_go_along_small_and_sealed() {
        let (kept, pool) = (Kept::new(), FramePool::new(2));
        assert!(sealed(&kept.evidence(Duration::ZERO), &MatchId("m".into()), None).is_none());
        for tenth in 0..600_u32 {
            kept.offer(&frame(&pool, 320, 180, tenth), Duration::from_millis(u64::from(tenth) * 100));
        }
        kept.offer(&frame(&pool, 1280, 720, 7), Duration::from_secs(60));
        let evidence = kept.evidence(Duration::from_secs(62));
        let before: Vec<_> = evidence.pictures.iter().map(|picture| picture.seconds_before).collect();
        assert_eq!(before, [17, 12, 7, 2], "the last quarter of a minute");
        for picture in &evidence.pictures {
            assert!(picture.file.len() <= EVIDENCE_PICTURE, "{}", picture.file.len());
            let read = image::load_from_memory(&picture.file).unwrap().to_rgb8();
            assert!(read.width() <= 480 && read.height() <= 270);
            let red = read.pixels().map(|pixel| u64::from(pixel.0[0])).sum::<u64>();
            let blue = read.pixels().map(|pixel| u64::from(pixel.0[2])).sum::<u64>();
            assert!(red > blue, "colours are right way round");
        }
        let keys = key_pair(&[1; 32]);
        let match_id = MatchId("m".into());
        let key = STANDARD.encode(keys.public);
        let text = sealed(&evidence, &match_id, Some(&key)).unwrap();
        let bytes = STANDARD.decode(text.reveal()).unwrap();
        assert_eq!(Evidence::open(&bytes, &match_id, &keys.private).unwrap(), evidence);
        assert!(sealed(&evidence, &match_id, Some("nonsense")).is_none());
        kept.forget();
        assert!(kept.evidence(Duration::from_secs(62)).pictures.is_empty());
    }
}

//! What a user's machine delivers: buffers of cameras, and files that are named: moving pictures, plans of rehearsals.

use crate::bytes::Bytes;
use std::io::Cursor;
use std::time::Duration;
use visavis_media::FramePool;
use visavis_media::container::{ivf, webm, y4m};
use visavis_media::convert::{RgbOrder, Rows, from_jpeg, from_nv12, from_rgb, from_yuyv};
use visavis_rehearsal::rehearse::agenda::Agenda;
use visavis_rehearsal::rehearse::plan::Plan;

/// Larger ones only take longer.
const LARGEST: usize = 320 * 240;

/// y4m, IVF, WebM.
pub fn video(data: &[u8]) {
    for coded in [ivf::read(data), webm::read(data)].into_iter().flatten() {
        assert!(coded.pictures.iter().all(|range| range.start <= range.end && range.end <= data.len()));
    }
    if let Ok(mut reader) = y4m::Reader::new(Cursor::new(data))
        && reader.width * reader.height <= LARGEST
    {
        let (wide, high) = (reader.width.div_ceil(2), reader.height.div_ceil(2));
        let mut picture = vec![0; reader.width * reader.height + 2 * wide * high];
        let _ = (reader.read(&mut picture), reader.read(&mut picture));
    }
}

/// What a camera's driver delivers: kind, both sides, distance of two rows, then the buffer. Of a size that was announced or none.
pub fn camera(data: &[u8]) {
    let mut bytes = Bytes(data);
    let (kind, width, height) = (bytes.byte(), usize::from(bytes.byte()), usize::from(bytes.byte()));
    let stride = usize::from(bytes.number() % 2048);
    let (rows, pool) = (Rows { data: bytes.0, stride }, FramePool::new(1));
    let at = Duration::ZERO;
    let frame = match kind % 6 {
        0 => from_yuyv(rows, width, height, at, &pool),
        1 => {
            let (luma, chroma) = bytes.0.split_at(bytes.0.len() * 2 / 3);
            from_nv12(Rows { data: luma, stride }, Rows { data: chroma, stride }, width, height, at, &pool)
        }
        2 => from_rgb(rows, RgbOrder::Rgb, width, height, at, &pool),
        3 => from_rgb(rows, RgbOrder::Rgba, width, height, at, &pool),
        4 => from_rgb(rows, RgbOrder::Bgra, width, height, at, &pool),
        _ => {
            let frame = from_jpeg(bytes.0, (320, 240), at, &pool).ok().flatten();
            assert!(frame.as_ref().is_none_or(|frame| frame.width <= 320 && frame.height <= 240));
            frame
        }
    };
    if let Some(frame) = frame {
        assert!(kind % 6 == 5 || (frame.width, frame.height) == (width, height));
    }
}

pub fn plan(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(plan) = Plan::parse(text) {
        let guests = plan.guests().expect("a plan that was accepted can be followed");
        let mut agenda = Agenda::of(&plan, &guests);
        assert!(agenda.take(Duration::MAX).len() <= 2 * (plan.change.len() + 60_000));
    }
}

//! Files that a user names: moving pictures, pictures of cameras, plans of rehearsals.

use std::io::Cursor;
use std::time::Duration;
use visavis_media::FramePool;
use visavis_media::container::{ivf, webm, y4m};
use visavis_media::convert::from_jpeg;
use visavis_rehearsal::rehearse::agenda::Agenda;
use visavis_rehearsal::rehearse::plan::Plan;

/// Larger ones only take longer.
const LARGEST: usize = 320 * 240;

/// y4m, IVF, WebM, and the JPEG of a camera.
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
    let _ = from_jpeg(data, (320, 240), Duration::ZERO, &FramePool::new(1));
}

pub fn plan(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(plan) = Plan::parse(text) {
        let guests = plan.guests().expect("a plan that was accepted can be followed");
        let mut agenda = Agenda::of(&plan, &guests);
        assert!(agenda.take(Duration::MAX).len() <= 2 * (plan.change.len() + 60_000));
    }
}

//! Ink under way. Own points go out over the lossy channel at once, each message repeating the last ones, until the stroke is
//! complete and becomes an operation; the peer's arrive the same way and are checked before anybody draws them.

use std::time::Duration;
use visavis_wire::channel::Live;
use visavis_wire::limits;
use visavis_wire::paper::{PAPER_HEIGHT, PAPER_WIDTH, Point, Stroke};

/// Points that were sent before and are sent again: two lost messages in a row leave no hole at 240 points a second.
const REPEATED: usize = 8;
/// At most 60 messages a second.
const BETWEEN: Duration = Duration::from_millis(16);
/// The page draws with one pointer, or with a few fingers.
const STROKES_AT_ONCE: usize = 8;
/// Messages of the peer's ink taken in one second; an honest peer sends 60.
const PEER_MESSAGES: u32 = 150;

struct OwnStroke {
    /// The page's number.
    id: u32,
    stroke: Stroke,
    /// Points that went out at least once.
    sent: usize,
    sent_at: Duration,
}

/// Own strokes that are not complete.
#[derive(Default)]
pub(super) struct OwnInk(Vec<OwnStroke>);

impl OwnInk {
    /// Takes points in. Returns a stroke that has become too long for one operation; it goes on as a new one.
    pub(super) fn points(&mut self, id: u32, colour: u32, size: u16, points: Vec<Point>) -> Vec<Stroke> {
        let index = match self.0.iter().position(|own| own.id == id) {
            Some(index) => index,
            None if self.0.len() >= STROKES_AT_ONCE => return Vec::new(),
            None => {
                let stroke = Stroke { colour: colour & 0x00FF_FFFF, size: size.clamp(5, 1000), points: Vec::new() };
                self.0.push(OwnStroke { id, stroke, sent: 0, sent_at: Duration::ZERO });
                self.0.len() - 1
            }
        };
        let own = &mut self.0[index];
        let mut full = Vec::new();
        for point in points {
            let point = Point { x: point.x.min(PAPER_WIDTH), y: point.y.min(PAPER_HEIGHT), ..point };
            own.stroke.points.push(point);
            if own.stroke.points.len() == limits::STROKE_POINTS {
                let next = Stroke { points: vec![point], ..own.stroke };
                full.push(std::mem::replace(&mut own.stroke, next));
                own.sent = 0;
            }
        }
        full
    }

    pub(super) fn end(&mut self, id: u32) -> Option<Stroke> {
        let index = self.0.iter().position(|own| own.id == id)?;
        Some(self.0.remove(index).stroke).filter(|stroke| !stroke.points.is_empty())
    }

    /// What is to be sent now. `committed` is the number of own strokes that are operations already: strokes under way are
    /// numbered on from it, so that the receiver knows late ink of a committed stroke.
    pub(super) fn due(&mut self, committed: u32, now: Duration) -> Vec<Live> {
        let mut messages = Vec::new();
        for (number, own) in (committed..).zip(&mut self.0) {
            if own.sent == own.stroke.points.len() || now < own.sent_at + BETWEEN {
                continue;
            }
            let mut from = own.sent.saturating_sub(REPEATED);
            while own.sent < own.stroke.points.len() {
                let to = own.stroke.points.len().min(from + limits::LIVE_POINTS);
                messages.push(Live::Ink {
                    stroke: number,
                    colour: own.stroke.colour,
                    size: own.stroke.size,
                    from: u16::try_from(from).unwrap_or(u16::MAX),
                    points: own.stroke.points[from..to].to_vec(),
                });
                own.sent = to;
                from = to;
            }
            own.sent_at = now;
        }
        messages
    }
}

/// How much of the peer's live messages is let through.
#[derive(Default)]
pub(super) struct PeerInk {
    second: u64,
    messages: u32,
}

impl PeerInk {
    /// `committed`: strokes of the peer that are operations already.
    pub(super) fn admits(&mut self, live: &Live, committed: u32, now: Duration) -> bool {
        if self.second != now.as_secs() {
            (self.second, self.messages) = (now.as_secs(), 0);
        }
        self.messages += 1;
        if self.messages > PEER_MESSAGES {
            return false;
        }
        match live {
            Live::Cursor { x, y } => *x <= PAPER_WIDTH && *y <= PAPER_HEIGHT,
            Live::Ink { stroke, colour, size, from, points } => {
                (committed..committed.saturating_add(64)).contains(stroke)
                    && *colour <= 0x00FF_FFFF
                    && (5..=1000).contains(size)
                    && usize::from(*from) + points.len() <= limits::STROKE_POINTS
                    && points.iter().all(|point| point.x <= PAPER_WIDTH && point.y <= PAPER_HEIGHT)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(from: usize, count: usize) -> Vec<Point> {
        (from..from + count).map(|at| Point { x: (at % 16_000) as u16, y: 5, pressure: 128 }).collect()
    }

    #[test]
    fn every_point_is_sent_and_the_last_ones_twice() {
        let mut ink = OwnInk::default();
        ink.points(7, 0xFF00_0001, 2, points(0, 100));
        let first = ink.due(3, Duration::from_millis(20));
        assert_eq!(first.len(), 2);
        assert!(
            matches!(&first[0], Live::Ink { stroke: 3, colour: 1, size: 5, from: 0, points } if points.len() == limits::LIVE_POINTS)
        );
        ink.points(7, 1, 5, points(100, 1));
        assert!(ink.due(3, Duration::from_millis(25)).is_empty(), "sixty messages a second at most");
        let second = ink.due(3, Duration::from_millis(40));
        assert!(matches!(&second[..], [Live::Ink { from: 92, points, .. }] if points.len() == 9));
        assert_eq!(ink.end(7).unwrap().points.len(), 101);
        assert!(ink.end(7).is_none());
    }

    #[test]
    fn a_long_line_becomes_several_strokes_that_touch() {
        let mut ink = OwnInk::default();
        let full = ink.points(1, 1, 10, points(0, 5000));
        assert_eq!(full.len(), 1);
        assert_eq!(full[0].points.len(), limits::STROKE_POINTS);
        let rest = ink.end(1).unwrap();
        assert_eq!(full[0].points.last(), rest.points.first());
        assert_eq!(full[0].points.len() + rest.points.len(), 5001);
    }

    #[test]
    fn late_wild_and_flooding_ink_of_the_peer_is_dropped() {
        let ink = |stroke, from, size| Live::Ink { stroke, colour: 1, size, from, points: points(0, 3) };
        let now = Duration::from_secs(9);
        let mut peer = PeerInk::default();
        assert!(peer.admits(&ink(4, 0, 10), 4, now));
        assert!(!peer.admits(&ink(3, 0, 10), 4, now), "of a stroke that is committed");
        assert!(!peer.admits(&ink(400, 0, 10), 4, now));
        assert!(!peer.admits(&ink(4, 4095, 10), 4, now));
        assert!(!peer.admits(&ink(4, 0, 4), 4, now));
        assert!(!peer.admits(&Live::Cursor { x: 16_001, y: 0 }, 4, now));
        let let_through = (0..1000).filter(|_| peer.admits(&Live::Cursor { x: 1, y: 1 }, 4, now)).count();
        assert!(let_through < 150);
        assert!(peer.admits(&Live::Cursor { x: 1, y: 1 }, 4, now + Duration::from_secs(1)));
    }
}

//! Ink under way. Own points go out over the lossy channel at once, each message repeating the last ones, until the mark is
//! complete and becomes an operation; the peer's arrive the same way and are checked before anybody draws them.

use crate::Event;
use std::collections::VecDeque;
use std::time::Duration;
use visavis_canvas::Mark;
use visavis_wire::channel::{Ink, Live};
use visavis_wire::limits;
use visavis_wire::paper::{COLOURS, PAPER_HEIGHT, PAPER_WIDTH, Place, Point, SIZES, Shape, Stroke};

/// Points that were sent before and are sent again: two lost messages in a row leave no hole at 240 points a second.
const REPEATED: usize = 8;
/// Between two messages of one mark, on average. Shorter than a screen's frame, so that no frame's points wait for the next.
const BETWEEN: Duration = Duration::from_millis(7);
/// What a busy page brings late comes close together; so much earlier than its turn a message may leave.
const EARLY: Duration = BETWEEN;
/// A pen held still, or lifted, says its last points this often again: nothing else would repeat them.
const ECHOES: u8 = 2;
const ECHO_AFTER: Duration = Duration::from_millis(40);
const CURSOR_EVERY: Duration = Duration::from_millis(30);
/// The page draws with one pointer, or with a few fingers.
const MARKS_AT_ONCE: usize = 8;
/// Messages of the peer's ink taken in one second; an honest peer sends 150 at most.
const PEER_MESSAGES: u32 = 240;
/// Committed marks that are remembered, so that their late ink is known as such.
const REMEMBERED: usize = 64;

/// The peer's ink taken in one second, in areas of the sheet. A fast hand with the widest brush covers a fifth of one in a
/// second, and each point comes nine times.
const PEER_SHEETS: f32 = 8.0;

/// The area that a stroke runs over, in areas of the sheet; what it runs over twice counts twice, as it does for who draws it.
pub(super) fn sheets(points: &[Point], size: u16) -> f32 {
    let length = |pair: &[Point]| match pair {
        [a, b] => f32::from(a.x.abs_diff(b.x)).hypot(f32::from(a.y.abs_diff(b.y))),
        _ => 0.0,
    };
    let width = f32::from(size);
    let whole: f32 = points.windows(2).map(length).sum::<f32>() + width * points.len() as f32;
    whole * width / (f32::from(PAPER_WIDTH) * f32::from(PAPER_HEIGHT))
}

enum Wet {
    Stroke {
        ink: Ink,
        points: Vec<Point>,
        /// Points that went out at least once.
        sent: usize,
    },
    Shape {
        shape: Shape,
        sent: bool,
    },
    /// Taken away.
    Dropped,
}

struct OwnMark {
    /// The page's number, and the one on the wire.
    id: u32,
    wet: Wet,
    /// No more of it will come; it is kept for its echoes.
    over: bool,
    sent_at: Duration,
    /// When the next message has its turn.
    turn_at: Duration,
    echoes: u8,
}

/// Own marks that are not complete.
#[derive(Default)]
pub(super) struct OwnInk {
    marks: Vec<OwnMark>,
    cursor: Option<Place>,
    cursor_at: Duration,
}

fn on_paper(place: Place) -> Place {
    Place { x: place.x.min(PAPER_WIDTH), y: place.y.min(PAPER_HEIGHT) }
}

fn within(size: u16) -> u16 {
    size.clamp(*SIZES.start(), *SIZES.end())
}

impl OwnInk {
    fn under_way(&mut self, id: u32) -> Option<usize> {
        self.marks.iter().position(|own| own.id == id && !own.over)
    }

    fn begin(&mut self, id: u32, wet: Wet) -> Option<usize> {
        if let Some(index) = self.under_way(id) {
            return Some(index);
        }
        if self.marks.iter().filter(|own| !own.over).count() >= MARKS_AT_ONCE {
            return None;
        }
        self.marks.push(OwnMark { id, wet, over: false, sent_at: Duration::ZERO, turn_at: Duration::ZERO, echoes: ECHOES });
        Some(self.marks.len() - 1)
    }

    /// Takes points in. Returns strokes that have become too long for one operation; they go on as new ones.
    pub(super) fn points(&mut self, id: u32, ink: Ink, points: Vec<Point>) -> Vec<Mark> {
        let colour = ink.colour.map(|colour| colour & COLOURS.end());
        let ink = Ink { colour, size: within(ink.size), ..ink };
        let Some(index) = self.begin(id, Wet::Stroke { ink, points: Vec::new(), sent: 0 }) else { return Vec::new() };
        let Wet::Stroke { ink, points: so_far, sent } = &mut self.marks[index].wet else { return Vec::new() };
        let mut full = Vec::new();
        for point in points {
            let Place { x, y } = on_paper(Place { x: point.x, y: point.y });
            let point = Point { x, y, ..point };
            so_far.push(point);
            if so_far.len() == limits::STROKE_POINTS {
                let points = std::mem::replace(so_far, vec![point]);
                *sent = 0;
                if !ink.fades {
                    full.push(Mark::Stroke(Stroke { colour: ink.colour, size: ink.size, points }));
                }
            }
        }
        full
    }

    /// The shape as it is dragged now.
    pub(super) fn shape(&mut self, id: u32, shape: Shape) {
        let shape = Shape {
            colour: shape.colour & COLOURS.end(),
            size: within(shape.size),
            from: on_paper(shape.from),
            to: on_paper(shape.to),
            ..shape
        };
        if let Some(index) = self.begin(id, Wet::Shape { shape, sent: false })
            && let Wet::Shape { shape: before, sent } = &mut self.marks[index].wet
        {
            *sent = *sent && *before == shape;
            *before = shape;
        }
    }

    pub(super) fn cursor(&mut self, place: Place) {
        self.cursor = Some(on_paper(place));
    }

    /// The mark is complete. `None` when nothing becomes of it: unknown, or for pointing only.
    pub(super) fn end(&mut self, id: u32) -> Option<Mark> {
        let index = self.under_way(id)?;
        self.marks[index].over = true;
        match &self.marks[index].wet {
            Wet::Stroke { ink: Ink { colour, size, fades: false }, points, .. } if !points.is_empty() => {
                Some(Mark::Stroke(Stroke { colour: *colour, size: *size, points: points.clone() }))
            }
            Wet::Shape { shape, .. } => Some(Mark::Shape(*shape)),
            _ => None,
        }
    }

    /// Nothing becomes of it.
    pub(super) fn cancel(&mut self, id: u32) {
        if let Some(index) = self.under_way(id) {
            let (sent_at, turn_at) = (Duration::ZERO, Duration::ZERO);
            self.marks[index] = OwnMark { id, wet: Wet::Dropped, over: true, sent_at, turn_at, echoes: ECHOES + 1 };
        }
    }

    /// What is to be sent now.
    pub(super) fn due(&mut self, now: Duration) -> Vec<Live> {
        let mut messages = Vec::new();
        for own in &mut self.marks {
            own.due(now, &mut messages);
        }
        self.marks.retain(|own| !own.over || own.echoes > 0);
        if self.cursor.is_some() && now >= self.cursor_at + CURSOR_EVERY {
            self.cursor_at = now;
            messages.extend(self.cursor.take().map(|Place { x, y }| Live::Cursor { x, y }));
        }
        messages
    }
}

impl OwnMark {
    fn due(&mut self, now: Duration, messages: &mut Vec<Live>) {
        let fresh = match &self.wet {
            Wet::Stroke { points, sent, .. } => *sent < points.len(),
            Wet::Shape { sent, .. } => !sent,
            // One more than the echoes that are to follow.
            Wet::Dropped => self.echoes > ECHOES,
        };
        if fresh && (self.over || now + EARLY >= self.turn_at) {
            self.echoes = ECHOES;
        } else if self.echoes > 0 && (now >= self.sent_at + ECHO_AFTER) {
            self.echoes -= 1;
        } else {
            return;
        }
        (self.sent_at, self.turn_at) = (now, self.turn_at.max(now) + BETWEEN);
        let stroke = self.id;
        match &mut self.wet {
            Wet::Stroke { ink, points, sent } => {
                let mut from = sent.saturating_sub(REPEATED);
                while from < points.len() {
                    let to = points.len().min(from + limits::LIVE_POINTS);
                    let index = u16::try_from(from).unwrap_or(u16::MAX);
                    messages.push(Live::Ink { stroke, ink: *ink, from: index, points: points[from..to].to_vec() });
                    from = to;
                }
                *sent = points.len();
            }
            Wet::Shape { shape, sent } => {
                *sent = true;
                messages.push(Live::Shape { stroke, shape: *shape });
            }
            Wet::Dropped => messages.push(Live::Dropped { stroke }),
        }
    }
}

/// What of the peer's live messages is let through.
#[derive(Default)]
pub(super) struct PeerInk {
    second: u64,
    messages: u32,
    sheets: f32,
    committed: VecDeque<u32>,
    /// Messages that no honest program sends, or too many of them.
    pub refused: u64,
}

impl PeerInk {
    /// Ink of this number that comes later is late.
    pub(super) fn committed(&mut self, live: u32) {
        self.committed.push_back(live);
        if self.committed.len() > REMEMBERED {
            self.committed.pop_front();
        }
    }

    /// What the page is told of it, if anything.
    pub(super) fn admit(&mut self, live: Live, now: Duration) -> Option<Event> {
        if self.second != now.as_secs() {
            (self.second, self.messages, self.sheets) = (now.as_secs(), 0, 0.0);
        }
        self.messages += 1;
        if let Live::Ink { ink, points, .. } = &live {
            self.sheets += sheets(points, ink.size);
        }
        if self.messages > PEER_MESSAGES || self.sheets > PEER_SHEETS || !sound(&live) {
            self.refused += 1;
            return None;
        }
        match live {
            Live::Cursor { x, y } => Some(Event::PeerCursor { x, y }),
            Live::Ink { stroke, .. } | Live::Shape { stroke, .. } if self.committed.contains(&stroke) => None,
            Live::Ink { stroke, ink, from, points } => Some(Event::PeerInk { stroke, ink, from, points }),
            Live::Shape { stroke, shape } => Some(Event::PeerShape { stroke, shape }),
            Live::Dropped { stroke } => Some(Event::PeerDropped { stroke }),
        }
    }
}

fn sound(live: &Live) -> bool {
    let inside = |x: u16, y: u16| x <= PAPER_WIDTH && y <= PAPER_HEIGHT;
    let brush = |colour: Option<u32>, size: u16| colour.is_none_or(|colour| COLOURS.contains(&colour)) && SIZES.contains(&size);
    match live {
        Live::Cursor { x, y } => inside(*x, *y),
        Live::Ink { ink, from, points, .. } => {
            brush(ink.colour, ink.size)
                && usize::from(*from) + points.len() <= limits::STROKE_POINTS
                && points.iter().all(|point| inside(point.x, point.y))
        }
        Live::Shape { shape, .. } => {
            brush(Some(shape.colour), shape.size) && inside(shape.from.x, shape.from.y) && inside(shape.to.x, shape.to.y)
        }
        Live::Dropped { .. } => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_wire::paper::Form;

    const PEN: Ink = Ink { colour: Some(1), size: 10, fades: false };

    fn points(from: usize, count: usize) -> Vec<Point> {
        (from..from + count).map(|at| Point { x: (at % 16_000) as u16, y: 5, pressure: 128 }).collect()
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn indices(messages: &[Live]) -> Vec<(u16, usize)> {
        let index = |live: &Live| match live {
            Live::Ink { from, points, .. } => (*from, points.len()),
            other => panic!("{other:?}"),
        };
        messages.iter().map(index).collect()
    }

    #[test]
    fn every_point_is_sent_and_the_last_ones_twice() {
        let mut ink = OwnInk::default();
        ink.points(7, Ink { colour: Some(0xFF00_0001), size: 2, fades: false }, points(0, 100));
        let first = ink.due(ms(20));
        assert_eq!(indices(&first), [(0, 64), (64, 36)]);
        assert!(matches!(first[0], Live::Ink { stroke: 7, ink: Ink { colour: Some(1), size: 5, fades: false }, .. }));
        ink.points(7, PEN, points(100, 1));
        assert_eq!(indices(&ink.due(ms(21))), [(92, 9)], "what was held up comes close together");
        assert!(matches!(ink.end(7), Some(Mark::Stroke(stroke)) if stroke.points.len() == 101));
        assert!(ink.end(7).is_none());
    }

    /// Not more often than the other screen can show it, whatever the page brings.
    #[test]
    fn a_second_of_points_is_so_many_messages_at_most() {
        let mut ink = OwnInk::default();
        let messages = (0..1000).map(|now| {
            ink.points(7, PEN, points(now, 1));
            ink.due(ms(20 + now as u64)).len()
        });
        let messages: usize = messages.sum();
        assert!((140..=145).contains(&messages), "{messages}");
    }

    #[test]
    fn the_end_of_a_stroke_goes_out_at_once_and_is_repeated_twice() {
        let mut ink = OwnInk::default();
        ink.points(7, PEN, points(0, 9));
        ink.due(ms(20));
        ink.points(7, PEN, points(9, 1));
        ink.end(7);
        assert_eq!(indices(&ink.due(ms(21))), [(1, 9)]);
        let echoes: Vec<_> = (30..1000).step_by(10).flat_map(|now| indices(&ink.due(ms(now)))).collect();
        assert_eq!(echoes, [(2, 8), (2, 8)]);
        assert!(ink.marks.is_empty());
    }

    #[test]
    fn a_long_line_becomes_several_strokes_that_touch() {
        let mut ink = OwnInk::default();
        let full = ink.points(1, PEN, points(0, 5000));
        let [Mark::Stroke(full)] = &full[..] else { panic!("{} strokes", full.len()) };
        assert_eq!(full.points.len(), limits::STROKE_POINTS);
        let Some(Mark::Stroke(rest)) = ink.end(1) else { panic!("no rest") };
        assert_eq!(full.points.last(), rest.points.first());
        assert_eq!(full.points.len() + rest.points.len(), 5001);
    }

    #[test]
    fn fading_ink_and_what_is_dropped_become_nothing() {
        let mut ink = OwnInk::default();
        assert!(ink.points(1, Ink { fades: true, ..PEN }, points(0, 5000)).is_empty());
        assert!(ink.due(ms(20)).len() > 10);
        assert!(ink.end(1).is_none());
        ink.points(2, PEN, points(0, 5));
        ink.cancel(2);
        assert!(ink.end(2).is_none());
        assert!(ink.due(ms(21)).contains(&Live::Dropped { stroke: 2 }));
    }

    #[test]
    fn a_shape_is_sent_when_it_changes() {
        let shape = |x| Shape { form: Form::Line, colour: 1, size: 9, from: Place { x: 1, y: 1 }, to: Place { x, y: 9 } };
        let mut ink = OwnInk::default();
        ink.shape(3, shape(60_000));
        assert_eq!(ink.due(ms(20)), [Live::Shape { stroke: 3, shape: shape(16_000) }]);
        ink.shape(3, shape(16_000));
        assert!(ink.due(ms(30)).is_empty());
        ink.shape(3, shape(8));
        assert_eq!(ink.due(ms(31)).len(), 1);
        assert_eq!(ink.end(3), Some(Mark::Shape(shape(8))));
    }

    /// A stroke across the whole sheet and back with every point, as wide as can be, costs whoever draws it most.
    #[test]
    fn more_ink_than_a_hand_has_is_not_shown() {
        let there = |at: u16| Point { x: at % 2 * 16_000, y: at * 150, pressure: 255 };
        let wild = |stroke| Live::Ink { stroke, ink: Ink { size: 1000, ..PEN }, from: 0, points: (0..64).map(there).collect() };
        let mut peer = PeerInk::default();
        let through = (0..200).filter(|stroke| peer.admit(wild(*stroke), ms(9000)).is_some()).count();
        assert!(through <= 2, "{through} of them");
        // Half a second of a fast hand: each message repeats eight points and brings four.
        let hand = |at: u16| Point { x: at * 100 % 16_000, y: 5000, pressure: 128 };
        let mut peer = PeerInk::default();
        let fast = |from: u16| Live::Ink {
            stroke: 1,
            ink: Ink { size: 600, ..PEN },
            from,
            points: (from..from + 12).map(hand).collect(),
        };
        assert!((0..75).all(|message| peer.admit(fast(message * 4), ms(9000)).is_some()));
    }

    #[test]
    fn late_wild_and_flooding_ink_of_the_peer_is_dropped() {
        let live = |stroke, from, size| Live::Ink { stroke, ink: Ink { size, ..PEN }, from, points: points(0, 3) };
        let now = Duration::from_secs(9);
        let mut peer = PeerInk::default();
        assert!(peer.admit(live(4, 0, 10), now).is_some());
        peer.committed(4);
        assert!(peer.admit(live(4, 0, 10), now).is_none(), "of a stroke that is committed");
        assert_eq!(peer.refused, 0, "which is nobody's fault");
        assert!(peer.admit(live(5, 4095, 10), now).is_none());
        assert!(peer.admit(live(5, 0, 4), now).is_none());
        assert!(peer.admit(Live::Cursor { x: 16_001, y: 0 }, now).is_none());
        let cursor = || Live::Cursor { x: 1, y: 1 };
        let through = (0..1000).filter(|_| peer.admit(cursor(), now).is_some()).count();
        assert!(through < 240);
        assert!(peer.refused > 700);
        assert!(peer.admit(cursor(), now + Duration::from_secs(1)).is_some());
    }
}

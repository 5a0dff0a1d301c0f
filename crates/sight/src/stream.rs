//! What a receiver knows of a picture beside its pixels: how many bytes it took, whether it was drawn anew, its size.
//!
//! Used with care, since a peer chooses how to encode: it makes sooner of a picture that stands still what it is, and keeps a key
//! frame or another size from hiding that it does. By itself it neither clears nor blames anybody. Of the bits of a covered lens
//! nothing is concluded: a sensor's noise in the dark costs an encoder as much as a face (median of the set's covers: 0.99 of the
//! bytes before).

use crate::planes::Planes;

/// Of one coded picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    pub bytes: usize,
    /// A key frame: all of the picture was drawn anew.
    pub key: bool,
}

/// Looks whose most expensive one is held against what is usual, and the share of a look in what is usual (4 s).
const FEW: usize = 6;
const SHARE: f32 = 1.0 / 60.0;
const SLOWER: f32 = 8.0;
/// Looks until it is known what is usual.
const YOUNG: u32 = 15;
/// Open cameras of the set and of composed clips never fell under 0.57 of what was usual for them; repeated and drawn pictures
/// went to 0.01 to 0.31 with VP8 within a second.
const HARDLY_ANY: f32 = 0.45;

/// One look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// Drawn anew, and the look before was not: what changed may be the encoder's doing. Not told twice in a row, so that a
    /// stream of nothing but key frames hides nothing.
    pub redrawn: bool,
    /// The pictures cost next to nothing of what is usual.
    pub cheap: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// Since the last look.
    bytes: usize,
    pictures: usize,
    key: bool,
    size: Option<(usize, usize)>,
    resized: bool,
    redrawn: bool,
    /// Bytes per picture of the last looks, newest last.
    recent: Vec<f32>,
    usual: f32,
    looks: u32,
}

impl Stream {
    /// Each picture, also those that are not looked at.
    pub fn came(&mut self, picture: &Planes<'_>, received: Option<Received>) {
        let size = (picture.width, picture.height);
        self.resized |= self.size.replace(size).is_some_and(|last| last != size);
        if let Some(received) = received {
            self.bytes = self.bytes.saturating_add(received.bytes);
            self.pictures += 1;
            self.key |= received.key;
        }
    }

    pub fn look(&mut self) -> Arrival {
        let (key, resized) = (std::mem::take(&mut self.key), std::mem::take(&mut self.resized));
        let redrawn = (key || resized) && !self.redrawn;
        self.redrawn = redrawn;
        let (bytes, pictures) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.pictures));
        let cheap = pictures > 0 && !key && self.costs(bytes as f32 / pictures as f32);
        Arrival { redrawn, cheap }
    }

    fn costs(&mut self, bytes: f32) -> bool {
        if self.recent.len() == FEW {
            self.recent.remove(0);
        }
        self.recent.push(bytes);
        self.looks = self.looks.saturating_add(1);
        let most = self.recent.iter().copied().fold(0.0, f32::max);
        let cheap = self.looks > YOUNG && most < HARDLY_ANY * self.usual;
        // A standstill does not become usual soon, but a path that became narrow does.
        let share = if cheap { SHARE / SLOWER } else { SHARE.max(1.0 / self.looks as f32) };
        self.usual += share * (bytes - self.usual);
        cheap
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planes::Plane;

    fn come(stream: &mut Stream, size: (usize, usize), bytes: usize, key: bool) -> Arrival {
        let data = vec![0; size.0 * size.1];
        let plane = Plane { data: &data, stride: size.0 };
        let planes = Planes { width: size.0, height: size.1, y: plane, u: plane, v: plane };
        stream.came(&planes, Some(Received { bytes, key }));
        stream.look()
    }

    const SIZE: (usize, usize) = (32, 18);

    #[test]
    fn pictures_that_cost_next_to_nothing_are_cheap_until_they_cost_again() {
        let mut stream = Stream::default();
        for look in 0..60 {
            assert!(!come(&mut stream, SIZE, 900 + look % 7 * 60, false).cheap);
        }
        let after = (1..20).find(|_| come(&mut stream, SIZE, 120, false).cheap);
        assert_eq!(after, Some(FEW));
        for _ in 0..600 {
            assert!(come(&mut stream, SIZE, 120, false).cheap);
        }
        assert!(!come(&mut stream, SIZE, 900, false).cheap);
    }

    #[test]
    fn a_stream_that_was_always_poor_is_not_cheap() {
        let mut stream = Stream::default();
        for _ in 0..200 {
            assert!(!come(&mut stream, SIZE, 90, false).cheap);
        }
    }

    #[test]
    fn what_was_drawn_anew_is_told_once() {
        let mut stream = Stream::default();
        assert!(!come(&mut stream, SIZE, 500, false).redrawn);
        assert!(come(&mut stream, SIZE, 5000, true).redrawn);
        assert!(!come(&mut stream, SIZE, 5000, true).redrawn);
        assert!(!come(&mut stream, SIZE, 500, false).redrawn);
        assert!(come(&mut stream, (64, 36), 900, false).redrawn);
        assert!(!come(&mut stream, (64, 36), 900, false).redrawn);
    }

    #[test]
    fn nothing_is_cheap_before_it_is_known_what_is_usual() {
        let mut stream = Stream::default();
        assert!(!stream.costs(1000.0));
        // The mean so far is usual: 10 bytes would be next to nothing of it.
        for look in 2..=YOUNG {
            assert!(!stream.costs(10.0), "look {look}");
        }
        assert!((stream.usual - (1000.0 + 14.0 * 10.0) / 15.0).abs() < 0.01, "{}", stream.usual);
        assert!(stream.costs(10.0));
    }

    #[test]
    fn cheap_is_what_stays_under_its_share_for_all_of_the_last_looks() {
        let known = |recent: [f32; FEW]| Stream { usual: 1000.0, looks: 1000, recent: recent.to_vec(), ..Stream::default() };
        assert!(known([440.0; FEW]).costs(440.0));
        assert!(!known([460.0; FEW]).costs(440.0));
        let (mut oldest, mut newest) = ([440.0; FEW], [440.0; FEW]);
        (oldest[0], newest[1]) = (460.0, 460.0);
        assert!(known(oldest).costs(440.0), "it is forgotten with this look");
        assert!(!known(newest).costs(440.0));
        // What is usual follows within some seconds, and eight times slower while pictures are cheap.
        for (bytes, usual) in [(400.0, 1000.0 - 600.0 / 480.0), (700.0, 1000.0 - 300.0 / 60.0)] {
            let mut stream = known([0.0; FEW]);
            stream.costs(bytes);
            assert!((stream.usual - usual).abs() < 0.01, "{bytes}: {}", stream.usual);
        }
    }

    #[test]
    fn a_look_counts_the_bytes_of_each_picture_since_the_last_and_key_frames_not_at_all() {
        let data = [0; 32 * 18];
        let plane = Plane { data: &data, stride: 32 };
        let planes = Planes { width: 32, height: 18, y: plane, u: plane, v: plane };
        let mut stream = Stream::default();
        for bytes in [300, 500] {
            stream.came(&planes, Some(Received { bytes, key: false }));
        }
        stream.came(&planes, None);
        assert_eq!(stream.look(), Arrival::default());
        assert_eq!((stream.recent.as_slice(), stream.looks), (&[400.0][..], 1));
        stream.came(&planes, Some(Received { bytes: 9000, key: true }));
        stream.came(&planes, Some(Received { bytes: 100, key: false }));
        assert_eq!(stream.look(), Arrival { redrawn: true, cheap: false });
        // Of a camera of one's own nothing is known.
        stream.came(&planes, None);
        assert_eq!(stream.look(), Arrival::default());
        assert_eq!((stream.recent.len(), stream.looks), (1, 1));
        // Cheap, but for a key frame.
        (stream.usual, stream.looks, stream.recent) = (1000.0, 1000, vec![0.0; FEW]);
        stream.came(&planes, Some(Received { bytes: 10, key: true }));
        assert!(!stream.look().cheap);
        stream.came(&planes, Some(Received { bytes: 10, key: false }));
        assert!(stream.look().cheap);
    }
}

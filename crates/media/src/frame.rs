//! I420 pictures in pooled buffers: planes y, u, v one after the other in one buffer, rows without padding, chroma half as wide
//! and high rounded up. BT.601 limited range throughout the crate.
//!
//! Knows nothing of where pictures come from or go to.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Larger sides are refused by every source and by the decoder.
pub const MAX_SIDE: usize = 1920;
/// Most luma samples of a picture.
pub const MAX_PIXELS: usize = 1920 * 1080;

/// Whether a picture of this size may exist at all: not empty, and no larger than 1920 x 1080 (or upright 1080 x 1920).
pub fn size_is_allowed(width: usize, height: usize) -> bool {
    (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height) && width * height <= MAX_PIXELS
}

/// Bytes of an I420 picture.
pub fn byte_count(width: usize, height: usize) -> usize {
    width * height + 2 * width.div_ceil(2) * height.div_ceil(2)
}

/// How a decoded picture came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coded {
    /// Of the coded picture.
    pub bytes: usize,
    pub key: bool,
    /// When it was complete, on the process's clock.
    pub arrived: Duration,
    /// From its first packet until it could be decoded.
    pub held: Duration,
}

/// One picture. Its buffer goes back to the pool when it is dropped.
pub struct Frame {
    pub width: usize,
    pub height: usize,
    /// Capture time on the process's clock.
    pub captured: Duration,
    /// Of pictures that were decoded.
    pub coded: Option<Coded>,
    data: Vec<u8>,
    home: Arc<Shelf>,
}

impl Frame {
    pub fn y(&self) -> &[u8] {
        &self.data[..self.luma()]
    }

    pub fn u(&self) -> &[u8] {
        let luma = self.luma();
        &self.data[luma..luma + self.chroma()]
    }

    pub fn v(&self) -> &[u8] {
        let start = self.luma() + self.chroma();
        &self.data[start..start + self.chroma()]
    }

    /// (y, u, v)
    pub fn planes_mut(&mut self) -> (&mut [u8], &mut [u8], &mut [u8]) {
        let (luma, chroma) = (self.luma(), self.chroma());
        let (y, rest) = self.data.split_at_mut(luma);
        let (u, v) = rest.split_at_mut(chroma);
        (y, u, v)
    }

    /// All three planes, one after the other.
    pub fn as_bytes(&self) -> &[u8] {
        &self.data
    }

    pub fn as_bytes_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// Size of the u and of the v plane, which is also the stride and the row count.
    pub fn chroma_size(&self) -> (usize, usize) {
        (self.width.div_ceil(2), self.height.div_ceil(2))
    }

    fn luma(&self) -> usize {
        self.width * self.height
    }

    fn chroma(&self) -> usize {
        let (width, height) = self.chroma_size();
        width * height
    }
}

/// Sizes and time only: pictures do not belong in logs.
impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({}x{} at {:?})", self.width, self.height, self.captured)
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.home.back(std::mem::take(&mut self.data));
    }
}

/// Buffers that are not in use, and how many are.
struct Shelf {
    capacity: usize,
    state: Mutex<State>,
    dropped: AtomicU64,
}

#[derive(Default)]
struct State {
    free: Vec<Vec<u8>>,
    in_use: usize,
}

impl Shelf {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn back(&self, buffer: Vec<u8>) {
        let mut state = self.state();
        state.in_use -= 1;
        state.free.push(buffer);
    }
}

/// Bounded: an empty pool gives `None`, the new frame is dropped and counted. Cheap to clone; clones share the buffers. Buffers
/// are allocated on first use and follow changes of size.
#[derive(Clone)]
pub struct FramePool(Arc<Shelf>);

impl FramePool {
    pub fn new(capacity: usize) -> Self {
        Self(Arc::new(Shelf { capacity, state: Mutex::default(), dropped: AtomicU64::new(0) }))
    }

    /// A picture with undefined contents (those of an earlier picture, possibly). `None`: all buffers are in use, or the size
    /// is not allowed.
    pub fn frame(&self, width: usize, height: usize, captured: Duration) -> Option<Frame> {
        let buffer = size_is_allowed(width, height).then(|| self.buffer()).flatten();
        let Some(mut data) = buffer else {
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        data.resize(byte_count(width, height), 0);
        Some(Frame { width, height, captured, coded: None, data, home: Arc::clone(&self.0) })
    }

    fn buffer(&self) -> Option<Vec<u8>> {
        let mut state = self.0.state();
        if state.in_use >= self.0.capacity {
            return None;
        }
        state.in_use += 1;
        Some(state.free.pop().unwrap_or_default())
    }

    /// A copy of `frame` in a buffer of this pool.
    pub fn copy_of(&self, frame: &Frame) -> Option<Frame> {
        let mut copy = self.frame(frame.width, frame.height, frame.captured)?;
        copy.coded = frame.coded;
        copy.data.copy_from_slice(&frame.data);
        Some(copy)
    }

    /// How many pictures were not made because all buffers were in use.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// Buffers out at this moment.
    pub fn in_use(&self) -> usize {
        self.0.state().in_use
    }
}

impl fmt::Debug for FramePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FramePool({} of {} in use)", self.in_use(), self.0.capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_of_odd_sizes_are_rounded_up() {
        let pool = FramePool::new(1);
        let mut frame = pool.frame(5, 3, Duration::ZERO).unwrap();
        assert_eq!(frame.chroma_size(), (3, 2));
        assert_eq!((frame.y().len(), frame.u().len(), frame.v().len()), (15, 6, 6));
        let (y, u, v) = frame.planes_mut();
        y.fill(1);
        u.fill(2);
        v.fill(3);
        assert_eq!(frame.as_bytes(), [[1; 15].as_slice(), &[2; 6], &[3; 6]].concat());
        assert_eq!((frame.y()[14], frame.u()[0], frame.v()[5]), (1, 2, 3));
    }

    #[test]
    fn an_empty_pool_drops_and_counts() {
        let pool = FramePool::new(2);
        let first = pool.frame(16, 16, Duration::ZERO).unwrap();
        let _second = pool.frame(32, 16, Duration::ZERO).unwrap();
        assert!(pool.frame(16, 16, Duration::ZERO).is_none());
        assert_eq!((pool.dropped(), pool.in_use()), (1, 2));
        drop(first);
        let again = pool.frame(640, 360, Duration::from_secs(1)).unwrap();
        assert_eq!(again.as_bytes().len(), byte_count(640, 360));
        assert_eq!(pool.dropped(), 1);
    }

    #[test]
    fn a_frame_outlives_its_pool_and_may_be_dropped_elsewhere() {
        let pool = FramePool::new(1);
        let frame = pool.frame(16, 16, Duration::ZERO).unwrap();
        let other = pool.clone();
        drop(pool);
        std::thread::spawn(move || drop(frame)).join().unwrap();
        assert_eq!(other.in_use(), 0);
    }

    #[test]
    fn impossible_sizes_are_refused() {
        let pool = FramePool::new(1);
        for (width, height) in [(0, 16), (16, 0), (4000, 16), (1920, 1920), (usize::MAX, usize::MAX)] {
            assert!(pool.frame(width, height, Duration::ZERO).is_none(), "{width}x{height}");
        }
        assert!(pool.frame(1080, 1920, Duration::ZERO).is_some());
    }

    #[test]
    fn debug_shows_sizes_only() {
        let pool = FramePool::new(1);
        let frame = pool.frame(64, 48, Duration::from_millis(5)).unwrap();
        assert_eq!(format!("{frame:?}"), "Frame(64x48 at 5ms)");
    }
}

//! I420 pictures in pooled buffers.
use std::time::Duration;

/// Skeleton: planes contiguous in one buffer (y, u, v, no padding), returned to the pool when dropped.
pub struct Frame {
    pub width: usize,
    pub height: usize,
    /// Capture time on the process's clock.
    pub captured: Duration,
    data: Vec<u8>,
}

impl Frame {
    pub fn y(&self) -> &[u8] {
        &self.data[..self.width * self.height]
    }
    pub fn u(&self) -> &[u8] {
        &self.data
    }
    pub fn v(&self) -> &[u8] {
        &self.data
    }
    /// (y, u, v)
    pub fn planes_mut(&mut self) -> (&mut [u8], &mut [u8], &mut [u8]) {
        (&mut [], &mut [], &mut [])
    }
    /// All three planes, one after the other.
    pub fn as_bytes(&self) -> &[u8] {
        &self.data
    }
}

/// Bounded: an empty pool gives `None`, the new frame is dropped and counted.
#[derive(Clone)]
pub struct FramePool {}

impl FramePool {
    pub fn new(_capacity: usize) -> Self {
        Self {}
    }
    pub fn frame(&self, width: usize, height: usize, captured: Duration) -> Option<Frame> {
        Some(Frame { width, height, captured, data: Vec::new() })
    }
}

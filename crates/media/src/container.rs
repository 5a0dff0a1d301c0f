//! Files of moving pictures: y4m (raw), IVF and WebM (VP8). Readers only; they trust nothing that the file says.

pub mod ivf;
pub mod webm;
pub mod y4m;

use std::ops::Range;

/// Coded files larger than this are refused: they are held in memory.
pub const MAX_CODED_BYTES: u64 = 512 * 1024 * 1024;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContainerError {
    #[error("it is not {0}")]
    NotThis(&'static str),
    #[error("{0} is not supported")]
    Unsupported(String),
    #[error("it holds no whole picture")]
    Empty,
    #[error("{0}")]
    Io(String),
}

impl From<std::io::Error> for ContainerError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error.to_string())
    }
}

/// Where the coded pictures lie in a file, in order, and how fast they are shown (pictures, seconds).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coded {
    pub pictures: Vec<Range<usize>>,
    pub rate: (u32, u32),
}

/// A rate out of time stamps: `span` units between the first and the last of `count` pictures, each unit `unit` seconds.
/// (0, 0), which nobody can play, when that makes no sense.
fn rate_of(count: usize, span: u64, unit: f64) -> (u32, u32) {
    let seconds = span as f64 * unit;
    let rate = count.saturating_sub(1) as f64 / seconds;
    if count < 2 || !rate.is_finite() || rate <= 0.0 {
        return (0, 0);
    }
    ((rate.min(1e6) * 1000.0).round() as u32, 1000)
}

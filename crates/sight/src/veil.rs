//! The mosaic.
use crate::planes::PlanesMut;

pub const BLOCKS_ACROSS: usize = 32;
pub const BLOCKS_DOWN: usize = 18;

/// Replaces the picture by the means of at most 32 x 18 blocks, in place.
pub fn veil(_picture: &mut PlanesMut<'_>) {}

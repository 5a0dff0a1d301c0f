//! Borrowed views of a planar 4:2:0 picture (I420, BT.601 limited range), the only shape in which this crate sees pixels.

/// One plane: `height` rows of `width` samples, `stride` apart.
#[derive(Clone, Copy)]
pub struct Plane<'a> {
    pub data: &'a [u8],
    pub stride: usize,
}

/// A picture to look at. Chroma planes are half as wide and high, rounded up.
#[derive(Clone, Copy)]
pub struct Planes<'a> {
    pub width: usize,
    pub height: usize,
    pub y: Plane<'a>,
    pub u: Plane<'a>,
    pub v: Plane<'a>,
}

/// A picture to write on.
pub struct PlanesMut<'a> {
    pub width: usize,
    pub height: usize,
    pub y: (&'a mut [u8], usize),
    pub u: (&'a mut [u8], usize),
    pub v: (&'a mut [u8], usize),
}

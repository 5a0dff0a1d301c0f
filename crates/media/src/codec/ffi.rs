//! The only place that talks to libvpx: safe, minimal wrappers around the functions of `shim/vpx_shim.c`.
#![allow(unsafe_code, reason = "libvpx is a C library; every call of it is in this file")]

use super::Codec;
use crate::Frame;
use std::ffi::{c_char, c_int, c_uint, c_ulong};
use std::ptr::{self, NonNull};

mod c {
    use super::*;

    #[repr(C)]
    pub struct Encoder {
        _opaque: [u8; 0],
    }
    #[repr(C)]
    pub struct Decoder {
        _opaque: [u8; 0],
    }

    unsafe extern "C" {
        pub fn vv_encoder_new(
            vp9: c_int,
            width: c_uint,
            height: c_uint,
            kbps: c_uint,
            threads: c_uint,
            speed: c_int,
            key_percent: c_uint,
            why: *mut c_char,
            room: usize,
        ) -> *mut Encoder;
        pub fn vv_encoder_free(encoder: *mut Encoder);
        pub fn vv_encoder_bitrate(encoder: *mut Encoder, kbps: c_uint, why: *mut c_char, room: usize) -> c_int;
        pub fn vv_encode(
            encoder: *mut Encoder,
            y: *const u8,
            u: *const u8,
            v: *const u8,
            microseconds: i64,
            duration: c_ulong,
            key: c_int,
            data: *mut *const u8,
            size: *mut usize,
            is_key: *mut c_int,
            why: *mut c_char,
            room: usize,
        ) -> c_int;
        pub fn vv_decoder_new(vp9: c_int, threads: c_uint, why: *mut c_char, room: usize) -> *mut Decoder;
        pub fn vv_decoder_free(decoder: *mut Decoder);
        pub fn vv_decode(
            decoder: *mut Decoder,
            data: *const u8,
            size: c_uint,
            width: *mut c_uint,
            height: *mut c_uint,
            planes: *mut *const u8,
            strides: *mut c_int,
            why: *mut c_char,
            room: usize,
        ) -> c_int;
    }
}

/// Room for libvpx's own words about a failure.
struct Why([u8; 256]);

impl Why {
    fn new() -> Self {
        Self([0; 256])
    }

    fn pointer(&mut self) -> *mut c_char {
        self.0.as_mut_ptr().cast()
    }

    fn text(&self) -> String {
        let end = self.0.iter().position(|&byte| byte == 0).unwrap_or(self.0.len());
        String::from_utf8_lossy(&self.0[..end]).into_owned()
    }
}

fn is_vp9(codec: Codec) -> c_int {
    c_int::from(codec == Codec::Vp9)
}

pub(super) struct EncoderSettings {
    pub codec: Codec,
    pub width: usize,
    pub height: usize,
    pub kbps: u32,
    pub threads: u32,
    /// libvpx's cpu-used: the further from zero the faster; negative in VP8 for a fixed speed.
    pub speed: i32,
    /// Largest key frame in percent of the average frame.
    pub key_percent: u32,
}

pub(super) struct Encoder {
    encoder: NonNull<c::Encoder>,
    width: usize,
    height: usize,
}

// SAFETY: a libvpx context may be used from any thread, by one at a time; `&mut self` sees to that.
unsafe impl Send for Encoder {}

impl Encoder {
    pub fn new(settings: &EncoderSettings) -> Result<Self, String> {
        let &EncoderSettings { codec, width, height, kbps, threads, speed, key_percent } = settings;
        if !crate::frame::size_is_allowed(width, height) {
            return Err(format!("a picture of {width}x{height} is not allowed"));
        }
        let mut why = Why::new();
        // SAFETY: `why` has the room that is announced.
        let encoder = unsafe {
            let (width, height) = (width as c_uint, height as c_uint);
            c::vv_encoder_new(is_vp9(codec), width, height, kbps, threads, speed, key_percent, why.pointer(), why.0.len())
        };
        NonNull::new(encoder).map(|encoder| Self { encoder, width, height }).ok_or_else(|| why.text())
    }

    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    pub fn set_bitrate(&mut self, kbps: u32) -> Result<(), String> {
        let mut why = Why::new();
        // SAFETY: the encoder lives as long as `self`; `why` has the room that is announced.
        match unsafe { c::vv_encoder_bitrate(self.encoder.as_ptr(), kbps, why.pointer(), why.0.len()) } {
            0 => Ok(()),
            _ => Err(why.text()),
        }
    }

    /// `None`: dropped by rate control. The `bool` tells whether it is a key frame.
    pub fn encode(
        &mut self,
        frame: &Frame,
        microseconds: i64,
        duration: u32,
        key: bool,
    ) -> Result<Option<(Vec<u8>, bool)>, String> {
        if (frame.width, frame.height) != self.size()
            || frame.as_bytes().len() != crate::frame::byte_count(self.width, self.height)
        {
            return Err("the picture does not have the size of the encoder".to_owned());
        }
        let (mut why, mut data, mut size, mut is_key) = (Why::new(), ptr::null(), 0, 0);
        // SAFETY: the planes have exactly the size the encoder was made for (checked above) and are only read; the out
        // pointers and `why` live until the call returns.
        let outcome = unsafe {
            let (y, u, v) = (frame.y().as_ptr(), frame.u().as_ptr(), frame.v().as_ptr());
            let (encoder, key, room) = (self.encoder.as_ptr(), c_int::from(key), why.0.len());
            let duration = c_ulong::from(duration);
            c::vv_encode(encoder, y, u, v, microseconds, duration, key, &mut data, &mut size, &mut is_key, why.pointer(), room)
        };
        match outcome {
            1 => {
                // SAFETY: libvpx keeps the packet until the next call on this encoder; it is copied before.
                let packet = unsafe { std::slice::from_raw_parts(data, size) }.to_vec();
                Ok(Some((packet, is_key != 0)))
            }
            0 => Ok(None),
            _ => Err(why.text()),
        }
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: made by `vv_encoder_new`, freed once.
        unsafe { c::vv_encoder_free(self.encoder.as_ptr()) }
    }
}

/// A decoded picture inside libvpx's own buffers, valid until the next call on its decoder.
pub(super) struct Decoded<'a> {
    pub width: usize,
    pub height: usize,
    /// y, u, v with their strides; each slice covers its last row.
    pub planes: [(&'a [u8], usize); 3],
}

pub(super) struct Decoder(NonNull<c::Decoder>);

// SAFETY: as for `Encoder`.
unsafe impl Send for Decoder {}

impl Decoder {
    pub fn new(codec: Codec, threads: u32) -> Result<Self, String> {
        let mut why = Why::new();
        // SAFETY: `why` has the room that is announced.
        let decoder = unsafe { c::vv_decoder_new(is_vp9(codec), threads, why.pointer(), why.0.len()) };
        NonNull::new(decoder).map(Self).ok_or_else(|| why.text())
    }

    /// `None`: nothing to show.
    pub fn decode(&mut self, data: &[u8]) -> Result<Option<Decoded<'_>>, String> {
        let size = c_uint::try_from(data.len()).map_err(|_| "too much data for one picture".to_owned())?;
        let (mut why, mut width, mut height) = (Why::new(), 0, 0);
        let (mut planes, mut strides) = ([ptr::null(); 3], [0; 3]);
        // SAFETY: `data` is only read; the arrays hold three entries each; all pointers live until the call returns.
        let outcome = unsafe {
            let (planes, strides, room) = (planes.as_mut_ptr(), strides.as_mut_ptr(), why.0.len());
            c::vv_decode(self.0.as_ptr(), data.as_ptr(), size, &mut width, &mut height, planes, strides, why.pointer(), room)
        };
        match outcome {
            1 => {}
            0 => return Ok(None),
            _ => return Err(why.text()),
        }
        let (width, height) = (width as usize, height as usize);
        let plane = |index: usize| {
            let (columns, rows) = if index == 0 { (width, height) } else { (width.div_ceil(2), height.div_ceil(2)) };
            let stride = usize::try_from(strides[index]).ok().filter(|&stride| stride >= columns && rows > 0)?;
            let pointer = NonNull::new(planes[index].cast_mut())?;
            // SAFETY: libvpx allocates `rows` rows of `stride` bytes for a picture of the size it reports, and leaves them
            // alone until the next call, which `&mut self` forbids while the slice lives.
            Some((unsafe { std::slice::from_raw_parts(pointer.as_ptr().cast_const(), stride * (rows - 1) + columns) }, stride))
        };
        match (plane(0), plane(1), plane(2)) {
            (Some(y), Some(u), Some(v)) => Ok(Some(Decoded { width, height, planes: [y, u, v] })),
            _ => Err("libvpx gave a picture without pixels".to_owned()),
        }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: made by `vv_decoder_new`, freed once.
        unsafe { c::vv_decoder_free(self.0.as_ptr()) }
    }
}

//! Figures of a call, once a second. They hold no address and no name.
use serde::Serialize;
use ts_rs::TS;

#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct Statistics {
    pub sent_kbps: u32,
    pub received_kbps: u32,
    /// Pictures a second.
    pub sent_fps: f32,
    pub received_fps: f32,
    pub sent_width: u32,
    pub sent_height: u32,
    pub received_width: u32,
    pub received_height: u32,
    /// Share of the peer's packets that never came, percent.
    pub loss_percent: f32,
    pub round_trip_ms: Option<f32>,
    pub encode_ms: f32,
    pub decode_ms: f32,
    pub jitter_buffer_ms: f32,
    pub freezes: u32,
    pub nacks_sent: u32,
    pub key_frames_asked: u32,
    /// Messages of the peer that could not be read.
    pub malformed: u32,
    /// True when media goes through a relay.
    pub relayed: bool,
}

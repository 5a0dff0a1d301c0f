//! What the rate control answers, and what it tells of itself.

/// What may leave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Allowance {
    /// For the encoder: without packet headers, sound and repairs.
    pub video_kbps: u32,
    /// For everything on the wire.
    pub target_kbps: u32,
    pub pace_kbps: u32,
    /// Bytes that may be under way before pictures wait.
    pub window: u64,
    /// The next picture should be cut into enough packets for a probe.
    pub probe: bool,
}

/// What is known, for statistics and the words about it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    pub target_kbps: u32,
    pub acknowledged_kbps: u32,
    pub queue_ms: f32,
    pub jitter_ms: f32,
    /// A limit of the path was met and holds the target down.
    pub limited: bool,
    /// Share of the packets that is usually lost, and that the path loses whatever is sent; 0 to 1.
    pub lost: f32,
    pub lost_by_path: f32,
}

//! Every decoder of bytes from outside as a function that must survive any input, and must agree with itself where it accepts one.
//!
//! Driven in two ways: by libFuzzer with coverage (`cargo xtask fuzz`), and by seeded changes of the corpora on every test run
//! (`tests/seeded.rs`). What crashes becomes a file in `corpus/NAME`, where both begin.

mod bytes;
mod files;
mod link;
pub mod mutate;
mod peer;
mod server;

/// One decoder.
pub struct Target {
    /// Of its folder in `corpus`, too.
    pub name: &'static str,
    pub run: fn(&[u8]),
    /// How often a test run tries it: fewer times where an input costs more.
    pub tries: u32,
}

pub const TARGETS: [Target; 18] = [
    Target { name: "socket", run: server::socket, tries: 30_000 },
    Target { name: "http", run: server::http, tries: 5_000 },
    Target { name: "signalling", run: server::signalling, tries: 20_000 },
    Target { name: "datagrams", run: server::datagrams, tries: 20_000 },
    Target { name: "bus", run: server::bus, tries: 20_000 },
    Target { name: "settings", run: server::settings, tries: 6_000 },
    Target { name: "picture", run: server::picture, tries: 400 },
    Target { name: "evidence", run: server::evidence, tries: 20_000 },
    Target { name: "link", run: link::link, tries: 20_000 },
    Target { name: "channel", run: peer::channel, tries: 40_000 },
    Target { name: "packets", run: peer::packets, tries: 20_000 },
    Target { name: "pictures", run: peer::pictures, tries: 2_000 },
    Target { name: "voice", run: peer::voice, tries: 1_000 },
    Target { name: "paper", run: peer::paper, tries: 6_000 },
    Target { name: "game", run: peer::game, tries: 10_000 },
    Target { name: "video", run: files::video, tries: 30_000 },
    Target { name: "camera", run: files::camera, tries: 10_000 },
    Target { name: "plan", run: files::plan, tries: 6_000 },
];

//! Measuring calls over bad networks: two peers in network namespaces of their own with a link between them that a scenario
//! describes, a camera file with a frame number burnt into every frame, and a scorer that reads what was shown.
//!
//! | module | does |
//! |---|---|
//! | [`signalling`] | the server of the rig: a start signal, signals back and forth, a relay |
//! | [`peer`] | one side of a call with the product's own engine |
//! | [`journal`] | what a side writes for the scorer: `log.csv` and pictures |
//! | [`voice`] | something to say |
//! | [`scenario`], [`link`] | what a network does to packets, as a file and as a state machine |
//! | [`system`], [`namespaces`], [`router`], [`run`] | the network itself, and a run in it (Linux, as root) |
//! | [`score`], [`table`] | figures of a run, and of many |
//! | [`bench`] | our peer and Chromium's in turns |
//! | [`camera_file`] | what the cameras see |
//! | [`page`] | the server of a pair of Chromium pages, to compare with |
//!
//! A side is told by the environment: `RIG_SIDE` (a, b), `RIG_ROLE` (caller, callee), `RIG_SELF_IP`, `RIG_PEER_IP`,
//! `RIG_SERVER_IP`, `RIG_SECONDS` (length of the call, from its start), `RIG_OUT` (its folder).

#[cfg(target_os = "linux")]
pub mod bench;
pub mod camera_file;
pub mod journal;
pub mod link;
#[cfg(target_os = "linux")]
pub mod namespaces;
pub mod page;
pub mod peer;
#[cfg(target_os = "linux")]
pub mod router;
#[cfg(target_os = "linux")]
pub mod run;
pub mod scenario;
pub mod score;
pub mod signalling;
#[cfg(target_os = "linux")]
pub mod system;
pub mod table;
pub mod voice;

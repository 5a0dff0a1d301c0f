//! Rehearsing evenings on one machine: the real server in this process ([`stage`]), a browser that signs a test identity in by
//! itself ([`browser`]), a headless peer ([`bot`]) and how it plays ([`player`]), real app windows driven through WebDriver ([`window`]), two of them in a call
//! ([`two_windows`]), a game between them ([`game_story`]), how fast ink crosses ([`ink`]), and how
//! long a start takes ([`cold_start`]), and what a call costs in memory ([`memory`]).
//!
//! Used by tests, benches and `visavis-bot`; product code never depends on it.

pub mod bot;
pub mod browser;
pub mod cold_start;
pub mod cover;
pub mod display;
pub mod game_story;
pub mod ink;
pub mod memory;
pub mod player;
pub mod processes;
pub mod rehearse;
pub mod rig;
pub mod rude;
pub mod soak;
pub mod stage;
pub mod two_windows;
pub mod veil;
pub mod webdriver;
pub mod window;

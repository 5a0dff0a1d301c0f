//! The server as its clients see it: over real sockets on loopback, signed in through the development issuer.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod after;
mod backup;
mod calls;
mod clock;
mod cluster;
mod deploy;
mod doors;
mod evening;
mod faults;
#[cfg(target_os = "linux")]
mod full_disk;
mod identity;
mod issuer;
mod leaks;
mod operation;
mod pictures;
mod process;
mod relay;
mod safety;
mod support;
mod wrong_tokens;

//! The two calls of the C library that the standard library does not offer.
#![allow(unsafe_code, reason = "signals have no safe interface in the standard library")]

use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

unsafe extern "C" {
    fn kill(process: i32, signal: i32) -> i32;
    fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
}

extern "C" fn remember(_signal: i32) {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// From now on Ctrl-C, a closed terminal and a request to end are only noted.
pub fn note_signals() {
    for number in [SIGHUP, SIGINT, SIGTERM] {
        // SAFETY: the handler only stores into an atomic, which is async-signal-safe.
        unsafe { signal(number, remember) };
    }
}

pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Sends SIGTERM, or SIGKILL, to the process group led by `leader`. False: the group has no member left.
pub fn signal_group(leader: u32, forcibly: bool) -> bool {
    let Ok(leader) = i32::try_from(leader) else { return false };
    let number = if forcibly { SIGKILL } else { SIGTERM };
    // SAFETY: no memory is passed. `leader` is above 1 (it is a child of ours), so the negative value names its group alone.
    leader > 1 && unsafe { kill(-leader, number) } == 0
}

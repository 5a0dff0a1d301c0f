//! CPU time of this thread: the machine may be busy with other things. The one place with `unsafe`, for the system's clock.
#![allow(unsafe_code)]

#[derive(Clone, Copy)]
pub struct Cpu(f64);

impl Cpu {
    pub fn start() -> Self {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is a valid place for the answer.
        unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
        Self(time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9)
    }

    pub fn seconds(self) -> f64 {
        Self::start().0 - self.0
    }
}

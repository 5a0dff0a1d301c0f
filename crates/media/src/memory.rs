//! What a program that calls for half an hour asks of the C library's allocator: that what is freed goes back to the system. Used by
//! libvpx, Opus and Rust alike.
#![allow(unsafe_code, reason = "the C library's allocator is spoken to by C functions")]

/// glibc gives threads arenas of their own, eight for each core, and returns only what lies at the end of one. Each call has ten threads
/// and codecs of some megabytes, and leaves holes in other arenas than the one before: without limits two windows grew from 27 to 154 MiB
/// in nine short calls, with them to 62; in a long evening from 54 to 246 MiB in twelve minutes, with them to 87 in half an hour. To be
/// called before threads are started. Other systems' allocators need nothing.
pub fn return_what_is_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for (limit, value) in [(libc::M_ARENA_MAX, 2), (libc::M_MMAP_THRESHOLD, 512 * 1024), (libc::M_TRIM_THRESHOLD, 256 * 1024)] {
        // SAFETY: takes numbers, and may be called at any time.
        unsafe { libc::mallopt(limit, value) };
    }
}

/// To be called when a call is over: pages that hold nothing any more, wherever between others they lie, go back to the system. By
/// itself the allocator gives back only what lies at the end. Takes milliseconds, in which other threads may wait for memory.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: takes a number, and may be called at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}

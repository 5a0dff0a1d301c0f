//! The loader's answer to whether a library is there.
#![allow(unsafe_code, reason = "loading a library runs what it does at its start")]

use libloading::Library;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Never unloaded: libraries of GLib's kind do not bear it.
static LOADED: LazyLock<Mutex<HashMap<String, Option<Library>>>> = LazyLock::new(Mutex::default);

/// Loads it, for good. Only for libraries that the program would load next anyway.
pub fn can_be_loaded(name: &str) -> bool {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: the names are written down in this program, and such a library does nothing at its start but register itself.
    loaded.entry(name.to_owned()).or_insert_with(|| unsafe { Library::new(name) }.ok()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_there_or_not() {
        assert!(can_be_loaded("libgtk-3.so.0"), "the window needs it");
        assert!(!can_be_loaded("libvisavis-is-no-library.so.1"));
    }
}

//! libFuzzer's way in. Which decoder is fed is `VISAVIS_FUZZ`, or the first of [`visavis_fuzz::TARGETS`].
#![no_main]

use std::sync::OnceLock;
use visavis_fuzz::{TARGETS, Target};

static CHOSEN: OnceLock<&Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let target = CHOSEN.get_or_init(|| match std::env::var("VISAVIS_FUZZ") {
        Ok(name) => TARGETS.iter().find(|target| target.name == name).expect("VISAVIS_FUZZ names no target"),
        Err(_) => &TARGETS[0],
    });
    (target.run)(data);
});

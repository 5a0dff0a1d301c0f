//! Type-checks the workspace as Windows sees it, on a machine that is none: rustc's target and a MinGW compiler for the C
//! sources inside crates. Where either is missing it is said, with what to type.

use crate::{Outcome, processes, tools};
use std::path::Path;

const TARGET: &str = "x86_64-pc-windows-gnu";
const COMPILER: &str = "x86_64-w64-mingw32-gcc";

/// What this machine lacks for it, each with the way to get it.
fn missing(has_target: bool, has_compiler: bool) -> Vec<String> {
    let mut missing = Vec::new();
    if !has_target {
        missing.push(format!("rustc's target (rustup target add {TARGET})"));
    }
    if !has_compiler {
        missing.push(format!("{COMPILER} (on Debian: apt-get install gcc-mingw-w64-x86-64 g++-mingw-w64-x86-64)"));
    }
    missing
}

pub fn check() -> Outcome {
    let folder = processes::output("rustc", &["--print", "target-libdir", "--target", TARGET]);
    let has_target = folder.is_some_and(|folder| Path::new(folder.trim()).is_dir());
    let missing = missing(has_target, tools::on_path(COMPILER));
    if !missing.is_empty() {
        println!("skipped, for this machine lacks {}", missing.join(" and "));
        return Ok(());
    }
    processes::run(tools::cargo().args(["check", "--locked", "--workspace", "--features", "embed-ui", "--target", TARGET]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_missing_is_named_with_the_way_to_get_it() {
        assert_eq!(missing(true, true), [""; 0]);
        assert_eq!(missing(false, true).len(), 1);
        let both = missing(false, false).join(" and ");
        assert!(both.contains("rustup target add") && both.contains("apt-get install"), "{both}");
    }
}

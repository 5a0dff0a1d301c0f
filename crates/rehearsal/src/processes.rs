//! A process and everything it started: what it costs in processor time and private memory, and its end; from `/proc` (Linux only).

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A program that was built together with this one; tests lie a folder deeper.
pub fn beside(name: &str) -> Option<PathBuf> {
    let here = std::env::current_exe().ok()?;
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    here.ancestors().skip(1).take(2).map(|folder| folder.join(&name)).find(|file| file.is_file())
}

/// Sums over a process and its descendants at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub cpu: Duration,
    /// Pages that no other process maps.
    pub private_kib: u64,
    pub processes: usize,
    pub threads: u64,
}

/// Ids of `root` and all its descendants.
pub fn family(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some(parent) = stat(id).and_then(|fields| fields.first().copied()) {
            children.entry(parent as u32).or_default().push(id);
        }
    }
    let mut found = vec![root];
    let mut at = 0;
    while at < found.len() {
        if let Some(more) = children.get(&found[at]) {
            found.extend(more);
        }
        at += 1;
    }
    found
}

/// Not ended, even if nobody asked for its exit code yet.
pub fn is_running(id: u32) -> bool {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    text.rfind(')')
        .and_then(|name| text[name + 1..].split_ascii_whitespace().next())
        .is_some_and(|state| !matches!(state, "Z" | "X"))
}

/// kill -9 of a process that this program started, which may have ended meanwhile.
pub fn kill(id: u32) {
    let _ = Command::new("kill").args(["-KILL", &id.to_string()]).stderr(Stdio::null()).status();
}

/// `/proc/ID/stat` from the parent id on (field 4), after the name, which may hold blanks.
fn stat(id: u32) -> Option<Vec<u64>> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let after = &text[text.rfind(')')? + 1..];
    Some(after.split_ascii_whitespace().skip(1).map(|field| field.parse().unwrap_or(0)).collect())
}

pub fn cost(root: u32) -> Cost {
    sum(family(root))
}

/// Without what it started.
pub fn cost_of(id: u32) -> Cost {
    sum(vec![id])
}

fn sum(ids: Vec<u32>) -> Cost {
    let mut sum = Cost::default();
    for id in ids {
        let Some(fields) = stat(id) else { continue };
        // Fields 14 and 15 (user and system time) in clock ticks of 10 ms; field 20, threads; counted from field 4.
        let ticks = fields.get(10).copied().unwrap_or(0) + fields.get(11).copied().unwrap_or(0);
        sum.cpu += Duration::from_millis(ticks * 10);
        sum.threads += fields.get(16).copied().unwrap_or(0);
        sum.processes += 1;
        let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).unwrap_or_default();
        for line in rollup.lines().filter(|line| line.starts_with("Private_Clean:") || line.starts_with("Private_Dirty:")) {
            sum.private_kib += line.split_ascii_whitespace().nth(1).and_then(|value| value.parse::<u64>().ok()).unwrap_or(0);
        }
    }
    sum
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_child_counts_for_its_parent() {
        let mut child = std::process::Command::new("sleep").arg("5").spawn().unwrap();
        let found = family(std::process::id());
        assert!(found.contains(&child.id()), "{found:?}");
        assert!(cost(std::process::id()).private_kib > 100);
        assert!(is_running(child.id()));
        kill(child.id());
        let begun = std::time::Instant::now();
        while is_running(child.id()) {
            assert!(begun.elapsed() < Duration::from_secs(5), "killed, if not waited for");
            std::thread::sleep(Duration::from_millis(5));
        }
        child.wait().unwrap();
        assert!(!is_running(child.id()));
    }
}

//! The import rules of ARCHITECTURE.md, checked over what cargo resolves and over the sources: which part may use which, what
//! must not be reachable from where, and how long a file may be.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Our own crates that each may use. Tests of a crate (dev-dependencies) may use more.
const MAY_USE: [(&str, &[&str]); 14] = [
    ("visavis-wire", &[]),
    ("visavis-sight", &[]),
    ("visavis-matching", &[]),
    ("visavis-canvas", &["visavis-wire"]),
    ("visavis-games", &["visavis-wire"]),
    ("visavis-media", &["visavis-sight"]),
    ("visavis-call", &["visavis-media", "visavis-sight", "visavis-wire"]),
    ("visavis-session", &["visavis-call", "visavis-canvas", "visavis-games", "visavis-media", "visavis-sight", "visavis-wire"]),
    ("visavis-server", &["visavis-matching", "visavis-wire"]),
    ("visavis", &["visavis-session"]),
    ("visavis-engines", &[]),
    (
        "visavis-rehearsal",
        &[
            "visavis-call",
            "visavis-canvas",
            "visavis-engines",
            "visavis-games",
            "visavis-matching",
            "visavis-media",
            "visavis-server",
            "visavis-session",
            "visavis-sight",
            "visavis-wire",
        ],
    ),
    (
        "visavis-fuzz",
        &[
            "visavis-call",
            "visavis-canvas",
            "visavis-games",
            "visavis-media",
            "visavis-rehearsal",
            "visavis-server",
            "visavis-session",
            "visavis-wire",
        ],
    ),
    ("xtask", &[]),
];

/// What must not be reachable from a crate, however far down.
const NEVER_REACHES: [(&str, &[&str]); 10] = [
    ("visavis-wire", &["tokio", "mio", "reqwest", "rand"]),
    ("visavis-sight", &["tokio", "mio", "reqwest", "rand"]),
    ("visavis-matching", &["tokio", "mio", "reqwest", "rand"]),
    ("visavis-canvas", &["tokio", "mio", "reqwest", "rand"]),
    ("visavis-games", &["tokio", "mio", "reqwest", "rand"]),
    ("visavis-media", &["webrtc", "rtc", "tauri", "reqwest", "axum"]),
    ("visavis-call", &["tauri", "reqwest", "axum"]),
    ("visavis-session", &["tauri", "axum"]),
    ("visavis-server", &["tauri", "webrtc", "cpal"]),
    ("visavis-rehearsal", &["tauri"]),
];

/// What a crate must not name itself, though something below it may use it.
const NEVER_NAMES: [(&str, &[&str]); 4] = [
    ("visavis-media", &["tokio"]),
    ("visavis-call", &["cpal"]),
    ("visavis-session", &["webrtc", "rtc", "cpal"]),
    ("visavis", &["webrtc", "rtc", "reqwest", "cpal", "turn"]),
];

/// Crates of others that only some of ours may name.
const ONLY_NAMED_BY: [(&str, &[&str]); 3] =
    [("tauri", &["visavis"]), ("webrtc", &["visavis-call"]), ("turn", &["visavis-server"])];

/// Features of ours that only some may switch on.
const ONLY_ENABLED_BY: [(&str, &str, &str); 1] = [("visavis-call", "rude", "visavis-rehearsal")];

/// Words that a folder's code must not contain, tests and comments apart.
struct Ban {
    folders: &'static [&'static str],
    word: &'static str,
    /// What the word may be followed by after all.
    unless_followed_by: &'static [&'static str],
    /// Files in which it is allowed.
    except_in: &'static [&'static str],
    reason: &'static str,
}

const PURE: &[&str] = &["crates/wire/src", "crates/sight/src", "crates/matching/src", "crates/canvas/src", "crates/games/src"];

const BANS: [Ban; 8] = [
    ban(PURE, "Instant::now", "time is an argument"),
    ban(PURE, "SystemTime", "time is an argument"),
    ban(PURE, "rand::", "randomness is an argument"),
    ban(PURE, "std::net", "no sockets below the session"),
    ban(&["crates/session/src/evening"], "Instant::now", "time is an argument of the evening's state machine"),
    Ban {
        folders: &["crates/media/src", "crates/call/src"],
        word: "visavis_sight",
        // `View` is what a released picture says of itself.
        unless_followed_by: &["::Released", "::{Released, View}"],
        except_in: &[],
        reason: "the encoder takes released pictures; how they are released is not its business",
    },
    Ban {
        folders: &["crates/session/src"],
        word: "reqwest",
        unless_followed_by: &[],
        except_in: &["crates/session/src/backend.rs", "crates/session/src/backend/check.rs"],
        reason: "one client of the server's interface",
    },
    Ban {
        folders: &["crates"],
        word: "tauri::",
        unless_followed_by: &[],
        except_in: &[],
        reason: "only the shell knows the window system",
    },
];

const fn ban(folders: &'static [&'static str], word: &'static str, reason: &'static str) -> Ban {
    Ban { folders, word, unless_followed_by: &[], except_in: &[], reason }
}

const LONGEST_FILE: usize = 500;
/// Tests are a list of cases, read one at a time.
const LONGEST_TESTS: usize = 800;

/// Files that may be longer, and why.
const LONGER: [(&str, &str); 0] = [];

type Broken = Vec<String>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Normal and build dependencies of each package by name, for this platform.
fn dependencies(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let names: BTreeMap<String, String> =
        list(&metadata["packages"]).iter().map(|package| (text(&package["id"]), text(&package["name"]))).collect();
    let name = |id: &Value| names.get(id.as_str().unwrap_or_default()).cloned().unwrap_or_default();
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in list(&metadata["resolve"]["nodes"]) {
        let used = uses.entry(name(&node["id"])).or_default();
        for dependency in list(&node["deps"]) {
            if list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev") {
                used.insert(name(&dependency["pkg"]));
            }
        }
    }
    uses
}

fn reaches<'a>(uses: &'a BTreeMap<String, BTreeSet<String>>, from: &'a str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(next) = open.pop() {
        for used in uses.get(next).into_iter().flatten() {
            if found.insert(used.as_str()) {
                open.push(used);
            }
        }
    }
    found
}

fn check_dependencies(uses: &BTreeMap<String, BTreeSet<String>>) -> Broken {
    let mut broken = Broken::new();
    let ours = |name: &str| name.starts_with("visavis") || name == "xtask";
    for (package, used) in uses.iter().filter(|(package, _)| ours(package)) {
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| name == package) else {
            broken.push(format!("{package} has no line in MAY_USE"));
            continue;
        };
        for used in used.iter().filter(|used| ours(used) && !allowed.contains(&used.as_str())) {
            broken.push(format!("{package} may not use {used}"));
        }
        for (foreign, allowed) in ONLY_NAMED_BY {
            if used.contains(foreign) && !allowed.contains(&package.as_str()) {
                broken.push(format!("{package} may not name {foreign}; only {} may", allowed.join(", ")));
            }
        }
    }
    for (package, banned) in NEVER_NAMES {
        let used = uses.get(package);
        broken.extend(
            banned
                .iter()
                .filter(|name| used.is_some_and(|used| used.contains(**name)))
                .map(|name| format!("{package} may not name {name}")),
        );
    }
    for (package, banned) in NEVER_REACHES {
        let reached = reaches(uses, package);
        broken
            .extend(banned.iter().filter(|name| reached.contains(**name)).map(|name| format!("{package} may not reach {name}")));
    }
    broken
}

/// Of the manifests: what is built with a program's tests may have what the program must not.
fn check_features(metadata: &Value) -> Broken {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut broken = Broken::new();
    for package in list(&metadata["packages"]) {
        for (of, feature, by) in ONLY_ENABLED_BY {
            let enables =
                |dependency: &Value| dependency["name"] == of && list(&dependency["features"]).contains(&feature.into());
            let own = package["features"].as_object().cloned().unwrap_or_default();
            // By a feature of its own.
            let name = if package["name"] == of { feature.to_owned() } else { format!("{of}/{feature}") };
            let passes_on = own.values().any(|enabled| list(enabled).contains(&name.as_str().into()));
            if package["name"] != by && (passes_on || list(&package["dependencies"]).iter().any(enables)) {
                broken.push(format!("{} may not enable {feature} of {of}; only {by} may", package["name"]));
            }
        }
    }
    broken
}

/// The lines of a source file that are code of the product: no comments, nothing after its tests begin.
fn product_lines(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let code = source.lines().enumerate().take_while(|(_, line)| !line.trim_start().starts_with("#[cfg(test)]"));
    code.map(|(index, line)| {
        (index + 1, if line.trim_start().starts_with("//") { "" } else { line.split(" //").next().unwrap_or(line) })
    })
}

fn check_source(path: &str, source: &str) -> Broken {
    let mut broken = Broken::new();
    if is_test(path) {
        return broken;
    }
    for ban in &BANS {
        if !ban.folders.iter().any(|folder| path.starts_with(folder)) || ban.except_in.contains(&path) {
            continue;
        }
        for (line, code) in product_lines(source) {
            let used = code.match_indices(ban.word).any(|(at, word)| {
                let before = code[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_');
                let allowed = ban.unless_followed_by.iter().any(|next| code[at + word.len()..].starts_with(next));
                before && !allowed
            });
            if used {
                broken.push(format!("{path}:{line}: {}: {}", ban.word, ban.reason));
            }
        }
    }
    broken
}

fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.starts_with("tests/") || path.ends_with(".test.ts")
}

fn check_length(path: &str, lines: usize) -> Option<String> {
    let most = if is_test(path) { LONGEST_TESTS } else { LONGEST_FILE };
    match LONGER.iter().find(|(name, _)| *name == path) {
        None if lines > most => Some(format!("{path} has {lines} lines, more than {most}")),
        Some(_) if lines <= most => Some(format!("{path} has {lines} lines and needs no exception any more")),
        _ => None,
    }
}

/// Every hand-written source file, by its path from the root.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> =
        ["src-tauri", "crates", "tests", "ui/src", "ui/e2e"].iter().map(|name| root().join(name)).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                if !["node_modules", "target", "bindings", "dist"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if [".rs", ".ts", ".mjs", ".svelte", ".css", ".c", ".h"].iter().any(|ending| name.ends_with(ending)) {
                let inside = path.strip_prefix(root()).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{inside}: {error}"));
                found.push((inside, text));
            }
        }
    }
    found.sort();
    found
}

fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("rustc runs where cargo test runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host");
    line.to_owned()
}

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["metadata", "--format-version", "1", "--offline", "--locked", "--features", "embed-ui", "--filter-platform"];
    let output = Command::new(cargo).args(arguments).arg(host()).current_dir(root()).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")
}

fn none(broken: Broken) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn every_crate_uses_only_what_it_may() {
    let uses = dependencies(&metadata());
    assert!(uses.len() > 100, "the graph has been read: {}", uses.len());
    for (package, _) in MAY_USE {
        assert!(uses.contains_key(package), "{package} is not in the workspace any more");
    }
    none(check_dependencies(&uses));
}

#[test]
fn what_only_rehearsals_do_is_built_for_them_alone() {
    let metadata = metadata();
    none(check_features(&metadata));
    let mut wrong = metadata;
    for package in wrong["packages"].as_array_mut().expect("packages") {
        let uses = package["name"] == "visavis-session";
        for dependency in package["dependencies"].as_array_mut().into_iter().flatten() {
            if uses && dependency["name"] == "visavis-call" {
                dependency["features"] = Value::from(vec!["rude"]);
            }
        }
    }
    assert_eq!(check_features(&wrong).len(), 1);
}

#[test]
fn sources_keep_to_the_finer_rules() {
    let sources = sources();
    assert!(sources.len() > 50, "the tree has been read: {}", sources.len());
    none(sources.iter().flat_map(|(path, source)| check_source(path, source)).collect());
}

#[test]
fn files_stay_readable() {
    let sources = sources();
    let mut broken: Broken = sources.iter().filter_map(|(path, source)| check_length(path, source.lines().count())).collect();
    let gone = LONGER.iter().filter(|(name, _)| !sources.iter().any(|(path, _)| path == name));
    broken.extend(gone.map(|(name, _)| format!("{name} is not there any more")));
    none(broken);
}

#[test]
fn a_forbidden_dependency_is_noticed() {
    type Uses = &'static [(&'static str, &'static [&'static str])];
    let uses = |pairs: Uses| {
        pairs.iter().map(|(name, used)| ((*name).to_owned(), used.iter().map(|name| (*name).to_owned()).collect())).collect()
    };
    let cases: [(Uses, &str); 6] = [
        (&[("visavis-media", &["visavis-wire"])], "visavis-media may not use visavis-wire"),
        (&[("visavis-session", &["visavis-rehearsal"])], "visavis-session may not use visavis-rehearsal"),
        (&[("visavis-sight", &["helper"]), ("helper", &["tokio"])], "visavis-sight may not reach tokio"),
        (&[("visavis", &["webrtc"])], "visavis may not name webrtc"),
        (&[("visavis-server", &["tauri"])], "only visavis may"),
        (&[("visavis-new", &[])], "no line in MAY_USE"),
    ];
    for (pairs, says) in cases {
        let broken = check_dependencies(&uses(pairs));
        assert!(broken.iter().any(|line| line.contains(says)), "{says}: {broken:?}");
    }
    assert!(check_dependencies(&uses(&[("visavis-canvas", &["visavis-wire", "thiserror"])])).is_empty());
}

#[test]
fn a_forbidden_word_is_noticed() {
    let broken = |path: &str, source: &str| check_source(path, source).len();
    assert_eq!(broken("crates/sight/src/gate.rs", "let now = std::time::Instant::now();"), 1);
    assert_eq!(broken("crates/sight/src/gate.rs", "// Instant::now is not for here"), 0);
    assert_eq!(broken("crates/sight/src/gate.rs", "#[cfg(test)]\nmod tests { fn f() { Instant::now(); } }"), 0);
    assert_eq!(broken("crates/media/src/codec.rs", "use visavis_sight::Gate;"), 1);
    assert_eq!(broken("crates/media/src/codec.rs", "use visavis_sight::{Gate, Released};"), 1);
    assert_eq!(broken("crates/media/src/codec.rs", "use visavis_sight::Released;"), 0);
    assert_eq!(broken("crates/session/src/socket.rs", "let client = reqwest::Client::new();"), 1);
    assert_eq!(broken("crates/session/src/backend.rs", "let client = reqwest::Client::new();"), 0);
    assert_eq!(broken("crates/wire/src/paper.rs", "let strand::x = 1;"), 0);
}

#[test]
fn a_long_file_is_noticed() {
    assert!(check_length("crates/wire/src/paper.rs", LONGEST_FILE).is_none());
    assert!(check_length("crates/wire/src/paper.rs", LONGEST_FILE + 1).is_some());
    assert!(check_length("crates/wire/src/paper/tests.rs", LONGEST_FILE + 1).is_none());
    assert!(check_length("crates/wire/src/paper/tests.rs", LONGEST_TESTS + 1).is_some());
}

//! What the person chose about this program on their desktop: one small file in the profile, `desktop.json`.

use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use ts_rs::TS;

/// Of a file that a person may have edited.
const LONGEST: u64 = 16 * 1024;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(export)]
pub struct Preferences {
    /// Say it on the desktop when somebody was found, calls or writes while the window is not in front.
    pub notifications: bool,
    /// A symbol beside the clock while the program runs.
    pub tray: bool,
    /// A closed window leaves the program in the tray, where a call still reaches it.
    pub stay_in_tray: bool,
    /// Held down in any program to speak while muted, as in `Ctrl+Shift+KeyT`.
    pub talk_key: Option<String>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { notifications: true, tray: true, stay_in_tray: false, talk_key: None }
    }
}

/// The file and what it holds.
pub struct Kept {
    path: PathBuf,
    pub now: Preferences,
}

impl Kept {
    /// A file that makes no sense counts as none, and is overwritten at the next change.
    pub fn load(folder: &Path) -> Self {
        let path = folder.join("desktop.json");
        let now = match read(&path) {
            Ok(text) => serde_json::from_str(&text).unwrap_or_else(|error| {
                tracing::warn!(%error, "the preferences of the desktop make no sense; starting with the usual ones");
                Preferences::default()
            }),
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(%error, "the preferences of the desktop cannot be read; starting with the usual ones");
                }
                Preferences::default()
            }
        };
        Self { path, now }
    }

    /// Holds from now on even where it cannot be written.
    pub fn change(&mut self, to: Preferences) -> io::Result<()> {
        self.now = to;
        let unfinished = self.path.with_extension("new");
        File::create(&unfinished)?.write_all(&serde_json::to_vec_pretty(&self.now)?)?;
        std::fs::rename(&unfinished, &self.path)
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_is_there_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Kept::load(folder.path());
        assert_eq!(kept.now, Preferences::default());
        let chosen = Preferences { tray: false, talk_key: Some("F9".into()), ..Preferences::default() };
        kept.change(chosen.clone()).unwrap();
        assert_eq!(Kept::load(folder.path()).now, chosen);
    }

    #[test]
    fn a_broken_or_older_file_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("desktop.json");
        std::fs::write(&file, "{\"tray\":").unwrap();
        assert_eq!(Kept::load(folder.path()).now, Preferences::default());
        std::fs::write(&file, "{\"stay_in_tray\":true,\"unknown\":1}").unwrap();
        assert_eq!(Kept::load(folder.path()).now, Preferences { stay_in_tray: true, ..Preferences::default() });
        std::fs::write(&file, [0xff; 40_000]).unwrap();
        assert_eq!(Kept::load(folder.path()).now, Preferences::default());
    }

    #[test]
    fn a_folder_that_takes_nothing_still_lets_one_choose() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        let mut kept = Kept::load(&gone);
        assert!(kept.change(Preferences { tray: false, ..Preferences::default() }).is_err());
        assert!(!kept.now.tray);
    }
}

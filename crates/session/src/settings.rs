//! The choice of devices, of habits, and of what is done to the sound, kept between evenings: a small JSON file in the profile's
//! folder. Nothing private is in it. A file
//! that cannot be read is kept aside and the defaults are used.

use crate::view::Choices;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};
use visavis_media::audio::ProcessingOptions;

const FILE: &str = "devices.json";
const FILE_BYTES: u64 = 64 * 1024;

/// Ids as `view::Device` has them; `None`: the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub camera: Option<String>,
    pub camera_name: Option<String>,
    pub microphone: Option<String>,
    pub microphone_name: Option<String>,
    pub speaker: Option<String>,
    pub speaker_name: Option<String>,
    /// `Some(false)` switches it off: echo cancellation, noise suppression, gain control.
    pub echo_cancellation: Option<bool>,
    pub noise_suppression: Option<bool>,
    pub gain_control: Option<bool>,
    pub ask_before_unveiling: bool,
    pub direct_calls: bool,
    /// Of the other's voice, in percent; `None`: as it comes.
    pub volume: Option<u8>,
    /// As it was entered and found good.
    pub server: Option<String>,
}

impl Choices {
    pub(crate) fn sound(self) -> ProcessingOptions {
        ProcessingOptions { echo: self.echo_cancellation, noise: self.noise_suppression, gain: self.gain_control }
    }
}

fn aside(path: &Path) -> PathBuf {
    path.with_extension("json.broken")
}

impl Settings {
    /// With what of `wanted` is not switched off.
    pub(crate) fn choices(&self, wanted: ProcessingOptions) -> Choices {
        Choices {
            echo_cancellation: wanted.echo && self.echo_cancellation != Some(false),
            noise_suppression: wanted.noise && self.noise_suppression != Some(false),
            gain_control: wanted.gain && self.gain_control != Some(false),
            direct_calls: self.direct_calls,
            volume: self.volume.unwrap_or(100).min(100),
        }
    }

    /// Remembers what the user changed. What a flag switched off for this run is not the user's choice.
    pub(crate) fn choose(&mut self, at_start: Choices, now: Choices) {
        let changed = |before: bool, now: bool, kept: &mut Option<bool>| {
            if before != now {
                *kept = Some(now);
            }
        };
        changed(at_start.echo_cancellation, now.echo_cancellation, &mut self.echo_cancellation);
        changed(at_start.noise_suppression, now.noise_suppression, &mut self.noise_suppression);
        changed(at_start.gain_control, now.gain_control, &mut self.gain_control);
        self.direct_calls = now.direct_calls;
        self.volume = (now.volume < 100).then_some(now.volume);
    }

    pub fn load(folder: &Path) -> Self {
        let path = folder.join(FILE);
        let text = match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Self::default(),
            Err(error) => Err(error.to_string()),
            Ok(metadata) if metadata.len() > FILE_BYTES => Err(String::from("too large")),
            Ok(_) => std::fs::read_to_string(&path).map_err(|error| error.to_string()),
        };
        let settings = text.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()));
        settings.unwrap_or_else(|error| {
            tracing::warn!(%error, "the device settings cannot be read and are kept aside");
            if let Err(error) = std::fs::rename(&path, aside(&path)) {
                tracing::warn!(%error, "the broken device settings stay where they are");
            }
            Self::default()
        })
    }

    /// Written beside and renamed, so that a crash leaves the old or the new file whole.
    pub fn save(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(FILE);
        let new = path.with_extension(format!("json.new-{}", std::process::id()));
        let mut file = std::fs::File::create(&new)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(&new, &path).inspect_err(|_| drop(std::fs::remove_file(&new)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_and_a_broken_file_is_kept_aside() {
        let folder = tempfile::tempdir().unwrap();
        let nested = folder.path().join("profile");
        assert_eq!(Settings::load(&nested), Settings::default());
        let settings = Settings {
            camera: Some(String::from("pattern")),
            speaker: Some(String::from("s")),
            noise_suppression: Some(false),
            ask_before_unveiling: true,
            volume: Some(40),
            ..Settings::default()
        };
        settings.save(&nested).unwrap();
        assert_eq!(Settings::load(&nested), settings);
        let choices = Settings::load(&nested).choices(ProcessingOptions::default());
        assert_eq!(choices, Choices { noise_suppression: false, volume: 40, ..Choices::default() });
        for broken in ["{\"camera\": 3}", "", "\u{0}\u{0}"] {
            std::fs::write(nested.join(FILE), broken).unwrap();
            assert_eq!(Settings::load(&nested), Settings::default());
            assert_eq!(std::fs::read_to_string(aside(&nested.join(FILE))).unwrap(), broken);
            assert!(!nested.join(FILE).exists());
        }
        settings.save(&nested).unwrap();
        assert_eq!(std::fs::read_dir(&nested).unwrap().count(), 2, "no temporary file is left");
    }

    #[test]
    fn what_a_flag_switched_off_is_not_remembered_and_what_the_user_did_is() {
        let mut settings = Settings { gain_control: Some(false), ..Settings::default() };
        let at_start = settings.choices(ProcessingOptions { echo: false, ..ProcessingOptions::default() });
        assert_eq!((at_start.echo_cancellation, at_start.noise_suppression, at_start.gain_control), (false, true, false));
        settings.choose(at_start, Choices { noise_suppression: false, gain_control: true, direct_calls: true, ..at_start });
        assert_eq!((settings.echo_cancellation, settings.noise_suppression), (None, Some(false)));
        assert_eq!((settings.gain_control, settings.direct_calls), (Some(true), true));
        let next = settings.choices(ProcessingOptions::default());
        assert_eq!(next, Choices { noise_suppression: false, direct_calls: true, ..Choices::default() });
    }

    #[test]
    fn unknown_fields_are_no_fault() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "{\"camera\":\"x\",\"of_a_later_version\":[1]}").unwrap();
        assert_eq!(Settings::load(folder.path()).camera.as_deref(), Some("x"));
    }
}

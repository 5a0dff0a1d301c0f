//! Which devices should be open on which page.

use super::devices::Attempts;
use super::{Evening, Ring, Room, Stage};
use crate::view::Choices;
use visavis_media::audio::ProcessingOptions;

/// Devices that should be open now. The loop makes it so.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub camera: Option<String>,
    pub microphone: Option<String>,
    pub speaker: Option<String>,
    /// What is done to the microphone's sound.
    pub sound: ProcessingOptions,
    /// Of the other's voice, in percent.
    pub volume: u8,
    /// Of each kind; changes when one that failed is to be tried again.
    pub attempts: Attempts,
}

/// As the devices' threads begin.
impl Default for Wanted {
    fn default() -> Self {
        let Choices { volume, .. } = Choices::default();
        Self {
            camera: None,
            microphone: None,
            speaker: None,
            sound: ProcessingOptions::default(),
            volume,
            attempts: Attempts::default(),
        }
    }
}

impl Evening {
    pub fn wanted(&self) -> Wanted {
        let (mut camera, mut sound) = (false, false);
        if let Stage::SignedIn(signed_in) = &self.stage {
            camera = matches!(signed_in.room, Room::Mirror | Room::Waiting(_) | Room::Offered(_) | Room::Call(_));
            sound = matches!(signed_in.room, Room::Mirror | Room::Call(_));
            // Warm when the call begins.
            camera |= signed_in.ring.as_ref().is_some_and(Ring::is_started);
        }
        let chosen = |wanted: bool, id: &String| (wanted && !id.is_empty()).then(|| id.clone());
        Wanted {
            camera: chosen(camera && self.own.camera_on, &self.devices.camera),
            microphone: chosen(sound, &self.devices.microphone),
            speaker: chosen(sound, &self.devices.speaker),
            sound: self.own.choices.sound(),
            volume: self.own.choices.volume,
            attempts: self.attempts,
        }
    }
}

//! Cameras, microphones and speakers: which there are, which is used.

use super::{DeviceInput, Effect, Evening};
use crate::Event;
use crate::view::{Choices, Device, Devices, Notice};
use visavis_wire::channel::Seen;

/// One's own side, kept from one match to the next.
pub(super) struct Own {
    pub camera_on: bool,
    pub looks: Seen,
    pub muted: bool,
    pub ask_before_unveiling: bool,
    pub choices: Choices,
    pub shutter_closed: bool,
}

impl Evening {
    pub(super) fn choose<'a>(
        &'a mut self,
        id: String,
        which: impl FnOnce(&'a mut Devices) -> (&'a mut String, &'a Vec<Device>),
        out: &mut Vec<Effect>,
    ) {
        let (chosen, known) = which(&mut self.devices);
        if known.iter().any(|device| device.id == id) {
            *chosen = id;
            self.attempt = self.attempt.wrapping_add(1);
            out.push(Effect::RememberDevices);
        }
    }

    pub(super) fn device(&mut self, input: DeviceInput, out: &mut Vec<Effect>) {
        match input {
            DeviceInput::Cameras(cameras) => self.devices.cameras = cameras,
            DeviceInput::Sound { microphones, speakers } => {
                self.devices.microphones = microphones;
                self.devices.speakers = speakers;
            }
            DeviceInput::Using { camera, microphone, speaker } => {
                let slots = [
                    (&mut self.devices.camera, camera),
                    (&mut self.devices.microphone, microphone),
                    (&mut self.devices.speaker, speaker),
                ];
                for (slot, id) in slots {
                    if let Some(id) = id {
                        *slot = id;
                    }
                }
            }
            DeviceInput::CameraFailed(notice) => {
                self.own.looks = Seen::NoSignal;
                self.notice = Some(notice);
            }
            DeviceInput::Shutter { closed } => self.own.shutter_closed = closed,
            DeviceInput::MicrophoneSilent { silent } => self.devices.silent_microphone = silent,
            DeviceInput::SpeakerSilent { silent } => self.devices.silent_speaker = silent,
            DeviceInput::MicrophoneFailed => self.notice = Some(Notice::NoMicrophone),
            DeviceInput::SpeakerFailed => self.notice = Some(Notice::NoSpeaker),
            DeviceInput::Level(level) => out.push(Effect::Emit(Event::MicrophoneLevel { level })),
        }
    }
}

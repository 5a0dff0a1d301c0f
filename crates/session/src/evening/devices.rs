//! Cameras, microphones and speakers: which there are, which is used, and what is said when that changes.

use super::plugs::{Kind, Real, Turn};
use super::{Effect, Evening, Room, Stage};
use crate::Event;
use crate::view::{Choices, Notice};
use visavis_media::audio::{AudioDevice, SoundDevices};
use visavis_media::camera::CameraInfo;
use visavis_wire::channel::Seen;

#[derive(Debug)]
pub enum DeviceInput {
    /// Real ones, every few seconds; `None`: the system does not tell.
    Cameras(Option<Vec<CameraInfo>>),
    Sound(Option<SoundDevices>),
    /// A device that ran is gone; `id` as it was asked for.
    Ended {
        kind: Kind,
        id: String,
    },
    /// It could not be opened, or runs badly.
    Failed {
        kind: Kind,
        notice: Notice,
    },
    /// The camera's own privacy switch, by its driver.
    Shutter {
        closed: bool,
    },
    MicrophoneSilent {
        silent: bool,
    },
    SpeakerSilent {
        silent: bool,
    },
    Level(f32),
}

/// One's own side, kept from one match to the next.
pub(super) struct Own {
    pub camera_on: bool,
    pub looks: Seen,
    pub muted: bool,
    pub ask_before_unveiling: bool,
    pub choices: Choices,
    pub shutter_closed: bool,
}

/// How often each kind of device was asked to be opened anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    pub camera: u32,
    pub microphone: u32,
    pub speaker: u32,
}

impl Attempts {
    pub(super) fn again(&mut self, kind: Kind) {
        let count = match kind {
            Kind::Camera => &mut self.camera,
            Kind::Microphone => &mut self.microphone,
            Kind::Speaker => &mut self.speaker,
        };
        *count = count.wrapping_add(1);
    }

    /// Whatever failed.
    pub(super) fn all(&mut self) {
        [Kind::Camera, Kind::Microphone, Kind::Speaker].into_iter().for_each(|kind| self.again(kind));
    }
}

impl Evening {
    pub(super) fn choose(&mut self, kind: Kind, id: String, out: &mut Vec<Effect>) {
        let known = match kind {
            Kind::Camera => &self.devices.cameras,
            Kind::Microphone => &self.devices.microphones,
            Kind::Speaker => &self.devices.speakers,
        };
        if known.iter().any(|device| device.id == id && !device.gone) {
            self.plugs.of(kind).choose(id);
            self.attempts.again(kind);
            self.list(kind);
            out.push(Effect::RememberDevices);
        }
    }

    pub(super) fn device(&mut self, input: DeviceInput, out: &mut Vec<Effect>) {
        match input {
            DeviceInput::Cameras(cameras) => {
                let found = cameras.map(|found| found.into_iter().map(|camera| real(camera.id, camera.name)).collect());
                self.look(Kind::Camera, found, None);
            }
            DeviceInput::Sound(sound) => {
                let sides = match sound {
                    Some(sound) => [
                        (Kind::Microphone, Some(reals(sound.microphones)), sound.default_microphone),
                        (Kind::Speaker, Some(reals(sound.speakers)), sound.default_speaker),
                    ],
                    None => [(Kind::Microphone, None, None), (Kind::Speaker, None, None)],
                };
                for (kind, found, default) in sides {
                    self.look(kind, found, default.map(|id| format!("device:{id}")));
                }
            }
            DeviceInput::Ended { kind, id } => {
                if self.plugs.of(kind).ended(&id) {
                    if kind == Kind::Camera {
                        self.own.looks = Seen::NoSignal;
                    }
                    // What there is now says what became of it.
                    out.push(Effect::LookForDevices);
                }
            }
            DeviceInput::Failed { kind, notice } => {
                if kind == Kind::Camera {
                    self.own.looks = Seen::NoSignal;
                }
                self.notice = Some(self.named(notice));
            }
            DeviceInput::Shutter { closed } => self.own.shutter_closed = closed,
            DeviceInput::MicrophoneSilent { silent } => self.devices.silent_microphone = silent,
            DeviceInput::SpeakerSilent { silent } => self.devices.silent_speaker = silent,
            DeviceInput::Level(level) => out.push(Effect::Emit(Event::MicrophoneLevel { level })),
        }
    }

    /// Takes a list in; `None`: there is none to be had, and what was known stays known.
    fn look(&mut self, kind: Kind, found: Option<Vec<Real>>, default: Option<String>) {
        let meeting = matches!(&self.stage, Stage::SignedIn(signed_in) if matches!(signed_in.room, Room::Call(_)));
        let plug = self.plugs.of(kind);
        let nothing_yet = plug.is_new();
        let turn = match found {
            Some(found) => plug.look(found, default, kind != Kind::Camera || !meeting),
            // Better the little that the program makes itself than a page that waits.
            None if nothing_yet => plug.look(Vec::new(), None, true),
            None => Turn::Same,
        };
        let gave_up = plug.gave_up() && turn == Turn::Same;
        match turn {
            Turn::Same if gave_up => {
                let name = plug.used().to_owned();
                self.notice = Some(self.named(match kind {
                    Kind::Camera => Notice::CameraMissing { name },
                    Kind::Microphone => Notice::NoMicrophone,
                    Kind::Speaker => Notice::NoSpeaker,
                }));
            }
            Turn::Same | Turn::Taken => {}
            Turn::Again => self.attempts.again(kind),
            Turn::Gone { name, instead } => {
                if instead.is_some() {
                    self.attempts.again(kind);
                }
                self.notice = Some(gone(kind, name, instead));
            }
            Turn::Back { name } => {
                self.attempts.again(kind);
                if self.notice.as_ref().is_none_or(is_of_devices) {
                    self.notice = Some(Notice::DeviceBack { name });
                }
            }
        }
        self.list(kind);
    }

    /// What pickers show.
    fn list(&mut self, kind: Kind) {
        let plug = self.plugs.of(kind);
        let (listed, used) = (plug.listed(), plug.used().to_owned());
        let devices = &mut self.devices;
        match kind {
            Kind::Camera => (devices.cameras, devices.camera) = (listed, used),
            Kind::Microphone => (devices.microphones, devices.microphone) = (listed, used),
            Kind::Speaker => (devices.speakers, devices.speaker) = (listed, used),
        }
    }

    /// Says the name that pickers show instead of an identifier.
    fn named(&self, mut notice: Notice) -> Notice {
        if let Notice::CameraMissing { name } | Notice::CameraBusy { name } | Notice::CameraDenied { name, .. } = &mut notice {
            let is_it = |id: &str| id == name.as_str() || id.strip_prefix("device:") == Some(name.as_str());
            if let Some(device) = self.devices.cameras.iter().find(|device| is_it(&device.id) && !device.name.is_empty()) {
                name.clone_from(&device.name);
            }
        }
        notice
    }
}

fn real(id: String, name: String) -> Real {
    Real { id: format!("device:{id}"), name }
}

fn reals(devices: Vec<AudioDevice>) -> Vec<Real> {
    devices.into_iter().map(|device| real(device.id, device.name)).collect()
}

fn gone(kind: Kind, name: String, instead: Option<String>) -> Notice {
    match (kind, instead) {
        (Kind::Camera, None) => Notice::CameraGone { name },
        (Kind::Camera, Some(other)) => Notice::CameraInstead { name, other },
        (Kind::Microphone, None) => Notice::MicrophoneGone { name },
        (Kind::Microphone, Some(other)) => Notice::MicrophoneInstead { name, other },
        (Kind::Speaker, None) => Notice::SpeakerGone { name },
        (Kind::Speaker, Some(other)) => Notice::SpeakerInstead { name, other },
    }
}

/// Out of date once a device is back.
fn is_of_devices(notice: &Notice) -> bool {
    matches!(
        notice,
        Notice::CameraGone { .. }
            | Notice::CameraInstead { .. }
            | Notice::CameraMissing { .. }
            | Notice::CameraFailed { .. }
            | Notice::MicrophoneGone { .. }
            | Notice::MicrophoneInstead { .. }
            | Notice::NoMicrophone
            | Notice::SpeakerGone { .. }
            | Notice::SpeakerInstead { .. }
            | Notice::NoSpeaker
            | Notice::DeviceBack { .. }
    )
}

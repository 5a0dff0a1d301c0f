//! A machine whose devices are plugged in and pulled out by a script. Its cameras give the test pattern, its microphones a tone; what
//! runs on a device that is pulled out ends as it would with a real one.

use super::{CameraWish, Machine};
use crate::audio::{self, AudioDevice, AudioError, Microphone, MicrophoneSource, OnFrame, Played, PullFrame, SoundDevices};
use crate::audio::{Speaker, SpeakerTarget};
use crate::camera::{self, Camera, CameraError, CameraInfo, CameraSource};
use crate::forbidden::Forbidden;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const LOOK_EVERY: Duration = Duration::from_millis(20);
const TONE: MicrophoneSource = MicrophoneSource::Tone { hz: 440 };

/// Why a device that is there does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Busy,
    Denied(Forbidden),
}

/// Identifiers of the devices that are open, without `device:`; of a default device, what that was when it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InUse {
    pub camera: Option<String>,
    pub microphone: Option<String>,
    pub speaker: Option<String>,
}

#[derive(Default)]
struct State {
    cameras: Vec<CameraInfo>,
    sound: SoundDevices,
    /// The lists cannot be had.
    mute: bool,
    refusals: Vec<(String, Refusal)>,
    open_cameras: Vec<(String, camera::Fate)>,
    open_microphones: Vec<(String, audio::Fate)>,
    open_speakers: Vec<(String, audio::Fate)>,
}

/// Begins without any device.
#[derive(Default)]
pub struct Scripted(Mutex<State>);

impl Scripted {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Identifier and name.
    pub fn plug_camera(&self, id: &str, name: &str) {
        self.state().cameras.push(CameraInfo { id: id.to_owned(), name: name.to_owned() });
    }

    /// The first one becomes the system's default.
    pub fn plug_microphone(&self, id: &str, name: &str) {
        let sound = &mut self.state().sound;
        sound.microphones.push(AudioDevice { id: id.to_owned(), name: name.to_owned() });
        sound.default_microphone.get_or_insert_with(|| id.to_owned());
    }

    /// The first one becomes the system's default.
    pub fn plug_speaker(&self, id: &str, name: &str) {
        let sound = &mut self.state().sound;
        sound.speakers.push(AudioDevice { id: id.to_owned(), name: name.to_owned() });
        sound.default_speaker.get_or_insert_with(|| id.to_owned());
    }

    /// Pulls out whatever has this identifier. The system's default becomes the first of those that are left.
    pub fn unplug(&self, id: &str) {
        let mut state = self.state();
        state.cameras.retain(|camera| camera.id != id);
        let sound = &mut state.sound;
        for (devices, default) in
            [(&mut sound.microphones, &mut sound.default_microphone), (&mut sound.speakers, &mut sound.default_speaker)]
        {
            devices.retain(|device| device.id != id);
            if default.as_deref() == Some(id) {
                *default = devices.first().map(|device| device.id.clone());
            }
        }
        state.open_cameras.iter().filter(|(open, _)| open == id).for_each(|(_, fate)| fate.unplug());
        for (_, fate) in state.open_microphones.iter().chain(&state.open_speakers).filter(|(open, _)| open == id) {
            fate.unplug();
        }
    }

    /// What is open on the one before stays where it is, as on most systems.
    pub fn set_default_microphone(&self, id: &str) {
        self.state().sound.default_microphone = Some(id.to_owned());
    }

    pub fn set_default_speaker(&self, id: &str) {
        self.state().sound.default_speaker = Some(id.to_owned());
    }

    /// From now on the lists cannot be had, or can again.
    pub fn set_mute(&self, mute: bool) {
        self.state().mute = mute;
    }

    /// From now on this device opens, or not and why.
    pub fn refuse(&self, id: &str, refusal: Option<Refusal>) {
        let refusals = &mut self.state().refusals;
        refusals.retain(|(of, _)| of != id);
        refusals.extend(refusal.map(|refusal| (id.to_owned(), refusal)));
    }

    pub fn in_use(&self) -> InUse {
        let state = self.state();
        let sound = |open: &[(String, audio::Fate)]| open.iter().find(|(_, fate)| fate.is_open()).map(|(id, _)| id.clone());
        InUse {
            camera: state.open_cameras.iter().find(|(_, fate)| fate.is_open()).map(|(id, _)| id.clone()),
            microphone: sound(&state.open_microphones),
            speaker: sound(&state.open_speakers),
        }
    }
}

impl State {
    fn refusal(&self, id: &str) -> Option<Refusal> {
        self.refusals.iter().find(|(of, _)| of == id).map(|&(_, refusal)| refusal)
    }

    fn sound_device(&self, id: Option<&String>, devices: &[AudioDevice]) -> Result<String, AudioError> {
        let id = id.filter(|id| devices.iter().any(|device| device.id == **id)).ok_or(AudioError::NoDevice)?;
        match self.refusal(id) {
            None => Ok(id.clone()),
            Some(Refusal::Busy) => Err(AudioError::Busy),
            Some(Refusal::Denied(why)) => Err(AudioError::Denied(why)),
        }
    }
}

impl Machine for Scripted {
    fn look_every(&self) -> Duration {
        LOOK_EVERY
    }

    fn cameras(&self) -> Option<Vec<CameraInfo>> {
        let state = self.state();
        (!state.mute).then(|| state.cameras.clone())
    }

    fn sound(&self) -> Option<SoundDevices> {
        let state = self.state();
        (!state.mute).then(|| state.sound.clone())
    }

    fn open_camera(&self, source: &CameraSource, wish: CameraWish) -> Result<Camera, CameraError> {
        let open = |source: &CameraSource| Camera::open(source, wish.size, wish.fps, wish.pool.clone(), wish.clock);
        let CameraSource::Device { id } = source else { return open(source) };
        let mut state = self.state();
        if !state.cameras.iter().any(|camera| camera.id == *id) {
            return Err(CameraError::Missing(id.clone()));
        }
        match state.refusal(id) {
            Some(Refusal::Busy) => return Err(CameraError::Busy(id.clone())),
            Some(Refusal::Denied(why)) => return Err(CameraError::Denied(id.clone(), why)),
            None => {}
        }
        let camera = open(&CameraSource::Pattern)?;
        state.open_cameras.retain(|(_, fate)| fate.is_open());
        state.open_cameras.push((id.clone(), camera.fate()));
        Ok(camera)
    }

    fn open_microphone(&self, source: &MicrophoneSource, on_frame: OnFrame) -> Result<Microphone, AudioError> {
        let mut state = self.state();
        let id = match source {
            MicrophoneSource::Device { id } => Some(id),
            MicrophoneSource::Default => state.sound.default_microphone.as_ref(),
            other => return Microphone::open(other, on_frame),
        };
        let id = state.sound_device(id, &state.sound.microphones)?;
        let microphone = Microphone::open(&TONE, on_frame)?;
        state.open_microphones.retain(|(_, fate)| fate.is_open());
        state.open_microphones.push((id, microphone.fate()));
        Ok(microphone)
    }

    fn open_speaker(&self, target: &SpeakerTarget, pull: PullFrame, played: Played) -> Result<Speaker, AudioError> {
        let mut state = self.state();
        let id = match target {
            SpeakerTarget::Device { id } => Some(id),
            SpeakerTarget::Default => state.sound.default_speaker.as_ref(),
            SpeakerTarget::Silent => return Speaker::open_with(target, pull, played),
        };
        let id = state.sound_device(id, &state.sound.speakers)?;
        let speaker = Speaker::open_with(&SpeakerTarget::Silent, pull, played)?;
        state.open_speakers.retain(|(_, fate)| fate.is_open());
        state.open_speakers.push((id, speaker.fate()));
        Ok(speaker)
    }
}

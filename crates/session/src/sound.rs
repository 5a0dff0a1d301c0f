//! Microphone and speaker, and where their sound goes: from a real microphone through the voice processing, which hears what
//! the speaker plays, into the call while there is one, and into the level meter. The loop puts the call's two ends in and
//! takes them out; the devices stay open from one call to the next.

use crate::devices::{Kept, Order};
use crate::evening::{DeviceInput, Input, Kind};
use crate::view::Notice;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::mpsc::UnboundedSender;
use visavis_call::{MicrophoneSink, SpeakerSource};
use visavis_media::Clock;
use visavis_media::audio::{
    AudioError, AudioFrame, FarEnd, Level, Microphone, MicrophoneSource, ProcessingOptions, Speaker, SpeakerTarget,
    VoiceProcessing,
};
use visavis_media::machine::Machine;

/// Frames of 20 ms between two levels for the page.
const LEVEL_EVERY: u32 = 5;

/// An end of the call that a sound thread uses while it is there. Locked for 20 ms of sound at a time, and by the loop twice a
/// call.
pub(crate) struct Slot<T>(Arc<Mutex<Option<T>>>);

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Slot<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(None)))
    }

    pub(crate) fn set(&self, value: Option<T>) {
        let before = std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), value);
        drop(before);
    }

    fn with(&self, act: impl FnOnce(&mut T)) {
        if let Some(value) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            act(value);
        }
    }
}

pub(crate) struct KeptMicrophone {
    machine: Arc<dyn Machine>,
    sink: Slot<MicrophoneSink>,
    /// Where the speaker puts what it plays.
    played: Slot<FarEnd>,
    options: ProcessingOptions,
    inputs: UnboundedSender<Input>,
    /// What was asked for, whatever became of it.
    wanted: Option<String>,
    /// Before the processing that it feeds, so that it ends first.
    open: Option<Microphone>,
    processing: Option<VoiceProcessing>,
}

impl KeptMicrophone {
    pub(crate) fn new(
        machine: Arc<dyn Machine>,
        sink: Slot<MicrophoneSink>,
        played: Slot<FarEnd>,
        options: ProcessingOptions,
        inputs: UnboundedSender<Input>,
    ) -> Self {
        Self { machine, sink, played, options, inputs, wanted: None, open: None, processing: None }
    }

    fn start(&mut self, source: &MicrophoneSource) -> Result<Microphone, AudioError> {
        self.close();
        // What a program makes has neither echo nor noise, and a steady tone would be taken for the latter.
        let real = matches!(source, MicrophoneSource::Default | MicrophoneSource::Device { .. });
        if !real || self.options == ProcessingOptions::NOTHING {
            return self.machine.open_microphone(source, Box::new(self.deliver()));
        }
        match VoiceProcessing::start(self.options, self.deliver()) {
            Ok(processing) => {
                let near = processing.near();
                self.played.set(Some(processing.far()));
                self.processing = Some(processing);
                self.machine.open_microphone(source, Box::new(move |frame| near.push(frame, Instant::now())))
            }
            Err(error) => {
                tracing::warn!(%error, "no thread for the voice processing; the microphone's sound goes as it is");
                self.machine.open_microphone(source, Box::new(self.deliver()))
            }
        }
    }

    /// Into the call and the level meter.
    fn deliver(&self) -> impl FnMut(&AudioFrame) + Send + 'static {
        let (sink, inputs) = (self.sink.clone(), self.inputs.clone());
        let (mut level, mut frames) = (Level::new(), 0);
        move |frame| {
            sink.with(|sink| sink.push(frame));
            let value = level.push(frame);
            frames = (frames + 1) % LEVEL_EVERY;
            if frames == 0 {
                // Nobody listens once the session ends.
                let _ = inputs.send(Input::Device(DeviceInput::Level(value)));
            }
        }
    }

    fn tell(&self, input: DeviceInput) {
        let _ = self.inputs.send(Input::Device(input));
    }
}

impl Kept for KeptMicrophone {
    fn open(&mut self, id: &str) {
        let source = id.parse().unwrap_or_default();
        let opened = self.start(&source);
        self.tell(DeviceInput::MicrophoneSilent { silent: opened.is_err() || source == MicrophoneSource::Silent });
        self.open = match opened {
            Ok(microphone) => Some(microphone),
            Err(error) => {
                tracing::warn!(%error, "the microphone cannot be opened; silence is sent");
                self.tell(DeviceInput::Failed { kind: Kind::Microphone, notice: no_microphone(error) });
                self.start(&MicrophoneSource::Silent).ok()
            }
        };
        self.wanted = Some(id.to_owned());
    }

    fn close(&mut self) {
        self.wanted = None;
        self.open = None;
        self.played.set(None);
        self.processing = None;
    }

    fn check(&mut self) {
        if let Some(detail) = self.open.as_ref().and_then(Microphone::failure) {
            tracing::warn!(%detail, "the microphone ended by itself; silence is sent");
            let id = self.wanted.clone();
            self.open = self.start(&MicrophoneSource::Silent).ok();
            self.wanted.clone_from(&id);
            self.tell(DeviceInput::MicrophoneSilent { silent: true });
            self.tell(DeviceInput::Ended { kind: Kind::Microphone, id: id.unwrap_or_default() });
        }
    }

    fn order(&mut self, order: &Order) {
        let Order::Process(options) = order else { return };
        if std::mem::replace(&mut self.options, *options) != *options
            && let Some(id) = self.wanted.take()
        {
            self.open(&id);
        }
    }
}

pub(crate) struct KeptSpeaker {
    machine: Arc<dyn Machine>,
    clock: Clock,
    source: Slot<SpeakerSource>,
    /// The voice processing of the microphone, while there is one.
    played: Slot<FarEnd>,
    inputs: UnboundedSender<Input>,
    /// What was asked for, whatever became of it.
    wanted: Option<String>,
    open: Option<Speaker>,
    /// Of the other, in percent.
    volume: u8,
}

impl KeptSpeaker {
    pub(crate) fn new(
        machine: Arc<dyn Machine>,
        clock: Clock,
        source: Slot<SpeakerSource>,
        played: Slot<FarEnd>,
        inputs: UnboundedSender<Input>,
    ) -> Self {
        Self { machine, clock, source, played, inputs, wanted: None, open: None, volume: 100 }
    }

    fn start(&self, target: &SpeakerTarget) -> Result<Speaker, AudioError> {
        let (clock, source, played) = (self.clock, self.source.clone(), self.played.clone());
        let speaker = self.machine.open_speaker(
            target,
            Box::new(move |frame, heard| source.with(|source| source.pull_ahead(frame, clock.at(heard)))),
            Box::new(move |frame, heard| played.with(|far| far.push(frame, heard))),
        )?;
        speaker.set_volume(self.volume);
        Ok(speaker)
    }

    fn tell(&self, input: DeviceInput) {
        let _ = self.inputs.send(Input::Device(input));
    }
}

impl Kept for KeptSpeaker {
    fn open(&mut self, id: &str) {
        let target = id.parse().unwrap_or_default();
        let opened = self.start(&target);
        self.tell(DeviceInput::SpeakerSilent { silent: opened.is_err() || target == SpeakerTarget::Silent });
        self.open = match opened {
            Ok(speaker) => Some(speaker),
            Err(error) => {
                tracing::warn!(%error, "the speaker cannot be opened; nothing is heard");
                self.tell(DeviceInput::Failed { kind: Kind::Speaker, notice: no_speaker(error) });
                self.start(&SpeakerTarget::Silent).ok()
            }
        };
        self.wanted = Some(id.to_owned());
    }

    fn close(&mut self) {
        self.wanted = None;
        self.open = None;
    }

    fn check(&mut self) {
        if let Some(detail) = self.open.as_ref().and_then(Speaker::failure) {
            tracing::warn!(%detail, "the speaker ended by itself; nothing is heard");
            self.open = self.start(&SpeakerTarget::Silent).ok();
            self.tell(DeviceInput::SpeakerSilent { silent: true });
            self.tell(DeviceInput::Ended { kind: Kind::Speaker, id: self.wanted.clone().unwrap_or_default() });
        }
    }

    fn order(&mut self, order: &Order) {
        if let Order::Volume(percent) = order {
            self.volume = *percent;
        }
        match (order, &self.open) {
            (Order::TestTone, Some(speaker)) => speaker.test_tone(),
            (Order::Volume(percent), Some(speaker)) => speaker.set_volume(*percent),
            _ => {}
        }
    }
}

fn no_microphone(error: AudioError) -> Notice {
    match error {
        AudioError::NoDevice => Notice::NoMicrophone,
        AudioError::Busy => Notice::MicrophoneBusy,
        AudioError::Denied(why) => Notice::MicrophoneDenied { why: why.into() },
        AudioError::Failed(detail) => Notice::MicrophoneFailed { detail },
    }
}

fn no_speaker(error: AudioError) -> Notice {
    match error {
        AudioError::NoDevice => Notice::NoSpeaker,
        AudioError::Busy => Notice::SpeakerBusy,
        AudioError::Denied(why) => Notice::SpeakerDenied { why: why.into() },
        AudioError::Failed(detail) => Notice::SpeakerFailed { detail },
    }
}

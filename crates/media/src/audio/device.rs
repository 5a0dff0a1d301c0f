//! The machine's sound devices through `cpal`: which there are now, how to open one, what its errors mean.
//!
//! On Linux a PulseAudio server (or PipeWire's) is preferred to ALSA: under load ALSA's plugin loses sound. Opened streams are
//! not `Send` everywhere, so whoever opens one keeps it in the thread that opened it.

use super::{FRAME_SAMPLES, SAMPLE_RATE};
use crate::forbidden::Forbidden;
use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, DeviceId, Error, ErrorKind, FromSample, Sample, SampleFormat, SizedSample, StreamConfig, SupportedBufferSize,
};
use cpal::{SupportedStreamConfig, SupportedStreamConfigRange};
use std::time::Duration;

/// How long a device may take to open.
pub(super) const OPEN_PATIENCE: Duration = Duration::from_secs(6);
/// 10 ms: two device periods a frame keep the delay low without waking a loaded machine too often.
const PERIOD: u32 = FRAME_SAMPLES as u32 / 2;

/// A sound device as a picker shows it. The identifier belongs into `device:ID` and survives restarts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioDevice {
    pub id: String,
    pub name: String,
}

/// What can be chosen, and what the system itself would take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SoundDevices {
    pub microphones: Vec<AudioDevice>,
    pub speakers: Vec<AudioDevice>,
    /// Identifiers. Absent where there is no such device, or the system does not say which it is.
    pub default_microphone: Option<String>,
    pub default_speaker: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AudioError {
    #[error("there is no such sound device")]
    NoDevice,
    #[error("another program is using the sound device")]
    Busy,
    #[error("no permission to use the sound device")]
    Denied(Forbidden),
    #[error("the sound device failed: {0}")]
    Failed(String),
}

impl From<Error> for AudioError {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => Self::NoDevice,
            ErrorKind::DeviceBusy => Self::Busy,
            ErrorKind::PermissionDenied => Self::Denied(Forbidden::HERE),
            _ => Self::other(&error),
        }
    }
}

impl AudioError {
    #[cfg(windows)]
    fn other(error: &Error) -> Self {
        use crate::forbidden::windows::{Answer, answer};
        match answer(&error.to_string()) {
            Some(Answer::Denied) => Self::Denied(Forbidden::HERE),
            Some(Answer::Busy) => Self::Busy,
            Some(Answer::Gone) => Self::NoDevice,
            None => Self::Failed(error.to_string()),
        }
    }

    #[cfg(not(windows))]
    fn other(error: &Error) -> Self {
        Self::Failed(error.to_string())
    }

    /// ALSA's devices are files of a group; a sound server refuses for reasons of its own.
    fn of(self, device: &cpal::Device) -> Self {
        match self {
            Self::Denied(Forbidden::LinuxPolicy) if device.id().is_ok_and(|id| is_alsa(&id)) => {
                Self::Denied(Forbidden::LinuxGroup)
            }
            other => other,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Input,
    Output,
}

/// Everything that this host offers now.
pub(super) fn enumerate(host: &cpal::Host) -> Result<SoundDevices, Error> {
    hush();
    let mut found = SoundDevices::default();
    for device in host.devices()? {
        let (Ok(id), Ok(description)) = (device.id(), device.description()) else { continue };
        if !is_choice(&id) {
            continue;
        }
        // ALSA describes a device in two lines.
        let name = description.name().lines().next().unwrap_or_default().to_owned();
        let device = AudioDevice { id: id.to_string(), name };
        if description.supports_output() {
            found.speakers.push(device.clone());
        }
        if description.supports_input() && !is_monitor(&id) {
            found.microphones.push(device);
        }
    }
    let id = |device: cpal::Device| device.id().ok().map(|id| id.to_string());
    found.default_speaker = host.default_output_device().and_then(id);
    found.default_microphone = default_microphone(host).ok().and_then(id);
    Ok(found)
}

/// ALSA names every device many times over (hw, dmix, surround51, null ...); one name of each piece of hardware is a choice.
fn is_choice(id: &DeviceId) -> bool {
    // Cards come once by name and once by number; the name stays when the numbers move.
    let by_name = |card: &str| !card.starts_with(|first: char| first.is_ascii_digit());
    !is_alsa(id) || id.id().strip_prefix("plughw:CARD=").is_some_and(by_name)
}

fn is_alsa(id: &DeviceId) -> bool {
    id.host().to_string() == "alsa"
}

/// What a speaker plays, offered as a source. As a microphone it would send the peer their own voice and every other sound of
/// this machine, so it is never offered nor taken by default; asked for by identifier it opens (tests do).
fn is_monitor(id: &DeviceId) -> bool {
    id.host().to_string() == "pulseaudio" && id.id().ends_with(".monitor")
}

/// ALSA's library prints to stderr whatever it cannot find. Its handler is per thread.
pub(super) fn hush() {
    #[cfg(target_os = "linux")]
    drop(alsa::Output::local_error_handler());
}

pub(super) fn find(id: Option<&str>, direction: Direction) -> Result<cpal::Device, AudioError> {
    hush();
    let host = cpal::default_host();
    let Some(id) = id else {
        return match direction {
            Direction::Output => host.default_output_device().ok_or(AudioError::NoDevice),
            Direction::Input => default_microphone(&host),
        };
    };
    let id: DeviceId = id.parse().map_err(|_| AudioError::NoDevice)?;
    let host = if host.id() == id.host() { host } else { cpal::host_from_id(id.host())? };
    // A speaker and a microphone may share an identifier.
    host.devices()?
        .find(|device| device.id().is_ok_and(|other| other == id) && supports(device, direction))
        .or_else(|| host.device_by_id(&id).filter(|device| supports(device, direction)))
        .ok_or(AudioError::NoDevice)
}

fn supports(device: &cpal::Device, direction: Direction) -> bool {
    device.description().is_ok_and(|description| match direction {
        Direction::Input => description.supports_input(),
        Direction::Output => description.supports_output(),
    })
}

fn default_microphone(host: &cpal::Host) -> Result<cpal::Device, AudioError> {
    let real = |device: &cpal::Device| !device.id().is_ok_and(|id| is_monitor(&id));
    if let Some(device) = host.default_input_device().filter(real) {
        return Ok(device);
    }
    host.devices()?.find(|device| supports(device, Direction::Input) && real(device)).ok_or(AudioError::NoDevice)
}

/// The format to open a device in: 48 kHz if it can, few channels, floating point or 16 bits rather than anything else.
pub(super) fn config(device: &cpal::Device, direction: Direction) -> Result<(StreamConfig, SampleFormat), AudioError> {
    format_for(device, direction).map_err(|error| error.of(device))
}

fn format_for(device: &cpal::Device, direction: Direction) -> Result<(StreamConfig, SampleFormat), AudioError> {
    let ranges: Vec<SupportedStreamConfigRange> = match direction {
        Direction::Input => device.supported_input_configs()?.collect(),
        Direction::Output => device.supported_output_configs()?.collect(),
    };
    let own: Result<SupportedStreamConfig, Error> = match direction {
        Direction::Input => device.default_input_config(),
        Direction::Output => device.default_output_config(),
    };
    let best = ranges
        .into_iter()
        .filter(|range| range.contains_rate(SAMPLE_RATE))
        .filter(|range| format_rank(range.sample_format()).is_some())
        .min_by_key(|range| (channel_rank(range.channels(), direction), format_rank(range.sample_format())))
        .and_then(|range| range.try_with_sample_rate(SAMPLE_RATE));
    let chosen = match best {
        Some(config) => config,
        None => own?,
    };
    let buffer_size = match *chosen.buffer_size() {
        SupportedBufferSize::Range { min, max } if min <= max => {
            BufferSize::Fixed((PERIOD * chosen.sample_rate() / SAMPLE_RATE).clamp(min, max))
        }
        _ => BufferSize::Default,
    };
    let format = chosen.sample_format();
    Ok((StreamConfig { channels: chosen.channels(), sample_rate: chosen.sample_rate(), buffer_size }, format))
}

fn format_rank(format: SampleFormat) -> Option<u8> {
    match format {
        SampleFormat::F32 => Some(0),
        SampleFormat::I16 => Some(1),
        SampleFormat::I32 => Some(2),
        SampleFormat::U16 => Some(3),
        SampleFormat::U8 => Some(4),
        _ => None,
    }
}

/// One channel is what we need of a microphone; a speaker that is opened with one may play on the left only.
fn channel_rank(channels: u16, direction: Direction) -> u16 {
    match (direction, channels) {
        (Direction::Output, 2) => 0,
        (_, channels) => channels,
    }
}

/// A running stream; it stops when dropped.
pub(super) struct Running(#[expect(dead_code, reason = "held for its drop")] cpal::Stream);

/// Opens a microphone. `samples` gets interleaved samples in the device's own thread; it must not wait.
pub(super) fn capture(
    device: &cpal::Device,
    format: (StreamConfig, SampleFormat),
    samples: impl FnMut(&mut dyn Iterator<Item = f32>) + Send + 'static,
    failed: impl FnMut(Error) + Send + 'static,
) -> Result<Running, AudioError> {
    capture_as(device, format, samples, failed).map_err(|error| error.of(device))
}

fn capture_as(
    device: &cpal::Device,
    (config, format): (StreamConfig, SampleFormat),
    samples: impl FnMut(&mut dyn Iterator<Item = f32>) + Send + 'static,
    failed: impl FnMut(Error) + Send + 'static,
) -> Result<Running, AudioError> {
    fn build<T>(
        device: &cpal::Device,
        config: StreamConfig,
        mut samples: impl FnMut(&mut dyn Iterator<Item = f32>) + Send + 'static,
        failed: impl FnMut(Error) + Send + 'static,
    ) -> Result<cpal::Stream, Error>
    where
        T: SizedSample,
        f32: FromSample<T>,
    {
        let read = move |data: &[T], _: &cpal::InputCallbackInfo| samples(&mut data.iter().map(|&x| f32::from_sample(x)));
        device.build_input_stream(config, read, failed, Some(OPEN_PATIENCE / 2))
    }
    let stream = match format {
        SampleFormat::F32 => build::<f32>(device, config, samples, failed),
        SampleFormat::I16 => build::<i16>(device, config, samples, failed),
        SampleFormat::I32 => build::<i32>(device, config, samples, failed),
        SampleFormat::U16 => build::<u16>(device, config, samples, failed),
        SampleFormat::U8 => build::<u8>(device, config, samples, failed),
        other => return Err(AudioError::Failed(format!("it only knows the sample format {other}"))),
    }?;
    stream.play()?;
    Ok(Running(stream))
}

/// Opens a speaker. `next` is asked for one mono sample after the other, `block` is told first how many are coming; both run in
/// the device's own thread and must not wait. The first two channels get the sound, others none.
pub(super) fn play(
    device: &cpal::Device,
    format: (StreamConfig, SampleFormat),
    block: impl FnMut(usize) + Send + 'static,
    next: impl FnMut() -> f32 + Send + 'static,
    failed: impl FnMut(Error) + Send + 'static,
) -> Result<Running, AudioError> {
    play_as(device, format, block, next, failed).map_err(|error| error.of(device))
}

fn play_as(
    device: &cpal::Device,
    (config, format): (StreamConfig, SampleFormat),
    block: impl FnMut(usize) + Send + 'static,
    next: impl FnMut() -> f32 + Send + 'static,
    failed: impl FnMut(Error) + Send + 'static,
) -> Result<Running, AudioError> {
    fn build<T>(
        device: &cpal::Device,
        config: StreamConfig,
        mut block: impl FnMut(usize) + Send + 'static,
        mut next: impl FnMut() -> f32 + Send + 'static,
        failed: impl FnMut(Error) + Send + 'static,
    ) -> Result<cpal::Stream, Error>
    where
        T: SizedSample + FromSample<f32>,
    {
        let channels = usize::from(config.channels.max(1));
        let write = move |data: &mut [T], _: &cpal::OutputCallbackInfo| {
            block(data.len() / channels);
            for frame in data.chunks_mut(channels) {
                let sample = T::from_sample(next());
                for (channel, place) in frame.iter_mut().enumerate() {
                    *place = if channel < 2 { sample } else { T::EQUILIBRIUM };
                }
            }
        };
        device.build_output_stream(config, write, failed, Some(OPEN_PATIENCE / 2))
    }
    let stream = match format {
        SampleFormat::F32 => build::<f32>(device, config, block, next, failed),
        SampleFormat::I16 => build::<i16>(device, config, block, next, failed),
        SampleFormat::I32 => build::<i32>(device, config, block, next, failed),
        SampleFormat::U16 => build::<u16>(device, config, block, next, failed),
        SampleFormat::U8 => build::<u8>(device, config, block, next, failed),
        other => return Err(AudioError::Failed(format!("it only knows the sample format {other}"))),
    }?;
    stream.play()?;
    Ok(Running(stream))
}

/// Whether a stream goes on after this report.
pub(super) fn is_harmless(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Xrun | ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_sound_system_are_told_apart() {
        let of = |kind: ErrorKind| AudioError::from(Error::from(kind));
        assert_eq!(of(ErrorKind::DeviceNotAvailable), AudioError::NoDevice);
        assert_eq!(of(ErrorKind::HostUnavailable), AudioError::NoDevice);
        assert_eq!(of(ErrorKind::DeviceBusy), AudioError::Busy);
        assert_eq!(of(ErrorKind::PermissionDenied), AudioError::Denied(Forbidden::HERE));
        assert!(matches!(of(ErrorKind::BackendError), AudioError::Failed(_)));
    }
}

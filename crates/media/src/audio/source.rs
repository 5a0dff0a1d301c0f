//! Where sound comes from and goes to, with the text form that flags and settings use.

use std::fmt;
use std::str::FromStr;

/// Text form: `default`, `device:ID`, `silent`, `tone:HZ`, `speech:SEED`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MicrophoneSource {
    #[default]
    Default,
    Device {
        id: String,
    },
    /// Digital silence at the right pace: a machine without a microphone.
    Silent,
    /// A steady sine, for rehearsals. 20 to 20 000 Hz.
    Tone {
        hz: u32,
    },
    /// Something like speech, for rehearsals; the same for the same seed.
    Speech {
        seed: u64,
    },
}

/// Text form: `default`, `device:ID`, `silent`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SpeakerTarget {
    #[default]
    Default,
    Device {
        id: String,
    },
    /// Takes sound at the right pace and throws it away.
    Silent,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    #[error("{0:?} is no sound device; use {1}")]
    Unknown(String, &'static str),
    #[error("device: needs the identifier of a device")]
    EmptyDevice,
    #[error("a tone needs a whole frequency from 20 to 20000 Hz, not {0:?}")]
    Frequency(String),
    #[error("speech needs a whole number as its seed, not {0:?}")]
    Seed(String),
}

const TONE_HZ: std::ops::RangeInclusive<u32> = 20..=20_000;
const MICROPHONE_FORMS: &str = "default, device:ID, silent, tone:HZ or speech:SEED";
const SPEAKER_FORMS: &str = "default, device:ID or silent";

fn device_id(text: &str) -> Option<Result<String, SourceError>> {
    let id = text.strip_prefix("device:")?;
    Some(if id.is_empty() { Err(SourceError::EmptyDevice) } else { Ok(id.to_owned()) })
}

impl FromStr for MicrophoneSource {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        if let Some(id) = device_id(text) {
            return Ok(Self::Device { id: id? });
        }
        if let Some(hz) = text.strip_prefix("tone:") {
            let hz = hz.parse().ok().filter(|hz| TONE_HZ.contains(hz)).ok_or_else(|| SourceError::Frequency(hz.to_owned()))?;
            return Ok(Self::Tone { hz });
        }
        if let Some(seed) = text.strip_prefix("speech:") {
            return seed.parse().map(|seed| Self::Speech { seed }).map_err(|_| SourceError::Seed(seed.to_owned()));
        }
        match text {
            "default" => Ok(Self::Default),
            "silent" => Ok(Self::Silent),
            _ => Err(SourceError::Unknown(text.to_owned(), MICROPHONE_FORMS)),
        }
    }
}

impl FromStr for SpeakerTarget {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        if let Some(id) = device_id(text) {
            return Ok(Self::Device { id: id? });
        }
        match text {
            "default" => Ok(Self::Default),
            "silent" => Ok(Self::Silent),
            _ => Err(SourceError::Unknown(text.to_owned(), SPEAKER_FORMS)),
        }
    }
}

impl fmt::Display for MicrophoneSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Device { id } => write!(f, "device:{id}"),
            Self::Silent => f.write_str("silent"),
            Self::Tone { hz } => write!(f, "tone:{hz}"),
            Self::Speech { seed } => write!(f, "speech:{seed}"),
        }
    }
}

impl fmt::Display for SpeakerTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Device { id } => write!(f, "device:{id}"),
            Self::Silent => f.write_str("silent"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_forms_round_trip() {
        for text in ["default", "silent", "tone:440", "speech:7", "device:pulseaudio:alsa_input.usb-1"] {
            assert_eq!(text.parse::<MicrophoneSource>().unwrap().to_string(), text);
        }
        for text in ["default", "silent", "device:alsa:plughw:CARD=0,DEV=0"] {
            assert_eq!(text.parse::<SpeakerTarget>().unwrap().to_string(), text);
        }
        assert_eq!("tone:440".parse(), Ok(MicrophoneSource::Tone { hz: 440 }));
        assert_eq!("device:a:b".parse(), Ok(SpeakerTarget::Device { id: "a:b".into() }));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for text in ["tone:", "tone:abc", "tone:0", "tone:96000", "tone:-5", "tone:4.5"] {
            assert!(matches!(text.parse::<MicrophoneSource>(), Err(SourceError::Frequency(_))), "{text}");
        }
        for text in ["speech:", "speech:x", "speech:-1"] {
            assert!(matches!(text.parse::<MicrophoneSource>(), Err(SourceError::Seed(_))), "{text}");
        }
        assert_eq!("device:".parse::<SpeakerTarget>(), Err(SourceError::EmptyDevice));
        let error = "tone:440".parse::<SpeakerTarget>().unwrap_err();
        assert_eq!(error.to_string(), "\"tone:440\" is no sound device; use default, device:ID or silent");
        assert!("Default".parse::<MicrophoneSource>().is_err());
    }

    proptest! {
        #[test]
        fn whatever_parses_prints_itself(text in "(default|silent|tone:[0-9]{0,6}|speech:[0-9]{0,21}|device:.{0,20}|.{0,12})") {
            if let Ok(source) = text.parse::<MicrophoneSource>() {
                prop_assert_eq!(source.to_string().parse::<MicrophoneSource>(), Ok(source));
            }
            if let Ok(target) = text.parse::<SpeakerTarget>() {
                prop_assert_eq!(target.to_string(), text);
            }
        }
    }
}

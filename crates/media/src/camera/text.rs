//! The text form of a [`CameraSource`], as flags and settings hold it.

use super::CameraSource;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

const MARKED: &str = "#marked";

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no camera: use pattern, face:NAME, file:PATH, image:PATH, device:ID, or a path ending in .y4m, .ivf or .webm"
)]
pub struct UnknownSource(String);

impl FromStr for CameraSource {
    type Err = UnknownSource;

    fn from_str(text: &str) -> Result<Self, UnknownSource> {
        let unknown = || UnknownSource(text.to_owned());
        if text == "pattern" {
            return Ok(Self::Pattern);
        }
        // A drive letter and its colon (`C:\clip.y4m`) match none of the prefixes, so a path is what remains.
        match text.split_once(':') {
            Some((_, "")) => Err(unknown()),
            Some(("device", id)) => Ok(Self::Device { id: id.to_owned() }),
            Some(("face", name)) => Ok(Self::Face { name: name.to_owned() }),
            Some(("file", rest)) => marked_path(rest).map(|(path, marked)| Self::File { path, marked }).ok_or_else(unknown),
            Some(("image", rest)) => marked_path(rest).map(|(path, marked)| Self::Image { path, marked }).ok_or_else(unknown),
            _ => match marked_path(text) {
                Some((path, marked)) if is_video(&path) => Ok(Self::File { path, marked }),
                _ => Err(unknown()),
            },
        }
    }
}

fn marked_path(text: &str) -> Option<(PathBuf, bool)> {
    let (path, marked) = text.strip_suffix(MARKED).map_or((text, false), |path| (path, true));
    (!path.is_empty()).then(|| (PathBuf::from(path), marked))
}

fn is_video(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    ["y4m", "ivf", "webm"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

impl fmt::Display for CameraSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = |marked: &bool| if *marked { MARKED } else { "" };
        match self {
            Self::Device { id } => write!(f, "device:{id}"),
            Self::File { path, marked } => write!(f, "file:{}{}", path.display(), suffix(marked)),
            Self::Pattern => f.write_str("pattern"),
            Self::Face { name } => write!(f, "face:{name}"),
            Self::Image { path, marked } => write!(f, "image:{}{}", path.display(), suffix(marked)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> CameraSource {
        text.parse().unwrap()
    }

    #[test]
    fn every_form_is_read_and_written() {
        let file = |path: &str, marked| CameraSource::File { path: path.into(), marked };
        assert_eq!(parse("pattern"), CameraSource::Pattern);
        assert_eq!(parse("face:mei"), CameraSource::Face { name: "mei".into() });
        assert_eq!(parse("device:/dev/video0"), CameraSource::Device { id: "/dev/video0".into() });
        assert_eq!(parse("clip.Y4M"), file("clip.Y4M", false));
        assert_eq!(parse("./a.b/clip.ivf#marked"), file("./a.b/clip.ivf", true));
        assert_eq!(parse(r"C:\clips\a.webm"), file(r"C:\clips\a.webm", false));
        assert_eq!(parse("file:odd.bin"), file("odd.bin", false));
        assert_eq!(parse("image:me.png"), CameraSource::Image { path: "me.png".into(), marked: false });
        for text in ["pattern", "face:a:b", "file:C:\\x.y4m#marked", "image:p.jpg", "device:usb 1:2"] {
            assert_eq!(parse(text).to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_refused_in_words() {
        for text in ["", "face:", "file:", "file:#marked", "webcam", "clip.mp4", "C:\\clip.mp4", "image:"] {
            let error = text.parse::<CameraSource>().unwrap_err().to_string();
            assert!(error.contains("names no camera"), "{text}: {error}");
        }
    }
}

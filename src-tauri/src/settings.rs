//! What the command line and the environment say: one profile's place, the server, devices, and how the window opens.
//! A value that cannot be used ends the program with one sentence and exit code 2; what a camera, a device or a server is
//! worth is the session's to find out.

use crate::links::Link;
use clap::Parser;
use std::path::PathBuf;
use std::str::FromStr;
use tauri::Url;
use visavis_session::server::Server;
use visavis_session::{CameraSource, MicrophoneSource, SpeakerTarget};

/// The smallest window the interface is laid out for.
pub const SMALLEST_WINDOW: (u32, u32) = (900, 600);

/// The address that an operator fills in when building for others.
const BUILT_IN_SERVER: Option<&str> = option_env!("VISAVIS_BUILT_IN_SERVER");

/// Meet a stranger face to face, fairly.
#[derive(Clone, Debug, Parser)]
#[command(name = "visavis", version)]
pub struct Settings {
    /// Keeps sign-in, profile and caches apart, so that several windows can run side by side
    #[arg(long, env = "VISAVIS_PROFILE", value_name = "NAME", default_value = "default")]
    pub profile: ProfileName,

    /// Folder of the profile [default: the system's data folder, then visavis/NAME]
    #[arg(long, env = "VISAVIS_PROFILE_DIR", value_name = "DIR")]
    pub profile_dir: Option<PathBuf>,

    /// Folder that drawings are saved in [default: the system's pictures folder, then Visavis]
    #[arg(long, env = "VISAVIS_DRAWINGS_DIR", value_name = "DIR")]
    pub drawings_dir: Option<PathBuf>,

    /// Address of the server, for this run [default: as entered in the window]
    #[arg(long, env = "VISAVIS_SERVER", value_name = "URL", value_parser = server)]
    pub server: Option<Url>,

    /// Camera: device:ID, file:PATH, pattern, face:NAME or image:PATH [default: the first real one]
    #[arg(long, env = "VISAVIS_CAMERA", value_name = "SOURCE")]
    pub camera: Option<CameraSource>,

    /// Microphone: device:ID, default, silent, tone:HZ or speech:SEED
    #[arg(long, env = "VISAVIS_MICROPHONE", value_name = "SOURCE")]
    pub microphone: Option<MicrophoneSource>,

    /// Speaker: device:ID, default or silent
    #[arg(long, env = "VISAVIS_SPEAKER", value_name = "TARGET")]
    pub speaker: Option<SpeakerTarget>,

    /// Send the peer their own voice as the microphone hears it (with headphones there is none)
    #[arg(long)]
    pub no_echo_cancellation: bool,

    /// Send the noise of the room
    #[arg(long)]
    pub no_noise_suppression: bool,

    /// Send the voice as loud as the microphone gives it
    #[arg(long)]
    pub no_gain_control: bool,

    /// Program to open addresses with instead of the system browser; words are split at spaces, the address comes last
    #[arg(long, env = "VISAVIS_BROWSER", value_name = "COMMAND")]
    pub browser: Option<String>,

    /// Begin to sign in at once, without waiting for the button
    #[arg(long)]
    pub sign_in: bool,

    /// Log filter, as in "info" or "visavis=debug"
    #[arg(long, env = "VISAVIS_LOG", value_name = "FILTER")]
    pub log: Option<String>,

    /// Keep the sign-in in memory instead of the system keyring
    #[arg(long)]
    pub no_keyring: bool,

    /// [default: as it was left, at first 1280x800]
    #[arg(long, value_name = "WxH", value_parser = window_size)]
    pub window_size: Option<Pair>,

    #[arg(long, value_name = "X,Y", value_parser = window_position, allow_hyphen_values = true)]
    pub window_position: Option<Pair>,

    #[arg(long, value_name = "TEXT", default_value = "Visavis")]
    pub title: String,

    /// Page to open, as a browser hands it over: visavis://friends, visavis://history or visavis://profile
    #[arg(value_name = "LINK")]
    pub link: Option<Link>,
}

/// Two numbers: a size or a position, in logical pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair(pub i32, pub i32);

/// Becomes a folder name and part of a keyring entry, so only a few characters are allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileName(String);

impl ProfileName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProfileName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if text.is_empty() || text.len() > 32 || !text.chars().all(plain) {
            return Err("a profile name has 1 to 32 letters, digits, hyphens or underscores".into());
        }
        Ok(Self(text.into()))
    }
}

impl Settings {
    /// From the process's own arguments and environment. `Err` is the exit code; what there is to say has been printed.
    pub fn read() -> Result<Self, u8> {
        Self::try_parse().map_err(|error| {
            if error.use_stderr() {
                eprintln!("visavis: {}", first_sentence(&error.to_string()));
                2
            } else {
                // --help and --version.
                print!("{error}");
                0
            }
        })
    }

    /// The one given for this run, or what the window is to begin with.
    pub fn server(&self) -> Server {
        chosen(self.server.as_ref(), BUILT_IN_SERVER)
    }
}

/// An operator's mistake is no reason to open no window: without a usable address it asks for one.
fn chosen(given: Option<&Url>, built_in: Option<&str>) -> Server {
    if let Some(url) = given {
        return Server::Given(url.as_str().trim_end_matches('/').to_owned());
    }
    let built_in = built_in.filter(|text| !text.is_empty()).and_then(|text| {
        visavis_session::server::normalised(text)
            .inspect_err(|why| eprintln!("visavis: the server built into this program is unusable: {why:?}"))
            .ok()
    });
    Server::Chosen { built_in }
}

/// clap explains over several lines; the first paragraph holds the fact.
fn first_sentence(text: &str) -> String {
    let paragraph = text.split("\n\n").next().unwrap_or(text);
    let joined = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    joined.strip_prefix("error: ").map(str::to_owned).unwrap_or(joined)
}

fn server(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|why| format!("not an address ({why}), expected for example https://visavis.example"))?;
    match (url.scheme(), url.host_str()) {
        ("http" | "https", Some(host)) if !host.is_empty() => Ok(url),
        _ => Err("the address must begin with https:// or http:// and name a host".into()),
    }
}

fn window_size(text: &str) -> Result<Pair, String> {
    let Pair(width, height) = pair(text, 'x').ok_or("expected WIDTHxHEIGHT, for example 1280x800")?;
    let (least_width, least_height) = SMALLEST_WINDOW;
    let fits = |value: i32, least: u32| u32::try_from(value).is_ok_and(|value| (least..=16_384).contains(&value));
    if !fits(width, least_width) || !fits(height, least_height) {
        return Err(format!("the window is at least {least_width}x{least_height} and at most 16384x16384"));
    }
    Ok(Pair(width, height))
}

fn window_position(text: &str) -> Result<Pair, String> {
    pair(text, ',').ok_or_else(|| "expected X,Y, for example 0,40".into())
}

fn pair(text: &str, between: char) -> Option<Pair> {
    let (first, second) = text.split_once(between)?;
    Some(Pair(first.trim().parse().ok()?, second.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Settings, String> {
        Settings::try_parse_from(std::iter::once(&"visavis").chain(arguments)).map_err(|e| first_sentence(&e.to_string()))
    }

    #[test]
    fn a_plain_start_opens_the_default_profile() {
        let settings = parse(&["--server", "https://visavis.example"]).unwrap();
        assert_eq!(settings.profile.as_str(), "default");
        assert_eq!((settings.window_size, settings.window_position, settings.link), (None, None, None));
        assert_eq!(settings.server(), Server::Given("https://visavis.example".into()));
    }

    #[test]
    fn without_a_server_the_window_opens_all_the_same() {
        let begins = |built_in| chosen(None, built_in);
        let filled_in = |address: &str| Server::Chosen { built_in: Some(address.into()) };
        assert_eq!(begins(None), Server::Chosen { built_in: None });
        assert_eq!(begins(Some("")), Server::Chosen { built_in: None });
        assert_eq!(begins(Some("visavis.example/")), filled_in("https://visavis.example"));
        assert_eq!(begins(Some("http://visavis.example")), Server::Chosen { built_in: None }, "an unusable one is none");
        let given = "https://other.example/".parse().unwrap();
        assert_eq!(chosen(Some(&given), Some("visavis.example")), Server::Given("https://other.example".into()));
    }

    #[test]
    fn wrong_values_give_one_sentence() {
        for (arguments, says) in [
            (["--window-size", "12"], "expected WIDTHxHEIGHT"),
            (["--window-size", "100x100"], "at least 900x600"),
            (["--window-position", "left"], "expected X,Y"),
            (["--server", "visavis.example"], "not an address"),
            (["--server", "ftp://visavis.example"], "must begin with https://"),
            (["--profile", "../up"], "letters, digits"),
            (["--camera", "telescope"], "telescope"),
            (["--microphone", "tone:high"], "high"),
            (["--speaker", "loud"], "loud"),
            (["--sign-in", "visavis://delete"], "visavis://friends"),
        ] {
            let error = parse(&arguments).unwrap_err();
            assert!(error.contains(says), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_window_may_stand_left_of_the_first_screen() {
        assert_eq!(parse(&["--window-position", "-1280,40"]).unwrap().window_position, Some(Pair(-1280, 40)));
    }
}

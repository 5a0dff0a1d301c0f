//! What people say of themselves, and what of it a match gets to see.

use crate::Private;
use crate::limits;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A fact with its own switch "matches may see this". An unshared fact still serves the matcher, never the peer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Fact<T: TS> {
    pub value: T,
    pub shared: bool,
}

/// What a person fills in. Age and sign are derived by the server from the verified claims and cannot be set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Profile {
    pub city: Fact<Private<String>>,
    /// BCP 47 primary tags (`en`, `zh`), the main language first. At least one before anybody can be met.
    pub languages: Fact<Vec<String>>,
    pub interests: Fact<Vec<String>>,
    pub games: Fact<Vec<String>>,
    /// Whole years; only the server sets it.
    pub age: Fact<Option<u8>>,
    /// Only the server sets it.
    pub sign: Fact<Option<Sign>>,
    /// Whether there is one; only the server sets it.
    #[serde(default)]
    pub picture: Fact<bool>,
}

impl Profile {
    /// Names the first field that breaks a limit of [`limits`] or holds control characters.
    pub fn check(&self) -> Result<(), &'static str> {
        let text_ok = |text: &str| text.chars().count() <= limits::PROFILE_TEXT && !text.chars().any(char::is_control);
        let list_ok =
            |list: &[String]| list.len() <= limits::PROFILE_LIST && list.iter().all(|item| !item.is_empty() && text_ok(item));
        if !text_ok(self.city.value.reveal()) {
            return Err("city");
        }
        if !list_ok(&self.languages.value) {
            return Err("languages");
        }
        if !list_ok(&self.interests.value) {
            return Err("interests");
        }
        if !list_ok(&self.games.value) {
            return Err("games");
        }
        Ok(())
    }
}

/// Tropical zodiac sign. Shown, never scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    Aries,
    Taurus,
    Gemini,
    Cancer,
    Leo,
    Virgo,
    Libra,
    Scorpio,
    Sagittarius,
    Capricorn,
    Aquarius,
    Pisces,
}

/// What a match sees: shared facts alone. The server builds it; it never holds a name or an account id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PeerCard {
    pub city: Option<Private<String>>,
    pub age: Option<u8>,
    pub sign: Option<Sign>,
    pub languages: Vec<String>,
    pub interests: Vec<String>,
    pub games: Vec<String>,
    /// There is one to see: `GET /v1/matches/{match}/picture`, as long as the match is offered or runs.
    #[serde(default)]
    pub picture: bool,
}

/// Base64 of a JPEG or PNG file of at most [`limits::PICTURE_FILE`] bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPicture {
    pub file: Private<String>,
}

/// Base64 of a square JPEG of [`limits::PICTURE_SIDE`] pixels, made by the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    pub jpeg: Private<String>,
}

/// Why two people were matched, from facts each of them shares. The page turns it into a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "because", rename_all = "snake_case")]
#[ts(export)]
pub enum Reason {
    SameCity { city: Private<String> },
    BothLike { interests: Vec<String> },
    BothPlay { games: Vec<String> },
    CloseInAge,
    SameLanguage { language: String },
}

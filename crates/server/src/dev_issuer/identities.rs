//! The test identities.

use crate::adult::date_of;
use serde_json::{Value, json};

#[derive(Debug)]
pub struct Identity {
    /// Also the value of the button and, with a capital, the user name.
    pub name: &'static str,
    /// For the page.
    pub about: &'static str,
    born: Born,
    city: &'static str,
    languages: &'static [&'static str],
    interests: &'static [&'static str],
    games: &'static [&'static str],
}

#[derive(Debug)]
enum Born {
    On(&'static str),
    /// So that the person never comes of age.
    YearsAgo(i64),
    /// The issuer knows nothing.
    Unknown,
}

pub const IDENTITIES: &[Identity] = &[
    Identity {
        name: "ada",
        about: "adult, Lisbon, speaks English and Portuguese, likes drawing",
        born: Born::On("1994-05-12"),
        city: "Lisbon",
        languages: &["en", "pt"],
        interests: &["drawing", "cats", "chess"],
        games: &["draw and guess", "gomoku"],
    },
    Identity {
        name: "bao",
        about: "adult, Lisbon, speaks English and Chinese, likes drawing",
        born: Born::On("1996-11-02"),
        city: "Lisbon",
        languages: &["en", "zh"],
        interests: &["drawing", "cooking", "cats"],
        games: &["draw and guess", "two truths"],
    },
    Identity {
        name: "chen",
        about: "adult, Chengdu, speaks Chinese, likes music",
        born: Born::On("1990-02-28"),
        city: "Chengdu",
        languages: &["zh"],
        interests: &["music", "cooking"],
        games: &["gomoku"],
    },
    Identity {
        name: "dora",
        about: "adult, Berlin, speaks German and English, likes hiking",
        born: Born::On("1982-08-30"),
        city: "Berlin",
        languages: &["de", "en"],
        interests: &["hiking", "films"],
        games: &["same word"],
    },
    Identity {
        name: "kim",
        about: "16 years old: is refused",
        born: Born::YearsAgo(16),
        city: "Lisbon",
        languages: &["en"],
        interests: &["drawing"],
        games: &[],
    },
    Identity {
        name: "nemo",
        about: "age not verified: is refused",
        born: Born::Unknown,
        city: "Lisbon",
        languages: &["en"],
        interests: &["drawing"],
        games: &[],
    },
];

impl Identity {
    /// The claims about the person; those about the token are the issuer's to add.
    pub fn claims(&self, now: i64) -> Value {
        let mut username = self.name.to_owned();
        username[..1].make_ascii_uppercase();
        let mut claims = json!({
            "sub": format!("dev-{}", self.name),
            "preferred_username": username,
            "locale": self.languages[0],
            "address": { "locality": self.city },
            "visavis_profile": {
                "languages": self.languages,
                "interests": self.interests,
                "games": self.games,
                "share": ["city", "age"],
            },
        });
        let (birthdate, adult) = match self.born {
            Born::On(date) => (date.to_owned(), true),
            Born::YearsAgo(years) => (format!("{:04}-01-01", date_of(now).year - years), false),
            Born::Unknown => return claims,
        };
        claims["birthdate"] = birthdate.into();
        claims["age_over_18"] = adult.into();
        claims
    }
}

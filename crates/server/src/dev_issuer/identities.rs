//! The test identities: a few that a tester chooses by name, and as many guests as a rehearsal needs.

use crate::adult::date_of;
use serde_json::{Value, json};
use std::borrow::Cow;

/// Of guests: `guest-1` to this.
const GUESTS: u32 = 9999;

#[derive(Clone, Debug)]
pub struct Identity {
    /// Also the value of the button and, with a capital, the user name.
    pub name: Cow<'static, str>,
    /// For the page.
    pub about: &'static str,
    born: Born,
    city: &'static str,
    languages: &'static [&'static str],
    interests: &'static [&'static str],
    games: &'static [&'static str],
}

#[derive(Clone, Copy, Debug)]
enum Born {
    On(&'static str),
    /// So that the person never comes of age.
    YearsAgo(i64),
    /// The issuer knows nothing.
    Unknown,
}

pub const IDENTITIES: &[Identity] = &[
    Identity {
        name: Cow::Borrowed("ada"),
        about: "adult, Lisbon, speaks English and Portuguese, likes drawing",
        born: Born::On("1994-05-12"),
        city: "Lisbon",
        languages: &["en", "pt"],
        interests: &["drawing", "cats", "chess"],
        games: &["draw and guess", "gomoku"],
    },
    Identity {
        name: Cow::Borrowed("bao"),
        about: "adult, Lisbon, speaks English and Chinese, likes drawing",
        born: Born::On("1996-11-02"),
        city: "Lisbon",
        languages: &["en", "zh"],
        interests: &["drawing", "cooking", "cats"],
        games: &["draw and guess", "two truths"],
    },
    Identity {
        name: Cow::Borrowed("chen"),
        about: "adult, Chengdu, speaks Chinese, likes music",
        born: Born::On("1990-02-28"),
        city: "Chengdu",
        languages: &["zh"],
        interests: &["music", "cooking"],
        games: &["gomoku"],
    },
    Identity {
        name: Cow::Borrowed("dora"),
        about: "adult, Berlin, speaks German and English, likes hiking",
        born: Born::On("1982-08-30"),
        city: "Berlin",
        languages: &["de", "en"],
        interests: &["hiking", "films"],
        games: &["same word"],
    },
    Identity {
        name: Cow::Borrowed("kim"),
        about: "16 years old: is refused",
        born: Born::YearsAgo(16),
        city: "Lisbon",
        languages: &["en"],
        interests: &["drawing"],
        games: &[],
    },
    Identity {
        name: Cow::Borrowed("nemo"),
        about: "age not verified: is refused",
        born: Born::Unknown,
        city: "Lisbon",
        languages: &["en"],
        interests: &["drawing"],
        games: &[],
    },
];

const HABITS: [(&str, &[&str], &[&str]); 6] = [
    ("Lisbon", &["drawing", "cats", "chess"], &["draw and guess", "gomoku"]),
    ("Lisbon", &["drawing", "cooking"], &["draw and guess", "two truths"]),
    ("Berlin", &["hiking", "films", "cats"], &["same word", "gomoku"]),
    ("Chengdu", &["music", "cooking"], &["gomoku", "finish my drawing"]),
    ("Madrid", &["football", "music", "films"], &["two truths"]),
    ("Lyon", &["chess", "hiking"], &["same word", "two truths"]),
];
const YEARS: [&str; 4] = ["1988-03-14", "1992-07-01", "1995-10-23", "1999-01-30"];

impl Identity {
    pub fn find(name: &str) -> Option<Self> {
        IDENTITIES.iter().find(|known| known.name == name).cloned().or_else(|| Self::guest(name))
    }

    /// An adult who speaks English; the number decides the rest.
    fn guest(name: &str) -> Option<Self> {
        let number: u32 = name.strip_prefix("guest-")?.parse().ok()?;
        if !(1..=GUESTS).contains(&number) || name != format!("guest-{number}") {
            return None;
        }
        let (city, interests, games) = HABITS[number as usize % HABITS.len()];
        Some(Self {
            name: Cow::Owned(name.to_owned()),
            about: "a guest of a rehearsal",
            born: Born::On(YEARS[number as usize / HABITS.len() % YEARS.len()]),
            city,
            languages: &["en"],
            interests,
            games,
        })
    }

    /// The claims about the person; those about the token are the issuer's to add.
    pub fn claims(&self, now: i64) -> Value {
        let mut username = self.name.clone().into_owned();
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

#[cfg(test)]
mod tests {
    use super::Identity;

    #[test]
    fn guests_have_numbers_and_no_other_names() {
        assert_eq!(Identity::find("guest-12").unwrap().claims(0)["sub"], "dev-guest-12");
        assert_eq!(Identity::find("ada").unwrap().name, "ada");
        for unknown in ["guest-0", "guest-01", "guest-+1", "guest-10000", "guest-", "Ada", ""] {
            assert!(Identity::find(unknown).is_none(), "{unknown}");
        }
    }
}

//! Reports, what moderators decide, and what is kept of a person: bodies of the HTTP interface.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `GET /v1/configuration` | - | [`Configuration`], without a token |
//! | `POST /v1/reports` | [`Report`] | [`Reported`] |
//! | `GET /v1/me/standing` | - | [`Standing`] |
//! | `POST /v1/me/standing/{decision}/read` | - | [`Standing`] |
//! | `POST /v1/me/standing/{decision}/appeal` | [`Appeal`] | [`Standing`] |
//! | `GET /v1/me/export` | - | a JSON object of everything that is held |
//! | `POST /v1/me/deletion` | - | [`DeletionOffer`], the first confirmation |
//! | `DELETE /v1/me` | [`Deletion`] | [`Deleted`], the second |

use crate::socket::MatchId;
use crate::{Private, limits};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What an app must know of a server before it signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    pub protocol: u16,
    /// Base64 of an X25519 public key; absent where the operator takes no pictures with reports.
    pub moderation_key: Option<String>,
    /// For how long pictures of a report are kept.
    pub evidence_days: u32,
}

/// In the order in which the dialog lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Category {
    /// Seems to be under 18.
    Underage,
    /// Threats, or a danger to somebody.
    Danger,
    /// Nudity or sexual acts that were not wanted.
    Sexual,
    Harassment,
    Hate,
    /// A recording, or somebody else than the picture says.
    Fake,
    /// Advertising, asking for money.
    Scam,
    Other,
}

impl Category {
    pub const ALL: [Self; 8] =
        [Self::Underage, Self::Danger, Self::Sexual, Self::Harassment, Self::Hate, Self::Fake, Self::Scam, Self::Other];

    /// As on the wire and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Underage => "underage",
            Self::Danger => "danger",
            Self::Sexual => "sexual",
            Self::Harassment => "harassment",
            Self::Hate => "hate",
            Self::Fake => "fake",
            Self::Scam => "scam",
            Self::Other => "other",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.name() == name)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    pub match_id: MatchId,
    pub category: Category,
    /// May be empty; at most [`limits::REPORT_TEXT`] characters.
    #[serde(default)]
    pub text: Private<String>,
    /// Base64 of sealed [`crate::evidence::Evidence`]; only with the reporter's consent.
    #[serde(default)]
    pub evidence: Option<Private<String>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reported {
    /// Until then somebody will have looked, Unix seconds.
    pub decided_by: i64,
}

/// The text of a report or an appeal: within its limit, and without control characters but line breaks and tabs.
pub fn is_report_text(text: &str) -> bool {
    text.chars().count() <= limits::REPORT_TEXT && !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t')
}

/// How somebody stands with the moderators.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Standing {
    /// In force or not yet read, newest first.
    pub notices: Vec<StandingNotice>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StandingNotice {
    pub decision: String,
    pub what: Measure,
    /// In the moderator's words; empty for an automatic pause.
    pub reason: Private<String>,
    /// Unix seconds.
    #[ts(type = "number")]
    pub since: i64,
    /// Of a pause.
    #[ts(type = "number | null")]
    pub until: Option<i64>,
    pub read: bool,
    pub appeal: AppealState,
    /// What the moderators answered to the appeal.
    pub answer: Private<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Measure {
    Warning,
    Pause,
    /// Several people reported; nobody has looked yet.
    AutomaticPause,
    Ban,
}

impl Measure {
    /// As on the wire and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Pause => "pause",
            Self::AutomaticPause => "automatic_pause",
            Self::Ban => "ban",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Warning, Self::Pause, Self::AutomaticPause, Self::Ban].into_iter().find(|measure| measure.name() == name)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum AppealState {
    /// May still be made.
    Open,
    Made,
    Upheld,
    /// The measure was lifted.
    Granted,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Appeal {
    pub text: Private<String>,
}

/// What a deletion would mean now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeletionOffer {
    /// To be sent back within `expires_in_s`.
    pub confirmation: Private<String>,
    pub expires_in_s: u32,
    /// Unix seconds; a report about this person is open, so that some of it is kept until it is decided, at the latest until then.
    pub held_until: Option<i64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deletion {
    pub confirmation: Private<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    pub held_until: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_wire() {
        for category in Category::ALL {
            assert_eq!(serde_json::to_value(category).unwrap(), category.name());
            assert_eq!(Category::from_name(category.name()), Some(category));
        }
        assert_eq!(Category::from_name("nonsense"), None);
    }

    #[test]
    fn texts_have_a_limit() {
        assert!(is_report_text("") && is_report_text("two\nlines") && is_report_text(&"ä".repeat(limits::REPORT_TEXT)));
        assert!(!is_report_text(&"ä".repeat(limits::REPORT_TEXT + 1)) && !is_report_text("\u{7}"));
        let bare: Report = serde_json::from_str("{\"match_id\":\"m\",\"category\":\"hate\"}").unwrap();
        assert!(bare.text.reveal().is_empty() && bare.evidence.is_none());
    }
}

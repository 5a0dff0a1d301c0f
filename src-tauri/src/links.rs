//! Links of the form `visavis://PLACE`, from another program or a web page: each only opens a page, none does anything.

use serde::{Deserialize, Serialize};
use std::str::FromStr;
use visavis_session::Command;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// The window as it is.
    Open,
    Friends,
    History,
    Profile,
}

impl Link {
    /// What the page would send for the same way; the session ignores it where it does not fit (during a call).
    pub fn command(self) -> Option<Command> {
        match self {
            Self::Open => None,
            Self::Friends => Some(Command::OpenFriends),
            Self::History => Some(Command::OpenHistory),
            Self::Profile => Some(Command::OpenProfile),
        }
    }
}

impl FromStr for Link {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let place = text.strip_prefix("visavis:").ok_or("a link begins with visavis://")?;
        match place.trim_matches('/') {
            "" | "open" => Ok(Self::Open),
            "friends" => Ok(Self::Friends),
            "history" => Ok(Self::History),
            "profile" => Ok(Self::Profile),
            _ => Err("there is visavis://open, visavis://friends, visavis://history and visavis://profile".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_open_pages_and_nothing_else() {
        for (text, link) in [
            ("visavis://", Link::Open),
            ("visavis:open", Link::Open),
            // Browsers add the last stroke.
            ("visavis://friends/", Link::Friends),
            ("visavis://history", Link::History),
            ("visavis://profile", Link::Profile),
        ] {
            assert_eq!(text.parse(), Ok(link), "{text}");
        }
        for text in
            ["", "friends", "https://friends", "visavis://delete", "visavis://friends?call=1", "visavis://friends/../history"]
        {
            assert!(text.parse::<Link>().is_err(), "{text}");
        }
    }
}

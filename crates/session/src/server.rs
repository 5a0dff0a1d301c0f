//! Which server the app speaks with: how an address is written, and what can be wrong with one. Asking the server itself is the
//! business of `backend.rs`.

use serde::Serialize;
use ts_rs::TS;
use url::{Host, Url};

/// Of what somebody types.
const LONGEST: usize = 300;

/// Where the address comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// Given for this run; not to be changed in the window.
    Given(String),
    /// What the settings remember; until then what an operator's build fills in, if anything.
    Chosen { built_in: Option<String> },
}

/// The server in use, for any page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ServerView {
    /// Absent until one was entered.
    pub address: Option<String>,
    /// Given when the program was started.
    pub fixed: bool,
}

/// Why an address is of no use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "problem", rename_all = "snake_case")]
#[ts(export)]
pub enum ServerProblem {
    /// It is no web address.
    NoAddress,
    /// Plain HTTP to another machine.
    NotSafe,
    /// No machine has this name, or there is no network.
    NameUnknown {
        host: String,
    },
    /// Nothing answers there.
    Unreachable {
        host: String,
    },
    Untrusted {
        host: String,
        because: Untrusted,
    },
    /// Something else answers.
    NotVisavis {
        host: String,
    },
    /// It is starting, ending, or without its database.
    NotReady {
        host: String,
    },
    AppTooOld {
        host: String,
    },
    ServerTooOld {
        host: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Untrusted {
    /// Its certificate is of the past, or of the future: perhaps this computer's clock is wrong.
    Expired,
    OtherName,
    /// Nobody vouches for it whom this computer knows.
    UnknownIssuer,
    /// What answers there does not speak TLS.
    NoTls,
    Other,
}

/// The address as it is used and kept: with its scheme, without a slash at the end. Who types none means `https://`, and on this
/// machine `http://`.
pub fn normalised(typed: &str) -> Result<String, ServerProblem> {
    let typed = typed.trim();
    if typed.is_empty() || typed.len() > LONGEST || typed.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(ServerProblem::NoAddress);
    }
    let with_scheme = if typed.contains("://") { typed.to_owned() } else { format!("https://{typed}") };
    let mut url = Url::parse(&with_scheme).map_err(|_| ServerProblem::NoAddress)?;
    let local = is_loopback(&url).ok_or(ServerProblem::NoAddress)?;
    if local && !typed.contains("://") {
        url = Url::parse(&format!("http://{typed}")).map_err(|_| ServerProblem::NoAddress)?;
    }
    match url.scheme() {
        "https" => {}
        "http" if local => {}
        "http" => return Err(ServerProblem::NotSafe),
        _ => return Err(ServerProblem::NoAddress),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ServerProblem::NoAddress);
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// `None`: it names no machine.
pub(crate) fn is_loopback(url: &Url) -> Option<bool> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.is_loopback()),
        Host::Ipv6(address) => Some(address.is_loopback()),
        Host::Domain("") => None,
        Host::Domain(name) => Some(name == "localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_as_people_write_it() {
        for (typed, used) in [
            ("https://visavis.example", "https://visavis.example"),
            ("  visavis.example  ", "https://visavis.example"),
            ("visavis.example:8443/", "https://visavis.example:8443"),
            ("https://visavis.example/under/?a#b", "https://visavis.example/under"),
            ("HTTPS://Visavis.Example", "https://visavis.example"),
            ("localhost:7000", "http://localhost:7000"),
            ("127.0.0.1:7000", "http://127.0.0.1:7000"),
            ("[::1]:7000", "http://[::1]:7000"),
            ("https://localhost:7000", "https://localhost:7000"),
            ("对面.example", "https://xn--ceto69k.example"),
        ] {
            assert_eq!(normalised(typed).as_deref(), Ok(used), "{typed}");
        }
    }

    #[test]
    fn what_is_no_safe_address_is_told_apart() {
        for typed in
            ["", "   ", "a b", "ftp://visavis.example", "https://", "https://user:word@visavis.example", "::", "a\nb", "/"]
        {
            assert_eq!(normalised(typed), Err(ServerProblem::NoAddress), "{typed}");
        }
        assert_eq!(normalised(&"a".repeat(LONGEST + 1)), Err(ServerProblem::NoAddress));
        for typed in ["http://visavis.example", "http://192.168.0.4:7000", "http://127.0.0.1.example"] {
            assert_eq!(normalised(typed), Err(ServerProblem::NotSafe), "{typed}");
        }
    }
}

//! Logs on standard error. Libraries that print addresses are cut off whatever the filter says: an address names a person.

use tracing::Metadata;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const DEFAULT: &str = "warn,visavis=info,visavis_app=info,visavis_session=info,visavis_call=info,visavis_media=info";

/// Crates whose messages hold candidates, relay addresses or URLs with tokens.
const TALKATIVE: [&str; 10] =
    ["webrtc", "rtc", "turn", "stun", "hyper", "hyper_util", "reqwest", "tungstenite", "tokio_tungstenite", "mio"];

/// Once per process. `Err` says what is wrong with the filter.
pub fn start(filter: Option<&str>) -> Result<(), String> {
    let text = filter.filter(|text| !text.trim().is_empty()).unwrap_or(DEFAULT);
    let filter = EnvFilter::try_new(text).map_err(|error| format!("the log filter {text:?} is unusable: {error}"))?;
    tracing_subscriber::registry()
        .with(filter)
        .with(filter_fn(|metadata: &Metadata<'_>| !is_talkative(metadata.target())))
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr))
        .try_init()
        .map_err(|error| format!("logs cannot be started: {error}"))
}

fn is_talkative(target: &str) -> bool {
    let name = target.split("::").next().unwrap_or(target);
    TALKATIVE.contains(&name) || name.starts_with("rtc_") || name.starts_with("webrtc_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_that_print_addresses_are_cut_off() {
        for target in ["webrtc::peer_connection", "rtc_ice::agent", "turn::client", "hyper_util::client::legacy"] {
            assert!(is_talkative(target), "{target}");
        }
        for target in ["visavis_call::engine", "visavis_app::screen", "wry", "returning"] {
            assert!(!is_talkative(target), "{target}");
        }
    }
}

//! Takes direct addresses out of signalling. Strangers are connected through the relay alone, so nothing that a match is sent may
//! name another address, not even a relayed candidate's related one (RFC 8839 section 5.1: `raddr` is the sender's own).

use visavis_wire::Private;
use visavis_wire::socket::Signal;

/// What the peer may get of a signal; `None` where nothing is left of it.
pub fn without_direct_addresses(signal: Signal) -> Option<Signal> {
    match signal {
        Signal::Offer { sdp } => Some(Signal::Offer { sdp: Private::new(strip_description(sdp.reveal())) }),
        Signal::Answer { sdp } => Some(Signal::Answer { sdp: Private::new(strip_description(sdp.reveal())) }),
        Signal::Candidate { candidate: Some(line), sdp_mid, sdp_m_line_index } => {
            // An empty line is the other way to say that there are no more.
            let candidate = if line.reveal().trim().is_empty() { None } else { Some(Private::new(relayed(line.reveal())?)) };
            Some(Signal::Candidate { candidate, sdp_mid, sdp_m_line_index })
        }
        end @ Signal::Candidate { candidate: None, .. } => Some(end),
    }
}

/// The candidate with its related address hidden, if it is a relayed one.
fn relayed(line: &str) -> Option<String> {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    // candidate:foundation component transport priority address port typ TYPE [raddr A rport P] ...
    if words.len() < 8 || !words[0].contains("candidate:") || words[6] != "typ" || words[7] != "relay" {
        return None;
    }
    let mut at = 8;
    while at + 1 < words.len() {
        match words[at] {
            "raddr" => words[at + 1] = if words[at + 1].contains(':') { "::" } else { "0.0.0.0" },
            "rport" => words[at + 1] = "0",
            _ => {}
        }
        at += 2;
    }
    Some(words.join(" "))
}

fn strip_description(sdp: &str) -> String {
    let mut out = String::with_capacity(sdp.len());
    for line in sdp.split(['\r', '\n']).filter(|line| !line.is_empty()) {
        if let Some(line) = strip_line(line) {
            out.push_str(&line);
            out.push_str("\r\n");
        }
    }
    out
}

fn strip_line(line: &str) -> Option<String> {
    let (kind, value) = line.split_once('=')?;
    match kind {
        "a" if value.trim_start().starts_with("candidate:") => relayed(value).map(|value| format!("a={value}")),
        // Carries addresses and is never needed: the pair in use is found by checks.
        "a" if value.trim_start().starts_with("remote-candidates") => None,
        "a" if value.trim_start().starts_with("rtcp:") => Some(hide_address(kind, value)),
        "c" | "o" => Some(hide_address(kind, value)),
        // Free text about the person or the session: names, addresses, telephone numbers.
        "i" | "u" | "e" | "p" => None,
        _ => Some(line.to_owned()),
    }
}

/// Replaces what follows `IN IP4` or `IN IP6`.
fn hide_address(kind: &str, value: &str) -> String {
    let words: Vec<&str> = value.split_whitespace().collect();
    let mut out: Vec<&str> = Vec::with_capacity(words.len());
    let mut after = None;
    for word in words {
        out.push(after.take().unwrap_or(word));
        after = match word {
            "IP4" => Some("0.0.0.0"),
            "IP6" => Some("::"),
            _ => None,
        };
    }
    format!("{kind}={}", out.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SDP: &str = "v=0\r\no=- 46117 2 IN IP4 192.168.1.7\r\ns=-\r\ne=ada@example.org\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
        c=IN IP4 203.0.113.9\r\na=rtcp:9 IN IP4 203.0.113.9\r\na=ice-ufrag:x\r\na=candidate:1 1 udp 2130706431 192.168.1.7 5000 typ host\r\n\
        a=candidate:2 1 udp 1694498815 203.0.113.9 5001 typ srflx raddr 192.168.1.7 rport 5000\r\n\
        a=candidate:3 1 udp 16777215 198.51.100.1 6000 typ relay raddr 203.0.113.9 rport 5001\r\na=end-of-candidates\r\n";

    #[test]
    fn a_description_keeps_only_the_relay() {
        let out = strip_description(SDP);
        assert!(!out.contains("192.168") && !out.contains("203.0.113") && !out.contains("ada@"), "{out}");
        assert!(out.contains("a=candidate:3 1 udp 16777215 198.51.100.1 6000 typ relay raddr 0.0.0.0 rport 0\r\n"));
        assert!(
            out.contains("a=ice-ufrag:x\r\n") && out.contains("a=end-of-candidates\r\n") && out.contains("c=IN IP4 0.0.0.0\r\n")
        );
        assert!(out.contains("o=- 46117 2 IN IP4 0.0.0.0\r\n"));
    }

    #[test]
    fn trickled_candidates() {
        let signal = |line: &str| Signal::Candidate {
            candidate: Some(Private::new(line.to_owned())),
            sdp_mid: Some("0".into()),
            sdp_m_line_index: Some(0),
        };
        assert_eq!(without_direct_addresses(signal("candidate:1 1 udp 1 192.168.1.7 5000 typ host")), None);
        assert_eq!(
            without_direct_addresses(signal("candidate:1 1 udp 1 a1b2.local 5000 typ prflx raddr 10.0.0.1 rport 9")),
            None
        );
        assert_eq!(without_direct_addresses(signal("nonsense")), None);
        assert_eq!(
            without_direct_addresses(signal("candidate:1 1 udp 1 10.0.0.9 5 typ relay raddr fe80::1 rport 9 generation 0")),
            Some(signal("candidate:1 1 udp 1 10.0.0.9 5 typ relay raddr :: rport 0 generation 0"))
        );
        let end = Signal::Candidate { candidate: None, sdp_mid: None, sdp_m_line_index: None };
        assert_eq!(without_direct_addresses(end.clone()), Some(end));
    }

    proptest! {
        #[test]
        fn no_line_of_any_text_keeps_a_host_candidate(prefix in "[ -~\r\n]{0,40}", kind in "(host|srflx|prflx)", space in "[ \t]{0,2}") {
            let sdp = format!("{prefix}\na={space}candidate:1 1 udp 1 10.1.2.3 5000 typ {kind}\nb=AS:1");
            prop_assert!(!strip_description(&sdp).contains("10.1.2.3"));
        }
    }
}

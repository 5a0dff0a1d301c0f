//! Offer, answer, candidates and restart (JSEP, RFC 9429; trickled, RFC 8838), and what of them may be told to the other side.
//!
//! In a relayed call nothing that leaves names an address of this machine, and nothing that arrives makes it talk to an address
//! that is not a relay's.

use crate::cookie::Cookies;
use crate::engine::Policy;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::transport::RTCIceCandidateInit;
use std::sync::Arc;
use visavis_wire::Private;
use visavis_wire::socket::{Role, Signal};
use webrtc::peer_connection::PeerConnection;

/// Candidates kept that arrive before the description they belong to.
const EARLY_CANDIDATES: usize = 64;
/// Candidates taken from the peer for one description.
const CANDIDATES: usize = 128;

#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum NegotiationError {
    /// The library's own words are left out: they may quote the description, which holds addresses.
    #[error("the {0} could not be used")]
    Description(&'static str),
}

type Step = Result<Option<Signal>, NegotiationError>;

pub(crate) struct Negotiator {
    connection: Arc<dyn PeerConnection>,
    role: Role,
    policy: Policy,
    cookies: Cookies,
    /// Our offer waits for its answer.
    offering: bool,
    described: bool,
    early: Vec<RTCIceCandidateInit>,
    candidates: usize,
    /// The offer answered last: the server may deliver twice.
    answered: Option<String>,
}

impl Negotiator {
    pub fn new(connection: Arc<dyn PeerConnection>, role: Role, policy: Policy, cookies: Cookies) -> Self {
        let early = Vec::new();
        Self { connection, role, policy, cookies, offering: false, described: false, early, candidates: 0, answered: None }
    }

    /// True once the peer's description is known.
    pub fn described(&self) -> bool {
        self.described
    }

    /// The answerer's candidates are ready before the offer comes. The library gathers when a description is made, or when a
    /// restart is announced; this one is never carried out, because an answer takes the place of the offer that would.
    pub async fn gather(&mut self) -> Result<(), NegotiationError> {
        self.connection.restart_ice().await.map_err(|_| NegotiationError::Description("own candidates"))
    }

    /// Makes an offer, with new credentials and candidates when `restart`.
    pub async fn offer(&mut self, restart: bool) -> Step {
        const WHAT: NegotiationError = NegotiationError::Description("own offer");
        if self.offering {
            // Its answer is lost, or about candidates that are of no use any more.
            self.roll_back(WHAT).await?;
        }
        if restart {
            self.connection.restart_ice().await.map_err(|_| WHAT)?;
        }
        let offer = self.connection.create_offer(None).await.map_err(|_| WHAT)?;
        let sdp = Private::new(self.cookies.told(&public_description(&offer.sdp, self.policy)));
        self.connection.set_local_description(offer).await.map_err(|_| WHAT)?;
        self.offering = true;
        Ok(Some(Signal::Offer { sdp }))
    }

    /// Takes what the peer signalled; gives what is to be signalled back.
    pub async fn take(&mut self, signal: Signal) -> Step {
        match signal {
            Signal::Offer { sdp } => self.take_offer(sdp.into_inner()).await,
            Signal::Answer { sdp } => self.take_answer(sdp.into_inner()).await.map(|()| None),
            Signal::Candidate { candidate: Some(line), sdp_mid, sdp_m_line_index } => {
                self.take_candidate(line.into_inner(), sdp_mid, sdp_m_line_index).await;
                Ok(None)
            }
            // The end of candidates changes nothing for us.
            Signal::Candidate { candidate: None, .. } => Ok(None),
        }
    }

    async fn take_offer(&mut self, sdp: String) -> Step {
        const WHAT: NegotiationError = NegotiationError::Description("peer's offer");
        if self.answered.as_ref() == Some(&sdp) {
            return Ok(None);
        }
        if self.offering {
            // Both offered. One must give way, and the roles say who.
            if self.role == Role::Offerer {
                return Ok(None);
            }
            self.roll_back(WHAT).await?;
        }
        self.cookies.hear(&sdp);
        let offer = RTCSessionDescription::offer(public_description(&sdp, self.policy)).map_err(|_| WHAT)?;
        self.connection.set_remote_description(offer).await.map_err(|_| WHAT)?;
        let answer = self.connection.create_answer(None).await.map_err(|_| WHAT)?;
        let own = Private::new(self.cookies.told(&public_description(&answer.sdp, self.policy)));
        self.connection.set_local_description(answer).await.map_err(|_| WHAT)?;
        self.answered = Some(sdp);
        self.now_described().await;
        Ok(Some(Signal::Answer { sdp: own }))
    }

    async fn roll_back(&mut self, what: NegotiationError) -> Result<(), NegotiationError> {
        let rollback = RTCSessionDescription::rollback(None).map_err(|_| what.clone())?;
        self.connection.set_local_description(rollback).await.map_err(|_| what)?;
        self.offering = false;
        Ok(())
    }

    async fn take_answer(&mut self, sdp: String) -> Result<(), NegotiationError> {
        const WHAT: NegotiationError = NegotiationError::Description("peer's answer");
        if !self.offering {
            return Ok(());
        }
        self.cookies.hear(&sdp);
        let answer = RTCSessionDescription::answer(public_description(&sdp, self.policy)).map_err(|_| WHAT)?;
        self.connection.set_remote_description(answer).await.map_err(|_| WHAT)?;
        self.offering = false;
        self.now_described().await;
        Ok(())
    }

    async fn take_candidate(&mut self, line: String, sdp_mid: Option<String>, sdp_mline_index: Option<u16>) {
        let Some(candidate) = public_candidate(&line, self.policy) else { return };
        let init = RTCIceCandidateInit { candidate, sdp_mid, sdp_mline_index, ..RTCIceCandidateInit::default() };
        if self.described {
            self.add(init).await;
        } else if self.early.len() < EARLY_CANDIDATES {
            self.early.push(init);
        }
    }

    async fn now_described(&mut self) {
        self.described = true;
        self.candidates = 0;
        for candidate in std::mem::take(&mut self.early) {
            self.add(candidate).await;
        }
    }

    async fn add(&mut self, candidate: RTCIceCandidateInit) {
        self.candidates += 1;
        if self.candidates > CANDIDATES {
            return;
        }
        if self.connection.add_ice_candidate(candidate).await.is_err() {
            tracing::debug!("a candidate of the peer could not be used");
        }
    }
}

/// A candidate of ours as the peer may see it, or one of the peer's as we may use it. `None`: not at all.
pub(crate) fn public_candidate(line: &str, policy: Policy) -> Option<String> {
    if policy == Policy::Any {
        return Some(line.to_owned());
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let relayed = words.windows(2).any(|pair| pair == ["typ", "relay"]);
    let typed = words.iter().filter(|word| **word == "typ").count();
    if !relayed || typed != 1 {
        return None;
    }
    // The related address of a relayed candidate is the one it was allocated from: this machine's.
    let mut public = Vec::with_capacity(words.len());
    let mut hide = None;
    for word in words {
        public.push(hide.take().unwrap_or(word));
        hide = match word {
            "raddr" => Some("0.0.0.0"),
            "rport" => Some("0"),
            _ => None,
        };
    }
    Some(public.join(" "))
}

/// A description without the addresses that the policy keeps back.
pub(crate) fn public_description(sdp: &str, policy: Policy) -> String {
    if policy == Policy::Any {
        return sdp.to_owned();
    }
    let mut public = String::with_capacity(sdp.len());
    for line in sdp.lines() {
        let line = line.trim_end();
        if let Some(candidate) = line.strip_prefix("a=candidate:") {
            if let Some(candidate) = public_candidate(candidate, policy) {
                push_line(&mut public, &format!("a=candidate:{candidate}"));
            }
        } else if line.starts_with("c=") {
            push_line(&mut public, "c=IN IP4 0.0.0.0");
        } else if line.starts_with("a=rtcp:") {
            push_line(&mut public, "a=rtcp:9 IN IP4 0.0.0.0");
        } else if line.starts_with("o=") {
            push_line(&mut public, &public_origin(line));
        } else {
            push_line(&mut public, line);
        }
    }
    public
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push_str("\r\n");
}

/// `o=<user> <session> <version> IN IP4 <address>`: the first three identify the session, the address is hidden.
fn public_origin(line: &str) -> String {
    let mut words = line.split_whitespace();
    let [user, session, version] = std::array::from_fn(|_| words.next().unwrap_or("0"));
    format!("{user} {session} {version} IN IP4 0.0.0.0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RELAY: &str = "candidate:3 1 udp 16777215 203.0.113.7 50000 typ relay raddr 192.168.1.20 rport 41234";
    const HOST: &str = "candidate:1 1 udp 2130706431 192.168.1.20 41234 typ host";

    #[test]
    fn a_relayed_call_offers_relays_alone_and_hides_what_they_relate_to() {
        assert_eq!(
            public_candidate(RELAY, Policy::RelayOnly).unwrap(),
            "candidate:3 1 udp 16777215 203.0.113.7 50000 typ relay raddr 0.0.0.0 rport 0"
        );
        assert_eq!(public_candidate(HOST, Policy::RelayOnly), None);
        assert_eq!(public_candidate(&format!("{HOST} typ relay"), Policy::RelayOnly), None);
        assert_eq!(public_candidate(HOST, Policy::Any).unwrap(), HOST);
    }

    #[test]
    fn no_own_address_is_left_in_a_description() {
        let sdp = format!(
            "v=0\r\no=- 12 2 IN IP4 192.168.1.20\r\ns=-\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 192.168.1.20\r\n\
             a=rtcp:41234 IN IP4 192.168.1.20\r\na={HOST}\r\na={RELAY}\r\na=end-of-candidates\r\n"
        );
        let public = public_description(&sdp, Policy::RelayOnly);
        assert!(!public.contains("192.168."), "{public}");
        assert!(public.contains("203.0.113.7"));
        assert!(public.starts_with("v=0\r\no=- 12 2 IN IP4 0.0.0.0\r\n"));
        assert_eq!(public_description(&sdp, Policy::Any), sdp);
    }

    proptest! {
        #[test]
        fn nothing_but_a_relay_passes(line in "[ -~]{0,120}") {
            if let Some(passed) = public_candidate(&line, Policy::RelayOnly) {
                prop_assert!(passed.contains("typ relay"));
            }
            let _ = public_description(&line, Policy::RelayOnly);
        }
    }
}

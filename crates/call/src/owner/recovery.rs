//! New candidates while a call runs (ICE restart, RFC 8839 section 4.4.1.1.1): when, by whom, and over which way to the relay. The
//! DTLS association, and with it channels, keys and the four pictures, stay what they are.
//!
//! | because | who offers |
//! |---|---|
//! | own network changed, or the stream to the relay broke | this side, at once |
//! | the session asks: silence, or the server is back | the offerer at once, the answerer if nothing came for two seconds |
//!
//! Finding the way to the relay takes up to some seconds, so it happens beside the loop; what the peer signals meanwhile waits.

use super::{Ending, Owner, Phase, Wires};
use crate::connection::NetworkWatch;
use crate::engine::{Event, Input, Policy};
use crate::relay::{Found, reach};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use visavis_wire::socket::{RelayCredentials, Role, Signal};

/// The answerer lets the offerer restart first.
const ANSWERER_WAITS: Duration = Duration::from_secs(2);
/// The local addresses are looked at so often. A restart that comes sooner than silence is noticed saves its two and a half
/// seconds; one look costs a few system calls.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Signals of the peer that wait for the way to the relay; a negotiation has about a dozen.
const HELD: usize = 64;

#[derive(Default)]
pub(super) struct Recovery {
    /// An offer is due then.
    offer_at: Option<Duration>,
    reaching: bool,
    /// Offer as soon as the way is found.
    offer_then: bool,
    held: Vec<Signal>,
    /// The server gave other credentials than the library has.
    stale: bool,
    watch: NetworkWatch,
    looked_at: Duration,
}

impl Owner {
    /// Looks at the network now and then, and offers when it is time to.
    pub(super) fn recover(&mut self, wires: &Wires, now: Duration) {
        if now >= self.recovery.looked_at + LOOK_EVERY {
            self.recovery.looked_at = now;
            if self.recovery.watch.look(&wires.connection) {
                tracing::info!("the network of this machine changed");
                self.network_changed();
            }
        }
        if self.recovery.offer_at.is_some_and(|at| now >= at) {
            self.recovery.offer_at = None;
            self.begin_restart();
        }
    }

    pub(super) fn network_changed(&mut self) {
        // Before the first connection both sides are at their first negotiation; the session's patience covers it.
        if !matches!(self.phase, Phase::SettingUp { .. }) {
            self.tell(Event::NetworkChanged);
            self.begin_restart();
        }
    }

    pub(super) fn restart_asked_for(&mut self) {
        match self.config.role {
            Role::Offerer => self.begin_restart(),
            Role::Answerer => self.recovery.offer_at = Some(self.shared.clock.now() + ANSWERER_WAITS),
        }
    }

    /// From now on the server's word for the relay is this. A call that is up keeps the addresses that it has.
    pub(super) fn renew_relay(&mut self, relay: RelayCredentials) {
        self.recovery.stale |= relay != self.config.relay;
        self.config.relay = relay;
    }

    fn begin_restart(&mut self) {
        self.recovery.offer_then = true;
        self.find_way();
    }

    fn find_way(&mut self) {
        if !std::mem::replace(&mut self.recovery.reaching, true) {
            let (relay, inputs) = (self.config.relay.clone(), self.inputs.clone());
            tokio::spawn(find(relay, inputs));
        }
    }

    pub(super) async fn way_found(&mut self, wires: &mut Wires, found: Found) -> Result<(), Ending> {
        self.recovery.reaching = false;
        if found.relay != self.config.relay {
            // The server named another one meanwhile.
            self.find_way();
            return Ok(());
        }
        match found.way {
            // Before the first negotiation is through, nothing would use it, and what is in use would break.
            Ok(_) if !wires.negotiator.described() => {}
            Ok(way) => {
                let taken = wires.connection.take_way(way, &self.config.relay).await;
                taken.map_err(|error| Ending::Broken(error.to_string()))?;
                self.recovery.stale = false;
            }
            // There may be none at this moment. What there was stays, and is tried again with the next restart.
            Err(error) if self.config.policy == Policy::RelayOnly => tracing::info!(%error, "no way to the relay"),
            Err(_) => {}
        }
        self.recovery.watch.settle(&wires.connection);
        for signal in std::mem::take(&mut self.recovery.held) {
            // An offer of the peer does what one's own would do.
            self.recovery.offer_then &= !matches!(signal, Signal::Offer { .. });
            self.signal(wires, signal).await?;
        }
        if std::mem::take(&mut self.recovery.offer_then) {
            self.recovery.offer_at = None;
            self.offer(wires, true).await?;
        }
        Ok(())
    }

    /// Whether a signal of the peer has to wait: an answer to it would be made with a way that is not found yet.
    pub(super) fn holds_back(&mut self, signal: &Signal) -> bool {
        if let Signal::Offer { .. } = signal {
            self.recovery.offer_at = None;
            if self.recovery.stale && !matches!(self.phase, Phase::SettingUp { .. }) {
                self.find_way();
            }
        }
        if self.recovery.reaching && self.recovery.held.len() < HELD {
            self.recovery.held.push(signal.clone());
            return true;
        }
        false
    }
}

async fn find(relay: RelayCredentials, inputs: UnboundedSender<Input>) {
    let way = reach(&relay, inputs.clone()).await;
    // Fails only when the call is over.
    let _ = inputs.send(Input::Way(Box::new(Found { relay, way })));
}

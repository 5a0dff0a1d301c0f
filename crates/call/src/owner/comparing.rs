//! The exchange that ends in the four pictures, on the connection in use.

use super::{Ending, Owner, Wires};
use crate::channels::Channel;
use crate::comparison::{Exchange, Fingerprint, Tampered};
use crate::connection::certificates;
use crate::engine::Event;
use std::time::Duration;
use visavis_wire::channel::{Comparison, Control};

/// Whether the two sides hold the same certificates.
pub(super) struct Comparing {
    exchange: Exchange,
    certificates: (Fingerprint, Fingerprint),
    said_at: Duration,
}

/// The library loses what is sent on a channel that the other side has not opened yet.
const SAY_AGAIN: Duration = Duration::from_millis(400);

impl Owner {
    /// The control channel is open, so the handshake is through. A channel that opens again changes nothing.
    pub(super) async fn begin_comparison(&mut self, wires: &Wires) -> Result<(), Ending> {
        if self.comparison.is_some() {
            return Ok(());
        }
        let Some(certificates) = certificates(&*wires.connection.peer).await else {
            return Err(Ending::Broken(String::from("the certificates of the connection are not known")));
        };
        let (exchange, first) = Exchange::begin(self.config.role, certificates.0, certificates.1, rand::random());
        self.comparison = Some(Comparing { exchange, certificates, said_at: self.config.clock.now() });
        if let Some(first) = first {
            self.send(wires, Channel::Control, &Control::Comparison(first)).await;
        }
        Ok(())
    }

    pub(super) async fn say_again(&mut self, wires: &Wires, now: Duration) {
        let Some(comparing) = self.comparison.as_mut().filter(|comparing| now >= comparing.said_at + SAY_AGAIN) else { return };
        comparing.said_at = now;
        if let Some(message) = comparing.exchange.unanswered() {
            self.send(wires, Channel::Control, &Control::Comparison(message)).await;
        }
    }

    /// A restart of the path keeps the DTLS association. Were it ever made anew, with another certificate, then what the two have
    /// compared would say nothing of it.
    pub(super) async fn still_the_same(&self, wires: &Wires) -> Result<(), Ending> {
        let Some(comparing) = &self.comparison else { return Ok(()) };
        let now = certificates(&*wires.connection.peer).await;
        if now == Some(comparing.certificates) { Ok(()) } else { Err(Ending::Tampered) }
    }

    pub(super) async fn compare(&mut self, wires: &Wires, message: &Comparison) -> Result<(), Ending> {
        let Some(comparing) = &mut self.comparison else { return Err(Ending::Tampered) };
        let step = comparing.exchange.take(message).map_err(|Tampered| Ending::Tampered)?;
        if let Some(answer) = step.send {
            self.send(wires, Channel::Control, &Control::Comparison(answer)).await;
        }
        if let Some(pictures) = step.pictures {
            self.tell(Event::Pictures(pictures));
        }
        Ok(())
    }
}

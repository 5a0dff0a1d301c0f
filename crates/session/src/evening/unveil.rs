//! "Ask me before unveiling": a picture that was veiled for the peer's sake waits for its owner. The gate alone decides whether a
//! picture may be clear; here is only one more reason for it to be told that the user does not agree.

use super::in_call::InCall;
use super::{Effect, Evening};
use visavis_call as call;
use visavis_sight::gate::{Because, Input as GateInput};
use visavis_wire::channel::{Control, Shows};
use visavis_wire::socket::ClientMessage;

impl InCall {
    /// What the gate lets out has changed. With "ask me before unveiling" a picture that was clear and is veiled for the peer's
    /// sake stays so: the gate is told that the user does not agree for now, and the peer that this is meant.
    pub(super) fn gate_says(&mut self, shows: Shows, because: Option<Because>, ask: bool, out: &mut Vec<Effect>) {
        (self.shows, self.because) = (shows, because);
        self.was_clear |= shows == Shows::Clear;
        let for_their_sake = matches!(because, Some(Because::PeerNotClear | Because::PeerVeiled));
        if ask && self.was_clear && for_their_sake && self.agreed && self.opened && !self.held {
            self.held = true;
            out.push(Effect::Gate(GateInput::Agreed(false)));
            out.push(Effect::Call(call::Command::Control(Control::StaysVeiled { stays: true })));
        }
    }

    /// The user has said what is to become of the picture. True when it waited for that.
    pub(super) fn release_hold(&mut self, out: &mut Vec<Effect>) -> bool {
        let held = std::mem::take(&mut self.held);
        if held {
            out.push(Effect::Call(call::Command::Control(Control::StaysVeiled { stays: false })));
        }
        held
    }

    pub(super) fn unveil(&mut self, out: &mut Vec<Effect>) {
        if self.release_hold(out) {
            self.was_clear = false;
            out.push(Effect::Gate(GateInput::Agreed(self.agreed)));
        }
    }

    /// What was seen and told, for the server.
    pub(super) fn saw_covered(&self) -> Option<ClientMessage> {
        self.covered.message(&self.match_id)
    }
}

impl Evening {
    pub fn ask_before_unveiling(&self) -> bool {
        self.own.ask_before_unveiling
    }
}

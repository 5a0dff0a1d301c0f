//! What passes between two apps, and the comparison of their papers.

use super::{Due, World};
use crate::soak::Sabotage;
use crate::soak::calls::{Arrives, FOUND_MS, NOTICED_MS, candidates, description, made_by};
use crate::soak::person::Person;
use std::time::Duration;
use visavis_call as call;
use visavis_session::Command;
use visavis_session::pure::{Drawing, Effect, Input};
use visavis_wire::Private;
use visavis_wire::channel::{ChannelMessage, Control, Live, Operations};
use visavis_wire::socket::{MatchId, Role, Signal};

/// Papers are compared where nothing was drawn for so long, and the path has held for so long.
const CALM_MS: u64 = 8_000;

impl World {
    pub(super) fn start_call(&mut self, who: usize, number: u64, role: Role) {
        self.end_call(who);
        let life = self.people[who].life;
        let call = self.calls.begin(who, life, number, role);
        let person = &mut self.people[who];
        (person.call, person.call_number) = (Some(call), number);
        if role == Role::Offerer {
            let sdp = Private::new(description(call, &person.address()));
            self.signals(who, number, Signal::Offer { sdp });
        }
    }

    fn signals(&mut self, who: usize, number: u64, first: Signal) {
        let address = self.people[who].address();
        for signal in std::iter::once(first).chain(candidates(&address)) {
            self.feed(who, Input::Call { number, event: call::Event::Signal(signal) });
        }
    }

    pub(super) fn end_call(&mut self, who: usize) {
        if let Some(call) = self.people[who].call {
            if let (Some(other), Some(at)) = (self.calls.other(call), self.calls.may_arrive(call, self.now, &mut self.dice)) {
                // Behind the good-bye.
                self.at(at + 60, Due::Call { call: other, what: Arrives::Closed });
            }
            self.calls.end(call);
        }
        self.people[who].end_call();
    }

    pub(super) fn call_command(&mut self, who: usize, command: call::Command) {
        let Some(call) = self.people[who].call else { return };
        match command {
            call::Command::Signal(signal) => self.signalled(who, call, signal),
            call::Command::Control(control) => {
                let lost = self.sabotage == Some(Sabotage::LostStrokes) && matches!(control, Control::Paper(_));
                if !lost {
                    self.reliable(call, Arrives::Control(control.to_bytes()));
                }
            }
            call::Command::Operations(operations) => {
                self.tally.marks += operations.0.len();
                let lost = self.sabotage == Some(Sabotage::LostStrokes) && self.calls.side(call).role == Role::Offerer;
                if !lost {
                    self.reliable(call, Arrives::Operations(operations.to_bytes()));
                }
            }
            call::Command::Live(live) => {
                if let (true, Some(other)) = (self.calls.side(call).connected, self.calls.other(call))
                    && let Some(at) = self.calls.may_arrive(call, self.now, &mut self.dice)
                {
                    self.at(at, Due::Call { call: other, what: Arrives::Live(live.to_bytes()) });
                }
            }
            call::Command::Mute(_) | call::Command::Restart | call::Command::Relay(_) | call::Command::HangUp => {}
        }
    }

    fn reliable(&mut self, call: usize, what: Arrives) {
        if let (true, Some(other)) = (self.calls.side(call).connected, self.calls.other(call)) {
            let at = self.calls.arrives(call, self.now, &mut self.dice);
            self.at(at, Due::Call { call: other, what });
        }
    }

    fn signalled(&mut self, who: usize, call: usize, signal: Signal) {
        let (Signal::Offer { sdp } | Signal::Answer { sdp }) = &signal else { return };
        let Some(other) = made_by(sdp.reveal()) else { return };
        let both = self.calls.heard(call, other);
        if matches!(signal, Signal::Offer { .. }) {
            let (number, sdp) = (self.calls.side(call).number, Private::new(description(call, &self.people[who].address())));
            self.signals(who, number, Signal::Answer { sdp });
        }
        if both {
            self.tally.calls += 1;
            let ready = self.dice.between(80, 400);
            for side in [call, other] {
                self.after(ready, Due::Call { call: side, what: Arrives::Connected });
            }
            if self.dice.percent(15) {
                self.plan_outage(call, other);
            }
        }
    }

    fn plan_outage(&mut self, call: usize, other: usize) {
        let from = self.now + self.dice.between(4_000, 14_000);
        let to = from + self.dice.between(300, 5_000);
        self.calls.outage(call, from, to);
        for side in [call, other] {
            if to > from + NOTICED_MS {
                self.at(from + NOTICED_MS, Due::Call { call: side, what: Arrives::Interrupted });
                self.at(to + FOUND_MS, Due::Call { call: side, what: Arrives::Restored });
            }
        }
    }

    pub(super) fn arrives(&mut self, call: usize, what: Arrives) {
        let side = self.calls.side(call);
        let (who, number) = (side.who, side.number);
        let person = &mut self.people[who];
        if side.gone || person.life != side.life || person.call != Some(call) {
            return;
        }
        let event = match what {
            Arrives::Picture { captured, picture } => {
                let from = side.other.map(|other| self.calls.side(other).who).unwrap_or(who);
                person.eye.picture(&picture, self.now);
                let clear = picture.is_clear();
                self.tally.pictures += 1;
                self.tally.clear += u64::from(clear);
                if let Some(id) = &person.match_id {
                    self.judge.decoded(self.now, &id.0, (from, captured), who, picture.lens(), clear);
                }
                return;
            }
            Arrives::Connected => Some(call::Event::Connected),
            Arrives::Interrupted => Some(call::Event::Interrupted),
            Arrives::Restored => Some(call::Event::Restored),
            Arrives::Closed => Some(call::Event::Closed),
            Arrives::Control(bytes) => {
                self.judge.sent(who, &bytes);
                Control::from_bytes(&bytes).ok().map(call::Event::Control)
            }
            Arrives::Operations(bytes) => {
                self.judge.sent(who, &bytes);
                Operations::from_bytes(&bytes).ok().map(call::Event::Operations)
            }
            Arrives::Live(bytes) => Live::from_bytes(&bytes).ok().map(call::Event::Live),
        };
        if let Some(event) = event {
            self.feed(who, Input::Call { number, event });
        }
    }

    /// Before the first of the two goes.
    pub(super) fn compare_papers(&mut self, who: usize, id: &MatchId) {
        let person = &self.people[who];
        self.tally.revealed += usize::from(person.revealed);
        self.tally.games += usize::from(person.played);
        let Some(call) = person.call else { return };
        let Some(other_call) = self.calls.other(call) else { return };
        let other = self.calls.side(other_call).who;
        let calm = |person: &Person| {
            person.page == "call"
                && person.connected
                && !person.played
                && person.drawn_ms + CALM_MS < self.now
                && person.match_id.as_ref() == Some(id)
        };
        if !calm(person) || !calm(&self.people[other]) || self.calls.holds_for(call, self.now) < CALM_MS {
            return;
        }
        let (one, two) = (self.drawing(who), self.drawing(other));
        let marks = |drawing: &Option<Drawing>| -> Vec<Vec<u8>> {
            let marks = drawing.iter().flat_map(|drawing| drawing.marks.iter());
            marks.map(|op| Operations(vec![op.clone()]).to_bytes()).collect()
        };
        let (a, b) = (marks(&one), marks(&two));
        self.tally.papers += 1;
        self.judge.papers(&id.0, [who, other], a == b, &format!("{} and {} marks", a.len(), b.len()));
    }

    fn drawing(&mut self, who: usize) -> Option<Drawing> {
        let effects = self.people[who].evening.input(Input::User(Command::SaveDrawing), Duration::from_millis(self.now));
        effects.into_iter().find_map(|effect| match effect {
            Effect::SaveDrawing(drawing) => Some(*drawing),
            _ => None,
        })
    }
}

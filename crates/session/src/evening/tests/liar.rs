//! The evening together with the real gate, against a peer that says whatever it likes; and "ask me before unveiling".

use super::*;
use proptest::collection::vec;
use visavis_sight::detector::CameraState;
use visavis_sight::gate::HOLD;
use visavis_sight::{Gate, View};

/// What `picture.rs` does with the gate, in virtual time, and beside it what has to be true for a clear picture.
struct Outside {
    night: Night,
    gate: Option<Gate>,
    detector: CameraState,
    clear_since: Option<Duration>,
    said: Option<(View, Option<gate::Because>)>,
    user_agrees: bool,
    server_opened: bool,
}

impl Outside {
    fn new() -> Self {
        let mut night = Night::in_call();
        night.now += Duration::from_secs(1);
        Self {
            night,
            gate: Some(Gate::new()),
            detector: CameraState::Unknown,
            clear_since: None,
            said: None,
            user_agrees: false,
            server_opened: false,
        }
    }

    fn feed(&mut self, input: Input) {
        let in_call = matches!(self.night.page(), Page::Call(_));
        match &input {
            Input::User(Command::Reveal { yes }) if in_call => {
                self.user_agrees = *yes;
                self.server_opened &= *yes;
            }
            Input::Socket(Socket::Message(message)) => match &**message {
                ServerMessage::QuestionOpened { match_id, question: Question::Reveal } if in_call => {
                    self.server_opened |= *match_id == id("m");
                }
                ServerMessage::QuestionClosed { match_id, question: Question::Reveal } if *match_id == id("m") => {
                    (self.user_agrees, self.server_opened) = (false, false);
                }
                ServerMessage::MatchBegins { match_id, .. } if *match_id == id("m") => self.server_opened = false,
                _ => {}
            },
            _ => {}
        }
        let effects = self.night.input(input);
        self.carry_out(effects);
        self.gate_reports();
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::ShowToPeer => {
                    (self.gate, self.said) = (Some(Gate::new()), None);
                    (self.user_agrees, self.server_opened, self.clear_since) = (false, false, None);
                }
                Effect::EndCall => self.gate = None,
                Effect::Gate(input) => {
                    if let Some(gate) = &mut self.gate {
                        gate.input(input, self.night.now);
                    }
                }
                _ => {}
            }
        }
    }

    fn gate_reports(&mut self) {
        let Some(gate) = &self.gate else { return };
        let state = (gate.view(self.night.now), gate.veiled_because(self.night.now));
        if self.said == Some(state) {
            return;
        }
        self.said = Some(state);
        let shows = if state.0 == View::Clear { Shows::Clear } else { Shows::Veiled };
        let number = self.night.evening.number;
        let effects = self.night.input(Input::Sight(Sight::Gate { number, shows, because: state.1 }));
        self.carry_out(effects);
    }

    fn pass(&mut self, ms: u64) {
        for _ in 0..ms.div_ceil(40) {
            self.night.now += Duration::from_millis(40);
            let now = self.night.now;
            self.clear_since = match self.detector {
                CameraState::Clear => self.clear_since.or(Some(now)),
                _ => None,
            };
            if let Some(gate) = &mut self.gate {
                gate.input(gate::Input::PeerShows(View::Clear), now);
                gate.input(gate::Input::PeerLooks(self.detector), now);
            }
            self.feed(Input::Tick);
        }
    }

    fn is_clear(&self) -> bool {
        self.gate.as_ref().is_some_and(|gate| gate.view(self.night.now) == View::Clear)
    }

    fn may_be_clear(&self) -> bool {
        let held = self.clear_since.is_some_and(|since| self.night.now - since >= HOLD);
        self.user_agrees && self.server_opened && held
    }

    fn peer_says(&mut self, control: Control) {
        let number = self.night.evening.number;
        self.feed(Input::Call { number, event: call::Event::Control(control) });
    }

    fn sees_me(&mut self, sees: Seen) {
        self.peer_says(Control::Sight { shows: Shows::Clear, camera_on: true, sees });
    }

    fn detects(&mut self, camera: CameraState, seen: Seen) {
        self.detector = camera;
        let number = self.night.evening.number;
        self.feed(Input::Sight(Sight::Peer { number, looks: seen, mosaic: false }));
    }

    fn both_clear() -> Self {
        let mut outside = Self::new();
        outside.sees_me(Seen::Clear);
        outside.detects(CameraState::Clear, Seen::Clear);
        outside.feed(Input::User(Command::Reveal { yes: true }));
        outside.feed(Input::Socket(Socket::Message(Box::new(opened("m", Question::Reveal)))));
        outside.pass(1000);
        assert!(outside.is_clear() && outside.may_be_clear());
        outside
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// One of the inputs of the other tests: user, server, connection, peer.
    Any(u8, u8),
    Reveal(bool),
    Word(bool),
    Unveil,
    AskMe(bool),
    PeerSees(usize, bool, bool),
    PeerStays(bool),
    PeerLeaves,
    Detector(usize),
    Pass(u64),
}

const SEEN: [Seen; 9] = [
    Seen::Clear,
    Seen::Unknown,
    Seen::Dark,
    Seen::Covered,
    Seen::Partial,
    Seen::Frozen,
    Seen::NobodyInView,
    Seen::Off,
    Seen::NoSignal,
];

fn step() -> impl Strategy<Value = Step> {
    let seen = || prop_oneof![3 => Just(0_usize), 2 => 0..SEEN.len()];
    prop_oneof![
        2 => (38..64u8, 0..4u8).prop_map(|(kind, detail)| Step::Any(kind, detail)),
        2 => proptest::bool::weighted(0.8).prop_map(Step::Reveal),
        2 => proptest::bool::weighted(0.8).prop_map(Step::Word),
        1 => Just(Step::Unveil),
        1 => any::<bool>().prop_map(Step::AskMe),
        4 => (seen(), any::<bool>(), any::<bool>()).prop_map(|(seen, shows, on)| Step::PeerSees(seen, shows, on)),
        2 => any::<bool>().prop_map(Step::PeerStays),
        1 => Just(Step::PeerLeaves),
        3 => seen().prop_map(Step::Detector),
        5 => (0..1500u64).prop_map(Step::Pass),
    ]
}

impl Outside {
    fn step(&mut self, step: Step) {
        match step {
            // What the peer-picture thread alone says comes from `Detector`.
            Step::Any(62, _) => {}
            Step::Any(kind, detail) => self.feed(any_input(kind, detail, self.night.evening.number)),
            Step::Reveal(yes) => self.feed(Input::User(Command::Reveal { yes })),
            Step::Word(true) => self.feed(Input::Socket(Socket::Message(Box::new(opened("m", Question::Reveal))))),
            Step::Word(false) => {
                let closed = ServerMessage::QuestionClosed { match_id: id("m"), question: Question::Reveal };
                self.feed(Input::Socket(Socket::Message(Box::new(closed))));
            }
            Step::Unveil => self.feed(Input::User(Command::Unveil)),
            Step::AskMe(on) => self.feed(Input::User(Command::AskBeforeUnveiling { on })),
            Step::PeerSees(seen, clear, camera_on) => {
                let shows = if clear { Shows::Clear } else { Shows::Veiled };
                self.peer_says(Control::Sight { shows, camera_on, sees: SEEN[seen] });
            }
            Step::PeerStays(stays) => self.peer_says(Control::StaysVeiled { stays }),
            Step::PeerLeaves => self.peer_says(Control::Leaving),
            Step::Detector(seen) => self.detects(crate::sight::camera_state(SEEN[seen]), SEEN[seen]),
            Step::Pass(ms) => self.pass(ms),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever the peer (and the server, and the connection) sends, in whatever order.
    #[test]
    fn no_clear_picture_without_the_user_the_server_and_the_detector(steps in vec(step(), 1..80), from_clear in any::<bool>()) {
        let mut outside = if from_clear { Outside::both_clear() } else { Outside::new() };
        for step in steps {
            let what = format!("{step:?}");
            outside.step(step);
            outside.pass(40);
            prop_assert!(!outside.is_clear() || outside.may_be_clear(), "after {what}");
        }
    }
}

#[test]
fn with_the_setting_the_user_is_asked_before_the_picture_unveils_again() {
    let mut outside = Outside::both_clear();
    outside.feed(Input::User(Command::AskBeforeUnveiling { on: true }));
    assert!(outside.is_clear(), "an open picture is left alone");
    outside.detects(CameraState::Covered, Seen::Covered);
    outside.pass(200);
    assert!(!outside.is_clear());
    assert_eq!(outside.night.call_view().veil_reason, Some(VeilReason::WaitsForYou));
    assert!(!outside.night.call_view().asks_to_unveil, "not while they are covered");
    outside.detects(CameraState::Clear, Seen::Clear);
    outside.pass(5000);
    assert!(!outside.is_clear());
    assert!(outside.night.call_view().asks_to_unveil);
    assert_eq!(outside.night.call_view().reveal, RevealState::Open, "the question is still answered");
    outside.feed(Input::User(Command::Unveil));
    outside.pass(40);
    assert!(outside.is_clear());
    assert!(!outside.night.call_view().asks_to_unveil);
    // Without the setting it unveils by itself.
    outside.feed(Input::User(Command::AskBeforeUnveiling { on: false }));
    outside.detects(CameraState::Covered, Seen::Covered);
    outside.pass(200);
    assert!(!outside.is_clear());
    outside.detects(CameraState::Clear, Seen::Clear);
    outside.pass(1000);
    assert!(outside.is_clear());
}

#[test]
fn who_is_asked_says_so_and_the_other_stays_veiled_meanwhile() {
    let mut night = Night::in_call();
    let number = night.evening.number;
    night.user(Command::AskBeforeUnveiling { on: true });
    night.user(Command::Reveal { yes: true });
    night.server(opened("m", Question::Reveal));
    let veiled = |because| Input::Sight(Sight::Gate { number, shows: Shows::Veiled, because: Some(because) });
    let effects = night.input(veiled(gate::Because::PeerNotClear));
    assert!(!has(&effects, |effect| matches!(effect, Effect::Gate(_))), "the first time it opens by itself");
    night.input(Input::Sight(Sight::Gate { number, shows: Shows::Clear, because: None }));
    let effects = night.input(veiled(gate::Because::PeerNotClear));
    assert!(controls(&effects).contains(&Control::StaysVeiled { stays: true }));
    // A connection that was renewed meanwhile hears it again.
    assert!(controls(&night.call_event(call::Event::Restored)).contains(&Control::StaysVeiled { stays: true }));
    let effects = night.user(Command::Unveil);
    assert!(controls(&effects).contains(&Control::StaysVeiled { stays: false }));
    assert!(has(&effects, |effect| matches!(effect, Effect::Gate(gate::Input::Agreed(true)))));
    assert!(night.user(Command::Unveil).is_empty(), "nothing to unveil");
    // The other side's gate is told, and nothing else.
    let effects = night.call_event(call::Event::Control(Control::StaysVeiled { stays: true }));
    assert!(matches!(effects[..], [Effect::Gate(gate::Input::PeerStaysVeiled(true))]));
}

#[test]
fn what_was_seen_is_told_to_the_server_at_the_end() {
    for by_the_other in [false, true] {
        let mut outside = Outside::both_clear();
        outside.detects(CameraState::Covered, Seen::Covered);
        outside.sees_me(Seen::Partial);
        outside.night.wait(12.0);
        outside.sees_me(Seen::Clear);
        outside.night.wait(20.0);
        let effects =
            if by_the_other { outside.night.server(ended("m", EndReason::Left)) } else { outside.night.user(Command::Leave) };
        let sent = sends(&effects);
        let Some(ClientMessage::SawCovered { saw_s, told_s, .. }) = sent.first() else { panic!("{sent:?}") };
        assert!((31..=33).contains(saw_s) && (11..=13).contains(told_s), "{saw_s} {told_s}");
    }
}

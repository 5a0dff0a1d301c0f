//! Evenings of two in virtual time. Long because they share one room with its people and its clock.

use super::*;
use crate::store::Entrant;
use std::collections::BTreeMap;
use uuid::Uuid;
use visavis_wire::Private;
use visavis_wire::games::{Game, Play, Twist};
use visavis_wire::people::{Fact, Profile, Reason};
use visavis_wire::socket::{Question, Role, Signal};

struct Counting(u64);

impl Sources for Counting {
    fn match_id(&mut self) -> MatchId {
        self.0 += 1;
        MatchId(format!("m{}", self.0))
    }

    fn coin(&mut self) -> bool {
        true
    }

    fn relay(&mut self) -> RelayCredentials {
        relay()
    }

    fn follow_id(&self, of: AccountId, with: AccountId) -> FollowId {
        follow_id(of, with)
    }
}

pub(super) fn follow_id(of: AccountId, with: AccountId) -> FollowId {
    FollowId(format!("{} of {}", with.0.as_u128(), of.0.as_u128()))
}

fn relay() -> RelayCredentials {
    RelayCredentials { username: String::from("u").into(), expires_in_s: 1, ..RelayCredentials::default() }
}

fn begins(match_id: &MatchId, role: Role) -> ServerMessage {
    ServerMessage::MatchBegins { match_id: match_id.clone(), role, relay: relay(), direct: false }
}

pub(super) fn person(number: u128) -> AccountId {
    AccountId(Uuid::from_u128(number))
}

fn entrant(city: &str) -> Entrant {
    let profile = Profile {
        city: Fact { value: Private::new(city.into()), shared: true },
        languages: Fact { value: vec!["en".into()], shared: true },
        interests: Fact { value: vec!["secret hobby".into()], shared: false },
        ..Profile::default()
    };
    Entrant { adult: true, profile, recent: vec![], blocked: vec![], conduct: 0, log: visavis_matching::Log::default() }
}

/// A room with a store that says yes, and every message by socket.
pub(super) struct Evening {
    room: Room,
    sources: Counting,
    now: u64,
    heard: BTreeMap<u64, Vec<ServerMessage>>,
    closed: Vec<u64>,
    pub(super) entrants: BTreeMap<AccountId, Entrant>,
    pub(super) allowed: bool,
    follow_stored: Option<bool>,
    pub(super) stored: Vec<(AccountId, AccountId)>,
    pub(super) written: Vec<String>,
    sight: Vec<SightFact>,
    pub(super) withdrawn: Vec<MatchId>,
    pub(super) summoned: Vec<AccountId>,
    /// Why nobody can be called.
    pub(super) callable: Option<CallEnd>,
    pub(super) parted: Vec<Parted>,
    pub(super) learnt: Option<String>,
    second: BTreeMap<MatchId, AccountId>,
}

impl Evening {
    pub(super) fn new() -> Self {
        let entrants = (1..=4).map(|number| (person(number), entrant("Lisbon"))).collect();
        Self {
            room: Room::new(Rules::default()),
            sources: Counting(0),
            now: 0,
            heard: BTreeMap::new(),
            closed: vec![],
            entrants,
            allowed: true,
            follow_stored: Some(true),
            stored: vec![],
            written: vec![],
            sight: vec![],
            withdrawn: vec![],
            summoned: vec![],
            callable: None,
            parted: vec![],
            learnt: None,
            second: BTreeMap::new(),
        }
    }

    pub(super) fn of_experience(experience: &Experience) -> Self {
        let evening = Self::new();
        Self { room: evening.room.experienced(experience), ..evening }
    }

    pub(super) fn feed(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for output in self.room.handle(self.now, input, &mut self.sources) {
                match output {
                    Output::Send { socket, message } => self.heard.entry(socket.0).or_default().push(*message),
                    Output::Close { socket } => self.closed.push(socket.0),
                    Output::LookUp { account } => {
                        inputs.push(Input::LookedUp { account, found: Ok(self.entrants[&account].clone()) });
                    }
                    Output::LookUpCall { match_id, caller, callee } => {
                        let entrants = [caller, callee].map(|account| self.entrants[&account].clone());
                        let found = self.callable.map_or_else(|| Ok(Box::new(entrants)), Err);
                        inputs.push(Input::CallLookedUp { match_id, found });
                    }
                    Output::Summon { account } => self.summoned.push(account),
                    Output::Commit { pair } => inputs.push(Input::Committed { match_id: pair.id, allowed: self.allowed }),
                    Output::Withdrawn { match_id } => self.withdrawn.push(match_id),
                    Output::Began { running } => {
                        self.written.push(format!("{} began", running.id.0));
                        self.second.insert(running.id.clone(), running.b);
                        inputs.push(Input::Begun { match_id: running.id });
                    }
                    Output::Ended { match_id, how } => self.written.push(format!("{} {how:?}", match_id.0)),
                    Output::LogSight(fact) => self.sight.push(fact),
                    Output::Parted(outcome) => self.parted.push(outcome),
                    Output::Learnt(model) => self.learnt = Some(model),
                    Output::StoreFollow { match_id, a, b } => {
                        self.stored.push((a, b));
                        inputs.extend(self.follow_stored.map(|stored| Input::FollowStored { match_id, stored }));
                    }
                }
            }
        }
    }

    /// Person `number` arrives on the socket of the same number, or another.
    pub(super) fn arrive(&mut self, number: u64, socket: u64) {
        self.feed(Input::Arrived { account: person(number.into()), socket: SocketId(socket), arrival: Arrival::New });
    }

    pub(super) fn say(&mut self, number: u64, message: ClientMessage) {
        self.feed(Input::Said { account: person(number.into()), socket: SocketId(number), message });
    }

    pub(super) fn gone(&mut self, number: u64, socket: u64) {
        self.feed(Input::Gone { account: person(number.into()), socket: SocketId(socket) });
    }

    pub(super) fn pass(&mut self, ms: u64) {
        let until = self.now + ms;
        while self.now < until {
            self.now += TICK_MS;
            self.feed(Input::Tick);
        }
    }

    /// What a socket heard since the last time, without the news of waiting.
    pub(super) fn take(&mut self, socket: u64) -> Vec<ServerMessage> {
        let heard = std::mem::take(self.heard.entry(socket).or_default());
        heard.into_iter().filter(|message| !matches!(message, ServerMessage::Waiting { .. })).collect()
    }

    pub(super) fn quiet(&mut self) {
        self.heard.clear();
    }

    pub(super) fn is_waiting(&self, number: u64) -> bool {
        self.room.people.get(&person(number.into())).is_some_and(|person| matches!(person.place, Place::Waiting(_)))
    }

    pub(super) fn offered(&mut self) -> MatchId {
        for number in [1, 2] {
            self.arrive(number, number);
            self.say(number, ClientMessage::Join);
        }
        self.pass(TICK_MS);
        MatchId("m1".into())
    }

    pub(super) fn together(&mut self) -> MatchId {
        let match_id = self.offered();
        for number in [1, 2] {
            self.say(number, ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: true });
        }
        self.quiet();
        match_id
    }

    pub(super) fn parted(&mut self) -> MatchId {
        let match_id = self.together();
        self.say(1, ClientMessage::Leave { match_id: match_id.clone() });
        self.quiet();
        match_id
    }

    pub(super) fn second_of(&self, match_id: &MatchId) -> AccountId {
        self.second[match_id]
    }

    pub(super) fn answer(&mut self, number: u64, match_id: &MatchId, question: Question, yes: bool) {
        self.say(number, ClientMessage::Answer { match_id: match_id.clone(), question, yes });
    }
}

#[test]
fn a_join_that_crosses_the_match_is_let_be() {
    let mut evening = Evening::new();
    let match_id = evening.together();
    evening.gone(1, 1);
    evening.quiet();
    // Back on a new socket, and asking before the match has been read.
    evening.arrive(1, 1);
    evening.say(1, ClientMessage::Join);
    let heard = evening.take(1);
    assert!(
        matches!(&heard[..], [ServerMessage::Welcome { .. }, ServerMessage::MatchBegins { match_id: id, .. }] if *id == match_id)
    );
    evening.say(1, ClientMessage::Leave { match_id });
    assert!(matches!(&evening.take(1)[..], [ServerMessage::MatchEnded { .. }]), "and still in it");
}

#[test]
fn two_join_and_are_offered_each_other_on_the_first_tick() {
    let mut evening = Evening::new();
    let match_id = evening.offered();
    for (socket, role) in [(1, Role::Offerer), (2, Role::Answerer)] {
        let heard = evening.take(socket);
        let [ServerMessage::Welcome { .. }, ServerMessage::MatchOffered { card, reasons, role: own, answer_within_s, .. }] =
            &heard[..]
        else {
            panic!("{heard:?}")
        };
        assert_eq!((*own, *answer_within_s), (role, 20));
        assert_eq!(card.interests, [""; 0], "an unshared fact stays with its owner");
        assert!(matches!(&reasons[0], Reason::SameCity { city } if city.reveal() == "Lisbon"));
    }
    evening.say(1, ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: true });
    assert_eq!(evening.take(2), [], "an answer is not told");
    evening.say(2, ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: true });
    assert_eq!(evening.take(1), [begins(&match_id, Role::Offerer)]);
    assert_eq!(evening.take(2), [begins(&match_id, Role::Answerer)]);
    assert_eq!(evening.written, ["m1 began"]);
}

#[test]
fn whoever_said_meet_waits_again_and_the_two_are_left_in_peace() {
    let mut evening = Evening::new();
    let match_id = evening.offered();
    evening.quiet();
    evening.say(1, ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: true });
    evening.say(2, ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: false });
    assert_eq!(evening.take(1), [ServerMessage::MatchWithdrawn { match_id: match_id.clone() }]);
    assert_eq!(evening.take(2), [ServerMessage::MatchWithdrawn { match_id }]);
    assert!(evening.is_waiting(1) && !evening.is_waiting(2));
    evening.say(2, ClientMessage::Join);
    evening.pass(5_000);
    assert_eq!(evening.take(2), []);
    evening.pass(Rules::default().declined_ms);
    assert!(matches!(evening.take(2)[..], [ServerMessage::MatchOffered { .. }, ..]));
}

#[test]
fn an_offer_ends_by_itself_and_with_a_lost_socket() {
    let mut evening = Evening::new();
    let match_id = evening.offered();
    evening.say(1, ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: true });
    evening.quiet();
    evening.pass(20_000);
    assert_eq!(evening.take(1), [ServerMessage::MatchWithdrawn { match_id: match_id.clone() }]);
    assert_eq!(evening.take(2), [ServerMessage::MatchWithdrawn { match_id }]);
    assert!(evening.is_waiting(1) && !evening.is_waiting(2));

    let mut evening = Evening::new();
    let match_id = evening.offered();
    evening.say(1, ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: true });
    evening.quiet();
    evening.gone(2, 2);
    assert_eq!(evening.take(1), [ServerMessage::MatchWithdrawn { match_id }]);
    assert!(evening.is_waiting(1));
}

#[test]
fn nothing_is_announced_that_the_store_does_not_allow() {
    let mut evening = Evening::new();
    evening.allowed = false;
    evening.offered();
    assert_eq!(evening.take(1), [ServerMessage::Welcome { protocol: 1 }]);
    // Meanwhile it turns out why.
    evening.entrants.get_mut(&person(2)).unwrap().adult = false;
    evening.pass(TICK_MS);
    let heard = evening.take(2);
    assert!(matches!(&heard[1], ServerMessage::Refused { refusal } if refusal.code == RefusalCode::NotVerified), "{heard:?}");
    evening.allowed = true;
    evening.pass(3_000);
    assert_eq!(evening.take(1), []);
}

#[test]
fn signals_pass_only_between_the_two_and_only_in_the_match() {
    let offer = Signal::Candidate {
        candidate: Some(Private::new("candidate:1 1 udp 1 10.0.0.1 5 typ relay raddr 192.168.1.1 rport 3".into())),
        sdp_mid: None,
        sdp_m_line_index: None,
    };
    let mut evening = Evening::new();
    let match_id = evening.offered();
    let message = ClientMessage::Signal { match_id: match_id.clone(), signal: offer };
    evening.quiet();
    evening.say(1, message.clone());
    assert_eq!(evening.take(2), [], "not before both said meet");
    for number in [1, 2] {
        evening.say(number, ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: true });
    }
    evening.arrive(3, 3);
    evening.quiet();
    evening.say(3, message.clone());
    assert_eq!((evening.take(1), evening.take(2)), (vec![], vec![]), "a stranger cannot speak into a match");
    evening.say(1, message);
    let heard = evening.take(2);
    assert_eq!(heard.len(), 1);
    assert!(heard[0].to_json().contains("10.0.0.1") && !heard[0].to_json().contains("192.168"));
    let host = Signal::Candidate {
        candidate: Some(Private::new("candidate:1 1 udp 1 192.168.1.1 5 typ host".into())),
        sdp_mid: None,
        sdp_m_line_index: None,
    };
    evening.say(1, ClientMessage::Signal { match_id, signal: host });
    assert_eq!(evening.take(2), []);
}

#[test]
fn reveal_opens_on_yes_and_yes_and_closes_for_both() {
    let mut evening = Evening::new();
    let match_id = evening.together();
    let opened = ServerMessage::QuestionOpened { match_id: match_id.clone(), question: Question::Reveal };
    let closed = ServerMessage::QuestionClosed { match_id: match_id.clone(), question: Question::Reveal };
    evening.answer(1, &match_id, Question::Reveal, true);
    evening.answer(2, &match_id, Question::Reveal, false);
    evening.answer(3, &match_id, Question::Reveal, true);
    evening.pass(5_000);
    assert_eq!((evening.take(1), evening.take(2)), (vec![], vec![]), "a no and a yes alone are not told");
    evening.answer(2, &match_id, Question::Reveal, true);
    assert_eq!((evening.take(1), evening.take(2)), (vec![opened.clone()], vec![opened]));
    evening.answer(1, &match_id, Question::Reveal, false);
    assert_eq!((evening.take(1), evening.take(2)), (vec![closed.clone()], vec![closed]));
}

#[test]
fn a_game_begins_when_both_wish_for_it() {
    let mut evening = Evening::new();
    let match_id = evening.together();
    let play = |game, twist| Play { game, twist };
    let (gomoku, blind) = (play(Game::Gomoku, None), play(Game::SameWord, Some(Twist::Blind)));
    evening.answer(1, &match_id, Question::Play(gomoku), true);
    evening.answer(2, &match_id, Question::Play(blind), true);
    evening.answer(2, &match_id, Question::Play(play(Game::SameWord, None)), true);
    evening.answer(3, &match_id, Question::Play(gomoku), true);
    evening.pass(5_000);
    assert_eq!((evening.take(1), evening.take(2)), (vec![], vec![]), "wishes that differ are not told");
    evening.answer(2, &match_id, Question::Play(gomoku), true);
    let told = evening.take(1);
    let [ServerMessage::GameOpened { play: opened, number, .. }] = told[..] else { panic!("{told:?}") };
    assert_eq!((opened, evening.take(2)), (gomoku, told.clone()));
    evening.answer(1, &match_id, Question::Play(gomoku), true);
    evening.answer(1, &match_id, Question::Play(gomoku), false);
    evening.answer(2, &match_id, Question::Play(gomoku), true);
    assert_eq!((evening.take(1), evening.take(2)), (vec![], vec![]), "a wish that was taken back");
    evening.answer(1, &match_id, Question::Play(gomoku), true);
    let again = evening.take(1);
    assert!(matches!(again[..], [ServerMessage::GameOpened { number: again, .. }] if again > number));
}

#[test]
fn follow_is_told_once_it_is_stored() {
    let mut evening = Evening::new();
    let match_id = evening.together();
    evening.answer(1, &match_id, Question::Follow, true);
    evening.say(1, ClientMessage::Leave { match_id: match_id.clone() });
    let ended = ServerMessage::MatchEnded { match_id: match_id.clone(), reason: EndReason::Left, follow_within_s: 60 };
    assert_eq!((evening.take(1), evening.take(2)), (vec![ended.clone()], vec![ended]));
    assert_eq!(evening.written, ["m1 began", "m1 Left"]);
    evening.answer(2, &match_id, Question::Follow, true);
    evening.pass(10_000);
    assert_eq!(evening.take(2), [], "an answer before the parting does not count");
    evening.answer(1, &match_id, Question::Follow, true);
    let opened = ServerMessage::QuestionOpened { match_id, question: Question::Follow };
    assert_eq!((evening.take(1), evening.take(2)), (vec![opened.clone()], vec![opened]));
    assert_eq!(evening.stored, [(person(1), person(2))]);
    evening.pass(120_000);
    assert_eq!((evening.take(1), evening.take(2)), (vec![], vec![]));
    assert!(evening.room.matches.is_empty());
}

/// Whatever the two say short of yes + yes, both hear the same and at the same time.
#[test]
fn a_no_looks_like_silence() {
    let mut seen = Vec::new();
    for answers in [[None, None], [Some(true), None], [Some(false), None], [Some(true), Some(false)], [Some(false), Some(false)]]
    {
        let mut evening = Evening::new();
        let match_id = evening.parted();
        for (number, answer) in [(1, answers[0]), (2, answers[1])] {
            if let Some(yes) = answer {
                evening.answer(number, &match_id, Question::Follow, yes);
            }
        }
        let mut told = Vec::new();
        for _ in 0..300 {
            evening.pass(TICK_MS);
            for socket in [1, 2] {
                told.extend(evening.take(socket).into_iter().map(|message| (evening.now, socket, message)));
            }
        }
        assert_eq!(evening.stored, []);
        seen.push(told);
    }
    assert_eq!(seen[0].len(), 2);
    assert!(seen.iter().all(|told| *told == seen[0]), "{seen:?}");
}

#[test]
fn a_follow_that_cannot_be_stored_ends_like_any_other() {
    for stored in [Some(false), None] {
        let mut evening = Evening::new();
        evening.follow_stored = stored;
        let match_id = evening.parted();
        evening.answer(1, &match_id, Question::Follow, true);
        evening.answer(2, &match_id, Question::Follow, true);
        evening.pass(70_000);
        if stored.is_none() {
            assert_eq!(evening.take(1), [], "the store has not answered");
            evening.feed(Input::FollowStored { match_id: match_id.clone(), stored: false });
            evening.pass(TICK_MS);
        }
        let closed = ServerMessage::FollowClosed { match_id };
        assert_eq!((evening.take(1), evening.take(2)), (vec![closed.clone()], vec![closed]));
    }
}

#[test]
fn a_lost_socket_is_waited_for_and_put_back() {
    let mut evening = Evening::new();
    let match_id = evening.together();
    evening.answer(1, &match_id, Question::Reveal, true);
    evening.answer(2, &match_id, Question::Reveal, true);
    evening.quiet();
    evening.gone(2, 2);
    assert_eq!(evening.take(1), [ServerMessage::PeerAway { match_id: match_id.clone() }]);
    evening.pass(19_000);
    assert_eq!(evening.take(1), []);
    evening.arrive(2, 22);
    assert_eq!(evening.take(1), [ServerMessage::PeerBack { match_id: match_id.clone() }]);
    assert_eq!(
        evening.take(22),
        [
            ServerMessage::Welcome { protocol: 1 },
            begins(&match_id, Role::Answerer),
            ServerMessage::QuestionOpened { match_id: match_id.clone(), question: Question::Reveal },
        ]
    );
    evening.gone(2, 2);
    assert_eq!(evening.take(1), [], "the old socket's end is old news");
    evening.gone(2, 22);
    evening.quiet();
    evening.pass(20_000);
    let ended =
        |left| ServerMessage::MatchEnded { match_id: match_id.clone(), reason: EndReason::Vanished, follow_within_s: left };
    assert_eq!(evening.take(1), [ended(60)]);
    assert_eq!(evening.written, ["m1 began", "m1 Vanished"]);
    evening.pass(10_000);
    evening.arrive(2, 23);
    assert_eq!(evening.take(23)[1..], [ended(50)], "whoever comes back in time may still answer");
}

#[test]
fn a_newer_socket_replaces_the_older() {
    let mut evening = Evening::new();
    let match_id = evening.together();
    evening.arrive(2, 22);
    let heard = evening.take(2);
    assert!(matches!(&heard[..], [ServerMessage::Refused { refusal }] if refusal.code == RefusalCode::Replaced));
    assert_eq!(evening.closed, [2]);
    assert!(evening.take(22).contains(&begins(&match_id, Role::Answerer)));
    evening.quiet();
    evening.say(2, ClientMessage::Leave { match_id });
    assert_eq!(evening.take(1), [], "the old socket has no voice any more");
}

#[test]
fn waiting_is_told_every_two_seconds_and_can_be_cancelled() {
    let mut evening = Evening::new();
    evening.arrive(1, 1);
    evening.say(1, ClientMessage::Join);
    evening.pass(8_500);
    let heard = std::mem::take(evening.heard.get_mut(&1).unwrap());
    let waited: Vec<u32> = heard
        .iter()
        .filter_map(|message| match message {
            ServerMessage::Waiting { waited_s, estimate_s, .. } => {
                assert_eq!(*estimate_s, None, "there is nothing honest to say");
                Some(*waited_s)
            }
            _ => None,
        })
        .collect();
    assert_eq!(waited, [0, 2, 4, 6, 8]);
    evening.say(1, ClientMessage::CancelWaiting);
    assert_eq!(evening.take(1), [ServerMessage::WaitingEnded]);
    evening.arrive(2, 2);
    evening.say(2, ClientMessage::Join);
    evening.pass(5_000);
    assert_eq!(evening.take(1), []);
    evening.gone(2, 2);
    evening.gone(1, 1);
    assert!(evening.room.people.is_empty(), "nobody is remembered who is not here");
}

#[test]
fn who_may_not_wait_is_told_why() {
    let mut evening = Evening::new();
    evening.entrants.get_mut(&person(1)).unwrap().profile.languages.value.clear();
    evening.entrants.get_mut(&person(2)).unwrap().adult = false;
    for (number, expected) in [(1, RefusalCode::ProfileIncomplete), (2, RefusalCode::NotVerified)] {
        evening.arrive(number, number);
        evening.say(number, ClientMessage::Join);
        let heard = evening.take(number);
        assert!(matches!(&heard[1], ServerMessage::Refused { refusal } if refusal.code == expected), "{heard:?}");
    }
}

#[test]
fn recent_partners_are_not_met_again() {
    let mut evening = Evening::new();
    evening.entrants.get_mut(&person(1)).unwrap().recent = vec![person(2)];
    evening.offered();
    evening.pass(60_000);
    assert_eq!(evening.take(1), [ServerMessage::Welcome { protocol: 1 }]);
}

#[test]
fn closing_tells_everybody() {
    let mut evening = Evening::new();
    evening.together();
    evening.arrive(3, 3);
    evening.quiet();
    evening.feed(Input::Closing);
    for socket in [1, 2, 3] {
        let heard = evening.take(socket);
        assert!(matches!(&heard[..], [ServerMessage::Refused { refusal }] if refusal.code == RefusalCode::ShuttingDown));
    }
    assert_eq!(evening.written, ["m1 began"], "the match is for the next process to take up");
    assert_eq!(evening.closed, [1, 2, 3]);
    evening.arrive(4, 4);
    assert!(evening.closed.contains(&4));
}

#[test]
fn a_match_of_the_process_before_is_taken_up() {
    let mut evening = Evening::new();
    let running = RunningMatch { id: MatchId("old".into()), a: person(1), b: person(2), a_offers: false, friends: false };
    evening.room.restore(0, running.clone());
    evening.arrive(1, 1);
    assert_eq!(
        evening.take(1)[1..],
        [begins(&running.id, Role::Answerer), ServerMessage::PeerAway { match_id: running.id.clone() }]
    );
    evening.arrive(2, 2);
    assert_eq!(evening.take(2)[1..], [begins(&running.id, Role::Offerer)]);
    assert_eq!(evening.take(1), [ServerMessage::PeerBack { match_id: running.id.clone() }]);
    // Both still see each other by their own word alone.
    evening.answer(1, &running.id, Question::Reveal, true);
    assert_eq!(evening.take(2), []);
    evening.answer(2, &running.id, Question::Reveal, true);
    assert_eq!(evening.take(2).len(), 1);
    evening.say(2, ClientMessage::Leave { match_id: running.id.clone() });
    evening.answer(1, &running.id, Question::Follow, true);
    evening.answer(2, &running.id, Question::Follow, true);
    assert_eq!(evening.stored, [(person(1), person(2))]);
}

#[test]
fn a_match_that_nobody_comes_back_to_ends() {
    let mut evening = Evening::new();
    let running = RunningMatch { id: MatchId("old".into()), a: person(1), b: person(2), a_offers: true, friends: false };
    evening.room.restore(0, running.clone());
    evening.room.restore(0, RunningMatch { id: MatchId("older".into()), ..running });
    evening.pass(25_000);
    assert_eq!(evening.written, ["old Vanished"], "nobody is in two matches");
    evening.pass(100_000);
    assert!(evening.room.matches.is_empty() && evening.room.people.is_empty());
}

#[test]
fn a_long_match_gets_new_credentials_before_the_old_ones_expire() {
    let mut evening = Evening::new();
    let match_id = evening.together();
    evening.pass(1_799_000);
    assert_eq!(evening.take(1), []);
    evening.pass(1_000);
    let renewed = ServerMessage::RelayRenewed { match_id, relay: relay() };
    assert_eq!((evening.take(1), evening.take(2)), (vec![renewed.clone()], vec![renewed.clone()]));
    evening.pass(1_800_000);
    assert_eq!(evening.take(1), [renewed]);
    assert!(evening.room.rules.renew_relay_ms < 1000 * crate::relay::CREDENTIALS_LAST.as_secs());
}

mod chaos {
    use super::*;
    use proptest::prelude::*;

    fn any_step() -> impl Strategy<Value = (u8, u64, u64, bool)> {
        (0_u8..10, 1_u64..5, 1_u64..4, any::<bool>())
    }

    proptest! {
        /// Whatever four people do in whatever order: nobody hears of a match they are not in, and once all have gone and the
        /// questions are over nothing is left.
        #[test]
        fn no_order_of_events_breaks_the_room(steps in proptest::collection::vec(any_step(), 0..120)) {
            let mut evening = Evening::new();
            let mut present = BTreeMap::new();
            for (step, number, which, yes) in steps {
                let match_id = MatchId(format!("m{which}"));
                match step {
                    0 => { evening.arrive(number, number); present.insert(number, ()); }
                    1 => { evening.gone(number, number); present.remove(&number); }
                    2 | 3 => evening.say(number, ClientMessage::Join),
                    4 => evening.say(number, ClientMessage::CancelWaiting),
                    5 | 6 => evening.say(number, ClientMessage::MatchAnswer { match_id, meet: yes }),
                    7 => evening.answer(number, &match_id, if yes { Question::Reveal } else { Question::Follow }, true),
                    8 => evening.say(number, ClientMessage::Leave { match_id }),
                    _ => evening.pass(if yes { TICK_MS } else { 21_000 }),
                }
                for meeting in evening.room.matches.values() {
                    prop_assert!(meeting.is_of_two_people());
                }
            }
            for number in 1..5 {
                evening.gone(number, number);
            }
            evening.pass(200_000);
            prop_assert!(evening.room.matches.is_empty());
            prop_assert!(evening.room.people.is_empty());
        }
    }
}

#[test]
fn what_each_saw_is_logged_once_and_no_longer_than_the_pictures_were_open() {
    let mut evening = Evening::new();
    let match_id = evening.together();
    let saw = |saw_s, told_s| ClientMessage::SawCovered { match_id: match_id.clone(), saw_s, told_s };
    evening.pass(60_000);
    for number in [1, 2] {
        evening.answer(number, &match_id, Question::Reveal, true);
    }
    evening.pass(40_000);
    evening.answer(2, &match_id, Question::Reveal, false);
    evening.pass(60_000);
    evening.say(1, saw(35, 0));
    evening.say(1, saw(40, 40));
    evening.say(3, saw(40, 40));
    evening.say(1, ClientMessage::Leave { match_id: match_id.clone() });
    evening.say(2, saw(0, 900));
    let fact = |reporter, peer, saw_s, told_s| SightFact {
        match_id: match_id.clone(),
        reporter: person(reporter),
        peer: person(peer),
        saw_s,
        told_s,
    };
    assert_eq!(evening.sight, [fact(1, 2, 35, 0), fact(2, 1, 0, 40)]);
    evening.pass(70_000);
    evening.say(2, saw(1, 1));
    assert_eq!(evening.sight.len(), 2, "the match is over");
    for number in [1, 2] {
        assert!(!format!("{:?}", evening.take(number)).contains("35"), "nobody is told");
    }
}

#[test]
fn nothing_is_logged_of_pictures_that_never_opened() {
    let mut evening = Evening::new();
    let match_id = evening.together();
    evening.answer(1, &match_id, Question::Reveal, true);
    evening.pass(60_000);
    evening.say(1, ClientMessage::SawCovered { match_id: match_id.clone(), saw_s: 50, told_s: 50 });
    assert_eq!(evening.sight, []);
}

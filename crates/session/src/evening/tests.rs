//! Whole evenings in virtual time, and inputs that make no sense. Long because every page's transitions share one set of
//! helpers: a night that is brought to a page, and what the server would say there.

mod after;
mod care;
mod figures;
mod hotplug;
mod liar;
mod ring;

use super::*;
use crate::view::{CallView, Connection, FollowState, Page, RevealState, VeilReason};
use proptest::prelude::*;
use visavis_call as call;
use visavis_wire::channel::{Control, Live, Operations};
use visavis_wire::friends::FollowId;
use visavis_wire::http::{Refusal, RefusalCode};
use visavis_wire::paper::{Op, Point};
use visavis_wire::people::{Fact, Reason};
use visavis_wire::socket::{EndReason, Question, Signal};

mod games;
mod paper;
mod paper_links;

struct Night {
    evening: Evening,
    now: Duration,
}

impl Night {
    fn new() -> Self {
        let (evening, effects) = Evening::new(false);
        assert!(matches!(effects[..], [Effect::Restore]));
        Self { evening, now: Duration::from_secs(1000) }
    }

    fn input(&mut self, input: Input) -> Vec<Effect> {
        self.evening.input(input, self.now)
    }

    fn user(&mut self, command: Command) -> Vec<Effect> {
        self.input(Input::User(command))
    }

    fn server(&mut self, message: ServerMessage) -> Vec<Effect> {
        self.input(Input::Socket(Socket::Message(Box::new(message))))
    }

    fn call_event(&mut self, event: call::Event) -> Vec<Effect> {
        let number = self.evening.number;
        self.input(Input::Call { number, event })
    }

    fn wait(&mut self, seconds: f64) -> Vec<Effect> {
        let until = self.now + Duration::from_secs_f64(seconds);
        let mut effects = Vec::new();
        while self.now < until {
            self.now += Duration::from_millis(100);
            effects.extend(self.input(Input::Tick));
        }
        effects
    }

    fn page(&self) -> Page {
        self.evening.view(self.now).page
    }

    fn notice(&self) -> Option<Notice> {
        self.evening.view(self.now).notice
    }

    fn call_view(&self) -> CallView {
        match self.page() {
            Page::Call(call) => *call,
            other => panic!("not in a call: {other:?}"),
        }
    }

    fn follow(&self) -> FollowState {
        match self.page() {
            Page::Parting { follow, .. } => follow,
            other => panic!("not parting: {other:?}"),
        }
    }

    fn at_mirror() -> Self {
        let mut night = Self::new();
        night.input(Input::Account(Account::NoStoredSignIn));
        assert_eq!(night.page(), Page::Welcome);
        night.user(Command::SignIn);
        assert_eq!(night.page(), Page::SigningIn);
        night.input(Input::Account(Account::SignedIn(Box::new(me(&["en"])))));
        night.server(ServerMessage::Welcome { protocol: 1 });
        assert!(matches!(night.page(), Page::Mirror { .. }));
        night
    }

    fn waiting() -> Self {
        let mut night = Self::at_mirror();
        assert!(sends(&night.user(Command::Meet)).contains(&ClientMessage::Join));
        assert!(matches!(night.page(), Page::Waiting { .. }));
        night
    }

    fn offered() -> Self {
        let mut night = Self::waiting();
        let effects = night.server(offer("m", Role::Offerer));
        assert!(matches!(effects[..], [Effect::StartCall { number: 1, role: Role::Offerer, .. }]));
        night
    }

    fn in_call() -> Self {
        let mut night = Self::offered();
        night.user(Command::AnswerMatch { meet: true });
        let effects = night.server(begins("m", Role::Offerer));
        assert!(effects.iter().any(|effect| matches!(effect, Effect::ShowToPeer)));
        night.call_event(call::Event::Connected);
        assert_eq!(night.call_view().connection, Connection::Connected);
        night
    }

    fn parting() -> Self {
        let mut night = Self::in_call();
        night.server(ended("m", EndReason::Left));
        night
    }
}

fn me(languages: &[&str]) -> Me {
    let languages = Fact { value: languages.iter().map(|language| (*language).to_owned()).collect(), shared: true };
    Me { username: Private::new(String::from("ada")), profile: Profile { languages, ..Profile::default() } }
}

fn id(name: &str) -> MatchId {
    MatchId(name.to_owned())
}

fn offer(name: &str, role: Role) -> ServerMessage {
    ServerMessage::MatchOffered {
        match_id: id(name),
        role,
        card: PeerCard::default(),
        reasons: vec![Reason::CloseInAge],
        answer_within_s: 20,
        relay: RelayCredentials { expires_in_s: 60, ..RelayCredentials::default() },
        call: None,
    }
}

fn begins(name: &str, role: Role) -> ServerMessage {
    ServerMessage::MatchBegins { match_id: id(name), role, relay: RelayCredentials::default(), direct: false }
}

fn ended(name: &str, reason: EndReason) -> ServerMessage {
    ServerMessage::MatchEnded { match_id: id(name), reason, follow_within_s: 15 }
}

fn opened(name: &str, question: Question) -> ServerMessage {
    ServerMessage::QuestionOpened { match_id: id(name), question }
}

fn candidate() -> Signal {
    Signal::Candidate { candidate: None, sdp_mid: None, sdp_m_line_index: None }
}

fn refusal(code: RefusalCode) -> Refusal {
    Refusal { code, message: String::from("No.") }
}

fn sends(effects: &[Effect]) -> Vec<ClientMessage> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send(message) => Some(message.clone()),
            _ => None,
        })
        .collect()
}

fn has(effects: &[Effect], wanted: impl Fn(&Effect) -> bool) -> bool {
    effects.iter().any(wanted)
}

fn controls(effects: &[Effect]) -> Vec<Control> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Call(call::Command::Control(control)) => Some(control.clone()),
            _ => None,
        })
        .collect()
}

fn hangs_up(effects: &[Effect]) -> bool {
    has(effects, |effect| matches!(effect, Effect::Call(call::Command::HangUp)))
        && has(effects, |effect| matches!(effect, Effect::EndCall))
}

fn line(id: u32) -> Command {
    let points = (0..20).map(|at| Point { x: at * 10, y: 7, pressure: 128 }).collect();
    Command::DrawPoints { id, colour: Some(1), size: 20, fades: false, points }
}

#[test]
fn a_stored_sign_in_leads_to_the_mirror_and_an_empty_profile_to_its_page() {
    let mut night = Night::new();
    assert_eq!(night.page(), Page::Starting);
    let effects = night.input(Input::Account(Account::SignedIn(Box::new(me(&["en"])))));
    assert!(has(&effects, |effect| matches!(effect, Effect::OpenSocket)));
    assert!(matches!(night.page(), Page::Mirror { .. }));

    let mut night = Night::new();
    night.input(Input::Account(Account::SignedIn(Box::new(me(&[])))));
    assert!(matches!(night.page(), Page::Profile { saving: false, .. }));
    let profile = me(&["zh"]).profile;
    let effects = night.user(Command::SaveProfile { profile });
    assert!(has(&effects, |effect| matches!(effect, Effect::SaveProfile(_))));
    assert!(matches!(night.page(), Page::Profile { saving: true, .. }));
    night.input(Input::Account(Account::ProfileSaved(Box::new(me(&["zh"])))));
    assert!(matches!(night.page(), Page::Mirror { .. }));
}

#[test]
fn a_server_that_is_not_there_is_said_and_tried_again() {
    let mut night = Night::new();
    let unreachable = || Input::Account(Account::Failed(Failure::Unreachable { host: String::from("h") }));
    night.input(unreachable());
    assert_eq!(night.page(), Page::Starting);
    assert_eq!(night.notice(), Some(Notice::ServerUnreachable { host: String::from("h") }));
    assert_eq!(night.wait(7.0).iter().filter(|effect| matches!(effect, Effect::Restore)).count(), 1);
    night.input(Input::Account(Account::NoStoredSignIn));
    night.user(Command::SignIn);
    night.input(unreachable());
    assert_eq!(night.page(), Page::Welcome, "a sign-in that failed is no stuck page");
    let effects = night.user(Command::Retry);
    assert!(has(&effects, |effect| matches!(effect, Effect::SignIn)));
    assert_eq!(night.notice(), None);
}

#[test]
fn refusals_of_a_sign_in_are_shown_in_words() {
    for code in [RefusalCode::UnderAge, RefusalCode::NotVerified, RefusalCode::IssuerFault, RefusalCode::SignInDenied] {
        let mut night = Night::new();
        night.user(Command::SignIn);
        night.input(Input::Account(Account::Failed(Failure::Refused(refusal(code)))));
        assert_eq!(night.page(), Page::Welcome);
        assert_eq!(night.notice(), Some(Notice::Refused { code, message: String::from("No.") }));
        night.user(Command::DismissNotice);
        assert_eq!(night.notice(), None);
    }
}

#[test]
fn a_cancelled_sign_in_that_finishes_all_the_same_changes_nothing() {
    let mut night = Night::new();
    night.user(Command::SignIn);
    let effects = night.input(Input::Account(Account::BrowserWanted { url: String::from("http://x") }));
    assert!(matches!(&effects[..], [Effect::Emit(Event::OpenBrowser { .. })]));
    night.input(Input::BrowserDidNotOpen { url: String::from("http://x") });
    assert!(matches!(night.notice(), Some(Notice::BrowserDidNotOpen { .. })));
    night.user(Command::CancelSignIn);
    night.input(Input::Account(Account::SignedIn(Box::new(me(&["en"])))));
    assert_eq!(night.page(), Page::Welcome);
    assert!(night.input(Input::Account(Account::BrowserWanted { url: String::new() })).is_empty());
}

#[test]
fn devices_are_open_only_where_they_are_used() {
    let mut night = Night::at_mirror();
    assert_eq!(night.evening.wanted(), Wanted::default(), "nothing is known yet");
    night.input(Input::Device(DeviceInput::Cameras(Some(Vec::new()))));
    night.input(Input::Device(DeviceInput::Sound(None)));
    assert_eq!(night.evening.wanted().camera.as_deref(), Some("face:"));
    assert_eq!(night.evening.wanted().microphone.as_deref(), Some("silent"));
    night.user(Command::Camera { on: false });
    assert_eq!(night.evening.wanted().camera, None);
    assert!(matches!(night.page(), Page::Mirror { own } if !own.on && own.looks == Seen::Off));
    night.user(Command::Camera { on: true });
    assert!(night.user(Command::ChooseCamera { id: String::from("of nobody") }).is_empty());
    let effects = night.user(Command::ChooseCamera { id: String::from("pattern") });
    assert!(matches!(effects[..], [Effect::RememberDevices]));
    let before = night.evening.wanted();
    assert_eq!(before.camera.as_deref(), Some("pattern"));
    let notice = Notice::CameraBusy { name: String::from("x") };
    night.input(Input::Device(DeviceInput::Failed { kind: Kind::Camera, notice }));
    night.input(Input::Device(DeviceInput::Cameras(Some(Vec::new()))));
    assert_eq!(night.evening.wanted(), before, "a camera that failed is not hammered");
    night.user(Command::Retry);
    assert_ne!(night.evening.wanted().attempts, before.attempts);
    night.user(Command::OpenFriends);
    assert_eq!(night.evening.wanted().camera, None);
}

#[test]
fn what_is_gathered_early_waits_for_both() {
    let mut night = Night::offered();
    assert!(sends(&night.call_event(call::Event::Signal(candidate()))).is_empty());
    let effects = night.user(Command::AnswerMatch { meet: true });
    assert_eq!(sends(&effects), [ClientMessage::MatchAnswer { match_id: id("m"), meet: true }]);
    assert!(matches!(night.page(), Page::Match { answered: true, .. }));
    assert!(sends(&night.call_event(call::Event::Signal(candidate()))).is_empty());
    let effects = night.server(begins("m", Role::Offerer));
    assert_eq!(sends(&effects), vec![ClientMessage::Signal { match_id: id("m"), signal: candidate() }; 2]);
    assert!(has(&effects, |effect| matches!(effect, Effect::Emit(Event::Paper { items, .. }) if items.is_empty())));
    assert_eq!(night.call_view().connection, Connection::Connecting);
    let effects = night.server(ServerMessage::Signal { match_id: id("m"), signal: candidate() });
    assert!(matches!(effects[..], [Effect::Call(call::Command::Signal(_))]));
    assert!(night.server(ServerMessage::Signal { match_id: id("other"), signal: candidate() }).is_empty());
}

#[test]
fn an_offer_ends_in_every_way() {
    let mut night = Night::offered();
    let effects = night.user(Command::AnswerMatch { meet: false });
    assert_eq!(sends(&effects), [ClientMessage::MatchAnswer { match_id: id("m"), meet: false }]);
    assert!(has(&effects, |effect| matches!(effect, Effect::EndCall)));
    assert!(matches!(night.page(), Page::Mirror { .. }));

    let mut night = Night::offered();
    night.user(Command::AnswerMatch { meet: true });
    let effects = night.server(ServerMessage::MatchWithdrawn { match_id: id("m") });
    assert!(has(&effects, |effect| matches!(effect, Effect::EndCall)));
    assert!(matches!(night.page(), Page::Waiting { .. }));
    assert_eq!(night.notice(), Some(Notice::MatchWithdrawn));

    let mut night = Night::offered();
    night.server(ServerMessage::MatchWithdrawn { match_id: id("m") });
    assert!(matches!(night.page(), Page::Mirror { .. }), "who did not answer does not wait again");

    // The server's word never comes.
    let mut night = Night::offered();
    night.user(Command::AnswerMatch { meet: true });
    let effects = night.wait(30.0);
    assert!(sends(&effects).contains(&ClientMessage::Join));
    assert!(matches!(night.page(), Page::Waiting { .. }));

    // The server is lost, and with it the offer.
    let mut night = Night::offered();
    night.user(Command::AnswerMatch { meet: true });
    let effects = night.input(Input::Socket(Socket::Down));
    assert!(has(&effects, |effect| matches!(effect, Effect::EndCall)));
    assert_eq!(sends(&night.server(ServerMessage::Welcome { protocol: 1 })), [ClientMessage::Join]);
    assert!(matches!(night.page(), Page::Waiting { .. }));

    // The media engine cannot start.
    let mut night = Night::offered();
    night.call_event(call::Event::Failed(String::from("no threads")));
    assert!(matches!(night.page(), Page::Mirror { .. }));
    assert!(matches!(night.notice(), Some(Notice::CallFailed { .. })));
}

#[test]
fn nobody_gets_into_a_call_without_an_own_yes() {
    let mut night = Night::offered();
    let effects = night.server(begins("m", Role::Offerer));
    assert_eq!(sends(&effects), [ClientMessage::Leave { match_id: id("m") }]);
    assert!(matches!(night.page(), Page::Match { .. }));
    let mut night = Night::at_mirror();
    let effects = night.server(offer("x", Role::Answerer));
    assert_eq!(sends(&effects), [ClientMessage::MatchAnswer { match_id: id("x"), meet: false }]);
    assert_eq!(sends(&night.server(begins("x", Role::Answerer))), [ClientMessage::Leave { match_id: id("x") }]);
    assert!(matches!(night.page(), Page::Mirror { .. }));
}

#[test]
fn reveal_is_blind_and_needs_both() {
    let mut night = Night::in_call();
    night.server(opened("m", Question::Reveal));
    assert_eq!(night.call_view().reveal, RevealState::NotAsked);
    night.server(ServerMessage::QuestionClosed { match_id: id("m"), question: Question::Reveal });
    let effects = night.user(Command::Reveal { yes: true });
    assert_eq!(sends(&effects), [ClientMessage::Answer { match_id: id("m"), question: Question::Reveal, yes: true }]);
    assert!(has(&effects, |effect| matches!(effect, Effect::Gate(gate::Input::Agreed(true)))));
    assert_eq!(night.call_view().reveal, RevealState::YouSaidYes);
    assert_eq!(night.call_view().veil_reason, Some(VeilReason::NotRevealed));
    night.server(opened("m", Question::Reveal));
    assert_eq!(night.call_view().reveal, RevealState::Open);
    // The peer takes it back: one's own yes is spent, and the server knows.
    let effects = night.server(ServerMessage::QuestionClosed { match_id: id("m"), question: Question::Reveal });
    assert!(has(&effects, |effect| matches!(effect, Effect::Gate(gate::Input::Agreed(false)))));
    assert_eq!(sends(&effects), [ClientMessage::Answer { match_id: id("m"), question: Question::Reveal, yes: false }]);
    night.server(opened("m", Question::Reveal));
    assert_eq!(night.call_view().reveal, RevealState::NotAsked);
}

#[test]
fn sight_is_reported_on_change_and_every_two_seconds() {
    let mut night = Night::in_call();
    let number = night.evening.number;
    let sight = |control: &Control| matches!(control, Control::Sight { .. });
    let in_ten_seconds = controls(&night.wait(10.0)).into_iter().filter(sight).count();
    assert!((4..=6).contains(&in_ten_seconds), "{in_ten_seconds}");
    let effects = night.input(Input::Sight(Sight::Peer { number, looks: Seen::Covered, mosaic: false }));
    assert_eq!(controls(&effects), [Control::Sight { shows: Shows::Veiled, camera_on: true, sees: Seen::Covered }]);
    assert!(night.call_view().warn_peer, "the detector has waited already");
    assert_eq!(night.call_view().peer_looks, Seen::Covered);
    let effects = night.user(Command::Camera { on: false });
    assert_eq!(controls(&effects), [Control::Sight { shows: Shows::Veiled, camera_on: false, sees: Seen::Covered }]);
    night.input(Input::Sight(Sight::Peer { number, looks: Seen::Clear, mosaic: false }));
    assert!(!night.call_view().warn_peer);
    assert!(night.input(Input::Sight(Sight::Gate { number: number + 1, shows: Shows::Clear, because: None })).is_empty());
    assert_eq!(night.call_view().they_see, Shows::Veiled, "of another call");
    night.input(Input::Sight(Sight::Gate { number, shows: Shows::Clear, because: None }));
    assert_eq!((night.call_view().they_see, night.call_view().veil_reason), (Shows::Clear, None));
}

#[test]
fn what_the_peer_says_can_only_make_less_of_them() {
    let mut night = Night::in_call();
    let number = night.evening.number;
    let says = |shows, sees| call::Event::Control(Control::Sight { shows, camera_on: true, sees });
    night.input(Input::Sight(Sight::Peer { number, looks: Seen::Clear, mosaic: true }));
    let effects = night.call_event(says(Shows::Clear, Seen::Dark));
    assert_eq!(night.call_view().you_see, Shows::Veiled, "a mosaic is a mosaic, whatever they say");
    assert_eq!(night.call_view().own_looks_to_peer, Seen::Dark);
    assert!(has(&effects, |effect| matches!(effect, Effect::Gate(gate::Input::PeerSeesMe(_)))));
    night.input(Input::Sight(Sight::Peer { number, looks: Seen::Clear, mosaic: false }));
    assert_eq!(night.call_view().you_see, Shows::Clear);
    night.call_event(says(Shows::Veiled, Seen::Clear));
    assert_eq!(night.call_view().you_see, Shows::Veiled);
}

#[test]
fn a_lost_connection_is_renewed_with_growing_pauses_and_given_up_in_the_end() {
    let mut night = Night::in_call();
    night.call_event(call::Event::Interrupted);
    assert_eq!(night.call_view().connection, Connection::Reconnecting);
    let restarts =
        |effects: &[Effect]| effects.iter().filter(|effect| matches!(effect, Effect::Call(call::Command::Restart))).count();
    assert_eq!(restarts(&night.wait(2.5)), 0);
    assert_eq!(restarts(&night.wait(1.0)), 1);
    assert!((2..=4).contains(&restarts(&night.wait(40.0))));
    let effects = night.call_event(call::Event::Restored);
    assert!(controls(&effects).iter().any(|control| matches!(control, Control::Paper(_))));
    assert_eq!(night.call_view().connection, Connection::Connected);
    night.call_event(call::Event::Interrupted);
    let effects = night.wait(95.0);
    assert!(hangs_up(&effects));
    assert!(sends(&effects).contains(&ClientMessage::Leave { match_id: id("m") }));
    assert!(matches!(night.page(), Page::Parting { .. }));
    assert!(matches!(night.notice(), Some(Notice::CallFailed { .. })));
}

#[test]
fn a_call_outlives_the_server_and_leaving_is_told_later() {
    let mut night = Night::in_call();
    night.user(Command::Reveal { yes: true });
    night.input(Input::Socket(Socket::Down));
    assert_eq!(night.notice(), Some(Notice::ServerLost));
    assert_eq!(night.call_view().connection, Connection::Connected);
    assert!(sends(&night.call_event(call::Event::Signal(candidate()))).is_empty());
    night.server(ServerMessage::Welcome { protocol: 1 });
    assert_eq!(night.notice(), None);
    let effects = night.server(begins("m", Role::Offerer));
    let again = ClientMessage::Answer { match_id: id("m"), question: Question::Reveal, yes: true };
    assert_eq!(sends(&effects), [ClientMessage::Signal { match_id: id("m"), signal: candidate() }, again]);

    night.input(Input::Socket(Socket::Down));
    let effects = night.user(Command::Leave);
    assert!(hangs_up(&effects) && sends(&effects).is_empty());
    assert!(matches!(night.page(), Page::Parting { .. }));
    let effects = night.server(ServerMessage::Welcome { protocol: 1 });
    assert_eq!(sends(&effects), [ClientMessage::Leave { match_id: id("m") }]);
}

#[test]
fn the_peer_goes_with_and_without_a_word() {
    let mut night = Night::in_call();
    night.server(ServerMessage::PeerAway { match_id: id("m") });
    assert_eq!(night.call_view().connection, Connection::Connected, "sound and pictures still come");
    night.call_event(call::Event::Interrupted);
    assert_eq!(night.call_view().connection, Connection::PeerAway);
    let effects = night.server(ServerMessage::PeerBack { match_id: id("m") });
    assert_eq!(night.call_view().connection, Connection::Reconnecting);
    assert!(matches!(effects[..], [Effect::Call(call::Command::Restart)]), "what was signalled meanwhile is lost: {effects:?}");
    night.call_event(call::Event::Restored);
    night.server(ServerMessage::PeerAway { match_id: id("m") });
    let effects = night.server(ServerMessage::PeerBack { match_id: id("m") });
    assert!(effects.is_empty(), "a connection that stands is left alone: {effects:?}");
    night.server(ended("m", EndReason::Vanished));
    assert!(matches!(night.page(), Page::Parting { reason: EndReason::Vanished, closes_in_s: 15, .. }));

    for (event, reason) in [(call::Event::Control(Control::Leaving), EndReason::Left), (call::Event::Closed, EndReason::Vanished)]
    {
        let mut night = Night::in_call();
        let effects = night.call_event(event);
        assert_eq!(sends(&effects), [ClientMessage::Leave { match_id: id("m") }], "the server is told in any case");
        assert!(matches!(night.page(), Page::Parting { reason: shown, .. } if shown == reason));
    }
}

#[test]
fn following_opens_on_two_yes_and_a_no_is_never_shown() {
    let mut night = Night::parting();
    night.server(opened("m", Question::Follow));
    assert_eq!(night.follow(), FollowState::Asked, "not without one's own yes");
    let effects = night.user(Command::AnswerFollow { yes: true });
    assert_eq!(sends(&effects), [ClientMessage::Answer { match_id: id("m"), question: Question::Follow, yes: true }]);
    assert!(night.user(Command::AnswerFollow { yes: false }).is_empty(), "the first answer counts");
    night.server(opened("other", Question::Follow));
    assert_eq!(night.follow(), FollowState::Answered { yes: true });
    night.server(opened("m", Question::Follow));
    night.server(ServerMessage::FollowClosed { match_id: id("m") });
    assert_eq!(night.follow(), FollowState::Mutual);
    let effects = night.user(Command::OpenFriends);
    // The pictures that were kept for a report go with the page.
    assert!(matches!(effects[..], [Effect::Care(_), Effect::FetchFollows]), "{effects:?}");
    let id = FollowId(String::from("f"));
    let follow = Follow { id, username: Private::new(String::from("bao")), since: 1, online: true, unread: 0 };
    night.input(Input::Account(Account::Follows(vec![follow])));
    assert!(matches!(night.page(), Page::Friends { follows, .. } if follows.len() == 1));
    night.user(Command::OpenMirror);
    assert!(matches!(night.page(), Page::Mirror { .. }));

    let mut night = Night::parting();
    night.user(Command::AnswerFollow { yes: true });
    night.wait(14.0);
    assert_eq!(night.follow(), FollowState::Answered { yes: true });
    night.wait(4.0);
    assert_eq!(night.follow(), FollowState::Closed, "the server's word was lost");
    night.user(Command::Done);
    assert!(matches!(night.page(), Page::Mirror { .. }));
}

#[test]
fn the_same_account_elsewhere_ends_this_evening_without_a_fight() {
    let mut night = Night::in_call();
    let effects = night.server(ServerMessage::Refused { refusal: refusal(RefusalCode::Replaced) });
    assert!(has(&effects, |effect| matches!(effect, Effect::CloseSocket)));
    assert!(has(&effects, |effect| matches!(effect, Effect::EndCall)));
    assert_eq!(night.notice(), Some(Notice::SignedInElsewhere));
    assert!(matches!(night.page(), Page::Mirror { .. }));
    assert!(has(&night.user(Command::Retry), |effect| matches!(effect, Effect::OpenSocket)));
}

#[test]
fn an_expired_sign_in_ends_on_the_welcome_page() {
    let mut night = Night::in_call();
    let effects = night.input(Input::Account(Account::Failed(Failure::SignedOut(refusal(RefusalCode::TokenInvalid)))));
    assert!(hangs_up(&effects) && has(&effects, |effect| matches!(effect, Effect::CloseSocket)));
    assert_eq!(night.page(), Page::Welcome);
    assert!(matches!(night.notice(), Some(Notice::Refused { code: RefusalCode::TokenInvalid, .. })));
    let mut night = Night::waiting();
    let effects = night.user(Command::SignOut);
    assert_eq!(sends(&effects), [ClientMessage::CancelWaiting]);
    assert!(has(&effects, |effect| matches!(effect, Effect::SignOut)));
    assert_eq!(night.page(), Page::Welcome);
}

#[test]
fn the_pictures_are_shown_and_somebody_in_between_ends_the_call() {
    let mut night = Night::in_call();
    assert_eq!(night.call_view().pictures, None);
    night.call_event(call::Event::Pictures([1, 2, 3, 63]));
    assert_eq!(night.call_view().pictures, Some([1, 2, 3, 63]));
    night.call_event(call::Event::Interrupted);
    night.call_event(call::Event::Restored);
    assert_eq!(night.call_view().pictures, Some([1, 2, 3, 63]), "the same keys, the same pictures");
    let effects = night.call_event(call::Event::Tampered);
    assert!(hangs_up(&effects) && sends(&effects).contains(&ClientMessage::Leave { match_id: id("m") }));
    assert_eq!(night.notice(), Some(Notice::CallTampered));
    assert!(matches!(night.page(), Page::Parting { .. }));
}

fn commands(effects: &[Effect]) -> Vec<&'static str> {
    let name = |effect: &Effect| match effect {
        Effect::Call(call::Command::Restart) => Some("restart"),
        Effect::Call(call::Command::Relay(_)) => Some("relay"),
        Effect::Send(ClientMessage::Signal { .. }) => Some("signal"),
        Effect::RenewSocket => Some("renew"),
        _ => None,
    };
    effects.iter().filter_map(name).collect()
}

#[test]
fn a_call_goes_on_without_the_server_and_takes_its_new_relay_when_it_is_back() {
    let mut night = Night::in_call();
    night.input(Input::Socket(Socket::Down));
    assert_eq!(night.call_view().connection, Connection::Connected);
    // The relay was part of the server.
    night.call_event(call::Event::Interrupted);
    let effects = night.wait(8.0);
    assert!(commands(&effects).contains(&"restart"), "it is tried");
    assert!(commands(&night.call_event(call::Event::Signal(candidate()))).is_empty(), "there is nobody to carry it");
    night.server(ServerMessage::Welcome { protocol: 1 });
    let effects = night.server(begins("m", Role::Offerer));
    assert_eq!(commands(&effects), ["relay", "restart"], "what was signalled for the old relay is of no use");
    night.call_event(call::Event::Restored);
    assert_eq!(night.call_view().connection, Connection::Connected);

    // Where the path holds, what was signalled meanwhile goes out.
    night.input(Input::Socket(Socket::Down));
    night.call_event(call::Event::Signal(candidate()));
    night.server(ServerMessage::Welcome { protocol: 1 });
    assert_eq!(commands(&night.server(begins("m", Role::Offerer))), ["relay", "signal"]);
    let renewed = ServerMessage::RelayRenewed { match_id: id("m"), relay: RelayCredentials::default() };
    assert_eq!(commands(&night.server(renewed)), ["relay"]);
}

#[test]
fn a_change_of_network_renews_the_socket_and_holds_signals_back_until_then() {
    let mut night = Night::in_call();
    assert_eq!(commands(&night.call_event(call::Event::NetworkChanged)), ["renew"]);
    assert!(commands(&night.call_event(call::Event::Signal(candidate()))).is_empty());
    night.server(ServerMessage::Welcome { protocol: 1 });
    assert_eq!(commands(&night.server(begins("m", Role::Offerer))), ["relay", "signal"]);
}

#[test]
fn nonsense_of_the_server_is_counted_and_said() {
    let mut night = Night::in_call();
    night.input(Input::Socket(Socket::Malformed));
    night.input(Input::Socket(Socket::Malformed));
    assert_eq!(night.evening.malformed, 2);
    assert_eq!(night.notice(), Some(Notice::ServerMalformed));
    assert_eq!(night.call_view().connection, Connection::Connected);
}

/// Whatever can come in, in whatever order.
fn anything() -> impl Strategy<Value = (u8, u8)> {
    (0..64u8, 0..4u8)
}

fn seen_of(number: u8) -> Seen {
    [Seen::Clear, Seen::Covered, Seen::Partial, Seen::Unknown][usize::from(number % 4)]
}

fn any_input(kind: u8, detail: u8, number: u64) -> Input {
    let name = if detail == 3 { "other" } else { "m" };
    let role = if detail.is_multiple_of(2) { Role::Offerer } else { Role::Answerer };
    let yes = detail.is_multiple_of(2);
    let user = Input::User;
    let server = |message| Input::Socket(Socket::Message(Box::new(message)));
    let call = |event| Input::Call { number: number.saturating_sub(u64::from(detail == 3)), event };
    let question = if yes { Question::Reveal } else { Question::Follow };
    let code = [RefusalCode::Replaced, RefusalCode::TooManyRequests, RefusalCode::ShuttingDown, RefusalCode::ProfileIncomplete]
        [usize::from(detail % 4)];
    let op = |seq| Op {
        id: visavis_wire::paper::OpId { author: visavis_wire::paper::Author(detail % 3), seq },
        time: seq,
        live: 0,
        kind: visavis_wire::paper::OpKind::Clear,
    };
    match kind {
        0 => user(Command::SignIn),
        1 => user(Command::CancelSignIn),
        2 if detail == 0 => user(Command::SignOut),
        3 => user(Command::SaveProfile { profile: me(&["en"]).profile }),
        4 => user(Command::OpenMirror),
        5 => user(Command::OpenProfile),
        6 => user(Command::OpenFriends),
        7..=10 => user(Command::Meet),
        11 => user(Command::CancelWaiting),
        12..=15 => user(Command::AnswerMatch { meet: detail != 1 }),
        16 => user(Command::Mute { on: yes }),
        17 => user(Command::Camera { on: yes }),
        18 | 19 => user(Command::Reveal { yes }),
        20 => user(line(u32::from(detail))),
        21 => user(Command::DrawEnd { id: u32::from(detail) }),
        22 => user(Command::Undo),
        23 => user(Command::Redo),
        24 => user(Command::ClearPaper),
        25 => user(Command::Leave),
        26 | 27 => user(Command::AnswerFollow { yes }),
        28 => user(Command::Done),
        29 => user(Command::Retry),
        30 => Input::Account(Account::SignedIn(Box::new(me(if yes { &["en"] } else { &[] })))),
        31 => Input::Account(Account::ProfileSaved(Box::new(me(&["en"])))),
        32 => Input::Account(Account::Failed(Failure::Unreachable { host: String::new() })),
        33 if detail == 0 => Input::Account(Account::Failed(Failure::SignedOut(refusal(RefusalCode::TokenInvalid)))),
        34 => Input::Account(Account::Failed(Failure::Malformed)),
        35 => Input::Socket(Socket::Down),
        36 => Input::Socket(Socket::Malformed),
        37 | 38 => server(ServerMessage::Welcome { protocol: 1 }),
        39 => server(ServerMessage::WaitingEnded),
        40..=43 => server(offer(name, role)),
        44..=47 => server(begins(name, role)),
        48 => server(ServerMessage::MatchWithdrawn { match_id: id(name) }),
        49 | 50 => server(opened(name, question)),
        51 => server(ServerMessage::QuestionClosed { match_id: id(name), question }),
        52 => server(ended(name, EndReason::Vanished)),
        53 => server(ServerMessage::FollowClosed { match_id: id(name) }),
        54 => server(ServerMessage::Refused { refusal: refusal(code) }),
        55 => call(call::Event::Signal(candidate())),
        56 => call(if yes { call::Event::Connected } else { call::Event::Restored }),
        57 => call(call::Event::Interrupted),
        58 => call(call::Event::Control(Control::Sight { shows: Shows::Clear, camera_on: yes, sees: seen_of(detail) })),
        59 => call(call::Event::Operations(Operations(vec![op(1), op(2), op(u32::MAX)]))),
        60 => call(call::Event::Live(Live::Cursor { x: u16::MAX, y: 0 })),
        61 if detail == 0 => call(call::Event::Failed(String::new())),
        62 => Input::Sight(Sight::Peer { number, looks: seen_of(detail), mosaic: yes }),
        _ => Input::Tick,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Never a panic; never a yes, a call, or a picture for the peer that the user did not ask for.
    #[test]
    fn hostile_inputs_reveal_nothing(inputs in proptest::collection::vec(anything(), 0..200)) {
        let mut night = Night::new();
        let (mut wants_to_meet, mut answered_follow, mut agreed) = (false, false, false);
        for (kind, detail) in inputs {
            night.now += Duration::from_millis(u64::from(kind) * 17);
            let input = any_input(kind, detail, night.evening.number);
            let own_reveal = match &input {
                Input::User(Command::Reveal { yes }) => { agreed = *yes; *yes }
                Input::User(Command::AnswerMatch { meet }) => {
                    wants_to_meet = *meet && matches!(night.page(), Page::Match { .. });
                    false
                }
                Input::User(Command::AnswerFollow { yes }) => { answered_follow |= *yes; false }
                _ => false,
            };
            let was_offered = matches!(night.page(), Page::Match { .. });
            let effects = night.input(input);
            for effect in &effects {
                match effect {
                    Effect::Gate(gate::Input::Agreed(true)) => prop_assert!(own_reveal),
                    Effect::ShowToPeer => prop_assert!(was_offered && wants_to_meet),
                    Effect::StartCall { .. } => wants_to_meet = false,
                    Effect::Send(ClientMessage::Answer { question: Question::Reveal, yes: true, .. }) => prop_assert!(agreed),
                    Effect::Send(ClientMessage::Answer { question: Question::Follow, yes: true, .. }) => {
                        prop_assert!(answered_follow);
                    }
                    _ => {}
                }
            }
            match night.page() {
                Page::Call(call) => {
                    prop_assert!(call.reveal == RevealState::NotAsked || agreed);
                    prop_assert_eq!(call.they_see, Shows::Veiled);
                }
                Page::Parting { follow: FollowState::Mutual, .. } => prop_assert!(answered_follow),
                _ => {}
            }
        }
    }
}

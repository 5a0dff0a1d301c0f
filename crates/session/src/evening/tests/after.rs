//! Friends, history, blocks, and doors that are closed.

use super::*;
use crate::view::ClosedView;
use visavis_wire::friends::{PastSession, Text};
use visavis_wire::http::Follow;
use visavis_wire::socket::Closed;

fn follow(name: &str, unread: u32) -> Follow {
    Follow { id: FollowId(name.to_owned()), username: Private::new(name.to_owned()), since: 1, online: true, unread }
}

fn text(number: i64, words: &str) -> Text {
    Text { number, own: false, text: Private::new(words.to_owned()), sent_at: 5 }
}

impl Night {
    fn account(&mut self, account: Account) -> Vec<Effect> {
        self.input(Input::Account(account))
    }

    fn unread(&self) -> u32 {
        self.evening.view(self.now).unread
    }

    fn at_friends() -> Self {
        let mut night = Self::at_mirror();
        night.user(Command::OpenFriends);
        night.account(Account::Follows(vec![follow("bao", 2), follow("caro", 0)]));
        night
    }

    fn texts(&self) -> Vec<String> {
        match self.page() {
            Page::Friends { open: Some(open), .. } => open.texts.into_iter().map(|text| text.text.into_inner()).collect(),
            other => panic!("no conversation: {other:?}"),
        }
    }
}

#[test]
fn a_conversation_is_read_written_and_kept_up_to_date() {
    let mut night = Night::at_friends();
    assert_eq!(night.unread(), 2);
    let bao = FollowId(String::from("bao"));
    assert!(night.user(Command::OpenConversation { follow: FollowId(String::from("nobody")) }).is_empty());
    let effects = night.user(Command::OpenConversation { follow: bao.clone() });
    assert!(matches!(&effects[..], [Effect::FetchTexts(of)] if *of == bao));
    let effects = night.account(Account::Texts { follow: bao.clone(), texts: vec![text(1, "a"), text(2, "b")] });
    assert!(matches!(effects[..], [Effect::FetchFollows]), "what was read is counted anew");
    for nothing in ["", "  \n", "\u{1b}"] {
        assert!(night.user(Command::Write { text: Private::new(nothing.to_owned()) }).is_empty());
    }
    let effects = night.user(Command::Write { text: Private::new(String::from(" c ")) });
    assert!(matches!(&effects[..], [Effect::Write { follow, text }] if *follow == bao && text.reveal() == "c"));
    assert!(night.user(Command::Write { text: Private::new(String::from("d")) }).is_empty(), "one after the other");
    // Theirs overtakes the answer to one's own.
    let effects = night.server(ServerMessage::Text { follow: bao.clone(), text: text(4, "d") });
    assert!(matches!(&effects[..], [Effect::FetchTexts(_)]));
    night.account(Account::Written { follow: bao.clone(), text: text(3, "c") });
    assert_eq!(night.texts(), ["a", "b", "c", "d"]);
    // After a failure one can try again.
    night.user(Command::Write { text: Private::new(String::from("e")) });
    night.account(Account::Failed(Failure::Unreachable { host: String::new() }));
    assert_eq!(night.user(Command::Write { text: Private::new(String::from("e")) }).len(), 1);
    // An answer about another conversation changes nothing.
    night.account(Account::Texts { follow: FollowId(String::from("caro")), texts: vec![] });
    assert_eq!(night.texts().len(), 4);
    // Who is gone takes the conversation along.
    night.account(Account::Follows(vec![follow("caro", 0)]));
    assert!(matches!(night.page(), Page::Friends { open: None, follows } if follows.len() == 1));
}

#[test]
fn what_comes_elsewhere_is_counted() {
    let mut night = Night::at_mirror();
    night.server(ServerMessage::Text { follow: FollowId(String::from("bao")), text: text(1, "a") });
    assert_eq!(night.unread(), 1);
    night.account(Account::Follows(vec![follow("bao", 3)]));
    assert_eq!(night.unread(), 3);
    let effects = night.server(ServerMessage::Welcome { protocol: 1 });
    assert!(effects.iter().any(|effect| matches!(effect, Effect::FetchFollows)), "asked at each arrival");
    night.user(Command::OpenFriends);
    let mut asked = |seconds| night.wait(seconds).iter().filter(|effect| matches!(effect, Effect::FetchFollows)).count();
    assert_eq!((asked(119.0), asked(2.0)), (0, 1), "what a server that died left unsaid");
}

#[test]
fn a_block_ends_a_call_at_once() {
    let mut night = Night::in_call();
    let effects = night.user(Command::BlockPeer);
    assert!(matches!(night.page(), Page::Mirror { .. }));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::EndCall)));
    assert!(matches!(effects.last(), Some(Effect::BlockSession(match_id)) if *match_id == id("m")));
    night.account(Account::Blocked);
    assert_eq!(night.notice(), Some(Notice::Blocked));
    night.server(ended("m", EndReason::Left));
    assert!(matches!(night.page(), Page::Mirror { .. }));

    let mut night = Night::parting();
    assert!(matches!(&night.user(Command::BlockPeer)[..], [Effect::BlockSession(_)]));
    assert!(matches!(night.page(), Page::Mirror { .. }));
    assert!(night.user(Command::BlockPeer).is_empty());
}

#[test]
fn the_history_blocks_what_it_holds() {
    let mut night = Night::at_mirror();
    assert!(matches!(night.user(Command::OpenHistory)[..], [Effect::FetchHistory]));
    assert_eq!(night.page(), Page::History { sessions: None });
    assert!(night.user(Command::BlockSession { match_id: id("m") }).is_empty());
    let past = PastSession {
        match_id: id("m"),
        card: PeerCard::default(),
        began_at: 1,
        lasted_s: Some(60),
        ended: Some(EndReason::Left),
        blocked: false,
    };
    night.account(Account::History(vec![past]));
    assert!(night.user(Command::BlockSession { match_id: id("other") }).is_empty());
    assert_eq!(night.user(Command::BlockSession { match_id: id("m") }).len(), 1);
    assert!(matches!(night.account(Account::Blocked)[..], [Effect::FetchHistory]));
}

#[test]
fn closed_doors_count_down_and_open_by_themselves() {
    let mut night = Night::waiting();
    night.server(ServerMessage::Closed { because: Closed::Hours, opens_in_s: Some(90) });
    let closed = |night: &Night| match night.page() {
        Page::Waiting { closed, .. } => closed,
        other => panic!("not waiting: {other:?}"),
    };
    assert_eq!(closed(&night), Some(ClosedView { because: Closed::Hours, opens_in_s: Some(90) }));
    // The end of the wait that the server cancelled does not lead away from the paper.
    night.server(ServerMessage::WaitingEnded);
    assert!(sends(&night.wait(60.0)).is_empty());
    assert_eq!(closed(&night).unwrap().opens_in_s, Some(30));
    assert_eq!(sends(&night.wait(31.0)), [ClientMessage::Join]);
    assert_eq!(closed(&night), None);
    night.server(ServerMessage::Closed { because: Closed::Admission, opens_in_s: None });
    assert!(sends(&night.wait(3600.0)).is_empty(), "nobody knows when");
    night.user(Command::CancelWaiting);
    assert!(matches!(night.page(), Page::Mirror { .. }));
    // It closed while an offer was open.
    let mut night = Night::offered();
    night.user(Command::AnswerMatch { meet: true });
    let effects = night.server(ServerMessage::Closed { because: Closed::Sessions, opens_in_s: Some(5) });
    assert!(matches!(effects[..], [Effect::EndCall]));
    assert_eq!(closed(&night).unwrap().because, Closed::Sessions);
    night.server(ServerMessage::MatchWithdrawn { match_id: id("m") });
    assert!(closed(&night).is_some());
}

#[test]
fn a_picture_is_chosen_seen_removed_and_fetched_of_a_match() {
    let mut night = Night::at_mirror();
    let file = || Private::new(String::from("ZmlsZQ=="));
    assert!(night.user(Command::SetPicture { file: file() }).is_empty(), "on the page of the profile alone");
    night.user(Command::OpenProfile);
    assert!(matches!(night.user(Command::SetPicture { file: file() })[..], [Effect::SetPicture(_)]));
    assert!(night.user(Command::RemovePicture).is_empty(), "one after the other");
    let mut with = me(&["en"]);
    with.profile.picture.value = true;
    let effects = night.account(Account::ProfileSaved(Box::new(with)));
    assert!(matches!(effects[..], [Effect::FetchPicture(None), Effect::FetchCard]));
    let jpeg = Some(Private::new(String::from("anBlZw==")));
    night.account(Account::Picture { of: None, jpeg: jpeg.clone() });
    assert!(matches!(night.page(), Page::Profile { picture, saving: false, .. } if picture == jpeg));
    assert!(matches!(night.user(Command::RemovePicture)[..], [Effect::RemovePicture]));
    assert!(matches!(night.account(Account::ProfileSaved(Box::new(me(&["en"]))))[..], [Effect::FetchCard]));
    assert!(matches!(night.page(), Page::Profile { picture: None, saving: false, .. }));

    let mut night = Night::waiting();
    let ServerMessage::MatchOffered { match_id, role, reasons, answer_within_s, relay, call, .. } = offer("m", Role::Offerer)
    else {
        unreachable!()
    };
    let card = PeerCard { picture: true, ..PeerCard::default() };
    let effects = night.server(ServerMessage::MatchOffered { match_id, role, card, reasons, answer_within_s, relay, call });
    assert!(has(&effects, |effect| matches!(effect, Effect::FetchPicture(Some(of)) if *of == id("m"))));
    night.account(Account::Picture { of: Some(id("older")), jpeg: jpeg.clone() });
    assert!(matches!(night.page(), Page::Match { picture: None, .. }));
    night.account(Account::Picture { of: Some(id("m")), jpeg: jpeg.clone() });
    assert!(matches!(night.page(), Page::Match { picture, .. } if picture == jpeg));
}

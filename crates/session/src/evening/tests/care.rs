//! Reports, notes and deletion, from whatever page.

use super::*;
use crate::evening::safety::{Care, Draft, Order};
use crate::view::DeletionStep;
use visavis_wire::safety::{
    AppealState, Category, Configuration, Deleted, DeletionOffer, Measure, Reported, Standing, StandingNotice,
};

fn care(night: &mut Night, care: Care) -> Vec<Effect> {
    night.input(Input::Account(Account::Care(care)))
}

fn report(match_id: Option<MatchId>, with_pictures: bool) -> Command {
    Command::Report { match_id, category: Category::Hate, text: String::from("what happened"), with_pictures }
}

fn draft(effects: &[Effect]) -> Option<&Draft> {
    effects.iter().find_map(|effect| match effect {
        Effect::Care(Order::Report(draft)) => Some(&**draft),
        _ => None,
    })
}

#[test]
fn a_report_is_of_the_session_that_is_or_has_just_been() {
    let mut night = Night::at_mirror();
    assert!(draft(&night.user(report(None, true))).is_none(), "there is nobody to report");
    let mut night = Night::in_call();
    let known = Configuration { protocol: 1, moderation_key: Some(String::from("k")), evidence_days: 30 };
    care(&mut night, Care::Configuration(known));
    let effects = night.user(report(None, true));
    let sent = draft(&effects).unwrap();
    assert_eq!((&sent.match_id, sent.with_pictures, sent.key.as_deref()), (&id("m"), true, Some("k")));
    assert!(night.evening.view(night.now).care.sending_report);
    assert!(draft(&night.user(report(None, true))).is_none(), "one at a time");
    care(&mut night, Care::Reported(Reported { decided_by: 7 }));
    assert_eq!(night.notice(), Some(Notice::Reported { decided_by: 7 }));
    assert!(matches!(night.page(), Page::Call(_)), "the call goes on");

    let mut night = Night::parting();
    assert!(draft(&night.user(report(None, false))).is_some_and(|sent| !sent.with_pictures));
    night.input(Input::Account(Account::Failed(Failure::Unreachable { host: String::from("h") })));
    let effects = night.user(report(Some(id("older")), true));
    assert!(
        draft(&effects).is_some_and(|sent| sent.match_id == id("older") && !sent.with_pictures),
        "no pictures of an older one"
    );
    // They go with the page.
    assert!(night.user(Command::Done).iter().any(|effect| matches!(effect, Effect::Care(Order::ForgetPictures))));
}

#[test]
fn a_text_that_is_too_long_is_said_so_and_not_sent() {
    let mut night = Night::in_call();
    let text = "x".repeat(1001);
    let effects = night.user(Command::Report { match_id: None, category: Category::Other, text, with_pictures: false });
    assert!(draft(&effects).is_none());
    assert!(matches!(night.notice(), Some(Notice::Refused { code: RefusalCode::BadRequest, .. })));
}

#[test]
fn notes_are_looked_for_at_sign_in_when_refused_and_now_and_then() {
    let fetches =
        |effects: &[Effect]| effects.iter().filter(|effect| matches!(effect, Effect::Care(Order::FetchStanding))).count();
    let mut night = Night::new();
    night.input(Input::Account(Account::NoStoredSignIn));
    night.user(Command::SignIn);
    assert_eq!(fetches(&night.input(Input::Account(Account::SignedIn(Box::new(me(&["en"])))))), 1);
    let mut night = Night::waiting();
    let refusal = Refusal { code: RefusalCode::Paused, message: String::new() };
    assert_eq!(fetches(&night.server(ServerMessage::Refused { refusal })), 1);
    assert!(matches!(night.page(), Page::Mirror { .. }));
    assert_eq!(fetches(&night.wait(300.0)), 2);
    let note = StandingNotice {
        decision: String::from("d"),
        what: Measure::Pause,
        reason: Private::new(String::from("because")),
        since: 1,
        until: Some(2),
        read: false,
        appeal: AppealState::Open,
        answer: Private::default(),
    };
    care(&mut night, Care::Standing(Standing { notices: vec![note.clone()] }));
    assert_eq!(night.evening.view(night.now).care.notices, [note]);
    let read = night.user(Command::ReadNotice { decision: String::from("d") });
    assert!(matches!(&read[..], [Effect::Care(Order::ReadNotice(decision))] if decision == "d"));
    // The next person on this machine sees nothing of it.
    night.user(Command::SignOut);
    assert!(night.evening.view(night.now).care.notices.is_empty());
}

#[test]
fn a_deletion_takes_two_presses_and_can_be_called_off_between_them() {
    let offer = || DeletionOffer { confirmation: Private::new(String::from("c")), expires_in_s: 600, held_until: Some(9) };
    let step = |night: &Night| night.evening.view(night.now).care.deletion;
    let mut night = Night::at_mirror();
    assert!(night.user(Command::ConfirmDeletion).is_empty(), "the second alone does nothing");
    assert!(matches!(night.user(Command::AskDeletion)[..], [Effect::Care(Order::OfferDeletion)]));
    assert_eq!(step(&night), DeletionStep::Asking);
    night.user(Command::CancelDeletion);
    care(&mut night, Care::DeletionOffered(offer()));
    assert_eq!(step(&night), DeletionStep::None, "the answer came after the second thought");
    night.user(Command::AskDeletion);
    care(&mut night, Care::DeletionOffered(offer()));
    assert_eq!(step(&night), DeletionStep::Offered { held_until: Some(9) });
    let effects = night.user(Command::ConfirmDeletion);
    assert!(matches!(&effects[..], [Effect::Care(Order::Delete(confirmation))] if confirmation.reveal() == "c"));
    let effects = care(&mut night, Care::Deleted(Deleted { held_until: None }));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::SignOut)), "the keyring forgets too");
    assert_eq!((night.page(), night.notice()), (Page::Welcome, Some(Notice::AccountDeleted { held_until: None })));
}

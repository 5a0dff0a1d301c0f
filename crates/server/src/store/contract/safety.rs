//! What is promised of reports, measures, appeals and the audit log.

use super::{NOW, account_of, lead, over_every_engine};
use crate::config::ModerationRules;
use crate::store::safety::*;
use crate::store::{AccountId, RunningMatch, SightFact, Store};
use std::time::Duration;
use visavis_wire::Private;
use visavis_wire::safety::{AppealState, Category, Measure};
use visavis_wire::socket::{EndReason, MatchId};

over_every_engine!(
    a_report_is_of_ones_own_match_and_made_once,
    the_queue_is_in_the_order_of_its_deadlines,
    three_different_reporters_pause_and_a_decision_takes_its_place,
    measures_bar_for_their_time,
    an_appeal_is_made_once_and_answered,
    tampering_with_the_log_is_found,
    the_nodes_hear_of_new_measures,
);

pub const DAY: i64 = 24 * 3600;

pub fn key() -> AuditKey {
    AuditKey::of(&[5; 32])
}

pub async fn meet(store: &dyn Store, id: &str, a: AccountId, b: AccountId, at: i64) -> MatchId {
    let match_id = MatchId(id.to_owned());
    let fence = lead(store, "pool").await;
    store.match_began(&fence, &RunningMatch { id: match_id.clone(), a, b, a_offers: true, friends: false }, at).await.unwrap();
    store.match_ended(&fence, &match_id, EndReason::Left, at + 60).await.unwrap();
    match_id
}

pub async fn report(store: &dyn Store, match_id: &MatchId, by: AccountId, category: Category, at: i64) -> Reporting {
    let text = Private::new(String::from("what happened"));
    let new = NewReport { match_id: match_id.clone(), reporter: by, category, text, sealed: None };
    let key = key();
    store.report(new, &ModerationRules::default(), Hand { actor: "test", at, key: &key }).await.unwrap()
}

async fn decide(store: &dyn Store, report: &str, verdict: Verdict, at: i64) -> Decided {
    let key = key();
    let hand = Hand { actor: "mod", at, key: &key };
    store.decide(report, &verdict, "because", &ModerationRules::default(), hand).await.unwrap()
}

/// A report about `about` by a new person, and its id.
async fn somebody_reports(store: &dyn Store, name: &str, about: AccountId, at: i64) -> (Reporting, String) {
    let by = account_of(store, name).await;
    let match_id = meet(store, &format!("m-{name}"), by, about, at - 100).await;
    let made = report(store, &match_id, by, Category::Hate, at).await;
    let row = store.reports(true, 100).await.unwrap().into_iter().find(|row| row.reporter == by).unwrap();
    (made, row.id)
}

async fn a_report_is_of_ones_own_match_and_made_once(store: &dyn Store) {
    let (ada, bao, eve) = (account_of(store, "ada").await, account_of(store, "bao").await, account_of(store, "eve").await);
    let first = meet(store, "first", ada, bao, NOW).await;
    let fact = SightFact { match_id: first.clone(), reporter: ada, peer: bao, saw_s: 40, told_s: 0 };
    store.log_sight(&fact, NOW).await.unwrap();
    assert_eq!(report(store, &first, eve, Category::Hate, NOW).await, Reporting::NotTheirs);
    assert_eq!(report(store, &MatchId("none".into()), ada, Category::Hate, NOW).await, Reporting::NotTheirs);
    let made = report(store, &first, ada, Category::Underage, NOW).await;
    assert_eq!(made, Reporting::Made { decide_by: NOW + 4 * 3600, paused: None });
    assert_eq!(report(store, &first, ada, Category::Hate, NOW).await, Reporting::Twice);
    assert!(matches!(report(store, &first, bao, Category::Hate, NOW).await, Reporting::Made { .. }), "the other may too");
    let rows = store.reports(true, 10).await.unwrap();
    let row = rows.iter().find(|row| row.reporter == ada).unwrap();
    assert_eq!((row.peer, row.has_evidence, row.others, row.before), (bao, false, 0, 0));
    assert!(
        row.match_log.contains("\"ended_how\":\"left\"") && row.match_log.contains("\"saw_the_other_covered_s\":40"),
        "{}",
        row.match_log
    );
    // Only the latest twenty can be reported.
    for number in 0..20 {
        meet(store, &format!("later {number}"), ada, eve, NOW + 100 + number).await;
    }
    assert_eq!(
        report(store, &MatchId("later 0".into()), ada, Category::Hate, NOW).await,
        Reporting::Made { decide_by: NOW + 24 * 3600, paused: None }
    );
    meet(store, "one more", ada, eve, NOW + 1000).await;
    meet(store, "and another", eve, ada, NOW + 1001).await;
    assert_eq!(report(store, &MatchId("later 1".into()), ada, Category::Hate, NOW).await, Reporting::NotTheirs);
}

async fn the_queue_is_in_the_order_of_its_deadlines(store: &dyn Store) {
    let (ada, bao) = (account_of(store, "ada").await, account_of(store, "bao").await);
    for (number, category) in [Category::Other, Category::Danger, Category::Hate].into_iter().enumerate() {
        let match_id = meet(store, &format!("m{number}"), ada, bao, NOW).await;
        report(store, &match_id, ada, category, NOW).await;
    }
    let order: Vec<_> = store.reports(true, 10).await.unwrap().iter().map(|row| row.category).collect();
    assert_eq!(order, [Category::Danger, Category::Hate, Category::Other]);
    assert_eq!(store.queue(NOW).await.unwrap(), Queue { reports: 3, ..Queue::default() });
    assert_eq!(store.queue(NOW + DAY + 1).await.unwrap(), Queue { reports: 3, late_reports: 2, ..Queue::default() });
    let first = store.reports(true, 1).await.unwrap().remove(0);
    assert_eq!(decide(store, &first.id, Verdict::Dismiss, NOW).await, Decided::Done);
    assert_eq!(decide(store, &first.id, Verdict::Ban, NOW).await, Decided::Already);
    assert_eq!(decide(store, "none", Verdict::Ban, NOW).await, Decided::Unknown);
    assert_eq!(store.reports(true, 10).await.unwrap().len(), 2);
    assert_eq!(store.reports(false, 10).await.unwrap()[0].verdict.as_deref(), Some("dismissed"));
    assert_eq!(store.bar(bao, NOW).await.unwrap(), None);
}

async fn three_different_reporters_pause_and_a_decision_takes_its_place(store: &dyn Store) {
    let bad = account_of(store, "bad").await;
    // One person who reports three times is one person.
    let ada = account_of(store, "ada").await;
    for number in 0..3 {
        let match_id = meet(store, &format!("same {number}"), ada, bad, NOW).await;
        report(store, &match_id, ada, Category::Hate, NOW).await;
    }
    assert_eq!(store.bar(bad, NOW).await.unwrap(), None);
    let old = somebody_reports(store, "long ago", bad, NOW - 8 * DAY).await;
    assert!(matches!(old.0, Reporting::Made { paused: None, .. }));
    let second = somebody_reports(store, "second", bad, NOW).await;
    assert!(matches!(second.0, Reporting::Made { paused: None, .. }), "the one of eight days ago is too old");
    let third = somebody_reports(store, "third", bad, NOW).await;
    assert!(matches!(third.0, Reporting::Made { paused: Some(who), .. } if who == bad), "{third:?}");
    let until = NOW + 3 * DAY;
    assert_eq!(store.bar(bad, NOW + 1).await.unwrap(), Some(Bar::Paused { until }));
    assert_eq!(store.bar(bad, until).await.unwrap(), None, "its time is over");
    let fourth = somebody_reports(store, "fourth", bad, NOW).await;
    assert!(matches!(fourth.0, Reporting::Made { paused: None, .. }), "paused already");
    // One dismissed of four: three are left. Two dismissed: it ends.
    decide(store, &fourth.1, Verdict::Dismiss, NOW + 1).await;
    assert!(store.bar(bad, NOW + 1).await.unwrap().is_some());
    decide(store, &third.1, Verdict::Dismiss, NOW + 2).await;
    assert_eq!(store.bar(bad, NOW + 2).await.unwrap(), None);
    // A measure takes its place.
    let fifth = somebody_reports(store, "fifth", bad, NOW + 3).await;
    assert!(matches!(fifth.0, Reporting::Made { paused: Some(_), .. }));
    decide(store, &fifth.1, Verdict::Pause { days: 10 }, NOW + 4).await;
    assert_eq!(store.bar(bad, NOW + 5).await.unwrap(), Some(Bar::Paused { until: NOW + 4 + 10 * DAY }));
    let standing = store.standing(bad, NOW + 5).await.unwrap();
    assert_eq!(standing.notices.iter().map(|notice| notice.what).collect::<Vec<_>>(), [Measure::Pause]);
}

async fn measures_bar_for_their_time(store: &dyn Store) {
    let bad = account_of(store, "bad").await;
    let (_, first) = somebody_reports(store, "one", bad, NOW).await;
    decide(store, &first, Verdict::Warn, NOW).await;
    assert_eq!(store.bar(bad, NOW + 1).await.unwrap(), None, "a warning bars nobody");
    let standing = store.standing(bad, NOW + 1).await.unwrap();
    let warning = &standing.notices[0];
    assert_eq!((warning.what, warning.read, warning.appeal), (Measure::Warning, false, AppealState::Open));
    assert_eq!(warning.reason.reveal(), "because");
    store.read_notice(account_of(store, "other").await, &warning.decision, NOW).await.unwrap();
    assert_eq!(store.standing(bad, NOW + 1).await.unwrap().notices.len(), 1, "read by somebody else");
    store.read_notice(bad, &warning.decision, NOW).await.unwrap();
    assert!(store.standing(bad, NOW + 1).await.unwrap().notices.is_empty());

    let (_, second) = somebody_reports(store, "two", bad, NOW).await;
    decide(store, &second, Verdict::Pause { days: 2 }, NOW).await;
    assert_eq!(store.bar(bad, NOW + DAY).await.unwrap(), Some(Bar::Paused { until: NOW + 2 * DAY }));
    assert_eq!(store.bar(bad, NOW + 2 * DAY).await.unwrap(), None);
    let (_, third) = somebody_reports(store, "three", bad, NOW).await;
    decide(store, &third, Verdict::Ban, NOW).await;
    assert_eq!(store.bar(bad, NOW + 9000 * DAY).await.unwrap(), Some(Bar::Banned));
    assert_eq!(store.reports(false, 10).await.unwrap()[0].before, 3);
}

async fn an_appeal_is_made_once_and_answered(store: &dyn Store) {
    let (bad, other) = (account_of(store, "bad").await, account_of(store, "other").await);
    let (_, report) = somebody_reports(store, "one", bad, NOW).await;
    decide(store, &report, Verdict::Ban, NOW).await;
    let decision = store.standing(bad, NOW).await.unwrap().notices[0].decision.clone();
    let deadline = NOW + 3 * DAY;
    assert!(!store.appeal(other, &decision, "no", NOW, deadline).await.unwrap(), "not theirs");
    assert!(store.appeal(bad, &decision, "It was a joke.", NOW, deadline).await.unwrap());
    assert!(!store.appeal(bad, &decision, "Again.", NOW, deadline).await.unwrap());
    assert_eq!(store.standing(bad, NOW).await.unwrap().notices[0].appeal, AppealState::Made);
    let appeals = store.appeals().await.unwrap();
    assert_eq!(
        (appeals.len(), appeals[0].text.reveal().as_str(), appeals[0].report.as_ref()),
        (1, "It was a joke.", Some(&report))
    );
    assert_eq!(store.queue(deadline + 1).await.unwrap(), Queue { appeals: 1, late_appeals: 1, ..Queue::default() });
    store.read_notice(bad, &decision, NOW).await.unwrap();
    let key = key();
    let hand = Hand { actor: "mod", at: NOW + 5, key: &key };
    assert_eq!(store.decide_appeal("none", true, "", hand).await.unwrap(), Decided::Unknown);
    assert_eq!(store.decide_appeal(&decision, true, "We looked again.", hand).await.unwrap(), Decided::Done);
    assert_eq!(store.decide_appeal(&decision, false, "", hand).await.unwrap(), Decided::Already);
    assert_eq!(store.bar(bad, NOW + 6).await.unwrap(), None);
    let notice = store.standing(bad, NOW + 6).await.unwrap().notices.remove(0);
    assert_eq!((notice.appeal, notice.read, notice.answer.reveal().as_str()), (AppealState::Granted, false, "We looked again."));
    store.read_notice(bad, &decision, NOW).await.unwrap();
    assert!(store.standing(bad, NOW + 6).await.unwrap().notices.is_empty());
}

async fn the_nodes_hear_of_new_measures(store: &dyn Store) {
    let bad = account_of(store, "bad").await;
    let (start, _) = store.measures_since(0).await.unwrap();
    let (_, report) = somebody_reports(store, "one", bad, NOW).await;
    assert_eq!(store.measures_since(start).await.unwrap(), (start, vec![]));
    decide(store, &report, Verdict::Pause { days: 1 }, NOW).await;
    let (next, about) = store.measures_since(start).await.unwrap();
    assert_eq!(about, [bad]);
    assert_eq!(store.measures_since(next).await.unwrap(), (next, vec![]));
}

/// Statements that somebody with the database in hand could run, and what is said of each.
async fn tampering_with_the_log_is_found(store: &dyn Store) {
    let key = key();
    for number in 0..6 {
        store.note("looked", &format!("report {number}"), Hand { actor: "mod", at: NOW + number, key: &key }).await.unwrap();
    }
    assert_eq!(check_audit(store, &key).await.unwrap(), Ok(6));
    let other = AuditKey::of(&[6; 32]);
    assert_eq!(check_audit(store, &other).await.unwrap(), Err(Tampered::Changed(1)), "another secret");
    store.note("looked", "once more", Hand { actor: "mod", at: NOW, key: &other }).await.unwrap();
    assert_eq!(check_audit(store, &key).await.unwrap(), Err(Tampered::Changed(7)), "an entry made without the secret");
    assert_eq!(ModerationRules::default().deadline(Category::Other), Duration::from_secs(72 * 3600));
}

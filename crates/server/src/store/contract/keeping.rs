//! What is promised of export, deletion and the janitor. The time is an argument: years pass in a moment.

use super::safety::{DAY, key, meet, report};
use super::{NOW, account_of, over_every_engine, signed_in};
use crate::config::{ModerationRules, RetentionDays};
use crate::store::safety::*;
use crate::store::{AccountId, Store};
use std::collections::BTreeMap;
use visavis_wire::Private;
use visavis_wire::http::Follow;
use visavis_wire::safety::Category;
use visavis_wire::socket::MatchId;

over_every_engine!(
    an_export_holds_what_is_ones_own_and_nothing_of_others,
    a_deletion_takes_everything,
    an_open_report_holds_a_deletion_and_its_decision_ends_that,
    a_deletion_is_held_for_thirty_days_at_most,
    whoever_is_banned_comes_back_banned,
    each_kind_of_row_goes_when_it_has_served,
    unused_accounts_go,
);

pub fn hand(key: &AuditKey, at: i64) -> Hand<'_> {
    Hand { actor: "test", at, key }
}

async fn sweep(store: &dyn Store, at: i64) -> BTreeMap<&'static str, u64> {
    let mut by_kind = BTreeMap::new();
    for (kind, rows) in store.forget(&RetentionDays::default(), hand(&key(), at)).await.unwrap() {
        *by_kind.entry(kind).or_default() += rows;
    }
    by_kind.retain(|_, rows| *rows > 0);
    by_kind
}

async fn decide(store: &dyn Store, about: AccountId, verdict: Verdict, at: i64) {
    let row = store.reports(true, 50).await.unwrap().into_iter().find(|row| row.peer == about).unwrap();
    let decided = store.decide(&row.id, &verdict, "because", &ModerationRules::default(), hand(&key(), at)).await.unwrap();
    assert_eq!(decided, Decided::Done);
}

async fn an_export_holds_what_is_ones_own_and_nothing_of_others(store: &dyn Store) {
    let (ada, bao) = (account_of(store, "ada").await, account_of(store, "bao").await);
    let match_id = meet(store, "m", ada, bao, NOW).await;
    report(store, &match_id, bao, Category::Hate, NOW).await;
    store.add_follow(ada, bao, NOW).await.unwrap();
    store.add_refresh_token(ada, "family", "hash", NOW + DAY).await.unwrap();
    decide(store, ada, Verdict::Warn, NOW).await;
    let all = store.export(ada).await.unwrap();
    let text = all.to_string();
    assert_eq!(all["accounts"][0]["username"], "ada");
    assert!(all["accounts"][0]["profile"]["city"].is_object(), "a profile is JSON");
    for (table, rows) in
        [("matches", 1), ("partners", 1), ("follows", 1), ("refresh_tokens", 1), ("decisions", 1), ("reports", 0)]
    {
        assert_eq!(all[table].as_array().map(Vec::len), Some(rows), "{table}");
    }
    assert_eq!(all["decisions"][0]["reason"], "because");
    for foreign in [bao.0.to_string().as_str(), "\"bao\"", "\"hash\"", "\"family\""] {
        assert!(!text.contains(foreign), "{foreign} in {text}");
    }
    let own = store.export(bao).await.unwrap();
    assert_eq!((own["reports"][0]["text"].as_str(), own["decisions"].as_array().map(Vec::len)), (Some("what happened"), Some(0)));
}

async fn a_deletion_takes_everything(store: &dyn Store) {
    let (ada, bao) = (account_of(store, "ada").await, account_of(store, "bao").await);
    let match_id = meet(store, "m", ada, bao, NOW).await;
    report(store, &match_id, ada, Category::Hate, NOW).await;
    decide(store, bao, Verdict::Dismiss, NOW).await;
    store.add_follow(ada, bao, NOW).await.unwrap();
    store.add_refresh_token(ada, "family", "hash", NOW + DAY).await.unwrap();
    assert_eq!(store.held_until(ada).await.unwrap(), None);
    assert_eq!(store.delete_account(ada, hand(&key(), NOW)).await.unwrap(), None);
    assert!(store.account(ada).await.unwrap().is_none());
    let left = store.export(ada).await.unwrap();
    assert!(left.as_object().unwrap().values().all(|rows| rows.as_array().unwrap().is_empty()), "{left}");
    let of_bao: Vec<(AccountId, Follow)> = store.follows(bao).await.unwrap();
    assert!(of_bao.is_empty());
    assert!(store.reports(false, 9).await.unwrap().is_empty());
    assert!(check_audit(store, &key()).await.unwrap().is_ok(), "the log stays whole");
    assert_ne!(account_of(store, "ada").await, ada, "whoever comes back begins anew");
}

async fn an_open_report_holds_a_deletion_and_its_decision_ends_that(store: &dyn Store) {
    let (ada, bao) = (account_of(store, "ada").await, account_of(store, "bao").await);
    let match_id = meet(store, "m", ada, bao, NOW).await;
    store.add_follow(ada, bao, NOW).await.unwrap();
    store.add_refresh_token(ada, "family", "hash", NOW + DAY).await.unwrap();
    report(store, &match_id, bao, Category::Hate, NOW).await;
    let until = Some(NOW + 30 * DAY);
    assert_eq!(store.held_until(ada).await.unwrap(), until);
    assert_eq!(store.delete_account(ada, hand(&key(), NOW + 5)).await.unwrap(), until);
    // What can go has gone.
    let held = store.account(ada).await.unwrap().unwrap();
    assert_eq!((held.username.reveal().as_str(), held.adult), ("", false));
    let left = store.export(ada).await.unwrap();
    for table in ["follows", "refresh_tokens", "partners"] {
        assert_eq!(left[table].as_array().map(Vec::len), Some(0), "{table}");
    }
    assert_eq!(store.bar(ada, NOW + 6).await.unwrap(), Some(Bar::Leaving));
    assert!(store.is_leaving("https://issuer.example", "ada").await.unwrap());
    assert!(!store.is_leaving("https://issuer.example", "bao").await.unwrap());
    assert!(sweep(store, NOW + 6).await.is_empty());
    decide(store, ada, Verdict::Warn, NOW + 7).await;
    assert_eq!(sweep(store, NOW + 8).await.get("leaving"), Some(&1));
    assert!(store.account(ada).await.unwrap().is_none());
    assert!(store.reports(false, 9).await.unwrap().is_empty(), "with the report");
}

async fn a_deletion_is_held_for_thirty_days_at_most(store: &dyn Store) {
    let (ada, bao) = (account_of(store, "ada").await, account_of(store, "bao").await);
    let match_id = meet(store, "m", ada, bao, NOW).await;
    report(store, &match_id, bao, Category::Hate, NOW).await;
    store.delete_account(ada, hand(&key(), NOW)).await.unwrap();
    sweep(store, NOW + 30 * DAY).await;
    assert!(store.account(ada).await.unwrap().is_some());
    sweep(store, NOW + 30 * DAY + 1).await;
    assert!(store.account(ada).await.unwrap().is_none());
    assert!(store.reports(true, 9).await.unwrap().is_empty());
}

async fn whoever_is_banned_comes_back_banned(store: &dyn Store) {
    let (ada, bao) = (account_of(store, "ada").await, account_of(store, "bao").await);
    let match_id = meet(store, "m", ada, bao, NOW).await;
    report(store, &match_id, bao, Category::Hate, NOW).await;
    decide(store, ada, Verdict::Ban, NOW).await;
    store.delete_account(ada, hand(&key(), NOW)).await.unwrap();
    let back = account_of(store, "ada").await;
    assert_eq!(store.bar(back, NOW).await.unwrap(), None, "not before the sign-in asks");
    store.take_up_bar(back, hand(&key(), NOW + 9)).await.unwrap();
    assert_eq!(store.bar(back, NOW + 9).await.unwrap(), Some(Bar::Banned));
    assert_eq!(store.standing(back, NOW + 9).await.unwrap().notices[0].reason.reveal(), "because");
    store.take_up_bar(back, hand(&key(), NOW + 10)).await.unwrap();
    assert_eq!(store.standing(back, NOW + 9).await.unwrap().notices.len(), 1, "once");
    // A pause that is over is not taken up, and forgotten.
    let match_id = meet(store, "n", bao, back, NOW).await;
    report(store, &match_id, back, Category::Hate, NOW).await;
    decide(store, bao, Verdict::Pause { days: 2 }, NOW).await;
    store.delete_account(bao, hand(&key(), NOW)).await.unwrap();
    let bao = account_of(store, "bao").await;
    store.take_up_bar(bao, hand(&key(), NOW + 2 * DAY)).await.unwrap();
    assert_eq!(store.bar(bao, NOW).await.unwrap(), None);
    assert_eq!(sweep(store, NOW + 2 * DAY + 1).await.get("kept_bars"), Some(&1));
}

async fn each_kind_of_row_goes_when_it_has_served(store: &dyn Store) {
    let (ada, bao) = (account_of(store, "ada").await, account_of(store, "bao").await);
    // Tokens that never expire here keep the accounts in use.
    for (account, hash) in [(ada, "a"), (bao, "b")] {
        store.add_refresh_token(account, hash, hash, NOW + 9000 * DAY).await.unwrap();
    }
    store.add_refresh_token(ada, "short", "short", NOW + DAY).await.unwrap();
    assert!(sweep(store, NOW + DAY).await.is_empty());
    assert_eq!(sweep(store, NOW + DAY + 1).await, BTreeMap::from([("refresh_tokens", 1)]));

    let match_id = meet(store, "m", ada, bao, NOW).await;
    let text = Private::new(String::from("x"));
    let sealed = Some(Private::new(String::from("c2VhbGVk")));
    let new = NewReport { match_id, reporter: ada, category: Category::Hate, text, sealed };
    store.report(new, &ModerationRules::default(), hand(&key(), NOW)).await.unwrap();
    let id = store.reports(true, 9).await.unwrap()[0].id.clone();
    assert!(store.evidence(&id).await.unwrap().is_some());
    assert!(sweep(store, NOW + 30 * DAY).await.is_empty());
    assert_eq!(sweep(store, NOW + 30 * DAY + 1).await, BTreeMap::from([("evidence", 1)]));
    assert!(store.evidence(&id).await.unwrap().is_none());
    assert!(sweep(store, NOW + 700 * DAY).await.is_empty(), "an open report stays, and what it is about");

    let at = NOW + 700 * DAY;
    decide(store, bao, Verdict::Warn, at).await;
    assert!(sweep(store, at + 180 * DAY).await.is_empty());
    assert_eq!(sweep(store, at + 180 * DAY + 1).await, BTreeMap::from([("reports", 1)]));
    assert!(sweep(store, at + 365 * DAY).await.is_empty());
    assert_eq!(sweep(store, at + 365 * DAY + 1).await, BTreeMap::from([("decisions", 1)]));

    // Old matches: the latest twenty of either stay.
    for number in 0..20 {
        meet(store, &format!("later {number}"), ada, bao, NOW + 1 + number).await;
    }
    assert_eq!(sweep(store, NOW + 91 * DAY).await, BTreeMap::from([("matches", 1)]), "the first one");
    assert!(store.take_over("pool", 0).await.unwrap().running.is_empty());
    let fact = |match_id: &str| crate::store::SightFact {
        match_id: MatchId(match_id.to_owned()),
        reporter: ada,
        peer: bao,
        saw_s: 3,
        told_s: 0,
    };
    store.log_sight(&fact("later 3"), NOW).await.unwrap();
    assert!(sweep(store, NOW + 90 * DAY).await.is_empty());
    assert_eq!(sweep(store, NOW + 90 * DAY + 1).await, BTreeMap::from([("sight_facts", 1)]));
    // Of partners the latest twenty stay for good, for they are not met again.
    let mut others = Vec::new();
    for number in 0..21 {
        let other = account_of(store, &format!("other {number}")).await;
        store.add_refresh_token(other, &format!("f{number}"), &format!("t{number}"), NOW + 9000 * DAY).await.unwrap();
        others.push(other);
        meet(store, &format!("with {number}"), ada, other, NOW + 1000 + number).await;
    }
    let gone = sweep(store, NOW + 1000 + 91 * DAY).await;
    assert_eq!(gone.get("partners"), Some(&2), "bao and the first of the others: {gone:?}");
}

async fn unused_accounts_go(store: &dyn Store) {
    let ada = account_of(store, "ada").await;
    store.add_refresh_token(ada, "f", "h", NOW + 740 * DAY).await.unwrap();
    assert!(sweep(store, NOW + 731 * DAY).await.is_empty(), "signed in somewhere");
    let gone = sweep(store, NOW + 741 * DAY).await;
    assert_eq!(gone, BTreeMap::from([("refresh_tokens", 1), ("unused_accounts", 1)]));
    assert!(store.account(ada).await.unwrap().is_none());
    // A sign-in counts anew.
    let bao = store.sign_in(signed_in("bao")).await.unwrap();
    store.sign_in(crate::store::SignedIn { checked_at: NOW + 700 * DAY, ..signed_in("bao") }).await.unwrap();
    assert!(sweep(store, NOW + 741 * DAY).await.is_empty());
    assert!(store.account(bao).await.unwrap().is_some());
}

use super::safety::{key, meet, report};
use super::*;
use crate::config::ModerationRules;
use crate::store::learning::Lists;
use crate::store::safety::{Decided, Hand, Verdict};
use crate::store::{MatchWrite, Parted};
use visavis_matching::Log;
use visavis_wire::people::Fact;
use visavis_wire::safety::Category;
use visavis_wire::socket::EndReason;

over_every_engine!(
    an_outcome_counts_once_for_both,
    a_report_counts_when_it_was_right,
    weights_are_kept_by_whoever_leads_the_pool,
    the_latest_lists_of_interests_can_be_had,
);

async fn log_of(store: &dyn Store, account: AccountId) -> Log {
    store.entrant(account, 3, NOW).await.unwrap().unwrap().log
}

async fn an_outcome_counts_once_for_both(store: &dyn Store) {
    let (ada, bao) = (account_of(store, "ada").await, account_of(store, "bao").await);
    assert_eq!(log_of(store, ada).await, Log::default());
    let fence = lead(store, "pool").await;
    for (name, seconds) in [("m1", 90), ("m2", 9_000)] {
        let id = MatchId(name.into());
        store
            .match_began(&fence, &RunningMatch { id: id.clone(), a: ada, b: bao, a_offers: true, friends: false }, NOW)
            .await
            .unwrap();
        store.match_ended(&fence, &id, EndReason::Left, NOW + seconds).await.unwrap();
        let outcome = Parted { match_id: id, left_early: [false, name == "m1"], follow: [true, false] };
        // The answer to the first was lost.
        for _ in 0..2 {
            assert!(store.write_matches(&fence, &[MatchWrite::Parted(outcome.clone())], NOW + seconds).await.unwrap());
        }
    }
    let seconds = 90.0 + 3600.0;
    let of_ada = Log { sessions: 2, seconds, was_left_early: 1, followed: 2, ..Log::default() };
    assert_eq!(log_of(store, ada).await, of_ada);
    assert_eq!(log_of(store, bao).await, Log { sessions: 2, seconds, left_early: 1, was_followed: 2, ..Log::default() });
    // What the other wanted without it becoming mutual is not for the owner's eyes.
    let export = store.export(bao).await.unwrap();
    assert_eq!(export["activity"], serde_json::json!([{ "sessions": 2, "seconds": 3690, "left_early": 1, "followed": 0 }]));
    // Of a match that is gone, or under an old fence, nothing is written.
    let unknown = Parted { match_id: MatchId("unknown".into()), left_early: [true; 2], follow: [true; 2] };
    store.write_matches(&fence, &[MatchWrite::Parted(unknown)], NOW).await.unwrap();
    assert_eq!(log_of(store, ada).await, of_ada);
}

async fn a_report_counts_when_it_was_right(store: &dyn Store) {
    let (ada, bao) = (account_of(store, "ada").await, account_of(store, "bao").await);
    let fence = lead(store, "pool").await;
    let key = key();
    let mut expected = 0;
    for (name, verdict) in [("m1", Verdict::Dismiss), ("m2", Verdict::Warn)] {
        let match_id = meet(store, name, ada, bao, NOW).await;
        let outcome = Parted { match_id: match_id.clone(), left_early: [false; 2], follow: [false; 2] };
        store.write_matches(&fence, &[MatchWrite::Parted(outcome)], NOW).await.unwrap();
        report(store, &match_id, ada, Category::Hate, NOW).await;
        assert_eq!(log_of(store, bao).await.reports, expected, "while it is open");
        let row = store.reports(true, 50).await.unwrap().remove(0);
        expected += u32::from(verdict != Verdict::Dismiss);
        let hand = Hand { actor: "test", at: NOW, key: &key };
        assert_eq!(store.decide(&row.id, &verdict, "because", &ModerationRules::default(), hand).await.unwrap(), Decided::Done);
        assert_eq!(log_of(store, bao).await.reports, expected);
    }
    assert_eq!((expected, log_of(store, ada).await.reports), (1, 0));
}

async fn weights_are_kept_by_whoever_leads_the_pool(store: &dyn Store) {
    let old = lead(store, "pool").await;
    assert_eq!(store.learnt("pool").await.unwrap(), None);
    for text in ["1 one", "1 two"] {
        assert!(store.write_matches(&old, &[MatchWrite::Learnt(text.into())], NOW).await.unwrap());
        assert_eq!(store.learnt("pool").await.unwrap().as_deref(), Some(text));
    }
    assert_eq!(store.learnt("another").await.unwrap(), None);
    let row = store.beat("nobody").await.unwrap().remove(0);
    store.take("pool", "another node", Some((row.fence, row.beat))).await.unwrap().unwrap();
    assert!(!store.write_matches(&old, &[MatchWrite::Learnt("1 late".into())], NOW).await.unwrap());
    assert_eq!(store.learnt("pool").await.unwrap().as_deref(), Some("1 two"), "and the next leader goes on");
}

async fn the_latest_lists_of_interests_can_be_had(store: &dyn Store) {
    for (number, interest) in ["drawing", "tango", "chess"].into_iter().enumerate() {
        let mut who = signed_in(interest);
        who.checked_at = NOW + i64::try_from(number).unwrap();
        who.profile.languages = Fact { value: vec!["en".into()], shared: true };
        who.profile.interests = Fact { value: vec![interest.into(), "cats".into()], shared: false };
        store.sign_in(who).await.unwrap();
    }
    let lists = |interest: &str| Lists { languages: vec!["en".into()], interests: vec![interest.into(), "cats".into()] };
    assert_eq!(store.lists(2).await.unwrap(), [lists("chess"), lists("tango")]);
    assert_eq!(store.lists(50).await.unwrap().len(), 3);
}

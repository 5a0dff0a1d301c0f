use super::*;
use crate::store::RunningMatch;
use visavis_wire::socket::{EndReason, MatchId};

over_every_engine!(running_matches_are_those_that_have_not_ended, partners_are_remembered_newest_first);

fn running(name: &str, a: AccountId, b: AccountId, a_offers: bool) -> RunningMatch {
    RunningMatch { id: MatchId(name.into()), a, b, a_offers }
}

async fn running_matches_are_those_that_have_not_ended(store: &dyn Store) {
    let (ada, bao) = (account_of(store, "ada").await, account_of(store, "bao").await);
    let all = [running("m1", ada, bao, true), running("m2", bao, ada, false), running("m3", ada, bao, true)];
    for (at, running) in (NOW..).zip(&all) {
        store.match_began(running, at).await.unwrap();
    }
    assert_eq!(store.running_matches(NOW).await.unwrap(), all);
    store.match_ended(&all[1].id, EndReason::Left, NOW + 9).await.unwrap();
    assert_eq!(store.running_matches(NOW + 1).await.unwrap(), all[2..]);
}

async fn partners_are_remembered_newest_first(store: &dyn Store) {
    let ada = account_of(store, "ada").await;
    let mut others = Vec::new();
    for number in 0..5 {
        let other = account_of(store, &format!("other {number}")).await;
        store.match_began(&running(&format!("m{number}"), ada, other, true), NOW + number).await.unwrap();
        others.push(other);
    }
    // Met again: the newest once more, and once only.
    store.match_began(&running("again", others[1], ada, true), NOW + 9).await.unwrap();
    let recent = store.entrant(ada, 3, NOW).await.unwrap().unwrap().recent;
    assert_eq!(recent, [others[1], others[4], others[3]]);
    assert_eq!(store.entrant(others[1], 3, NOW).await.unwrap().unwrap().recent, [ada]);
    assert!(store.entrant(ada, 0, NOW).await.unwrap().unwrap().recent.is_empty());
}

use super::*;
use crate::store::RunningMatch;
use visavis_wire::socket::MatchId;

over_every_engine!(partners_are_remembered_newest_first);

fn running(name: &str, a: AccountId, b: AccountId) -> RunningMatch {
    RunningMatch { id: MatchId(name.into()), a, b, a_offers: true, friends: false }
}

async fn partners_are_remembered_newest_first(store: &dyn Store) {
    let ada = account_of(store, "ada").await;
    let fence = lead(store, "pool").await;
    let mut others = Vec::new();
    for number in 0..5 {
        let other = account_of(store, &format!("other {number}")).await;
        store.match_began(&fence, &running(&format!("m{number}"), ada, other), NOW + number).await.unwrap();
        others.push(other);
    }
    // Met again: the newest once more, and once only.
    store.match_began(&fence, &running("again", others[1], ada), NOW + 9).await.unwrap();
    let recent = store.entrant(ada, 3, NOW).await.unwrap().unwrap().recent;
    assert_eq!(recent, [others[1], others[4], others[3]]);
    assert_eq!(store.entrant(others[1], 3, NOW).await.unwrap().unwrap().recent, [ada]);
    assert!(store.entrant(ada, 0, NOW).await.unwrap().unwrap().recent.is_empty());
}

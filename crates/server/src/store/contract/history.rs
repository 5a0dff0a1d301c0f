use super::*;
use crate::store::RunningMatch;
use visavis_wire::socket::{EndReason, MatchId};

over_every_engine!(history_shows_what_was_shared_then, a_block_works_both_ways_and_ends_the_follow);

async fn met(store: &dyn Store, id: &str, a: AccountId, b: AccountId, at: i64) -> MatchId {
    let id = MatchId(id.to_owned());
    let fence = lead(store, "pool").await;
    store.match_began(&fence, &RunningMatch { id: id.clone(), a, b, a_offers: true, friends: false }, at).await.unwrap();
    id
}

async fn history_shows_what_was_shared_then(store: &dyn Store) {
    let ada = account_of(store, "ada").await;
    let mut bao = signed_in("bao");
    bao.profile.city.value = Private::new(String::from("Lisbon"));
    bao.profile.interests.value = vec![String::from("drawing")];
    bao.profile.interests.shared = true;
    let mut profile = bao.profile.clone();
    let bao = store.sign_in(bao).await.unwrap();
    let first = met(store, "m1", ada, bao, NOW).await;
    let fence = lead(store, "pool").await;
    store.match_ended(&fence, &first, EndReason::Left, NOW + 65).await.unwrap();
    profile.city.shared = true;
    store.set_profile(bao, profile).await.unwrap();
    let second = met(store, "m2", bao, ada, NOW + 100).await;
    let history = store.history(ada, 20).await.unwrap();
    assert_eq!(history.iter().map(|past| past.match_id.0.as_str()).collect::<Vec<_>>(), ["m2", "m1"]);
    assert_eq!((history[1].lasted_s, history[1].ended, history[0].lasted_s), (Some(65), Some(EndReason::Left), None));
    assert_eq!((&history[1].card.city, history[1].card.interests.len()), (&None, 1));
    assert!(history[0].card.city.is_some());
    assert_eq!(store.history(ada, 1).await.unwrap().len(), 1);
    assert_eq!((store.matches_since(ada, NOW).await.unwrap(), store.matches_since(bao, NOW + 1).await.unwrap()), (2, 1));
    assert_eq!(store.peer_in(bao, &second).await.unwrap(), Some(ada));
    let caro = account_of(store, "caro").await;
    assert_eq!(store.peer_in(caro, &second).await.unwrap(), None);
    assert_eq!(store.history(caro, 20).await.unwrap(), []);
}

async fn a_block_works_both_ways_and_ends_the_follow(store: &dyn Store) {
    let (ada, bao, caro) = (account_of(store, "ada").await, account_of(store, "bao").await, account_of(store, "caro").await);
    met(store, "m1", ada, bao, NOW).await;
    store.add_follow(ada, bao, NOW).await.unwrap();
    store.add_text(ada, bao, "hello", NOW).await.unwrap();
    assert!(may_meet(store, ada, bao).await);
    store.block(ada, bao, NOW).await.unwrap();
    store.block(ada, bao, NOW + 1).await.unwrap();
    for (of, other) in [(ada, bao), (bao, ada)] {
        assert!(!may_meet(store, of, other).await);
        assert_eq!(store.entrant(of, 16, NOW).await.unwrap().unwrap().blocked, [other]);
        assert_eq!(store.follows(of).await.unwrap().len(), 0);
    }
    store.add_follow(ada, bao, NOW + 2).await.unwrap();
    assert_eq!(store.follows(ada).await.unwrap().len(), 0, "a yes that crossed with the block");
    assert!(may_meet(store, ada, caro).await);
    assert!(store.history(ada, 20).await.unwrap()[0].blocked);
    assert!(!store.history(bao, 20).await.unwrap()[0].blocked, "only one's own block is shown");
}

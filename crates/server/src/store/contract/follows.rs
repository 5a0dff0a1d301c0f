use super::*;

over_every_engine!(a_follow_is_mutual_and_made_once);

async fn a_follow_is_mutual_and_made_once(store: &dyn Store) {
    let (ada, bao, caro) = (account_of(store, "ada").await, account_of(store, "bao").await, account_of(store, "caro").await);
    store.add_follow(ada, bao, NOW).await.unwrap();
    store.add_follow(bao, ada, NOW + 5).await.unwrap();
    store.add_follow(caro, ada, NOW + 1).await.unwrap();
    let follows = store.follows(ada).await.unwrap();
    let seen: Vec<_> = follows.iter().map(|(id, follow)| (*id, follow.username.reveal().as_str(), follow.since)).collect();
    assert_eq!(seen, [(caro, "caro", NOW + 1), (bao, "bao", NOW)]);
    assert!(follows.iter().all(|(_, follow)| !follow.online));
    assert_eq!(store.follows(bao).await.unwrap().len(), 1);
}

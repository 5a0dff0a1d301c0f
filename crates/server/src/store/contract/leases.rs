use super::*;
use crate::store::LeaseRow;

over_every_engine!(a_lease_is_taken_by_one, a_beat_keeps_a_lease_from_being_taken, what_is_given_back_can_be_taken_at_once,);

async fn seen(store: &dyn Store, name: &str) -> LeaseRow {
    store.beat("nobody").await.unwrap().into_iter().find(|row| row.name == name).unwrap()
}

async fn a_lease_is_taken_by_one(store: &dyn Store) {
    let names: Vec<String> = (0..8).map(|number| format!("node{number}")).collect();
    for seen in [None, Some((1, 0)), Some((2, 0))] {
        let all = futures_util::future::join_all(names.iter().map(|name| store.take("pool", name, seen))).await;
        let fences: Vec<i64> = all.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(fences, [seen.map_or(1, |(fence, _)| fence + 1)]);
    }
    assert_eq!(store.take("another", "node0", None).await.unwrap(), Some(1));
}

async fn a_beat_keeps_a_lease_from_being_taken(store: &dyn Store) {
    store.take("pool", "one", None).await.unwrap();
    let old = seen(store, "pool").await;
    let rows = store.beat("one").await.unwrap();
    assert_ne!(rows, std::slice::from_ref(&old));
    assert_eq!(store.take("pool", "other", Some((old.fence, old.beat))).await.unwrap(), None);
    let now = seen(store, "pool").await;
    assert_eq!((now.holder.as_str(), now.fence), ("one", 1));
    assert_eq!(store.take("pool", "other", Some((now.fence, now.beat))).await.unwrap(), Some(2));
    // The old holder's beat is not for the new one's lease.
    store.beat("one").await.unwrap();
    assert_eq!(seen(store, "pool").await, LeaseRow { name: "pool".into(), holder: "other".into(), fence: 2, beat: 0 });
}

async fn what_is_given_back_can_be_taken_at_once(store: &dyn Store) {
    for name in ["pool a", "pool b"] {
        store.take(name, "one", None).await.unwrap();
    }
    store.release("pool a", 7).await.unwrap();
    assert_eq!(seen(store, "pool a").await.holder, "one", "of another fence");
    store.release("pool a", 1).await.unwrap();
    assert_eq!(seen(store, "pool a").await.holder, "");
    store.release_all("one").await.unwrap();
    let given = seen(store, "pool b").await;
    assert_eq!(given.holder, "");
    assert_eq!(store.take("pool b", "two", Some((given.fence, given.beat))).await.unwrap(), Some(2));
}

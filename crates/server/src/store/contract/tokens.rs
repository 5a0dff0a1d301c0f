use super::*;
use crate::store::Rotation;

over_every_engine!(
    a_token_serves_once_and_its_copy_ends_the_family,
    of_many_uses_at_once_one_wins_at_most,
    an_expired_token_does_not_serve,
    a_family_can_be_revoked,
);

async fn a_token_serves_once_and_its_copy_ends_the_family(store: &dyn Store) {
    let ada = account_of(store, "ada").await;
    store.add_refresh_token(ada, "family", "one", NOW + 100).await.unwrap();
    let family = Some(String::from("family"));
    assert_eq!(store.rotate("one", "two", NOW, NOW + 100).await.unwrap(), (Rotation::Done(ada), family.clone()));
    assert_eq!(store.rotate("two", "three", NOW, NOW + 100).await.unwrap(), (Rotation::Done(ada), family.clone()));
    assert_eq!(store.rotate("one", "x", NOW, NOW + 100).await.unwrap(), (Rotation::Reused, family));
    assert_eq!(store.ended_since(NOW).await.unwrap(), [(String::from("family"), false)]);
    assert_eq!(store.rotate("three", "y", NOW, NOW + 100).await.unwrap(), (Rotation::Unknown, None));
}

async fn of_many_uses_at_once_one_wins_at_most(store: &dyn Store) {
    let ada = account_of(store, "ada").await;
    store.add_refresh_token(ada, "family", "one", NOW + 100).await.unwrap();
    let names: Vec<String> = (0..8).map(|number| format!("next{number}")).collect();
    let all = names.iter().map(|name| store.rotate("one", name, NOW, NOW + 100));
    let done = futures_util::future::join_all(all).await.into_iter().filter(|result| {
        let (rotation, _) = result.as_ref().unwrap();
        matches!(rotation, Rotation::Done(_))
    });
    assert!(done.count() <= 1);
    for name in names {
        assert_eq!(store.rotate(&name, "later", NOW, NOW + 100).await.unwrap().0, Rotation::Unknown, "its family is revoked");
    }
}

async fn an_expired_token_does_not_serve(store: &dyn Store) {
    let ada = account_of(store, "ada").await;
    store.add_refresh_token(ada, "family", "one", NOW).await.unwrap();
    assert_eq!(store.rotate("one", "two", NOW, NOW + 100).await.unwrap().0, Rotation::Expired);
    assert_eq!(store.rotate("one", "two", NOW, NOW + 100).await.unwrap().0, Rotation::Unknown);
    assert_eq!(store.rotate("two", "three", NOW, NOW + 100).await.unwrap().0, Rotation::Unknown);
}

async fn a_family_can_be_revoked(store: &dyn Store) {
    let ada = account_of(store, "ada").await;
    store.add_refresh_token(ada, "family", "one", NOW + 100).await.unwrap();
    store.add_refresh_token(ada, "other", "two", NOW + 100).await.unwrap();
    store.revoke_family("family", NOW).await.unwrap();
    assert_eq!(store.ended_since(NOW).await.unwrap(), [(String::from("family"), false)]);
    assert_eq!(store.ended_since(NOW + 1).await.unwrap(), []);
    assert_eq!(store.rotate("one", "x", NOW, NOW + 100).await.unwrap().0, Rotation::Unknown);
    assert_eq!(store.rotate("two", "y", NOW, NOW + 100).await.unwrap().0, Rotation::Done(ada));
}

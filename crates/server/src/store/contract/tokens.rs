use super::keeping::hand;
use super::safety::key;
use super::*;
use crate::config::RetentionDays;
use crate::store::Rotation;
use std::pin::Pin;

over_every_engine!(
    a_token_serves_once_and_its_copy_ends_the_family,
    of_many_uses_at_once_one_wins_at_most,
    an_expired_token_does_not_serve,
    a_family_can_be_revoked,
    of_a_deletion_refreshes_and_revocations_at_once_none_fails,
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

/// Each takes rows of the account and of its sign-ins; in different orders two would wait for each other, and one would fail.
async fn of_a_deletion_refreshes_and_revocations_at_once_none_fails(store: &dyn Store) {
    type Done<'a> = Pin<Box<dyn Future<Output = StoreResult<()>> + 'a>>;
    let (key, days) = (key(), RetentionDays::default());
    for round in 0..12 {
        let ada = account_of(store, "ada").await;
        let families: Vec<String> = (0..4).map(|number| format!("{round}-{number}")).collect();
        for family in &families {
            for token in ["used", "fresh", "old"] {
                let until = if token == "old" { NOW - 1 } else { NOW + 100 };
                store.add_refresh_token(ada, family, &format!("{token} {family}"), until).await.unwrap();
            }
            store.rotate(&format!("used {family}"), &format!("next {family}"), NOW, NOW + 100).await.unwrap();
        }
        let mut all: Vec<Done<'_>> = Vec::new();
        for family in &families {
            for token in ["used", "fresh", "next", "old"] {
                all.push(Box::pin(async move {
                    let next = format!("after {token} {family}");
                    store.rotate(&format!("{token} {family}"), &next, NOW, NOW + 100).await.map(|_| ())
                }));
            }
            all.push(Box::pin(store.revoke_family(family, NOW)));
        }
        let delete = async || store.delete_account(ada, hand(&key, NOW)).await.map(|_| ());
        all.insert(all.len() / 2, Box::pin(delete()));
        all.insert(
            all.len() / 3,
            Box::pin(async { store.withdraw_adult("https://issuer.example", "ada", NOW).await.map(|_| ()) }),
        );
        all.push(Box::pin(async { store.forget(&days, hand(&key, NOW)).await.map(|_| ()) }));
        for done in futures_util::future::join_all(all).await {
            done.unwrap();
        }
        assert!(store.account(ada).await.unwrap().is_none());
        let ended = store.ended_since(NOW).await.unwrap();
        assert!(families.iter().all(|family| ended.iter().any(|(ended, _)| ended == family)), "{ended:?}");
    }
}

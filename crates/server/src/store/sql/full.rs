//! A database that may not grow any more says so, loses nothing, and takes writes again once it may.

use super::SqlStore;
use crate::store::contract::{NOW, account_of, signed_in};
use crate::store::{AccountId, Accounts, Follows, SignedIn, Texts, Tokens};
use sqlx::Executor;

/// On each connection, as the limit is one of the connection.
async fn most_pages(store: &SqlStore, pages: u32) {
    let mut all = Vec::new();
    for _ in 0..super::SQLITE_CONNECTIONS {
        all.push(store.pool.acquire().await.unwrap());
    }
    for connection in &mut all {
        connection.execute(sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"))).await.unwrap();
    }
}

#[tokio::test]
async fn a_full_database_is_told_from_other_faults_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqlStore::open_file(&folder.path().join("s.db")).await.unwrap();
    let (ada, bao) = (account_of(&store, "ada").await, account_of(&store, "bao").await);
    store.add_follow(ada, bao, NOW).await.unwrap();
    // As many as there are.
    most_pages(&store, 1).await;
    let long = "x".repeat(900);
    let mut taken = 0;
    let full = loop {
        match store.add_text(ada, bao, &long, NOW + taken).await {
            Ok(_) if taken < 1_000 => taken += 1,
            Ok(_) => panic!("it grew all the same"),
            Err(error) => break error,
        }
    };
    assert!(full.has_no_room(), "{full:?}");
    let other = store.sign_in(SignedIn { subject_hash: long.repeat(20), ..signed_in("caro") }).await.unwrap_err();
    assert!(other.has_no_room(), "{other:?}");
    let kept = store.texts(bao, ada, 1_000).await.unwrap();
    assert_eq!(kept.len(), usize::try_from(taken).unwrap(), "what was taken, and no more");
    most_pages(&store, 1_000_000).await;
    store.add_text(ada, bao, &long, NOW + taken).await.unwrap();
    assert!(store.account(ada).await.unwrap().is_some());
    let nobody = AccountId(uuid::Uuid::nil());
    let other = store.add_refresh_token(nobody, "family", "one", NOW).await;
    assert!(other.is_err_and(|error| !error.has_no_room()), "another fault");
}

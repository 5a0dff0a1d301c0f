//! What every engine of the store promises: one file of promises a topic, each kept by a fresh store of each engine.
//!
//! A topic's file holds functions `async fn promise(store: &dyn Store)` and names them in [`over_every_engine!`]. PostgreSQL is a
//! real one, started for this test process; where it is not installed, that is said aloud.

mod accounts;
mod engagements;
mod follows;
mod history;
mod keeping;
mod learning;
mod leases;
mod matches;
mod pictures;
mod safety;
mod seats;
mod texts;
mod tokens;

use super::{AccountId, Committed, Fence, RunningMatch, SignedIn, SqlStore, Store, StoreResult};
use std::sync::atomic::{AtomicU32, Ordering};
use visavis_wire::Private;
use visavis_wire::people::Profile;
use visavis_wire::socket::MatchId;

pub const NOW: i64 = 1_800_000_000;

/// One test a promise and engine.
macro_rules! over_every_engine {
    ($($promise:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $promise() {
                $crate::store::contract::over_sqlite(async |store| super::$promise(store).await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $promise() {
                $crate::store::contract::over_postgres(async |store| super::$promise(store).await).await;
            })*
        }
    };
}
use over_every_engine;

pub async fn over_sqlite(promise: impl AsyncFnOnce(&dyn Store)) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqlStore::open_file(&folder.path().join("s.db")).await.unwrap();
    promise(&store).await;
    store.close().await;
}

pub async fn over_postgres(promise: impl AsyncFnOnce(&dyn Store)) {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let Some(engine) = visavis_engines::shared_postgres() else { return };
    let url = engine.database(&format!("contract{}", NEXT.fetch_add(1, Ordering::Relaxed))).unwrap();
    let store = SqlStore::open_postgres(&url).await.unwrap();
    promise(&store).await;
    store.close().await;
}

pub fn signed_in(name: &str) -> SignedIn {
    SignedIn {
        issuer: String::from("https://issuer.example"),
        subject_hash: name.to_owned(),
        username: Private::new(name.to_owned()),
        adult: true,
        checked_how: "test",
        checked_at: NOW,
        profile: Profile::default(),
    }
}

/// The right to write about matches.
pub async fn lead(store: &dyn Store, lease: &str) -> Fence {
    let taken = store.take(lease, "node", None).await.unwrap();
    Fence { lease: lease.to_owned(), number: taken.unwrap_or(1) }
}

/// By committing a pair and taking it back.
pub async fn may_meet(store: &dyn Store, a: AccountId, b: AccountId) -> bool {
    let fence = lead(store, "pool").await;
    let pair = RunningMatch { id: MatchId(String::from("to be taken back")), a, b, a_offers: true, friends: false };
    let outcome = store.commit_matches(&fence, std::slice::from_ref(&pair), NOW).await.unwrap();
    store.match_withdrawn(&fence, &pair.id).await.unwrap();
    outcome == [Committed::Done]
}

pub async fn account_of(store: &dyn Store, name: &str) -> AccountId {
    store.sign_in(signed_in(name)).await.unwrap()
}

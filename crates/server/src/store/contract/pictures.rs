use super::safety::key;
use super::*;
use crate::store::RunningMatch;
use crate::store::safety::Hand;
use visavis_wire::socket::MatchId;

over_every_engine!(a_picture_is_kept_shown_to_a_match_alone_and_goes_with_the_account);

async fn a_picture_is_kept_shown_to_a_match_alone_and_goes_with_the_account(store: &dyn Store) {
    let (ada, bao, caro) = (account_of(store, "ada").await, account_of(store, "bao").await, account_of(store, "caro").await);
    assert_eq!(store.picture(ada).await.unwrap(), None);
    let known = store.set_picture(ada, Some("b25l"), NOW).await.unwrap().unwrap();
    assert!(known.profile.picture.value && !known.profile.picture.shared);
    store.set_picture(ada, Some("dHdv"), NOW).await.unwrap();
    assert_eq!(store.picture(ada).await.unwrap().as_deref(), Some("dHdv"));
    let id = MatchId(String::from("m1"));
    let seen = async |by| store.picture_in(&id, by).await.unwrap();
    assert_eq!(seen(bao).await, None);
    let fence = lead(store, "pool").await;
    let pair = RunningMatch { id: id.clone(), a: ada, b: bao, a_offers: true, friends: false };
    store.commit_matches(&fence, &[pair], NOW).await.unwrap();
    assert_eq!(seen(bao).await, None, "not shared");
    let mut profile = known.profile.clone();
    profile.picture.shared = true;
    // Whether there is one is not the app's to say.
    profile.picture.value = false;
    assert!(store.set_profile(ada, profile).await.unwrap().unwrap().profile.picture.value);
    assert_eq!(seen(bao).await.as_deref(), Some("dHdv"));
    assert_eq!((seen(ada).await, seen(caro).await), (None, None), "the other of the match alone");
    store.match_withdrawn(&fence, &id).await.unwrap();
    assert_eq!(seen(bao).await, None, "over");
    let held = store.export(ada).await.unwrap();
    assert_eq!(held["pictures"][0]["jpeg"], "dHdv");
    assert!(!store.set_picture(ada, None, NOW).await.unwrap().unwrap().profile.picture.value);
    assert_eq!(store.picture(ada).await.unwrap(), None);
    store.set_picture(ada, Some("b25l"), NOW).await.unwrap();
    let key = key();
    store.delete_account(ada, Hand { actor: "test", at: NOW, key: &key }).await.unwrap();
    assert_eq!(store.picture(ada).await.unwrap(), None);
    assert!(store.set_picture(ada, Some("b25l"), NOW).await.unwrap().is_none());
}

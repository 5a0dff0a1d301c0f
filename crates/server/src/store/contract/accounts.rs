use super::*;
use crate::store::{RunningMatch, SightFact};
use visavis_wire::people::{Fact, Sign};
use visavis_wire::socket::MatchId;

over_every_engine!(
    one_person_is_one_account,
    many_sign_ins_at_once_make_one_account,
    age_and_sign_are_the_issuers_the_rest_is_the_persons,
    an_adult_flag_can_be_withdrawn,
    three_people_who_agree_with_the_covered_one_make_points_and_one_word_makes_none,
    whoever_is_covered_all_the_time_is_never_barred,
);

async fn one_person_is_one_account(store: &dyn Store) {
    let ada = account_of(store, "ada").await;
    let renamed = SignedIn { username: Private::new("Ada L.".into()), ..signed_in("ada") };
    assert_eq!(store.sign_in(renamed).await.unwrap(), ada);
    assert_ne!(account_of(store, "bao").await, ada);
    let elsewhere = SignedIn { issuer: "https://other.example".into(), ..signed_in("ada") };
    assert_ne!(store.sign_in(elsewhere).await.unwrap(), ada);
    let account = store.account(ada).await.unwrap().unwrap();
    assert_eq!((account.username.reveal().as_str(), account.adult, account.id), ("Ada L.", true, ada));
    assert!(store.account(AccountId(uuid::Uuid::from_u128(1))).await.unwrap().is_none());
}

async fn many_sign_ins_at_once_make_one_account(store: &dyn Store) {
    let ids = futures_util::future::join_all((0..12).map(|_| account_of(store, "ada"))).await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

async fn age_and_sign_are_the_issuers_the_rest_is_the_persons(store: &dyn Store) {
    let mut who = signed_in("ada");
    who.profile.age.value = Some(30);
    who.profile.sign.value = Some(Sign::Leo);
    let ada = store.sign_in(who.clone()).await.unwrap();
    let own = Profile {
        city: Fact { value: Private::new("Zürich \u{1f600} \"'".into()), shared: true },
        age: Fact { value: Some(99), shared: true },
        ..Profile::default()
    };
    let kept = store.set_profile(ada, own.clone()).await.unwrap().unwrap().profile;
    assert_eq!((kept.age.value, kept.age.shared, kept.sign.value), (Some(30), true, Some(Sign::Leo)));
    who.profile.age.value = Some(31);
    store.sign_in(who).await.unwrap();
    let kept = store.account(ada).await.unwrap().unwrap().profile;
    assert_eq!((kept.age.value, kept.city), (Some(31), own.city));
    assert!(store.set_profile(AccountId(uuid::Uuid::from_u128(1)), Profile::default()).await.unwrap().is_none());
}

async fn an_adult_flag_can_be_withdrawn(store: &dyn Store) {
    let ada = account_of(store, "ada").await;
    assert!(store.entrant(ada, 16, NOW).await.unwrap().unwrap().adult);
    store.add_refresh_token(ada, "family", "hash", NOW + 10).await.unwrap();
    let issuer = "https://issuer.example";
    assert_eq!(store.withdraw_adult(issuer, "nobody", NOW).await.unwrap(), None);
    assert_eq!(store.withdraw_adult(issuer, "ada", NOW).await.unwrap(), Some(ada));
    assert_eq!(store.rotate("hash", "next", NOW, NOW + 10).await.unwrap().0, crate::store::Rotation::Unknown);
    assert!(!store.entrant(ada, 16, NOW).await.unwrap().unwrap().adult);
    assert_eq!(account_of(store, "ada").await, ada);
    assert!(store.entrant(ada, 16, NOW).await.unwrap().unwrap().adult);
}

/// One match in which `saw` saw `covered` for `saw_s` seconds, who admits to `told_s`.
async fn meet(store: &dyn Store, name: &str, saw: AccountId, covered: AccountId, saw_s: u32, told_s: Option<u32>) {
    let match_id = MatchId(name.to_owned());
    let running = RunningMatch { id: match_id.clone(), a: saw, b: covered, a_offers: true, friends: false };
    let fence = lead(store, "pool").await;
    assert!(store.match_began(&fence, &running, NOW).await.unwrap());
    let fact = |reporter, peer, saw_s, told_s| SightFact { match_id: match_id.clone(), reporter, peer, saw_s, told_s };
    store.log_sight(&fact(saw, covered, saw_s, 0), NOW).await.unwrap();
    // A second word does not replace the first.
    store.log_sight(&fact(saw, covered, 9000, 9000), NOW).await.unwrap();
    if let Some(told_s) = told_s {
        store.log_sight(&fact(covered, saw, 0, told_s), NOW).await.unwrap();
    }
}

async fn three_people_who_agree_with_the_covered_one_make_points_and_one_word_makes_none(store: &dyn Store) {
    let covered = account_of(store, "covered").await;
    let points = async |of, now| store.entrant(of, 16, now).await.unwrap().unwrap().conduct;
    for number in 0..6 {
        let other = account_of(store, &format!("other {number}")).await;
        let told = if number < 3 { None } else { Some(50) };
        assert_eq!(points(covered, NOW).await, 0);
        meet(store, &format!("m{number}"), other, covered, 55, told).await;
        assert_eq!(points(other, NOW).await, 0);
    }
    assert_eq!(points(covered, NOW).await, 6);
    assert_eq!(points(covered, NOW + 14 * 24 * 3600).await, 3);
    // Old facts are forgotten when the next is written.
    let late = NOW + 91 * 24 * 3600;
    let fact = SightFact { match_id: MatchId("m0".into()), reporter: covered, peer: covered, saw_s: 1, told_s: 0 };
    store.log_sight(&fact, late).await.unwrap();
    assert_eq!(points(covered, NOW).await, 0);
}

async fn whoever_is_covered_all_the_time_is_never_barred(store: &dyn Store) {
    let covered = account_of(store, "always covered").await;
    let (before, _) = store.measures_since(0).await.unwrap();
    for number in 0..30 {
        let other = account_of(store, &format!("witness {number}")).await;
        meet(store, &format!("c{number}"), other, covered, 1800, Some(1800)).await;
    }
    assert_eq!(store.entrant(covered, 16, NOW).await.unwrap().unwrap().conduct, visavis_matching::MOST_CONDUCT);
    assert_eq!(store.bar(covered, NOW).await.unwrap(), None);
    let (after, about) = store.measures_since(before).await.unwrap();
    assert!(after == before && about.is_empty(), "no measure was written, and nothing for moderators to decide");
}

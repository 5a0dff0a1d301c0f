//! What both said of a covered camera, from the log to the points of the one it was about.

use super::*;
use visavis_wire::people::Profile;

const NOW: i64 = 1_800_000_000;

async fn account_of(store: &SqlStore, name: &str) -> AccountId {
    let who = SignedIn {
        issuer: String::from("https://issuer.example"),
        subject_hash: name.to_owned(),
        username: Private::new(name.to_owned()),
        adult: true,
        checked_how: "test",
        checked_at: NOW,
        profile: Profile::default(),
    };
    store.sign_in(who).await.unwrap()
}

/// One match in which `saw` saw `covered` for `saw_s` seconds, who admits to `told_s`.
async fn meet(store: &SqlStore, name: &str, saw: AccountId, covered: AccountId, saw_s: u32, told_s: Option<u32>) {
    let match_id = MatchId(name.to_owned());
    let running = RunningMatch { id: match_id.clone(), a: saw, b: covered, a_offers: true };
    store.match_began(&running, NOW).await.unwrap();
    let fact = |reporter, peer, saw_s, told_s| SightFact { match_id: match_id.clone(), reporter, peer, saw_s, told_s };
    store.log_sight(&fact(saw, covered, saw_s, 0), NOW).await.unwrap();
    // A second word does not replace the first.
    store.log_sight(&fact(saw, covered, 9000, 9000), NOW).await.unwrap();
    if let Some(told_s) = told_s {
        store.log_sight(&fact(covered, saw, 0, told_s), NOW).await.unwrap();
    }
}

#[tokio::test]
async fn three_people_who_agree_with_the_covered_one_make_points_and_one_word_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqlStore::open_file(&folder.path().join("s.db")).await.unwrap();
    let covered = account_of(&store, "covered").await;
    let points = async |of, now| store.entrant(of, 16, now).await.unwrap().unwrap().conduct;
    for number in 0..6 {
        let other = account_of(&store, &format!("other {number}")).await;
        let told = if number < 3 { None } else { Some(50) };
        assert_eq!(points(covered, NOW).await, 0);
        meet(&store, &format!("m{number}"), other, covered, 55, told).await;
        assert_eq!(points(other, NOW).await, 0);
    }
    assert_eq!(points(covered, NOW).await, 6);
    assert_eq!(points(covered, NOW + 14 * 24 * 3600).await, 3);
    // Old facts are forgotten when the next is written.
    let late = NOW + 91 * 24 * 3600;
    let fact = SightFact { match_id: MatchId("m0".into()), reporter: covered, peer: covered, saw_s: 1, told_s: 0 };
    store.log_sight(&fact, late).await.unwrap();
    let left: i64 =
        sqlx::query("SELECT COUNT(*) AS n FROM sight_facts").fetch_one(&store.pool).await.unwrap().try_get("n").unwrap();
    assert_eq!(left, 1);
    store.close().await;
}

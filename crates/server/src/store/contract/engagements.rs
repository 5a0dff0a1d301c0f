use super::*;
use crate::store::{Committed, RunningMatch, TakenOver};
use visavis_wire::socket::{EndReason, MatchId};

over_every_engine!(
    nobody_is_paired_twice,
    pools_that_want_the_same_people_at_once_pair_them_once,
    a_pool_that_was_taken_over_pairs_nobody,
    a_commit_may_be_asked_again,
    what_was_committed_is_taken_over_and_what_ended_is_not,
);

fn pair(name: &str, a: AccountId, b: AccountId) -> RunningMatch {
    RunningMatch { id: MatchId(name.into()), a, b, a_offers: true, friends: false }
}

async fn people<const N: usize>(store: &dyn Store) -> [AccountId; N] {
    let mut all = [AccountId(uuid::Uuid::nil()); N];
    for (number, account) in all.iter_mut().enumerate() {
        *account = account_of(store, &format!("p{number}")).await;
    }
    all
}

async fn nobody_is_paired_twice(store: &dyn Store) {
    let [a, b, c] = people(store).await;
    let fence = lead(store, "en").await;
    let commit = async |pairs: &[RunningMatch]| store.commit_matches(&fence, pairs, NOW).await.unwrap();
    let (one, two, three) = (pair("m1", a, b), pair("m2", b, c), pair("m3", c, a));
    assert_eq!(commit(&[one.clone(), two.clone()]).await, [Committed::Done, Committed::NotAllowed]);
    assert_eq!(commit(&[two.clone(), three.clone()]).await, [Committed::NotAllowed; 2]);
    assert_eq!(store.engaged_at(b).await.unwrap().as_deref(), Some("en"));
    assert_eq!(store.engaged_at(c).await.unwrap(), None, "a pair that was not allowed leaves nothing behind");
    store.match_withdrawn(&fence, &one.id).await.unwrap();
    assert_eq!(commit(std::slice::from_ref(&two)).await, [Committed::Done]);
    store.match_began(&fence, &two, NOW).await.unwrap();
    store.match_withdrawn(&fence, &two.id).await.unwrap();
    assert_eq!(
        commit(std::slice::from_ref(&three)).await,
        [Committed::NotAllowed],
        "a match that has begun ends, it is not withdrawn"
    );
    store.match_ended(&fence, &two.id, EndReason::Left, NOW).await.unwrap();
    assert_eq!(commit(std::slice::from_ref(&three)).await, [Committed::Done]);
    store.match_withdrawn(&fence, &three.id).await.unwrap();
    store.withdraw_adult("https://issuer.example", "p2", NOW).await.unwrap();
    assert_eq!(commit(&[pair("m4", c, a)]).await, [Committed::NotAllowed]);
    assert_eq!(commit(&[pair("m5", a, a)]).await, [Committed::NotAllowed]);
}

async fn pools_that_want_the_same_people_at_once_pair_them_once(store: &dyn Store) {
    let all: [AccountId; 8] = people(store).await;
    let mut fences = Vec::new();
    for number in 0..4 {
        fences.push(lead(store, &format!("pool{number}")).await);
    }
    // Each pool wants everybody, in another order.
    let wanted: Vec<Vec<RunningMatch>> = (0..4)
        .map(|pool| {
            (0..4).map(|n| pair(&format!("m{pool}.{n}"), all[(n * 2 + pool) % 8], all[(n * 2 + pool * 3 + 1) % 8])).collect()
        })
        .collect();
    let mut done: Vec<RunningMatch> = Vec::new();
    let asked = fences.iter().zip(&wanted).map(async |(fence, pairs)| {
        loop {
            // An engine may break off one of two that wait for each other; whoever asks, asks again.
            if let Ok(outcomes) = store.commit_matches(fence, pairs, NOW).await {
                break outcomes;
            }
        }
    });
    for (outcomes, pairs) in futures_util::future::join_all(asked).await.into_iter().zip(&wanted) {
        let yes = outcomes.iter().zip(pairs).filter(|(outcome, _)| **outcome == Committed::Done);
        done.extend(yes.map(|(_, pair)| pair.clone()));
    }
    let mut paired: Vec<AccountId> = done.iter().flat_map(|pair| [pair.a, pair.b]).collect();
    let count = paired.len();
    paired.sort_unstable();
    paired.dedup();
    assert!(count == paired.len() && count >= 2, "{done:?}");
}

async fn a_pool_that_was_taken_over_pairs_nobody(store: &dyn Store) {
    let [a, b] = people(store).await;
    let fence = lead(store, "en").await;
    assert_eq!(store.take("en", "other", Some((1, 0))).await.unwrap(), Some(2));
    let one = pair("m1", a, b);
    assert_eq!(store.commit_matches(&fence, std::slice::from_ref(&one), NOW).await.unwrap(), [Committed::Fenced]);
    assert!(!store.match_began(&fence, &one, NOW).await.unwrap());
    let old = fence.clone();
    let fence = Fence { number: 2, ..fence };
    assert_eq!(store.commit_matches(&fence, std::slice::from_ref(&one), NOW).await.unwrap(), [Committed::Done]);
    // Whatever the old leader still wants written is not written.
    assert!(!store.match_withdrawn(&old, &one.id).await.unwrap());
    assert!(!store.match_began(&old, &one, NOW).await.unwrap());
    assert_eq!(store.take_over("en", NOW).await.unwrap().offered, std::slice::from_ref(&one));
    assert!(store.match_began(&fence, &one, NOW).await.unwrap());
    assert!(!store.match_ended(&old, &one.id, EndReason::Left, NOW).await.unwrap());
    assert_eq!(store.engaged_at(a).await.unwrap().as_deref(), Some("en"));
}

async fn a_commit_may_be_asked_again(store: &dyn Store) {
    let [a, b] = people(store).await;
    let fence = lead(store, "en").await;
    let one = pair("m1", a, b);
    for _ in 0..3 {
        assert_eq!(store.commit_matches(&fence, std::slice::from_ref(&one), NOW).await.unwrap(), [Committed::Done]);
    }
    for _ in 0..2 {
        store.match_began(&fence, &one, NOW).await.unwrap();
    }
    let taken = store.take_over("en", 0).await.unwrap();
    assert_eq!(taken, TakenOver { running: vec![one], offered: vec![] });
}

async fn what_was_committed_is_taken_over_and_what_ended_is_not(store: &dyn Store) {
    let [a, b, c, d, e, f] = people(store).await;
    let (fence, other) = (lead(store, "en").await, lead(store, "de").await);
    let pairs = [pair("m1", b, a), pair("m2", c, d)];
    store.commit_matches(&fence, &pairs, NOW).await.unwrap();
    store.commit_matches(&other, &[pair("m3", e, f)], NOW).await.unwrap();
    store.match_began(&fence, &pairs[0], NOW).await.unwrap();
    let [one, two] = pairs;
    let taken = store.take_over("en", NOW).await.unwrap();
    assert_eq!(taken, TakenOver { running: vec![one.clone()], offered: vec![two.clone()] });
    store.match_ended(&fence, &one.id, EndReason::Vanished, NOW).await.unwrap();
    let taken = store.take_over("en", NOW).await.unwrap();
    assert_eq!(taken, TakenOver { running: vec![], offered: vec![two] });
    assert_eq!(store.take_over("en", NOW + 1).await.unwrap(), TakenOver::default(), "too old");
    assert_eq!(store.engaged_at(c).await.unwrap(), None);
    assert_eq!(store.take_over("de", NOW).await.unwrap().offered.len(), 1);
}

use super::*;
use visavis_wire::friends::Text;
use visavis_wire::limits::TEXTS_KEPT;

over_every_engine!(texts_are_for_two_who_follow_each_other, old_texts_give_way, texts_at_once_are_numbered);

fn seen(texts: &[Text]) -> Vec<(i64, bool, &str)> {
    texts.iter().map(|text| (text.number, text.own, text.text.reveal().as_str())).collect()
}

async fn texts_are_for_two_who_follow_each_other(store: &dyn Store) {
    let (ada, bao, caro) = (account_of(store, "ada").await, account_of(store, "bao").await, account_of(store, "caro").await);
    assert_eq!(store.add_text(ada, bao, "hello", NOW).await.unwrap(), None);
    store.add_follow(ada, bao, NOW).await.unwrap();
    store.add_follow(ada, caro, NOW).await.unwrap();
    assert_eq!(store.add_text(ada, bao, "hello", NOW).await.unwrap().unwrap().number, 1);
    store.add_text(bao, ada, "you too", NOW + 1).await.unwrap().unwrap();
    store.add_text(bao, ada, "?", NOW + 2).await.unwrap().unwrap();
    assert_eq!(seen(&store.texts(ada, bao, 9).await.unwrap()), [(1, true, "hello"), (2, false, "you too"), (3, false, "?")]);
    assert_eq!(seen(&store.texts(bao, ada, 2).await.unwrap()), [(2, true, "you too"), (3, true, "?")]);
    assert_eq!(store.texts(ada, caro, 9).await.unwrap(), []);
    let unread = async |of, with| {
        let follows = store.follows(of).await.unwrap();
        follows.into_iter().find(|(id, _)| *id == with).unwrap().1.unread
    };
    assert_eq!((unread(ada, bao).await, unread(bao, ada).await, unread(ada, caro).await), (2, 1, 0));
    store.read_texts(ada, bao, 3).await.unwrap();
    store.read_texts(ada, bao, 1).await.unwrap();
    assert_eq!((unread(ada, bao).await, unread(bao, ada).await), (0, 1));
    store.unfollow(bao, ada).await.unwrap();
    assert_eq!(store.texts(ada, bao, 9).await.unwrap(), []);
    store.add_follow(ada, bao, NOW + 9).await.unwrap();
    assert_eq!((store.texts(ada, bao, 9).await.unwrap().len(), unread(bao, ada).await), (0, 0), "an old one is not found again");
}

async fn old_texts_give_way(store: &dyn Store) {
    let (ada, bao) = (account_of(store, "ada").await, account_of(store, "bao").await);
    store.add_follow(ada, bao, NOW).await.unwrap();
    for number in 0..TEXTS_KEPT + 3 {
        store.add_text(ada, bao, &number.to_string(), NOW).await.unwrap();
    }
    let kept = store.texts(bao, ada, usize::MAX).await.unwrap();
    assert_eq!((kept.len(), kept[0].number), (TEXTS_KEPT, 4));
}

async fn texts_at_once_are_numbered(store: &dyn Store) {
    let (ada, bao) = (account_of(store, "ada").await, account_of(store, "bao").await);
    store.add_follow(ada, bao, NOW).await.unwrap();
    let add = async |from, to| store.add_text(from, to, "x", NOW).await.unwrap().unwrap().number;
    let mut numbers: Vec<i64> = futures_util::future::join_all((0..10).map(|at| {
        let (from, to) = if at % 2 == 0 { (ada, bao) } else { (bao, ada) };
        add(from, to)
    }))
    .await;
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
}

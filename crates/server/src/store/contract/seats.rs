use super::*;
use crate::store::Seat;

over_every_engine!(the_newest_socket_is_the_persons, the_seats_of_a_dead_node_are_cleared);

fn seat(node: &str, life: i64, socket: i64) -> Seat {
    Seat { node: node.into(), life, socket }
}

async fn the_newest_socket_is_the_persons(store: &dyn Store) {
    let (ada, bao) = (account_of(store, "ada").await, account_of(store, "bao").await);
    let (one, two) = (seat("one", 1, 11), seat("two", 4, -22));
    assert_eq!(store.sit(ada, &one).await.unwrap(), None);
    assert_eq!(store.sit(ada, &one).await.unwrap(), None, "said again");
    assert_eq!(store.sit(ada, &two).await.unwrap(), Some(one.clone()));
    store.stand_up(ada, &one).await.unwrap();
    assert_eq!(store.seats_of(&[bao, ada]).await.unwrap(), [(ada, two.clone())]);
    assert_eq!(store.seated_at("two", 4).await.unwrap(), [(ada, -22)]);
    store.stand_up(ada, &two).await.unwrap();
    assert_eq!(store.seats_of(&[ada, bao]).await.unwrap(), []);
    assert_eq!(store.seats_of(&[]).await.unwrap(), []);
}

async fn the_seats_of_a_dead_node_are_cleared(store: &dyn Store) {
    let mut all = Vec::new();
    for number in 0..450 {
        let account = account_of(store, &format!("p{number}")).await;
        store.sit(account, &seat(if number % 2 == 0 { "dead" } else { "alive" }, 3, number)).await.unwrap();
        all.push(account);
    }
    store.clear_node("dead", 2).await.unwrap();
    assert_eq!(store.seats_of(&all).await.unwrap().len(), 450, "another life");
    store.clear_node("dead", 3).await.unwrap();
    let left = store.seats_of(&all).await.unwrap();
    assert!(left.len() == 225 && left.iter().all(|(_, seat)| seat.node == "alive"));
}

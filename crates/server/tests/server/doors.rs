//! Opening hours, admission and sessions a day, as an app meets them. What hours mean is tested in `doors`.

use crate::support::{Person, TestServer};
use std::time::Duration;
use visavis_server::{DoorsSection, RegionSection};
use visavis_wire::socket::{ClientMessage, Closed, ServerMessage};

/// Open on one day of the week that is not near.
fn far() -> DoorsSection {
    let days = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() / 86400;
    // The epoch was a Thursday.
    let day = days[usize::try_from((since + 3) % 7).unwrap()];
    let region = RegionSection { zone: "UTC".into(), covers: vec![], open: vec![format!("{day} 12:00-13:00")] };
    DoorsSection { regions: vec![region], ..DoorsSection::default() }
}

async fn told(person: &mut Person) -> (Closed, Option<u32>) {
    match person.hear().await {
        ServerMessage::Closed { because, opens_in_s } => (because, opens_in_s),
        other => panic!("{other:?}"),
    }
}

async fn waits(person: &mut Person) -> bool {
    matches!(person.next().await, Some(ServerMessage::Waiting { .. }))
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_of_the_hours_nobody_waits_and_the_countdown_is_told() {
    let server = TestServer::with(|config| config.doors = far()).await;
    let mut ada = server.person("ada").await;
    ada.say(ClientMessage::Join).await;
    let (because, opens_in_s) = told(&mut ada).await;
    assert_eq!(because, Closed::Hours);
    assert!((86400..4 * 86400).contains(&opens_in_s.unwrap()), "{opens_in_s:?}");
    ada.hears_nothing(Duration::from_millis(600)).await;
    // Opened without a restart.
    server.running.set_doors(&DoorsSection::default()).unwrap();
    ada.say(ClientMessage::Join).await;
    assert!(waits(&mut ada).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_closes_meanwhile_is_told_to_those_who_wait_and_asked_at_the_match() {
    let server = TestServer::start().await;
    let (mut ada, mut bao) = (server.person("ada").await, server.person("bao").await);
    let mut chen = server.person("chen").await;
    ada.say(ClientMessage::Join).await;
    bao.say(ClientMessage::Join).await;
    let (match_id, ..) = ada.offered().await;
    bao.offered().await;
    chen.say(ClientMessage::Join).await;
    assert!(waits(&mut chen).await);
    server.running.set_doors(&far()).unwrap();
    for person in [&mut ada, &mut bao] {
        person.say(ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: true }).await;
    }
    // Both hear that it closed. Whose answer is read second hears too that the other is gone, in an order that is chance.
    let is_withdrawn =
        |message: &ServerMessage| matches!(message, ServerMessage::MatchWithdrawn { match_id: id } if *id == match_id);
    let mut withdrawn = false;
    for person in [&mut ada, &mut bao] {
        loop {
            match person.hear().await {
                ServerMessage::Closed { because, .. } => break assert_eq!(because, Closed::Hours),
                message if is_withdrawn(&message) => withdrawn = true,
                other => panic!("{other:?}"),
            }
        }
    }
    if !withdrawn {
        let last = tokio::select! {
            message = ada.hear() => message,
            message = bao.hear() => message,
        };
        assert!(is_withdrawn(&last), "{last:?}");
    }
    loop {
        match chen.hear().await {
            ServerMessage::Closed { because, .. } => break assert_eq!(because, Closed::Hours),
            ServerMessage::WaitingEnded => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_admitted_yet_is_told_so() {
    let nobody = DoorsSection { admitted_percent: 0.0, ..DoorsSection::default() };
    let server = TestServer::with(|config| config.doors = nobody).await;
    let mut ada = server.person("ada").await;
    ada.say(ClientMessage::Join).await;
    assert_eq!(told(&mut ada).await, (Closed::Admission, None));
    assert!(server.running.set_doors(&DoorsSection { admitted_percent: 200.0, ..DoorsSection::default() }).is_err());
    ada.say(ClientMessage::Join).await;
    assert_eq!(told(&mut ada).await, (Closed::Admission, None), "what cannot be read changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_has_so_many_sessions() {
    let one = DoorsSection { sessions_per_day: 1, ..DoorsSection::default() };
    let server = TestServer::with(|config| config.doors = one).await;
    let (mut ada, _bao, match_id) = server.pair().await;
    ada.say(ClientMessage::Leave { match_id }).await;
    assert!(matches!(ada.hear().await, ServerMessage::MatchEnded { .. }));
    ada.say(ClientMessage::Join).await;
    let (because, opens_in_s) = told(&mut ada).await;
    assert_eq!(because, Closed::Sessions);
    assert!(opens_in_s.unwrap() <= 86400);
}

//! What both buses promise, which is little: frames for a node get to that node, whole, mostly.

use super::*;
use crate::testnet::Faults;
use std::collections::BTreeSet;
use std::time::Duration;

async fn frames_get_to_their_node_whole(bus: &dyn Bus) {
    let mut one = bus.listen("one").await.unwrap();
    let mut two = bus.listen("two").await.unwrap();
    let large = vec![7; 800 * 1024];
    let mut heard = BTreeSet::new();
    // Said until it is heard: a frame may be lost.
    for _ in 0..200 {
        bus.publish("one", b"for one".to_vec()).await;
        bus.publish("one", large.clone()).await;
        bus.publish("nobody", b"for nobody".to_vec()).await;
        while let Ok(Some(frame)) = tokio::time::timeout(Duration::from_millis(50), one.recv()).await {
            heard.insert(frame);
        }
        if heard.len() == 2 {
            break;
        }
    }
    assert!(heard == BTreeSet::from([b"for one".to_vec(), large]), "{}", heard.len());
    assert!(two.try_recv().is_err());
}

#[tokio::test]
async fn local() {
    frames_get_to_their_node_whole(&LocalBus::default()).await;
}

#[tokio::test]
async fn local_and_told_to_lose_repeat_and_delay() {
    let faults = Faults { lose_percent: 40, twice_percent: 40, late_ms: 40 };
    frames_get_to_their_node_whole(&LocalBus::faulty(5, faults)).await;
}

#[tokio::test]
async fn nats() {
    let Some(mut engine) = visavis_engines::or_leave_out(visavis_engines::Nats::start()) else { return };
    let bus = NatsBus::connect(&engine.url()).await.unwrap();
    frames_get_to_their_node_whole(&bus).await;
    engine.kill();
    bus.publish("one", b"while it is away".to_vec()).await;
    engine.start_again().unwrap();
    // The connection and what was listened to come back by themselves.
    frames_get_to_their_node_whole(&bus).await;
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_and_a_server_that_is_not_there_is_waited_for() {
    assert!(matches!(NatsBus::connect("nats://[").await, Err(BusError::Address(_))));
    assert!(NatsBus::connect("nats://127.0.0.1:9").await.is_ok());
}

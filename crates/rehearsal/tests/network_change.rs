//! The network of a machine changes in the middle of a call: its first interface goes down, the relay is reached through the
//! second, and the call goes on with the same keys. In network namespaces of its own, so it needs root on Linux.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of their functions")]

#[path = "../../call/tests/support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{PATIENCE, Painter, Watcher, pair, show, until};
use visavis_call::{Event, Policy};
use visavis_media::Clock;
use visavis_server::{Config, RelayConfig, Server};
use visavis_wire::socket::RelayCredentials;

/// Set for the processes that the test starts inside its namespaces: which part they play.
const PART: &str = "VISAVIS_TEST_PART";
const CREDENTIALS: &str = "VISAVIS_TEST_CREDENTIALS";
const RELAY: &str = "10.211.9.1";

fn ip(arguments: &str) -> bool {
    let done = Command::new("ip").args(arguments.split(' ')).stderr(Stdio::inherit()).status();
    done.is_ok_and(|status| status.success())
}

/// Two namespaces joined by two cables; removed with everything in them.
struct Networks {
    people: String,
    relay: String,
}

impl Networks {
    /// `None`, with the reason printed, where none can be made.
    fn make() -> Option<Self> {
        let id = std::process::id();
        let this = Self { people: format!("vv-people-{id}"), relay: format!("vv-relay-{id}") };
        let (people, relay) = (&this.people, &this.relay);
        if !cfg!(target_os = "linux") || !ip(&format!("netns add {people}")) {
            println!("SKIPPED: network namespaces need Linux, root and the program ip");
            return None;
        }
        let mut steps =
            vec![format!("netns add {relay}"), format!("-n {people} link set lo up"), format!("-n {relay} link set lo up")];
        steps.push(format!("-n {relay} addr add {RELAY}/32 dev lo"));
        for cable in 1..=2 {
            steps.push(format!("link add c{cable} netns {people} type veth peer name r{cable} netns {relay}"));
            for (namespace, end, host) in [(people, 'c', 2), (relay, 'r', 1)] {
                steps.push(format!("-n {namespace} addr add 10.211.{cable}.{host}/24 dev {end}{cable}"));
                steps.push(format!("-n {namespace} link set {end}{cable} up"));
            }
            steps.push(format!("-n {people} route add {RELAY} via 10.211.{cable}.1 metric {cable}0"));
        }
        assert!(steps.iter().all(|step| ip(step)), "a network could not be laid");
        Some(this)
    }

    fn start(&self, namespace: &str, part: &str, credentials: &str) -> Child {
        Command::new("ip")
            .args(["netns", "exec", namespace])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", part, "--nocapture"])
            .env(PART, part)
            .env(CREDENTIALS, credentials)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        for namespace in [&self.people, &self.relay] {
            ip(&format!("netns del {namespace}"));
        }
    }
}

fn plays(part: &str) -> bool {
    std::env::var(PART).is_ok_and(|wanted| wanted == part)
}

/// Does nothing as a test; the relay when another test starts it.
#[test]
fn the_relay() {
    if !plays("the_relay") {
        return;
    }
    visavis_rehearsal::browser::install_tls();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = Some(RelayConfig { listen: format!("{RELAY}:0").parse().unwrap(), public: None });
        let server = Server::start(Config { relay, ..Config::dev(folder.path()) }).await.unwrap();
        println!("\nready {}", serde_json::to_string(&server.relay_credentials().unwrap()).unwrap());
        std::future::pending::<()>().await;
    });
}

/// Does nothing as a test; the call when another test starts it.
#[test]
fn the_call() {
    if !plays("the_call") {
        return;
    }
    let relay: RelayCredentials = serde_json::from_str(&std::env::var(CREDENTIALS).unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let clock = Clock::start();
        let (mut a, mut b) = pair(Policy::RelayOnly, relay, clock);
        until(&mut a, &mut b, |event| matches!(event, Event::Pictures(_)).then_some(())).await;
        let (at_a, at_b) = (Watcher::new(&a, clock), Watcher::new(&b, clock));
        let (mut one, mut two) = (Painter::new(640, 360), Painter::new(640, 360));
        tokio::join!(show(&a, &mut one, clock, 0, 30), show(&b, &mut two, clock, 0, 30));
        at_a.until_count(10).await;
        at_b.until_count(10).await;

        assert!(ip("link set c1 down"));
        let down = Instant::now();
        let deadline = down + PATIENCE;
        let (seen_a, seen_b) = (at_a.seen().len(), at_b.seen().len());
        let (mut noticed, mut number) = (0, 1000);
        let mut ticks = tokio::time::interval(Duration::from_millis(33));
        while at_a.seen().len() < seen_a + 20 || at_b.seen().len() < seen_b + 20 {
            assert!(Instant::now() < deadline, "{} and {} pictures came", at_a.seen().len() - seen_a, at_b.seen().len() - seen_b);
            let (event, to) = tokio::select! {
                event = a.events.recv() => (event.unwrap(), &b.call),
                event = b.events.recv() => (event.unwrap(), &a.call),
                _ = ticks.tick() => {
                    number += 1;
                    for (side, painter) in [(&a, &mut one), (&b, &mut two)] {
                        if let Some(picture) = painter.picture(number, clock.now()) {
                            side.call.pictures().put(picture);
                        }
                    }
                    continue;
                }
            };
            match event {
                Event::Signal(signal) => to.command(visavis_call::Command::Signal(signal)),
                Event::NetworkChanged => noticed += 1,
                Event::Interrupted => assert!(noticed > 0, "noticed by the silence alone"),
                Event::Pictures(_) => panic!("the keys were made anew"),
                Event::Failed(why) => panic!("{why}"),
                _ => {}
            }
        }
        assert_eq!(noticed, 2, "both are on this machine");
        println!("\npictures again after {:?}", down.elapsed());
    });
}

#[test]
fn a_call_survives_a_change_of_network() {
    let Some(networks) = Networks::make() else { return };
    let mut relay = networks.start(&networks.relay, "the_relay", "");
    let mut lines = BufReader::new(relay.stdout.take().unwrap()).lines().map_while(Result::ok);
    let credentials = lines.find_map(|line| line.strip_prefix("ready ").map(str::to_owned)).expect("a relay");
    let mut call = networks.start(&networks.people, "the_call", &credentials);
    for line in BufReader::new(call.stdout.take().unwrap()).lines().map_while(Result::ok) {
        println!("{line}");
    }
    let ended = call.wait().unwrap();
    relay.kill().unwrap();
    relay.wait().unwrap();
    assert!(ended.success(), "the call in the namespace failed");
}

//! A short evening of four over a bad network, one of whom covers the camera and one never agrees to be seen; every rule holds, and
//! the report can be read.

use std::net::UdpSocket;
use visavis_rehearsal::rehearse::plan::Plan;
use visavis_rehearsal::rehearse::shim::FRONT;
use visavis_rehearsal::rehearse::{evening, page, rules};

const PLAN: &str = r#"
about = "Four meet <in turn>"
seconds = 40
seed = 9

[network]
delay_ms = 10
loss_pct = 2

[[people]]
count = 2
draws = true
leaves_after_s = 9
covers_s = [4, 7]
meetings = 2

[[people]]
identity = "ada"
draws = true
stays_veiled = true
meetings = 2

[[people]]
identity = "bao"
follows = false
meetings = 2

[[change]]
at_s = 3
network = { delay_ms = 30, jitter_ms = 5, burst_loss = { avg_pct = 2, mean_len = 3 } }

[expect]
calls = 2
covers = 1
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rehearsed_evening_keeps_every_rule() {
    if let Err(error) = UdpSocket::bind((FRONT, 0)) {
        eprintln!("SKIPPED: {FRONT} is not there on this system ({error}), so no bad network can be put in front of the relay");
        return;
    }
    let plan = Plan::parse(PLAN).expect("a plan");
    let guests = plan.guests().expect("guests");
    let ran = evening::run(&plan, &mut |line| eprintln!("{line}")).await.expect("an evening");
    let record = ran.record(&plan, &guests);
    let broken = rules::check(&plan, &guests, &record);
    assert!(broken.is_empty(), "{broken:#?}");
    let html = page::page("short", &plan, &record, &broken);
    assert!(html.contains("Four meet &lt;in turn&gt;") && html.contains("guest-1 sees"), "{html}");
}

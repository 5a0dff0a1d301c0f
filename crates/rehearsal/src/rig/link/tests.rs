use super::super::scenario::Scenario;
use super::*;
use proptest::prelude::*;

struct Sent {
    /// (number, delay in ms), in the order of arrival.
    arrivals: Vec<(u32, f64)>,
    counters: Counters,
    /// kbit/s from the first arrival to the last.
    goodput: f64,
}

/// `count` packets of `size` bytes, `gap_us` apart, through a link in virtual time.
fn send(link: &str, seed: u64, count: u32, size: usize, gap_us: u64) -> Sent {
    let scenario = Scenario::parse(&format!(r#"{{"link": {link}}}"#)).unwrap();
    let mut link = Link::new(scenario.steps[0].a2b.clone(), seed);
    let mut out = Vec::new();
    for number in 0..count {
        let now = u64::from(number) * gap_us * 1000;
        let mut data = vec![0; size];
        data[..4].copy_from_slice(&number.to_le_bytes());
        data[4..12].copy_from_slice(&now.to_le_bytes());
        link.push(&data, now, &mut |when, packet| out.push((when, packet.data)));
    }
    link.advance(u64::MAX, &mut |when, packet| out.push((when, packet.data)));
    out.sort_by_key(|(when, _)| *when);
    let bytes: usize = out.iter().skip(1).map(|(_, data)| data.len()).sum();
    let span = out.last().map_or(0, |last| last.0) - out.first().map_or(0, |first| first.0);
    let arrivals = out
        .iter()
        .map(|(when, data)| {
            let number = u32::from_le_bytes(data[..4].try_into().unwrap());
            let sent = u64::from_le_bytes(data[4..12].try_into().unwrap());
            (number, (when - sent) as f64 / MS)
        })
        .collect();
    Sent { arrivals, counters: link.counters, goodput: bytes as f64 * 8.0 / (span.max(1) as f64 / 1e9) / 1000.0 }
}

fn quantile(sent: &Sent, share: f64) -> f64 {
    let mut delays: Vec<f64> = sent.arrivals.iter().map(|arrival| arrival.1).collect();
    delays.sort_by(f64::total_cmp);
    delays[((delays.len() - 1) as f64 * share) as usize]
}

fn out_of_order(sent: &Sent) -> usize {
    sent.arrivals.windows(2).filter(|pair| pair[1].0 < pair[0].0).count()
}

/// Mean length of the gaps between consecutive numbers.
fn mean_burst(sent: &Sent) -> f64 {
    let gaps: Vec<u32> = sent.arrivals.windows(2).map(|pair| pair[1].0 - pair[0].0 - 1).filter(|gap| *gap > 0).collect();
    gaps.iter().sum::<u32>() as f64 / gaps.len().max(1) as f64
}

fn assert_within(value: f64, low: f64, high: f64) {
    assert!((low..=high).contains(&value), "{value} is not within {low} to {high}");
}

#[test]
fn nothing_asked_for_is_nothing_done() {
    let sent = send("{}", 1, 1000, 200, 1000);
    assert_eq!((sent.arrivals.len(), quantile(&sent, 1.0)), (1000, 0.0));
}

#[test]
fn delay_and_jitter_are_as_wide_as_said() {
    assert_within(quantile(&send(r#"{"delay_ms": 50}"#, 1, 100, 200, 1000), 0.5), 50.0, 50.001);
    let sent = send(r#"{"delay_ms": 100, "jitter_ms": 30, "jitter_reorders": true}"#, 1, 2000, 200, 1000);
    assert_within(quantile(&sent, 0.0), 70.0, 71.0);
    assert_within(quantile(&sent, 0.5), 96.0, 104.0);
    assert_within(quantile(&sent, 1.0), 129.0, 130.0);
    let sent = send(r#"{"delay_ms": 100, "jitter_ms": 30, "jitter_wander_ms": 100}"#, 1, 3000, 200, 1000);
    assert_eq!(out_of_order(&sent), 0);
    assert_within(quantile(&sent, 0.5), 85.0, 115.0);
}

#[test]
fn losses_come_alone_or_in_bursts() {
    let sent = send(r#"{"loss_pct": 10}"#, 1, 10_000, 200, 200);
    assert_within(sent.arrivals.len() as f64, 8880.0, 9120.0);
    assert_within(mean_burst(&sent), 1.0, 1.25);
    let sent = send(r#"{"burst_loss": {"avg_pct": 5, "mean_len": 8}}"#, 1, 20_000, 200, 150);
    assert_within(sent.arrivals.len() as f64, 18_640.0, 19_360.0);
    assert_within(mean_burst(&sent), 6.3, 9.9);
}

#[test]
fn a_bottleneck_fills_its_queue_and_then_drops() {
    // 4 Mbit/s into 1 Mbit/s with 25 000 bytes of queue.
    let sent = send(r#"{"rate_kbps": 1000, "queue_ms": 200}"#, 1, 1000, 1000, 2000);
    assert_within(sent.goodput, 995.0, 1005.0);
    assert_within(quantile(&sent, 0.99), 192.0, 200.0);
    assert_within(sent.arrivals.len() as f64, 265.0, 280.0);
    assert_within(sent.counters.max_queue_ms, 192.0, 200.0);
    let below = send(r#"{"rate_kbps": 5000}"#, 1, 5000, 1000, 1605);
    assert_eq!(below.arrivals.len(), 5000);
}

#[test]
fn a_share_is_overtaken() {
    let sent = send(r#"{"delay_ms": 10, "reorder_pct": 5, "reorder_ms": 5}"#, 1, 2000, 200, 1000);
    assert_within(out_of_order(&sent) as f64 / 20.0, 3.5, 6.5);
}

proptest! {
    #[test]
    fn every_packet_is_delivered_or_counted_as_gone(
        seed in any::<u64>(),
        (loss, rate, queue, jitter) in (0u32..100, 0u32..3000, 100u32..60_000, 0u32..100),
        gap in 1u64..5000,
    ) {
        let link = format!(r#"{{"loss_pct": {loss}, "rate_kbps": {rate}, "queue_bytes": {queue}, "jitter_ms": {jitter}, "delay_ms": 50}}"#);
        let sent = send(&link, seed, 300, 500, gap);
        let counters = sent.counters;
        prop_assert_eq!(counters.in_packets, 300);
        prop_assert_eq!(counters.out_packets as usize, sent.arrivals.len());
        prop_assert_eq!(counters.out_packets + counters.lost + counters.queue_dropped, 300);
        prop_assert_eq!(out_of_order(&sent), 0);
        prop_assert!(counters.max_queue_bytes <= u64::from(queue));
    }
}

//! Figures in the text format of OpenMetrics, which Prometheus reads. One registry for a server, so that several in a process do not mix. Labels are words of
//! this program, never anything of a person.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Request {
    /// The pattern of the route, so that no id of a path is a label.
    pub route: String,
    pub method: &'static str,
    pub status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Kind {
    pub kind: &'static str,
}

#[derive(Clone, Debug)]
pub struct Metrics {
    pub requests: Family<Request, Counter>,
    pub request_seconds: Family<Kind, Histogram, fn() -> Histogram>,
    pub sockets: Gauge,
    pub people: Family<Kind, Gauge>,
    pub matches_begun: Counter,
    pub matches_ended: Family<Kind, Counter>,
    pub joins: Counter,
    pub limited: Family<Kind, Counter>,
    pub reports: Family<Kind, Counter>,
    pub measures: Family<Kind, Counter>,
    pub moderation: Family<Kind, Gauge>,
    pub forgotten: Family<Kind, Counter>,
    pub store_errors: Counter,
    registry: Arc<Registry>,
}

fn seconds() -> Histogram {
    Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0])
}

impl Metrics {
    pub fn new() -> Self {
        let mut metrics = Self {
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(seconds),
            sockets: Gauge::default(),
            people: Family::default(),
            matches_begun: Counter::default(),
            matches_ended: Family::default(),
            joins: Counter::default(),
            limited: Family::default(),
            reports: Family::default(),
            measures: Family::default(),
            moderation: Family::default(),
            forgotten: Family::default(),
            store_errors: Counter::default(),
            registry: Arc::default(),
        };
        let mut all = Registry::with_prefix("visavis");
        all.register("http_requests", "Answered requests", metrics.requests.clone());
        all.register("http_request_seconds", "How long answers took", metrics.request_seconds.clone());
        all.register("sockets", "Open sockets", metrics.sockets.clone());
        all.register("people", "Where people are", metrics.people.clone());
        all.register("matches_begun", "Matches that both wanted", metrics.matches_begun.clone());
        all.register("matches_ended", "Matches that ended, and how", metrics.matches_ended.clone());
        all.register("joins", "Times that somebody asked to wait", metrics.joins.clone());
        all.register("rate_limited", "Requests and messages beyond a limit", metrics.limited.clone());
        all.register("reports", "Reports made, by category", metrics.reports.clone());
        all.register("moderation_measures", "Warnings, pauses, bans", metrics.measures.clone());
        all.register("moderation_queue", "What waits for a moderator", metrics.moderation.clone());
        all.register("forgotten_rows", "Rows that the janitor deleted", metrics.forgotten.clone());
        all.register("store_errors", "Failures of the database", metrics.store_errors.clone());
        metrics.registry = Arc::new(all);
        metrics
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}

/// What [`Metrics::text`] is.
pub const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub fn kind(kind: &'static str) -> Kind {
    Kind { kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_every_figure_and_an_end() {
        let metrics = Metrics::new();
        metrics.requests.get_or_create(&Request { route: "/v1/me".into(), method: "GET", status: 200 }).inc();
        metrics.request_seconds.get_or_create(&kind("GET")).observe(0.02);
        metrics.people.get_or_create(&kind("waiting")).set(3);
        let text = metrics.text();
        assert!(text.contains("visavis_http_requests_total{route=\"/v1/me\",method=\"GET\",status=\"200\"} 1"), "{text}");
        assert!(text.contains("visavis_people{kind=\"waiting\"} 3"), "{text}");
        assert!(text.contains("visavis_http_request_seconds_bucket{le=\"0.025\",kind=\"GET\"} 1"), "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
        assert!(!Metrics::new().text().contains("/v1/me"), "another server's figures");
    }
}

//! Scenario files: what each direction of the link between the two sides does, and how that changes over time.
//!
//! Keys: `name`, `about`, `seconds`, `seed`, `link` (both directions) and then `a2b`, `b2a` (one direction, on top), `server`
//! (the ways to and from the server, clean otherwise), `schedule`: a list of `{"at_s": 12, "link": {...}}`. Times count from
//! the first packet between a and b; values that a step does not name stay as they are. Unknown keys are errors.

use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::Path;
use std::time::Duration;

/// Without `queue_ms` and `queue_bytes`.
const QUEUE_MS: f64 = 200.0;
/// A queue holds two full packets at least.
const SMALLEST_QUEUE: u64 = 3000;
const SECONDS: f64 = 35.0;
const KEYS: [&str; 9] = ["name", "about", "seconds", "seed", "link", "a2b", "b2a", "server", "schedule"];

/// Loss in bursts (Gilbert-Elliott; in the bad state every packet is lost).
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// Share of all packets that is lost in the long run, percent.
    pub avg_pct: f64,
    /// Mean number of packets of one burst.
    pub mean_len: f64,
}

/// One direction. Order: queue, bottleneck, loss, delay.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct LinkConfig {
    pub delay_ms: f64,
    /// Uniform, to both sides of the delay.
    pub jitter_ms: f64,
    /// 0: jitter is drawn anew for each packet; else it wanders between values drawn this far apart.
    pub jitter_wander_ms: f64,
    /// Whether jitter may change the order of packets.
    pub jitter_reorders: bool,
    pub loss_pct: f64,
    pub burst_loss: Option<Burst>,
    /// Bottleneck, counted over IP packets; 0: none.
    pub rate_kbps: f64,
    /// Drop-tail queue in front of the bottleneck, in time at the current rate ...
    pub queue_ms: Option<f64>,
    /// ... or in bytes.
    pub queue_bytes: Option<u64>,
    /// This share of packets is held back by `reorder_ms` more, others overtake them.
    pub reorder_pct: f64,
    pub reorder_ms: f64,
}

impl LinkConfig {
    /// Bytes.
    pub fn queue_limit(&self) -> u64 {
        self.queue_bytes.unwrap_or_else(|| {
            let bytes = self.rate_kbps * self.queue_ms.unwrap_or(QUEUE_MS) / 8.0;
            (bytes as u64).max(SMALLEST_QUEUE)
        })
    }

    pub fn check(&self) -> Result<(), ScenarioError> {
        let times = [self.delay_ms, self.jitter_ms, self.jitter_wander_ms, self.reorder_ms, self.queue_ms.unwrap_or(0.0)];
        let shares = [self.loss_pct, self.reorder_pct, self.burst_loss.as_ref().map_or(0.0, |burst| burst.avg_pct)];
        let sane = times.iter().all(|time| (0.0..=60_000.0).contains(time))
            && shares.iter().all(|share| (0.0..=100.0).contains(share))
            && (0.0..=10_000_000.0).contains(&self.rate_kbps);
        if sane { Ok(()) } else { Err(ScenarioError::OutOfRange) }
    }
}

#[derive(Clone, Debug)]
pub struct Step {
    pub at: Duration,
    pub a2b: LinkConfig,
    pub b2a: LinkConfig,
}

#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: String,
    pub about: String,
    pub seconds: f64,
    pub seed: u64,
    pub server: LinkConfig,
    /// The first holds from the start.
    pub steps: Vec<Step>,
    file: Value,
}

#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    #[error("a scenario is a JSON object: {0}")]
    Json(#[from] serde_json::Error),
    #[error("a scenario and each of its links is an object")]
    NotAnObject,
    #[error("unknown key {0:?}")]
    UnknownKey(String),
    #[error("a step of the schedule needs at_s, a number of seconds")]
    NoTime,
    #[error("seconds must lie between 1 and 3600")]
    Length,
    #[error("a value of a link is out of range: times up to 60 s, shares from 0 to 100 percent, no negative rate")]
    OutOfRange,
}

impl Scenario {
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path).map_err(|error| ScenarioError::File(path.display().to_string(), error))?;
        Self::parse(&text)
    }

    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let whole: Value = serde_json::from_str(text)?;
        let top = whole.as_object().ok_or(ScenarioError::NotAnObject)?;
        if let Some(key) = top.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(ScenarioError::UnknownKey(key.clone()));
        }
        let mut directions = [Map::new(), Map::new()];
        let mut steps = vec![step(&mut directions, &whole, 0.0)?];
        for patch in whole.get("schedule").and_then(Value::as_array).into_iter().flatten() {
            let at = patch.get("at_s").and_then(Value::as_f64).ok_or(ScenarioError::NoTime)?;
            steps.push(step(&mut directions, patch, at)?);
        }
        let word = |key: &str| whole.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let seconds = whole.get("seconds").and_then(Value::as_f64).unwrap_or(SECONDS);
        if !(1.0..=3600.0).contains(&seconds) {
            return Err(ScenarioError::Length);
        }
        let server = whole.get("server").cloned().unwrap_or_else(|| Value::Object(Map::new()));
        Ok(Self {
            name: word("name"),
            about: word("about"),
            seconds,
            seed: whole.get("seed").and_then(Value::as_u64).unwrap_or(1),
            server: link(&server)?,
            steps,
            file: whole,
        })
    }

    /// As a file, for the folder of a run.
    pub fn text(&self) -> String {
        format!("{:#}", self.file)
    }

    /// The same in another length: the times of the schedule keep their share of it.
    pub fn lasting(&self, seconds: f64) -> Result<Self, ScenarioError> {
        let mut file = self.file.clone();
        file["seconds"] = seconds.into();
        for step in file.get_mut("schedule").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(at) = step.get("at_s").and_then(Value::as_f64) {
                step["at_s"] = (at * seconds / self.seconds).into();
            }
        }
        Self::parse(&file.to_string())
    }
}

fn link(value: &Value) -> Result<LinkConfig, ScenarioError> {
    let config: LinkConfig = serde_json::from_value(value.clone())?;
    config.check()?;
    Ok(config)
}

/// Lays `link`, `a2b` and `b2a` of `patch` over what held before.
fn step(directions: &mut [Map<String, Value>; 2], patch: &Value, at_s: f64) -> Result<Step, ScenarioError> {
    for (direction, name) in directions.iter_mut().zip(["a2b", "b2a"]) {
        for part in ["link", name].iter().filter_map(|key| patch.get(key)) {
            let part = part.as_object().ok_or(ScenarioError::NotAnObject)?;
            direction.extend(part.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
    }
    let [a2b, b2a] = directions.each_ref().map(|direction| link(&Value::Object(direction.clone())));
    let at = Duration::try_from_secs_f64(at_s).map_err(|_| ScenarioError::NoTime)?;
    Ok(Step { at, a2b: a2b?, b2a: b2a? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn steps_lie_over_what_held_before() {
        let text = r#"{"name": "x", "seconds": 10, "link": {"delay_ms": 30, "rate_kbps": 2000}, "b2a": {"loss_pct": 5},
            "schedule": [{"at_s": 4, "link": {"rate_kbps": 300}}, {"at_s": 6, "a2b": {"delay_ms": 90}}]}"#;
        let scenario = Scenario::parse(text).unwrap();
        let seen: Vec<_> =
            scenario.steps.iter().map(|s| (s.at.as_secs(), s.a2b.delay_ms, s.a2b.rate_kbps, s.b2a.loss_pct)).collect();
        assert_eq!(seen, [(0, 30.0, 2000.0, 5.0), (4, 30.0, 300.0, 5.0), (6, 90.0, 300.0, 5.0)]);
        assert_eq!((scenario.steps[2].b2a.delay_ms, scenario.steps[0].a2b.loss_pct), (30.0, 0.0));
        let shorter = Scenario::parse(&scenario.lasting(5.0).unwrap().text()).unwrap();
        assert_eq!(shorter.seconds, 5.0);
        assert_eq!((shorter.steps[1].at, shorter.steps[2].at), (Duration::from_secs(2), Duration::from_secs(3)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let says = |text: &str| Scenario::parse(text).unwrap_err().to_string();
        assert_eq!(says(r#"{"sede": 1}"#), "unknown key \"sede\"");
        assert!(says(r#"{"link": {"delay": 1}}"#).contains("unknown field `delay`"));
        assert!(says(r#"{"link": {"loss_pct": 101}}"#).contains("out of range"));
        assert!(says(r#"{"schedule": [{"link": {}}]}"#).contains("at_s"));
        assert!(says(r#"{"seconds": 0}"#).contains("seconds"));
        assert!(says("[]").contains("object"));
    }

    #[test]
    fn queues_are_in_bytes_or_in_time() {
        let config = |text: &str| Scenario::parse(text).unwrap().steps[0].a2b.queue_limit();
        assert_eq!(config(r#"{"link": {"rate_kbps": 1000}}"#), 25_000);
        assert_eq!(config(r#"{"link": {"rate_kbps": 500, "queue_ms": 300}}"#), 18_750);
        assert_eq!(config(r#"{"link": {"rate_kbps": 2000, "queue_bytes": 37500}}"#), 37_500);
        assert_eq!(config(r#"{"link": {"rate_kbps": 10}}"#), SMALLEST_QUEUE);
    }

    #[test]
    fn those_of_the_bench_can_be_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let scenario = Scenario::load(&path).unwrap();
            assert_eq!(path.file_stem().unwrap().to_str().unwrap(), scenario.name);
            count += 1;
        }
        assert!(count >= 8, "{count}");
    }

    proptest! {
        #[test]
        fn nonsense_is_refused_without_a_panic(text in r#"[{}\[\]":,a-z_0-9. -]{0,80}"#) {
            let _ = Scenario::parse(&text);
        }
    }
}

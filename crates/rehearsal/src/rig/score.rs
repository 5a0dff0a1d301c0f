//! Scores a run, the same way for every peer: what one side saw of the other side's camera, and what that cost.
//!
//! | figure | is |
//! |---|---|
//! | latency | a `render`, less the other side's newest `capture` of the same frame number (both clocks are the machine's) |
//! | freeze | a gap of more than 200 ms between two different frames shown; frozen is its length less one frame |
//! | never shown | captured early enough to have been shown, and was not |
//! | kbit/s | sent by the other side, all IP bytes, from 5 s after the first frame |
//! | cores, memory | all processes of this side, from 5 s after the start; private is what no other process maps |
//! | SSIM | of the pictures kept, against the camera file, see [`quality`] |

pub mod quality;

use super::scenario::Scenario;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

const FREEZE_MS: f64 = 200.0;
const FRAME_MS: f64 = 1000.0 / 30.0;
/// Start-up is no part of cost and bitrate.
const SETTLED_MS: f64 = 5000.0;
/// A frame number comes again after 1024 frames; a match older than this is the turn before.
const OLDEST_MATCH_MS: f64 = 10_000.0;
/// Clocks of two processes agree within this.
const CLOCK_MS: f64 = 5.0;
/// A frame captured this shortly before the end may not have been shown yet.
const TAIL_MS: f64 = 200.0;

#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
    #[error("{0} cannot be read: {1}")]
    Malformed(&'static str, String),
    #[error("the caller never started")]
    NoStart,
    #[error("side {0} showed nothing")]
    NothingShown(char),
}

/// Figures of one receiver.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Row {
    pub receiver: String,
    pub first_frame_ms: f64,
    pub latency_p50_ms: Option<f64>,
    pub latency_p95_ms: Option<f64>,
    pub fps: f64,
    pub camera_fps: f64,
    pub freezes: usize,
    pub frozen_ms: f64,
    pub longest_gap_ms: f64,
    pub never_shown_pct: f64,
    pub unreadable: usize,
    pub mean_width: Option<f64>,
    pub ssim: Option<f64>,
    pub psnr_db: Option<f64>,
    pub compared: usize,
    pub kbps: Option<f64>,
    pub cpu_cores: Option<f64>,
    pub pss_mb: Option<f64>,
    pub private_mb: Option<f64>,
    /// What the rest of the machine used meanwhile.
    pub other_load_cores: Option<f64>,
}

/// A line of `log.csv`.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    at: f64,
    event: String,
    frame: i64,
    width: f64,
}

/// A frame that was shown, different from the one before.
#[derive(Clone, Copy, Debug)]
struct Shown {
    at: f64,
    frame: i64,
    width: f64,
}

/// Lines that cannot be read are none: a side may have been killed in the middle of one.
fn parse_log(text: &str) -> Vec<Line> {
    let parse = |line: &str| {
        let mut fields = line.split(',');
        let at: f64 = fields.next()?.parse().ok().filter(|at: &f64| at.is_finite())?;
        let event = fields.next()?.to_owned();
        let mut number = |missing: i64| fields.next().and_then(|field| field.parse().ok()).unwrap_or(missing);
        let (frame, width) = (number(-1), number(0) as f64);
        Some(Line { at, event, frame, width })
    };
    let mut lines: Vec<Line> = text.lines().filter_map(parse).collect();
    lines.sort_by(|one, other| one.at.total_cmp(&other.at));
    lines
}

/// With linear interpolation between neighbours.
pub fn percentile(values: &[f64], percent: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len().checked_sub(1)?) as f64 * percent / 100.0;
    let (low, share) = (at.floor() as usize, at.fract());
    let high = (low + 1).min(sorted.len() - 1);
    Some(sorted[low] + (sorted[high] - sorted[low]) * share)
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Latency, rate, freezes and losses between `from` and `to`. `captured`: (time, frame) of the sender, in order of time.
fn playback(captured: &[(f64, i64)], shown: &[Shown], from: f64, to: f64, row: &mut Row) {
    let shown: Vec<Shown> = shown.iter().copied().filter(|shown| (from..=to).contains(&shown.at)).collect();
    let mut times: HashMap<i64, Vec<f64>> = HashMap::new();
    for (at, frame) in captured {
        times.entry(*frame).or_default().push(*at);
    }
    let mut latencies = Vec::new();
    let mut matched = HashSet::new();
    for one in &shown {
        let times = times.get(&one.frame).map_or(&[][..], Vec::as_slice);
        let before = times.partition_point(|at| *at <= one.at + CLOCK_MS);
        if let Some(at) = before.checked_sub(1).map(|index| times[index]).filter(|at| one.at - at < OLDEST_MATCH_MS) {
            latencies.push(one.at - at);
            matched.insert(at.to_bits());
        }
    }
    let edges: Vec<f64> = [from].into_iter().chain(shown.iter().map(|one| one.at)).chain([to]).collect();
    let gaps: Vec<f64> = edges.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let freezes: Vec<f64> = gaps.iter().copied().filter(|gap| *gap > FREEZE_MS).collect();
    row.latency_p50_ms = percentile(&latencies, 50.0);
    row.latency_p95_ms = percentile(&latencies, 95.0);
    row.fps = shown.len() as f64 * 1000.0 / (to - from);
    row.freezes = freezes.len();
    row.frozen_ms = freezes.iter().map(|gap| gap - FRAME_MS).sum();
    row.longest_gap_ms = gaps.iter().copied().fold(0.0, f64::max);
    let lag = row.latency_p50_ms.unwrap_or(0.0);
    let due: Vec<f64> = captured.iter().map(|(at, _)| *at).filter(|at| (from - lag..=to - lag - TAIL_MS).contains(at)).collect();
    let seen = due.iter().filter(|at| matched.contains(&at.to_bits())).count();
    row.never_shown_pct = 100.0 * (1.0 - seen as f64 / due.len().max(1) as f64);
    row.mean_width = mean(&shown.iter().map(|one| one.width).collect::<Vec<_>>());
}

/// A row of `procs.csv`.
struct Sample {
    at: f64,
    cpu_s: f64,
    /// Proportional and private, KiB.
    memory: Option<(f64, f64)>,
}

fn parse_procs(text: &str) -> HashMap<String, Vec<Sample>> {
    let mut series: HashMap<String, Vec<Sample>> = HashMap::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok());
        let (Some(at), Some(cpu_s), Some(who)) = (number(0), number(2), fields.get(1)) else { continue };
        let memory = number(3).zip(number(4)).filter(|(shared, _)| *shared > 0.0);
        series.entry((*who).to_owned()).or_default().push(Sample { at, cpu_s, memory });
    }
    series
}

/// Cores in use, and median proportional and private memory, MiB.
fn cost(samples: &[Sample], from: f64, to: f64) -> (Option<f64>, Option<f64>, Option<f64>) {
    let within: Vec<&Sample> = samples.iter().filter(|sample| (from..=to).contains(&sample.at)).collect();
    let (Some(first), Some(last)) = (within.first(), within.last()) else { return (None, None, None) };
    if within.len() < 2 {
        return (None, None, None);
    }
    let cores = (last.cpu_s - first.cpu_s) / ((last.at - first.at) / 1000.0);
    let memory: Vec<(f64, f64)> = within.iter().filter_map(|sample| sample.memory).collect();
    let median = |values: Vec<f64>| percentile(&values, 50.0).map(|kib| kib / 1024.0);
    let shared = median(memory.iter().map(|memory| memory.0).collect());
    (Some(cores), shared, median(memory.iter().map(|memory| memory.1).collect()))
}

#[derive(Deserialize)]
struct Net {
    first_packet_unix_ms: f64,
    per_second: Vec<NetSecond>,
}

#[derive(Deserialize)]
struct NetSecond {
    t_s: f64,
    a2b: NetDirection,
    b2a: NetDirection,
}

#[derive(Deserialize)]
struct NetDirection {
    in_kbps: f64,
}

/// All files of a run.
struct Run {
    seconds: f64,
    net: Net,
    procs: HashMap<String, Vec<Sample>>,
    /// Of a and b.
    logs: [Vec<Line>; 2],
}

impl Run {
    fn read(folder: &Path) -> Result<Self, ScoreError> {
        let text = |name: &str| {
            fs::read_to_string(folder.join(name)).map_err(|error| ScoreError::Io(folder.join(name).display().to_string(), error))
        };
        let scenario = Scenario::parse(&text("scenario.json")?)
            .map_err(|error| ScoreError::Malformed("scenario.json", error.to_string()))?;
        let net =
            serde_json::from_str(&text("net.json")?).map_err(|error| ScoreError::Malformed("net.json", error.to_string()))?;
        let log = |side: &str| parse_log(&text(&format!("{side}/log.csv")).unwrap_or_default());
        Ok(Self { seconds: scenario.seconds, net, procs: parse_procs(&text("procs.csv")?), logs: [log("a"), log("b")] })
    }

    fn start(&self) -> Option<f64> {
        self.logs.iter().flatten().find(|line| line.event == "call_start").map(|line| line.at)
    }

    fn cost(&self, who: &str, from: f64, to: f64) -> (Option<f64>, Option<f64>, Option<f64>) {
        self.procs.get(who).map_or((None, None, None), |samples| cost(samples, from, to))
    }
}

/// One row for each of the two receivers. `camera`: the y4m file, for SSIM.
pub fn score(folder: &Path, camera: Option<&Path>) -> Result<[Row; 2], ScoreError> {
    let run = Run::read(folder)?;
    let [a, b] = [0, 1].map(|me| receiver(&run, me, folder, camera));
    Ok([a?, b?])
}

fn receiver(run: &Run, me: usize, folder: &Path, camera: Option<&Path>) -> Result<Row, ScoreError> {
    let names = ["a", "b"];
    let start = run.start().ok_or(ScoreError::NoStart)?;
    let end = start + run.seconds * 1000.0;
    let mut row = Row { receiver: names[me].to_owned(), ..Row::default() };
    (row.cpu_cores, row.pss_mb, row.private_mb) = run.cost(names[me], start + SETTLED_MS, end);
    let of_all: f64 = ["a", "b", "server"].iter().filter_map(|who| run.cost(who, start, end).0).sum();
    row.other_load_cores = run.cost("host", start, end).0.map(|busy| busy - of_all);
    let captured: Vec<(f64, i64)> = run.logs[1 - me]
        .iter()
        .filter(|line| line.event == "capture" && line.frame >= 0)
        .map(|line| (line.at, line.frame))
        .collect();
    let mut shown: Vec<Shown> = Vec::new();
    for line in run.logs[me].iter().filter(|line| line.event == "render") {
        if line.frame < 0 {
            row.unreadable += 1;
        } else if shown.last().is_none_or(|last| last.frame != line.frame) {
            shown.push(Shown { at: line.at, frame: line.frame, width: line.width });
        }
    }
    let first = shown.first().ok_or(ScoreError::NothingShown(if me == 0 { 'a' } else { 'b' }))?.at;
    row.first_frame_ms = first - start;
    playback(&captured, &shown, first, end, &mut row);
    let during = captured.iter().filter(|(at, _)| (first..=end).contains(at)).count();
    row.camera_fps = during as f64 * 1000.0 / (end - first);
    let rates = run.net.per_second.iter().filter_map(|second| {
        let at = run.net.first_packet_unix_ms + second.t_s * 1000.0;
        let rate = if me == 0 { &second.b2a } else { &second.a2b };
        (first + SETTLED_MS..=end).contains(&at).then_some(rate.in_kbps)
    });
    row.kbps = mean(&rates.collect::<Vec<_>>());
    if let Some(camera) = camera {
        let compared = quality::compare(&folder.join(names[me]).join("frames"), camera)?;
        row.compared = compared.len();
        row.ssim = mean(&compared.iter().map(|one| one.ssim).collect::<Vec<_>>());
        row.psnr_db = mean(&compared.iter().map(|one| one.psnr_db).collect::<Vec<_>>());
    }
    Ok(row)
}

#[cfg(test)]
mod tests;

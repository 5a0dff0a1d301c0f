//! What a bench found, as tables: medians of both peers in each scenario with their ratio, and the targets with the worst
//! scenario of each.

use super::score::{Row, percentile};
use serde::Serialize;
use std::fmt::Write;

/// The peers that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    Ours,
    Chromium,
}

/// One call of one peer, seen from one side.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    pub scenario: String,
    pub peer: Peer,
    pub pair: usize,
    #[serde(flatten)]
    pub row: Row,
}

/// Where a target holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum In {
    Every,
    Only(&'static [&'static str]),
}

#[derive(Clone, Copy, PartialEq)]
enum Target {
    Most(f64),
    Least(f64),
    /// None at all will do whatever the other peer has.
    MostOrZero(f64),
}

struct Figure {
    name: &'static str,
    decimals: usize,
    value: fn(&Row) -> Option<f64>,
    target: Option<(Target, In)>,
}

const fn figure(name: &'static str, decimals: usize, value: fn(&Row) -> Option<f64>, target: Option<(Target, In)>) -> Figure {
    Figure { name, decimals, value, target }
}

const FIGURES: [Figure; 14] = [
    figure("first ms", 0, |row| Some(row.first_frame_ms), Some((Target::Most(0.7), In::Every))),
    figure("lat p50", 0, |row| row.latency_p50_ms, Some((Target::Most(0.7), In::Only(&["clean"])))),
    figure("lat p95", 0, |row| row.latency_p95_ms, Some((Target::Most(0.5), In::Only(&["step", "rate500", "jitter"])))),
    figure("fps", 1, |row| Some(row.fps), Some((Target::Least(1.0), In::Every))),
    figure("cam fps", 1, |row| Some(row.camera_fps), None),
    figure("frozen ms", 0, |row| Some(row.frozen_ms), Some((Target::MostOrZero(0.5), In::Every))),
    figure("max gap", 0, |row| Some(row.longest_gap_ms), None),
    figure("lost fr %", 1, |row| Some(row.never_shown_pct), None),
    figure("width", 0, |row| row.mean_width, None),
    figure("SSIM", 4, |row| row.ssim, Some((Target::Least(0.99), In::Every))),
    figure("kbit/s", 0, |row| row.kbps, None),
    figure("CPU", 3, |row| row.cpu_cores, Some((Target::Most(0.6), In::Every))),
    figure("private MiB", 1, |row| row.private_mb, Some((Target::Most(0.15), In::Every))),
    figure("other CPU", 2, |row| row.other_load_cores, None),
];

impl Figure {
    fn median(&self, measured: &[Measured], scenario: &str, peer: Peer) -> Option<f64> {
        let of = measured.iter().filter(|one| one.scenario == scenario && one.peer == peer);
        percentile(&of.filter_map(|one| (self.value)(&one.row)).collect::<Vec<_>>(), 50.0)
    }

    fn target_in(&self, scenario: &str) -> Option<Target> {
        let (target, place) = self.target?;
        let holds = match place {
            In::Every => true,
            In::Only(names) => names.contains(&scenario),
        };
        holds.then_some(target)
    }
}

impl Target {
    /// How far from reached: over 1 is missed. `ours` tells whether there is nothing to compare.
    fn strain(self, ours: f64, ratio: f64) -> f64 {
        match self {
            Self::Most(limit) => ratio / limit,
            Self::Least(limit) => limit / ratio,
            Self::MostOrZero(_) if ours <= 0.0 => 0.0,
            Self::MostOrZero(limit) => ratio / limit,
        }
    }

    fn words(self) -> String {
        match self {
            Self::Most(limit) => format!("<= {limit}"),
            Self::Least(limit) => format!(">= {limit}"),
            Self::MostOrZero(limit) => format!("<= {limit} or zero"),
        }
    }
}

fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| String::from("-"), |value| format!("{value:.decimals$}"))
}

/// In the order of first appearance.
fn scenarios(measured: &[Measured]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for one in measured {
        if !names.contains(&one.scenario.as_str()) {
            names.push(&one.scenario);
        }
    }
    names
}

/// A target that is missed is marked with an exclamation mark.
fn ratio_of(figure: &Figure, measured: &[Measured], scenario: &str) -> Option<(f64, Option<f64>)> {
    let ours = figure.median(measured, scenario, Peer::Ours)?;
    let theirs = figure.median(measured, scenario, Peer::Chromium)?;
    let ratio = if ours == theirs { 1.0 } else { ours / theirs };
    Some((ratio, figure.target_in(scenario).map(|target| target.strain(ours, ratio))))
}

/// Three lines for each scenario.
pub fn by_scenario(measured: &[Measured]) -> String {
    let mut text = String::from("| scenario | peer |");
    for figure in &FIGURES {
        let _ = write!(text, " {} |", figure.name);
    }
    text += "\n|";
    text += &"---|".repeat(FIGURES.len() + 2);
    for scenario in scenarios(measured) {
        for (name, peer) in [("ours", Peer::Ours), ("Chromium", Peer::Chromium)] {
            if measured.iter().any(|one| one.scenario == scenario && one.peer == peer) {
                let _ = write!(text, "\n| {scenario} | {name} |");
                for figure in &FIGURES {
                    let _ = write!(text, " {} |", number(figure.median(measured, scenario, peer), figure.decimals));
                }
            }
        }
        let ratios: Vec<_> = FIGURES.iter().map(|figure| ratio_of(figure, measured, scenario)).collect();
        if ratios.iter().any(Option::is_some) {
            let _ = write!(text, "\n| | ratio |");
            for found in ratios {
                let missed = found.and_then(|(_, strain)| strain).is_some_and(|strain| strain.is_nan() || strain > 1.0);
                let _ = write!(text, " {}{} |", number(found.map(|(ratio, _)| ratio), 2), if missed { " !" } else { "" });
            }
        }
    }
    text + "\n"
}

/// One line for each target: the scenario that is furthest from it.
pub fn targets(measured: &[Measured]) -> String {
    let mut text = String::from("| target (ours / Chromium) | wanted | worst | in | |\n|---|---|---|---|---|");
    for figure in &FIGURES {
        let Some((target, _)) = figure.target else { continue };
        let strains = scenarios(measured).into_iter().filter_map(|scenario| {
            let (ratio, strain) = ratio_of(figure, measured, scenario)?;
            Some((scenario, ratio, strain?))
        });
        let worst = strains.max_by(|one, other| one.2.total_cmp(&other.2));
        let _ = match worst {
            Some((scenario, ratio, strain)) => {
                let verdict = if strain <= 1.0 { "reached" } else { "missed" };
                write!(text, "\n| {} | {} | {ratio:.2} | {scenario} | {verdict} |", figure.name, target.words())
            }
            None => write!(text, "\n| {} | {} | - | - | not measured |", figure.name, target.words()),
        };
    }
    text + "\nSSIM counts at no more than the other's bitrate: see kbit/s beside it.\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(scenario: &str, peer: Peer, latency: f64, frozen: f64, fps: f64) -> Measured {
        let row = Row {
            latency_p50_ms: Some(latency),
            latency_p95_ms: Some(latency),
            frozen_ms: frozen,
            fps,
            ssim: Some(0.97),
            ..Row::default()
        };
        Measured { scenario: String::from(scenario), peer, pair: 0, row }
    }

    fn line<'a>(text: &'a str, beginning: &str) -> Vec<&'a str> {
        let line = text.lines().find(|line| line.starts_with(beginning)).unwrap();
        line.trim_matches('|').split('|').map(str::trim).collect()
    }

    #[test]
    fn medians_ratios_and_verdicts() {
        let mut all = Vec::new();
        for latency in [20.0, 30.0, 1000.0] {
            all.push(measured("clean", Peer::Ours, latency, 0.0, 29.5));
            all.push(measured("clean", Peer::Chromium, 60.0, 0.0, 27.0));
            all.push(measured("step", Peer::Ours, 300.0, 600.0, 25.0));
            all.push(measured("step", Peer::Chromium, 400.0, 1000.0, 27.0));
        }
        let text = by_scenario(&all);
        assert_eq!(line(&text, "| clean | ours")[3], "30");
        assert_eq!(line(&text, "| | ratio")[3], "0.50");
        let verdicts = targets(&all);
        assert_eq!(line(&verdicts, "| lat p50")[2..], ["0.50", "clean", "reached"]);
        assert_eq!(line(&verdicts, "| lat p95")[2..], ["0.75", "step", "missed"]);
        assert_eq!(line(&verdicts, "| frozen")[2..], ["0.60", "step", "missed"]);
        assert_eq!(line(&verdicts, "| fps")[2..], ["0.93", "step", "missed"]);
        assert_eq!(line(&verdicts, "| SSIM")[2..], ["1.00", "step", "reached"]);
        assert_eq!(line(&verdicts, "| private")[2..], ["-", "-", "not measured"]);
    }

    #[test]
    fn one_peer_alone_has_no_ratio() {
        let all = [measured("clean", Peer::Ours, 20.0, 0.0, 30.0)];
        assert!(!by_scenario(&all).contains("ratio"));
        assert!(targets(&all).contains("not measured"));
    }
}

//! A person whose app is a process of its own, `visavis-bot`: what it prints is what it reports.

use super::evening::Failure;
use super::plan::Guest;
use crate::bot::{PAGES, Report};
use crate::processes;
use serde::Deserialize;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use visavis_call::Statistics;
use visavis_wire::channel::{Seen, Shows};

/// A line of it, as far as an evening is judged by it.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line {
    Page {
        page: String,
    },
    Notice {
        notice: serde_json::Value,
    },
    Sight {
        you_see: Shows,
        they_see: Shows,
        peer_looks: Seen,
        own_looks_to_peer: Seen,
        revealed: bool,
    },
    Strokes {
        visible: usize,
        hash: Option<u64>,
    },
    Fingerprint {
        pictures: [u8; 4],
    },
    Look {
        detailed: bool,
    },
    Statistics {
        statistics: Figures,
    },
    Mutual,
    Ended {
        meetings: u32,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Figures {
    round_trip_ms: Option<f32>,
    received_kbps: u32,
    received_fps: f32,
    loss_percent: f32,
    target_kbps: u32,
    freezes: u32,
    frozen_ms: u32,
    malformed: u32,
}

fn report(line: &str) -> Option<Report> {
    Some(match serde_json::from_str(line).ok()? {
        Line::Page { page } => Report::Page { page: PAGES.into_iter().find(|known| *known == page)? },
        Line::Notice { notice } => Report::Notice { notice },
        Line::Sight { you_see, they_see, peer_looks, own_looks_to_peer, revealed } => {
            Report::Sight { you_see, they_see, peer_looks, own_looks_to_peer, revealed }
        }
        Line::Strokes { visible, hash } => Report::Strokes { visible, hash },
        Line::Fingerprint { pictures } => Report::Fingerprint { pictures },
        Line::Look { detailed } => Report::Look { detailed },
        Line::Statistics { statistics: figures } => Report::Statistics {
            statistics: Statistics {
                round_trip_ms: figures.round_trip_ms,
                received_kbps: figures.received_kbps,
                received_fps: figures.received_fps,
                loss_percent: figures.loss_percent,
                target_kbps: figures.target_kbps,
                freezes: figures.freezes,
                frozen_ms: figures.frozen_ms,
                malformed: figures.malformed,
                ..Statistics::default()
            },
        },
        Line::Mutual => Report::Mutual,
        Line::Ended { meetings } => Report::Ended { meetings },
        Line::Other => return None,
    })
}

/// Dropping it kills it.
pub struct App {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl App {
    pub fn start(guest: &Guest, url: &str, folder: &Path) -> Result<Self, Failure> {
        let program = processes::beside("visavis-bot").ok_or("the plan has apps of their own, and visavis-bot is not built")?;
        let mut command = Command::new(program);
        command.args(arguments(guest, url)).arg("--profile-dir").arg(folder.join(&guest.identity));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let output = child.stdout.take().ok_or("the app has no output")?;
        Ok(Self { child, lines: BufReader::new(output).lines() })
    }

    /// Until it ends by itself.
    pub async fn attend(&mut self, mut say: impl FnMut(Report)) {
        let mut ended = false;
        while let Ok(Some(line)) = self.lines.next_line().await {
            let report = report(&line);
            ended |= matches!(report, Some(Report::Ended { .. }));
            report.into_iter().for_each(&mut say);
        }
        if !ended {
            say(Report::Notice { notice: serde_json::json!({ "process": "it ended by itself" }) });
        }
    }

    pub async fn kill(mut self) {
        // It may have ended by itself.
        let _ = self.child.kill().await;
    }

    /// With a word, if it gets to it.
    pub async fn leave(mut self, within: Duration) {
        if let Some(id) = self.child.id() {
            let _ = Command::new("kill").args(["-INT", &id.to_string()]).stderr(Stdio::null()).status().await;
        }
        let _ = tokio::time::timeout(within, self.child.wait()).await;
    }
}

fn arguments(guest: &Guest, url: &str) -> Vec<String> {
    let manner = &guest.manner;
    let mut words = vec![String::from("run")];
    let mut values =
        vec![("--server", url.to_owned()), ("--identity", guest.identity.clone()), ("--camera", guest.camera.to_string())];
    values.extend(manner.leaves_after_s.map(|after| ("--leave-after", after.to_string())));
    values.extend(manner.meetings.map(|meetings| ("--meetings", meetings.to_string())));
    values
        .extend(manner.camera_does().iter().map(|does| ("--camera-does", format!("{},{},{}", does.is, does.from_s, does.to_s))));
    words.extend(values.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]));
    let switches = [
        ("--decline", manner.declines),
        ("--stay-veiled", manner.stays_veiled),
        ("--no-follow", !manner.follows),
        ("--draw", manner.draws),
        ("--no-games", !manner.plays),
        ("--flood", manner.floods),
        ("--speak", manner.speaks),
    ];
    words.extend(switches.into_iter().filter(|(_, on)| *on).map(|(flag, _)| flag.to_owned()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_bot_prints_is_what_it_reports() {
        let veiled = Shows::Veiled;
        let statistics = Statistics { received_kbps: 700, malformed: 3, ..Statistics::default() };
        let all = [
            Report::Page { page: "call" },
            Report::Sight {
                you_see: veiled,
                they_see: Shows::Clear,
                peer_looks: Seen::Covered,
                own_looks_to_peer: Seen::Clear,
                revealed: true,
            },
            Report::Strokes { visible: 4, hash: Some(u64::MAX) },
            Report::Fingerprint { pictures: [1, 2, 3, 4] },
            Report::Look { detailed: true },
            Report::Statistics { statistics },
            Report::Mutual,
            Report::Ended { meetings: 2 },
        ];
        for said in all {
            let line = serde_json::to_string(&said).unwrap();
            let heard = report(&line).unwrap_or_else(|| panic!("{line} is not understood"));
            assert_eq!(serde_json::to_string(&heard).unwrap(), line);
        }
        assert!(report("{\"event\":\"pictures\",\"frames\":1}").is_none());
        assert!(report("nonsense").is_none());
    }
}

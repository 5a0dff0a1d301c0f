//! A person whose app is a process of its own, `visavis-bot`: what it prints is what it reports.

use super::evening::Failure;
use super::plan::Guest;
use crate::bot::Report;
use crate::processes;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

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
            // Whatever else it prints is for people.
            let report = serde_json::from_str(&line).ok();
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
    values.extend(manner.weak_camera_fps.map(|fps| ("--weak-camera-fps", fps.to_string())));
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
    use visavis_call::{CodecName, Quality, Statistics};
    use visavis_wire::channel::{Seen, Shows};

    #[test]
    fn what_a_bot_prints_is_what_it_reports() {
        let veiled = Shows::Veiled;
        let codec = Some(CodecName::Vp9);
        let statistics = Statistics { quality: Quality::Poor, sent_codec: codec, malformed: 3, ..Statistics::default() };
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
            Report::Pictures { frames: 30, number: None, width: 640, height: 360 },
            Report::Notice { notice: serde_json::json!({ "notice": "server_lost" }) },
            Report::Mutual,
            Report::Unreadable { sent: 5 },
            Report::Ended { meetings: 2 },
        ];
        for said in all {
            let line = serde_json::to_string(&said).unwrap();
            let heard: Report = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(serde_json::to_string(&heard).unwrap(), line);
        }
        for line in ["nonsense", "{\"event\":\"page\",\"page\":\"vanished\"}", "{\"event\":\"something_else\"}"] {
            assert!(serde_json::from_str::<Report>(line).is_err(), "{line}");
        }
    }
}

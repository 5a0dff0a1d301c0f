//! The page of all figures: which line of which bench holds which figure, what is wanted of it, and how near it comes.

use crate::tools;
use std::fmt::Write;

#[derive(Clone, Copy, Debug)]
enum Wanted {
    AtMost(f64),
    AtLeast(f64),
}

/// A figure in the output of a bench.
struct Known {
    bench: &'static str,
    /// What its line begins with.
    line: &'static str,
    /// The number behind this word of the line; the first one where it is empty.
    behind: &'static str,
    name: &'static str,
    unit: &'static str,
    wanted: Wanted,
}

const fn known(
    bench: &'static str,
    line: &'static str,
    behind: &'static str,
    (name, unit): (&'static str, &'static str),
    wanted: Wanted,
) -> Known {
    Known { bench, line, behind, name, unit, wanted }
}

const LOSSY_INK: &str = "ink --loss 5 --round-trip-ms 80";
const INK: &str = "pointer event on A's page";
const OWN_TO_PEER: &str = "own picture drawn on A's page";
const STARTED: &str = "fresh profile: start to a picture in the mirror, signing in";
const VEIL: &str = "start of a cover";
/// Covers of a folder of labelled clips.
pub const COVER: &str = "cover";
pub const COVER_VEILED: &str = "cover --veiled";

const KNOWN: [Known; 39] = [
    known("setup", "from the match to the first", ":", ("match to first decoded picture, relayed", "ms"), Wanted::AtMost(500.0)),
    known("setup", "capture to decoded", "p50", ("capture to decoded, p50", "ms"), Wanted::AtMost(70.0 * 0.7)),
    known("setup", "frames a second", ":", ("pictures a second of 30", ""), Wanted::AtLeast(27.0)),
    known("windows", OWN_TO_PEER, "p50", ("page to page, p50", "ms"), Wanted::AtMost(120.0)),
    known("windows", OWN_TO_PEER, "p95", ("page to page, p95", "ms"), Wanted::AtMost(200.0)),
    known(
        "windows",
        "one app with its webview",
        ":",
        ("processor of one app with its webview", "cores"),
        Wanted::AtMost(0.73 * 0.6),
    ),
    known(
        "windows",
        "one app with its webview",
        "core,",
        ("private memory of one app with its webview", "MiB"),
        Wanted::AtMost(228.0 * 0.6),
    ),
    known("ink", INK, "p50", ("pointer to the other page, p50", "ms"), Wanted::AtMost(40.0)),
    known("ink", INK, "p95", ("pointer to the other page, p95", "ms"), Wanted::AtMost(80.0)),
    known(LOSSY_INK, INK, "p95", ("the same at 5 % loss and 80 ms of round trip, p95", "ms"), Wanted::AtMost(150.0)),
    known("ink", "between two frames of A's page", "p50", ("between two frames while drawing, p50", "ms"), Wanted::AtMost(17.0)),
    known("veil", VEIL, "p50", ("cover to the other's veil, p50", "ms"), Wanted::AtMost(800.0)),
    known("start", STARTED, "p50", ("start of the program to a picture in the mirror, p50", "ms"), Wanted::AtMost(1500.0)),
    known("memory", "ours of Chromium's", ":", ("private memory in a call, of Chromium's", ""), Wanted::AtMost(0.6)),
    known("veil", VEIL, "p95", ("cover to the other's veil, p95", "ms"), Wanted::AtMost(800.0)),
    known("windows", "peer's picture about", "ms, p95", ("decoded to drawn, p95", "ms"), Wanted::AtMost(20.0)),
    known("paper", "2000 marks", "frames,", ("pictures a second while both draw on 2,000 marks", ""), Wanted::AtLeast(60.0)),
    known("interaction", "interaction", "98 %", ("press to next paint in a call, 98 %", "ms"), Wanted::AtMost(50.0)),
    known("size", "ok      JS and CSS", "are", ("scripts and styles of the page, gzip", "bytes"), Wanted::AtMost(200_000.0)),
    known("server", "idle:", "sockets_per_gb\":", ("idle sockets a GB", ""), Wanted::AtLeast(100_000.0)),
    known("server", "join:", "p50_ms\":", ("from joining to a match, p50", "ms"), Wanted::AtMost(300.0)),
    known("server", "sessions:", "per_s\":", ("sessions a second", ""), Wanted::AtLeast(300.0)),
    known("look", "640x360 clear", "median", ("judging a picture of 360p", "ms"), Wanted::AtMost(0.3)),
    known("look", "640x360 veiled", "median", ("judging a mosaic of 360p", "ms"), Wanted::AtMost(0.3)),
    known("echo", "seed 1: ", "first 3 s,", ("echo taken out", "dB"), Wanted::AtLeast(30.0)),
    known("echo", "seed 1: the near end", "changes by", ("near end in double talk, change", "dB"), Wanted::AtMost(2.0)),
    known(COVER, "covers:", "within 1 s", ("covers told within 1 s", ""), Wanted::AtLeast(0.96)),
    known(COVER, "covers:", "p50", ("delay of covers, p50", "s"), Wanted::AtMost(0.3)),
    known(COVER, "covers:", "p95", ("delay of covers, p95", "s"), Wanted::AtMost(0.6)),
    known(COVER, "covers:", "held", ("covers held", ""), Wanted::AtLeast(0.99)),
    known(COVER, "covers:", "release p95", ("release, p95", "s"), Wanted::AtMost(0.7)),
    known(COVER, "whole covers:", "within 1 s", ("whole covers told within 1 s", ""), Wanted::AtLeast(1.0)),
    known(COVER, "electronic shutter", "within 1 s", ("electronic shutter, avatar, black within 1 s", ""), Wanted::AtLeast(1.0)),
    known(COVER, "frozen and photo", "within 5 s", ("frozen and photo within 5 s", ""), Wanted::AtLeast(0.8)),
    known(COVER, "open cameras", ":", ("false alarms an hour", ""), Wanted::AtMost(2.0)),
    known(COVER_VEILED, "covers:", "within 1 s", ("behind a mosaic: covers told within 1 s", ""), Wanted::AtLeast(0.96)),
    known(COVER_VEILED, "covers:", "p95", ("behind a mosaic: delay of covers, p95", "s"), Wanted::AtMost(0.6)),
    known(COVER_VEILED, "whole covers:", "within 1 s", ("behind a mosaic: whole covers", ""), Wanted::AtLeast(1.0)),
    known(COVER_VEILED, "open cameras", ":", ("behind a mosaic: false alarms an hour", ""), Wanted::AtMost(2.0)),
];

/// Files whose size is a figure: bytes, wanted at most.
const SIZES: [(&str, &str, f64); 1] = [("target/release/visavis", "release binary of the app", 30e6)];
/// The same, of the newest package that was made.
const DEB: (&str, f64) = (".deb of the app", 15e6);

#[derive(Default)]
pub struct Page {
    rows: String,
    /// Tables that benches make by themselves.
    tables: String,
    left_out: Vec<String>,
}

impl Page {
    /// `failure`: why the bench ended early.
    pub fn take(&mut self, bench: &str, lines: &[String], failure: Option<String>) {
        let mut found = 0;
        for figure in KNOWN.iter().filter(|figure| figure.bench == bench) {
            // The harness of tests puts a dot before what the next one says.
            let mut said = lines.iter().filter(|line| line.trim_start_matches('.').starts_with(figure.line));
            let value = said.find_map(|line| number_behind(line, figure.behind));
            match value {
                Some(value) => self.row(bench, figure.name, figure.unit, value, Some(figure.wanted)),
                None => self.missing(bench, figure.name),
            }
            found += usize::from(value.is_some());
        }
        found += self.town(bench, lines);
        let table: Vec<&str> = lines.iter().map(|line| line.trim()).skip_while(|line| !line.starts_with("| target")).collect();
        let table: Vec<&str> = table.into_iter().take_while(|line| line.starts_with('|')).collect();
        if !table.is_empty() {
            let _ = writeln!(self.tables, "\n## `bench {bench}`\n\n{}", table.join("\n"));
            found += 1;
        }
        match failure {
            Some(why) => self.left_out.push(format!("`bench {bench}`: {why}")),
            None if found == 0 && !lines.is_empty() => {
                let _ = writeln!(self.tables, "\n## `bench {bench}`\n\n```\n{}\n```", lines.join("\n"));
            }
            None => {}
        }
    }

    /// Lines of the matching bench, which knows its own targets: `seed 1  name  value  target 2.6  reached`.
    fn town(&mut self, bench: &str, lines: &[String]) -> usize {
        let mut found = 0;
        for line in lines.iter().filter(|line| line.starts_with("seed ")) {
            let Some((before, after)) = line.split_once("  target ") else { continue };
            let Some((name, value)) = before.rsplit_once(' ') else { continue };
            let (Ok(value), Some(target)) = (value.parse::<f64>(), number_behind(after, "")) else { continue };
            let reached = after.contains("reached");
            // Which way it is wanted, the line tells by its verdict alone.
            let wanted = if (value <= target) == reached { Wanted::AtMost(target) } else { Wanted::AtLeast(target) };
            self.row(bench, &name.split_whitespace().collect::<Vec<_>>().join(" "), "", value, Some(wanted));
            found += 1;
        }
        found
    }

    /// What was built.
    pub fn sizes(&mut self) {
        for (path, name, most) in SIZES {
            match std::fs::metadata(tools::root().join(path)).or_else(|_| {
                let file = path.rsplit('/').next().unwrap_or(path);
                tools::binaries(true).map_err(std::io::Error::other).and_then(|folder| std::fs::metadata(folder.join(file)))
            }) {
                Ok(file) => self.row("sizes", name, "MB", file.len() as f64 / 1e6, Some(Wanted::AtMost(most / 1e6))),
                Err(_) => self.missing("sizes", name),
            }
        }
        let packages = std::fs::read_dir(tools::root().join("target/package")).into_iter().flatten().flatten();
        let debs = packages.filter(|file| file.path().extension().is_some_and(|extension| extension == "deb"));
        let newest = debs.filter_map(|file| file.metadata().ok()).max_by_key(|file| file.modified().ok());
        match newest {
            Some(file) => self.row("sizes", DEB.0, "MB", file.len() as f64 / 1e6, Some(Wanted::AtMost(DEB.1 / 1e6))),
            None => self.missing("sizes", DEB.0),
        }
    }

    fn row(&mut self, bench: &str, name: &str, unit: &str, value: f64, wanted: Option<Wanted>) {
        let (target, ratio, reached) = match wanted {
            Some(Wanted::AtMost(most)) => (format!("<= {most:.3}"), value / most, value <= most),
            Some(Wanted::AtLeast(least)) => (format!(">= {least:.3}"), value / least, value >= least),
            None => (String::from("-"), f64::NAN, true),
        };
        let target = target.trim_end_matches('0').trim_end_matches('.').to_owned();
        let verdict = if reached { "reached" } else { "missed" };
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        let digits = if value.abs() < 2.0 { 3 } else { 2 };
        // None of nothing is no share.
        let ratio = if ratio.is_nan() { String::from("-") } else { format!("{ratio:.2}") };
        let _ = writeln!(self.rows, "| {bench} | {name} | {value:.digits$}{unit} | {target} | {ratio} | {verdict} |");
    }

    fn missing(&mut self, bench: &str, name: &str) {
        let _ = writeln!(self.rows, "| {bench} | {name} | - | - | - | not measured |");
    }

    pub fn text(&self, quick: bool) -> String {
        let mut text = String::from("# Figures\n\nWritten by `cargo xtask bench all");
        text.push_str(if quick { " --quick` (short runs: for orientation only)" } else { "`" });
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let _ = writeln!(
            text,
            " on {} {}, {cores} cores. Figures of a machine that does something else meanwhile mean nothing; those of two runs are not\n\
             to be compared. The ratio is the figure over its target; Chromium's figures are measured in the same run by `bench call` alone.\n",
            std::env::consts::OS,
            std::env::consts::ARCH
        );
        let _ = write!(text, "| bench | figure | here | wanted | ratio | |\n|---|---|---|---|---|---|\n{}", self.rows);
        text.push_str(&self.tables);
        if !self.left_out.is_empty() {
            let _ = writeln!(text, "\n## Did not run, or not to the end\n");
            for why in &self.left_out {
                let _ = writeln!(text, "- {why}");
            }
        }
        text
    }
}

/// The first number after that word; `inf` where nothing was ever reached.
fn number_behind(line: &str, word: &str) -> Option<f64> {
    let rest = if word.is_empty() { line } else { line.split_once(word)?.1 };
    if rest.trim_start().starts_with("inf") {
        return Some(f64::INFINITY);
    }
    let from = rest.find(|letter: char| letter.is_ascii_digit())?;
    let digits = &rest[from..];
    let to = digits.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(digits.len());
    digits[..to].trim_end_matches('.').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_and_judged() {
        let mut page = Page::default();
        let lines = [
            "from the match to the first decoded frame, through the relay: 421 ms",
            "frames a second: 29.5, at the end 640x360",
            "capture to decoded: p50 61 ms, p95 80 ms, p99 99 ms over 400 frames",
        ];
        page.take("setup", &lines.map(String::from), None);
        page.take("echo", &[String::from(".seed 1: the near end changes by -1.62 dB, with the high-pass filter -2.11 dB")], None);
        assert!(page.text(false).contains("| echo | near end in double talk, change | 1.620 dB | <= 2 | 0.81 | reached |"));
        page.take(
            "matching",
            &[String::from("seed 1  liking over first come first served        2.500  target 2.6  MISSED")],
            None,
        );
        page.take("call", &[String::from("| target (ours | wanted |"), String::from("| fps | 1 |"), String::new()], None);
        let judged = "640x360 clear: 0.160 ms a picture, median 0.170";
        page.take("look", &[String::from(judged)], None);
        page.take("server", &[String::from("join: {\"clients\":500,\"p50_ms\":120.5}")], None);
        let drawn = "peer's picture about to be decoded to drawn on the page (wanted: p95 under 20 ms): p50 12 ms, p95 46 ms";
        page.take("windows", &[String::from(drawn)], None);
        let covers = "covers: alarmed within 1 s 0.942 of 52, delay p50 0.07 s, p95 inf s, held 1.000, release p95 0.20 s";
        page.take(COVER, &[String::from(covers)], None);
        page.take("windows", &[], Some(String::from("no display")));
        let text = page.text(true);
        for part in [
            "| setup | match to first decoded picture, relayed | 421.00 ms | <= 500 | 0.84 | reached |",
            "| setup | capture to decoded, p50 | 61.00 ms | <= 49 | 1.24 | missed |",
            "| look | judging a picture of 360p | 0.170 ms | <= 0.3 | 0.57 | reached |",
            "| server | from joining to a match, p50 | 120.50 ms | <= 300 | 0.40 | reached |",
            "| windows | decoded to drawn, p95 | 46.00 ms | <= 20 | 2.30 | missed |",
            "| cover | delay of covers, p95 | inf s | <= 0.6 | inf | missed |",
            "| cover | covers told within 1 s | 0.942 | >= 0.96 | 0.98 | missed |",
            "| matching | seed 1 liking over first come first served | 2.50 | >= 2.6 | 0.96 | missed |",
            "## `bench call`\n\n| target (ours | wanted |\n| fps | 1 |",
            "| windows | page to page, p50 | - | - | - | not measured |",
            "- `bench windows`: no display",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }
}

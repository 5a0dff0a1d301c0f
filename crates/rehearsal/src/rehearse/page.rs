//! The report of an evening as one HTML file without scripts or anything from elsewhere: what held, who was where when, a row and
//! plots for each call.

use super::plan::Plan;
use super::record::{Record, Sample, Visit};
use super::rules::{self, Broken};
use std::fmt::{self, Write};
use std::time::Duration;
use visavis_wire::channel::Seen;

/// Of the strips and plots, in pixels.
const WIDE: f32 = 900.0;
const LANE: f32 = 22.0;
const PLOT: (f32, f32) = (280.0, 90.0);

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem;color:#222;background:#fbfaf7}\
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse}td,th{padding:.25rem .75rem;text-align:right;\
border-bottom:1px solid #ddd;white-space:nowrap}td:first-child,th:first-child{text-align:left}.bad{color:#a3271f;font-weight:600}.good{color:#27663a}\
svg{display:block;margin:.25rem 0}figure{display:inline-block;margin:.5rem 1rem .5rem 0}figcaption{font-size:.85rem;color:#555}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#1c1b19}td,th{border-color:#444}figcaption{color:#aaa}.bad{color:#f0897f}\
.good{color:#8fce9f}text{fill:#ccc}}";

/// Page of the app, its colour on the strip, and what the legend says.
const COLOURS: [(&str, &str, &str); 4] = [
    ("waiting", "#d8b45a", "waiting"),
    ("match", "#7d9fc4", "offer"),
    ("call", "#5f9e76", "in a call"),
    ("parting", "#b9b3a8", "parting"),
];
const DETAIL: &str = "#2f6b45";
const COVERED: &str = "#b8443a";

/// `name` is the scenario's.
pub fn page(name: &str, plan: &Plan, record: &Record, broken: &[Broken]) -> String {
    let mut html = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut html, name, plan, record, broken);
    html
}

fn write(html: &mut String, name: &str, plan: &Plan, record: &Record, broken: &[Broken]) -> fmt::Result {
    let title = escape(name);
    write!(
        html,
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
    )?;
    writeln!(
        html,
        "<title>Rehearsal: {title}</title><style>{STYLE}</style>\n<h1>Rehearsal: {title}</h1><p>{}.</p>",
        escape(&plan.about)
    )?;
    let there = rules::counts(record);
    writeln!(
        html,
        "<p>{} people, {:.0} s, {} calls; {} in which both saw the other unveiled, {} pairs follow each other, {} times somebody looked covered.</p>",
        record.people.len(),
        record.ended.as_secs_f32(),
        there.calls,
        there.reveals,
        there.follows,
        there.covers
    )?;
    writeln!(html, "<h2>Rules</h2><table>")?;
    for rule in rules::ALL {
        let words: Vec<String> = broken.iter().filter(|broken| broken.rule == rule).map(|broken| escape(&broken.words)).collect();
        let (class, held) = if words.is_empty() { ("good", String::from("held")) } else { ("bad", words.join("<br>")) };
        writeln!(html, "<tr><td>{rule}<td class=\"{class}\">{held}")?;
    }
    writeln!(html, "</table>\n<h2>Who was where</h2>")?;
    strips(html, record)?;
    done(html, record)?;
    waits(html, record)?;
    calls(html, record)?;
    notices(html, record)
}

fn strips(html: &mut String, record: &Record) -> fmt::Result {
    let end = record.ended.as_secs_f32().max(1.0);
    let (left, height) = (110.0, LANE * record.people.len() as f32 + 24.0);
    let x = |at: Duration| left + at.as_secs_f32() / end * (WIDE - left);
    writeln!(html, "<svg width=\"{WIDE}\" height=\"{height}\" role=\"img\" aria-label=\"Pages of each person over time\">")?;
    for (lane, person) in record.people.iter().enumerate() {
        let top = LANE * lane as f32;
        writeln!(html, "<text x=\"0\" y=\"{}\" font-size=\"12\">{}</text>", top + 14.0, escape(&person.identity))?;
        for (number, (from, page)) in person.pages.iter().enumerate() {
            let to = person.pages.get(number + 1).map_or(record.ended, |next| next.0);
            if let Some((_, colour, _)) = COLOURS.iter().find(|known| known.0 == *page) {
                bar(html, [x(*from), x(to)], [top + 3.0, LANE - 8.0], colour)?;
            }
        }
        for visit in &person.visits {
            for [from, to] in spans(&visit.looks, visit.to, |detailed| *detailed) {
                bar(html, [x(from), x(to)], [top + 3.0, LANE - 8.0], DETAIL)?;
            }
            let hidden = |seen: &Seen| !matches!(seen, Seen::Clear | Seen::Unknown);
            for [from, to] in spans(&visit.peer_looks, visit.to, hidden) {
                bar(html, [x(from), x(to)], [top + LANE - 5.0, 4.0], COVERED)?;
            }
        }
    }
    for tick in 0..=10 {
        let at = record.ended.mul_f32(tick as f32 / 10.0);
        let seconds = at.as_secs_f32();
        writeln!(
            html,
            "<text x=\"{}\" y=\"{}\" font-size=\"10\" text-anchor=\"end\">{seconds:.0} s</text>",
            x(at),
            height - 4.0
        )?;
    }
    writeln!(html, "</svg>")?;
    let marks = COLOURS.iter().map(|(_, colour, words)| (*colour, *words));
    write!(html, "<p>")?;
    for (colour, words) in marks.chain([(DETAIL, "sees the other unveiled"), (COVERED, "the other looks covered")]) {
        write!(
            html,
            "<svg width=\"12\" height=\"12\" style=\"display:inline\"><rect width=\"12\" height=\"12\" fill=\"{colour}\"/></svg> {words} &nbsp; "
        )?;
    }
    writeln!(html, "</p>")
}

/// What was stopped and started, and changed.
fn done(html: &mut String, record: &Record) -> fmt::Result {
    if record.done.is_empty() {
        return Ok(());
    }
    writeln!(html, "<h2>What was done</h2><table><tr><th>what<th>at s")?;
    for (at, words) in &record.done {
        writeln!(html, "<tr><td>{}<td>{:.1}", escape(words), at.as_secs_f32())?;
    }
    writeln!(html, "</table>")
}

fn bar(html: &mut String, [from, to]: [f32; 2], [top, height]: [f32; 2], colour: &str) -> fmt::Result {
    let wide = (to - from).max(1.0);
    writeln!(html, "<rect x=\"{from:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{height:.1}\" fill=\"{colour}\"/>")
}

/// The times during which the last value satisfied `holds`.
fn spans<T>(changes: &[(Duration, T)], end: Duration, holds: impl Fn(&T) -> bool) -> Vec<[Duration; 2]> {
    let to = |number: usize| changes.get(number + 1).map_or(end, |next| next.0);
    let holding = changes.iter().enumerate().filter(|(_, change)| holds(&change.1));
    holding.map(|(number, change)| [change.0, to(number)]).collect()
}

fn calls(html: &mut String, record: &Record) -> fmt::Result {
    writeln!(
        html,
        "<h2>Calls</h2><table><tr><th>who<th>with<th>from s<th>lasted s<th>first picture ms<th>revealed s<th>covers<th>freezes<th>frozen ms<th>round trip ms<th>unreadable<th>marks<th>paper<th>games<th>follow<th>the other looked"
    )?;
    let mut shown: Vec<(String, &Visit)> = Vec::new();
    for (_, sides) in record.pairs() {
        for (own, other) in [(sides[0], sides[1]), (sides[1], sides[0])] {
            let visit = record.visit(own);
            let (name, with) = (&record.people[own.0].identity, &record.people[other.0].identity);
            let [name, with] = [name, with].map(|name| escape(name));
            let whole = |value: Option<f32>| value.map_or(String::from("-"), |value| format!("{value:.0}"));
            let seconds = |at: Duration| at.saturating_sub(visit.from).as_secs_f32();
            writeln!(
                html,
                "<tr><td>{name}<td>{with}<td>{:.1}<td>{:.1}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}",
                visit.from.as_secs_f32(),
                visit.lasts().as_secs_f32(),
                whole(visit.first_picture().map(|at| at.as_secs_f32() * 1000.0)),
                visit.revealed.map_or(String::from("-"), |at| format!("{:.1}", seconds(at))),
                visit.covers(),
                visit.freezes,
                visit.frozen_ms,
                whole(median(visit.samples.iter().filter_map(|sample| sample.round_trip_ms))),
                visit.malformed,
                visit.paper.map_or(0, |paper| paper.1),
                // Of both sides, to be compared by eye.
                visit.paper.and_then(|paper| paper.2).map_or(String::from("-"), |hash| format!("{:04x}", hash & 0xffff)),
                results(visit),
                if visit.mutual { "yes" } else { "no" },
                hidden(visit),
            )?;
            shown.push((format!("{name} sees {with}"), visit));
        }
    }
    writeln!(html, "</table>")?;
    for (title, visit) in shown {
        writeln!(html, "<h2>{title}</h2>")?;
        plot(html, visit, "pictures a second", |sample| Some(sample.received_fps))?;
        plot(html, visit, "received, kbit/s", |sample| Some(sample.received_kbps as f32))?;
        plot(html, visit, "round trip, ms", |sample| sample.round_trip_ms)?;
    }
    Ok(())
}

/// Why the other was veiled, and when.
fn hidden(visit: &Visit) -> String {
    let is_hidden = |seen: &Seen| !matches!(seen, Seen::Clear | Seen::Unknown);
    let words = visit.peer_looks.iter().enumerate().filter(|(_, (_, seen))| is_hidden(seen)).map(|(number, (from, seen))| {
        let to = visit.peer_looks.get(number + 1).map_or(visit.to, |next| next.0);
        let [from, to] = [*from, to].map(|at| at.saturating_sub(visit.from).as_secs_f32());
        format!("{} {from:.1}-{to:.1} s", format!("{seen:?}").to_lowercase())
    });
    listed(words)
}

fn results(visit: &Visit) -> String {
    listed(visit.games.iter().map(|(_, name)| escape(name)))
}

fn listed(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    if words.is_empty() { String::from("-") } else { words.join("<br>") }
}

/// From asking to be matched to each offer.
fn waits(html: &mut String, record: &Record) -> fmt::Result {
    writeln!(html, "<h2>Waits</h2><table><tr><th>who<th>offers<th>median s<th>longest s")?;
    for person in record.people.iter().filter(|person| !person.waits.is_empty()) {
        let seconds = || person.waits.iter().map(Duration::as_secs_f32);
        let (middle, longest) = (median(seconds()).unwrap_or_default(), seconds().fold(0.0, f32::max));
        writeln!(html, "<tr><td>{}<td>{}<td>{middle:.1}<td>{longest:.1}", escape(&person.identity), person.waits.len())?;
    }
    writeln!(html, "</table>")
}

fn plot(html: &mut String, visit: &Visit, title: &str, value: impl Fn(&Sample) -> Option<f32>) -> fmt::Result {
    let points: Vec<(f32, f32)> = visit
        .samples
        .iter()
        .filter_map(|sample| Some((sample.at.saturating_sub(visit.from).as_secs_f32(), value(sample)?)))
        .collect();
    let most = points.iter().map(|point| point.1).fold(1.0, f32::max);
    let long = visit.lasts().as_secs_f32().max(1.0);
    let (wide, high) = PLOT;
    write!(html, "<figure><svg width=\"{wide}\" height=\"{high}\" role=\"img\" aria-label=\"{title}\">")?;
    write!(
        html,
        "<path d=\"M0 {high}H{wide}\" stroke=\"#999\"/><polyline fill=\"none\" stroke=\"#4a7db0\" stroke-width=\"1.5\" points=\""
    )?;
    for (at, value) in &points {
        write!(html, "{:.1},{:.1} ", at / long * wide, high - value / most * (high - 12.0))?;
    }
    writeln!(
        html,
        "\"/><text x=\"2\" y=\"10\" font-size=\"10\">{most:.0}</text></svg><figcaption>{title}, {long:.0} s</figcaption></figure>"
    )
}

fn notices(html: &mut String, record: &Record) -> fmt::Result {
    writeln!(html, "<h2>What people were told</h2><table><tr><th>who<th>at s<th>notice")?;
    for person in &record.people {
        for (at, notice) in &person.notices {
            let words = escape(&notice.to_string());
            writeln!(html, "<tr><td>{}<td>{:.1}<td>{words}", escape(&person.identity), at.as_secs_f32())?;
        }
    }
    writeln!(html, "</table></html>")
}

fn median(values: impl Iterator<Item = f32>) -> Option<f32> {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

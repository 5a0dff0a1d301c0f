//! How well what the detector said of labelled clips fits what happened in them. A folder may judge otherwise by a scorer of its
//! own: what is written for each picture is all that one needs.

use serde::Deserialize;
use std::fmt;

/// What happened in a clip, from the first picture that it touches to the first free one; in pictures.
#[derive(Clone, Debug, Deserialize)]
pub struct Event {
    /// `covered`, `partial`, `notlive`, or `noview`, which is neither a hit nor a false alarm.
    pub cls: String,
    pub kind: String,
    pub onset: usize,
    /// First picture with the cover fully in place.
    pub start: usize,
    /// First picture in which it begins to leave.
    pub end: usize,
    pub gone: usize,
}

/// One cover, or one picture that no camera takes.
#[derive(Clone, Debug)]
struct Seen {
    whole: bool,
    kind: String,
    /// Seconds to the first alarm; endless where there was none.
    delay: f64,
    /// Share of the pictures from the alarm to the end of the cover that kept it.
    held: Option<f64>,
    /// Seconds from a free view to the end of the alarm.
    release: Option<f64>,
}

#[derive(Clone, Debug, Default)]
pub struct Score {
    covers: Vec<Seen>,
    not_live: Vec<Seen>,
    false_alarms: usize,
    /// Of open cameras with somebody before them.
    open_seconds: f64,
}

/// Alarms that are less than this apart are one, and a view has been free for as long before an alarm is a false one. Seconds.
const APART: f64 = 1.0;
/// Kinds that are told by the picture alone, and those that take watching; the rest of what is not live is not judged by itself.
const AT_ONCE: [&str; 3] = ["cov_eshutter", "nl_avatar", "nl_black"];
const IN_TIME: [&str; 2] = ["nl_frozen", "nl_photo"];

impl Score {
    /// `words`: what was said of each picture, for as many as came.
    pub fn clip(&mut self, category: &str, fps: u32, events: &[Event], words: &[&str]) {
        let fps = f64::from(fps.max(1));
        let alarms: Vec<bool> = words.iter().map(|word| ["covered", "partial", "notlive"].contains(word)).collect();
        let mut open = vec![true; alarms.len()];
        for event in events.iter().filter(|event| event.cls != "noview") {
            let over = (event.gone + fps as usize).min(open.len());
            open.get_mut(event.onset.min(over)..over).into_iter().flatten().for_each(|open| *open = false);
            // Less than half is no cover that must be told, nor an open camera.
            if category == "partial30" {
                continue;
            }
            let seen = seen(event, &alarms, fps, !category.starts_with("partial"));
            if event.cls == "notlive" { &mut self.not_live } else { &mut self.covers }.push(seen);
        }
        // An empty room has no one to warn of, so that what is said of it is counted elsewhere.
        if !category.starts_with("nv_") {
            self.open_seconds += open.iter().filter(|open| **open).count() as f64 / fps;
            let mut last = None;
            for (at, _) in alarms.iter().zip(&open).enumerate().filter(|(_, (alarm, open))| **alarm && **open) {
                self.false_alarms += usize::from(last.is_none_or(|last| (at - last) as f64 > APART * fps));
                last = Some(at);
            }
        }
    }

    fn told(&self, kinds: &[&str], within: f64) -> (usize, usize) {
        let of_kind = |seen: &&Seen| kinds.contains(&seen.kind.as_str());
        let all: Vec<&Seen> = self.covers.iter().chain(&self.not_live).filter(of_kind).collect();
        (all.iter().filter(|seen| seen.delay <= within).count(), all.len())
    }
}

fn seen(event: &Event, alarms: &[bool], fps: f64, whole: bool) -> Seen {
    let end = event.end.min(alarms.len());
    // An alarm that runs on from before is none of this cover, unless it stops first.
    let before = event.onset.checked_sub(1).and_then(|at| alarms.get(at)).is_some_and(|alarm| *alarm);
    let armed = if before { (event.onset..end).find(|at| !alarms[*at]) } else { Some(event.onset) };
    let first = armed.and_then(|armed| (armed..end).find(|at| alarms[*at]));
    let released = (event.gone..alarms.len()).find(|at| !alarms[*at]);
    Seen {
        whole,
        kind: event.kind.clone(),
        delay: first.map_or(f64::INFINITY, |first| first.saturating_sub(event.start) as f64 / fps),
        held: first.map(|first| alarms[first..end].iter().filter(|alarm| **alarm).count() as f64 / (end - first) as f64),
        release: released.filter(|_| first.is_some()).map(|at| (at - event.gone) as f64 / fps),
    }
}

/// The value that so large a share does not exceed.
fn percentile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = ((share * values.len() as f64).ceil() as usize).saturating_sub(1);
    values.get(at).copied().unwrap_or(f64::NAN)
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let delays = |share| percentile(self.covers.iter().map(|seen| seen.delay).collect(), share);
        let share = |(told, of): (usize, usize)| told as f64 / of.max(1) as f64;
        let in_time = (self.covers.iter().filter(|seen| seen.delay <= 1.0).count(), self.covers.len());
        let whole: Vec<&Seen> = self.covers.iter().filter(|seen| seen.whole).collect();
        let held: Vec<f64> = self.covers.iter().filter_map(|seen| seen.held).collect();
        let releases: Vec<f64> = self.covers.iter().filter_map(|seen| seen.release).collect();
        writeln!(
            f,
            "covers: alarmed within 1 s {:.3} of {}, delay p50 {:.2} s, p95 {:.2} s, held {:.3}, release p95 {:.2} s",
            share(in_time),
            in_time.1,
            delays(0.5),
            delays(0.95),
            held.iter().sum::<f64>() / held.len().max(1) as f64,
            percentile(releases, 0.95),
        )?;
        let whole = (whole.iter().filter(|seen| seen.delay <= 1.0).count(), whole.len());
        writeln!(f, "whole covers: alarmed within 1 s {:.3} of {}", share(whole), whole.1)?;
        let (at_once, watched) = (self.told(&AT_ONCE, 1.0), self.told(&IN_TIME, 5.0));
        writeln!(f, "electronic shutter, avatar, black: within 1 s {:.3} of {}", share(at_once), at_once.1)?;
        writeln!(f, "frozen and photo: within 5 s {:.3} of {}", share(watched), watched.1)?;
        let hours = self.open_seconds / 3600.0;
        write!(
            f,
            "open cameras: {:.1} false alarms an hour, {} in {hours:.2} hours",
            self.false_alarms as f64 / hours,
            self.false_alarms
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(cls: &str, onset: usize, start: usize, end: usize, gone: usize) -> Event {
        Event { cls: cls.into(), kind: format!("nl_{cls}"), onset, start, end, gone }
    }

    /// `c`: covered, `n`: not live, anything else: clear.
    fn words(said: &str) -> Vec<&'static str> {
        said.chars()
            .map(|word| match word {
                'c' => "covered",
                'n' => "notlive",
                _ => "clear",
            })
            .collect()
    }

    #[test]
    fn a_cover_is_told_held_and_released() {
        let mut score = Score::default();
        // At ten pictures a second: touches at 5, is there at 8, leaves from 20 on, gone at 22.
        score.clip("cov_hand", 10, &[event("covered", 5, 8, 20, 22)], &words("..........cccc.ccccccccc...............cc"));
        let text = score.to_string();
        assert!(text.contains("within 1 s 1.000 of 1, delay p50 0.20 s, p95 0.20 s, held 0.900, release p95 0.20 s"), "{text}");
        assert!(text.contains("1 in 0.00 hours"), "{text}");
    }

    #[test]
    fn an_alarm_from_before_is_no_hit_unless_it_stops() {
        let mut score = Score::default();
        score.clip("cov_hand", 10, &[event("covered", 5, 8, 20, 22)], &words("cccccccccccccccccccccc"));
        score.clip("partial50", 10, &[event("partial", 5, 8, 20, 22)], &words("ccccccccccc.cccccccccc"));
        let text = score.to_string();
        assert!(text.contains("within 1 s 0.500 of 2, delay p50 0.40 s, p95 inf s"), "{text}");
        assert!(text.contains("whole covers: alarmed within 1 s 0.000 of 1"), "{text}");
        assert!(text.contains(" 2 in 0.00 hours"), "{text}");
    }

    #[test]
    fn empty_rooms_and_slight_covers_are_judged_by_nobody() {
        let mut score = Score::default();
        score.clip("nv_empty", 10, &[event("noview", 0, 0, 30, 30)], &words(&"c".repeat(30)));
        score.clip("partial30", 10, &[event("partial", 0, 0, 20, 20)], &words(&"c".repeat(30)));
        assert_eq!((score.covers.len(), score.false_alarms), (0, 0));
        score.clip("nl_frozen", 10, &[event("frozen", 0, 0, 80, 80)], &words(&format!("{}{}", ".".repeat(49), "n".repeat(31))));
        assert!(score.to_string().contains("frozen and photo: within 5 s 1.000 of 1"), "{score}");
    }
}

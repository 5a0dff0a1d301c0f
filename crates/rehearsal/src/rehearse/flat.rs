//! Whether a long evening stays as it is: memory, threads, descriptors and round trips, judged by their slope after a time of warming up.
//! A single high value proves nothing; a rise that goes on does.

use super::plan::Flat;
use super::record::Record;
use crate::processes;
use serde::Serialize;
use std::fs;
use std::time::Duration;

/// What everything of the evening held at one moment: this program with the server and all people without windows, and each window.
#[derive(Clone, Debug, Serialize)]
pub struct Held {
    pub at: Duration,
    /// `None` for this program, else the person whose window it is.
    pub window: Option<usize>,
    pub private_kib: u64,
    pub threads: u64,
    pub descriptors: u64,
}

/// Of a process and what it started; nothing where there is no `/proc`.
pub fn held(at: Duration, window: Option<usize>, root: u32) -> Option<Held> {
    // A window is started by this program and counts for itself.
    let own = if window.is_none() { vec![root] } else { processes::family(root) };
    let mut held = Held { at, window, private_kib: 0, threads: 0, descriptors: 0 };
    for id in own {
        held.descriptors += fs::read_dir(format!("/proc/{id}/fd")).map_or(0, |files| files.count() as u64);
        let cost = processes::cost_of(id);
        held.private_kib += cost.private_kib;
        held.threads += cost.threads;
    }
    (held.threads > 0).then_some(held)
}

/// One measure over the evening.
#[derive(Clone, Debug, Serialize)]
pub struct Course {
    pub name: String,
    pub median: f64,
    /// By the slope, from the end of warming up to the end.
    pub rise: f64,
    pub allowed: f64,
    pub samples: usize,
}

impl Course {
    pub fn is_flat(&self) -> bool {
        self.rise <= self.allowed
    }
}

/// Fewer tell nothing.
const LEAST: usize = 8;
/// What is always allowed: MiB, threads, descriptors, milliseconds.
const FLOORS: [f64; 4] = [16.0, 4.0, 8.0, 5.0];

pub fn courses(flat: &Flat, held: &[Held], record: &Record) -> Vec<Course> {
    let warm = Duration::from_secs_f64(flat.warm_up_s);
    let mut windows: Vec<Option<usize>> = held.iter().map(|held| held.window).collect();
    windows.sort_unstable();
    windows.dedup();
    let mut courses = Vec::new();
    for window in windows {
        let whose = match window.and_then(|who| record.people.get(who)) {
            Some(person) => format!("window of {}", person.identity),
            None => String::from("server and people"),
        };
        let of = |value: fn(&Held) -> f64| -> Vec<(f64, f64)> {
            let held = held.iter().filter(|held| held.window == window && held.at >= warm);
            held.map(|held| (held.at.as_secs_f64(), value(held))).collect()
        };
        let measures: [(&str, Vec<(f64, f64)>); 3] = [
            ("private memory, MiB", of(|held| held.private_kib as f64 / 1024.0)),
            ("threads", of(|held| held.threads as f64)),
            ("descriptors", of(|held| held.descriptors as f64)),
        ];
        for ((name, points), floor) in measures.into_iter().zip(FLOORS) {
            courses.extend(course(format!("{whose}: {name}"), &points, floor, flat.rise_percent));
        }
    }
    let visits = record.people.iter().flat_map(|person| &person.visits);
    let samples = visits.flat_map(|visit| &visit.samples).filter(|sample| sample.at >= warm);
    let points: Vec<(f64, f64)> =
        samples.filter_map(|sample| Some((sample.at.as_secs_f64(), f64::from(sample.round_trip_ms?)))).collect();
    courses.extend(course(String::from("calls: round trip, ms"), &points, FLOORS[3], flat.rise_percent));
    courses
}

fn course(name: String, points: &[(f64, f64)], floor: f64, percent: f64) -> Option<Course> {
    if points.len() < LEAST {
        return None;
    }
    let length = points.iter().map(|point| point.0).fold(f64::MIN, f64::max) - points[0].0;
    let median = median(points.iter().map(|point| point.1).collect());
    let rise = slope(points) * length;
    Some(Course { name, median, rise, allowed: floor.max(median * percent / 100.0), samples: points.len() })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// After Theil and Sen: the median slope of pairs, so that a few outliers do not matter. Of many points only some.
fn slope(points: &[(f64, f64)]) -> f64 {
    const MOST: usize = 300;
    let step = points.len().div_ceil(MOST);
    let mut points: Vec<(f64, f64)> = points.iter().step_by(step).copied().collect();
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut slopes = Vec::new();
    for (at, one) in points.iter().enumerate() {
        for other in &points[at + 1..] {
            if other.0 - one.0 > 1.0 {
                slopes.push((other.1 - one.1) / (other.0 - one.0));
            }
        }
    }
    if slopes.is_empty() { 0.0 } else { median(slopes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(value: impl Fn(u64) -> u64) -> Vec<Course> {
        let held: Vec<Held> = (0..60)
            .map(|at| Held {
                at: Duration::from_secs(5 * at),
                window: None,
                private_kib: value(at),
                threads: 90,
                descriptors: 200 + at % 5,
            })
            .collect();
        courses(&Flat { warm_up_s: 60.0, rise_percent: 5.0 }, &held, &Record::default())
    }

    #[test]
    fn a_rise_that_goes_on_is_told_from_one_that_ends_and_from_noise() {
        let steady = judged(|at| 300_000 + if at < 10 { at * 20_000 } else { 200_000 } + at % 7 * 1500);
        assert_eq!(steady.len(), 3);
        assert!(steady.iter().all(Course::is_flat), "{steady:?}");
        // 0.7 MiB every five seconds: 34 MiB over the rest of the evening.
        let leaks = judged(|at| 500_000 + at * 720);
        let flat: Vec<bool> = leaks.iter().map(Course::is_flat).collect();
        assert_eq!(flat, [false, true, true], "{leaks:?}");
        let spike = judged(|at| if at == 40 { 5_000_000 } else { 500_000 });
        assert!(spike.iter().all(Course::is_flat), "{spike:?}");
    }

    #[test]
    fn this_process_holds_something() {
        match held(Duration::ZERO, None, std::process::id()) {
            Some(held) => assert!(held.private_kib > 100 && held.descriptors > 2, "{held:?}"),
            None if cfg!(target_os = "linux") => panic!("nothing was read"),
            None => println!("LEFT OUT: there is no /proc here"),
        }
    }
}

//! What must hold after any evening, and what a plan expects of its own. Judged by what the people saw and were told, not by what
//! the server believes.

use super::plan::{Guest, Plan};
use super::record::{Record, Visit};
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::Duration;
use visavis_wire::channel::Seen;

/// Between a picture and the message about it, which travel apart.
const APART: Duration = Duration::from_secs(1);
/// From sending what nobody can read to the other's next figures: what was sent before it is read at the channel's own rate.
const COUNTED: Duration = Duration::from_secs(4);
/// A call so short may have ended before the other side had anything of it, or both the same paper.
const SHORT: Duration = Duration::from_secs(6);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    TwoToACall,
    NoRepeat,
    FollowsNeedTwoYes,
    VeiledUntilBothAgree,
    VeiledWhileHidden,
    HiddenIsSeen,
    NonsenseEndsNoCall,
    NonsenseIsCounted,
    SamePaper,
    NobodyIsLost,
    NoNameLeaks,
    NoAddressLeaks,
    NoOrphans,
    StaysFlat,
    Expected,
}

pub const ALL: [Rule; 15] = [
    Rule::TwoToACall,
    Rule::NoRepeat,
    Rule::FollowsNeedTwoYes,
    Rule::VeiledUntilBothAgree,
    Rule::VeiledWhileHidden,
    Rule::HiddenIsSeen,
    Rule::NonsenseEndsNoCall,
    Rule::NonsenseIsCounted,
    Rule::SamePaper,
    Rule::NobodyIsLost,
    Rule::NoNameLeaks,
    Rule::NoAddressLeaks,
    Rule::NoOrphans,
    Rule::StaysFlat,
    Rule::Expected,
];

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TwoToACall => "every call has two sides",
            Self::NoRepeat => "no pair is matched again",
            Self::FollowsNeedTwoYes => "nobody follows without two yes",
            Self::VeiledUntilBothAgree => "no unveiled picture before both agreed",
            Self::VeiledWhileHidden => "nobody whose camera is hidden sees the other unveiled",
            Self::HiddenIsSeen => "a camera that is hidden is noticed by the other",
            Self::NonsenseEndsNoCall => "a call goes on whatever the other sends",
            Self::NonsenseIsCounted => "whatever cannot be read is counted by whom it was sent to",
            Self::NoNameLeaks => "the server sends nobody's name but to those who follow them",
            Self::NoAddressLeaks => "the server sends nobody's address",
            Self::NoOrphans => "nothing is left of a session that is over",
            Self::StaysFlat => "memory, threads, descriptors and round trips stay as they are",
            Self::SamePaper => "both papers are the same at the end",
            Self::NobodyIsLost => "everybody got in, and waited only for others",
            Self::Expected => "what the scenario is for has happened",
        })
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Broken {
    pub rule: Rule,
    pub words: String,
}

/// Everything that did not hold.
pub fn check(plan: &Plan, guests: &[Guest], record: &Record) -> Vec<Broken> {
    let mut broken = Vec::new();
    let mut say = |rule, words| broken.push(Broken { rule, words });
    let name = |who: usize| record.people[who].identity.as_str();
    for call in &record.calls {
        let people: HashSet<usize> = call.sides.iter().map(|side| side.0).collect();
        let alone = call.sides.len() == 1 && is_alone(record, record.visit(call.sides[0]));
        if alone || call.sides.len() > 2 || people.len() != call.sides.len() {
            let names: Vec<&str> = call.sides.iter().map(|side| name(side.0)).collect();
            say(Rule::TwoToACall, format!("the call {:?} has the sides {names:?}", call.fingerprint));
        }
    }
    let met: HashMap<(usize, usize), usize> = record.pairs().flat_map(|(_, [a, b])| [(a, b.0), (b, a.0)]).collect();
    for (_, [a, b]) in record.pairs() {
        let resumed = record.visit(a).resumed || record.visit(b).resumed;
        if !resumed && (met_lately(&met, a, b.0, plan.recent_partners) || met_lately(&met, b, a.0, plan.recent_partners)) {
            say(Rule::NoRepeat, format!("{} and {} met again too soon", name(a.0), name(b.0)));
        }
        let agrees = |who: usize| guests[who].manner.follows;
        if [a, b].iter().any(|side| record.visit(*side).mutual) && !(agrees(a.0) && agrees(b.0)) {
            say(Rule::FollowsNeedTwoYes, format!("{} and {} follow each other, but one said no", name(a.0), name(b.0)));
        }
        let veiled = guests[a.0].manner.stays_veiled || guests[b.0].manner.stays_veiled;
        let told = [a, b].iter().filter_map(|side| told_of_reveal(record, *side)).min().filter(|_| !veiled);
        for side in [a, b] {
            if let Some(at) = unveiled_too_early(record.visit(side), told) {
                say(Rule::VeiledUntilBothAgree, format!("{} saw an unveiled picture at {:.1} s", name(side.0), at.as_secs_f32()));
            }
        }
        for (own, other) in [(a, b), (b, a)] {
            for (rule, words) in hidden(&guests[own.0], record.visit(own), record.visit(other)) {
                say(rule, format!("{}, of {}", words, name(own.0)));
            }
        }
        for (own, other) in [(a, b), (b, a)].into_iter().filter(|(own, _)| guests[own.0].manner.malformed) {
            if let Some(words) = ended_early(&guests[own.0], record, own) {
                say(Rule::NonsenseEndsNoCall, format!("{}: {words}", name(own.0)));
            }
            if let Some(words) = uncounted(record.visit(own), record.visit(other)) {
                say(Rule::NonsenseIsCounted, format!("{}: {words}", name(other.0)));
            }
        }
        // A game may hide from each what the other draws.
        let plays = guests[a.0].manner.plays && guests[b.0].manner.plays;
        let floods = guests[a.0].manner.floods || guests[b.0].manner.floods;
        if let Some(words) = papers_differ([record.visit(a), record.visit(b)]).filter(|_| !plays && !floods) {
            say(Rule::SamePaper, format!("{} and {}: {words}", name(a.0), name(b.0)));
        }
    }
    for person in &record.people {
        let page = person.pages.last().map_or("none", |(_, page)| page);
        if ["none", "starting", "welcome", "signing_in"].contains(&page) {
            say(Rule::NobodyIsLost, format!("{} ended on the page {page}", person.identity));
        }
    }
    for (who, of) in &record.sent.names {
        if !record.sent.follows.values().any(|told| told.contains(who) && told.contains(of)) {
            say(Rule::NoNameLeaks, format!("{} was sent the name of {}", name(*who), name(*of)));
        }
    }
    for told in record.sent.follows.values() {
        if told.iter().any(|who| !guests[*who].manner.follows) {
            let names: Vec<&str> = told.iter().map(|who| name(*who)).collect();
            say(Rule::FollowsNeedTwoYes, format!("{names:?} were told that they follow each other, but one said no"));
        }
    }
    for who in &record.sent.relayed {
        say(Rule::NoNameLeaks, format!("the name of {} went through the relay in the clear", name(*who)));
    }
    for (who, address) in &record.sent.addresses {
        say(Rule::NoAddressLeaks, format!("{} was sent {address:?}", name(*who)));
    }
    for words in &record.left_over {
        say(Rule::NoOrphans, words.clone());
    }
    for course in record.courses.iter().filter(|course| !course.is_flat()) {
        say(Rule::StaysFlat, format!("{} rises by {:.1} over {:.1}", course.name, course.rise, course.median));
    }
    if plan.flat.is_some() && record.courses.is_empty() {
        say(Rule::StaysFlat, String::from("nothing was measured for long enough"));
    }
    for words in missing(plan, record) {
        say(Rule::Expected, words);
    }
    broken
}

/// Of one whom nobody is seen to be with, though nobody's app ended meanwhile.
fn is_alone(record: &Record, visit: &Visit) -> bool {
    visit.lasts() > SHORT && !record.somebody_vanished(visit.from.saturating_sub(SHORT), visit.to + APART)
}

/// From hiding a camera to the other's veil, seconds: evidence, the report, and what was on its way.
fn veils_within(is: &str) -> f32 {
    match is {
        // Two seconds are recorded; only when they have come back for a while is it a loop.
        "loop" => 9.0,
        "frozen" => 8.0,
        _ => 3.0,
    }
}

/// What was wrong while a camera was hidden: `own` is its owner's side, `other` the one who looked at it.
fn hidden(guest: &Guest, own: &Visit, other: &Visit) -> Vec<(Rule, String)> {
    let mut wrong = Vec::new();
    for does in guest.manner.camera_does() {
        let at = |seconds: f32| own.from + Duration::from_secs_f32(seconds);
        let (from, veiled, to) = (at(does.from_s), at(does.from_s + veils_within(&does.is)), at(does.to_s));
        let end = own.to.min(other.to);
        // Too short to be held against anybody, or not reached.
        if to <= veiled || to > end {
            continue;
        }
        let clear = own.looks.iter().take_while(|(at, _)| *at <= veiled).last().is_some_and(|(_, detailed)| *detailed);
        if clear || own.looks.iter().any(|(at, detailed)| *detailed && (veiled..to).contains(at)) {
            wrong.push((Rule::VeiledWhileHidden, format!("the other was unveiled while the camera was {}", does.is)));
        }
        let noticed =
            |(at, seen): &(Duration, Seen)| (from..to + APART).contains(at) && !matches!(seen, Seen::Clear | Seen::Unknown);
        if !other.peer_looks.iter().any(noticed) {
            wrong.push((Rule::HiddenIsSeen, format!("the other did not notice a camera that was {}", does.is)));
        }
    }
    wrong
}

/// Who sends nonsense ends the call; whatever else ends it is the other's fault.
fn ended_early(guest: &Guest, record: &Record, own: (usize, usize)) -> Option<String> {
    let (visit, stays) = (record.visit(own), Duration::from_secs_f64(guest.manner.leaves_after_s.unwrap_or(0.0)));
    let early = visit.lasts() + APART < stays && visit.to < record.ended;
    early.then(|| format!("the call ended after {:.1} of {:.1} s", visit.lasts().as_secs_f32(), stays.as_secs_f32()))
}

/// Whether this visit's partner was met in one of so many visits before. `met`: whom each met, by person and visit.
fn met_lately(met: &HashMap<(usize, usize), usize>, (who, visit): (usize, usize), partner: usize, reach: u32) -> bool {
    (visit.saturating_sub(reach as usize)..visit).any(|before| met.get(&(who, before)) == Some(&partner))
}

/// What `own` sent and `other` did not count, though there was time. One who has no figures at all had no call worth speaking of.
fn uncounted(own: &Visit, other: &Visit) -> Option<String> {
    let last = other.samples.last()?.at;
    let sent = own.unreadable.iter().take_while(|(at, _)| *at + COUNTED < last).last().map_or(0, |(_, sent)| *sent);
    (other.malformed < sent).then(|| format!("{} messages were counted of {sent} that cannot be read", other.malformed))
}

/// When the server first said to this side, in this call, that both agreed.
fn told_of_reveal(record: &Record, side: (usize, usize)) -> Option<Duration> {
    let visit = record.visit(side);
    record.sent.reveals.get(&side.0)?.iter().copied().find(|at| (visit.from..=visit.to).contains(at))
}

/// `told`: when either of the two was told that both had agreed. Pictures that follow from it are seen later.
fn unveiled_too_early(visit: &Visit, told: Option<Duration>) -> Option<Duration> {
    let early = |at: Duration| told.is_none_or(|told| at < told);
    visit.looks.iter().find(|(at, detailed)| *detailed && early(*at)).map(|(at, _)| *at)
}

/// Papers are compared where the call was long enough, and nothing was drawn in its last moments.
fn papers_differ(visits: [&Visit; 2]) -> Option<String> {
    let end = visits[0].to.min(visits[1].to);
    let [one, other] = visits.map(|visit| visit.paper.filter(|_| visit.lasts() > SHORT).filter(|paper| paper.0 + APART < end));
    let (one, other) = (one?, other?);
    let same = one.2.is_none() || other.2.is_none() || (one.1, one.2) == (other.1, other.2);
    (!same).then(|| format!("{} and {} marks, hashes {:?} and {:?}", one.1, other.1, one.2, other.2))
}

/// What there was of that which plans expect.
pub fn counts(record: &Record) -> super::plan::Expect {
    let both = |holds: &dyn Fn(&Visit) -> bool| {
        record.pairs().filter(|(_, sides)| sides.iter().all(|side| holds(record.visit(*side)))).count()
    };
    super::plan::Expect {
        calls: both(&|visit| !visit.looks.is_empty()),
        follows: record.sent.follows.values().filter(|told| told.len() == 2).count(),
        covers: record.people.iter().flat_map(|person| &person.visits).map(Visit::covers).sum(),
        reveals: both(&Visit::saw_detail),
        games: record
            .pairs()
            .map(|(_, sides)| sides.map(|side| record.visit(side).games.len()).into_iter().min().unwrap_or(0))
            .sum(),
        malformed: record.people.iter().flat_map(|person| &person.visits).map(|visit| visit.malformed as usize).sum(),
    }
}

fn missing(plan: &Plan, record: &Record) -> Vec<String> {
    let (there, wanted) = (counts(record), plan.expect);
    let rows = [
        ("calls", there.calls, wanted.calls),
        ("follows", there.follows, wanted.follows),
        ("covers", there.covers, wanted.covers),
        ("reveals", there.reveals, wanted.reveals),
        ("games", there.games, wanted.games),
        ("unreadable messages", there.malformed, wanted.malformed),
    ];
    rows.into_iter().filter(|row| row.1 < row.2).map(|(what, there, wanted)| format!("{there} {what} of {wanted}")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::{event, page, sight};
    use super::super::record::{Event, VANISHED};
    use super::*;
    use crate::bot::Report;

    const PLAN: &str = "about = \"\"\nseconds = 60\n[[people]]\ncount = 2\n[expect]\ncalls = 1\n";

    /// Two people in one call that goes well.
    fn well() -> Vec<Event> {
        let mut events = Vec::new();
        for who in 0..2 {
            events.extend([page(0, who, "waiting"), page(100, who, "match"), page(1000, who, "call")]);
            events.push(event(1100, who, Report::Fingerprint { pictures: [7; 4] }));
            events.push(event(1200, who, Report::Look { detailed: false }));
            events.push(sight(3000, who, Seen::Clear, true));
            events.push(event(3100, who, Report::Look { detailed: true }));
            events.push(event(4000, who, Report::Strokes { visible: 5, hash: Some(9) }));
            events.push(page(12_000, who, "parting"));
            events.push(event(12_100, who, Report::Mutual));
        }
        events
    }

    /// The server said of a reveal when both sides knew.
    fn record(guests: &[Guest], events: &[Event]) -> Record {
        let mut record = Record::of(guests.iter().map(|guest| guest.identity.clone()), events, Duration::from_secs(60));
        for event in events.iter().filter(|event| matches!(event.what, Report::Sight { revealed: true, .. })) {
            record.sent.reveals.entry(event.who).or_default().push(event.at);
        }
        record
    }

    fn judged(plan: &str, events: &[Event]) -> Vec<Rule> {
        let plan = Plan::parse(plan).unwrap();
        let guests = plan.guests().unwrap();
        check(&plan, &guests, &record(&guests, events)).into_iter().map(|broken| broken.rule).collect()
    }

    #[test]
    fn a_name_may_reach_those_who_follow_each_other_alone() {
        let plan = Plan::parse(&PLAN.replace("count = 2", "count = 3").replace("calls = 1", "calls = 0")).unwrap();
        let guests = plan.guests().unwrap();
        let mut events = well();
        events.push(page(0, 2, "waiting"));
        let mut record = record(&guests, &events);
        record.sent.names = [(0, 1), (1, 0)].into();
        record.sent.follows = [(String::from("met"), [0, 1].into())].into();
        assert!(check(&plan, &guests, &record).is_empty());
        record.sent.follows = [(String::from("met"), [0].into()), (String::from("other"), [1].into())].into();
        assert_eq!(check(&plan, &guests, &record).len(), 2, "each was told of another");
        record.sent.follows = [(String::from("met"), [0, 1].into())].into();
        let mut refuses = guests.clone();
        refuses[1].manner.follows = false;
        let broken: Vec<Rule> = check(&plan, &refuses, &record).into_iter().map(|broken| broken.rule).collect();
        assert_eq!(broken, [Rule::FollowsNeedTwoYes; 2]);
        record.sent.names.insert((2, 0));
        let broken = check(&plan, &guests, &record);
        assert!(matches!(&broken[..], [Broken { rule: Rule::NoNameLeaks, words }] if words.contains("guest-3")), "{broken:?}");
        record.sent.names.clear();
        record.sent.addresses.insert((1, String::from("typ host")));
        record.left_over.push(String::from("server 1: visavis_sockets 2"));
        let broken: Vec<Rule> = check(&plan, &guests, &record).into_iter().map(|broken| broken.rule).collect();
        assert_eq!(broken, [Rule::NoAddressLeaks, Rule::NoOrphans]);
        record.sent.relayed.insert(0);
        assert_eq!(check(&plan, &guests, &record)[0].rule, Rule::NoNameLeaks);
    }

    fn with(change: impl Fn(&mut Event)) -> Vec<Event> {
        let mut events = well();
        events.iter_mut().for_each(change);
        events
    }

    #[test]
    fn a_good_evening_breaks_no_rule() {
        assert_eq!(judged(PLAN, &well()), []);
    }

    #[test]
    fn who_has_met_enough_others_since_may_be_met_again() {
        let met = HashMap::from([((0, 0), 1), ((0, 1), 2), ((0, 2), 1)]);
        assert!(met_lately(&met, (0, 2), 1, 2) && met_lately(&met, (0, 2), 1, 16));
        assert!(!met_lately(&met, (0, 2), 1, 1) && !met_lately(&met, (0, 2), 1, 0) && !met_lately(&met, (0, 0), 1, 16));
    }

    #[test]
    fn each_rule_can_be_broken() {
        let others_call = with(|event| match &mut event.what {
            Report::Fingerprint { pictures } if event.who == 1 => *pictures = [8; 4],
            _ => {}
        });
        assert_eq!(judged(PLAN, &others_call), [Rule::TwoToACall, Rule::TwoToACall, Rule::Expected]);
        let mut vanished = others_call.clone();
        vanished.push(page(12_300, 1, VANISHED));
        assert_eq!(judged(PLAN, &vanished), [Rule::Expected], "who vanished may have had a call of their own");
        let again: Vec<Event> = well()
            .into_iter()
            .chain(with(|event| {
                event.at += Duration::from_secs(20);
                if let Report::Fingerprint { pictures } = &mut event.what {
                    *pictures = [9; 4];
                }
            }))
            .collect();
        assert_eq!(judged(PLAN, &again), [Rule::NoRepeat]);
        let put_back: Vec<Event> = again
            .into_iter()
            .filter(|event| event.at < Duration::from_secs(15) || !matches!(event.what, Report::Page { page: "match" }))
            .collect();
        assert_eq!(judged(PLAN, &put_back), []);
        assert_eq!(judged(&PLAN.replace("[expect]", "follows = false\n[expect]"), &well()), [Rule::FollowsNeedTwoYes]);
        let veiled = PLAN.replace("[expect]", "stays_veiled = true\n[expect]");
        assert_eq!(judged(&veiled, &well()), [Rule::VeiledUntilBothAgree; 2]);
        let late = |of: usize| {
            with(move |event| {
                if matches!(event.what, Report::Sight { .. }) && event.who <= of {
                    event.at += Duration::from_secs(3);
                }
            })
        };
        assert_eq!(judged(PLAN, &late(0)), [], "the other side was told already");
        assert_eq!(judged(PLAN, &late(1)), [Rule::VeiledUntilBothAgree; 2]);
        let blot = with(|event| match &mut event.what {
            Report::Strokes { hash, .. } if event.who == 0 => *hash = Some(1),
            _ => {}
        });
        assert_eq!(judged(PLAN, &blot), [Rule::SamePaper]);
        let hides = PLAN.replace("[expect]", "camera_does = [{ is = \"dark\", from_s = 4, to_s = 9 }]\n[expect]");
        assert_eq!(
            judged(&hides, &well()),
            [Rule::VeiledWhileHidden, Rule::HiddenIsSeen, Rule::VeiledWhileHidden, Rule::HiddenIsSeen]
        );
        let noticed = (0..2).flat_map(|who| {
            let look = |ms, detailed| event(ms, who, Report::Look { detailed });
            [sight(5600, who, Seen::Dark, true), look(5700, false), sight(10_600, who, Seen::Clear, true), look(10_900, true)]
        });
        let mut fair: Vec<Event> = well().into_iter().chain(noticed).collect();
        fair.sort_by_key(|event| event.at);
        assert_eq!(judged(&hides, &fair), []);
        let nonsense = PLAN.replace("[expect]", "malformed = true\nleaves_after_s = 10\n[expect]");
        assert_eq!(judged(&nonsense, &well()), []);
        let cut = nonsense.replace("leaves_after_s = 10", "leaves_after_s = 20");
        assert_eq!(judged(&cut, &well()), [Rule::NonsenseEndsNoCall; 2]);
        let figures = |ms, who, malformed| {
            let statistics = visavis_call::Statistics { malformed, ..visavis_call::Statistics::default() };
            event(ms, who, Report::Statistics { statistics })
        };
        let sends = [event(2500, 0, Report::Unreadable { sent: 40 }), figures(9000, 1, 40)];
        let mut counted: Vec<Event> = well().into_iter().chain(sends).collect();
        counted.sort_by_key(|event| event.at);
        assert_eq!(judged(&nonsense, &counted), []);
        for event in &mut counted {
            if let Report::Statistics { statistics } = &mut event.what {
                statistics.malformed = 39;
            }
        }
        assert_eq!(judged(&nonsense, &counted), [Rule::NonsenseIsCounted]);
        assert_eq!(judged(&PLAN.replace("calls = 1", "malformed = 1"), &well()), [Rule::Expected]);
        assert_eq!(judged(PLAN, &[]), [Rule::NobodyIsLost, Rule::NobodyIsLost, Rule::Expected]);
    }
}

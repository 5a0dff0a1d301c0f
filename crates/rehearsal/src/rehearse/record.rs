//! What the people of an evening reported, put together: for each person the pages and calls, for each call its two sides.

use super::flat::Course;
use super::tap::Sent;
use crate::bot::Report;
use serde::Serialize;
use std::time::Duration;
use visavis_games::{GameView, Scene};
use visavis_wire::channel::Seen;

/// In place of a page: the app ended without a word.
pub const VANISHED: &str = "vanished";

/// Something that was reported, by the number of the person.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// Since the evening began.
    pub at: Duration,
    pub who: usize,
    #[serde(flatten)]
    pub what: Report,
}

/// The figures of one second of a call.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Sample {
    pub at: Duration,
    pub round_trip_ms: Option<f32>,
    pub received_kbps: u32,
    pub received_fps: f32,
    pub loss_percent: f32,
    pub target_kbps: u32,
}

/// One person's side of a call.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Visit {
    pub from: Duration,
    pub to: Duration,
    /// Not after an offer: an app that was killed is put back into its match.
    pub resumed: bool,
    /// The same for both sides of a call, and for no other.
    pub fingerprint: Option<[u8; 4]>,
    /// Times at which pictures began, or turned from a mosaic to detail or back.
    pub looks: Vec<(Duration, bool)>,
    /// Since when both agreed to see each other, as this side knew.
    pub revealed: Option<Duration>,
    /// Changes of what the peer looks like.
    pub peer_looks: Vec<(Duration, Seen)>,
    pub samples: Vec<Sample>,
    /// Of the whole call.
    pub freezes: u32,
    pub frozen_ms: u32,
    pub malformed: u32,
    /// Of somebody who breaks the rules: what nobody can read and surely arrives, as it went out.
    pub unreadable: Vec<(Duration, u32)>,
    /// When the paper last changed, how many marks it showed, and their hash where one could be made.
    pub paper: Option<(Duration, usize, Option<u64>)>,
    /// That ended, by their names and results.
    pub games: Vec<(Duration, String)>,
    /// Both said that they want to follow each other.
    pub mutual: bool,
}

impl Visit {
    pub fn first_picture(&self) -> Option<Duration> {
        self.looks.first().map(|(at, _)| at.saturating_sub(self.from))
    }

    pub fn lasts(&self) -> Duration {
        self.to.saturating_sub(self.from)
    }

    pub fn saw_detail(&self) -> bool {
        self.looks.iter().any(|(_, detailed)| *detailed)
    }

    /// How often the peer became covered, dark, frozen or gone.
    pub fn covers(&self) -> usize {
        let hidden = |seen: &Seen| !matches!(seen, Seen::Clear | Seen::Unknown);
        let mut before = false;
        self.peer_looks.iter().filter(|(_, seen)| !std::mem::replace(&mut before, hidden(seen)) && before).count()
    }
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Person {
    pub identity: String,
    pub pages: Vec<(Duration, &'static str)>,
    pub visits: Vec<Visit>,
    /// From asking to be matched to each offer.
    pub waits: Vec<Duration>,
    pub notices: Vec<(Duration, serde_json::Value)>,
}

/// Two sides with one fingerprint: person and number of the visit.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    pub fingerprint: [u8; 4],
    pub sides: Vec<(usize, usize)>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Record {
    pub people: Vec<Person>,
    pub calls: Vec<Call>,
    /// What the server sent that tells who or where somebody is, by what went over the wire.
    #[serde(skip)]
    pub sent: Sent,
    /// What was stopped and started again, and what else the plan did.
    pub done: Vec<(Duration, String)>,
    /// What the servers still held when everybody had been gone for a while.
    pub left_over: Vec<String>,
    /// Of what should stay as it is.
    pub courses: Vec<Course>,
    pub ended: Duration,
}

impl Record {
    pub fn new(identities: impl IntoIterator<Item = String>) -> Self {
        let people = identities.into_iter().map(|identity| Person { identity, ..Person::default() }).collect();
        Self { people, ..Self::default() }
    }

    /// Events in the order in which they come. Only what is judged is kept of them: an evening has a hundred thousand.
    pub fn take(&mut self, event: &Event) {
        if let Some(person) = self.people.get_mut(event.who) {
            person.take(event);
        }
    }

    /// Nothing happens any more.
    pub fn end(&mut self, ended: Duration) {
        self.ended = ended;
        for person in &mut self.people {
            if person.is_in_call() {
                person.end_visit(ended);
            }
        }
        self.find_calls();
    }

    #[cfg(test)]
    pub fn of(identities: impl IntoIterator<Item = String>, events: &[Event], ended: Duration) -> Self {
        let mut record = Self::new(identities);
        events.iter().for_each(|event| record.take(event));
        record.end(ended);
        record
    }

    pub fn visit(&self, side: (usize, usize)) -> &Visit {
        &self.people[side.0].visits[side.1]
    }

    /// Whether somebody's app ended without a word in that time, so that a call of theirs may have had one side only.
    pub fn somebody_vanished(&self, from: Duration, to: Duration) -> bool {
        let mut pages = self.people.iter().flat_map(|person| &person.pages);
        pages.any(|(at, page)| *page == VANISHED && (from..=to).contains(at))
    }

    /// Calls in which both sides were there.
    pub fn pairs(&self) -> impl Iterator<Item = (&Call, [(usize, usize); 2])> {
        self.calls.iter().filter_map(|call| Some((call, <[(usize, usize); 2]>::try_from(call.sides.as_slice()).ok()?)))
    }

    fn find_calls(&mut self) {
        for (who, person) in self.people.iter().enumerate() {
            for (number, visit) in person.visits.iter().enumerate() {
                let Some(fingerprint) = visit.fingerprint else { continue };
                match self.calls.iter_mut().find(|call| call.fingerprint == fingerprint) {
                    Some(call) => call.sides.push((who, number)),
                    None => self.calls.push(Call { fingerprint, sides: vec![(who, number)] }),
                }
            }
        }
    }
}

/// Which game it was, and how it went for this side.
fn result(game: &GameView) -> String {
    let how = match &game.scene {
        Scene::DrawAndGuess(scene) => scene.outcome.map_or(String::from("no outcome"), |outcome| format!("{outcome:?}")),
        Scene::SameWord { word, .. } => word.clone().unwrap_or_default(),
        Scene::FinishMyDrawing { parts, .. } => format!("{parts} parts"),
        Scene::Gomoku { you_won, .. } => String::from(match you_won {
            Some(true) => "won",
            Some(false) => "lost",
            None => "drawn",
        }),
        Scene::TwoTruths { you_tell, picked, lie, .. } => {
            let found = picked.is_some() && picked == lie;
            format!("{}, {}", if *you_tell { "told" } else { "guessed" }, if found { "found out" } else { "not found out" })
        }
    };
    format!("{:?}: {how}", game.game)
}

impl Person {
    fn is_in_call(&self) -> bool {
        self.pages.last().is_some_and(|(_, page)| *page == "call")
    }

    fn end_visit(&mut self, at: Duration) {
        if let Some(visit) = self.visits.last_mut() {
            visit.to = at;
        }
    }

    fn take(&mut self, event: &Event) {
        let at = event.at;
        if let Report::Page { page } = event.what {
            self.turn(at, page);
            return;
        }
        if let Report::Notice { notice } = &event.what {
            self.notices.push((at, notice.clone()));
            return;
        }
        if matches!(event.what, Report::Ended { .. }) {
            self.turn(at, "gone");
            return;
        }
        let in_call = self.is_in_call();
        let Some(visit) = self.visits.last_mut() else { return };
        match &event.what {
            // Comes while the two part.
            Report::Mutual => visit.mutual = true,
            _ if !in_call => {}
            Report::Fingerprint { pictures } => visit.fingerprint = Some(*pictures),
            Report::Look { detailed } => visit.looks.push((at, *detailed)),
            Report::Sight { peer_looks, revealed, .. } => {
                if *revealed && visit.revealed.is_none() {
                    visit.revealed = Some(at);
                }
                if visit.peer_looks.last().is_none_or(|(_, last)| last != peer_looks) {
                    visit.peer_looks.push((at, *peer_looks));
                }
            }
            Report::Statistics { statistics } => {
                (visit.freezes, visit.frozen_ms, visit.malformed) =
                    (statistics.freezes, statistics.frozen_ms, statistics.malformed);
                visit.samples.push(Sample {
                    at,
                    round_trip_ms: statistics.round_trip_ms,
                    received_kbps: statistics.received_kbps,
                    received_fps: statistics.received_fps,
                    loss_percent: statistics.loss_percent,
                    target_kbps: statistics.target_kbps,
                });
            }
            Report::Unreadable { sent } => visit.unreadable.push((at, *sent)),
            Report::GameOver { game } => visit.games.push((at, result(game))),
            Report::Strokes { visible, hash } => visit.paper = Some((at, *visible, *hash)),
            _ => {}
        }
    }

    fn turn(&mut self, at: Duration, page: &'static str) {
        if self.is_in_call() && page != "call" {
            self.end_visit(at);
        }
        if page == "call" {
            let resumed = self.pages.last().is_some_and(|(_, page)| *page != "match");
            self.visits.push(Visit { from: at, resumed, ..Visit::default() });
        }
        if page == "match"
            && let Some((since, "waiting")) = self.pages.last()
        {
            self.waits.push(at.saturating_sub(*since));
        }
        self.pages.push((at, page));
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use visavis_wire::channel::Shows;

    pub fn event(ms: u64, who: usize, what: Report) -> Event {
        Event { at: Duration::from_millis(ms), who, what }
    }

    pub fn page(ms: u64, who: usize, page: &'static str) -> Event {
        event(ms, who, Report::Page { page })
    }

    pub fn sight(ms: u64, who: usize, peer_looks: Seen, revealed: bool) -> Event {
        let veiled = Shows::Veiled;
        event(ms, who, Report::Sight { you_see: veiled, they_see: veiled, peer_looks, own_looks_to_peer: Seen::Clear, revealed })
    }

    #[test]
    fn sides_are_put_together_by_what_both_compare() {
        let mut events = Vec::new();
        for who in 0..4 {
            events.extend([page(0, who, "waiting"), page(100 + who as u64, who, "match"), page(1000, who, "call")]);
            let pictures = [1 + who as u8 % 2; 4];
            events.push(event(1200, who, Report::Fingerprint { pictures }));
            events.push(event(1300, who, Report::Look { detailed: false }));
        }
        events.extend([sight(2000, 0, Seen::Covered, true), sight(2100, 0, Seen::Dark, true), sight(2500, 0, Seen::Clear, true)]);
        events.extend([sight(3000, 0, Seen::Frozen, true), page(9000, 0, "parting"), event(9100, 0, Report::Mutual)]);
        let record = Record::of((0..4).map(|who| format!("guest-{who}")), &events, Duration::from_secs(20));
        let sides: Vec<_> = record.pairs().map(|(_, sides)| sides).collect();
        assert_eq!(sides, [[(0, 0), (2, 0)], [(1, 0), (3, 0)]]);
        let visit = record.visit((0, 0));
        assert_eq!((visit.lasts(), visit.covers(), visit.mutual), (Duration::from_secs(8), 2, true));
        assert_eq!((visit.first_picture(), visit.revealed), (Some(Duration::from_millis(300)), Some(Duration::from_secs(2))));
        assert_eq!(record.visit((3, 0)).to, Duration::from_secs(20), "still in the call at the end");
        assert_eq!(record.people[1].waits, [Duration::from_millis(101)]);
    }
}

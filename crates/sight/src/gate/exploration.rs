//! Every state that two gates can get into, by the real [`Gate`] with a few ticks for each of its waits.
//!
//! First part: one gate, to which anything happens in any order: every judgement of the detector, every report (so that loss,
//! delay, order and repetition are covered whatever they are), every picture of the peer, the server's word coming and going.
//! Beside it runs a count of its own of what the rules need; no state is clear against it.
//!
//! Second part: every pair of states of the first part. From here on both cameras are clear, both said yes, reports arrive late
//! or later, pictures late or not: whichever way that goes, both get clear, and stay so.

use super::*;
use CameraState::{Clear, Covered, Unknown};
use std::collections::{HashMap, HashSet};

/// One tick stands for about 0.6 s: what a picture may be late.
const TICKS: Times =
    Times { hold: ticks(1), judgement_holds: ticks(3), grace: ticks(4), first_pause: ticks(2), most_pause: ticks(4) };

/// The present, before which there is room for the past.
const NOW: Duration = ticks(100);

const fn ticks(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn age(of: Duration) -> u64 {
    (NOW.saturating_sub(of)).as_millis() as u64
}

/// One tick of one gate: what it is told, and the time moved back so that the present stays where it is.
fn tick(gate: &mut Gate, inputs: &[Input]) {
    let now = NOW + ticks(1);
    for input in inputs {
        gate.input(*input, now);
    }
    if inputs.is_empty() {
        gate.count(now);
    }
    let back = |at: Duration| at.saturating_sub(ticks(1));
    let times = gate.ledger.times;
    gate.peer_clear = gate.peer_clear.map(|(since, last)| {
        // Older than what is asked for is as good as that old.
        (back(since).max(NOW - times.hold), back(last).max(NOW - times.judgement_holds - ticks(1)))
    });
    if gate.peer_clear.is_some_and(|(_, last)| age(last) > times.judgement_holds.as_millis() as u64) {
        gate.peer_clear = None;
    }
    gate.ledger.next = gate.ledger.next.map(back);
    gate.ledger.at = Some(NOW);
}

fn shows(gate: &Gate) -> View {
    gate.view(NOW)
}

fn fresh(times: Times) -> Gate {
    let mut gate = Gate::with(times);
    gate.input(Input::Agreed(true), NOW);
    gate
}

/// What the first part counts by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Ghost {
    /// Ticks for which the detector has said Clear and nothing else.
    looked_clear: u64,
    opened: bool,
    /// Last decided report of this opening (or the one before it) was Clear.
    seen_clear: bool,
    last_report_clear: bool,
    stays_veiled: bool,
    /// Ticks of a clear picture that the peer has not earned; starts anew after a pause and with each opening.
    ahead: u64,
    /// Pauses so far, and what is left of the one under way.
    pauses: u32,
    pause_left: Option<u64>,
    /// Ticks for which the peer was to be seen since the last pause began.
    earned: u64,
}

fn chaos() -> Vec<Vec<Input>> {
    let mut all = Vec::new();
    for looks in [Some(Clear), Some(Covered), Some(Unknown), None] {
        for picture in [View::Veiled, View::Clear] {
            let judged = looks.map(|looks| vec![Input::PeerShows(picture), Input::PeerLooks(looks)]).unwrap_or_default();
            all.push(judged.clone());
            for said in [Clear, Covered, Unknown].map(Input::PeerSeesMe) {
                all.push([judged.clone(), vec![said]].concat());
            }
            for word in [Input::Opened(true), Input::Opened(false), Input::PeerStaysVeiled(true), Input::PeerStaysVeiled(false)] {
                all.push([judged.clone(), vec![word]].concat());
            }
        }
    }
    all
}

impl Ghost {
    fn told(&mut self, inputs: &[Input]) {
        let hold = TICKS.hold.as_millis() as u64;
        let judged = inputs.iter().any(|input| matches!(input, Input::PeerLooks(_)));
        for input in inputs {
            match *input {
                Input::PeerLooks(Clear) => self.looked_clear = (self.looked_clear + 1).min(hold + 1),
                Input::PeerLooks(_) => self.looked_clear = 0,
                Input::PeerSeesMe(state) => {
                    self.last_report_clear = state == Clear;
                    if state != Unknown {
                        self.seen_clear = state == Clear;
                    }
                }
                Input::Opened(opened) => {
                    if opened && !self.opened {
                        self.seen_clear = self.last_report_clear;
                        (self.ahead, self.pauses, self.pause_left, self.earned) = (0, 0, None, 0);
                    }
                    self.opened = opened;
                }
                Input::PeerStaysVeiled(stays) => self.stays_veiled = stays,
                Input::Agreed(_) | Input::PeerShows(_) => {}
            }
        }
        if !judged && self.looked_clear > 0 {
            // Holds on for a while; how long is for the unit tests.
            self.looked_clear = (self.looked_clear + 1).min(hold + 1);
        }
    }

    fn allows(&self) -> bool {
        self.opened && self.seen_clear && !self.stays_veiled && self.looked_clear > TICKS.hold.as_millis() as u64
    }

    /// A tick with that view, and a peer who was to be seen or not.
    fn passed(&mut self, own: View, peer_seen: bool) {
        let [first, most, grace] = [TICKS.first_pause, TICKS.most_pause, TICKS.grace].map(|time| time.as_millis() as u64);
        let under_way = self.pause_left.map(|left| left - 1);
        self.pause_left = under_way;
        match (own, peer_seen) {
            (_, true) => {
                self.ahead = self.ahead.saturating_sub(1);
                self.earned = (self.earned + 1).min(grace);
                if self.earned == grace {
                    self.pauses = 0;
                }
            }
            (View::Clear, false) => {
                self.ahead += 1;
                if self.ahead >= grace && self.pause_left.is_none() {
                    self.pause_left = Some(most.min(first << self.pauses));
                    self.pauses = (self.pauses + 1).min(4);
                    self.earned = 0;
                }
            }
            (View::Veiled, false) => {}
        }
        if self.pause_left == Some(0) {
            (self.ahead, self.pause_left) = (0, None);
        }
    }
}

fn reachable() -> HashSet<Gate> {
    let moves = chaos();
    let start = (fresh(TICKS), Ghost::default());
    let mut seen = HashSet::from([start.clone()]);
    let mut open = vec![start];
    let mut steps = 0u64;
    while let Some((gate, ghost)) = open.pop() {
        for inputs in &moves {
            let (mut gate, mut ghost) = (gate.clone(), ghost);
            // Half-way through the tick, before anything is told.
            let middle = NOW + ticks(1) / 2;
            let (before, peer_seen) = (gate.view(middle), gate.peer_to_be_seen(middle) == View::Clear);
            ghost.passed(before, peer_seen);
            ghost.told(inputs);
            tick(&mut gate, inputs);
            steps += 1;
            if shows(&gate) == View::Clear {
                assert!(ghost.allows(), "clear against the rules: {inputs:?} {ghost:?} {gate:?}");
                let most = TICKS.grace.as_millis() as u64;
                assert!(ghost.ahead <= most, "{} ticks ahead of a peer who stays veiled: {gate:?}", ghost.ahead);
            }
            if seen.insert((gate.clone(), ghost)) {
                open.push((gate, ghost));
            }
        }
    }
    let gates: HashSet<Gate> = seen.iter().map(|(gate, _)| gate.clone()).collect();
    println!(
        "one gate: {} states ({} with what is counted beside it), {steps} steps, none clear against the rules",
        gates.len(),
        seen.len()
    );
    gates
}

/// One gate among those of the second part: the server's word and the promises are in, reports are only Clear from here on.
fn settled(gate: &Gate) -> Gate {
    let mut gate = gate.clone();
    (gate.opened, gate.peer_stays_veiled, gate.reported) = (true, false, Unknown);
    // Judged at each tick from here on, and what has been earned says nothing while pauses are short.
    gate.peer_clear = gate.peer_clear.map(|(since, _)| (since, NOW));
    if gate.ledger.pause == TICKS.first_pause {
        gate.ledger.earned = Duration::ZERO;
    }
    gate.ledger.at = Some(NOW);
    gate
}

/// The gates of the second part by number, with where each tick takes them.
#[derive(Default)]
struct Gates {
    known: Vec<Gate>,
    number: HashMap<Gate, u32>,
    /// By gate, whether the peer's picture is clear, and whether a report comes.
    after: HashMap<(u32, bool, bool), u32>,
    /// What a gate shows, and whether it sees the other clearly too.
    clear: Vec<(bool, bool)>,
}

impl Gates {
    fn number(&mut self, gate: &Gate) -> u32 {
        let gate = settled(gate);
        if let Some(number) = self.number.get(&gate) {
            return *number;
        }
        let number = self.known.len() as u32;
        let clear = shows(&gate) == View::Clear;
        self.clear.push((clear, clear && gate.peer_shows == View::Clear));
        self.known.push(gate.clone());
        self.number.insert(gate, number);
        number
    }

    fn shows(&self, gate: u32) -> bool {
        self.clear[gate as usize].0
    }

    fn tick(&mut self, gate: u32, peer_clear: bool, report: bool) -> u32 {
        if let Some(after) = self.after.get(&(gate, peer_clear, report)) {
            return *after;
        }
        let picture = if peer_clear { View::Clear } else { View::Veiled };
        let mut inputs = vec![Input::PeerShows(picture), Input::PeerLooks(Clear)];
        if report {
            inputs.push(Input::PeerSeesMe(Clear));
        }
        let mut ticked = self.known[gate as usize].clone();
        tick(&mut ticked, &inputs);
        let after = self.number(&ticked);
        self.after.insert((gate, peer_clear, report), after);
        after
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Pair {
    gates: [u32; 2],
    /// Whether each was clear one tick ago, which may be what the other sees now.
    shown: [bool; 2],
    /// Ticks within which the report of the other comes for certain; 0: it has come.
    report_due: [u8; 2],
}

const REPORT_WITHIN: u8 = 2;

impl Pair {
    /// The same with the two people exchanged.
    fn turned(self) -> Self {
        let [a, b] = self.gates;
        let (shown, due) = (self.shown, self.report_due);
        Self { gates: [b, a], shown: [shown[1], shown[0]], report_due: [due[1], due[0]] }
    }

    fn done(self, gates: &Gates) -> bool {
        self.gates.iter().all(|gate| gates.clear[*gate as usize].1) && self.shown == [true; 2]
    }

    /// All that one tick can bring: each picture now or late, each report now or later.
    fn successors(self, gates: &mut Gates) -> Vec<Self> {
        let now = self.gates.map(|gate| gates.shows(gate));
        let mut choices = |me: usize| {
            let other = 1 - me;
            let reports: &[(bool, u8)] = match self.report_due[me] {
                0 => &[(false, 0)],
                1 => &[(true, 0)],
                _ => &[(true, 0), (false, 1)],
            };
            let mut after: Vec<(u32, u8)> = Vec::new();
            for picture in [now[other], self.shown[other]] {
                for (report, due) in reports {
                    after.push((gates.tick(self.gates[me], picture, *report), *due));
                }
            }
            after.sort_unstable();
            after.dedup();
            after
        };
        let (ours, theirs) = (choices(0), choices(1));
        let pair = |a: &(u32, u8), b: &(u32, u8)| {
            let pair = Self { gates: [a.0, b.0], shown: now, report_due: [a.1, b.1] };
            // Who is called A does not matter.
            if pair.gates[0] <= pair.gates[1] { pair } else { pair.turned() }
        };
        ours.iter().flat_map(|a| theirs.iter().map(move |b| pair(a, b))).collect()
    }
}

/// Longest way from each pair to both clear, in ticks; `None` while it is being looked for.
type Depths = HashMap<Pair, Option<u16>>;

/// The longest way from `start` to both clear. An error: a way that goes round for ever.
fn longest(start: Pair, gates: &mut Gates, depths: &mut Depths) -> Result<u16, Vec<Pair>> {
    if let Some(Some(known)) = depths.get(&start) {
        return Ok(*known);
    }
    // Each entry: a pair, what may follow it, how many of those have been looked at, the longest so far.
    let mut way = vec![(start, start.successors(gates), 0usize, 0u16)];
    depths.insert(start, None);
    let mut last = 0;
    while let Some((pair, next, at, longest)) = way.last_mut() {
        let pair = *pair;
        let done = pair.done(gates);
        if done {
            assert!(next.iter().all(|after| after.done(gates)), "clear was taken back after {pair:?}");
        }
        let Some(after) = next.get(*at).copied().filter(|_| !done) else {
            last = *longest;
            depths.insert(pair, Some(last));
            way.pop();
            continue;
        };
        match depths.get(&after) {
            Some(Some(depth)) => {
                *longest = (*longest).max(depth + 1);
                *at += 1;
            }
            Some(None) => return Err(way.iter().map(|(pair, ..)| *pair).skip_while(|pair| *pair != after).collect()),
            None => {
                depths.insert(after, None);
                let follows = after.successors(gates);
                way.push((after, follows, 0, 0));
            }
        }
    }
    Ok(last)
}

#[test]
fn no_order_of_events_shows_a_picture_against_the_rules_and_two_clear_cameras_always_open() {
    let reachable = reachable();
    let mut gates = Gates::default();
    let starts: std::collections::BTreeSet<u32> = reachable.iter().map(|gate| gates.number(gate)).collect();
    let (mut depths, mut most) = (Depths::default(), 0);
    for a in &starts {
        for b in starts.iter().filter(|b| *b >= a) {
            for shown in [[false, false], [false, true], [true, false], [true, true]] {
                let pair = Pair { gates: [*a, *b], shown, report_due: [REPORT_WITHIN; 2] };
                match longest(pair, &mut gates, &mut depths) {
                    Ok(depth) => most = most.max(depth),
                    Err(round) => {
                        for pair in round {
                            println!("{pair:?} {:#?}", pair.gates.map(|gate| &gates.known[gate as usize].ledger));
                        }
                        panic!("two gates with clear cameras wait for each other for ever");
                    }
                }
            }
        }
    }
    println!("two gates: {} pairs, each leads to both clear for good, after {most} ticks at the latest", depths.len());
    // A grace time used up on late pictures, the longest pause, the next grace time, and one tick late at either end.
    assert!(most <= 14, "{most} ticks");
}

/// What the pause with another chance is for: without it, two gates whose pictures were late veil for ever.
#[test]
fn without_another_chance_two_late_gates_would_wait_for_ever() {
    let mut one = fresh(TICKS);
    one.input(Input::Opened(true), NOW);
    for _ in 0..6 {
        tick(&mut one, &[Input::PeerSeesMe(Clear), Input::PeerShows(View::Veiled), Input::PeerLooks(Clear)]);
    }
    assert!(one.ledger.withdrawn);
    let mut both = [one.clone(), one];
    let mut pass = |another_chance: bool| {
        let shown = [shows(&both[0]), shows(&both[1])];
        for (me, gate) in both.iter_mut().enumerate() {
            if !another_chance {
                gate.ledger.next = Some(NOW + ticks(50));
            }
            tick(gate, &[Input::PeerShows(shown[1 - me]), Input::PeerLooks(Clear)]);
        }
        shown == [View::Clear; 2]
    };
    assert!((0..40).all(|_| !pass(false)));
    assert!((0..60).any(|_| pass(true)), "with the chance they open");
}

//! The paper between two evenings: ink, operations, what is lost and comes again, and floods.

use super::*;
use visavis_canvas::{Change, History};

/// Two evenings, their channels joined by hand.
pub(super) struct Pair(pub(super) Night, pub(super) Night);

impl Pair {
    pub(super) fn new() -> Self {
        let mut other = Night::waiting();
        other.server(offer("m", Role::Answerer));
        other.user(Command::AnswerMatch { meet: true });
        other.server(begins("m", Role::Answerer));
        other.call_event(call::Event::Connected);
        Self(Night::in_call(), other)
    }

    /// Carries what `from` has for its peer over, `lossy` without the operations; returns what the peer's page is told.
    pub(super) fn carry(effects: Vec<Effect>, to: &mut Night, lossy: bool) -> (Vec<Event>, Vec<Effect>) {
        let (mut told, mut back) = (Vec::new(), Vec::new());
        for effect in effects {
            let event = match effect {
                Effect::Call(call::Command::Operations(_)) if lossy => continue,
                Effect::Call(call::Command::Operations(ops)) => call::Event::Operations(ops),
                Effect::Call(call::Command::Live(live)) => call::Event::Live(live),
                Effect::Call(call::Command::Control(control)) => call::Event::Control(control),
                _ => continue,
            };
            for effect in to.call_event(event) {
                match effect {
                    Effect::Emit(event) => told.push(event),
                    other => back.push(other),
                }
            }
        }
        (told, back)
    }
}

fn changes(told: &[Event]) -> Vec<Change> {
    let of = |event: &Event| match event {
        Event::PaperChange { changes } => changes.clone(),
        _ => Vec::new(),
    };
    told.iter().flat_map(of).collect()
}

#[test]
fn a_stroke_goes_live_and_is_then_committed() {
    let Pair(mut a, mut b) = Pair::new();
    a.now += Duration::from_secs(1);
    let (told, _) = Pair::carry(a.user(line(1)), &mut b, false);
    assert!(matches!(&told[..], [Event::PeerInk { stroke: 1, from: 0, points, .. }] if points.len() == 20));
    let late = a.user(line(1));
    let effects = a.user(Command::DrawEnd { id: 1 });
    assert!(has(&effects, |effect| matches!(effect, Effect::Emit(Event::PaperChange { .. }))));
    let (told, _) = Pair::carry(effects, &mut b, false);
    let [Change::Insert { op, above: 0 }] = &changes(&told)[..] else { panic!("{told:?}") };
    assert_eq!((op.id.author.0, op.live), (0, 1), "the page knows which wet ink it replaces");
    let (told, _) = Pair::carry(late, &mut b, false);
    assert!(told.is_empty(), "late ink of a committed stroke");
    let (told, _) = Pair::carry(a.user(Command::Undo), &mut b, false);
    assert!(matches!(&changes(&told)[..], [Change::Show { shown: false, .. }]));
    assert!(a.call_view().can_redo && !a.call_view().can_undo && !b.call_view().can_redo);
}

#[test]
fn strokes_lost_with_the_connection_come_after_it() {
    let Pair(mut a, mut b) = Pair::new();
    for stroke in 1..4 {
        a.user(line(stroke));
        Pair::carry(a.user(Command::DrawEnd { id: stroke }), &mut b, true);
    }
    b.call_event(call::Event::Interrupted);
    b.now += Duration::from_secs(5);
    a.now += Duration::from_secs(5);
    let asks = b.call_event(call::Event::Restored);
    let (_, answers) = Pair::carry(asks, &mut a, false);
    let (told, _) = Pair::carry(answers, &mut b, false);
    assert_eq!(changes(&told).len(), 3);
}

/// Nothing follows the lost stroke that would show the gap: the sides tell each other what they have.
#[test]
fn a_last_stroke_that_was_lost_comes_within_seconds() {
    let Pair(mut a, mut b) = Pair::new();
    a.now += Duration::from_secs(10);
    b.now += Duration::from_secs(10);
    a.user(line(1));
    Pair::carry(a.user(Command::DrawEnd { id: 1 }), &mut b, true);
    let mut told = Vec::new();
    for _ in 0..4 {
        let (_, asks) = Pair::carry(a.wait(1.0), &mut b, false);
        let (_, answers) = Pair::carry(asks, &mut a, false);
        told.extend(Pair::carry(answers, &mut b, false).0);
        b.wait(1.0);
    }
    assert_eq!(changes(&told).len(), 1);
}

/// Found by `paper_links`: an account was asked for too soon after the last one, was left out, and nothing asked for it again.
#[test]
fn an_account_that_is_due_too_soon_is_given_a_little_later() {
    let Pair(mut a, mut b) = Pair::new();
    a.now += Duration::from_secs(10);
    b.now += Duration::from_secs(10);
    b.wait(3.0);
    // B has just told what it holds, and lacks this stroke; A says so once, for nothing changes on its side.
    a.user(line(1));
    Pair::carry(a.user(Command::DrawEnd { id: 1 }), &mut b, true);
    let here = a.evening.call().unwrap().paper.history.here();
    b.evening.call().unwrap().paper.flowing(b.now, &mut Vec::new());
    let asks = b.call_event(call::Event::Control(Control::Paper(here)));
    assert!(controls(&asks).is_empty(), "not twice in half a second");
    let (_, answers) = Pair::carry(b.wait(0.6), &mut a, false);
    let (told, _) = Pair::carry(answers, &mut b, false);
    assert_eq!(changes(&told).len(), 1);
}

/// Found by `paper_links`: the last account was lost and nothing changed any more that would have given a reason for another.
#[test]
fn an_account_that_was_lost_is_given_again_until_both_agree() {
    let Pair(mut a, mut b) = Pair::new();
    a.user(line(1));
    Pair::carry(a.user(Command::DrawEnd { id: 1 }), &mut b, true);
    // Whatever A says of it for five seconds is lost.
    a.wait(5.0);
    b.wait(5.0);
    let accounts = |effects: &[Effect]| controls(effects).iter().filter(|control| matches!(control, Control::Paper(_))).count();
    let (mut told, mut said) = (Vec::new(), 0);
    for second in 0..30 {
        let effects = [a.wait(1.0), b.wait(1.0)];
        said = if second < 20 { 0 } else { said + accounts(&effects[0]) + accounts(&effects[1]) };
        let [from_a, from_b] = effects;
        let (_, asks) = Pair::carry(from_a, &mut b, false);
        let (_, answers) = Pair::carry(asks.into_iter().chain(from_b).collect(), &mut a, false);
        let (more, back) = Pair::carry(answers, &mut b, false);
        told.extend(more);
        Pair::carry(back, &mut a, false);
    }
    assert_eq!(changes(&told).len(), 1);
    assert_eq!(said, 0, "and there is silence when both agree");
}

#[test]
fn a_page_that_begins_late_is_shown_the_whole_paper() {
    let Pair(mut a, _) = Pair::new();
    for stroke in 1..4 {
        a.user(line(stroke));
        a.user(Command::DrawEnd { id: stroke });
    }
    a.user(Command::Undo);
    let effects = a.user(Command::ShowPaper);
    let [Effect::Emit(Event::Paper { items, .. })] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(items.iter().map(|item| item.shown).collect::<Vec<_>>(), [true, true, false]);
    a.user(Command::Leave);
    assert!(has(
        &a.user(Command::ShowPaper),
        |effect| matches!(effect, Effect::Emit(Event::Paper { items, .. }) if items.len() == 3)
    ));
}

#[test]
fn asking_again_and_again_is_no_lever() {
    let Pair(mut a, _) = Pair::new();
    a.now += Duration::from_secs(1);
    for stroke in 1..51 {
        a.user(line(stroke));
        a.user(Command::DrawEnd { id: stroke });
    }
    let nothing = History::new(visavis_wire::paper::Author(1)).here();
    let mut sent = 0;
    for _ in 0..600 {
        a.now += Duration::from_millis(50);
        let effects = a.call_event(call::Event::Control(Control::Paper(nothing)));
        sent += effects.iter().filter(|effect| matches!(effect, Effect::Call(call::Command::Operations(_)))).count();
    }
    assert!((2..=9).contains(&sent), "{sent} answers in half a minute");
}

/// Thick scribbles all over the sheet cost more to draw than anything else that is well-formed. They are taken one by one, with
/// time between, and all of them in the end.
#[test]
fn the_most_costly_strokes_are_spread_over_time() {
    let Pair(mut a, _) = Pair::new();
    let author = visavis_wire::paper::Author(1);
    let there = |at: u16| Point { x: at % 2 * 16_000, y: at % 100 * 100, pressure: 255 };
    let stroke = visavis_wire::paper::Stroke { colour: Some(1), size: 1000, points: (0..4000).map(there).collect() };
    let all: Vec<Op> = (1..=6)
        .map(|seq| Op {
            id: visavis_wire::paper::OpId { author, seq },
            time: seq,
            live: 0,
            kind: visavis_wire::paper::OpKind::Stroke(stroke.clone()),
        })
        .collect();
    let mut when = Vec::new();
    for second in 0..120 {
        a.wait(1.0);
        let told: Vec<Event> = a
            // What it lacks, as an honest peer sends it again.
            .call_event(call::Event::Operations(Operations(all[when.len()..].to_vec())))
            .into_iter()
            .filter_map(|effect| if let Effect::Emit(event) = effect { Some(event) } else { None })
            .collect();
        when.extend(changes(&told).iter().map(|_| second));
    }
    assert_eq!(when.len(), 6, "{when:?}");
    assert!(when.windows(2).all(|pair| pair[1] >= pair[0] + 10), "{when:?}");
}

/// Ten thousand operations a second, well-formed and in order: a few are taken, nothing piles up, and the paper still works.
#[test]
fn a_flood_of_operations_is_cut_off() {
    let Pair(mut a, _) = Pair::new();
    let author = visavis_wire::paper::Author(1);
    let (mut seq, mut told, mut asked) = (0u32, 0, 0);
    for _ in 0..100 {
        a.now += Duration::from_millis(100);
        let ops = (0..1000).map(|_| {
            seq += 1;
            Op { id: visavis_wire::paper::OpId { author, seq }, time: seq, live: 0, kind: visavis_wire::paper::OpKind::Clear }
        });
        let effects = a.call_event(call::Event::Operations(Operations(ops.collect())));
        let events: Vec<Event> = effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Emit(event) => Some(event.clone()),
                _ => None,
            })
            .collect();
        told += changes(&events).len();
        asked += controls(&effects).len();
    }
    assert!(told <= 2100, "{told} changes in ten seconds");
    assert!(asked <= 40, "{asked} questions in ten seconds");
    let ignored = a.evening.call().unwrap().paper.ignored();
    assert!(ignored > 90_000, "{ignored} ignored");
    assert_eq!(a.call_view().ignored, 0, "the page is told once a second, with the statistics");
    a.call_event(call::Event::Statistics(call::Statistics::default()));
    assert_eq!(u64::from(a.call_view().ignored), ignored);
    let saved = a.user(Command::SaveDiagnostics);
    let report = saved.iter().find_map(|effect| if let Effect::SaveDiagnostics(report) = effect { Some(report) } else { None });
    assert!(report.is_some_and(|report| report.contains(&format!("\"ignored\": {ignored}"))), "{report:?}");
    a.user(line(1));
    let own = a.user(Command::DrawEnd { id: 1 });
    assert!(has(&own, |effect| matches!(effect, Effect::Call(call::Command::Operations(_)))));
}

//! Games between two evenings: what of the paper stays where it was drawn while it is hidden, and what both have in the end.

use super::paper::Pair;
use super::*;
use visavis_games::{Action, Phase, Scene, Unfair};
use visavis_wire::games::{Game, Play};
use visavis_wire::paper::{OpKind, Place};

impl Pair {
    fn nights(&mut self) -> [&mut Night; 2] {
        [&mut self.0, &mut self.1]
    }

    /// Carries what one has to say to the other, and the answers, until nobody has anything to say. Returns the operations that
    /// crossed, and how much ink.
    fn exchange(&mut self, from: usize, effects: Vec<Effect>) -> (Vec<Op>, usize) {
        let (mut crossed, mut ink) = (Vec::new(), 0);
        let (mut from, mut effects) = (from, effects);
        while !effects.is_empty() {
            for effect in &effects {
                match effect {
                    Effect::Call(call::Command::Operations(ops)) => crossed.extend(ops.0.clone()),
                    Effect::Call(call::Command::Live(Live::Ink { .. } | Live::Shape { .. })) => ink += 1,
                    _ => {}
                }
            }
            let to = &mut self.nights()[1 - from];
            effects = Pair::carry(effects, to, false).1;
            from = 1 - from;
        }
        (crossed, ink)
    }

    fn act(&mut self, side: usize, command: Command) -> (Vec<Op>, usize) {
        let effects = self.nights()[side].user(command);
        self.exchange(side, effects)
    }

    fn pass(&mut self, seconds: f64) -> (Vec<Op>, usize) {
        let (mut crossed, mut ink) = (Vec::new(), 0);
        for _ in 0..(seconds * 10.0) as u32 {
            for side in 0..2 {
                let night = &mut self.nights()[side];
                night.now += Duration::from_millis(100);
                let effects = night.input(Input::Tick);
                let (ops, points) = self.exchange(side, effects);
                crossed.extend(ops);
                ink += points;
            }
        }
        (crossed, ink)
    }

    fn begin(&mut self, game: Game) {
        let play = Play { game, twist: None };
        for side in 0..2 {
            self.act(side, Command::Wish { play: Some(play) });
        }
        for side in 0..2 {
            let effects = self.nights()[side].server(ServerMessage::GameOpened { match_id: id("m"), play, number: 4 });
            self.exchange(side, effects);
        }
        for side in 0..2 {
            self.act(side, Command::Play { action: Action::Ready });
        }
        self.pass(1.0);
    }

    /// A stroke from the middle of the area that this side may draw on to its lower edge.
    fn stroke(&mut self, side: usize, number: u32) -> (Vec<Op>, usize) {
        let permit = self.nights()[side].call_view().game.unwrap().permit;
        assert!(permit.draw);
        let x = permit.area.left + 3000;
        let middle = (permit.area.top + permit.area.bottom) / 2;
        let points = [middle, permit.area.bottom].map(|y| Point { x, y, pressure: 128 }).to_vec();
        let (mut ops, ink) = self.act(side, Command::DrawPoints { id: number, colour: Some(1), size: 40, fades: false, points });
        let (more, live) = self.act(side, Command::DrawEnd { id: number });
        ops.extend(more);
        (ops, ink + live)
    }

    fn strokes(&mut self) -> [usize; 2] {
        self.nights().map(|night| night.evening.call().unwrap().paper.history.visible().len())
    }
}

fn no_marks((ops, ink): &(Vec<Op>, usize)) -> bool {
    *ink == 0 && ops.iter().all(|op| op.kind == OpKind::Clear)
}

#[test]
fn of_a_folded_drawing_nothing_crosses_but_its_edge_until_it_is_opened() {
    let mut pair = Pair::new();
    // Something is on the paper before: it goes from both.
    pair.act(0, line(1));
    pair.act(0, Command::DrawEnd { id: 1 });
    pair.pass(3.0);
    assert_eq!(pair.strokes(), [1, 1]);
    pair.begin(Game::FinishMyDrawing);
    assert_eq!(pair.strokes(), [0, 0], "both begin on an empty paper");
    for part in 0..4u32 {
        let draws = pair.nights().iter().position(|night| night.call_view().game.unwrap().your_turn).unwrap();
        let crossed = pair.stroke(draws, 10 + part);
        assert!(no_marks(&crossed), "{crossed:?}");
        let crossed = pair.pass(3.0);
        assert!(no_marks(&crossed), "{crossed:?}");
        let peer = pair.nights()[1 - draws].call_view().game.unwrap();
        let Scene::FinishMyDrawing { folded, edges, .. } = &peer.scene else { panic!("{peer:?}") };
        assert_eq!(
            (folded.len(), edges.len()),
            (part as usize / 2 + 1, part as usize / 2),
            "an edge is told when its band is sealed"
        );
        if part == 3 {
            break;
        }
        let crossed = pair.act(draws, Command::Play { action: Action::Done });
        assert!(no_marks(&crossed), "{crossed:?}");
        pair.pass(0.5);
        let peer = pair.nights()[1 - draws].call_view().game.unwrap();
        let Scene::FinishMyDrawing { edges, .. } = &peer.scene else { panic!("{peer:?}") };
        let strip = edges.last().unwrap();
        let [OpKind::Stroke(stroke)] = &strip.marks[..] else { panic!("{strip:?}") };
        assert!(stroke.points.iter().all(|point| point.y + stroke.size / 2 >= strip.area.top), "no more than reaches the strip");
    }
    let last = pair.nights().iter().position(|night| night.call_view().game.unwrap().your_turn).unwrap();
    pair.act(last, Command::Play { action: Action::Done });
    pair.pass(5.0);
    assert_eq!(pair.strokes(), [4, 4]);
    for night in pair.nights() {
        let view = night.call_view();
        assert_eq!((view.game.unwrap().phase, view.unfair), (Phase::Over, None));
    }
}

#[test]
fn both_begin_a_hidden_drawing_on_an_empty_paper() {
    for author in 0..2 {
        let mut pair = Pair::new();
        pair.act(author, line(1));
        pair.act(author, Command::DrawEnd { id: 1 });
        pair.pass(3.0);
        pair.begin(Game::SameWord);
        assert_eq!(pair.strokes(), [0, 0]);
        for side in 0..2 {
            let crossed = pair.stroke(side, 10);
            assert!(no_marks(&crossed), "{crossed:?}");
        }
        assert_eq!(pair.strokes(), [1, 1], "each has its own");
        for side in 0..2 {
            pair.act(side, Command::Play { action: Action::Done });
        }
        pair.pass(5.0);
        assert_eq!(pair.strokes(), [2, 2]);
        assert!(pair.nights().iter().all(|night| night.call_view().unfair.is_none()));
    }
}

#[test]
fn whoever_goes_back_to_the_paper_is_there_and_the_other_is_told() {
    let mut pair = Pair::new();
    pair.begin(Game::Gomoku);
    pair.act(1, Command::Play { action: Action::Stop });
    pair.pass(1.0);
    let [a, b] = pair.nights();
    assert!(b.call_view().game.is_none());
    assert_eq!(a.call_view().game.map(|game| game.phase), Some(Phase::Over));
    pair.act(0, Command::Play { action: Action::Stop });
    assert!(pair.0.call_view().game.is_none());
    let free = pair.act(
        0,
        Command::DrawShape {
            id: 3,
            shape: visavis_wire::paper::Shape {
                form: visavis_wire::paper::Form::Line,
                colour: 1,
                size: 20,
                from: Place { x: 1, y: 1 },
                to: Place { x: 900, y: 9 },
            },
        },
    );
    assert_eq!(free.1, 1, "the paper is free");
}

/// The peer's app never says that it shows itself, so the game rests; whether it really is veiled is seen by its pixels alone.
#[test]
fn who_is_clearly_seen_cannot_hold_a_game_up_for_ever_as_veiled() {
    for (mosaic, named) in [(false, Some(Unfair::HeldUp)), (true, None)] {
        let mut pair = Pair::new();
        pair.begin(Game::Gomoku);
        let Pair(honest, _) = &mut pair;
        let number = honest.evening.number;
        honest.user(Command::Reveal { yes: true });
        honest.server(opened("m", Question::Reveal));
        honest.input(Input::Sight(Sight::Gate { number, shows: Shows::Clear, because: None }));
        honest.input(Input::Sight(Sight::Peer { number, looks: Seen::Clear, mosaic }));
        pair.pass(55.0);
        assert_eq!((pair.0.call_view().game.unwrap().paused, pair.0.call_view().unfair), (true, None));
        pair.pass(20.0);
        assert_eq!(pair.0.call_view().unfair, named, "with a mosaic: {mosaic}");
    }
}

//! Marks out of turn, against a twist, or other than what was sealed or told of them.

use crate::table::{Table, draws, tables};
use visavis_games::{Action, GameView, Unfair};
use visavis_wire::games::{Game, Move, Twist};
use visavis_wire::paper::{OpKind, Point, Stroke};

#[test]
fn twists_that_are_not_kept() {
    for (twist, colours) in [(Twist::OneStroke, [1, 1]), (Twist::OneColour, [1, 2])] {
        for mut table in tables(Game::DrawAndGuess, Some(twist), draws) {
            let cheat = table.cheat;
            table.act(cheat, Action::ChooseWord { index: 0 });
            table.pass(10);
            table.dot(cheat, (4000, 4000), colours[0]);
            assert_eq!(table.noticed, []);
            table.dot(cheat, (5000, 5000), colours[1]);
            table.notices(Unfair::DrewOutOfTurn);
            assert_eq!(table.hidden.len(), 1, "{twist:?}");
        }
    }
}

#[test]
fn same_word_drawn_over_the_middle_or_not_as_it_was_sealed() {
    for mut table in tables(Game::SameWord, None, |_| true) {
        let (cheat, there) = (table.cheat, if table.cheat == 0 { 15_000 } else { 1000 });
        table.dot(cheat, (there, 4000), 1);
        table.notices(Unfair::DrewOutOfTurn);
    }
    for mut table in tables(Game::SameWord, None, |_| true) {
        let (cheat, honest, here) = (table.cheat, table.honest(), if table.cheat == 0 { 1000 } else { 15_000 });
        table.change = Some(Box::new(|action| match action {
            Move::End { seq, .. } => Move::End { seq, seal: [7; 32] },
            other => other,
        }));
        table.dot(cheat, (here, 4000), 1);
        table.act(cheat, Action::Done);
        table.act(honest, Action::Done);
        table.notices(Unfair::ChangedDrawing);
    }
}

#[test]
fn finish_my_drawing_outside_the_band_out_of_turn_and_after_its_end() {
    let yours = |view: &GameView| view.your_turn;
    for mut table in tables(Game::FinishMyDrawing, None, yours) {
        let cheat = table.cheat;
        table.dot(cheat, (4000, 9000), 1);
        table.notices(Unfair::DrewOutOfTurn);
    }
    for mut table in tables(Game::FinishMyDrawing, None, |view| !view.your_turn) {
        let cheat = table.cheat;
        table.dot(cheat, (4000, 1000), 1);
        table.notices(Unfair::DrewOutOfTurn);
    }
    for mut table in tables(Game::FinishMyDrawing, None, yours) {
        let cheat = table.cheat;
        table.dot(cheat, (4000, 1000), 1);
        table.act(cheat, Action::Done);
        table.dot(cheat, (4000, 1200), 1);
        table.notices(Unfair::DrewOutOfTurn);
    }
    for mut table in tables(Game::FinishMyDrawing, None, |view| !view.your_turn) {
        table.forge_move(Move::End { seq: 9, seal: [0; 32] });
        table.notices(Unfair::ImpossibleMove);
    }
}

/// Draws all bands to the end, the cheat's marks near the edge of its first.
fn unfolded(change: fn(Move) -> Move) -> Vec<Table> {
    let mut all = tables(Game::FinishMyDrawing, None, |view| view.your_turn);
    for table in &mut all {
        let cheat = table.cheat;
        table.change = Some(Box::new(change));
        table.dot(cheat, (4000, 2400), 1);
        for band in 0..4 {
            let side = if band % 2 == 0 { cheat } else { 1 - cheat };
            table.act(side, Action::Done);
            table.pass(20);
        }
        assert!(table.sides[table.honest()].is_over());
    }
    all
}

#[test]
fn an_edge_that_is_not_the_drawings() {
    for mut table in unfolded(|action| action) {
        table.pass(20);
        assert_eq!(table.noticed, []);
    }
    let bare = |action| match action {
        Move::Edge { marks } if !marks.is_empty() => Move::Edge { marks: Vec::new() },
        other => other,
    };
    unfolded(bare).iter_mut().for_each(|table| table.notices(Unfair::ChangedDrawing));
    let dot = |x, y| OpKind::Stroke(Stroke { colour: Some(2), size: 20, points: vec![Point { x, y, pressure: 128 }] });
    for kind in [dot(1, 2000), dot(1, 2600), OpKind::Clear] {
        for mut table in tables(Game::FinishMyDrawing, None, |view| view.your_turn) {
            let cheat = table.cheat;
            table.keeps = Some(|action| matches!(action, Move::Edge { .. }));
            table.act(cheat, Action::Done);
            table.keeps = None;
            table.forge_move(Move::Edge { marks: vec![kind.clone()] });
            table.pass(20);
            assert_eq!(table.noticed[0], Unfair::ImpossibleMove, "{kind:?}");
        }
    }
}

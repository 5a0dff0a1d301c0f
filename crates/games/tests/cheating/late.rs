//! Clocks that run otherwise, and programs that keep back what they owe or hardly speak. What was only late is forgiven.

use crate::table::{BEGUN, Table, draws, tables};
use visavis_games::{Action, Input, Pause, Unfair};
use visavis_wire::games::{Entry, Game, GameMessage, Move};
use visavis_wire::paper::Author;

#[test]
fn an_offerer_whose_clock_is_fast_slow_or_goes_back() {
    for gains in [500, -500] {
        let mut table = Table::playing(Game::DrawAndGuess, None, 3, 0);
        table.gains = gains;
        table.pass(400);
        table.notices(Unfair::WrongClock);
    }
    let mut table = Table::playing(Game::Gomoku, None, 5, 0);
    let from = table.sides[1].hash().0 as u32;
    let entries = vec![Entry { by: Author(0), at_ms: 0, action: Move::Stop }];
    table.forge(GameMessage::Log { game: 5, from, entries });
    table.notices(Unfair::WrongClock);
}

#[test]
fn an_offerer_that_hardly_speaks() {
    for every in [7, 1000] {
        let mut table = Table::playing(Game::Gomoku, None, 5, 0);
        table.speaks_every = every;
        table.pass(1500);
        assert_eq!(table.noticed, [Unfair::Silent], "every {every} s");
    }
    let mut table = Table::playing(Game::Gomoku, None, 5, 0);
    table.speaks_every = 4;
    table.pass(3000);
    assert_eq!(table.noticed, [], "slow is not silent");
}

#[test]
fn what_comes_late_is_forgiven() {
    let mut table = Table::playing(Game::Gomoku, None, 5, 0);
    table.speaks_every = 1000;
    table.pass(600);
    assert_eq!((&table.noticed[..], &table.settled[..]), (&[Unfair::Silent][..], &[][..]));
    table.speaks_every = 0;
    table.spoke_at = BEGUN;
    table.pass(1200);
    assert_eq!((&table.noticed[..], &table.settled[..]), (&[Unfair::Silent][..], &[Unfair::Silent][..]));
    for mut table in tables(Game::TwoTruths, None, |view| view.your_turn) {
        let (cheat, honest) = (table.cheat, table.honest());
        table.keeps = Some(|action| matches!(action, Move::Open { .. }));
        table.act(cheat, Action::Tell { statements: ["a", "b", "c"].map(String::from), lie: 0 });
        table.act(honest, Action::Pick { statement: 0 });
        table.pass(400);
        table.keeps = None;
        table.pass(50);
        assert_eq!((&table.noticed[..], &table.settled[..]), (&[Unfair::KeptBack][..], &[Unfair::KeptBack][..]));
    }
}

/// It goes on talking, but what the answerer does never comes back in its log.
#[test]
fn an_offerer_that_leaves_out_the_answerers_moves() {
    let mut table = Table::new(Game::Gomoku, None, 5, 0);
    table.deaf = true;
    table.act(1, Action::Ready);
    table.pass(400);
    assert_eq!(table.noticed, [Unfair::Silent]);
}

#[test]
fn a_secret_that_is_never_opened() {
    let opens = |action: &Move| matches!(action, Move::Open { .. });
    for mut table in tables(Game::TwoTruths, None, |view| view.your_turn) {
        let (cheat, honest) = (table.cheat, table.honest());
        table.keeps = Some(opens);
        table.act(cheat, Action::Tell { statements: ["a", "b", "c"].map(String::from), lie: 0 });
        table.pass(600);
        assert_eq!(table.noticed, [], "nothing is owed before the pick");
        table.act(honest, Action::Pick { statement: 0 });
        table.pass(200);
        table.notices(Unfair::KeptBack);
    }
    for mut table in tables(Game::DrawAndGuess, None, draws) {
        let cheat = table.cheat;
        table.keeps = Some(opens);
        table.act(cheat, Action::ChooseWord { index: 0 });
        table.pass(30);
        table.act(cheat, Action::SaidAloud);
        table.pass(200);
        table.notices(Unfair::KeptBack);
    }
}

#[test]
fn guesses_that_are_never_judged_and_drawings_that_never_begin() {
    for mut table in tables(Game::DrawAndGuess, None, draws) {
        let (cheat, honest) = (table.cheat, table.honest());
        table.keeps = Some(|action| matches!(action, Move::Verdict { .. }));
        table.act(cheat, Action::ChooseWord { index: 0 });
        table.pass(30);
        table.act(honest, Action::Guess { text: String::from("tower") });
        table.pass(200);
        table.notices(Unfair::KeptBack);
    }
    for mut table in tables(Game::DrawAndGuess, None, draws) {
        let cheat = table.cheat;
        table.keeps = Some(|action| matches!(action, Move::Begin { .. }));
        table.act(cheat, Action::ChooseWord { index: 0 });
        table.pass(200);
        table.notices(Unfair::KeptBack);
    }
}

#[test]
fn drawings_that_are_sealed_and_never_opened() {
    for mut table in tables(Game::SameWord, None, |_| true) {
        let (cheat, honest) = (table.cheat, table.honest());
        table.secret_mark((if cheat == 0 { 100 } else { 9000 }, 500));
        table.act(cheat, Action::Done);
        table.pass(600);
        assert_eq!(table.noticed, [], "it is hidden until both are done");
        table.act(honest, Action::Done);
        table.pass(200);
        table.notices(Unfair::KeptBack);
    }
    for mut table in tables(Game::FinishMyDrawing, None, |view| view.your_turn) {
        let cheat = table.cheat;
        table.keeps = Some(|action| matches!(action, Move::Edge { .. }));
        table.dot(cheat, (4000, 1000), 1);
        table.act(cheat, Action::Done);
        table.pass(200);
        table.notices(Unfair::KeptBack);
    }
}

#[test]
fn a_program_that_says_for_ever_that_it_pauses() {
    for game in [Game::DrawAndGuess, Game::SameWord, Game::FinishMyDrawing, Game::Gomoku, Game::TwoTruths] {
        for mut table in tables(game, None, |_| true) {
            table.pauses = true;
            table.pass(550);
            assert_eq!(table.noticed, [], "{game:?}: the other's veil may be seen a little later here");
            table.notices(Unfair::HeldUp);
            assert!(table.view(table.honest()).paused);
            table.pauses = false;
            table.pass(100);
            assert_eq!((&table.settled[..], table.view(table.honest()).paused), (&[Unfair::HeldUp][..], false), "{game:?}");
        }
    }
}

#[test]
fn a_veil_that_is_told_and_never_seen_and_one_that_is_seen() {
    for mut table in tables(Game::Gomoku, None, |_| true) {
        let honest = table.honest();
        (0..2).for_each(|side| table.put(side, Input::Pause(Pause::Seen)));
        table.pass(6000);
        assert_eq!(table.noticed, [], "whoever is veiled or away may stay so");
        table.put(honest, Input::Pause(Pause::Told));
        table.pass(550);
        table.notices(Unfair::HeldUp);
    }
}

/// Before a round and after it nothing is held up: both can be ready, and end it.
#[test]
fn a_pause_between_rounds_is_nobodys_loss() {
    let mut table = Table::new(Game::Gomoku, None, 5, 0);
    table.pauses = true;
    table.pass(3000);
    assert_eq!(table.noticed, []);
    table.act(1, Action::Stop);
    table.pass(3000);
    assert_eq!(table.noticed, []);
}

#[test]
fn nobody_is_accused_of_an_honest_clock() {
    let mut table = Table::playing(Game::DrawAndGuess, None, 3, 0);
    table.pass(3000);
    assert_eq!(table.noticed, []);
}

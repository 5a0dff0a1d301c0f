//! An honest side against a program that cheats: each way of cheating is noticed as what it is.

mod drawings;
mod late;
mod table;

use table::{Table, draws, tables};
use visavis_games::{Action, Scene, Unfair};
use visavis_wire::games::{Entry, Game, GameMessage, Move, Verdict};
use visavis_wire::paper::Author;

#[test]
fn gomoku_out_of_turn_twice_on_one_cell_and_off_the_board() {
    for mut table in tables(Game::Gomoku, None, |view| !view.your_turn) {
        table.forge_move(Move::Place { cell: 3 });
        table.notices(Unfair::ImpossibleMove);
    }
    for mut table in tables(Game::Gomoku, None, |view| !view.your_turn) {
        let honest = table.honest();
        table.act(honest, Action::Place { cell: 7 });
        table.forge_move(Move::Place { cell: 7 });
        table.notices(Unfair::ImpossibleMove);
    }
    for mut table in tables(Game::Gomoku, None, |view| view.your_turn) {
        table.forge_move(Move::Place { cell: 225 });
        table.notices(Unfair::ImpossibleMove);
    }
}

#[test]
fn moves_of_another_game() {
    for (game, action) in [
        (Game::TwoTruths, Move::Place { cell: 1 }),
        (Game::SameWord, Move::Pick { statement: 1 }),
        (Game::FinishMyDrawing, Move::SaidAloud),
        (Game::DrawAndGuess, Move::Pick { statement: 1 }),
        (Game::Gomoku, Move::SaidAloud),
    ] {
        for mut table in tables(game, None, |_| true) {
            table.forge_move(action.clone());
            table.notices(Unfair::ImpossibleMove);
        }
    }
}

#[test]
fn two_truths_with_another_lie_after_the_pick() {
    for mut table in tables(Game::TwoTruths, None, |view| view.your_turn) {
        let (cheat, honest) = (table.cheat, table.honest());
        table.change = Some(Box::new(|action| match action {
            Move::Open { nonce, .. } => Move::Open { secret: String::from("2"), nonce },
            other => other,
        }));
        table.act(cheat, Action::Tell { statements: ["a", "b", "c"].map(String::from), lie: 0 });
        table.act(honest, Action::Pick { statement: 0 });
        table.notices(Unfair::ChangedSecret);
    }
}

#[test]
fn two_truths_picked_by_the_teller() {
    for mut table in tables(Game::TwoTruths, None, |view| view.your_turn) {
        let cheat = table.cheat;
        table.act(cheat, Action::Tell { statements: ["a", "b", "c"].map(String::from), lie: 0 });
        table.forge_move(Move::Pick { statement: 1 });
        table.notices(Unfair::ImpossibleMove);
    }
}

/// Both draw until one guess is right; what the drawer's program says is changed.
fn guessed(change: fn(Move) -> Move, guess: impl Fn(&str) -> String) -> Vec<Table> {
    let mut all = tables(Game::DrawAndGuess, None, draws);
    for table in &mut all {
        let (cheat, honest) = (table.cheat, table.honest());
        table.change = Some(Box::new(change));
        table.act(cheat, Action::ChooseWord { index: 0 });
        table.pass(20);
        let Scene::DrawAndGuess(scene) = table.view(cheat).scene else { panic!("another game") };
        let word = scene.word.expect("the drawer knows the word");
        table.act(honest, Action::Guess { text: guess(&word) });
        table.act(cheat, Action::SaidAloud);
        table.pass(40);
    }
    all
}

#[test]
fn draw_and_guess_with_another_word_opened() {
    let change = |action| match action {
        Move::Open { nonce, .. } => Move::Open { secret: String::from("house"), nonce },
        other => other,
    };
    guessed(change, |_| String::from("certainly not")).iter_mut().for_each(|table| table.notices(Unfair::ChangedSecret));
    let no_word = |action| match action {
        Move::Open { nonce, .. } => Move::Open { secret: String::from("qqqq"), nonce },
        other => other,
    };
    guessed(no_word, |_| String::from("certainly not")).iter_mut().for_each(|table| table.notices(Unfair::ChangedSecret));
}

#[test]
fn draw_and_guess_with_a_close_guess_called_wrong_and_a_wrong_one_close() {
    let deny = |action| match action {
        Move::Verdict { guess, .. } => Move::Verdict { guess, verdict: Verdict::Wrong },
        other => other,
    };
    for mut table in tables(Game::DrawAndGuess, None, draws) {
        let (cheat, honest) = (table.cheat, table.honest());
        table.act(cheat, Action::ChooseWord { index: 2 });
        table.pass(20);
        let Scene::DrawAndGuess(scene) = table.view(cheat).scene else { panic!("another game") };
        let word = scene.word.expect("the drawer knows the word");
        // One letter off: close, and told as wrong.
        let close: String = word.chars().chain(['x']).collect();
        table.change = Some(Box::new(deny));
        table.act(honest, Action::Guess { text: close });
        table.act(cheat, Action::SaidAloud);
        table.notices(Unfair::WrongVerdict);
    }
    let grant = |action| match action {
        Move::Verdict { guess, .. } => Move::Verdict { guess, verdict: Verdict::Close },
        other => other,
    };
    guessed(grant, |_| String::from("certainly not")).iter_mut().for_each(|table| table.notices(Unfair::WrongVerdict));
}

#[test]
fn draw_and_guess_with_a_letter_that_the_word_does_not_have() {
    for mut table in tables(Game::DrawAndGuess, None, draws) {
        let cheat = table.cheat;
        table.change = Some(Box::new(|action| match action {
            Move::Hint { place, given, .. } => Move::Hint { place, letter: '#', given },
            other => other,
        }));
        table.act(cheat, Action::ChooseWord { index: 0 });
        table.act(cheat, Action::GiveHint);
        table.act(cheat, Action::SaidAloud);
        table.notices(Unfair::WrongVerdict);
    }
}

#[test]
fn draw_and_guess_drawn_by_the_guesser_and_judged_by_the_guesser() {
    for mut table in tables(Game::DrawAndGuess, None, |view| !draws(view)) {
        let (cheat, honest) = (table.cheat, table.honest());
        table.act(honest, Action::ChooseWord { index: 0 });
        table.dot(cheat, (4000, 4000), 1);
        table.notices(Unfair::DrewOutOfTurn);
        assert_eq!(table.hidden.len(), 1, "and it is not shown");
    }
    for mut table in tables(Game::DrawAndGuess, None, |view| !draws(view)) {
        let honest = table.honest();
        table.act(honest, Action::ChooseWord { index: 0 });
        table.forge_move(Move::Verdict { guess: 0, verdict: Verdict::Right });
        table.notices(Unfair::ImpossibleMove);
    }
}

/// The offerer keeps the log: it can tell one course now and another later, or put words into the answerer's mouth.
#[test]
fn two_histories() {
    let game = 5;
    let mut table = Table::playing(Game::Gomoku, None, game, 0);
    let entries = vec![Entry { by: Author(0), at_ms: 0, action: Move::Stop }];
    table.forge(GameMessage::Log { game, from: 0, entries });
    table.notices(Unfair::OtherCourse);

    let mut table = Table::playing(Game::Gomoku, None, game, 0);
    let from = table.sides[1].hash().0 as u32;
    let entries = vec![Entry { by: Author(1), at_ms: 9000, action: Move::Place { cell: 0 } }];
    table.forge(GameMessage::Log { game, from, entries });
    table.notices(Unfair::OtherCourse);

    for cheat in 0..2 {
        let mut table = Table::playing(Game::Gomoku, None, game, cheat);
        let entries = table.sides[0].hash().0 as u32;
        table.forge(GameMessage::Here { game, entries, hash: 1, paused: false, at_ms: 2000 });
        table.notices(Unfair::OtherCourse);
    }
}

/// One hint is the drawer's to give; the rest come by time.
#[test]
fn a_second_hint_of_the_drawers_own() {
    for mut table in tables(Game::DrawAndGuess, None, draws) {
        let cheat = table.cheat;
        table.act(cheat, Action::ChooseWord { index: 2 });
        table.pass(20);
        table.act(cheat, Action::GiveHint);
        let Scene::DrawAndGuess(scene) = table.view(cheat).scene else { panic!("another game") };
        let shown = |scene: &[String]| scene.iter().flat_map(|part| part.chars()).filter(|letter| *letter != '_').count();
        assert!(!scene.hint_left);
        table.act(cheat, Action::GiveHint);
        let Scene::DrawAndGuess(seen) = table.view(table.honest()).scene else { panic!("another game") };
        assert_eq!(shown(&seen.pattern), 1, "the second is not given");
        let free = seen.pattern.concat().chars().position(|letter| letter == '_').unwrap() as u8;
        table.forge_move(Move::Hint { place: free, letter: 'a', given: true });
        table.notices(Unfair::ImpossibleMove);
    }
}

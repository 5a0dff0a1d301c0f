//! Games between two sessions with the real server and engines: wished for blindly, played by what each side's page shows, to the end.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of their functions")]

#[path = "support/person.rs"]
mod person;

use person::{Person, meet};
use visavis_games::{Action, GameView, Outcome, Phase, Scene};
use visavis_media::camera::CameraSource;
use visavis_rehearsal::bot;
use visavis_server::{Config, Server};
use visavis_session::Command;
use visavis_session::view::{CallView, Connection};
use visavis_wire::games::{Game, Play};
use visavis_wire::paper::Point;

fn game(call: &CallView) -> Option<&GameView> {
    call.game.as_ref()
}

/// What the page shows once `wanted` holds of the game.
async fn seen(person: &mut Person, what: &str, mut wanted: impl FnMut(&GameView) -> bool) -> GameView {
    let call = person.call(what, |call| game(call).is_some_and(&mut wanted)).await;
    assert_eq!(call.unfair, None, "{what}");
    call.game.unwrap()
}

fn act(person: &Person, action: Action) {
    person.session.command(Command::Play { action });
}

/// Both wish for it, and both have read the rules.
async fn begin([a, b]: [&mut Person; 2], play: Play) {
    a.session.command(Command::Wish { play: Some(play) });
    a.call("the own wish", |call| call.wish == Some(play)).await;
    let other = b.call("a call", |_| true).await;
    assert!(other.wish.is_none() && other.game.is_none_or(|game| game.phase == Phase::Over), "a wish alone is not told");
    b.session.command(Command::Wish { play: Some(play) });
    for person in [a, b] {
        seen(person, "the rules", |game| game.game == play.game && matches!(game.phase, Phase::Ready { you: false, .. })).await;
        act(person, Action::Ready);
    }
}

async fn gomoku([a, b]: [&mut Person; 2]) {
    begin([a, b], Play { game: Game::Gomoku, twist: None }).await;
    let first = seen(a, "the board", |game| game.phase == Phase::Playing).await;
    let Scene::Gomoku { you_black, .. } = first.scene else { panic!("{first:?}") };
    let (black, white) = if you_black { (a, b) } else { (b, a) };
    // A view may be older than what was just done: the last stone says which one it is.
    let lies = |game: &GameView, stone: Option<u8>| {
        game.phase == Phase::Playing && matches!(game.scene, Scene::Gomoku { last, .. } if last == stone)
    };
    let mut last = None;
    for turn in 0..5u8 {
        seen(black, "black's turn", |game| lies(game, last) && game.your_turn).await;
        act(black, Action::Place { cell: 7 * 15 + turn });
        if turn < 4 {
            seen(white, "white's turn", |game| lies(game, Some(7 * 15 + turn)) && game.your_turn).await;
            last = Some(9 * 15 + turn);
            act(white, Action::Place { cell: 9 * 15 + turn });
        }
    }
    for (person, wins) in [(black, true), (white, false)] {
        let end = seen(person, "the end", |game| game.phase == Phase::Over).await;
        let Scene::Gomoku { line, you_won, .. } = end.scene else { panic!("{end:?}") };
        assert_eq!((line, you_won), ((105..110).collect(), Some(wins)));
    }
}

async fn two_truths([a, b]: [&mut Person; 2]) {
    begin([a, b], Play { game: Game::TwoTruths, twist: None }).await;
    for round in 1..=2 {
        let first = seen(a, "a round", |game| game.phase == Phase::Playing && game.round == round).await;
        let Scene::TwoTruths { you_tell, .. } = first.scene else { panic!("{first:?}") };
        let (teller, other) = if you_tell { (&mut *a, &mut *b) } else { (&mut *b, &mut *a) };
        seen(teller, "telling", |game| game.your_turn && game.round == round).await;
        let statements = ["I swim", "I have a goat", "I was born on a ship"].map(String::from);
        act(teller, Action::Tell { statements, lie: 1 });
        let told = seen(other, "statements", |game| game.your_turn && game.round == round).await;
        let Scene::TwoTruths { statements, lie, .. } = told.scene else { panic!("{told:?}") };
        assert_eq!((statements.len(), lie), (3, None), "the lie is not told before the pick");
        act(other, Action::Pick { statement: 2 });
        for person in [other, teller] {
            let open = |game: &GameView| matches!(game.scene, Scene::TwoTruths { picked: Some(2), lie: Some(1), .. });
            let after = seen(person, "the lie", |game| open(game) && game.phase != Phase::Playing).await;
            assert_eq!(after.phase == Phase::Over, round == 2);
            act(person, Action::Ready);
        }
    }
}

async fn draw_and_guess([a, b]: [&mut Person; 2]) {
    begin([a, b], Play { game: Game::DrawAndGuess, twist: None }).await;
    let first = seen(a, "a round", |game| game.phase == Phase::Playing).await;
    let Scene::DrawAndGuess(scene) = first.scene else { panic!("{first:?}") };
    let (drawer, other) = if scene.you_draw { (&mut *a, &mut *b) } else { (&mut *b, &mut *a) };
    let offered =
        seen(drawer, "words", |game| matches!(&game.scene, Scene::DrawAndGuess(scene) if scene.offers.len() == 3)).await;
    assert!(!offered.permit.draw, "no word is chosen yet");
    act(drawer, Action::ChooseWord { index: 0 });
    let chosen = seen(drawer, "drawing", |game| game.permit.draw).await;
    let Scene::DrawAndGuess(scene) = chosen.scene else { panic!("{chosen:?}") };
    let word = scene.word.unwrap();
    let points = vec![Point { x: 3000, y: 3000, pressure: 128 }, Point { x: 6000, y: 4000, pressure: 128 }];
    drawer.session.command(Command::DrawPoints { id: 1, colour: Some(0), size: 40, points, fades: false });
    drawer.session.command(Command::DrawEnd { id: 1 });
    let guessing =
        |game: &GameView| matches!(&game.scene, Scene::DrawAndGuess(scene) if game.your_turn && !scene.pattern.is_empty());
    let hidden = seen(other, "the pattern", guessing).await;
    let Scene::DrawAndGuess(scene) = &hidden.scene else { panic!("{hidden:?}") };
    assert!(scene.word.is_none() && !hidden.permit.draw, "{scene:?}");
    act(other, Action::Guess { text: String::from("certainly something else") });
    act(other, Action::Guess { text: word.to_uppercase() });
    for person in [drawer, other] {
        let guessed = |game: &GameView| matches!(&game.scene, Scene::DrawAndGuess(scene) if scene.outcome == Some(Outcome::Guessed) && scene.word.is_some());
        let end = seen(person, "the outcome", guessed).await;
        let Scene::DrawAndGuess(scene) = end.scene else { panic!("{end:?}") };
        assert_eq!((scene.word.as_ref(), scene.guesses.len()), (Some(&word), 2), "{scene:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sessions_play_games_to_their_ends() {
    let (folder, profiles) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    visavis_rehearsal::browser::install_tls();
    let server = Server::start(Config::dev(folder.path().to_owned())).await.unwrap();
    let arrive = |identity: &'static str, camera| {
        Person::arrive(&format!("http://{}", server.http), profiles.path().join(identity), identity, camera)
    };
    let mut a = arrive("ada", CameraSource::Pattern);
    let mut b = arrive("bao", CameraSource::Face { name: String::from("bao") });
    meet(&mut a, &mut b).await;
    for person in [&mut a, &mut b] {
        person.call("a connection", |call| call.connection == Connection::Connected).await;
    }
    gomoku([&mut a, &mut b]).await;
    two_truths([&mut a, &mut b]).await;
    draw_and_guess([&mut a, &mut b]).await;
}

/// Somebody alone with a bot: it meets the wish, reads the rules, and answers every stone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_plays_with_whoever_wishes_for_it() {
    let (folder, profiles) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    visavis_rehearsal::browser::install_tls();
    let server = Server::start(Config::dev(folder.path().to_owned())).await.unwrap();
    let url = format!("http://{}", server.http);
    let mut ada = Person::arrive(&url, profiles.path().join("ada"), "ada", CameraSource::Pattern);
    let manner = bot::Manner {
        identity: String::from("bao"),
        meet: true,
        reveal: false,
        follow: false,
        draw: false,
        play: true,
        leave_after: None,
        camera: Vec::new(),
        flood: false,
        meetings: Some(1),
    };
    let camera = CameraSource::Face { name: String::from("bao") };
    let (reports, mut said) = tokio::sync::mpsc::unbounded_channel();
    let bot = tokio::spawn(bot::run(bot::config(&url, "bao", profiles.path().join("bao"), camera), manner, reports));
    ada.page("welcome").await;
    ada.session.command(Command::SignIn);
    ada.page("mirror").await;
    ada.session.command(Command::Meet);
    ada.page("match").await;
    ada.session.command(Command::AnswerMatch { meet: true });
    ada.call("a connection", |call| call.connection == Connection::Connected).await;
    let play = Play { game: Game::Gomoku, twist: None };
    ada.session.command(Command::Wish { play: Some(play) });
    seen(&mut ada, "the rules", |game| matches!(game.phase, Phase::Ready { you: false, .. })).await;
    act(&ada, Action::Ready);
    let mut stones = 0;
    loop {
        let shown = |board: &str| board.matches(['b', 'w']).count();
        let next = seen(&mut ada, "the bot's stone", |game| match &game.scene {
            Scene::Gomoku { board, .. } => {
                game.phase == Phase::Over || game.your_turn && game.phase == Phase::Playing && shown(board) >= stones
            }
            _ => false,
        })
        .await;
        let Scene::Gomoku { board, you_won, .. } = &next.scene else { panic!("{next:?}") };
        if next.phase == Phase::Over {
            assert_eq!(*you_won, Some(false), "stones along the edge win nothing: {board}");
            break;
        }
        stones = shown(board) + 1;
        // Every other cell from the corner on.
        let free = board.match_indices('.').map(|(cell, _)| cell).find(|cell| cell % 2 == 0);
        act(&ada, Action::Place { cell: free.unwrap() as u8 });
    }
    while !matches!(said.recv().await, Some(bot::Report::GameOver { .. })) {}
    bot.abort();
}

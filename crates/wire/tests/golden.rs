//! Bytes that other versions of the program hold us to. A change here is a change of protocol: raise the version instead.

use visavis_wire::channel::{Bottleneck, ChannelMessage, Comparison, Control, Here, Ink, Live, Operations, Seen, Shows};
use visavis_wire::friends::{FollowId, Text};
use visavis_wire::games::{Entry, Game, GameMessage, Move, Play, Twist};
use visavis_wire::paper::{Author, Fill, Form, Op, OpId, OpKind, Place, Point, Run, Shape, Stroke};
use visavis_wire::socket::{ClientMessage, Closed, MatchId, Question, RelayCredentials, Role, ServerMessage, Signal, Widening};
use visavis_wire::{DecodeError, Private, limits};

fn id() -> MatchId {
    MatchId(String::from("m1"))
}

fn relay() -> RelayCredentials {
    RelayCredentials::default()
}

#[test]
fn socket_messages_keep_their_json() {
    let client = [
        (ClientMessage::Hello { protocol: 1 }, r#"{"type":"hello","protocol":1}"#),
        (ClientMessage::Join, r#"{"type":"join"}"#),
        (
            ClientMessage::Widen { languages: vec!["de".into()], any_age: true },
            r#"{"type":"widen","languages":["de"],"any_age":true}"#,
        ),
        (ClientMessage::CancelWaiting, r#"{"type":"cancel_waiting"}"#),
        (ClientMessage::MatchAnswer { match_id: id(), meet: true }, r#"{"type":"match_answer","match_id":"m1","meet":true}"#),
        (ClientMessage::Ring { follow: FollowId("f1".into()), direct: false }, r#"{"type":"ring","follow":"f1"}"#),
        (ClientMessage::Ring { follow: FollowId("f1".into()), direct: true }, r#"{"type":"ring","follow":"f1","direct":true}"#),
        (ClientMessage::AllowDirect { match_id: id() }, r#"{"type":"allow_direct","match_id":"m1"}"#),
        (
            ClientMessage::Answer { match_id: id(), question: Question::Reveal, yes: false },
            r#"{"type":"answer","match_id":"m1","question":"reveal","yes":false}"#,
        ),
        (
            ClientMessage::Signal { match_id: id(), signal: Signal::Offer { sdp: Private::new(String::from("v=0")) } },
            r#"{"type":"signal","match_id":"m1","signal":{"signal":"offer","sdp":"v=0"}}"#,
        ),
        (ClientMessage::Leave { match_id: id() }, r#"{"type":"leave","match_id":"m1"}"#),
        (
            ClientMessage::SawCovered { match_id: id(), saw_s: 40, told_s: 0 },
            r#"{"type":"saw_covered","match_id":"m1","saw_s":40,"told_s":0}"#,
        ),
    ];
    for (message, json) in client {
        assert_eq!(message.to_json(), json);
        assert_eq!(ClientMessage::from_json(json), Ok(message));
    }
    let server = [
        (ServerMessage::Welcome { protocol: 1 }, r#"{"type":"welcome","protocol":1}"#),
        (
            ServerMessage::MatchBegins { match_id: id(), role: Role::Offerer, relay: relay(), direct: true },
            r#"{"type":"match_begins","match_id":"m1","role":"offerer","relay":{"urls":[],"username":"","credential":"","expires_in_s":0},"direct":true}"#,
        ),
        (
            ServerMessage::MatchBegins { match_id: id(), role: Role::Answerer, relay: relay(), direct: false },
            r#"{"type":"match_begins","match_id":"m1","role":"answerer","relay":{"urls":[],"username":"","credential":"","expires_in_s":0}}"#,
        ),
        (
            ServerMessage::Waiting {
                waited_s: 4,
                looking_for: vec![String::from("city")],
                relaxed: vec![],
                estimate_s: None,
                widening: None,
            },
            r#"{"type":"waiting","waited_s":4,"looking_for":["city"],"relaxed":[],"estimate_s":null}"#,
        ),
        (
            ServerMessage::Waiting {
                waited_s: 9,
                looking_for: vec![],
                relaxed: vec![],
                estimate_s: Some(3),
                widening: Some(Widening { languages: vec!["en".into()], any_age: false }),
            },
            concat!(
                r#"{"type":"waiting","waited_s":9,"looking_for":[],"relaxed":[],"estimate_s":3,"#,
                r#""widening":{"languages":["en"],"any_age":false}}"#
            ),
        ),
        (
            ServerMessage::QuestionOpened { match_id: id(), question: Question::Follow },
            r#"{"type":"question_opened","match_id":"m1","question":"follow"}"#,
        ),
        (ServerMessage::PeerAway { match_id: id() }, r#"{"type":"peer_away","match_id":"m1"}"#),
        (
            ServerMessage::Closed { because: Closed::Hours, opens_in_s: Some(60) },
            r#"{"type":"closed","because":"hours","opens_in_s":60}"#,
        ),
        (
            ServerMessage::Text {
                follow: FollowId(String::from("f1")),
                text: Text { number: 3, own: false, text: Private::new(String::from("hi")), sent_at: 9 },
            },
            r#"{"type":"text","follow":"f1","text":{"number":3,"own":false,"text":"hi","sent_at":9}}"#,
        ),
    ];
    for (message, json) in server {
        assert_eq!(message.to_json(), json);
        assert_eq!(ServerMessage::from_json(json), Ok(message));
    }
}

#[test]
fn channel_messages_keep_their_bytes() {
    let sight = Control::Sight { shows: Shows::Clear, camera_on: true, sees: Seen::Covered };
    assert_eq!(sight.to_bytes(), [1, 0, 1, 1, 3]);
    let seen = [
        (Seen::Unknown, 0),
        (Seen::Clear, 1),
        (Seen::Dark, 2),
        (Seen::Covered, 3),
        (Seen::Frozen, 4),
        (Seen::Off, 5),
        (Seen::NoSignal, 6),
        (Seen::Partial, 7),
        (Seen::NobodyInView, 8),
    ];
    for (sees, number) in seen {
        let bytes = [1, 0, 0, 0, number];
        assert_eq!(Control::Sight { shows: Shows::Veiled, camera_on: false, sees }.to_bytes(), bytes);
    }
    assert!(matches!(Control::from_bytes(&[1, 0, 0, 0, 9]), Err(DecodeError::Malformed(_))));
    assert_eq!(Control::Leaving.to_bytes(), [1, 3]);
    assert_eq!(Control::Lowered { by: None }.to_bytes(), [1, 4, 0]);
    assert_eq!(Control::Lowered { by: Some(Bottleneck::Path) }.to_bytes(), [1, 4, 1, 0]);
    assert_eq!(Control::from_bytes(&[1, 4, 1, 1]), Ok(Control::Lowered { by: Some(Bottleneck::Processor) }));
    let here = Here { offerer: 7, answerer: 300, offerer_hash: 1, answerer_hash: 128 };
    assert_eq!(Control::Paper(here).to_bytes(), [1, 2, 7, 172, 2, 1, 128, 1]);
    let numbers: [u8; 32] = std::array::from_fn(|at| at as u8);
    for (tag, message) in
        [Comparison::Commitment(numbers), Comparison::Number(numbers), Comparison::Opening(numbers)].into_iter().enumerate()
    {
        let bytes = Control::Comparison(message).to_bytes();
        assert_eq!((&bytes[..3], &bytes[3..]), (&[1, 5, tag as u8][..], &numbers[..]));
    }
    let point = Point { x: 1, y: 2, pressure: 128 };
    let ink = Ink { colour: Some(255), size: 60, fades: false };
    let live = Live::Ink { stroke: 3, ink, from: 4, points: vec![point] };
    assert_eq!(live.to_bytes(), [1, 0, 3, 1, 255, 1, 60, 0, 4, 1, 1, 2, 128]);
    assert_eq!(Live::Dropped { stroke: 3 }.to_bytes(), [1, 2, 3]);
    assert_eq!(Live::Cursor { x: 300, y: 5 }.to_bytes(), [1, 3, 172, 2, 5]);
    let shape = Shape { form: Form::Ellipse, colour: 9, size: 20, from: Place { x: 1, y: 2 }, to: Place { x: 3, y: 4 } };
    let kinds: [(OpKind, &[u8]); 5] = [
        (OpKind::Stroke(Stroke { colour: Some(0xff), size: 60, points: vec![point] }), &[0, 1, 255, 1, 60, 1, 1, 2, 128]),
        (OpKind::Stroke(Stroke { colour: None, size: 60, points: vec![point] }), &[0, 0, 60, 1, 1, 2, 128]),
        (OpKind::Shape(shape), &[1, 2, 9, 20, 1, 2, 3, 4]),
        (OpKind::Fill(Fill { colour: 9, runs: vec![Run(300, 2)] }), &[2, 9, 1, 172, 2, 2]),
        (OpKind::Clear, &[4]),
    ];
    for (kind, bytes) in kinds {
        let op = Op { id: OpId { author: Author(1), seq: 7 }, time: 9, live: 3, kind };
        let operations = Operations(vec![op]);
        assert_eq!(operations.to_bytes(), [&[1, 1, 1, 7, 9, 3], bytes].concat());
        assert_eq!(Operations::from_bytes(&operations.to_bytes()), Ok(operations));
    }
}

#[test]
fn games_keep_their_bytes_and_json() {
    let bytes = |message| Control::Game(message).to_bytes();
    let moves = GameMessage::Moves { game: 300, from: 2, moves: vec![Move::Place { cell: 7 }, Move::Stop] };
    assert_eq!(bytes(moves), [1, 7, 0, 172, 2, 2, 2, 9, 7, 12]);
    let guess = Entry { by: Author(1), at_ms: 128, action: Move::Guess { text: String::from("a") } };
    assert_eq!(bytes(GameMessage::Log { game: 1, from: 0, entries: vec![guess] }), [1, 7, 1, 1, 0, 1, 1, 128, 1, 4, 1, 97]);
    let here = GameMessage::Here { game: 1, entries: 5, hash: 128, paused: true, at_ms: 9 };
    assert_eq!(bytes(here), [1, 7, 2, 1, 5, 128, 1, 1, 9]);
    let seal: [u8; 32] = std::array::from_fn(|at| at as u8);
    let tags = [
        (Move::Ready { languages: vec![] }, 0),
        (Move::Word { commitment: seal, letters: vec![3] }, 1),
        (Move::Begin { seq: 1 }, 2),
        (Move::End { seq: 1, seal }, 3),
        (Move::Hint { place: 1, letter: 'a', given: true }, 6),
        (Move::SaidAloud, 7),
        (Move::Open { secret: String::from("a"), nonce: seal }, 8),
        (Move::Statements { texts: Default::default(), commitment: seal }, 10),
        (Move::Pick { statement: 1 }, 11),
        (Move::Time, 13),
        (Move::Edge { marks: vec![OpKind::Clear] }, 14),
    ];
    for (action, tag) in tags {
        let message = Control::Game(GameMessage::Moves { game: 1, from: 0, moves: vec![action] });
        assert_eq!(message.to_bytes()[..6], [1, 7, 0, 1, 0, 1]);
        assert_eq!(message.to_bytes()[6], tag);
        assert_eq!(Control::from_bytes(&message.to_bytes()), Ok(message));
    }
    let question = Question::Play(Play { game: Game::DrawAndGuess, twist: Some(Twist::OneStroke) });
    let json =
        r#"{"type":"answer","match_id":"m1","question":{"play":{"game":"draw_and_guess","twist":"one_stroke"}},"yes":true}"#;
    assert_eq!(ClientMessage::Answer { match_id: id(), question, yes: true }.to_json(), json);
    let opened = ServerMessage::GameOpened { match_id: id(), play: Play { game: Game::Gomoku, twist: None }, number: 4 };
    let json = r#"{"type":"game_opened","match_id":"m1","play":{"game":"gomoku","twist":null},"number":4}"#;
    assert_eq!(opened.to_json(), json);
    let long = Move::Guess { text: "x".repeat(limits::GAME_TEXT + 1) };
    let many = vec![Move::Stop; limits::GAME_MOVES + 1];
    let edge = vec![Move::Edge { marks: vec![OpKind::Clear; limits::EDGE_MARKS + 1] }];
    let points = vec![Point { x: 1, y: 1, pressure: 1 }; limits::EDGE_POINTS / 2 + 1];
    let stroke = OpKind::Stroke(Stroke { colour: None, size: 9, points });
    let dense = vec![Move::Edge { marks: vec![stroke; 2] }];
    for moves in [vec![long], many, edge, dense] {
        let message = Control::Game(GameMessage::Moves { game: 1, from: 0, moves });
        assert!(matches!(Control::from_bytes(&message.to_bytes()), Err(DecodeError::FieldTooLarge { .. })));
    }
}

#[test]
fn what_is_too_large_or_unknown_is_refused() {
    let long = "x".repeat(limits::SOCKET_MESSAGE + 1);
    assert!(matches!(ClientMessage::from_json(&long), Err(DecodeError::TooLarge { .. })));
    let long_ago = r#"{"type":"saw_covered","match_id":"m1","saw_s":70000,"told_s":0}"#;
    assert!(matches!(ClientMessage::from_json(long_ago), Err(DecodeError::Malformed(_))));
    let sdp = Private::new("x".repeat(limits::SDP + 1));
    let signal = ServerMessage::Signal { match_id: id(), signal: Signal::Answer { sdp } };
    assert!(matches!(ServerMessage::from_json(&signal.to_json()), Err(DecodeError::TooLarge { .. })));
    assert_eq!(Control::from_bytes(&[9, 0]), Err(DecodeError::UnknownVersion(9)));
    assert!(matches!(Control::from_bytes(&[]), Err(DecodeError::Malformed(_))));
    assert!(matches!(Control::from_bytes(&[1, 3, 0]), Err(DecodeError::Malformed(_))), "bytes behind a message are refused");
    let point = Point { x: 0, y: 0, pressure: 0 };
    let ink = Ink { colour: None, size: 10, fades: false };
    let live = Live::Ink { stroke: 0, ink, from: 0, points: vec![point; limits::LIVE_POINTS + 1] };
    assert!(matches!(Live::from_bytes(&live.to_bytes()), Err(DecodeError::FieldTooLarge { .. })));
    let id = OpId { author: Author(0), seq: 1 };
    for kind in [
        OpKind::Stroke(Stroke { colour: None, size: 10, points: vec![point; limits::STROKE_POINTS + 1] }),
        OpKind::Fill(Fill { colour: 0, runs: vec![Run(1, 1); limits::FILL_RUNS + 1] }),
    ] {
        let operations = Operations(vec![Op { id, time: 1, live: 0, kind }]);
        assert!(matches!(Operations::from_bytes(&operations.to_bytes()), Err(DecodeError::FieldTooLarge { .. })));
    }
}

#[test]
fn the_largest_fill_fits_into_a_message() {
    // Runs of one cell, as far apart as so many can be, and the last ones as wide as the paper.
    let wide = Fill { colour: 0x00FF_FFFF, runs: vec![Run(199, 1600); limits::FILL_RUNS] };
    let id = OpId { author: Author(1), seq: u32::MAX };
    let op = Op { id, time: u32::MAX, live: u32::MAX, kind: OpKind::Fill(wide) };
    assert!(Operations(vec![op]).to_bytes().len() <= limits::CHANNEL_MESSAGE);
}

#[test]
fn cells_end_where_the_paper_or_the_row_does() {
    let at = |runs: &[Run]| visavis_wire::paper::cells(runs).collect::<Vec<_>>();
    assert_eq!(at(&[Run(1601, 5), Run(3, 1)]), [(1, 1, 5), (9, 1, 1)]);
    assert_eq!(at(&[Run(1598, 2), Run(0, 1600)]), [(1598, 0, 2), (0, 1, 1600)]);
    assert_eq!(at(&[Run(1598, 3), Run(0, 1)]), []);
    assert_eq!(at(&[Run(1_599_999, 1), Run(0, 1)]), [(1599, 999, 1)]);
    assert_eq!(at(&[Run(u32::MAX, 1), Run(u32::MAX, 9)]), []);
}

#[test]
fn malformed_text_is_refused_without_quoting_it() {
    let Err(error) = ClientMessage::from_json(r#"{"type":"hello","protocol":"my-secret"}"#) else { panic!("accepted") };
    assert!(!error.to_string().contains("my-secret"), "{error}");
}

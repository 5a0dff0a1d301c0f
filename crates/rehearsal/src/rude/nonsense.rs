//! What no app of ours sends: over the limits, out of turn, in another's name, no message at all. By a number, so that an evening can be
//! repeated.

use tokio_tungstenite::tungstenite::Message;
use visavis_call::Command;
use visavis_wire::Private;
use visavis_wire::channel::{Control, Here, Ink, Live, Operations};
use visavis_wire::games::{Entry, GameMessage, Move};
use visavis_wire::limits;
use visavis_wire::paper::{Author, Fill, Op, OpId, OpKind, Point, Run, Stroke};
use visavis_wire::socket::{ClientMessage, MatchId, Signal};

/// For the server.
pub fn socket(number: usize, in_match: Option<&MatchId>) -> Message {
    let other = || MatchId(String::from("another"));
    let say = |message: ClientMessage| Message::text(message.to_json());
    match number % 10 {
        0 => Message::text("{"),
        1 => Message::text("null"),
        2 => Message::text("{\"type\":\"nothing\"}"),
        3 => Message::text("[".repeat(30_000)),
        4 => Message::binary(vec![0xff; 300]),
        5 => Message::text("{\"type\":\"match_answer\",\"match_id\":7,\"meet\":\"yes\"}"),
        6 => say(ClientMessage::Leave { match_id: other() }),
        7 => say(ClientMessage::MatchAnswer { match_id: other(), meet: true }),
        8 => {
            let candidate = Some(Private::new(String::from("candidate:1 1 udp 1 256.1.1.1 99999 typ relay raddr x rport y")));
            let signal = Signal::Candidate { candidate, sdp_mid: Some(String::from("?")), sdp_m_line_index: Some(u16::MAX) };
            say(ClientMessage::Signal { match_id: in_match.cloned().unwrap_or_else(other), signal })
        }
        // Larger than any message may be: ends the socket.
        _ => Message::text("x".repeat(2 * limits::SOCKET_MESSAGE)),
    }
}

/// For the other side, over the control channel.
pub fn control(number: usize) -> Command {
    let game = number as u64 % 3;
    Command::Control(match number % 6 {
        0 => Control::Game(GameMessage::Moves { game, from: 0, moves: vec![Move::Stop; limits::GAME_MOVES + 1] }),
        1 => {
            let text = "ä".repeat(limits::GAME_TEXT);
            Control::Game(GameMessage::Moves { game, from: u32::MAX, moves: vec![Move::Guess { text }] })
        }
        2 => {
            let entry = Entry { by: Author(200), at_ms: u32::MAX, action: Move::Place { cell: 255 } };
            Control::Game(GameMessage::Log { game, from: u32::MAX, entries: vec![entry; 9] })
        }
        3 => Control::Game(GameMessage::Here { game, entries: u32::MAX, hash: 7, paused: true, at_ms: u32::MAX }),
        4 => Control::Paper(Here { offerer: u32::MAX, answerer: u32::MAX, offerer_hash: 1, answerer_hash: 2 }),
        _ => Control::Game(GameMessage::Moves { game, from: 0, moves: vec![Move::Pick { statement: 255 }, Move::SaidAloud] }),
    })
}

fn points(count: usize) -> Vec<Point> {
    (0..count).map(|at| Point { x: u16::MAX - at as u16, y: at as u16, pressure: 255 }).collect()
}

/// Over the channel of the paper.
pub fn operations(number: usize) -> Command {
    let op = |author, seq, time, kind| Op { id: OpId { author: Author(author), seq }, time, live: u32::MAX, kind };
    let stroke = |count| OpKind::Stroke(Stroke { colour: Some(u32::MAX), size: u16::MAX, points: points(count) });
    let undo = |author, seq| OpKind::Undo { target: OpId { author: Author(author), seq }, undone: true };
    let author = number as u8 % 2;
    Command::Operations(Operations(match number % 6 {
        0 => vec![op(author, 1, 1, stroke(limits::STROKE_POINTS + 1))],
        1 => vec![op(author, 1, 1, OpKind::Fill(Fill { colour: 0, runs: vec![Run(0, 1); limits::FILL_RUNS + 1] }))],
        // In the other's name, and in nobody's.
        2 => vec![op(0, 1, 1, undo(1, 1)), op(1, 1, 1, undo(0, 1)), op(9, 1, 1, OpKind::Clear)],
        3 => vec![op(author, u32::MAX, u32::MAX, OpKind::Clear), op(author, 0, 0, OpKind::Clear)],
        4 => vec![op(author, 3, 1, OpKind::Fill(Fill { colour: 0, runs: vec![Run(u32::MAX, u16::MAX); 40] }))],
        _ => vec![op(author, 2, u32::MAX, stroke(0)); 60],
    }))
}

/// Over the channel of what is lost without harm.
pub fn live(number: usize) -> Command {
    let ink = |fades| Ink { colour: Some(u32::MAX), size: 0, fades };
    Command::Live(match number % 4 {
        0 => Live::Ink { stroke: 1, ink: ink(false), from: 0, points: points(limits::LIVE_POINTS + 1) },
        1 => Live::Ink { stroke: u32::MAX, ink: ink(true), from: u16::MAX, points: points(limits::LIVE_POINTS) },
        2 => Live::Dropped { stroke: 0 },
        _ => Live::Cursor { x: u16::MAX, y: u16::MAX },
    })
}

#[cfg(test)]
/// Whether the other side's decoder takes it for a message; tests ask.
pub fn is_readable(command: &Command) -> bool {
    fn read<M: visavis_wire::channel::ChannelMessage>(message: &M) -> bool {
        M::from_bytes(&message.to_bytes()).is_ok()
    }
    match command {
        Command::Control(message) => read(message),
        Command::Operations(message) => read(message),
        Command::Live(message) => read(message),
        _ => true,
    }
}

//! What no app of ours sends: over the limits, out of turn, in another's name, cut off, at random, far too much. By a number, so that an
//! evening can be repeated.

use tokio_tungstenite::tungstenite::Message;
use visavis_call::Channel;
use visavis_wire::Private;
use visavis_wire::channel::{ChannelMessage, Control, Here, Ink, Live, Operations};
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

/// For the other side: a message by its form.
pub fn senseless(channel: Channel, number: usize) -> Vec<u8> {
    match channel {
        Channel::Control => control(number).to_bytes(),
        Channel::Operations => operations(number).to_bytes(),
        Channel::Live => live(number).to_bytes(),
    }
}

fn control(number: usize) -> Control {
    let game = number as u64 % 3;
    match number % 6 {
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
    }
}

fn points(count: usize) -> Vec<Point> {
    (0..count).map(|at| Point { x: u16::MAX - at as u16, y: at as u16, pressure: 255 }).collect()
}

fn operations(number: usize) -> Operations {
    let op = |author, seq, time, kind| Op { id: OpId { author: Author(author), seq }, time, live: u32::MAX, kind };
    let stroke = |count| OpKind::Stroke(Stroke { colour: Some(u32::MAX), size: u16::MAX, points: points(count) });
    let undo = |author, seq| OpKind::Undo { target: OpId { author: Author(author), seq }, undone: true };
    let author = number as u8 % 2;
    Operations(match number % 6 {
        0 => vec![op(author, 1, 1, stroke(limits::STROKE_POINTS + 1))],
        1 => vec![op(author, 1, 1, OpKind::Fill(Fill { colour: 0, runs: vec![Run(0, 1); limits::FILL_RUNS + 1] }))],
        // In the other's name, and in nobody's.
        2 => vec![op(0, 1, 1, undo(1, 1)), op(1, 1, 1, undo(0, 1)), op(9, 1, 1, OpKind::Clear)],
        3 => vec![op(author, u32::MAX, u32::MAX, OpKind::Clear), op(author, 0, 0, OpKind::Clear)],
        4 => vec![op(author, 3, 1, OpKind::Fill(Fill { colour: 0, runs: vec![Run(u32::MAX, u16::MAX); 40] }))],
        _ => vec![op(author, 2, u32::MAX, stroke(0)); 60],
    })
}

fn live(number: usize) -> Live {
    let ink = |fades| Ink { colour: Some(u32::MAX), size: 0, fades };
    match number % 4 {
        0 => Live::Ink { stroke: 1, ink: ink(false), from: 0, points: points(limits::LIVE_POINTS + 1) },
        1 => Live::Ink { stroke: u32::MAX, ink: ink(true), from: u16::MAX, points: points(limits::LIVE_POINTS) },
        2 => Live::Dropped { stroke: 0 },
        _ => Live::Cursor { x: u16::MAX, y: u16::MAX },
    }
}

/// Bytes that hardly are a message: at random, the same behind the right version, a message without its end, one with something behind it,
/// one of another channel, a single byte, and more than may be.
pub fn broken(channel: Channel, number: usize) -> Vec<u8> {
    let good = senseless(channel, number);
    let (round, mut noise) = (number / 7, Noise::new(number));
    match number % 7 {
        0 => noise.bytes(3 + round * 29 % 1500),
        1 => [&good[..1], &noise.bytes(3 + round * 31 % 1500)].concat(),
        2 => good[..1 + round * 37 % good.len().min(2000)].to_vec(),
        3 => [&good[..], &noise.bytes(1 + round % 9)].concat(),
        4 => senseless(Channel::ALL[(channel as usize + 1 + round % 2) % 3], number),
        5 => noise.bytes(1),
        // No more than every SCTP stack takes whole.
        _ => noise.bytes(limits::CHANNEL_MESSAGE + 1 + round % 4000),
    }
}

/// Far too much at once: more than is let through of the channel.
pub fn flood(channel: Channel) -> impl Iterator<Item = Vec<u8>> {
    let count = match channel {
        Channel::Control => 150,
        Channel::Operations => 1200,
        Channel::Live => 1500,
    };
    (0..count).map(|at| Noise::new(at).bytes(20))
}

/// Whether the other side's decoder takes it for a message.
pub fn is_readable(channel: Channel, bytes: &[u8]) -> bool {
    match channel {
        Channel::Control => Control::from_bytes(bytes).is_ok(),
        Channel::Operations => Operations::from_bytes(bytes).is_ok(),
        Channel::Live => Live::from_bytes(bytes).is_ok(),
    }
}

/// xorshift64.
struct Noise(u64);

impl Noise {
    fn new(seed: usize) -> Self {
        Self((seed as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut byte = || {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 as u8
        };
        (0..count).map(|_| byte()).collect()
    }
}

//! What a peer sends: messages of the data channels, packets of video, marks and moves.

use std::fmt::Debug;
use std::time::Duration;
use visavis_call::pure::{Packet, assemble};
use visavis_canvas::History;
use visavis_games::{Engine, Input};
use visavis_wire::channel::{ChannelMessage, Control, Live, Operations};
use visavis_wire::games::{Game, Play, Twist};
use visavis_wire::paper::Author;

/// A message of each channel.
pub fn channel(data: &[u8]) {
    message::<Control>(data);
    message::<Operations>(data);
    message::<Live>(data);
}

fn message<M: ChannelMessage + PartialEq + Debug>(data: &[u8]) {
    if let Ok(message) = M::from_bytes(data) {
        let again = M::from_bytes(&message.to_bytes());
        assert!(again.as_ref() == Ok(&message), "{message:?} becomes {again:?}");
    }
}

/// Takes numbers and pieces off the front; 0 and nothing where there is no more.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn byte(&mut self) -> u8 {
        self.piece(1).first().copied().unwrap_or(0)
    }

    fn number(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    fn piece(&mut self, length: usize) -> &'a [u8] {
        let (piece, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        piece
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Packets of video to pictures: flags, step of the number, step of the time stamp, pause, length, payload.
pub fn packets(data: &[u8]) {
    let mut bytes = Bytes(data);
    let (mut sequence, mut timestamp, mut sent) = (65_000u16, 0u32, 0);
    let mut packets = Vec::new();
    while !bytes.is_empty() && packets.len() < 500 {
        let flags = bytes.byte();
        sequence = sequence.wrapping_add(u16::from(bytes.byte())).wrapping_sub(u16::from(flags >> 4));
        timestamp = timestamp.wrapping_add(u32::from(bytes.byte()) * 300);
        let later_ms = u16::from(bytes.byte());
        let length = usize::from(bytes.number() % 1500);
        let payload = bytes.piece(length).to_vec();
        sent += payload.len();
        packets.push(Packet { vp9: flags & 1 != 0, sequence, timestamp, marker: flags & 2 != 0, payload, later_ms });
    }
    let count = packets.len();
    let (pictures, asked) = assemble(packets);
    assert!(pictures.iter().map(Vec::len).sum::<usize>() <= sent, "no picture holds what was not sent");
    assert!(asked <= 40 * count + 40, "{asked} requests after {count} packets");
}

/// Marks of a peer on a paper with own ones: batches, each behind its length; a first byte chooses the side.
pub fn paper(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut history = History::new(Author(bytes.byte() % 2));
    let mut picture = visavis_canvas::raster::Picture::blank();
    while !bytes.is_empty() {
        let length = usize::from(bytes.number());
        let Ok(Operations(ops)) = Operations::from_bytes(bytes.piece(length)) else { continue };
        let _ = history.merge(ops);
        let _ = history.undo();
        let items = history.items();
        assert!(history.visible().len() <= items.len());
        // Both sides of one and the same know the same.
        let here = history.here();
        let _ = history.meet(here);
    }
    // What is drawn costs most, so only the end of it.
    if let Some(picture) = &mut picture {
        history.visible().iter().rev().take(3).for_each(|op| picture.draw(op));
    }
}

/// Moves of a peer in a game that goes on; the first two bytes choose which.
pub fn game(data: &[u8]) {
    let mut bytes = Bytes(data);
    let games = [Game::DrawAndGuess, Game::SameWord, Game::FinishMyDrawing, Game::Gomoku, Game::TwoTruths];
    let twists = [None, Some(Twist::OneStroke), Some(Twist::OneColour), Some(Twist::Blind)];
    let play = Play { game: games[usize::from(bytes.byte() % 5)], twist: twists[usize::from(bytes.byte() % 4)] };
    let (mut now, mut seq) = (Duration::from_secs(100), 0);
    let mut engine = Engine::new(play, 1, Author(bytes.byte() % 2), [7; 32], vec![String::from("en")], now);
    while !bytes.is_empty() {
        now += Duration::from_millis(u64::from(bytes.byte()) * 20);
        let length = usize::from(bytes.number());
        match Control::from_bytes(bytes.piece(length)) {
            Ok(Control::Game(message)) => drop(engine.input(Input::Peer(message), seq, now)),
            _ => drop(engine.input(Input::Tick, seq, now)),
        }
        seq += 1;
        let _ = (engine.view(), engine.permit());
    }
}

//! What a peer sends: messages of the data channels, packets of video, pictures, packets of voice, marks and moves.

use crate::bytes::Bytes;
use std::fmt::Debug;
use std::time::Duration;
use visavis_call::pure::{Packet, assemble};
use visavis_canvas::History;
use visavis_games::{Engine, Input};
use visavis_media::FramePool;
use visavis_media::audio::{FRAME_SAMPLES, VoiceReceiver};
use visavis_media::codec::{Codec, VideoDecoder, VpxDecoder};
use visavis_media::frame::size_is_allowed;
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

/// Whole pictures to pixels: codec, then for each whether it is only built upon, its length and its data.
pub fn pictures(data: &[u8]) {
    let mut bytes = Bytes(data);
    let codec = if bytes.byte() % 2 == 0 { Codec::Vp8 } else { Codec::Vp9 };
    let mut decoder = VpxDecoder::new(codec, FramePool::new(2)).expect("a decoder");
    let mut decoded = 0;
    // A picture of the largest size takes long to decode, however short it is.
    while !bytes.is_empty() && decoded < 20 {
        decoded += 1;
        let skips = bytes.byte() & 1 != 0;
        let length = usize::from(bytes.number());
        let picture = bytes.piece(length);
        if skips {
            let _ = decoder.skip(picture);
        } else if let Ok(Some(frame)) = decoder.decode(picture, Duration::ZERO) {
            assert!(size_is_allowed(frame.width, frame.height), "{}x{}", frame.width, frame.height);
        }
    }
}

/// Packets of voice: steps of number and time stamp, pause, frames that are played meanwhile, length, payload.
pub fn voice(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut receiver = VoiceReceiver::new().expect("a decoder");
    let (mut sequence, mut timestamp, mut now) = (65_500u16, u32::MAX - 5000, Duration::from_secs(1));
    let (mut packets, mut frames) = (0, 0);
    while !bytes.is_empty() && packets < 300 {
        packets += 1;
        sequence = sequence.wrapping_add(u16::from(bytes.byte())).wrapping_sub(1);
        timestamp = timestamp.wrapping_add(u32::from(bytes.byte()) * 240).wrapping_sub(960);
        now += Duration::from_millis(u64::from(bytes.byte()));
        let pulls = bytes.byte() % 4;
        let length = usize::from(bytes.number() % 1500);
        receiver.push(sequence, timestamp, bytes.piece(length).to_vec(), now);
        for _ in 0..pulls {
            frames += 1;
            receiver.pull(&mut [0; FRAME_SAMPLES], now);
        }
    }
    let counted = receiver.statistics();
    // Shortening and lengthening the sound makes more or less of it than is played.
    let made = counted.voice + counted.recovered + counted.concealed + counted.silent + counted.inserted;
    assert!(made >= frames * FRAME_SAMPLES as u64, "{made} samples for {frames} frames");
    assert!(counted.rejected <= counted.received && counted.received <= packets, "{counted:?} of {packets} packets");
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

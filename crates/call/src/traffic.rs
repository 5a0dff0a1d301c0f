//! The tasks that carry packets and messages between the library and the rest of the call.
//!
//! Each track and each channel is polled by a task of its own, because the library drops packets of a track that is read too
//! slowly and holds back a channel's sender.

use crate::channels::{Channel, Incoming, Inlet};
use crate::connection::Connection;
use crate::engine::{Input, Shared};
use crate::receive::Intake;
use crate::{send, sound};
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

/// How long a reliable channel over its rate is left unread. The library then stops acknowledging, which slows the peer down.
const BRAKE: Duration = Duration::from_millis(50);

/// Starts everything that runs for the whole call.
pub(crate) fn start(
    connection: &Connection,
    video: send::PacketQueue,
    sound: sound::PacketQueue,
    shared: &Shared,
    inputs: &UnboundedSender<Input>,
) -> Vec<JoinHandle<()>> {
    let mut tasks = vec![
        tokio::spawn(send_video(Arc::clone(&connection.video), video)),
        tokio::spawn(send_sound(Arc::clone(&connection.audio), sound)),
    ];
    for (channel, wire) in &connection.channels {
        tasks.push(tokio::spawn(read_channel(*channel, Arc::clone(wire), shared.clone(), inputs.clone())));
    }
    tasks
}

async fn send_video(track: Arc<TrackLocalStaticRTP>, mut queue: send::PacketQueue) {
    while let Some(packets) = queue.next().await {
        for packet in packets {
            if track.write_rtp(packet).await.is_err() {
                tracing::debug!("a packet of the picture could not be sent");
                break;
            }
        }
    }
}

async fn send_sound(track: Arc<TrackLocalStaticRTP>, mut queue: sound::PacketQueue) {
    while let Some(packet) = queue.next().await {
        if track.write_rtp(packet).await.is_err() {
            tracing::debug!("a packet of sound could not be sent");
        }
    }
}

async fn read_channel(channel: Channel, wire: Arc<dyn DataChannel>, shared: Shared, inputs: UnboundedSender<Input>) {
    let mut inlet = Inlet::new(channel, shared.clock.now());
    while let Some(event) = wire.poll().await {
        let input = match event {
            DataChannelEvent::OnOpen => Input::ChannelOpen(channel),
            DataChannelEvent::OnClose => Input::ChannelClosed,
            DataChannelEvent::OnMessage(message) => match read_message(&mut inlet, channel, &message.data, &shared).await {
                Some(input) => input,
                None => continue,
            },
            _ => continue,
        };
        if inputs.send(input).is_err() {
            return;
        }
    }
}

async fn read_message(inlet: &mut Inlet, channel: Channel, bytes: &[u8], shared: &Shared) -> Option<Input> {
    loop {
        match inlet.read(bytes, shared.clock.now()) {
            Incoming::Message(message) => return Some(Input::Message(message)),
            Incoming::TooMany if channel != Channel::Live => tokio::time::sleep(BRAKE).await,
            Incoming::Malformed | Incoming::TooMany => {
                shared.malformed.fetch_add(1, Ordering::Relaxed);
                return None;
            }
        }
    }
}

/// Reads a track of the peer until it ends. Of each kind the first one counts; another is left unread.
pub(crate) async fn receive_track(track: Arc<dyn TrackRemote>, video: &mut Option<Intake>, sound: &mut Option<sound::Inlet>) {
    match track.kind().await {
        RtpCodecKind::Audio => {
            if let Some(inlet) = sound.take() {
                tokio::spawn(receive_sound(track, inlet));
            }
        }
        RtpCodecKind::Video => {
            if let Some(intake) = video.take() {
                tokio::spawn(receive_video(track, intake));
            }
        }
        _ => {}
    }
}

async fn receive_sound(track: Arc<dyn TrackRemote>, inlet: sound::Inlet) {
    while let Some(event) = track.poll().await {
        match event {
            TrackRemoteEvent::OnRtpPacket(packet) => inlet.packet(&packet),
            TrackRemoteEvent::OnEnded => return,
            _ => {}
        }
    }
}

async fn receive_video(track: Arc<dyn TrackRemote>, mut intake: Intake) {
    loop {
        match tokio::time::timeout(intake.wait(), track.poll()).await {
            Ok(Some(TrackRemoteEvent::OnRtpPacket(packet))) => intake.packet(&packet),
            Ok(None | Some(TrackRemoteEvent::OnEnded)) => return,
            Ok(Some(_)) | Err(_) => {}
        }
        let feedback = intake.proceed();
        if !feedback.is_empty() && track.write_rtcp(feedback).await.is_err() {
            return;
        }
    }
}

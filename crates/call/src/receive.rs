//! The peer's video: packets to whole pictures ([`Assembler`], in the task that reads the track), lost packets asked for again
//! (`repair`), pictures to pixels (`decode`, on a thread of its own).

mod assembler;
mod decode;
mod repair;

pub(crate) use assembler::{Assembler, Counts, Step};
pub(crate) use decode::{DecodeQueue, Decoding};

use crate::engine::Shared;
use crate::video;
use rtc::rtcp;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{TransportLayerNack, nack_pairs_from_sequence_numbers};
use rtc::rtp;
use std::sync::PoisonError;
use std::time::Duration;
use visavis_media::codec::Codec;

/// How often the decoder's complaints are looked for when no packets come.
const LOOK: Duration = Duration::from_millis(50);
const MILLISECOND: Duration = Duration::from_millis(1);

/// Where the packets of the peer's video go.
pub(crate) struct Intake {
    assembler: Assembler,
    queue: DecodeQueue,
    shared: Shared,
    /// Of the stream, for what is asked of its sender.
    ssrc: u32,
    /// The payload type of the last packet, and what it means.
    payload_type: Option<(u8, Codec)>,
}

impl Intake {
    pub fn new(queue: DecodeQueue, shared: &Shared) -> Self {
        Self { assembler: Assembler::new(), queue, shared: shared.clone(), ssrc: 0, payload_type: None }
    }

    /// [`Self::proceed`] is to be called after this time, if no packet comes before.
    pub fn wait(&self) -> Duration {
        let now = self.shared.clock.now();
        self.assembler.deadline().map_or(LOOK, |due| due.saturating_sub(now).clamp(MILLISECOND, LOOK))
    }

    pub fn packet(&mut self, packet: &rtp::Packet) {
        let header = &packet.header;
        self.ssrc = header.ssrc;
        if self.payload_type.is_none_or(|(known, _)| known != header.payload_type) {
            let codec = self.shared.negotiated.codec_of(header.payload_type);
            self.payload_type = codec.map(|codec| (header.payload_type, codec));
        }
        if let Some((_, codec)) = self.payload_type {
            self.assembler.push(codec, packet, self.shared.clock.now());
        }
    }

    /// How long a picture waits for its sound.
    fn hold(&self, timestamp: u32, now: Duration) -> Duration {
        let captured = self.shared.clocks.peer_micros(self.ssrc, video::CLOCK_RATE, timestamp);
        captured.map_or(Duration::ZERO, |captured| {
            let latency = i64::try_from(now.as_micros()).unwrap_or(i64::MAX).saturating_sub(captured);
            self.shared.lips.lock().picture(now, latency)
        })
    }

    /// Hands whole pictures on; gives what is to be told to the sender (RFC 4585, 6.2.1 and 6.3.1).
    pub fn proceed(&mut self) -> Vec<Box<dyn rtcp::Packet>> {
        if self.queue.take_broken() {
            self.assembler.broken();
        }
        if let Some(round_trip) = self.shared.monitor.readings().round_trip {
            self.assembler.set_round_trip(round_trip);
        }
        let now = self.shared.clock.now();
        let mut feedback: Vec<Box<dyn rtcp::Packet>> = Vec::new();
        let mut keys_asked = 0;
        while let Some(step) = self.assembler.poll(now) {
            match step {
                Step::Decode(picture) => {
                    let hold = self.hold(picture.timestamp, now);
                    self.queue.put(picture, now + hold);
                }
                Step::AskAgain(numbers) => {
                    let nacks = nack_pairs_from_sequence_numbers(&numbers);
                    feedback.push(Box::new(TransportLayerNack { sender_ssrc: 0, media_ssrc: self.ssrc, nacks }));
                }
                Step::AskForKeyFrame => {
                    keys_asked += 1;
                    feedback.push(Box::new(PictureLossIndication { sender_ssrc: 0, media_ssrc: self.ssrc }));
                }
            }
        }
        let mut figures = self.shared.receive.lock().unwrap_or_else(PoisonError::into_inner);
        figures.keys_asked += keys_asked;
        figures.counts = self.assembler.counts();
        feedback
    }
}

//! Two engines over loopback, with a network between them that loses packets, or with a peer that does not keep to the rules.

use crate::channels::Channel;
use crate::codecs::{VP8_PAYLOAD_TYPE, VP9_PAYLOAD_TYPE};
use crate::connection::{Sources, Taps, connect};
use crate::engine::{Input, Shared};
use crate::negotiate::Negotiator;
use crate::{Call, Codecs, Command, Config, Event, Policy};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::timeout;
use visavis_media::{Clock, Frame, FramePool, marker};
use visavis_sight::{Gate, PlanesMut, Released};
use visavis_wire::Private;
use visavis_wire::channel::{ChannelMessage, Control};
use visavis_wire::socket::{RelayCredentials, Role, Signal};
use webrtc::data_channel::DataChannelEvent;

mod middle;
mod set_up;
mod veil;

const PATIENCE: Duration = Duration::from_secs(20);

/// Loses a share of the media packets on their way out (in thousandths), below SRTP as a network does; the same ones in every run.
fn losing(thousandths: &Arc<AtomicU32>) -> Taps {
    let (thousandths, seed) = (Arc::clone(thousandths), AtomicU64::new(7));
    let loses = move |datagram: &[u8]| {
        // RTP, and not RTCP (RFC 5761, section 4).
        let media = matches!(datagram, [0x80..=0xbf, second, ..] if !(64..96).contains(&(second & 0x7f)));
        media && {
            let next = |seed: u64| Some(seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
            let drawn = seed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or_default();
            (drawn >> 33) % 1000 < u64::from(thousandths.load(Ordering::Relaxed))
        }
    };
    Taps { loses: Some(Arc::new(loses)), ..Taps::default() }
}

pub(crate) fn config(role: Role, clock: Clock) -> Config {
    Config {
        role,
        relay: RelayCredentials::default(),
        policy: Policy::Any,
        max_video_kbps: 1000,
        codecs: Codecs::Auto,
        clock,
        pool: FramePool::new(8),
    }
}

pub(crate) type Side = (Call, UnboundedReceiver<Event>);

pub(crate) async fn connected(a: &mut Side, b: &mut Side) {
    let both = async {
        let (mut a_is, mut b_is) = (false, false);
        while !a_is || !b_is {
            let (event, to, is) = tokio::select! {
                event = a.1.recv() => (event, &b.0, &mut a_is),
                event = b.1.recv() => (event, &a.0, &mut b_is),
            };
            match event.unwrap() {
                Event::Signal(signal) => to.command(Command::Signal(signal)),
                Event::Connected => *is = true,
                Event::Failed(why) => panic!("{why}"),
                _ => {}
            }
        }
    };
    timeout(PATIENCE, both).await.unwrap();
}

pub(crate) fn planes(frame: &mut Frame) -> PlanesMut<'_> {
    let (width, height) = (frame.width, frame.height);
    let (chroma, _) = frame.chroma_size();
    let (y, u, v) = frame.planes_mut();
    PlanesMut { width, height, y: (y, width), u: (u, chroma), v: (v, chroma) }
}

fn numbered(pool: &FramePool, gate: &mut Gate, number: u32, now: Duration) -> Option<Released<Frame>> {
    let mut frame = pool.frame(640, 360, now)?;
    frame.as_bytes_mut().fill(128);
    marker::burn(&mut frame, number);
    Some(gate.release(frame, now, planes))
}

/// Shows `count` pictures at 30 a second and gives the numbers that were decoded at the other side meanwhile and just after.
async fn show(from: &Side, to: &Side, clock: Clock, count: u32) -> Vec<u32> {
    let (pool, mut gate) = (FramePool::new(4), Gate::new());
    let (out, arriving) = (from.0.pictures(), to.0.peer_pictures());
    let mut ticks = tokio::time::interval(Duration::from_millis(11));
    let mut seen = Vec::new();
    for tick in 0..(count + 30) * 3 {
        ticks.tick().await;
        if tick % 3 == 0
            && tick / 3 < count
            && let Some(picture) = numbered(&pool, &mut gate, tick / 3, clock.now())
        {
            out.put(picture);
        }
        seen.extend(arriving.try_take().and_then(|frame| marker::read(&frame)));
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_packets_are_sent_again_and_the_pictures_come_in_order() {
    let clock = Clock::start();
    let lossy = Arc::new(AtomicU32::new(50));
    let mut a = Call::start_with(config(Role::Offerer, clock), losing(&lossy));
    let mut b = Call::start(config(Role::Answerer, clock));
    connected(&mut a, &mut b).await;
    let seen = show(&a, &b, clock, 200).await;
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
    assert!(seen.len() > 150, "{} of 200 pictures were shown", seen.len());
    let repairs = b.0.shared().receive.lock().unwrap().counts.repair;
    assert!(repairs.missing > 0, "nothing was lost");
    assert!(repairs.repaired * 10 > repairs.missing * 8, "{repairs:?}");
}

/// Of a path that carries nothing the sender knows by itself, and has a key frame ready when it is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_outage_a_key_frame_comes() {
    let clock = Clock::start();
    let lossy = Arc::new(AtomicU32::new(0));
    let mut a = Call::start_with(config(Role::Offerer, clock), losing(&lossy));
    let mut b = Call::start(config(Role::Answerer, clock));
    connected(&mut a, &mut b).await;
    assert!(!show(&a, &b, clock, 30).await.is_empty());
    let keys = |side: &Side| side.0.shared().send.lock().unwrap().keys;
    let before = keys(&a);
    lossy.store(1000, Ordering::Relaxed);
    let dark = async {
        tokio::time::sleep(Duration::from_millis(1300)).await;
        lossy.store(0, Ordering::Relaxed);
    };
    let (seen, ()) = tokio::join!(show(&a, &b, clock, 120), dark);
    assert!(seen.iter().any(|number| *number > 80), "{seen:?}");
    assert!(keys(&a) > before, "no key frame was made");
}

/// Beside those that ICE, pictures and sound need, the first message of DTLS is one that costs no round trip of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_handshake_begins_with_its_second_message() {
    let clock = Clock::start();
    let hellos: Arc<Mutex<Vec<bool>>> = Arc::default();
    let taps = || {
        let hellos = Arc::clone(&hellos);
        let loses = move |datagram: &[u8]| {
            // The length of the cookie, behind a session without a name.
            if let ([22, _, _, 0, 0, ..], Some(1), Some(cookie)) = (datagram, datagram.get(13), datagram.get(60)) {
                hellos.lock().unwrap().push(*cookie > 0);
            }
            false
        };
        Taps { loses: Some(Arc::new(loses)), ..Taps::default() }
    };
    let mut a = Call::start_with(config(Role::Offerer, clock), taps());
    let mut b = Call::start_with(config(Role::Answerer, clock), taps());
    connected(&mut a, &mut b).await;
    let hellos = hellos.lock().unwrap().clone();
    assert!(!hellos.is_empty() && hellos.iter().all(|has_cookie| *has_cookie), "{hellos:?}");
}

/// One packet of a picture is lost, and every repair of it: nothing but the request tells the sender.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_repairs_are_lost_too_a_key_frame_is_asked_for_and_comes() {
    let clock = Clock::start();
    let (armed, victim) = (Arc::new(AtomicBool::new(false)), AtomicU32::new(u32::MAX));
    let loses = {
        let armed = Arc::clone(&armed);
        move |datagram: &[u8]| {
            let [0x80..=0xbf, kind, high, low, ..] = datagram else { return false };
            if ![VP8_PAYLOAD_TYPE, VP9_PAYLOAD_TYPE].contains(&(kind & 0x7f)) {
                return false;
            }
            let number = u32::from(u16::from_be_bytes([*high, *low]));
            if armed.swap(false, Ordering::Relaxed) {
                victim.store(number, Ordering::Relaxed);
            }
            victim.load(Ordering::Relaxed) == number
        }
    };
    let mut a = Call::start_with(config(Role::Offerer, clock), Taps { loses: Some(Arc::new(loses)), ..Taps::default() });
    let mut b = Call::start(config(Role::Answerer, clock));
    connected(&mut a, &mut b).await;
    assert!(!show(&a, &b, clock, 30).await.is_empty());
    let keys = a.0.shared().send.lock().unwrap().keys;
    armed.store(true, Ordering::Relaxed);
    let seen = show(&a, &b, clock, 90).await;
    assert!(seen.iter().any(|number| *number > 60), "{seen:?}");
    assert!(b.0.shared().receive.lock().unwrap().keys_asked > 0);
    assert!(a.0.shared().send.lock().unwrap().keys > keys, "no key frame was made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_sends_rubbish_is_survived_and_counted() {
    let clock = Clock::start();
    let mut a = Call::start(config(Role::Offerer, clock));
    let (inputs, mut queue) = mpsc::unbounded_channel();
    let sources = Sources { video: 1, audio: 2 };
    let config = config(Role::Answerer, clock);
    let rude = connect(&config, sources, &Shared::new(&config, sources), Taps::default(), inputs.clone()).await.unwrap();
    for (channel, wire) in &rude.channels {
        let (channel, wire, inputs) = (*channel, Arc::clone(wire), inputs.clone());
        tokio::spawn(async move {
            while let Some(event) = wire.poll().await {
                if matches!(event, DataChannelEvent::OnOpen) {
                    let _ = inputs.send(Input::ChannelOpen(channel));
                }
            }
        });
    }
    let mut negotiator = Negotiator::new(Arc::clone(&rude.peer), Role::Answerer, Policy::Any, rude.cookies.clone());
    let meet = async {
        let mut ready = 0;
        // Connected here, and three channels open there.
        while ready < 4 {
            tokio::select! {
                event = a.1.recv() => match event.unwrap() {
                    Event::Signal(signal) => {
                        if let Some(answer) = negotiator.take(signal).await.unwrap() {
                            a.0.command(Command::Signal(answer));
                        }
                    }
                    Event::Connected => ready += 1,
                    _ => {}
                },
                input = queue.recv() => match input.unwrap() {
                    Input::LocalCandidate(Some(line)) => {
                        let candidate = Some(Private::new(line));
                        a.0.command(Command::Signal(Signal::Candidate { candidate, sdp_mid: None, sdp_m_line_index: Some(0) }));
                    }
                    Input::ChannelOpen(_) => ready += 1,
                    _ => {}
                },
            }
        }
    };
    timeout(PATIENCE, meet).await.unwrap();
    for (channel, wire) in &rude.channels {
        for length in 0..40usize {
            wire.send(vec![(length * 37) as u8; length].as_slice().into()).await.unwrap();
        }
        if *channel == Channel::Control {
            wire.send(Control::Muted { muted: true }.to_bytes().as_slice().into()).await.unwrap();
        }
    }
    let heard = async {
        loop {
            match a.1.recv().await.unwrap() {
                Event::Statistics(figures) if figures.malformed >= 60 => return,
                Event::Closed | Event::Failed(_) => panic!("the call ended"),
                _ => {}
            }
        }
    };
    timeout(PATIENCE, heard).await.unwrap();
}

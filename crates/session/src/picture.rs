//! The picture threads. Pictures never pass through the session's loop; it only gives orders and hears what changed.
//!
//! ```text
//! camera -> [own thread] own detector -> mirror: shown as it is
//!                                     -> call: gate.release (veil?) -> call.pictures() and, the very same pixels, shown
//! call.peer_pictures() -> [peer thread] peer detector -> gate order, shown
//! ```
//! The gate belongs to the own thread alone: inputs come to it by one channel, from the loop (consents, the server's word, the
//! peer's report) and from the peer thread (the detector's judgement, without a detour over the loop), and are taken in right
//! before each release. The peer thread judges by decoded pixels; of what the peer says it uses only what makes less of them.
//!
//! The session's loop drives these threads; `rig-peer` of the rehearsals drives the same ones without a server.

use crate::evening::Sight;
use crate::sight::seen;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;
use visavis_media::{Clock, Frame, FramePool, Mailbox, scale};
use visavis_sight::detector::{CameraState, Detector};
use visavis_sight::gate::{Because, Input as GateInput};
use visavis_sight::stream::Received;
use visavis_sight::{Gate, Planes, PlanesMut, Released, View};
use visavis_wire::channel::{Seen, Shows};

/// A picture for the screen.
#[derive(Debug)]
pub struct ShownPicture {
    pub frame: Frame,
    /// Own: it left through the gate veiled. Peer: they say that it is, or the pixels are a mosaic.
    pub veiled: bool,
}

/// Newest wins; for one consumer.
pub type Pictures = Mailbox<Arc<ShownPicture>>;

/// Where the threads say what changed; called by either of them, so it must not wait.
pub type Tell = Arc<dyn Fn(Sight) + Send + Sync>;

/// Wait for a picture before looking at orders and time again.
const PATIENCE: Duration = Duration::from_millis(20);
/// Copies of what left through the gate, for the preview: one shown, one waiting, one being made, and one in spare.
const PREVIEWS: usize = 4;

/// Scaled pictures on their way: being made, in the call's mailbox, being encoded, shown in the mirror, and in spare.
const SCALED: usize = 6;
/// What is sent until the call says that more is possible, and what the mirror shows.
pub const SMALL: (usize, usize) = (640, 360);

/// What the own thread is told.
pub enum Order {
    /// Pictures of the open camera; `None` while there is none.
    Camera(Option<Mailbox<Frame>>),
    /// From now on into this call, through a fresh gate; `None`: back to the mirror.
    Call(Option<(u64, Mailbox<Released<Frame>>)>),
    Gate(GateInput),
    /// Larger pictures are scaled down to fit, before anything else is done with them.
    Room((usize, usize)),
    /// The peer detector's judgement in call `.0`, and whether the pixels are a mosaic.
    PeerLooks(u64, CameraState, View),
}

struct InCall {
    number: u64,
    gate: Gate,
    pictures: Mailbox<Released<Frame>>,
    said: Option<(View, Option<Because>)>,
}

struct Own {
    clock: Clock,
    orders: Receiver<Order>,
    tell: Tell,
    shown: Pictures,
    previews: FramePool,
    scaled: FramePool,
    room: (usize, usize),
    camera: Option<Mailbox<Frame>>,
    detector: Detector,
    looks: Seen,
    call: Option<InCall>,
}

/// Starts the own thread; it ends when the returned sender is dropped.
pub fn start_own(clock: Clock, tell: Tell, shown: Pictures) -> std::io::Result<Sender<Order>> {
    let (sender, orders) = channel();
    let own = Own {
        clock,
        orders,
        tell,
        shown,
        previews: FramePool::new(PREVIEWS),
        scaled: FramePool::new(SCALED),
        room: SMALL,
        camera: None,
        detector: Detector::new(),
        looks: Seen::Unknown,
        call: None,
    };
    std::thread::Builder::new().name(String::from("own-picture")).spawn(move || own.run())?;
    Ok(sender)
}

impl Own {
    fn run(mut self) {
        loop {
            let frame = match &self.camera {
                Some(camera) if !camera.is_closed() => camera.take(PATIENCE),
                _ => match self.orders.recv_timeout(PATIENCE) {
                    Ok(order) => {
                        self.order(order);
                        None
                    }
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => break,
                },
            };
            // Orders that came while waiting count for this picture already.
            loop {
                match self.orders.try_recv() {
                    Ok(order) => self.order(order),
                    Err(std::sync::mpsc::TryRecvError::Empty) => break,
                    Err(std::sync::mpsc::TryRecvError::Disconnected) => {
                        self.shown.close();
                        return;
                    }
                }
            }
            match frame {
                Some(frame) => self.picture(frame),
                None => drop(self.detector.tick(self.clock.now())),
            }
            self.report();
        }
        self.shown.close();
    }

    fn order(&mut self, order: Order) {
        let now = self.clock.now();
        match order {
            Order::Camera(camera) => {
                self.detector = Detector::new();
                if camera.is_none()
                    && let Some(call) = &self.call
                {
                    // What was captured before "camera off" and is not encoded yet stays here.
                    drop(call.pictures.try_take());
                }
                self.camera = camera;
            }
            Order::Call(call) => {
                self.call = call.map(|(number, pictures)| InCall { number, gate: Gate::new(), pictures, said: None });
            }
            Order::Room(room) => self.room = room,
            Order::Gate(input) => {
                if let Some(call) = &mut self.call {
                    call.gate.input(input, now);
                }
            }
            Order::PeerLooks(number, state, shows) => {
                if let Some(call) = self.call.as_mut().filter(|call| call.number == number) {
                    call.gate.input(GateInput::PeerShows(shows), now);
                    call.gate.input(GateInput::PeerLooks(state), now);
                }
            }
        }
    }

    fn picture(&mut self, frame: Frame) {
        let now = self.clock.now();
        let (width, height) = scale::fit((frame.width, frame.height), self.room);
        let frame = if (width, height) == (frame.width, frame.height) {
            frame
        } else {
            // No buffer: the encoder is late, and the next picture will do.
            let Some(scaled) = scale::scale_i420(&frame, width, height, &self.scaled) else { return };
            scaled
        };
        self.detector.picture(planes(&frame), now);
        let Some(call) = &mut self.call else {
            self.shown.put(Arc::new(ShownPicture { frame, veiled: false }));
            return;
        };
        let released = call.gate.release(frame, now, planes_mut);
        if released.turned() {
            drop(call.pictures.try_take());
        }
        if let Some(frame) = self.previews.copy_of(released.picture()) {
            self.shown.put(Arc::new(ShownPicture { frame, veiled: released.view() == View::Veiled }));
        }
        call.pictures.put(released);
    }

    fn report(&mut self) {
        let now = self.clock.now();
        let looks = seen(self.detector.state());
        if looks != self.looks {
            self.looks = looks;
            (self.tell)(Sight::OwnLooks(looks));
        }
        let Some(call) = &mut self.call else { return };
        let state = (call.gate.view(now), call.gate.veiled_because(now));
        if call.said == Some(state) {
            return;
        }
        if state.0 == View::Veiled && call.said.is_some_and(|(view, _)| view == View::Clear) {
            // A clear picture that waits for the encoder is no longer wanted.
            drop(call.pictures.try_take());
        }
        call.said = Some(state);
        let shows = match state.0 {
            View::Veiled => Shows::Veiled,
            View::Clear => Shows::Clear,
        };
        (self.tell)(Sight::Gate { number: call.number, shows, because: state.1 });
    }
}

/// The thread that watches the peer's pictures; ends with its handle or when the call ends.
pub struct PeerWatch(Arc<PeerSays>);

/// What the peer says of itself. Starts as the less favourable.
struct PeerSays {
    stopped: AtomicBool,
    veiled: AtomicBool,
    camera_off: AtomicBool,
}

pub struct PeerParts {
    pub number: u64,
    pub clock: Clock,
    pub pictures: Mailbox<Frame>,
    pub gate: Sender<Order>,
    pub tell: Tell,
    pub shown: Pictures,
    /// For a report; nobody reports what a rig measures.
    pub kept: Option<Arc<crate::evidence::Kept>>,
}

impl PeerWatch {
    pub fn start(parts: PeerParts) -> std::io::Result<Self> {
        let says = Arc::new(PeerSays {
            stopped: AtomicBool::new(false),
            veiled: AtomicBool::new(true),
            camera_off: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&says);
        std::thread::Builder::new().name(String::from("peer-picture")).spawn(move || watch(&parts, &of_thread))?;
        Ok(Self(says))
    }

    /// Of the two words only the careful ones count.
    pub fn says(&self, shows: Shows, camera_on: bool) {
        self.0.veiled.store(shows == Shows::Veiled, Ordering::Relaxed);
        self.0.camera_off.store(!camera_on, Ordering::Relaxed);
    }
}

impl Drop for PeerWatch {
    fn drop(&mut self) {
        self.0.stopped.store(true, Ordering::Relaxed);
    }
}

fn watch(parts: &PeerParts, says: &PeerSays) {
    let mut detector = Detector::new();
    let mut said = None;
    let mut off = false;
    while !says.stopped.load(Ordering::Relaxed) && !parts.pictures.is_closed() {
        let frame = parts.pictures.take(PATIENCE * 2);
        let now = parts.clock.now();
        let off_now = says.camera_off.load(Ordering::Relaxed);
        if off_now != off {
            off = off_now;
            detector.switched_off(off, now);
        }
        let state = match &frame {
            Some(frame) => look(&mut detector, frame, now),
            None => detector.tick(now),
        };
        let mosaic = detector.looks_veiled();
        let shows = if mosaic { View::Veiled } else { View::Clear };
        // Ends with the own thread: nobody is left to protect.
        if parts.gate.send(Order::PeerLooks(parts.number, detector.evidence(), shows)).is_err() {
            break;
        }
        if said != Some((state, mosaic)) {
            said = Some((state, mosaic));
            (parts.tell)(Sight::Peer { number: parts.number, looks: seen(state), mosaic });
        }
        if let Some(frame) = frame {
            if let Some(kept) = &parts.kept {
                kept.offer(&frame, now);
            }
            let veiled = mosaic || says.veiled.load(Ordering::Relaxed);
            parts.shown.put(Arc::new(ShownPicture { frame, veiled }));
        }
    }
}

/// With what the receiver knows of the picture beside its pixels.
fn look(detector: &mut Detector, frame: &Frame, now: Duration) -> CameraState {
    match frame.coded {
        Some(coded) => detector.received(planes(frame), Received { bytes: coded.bytes, key: coded.key }, now),
        None => detector.picture(planes(frame), now),
    }
}

fn planes(frame: &Frame) -> Planes<'_> {
    use visavis_sight::planes::Plane;
    let chroma = frame.chroma_size().0;
    Planes {
        width: frame.width,
        height: frame.height,
        y: Plane { data: frame.y(), stride: frame.width },
        u: Plane { data: frame.u(), stride: chroma },
        v: Plane { data: frame.v(), stride: chroma },
    }
}

fn planes_mut(frame: &mut Frame) -> PlanesMut<'_> {
    let (width, height, chroma) = (frame.width, frame.height, frame.chroma_size().0);
    let (y, u, v) = frame.planes_mut();
    PlanesMut { width, height, y: (y, width), u: (u, chroma), v: (v, chroma) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_media::Coded;

    const EACH: Duration = Duration::from_millis(66);

    /// A pattern that moves until `stops`, as a receiver gets it: each second a key frame, after which all of it is a little
    /// brighter or darker, as another quantiser leaves it.
    fn frame(pool: &FramePool, at: usize, stops: usize) -> Frame {
        let (width, height) = (320, 180);
        let mut frame = pool.frame(width, height, EACH * at as u32).unwrap();
        let (shift, key) = (at.min(stops) * 3, at.is_multiple_of(15));
        let (y, u, v) = frame.planes_mut();
        for (place, sample) in y.iter_mut().enumerate() {
            let (x, y) = (place % width + shift, place / width);
            *sample = (40 + x / 8 * 37 % 120 + y / 6 * 23 % 60 + at / 15 % 2 * 2) as u8;
        }
        for (plane, factor) in [(u, 7), (v, 11)] {
            plane.iter_mut().enumerate().for_each(|(place, sample)| *sample = 100 + ((place + shift) / 40 * factor % 50) as u8);
        }
        let bytes = if key {
            9000
        } else if at > stops {
            90
        } else {
            1500
        };
        frame.coded = Some(Coded { bytes, key, arrived: frame.captured, held: Duration::ZERO });
        frame
    }

    /// After how many pictures the standstill is known, with and without what the receiver knows.
    fn known_after(with_arrival: bool) -> Option<usize> {
        let (pool, mut detector, stops) = (FramePool::new(1), Detector::new(), 45);
        (0..stops + 150).find_map(|at| {
            let mut frame = frame(&pool, at, stops);
            if !with_arrival {
                frame.coded = None;
            }
            let state = look(&mut detector, &frame, EACH * at as u32);
            assert!(at > stops || state != CameraState::Frozen);
            (state == CameraState::Frozen).then(|| at - stops)
        })
    }

    #[test]
    fn a_standstill_behind_key_frames_is_known_by_what_the_receiver_knows() {
        let after = known_after(true);
        assert!(after.is_some_and(|pictures| pictures <= 26), "{after:?}");
        assert!(known_after(false).is_none_or(|pictures| pictures > 26 + 8), "it does not matter");
    }
}

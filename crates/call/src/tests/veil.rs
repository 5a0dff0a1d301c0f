//! What the peer gets once a picture is veiled: two engines over loopback, packets lost on the way, and the pictures as they are
//! decoded at the other side. After the first veiled picture nothing of the clear one may come any more, neither in pixels (what
//! an encoder refers to), nor in packets (what was queued, or is asked for again).

use crate::codecs::{VP8_PAYLOAD_TYPE, VP9_PAYLOAD_TYPE};
use crate::connection::Taps;
use crate::tests::{Side, config, connected, losing, planes};
use crate::{Call, Codecs, Config};
use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use visavis_media::codec::Codec;
use visavis_media::{Clock, Frame, FramePool, marker};
use visavis_sight::detector::CameraState;
use visavis_sight::gate::Input;
use visavis_sight::veil::{BLOCKS_ACROSS, BLOCKS_DOWN};
use visavis_sight::{Gate, View};
use visavis_wire::socket::Role;

const SIZE: (usize, usize) = (640, 360);
/// The first cover comes late enough for the start of the rate, and for the first pictures of a lossy network.
const COVERED: [Range<u32>; 2] = [240..360, 450..570];
const PICTURES: u32 = 600;

/// Notes the numbers of the arriving video packets.
struct Tap {
    arrived: Arc<Mutex<Vec<u16>>>,
    reads: VecDeque<TaggedPacket>,
    writes: VecDeque<TaggedPacket>,
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Tap {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtp(packet) = &message.message.packet
            && [VP8_PAYLOAD_TYPE, VP9_PAYLOAD_TYPE].contains(&packet.header.payload_type)
        {
            self.arrived.lock().unwrap().push(packet.header.sequence_number);
        }
        self.reads.push_back(message);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.reads.pop_front()
    }

    fn handle_write(&mut self, message: TaggedPacket) -> Result<(), Error> {
        self.writes.push_back(message);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.writes.pop_front()
    }
}

impl Interceptor for Tap {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}

/// A still scene: a slope with a texture as fine as a few samples, which is what a block mean takes away.
fn scene() -> Vec<u8> {
    let mut seed = 99u64;
    let mut grain = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed >> 20 & 1 == 0
    };
    let (width, height) = SIZE;
    let cells: Vec<bool> = (0..width / 4 * (height / 4)).map(|_| grain()).collect();
    let mut luma = Vec::with_capacity(width * height);
    for y in 0..height {
        for x in 0..width {
            let slope = 70 + x * 80 / width + y * 40 / height;
            let texture = if cells[y / 4 * (width / 4) + x / 4] { 24 } else { 0 };
            luma.push((slope + texture) as u8);
        }
    }
    luma
}

/// Block means of the scene, not rounded: all that a veiled picture may tell.
fn means(luma: &[u8]) -> Vec<f32> {
    let (width, height) = SIZE;
    let (wide, tall) = (width / BLOCKS_ACROSS, height / BLOCKS_DOWN);
    let mut means = vec![0.0; width * height];
    for block in 0..BLOCKS_ACROSS * BLOCKS_DOWN {
        let (left, top) = (block % BLOCKS_ACROSS * wide, block / BLOCKS_ACROSS * tall);
        let samples = || (top..top + tall).flat_map(move |y| (left..left + wide).map(move |x| y * width + x));
        let mean = samples().map(|at| f32::from(luma[at])).sum::<f32>() / (wide * tall) as f32;
        samples().for_each(|at| means[at] = mean);
    }
    means
}

/// Correlation of what a decoded picture shows beyond the block means with what the scene has beyond them, below the strip of
/// the frame number.
fn detail_shown(decoded: &Frame, luma: &[u8], means: &[f32]) -> f32 {
    let start = SIZE.0 * marker::strip_height(SIZE.1);
    let (mut shown, mut own, mut both) = (0.0f64, 0.0f64, 0.0f64);
    for at in start..luma.len() {
        let residual = f64::from(f32::from(decoded.y()[at]) - means[at]);
        let detail = f64::from(f32::from(luma[at]) - means[at]);
        shown += residual * residual;
        own += detail * detail;
        both += residual * detail;
    }
    (both / (shown * own).sqrt().max(1e-9)) as f32
}

/// One picture as the other side decoded it.
struct Seen {
    number: u32,
    detail: f32,
}

struct Shown {
    seen: Vec<Seen>,
    /// Numbers of the first pictures that were released veiled after clear ones, each with the number that its first packet had.
    turns: Vec<(u32, u16)>,
}

/// A shows the scene; the peer's camera is covered from `cover` to `uncover`, twice.
async fn show(a: &Side, b: &Side, clock: Clock) -> Shown {
    let luma = scene();
    let means = means(&luma);
    let (pool, mut gate) = (FramePool::new(6), Gate::new());
    for input in [Input::Agreed(true), Input::Opened(true), Input::PeerSeesMe(CameraState::Clear), Input::PeerShows(View::Clear)]
    {
        gate.input(input, clock.now());
    }
    let (out, arriving) = (a.0.pictures(), b.0.peer_pictures());
    let mut ticks = tokio::time::interval(Duration::from_millis(11));
    let mut shown = Shown { seen: vec![], turns: vec![] };
    let (mut before, mut floor) = (View::Veiled, None);
    for tick in 0..(PICTURES + 30) * 3 {
        ticks.tick().await;
        let number = tick / 3;
        if tick % 3 == 0 && number < PICTURES {
            let covered = COVERED.iter().any(|covered| covered.contains(&number));
            gate.input(Input::PeerLooks(if covered { CameraState::Covered } else { CameraState::Clear }), clock.now());
            let Some(mut frame) = pool.frame(SIZE.0, SIZE.1, clock.now()) else { continue };
            frame.as_bytes_mut().fill(128);
            frame.planes_mut().0.copy_from_slice(&luma);
            marker::burn(&mut frame, number);
            let released = gate.release(frame, clock.now(), planes);
            let view = released.view();
            if view == View::Veiled && before == View::Clear {
                floor = Some((number, a.0.shared().monitor.floor()));
            }
            before = view;
            out.put(released);
        }
        if let Some((number, old)) = floor
            && a.0.shared().monitor.floor() != old
            && let Some(now) = a.0.shared().monitor.floor()
        {
            shown.turns.push((number, now));
            floor = None;
        }
        if let Some(frame) = arriving.try_take()
            && let Some(number) = marker::read(&frame)
        {
            shown.seen.push(Seen { number, detail: detail_shown(&frame, &luma, &means) });
        }
    }
    shown
}

async fn nothing_of_a_clear_picture_follows_a_veiled_one(codecs: Codecs, thousandths: u32) {
    let config = |role, clock| Config { codecs, ..config(role, clock) };
    let clock = Clock::start();
    let arrived = Arc::new(Mutex::new(Vec::new()));
    let tap = Tap { arrived: Arc::clone(&arrived), reads: VecDeque::new(), writes: VecDeque::new() };
    let mut a = Call::start_with(config(Role::Offerer, clock), losing(&Arc::new(AtomicU32::new(thousandths))));
    let tap = Taps { interceptor: Some(Box::new(tap)), ..Taps::default() };
    let mut b = Call::start_with(config(Role::Answerer, clock), tap);
    connected(&mut a, &mut b).await;
    let shown = show(&a, &b, clock).await;
    let [(first, first_floor), (second, second_floor)] = shown.turns[..] else { panic!("turned {:?}", shown.turns) };

    // The scene as it is, so that the measure is known to find it.
    let clear: Vec<_> = shown.seen.iter().filter(|seen| (60..first).contains(&seen.number)).collect();
    assert!(!clear.is_empty(), "nothing clear arrived");
    let least = clear.iter().map(|seen| seen.detail).fold(1.0, f32::min);
    assert!(least > 0.7, "the clear pictures show {least} of the detail");

    for (turn, until) in [(first, COVERED[0].end), (second, COVERED[1].end)] {
        let veiled: Vec<_> = shown.seen.iter().filter(|seen| (turn..until).contains(&seen.number)).collect();
        let most = veiled.iter().map(|seen| seen.detail.abs()).fold(0.0, f32::max);
        println!(
            "{codecs:?}, loss {thousandths}: {} veiled pictures, the first {} after the turn, detail {most:.4}",
            veiled.len(),
            veiled[0].number - turn
        );
        assert!(veiled.len() > 20, "{} veiled pictures arrived", veiled.len());
        assert!(most < 0.03, "a veiled picture shows {most} of the detail");
        let at = shown.seen.iter().position(|seen| seen.number >= turn).unwrap();
        assert!(shown.seen[at..].iter().all(|seen| seen.number >= turn), "an older picture came after a veiled one");
    }
    for floor in [first_floor, second_floor] {
        let arrived = arrived.lock().unwrap();
        let old = |number: &u16| number.wrapping_sub(floor) >= 0x8000;
        let at = arrived.iter().position(|number| !old(number)).unwrap();
        assert!(at > 20, "packets of the clear time were seen too");
        let late = arrived[at..].iter().filter(|number| old(number)).count();
        assert_eq!(late, 0, "packets of the clear time after the first of the veiled time");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_veil_leaves_nothing_of_the_clear_picture_on_a_good_network() {
    for codec in [Codec::Vp8, Codec::Vp9] {
        nothing_of_a_clear_picture_follows_a_veiled_one(Codecs::Only(codec), 0).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_veil_leaves_nothing_of_the_clear_picture_when_packets_are_lost_and_asked_for_again() {
    nothing_of_a_clear_picture_follows_a_veiled_one(Codecs::Auto, 80).await;
}

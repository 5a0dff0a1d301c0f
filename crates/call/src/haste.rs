//! The library's runtime with four changes: its driver never sleeps long, DTLS goes more than once where it may be lost and begins
//! a round trip sooner between two of our apps (`cookie`), and pictures that are here before the keys wait for them.
//!
//! The driver of webrtc 0.21.1 goes to sleep with messages in its inner layers that only its next timer brings out: the first
//! DTLS message after a path was found, whatever answers a relayed packet. Its timers are capped here.
//!
//! The library sends a lost flight of the DTLS handshake again after a second, and a lost SCTP packet after a second at least
//! (RFC 6347 section 4.2.4.1 and RFC 9260 section 16 leave that to it). Their records are few and small, and a record that came
//! before is dropped by its number (RFC 6347 section 4.1.2.6), so copies cost little and harm nothing: while the call is set up,
//! and as long as the path is known to lose packets. Pictures and sound do not pass here as DTLS and are sent once.

use crate::cookie::{Cookies, payload};
use crate::engine::Shared;
use crate::interceptors::Monitor;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime, TokioRuntime, Transmit,
};

/// The driver looks at its inner layers so often: while the call is set up, and in a call, where packets wake it often enough.
const LOOK_SETTING_UP: Duration = Duration::from_millis(2);
const LOOK: Duration = Duration::from_millis(20);
/// When the copies of a record follow.
const COPIES: [Duration; 2] = [Duration::from_millis(12), Duration::from_millis(40)];
/// From this share of lost packets on, copies are sent in a call.
const LOSSY: f32 = 0.015;

/// Media that may wait for their keys: a key frame and some sound.
const EARLY: usize = 128;
/// For so long.
const EARLY_FOR: Duration = Duration::from_secs(2);

/// Whether a datagram is lost.
pub(crate) type Loses = Arc<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// What decides about haste; cheap to clone.
#[derive(Clone)]
pub(crate) struct Haste {
    /// Media are up.
    open: Arc<AtomicBool>,
    /// Media and all channels are up.
    settled: Arc<AtomicBool>,
    monitor: Monitor,
    cookies: Cookies,
    /// In tests, an emulated path.
    loses: Option<Loses>,
}

impl Haste {
    pub fn new(shared: &Shared, cookies: Cookies, loses: Option<Loses>) -> Self {
        let (open, settled) = (Arc::clone(&shared.open), Arc::clone(&shared.settled));
        Self { open, settled, monitor: shared.monitor.clone(), cookies, loses }
    }

    fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire) || self.is_settled()
    }

    fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Relaxed)
    }

    fn is_lost(&self, datagram: &[u8]) -> bool {
        self.loses.as_ref().is_some_and(|loses| loses(datagram))
    }

    fn look(&self) -> Duration {
        if self.is_settled() { LOOK } else { LOOK_SETTING_UP }
    }

    fn copies(&self) -> bool {
        !self.is_settled() || self.monitor.readings().path_lost > LOSSY
    }
}

impl fmt::Debug for Haste {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Haste").field("settled", &self.settled).finish_non_exhaustive()
    }
}

/// See the module's description.
#[derive(Debug)]
pub(crate) struct HastyRuntime {
    inner: TokioRuntime,
    haste: Haste,
}

impl HastyRuntime {
    pub fn new(haste: Haste) -> Self {
        Self { inner: TokioRuntime, haste }
    }
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Runtime for HastyRuntime {
    fn spawn(&self, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        self.inner.spawn(future)
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let inner = self.inner.wrap_udp_socket(socket)?;
        Ok(Arc::new(HastySocket::new(inner, self.haste.clone())))
    }

    fn wrap_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.inner.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(&'a self, remote: SocketAddr) -> Boxed<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        self.inner.connect_tcp(remote)
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        self.inner.resolve_host(host)
    }

    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        self.inner.sleep(duration.min(self.haste.look()))
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.inner.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.inner.block_on(future);
    }

    fn yield_now(&self) -> Boxed<'static, ()> {
        self.inner.yield_now()
    }

    fn name(&self) -> &'static str {
        self.inner.name()
    }
}

#[derive(Debug)]
struct HastySocket {
    inner: Arc<dyn AsyncUdpSocket>,
    haste: Haste,
    ahead: Arc<Mutex<Ahead>>,
}

/// Datagrams that the library is to get before what the socket has.
#[derive(Debug, Default)]
struct Ahead {
    datagrams: VecDeque<(SocketAddr, Vec<u8>)>,
    /// Media without keys.
    early: VecDeque<(SocketAddr, Vec<u8>)>,
    /// Who waits for them.
    waker: Option<Waker>,
}

impl Ahead {
    fn fill(&mut self, is_open: bool, buffers: &mut [IoSliceMut<'_>], meta: &mut [RecvMeta]) -> usize {
        if is_open {
            self.datagrams.append(&mut self.early);
        }
        let mut filled = 0;
        for (buffer, meta) in buffers.iter_mut().zip(meta) {
            let Some((from, datagram)) = self.datagrams.pop_front() else { break };
            let length = datagram.len().min(buffer.len());
            buffer[..length].copy_from_slice(&datagram[..length]);
            *meta = RecvMeta::default();
            (meta.addr, meta.len, meta.stride) = (from, length, length.max(1));
            filled += 1;
        }
        filled
    }

    fn wake(&mut self) {
        self.waker.take().into_iter().for_each(Waker::wake);
    }
}

impl HastySocket {
    fn new(inner: Arc<dyn AsyncUdpSocket>, haste: Haste) -> Self {
        Self { inner, haste, ahead: Arc::default() }
    }

    fn ahead(&self) -> MutexGuard<'_, Ahead> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the library has its answer without that anything was sent.
    fn is_answered_here(&self, transmit: &Transmit<'_>) -> bool {
        let answer = || self.haste.cookies.answer_to(transmit.contents);
        let Some(answer) = (!self.haste.is_settled()).then(answer).flatten() else { return false };
        let mut ahead = self.ahead();
        ahead.datagrams.push_back((transmit.destination, answer));
        ahead.wake();
        true
    }

    /// Where something came that must wait, or that something else must come before, all goes to the queues.
    fn takes(&self, buffers: &[IoSliceMut<'_>], meta: &[RecvMeta]) -> bool {
        if self.haste.is_settled() {
            return false;
        }
        let is_open = self.haste.is_open();
        let waits = |datagram: &[u8]| !is_open && payload(datagram).is_some_and(is_media);
        let datagrams = || {
            buffers.iter().zip(meta).flat_map(|(buffer, meta)| {
                let all = buffer.get(..meta.len).unwrap_or_default();
                all.chunks(meta.stride.max(1)).map(|datagram| (meta.addr, datagram))
            })
        };
        if !datagrams().any(|(_, datagram)| waits(datagram) || self.haste.cookies.before(datagram).is_some()) {
            return false;
        }
        let mut ahead = self.ahead();
        for (from, datagram) in datagrams() {
            if waits(datagram) {
                if ahead.early.is_empty() {
                    self.wake_when_open();
                }
                if ahead.early.len() < EARLY {
                    ahead.early.push_back((from, datagram.to_vec()));
                }
                continue;
            }
            if let Some(before) = self.haste.cookies.before(datagram) {
                ahead.datagrams.push_back((from, before));
            }
            ahead.datagrams.push_back((from, datagram.to_vec()));
        }
        true
    }

    fn wake_when_open(&self) {
        let (haste, ahead) = (self.haste.clone(), Arc::clone(&self.ahead));
        tokio::spawn(async move {
            let opens = async {
                while !haste.is_open() {
                    tokio::time::sleep(LOOK_SETTING_UP).await;
                }
            };
            let opened = tokio::time::timeout(EARLY_FOR, opens).await.is_ok();
            let mut ahead = ahead.lock().unwrap_or_else(PoisonError::into_inner);
            if opened {
                ahead.wake();
            } else {
                ahead.early.clear();
            }
        });
    }
}

impl AsyncUdpSocket for HastySocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn poll_send(&self, context: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let is_answered_here = transmit.segment_size.is_none() && self.is_answered_here(transmit);
        if is_answered_here || self.haste.is_lost(transmit.contents) {
            return Poll::Ready(Ok(transmit.contents.len()));
        }
        let sent = self.inner.poll_send(context, transmit);
        if let Poll::Ready(Ok(_)) = sent
            && transmit.segment_size.is_none()
            && is_dtls(transmit.contents)
            && self.haste.copies()
        {
            let (inner, contents, to) = (Arc::clone(&self.inner), transmit.contents.to_vec(), transmit.destination);
            tokio::spawn(async move {
                let mut waited = Duration::ZERO;
                for at in COPIES {
                    tokio::time::sleep(at.saturating_sub(waited)).await;
                    waited = at;
                    // The first one went; whether a copy does matters little.
                    let _ = inner.send_to(&contents, to).await;
                }
            });
        }
        sent
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            let filled = self.ahead().fill(self.haste.is_open(), buffers, meta);
            if filled > 0 {
                return Poll::Ready(Ok(filled));
            }
            let Poll::Ready(received) = self.inner.poll_recv(context, buffers, meta) else {
                let mut ahead = self.ahead();
                ahead.waker = Some(context.waker().clone());
                // Something may have come from the sending side meanwhile, or the keys.
                let filled = ahead.fill(self.haste.is_open(), buffers, meta);
                return if filled > 0 { Poll::Ready(Ok(filled)) } else { Poll::Pending };
            };
            let count = received?;
            if !self.takes(&buffers[..count], &meta[..count]) {
                return Poll::Ready(Ok(count));
            }
        }
    }

    fn max_gso_segments(&self) -> usize {
        // What is lost is lost one by one.
        if self.haste.loses.is_some() { 1 } else { self.inner.max_gso_segments() }
    }

    fn max_gro_segments(&self) -> usize {
        self.inner.max_gro_segments()
    }
}

/// RTP and RTCP, encrypted or not (RFC 7983).
fn is_media(payload: &[u8]) -> bool {
    matches!(payload, [128..=191, ..])
}

/// Whether a datagram is a DTLS record, bare or on its way to a relay (RFC 7983, RFC 8656 sections 11.4 and 12.4).
fn is_dtls(datagram: &[u8]) -> bool {
    match datagram {
        [20..=63, ..] => true,
        // A channel's data: number, length, data.
        [0x40..=0x4f, _, _, _, first, ..] => (20..=63).contains(first),
        // A Send indication.
        [0x00, 0x16, ..] => stun_attribute(datagram, 0x0013).is_some_and(|data| matches!(data, [20..=63, ..])),
        _ => false,
    }
}

/// An attribute of a STUN message by its type (RFC 8489, section 14; DATA is 0x0013, RFC 8656, section 18.4).
pub(crate) fn stun_attribute(message: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut rest = message.get(20..)?;
    loop {
        let (head, behind) = rest.split_at_checked(4)?;
        let (kind, length) = (u16::from_be_bytes([head[0], head[1]]), usize::from(u16::from_be_bytes([head[2], head[3]])));
        if kind == wanted {
            return behind.get(..length);
        }
        rest = behind.get(length.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dtls_is_known_bare_and_on_its_way_to_a_relay_and_nothing_else_is() {
        assert!(is_dtls(&[22, 254, 253]) && is_dtls(&[23, 254, 253]));
        assert!(is_dtls(&[0x40, 1, 0, 3, 22, 254, 253]));
        let mut indication = vec![0x00, 0x16, 0, 20, 0x21, 0x12, 0xa4, 0x42];
        indication.extend([0; 12]);
        // XOR-PEER-ADDRESS, then DATA of five bytes.
        indication.extend([0x00, 0x12, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0]);
        assert!(!is_dtls(&indication));
        indication.extend([0x00, 0x13, 0, 5, 22, 254, 253, 0, 0, 0, 0, 0]);
        assert!(is_dtls(&indication));
        // RTP, RTP through a relay, a binding request.
        assert!(!is_dtls(&[0x80, 96, 0, 1]) && !is_dtls(&[0x40, 1, 0, 3, 0x80, 96, 0]) && !is_dtls(&[0, 1, 0, 0]));
    }

    proptest! {
        #[test]
        fn any_datagram_is_survived(mut datagram in prop::collection::vec(any::<u8>(), 0..80), indication in any::<bool>()) {
            if let (true, [first, second, ..]) = (indication, datagram.as_mut_slice()) {
                (*first, *second) = (0x00, 0x16);
            }
            is_dtls(&datagram);
        }
    }

    /// A socket that counts what is sent.
    #[derive(Debug, Default)]
    struct Counting(std::sync::Mutex<Vec<Vec<u8>>>);

    impl AsyncUdpSocket for Counting {
        fn local_addr(&self) -> io::Result<SocketAddr> {
            Ok(SocketAddr::from(([127, 0, 0, 1], 1)))
        }

        fn poll_send(&self, _: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
            self.0.lock().unwrap().push(transmit.contents.to_vec());
            Poll::Ready(Ok(transmit.contents.len()))
        }

        fn poll_recv(&self, _: &mut Context<'_>, _: &mut [IoSliceMut<'_>], _: &mut [RecvMeta]) -> Poll<io::Result<usize>> {
            Poll::Pending
        }
    }

    /// A socket at which everything came at once.
    #[derive(Debug, Default)]
    struct Full(Mutex<VecDeque<Vec<u8>>>);

    impl AsyncUdpSocket for Full {
        fn local_addr(&self) -> io::Result<SocketAddr> {
            Ok(SocketAddr::from(([127, 0, 0, 1], 1)))
        }

        fn poll_send(&self, _: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(transmit.contents.len()))
        }

        fn poll_recv(
            &self,
            _: &mut Context<'_>,
            buffers: &mut [IoSliceMut<'_>],
            meta: &mut [RecvMeta],
        ) -> Poll<io::Result<usize>> {
            let Some(datagram) = self.0.lock().unwrap().pop_front() else { return Poll::Pending };
            buffers[0][..datagram.len()].copy_from_slice(&datagram);
            (meta[0].len, meta[0].stride) = (datagram.len(), datagram.len());
            Poll::Ready(Ok(1))
        }
    }

    #[tokio::test]
    async fn media_that_come_before_their_keys_wait_for_them() {
        let shared = shared();
        let media = (0..u8::MAX).map(|number| vec![0x80, 96, 0, number]);
        let came = media.chain([vec![22, 254, 253], vec![0x40, 1, 0, 3, 0x80, 96, 9]]).collect();
        let socket = HastySocket::new(Arc::new(Full(Mutex::new(came))), Haste::new(&shared, cookies(), None));
        let mut buffer = [0; 100];
        let (length, _) = socket.recv_from(&mut buffer).await.unwrap();
        assert_eq!(buffer[..length], [22, 254, 253], "what is no media is not held up");
        let waits = tokio::time::timeout(Duration::from_millis(50), socket.recv_from(&mut buffer)).await;
        assert!(waits.is_err(), "{waits:?}");
        // Nobody else wakes who waits.
        let opens = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            shared.open.store(true, Ordering::Release);
        };
        let (first, ()) = tokio::join!(socket.recv_from(&mut buffer), opens);
        assert_eq!((first.unwrap().0, buffer[3]), (4, 0));
        for number in 1..EARLY as u8 {
            let (length, _) = socket.recv_from(&mut buffer).await.unwrap();
            assert_eq!((length, buffer[3]), (4, number));
        }
        let beyond = tokio::time::timeout(Duration::from_millis(50), socket.recv_from(&mut buffer)).await;
        assert!(beyond.is_err(), "no more than {EARLY} wait");
    }

    fn shared() -> Shared {
        let config = crate::tests::config(visavis_wire::socket::Role::Offerer, visavis_media::Clock::start());
        Shared::new(&config, crate::connection::Sources { video: 1, audio: 2 })
    }

    fn cookies() -> Cookies {
        Cookies::new(rtc::crypto::default_provider().unwrap().random()).unwrap()
    }

    #[tokio::test]
    async fn records_go_three_times_while_the_call_is_set_up_and_where_packets_are_lost() {
        let (shared, counting) = (shared(), Arc::new(Counting::default()));
        let (settled, monitor) = (Arc::clone(&shared.settled), shared.monitor.clone());
        let socket = HastySocket::new(counting.clone(), Haste::new(&shared, cookies(), None));
        let to = SocketAddr::from(([127, 0, 0, 1], 9));
        let count = || std::mem::take(&mut *counting.0.lock().unwrap()).len();
        let rest = || tokio::time::sleep(Duration::from_millis(100));
        socket.send_to(&[22, 254, 253], to).await.unwrap();
        socket.send_to(&[0x80, 96, 0, 1], to).await.unwrap();
        rest().await;
        assert_eq!(count(), 4, "the record three times, the picture once");
        settled.store(true, Ordering::Relaxed);
        socket.send_to(&[23, 254, 253], to).await.unwrap();
        rest().await;
        assert_eq!(count(), 1);
        monitor.change(|readings| readings.path_lost = 0.05);
        socket.send_to(&[23, 254, 253], to).await.unwrap();
        rest().await;
        assert_eq!(count(), 3);
    }
}

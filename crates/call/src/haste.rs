//! The library's runtime with two changes: its driver never sleeps long, and DTLS goes more than once where it may be lost.
//!
//! The driver of webrtc 0.21.1 goes to sleep with messages in its inner layers that only its next timer brings out: the first
//! DTLS message after a path was found, whatever answers a relayed packet. Its timers are capped here.
//!
//! The library sends a lost flight of the DTLS handshake again after a second, and a lost SCTP packet after a second at least
//! (RFC 6347 section 4.2.4.1 and RFC 9260 section 16 leave that to it). Their records are few and small, and a record that came
//! before is dropped by its number (RFC 6347 section 4.1.2.6), so copies cost little and harm nothing: while the call is set up,
//! and as long as the path is known to lose packets. Pictures and sound do not pass here as DTLS and are sent once.

use crate::interceptors::Monitor;
use std::fmt;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
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

/// Whether a datagram is lost.
pub(crate) type Loses = Arc<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// What decides about haste; cheap to clone.
#[derive(Clone)]
pub(crate) struct Haste {
    /// Media and all channels are up.
    settled: Arc<AtomicBool>,
    monitor: Monitor,
    /// In tests, an emulated path.
    loses: Option<Loses>,
}

impl Haste {
    pub fn new(settled: Arc<AtomicBool>, monitor: Monitor, loses: Option<Loses>) -> Self {
        Self { settled, monitor, loses }
    }

    fn is_lost(&self, datagram: &[u8]) -> bool {
        self.loses.as_ref().is_some_and(|loses| loses(datagram))
    }

    fn look(&self) -> Duration {
        if self.settled.load(Ordering::Relaxed) { LOOK } else { LOOK_SETTING_UP }
    }

    fn copies(&self) -> bool {
        !self.settled.load(Ordering::Relaxed) || self.monitor.readings().path_lost > LOSSY
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
        Ok(Arc::new(HastySocket { inner, haste: self.haste.clone() }))
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
}

impl AsyncUdpSocket for HastySocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn poll_send(&self, context: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        if self.haste.is_lost(transmit.contents) {
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
        self.inner.poll_recv(context, buffers, meta)
    }

    fn max_gso_segments(&self) -> usize {
        // What is lost is lost one by one.
        if self.haste.loses.is_some() { 1 } else { self.inner.max_gso_segments() }
    }

    fn max_gro_segments(&self) -> usize {
        self.inner.max_gro_segments()
    }
}

/// Whether a datagram is a DTLS record, bare or on its way to a relay (RFC 7983, RFC 8656 sections 11.4 and 12.4).
fn is_dtls(datagram: &[u8]) -> bool {
    match datagram {
        [20..=63, ..] => true,
        // A channel's data: number, length, data.
        [0x40..=0x4f, _, _, _, first, ..] => (20..=63).contains(first),
        // A Send indication.
        [0x00, 0x16, ..] => data_attribute(datagram).is_some_and(|data| matches!(data, [20..=63, ..])),
        _ => false,
    }
}

/// The attribute DATA of a STUN message (RFC 8489, section 14; RFC 8656, section 18.4).
fn data_attribute(message: &[u8]) -> Option<&[u8]> {
    let mut rest = message.get(20..)?;
    loop {
        let (head, behind) = rest.split_at_checked(4)?;
        let (kind, length) = (u16::from_be_bytes([head[0], head[1]]), usize::from(u16::from_be_bytes([head[2], head[3]])));
        if kind == 0x0013 {
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

    #[tokio::test]
    async fn records_go_three_times_while_the_call_is_set_up_and_where_packets_are_lost() {
        let (settled, monitor, counting) = (Arc::new(AtomicBool::new(false)), Monitor::new(1), Arc::new(Counting::default()));
        let socket = HastySocket { inner: counting.clone(), haste: Haste::new(Arc::clone(&settled), monitor.clone(), None) };
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

//! Which way is taken, with relays that answer, are silent, or are no relays.

use super::*;
use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;

#[test]
fn urls_are_read() {
    let url = |transport, host: &str, port| Some(Url { transport, host: host.to_owned(), port });
    for (text, expected) in [
        ("turn:127.0.0.1:99?transport=udp", url(Transport::Udp, "127.0.0.1", 99)),
        ("turn:relay.example", url(Transport::Udp, "relay.example", 3478)),
        ("turn:[::1]:99", url(Transport::Udp, "::1", 99)),
        ("turn:[::1]?transport=tcp", url(Transport::Tcp, "::1", 3478)),
        ("turns:relay.example", url(Transport::Tls, "relay.example", 5349)),
        ("turns:relay.example:443?transport=tcp", url(Transport::Tls, "relay.example", 443)),
        ("turns:relay.example?transport=udp", None),
        ("stun:relay.example", None),
        ("turn:", None),
        ("turn::99", None),
        ("turn:[::1]99", None),
        ("turn:relay.example:port", None),
    ] {
        assert_eq!(Url::read(text), expected, "{text}");
    }
}

fn refusal(request: &[u8]) -> Vec<u8> {
    let mut answer = request[..20].to_vec();
    answer[..4].copy_from_slice(&[0x01, 0x13, 0, 0]);
    answer
}

/// A relay of so much of TURN as is asked here. `answers`: whether it does.
async fn udp_relay(answers: bool, after: Duration) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let url = format!("turn:{}?transport=udp", socket.local_addr().unwrap());
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            if answers {
                sleep(after).await;
                socket.send_to(&refusal(&buffer[..length]), from).await.unwrap();
            }
        }
    });
    url
}

async fn tcp_relay(speaks: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("turn:{}?transport=tcp", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0; 1500];
                while let Some(length) = stream.read(&mut buffer).await.ok().filter(|length| *length > 0) {
                    let answer = if speaks.is_empty() { refusal(&buffer[..length]) } else { speaks.to_vec() };
                    stream.write_all(&answer).await.unwrap();
                }
            });
        }
    });
    url
}

/// The address that the library would send to, and how long it took to find.
async fn way(urls: &[&String]) -> (Result<SocketAddr, RelayError>, Duration) {
    let relay = RelayCredentials { urls: urls.iter().map(|url| (*url).clone()).collect(), ..RelayCredentials::default() };
    let began = Instant::now();
    let way = reach(&relay, unbounded_channel().0).await;
    (way.map(|way| way.addresses[0]), began.elapsed())
}

fn port(url: &str) -> u16 {
    Url::read(url).unwrap().port
}

#[tokio::test]
async fn udp_is_taken_where_it_answers_though_later_than_a_stream() {
    let (udp, tcp) = (udp_relay(true, Duration::from_millis(500)).await, tcp_relay(b"").await);
    let (taken, _) = way(&[&tcp, &udp]).await;
    assert_eq!(taken.unwrap().port(), port(&udp));
}

#[tokio::test]
async fn a_stream_is_taken_where_udp_is_silent() {
    let (udp, tcp) = (udp_relay(false, Duration::ZERO).await, tcp_relay(b"").await);
    let (taken, took) = way(&[&udp, &tcp]).await;
    let taken = taken.unwrap();
    assert!(taken.ip().is_loopback() && taken.port() != port(&udp) && taken.port() != port(&tcp), "a socket of our own");
    assert!(took >= PREFER_UDP && took < GIVE_UP, "{took:?}");
}

#[tokio::test]
async fn a_stream_alone_is_not_waited_for() {
    let tcp = tcp_relay(b"").await;
    assert!(way(&[&tcp]).await.0.is_ok());
}

#[tokio::test]
async fn what_is_no_relay_is_not_taken_for_one() {
    let web = tcp_relay(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    assert_eq!(way(&[&web]).await.0, Err(RelayError::Silent));
    let other_transaction = tcp_relay(&[1, 0x13, 0, 0, 0x21, 0x12, 0xa4, 0x42, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9]).await;
    assert_eq!(way(&[&other_transaction]).await.0, Err(RelayError::Silent));
    assert_eq!(way(&[]).await.0, Err(RelayError::None));
    assert_eq!(way(&[&String::from("stun:127.0.0.1")]).await.0, Err(RelayError::Unknown));
}

#[tokio::test]
async fn each_socket_gets_a_stream_and_a_broken_one_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("turn:{}?transport=tcp", listener.local_addr().unwrap());
    let relay = RelayCredentials { urls: vec![url], ..RelayCredentials::default() };
    let (lost, mut told) = unbounded_channel();
    let first = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 28];
        stream.read_exact(&mut buffer).await.unwrap();
        stream.write_all(&refusal(&buffer)).await.unwrap();
        stream
    };
    let (way, mut first) = tokio::join!(reach(&relay, lost), first);
    let way = way.unwrap();
    let (one, other) = (UdpSocket::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("127.0.0.1:0").await.unwrap());
    // Channel data of three bytes: padded on the stream, not on the way back.
    one.send_to(&[0x40, 1, 0, 3, 7, 8, 9], way.addresses[0]).await.unwrap();
    let mut eight = [0; 8];
    first.read_exact(&mut eight).await.unwrap();
    assert_eq!(eight, [0x40, 1, 0, 3, 7, 8, 9, 0]);
    // Cut where it hurts most.
    for piece in [&[0x40, 1, 0][..], &[3, 1, 2], &[3, 0, 0x40, 1, 0, 4, 5, 5], &[5, 5]] {
        first.write_all(piece).await.unwrap();
        first.flush().await.unwrap();
        sleep(Duration::from_millis(5)).await;
    }
    let mut buffer = [0; 64];
    for expected in [&[0x40, 1, 0, 3, 1, 2, 3][..], &[0x40, 1, 0, 4, 5, 5, 5, 5]] {
        let length = one.recv(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..length], expected);
    }
    other.send_to(&[0x40, 2, 0, 0], way.addresses[0]).await.unwrap();
    let (mut second, _) = listener.accept().await.unwrap();
    let mut four = [0; 4];
    second.read_exact(&mut four).await.unwrap();
    assert_eq!(four, [0x40, 2, 0, 0]);
    drop(second);
    assert!(matches!(timeout(GIVE_UP, told.recv()).await.unwrap(), Some(Input::StreamBroke)));
    drop(way);
    assert_eq!(first.read(&mut buffer).await.unwrap_or(0), 0, "nothing is left of it");
}

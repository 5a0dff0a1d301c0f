//! The screen as a page meets it: real sockets on loopback, pictures made up.

use super::*;
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

type Page = WebSocketStream<MaybeTlsStream<TcpStream>>;

struct Flat {
    size: (usize, usize),
    luma: u8,
    veiled: bool,
}

impl Picture for Flat {
    fn fits(&self, room: (usize, usize)) -> bool {
        room.0 > 100
    }

    fn captured(&self) -> Duration {
        Duration::from_micros(1_234_567)
    }
    fn veiled(&self) -> bool {
        self.veiled
    }
    fn append_fitting(&self, room: (usize, usize), message: &mut Vec<u8>) -> Option<(usize, usize)> {
        let (width, height) = (self.size.0.min(room.0), self.size.1.min(room.1));
        message.resize(message.len() + width * height, self.luma);
        message.resize(message.len() + width.div_ceil(2) * height.div_ceil(2) * 2, 128);
        Some((width, height))
    }
}

struct Stage {
    screen: Screen,
    own: watch::Sender<Option<Arc<dyn Picture>>>,
    peer: watch::Sender<Option<Arc<dyn Picture>>>,
}

impl Stage {
    async fn new() -> Self {
        let (own, own_feed) = watch::channel(None);
        let (peer, peer_feed) = watch::channel(None);
        let screen = Screen::start(Feeds { own: own_feed, peer: peer_feed }).await.unwrap();
        Self { screen, own, peer }
    }

    fn show(&self, luma: u8) {
        self.peer.send_replace(Some(Arc::new(Flat { size: (640, 360), luma, veiled: false })));
    }
}

/// The status that refused it, or the socket.
async fn open(address: &str, origin: Option<&str>) -> Result<Page, u16> {
    let mut request = address.into_client_request().unwrap();
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().unwrap());
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((page, _)) => Ok(page),
        Err(SocketError::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("neither in nor refused: {error}"),
    }
}

async fn open_peer(stage: &Stage) -> Page {
    open(&format!("{}/peer", stage.screen.new_address()), Some("tauri://localhost")).await.unwrap()
}

async fn next(page: &mut Page) -> Option<Vec<u8>> {
    match tokio::time::timeout(Duration::from_millis(400), page.next()).await.ok()?? {
        Ok(Message::Binary(bytes)) => Some(bytes.to_vec()),
        _ => None,
    }
}

async fn ask(page: &mut Page, size: &str) {
    page.send(Message::text(size)).await.unwrap();
    // So that it has been read before the next picture is put there.
    tokio::time::sleep(Duration::from_millis(60)).await;
}

fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    bytes[at..at + length].iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

#[tokio::test]
async fn strangers_are_refused() {
    let stage = Stage::new().await;
    let address = stage.screen.new_address();
    let peer = format!("{address}/peer");
    for origin in [None, Some("https://visavis.example"), Some("null"), Some("http://localhost:5173.example")] {
        assert_eq!(open(&peer, origin).await.unwrap_err(), 403, "{origin:?}");
    }
    let (base, _) = address.rsplit_once('/').unwrap();
    for path in ["/peer", "//peer", "/0123456789abcdef0123456789abcdef/peer"] {
        assert_eq!(open(&format!("{base}{path}"), Some("tauri://localhost")).await.unwrap_err(), 403, "{path}");
    }
    assert_eq!(open(&format!("{address}/else"), Some("tauri://localhost")).await.unwrap_err(), 403);
    assert!(open(&peer, Some("http://tauri.localhost")).await.is_ok());
}

#[tokio::test]
async fn a_token_opens_each_side_once() {
    let stage = Stage::new().await;
    let address = stage.screen.new_address();
    let origin = Some("tauri://localhost");
    let _own = open(&format!("{address}/own"), origin).await.unwrap();
    let _peer = open(&format!("{address}/peer"), origin).await.unwrap();
    assert_eq!(open(&format!("{address}/peer"), origin).await.unwrap_err(), 403);
    assert!(open(&format!("{}/peer", stage.screen.new_address()), origin).await.is_ok());
}

#[tokio::test]
async fn a_frame_has_its_header_and_its_planes() {
    let stage = Stage::new().await;
    let mut page = open(&format!("{}/own", stage.screen.new_address()), Some("tauri://localhost")).await.unwrap();
    ask(&mut page, "320x180").await;
    stage.own.send_replace(Some(Arc::new(Flat { size: (640, 360), luma: 77, veiled: true })));
    let bytes = next(&mut page).await.unwrap();
    assert_eq!(number(&bytes, 0, 4), u64::from(MAGIC));
    assert_eq!((number(&bytes, 4, 2), number(&bytes, 6, 2)), (320, 180));
    assert_eq!((number(&bytes, 8, 4), number(&bytes, 12, 8), number(&bytes, 20, 4)), (0, 1_234_567, 1));
    assert_eq!(bytes.len(), HEADER + 320 * 180 * 3 / 2);
    assert_eq!(bytes[HEADER], 77);
}

#[tokio::test]
async fn nothing_comes_unasked_and_no_more_than_two() {
    let stage = Stage::new().await;
    let mut page = open_peer(&stage).await;
    stage.show(1);
    assert!(next(&mut page).await.is_none(), "nothing was asked for");
    ask(&mut page, "640x360").await;
    assert!(next(&mut page).await.is_some(), "it was there already");
    for _ in 0..5 {
        ask(&mut page, "640x360").await;
    }
    let mut received = 0;
    for luma in 2..8 {
        stage.show(luma);
        received += usize::from(next(&mut page).await.is_some());
    }
    assert_eq!(received, CREDITS);
}

#[tokio::test]
async fn a_late_page_gets_the_newest_picture() {
    let stage = Stage::new().await;
    let mut page = open_peer(&stage).await;
    for luma in 10..20 {
        stage.show(luma);
    }
    ask(&mut page, "640x360").await;
    assert_eq!(next(&mut page).await.unwrap()[HEADER], 19);
}

#[tokio::test]
async fn a_new_page_is_not_shown_the_end_of_an_earlier_call() {
    let stage = Stage::new().await;
    stage.show(5);
    let mut page = open_peer(&stage).await;
    ask(&mut page, "640x360").await;
    assert!(next(&mut page).await.is_none());
    stage.show(6);
    assert_eq!(next(&mut page).await.unwrap()[HEADER], 6);
}

#[tokio::test]
async fn nonsense_closes_the_socket_and_harms_nobody() {
    let stage = Stage::new().await;
    let long = "9".repeat(LONGEST_MESSAGE * 2);
    for nonsense in ["", "640", "x", "0x360", "640x-1", "99999x9", "640x360x2", " 640x360", "+6x4", long.as_str()] {
        let mut page = open_peer(&stage).await;
        page.send(Message::text(nonsense)).await.unwrap();
        let closed = tokio::time::timeout(Duration::from_secs(5), page.next()).await.unwrap();
        assert!(matches!(closed, Some(Ok(Message::Close(_)) | Err(_)) | None), "{nonsense:?}: {closed:?}");
    }
    let mut page = open_peer(&stage).await;
    page.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert!(matches!(page.next().await, Some(Ok(Message::Close(_)))));
    let mut page = open_peer(&stage).await;
    ask(&mut page, "640x360").await;
    stage.show(9);
    assert!(next(&mut page).await.is_some());
}

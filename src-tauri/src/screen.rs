//! Pictures for the page over a loopback WebSocket, because a webview's own channel to the program cannot carry video in time.
//!
//! The page asks and is answered: a text message `WxH` wants one frame that fits the box, a binary message brings it, scaled
//! down but never up. At most [`CREDITS`] frames are asked for at a time, and the newest picture wins, so a slow page sees
//! fewer frames and never older ones. Nobody but the page gets in: the address holds a random token and the origin is checked.
//!
//! A binary message is a header of 24 bytes, little-endian, and the tight I420 planes:
//! magic u32, width u16, height u16, sequence u32, captured in microseconds of Unix time u64, flags u32 (bit 0: veiled).

use futures_util::{SinkExt, StreamExt};
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};

const MAGIC: u32 = 0x3146_5656;
const HEADER: usize = 24;
const VEILED: u32 = 1;
/// One frame being drawn, one under way.
const CREDITS: usize = 2;
/// Larger than any screen; a bound for what a message may ask.
const LONGEST_SIDE: usize = 16_384;
/// The page sends "WxH" and nothing longer.
const LONGEST_MESSAGE: usize = 64;
/// Sockets at a time: two pictures, twice while a page reloads.
const MOST_SOCKETS: usize = 8;

/// A local socket shakes hands at once or never.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Where the webview's pages come from, by platform; the development server only where the interface is not embedded.
const ORIGINS: [&str; 2] = ["tauri://localhost", "http://tauri.localhost"];
const DEVELOPMENT_ORIGIN: &str = "http://localhost:5173";

/// What the screen has to know of a picture.
pub trait Picture: Send + Sync {
    /// When it came from the camera, or from the peer before it was decoded; since the Unix epoch, so that the page can tell
    /// how old the picture is that it draws.
    fn captured(&self) -> Duration;
    fn veiled(&self) -> bool;
    /// Whether the next does no more than copy.
    fn fits(&self, room: (usize, usize)) -> bool;
    /// Appends tight I420 planes that fit into `room` and gives their size. `None`, and nothing appended: not possible now.
    fn append_fitting(&self, room: (usize, usize), message: &mut Vec<u8>) -> Option<(usize, usize)>;
}

/// The newest picture of one side; `None` until there is one.
pub type Pictures = watch::Receiver<Option<Arc<dyn Picture>>>;

/// The two pictures that are served.
#[derive(Clone)]
pub struct Feeds {
    pub own: Pictures,
    pub peer: Pictures,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Own,
    Peer,
}

/// The running picture server; ends with the program.
pub struct Screen {
    port: u16,
    tickets: Arc<Mutex<Tickets>>,
}

impl Screen {
    /// Binds a free loopback port and serves it in tasks of its own.
    pub async fn start(feeds: Feeds) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let tickets = Arc::default();
        tokio::spawn(serve(listener, Arc::clone(&tickets), feeds));
        Ok(Self { port, tickets })
    }

    /// An address that admits one socket for each side.
    pub fn new_address(&self) -> String {
        let token = self.tickets.lock().unwrap_or_else(PoisonError::into_inner).issue();
        format!("ws://127.0.0.1:{}/{token}", self.port)
    }
}

/// Tokens handed out and not yet used up, oldest first.
#[derive(Default)]
struct Tickets(VecDeque<Ticket>);

struct Ticket {
    token: String,
    used: Vec<Side>,
}

impl Tickets {
    /// 128 random bits in hexadecimal.
    fn issue(&mut self) -> String {
        let token = format!("{:032x}", rand::random::<u128>());
        self.0.push_back(Ticket { token: token.clone(), used: Vec::new() });
        if self.0.len() > MOST_SOCKETS {
            self.0.pop_front();
        }
        token
    }

    /// Once for each token and side.
    fn redeem(&mut self, token: &str, side: Side) -> bool {
        match self.0.iter_mut().find(|ticket| ticket.token == token) {
            Some(ticket) if !ticket.used.contains(&side) => {
                ticket.used.push(side);
                true
            }
            _ => false,
        }
    }
}

async fn serve(listener: TcpListener, tickets: Arc<Mutex<Tickets>>, feeds: Feeds) {
    let places = Arc::new(tokio::sync::Semaphore::new(MOST_SOCKETS));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, most likely: it passes.
                tracing::warn!(%error, "the screen cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let (tickets, feeds) = (Arc::clone(&tickets), feeds.clone());
        tokio::spawn(async move {
            if let Err(error) = connection(stream, &tickets, feeds).await {
                tracing::debug!(%error, "a screen socket ended");
            }
            drop(place);
        });
    }
}

type SocketError = tokio_tungstenite::tungstenite::Error;

async fn connection(stream: TcpStream, tickets: &Mutex<Tickets>, feeds: Feeds) -> Result<(), SocketError> {
    stream.set_nodelay(true)?;
    let mut side = None;
    #[allow(clippy::result_large_err, reason = "the library's own type of a refusal")]
    let admit = |request: &Request, response: Response| {
        side = admit(request, &mut tickets.lock().unwrap_or_else(PoisonError::into_inner));
        if side.is_some() { Ok(response) } else { Err(forbidden()) }
    };
    let limits = WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(0)
        .max_message_size(Some(LONGEST_MESSAGE))
        .max_frame_size(Some(LONGEST_MESSAGE));
    let handshake = tokio_tungstenite::accept_hdr_async_with_config(stream, admit, Some(limits));
    let Ok(socket) = tokio::time::timeout(HANDSHAKE, handshake).await else { return Ok(()) };
    let socket = socket?;
    match side {
        Some(Side::Own) => show(socket, feeds.own).await,
        Some(Side::Peer) => show(socket, feeds.peer).await,
        None => Ok(()),
    }
}

/// The side that the request's path names, if the page sent it and its token is still good.
fn admit(request: &Request, tickets: &mut Tickets) -> Option<Side> {
    let origin = request.headers().get("origin")?.to_str().ok()?;
    let is_page = ORIGINS.contains(&origin) || (tauri::is_dev() && origin == DEVELOPMENT_ORIGIN);
    if !is_page {
        return None;
    }
    let (token, side) = request.uri().path().strip_prefix('/')?.split_once('/')?;
    let side = match side {
        "own" => Side::Own,
        "peer" => Side::Peer,
        _ => return None,
    };
    tickets.redeem(token, side).then_some(side)
}

fn forbidden() -> ErrorResponse {
    let mut response = ErrorResponse::new(None);
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

/// Answers one page until it goes or the pictures end.
async fn show(mut socket: WebSocketStream<TcpStream>, mut pictures: Pictures) -> Result<(), SocketError> {
    let mut wanted = 0;
    let mut room = (0, 0);
    let mut sequence = 0_u32;
    // Not the one before: it may be the last of an earlier call.
    pictures.mark_unchanged();
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => match parse_size(&text) {
                    Some(size) => {
                        room = size;
                        wanted = CREDITS.min(wanted + 1);
                    }
                    None => return refuse(socket, "expected WIDTHxHEIGHT").await,
                },
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_))) | None => return Ok(()),
                Some(Ok(_)) => return refuse(socket, "expected text").await,
                Some(Err(error)) => return Err(error),
            },
            changed = pictures.changed(), if wanted > 0 => {
                if changed.is_err() {
                    return socket.close(None).await;
                }
                let Some(picture) = pictures.borrow_and_update().clone() else { continue };
                let number = sequence;
                // A copy is quicker than another thread; scaling a large picture takes milliseconds.
                let message = if picture.fits(room) {
                    encode(&*picture, room, number)
                } else {
                    tokio::task::spawn_blocking(move || encode(&*picture, room, number)).await.ok().flatten()
                };
                let Some(message) = message else { continue };
                wanted -= 1;
                sequence = sequence.wrapping_add(1);
                socket.send(Message::binary(message)).await?;
            }
        }
    }
}

async fn refuse(mut socket: WebSocketStream<TcpStream>, reason: &'static str) -> Result<(), SocketError> {
    socket.close(Some(CloseFrame { code: CloseCode::Policy, reason: reason.into() })).await
}

fn parse_size(text: &str) -> Option<(usize, usize)> {
    let side = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let value = if digits { text.parse().ok()? } else { return None };
        (1..=LONGEST_SIDE).contains(&value).then_some(value)
    };
    let (width, height) = text.split_once('x')?;
    Some((side(width)?, side(height)?))
}

/// One message.
fn encode(picture: &dyn Picture, room: (usize, usize), sequence: u32) -> Option<Vec<u8>> {
    let mut message = vec![0; HEADER];
    let (width, height) = picture.append_fitting(room, &mut message)?;
    let captured = u64::try_from(picture.captured().as_micros()).unwrap_or(u64::MAX);
    message[0..4].copy_from_slice(&MAGIC.to_le_bytes());
    message[4..6].copy_from_slice(&u16::try_from(width).ok()?.to_le_bytes());
    message[6..8].copy_from_slice(&u16::try_from(height).ok()?.to_le_bytes());
    message[8..12].copy_from_slice(&sequence.to_le_bytes());
    message[12..20].copy_from_slice(&captured.to_le_bytes());
    message[20..24].copy_from_slice(&if picture.veiled() { VEILED } else { 0 }.to_le_bytes());
    Some(message)
}

#[cfg(test)]
mod tests;

//! The WebSocket to the server: connects with the access token, says hello, reconnects with growing pauses, pings, and turns
//! text into messages. What the messages mean is decided by `evening.rs`.

use crate::backend::Backend;
use crate::evening::{Failure, Socket};
use futures_util::{SinkExt, StreamExt};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use visavis_wire::http::Refusal;
use visavis_wire::socket::{ClientMessage, Question, ServerMessage};
use visavis_wire::{Private, SERVER_PROTOCOL, limits};

const CONNECT_WITHIN: Duration = Duration::from_secs(8);
const PING_EVERY: Duration = Duration::from_secs(10);
/// Nothing at all came, not even an answer to a ping.
const SILENT_FOR: Duration = Duration::from_secs(25);
const FIRST_PAUSE: Duration = Duration::from_millis(400);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// Answers given while the server was away.
const KEPT: usize = 16;

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

enum Order {
    Open,
    Renew,
    Close,
    Send(ClientMessage),
}

/// Handle of the socket's task, which ends when the handle is dropped.
pub struct SocketHandle(UnboundedSender<Order>);

impl SocketHandle {
    pub fn start(backend: Arc<Backend>, events: UnboundedSender<Socket>) -> Self {
        let (sender, orders) = unbounded_channel();
        let task = Task { backend, events, orders, kept: VecDeque::new() };
        tokio::spawn(task.run());
        Self(sender)
    }

    /// Connects, or cuts the pause before the next attempt short.
    pub fn open(&self) {
        self.order(Order::Open);
    }

    /// The network changed: what is open leads nowhere, and that would be noticed late.
    pub fn renew(&self) {
        self.order(Order::Renew);
    }

    pub fn close(&self) {
        self.order(Order::Close);
    }

    /// Dropped while there is no connection: the server forgets what was asked on a socket that is gone, and whoever asked
    /// starts again from its welcome. Only answers to the follow question are kept.
    pub fn send(&self, message: ClientMessage) {
        self.order(Order::Send(message));
    }

    fn order(&self, order: Order) {
        // The task ends before its handle only when the runtime shuts down.
        let _ = self.0.send(order);
    }
}

/// Why a connection (or the attempt to get one) is over.
enum End {
    /// `Close` was ordered.
    Closed,
    /// The handle is gone.
    Dropped,
    Lost,
    /// To be made anew at once.
    Renewed,
    /// Trying again would not help.
    Failed(Failure),
}

struct Task {
    backend: Arc<Backend>,
    events: UnboundedSender<Socket>,
    orders: UnboundedReceiver<Order>,
    kept: VecDeque<ClientMessage>,
}

impl Task {
    async fn run(mut self) {
        loop {
            match self.orders.recv().await {
                Some(Order::Open) => {}
                Some(Order::Close | Order::Renew | Order::Send(_)) => continue,
                None => return,
            }
            match self.stay_connected().await {
                End::Dropped => return,
                End::Closed => self.kept.clear(),
                End::Lost | End::Renewed => {}
                End::Failed(failure) => self.tell(Socket::Failed(failure)),
            }
        }
    }

    fn tell(&self, event: Socket) {
        // The loop is gone when the session ends; then nobody wants to know.
        let _ = self.events.send(event);
    }

    async fn stay_connected(&mut self) -> End {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.connect().await {
                Ok(stream) => match self.converse(stream).await {
                    (End::Lost, welcomed) => {
                        self.tell(Socket::Down);
                        if welcomed {
                            pause = FIRST_PAUSE;
                        }
                    }
                    (End::Renewed, _) => continue,
                    (end, _) => return end,
                },
                Err(End::Lost) => self.tell(Socket::Down),
                Err(end) => return end,
            }
            if let Some(end) = self.wait(pause.mul_f64(rand::random_range(0.8..1.2))).await {
                return end;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// `Some`: not to be gone on with.
    async fn wait(&mut self, pause: Duration) -> Option<End> {
        let until = Instant::now() + pause;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return None,
                order = self.orders.recv() => match order {
                    Some(Order::Open | Order::Renew) => return None,
                    Some(Order::Close) => return Some(End::Closed),
                    Some(Order::Send(message)) => self.keep(message),
                    None => return Some(End::Dropped),
                },
            }
        }
    }

    fn keep(&mut self, message: ClientMessage) {
        if matches!(message, ClientMessage::Answer { question: Question::Follow, .. }) && self.kept.len() < KEPT {
            self.kept.push_back(message);
        }
    }

    async fn connect(&mut self) -> Result<Stream, End> {
        let mut token = self.backend.access_token().await.map_err(End::Failed)?;
        for attempt in 0..2 {
            match self.handshake(&token).await? {
                Ok(stream) => return Ok(stream),
                Err(_) if attempt == 0 => token = self.backend.renew(&token).await.map_err(lost_or_failed)?,
                Err(refusal) => return Err(End::Failed(Failure::SignedOut(refusal))),
            }
        }
        Err(End::Lost)
    }

    /// The inner error is a token that the server does not take.
    async fn handshake(&self, token: &Private<String>) -> Result<Result<Stream, Refusal>, End> {
        let url = self.backend.socket_url().map_err(End::Failed)?;
        let mut request = url.as_str().into_client_request().map_err(|_| End::Failed(Failure::Malformed))?;
        let mut value =
            HeaderValue::from_str(&format!("Bearer {}", token.reveal())).map_err(|_| End::Failed(Failure::Malformed))?;
        value.set_sensitive(true);
        request.headers_mut().insert("Authorization", value);
        let config = WebSocketConfig::default()
            .max_message_size(Some(limits::SOCKET_MESSAGE))
            .max_frame_size(Some(limits::SOCKET_MESSAGE));
        let connecting = tokio_tungstenite::connect_async_with_config(request, Some(config), true);
        match tokio::time::timeout(CONNECT_WITHIN, connecting).await {
            Ok(Ok((stream, _))) => Ok(Ok(stream)),
            Ok(Err(Error::Http(response))) => {
                let refusal = response.body().as_ref().and_then(|body| serde_json::from_slice::<Refusal>(body).ok());
                match (response.status(), refusal) {
                    (StatusCode::UNAUTHORIZED, refusal) => Ok(Err(refusal.unwrap_or_else(token_refused))),
                    (status, _) if status.is_server_error() => Err(End::Lost),
                    (_, Some(refusal)) => Err(End::Failed(Failure::Refused(refusal))),
                    (_, None) => Err(End::Failed(Failure::Malformed)),
                }
            }
            Ok(Err(_)) | Err(_) => Err(End::Lost),
        }
    }

    /// Until the connection ends; also whether the server had welcomed us.
    async fn converse(&mut self, mut stream: Stream) -> (End, bool) {
        let mut welcomed = false;
        if send(&mut stream, &ClientMessage::Hello { protocol: SERVER_PROTOCOL }).await.is_err() {
            return (End::Lost, false);
        }
        let mut ping = tokio::time::interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                message = stream.next() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => {
                            welcomed |= self.text(&text);
                            if welcomed && !self.kept.is_empty() && self.flush(&mut stream).await.is_err() {
                                return (End::Lost, true);
                            }
                        }
                        Some(Ok(Message::Binary(_))) => self.tell(Socket::Malformed),
                        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return (End::Lost, welcomed),
                    }
                }
                order = self.orders.recv() => match order {
                    Some(Order::Open) => {}
                    Some(Order::Renew) => return (End::Renewed, welcomed),
                    Some(Order::Send(message)) => {
                        if send(&mut stream, &message).await.is_err() {
                            self.keep(message);
                            return (End::Lost, welcomed);
                        }
                    }
                    Some(Order::Close) => return (close(stream, End::Closed).await, welcomed),
                    None => return (close(stream, End::Dropped).await, welcomed),
                },
                _ = ping.tick() => {
                    let pinged = tokio::time::timeout(PING_EVERY, stream.send(Message::Ping(Default::default()))).await;
                    if heard.elapsed() > SILENT_FOR || !matches!(pinged, Ok(Ok(()))) {
                        return (End::Lost, welcomed);
                    }
                }
            }
        }
    }

    /// Whether it was the welcome.
    fn text(&self, text: &str) -> bool {
        match ServerMessage::from_json(text) {
            Ok(message) => {
                let welcome = matches!(message, ServerMessage::Welcome { .. });
                self.tell(Socket::Message(Box::new(message)));
                welcome
            }
            Err(error) => {
                tracing::warn!(%error, "a message of the server could not be read");
                self.tell(Socket::Malformed);
                false
            }
        }
    }

    async fn flush(&mut self, stream: &mut Stream) -> Result<(), ()> {
        while let Some(message) = self.kept.front() {
            send(stream, message).await?;
            self.kept.pop_front();
        }
        Ok(())
    }
}

fn lost_or_failed(failure: Failure) -> End {
    match failure {
        Failure::Unreachable { .. } => End::Lost,
        other => End::Failed(other),
    }
}

fn token_refused() -> Refusal {
    let message = String::from("The sign-in is no longer valid.");
    Refusal { code: visavis_wire::http::RefusalCode::TokenInvalid, message }
}

async fn send(stream: &mut Stream, message: &ClientMessage) -> Result<(), ()> {
    let sending = stream.send(Message::text(message.to_json()));
    tokio::time::timeout(CONNECT_WITHIN, sending).await.map_err(drop)?.map_err(drop)
}

/// What was sent before goes out first; a peer that does not answer the close is not waited for.
async fn close(mut stream: Stream, end: End) -> End {
    let _ = tokio::time::timeout(Duration::from_secs(1), stream.close(None)).await;
    end
}

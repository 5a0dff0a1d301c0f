//! One WebSocket: reads messages, keeps to the limits, keeps alive, and writes what the room sends. It ends with the sign-in that it
//! was opened with.

use crate::config::Limits;
use crate::doors::Shut;
use crate::http::{App, Called, called};
use crate::random;
use crate::refusal::{refuse, refuse_saying};
use crate::room::SocketId;
use crate::room_task::Delivery;
use crate::store::{AccountId, StoreError};
use crate::tokens::SignInEnds;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use visavis_wire::SERVER_PROTOCOL;
use visavis_wire::friends::{CallEnd, FollowId};
use visavis_wire::http::RefusalCode;
use visavis_wire::limits::SOCKET_MESSAGE;
use visavis_wire::socket::{ClientMessage, ServerMessage};

/// After so many messages that cannot be read, the socket is closed.
const MALFORMED_MESSAGES: u32 = 5;
/// How late somebody who waits hears that it closed.
const DOORS_EVERY: Duration = Duration::from_secs(10);
/// While the database is away, whoever wants in is kept at the door for so long, and asked for again as often.
const AT_THE_DOOR: Duration = Duration::from_secs(20);
const KNOCK_EVERY: Duration = Duration::from_millis(150);
/// A client that does not take our last words in this time does without them.
const WRITE_WITHIN: Duration = Duration::from_secs(10);

/// Begins at random, so that nodes do not name two sockets alike.
static NEXT_SOCKET: LazyLock<AtomicU64> =
    LazyLock::new(|| AtomicU64::new(u64::from(u32::from_be_bytes(random::bytes::<4>()) >> 1) << 32));

pub fn upgrade(app: Arc<App>, account: AccountId, sign_in: SignInEnds, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        // An idle connection keeps the whole buffer, by default 128 kB. What is larger is read in parts.
        .read_buffer_size(1024)
        .write_buffer_size(0)
        .max_message_size(SOCKET_MESSAGE)
        .max_frame_size(SOCKET_MESSAGE)
        .on_upgrade(move |socket| async move {
            let id = SocketId(NEXT_SOCKET.fetch_add(1, Ordering::Relaxed));
            Connection { app, account, id, socket, sign_in, malformed: 0, waits: false }.run().await;
        })
}

struct Connection {
    app: Arc<App>,
    account: AccountId,
    id: SocketId,
    socket: WebSocket,
    sign_in: SignInEnds,
    malformed: u32,
    /// By what it was last told.
    waits: bool,
}

/// Why a socket ends.
#[derive(Debug)]
struct Over;

impl Connection {
    async fn run(mut self) {
        let hello = tokio::time::timeout(self.limits().hello_within, self.hello()).await;
        if !matches!(hello, Ok(Ok(()))) {
            self.close(close_code::POLICY).await;
            return;
        }
        let inbox = self.app.room.arrive(self.account, self.id).await;
        // Whatever ends it, the room hears of it.
        let ended = self.serve(inbox).await;
        self.app.room.leave(self.account, self.id).await;
        tracing::debug!(socket = self.id.0, ?ended, "a socket ended");
        self.close(close_code::NORMAL).await;
    }

    fn limits(&self) -> Limits {
        self.app.limits
    }

    async fn hello(&mut self) -> Result<(), Over> {
        loop {
            let Some(Ok(frame)) = self.socket.recv().await else { return Err(Over) };
            match self.read(frame).await? {
                Some(ClientMessage::Hello { protocol }) if protocol == SERVER_PROTOCOL => return Ok(()),
                Some(ClientMessage::Hello { .. }) => {
                    self.write(&refuse(RefusalCode::OutdatedApp)).await?;
                    return Err(Over);
                }
                Some(_) => self.mistake("The first message on a socket is \"hello\".").await?,
                None => {}
            }
        }
    }

    async fn serve(&mut self, mut inbox: mpsc::Receiver<Delivery>) -> Over {
        let every = self.limits().ping_every;
        let mut ping = tokio::time::interval_at(Instant::now() + every, every);
        let mut doors = tokio::time::interval(DOORS_EVERY);
        doors.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        let mut told = None;
        loop {
            let done = tokio::select! {
                // What the server has to say comes before the end of a sign-in.
                biased;
                delivery = inbox.recv() => match delivery {
                    Some(Delivery::Message(message)) => {
                        // News of friends do not end a wait.
                        if !matches!(*message, ServerMessage::Text { .. } | ServerMessage::Presence { .. }) {
                            self.waits = matches!(*message, ServerMessage::Waiting { .. });
                        }
                        if let ServerMessage::Refused { refusal } = &*message {
                            told = Some(refusal.code);
                        }
                        self.write(&message).await
                    }
                    Some(Delivery::Close) | None => Err(Over),
                },
                _ = doors.tick(), if self.waits => self.look_at_doors().await,
                frame = self.socket.recv() => match frame {
                    Some(Ok(frame)) => {
                        heard = Instant::now();
                        self.frame(frame).await
                    }
                    Some(Err(_)) | None => Err(Over),
                },
                why = self.sign_in.ended() => {
                    // The client may be gone already, or the room was faster.
                    if told != Some(why) {
                        let _ = self.write(&refuse(why)).await;
                    }
                    Err(Over)
                }
                _ = ping.tick() => {
                    if heard.elapsed() > every * 3 { Err(Over) } else { self.send(Message::Ping(Vec::new().into())).await }
                }
            };
            if let Err(over) = done {
                return over;
            }
        }
    }

    async fn frame(&mut self, frame: Message) -> Result<(), Over> {
        let Some(message) = self.read(frame).await? else { return Ok(()) };
        match message {
            ClientMessage::Join if !self.app.rates.may_join(self.account) => {
                self.app.limited("joins");
                return self.write(&refuse(RefusalCode::TooManyRequests)).await;
            }
            ClientMessage::Join => {
                self.app.metrics.joins.inc();
            }
            ClientMessage::MatchAnswer { meet: false, .. } => self.app.rates.skipped(self.account),
            _ => {}
        }
        // Asked at the door, and again at the moment of matching.
        let goes_in = matches!(message, ClientMessage::Join | ClientMessage::MatchAnswer { meet: true, .. });
        let shut = if goes_in { kept_out(&self.app, self.account).await } else { None };
        let message = match (shut, message) {
            (Some(closed), message) => {
                self.write(&closed).await?;
                match message {
                    ClientMessage::MatchAnswer { match_id, .. } => ClientMessage::MatchAnswer { match_id, meet: false },
                    _ => return Ok(()),
                }
            }
            (None, message) => message,
        };
        match message {
            ClientMessage::Hello { .. } => self.mistake("The socket has been greeted already.").await,
            ClientMessage::Ring { follow, direct } => self.ring(follow, direct).await,
            message => {
                self.app.room.say(self.account, self.id, message).await;
                Ok(())
            }
        }
    }

    async fn ring(&mut self, follow: FollowId, direct: bool) -> Result<(), Over> {
        match called(&self.app, self.account, &follow).await {
            Ok(Called::Callee(callee)) => {
                self.app.room.call(self.account, self.id, callee, direct).await;
                Ok(())
            }
            Ok(Called::Nobody(why)) => self.write(&ServerMessage::CallOver { follow, match_id: None, why }).await,
            Err(error) => {
                tracing::error!(%error, "who is called could not be found out");
                self.write(&ServerMessage::CallOver { follow, match_id: None, why: CallEnd::Offline }).await
            }
        }
    }

    /// While somebody waits: it may close meanwhile.
    async fn look_at_doors(&mut self) -> Result<(), Over> {
        let closed = match is_shut(&self.app, self.account).await {
            Ok(None) => return Ok(()),
            Ok(Some(closed)) => closed,
            // Nobody is sent away for that: the next look will tell.
            Err(error) => {
                tracing::warn!(%error, "whether it is open could not be asked");
                return Ok(());
            }
        };
        self.waits = false;
        self.app.room.say(self.account, self.id, ClientMessage::CancelWaiting).await;
        self.write(&closed).await
    }

    /// `None`: a frame that carries no message, or none that can be read.
    async fn read(&mut self, frame: Message) -> Result<Option<ClientMessage>, Over> {
        let text = match frame {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => return Ok(None),
            Message::Close(_) => return Err(Over),
            Message::Binary(_) => {
                self.mistake("Messages are text frames.").await?;
                return Ok(None);
            }
        };
        if self.app.rates.messages.check_key(&self.account).is_err() {
            self.app.limited("socket_messages");
            self.write(&refuse(RefusalCode::TooManyRequests)).await?;
            return Ok(None);
        }
        match ClientMessage::from_json(text.as_str()) {
            Ok(message) => Ok(Some(message)),
            Err(error) => {
                self.mistake(&format!("A message could not be read: {error}.")).await?;
                Ok(None)
            }
        }
    }

    async fn mistake(&mut self, what: &str) -> Result<(), Over> {
        self.malformed += 1;
        self.write(&refuse_saying(RefusalCode::BadRequest, what)).await?;
        if self.malformed >= MALFORMED_MESSAGES { Err(Over) } else { Ok(()) }
    }

    async fn write(&mut self, message: &ServerMessage) -> Result<(), Over> {
        self.send(Message::Text(message.to_json().into())).await
    }

    async fn send(&mut self, frame: Message) -> Result<(), Over> {
        match tokio::time::timeout(WRITE_WITHIN, self.socket.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Over),
        }
    }

    async fn close(&mut self, code: u16) {
        // The other side may be gone already.
        let _ = self.send(Message::Close(Some(CloseFrame { code, reason: "".into() }))).await;
    }
}

/// What to say to somebody who may not meet anybody new now.
async fn is_shut(app: &App, account: AccountId) -> Result<Option<ServerMessage>, StoreError> {
    let shut = app.shut(account, random::unix_seconds()).await?;
    Ok(shut.map(|Shut { because, opens_in_s }| ServerMessage::Closed { because, opens_in_s }))
}

/// As [`is_shut`], of somebody who wants in; a database that restarts meanwhile is waited for.
async fn kept_out(app: &App, account: AccountId) -> Option<ServerMessage> {
    let came = Instant::now();
    loop {
        match is_shut(app, account).await {
            Ok(shut) => return shut,
            Err(StoreError::Engine(error)) if came.elapsed() < AT_THE_DOOR => {
                tracing::warn!(%error, "the store is asked again whether it is open");
                tokio::time::sleep(KNOCK_EVERY).await;
            }
            Err(error) => {
                tracing::error!(%error, "nobody can be let in");
                return Some(refuse(RefusalCode::Internal));
            }
        }
    }
}

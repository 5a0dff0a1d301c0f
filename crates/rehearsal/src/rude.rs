//! A modified app: it signs in, waits and meets like any other, shows no picture, and sends the server and whoever it meets what it should
//! not ([`nonsense`]). It has no session: only the engine and the wire, as somebody would who writes an app of their own.

mod nonsense;

use crate::bot::Report;
use crate::rehearse::tap::name_of;
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Message, protocol::WebSocketConfig};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use visavis_call::{Call, Channel, Command, Event, Policy};
use visavis_media::Clock;
use visavis_wire::http::Tokens;
use visavis_wire::socket::{ClientMessage, MatchId, RelayCredentials, Role, ServerMessage};
use visavis_wire::{SERVER_PROTOCOL, limits};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Between two rounds of nonsense in a call, and how many of them go by between two messages to the server.
const TICK: Duration = Duration::from_millis(100);
const TO_THE_SERVER_EVERY: usize = 10;
const AGAIN: Duration = Duration::from_millis(500);
/// The round of a call in which everything is flooded, once.
const FLOOD_AT: usize = 15;

pub struct Rude {
    pub url: String,
    pub identity: String,
    /// Of each call, once it is connected.
    pub leave_after: Duration,
    pub meetings: Option<u32>,
}

struct Meeting {
    id: MatchId,
    call: Call,
    events: UnboundedReceiver<Event>,
    connected: Option<Instant>,
    rounds: usize,
    /// Messages that nobody can read, on the channels that lose none.
    unreadable: u32,
}

impl Meeting {
    fn send(&mut self, channel: Channel, bytes: Vec<u8>) {
        self.unreadable += u32::from(channel != Channel::Live && !nonsense::is_readable(channel, &bytes));
        self.call.send_bytes(channel, bytes);
    }

    /// A message over the limits or out of turn on each channel, and one of bytes that are none.
    fn round(&mut self, number: usize) {
        self.rounds += 1;
        for channel in Channel::ALL {
            self.send(channel, nonsense::senseless(channel, number));
            self.send(channel, nonsense::broken(channel, number));
        }
        if self.rounds == FLOOD_AT {
            for channel in Channel::ALL {
                nonsense::flood(channel).for_each(|bytes| self.send(channel, bytes));
            }
        }
    }
}

struct Life {
    rude: Rude,
    reports: UnboundedSender<Report>,
    clock: Clock,
    page: &'static str,
    meeting: Option<Meeting>,
    meetings: u32,
    /// Rounds of nonsense in calls, and messages of it to the server.
    number: usize,
    told: usize,
}

/// Until it has had its meetings.
pub async fn attend(rude: Rude, reports: UnboundedSender<Report>) {
    let mut life = Life { rude, reports, clock: Clock::start(), page: "", meeting: None, meetings: 0, number: 0, told: 0 };
    life.turn("starting");
    loop {
        // The server closes the socket of one who sends too much that cannot be read.
        if let Err(error) = life.socket().await {
            tracing::debug!(%error, "the socket of a rude one ended");
        }
        if life.has_enough() {
            life.say(Report::Ended { meetings: life.meetings });
            return;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn connect(rude: &Rude) -> Result<Socket, Failure> {
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
    let name = name_of(&rude.identity);
    let body = serde_json::json!({ "name": name, "languages": ["en"], "interests": ["drawing"] });
    let answer = http.post(format!("{}/dev/sign-in", rude.url)).json(&body).send().await?.error_for_status()?;
    let tokens: Tokens = answer.json().await?;
    let mut request = format!("{}/v1/socket", rude.url.replacen("http", "ws", 1)).into_client_request()?;
    request.headers_mut().insert("authorization", format!("Bearer {}", tokens.access_token.reveal()).parse()?);
    // Room for what is too large.
    let config = WebSocketConfig::default().max_message_size(Some(4 * limits::SOCKET_MESSAGE));
    let (socket, _) = tokio_tungstenite::connect_async_with_config(request, Some(config), true).await?;
    Ok(socket)
}

/// What happened next.
enum Next {
    Server(Option<Message>),
    Call(Option<Box<Event>>),
    Tick,
}

async fn next_of(meeting: &mut Option<Meeting>) -> Option<Event> {
    match meeting {
        Some(meeting) => meeting.events.recv().await,
        None => std::future::pending().await,
    }
}

impl Life {
    fn say(&self, report: Report) {
        // Nobody reads any more: the evening is over.
        let _ = self.reports.send(report);
    }

    fn turn(&mut self, page: &'static str) {
        if std::mem::replace(&mut self.page, page) != page {
            self.say(Report::Page { page });
        }
    }

    fn has_enough(&self) -> bool {
        self.meeting.is_none() && self.rude.meetings.is_some_and(|wanted| self.meetings >= wanted)
    }

    /// One connection, from greeting to end.
    async fn socket(&mut self) -> Result<(), Failure> {
        let mut socket = connect(&self.rude).await?;
        say(&mut socket, ClientMessage::Hello { protocol: SERVER_PROTOCOL }).await?;
        let mut tick = tokio::time::interval(TICK);
        while !self.has_enough() {
            let next = tokio::select! {
                frame = socket.next() => Next::Server(frame.transpose()?),
                event = next_of(&mut self.meeting) => Next::Call(event.map(Box::new)),
                _ = tick.tick() => Next::Tick,
            };
            match next {
                Next::Server(None) => return Ok(()),
                Next::Server(Some(Message::Text(text))) => {
                    let message = ServerMessage::from_json(text.as_str()).map_err(|error| error.to_string())?;
                    self.server(&mut socket, message).await?;
                }
                Next::Server(Some(_)) => {}
                Next::Call(event) => self.call(&mut socket, event.map(|event| *event)).await?,
                Next::Tick => self.tick(&mut socket).await?,
            }
        }
        Ok(())
    }

    /// Something for the server that it must not mind.
    async fn nonsense(&mut self, socket: &mut Socket) -> Result<(), Failure> {
        self.told += 1;
        let message = nonsense::socket(self.told, self.meeting.as_ref().map(|meeting| &meeting.id));
        Ok(socket.send(message).await?)
    }

    async fn server(&mut self, socket: &mut Socket, message: ServerMessage) -> Result<(), Failure> {
        match message {
            ServerMessage::Welcome { .. } if self.meeting.is_none() => {
                self.nonsense(socket).await?;
                say(socket, ClientMessage::Join).await?;
            }
            ServerMessage::Waiting { .. } => self.turn("waiting"),
            ServerMessage::MatchOffered { match_id, .. } => {
                self.turn("match");
                say(socket, ClientMessage::MatchAnswer { match_id, meet: true }).await?;
            }
            ServerMessage::MatchBegins { match_id, role, relay, .. } => self.begin(match_id, role, relay),
            ServerMessage::Signal { match_id, signal } => {
                if let Some(meeting) = self.meeting.as_ref().filter(|meeting| meeting.id == match_id) {
                    meeting.call.command(Command::Signal(signal));
                }
            }
            ServerMessage::MatchEnded { match_id, .. } if self.is_in(&match_id) => self.part(socket).await?,
            ServerMessage::MatchWithdrawn { .. } => self.turn("waiting"),
            _ => {}
        }
        Ok(())
    }

    fn is_in(&self, id: &MatchId) -> bool {
        self.meeting.as_ref().is_some_and(|meeting| meeting.id == *id)
    }

    /// Told again to one who comes back.
    fn begin(&mut self, id: MatchId, role: Role, relay: RelayCredentials) {
        if self.is_in(&id) {
            return;
        }
        let (call, events) = Call::start(visavis_session::call_config(role, relay, Policy::RelayOnly, self.clock));
        self.meeting = Some(Meeting { id, call, events, connected: None, rounds: 0, unreadable: 0 });
        self.meetings += 1;
        self.turn("call");
    }

    async fn part(&mut self, socket: &mut Socket) -> Result<(), Failure> {
        self.meeting = None;
        self.turn("parting");
        if !self.has_enough() {
            say(socket, ClientMessage::Join).await?;
        }
        Ok(())
    }

    async fn call(&mut self, socket: &mut Socket, event: Option<Event>) -> Result<(), Failure> {
        let Some(meeting) = &mut self.meeting else { return Ok(()) };
        let match_id = meeting.id.clone();
        match event {
            Some(Event::Signal(signal)) => say(socket, ClientMessage::Signal { match_id, signal }).await?,
            Some(Event::Connected) => meeting.connected = Some(Instant::now()),
            Some(Event::Pictures(pictures)) => self.say(Report::Fingerprint { pictures }),
            Some(Event::Statistics(statistics)) => {
                let sent = meeting.unreadable;
                self.say(Report::Statistics { statistics });
                self.say(Report::Unreadable { sent });
            }
            Some(Event::Failed(_) | Event::Closed | Event::Tampered) | None => {
                say(socket, ClientMessage::Leave { match_id }).await?;
                self.part(socket).await?;
            }
            Some(_) => {}
        }
        Ok(())
    }

    async fn tick(&mut self, socket: &mut Socket) -> Result<(), Failure> {
        let Some((meeting, since)) = self.meeting.as_mut().and_then(|meeting| meeting.connected.map(|since| (meeting, since)))
        else {
            return Ok(());
        };
        if since.elapsed() > self.rude.leave_after {
            say(socket, ClientMessage::Leave { match_id: meeting.id.clone() }).await?;
            return self.part(socket).await;
        }
        self.number += 1;
        meeting.round(self.number);
        if self.number.is_multiple_of(TO_THE_SERVER_EVERY) {
            self.nonsense(socket).await?;
        }
        Ok(())
    }
}

async fn say(socket: &mut Socket, message: ClientMessage) -> Result<(), Failure> {
    Ok(socket.send(Message::text(message.to_json())).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_wire::channel::{ChannelMessage, Control};

    #[test]
    fn some_of_it_cannot_be_read_on_every_channel_and_some_can_and_means_nothing() {
        for channel in Channel::ALL {
            let readable = |bytes: Vec<u8>| nonsense::is_readable(channel, &bytes);
            let senseless: Vec<bool> = (0..12).map(|number| readable(nonsense::senseless(channel, number))).collect();
            assert!(senseless.contains(&false) && senseless.contains(&true), "{channel:?}: {senseless:?}");
            let broken = (0..500).filter(|number| !readable(nonsense::broken(channel, *number))).count();
            assert!(broken > 450, "{channel:?}: {broken} of 500 are none");
            let largest = (0..7).map(|number| nonsense::broken(channel, number).len()).max();
            assert!(largest > Some(limits::CHANNEL_MESSAGE), "{channel:?}: {largest:?}");
        }
        let texts = (0..10).filter_map(|number| match nonsense::socket(number, None) {
            Message::Text(text) => Some(text),
            _ => None,
        });
        let readable: Vec<bool> = texts.map(|text| ClientMessage::from_json(text.as_str()).is_ok()).collect();
        assert!(readable.contains(&false) && readable.contains(&true), "{readable:?}");
    }

    /// Else the call would end as its sender says, and no rule of the evening could tell.
    #[test]
    fn what_can_be_read_of_what_is_broken_ends_no_call() {
        let farewell = Control::Leaving.to_bytes();
        assert!((0..5000).all(|number| nonsense::broken(Channel::Control, number) != farewell));
        assert!(nonsense::flood(Channel::Control).all(|bytes| bytes != farewell));
    }
}

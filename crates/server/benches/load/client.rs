//! People with light sockets.

use futures_util::{SinkExt, StreamExt};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use visavis_wire::http::Tokens;
use visavis_wire::socket::{ClientMessage, ServerMessage};

/// From one address of loopback; all of it is this machine.
const SOCKETS_EACH: usize = 10_000;
const SIGN_INS_AT_ONCE: usize = 16;

pub struct Everybody {
    address: SocketAddr,
    tokens: Vec<String>,
}

pub struct Person(WebSocketStream<TcpStream>);

impl Everybody {
    pub async fn sign_in(address: SocketAddr, count: usize) -> Self {
        // Already there for whoever signs in for the second measurement.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let sign_in = |number: usize| {
            let http = http.clone();
            async move {
                let body = serde_json::json!({
                    "name": format!("bench-{number}"), "languages": ["en"], "interests": [format!("i{}", number % 40)],
                });
                let answer = http.post(format!("http://{address}/dev/sign-in")).json(&body).send().await.expect("an answer");
                let tokens: Tokens = answer.json().await.expect("tokens");
                tokens.access_token.into_inner()
            }
        };
        let tokens = futures_util::stream::iter((0..count).map(sign_in)).buffered(SIGN_INS_AT_ONCE).collect().await;
        Self { address, tokens }
    }

    pub async fn connect(&self, number: usize) -> Person {
        let from = Ipv4Addr::new(127, 0, 0, u8::try_from(2 + number / SOCKETS_EACH).expect("at most 200,000"));
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((from, 0).into()).expect("a port of loopback");
        let stream = socket.connect(self.address).await.expect("the server takes it");
        let mut request = format!("ws://{}/v1/socket", self.address).into_client_request().expect("an address");
        let bearer = format!("Bearer {}", self.tokens[number]).parse().expect("a header");
        request.headers_mut().insert("authorization", bearer);
        let (socket, _) = tokio_tungstenite::client_async(request, stream).await.expect("a socket");
        let mut person = Person(socket);
        person.say(ClientMessage::Hello { protocol: 1 }).await.expect("it is heard");
        let welcome = person.hear().await;
        assert!(matches!(welcome, Some(ServerMessage::Welcome { .. })), "{welcome:?}");
        person
    }
}

impl Person {
    /// `None`: the socket is closed.
    pub async fn say(&mut self, message: ClientMessage) -> Option<()> {
        self.0.send(Message::text(message.to_json())).await.ok()
    }

    pub async fn hear(&mut self) -> Option<ServerMessage> {
        loop {
            if let Message::Text(text) = self.0.next().await?.ok()? {
                return ServerMessage::from_json(text.as_str()).ok();
            }
        }
    }

    /// Reads in the background until it is closed, which answers the server's signs of life.
    pub fn stay(mut self) {
        tokio::spawn(async move { while self.hear().await.is_some() {} });
    }
}

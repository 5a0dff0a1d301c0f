//! A server in a folder of its own, a small browser, and a client of the WebSocket.

use futures_util::{SinkExt, StreamExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use visavis_server::{Config, Running, Server};
use visavis_wire::http::{Refusal, RefusalCode, SignInStarted, Tokens};
use visavis_wire::socket::{ClientMessage, MatchId, RelayCredentials, Role, ServerMessage};

/// No answer takes longer than this on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);
pub const REDIRECT: &str = "http://127.0.0.1:9/callback";
pub const VERIFIER: &str = "a-code-verifier-of-the-tests-0123456789-0123456789";

pub struct TestServer {
    pub running: Running,
    pub folder: TempDir,
    client: Client,
}

/// Whoever speaks with a server, in this process or another.
pub struct Client {
    pub address: std::net::SocketAddr,
    pub http: reqwest::Client,
}

impl std::ops::Deref for TestServer {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

pub fn challenge(verifier: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// Where the issuer sent the browser back to.
#[derive(Debug)]
pub struct Redirected(url::Url);

impl Redirected {
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

impl TestServer {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::in_folder(tempfile::tempdir().unwrap(), change).await
    }

    pub async fn in_folder(folder: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::dev(folder.path());
        change(&mut config);
        let running = Server::start(config).await.unwrap();
        let client = Client::to(running.http);
        Self { running, folder, client }
    }
}

impl Client {
    pub fn to(address: std::net::SocketAddr) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Self { address, http }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The status and the body.
    pub async fn call<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, Refusal> {
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        if status.is_success() {
            Ok(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{status} {text}: {error}")))
        } else {
            Err(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{status} {text}: {error}")))
        }
    }

    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: Value) -> Result<T, Refusal> {
        self.call(self.http.post(self.url(path)).json(&body)).await
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str, token: &str) -> Result<T, Refusal> {
        self.call(self.http.get(self.url(path)).bearer_auth(token)).await
    }

    pub async fn begin(&self) -> SignInStarted {
        self.post("/v1/sign-in", json!({"redirect_uri": REDIRECT, "code_challenge": challenge(VERIFIER)})).await.unwrap()
    }

    /// What a person does in the browser: opens the page, presses a button.
    pub async fn press(&self, started: &SignInStarted, button: &str) -> Redirected {
        let page = self.http.get(&started.authorization_url).send().await.unwrap().text().await.unwrap();
        assert!(page.contains(&format!("<button name=\"identity\" value=\"{button}\">")), "{page}");
        let mut form: Vec<(String, String)> = page
            .split("<input type=\"hidden\" name=\"")
            .skip(1)
            .map(|field| {
                let mut parts = field.split('"');
                let name = parts.next().unwrap();
                (name.to_owned(), parts.nth(1).unwrap().replace("&amp;", "&"))
            })
            .collect();
        form.push(("identity".into(), button.into()));
        let address = started.authorization_url.split('?').next().unwrap();
        let answer = self.http.post(address).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        let location = answer.headers()["location"].to_str().unwrap();
        assert!(location.starts_with(REDIRECT));
        Redirected(url::Url::parse(location).unwrap())
    }

    pub async fn finish(&self, state: &str, code: &str, verifier: &str) -> Result<Tokens, Refusal> {
        self.post("/v1/sign-in/finish", json!({"state": state, "code": code, "code_verifier": verifier})).await
    }

    pub async fn try_sign_in(&self, identity: &str) -> Result<Tokens, Refusal> {
        let started = self.begin().await;
        let back = self.press(&started, identity).await;
        assert_eq!(back.get("state").as_ref(), Some(started.state.reveal()));
        self.finish(started.state.reveal(), &back.get("code").unwrap(), VERIFIER).await
    }

    pub async fn sign_in(&self, identity: &str) -> String {
        self.try_sign_in(identity).await.unwrap().access_token.into_inner()
    }

    /// A signed-in person whose socket has been greeted.
    pub async fn person(&self, identity: &str) -> Person {
        let token = self.sign_in(identity).await;
        self.socket(&token).await
    }

    pub async fn socket(&self, token: &str) -> Person {
        let mut person = self.raw_socket(token).await;
        person.say(ClientMessage::Hello { protocol: 1 }).await;
        assert_eq!(person.hear().await, ServerMessage::Welcome { protocol: 1 });
        person
    }

    pub async fn raw_socket(&self, token: &str) -> Person {
        let mut request = format!("ws://{}/v1/socket", self.address).into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        Person { socket, token: token.to_owned(), log: String::new() }
    }

    /// Two of the test people, in a match that has begun.
    pub async fn meet(&self, a: &mut Person, b: &mut Person) -> MatchId {
        for person in [&mut *a, &mut *b] {
            person.say(ClientMessage::Join).await;
        }
        let (match_id, ..) = a.offered().await;
        assert_eq!(b.offered().await.0, match_id);
        for person in [&mut *a, &mut *b] {
            person.say(ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: true }).await;
        }
        a.begins().await;
        b.begins().await;
        match_id
    }

    /// Ada and Bao in a match that has begun.
    pub async fn pair(&self) -> (Person, Person, MatchId) {
        let (mut ada, mut bao) = (self.person("ada").await, self.person("bao").await);
        let match_id = self.meet(&mut ada, &mut bao).await;
        (ada, bao, match_id)
    }
}

pub struct Person {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub token: String,
    /// Everything that was received.
    pub log: String,
}

impl Person {
    pub async fn say(&mut self, message: ClientMessage) {
        self.send_text(message.to_json()).await;
    }

    pub async fn send_text(&mut self, text: String) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next message; `None` when the socket is closed.
    pub async fn next(&mut self) -> Option<ServerMessage> {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("an answer in time");
            match frame {
                Some(Ok(Message::Text(text))) => {
                    self.log.push_str(text.as_str());
                    return Some(ServerMessage::from_json(text.as_str()).unwrap());
                }
                Some(Ok(Message::Close(_))) | Some(Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next message that is not news of waiting.
    pub async fn hear(&mut self) -> ServerMessage {
        loop {
            match self.next().await.expect("an open socket") {
                ServerMessage::Waiting { .. } => {}
                message => return message,
            }
        }
    }

    /// Fails if anything but news of waiting comes within the time.
    pub async fn hears_nothing(&mut self, within: Duration) {
        let heard = tokio::time::timeout(within, self.hear()).await;
        assert!(heard.is_err(), "{heard:?}");
    }

    pub async fn offered(&mut self) -> (MatchId, Role, RelayCredentials, ServerMessage) {
        let message = self.hear().await;
        match message.clone() {
            ServerMessage::MatchOffered { match_id, role, relay, .. } => (match_id, role, relay, message),
            other => panic!("{other:?}"),
        }
    }

    pub async fn begins(&mut self) -> Role {
        match self.hear().await {
            ServerMessage::MatchBegins { role, .. } => role,
            other => panic!("{other:?}"),
        }
    }

    pub async fn refused(&mut self) -> RefusalCode {
        match self.hear().await {
            ServerMessage::Refused { refusal } => refusal.code,
            other => panic!("{other:?}"),
        }
    }

    pub async fn is_closed(&mut self) {
        while let Some(message) = self.next().await {
            assert!(matches!(message, ServerMessage::Waiting { .. }), "{message:?}");
        }
    }
}

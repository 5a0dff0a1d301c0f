//! The client of the server's HTTP interface; the only file that uses reqwest. Holds the tokens, renews them when the server
//! says that they are too old, and keeps them in the keyring. The WebSocket (`socket.rs`) asks here for its token.

mod check;

use crate::evening::Failure;
use crate::keyring::{Keyring, Stored};
use crate::server::is_loopback;
use reqwest::{Client, Method, StatusCode, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use url::Url;
use visavis_wire::Private;
use visavis_wire::friends::{Conversation, FollowId, History, NewText, Text};
use visavis_wire::http::{Follows, Me, Refresh, Refusal, RefusalCode, SignInFinish, SignInStart, SignInStarted, Tokens};
use visavis_wire::people::{NewPicture, PeerCard, Picture, Profile};
use visavis_wire::safety::{Appeal, Configuration, Deleted, Deletion, DeletionOffer, Report, Reported, Standing};
use visavis_wire::socket::MatchId;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// An answer is a profile, a list, or an export of everything.
const ANSWER_BYTES: usize = 8 * 1024 * 1024;

pub use check::check;

pub struct Backend {
    http: Result<Client, Failure>,
    /// Ends in a slash. An address that cannot be used fails every request with the same words.
    base: Result<Url, Failure>,
    tokens: Mutex<Option<Tokens>>,
    keyring: Keyring,
    /// Another server is in use now: what comes of late answers is nobody's any more.
    retired: AtomicBool,
}

/// Makes `ring` the process's cryptography for TLS, here and in the WebSocket; whoever did it before is left alone.
fn choose_cryptography() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if rustls::crypto::ring::default_provider().install_default().is_err() {
            tracing::debug!("the process has chosen its cryptography already");
        }
    });
}

/// Plain HTTP is for a server on this machine only: tokens and signalling travel here.
fn base(address: &str) -> Result<Url, Failure> {
    let refused = |message: &str| Failure::Refused(Refusal { code: RefusalCode::BadRequest, message: message.to_owned() });
    let mut url = Url::parse(address)
        .map_err(|_| refused("The server's address is no web address; it should look like https://example.org."))?;
    let loopback = is_loopback(&url).ok_or_else(|| refused("The server's address names no computer."))?;
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => {
            return Err(refused("The server's address begins with http://; only https:// is safe outside of this computer."));
        }
        _ => return Err(refused("The server's address must begin with https://.")),
    }
    url.set_query(None);
    url.set_fragment(None);
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

impl Backend {
    pub fn new(address: &str, keyring: Keyring) -> Self {
        choose_cryptography();
        let base = base(address);
        let http = Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("visavis/", env!("CARGO_PKG_VERSION")));
        // A proxy of the environment must not come between the app and a server on the same machine.
        let http = if base.as_ref().is_ok_and(|url| url.scheme() == "http") { http.no_proxy().tls_certs_only([]) } else { http };
        let http = http.build().map_err(|error| {
            tracing::error!(%error, "no TLS for the server's interface");
            let message = String::from("This computer's certificates cannot be read, so no safe connection is possible.");
            Failure::Refused(Refusal { code: RefusalCode::Internal, message })
        });
        Self { http, base, tokens: Mutex::new(None), keyring, retired: AtomicBool::new(false) }
    }

    pub fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    pub fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Relaxed)
    }

    pub fn host(&self) -> String {
        self.base.as_ref().ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }

    fn url(&self, path: &str) -> Result<Url, Failure> {
        self.base.clone()?.join(path).map_err(|_| Failure::Malformed)
    }

    /// Address of the WebSocket.
    pub fn socket_url(&self) -> Result<Url, Failure> {
        let mut url = self.url("v1/socket")?;
        let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
        url.set_scheme(scheme).map_err(|()| Failure::Malformed)?;
        Ok(url)
    }

    /// The token to open a socket with.
    pub async fn access_token(&self) -> Result<Private<String>, Failure> {
        match &*self.tokens.lock().await {
            Some(tokens) => Ok(tokens.access_token.clone()),
            None => Err(not_signed_in()),
        }
    }

    /// Whether somebody is signed in, by what the keyring holds. `Err`: the keyring cannot be used.
    pub async fn load(&self) -> Result<bool, crate::keyring::Missing> {
        let stored = self.keyring.load().await?;
        let mut tokens = self.tokens.lock().await;
        if tokens.is_none() {
            *tokens = stored.map(|stored| Tokens {
                access_token: stored.access_token.into(),
                expires_in_s: 0,
                refresh_token: stored.refresh_token.into(),
            });
        }
        Ok(tokens.is_some())
    }

    /// `false`: the keyring did not take the tokens, they last until the program ends.
    async fn keep(&self, new: Option<Tokens>, tokens: &mut Option<Tokens>) -> bool {
        let stored = new.as_ref().map(|new| Stored {
            access_token: new.access_token.reveal().clone(),
            refresh_token: new.refresh_token.reveal().clone(),
        });
        *tokens = new;
        self.keyring.store(stored).await.is_ok()
    }

    pub async fn start_sign_in(&self, body: &SignInStart) -> Result<SignInStarted, Failure> {
        self.request(Method::POST, "v1/sign-in", Some(body), None).await
    }

    /// `true` beside the answer: the tokens are in the keyring.
    pub async fn finish_sign_in(&self, body: &SignInFinish) -> Result<bool, Failure> {
        let new: Tokens = self.request(Method::POST, "v1/sign-in/finish", Some(body), None).await?;
        let mut tokens = self.tokens.lock().await;
        Ok(self.keep(Some(new), &mut tokens).await)
    }

    pub async fn sign_out(&self) -> Result<(), Failure> {
        let mut tokens = self.tokens.lock().await;
        let Some(old) = tokens.take() else { return Ok(()) };
        self.keep(None, &mut tokens).await;
        drop(tokens);
        self.send(Method::POST, "v1/sign-out", None::<&()>, Some(&old.access_token)).await.map(drop)
    }

    pub async fn me(&self) -> Result<Me, Failure> {
        self.with_token(Method::GET, "v1/me", None::<&()>).await
    }

    pub async fn save_profile(&self, profile: &Profile) -> Result<Me, Failure> {
        self.with_token(Method::PUT, "v1/me/profile", Some(profile)).await
    }

    pub async fn card(&self) -> Result<PeerCard, Failure> {
        self.with_token(Method::GET, "v1/me/card", None::<&()>).await
    }

    /// `file`: base64.
    pub async fn set_picture(&self, file: Private<String>) -> Result<Me, Failure> {
        self.with_token(Method::PUT, "v1/me/picture", Some(&NewPicture { file })).await
    }

    pub async fn remove_picture(&self) -> Result<Me, Failure> {
        self.with_token(Method::DELETE, "v1/me/picture", None::<&()>).await
    }

    /// Base64 of a JPEG: one's own, or that of the other in a match. `None`: there is none to see.
    pub async fn picture(&self, of: Option<&MatchId>) -> Result<Option<Private<String>>, Failure> {
        let path = of.map_or_else(|| String::from("v1/me/picture"), |id| format!("v1/matches/{}/picture", in_path(&id.0)));
        match self.with_token::<Picture>(Method::GET, &path, None::<&()>).await {
            Ok(Picture { jpeg }) => Ok(jpeg.reveal().bytes().all(is_base64).then_some(jpeg)),
            Err(Failure::Refused(Refusal { code: RefusalCode::BadRequest, .. })) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    pub async fn follows(&self) -> Result<Follows, Failure> {
        self.with_token(Method::GET, "v1/follows", None::<&()>).await
    }

    pub async fn configuration(&self) -> Result<Configuration, Failure> {
        self.request(Method::GET, "v1/configuration", None::<&()>, None).await
    }

    pub async fn report(&self, report: &Report) -> Result<Reported, Failure> {
        self.with_token(Method::POST, "v1/reports", Some(report)).await
    }

    pub async fn standing(&self) -> Result<Standing, Failure> {
        self.with_token(Method::GET, "v1/me/standing", None::<&()>).await
    }

    pub async fn read_notice(&self, decision: &str) -> Result<Standing, Failure> {
        self.with_token(Method::POST, &format!("v1/me/standing/{decision}/read"), None::<&()>).await
    }

    pub async fn appeal(&self, decision: &str, text: Private<String>) -> Result<Standing, Failure> {
        self.with_token(Method::POST, &format!("v1/me/standing/{decision}/appeal"), Some(&Appeal { text })).await
    }

    pub async fn export(&self) -> Result<serde_json::Value, Failure> {
        self.with_token(Method::GET, "v1/me/export", None::<&()>).await
    }

    pub async fn offer_deletion(&self) -> Result<DeletionOffer, Failure> {
        self.with_token(Method::POST, "v1/me/deletion", None::<&()>).await
    }

    pub async fn delete(&self, confirmation: Private<String>) -> Result<Deleted, Failure> {
        self.with_token(Method::DELETE, "v1/me", Some(&Deletion { confirmation })).await
    }

    pub async fn texts(&self, follow: &FollowId) -> Result<Conversation, Failure> {
        self.with_token(Method::GET, &format!("v1/follows/{}/texts", in_path(&follow.0)), None::<&()>).await
    }

    pub async fn write(&self, follow: &FollowId, text: Private<String>) -> Result<Text, Failure> {
        let path = format!("v1/follows/{}/texts", in_path(&follow.0));
        self.with_token(Method::POST, &path, Some(&NewText { text })).await
    }

    pub async fn unfollow(&self, follow: &FollowId) -> Result<(), Failure> {
        self.without_answer(Method::DELETE, &format!("v1/follows/{}", in_path(&follow.0))).await
    }

    pub async fn block_follow(&self, follow: &FollowId) -> Result<(), Failure> {
        self.without_answer(Method::POST, &format!("v1/follows/{}/block", in_path(&follow.0))).await
    }

    pub async fn history(&self) -> Result<History, Failure> {
        self.with_token(Method::GET, "v1/history", None::<&()>).await
    }

    pub async fn block_session(&self, match_id: &MatchId) -> Result<(), Failure> {
        self.without_answer(Method::POST, &format!("v1/history/{}/block", in_path(&match_id.0))).await
    }

    /// Renews the tokens, unless somebody else has since `spent` was found too old.
    pub async fn renew(&self, spent: &Private<String>) -> Result<Private<String>, Failure> {
        let mut tokens = self.tokens.lock().await;
        let old = tokens.clone().ok_or_else(not_signed_in)?;
        if old.access_token != *spent {
            return Ok(old.access_token);
        }
        let body = Refresh { refresh_token: old.refresh_token };
        match self.request::<Tokens>(Method::POST, "v1/token", Some(&body), None).await {
            Ok(new) => {
                let access = new.access_token.clone();
                self.keep(Some(new), &mut tokens).await;
                Ok(access)
            }
            Err(Failure::Refused(refusal)) if refusal.code != RefusalCode::TooManyRequests => {
                self.keep(None, &mut tokens).await;
                Err(Failure::SignedOut(refusal))
            }
            Err(failure) => Err(failure),
        }
    }

    async fn with_token<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, Failure> {
        let bytes = self.send_with_token(method, path, body).await?;
        serde_json::from_slice(&bytes).map_err(|_| Failure::Malformed)
    }

    async fn without_answer(&self, method: Method, path: &str) -> Result<(), Failure> {
        self.send_with_token(method, path, None::<&()>).await.map(drop)
    }

    async fn send_with_token(&self, method: Method, path: &str, body: Option<&impl Serialize>) -> Result<Vec<u8>, Failure> {
        let token = self.access_token().await?;
        match self.send(method.clone(), path, body, Some(&token)).await {
            Err(Failure::Refused(Refusal { code: RefusalCode::TokenExpired | RefusalCode::TokenInvalid, .. })) => {
                let token = self.renew(&token).await?;
                self.send(method, path, body, Some(&token)).await.map_err(|failure| match failure {
                    Failure::Refused(refusal @ Refusal { code: RefusalCode::TokenExpired | RefusalCode::TokenInvalid, .. }) => {
                        Failure::SignedOut(refusal)
                    }
                    other => other,
                })
            }
            answer => answer,
        }
    }

    async fn request<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
        token: Option<&Private<String>>,
    ) -> Result<T, Failure> {
        let bytes = self.send(method, path, body, token).await?;
        serde_json::from_slice(&bytes).map_err(|_| Failure::Malformed)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
        token: Option<&Private<String>>,
    ) -> Result<Vec<u8>, Failure> {
        let http = self.http.as_ref().map_err(Clone::clone)?;
        let mut request = http.request(method, self.url(path)?);
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token.reveal());
        }
        let mut response = request.send().await.map_err(|error| self.failure(&error))?;
        let status = response.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failure(&error))? {
            if bytes.len() + chunk.len() > ANSWER_BYTES {
                return Err(Failure::Malformed);
            }
            bytes.extend_from_slice(&chunk);
        }
        if status.is_success() { Ok(bytes) } else { Err(self.refusal(status, &bytes)) }
    }

    /// A server that answers at all but not in HTTP is there and malformed; everything else is "not reached".
    fn failure(&self, error: &reqwest::Error) -> Failure {
        tracing::debug!(connect = error.is_connect(), timeout = error.is_timeout(), "a request failed");
        let answered = !error.is_connect() && !error.is_timeout() && is_parse_error(error);
        if answered { Failure::Malformed } else { Failure::Unreachable { host: self.host() } }
    }

    fn refusal(&self, status: StatusCode, body: &[u8]) -> Failure {
        match serde_json::from_slice::<Refusal>(body) {
            Ok(refusal) => Failure::Refused(refusal),
            // A proxy in front of a server that is down.
            Err(_) if matches!(status.as_u16(), 502..=504) => Failure::Unreachable { host: self.host() },
            Err(_) => Failure::Malformed,
        }
    }
}

/// It becomes a part of an address that the page shows.
fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
}

/// What a server named is a part of a path and nothing more.
fn in_path(name: &str) -> String {
    name.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-' || *letter == '_').collect()
}

fn is_parse_error(error: &reqwest::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let text = cause.to_string();
        if text.contains("invalid HTTP") || text.contains("parse") {
            return true;
        }
        source = cause.source();
    }
    false
}

fn not_signed_in() -> Failure {
    let message = String::from("Nobody is signed in.");
    Failure::SignedOut(Refusal { code: RefusalCode::TokenInvalid, message })
}

#[cfg(test)]
mod tests;

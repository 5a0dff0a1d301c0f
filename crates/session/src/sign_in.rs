//! Signing in through the system browser (RFC 8252): a listener on loopback for the redirect, PKCE (RFC 7636, S256), and the
//! exchange with the server, which is the relying party. Opening the browser is up to whoever owns the screen.

use crate::backend::Backend;
use crate::evening::Failure;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use visavis_wire::Private;
use visavis_wire::http::{Refusal, RefusalCode, SignInFinish, SignInStart};

/// How long the browser may take.
pub const PATIENCE: Duration = Duration::from_secs(300);
/// A request line with its headers.
const HEAD_BYTES: usize = 16 * 1024;
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// A browser opens a few sockets ahead of need; more at a time is somebody else.
const SOCKETS: usize = 16;

#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// `kept`: the tokens are in the keyring.
    SignedIn {
        kept: bool,
    },
    TimedOut,
    Failed(Failure),
}

/// Runs one attempt to its end. `open` gets the address for the browser. Dropping the future cancels it and closes the listener.
pub async fn sign_in(backend: &Backend, patience: Duration, open: impl FnOnce(String)) -> Outcome {
    match tokio::time::timeout(patience, attempt(backend, open)).await {
        Ok(Ok(kept)) => Outcome::SignedIn { kept },
        Ok(Err(failure)) => Outcome::Failed(failure),
        Err(_) => Outcome::TimedOut,
    }
}

async fn attempt(backend: &Backend, open: impl FnOnce(String)) -> Result<bool, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|_| no_listener())?;
    let port = listener.local_addr().map_err(|_| no_listener())?.port();
    let verifier = verifier();
    let start = SignInStart { redirect_uri: format!("http://127.0.0.1:{port}/callback"), code_challenge: challenge(&verifier) };
    let started = backend.start_sign_in(&start).await?;
    if !started.authorization_url.starts_with("https://") && !started.authorization_url.starts_with("http://") {
        return Err(Failure::Malformed);
    }
    open(started.authorization_url);
    let code = redirect(&listener, started.state.reveal()).await?;
    let finish = SignInFinish { state: started.state, code, code_verifier: Private::new(verifier) };
    backend.finish_sign_in(&finish).await
}

fn no_listener() -> Failure {
    let message = String::from("No port of this computer is free for the browser's answer.");
    Failure::Refused(Refusal { code: RefusalCode::Internal, message })
}

/// 256 random bits, 43 characters.
fn verifier() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// What the browser brought.
#[derive(Debug, PartialEq)]
enum Redirect {
    Code(Private<String>),
    /// The `error` of RFC 6749 section 4.1.2.1.
    Error(String),
}

/// Waits for the one redirect that carries `state`; answers everything else and goes on waiting.
async fn redirect(listener: &TcpListener, state: &str) -> Result<Private<String>, Failure> {
    let (found, mut redirects) = mpsc::channel(1);
    let places = Arc::new(Semaphore::new(SOCKETS));
    let state: Arc<str> = Arc::from(state);
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (Ok((stream, _)), Ok(place)) = (accepted, Arc::clone(&places).try_acquire_owned()) else {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                };
                let (found, state) = (found.clone(), Arc::clone(&state));
                tasks.spawn(async move {
                    let _place = place;
                    if let Some(redirect) = answer(stream, &state).await {
                        // A second redirect with the right state is a reload of the page.
                        let _ = found.try_send(redirect);
                    }
                });
            }
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            Some(redirect) = redirects.recv() => return match redirect {
                Redirect::Code(code) => Ok(code),
                Redirect::Error(error) => Err(Failure::Refused(refusal(&error))),
            },
        }
    }
}

fn refusal(error: &str) -> Refusal {
    if error == "access_denied" {
        return Refusal { code: RefusalCode::SignInDenied, message: String::from("The sign-in was cancelled.") };
    }
    Refusal { code: RefusalCode::IssuerFault, message: String::from("The identity provider could not sign you in.") }
}

/// Reads one request and answers it. `Some`: it was the redirect.
async fn answer(mut stream: TcpStream, state: &str) -> Option<Redirect> {
    let head = tokio::time::timeout(HEAD_WITHIN, read_head(&mut stream)).await.ok()??;
    let redirect = parse(&head, state);
    let (status, text) = match redirect {
        Some(_) => ("200 OK", "You can close this window and go back to Visavis."),
        None => ("404 Not Found", "There is nothing here."),
    };
    let page = format!("<!doctype html><meta charset=\"utf-8\"><title>Visavis</title><p>{text}</p>");
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Content-Security-Policy: default-src 'none'\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    let sent = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await
    };
    // The browser may have gone; what it brought counts all the same.
    let _ = tokio::time::timeout(HEAD_WITHIN, sent).await;
    redirect
}

async fn read_head(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    let mut buffer = [0; 2048];
    loop {
        let read = stream.read(&mut buffer).await.ok()?;
        if read == 0 {
            return None;
        }
        head.extend_from_slice(&buffer[..read]);
        if head.windows(4).any(|end| end == b"\r\n\r\n") {
            return Some(head);
        }
        if head.len() > HEAD_BYTES {
            return None;
        }
    }
}

/// `GET /callback?state=...&code=...`, or with `error=...`; everything else is not for us.
fn parse(head: &[u8], state: &str) -> Option<Redirect> {
    let line = head.split(|&byte| byte == b'\r').next()?;
    let target = std::str::from_utf8(line).ok()?.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?;
    let (path, query) = target.split_once('?')?;
    if path != "/callback" {
        return None;
    }
    let (mut code, mut error, mut found) = (None, None, None);
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let slot = match &*key {
            "code" => &mut code,
            "error" => &mut error,
            "state" => &mut found,
            _ => continue,
        };
        // A parameter given twice is an attempt to confuse (RFC 6749 section 3.1).
        if slot.replace(value.into_owned()).is_some() {
            return None;
        }
    }
    if !same(found?.as_bytes(), state.as_bytes()) {
        tracing::warn!("a redirect with a wrong state was ignored");
        return None;
    }
    match (code, error) {
        (Some(code), None) => Some(Redirect::Code(Private::new(code))),
        (None, Some(error)) => Some(Redirect::Error(error)),
        _ => None,
    }
}

/// Takes as long for a near miss as for a far one.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests;

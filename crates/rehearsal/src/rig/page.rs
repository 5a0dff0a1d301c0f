//! A server for pages in a browser: one page, signalling between two sides, and the files that pages cannot write themselves.
//!
//! | request | does |
//! |---|---|
//! | `GET /call.html` | the page |
//! | `POST /ready/SIDE` | once both are ready, both get the message `{"type": "start"}` |
//! | `POST /send/SIDE` | passes the body on to the other side; `GET /poll/SIDE` waits for the next messages |
//! | `POST /log/SIDE`, `/stats/SIDE` | appends to `SIDE/log.csv`, `SIDE/stats.jsonl` |
//! | `POST /frame/SIDE/NAME`, `/done/SIDE` | makes `SIDE/frames/NAME`, `SIDE/done` |
//!
//! It listens in a namespace of its own or on loopback, for browsers that we started, and writes into the folder of the run alone.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// One side of a measured call.
pub const CALL: &str = include_str!("../../chromium/call.html");
/// A kept picture of 1080p has 3 MB.
const LARGEST_BODY: usize = 16 << 20;
const POLL_WAITS: Duration = Duration::from_secs(20);

/// Cross-origin isolation: `performance.now()` then goes in steps of 5 us instead of 100.
const ISOLATION: [(HeaderName, &str); 2] = [
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
];

#[derive(Default)]
struct Mailbox {
    waiting: Mutex<Vec<Value>>,
    came: Notify,
}

impl Mailbox {
    fn put(&self, message: Value) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(message);
        self.came.notify_one();
    }

    fn take(&self) -> Vec<Value> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Hub {
    page: &'static str,
    out: PathBuf,
    boxes: [Mailbox; 2],
    ready: Mutex<[bool; 2]>,
}

impl Hub {
    /// Nothing but `a` and `b` becomes a part of a path.
    fn side(&self, name: &str) -> Result<(usize, PathBuf), StatusCode> {
        let side = ["a", "b"].iter().position(|side| *side == name).ok_or(StatusCode::NOT_FOUND)?;
        Ok((side, self.out.join(name)))
    }
}

type Shared = State<Arc<Hub>>;
type Answer = Result<(), StatusCode>;

/// Ends with the program, or when it is dropped.
pub struct Server {
    pub address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub async fn start(listen: SocketAddr, out: PathBuf, page: &'static str) -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let served = axum::serve(listener, router(out, page));
        let task = tokio::spawn(async move {
            if let Err(error) = served.await {
                tracing::error!(%error, "the page server ended");
            }
        });
        Ok(Self { address, task })
    }

    pub async fn ended(mut self) {
        // A panic inside has been printed.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn router(out: PathBuf, text: &'static str) -> Router {
    let hub = Arc::new(Hub { page: text, out, boxes: Default::default(), ready: Mutex::default() });
    Router::new()
        .route("/call.html", get(page))
        .route("/ready/{side}", post(ready))
        .route("/send/{side}", post(send))
        .route("/poll/{side}", get(poll))
        .route("/log/{side}", post(log))
        .route("/stats/{side}", post(stats))
        .route("/frame/{side}/{name}", post(frame))
        .route("/done/{side}", post(done))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(hub)
}

async fn page(State(hub): Shared) -> Response {
    (ISOLATION, [(header::CACHE_CONTROL, "no-store")], Html(hub.page)).into_response()
}

async fn ready(State(hub): Shared, Path(side): Path<String>) -> Answer {
    let (side, _) = hub.side(&side)?;
    let all = {
        let mut ready = hub.ready.lock().unwrap_or_else(PoisonError::into_inner);
        ready[side] = true;
        *ready == [true; 2]
    };
    if all {
        hub.boxes.iter().for_each(|mailbox| mailbox.put(json!({ "type": "start" })));
    }
    Ok(())
}

async fn send(State(hub): Shared, Path(side): Path<String>, body: Bytes) -> Answer {
    let (side, _) = hub.side(&side)?;
    let message = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    hub.boxes[1 - side].put(message);
    Ok(())
}

async fn poll(State(hub): Shared, Path(side): Path<String>) -> Result<Json<Vec<Value>>, StatusCode> {
    let (side, _) = hub.side(&side)?;
    let mailbox = &hub.boxes[side];
    let messages = async {
        loop {
            let messages = mailbox.take();
            if !messages.is_empty() {
                return messages;
            }
            mailbox.came.notified().await;
        }
    };
    Ok(Json(tokio::time::timeout(POLL_WAITS, messages).await.unwrap_or_default()))
}

fn append(path: &FilePath, bytes: &[u8]) -> Answer {
    let write = || OpenOptions::new().create(true).append(true).open(path)?.write_all(bytes);
    write().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

async fn log(State(hub): Shared, Path(side): Path<String>, body: Bytes) -> Answer {
    append(&hub.side(&side)?.1.join("log.csv"), &body)
}

async fn stats(State(hub): Shared, Path(side): Path<String>, body: Bytes) -> Answer {
    append(&hub.side(&side)?.1.join("stats.jsonl"), &body)
}

async fn frame(State(hub): Shared, Path((side, name)): Path<(String, String)>, body: Bytes) -> Answer {
    let folder = hub.side(&side)?.1.join("frames");
    if !name.ends_with(".i420") || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte)) {
        return Err(StatusCode::BAD_REQUEST);
    }
    let write = || {
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), &body)
    };
    write().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

async fn done(State(hub): Shared, Path(side): Path<String>) -> Answer {
    append(&hub.side(&side)?.1.join("done"), b"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn two_sides_start_together_and_reach_each_other() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        let server = Server::start(SocketAddr::from(([127, 0, 0, 1], 0)), folder.path().to_owned(), CALL).await.unwrap();
        let base = format!("http://{}", server.address);
        crate::browser::install_tls();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let post = async |path: &str, body: &str| {
            let answer = client.post(format!("{base}/{path}")).body(body.to_owned()).send().await.unwrap();
            answer.status().as_u16()
        };
        assert!(
            client
                .get(format!("{base}/call.html"))
                .send()
                .await
                .unwrap()
                .text()
                .await
                .unwrap()
                .contains("requestVideoFrameCallback")
        );
        assert_eq!(post("ready/a", "").await, 200);
        assert_eq!(post("ready/b", "").await, 200);
        assert_eq!(post("send/a", r#"{"type": "offer"}"#).await, 200);
        let poll =
            async |side: &str| client.get(format!("{base}/poll/{side}")).send().await.unwrap().json::<Value>().await.unwrap();
        assert_eq!(poll("b").await, json!([{ "type": "start" }, { "type": "offer" }]));
        assert_eq!(poll("a").await, json!([{ "type": "start" }]));

        assert_eq!(post("log/a", "1,capture\n").await, 200);
        assert_eq!(post("log/a", "2,capture\n").await, 200);
        assert_eq!(post("frame/a/0000_2x2.i420", "123456").await, 200);
        assert_eq!(post("done/a", "").await, 200);
        assert_eq!(fs::read_to_string(folder.path().join("a/log.csv")).unwrap(), "1,capture\n2,capture\n");
        assert!(folder.path().join("a/frames/0000_2x2.i420").exists() && folder.path().join("a/done").exists());

        for (path, status) in [("log/c", 404), ("frame/a/..%2F..%2Fx.i420", 400), ("send/a", 400), ("nothing", 404)] {
            assert_eq!(post(path, "{").await, status, "{path}");
        }
    }
}

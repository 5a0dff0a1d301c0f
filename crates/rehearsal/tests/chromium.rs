//! Our engine and a page in headless Chromium: picture, sound and data both ways, with the offer from either side.
//!
//! Left out aloud where no Chromium is installed; `cargo xtask setup` installs it where it can.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of their functions")]

use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;
use visavis_call::{Call, Command as CallCommand, Event, Policy};
use visavis_media::camera::{Camera, CameraSource};
use visavis_media::{Clock, Frame, FramePool};
use visavis_rehearsal::rig::voice::Voice;
use visavis_rehearsal::rig::{bench, page};
use visavis_sight::{Gate, PlanesMut};
use visavis_wire::Private;
use visavis_wire::channel::{ChannelMessage, Comparison, Control, Live, Operations};
use visavis_wire::socket::{RelayCredentials, Role, Signal};

const PAGE: &str = include_str!("../chromium/interop.html");
/// What our descriptions name.
const OURS: [&str; 2] = ["video/VP8", "video/VP9"];
/// A browser may take this long on a loaded machine with two cores.
const PATIENCE: Duration = Duration::from_secs(90);

/// A browser of its own, with its profile; ends with the test.
struct Browser {
    process: Child,
    _profile: TempDir,
}

impl Browser {
    fn start(program: &std::path::Path, address: &str) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let process = Command::new(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
            .args(["--disable-background-networking", "--disable-component-update", "--autoplay-policy=no-user-gesture-required"])
            .args(["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"])
            // Otherwise it has no address to connect from on a machine without a network.
            .args(["--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, _profile: profile }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its children end with it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The test's end of the page server: it is side b.
struct Line {
    client: reqwest::Client,
    base: String,
}

impl Line {
    async fn send(&self, message: &Value) {
        self.client.post(format!("{}/send/b", self.base)).body(message.to_string()).send().await.unwrap();
    }

    /// What the page says from now on.
    fn listen(&self) -> UnboundedReceiver<Value> {
        let (client, address) = (self.client.clone(), format!("{}/poll/b", self.base));
        let (sender, receiver) = unbounded_channel();
        tokio::spawn(async move {
            loop {
                let Ok(answer) = client.get(&address).send().await else { return };
                let messages: Vec<Value> = answer.json().await.unwrap_or_default();
                if messages.into_iter().any(|message| sender.send(message).is_err()) {
                    return;
                }
            }
        });
        receiver
    }
}

fn planes(frame: &mut Frame) -> PlanesMut<'_> {
    let (width, height) = (frame.width, frame.height);
    let (chroma, _) = frame.chroma_size();
    let (y, u, v) = frame.planes_mut();
    PlanesMut { width, height, y: (y, width), u: (u, chroma), v: (v, chroma) }
}

/// Our side: a pattern with frame numbers through a gate (veiled, which leaves the numbers readable), and a voice.
struct Ours {
    call: Call,
    events: UnboundedReceiver<Event>,
    /// Of what the engine decoded: pictures, and how much they changed.
    pictures: std::sync::Arc<std::sync::Mutex<(u32, u64)>>,
    loudness: std::sync::Arc<std::sync::Mutex<f64>>,
    came: Vec<Event>,
}

impl Ours {
    fn start(role: Role) -> Self {
        let clock = Clock::start();
        let relay = RelayCredentials {
            urls: Vec::new(),
            username: Private::default(),
            credential: Private::default(),
            authority: None,
            expires_in_s: 0,
        };
        let (call, events) = Call::start(visavis_session::call_config(role, relay, Policy::Any, clock));
        let camera = Camera::open(&CameraSource::Pattern, (640, 360), 30, FramePool::new(6), clock).unwrap();
        let (frames, out) = (camera.frames(), call.pictures());
        std::thread::spawn(move || {
            let mut gate = Gate::new();
            while !out.is_closed() {
                let Some(frame) = camera.frames().take(Duration::from_millis(200)) else { continue };
                let now = clock.now();
                out.put(gate.release(frame, now, planes));
            }
            drop(frames);
        });
        let (pictures, loudness) = (std::sync::Arc::default(), std::sync::Arc::default());
        watch(&call, std::sync::Arc::clone(&pictures));
        talk(&call, std::sync::Arc::clone(&loudness));
        Self { call, events, pictures, loudness, came: Vec::new() }
    }
}

/// Counts the peer's pictures, and the samples in which each differs from the one before.
fn watch(call: &Call, count: std::sync::Arc<std::sync::Mutex<(u32, u64)>>) {
    let pictures = call.peer_pictures();
    std::thread::spawn(move || {
        let mut before: Option<Frame> = None;
        while !pictures.is_closed() {
            let Some(frame) = pictures.take(Duration::from_millis(200)) else { continue };
            let mut count = count.lock().unwrap();
            count.0 += 1;
            if let Some(before) = before.filter(|before| before.width == frame.width && before.height == frame.height) {
                count.1 += before.y().iter().zip(frame.y()).filter(|(one, other)| one.abs_diff(**other) > 16).count() as u64;
            }
            before = Some(frame);
        }
    });
}

/// Speaks and listens at a device's pace; keeps the loudest 20 ms that were heard.
fn talk(call: &Call, loudest: std::sync::Arc<std::sync::Mutex<f64>>) {
    let (microphone, mut speaker, pictures) = (call.microphone(), call.speaker(), call.peer_pictures());
    std::thread::spawn(move || {
        let mut voice = Voice::default();
        let (mut spoken, mut heard) = ([0; 960], [0; 960]);
        while !pictures.is_closed() {
            std::thread::sleep(Duration::from_millis(20));
            voice.fill(&mut spoken);
            microphone.push(&spoken);
            speaker.pull(&mut heard);
            let level = heard.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / 960.0;
            let mut loudest = loudest.lock().unwrap();
            *loudest = loudest.max(level.sqrt());
        }
    });
}

fn to_page(signal: Signal) -> Option<Value> {
    Some(match signal {
        Signal::Offer { sdp } => json!({ "type": "offer", "sdp": sdp.into_inner() }),
        Signal::Answer { sdp } => json!({ "type": "answer", "sdp": sdp.into_inner() }),
        Signal::Candidate { candidate, sdp_mid, sdp_m_line_index } => {
            let candidate = candidate?.into_inner();
            json!({ "type": "candidate", "candidate": { "candidate": candidate, "sdpMid": sdp_mid, "sdpMLineIndex": sdp_m_line_index } })
        }
    })
}

fn from_page(message: &Value) -> Option<Signal> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Some(match message["type"].as_str()? {
        "offer" => Signal::Offer { sdp: Private::new(text(&message["sdp"])?) },
        "answer" => Signal::Answer { sdp: Private::new(text(&message["sdp"])?) },
        "candidate" => Signal::Candidate {
            candidate: text(&message["candidate"]["candidate"]).map(Private::new),
            sdp_mid: text(&message["candidate"]["sdpMid"]),
            sdp_m_line_index: message["candidate"]["sdpMLineIndex"].as_u64().map(|index| index as u16),
        },
        _ => return None,
    })
}

/// Everything that has to have happened, by name, with what is there so far.
fn missing(ours: &Ours, seen: &Value, page_offers: bool, codec: &str) -> Vec<String> {
    let (pictures, changed) = *ours.pictures.lock().unwrap();
    let loudness = *ours.loudness.lock().unwrap();
    let number = |key: &str| seen[key].as_f64().unwrap_or(0.0);
    let echoed = |wanted: fn(&Event) -> bool| ours.came.iter().any(wanted);
    let codec = format!("video/{codec}");
    let checks = [
        (number("numbers") >= 15.0, format!("frame numbers that the page read: {}", seen["numbers"])),
        (seen["codec"] == codec.as_str(), format!("codec of our picture: {}", seen["codec"])),
        // The page follows our order of codecs, we follow what this machine can take: the two may differ.
        (OURS.iter().any(|ours| seen["own"] == *ours), format!("codec of the page's picture: {}", seen["own"])),
        (number("energy") > 1e-4, format!("energy of our voice at the page: {}", seen["energy"])),
        (pictures >= 15, format!("the page's pictures here: {pictures}")),
        (changed > 500, format!("samples that changed between them: {changed}")),
        (loudness > 300.0, format!("loudest of the page's beeps here: {loudness:.0}")),
        (echoed(|event| matches!(event, Event::Control(Control::Muted { muted: true }))), String::from("echo on channel 0")),
        (echoed(|event| matches!(event, Event::Operations(_))), String::from("echo on channel 1")),
        (echoed(|event| matches!(event, Event::Live(Live::Cursor { x: 7, y: 9 }))), String::from("echo on channel 2")),
        // Whoever offers begins the comparison, and a page begins none.
        (page_offers || echoed(|event| matches!(event, Event::Pictures(_))), String::from("the four pictures")),
    ];
    checks.into_iter().filter(|(there, _)| !there).map(|(_, what)| what).collect()
}

async fn meet(line: &Line, from_page_side: &mut UnboundedReceiver<Value>, page_offers: bool, codec: &str) {
    let comparison = Control::Comparison(Comparison::Commitment([0; 32])).to_bytes();
    line.send(&json!({ "type": "begin", "offers": page_offers, "codec": codec, "comparison": comparison[..2] })).await;
    let mut ours = Ours::start(if page_offers { Role::Answerer } else { Role::Offerer });
    let mut seen = Value::Null;
    let call = async {
        let mut again = tokio::time::interval(Duration::from_millis(500));
        let mut connected = false;
        loop {
            tokio::select! {
                event = ours.events.recv() => match event.expect("the call should not end") {
                    Event::Signal(signal) => if let Some(message) = to_page(signal) {
                        line.send(&message).await;
                    },
                    Event::Failed(why) => panic!("the call failed: {why}"),
                    ended @ (Event::Tampered | Event::Closed) => panic!("the call should go on: {ended:?}"),
                    Event::Connected => connected = true,
                    Event::Statistics(_) => {}
                    other => ours.came.push(other),
                },
                message = from_page_side.recv() => {
                    let message = message.expect("the page should answer");
                    assert_ne!(message["type"], "error", "{message}");
                    if message["type"] == "seen" {
                        seen = message;
                    } else if let Some(signal) = from_page(&message) {
                        ours.call.command(CallCommand::Signal(signal));
                    }
                }
                // Again and again: what goes over channel 2 may be lost.
                _ = again.tick() => if connected {
                    ours.call.command(CallCommand::Control(Control::Muted { muted: true }));
                    ours.call.command(CallCommand::Operations(Operations(Vec::new())));
                    ours.call.command(CallCommand::Live(Live::Cursor { x: 7, y: 9 }));
                },
            }
            if missing(&ours, &seen, page_offers, codec).is_empty() {
                return;
            }
        }
    };
    let done = timeout(PATIENCE, call).await;
    let which = if page_offers { "the page offers" } else { "we offer" };
    assert!(
        done.is_ok(),
        "{codec}, {which}; after {PATIENCE:?} still missing: {:#?}\nlast report: {seen}",
        missing(&ours, &seen, page_offers, codec)
    );
    ours.call.command(CallCommand::HangUp);
    tokio::task::spawn_blocking(move || drop(ours.call)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn picture_sound_and_data_go_both_ways_with_a_page() {
    let Some(program) = bench::find_browser() else {
        println!("left out: no Chromium on this machine (cargo xtask setup installs it on Debian)");
        return;
    };
    visavis_rehearsal::browser::install_tls();
    let folder = tempfile::tempdir().unwrap();
    let server = page::Server::start(SocketAddr::from(([127, 0, 0, 1], 0)), folder.path().to_owned(), PAGE).await.unwrap();
    let base = format!("http://{}", server.address);
    let line = Line { client: reqwest::Client::builder().no_proxy().build().unwrap(), base: base.clone() };
    let browser = Browser::start(&program, &format!("{base}/call.html"));
    let mut messages = line.listen();
    line.client.post(format!("{base}/ready/b")).send().await.unwrap();
    let start = timeout(PATIENCE, messages.recv()).await.expect("the browser should open the page");
    assert_eq!(start.unwrap()["type"], "start");
    for page_offers in [false, true] {
        meet(&line, &mut messages, page_offers, "VP8").await;
    }
    drop(browser);
}

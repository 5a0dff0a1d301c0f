//! A tone each way through a whole call, from a real sound device to a real sound device: a private PulseAudio server whose null
//! sinks stand for two mouths and four ears. Skipped, saying so, where PulseAudio is not installed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![cfg(target_os = "linux")]

mod support;

use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::{Side, connect, no_relay, pair};
use visavis_call::Policy;
use visavis_media::Clock;
use visavis_media::audio::{AudioFrame, FRAME_SAMPLES, Microphone, SAMPLE_RATE, Speaker, list_microphones};

/// Whole periods in 20 ms, so that a frame is judged by itself.
const OF_A: f64 = 400.0;
const OF_B: f64 = 650.0;
/// Set in the second run of the test: where the server keeps its socket.
const FOLDER: &str = "VISAVIS_TONES_TEST_FOLDER";

/// Ends the server and removes its folder when dropped, also when the test fails.
struct Server {
    child: Child,
    folder: PathBuf,
}

impl Server {
    fn start(folder: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        let mut command = Command::new("pulseaudio");
        command.args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes"]);
        command.arg(format!("--load=module-native-protocol-unix auth-anonymous=1 socket={}", folder.join("socket").display()));
        for side in ["a", "b"] {
            command.arg(format!("--load=module-null-sink sink_name=mouth_{side}"));
            command.arg(format!("--load=module-null-sink sink_name=ear_{side}"));
            command.arg(format!("--load=module-remap-source source_name=microphone_{side} master=mouth_{side}.monitor"));
        }
        let child = command
            .env("HOME", &folder)
            .env("XDG_RUNTIME_DIR", &folder)
            // Looking for a session bus would cost it seconds.
            .env("DBUS_SESSION_BUS_ADDRESS", "disabled:")
            .env_remove("PULSE_RUNTIME_PATH")
            .env_remove("PULSE_SERVER")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match child {
            Ok(child) => Ok(Self { child, folder }),
            Err(error) => {
                std::fs::remove_dir_all(&folder)?;
                Err(error)
            }
        }
    }

    fn wait_until_ready(&self) {
        let until = Instant::now() + Duration::from_secs(15);
        while list_microphones().len() < 2 {
            assert!(Instant::now() < until, "the sound server offers no microphones");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn speak(device: &str, hz: f64) -> Speaker {
    let mut played = 0u64;
    let pull = move |frame: &mut AudioFrame| {
        for sample in frame {
            let time = played as f64 / f64::from(SAMPLE_RATE);
            *sample = (8000.0 * (std::f64::consts::TAU * hz * time).sin()) as i16;
            played += 1;
        }
    };
    Speaker::open(&device.parse().unwrap(), Box::new(pull)).unwrap()
}

/// A side's microphone and speaker, as the session joins them.
fn devices(side: &Side, name: &str) -> (Microphone, Speaker) {
    let (sink, mut source) = (side.call.microphone(), side.call.speaker());
    let microphone = format!("device:pulseaudio:microphone_{name}").parse().unwrap();
    let speaker = format!("device:pulseaudio:ear_{name}").parse().unwrap();
    (
        Microphone::open(&microphone, Box::new(move |frame| sink.push(frame))).unwrap(),
        Speaker::open(&speaker, Box::new(move |frame| source.pull(frame))).unwrap(),
    )
}

/// Share of a frame's energy that lies at `hz`, 0 to 1 (Goertzel).
fn share_at(frame: &AudioFrame, hz: f64) -> f64 {
    let turn = 2.0 * (std::f64::consts::TAU * hz / f64::from(SAMPLE_RATE)).cos();
    let (mut last, mut before, mut energy) = (0.0, 0.0, 0.0);
    for &sample in frame {
        let sample = f64::from(sample);
        energy += sample * sample;
        (last, before) = (sample + turn * last - before, last);
    }
    let power = last * last + before * before - turn * last * before;
    if energy == 0.0 { 0.0 } else { power / energy * 2.0 / FRAME_SAMPLES as f64 }
}

/// Frames that an ear has heard of a tone.
fn listen(ear: &str, hz: f64) -> (Microphone, Arc<Mutex<u32>>) {
    let heard = Arc::new(Mutex::new(0));
    let of_thread = Arc::clone(&heard);
    let count = move |frame: &AudioFrame| {
        let loud = frame.iter().any(|sample| sample.abs() > 1_000);
        if loud && share_at(frame, hz) > 0.8 {
            *of_thread.lock().unwrap() += 1;
        }
    };
    (Microphone::open(&format!("device:pulseaudio:{ear}.monitor").parse().unwrap(), Box::new(count)).unwrap(), heard)
}

/// The server is found through the environment of the process, so the test runs itself again with it set.
#[test]
fn a_tone_crosses_a_call_each_way() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return with_server(PathBuf::from(folder));
    }
    let folder = std::env::temp_dir().join(format!("visavis-tones-{}", std::process::id()));
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_tone_crosses_a_call_each_way", "--nocapture"])
        .env(FOLDER, &folder)
        .env("PULSE_SERVER", format!("unix:{}", folder.join("socket").display()))
        .env_remove("PULSE_RUNTIME_PATH")
        .status()
        .unwrap();
    assert!(status.success(), "see the output above");
}

fn with_server(folder: PathBuf) {
    let server = match Server::start(folder) {
        Ok(server) => server,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            eprintln!("skipped: pulseaudio is not installed, so there is no sound device to try");
            return;
        }
        Err(error) => panic!("pulseaudio does not start: {error}"),
    };
    server.wait_until_ready();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (a, b) = runtime.block_on(async {
        let (mut a, mut b) = pair(Policy::Any, no_relay(), Clock::start());
        connect(&mut a, &mut b).await;
        (a, b)
    });
    let _mouths = (speak("device:pulseaudio:mouth_a", OF_A), speak("device:pulseaudio:mouth_b", OF_B));
    let _devices = (devices(&a, "a"), devices(&b, "b"));
    let (at_b, at_a) = (listen("ear_b", OF_A), listen("ear_a", OF_B));
    // Two seconds of each tone; a machine under load may lose some on the way, so the time is not fixed.
    let until = Instant::now() + Duration::from_secs(30);
    let heard = || (*at_a.1.lock().unwrap(), *at_b.1.lock().unwrap());
    while heard().0 < 100 || heard().1 < 100 {
        assert!(Instant::now() < until, "frames of the other's tone at a and b: {:?}", heard());
        std::thread::sleep(Duration::from_millis(50));
    }
}

//! Real sound devices, without hardware: a private PulseAudio server with two null sinks and a remap of the first one's monitor
//! as the microphone. What is played on the first sink must be heard by the microphone. Skipped, saying so, where PulseAudio is
//! not installed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![cfg(target_os = "linux")]

use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use visavis_media::audio::{
    AudioError, FRAME_SAMPLES, Microphone, MicrophoneSource, SAMPLE_RATE, Speaker, SpeakerTarget, list_microphones, list_speakers,
};

/// Eight periods a frame.
const TONE_HZ: f64 = 400.0;
/// Set in the second run of the test: where the server keeps its socket.
const FOLDER: &str = "VISAVIS_SOUND_TEST_FOLDER";

/// Ends the server and removes its folder when dropped, also when the test fails.
struct Server {
    child: Child,
    folder: PathBuf,
}

impl Server {
    fn start(folder: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        let child = Command::new("pulseaudio")
            .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes"])
            .arg(format!("--load=module-native-protocol-unix auth-anonymous=1 socket={}", folder.join("socket").display()))
            .arg("--load=module-null-sink sink_name=first")
            .arg("--load=module-null-sink sink_name=second rate=44100")
            .arg("--load=module-remap-source source_name=microphone master=first.monitor")
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
        while list_microphones().is_empty() {
            assert!(Instant::now() < until, "the sound server offers no microphone");
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

/// Share of the sound's energy that lies at `hz`, 0 to 1 (Goertzel).
fn share_at(sound: &[i16], hz: f64) -> f64 {
    let turn = 2.0 * (std::f64::consts::TAU * hz / f64::from(SAMPLE_RATE)).cos();
    let (mut last, mut before) = (0.0, 0.0);
    let mut energy = 0.0;
    for &sample in sound {
        let sample = f64::from(sample);
        energy += sample * sample;
        (last, before) = (sample + turn * last - before, last);
    }
    let power = last * last + before * before - turn * last * before;
    if energy == 0.0 { 0.0 } else { power / energy * 2.0 / sound.len() as f64 }
}

fn play_tone(target: &SpeakerTarget) -> Speaker {
    let mut played = 0usize;
    let pull = move |frame: &mut [i16; FRAME_SAMPLES]| {
        for sample in frame {
            let time = played as f64 / f64::from(SAMPLE_RATE);
            *sample = (8000.0 * (std::f64::consts::TAU * TONE_HZ * time).sin()) as i16;
            played += 1;
        }
    };
    Speaker::open(target, Box::new(pull)).unwrap()
}

/// What a microphone hears in `time`.
fn listen(source: &MicrophoneSource, time: Duration) -> Vec<i16> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let of_thread = Arc::clone(&heard);
    let microphone = Microphone::open(source, Box::new(move |frame| of_thread.lock().unwrap().extend_from_slice(frame))).unwrap();
    std::thread::sleep(time);
    assert_eq!(microphone.failure(), None);
    drop(microphone);
    std::mem::take(&mut *heard.lock().unwrap())
}

/// The server is found through the environment of the process, so the test runs itself again with it set.
#[test]
fn what_the_speaker_plays_the_microphone_hears() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return with_server(PathBuf::from(folder));
    }
    let folder = std::env::temp_dir().join(format!("visavis-sound-{}", std::process::id()));
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "what_the_speaker_plays_the_microphone_hears", "--nocapture"])
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
    devices_are_listed();
    a_tone_is_heard();
    other_rates_and_the_test_tone();
    a_vanished_server_is_a_failure(server);
}

fn devices_are_listed() {
    let ids = |devices: Vec<visavis_media::audio::AudioDevice>| devices.into_iter().map(|device| device.id).collect::<Vec<_>>();
    // The monitors of the sinks are no microphones.
    assert_eq!(ids(list_microphones()), ["pulseaudio:microphone"]);
    assert_eq!(ids(list_speakers()), ["pulseaudio:first", "pulseaudio:second"]);
}

fn a_tone_is_heard() {
    let second = Duration::from_secs(2);
    let quiet = listen(&MicrophoneSource::Default, second / 2);
    assert!(quiet.iter().all(|&sample| sample == 0), "nothing plays, yet something is heard");

    let speaker = play_tone(&"device:pulseaudio:first".parse().unwrap());
    std::thread::sleep(Duration::from_millis(300));
    let sound = listen(&MicrophoneSource::Default, second);
    assert!(sound.len() > SAMPLE_RATE as usize, "{} samples in {second:?}", sound.len());
    // Frame by frame, since a machine under load may drop some and the phase then jumps.
    let frames: Vec<_> = sound[sound.len() / 4..].chunks_exact(FRAME_SAMPLES).collect();
    let tone = frames.iter().filter(|frame| share_at(frame, TONE_HZ) > 0.9).count();
    eprintln!("heard {} samples; {tone} of {} frames are the tone; {} underruns", sound.len(), frames.len(), speaker.underruns());
    assert!(tone * 2 > frames.len(), "{tone} of {} frames are the tone", frames.len());
    assert_eq!(speaker.failure(), None);
}

fn other_rates_and_the_test_tone() {
    let monitor = "device:pulseaudio:second.monitor".parse().unwrap();
    let speaker = Speaker::open(&"device:pulseaudio:second".parse().unwrap(), Box::new(|_| ())).unwrap();
    speaker.test_tone();
    let sound = listen(&monitor, Duration::from_millis(1200));
    let loud = sound.chunks(FRAME_SAMPLES).filter(|frame| frame.iter().any(|sample| sample.abs() > 2000)).count();
    assert!((8..=22).contains(&loud), "the test tone was heard for {loud} frames");
}

fn a_vanished_server_is_a_failure(server: Server) {
    let frames = Arc::new(Mutex::new(0u32));
    let of_thread = Arc::clone(&frames);
    let microphone = Microphone::open(&MicrophoneSource::Default, Box::new(move |_| *of_thread.lock().unwrap() += 1)).unwrap();
    let speaker = Speaker::open(&SpeakerTarget::Default, Box::new(|_| ())).unwrap();
    drop(server);
    let until = Instant::now() + Duration::from_secs(10);
    while microphone.failure().is_none() || speaker.failure().is_none() {
        assert!(Instant::now() < until, "microphone {:?}, speaker {:?}", microphone.failure(), speaker.failure());
        std::thread::sleep(Duration::from_millis(50));
    }
    let before = *frames.lock().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert!(*frames.lock().unwrap() > before + 5, "silence goes on in its place");

    let started = Instant::now();
    drop((microphone, speaker));
    assert!(started.elapsed() < Duration::from_secs(5), "closing took {:?}", started.elapsed());
    let started = Instant::now();
    assert_eq!((list_microphones(), list_speakers()), (Vec::new(), Vec::new()));
    assert_eq!(Microphone::open(&MicrophoneSource::Default, Box::new(|_| ())).err(), Some(AudioError::NoDevice));
    assert_eq!(Speaker::open(&SpeakerTarget::Default, Box::new(|_| ())).err(), Some(AudioError::NoDevice));
    assert!(started.elapsed() < Duration::from_secs(5), "finding nothing took {:?}", started.elapsed());
}

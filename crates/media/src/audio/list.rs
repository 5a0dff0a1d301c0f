//! Which sound devices there are, asked again and again: a sound system that hangs holds up nobody for longer than its patience,
//! and costs one thread.

use super::AudioDevice;
use super::device::{self, SoundDevices};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks the sound system in a thread of its own, which keeps the connection to a sound server from one look to the next.
#[derive(Default)]
pub struct SoundLister {
    thread: Option<Asked>,
}

struct Asked {
    questions: Sender<()>,
    answers: Receiver<Option<SoundDevices>>,
    /// The last question has no answer yet.
    owed: bool,
}

impl SoundLister {
    /// `None`: the sound system does not tell, or does not answer within 3 s.
    pub fn look(&mut self) -> Option<SoundDevices> {
        let asked = match &mut self.thread {
            Some(asked) => asked,
            none => none.insert(start()?),
        };
        if !asked.owed {
            asked.owed = asked.questions.send(()).is_ok();
        }
        // What comes late is of the question before, and still true.
        match asked.answers.recv_timeout(PATIENCE) {
            Ok(found) => {
                asked.owed = false;
                found
            }
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                tracing::error!("the thread that lists sound devices panicked");
                self.thread = None;
                None
            }
        }
    }
}

/// Microphones of this machine; empty if there is no sound system or it does not answer within 3 s.
pub fn list_microphones() -> Vec<AudioDevice> {
    SoundLister::default().look().unwrap_or_default().microphones
}

/// Speakers of this machine; empty if there is no sound system or it does not answer within 3 s.
pub fn list_speakers() -> Vec<AudioDevice> {
    SoundLister::default().look().unwrap_or_default().speakers
}

fn start() -> Option<Asked> {
    let (questions, asked) = channel();
    let (answer, answers) = channel();
    let body = move || {
        let mut host = Host::default();
        while asked.recv().is_ok() {
            // Nobody may listen any more.
            if answer.send(host.look()).is_err() {
                return;
            }
        }
    };
    match std::thread::Builder::new().name("sound-list".into()).spawn(body) {
        Ok(_) => Some(Asked { questions, answers, owed: false }),
        Err(error) => {
            tracing::warn!(%error, "no thread to list sound devices");
            None
        }
    }
}

/// The way to the sound system.
#[derive(Default)]
struct Host {
    /// Connecting to it is what costs.
    server: Option<cpal::Host>,
    /// ALSA reads all its configuration for a list: not while the cards are the same.
    cards: Option<(Vec<u8>, SoundDevices)>,
}

impl Host {
    fn look(&mut self) -> Option<SoundDevices> {
        if let Some(server) = &self.server {
            match device::enumerate(server) {
                Ok(found) => return Some(found),
                Err(error) => tracing::debug!(%error, "the sound server is gone; looking for another"),
            }
        }
        self.server = None;
        device::hush();
        let host = cpal::default_host();
        let name = host.id().to_string();
        let cards = (name == "alsa").then(cards).flatten();
        if let (Some(cards), Some((before, found))) = (&cards, &self.cards)
            && cards == before
        {
            return Some(found.clone());
        }
        let found = match device::enumerate(&host) {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "the sound devices cannot be listed");
                return None;
            }
        };
        self.cards = cards.map(|cards| (cards, found.clone()));
        if name == "pulseaudio" {
            self.server = Some(host);
        }
        Some(found)
    }
}

/// Of ALSA, and their devices, as its driver tells them.
fn cards() -> Option<Vec<u8>> {
    let mut cards = std::fs::read("/proc/asound/cards").ok()?;
    cards.extend(std::fs::read("/proc/asound/devices").ok()?);
    Some(cards)
}

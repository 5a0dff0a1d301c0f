//! A key that is held down in any program to speak while muted. Outside a call it does nothing.

use global_hotkey::hotkey::HotKey;
use global_hotkey::{GlobalHotKeyEvent, GlobalHotKeyManager, HotKeyState};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use ts_rs::TS;

/// Why a chosen key does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum TalkKeyProblem {
    /// Not the name of a key, or one that writing needs.
    Unusable,
    /// Another program has it.
    Taken,
    /// This desktop gives no key to a program that is not in front (Wayland without X11).
    NotHere,
}

/// Shut: the microphone was muted in a call, so the key may open it.
#[derive(Default)]
struct Microphone {
    shut: AtomicBool,
    held: AtomicBool,
}

/// Made, changed and dropped on the main thread.
pub struct TalkKey {
    manager: Option<GlobalHotKeyManager>,
    registered: Option<HotKey>,
    microphone: Arc<Microphone>,
}

impl TalkKey {
    /// `mute` is called from the thread that hears of keys.
    pub fn new(mute: impl Fn(bool) + Send + Sync + 'static) -> Self {
        let manager = GlobalHotKeyManager::new().inspect_err(|error| tracing::debug!(%error, "no keys outside the window")).ok();
        let microphone = Arc::new(Microphone::default());
        let heard = microphone.clone();
        // The library has one handler for the process: the first that is set.
        GlobalHotKeyEvent::set_event_handler(Some(move |event: GlobalHotKeyEvent| {
            if let Some(on) = heard.hear(event.state == HotKeyState::Pressed) {
                mute(on);
            }
        }));
        Self { manager, registered: None, microphone }
    }

    /// What the session says of the microphone; outside a call it is `false`.
    pub fn shut(&self, muted_in_call: bool) {
        self.microphone.shut.store(muted_in_call, Relaxed);
    }

    /// `None` gives the key back.
    pub fn choose(&mut self, key: Option<&str>) -> Option<TalkKeyProblem> {
        if let (Some(manager), Some(before)) = (&self.manager, self.registered.take())
            && let Err(error) = manager.unregister(before)
        {
            tracing::debug!(%error, "the key before stays with this program until it ends");
        }
        let key = key?;
        let Some(key) = usable(key) else { return Some(TalkKeyProblem::Unusable) };
        let Some(manager) = &self.manager else { return Some(TalkKeyProblem::NotHere) };
        match manager.register(key) {
            Ok(()) => {
                self.registered = Some(key);
                None
            }
            Err(error) => {
                tracing::debug!(%error, "the key cannot be had");
                Some(TalkKeyProblem::Taken)
            }
        }
    }
}

impl Microphone {
    /// What to say to the session, if anything: opened by the press only where it was shut, shut again by the release.
    fn hear(&self, pressed: bool) -> Option<bool> {
        if pressed {
            let opens = self.shut.load(Relaxed) && !self.held.swap(true, Relaxed);
            opens.then_some(false)
        } else {
            self.held.swap(false, Relaxed).then_some(true)
        }
    }
}

/// A key that writes something needs Ctrl, Alt or the system's key with it: it is taken from every other program.
fn usable(name: &str) -> Option<HotKey> {
    use global_hotkey::hotkey::{Code, Modifiers};
    let key: HotKey = name.parse().ok()?;
    let function = |code: Code| {
        let name = code.to_string();
        name.strip_prefix('F').is_some_and(|number| number.parse::<u8>().is_ok())
    };
    let strong = Modifiers::CONTROL | Modifiers::ALT | Modifiers::META;
    (key.mods.intersects(strong) || function(key.key) || matches!(key.key, Code::Pause | Code::ScrollLock)).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_writes_is_not_taken_from_other_programs() {
        for name in ["F9", "Ctrl+Shift+KeyT", "Alt+Space", "Pause", "Super+KeyV"] {
            assert!(usable(name).is_some(), "{name}");
        }
        for name in ["KeyT", "Shift+KeyT", "Space", "Enter", "Ctrl", "", "Ctrl+Nothing"] {
            assert!(usable(name).is_none(), "{name}");
        }
    }

    #[test]
    fn only_a_shut_microphone_is_opened_and_it_is_shut_again() {
        let microphone = Microphone::default();
        assert_eq!(microphone.hear(true), None, "outside a call, or open anyway");
        assert_eq!(microphone.hear(false), None);
        microphone.shut.store(true, Relaxed);
        assert_eq!(microphone.hear(true), Some(false));
        // Opening it, the session says that it is no longer shut; the system repeats the press.
        microphone.shut.store(false, Relaxed);
        assert_eq!(microphone.hear(true), None);
        assert_eq!(microphone.hear(false), Some(true));
        assert_eq!(microphone.hear(false), None);
    }
}

//! The symbol beside the clock: brings the window back, and leaves. Its words come from the page, which knows the language.

use crate::desktop;
use serde::Deserialize;
use tauri::menu::{MenuBuilder, MenuEvent};
use tauri::tray::{MouseButton, MouseButtonState, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Wry};

const NAME: &str = "visavis";
const OPEN: &str = "open";
const LEAVE: &str = "leave";
const LONGEST: usize = 60;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TrayWords {
    pub open: String,
    pub leave: String,
}

/// What of the tray there is on this desktop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tray {
    #[default]
    Away,
    Shown(TrayWords),
    /// Asked for once and refused; it is not asked for again.
    Impossible,
}

impl Tray {
    pub fn works(&self) -> bool {
        *self != Self::Impossible
    }

    pub fn is_shown(&self) -> bool {
        matches!(self, Self::Shown(_))
    }

    /// On the main thread only.
    pub fn hide(&mut self, app: &AppHandle) {
        if self.is_shown() {
            app.remove_tray_by_id(NAME);
            *self = Self::Away;
        }
    }

    /// On the main thread only. Shows it, or changes its words.
    pub fn show(&mut self, app: &AppHandle, words: &TrayWords) {
        let words = TrayWords { open: shortened(&words.open), leave: shortened(&words.leave) };
        if *self == Self::Impossible || *self == Self::Shown(words.clone()) {
            return;
        }
        self.hide(app);
        if !has_library() {
            tracing::warn!("no tray on this desktop: its library (libayatana-appindicator3) is not installed");
            *self = Self::Impossible;
            return;
        }
        *self = match build(app, &words) {
            Ok(()) => Self::Shown(words),
            Err(error) => {
                tracing::warn!(%error, "no tray on this desktop");
                Self::Impossible
            }
        };
    }
}

fn build(app: &AppHandle, words: &TrayWords) -> tauri::Result<()> {
    let menu = MenuBuilder::<'_, Wry, _>::new(app).text(OPEN, &words.open).separator().text(LEAVE, &words.leave).build()?;
    let mut tray = TrayIconBuilder::with_id(NAME)
        .menu(&menu)
        .tooltip("Visavis")
        .show_menu_on_left_click(false)
        .on_menu_event(|app, event: MenuEvent| match event.id().as_ref() {
            OPEN => desktop::raise(app),
            LEAVE => desktop::leave(app),
            _ => {}
        })
        .on_tray_icon_event(|tray, event| {
            if let TrayIconEvent::Click { button: MouseButton::Left, button_state: MouseButtonState::Up, .. } = event {
                desktop::raise(tray.app_handle());
            }
        });
    if let Some(icon) = app.default_window_icon() {
        tray = tray.icon(icon.clone());
    }
    tray.build(app)?;
    Ok(())
}

/// The crate behind the tray panics on Linux where neither of its libraries is installed.
#[cfg(target_os = "linux")]
fn has_library() -> bool {
    ["libayatana-appindicator3.so.1", "libappindicator3.so.1"].iter().any(|name| crate::ffi::can_be_loaded(name))
}

#[cfg(not(target_os = "linux"))]
fn has_library() -> bool {
    true
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

//! What the desktop does for the window: tray, notifications, keeping awake, a key to speak with from anywhere, links. What
//! the person chose of it is in `preferences`; the page shows it and brings the words.

use crate::courtesy::Courtesy;
use crate::desktop;
use crate::links::Link;
use crate::preferences::{Kept, Preferences};
use crate::talk_key::{TalkKey, TalkKeyProblem};
use crate::tray::{Tray, TrayWords};
use serde::Serialize;
use std::cell::RefCell;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tauri::{AppHandle, Manager, State, UserAttentionType};
use ts_rs::TS;
use visavis_session::view::{Page, View};
use visavis_session::{Command, Session};

/// What was chosen, and what of it this desktop can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct DesktopView {
    preferences: Preferences,
    tray_works: bool,
    talk_key_problem: Option<TalkKeyProblem>,
}

pub struct Services {
    kept: Mutex<Kept>,
    courtesy: Courtesy,
    in_call: AtomicBool,
}

/// What belongs to the main thread.
struct OnMain {
    tray: Tray,
    words: Option<TrayWords>,
    talk_key: TalkKey,
    talk_key_problem: Option<TalkKeyProblem>,
}

thread_local! {
    static ON_MAIN: RefCell<Option<OnMain>> = const { RefCell::new(None) };
}

impl Services {
    /// On the main thread, once.
    pub fn start(app: &AppHandle, profile_folder: &Path) -> std::io::Result<()> {
        let kept = Kept::load(profile_folder);
        let muting = app.clone();
        let mut talk_key = TalkKey::new(move |on| {
            if let Some(session) = muting.try_state::<Session>() {
                session.command(Command::Mute { on });
            }
        });
        let talk_key_problem = talk_key.choose(kept.now.talk_key.as_deref());
        ON_MAIN.set(Some(OnMain { tray: Tray::default(), words: None, talk_key, talk_key_problem }));
        app.manage(Self { kept: Mutex::new(kept), courtesy: Courtesy::start()?, in_call: AtomicBool::new(false) });
        Ok(())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Told every view.
    pub fn follow(&self, app: &AppHandle, view: &View) {
        let muted = if let Page::Call(call) = &view.page { Some(call.muted) } else { None };
        self.in_call.store(muted.is_some(), Relaxed);
        self.courtesy.awake(muted.is_some());
        let shut = muted == Some(true);
        let _ = app.run_on_main_thread(move || {
            on_main(|here| here.talk_key.shut(shut));
        });
    }

    /// On the main thread. Whether a closed window leaves the program running: never during a call, which a closed window ends.
    pub fn stays(&self) -> bool {
        self.kept().now.stay_in_tray && !self.in_call.load(Relaxed) && on_main(|here| here.tray.is_shown()).unwrap_or(false)
    }
}

fn on_main<T>(work: impl FnOnce(&mut OnMain) -> T) -> Option<T> {
    ON_MAIN.with_borrow_mut(|here| here.as_mut().map(work))
}

/// Brings the window forward and opens the page of the link.
pub fn follow_link(app: &AppHandle, link: Option<Link>) {
    desktop::raise(app);
    if let (Some(command), Some(session)) = (link.and_then(Link::command), app.try_state::<Session>()) {
        session.command(command);
    }
}

fn look(services: &Services) -> DesktopView {
    let preferences = services.kept().now.clone();
    let (tray_works, talk_key_problem) = on_main(|here| (here.tray.works(), here.talk_key_problem)).unwrap_or((false, None));
    DesktopView { preferences, tray_works, talk_key_problem }
}

/// The words of the tray, at the start and in each new language. What runs synchronously runs on the main thread.
#[tauri::command]
pub fn desktop(words: TrayWords, app: AppHandle, services: State<'_, Services>) -> DesktopView {
    let wanted = services.kept().now.tray;
    on_main(|here| {
        if wanted {
            here.tray.show(&app, &words);
        }
        here.words = Some(words);
    });
    look(&services)
}

#[tauri::command]
pub fn set_desktop(preferences: Preferences, app: AppHandle, services: State<'_, Services>) -> DesktopView {
    on_main(|here| {
        match (&here.words, preferences.tray) {
            (Some(words), true) => here.tray.show(&app, words),
            (_, false) => here.tray.hide(&app),
            (None, true) => {}
        }
        if preferences.talk_key != services.kept().now.talk_key {
            here.talk_key_problem = here.talk_key.choose(preferences.talk_key.as_deref());
        }
    });
    if let Err(error) = services.kept().change(preferences) {
        tracing::warn!(%error, "the preferences of the desktop hold until the program ends, but cannot be kept");
    }
    look(&services)
}

/// Says it on the desktop, unless the person looks at the window anyway.
#[tauri::command]
pub fn say(title: String, body: String, app: AppHandle, services: State<'_, Services>) {
    let Some(window) = app.get_webview_window(desktop::MAIN) else { return };
    if window.is_focused().unwrap_or(false) || !services.kept().now.notifications {
        return;
    }
    services.courtesy.say(&title, &body);
    if let Err(error) = window.request_user_attention(Some(UserAttentionType::Informational)) {
        tracing::debug!(%error, "the window cannot ask for attention");
    }
}

//! The window, the system browser, and the way out: closing leaves a call properly, but never keeps the window for long.

use crate::instance::Leaving;
use crate::services::Services;
use crate::settings::{Pair, SMALLEST_WINDOW, Settings};
use crate::small;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tauri::plugin::TauriPlugin;
use tauri::{AppHandle, Manager, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent, Wry};
use tauri_plugin_window_state::StateFlags;
use visavis_session::Session;

/// The one window; its capabilities name it.
pub const MAIN: &str = "main";

/// How long a closing window waits for the server and the peer to hear of it.
const FAREWELL: Duration = Duration::from_millis(1500);

/// The window before anything was remembered.
const FIRST_SIZE: Pair = Pair(1280, 800);

/// Creates the folder of the profile.
pub fn profile_folder(settings: &Settings) -> Result<PathBuf, String> {
    let folder = match &settings.profile_dir {
        Some(folder) => std::path::absolute(folder).map_err(|error| format!("the profile folder is unusable: {error}"))?,
        None => {
            let data = dirs::data_dir().ok_or("this system names no data folder: give one with --profile-dir DIR")?;
            data.join("visavis").join(settings.profile.as_str())
        }
    };
    std::fs::create_dir_all(&folder)
        .map_err(|error| format!("the profile folder {} cannot be created: {error}", folder.display()))?;
    Ok(folder)
}

/// Need not exist: it is made with the first drawing.
pub fn drawings_folder(app: &AppHandle, settings: &Settings, profile_folder: &Path) -> PathBuf {
    match &settings.drawings_dir {
        // A folder that cannot be made absolute is said to be unusable when a drawing is saved.
        Some(folder) => std::path::absolute(folder).unwrap_or_else(|_| folder.clone()),
        None => app.path().picture_dir().map_or_else(|_| profile_folder.join("drawings"), |pictures| pictures.join("Visavis")),
    }
}

pub fn open_window(app: &AppHandle, settings: &Settings, profile_folder: &Path) -> tauri::Result<WebviewWindow> {
    let given = settings.window_size.is_some() || settings.window_position.is_some();
    app.plugin(remembering(profile_folder, given))?;
    let Pair(width, height) = settings.window_size.unwrap_or(FIRST_SIZE);
    let (least_width, least_height) = SMALLEST_WINDOW;
    let mut window = WebviewWindowBuilder::new(app, MAIN, WebviewUrl::default())
        .title(&settings.title)
        .inner_size(f64::from(width), f64::from(height))
        .min_inner_size(f64::from(least_width), f64::from(least_height))
        // Two profiles must not share what the page stores.
        .data_directory(profile_folder.join("webview"))
        .disable_drag_drop_handler()
        .on_navigation(stays_in_the_app);
    if let Some(Pair(x, y)) = settings.window_position {
        window = window.position(f64::from(x), f64::from(y));
    }
    let window = window.build()?;
    let closing = window.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event {
            api.prevent_close();
            small::restore(&closing);
            // Gone for the user at once; the farewell goes on behind it.
            let _ = closing.hide();
            if !closing.state::<Services>().stays() {
                leave(closing.app_handle());
            }
        }
    });
    Ok(window)
}

/// Where the window stood and how large it was, between evenings; what the command line says goes before it. Not whether it
/// was hidden: whoever starts the program wants to see it.
fn remembering(profile_folder: &Path, given: bool) -> TauriPlugin<Wry> {
    let what = StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED | StateFlags::FULLSCREEN;
    // An absolute path, so the plugin's own folder plays no part.
    let file = profile_folder.join("window.json").to_string_lossy().into_owned();
    let mut builder = tauri_plugin_window_state::Builder::default().with_state_flags(what).with_filename(file);
    if given {
        builder = builder.skip_initial_state(MAIN);
    }
    builder.build()
}

/// Brings the window before the person, wherever it was.
pub fn raise(app: &AppHandle) {
    let Some(window) = app.get_webview_window(MAIN) else { return };
    for done in [window.show(), window.unminimize(), window.set_focus()] {
        if let Err(error) = done {
            tracing::debug!(%error, "the window does not come forward");
        }
    }
}

/// The page never turns into another one; addresses for the user go to the system browser.
fn stays_in_the_app(url: &tauri::Url) -> bool {
    matches!((url.scheme(), url.host_str()), ("tauri", Some("localhost")) | ("http", Some("tauri.localhost")))
        || (tauri::is_dev() && url.host_str() == Some("localhost"))
}

/// Ends the session, then the program. Safe to call twice.
pub fn leave(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        farewell(&app).await;
        app.exit(0);
    });
}

/// Says good-bye to server and peer, for a while at most. The session is over then.
pub async fn farewell(app: &AppHandle) {
    if let Some(leaving) = app.try_state::<Leaving>() {
        leaving.begin();
    }
    if let Some(session) = app.try_state::<Session>()
        && tokio::time::timeout(FAREWELL, session.shutdown()).await.is_err()
    {
        tracing::warn!("the farewell took too long; closing without it");
    }
}

/// Leaves as for a closed window when the system asks the program to end.
pub async fn leave_on_signal(app: AppHandle) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        return;
    }
    leave(&app);
}

/// Opens an address in a thread, because a browser's launcher may take seconds. `failed` is called when there is none.
pub fn open_browser(url: String, program: Option<String>, failed: impl FnOnce(String) + Send + 'static) {
    std::thread::spawn(move || {
        let opened = match program.as_deref().map(str::split_whitespace) {
            Some(mut words) => match words.next() {
                Some(program) => run(program, words, &url),
                None => open::that_detached(&url),
            },
            None => open::that_detached(&url),
        };
        if let Err(error) = opened {
            tracing::warn!(%error, "the browser did not open");
            failed(url);
        }
    });
}

/// Waits for the program's end, so that it leaves no zombie and its failure is known.
fn run<'a>(program: &str, arguments: impl Iterator<Item = &'a str>, url: &str) -> std::io::Result<()> {
    let status = Command::new(program).args(arguments).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(std::io::Error::other(format!("{program} ended with {status}"))) }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn failure_of(program: &str) -> Option<String> {
        let (sender, failed) = mpsc::channel();
        open_browser("http://127.0.0.1:1/".into(), Some(program.into()), move |url| drop(sender.send(url)));
        failed.recv_timeout(Duration::from_secs(20)).ok()
    }

    #[test]
    fn a_browser_that_fails_or_is_missing_is_reported() {
        assert_eq!(failure_of("false").as_deref(), Some("http://127.0.0.1:1/"));
        assert_eq!(failure_of("no-such-browser --new-window").as_deref(), Some("http://127.0.0.1:1/"));
    }

    #[test]
    fn a_browser_that_opens_is_not() {
        assert_eq!(failure_of("true"), None);
    }

    #[test]
    fn the_page_cannot_become_another_one() {
        let stays = |url: &str| stays_in_the_app(&url.parse().unwrap());
        assert!(stays("tauri://localhost/index.html"));
        assert!(!stays("https://visavis.example/"));
        assert!(!stays("http://127.0.0.1:80/"));
    }
}

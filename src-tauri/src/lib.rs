//! The shell: a window, and the two ways between the page and the session (commands and events, pictures). No product rule
//! lives here; what may happen is decided in `visavis-session`, what it looks like in `ui/`.

mod commands;
mod courtesy;
mod desktop;
mod events;
#[cfg(target_os = "linux")]
mod ffi;
mod instance;
mod links;
mod logs;
mod pictures;
mod preferences;
mod screen;
mod services;
mod settings;
mod small;
mod talk_key;
mod tray;
mod updates;

use events::Events;
use instance::{Claim, Instance};
use screen::{Feeds, Screen};
use services::Services;
use settings::Settings;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tauri::{App, AppHandle, Manager, RunEvent};
use visavis_session::view::Page;
use visavis_session::{Clock, Command, Config, Event, Hardware, ProcessingOptions, Session};

/// The program, from its arguments to its exit code.
pub fn run() -> ExitCode {
    visavis_session::return_what_is_freed();
    let settings = match Settings::read() {
        Ok(settings) => settings,
        Err(code) => return ExitCode::from(code),
    };
    let profile = match prepare(&settings) {
        Ok(Some(profile)) => profile,
        Ok(None) => return ExitCode::SUCCESS,
        Err(why) => return fail(&why, 2),
    };
    let beginning = profile.clone();
    let mut context = tauri::generate_context!();
    updates::configure(context.config_mut());
    let app = tauri::Builder::default()
        .invoke_handler(tauri::generate_handler![
            commands::act,
            commands::subscribe,
            commands::screen,
            services::desktop,
            services::set_desktop,
            services::say,
            small::set_small,
            updates::update,
        ])
        .setup(move |app| set_up(app, &settings, &beginning).map_err(Into::into))
        .build(context);
    match app {
        Ok(app) => ExitCode::from(u8::try_from(app.run_return(heard)).unwrap_or(1)),
        Err(tauri::Error::Setup(why)) => fail(&why.to_string(), 2),
        Err(error) => fail(&format!("the window system refused: {error}"), 1),
    }
}

/// This program's own profile, until it ends.
struct Profile {
    folder: PathBuf,
    instance: Instance,
}

/// `None`: another program has the profile and was brought forward.
fn prepare(settings: &Settings) -> Result<Option<Arc<Profile>>, String> {
    let folder = desktop::profile_folder(settings)?;
    let instance = match instance::claim(&folder, settings.link, instance::LEAVING)? {
        Claim::First(instance) => instance,
        Claim::HandedOver => {
            println!("Visavis is open already; its window comes forward.");
            return Ok(None);
        }
    };
    logs::start(settings.log.as_deref(), &folder)?;
    Ok(Some(Arc::new(Profile { folder, instance })))
}

/// What the system tells the program while it runs: macOS hands links over this way, the others by a second start.
fn heard(_app: &AppHandle, _event: RunEvent) {
    #[cfg(target_os = "macos")]
    if let RunEvent::Opened { urls } = _event {
        for url in urls {
            services::follow_link(_app, url.as_str().parse().ok());
        }
    }
}

fn fail(why: &str, code: u8) -> ExitCode {
    eprintln!("visavis: {why}");
    ExitCode::from(code)
}

fn no_thread(error: std::io::Error) -> String {
    format!("no thread for the pictures: {error}")
}

/// Starts the session and the screen before the window, so that the page finds both.
fn set_up(app: &mut App, settings: &Settings, profile: &Profile) -> Result<(), String> {
    let folder = profile.folder.clone();
    let config = Config {
        server: settings.server(),
        profile_name: settings.profile.as_str().to_owned(),
        profile_dir: folder.clone(),
        drawings_dir: desktop::drawings_folder(app.handle(), settings, &folder),
        camera: settings.camera.clone(),
        microphone: settings.microphone.clone(),
        speaker: settings.speaker.clone(),
        machine: Arc::new(Hardware::default()),
        sound: ProcessingOptions {
            echo: !settings.no_echo_cancellation,
            noise: !settings.no_noise_suppression,
            gain: !settings.no_gain_control,
        },
        keyring: !settings.no_keyring,
        clock: Clock::start(),
    };
    let clock = config.clock;
    Services::start(app.handle(), &folder).map_err(no_thread)?;
    let events = Events::default();
    let screen = tauri::async_runtime::block_on(async {
        let (session, mut from_session) = Session::start(config);
        let feeds = Feeds {
            own: pictures::publish("own", session.own_pictures(), clock).map_err(no_thread)?,
            peer: pictures::publish("peer", session.peer_pictures(), clock).map_err(no_thread)?,
        };
        let screen = Screen::start(feeds).await.map_err(|error| format!("no loopback port for the pictures: {error}"))?;
        app.manage(session);
        let (app, events, browser) = (app.handle().clone(), events.clone(), settings.browser.clone());
        let mut sign_in = settings.sign_in;
        tokio::spawn(async move {
            while let Some(event) = from_session.recv().await {
                if sign_in && matches!(&event, Event::View { view } if view.page == Page::Welcome) {
                    sign_in = false;
                    app.state::<Session>().command(Command::SignIn);
                }
                if let Event::View { view } = &event {
                    app.state::<Services>().follow(&app, view);
                }
                match event {
                    Event::OpenBrowser { url } => {
                        let app = app.clone();
                        desktop::open_browser(url, browser.clone(), move |url| {
                            if let Some(session) = app.try_state::<Session>() {
                                session.browser_did_not_open(url);
                            }
                        });
                    }
                    event => events.publish(event),
                }
            }
        });
        Ok::<_, String>(screen)
    })?;
    app.manage(screen);
    app.manage(profile.instance.leaving());
    app.manage(events);
    app.manage(small::Small::default());
    updates::start(app.handle()).map_err(|error| format!("the configuration of updates cannot be used: {error}"))?;
    desktop::open_window(app.handle(), settings, &folder).map_err(|error| format!("the window cannot be opened: {error}"))?;
    if let Some(session) = app.try_state::<Session>()
        && profile.instance.ended_badly()
    {
        session.ended_badly();
    }
    let raising = app.handle().clone();
    profile
        .instance
        .listen(move |link| services::follow_link(&raising, link))
        .map_err(|error| format!("the profile folder {} cannot be used: {error}", folder.display()))?;
    tauri::async_runtime::spawn(desktop::leave_on_signal(app.handle().clone()));
    Ok(())
}

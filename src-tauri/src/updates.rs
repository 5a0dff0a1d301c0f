//! Newer versions, where the operator who built the program named a place and a public key for them (`plugins.updater` of the
//! configuration, which `cargo xtask package --updates FILE` writes). Nothing is fetched before a person asks, nothing is installed that the
//! key did not sign, and signed for the version that was announced. Without a configuration there is none of this.
//!
//! Builds for development take another configuration from the file that `VISAVIS_UPDATES` names, to try one out.

use crate::desktop;
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tauri::ipc::Channel;
use tauri::utils::config::Config;
use tauri::{AppHandle, Manager, State};
use tauri_plugin_updater::{Error, Update, UpdaterExt};
use tokio::sync::Notify;
use ts_rs::TS;

/// Of the configuration, and of the plugin.
const NAME: &str = "updater";
const ANSWER: Duration = Duration::from_secs(20);
const DOWNLOAD: Duration = Duration::from_secs(30 * 60);
/// More than ten times what a package weighs.
const MOST_BYTES: usize = 300_000_000;

/// How far it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
#[ts(export)]
pub enum UpdateView {
    /// No operator configured updates.
    #[default]
    Off,
    NotAsked,
    Asking,
    /// This is the newest version.
    Newest,
    Offered {
        version: String,
    },
    Fetching {
        version: String,
        /// Where the server says how much there is.
        percent: Option<u8>,
    },
    /// Fetched, and signed by the operator's key.
    Signed {
        version: String,
    },
    Installing {
        version: String,
    },
    /// Used from the next start on.
    Installed {
        version: String,
    },
    Failed {
        problem: UpdateProblem,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "problem", rename_all = "snake_case")]
#[ts(export)]
pub enum UpdateProblem {
    /// No answer, or one that is no list of versions.
    NoAnswer,
    /// There is a newer version, but not for this system.
    NotForThisSystem,
    /// It broke off.
    Broken,
    /// Not signed by the operator's key, or signed for another version: it was thrown away.
    NotSigned,
    /// The system asked for a password and got none.
    NotAllowed,
    NotInstalled {
        detail: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum UpdateStep {
    /// Only tells how it stands.
    Look,
    Ask,
    Fetch,
    Install,
}

#[derive(Default)]
pub struct Updates(Mutex<Held>);

#[derive(Default)]
struct Held {
    view: UpdateView,
    update: Option<Update>,
    /// Verified.
    package: Option<Vec<u8>>,
}

impl Updates {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the step's turn; `None` where it is not its turn, which a page that is late may not know.
    fn begin(&self, step: UpdateStep) -> Option<UpdateView> {
        let mut held = self.held();
        let version = held.update.as_ref().map(|update| update.version.clone());
        let view = next(&held.view, step, version)?;
        held.view = view.clone();
        Some(view)
    }
}

/// What a step makes of the state, before anything is done.
fn next(view: &UpdateView, step: UpdateStep, version: Option<String>) -> Option<UpdateView> {
    match (step, view) {
        (UpdateStep::Ask, UpdateView::NotAsked | UpdateView::Newest | UpdateView::Failed { .. }) => Some(UpdateView::Asking),
        (UpdateStep::Fetch, UpdateView::Offered { .. }) => Some(UpdateView::Fetching { version: version?, percent: None }),
        (UpdateStep::Install, UpdateView::Signed { .. }) => Some(UpdateView::Installing { version: version? }),
        _ => None,
    }
}

/// Before the program is set up. A file that cannot be used leaves updates off, and says so.
pub fn configure(config: &mut Config) {
    if cfg!(debug_assertions)
        && let Some(file) = std::env::var_os("VISAVIS_UPDATES")
    {
        let text = std::fs::read_to_string(&file).map_err(|error| error.to_string());
        match text.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string())) {
            Ok(value) => drop(config.plugins.0.insert(NAME.to_owned(), value)),
            Err(error) => eprintln!("visavis: no updates from {}: {error}", file.display()),
        }
    }
}

/// In the set-up, before the window.
pub fn start(app: &AppHandle) -> tauri::Result<()> {
    let updates = Updates::default();
    if app.config().plugins.0.contains_key(NAME) {
        app.plugin(tauri_plugin_updater::Builder::new().build())?;
        updates.held().view = UpdateView::NotAsked;
    }
    app.manage(updates);
    Ok(())
}

/// Takes one step and tells how it goes; the answer is how it stands then.
#[tauri::command]
pub async fn update(
    step: UpdateStep,
    channel: Channel<UpdateView>,
    app: AppHandle,
    updates: State<'_, Updates>,
) -> Result<UpdateView, ()> {
    let Some(begun) = updates.begin(step) else { return Ok(updates.held().view.clone()) };
    // A page that is gone asks again when it comes back.
    let tell = |view: UpdateView| drop(channel.send(view));
    tell(begun);
    let view = match step {
        UpdateStep::Look => return Ok(updates.held().view.clone()),
        UpdateStep::Ask => ask(&app, &updates).await,
        UpdateStep::Fetch => fetch(&updates, &tell).await,
        UpdateStep::Install => install(&app, &updates).await,
    };
    let view = view.unwrap_or_else(|problem| {
        tracing::warn!(?problem, "no update");
        UpdateView::Failed { problem }
    });
    updates.held().view = view.clone();
    Ok(view)
}

async fn ask(app: &AppHandle, updates: &Updates) -> Result<UpdateView, UpdateProblem> {
    let updater = app.updater_builder().timeout(ANSWER).build().map_err(|error| problem(&error))?;
    let found = updater.check().await.map_err(|error| problem(&error))?;
    let view = found.as_ref().map_or(UpdateView::Newest, |update| UpdateView::Offered { version: update.version.clone() });
    let mut held = updates.held();
    (held.update, held.package) = (found, None);
    Ok(view)
}

async fn fetch(updates: &Updates, tell: &impl Fn(UpdateView)) -> Result<UpdateView, UpdateProblem> {
    let mut update = updates.held().update.clone().ok_or(UpdateProblem::Broken)?;
    update.timeout = Some(DOWNLOAD);
    let version = update.version.clone();
    let too_much = Notify::new();
    let (mut fetched, mut shown) = (0, None);
    let on_chunk = |bytes: usize, all: Option<u64>| {
        fetched += bytes;
        if fetched > MOST_BYTES {
            too_much.notify_one();
        }
        let percent = all.and_then(|all| u8::try_from((fetched as u64).saturating_mul(100).checked_div(all)?.min(100)).ok());
        if percent != shown {
            shown = percent;
            tell(UpdateView::Fetching { version: version.clone(), percent });
        }
    };
    // Verifies before it hands anything over.
    let package = tokio::select! {
        package = update.download(on_chunk, || ()) => package.map_err(|error| problem(&error))?,
        () = too_much.notified() => return Err(UpdateProblem::Broken),
    };
    updates.held().package = Some(package);
    Ok(UpdateView::Signed { version })
}

async fn install(app: &AppHandle, updates: &Updates) -> Result<UpdateView, UpdateProblem> {
    let (update, package) = {
        let mut held = updates.held();
        (held.update.clone(), held.package.take())
    };
    let (Some(update), Some(package)) = (update, package) else { return Err(UpdateProblem::Broken) };
    let version = update.version.clone();
    if cfg!(windows) {
        // The installer ends the program by itself.
        desktop::farewell(app).await;
    }
    // It verifies the package once more, and may wait for a password.
    let installed = tokio::task::spawn_blocking(move || update.install(package)).await;
    let installed = installed.map_err(|error| UpdateProblem::NotInstalled { detail: error.to_string() })?;
    installed.map_err(|error| problem(&error))?;
    Ok(UpdateView::Installed { version })
}

fn problem(error: &Error) -> UpdateProblem {
    match error {
        Error::TargetNotFound(_) | Error::TargetsNotFound(_) | Error::UnsupportedArch | Error::UnsupportedOs => {
            UpdateProblem::NotForThisSystem
        }
        Error::Minisign(_)
        | Error::Base64(_)
        | Error::SignatureUtf8(_)
        | Error::SignedVersionMismatch { .. }
        | Error::MissingSignedVersion => UpdateProblem::NotSigned,
        Error::Network(_) => UpdateProblem::Broken,
        Error::Reqwest(_) | Error::ReleaseNotFound | Error::Serialization(_) | Error::Semver(_) | Error::UrlParse(_) => {
            UpdateProblem::NoAnswer
        }
        Error::AuthenticationFailed => UpdateProblem::NotAllowed,
        other => UpdateProblem::NotInstalled { detail: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_has_its_turn() {
        let version = || Some(String::from("2.0.0"));
        let offered = UpdateView::Offered { version: String::from("2.0.0") };
        let signed = UpdateView::Signed { version: String::from("2.0.0") };
        let failed = UpdateView::Failed { problem: UpdateProblem::NotSigned };
        assert_eq!(next(&UpdateView::NotAsked, UpdateStep::Ask, None), Some(UpdateView::Asking));
        assert_eq!(next(&failed, UpdateStep::Ask, version()), Some(UpdateView::Asking));
        assert!(matches!(next(&offered, UpdateStep::Fetch, version()), Some(UpdateView::Fetching { percent: None, .. })));
        assert!(matches!(next(&signed, UpdateStep::Install, version()), Some(UpdateView::Installing { .. })));
        for (view, step) in [
            (&UpdateView::Off, UpdateStep::Ask),
            (&UpdateView::Asking, UpdateStep::Ask),
            (&offered, UpdateStep::Install),
            (&failed, UpdateStep::Install),
            (&failed, UpdateStep::Fetch),
            (&UpdateView::Off, UpdateStep::Install),
            (&offered, UpdateStep::Look),
        ] {
            assert_eq!(next(view, step, version()), None, "{view:?} {step:?}");
        }
    }

    #[test]
    fn what_went_wrong_is_told_apart() {
        assert_eq!(problem(&Error::MissingSignedVersion), UpdateProblem::NotSigned);
        let announced = Error::SignedVersionMismatch { signed: String::from("1.0.0"), announced: String::from("9.0.0") };
        assert_eq!(problem(&announced), UpdateProblem::NotSigned);
        assert_eq!(problem(&Error::TargetsNotFound(Vec::new())), UpdateProblem::NotForThisSystem);
        assert_eq!(problem(&Error::ReleaseNotFound), UpdateProblem::NoAnswer);
        assert_eq!(problem(&Error::Network(String::new())), UpdateProblem::Broken);
        assert_eq!(problem(&Error::AuthenticationFailed), UpdateProblem::NotAllowed);
        assert!(matches!(problem(&Error::DebInstallFailed), UpdateProblem::NotInstalled { .. }));
    }
}

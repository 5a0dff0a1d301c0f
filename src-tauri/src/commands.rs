//! What the page may call. Each has its permission in `src-tauri/permissions/commands.toml`.

use crate::events::Events;
use crate::screen::Screen;
use serde::Serialize;
use tauri::State;
use tauri::ipc::Channel;
use visavis_session::{Command, Event, Session};

/// Hands what the user did to the session.
#[tauri::command]
pub fn act(command: Command, session: State<'_, Session>) {
    session.command(command);
}

/// From now on this channel gets every event, beginning with the current view; the current paper follows.
#[tauri::command]
pub fn subscribe(channel: Channel<Event>, events: State<'_, Events>, session: State<'_, Session>) {
    events.subscribe(channel);
    session.command(Command::ShowPaper);
}

#[derive(Serialize)]
pub struct ScreenAddress {
    /// `url` + `/own` and `url` + `/peer` serve pictures, until this is asked again.
    url: String,
}

/// Where the page finds its pictures; every call makes a new address and ends the one before.
#[tauri::command]
pub fn screen(screen: State<'_, Screen>) -> ScreenAddress {
    ScreenAddress { url: screen.new_address() }
}

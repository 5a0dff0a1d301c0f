//! The small window of a call: above others, with the other's picture and little else. What was before comes back with it off;
//! it is never what the next evening begins with.

use crate::desktop;
use crate::settings::SMALLEST_WINDOW;
use std::sync::{Mutex, PoisonError};
use tauri::{AppHandle, LogicalSize, Manager, State, WebviewWindow};

/// A picture of 16:9, its caption, and one row of buttons.
const SIZE: (f64, f64) = (360.0, 296.0);
const SMALLEST: (f64, f64) = (280.0, 252.0);

/// How the window was, while it is small.
#[derive(Default)]
pub struct Small(Mutex<Option<Before>>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Before {
    size: LogicalSize<f64>,
    maximised: bool,
}

/// Whether the window is small now: some desktops let no program choose.
#[tauri::command]
pub fn set_small(on: bool, app: AppHandle, small: State<'_, Small>) -> bool {
    let Some(window) = app.get_webview_window(desktop::MAIN) else { return false };
    let mut before = small.0.lock().unwrap_or_else(PoisonError::into_inner);
    match (on, *before) {
        (true, None) => match shrink(&window) {
            Ok(was) => *before = Some(was),
            Err(error) => tracing::warn!(%error, "the window cannot be made small"),
        },
        (false, Some(was)) => {
            *before = None;
            grow(&window, was);
        }
        _ => {}
    }
    before.is_some()
}

/// Before the window goes, so that it is remembered as it was.
pub fn restore(window: &WebviewWindow) {
    let small = window.state::<Small>();
    let before = small.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(was) = before {
        grow(window, was);
    }
}

fn shrink(window: &WebviewWindow) -> tauri::Result<Before> {
    let maximised = window.is_maximized()?;
    if maximised {
        window.unmaximize()?;
    }
    let size = window.inner_size()?.to_logical(window.scale_factor()?);
    window.set_min_size(Some(LogicalSize::new(SMALLEST.0, SMALLEST.1)))?;
    window.set_size(LogicalSize::new(SIZE.0, SIZE.1))?;
    window.set_always_on_top(true)?;
    Ok(Before { size, maximised })
}

/// As far as the desktop lets it: each step stands for itself.
fn grow(window: &WebviewWindow, was: Before) {
    let (width, height) = (f64::from(SMALLEST_WINDOW.0), f64::from(SMALLEST_WINDOW.1));
    for done in [
        window.set_always_on_top(false),
        window.set_size(LogicalSize::new(was.size.width.max(width), was.size.height.max(height))),
        window.set_min_size(Some(LogicalSize::new(width, height))),
        if was.maximised { window.maximize() } else { Ok(()) },
    ] {
        if let Err(error) = done {
            tracing::debug!(%error, "the window does not come back to its size");
        }
    }
}

//! Links that another program or a page of the web hands to the app.

use visavis_session::Command;

// The app itself is above everything here, so its one file is read where it lies.
#[path = "../../src-tauri/src/links.rs"]
mod links;

/// Whatever it says, it opens a page or nothing.
pub fn link(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match text.parse::<links::Link>() {
        Ok(link) => {
            assert!(text.starts_with("visavis:"));
            let command = link.command();
            let opens = matches!(command, None | Some(Command::OpenFriends | Command::OpenHistory | Command::OpenProfile));
            assert!(opens, "{command:?}");
        }
        Err(why) => assert!(!why.is_empty()),
    }
}
